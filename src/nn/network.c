// Architectures as tables of layers, the description of a network, its workspace, and the passes
// over its layers. Read network.h first; what a layer does is in layers.c.
#include "network.h"

#include "random.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static_assert((int)NETWORK_MAX_CLASSES <= (int)KERNEL_MAX_CLASSES,
              "the kernels have room for fewer");

// ---------------------------------------------------------------------------------------------
// Architectures: tables of layers

// Where the number of outputs or channels of a layer comes from.
typedef enum Units { LIKE_INPUT, HIDDEN, CLASSES, CHANNELS } Units;

typedef struct LayerSpec {
    const LayerKind *kind;
    const char *symbol; // of the output
    const char *name;   // in the model file, NULL without parameters
    Units units;
    double gain, input_mean; // of the initial weights, see Layer
    size_t channels, kernel_size, stride;
} LayerSpec;

typedef struct ArchitectureSpec {
    const char *name;
    const LayerSpec *layers; // ends at the first without a kind
    size_t checked_side;
} ArchitectureSpec;

#define SQRT2 1.4142135623730951 // keeps the variance through ReLU (He et al. 2015)

static const LayerSpec layers_of_mlp[] = {
    {&layer_sparse_dense, "a1", "fc1", HIDDEN, .gain = 0.3},
    {&layer_sigmoid, .symbol = "f1"},
    {&layer_dense, "a2", "fc2", CLASSES, .gain = 5.0, .input_mean = 0.5},
    {.kind = NULL},
};

// Pooling comes before ReLU, which gives the same (both keep the order) and leaves a quarter to do.
static const LayerSpec layers_of_cnn[] = {
    {&layer_pixels, .symbol = "x"},
    {&layer_convolution, "a1", "conv1", CHANNELS, SQRT2, .channels = 16, .kernel_size = 5,
     .stride = 1},
    {&layer_max_pool, "p1", .kernel_size = 2, .stride = 2},
    {&layer_relu, .symbol = "f1"},
    {&layer_convolution, "a2", "conv2", CHANNELS, SQRT2, .channels = 32, .kernel_size = 5,
     .stride = 1},
    {&layer_max_pool, "p2", .kernel_size = 2, .stride = 2},
    {&layer_relu, .symbol = "f2"},
    {&layer_dense, "a3", "fc1", HIDDEN, .gain = SQRT2},
    {&layer_relu, .symbol = "f3"},
    {&layer_dense, "a4", "fc2", CLASSES, .gain = 0.5},
    {.kind = NULL},
};

// The table: a name, and its checked side. The defaults of settings are in settings.c.
#define ARCHITECTURES(ROW) ROW(mlp, 0) ROW(cnn, 16)
#define SPEC(name, side)   {#name, layers_of_##name, side},
#define NAME(name, side)   #name,
static const ArchitectureSpec architectures[] = {ARCHITECTURES(SPEC)};
const char *const architecture_names[] = {ARCHITECTURES(NAME) NULL};
static_assert(sizeof architectures / sizeof architectures[0] == N_ARCHITECTURES, "in network.h");

static const ArchitectureSpec *architecture_find(const char *name)
{
    for (size_t i = 0; architecture_names[i] != NULL; i++)
        if (strcmp(architecture_names[i], name) == 0)
            return &architectures[i];
    return NULL;
}

size_t architecture_checked_side(const char *name)
{
    const ArchitectureSpec *spec = architecture_find(name);
    return spec == NULL ? 0 : spec->checked_side;
}

// The smallest side of an image that all kernels fit in, from the last one, which needs its own
// size, back.
static size_t smallest_side(const ArchitectureSpec *spec)
{
    size_t n = 0, side = 1;
    while (spec->layers[n].kind != NULL)
        n++;
    while (n-- > 0)
        if (spec->layers[n].kernel_size > 0)
            side = (side - 1) * spec->layers[n].stride + spec->layers[n].kernel_size;
    return side;
}

static bool architecture_check(const ArchitectureSpec *spec, const Architecture *a, Error *err)
{
    size_t smallest = smallest_side(spec);
    if (a->rows < 1 || a->rows > NETWORK_MAX_SIDE || a->cols < 1 || a->cols > NETWORK_MAX_SIDE)
        return error_set(err, "images of %zu x %zu pixels: each side must be 1 to %d", a->rows,
                         a->cols, NETWORK_MAX_SIDE);
    if (a->hidden < 1 || a->hidden > NETWORK_MAX_HIDDEN)
        return error_set(err, "%zu hidden units: must be 1 to %d", a->hidden, NETWORK_MAX_HIDDEN);
    if (a->classes < 2 || a->classes > NETWORK_MAX_CLASSES)
        return error_set(err, "%zu classes: must be 2 to %d", a->classes, NETWORK_MAX_CLASSES);
    if (a->rows < smallest || a->cols < smallest)
        return error_set(err,
                         "images of %zu x %zu pixels are too small for the network '%s': its "
                         "kernels need %zu x %zu",
                         a->rows, a->cols, spec->name, smallest, smallest);
    return true;
}

// ---------------------------------------------------------------------------------------------
// The description

static size_t spec_units(const LayerSpec *spec, const Architecture *a)
{
    switch (spec->units) {
    case HIDDEN: return a->hidden;
    case CLASSES: return a->classes;
    default: return spec->channels;
    }
}

// Before a dense layer is described: its sizes must be a gigabyte of weights at most.
static bool check_weights(const Layer *layer, size_t units, const Architecture *a, Error *err)
{
    const uint64_t max_weights = UINT64_C(1) << 28;
    return layer->name == NULL || layer->kind->has_filters ||
           (uint64_t)shape_size(layer->in) * (units + KERNEL_PAD) <= max_weights ||
           error_set(err,
                     "%zu hidden units for images of %zu x %zu pixels: more than a gigabyte of "
                     "weights",
                     a->hidden, a->rows, a->cols);
}

// Describes the next layer, whose input is the output of `before`, and adds it to the network.
static bool network_add(Network *net, const LayerSpec *spec, const Layer *before, Error *err)
{
    assert(net->n_layers < NETWORK_MAX_LAYERS);
    Layer *layer = &net->layers[net->n_layers++];
    *layer = (Layer){.kind = spec->kind,
                     .name = spec->name,
                     .symbol = spec->symbol,
                     .in_symbol = before->symbol,
                     .number = before->number + (spec->name != NULL),
                     .gain = spec->gain,
                     .input_mean = spec->input_mean,
                     .conv = {.kernel_size = spec->kernel_size, .stride = spec->stride},
                     .in = before->out,
                     .in_pitch = before->out_pitch,
                     .in_stride = before->out_stride};
    size_t units = spec_units(spec, &net->architecture);
    if (!check_weights(layer, units, &net->architecture, err))
        return false;
    net->n_parameters += spec->kind->describe(layer, units, net->n_parameters);
    assert(net->n_tensors + layer->n_tensors <= NETWORK_MAX_TENSORS);
    for (size_t t = 0; t < layer->n_tensors; t++)
        net->tensors[net->n_tensors++] = &layer->tensors[t];
    return true;
}

// After all layers: what the passes ask for. The last layer is dense, so that both searches end.
static void network_find_stages(Network *net)
{
    const Layer *last = &net->layers[net->n_layers - 1];
    assert(net->n_layers > 1 && last->n_tensors > 0 && last->out.height * last->out.width == 1);
    while (net->layers[net->n_image_layers].out.height *
               net->layers[net->n_image_layers].out.width >
           1)
        net->n_image_layers++;
    while (net->layers[net->first_trained].n_tensors == 0)
        net->first_trained++;
    net->load_waits = net->layers[1].kind->needs_x;
}

static bool check_image_memory(const Network *net, Error *err)
{
    const uint64_t max_bytes = UINT64_C(1) << 26; // 64 MB
    uint64_t bytes = 0;
    for (size_t l = 0; l < net->n_image_layers; l++)
        bytes += net->layers[l].out_stride * sizeof(float) + net->layers[l].saved_bytes;
    return bytes <= max_bytes ||
           error_set(err,
                     "images of %zu x %zu pixels: what the network '%s' makes of one takes more "
                     "than 64 MB",
                     net->architecture.rows, net->architecture.cols, net->architecture.name);
}

bool network_build(Network *net, const Architecture *architecture, Error *err)
{
    const ArchitectureSpec *spec = architecture_find(architecture->name);
    if (spec == NULL)
        return error_set(err, "unknown architecture '%.40s'", architecture->name);
    if (!architecture_check(spec, architecture, err))
        return false;
    *net = (Network){.architecture = *architecture};
    net->architecture.name = spec->name;
    const Layer image = {
        .symbol = "x", .out = {architecture->rows, architecture->cols, 1}, .out_pitch = 1};
    const Layer *before = &image;
    for (const LayerSpec *row = spec->layers; row->kind != NULL; row++) {
        if (!network_add(net, row, before, err))
            return false;
        before = &net->layers[net->n_layers - 1];
    }
    network_find_stages(net);
    return check_image_memory(net, err);
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

bool network_prepare(const Network *net, const PreparedImages **images, const Dataset *data,
                     Arena *arena, Error *err)
{
    const Layer *first = &net->layers[0];
    *images = NULL;
    return first->kind->prepare == NULL || first->kind->prepare(first, images, data, arena, err);
}

// ---------------------------------------------------------------------------------------------
// The workspace

enum { GROUP = 8 };

static Range next_group(size_t first, Range examples)
{
    return (Range){first, examples.end - first < GROUP ? examples.end : first + GROUP};
}

// A shared buffer needs all rows where ranges may begin anywhere: each uses the rows of its first
// examples, so that ranges that are in work at the same time do not meet.
static bool buffer_alloc(Buffer *buffer, size_t stride, bool is_shared, const WorkNeeds *needs,
                         Arena *arena, Error *err)
{
    bool is_small = is_shared && needs->forward_only && needs->capacity > GROUP;
    *buffer = (Buffer){.stride = stride, .is_shared = is_shared};
    buffer->data = arena_alloc(arena, is_small ? GROUP : needs->capacity, stride,
                               "the activations of a batch", err);
    return buffer->data != NULL;
}

// The plan: which buffers of layer l there are, and which are shared.
static bool work_alloc_layer(Work *work, const Network *net, size_t l, const WorkNeeds *needs,
                             Arena *arena, Error *err)
{
    const Layer *layer = &net->layers[l];
    const LayerKind *kind = layer->kind;
    size_t stride = layer->out_stride * sizeof(float);
    bool makes_image = l < net->n_image_layers, is_inside = l + 1 < net->n_image_layers;
    bool is_needed_again =
        kind->load != NULL || (!needs->forward_only &&
                               (kind->needs_y || (is_inside && net->layers[l + 1].kind->needs_x)));
    bool has_dx = !needs->forward_only && l >= net->first_trained;
    bool has_saved = !needs->forward_only || !kind->saved_for_backward;
    return buffer_alloc(&work->x[l + 1], stride, is_inside && !is_needed_again, needs, arena,
                        err) &&
           buffer_alloc(&work->dx[l + 1], has_dx ? stride : 0, is_inside, needs, arena, err) &&
           buffer_alloc(&work->saved[l], has_saved ? layer->saved_bytes : 0,
                        makes_image && needs->forward_only, needs, arena, err) &&
           (kind->open == NULL || kind->open(layer, &work->state[l], needs, arena, err));
}

bool work_alloc(Work *work, const Network *net, WorkNeeds needs, Arena *arena, Error *err)
{
    static const char what[] = "the predictions of a batch";
    size_t n = needs.capacity, S = net->layers[net->n_layers - 1].out_stride;
    *work = (Work){.forward_only = needs.forward_only,
                   .probability = arena_alloc(arena, n, S * sizeof(float), what, err),
                   .loss = arena_alloc(arena, n, sizeof(float), what, err),
                   .label = arena_alloc(arena, n, 1, what, err),
                   .predicted = arena_alloc(arena, n, 1, what, err)};
    if (work->probability == NULL || work->loss == NULL || work->label == NULL ||
        work->predicted == NULL)
        return false;
    for (size_t l = 0; l < net->n_layers; l++)
        if (!work_alloc_layer(work, net, l, &needs, arena, err))
            return false;
    return true;
}

// The rows of a group of the examples of a range.
static void *buffer_rows(const Buffer *buffer, Range examples, Range group)
{
    return buffer->data + (buffer->is_shared ? examples.first : group.first) * buffer->stride;
}

// Layer l's view of a group of the examples.
static LayerView work_view(const Network *net, const Work *work, const Batch *batch, size_t l,
                           Range examples, Range group)
{
    LayerView view = {.batch = *batch,
                      .y = buffer_rows(&work->x[l + 1], examples, group),
                      .saved = buffer_rows(&work->saved[l], examples, group),
                      .state = work->state[l]};
    view.batch.first += group.first;
    view.batch.size = range_length(group);
    if (l > 0)
        view.x = buffer_rows(&work->x[l], examples, group);
    if (!work->forward_only)
        view.dy = buffer_rows(&work->dx[l + 1], examples, group);
    if (!work->forward_only && l > net->first_trained)
        view.dx = buffer_rows(&work->dx[l], examples, group);
    return view;
}

const float *network_activation(const Network *net, const Work *work, size_t l, size_t example)
{
    (void)net;
    Range examples = {0, example + 1}, group = {example, example + 1};
    return buffer_rows(&work->x[l + 1], examples, group);
}

const float *network_logits(const Network *net, const Work *work, size_t example)
{
    return network_activation(net, work, net->n_layers - 1, example);
}

const float *network_probabilities(const Network *net, const Work *work, size_t example)
{
    return work->probability + example * net->layers[net->n_layers - 1].out_stride;
}

// ---------------------------------------------------------------------------------------------
// The passes

void network_load(const Network *net, const float *params, const Work *work, const Batch *batch,
                  Part part)
{
    Range all = {0, batch->size};
    LayerView view = work_view(net, work, batch, 0, all, all);
    net->layers[0].kind->load(&net->layers[0], params, &view, part);
}

static void forward_layer(const Network *net, const float *params, const Work *work,
                          const Batch *batch, size_t l, Range examples, Range group)
{
    LayerView view = work_view(net, work, batch, l, examples, group);
    if (net->layers[l].kind->forward != NULL)
        net->layers[l].kind->forward(&net->layers[l], params, &view);
}

void network_forward(const Network *net, const float *params, const Work *work, const Batch *batch,
                     Range examples)
{
    for (Range group = next_group(examples.first, examples); group.first < group.end;
         group = next_group(group.end, examples))
        for (size_t l = 0; l < net->n_image_layers; l++)
            forward_layer(net, params, work, batch, l, examples, group);
    for (size_t l = net->n_image_layers; l < net->n_layers; l++)
        forward_layer(net, params, work, batch, l, examples, examples);
}

// Softmax with cross-entropy:  yhat = softmax(a)   L = -sum_k y_k log yhat_k   dL/da = yhat - y
void network_loss(const Network *net, const Work *work, const Batch *batch, Range examples)
{
    size_t S = net->layers[net->n_layers - 1].out_stride, first = examples.first;
    for (size_t b = first; b < examples.end; b++)
        work->label[b] = (unsigned char)batch_label(batch, b);
    kernels->softmax_cross_entropy(work->probability + first * S, work->loss + first,
                                   work->predicted + first, network_logits(net, work, first), S,
                                   work->label + first, range_length(examples),
                                   net->architecture.classes);
}

void network_predict(const Network *net, const float *params, const Work *work, const Batch *batch)
{
    Range examples = {0, batch->size};
    network_load(net, params, work, batch, (Part){0, 1});
    network_forward(net, params, work, batch, examples);
    network_loss(net, work, batch, examples);
}

static void loss_backward(const Network *net, const Work *work, Range examples)
{
    size_t S = net->layers[net->n_layers - 1].out_stride;
    float *da = buffer_rows(&work->dx[net->n_layers], examples, examples);
    memcpy(da, work->probability + examples.first * S, range_length(examples) * S * sizeof *da);
    for (size_t b = examples.first; b < examples.end; b++, da += S)
        da[work->label[b]] -= 1.0f;
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
    size_t n_image = net->n_image_layers, first = net->first_trained;
    loss_backward(net, work, examples);
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
    for (size_t l = net->first_trained; l < net->n_layers; l++) {
        LayerView view = work_view(net, work, batch, l, all, all);
        if (net->layers[l].kind->weight_gradient != NULL)
            net->layers[l].kind->weight_gradient(&net->layers[l], &view, part, scale, into);
    }
}

size_t network_part_ranges(const Network *net, Part part, PartRange ranges[NETWORK_MAX_RANGES])
{
    size_t n = 0;
    for (size_t l = net->first_trained; l < net->n_layers; l++)
        if (net->layers[l].kind->part_ranges != NULL)
            n += net->layers[l].kind->part_ranges(&net->layers[l], part, ranges + n);
    return n;
}
