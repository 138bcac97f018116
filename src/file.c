// Reading, replacing, checksums; see file.h.
#ifdef __linux__
#define _GNU_SOURCE // F_SETPIPE_SZ
#endif
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

// ---------------------------------------------------------------------------------------------
// CRC-32

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
    if (crc_table[0][1] == 0)
        crc_table_fill();
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

// ---------------------------------------------------------------------------------------------
// Reading

// Where the system can, a pipe that holds a megabyte: gzip and its reader then work side by side
// instead of waking each other up for every 64 KB.
static void pipe_enlarge(int fd)
{
#ifdef F_SETPIPE_SZ
    (void)fcntl(fd, F_SETPIPE_SZ, 1 << 20);
#else
    (void)fd;
#endif
}

// The end of a gzip file says what it decompresses to (RFC 1952: CRC-32 and size, little-endian).
static void source_read_trailer(Source *source)
{
    unsigned char end[8] = {0};
    if (source->size >= sizeof end)
        (void)!pread(source->fd, end, sizeof end, (off_t)(source->size - sizeof end));
    for (unsigned i = 4; i-- > 0;) {
        source->gzip_crc32 = source->gzip_crc32 << 8 | end[i];
        source->gzip_size = source->gzip_size << 8 | end[4 + i];
    }
}

// Replaces the descriptor by the reading end of a pipe from `gzip -dc`, whose input it becomes.
static bool source_start_gzip(Source *source, Error *err)
{
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0) {
        error_set_errno(err, "%s: cannot make a pipe for gzip", source->path);
        close(source->fd);
        return false;
    }
    fcntl(pipe_ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(pipe_ends[1], F_SETFD, FD_CLOEXEC);
    pipe_enlarge(pipe_ends[0]);

    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed == 0) {
        char *arguments[] = {"gzip", "-dc", NULL};
        failed = posix_spawn_file_actions_adddup2(&actions, source->fd, STDIN_FILENO);
        if (failed == 0)
            failed = posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
        if (failed == 0) // what gzip would say, we say
            failed =
                posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (failed == 0)
            failed = posix_spawnp(&source->gzip, "gzip", &actions, NULL, arguments, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    source->piped = true;
    close(pipe_ends[1]);
    close(source->fd);
    source->fd = pipe_ends[0];
    if (failed == 0)
        return true;
    source->gzip = 0;
    close(source->fd);
    errno = failed;
    return error_set_errno(err, "%s: cannot run gzip to decompress it", source->path);
}

bool source_open(Source *source, const char *path, Error *err)
{
    *source = (Source){.path = path};
    // Not to wait for the other end of a named pipe; without effect on regular files.
    source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (source->fd < 0)
        return error_set_errno(err, "%s", path);
    struct stat status;
    if (fstat(source->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(source->fd);
        return error_set(err, "%s: %s, where a regular file was expected", path,
                         S_ISDIR(status.st_mode) ? "is a folder" : "is no regular file");
    }
    source->size = (uint64_t)status.st_size;
    size_t length = strlen(path);
    if (length <= 3 || strcmp(path + length - 3, ".gz") != 0)
        return true;
    source_read_trailer(source);
    return source_start_gzip(source, err);
}

bool source_open_input(Source *source, Error *err)
{
    *source = (Source){.path = "standard input", .piped = true};
    source->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return source->fd >= 0 || error_set_errno(err, "%s", source->path);
}

ptrdiff_t source_peek(Source *source, unsigned char *data, size_t size, Error *err)
{
    ptrdiff_t n = source_read(source, data, size, err);
    if (n > 0) {
        source->n_ahead = (size_t)n;
        memcpy(source->ahead, data, source->n_ahead);
    }
    return n;
}

ptrdiff_t source_read(Source *source, void *data, size_t size, Error *err)
{
    size_t done = size < source->n_ahead ? size : source->n_ahead;
    memcpy(data, source->ahead, done);
    source->n_ahead -= done;
    memmove(source->ahead, source->ahead + done, source->n_ahead);
    while (done < size) {
        const size_t most = (size_t)1 << 30; // some systems refuse to read more than 2 GB at once
        size_t wanted = size - done < most ? size - done : most;
        ssize_t n = read(source->fd, (unsigned char *)data + done, wanted);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_set_errno(err, "%s: reading failed", source->path);
            return -1;
        }
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ptrdiff_t)done;
}

bool source_close(Source *source, bool whole, Error *err)
{
    close(source->fd);
    if (source->gzip == 0)
        return true;
    if (!whole)
        kill(source->gzip, SIGKILL);
    int status = 0;
    while (waitpid(source->gzip, &status, 0) < 0)
        if (errno != EINTR)
            return error_set_errno(err, "%s: waiting for gzip failed", source->path);
    if (!whole || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return true;
    // A spawn that finds no program may report it only here (POSIX: status 127).
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return error_set(err, "%s: cannot run gzip to decompress it; is it installed?",
                         source->path);
    return error_set(err,
                     "%s: gzip cannot decompress it: damaged, cut short, or followed by "
                     "other data",
                     source->path);
}

bool file_read(unsigned char **data, size_t *size, Arena *arena, const char *path, size_t max,
               const char *what, Error *err)
{
    Source source;
    if (!source_open(&source, path, err))
        return false;
    if (source.gzip != 0 || source.size > max) {
        Error ignored;
        bool compressed = source.gzip != 0;
        source_close(&source, false, &ignored);
        if (compressed)
            return error_set(err, "%s: %s is not read compressed", path, what);
        return error_set(err, "%s: %llu bytes are too many for %s", path,
                         (unsigned long long)source.size, what);
    }
    size_t expected = (size_t)source.size;
    unsigned char *bytes = arena_alloc(arena, expected + 1, 1, what, err);
    ptrdiff_t n = bytes == NULL ? -1 : source_read(&source, bytes, expected, err);
    Error ignored;
    source_close(&source, true, &ignored);
    if (n < 0)
        return false;
    if ((size_t)n != expected)
        return error_set(err, "%s: became shorter while it was read", path);
    *data = bytes;
    *size = expected;
    return true;
}

// ---------------------------------------------------------------------------------------------
// Writing

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
