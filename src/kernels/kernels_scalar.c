// The plain kernels: each formula of kernels.h as the shortest loop in its written order. They are
// what every faster version is compared with, bit for bit, and what runs where there is none.
//
// The benchmark compiles them once more with KERNELS_DENSE, the name of another table: those
// multiply by zero pixels too, as any dense program does.
#include "kernels.h"

#include "elementary.h"

#include <string.h>

#ifdef KERNELS_DENSE
#define KERNELS_TABLE     KERNELS_DENSE
#define IS_SKIPPED(value) false
#else
#define KERNELS_TABLE     kernels_scalar
#define KERNELS_ISA       "scalar"
#define IS_SKIPPED(value) ((value) == 0)
#endif
extern const Kernels KERNELS_TABLE;

static void sparse_list(uint16_t *entries, uint32_t *start, const ByteRows *rows, size_t I,
                        const ByteRows *next)
{
    (void)next;
    for (size_t e = 0; e < rows->n; e++) {
        const unsigned char *x = rows->row[e];
        start[e + 1] = start[e];
        for (size_t p = 0; p < I; p++)
            if (!IS_SKIPPED(x[p]))
                entries[start[e + 1]++] = (uint16_t)(p << 8 | x[p]);
    }
}

static void sparse_forward(const SumRows *sums, const float *restrict W, size_t S,
                           const SparseRows *rows, size_t I, const float *value,
                           unsigned char *restrict columns, const SparseRows *next)
{
    (void)next;
    if (columns != NULL)
        memset(columns, 0, I * TILE_EXAMPLES);
    for (size_t e = 0; e < rows->n; e++) {
        const uint32_t *start = rows->start + rows->index[e] * rows->stride;
        const uint16_t *entry = rows->entries + start[0], *end = rows->entries + start[1];
        for (const uint16_t *lit = entry; columns != NULL && lit < end; lit++)
            columns[(*lit >> 8) * TILE_EXAMPLES + e] = (unsigned char)*lit;
        for (size_t strip = 0; strip < S; strip += KERNEL_PAD) {
            float *at = sums->at + e * sums->stride + strip, sum[KERNEL_PAD] = {0};
            if (sums->mode == SUM_CONTINUE)
                memcpy(sum, at, sizeof sum);
            for (const uint16_t *lit = entry; lit < end; lit++) {
                float v = value[*lit & 255];
                const float *row = W + (*lit >> 8) * S + strip;
                for (size_t o = 0; o < KERNEL_PAD; o++)
                    sum[o] += v * row[o];
            }
            for (size_t o = 0; o < KERNEL_PAD; o++)
                at[o] = sums->mode == SUM_ADD ? at[o] + sum[o] : sum[o];
        }
    }
}

static void sparse_weight_gradient(float *restrict into, size_t S, const unsigned char *columns,
                                   size_t B, size_t I, const float *value, const float *restrict dy,
                                   float scale, Range rows)
{
    for (size_t p = rows.first; p < rows.end; p++)
        for (size_t strip = 0; strip < S; strip += KERNEL_PAD) {
            float sum[KERNEL_PAD] = {0};
            for (size_t e = 0; e < B; e++) {
                size_t group = e / TILE_EXAMPLES, i = e % TILE_EXAMPLES;
                unsigned char pixel = columns[(group * I + p) * TILE_EXAMPLES + i];
                if (IS_SKIPPED(pixel))
                    continue;
                float v = value[pixel];
                for (size_t o = 0; o < KERNEL_PAD; o++)
                    sum[o] += v * dy[e * S + strip + o];
            }
            for (size_t o = 0; o < KERNEL_PAD; o++)
                into[p * S + strip + o] += scale * sum[o];
        }
}

static void sum_parts(float *y, const float *restrict part, size_t n, size_t S)
{
    for (size_t k = 0; k < n; k++)
        for (size_t o = 0; o < S; o++)
            y[o] += part[k * S + o];
}

static void dense_forward(float *restrict y, const float *restrict W, const float *b, size_t S,
                          const float *x, size_t x_stride, size_t B, size_t I)
{
    for (size_t e = 0; e < B; e++, y += S, x += x_stride) {
        for (size_t o = 0; o < S; o++)
            y[o] = b[o];
        for (size_t i = 0; i < I; i++)
            for (size_t o = 0; o < S; o++)
                y[o] += x[i] * W[i * S + o];
    }
}

static void dense_backward(float *dx, size_t dx_stride, const float *W, size_t S, const float *dy,
                           size_t B, size_t I, size_t O)
{
    for (size_t e = 0; e < B; e++)
        for (size_t i = 0; i < I; i++) {
            float sum = 0.0f;
            for (size_t o = 0; o < O; o++)
                sum += dy[e * S + o] * W[i * S + o];
            dx[e * dx_stride + i] = sum;
        }
}

static void dense_weight_gradient(float *restrict into, size_t S, const float *x, size_t x_stride,
                                  const float *restrict dy, size_t B, float scale, Range rows)
{
    for (size_t i = rows.first; i < rows.end; i++)
        for (size_t strip = 0; strip < S; strip += KERNEL_PAD) {
            float sum[KERNEL_PAD] = {0};
            for (size_t e = 0; e < B; e++)
                for (size_t o = 0; o < KERNEL_PAD; o++)
                    sum[o] += x[e * x_stride + i] * dy[e * S + strip + o];
            for (size_t o = 0; o < KERNEL_PAD; o++)
                into[i * S + strip + o] += scale * sum[o];
        }
}

static void bias_gradient(float *into, size_t S, const float *dy, size_t B, float scale)
{
    for (size_t o = 0; o < S; o++) {
        float sum = 0.0f;
        for (size_t e = 0; e < B; e++)
            sum += dy[e * S + o];
        into[o] += scale * sum;
    }
}

static void sigmoid_forward(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = 1.0f / (1.0f + exp_f32(-x[i]));
}

static void sigmoid_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] * (y[i] * (1.0f - y[i]));
}

static void relu_forward(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] <= 0.0f ? 0.0f : x[i];
}

static void relu_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

static void softmax_cross_entropy(float *p, float *loss, unsigned char *predicted, const float *a,
                                  size_t S, const unsigned char *label, size_t B, size_t C)
{
    for (size_t e = 0; e < B; e++, p += S, a += S) {
        // Subtract the largest logit so that exp cannot overflow; softmax is unchanged.
        size_t best = 0;
        for (size_t k = 1; k < C; k++)
            if (a[k] > a[best])
                best = k;
        float sum = 0.0f;
        for (size_t k = 0; k < C; k++) {
            p[k] = exp_f32(a[k] - a[best]);
            sum += p[k];
        }
        for (size_t k = 0; k < C; k++)
            p[k] = p[k] / sum;
        loss[e] = log_f32(sum) - (a[label[e]] - a[best]);
        predicted[e] = (unsigned char)best;
    }
}

// ---------------------------------------------------------------------------------------------
// Images

static void conv_forward(float *restrict y, const float *W, size_t w_stride, const float *b,
                         const ConvShape *w, const float *restrict x, size_t B)
{
    size_t run = conv_row_length(w);
    for (size_t e = 0; e < B; e++, x += w->image_stride, y += w->out_image_stride)
        for (size_t place = 0; place < conv_positions(w); place++) {
            const float *window = x + conv_offset(w, place / w->out_width, place % w->out_width);
            for (size_t o = 0; o < w->out_pitch; o++) {
                float sum = b[o] + 0.0f;
                for (size_t k = 0; o < w->channels && k < w->kernel_size * run; k++)
                    sum += window[k / run * w->width * w->pitch + k % run] * W[o * w_stride + k];
                y[place * w->out_pitch + o] = sum;
            }
        }
}

static void conv_collect(Nonzero *lists, const ConvShape *w, const float *dy, size_t B)
{
    for (size_t e = 0; e < B; e++, dy += w->out_image_stride)
        for (size_t o = 0; o < w->channels; o++) {
            Nonzero *list = lists + nonzeros_at(w, e, o);
            uint32_t n = 0;
            for (size_t place = 0; place < conv_positions(w); place++) {
                float value = dy[place * w->out_pitch + o];
                if (!IS_SKIPPED(value))
                    list[++n] = (Nonzero){
                        (uint32_t)conv_offset(w, place / w->out_width, place % w->out_width),
                        value};
            }
            list[0].at = n;
        }
}

static void conv_backward(float *restrict dx, const float *restrict W, size_t w_stride,
                          const ConvShape *w, const Nonzero *lists, size_t B)
{
    size_t run = conv_row_length(w), row = w->width * w->pitch;
    for (size_t e = 0; e < B; e++, dx += w->image_stride) {
        memset(dx, 0, w->height * row * sizeof *dx);
        for (size_t o = 0; o < w->channels; o++) {
            const Nonzero *list = lists + nonzeros_at(w, e, o);
            for (size_t i = 1; i <= list[0].at; i++)
                for (size_t r = 0; r < w->kernel_size; r++)
                    for (size_t k = 0; k < run; k++)
                        dx[list[i].at + r * row + k] +=
                            list[i].value * W[o * w_stride + r * run + k];
        }
    }
}

static void conv_weight_gradient(float *restrict W, size_t w_stride, float *b, const ConvShape *w,
                                 Range channels, const float *restrict x, const Nonzero *lists,
                                 size_t B, float scale)
{
    size_t run = conv_row_length(w), row = w->width * w->pitch;
    for (size_t o = channels.first; o < channels.end; o++)
        for (size_t k = 0; k <= w->kernel_size * run; k++) { // the last is the bias
            float sum = 0.0f;
            for (size_t e = 0; e < B; e++) {
                const Nonzero *list = lists + nonzeros_at(w, e, o);
                const float *from = x + e * w->image_stride + k / run * row + k % run;
                for (size_t i = 1; i <= list[0].at; i++)
                    sum += k == w->kernel_size * run ? list[i].value
                                                     : list[i].value * from[list[i].at];
            }
            float *into = k == w->kernel_size * run ? &b[o] : &W[o * w_stride + k];
            *into += scale * sum;
        }
}

// Pixel k of the window that begins at `window`.
static size_t window_pixel(const ConvShape *w, size_t k)
{
    return (k / w->kernel_size * w->width + k % w->kernel_size) * w->pitch;
}

static void pool_forward(float *y, unsigned char *winner, size_t winner_stride, const ConvShape *w,
                         const float *x, size_t B)
{
    for (size_t e = 0; e < B; e++, x += w->image_stride)
        for (size_t i = 0; i < conv_positions(w) * w->out_pitch; i++) {
            size_t place = i / w->out_pitch, best = 0;
            const float *window =
                x + conv_offset(w, place / w->out_width, place % w->out_width) + i % w->out_pitch;
            for (size_t k = 1; k < w->kernel_size * w->kernel_size; k++)
                if (window[window_pixel(w, k)] > window[window_pixel(w, best)])
                    best = k;
            y[e * w->out_image_stride + i] = window[window_pixel(w, best)];
            winner[e * winner_stride + i] = (unsigned char)best;
        }
}

static void pool_backward(float *dx, const unsigned char *winner, size_t winner_stride,
                          const ConvShape *w, const float *dy, size_t B)
{
    for (size_t e = 0; e < B; e++, dx += w->image_stride) {
        memset(dx, 0, w->height * w->width * w->pitch * sizeof *dx);
        for (size_t i = 0; i < conv_positions(w) * w->out_pitch; i++) {
            size_t place = i / w->out_pitch;
            float *window =
                dx + conv_offset(w, place / w->out_width, place % w->out_width) + i % w->out_pitch;
            window[window_pixel(w, winner[e * winner_stride + i])] =
                dy[e * w->out_image_stride + i];
        }
    }
}

static const ConvKernels conv_kernels = {
    .forward = conv_forward,
    .collect = conv_collect,
    .backward = conv_backward,
    .weight_gradient = conv_weight_gradient,
    .pool_forward = pool_forward,
    .pool_backward = pool_backward,
};

const Kernels KERNELS_TABLE = {
    .isa = KERNELS_ISA,
    .sparse_list = sparse_list,
    .sparse_forward = sparse_forward,
    .sparse_weight_gradient = sparse_weight_gradient,
    .sum_parts = sum_parts,
    .dense_forward = dense_forward,
    .dense_backward = dense_backward,
    .dense_weight_gradient = dense_weight_gradient,
    .bias_gradient = bias_gradient,
    .sigmoid_forward = sigmoid_forward,
    .sigmoid_backward = sigmoid_backward,
    .relu_forward = relu_forward,
    .relu_backward = relu_backward,
    .softmax_cross_entropy = softmax_cross_entropy,
    .conv = &conv_kernels,
};
