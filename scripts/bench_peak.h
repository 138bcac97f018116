// How fast this machine multiplies and adds float, from registers alone: one loop a way of doing
// it. What no dense program can exceed.
#ifndef MLP_BENCH_PEAK_H
#define MLP_BENCH_PEAK_H

#include "isa.h"

#include <stdbool.h>
#include <stddef.h>

#if defined __x86_64__
#include <immintrin.h>
#endif

enum { PEAK_STEPS = 1000000, PEAK_CHAINS = 12 }; // chains hide the latency of an addition

typedef struct PeakKernel {
    const char *isa;
    int flops_per_step;
    void (*run)(size_t steps);
} PeakKernel;

// Keeps the compiler from leaving out a sum that nobody reads.
#define PEAK_KEEP(vector) __asm__ volatile("" : : "x"(vector))

#if defined __x86_64__

#define PEAK_DEFINE(name, features, vector, set1, step)                                            \
    __attribute__((target(features))) static void name(size_t steps)                               \
    {                                                                                              \
        vector sum[PEAK_CHAINS], x = set1(0.999f), y = set1(1e-3f);                                \
        _Pragma("GCC unroll 12") for (int i = 0; i < PEAK_CHAINS; i++) sum[i] = set1((float)i);    \
        for (size_t k = 0; k < steps; k++) {                                                       \
            _Pragma("GCC unroll 12") for (int i = 0; i < PEAK_CHAINS; i++)                         \
            {                                                                                      \
                sum[i] = step(sum[i], x, y);                                                       \
                PEAK_KEEP(sum[i]);                                                                 \
            }                                                                                      \
        }                                                                                          \
    }

#define PEAK_SSE2_STEP(a, x, y) _mm_add_ps(_mm_mul_ps(a, x), y)
PEAK_DEFINE(peak_sse2, "sse2", __m128, _mm_set1_ps, PEAK_SSE2_STEP)
#ifdef HAVE_AVX2
PEAK_DEFINE(peak_fma, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps)
#ifdef HAVE_AVX512
PEAK_DEFINE(peak_avx512, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps)
#endif
#endif

static const PeakKernel peak_kernels[] = {
    {"SSE2", 2 * 4 * PEAK_CHAINS, peak_sse2},
#ifdef HAVE_AVX2
    {"AVX2 with FMA", 2 * 8 * PEAK_CHAINS, peak_fma},
#ifdef HAVE_AVX512
    {"AVX-512", 2 * 16 * PEAK_CHAINS, peak_avx512},
#endif
#endif
};

static inline bool peak_is_available(size_t i)
{
    return i == 0 || (i == 1 ? __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
                             : __builtin_cpu_supports("avx512f") != 0);
}

#else

typedef float PeakVector __attribute__((vector_size(16)));

static void peak_plain(size_t steps)
{
    PeakVector sum[PEAK_CHAINS] = {{0}}, x = {0.999f, 0.999f, 0.999f, 0.999f};
    for (size_t k = 0; k < steps; k++)
#pragma GCC unroll 12
        for (int i = 0; i < PEAK_CHAINS; i++)
            sum[i] = sum[i] * x + x;
    volatile float kept = 0.0f;
    for (int i = 0; i < PEAK_CHAINS; i++)
        kept = kept + sum[i][0];
}

static const PeakKernel peak_kernels[] = {{"plain", 2 * 4 * PEAK_CHAINS, peak_plain}};

static inline bool peak_is_available(size_t i)
{
    return i == 0;
}

#endif

enum { N_PEAK_KERNELS = sizeof peak_kernels / sizeof peak_kernels[0] };

#endif
