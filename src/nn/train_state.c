// Which blocks and numbers a training needs to be resumed, by its settings. Read train_state.h
// first.
#include "train_state.h"

#include "schedule.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static_assert(TRAIN_SLOTS + OPTIMIZER_MAX_SLOTS == TRAIN_MAX_BLOCKS, "room for every slot");

bool train_keeps_best(const mlp_settings *settings)
{
    return strcmp(settings->keep, "best") == 0;
}

void train_block_names(const mlp_settings *settings, const char *names[TRAIN_MAX_BLOCKS])
{
    const Optimizer *optimizer = optimizer_of(settings);
    bool averages = settings->ema > 0.0, best = train_keeps_best(settings);
    names[TRAIN_WEIGHTS] = averages || best ? "weights" : NULL;
    names[TRAIN_AVERAGE] = averages && best ? "average" : NULL;
    for (size_t s = 0; s < OPTIMIZER_MAX_SLOTS; s++)
        names[TRAIN_SLOTS + s] = optimizer->slots[s];
}

bool train_state_alloc(TrainState *state, const mlp_settings *settings, size_t n, Arena *arena,
                       Error *err)
{
    const char *names[TRAIN_MAX_BLOCKS];
    train_block_names(settings, names);
    for (size_t b = 0; b < TRAIN_MAX_BLOCKS; b++)
        if (names[b] != NULL && state->blocks[b] == NULL &&
            (state->blocks[b] =
                 arena_alloc(arena, n, sizeof(float), "the training's state", err)) == NULL)
            return false;
    return true;
}

bool train_needs_validation(const mlp_settings *settings)
{
    return settings->patience > 0 || train_keeps_best(settings);
}

bool train_is_complete(const mlp_settings *settings, const TrainState *state)
{
    bool is_out_of_patience =
        settings->patience > 0 && state->epochs - state->best_epoch >= settings->patience;
    return state->epochs > 0 && (state->epochs == state->planned_epochs || is_out_of_patience);
}

bool train_state_check(const mlp_settings *settings, const TrainState *state, Error *err)
{
    bool begun = state->epochs > 0;
    bool has_plan = begun && schedule_needs_total(settings);
    bool has_best = begun && train_needs_validation(settings);
    uint64_t planned = state->planned_epochs, best = state->best_epoch;
    if (has_plan ? planned < state->epochs : planned != 0)
        return error_set(err,
                         "metadata 'planned_epochs': %" PRIu64 " do not suit the schedule and "
                         "%" PRIu64 " epochs",
                         planned, state->epochs);
    if (has_best ? best < 1 || best > state->epochs : best != 0)
        return error_set(err,
                         "metadata 'best_epoch': %" PRIu64 " does not suit the settings and "
                         "%" PRIu64 " epochs",
                         best, state->epochs);
    if (settings->patience > 0 && state->epochs - best > settings->patience)
        return error_set(err,
                         "metadata 'best_epoch': %" PRIu64 " of %" PRIu64 " epochs, but the "
                         "patience was %" PRIu64,
                         best, state->epochs, settings->patience);
    return has_best || state->best_loss <= 0.0 ||
           error_set(err, "metadata 'best_loss' without a best epoch");
}
