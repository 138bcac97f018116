// The scalar kernels: each formula of kernels.h as the shortest loop in its written order. They are
// the reference that every instruction set is compared with, bit for bit, and what runs where there
// is none. To read after kernels.h, and before simd_template.h.
#include "kernels.h"

#include "elementary.h"

#include <math.h>
#include <string.h>

static void scalar_sparse_list(uint16_t *entries, uint32_t *start, const ByteRows *rows, size_t I,
                               const ByteRows *next)
{
    (void)next;
    for (size_t e = 0; e < rows->n; e++) {
        const unsigned char *x = rows->row[e];
        start[e + 1] = start[e];
        for (size_t p = 0; p < I; p++)
            if (x[p] != 0)
                entries[start[e + 1]++] = (uint16_t)(p << 8 | x[p]);
    }
}

static void scalar_sparse_forward(const SumRows *sums, const float *restrict W, size_t S,
                                  const SparseRows *rows, size_t I, const float *value,
                                  unsigned char *restrict tile)
{
    if (tile != NULL)
        memset(tile, 0, I * TILE_EXAMPLES);
    for (size_t e = 0; e < rows->n; e++) {
        const uint16_t *entry = rows->row[e].entries, *end = entry + rows->row[e].length;
        for (const uint16_t *p = entry; tile != NULL && p < end; p++)
            tile[(*p >> 8) * TILE_EXAMPLES + e] = (unsigned char)*p;
        for (size_t strip = 0; strip < S; strip += KERNEL_PAD) {
            float *at = sums->at + e * sums->stride + strip, sum[KERNEL_PAD] = {0};
            if (sums->mode == SUM_CONTINUE)
                memcpy(sum, at, sizeof sum);
            for (const uint16_t *p = entry; p < end; p++) {
                float v = value[*p & 255];
                const float *row = W + (*p >> 8) * S + strip;
                for (size_t o = 0; o < KERNEL_PAD; o++)
                    sum[o] += v * row[o];
            }
            for (size_t o = 0; o < KERNEL_PAD; o++)
                at[o] = sums->mode == SUM_ADD ? at[o] + sum[o] : sum[o];
        }
    }
}

static void scalar_sparse_weight_gradient(float *restrict into, size_t S,
                                          const unsigned char *tiles, size_t B, size_t I,
                                          const float *value, const float *restrict dy, float scale,
                                          Range rows)
{
    for (size_t p = rows.first; p < rows.end; p++)
        for (size_t strip = 0; strip < S; strip += KERNEL_PAD) {
            float sum[KERNEL_PAD] = {0};
            for (size_t e = 0; e < B; e++) {
                size_t group = e / TILE_EXAMPLES, i = e % TILE_EXAMPLES;
                unsigned char pixel = tiles[(group * I + p) * TILE_EXAMPLES + i];
                if (pixel == 0)
                    continue;
                float v = value[pixel];
                for (size_t o = 0; o < KERNEL_PAD; o++)
                    sum[o] += v * dy[e * S + strip + o];
            }
            for (size_t o = 0; o < KERNEL_PAD; o++)
                into[p * S + strip + o] += scale * sum[o];
        }
}

static void scalar_make_quads(const QuadTable *table, const unsigned char *image)
{
    const unsigned char *below = image + table->pitch;
    for (size_t i = 0; i < table->n; i++)
        table->quads[i] = (uint32_t)image[i] | (uint32_t)image[i + 1] << 8 |
                          (uint32_t)below[i] << 16 | (uint32_t)below[i + 1] << 24;
}

static unsigned char interpolate(uint32_t quad, int32_t x, int32_t y)
{
    uint32_t u = (uint32_t)x >> (POSITION_BITS - 8) & 255;
    uint32_t v = (uint32_t)y >> (POSITION_BITS - 8) & 255;
    uint32_t upper = (256 - u) * (quad & 255) + u * (quad >> 8 & 255);
    uint32_t lower = (256 - u) * (quad >> 16 & 255) + u * (quad >> 24);
    return (unsigned char)(((256 - v) * upper + v * lower + (1 << 15)) >> 16);
}

static void scalar_sample_lines(unsigned char *to, const QuadTable *table, const SampleLines *lines)
{
    for (const SampleLine *line = lines->lines; line < lines->lines + lines->n; line++) {
        int32_t x = line->x, y = line->y;
        for (size_t i = 0; i < line->n; i++, x += lines->dx, y += lines->dy) {
            size_t row = (size_t)(y >> POSITION_BITS), column = (size_t)(x >> POSITION_BITS);
            to[line->to + i] = interpolate(table->quads[row * table->pitch + column], x, y);
        }
    }
}

static void scalar_sum_parts(float *y, const float *restrict part, size_t n, size_t S)
{
    for (size_t k = 0; k < n; k++)
        for (size_t o = 0; o < S; o++)
            y[o] += part[k * S + o];
}

static void scalar_dense_forward(float *restrict y, const float *restrict W, const float *b,
                                 size_t S, const float *x, size_t x_stride, size_t B, size_t I)
{
    for (size_t e = 0; e < B; e++, y += S, x += x_stride) {
        for (size_t o = 0; o < S; o++)
            y[o] = b[o];
        for (size_t i = 0; i < I; i++)
            for (size_t o = 0; o < S; o++)
                y[o] += x[i] * W[i * S + o];
    }
}

static void scalar_dense_backward(float *dx, size_t dx_stride, const float *W, size_t S,
                                  const float *dy, size_t B, size_t I, size_t O)
{
    for (size_t e = 0; e < B; e++)
        for (size_t i = 0; i < I; i++) {
            float sum = 0.0f;
            for (size_t o = 0; o < O; o++)
                sum += dy[e * S + o] * W[i * S + o];
            dx[e * dx_stride + i] = sum;
        }
}

static void scalar_dense_weight_gradient(float *restrict into, size_t S, const float *x,
                                         size_t x_stride, const float *restrict dy, size_t B,
                                         float scale, Range rows)
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

static void scalar_sigmoid_forward(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = 1.0f / (1.0f + exp_f32(-x[i]));
}

static void scalar_sigmoid_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] * (y[i] * (1.0f - y[i]));
}

static void scalar_tanh_forward(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = 2.0f / (1.0f + exp_f32(-2.0f * x[i])) - 1.0f;
}

static void scalar_tanh_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] * (1.0f - y[i] * y[i]);
}

static void scalar_relu_forward(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] <= 0.0f ? 0.0f : x[i];
}

static void scalar_relu_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

static void scalar_softmax_cross_entropy(float *p, float *loss, unsigned char *predicted,
                                         const float *a, size_t S, const unsigned char *label,
                                         size_t B, size_t C)
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

static void scalar_decay_step(float *p, size_t n, float decay)
{
    for (size_t i = 0; i < n; i++)
        p[i] -= decay * p[i];
}

static void scalar_momentum_step(float *restrict p, float *restrict v, float *restrict g, size_t n,
                                 float rate, float momentum)
{
    for (size_t i = 0; i < n; i++) {
        v[i] = momentum * v[i] + g[i];
        p[i] -= rate * (g[i] + momentum * v[i]);
        g[i] = 0.0f;
    }
}

static void scalar_adam_step(float *restrict p, float *restrict m, float *restrict v,
                             float *restrict g, size_t n, const AdamStep *step)
{
    for (size_t i = 0; i < n; i++) {
        m[i] += step->mean_share * (g[i] - m[i]);
        v[i] += step->square_share * (g[i] * g[i] - v[i]);
        p[i] -= step->rate * m[i] / (sqrtf(v[i]) * step->root_scale + step->epsilon);
        g[i] = 0.0f;
    }
}

static void scalar_average_step(float *restrict a, const float *restrict p, size_t n, float share)
{
    for (size_t i = 0; i < n; i++)
        a[i] += share * (p[i] - a[i]);
}

// ---------------------------------------------------------------------------------------------
// Images

// Where the window of an output position begins.
static size_t window_offset(const ConvShape *s, size_t position)
{
    return conv_offset(s, position / s->out_width, position % s->out_width);
}

static void scalar_conv_forward(float *restrict y, const float *W, size_t w_stride, const float *b,
                                const ConvShape *s, const float *restrict x, size_t B)
{
    size_t row_length = conv_row_length(s);
    for (size_t e = 0; e < B; e++, x += s->image_stride, y += s->out_image_stride)
        for (size_t position = 0; position < conv_positions(s); position++) {
            const float *window = x + window_offset(s, position);
            for (size_t o = 0; o < s->out_pitch; o++) {
                float sum = b[o] + 0.0f;
                for (size_t k = 0; o < s->channels && k < s->kernel_size * row_length; k++)
                    sum += window[k / row_length * s->width * s->pitch + k % row_length] *
                           W[o * w_stride + k];
                y[position * s->out_pitch + o] = sum;
            }
        }
}

static void scalar_conv_list_nonzeros(Nonzero *lists, const ConvShape *s, const float *dy, size_t B)
{
    for (size_t e = 0; e < B; e++, dy += s->out_image_stride)
        for (size_t o = 0; o < s->channels; o++) {
            Nonzero *list = lists + nonzeros_at(s, e, o);
            uint32_t n = 0;
            for (size_t position = 0; position < conv_positions(s); position++) {
                float value = dy[position * s->out_pitch + o];
                if (value != 0.0f)
                    list[++n] = (Nonzero){(uint32_t)window_offset(s, position), value};
            }
            list[0].at = n;
        }
}

static void scalar_conv_backward(float *restrict dx, const float *restrict W, size_t w_stride,
                                 const ConvShape *s, const Nonzero *lists, size_t B)
{
    size_t row_length = conv_row_length(s), row = s->width * s->pitch;
    for (size_t e = 0; e < B; e++, dx += s->image_stride) {
        memset(dx, 0, s->height * row * sizeof *dx);
        for (size_t o = 0; o < s->channels; o++) {
            const Nonzero *list = lists + nonzeros_at(s, e, o);
            for (size_t i = 1; i <= list[0].at; i++)
                for (size_t r = 0; r < s->kernel_size; r++)
                    for (size_t k = 0; k < row_length; k++)
                        dx[list[i].at + r * row + k] +=
                            list[i].value * W[o * w_stride + r * row_length + k];
        }
    }
}

static void scalar_conv_weight_gradient(float *restrict W, size_t w_stride, float *b,
                                        const ConvShape *s, Range channels, const float *restrict x,
                                        const Nonzero *lists, size_t B, float scale)
{
    size_t row_length = conv_row_length(s), row = s->width * s->pitch;
    for (size_t o = channels.first; o < channels.end; o++)
        for (size_t k = 0; k <= s->kernel_size * row_length; k++) { // the last is the bias
            float sum = 0.0f;
            for (size_t e = 0; e < B; e++) {
                const Nonzero *list = lists + nonzeros_at(s, e, o);
                const float *from = x + e * s->image_stride + k / row_length * row + k % row_length;
                for (size_t i = 1; i <= list[0].at; i++)
                    sum += k == s->kernel_size * row_length ? list[i].value
                                                            : list[i].value * from[list[i].at];
            }
            float *into = k == s->kernel_size * row_length ? &b[o] : &W[o * w_stride + k];
            *into += scale * sum;
        }
}

// Pixel k of the window that begins at `window`.
static size_t window_pixel(const ConvShape *s, size_t k)
{
    return (k / s->kernel_size * s->width + k % s->kernel_size) * s->pitch;
}

static void scalar_pool_forward(float *y, unsigned char *winner, size_t winner_stride,
                                const ConvShape *s, const float *x, size_t B)
{
    for (size_t e = 0; e < B; e++, x += s->image_stride)
        for (size_t i = 0; i < conv_positions(s) * s->out_pitch; i++) {
            size_t position = i / s->out_pitch, best = 0;
            const float *window = x + window_offset(s, position) + i % s->out_pitch;
            for (size_t k = 1; k < s->kernel_size * s->kernel_size; k++)
                if (window[window_pixel(s, k)] > window[window_pixel(s, best)])
                    best = k;
            y[e * s->out_image_stride + i] = window[window_pixel(s, best)];
            winner[e * winner_stride + i] = (unsigned char)best;
        }
}

static void scalar_pool_backward(float *dx, const unsigned char *winner, size_t winner_stride,
                                 const ConvShape *s, const float *dy, size_t B)
{
    for (size_t e = 0; e < B; e++, dx += s->image_stride) {
        memset(dx, 0, s->height * s->width * s->pitch * sizeof *dx);
        for (size_t i = 0; i < conv_positions(s) * s->out_pitch; i++) {
            size_t position = i / s->out_pitch;
            float *window = dx + window_offset(s, position) + i % s->out_pitch;
            window[window_pixel(s, winner[e * winner_stride + i])] =
                dy[e * s->out_image_stride + i];
        }
    }
}

static const ConvKernels scalar_conv_kernels = {
    .forward = scalar_conv_forward,
    .list_nonzeros = scalar_conv_list_nonzeros,
    .backward = scalar_conv_backward,
    .weight_gradient = scalar_conv_weight_gradient,
    .pool_forward = scalar_pool_forward,
    .pool_backward = scalar_pool_backward,
};

const Kernels kernels_scalar = {
    .isa = "scalar",
    .sparse_list = scalar_sparse_list,
    .sparse_forward = scalar_sparse_forward,
    .sparse_weight_gradient = scalar_sparse_weight_gradient,
    .make_quads = scalar_make_quads,
    .sample_lines = scalar_sample_lines,
    .sum_parts = scalar_sum_parts,
    .dense_forward = scalar_dense_forward,
    .dense_backward = scalar_dense_backward,
    .dense_weight_gradient = scalar_dense_weight_gradient,
    .sigmoid_forward = scalar_sigmoid_forward,
    .sigmoid_backward = scalar_sigmoid_backward,
    .tanh_forward = scalar_tanh_forward,
    .tanh_backward = scalar_tanh_backward,
    .relu_forward = scalar_relu_forward,
    .relu_backward = scalar_relu_backward,
    .softmax_cross_entropy = scalar_softmax_cross_entropy,
    .decay_step = scalar_decay_step,
    .momentum_step = scalar_momentum_step,
    .adam_step = scalar_adam_step,
    .average_step = scalar_average_step,
    .conv = &scalar_conv_kernels,
};
