// The limits of memory, as Linux states them in /proc and /sys (proc(5), cgroups(7)). Where these
// are missing there is only that of getrlimit.
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { LINE_SIZE = 4096, PATH_SIZE = 3 * LINE_SIZE };

// The number that a line of the file has behind `key`, which is "" for a file of one number;
// `missing` where there is none ("max").
static uint64_t number_in(const char *root, const char *name, const char *key, uint64_t missing)
{
    char path[PATH_SIZE], line[LINE_SIZE];
    uint64_t found = missing;
    snprintf(path, sizeof path, "%s%s", root, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return missing;
    while (found == missing && fgets(line, sizeof line, file) != NULL) {
        char *start = line + strlen(key), *end = start;
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        unsigned long long number = strtoull(start, &end, 10);
        if (end != start)
            found = number;
    }
    (void)fclose(file);
    return found;
}

static void lower(MemoryLimit *limit, uint64_t bytes, uint64_t swap, const char *of)
{
    if (bytes < UINT64_MAX - swap && bytes + swap < limit->bytes)
        *limit = (MemoryLimit){bytes + swap, of};
}

// A group's limit holds for the groups in it, so every directory from `path` up to the root of the
// hierarchy counts. In a container the path may be one of the host, which is not there.
static void lower_by_groups(MemoryLimit *limit, const char *root, const char *hierarchy, char *path,
                            const char *file, uint64_t swap)
{
    for (char *end = path + strlen(path); end != NULL; end = strrchr(path, '/')) {
        char name[2 * LINE_SIZE];
        *end = '\0';
        snprintf(name, sizeof name, "%s%s/%s", hierarchy, path, file);
        lower(limit, number_in(root, name, "", UINT64_MAX), swap, "cgroup");
    }
}

MemoryLimit memory_limit(const char *root)
{
    MemoryLimit limit = {UINT64_MAX, "no limit"};
    uint64_t swap = number_in(root, "/proc/meminfo", "SwapTotal:", 0) * 1024;
    uint64_t installed = number_in(root, "/proc/meminfo", "MemTotal:", 0) * 1024;
    if (installed > 0)
        lower(&limit, installed, swap, "memory and swap");

    // Lines are number:controllers:path; version 2 has no controllers.
    char path[PATH_SIZE], line[LINE_SIZE];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *controllers = strchr(line, ':');
        line[strcspn(line, "\n")] = '\0';
        if (controllers != NULL && strncmp(controllers, "::", 2) == 0)
            lower_by_groups(&limit, root, "/sys/fs/cgroup", controllers + 2, "memory.max", swap);
        else if (controllers != NULL && strncmp(controllers, ":memory:", 8) == 0)
            lower_by_groups(&limit, root, "/sys/fs/cgroup/memory", controllers + 8,
                            "memory.limit_in_bytes", swap);
    }
    if (file != NULL)
        (void)fclose(file);

    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY)
        lower(&limit, space.rlim_cur, 0, "ulimit -v");
    return limit;
}

bool memory_allows(uint64_t size, Error *err)
{
    const uint64_t mega = 1000000;
    MemoryLimit limit = memory_limit("");
    uint64_t used = number_in("", "/proc/self/status", "VmRSS:", 0) * 1024;
    if (limit.bytes >= used && size <= limit.bytes - used)
        return true;
    uint64_t needed = (size < UINT64_MAX - used ? size + used : UINT64_MAX) / mega;
    return error_set(err, "needs %llu MB of memory, and this process may have %llu MB (%s)",
                     (unsigned long long)needed + 1, (unsigned long long)(limit.bytes / mega),
                     limit.of);
}
