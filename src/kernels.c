// The kernels in vectors, compiled once for each instruction set with vectors of its own width;
// see kernels.h for what they compute and kernels_plain.c for the same in plain loops. A vector's
// lanes are outputs (hidden units, classes) or examples, never the terms of one sum.
#include "vectors.h"

#include "elementary.h"

extern const Kernels KERNEL(kernels);

enum {
    STRIP = STRIP_VECTORS * LANES, // outputs whose sums are kept in registers at once
    PIXELS = 64,                   // pixels whose lit bits fill a word
    CHUNK = 2 * PIXELS,            // pixels whose strip of W is kept in the innermost cache
    AT_ONCE = 4,                   // vectors whose exp is computed side by side
    EXAMPLES = 64                  // examples whose lit bits fill a word
};

// ---------------------------------------------------------------------------------------------
// Pixels: a word of 64 bits says which of 64 pixels, or of 64 examples, are lit

// Bit p: x[p] is not zero.
INLINE uint64_t lit_pixels(const unsigned char *x)
{
#if defined KERNELS_AVX512
    __m512i v = _mm512_loadu_si512(x);
    return _mm512_test_epi8_mask(v, v);
#elif defined KERNELS_AVX2
    uint64_t dark = 0;
    for (unsigned i = 0; i < 2; i++) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(x + 32 * i));
        __m256i zero = _mm256_cmpeq_epi8(v, _mm256_setzero_si256());
        dark |= (uint64_t)(uint32_t)_mm256_movemask_epi8(zero) << (32 * i);
    }
    return ~dark;
#elif defined KERNELS_SSE2
    uint64_t dark = 0;
    for (unsigned i = 0; i < 4; i++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(x + 16 * i));
        __m128i zero = _mm_cmpeq_epi8(v, _mm_setzero_si128());
        dark |= (uint64_t)(uint32_t)_mm_movemask_epi8(zero) << (16 * i);
    }
    return ~dark;
#else
    // Eight at a time: the highest bit of a byte says whether it is lit; the product moves the
    // eight of them into the highest byte.
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f), high = ~low;
    uint64_t lit = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t eight = 0;
        for (unsigned j = 8; j-- > 0;)
            eight = eight << 8 | x[8 * i + j];
        eight = (((eight & low) + low) | eight) & high;
        lit |= ((eight >> 7) * UINT64_C(0x0102040810204080) >> 56) << (8 * i);
    }
    return lit;
#endif
}

// The same of the n <= PIXELS pixels at `at` in a row x of I pixels, which is never read beyond its
// end: the last word of a row is taken from 64 pixels that overlap those before it.
INLINE uint64_t lit_pixels_of(const unsigned char *x, size_t at, size_t n, size_t I)
{
    if (n == PIXELS)
        return lit_pixels(x + at);
    if (I >= PIXELS)
        return lit_pixels(x + I - PIXELS) >> (PIXELS - n);
    unsigned char copy[PIXELS] = {0};
    memcpy(copy, x + at, n);
    return lit_pixels(copy);
}

// Where lit_examples leaves the word of pixel p.
INLINE size_t lit_place(size_t p)
{
    return p % 8 * 8 + p / 8;
}

// Bit e of lit[lit_place(p)]: x[e][p] is not zero, for PIXELS pixels and n <= EXAMPLES examples.
// First eight examples become a byte for each pixel, then eight such bytes a word: the bytes of
// eight words are transposed as an 8x8 matrix (exchanging ever smaller halves), the lanes being
// different pixels.
INLINE void lit_examples(uint64_t lit[PIXELS], const unsigned char *const *x, size_t n)
{
    enum { COLUMNS = PIXELS / VECTOR_BYTES };
    Longs byte[8][COLUMNS];
    for (size_t g = 0; g < 8; g++) {
        Bytes all[COLUMNS] = {{0}}, bit = (Bytes){0} + 1;
        for (size_t e = 8 * g; e < 8 * g + 8 && e < n; e++, bit += bit)
            for (size_t c = 0; c < COLUMNS; c++) {
                Bytes pixels = *(const AnyBytes *)(x[e] + c * VECTOR_BYTES);
                all[c] |= (Bytes)(pixels != 0) & bit;
            }
        for (size_t c = 0; c < COLUMNS; c++)
            byte[g][c] = (Longs)all[c];
    }
    static const uint64_t low_half[3] = {UINT64_C(0x00000000ffffffff), UINT64_C(0x0000ffff0000ffff),
                                         UINT64_C(0x00ff00ff00ff00ff)};
    for (size_t c = 0; c < COLUMNS; c++) {
        for (size_t round = 0; round < 3; round++) {
            size_t distance = 4u >> round, bits = 32u >> round;
            for (size_t k = 0; k < 8; k++) {
                if (k & distance)
                    continue;
                Longs *a = &byte[k][c], *b = &byte[k + distance][c];
                Longs swap = ((*a >> bits) ^ *b) & low_half[round];
                *a ^= swap << bits;
                *b ^= swap;
            }
        }
        for (size_t k = 0; k < 8; k++)
            memcpy(lit + 8 * k + c * (VECTOR_BYTES / 8), &byte[k][c], VECTOR_BYTES);
    }
}

// ---------------------------------------------------------------------------------------------
// The first layer, forward: a lit pixel adds its row of W, scaled

// `vectors` vectors of s += v * row.
INLINE void add_scaled(Vector *s, float v, const float *row, size_t vectors)
{
    Vector all = splat(v);
    ONE_POINTER(row);
#pragma GCC unroll 16
    for (size_t j = 0; j < vectors; j++)
        s[j] += all * load(row + j * LANES);
}

// `vectors` vectors of s += sum over the lit pixels p of value[x[p]] * W[p]. Where no pixel of the
// word is dark, there is no bit to look for.
INLINE void add_lit_rows(Vector *s, uint64_t lit, const unsigned char *x, const float *value,
                         const float *W, size_t S, size_t vectors)
{
    ONE_POINTER(x);
    ONE_POINTER(W);
    if (lit == UINT64_MAX)
        for (size_t p = 0; p < PIXELS; p++)
            add_scaled(s, value[x[p]], W + p * S, vectors);
    else
        for (; lit != 0; lit &= lit - 1) {
            size_t p = (size_t)__builtin_ctzll(lit);
            add_scaled(s, value[x[p]], W + p * S, vectors);
        }
}

// One strip of the sums of all examples over up to CHUNK pixels, at `at` in rows of I.
INLINE void forward_strip(float *sum, size_t sum_stride, const float *W, size_t S,
                          const ByteRows *rows, size_t at, size_t I, const float *value,
                          const ByteRows *next, size_t vectors)
{
    size_t n = I - at < CHUNK ? I - at : CHUNK;
    for (size_t e = 0; e < rows->n; e++, sum += sum_stride) {
        if (e < next->n) {
            const unsigned char *row = byte_row(next, e) + at;
            __builtin_prefetch(row, 0, 2);
            __builtin_prefetch(row + n - 1, 0, 2);
            if (n > PIXELS)
                __builtin_prefetch(row + PIXELS, 0, 2);
        }
        const unsigned char *x = byte_row(rows, e);
        Vector s[STRIP_VECTORS];
#pragma GCC unroll 16
        for (size_t j = 0; j < vectors; j++)
            s[j] = at == 0 ? splat(0.0f) : load(sum + j * LANES);
        for (size_t p = 0; p < n; p += PIXELS) {
            uint64_t lit = lit_pixels_of(x, at + p, n - p < PIXELS ? n - p : PIXELS, I);
            add_lit_rows(s, lit, x + at + p, value, W + (at + p) * S, S, vectors);
        }
#pragma GCC unroll 16
        for (size_t j = 0; j < vectors; j++)
            store(sum + j * LANES, s[j]);
    }
}

// By chunks of pixels and strips of outputs, so that the part of W in work stays in the innermost
// cache while the examples pass, and their sums in registers while its pixels do.
static void bytes_forward(float *sum, size_t sum_stride, const float *W, size_t S,
                          const ByteRows *rows, size_t I, const float *value, const ByteRows *next)
{
    const ByteRows none = {0};
    size_t at = 0;
    do { // once for rows of nothing, whose sums are 0
        size_t strip = 0;
        for (; strip + STRIP <= S; strip += STRIP)
            forward_strip(sum + strip, sum_stride, W + strip, S, rows, at, I, value,
                          strip == 0 ? next : &none, STRIP_VECTORS);
        for (; strip < S; strip += KERNEL_PAD)
            forward_strip(sum + strip, sum_stride, W + strip, S, rows, at, I, value,
                          strip == 0 ? next : &none, PAD_VECTORS);
    } while ((at += CHUNK) < I);
}

// ---------------------------------------------------------------------------------------------
// The first layer, update: every row of W takes the sum over the examples that light its pixel

// `vectors` vectors of s += sum over the examples e in lit of value[x[e][p]] * dy[e].
INLINE void add_lit_deltas(Vector *s, uint64_t lit, const unsigned char *const *x, size_t p,
                           const float *value, const float *dy, size_t S, size_t vectors)
{
    ONE_POINTER(dy);
    if (lit == UINT64_MAX)
        for (size_t e = 0; e < EXAMPLES; e++)
            add_scaled(s, value[x[e][p]], dy + e * S, vectors);
    else
        for (; lit != 0; lit &= lit - 1) {
            size_t e = (size_t)__builtin_ctzll(lit);
            add_scaled(s, value[x[e][p]], dy + e * S, vectors);
        }
}

// The sums over one group of up to EXAMPLES examples, whose dy stay in the innermost cache: of one
// strip of outputs, for the pixels of x[e] in the range. Sums begin at 0, or where the group before
// left them in `waiting`; the last group adds them, scaled, to `into`.
INLINE void accumulate_group(float *into, size_t S, float *waiting, bool is_first, bool is_last,
                             const uint64_t *lit, const unsigned char *const *x, Range pixels,
                             const float *value, const float *dy, float scale, size_t vectors)
{
    for (size_t p = pixels.first; p < pixels.end; p++) {
        uint64_t examples = lit[lit_place(p)];
        if (examples == 0 && is_first && is_last)
            continue;
        Vector s[STRIP_VECTORS];
        float *sum = waiting + p * STRIP, *row = into + p * S;
#pragma GCC unroll 16
        for (size_t j = 0; j < vectors; j++)
            s[j] = is_first ? splat(0.0f) : load(sum + j * LANES);
        add_lit_deltas(s, examples, x, p, value, dy, S, vectors);
#pragma GCC unroll 16
        for (size_t j = 0; j < vectors; j++)
            if (is_last)
                store(row + j * LANES, load(row + j * LANES) + splat(scale) * s[j]);
            else
                store(sum + j * LANES, s[j]);
    }
}

// Rows `at` + pixels of `into`, from the PIXELS pixels at `at` of each example; of rows of fewer,
// which are copied to where there are as many, the rest dark.
static void accumulate_pixels(float *into, size_t S, const ByteRows *rows, size_t at, Range pixels,
                              const float *value, const float *dy, float scale)
{
    float waiting[PIXELS * STRIP] __attribute__((aligned(64)));
    unsigned char copy[EXAMPLES][PIXELS];
    bool is_narrow = pixels.end < PIXELS;
    if (is_narrow)
        memset(copy, 0, sizeof copy);
    for (size_t strip = 0, width; strip < S; strip += width) {
        width = S - strip < STRIP ? KERNEL_PAD : STRIP;
        for (size_t e = 0; e < rows->n; e += EXAMPLES) {
            const unsigned char *x[EXAMPLES];
            uint64_t lit[PIXELS];
            size_t n = rows->n - e < EXAMPLES ? rows->n - e : EXAMPLES;
            for (size_t i = 0; i < n; i++) {
                x[i] = byte_row(rows, e + i) + at;
                if (is_narrow)
                    x[i] = memcpy(copy[i], x[i], pixels.end);
            }
            lit_examples(lit, x, n);
            float *to = into + at * S + strip;
            const float *deltas = dy + e * S + strip;
            bool is_first = e == 0, is_last = e + n == rows->n;
            if (width == STRIP)
                accumulate_group(to, S, waiting, is_first, is_last, lit, x, pixels, value, deltas,
                                 scale, STRIP_VECTORS);
            else
                accumulate_group(to, S, waiting, is_first, is_last, lit, x, pixels, value, deltas,
                                 scale, PAD_VECTORS);
        }
    }
}

static void bytes_accumulate(float *into, size_t S, const ByteRows *rows, size_t I,
                             const float *value, const float *dy, float scale)
{
    size_t at = 0;
    for (; at + PIXELS <= I; at += PIXELS)
        accumulate_pixels(into, S, rows, at, (Range){0, PIXELS}, value, dy, scale);
    if (at < I && I < PIXELS)
        accumulate_pixels(into, S, rows, 0, (Range){0, I}, value, dy, scale);
    else if (at < I) // the last 64 pixels, of which the first were done
        accumulate_pixels(into, S, rows, I - PIXELS, (Range){at - (I - PIXELS), PIXELS}, value, dy,
                          scale);
}

static void sum_parts(float *y, const float *b, const float *part, size_t n, size_t S)
{
    for (size_t o = 0; o < S; o += LANES) {
        Vector s = load(b + o);
        for (size_t k = 0; k < n; k++)
            s += load(part + k * S + o);
        store(y + o, s);
    }
}

// ---------------------------------------------------------------------------------------------
// Dense layers: products of matrices

static void dense_forward(float *y, const float *W, const float *b, size_t S, const float *x,
                          size_t x_stride, size_t B, size_t I)
{
    for (size_t o = 0; o < S; o += KERNEL_PAD)
        for (size_t e = 0; e < B; e += TILE_ROWS) {
            size_t rows = tile_rows(e, B);
            Tile tile;
            for (size_t r = 0; r < TILE_ROWS; r++)
                memcpy(tile.sum[r], b + o, sizeof tile.sum[r]);
            tile_add_rows(&tile, x + e * x_stride, x_stride, 1, W + o, S, I, rows);
            for (size_t r = 0; r < rows; r++)
                memcpy(y + (e + r) * S + o, tile.sum[r], sizeof tile.sum[r]);
        }
}

// With KERNEL_PAD columns of W^T at a time, which are copied, this is one more such product.
static void dense_backward(float *dx, size_t dx_stride, const float *W, size_t S, const float *dy,
                           size_t B, size_t I, size_t O)
{
    enum { ROWS = 128 };
    float transposed[ROWS * KERNEL_PAD] __attribute__((aligned(64)));
    for (size_t i = 0; i < I; i += KERNEL_PAD)
        for (size_t o = 0; o < O; o += ROWS) {
            size_t n = O - o < ROWS ? O - o : ROWS;
            for (size_t j = 0; j < KERNEL_PAD; j++)
                for (size_t k = 0; k < n; k++)
                    transposed[k * KERNEL_PAD + j] = i + j < I ? W[(i + j) * S + o + k] : 0.0f;
            for (size_t e = 0; e < B; e += TILE_ROWS) {
                size_t rows = tile_rows(e, B);
                Tile tile = {0};
                for (size_t r = 0; o > 0 && r < rows; r++)
                    memcpy(tile.sum[r], dx + (e + r) * dx_stride + i, sizeof tile.sum[r]);
                tile_add_rows(&tile, dy + e * S + o, S, 1, transposed, KERNEL_PAD, n, rows);
                for (size_t r = 0; r < rows; r++)
                    memcpy(dx + (e + r) * dx_stride + i, tile.sum[r], sizeof tile.sum[r]);
            }
        }
}

static void dense_accumulate(float *into, size_t S, const float *x, size_t x_stride,
                             const float *dy, size_t B, float scale, Range range)
{
    for (size_t o = 0; o < S; o += KERNEL_PAD)
        for (size_t i = range.first; i < range.end; i += TILE_ROWS) {
            size_t rows = tile_rows(i, range.end);
            Tile tile = {0};
            tile_add_rows(&tile, x + i, 1, x_stride, dy + o, S, B, rows);
            for (size_t r = 0; r < rows; r++)
                for (size_t j = 0; j < PAD_VECTORS; j++) {
                    float *to = into + (i + r) * S + o + j * LANES;
                    store(to, load(to) + splat(scale) * tile.sum[r][j]);
                }
        }
}

static void bias_accumulate(float *into, size_t S, const float *dy, size_t B, float scale)
{
    for (size_t o = 0; o < S; o += KERNEL_PAD) {
        Vector s[PAD_VECTORS] = {{0}};
        for (size_t e = 0; e < B; e++)
            for (size_t j = 0; j < PAD_VECTORS; j++)
                s[j] += load(dy + e * S + o + j * LANES);
        for (size_t j = 0; j < PAD_VECTORS; j++) {
            float *to = into + o + j * LANES;
            store(to, load(to) + splat(scale) * s[j]);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Elementwise: exp_f32 and log_f32 of elementary.h, lane by lane

// n vectors at a time, step by step: the steps of a single one would wait for each other.
INLINE void exp_vectors(Vector *x, size_t n)
{
    Vector shifted[AT_ONCE], r[AT_ONCE], exp_r[AT_ONCE];
#pragma GCC unroll 4
    for (size_t i = 0; i < n; i++) {
        x[i] = choose(x[i] < splat(-87.0f), splat(-87.0f), x[i]);
        x[i] = choose(x[i] > splat(88.0f), splat(88.0f), x[i]);
        shifted[i] = x[i] * 1.44269504f + 12582912.0f;
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < n; i++) {
        Vector whole = shifted[i] - 12582912.0f;
        r[i] = x[i] - whole * LN2_HIGH;
        r[i] = r[i] - whole * LN2_LOW;
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < n; i++)
        exp_r[i] = EXP_POLYNOMIAL(r[i]) * (r[i] * r[i]) + r[i] + 1.0f;
#pragma GCC unroll 4
    for (size_t i = 0; i < n; i++)
        x[i] = exp_r[i] * (Vector)(((Words)shifted[i] << 23) + 0x3f800000u);
}

INLINE Vector log_vector(Vector x)
{
    Words shifted = (Words)x - 0x3f3504f3u;
    Vector n = __builtin_convertvector((Ints)shifted >> 23, Vector);
    Vector r = (Vector)((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    Vector z = r * r;
    Vector tail = LOG_POLYNOMIAL(r) * (z * r) + n * LN2_LOW - 0.5f * z;
    // x - x is 0, and makes a NaN of what is not finite.
    return r + tail + n * LN2_HIGH + (x - x); // NOLINT(misc-redundant-expression)
}

INLINE void sigmoid_vectors(float *y, const float *x, size_t n)
{
    Vector e[AT_ONCE];
#pragma GCC unroll 4
    for (size_t i = 0; i < n; i++)
        e[i] = -load(x + i * LANES);
    exp_vectors(e, n);
#pragma GCC unroll 4
    for (size_t i = 0; i < n; i++)
        store(y + i * LANES, 1.0f / (1.0f + e[i]));
}

static void sigmoid_forward(float *y, const float *x, size_t n)
{
    size_t i = 0;
    for (; i + AT_ONCE * LANES <= n; i += AT_ONCE * LANES)
        sigmoid_vectors(y + i, x + i, AT_ONCE);
    for (; i < n; i += LANES)
        sigmoid_vectors(y + i, x + i, 1);
}

static void sigmoid_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i += LANES)
        store(dx + i, load(dy + i) * (load(y + i) * (1.0f - load(y + i))));
}

static void relu_forward(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += LANES)
        store(y + i, choose(load(x + i) <= 0.0f, splat(0.0f), load(x + i)));
}

static void relu_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i += LANES)
        store(dx + i, choose(load(y + i) > 0.0f, load(dy + i), splat(0.0f)));
}

// Here a lane is an example.
static void softmax_cross_entropy(float *p, float *loss, unsigned char *predicted, const float *a,
                                  size_t S, const unsigned char *label, size_t B, size_t C)
{
    float logit[KERNEL_MAX_CLASSES * LANES] __attribute__((aligned(64)));
    for (size_t e = 0; e < B; e += LANES) {
        size_t n = B - e < LANES ? B - e : LANES;
        for (size_t l = 0; l < LANES; l++)
            for (size_t k = 0; k < C; k++)
                logit[k * LANES + l] = l < n ? a[(e + l) * S + k] : 0.0f;

        Vector largest = load(logit);
        Ints best = {0};
        for (size_t k = 1; k < C; k++) {
            Ints above = load(logit + k * LANES) > largest;
            largest = choose(above, load(logit + k * LANES), largest);
            best = (best & ~above) | (above & (int32_t)k);
        }
        Vector sum = splat(0.0f);
        for (size_t k = 0; k < C; k++) {
            Vector exponential = load(logit + k * LANES) - largest;
            exp_vectors(&exponential, 1);
            store(logit + k * LANES, exponential);
            sum += exponential;
        }
        for (size_t k = 0; k < C; k++)
            store(logit + k * LANES, load(logit + k * LANES) / sum);
        Vector log_sum = log_vector(sum);
        for (size_t l = 0; l < n; l++) {
            for (size_t k = 0; k < C; k++)
                p[(e + l) * S + k] = logit[k * LANES + l];
            loss[e + l] = log_sum[l] - (a[(e + l) * S + label[e + l]] - largest[l]);
            predicted[e + l] = (unsigned char)best[l];
        }
    }
}

const Kernels KERNEL(kernels) = {
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
    .relu_forward = relu_forward,
    .relu_backward = relu_backward,
    .softmax_cross_entropy = softmax_cross_entropy,
    .conv = &KERNEL(conv_kernels),
};
