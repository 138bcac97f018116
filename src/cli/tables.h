// Tables that a command continues. Knows how an older table is found and recognised by its header;
// leaves its rows to the commands (curves.h, cmd_sweep.c).
#ifndef MLP_TABLES_H
#define MLP_TABLES_H

#include "output.h"

// Reads the older table that an opened output will replace; *text is NULL when there is none, and
// for a stream. Owned by the arena. Fails when the file does not begin with the header line, and
// says then that it is not `what` ("a table of curves").
bool table_read_old(char **text, size_t *size, const Output *out, const char *header,
                    const char *what, Arena *arena, Error *err);

// Whether nothing but an older table is lost when a table replaces what is at that path: for a path
// that the user did not name. On failure says why.
bool table_may_replace(const char *path, const char *header, const char *what, Error *err);

#endif
