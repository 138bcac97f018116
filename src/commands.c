// What the subcommands share; see commands.h.
#include "commands.h"

#include "kernels.h"
#include "numbers.h"
#include "signals.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef MLP_INSTALLED_DATA
#define MLP_INSTALLED_DATA "/usr/local/share/mlp/mnist"
#endif

static int command_say(const Error *err, int status)
{
    fprintf(stderr, "mlp: %s\n", err->text);
    return status;
}

int command_fail(const Error *err)
{
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

int command_end(int status)
{
    Error err;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (signals_noted() == SIGPIPE) // nobody reads it: no error, and nobody to tell
        return 128 + SIGPIPE;
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
    Error unsaid; // command_begin will find it again
    options_parse(command, options, NULL, argc, argv, &unsaid);
    return *architecture;
}

const char *command_data_folder(const char *chosen)
{
    static const char local[] = "data/mnist";
    const char *environment = getenv("MLP_DATA");
    struct stat status;
    if (chosen != NULL)
        return chosen;
    if (environment != NULL && environment[0] != '\0')
        return environment;
    return stat(local, &status) == 0 ? local : MLP_INSTALLED_DATA;
}

static size_t cpus; // that threads are made for

bool command_environment(Error *err)
{
    const char *isa = getenv("MLP_ISA"), *count = getenv("MLP_CPUS");
    uint64_t wanted = cpus_allowed();
    if (count != NULL && count[0] != '\0' &&
        (!number_parse_count(count, &wanted) || wanted < 1 || wanted > COMMAND_MAX_THREADS))
        return error_set(err, "MLP_CPUS=%.40s: must be a whole number from 1 to %d", count,
                         COMMAND_MAX_THREADS);
    cpus = (size_t)wanted;
    return kernels_choose(isa != NULL && isa[0] != '\0' ? isa : NULL, err);
}

bool command_try_output(const char *path, OutputKind kind, Arena *arena, Error *err)
{
    Output out;
    if (!output_open(&out, arena, path, kind, err))
        return false;
    output_discard(&out);
    return true;
}

bool command_write_table(const char *path, void (*print)(FILE *out, const void *context),
                         const void *context, Arena *arena, Error *err)
{
    Output out;
    signals_watch(); // or a temporary file would stay behind
    if (!output_open(&out, arena, path, OUTPUT_ANY_FILE, err))
        return false;
    print(out.stream, context);
    if (output_commit(&out, err))
        return true;
    output_discard(&out);
    return false;
}

Team *command_team(uint64_t wanted, Arena *arena, Error *err)
{
    enum { DEFAULT_MOST = 8 };
    if (wanted == 0)
        wanted = DEFAULT_MOST;
    size_t members = wanted < cpus ? (size_t)wanted : cpus;
    Team *team = team_open(members, arena, err);
    if (team != NULL && team_size(team) < members)
        fprintf(stderr, "mlp: note: the system gave only %zu of %zu threads\n", team_size(team),
                members);
    return team;
}

bool command_read_data(Dataset *data, Arena *arena, const char *chosen, IdxPart part,
                       bool transposed, Error *err)
{
    const char *folder = command_data_folder(chosen);
    struct stat status;
    if (strcmp(folder, MLP_INSTALLED_DATA) == 0 && stat(folder, &status) != 0)
        return error_set(err,
                         "no data: neither data/mnist nor %s is there; name a directory with "
                         "--data or $MLP_DATA",
                         folder);
    return idx_read_folder(data, arena, folder, part, err) &&
           (!transposed || dataset_transpose(data, arena, err));
}

bool command_train_data(TrainData *training, const Dataset *data, size_t train_size,
                        size_t validation_size, const char *chosen, Error *err)
{
    Error reason;
    if (!dataset_split(&training->split, data->n, train_size, validation_size, &reason) ||
        !dataset_pixel_std(&training->pixel_std, data, training->split.train, &reason))
        return error_set(err, "%s: %s", command_data_folder(chosen), reason.text);
    training->data = data;
    training->scale = input_scale(training->pixel_std);
    return true;
}

bool command_model_fits(const Model *model, const char *path, const Dataset *data,
                        const char *folder, Error *err)
{
    const Architecture *a = &model->settings.architecture;
    if (a->rows != data->rows || a->cols != data->cols)
        return error_set(err,
                         "%s is for images of %zu x %zu pixels, but %s has images of %zu x %zu",
                         path, a->rows, a->cols, folder, data->rows, data->cols);
    size_t beyond = dataset_find_beyond(data, a->classes);
    if (beyond == data->n)
        return true;
    return error_set(
        err,
        "%s knows %zu classes, 0 to %zu, but %s has %zu classes: its image %zu has the "
        "label %u",
        path, a->classes, a->classes - 1, folder, data->n_classes, beyond, data->labels[beyond]);
}

bool command_model_split(Split *split, const Model *model, const char *path, const Dataset *data,
                         const char *folder, Error *err)
{
    uint64_t train = model->settings.train_size, validation = model->settings.validation_size;
    if (train > data->n || validation > data->n - train)
        return error_set(err,
                         "%s was trained on %llu and validated on %llu images; the training "
                         "file in %s has only %zu",
                         path, (unsigned long long)train, (unsigned long long)validation, folder,
                         data->n);
    split->train = (Range){0, (size_t)train};
    split->validation = (Range){data->n - (size_t)validation, data->n};
    return true;
}
