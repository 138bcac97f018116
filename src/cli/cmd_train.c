// mlp train: options -> data -> network -> training -> model and curves.
#include "commands.h"
#include "curves.h"
#include "evaluate.h"
#include "json.h"
#include "notes.h"
#include "numbers.h"
#include "progress.h"
#include "signals.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---------------------------------------------------------------------------------------------
// Options

typedef struct TrainOptions {
    uint64_t epochs, batch_size, hidden, seed, train_size, validation_size, checkpoint_every,
        threads;
    double learning_rate;
    const char *architecture, *data, *classes, *output, *csv, *resume;
    bool transposed, quiet, json;
} TrainOptions;

static void train_table(OptionTable *table, void *values)
{
    TrainOptions *o = values;
    o->architecture = "mlp";
    o->seed = 1;
    o->output = "model.bin";
    const Option rows[] = {
        OPT_ARCH(&o->architecture),
        OPT_UINT("epochs", &o->epochs, 1, 1000000, "N", "passes over the training images"),
        OPT_DOUBLE("lr", &o->learning_rate, 1e-30, 1e38, "R",
                   "learning rate for the summed gradient of a batch; a learning rate for the mean "
                   "gradient must be divided by the batch size"),
        OPT_UINT("batch", &o->batch_size, 1, 65536, "N", "images in a batch"),
        OPT_UINT("hidden", &o->hidden, 1, 65536, "N", "units of the hidden dense layer"),
        OPT_UINT("seed", &o->seed, 0, 9007199254740991, "N",
                 "of the initial weights and of the order of the images"),
        OPT_UINT("train-size", &o->train_size, 1, UINT32_MAX, "N",
                 "train on the first N images only",
                 .default_text = "all but the validation images"),
        OPT_UINT("val-size", &o->validation_size, 1, UINT32_MAX, "N",
                 "keep the last N images for validation",
                 .default_text = "10000, or a sixth of a smaller file"),
        OPT_DATA(&o->data),
        OPT_TRANSPOSE(&o->transposed),
        OPT_STRING("classes", &o->classes, "NAMES",
                   "names of the classes: a file of one per line, or characters and ranges such as "
                   "A-Z or 0-9A-F; the model keeps them",
                   .default_text = "their numbers", .role = ROLE_READS),
        OPT_STRING("output", &o->output, "FILE",
                   "model file to write; with --resume the default is the file of that model",
                   .letter = 'o', .role = ROLE_WRITES_MODEL),
        OPT_TABLE("csv", &o->csv,
                  "write one row per epoch here (- is standard output); a model of another name, "
                  "second.bin, has by default second.csv beside it, which replaces an older "
                  "table, but no other file",
                  .default_text = "curves.csv"),
        OPT_UINT("checkpoint-every", &o->checkpoint_every, 1, 1000000, "N",
                 "write the model every N epochs, not only at the end",
                 .default_text = "once a minute"),
        OPT_STRING("resume", &o->resume, "MODEL",
                   "resume training of MODEL up to --epochs; its settings are kept",
                   .default_text = "", .role = ROLE_READS_MODEL),
        OPT_THREADS(&o->threads),
        OPT_QUIET(&o->quiet),
        OPT_JSON(&o->json),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

static void train_defaults(const OptionTable *table, void *values)
{
    TrainOptions *o = values;
    const ArchitectureDefaults *defaults = architecture_defaults(o->architecture);
    if (!options_given(table, &o->hidden))
        o->hidden = defaults->hidden;
    if (!options_given(table, &o->epochs))
        o->epochs = defaults->epochs;
    if (!options_given(table, &o->batch_size))
        o->batch_size = defaults->batch_size;
    if (!options_given(table, &o->learning_rate))
        o->learning_rate = defaults->learning_rate;
}

// ---------------------------------------------------------------------------------------------
// Resuming: the model's settings take the place of the defaults

static void options_of_model(TrainOptions *o, const OptionTable *table, const mlp_settings *s)
{
    const TrainOptions given = *o;
    o->architecture = s->architecture;
    train_defaults(table, o);
    o->batch_size = s->batch_size;
    o->hidden = s->hidden;
    o->seed = s->seed;
    o->train_size = s->train_size;
    o->validation_size = s->validation_size;
    o->learning_rate = s->learning_rate;
    o->transposed = s->transposed;
    if (options_given(table, &o->architecture))
        o->architecture = given.architecture;
    if (options_given(table, &o->batch_size))
        o->batch_size = given.batch_size;
    if (options_given(table, &o->hidden))
        o->hidden = given.hidden;
    if (options_given(table, &o->seed))
        o->seed = given.seed;
    if (options_given(table, &o->train_size))
        o->train_size = given.train_size;
    if (options_given(table, &o->validation_size))
        o->validation_size = given.validation_size;
    if (options_given(table, &o->learning_rate))
        o->learning_rate = given.learning_rate;
    if (options_given(table, &o->transposed))
        o->transposed = given.transposed;
    if (!options_given(table, &o->output))
        o->output = o->resume;
    if (!options_given(table, &o->epochs) &&
        o->epochs < s->epochs) // a default is no wish for fewer
        o->epochs = s->epochs;
}

static bool options_contradict(const TrainOptions *o, const mlp_settings *s, Error *err)
{
    const struct {
        const char *flag;
        double given, model;
    } settings[] = {
        {"lr", o->learning_rate, s->learning_rate},
        {"batch", (double)o->batch_size, (double)s->batch_size},
        {"hidden", (double)o->hidden, (double)s->hidden},
        {"seed", (double)o->seed, (double)s->seed},
        {"train-size", (double)o->train_size, (double)s->train_size},
        {"val-size", (double)o->validation_size, (double)s->validation_size},
    };
    if (o->transposed != s->transposed)
        return !error_set(err,
                          "--transpose: %s was trained without it, and a training that is resumed "
                          "keeps its settings",
                          o->resume);
    if (strcmp(o->architecture, s->architecture) != 0)
        return !error_set(err,
                          "--arch %s: %s is a network '%s', and a training that is resumed keeps "
                          "its network",
                          o->architecture, o->resume, s->architecture);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (settings[i].given != settings[i].model)
            return !error_set(
                err,
                "--%s %.16g: %s was trained with %.16g, and a training that is resumed "
                "keeps its settings",
                settings[i].flag, settings[i].given, o->resume, settings[i].model);
    return false;
}

// ---------------------------------------------------------------------------------------------
// One training: what it works on, and what it tells

typedef struct Job {
    Context *context;
    const TrainOptions *options;
    Arena *arena;
    const Model *resumed; // NULL: a new training
    Dataset data;
    TrainData training;
    Model model; // of the last complete epoch
    Output csv;
    Progress progress;
    EpochReport last;
    double seconds;     // of training alone, all epochs
    size_t saved_epoch; // that the model file holds, 0 when this training has not written it
    double saved_time;
    char *kept;           // the last copy of a model that has no place, NULL for none
    size_t kept_epoch;    // that it holds
    Error noted;          // the last note on writing the model, "" for none
    bool nothing_learned; // has been said
} Job;

// Of each checkpoint there is the same to note.
static void note_model(Job *job, const Error *note)
{
    if (note->text[0] == '\0' || strcmp(note->text, job->noted.text) == 0)
        return;
    progress_end(&job->progress);
    command_note("%s", note->text);
    job->noted = *note;
}

// A newer one, under that name or in its place (NULL), is complete: one copy is enough.
static void keep_copy(Job *job, const char *path)
{
    Error ignored;
    if (job->kept != NULL)
        unlink(job->kept);
    job->kept = path == NULL ? NULL : arena_printf(job->arena, &ignored, "%s", path);
    job->kept_epoch = job->kept == NULL ? 0 : (size_t)job->model.facts.epochs;
}

static bool save_model(Job *job, const char *path, Error *err)
{
    Arena arena = {0}; // of this call alone: there may be many
    Output out;
    bool ok = output_open(&out, &arena, path, OUTPUT_REGULAR_ONLY, err);
    if (ok) {
        ok = model_write(&job->model, &out, err) && output_commit(&out, err);
        output_discard(&out);
        note_model(job, &out.note);
        if (ok || out.kept != NULL)
            keep_copy(job, out.kept);
    }
    if (ok) {
        job->saved_epoch = (size_t)job->model.facts.epochs;
        job->saved_time = clock_seconds();
    }
    arena_free(&arena);
    return ok;
}

// The directory of the model is gone, for example, or the disk full: a place of its own is better
// than to lose the training.
static void rescue_model(Job *job)
{
    Error ignored;
    const char *directory = output_temporary_directory();
    char *fresh = arena_printf(job->arena, &ignored, "%s/mlp-XXXXXX", directory);
    if (fresh == NULL || mkdtemp(fresh) == NULL)
        return;
    char *path = arena_printf(job->arena, &ignored, "%s/model.bin", fresh);
    if (path != NULL && save_model(job, path, &ignored))
        keep_copy(job, path);
    else
        rmdir(fresh);
}

// Whatever the error is about, it says where the model of the last epoch is, when not in its place.
static void name_copy(const Job *job, Error *err)
{
    Error first = *err;
    if (job->kept != NULL && job->kept_epoch == job->model.facts.epochs &&
        strstr(first.text, job->kept) == NULL)
        error_set(err, "%s; the model is in %s", first.text, job->kept);
}

// Writes the table and the model of the last complete epoch, where they are not written yet. One
// that cannot be written does not cost the other; a table that nobody reads any more is no failure.
static bool save_all(Job *job, Error *err)
{
    Error second;
    if (job->last.epoch == 0)
        return true;
    bool table = command_commit(&job->csv, err) || signals_noted() == SIGPIPE;
    bool model = job->saved_epoch == job->model.facts.epochs ||
                 save_model(job, job->options->output, table ? err : &second);
    if (!model && job->kept_epoch != job->model.facts.epochs)
        rescue_model(job);
    return table && model;
}

static bool checkpoint_is_due(const Job *job)
{
    const double interval = 60.0;
    size_t every = (size_t)job->options->checkpoint_every, epoch = (size_t)job->model.facts.epochs;
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

// The table is on the disk before a model that counts its rows. A checkpoint that cannot be written
// ends nothing: the disk may have room again when the next one is due.
static void save_checkpoint(Job *job)
{
    Error err;
    if (output_sync(&job->csv, &err) && save_model(job, job->options->output, &err))
        return;
    progress_end(&job->progress);
    command_note("no checkpoint of epoch %llu, the training goes on: %s",
                 (unsigned long long)job->model.facts.epochs, err.text);
    job->saved_time = clock_seconds();
}

// Says once that the training learns nothing, where that can be seen.
static void note_learning(Job *job, const EpochReport *report)
{
    Error note;
    bool is_last = report->epoch == job->options->epochs;
    if (job->nothing_learned ||
        !notes_nothing_learned(&note, report, &job->model.settings, &job->training, is_last))
        return;
    job->nothing_learned = true;
    progress_end(&job->progress);
    command_note("%s", note.text);
}

static bool watch_epoch(void *context, const EpochReport *report, Error *err)
{
    Job *job = context;
    job->last = *report;
    job->seconds += report->seconds;
    job->model.facts.epochs = report->epoch;
    if (!curves_add(&job->csv, report, err))
        return false;
    progress_epoch(&job->progress, report);
    note_learning(job, report);
    if (report->epoch < job->options->epochs && checkpoint_is_due(job))
        save_checkpoint(job);
    return true;
}

// ---------------------------------------------------------------------------------------------
// The command

static void print_summary(const Job *job)
{
    JsonWriter json = {.out = stdout};
    const TrainOptions *o = job->options;
    char sizes[64];
    network_sizes(&job->model.net, sizes, sizeof sizes);
    size_t images = range_length(job->training.split.train);
    uint64_t trained = o->epochs - (job->resumed != NULL ? job->resumed->facts.epochs : 0);
    json_open_object(&json, NULL);
    json_string(&json, "model", o->output);
    json_string(&json, "curves", o->csv);
    json_string(&json, "sizes", sizes);
    json_uint(&json, "parameters", network_count_weights(&job->model.net));
    json_uint(&json, "epochs", o->epochs);
    json_exact(&json, "learning_rate", o->learning_rate);
    json_uint(&json, "batch_size", o->batch_size);
    json_uint(&json, "seed", o->seed);
    json_uint(&json, "train_size", images);
    json_uint(&json, "validation_size", range_length(job->training.split.validation));
    json_double(&json, "train_loss", job->last.train_loss);
    json_double(&json, "train_accuracy", job->last.train_accuracy);
    json_double(&json, "validation_loss", job->last.validation_loss);
    json_double(&json, "validation_accuracy", job->last.validation_accuracy);
    json_double(&json, "seconds", job->seconds);
    json_double(&json, "images_per_second", (double)(images * trained) / job->seconds);
    json_close_object(&json);
}

static bool read_training_data(Job *job, Error *err)
{
    const TrainOptions *o = job->options;
    const char *directory = command_data_directory(o->data);
    if (!command_read_data(&job->data, job->arena, o->data, IDX_TRAIN, o->transposed, err))
        return false;
    const Model *resumed = job->resumed;
    if (resumed != NULL && resumed->facts.data_crc32 != job->data.crc32)
        return error_set(err,
                         "%s: the training file is not the one that %s was trained on (CRC-32 "
                         "%08lx, the model says %08lx)",
                         directory, o->resume, (unsigned long)job->data.crc32,
                         (unsigned long)resumed->facts.data_crc32);
    return command_train_data(&job->training, &job->data, (size_t)o->train_size,
                              (size_t)o->validation_size, o->data, err);
}

// The names that were given, or those of the model that is resumed.
static bool take_class_names(Job *job, Error *err)
{
    const TrainOptions *o = job->options;
    const char *old = job->resumed == NULL ? NULL : job->resumed->settings.class_names,
               *names = old;
    if (o->classes != NULL && !class_names_read(&names, o->classes, &job->data, job->arena, err))
        return false;
    job->model.settings.class_names = names;
    return job->resumed == NULL || names == old || (old != NULL && strcmp(names, old) == 0) ||
           error_set(err,
                     "--classes %s: %s has other class names, and a training that is resumed keeps "
                     "its settings",
                     o->classes, o->resume);
}

// The network with the parameters that training starts from: fresh ones, or those of the model.
static bool prepare_network(Job *job, Error *err)
{
    const TrainOptions *o = job->options;
    const Dataset *data = &job->data;
    Architecture architecture = {o->architecture, data->rows, data->cols, (size_t)o->hidden,
                                 data->n_classes};
    job->model.settings =
        (mlp_settings){.architecture = o->architecture,
                       .hidden = o->hidden,
                       .learning_rate = o->learning_rate,
                       .batch_size = o->batch_size,
                       .seed = o->seed,
                       .train_size = range_length(job->training.split.train),
                       .validation_size = range_length(job->training.split.validation),
                       .transposed = o->transposed};
    job->model.facts = (ModelFacts){.rows = data->rows,
                                    .cols = data->cols,
                                    .classes = data->n_classes,
                                    .pixel_std = job->training.pixel_std,
                                    .data_crc32 = data->crc32};
    if (job->resumed != NULL)
        job->model.facts.epochs = job->resumed->facts.epochs;
    if (!take_class_names(job, err))
        return false;
    if (!network_build(&job->model.net, &architecture, err) ||
        (job->model.params = network_alloc(&job->model.net, job->arena, err)) == NULL)
        return false;
    network_init(&job->model.net, job->model.params, o->seed);
    if (job->resumed == NULL)
        return true;
    if (!command_model_fits(job->resumed, o->resume, data, command_data_directory(o->data), err))
        return false;
    memcpy(job->model.params, job->resumed->params,
           job->model.net.n_parameters * sizeof *job->model.params);
    return true;
}

static void say_what_is_next(const Job *job)
{
    const TrainOptions *o = job->options;
    ShownName model = command_shown(o->output), curves = command_shown(o->csv);
    fprintf(stderr, "The model is in %s", model.text);
    if (!output_is_stream(&job->csv))
        fprintf(stderr, ", the curves are in %s", curves.text);
    fprintf(stderr, "; next: mlp eval %s\n", model.text);
}

// A blank and a word as a shell reads it.
static void print_word(const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
    if (word[strspn(word, plain)] == '\0') {
        fprintf(stderr, " %s", word);
        return;
    }
    fputs(" '", stderr);
    for (const char *c = word; *c != '\0'; c++)
        *c == '\'' ? (void)fputs("'\\''", stderr)
                   : (void)fputc((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c, stderr);
    fputc('\'', stderr);
}

// After a signal: the last complete epoch is saved, and how to go on is said. Returns the status.
static int stop(Job *job, Error *err)
{
    const TrainOptions *o = job->options;
    int number = signals_noted();
    size_t epoch = (size_t)job->model.facts.epochs;
    bool is_new = job->last.epoch > 0;
    if (!save_all(job, err)) { // said even when SIGPIPE came: it was perhaps the table's alone
        name_copy(job, err);
        fprintf(stderr, "mlp: %s\n", err->text);
        err->text[0] = '\0';
        return STATUS_FAILED;
    }
    if (number == SIGPIPE) // nobody listens
        return 128 + number;
    if (!is_new && o->resume == NULL) {
        fprintf(stderr,
                "mlp: %s: stopped before the first epoch was complete; nothing was written\n",
                signals_name(number));
        return 128 + number;
    }
    fprintf(stderr, "mlp: %s: stopped after epoch %zu of %llu; to go on: mlp train --resume",
            signals_name(number), epoch, (unsigned long long)o->epochs);
    print_word(is_new ? o->output : o->resume);
    if (!is_new && strcmp(o->output, o->resume) != 0) {
        fputs(" -o", stderr);
        print_word(o->output);
    }
    fprintf(stderr, " --epochs %llu --csv", (unsigned long long)o->epochs);
    print_word(o->csv);
    if (o->checkpoint_every > 0)
        fprintf(stderr, " --checkpoint-every %llu", (unsigned long long)o->checkpoint_every);
    if (o->data != NULL) {
        fputs(" -d", stderr);
        print_word(o->data);
    }
    fputc('\n', stderr);
    return 128 + number;
}

// Trains with everything prepared, and brings model and table to their places.
static int run_job(Job *job, ThreadPool *pool, Error *err)
{
    const TrainOptions *o = job->options;
    mlp_settings settings = {.epochs = o->epochs,
                             .batch_size = o->batch_size,
                             .learning_rate = o->learning_rate,
                             .seed = o->seed};
    TrainObserver observer = {job, watch_batch, watch_epoch};
    const char *data = command_data_directory(o->data);
    if (!o->quiet)
        notes_data_read(&job->data, &job->training.split, data);
    notes_data_doubtful(&job->data, &job->training.split, data);
    bool is_shown = isatty(fileno(job->csv.stream)) != 0; // then the rows say what a line would
    job->training.epochs_done = (size_t)job->model.facts.epochs;
    job->progress = progress_begin(o->quiet || is_shown, job->training.epochs_done, o->epochs,
                                   range_length(job->training.split.train));
    job->saved_time = clock_seconds();
    TrainResult result = train_run(job->model.params, &job->model.net, &settings, &job->training,
                                   pool, &observer, job->arena, err);
    progress_end(&job->progress);
    bool is_left = result == TRAIN_FAILED && signals_noted() == SIGPIPE; // by the table's reader
    if (result == TRAIN_STOPPED || is_left)
        return stop(job, err);
    Error second;
    bool saved = result == TRAIN_DIVERGED || save_all(job, result == TRAIN_DONE ? err : &second);
    if (!saved)
        name_copy(job, err);
    if (result != TRAIN_DONE || !saved)
        return STATUS_FAILED;
    if (!o->quiet)
        say_what_is_next(job);
    if (o->json)
        print_summary(job);
    return STATUS_DONE;
}

// The last epoch of the model that is resumed, as far as it can be measured again.
static bool measure_resumed(EpochReport *last, const Job *job, ThreadPool *pool, Error *err)
{
    Evaluator evaluator;
    Range images = job->training.split.validation;
    if (!evaluator_alloc(&evaluator, &job->model.net, pool, range_length(images), NULL, job->arena,
                         err))
        return false;
    Evaluation found =
        evaluator_run(&evaluator, job->model.params, &job->data, &job->training.scale, images);
    *last = (EpochReport){.epoch = (size_t)job->model.facts.epochs,
                          .validation_loss = found.loss,
                          .validation_accuracy = evaluation_accuracy(&found),
                          .learning_rate = job->options->learning_rate};
    return true;
}

static int train_with(Job *job, ThreadPool *pool, Error *err)
{
    EpochReport last;
    bool is_resumed = job->resumed != NULL;
    signals_watch();
    if ((is_resumed && !measure_resumed(&last, job, pool, err)) ||
        !command_open_table(job->context, &job->csv, job->options->csv))
        return STATUS_FAILED;
    int status = curves_begin(&job->csv, job->arena, is_resumed ? &last : NULL, err)
                     ? run_job(job, pool, err)
                     : STATUS_FAILED;
    output_discard(&job->csv);
    return status;
}

static int train(Context *c, const Model *resumed)
{
    TrainOptions *o = c->values;
    Job job = {.context = c, .options = o, .arena = &c->arena, .resumed = resumed};
    bool is_named = o->csv != NULL;
    if (!is_named && (o->csv = curves_path(&c->arena, o->output, &c->err)) == NULL)
        return STATUS_FAILED;
    int status = command_check_outputs(c);
    if (status != STATUS_DONE)
        return status;
    if ((!is_named && !curves_may_replace(o->csv, &c->err)) || !read_training_data(&job, &c->err) ||
        !prepare_network(&job, &c->err))
        return STATUS_FAILED;
    ThreadPool *pool = command_pool(c, o->threads);
    if (pool == NULL)
        return STATUS_FAILED;
    status = train_with(&job, pool, &c->err);
    pool_close(pool);
    return status;
}

static int resume(Context *c)
{
    TrainOptions *o = c->values;
    Model model;
    if (!model_read(&model, &c->arena, o->resume, &c->err))
        return STATUS_FAILED;
    options_of_model(o, &c->options, &model.settings);
    unsigned long long done = model.facts.epochs, wanted = o->epochs;
    if (options_contradict(o, &model.settings, &c->err))
        return STATUS_USAGE;
    if (wanted < done) {
        error_set(&c->err, "--epochs %llu: %s has %llu epochs already; they can only become more",
                  wanted, o->resume, done);
        return STATUS_USAGE;
    }
    if (wanted > done)
        return train(c, &model);
    command_note("%s has its %llu epochs already; nothing to do", o->resume, done);
    return STATUS_DONE;
}

static int run(Context *c)
{
    const TrainOptions *o = c->values;
    return o->resume != NULL ? resume(c) : train(c, NULL);
}

const Command command_train = {
    .name = "train",
    .summary = "train a network, write the model and its accuracy curves",
    .about = "Trains a network by mini-batch gradient descent on the images of a directory of IDX "
             "files, and writes the model and, an epoch a row, its loss and accuracy on the "
             "training and validation images: by default one of 784-64-10 units (sigmoid, softmax, "
             "cross-entropy), with --arch cnn a convolutional one, which has defaults of its own "
             "(mlp train --arch cnn --help). The same command gives the same bytes on every "
             "machine.",
    .examples = {"mlp train --arch cnn", "mlp train --epochs 100 --lr 1e-4 -o slow.bin"},
    .values_size = sizeof(TrainOptions),
    .options = train_table,
    .defaults = train_defaults,
    .run = run,
};
