// One forward pass over a range of a data set, batch by batch. Read evaluate.h first.
#include "evaluate.h"

#include "elementary.h"

#include <math.h>
#include <string.h>

enum { EVALUATE_BATCH = 64 };

// ---------------------------------------------------------------------------------------------
// A batch

bool ensemble_work_alloc(EnsembleWork *work, const Ensemble *ensemble, size_t capacity,
                         Arena *arena, Error *err)
{
    static const char what[] = "the predictions";
    WorkNeeds needs = {.capacity = capacity, .forward_only = true};
    size_t C = ensemble->members[0].net->architecture.classes;
    *work = (EnsembleWork){.works = arena_alloc(arena, ensemble->n, sizeof *work->works, what, err),
                           .mean = arena_alloc(arena, capacity * C, sizeof *work->mean, what, err),
                           .loss = arena_alloc(arena, capacity, sizeof *work->loss, what, err),
                           .predicted =
                               arena_alloc(arena, capacity, sizeof *work->predicted, what, err)};
    if (work->works == NULL || work->mean == NULL || work->loss == NULL || work->predicted == NULL)
        return false;
    for (size_t m = 0; m < ensemble->n; m++)
        if (!work_alloc(&work->works[m], ensemble->members[m].net, needs, arena, err))
            return false;
    return true;
}

static void mean_probabilities(float *mean, const Ensemble *e, const EnsembleWork *work, size_t b)
{
    size_t C = e->members[0].net->architecture.classes;
    memcpy(mean, network_probabilities(e->members[0].net, &work->works[0], b), C * sizeof *mean);
    for (size_t m = 1; m < e->n; m++) {
        const float *p = network_probabilities(e->members[m].net, &work->works[m], b);
        for (size_t k = 0; k < C; k++)
            mean[k] += p[k];
    }
    for (size_t k = 0; k < C; k++)
        mean[k] /= (float)e->n;
}

static float mean_loss(const Ensemble *e, const EnsembleWork *work, size_t b)
{
    float least = work->works[0].loss[b], sum = 0.0f;
    for (size_t m = 1; m < e->n; m++)
        least = work->works[m].loss[b] < least ? work->works[m].loss[b] : least;
    for (size_t m = 0; m < e->n; m++)
        sum += exp_f32(least - work->works[m].loss[b]);
    return least - log_f32(sum / (float)e->n);
}

static unsigned char largest(const float *mean, size_t C)
{
    size_t best = 0;
    for (size_t k = 1; k < C; k++)
        best = mean[k] > mean[best] ? k : best;
    return (unsigned char)best;
}

void ensemble_predict(const Ensemble *ensemble, const EnsembleWork *work, const Batch *batch)
{
    size_t C = ensemble->members[0].net->architecture.classes;
    for (size_t m = 0; m < ensemble->n; m++) {
        const Member *member = &ensemble->members[m];
        Batch mine = *batch;
        mine.prepared = member->prepared;
        mine.scale = &member->scale;
        network_predict(member->net, member->params, &work->works[m], &mine);
    }
    for (size_t b = 0; b < batch->size; b++) {
        mean_probabilities(work->mean + b * C, ensemble, work, b);
        work->loss[b] = mean_loss(ensemble, work, b);
        work->predicted[b] =
            ensemble->n == 1 ? work->works[0].predicted[b] : largest(work->mean + b * C, C);
    }
}

// ---------------------------------------------------------------------------------------------
// A data set

static void *array_alloc(void *given, size_t n, size_t size, Arena *arena, Error *err)
{
    return given != NULL ? given : arena_alloc(arena, n, size, "the predictions", err);
}

bool evaluator_alloc(Evaluator *evaluator, const Ensemble *ensemble, ThreadPool *pool,
                     size_t capacity, const mlp_predictions *each, Arena *arena, Error *err)
{
    const mlp_predictions to = each != NULL ? *each : (mlp_predictions){NULL, NULL, NULL};
    *evaluator = (Evaluator){
        .ensemble = *ensemble,
        .pool = pool,
        .work = array_alloc(NULL, pool_size(pool), sizeof *evaluator->work, arena, err),
        .loss = array_alloc(to.loss, capacity, sizeof *to.loss, arena, err),
        .probability = array_alloc(to.probability, capacity, sizeof *to.probability, arena, err),
        .predicted = array_alloc(to.predicted, capacity, sizeof *to.predicted, arena, err)};
    if (evaluator->work == NULL || evaluator->loss == NULL || evaluator->probability == NULL ||
        evaluator->predicted == NULL)
        return false;
    for (size_t worker = 0; worker < pool_size(pool); worker++)
        if (!ensemble_work_alloc(&evaluator->work[worker], ensemble, EVALUATE_BATCH, arena, err))
            return false;
    return true;
}

// One pass as the workers of the pool see it.
typedef struct Pass {
    const Evaluator *evaluator;
    const Dataset *data;
    Range examples;
} Pass;

// Predicts batch number i of the pass.
static void pass_batch(const Pass *pass, const EnsembleWork *work, size_t i)
{
    const Evaluator *ev = pass->evaluator;
    size_t C = ev->ensemble.members[0].net->architecture.classes;
    size_t n = range_length(pass->examples), first = i * EVALUATE_BATCH;
    Batch batch = {.data = pass->data,
                   .n = pass->examples.end,
                   .first = pass->examples.first + first,
                   .size = n - first < EVALUATE_BATCH ? n - first : EVALUATE_BATCH};
    ensemble_predict(&ev->ensemble, work, &batch);
    for (size_t b = 0; b < batch.size; b++) {
        unsigned char predicted = work->predicted[b];
        ev->loss[first + b] = work->loss[b];
        ev->predicted[first + b] = predicted;
        ev->probability[first + b] = work->mean[b * C + predicted];
    }
}

static void pass_worker(void *context, size_t worker)
{
    const Pass *pass = context;
    size_t n_batches = (range_length(pass->examples) + EVALUATE_BATCH - 1) / EVALUATE_BATCH;
    Range mine = range_part(n_batches, worker, pool_running(pass->evaluator->pool));
    for (size_t i = mine.first; i < mine.end; i++)
        pass_batch(pass, &pass->evaluator->work[worker], i);
}

mlp_evaluation evaluator_run(const Evaluator *evaluator, const Dataset *data, Range examples)
{
    Pass pass = {evaluator, data, examples};
    pool_run(evaluator->pool, pass_worker, &pass);

    mlp_evaluation result = {.first = examples.first, .n = range_length(examples)};
    for (size_t i = 0; i < result.n; i++) {
        result.loss += (double)evaluator->loss[i];
        result.correct += evaluator->predicted[i] == data->labels[examples.first + i];
    }
    result.loss /= (double)result.n;
    result.accuracy = (double)result.correct / (double)result.n;
    Interval interval = wilson_interval(result.correct, result.n);
    result.accuracy_low = interval.low;
    result.accuracy_high = interval.high;
    return result;
}

// ---------------------------------------------------------------------------------------------
// What to make of the predictions

double accuracy_standard_error(double p, size_t n)
{
    return sqrt(p * (1.0 - p) / (double)n);
}

Interval wilson_interval(size_t k, size_t n)
{
    const double z = 1.959963984540054, K = (double)k, N = (double)n;
    double centre = K + z * z / 2.0, width = z * sqrt(K * (N - K) / N + z * z / 4.0);
    // Rounding must not leave the ends of the scale.
    return (Interval){.low = k == 0 ? 0.0 : (centre - width) / (N + z * z),
                      .high = k == n ? 1.0 : (centre + width) / (N + z * z)};
}

// C(n, k) / 2^n for k <= n / 2. Each halving comes as soon as the product reaches 1, so that it
// neither overflows nor loses digits; what is smaller than any double in the end is 0.
static double binomial_probability(uint64_t n, uint64_t k)
{
    double product = 1.0;
    uint64_t halvings = n;
    for (uint64_t i = 1; i <= k; i++) {
        product *= (double)(n - k + i) / (double)i;
        for (; product >= 1.0 && halvings > 0; halvings--)
            product *= 0.5;
    }
    for (; product > 0.0 && halvings > 0; halvings--)
        product *= 0.5;
    return product;
}

double mcnemar_exact(uint64_t a, uint64_t b)
{
    uint64_t n = a + b, k = a < b ? a : b;
    double term = binomial_probability(n, k), sum = term;
    for (uint64_t i = k; i > 0 && term > 0.0; i--) {
        term *= (double)i / (double)(n - i + 1); // C(n, i - 1) of C(n, i)
        sum += term;
    }
    return 2.0 * sum < 1.0 ? 2.0 * sum : 1.0;
}

mlp_comparison compare_predictions(const unsigned char *truth, const unsigned char *first,
                                   const unsigned char *second, size_t n)
{
    mlp_comparison c = {.n = n};
    for (size_t i = 0; i < n; i++) {
        bool first_is_right = first[i] == truth[i], second_is_right = second[i] == truth[i];
        c.both_correct += first_is_right && second_is_right;
        c.only_first += first_is_right && !second_is_right;
        c.only_second += !first_is_right && second_is_right;
        c.both_wrong += !first_is_right && !second_is_right;
    }
    double N = (double)n, discordant = (double)(c.only_first + c.only_second) / N;
    c.difference = ((double)c.only_first - (double)c.only_second) / N;
    // The variance of 1, 0 or -1 per example, whose mean is the difference.
    c.difference_se = sqrt((discordant - c.difference * c.difference) / N);
    c.p_value = mcnemar_exact(c.only_first, c.only_second);
    return c;
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
