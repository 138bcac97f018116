// mlp sweep: a training for each combination of settings, one row per training in a table. Knows
// the order of the trainings, which are done, and which are trained side by side; the settings that
// it can vary are those that the table of settings.h marks as axes.
#include "commands.h"
#include "data_notes.h"
#include "progress.h"
#include "signals.h"
#include "tables.h"
#include "threads.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Options

enum { MAX_AXES = 32, MAX_VALUES = 64, MAX_TRAININGS = 1000000 };

// A setting that takes each of a list of values.
typedef struct Axis {
    const Setting *row;
    const char *list;       // the value of its option
    char text[NUMBER_SIZE]; // the default
    size_t n;
    char values[MAX_VALUES][NUMBER_SIZE];
} Axis;

typedef struct SweepOptions {
    mlp_settings settings; // of all trainings, but for the axes and the seed
    Axis axes[MAX_AXES];
    size_t n_axes;
    uint64_t seeds, threads;
    const char *data, *csv;
    bool augment, quiet;
} SweepOptions;

static void add_axis(OptionTable *table, SweepOptions *o, const Setting *row)
{
    assert(o->n_axes < MAX_AXES);
    Axis *axis = &o->axes[o->n_axes++];
    const char *placeholder = row->type == SETTING_DOUBLE   ? "R,R,..."
                              : row->type == SETTING_CHOICE ? "NAME,NAME,..."
                              : row->type == SETTING_LIST   ? "N-N,N-N,..."
                                                            : "N,N,...";
    axis->row = row;
    axis->list = setting_default(row, o->settings.architecture);
    const Option option =
        OPT_STRING(row->flag, &axis->list, placeholder, row->help, .choices = row->choices);
    options_add(table, &option, 1);
}

static void sweep_options(OptionTable *table, void *values)
{
    SweepOptions *o = values;
    o->seeds = 1;
    o->csv = "sweep.csv";
    command_add_setting(table, "architecture", &o->settings);
    command_add_setting(table, "preset", &o->settings);
    for (const Setting *row = settings_table; row->key != NULL; row++)
        if ((row->flags & SETTING_AXIS) != 0)
            add_axis(table, o, row);
    const Option rows[] = {
        OPT_AUGMENT(&o->augment),
        OPT_UINT("seeds", &o->seeds, 1, 10000, "N", "train with each seed from 1 to N"),
        OPT_DATA(&o->data),
        OPT_TABLE(
            "csv", &o->csv,
            "add one row per training to this table, and skip the trainings that it has; - is "
            "standard output, where every combination is trained"),
        OPT_THREADS(&o->threads),
        OPT_QUIET(&o->quiet),
    };
    command_add_setting(table, "epochs", &o->settings);
    command_add_setting(table, "transposed", &o->settings);
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

// The default of an axis is the one value of the preset or the architecture.
static bool sweep_defaults(const OptionTable *table, void *values, Error *err)
{
    SweepOptions *o = values;
    bool ok = command_default_settings(table, o, err);
    for (Axis *axis = o->axes; axis < o->axes + o->n_axes; axis++)
        if (!options_given(table, &axis->list)) {
            char number[NUMBER_SIZE];
            snprintf(axis->text, sizeof axis->text, "%s",
                     setting_text(axis->row, &o->settings, number));
            axis->list = axis->text;
        }
    return ok;
}

// The number of a value in the axis; axis->n: it is not there.
static size_t axis_find(const Axis *axis, const char *value)
{
    size_t i = 0;
    while (i < axis->n && strcmp(axis->values[i], value) != 0)
        i++;
    return i;
}

// Reads the list of values. The default is one, too, where it is below the range: 0 for the size of
// all training images. On failure err names the flag.
static bool axis_parse(Axis *axis, const char *architecture, Error *err)
{
    if (axis->list == axis->text) {
        memcpy(axis->values[axis->n++], axis->text, NUMBER_SIZE);
        return true;
    }
    const char *flag = axis->row->flag;
    Setting row = *axis->row;
    if (row.type != SETTING_LIST)
        row.min = fmin(row.min, strtod(setting_default(&row, architecture), NULL));
    for (const char *list = axis->list; list != NULL;) {
        const char *comma = strchr(list, ',');
        int length = comma == NULL ? (int)strlen(list) : (int)(comma - list);
        char word[64], *value = axis->values[axis->n];
        Error reason;
        mlp_settings settings;
        if (axis->n == MAX_VALUES)
            return error_set(err, "--%s: more than %d values", flag, MAX_VALUES);
        if (length >= (int)sizeof word)
            return error_set(err, "--%s: '%.40s...' is too long", flag, list);
        snprintf(word, sizeof word, "%.*s", length, list);
        if (!setting_parse(&row, &settings, word, &reason))
            return error_set(err, "--%s: %s", flag, reason.text);
        snprintf(value, NUMBER_SIZE, "%s", setting_text(&row, &settings, word));
        if (axis_find(axis, value) < axis->n)
            return error_set(err, "--%s: %s is given twice", flag, value);
        axis->n++;
        list = comma == NULL ? NULL : comma + 1;
    }
    return true;
}

// Reads all lists; together they must not mean too many trainings.
static bool axes_parse(SweepOptions *o, Error *err)
{
    uint64_t n = o->seeds;
    for (Axis *axis = o->axes; axis < o->axes + o->n_axes; axis++) {
        if (!axis_parse(axis, o->settings.architecture, err))
            return false;
        if (n <= MAX_TRAININGS) // else a further product might not fit
            n *= axis->n;
    }
    return n <= MAX_TRAININGS ||
           error_set(err, "more than %d trainings: give shorter lists or fewer --seeds",
                     MAX_TRAININGS);
}

// ---------------------------------------------------------------------------------------------
// The trainings to do

// What came of one training.
typedef struct Outcome {
    mlp_result result;
    mlp_epoch kept; // the epoch that the model is of
    mlp_evaluation test;
    size_t parameters;
    double seconds;
} Outcome;

typedef struct Combination {
    mlp_settings settings;
    bool is_done;    // the table had it
    bool is_trained; // in this run: the outcome can be written
    Outcome outcome;
} Combination;

typedef struct Sweep {
    Context *context;
    SweepOptions *options;
    const mlp_data *data, *test;
    Split split; // of a training on all images
    Combination *list;
    size_t n, n_to_do, threads;
    double cost_to_do;
    double start;
    bool is_contradiction; // what prepare found: settings that do not go together

    // The workers share what follows. It belongs to the one that has the mutex; atomics may be read
    // without.
    pthread_mutex_t mutex;
    size_t next;            // combination to begin
    size_t row;             // combination whose row comes next
    size_t n_done;          // rows that this run has written
    double cost_done;       // of trainings that have ended
    atomic_size_t n_ended;  // such trainings
    atomic_size_t n_wanted; // nothing after these combinations: the next one failed
    Error err;              // why
    Output csv;
} Sweep;

// Replaces the size 0 by that of all images but those for validation, which may be there already.
static void resolve_train_size(Axis *axis, size_t all)
{
    char text[NUMBER_SIZE];
    size_t zero = axis_find(axis, "0");
    snprintf(text, sizeof text, "%zu", all);
    if (zero < axis->n && axis_find(axis, text) < axis->n)
        memmove(axis->values[zero], axis->values[zero + 1], (--axis->n - zero) * NUMBER_SIZE);
    else if (zero < axis->n)
        memcpy(axis->values[zero], text, sizeof text);
}

// The loop over the values of axis number n - 1, inside those of the axes after it; the innermost
// loop is that over the seeds.
//
// NOLINTNEXTLINE(misc-no-recursion): as deep as there are axes
static void add_combinations(Sweep *sweep, size_t n, mlp_settings settings)
{
    if (n == 0) {
        for (settings.seed = 1; settings.seed <= sweep->options->seeds; settings.seed++)
            sweep->list[sweep->n++] = (Combination){.settings = settings};
        return;
    }
    Error never;
    const Axis *axis = &sweep->options->axes[n - 1];
    for (size_t i = 0; i < axis->n; i++) {
        (void)setting_parse(axis->row, &settings, axis->values[i], &never);
        add_combinations(sweep, n - 1, settings);
    }
}

// Whether the settings go together, and make a network for the data.
static bool combination_check(Sweep *sweep, const mlp_settings *settings, Error *err)
{
    const mlp_data *data = sweep->data;
    Network net;
    Architecture architecture = architecture_of(settings, data->rows, data->cols, data->n_classes);
    sweep->is_contradiction = !settings_check(settings, err);
    return !sweep->is_contradiction && network_build(&net, &architecture, err);
}

// Lists the trainings and looks whether the data have images enough for each.
static bool list_combinations(Sweep *sweep, Arena *arena, Error *err)
{
    SweepOptions *o = sweep->options;
    size_t n = (size_t)o->seeds;
    Error reason;
    Split unused = {0};
    if (!dataset_split(&sweep->split, sweep->data->n, 0, 0, err))
        return false;
    for (Axis *axis = o->axes; axis < o->axes + o->n_axes; axis++) {
        if (axis->row == setting_find(settings_table, "train_size"))
            resolve_train_size(axis, range_length(sweep->split.train));
        n *= axis->n;
    }
    sweep->list = arena_alloc(arena, n, sizeof *sweep->list, "the list of trainings", err);
    if (sweep->list == NULL)
        return false;
    add_combinations(sweep, o->n_axes, o->settings);
    for (size_t i = 0; i < n; i++)
        if (!dataset_split(&unused, sweep->data->n, (size_t)sweep->list[i].settings.train_size, 0,
                           &reason))
            return error_set(err, "%s: %s", sweep->data->name, reason.text);
        else if (!combination_check(sweep, &sweep->list[i].settings, err))
            return false;
    return true;
}

static double combination_cost(const Combination *c)
{
    return (double)c->settings.train_size * (double)(c->settings.hidden[0] + 16);
}

// ---------------------------------------------------------------------------------------------
// The table

enum { KEY_SIZE = 1024 };

// The settings whose columns a row begins with. One that is newer than the table has its column
// only where a training has another value than its absence means: older tables stay as they are.
static bool has_column(const Sweep *sweep, const Setting *row)
{
    const SweepOptions *o = sweep->options;
    if (row->since == 1)
        return (row->flags & (SETTING_AXIS | SETTING_COLUMN)) != 0;
    if ((row->flags & SETTING_COLUMN) != 0)
        return setting_is_shown(row, &o->settings, o->settings.architecture);
    for (const Axis *axis = o->axes; axis < o->axes + o->n_axes; axis++)
        if (axis->row == row)
            return axis->n > 1 ||
                   strcmp(axis->values[0], setting_absent(row, o->settings.architecture)) != 0;
    return false;
}

// What the row of a combination begins with: all that its result depends on. NULL: the names of
// these columns.
static void combination_key(char key[KEY_SIZE], const Sweep *sweep, const Combination *c)
{
    char number[NUMBER_SIZE];
    int n = c == NULL ? snprintf(key, KEY_SIZE, "data_crc32,")
                      : snprintf(key, KEY_SIZE, "%08lx,", (unsigned long)sweep->data->crc32);
    for (const Setting *row = settings_table; row->key != NULL; row++)
        if (has_column(sweep, row))
            n += snprintf(key + n, KEY_SIZE - (size_t)n, "%s,",
                          c == NULL ? row->key : setting_text(row, &c->settings, number));
    assert(n < KEY_SIZE);
}

// Marks the combinations that the table has. `text` begins after the header.
static void mark_done(Sweep *sweep, const char *text, const char *end)
{
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        for (size_t i = 0; i < sweep->n; i++) {
            char key[KEY_SIZE];
            combination_key(key, sweep, &sweep->list[i]);
            size_t length = strlen(key);
            if ((size_t)(newline - text) > length && memcmp(text, key, length) == 0)
                sweep->list[i].is_done = true;
        }
        text = newline + 1;
    }
}

// Opens the table and keeps the rows of an older one, but for a last row that is cut short.
static bool open_table(Sweep *sweep, Arena *arena, Error *err)
{
    char names[KEY_SIZE], header[KEY_SIZE + 200], *old;
    size_t size;
    combination_key(names, sweep, NULL);
    snprintf(header, sizeof header, "%s%s", names,
             "result,train_loss,train_accuracy,validation_loss,validation_accuracy,test_loss,"
             "test_accuracy,parameters,seconds\n");
    if (!command_open_table(sweep->context, &sweep->csv, sweep->options->csv))
        return false;
    if (!table_read_old(&old, &size, &sweep->csv, header, "a table of this sweep", arena, err)) {
        output_discard(&sweep->csv);
        return false;
    }
    if (old == NULL) {
        fputs(header, sweep->csv.stream);
        return true;
    }
    while (old[size - 1] != '\n')
        size--;
    fwrite(old, 1, size, sweep->csv.stream);
    mark_done(sweep, old + strlen(header), old + size);
    return true;
}

static bool add_row(Sweep *sweep, const Combination *c, Error *err)
{
    const Outcome *outcome = &c->outcome;
    const mlp_epoch *kept = &outcome->kept;
    const double figures[] = {kept->train_loss,      kept->train_accuracy,
                              kept->validation_loss, kept->validation_accuracy,
                              outcome->test.loss,    outcome->test.accuracy};
    bool is_done = outcome->result == MLP_DONE;
    char key[KEY_SIZE];
    CsvWriter csv = {.out = sweep->csv.stream};
    combination_key(key, sweep, c);
    fputs(key, csv.out);
    csv_string(&csv, is_done ? "done" : "diverged");
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        is_done ? csv_double(&csv, figures[i]) : csv_string(&csv, "");
    csv_uint(&csv, outcome->parameters);
    csv_fixed(&csv, outcome->seconds, 4);
    csv_end_row(&csv);
    return output_publish(&sweep->csv, err);
}

// ---------------------------------------------------------------------------------------------
// One training

// A worker's training.
typedef struct Training {
    Sweep *sweep;
    Combination *combination;
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
    Outcome *outcome = &((Training *)context)->combination->outcome;
    (void)model;
    if (epoch->is_kept)
        outcome->kept = *epoch;
    outcome->seconds += epoch->seconds;
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

static void train_one(Sweep *sweep, Combination *c, Error *err)
{
    Training t = {sweep, c};
    Outcome *outcome = &c->outcome;
    const mlp_observer observer = {&t, true, watch_batch, watch_epoch, share_threads};
    outcome->result = MLP_FAILED;
    mlp_model *model = mlp_create(&c->settings, sweep->data, err->text);
    if (model == NULL)
        return;
    outcome->parameters = mlp_parameters(model);
    outcome->result = mlp_train(model, sweep->data, (size_t)c->settings.epochs, most_threads(&t),
                                &observer, err->text);
    if (outcome->result == MLP_DONE && !mlp_evaluate(model, sweep->test, MLP_ALL, share_threads(&t),
                                                     &outcome->test, NULL, err->text))
        outcome->result = MLP_FAILED;
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
        if (has_column(sweep, axis->row))
            fprintf(stderr, "%s %s  ", axis->row->flag,
                    setting_text(axis->row, &c->settings, number));
    fprintf(stderr, "seed %llu  ", (unsigned long long)c->settings.seed);
    if (outcome->result == MLP_DONE)
        fprintf(stderr, "validation %.2f %%  test %.2f %%",
                100.0 * outcome->kept.validation_accuracy, 100.0 * outcome->test.accuracy);
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
        if (!add_row(sweep, c, &err)) {
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
    sweep->cost_done += combination_cost(c);
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

// Returns the exit status.
static int train_all(Sweep *sweep, Error *err)
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

// ---------------------------------------------------------------------------------------------
// The command

// All that can be wrong is found before an hour has passed.
static bool prepare(Sweep *sweep, Context *c)
{
    const SweepOptions *o = sweep->options;
    Error reason, *err = &c->err;
    sweep->data = command_open_data(c, MLP_TRAIN_FILES, o->data, o->settings.transposed);
    if (sweep->data == NULL)
        return false;
    sweep->test = command_open_data(c, MLP_TEST_FILES, o->data, o->settings.transposed);
    if (sweep->test == NULL || !list_combinations(sweep, &c->arena, err))
        return false;
    mlp_model *first = mlp_create(&sweep->list[0].settings, sweep->data, err->text);
    bool fits = first != NULL && (mlp_fits(first, sweep->test, reason.text) ||
                                  error_set(err, "the test images: %s", reason.text));
    mlp_close(first);
    if (!fits || !open_table(sweep, &c->arena, err))
        return false;
    notes_data_doubtful(sweep->data, &sweep->split);
    sweep->threads = command_threads(c, o->threads);
    atomic_store(&sweep->n_wanted, sweep->n);
    for (size_t i = 0; i < sweep->n; i++)
        if (!sweep->list[i].is_done) {
            sweep->n_to_do++;
            sweep->cost_to_do += combination_cost(&sweep->list[i]);
        }
    return true;
}

static int run(Context *c)
{
    SweepOptions *o = c->values;
    Sweep sweep = {.context = c, .options = o, .mutex = PTHREAD_MUTEX_INITIALIZER};
    if (!axes_parse(o, &c->err))
        return STATUS_USAGE;
    int status = command_begin(c);
    if (status != STATUS_DONE)
        return status;
    if (!prepare(&sweep, c))
        return sweep.is_contradiction ? STATUS_USAGE : STATUS_FAILED;
    sweep.start = clock_seconds();
    status = train_all(&sweep, &c->err);
    Error err; // a row that could not be written has been reported
    if (sweep.n_done > 0 && !ferror(sweep.csv.stream) && !command_commit(&sweep.csv, &err)) {
        if (status == STATUS_FAILED)
            command_fail(&c->err, status);
        c->err = err;
        status = STATUS_FAILED;
    }
    output_discard(&sweep.csv);
    if (status == STATUS_DONE && sweep.n_done == 0 && !o->quiet)
        command_note("%s has all %zu trainings already; nothing to do", o->csv, sweep.n);
    return status;
}

const Command command_sweep = {
    .name = "sweep",
    .summary = "train every combination of the given settings; one table row per training",
    .about =
        "Trains a network for each combination of the given values of settings and of the seeds, "
        "and adds one row for each to a table: loss and accuracy on the training and validation "
        "images after the last epoch, or that which --keep keeps, and on the test images. A "
        "training that diverges has a row that says so. Trainings that are in the table are not "
        "repeated, so the same command resumes a sweep that was stopped. Several trainings run at "
        "once, one thread each; the rows are in the order of the combinations. Commas separate the "
        "values of a setting; the sizes of one network have dashes between them (--hidden "
        "64,128-64). A train size of 0 is all but the validation images. The test figures are for "
        "reporting: choose settings on the validation images. --arch cnn has other defaults (mlp "
        "sweep --arch cnn --help).",
    .examples = {"mlp sweep --lr 1e-4,1e-3,1e-2 --seeds 5",
                 "mlp sweep --train-size 500,5000,50000 --csv sizes.csv"},
    .values_size = sizeof(SweepOptions),
    .options = sweep_options,
    .defaults = sweep_defaults,
    .print_more = command_print_presets,
    .run = run,
};
