// Names in the file system; see path.h.
#include "path.h"

#include "numbers.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

int path_descriptor(const char *path, int dash)
{
    static const char *const names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    static const char *const directories[] = {"/dev/fd/", "/proc/self/fd/"};
    if (strcmp(path, "-") == 0)
        return dash;
    for (int fd = 0; fd < 3; fd++)
        if (strcmp(path, names[fd]) == 0)
            return fd;
    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(directories[i]);
        uint64_t fd;
        if (strncmp(path, directories[i], length) == 0 && parse_uint(path + length, &fd) &&
            fd <= INT_MAX)
            return (int)fd;
    }
    return -1;
}

char *path_directory(Arena *arena, const char *path, Error *err)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return arena_printf(arena, err, ".");
    if (slash == path)
        return arena_printf(arena, err, "/");
    return arena_printf(arena, err, "%.*s", (int)(slash - path), path);
}

char *path_follow(Arena *arena, const char *path, Error *err)
{
    enum { MOST_LINKS = 40 };
    char *at = arena_printf(arena, err, "%s", path);
    struct stat status;
    for (int i = 0; at != NULL && lstat(at, &status) == 0 && S_ISLNK(status.st_mode); i++) {
        char target[4096];
        ssize_t length = readlink(at, target, sizeof target);
        if (length <= 0 || (size_t)length == sizeof target || i == MOST_LINKS) {
            error_set(err, "%s: is a link that leads nowhere", path);
            return NULL;
        }
        char *directory = path_directory(arena, at, err);
        if (directory == NULL)
            return NULL;
        if (target[0] == '/')
            at = arena_printf(arena, err, "%.*s", (int)length, target);
        else
            at = arena_printf(arena, err, "%s/%.*s", directory, (int)length, target);
    }
    return at;
}

bool path_is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

// Of two files that are not there yet: the same name in the same directory.
static bool will_be_same(Arena *arena, const char *a, const char *b)
{
    Error ignored;
    const char *end_a = path_follow(arena, a, &ignored), *end_b = path_follow(arena, b, &ignored);
    a = end_a != NULL ? end_a : a;
    b = end_b != NULL ? end_b : b;
    if (strcmp(last_part(a), last_part(b)) != 0)
        return false;
    const char *directory_a = path_directory(arena, a, &ignored),
               *directory_b = path_directory(arena, b, &ignored);
    if (directory_a == NULL || directory_b == NULL)
        return true; // when memory is short, the careful answer
    struct stat in_a, in_b;
    return stat(directory_a, &in_a) == 0 && stat(directory_b, &in_b) == 0 &&
           path_is_same_file(&in_a, &in_b);
}

bool path_is_same(const char *a, const char *b)
{
    struct stat at_a, at_b;
    bool exists_a = stat(a, &at_a) == 0, exists_b = stat(b, &at_b) == 0;
    if (exists_a && exists_b)
        return path_is_same_file(&at_a, &at_b);
    if (exists_a != exists_b)
        return false;
    Arena arena = {0};
    bool same = will_be_same(&arena, a, b);
    arena_free(&arena);
    return same;
}
