// Evaluates a network on a range of a data set, with a pool of threads. What to make of the
// predictions is in metrics.h.
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

// Makes an evaluator of up to `capacity` examples at a time. `images` are those of WorkNeeds, NULL
// for none. All memory is owned by the arena; the network, the pool and the images are only
// referred to. Fails when memory is short.
bool evaluator_alloc(Evaluator *evaluator, const Network *net, ThreadPool *pool, size_t capacity,
                     const PreparedImages *images, Arena *arena, Error *err);

// Evaluates the examples of a non-empty range, dividing them between the pool. Losses are added in
// double, in the order of the examples, so that the result does not depend on the pool.
mlp_evaluation evaluator_run(const Evaluator *evaluator, const float *params, const Dataset *data,
                             const InputScale *scale, Range examples);

#endif
