// mlp features: the activations (feature maps) of every layer for one image, as a table, as CSV,
// and as pictures on a terminal (terminal.h).
#include "commands.h"
#include "terminal.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

typedef struct FeaturesOptions {
    const char *part, *data, *csv;
    uint64_t image;
    TransposeFlags transpose;
    bool no_sandbox;
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
        OPT_NO_SANDBOX(&o->no_sandbox),
        OPT_TABLE("csv", &o->csv,
                  "write one row per value here (- is standard output): "
                  "layer,channel,row,column,value"),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

// ---------------------------------------------------------------------------------------------
// The maps of one layer

// A network after the forward pass of one image, and the layer to look at.
typedef struct Maps {
    const mlp_model *model;
    Work work;
    unsigned label;
    size_t l;
} Maps;

static const Layer *maps_layer(const Maps *maps)
{
    return &maps->model->net.layers[maps->l];
}

static double map_value(const void *context, size_t channel, size_t row, size_t col)
{
    const Maps *maps = context;
    const Layer *layer = maps_layer(maps);
    size_t pixel = row * layer->out.width + col;
    const float *values = network_activation(&maps->model->net, &maps->work, maps->l, 0);
    return (double)values[pixel * layer->out_pitch + channel];
}

static void map_title(const void *context, size_t channel, char *text, size_t size)
{
    (void)context;
    snprintf(text, size, "%zu", channel);
}

static Tiles maps_tiles(const Maps *maps)
{
    Shape out = maps_layer(maps)->out;
    return (Tiles){.n = out.channels,
                   .across = 1,
                   .rows = out.height,
                   .cols = out.width,
                   .context = maps,
                   .value = map_value,
                   .title = map_title};
}

// ---------------------------------------------------------------------------------------------
// Output

static void print_csv(CsvWriter *csv, const void *context)
{
    Maps maps = *(const Maps *)context;
    csv_names(csv, "layer,channel,row,column,value");
    csv_end_row(csv);
    for (maps.l = 0; maps.l < maps.model->net.n_layers; maps.l++) {
        Shape shape = maps_layer(&maps)->out;
        for (size_t channel = 0; channel < shape.channels; channel++)
            for (size_t pixel = 0; pixel < shape.height * shape.width; pixel++) {
                size_t row = pixel / shape.width, col = pixel % shape.width;
                csv_string(csv, maps_layer(&maps)->symbol);
                csv_uint(csv, channel);
                csv_uint(csv, row);
                csv_uint(csv, col);
                csv_double(csv, map_value(&maps, channel, row, col));
                csv_end_row(csv);
            }
    }
}

static void print_layer(const Maps *maps)
{
    const Layer *layer = maps_layer(maps);
    Tiles tiles = maps_tiles(maps);
    TilesSummary summary = tiles_summary(&tiles, 0, tiles.n);
    char shape[64];
    snprintf(shape, sizeof shape, "%zux%zux%zu", layer->out.height, layer->out.width,
             layer->out.channels);
    printf("%-6s  %-12s  %12s  %6.1f %%  %9.4f  %9.4f\n", layer->symbol, layer->kind->name, shape,
           100.0 * (double)summary.zeros / (double)shape_size(layer->out), summary.smallest,
           summary.largest);
}

static void draw_layer(const Maps *maps)
{
    const Layer *layer = maps_layer(maps);
    // The first layer, and what follows an activation: the layers between look much like it.
    if (layer->out.height * layer->out.width == 1 || (maps->l > 0 && !layer->kind->is_activation))
        return;
    Tiles tiles = maps_tiles(maps);
    TilesSummary summary = tiles_summary(&tiles, 0, tiles.n);
    tiles.scale = fmax(fabs(summary.smallest), fabs(summary.largest));
    printf("%s, %s: negative blue, positive red, full colour at %.3g\n", layer->symbol,
           layer->kind->name, tiles.scale);
    tiles_draw(&tiles);
}

static void print_text(Maps *maps)
{
    const mlp_model *model = maps->model;
    size_t n = model->net.n_layers;
    for (maps->l = 0; terminal_has_colours(STDOUT_FILENO) && maps->l < n; maps->l++)
        draw_layer(maps);
    printf("%-6s  %-12s  %12s  %8s  %9s  %9s\n", "layer", "kind", "shape", "zero", "smallest",
           "largest");
    for (maps->l = 0; maps->l < n; maps->l++)
        print_layer(maps);
    unsigned predicted = maps->work.predicted[0];
    printf("\nlabel %s, predicted %s with probability %.4f\n", mlp_class_name(model, maps->label),
           mlp_class_name(model, predicted),
           (double)network_probabilities(&model->net, &maps->work, 0)[predicted]);
}

// ---------------------------------------------------------------------------------------------
// The command

static int run(Context *c)
{
    const FeaturesOptions *o = c->values;
    mlp_part part = strcmp(o->part, "test") == 0 ? MLP_TEST_FILES : MLP_TRAIN_FILES;
    int status = command_begin(c);
    if (status != STATUS_DONE)
        return status;
    const mlp_model *model = c->model;
    const mlp_data *data =
        command_open_data(c, part, o->data, command_transposed(c, &o->transpose));
    Maps maps = {.model = model};
    if (data == NULL || !mlp_fits(model, data, c->err.text) ||
        !work_alloc(&maps.work, &model->net, (WorkNeeds){.capacity = 1}, &c->arena, &c->err))
        return STATUS_FAILED;
    if (o->image >= data->n) {
        error_set(&c->err, "--image %llu: the %s file in %s has %zu images",
                  (unsigned long long)o->image, o->part, data->name, data->n);
        return STATUS_FAILED;
    }
    InputScale scale = input_scale(model->facts.pixel_std);
    Batch batch = {.data = data, .scale = &scale, .first = (size_t)o->image, .size = 1};
    network_predict(&model->net, model->params, &maps.work, &batch);
    maps.label = batch_label(&batch, 0);
    if (o->csv != NULL)
        return command_write_tables(c, &(Table){o->csv, print_csv, &maps}, 1);
    print_text(&maps);
    return STATUS_DONE;
}

const Command command_features = {
    .name = "features",
    .arguments = "MODEL",
    .summary = "show the activations of every layer for one image",
    .about = "Shows the activations of every layer for one image: shape, share of zeros, smallest "
             "and largest value, and the prediction. On a terminal feature maps are drawn; --csv "
             "writes all values.",
    .examples = {"mlp features model.bin --image 7", "mlp features model.bin --csv features.csv"},
    .values_size = sizeof(FeaturesOptions),
    .options = features_options,
    .run = run,
};
