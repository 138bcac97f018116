// The table of curves (RFC 4180): a header line, then a row an epoch. Knows its columns and what a
// training that goes on keeps of an older table; knows nothing of how the rows come about.
#ifndef MLP_CURVES_H
#define MLP_CURVES_H

#include "output.h"
#include "train.h"

// Opens the table that will replace `path` when it has its first new row. A training that goes on
// after an epoch (else NULL) keeps the rows up to it from the table that is there; where none is,
// the table starts with the next epoch. Of *last, the validation figures and the learning rate must
// be those of the row of its epoch. On failure says why, the table of something or someone else
// included, and leaves the file as it was.
bool curves_open(Output *csv, Arena *arena, const char *path, const EpochReport *last, Error *err);

// Writes the row of an epoch; with the first one the table takes its place.
bool curves_add(Output *csv, const EpochReport *report, Error *err);

#endif
