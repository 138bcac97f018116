// The calculus, kind by kind: the map, its Jacobians, the chain rule, then code in the same order.
// The loops over arrays are in kernels.h, which says what each computes. A Jacobian of
// f: R^n -> R^m is m x n; identities are numbered as in the CS224n notes "Computing Neural Network
// Gradients" (Clark):
//   (1) d(Wx)/dx = W    (3) dx/dx = I    (4) d f(x)/dx = diag(f'(x)) for an elementwise f
//   (5) dL/dW = delta x^T, the outer product, where delta = dL/d(Wx) as a column
#include "layers.h"

#include "kernels.h"
#include "random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

size_t tensor_size(const Tensor *tensor)
{
    size_t size = 1;
    for (size_t d = 0; d < tensor->n_dims; d++)
        size *= tensor->dims[d];
    return size;
}

size_t tensor_file_shape(const Tensor *tensor, size_t dims[TENSOR_MAX_DIMS])
{
    size_t n = tensor->n_dims - (tensor->n_flat > 0 ? tensor->n_flat - 1 : 0);
    for (size_t d = 0; d < tensor->n_dims; d++)
        if (d < n)
            dims[d] = tensor->dims[d];
        else
            dims[n - 1] *= tensor->dims[d];
    return n;
}

size_t tensor_index(const Tensor *tensor, size_t e)
{
    size_t index = tensor->offset;
    for (size_t d = tensor->n_dims; d-- > 0; e /= tensor->dims[d])
        index += e % tensor->dims[d] * tensor->stride[d];
    return index;
}

void layer_name_tensors(Layer *layer)
{
    static const char *const what[LAYER_MAX_TENSORS] = {"weight", "bias"};
    for (size_t t = 0; t < layer->n_tensors && t < LAYER_MAX_TENSORS; t++)
        snprintf(layer->tensors[t].name, sizeof layer->tensors[t].name, "%s.%s", layer->name,
                 what[t]);
}

size_t layer_argument_size(const Layer *layer, size_t which)
{
    return which == 0 ? shape_size(layer->in) : tensor_size(&layer->tensors[which - 1]);
}

void layer_argument_name(char *text, size_t size, const Layer *layer, size_t which)
{
    const Tensor *tensor = &layer->tensors[which == 0 ? 0 : which - 1];
    if (which == 0)
        snprintf(text, size, "%s", layer->in_symbol);
    else
        snprintf(text, size, tensor->n_dims > 1 ? "vec(%s%u)" : "%s%u", tensor->letter,
                 layer->number);
}

void layer_text(char *text, size_t size, const Layer *layer, const char *formula)
{
    *text = '\0';
    for (size_t n = 0; *formula != '\0' && n < size; formula++, n += strlen(text + n)) {
        bool is_mark = *formula == '$';
        formula += is_mark;
        switch (is_mark ? *formula : ' ') {
        case 'x': snprintf(text + n, size - n, "%s", layer->in_symbol); break;
        case 'y': snprintf(text + n, size - n, "%s", layer->symbol); break;
        case 'n': snprintf(text + n, size - n, "%u", layer->number); break;
        case 'O': snprintf(text + n, size - n, "%zu", layer->out.channels); break;
        case 'P': snprintf(text + n, size - n, "%zu", layer->out.height * layer->out.width); break;
        default: snprintf(text + n, size - n, "%c", *formula);
        }
    }
}

void layer_derivative_text(char *text, size_t size, const Layer *layer)
{
    static const char before[] = "diag(", after[] = ") (4)";
    char identity[64];
    layer_text(identity, sizeof identity, layer, layer->kind->identity[0]);
    snprintf(text, size, "%.*s", (int)(strlen(identity) - strlen(before) - strlen(after)),
             identity + strlen(before));
}

// b = -m sum_i W_i for inputs of mean m. Behind a sigmoid (m = 1/2) large weights would otherwise
// begin with a random preference for some classes, which a small learning rate takes long to
// unlearn.
void layer_init(const Layer *layer, float *params, uint64_t seed, uint64_t stream)
{
    const Tensor *W = &layer->tensors[0], *b = &layer->tensors[1];
    size_t size = tensor_size(W), O = W->dims[0], I = size / O;
    float std = (float)(layer->gain / sqrt((double)I));
    for (size_t e = 0; e < size; e++)
        params[tensor_index(W, e)] = std * random_normal(seed, stream, e);
    for (size_t o = 0; o < O && layer->input_mean > 0.0; o++) {
        float sum = 0.0f;
        for (size_t i = 0; i < I; i++)
            sum += params[tensor_index(W, o * I + i)];
        params[tensor_index(b, o)] = -(float)layer->input_mean * sum;
    }
}

// ---------------------------------------------------------------------------------------------
// Dense:  y = W x + b     x (B,I)  b (O)  y (B,O)
//
// W is O x I on paper and stored (I,S), one row per input, S = O padded; b follows as one more
// row: the weight of an input that is always 1.
// Jacobians of one example (identities 1, 3, 5), vec(W) row-major:
//   dy/dx = W (OxI)     dy/db = I_O (OxO)     dy/dvec(W) = I_O (x) x^T (O x OI)
// Given dy = dL/dy (B,O), summed over the batch:
//   dx = dy W           dL/db = sum_b dy      dL/dW = dy^T x

// Of an image the inputs are its pixels' channels and their padding, whose weights stay zero.
static size_t dense_inputs(const Layer *layer)
{
    return (layer->in.height * layer->in.width - 1) * layer->in_pitch + layer->in.channels;
}

size_t layer_dense_describe(Layer *layer, size_t units, size_t offset)
{
    size_t I = dense_inputs(layer), O = units, S = kernel_row_stride(O);
    Shape in = layer->in;
    layer->out = (Shape){1, 1, O};
    layer->out_pitch = layer->out_stride = S;
    layer->n_rows = I;
    layer->n_tensors = 2;
    layer->tensors[0] =
        (Tensor){.letter = "W",
                 .n_dims = 4,
                 .n_flat = 3,
                 .dims = {O, in.channels, in.height, in.width},
                 .offset = offset,
                 .stride = {1, S, in.width * layer->in_pitch * S, layer->in_pitch * S}};
    layer->tensors[1] =
        (Tensor){.letter = "b", .n_dims = 1, .dims = {O}, .offset = offset + I * S, .stride = {1}};
    layer_name_tensors(layer);
    return (I + 1) * S;
}

static void layer_dense_forward(const Layer *layer, const float *params, const LayerView *view)
{
    const float *W = params + layer->tensors[0].offset, *b = params + layer->tensors[1].offset;
    kernels->dense_forward(view->y, W, b, layer->out_stride, view->x, layer->in_stride,
                           view->batch.size, layer->n_rows);
}

static void layer_dense_backward(const Layer *layer, const float *params, const LayerView *view)
{
    if (view->dx != NULL)
        kernels->dense_backward(view->dx, layer->in_stride, params + layer->tensors[0].offset,
                                layer->out_stride, view->dy, view->batch.size, layer->n_rows,
                                shape_size(layer->out));
}

// The bias is the weight of an input that is always 1.
void layer_dense_bias_gradient(const Layer *layer, const LayerView *view, float scale, float *into)
{
    static const float one = 1.0f;
    kernels->dense_weight_gradient(into + layer->tensors[1].offset, layer->out_stride, &one, 0,
                                   view->dy, view->batch.size, scale, (Range){0, 1});
}

// The bias belongs to part 0.
static void layer_dense_weight_gradient(const Layer *layer, const LayerView *view, Part part,
                                        float scale, float *into)
{
    for (size_t block = part.number; block < N_BLOCKS; block += part.of)
        kernels->dense_weight_gradient(into + layer->tensors[0].offset, layer->out_stride, view->x,
                                       layer->in_stride, view->dy, view->batch.size, scale,
                                       layer_block(layer->n_rows, block));
    if (part.number == 0)
        layer_dense_bias_gradient(layer, view, scale, into);
}

size_t layer_dense_part_ranges(const Layer *layer, Part part, PartRange ranges[LAYER_MAX_RANGES])
{
    size_t W = layer->tensors[0].offset, b = layer->tensors[1].offset, S = layer->out_stride, n = 0;
    for (size_t block = part.number; block < N_BLOCKS; block += part.of) {
        Range rows = layer_block(layer->n_rows, block);
        ranges[n++] = (PartRange){{W + rows.first * S, W + rows.end * S}, false};
    }
    if (part.number == 0)
        ranges[n++] = (PartRange){{b, b + S}, true};
    return n;
}

void layer_dense_reference_forward(const Layer *layer, const double *const argument[], double *y)
{
    const double *x = argument[0], *W = argument[1], *b = argument[2];
    size_t I = shape_size(layer->in), O = shape_size(layer->out);
    for (size_t o = 0; o < O; o++) {
        double sum = b[o];
        for (size_t i = 0; i < I; i++)
            if (x[i] != 0.0) // spares four fifths of the time of finite differences on MNIST
                sum += W[o * I + i] * x[i];
        y[o] = sum;
    }
}

size_t layer_dense_reference_row(const Layer *layer, const double *const argument[], size_t which,
                                 size_t row, JacobianEntry *entries)
{
    const double *x = argument[0], *W = argument[1];
    size_t I = shape_size(layer->in);
    if (which == 2) { // row o of the identity
        entries[0] = (JacobianEntry){row, 1.0};
        return 1;
    }
    for (size_t i = 0; i < I; i++) // row o of W, or x^T at columns o I .. o I + I - 1
        entries[i] =
            which == 0 ? (JacobianEntry){i, W[row * I + i]} : (JacobianEntry){row * I + i, x[i]};
    return I;
}

const LayerKind layer_dense = {
    .name = "dense",
    .describe = layer_dense_describe,
    .init = layer_init,
    .forward = layer_dense_forward,
    .backward = layer_dense_backward,
    .needs_x = true,
    .weight_gradient = layer_dense_weight_gradient,
    .part_ranges = layer_dense_part_ranges,
    .reference_forward = layer_dense_reference_forward,
    .reference_row = layer_dense_reference_row,
    .formula = LAYER_DENSE_FORMULA,
    .identity = LAYER_DENSE_IDENTITY,
};

// ---------------------------------------------------------------------------------------------
// Sigmoid:  y = 1 / (1 + exp(-x)), elementwise
//
// Jacobian (identity 4), from y' = y (1 - y):   dy/dx = diag(y * (1 - y))
// Given dy = dL/dy:   dx = dy * y * (1 - y)

static size_t layer_elementwise_describe(Layer *layer, size_t units, size_t offset)
{
    (void)units, (void)offset;
    layer->out = layer->in;
    layer->out_pitch = layer->in_pitch;
    layer->out_stride = layer->in_stride;
    return 0;
}

// The examples of a batch are one long row.
static void layer_sigmoid_forward(const Layer *layer, const float *params, const LayerView *view)
{
    (void)params;
    kernels->sigmoid_forward(view->y, view->x, view->batch.size * layer->in_stride);
    // 1/2 in the padding of an image would meet weights, and move them away from 0.
    size_t pixels = layer->out.height * layer->out.width, C = layer->out.channels;
    for (size_t e = 0; C < layer->out_pitch && pixels > 1 && e < view->batch.size; e++)
        for (size_t p = 0; p < pixels; p++)
            for (size_t c = C; c < layer->out_pitch; c++)
                view->y[e * layer->out_stride + p * layer->out_pitch + c] = 0.0f;
}

static void layer_sigmoid_backward(const Layer *layer, const float *params, const LayerView *view)
{
    (void)params;
    kernels->sigmoid_backward(view->dx, view->y, view->dy, view->batch.size * layer->in_stride);
}

static void layer_sigmoid_reference_forward(const Layer *layer, const double *const argument[],
                                            double *y)
{
    for (size_t i = 0; i < shape_size(layer->in); i++)
        y[i] = 1.0 / (1.0 + exp(-argument[0][i]));
}

static size_t layer_sigmoid_reference_row(const Layer *layer, const double *const argument[],
                                          size_t which, size_t row, JacobianEntry *entries)
{
    (void)layer, (void)which;
    double y = 1.0 / (1.0 + exp(-argument[0][row]));
    entries[0] = (JacobianEntry){row, y * (1.0 - y)};
    return 1;
}

const LayerKind layer_sigmoid = {
    .name = "sigmoid",
    .is_activation = true,
    .describe = layer_elementwise_describe,
    .forward = layer_sigmoid_forward,
    .backward = layer_sigmoid_backward,
    .needs_y = true,
    .reference_forward = layer_sigmoid_reference_forward,
    .reference_row = layer_sigmoid_reference_row,
    .formula = "sigmoid($x)",
    .identity = {"diag($y * (1 - $y)) (4)"},
};

// ---------------------------------------------------------------------------------------------
// Tanh:  y = (exp(x) - exp(-x)) / (exp(x) + exp(-x)) = 2 / (1 + exp(-2x)) - 1, elementwise
//
// Jacobian (identity 4), from y' = 1 - y^2:   dy/dx = diag(1 - y * y)
// Given dy = dL/dy:   dx = dy * (1 - y * y)

static void layer_tanh_forward(const Layer *layer, const float *params, const LayerView *view)
{
    (void)params;
    kernels->tanh_forward(view->y, view->x, view->batch.size * layer->in_stride);
}

static void layer_tanh_backward(const Layer *layer, const float *params, const LayerView *view)
{
    (void)params;
    kernels->tanh_backward(view->dx, view->y, view->dy, view->batch.size * layer->in_stride);
}

static void layer_tanh_reference_forward(const Layer *layer, const double *const argument[],
                                         double *y)
{
    for (size_t i = 0; i < shape_size(layer->in); i++)
        y[i] = tanh(argument[0][i]);
}

static size_t layer_tanh_reference_row(const Layer *layer, const double *const argument[],
                                       size_t which, size_t row, JacobianEntry *entries)
{
    (void)layer, (void)which;
    double y = tanh(argument[0][row]);
    entries[0] = (JacobianEntry){row, 1.0 - y * y};
    return 1;
}

const LayerKind layer_tanh = {
    .name = "tanh",
    .is_activation = true,
    .describe = layer_elementwise_describe,
    .forward = layer_tanh_forward,
    .backward = layer_tanh_backward,
    .needs_y = true,
    .reference_forward = layer_tanh_reference_forward,
    .reference_row = layer_tanh_reference_row,
    .formula = "tanh($x)",
    .identity = {"diag(1 - $y * $y) (4)"},
};

// ---------------------------------------------------------------------------------------------
// ReLU:  y = max(x, 0), elementwise
//
// Jacobian (identity 4):   dy/dx = diag(x > 0)     with the derivative 0 at the kink, x = 0
// Given dy = dL/dy:   dx = dy where x > 0, which is where y > 0, else 0

static void layer_relu_forward(const Layer *layer, const float *params, const LayerView *view)
{
    (void)params;
    kernels->relu_forward(view->y, view->x, view->batch.size * layer->in_stride);
}

static void layer_relu_backward(const Layer *layer, const float *params, const LayerView *view)
{
    (void)params;
    kernels->relu_backward(view->dx, view->y, view->dy, view->batch.size * layer->in_stride);
}

static void layer_relu_reference_forward(const Layer *layer, const double *const argument[],
                                         double *y)
{
    for (size_t i = 0; i < shape_size(layer->in); i++)
        y[i] = fmax(argument[0][i], 0.0);
}

static size_t layer_relu_reference_row(const Layer *layer, const double *const argument[],
                                       size_t which, size_t row, JacobianEntry *entries)
{
    (void)layer, (void)which;
    entries[0] = (JacobianEntry){row, argument[0][row] > 0.0};
    return 1;
}

static uint64_t layer_relu_reference_region(const Layer *layer, const double *x)
{
    uint64_t region = LAYER_REGION;
    for (size_t i = 0; i < shape_size(layer->in); i++)
        region = layer_region_add(region, x[i] > 0.0);
    return region;
}

const LayerKind layer_relu = {
    .name = "relu",
    .is_activation = true,
    .describe = layer_elementwise_describe,
    .forward = layer_relu_forward,
    .backward = layer_relu_backward,
    .needs_y = true,
    .reference_forward = layer_relu_reference_forward,
    .reference_row = layer_relu_reference_row,
    .formula = "relu($x)",
    .reference_region = layer_relu_reference_region,
    .identity = {"diag($x > 0) (4)"},
};
