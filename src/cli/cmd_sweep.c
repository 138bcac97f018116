// mlp sweep: a training for each combination of settings, a row each in one table.
#include "commands.h"
#include "evaluate.h"
#include "notes.h"
#include "numbers.h"
#include "settings.h"
#include "signals.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>

// ---------------------------------------------------------------------------------------------
// Options

typedef struct SweepOptions {
    const char *architecture, *learning_rates, *batch_sizes, *hidden, *train_sizes;
    uint64_t seeds, epochs, threads;
    const char *data, *csv;
    bool transposed, quiet;
    char default_rate[NUMBER_SIZE], default_batch[NUMBER_SIZE], default_hidden[NUMBER_SIZE];
} SweepOptions;

static void sweep_table(OptionTable *table, void *values)
{
    SweepOptions *o = values;
    o->architecture = "mlp";
    o->train_sizes = "0";
    o->seeds = 1;
    o->csv = "sweep.csv";
    const Option rows[] = {
        OPT_ARCH(&o->architecture),
        OPT_STRING("lr", &o->learning_rates, "R,R,...", "learning rates for the summed gradient"),
        OPT_STRING("batch", &o->batch_sizes, "N,N,...", "images in a batch"),
        OPT_STRING("hidden", &o->hidden, "N,N,...", "units of the hidden dense layer"),
        OPT_STRING("train-size", &o->train_sizes, "N,N,...",
                   "train on the first N images only; 0 stands for all but the validation images"),
        OPT_UINT("seeds", &o->seeds, 1, 10000, "N", "train with each seed from 1 to N"),
        OPT_UINT("epochs", &o->epochs, 1, 1000000, "N", "passes over the training images"),
        OPT_DATA(&o->data),
        OPT_TRANSPOSE(&o->transposed),
        OPT_TABLE("csv", &o->csv,
                  "add one row per training to this table, and leave out the trainings that it "
                  "has; - is standard output, where every combination is trained"),
        OPT_THREADS(&o->threads),
        OPT_QUIET(&o->quiet),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

static void sweep_defaults(const OptionTable *table, void *values)
{
    SweepOptions *o = values;
    mlp_settings defaults;
    settings_default(&defaults, o->architecture);
    if (!options_given(table, &o->learning_rates))
        o->learning_rates = format_shortest(o->default_rate, defaults.learning_rate);
    if (!options_given(table, &o->batch_sizes))
        o->batch_sizes = format_shortest(o->default_batch, (double)defaults.batch_size);
    if (!options_given(table, &o->hidden))
        o->hidden = format_shortest(o->default_hidden, (double)defaults.hidden);
    if (!options_given(table, &o->epochs))
        o->epochs = defaults.epochs;
}

enum { MAX_VALUES = 64 };

// The values of a list of numbers between commas.
typedef struct Values {
    double list[MAX_VALUES];
    size_t n;
} Values;

// Whole numbers are wanted where `whole` says so. On failure err names the flag.
static bool values_parse(Values *values, const char *flag, const char *text, bool whole, double min,
                         double max, Error *err)
{
    values->n = 0;
    for (;;) {
        size_t length = strcspn(text, ",");
        char number[64] = "", least[NUMBER_SIZE], most[NUMBER_SIZE];
        uint64_t count = 0;
        double *value = &values->list[values->n];
        bool ok = length < sizeof number;
        if (ok)
            memcpy(number, text, length);
        if (whole) {
            ok = ok && parse_uint(number, &count);
            *value = (double)count;
        } else {
            ok = ok && parse_double(number, value);
        }
        if (!ok || *value < min || *value > max)
            return error_set(err, "--%s: '%.*s' is not a %snumber from %s to %s", flag,
                             (int)(length < 60 ? length : 60), text, whole ? "whole " : "",
                             format_shortest(least, min), format_shortest(most, max));
        for (size_t i = 0; i < values->n; i++)
            if (values->list[i] == *value)
                return error_set(err, "--%s: %s is there twice", flag, number);
        values->n++;
        text += length;
        if (*text == '\0')
            return true;
        if (values->n == MAX_VALUES)
            return error_set(err, "--%s: more than %d numbers", flag, MAX_VALUES);
        text++;
    }
}

// ---------------------------------------------------------------------------------------------
// The trainings that there are to do

typedef struct Combination {
    double learning_rate;
    size_t batch_size, hidden, train_size, seed;
    bool is_done; // the table has it
} Combination;

typedef struct Sweep {
    Context *context;
    const SweepOptions *options;
    Values learning_rates, batch_sizes, hidden, train_sizes;
    Dataset data, test;
    Combination *list;
    size_t n, n_to_do, n_done; // done: by this run
    double cost_to_do, cost_done;
    double start;
    Output csv;
} Sweep;

static bool parse_values(Sweep *sweep, Error *err)
{
    const SweepOptions *o = sweep->options;
    return values_parse(&sweep->learning_rates, "lr", o->learning_rates, false, 1e-30, 1e38, err) &&
           values_parse(&sweep->batch_sizes, "batch", o->batch_sizes, true, 1, 65536, err) &&
           values_parse(&sweep->hidden, "hidden", o->hidden, true, 1, 65536, err) &&
           values_parse(&sweep->train_sizes, "train-size", o->train_sizes, true, 0, 4294967295.0,
                        err);
}

// In the order of the loops, the seed fastest.
static bool list_combinations(Sweep *sweep, Arena *arena, Error *err)
{
    size_t seeds = (size_t)sweep->options->seeds;
    size_t n = sweep->learning_rates.n * sweep->batch_sizes.n * sweep->hidden.n *
               sweep->train_sizes.n * seeds;
    Split all;
    if (!dataset_split(&all, sweep->data.n, 0, 0, err))
        return false;
    sweep->list = arena_alloc(arena, n, sizeof *sweep->list, "the list of trainings", err);
    if (sweep->list == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t rest = i / seeds;
        Combination *c = &sweep->list[i];
        c->seed = i % seeds + 1;
        c->learning_rate = sweep->learning_rates.list[rest % sweep->learning_rates.n];
        rest /= sweep->learning_rates.n;
        c->batch_size = (size_t)sweep->batch_sizes.list[rest % sweep->batch_sizes.n];
        rest /= sweep->batch_sizes.n;
        c->hidden = (size_t)sweep->hidden.list[rest % sweep->hidden.n];
        rest /= sweep->hidden.n;
        c->train_size = (size_t)sweep->train_sizes.list[rest];
        if (c->train_size == 0)
            c->train_size = range_length(all.train);
    }
    // The size of all images may have been given as a number, too: its trainings come first.
    for (size_t t = 0; t < sweep->train_sizes.n; t++) {
        size_t block = n / sweep->train_sizes.n;
        for (size_t u = 0; u < t; u++)
            if (sweep->list[t * block].train_size == sweep->list[u * block].train_size)
                for (size_t i = 0; i < block; i++)
                    sweep->list[t * block + i].is_done = true;
    }
    sweep->n = n;
    return true;
}

static double combination_cost(const Combination *c)
{
    return (double)c->train_size * (double)(c->hidden + 16);
}

// ---------------------------------------------------------------------------------------------
// The table

static const char header[] =
    "data_crc32,architecture,learning_rate,batch_size,hidden,train_size,seed,epochs,result,train_"
    "loss,"
    "train_accuracy,validation_loss,validation_accuracy,test_loss,test_accuracy,parameters,"
    "seconds\n";

// What a row of this combination begins with: all that its result depends on.
static void combination_key(char *key, size_t size, const Sweep *sweep, const Combination *c)
{
    char rate[NUMBER_SIZE];
    snprintf(key, size, "%08lx,%s,%s,%zu,%zu,%zu,%zu,%llu,", (unsigned long)sweep->data.crc32,
             sweep->options->architecture, format_shortest(rate, c->learning_rate), c->batch_size,
             c->hidden, c->train_size, c->seed, (unsigned long long)sweep->options->epochs);
}

// Marks the combinations that the table has. `text` begins behind the header.
static void mark_done(Sweep *sweep, const char *text, const char *end)
{
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        for (size_t i = 0; i < sweep->n; i++) {
            char key[160];
            combination_key(key, sizeof key, sweep, &sweep->list[i]);
            size_t length = strlen(key);
            if ((size_t)(newline - text) > length && memcmp(text, key, length) == 0)
                sweep->list[i].is_done = true;
        }
        text = newline + 1;
    }
}

// Takes over an older table, but for a last row that is cut short.
static bool take_over(Sweep *sweep, Arena *arena, Error *err)
{
    const size_t max_size = (size_t)1 << 30;
    const char *path = sweep->options->csv;
    unsigned char *old = NULL;
    size_t size = 0, at = strlen(header);
    if (!file_read(&old, &size, arena, path, max_size, "a table of trainings", err))
        return false;
    while (size > 0 && old[size - 1] != '\n')
        size--;
    if (size < at || memcmp(old, header, at) != 0)
        return error_set(
            err, "%s: is no table of a sweep, and would be replaced; name another --csv", path);
    fwrite(old, 1, size, sweep->csv.stream);
    mark_done(sweep, (const char *)old + at, (const char *)old + size);
    return true;
}

// Opens the table. A stream has no older rows.
static bool open_table(Sweep *sweep, Arena *arena, Error *err)
{
    const char *path = sweep->options->csv;
    struct stat status;
    if (!command_open_table(sweep->context, &sweep->csv, path))
        return false;
    if (output_is_stream(&sweep->csv) || stat(path, &status) != 0 || status.st_size == 0) {
        fputs(header, sweep->csv.stream);
        return true;
    }
    if (take_over(sweep, arena, err))
        return true;
    output_discard(&sweep->csv);
    return false;
}

// What came of one training.
typedef struct Outcome {
    TrainResult result;
    EpochReport last;
    Evaluation test;
    size_t parameters;
    double seconds;
} Outcome;

static bool add_row(Sweep *sweep, const Combination *c, const Outcome *outcome, Error *err)
{
    FILE *out = sweep->csv.stream;
    char key[160], n[6][NUMBER_SIZE];
    combination_key(key, sizeof key, sweep, c);
    if (outcome->result == TRAIN_DONE)
        fprintf(out, "%sdone,%s,%s,%s,%s,%s,%s", key, format_g9(n[0], outcome->last.train_loss),
                format_g9(n[1], outcome->last.train_accuracy),
                format_g9(n[2], outcome->last.validation_loss),
                format_g9(n[3], outcome->last.validation_accuracy),
                format_g9(n[4], outcome->test.loss),
                format_g9(n[5], evaluation_accuracy(&outcome->test)));
    else
        fprintf(out, "%sdiverged,,,,,,", key);
    fprintf(out, ",%zu,%.4f\n", outcome->parameters, outcome->seconds);
    return output_publish(&sweep->csv, err);
}

// ---------------------------------------------------------------------------------------------
// One training

static bool watch_batch(void *context, size_t epoch, size_t done, double loss)
{
    (void)context, (void)epoch, (void)done, (void)loss;
    return signals_noted() == 0;
}

static bool watch_epoch(void *context, const EpochReport *report, Error *err)
{
    Outcome *outcome = context;
    (void)err;
    outcome->last = *report;
    outcome->seconds += report->seconds;
    return true;
}

// Trains and judges. Everything is in the arena, which the caller frees.
static void train_one(Outcome *outcome, const Sweep *sweep, const Combination *c, ThreadPool *pool,
                      Arena *arena, Error *err)
{
    const Dataset *data = &sweep->data;
    Architecture architecture = {sweep->options->architecture, data->rows, data->cols, c->hidden,
                                 data->n_classes};
    mlp_settings settings = {.epochs = sweep->options->epochs,
                             .batch_size = c->batch_size,
                             .learning_rate = c->learning_rate,
                             .seed = c->seed};
    TrainObserver observer = {outcome, watch_batch, watch_epoch};
    TrainData training;
    Network net;
    Evaluator evaluator;
    float *params;
    *outcome = (Outcome){.result = TRAIN_FAILED};
    if (!command_train_data(&training, data, c->train_size, 0, sweep->options->data, err) ||
        !network_build(&net, &architecture, err) ||
        (params = network_alloc(&net, arena, err)) == NULL ||
        !evaluator_alloc(&evaluator, &net, pool, sweep->test.n, NULL, arena, err))
        return;
    training.validate_last_only = true;
    network_init(&net, params, c->seed);
    outcome->parameters = network_count_weights(&net);
    outcome->result = train_run(params, &net, &settings, &training, pool, &observer, arena, err);
    if (outcome->result == TRAIN_DONE)
        outcome->test = evaluator_run(&evaluator, params, &sweep->test, &training.scale,
                                      (Range){0, sweep->test.n});
}

static void tell(const Sweep *sweep, const Combination *c, const Outcome *outcome)
{
    double elapsed = clock_seconds() - sweep->start;
    long left = (long)(elapsed / sweep->cost_done * (sweep->cost_to_do - sweep->cost_done) + 0.5);
    char rate[NUMBER_SIZE];
    fprintf(stderr, "%zu/%zu  lr %s  batch %zu  hidden %zu  train %zu  seed %zu  ", sweep->n_done,
            sweep->n_to_do, format_shortest(rate, c->learning_rate), c->batch_size, c->hidden,
            c->train_size, c->seed);
    if (outcome->result == TRAIN_DONE)
        fprintf(stderr, "validation %.2f %%  test %.2f %%",
                100.0 * outcome->last.validation_accuracy,
                100.0 * evaluation_accuracy(&outcome->test));
    else
        fprintf(stderr, "diverged");
    fprintf(stderr, "  %ld:%02ld left\n", left / 60, left % 60);
}

// Returns the exit status.
static int train_all(Sweep *sweep, ThreadPool *pool, Error *err)
{
    for (size_t i = 0; i < sweep->n; i++) {
        const Combination *c = &sweep->list[i];
        if (c->is_done)
            continue;
        Arena arena = {0};
        Outcome outcome;
        train_one(&outcome, sweep, c, pool, &arena, err);
        arena_free(&arena);
        if (outcome.result == TRAIN_STOPPED) {
            if (signals_noted() != SIGPIPE)
                fprintf(stderr, "mlp: %s: stopped; %s the %zu trainings that are done\n",
                        signals_name(signals_noted()),
                        output_is_stream(&sweep->csv) ? "the table has"
                                                      : "the same command goes on after",
                        sweep->n_done);
            return 128 + signals_noted();
        }
        if (outcome.result == TRAIN_FAILED || !add_row(sweep, c, &outcome, err))
            return STATUS_FAILED;
        sweep->n_done++;
        sweep->cost_done += combination_cost(c);
        if (!sweep->options->quiet)
            tell(sweep, c, &outcome);
    }
    return STATUS_DONE;
}

// ---------------------------------------------------------------------------------------------
// The command

static bool prepare(Sweep *sweep, Arena *arena, Error *err)
{
    const SweepOptions *o = sweep->options;
    if (!command_read_data(&sweep->data, arena, o->data, IDX_TRAIN, o->transposed, err) ||
        !command_read_data(&sweep->test, arena, o->data, IDX_TEST, o->transposed, err) ||
        !list_combinations(sweep, arena, err))
        return false;
    if (sweep->test.rows != sweep->data.rows || sweep->test.cols != sweep->data.cols)
        return error_set(err, "%s: the test images do not have the training images' size",
                         command_data_directory(o->data));
    size_t beyond = dataset_find_beyond(&sweep->test, sweep->data.n_classes);
    if (beyond < sweep->test.n)
        return error_set(err,
                         "%s: the test image %zu has the label %u; the training images have %zu "
                         "classes",
                         command_data_directory(o->data), beyond, sweep->test.labels[beyond],
                         sweep->data.n_classes);
    for (size_t i = 0; i < sweep->train_sizes.n; i++) { // all, before an hour has passed
        Split split;
        if (!dataset_split(&split, sweep->data.n, (size_t)sweep->train_sizes.list[i], 0, err))
            return false;
    }
    Split all;
    if (!dataset_split(&all, sweep->data.n, 0, 0, err) || !open_table(sweep, arena, err))
        return false;
    notes_data_doubtful(&sweep->data, &all, command_data_directory(o->data));
    for (size_t i = 0; i < sweep->n; i++)
        if (!sweep->list[i].is_done) {
            sweep->n_to_do++;
            sweep->cost_to_do += combination_cost(&sweep->list[i]);
        }
    return true;
}

static int sweep_run(Sweep *sweep, Context *c)
{
    if (!prepare(sweep, &c->arena, &c->err))
        return STATUS_FAILED;
    sweep->start = clock_seconds();
    ThreadPool *pool = command_pool(c, sweep->options->threads);
    int status = pool == NULL ? STATUS_FAILED : train_all(sweep, pool, &c->err);
    if (pool != NULL)
        pool_close(pool);
    Error err;
    if (sweep->n_done > 0 && !command_commit(&sweep->csv, &err)) {
        if (status == STATUS_FAILED)
            command_fail(&c->err, status);
        c->err = err;
        status = STATUS_FAILED;
    }
    output_discard(&sweep->csv);
    if (status == STATUS_DONE && sweep->n_done == 0 && !sweep->options->quiet)
        command_note("%s has all %zu trainings already; nothing to do", sweep->options->csv,
                     sweep->n);
    return status;
}

static int run(Context *c)
{
    const SweepOptions *o = c->values;
    Sweep sweep = {.context = c, .options = o};
    if (!parse_values(&sweep, &c->err))
        return STATUS_USAGE;
    int status = command_check_outputs(c);
    return status == STATUS_DONE ? sweep_run(&sweep, c) : status;
}

const Command command_sweep = {
    .name = "sweep",
    .summary = "train with every combination of settings, a row each in one table",
    .about =
        "Trains a network for each combination of the given learning rates, batch sizes, hidden "
        "units, training-set sizes and seeds, and adds a row for each to a table: the figures "
        "of the last epoch on training and validation images, and those of the test images. A "
        "training that diverges has a row that says so. Trainings that the table has are not "
        "done again, so that a sweep that was stopped goes on. The test figures are for "
        "reporting: settings are chosen on the validation images. --arch cnn has defaults of its "
        "own (mlp sweep --arch cnn --help).",
    .examples = {"mlp sweep --lr 1e-4,1e-3,1e-2 --seeds 5",
                 "mlp sweep --train-size 500,5000,50000 --csv sizes.csv"},
    .values_size = sizeof(SweepOptions),
    .options = sweep_table,
    .defaults = sweep_defaults,
    .run = run,
};
