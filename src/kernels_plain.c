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
#define IS_SKIPPED(pixel) false
#else
#define KERNELS_TABLE     kernels_scalar
#define KERNELS_ISA       "scalar"
#define IS_SKIPPED(pixel) ((pixel) == 0)
#endif
extern const Kernels KERNELS_TABLE;

static void bytes_forward(float *restrict sum, size_t sum_stride, const float *restrict W, size_t S,
                          const ByteRows *rows, size_t I, const float *value, const ByteRows *next)
{
    (void)next;
    for (size_t e = 0; e < rows->n; e++, sum += sum_stride) {
        const unsigned char *x = byte_row(rows, e);
        for (size_t o = 0; o < S; o++)
            sum[o] = 0.0f;
        for (size_t p = 0; p < I; p++) {
            if (IS_SKIPPED(x[p]))
                continue;
            for (size_t o = 0; o < S; o++)
                sum[o] += value[x[p]] * W[p * S + o];
        }
    }
}

static void bytes_accumulate(float *restrict into, size_t S, const ByteRows *rows, size_t I,
                             const float *value, const float *restrict dy, float scale)
{
    for (size_t p = 0; p < I; p++)
        for (size_t strip = 0; strip < S; strip += KERNEL_PAD) {
            float sum[KERNEL_PAD] = {0};
            for (size_t e = 0; e < rows->n; e++) {
                unsigned char pixel = byte_row(rows, e)[p];
                if (IS_SKIPPED(pixel))
                    continue;
                for (size_t o = 0; o < KERNEL_PAD; o++)
                    sum[o] += value[pixel] * dy[e * S + strip + o];
            }
            for (size_t o = 0; o < KERNEL_PAD; o++)
                into[p * S + strip + o] += scale * sum[o];
        }
}

static void sum_parts(float *restrict y, const float *b, const float *restrict part, size_t n,
                      size_t S)
{
    for (size_t o = 0; o < S; o++)
        y[o] = b[o];
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

static void dense_accumulate(float *restrict into, size_t S, const float *x, size_t x_stride,
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

static void bias_accumulate(float *into, size_t S, const float *dy, size_t B, float scale)
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

const Kernels KERNELS_TABLE = {
    .isa = KERNELS_ISA,
    .bytes_forward = bytes_forward,
    .bytes_accumulate = bytes_accumulate,
    .sum_parts = sum_parts,
    .dense_forward = dense_forward,
    .dense_backward = dense_backward,
    .dense_accumulate = dense_accumulate,
    .bias_accumulate = bias_accumulate,
    .sigmoid_forward = sigmoid_forward,
    .sigmoid_backward = sigmoid_backward,
    .softmax_cross_entropy = softmax_cross_entropy,
};
