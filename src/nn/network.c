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
// Architectures: the layers before the dense ones, which all end in the same way

// A layer that makes an image. The activation and the number of channels come from the settings.
typedef struct LayerSpec {
    const LayerKind *kind; // NULL: the activation
    size_t kernel_size, stride;
} LayerSpec;

typedef struct ArchitectureSpec {
    const char *name;
    size_t n_image_layers; // 0: the dense layers see the pixels
    size_t n_convolutions;
    size_t checked_side;
    const LayerSpec *image_layers;
} ArchitectureSpec;

// Pooling comes before the activation, which gives the same (both keep the order) and leaves a
// quarter to do.
static const LayerSpec convolutions[] = {
    {&layer_pixels, 0, 0}, {&layer_convolution, 5, 1}, {&layer_max_pool, 2, 2},
    {NULL, 0, 0},          {&layer_convolution, 5, 1}, {&layer_max_pool, 2, 2},
    {NULL, 0, 0},
};
enum { N_IMAGE_LAYERS = sizeof convolutions / sizeof convolutions[0] };

// The table: a name, the layers that make images, their number and that of the convolutions among
// them, the checked side. The defaults of settings are in settings.c.
#define ARCHITECTURES(ROW)                                                                         \
    ROW(mlp, NULL, 0, 0, 0)                                                                        \
    ROW(cnn, convolutions, N_IMAGE_LAYERS, 2, 16)                                                  \
    ROW(lenet5, convolutions, N_IMAGE_LAYERS, 2, 16)
#define SPEC(name, layers, n_layers, n, side) {#name, n_layers, n, side, layers},
#define NAME(name, layers, n_layers, n, side) #name,
static const ArchitectureSpec architectures[] = {ARCHITECTURES(SPEC)};
const char *const architecture_names[] = {ARCHITECTURES(NAME) NULL};
static_assert(sizeof architectures / sizeof architectures[0] == N_ARCHITECTURES, "in network.h");

// The activations, and the initial weights that suit each: gain of the layer that sees the pixels,
// of the others, and of the output; mean of an activation, see Layer. Those of ReLU keep the
// variance (He et al. 2015), but for the output, whose first logits are to be near 0.
typedef struct ActivationSpec {
    const LayerKind *kind;
    double pixel_gain, gain, output_gain, mean;
} ActivationSpec;

#define SQRT2 1.4142135623730951
static const ActivationSpec activations[] = {
    {&layer_sigmoid, 0.3, 5.0, 5.0, 0.5},
    {&layer_tanh, 1.0, 1.0, 0.5, 0.0},
    {&layer_relu, SQRT2, SQRT2, 0.5, 0.0},
};
const char *const activation_names[] = {"sigmoid", "tanh", "relu", NULL};

// The number of a name in such a list, or that of its NULL.
static size_t name_find(const char *const *names, const char *name)
{
    size_t i = 0;
    while (names[i] != NULL && strcmp(names[i], name) != 0)
        i++;
    return i;
}

static const ArchitectureSpec *architecture_find(const char *name)
{
    size_t i = name_find(architecture_names, name);
    return architecture_names[i] == NULL ? NULL : &architectures[i];
}

size_t architecture_checked_side(const char *name)
{
    const ArchitectureSpec *spec = architecture_find(name);
    return spec == NULL ? 0 : spec->checked_side;
}

Architecture architecture_of(const mlp_settings *settings, size_t rows, size_t cols, size_t classes)
{
    Architecture a = {.name = settings->architecture,
                      .rows = rows,
                      .cols = cols,
                      .classes = classes,
                      .activation = settings->activation};
    memcpy(a.hidden, settings->hidden, sizeof a.hidden);
    memcpy(a.channels, settings->channels, sizeof a.channels);
    return a;
}

// The smallest side of an image that all kernels fit in, from the last one, which needs its own
// size, back.
static size_t smallest_side(const ArchitectureSpec *spec)
{
    size_t side = 1;
    for (size_t n = spec->n_image_layers; n-- > 0;)
        if (spec->image_layers[n].kernel_size > 0)
            side = (side - 1) * spec->image_layers[n].stride + spec->image_layers[n].kernel_size;
    return side;
}

// The number of sizes in a list, all from 1 to `most`; MLP_MAX_SIZES + 1: one is not.
static size_t sizes_count(const uint64_t sizes[MLP_MAX_SIZES], size_t most)
{
    size_t n = 0;
    while (n < MLP_MAX_SIZES && sizes[n] != 0 && sizes[n] <= most)
        n++;
    return n < MLP_MAX_SIZES && sizes[n] != 0 ? MLP_MAX_SIZES + 1 : n;
}

static bool unknown_architecture(const char *name, Error *err)
{
    return error_set(err, "unknown architecture '%.40s'", name);
}

static bool sizes_check(const ArchitectureSpec *spec, const Architecture *a, Error *err)
{
    if (a->activation == NULL ||
        activation_names[name_find(activation_names, a->activation)] == NULL)
        return error_set(err, "unknown activation '%.40s'",
                         a->activation == NULL ? "" : a->activation);
    size_t n_hidden = sizes_count(a->hidden, NETWORK_MAX_HIDDEN);
    size_t n_channels = sizes_count(a->channels, NETWORK_MAX_CHANNELS);
    if (n_hidden < 1 || n_hidden > MLP_MAX_SIZES)
        return error_set(err, "hidden layers (--hidden): must be 1 to %d, of 1 to %d units each",
                         MLP_MAX_SIZES, NETWORK_MAX_HIDDEN);
    if (n_channels != spec->n_convolutions && spec->n_convolutions == 0)
        return error_set(err, "channels (--channels): the network '%s' has no convolutions",
                         spec->name);
    if (n_channels != spec->n_convolutions)
        return error_set(err,
                         "channels (--channels): the network '%s' needs %zu numbers of channels, "
                         "each from 1 to %d",
                         spec->name, spec->n_convolutions, NETWORK_MAX_CHANNELS);
    return true;
}

bool architecture_check_sizes(const mlp_settings *settings, Error *err)
{
    Architecture a = architecture_of(settings, 0, 0, 0);
    const ArchitectureSpec *spec = architecture_find(a.name);
    return spec != NULL ? sizes_check(spec, &a, err) : unknown_architecture(a.name, err);
}

static bool architecture_check(const ArchitectureSpec *spec, const Architecture *a, Error *err)
{
    size_t smallest = smallest_side(spec);
    if (a->rows < 1 || a->rows > NETWORK_MAX_SIDE || a->cols < 1 || a->cols > NETWORK_MAX_SIDE)
        return error_set(err, "images of %zu x %zu pixels: each side must be 1 to %d", a->rows,
                         a->cols, NETWORK_MAX_SIDE);
    if (a->classes < 2 || a->classes > NETWORK_MAX_CLASSES)
        return error_set(err, "%zu classes: must be 2 to %d", a->classes, NETWORK_MAX_CLASSES);
    if (a->rows < smallest || a->cols < smallest)
        return error_set(err,
                         "images of %zu x %zu pixels are too small for the network '%s': its "
                         "kernels need %zu x %zu",
                         a->rows, a->cols, spec->name, smallest, smallest);
    return sizes_check(spec, a, err);
}

// ---------------------------------------------------------------------------------------------
// The description

// The names of layers and of what they compute, by number.
#define NUMBERED(word)                                                                             \
    {                                                                                              \
        word "1", word "2", word "3", word "4", word "5", word "6", word "7", word "8", word "9",  \
            word "10", word "11"                                                                   \
    }
enum { MAX_NUMBER = 11 }; // of a layer with parameters
static_assert(NETWORK_MAX_CONVOLUTIONS + MLP_MAX_SIZES + 1 <= MAX_NUMBER, "more numbers");
typedef const char *Numbered[MAX_NUMBER];
static const Numbered a_symbols = NUMBERED("a"), p_symbols = NUMBERED("p"),
                      f_symbols = NUMBERED("f"), conv_names = NUMBERED("conv"),
                      fc_names = NUMBERED("fc");

// Before a layer is described: its weights, with those of padding, must be a gigabyte at most, and
// its windows fit the kernels.
static bool check_layer(const Layer *layer, size_t units, Error *err)
{
    const uint64_t max_weights = UINT64_C(1) << 28;
    const uint64_t pixels = (uint64_t)layer->in.height * layer->in.width;
    const uint64_t inputs = (pixels - 1) * layer->in_pitch + layer->in.channels;
    if (layer->kind->has_filters) {
        ConvShape window = {.kernel_size = layer->conv.kernel_size, .pitch = layer->in_pitch};
        return conv_window_length(&window) <= CONV_MAX_WINDOW ||
               error_set(err,
                         "channels (--channels): %zu are too many for a convolution of %zux%zu to "
                         "read; at most %zu",
                         layer->in.channels, window.kernel_size, window.kernel_size,
                         CONV_MAX_WINDOW / (window.kernel_size * window.kernel_size) / KERNEL_PAD *
                             KERNEL_PAD);
    }
    return layer->name == NULL || inputs * (units + KERNEL_PAD) <= max_weights ||
           error_set(err,
                     "%zu units that read %zu values each (--hidden): more than a gigabyte of "
                     "weights",
                     units, shape_size(layer->in));
}

// Describes the next layer, whose kind, name, symbol, windows and initial weights are set, and adds
// it to the network. Its input is the output of the one before, or the image.
static bool network_add(Network *net, const Layer *next, size_t units, Error *err)
{
    assert(net->n_layers < NETWORK_MAX_LAYERS);
    const Architecture *a = &net->architecture;
    const Layer image = {.symbol = "x", .out = {a->rows, a->cols, 1}, .out_pitch = 1};
    const Layer *before = net->n_layers > 0 ? &net->layers[net->n_layers - 1] : &image;
    Layer *layer = &net->layers[net->n_layers++];
    *layer = *next;
    layer->in_symbol = before->symbol;
    layer->number = before->number + (layer->name != NULL);
    layer->in = before->out;
    layer->in_pitch = before->out_pitch;
    layer->in_stride = before->out_stride;
    if (!check_layer(layer, units, err))
        return false;
    net->n_parameters += layer->kind->describe(layer, units, net->n_parameters);
    assert(net->n_tensors + layer->n_tensors <= NETWORK_MAX_TENSORS);
    for (size_t t = 0; t < layer->n_tensors; t++)
        net->tensors[net->n_tensors++] = &layer->tensors[t];
    return true;
}

// The layers that make images.
static bool network_add_image_layers(Network *net, const ArchitectureSpec *spec,
                                     const ActivationSpec *activation, Error *err)
{
    size_t n = 0; // convolutions so far
    for (size_t i = 0; i < spec->n_image_layers; i++) {
        const LayerSpec *row = &spec->image_layers[i];
        Layer layer = {.kind = row->kind == NULL ? activation->kind : row->kind,
                       .symbol = row->kind == &layer_pixels     ? "x"
                                 : row->kind == &layer_max_pool ? p_symbols[n - 1]
                                                                : f_symbols[n > 0 ? n - 1 : 0],
                       .conv = {.kernel_size = row->kernel_size, .stride = row->stride}};
        if (row->kind == &layer_convolution) {
            layer.gain = n == 0 ? activation->pixel_gain : activation->gain;
            layer.input_mean = n == 0 ? 0.0 : activation->mean;
            layer.name = conv_names[n];
            layer.symbol = a_symbols[n++];
        }
        size_t channels = layer.name != NULL ? (size_t)net->architecture.channels[n - 1] : 0;
        if (!network_add(net, &layer, channels, err))
            return false;
    }
    return true;
}

// Dense layer `k` from 0, and its activation; the last one, the output, has none.
static bool network_add_dense(Network *net, size_t k, const ActivationSpec *activation, Error *err)
{
    const Architecture *a = &net->architecture;
    bool is_first = net->n_layers == 0;
    bool is_output = k == MLP_MAX_SIZES || a->hidden[k] == 0;
    size_t number = is_first ? 0 : net->layers[net->n_layers - 1].number;
    Layer dense = {.kind = is_first ? &layer_sparse_dense : &layer_dense,
                   .name = fc_names[k],
                   .symbol = a_symbols[number],
                   .gain = is_first    ? activation->pixel_gain
                           : is_output ? activation->output_gain
                                       : activation->gain,
                   .input_mean = is_first ? 0.0 : activation->mean};
    const Layer values = {.kind = activation->kind, .symbol = f_symbols[number]};
    return network_add(net, &dense, is_output ? a->classes : (size_t)a->hidden[k], err) &&
           (is_output || network_add(net, &values, 0, err));
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

// All layers together may have as much as a model file may be long (model.c).
static bool check_parameters(const Network *net, Error *err)
{
    const uint64_t max_parameters = (UINT64_C(1) << 28) + (UINT64_C(1) << 25);
    return net->n_parameters <= max_parameters ||
           error_set(err, "hidden layers (--hidden): more than a gigabyte of weights");
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
        return unknown_architecture(architecture->name, err);
    if (!architecture_check(spec, architecture, err))
        return false;
    *net = (Network){.architecture = *architecture};
    net->architecture.name = spec->name;
    const ActivationSpec *activation =
        &activations[name_find(activation_names, architecture->activation)];
    if (!network_add_image_layers(net, spec, activation, err))
        return false;
    size_t n_hidden = sizes_count(architecture->hidden, NETWORK_MAX_HIDDEN);
    for (size_t k = 0; k <= n_hidden; k++)
        if (!network_add_dense(net, k, activation, err))
            return false;
    network_find_stages(net);
    return check_parameters(net, err) && check_image_memory(net, err);
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
