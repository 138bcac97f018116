// mlp train: options -> data -> network -> training -> model and curves. Knows when what is
// written, and what a training says; leaves the settings to settings.h, the table of curves to
// tables.h, the live line to progress.h, what it says of the data to data_notes.h and the work to
// the library (mlp.h). A training is a new one, one that is resumed, or a new one that starts from
// a model's weights.
#include "chain.h"
#include "commands.h"
#include "data_notes.h"
#include "json.h"
#include "numbers.h"
#include "path.h"
#include "progress.h"
#include "schedule.h"
#include "signals.h"
#include "tables.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---------------------------------------------------------------------------------------------
// Options

typedef struct TrainOptions {
    mlp_settings settings; // class_names: the value of --classes
    uint64_t checkpoint_every, threads;
    const char *data, *output, *csv, *chain, *resume, *from;
    bool augment, no_transpose, quiet, json;
} TrainOptions;

static void train_options(OptionTable *table, void *values)
{
    TrainOptions *o = values;
    o->output = "model.bin";
    for (const Setting *row = settings_table; row->key != NULL; row++)
        command_add_setting(table, row->key, &o->settings);
    const Option rows[] = {
        OPT_AUGMENT(&o->augment),
        OPT_DATA(&o->data),
        OPT_STRING("output", &o->output, "FILE",
                   "model file to write; with --resume the default is the file of that model",
                   .letter = 'o', .role = ROLE_WRITES_MODEL),
        OPT_TABLE("csv", &o->csv,
                  "write one row per epoch here (- is standard output); the default replaces an "
                  "older table of curves, but no other file",
                  .default_text = "the model's name with .csv: second.csv for second.bin, but "
                                  "curves.csv for model.bin"),
        OPT_TABLE("chain", &o->chain,
                  "write the SHA-256 of the model of every epoch here, for mlp verify; with "
                  "--resume, continue the chain that the training had",
                  .default_text = ""),
        OPT_UINT("checkpoint-every", &o->checkpoint_every, 1, SETTING_MAX_EPOCHS, "N",
                 "write the model every N epochs, not only at the end",
                 .default_text = "once a minute"),
        OPT_STRING("resume", &o->resume, "MODEL",
                   "resume training of MODEL up to --epochs; its settings are kept",
                   .default_text = "", .role = ROLE_READS_MODEL, .excludes = "augment"),
        OPT_STRING("from", &o->from, "MODEL",
                   "start a new training from the weights of MODEL; the network and the classes "
                   "are its own, other settings and data of images of the same size may differ",
                   .default_text = "", .role = ROLE_READS, .excludes = "resume"),
        OPT_BOOL("no-transpose", &o->no_transpose,
                 "with --from: the files store the images row by row, although MODEL was trained "
                 "with --transpose",
                 .excludes = "transpose"),
        OPT_THREADS(&o->threads),
        OPT_QUIET(&o->quiet),
        OPT_JSON(&o->json),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

// ---------------------------------------------------------------------------------------------
// Resuming: the model's settings take the place of the defaults

static bool error_contradiction(const Setting *row, const char *given, const char *path,
                                const char *trained_with, Error *err)
{
    bool is_flag = row->type == SETTING_BOOL;
    return error_set(err,
                     "--%s%s%s: %s was trained with%s%s, and a training that is resumed keeps its "
                     "settings",
                     row->flag, is_flag ? "" : " ", is_flag ? "" : given, path,
                     is_flag ? "out it" : " ", is_flag ? "" : trained_with);
}

// Takes the model's settings, with which those that were given must agree. The names of classes are
// compared when they have been read.
static bool take_settings(TrainOptions *o, const OptionTable *table, const mlp_settings *model,
                          Error *err)
{
    mlp_settings defaults;
    settings_default(&defaults, model->architecture);
    for (const Setting *row = settings_table; row->key != NULL; row++) {
        char number[NUMBER_SIZE], trained[NUMBER_SIZE];
        bool is_run = (row->flags & SETTING_RUN) != 0;
        if ((row->flags & SETTING_FILE) != 0)
            continue;
        if (!command_setting_given(table, row, &o->settings))
            setting_copy(row, &o->settings, is_run ? &defaults : model);
        const char *given = setting_text(row, &o->settings, number);
        const char *trained_with = setting_text(row, model, trained);
        if (!is_run && strcmp(given, trained_with) != 0)
            return error_contradiction(row, given, o->resume,
                                       trained_with[0] != '\0' ? trained_with : "none", err);
    }
    return true;
}

// Checks how many epochs the model is to have in all. Where nobody says it, those that it was begun
// for, or the default, which never means fewer.
static bool take_epochs(TrainOptions *o, const OptionTable *table, const mlp_model *model,
                        Error *err)
{
    uint64_t *epochs = &o->settings.epochs;
    unsigned long long done = model->state.epochs, planned = model->state.planned_epochs;
    if (!options_given(table, epochs))
        *epochs = planned != 0 ? planned : *epochs < done ? done : *epochs;
    if (planned != 0 && *epochs != planned)
        return error_set(err,
                         "--epochs %llu: %s was begun for %llu epochs in all, on which its "
                         "learning rates depend; a new training can start from it (--from)",
                         (unsigned long long)*epochs, o->resume, planned);
    return *epochs >= done ||
           error_set(err, "--epochs %llu: %s has %llu epochs already; they can only become more",
                     (unsigned long long)*epochs, o->resume, done);
}

// ---------------------------------------------------------------------------------------------
// Starting from a model: its network takes the place of the defaults

// Takes the shape of the network from the model that the training starts from; what was given must
// agree. How the data are stored is what was given, else what it was for the model.
static bool take_shape(TrainOptions *o, OptionTable *table, const mlp_settings *model, Error *err)
{
    for (const Setting *row = settings_table; row->key != NULL; row++) {
        char number[NUMBER_SIZE], own[NUMBER_SIZE];
        if ((row->flags & SETTING_SHAPE) == 0)
            continue;
        const char *given = setting_text(row, &o->settings, number);
        const char *models = setting_text(row, model, own);
        if (command_setting_given(table, row, &o->settings) && strcmp(given, models) != 0)
            return error_set(err,
                             "--%s %s: %s has %s, and a training that starts from a model keeps "
                             "its network",
                             row->flag, given, o->from, models[0] != '\0' ? models : "none");
        setting_copy(row, &o->settings, model);
        options_set_given(table, (char *)&o->settings + row->offset);
    }
    if (model->transposed && !o->no_transpose) {
        o->settings.transposed = true;
        options_set_given(table, &o->settings.transposed);
    }
    return true;
}

// ---------------------------------------------------------------------------------------------
// One training: what it works on, and what it says

typedef struct Job {
    Context *context;
    const TrainOptions *options;
    size_t epochs_before; // of the model that is resumed, 0: a new training
    const mlp_data *data;
    const mlp_model *from;  // the weights that it starts from; NULL: initial ones
    const mlp_model *model; // of the last complete epoch
    Split split;
    Output csv, chain; // chain: only with --chain
    Chain row;         // the last one of the chain
    bool csv_failed;   // or the chain, which ended the training
    Progress progress;
    mlp_epoch last;
    mlp_epoch kept_figures; // of the epoch that the model is of
    double seconds;         // of training alone, all epochs
    size_t saved_epoch;     // in the model file, 0: this training has not written it
    double saved_time;
    char *kept;        // the last copy of a model that could not be put in place; NULL: none
    size_t kept_epoch; // in that copy
    Error noted;       // the last note on writing the model; "": none
} Job;

static size_t epochs_done(const Job *job)
{
    return (size_t)mlp_model_settings(job->model)->epochs;
}

// Every checkpoint may give the same note: it is printed once.
static void note_model(Job *job, const Error *note)
{
    if (note->text[0] == '\0' || strcmp(note->text, job->noted.text) == 0)
        return;
    progress_end(&job->progress);
    command_note("%s", note->text);
    job->noted = *note;
}

// A newer copy, at `path` or in its place (NULL), is complete: one copy is enough.
static void keep_copy(Job *job, const char *path)
{
    Error ignored;
    if (job->kept != NULL)
        unlink(job->kept);
    job->kept = path == NULL ? NULL : arena_printf(&job->context->arena, &ignored, "%s", path);
    job->kept_epoch = job->kept == NULL ? 0 : epochs_done(job);
}

static bool save_model(Job *job, const char *path, Error *err)
{
    Arena arena = {0}; // of this call alone: there may be many
    Output out;
    bool ok = model_save(job->model, &out, &arena, path, err);
    note_model(job, &out.note);
    if (ok || out.kept != NULL)
        keep_copy(job, out.kept);
    if (ok) {
        job->saved_epoch = epochs_done(job);
        job->saved_time = clock_seconds();
    }
    arena_free(&arena);
    return ok;
}

// The directory of the model is gone, for example, or the disk is full: a new directory is better
// than losing the training.
static void rescue_model(Job *job)
{
    Error ignored;
    const char *directory = output_temporary_directory();
    char *fresh = arena_printf(&job->context->arena, &ignored, "%s/mlp-XXXXXX", directory);
    if (fresh == NULL || mkdtemp(fresh) == NULL)
        return;
    char *path = arena_printf(&job->context->arena, &ignored, "%s/model.bin", fresh);
    if (path != NULL && save_model(job, path, &ignored))
        keep_copy(job, path);
    else
        rmdir(fresh);
}

// Whatever the error is about, it says where the model of the last epoch is, if not in its place.
static void name_copy(const Job *job, Error *err)
{
    Error first = *err;
    if (job->kept != NULL && job->kept_epoch == epochs_done(job) &&
        strstr(first.text, job->kept) == NULL)
        error_set(err, "%s; the model is in %s", first.text, job->kept);
}

// Writes the table and the model of the last complete epoch, if they are not written yet. When one
// cannot be written, the other still is; a table whose reader went away is not a failure.
static bool save_all(Job *job, Error *err)
{
    Error second;
    if (job->last.epoch == 0)
        return true;
    bool table = (command_commit(&job->csv, err) &&
                  (job->chain.stream == NULL || command_commit(&job->chain, err))) ||
                 signals_noted() == SIGPIPE;
    bool model = job->saved_epoch == epochs_done(job) ||
                 save_model(job, job->options->output, table ? err : &second);
    if (!model && job->kept_epoch != epochs_done(job))
        rescue_model(job);
    return table && model;
}

static bool checkpoint_is_due(const Job *job)
{
    const double interval = 60.0;
    size_t every = (size_t)job->options->checkpoint_every, epoch = epochs_done(job);
    return every > 0 ? epoch % every == 0 : clock_seconds() - job->saved_time >= interval;
}

static bool watch_batch(void *context, size_t epoch, size_t done, double loss)
{
    Job *job = context;
    if (signals_noted() != 0)
        return false;
    progress_batch(&job->progress, epoch, done, loss);
    return true;
}

// The tables are on the disk before a model that needs their rows. A checkpoint that cannot be
// written does not end the training: the disk may have room when the next one is due.
static void save_checkpoint(Job *job)
{
    Error err;
    if (output_sync(&job->csv, &err) &&
        (job->chain.stream == NULL || output_sync(&job->chain, &err)) &&
        save_model(job, job->options->output, &err))
        return;
    progress_end(&job->progress);
    command_note("no checkpoint of epoch %zu, the training continues: %s", epochs_done(job),
                 err.text);
    job->saved_time = clock_seconds();
}

static bool add_to_chain(Job *job, const mlp_model *model, Error *err)
{
    return job->options->chain == NULL ||
           (chain_add(&job->row, &job->chain, model, err) && output_publish(&job->chain, err));
}

static bool watch_epoch(void *context, const mlp_epoch *report, const mlp_model *model)
{
    Job *job = context;
    size_t wanted = command_threads(job->context, job->options->threads);
    if (job->last.epoch == 0 && report->threads < wanted) {
        progress_end(&job->progress);
        command_note("the system gave only %zu of %zu threads", report->threads, wanted);
    }
    job->last = *report;
    if (report->is_kept)
        job->kept_figures = *report;
    job->seconds += report->seconds;
    job->csv_failed = !curves_add(&job->csv, report, &job->context->err) ||
                      !add_to_chain(job, model, &job->context->err);
    if (job->csv_failed)
        return false;
    progress_epoch(&job->progress, report);
    if (report->epoch < job->options->settings.epochs && checkpoint_is_due(job))
        save_checkpoint(job);
    return true;
}

// ---------------------------------------------------------------------------------------------
// The command

static void print_summary(const Job *job)
{
    JsonWriter json = {.out = stdout};
    const TrainOptions *o = job->options;
    const mlp_settings *settings = mlp_model_settings(job->model);
    char sizes[NETWORK_SIZES_SIZE];
    network_sizes(&job->model->net, sizes, sizeof sizes);
    uint64_t trained = settings->train_size * (settings->epochs - job->epochs_before);
    json_open(&json, NULL, '{');
    json_string(&json, "model", o->output);
    json_string(&json, "curves", o->csv);
    if (o->chain != NULL)
        json_string(&json, "chain", o->chain);
    if (o->from != NULL)
        json_string(&json, "from", o->from);
    json_string(&json, "sizes", sizes);
    json_uint(&json, "parameters", mlp_parameters(job->model));
    for (const Setting *row = settings_table; row->key != NULL; row++)
        if (setting_is_shown(row, settings, settings->architecture))
            command_print_setting(&json, row, settings);
    json_double(&json, "train_loss", job->last.train_loss);
    json_double(&json, "train_accuracy", job->last.train_accuracy);
    json_double(&json, "validation_loss", job->last.validation_loss);
    json_double(&json, "validation_accuracy", job->last.validation_accuracy);
    if (train_keeps_best(settings)) {
        json_uint(&json, "kept_epoch", job->kept_figures.epoch);
        json_double(&json, "kept_validation_loss", job->kept_figures.validation_loss);
        json_double(&json, "kept_validation_accuracy", job->kept_figures.validation_accuracy);
    }
    json_double(&json, "seconds", job->seconds);
    json_double(&json, "images_per_second", (double)trained / job->seconds);
    json_close(&json, '}');
}

// Reads the names that were given, or for a new network those of the data; those of a model that is
// resumed, or that the training starts from, must be the same.
static bool take_class_names(Job *job, mlp_settings *settings, Error *err)
{
    const TrainOptions *o = job->options;
    const char *given = settings->class_names, *path = o->resume != NULL ? o->resume : o->from;
    const mlp_model *old = o->resume != NULL ? job->model : job->from;
    if (given == NULL)
        return old != NULL || class_names_beside(&settings->class_names, job->data, MLP_TRAIN_FILES,
                                                 &job->context->arena, err);
    if (!class_names_read(&settings->class_names, given, job->data, &job->context->arena, err))
        return false;
    const char *names = old != NULL ? mlp_model_settings(old)->class_names : NULL;
    return old == NULL || (names != NULL && strcmp(settings->class_names, names) == 0) ||
           error_set(err, "--classes %s: %s has other class names, and a training that %s", given,
                     path,
                     o->resume != NULL ? "is resumed keeps its settings"
                                       : "starts from a model keeps its classes");
}

// Reads the data, and makes a model for them unless one is resumed, which must be theirs.
static bool prepare(Job *job, Error *err)
{
    Context *c = job->context;
    const TrainOptions *o = job->options;
    mlp_settings settings = o->settings;
    job->data = command_open_data(c, MLP_TRAIN_FILES, o->data, settings.transposed);
    if (job->data == NULL || !take_class_names(job, &settings, err))
        return false;
    if (o->from != NULL)
        job->model = c->model = mlp_create_from(&settings, job->from, job->data, err->text);
    else if (o->resume == NULL)
        job->model = c->model = mlp_create(&settings, job->data, err->text);
    else if (mlp_train(c->model, job->data, job->epochs_before, 1, NULL, err->text) != MLP_DONE)
        return false; // it had nothing to do but to look at the data
    if (job->model == NULL)
        return false;
    const mlp_settings *s = mlp_model_settings(job->model);
    job->split.train = (Range){0, (size_t)s->train_size};
    job->split.validation = (Range){job->data->n - (size_t)s->validation_size, job->data->n};
    return true;
}

static void print_flag(const char *flag, const char *word)
{
    fprintf(stderr, " %s ", flag);
    command_print_word(stderr, word);
}

static void say_what_is_next(const Job *job)
{
    const TrainOptions *o = job->options;
    const mlp_settings *settings = mlp_model_settings(job->model);
    ShownName model = command_shown(o->output), curves = command_shown(o->csv);
    if (job->last.epoch < o->settings.epochs)
        fprintf(stderr, "Stopped: the validation loss did not improve for %llu epochs\n",
                (unsigned long long)settings->patience);
    fprintf(stderr, "The model is in %s", model.text);
    if (train_keeps_best(settings))
        fprintf(stderr, ", that of epoch %zu (validation loss %.4f, accuracy %.2f %%)",
                job->kept_figures.epoch, job->kept_figures.validation_loss,
                100.0 * job->kept_figures.validation_accuracy);
    if (!output_is_stream(&job->csv))
        fprintf(stderr, ", the curves are in %s", curves.text);
    fprintf(stderr, "; next: mlp eval %s", model.text);
    if (o->data != NULL)
        print_flag("-d", o->data);
    fputc('\n', stderr);
}

// Prints how to resume: the flags of this run that the model does not know.
static void print_resume_command(const Job *job)
{
    const TrainOptions *o = job->options;
    bool is_new = job->last.epoch > 0;
    fputs("mlp train", stderr);
    print_flag("--resume", is_new ? o->output : o->resume);
    if (!is_new && strcmp(o->output, o->resume) != 0)
        print_flag("-o", o->output);
    for (const Setting *row = settings_table; row->key != NULL; row++) {
        char number[NUMBER_SIZE];
        if ((row->flags & SETTING_RUN) != 0)
            fprintf(stderr, " --%s %s", row->flag, setting_text(row, &o->settings, number));
    }
    print_flag("--csv", o->csv);
    if (o->chain != NULL)
        print_flag("--chain", o->chain);
    if (o->checkpoint_every > 0)
        fprintf(stderr, " --checkpoint-every %llu", (unsigned long long)o->checkpoint_every);
    if (o->data != NULL)
        print_flag("-d", o->data);
    fputc('\n', stderr);
}

// After a signal: saves the last complete epoch and says how to resume. Returns the status.
static int stop(Job *job, Error *err)
{
    const TrainOptions *o = job->options;
    int number = signals_noted();
    if (!save_all(job, err)) { // said even after SIGPIPE: perhaps only the table's reader left
        name_copy(job, err);
        fprintf(stderr, "mlp: %s\n", err->text);
        err->text[0] = '\0';
        return STATUS_FAILED;
    }
    if (number == SIGPIPE) // nobody listens
        return 128 + number;
    if (epochs_done(job) == 0) {
        fprintf(stderr,
                "mlp: %s: stopped before the first epoch was complete; nothing was written\n",
                signals_name(number));
        return 128 + number;
    }
    fprintf(stderr, "mlp: %s: stopped after epoch %zu of %llu; to resume: ", signals_name(number),
            epochs_done(job), (unsigned long long)o->settings.epochs);
    print_resume_command(job);
    return 128 + number;
}

// Trains with everything prepared, and brings model and table to their places.
static int run_job(Job *job, Error *err)
{
    const TrainOptions *o = job->options;
    const mlp_observer observer = {.context = job, .batch = watch_batch, .epoch = watch_epoch};
    if (!o->quiet)
        notes_data_read(job->data, &job->split);
    if (!o->quiet && o->from != NULL)
        fprintf(stderr, "starts from the weights of %s\n", command_shown(o->from).text);
    notes_data_doubtful(job->data, mlp_model_settings(job->model)->class_names, &job->split);
    bool is_shown = isatty(fileno(job->csv.stream)) != 0; // then the rows say what a line would
    job->progress = progress_begin(o->quiet || is_shown, job->epochs_before, &o->settings,
                                   job->data, &job->split);
    job->saved_time = clock_seconds();
    mlp_result result = mlp_train(job->context->model, job->data, (size_t)o->settings.epochs,
                                  command_threads(job->context, o->threads), &observer, err->text);
    progress_end(&job->progress);
    bool is_complete = job->last.epoch == o->settings.epochs ||
                       train_is_complete(&job->model->settings, &job->model->state);
    if (result == MLP_STOPPED && is_complete && !job->csv_failed)
        result = MLP_DONE; // the signal came in its last batch
    bool is_left = job->csv_failed && signals_noted() == SIGPIPE; // by the table's reader
    if (is_left || (result == MLP_STOPPED && !job->csv_failed))
        return stop(job, err);
    Error second;
    bool saved = result == MLP_DIVERGED || save_all(job, result == MLP_DONE ? err : &second);
    if (!saved)
        name_copy(job, err);
    if (result != MLP_DONE || !saved)
        return STATUS_FAILED;
    if (!o->quiet)
        say_what_is_next(job);
    if (o->json)
        print_summary(job);
    return STATUS_DONE;
}

// Measures the resumed model again: the figures of the epoch that it is of.
static bool measure_kept(Job *job, Error *err)
{
    const mlp_settings *s = mlp_model_settings(job->model);
    const TrainState *state = &job->model->state;
    uint64_t batches = schedule_batches(s, s->train_size), epochs = job->options->settings.epochs;
    size_t epoch = (size_t)(train_keeps_best(s) ? state->best_epoch : state->epochs);
    size_t threads = command_threads(job->context, job->options->threads);
    mlp_evaluation found;
    if (!mlp_evaluate(job->model, job->data, MLP_VALIDATION, threads, &found, NULL, err->text))
        return false;
    job->kept_figures =
        (mlp_epoch){.epoch = epoch,
                    .validation_loss = found.loss,
                    .validation_accuracy = found.accuracy,
                    .learning_rate = schedule_rate(s, epoch * batches, epochs * batches)};
    return true;
}

// Begins the tables: those of a model that is resumed continue after its last epoch. What was
// opened is the caller's to discard.
static bool begin_tables(Job *job, Error *err)
{
    Context *c = job->context;
    const TrainOptions *o = job->options;
    size_t last = job->epochs_before;
    return (last == 0 || measure_kept(job, err)) && command_open_table(c, &job->csv, o->csv) &&
           curves_begin(&job->csv, &c->arena, last, &job->kept_figures, err) &&
           (o->chain == NULL || (command_open_table(c, &job->chain, o->chain) &&
                                 chain_begin(&job->row, &job->chain, &c->arena, job->model, err)));
}

static int train(Job *job)
{
    Context *c = job->context;
    TrainOptions *o = c->values;
    bool is_named = o->csv != NULL;
    if (!is_named && (o->csv = curves_path(&c->arena, o->output, &c->err)) == NULL)
        return STATUS_FAILED;
    int status = command_begin(c);
    if (status != STATUS_DONE)
        return status;
    if ((!is_named && !curves_may_replace(o->csv, &c->err)) || !prepare(job, &c->err))
        return STATUS_FAILED;
    status = begin_tables(job, &c->err) ? run_job(job, &c->err) : STATUS_FAILED;
    output_discard(&job->csv);
    output_discard(&job->chain);
    return status;
}

static int resume(Job *job)
{
    Context *c = job->context;
    TrainOptions *o = c->values;
    job->model = c->model = mlp_open(o->resume, c->err.text);
    if (c->model == NULL)
        return STATUS_FAILED;
    if (!take_settings(o, &c->options, mlp_model_settings(c->model), &c->err))
        return STATUS_USAGE;
    if (!options_given(&c->options, &o->output))
        o->output = o->resume;
    if (!take_epochs(o, &c->options, job->model, &c->err))
        return STATUS_USAGE;
    size_t done = epochs_done(job);
    if (o->settings.epochs == done) {
        command_note("%s has its %zu epochs already; nothing to do", o->resume, done);
        return STATUS_DONE;
    }
    if (train_is_complete(&job->model->settings, &job->model->state)) {
        command_note("%s stopped after epoch %zu, as its patience asks; nothing to do (a new "
                     "training can start from it: --from)",
                     o->resume, done);
        return STATUS_DONE;
    }
    job->epochs_before = done;
    return train(job);
}

static int start_from(Job *job)
{
    Context *c = job->context;
    TrainOptions *o = c->values;
    job->from = c->other_model = mlp_open(o->from, c->err.text);
    if (job->from == NULL)
        return STATUS_FAILED;
    if (!take_shape(o, &c->options, mlp_model_settings(job->from), &c->err) ||
        !command_default_settings(&c->options, o, &c->err))
        return STATUS_USAGE;
    if (path_is_same(o->from, o->output)) { // it could not be resumed any more
        error_set(&c->err,
                  "--from %s: the new model would replace it; name another file with "
                  "--output",
                  o->from);
        return STATUS_FAILED;
    }
    return train(job);
}

static int run(Context *c)
{
    const TrainOptions *o = c->values;
    Job job = {.context = c, .options = o};
    if (o->no_transpose && o->from == NULL) {
        error_set(&c->err, "--no-transpose needs --from MODEL");
        return STATUS_USAGE;
    }
    return o->resume != NULL ? resume(&job) : o->from != NULL ? start_from(&job) : train(&job);
}

// With a model, the defaults wait until it has been read: they depend on its network.
static bool train_defaults(const OptionTable *table, void *values, Error *err)
{
    const TrainOptions *o = values;
    bool ok = command_default_settings(table, values, err);
    return ok || o->resume != NULL || o->from != NULL;
}

const Command command_train = {
    .name = "train",
    .summary = "train a network, write the model and its accuracy curves",
    .about = "Trains a network by mini-batch gradient descent on the images of a directory of IDX "
             "files. Writes the model and a table of curves: one row per epoch, with loss and "
             "accuracy on the training and validation images. The network has 784-64-10 units "
             "(sigmoid, softmax, cross-entropy); --arch cnn is a convolutional one, with other "
             "defaults (mlp train --arch cnn --help). The same command gives the same bytes on "
             "every machine.",
    .examples = {"mlp train --arch cnn", "mlp train --epochs 100 --lr 1e-4 -o slow.bin"},
    .values_size = sizeof(TrainOptions),
    .options = train_options,
    .defaults = train_defaults,
    .print_more = command_print_presets,
    .run = run,
};
