// The trainings of a sweep: one of them, and all side by side, each with the threads that are free.
// Knows which begins next, whose row may be written, and what a signal or a failure stops. Read
// sweep.h first; the rows are written by sweep_table.c.
#include "signals.h"
#include "sweep.h"
#include "threads.h"

#include <signal.h>
#include <stdlib.h>

// ---------------------------------------------------------------------------------------------
// One training

// A worker's training.
typedef struct Training {
    Sweep *sweep;
    Combination *combination;
    mlp_epoch kept; // the epoch that the model is of
} Training;

static bool watch_batch(void *context, size_t epoch, size_t done, double loss)
{
    const Training *t = context;
    (void)epoch, (void)done, (void)loss;
    return signals_noted() == 0 &&
           (size_t)(t->combination - t->sweep->list) < atomic_load(&t->sweep->n_wanted);
}

static bool watch_epoch(void *context, const mlp_epoch *epoch, const mlp_model *model)
{
    Training *t = context;
    (void)model;
    if (epoch->is_kept)
        t->kept = *epoch;
    t->combination->outcome.seconds += epoch->seconds;
    return true;
}

// How many threads a training may use now: all have an equal share, so one while there are as many
// trainings left as threads. The last ones take over those of trainings that have ended.
static size_t share_threads(void *context)
{
    const Sweep *sweep = ((Training *)context)->sweep;
    size_t left = sweep->n_to_do - atomic_load(&sweep->n_ended);
    return left < sweep->threads ? sweep->threads / left : 1;
}

// The most that it can come to use. More than the default do not pay, unless it is alone.
static size_t most_threads(Training *t)
{
    size_t share = share_threads(t), all = t->sweep->threads;
    size_t most = all < MLP_DEFAULT_THREADS ? all : MLP_DEFAULT_THREADS;
    return share > most ? share : most;
}

// A figure with the digits that the table has, so that a summary is the same after it.
static double rounded(double figure)
{
    char text[NUMBER_SIZE];
    double value = figure;
    (void)parse_double(format_g9(text, figure), &value);
    return value;
}

static void set_figures(Outcome *outcome, const mlp_epoch *kept, const mlp_evaluation *test)
{
    const double figures[N_FIGURES] = {
        kept->train_loss,          kept->train_accuracy, kept->validation_loss,
        kept->validation_accuracy, test->loss,           test->accuracy};
    for (size_t i = 0; i < N_FIGURES; i++)
        outcome->figures[i] = rounded(figures[i]);
}

static void train_one(Sweep *sweep, Combination *c, Error *err)
{
    Training t = {.sweep = sweep, .combination = c};
    Outcome *outcome = &c->outcome;
    const mlp_observer observer = {&t, true, watch_batch, watch_epoch, share_threads};
    mlp_evaluation test = {0};
    outcome->result = MLP_FAILED;
    mlp_model *model = mlp_create(&c->settings, sweep->data, err->text);
    if (model == NULL)
        return;
    outcome->parameters = mlp_parameters(model);
    outcome->result = mlp_train(model, sweep->data, (size_t)c->settings.epochs, most_threads(&t),
                                &observer, err->text);
    if (outcome->result == MLP_DONE &&
        !mlp_evaluate(model, sweep->test, MLP_ALL, share_threads(&t), &test, NULL, err->text))
        outcome->result = MLP_FAILED;
    if (outcome->result == MLP_DONE)
        set_figures(outcome, &t.kept, &test);
    mlp_close(model);
}

static void report(const Sweep *sweep, const Combination *c)
{
    const SweepOptions *o = sweep->options;
    const Outcome *outcome = &c->outcome;
    double elapsed = clock_seconds() - sweep->start;
    long left = (long)(elapsed / sweep->cost_done * (sweep->cost_to_do - sweep->cost_done) + 0.5);
    char number[NUMBER_SIZE];
    fprintf(stderr, "%zu/%zu  ", sweep->n_done, sweep->n_to_do);
    for (const Axis *axis = o->axes; axis < o->axes + o->n_axes; axis++)
        if (sweep_has_column(sweep, axis->row))
            fprintf(stderr, "%s %s  ", axis->row->flag,
                    setting_text(axis->row, &c->settings, number));
    fprintf(stderr, "seed %llu  ", (unsigned long long)c->settings.seed);
    if (outcome->result == MLP_DONE)
        fprintf(stderr, "validation %.2f %%  test %.2f %%",
                100.0 * outcome->figures[VALIDATION_ACCURACY],
                100.0 * outcome->figures[TEST_ACCURACY]);
    else
        fprintf(stderr, "diverged");
    fprintf(stderr, "  %ld:%02ld left\n", left / 60, left % 60);
}

// ---------------------------------------------------------------------------------------------
// All of them, side by side

// Takes the next training that is to be done. NULL: there is none, or none is wanted.
static Combination *begin_next(Sweep *sweep)
{
    while (sweep->next < sweep->n && sweep->list[sweep->next].is_done)
        sweep->next++;
    if (sweep->next >= atomic_load(&sweep->n_wanted) || signals_noted() != 0)
        return NULL;
    return &sweep->list[sweep->next++];
}

// The earliest failure counts: with one thread, none after it would have begun.
static void fail_at(Sweep *sweep, size_t i, const Error *err)
{
    if (i >= atomic_load(&sweep->n_wanted))
        return;
    atomic_store(&sweep->n_wanted, i);
    sweep->err = *err;
}

// Writes the rows whose turn has come: a training that ends before an earlier one waits for it,
// unless the sweep has been stopped and that one will not end.
static void write_rows(Sweep *sweep, bool stopped)
{
    for (; sweep->row < atomic_load(&sweep->n_wanted); sweep->row++) {
        const Combination *c = &sweep->list[sweep->row];
        Error err;
        if (c->is_done)
            continue;
        if (!c->is_trained && stopped)
            continue;
        if (!c->is_trained)
            return;
        if (!sweep_add_row(sweep, c, &err)) {
            fail_at(sweep, sweep->row, &err);
            return;
        }
        sweep->n_done++;
        if (!sweep->options->quiet)
            report(sweep, c);
    }
}

static void end_training(Sweep *sweep, Combination *c, const Error *err)
{
    mlp_result result = c->outcome.result;
    c->is_trained = result == MLP_DONE || result == MLP_DIVERGED;
    if (result == MLP_FAILED)
        fail_at(sweep, (size_t)(c - sweep->list), err);
    sweep->cost_done += c->cost;
    atomic_fetch_add(&sweep->n_ended, 1);
    write_rows(sweep, false);
}

static void sweep_worker(void *context, size_t worker)
{
    Sweep *sweep = context;
    Combination *c;
    Error err;
    (void)worker;
    pthread_mutex_lock(&sweep->mutex);
    while ((c = begin_next(sweep)) != NULL) {
        pthread_mutex_unlock(&sweep->mutex);
        train_one(sweep, c, &err);
        pthread_mutex_lock(&sweep->mutex);
        end_training(sweep, c, &err);
    }
    pthread_mutex_unlock(&sweep->mutex);
}

int sweep_train_all(Sweep *sweep, Error *err)
{
    size_t workers = sweep->threads < sweep->n_to_do ? sweep->threads : sweep->n_to_do;
    if (workers == 0)
        return STATUS_DONE;
    ThreadPool *pool = pool_open(workers, &sweep->context->arena, err);
    if (pool == NULL)
        return STATUS_FAILED;
    pool_run(pool, sweep_worker, sweep);
    pool_close(pool);
    if (signals_noted() != 0 && signals_noted() != SIGPIPE)
        write_rows(sweep, true);
    if (atomic_load(&sweep->n_wanted) < sweep->n) {
        *err = sweep->err;
        return STATUS_FAILED;
    }
    if (sweep->n_done == sweep->n_to_do)
        return STATUS_DONE;
    if (signals_noted() != SIGPIPE)
        fprintf(stderr, "mlp: %s: stopped; %s the %zu trainings that are done\n",
                signals_name(signals_noted()),
                output_is_stream(&sweep->csv) ? "the table has" : "the same command resumes after",
                sweep->n_done);
    return 128 + signals_noted();
}
