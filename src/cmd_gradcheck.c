// mlp gradcheck: the proof of the gradients, as a table.
#include "commands.h"
#include "jacobian.h"

#include <string.h>

typedef struct GradcheckOptions {
    uint64_t hidden, seed, image;
    const char *data;
} GradcheckOptions;

static const GradcheckOptions default_options = {.hidden = 64, .seed = 1};
static GradcheckOptions gradcheck_options = {.hidden = 64, .seed = 1};

static const Option option_table[] = {
    {"hidden", 0, OPTION_COUNT, &gradcheck_options.hidden, "N", "hidden units of a fresh network",
     1, 65536, NULL, NULL},
    {"seed", 0, OPTION_COUNT, &gradcheck_options.seed, "N", "of a fresh network's weights", 0,
     9007199254740991.0, NULL, NULL},
    {"image", 0, OPTION_COUNT, &gradcheck_options.image, "N",
     "the training image to check at, from 0", 0, 4294967295.0, NULL, NULL},
    {"data", 'd', OPTION_TEXT, &gradcheck_options.data, "DIR", "folder of the IDX files", 0, 0,
     "$MLP_DATA, else data/mnist, else the installed copy", NULL},
    {0},
};

static const char *verdict(bool ok)
{
    return ok ? "ok" : "WRONG";
}

static void print_check(const GradientCheck *check)
{
    printf("%-14s %-22s %9s %10s %10s\n", "Jacobian", "identity", "shape", "nonzero", "error");
    for (size_t i = 0; i < check->n_jacobians; i++) {
        const JacobianCheck *row = &check->jacobians[i];
        char shape[48];
        snprintf(shape, sizeof shape, "%zux%zu", row->rows, row->cols);
        printf("%-14s %-22s %9s %10zu %10.1e  %s\n", row->name, row->identity, shape, row->nonzero,
               row->error, verdict(row->ok));
    }
    printf("\n%-14s %9s %10s %14s %14s\n", "gradient", "shape", "largest", "differences",
           "training code");
    for (size_t i = 0; i < check->n_blocks; i++) {
        const GradientBlockCheck *row = &check->blocks[i];
        char shape[48];
        snprintf(shape, sizeof shape, "1x%zu", row->size);
        printf("%-14s %9s %10.1e %14.1e %14.1e  %s\n", row->name, shape, row->largest,
               row->error_differences, row->error_training, verdict(row->ok));
    }
    printf("\nEach Jacobian, in double precision, against central differences (step %g) of its\n"
           "function, at most %g; the chain of them against central differences of the loss, at\n"
           "most %g, and against the float gradient of the training code, at most %g.\n%s\n",
           GRADIENT_CHECK_STEP, GRADIENT_CHECK_LIMIT, GRADIENT_CHECK_LIMIT,
           GRADIENT_CHECK_FLOAT_LIMIT, check->ok ? "All agree." : "They do NOT all agree.");
}

// The network to check: a model's, or a fresh one for these data.
static bool prepare_model(Model *model, const char *path, const Dataset *data,
                          const GradcheckOptions *o, Arena *arena, Error *err)
{
    const char *folder = command_data_folder(o->data);
    if (path != NULL)
        return model_read(model, arena, path, err) &&
               command_model_fits(model, path, data, folder, err);
    Architecture architecture = {"mlp", data->rows, data->cols, (size_t)o->hidden, data->n_classes};
    Split split;
    if (!network_build(&model->net, &architecture, err) ||
        (model->params = network_alloc(&model->net, arena, err)) == NULL ||
        !dataset_split(&split, data->n, 0, 0, err) ||
        !dataset_pixel_std(&model->settings.pixel_std, data, split.train, err))
        return false;
    network_init(&model->net, model->params, o->seed);
    return true;
}

static bool gradcheck(int *status, const GradcheckOptions *o, const char *path, Arena *arena,
                      Error *err)
{
    const char *folder = command_data_folder(o->data);
    Dataset data;
    Model model;
    GradientCheck check;
    if (!command_read_data(&data, arena, o->data, IDX_TRAIN, err) ||
        !prepare_model(&model, path, &data, o, arena, err))
        return false;
    if (o->image >= data.n)
        return error_set(err, "--image %llu: the training file in %s has %zu images",
                         (unsigned long long)o->image, folder, data.n);
    InputScale scale = input_scale(model.settings.pixel_std);
    if (!gradient_check(&check, &model.net, model.params, &data, &scale, (size_t)o->image, arena,
                        err))
        return false;

    char sizes[64];
    ShownName name = command_shown(path != NULL ? path : "a fresh network");
    ShownName shown_folder = command_shown(folder);
    network_sizes(&model.net, sizes, sizeof sizes);
    printf("%s, %s, training image %llu of %s, label taken as %zu (the least likely)\n\n",
           name.text, sizes, (unsigned long long)o->image, shown_folder.text, check.label);
    print_check(&check);
    *status = check.ok ? STATUS_DONE : STATUS_FAILED;
    return true;
}

static int run(int argc, char **argv)
{
    const char *path;
    int status;
    if (!command_begin(&command_gradcheck, option_table, &path, argc, argv, &status))
        return status;
    Arena arena = {0};
    Error err;
    if (path != NULL && (gradcheck_options.hidden != default_options.hidden ||
                         gradcheck_options.seed != default_options.seed)) {
        error_set(&err, "--hidden and --seed describe a fresh network; %s has its own", path);
        return command_wrong(&err);
    }
    if (!gradcheck(&status, &gradcheck_options, path, &arena, &err))
        status = command_fail(&err);
    arena_free(&arena);
    return command_end(status);
}

const Command command_gradcheck = {
    .name = "gradcheck",
    .arguments = "[MODEL]",
    .summary = "prove the gradients: Jacobians, the chain rule, finite differences",
    .about = "Builds every Jacobian of the network in its full shape, in double precision, and "
             "compares each with central differences of its function; multiplies the chain and "
             "compares it with central differences of the loss and with the gradient that the "
             "training code computes. Without MODEL a fresh network is checked. Exits with "
             "status 1 when one of them does not agree.",
    .examples = {"mlp gradcheck", "mlp gradcheck model.bin --image 7"},
    .run = run,
};
