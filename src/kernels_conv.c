// Convolution and max pooling in vectors, compiled once for each instruction set; see
// kernels_conv.h for what they compute and kernels_plain.c for the same in plain loops. A vector's
// lanes are channels, or the weights of one window.
#include "vectors.h"

enum {
    MAX_ROWS = 64,      // of an image whose dark pixels are noted, one bit each
    AT_ONCE = 10,       // vectors of a window's gradient that are kept in registers
    NARROW_ROWS = 5,    // rows of a window that are taken at once when they are short
    CHANNELS_AT_ONCE = 4 // whose gradients are kept in the innermost cache
};

// ---------------------------------------------------------------------------------------------
// Forward: a tile of neighbouring places by KERNEL_PAD channels

// Bit c of lit[r]: pixel (r, c) is not zero. Only images of one float a pixel are looked at, which
// are dark for the most part; of others, and of large ones, nothing is known (false).
static bool lit_rows(uint64_t lit[MAX_ROWS], const Windows *w, const float *x)
{
    if (w->pitch != 1 || w->height > MAX_ROWS || w->width > 64)
        return false;
    for (size_t r = 0; r < w->height; r++) {
        lit[r] = 0;
        for (size_t c = 0; c < w->width; c++)
            lit[r] |= (uint64_t)(x[r * w->width + c] != 0.0f) << c;
    }
    return true;
}

typedef struct ConvTile {
    const Windows *windows;
    const float *weights; // (rows of the window, run, KERNEL_PAD)
    size_t n_rows;        // of the window
    const float *bias;    // NULL: go on from y
    const uint64_t *lit;  // of the image's row that the window begins in; NULL: not known
} ConvTile;

// `places` neighbouring places, the windows from x on, their first pixel in column `column`.
INLINE void conv_tile(float *y, const ConvTile *t, const float *x, size_t column, size_t places)
{
    const Windows *w = t->windows;
    size_t run = windows_run(w), next = w->step * w->pitch, row = w->width * w->pitch;
    size_t seen = (places - 1) * w->step + w->side; // columns
    const float *weights = t->weights;
    Vector sum[TILE_ROWS][PAD_VECTORS];
#pragma GCC unroll 16
    for (size_t p = 0; p < places; p++)
#pragma GCC unroll 4
        for (size_t j = 0; j < PAD_VECTORS; j++)
            sum[p][j] = t->bias != NULL ? (Vector)(load(t->bias + j * LANES) + 0.0f)
                                        : load(y + p * w->out_pitch + j * LANES);
    for (size_t r = 0; r < t->n_rows; r++, x += row, weights += run * KERNEL_PAD) {
        if (t->lit != NULL && (t->lit[r] >> column) << (64 - seen) == 0)
            continue;
        for (size_t k = 0; k < run; k++)
#pragma GCC unroll 16
            for (size_t p = 0; p < places; p++) {
                Vector v = splat(x[p * next + k]);
#pragma GCC unroll 4
                for (size_t j = 0; j < PAD_VECTORS; j++)
                    sum[p][j] += v * load(weights + k * KERNEL_PAD + j * LANES);
            }
    }
#pragma GCC unroll 16
    for (size_t p = 0; p < places; p++)
#pragma GCC unroll 4
        for (size_t j = 0; j < PAD_VECTORS; j++)
            store(y + p * w->out_pitch + j * LANES, sum[p][j]);
}

// One strip of channels, and some rows of the window from `first` on, of one image.
static void forward_image(float *y, ConvTile *t, size_t first, const float *x)
{
    const Windows *w = t->windows;
    uint64_t lit[MAX_ROWS];
    bool is_known = lit_rows(lit, w, x) && TILE_ROWS * w->step + w->side <= 64;
    x += first * w->width * w->pitch;
    for (size_t row = 0; row < w->out_height; row++) {
        t->lit = is_known ? lit + row * w->step + first : NULL;
        for (size_t column = 0; column < w->out_width;) {
            const float *window = x + windows_at(w, row, column);
            float *to = y + (row * w->out_width + column) * w->out_pitch;
            if (w->out_width - column >= TILE_ROWS) {
                conv_tile(to, t, window, column * w->step, TILE_ROWS);
                column += TILE_ROWS;
            } else {
                conv_tile(to, t, window, column * w->step, 1);
                column++;
            }
        }
    }
}

static void conv_forward(float *y, const float *W, size_t w_stride, const float *b,
                         const Windows *w, const float *x, size_t B)
{
    float transposed[WINDOWS_MAX_RUN * KERNEL_PAD] __attribute__((aligned(64)));
    size_t run = windows_run(w), rows_at_once = WINDOWS_MAX_RUN / run;
    for (size_t o = 0; o < w->out_pitch; o += KERNEL_PAD)
        for (size_t first = 0; first < w->side; first += rows_at_once) {
            size_t left = w->side - first, rows = left < rows_at_once ? left : rows_at_once;
            for (size_t j = 0; j < KERNEL_PAD; j++)
                for (size_t k = 0; k < rows * run; k++)
                    transposed[k * KERNEL_PAD + j] =
                        o + j < w->channels ? W[(o + j) * w_stride + first * run + k] : 0.0f;
            ConvTile tile = {.windows = w,
                             .weights = transposed,
                             .n_rows = rows,
                             .bias = first == 0 ? b + o : NULL};
            for (size_t e = 0; e < B; e++)
                forward_image(y + e * w->place_stride + o, &tile, first, x + e * w->image_stride);
        }
}

// ---------------------------------------------------------------------------------------------
// Backward: the few values of dL/dy that are not zero

// Bit l: lane l is not zero.
INLINE unsigned nonzero_lanes(Vector v)
{
#if defined KERNELS_AVX512
    return _mm512_cmp_ps_mask((__m512)v, _mm512_setzero_ps(), _CMP_NEQ_UQ);
#elif defined KERNELS_AVX2
    __m256 is_nonzero = _mm256_cmp_ps((__m256)v, _mm256_setzero_ps(), _CMP_NEQ_UQ);
    return (unsigned)_mm256_movemask_ps(is_nonzero);
#elif defined KERNELS_SSE2
    return (unsigned)_mm_movemask_ps(_mm_cmpneq_ps((__m128)v, _mm_setzero_ps()));
#else
    unsigned lanes = 0;
    for (unsigned l = 0; l < LANES; l++)
        lanes |= (unsigned)(v[l] != 0.0f) << l;
    return lanes;
#endif
}

static void conv_collect(Nonzero *lists, const Windows *w, const float *dy, size_t B)
{
    size_t list_room = 1 + windows_places(w);
    for (size_t e = 0; e < B; e++, lists += nonzeros_room(w)) {
        for (size_t o = 0; o < w->channels; o++)
            lists[o * list_room].at = 0;
        const float *at = dy + e * w->place_stride;
        for (size_t row = 0; row < w->out_height; row++)
            for (size_t column = 0; column < w->out_width; column++, at += w->out_pitch)
                for (size_t o = 0; o < w->out_pitch; o += LANES) {
                    unsigned lanes = nonzero_lanes(load(at + o));
                    for (; lanes != 0; lanes &= lanes - 1) {
                        size_t channel = o + (size_t)__builtin_ctz(lanes);
                        Nonzero *list = lists + channel * list_room;
                        uint32_t n = ++list[0].at;
                        list[n] =
                            (Nonzero){(uint32_t)windows_at(w, row, column), at[channel]};
                    }
                }
    }
}

// One value's part of dx: side runs of scaled weights, each vectors * LANES long.
INLINE void scatter_window(float *dx, const float *W, const Windows *w, float value, size_t vectors)
{
    size_t row = w->width * w->pitch;
    for (size_t r = 0; r < w->side; r++, dx += row)
#pragma GCC unroll 16
        for (size_t j = 0; j < vectors; j++, W += LANES)
            store(dx + j * LANES, load(dx + j * LANES) + splat(value) * load(W));
}

// The same for images of any pitch.
static void scatter_narrow(float *dx, const float *W, const Windows *w, float value)
{
    for (size_t r = 0; r < w->side; r++, dx += w->width * w->pitch)
        for (size_t k = 0; k < windows_run(w); k++)
            dx[k] += value * *W++;
}

static void conv_backward(float *dx, const float *W, size_t w_stride, const Windows *w,
                          const Nonzero *lists, size_t B)
{
    bool is_narrow = w->pitch % KERNEL_PAD != 0;
    size_t vectors = windows_run(w) / LANES;
    for (size_t e = 0; e < B; e++, dx += w->image_stride) {
        memset(dx, 0, w->height * w->width * w->pitch * sizeof *dx);
        for (size_t o = 0; o < w->channels; o++) {
            const float *weights = W + o * w_stride;
            const Nonzero *list = lists + nonzeros_at(w, e, o);
            for (const Nonzero *v = list + 1, *end = v + list[0].at; v < end; v++)
                if (is_narrow)
                    scatter_narrow(dx + v->at, weights, w, v->value);
                else if (vectors == AT_ONCE)
                    scatter_window(dx + v->at, weights, w, v->value, AT_ONCE);
                else
                    scatter_window(dx + v->at, weights, w, v->value, vectors);
        }
    }
}

// `vectors` vectors of each of `rows` rows of a window's sums += value * x over a list.
INLINE void gather_rows(float *sum, size_t sum_row, const float *x, size_t x_row,
                        const Nonzero *list, size_t rows, size_t vectors)
{
    Vector s[NARROW_ROWS * 2 > AT_ONCE ? NARROW_ROWS * 2 : AT_ONCE];
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 16
        for (size_t j = 0; j < vectors; j++)
            s[r * vectors + j] = load(sum + r * sum_row + j * LANES);
    for (const Nonzero *v = list + 1, *end = v + list[0].at; v < end; v++) {
        const float *from = x + v->at;
        Vector value = splat(v->value);
#pragma GCC unroll 16
        for (size_t r = 0; r < rows; r++, from += x_row)
#pragma GCC unroll 16
            for (size_t j = 0; j < vectors; j++)
                s[r * vectors + j] += value * load_any(from + j * LANES);
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 16
        for (size_t j = 0; j < vectors; j++)
            store(sum + r * sum_row + j * LANES, s[r * vectors + j]);
}

// The whole window.
static void gather_window(float *sum, size_t sum_row, const float *x, const Windows *w,
                          const Nonzero *list)
{
    size_t x_row = w->width * w->pitch, vectors = sum_row / LANES, r = 0;
    if (windows_run(w) <= LANES)
        for (; w->side - r >= NARROW_ROWS; r += NARROW_ROWS)
            gather_rows(sum + r * sum_row, sum_row, x + r * x_row, x_row, list, NARROW_ROWS, 1);
    else if (windows_run(w) <= 2 * LANES)
        for (; w->side - r >= NARROW_ROWS; r += NARROW_ROWS)
            gather_rows(sum + r * sum_row, sum_row, x + r * x_row, x_row, list, NARROW_ROWS, 2);
    for (; r < w->side; r++) {
        float *to = sum + r * sum_row;
        const float *from = x + r * x_row;
        size_t left = vectors;
        for (; left >= AT_ONCE; left -= AT_ONCE, to += AT_ONCE * LANES, from += AT_ONCE * LANES)
            gather_rows(to, sum_row, from, x_row, list, 1, AT_ONCE);
        for (; left >= AT_ONCE / 2;
             left -= AT_ONCE / 2, to += AT_ONCE / 2 * LANES, from += AT_ONCE / 2 * LANES)
            gather_rows(to, sum_row, from, x_row, list, 1, AT_ONCE / 2);
        for (; left > 0; left--, to += LANES, from += LANES)
            gather_rows(to, sum_row, from, x_row, list, 1, 1);
    }
}

static void conv_accumulate(float *W, size_t w_stride, float *b, const Windows *w, Range channels,
                            const float *x, const Nonzero *lists, size_t B, float scale)
{
    enum { MAX_SIZE = WINDOWS_MAX_SIDE * (WINDOWS_MAX_RUN + KERNEL_PAD) };
    float sums[CHANNELS_AT_ONCE * MAX_SIZE] __attribute__((aligned(64)));
    size_t run = windows_run(w), sum_row = round_up(run, KERNEL_PAD), size = w->side * sum_row;
    for (size_t o = channels.first, n; o < channels.end; o += n) {
        n = channels.end - o < CHANNELS_AT_ONCE ? channels.end - o : CHANNELS_AT_ONCE;
        float bias[CHANNELS_AT_ONCE] = {0};
        memset(sums, 0, n * size * sizeof *sums);
        for (size_t e = 0; e < B; e++)
            for (size_t c = 0; c < n; c++) {
                const Nonzero *list = lists + nonzeros_at(w, e, o + c);
                gather_window(sums + c * size, sum_row, x + e * w->image_stride, w, list);
                for (size_t i = 1; i <= list[0].at; i++)
                    bias[c] += list[i].value;
            }
        for (size_t c = 0; c < n; c++) {
            b[o + c] += scale * bias[c];
            for (size_t r = 0; r < w->side; r++)
                for (size_t k = 0; k < run; k++)
                    W[(o + c) * w_stride + r * run + k] +=
                        scale * sums[c * size + r * sum_row + k];
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Max pooling

static void pool_forward(float *y, const Windows *w, const float *x, size_t B)
{
    for (size_t e = 0; e < B; e++, x += w->image_stride, y += w->place_stride)
        for (size_t place = 0; place < windows_places(w); place++) {
            const float *window = x + windows_at(w, place / w->out_width, place % w->out_width);
            for (size_t c = 0; c < w->out_pitch; c += LANES) {
                Vector best = load(window + c);
                for (size_t r = 0; r < w->side; r++)
                    for (size_t k = 0; k < w->side; k++) {
                        Vector v = load(window + (r * w->width + k) * w->pitch + c);
                        best = choose(v > best, v, best);
                    }
                store(y + place * w->out_pitch + c, best);
            }
        }
}

static void pool_backward(float *dx, const Windows *w, const float *x, const float *y,
                          const float *dy, size_t B)
{
    bool is_covered = w->step == w->side && w->out_height * w->side == w->height &&
                      w->out_width * w->side == w->width;
    for (size_t e = 0; e < B; e++) {
        if (!is_covered)
            memset(dx, 0, w->height * w->width * w->pitch * sizeof *dx);
        for (size_t place = 0; place < windows_places(w); place++) {
            size_t at = windows_at(w, place / w->out_width, place % w->out_width);
            for (size_t c = 0; c < w->out_pitch; c += LANES) {
                Vector best = load(y + place * w->out_pitch + c);
                Vector left = load(dy + place * w->out_pitch + c);
                for (size_t r = 0; r < w->side; r++)
                    for (size_t k = 0; k < w->side; k++) {
                        size_t here = at + (r * w->width + k) * w->pitch + c;
                        Ints is_best = load(x + here) == best;
                        store(dx + here, choose(is_best, left, splat(0.0f)));
                        left = choose(is_best, splat(0.0f), left);
                    }
            }
        }
        x += w->image_stride, dx += w->image_stride;
        y += w->place_stride, dy += w->place_stride;
    }
}

const ConvKernels KERNEL(conv_kernels) = {
    .forward = conv_forward,
    .collect = conv_collect,
    .backward = conv_backward,
    .accumulate = conv_accumulate,
    .pool_forward = pool_forward,
    .pool_backward = pool_backward,
};
