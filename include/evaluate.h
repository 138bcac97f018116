// Judges a network on a range of a data set.
#ifndef MLP_EVALUATE_H
#define MLP_EVALUATE_H

#include "network.h"

// One pass over n examples.
typedef struct Evaluation {
    size_t n, correct;
    double loss; // mean cross-entropy
} Evaluation;

static inline double evaluation_accuracy(const Evaluation *e)
{
    return (double)e->correct / (double)e->n;
}

// What evaluate_run keeps of each example, in order; any of them may be NULL.
typedef struct Predictions {
    unsigned char *label; // (n) the class predicted
    float *probability;   // (n) what the network gives it
} Predictions;

// Judges the examples of a non-empty range with working memory of any capacity: the result does
// not depend on it. Losses are added in double, in the order of the examples.
Evaluation evaluate_run(const Network *net, const float *params, const Work *work,
                        const Dataset *data, const InputScale *scale, Range examples,
                        const Predictions *keep);

#endif
