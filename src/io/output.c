// Replacing a file all at once, or writing into a stream; see output.h.
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
// Temporary files: which there are, for a signal that ends the process at once

enum { MAX_TEMPORARIES = 4, PATH_ROOM = 4096 };
static struct {
    char path[PATH_ROOM];
    atomic_bool is_taken; // by a thread that writes or has written the path
    atomic_bool exists;
} temporaries[MAX_TEMPORARIES];

// More than there is room for, or longer, is not known here: then such a signal leaves a file.
static void temporary_is_there(const char *path)
{
    size_t size = strlen(path) + 1;
    for (size_t i = 0; i < MAX_TEMPORARIES && size <= PATH_ROOM; i++)
        if (!atomic_exchange(&temporaries[i].is_taken, true)) {
            memcpy(temporaries[i].path, path, size);
            atomic_store(&temporaries[i].exists, true);
            return;
        }
}

static void temporary_is_gone(const char *path)
{
    for (size_t i = 0; i < MAX_TEMPORARIES; i++)
        if (atomic_load(&temporaries[i].exists) && strcmp(temporaries[i].path, path) == 0) {
            atomic_store(&temporaries[i].exists, false);
            atomic_store(&temporaries[i].is_taken, false);
        }
}

void output_remove_temporaries(void)
{
    for (size_t i = 0; i < MAX_TEMPORARIES; i++)
        if (atomic_load(&temporaries[i].exists))
            unlink(temporaries[i].path);
}

// ---------------------------------------------------------------------------------------------
// Streams

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

// Takes the descriptor.
static bool output_open_stream(Output *out, int fd, Error *err)
{
    out->stream = fd < 0 ? NULL : fdopen(fd, "wb");
    if (out->stream != NULL)
        return true;
    error_set_errno(err, "%s: cannot write", out->path);
    if (fd >= 0)
        close(fd);
    return false;
}

static const char *shown_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard output" : path;
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

// Opened by its path, it might be truncated, and a socket cannot be opened at all.
bool output_open_descriptor(Output *out, const char *path, int fd, Error *err)
{
    *out = (Output){.path = shown_name(path)};
    return is_for_writing(out->path, fd, err) &&
           output_open_stream(out, fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), err);
}

bool output_is_stream(const Output *out)
{
    return out->target == NULL;
}

// ---------------------------------------------------------------------------------------------
// Opening

// A name that nothing has, most probably; short whatever the target's is, as file systems limit
// names. Others may write in that directory: other processes, containers with equal process ids.
static char *temporary_name(Arena *arena, const char *directory, Error *err)
{
    static atomic_uint counter;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    seed = (seed ^ (uint64_t)getpid() << 40) + atomic_fetch_add(&counter, 1);
    return arena_printf(arena, err, "%s/.mlp-%08" PRIx32, directory,
                        (uint32_t)(seed * 0x9e3779b97f4a7c15 >> 32));
}

const char *output_temporary_directory(void)
{
    const char *directory = getenv("TMPDIR");
    return directory == NULL || directory[0] == '\0' ? "/tmp" : directory;
}

// Returns the descriptor, or -1 with errno, 0 where the reason is in err. Announced before it is
// there, or a signal in between would leave it behind.
static int create_temporary(Output *out, Arena *arena, const char *directory, mode_t mode,
                            Error *err)
{
    enum { TRIES = 100 };
    for (int i = 0; i < TRIES; i++) {
        char *name = temporary_name(arena, directory, err);
        if (name == NULL) {
            errno = 0; // the reason is in err
            return -1;
        }
        temporary_is_there(name);
        int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd >= 0) {
            out->temporary = name;
            return fd;
        }
        int number = errno;
        temporary_is_gone(name);
        errno = number;
        if (number != EEXIST)
            break;
    }
    return -1;
}

// A file that may be written, in a directory where none may be made (one that is mounted into a
// container), is going to be written in place: its temporary file may be anywhere, for this user's
// eyes alone.
static bool output_open_temporary(Output *out, Arena *arena, const struct stat *replaced,
                                  Error *err)
{
    char *directory = path_directory(arena, out->target, err);
    if (directory == NULL)
        return false;
    int fd = create_temporary(out, arena, directory, replaced != NULL ? 0600 : 0666, err);
    if (fd >= 0 && replaced != NULL)
        fchmod(fd, replaced->st_mode & 0777);
    int number = errno; // the reason to give: that of the file's own directory
    if (fd < 0 && replaced != NULL && (number == EACCES || number == EPERM || number == EROFS))
        fd = create_temporary(out, arena, output_temporary_directory(), 0600, err);
    errno = number;
    if (fd < 0 && number == 0)
        return false;
    if (fd < 0)
        return error_set_errno(err, "%s: cannot write in its directory", out->path);
    if (output_open_stream(out, fd, err))
        return true;
    output_discard(out);
    return false;
}

// What a path leads to.
typedef struct Found {
    int fd; // -1: not an open descriptor
    bool exists, is_stream;
    struct stat status; // where it exists
} Found;

static Found look_at(const char *path)
{
    Found found = {.fd = output_descriptor(path)};
    found.exists = found.fd < 0 && stat(path, &found.status) == 0;
    found.is_stream = found.fd >= 0 || (found.exists && !S_ISREG(found.status.st_mode) &&
                                        !S_ISDIR(found.status.st_mode));
    return found;
}

bool output_leads_to_stream(const char *path)
{
    return look_at(path).is_stream;
}

// Says whether a stream can be written, without opening it.
static bool check_stream(const Found *found, const char *path, OutputKind kind, Error *err)
{
    if (kind == OUTPUT_REGULAR_ONLY && found->fd >= 0)
        return error_set(err, "%s: is an open stream and cannot be replaced", path);
    if (kind == OUTPUT_REGULAR_ONLY)
        return error_set(err, "%s: is not a regular file and cannot be replaced", path);
    if (found->fd >= 0)
        return is_for_writing(path, found->fd, err);
    if (S_ISSOCK(found->status.st_mode))
        return error_set(err, "%s: is a socket, which cannot be opened by its name", path);
    return access(path, W_OK) == 0 || error_set_errno(err, "%s: cannot write", path);
}

// Finds the target, which a stream does not have, and what there is to object to it without opening
// anything.
static bool output_find(Output *out, Found *found, Arena *arena, const char *path, OutputKind kind,
                        Error *err)
{
    *out = (Output){.path = shown_name(path)};
    *found = look_at(path);
    if (path[0] == '\0')
        return error_set(err, "an empty file name cannot be written");
    if (found->exists && S_ISDIR(found->status.st_mode))
        return error_set(err, "%s: is a directory, where a file is to be written", path);
    if (found->is_stream)
        return check_stream(found, out->path, kind, err);
    if (found->exists && access(path, W_OK) != 0)
        return error_set_errno(err, "%s: cannot be replaced", path);
    out->target = path_follow(arena, path, err);
    if (out->target == NULL)
        return false;
    // Of a name that there cannot be, the renaming would say so after all the work.
    struct stat status;
    if (!found->exists && lstat(out->target, &status) != 0 && errno != ENOENT)
        return error_set_errno(err, "%s: cannot write", path);
    return true;
}

bool output_open(Output *out, Arena *arena, const char *path, OutputKind kind, Error *err)
{
    Found found;
    if (!output_find(out, &found, arena, path, kind, err))
        return false;
    if (found.fd >= 0)
        return output_open_descriptor(out, path, found.fd, err);
    if (output_is_stream(out))
        return output_open_stream(out, open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC), err);
    return output_open_temporary(out, arena, found.exists ? &found.status : NULL, err);
}

bool output_try(const char *path, OutputKind kind, Error *err)
{
    Arena arena = {0};
    Output out;
    Found found;
    bool ok = output_find(&out, &found, &arena, path, kind, err);
    if (ok && !output_is_stream(&out)) {
        sigset_t all, before; // a signal that ends the process would leave the file behind
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, &before);
        ok = output_open_temporary(&out, &arena, found.exists ? &found.status : NULL, err);
        output_discard(&out);
        sigprocmask(SIG_SETMASK, &before, NULL);
    }
    arena_free(&arena);
    return ok;
}

// ---------------------------------------------------------------------------------------------
// Putting in place

// Says whether a failed sync means lost bytes. Other reasons say that this file, a pipe for
// example, or this file system has no such thing as a sync.
static bool is_loss(int number)
{
    return number == EIO || number == ENOSPC || number == EDQUOT;
}

// To the disk itself, which fsync does not promise everywhere. A device or a pipe has none.
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
    *is_begun = false;
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

// Makes the stream write to the target, open as fd, which gets the bytes of the temporary file.
static bool output_move_to(Output *out, int fd, bool *is_begun)
{
    int stream = fileno(out->stream);
    return file_copy(stream, fd, is_begun) && dup2(fd, stream) == stream &&
           fcntl(stream, F_SETFD, FD_CLOEXEC) != -1;
}

// What cannot be written in place: what has become of the target, and where the bytes are.
static bool error_in_place(Error *err, Output *out, const char *reason, bool was_opened,
                           bool is_begun)
{
    int number = errno;
    const char *fate = is_begun ? "; it is incomplete now" : "; it is as it was";
    bool is_kept = access(out->temporary, F_OK) == 0; // as the only copy
    out->kept = is_kept ? out->temporary : NULL;
    return error_set(err, "%s: cannot be replaced (%s) or written in place (%s)%s%s%s", out->path,
                     reason, strerror(number), was_opened ? fate : "",
                     is_kept ? "; what was written is in " : "", is_kept ? out->temporary : "");
}

// The target cannot be renamed over; errno says why: it is a mount point (EBUSY), or belongs to
// someone else in a directory such as /tmp (EPERM). Its bytes can still be written. When there is
// no temporary file any more (ENOENT), perhaps because a signal ends the process, a file that is
// there is left alone.
static bool output_write_in_place(Output *out, Error *err)
{
    char reason[128];
    int flags = O_WRONLY | O_CLOEXEC | (errno == ENOENT ? O_CREAT | O_EXCL : 0);
    snprintf(reason, sizeof reason, "%s", strerror(errno));
    temporary_is_gone(out->temporary); // a signal must leave it: soon it is the only whole copy
    bool is_begun = false;
    int fd = open(out->target, flags, 0666);
    bool ok = fd >= 0 && output_move_to(out, fd, &is_begun);
    if (!ok)
        error_in_place(err, out, reason, fd >= 0, is_begun);
    if (fd >= 0)
        close(fd);
    if (ok) {
        error_set(&out->note, "%s: was written in place, since it cannot be replaced at once: %s",
                  out->path, reason);
        unlink(out->temporary);
    }
    out->temporary = NULL;
    return ok;
}

static bool output_flush(Output *out, Error *err)
{
    if (fflush(out->stream) != 0 || ferror(out->stream))
        return error_set_errno(err, "%s: writing failed", out->path);
    return true;
}

bool output_publish(Output *out, Error *err)
{
    if (!output_flush(out, err))
        return false;
    if (out->temporary == NULL)
        return true;
    if (rename(out->temporary, out->target) != 0)
        return output_write_in_place(out, err);
    temporary_is_gone(out->temporary);
    out->temporary = NULL;
    return true;
}

// Makes a rename survive a power cut. A file system that cannot is not a failure; a disk that fails
// is not one of the file, which is complete, but must be reported. An earlier note comes first:
// what was written in place had its name before.
static void output_sync_directory(Output *out)
{
    Arena arena = {0};
    Error ignored;
    char *directory = path_directory(&arena, out->target, &ignored);
    int fd = directory == NULL ? -1 : open(directory, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (fsync(fd) != 0 && is_loss(errno) && out->note.text[0] == '\0')
            error_set_errno(&out->note,
                            "%s: is complete, but its directory may not be on the disk, and a "
                            "power cut could bring back what was there before",
                            out->path);
        close(fd);
    }
    arena_free(&arena);
}

bool output_sync(Output *out, Error *err)
{
    if (!output_flush(out, err))
        return false;
    return file_sync(fileno(out->stream)) || error_set_errno(err, "%s: writing failed", out->path);
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
    temporary_is_gone(out->temporary);
    out->temporary = NULL;
}
