// Convolution and max pooling in vectors; kernels_conv.h says what is computed. Part of
// simd_template.h. A vector's lanes are channels, or the weights of one window.
enum {
    MAX_ROWS = 64,   // of an image whose nonzero pixels are known, one bit each
    NARROW_ROWS = 5, // rows of a window that are summed at once when they are short
    NARROW_ROW = 5,  // floats in a row of a first convolution's window
    // Channels whose weight gradients are summed before the next: as many as the stack allows, so
    // that the images pass seldom; a few images at a time, so that the sums do not pass often.
    MAX_CHANNELS = 64,
    MAX_SUMS = 16 * 1024, // floats
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
// Forward: a tile of neighbouring output positions by some vectors of channels

// Bit c of nonzero[r]: pixel (r, c) is not zero. Only images of one float per pixel are looked at,
// which are mostly zero; of others, and of large ones, nothing is known (false).
static bool nonzero_rows(uint64_t nonzero[MAX_ROWS], const ConvShape *s, const float *x)
{
    if (s->pitch != 1 || s->height > MAX_ROWS || s->width < 1 || s->width > 64)
        return false;
    for (size_t r = 0; r < s->height; r++) {
        nonzero[r] = 0; // bits behind the row are cut off; images have room behind them
        for (size_t c = 0; c < s->width; c += LANES)
            nonzero[r] |= (uint64_t)nonzero_lanes(load_unaligned(x + r * s->width + c)) << c;
        nonzero[r] &= UINT64_MAX >> (64 - s->width);
    }
    return true;
}

typedef struct ConvTile {
    const ConvShape *shape;
    const float *weights, *bias; // weights (window,vectors * LANES)
    const uint64_t *nonzero;     // of the row that the window begins in; NULL: not known
} ConvTile;

// The floats of a window's row that are neighbours and no padding: of a pixel, or of all.
static size_t conv_run(const ConvShape *s)
{
    return s->in_channels < s->pitch ? s->in_channels : conv_row_length(s);
}

// `vectors` vectors of channels at `positions` neighbouring positions, whose windows begin at x,
// the first in column `column` of the image; `run` is conv_run(), a constant where it is known.
INLINE void conv_tile(float *y, const ConvTile *t, const float *x, size_t column, size_t positions,
                      size_t vectors, size_t run)
{
    const ConvShape *s = t->shape;
    size_t next = s->stride * s->pitch, x_row = s->width * s->pitch;
    size_t row_length = conv_row_length(s), run_pitch = run < s->pitch ? s->pitch : row_length;
    size_t seen = (positions - 1) * s->stride + s->kernel_size; // columns
    Vector sum[TILE_ROWS][CHANNEL_VECTORS];
    UNROLL
    for (size_t p = 0; p < positions; p++) {
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            sum[p][j] = load(t->bias + j * LANES) + 0.0f;
    }
    for (size_t r = 0; r < s->kernel_size; r++) {
        if (t->nonzero != NULL && (t->nonzero[r] >> column) << (64 - seen) == 0)
            continue;
        for (size_t first = 0; first < row_length; first += run_pitch) {
            const float *from = x + r * x_row + first;
            const float *weights = t->weights + (r * row_length + first) * vectors * LANES;
#pragma GCC unroll 5
            for (size_t k = 0; k < run; k++, weights += vectors * LANES) {
                Vector weight[CHANNEL_VECTORS];
                UNROLL
                for (size_t j = 0; j < vectors; j++)
                    weight[j] = load(weights + j * LANES);
                UNROLL
                for (size_t p = 0; p < positions; p++) {
                    Vector v = splat(from[p * next + k]);
                    if (vectors > PAD_VECTORS)
                        IN_REGISTER(v);
                    UNROLL
                    for (size_t j = 0; j < vectors; j++)
                        sum[p][j] += v * weight[j];
                }
            }
        }
    }
    UNROLL
    for (size_t p = 0; p < positions; p++) {
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            store(y + p * s->out_pitch + j * LANES, sum[p][j]);
    }
}

// `vectors` vectors of channels of one image.
INLINE void forward_image(float *y, ConvTile *t, const float *x, size_t vectors, size_t run)
{
    const ConvShape *s = t->shape;
    uint64_t nonzero[MAX_ROWS];
    bool is_known = TILE_ROWS * s->stride + s->kernel_size <= 64 && nonzero_rows(nonzero, s, x);
    for (size_t row = 0; row < s->out_height; row++) {
        t->nonzero = is_known ? nonzero + row * s->stride : NULL;
        for (size_t column = 0; column < s->out_width;) {
            const float *window = x + conv_offset(s, row, column);
            float *to = y + (row * s->out_width + column) * s->out_pitch;
            if (s->out_width - column >= TILE_ROWS) {
                conv_tile(to, t, window, column * s->stride, TILE_ROWS, vectors, run);
                column += TILE_ROWS;
            } else {
                conv_tile(to, t, window, column * s->stride, 1, vectors, run);
                column++;
            }
        }
    }
}

static void simd_conv_forward(float *y, const float *W, size_t w_stride, const float *b,
                              const ConvShape *s, const float *x, size_t B)
{
    float transposed[CONV_MAX_WINDOW * KERNEL_PAD] __attribute__((aligned(64)));
    size_t length = conv_window_length(s), widest = CHANNEL_VECTORS * LANES;
    for (size_t o = 0, width; o < s->out_pitch; o += width) {
        width = s->out_pitch - o < widest || length * widest > CONV_MAX_WINDOW * KERNEL_PAD
                    ? KERNEL_PAD
                    : widest;
        for (size_t j = 0; j < width; j++)
            for (size_t k = 0; k < length; k++)
                transposed[k * width + j] = o + j < s->channels ? W[(o + j) * w_stride + k] : 0.0f;
        ConvTile tile = {.shape = s, .weights = transposed, .bias = b + o};
        for (size_t e = 0; e < B; e++) {
            float *to = y + e * s->out_image_stride + o;
            const float *from = x + e * s->image_stride;
            if (width > KERNEL_PAD)
                forward_image(to, &tile, from, CHANNEL_VECTORS, conv_run(s));
            else if (conv_run(s) == NARROW_ROW)
                forward_image(to, &tile, from, PAD_VECTORS, NARROW_ROW);
            else
                forward_image(to, &tile, from, PAD_VECTORS, conv_run(s));
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Backward: the few nonzero values of dL/dy

// Bit 16 p + c of the result: channel c of position p is not zero, of n <= 4 neighbouring
// positions. One word of many bits costs one mispredicted branch; a few bits at a time cost one
// each.
INLINE uint64_t nonzero_channels(const float *dy, size_t pitch, size_t n)
{
    uint64_t bits = 0;
    for (size_t p = 0; p < n; p++)
        for (size_t j = 0; j < PAD_VECTORS; j++)
            bits |= (uint64_t)nonzero_lanes(load(dy + p * pitch + j * LANES))
                    << (p * KERNEL_PAD + j * LANES);
    return bits;
}

// KERNEL_PAD channels from o on.
static void list_channels(Nonzero *lists, const ConvShape *s, const float *dy, size_t o)
{
    enum { POSITIONS = 64 / KERNEL_PAD };
    size_t list_size = 1 + conv_positions(s), next = s->stride * s->pitch;
    size_t n = s->channels - o < KERNEL_PAD ? s->channels - o : KERNEL_PAD;
    uint64_t channels = UINT64_MAX >> (64 - n); // whatever the padding contains
    Nonzero *end[KERNEL_PAD];
    for (size_t c = 0; c < n; c++)
        end[c] = lists + (o + c) * list_size + 1;
    for (size_t row = 0; row < s->out_height; row++)
        for (size_t column = 0; column < s->out_width; column += POSITIONS) {
            size_t left = s->out_width - column;
            const float *at = dy + (row * s->out_width + column) * s->out_pitch + o;
            uint32_t window = (uint32_t)conv_offset(s, row, column);
            uint64_t bits = left >= POSITIONS ? nonzero_channels(at, s->out_pitch, POSITIONS)
                                              : nonzero_channels(at, s->out_pitch, left);
            bits &= channels * UINT64_C(0x0001000100010001);
            for (; bits != 0; bits &= bits - 1) {
                size_t bit = (size_t)__builtin_ctzll(bits);
                size_t p = bit / KERNEL_PAD, c = bit % KERNEL_PAD;
                *end[c]++ = (Nonzero){window + (uint32_t)(p * next), at[p * s->out_pitch + c]};
            }
        }
    for (size_t c = 0; c < n; c++) {
        Nonzero *list = lists + (o + c) * list_size;
        list[0].at = (uint32_t)(end[c] - list - 1);
    }
}

static void simd_conv_list_nonzeros(Nonzero *lists, const ConvShape *s, const float *dy, size_t B)
{
    for (size_t e = 0; e < B; e++)
        for (size_t o = 0; o < s->channels; o += KERNEL_PAD)
            list_channels(lists + nonzeros_at(s, e, 0), s, dy + e * s->out_image_stride, o);
}

// One value's part of dx: kernel_size rows of scaled weights, each vectors * LANES long.
INLINE void scatter_window(float *dx, const float *W, const ConvShape *s, float value,
                           size_t vectors)
{
    size_t x_row = s->width * s->pitch;
    for (size_t r = 0; r < s->kernel_size; r++, dx += x_row) {
        UNROLL
        for (size_t j = 0; j < vectors; j++, W += LANES)
            store(dx + j * LANES, load(dx + j * LANES) + splat(value) * load(W));
    }
}

static void simd_conv_backward(float *dx, const float *W, size_t w_stride, const ConvShape *s,
                               const Nonzero *lists, size_t B)
{
    size_t vectors = conv_row_length(s) / LANES;
    for (size_t e = 0; e < B; e++, dx += s->image_stride) {
        memset(dx, 0, s->height * s->width * s->pitch * sizeof *dx);
        for (size_t o = 0; o < s->channels; o++) {
            const float *weights = W + o * w_stride;
            const Nonzero *list = lists + nonzeros_at(s, e, o);
            for (const Nonzero *v = list + 1, *end = v + list[0].at; v < end; v++)
                if (vectors == WINDOW_VECTORS)
                    scatter_window(dx + v->at, weights, s, v->value, WINDOW_VECTORS);
                else
                    scatter_window(dx + v->at, weights, s, v->value, vectors);
        }
    }
}

// `vectors` vectors of each of `rows` rows of a window's sums += value * x over a list.
INLINE void gather_rows(float *sums, size_t sums_row, const float *x, size_t x_row,
                        const Nonzero *list, size_t rows, size_t vectors)
{
    Vector sum[NARROW_ROWS * 2 > WINDOW_VECTORS ? NARROW_ROWS * 2 : WINDOW_VECTORS];
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            sum[r * vectors + j] = load(sums + r * sums_row + j * LANES);
    }
    for (const Nonzero *v = list + 1, *end = v + list[0].at; v < end; v++) {
        const float *from = x + v->at;
        Vector value = splat(v->value);
        UNROLL
        for (size_t r = 0; r < rows; r++, from += x_row) {
            UNROLL
            for (size_t j = 0; j < vectors; j++)
                sum[r * vectors + j] += value * load_unaligned(from + j * LANES);
        }
    }
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            store(sums + r * sums_row + j * LANES, sum[r * vectors + j]);
    }
}

// The whole window.
static void gather_window(float *sums, size_t sums_row, const float *x, const ConvShape *s,
                          const Nonzero *list)
{
    size_t x_row = s->width * s->pitch, vectors = (conv_row_length(s) + LANES - 1) / LANES, r = 0;
    for (; vectors == 1 && s->kernel_size - r >= NARROW_ROWS; r += NARROW_ROWS)
        gather_rows(sums + r * sums_row, sums_row, x + r * x_row, x_row, list, NARROW_ROWS, 1);
    for (; vectors == 2 && s->kernel_size - r >= NARROW_ROWS; r += NARROW_ROWS)
        gather_rows(sums + r * sums_row, sums_row, x + r * x_row, x_row, list, NARROW_ROWS, 2);
    for (; r < s->kernel_size; r++) {
        size_t v = 0;
        float *to = sums + r * sums_row;
        const float *from = x + r * x_row;
        for (; v + WINDOW_VECTORS <= vectors; v += WINDOW_VECTORS)
            gather_rows(to + v * LANES, sums_row, from + v * LANES, x_row, list, 1, WINDOW_VECTORS);
        for (; v < vectors; v++)
            gather_rows(to + v * LANES, sums_row, from + v * LANES, x_row, list, 1, 1);
    }
}

static void simd_conv_weight_gradient(float *W, size_t w_stride, float *b, const ConvShape *s,
                                      Range channels, const float *x, const Nonzero *lists,
                                      size_t B, float scale)
{
    float sums[MAX_SUMS] __attribute__((aligned(64)));
    size_t row_length = conv_row_length(s), sums_row = round_up(row_length, KERNEL_PAD);
    size_t size = s->kernel_size * sums_row;
    size_t at_once = MAX_SUMS / size < MAX_CHANNELS ? MAX_SUMS / size : MAX_CHANNELS;
    for (size_t o = channels.first, n; o < channels.end; o += n) {
        n = channels.end - o < at_once ? channels.end - o : at_once;
        float bias[MAX_CHANNELS] = {0};
        memset(sums, 0, n * size * sizeof *sums);
        for (size_t first = 0; first < B; first += EXAMPLES_AT_ONCE)
            for (size_t c = 0; c < n; c++)
                for (size_t e = first; e < B && e < first + EXAMPLES_AT_ONCE; e++) {
                    const Nonzero *list = lists + nonzeros_at(s, e, o + c);
                    gather_window(sums + c * size, sums_row, x + e * s->image_stride, s, list);
                    for (size_t i = 1; i <= list[0].at; i++)
                        bias[c] += list[i].value;
                }
        for (size_t c = 0; c < n; c++) {
            float *into = W + (o + c) * w_stride;
            b[o + c] += scale * bias[c];
            for (size_t r = 0; r < s->kernel_size; r++)
                for (size_t k = 0; k < row_length; k++)
                    into[r * row_length + k] += scale * sums[c * size + r * sums_row + k];
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Max pooling

// One byte for each lane.
typedef unsigned char LaneBytes __attribute__((vector_size(LANES), may_alias));

// The windows of one image; `size` is kernel_size, a constant where it is known.
INLINE void pool_image(float *y, unsigned char *winner, const ConvShape *s, const float *x,
                       size_t size)
{
    size_t next = s->stride * s->pitch, x_row = s->width * s->pitch;
    for (size_t row = 0; row < s->out_height; row++)
        for (size_t column = 0; column < s->out_width; column++) {
            const float *window = x + row * s->stride * x_row + column * next;
            for (size_t c = 0; c < s->out_pitch; c += LANES) {
                Vector best = load(window + c);
                IntVector first = {0};
#pragma GCC unroll 4
                for (size_t r = 0; r < size; r++)
#pragma GCC unroll 4
                    for (size_t k = 0; k < size; k++) {
                        Vector v = load(window + r * x_row + k * s->pitch + c);
                        IntVector above = v > best;
                        best = choose(above, v, best);
                        first = (first & ~above) | (above & (int32_t)(r * size + k));
                    }
                store(y + c, best);
                *(LaneBytes *)(winner + c) = __builtin_convertvector(first, LaneBytes);
            }
            y += s->out_pitch, winner += s->out_pitch;
        }
}

static void simd_pool_forward(float *y, unsigned char *winner, size_t winner_stride,
                              const ConvShape *s, const float *x, size_t B)
{
    for (size_t e = 0; e < B; e++) {
        float *to = y + e * s->out_image_stride;
        unsigned char *winners = winner + e * winner_stride;
        if (s->kernel_size == 2)
            pool_image(to, winners, s, x + e * s->image_stride, 2);
        else
            pool_image(to, winners, s, x + e * s->image_stride, s->kernel_size);
    }
}

INLINE void unpool_image(float *dx, const unsigned char *winner, const ConvShape *s,
                         const float *dy, size_t size)
{
    size_t next = s->stride * s->pitch, x_row = s->width * s->pitch;
    for (size_t row = 0; row < s->out_height; row++)
        for (size_t column = 0; column < s->out_width; column++) {
            float *window = dx + row * s->stride * x_row + column * next;
            for (size_t c = 0; c < s->out_pitch; c += LANES) {
                Vector v = load(dy + c);
                IntVector best =
                    __builtin_convertvector(*(const LaneBytes *)(winner + c), IntVector);
#pragma GCC unroll 4
                for (size_t r = 0; r < size; r++)
#pragma GCC unroll 4
                    for (size_t k = 0; k < size; k++) {
                        IntVector here = best == (int32_t)(r * size + k);
                        store(window + r * x_row + k * s->pitch + c, (Vector)((IntVector)v & here));
                    }
            }
            dy += s->out_pitch, winner += s->out_pitch;
        }
}

static void simd_pool_backward(float *dx, const unsigned char *winner, size_t winner_stride,
                               const ConvShape *s, const float *dy, size_t B)
{
    bool is_covered = s->stride == s->kernel_size && s->out_height * s->kernel_size == s->height &&
                      s->out_width * s->kernel_size == s->width;
    for (size_t e = 0; e < B; e++, dx += s->image_stride) {
        const unsigned char *winners = winner + e * winner_stride;
        const float *from = dy + e * s->out_image_stride;
        if (!is_covered)
            memset(dx, 0, s->height * s->width * s->pitch * sizeof *dx);
        if (s->kernel_size == 2)
            unpool_image(dx, winners, s, from, 2);
        else
            unpool_image(dx, winners, s, from, s->kernel_size);
    }
}

static const ConvKernels simd_conv_kernels = {
    .forward = simd_conv_forward,
    .list_nonzeros = simd_conv_list_nonzeros,
    .backward = simd_conv_backward,
    .weight_gradient = simd_conv_weight_gradient,
    .pool_forward = simd_pool_forward,
    .pool_backward = simd_pool_backward,
};
