// What a training leaves in its model after each epoch, so that it can be resumed as if it had
// never stopped: how far it is, the epoch with the lowest validation loss, and blocks with the
// layout of the parameters. Only what the settings need: plain descent needs no block. Read train.h
// first; the model file (model.h) keeps all of it.
#ifndef MLP_TRAIN_STATE_H
#define MLP_TRAIN_STATE_H

#include "optimizer.h"

// The weights that are trained, where those of the model are an average or of an earlier epoch;
// their average, where that of the model is of an earlier epoch; and the state of the optimizer.
enum { TRAIN_WEIGHTS, TRAIN_AVERAGE, TRAIN_SLOTS, TRAIN_MAX_BLOCKS = 4 };

typedef struct TrainState {
    uint64_t epochs;         // that are done
    uint64_t planned_epochs; // that it was begun for; 0: the settings allow any number
    uint64_t best_epoch;     // with the lowest validation loss; 0: the settings do not ask for it
    double best_loss;
    float *blocks[TRAIN_MAX_BLOCKS]; // NULL: not needed
} TrainState;

// The names of the blocks that such a training needs, NULL for the others.
void train_block_names(const mlp_settings *settings, const char *names[TRAIN_MAX_BLOCKS]);

// Allocates the blocks that the settings need and that are not there, zeroed and owned by the
// arena. Fails when memory is short.
bool train_state_alloc(TrainState *state, const mlp_settings *settings, size_t n, Arena *arena,
                       Error *err);

// Whether the model is that of the epoch with the lowest validation loss, not of the last one.
bool train_keeps_best(const mlp_settings *settings);

// Whether the settings need the validation loss of every epoch.
bool train_needs_validation(const mlp_settings *settings);

// Whether no epoch can follow: all that were planned are done, or the validation loss has not
// improved for `patience` epochs. Such a training needs no blocks any more.
bool train_is_complete(const mlp_settings *settings, const TrainState *state);

// Checks that the numbers of a state suit each other and the settings, for those from a file. err
// says which does not.
bool train_state_check(const mlp_settings *settings, const TrainState *state, Error *err);

#endif
