// What the proofs share: values of which Eva knows only a range, and stand-ins for what a reader
// calls, each with the contract that it assumes or checks. PROOF.md says what is proved and how.
#ifndef MLP_PROVE_H
#define MLP_PROVE_H

#include "../../src/base/memory.h" // Frama-C has another file of that name
#include "base.h"

#include "__fc_builtin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// snprintf makes some text that ends in 0 within its memory, which Eva's contract of it leaves out.
static inline int text_ends(char *text, size_t size)
{
    Frama_C_make_unknown(text, size);
    text[size - 1] = '\0';
    return Frama_C_interval(0, 4096);
}
#define snprintf(text, size, ...) (snprintf(text, size, __VA_ARGS__), text_ends(text, size))

// Says yes or no, and Eva follows both.
static inline bool any_bool(void)
{
    return Frama_C_interval(0, 1) != 0;
}

// error_set writes some text that ends in 0. That each argument fits its place in the format, and
// that each string ends within its memory, is checked here by Eva's contract of snprintf.
static inline bool error_is_set(Error *err)
{
    (void)err;
    return false;
}
#define error_set(err, ...)                                                                        \
    (snprintf((err)->text, sizeof(err)->text, __VA_ARGS__), error_is_set(err))

// A block of so many bytes, all 0, or none. Nothing is freed, which is arena_free's work.
static inline void *prove_alloc(size_t size, Error *err)
{
    unsigned char *block = any_bool() ? malloc(size) : NULL;
    if (block == NULL) {
        error_set(err, "out of memory");
        return NULL;
    }
    return memset(block, 0, size);
}

#endif
