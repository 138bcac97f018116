// What `mlp eval --compare` prints: where two models differ on the same images. mlp.h has the
// counts and the test (mlp_comparison); cmd_eval.c evaluates both.
#ifndef MLP_COMPARISON_H
#define MLP_COMPARISON_H

#include "commands.h"

// Two evaluations of the same images, of A and then of B. Refers to what it is made of.
typedef struct Comparison {
    const mlp_model *model; // for the names of classes
    const char *names[2];   // of A and B, for a report
    const char *path;       // of B
    const char *split;
    const mlp_data *data;
    mlp_evaluation results[2];
    mlp_predictions each[2]; // of the images from results[0].first on
    mlp_comparison counts;
} Comparison;

void comparison_print_text(const Comparison *comparison);

// Prints the object "comparison".
void comparison_print_json(JsonWriter *json, const Comparison *comparison);

// Prints a table of the images that exactly one of the two classifies correctly. `context` is a
// Comparison.
void comparison_print_differences(CsvWriter *csv, const void *context);

#endif
