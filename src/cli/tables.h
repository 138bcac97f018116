// Tables (RFC 4180) that a command adds rows to and continues later. Knows how an older table is
// recognised by its header, and the table of curves of `mlp train`: its columns, its path, and what
// a resumed training keeps of it. Leaves the rows of `mlp sweep` to cmd_sweep.c.
#ifndef MLP_TABLES_H
#define MLP_TABLES_H

#include "mlp.h"
#include "output.h"

// Reads the older table that an opened output will replace; *text is NULL when there is none, and
// for a stream. Owned by the arena. Fails when the file does not begin with the header line, and
// says then that it is not `what` ("a table of curves").
bool table_read_old(char **text, size_t *size, const Output *out, const char *header,
                    const char *what, Arena *arena, Error *err);

// Begins an opened table, which replaces the old one when it has its first new row. A training that
// is resumed after epoch `last` (0: a new one) keeps the rows up to it; where there is no older
// table, and in a stream, the table starts with the next epoch. The validation figures and learning
// rate of *known, an epoch up to it, must be those of its row. On failure says why, and the caller
// discards *csv.
bool curves_begin(Output *csv, Arena *arena, size_t last, const mlp_epoch *known, Error *err);

// The path of the table that belongs to a model, beside it: second.csv of second.bin, and
// curves.csv of model.bin. Owned by the arena.
char *curves_path(Arena *arena, const char *model, Error *err);

// Whether nothing but an older table of curves is lost when one replaces what is at that path: for
// a path that the user did not name. On failure says why.
bool curves_may_replace(const char *path, Error *err);

// Writes the row of an epoch; with the first one the table takes its place.
bool curves_add(Output *csv, const mlp_epoch *report, Error *err);

#endif
