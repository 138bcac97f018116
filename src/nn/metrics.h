// What to say of predictions: accuracy and its standard error, confusion, per-class figures.
#ifndef MLP_METRICS_H
#define MLP_METRICS_H

#include "base.h"

enum { METRICS_MAX_CLASSES = 256 };

// Standard error of an accuracy p measured on n independent examples: sqrt(p (1 - p) / n).
double accuracy_standard_error(double p, size_t n);

// Counts examples by truth and prediction into confusion (C,C), rows the truth.
void confusion_count(uint64_t *confusion, size_t C, const unsigned char *truth,
                     const unsigned char *predicted, size_t n);

// Per-class figures; NaN where there is nothing to divide by (the class is never predicted, or
// never there).
typedef struct ClassMetrics {
    uint64_t support;   // examples of the class
    uint64_t predicted; // examples given to the class
    double precision;   // share of those given to the class that belong to it
    double recall;      // share of the class's examples that were found
    double f1;          // harmonic mean of the two: 2 hits / (support + predicted)
} ClassMetrics;

ClassMetrics class_metrics(const uint64_t *confusion, size_t C, size_t k);

#endif
