// How a gradient changes the parameters. An optimizer is a row: a name, which blocks of state it
// keeps and one step over a range of parameters. Its blocks have the parameters' layout, so that a
// part of a network steps its own parameters alone (network_part_ranges). Weight decay and the
// moving average of the weights are the same for all. Read train.h first, schedule.h next.
//
// Plain descent has no step of its own: the weight gradient is scaled by -learning_rate and added
// to the parameters at once. Any other row is given the sum of the batch's gradients.
#ifndef MLP_OPTIMIZER_H
#define MLP_OPTIMIZER_H

#include "kernels.h"
#include "layers.h"
#include "mlp.h"

enum { OPTIMIZER_MAX_SLOTS = 2 };

typedef struct Optimizer Optimizer;

// A training's blocks, each of n floats, and the numbers of its present step.
typedef struct OptimizerState {
    const Optimizer *optimizer;
    float *params;                     // that are trained
    float *gradient;                   // zeroed; NULL for plain descent
    float *slots[OPTIMIZER_MAX_SLOTS]; // zeroed before the first step, as many as the optimizer has
    float *average;                    // moving average of params, NULL without
    float momentum;

    uint64_t step; // number of the present one, from 1
    float learning_rate;
    float decay;         // fraction of the weights that is lost
    float average_share; // of the weights in their new average
    AdamStep adam;
} OptimizerState;

struct Optimizer {
    const char *name;
    const char *slots[OPTIMIZER_MAX_SLOTS]; // names of its blocks of state; NULL: no more
    bool is_scale_free; // a gradient twice as large gives the same step: a sum is a mean
    // Optional: sets what the step needs beside the members above.
    void (*begin)(OptimizerState *state);
    // Changes params[i] for each i of the range, from gradient[i] and slots[..][i] alone, and sets
    // gradient[i] = 0. NULL: plain descent, params -= learning_rate * gradient.
    void (*step)(const OptimizerState *state, Range range);
};

// The names that a setting may have, ending with NULL.
extern const char *const optimizer_names[];

// The row for the settings.
const Optimizer *optimizer_of(const mlp_settings *settings);

// Allocates the blocks of n floats that the settings ask for, zeroed and owned by the arena. Fails
// when memory is short.
bool optimizer_open(OptimizerState *state, const Optimizer *optimizer, const mlp_settings *settings,
                    size_t n, Arena *arena, Error *err);

// Sets the numbers of a step: its number, its learning rate, and the size of its batch.
void optimizer_begin(OptimizerState *state, const mlp_settings *settings, uint64_t step,
                     double learning_rate, size_t batch_size);

// Steps the parameters of a range, with weight decay before and the average after, and zeroes their
// gradient for the next batch. Not for plain descent, which calls the other two before and after
// its own step.
void optimizer_step(const OptimizerState *state, PartRange part);
void optimizer_decay(const OptimizerState *state, PartRange part);
void optimizer_average(const OptimizerState *state, PartRange part);

#endif
