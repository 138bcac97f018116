// Vectors of the width of the instruction set that is compiled for, for the kernels alone: the
// files that include this are compiled once for each set. A vector's lanes are outputs (hidden
// units, channels, classes), weights of one output or examples, never the terms of one sum.
#ifndef MLP_VECTORS_H
#define MLP_VECTORS_H

#include "kernels.h"

#include <string.h>

#if defined KERNELS_AVX512
#include <immintrin.h>
enum { VECTOR_BYTES = 64, STRIP_VECTORS = 4, TILE_ROWS = 8 };
#define KERNEL(name) name##_avx512
#define KERNELS_ISA  "avx512"
#elif defined KERNELS_AVX2
#include <immintrin.h>
enum { VECTOR_BYTES = 32, STRIP_VECTORS = 8, TILE_ROWS = 4 };
#define KERNEL(name) name##_avx2
#define KERNELS_ISA  "avx2"
#elif defined KERNELS_SSE2
#include <emmintrin.h>
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

extern const ConvKernels KERNEL(conv_kernels); // kernels_conv.c

enum {
    LANES = VECTOR_BYTES / 4,
    PAD_VECTORS = KERNEL_PAD / LANES // vectors in the smallest row
};

typedef float Vector __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef int32_t Ints __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef uint32_t Words __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef float AnyVector __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef uint64_t Longs __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef unsigned char Bytes __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef unsigned char AnyBytes __attribute__((vector_size(VECTOR_BYTES), aligned(1), may_alias));

// A function with a constant argument that its loops are unrolled by must end up in its caller.
#define INLINE static inline __attribute__((always_inline))

// Hides from the compiler how a pointer was made: it would keep one for each vector of a row, more
// than there are registers, instead of one and constant distances.
#define ONE_POINTER(p) __asm__("" : "+r"(p))

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
    return (Vector)(((Words)condition & (Words)yes) | (~(Words)condition & (Words)no));
}

// ---------------------------------------------------------------------------------------------
// Products of matrices, in tiles of a few rows by KERNEL_PAD columns

typedef struct Tile {
    Vector sum[TILE_ROWS][PAD_VECTORS];
} Tile;

// The first `rows` rows of the tile += sum over k = 0 .. n-1 of a[r][k] * w[k], where a[r][k] is
// a[r * a_row + k * a_column] and w[k] the KERNEL_PAD floats at w + k * w_row.
INLINE void tile_add(Tile *tile, const float *a, size_t a_row, size_t a_column, const float *w,
                     size_t w_row, size_t n, size_t rows)
{
    Tile t = *tile;
    for (size_t k = 0; k < n; k++)
#pragma GCC unroll 16
        for (size_t r = 0; r < rows; r++) {
            Vector v = splat(a[r * a_row + k * a_column]);
#pragma GCC unroll 4
            for (size_t j = 0; j < PAD_VECTORS; j++)
                t.sum[r][j] += v * load(w + k * w_row + j * LANES);
        }
    *tile = t;
}

// The same for up to TILE_ROWS rows.
INLINE void tile_add_rows(Tile *tile, const float *a, size_t a_row, size_t a_column, const float *w,
                          size_t w_row, size_t n, size_t rows)
{
    if (rows == TILE_ROWS)
        tile_add(tile, a, a_row, a_column, w, w_row, n, TILE_ROWS);
    else
        for (size_t r = 0; r < rows; r++) {
            Tile one;
            memcpy(one.sum[0], tile->sum[r], sizeof one.sum[0]);
            tile_add(&one, a + r * a_row, a_row, a_column, w, w_row, n, 1);
            memcpy(tile->sum[r], one.sum[0], sizeof one.sum[0]);
        }
}

INLINE size_t tile_rows(size_t first, size_t end)
{
    return end - first < TILE_ROWS ? end - first : TILE_ROWS;
}

#endif
