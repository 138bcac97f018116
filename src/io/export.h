// A model in the formats of other programs: what `mlp export` writes. Each writer is a file of its
// own, export_NAME.c, and gives the same bytes for the same model everywhere: no dates, no
// versions.
#ifndef MLP_EXPORT_H
#define MLP_EXPORT_H

#include "model.h"

#include <stdio.h>

// What the formats differ in. Only C reads these.
typedef struct ExportOptions {
    const char *name; // functions and arrays begin with it
    const char *type; // of the weights: "float32" or "int8"
    bool prepare;     // with a function that prepares pictures
    float *scale;     // the caller's memory for one number per unit: NETWORK_MAX_HIDDEN
} ExportOptions;

// Prints the model, whose weights are finite. Needs no other memory and cannot fail: errors of the
// stream are found by whoever closes it.
typedef void ExportFunction(const Model *model, const ExportOptions *options, FILE *out);

ExportFunction export_onnx, export_npz, export_c;

// What export_c asks for: a name that C takes, and in int8 sums that fit 32 bits. Say what is
// wrong.
bool export_c_check_name(const char *name, Error *err);
bool export_c_check_sums(const Model *model, const ExportOptions *options, Error *err);

#endif
