// Reading files and streams, also inside a program that has children and threads of its own. A
// compressed file is read through a pipe from a gzip process, which child.c starts. path.c knows
// which names stand for open descriptors.
#include "source.h"

#include "child.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool source_begins_as_gzip(const Source *source)
{
    unsigned char magic[2] = {0};
    return pread(source->fd, magic, sizeof magic, 0) == (ssize_t)sizeof magic && magic[0] == 0x1f &&
           magic[1] == 0x8b;
}

// Replaces the descriptor by the reading end of a pipe from gzip, whose input it becomes.
static bool source_start_gzip(Source *source, Error *err)
{
    char gzip[] = "gzip", decompress[] = "-dc", *arguments[] = {gzip, decompress, NULL};
    int pipe_ends[2];
    if (!child_pipe(pipe_ends)) {
        error_set_errno(err, "%s: cannot make a pipe for gzip", source->path);
        close(source->fd);
        return false;
    }
    // Its messages are ours to write.
    ChildStreams streams = {.in = source->fd, .out = pipe_ends[1], .err = -1};
    int failed = child_start(&source->gzip, arguments, &streams);
    close(pipe_ends[1]);
    close(source->fd);
    source->fd = pipe_ends[0];
    source->piped = true;
    if (failed == 0)
        return true;
    close(source->fd);
    errno = failed;
    return error_set_errno(err, "%s: cannot run gzip to decompress it", source->path);
}

bool source_open(Source *source, const char *path, Error *err)
{
    *source = (Source){.path = path};
    // O_NONBLOCK: without waiting for the writer of a named pipe; no effect on regular files.
    source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (source->fd < 0)
        return error_set_errno(err, "%s", path);
    struct stat status;
    if (fstat(source->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(source->fd);
        return error_set(err, "%s: %s, where a regular file was expected", path,
                         S_ISDIR(status.st_mode) ? "is a directory" : "is not a regular file");
    }
    source->size = (uint64_t)status.st_size;
    size_t length = strlen(path);
    if (length <= 3 || strcmp(path + length - 3, ".gz") != 0)
        return true;
    return !source_begins_as_gzip(source) || source_start_gzip(source, err);
}

bool source_is_input(const char *path)
{
    return path_descriptor(path, STDIN_FILENO) == STDIN_FILENO;
}

bool source_open_stream(Source *source, const char *path, Error *err)
{
    struct stat status;
    int fd = path_descriptor(path, STDIN_FILENO);
    if (fd < 0 && (stat(path, &status) != 0 || S_ISREG(status.st_mode)))
        return source_open(source, path, err);
    *source = (Source){.path = strcmp(path, "-") == 0 ? "standard input" : path, .piped = true};
    // A descriptor is duplicated: a second open needs permission, and fails for a socket. What is
    // opened is opened without O_NONBLOCK, which would not wait for the writer of a named pipe.
    source->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                         : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (source->fd < 0)
        return error_set_errno(err, "%s", source->path);
    if (fstat(source->fd, &status) == 0 && !S_ISDIR(status.st_mode))
        return true;
    close(source->fd);
    return error_set(err, "%s: is a directory, where a file was expected", source->path);
}

ptrdiff_t source_peek(Source *source, unsigned char *data, size_t size, Error *err)
{
    if (size > source->n_ahead) { // what was looked at before is the beginning
        ptrdiff_t n = source_read(source, data, size, err);
        if (n < 0)
            return -1;
        source->n_ahead = (size_t)n;
        memcpy(source->ahead, data, source->n_ahead);
    }
    size = size < source->n_ahead ? size : source->n_ahead;
    memcpy(data, source->ahead, size);
    return (ptrdiff_t)size;
}

// Waits for more from a descriptor that another program has set not to block.
static bool source_wait(const Source *source)
{
    struct pollfd wanted = {.fd = source->fd, .events = POLLIN};
    return poll(&wanted, 1, -1) > 0 || errno == EINTR;
}

ptrdiff_t source_read_some(Source *source, void *data, size_t size, Error *err)
{
    const size_t most = (size_t)1 << 30; // some systems refuse to read more than 2 GB at once
    size_t ahead = size < source->n_ahead ? size : source->n_ahead;
    if (ahead > 0) {
        memcpy(data, source->ahead, ahead);
        source->n_ahead -= ahead;
        memmove(source->ahead, source->ahead + ahead, source->n_ahead);
        return (ptrdiff_t)ahead;
    }
    ssize_t n;
    do
        n = read(source->fd, data, size < most ? size : most);
    while (n < 0 && (errno == EINTR || (errno == EAGAIN && source_wait(source))));
    if (n < 0)
        error_set_errno(err, "%s: reading failed", source->path);
    return n;
}

ptrdiff_t source_read(Source *source, void *data, size_t size, Error *err)
{
    size_t done = 0;
    while (done < size) {
        ptrdiff_t n = source_read_some(source, (unsigned char *)data + done, size - done, err);
        if (n < 0)
            return -1;
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
    int status = 0;
    // Only a child that still runs: the number of one that has ended may be another process's.
    if (!whole && waitpid(source->gzip, &status, WNOHANG) == 0)
        kill(source->gzip, SIGKILL);
    while (waitpid(source->gzip, &status, 0) < 0)
        if (errno == ECHILD) // somebody else has waited: the length is all that is known
            return true;
        else if (errno != EINTR)
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
    Error ignored;
    unsigned char *bytes = NULL;
    ptrdiff_t n = -1;
    if (!source_open(&source, path, err))
        return false;
    if (source.gzip != 0)
        error_set(err, "%s: cannot read %s compressed", path, what);
    else if (source.size > max)
        error_set(err, "%s: %llu bytes are too many for %s", path, (unsigned long long)source.size,
                  what);
    else if ((bytes = arena_alloc(arena, (size_t)source.size + 1, 1, what, err)) != NULL)
        n = source_read(&source, bytes, (size_t)source.size, err);
    source_close(&source, false, &ignored);
    if (n >= 0 && (uint64_t)n < source.size)
        return error_set(err, "%s: became shorter while it was read", path);
    *data = bytes;
    *size = n < 0 ? 0 : (size_t)n;
    return n >= 0;
}
