// The arithmetic; see kernels.h. Plain loops in their defined order.
#include "kernels.h"

#include "elementary.h"

void kernel_bytes_forward(float *restrict sum, const float *restrict W, size_t S,
                          const unsigned char *restrict x, const float *restrict value,
                          Range pixels)
{
    for (size_t o = 0; o < S; o++)
        sum[o] = 0.0f;
    for (size_t p = pixels.first; p < pixels.end; p++) {
        if (x[p] == 0)
            continue;
        float xp = value[x[p]];
        const float *restrict Wp = W + p * S;
        for (size_t o = 0; o < S; o++)
            sum[o] += xp * Wp[o];
    }
}

void kernel_bytes_accumulate(float *restrict into, size_t S, const unsigned char *restrict x,
                             size_t x_stride, const float *restrict value, const float *restrict dy,
                             size_t B, float scale, Range pixels)
{
    for (size_t p = pixels.first; p < pixels.end; p++) {
        const unsigned char *restrict xp = x + p * x_stride;
        for (size_t strip = 0; strip < S; strip += KERNEL_PAD) {
            float sum[KERNEL_PAD] = {0};
            for (size_t b = 0; b < B; b++) {
                if (xp[b] == 0)
                    continue;
                float xpb = value[xp[b]];
                const float *restrict dyb = dy + b * S + strip;
                for (size_t o = 0; o < KERNEL_PAD; o++)
                    sum[o] += xpb * dyb[o];
            }
            float *restrict row = into + p * S + strip;
            for (size_t o = 0; o < KERNEL_PAD; o++)
                row[o] += scale * sum[o];
        }
    }
}

void kernel_dense_forward(float *restrict y, const float *restrict W, const float *restrict b,
                          size_t S, const float *restrict x, size_t I)
{
    for (size_t o = 0; o < S; o++)
        y[o] = b[o];
    for (size_t i = 0; i < I; i++)
        for (size_t o = 0; o < S; o++)
            y[o] += x[i] * W[i * S + o];
}

void kernel_dense_backward(float *restrict dx, const float *restrict W, size_t S,
                           const float *restrict dy, size_t I, size_t O)
{
    for (size_t i = 0; i < I; i++) {
        float sum = 0.0f;
        for (size_t o = 0; o < O; o++)
            sum += W[i * S + o] * dy[o];
        dx[i] = sum;
    }
}

void kernel_dense_accumulate(float *restrict into, size_t S, const float *restrict x,
                             size_t x_stride, const float *restrict dy, size_t B, float scale,
                             Range rows)
{
    for (size_t i = rows.first; i < rows.end; i++)
        for (size_t strip = 0; strip < S; strip += KERNEL_PAD) {
            float sum[KERNEL_PAD] = {0};
            for (size_t b = 0; b < B; b++) {
                float xbi = x[b * x_stride + i];
                const float *restrict dyb = dy + b * S + strip;
                for (size_t o = 0; o < KERNEL_PAD; o++)
                    sum[o] += xbi * dyb[o];
            }
            float *restrict row = into + i * S + strip;
            for (size_t o = 0; o < KERNEL_PAD; o++)
                row[o] += scale * sum[o];
        }
}

void kernel_bias_accumulate(float *restrict into, size_t S, const float *restrict dy, size_t B,
                            float scale)
{
    for (size_t o = 0; o < S; o++) {
        float sum = 0.0f;
        for (size_t b = 0; b < B; b++)
            sum += dy[b * S + o];
        into[o] += scale * sum;
    }
}

void kernel_add(float *restrict y, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

void kernel_sigmoid_forward(float *restrict y, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = 1.0f / (1.0f + exp_f32(-x[i]));
}

void kernel_sigmoid_backward(float *restrict dx, const float *restrict y, const float *restrict dy,
                             size_t n)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] * (y[i] * (1.0f - y[i]));
}

float kernel_softmax_cross_entropy(float *restrict p, const float *restrict a, size_t C,
                                   size_t label)
{
    // Subtract the largest logit so that exp cannot overflow; softmax is unchanged.
    float largest = a[kernel_argmax(a, C)];
    float sum = 0.0f;
    for (size_t k = 0; k < C; k++) {
        p[k] = exp_f32(a[k] - largest);
        sum += p[k];
    }
    for (size_t k = 0; k < C; k++)
        p[k] = p[k] / sum;
    return log_f32(sum) - (a[label] - largest);
}

size_t kernel_argmax(const float *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}
