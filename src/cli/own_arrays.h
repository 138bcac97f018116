// `mlp gradcheck --compare`: a directory of arrays that a student's own program has computed, of
// the names that `mlp explain --save` gives them, against the reference. diagnose.h judges.
#ifndef MLP_OWN_ARRAYS_H
#define MLP_OWN_ARRAYS_H

#include "commands.h"

// Reads the arrays NAME.csv of a directory, compares those that are there, and prints a row for
// each. The images are those of its x.csv and y.csv, or, where it has neither, those of the batch,
// which is opened only then. Returns the exit status: STATUS_FAILED when an array disagrees, or
// when a file cannot be read: the others are compared, then the error is that of the first.
int own_arrays_compare(Context *context, const char *directory,
                       bool (*open_batch)(Context *context, Batch *batch));

#endif
