// Errors that fit on one line, the clock, the list of allocations behind an Arena, and CRC-32.
#include "base.h"

#include "memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

// A file's name may contain anything, but a message stays one line, and no control character
// reaches a terminal; those of ISO 6429's second set are c2 80 to c2 9f in UTF-8.
static void keep_to_one_line(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++) {
        if (*c < ' ' || *c == 0x7f)
            *c = '?';
        if (*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
            c[0] = c[1] = '?';
    }
}

// Leaves out the middle of more than `most` bytes, without cutting a character of UTF-8. Returns
// how many bytes remain.
static size_t leave_out_middle(char *text, size_t n, size_t most)
{
    static const char dots[] = {'.', '.', '.'};
    if (n <= most)
        return n;
    size_t head = most / 3, tail = n - (most - head - sizeof dots);
    while (head > 0 && ((unsigned char)text[head] & 0xc0) == 0x80)
        head--;
    while (tail < n && ((unsigned char)text[tail] & 0xc0) == 0x80)
        tail++;
    memcpy(text + head, dots, sizeof dots);
    memmove(text + head + sizeof dots, text + tail, n - tail);
    return head + sizeof dots + n - tail;
}

// A message too long for an Error contains long words, mostly paths. Each loses its middle, so that
// the reason can still be read. Where that is not enough, the whole text does.
static void shorten(char *text, size_t most)
{
    enum { LONGEST_WORD = 200 };
    size_t n = strlen(text), to = 0;
    if (n <= most)
        return;
    for (size_t at = 0; at < n;) {
        size_t word = strcspn(text + at, " ");
        memmove(text + to, text + at, word);
        to += leave_out_middle(text + to, word, LONGEST_WORD);
        at += word;
        if (at < n)
            text[to++] = text[at++];
    }
    text[leave_out_middle(text, to, most)] = '\0';
}

// The message, and after it ": " and the reason where there is one.
static void error_format(Error *err, const char *reason, const char *format, va_list arguments)
{
    enum { REASON_SIZE = 256 };
    char whole[4 * 4096];
    vsnprintf(whole, sizeof whole - REASON_SIZE, format, arguments);
    if (reason != NULL)
        snprintf(whole + strlen(whole), REASON_SIZE, ": %s", reason);
    keep_to_one_line(whole);
    shorten(whole, sizeof err->text - 1);
    memcpy(err->text, whole, strlen(whole) + 1);
}

void error_set_list(Error *err, const char *format, va_list arguments)
{
    error_format(err, NULL, format, arguments);
}

bool error_set(Error *err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_format(err, NULL, format, arguments);
    va_end(arguments);
    return false;
}

bool error_set_errno(Error *err, const char *format, ...)
{
    const char *reason = strerror(errno);
    va_list arguments;
    va_start(arguments, format);
    error_format(err, reason, format, arguments);
    va_end(arguments);
    return false;
}

void list_add(char list[LIST_SIZE], size_t i, size_t n, const char *item)
{
    enum { MOST = 6 };
    size_t used = strlen(list), left = LIST_SIZE - used;
    const char *before = i == 0 ? "" : i + 1 == n ? " and " : ", ";
    if (i < MOST)
        snprintf(list + used, left, "%s%s", before, item);
    else if (i == MOST)
        snprintf(list + used, left, " and %zu more", n - MOST);
}

double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// Smaller blocks than ARENA_CHECKED are not worth a look at the limits of memory.
enum { ARENA_ALIGNMENT = 64, ARENA_CHECKED = 1 << 20 };

typedef struct ArenaBlock {
    struct ArenaBlock *next;
} ArenaBlock;

static void *block_memory(ArenaBlock *block)
{
    return (unsigned char *)block + ARENA_ALIGNMENT;
}

// Asks for large pages where the system has them: images are read in random order, and a page of 4
// KB holds five. It is only a hint.
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
    bool fits = size == 0 || count <= (SIZE_MAX - 2 * ARENA_ALIGNMENT) / size;
    size_t n = fits ? round_up(count * size, ARENA_ALIGNMENT) : 0;
    Error reason;
    if (n >= ARENA_CHECKED && !memory_allows(n, &reason)) {
        error_set(err, "out of memory: %zu bytes for %s: %s", n, what, reason.text);
        return NULL;
    }
    ArenaBlock *block = fits ? aligned_alloc(ARENA_ALIGNMENT, ARENA_ALIGNMENT + n) : NULL;
    if (block == NULL) {
        error_set(err,
                  fits ? "out of memory: %zu bytes for %s"
                       : "out of memory: more than %zu bytes for %s",
                  fits ? n : SIZE_MAX, what);
        return NULL;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    advise_large_pages(block, ARENA_ALIGNMENT + n);
    return memset(block_memory(block), 0, n);
}

// Takes a block off the arena's list and frees it.
static void arena_free_one(Arena *arena, const void *memory)
{
    ArenaBlock **link = &arena->blocks;
    while (block_memory(*link) != memory)
        link = &(*link)->next;
    ArenaBlock *block = *link;
    *link = block->next;
    free(block);
}

// What these grow to from a capacity, which is 0 at first.
static size_t next_capacity(const ArenaBytes *bytes, size_t capacity)
{
    if (capacity > bytes->most / 2 || (capacity == 0 && bytes->first > bytes->most))
        return bytes->most;
    return capacity == 0 ? bytes->first : 2 * capacity;
}

size_t arena_grow_peak(const ArenaBytes *bytes)
{
    size_t capacity = 0, next;
    while ((next = next_capacity(bytes, capacity)) < bytes->most)
        capacity = next;
    return bytes->most + capacity;
}

bool arena_grow(Arena *arena, ArenaBytes *bytes, size_t used, const char *what, Error *err)
{
    size_t capacity = next_capacity(bytes, bytes->capacity);
    if (used < bytes->capacity)
        return true;
    unsigned char *moved = arena_alloc(arena, capacity, 1, what, err);
    if (moved == NULL)
        return false;
    if (bytes->at != NULL) {
        memcpy(moved, bytes->at, used);
        arena_free_one(arena, bytes->at);
    }
    bytes->at = moved;
    bytes->capacity = capacity;
    return true;
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

enum { CRC_SLICES = 8 };

// table[0] is the usual one: the remainder of a byte. table[k] is that of a byte followed by k
// zero bytes, so that eight bytes are taken in one step ("slicing by 8", Kounavis and Berry 2005).
static uint32_t crc_table[CRC_SLICES][256];

static void crc_table_fill(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
        crc_table[0][byte] = crc;
    }
    for (int slice = 1; slice < CRC_SLICES; slice++)
        for (int byte = 0; byte < 256; byte++) {
            uint32_t crc = crc_table[slice - 1][byte];
            crc_table[slice][byte] = (crc >> 8) ^ crc_table[0][crc & 0xff];
        }
}

uint32_t crc32_update(uint32_t crc, const void *data, size_t size)
{
    static pthread_once_t filled = PTHREAD_ONCE_INIT;
    (void)pthread_once(&filled, crc_table_fill);
    const unsigned char *p = data;
    crc = ~crc;
    for (; size >= CRC_SLICES; size -= CRC_SLICES, p += CRC_SLICES) {
        uint32_t next = 0;
        for (unsigned i = 0; i < CRC_SLICES; i++) {
            uint32_t byte = i < 4 ? p[i] ^ ((crc >> (8 * i)) & 0xff) : p[i];
            next ^= crc_table[CRC_SLICES - 1 - i][byte];
        }
        crc = next;
    }
    for (; size > 0; size--, p++)
        crc = (crc >> 8) ^ crc_table[0][(crc ^ *p) & 0xff];
    return ~crc;
}
