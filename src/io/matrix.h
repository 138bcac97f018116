// A matrix of numbers as text: one row per line, its numbers separated by commas or blanks, no
// header; blank lines, and what follows a "#", are skipped. numpy.savetxt writes such files with
// any of its delimiters; `mlp explain --save` writes them with csv.h.
#ifndef MLP_MATRIX_H
#define MLP_MATRIX_H

#include "base.h"

// Reads a file of at most 256 MB; owned by the arena. Fails when a word is not a finite number or
// the rows differ in length, and says in which line.
bool matrix_read(Matrix *matrix, Arena *arena, const char *path, Error *err);

#endif
