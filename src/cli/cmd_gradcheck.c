// mlp gradcheck: prints how well the gradients agree with full Jacobians and finite differences.
// gradcheck.h computes it; this file chooses network and image.
#include "commands.h"
#include "csv.h"
#include "gradcheck.h"
#include "random.h"
#include "settings.h"

#include <string.h>

typedef struct GradcheckOptions {
    mlp_settings settings; // of a fresh network
    uint64_t image, crop;
    const char *data, *steps, *nonzero;
    TransposeFlags transpose;
} GradcheckOptions;

static void gradcheck_options(OptionTable *table, void *values)
{
    GradcheckOptions *o = values;
    command_add_setting(table, "architecture", &o->settings);
    command_add_setting(table, "hidden", &o->settings);
    command_add_setting(table, "seed", &o->settings);
    const Option rows[] = {
        OPT_UINT("crop", &o->crop, 1, 4096, "N", "crop to the central N x N pixels",
                 .default_text = "the whole image; 16 with --arch cnn, whose Jacobians are large"),
        OPT_UINT("image", &o->image, 0, UINT32_MAX, "N", "the training image to use, from 0"),
        OPT_DATA(&o->data),
        OPT_MODEL_TRANSPOSE(&o->transpose),
        OPT_TABLE("steps", &o->steps,
                  "repeat the check with twelve finite-difference steps, 1e-1 to 1e-12, and write "
                  "one row per step here (- is standard output): the step, and the error of every "
                  "Jacobian and gradient"),
        OPT_TABLE("nonzero", &o->nonzero,
                  "write the nonzero entries of the Jacobians here (- is standard output): "
                  "jacobian,row,column,value"),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

static void gradcheck_defaults(const OptionTable *table, void *values)
{
    command_default_settings(table, &((GradcheckOptions *)values)->settings);
}

static const char *verdict(bool ok)
{
    return ok ? "ok" : "WRONG";
}

static void print_skipped(const mlp_gradient_check *check, size_t skipped)
{
    if (check->has_kinks)
        printf(" %8zu", skipped);
}

static void print_check(const mlp_gradient_check *check)
{
    const char *skipped = check->has_kinks ? " at kinks" : "";
    printf("%-14s %-22s %9s %10s %10s%s\n", "Jacobian", "identity", "shape", "nonzero", "error",
           skipped);
    for (size_t i = 0; i < check->n_jacobians; i++) {
        const mlp_jacobian *row = &check->jacobians[i];
        char shape[48];
        snprintf(shape, sizeof shape, "%zux%zu", row->rows, row->cols);
        printf("%-14s %-22s %9s %10zu %10.1e", row->name, row->identity, shape, row->nonzero,
               row->error);
        print_skipped(check, row->skipped);
        printf("  %s\n", verdict(row->ok));
    }
    printf("\n%-14s %9s %10s %14s %14s%s\n", "gradient", "shape", "largest", "differences",
           "training code", skipped);
    for (size_t i = 0; i < check->n_gradients; i++) {
        const mlp_gradient *row = &check->gradients[i];
        char shape[48];
        snprintf(shape, sizeof shape, "1x%zu", row->size);
        printf("%-14s %9s %10.1e %14.1e %14.1e", row->name, shape, row->largest,
               row->error_differences, row->error_training);
        print_skipped(check, row->skipped);
        printf("  %s\n", row->largest > 0.0 ? verdict(row->ok) : "all zero");
    }
    printf("\nEach Jacobian, in double precision, against central differences (step %g) of its\n"
           "function, at most %g; the chain of them against central differences of the loss, at\n"
           "most %g, and against the float gradient of the training code, at most %g.\n%s",
           MLP_CHECK_STEP, MLP_CHECK_LIMIT, MLP_CHECK_LIMIT, MLP_CHECK_TRAINING_LIMIT,
           check->has_kinks ? "ReLU and max pooling have kinks: differences across a kink are "
                              "skipped and counted.\n"
                            : "");
    for (size_t i = 0; i < check->n_gradients; i++)
        if (!(check->gradients[i].largest > 0.0)) {
            puts("A gradient that is all zero checks nothing: choose another --seed or --image.");
            break;
        }
    puts(check->ok ? "All agree." : "They do NOT all agree.");
}

// ---------------------------------------------------------------------------------------------
// Tables

// What is checked: a network at these parameters, on one image.
typedef struct Subject {
    const Model *model;
    const Dataset *data;
    InputScale scale;
    size_t image;
} Subject;

static bool check_subject(mlp_gradient_check *check, const Subject *s, double step, Arena *arena,
                          Error *err)
{
    Batch batch = {.data = s->data, .scale = &s->scale, .first = s->image, .size = 1};
    return gradient_check(check, &s->model->net, s->model->params, &batch, step, arena, err);
}

static const double steps[] = {1e-1, 1e-2, 1e-3, 1e-4,  1e-5,  1e-6,
                               1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12};
enum { N_STEPS = sizeof steps / sizeof steps[0] };

static void print_steps(FILE *out, const void *context)
{
    const mlp_gradient_check *checks = context;
    CsvWriter csv = {.out = out};
    csv_names(&csv, "step");
    for (size_t i = 0; i < checks->n_jacobians; i++)
        csv_string(&csv, checks->jacobians[i].name);
    for (size_t i = 0; i < checks->n_gradients; i++)
        csv_string(&csv, checks->gradients[i].name);
    csv_end_row(&csv);
    for (size_t h = 0; h < N_STEPS; h++) {
        csv_exact(&csv, steps[h]);
        for (size_t i = 0; i < checks[h].n_jacobians; i++)
            csv_double(&csv, checks[h].jacobians[i].error);
        for (size_t i = 0; i < checks[h].n_gradients; i++)
            csv_double(&csv, checks[h].gradients[i].error_differences);
        csv_end_row(&csv);
    }
}

// Checks with each step.
static mlp_gradient_check *check_steps(const Subject *subject, Arena *arena, Error *err)
{
    mlp_gradient_check *checks = arena_alloc(arena, N_STEPS, sizeof *checks, "the checks", err);
    for (size_t h = 0; checks != NULL && h < N_STEPS; h++) {
        Arena own = {0}; // one check's Jacobians are in memory at a time
        bool ok = check_subject(&checks[h], subject, steps[h], &own, err);
        arena_free(&own);
        if (!ok)
            return NULL;
    }
    return checks;
}

static void print_nonzero(FILE *out, const void *context)
{
    const mlp_gradient_check *check = context;
    CsvWriter csv = {.out = out};
    csv_names(&csv, "jacobian,row,column,value");
    csv_end_row(&csv);
    for (size_t i = 0; i < check->n_jacobians; i++)
        for (size_t e = 0; e < check->jacobians[i].nonzero; e++) {
            const mlp_entry *entry = &check->jacobians[i].entries[e];
            csv_string(&csv, check->jacobians[i].name);
            csv_uint(&csv, entry->row);
            csv_uint(&csv, entry->col);
            csv_double(&csv, entry->value);
            csv_end_row(&csv);
        }
}

// ---------------------------------------------------------------------------------------------
// The command

// Initial biases are zero, which would put every patch of zero pixels exactly on the kink of ReLU.
static void move_biases(const Network *net, float *params, uint64_t seed)
{
    for (size_t t = 0; t < net->n_tensors; t++)
        for (size_t e = 0; net->tensors[t]->n_dims == 1 && e < tensor_size(net->tensors[t]); e++)
            params[tensor_index(net->tensors[t], e)] =
                0.1f * random_normal(seed, RANDOM_WEIGHTS + t, e);
}

// The central part of one image, as a data set of its own.
static bool crop_image(Dataset *data, size_t image, size_t side, Arena *arena, Error *err)
{
    if (side > data->rows || side > data->cols)
        return error_set(err, "--crop %zu: the images have %zu x %zu pixels", side, data->rows,
                         data->cols);
    unsigned char *pixels = arena_alloc(arena, side * side, 1, "an image", err);
    if (pixels == NULL)
        return false;
    size_t top = (data->rows - side) / 2, left = (data->cols - side) / 2;
    const unsigned char *from = data->pixels + image * dataset_pixels_per_image(data);
    for (size_t row = 0; row < side; row++)
        memcpy(pixels + row * side, from + (top + row) * data->cols + left, side);
    data->labels += image;
    data->pixels = pixels;
    data->rows = data->cols = side;
    data->n = 1;
    return true;
}

// The network to check: that of the model that has been read, or a fresh one for these data, which
// it may crop.
static bool prepare_model(Model *model, const char *path, Dataset *data, size_t *image,
                          const GradcheckOptions *o, Arena *arena, Error *err)
{
    const char *directory = command_data_directory(o->data);
    if (path != NULL)
        return command_model_fits(model, path, data, directory, err);
    Split split;
    if (!dataset_split(&split, data->n, 0, 0, err) ||
        !dataset_pixel_std(&model->facts.pixel_std, data, split.train, err))
        return false;
    size_t crop = (size_t)o->crop, smaller = data->rows < data->cols ? data->rows : data->cols;
    if (crop == 0) {
        crop = architecture_checked_side(o->settings.architecture);
        crop = crop < smaller ? crop : smaller;
    }
    if (crop > 0 && !crop_image(data, *image, crop, arena, err))
        return false;
    *image = crop > 0 ? 0 : *image;
    Architecture architecture = {o->settings.architecture, data->rows, data->cols,
                                 (size_t)o->settings.hidden, data->n_classes};
    if (!network_build(&model->net, &architecture, err) ||
        (model->params = network_alloc(&model->net, arena, err)) == NULL)
        return false;
    network_init(&model->net, model->params, o->settings.seed);
    if (network_has_kinks(&model->net))
        move_biases(&model->net, model->params, o->settings.seed);
    return true;
}

static int gradcheck(Context *c)
{
    const GradcheckOptions *o = c->values;
    const char *path = c->words.model, *directory = command_data_directory(o->data);
    Arena *arena = &c->arena;
    Error *err = &c->err;
    Dataset data;
    Model model;
    mlp_gradient_check check;
    if (path != NULL && !model_read(&model, arena, path, err))
        return STATUS_FAILED;
    bool transposed = command_transposed(&o->transpose, path != NULL && model.settings.transposed);
    if (!command_read_data(&data, arena, o->data, IDX_TRAIN, transposed, err))
        return STATUS_FAILED;
    if (o->image >= data.n) {
        error_set(err, "--image %llu: the training file in %s has %zu images",
                  (unsigned long long)o->image, directory, data.n);
        return STATUS_FAILED;
    }
    size_t image = (size_t)o->image;
    if (!prepare_model(&model, path, &data, &image, o, arena, err))
        return STATUS_FAILED;
    Subject subject = {&model, &data, input_scale(model.facts.pixel_std), image};
    if (!check_subject(&check, &subject, MLP_CHECK_STEP, arena, err))
        return STATUS_FAILED;

    char sizes[64];
    ShownName name = command_shown(path != NULL ? path : "a fresh network");
    ShownName shown_directory = command_shown(directory);
    network_sizes(&model.net, sizes, sizeof sizes);
    printf("%s, %s, training image %llu of %s, label taken as %zu (the least likely)\n\n",
           name.text, sizes, (unsigned long long)o->image, shown_directory.text, check.label);
    print_check(&check);
    const mlp_gradient_check *checks = o->steps == NULL ? NULL : check_steps(&subject, arena, err);
    if (o->steps != NULL && checks == NULL)
        return STATUS_FAILED;
    const Table tables[] = {{o->steps, print_steps, checks}, {o->nonzero, print_nonzero, &check}};
    int status = command_write_tables(c, tables, 2);
    return status == STATUS_DONE && !check.ok ? STATUS_FAILED : status;
}

static int run(Context *c)
{
    const GradcheckOptions *o = c->values;
    const void *of_fresh[] = {&o->settings.architecture, &o->crop, &o->settings.hidden,
                              &o->settings.seed};
    for (size_t i = 0; c->words.model != NULL && i < 4; i++)
        if (options_given(&c->options, of_fresh[i])) {
            error_set(
                &c->err,
                "--arch, --crop, --hidden and --seed describe a fresh network; %s has its own",
                c->words.model);
            return STATUS_USAGE;
        }
    int status = command_check_outputs(c);
    return status == STATUS_DONE ? gradcheck(c) : status;
}

const Command command_gradcheck = {
    .name = "gradcheck",
    .arguments = "[MODEL]",
    .summary = "check gradients against full Jacobians and finite differences",
    .about = "Builds every Jacobian of the network in its full shape, in double precision, and "
             "compares each with central differences of its function. Multiplies the chain of "
             "Jacobians and compares the gradient with central differences of the loss and with "
             "the gradient that the training code computes. Without MODEL a fresh network is "
             "checked, which --arch, --crop, --hidden and --seed describe. Exit status 1 if any "
             "check fails.",
    .examples = {"mlp gradcheck model.bin --image 7",
                 "mlp gradcheck --hidden 16 --steps steps.csv"},
    .values_size = sizeof(GradcheckOptions),
    .options = gradcheck_options,
    .defaults = gradcheck_defaults,
    .run = run,
};
