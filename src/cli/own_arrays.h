// `mlp gradcheck --compare`: a directory of arrays that a student's own program has computed, of
// the names that `mlp explain --save` gives them, against the reference. diagnose.h says what is wrong.
#ifndef MLP_OWN_ARRAYS_H
#define MLP_OWN_ARRAYS_H

#include "commands.h"

// Reads the arrays NAME.csv of a directory, compares those that are there, and prints a row for
// each. Its x.csv and y.csv, which must be there, say for which images. Returns the exit status:
// STATUS_FAILED when an array disagrees, or when a file cannot be read: the others are compared,
// then the error is that of the first.
int own_arrays_compare(Context *context, const char *directory);

#endif
