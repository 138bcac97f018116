// What the tests of hostile files share: how much memory an input made a reader ask for (they are
// linked with --wrap=aligned_alloc), and that a reason is one line.
#ifndef MLP_TEST_HOSTILE_H
#define MLP_TEST_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static size_t asked; // bytes, since it was set to 0

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    asked += size;
    return __real_aligned_alloc(alignment, size);
}

static bool is_one_line(const char *text)
{
    size_t n = 0;
    for (; text[n] != '\0'; n++)
        if ((unsigned char)text[n] < ' ' || text[n] == 0x7f)
            return false;
    return n > 0 && n < 900;
}

#endif
