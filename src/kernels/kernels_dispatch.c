// Which kernels this CPU can run and which are used; see kernels.h.
#include "isa.h"
#include "kernels.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

// What each set is in this build: its kernels, and whether the CPU can run them. The Makefile
// defines HAVE_KERNELS_x for the sets that this machine can have and that the compiler knows.
extern const Kernels kernels_scalar;
#ifdef HAVE_SSE2
extern const Kernels kernels_sse2;
#define SSE2 &kernels_sse2, true
#else
#define SSE2 NULL, false
#endif
#ifdef HAVE_AVX2
extern const Kernels kernels_avx2;
#define AVX2 &kernels_avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")
#else
#define AVX2 NULL, false
#endif
#ifdef HAVE_AVX512
extern const Kernels kernels_avx512;
#define AVX512                                                                                     \
    &kernels_avx512, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&    \
                         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
#else
#define AVX512 NULL, false
#endif
#ifdef HAVE_NEON
extern const Kernels kernels_neon;
#define NEON &kernels_neon, true
#else
#define NEON NULL, false
#endif

const Kernels *kernels = &kernels_scalar;
static bool is_chosen; // by kernels_choose

typedef struct Candidate {
    const char *isa;
    const Kernels *kernels; // NULL: not in this build
    bool available;
} Candidate;

enum { N_CANDIDATES = 5 };

// All names that MLP_ISA may have, slowest first.
static void list_candidates(Candidate list[N_CANDIDATES])
{
    const Candidate all[N_CANDIDATES] = {
        {"scalar", &kernels_scalar, true},
        {"sse2", SSE2},
        {"avx2", AVX2},
        {"avx512", AVX512},
        {"neon", NEON},
    };
    memcpy(list, all, sizeof all);
}

const Kernels *kernels_available(size_t i)
{
    Candidate list[N_CANDIDATES];
    list_candidates(list);
    for (size_t c = 0; c < N_CANDIDATES; c++)
        if (list[c].available && i-- == 0)
            return list[c].kernels;
    return NULL;
}

bool kernels_choose(const char *isa, Error *err)
{
    Candidate list[N_CANDIDATES];
    list_candidates(list);
    const Kernels *fastest = &kernels_scalar;
    char names[64] = "";
    for (size_t c = 0; c < N_CANDIDATES; c++) {
        bool is_named = isa != NULL && strcmp(isa, list[c].isa) == 0;
        if (is_named && list[c].kernels == NULL)
            return error_set(err, "MLP_ISA=%s: this build does not have kernels for it", isa);
        if (is_named && !list[c].available)
            return error_set(err, "MLP_ISA=%s: this CPU does not have these instructions", isa);
        if (is_named) {
            kernels = list[c].kernels;
            return is_chosen = true;
        }
        if (list[c].available)
            fastest = list[c].kernels;
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", c == 0 ? "" : ", ", list[c].isa);
    }
    if (isa != NULL)
        return error_set(err, "MLP_ISA=%.40s: unknown; the instruction sets are %s", isa, names);
    kernels = fastest;
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
