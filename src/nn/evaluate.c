// One forward pass over a range of a data set, batch by batch. Read evaluate.h first.
#include "evaluate.h"

#include <math.h>

enum { EVALUATE_BATCH = 64 };

static void *array_alloc(void *given, size_t n, size_t size, Arena *arena, Error *err)
{
    return given != NULL ? given : arena_alloc(arena, n, size, "the predictions", err);
}

bool evaluator_alloc(Evaluator *evaluator, const Network *net, ThreadPool *pool, size_t capacity,
                     const mlp_predictions *each, Arena *arena, Error *err)
{
    const mlp_predictions to = each != NULL ? *each : (mlp_predictions){NULL, NULL, NULL};
    *evaluator = (Evaluator){
        .net = net,
        .pool = pool,
        .work = array_alloc(NULL, pool_size(pool), sizeof *evaluator->work, arena, err),
        .loss = array_alloc(to.loss, capacity, sizeof *to.loss, arena, err),
        .probability = array_alloc(to.probability, capacity, sizeof *to.probability, arena, err),
        .predicted = array_alloc(to.predicted, capacity, sizeof *to.predicted, arena, err)};
    if (evaluator->work == NULL || evaluator->loss == NULL || evaluator->probability == NULL ||
        evaluator->predicted == NULL)
        return false;
    WorkNeeds needs = {.capacity = EVALUATE_BATCH, .forward_only = true};
    for (size_t worker = 0; worker < pool_size(pool); worker++)
        if (!work_alloc(&evaluator->work[worker], net, needs, arena, err))
            return false;
    return true;
}

// One pass as the workers of the pool see it.
typedef struct Pass {
    const Evaluator *evaluator;
    const float *params;
    const Dataset *data;
    const PreparedImages *prepared;
    const InputScale *scale;
    Range examples;
} Pass;

// Predicts batch number i of the pass.
static void pass_batch(const Pass *pass, const Work *work, size_t i)
{
    const Evaluator *ev = pass->evaluator;
    size_t n = range_length(pass->examples), first = i * EVALUATE_BATCH;
    Batch batch = {.data = pass->data,
                   .prepared = pass->prepared,
                   .scale = pass->scale,
                   .n = pass->examples.end,
                   .first = pass->examples.first + first,
                   .size = n - first < EVALUATE_BATCH ? n - first : EVALUATE_BATCH};
    network_predict(ev->net, pass->params, work, &batch);
    for (size_t b = 0; b < batch.size; b++) {
        unsigned char predicted = work->predicted[b];
        ev->loss[first + b] = work->loss[b];
        ev->predicted[first + b] = predicted;
        ev->probability[first + b] = network_probabilities(ev->net, work, b)[predicted];
    }
}

static void pass_worker(void *context, size_t worker)
{
    const Pass *pass = context;
    size_t n_batches = (range_length(pass->examples) + EVALUATE_BATCH - 1) / EVALUATE_BATCH;
    Range mine = range_part(n_batches, worker, pool_size(pass->evaluator->pool));
    for (size_t i = mine.first; i < mine.end; i++)
        pass_batch(pass, &pass->evaluator->work[worker], i);
}

mlp_evaluation evaluator_run(const Evaluator *evaluator, const float *params, const Dataset *data,
                             const PreparedImages *prepared, const InputScale *scale,
                             Range examples)
{
    Pass pass = {evaluator, params, data, prepared, scale, examples};
    pool_run(evaluator->pool, pass_worker, &pass);

    mlp_evaluation result = {.first = examples.first, .n = range_length(examples)};
    for (size_t i = 0; i < result.n; i++) {
        result.loss += (double)evaluator->loss[i];
        result.correct += evaluator->predicted[i] == data->labels[examples.first + i];
    }
    result.loss /= (double)result.n;
    result.accuracy = (double)result.correct / (double)result.n;
    return result;
}

double accuracy_standard_error(double p, size_t n)
{
    return sqrt(p * (1.0 - p) / (double)n);
}

void confusion_count(uint64_t *confusion, size_t C, const unsigned char *truth,
                     const unsigned char *predicted, size_t n)
{
    for (size_t i = 0; i < C * C; i++)
        confusion[i] = 0;
    for (size_t i = 0; i < n; i++)
        confusion[truth[i] * C + predicted[i]]++;
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole == 0 ? (double)NAN : (double)part / (double)whole;
}

ClassMetrics class_metrics(const uint64_t *confusion, size_t C, size_t k)
{
    ClassMetrics m = {0};
    for (size_t i = 0; i < C; i++) {
        m.support += confusion[k * C + i];
        m.predicted += confusion[i * C + k];
    }
    uint64_t hits = confusion[k * C + k];
    m.precision = ratio(hits, m.predicted);
    m.recall = ratio(hits, m.support);
    m.f1 = ratio(2 * hits, m.support + m.predicted);
    return m;
}
