// A tiny test harness. A test is a function whose name is a claim; it holds when none of its
// CHECKs fails. A test program prints one line per claim ("ok ...", "FAIL ...", "SKIP ...") and exits
// with 1 when one failed; tests/run.sh counts the lines.
#ifndef MLP_TEST_H
#define MLP_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_failures; // of the running test
static bool test_program_failed;

// Fails the running test, with a printf-style text that shows the numbers.
#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition) && ++test_failures <= 5) {                                                \
            printf("  %s:%d: %s: ", __FILE__, __LINE__, #condition);                               \
            printf(__VA_ARGS__);                                                                   \
            putchar('\n');                                                                         \
        }                                                                                          \
    } while (0)

// Ends the running test when the rest of it would make no sense.
#define REQUIRE(condition, ...)                                                                    \
    do {                                                                                           \
        bool holds = (condition);                                                                  \
        CHECK(holds, __VA_ARGS__);                                                                 \
        if (!holds)                                                                                \
            return;                                                                                \
    } while (0)

static inline void test_run(const char *claim, void (*test)(void))
{
    char text[128];
    snprintf(text, sizeof text, "%s", claim);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '_')
            *c = ' ';
    test_failures = 0;
    test();
    printf("%s %s\n", test_failures == 0 ? "ok" : "FAIL", text);
    fflush(stdout);
    test_program_failed = test_program_failed || test_failures > 0;
}

#define RUN(test) test_run(#test, test)

static inline int test_end(void)
{
    return test_program_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
