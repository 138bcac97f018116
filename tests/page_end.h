// Memory between two pages that can be neither read nor written: one byte beyond it ends the
// program, in every build and by any instruction, also by a vector load that a sanitizer does not
// check. A placed array ends where its page ends, or begins where its page begins. What lies
// between the other end and the page there is not watched.
#ifndef MLP_TEST_PAGE_END_H
#define MLP_TEST_PAGE_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_PLACED = 8192 };
static struct Placed {
    unsigned char *at, *map;
    size_t mapped;
} placed[MAX_PLACED];
static size_t n_placed;

// Returns `size` bytes, zeroed; aborts where the system gives none. At the end of a page they are
// aligned as `size` is.
static inline void *page_place(size_t size, bool at_start)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), inside = (size / page + 1) * page;
    unsigned char *map =
        mmap(NULL, inside + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || n_placed == MAX_PLACED ||
        mprotect(map + page, inside, PROT_READ | PROT_WRITE) != 0)
        abort();
    unsigned char *at = at_start ? map + page : map + page + inside - size;
    placed[n_placed++] = (struct Placed){at, map, inside + 2 * page};
    return at;
}

// A copy of n bytes that ends where its page ends.
static inline void *page_copy(const void *bytes, size_t n)
{
    void *copy = page_place(n, false);
    if (n > 0)
        memcpy(copy, bytes, n);
    return copy;
}

// Gives one array back; false when it was not placed.
static inline bool page_free(const void *at)
{
    for (size_t i = n_placed; i-- > 0;)
        if (placed[i].at == at) {
            munmap(placed[i].map, placed[i].mapped);
            placed[i] = placed[--n_placed];
            return true;
        }
    return false;
}

// Gives all back that were placed since there were n of them.
static inline void page_free_from(size_t n)
{
    while (n_placed > n)
        page_free(placed[n_placed - 1].at);
}

#endif
