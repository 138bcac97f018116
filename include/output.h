// Writing: a file that is replaced all at once, when it is complete. Knows no format; source.h is
// the other direction.
#ifndef MLP_OUTPUT_H
#define MLP_OUTPUT_H

#include "base.h"

#include <stdio.h>

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
