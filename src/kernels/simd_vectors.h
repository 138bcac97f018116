// Vectors of the width of the instruction set that is compiled for, for the kernels alone: the
// files that include this are compiled once for each set. A vector's lanes are outputs (hidden
// units, channels, classes), weights of one output or examples, never the terms of one sum.
#ifndef MLP_VECTORS_H
#define MLP_VECTORS_H

#include "elementary.h"
#include "kernels.h"

#include <string.h>

#if defined KERNELS_AVX512 || defined KERNELS_AVX2
#include <immintrin.h>
#elif defined KERNELS_SSE2
#include <emmintrin.h>
#endif

#if defined KERNELS_AVX512
#define TARGET "avx512f,avx512bw,avx512dq,avx512vl,bmi"
enum { VECTOR_BYTES = 64, STRIP_VECTORS = 4, TILE_ROWS = 8 };
#define KERNEL(name) name##_avx512
#define KERNELS_ISA  "avx512"
#elif defined KERNELS_AVX2
#define TARGET "avx2,bmi"
enum { VECTOR_BYTES = 32, STRIP_VECTORS = 8, TILE_ROWS = 4 };
#define KERNEL(name) name##_avx2
#define KERNELS_ISA  "avx2"
#elif defined KERNELS_SSE2
enum { VECTOR_BYTES = 16, STRIP_VECTORS = 8, TILE_ROWS = 2 };
#define KERNEL(name) name##_sse2
#define KERNELS_ISA  "sse2"
#elif defined KERNELS_NEON
enum { VECTOR_BYTES = 16, STRIP_VECTORS = 16, TILE_ROWS = 4 };
#define KERNEL(name) name##_neon
#define KERNELS_ISA  "neon"
#else
#error "name the instruction set: -DKERNELS_AVX2 or another of the above"
#endif

// From here on, functions use the instructions of the set.
#define PRAGMA(text) _Pragma(#text)
#if defined TARGET && defined __clang__
#define TARGET_BEGIN(t) PRAGMA(clang attribute push(__attribute__((target(t))), apply_to = function))
#elif defined TARGET
#define TARGET_BEGIN(t) PRAGMA(GCC target t)
#endif
#ifdef TARGET
TARGET_BEGIN(TARGET)
#endif

enum {
    LANES = VECTOR_BYTES / 4,
    PAD_VECTORS = KERNEL_PAD / LANES // vectors in the smallest row
};

typedef float Vector __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef int32_t Ints __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef uint32_t UintVector __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef float AnyVector __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef uint64_t Longs __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef unsigned char Bytes __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef unsigned char AnyBytes __attribute__((vector_size(VECTOR_BYTES), aligned(1), may_alias));

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

INLINE Vector load(const float *x)
{
    return *(const Vector *)x;
}

INLINE Vector load_any(const float *x)
{
    return *(const AnyVector *)x;
}

INLINE void store(float *x, Vector v)
{
    *(Vector *)x = v;
}

INLINE Vector splat(float x)
{
#if defined KERNELS_AVX512
    return (Vector){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
#elif defined KERNELS_AVX2
    return (Vector){x, x, x, x, x, x, x, x};
#else
    return (Vector){x, x, x, x};
#endif
}

INLINE Vector choose(Ints condition, Vector yes, Vector no)
{
    return (Vector)(((UintVector)condition & (UintVector)yes) |
                    (~(UintVector)condition & (UintVector)no));
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

#endif
