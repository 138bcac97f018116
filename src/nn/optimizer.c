// The table of optimizers, and the blocks that they work on. Read optimizer.h first; the loops are
// in kernels_scalar.c. g is the gradient of the batch's summed loss, lr the learning rate, p a
// parameter.
#include "optimizer.h"

#include <math.h>
#include <string.h>

// Gradient descent:   p -= lr g
static const Optimizer optimizer_sgd = {.name = "sgd"};

// Momentum (Nesterov's, in the form of Sutskever et al. 2013):   v = mu v + g    p -= lr (g + mu v)
static void momentum_step(const OptimizerState *s, Range range)
{
    size_t i = range.first;
    kernels->momentum_step(s->params + i, s->slots[0] + i, s->gradient + i, range_length(range),
                           s->learning_rate, s->momentum);
}

static const Optimizer optimizer_momentum = {
    .name = "sgd", .slots = {"momentum"}, .step = momentum_step};

// Adam (Kingma and Ba 2015), beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8:
//   m = beta1 m + (1 - beta1) g      v = beta2 v + (1 - beta2) g^2
//   p -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
// m and v begin at 0; in step t the two divisions correct what that makes them too small by.
static double power(double base, uint64_t n)
{
    double result = 1.0;
    while (n > 0) {
        result *= n % 2 == 1 ? base : 1.0;
        base *= base;
        n /= 2;
    }
    return result;
}

static void adam_begin(OptimizerState *s)
{
    const double beta1 = 0.9, beta2 = 0.999;
    s->adam = (AdamStep){
        .mean_share = (float)(1.0 - beta1),
        .square_share = (float)(1.0 - beta2),
        .rate = (float)((double)s->learning_rate / (1.0 - power(beta1, s->step))),
        .root_scale = (float)(1.0 / sqrt(1.0 - power(beta2, s->step))),
        .epsilon = 1e-8f,
    };
}

static void adam_step(const OptimizerState *s, Range range)
{
    size_t i = range.first;
    kernels->adam_step(s->params + i, s->slots[0] + i, s->slots[1] + i, s->gradient + i,
                       range_length(range), &s->adam);
}

static const Optimizer optimizer_adam = {.name = "adam",
                                         .slots = {"mean", "square"},
                                         .is_scale_free = true,
                                         .begin = adam_begin,
                                         .step = adam_step};

// The table: those that a setting can name.
#define OPTIMIZERS(ROW) ROW(sgd) ROW(adam)
#define NAME(name)      #name,
#define ADDRESS(name)   &optimizer_##name,
const char *const optimizer_names[] = {OPTIMIZERS(NAME) NULL};
static const Optimizer *const optimizers[] = {OPTIMIZERS(ADDRESS)};

const Optimizer *optimizer_of(const mlp_settings *settings)
{
    size_t i = 0, last = sizeof optimizers / sizeof optimizers[0] - 1;
    while (i < last && strcmp(optimizer_names[i], settings->optimizer) != 0)
        i++;
    bool has_momentum = optimizers[i] == &optimizer_sgd && settings->momentum > 0.0;
    return has_momentum ? &optimizer_momentum : optimizers[i];
}

bool optimizer_open(OptimizerState *state, const Optimizer *optimizer, const mlp_settings *settings,
                    size_t n, Arena *arena, Error *err)
{
    static const char what[] = "the optimizer";
    *state = (OptimizerState){.optimizer = optimizer, .momentum = (float)settings->momentum};
    float **blocks[] = {&state->params, &state->gradient, &state->average, &state->slots[0],
                        &state->slots[1]};
    bool needed[] = {true, optimizer->step != NULL, settings->ema > 0.0,
                     optimizer->slots[0] != NULL, optimizer->slots[1] != NULL};
    for (size_t b = 0; b < sizeof needed / sizeof needed[0]; b++)
        if (needed[b] && (*blocks[b] = arena_alloc(arena, n, sizeof(float), what, err)) == NULL)
            return false;
    return true;
}

// The average begins as the weights. While few batches are done it forgets them faster, so that it
// does not lag behind: its decay in step t is min(ema, (1 + t) / (10 + t)).
void optimizer_begin(OptimizerState *state, const mlp_settings *settings, uint64_t step,
                     double learning_rate, size_t batch_size)
{
    double rate_of_mean =
        state->optimizer->is_scale_free ? learning_rate : learning_rate * (double)batch_size;
    double t = (double)step;
    state->step = step;
    state->learning_rate = (float)learning_rate;
    state->decay = (float)(rate_of_mean * settings->weight_decay);
    state->average_share = (float)fmax(1.0 - settings->ema, 9.0 / (10.0 + t));
    if (state->optimizer->begin != NULL)
        state->optimizer->begin(state);
}

void optimizer_decay(const OptimizerState *state, PartRange part)
{
    if (state->decay > 0.0f && !part.is_bias)
        kernels->decay_step(state->params + part.range.first, range_length(part.range),
                            state->decay);
}

void optimizer_average(const OptimizerState *state, PartRange part)
{
    if (state->average != NULL)
        kernels->average_step(state->average + part.range.first, state->params + part.range.first,
                              range_length(part.range), state->average_share);
}

// In chunks: the parameters are still in the innermost cache when they are read again.
void optimizer_step(const OptimizerState *state, PartRange part)
{
    const size_t chunk = 2048;
    for (size_t i = part.range.first, end; i < part.range.end; i = end) {
        end = part.range.end - i < chunk ? part.range.end : i + chunk;
        PartRange now = {{i, end}, part.is_bias};
        optimizer_decay(state, now);
        state->optimizer->step(state, now.range);
        optimizer_average(state, now);
    }
}
