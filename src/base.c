// Errors, the clock and memory; see base.h.
#include "base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

// ---------------------------------------------------------------------------------------------
// Errors

// What comes from outside, a file's name above all, may hold anything; a message stays one line.
static void error_keep_to_one_line(Error *err)
{
    for (char *c = err->text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

bool error_set(Error *err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    error_keep_to_one_line(err);
    return false;
}

bool error_set_errno(Error *err, const char *format, ...)
{
    int number = errno;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    size_t length = strlen(err->text);
    snprintf(err->text + length, sizeof err->text - length, ": %s", strerror(number));
    error_keep_to_one_line(err);
    return false;
}

double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// ---------------------------------------------------------------------------------------------
// Memory

enum { ARENA_ALIGNMENT = 64 };

typedef struct ArenaBlock {
    struct ArenaBlock *next;
} ArenaBlock;

static void *block_memory(ArenaBlock *block)
{
    return (unsigned char *)block + ARENA_ALIGNMENT;
}

// `n` is the number of bytes wanted, or SIZE_MAX when it does not even fit a size_t.
static bool error_no_memory(Error *err, size_t n, const char *what)
{
    if (n == SIZE_MAX)
        return error_set(err, "out of memory: %s would need more than an address can reach", what);
    return error_set(err, "out of memory: %zu bytes for %s", n, what);
}

// Asks for large pages where the system has them: images are read in random order, and a page of 4
// KB holds five. Only a hint; nothing is lost where it is not followed.
static void advise_large_pages(void *memory, size_t size)
{
#ifdef MADV_HUGEPAGE
    const size_t large = (size_t)1 << 21;
    uintptr_t begin = round_up((uintptr_t)memory, large);
    uintptr_t end = ((uintptr_t)memory + size) / large * large;
    if (begin < end)
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
#else
    (void)memory, (void)size;
#endif
}

void *arena_alloc(Arena *arena, size_t count, size_t size, const char *what, Error *err)
{
    if (size != 0 && count > (SIZE_MAX - 2 * ARENA_ALIGNMENT) / size) {
        error_no_memory(err, SIZE_MAX, what);
        return NULL;
    }
    size_t n = round_up(count * size, ARENA_ALIGNMENT);
    ArenaBlock *block = aligned_alloc(ARENA_ALIGNMENT, ARENA_ALIGNMENT + n);
    if (block == NULL) {
        error_no_memory(err, n, what);
        return NULL;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    advise_large_pages(block, ARENA_ALIGNMENT + n);
    return memset(block_memory(block), 0, n);
}

void *arena_resize(Arena *arena, void *memory, size_t used, size_t size, const char *what,
                   Error *err)
{
    void *moved = arena_alloc(arena, size, 1, what, err);
    if (moved == NULL)
        return NULL;
    memcpy(moved, memory, used < size ? used : size);
    for (ArenaBlock **link = &arena->blocks; *link != NULL; link = &(*link)->next)
        if (block_memory(*link) == memory) {
            ArenaBlock *old = *link;
            *link = old->next;
            free(old);
            break;
        }
    return moved; // NOLINT(clang-analyzer-unix.Malloc): moved is new, so it was not what was freed
}

char *arena_printf(Arena *arena, Error *err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        error_set(err, "a text could not be formatted");
        return NULL;
    }
    char *text = arena_alloc(arena, (size_t)length + 1, 1, "a text", err);
    if (text == NULL)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

void arena_free(Arena *arena)
{
    while (arena->blocks != NULL) {
        ArenaBlock *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}
