// Writing a data set: the four IDX files (idx.h) and the names of its classes, all of them or none.
#ifndef MLP_IDX_WRITE_H
#define MLP_IDX_WRITE_H

#include "collection.h"
#include "output.h"

enum { IDX_SET_FILES = 5 };

typedef struct IdxWriter {
    const char *directory;
    bool is_new;                 // the directory was made for this
    Output files[IDX_SET_FILES]; // of those that are written
} IdxWriter;

// Says whether a data set can be written to the directory, which need not be there; that above it
// must be. Where it has files of a data set without a name, fails unless they are to be replaced.
bool idx_write_check(const char *directory, bool replace, Error *err);

// Writes the files under temporary names. Without images a part has no files, without names there
// is none of those. The labels must be classes. On failure nothing is left.
bool idx_write(IdxWriter *writer, const char *directory, const Selection parts[2],
               const char *names, Arena *arena, Error *err);

// Puts the files in their places, the labels last: without them no reader takes images of one set
// for those of another. The files of an older set are kept as .mlp-old-NAME until then: they get
// their names back when this fails, but for one that a link leads to. Signals wait, and so do other
// processes that replace the set.
bool idx_write_commit(IdxWriter *writer, Error *err);

// Leaves everything as it was.
void idx_write_discard(IdxWriter *writer);

#endif
