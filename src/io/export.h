// A model in the formats of other programs: what `mlp export` writes. Each writer is a file of its
// own, export_NAME.c, and gives the same bytes for the same model everywhere: no dates, no
// versions.
#ifndef MLP_EXPORT_H
#define MLP_EXPORT_H

#include "model.h"

#include <stdio.h>

// What the formats differ in. Only C reads these.
typedef struct ExportOptions {
    const char *name; // of functions and arrays
    const char *type; // of the weights: "float32" or "int8"
    bool prepare;     // with the preparation of pictures
} ExportOptions;

// Prints the model, whose weights are finite. Needs no memory and cannot fail: errors of the stream
// are found by whoever closes it.
typedef void ExportFunction(const Model *model, const ExportOptions *options, FILE *out);

ExportFunction export_onnx, export_npz;

#endif
