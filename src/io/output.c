// Replacing a file all at once, or writing into a stream, as output.h says. A path is classified
// first; then come the temporary file, and the ways to put it in place. path.c resolves names.
#include "output.h"

#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// ---------------------------------------------------------------------------------------------
// Temporary files: which there are, for a signal that ends the process at once. More than there is
// room for are not known here: then such a signal leaves a file.

enum { MAX_TEMPORARIES = 8 };
static _Atomic(const char *) temporaries[MAX_TEMPORARIES];

static void temporary_exchange(const char *old, const char *new)
{
    for (size_t i = 0; i < MAX_TEMPORARIES; i++) {
        const char *expected = old;
        if (atomic_compare_exchange_strong(&temporaries[i], &expected, new))
            return;
    }
}

void output_remove_temporaries(void)
{
    for (size_t i = 0; i < MAX_TEMPORARIES; i++) {
        const char *path = atomic_load(&temporaries[i]);
        if (path != NULL)
            unlink(path);
    }
}

const char *output_temporary_directory(void)
{
    const char *directory = getenv("TMPDIR");
    return directory == NULL || directory[0] == '\0' ? "/tmp" : directory;
}

// ---------------------------------------------------------------------------------------------
// What a path leads to

typedef enum TargetKind {
    TARGET_NEW, // nothing is there
    TARGET_FILE,
    TARGET_DIRECTORY,
    TARGET_DEVICE,    // or a pipe, or a socket
    TARGET_DESCRIPTOR // an open one of this process
} TargetKind;

typedef struct Target {
    TargetKind kind;
    int fd;      // of TARGET_DESCRIPTOR
    mode_t mode; // of what is there
} Target;

int output_descriptor(const char *path)
{
    int named = path_descriptor(path, STDOUT_FILENO);
    if (named >= 0)
        return named;
    // A device may be opened as often as one likes; anything else has one place to write at.
    struct stat file, standard;
    if (stat(path, &file) == 0 && !S_ISCHR(file.st_mode))
        for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
            if (fstat(fd, &standard) == 0 && path_is_same_file(&file, &standard))
                return fd;
    return -1;
}

static Target target_of(const char *path)
{
    struct stat status;
    Target target = {.kind = TARGET_NEW, .fd = output_descriptor(path)};
    if (target.fd >= 0)
        target.kind = TARGET_DESCRIPTOR;
    else if (stat(path, &status) == 0) {
        target.mode = status.st_mode;
        target.kind = S_ISREG(target.mode)   ? TARGET_FILE
                      : S_ISDIR(target.mode) ? TARGET_DIRECTORY
                                             : TARGET_DEVICE;
    }
    return target;
}

bool output_leads_to_stream(const char *path)
{
    return target_of(path).kind >= TARGET_DEVICE;
}

bool output_is_stream(const Output *out)
{
    return out->target == NULL;
}

static bool is_for_writing(const char *path, int fd, Error *err)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags == -1)
        return error_set_errno(err, "%s: cannot write", path);
    if ((flags & O_ACCMODE) == O_RDONLY)
        return error_set(err, "%s: is not open for writing", path);
    return true;
}

// Finds what the output is written to, and what is against it that shows without opening anything.
static bool output_find(Output *out, Target *target, Arena *arena, const char *path,
                        OutputKind kind, Error *err)
{
    *out = (Output){.path = strcmp(path, "-") == 0 ? "standard output" : path};
    if (path[0] == '\0')
        return error_set(err, "an empty file name cannot be written");
    struct stat status;
    *target = target_of(path);
    TargetKind is = target->kind;
    if (is >= TARGET_DEVICE && kind == OUTPUT_REGULAR_ONLY)
        return error_set(err, "%s: is %s and cannot be replaced", out->path,
                         is == TARGET_DEVICE ? "not a regular file" : "an open stream");
    if (is == TARGET_DIRECTORY)
        return error_set(err, "%s: is a directory, where a file is to be written", path);
    if (is == TARGET_DESCRIPTOR)
        return is_for_writing(out->path, target->fd, err);
    if (is == TARGET_DEVICE && S_ISSOCK(target->mode))
        return error_set(err, "%s: is a socket, which cannot be opened by its name", path);
    if (is != TARGET_NEW && access(path, W_OK) != 0)
        return error_set_errno(err, "%s: cannot %s", path,
                               is == TARGET_FILE ? "be replaced" : "write");
    if (is == TARGET_DEVICE)
        return true;
    if ((out->target = path_follow(arena, path, err)) == NULL ||
        (out->directory = path_directory(arena, out->target, err)) == NULL)
        return false;
    if (is == TARGET_NEW && lstat(out->target, &status) != 0 && errno != ENOENT) // no possible name
        return error_set_errno(err, "%s: cannot write", path);
    if (is == TARGET_NEW && access(out->directory, W_OK | X_OK) != 0)
        return error_set_errno(err, "%s: cannot write in its directory", path);
    if (is == TARGET_NEW && path[strlen(path) - 1] == '/')
        return error_set(err, "%s: names a directory, where a file is to be written", path);
    return true;
}

// ---------------------------------------------------------------------------------------------
// Opening

// Takes the descriptor.
static bool open_stream(Output *out, int fd, Error *err)
{
    out->stream = fd < 0 ? NULL : fdopen(fd, "wb");
    if (out->stream != NULL)
        return true;
    error_set_errno(err, "%s: cannot write", out->path);
    if (fd >= 0)
        close(fd);
    return false;
}

// Creates a file of a name that nothing has; `name` ends in eight digits, which are replaced. The
// name is short, as file systems limit it. Other processes may write in that directory. Returns the
// descriptor, or -1 with errno.
static int create_temporary(char *name, mode_t mode)
{
    enum { TRIES = 100, DIGITS = 8 };
    // Known before it is there, or a signal in between would leave it behind.
    temporary_exchange(NULL, name);
    for (uint64_t i = 0; i < TRIES; i++) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        uint64_t seed = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
        seed = ((seed ^ (uint64_t)getpid() << 40) + i) * 0x9e3779b97f4a7c15;
        snprintf(name + strlen(name) - DIGITS, DIGITS + 1, "%08" PRIx32, (uint32_t)(seed >> 32));
        int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd >= 0)
            return fd;
        if (errno != EEXIST)
            break;
    }
    int number = errno;
    temporary_exchange(name, NULL);
    errno = number;
    return -1;
}

// A file that may be written, in a directory where none may be made (one that is mounted into a
// container), will be written in place: its temporary file may be anywhere, for this user alone.
static bool open_temporary(Output *out, Arena *arena, const Target *target, Error *err)
{
    static const char form[] = "%s/.mlp-00000000";
    bool exists = target->kind == TARGET_FILE;
    char *name = arena_printf(arena, err, form, out->directory);
    if (name == NULL)
        return false;
    int fd = create_temporary(name, exists ? 0600 : 0666);
    if (fd >= 0 && exists)
        fchmod(fd, target->mode & 0777);
    int number = errno; // the reason to give: that of the file's own directory
    if (fd < 0 && exists && (number == EACCES || number == EPERM || number == EROFS)) {
        if ((name = arena_printf(arena, err, form, output_temporary_directory())) == NULL)
            return false;
        fd = create_temporary(name, 0600);
    }
    errno = number;
    if (fd < 0)
        return error_set_errno(err, "%s: cannot write in its directory", out->path);
    out->temporary = name;
    if (open_stream(out, fd, err))
        return true;
    output_discard(out);
    return false;
}

// A descriptor is duplicated: opened by its path, a file might be truncated, and a socket cannot be
// opened at all.
bool output_open_descriptor(Output *out, const char *path, int fd, Error *err)
{
    *out = (Output){.path = strcmp(path, "-") == 0 ? "standard output" : path};
    return is_for_writing(out->path, fd, err) &&
           open_stream(out, fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), err);
}

bool output_open(Output *out, Arena *arena, const char *path, OutputKind kind, Error *err)
{
    Target target = {.kind = TARGET_NEW};
    if (!output_find(out, &target, arena, path, kind, err))
        return false;
    if (target.kind == TARGET_DESCRIPTOR)
        return output_open_descriptor(out, path, target.fd, err);
    if (target.kind == TARGET_DEVICE)
        return open_stream(out, open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC), err);
    return open_temporary(out, arena, &target, err);
}

bool output_try(const char *path, OutputKind kind, Error *err)
{
    Arena arena = {0};
    Output out;
    Target target = {.kind = TARGET_NEW};
    sigset_t all, before;
    sigfillset(&all);
    bool ok = output_find(&out, &target, &arena, path, kind, err);
    if (ok && !output_is_stream(&out)) {
        sigprocmask(SIG_BLOCK, &all, &before); // or the temporary file could stay behind
        if ((ok = open_temporary(&out, &arena, &target, err)))
            output_discard(&out);
        sigprocmask(SIG_SETMASK, &before, NULL);
    } else if (ok && S_ISCHR(target.mode)) {
        int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if ((ok = open_stream(&out, fd, err)))
            output_discard(&out);
    }
    arena_free(&arena);
    return ok;
}

// ---------------------------------------------------------------------------------------------
// Putting in place

// Says whether a failed sync means lost bytes. Other reasons say that this file, a pipe for
// example, or this file system cannot be synced.
static bool is_loss(int number)
{
    return number == EIO || number == ENOSPC || number == EDQUOT;
}

// To the disk itself, which fsync does not promise everywhere.
static bool file_sync(int fd)
{
#ifdef F_FULLFSYNC
    if (fcntl(fd, F_FULLFSYNC) == 0)
        return true;
#endif
    return fsync(fd) == 0 || !is_loss(errno);
}

// Copies the bytes from `at` to `end`.
static bool copy_range(int from, int to, off_t at, off_t end)
{
    char bytes[1 << 14];
    while (at < end) {
        size_t size = end - at < (off_t)sizeof bytes ? (size_t)(end - at) : sizeof bytes;
        ssize_t n = pread(from, bytes, size, at);
        if (n > 0)
            n = pwrite(to, bytes, (size_t)n, at);
        if (n <= 0) {
            errno = n == 0 ? EIO : errno; // shorter than it was
            return false;
        }
        at += n;
    }
    return true;
}

// Copies all bytes of a file over those of another. What it grows by comes first: a full disk shows
// before a byte of the older file is lost. Says whether such a byte may be lost.
static bool file_copy(int from, int to, bool *is_begun)
{
    struct stat source, older;
    if (fstat(from, &source) != 0 || fstat(to, &older) != 0)
        return false;
    off_t size = source.st_size, kept = older.st_size < size ? older.st_size : size;
    if (kept < size && (!copy_range(from, to, kept, size) || !file_sync(to))) {
        int number = errno;
        *is_begun = ftruncate(to, kept) != 0;
        errno = number;
        return false;
    }
    *is_begun = true;
    return copy_range(from, to, 0, kept) && ftruncate(to, size) == 0 &&
           lseek(to, size, SEEK_SET) == size && file_sync(to);
}

// The target cannot be renamed over; errno says why: it is a mount point (EBUSY), or belongs to
// someone else in a directory such as /tmp (EPERM). Its bytes can still be written; then the stream
// writes to it. When there is no temporary file any more (ENOENT), perhaps because a signal ends
// the process, a file that is there is left alone.
static bool output_write_in_place(Output *out, Error *err)
{
    char reason[128];
    int flags = O_WRONLY | O_CLOEXEC | (errno == ENOENT ? O_CREAT | O_EXCL : 0);
    int stream = fileno(out->stream);
    bool is_begun = false;
    char *copy = out->temporary;
    snprintf(reason, sizeof reason, "%s", strerror(errno));
    temporary_exchange(copy, NULL); // a signal must leave it: soon it is the only whole copy
    out->temporary = NULL;
    int fd = open(out->target, flags, 0666);
    bool ok = fd >= 0 && file_copy(stream, fd, &is_begun) && dup2(fd, stream) == stream &&
              fcntl(stream, F_SETFD, FD_CLOEXEC) != -1;
    int number = errno;
    if (fd >= 0)
        close(fd);
    if (ok) {
        unlink(copy);
        error_set(&out->note, "%s: was written in place, since it cannot be replaced at once: %s",
                  out->path, reason);
        return true;
    }
    out->kept = access(copy, F_OK) == 0 ? copy : NULL;
    const char *state = is_begun ? "; it is incomplete now" : fd >= 0 ? "; it is as it was" : "";
    return error_set(err, "%s: cannot be replaced (%s) or written in place (%s)%s%s%s", out->path,
                     reason, strerror(number), state,
                     out->kept != NULL ? "; what was written is in " : "",
                     out->kept != NULL ? out->kept : "");
}

static bool output_flush(Output *out, Error *err)
{
    return (fflush(out->stream) == 0 && !ferror(out->stream)) ||
           error_set_errno(err, "%s: writing failed", out->path);
}

bool output_publish(Output *out, Error *err)
{
    if (!output_flush(out, err))
        return false;
    if (out->temporary == NULL)
        return true;
    if (rename(out->temporary, out->target) != 0)
        return output_write_in_place(out, err);
    temporary_exchange(out->temporary, NULL);
    out->temporary = NULL;
    return true;
}

bool output_sync(Output *out, Error *err)
{
    return output_flush(out, err) && (file_sync(fileno(out->stream)) ||
                                      error_set_errno(err, "%s: writing failed", out->path));
}

// Makes a rename survive a power cut. A file system that cannot is not a failure; a disk that fails
// is not one of the file, which is complete, but is noted. An earlier note comes first: what was
// written in place had its name before.
static void output_sync_directory(Output *out)
{
    int fd = open(out->directory, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fsync(fd) != 0 && is_loss(errno) && out->note.text[0] == '\0')
        error_set_errno(&out->note,
                        "%s: is complete, but its directory may not be on the disk, and a power "
                        "cut could bring back what was there before",
                        out->path);
    close(fd);
}

bool output_commit(Output *out, Error *err)
{
    if (!output_sync(out, err) || !output_publish(out, err))
        return false;
    FILE *stream = out->stream;
    out->stream = NULL;
    if (fclose(stream) != 0)
        return error_set_errno(err, "%s: writing failed", out->path);
    if (!output_is_stream(out))
        output_sync_directory(out);
    return true;
}

void output_discard(Output *out)
{
    if (out->stream != NULL)
        (void)fclose(out->stream); // what was written is thrown away
    out->stream = NULL;
    if (out->temporary == NULL)
        return;
    unlink(out->temporary);
    temporary_exchange(out->temporary, NULL);
    out->temporary = NULL;
}
