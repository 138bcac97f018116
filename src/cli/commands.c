// What the subcommands share: running, names in reports, outputs, threads and data (commands.h).
// The check of outputs is the longest part: it keeps every file that a user could lose.
#include "commands.h"

#include "idx.h"
#include "kernels.h"
#include "numbers.h"
#include "path.h"
#include "sandbox.h"
#include "signals.h"
#include "threads.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---------------------------------------------------------------------------------------------
// Running

int command_run(Context *context, const Command *command, int argc, char **argv)
{
    OptionTable *options = &context->options;
    context->values =
        arena_alloc(&context->arena, 1, command->values_size, "the options", &context->err);
    if (context->values == NULL)
        return STATUS_FAILED;
    command->options(options, context->values);
    switch (options_parse(command, options, context->values, &context->words, argc, argv,
                          &context->err)) {
    case PARSE_OK: sandbox_enter(context); return command->run(context);
    case PARSE_HELP: options_print_help(stdout, command, options); return STATUS_DONE;
    case PARSE_WRONG: break;
    }
    return STATUS_USAGE;
}

int command_fail(const Error *err, int status)
{
    if (signals_noted() == SIGPIPE) // nobody reads it: no error, and nobody to tell
        return 128 + SIGPIPE;
    fprintf(stderr, "mlp: %s\n", err->text);
    return status;
}

int command_finish(Context *context, int status)
{
    bool failed = status != STATUS_DONE && status <= STATUS_NOT_REACHED;
    if (failed && context->err.text[0] != '\0')
        status = command_fail(&context->err, status);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        error_set_errno(&context->err, "standard output: writing failed");
        status = command_fail(&context->err, STATUS_FAILED);
    }
    mlp_close(context->model);
    for (size_t m = 1; m < context->ensemble.n_models; m++)
        mlp_close(context->more_models[m - 1]);
    mlp_close(context->other_model);
    mlp_data_close(context->data[MLP_TRAIN_FILES]);
    mlp_data_close(context->data[MLP_TEST_FILES]);
    arena_free(&context->arena);
    return status;
}

// ---------------------------------------------------------------------------------------------
// Names

ShownName command_shown(const char *name)
{
    ShownName shown;
    error_set(&shown, "%s", name);
    return shown;
}

void command_print_word(FILE *out, const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./,-";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (const char *c = word; *c != '\0'; c++)
        *c == '\'' ? (void)fputs("'\\''", out)
                   : (void)fputc((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c, out);
    fputc('\'', out);
}

int command_text_width(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

int command_class_width(const mlp_model *model)
{
    int widest = sizeof "class" - 1;
    for (size_t k = 0; k < mlp_classes(model); k++) {
        int width = command_text_width(mlp_class_name(model, k));
        widest = width > widest ? width : widest;
    }
    return widest;
}

void command_print_class(const mlp_model *model, size_t k, int width)
{
    ClassName name = model->class_names[k];
    size_t end = strlen(name.text);
    while (command_text_width(name.text) > width)
        name.text[--end] = '\0'; // a cut character has the width of a whole one
    printf("%*s%s", width - command_text_width(name.text), "", name.text);
}

const char *command_data_directory(const char *chosen)
{
    static const char local[] = "data/mnist";
    const char *environment = getenv("MLP_DATA");
    struct stat status;
    if (chosen != NULL)
        return chosen;
    if (environment != NULL && environment[0] != '\0')
        return environment;
    return stat(local, &status) == 0 ? local : installed_data;
}

bool command_environment(Context *context)
{
    const char *isa = getenv("MLP_ISA"), *count = getenv("MLP_CPUS");
    uint64_t wanted = cpus_allowed();
    if (count != NULL && count[0] != '\0' &&
        (!parse_uint(count, &wanted) || wanted < 1 || wanted > MLP_MAX_THREADS))
        return error_set(&context->err, "MLP_CPUS=%.40s: must be a whole number from 1 to %d",
                         count, MLP_MAX_THREADS);
    context->cpus = (size_t)wanted;
    return kernels_choose(isa != NULL && isa[0] != '\0' ? isa : NULL, &context->err);
}

// ---------------------------------------------------------------------------------------------
// Outputs

// As in a shell, `exec 3>&1 1>&2`: no report can get between the rows of the table.
static bool give_stdout_to(Context *context, const char *path)
{
    context->stdout_of_table = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (context->stdout_of_table < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return error_set_errno(&context->err, "standard output");
    context->stdout_table = path;
    return true;
}

static bool is_stdout_sign(const char *path)
{
    return strcmp(path, "-") == 0;
}

static const char *option_path(const Option *option)
{
    return option->role == ROLE_NONE ? NULL : *(const char *const *)option->value;
}

static bool is_output(const Option *option)
{
    return option->role >= ROLE_WRITES_MODEL && option_path(option) != NULL;
}

// The option whose output is standard output, or NULL in *on_stdout: a table, or --json. Returns
// false when there are two, or when it is a model.
static bool check_stdout(const OptionTable *options, const Option **on_stdout, Error *err)
{
    *on_stdout = NULL;
    for (const Option *o = options->rows; o < options->rows + options->n; o++) {
        bool is_json = o->given && strcmp(o->name, "json") == 0;
        if (!is_json && !(is_output(o) && output_descriptor(option_path(o)) == STDOUT_FILENO))
            continue;
        if (o->role == ROLE_WRITES_MODEL)
            return error_set(err,
                             "--%s %s: a model must be a regular file, and standard output is not "
                             "one%s",
                             o->name, option_path(o),
                             is_stdout_sign(option_path(o)) ? " (./- is a file of that name)" : "");
        if (*on_stdout != NULL)
            return error_set(err, "--%s and --%s cannot both write to standard output",
                             (*on_stdout)->name, o->name);
        *on_stdout = o;
    }
    return true;
}

// The path that the first option with that role names, or NULL.
static const char *path_of_role(const OptionTable *options, OptionRole role)
{
    for (const Option *o = options->rows; o < options->rows + options->n; o++)
        if (o->role == role)
            return option_path(o);
    return NULL;
}

// No table replaces a model that is read: an argument, or an option's.
static bool check_models_kept(const Context *context, const Option *out, Error *err)
{
    const char *path = option_path(out);
    const char *resumed = path_of_role(&context->options, ROLE_READS_MODEL);
    if (out->role != ROLE_WRITES_TABLE)
        return true;
    if (resumed != NULL && path_is_same(path, resumed))
        return error_set(err, "--%s would replace the model, %s", out->name, resumed);
    for (size_t m = 0; m < context->words.n_models; m++) {
        const char *model = command_model_path(context, m);
        if (path_is_same(path, model))
            return error_set(err, "--%s would replace the model, %s", out->name, model);
    }
    return true;
}

// What an output must leave alone: models that are read, the data, other files that are read, and
// the outputs before it.
static bool check_replaced(const Context *context, const Option *out, Error *err)
{
    const OptionTable *options = &context->options;
    const char *path = option_path(out);
    const char *directory = command_data_directory(path_of_role(options, ROLE_READS_DATA));
    if (!check_models_kept(context, out, err))
        return false;
    if (idx_is_data_file(directory, path))
        return error_set(err, "--%s would replace a file of the data, %s", out->name, path);
    for (const Option *o = options->rows; o < options->rows + options->n; o++) {
        const char *other =
            o->role == ROLE_READS || (is_output(o) && o < out) ? option_path(o) : NULL;
        if (other != NULL && !is_stdout_sign(other) && path_is_same(path, other))
            return error_set(err, "--%s and --%s are the same file, %s", o->name, out->name, other);
    }
    return true;
}

static int check_outputs(Context *context)
{
    const OptionTable *options = &context->options;
    const Option *on_stdout;
    Error *err = &context->err;
    if (!check_stdout(options, &on_stdout, err))
        return STATUS_USAGE;
    for (const Option *o = options->rows; o < options->rows + options->n; o++)
        if (is_output(o) &&
            ((!is_stdout_sign(option_path(o)) && !check_replaced(context, o, err)) ||
             !output_try(option_path(o),
                         o->role == ROLE_WRITES_MODEL ? OUTPUT_REGULAR_ONLY : OUTPUT_ANY_FILE,
                         err)))
            return STATUS_FAILED;
    bool ok = on_stdout == NULL || on_stdout->role != ROLE_WRITES_TABLE ||
              give_stdout_to(context, option_path(on_stdout));
    return ok ? STATUS_DONE : STATUS_FAILED;
}

// Opens the models that the command line names. What is open is counted, to be closed.
static bool open_models(Context *context)
{
    size_t n = context->words.n_models;
    static const char what[] = "the models";
    Error *err = &context->err;
    const mlp_model **models = arena_alloc(&context->arena, n, sizeof(mlp_model *), what, err);
    context->more_models = arena_alloc(&context->arena, n, sizeof(mlp_model *), what, err);
    if (models == NULL || context->more_models == NULL)
        return false;
    context->ensemble.models = models;
    for (size_t m = 0; m < n; m++) {
        mlp_model *model = mlp_open(command_model_path(context, m), err->text);
        if (model == NULL)
            return false;
        *(m == 0 ? &context->model : &context->more_models[m - 1]) = model;
        models[m] = model;
        context->ensemble.n_models++;
    }
    return mlp_ensemble_check(&context->ensemble, err->text);
}

int command_begin(Context *context)
{
    int status = check_outputs(context);
    if (status != STATUS_DONE || context->words.n_models == 0)
        return status;
    return open_models(context) ? STATUS_DONE : STATUS_FAILED;
}

bool command_open_table(Context *context, Output *out, const char *path)
{
    bool is_stdout = context->stdout_table != NULL && strcmp(path, context->stdout_table) == 0;
    if (!is_stdout && !output_leads_to_stream(path))
        signals_watch(); // before there is a temporary file, which would stay behind
    bool ok = is_stdout ? output_open_descriptor(out, path, context->stdout_of_table, &context->err)
                        : output_open(out, &context->arena, path, OUTPUT_ANY_FILE, &context->err);
    signals_watch(); // after a pipe had its reader: a signal ends the wait
    return ok;
}

void command_note(const char *format, ...)
{
    Error note;
    va_list arguments;
    va_start(arguments, format);
    error_set_list(&note, format, arguments);
    va_end(arguments);
    fprintf(stderr, "mlp: note: %s\n", note.text);
}

bool command_commit(Output *out, Error *err)
{
    bool ok = output_commit(out, err);
    if (out->note.text[0] != '\0')
        command_note("%s", out->note.text);
    return ok;
}

static bool write_table(Context *context, const Table *table)
{
    Output out;
    if (!command_open_table(context, &out, table->path))
        return false;
    table->print(&(CsvWriter){.out = out.stream}, table->context);
    int number = signals_noted(); // perhaps it ended the printing
    bool ok = number == 0 || number == SIGPIPE
                  ? command_commit(&out, &context->err)
                  : error_set(&context->err, "%s: stopped before %s was complete",
                              signals_name(number), table->path);
    output_discard(&out);
    return ok;
}

int command_write_tables(Context *context, const Table *tables, size_t n)
{
    int status = STATUS_DONE;
    for (int streams = 0; streams < 2; streams++)
        for (const Table *table = tables; table < tables + n; table++) {
            if (table->path == NULL || output_leads_to_stream(table->path) != (streams != 0) ||
                write_table(context, table))
                continue;
            int number = signals_noted();
            int failed = command_fail(&context->err, number != 0 ? 128 + number : STATUS_FAILED);
            status = status == STATUS_DONE ? failed : status;
        }
    context->err.text[0] = '\0'; // printed
    return status;
}

// ---------------------------------------------------------------------------------------------
// Threads and data

size_t command_threads(const Context *context, uint64_t wanted)
{
    if (wanted == 0)
        wanted = MLP_DEFAULT_THREADS;
    return wanted < context->cpus ? (size_t)wanted : context->cpus;
}

void command_add_setting(OptionTable *table, const char *key, mlp_settings *settings)
{
    const Setting *row = setting_find(settings_table, key);
    const Option option = {.name = row->flag,
                           .type = row->type,
                           .value = (char *)settings + row->offset,
                           .min = row->min,
                           .max = row->max,
                           .choices = row->choices,
                           .placeholder = row->placeholder,
                           .help = row->help,
                           .default_text = row->default_text,
                           .role = (row->flags & SETTING_FILE) != 0 ? ROLE_READS : ROLE_NONE};
    if (settings->architecture == NULL)
        settings_default(settings, architecture_names[0]);
    options_add(table, &option, 1);
}

bool command_setting_given(const OptionTable *table, const Setting *row,
                           const mlp_settings *settings)
{
    return options_given(table, (const char *)settings + row->offset);
}

// The text of a setting that was not given: that of the preset, else of --augment, else the
// default.
static const char *setting_not_given(const Setting *row, const char *architecture,
                                     const Preset *preset, bool augments)
{
    const char *text = preset == NULL ? NULL : preset_text(preset->values, row->key);
    if (text == NULL && augments)
        text = preset_text(augmentation_values, row->key);
    return text != NULL ? text : setting_default(row, architecture);
}

bool command_fill_settings(const OptionTable *table, void *values, Error *err)
{
    mlp_settings *settings = values;
    const Preset *preset = NULL;
    bool has_preset = options_name_given(table, "preset") && strcmp(settings->preset, "none") != 0;
    bool has_architecture = options_name_given(table, "arch");
    Error ignored, reason;
    if (has_preset)
        preset = preset_find(settings->preset, has_architecture ? settings->architecture : NULL,
                             &reason);
    if (preset != NULL && !has_architecture)
        settings->architecture = preset->architecture;
    bool augments = options_name_given(table, "augment");
    for (const Setting *row = settings_table; row->key != NULL; row++)
        if (!command_setting_given(table, row, settings) && row->choices != architecture_names)
            (void)setting_parse(row, settings,
                                setting_not_given(row, settings->architecture, preset, augments),
                                &ignored);
    if (has_preset && preset == NULL)
        return error_set(err, "--preset: %s", reason.text);
    return true;
}

bool command_default_settings(const OptionTable *table, void *values, Error *err)
{
    return command_fill_settings(table, values, err) && settings_check(values, err);
}

// One size as a number, several as a list.
static void print_sizes(JsonWriter *json, const char *key, const uint64_t *sizes)
{
    bool is_list = sizes[0] != 0 && sizes[1] != 0;
    if (is_list)
        json_open(json, key, '[');
    for (size_t i = 0; i < MLP_MAX_SIZES && sizes[i] != 0; i++)
        json_uint(json, is_list ? NULL : key, sizes[i]);
    if (is_list)
        json_close(json, ']');
}

void command_print_setting(JsonWriter *json, const Setting *row, const mlp_settings *settings)
{
    const void *value = (const char *)settings + row->offset;
    char number[NUMBER_SIZE];
    switch (row->type) {
    case SETTING_UINT: json_uint(json, row->key, *(const uint64_t *)value); break;
    case SETTING_LIST: print_sizes(json, row->key, value); break;
    case SETTING_DOUBLE: json_exact(json, row->key, *(const double *)value); break;
    case SETTING_BOOL: json_bool(json, row->key, *(const bool *)value); break;
    default: json_string(json, row->key, setting_text(row, settings, number));
    }
}

void command_print_presets(FILE *out)
{
    fputs("\nPresets:\n", out);
    for (const Preset *preset = presets; preset->name != NULL; preset++) {
        int column = fprintf(out, "  %-9s --arch %s", preset->name, preset->architecture);
        for (const PresetValue *value = preset->values; value->key != NULL; value++) {
            char flag[64];
            int length = snprintf(flag, sizeof flag, " --%s %s",
                                  setting_find(settings_table, value->key)->flag, value->text);
            if (column + length > 79)
                column = fprintf(out, "\n%11s", "") - 1;
            column += fprintf(out, "%s", flag);
        }
        fputc('\n', out);
    }
}

const mlp_data *command_open_data(Context *context, mlp_part part, const char *chosen,
                                  bool transposed)
{
    const char *directory = command_data_directory(chosen);
    struct stat status;
    if (strcmp(directory, installed_data) == 0 && stat(directory, &status) != 0)
        error_set(&context->err,
                  "no data: neither data/mnist nor %s is there; name a directory with --data or "
                  "$MLP_DATA",
                  directory);
    else
        context->data[part] = mlp_data_open(directory, part, transposed, context->err.text);
    return context->data[part];
}

bool command_transposed(const Context *context, const TransposeFlags *flags)
{
    const mlp_model *model = context->model;
    return (flags->yes || (model != NULL && model->settings.transposed)) && !flags->no;
}

bool command_check_transposed(const mlp_ensemble *ensemble, const TransposeFlags *flags, Error *err)
{
    const mlp_model *first = ensemble->models[0];
    for (size_t m = 1; m < ensemble->n_models; m++) {
        const mlp_model *other = ensemble->models[m];
        if (other->settings.transposed != first->settings.transposed && !flags->yes && !flags->no)
            return error_set(err,
                             "%s was trained with%s --transpose, but %s with%s; say --transpose or "
                             "--no-transpose",
                             first->name, first->settings.transposed ? "" : "out", other->name,
                             other->settings.transposed ? "" : "out");
    }
    return true;
}

// ---------------------------------------------------------------------------------------------
// Several models

const char *command_model_path(const Context *context, size_t m)
{
    return m == 0 ? context->words.model : context->words.files[m - 1];
}

const char *command_models_shown(Context *context)
{
    const char *all = context->words.model;
    for (size_t m = 1; all != NULL && m < context->words.n_models; m++)
        all = arena_printf(&context->arena, &context->err, "%s + %s", all,
                           command_model_path(context, m));
    return all;
}

void command_print_models(JsonWriter *json, const Context *context)
{
    size_t n = context->words.n_models;
    if (n == 1) {
        json_string(json, "model", context->words.model);
        return;
    }
    json_open(json, "models", '[');
    for (size_t m = 0; m < n; m++)
        json_string(json, NULL, command_model_path(context, m));
    json_close(json, ']');
}
