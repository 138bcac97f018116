// The kernels in vectors, compiled once for each instruction set with vectors of its own width;
// see kernels.h for what they compute and kernels_plain.c for the same in plain loops. A vector's
// lanes are outputs (hidden units, classes) or examples, never the terms of one sum.
#include "simd_vectors.h"

#include "simd_conv_template.h"

extern const Kernels KERNEL(kernels);

enum {
    STRIP = STRIP_VECTORS * LANES, // outputs whose sums are kept in registers at once
    PIXELS = 64,                   // pixels, or examples, whose lit bits fill a word
    AT_ONCE = 8                    // vectors whose exp is computed side by side
};

_Static_assert(SPARSE_MAX_BYTES <= 256, "an entry has eight bits for the column");
_Static_assert((int)TILE_EXAMPLES == (int)PIXELS, "a word has a bit for each example of a column");

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

// ---------------------------------------------------------------------------------------------
// The first layer: lists of lit pixels

#if defined KERNELS_AVX2 || defined KERNELS_AVX512

// Row m moves the 16-bit entries of the pixels whose bits are set in m to the front: entry number i
// is the bytes 2p and 2p + 1 of eight entries, p the place of the i-th bit. What follows the last
// is of no account.
#define RANK(m, p) __builtin_popcount((m) & ((1 << (p)) - 1))
#define MOVE(m, half, p)                                                                           \
    (((m) >> (p)&1) && RANK(m, p) / 4 == (half)                                                    \
         ? (UINT64_C(0x0100) + 0x0202 * (p)) << 16 * (RANK(m, p) % 4)                              \
         : 0)
#define MOVES(m, half)                                                                             \
    (MOVE(m, half, 0) | MOVE(m, half, 1) | MOVE(m, half, 2) | MOVE(m, half, 3) |                   \
     MOVE(m, half, 4) | MOVE(m, half, 5) | MOVE(m, half, 6) | MOVE(m, half, 7))
#define ONE_ROW(m)                                                                                 \
    {                                                                                              \
        MOVES(m, 0), MOVES(m, 1)                                                                   \
    }
#define ROWS_4(m)  ONE_ROW(m), ONE_ROW((m) + 1), ONE_ROW((m) + 2), ONE_ROW((m) + 3)
#define ROWS_16(m) ROWS_4(m), ROWS_4((m) + 4), ROWS_4((m) + 8), ROWS_4((m) + 12)
#define ROWS_64(m) ROWS_16(m), ROWS_16((m) + 16), ROWS_16((m) + 32), ROWS_16((m) + 48)
static const uint64_t to_front[256][2]
    __attribute__((aligned(16))) = {ROWS_64(0), ROWS_64(64), ROWS_64(128), ROWS_64(192)};

INLINE uint16_t *list_eight(uint16_t *entries, __m128i all, unsigned lit)
{
    __m128i moves = _mm_load_si128((const __m128i *)(const void *)to_front[lit]);
    _mm_storeu_si128((__m128i *)(void *)entries, _mm_shuffle_epi8(all, moves));
    return entries + __builtin_popcount(lit);
}

// The 16 pixels at x, of which those whose bits are set in `wanted`; x[0] is at place p.
INLINE uint16_t *list_sixteen(uint16_t *entries, const unsigned char *x, size_t p, unsigned wanted)
{
    const __m128i up = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m128i pixels = _mm_loadu_si128((const __m128i *)(const void *)x);
    __m128i places = _mm_add_epi8(up, _mm_set1_epi8((char)p));
    __m128i dark = _mm_cmpeq_epi8(pixels, _mm_setzero_si128());
    unsigned lit = ~(unsigned)_mm_movemask_epi8(dark) & wanted;
    entries = list_eight(entries, _mm_unpacklo_epi8(pixels, places), lit & 0xff);
    return list_eight(entries, _mm_unpackhi_epi8(pixels, places), lit >> 8);
}

INLINE uint16_t *list_row(uint16_t *entries, const unsigned char *x, size_t I)
{
    if (I < 16) {
        unsigned char copy[16] = {0};
        memcpy(copy, x, I);
        return list_sixteen(entries, copy, 0, 0xffff);
    }
    size_t p = 0;
    for (; p + 16 <= I; p += 16)
        entries = list_sixteen(entries, x + p, p, 0xffff);
    if (p < I) // the last 16, of which the first were listed
        entries = list_sixteen(entries, x + I - 16, I - 16, 0xffffu << (16 - (I - p)) & 0xffff);
    return entries;
}

#else

// lit_pixels of the n <= PIXELS pixels at `at` in a row x of I pixels, which is never read beyond
// its end: the last word of a row is taken from 64 pixels that overlap those before it.
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

INLINE uint16_t *list_row(uint16_t *entries, const unsigned char *x, size_t I)
{
    for (size_t at = 0; at < I; at += PIXELS) {
        size_t n = I - at < PIXELS ? I - at : PIXELS;
        for (uint64_t lit = lit_pixels_of(x, at, n, I); lit != 0; lit &= lit - 1) {
            size_t p = at + (size_t)__builtin_ctzll(lit);
            *entries++ = (uint16_t)(p << 8 | x[p]);
        }
    }
    return entries;
}

#endif

static void sparse_list(uint16_t *entries, uint32_t *start, const ByteRows *rows, size_t I,
                        const ByteRows *next)
{
    uint16_t *end = entries + start[0];
    for (size_t e = 0; e < rows->n; e++) {
        if (e < next->n) {
            const unsigned char *row = next->row[e];
            __builtin_prefetch(row, 0, 2);
            __builtin_prefetch(row + I - (I > 0), 0, 2);
            if (I > PIXELS)
                __builtin_prefetch(row + PIXELS, 0, 2);
        }
        end = list_row(end, rows->row[e], I);
        start[e + 1] = (uint32_t)(end - entries);
    }
}

// ---------------------------------------------------------------------------------------------
// The first layer, forward: a lit pixel adds its row of W, scaled

// `vectors` vectors of s += v * row.
INLINE void add_scaled(Vector *s, float v, const float *row, size_t vectors)
{
    Vector all = splat(v);
    OPAQUE(row);
    UNROLL
    for (size_t j = 0; j < vectors; j++)
        s[j] += all * load(row + j * LANES);
}

typedef struct Entries {
    const uint16_t *first, *end;
} Entries;

INLINE Entries sparse_row(const SparseRows *rows, size_t e)
{
    const uint32_t *start = rows->start + rows->index[e] * rows->stride;
    return (Entries){rows->entries + start[0], rows->entries + start[1]};
}

// An example's list, and one of the next batch to prefetch. Looked up for all examples at once, the
// cache misses of the look-ups overlap; and when the branch that ends a list is mispredicted, which
// it mostly is, the next list's address and its first entries are at hand.
typedef struct Turn {
    Entries list, prefetch;
} Turn;

// One strip of the sums of all examples.
INLINE void forward_strip(const SumRows *sums, size_t strip, const float *W, size_t S,
                          const SparseRows *rows, const float *value, unsigned char *columns,
                          const SparseRows *next, size_t vectors)
{
    enum { AHEAD = 2 }; // turns from fetching a list's first entries to the innermost cache
    Turn turns[TILE_EXAMPLES + AHEAD];
    size_t n = rows->n;
    for (size_t e = 0; e < n; e++)
        turns[e].list = sparse_row(rows, e);
    for (size_t e = 0; e < n; e++)
        turns[e].prefetch = e < next->n ? sparse_row(next, e) : turns[e].list;
    for (size_t e = n; e < n + AHEAD; e++)
        turns[e].list = (Entries){rows->entries, rows->entries};

    W += strip;
    OPAQUE(W);
    float *at = sums->at + strip;
    for (size_t e = 0; e < n; e++) {
        const Turn *turn = &turns[e];
        __builtin_prefetch(turn->prefetch.first, 0, 2);
        __builtin_prefetch(turn->prefetch.end, 0, 2);
        __builtin_prefetch(turn[AHEAD].list.first);
        Vector s[STRIP_VECTORS];
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            s[j] = sums->mode == SUM_CONTINUE ? load(at + j * LANES) : splat(0.0f);
        for (const uint16_t *entry = turn->list.first; entry < turn->list.end; entry++) {
            uint32_t lit = *entry;
            OPAQUE(lit);
            if (columns != NULL)
                columns[(lit >> 8) * TILE_EXAMPLES + e] = (unsigned char)lit;
            add_scaled(s, value[lit & 255], W + (lit >> 8) * S, vectors);
        }
        if (sums->mode == SUM_ADD) {
            UNROLL
            for (size_t j = 0; j < vectors; j++)
                s[j] = load(at + j * LANES) + s[j];
        }
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            store(at + j * LANES, s[j]);
        at += sums->stride;
    }
}

static void sparse_forward(const SumRows *sums, const float *W, size_t S, const SparseRows *rows,
                           size_t I, const float *value, unsigned char *columns,
                           const SparseRows *next)
{
    const SparseRows none = {0};
    if (columns != NULL)
        memset(columns, 0, I * TILE_EXAMPLES);
    for (size_t strip = 0, width; strip < S; strip += width) {
        width = S - strip < STRIP ? KERNEL_PAD : STRIP;
        bool fills_columns = strip == 0 && columns != NULL;
        const SparseRows *prefetch = strip == 0 ? next : &none;
        if (width == STRIP && fills_columns)
            forward_strip(sums, strip, W, S, rows, value, columns, prefetch, STRIP_VECTORS);
        else if (width == STRIP)
            forward_strip(sums, strip, W, S, rows, value, NULL, prefetch, STRIP_VECTORS);
        else if (fills_columns)
            forward_strip(sums, strip, W, S, rows, value, columns, prefetch, PAD_VECTORS);
        else
            forward_strip(sums, strip, W, S, rows, value, NULL, prefetch, PAD_VECTORS);
    }
}

// ---------------------------------------------------------------------------------------------
// The first layer, update: every row of W takes the sum over the examples that light its pixel

// `vectors` vectors of s += sum over the examples e in lit of value[x[e]] * dy[e]. Where no example
// is dark, there is no bit to look for.
INLINE void add_lit_deltas(Vector *s, uint64_t lit, const unsigned char *x, const float *value,
                           const float *dy, size_t S, size_t vectors)
{
    OPAQUE(dy);
    OPAQUE(x);
    if (lit == UINT64_MAX)
        for (size_t e = 0; e < TILE_EXAMPLES; e++)
            add_scaled(s, value[x[e]], dy + e * S, vectors);
    else
        for (; lit != 0; lit &= lit - 1) {
            size_t e = (size_t)__builtin_ctzll(lit);
            add_scaled(s, value[x[e]], dy + e * S, vectors);
        }
}

// The sums over one group of examples, whose dy stay in the innermost cache: of one strip of
// outputs, for the pixels of some columns. Sums begin at 0, or where the group before left them in
// `waiting`; the last group adds them, scaled, to `into`.
INLINE void weight_gradient_group(float *into, size_t S, float *waiting, bool is_first,
                                  bool is_last, const unsigned char *columns, size_t n_columns,
                                  const float *value, const float *dy, float scale, size_t vectors)
{
    uint64_t lit[PIXELS]; // all known before the first is asked for
    for (size_t p = 0; p < n_columns; p++)
        lit[p] = lit_pixels(columns + p * TILE_EXAMPLES);
    for (size_t p = 0; p < n_columns; p++) {
        if (lit[p] == 0 && is_first && is_last)
            continue;
        Vector s[STRIP_VECTORS];
        float *sum = waiting + p * STRIP, *row = into + p * S;
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            s[j] = is_first ? splat(0.0f) : load(sum + j * LANES);
        add_lit_deltas(s, lit[p], columns + p * TILE_EXAMPLES, value, dy, S, vectors);
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            if (is_last)
                store(row + j * LANES, load(row + j * LANES) + splat(scale) * s[j]);
            else
                store(sum + j * LANES, s[j]);
    }
}

static void sparse_weight_gradient(float *into, size_t S, const unsigned char *columns, size_t B,
                                   size_t I, const float *value, const float *dy, float scale,
                                   Range rows)
{
    float waiting[PIXELS * STRIP] __attribute__((aligned(64)));
    for (size_t p = rows.first, n_columns; p < rows.end; p += n_columns) {
        n_columns = rows.end - p < PIXELS ? rows.end - p : PIXELS;
        for (size_t strip = 0, width; strip < S; strip += width) {
            width = S - strip < STRIP ? KERNEL_PAD : STRIP;
            for (size_t e = 0; e < B; e += TILE_EXAMPLES) {
                bool is_first = e == 0, is_last = B - e <= TILE_EXAMPLES;
                float *to = into + p * S + strip;
                const unsigned char *group = columns + e * I + p * TILE_EXAMPLES;
                const float *deltas = dy + e * S + strip;
                if (width == STRIP)
                    weight_gradient_group(to, S, waiting, is_first, is_last, group, n_columns,
                                          value, deltas, scale, STRIP_VECTORS);
                else
                    weight_gradient_group(to, S, waiting, is_first, is_last, group, n_columns,
                                          value, deltas, scale, PAD_VECTORS);
            }
        }
    }
}

static void sum_parts(float *y, const float *part, size_t n, size_t S)
{
    for (size_t o = 0; o < S; o += LANES) {
        Vector s = load(y + o);
        for (size_t k = 0; k < n; k++)
            s += load(part + k * S + o);
        store(y + o, s);
    }
}

// ---------------------------------------------------------------------------------------------
// Dense layers: products of matrices

// A tile: `rows` rows of PAD_VECTORS vectors of sums, kept in registers. They += the sum over k = 0
// .. n-1 of a[r][k] * w[k], where a[r][k] is a[r * a_row + k * a_column] and w[k] the KERNEL_PAD
// floats at w + k * w_row.
INLINE void tile_add(Vector *tile, const float *a, size_t a_row, size_t a_column, const float *w,
                     size_t w_row, size_t n, size_t rows)
{
    for (size_t k = 0; k < n; k++) {
        UNROLL
        for (size_t r = 0; r < rows; r++) {
            Vector v = splat(a[r * a_row + k * a_column]);
            UNROLL
            for (size_t j = 0; j < PAD_VECTORS; j++)
                tile[r * PAD_VECTORS + j] += v * load(w + k * w_row + j * LANES);
        }
    }
}

// The rows at `from`, or zeros where it is NULL.
INLINE void tile_load(Vector *tile, const float *from, size_t stride, size_t rows)
{
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t j = 0; j < PAD_VECTORS; j++)
            tile[r * PAD_VECTORS + j] =
                from == NULL ? splat(0.0f) : load(from + r * stride + j * LANES);
    }
}

INLINE void tile_store(float *to, size_t stride, const Vector *tile, size_t rows)
{
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t j = 0; j < PAD_VECTORS; j++)
            store(to + r * stride + j * LANES, tile[r * PAD_VECTORS + j]);
    }
}

// y (rows,KERNEL_PAD) = b + x W
INLINE void forward_tile(float *y, const float *W, const float *b, size_t S, const float *x,
                         size_t x_stride, size_t I, size_t rows)
{
    Vector tile[TILE_ROWS * PAD_VECTORS];
    tile_load(tile, b, 0, rows);
    tile_add(tile, x, x_stride, 1, W, S, I, rows);
    tile_store(y, S, tile, rows);
}

static void dense_forward(float *y, const float *W, const float *b, size_t S, const float *x,
                          size_t x_stride, size_t B, size_t I)
{
    for (size_t o = 0; o < S; o += KERNEL_PAD) {
        size_t e = 0;
        for (; e + TILE_ROWS <= B; e += TILE_ROWS)
            forward_tile(y + e * S + o, W + o, b + o, S, x + e * x_stride, x_stride, I, TILE_ROWS);
        for (; e < B; e++)
            forward_tile(y + e * S + o, W + o, b + o, S, x + e * x_stride, x_stride, I, 1);
    }
}

// dx (rows,KERNEL_PAD) = or += dy T, T of n rows
INLINE void backward_tile(float *dx, size_t dx_stride, bool is_first, const float *T,
                          const float *dy, size_t S, size_t n, size_t rows)
{
    Vector tile[TILE_ROWS * PAD_VECTORS];
    tile_load(tile, is_first ? NULL : dx, dx_stride, rows);
    tile_add(tile, dy, S, 1, T, KERNEL_PAD, n, rows);
    tile_store(dx, dx_stride, tile, rows);
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
            const float *from = dy + o;
            float *to = dx + i;
            size_t e = 0;
            for (; e + TILE_ROWS <= B; e += TILE_ROWS)
                backward_tile(to + e * dx_stride, dx_stride, o == 0, transposed, from + e * S, S, n,
                              TILE_ROWS);
            for (; e < B; e++)
                backward_tile(to + e * dx_stride, dx_stride, o == 0, transposed, from + e * S, S, n,
                              1);
        }
}

// into (rows,KERNEL_PAD) += scale * x^T dy
INLINE void weight_gradient_tile(float *into, size_t S, const float *x, size_t x_stride,
                                 const float *dy, size_t B, float scale, size_t rows)
{
    Vector tile[TILE_ROWS * PAD_VECTORS], before[TILE_ROWS * PAD_VECTORS];
    tile_load(tile, NULL, 0, rows);
    tile_add(tile, x, 1, x_stride, dy, S, B, rows);
    tile_load(before, into, S, rows);
    UNROLL
    for (size_t v = 0; v < rows * PAD_VECTORS; v++)
        tile[v] = before[v] + splat(scale) * tile[v];
    tile_store(into, S, tile, rows);
}

static void dense_weight_gradient(float *into, size_t S, const float *x, size_t x_stride,
                                  const float *dy, size_t B, float scale, Range range)
{
    for (size_t o = 0; o < S; o += KERNEL_PAD) {
        size_t i = range.first;
        for (; i + TILE_ROWS <= range.end; i += TILE_ROWS)
            weight_gradient_tile(into + i * S + o, S, x + i, x_stride, dy + o, B, scale, TILE_ROWS);
        for (; i < range.end; i++)
            weight_gradient_tile(into + i * S + o, S, x + i, x_stride, dy + o, B, scale, 1);
    }
}

static void bias_gradient(float *into, size_t S, const float *dy, size_t B, float scale)
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
    UNROLL
    for (size_t i = 0; i < n; i++) {
        x[i] = clamp(x[i], -87.0f, 88.0f);
        shifted[i] = x[i] * 1.44269504f + 12582912.0f;
    }
    UNROLL
    for (size_t i = 0; i < n; i++) {
        Vector whole = shifted[i] - 12582912.0f;
        r[i] = x[i] - whole * LN2_HIGH;
        r[i] = r[i] - whole * LN2_LOW;
    }
    UNROLL
    for (size_t i = 0; i < n; i++)
        exp_r[i] = EXP_POLYNOMIAL(r[i]) * (r[i] * r[i]) + r[i] + 1.0f;
    UNROLL
    for (size_t i = 0; i < n; i++)
        x[i] = exp_r[i] * (Vector)(((UintVector)shifted[i] << 23) + 0x3f800000u);
}

INLINE Vector log_vector(Vector x)
{
    UintVector shifted = (UintVector)x - 0x3f3504f3u;
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
    UNROLL
    for (size_t i = 0; i < n; i++)
        e[i] = -load(x + i * LANES);
    exp_vectors(e, n);
    UNROLL
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

#if defined TARGET && defined __clang__
#pragma clang attribute pop
#endif
