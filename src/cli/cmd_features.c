// mlp features: what each layer makes of one image.
#include "commands.h"
#include "csv.h"
#include "tiles.h"

#include <math.h>
#include <string.h>

typedef struct FeaturesOptions {
    const char *part, *data, *csv;
    uint64_t image;
    TransposeFlags transpose;
} FeaturesOptions;

static void features_options(OptionTable *table, void *values)
{
    static const char *const parts[] = {"test", "train", NULL};
    FeaturesOptions *o = values;
    o->part = "test";
    const Option rows[] = {
        OPT_CHOICE("file", &o->part, parts, "the file with the image: test or train"),
        OPT_UINT("image", &o->image, 0, UINT32_MAX, "N", "the image's number in the file, from 0"),
        OPT_DATA(&o->data),
        OPT_MODEL_TRANSPOSE(&o->transpose),
        OPT_STRING("csv", &o->csv, "FILE",
                   "write one row per value here (- is standard output): "
                   "layer,channel,row,column,value"),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

// A network that has seen one image.
typedef struct Seen {
    const Network *net;
    Work work; // for one example, as network_activation wants
    unsigned label;
    const char *names; // of the classes
} Seen;

// What layer l made, channel by channel.
typedef struct Maps {
    const Seen *seen;
    size_t l;
} Maps;

static double map_value(const void *context, size_t channel, size_t row, size_t col)
{
    const Maps *maps = context;
    const Layer *layer = &maps->seen->net->layers[maps->l];
    size_t pixel = row * layer->out.width + col;
    return (double)network_activation(maps->seen->net, &maps->seen->work, maps->l,
                                      0)[pixel * layer->out_pitch + channel];
}

static void map_title(const void *context, size_t channel, char *text, size_t size)
{
    (void)context;
    snprintf(text, size, "%zu", channel);
}

// ---------------------------------------------------------------------------------------------
// What is printed

static void print_csv(FILE *out, const void *context)
{
    const Seen *seen = context;
    CsvWriter csv = {.out = out};
    csv_names(&csv, "layer,channel,row,column,value");
    csv_end_row(&csv);
    for (size_t l = 0; l < seen->net->n_layers; l++) {
        const Layer *layer = &seen->net->layers[l];
        Maps maps = {seen, l};
        for (size_t c = 0; c < layer->out.channels; c++)
            for (size_t i = 0; i < layer->out.height * layer->out.width; i++) {
                size_t row = i / layer->out.width, col = i % layer->out.width;
                csv_string(&csv, layer->symbol);
                csv_uint(&csv, c);
                csv_uint(&csv, row);
                csv_uint(&csv, col);
                csv_double(&csv, map_value(&maps, c, row, col));
                csv_end_row(&csv);
            }
    }
}

typedef struct Summary {
    size_t n, zeros;
    double smallest, largest;
} Summary;

static Summary summary_of(const Maps *maps)
{
    Shape out = maps->seen->net->layers[maps->l].out;
    Summary s = {shape_size(out), 0, (double)INFINITY, -(double)INFINITY};
    for (size_t i = 0; i < s.n; i++) {
        size_t pixel = i % (out.height * out.width);
        double v =
            map_value(maps, i / (out.height * out.width), pixel / out.width, pixel % out.width);
        s.zeros += v == 0.0;
        s.smallest = fmin(s.smallest, v);
        s.largest = fmax(s.largest, v);
    }
    return s;
}

static void print_layer(const Maps *maps)
{
    const Layer *layer = &maps->seen->net->layers[maps->l];
    Summary s = summary_of(maps);
    char shape[64];
    snprintf(shape, sizeof shape, "%zux%zux%zu", layer->out.height, layer->out.width,
             layer->out.channels);
    printf("%-6s  %-12s  %12s  %6.1f %%  %9.4f  %9.4f\n", layer->symbol, layer->kind->name, shape,
           100.0 * (double)s.zeros / (double)s.n, s.smallest, s.largest);
}

static void draw_layer(const Maps *maps)
{
    const Layer *layer = &maps->seen->net->layers[maps->l];
    // The image, and what is left behind a nonlinearity: the layers between look much like it.
    if (layer->out.height * layer->out.width == 1 || (maps->l > 0 && !layer->kind->is_activation))
        return;
    Summary s = summary_of(maps);
    Tiles tiles = {.n = layer->out.channels,
                   .wanted = 1,
                   .rows = layer->out.height,
                   .cols = layer->out.width,
                   .scale = fmax(fabs(s.smallest), fabs(s.largest)),
                   .context = maps,
                   .value = map_value,
                   .title = map_title};
    printf("%s, %s: negative blue, positive red, full colour at %.3g\n", layer->symbol,
           layer->kind->name, tiles.scale);
    tiles_draw(&tiles);
}

static void print_seen(const Seen *seen)
{
    if (tiles_can_draw())
        for (size_t l = 0; l < seen->net->n_layers; l++)
            draw_layer(&(Maps){seen, l});
    printf("%-6s  %-12s  %12s  %8s  %9s  %9s\n", "layer", "kind", "shape", "zero", "smallest",
           "largest");
    for (size_t l = 0; l < seen->net->n_layers; l++)
        print_layer(&(Maps){seen, l});
    unsigned answer = seen->work.predicted[0];
    printf("\nlabel %s, predicted %s with probability %.4f\n",
           class_name(seen->names, seen->label).text, class_name(seen->names, answer).text,
           (double)network_probabilities(seen->net, &seen->work, 0)[answer]);
}

// ---------------------------------------------------------------------------------------------
// The command

static int features(Context *c)
{
    const FeaturesOptions *o = c->values;
    const char *path = c->words.model, *directory = command_data_directory(o->data);
    Arena *arena = &c->arena;
    Error *err = &c->err;
    Model model;
    Dataset data;
    IdxPart part = strcmp(o->part, "test") == 0 ? IDX_TEST : IDX_TRAIN;
    Seen seen = {.net = &model.net};
    if (!model_read(&model, arena, path, err))
        return STATUS_FAILED;
    bool transposed = command_transposed(&o->transpose, model.settings.transposed);
    if (!command_read_data(&data, arena, o->data, part, transposed, err) ||
        !command_model_fits(&model, path, &data, directory, err) ||
        !work_alloc(&seen.work, &model.net, (WorkNeeds){.capacity = 1}, arena, err))
        return STATUS_FAILED;
    if (o->image >= data.n) {
        error_set(err, "--image %llu: the %s file in %s has %zu images",
                  (unsigned long long)o->image, o->part, directory, data.n);
        return STATUS_FAILED;
    }
    InputScale scale = input_scale(model.facts.pixel_std);
    Batch batch = {.data = &data, .scale = &scale, .first = (size_t)o->image, .size = 1};
    network_predict(&model.net, model.params, &seen.work, &batch);
    seen.label = batch_label(&batch, 0);
    seen.names = model.settings.class_names;
    if (o->csv != NULL)
        return command_write_tables(c, &(Table){o->csv, print_csv, &seen}, 1);
    print_seen(&seen);
    return STATUS_DONE;
}

static int run(Context *c)
{
    const FeaturesOptions *o = c->values;
    const OutputFlag table = {"--csv", o->csv, OUTPUT_ANY_FILE, false};
    int status = command_check_outputs(c, &table, 1, c->words.model, o->data, false);
    return status == STATUS_DONE ? features(c) : status;
}

const Command command_features = {
    .name = "features",
    .arguments = "MODEL",
    .summary = "show the activations of every layer for one image",
    .about = "Shows the activations of every layer for one image: shape, share of zeros, smallest "
             "and largest value, and the prediction. On a terminal the feature maps of a "
             "convolutional network are drawn; --csv writes all values.",
    .examples = {"mlp features model.bin --image 7", "mlp features model.bin --csv features.csv"},
    .values_size = sizeof(FeaturesOptions),
    .options = features_options,
    .run = run,
};
