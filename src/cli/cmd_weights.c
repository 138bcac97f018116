// mlp weights: the weights of one layer as pictures. Those of a dense layer that reads images are
// shown by hidden unit; those of a convolution by filter. Where the output layer comes next, a unit
// has a class, that with its largest output weight, and the units are sorted by it; a unit of a
// deeper network has none. Reads the model alone; terminal.h draws.
#include "commands.h"
#include "terminal.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct WeightsOptions {
    const char *csv;
    uint64_t layer;
} WeightsOptions;

static void weights_options(OptionTable *table, void *values)
{
    WeightsOptions *o = values;
    o->layer = 1;
    const Option rows[] = {
        OPT_UINT("layer", &o->layer, 1, NETWORK_MAX_LAYERS, "N",
                 "which layer with weights to show; its weights must have the shape of an image"),
        OPT_TABLE("csv", &o->csv,
                  "write one row per picture here (- is standard output), for hidden units "
                  "unit,class,output_weight,bias, for filters channel,input,bias, and then the "
                  "weights, row by row"),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

// ---------------------------------------------------------------------------------------------
// Pictures of a layer

// The weights of one hidden unit, or the filter from one input channel to one output channel.
typedef struct Picture {
    size_t number;        // in the layer's weight matrix
    size_t class;         // of a unit with one: that of the largest weight in its column of W2
    double output_weight; // that weight
} Picture;

typedef struct Pictures {
    const Model *model;
    const Layer *layer;
    bool are_filters, have_classes;
    size_t rows, cols, n;
    Picture *list; // (n) by class, the largest output weight first; without classes, by number
} Pictures;

static double weight(const Pictures *p, const Tensor *tensor, size_t e)
{
    return (double)p->model->params[tensor_index(tensor, e)];
}

static int compare_units(const void *a, const void *b)
{
    const Picture *u = a, *v = b;
    if (u->class != v->class)
        return u->class < v->class ? -1 : 1;
    if (u->output_weight != v->output_weight)
        return u->output_weight > v->output_weight ? -1 : 1;
    return (u->number > v->number) - (u->number < v->number);
}

static void sort_units(Pictures *p, const Tensor *W2)
{
    size_t classes = p->model->net.architecture.classes;
    for (Picture *unit = p->list; unit < p->list + p->n; unit++) {
        unit->output_weight = weight(p, W2, unit->number);
        for (size_t k = 1; k < classes; k++) {
            double w = weight(p, W2, k * p->n + unit->number);
            if (w > unit->output_weight) {
                unit->class = k;
                unit->output_weight = w;
            }
        }
    }
    qsort(p->list, p->n, sizeof *p->list, compare_units);
}

// Layer number n, from 1, of those with weights, or NULL.
static const Layer *layer_with_weights(const Network *net, uint64_t n)
{
    for (size_t l = 0; l < net->n_layers; l++)
        if (net->layers[l].n_tensors > 0 && --n == 0)
            return &net->layers[l];
    return NULL;
}

static bool find_pictures(Pictures *p, Context *c)
{
    const WeightsOptions *o = c->values;
    const Network *net = &c->model->net;
    const Layer *layer = layer_with_weights(net, o->layer);
    bool are_filters = layer != NULL && layer->kind->has_filters;
    if (layer == NULL || (!are_filters && layer != &net->layers[0])) {
        error_set(&c->err, "--layer %llu: %s has %s", (unsigned long long)o->layer, c->words.model,
                  layer == NULL ? "fewer layers with weights"
                                : "weights there that do not have the shape of an image");
        return false; // which the analyser does not know of error_set
    }
    size_t side = layer->conv.kernel_size;
    *p = (Pictures){.model = c->model,
                    .layer = layer,
                    .are_filters = are_filters,
                    .rows = are_filters ? side : layer->in.height,
                    .cols = are_filters ? side : layer->in.width,
                    .n = layer->out.channels * (are_filters ? layer->in.channels : 1)};
    p->list = arena_alloc(&c->arena, p->n, sizeof *p->list, "the pictures", &c->err);
    if (p->list == NULL)
        return false;
    for (size_t i = 0; i < p->n; i++)
        p->list[i].number = i;
    p->have_classes = !are_filters && layer_with_weights(net, o->layer + 2) == NULL;
    if (p->have_classes)
        sort_units(p, &layer_with_weights(net, o->layer + 1)->tensors[0]);
    return true;
}

static double picture_bias(const Pictures *p, const Picture *picture)
{
    size_t inputs = p->are_filters ? p->layer->in.channels : 1;
    return weight(p, &p->layer->tensors[1], picture->number / inputs);
}

// ---------------------------------------------------------------------------------------------
// Output

static double picture_value(const void *context, size_t tile, size_t row, size_t col)
{
    const Pictures *p = context;
    size_t first = p->list[tile].number * p->rows * p->cols;
    return weight(p, &p->layer->tensors[0], first + row * p->cols + col);
}

static void picture_title(const void *context, size_t tile, char *text, size_t size)
{
    const Pictures *p = context;
    const Picture *picture = &p->list[tile];
    size_t inputs = p->layer->in.channels;
    if (p->have_classes)
        snprintf(text, size, "%zu: %s", picture->number, mlp_class_name(p->model, picture->class));
    else if (!p->are_filters || inputs == 1)
        snprintf(text, size, "%zu", picture->number);
    else
        snprintf(text, size, "%zu<%zu", picture->number / inputs, picture->number % inputs);
}

static void print_csv(CsvWriter *csv, const void *context)
{
    const Pictures *p = context;
    size_t n = p->rows * p->cols, inputs = p->layer->in.channels;
    csv_names(csv, p->are_filters ? "channel,input,bias" : "unit,class,output_weight,bias");
    csv_numbered_names(csv, "w", n);
    csv_end_row(csv);
    for (size_t i = 0; i < p->n; i++) {
        const Picture *picture = &p->list[i];
        if (p->are_filters) {
            csv_uint(csv, picture->number / inputs);
            csv_uint(csv, picture->number % inputs);
        } else {
            csv_uint(csv, picture->number);
            p->have_classes ? csv_uint(csv, picture->class) : csv_string(csv, "");
            p->have_classes ? csv_double(csv, picture->output_weight) : csv_string(csv, "");
        }
        csv_double(csv, picture_bias(p, picture));
        for (size_t e = 0; e < n; e++)
            csv_double(csv, picture_value(p, i, e / p->cols, e % p->cols));
        csv_end_row(csv);
    }
}

static void print_table(const Pictures *p, const Tiles *tiles)
{
    size_t inputs = p->layer->in.channels;
    int width = command_class_width(p->model);
    width = width < 6 ? 6 : width;
    if (p->are_filters)
        printf("%7s  %6s", "channel", "input");
    else
        printf("%6s  %*s  %13s", "unit", width, "class", "output weight");
    printf("  %9s  %9s  %9s\n", "bias", "smallest", "largest");
    for (size_t i = 0; i < p->n; i++) {
        const Picture *picture = &p->list[i];
        TilesSummary summary = tiles_summary(tiles, i, i + 1);
        if (p->are_filters) {
            printf("%7zu  %6zu", picture->number / inputs, picture->number % inputs);
        } else if (!p->have_classes) {
            printf("%6zu  %*s  %13s", picture->number, width, "-", "-");
        } else {
            printf("%6zu  ", picture->number);
            command_print_class(p->model, picture->class, width);
            printf("  %13.4f", picture->output_weight);
        }
        printf("  %9.4f  %9.4f  %9.4f\n", picture_bias(p, picture), summary.smallest,
               summary.largest);
    }
}

static void draw(const Pictures *p, Tiles *tiles)
{
    TilesSummary all = tiles_summary(tiles, 0, tiles->n);
    tiles->scale = fmax(-all.smallest, all.largest) / 2.0; // the largest would leave the rest pale
    tiles_draw(tiles);
    if (p->are_filters)
        printf("Each tile: a filter of %s, channel%s; negative blue, positive red, full colour "
               "from %.3g on.\n",
               p->layer->name, p->layer->in.channels == 1 ? "" : "<input", tiles->scale);
    else
        printf("Each tile: the weights of a hidden unit%s;\n"
               "negative blue, positive red, full colour from %.3g on.\n",
               p->have_classes ? ", and the class of its largest output weight" : "", tiles->scale);
}

static int run(Context *c)
{
    const WeightsOptions *o = c->values;
    Pictures pictures;
    int status = command_begin(c);
    if (status != STATUS_DONE)
        return status;
    if (!find_pictures(&pictures, c))
        return STATUS_FAILED;
    if (o->csv != NULL)
        return command_write_tables(c, &(Table){o->csv, print_csv, &pictures}, 1);
    Tiles tiles = {.n = pictures.n,
                   .rows = pictures.rows,
                   .cols = pictures.cols,
                   .context = &pictures,
                   .value = picture_value,
                   .title = picture_title};
    terminal_has_colours(STDOUT_FILENO) ? draw(&pictures, &tiles) : print_table(&pictures, &tiles);
    return STATUS_DONE;
}

const Command command_weights = {
    .name = "weights",
    .arguments = "MODEL",
    .summary = "show the weights of hidden units or filters as pictures",
    .about = "Shows the weights of a model's hidden units, sorted by class (the class with the "
             "unit's largest output weight), or the filters of a convolution. On a terminal the "
             "weights are drawn as pictures, otherwise a table is printed; --csv writes all of "
             "them.",
    .examples = {"mlp weights model.bin", "mlp weights model.bin --csv weights.csv"},
    .values_size = sizeof(WeightsOptions),
    .options = weights_options,
    .run = run,
};
