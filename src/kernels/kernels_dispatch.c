// Which kernels this build has, which of them this CPU can run, and which are used. isa.h decides
// the first question.
#include "isa.h"
#include "kernels.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

extern const Kernels kernels_sse2, kernels_avx2, kernels_avx512, kernels_neon;

// All names that MLP_ISA may have, slowest first, and the kernels, NULL where this build has none.
enum { SCALAR, SSE2, AVX2, AVX512, NEON, N_SETS };
static const char *const names[N_SETS] = {"scalar", "sse2", "avx2", "avx512", "neon"};
static const Kernels *const sets[N_SETS] = {
    [SCALAR] = &kernels_scalar,
#ifdef HAVE_SSE2
    [SSE2] = &kernels_sse2,
#endif
#ifdef HAVE_AVX2
    [AVX2] = &kernels_avx2,
#endif
#ifdef HAVE_AVX512
    [AVX512] = &kernels_avx512,
#endif
#ifdef HAVE_NEON
    [NEON] = &kernels_neon,
#endif
};

const Kernels *kernels = &kernels_scalar;
static bool is_chosen; // by kernels_choose

static bool cpu_has(size_t set)
{
#ifdef HAVE_AVX2
    if (set == AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
#endif
#ifdef HAVE_AVX512
    if (set == AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("bmi");
#endif
    return sets[set] != NULL;
}

const Kernels *kernels_available(size_t i)
{
    for (size_t set = 0; set < N_SETS; set++)
        if (cpu_has(set) && i-- == 0)
            return sets[set];
    return NULL;
}

bool kernels_choose(const char *isa, Error *err)
{
    const Kernels *fastest = NULL;
    for (size_t i = 0; kernels_available(i) != NULL; i++)
        fastest = kernels_available(i);
    size_t set = 0;
    while (isa != NULL && set < N_SETS && strcmp(isa, names[set]) != 0)
        set++;
    if (set == N_SETS)
        return error_set(err, "MLP_ISA=%.40s: unknown; the instruction sets are %s, %s, %s, %s, %s",
                         isa, names[0], names[1], names[2], names[3], names[4]);
    if (sets[set] == NULL)
        return error_set(err, "MLP_ISA=%s: this build does not have kernels for it", isa);
    if (!cpu_has(set))
        return error_set(err, "MLP_ISA=%s: this CPU does not have these instructions", isa);
    kernels = isa == NULL ? fastest : sets[set];
    return is_chosen = true;
}

static void choose_fastest(void)
{
    Error unused; // the fastest can always be had
    if (!is_chosen)
        kernels_choose(NULL, &unused);
}

void kernels_choose_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, choose_fastest);
}
