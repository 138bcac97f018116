// mlp sweep: a training for each combination of settings, one row per training in a table. Knows
// the options and what is done in which order; the parts are in sweep.h, which is to be read next.
#include "data_notes.h"
#include "progress.h"
#include "sweep.h"

#include <assert.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Options

static void add_axis(OptionTable *table, SweepOptions *o, const Setting *row)
{
    assert(o->n_axes < SWEEP_MAX_AXES);
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
        OPT_BOOL("summary", &o->summary,
                 "print mean, standard deviation and 95 % confidence interval of the accuracies "
                 "over the seeds (Student's t), for each combination in the table",
                 .excludes = "list"),
        OPT_BOOL("json", &o->json, "print the summary as JSON to standard output",
                 .excludes = "list"),
        OPT_BOOL("list", &o->list,
                 "train nothing; print one command per training, each with a table of its own, "
                 "for make, GNU parallel, Slurm and others to run",
                 .excludes = "merge"),
        OPT_UINT("only", &o->only, 1, SWEEP_MAX_TRAININGS, "N", "do training N of the --list alone",
                 .default_text = "all", .excludes = "list"),
        OPT_BOOL("merge", &o->merge,
                 "train nothing; join the rows of the TABLEs into the table of --csv, or print the "
                 "commands of those that are missing and exit with status 1",
                 .excludes = "only"),
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
    if (sweep->test == NULL || !sweep_list_combinations(sweep, &c->arena, err))
        return false;
    mlp_model *first = mlp_create(&sweep->list[0].settings, sweep->data, err->text);
    bool fits = first != NULL && (mlp_fits(first, sweep->test, reason.text) ||
                                  error_set(err, "the test images: %s", reason.text));
    mlp_close(first);
    sweep->is_usage_error = fits && o->only > sweep->n;
    if (sweep->is_usage_error)
        return error_set(err, "--only %llu: this sweep has %zu trainings",
                         (unsigned long long)o->only, sweep->n);
    return fits;
}

static int print_commands(const Sweep *sweep, Error *err)
{
    if (!sweep_check_words(sweep, err))
        return STATUS_USAGE;
    for (size_t i = 0; i < sweep->n; i++)
        sweep_print_command(sweep, i);
    return STATUS_DONE;
}

// Trains what the table does not have.
static int train(Sweep *sweep, Error *err)
{
    const SweepOptions *o = sweep->options;
    notes_data_doubtful(sweep->data, NULL, &sweep->split);
    sweep->threads = command_threads(sweep->context, o->threads);
    atomic_store(&sweep->n_wanted, sweep->n);
    for (size_t i = 0; i < sweep->n; i++) {
        Combination *c = &sweep->list[i];
        c->is_done = c->is_done || (o->only != 0 && i != o->only - 1);
        sweep->n_to_do += !c->is_done;
        sweep->cost_to_do += c->is_done ? 0.0 : c->cost;
    }
    sweep->start = clock_seconds();
    return sweep_train_all(sweep, err);
}

// Fills the table: trains, or merges. Returns the exit status.
static int fill_table(Sweep *sweep, Context *c)
{
    const SweepOptions *o = sweep->options;
    if ((o->merge && !sweep_read_parts(sweep)) || !sweep_open_table(sweep, &c->arena, &c->err))
        return STATUS_FAILED;
    int status = o->merge ? sweep_merge(sweep, &c->err) : train(sweep, &c->err);
    Error err; // a row that could not be written has been reported
    if (sweep->n_done > 0 && !ferror(sweep->csv.stream) && !command_commit(&sweep->csv, &err)) {
        if (status == STATUS_FAILED)
            command_fail(&c->err, status);
        c->err = err;
        status = STATUS_FAILED;
    }
    output_discard(&sweep->csv);
    if (status == STATUS_DONE && sweep->n_done == 0 && !o->quiet)
        command_note("%s has all %zu trainings already; nothing to do", o->csv,
                     o->only != 0 ? (size_t)1 : sweep->n);
    return status;
}

static int check_words(const Context *c, Error *err)
{
    const SweepOptions *o = c->values;
    if (o->merge == (c->words.model != NULL))
        return STATUS_DONE;
    if (o->merge)
        error_set(err, "--merge: name the tables to join: mlp sweep --merge TABLE...");
    else
        error_set(err, "unexpected argument '%s'; tables to join need --merge", c->words.model);
    return STATUS_USAGE;
}

static int run(Context *c)
{
    SweepOptions *o = c->values;
    Sweep sweep = {.context = c, .options = o, .mutex = PTHREAD_MUTEX_INITIALIZER};
    int status = check_words(c, &c->err);
    if (status == STATUS_DONE && !sweep_parse_axes(o, &c->err))
        status = STATUS_USAGE;
    if (status == STATUS_DONE && !o->list) // which has standard output, and leaves --csv to others
        status = command_begin(c);
    if (status != STATUS_DONE)
        return status;
    if (!prepare(&sweep, c))
        return sweep.is_usage_error ? STATUS_USAGE : STATUS_FAILED;
    if (o->list)
        return print_commands(&sweep, &c->err);
    status = fill_table(&sweep, c);
    if (status == STATUS_DONE && (o->summary || o->json) &&
        !sweep_print_summary(&sweep, &c->arena, &c->err))
        status = STATUS_FAILED;
    return status;
}

const Command command_sweep = {
    .name = "sweep",
    .arguments = "[TABLE]...",
    .summary = "train every combination of the given settings; one table row per training",
    .about = "Trains a network for each combination of the given values of settings and of the "
             "seeds, and adds one row for each to a table: loss and accuracy on the training, "
             "validation and test images. Choose settings on the validation images. Trainings "
             "that are in the table are not repeated, so the same command resumes a sweep that "
             "was stopped. Several run at once, one thread each. Commas separate the values of a "
             "setting; the sizes of one network have dashes between them (--hidden 64,128-64). A "
             "train size of 0 is all but the validation images. --arch cnn has other defaults "
             "(mlp sweep --arch cnn --help).\n\n"
             "More than one machine: --list prints one command per training, which other programs "
             "run anywhere, and --merge with the same flags joins their tables.",
    .examples = {"mlp sweep --lr 1e-4,1e-3,1e-2 --seeds 5 --summary",
                 "mlp sweep --seeds 9 --list | sh; mlp sweep --seeds 9 --merge sweep-*.csv"},
    .values_size = sizeof(SweepOptions),
    .options = sweep_options,
    .defaults = sweep_defaults,
    .print_more = command_print_presets,
    .run = run,
};
