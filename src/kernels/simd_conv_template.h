// Convolution and max pooling in vectors, compiled once for each instruction set; see
// kernels_conv.h for what they compute and kernels_plain.c for the same in plain loops. A vector's
// lanes are channels, or the weights of one window.

enum {
    MAX_ROWS = 64,   // of an image whose dark pixels are noted, one bit each
    AT_ONCEX = 10,    // vectors of a window's gradient that are kept in registers
    NARROW_ROWS = 5, // rows of a window that are taken at once when they are short
    NARROW_RUN = 5,  // floats in a row of a first convolution's window
    // Channels whose gradients are summed at once: as many as the stack has room for, so that the
    // images pass seldom; a few images at a time, so that the sums do not pass often either.
    CHANNELS_AT_ONCE = 4, // of the largest windows
    MAX_CHANNELS = 64,
    EXAMPLES_AT_ONCE = 4
};

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

// ---------------------------------------------------------------------------------------------
// Forward: a tile of neighbouring places by KERNEL_PAD channels

// Bit c of lit[r]: pixel (r, c) is not zero. Only images of one float a pixel are looked at, which
// are dark for the most part; of others, and of large ones, nothing is known (false).
static bool lit_rows(uint64_t lit[MAX_ROWS], const ConvShape *w, const float *x)
{
    if (w->pitch != 1 || w->height > MAX_ROWS || w->width < 1 || w->width > 64)
        return false;
    for (size_t r = 0; r < w->height; r++) {
        lit[r] = 0; // what lies behind a row is cut off; images have room behind them
        for (size_t c = 0; c < w->width; c += LANES)
            lit[r] |= (uint64_t)nonzero_lanes(load_any(x + r * w->width + c)) << c;
        lit[r] &= UINT64_MAX >> (64 - w->width);
    }
    return true;
}

typedef struct ConvTile {
    const ConvShape *conv;
    const float *weights; // (rows of the window, run, KERNEL_PAD)
    size_t n_rows;        // of the window
    const float *bias;    // NULL: go on from y
    const uint64_t *lit;  // of the image's row that the window begins in; NULL: not known
} ConvTile;

// `places` neighbouring places, the windows from x on, their first pixel in column `column`; `run`
// is conv_row_length(), a constant where it is known.
INLINE void conv_tile(float *y, const ConvTile *t, const float *x, size_t column, size_t places,
                      size_t run)
{
    const ConvShape *w = t->conv;
    size_t next = w->stride * w->pitch, row = w->width * w->pitch;
    size_t seen = (places - 1) * w->stride + w->kernel_size; // columns
    const float *weights = t->weights;
    Vector sum[TILE_ROWS][PAD_VECTORS];
    UNROLL
    for (size_t p = 0; p < places; p++) {
        UNROLL
        for (size_t j = 0; j < PAD_VECTORS; j++)
            sum[p][j] = t->bias != NULL ? (Vector)(load(t->bias + j * LANES) + 0.0f)
                                        : load(y + p * w->out_pitch + j * LANES);
    }
    for (size_t r = 0; r < t->n_rows; r++, x += row, weights += run * KERNEL_PAD) {
        if (t->lit != NULL && (t->lit[r] >> column) << (64 - seen) == 0)
            continue;
#pragma GCC unroll 5
        for (size_t k = 0; k < run; k++) {
            UNROLL
            for (size_t p = 0; p < places; p++) {
                Vector v = splat(x[p * next + k]);
                UNROLL
                for (size_t j = 0; j < PAD_VECTORS; j++)
                    sum[p][j] += v * load(weights + k * KERNEL_PAD + j * LANES);
            }
        }
    }
    UNROLL
    for (size_t p = 0; p < places; p++) {
        UNROLL
        for (size_t j = 0; j < PAD_VECTORS; j++)
            store(y + p * w->out_pitch + j * LANES, sum[p][j]);
    }
}

// One strip of channels, and some rows of the window from `first` on, of one image.
INLINE void forward_image(float *y, ConvTile *t, size_t first, const float *x, size_t run)
{
    const ConvShape *w = t->conv;
    uint64_t lit[MAX_ROWS];
    bool is_known = lit_rows(lit, w, x) && TILE_ROWS * w->stride + w->kernel_size <= 64;
    x += first * w->width * w->pitch;
    for (size_t row = 0; row < w->out_height; row++) {
        t->lit = is_known ? lit + row * w->stride + first : NULL;
        for (size_t column = 0; column < w->out_width;) {
            const float *window = x + conv_offset(w, row, column);
            float *to = y + (row * w->out_width + column) * w->out_pitch;
            if (w->out_width - column >= TILE_ROWS) {
                conv_tile(to, t, window, column * w->stride, TILE_ROWS, run);
                column += TILE_ROWS;
            } else {
                conv_tile(to, t, window, column * w->stride, 1, run);
                column++;
            }
        }
    }
}

static void conv_forward(float *y, const float *W, size_t w_stride, const float *b,
                         const ConvShape *w, const float *x, size_t B)
{
    float transposed[CONV_MAX_ROW * KERNEL_PAD] __attribute__((aligned(64)));
    size_t run = conv_row_length(w), rows_at_once = CONV_MAX_ROW / run;
    for (size_t o = 0; o < w->out_pitch; o += KERNEL_PAD)
        for (size_t first = 0; first < w->kernel_size; first += rows_at_once) {
            size_t left = w->kernel_size - first, rows = left < rows_at_once ? left : rows_at_once;
            for (size_t j = 0; j < KERNEL_PAD; j++)
                for (size_t k = 0; k < rows * run; k++)
                    transposed[k * KERNEL_PAD + j] =
                        o + j < w->channels ? W[(o + j) * w_stride + first * run + k] : 0.0f;
            ConvTile tile = {.conv = w,
                             .weights = transposed,
                             .n_rows = rows,
                             .bias = first == 0 ? b + o : NULL};
            for (size_t e = 0; e < B; e++) {
                float *to = y + e * w->out_image_stride + o;
                if (run == NARROW_RUN)
                    forward_image(to, &tile, first, x + e * w->image_stride, NARROW_RUN);
                else
                    forward_image(to, &tile, first, x + e * w->image_stride, run);
            }
        }
}

// ---------------------------------------------------------------------------------------------
// Backward: the few values of dL/dy that are not zero

// Bit 16 p + c of the result: channel c of place p is not zero, of n <= 4 neighbouring places. One
// word of many bits costs one mispredicted branch; a few bits at a time cost one each.
INLINE uint64_t nonzero_channels(const float *dy, size_t pitch, size_t n)
{
    uint64_t bits = 0;
    for (size_t p = 0; p < n; p++)
        for (size_t j = 0; j < PAD_VECTORS; j++)
            bits |= (uint64_t)nonzero_lanes(load(dy + p * pitch + j * LANES))
                    << (p * KERNEL_PAD + j * LANES);
    return bits;
}

static void collect_image(Nonzero *lists, const ConvShape *w, const float *dy)
{
    enum { PLACES = 64 / KERNEL_PAD };
    size_t list_room = 1 + conv_positions(w), next = w->stride * w->pitch;
    for (size_t o = 0; o < w->channels; o++)
        lists[o * list_room].at = 0;
    for (size_t row = 0; row < w->out_height; row++)
        for (size_t column = 0; column < w->out_width; column += PLACES) {
            size_t left = w->out_width - column;
            const float *at = dy + (row * w->out_width + column) * w->out_pitch;
            uint32_t window = (uint32_t)conv_offset(w, row, column);
            for (size_t o = 0; o < w->out_pitch; o += KERNEL_PAD) {
                uint64_t bits = left >= PLACES ? nonzero_channels(at + o, w->out_pitch, PLACES)
                                               : nonzero_channels(at + o, w->out_pitch, left);
                if (w->channels - o < KERNEL_PAD) // whatever the padding holds
                    bits &= ((UINT64_C(1) << (w->channels - o)) - 1) * UINT64_C(0x0001000100010001);
                for (; bits != 0; bits &= bits - 1) {
                    size_t bit = (size_t)__builtin_ctzll(bits);
                    size_t place = bit / KERNEL_PAD, channel = o + bit % KERNEL_PAD;
                    Nonzero *list = lists + channel * list_room;
                    uint32_t n = ++list[0].at;
                    list[n] = (Nonzero){window + (uint32_t)(place * next),
                                        at[place * w->out_pitch + channel]};
                }
            }
        }
}

static void conv_collect(Nonzero *lists, const ConvShape *w, const float *dy, size_t B)
{
    for (size_t e = 0; e < B; e++)
        collect_image(lists + nonzeros_at(w, e, 0), w, dy + e * w->out_image_stride);
}

// One value's part of dx: side runs of scaled weights, each vectors * LANES long.
INLINE void scatter_window(float *dx, const float *W, const ConvShape *w, float value,
                           size_t vectors)
{
    size_t row = w->width * w->pitch;
    for (size_t r = 0; r < w->kernel_size; r++, dx += row) {
        UNROLL
        for (size_t j = 0; j < vectors; j++, W += LANES)
            store(dx + j * LANES, load(dx + j * LANES) + splat(value) * load(W));
    }
}

// The same for images of any pitch.
static void scatter_narrow(float *dx, const float *W, const ConvShape *w, float value)
{
    for (size_t r = 0; r < w->kernel_size; r++, dx += w->width * w->pitch)
        for (size_t k = 0; k < conv_row_length(w); k++)
            dx[k] += value * *W++;
}

static void conv_backward(float *dx, const float *W, size_t w_stride, const ConvShape *w,
                          const Nonzero *lists, size_t B)
{
    bool is_narrow = w->pitch % KERNEL_PAD != 0;
    size_t vectors = conv_row_length(w) / LANES;
    for (size_t e = 0; e < B; e++, dx += w->image_stride) {
        memset(dx, 0, w->height * w->width * w->pitch * sizeof *dx);
        for (size_t o = 0; o < w->channels; o++) {
            const float *weights = W + o * w_stride;
            const Nonzero *list = lists + nonzeros_at(w, e, o);
            for (const Nonzero *v = list + 1, *end = v + list[0].at; v < end; v++)
                if (is_narrow)
                    scatter_narrow(dx + v->at, weights, w, v->value);
                else if (vectors == AT_ONCEX)
                    scatter_window(dx + v->at, weights, w, v->value, AT_ONCEX);
                else
                    scatter_window(dx + v->at, weights, w, v->value, vectors);
        }
    }
}

// `vectors` vectors of each of `rows` rows of a window's sums += value * x over a list.
INLINE void gather_rows(float *sum, size_t sum_row, const float *x, size_t x_row,
                        const Nonzero *list, size_t rows, size_t vectors)
{
    Vector s[NARROW_ROWS * 2 > AT_ONCEX ? NARROW_ROWS * 2 : AT_ONCEX];
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            s[r * vectors + j] = load(sum + r * sum_row + j * LANES);
    }
    for (const Nonzero *v = list + 1, *end = v + list[0].at; v < end; v++) {
        const float *from = x + v->at;
        Vector value = splat(v->value);
        UNROLL
        for (size_t r = 0; r < rows; r++, from += x_row) {
            UNROLL
            for (size_t j = 0; j < vectors; j++)
                s[r * vectors + j] += value * load_any(from + j * LANES);
        }
    }
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            store(sum + r * sum_row + j * LANES, s[r * vectors + j]);
    }
}

// The whole window.
static void gather_window(float *sum, size_t sum_row, const float *x, const ConvShape *w,
                          const Nonzero *list)
{
    size_t x_row = w->width * w->pitch, vectors = sum_row / LANES, r = 0;
    if (conv_row_length(w) <= LANES)
        for (; w->kernel_size - r >= NARROW_ROWS; r += NARROW_ROWS)
            gather_rows(sum + r * sum_row, sum_row, x + r * x_row, x_row, list, NARROW_ROWS, 1);
    else if (conv_row_length(w) <= 2 * LANES)
        for (; w->kernel_size - r >= NARROW_ROWS; r += NARROW_ROWS)
            gather_rows(sum + r * sum_row, sum_row, x + r * x_row, x_row, list, NARROW_ROWS, 2);
    for (; r < w->kernel_size; r++) {
        float *to = sum + r * sum_row;
        const float *from = x + r * x_row;
        size_t left = vectors;
        for (; left >= AT_ONCEX; left -= AT_ONCEX, to += AT_ONCEX * LANES, from += AT_ONCEX * LANES)
            gather_rows(to, sum_row, from, x_row, list, 1, AT_ONCEX);
        for (; left >= AT_ONCEX / 2;
             left -= AT_ONCEX / 2, to += AT_ONCEX / 2 * LANES, from += AT_ONCEX / 2 * LANES)
            gather_rows(to, sum_row, from, x_row, list, 1, AT_ONCEX / 2);
        for (; left > 0; left--, to += LANES, from += LANES)
            gather_rows(to, sum_row, from, x_row, list, 1, 1);
    }
}

static void conv_weight_gradient(float *W, size_t w_stride, float *b, const ConvShape *w,
                                 Range channels, const float *x, const Nonzero *lists, size_t B,
                                 float scale)
{
    enum { MAX_SIZE = CONV_MAX_KERNEL * (CONV_MAX_ROW + KERNEL_PAD) };
    float sums[CHANNELS_AT_ONCE * MAX_SIZE] __attribute__((aligned(64)));
    size_t run = conv_row_length(w), sum_row = round_up(run, KERNEL_PAD),
           size = w->kernel_size * sum_row;
    size_t at_once = sizeof sums / sizeof *sums / size;
    at_once = at_once < MAX_CHANNELS ? at_once : MAX_CHANNELS;
    for (size_t o = channels.first, n; o < channels.end; o += n) {
        n = channels.end - o < at_once ? channels.end - o : at_once;
        float bias[MAX_CHANNELS] = {0};
        memset(sums, 0, n * size * sizeof *sums);
        for (size_t first = 0; first < B; first += EXAMPLES_AT_ONCE)
            for (size_t c = 0; c < n; c++)
                for (size_t e = first; e < B && e < first + EXAMPLES_AT_ONCE; e++) {
                    const Nonzero *list = lists + nonzeros_at(w, e, o + c);
                    gather_window(sums + c * size, sum_row, x + e * w->image_stride, w, list);
                    for (size_t i = 1; i <= list[0].at; i++)
                        bias[c] += list[i].value;
                }
        for (size_t c = 0; c < n; c++) {
            b[o + c] += scale * bias[c];
            for (size_t r = 0; r < w->kernel_size; r++)
                for (size_t k = 0; k < run; k++)
                    W[(o + c) * w_stride + r * run + k] += scale * sums[c * size + r * sum_row + k];
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Max pooling

// One byte for each lane.
typedef unsigned char LaneBytes __attribute__((vector_size(LANES), may_alias));

// The windows of one image; `side` is w->kernel_size, a constant where it is known.
INLINE void pool_image(float *y, unsigned char *winner, const ConvShape *w, const float *x,
                       size_t side)
{
    size_t next = w->stride * w->pitch, x_row = w->width * w->pitch;
    for (size_t row = 0; row < w->out_height; row++)
        for (size_t column = 0; column < w->out_width; column++) {
            const float *window = x + row * w->stride * x_row + column * next;
            for (size_t c = 0; c < w->out_pitch; c += LANES) {
                Vector best = load(window + c);
                Ints first = {0};
#pragma GCC unroll 4
                for (size_t r = 0; r < side; r++)
#pragma GCC unroll 4
                    for (size_t k = 0; k < side; k++) {
                        Vector v = load(window + r * x_row + k * w->pitch + c);
                        Ints above = v > best;
                        best = choose(above, v, best);
                        first = (first & ~above) | (above & (int32_t)(r * side + k));
                    }
                store(y + c, best);
                *(LaneBytes *)(winner + c) = __builtin_convertvector(first, LaneBytes);
            }
            y += w->out_pitch, winner += w->out_pitch;
        }
}

static void pool_forward(float *y, unsigned char *winner, size_t winner_stride, const ConvShape *w,
                         const float *x, size_t B)
{
    for (size_t e = 0; e < B; e++) {
        float *to = y + e * w->out_image_stride;
        unsigned char *winners = winner + e * winner_stride;
        if (w->kernel_size == 2)
            pool_image(to, winners, w, x + e * w->image_stride, 2);
        else
            pool_image(to, winners, w, x + e * w->image_stride, w->kernel_size);
    }
}

INLINE void unpool_image(float *dx, const unsigned char *winner, const ConvShape *w,
                         const float *dy, size_t side)
{
    size_t next = w->stride * w->pitch, x_row = w->width * w->pitch;
    for (size_t row = 0; row < w->out_height; row++)
        for (size_t column = 0; column < w->out_width; column++) {
            float *window = dx + row * w->stride * x_row + column * next;
            for (size_t c = 0; c < w->out_pitch; c += LANES) {
                Vector v = load(dy + c);
                Ints best = __builtin_convertvector(*(const LaneBytes *)(winner + c), Ints);
#pragma GCC unroll 4
                for (size_t r = 0; r < side; r++)
#pragma GCC unroll 4
                    for (size_t k = 0; k < side; k++) {
                        Ints here = best == (int32_t)(r * side + k);
                        store(window + r * x_row + k * w->pitch + c, (Vector)((Ints)v & here));
                    }
            }
            dy += w->out_pitch, winner += w->out_pitch;
        }
}

static void pool_backward(float *dx, const unsigned char *winner, size_t winner_stride,
                          const ConvShape *w, const float *dy, size_t B)
{
    bool is_covered = w->stride == w->kernel_size && w->out_height * w->kernel_size == w->height &&
                      w->out_width * w->kernel_size == w->width;
    for (size_t e = 0; e < B; e++, dx += w->image_stride) {
        const unsigned char *winners = winner + e * winner_stride;
        const float *from = dy + e * w->out_image_stride;
        if (!is_covered)
            memset(dx, 0, w->height * w->width * w->pitch * sizeof *dx);
        if (w->kernel_size == 2)
            unpool_image(dx, winners, w, from, 2);
        else
            unpool_image(dx, winners, w, from, w->kernel_size);
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
