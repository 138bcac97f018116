// The loop over epochs and batches: training_worker is gradient descent. Read train.h first.
#include "train.h"

#include "evaluate.h"
#include "random.h"

#include <math.h>
#include <string.h>

// A training under way. The workers of the pool share it; only worker 0 changes it.
typedef struct Training {
    float *params;
    const Network *net;
    const mlp_settings *settings;
    const TrainData *data;
    Dataset train, validation; // its parts
    const PreparedImages *train_images, *validation_images;
    const TrainObserver *observer;
    ThreadPool *pool;
    Work work;
    OptimizerState optimizer;
    size_t batch_size; // no more than there are examples
    uint32_t *order;   // (examples) of the epoch

    float *kept; // the parameters of the last complete epoch

    size_t epoch, done, correct; // done: examples of the epoch whose losses are added up
    double loss;                 // their sum
    bool refused;                // the observer wants no further batch
} Training;

static Batch training_batch(const Training *t, size_t first)
{
    size_t left = t->train.n - first;
    return (Batch){.data = &t->train,
                   .prepared = t->train_images,
                   .scale = &t->data->scale,
                   .order = t->order,
                   .n = t->train.n,
                   .first = first,
                   .size = left < t->batch_size ? left : t->batch_size};
}

// Adds up the batch's losses, in order, while the parameters change.
static void training_count(Training *t, const Batch *batch)
{
    for (size_t b = 0; b < batch->size; b++) {
        t->loss += (double)t->work.loss[b];
        t->correct += t->work.predicted[b] == t->work.label[b];
    }
    t->done += batch->size;
    const TrainObserver *o = t->observer;
    if (isfinite(t->loss) && o->batch != NULL)
        t->refused = !o->batch(o->context, t->epoch, t->done, t->loss / (double)t->done);
}

// Stage 3 of a part: the optimizer's step.
static void training_update(const Training *t, const OptimizerState *state, const Batch *batch,
                            Part mine)
{
    if (state->optimizer->step == NULL) {
        network_weight_gradient(t->net, &t->work, batch, -state->learning_rate, t->params, mine);
        return;
    }
    PartRange ranges[NETWORK_MAX_RANGES];
    size_t n = network_part_ranges(t->net, mine, ranges);
    network_weight_gradient(t->net, &t->work, batch, 1.0f, state->gradient, mine);
    for (size_t r = 0; r < n; r++)
        optimizer_step(state, ranges[r].range);
}

// One epoch of gradient descent, as each worker of the pool runs it. A worker has the same part
// of pixels and parameters in every batch: W1 stays in the caches of its CPU. Most networks need no
// barrier between stage 3 and the next batch's stage 1: the same worker does both for its part.
static void training_worker(void *context, size_t worker)
{
    Training *t = context;
    const Network *net = t->net;
    size_t n = t->train.n;
    Part mine = {worker, pool_size(t->pool)};
    OptimizerState optimizer = t->optimizer;
    optimizer.step = (t->epoch - 1) * ((n - 1) / t->batch_size + 1);
    for (size_t first = 0; first < n; first += t->batch_size) {
        Batch batch = training_batch(t, first);
        Range examples = range_part(batch.size, mine.number, mine.of);
        if (net->load_waits)
            pool_barrier(t->pool);
        network_load(net, t->params, &t->work, &batch, mine);
        pool_barrier(t->pool);
        if (t->refused || !isfinite(t->loss)) // in the batch before
            return;
        network_forward(net, t->params, &t->work, &batch, examples);
        network_loss(net, &t->work, &batch, examples);
        network_backward(net, t->params, &t->work, &batch, examples);
        pool_barrier(t->pool);
        optimizer.step++;
        training_update(t, &optimizer, &batch, mine);
        if (worker == 0)
            training_count(t, &batch);
    }
}

static mlp_result error_diverged(Error *err, const Training *t, const char *what)
{
    error_set(err,
              "the training diverged: %s is not finite in epoch %zu, batch %zu; the learning rate "
              "(--lr %g) is probably too large",
              what, t->epoch, (t->done - 1) / t->batch_size + 1, t->settings->learning_rate);
    return MLP_DIVERGED;
}

static bool all_finite(const float *params, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(params[i]))
            return false;
    return true;
}

// Trains for one epoch and fills in its train figures.
static mlp_result training_epoch(Training *t, mlp_epoch *report, Error *err)
{
    double start = clock_seconds();
    size_t n = t->train.n;
    t->epoch = report->epoch;
    t->done = t->correct = 0;
    t->loss = 0.0;
    random_permutation(t->order, n, t->settings->seed, RANDOM_ORDER + t->epoch);
    pool_run(t->pool, training_worker, t);
    if (!isfinite(t->loss))
        return error_diverged(err, t, "the loss");
    if (t->done < n)
        return MLP_STOPPED;
    report->train_loss = t->loss / (double)n;
    report->train_accuracy = (double)t->correct / (double)n;
    report->seconds = clock_seconds() - start;
    return MLP_DONE;
}

// After an epoch: validates its parameters, keeps and reports them. An observer that refused after
// the last batch has a complete epoch, too.
static mlp_result training_validate(Training *t, const Evaluator *evaluator, mlp_epoch *report,
                                    Error *err)
{
    const TrainData *data = t->data;
    if (!all_finite(t->params, t->net->n_parameters))
        return error_diverged(err, t, "a weight");
    report->validation_loss = report->validation_accuracy = (double)NAN;
    if (!data->validate_last_only || report->epoch == t->settings->epochs) {
        mlp_evaluation validation =
            evaluator_run(evaluator, &t->validation, (Range){0, t->validation.n});
        if (!isfinite(validation.loss)) // the last update did it
            return error_diverged(err, t, "the loss");
        report->validation_loss = validation.loss;
        report->validation_accuracy = validation.accuracy;
    }
    memcpy(t->kept, t->params, t->net->n_parameters * sizeof *t->kept);
    bool continues = t->observer->epoch(t->observer->context, report);
    return continues && !t->refused ? MLP_DONE : MLP_STOPPED;
}

mlp_result train_run(float *params, const Network *net, const mlp_settings *settings,
                     const TrainData *data, ThreadPool *pool, const TrainObserver *observer,
                     Arena *arena, Error *err)
{
    size_t n = range_length(data->split.train);
    Training t = {.params = params,
                  .net = net,
                  .settings = settings,
                  .data = data,
                  .train = dataset_part(data->data, data->split.train),
                  .validation = dataset_part(data->data, data->split.validation),
                  .observer = observer,
                  .pool = pool,
                  .batch_size = settings->batch_size < n ? (size_t)settings->batch_size : n,
                  .order = arena_alloc(arena, n, sizeof *t.order, "the order of an epoch", err),
                  .kept = network_alloc(net, arena, err)};
    const Optimizer *optimizer = data->optimizer == NULL ? &optimizer_sgd : data->optimizer;
    Evaluator evaluator;
    WorkNeeds needs = {.capacity = t.batch_size};
    if (t.order == NULL || t.kept == NULL ||
        !network_prepare(net, &t.train_images, &t.train, arena, err) ||
        !network_prepare(net, &t.validation_images, &t.validation, arena, err) ||
        !optimizer_open(&t.optimizer, optimizer, params, net->n_parameters, settings->learning_rate,
                        arena, err) ||
        !work_alloc(&t.work, net, needs, arena, err))
        return MLP_FAILED;
    const Member member = {net, params, t.validation_images, data->scale};
    if (!evaluator_alloc(&evaluator, &(Ensemble){&member, 1}, pool, t.validation.n, NULL, arena,
                         err))
        return MLP_FAILED;
    memcpy(t.kept, params, net->n_parameters * sizeof *params);

    mlp_result result = MLP_DONE;
    for (size_t epoch = data->epochs_done + 1; epoch <= settings->epochs; epoch++) {
        mlp_epoch report = {
            .epoch = epoch, .learning_rate = settings->learning_rate, .threads = pool_size(pool)};
        result = training_epoch(&t, &report, err);
        if (result == MLP_DONE)
            result = training_validate(&t, &evaluator, &report, err);
        if (result != MLP_DONE)
            break;
    }
    memcpy(params, t.kept, net->n_parameters * sizeof *params);
    return result;
}
