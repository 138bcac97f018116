// The calculus of images, kind by kind as in layers.c, which comes before: pixels, convolution, max
// pooling. Identities are numbered as there.
#include "layers.h"

#include "kernels.h"

#include <assert.h>
#include <stdio.h>

// ---------------------------------------------------------------------------------------------
// Pixels:  y[p] = value[pixel p], the bytes of the batch as floats, one channel. Nothing is learned
// here or before: no Jacobian is needed.

static size_t layer_pixels_describe(Layer *layer, size_t units, size_t offset)
{
    (void)units, (void)offset;
    layer->out = layer->in;
    layer->out_pitch = 1;
    // A convolution may read up to KERNEL_PAD floats beyond the last image.
    layer->out_stride = kernel_row_stride(shape_size(layer->in)) + KERNEL_PAD;
    return 0;
}

// A part of the examples.
static void layer_pixels_load(const Layer *layer, const float *params, const LayerView *view,
                              Part part)
{
    (void)params;
    Range mine = range_part(view->batch.size, part.number, part.of);
    for (size_t e = mine.first; e < mine.end; e++) {
        const unsigned char *pixels = batch_pixels(&view->batch, e);
        for (size_t p = 0; p < shape_size(layer->in); p++)
            view->y[e * layer->out_stride + p] = view->batch.scale->value[pixels[p]];
    }
}

static void layer_pixels_reference_forward(const Layer *layer, const double *const argument[],
                                           double *y)
{
    for (size_t p = 0; p < shape_size(layer->in); p++)
        y[p] = argument[0][p];
}

const LayerKind layer_pixels = {
    .name = "pixels",
    .describe = layer_pixels_describe,
    .load = layer_pixels_load,
    .reference_forward = layer_pixels_reference_forward,
    .formula = "pixels / 255 / s",
};

// ---------------------------------------------------------------------------------------------
// Windows on an image

static void describe_conv(Layer *layer, size_t channels)
{
    ConvShape *w = &layer->conv;
    assert(w->kernel_size >= 1 && w->kernel_size <= CONV_MAX_KERNEL && w->stride >= 1);
    assert(layer->in.height >= w->kernel_size && layer->in.width >= w->kernel_size);
    layer->out = (Shape){(layer->in.height - w->kernel_size) / w->stride + 1,
                         (layer->in.width - w->kernel_size) / w->stride + 1, channels};
    layer->out_pitch = round_up(channels, KERNEL_PAD);
    layer->out_stride = kernel_row_stride(layer->out.height * layer->out.width * layer->out_pitch);
    *w = (ConvShape){.height = layer->in.height,
                     .width = layer->in.width,
                     .pitch = layer->in_pitch,
                     .in_channels = layer->in.channels,
                     .kernel_size = w->kernel_size,
                     .stride = w->stride,
                     .out_height = layer->out.height,
                     .out_width = layer->out.width,
                     .out_pitch = layer->out_pitch,
                     .channels = channels,
                     .image_stride = layer->in_stride,
                     .out_image_stride = layer->out_stride};
}

// Pixel (row r, column c) of the window at output pixel p, in a (C,H,W) image of doubles.
static size_t reference_at(const Layer *layer, size_t channel, size_t p, size_t r, size_t c)
{
    const ConvShape *w = &layer->conv;
    size_t row = p / w->out_width * w->stride + r, column = p % w->out_width * w->stride + c;
    return (channel * w->height + row) * w->width + column;
}

// ---------------------------------------------------------------------------------------------
// Convolution (a correlation, as everywhere in the field), no padding, stride 1:
//   y[o,r,c] = b[o] + sum over i, u, v of W[o,i,u,v] x[i, r+u, c+v]
//
// x (I,H,W), W (O,I,K,K), b (O), y (O, H-K+1, W-K+1). It is a dense layer whose weights are shared:
// write T(W) for the matrix that takes vec(x) to vec(y), which is doubly blocked Toeplitz: constant
// along its diagonals, its blocks and their blocks. Jacobians of one example, P = pixels of y:
//   dy/dx = T(W) (OP x IHW)
//   dy/dvec(W) = I_O (x) X (OP x OIKK), where row p of X (P x IKK), "im2col", is the window at p
//   dy/db = I_O (x) 1_P (OP x O), a one in each row
// Given dy = dL/dy:
//   dx = T(W)^T dy:   dx[i, r+u, c+v] += W[o,i,u,v] dy[o,r,c]
//   dL/dW = dy X:     dL/dW[o,i,u,v] = sum over r, c of dy[o,r,c] x[i, r+u, c+v]
//   dL/db[o] = sum over r, c of dy[o,r,c]
//
// W is stored one row per output channel, (u,v,i), the order of a window in memory. The terms of dy
// that are zero are skipped: backward saves the others for weight_gradient, as sparse rows.

static size_t layer_convolution_describe(Layer *layer, size_t units, size_t offset)
{
    describe_conv(layer, units);
    const ConvShape *w = &layer->conv;
    assert(conv_window_length(w) <= CONV_MAX_WINDOW);
    size_t K = w->kernel_size, P = layer->in_pitch, S = kernel_row_stride(K * K * P);
    layer->n_rows = units;
    layer->saved_bytes = nonzeros_per_example(w) * sizeof(Nonzero);
    layer->n_tensors = 2;
    layer->tensors[0] = (Tensor){.letter = "W",
                                 .n_dims = 4,
                                 .dims = {units, layer->in.channels, K, K},
                                 .offset = offset,
                                 .stride = {S, 1, K * P, P}};
    layer->tensors[1] = (Tensor){
        .letter = "b", .n_dims = 1, .dims = {units}, .offset = offset + units * S, .stride = {1}};
    layer_name_tensors(layer);
    return units * S + layer->out_pitch;
}

static void layer_convolution_forward(const Layer *layer, const float *params,
                                      const LayerView *view)
{
    const Tensor *W = &layer->tensors[0], *b = &layer->tensors[1];
    kernels->conv->forward(view->y, params + W->offset, W->stride[0], params + b->offset,
                           &layer->conv, view->x, view->batch.size);
}

static void layer_convolution_backward(const Layer *layer, const float *params,
                                       const LayerView *view)
{
    const Tensor *W = &layer->tensors[0];
    const ConvShape *w = &layer->conv;
    kernels->conv->list_nonzeros(view->saved, w, view->dy, view->batch.size);
    if (view->dx != NULL)
        kernels->conv->backward(view->dx, params + W->offset, W->stride[0], w, view->saved,
                                view->batch.size);
}

static void layer_convolution_weight_gradient(const Layer *layer, const LayerView *view, Part part,
                                              float scale, float *into)
{
    const Tensor *W = &layer->tensors[0], *b = &layer->tensors[1];
    kernels->conv->weight_gradient(into + W->offset, W->stride[0], into + b->offset, &layer->conv,
                                   range_part(layer->n_rows, part.number, part.of), view->x,
                                   view->saved, view->batch.size, scale);
}

static size_t layer_convolution_part_ranges(const Layer *layer, Part part,
                                            PartRange ranges[LAYER_MAX_RANGES])
{
    const Tensor *W = &layer->tensors[0], *b = &layer->tensors[1];
    Range rows = range_part(layer->n_rows, part.number, part.of);
    size_t S = W->stride[0];
    ranges[0] = (PartRange){{W->offset + rows.first * S, W->offset + rows.end * S}, false};
    ranges[1] = (PartRange){{b->offset + rows.first, b->offset + rows.end}, true};
    return 2;
}

static void layer_convolution_reference_forward(const Layer *layer, const double *const argument[],
                                                double *y)
{
    const double *x = argument[0], *W = argument[1], *b = argument[2];
    size_t K = layer->conv.kernel_size, P = layer->out.height * layer->out.width;
    for (size_t o = 0; o < layer->out.channels; o++)
        for (size_t p = 0; p < P; p++) {
            double sum = b[o];
            for (size_t i = 0; i < layer->in.channels; i++)
                for (size_t u = 0; u < K; u++)
                    for (size_t v = 0; v < K; v++)
                        sum += W[((o * layer->in.channels + i) * K + u) * K + v] *
                               x[reference_at(layer, i, p, u, v)];
            y[o * P + p] = sum;
        }
}

static size_t layer_convolution_reference_row(const Layer *layer, const double *const argument[],
                                              size_t which, size_t row, JacobianEntry *entries)
{
    const double *x = argument[0], *W = argument[1];
    size_t K = layer->conv.kernel_size, P = layer->out.height * layer->out.width;
    size_t n = layer->in.channels * K * K, o = row / P, p = row % P;
    if (which == 2) {
        entries[0] = (JacobianEntry){o, 1.0};
        return 1;
    }
    for (size_t k = 0; k < n; k++) {
        size_t at = reference_at(layer, k / (K * K), p, k / K % K, k % K);
        entries[k] =
            which == 0 ? (JacobianEntry){at, W[o * n + k]} : (JacobianEntry){o * n + k, x[at]};
    }
    return n;
}

const LayerKind layer_convolution = {
    .name = "convolution",
    .has_filters = true,
    .describe = layer_convolution_describe,
    .init = layer_init,
    .forward = layer_convolution_forward,
    .backward = layer_convolution_backward,
    .needs_x = true,
    .saved_for_backward = true,
    .weight_gradient = layer_convolution_weight_gradient,
    .part_ranges = layer_convolution_part_ranges,
    .reference_forward = layer_convolution_reference_forward,
    .reference_row = layer_convolution_reference_row,
    .formula = "conv(W$n, $x) + b$n",
    .identity = {"Toeplitz(W$n)", "I_$O (x) im2col($x)", "I_$O (x) 1_$P"},
};

// ---------------------------------------------------------------------------------------------
// Max pooling:  y[c,p] = the largest x of channel c in the window at p; windows do not overlap
//
// Jacobian: dy/dx (CP x CHW) selects: a one in each row, in the column of the window's largest
// value, the first of equals.
// Given dy = dL/dy:   dx = dy at the largest value of each window, else 0

static size_t layer_max_pool_describe(Layer *layer, size_t units, size_t offset)
{
    (void)units, (void)offset;
    describe_conv(layer, layer->in.channels);
    assert(layer->conv.stride >= layer->conv.kernel_size && layer->in_pitch == layer->out_pitch);
    size_t winners = conv_positions(&layer->conv) * layer->out_pitch; // one byte each
    layer->saved_bytes = round_up(winners, 64);
    return 0;
}

static void layer_max_pool_forward(const Layer *layer, const float *params, const LayerView *view)
{
    (void)params;
    kernels->conv->pool_forward(view->y, view->saved, layer->saved_bytes, &layer->conv, view->x,
                                view->batch.size);
}

static void layer_max_pool_backward(const Layer *layer, const float *params, const LayerView *view)
{
    (void)params;
    kernels->conv->pool_backward(view->dx, view->saved, layer->saved_bytes, &layer->conv, view->dy,
                                 view->batch.size);
}

// Where the largest value of a window lies in x.
static size_t max_pool_winner(const Layer *layer, const double *x, size_t channel, size_t p)
{
    size_t K = layer->conv.kernel_size, best = reference_at(layer, channel, p, 0, 0);
    for (size_t k = 1; k < K * K; k++) {
        size_t at = reference_at(layer, channel, p, k / K, k % K);
        best = x[at] > x[best] ? at : best;
    }
    return best;
}

static void layer_max_pool_reference_forward(const Layer *layer, const double *const argument[],
                                             double *y)
{
    size_t P = layer->out.height * layer->out.width;
    for (size_t i = 0; i < shape_size(layer->out); i++)
        y[i] = argument[0][max_pool_winner(layer, argument[0], i / P, i % P)];
}

static size_t layer_max_pool_reference_row(const Layer *layer, const double *const argument[],
                                           size_t which, size_t row, JacobianEntry *entries)
{
    (void)which;
    size_t P = layer->out.height * layer->out.width;
    entries[0] = (JacobianEntry){max_pool_winner(layer, argument[0], row / P, row % P), 1.0};
    return 1;
}

static uint64_t layer_max_pool_reference_region(const Layer *layer, const double *x)
{
    size_t P = layer->out.height * layer->out.width;
    uint64_t region = LAYER_REGION;
    for (size_t i = 0; i < shape_size(layer->out); i++)
        region = layer_region_add(region, max_pool_winner(layer, x, i / P, i % P));
    return region;
}

const LayerKind layer_max_pool = {
    .name = "max pooling",
    .describe = layer_max_pool_describe,
    .forward = layer_max_pool_forward,
    .backward = layer_max_pool_backward,
    .reference_forward = layer_max_pool_reference_forward,
    .reference_row = layer_max_pool_reference_row,
    .formula = "maxpool($x)",
    .reference_region = layer_max_pool_reference_region,
    .identity = {"selection"},
};
