// Each optimizer, weight decay, schedule and average against a plain version of the same training
// in double precision, step by step; and that a step which is wrong in one detail would be noticed.
#include "random.h"
#include "schedule.h"
#include "settings.h"
#include "synthetic.h"
#include "test.h"
#include "train.h"

#include <math.h>

// A 36-5-4 network on 40 images in batches of 16, 16 and 8, and 20 images for validation.
enum { SIDE = 6, I = SIDE * SIDE, H = 5, C = 4, N_TRAIN = 40, N_ALL = 60, BATCH = 16 };
enum { EPOCHS = 7, BATCHES = 3, STEPS = EPOCHS * BATCHES };
enum { W1 = 0, B1 = W1 + H * I, W2 = B1 + H, B2 = W2 + C * H, N_PARAMETERS = B2 + C };

typedef struct Figures {
    double loss[STEPS]; // mean of each batch
    double validation[EPOCHS];
} Figures;

static Arena arena;
static Synthetic images;
static Network net;
static float *initial;

static void open_all(void)
{
    images = synthetic_make(&arena, N_ALL, SIDE, C);
    synthetic_network(&net, &initial, &images, H, 1, &arena);
}

// ---------------------------------------------------------------------------------------------
// The program

typedef struct Watch {
    Figures *figures;
    size_t step, done;
    double sum; // of the losses of the epoch
} Watch;

static bool watch_batch(void *context, size_t epoch, size_t done, double loss)
{
    Watch *w = context;
    (void)epoch;
    double sum = loss * (double)done;
    w->figures->loss[w->step++] = (sum - w->sum) / (double)(done - w->done);
    w->sum = done == N_TRAIN ? 0.0 : sum;
    w->done = done == N_TRAIN ? 0 : done;
    return true;
}

static bool watch_epoch(void *context, const mlp_epoch *report)
{
    Watch *w = context;
    w->figures->validation[report->epoch - 1] = report->validation_loss;
    return true;
}

static bool train(Figures *figures, const mlp_settings *settings, size_t threads, Error *err)
{
    Arena own = {0};
    Watch watch = {.figures = figures};
    TrainState state = {.epochs = 0};
    TrainData data = {.data = &images.data,
                      .split = {{0, N_TRAIN}, {N_TRAIN, N_ALL}},
                      .scale = images.scale,
                      .state = &state};
    const TrainObserver observer = {.context = &watch, .batch = watch_batch, .epoch = watch_epoch};
    float *params = network_alloc(&net, &own, err);
    ThreadPool *pool = params == NULL ? NULL : pool_open(threads, &own, err);
    bool ok = pool != NULL && train_state_alloc(&state, settings, net.n_parameters, &own, err);
    if (ok) {
        memcpy(params, initial, net.n_parameters * sizeof *params);
        ok = train_run(params, &net, settings, &data, pool, &observer, &own, err) == MLP_DONE;
    }
    if (pool != NULL)
        pool_close(pool);
    arena_free(&own);
    return ok;
}

// ---------------------------------------------------------------------------------------------
// The same in double precision, by the book

// Details to get wrong.
typedef enum Mistake {
    NO_MISTAKE,
    HEAVY_BALL,        // p -= lr v: the momentum that is not Nesterov's
    NO_CORRECTION,     // Adam's means are taken as they are
    SMALL_BETA,        // 0.99 for 0.999
    BIASES_DECAY,      // weight decay takes the biases, too
    DECAY_OF_EXAMPLE,  // weight decay by the rate for one example
    DECAY_IN_GRADIENT, // L2 regularisation: the decay passes through momentum or Adam
    LATE_SCHEDULE,     // the rate of the batch before
    SLOW_AVERAGE,      // the average has its full length from the first batch
    NO_AVERAGE
} Mistake;

typedef struct Reference {
    const mlp_settings *settings;
    Mistake mistake;
    double p[N_PARAMETERS], g[N_PARAMETERS], average[N_PARAMETERS];
    double slots[2][N_PARAMETERS];
} Reference;

// The loss of an image, and the sum of its gradient and what is in g.
static double image_loss(const double p[N_PARAMETERS], double g[N_PARAMETERS], size_t image)
{
    const unsigned char *pixels = images.data.pixels + image * I;
    size_t label = images.data.labels[image];
    double x[I], f[H], yhat[C], df[H] = {0}, sum = 0.0;
    for (size_t i = 0; i < I; i++)
        x[i] = (double)images.scale.value[pixels[i]];
    for (size_t h = 0; h < H; h++) {
        double a = p[B1 + h];
        for (size_t i = 0; i < I; i++)
            a += p[W1 + h * I + i] * x[i];
        f[h] = 1.0 / (1.0 + exp(-a));
    }
    for (size_t c = 0; c < C; c++) {
        yhat[c] = p[B2 + c];
        for (size_t h = 0; h < H; h++)
            yhat[c] += p[W2 + c * H + h] * f[h];
        yhat[c] = exp(yhat[c]);
        sum += yhat[c];
    }
    for (size_t c = 0; c < C; c++) {
        yhat[c] /= sum;
        double da = yhat[c] - (c == label ? 1.0 : 0.0);
        g[B2 + c] += da;
        for (size_t h = 0; h < H; h++) {
            g[W2 + c * H + h] += da * f[h];
            df[h] += da * p[W2 + c * H + h];
        }
    }
    for (size_t h = 0; h < H; h++) {
        double da = df[h] * f[h] * (1.0 - f[h]);
        g[B1 + h] += da;
        for (size_t i = 0; i < I; i++)
            g[W1 + h * I + i] += da * x[i];
    }
    return -log(yhat[label]);
}

static double reference_rate(const Reference *r, size_t step)
{
    const mlp_settings *s = r->settings;
    bool is_cycle = strcmp(s->schedule, "one-cycle") == 0;
    double t = fmax((double)step - (r->mistake == LATE_SCHEDULE ? 1.5 : 0.5), 0.0) / STEPS;
    double warmup = s->warmup > 0.0 ? s->warmup : is_cycle ? 0.25 : 0.0;
    double x = (t - warmup) / (1.0 - warmup), factor = 1.0;
    if (t < warmup)
        factor = t / warmup;
    else if (is_cycle)
        factor = 1.0 - x;
    else if (strcmp(s->schedule, "cosine") == 0)
        factor = (1.0 + cos(acos(-1.0) * x)) / 2.0;
    return s->learning_rate * factor;
}

static bool is_bias(size_t i)
{
    return (i >= B1 && i < W2) || i >= B2;
}

// What is subtracted from parameter i.
static double reference_step(Reference *r, size_t i, double rate, size_t step)
{
    double g = r->g[i], *m = &r->slots[0][i], *v = &r->slots[1][i], t = (double)step;
    if (strcmp(r->settings->optimizer, "adam") == 0) {
        double beta1 = 0.9, beta2 = r->mistake == SMALL_BETA ? 0.99 : 0.999;
        bool corrects = r->mistake != NO_CORRECTION;
        *m = beta1 * *m + (1.0 - beta1) * g;
        *v = beta2 * *v + (1.0 - beta2) * g * g;
        double mean = corrects ? *m / (1.0 - pow(beta1, t)) : *m;
        double square = corrects ? *v / (1.0 - pow(beta2, t)) : *v;
        return rate * mean / (sqrt(square) + 1e-8);
    }
    double mu = r->settings->momentum;
    *m = mu * *m + g;
    return rate * (r->mistake == HEAVY_BALL ? *m : g + mu * *m);
}

static void reference_update(Reference *r, size_t step, size_t batch_size)
{
    const mlp_settings *s = r->settings;
    double rate = reference_rate(r, step), t = (double)step;
    bool is_adam = strcmp(s->optimizer, "adam") == 0;
    double of_mean = is_adam || r->mistake == DECAY_OF_EXAMPLE ? rate : rate * (double)batch_size;
    double D = r->mistake == SLOW_AVERAGE ? s->ema : fmin(s->ema, (1.0 + t) / (10.0 + t));
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        double decay = is_bias(i) && r->mistake != BIASES_DECAY ? 0.0 : s->weight_decay * r->p[i];
        if (r->mistake == DECAY_IN_GRADIENT)
            r->g[i] += decay * (is_adam ? 1.0 : (double)batch_size);
        else
            r->p[i] -= of_mean * decay;
        r->p[i] -= reference_step(r, i, rate, step);
        r->average[i] = D * r->average[i] + (1.0 - D) * r->p[i];
    }
}

static double reference_validation(const Reference *r)
{
    double unused[N_PARAMETERS] = {0}, sum = 0.0;
    bool averages = r->settings->ema > 0.0 && r->mistake != NO_AVERAGE;
    for (size_t e = N_TRAIN; e < N_ALL; e++)
        sum += image_loss(averages ? r->average : r->p, unused, e);
    return sum / (N_ALL - N_TRAIN);
}

static void reference_train(Figures *figures, const mlp_settings *settings, Mistake mistake)
{
    static Reference r;
    uint32_t order[N_TRAIN];
    size_t n = 0, step = 0;
    r = (Reference){.settings = settings, .mistake = mistake};
    for (size_t t = 0; t < net.n_tensors; t++)
        for (size_t e = 0; e < tensor_size(net.tensors[t]); e++)
            r.p[n++] = (double)initial[tensor_index(net.tensors[t], e)];
    memcpy(r.average, r.p, sizeof r.p);
    for (size_t epoch = 1; epoch <= EPOCHS; epoch++) {
        random_permutation(order, N_TRAIN, settings->seed, RANDOM_ORDER + epoch);
        for (size_t first = 0; first < N_TRAIN; first += BATCH) {
            size_t size = N_TRAIN - first < BATCH ? N_TRAIN - first : BATCH;
            double sum = 0.0;
            memset(r.g, 0, sizeof r.g);
            for (size_t e = first; e < first + size; e++)
                sum += image_loss(r.p, r.g, order[e]);
            figures->loss[step++] = sum / (double)size;
            reference_update(&r, step, size);
        }
        figures->validation[epoch - 1] = reference_validation(&r);
    }
}

// ---------------------------------------------------------------------------------------------
// The comparison

enum { MAX_MISTAKES = 4 };
typedef struct Case {
    const char *name;
    mlp_settings settings;
    Mistake mistakes[MAX_MISTAKES]; // that must be noticed
} Case;

#define RECIPE(optimizer_, schedule_, ...)                                                         \
    {                                                                                              \
        .optimizer = (optimizer_), .schedule = (schedule_), __VA_ARGS__                            \
    }

static const Case cases[] = {
    {"sgd", RECIPE("sgd", "constant", .learning_rate = 0.02), {NO_MISTAKE}},
    {"sgd, weight decay",
     RECIPE("sgd", "constant", .learning_rate = 0.02, .weight_decay = 0.2),
     {BIASES_DECAY, DECAY_OF_EXAMPLE}},
    {"momentum", RECIPE("sgd", "constant", .learning_rate = 0.005, .momentum = 0.9), {HEAVY_BALL}},
    {"momentum, weight decay",
     RECIPE("sgd", "constant", .learning_rate = 0.005, .momentum = 0.9, .weight_decay = 0.2),
     {HEAVY_BALL, BIASES_DECAY, DECAY_OF_EXAMPLE, DECAY_IN_GRADIENT}},
    {"adam", RECIPE("adam", "constant", .learning_rate = 0.02), {NO_CORRECTION, SMALL_BETA}},
    {"adam, weight decay",
     RECIPE("adam", "constant", .learning_rate = 0.02, .weight_decay = 1.0),
     {BIASES_DECAY, DECAY_IN_GRADIENT, NO_CORRECTION}},
    {"cosine", RECIPE("sgd", "cosine", .learning_rate = 0.02), {LATE_SCHEDULE}},
    {"cosine, warm-up",
     RECIPE("sgd", "cosine", .learning_rate = 0.02, .warmup = 0.3),
     {LATE_SCHEDULE}},
    {"constant, warm-up",
     RECIPE("sgd", "constant", .learning_rate = 0.02, .warmup = 0.3),
     {LATE_SCHEDULE}},
    {"one-cycle", RECIPE("sgd", "one-cycle", .learning_rate = 0.02), {LATE_SCHEDULE}},
    {"average",
     RECIPE("sgd", "constant", .learning_rate = 0.02, .ema = 0.9),
     {SLOW_AVERAGE, NO_AVERAGE}},
    {"adam, average",
     RECIPE("adam", "cosine", .learning_rate = 0.02, .ema = 0.8),
     {SLOW_AVERAGE, NO_AVERAGE, LATE_SCHEDULE}},
    {"all of sgd",
     RECIPE("sgd", "one-cycle", .learning_rate = 0.005, .momentum = 0.9, .weight_decay = 0.2,
            .warmup = 0.4, .ema = 0.9),
     {HEAVY_BALL, BIASES_DECAY, LATE_SCHEDULE, SLOW_AVERAGE}},
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

// The settings of a case with the defaults of the others.
static mlp_settings case_settings(const Case *c)
{
    mlp_settings settings;
    settings_default(&settings, "mlp");
    settings.optimizer = c->settings.optimizer;
    settings.schedule = c->settings.schedule;
    settings.learning_rate = c->settings.learning_rate;
    settings.momentum = c->settings.momentum;
    settings.weight_decay = c->settings.weight_decay;
    settings.warmup = c->settings.warmup;
    settings.ema = c->settings.ema;
    settings.batch_size = BATCH;
    settings.epochs = EPOCHS;
    return settings;
}

static double larger(double largest, double a, double b)
{
    double difference = fabs(a / b - 1.0);
    return difference <= largest || isnan(largest) ? largest : difference; // a NaN stays, too
}

// The largest relative difference of two losses.
static double difference(const Figures *a, const Figures *b)
{
    double largest = 0.0;
    for (size_t i = 0; i < STEPS; i++)
        largest = larger(largest, a->loss[i], b->loss[i]);
    for (size_t i = 0; i < EPOCHS; i++)
        largest = larger(largest, a->validation[i], b->validation[i]);
    return largest;
}

static void every_step_is_that_of_double_precision(void)
{
    for (const Case *c = cases; c < cases + N_CASES; c++) {
        mlp_settings settings = case_settings(c);
        Figures found, right;
        Error err;
        REQUIRE(train(&found, &settings, 1, &err), "%s: %s", c->name, err.text);
        reference_train(&right, &settings, NO_MISTAKE);
        CHECK(difference(&found, &right) < 1e-5, "%s: losses differ by %g", c->name,
              difference(&found, &right));
        CHECK(right.loss[STEPS - 1] < 0.9 * right.loss[0], "%s: nothing was learned", c->name);
    }
}

static void a_step_that_is_wrong_would_be_noticed(void)
{
    for (const Case *c = cases; c < cases + N_CASES; c++)
        for (size_t m = 0; m < MAX_MISTAKES; m++) {
            mlp_settings settings = case_settings(c);
            Figures right, wrong;
            if (c->mistakes[m] == NO_MISTAKE)
                continue;
            reference_train(&right, &settings, NO_MISTAKE);
            reference_train(&wrong, &settings, c->mistakes[m]);
            CHECK(difference(&wrong, &right) > 1e-3, "%s, mistake %d: losses differ by only %g",
                  c->name, (int)c->mistakes[m], difference(&wrong, &right));
        }
}

static void threads_and_instruction_sets_change_no_bit(void)
{
    const Kernels *before = kernels;
    for (const Case *c = cases; c < cases + N_CASES; c++) {
        mlp_settings settings = case_settings(c);
        Figures first, again;
        Error err;
        kernels = before;
        REQUIRE(train(&first, &settings, 1, &err), "%s: %s", c->name, err.text);
        for (size_t k = 0; kernels_available(k) != NULL; k++)
            for (size_t threads = 1; threads <= 3; threads++) {
                kernels = kernels_available(k);
                REQUIRE(train(&again, &settings, threads, &err), "%s: %s", c->name, err.text);
                CHECK(memcmp(&first, &again, sizeof first) == 0, "%s, %s, %zu threads", c->name,
                      kernels->isa, threads);
            }
    }
    kernels = before;
}

static void schedules_begin_and_end_as_they_say(void)
{
    static const struct {
        const char *name;
        double warmup, first, middle, last; // factors of batch 1, 51 and 100 of 100
    } curves[] = {
        {"constant", 0.0, 1.0, 1.0, 1.0},           {"constant", 0.5, 0.01, 1.0, 1.0},
        {"cosine", 0.0, 0.99994, 0.4921, 6.168e-5}, {"cosine", 0.1, 0.05, 0.578, 7.615e-5},
        {"one-cycle", 0.0, 0.02, 0.66, 0.0067},     {"one-cycle", 0.5, 0.01, 0.99, 0.01}};
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        mlp_settings s = {.schedule = curves[i].name, .warmup = curves[i].warmup};
        const double right[] = {curves[i].first, curves[i].middle, curves[i].last};
        const uint64_t steps[] = {1, 51, 100};
        s.learning_rate = 2.0;
        for (size_t k = 0; k < 3; k++) {
            double found = schedule_rate(&s, steps[k], 100) / 2.0;
            CHECK(fabs(found - right[k]) < 0.01 * right[k], "%s, warm-up %g, batch %d: %.6g",
                  s.schedule, s.warmup, (int)steps[k], found);
        }
        bool needs_total = schedule_needs_total(&s);
        CHECK(needs_total == (i > 0), "%s, warm-up %g: needs the total: %d", s.schedule, s.warmup,
              needs_total);
    }
}

// The blocks are those that the settings need, and no step leaves its range, however long it is.
static void a_step_changes_all_of_its_range_and_nothing_else(void)
{
    enum { N = 7000 };
    static const struct {
        Range range;
        bool is_bias;
    } parts[] = {{{0, N}, false},     {{3, 3}, false},     {{5, 2053}, true},
                 {{64, 4160}, false}, {{17, 2066}, false}, {{4000, 6999}, true}};
    static float before[N], average[N];
    static const char *const optimizers[] = {"sgd", "adam"};
    for (size_t o = 0; o < 2; o++)
        for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
            Arena own = {0};
            Error err;
            OptimizerState s;
            mlp_settings settings;
            settings_default(&settings, "mlp");
            settings.optimizer = optimizers[o];
            settings.momentum = 0.5;
            settings.ema = 0.75;
            settings.weight_decay = 0.25;
            REQUIRE(optimizer_open(&s, optimizer_of(&settings), &settings, N, &own, &err), "%s",
                    err.text);
            CHECK(s.params != NULL && s.gradient != NULL && s.average != NULL &&
                      s.slots[0] != NULL && (s.slots[1] != NULL) == (o == 1),
                  "%s: other blocks", optimizers[o]);
            for (size_t i = 0; i < N; i++) {
                s.params[i] = before[i] = 1.0f + (float)(i % 5);
                s.average[i] = average[i] = 9.0f;
                s.gradient[i] = 1.0f + (float)(i % 3);
            }
            optimizer_begin(&s, &settings, 1, 0.125, 1);
            optimizer_step(&s, (PartRange){parts[k].range, parts[k].is_bias});
            for (size_t i = 0; i < N; i++) {
                bool is_in = i >= parts[k].range.first && i < parts[k].range.end;
                float g = 1.0f + (float)(i % 3), p = before[i];
                if (is_in) // step 1 of Adam is as long as the rate
                    p -= (parts[k].is_bias ? 0.0f : 0.03125f * p) +
                         0.125f * (o == 1 ? 1.0f : 1.5f * g);
                float mean = is_in ? average[i] + (p - average[i]) * 9.0f / 11.0f : average[i];
                CHECK(fabsf(s.params[i] - p) < 1e-5f && fabsf(s.average[i] - mean) < 1e-5f &&
                          s.gradient[i] == (is_in ? 0.0f : g),
                      "%s, part %zu: parameter %zu is %g, not %g; average %g, not %g; gradient %g",
                      optimizers[o], k, i, (double)s.params[i], (double)p, (double)s.average[i],
                      (double)mean, (double)s.gradient[i]);
            }
            arena_free(&own);
        }
}

static void plain_descent_keeps_nothing_but_the_parameters(void)
{
    Arena own = {0};
    Error err;
    OptimizerState s;
    mlp_settings settings;
    settings_default(&settings, "mlp");
    bool ok = optimizer_open(&s, optimizer_of(&settings), &settings, 5, &own, &err);
    CHECK(ok && s.params != NULL && s.gradient == NULL && s.average == NULL && s.slots[0] == NULL &&
              s.slots[1] == NULL && s.optimizer->step == NULL,
          "it has other blocks");
    arena_free(&own);
}

static void the_last_batch_of_an_epoch_may_be_smaller(void)
{
    static const uint64_t sizes[][2] = {{0, 0},  {1, 1},  {15, 1}, {16, 1},
                                        {17, 2}, {32, 2}, {33, 3}};
    mlp_settings settings = {.batch_size = 16};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        CHECK(schedule_batches(&settings, sizes[i][0]) == sizes[i][1], "%d images: %d batches",
              (int)sizes[i][0], (int)schedule_batches(&settings, sizes[i][0]));
}

int main(void)
{
    open_all();
    RUN(every_step_is_that_of_double_precision);
    RUN(a_step_that_is_wrong_would_be_noticed);
    RUN(threads_and_instruction_sets_change_no_bit);
    RUN(a_step_changes_all_of_its_range_and_nothing_else);
    RUN(plain_descent_keeps_nothing_but_the_parameters);
    RUN(the_last_batch_of_an_epoch_may_be_smaller);
    RUN(schedules_begin_and_end_as_they_say);
    arena_free(&arena);
    return test_end();
}
