// Replacing a file all at once; see output.h.
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Writes the folder of a path, "." for a bare name, into the arena.
static char *path_folder(Arena *arena, const char *path, Error *err)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return arena_printf(arena, err, ".");
    if (slash == path)
        return arena_printf(arena, err, "/");
    return arena_printf(arena, err, "%.*s", (int)(slash - path), path);
}

// Where a link leads that leads to nothing yet: an output will make that file, and keep the link.
static char *path_follow(Arena *arena, const char *path, Error *err)
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
        char *folder = path_folder(arena, at, err);
        if (folder == NULL)
            return NULL;
        if (target[0] == '/')
            at = arena_printf(arena, err, "%.*s", (int)length, target);
        else
            at = arena_printf(arena, err, "%s/%.*s", folder, (int)length, target);
    }
    return at;
}

// Returns the path with its symbolic links resolved, whether there is a file or not.
static char *path_resolve(Arena *arena, const char *path, Error *err)
{
    struct stat status;
    char *real = realpath(path, NULL);
    if (real == NULL && stat(path, &status) == 0) { // or a link would be replaced, not its target
        error_set_errno(err, "%s: where it leads cannot be found out", path);
        return NULL;
    }
    if (real == NULL)
        return path_follow(arena, path, err);
    char *copy = arena_printf(arena, err, "%s", real);
    free(real);
    return copy;
}

static bool output_open_straight(Output *out, Error *err)
{
    out->stream = fopen(out->target, "wb");
    if (out->stream == NULL)
        return error_set_errno(err, "%s: cannot write", out->path);
    return true;
}

// mkstemp makes files that only the owner may read; give them the mode of the file that they will
// replace, or of any new one.
static void output_set_mode(int fd, const struct stat *replaced)
{
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, replaced != NULL ? replaced->st_mode & 0777 : 0666 & ~mask);
}

// Standard output or error when one of them is that file: renaming another over it would lose what
// is written there. -1: neither.
static int standard_stream_of(const struct stat *file)
{
    struct stat status;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (fstat(fd, &status) == 0 && status.st_dev == file->st_dev &&
            status.st_ino == file->st_ino)
            return fd;
    return -1;
}

bool output_open(Output *out, Arena *arena, const char *path, OutputKind kind, Error *err)
{
    *out = (Output){.path = path};
    if (path[0] == '\0')
        return error_set(err, "an empty file name cannot be written");
    struct stat status;
    bool exists = stat(path, &status) == 0;
    if (exists && S_ISDIR(status.st_mode))
        return error_set(err, "%s: is a folder, where a file is to be written", path);
    out->target = path_resolve(arena, path, err);
    if (out->target == NULL)
        return false;
    if (exists && !S_ISREG(status.st_mode)) {
        if (kind == OUTPUT_REGULAR_ONLY)
            return error_set(err, "%s: is no regular file and cannot be replaced", path);
        return output_open_straight(out, err);
    }
    int standard = exists ? standard_stream_of(&status) : -1;
    if (standard >= 0 && kind == OUTPUT_REGULAR_ONLY)
        return error_set(err, "%s: is standard output or error and cannot be replaced", path);
    if (standard >= 0) {
        int copy = dup(standard);
        out->stream = copy < 0 ? NULL : fdopen(copy, "wb");
        return out->stream != NULL || error_set_errno(err, "%s: cannot write", path);
    }
    if (exists && access(path, W_OK) != 0)
        return error_set_errno(err, "%s: cannot be replaced", path);

    out->temporary = arena_printf(arena, err, "%s.XXXXXX", out->target);
    if (out->temporary == NULL)
        return false;
    int fd = mkstemp(out->temporary);
    if (fd < 0) {
        out->temporary = NULL;
        return error_set_errno(err, "%s: cannot write in its folder", path);
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    output_set_mode(fd, exists ? &status : NULL);
    out->stream = fdopen(fd, "wb");
    if (out->stream == NULL) {
        error_set_errno(err, "%s: cannot write", path);
        close(fd);
        output_discard(out);
        return false;
    }
    return true;
}

bool output_publish(Output *out, Error *err)
{
    if (fflush(out->stream) != 0 || ferror(out->stream))
        return error_set_errno(err, "%s: writing failed", out->path);
    if (out->temporary == NULL)
        return true;
    if (rename(out->temporary, out->target) != 0)
        return error_set_errno(err, "%s: cannot be put in place", out->path);
    out->temporary = NULL;
    return true;
}

// Makes a rename survive a power cut. Not every file system can: then nothing is lost but that.
static void folder_sync(const char *path)
{
    Arena arena = {0};
    Error ignored;
    char *folder = path_folder(&arena, path, &ignored);
    int fd = folder == NULL ? -1 : open(folder, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    arena_free(&arena);
}

// To the disk itself, which fsync does not promise everywhere.
static int file_sync(int fd)
{
#ifdef F_FULLFSYNC
    if (fcntl(fd, F_FULLFSYNC) == 0)
        return 0;
#endif
    return fsync(fd);
}

bool output_sync(Output *out, Error *err)
{
    if (fflush(out->stream) != 0 || ferror(out->stream))
        return error_set_errno(err, "%s: writing failed", out->path);
    // A device or a pipe cannot be synced: EINVAL and the like are no failure there.
    if (file_sync(fileno(out->stream)) != 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT))
        return error_set_errno(err, "%s: writing failed", out->path);
    return true;
}

bool output_commit(Output *out, Error *err)
{
    if (!output_sync(out, err) || !output_publish(out, err))
        return false;
    FILE *stream = out->stream;
    out->stream = NULL;
    if (fclose(stream) != 0)
        return error_set_errno(err, "%s: writing failed", out->path);
    folder_sync(out->target);
    return true;
}

void output_discard(Output *out)
{
    if (out->stream != NULL)
        (void)fclose(out->stream); // what was written is thrown away
    out->stream = NULL;
    if (out->temporary != NULL)
        unlink(out->temporary);
    out->temporary = NULL;
}

bool path_is_same(const char *a, const char *b)
{
    struct stat at_a, at_b;
    bool exists_a = stat(a, &at_a) == 0, exists_b = stat(b, &at_b) == 0;
    if (exists_a && exists_b)
        return at_a.st_dev == at_b.st_dev && at_a.st_ino == at_b.st_ino;
    if (exists_a != exists_b)
        return false;
    // Neither is there yet: the same name in the same folder.
    Arena arena = {0};
    Error ignored;
    const char *real_a = path_follow(&arena, a, &ignored),
               *real_b = path_follow(&arena, b, &ignored);
    a = real_a != NULL ? real_a : a;
    b = real_b != NULL ? real_b : b;
    char *folder_a = path_folder(&arena, a, &ignored), *folder_b = path_folder(&arena, b, &ignored);
    const char *slash_a = strrchr(a, '/'), *slash_b = strrchr(b, '/');
    const char *name_a = slash_a == NULL ? a : slash_a + 1;
    const char *name_b = slash_b == NULL ? b : slash_b + 1;
    bool same = strcmp(name_a, name_b) == 0; // when memory is short, the careful answer
    if (same && folder_a != NULL && folder_b != NULL)
        same = stat(folder_a, &at_a) == 0 && stat(folder_b, &at_b) == 0 &&
               at_a.st_dev == at_b.st_dev && at_a.st_ino == at_b.st_ino;
    arena_free(&arena);
    return same;
}
