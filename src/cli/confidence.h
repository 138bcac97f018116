// What `mlp eval` prints of the probabilities: how well they agree with the share of right answers,
// and how accurate the rest is when the least confident answers are rejected. calibration.h has the
// definitions; cmd_eval.c makes the predictions.
#ifndef MLP_CONFIDENCE_H
#define MLP_CONFIDENCE_H

#include "calibration.h"
#include "commands.h"

enum { CONFIDENCE_REJECTIONS = 5 };

typedef struct Confidence {
    size_t n; // answers
    Calibration calibration;
    Rejection rejections[CONFIDENCE_REJECTIONS]; // of 1 % of the answers and more
} Confidence;

// Fails when memory is short; what it needs belongs to the arena.
bool confidence_measure(Confidence *confidence, const Answers *answers, Arena *arena, Error *err);

// Prints two short tables: the bins in a few groups, and the rejections.
void confidence_print_text(const Confidence *confidence);

// Prints the objects "calibration" and "rejections".
void confidence_print_json(JsonWriter *json, const Confidence *confidence);

// Prints the table of all bins. `context` is a Confidence.
void confidence_print_bins(CsvWriter *csv, const void *context);

#endif
