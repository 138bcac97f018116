// What all other modules use: errors that carry their reason, ranges of indices, memory that is
// released at once, and a checksum. Read it first.
#ifndef MLP_BASE_H
#define MLP_BASE_H

#ifdef __cplusplus
#error "mlp is written in C: use a C compiler (a program in C++ includes mlp.h)"
#endif

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define MLP_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define MLP_PRINTF(text, first)
#endif

// n steps of a reader's work. tests/test_steps.c counts them in a build of its own; here they are
// nothing.
#ifndef READER_STEPS
#define READER_STEPS(n) ((void)0)
#endif

// Why something failed, ready to follow "mlp: ". The module that fails says where and what was
// expected; the command that called it decides what to do about it.
typedef struct Error {
    char text[1024];
} Error;

// Writes the reason, as one line without control characters. Always returns false, so that a
// failing function can end in `return error_set(err, ...)`. A text that is too long loses the
// middle of its long words, which are paths.
bool error_set(Error *err, const char *format, ...) MLP_PRINTF(2, 3);

// The same for a function that takes its arguments as printf does.
void error_set_list(Error *err, const char *format, va_list arguments) MLP_PRINTF(2, 0);

// The same with ": " and the meaning of errno after it.
bool error_set_errno(Error *err, const char *format, ...) MLP_PRINTF(2, 3);

// Adds item i of n to a list for a message, which is "" before the first: "a, b and c", or, of more
// than six, "a, b, c, d, e, f and 5 more".
enum { LIST_SIZE = 2048 };
void list_add(char list[LIST_SIZE], size_t i, size_t n, const char *item);

// Numbers in rows and columns. No memory (at NULL): there is none.
typedef struct Matrix {
    size_t rows, cols;
    double *at; // (rows, cols)
} Matrix;

// The indices first, first + 1, ..., end - 1.
typedef struct Range {
    size_t first, end;
} Range;

static inline size_t range_length(Range r)
{
    return r.end - r.first;
}

// Part number `part` of `n_parts` nearly equal, contiguous parts of 0..n-1.
static inline Range range_part(size_t n, size_t part, size_t n_parts)
{
    return (Range){(size_t)((uint64_t)n * part / n_parts),
                   (size_t)((uint64_t)n * (part + 1) / n_parts)};
}

// Part `number` of `of` parts of some work.
typedef struct Part {
    size_t number, of;
} Part;

static inline size_t round_up(size_t n, size_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

// Seconds on a clock that only goes forward.
double clock_seconds(void);

// An arena owns all memory of one command and releases it at once. It is a list of allocations
// (a "pool"), not one big block: there are few, most are large, and so the address sanitizer and
// valgrind see the end of each.
typedef struct Arena {
    struct ArenaBlock *blocks;
} Arena;

// Returns count * size bytes, zeroed and aligned to 64 bytes, owned by the arena. On overflow, when
// there is no memory, or when a large block is more than the process may have (memory.h), returns
// NULL and says in err how much was wanted for `what`.
void *arena_alloc(Arena *arena, size_t count, size_t size, const char *what, Error *err);

// Bytes that arrive piece by piece: memory grows with those that are there, not with what a header
// promises. Begin with (ArenaBytes){.first = bytes to begin with, .most = promised}.
typedef struct ArenaBytes {
    unsigned char *at; // owned by the arena
    size_t capacity, first, most;
} ArenaBytes;

// Makes room for at least one byte, or for `most`, after the first `used` ones. Fails as
// arena_alloc does.
bool arena_grow(Arena *arena, ArenaBytes *bytes, size_t used, const char *what, Error *err);

// The most bytes that these will take while they grow to `most`: a block and the one that it moves
// to.
size_t arena_grow_peak(const ArenaBytes *bytes);

// Returns a copy of the formatted text, owned by the arena, or NULL as arena_alloc does.
char *arena_printf(Arena *arena, Error *err, const char *format, ...) MLP_PRINTF(3, 4);

// Releases everything; the arena can be used again.
void arena_free(Arena *arena);

// Returns the CRC-32 (ISO 3309, as in gzip and PNG: reflected polynomial edb88320) of all bytes so
// far: `crc` is 0 at first, then the last result.
uint32_t crc32_update(uint32_t crc, const void *data, size_t size);

#endif
