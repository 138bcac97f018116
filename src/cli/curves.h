// The table of curves (RFC 4180): a header line, then one row per epoch. Knows its columns, and
// what a resumed training keeps of an older table; leaves the training to train.h, and how rows are
// written to csv.h.
#ifndef MLP_CURVES_H
#define MLP_CURVES_H

#include "output.h"
#include "train.h"

// Begins an opened table, which replaces the old one when it has its first new row. A training that
// is resumed after an epoch (else NULL) keeps the rows up to it; where there is no older table, and
// in a stream, the table starts with the next epoch. The validation figures and learning rate of
// *last must be those of its row. On failure says why, and the caller discards *csv.
bool curves_begin(Output *csv, Arena *arena, const mlp_epoch *last, Error *err);

// The path of the table that belongs to a model, beside it: second.csv of second.bin, and
// curves.csv of model.bin. Owned by the arena.
char *curves_path(Arena *arena, const char *model, Error *err);

// Whether nothing but an older table of curves is lost when one replaces what is at that path: for
// a path that the user did not name. On failure says why.
bool curves_may_replace(const char *path, Error *err);

// Writes the row of an epoch; with the first one the table takes its place.
bool curves_add(Output *csv, const mlp_epoch *report, Error *err);

#endif
