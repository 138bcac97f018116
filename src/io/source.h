// Reading: regular files, what gzip makes of compressed ones, and streams. Knows no format
// but gzip's. The formats (idx, pnm, model) are built on it; output.h is the other direction.
#ifndef MLP_SOURCE_H
#define MLP_SOURCE_H

#include "base.h"

#include <sys/types.h>

enum { SOURCE_MAX_AHEAD = 32 };

// The bytes of a regular file, or what `gzip -dc` makes of one whose name ends in .gz and that
// begins as gzip data do (RFC 1952: 1f 8b), or those of a stream. gzip is found on the PATH
// and run without a shell; no file name reaches it. A file that only has the name, because a
// browser has decompressed it or because it is something else, is read as it is: the formats say
// what it is.
typedef struct Source {
    const char *path;
    int fd;
    pid_t gzip;                            // 0 when the file is read as it is
    bool piped;                            // how long it is shows only when it has been read
    bool only_named_gz;                    // the name ends in .gz, but it is not gzip data
    uint64_t size;                         // of the file, compressed or not; 0 for a stream
    uint32_t gzip_crc32, gzip_size;        // what the last gzip worker says of the bytes it holds
    bool gzip_ends_empty;                  // that is a worker of no bytes (bgzip ends with one)
    unsigned char ahead[SOURCE_MAX_AHEAD]; // looked at, but not yet read
    size_t n_ahead;
} Source;

// Opens a regular file. On failure says why and leaves nothing open.
bool source_open(Source *source, const char *path, Error *err);

// Opens a regular file, or anything else that is not a directory: a named pipe (and waits for its
// writer), a device, /dev/fd/N. "-" and /dev/stdin are standard input, whatever it is; the path of
// "-" is "standard input". A stream is read as it is, even when its name ends in .gz.
bool source_open_stream(Source *source, const char *path, Error *err);

// Says whether that path is standard input's, which can be read only once.
bool source_is_input(const char *path);

// Shows the first `size` bytes, at most SOURCE_MAX_AHEAD, to a caller that has read none yet; they
// are still to be read. Returns how many there are, -1 on error.
ptrdiff_t source_peek(Source *source, unsigned char *data, size_t size, Error *err);

// Reads until `size` bytes have come or the end is reached. Returns how many came, -1 on error.
ptrdiff_t source_read(Source *source, void *data, size_t size, Error *err);

// Reads at most `size` bytes of those that are there; waits only when there are none. Returns how
// many came, 0 at the end, -1 on error.
ptrdiff_t source_read_some(Source *source, void *data, size_t size, Error *err);

// Ends reading. With `whole`, the caller believes to have read everything: fails when gzip found
// the file damaged. Always releases the file and the child.
bool source_close(Source *source, bool whole, Error *err);

// Reads a whole regular file of at most `max` bytes into the arena.
bool file_read(unsigned char **data, size_t *size, Arena *arena, const char *path, size_t max,
               const char *what, Error *err);

#endif
