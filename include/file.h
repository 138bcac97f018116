// Files: reading what may be compressed, replacing a file all at once, checksums. The only room
// besides the commands that touches the operating system's files; knows no format but gzip's name.
#ifndef MLP_FILE_H
#define MLP_FILE_H

#include "base.h"

#include <stdio.h>
#include <sys/types.h>

// ---------------------------------------------------------------------------------------------
// CRC-32 (ISO 3309, as in gzip and PNG: reflected polynomial edb88320)

// Returns the checksum of all bytes so far: `crc` is 0 at first, then the last result.
uint32_t crc32_update(uint32_t crc, const void *data, size_t size);

// ---------------------------------------------------------------------------------------------
// Reading

enum { SOURCE_MAX_AHEAD = 16 };

// The bytes of a regular file, or what `gzip -dc` makes of one whose name ends in .gz, or those of
// standard input. gzip is found on the PATH and run without a shell; no file name reaches it.
typedef struct Source {
    const char *path;
    int fd;
    pid_t gzip;                            // 0 when the file is read as it is
    bool piped;                            // how long it is shows only when it has been read
    uint64_t size;                         // of the file, compressed or not; 0 for standard input
    uint32_t gzip_crc32, gzip_size;        // what a .gz says at its end of the bytes that it holds
    unsigned char ahead[SOURCE_MAX_AHEAD]; // looked at, but not yet read
    size_t n_ahead;
} Source;

// Opens a regular file. On failure says why and leaves nothing open.
bool source_open(Source *source, const char *path, Error *err);

// Opens standard input, whatever it is; its path is "standard input".
bool source_open_input(Source *source, Error *err);

// Shows the first `size` bytes, at most SOURCE_MAX_AHEAD, to a caller that has read none yet; they
// are still to be read. Returns how many there are, -1 on error.
ptrdiff_t source_peek(Source *source, unsigned char *data, size_t size, Error *err);

// Reads until `size` bytes have come or the end is reached. Returns how many came, -1 on error.
ptrdiff_t source_read(Source *source, void *data, size_t size, Error *err);

// Ends reading. With `whole`, the caller believes to have read everything: fails when gzip found
// the file damaged. Always releases the file and the child.
bool source_close(Source *source, bool whole, Error *err);

// Reads a whole regular file of at most `max` bytes into the arena.
bool file_read(unsigned char **data, size_t *size, Arena *arena, const char *path, size_t max,
               const char *what, Error *err);

// ---------------------------------------------------------------------------------------------
// Writing

// A file that comes into being all at once: written under a temporary name beside its target,
// then renamed over it, so that the old file or the new one is there whole at every moment. A
// symbolic link stays, what it points to is replaced. A target that exists and is no regular
// file (a device, a pipe) is written straight into when that is allowed.
typedef struct Output {
    FILE *stream;     // the caller prints here; errors are found by publish and commit
    char *target;     // owned by the arena, with links resolved
    char *temporary;  // NULL when written straight, or once published
    const char *path; // as the user named it
} Output;

typedef enum OutputKind { OUTPUT_REGULAR_ONLY, OUTPUT_ANY_FILE } OutputKind;

// Creates the temporary file: fails early when the folder is missing or cannot be written.
bool output_open(Output *out, Arena *arena, const char *path, OutputKind kind, Error *err);

// Flushes what was printed and puts the file under its name; the stream stays open, and further
// rows go to the same file. Publishing again only flushes.
bool output_publish(Output *out, Error *err);

// Flushes and makes sure that what was written so far survives a power cut.
bool output_sync(Output *out, Error *err);

// Flushes, syncs, publishes, closes and syncs the folder.
bool output_commit(Output *out, Error *err);

// Closes without publishing what has not been published; the target stays as it was.
void output_discard(Output *out);

// Says whether two paths name the same file, now or once both have been written.
bool path_is_same(const char *a, const char *b);

#endif
