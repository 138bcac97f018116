// Layers in a row, and the passes over them; see network.h.
#include "network.h"

#include "kernels.h"
#include "random.h"

#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Architectures: tables of layers

enum { HIDDEN = 1 << 30, CLASSES }; // units that the architecture says

typedef struct LayerSpec {
    const LayerKind *kind;
    size_t units;               // or channels; 0: as many as there are inputs
    double gain, input_mean;    // of the initial weights, see Layer
    const char *name;           // in the model file
    const char *symbol;         // of the output
    size_t kernel_size, stride; // of a convolution or pooling
} LayerSpec;

typedef struct ArchitectureSpec {
    const char *name;
    ArchitectureDefaults defaults;
    LayerSpec layers[NETWORK_MAX_LAYERS + 1]; // ends at the first without a kind
} ArchitectureSpec;

#define SQRT2 1.4142135623730951 // keeps the variance through ReLU (He et al. 2015)

// Pooling comes before ReLU, which gives the same (both keep the order) and leaves a quarter to do.
static const ArchitectureSpec architectures[] = {
    {.name = "mlp",
     .defaults = {.hidden = 64, .epochs = 100, .batch_size = 64, .learning_rate = 1e-3},
     .layers = {{&layer_dense_bytes, HIDDEN, 0.3, 0.0, "fc1", "a1", 0, 0},
                {&layer_sigmoid, 0, 0.0, 0.0, NULL, "f1", 0, 0},
                {&layer_dense, CLASSES, 5.0, 0.5, "fc2", "a2", 0, 0}}},
    {.name = "cnn",
     .defaults =
         {.hidden = 128, .epochs = 20, .batch_size = 64, .learning_rate = 2e-3, .checked_side = 16},
     .layers = {{&layer_pixels, 0, 0.0, 0.0, NULL, "x", 0, 0},
                {&layer_convolution, 16, SQRT2, 0.0, "conv1", "a1", 5, 1},
                {&layer_max_pool, 0, 0.0, 0.0, NULL, "p1", 2, 2},
                {&layer_relu, 0, 0.0, 0.0, NULL, "f1", 0, 0},
                {&layer_convolution, 32, SQRT2, 0.0, "conv2", "a2", 5, 1},
                {&layer_max_pool, 0, 0.0, 0.0, NULL, "p2", 2, 2},
                {&layer_relu, 0, 0.0, 0.0, NULL, "f2", 0, 0},
                {&layer_dense, HIDDEN, SQRT2, 0.0, "fc1", "a3", 0, 0},
                {&layer_relu, 0, 0.0, 0.0, NULL, "f3", 0, 0},
                {&layer_dense, CLASSES, 0.5, 0.0, "fc2", "a4", 0, 0}}},
};
enum { N_ARCHITECTURES = sizeof architectures / sizeof architectures[0] };

const char *const architecture_names[N_ARCHITECTURES + 1] = {"mlp", "cnn", NULL};

static const ArchitectureSpec *architecture_find(const char *name)
{
    for (size_t i = 0; i < N_ARCHITECTURES; i++)
        if (strcmp(architectures[i].name, name) == 0)
            return &architectures[i];
    return NULL;
}

const ArchitectureDefaults *architecture_defaults(const char *name)
{
    const ArchitectureSpec *found = architecture_find(name);
    return found == NULL ? NULL : &found->defaults;
}

static bool architecture_check(const Architecture *a, Error *err)
{
    const size_t max_side = 4096, max_hidden = 65536;
    if (a->rows < 1 || a->rows > max_side || a->cols < 1 || a->cols > max_side)
        return error_set(err, "images of %zu x %zu pixels: each side must be 1 to %zu", a->rows,
                         a->cols, max_side);
    if (a->hidden < 1 || a->hidden > max_hidden)
        return error_set(err, "%zu hidden units: must be 1 to %zu", a->hidden, max_hidden);
    if (a->classes < 2 || a->classes > 256)
        return error_set(err, "%zu classes: must be 2 to 256", a->classes);
    return true;
}

// Checks what a layer is asked to become before it is described.
static bool layer_check(const Layer *layer, size_t units, const Architecture *a, Error *err)
{
    const uint64_t max_weights = UINT64_C(1) << 28; // a gigabyte of them
    bool is_dense = layer->name != NULL && layer->conv.kernel_size == 0;
    if (is_dense && (uint64_t)shape_size(layer->in) * (units + KERNEL_PAD) > max_weights)
        return error_set(err,
                         "%zu hidden units for images of %zu x %zu pixels: more than a "
                         "gigabyte of weights",
                         a->hidden, a->rows, a->cols);
    return true;
}

// Images take much memory. A few examples at a time pass through all the layers that make images,
// and what nobody needs again leaves its place to the next few: it is still in the caches when it
// is read.
static size_t image_layers(const Network *net)
{
    size_t n = 0;
    while (net->layers[n].out.height * net->layers[n].out.width > 1)
        n++;
    return n;
}

// Of the images that all windows find room in, from the last one, which needs its own size, back.
static size_t least_side(const ArchitectureSpec *spec)
{
    size_t n = 0, side = 1;
    while (spec->layers[n].kind != NULL)
        n++;
    while (n-- > 0)
        if (spec->layers[n].kernel_size > 0)
            side = (side - 1) * spec->layers[n].stride + spec->layers[n].kernel_size;
    return side;
}

bool network_build(Network *net, const Architecture *architecture, Error *err)
{
    const ArchitectureSpec *found = architecture_find(architecture->name);
    if (found == NULL)
        return error_set(err, "unknown architecture '%.40s'", architecture->name);
    size_t least = least_side(found);
    if (!architecture_check(architecture, err))
        return false;
    if (architecture->rows < least || architecture->cols < least)
        return error_set(err,
                         "images of %zu x %zu pixels are too small for the network '%s': its "
                         "windows need %zu x %zu",
                         architecture->rows, architecture->cols, found->name, least, least);

    *net = (Network){.architecture = *architecture};
    net->architecture.name = found->name;
    Shape shape = {architecture->rows, architecture->cols, 1};
    size_t pitch = 1, stride = 0;
    net->first_trained = NETWORK_MAX_LAYERS;
    for (const LayerSpec *spec = found->layers; spec->kind != NULL; spec++) {
        Layer *layer = &net->layers[net->n_layers++];
        *layer = (Layer){.kind = spec->kind,
                         .name = spec->name,
                         .symbol = spec->symbol,
                         .gain = spec->gain,
                         .input_mean = spec->input_mean,
                         .conv = {.kernel_size = spec->kernel_size, .stride = spec->stride},
                         .in = shape,
                         .in_pitch = pitch,
                         .in_stride = stride};
        size_t units = spec->units == HIDDEN    ? architecture->hidden
                       : spec->units == CLASSES ? architecture->classes
                                                : spec->units;
        if (!layer_check(layer, units, &net->architecture, err))
            return false;
        net->n_parameters += spec->kind->describe(layer, units, net->n_parameters);
        if (layer->n_tensors > 0 && net->first_trained > net->n_layers)
            net->first_trained = net->n_layers - 1;
        for (size_t t = 0; t < layer->n_tensors; t++)
            net->tensors[net->n_tensors++] = &layer->tensors[t];
        shape = layer->out;
        pitch = layer->out_pitch;
        stride = layer->out_stride;
    }
    const uint64_t max_floats = UINT64_C(1) << 24; // 64 MB
    uint64_t floats = 0;
    for (size_t l = 0; l < image_layers(net); l++)
        floats += net->layers[l].out_stride + net->layers[l].saved_stride;
    return floats <= max_floats ||
           error_set(err,
                     "images of %zu x %zu pixels: what the network '%s' makes of one takes more "
                     "than 64 MB",
                     architecture->rows, architecture->cols, net->architecture.name);
}

size_t network_count_weights(const Network *net)
{
    size_t count = 0;
    for (size_t t = 0; t < net->n_tensors; t++)
        count += tensor_size(net->tensors[t]);
    return count;
}

bool network_has_kinks(const Network *net)
{
    for (size_t l = 0; l < net->n_layers; l++)
        if (net->layers[l].kind->reference_region != NULL)
            return true;
    return false;
}

size_t network_count_products(const Network *net)
{
    size_t count = 0;
    for (size_t l = net->first_trained; l < net->n_layers; l++)
        count += net->layers[l].n_products * (l > net->first_trained ? 3 : 2);
    return count;
}

void network_sizes(const Network *net, char *text, size_t size)
{
    int length = 0;
    for (size_t l = 0; l <= net->n_layers && length >= 0 && (size_t)length < size; l++) {
        const Layer *layer = &net->layers[l > 0 ? l - 1 : 0];
        Shape shape = l > 0 ? layer->out : layer->in;
        char *to = text + length;
        size_t room = size - (size_t)length;
        if (l > 0 && layer->n_tensors == 0)
            continue;
        // The one dense layer that is first sees no image, but a vector.
        if (shape.height * shape.width == 1 || (l == 0 && net->first_trained == 0))
            length += snprintf(to, room, "%s%zu", l > 0 ? "-" : "", shape_size(shape));
        else if (shape.channels == 1)
            length += snprintf(to, room, "%s%zux%zu", l > 0 ? "-" : "", shape.height, shape.width);
        else
            length += snprintf(to, room, "-%zux%zux%zu", shape.height, shape.width, shape.channels);
    }
}

// ---------------------------------------------------------------------------------------------
// Parameters

float *network_alloc(const Network *net, Arena *arena, Error *err)
{
    return arena_alloc(arena, net->n_parameters, sizeof(float), "the network's parameters", err);
}

void network_init(const Network *net, float *params, uint64_t seed)
{
    memset(params, 0, net->n_parameters * sizeof *params);
    uint64_t stream = RANDOM_WEIGHTS;
    for (size_t l = 0; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        if (layer->kind->init != NULL)
            layer->kind->init(layer, params, seed, stream);
        stream += layer->n_tensors;
    }
}

bool network_list_lit(const Network *net, LitPixels *lit, const Dataset *data,
                      const Range images[2], Arena *arena, Error *err)
{
    const Layer *first = &net->layers[0];
    *lit = (LitPixels){NULL, NULL, 0};
    return first->kind->list_lit == NULL ||
           first->kind->list_lit(first, lit, data, images, arena, err);
}

// ---------------------------------------------------------------------------------------------
// Working memory

enum { GROUP = 8 };

static Range next_group(size_t first, Range examples)
{
    return (Range){first, examples.end - first < GROUP ? examples.end : first + GROUP};
}

static bool work_alloc_rows(Work *work, const Network *net, size_t capacity, bool forward_only,
                            Arena *arena, Error *err)
{
    static const char what[] = "the activations of a batch";
    *work = (Work){.capacity = capacity, .forward_only = forward_only};
    size_t n_image = image_layers(net), few = capacity < GROUP ? capacity : GROUP;
    for (size_t l = 0; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        size_t size = layer->out_stride * sizeof(float),
               notes = layer->saved_stride * sizeof(float);
        size_t rows = forward_only && l + 1 < n_image ? few : capacity;
        size_t saved_rows = forward_only && l < n_image ? few : capacity;
        if (forward_only && layer->kind->saved_for_backward)
            saved_rows = 0;
        size_t dx_rows = forward_only && l + 1 < net->n_layers ? 0 : capacity;
        work->x[l + 1] = arena_alloc(arena, rows, size, what, err);
        work->dx[l + 1] = arena_alloc(arena, dx_rows, size, what, err);
        work->saved[l] = arena_alloc(arena, saved_rows, notes, what, err);
        if (work->x[l + 1] == NULL || work->dx[l + 1] == NULL || work->saved[l] == NULL)
            return false;
    }
    size_t column_rows = forward_only ? 0 : round_up(capacity, TILE_EXAMPLES);
    work->columns = arena_alloc(arena, column_rows, net->layers[0].n_columns, what, err);
    work->loss = arena_alloc(arena, capacity, sizeof(float), what, err);
    work->label = arena_alloc(arena, capacity, 1, what, err);
    work->predicted = arena_alloc(arena, capacity, 1, what, err);
    return work->columns != NULL && work->loss != NULL && work->label != NULL &&
           work->predicted != NULL;
}

bool work_alloc(Work *work, const Network *net, size_t capacity, Arena *arena, Error *err)
{
    return work_alloc_rows(work, net, capacity, false, arena, err);
}

bool work_alloc_forward(Work *work, const Network *net, size_t capacity, Arena *arena, Error *err)
{
    return work_alloc_rows(work, net, capacity, true, arena, err);
}

// Layer l's view of a group of the examples. What is needed again lies where its examples have
// their place in the batch. What only the neighbouring layer reads lies at the place of the range's
// first examples, whichever group it is of; ranges, which may be in work at the same time, do not
// meet.
static LayerView work_view(const Network *net, const Work *work, const Batch *batch, size_t l,
                           Range examples, Range group)
{
    const Layer *layer = &net->layers[l];
    size_t n_image = image_layers(net), place[2], delta_place[2]; // of x and y
    for (size_t i = 0; i < 2; i++) {
        bool is_inside = l + i > 0 && l + i < n_image;
        bool is_needed_again =
            is_inside && !work->forward_only &&
            (net->layers[l + i - 1].kind->needs_y || net->layers[l + i].kind->needs_x);
        bool is_needed = !is_inside || is_needed_again;
        place[i] = is_needed ? group.first : examples.first;
        delta_place[i] = is_inside ? examples.first : group.first;
    }
    size_t saved_place = work->forward_only && l < n_image ? examples.first : group.first;
    LayerView view = {.batch = *batch,
                      .y = work->x[l + 1] + place[1] * layer->out_stride,
                      .saved = work->saved[l] + saved_place * layer->saved_stride};
    view.batch.index += group.first;
    view.batch.size = range_length(group);
    if (l > 0)
        view.x = work->x[l] + place[0] * layer->in_stride;
    if (l == 0 && !work->forward_only)
        view.columns = work->columns;
    if (!work->forward_only)
        view.dy = work->dx[l + 1] + delta_place[1] * layer->out_stride;
    if (!work->forward_only && l > net->first_trained)
        view.dx = work->dx[l] + delta_place[0] * layer->in_stride;
    return view;
}

// ---------------------------------------------------------------------------------------------
// The passes

void network_partial_sums(const Network *net, const float *params, const Work *work,
                          const Batch *batch, Part part)
{
    if (net->layers[0].kind->partial_sums == NULL)
        return;
    Range all = {0, batch->size};
    LayerView view = work_view(net, work, batch, 0, all, all);
    net->layers[0].kind->partial_sums(&net->layers[0], params, &view, part);
}

void network_forward(const Network *net, const float *params, const Work *work, const Batch *batch,
                     Range examples, size_t n_parts)
{
    size_t n_image = image_layers(net);
    for (Range group = next_group(examples.first, examples); group.first < group.end;
         group = next_group(group.end, examples))
        for (size_t l = 0; l < n_image; l++) {
            LayerView view = work_view(net, work, batch, l, examples, group);
            view.n_parts = n_parts;
            net->layers[l].kind->forward(&net->layers[l], params, &view);
        }
    for (size_t l = n_image; l < net->n_layers; l++) {
        LayerView view = work_view(net, work, batch, l, examples, examples);
        view.n_parts = n_parts;
        net->layers[l].kind->forward(&net->layers[l], params, &view);
    }
}

// Softmax with cross-entropy:  yhat = softmax(a)   L = -sum_k y_k log yhat_k   dL/da = yhat - y
void network_loss(const Network *net, const Work *work, const Batch *batch, Range examples)
{
    size_t S = net->layers[net->n_layers - 1].out_stride, at = examples.first * S;
    for (size_t b = examples.first; b < examples.end; b++)
        work->label[b] = (unsigned char)batch_label(batch, b);
    kernels->softmax_cross_entropy(work->dx[net->n_layers] + at, work->loss + examples.first,
                                   work->predicted + examples.first, work->x[net->n_layers] + at, S,
                                   work->label + examples.first, range_length(examples),
                                   net->architecture.classes);
}

void network_predict(const Network *net, const float *params, const Work *work, const Batch *batch)
{
    Range examples = {0, batch->size};
    network_partial_sums(net, params, work, batch, (Part){0, 1});
    network_forward(net, params, work, batch, examples, 1);
    network_loss(net, work, batch, examples);
}

static void backward_layer(const Network *net, const float *params, const Work *work,
                           const Batch *batch, size_t l, Range examples, Range group)
{
    LayerView view = work_view(net, work, batch, l, examples, group);
    if (net->layers[l].kind->backward != NULL)
        net->layers[l].kind->backward(&net->layers[l], params, &view);
}

void network_backward(const Network *net, const float *params, const Work *work, const Batch *batch,
                      Range examples)
{
    const Layer *last = &net->layers[net->n_layers - 1];
    for (size_t b = examples.first; b < examples.end; b++)
        work->dx[net->n_layers][b * last->out_stride + work->label[b]] -= 1.0f;
    size_t n_image = image_layers(net), first = net->first_trained;
    for (size_t l = net->n_layers; l-- > (first > n_image ? first : n_image);)
        backward_layer(net, params, work, batch, l, examples, examples);
    for (Range group = next_group(examples.first, examples);
         first < n_image && group.first < group.end; group = next_group(group.end, examples))
        for (size_t l = n_image; l-- > first;)
            backward_layer(net, params, work, batch, l, examples, group);
}

void network_weight_gradient(const Network *net, const Work *work, const Batch *batch, float scale,
                             float *into, Part part)
{
    Range all = {0, batch->size};
    for (size_t l = 0; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        if (layer->kind->weight_gradient == NULL)
            continue;
        LayerView view = work_view(net, work, batch, l, all, all);
        layer->kind->weight_gradient(layer, &view, part, scale, into);
    }
}
