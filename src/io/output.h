// Writing: a file that is replaced all at once, when it is complete, or a stream that is written
// straight into. Knows no format; source.h is the other direction.
#ifndef MLP_OUTPUT_H
#define MLP_OUTPUT_H

#include "base.h"

#include <stdio.h>

// A file that is replaced all at once: it is written under a temporary name in the directory of its
// target, then renamed over it, so that at every moment the complete old file or the complete new
// one is there. A symbolic link stays; what it points to is replaced. A target that cannot be
// renamed over (a mount point) is written in place, what it grows by first. Where its directory
// takes no temporary file, that is made in output_temporary_directory(). What is not a regular file
// (a device, a pipe, an open descriptor of this process) is a stream, which is written directly
// where that is allowed. The arena must live until the output is committed or discarded.
typedef struct Output {
    FILE *stream;     // the caller prints here; errors are found by publish and commit
    char *target;     // owned by the arena, with links resolved; NULL: a stream
    char *directory;  // of the target
    char *temporary;  // NULL for a stream, or once published
    char *kept;       // the only copy of what could not be put in place; NULL: there is none
    const char *path; // as the user named it
    Error note;       // what the user should know although nothing failed; "" for nothing
} Output;

typedef enum OutputKind { OUTPUT_REGULAR_ONLY, OUTPUT_ANY_FILE } OutputKind;

// Where temporary files go that have no better place: $TMPDIR, or /tmp.
const char *output_temporary_directory(void);

// Opens a stream, or creates the temporary file: fails early when the directory is missing or
// cannot be written. "-" is standard output.
bool output_open(Output *out, Arena *arena, const char *path, OutputKind kind, Error *err);

// Opens a copy of an open descriptor of this process as a stream.
bool output_open_descriptor(Output *out, const char *path, int fd, Error *err);

// The descriptor of this process that an output of that path is written to, -1 for none: the one
// that the path names (path.h; "-" is standard output), or standard output or error where they go
// to that file: renaming another over it would lose what is written there.
int output_descriptor(const char *path);

// Says whether output_open would open a stream.
bool output_leads_to_stream(const char *path);

// Says whether an opened output is a stream: there is no older file, and what is written is out.
bool output_is_stream(const Output *out);

// Says whether output_open would work, so that nobody computes for long to learn that it does not.
// Makes the temporary file and removes it. Does not open a pipe, which might wait for its reader.
bool output_try(const char *path, OutputKind kind, Error *err);

// Flushes what was printed and puts the file in place; the stream stays open, and further rows go
// to the same file. Publishing again only flushes. When the file can neither be renamed nor written
// in place, it stays under its temporary name, out->kept, and err says so, and whether the target
// is incomplete now.
bool output_publish(Output *out, Error *err);

// Flushes and makes sure that what was written so far survives a power cut.
bool output_sync(Output *out, Error *err);

// Flushes, syncs, publishes, closes and syncs the directory.
bool output_commit(Output *out, Error *err);

// Closes without publishing what has not been published; the target stays as it was.
void output_discard(Output *out);

// Removes the temporary files that there are. For a signal handler that ends the process.
void output_remove_temporaries(void);

#endif
