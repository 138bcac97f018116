// The loop over epochs and batches: training_worker is gradient descent. Read train.h first.
#include "train.h"

#include "augment.h"
#include "evaluate.h"
#include "pace.h"
#include "random.h"
#include "schedule.h"

#include <math.h>
#include <string.h>

// A training under way. The workers of the pool share it; only worker 0 changes it.
typedef struct Training {
    float *params; // of the epoch that is kept
    const Network *net;
    const mlp_settings *settings;
    const TrainData *data;
    TrainState *state;
    Dataset train, validation; // its parts
    const PreparedImages *train_images, *validation_images;
    const TrainObserver *observer;
    ThreadPool *pool;
    Pace pace; // how many of its workers run; in images
    Work work;
    Member member;            // for validation: the weights that are evaluated
    OptimizerState optimizer; // its params are those that are trained
    bool augments;
    Augmentation augmentation; // where it does
    size_t batch_size;         // no more than there are examples
    uint64_t batches;          // in an epoch
    uint32_t *order;           // (examples) of the epoch

    size_t epoch, done, correct; // done: examples of the epoch whose losses are added up
    Range run;                   // examples of the batches that the workers train on now
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

// What the network sees of a batch.
static Batch training_seen(const Training *t, const Batch *batch)
{
    return t->augments ? augmentation_batch(&t->augmentation, batch) : *batch;
}

// Makes a worker's part of the images of the batch that begins there, if there is one.
static void training_augment(const Training *t, size_t first, Part mine)
{
    if (!t->augments || first >= t->train.n)
        return;
    Batch batch = training_batch(t, first);
    Range examples = range_part(batch.size, mine.number, mine.of);
    augmentation_make(&t->augmentation, t->epoch, &batch, examples, mine.number);
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

// Stage 3 of a part: the optimizer's step. That of plain descent is one with the weight gradient.
static void training_update(const Training *t, const OptimizerState *state, const Batch *batch,
                            Part mine)
{
    PartRange ranges[NETWORK_MAX_RANGES];
    bool is_plain = state->optimizer->step == NULL;
    bool is_alone = is_plain && !(state->decay > 0.0f) && state->average == NULL;
    size_t n = is_alone ? 0 : network_part_ranges(t->net, mine, ranges);
    for (size_t r = 0; is_plain && r < n; r++)
        optimizer_decay(state, ranges[r]);
    network_weight_gradient(t->net, &t->work, batch, is_plain ? -state->learning_rate : 1.0f,
                            is_plain ? state->params : state->gradient, mine);
    for (size_t r = 0; r < n; r++)
        is_plain ? optimizer_average(state, ranges[r]) : optimizer_step(state, ranges[r]);
}

static double training_rate(const Training *t, uint64_t step)
{
    return schedule_rate(t->settings, step, t->settings->epochs * t->batches);
}

// Some batches of gradient descent, as each worker that runs sees them. A worker has the same part
// of pixels and parameters in every batch: W1 stays in the caches of its CPU. Most networks need no
// barrier between stage 3 and the next batch's stage 1: the same worker does both for its part. For
// augmentation none is added either: stage 2 also makes the images of the next batch.
static void training_worker(void *context, size_t worker)
{
    Training *t = context;
    const Network *net = t->net;
    Part mine = {worker, pool_running(t->pool)};
    OptimizerState optimizer = t->optimizer;
    const float *params = optimizer.params;
    uint64_t step = (t->epoch - 1) * t->batches + t->run.first / t->batch_size;
    if (t->augments && t->run.first == 0) {
        training_augment(t, 0, mine);
        pool_barrier(t->pool);
    }
    for (size_t first = t->run.first; first < t->run.end; first += t->batch_size) {
        Batch drawn = training_batch(t, first), batch = training_seen(t, &drawn);
        Range examples = range_part(batch.size, mine.number, mine.of);
        if (net->load_waits)
            pool_barrier(t->pool);
        network_load(net, params, &t->work, &batch, mine);
        pool_barrier(t->pool);
        if (t->refused || !isfinite(t->loss)) // in the batch before
            return;
        network_forward(net, params, &t->work, &batch, examples);
        network_loss(net, &t->work, &batch, examples);
        network_backward(net, params, &t->work, &batch, examples);
        training_augment(t, first + t->batch_size, mine);
        pool_barrier(t->pool);
        step++;
        optimizer_begin(&optimizer, t->settings, step, training_rate(t, step), batch.size);
        training_update(t, &optimizer, &batch, mine);
        if (worker == 0)
            training_count(t, &batch);
    }
}

// Follows the observer, who may ask for fewer workers or more, and the pool, which may have become
// smaller.
static void training_limit(Training *t)
{
    const TrainObserver *o = t->observer;
    size_t all = pool_size(t->pool), most = o->threads == NULL ? all : o->threads(o->context);
    most = most < 1 ? 1 : most > all ? all : most;
    if (most != t->pace.most)
        pace_init(&t->pace, most);
}

// Runs the batches of an epoch, as many at a time as it takes to see how fast they are.
static void training_batches(Training *t)
{
    size_t n = t->train.n, size = t->batch_size;
    for (size_t first = 0; first < n && !t->refused && isfinite(t->loss); first = t->run.end) {
        double start = clock_seconds();
        training_limit(t);
        size_t workers = pace_workers(&t->pace), batches = 1 + pace_units(&t->pace) / size;
        if (t->data->workers != NULL) {
            workers = t->data->workers(first / size, pool_size(t->pool));
            batches = 1;
        }
        t->run = (Range){first, n - first < batches * size ? n : first + batches * size};
        pool_use(t->pool, workers);
        pool_run(t->pool, training_worker, t);
        pace_add(&t->pace, range_length(t->run), clock_seconds() - start);
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
    training_batches(t);
    if (!isfinite(t->loss))
        return error_diverged(err, t, "the loss");
    if (t->done < n)
        return MLP_STOPPED;
    report->learning_rate = training_rate(t, t->epoch * t->batches); // of the last batch
    report->train_loss = t->loss / (double)n;
    report->train_accuracy = (double)t->correct / (double)n;
    report->threads = pool_size(t->pool);
    report->seconds = clock_seconds() - start;
    return MLP_DONE;
}

// The weights that are evaluated and kept.
static float *training_weights(const Training *t)
{
    return t->optimizer.average != NULL ? t->optimizer.average : t->optimizer.params;
}

// The blocks that are trained, in the order of TrainState.
static void training_blocks(const Training *t, float *blocks[TRAIN_MAX_BLOCKS])
{
    blocks[TRAIN_WEIGHTS] = t->optimizer.params;
    blocks[TRAIN_AVERAGE] = t->optimizer.average;
    for (size_t s = 0; s < OPTIMIZER_MAX_SLOTS; s++)
        blocks[TRAIN_SLOTS + s] = t->optimizer.slots[s];
}

// Begins where the state ends. A block that it does not have is the same as the parameters, or zero
// before the first step.
static void training_resume(Training *t)
{
    const TrainState *state = t->state;
    size_t size = t->net->n_parameters * sizeof(float);
    float *blocks[TRAIN_MAX_BLOCKS];
    training_blocks(t, blocks);
    for (size_t b = 0; b < TRAIN_MAX_BLOCKS; b++)
        if (blocks[b] != NULL && state->epochs > 0 && state->blocks[b] != NULL)
            memcpy(blocks[b], state->blocks[b], size);
        else if (blocks[b] != NULL && b < TRAIN_SLOTS)
            memcpy(blocks[b], t->params, size);
}

static bool training_is_finite(const Training *t)
{
    bool finite = true;
    float *blocks[TRAIN_MAX_BLOCKS];
    training_blocks(t, blocks);
    for (size_t b = 0; b < TRAIN_MAX_BLOCKS; b++)
        finite = finite && (blocks[b] == NULL || all_finite(blocks[b], t->net->n_parameters));
    return finite;
}

// After a complete epoch: everything that the training needs to continue, and the parameters where
// this epoch is kept.
static void training_publish(Training *t, mlp_epoch *report)
{
    TrainState *state = t->state;
    size_t size = t->net->n_parameters * sizeof(float);
    float *blocks[TRAIN_MAX_BLOCKS];
    bool is_best = state->best_epoch == 0 || report->validation_loss < state->best_loss;
    report->is_kept = is_best || !train_keeps_best(t->settings);
    state->epochs = report->epoch;
    state->planned_epochs = schedule_needs_total(t->settings) ? t->settings->epochs : 0;
    if (train_needs_validation(t->settings) && is_best) {
        state->best_epoch = report->epoch;
        state->best_loss = report->validation_loss;
    }
    training_blocks(t, blocks);
    for (size_t b = 0; b < TRAIN_MAX_BLOCKS; b++)
        if (state->blocks[b] != NULL)
            memcpy(state->blocks[b], blocks[b], size);
    if (report->is_kept)
        memcpy(t->params, training_weights(t), size);
}

// Whether each epoch is validated, not the last one alone.
static bool training_validates_each(const Training *t)
{
    return !t->data->validate_last_only || train_needs_validation(t->settings);
}

// After an epoch: validates its weights, publishes and reports them. An observer that refused after
// the last batch has a complete epoch, too.
static mlp_result training_validate(Training *t, const Evaluator *evaluator, mlp_epoch *report,
                                    Error *err)
{
    if (!training_is_finite(t))
        return error_diverged(err, t, "a weight");
    report->validation_loss = report->validation_accuracy = (double)NAN;
    if (training_validates_each(t) || report->epoch == t->settings->epochs) {
        mlp_evaluation validation =
            evaluator_run(evaluator, &t->validation, (Range){0, t->validation.n});
        if (!isfinite(validation.loss)) // the last update did it
            return error_diverged(err, t, "the loss");
        report->validation_loss = validation.loss;
        report->validation_accuracy = validation.accuracy;
    }
    training_publish(t, report);
    bool continues = t->observer->epoch(t->observer->context, report);
    return continues && !t->refused ? MLP_DONE : MLP_STOPPED;
}

// What is made once of the images that are seen more than once.
static bool training_prepare(Training *t, Arena *arena, Error *err)
{
    bool ok = t->augments ? augmentation_open(&t->augmentation, t->settings, &t->train,
                                              t->batch_size, pool_size(t->pool), arena, err)
                          : network_prepare(t->net, &t->train_images, &t->train, arena, err);
    return ok && (!training_validates_each(t) ||
                  network_prepare(t->net, &t->validation_images, &t->validation, arena, err));
}

// Everything that one training allocates: owned by the arena.
static bool training_open(Training *t, Evaluator *evaluator, Arena *arena, Error *err)
{
    const Network *net = t->net;
    const Optimizer *chosen = t->data->optimizer;
    const Optimizer *optimizer = chosen != NULL ? chosen : optimizer_of(t->settings);
    WorkNeeds needs = {.capacity = t->batch_size};
    t->order = arena_alloc(arena, t->train.n, sizeof *t->order, "the order of an epoch", err);
    if (t->order == NULL || !training_prepare(t, arena, err) ||
        !optimizer_open(&t->optimizer, optimizer, t->settings, net->n_parameters, arena, err) ||
        !work_alloc(&t->work, net, needs, arena, err))
        return false;
    t->member = (Member){net, training_weights(t), t->validation_images, t->data->scale};
    return evaluator_alloc(evaluator, &(Ensemble){&t->member, 1}, t->pool, t->validation.n, NULL,
                           arena, err);
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
                  .state = data->state,
                  .train = dataset_part(data->data, data->split.train),
                  .validation = dataset_part(data->data, data->split.validation),
                  .observer = observer,
                  .pool = pool,
                  .augments = augment_is_on(settings),
                  .batch_size = settings->batch_size < n ? (size_t)settings->batch_size : n,
                  .batches = schedule_batches(settings, n)};
    Evaluator evaluator;
    if (!training_open(&t, &evaluator, arena, err))
        return MLP_FAILED;
    pace_init(&t.pace, pool_size(pool));
    training_resume(&t);
    mlp_result result = MLP_DONE;
    while (result == MLP_DONE && t.state->epochs < settings->epochs &&
           !train_is_complete(settings, t.state)) {
        mlp_epoch report = {.epoch = (size_t)t.state->epochs + 1};
        result = training_epoch(&t, &report, err);
        if (result == MLP_DONE)
            result = training_validate(&t, &evaluator, &report, err);
    }
    return result;
}
