// What the subcommands share; see commands.h.
#include "commands.h"

#include "kernels.h"
#include "numbers.h"
#include "path.h"
#include "signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int command_say(const Error *err, int status)
{
    fprintf(stderr, "mlp: %s\n", err->text);
    return status;
}

int command_fail(const Error *err)
{
    if (signals_noted() == SIGPIPE) // nobody reads it: no error, and nobody to tell
        return 128 + SIGPIPE;
    return command_say(err, STATUS_FAILED);
}

int command_wrong(const Error *err)
{
    return command_say(err, STATUS_USAGE);
}

ShownName command_shown(const char *name)
{
    Error line; // an error's text is kept clean in the same way
    ShownName shown;
    error_set(&line, "%s", name);
    memcpy(shown.text, line.text, sizeof shown.text);
    return shown;
}

// Characters of UTF-8, which a terminal shows one beside the other.
static int text_width(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

int command_class_width(const char *class_names, size_t n)
{
    int widest = sizeof "class" - 1;
    for (size_t k = 0; k < n; k++) {
        int width = text_width(class_name(class_names, k).text);
        widest = width > widest ? width : widest;
    }
    return widest;
}

void command_print_class(const char *class_names, size_t k, int width)
{
    ClassName name = class_name(class_names, k);
    size_t end = strlen(name.text);
    while (text_width(name.text) > width)
        name.text[--end] = '\0'; // bytes of one character go one after the other
    printf("%*s%s", width - text_width(name.text), "", name.text);
}

int command_end(int status)
{
    Error err;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    error_set_errno(&err, "standard output: writing failed");
    return command_fail(&err);
}

bool command_begin(const Command *command, const Option *options, const char **argument, int argc,
                   char **argv, int *status)
{
    Error err;
    switch (options_parse(command, options, argument, argc, argv, &err)) {
    case PARSE_OK: return true;
    case PARSE_HELP:
        options_print_help(stdout, command, options);
        *status = command_end(STATUS_DONE);
        return false;
    case PARSE_WRONG: break;
    }
    *status = command_wrong(&err);
    return false;
}

const char *command_architecture(const Command *command, const Option *options,
                                 const char *const *architecture, int argc, char **argv)
{
    Error ignored; // command_begin will find it again
    options_parse(command, options, NULL, argc, argv, &ignored);
    return *architecture;
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

static size_t cpus; // that threads are made for

bool command_environment(Error *err)
{
    const char *isa = getenv("MLP_ISA"), *count = getenv("MLP_CPUS");
    uint64_t wanted = cpus_allowed();
    if (count != NULL && count[0] != '\0' &&
        (!parse_uint(count, &wanted) || wanted < 1 || wanted > COMMAND_MAX_THREADS))
        return error_set(err, "MLP_CPUS=%.40s: must be a whole number from 1 to %d", count,
                         COMMAND_MAX_THREADS);
    cpus = (size_t)wanted;
    return kernels_choose(isa != NULL && isa[0] != '\0' ? isa : NULL, err);
}

// ---------------------------------------------------------------------------------------------
// Outputs

// The table that has standard output to itself, and what that was. NULL: none has.
static const char *stdout_table;
static int stdout_of_table;

// As in a shell, `exec 3>&1 1>&2`: no report can get between the rows of the table.
static bool give_stdout_to(const char *path, Error *err)
{
    stdout_of_table = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (stdout_of_table < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return error_set_errno(err, "standard output");
    stdout_table = path;
    return true;
}

static bool is_stdout_sign(const char *path)
{
    return strcmp(path, "-") == 0;
}

// Standard output has room for one output, which is a table. Returns false when it is wanted for
// more; otherwise *on_stdout is that table's flag, or NULL.
static bool check_streams(const OutputFlag **on_stdout, const OutputFlag *outputs, size_t n,
                          bool json, Error *err)
{
    *on_stdout = NULL;
    for (const OutputFlag *out = outputs; out < outputs + n; out++) {
        if (out->path == NULL || out->is_input || output_descriptor(out->path) != STDOUT_FILENO)
            continue;
        if (out->kind == OUTPUT_REGULAR_ONLY)
            return error_set(err,
                             "%s %s: the model needs a file, which is replaced all at once, and "
                             "standard output is not one%s",
                             out->flag, out->path,
                             is_stdout_sign(out->path) ? " (./- is a file of that name)" : "");
        if (json || *on_stdout != NULL)
            return error_set(err, "%s and %s cannot both write to standard output",
                             json ? "--json" : (*on_stdout)->flag, out->flag);
        *on_stdout = out;
    }
    return true;
}

// What an output must leave alone: the model that is read, the data, and the outputs before it.
static bool check_replaced(const OutputFlag *outputs, const OutputFlag *out, const char *model,
                           const char *directory, Error *err)
{
    bool is_table = out->kind == OUTPUT_ANY_FILE;
    if (is_table && model != NULL && path_is_same(out->path, model))
        return error_set(err, "%s would replace the model, %s", out->flag, model);
    if (idx_is_data_file(directory, out->path))
        return error_set(err, "%s would replace a file of the data, %s", out->flag, out->path);
    for (const OutputFlag *other = outputs; other < out; other++)
        if (other->path != NULL && !is_stdout_sign(other->path) &&
            path_is_same(out->path, other->path))
            return error_set(err, "%s and %s are the same file, %s", other->flag, out->flag,
                             other->path);
    return true;
}

bool command_check_outputs(const OutputFlag *outputs, size_t n, const char *model, const char *data,
                           bool json, int *status)
{
    Error err;
    const OutputFlag *on_stdout;
    if (!check_streams(&on_stdout, outputs, n, json, &err)) {
        *status = command_wrong(&err);
        return false;
    }
    bool ok = true;
    for (const OutputFlag *out = outputs; ok && out < outputs + n; out++)
        if (out->path != NULL && !out->is_input)
            ok = (is_stdout_sign(out->path) ||
                  check_replaced(outputs, out, model, command_data_directory(data), &err)) &&
                 output_try(out->path, out->kind, &err);
    if (ok && on_stdout != NULL)
        ok = give_stdout_to(on_stdout->path, &err);
    if (!ok)
        *status = command_fail(&err);
    return ok;
}

bool command_open_table(Output *out, const char *path, Arena *arena, Error *err)
{
    signals_watch(); // or a temporary file would stay behind
    if (stdout_table != NULL && strcmp(path, stdout_table) == 0)
        return output_open_descriptor(out, path, stdout_of_table, err);
    return output_open(out, arena, path, OUTPUT_ANY_FILE, err);
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

bool command_write_table(const char *path, void (*print)(FILE *out, const void *context),
                         const void *context, Arena *arena, Error *err)
{
    Output out;
    if (!command_open_table(&out, path, arena, err))
        return false;
    print(out.stream, context);
    bool ok = command_commit(&out, err);
    output_discard(&out);
    return ok;
}

int command_write_tables(const Table *tables, size_t n, Arena *arena)
{
    int status = STATUS_DONE;
    for (int streams = 0; streams < 2; streams++)
        for (const Table *table = tables; table < tables + n; table++) {
            Error err;
            if (table->path == NULL || output_leads_to_stream(table->path) != (streams != 0) ||
                command_write_table(table->path, table->print, table->context, arena, &err))
                continue;
            int failed = command_fail(&err);
            status = status == STATUS_DONE ? failed : status;
        }
    return status;
}

// ---------------------------------------------------------------------------------------------
// Threads and data

ThreadPool *command_pool(uint64_t wanted, Arena *arena, Error *err)
{
    enum { DEFAULT_MOST = 8 };
    if (wanted == 0)
        wanted = DEFAULT_MOST;
    size_t workers = wanted < cpus ? (size_t)wanted : cpus;
    ThreadPool *pool = pool_open(workers, arena, err);
    if (pool != NULL && pool_size(pool) < workers)
        command_note("the system gave only %zu of %zu threads", pool_size(pool), workers);
    return pool;
}

bool command_check_transpose(const TransposeFlags *flags, int *status)
{
    Error err;
    if (!flags->yes || !flags->no)
        return true;
    error_set(&err, "--transpose and --no-transpose contradict each other: choose one");
    *status = command_wrong(&err);
    return false;
}

bool command_transposed(const TransposeFlags *flags, bool model_transposed)
{
    return (flags->yes || model_transposed) && !flags->no;
}

bool command_read_data(Dataset *data, Arena *arena, const char *chosen, IdxPart part,
                       bool transposed, Error *err)
{
    const char *directory = command_data_directory(chosen);
    struct stat status;
    if (strcmp(directory, installed_data) == 0 && stat(directory, &status) != 0)
        return error_set(err,
                         "no data: neither data/mnist nor %s is there; name a directory with "
                         "--data or $MLP_DATA",
                         directory);
    return idx_read_directory(data, arena, directory, part, transposed, err);
}

bool command_train_data(TrainData *training, const Dataset *data, size_t train_size,
                        size_t validation_size, const char *chosen, Error *err)
{
    Error reason;
    if (!dataset_split(&training->split, data->n, train_size, validation_size, &reason) ||
        !dataset_pixel_std(&training->pixel_std, data, training->split.train, &reason))
        return error_set(err, "%s: %s", command_data_directory(chosen), reason.text);
    training->data = data;
    training->scale = input_scale(training->pixel_std);
    return true;
}

bool command_model_fits(const Model *model, const char *path, const Dataset *data,
                        const char *directory, Error *err)
{
    const Architecture *a = &model->settings.architecture;
    if (a->rows != data->rows || a->cols != data->cols)
        return error_set(err,
                         "%s is for images of %zu x %zu pixels, but %s has images of %zu x %zu",
                         path, a->rows, a->cols, directory, data->rows, data->cols);
    size_t beyond = dataset_find_beyond(data, a->classes);
    if (beyond == data->n)
        return true;
    return error_set(
        err,
        "%s knows %zu classes, 0 to %zu, but %s has %zu classes: its image %zu has the "
        "label %u",
        path, a->classes, a->classes - 1, directory, data->n_classes, beyond, data->labels[beyond]);
}

bool command_model_split(Split *split, const Model *model, const char *path, const Dataset *data,
                         const char *directory, Error *err)
{
    uint64_t train = model->settings.train_size, validation = model->settings.validation_size;
    if (train > data->n || validation > data->n - train)
        return error_set(err,
                         "%s was trained on %llu and validated on %llu images; the training "
                         "file in %s has only %zu",
                         path, (unsigned long long)train, (unsigned long long)validation, directory,
                         data->n);
    split->train = (Range){0, (size_t)train};
    split->validation = (Range){data->n - (size_t)validation, data->n};
    return true;
}
