// What `mlp info DIR` says of a data set: its files, classes, pixels and copies, examples of each
// class, and what `mlp train` and `mlp eval` would refuse or note. What is counted is in
// data_summary.h; what train notes is in data_notes.h; what it refuses it finds by mlp_create.
#ifndef MLP_DATA_INFO_H
#define MLP_DATA_INFO_H

#include "commands.h"

typedef struct DataInfoOptions {
    bool json, transposed, no_sandbox;
    const char *classes; // the value of --classes; NULL: not given
} DataInfoOptions;

// Prints all of it for the data set (DIR or DIR/SET) that is the first word of the command line.
// Returns the exit status: STATUS_FAILED, with the reason in the context, when mlp train would
// refuse the data.
int data_info_print(Context *context, const DataInfoOptions *options);

#endif
