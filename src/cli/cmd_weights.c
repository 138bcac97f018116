// mlp weights: weights that look at images, as pictures: the rows of W1, and the class that each
// hidden unit speaks for; the filters of a convolution.
#include "commands.h"
#include "numbers.h"
#include "tiles.h"

#include <math.h>
#include <stdlib.h>

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
        OPT_STRING("csv", &o->csv, "FILE",
                   "write one row per picture here (- is standard output), for hidden units "
                   "unit,class,output_weight,bias, for filters channel,input,bias, and then the "
                   "weights, row by row"),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

// ---------------------------------------------------------------------------------------------
// The units

// A hidden unit, and the answer that it argues for most: the largest weight in its column of W2.
typedef struct Unit {
    size_t number, class;
    double output_weight;
} Unit;

// What is shown of a model: a network of two dense layers.
typedef struct Units {
    const Model *model;
    const Tensor *W1, *b1, *W2;
    size_t n, n_pixels, rows, cols;
    Unit *list; // (n) by class, the strongest first
} Units;

static double weight(const Units *units, const Tensor *tensor, size_t e)
{
    return (double)units->model->params[tensor_index(tensor, e)];
}

static int compare_units(const void *a, const void *b)
{
    const Unit *u = a, *v = b;
    if (u->class != v->class)
        return u->class < v->class ? -1 : 1;
    if (u->output_weight != v->output_weight)
        return u->output_weight > v->output_weight ? -1 : 1;
    return (u->number > v->number) - (u->number < v->number);
}

static bool find_units(Units *units, const Model *model, Arena *arena, Error *err)
{
    const Network *net = &model->net;
    *units = (Units){.model = model,
                     .W1 = net->tensors[0],
                     .b1 = net->tensors[1],
                     .W2 = net->tensors[2],
                     .n = net->architecture.hidden,
                     .n_pixels = shape_size(net->layers[0].in),
                     .rows = net->architecture.rows,
                     .cols = net->architecture.cols};
    units->list = arena_alloc(arena, units->n, sizeof *units->list, "the hidden units", err);
    if (units->list == NULL)
        return false;
    for (size_t h = 0; h < units->n; h++) {
        Unit *unit = &units->list[h];
        *unit = (Unit){.number = h, .output_weight = weight(units, units->W2, h)};
        for (size_t k = 1; k < net->architecture.classes; k++) {
            double w = weight(units, units->W2, k * units->n + h);
            if (w > unit->output_weight)
                unit->class = k, unit->output_weight = w;
        }
    }
    qsort(units->list, units->n, sizeof *units->list, compare_units);
    return true;
}

static double largest_weight(const Model *model, const Tensor *W)
{
    double largest = 0.0;
    for (size_t e = 0; e < tensor_size(W); e++)
        largest = fmax(largest, fabs((double)model->params[tensor_index(W, e)]));
    return largest;
}

// ---------------------------------------------------------------------------------------------
// As numbers

static void print_row(FILE *out, const Units *units, const Unit *unit)
{
    char text[NUMBER_SIZE];
    fprintf(out, "%zu,%zu,%s", unit->number, unit->class, format_g9(text, unit->output_weight));
    fprintf(out, ",%s", format_g9(text, weight(units, units->b1, unit->number)));
    for (size_t p = 0; p < units->n_pixels; p++)
        fprintf(out, ",%s",
                format_g9(text, weight(units, units->W1, unit->number * units->n_pixels + p)));
    fputc('\n', out);
}

static void print_csv(FILE *out, const void *context)
{
    const Units *units = context;
    fputs("unit,class,output_weight,bias", out);
    for (size_t p = 0; p < units->n_pixels; p++)
        fprintf(out, ",w%zu", p);
    fputc('\n', out);
    for (size_t i = 0; i < units->n; i++)
        print_row(out, units, &units->list[i]);
}

static void print_table(const Units *units)
{
    const char *names = units->model->settings.class_names;
    int width = command_class_width(names, units->model->net.architecture.classes);
    width = width < 6 ? 6 : width;
    printf("%6s  %*s  %13s  %9s  %9s  %9s\n", "unit", width, "class", "output weight", "bias",
           "smallest", "largest");
    for (size_t i = 0; i < units->n; i++) {
        const Unit *unit = &units->list[i];
        double smallest = (double)INFINITY, largest = -(double)INFINITY;
        for (size_t p = 0; p < units->n_pixels; p++) {
            double w = weight(units, units->W1, unit->number * units->n_pixels + p);
            smallest = fmin(smallest, w);
            largest = fmax(largest, w);
        }
        printf("%6zu  ", unit->number);
        command_print_class(names, unit->class, width);
        printf("  %13.4f  %9.4f  %9.4f  %9.4f\n", unit->output_weight,
               weight(units, units->b1, unit->number), smallest, largest);
    }
}

// ---------------------------------------------------------------------------------------------
// As pictures

static double unit_value(const void *context, size_t tile, size_t row, size_t col)
{
    const Units *units = context;
    size_t pixel = row * units->cols + col;
    return weight(units, units->W1, units->list[tile].number * units->n_pixels + pixel);
}

static void unit_title(const void *context, size_t tile, char *text, size_t size)
{
    const Units *units = context;
    ClassName name = class_name(units->model->settings.class_names, units->list[tile].class);
    snprintf(text, size, "%zu: %s", units->list[tile].number, name.text);
}

static void draw_units(const Units *units)
{
    Tiles tiles = {.n = units->n,
                   .rows = units->rows,
                   .cols = units->cols,
                   // The largest alone would leave the rest pale.
                   .scale = largest_weight(units->model, units->W1) / 2.0,
                   .context = units,
                   .value = unit_value,
                   .title = unit_title};
    tiles_draw(&tiles);
    printf("Each tile: a hidden unit and the class that it speaks for; its weights, negative blue, "
           "positive red,\nfull colour from %.3g on.\n",
           tiles.scale);
}

static int show_units(Context *c, const Model *model)
{
    const WeightsOptions *o = c->values;
    Units units;
    if (!find_units(&units, model, &c->arena, &c->err))
        return STATUS_FAILED;
    if (o->csv != NULL)
        return command_write_tables(c, &(Table){o->csv, print_csv, &units}, 1);
    tiles_can_draw() ? draw_units(&units) : print_table(&units);
    return STATUS_DONE;
}

// ---------------------------------------------------------------------------------------------
// The filters of a convolution: for each channel of its output one for each of its input

typedef struct Filters {
    const Model *model;
    const Layer *layer;
} Filters;

static size_t filter_inputs(const Filters *f)
{
    return f->layer->in.channels;
}

static double filter_value(const void *context, size_t tile, size_t row, size_t col)
{
    const Filters *f = context;
    size_t side = f->layer->conv.kernel_size;
    const Tensor *W = &f->layer->tensors[0];
    return (double)f->model->params[tensor_index(W, (tile * side + row) * side + col)];
}

static double filter_bias(const Filters *f, size_t channel)
{
    return (double)f->model->params[tensor_index(&f->layer->tensors[1], channel)];
}

static void filter_title(const void *context, size_t tile, char *text, size_t size)
{
    const Filters *f = context;
    if (filter_inputs(f) == 1)
        snprintf(text, size, "%zu", tile);
    else
        snprintf(text, size, "%zu<%zu", tile / filter_inputs(f), tile % filter_inputs(f));
}

static void print_filters_csv(FILE *out, const void *context)
{
    const Filters *f = context;
    size_t side = f->layer->conv.kernel_size, inputs = filter_inputs(f);
    char text[NUMBER_SIZE];
    fputs("channel,input,bias", out);
    for (size_t k = 0; k < side * side; k++)
        fprintf(out, ",w%zu", k);
    fputc('\n', out);
    for (size_t tile = 0; tile < f->layer->out.channels * inputs; tile++) {
        fprintf(out, "%zu,%zu,%s", tile / inputs, tile % inputs,
                format_g9(text, filter_bias(f, tile / inputs)));
        for (size_t k = 0; k < side * side; k++)
            fprintf(out, ",%s", format_g9(text, filter_value(f, tile, k / side, k % side)));
        fputc('\n', out);
    }
}

static void print_filters(const Filters *f)
{
    size_t side = f->layer->conv.kernel_size, inputs = filter_inputs(f);
    printf("%7s  %6s  %9s  %9s  %9s\n", "channel", "input", "bias", "smallest", "largest");
    for (size_t tile = 0; tile < f->layer->out.channels * inputs; tile++) {
        double smallest = (double)INFINITY, largest = -(double)INFINITY;
        for (size_t k = 0; k < side * side; k++) {
            double w = filter_value(f, tile, k / side, k % side);
            smallest = fmin(smallest, w);
            largest = fmax(largest, w);
        }
        printf("%7zu  %6zu  %9.4f  %9.4f  %9.4f\n", tile / inputs, tile % inputs,
               filter_bias(f, tile / inputs), smallest, largest);
    }
}

static void draw_filters(const Filters *f)
{
    Tiles tiles = {.n = f->layer->out.channels * filter_inputs(f),
                   .rows = f->layer->conv.kernel_size,
                   .cols = f->layer->conv.kernel_size,
                   .scale = largest_weight(f->model, &f->layer->tensors[0]) / 2.0,
                   .context = f,
                   .value = filter_value,
                   .title = filter_title};
    tiles_draw(&tiles);
    printf("Each tile: a filter of %s, channel%s; negative blue, positive red, full colour from "
           "%.3g on.\n",
           f->layer->name, filter_inputs(f) == 1 ? "" : "<input", tiles.scale);
}

static int show_filters(Context *c, const Model *model, const Layer *layer)
{
    const WeightsOptions *o = c->values;
    Filters filters = {model, layer};
    if (o->csv != NULL)
        return command_write_tables(c, &(Table){o->csv, print_filters_csv, &filters}, 1);
    tiles_can_draw() ? draw_filters(&filters) : print_filters(&filters);
    return STATUS_DONE;
}

// ---------------------------------------------------------------------------------------------
// The command

// Layer number n, from 1, of those with weights, or NULL.
static const Layer *layer_with_weights(const Network *net, uint64_t n)
{
    for (size_t l = 0; l < net->n_layers; l++)
        if (net->layers[l].n_tensors > 0 && --n == 0)
            return &net->layers[l];
    return NULL;
}

static int weights(Context *c)
{
    const WeightsOptions *o = c->values;
    const char *path = c->words.model;
    Model model;
    if (!model_read(&model, &c->arena, path, &c->err))
        return STATUS_FAILED;
    const Layer *layer = layer_with_weights(&model.net, o->layer);
    if (layer != NULL && layer->kind->has_filters)
        return show_filters(c, &model, layer);
    if (layer != NULL && layer == &model.net.layers[0])
        return show_units(c, &model);
    error_set(&c->err, "--layer %llu: %s has %s", (unsigned long long)o->layer, path,
              layer == NULL ? "fewer layers with weights"
                            : "weights there that do not have the shape of an image");
    return STATUS_FAILED;
}

static int run(Context *c)
{
    const WeightsOptions *o = c->values;
    const OutputFlag table = {"--csv", o->csv, OUTPUT_ANY_FILE, false};
    int status = command_check_outputs(c, &table, 1, c->words.model, NULL, false);
    return status == STATUS_DONE ? weights(c) : status;
}

const Command command_weights = {
    .name = "weights",
    .arguments = "MODEL",
    .summary = "show what each hidden unit or filter looks for",
    .about =
        "Shows the hidden units of a model, ordered by the class that each speaks for: that of "
        "the largest weight from the unit to an output; or the filters of a convolution. On a "
        "terminal the weights are drawn as pictures, otherwise a table is printed; --csv writes "
        "all of them.",
    .examples = {"mlp weights model.bin", "mlp weights model.bin --csv weights.csv"},
    .values_size = sizeof(WeightsOptions),
    .options = weights_options,
    .run = run,
};
