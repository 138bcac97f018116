// The limits of memory that a system states, as a directory with a proc and a sys of its own. That of
// `ulimit -v` is in cli_hostile.sh: the address sanitizer cannot run under it.
#include "memory.h"

#include "files.h"
#include "test.h"

static const uint64_t giga = 1000000000;

// A new directory that stands for the root of a system; files are put into it.
static const char *fresh_root(void)
{
    static char root[512];
    static int n;
    char name[16];
    snprintf(name, sizeof name, "root%d", n++);
    snprintf(root, sizeof root, "%s", work_path(name));
    mkdir(root, 0777);
    return root;
}

static void put(const char *root, const char *name, const char *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    write_file(path, text, strlen(text));
}

static void check(const char *root, uint64_t bytes, const char *of)
{
    MemoryLimit limit = memory_limit(root);
    CHECK(limit.bytes == bytes && strcmp(limit.of, of) == 0, "%llu (%s), expected %llu (%s)",
          (unsigned long long)limit.bytes, limit.of, (unsigned long long)bytes, of);
}

static void memory_and_swap_are_the_limit_of_a_machine(void)
{
    const char *root = fresh_root();
    put(root, "/proc/meminfo",
        "MemTotal:       16000000 kB\nMemFree: 5 kB\nSwapTotal:  1000000 kB\n");
    check(root, (uint64_t)17000000 * 1024, "memory and swap");
    put(root, "/proc/meminfo", "MemTotal: 16000000 kB\n");
    check(root, (uint64_t)16000000 * 1024, "memory and swap");
}

static void where_nothing_is_stated_there_is_no_limit(void)
{
    const char *root = fresh_root();
    check(root, UINT64_MAX, "no limit");
    put(root, "/proc/meminfo", "");
    put(root, "/proc/self/cgroup", "\n:\n::\n0::\n1:memory:\nnonsense");
    check(root, UINT64_MAX, "no limit");
}

static void the_smallest_limit_of_nested_groups_counts(void)
{
    const char *root = fresh_root();
    put(root, "/proc/meminfo", "MemTotal: 16000000 kB\n");
    put(root, "/proc/self/cgroup", "0::/outer/inner\n");
    put(root, "/sys/fs/cgroup/outer/inner/memory.max", "max\n");
    check(root, (uint64_t)16000000 * 1024, "memory and swap");
    put(root, "/sys/fs/cgroup/outer/memory.max", "3000000000\n");
    check(root, 3 * giga, "cgroup");
    put(root, "/sys/fs/cgroup/outer/inner/memory.max", "2000000000\n");
    check(root, 2 * giga, "cgroup");
    put(root, "/sys/fs/cgroup/memory.max", "1000000000\n"); // of a container
    check(root, giga, "cgroup");
}

static void groups_of_version_1_count(void)
{
    const char *root = fresh_root();
    put(root, "/proc/self/cgroup", "5:cpu:/a\n4:memory:/b/c\n0::/\n");
    put(root, "/sys/fs/cgroup/cpu/a/memory.limit_in_bytes", "1\n");
    put(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    check(root, 9223372036854771712U, "cgroup");
    put(root, "/sys/fs/cgroup/memory/b/memory.limit_in_bytes", "2000000000\n");
    check(root, 2 * giga, "cgroup");
}

static void a_group_may_swap(void)
{
    const char *root = fresh_root();
    put(root, "/proc/meminfo", "MemTotal: 16000000 kB\nSwapTotal: 1000000 kB\n");
    put(root, "/proc/self/cgroup", "0::/\n");
    put(root, "/sys/fs/cgroup/memory.max", "1000000000\n");
    check(root, giga + (uint64_t)1000000 * 1024, "cgroup");
}

static void what_fits_is_allowed_and_what_does_not_is_refused_with_both_numbers(void)
{
    Error err;
    CHECK(memory_allows(1, &err), "%s", err.text);
    CHECK(!memory_allows(UINT64_MAX, &err) && strstr(err.text, "needs 18446744073710 MB") != NULL &&
              strstr(err.text, "may have ") != NULL,
          "%s", err.text);
}

// What arena_grow really holds at once, for every way to grow.
static void the_peak_of_growing_memory_is_known_before(void)
{
    for (size_t first = 1; first < 40; first++)
        for (size_t most = 1; most < 100; most++) {
            ArenaBytes bytes = {.first = first, .most = most};
            Arena arena = {0};
            Error err;
            size_t expected = arena_grow_peak(&bytes), peak = 0;
            for (size_t used = 0; used < most; used = bytes.capacity) {
                size_t before = bytes.capacity;
                REQUIRE(arena_grow(&arena, &bytes, used, "a test", &err), "%s", err.text);
                peak = before + bytes.capacity > peak ? before + bytes.capacity : peak;
            }
            CHECK(peak == expected, "first %zu, most %zu: %zu, expected %zu", first, most, peak,
                  expected);
            arena_free(&arena);
        }
}

int main(void)
{
    RUN(memory_and_swap_are_the_limit_of_a_machine);
    RUN(where_nothing_is_stated_there_is_no_limit);
    RUN(the_smallest_limit_of_nested_groups_counts);
    RUN(groups_of_version_1_count);
    RUN(a_group_may_swap);
    RUN(what_fits_is_allowed_and_what_does_not_is_refused_with_both_numbers);
    RUN(the_peak_of_growing_memory_is_known_before);
    return test_end();
}
