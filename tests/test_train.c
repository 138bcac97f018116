// The training loop on small made-up data, and what it stands on: split, scale, evaluation,
// metrics.
#include "train.h"

#include "evaluate.h"
#include "settings.h"
#include "synthetic.h"
#include "test.h"

#include <math.h>

typedef struct Run {
    Arena arena;
    Synthetic s;
    Network net;
    float *params;
    TrainData data;
    mlp_epoch last;
    size_t epochs_seen, stop_after, threads;
    mlp_settings settings; // but for the arguments of run_train
    TrainState state;
    size_t batches_seen, stop_at_batch;
    size_t validated;               // epochs that came with validation figures
    size_t (*limit)(void *context); // TrainObserver.threads
    ThreadPool *pool;
    size_t asked, most_running, too_many; // of the limit
    bool validate_last_only;
    mlp_result result;
} Run;

static void run_open_side(Run *run, size_t side, size_t n, size_t n_train, uint64_t seed)
{
    *run = (Run){.stop_after = SIZE_MAX, .threads = 1, .stop_at_batch = SIZE_MAX};
    settings_default(&run->settings, "mlp");
    run->s = synthetic_make(&run->arena, n, side, 4);
    synthetic_network(&run->net, &run->params, &run->s, 8, seed, &run->arena);
    run->data = (TrainData){
        .data = &run->s.data, .split = {{0, n_train}, {n_train, n}}, .scale = run->s.scale};
}

static void run_open(Run *run, size_t n, size_t n_train, uint64_t seed)
{
    run_open_side(run, 6, n, n_train, seed);
}

static bool keep_report(void *context, const mlp_epoch *report)
{
    Run *run = context;
    run->last = *report;
    run->validated += isfinite(report->validation_loss) && isfinite(report->validation_accuracy);
    return ++run->epochs_seen < run->stop_after;
}

static bool count_batch(void *context, size_t epoch, size_t done, double loss)
{
    Run *run = context;
    (void)epoch, (void)done, (void)loss;
    size_t running = pool_running(run->pool);
    run->most_running = running > run->most_running ? running : run->most_running;
    run->too_many += run->limit != NULL && running > run->asked;
    return ++run->batches_seen != run->stop_at_batch;
}

static bool run_train(Run *run, size_t epochs, size_t batch, double lr, uint64_t seed, Error *err)
{
    mlp_settings settings = run->settings;
    settings.epochs = epochs;
    settings.batch_size = batch;
    settings.learning_rate = lr;
    settings.seed = seed;
    run->data.state = &run->state;
    run->data.validate_last_only = run->validate_last_only;
    TrainObserver observer = {run, count_batch, keep_report, run->limit};
    ThreadPool *pool = run->pool = pool_open(run->threads, &run->arena, err);
    if (pool == NULL)
        return false;
    run->result =
        train_run(run->params, &run->net, &settings, &run->data, pool, &observer, &run->arena, err);
    pool_close(pool);
    return run->result == MLP_DONE;
}

static bool same_parameters(const Run *a, const Run *b)
{
    return memcmp(a->params, b->params, a->net.n_parameters * sizeof *a->params) == 0;
}

static void overfits_32_examples(void)
{
    Run run;
    Error err;
    run_open(&run, 40, 32, 1);
    REQUIRE(run_train(&run, 300, 8, 0.1, 1, &err), "%s", err.text);
    CHECK(run.last.train_loss < 0.01, "loss %g", run.last.train_loss);
    CHECK(run.last.train_accuracy >= 1.0, "accuracy %g", run.last.train_accuracy);
    arena_free(&run.arena);
}

static void validating_the_last_epoch_alone_changes_nothing_else(void)
{
    Run a, b;
    Error err;
    run_open(&a, 100, 80, 1);
    run_open(&b, 100, 80, 1);
    b.validate_last_only = true;
    REQUIRE(run_train(&a, 3, 16, 0.01, 1, &err) && run_train(&b, 3, 16, 0.01, 1, &err), "%s",
            err.text);
    CHECK(a.validated == 3 && b.validated == 1, "validated %zu and %zu times", a.validated,
          b.validated);
    CHECK(a.epochs_seen == b.epochs_seen, "saw %zu and %zu epochs", a.epochs_seen, b.epochs_seen);
    CHECK(same_parameters(&a, &b), "other bytes");
    CHECK(fabs(a.last.validation_loss - b.last.validation_loss) <= 0.0, "losses %g and %g",
          a.last.validation_loss, b.last.validation_loss);
    arena_free(&a.arena);
    arena_free(&b.arena);
}

static void the_same_seed_gives_the_same_bytes_and_another_does_not(void)
{
    Run a, b, c;
    Error err;
    run_open(&a, 100, 80, 1);
    run_open(&b, 100, 80, 1);
    run_open(&c, 100, 80, 1);
    REQUIRE(run_train(&a, 3, 16, 0.01, 1, &err) && run_train(&b, 3, 16, 0.01, 1, &err) &&
                run_train(&c, 3, 16, 0.01, 2, &err),
            "%s", err.text);
    CHECK(same_parameters(&a, &b), "the same seed gave other bytes");
    CHECK(!same_parameters(&a, &c), "another seed gave the same bytes");
    arena_free(&a.arena);
    arena_free(&b.arena);
    arena_free(&c.arena);
}

// The sum rule: at a small learning rate, the way is the same in few steps or many.
static void batches_of_32_and_256_end_close_together(void)
{
    Run a, b;
    Error err;
    run_open(&a, 600, 512, 1);
    run_open(&b, 600, 512, 1);
    REQUIRE(run_train(&a, 10, 32, 5e-4, 1, &err) && run_train(&b, 10, 256, 5e-4, 1, &err), "%s",
            err.text);
    CHECK(!same_parameters(&a, &b), "the batch size changed nothing");
    CHECK(fabs(a.last.validation_loss - b.last.validation_loss) < 0.02, "losses %g and %g",
          a.last.validation_loss, b.last.validation_loss);
    CHECK(a.last.validation_loss < 1.2, "loss %g: nothing was learned", a.last.validation_loss);
    arena_free(&a.arena);
    arena_free(&b.arena);
}

static void a_batch_larger_than_the_data_is_one_batch_of_all(void)
{
    Run a, b;
    Error err;
    run_open(&a, 40, 30, 1);
    run_open(&b, 40, 30, 1);
    REQUIRE(run_train(&a, 2, 30, 0.01, 1, &err) && run_train(&b, 2, 1000, 0.01, 1, &err), "%s",
            err.text);
    CHECK(same_parameters(&a, &b), "the bytes differ");
    arena_free(&a.arena);
    arena_free(&b.arena);
}

// One epoch of one batch of one example: W <- W - lr dL/dW, the whole rule.
static void one_step_subtracts_lr_times_the_gradient(void)
{
    Run run;
    Error err;
    Work work;
    run_open(&run, 2, 1, 1);
    float *before = network_alloc(&run.net, &run.arena, &err);
    float *gradient = network_alloc(&run.net, &run.arena, &err);
    REQUIRE(before != NULL && gradient != NULL &&
                work_alloc(&work, &run.net, (WorkNeeds){.capacity = 1}, &run.arena, &err),
            "%s", err.text);
    memcpy(before, run.params, run.net.n_parameters * sizeof *before);
    Batch batch = synthetic_batch(&run.s, run.s.index, 1);
    network_predict(&run.net, before, &work, &batch);
    network_backward(&run.net, before, &work, &batch, (Range){0, 1});
    network_weight_gradient(&run.net, &work, &batch, 1.0f, gradient, (Part){0, 1});
    REQUIRE(run_train(&run, 1, 1, 0.5, 1, &err), "%s", err.text);
    for (size_t i = 0; i < run.net.n_parameters; i++)
        CHECK(fabsf(run.params[i] - (before[i] - 0.5f * gradient[i])) < 1e-6f, "parameter %zu", i);
    arena_free(&run.arena);
}

static void divergence_is_an_error_that_names_epoch_and_learning_rate(void)
{
    Run run;
    Error err = {""};
    run_open(&run, 100, 80, 1);
    CHECK(!run_train(&run, 5, 16, 1e38, 1, &err), "went through");
    CHECK(strstr(err.text, "epoch 1") != NULL && strstr(err.text, "--lr 1e+38") != NULL, "%s",
          err.text);
    arena_free(&run.arena);
}

static void after_divergence_the_parameters_are_finite(void)
{
    Run run;
    Error err = {""};
    run_open(&run, 100, 80, 1);
    CHECK(!run_train(&run, 5, 16, 1e38, 1, &err) && run.result == MLP_DIVERGED, "went through");
    for (size_t i = 0; i < run.net.n_parameters; i++)
        REQUIRE(isfinite(run.params[i]), "parameter %zu is %g", i, (double)run.params[i]);
    arena_free(&run.arena);
}

// Stopped in the middle of epoch 3, in any batch of it, and resumed: as if nothing had happened.
static void a_stopped_training_that_is_resumed_ends_the_same(void)
{
    Run whole;
    Error err;
    run_open(&whole, 100, 80, 1);
    REQUIRE(run_train(&whole, 4, 16, 0.01, 1, &err), "%s", err.text);
    for (size_t batch = 1; batch <= 15; batch++) {
        Run run;
        run_open(&run, 100, 80, 1);
        run.threads = 1 + batch % 3;
        run.stop_at_batch = batch;
        bool done = run_train(&run, 4, 16, 0.01, 1, &err);
        CHECK(!done && run.result == MLP_STOPPED, "batch %zu: result %d", batch, run.result);
        CHECK(run.epochs_seen == (batch - (batch % 5 != 0)) / 5, "batch %zu: %zu epochs", batch,
              run.epochs_seen);
        run.stop_at_batch = SIZE_MAX;
        REQUIRE(run_train(&run, 4, 16, 0.01, 1, &err), "%s", err.text);
        CHECK(same_parameters(&whole, &run), "batch %zu: other bytes", batch);
        arena_free(&run.arena);
    }
    arena_free(&whole.arena);
}

// Where an epoch is one batch, and at the last batch of the last epoch, too: the epoch is complete.
static void a_no_at_the_last_batch_of_an_epoch_stops_after_it(void)
{
    const size_t sizes[] = {16, 80, 1000}, batches[] = {5, 1, 1};
    for (size_t i = 0; i < 12; i++) {
        size_t size = sizes[i % 3], epoch = 1 + i / 3 % 2 * 2;
        Run run, whole;
        Error err = {""};
        run_open(&run, 100, 80, 1);
        run_open(&whole, 100, 80, 1);
        run.threads = 1 + i / 6;
        run.stop_at_batch = epoch * batches[i % 3];
        (void)run_train(&run, 3, size, 0.01, 1, &err);
        CHECK(run.result == MLP_STOPPED && run.epochs_seen == epoch && run.validated == epoch &&
                  run.batches_seen == run.stop_at_batch,
              "batches of %zu, stop after epoch %zu: result %d, %zu epochs, %zu batches", size,
              epoch, (int)run.result, run.epochs_seen, run.batches_seen);
        REQUIRE(run_train(&whole, epoch, size, 0.01, 1, &err), "%s", err.text);
        CHECK(same_parameters(&whole, &run), "batches of %zu, epoch %zu: other bytes", size, epoch);
        arena_free(&run.arena);
        arena_free(&whole.arena);
    }
}

static void the_observer_can_end_the_training(void)
{
    Run run;
    Error err = {""};
    run_open(&run, 100, 80, 1);
    run.stop_after = 2;
    CHECK(!run_train(&run, 5, 16, 0.01, 1, &err) && run.epochs_seen == 2 &&
              run.result == MLP_STOPPED,
          "%zu epochs, result %d, %s", run.epochs_seen, (int)run.result, err.text);
    arena_free(&run.arena);
}

// The last batch is smaller, so that workers have unequal and empty shares of it.
static void any_number_of_threads_gives_the_same_bytes(void)
{
    static const size_t threads[] = {1, 2, 3, 7, 8, 12};
    Run first;
    Error err;
    run_open(&first, 100, 67, 1);
    REQUIRE(run_train(&first, 3, 16, 0.01, 1, &err), "%s", err.text);
    for (size_t i = 1; i < sizeof threads / sizeof threads[0]; i++) {
        Run run;
        run_open(&run, 100, 67, 1);
        run.threads = threads[i];
        REQUIRE(run_train(&run, 3, 16, 0.01, 1, &err), "%s", err.text);
        CHECK(same_parameters(&first, &run), "%zu threads: other bytes", threads[i]);
        CHECK(memcmp(&first.last.train_loss, &run.last.train_loss, sizeof(double)) == 0 &&
                  memcmp(&first.last.validation_loss, &run.last.validation_loss, sizeof(double)) ==
                      0,
              "%zu threads: losses %.17g and %.17g", threads[i], run.last.train_loss,
              run.last.validation_loss);
        arena_free(&run.arena);
    }
    arena_free(&first.arena);
}

// With images whose blocks are more than one chunk, too, and batches of more than one tile.
static void prepared_images_and_threads_give_the_same_bytes(void)
{
    static const size_t threads[] = {1, 2, 3, 8}, sides[] = {7, 40};
    LayerKind unprepared = layer_sparse_dense;
    unprepared.prepare = NULL;
    for (size_t s = 0; s < 2; s++) {
        Run first;
        Error err;
        run_open_side(&first, sides[s], 170, 150, 1);
        REQUIRE(run_train(&first, 2, 70, 0.01, 1, &err), "%s", err.text);
        for (size_t i = 0; i < 8; i++) {
            Run run;
            run_open_side(&run, sides[s], 170, 150, 1);
            run.threads = threads[i / 2];
            if (i % 2 == 1)
                run.net.layers[0].kind = &unprepared;
            REQUIRE(run_train(&run, 2, 70, 0.01, 1, &err), "%s", err.text);
            CHECK(same_parameters(&first, &run) &&
                      memcmp(&first.last.validation_loss, &run.last.validation_loss,
                             sizeof(double)) == 0,
                  "%zu x %zu pixels, %zu threads, prepared: %zu", sides[s], sides[s], run.threads,
                  1 - i % 2);
            arena_free(&run.arena);
        }
        arena_free(&first.arena);
    }
}

// ---------------------------------------------------------------------------------------------
// Optimizers

static void sgd_step(const OptimizerState *state, Range range)
{
    for (size_t i = range.first; i < range.end; i++) {
        state->params[i] += -state->learning_rate * state->gradient[i];
        state->gradient[i] = 0.0f;
    }
}

// Heavy ball: v <- 0.9 v + g, w <- w - lr v
static void heavy_ball_step(const OptimizerState *state, Range range)
{
    float *v = state->slots[0];
    for (size_t i = range.first; i < range.end; i++) {
        v[i] = 0.9f * v[i] + state->gradient[i];
        state->params[i] -= state->learning_rate * v[i];
        state->gradient[i] = 0.0f;
    }
}

static const Optimizer unfused_sgd = {.name = "unfused", .step = sgd_step};
static const Optimizer heavy_ball = {
    .name = "heavy ball", .slots = {"velocity"}, .step = heavy_ball_step};

static void run_open_architecture(Run *run, const char *name)
{
    Error err;
    bool is_cnn = strcmp(name, "mlp") != 0;
    run_open_side(run, is_cnn ? 16 : 7, is_cnn ? 40 : 100, is_cnn ? 30 : 67, 1);
    Architecture architecture =
        synthetic_architecture(name, run->s.data.rows, run->s.data.cols, 8, 4);
    if (!network_build(&run->net, &architecture, &err) ||
        (run->params = network_alloc(&run->net, &run->arena, &err)) == NULL)
        abort();
    network_init(&run->net, run->params, 1);
}

// Up and down, with a new number for each batch.
static size_t wandering_workers(size_t batch, size_t most)
{
    static const size_t of_five[] = {5, 1, 4, 2, 2, 3, 5, 1};
    return of_five[batch % 8] < most ? of_five[batch % 8] : most;
}

static void the_number_of_workers_may_change_at_each_batch(void)
{
    for (size_t i = 0; architecture_names[i] != NULL; i++)
        for (size_t recipe = 0; recipe < 3; recipe++) { // plain, augmented, heavy ball
            Run first, run;
            Error err;
            for (Run *r = &first;; r = &run) {
                run_open_architecture(r, architecture_names[i]);
                r->settings.rotate = recipe == 1 ? 20.0 : 0.0;
                r->data.optimizer = recipe == 2 ? &heavy_ball : NULL;
                r->threads = r == &first ? 1 : 5;
                r->data.workers = r == &first ? NULL : wandering_workers;
                REQUIRE(run_train(r, 3, 5, 0.01, 1, &err), "%s", err.text);
                if (r == &run)
                    break;
            }
            CHECK(same_parameters(&first, &run) &&
                      memcmp(&first.last.train_loss, &run.last.train_loss, sizeof(double)) == 0,
                  "%s, recipe %zu: other bytes", architecture_names[i], recipe);
            arena_free(&first.arena);
            arena_free(&run.arena);
        }
}

// 1, 2, 3, 4, 5 and again: the fifth is more than the pool has.
static size_t wandering_limit(void *context)
{
    Run *run = context;
    return run->asked = run->asked % 5 + 1;
}

static size_t limit_of_none(void *context)
{
    ((Run *)context)->asked = 1; // what counts as one
    return 0;
}

static void the_observer_limits_the_workers(void)
{
    static size_t (*const limits[])(void *) = {wandering_limit, limit_of_none, NULL};
    static const size_t most[] = {4, 1, 4};
    Run first;
    Error err;
    run_open(&first, 100, 67, 1);
    REQUIRE(run_train(&first, 9, 5, 0.01, 1, &err), "%s", err.text);
    for (size_t i = 0; i < 3; i++) {
        Run run;
        run_open(&run, 100, 67, 1);
        run.threads = 4;
        run.limit = limits[i];
        REQUIRE(run_train(&run, 9, 5, 0.01, 1, &err), "%s", err.text);
        CHECK(run.too_many == 0 && run.most_running == most[i],
              "limit %zu: %zu times too many, %zu at most", i, run.too_many, run.most_running);
        CHECK(same_parameters(&first, &run), "limit %zu: other bytes", i);
        arena_free(&run.arena);
    }
    arena_free(&first.arena);
}

static void an_unfused_sgd_row_gives_the_bytes_of_the_fused_path(void)
{
    for (size_t i = 0; architecture_names[i] != NULL; i++) {
        Run fused;
        Error err;
        run_open_architecture(&fused, architecture_names[i]);
        REQUIRE(run_train(&fused, 3, 16, 0.01, 1, &err), "%s", err.text);
        for (size_t threads = 1; threads <= 3; threads++) {
            Run run;
            run_open_architecture(&run, architecture_names[i]);
            run.threads = threads;
            run.data.optimizer = &unfused_sgd;
            REQUIRE(run_train(&run, 3, 16, 0.01, 1, &err), "%s", err.text);
            CHECK(same_parameters(&fused, &run), "%s, %zu threads: other bytes",
                  architecture_names[i], threads);
            arena_free(&run.arena);
        }
        arena_free(&fused.arena);
    }
}

// The same in plain loops: one pass over the whole block for each batch.
static void naive_heavy_ball(Run *run, size_t epochs, size_t batch_size, float lr)
{
    Error err;
    Work work;
    size_t n = range_length(run->data.split.train), P = run->net.n_parameters;
    float *v = network_alloc(&run->net, &run->arena, &err);
    float *g = network_alloc(&run->net, &run->arena, &err);
    uint32_t *order = arena_alloc(&run->arena, n, sizeof *order, "an order", &err);
    REQUIRE(
        v != NULL && g != NULL && order != NULL &&
            work_alloc(&work, &run->net, (WorkNeeds){.capacity = batch_size}, &run->arena, &err),
        "%s", err.text);
    for (size_t epoch = 1; epoch <= epochs; epoch++) {
        random_permutation(order, n, 1, RANDOM_ORDER + epoch);
        for (size_t first = 0; first < n; first += batch_size) {
            size_t size = n - first < batch_size ? n - first : batch_size;
            Batch batch = synthetic_batch(&run->s, order + first, size);
            memset(g, 0, P * sizeof *g);
            network_predict(&run->net, run->params, &work, &batch);
            network_backward(&run->net, run->params, &work, &batch, (Range){0, size});
            network_weight_gradient(&run->net, &work, &batch, 1.0f, g, (Part){0, 1});
            for (size_t i = 0; i < P; i++) {
                v[i] = 0.9f * v[i] + g[i];
                run->params[i] -= lr * v[i];
            }
        }
    }
}

static void an_optimizer_with_state_equals_plain_loops_with_any_threads(void)
{
    for (size_t i = 0; architecture_names[i] != NULL; i++) {
        Run naive;
        Error err;
        run_open_architecture(&naive, architecture_names[i]);
        naive_heavy_ball(&naive, 3, 16, 0.01f);
        for (size_t threads = 1; threads <= 3; threads++) {
            Run run;
            run_open_architecture(&run, architecture_names[i]);
            run.threads = threads;
            run.data.optimizer = &heavy_ball;
            REQUIRE(run_train(&run, 3, 16, (double)0.01f, 1, &err), "%s", err.text);
            CHECK(same_parameters(&naive, &run), "%s, %zu threads: other bytes",
                  architecture_names[i], threads);
            arena_free(&run.arena);
        }
        arena_free(&naive.arena);
    }
}

// Steps are counted from 1 through all epochs, those of an earlier training included.
static void count_step(const OptimizerState *state, Range range)
{
    for (size_t i = range.first; i < range.end; i++)
        state->params[i] = (float)state->step;
}

static void an_optimizer_knows_the_number_of_its_step(void)
{
    static const Optimizer counter = {.name = "counter", .step = count_step};
    Run run;
    Error err;
    run_open(&run, 100, 67, 1); // 5 batches
    run.data.optimizer = &counter;
    run.state.epochs = 2;
    REQUIRE(run_train(&run, 4, 16, 0.01, 1, &err), "%s", err.text);
    for (size_t t = 0; t < run.net.n_tensors; t++)
        CHECK(run.params[run.net.tensors[t]->offset] == 20.0f, "step %g",
              (double)run.params[run.net.tensors[t]->offset]);
    arena_free(&run.arena);
}

static void threads_that_diverge_stop_together(void)
{
    Run run;
    Error err = {""};
    run_open(&run, 100, 80, 1);
    run.threads = 3;
    CHECK(!run_train(&run, 5, 16, 1e38, 1, &err), "went through");
    CHECK(strstr(err.text, "epoch 1") != NULL, "%s", err.text);
    arena_free(&run.arena);
}

static void the_last_report_equals_an_evaluation_afterwards_with_any_pool(void)
{
    Run run;
    Error err;
    run_open(&run, 300, 60, 1);
    REQUIRE(run_train(&run, 2, 16, 0.01, 1, &err), "%s", err.text);
    for (size_t threads = 1; threads <= 5; threads++) {
        ThreadPool *pool = pool_open(threads, &run.arena, &err);
        Evaluator evaluator;
        const Member member = {&run.net, run.params, NULL, run.s.scale};
        const Ensemble one = {&member, 1};
        REQUIRE(pool != NULL &&
                    evaluator_alloc(&evaluator, &one, pool, 240, NULL, &run.arena, &err),
                "%s", err.text);
        mlp_evaluation validated =
            evaluator_run(&evaluator, &run.s.data, run.data.split.validation);
        pool_close(pool);
        CHECK(memcmp(&validated.loss, &run.last.validation_loss, sizeof validated.loss) == 0,
              "%zu threads: loss %.17g, trained %.17g", threads, validated.loss,
              run.last.validation_loss);
        CHECK(validated.n == 240 && fabs(validated.accuracy - run.last.validation_accuracy) < 1e-15,
              "%zu threads: accuracy", threads);
    }
    arena_free(&run.arena);
}

// ---------------------------------------------------------------------------------------------
// Data

static void splits_take_the_last_images_for_validation(void)
{
    Split split;
    Error err;
    CHECK(dataset_split(&split, 60000, 0, 0, &err) && split.train.end == 50000 &&
              split.validation.first == 50000 && split.validation.end == 60000,
          "60000: %zu, %zu", split.train.end, split.validation.first);
    CHECK(dataset_split(&split, 600, 0, 0, &err) && split.train.end == 500, "600: %zu",
          split.train.end);
    CHECK(dataset_split(&split, 600000, 0, 0, &err) && split.train.end == 590000, "600000: %zu",
          split.train.end);
    CHECK(dataset_split(&split, 600, 20, 50, &err) && split.train.end == 20 &&
              split.validation.first == 550,
          "20 and 50: %zu, %zu", split.train.end, split.validation.first);
    CHECK(!dataset_split(&split, 600, 0, 600, &err) && strstr(err.text, "--val-size") != NULL, "%s",
          err.text);
    CHECK(!dataset_split(&split, 600, 501, 0, &err) && strstr(err.text, "--train-size") != NULL,
          "%s", err.text);
    CHECK(!dataset_split(&split, 5, 0, 0, &err), "5 images were split");
}

static void the_input_scale_makes_the_deviation_one(void)
{
    Arena arena = {0};
    Synthetic s = synthetic_make(&arena, 50, 6, 4);
    Error err;
    double std, sum = 0.0, squares = 0.0;
    REQUIRE(dataset_pixel_std(&std, &s.data, (Range){10, 50}, &err), "%s", err.text);
    InputScale scale = input_scale(std);
    for (size_t i = 10 * 36; i < 50 * 36; i++) {
        double x = (double)scale.value[s.data.pixels[i]];
        sum += x;
        squares += x * x;
    }
    double n = 40 * 36, variance = squares / n - sum / n * (sum / n);
    CHECK(fabs(variance - 1.0) < 1e-6, "variance %g", variance);
    CHECK(scale.value[0] == 0.0f, "a zero pixel is %g", (double)scale.value[0]);
    arena_free(&arena);
}

static void images_of_one_grey_are_refused(void)
{
    static const unsigned char pixels[4] = {7, 7, 7, 7};
    Dataset data = {.n = 1, .rows = 2, .cols = 2, .pixels = pixels};
    Error err;
    double std;
    CHECK(!dataset_pixel_std(&std, &data, (Range){0, 1}, &err), "accepted");
}

// ---------------------------------------------------------------------------------------------
// Metrics

static void metrics_of_a_small_example(void)
{
    const unsigned char truth[8] = {0, 0, 0, 1, 1, 1, 1, 0}, said[8] = {0, 0, 1, 1, 1, 0, 1, 0};
    uint64_t confusion[9];
    confusion_count(confusion, 3, truth, said, 8);
    const uint64_t expected[9] = {3, 1, 0, 1, 3, 0, 0, 0, 0};
    CHECK(memcmp(confusion, expected, sizeof expected) == 0, "the counts differ");
    ClassMetrics m = class_metrics(confusion, 3, 0), none = class_metrics(confusion, 3, 2);
    CHECK(m.support == 4 && m.predicted == 4 && fabs(m.precision - 0.75) < 1e-12 &&
              fabs(m.recall - 0.75) < 1e-12 && fabs(m.f1 - 0.75) < 1e-12,
          "precision %g, recall %g, F1 %g", m.precision, m.recall, m.f1);
    CHECK(isnan(none.precision) && isnan(none.recall) && isnan(none.f1), "an absent class");
    CHECK(fabs(accuracy_standard_error(0.9, 10000) - 0.003) < 1e-12, "%g",
          accuracy_standard_error(0.9, 10000));
}

// Newcombe 1998, "Two-sided confidence intervals for the single proportion", Stat. Med. 17,
// 857-872, table I, has the first four to four digits. 0 of n: from 0 to z^2 / (n + z^2).
static void the_wilson_interval_of_known_counts(void)
{
    static const struct {
        size_t k, n;
        double low, high, error;
    } known[] = {{81, 263, 0.2553, 0.3662, 5e-5},  {15, 148, 0.0624, 0.1605, 5e-5},
                 {0, 20, 0.0, 0.1611, 5e-5},       {1, 29, 0.0061, 0.1718, 5e-5},
                 {0, 1, 0.0, 0.793450, 1e-6},      {1, 1, 1 - 0.793450, 1.0, 1e-6},
                 {10000, 10000, 0.999616, 1, 1e-6}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        Interval a = wilson_interval(known[i].k, known[i].n);
        CHECK(fabs(a.low - known[i].low) <= known[i].error &&
                  fabs(a.high - known[i].high) <= known[i].error,
              "%zu of %zu: %.6f to %.6f", known[i].k, known[i].n, a.low, a.high);
    }
    for (size_t k = 0; k <= 30; k++) { // the ends solve (p - k/n)^2 = z^2 p (1 - p) / n
        Interval a = wilson_interval(k, 30), other = wilson_interval(30 - k, 30);
        double p = (double)k / 30.0, z2 = 1.959963984540054 * 1.959963984540054;
        CHECK(fabs((a.low - p) * (a.low - p) - z2 * a.low * (1 - a.low) / 30) < 1e-15 &&
                  fabs((a.high - p) * (a.high - p) - z2 * a.high * (1 - a.high) / 30) < 1e-15,
              "%zu of 30: %.17g to %.17g", k, a.low, a.high);
        CHECK(0.0 <= a.low && a.low <= p && p <= a.high && a.high <= 1.0 &&
                  fabs(a.low + other.high - 1.0) < 1e-15,
              "%zu of 30: %.17g to %.17g", k, a.low, a.high);
    }
}

// By hand: 2 (C(4,0) + C(4,1)) / 2^4 = 10/16, and so on. 1 and 9: 2 (1 + 10) / 1024. The last three
// are larger than a plain product of doubles can be; the sums were made with whole numbers.
static void the_exact_mcnemar_test_of_known_counts(void)
{
    static const struct {
        uint64_t a, b;
        double p;
    } known[] = {{0, 0, 1.0},
                 {0, 1, 1.0},
                 {1, 1, 1.0},
                 {3, 1, 0.625},
                 {0, 5, 2.0 / 32.0},
                 {1, 9, 22.0 / 1024.0},
                 {12, 4, 2.0 * (1 + 16 + 120 + 560 + 1820) / 65536.0},
                 {50, 50, 1.0},
                 {1010, 990, 0.6709544855556545},
                 {2000, 1900, 0.11289365225934889},
                 {30000, 29000, 3.907020967829971e-05},
                 {0, 2000, 0.0}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        double p = mcnemar_exact(known[i].a, known[i].b);
        CHECK(fabs(p - known[i].p) <= 1e-9 * known[i].p, "%u and %u: %.12g, not %.12g",
              (unsigned)known[i].a, (unsigned)known[i].b, p, known[i].p);
        double other = mcnemar_exact(known[i].b, known[i].a);
        CHECK(p == other, "%u and %u: %.17g, the other way round %.17g", (unsigned)known[i].a,
              (unsigned)known[i].b, p, other);
    }
}

// Ten examples: 4 both right, 3 only the first, 1 only the second, 2 both wrong. The difference of
// each is 1, 0 or -1 with the mean 0.2 and the variance (3 + 1) / 10 - 0.2^2 = 0.36.
static void two_predictions_are_compared_example_by_example(void)
{
    const unsigned char truth[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    const unsigned char first[10] = {0, 1, 2, 3, 4, 5, 6, 0, 0, 0};
    const unsigned char second[10] = {0, 1, 2, 3, 0, 0, 0, 7, 1, 0};
    mlp_comparison c = compare_predictions(truth, first, second, 10);
    CHECK(c.n == 10 && c.both_correct == 4 && c.only_first == 3 && c.only_second == 1 &&
              c.both_wrong == 2,
          "%zu: %zu, %zu, %zu, %zu", c.n, c.both_correct, c.only_first, c.only_second,
          c.both_wrong);
    CHECK(fabs(c.difference - 0.2) < 1e-15, "difference %.17g", c.difference);
    CHECK(fabs(c.difference_se - sqrt(0.036)) < 1e-15, "standard error %.17g", c.difference_se);
    CHECK(c.p_value == 0.625, "p %.17g", c.p_value);
    c = compare_predictions(truth, first, first, 10);
    CHECK(c.difference == 0.0 && c.difference_se == 0.0 && c.p_value == 1.0, "of one model: %g, %g",
          c.difference, c.p_value);
}

int main(void)
{
    RUN(overfits_32_examples);
    RUN(validating_the_last_epoch_alone_changes_nothing_else);
    RUN(the_same_seed_gives_the_same_bytes_and_another_does_not);
    RUN(batches_of_32_and_256_end_close_together);
    RUN(a_batch_larger_than_the_data_is_one_batch_of_all);
    RUN(one_step_subtracts_lr_times_the_gradient);
    RUN(divergence_is_an_error_that_names_epoch_and_learning_rate);
    RUN(after_divergence_the_parameters_are_finite);
    RUN(a_stopped_training_that_is_resumed_ends_the_same);
    RUN(a_no_at_the_last_batch_of_an_epoch_stops_after_it);
    RUN(the_observer_can_end_the_training);
    RUN(any_number_of_threads_gives_the_same_bytes);
    RUN(prepared_images_and_threads_give_the_same_bytes);
    RUN(the_number_of_workers_may_change_at_each_batch);
    RUN(the_observer_limits_the_workers);
    RUN(an_unfused_sgd_row_gives_the_bytes_of_the_fused_path);
    RUN(an_optimizer_with_state_equals_plain_loops_with_any_threads);
    RUN(an_optimizer_knows_the_number_of_its_step);
    RUN(threads_that_diverge_stop_together);
    RUN(the_last_report_equals_an_evaluation_afterwards_with_any_pool);
    RUN(splits_take_the_last_images_for_validation);
    RUN(the_input_scale_makes_the_deviation_one);
    RUN(images_of_one_grey_are_refused);
    RUN(metrics_of_a_small_example);
    RUN(the_wilson_interval_of_known_counts);
    RUN(the_exact_mcnemar_test_of_known_counts);
    RUN(two_predictions_are_compared_example_by_example);
    return test_end();
}
