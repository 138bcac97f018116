// Mini-batch stochastic gradient descent. Reports to an observer; knows no layer, no file and no
// terminal. Read network.h first, evaluate.h and gradcheck.h next.
//
// The update rule, defined once:   W <- W - learning_rate * sum over the batch of dL/dW
// A sum, not a mean: the learning rate is per example, so that its meaning does not change with
// the batch size. The last, smaller batch of an epoch follows the same rule. A learning rate for
// the mean loss, divided by the batch size, does the same. The settings may ask for another
// optimizer (optimizer.h), for a learning rate that changes (schedule.h), and for the model of
// another epoch or an average in place of the last weights (train_state.h).
#ifndef MLP_TRAIN_H
#define MLP_TRAIN_H

#include "mlp.h"
#include "network.h"
#include "threads.h"
#include "train_state.h"

// What is trained on, from where, and what it is measured with.
typedef struct TrainData {
    const Dataset *data;
    Split split;
    InputScale scale;
    TrainState *state;       // of the epochs that are done already; zero: none. It is updated
    bool validate_last_only; // validate after the last epoch alone, unless the settings need more:
                             // other reports have NaN there
    const Optimizer *optimizer; // NULL: that of the settings
    // For tests: how many workers the batch of that number has, of `most`. NULL: see pace.h.
    size_t (*workers)(size_t batch, size_t most);
} TrainData;

typedef struct TrainObserver {
    void *context;
    // After each batch: examples done in this epoch (from 1), with their mean loss so far.
    // Returning false stops the training. May be NULL.
    bool (*batch)(void *context, size_t epoch, size_t done, double loss);
    // After each epoch. Returning false stops the training.
    bool (*epoch)(void *context, const mlp_epoch *report);
    // Every few milliseconds: how many workers the next batches may have. May be NULL: all.
    size_t (*threads)(void *context);
} TrainObserver;

// Trains params, with a pool of any size: the result is the same. The observer is called from the
// calling thread alone. Fails when memory is short; diverges when a loss, a weight or a value of
// the state is no longer finite: err then names the epoch, the batch and the likely cause. However
// it ends, params and state are those of the last complete epoch: params its weights, their
// average, or those of the best epoch until then, as the settings ask. The blocks of the state must
// be there (train_state_alloc). A training that is complete does nothing.
mlp_result train_run(float *params, const Network *net, const mlp_settings *settings,
                     const TrainData *data, ThreadPool *pool, const TrainObserver *observer,
                     Arena *arena, Error *err);

#endif
