// What the fuzz targets share. A target is a file fuzz_NAME.c with one function,
// LLVMFuzzerTestOneInput, which hands bytes from anywhere to one reader of the program and checks
// what that reader promises. `make fuzz` links it with libFuzzer, the tests with replay.c.
#ifndef MLP_FUZZ_H
#define MLP_FUZZ_H

#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

// A promise: broken, it ends the process, which is how a fuzzer notices.
#define PROMISE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

// A refusal gives its reason, in one line.
static inline void promise_reason(const Error *err)
{
    size_t length = strlen(err->text);
    PROMISE(length > 0 && length < sizeof err->text);
    for (size_t i = 0; i < length; i++)
        PROMISE((unsigned char)err->text[i] >= ' ' && err->text[i] != 0x7f);
}

// Returns a copy in a block of exactly that size, so that the address sanitizer sees its end.
static inline unsigned char *exact_copy(const void *data, size_t size)
{
    unsigned char *copy = malloc(size > 0 ? size : 1);
    PROMISE(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

#endif
