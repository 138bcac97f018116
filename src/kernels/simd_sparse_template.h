// The first layer in vectors, on images of bytes that are mostly zero: lists of the nonzero pixels,
// the sums over them forward, and the weight gradient from transposed tiles. Part of
// simd_template.h.
enum {
    STRIP = STRIP_VECTORS * LANES, // outputs whose sums are kept in registers at once
    PIXELS_PER_PASS = 64           // rows of the weight gradient between two passes over dy
};

_Static_assert(SPARSE_MAX_BYTES <= 256, "an entry has eight bits for the column");
_Static_assert(TILE_EXAMPLES == 64, "a word has a bit for each example of a tile");

// ---------------------------------------------------------------------------------------------
// Lists of nonzero pixels

#if defined KERNELS_AVX2 || defined KERNELS_AVX512

// Left-packing by a table of shuffles (pshufb): row m moves those of eight 16-bit entries whose
// bits are set in m to the front. Entry i is made of the bytes 2p and 2p + 1, p the position of the
// i-th bit. What follows the last entry does not matter.
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
static const uint64_t left_pack[256][2]
    __attribute__((aligned(16))) = {ROWS_64(0), ROWS_64(64), ROWS_64(128), ROWS_64(192)};

INLINE uint16_t *list_eight(uint16_t *entries, __m128i all, unsigned nonzero)
{
    __m128i shuffle = _mm_load_si128((const __m128i *)(const void *)left_pack[nonzero]);
    _mm_storeu_si128((__m128i *)(void *)entries, _mm_shuffle_epi8(all, shuffle));
    return entries + __builtin_popcount(nonzero);
}

// Of the 16 pixels at x, which begin at pixel p of the row, those whose bits are set in `of`.
INLINE uint16_t *list_sixteen(uint16_t *entries, const unsigned char *x, size_t p, unsigned of)
{
    const __m128i up = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m128i pixels = _mm_loadu_si128((const __m128i *)(const void *)x);
    __m128i columns = _mm_add_epi8(up, _mm_set1_epi8((char)p));
    __m128i is_zero = _mm_cmpeq_epi8(pixels, _mm_setzero_si128());
    unsigned nonzero = ~(unsigned)_mm_movemask_epi8(is_zero) & of;
    entries = list_eight(entries, _mm_unpacklo_epi8(pixels, columns), nonzero & 0xff);
    return list_eight(entries, _mm_unpackhi_epi8(pixels, columns), nonzero >> 8);
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

// Every pixel is written, and the next one over it where it is zero: nothing is mispredicted.
INLINE uint16_t *list_row(uint16_t *entries, const unsigned char *x, size_t I)
{
    for (size_t p = 0; p < I; p++) {
        *entries = (uint16_t)(p << 8 | x[p]);
        entries += x[p] != 0;
    }
    return entries;
}

#endif

static void simd_sparse_list(uint16_t *entries, uint32_t *start, const ByteRows *rows, size_t I,
                             const ByteRows *next)
{
    uint16_t *end = entries + start[0];
    for (size_t e = 0; e < rows->n; e++) {
        for (size_t p = 0; e < next->n && p < I + 63; p += 64) // every cache line of the row
            __builtin_prefetch(next->row[e] + (p < I ? p : I - 1), 0, 2);
        end = list_row(end, rows->row[e], I);
        start[e + 1] = (uint32_t)(end - entries);
    }
}

// ---------------------------------------------------------------------------------------------
// Forward: a nonzero pixel adds its row of W, scaled

// `vectors` vectors of sum += v * row.
INLINE void add_scaled(Vector *sum, float v, const float *row, size_t vectors)
{
    Vector all = splat(v);
    OPAQUE(row);
    UNROLL
    for (size_t j = 0; j < vectors; j++)
        sum[j] += all * load(row + j * LANES);
}

typedef struct ForwardStrip {
    const SparseRows *rows;
    size_t S;
    const float *W, *value; // W from the strip on
    SumRows sums;
} ForwardStrip;

// `vectors` vectors of the sums of all examples. The tile is filled unless it is NULL. An entry is
// loaded before the two in front of it are used, and the first two of a list before the list in
// front of it: loads of W whose addresses wait for the load of an entry come late.
INLINE void forward_strip(const ForwardStrip *strip, unsigned char *tile, size_t vectors)
{
    const SparseRow *row = strip->rows->row, *end = row + strip->rows->n;
    const float *W = strip->W, *value = strip->value;
    float *at = strip->sums.at;
    size_t S = strip->S;
    OPAQUE(W);
    uint32_t first = row->entries[0], second = row->entries[1];
    for (size_t e = 0; row < end; e++, row++, at += strip->sums.stride) {
        const uint16_t *ahead = row->entries + 2;
        uint32_t entry = first, next = second;
        first = row[1].entries[0];
        second = row[1].entries[1];
        LOADED(first);
        LOADED(second);
        Vector sum[STRIP_VECTORS];
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            sum[j] = strip->sums.mode == SUM_CONTINUE ? load(at + j * LANES) : splat(0.0f);
        for (size_t left = row->length; left > 0; left--) {
            uint32_t later = *ahead++;
            LOADED(later);
            if (tile != NULL)
                tile[(entry >> 8) * TILE_EXAMPLES + e] = (unsigned char)entry;
            add_scaled(sum, value[entry & 255], W + (entry >> 8) * S, vectors);
            entry = next;
            next = later;
        }
        if (strip->sums.mode == SUM_ADD) {
            UNROLL
            for (size_t j = 0; j < vectors; j++)
                sum[j] = load(at + j * LANES) + sum[j];
        }
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            store(at + j * LANES, sum[j]);
    }
}

static void simd_sparse_forward(const SumRows *sums, const float *W, size_t S,
                                const SparseRows *rows, size_t I, const float *value,
                                unsigned char *tile)
{
    if (tile != NULL)
        memset(tile, 0, I * TILE_EXAMPLES);
    for (size_t o = 0, width; o < S; o += width, tile = NULL) {
        ForwardStrip strip = {rows, S, W + o, value, *sums};
        strip.sums.at += o;
        width = S - o < STRIP ? KERNEL_PAD : STRIP;
        if (width == STRIP && tile != NULL)
            forward_strip(&strip, tile, STRIP_VECTORS);
        else if (width == STRIP)
            forward_strip(&strip, NULL, STRIP_VECTORS);
        else if (tile != NULL)
            forward_strip(&strip, tile, PAD_VECTORS);
        else
            forward_strip(&strip, NULL, PAD_VECTORS);
    }
}

static void simd_sum_parts(float *y, const float *part, size_t n, size_t S)
{
    for (size_t o = 0; o < S; o += LANES) {
        Vector sum = load(y + o);
        for (size_t k = 0; k < n; k++)
            sum += load(part + k * S + o);
        store(y + o, sum);
    }
}

// ---------------------------------------------------------------------------------------------
// Weight gradient: a row of W takes the sum over the examples whose pixel is not zero

// Bit e: x[e] is not zero, of TILE_EXAMPLES bytes.
INLINE uint64_t nonzero_examples(const unsigned char *x)
{
#if defined KERNELS_AVX512
    __m512i v = _mm512_loadu_si512(x);
    return _mm512_test_epi8_mask(v, v);
#elif defined KERNELS_AVX2
    uint64_t zeros = 0;
    for (unsigned i = 0; i < 2; i++) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(x + 32 * i));
        __m256i is_zero = _mm256_cmpeq_epi8(v, _mm256_setzero_si256());
        zeros |= (uint64_t)(uint32_t)_mm256_movemask_epi8(is_zero) << (32 * i);
    }
    return ~zeros;
#elif defined KERNELS_SSE2
    uint64_t zeros = 0;
    for (unsigned i = 0; i < 4; i++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(x + 16 * i));
        __m128i is_zero = _mm_cmpeq_epi8(v, _mm_setzero_si128());
        zeros |= (uint64_t)(uint32_t)_mm_movemask_epi8(is_zero) << (16 * i);
    }
    return ~zeros;
#else
    // Eight bytes of a little-endian word at a time: the highest bit of each says whether it is
    // zero; the product moves the eight of them into the highest byte.
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f), high = ~low;
    uint64_t nonzero = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t eight;
        memcpy(&eight, x + 8 * i, sizeof eight);
        eight = (((eight & low) + low) | eight) & high;
        nonzero |= ((eight >> 7) * UINT64_C(0x0102040810204080) >> 56) << (8 * i);
    }
    return nonzero;
#endif
}

// One strip of the sums over a tile. Rows of STRIP sums begin at `from`, or at +0 where it is NULL,
// and are left at `to`, or, where that is NULL, added to into, scaled.
typedef struct GradientStrip {
    float *into; // some rows of dW from the strip on
    size_t S;
    const float *dy, *value; // dy (TILE_EXAMPLES,S) from the strip on
    float scale;
    const float *from;
    float *to;
} GradientStrip;

// The sums of `pixels` neighbouring pixels, `vectors` vectors each, += value * row of dy for the
// bytes of one example at x.
INLINE void add_delta(Vector sum[][STRIP_VECTORS], const unsigned char *x,
                      const GradientStrip *strip, const float *row, size_t vectors, size_t pixels)
{
    Vector value[PIXELS_AT_A_TIME];
    UNROLL
    for (size_t i = 0; i < pixels; i++)
        value[i] = splat(strip->value[x[i * TILE_EXAMPLES]]);
    OPAQUE(row);
    UNROLL
    for (size_t j = 0; j < vectors; j++) {
        Vector delta = load(row + j * LANES);
        if (pixels > 1)
            IN_REGISTER(delta);
        UNROLL
        for (size_t i = 0; i < pixels; i++)
            sum[i][j] += value[i] * delta;
    }
}

// ... for all examples in nonzero. Where no example is zero, there is no bit to look for.
INLINE void add_deltas(Vector sum[][STRIP_VECTORS], uint64_t nonzero, const unsigned char *x,
                       const GradientStrip *strip, size_t vectors, size_t pixels)
{
    const float *dy = strip->dy;
    size_t S = strip->S;
    OPAQUE(dy);
    OPAQUE(x);
    if (nonzero == UINT64_MAX)
        for (size_t e = 0; e < TILE_EXAMPLES; e++)
            add_delta(sum, x + e, strip, dy + e * S, vectors, pixels);
    else
        for (; nonzero != 0; nonzero &= nonzero - 1) {
            size_t e = (size_t)__builtin_ctzll(nonzero);
            add_delta(sum, x + e, strip, dy + e * S, vectors, pixels);
        }
}

// The sums of `pixels` neighbouring pixels over one tile, of which the examples in nonzero are not
// zero in all of them: the zeros of the others change no sum.
INLINE void gradient_pixels(const GradientStrip *strip, const unsigned char *x, uint64_t nonzero,
                            size_t vectors, size_t pixels)
{
    if (nonzero == 0 && strip->from == NULL && strip->to == NULL)
        return;
    Vector sum[PIXELS_AT_A_TIME][STRIP_VECTORS];
    UNROLL
    for (size_t i = 0; i < pixels; i++) {
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            sum[i][j] =
                strip->from == NULL ? splat(0.0f) : load(strip->from + i * STRIP + j * LANES);
    }
    add_deltas(sum, nonzero, x, strip, vectors, pixels);
    UNROLL
    for (size_t i = 0; i < pixels; i++) {
        float *row = strip->into + i * strip->S;
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            if (strip->to != NULL)
                store(strip->to + i * STRIP + j * LANES, sum[i][j]);
            else
                store(row + j * LANES, load(row + j * LANES) + splat(strip->scale) * sum[i][j]);
    }
}

// ... and of n <= PIXELS_PER_PASS pixels.
INLINE void gradient_strip(GradientStrip strip, const unsigned char *tile, size_t n, size_t vectors)
{
    uint64_t nonzero[PIXELS_PER_PASS]; // all known before the first is asked for
    for (size_t p = 0; p < n; p++)
        nonzero[p] = nonzero_examples(tile + p * TILE_EXAMPLES);
    for (size_t p = 0, pixels; p < n; p += pixels) {
        pixels = n - p < PIXELS_AT_A_TIME ? 1 : PIXELS_AT_A_TIME;
        uint64_t either = 0;
        for (size_t i = 0; i < pixels; i++)
            either |= nonzero[p + i];
        if (pixels == PIXELS_AT_A_TIME)
            gradient_pixels(&strip, tile, either, vectors, PIXELS_AT_A_TIME);
        else
            gradient_pixels(&strip, tile, either, vectors, 1);
        tile += pixels * TILE_EXAMPLES;
        strip.into += pixels * strip.S;
        if (strip.from != NULL)
            strip.from += pixels * STRIP;
        if (strip.to != NULL)
            strip.to += pixels * STRIP;
    }
}

static void simd_sparse_weight_gradient(float *into, size_t S, const unsigned char *tiles, size_t B,
                                        size_t I, const float *value, const float *dy, float scale,
                                        Range rows)
{
    float sums[PIXELS_PER_PASS * STRIP] __attribute__((aligned(64)));
    for (size_t p = rows.first, n; p < rows.end; p += n) {
        n = rows.end - p < PIXELS_PER_PASS ? rows.end - p : PIXELS_PER_PASS;
        for (size_t o = 0, width; o < S; o += width) {
            width = S - o < STRIP ? KERNEL_PAD : STRIP;
            for (size_t e = 0; e < B; e += TILE_EXAMPLES) {
                GradientStrip strip = {.into = into + p * S + o,
                                       .S = S,
                                       .dy = dy + e * S + o,
                                       .value = value,
                                       .scale = scale,
                                       .from = e == 0 ? NULL : sums,
                                       .to = B - e <= TILE_EXAMPLES ? NULL : sums};
                const unsigned char *tile = tiles + e * I + p * TILE_EXAMPLES;
                if (width == STRIP)
                    gradient_strip(strip, tile, n, STRIP_VECTORS);
                else
                    gradient_strip(strip, tile, n, PAD_VECTORS);
            }
        }
    }
}
