// The table of optimizers, and the blocks that they work on. Read optimizer.h first.
#include "optimizer.h"

#include <string.h>

const Optimizer optimizer_sgd = {.name = "sgd"};

static const Optimizer *const optimizers[] = {&optimizer_sgd};

const Optimizer *optimizer_find(const char *name)
{
    for (size_t i = 0; i < sizeof optimizers / sizeof optimizers[0]; i++)
        if (strcmp(optimizers[i]->name, name) == 0)
            return optimizers[i];
    return NULL;
}

bool optimizer_open(OptimizerState *state, const Optimizer *optimizer, float *params, size_t n,
                    double learning_rate, Arena *arena, Error *err)
{
    static const char what[] = "the optimizer";
    *state = (OptimizerState){
        .optimizer = optimizer, .params = params, .learning_rate = (float)learning_rate};
    if (optimizer->step == NULL)
        return true;
    state->gradient = arena_alloc(arena, n, sizeof(float), what, err);
    if (state->gradient == NULL)
        return false;
    for (size_t s = 0; s < optimizer->slots; s++) {
        state->slots[s] = arena_alloc(arena, n, sizeof(float), what, err);
        if (state->slots[s] == NULL)
            return false;
    }
    return true;
}

void optimizer_step(const OptimizerState *state, Range range)
{
    state->optimizer->step(state, range);
    memset(state->gradient + range.first, 0, range_length(range) * sizeof *state->gradient);
}
