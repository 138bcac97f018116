// mlp verify: whether a model is what its own settings give, by training it again, all of it or
// some epochs, and whether it belongs to a chain. What each check proves: include/README.md. Rows
// are chain.h's, training is the library's.
#include "chain.h"
#include "commands.h"
#include "progress.h"

#include <string.h>

typedef struct VerifyOptions {
    const char *data, *from;
    uint64_t repeat, threads;
    bool quiet;
} VerifyOptions;

static void verify_options(OptionTable *table, void *values)
{
    VerifyOptions *o = values;
    o->repeat = SETTING_MAX_EPOCHS;
    const Option rows[] = {
        OPT_DATA(&o->data),
        OPT_STRING("from", &o->from, "MODEL",
                   "begin with this model: a checkpoint of the same training, or the model that "
                   "mlp train --from had",
                   .default_text = "the first epoch", .role = ROLE_READS),
        OPT_UINT("repeat", &o->repeat, 0, SETTING_MAX_EPOCHS, "N",
                 "with a chain: repeat only N epochs, none with 0",
                 .default_text = "all up to that of MODEL"),
        OPT_THREADS(&o->threads),
        OPT_QUIET(&o->quiet),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

typedef struct Verification {
    Context *context;
    const VerifyOptions *options;
    ChainFile chain;     // path NULL: there is none
    mlp_model *made;     // for this command; NULL: a checkpoint is trained
    mlp_model *repeated; // what is trained
    size_t first, last;  // its epochs before and after
    Progress progress;
    bool differs;
} Verification;

static bool watch_batch(void *context, size_t epoch, size_t done, double loss)
{
    progress_batch(&((Verification *)context)->progress, epoch, done, loss);
    return true;
}

static bool is_in_chain(const Verification *v, const mlp_model *model, Error *err)
{
    const char *who = model == v->repeated ? "the repeated training" : v->context->words.model;
    return v->chain.path == NULL || chain_has_model(&v->chain, model, who, err);
}

// Compares the epoch with its row. The repetition ends where they differ.
static bool watch_epoch(void *context, const mlp_epoch *report, const mlp_model *model)
{
    Verification *v = context;
    progress_epoch(&v->progress, report);
    v->differs = !is_in_chain(v, model, &v->context->err);
    return !v->differs && report->epoch < v->last;
}

// Opens the model of --from. In *is_start: the training started from its weights; else it is a
// checkpoint.
static bool open_from(Context *c, const char *path, bool *is_start, Error *err)
{
    uint32_t start = c->model->facts.from_crc32, checksum = 0;
    *is_start = false;
    if (path == NULL)
        return start == 0 || error_set(err,
                                       "%s: started from another model (checksum %08lx), which is "
                                       "needed, too: --from MODEL",
                                       c->words.model, (unsigned long)start);
    c->other_model = mlp_open(path, err->text);
    if (c->other_model == NULL || !model_checksum(c->other_model, &checksum, err))
        return false;
    *is_start = start != 0 && checksum == start;
    return *is_start || c->other_model->state.epochs < c->model->state.epochs ||
           error_set(err, "--from %s: has no fewer epochs than %s, so that none can be repeated",
                     path, c->words.model);
}

// Makes what is trained, which must be in the chain, too.
static bool begin(Verification *v, const mlp_data *data, Error *err)
{
    Context *c = v->context;
    mlp_settings settings = c->model->settings;
    bool is_start;
    settings.epochs = 1; // any: a new model has none
    if (!open_from(c, v->options->from, &is_start, err))
        return false;
    if (is_start)
        v->made = mlp_create_from(&settings, c->other_model, data, err->text);
    else if (c->other_model == NULL)
        v->made = mlp_create(&settings, data, err->text);
    v->repeated = c->other_model == NULL || is_start ? v->made : c->other_model;
    return v->repeated != NULL && is_in_chain(v, v->repeated, err);
}

static bool is_same_model(const Verification *v, Error *err)
{
    const Context *c = v->context;
    unsigned char claimed[SHA256_SIZE], found[SHA256_SIZE];
    if (!model_sha256(c->model, claimed, err) || !model_sha256(v->repeated, found, err))
        return false;
    const char *from = v->options->from;
    return memcmp(claimed, found, sizeof found) == 0 ||
           error_set(err, "%s: is not the model that its settings give%s%s", c->words.model,
                     from == NULL ? "" : " after ", from == NULL ? "" : from);
}

// Trains as the model says, up to the last epoch that is repeated, and compares.
static bool repeat(Verification *v, const mlp_data *data, Error *err)
{
    Context *c = v->context;
    mlp_settings settings = c->model->settings;
    size_t done = (size_t)c->model->state.epochs, most = (size_t)v->options->repeat;
    size_t planned = (size_t)c->model->state.planned_epochs;
    const mlp_observer observer = {.context = v, .batch = watch_batch, .epoch = watch_epoch};
    const Split split = {{0, (size_t)settings.train_size},
                         {data->n - (size_t)settings.validation_size, data->n}};
    v->first = (size_t)v->repeated->state.epochs;
    v->last = done - v->first > most ? v->first + most : done;
    settings.epochs = v->last;
    v->progress = progress_begin(v->options->quiet, v->first, &settings, data, &split);
    mlp_result result = mlp_train(v->repeated, data, planned != 0 ? planned : v->last,
                                  command_threads(c, v->options->threads), &observer, err->text);
    progress_end(&v->progress);
    size_t ended = (size_t)v->repeated->state.epochs;
    if ((result != MLP_DONE && result != MLP_STOPPED) || v->differs)
        return false;
    if (ended < v->last) // out of patience
        return error_set(err, "%s: has epoch %zu, but the repeated training ends with epoch %zu",
                         c->words.model, v->last, ended);
    return v->last < done || is_same_model(v, err);
}

static void print_report(const Verification *v)
{
    const Context *c = v->context;
    ShownName model = command_shown(c->words.model);
    if (v->chain.path != NULL)
        printf("%s: epochs 0 to %llu, each row follows from the one before; that of epoch %llu is "
               "%s\n",
               command_shown(v->chain.path).text, (unsigned long long)v->chain.last,
               (unsigned long long)c->model->state.epochs, model.text);
    if (v->repeated == NULL)
        puts("no epoch was repeated: whether the settings give these models is not known");
    else
        printf("%s: epochs %zu to %zu were repeated%s%s, with the same %s\n", model.text,
               v->first + 1, v->last, v->options->from == NULL ? "" : " from ",
               v->options->from == NULL ? "" : command_shown(v->options->from).text,
               v->chain.path != NULL ? "model after each" : "result");
}

static bool verify(Verification *v, Error *err)
{
    Context *c = v->context;
    if (v->chain.path != NULL &&
        (!chain_read(&v->chain, &c->arena, v->chain.path, UINT64_MAX, err) ||
         !is_in_chain(v, c->model, err)))
        return false;
    if (v->options->repeat == 0)
        return true;
    if (!model_can_train(c->model, MODEL_RECIPE, err))
        return false;
    const mlp_data *data =
        command_open_data(c, MLP_TRAIN_FILES, v->options->data, c->model->settings.transposed);
    size_t done = (size_t)c->model->state.epochs;
    return data != NULL && // which a training that has nothing to do looks at
           mlp_train(c->model, data, done, 1, NULL, err->text) == MLP_DONE && begin(v, data, err) &&
           repeat(v, data, err);
}

static int run(Context *c)
{
    Verification v = {.context = c, .options = c->values};
    if (c->words.n_files > 0) {
        v.chain.path = c->words.model;
        c->words.model = c->words.files[0];
    } else if (options_given(&c->options, &v.options->repeat)) {
        error_set(&c->err, "--repeat needs a chain, which has the models of single epochs");
        return STATUS_USAGE;
    }
    int status = command_begin(c);
    if (status != STATUS_DONE)
        return status;
    status = verify(&v, &c->err) ? STATUS_DONE : STATUS_FAILED;
    if (status == STATUS_DONE)
        print_report(&v);
    mlp_close(v.made);
    return status;
}

const Command command_verify = {
    .name = "verify",
    .arguments = "[FILE] MODEL",
    .summary = "check that a model is what its settings give",
    .about =
        "Trains a model again, with the settings that it names and on the same data, and compares "
        "all of its file. FILE is the chain that mlp train --chain wrote: then the model of every "
        "epoch is compared, and some epochs can be repeated alone, from a checkpoint (--from) or "
        "with --repeat. Exit status 1, and a line that says why, where something differs.\n\n"
        "A model that passes with all epochs is what these settings give on these data. With "
        "fewer, or with --from, that is so for the epochs that were repeated, and with "
        "--repeat 0 the model only belongs to the chain.",
    .examples = {"mlp verify model.bin", "mlp verify chain.csv model.bin --from checkpoint.bin"},
    .values_size = sizeof(VerifyOptions),
    .options = verify_options,
    .run = run,
};
