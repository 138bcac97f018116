// Vectors of the width of one instruction set, and what the compiler must know to use it. A file
// that names a set and includes simd_template.h gets the kernels for it; no flag of the compiler is
// needed. A vector's lanes are outputs (hidden units, channels, classes), weights of one output or
// examples, never the terms of one sum.
//
// For each set: TARGET, what the compiler calls its instructions where they are not its default;
// STRIP_VECTORS, vectors of a row of outputs that are summed at once by the sparse kernels;
// PIXELS_AT_A_TIME, whose weight gradients share the loads of dy; TILE_ROWS, rows of KERNEL_PAD
// floats that are summed at once by the dense kernels, and positions of images by convolutions;
// CHANNEL_VECTORS, vectors of channels at each of those; WINDOW_VECTORS, vectors of a window's row
// that are summed at once. All were found by measuring: as many sums as the set has registers for.
#ifndef MLP_SIMD_VECTORS_H
#define MLP_SIMD_VECTORS_H

#include "elementary.h"
#include "kernels.h"

#include <string.h>

#if defined KERNELS_AVX512
#include <immintrin.h>
enum { VECTOR_BYTES = 64, STRIP_VECTORS = 4, PIXELS_AT_A_TIME = 2 };
enum { TILE_ROWS = 8, CHANNEL_VECTORS = 2, WINDOW_VECTORS = 5 };
#define TARGET       "avx512f,avx512bw,avx512dq,avx512vl,bmi"
#define KERNEL_TABLE kernels_avx512
#define KERNEL_ISA   "avx512"
#elif defined KERNELS_AVX2
#include <immintrin.h>
enum { VECTOR_BYTES = 32, STRIP_VECTORS = 8, PIXELS_AT_A_TIME = 1 };
enum { TILE_ROWS = 4, CHANNEL_VECTORS = 2, WINDOW_VECTORS = 10 };
#define TARGET       "avx2,bmi"
#define KERNEL_TABLE kernels_avx2
#define KERNEL_ISA   "avx2"
#elif defined KERNELS_SSE2
#include <emmintrin.h>
enum { VECTOR_BYTES = 16, STRIP_VECTORS = 8, PIXELS_AT_A_TIME = 1 };
enum { TILE_ROWS = 2, CHANNEL_VECTORS = 4, WINDOW_VECTORS = 10 };
#define KERNEL_TABLE kernels_sse2
#define KERNEL_ISA   "sse2"
#elif defined KERNELS_NEON
#include <arm_neon.h>
enum { VECTOR_BYTES = 16, STRIP_VECTORS = 16, PIXELS_AT_A_TIME = 1 };
enum { TILE_ROWS = 4, CHANNEL_VECTORS = 4, WINDOW_VECTORS = 10 };
#define KERNEL_TABLE kernels_neon
#define KERNEL_ISA   "neon"
#else
#error "name the instruction set: include kernels_avx2.c or another of its kind"
#endif

// The functions between TARGET_BEGIN and TARGET_END use the set's instructions.
#define PRAGMA(text) _Pragma(#text)
#if !defined TARGET
#define TARGET_BEGIN
#define TARGET_END
#elif defined __clang__
#define CLANG_TARGET(name)                                                                         \
    PRAGMA(clang attribute push(__attribute__((target(name))), apply_to = function))
#define TARGET_BEGIN CLANG_TARGET(TARGET)
#define TARGET_END   PRAGMA(clang attribute pop)
#else
#define GCC_TARGET(name) PRAGMA(GCC target name)
#define TARGET_BEGIN     PRAGMA(GCC push_options) GCC_TARGET(TARGET)
#define TARGET_END       PRAGMA(GCC pop_options)
#endif

enum {
    LANES = VECTOR_BYTES / 4,
    PAD_VECTORS = KERNEL_PAD / LANES // vectors in the smallest row
};

typedef float Vector __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef int32_t IntVector __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef uint32_t UintVector __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef float UnalignedVector __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));

// A function with a constant argument that its loops are unrolled by must end up in its caller.
#define INLINE static inline __attribute__((always_inline))

// Before a loop over vectors whose number the compiler knows: they are to stay in registers, not in
// an array. (clang passes over the pragma of gcc.)
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

// Hides from the compiler how a value was made. It would keep a pointer for each vector of a row,
// more than there are registers, instead of one and constant distances; and would mask the bits
// above those of a loaded uint16_t, which are zero, again after each shift.
#define OPAQUE(v) __asm__("" : "+r"(v))
// ... and has it loaded here, not where it is first used.
#define LOADED(v) __asm__ volatile("" : "+r"(v))
// Keeps a vector that is used twice in a register: the compiler would load it again for each use,
// as an operand in memory.
#if defined __x86_64__ || defined __i386__
#define IN_REGISTER(v) __asm__("" : "+v"(v))
#else
#define IN_REGISTER(v) __asm__("" : "+w"(v))
#endif

TARGET_BEGIN

INLINE Vector load(const float *x)
{
    return *(const Vector *)x;
}

INLINE Vector load_unaligned(const float *x)
{
    return *(const UnalignedVector *)x;
}

INLINE void store(float *x, Vector v)
{
    *(Vector *)x = v;
}

INLINE void store_unaligned(float *x, Vector v)
{
    *(UnalignedVector *)x = v;
}

// x in every lane: minus 0 changes no bit of it.
INLINE Vector splat(float x)
{
    return x - (Vector){0};
}

INLINE Vector choose(IntVector condition, Vector yes, Vector no)
{
    return (Vector)(((UintVector)condition & (UintVector)yes) |
                    (~(UintVector)condition & (UintVector)no));
}

// The square root, which IEEE 754 rounds correctly, lane by lane.
INLINE Vector square_root(Vector x)
{
#if defined KERNELS_AVX512
    return (Vector)_mm512_sqrt_ps((__m512)x);
#elif defined KERNELS_AVX2
    return (Vector)_mm256_sqrt_ps((__m256)x);
#elif defined KERNELS_SSE2
    return (Vector)_mm_sqrt_ps((__m128)x);
#else
    return (Vector)vsqrtq_f32((float32x4_t)x);
#endif
}

// min(high, max(low, x)), lane by lane; a NaN stays, as it is the second operand.
INLINE Vector clamp(Vector x, float low, float high)
{
#if defined KERNELS_AVX512
    __m512 raised = _mm512_max_ps((__m512)splat(low), (__m512)x);
    return (Vector)_mm512_min_ps((__m512)splat(high), raised);
#elif defined KERNELS_AVX2
    __m256 raised = _mm256_max_ps((__m256)splat(low), (__m256)x);
    return (Vector)_mm256_min_ps((__m256)splat(high), raised);
#elif defined KERNELS_SSE2
    return (Vector)_mm_min_ps((__m128)splat(high), _mm_max_ps((__m128)splat(low), (__m128)x));
#else
    x = choose(x < splat(low), splat(low), x);
    return choose(x > splat(high), splat(high), x);
#endif
}

TARGET_END

#endif
