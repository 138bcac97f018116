// Which kernels this CPU can run and which are used; see kernels.h.
#include "kernels.h"

#include <stdio.h>
#include <string.h>

extern const Kernels kernels_scalar;
#ifdef __x86_64__
extern const Kernels kernels_sse2, kernels_avx2, kernels_avx512;
#elif defined __AARCH64EL__
extern const Kernels kernels_neon;
#endif

const Kernels *kernels = &kernels_scalar;

typedef struct Candidate {
    const Kernels *kernels; // NULL: not for this kind of CPU
    const char *isa;
    bool available;
} Candidate;

enum { N_CANDIDATES = 5 };

// All names that MLP_ISA may have, slowest first.
static void list_candidates(Candidate list[N_CANDIDATES])
{
    const Candidate all[N_CANDIDATES] = {
        {&kernels_scalar, "scalar", true},
#ifdef __x86_64__
        {&kernels_sse2, "sse2", true},
        {&kernels_avx2, "avx2", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")},
        {&kernels_avx512, "avx512",
         __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")},
        {NULL, "neon", false},
#else
        {NULL, "sse2", false},
        {NULL, "avx2", false},
        {NULL, "avx512", false},
#ifdef __AARCH64EL__
        {&kernels_neon, "neon", true},
#else
        {NULL, "neon", false},
#endif
#endif
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
        if (is_named && !list[c].available)
            return error_set(err, "MLP_ISA=%s: this CPU does not have these instructions", isa);
        if (is_named) {
            kernels = list[c].kernels;
            return true;
        }
        if (list[c].available)
            fastest = list[c].kernels;
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", c == 0 ? "" : ", ", list[c].isa);
    }
    if (isa != NULL)
        return error_set(err, "MLP_ISA=%.40s: unknown; the instruction sets are %s", isa, names);
    kernels = fastest;
    return true;
}
