// Bilinear interpolation in vectors, a lane for each point: the augmentation of images. Part of
// simd_template.h.
typedef uint16_t ShortVector __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef unsigned char ByteVector __attribute__((vector_size(LANES), may_alias));

_Static_assert((int)LANES <= (int)SAMPLE_SLACK, "the last vector of a line may be written whole");

// LANES bytes as words. (gcc converts vectors of bytes one by one.)
INLINE UintVector load_bytes(const unsigned char *bytes)
{
#if defined KERNELS_AVX512
    return (UintVector)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)bytes));
#elif defined KERNELS_AVX2
    return (UintVector)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)bytes));
#elif defined KERNELS_SSE2
    uint32_t four;
    memcpy(&four, bytes, sizeof four);
    __m128i zero = _mm_setzero_si128(), v = _mm_cvtsi32_si128((int)four);
    return (UintVector)_mm_unpacklo_epi16(_mm_unpacklo_epi8(v, zero), zero);
#else
    ByteVector v;
    memcpy(&v, bytes, sizeof v);
    return __builtin_convertvector(v, UintVector);
#endif
}

// Words below 256 as bytes.
INLINE void store_bytes(unsigned char *bytes, UintVector words)
{
#if defined KERNELS_AVX512
    _mm_storeu_si128((__m128i *)(void *)bytes, _mm512_cvtepi32_epi8((__m512i)words));
#elif defined KERNELS_AVX2
    __m128i low = _mm256_castsi256_si128((__m256i)words);
    __m128i shorts = _mm_packus_epi32(low, _mm256_extracti128_si256((__m256i)words, 1));
    _mm_storel_epi64((__m128i *)(void *)bytes, _mm_packus_epi16(shorts, shorts));
#elif defined KERNELS_SSE2
    __m128i shorts = _mm_packs_epi32((__m128i)words, (__m128i)words);
    uint32_t four = (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(shorts, shorts));
    memcpy(bytes, &four, sizeof four);
#else
    ByteVector v = __builtin_convertvector(words, ByteVector);
    memcpy(bytes, &v, sizeof v);
#endif
}

static void simd_make_quads(const QuadTable *table, const unsigned char *image)
{
    const unsigned char *below = image + table->pitch;
    for (size_t i = 0; i < table->n; i += LANES) {
        UintVector upper = load_bytes(image + i) | load_bytes(image + i + 1) << 8;
        UintVector lower = load_bytes(below + i) | load_bytes(below + i + 1) << 8;
        UintVector quads = upper | lower << 16;
        memcpy(table->quads + i, &quads, sizeof quads);
    }
}

// x in every lane.
INLINE IntVector splat_int(int32_t x)
{
    return (IntVector){0} + x;
}

// Of each lane, two signed halves: the sum of the products, half by half, of the two operands.
INLINE IntVector multiply_pairs(IntVector a, IntVector b)
{
#if defined KERNELS_AVX512
    return (IntVector)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined KERNELS_AVX2
    return (IntVector)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined KERNELS_SSE2
    return (IntVector)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
    IntVector low = (IntVector)((UintVector)a << 16) >> 16;
    return low * ((IntVector)((UintVector)b << 16) >> 16) + (a >> 16) * (b >> 16);
#endif
}

// quads[index], lane by lane, the last of the n where index is too large.
INLINE UintVector gather_quads(const uint32_t *quads, UintVector index, uint32_t n)
{
#if defined KERNELS_AVX512
    __m512i in = _mm512_min_epu32((__m512i)index, _mm512_set1_epi32((int)n - 1));
    return (UintVector)_mm512_i32gather_epi32(in, quads, 4);
#elif defined KERNELS_AVX2
    __m256i in = _mm256_min_epu32((__m256i)index, _mm256_set1_epi32((int)n - 1));
    return (UintVector)_mm256_i32gather_epi32((const int *)(const void *)quads, in, 4);
#else
    UintVector found;
    for (size_t l = 0; l < LANES; l++)
        found[l] = quads[index[l] < n ? index[l] : n - 1];
    return found;
#endif
}

// The interpolation in each quad at the fractions u, v of 256.
INLINE UintVector interpolate(UintVector quad, UintVector u, UintVector v)
{
    ShortVector left = (ShortVector)(quad & 0x00ff00ff);
    ShortVector right = (ShortVector)(quad >> 8 & 0x00ff00ff);
    ShortVector across = left * 256 + (right - left) * (ShortVector)(u | u << 16);
    // Upper and lower, below 2^16 both; minus 2^15 they fit a signed half.
    IntVector signed_across = (IntVector)across ^ (int32_t)0x80008000;
    IntVector weights = (IntVector)((256 - v) | v << 16);
    IntVector sum = multiply_pairs(signed_across, weights);
    return (UintVector)(sum + ((1 << 23) + (1 << 15))) >> 16;
}

static void simd_sample_lines(unsigned char *to, const QuadTable *table, const SampleLines *lines)
{
    UintVector lane;
    for (size_t l = 0; l < LANES; l++)
        lane[l] = (uint32_t)l;
    const uint32_t dx = (uint32_t)lines->dx, dy = (uint32_t)lines->dy;
    UintVector lane_x = lane * dx, lane_y = lane * dy;
    IntVector pitch = splat_int((int32_t)(table->pitch << 16 | 1));
    for (const SampleLine *line = lines->lines; line < lines->lines + lines->n; line++) {
        UintVector x = (uint32_t)line->x + lane_x, y = (uint32_t)line->y + lane_y, l = lane;
        for (size_t i = 0; i < line->n; i += LANES) {
            // The points behind the last one may be anywhere, and become 0.
            UintVector inside = (UintVector)(l < (UintVector){0} + line->n);
            IntVector row = (IntVector)y >> POSITION_BITS, column = (IntVector)x >> POSITION_BITS;
            IntVector index =
                multiply_pairs((IntVector)((UintVector)row << 16) | (column & 0xffff), pitch);
            UintVector quad = gather_quads(table->quads, (UintVector)index, table->n);
            UintVector u = x >> (POSITION_BITS - 8) & 255, v = y >> (POSITION_BITS - 8) & 255;
            store_bytes(to + line->to + i, interpolate(quad, u, v) & inside);
            x += LANES * dx;
            y += LANES * dy;
            l += LANES;
        }
    }
}
