// Evaluates a network on a range of a data set, with a pool of threads, and says what to make of
// the predictions: standard error, confusion, per-class figures.
#ifndef MLP_EVALUATE_H
#define MLP_EVALUATE_H

#include "mlp.h"
#include "network.h"
#include "threads.h"

// A workspace for each worker of a pool, and the predictions of the last pass, in the order of its
// examples.
typedef struct Evaluator {
    const Network *net;
    ThreadPool *pool;
    Work *work;               // (pool_size)
    float *loss;              // (capacity) cross-entropy
    float *probability;       // (capacity) what the network gives the class that it predicts
    unsigned char *predicted; // (capacity) that class
} Evaluator;

// Makes an evaluator of up to `capacity` examples at a time, which writes to the arrays of `each`;
// those that are NULL, or all where it is, are made. All memory is owned by the arena; the network,
// the pool and what `each` has are only referred to. Fails when memory is short.
bool evaluator_alloc(Evaluator *evaluator, const Network *net, ThreadPool *pool, size_t capacity,
                     const mlp_predictions *each, Arena *arena, Error *err);

// Evaluates the examples of a non-empty range of a data set, dividing them between the pool.
// `prepared` is that of a Batch. Losses are added in
// double, in the order of the examples, so that the result does not depend on the pool.
mlp_evaluation evaluator_run(const Evaluator *evaluator, const float *params, const Dataset *data,
                             const PreparedImages *prepared, const InputScale *scale,
                             Range examples);

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
