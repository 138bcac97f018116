// Names in the file system, as path.h says. Nothing here opens a file.
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

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

char *path_directory(Arena *arena, const char *path, Error *err)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') // as in "name/", which a directory may be called
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    if (length == 0)
        return arena_printf(arena, err, ".");
    while (length > 1 && path[length - 1] == '/')
        length--;
    return arena_printf(arena, err, "%.*s", (int)length, path);
}

bool path_can_make_directory(const char *directory, Error *err)
{
    Arena arena = {0};
    if (strcmp(directory, "-") == 0)
        return error_set(err, "- is standard output, where a directory is to be written");
    const char *parent = path_directory(&arena, directory, err);
    bool ok = parent != NULL && (access(parent, W_OK | X_OK) == 0 ||
                                 error_set_errno(err, "%s: cannot make this directory", directory));
    arena_free(&arena);
    return ok;
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
            error_set(err, "%s: %s", path,
                      i == MOST_LINKS ? "is a loop of links" : "cannot resolve this link");
            return NULL;
        }
        const char *directory = target[0] == '/' ? "" : path_directory(arena, at, err);
        at = directory == NULL ? NULL
                               : arena_printf(arena, err, "%s%s%.*s", directory,
                                              target[0] == '/' ? "" : "/", (int)length, target);
    }
    return at;
}

bool path_is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool path_has_same_directory(const char *a, const char *b)
{
    Arena arena = {0};
    Error ignored;
    struct stat in_a, in_b;
    const char *directory_a = path_directory(&arena, a, &ignored);
    const char *directory_b = path_directory(&arena, b, &ignored);
    // When memory is short, the careful answer.
    bool same = directory_a == NULL || directory_b == NULL ||
                (stat(directory_a, &in_a) == 0 && stat(directory_b, &in_b) == 0 &&
                 path_is_same_file(&in_a, &in_b));
    arena_free(&arena);
    return same;
}

bool path_is_same(const char *a, const char *b)
{
    struct stat at_a, at_b;
    bool exists_a = stat(a, &at_a) == 0, exists_b = stat(b, &at_b) == 0;
    if (exists_a || exists_b)
        return exists_a && exists_b && path_is_same_file(&at_a, &at_b);
    // Of two files that are not there yet: the same name in the same directory.
    Arena arena = {0};
    Error ignored;
    const char *end_a = path_follow(&arena, a, &ignored), *end_b = path_follow(&arena, b, &ignored);
    a = end_a != NULL ? end_a : a;
    b = end_b != NULL ? end_b : b;
    bool same = strcmp(last_part(a), last_part(b)) == 0 && path_has_same_directory(a, b);
    arena_free(&arena);
    return same;
}
