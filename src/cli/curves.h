// The table of curves (RFC 4180): a header line, then a row an epoch. Knows its columns and what a
// training that goes on keeps of an older table; knows nothing of how the rows come about.
#ifndef MLP_CURVES_H
#define MLP_CURVES_H

#include "output.h"
#include "train.h"

// Begins an opened table, which replaces the old one when it has its first new row. A training that
// goes on after an epoch (else NULL) keeps the rows up to it from the table that is there; where
// none is, and in a stream, the table starts with the next epoch. Of *last, the validation figures
// and the learning rate must be those of the row of its epoch. On failure says why, the table of
// something or someone else included; the caller discards *csv.
bool curves_begin(Output *csv, Arena *arena, const EpochReport *last, Error *err);

// The path of the table that belongs to a model, beside it: second.csv of second.bin, and
// curves.csv of model.bin. Owned by the arena.
char *curves_path(Arena *arena, const char *model, Error *err);

// Says whether nothing but an older table is lost when a table replaces what is at that path: for a
// path that nobody has named. On failure says why.
bool curves_may_replace(const char *path, Error *err);

// Writes the row of an epoch; with the first one the table takes its place.
bool curves_add(Output *csv, const EpochReport *report, Error *err);

#endif
