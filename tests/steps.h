// Included before anything else where the steps of the readers are counted (test_steps.c): those of
// their loops, and a step for each byte that a function of string.h looks at.
#ifndef MLP_TEST_STEPS_H
#define MLP_TEST_STEPS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

extern uint64_t reader_steps;

#define READER_STEPS(n) ((void)(reader_steps += (n)))

// A step for each byte and the one where they end or differ.
static inline size_t steps_of_strings(const char *a, const char *b, size_t most)
{
    size_t n = 0;
    while (n < most && a[n] == b[n] && a[n] != '\0')
        n++;
    return n + 1;
}

#define strcmp(a, b)         (READER_STEPS(steps_of_strings(a, b, SIZE_MAX)), strcmp(a, b))
#define strncmp(a, b, n)     (READER_STEPS(steps_of_strings(a, b, n)), strncmp(a, b, n))
#define strlen(a)            (READER_STEPS((strlen)(a) + 1), strlen(a))
#define strchr(a, c)         (READER_STEPS((strcspn)(a, (char[]){(char)(c), '\0'}) + 1), strchr(a, c))
#define strcspn(a, set)      (READER_STEPS((strcspn)(a, set) + 1), strcspn(a, set))
#define strspn(a, set)       (READER_STEPS((strspn)(a, set) + 1), strspn(a, set))
#define memcpy(to, from, n)  (READER_STEPS(n), memcpy(to, from, n))
#define memmove(to, from, n) (READER_STEPS(n), memmove(to, from, n))
#define memcmp(a, b, n)      (READER_STEPS(n), memcmp(a, b, n))
#define memset(a, c, n)      (READER_STEPS(n), memset(a, c, n))

#endif
