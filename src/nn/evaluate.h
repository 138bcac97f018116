// Judges a network on a range of a data set, with a pool of threads.
#ifndef MLP_EVALUATE_H
#define MLP_EVALUATE_H

#include "network.h"
#include "threads.h"

// One pass over n examples.
typedef struct Evaluation {
    size_t n, correct;
    double loss; // mean cross-entropy
} Evaluation;

static inline double evaluation_accuracy(const Evaluation *e)
{
    return (double)e->correct / (double)e->n;
}

// Working memory for each worker of a pool, and what the last pass left of each example, in order.
typedef struct Evaluator {
    const Network *net;
    ThreadPool *pool;
    Work *work;               // (pool_size)
    size_t capacity;          // examples that there is room for
    float *loss;              // (capacity) cross-entropy
    float *probability;       // (capacity) what the network gives the class that it predicts
    unsigned char *predicted; // (capacity) that class
} Evaluator;

// Makes ready to judge up to `capacity` examples at a time. All memory is owned by the arena; the
// network and the pool are only referred to. Fails when memory is short.
bool evaluator_alloc(Evaluator *evaluator, const Network *net, ThreadPool *pool, size_t capacity,
                     Arena *arena, Error *err);

// Judges the examples of a non-empty range, dividing them between the pool. Losses are added in
// double, in the order of the examples, so that the result does not depend on the pool.
Evaluation evaluator_run(const Evaluator *evaluator, const float *params, const Dataset *data,
                         const InputScale *scale, Range examples);

#endif
