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

// Those of the architecture come to it: see set_architecture.
static TrainOptions train_options = {
    .architecture = "mlp",
    .seed = 1,
    .output = "model.bin",
};

static const Option option_table[] = {
    {"arch", 0, OPTION_CHOICE, &train_options.architecture, "NAME", COMMAND_ARCH_HELP, 0, 0, "mlp",
     architecture_names},
    {"epochs", 0, OPTION_UINT, &train_options.epochs, "N", "passes over the training images", 1,
     1000000, NULL, NULL},
    {"lr", 0, OPTION_DOUBLE, &train_options.learning_rate, "R",
     "learning rate, per example: each update subtracts R times the sum of the batch's gradients "
     "(a framework that takes their mean does the same with R times the batch size)",
     1e-30, 1e38, NULL, NULL},
    {"batch", 0, OPTION_UINT, &train_options.batch_size, "N", "images in a batch", 1, 65536, NULL,
     NULL},
    {"hidden", 0, OPTION_UINT, &train_options.hidden, "N", "units of the hidden dense layer", 1,
     65536, NULL, NULL},
    {"seed", 0, OPTION_UINT, &train_options.seed, "N",
     "of the initial weights and of the order of the images", 0, 9007199254740991.0, NULL, NULL},
    {"train-size", 0, OPTION_UINT, &train_options.train_size, "N",
     "train on the first N images only", 1, 4294967295.0, "all but the validation images", NULL},
    {"val-size", 0, OPTION_UINT, &train_options.validation_size, "N",
     "keep the last N images for validation", 1, 4294967295.0,
     "10000, or a sixth of a smaller file", NULL},
    {"data", 'd', OPTION_STRING, &train_options.data, "DIR", COMMAND_DATA_HELP, 0, 0,
     "$MLP_DATA, else data/mnist, else the installed copy", NULL},
    {"transpose", 0, OPTION_BOOL, &train_options.transposed, NULL, COMMAND_TRANSPOSE_HELP, 0, 0,
     NULL, NULL},
    {"classes", 0, OPTION_STRING, &train_options.classes, "NAMES",
     "names of the classes: a file of one per line, or characters and ranges such as A-Z or "
     "0-9A-F; "
     "the model keeps them",
     0, 0, "their numbers", NULL},
    {"output", 'o', OPTION_STRING, &train_options.output, "FILE",
     "write the model here; a training that is resumed, by default, where it was read from", 0, 0,
     NULL, NULL},
    {"csv", 0, OPTION_STRING, &train_options.csv, "FILE",
     "write one row per epoch here (- is standard output); a model of another name, second.bin, "
     "has by default second.csv beside it, which replaces an older table, but no other file",
     0, 0, "curves.csv", NULL},
    {"checkpoint-every", 0, OPTION_UINT, &train_options.checkpoint_every, "N",
     "write the model every N epochs, not only at the end", 1, 1000000, "once a minute", NULL},
    {"resume", 0, OPTION_STRING, &train_options.resume, "MODEL",
     "go on with this model's training, to --epochs, with its own settings", 0, 0, "", NULL},
    {"threads", 0, OPTION_UINT, &train_options.threads, "N", COMMAND_THREADS_HELP, 1,
     COMMAND_MAX_THREADS, "one a CPU, 8 at most", NULL},
    {"quiet", 'q', OPTION_BOOL, &train_options.quiet, NULL, "show no progress", 0, 0, NULL, NULL},
    {"json", 0, OPTION_BOOL, &train_options.json, NULL, "print a summary to standard output", 0, 0,
     NULL, NULL},
    {0},
};

static void set_architecture(TrainOptions *o, const char *name)
{
    const ArchitectureDefaults *defaults = architecture_defaults(name);
    o->architecture = name;
    o->hidden = defaults->hidden;
    o->epochs = defaults->epochs;
    o->batch_size = defaults->batch_size;
    o->learning_rate = defaults->learning_rate;
}

// ---------------------------------------------------------------------------------------------
// Resuming: the model's settings take the place of the defaults

static TrainOptions options_of_model(const TrainOptions *defaults, const ModelSettings *s,
                                     const char *path)
{
    TrainOptions o = *defaults;
    set_architecture(&o, s->architecture.name);
    o.batch_size = s->batch_size;
    o.hidden = s->architecture.hidden;
    o.seed = s->seed;
    o.train_size = s->train_size;
    o.validation_size = s->validation_size;
    o.learning_rate = s->learning_rate;
    o.transposed = s->transposed;
    o.output = path;
    if (o.epochs < s->epochs) // a default is no wish for fewer
        o.epochs = s->epochs;
    return o;
}

static bool options_contradict(const TrainOptions *o, const ModelSettings *s, Error *err)
{
    const struct {
        const char *flag;
        double given, model;
    } settings[] = {
        {"lr", o->learning_rate, s->learning_rate},
        {"batch", (double)o->batch_size, (double)s->batch_size},
        {"hidden", (double)o->hidden, (double)s->architecture.hidden},
        {"seed", (double)o->seed, (double)s->seed},
        {"train-size", (double)o->train_size, (double)s->train_size},
        {"val-size", (double)o->validation_size, (double)s->validation_size},
    };
    if (o->transposed != s->transposed)
        return !error_set(err,
                          "--transpose: %s was trained without it, and a training that is resumed "
                          "keeps its settings",
                          o->resume);
    if (strcmp(o->architecture, s->architecture.name) != 0)
        return !error_set(err,
                          "--arch %s: %s is a network '%s', and a training that is resumed keeps "
                          "its network",
                          o->architecture, o->resume, s->architecture.name);
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
    const TrainOptions *options;
    Arena *arena;
    const Model *resumed; // NULL: a new training
    Dataset data;
    TrainData training;
    Network net;
    float *params;
    ModelSettings settings; // of the model file; epochs: those that are complete
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
    job->kept_epoch = job->kept == NULL ? 0 : (size_t)job->settings.epochs;
}

static bool save_model(Job *job, const char *path, Error *err)
{
    Arena arena = {0}; // of this call alone: there may be many
    Output out;
    bool ok = output_open(&out, &arena, path, OUTPUT_REGULAR_ONLY, err);
    if (ok) {
        ok = model_write(&job->settings, &job->net, job->params, &out, err) &&
             output_commit(&out, err);
        output_discard(&out);
        note_model(job, &out.note);
        if (ok || out.kept != NULL)
            keep_copy(job, out.kept);
    }
    if (ok) {
        job->saved_epoch = (size_t)job->settings.epochs;
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
    if (job->kept != NULL && job->kept_epoch == job->settings.epochs &&
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
    bool model = job->saved_epoch == job->settings.epochs ||
                 save_model(job, job->options->output, table ? err : &second);
    if (!model && job->kept_epoch != job->settings.epochs)
        rescue_model(job);
    return table && model;
}

static bool checkpoint_is_due(const Job *job)
{
    const double interval = 60.0;
    size_t every = (size_t)job->options->checkpoint_every, epoch = (size_t)job->settings.epochs;
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
                 (unsigned long long)job->settings.epochs, err.text);
    job->saved_time = clock_seconds();
}

// Says once that the training learns nothing, where that can be seen.
static void note_learning(Job *job, const EpochReport *report)
{
    Error note;
    bool is_last = report->epoch == job->options->epochs;
    if (job->nothing_learned ||
        !notes_nothing_learned(&note, report, &job->settings, &job->training, is_last))
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
    job->settings.epochs = report->epoch;
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
    network_sizes(&job->net, sizes, sizeof sizes);
    size_t images = range_length(job->training.split.train);
    uint64_t trained = o->epochs - (job->resumed != NULL ? job->resumed->settings.epochs : 0);
    json_open_object(&json, NULL);
    json_string(&json, "model", o->output);
    json_string(&json, "curves", o->csv);
    json_string(&json, "sizes", sizes);
    json_uint(&json, "parameters", network_count_weights(&job->net));
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
    if (resumed != NULL && resumed->settings.data_crc32 != job->data.crc32)
        return error_set(err,
                         "%s: the training file is not the one that %s was trained on (CRC-32 "
                         "%08lx, the model says %08lx)",
                         directory, o->resume, (unsigned long)job->data.crc32,
                         (unsigned long)resumed->settings.data_crc32);
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
    job->settings.class_names = names;
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
    job->settings = (ModelSettings){.architecture = architecture,
                                    .learning_rate = o->learning_rate,
                                    .pixel_std = job->training.pixel_std,
                                    .batch_size = o->batch_size,
                                    .seed = o->seed,
                                    .train_size = range_length(job->training.split.train),
                                    .validation_size = range_length(job->training.split.validation),
                                    .data_crc32 = data->crc32,
                                    .transposed = o->transposed};
    if (job->resumed != NULL)
        job->settings.epochs = job->resumed->settings.epochs;
    if (!take_class_names(job, err))
        return false;
    if (!network_build(&job->net, &architecture, err) ||
        (job->params = network_alloc(&job->net, job->arena, err)) == NULL)
        return false;
    network_init(&job->net, job->params, o->seed);
    if (job->resumed == NULL)
        return true;
    if (!command_model_fits(job->resumed, o->resume, data, command_data_directory(o->data), err))
        return false;
    memcpy(job->params, job->resumed->params, job->net.n_parameters * sizeof *job->params);
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
    size_t epoch = (size_t)job->settings.epochs;
    bool is_new = job->last.epoch > 0;
    if (!save_all(job, err)) { // said even when SIGPIPE came: it was perhaps the table's alone
        name_copy(job, err);
        fprintf(stderr, "mlp: %s\n", err->text);
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
    job->training.epochs_done = (size_t)job->settings.epochs;
    job->progress = progress_begin(o->quiet || is_shown, job->training.epochs_done, o->epochs,
                                   range_length(job->training.split.train));
    job->saved_time = clock_seconds();
    TrainResult result = train_run(job->params, &job->net, &settings, &job->training, pool,
                                   &observer, job->arena, err);
    progress_end(&job->progress);
    bool is_left = result == TRAIN_FAILED && signals_noted() == SIGPIPE; // by the table's reader
    if (result == TRAIN_STOPPED || is_left)
        return stop(job, err);
    Error second;
    bool saved = result == TRAIN_DIVERGED || save_all(job, result == TRAIN_DONE ? err : &second);
    if (!saved)
        name_copy(job, err);
    if (result != TRAIN_DONE || !saved)
        return command_fail(err);
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
    if (!evaluator_alloc(&evaluator, &job->net, pool, range_length(images), NULL, job->arena, err))
        return false;
    Evaluation found =
        evaluator_run(&evaluator, job->params, &job->data, &job->training.scale, images);
    *last = (EpochReport){.epoch = (size_t)job->settings.epochs,
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
        !command_open_table(&job->csv, job->options->csv, job->arena, err))
        return command_fail(err);
    int status = curves_begin(&job->csv, job->arena, is_resumed ? &last : NULL, err)
                     ? run_job(job, pool, err)
                     : command_fail(err);
    output_discard(&job->csv);
    return status;
}

static int train(TrainOptions *o, const Model *resumed, Arena *arena)
{
    Error err;
    int status;
    Job job = {.options = o, .arena = arena, .resumed = resumed};
    bool is_named = o->csv != NULL;
    if (!is_named && (o->csv = curves_path(arena, o->output, &err)) == NULL)
        return command_fail(&err);
    const OutputFlag files[] = {{"--classes", o->classes, OUTPUT_ANY_FILE, true},
                                {"--output", o->output, OUTPUT_REGULAR_ONLY, false},
                                {"--csv", o->csv, OUTPUT_ANY_FILE, false}};
    if (!command_check_outputs(files, 3, o->resume, o->data, o->json, &status))
        return status;
    if ((!is_named && !curves_may_replace(o->csv, &err)) || !read_training_data(&job, &err) ||
        !prepare_network(&job, &err))
        return command_fail(&err);
    ThreadPool *pool = command_pool(o->threads, arena, &err);
    if (pool == NULL)
        return command_fail(&err);
    status = train_with(&job, pool, &err);
    pool_close(pool);
    return status;
}

// Reads the model to resume and then the command line again, over the model's settings instead of
// the defaults: what differs afterwards was asked for.
static bool begin_resumed(Model *model, const TrainOptions *defaults, int argc, char **argv,
                          Arena *arena, int *status)
{
    Error err;
    const char *path = train_options.resume;
    if (!model_read(model, arena, path, &err)) {
        *status = command_fail(&err);
        return false;
    }
    train_options = options_of_model(defaults, &model->settings, path);
    if (!command_begin(&command_train, option_table, NULL, argc, argv, status))
        return false;
    const TrainOptions *o = &train_options;
    unsigned long long done = model->settings.epochs, wanted = o->epochs;
    if (options_contradict(o, &model->settings, &err) ||
        (wanted < done &&
         !error_set(&err, "--epochs %llu: %s has %llu epochs already; they can only become more",
                    wanted, path, done))) {
        *status = command_wrong(&err);
        return false;
    }
    if (wanted > done)
        return true;
    command_note("%s has its %llu epochs already; nothing to do", path, done);
    *status = STATUS_DONE;
    return false;
}

static int run(int argc, char **argv)
{
    int status;
    set_architecture(&train_options, command_architecture(&command_train, option_table,
                                                          &train_options.architecture, argc, argv));
    const TrainOptions defaults = train_options;
    if (!command_begin(&command_train, option_table, NULL, argc, argv, &status))
        return status;
    Arena arena = {0};
    Model model;
    bool is_resumed = train_options.resume != NULL;
    if (!is_resumed || begin_resumed(&model, &defaults, argc, argv, &arena, &status))
        status = train(&train_options, is_resumed ? &model : NULL, &arena);
    arena_free(&arena);
    return command_end(status);
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
    .run = run,
};
