// How a gradient changes the parameters. An optimizer is a row: a name, how much state it keeps and
// one step over a range of parameters. Its state has the parameters' layout, so that a part of a
// network steps its own parameters alone (network_part_ranges). Read train.h first.
//
// Plain descent has no step of its own: the weight gradient is scaled by -learning_rate and added
// to the parameters at once. Any other row is given the sum of the batch's gradients.
#ifndef MLP_OPTIMIZER_H
#define MLP_OPTIMIZER_H

#include "base.h"

enum { OPTIMIZER_MAX_SLOTS = 2 };

typedef struct Optimizer Optimizer;

// A training's blocks, each of n floats: what a model must keep to resume is params and slots.
typedef struct OptimizerState {
    const Optimizer *optimizer;
    float *params;
    float *gradient;                   // zeroed; NULL for plain descent
    float *slots[OPTIMIZER_MAX_SLOTS]; // zeroed, as many as the optimizer has
    float learning_rate;
    uint64_t step; // number of the present one, from 1
} OptimizerState;

struct Optimizer {
    const char *name;
    size_t slots; // blocks of state
    // Changes params[i] for each i of the range, from gradient[i] and slots[..][i] alone. NULL:
    // plain descent, params -= learning_rate * gradient.
    void (*step)(const OptimizerState *state, Range range);
};

extern const Optimizer optimizer_sgd;

// The row with that name, NULL for none.
const Optimizer *optimizer_find(const char *name);

// Sets the state up for n parameters, its blocks owned by the arena. Fails when memory is short.
bool optimizer_open(OptimizerState *state, const Optimizer *optimizer, float *params, size_t n,
                    double learning_rate, Arena *arena, Error *err);

// Steps the parameters of a range and zeroes their gradient for the next batch.
void optimizer_step(const OptimizerState *state, Range range);

#endif
