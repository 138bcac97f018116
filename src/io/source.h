// Reading: regular files, what gzip makes of compressed ones, and streams. Knows no format but
// gzip's. The readers of formats (idx, pnm, model) build on it; output.h is the other direction.
#ifndef MLP_SOURCE_H
#define MLP_SOURCE_H

#include "base.h"

#include <sys/types.h>

enum { SOURCE_MAX_AHEAD = 32 };

// A regular file, or what `gzip -dc` makes of one whose name ends in .gz and that begins as gzip
// data do (RFC 1952: 1f 8b), or a stream. gzip is found on the PATH and run without a shell; no
// file name reaches it. A file that only has such a name is read as it is: the readers say what it
// is.
typedef struct Source {
    const char *path;
    int fd;
    pid_t gzip;                            // 0 when the file is read as it is
    bool piped;                            // how long it is shows only when it has been read
    uint64_t size;                         // of the file, compressed or not; 0 for a stream
    unsigned char ahead[SOURCE_MAX_AHEAD]; // peeked at, but not yet read
    size_t n_ahead;
} Source;

// Opens a regular file. On failure says why and leaves nothing open.
bool source_open(Source *source, const char *path, Error *err);

// The same for anything that is not a directory: a named pipe (waits for its writer), a device,
// /dev/fd/N. "-" and /dev/stdin are standard input; the path of "-" is "standard input". A stream
// is read as it is, even when its name ends in .gz.
bool source_open_stream(Source *source, const char *path, Error *err);

// Says whether that path is standard input's, which can be read only once.
bool source_is_input(const char *path);

// Copies the first `size` bytes, at most SOURCE_MAX_AHEAD, for a caller that has read none yet;
// they stay to be read. Returns how many there are, -1 on error.
ptrdiff_t source_peek(Source *source, unsigned char *data, size_t size, Error *err);

// Reads until there are `size` bytes or the end is reached. Returns how many were read, -1 on
// error.
ptrdiff_t source_read(Source *source, void *data, size_t size, Error *err);

// Reads at most `size` bytes of those that are there; waits only when there are none. Returns how
// many were read, 0 at the end, -1 on error.
ptrdiff_t source_read_some(Source *source, void *data, size_t size, Error *err);

// Closes the file and waits for gzip. With `whole`, the caller has read to the end: fails when gzip
// found the file damaged. That cannot be known in a process that ignores SIGCHLD or waits for every
// child: the caller checks that the data have their length.
bool source_close(Source *source, bool whole, Error *err);

// Reads a whole regular file of at most `max` bytes into the arena.
bool file_read(unsigned char **data, size_t *size, Arena *arena, const char *path, size_t max,
               const char *what, Error *err);

#endif
