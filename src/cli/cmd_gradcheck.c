// mlp gradcheck: prints how well the gradients agree with full Jacobians and finite differences.
// mlp_check_gradients computes it; this file chooses network and image.
#include "commands.h"
#include "csv.h"
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

// What is checked: a model on one image.
typedef struct Subject {
    const mlp_model *model;
    const mlp_data *data;
    size_t image;
} Subject;

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

// Checks with each step. Of the Jacobians only the errors are kept.
static mlp_gradient_check *check_steps(const Subject *s, Arena *arena, Error *err)
{
    mlp_gradient_check *checks = arena_alloc(arena, N_STEPS, sizeof *checks, "the checks", err);
    for (size_t h = 0; checks != NULL && h < N_STEPS; h++) {
        mlp_gradient_check *one =
            mlp_check_gradients(s->model, s->data, s->image, steps[h], err->text);
        if (one == NULL)
            return NULL;
        checks[h] = *one;
        mlp_gradient_check_close(one);
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

// The central part of one image, as data of their own.
static bool crop_image(mlp_data *cropped, const mlp_data *data, size_t image, size_t side,
                       Arena *arena, Error *err)
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
    *cropped = *data;
    cropped->labels += image;
    cropped->pixels = pixels;
    cropped->rows = cropped->cols = side;
    cropped->n = 1;
    return true;
}

// A fresh network for the data, or for the central part of the image, whose pixels are scaled like
// those of whole images. mlp_create would measure the part's.
static bool make_subject(Subject *s, const GradcheckOptions *o, Arena *arena, Error *err)
{
    mlp_model *model = arena_alloc(arena, 1, sizeof *model, "a network", err);
    mlp_data *cropped = arena_alloc(arena, 1, sizeof *cropped, "an image", err);
    Split split;
    if (model == NULL || cropped == NULL || !dataset_split(&split, s->data->n, 0, 0, err) ||
        !dataset_pixel_std(&model->facts.pixel_std, s->data, split.train, err))
        return false;
    size_t crop = (size_t)o->crop, rows = s->data->rows, cols = s->data->cols;
    if (crop == 0) {
        crop = architecture_checked_side(o->settings.architecture);
        crop = crop < rows ? crop : rows;
        crop = crop < cols ? crop : cols;
    }
    if (crop > 0) {
        if (!crop_image(cropped, s->data, s->image, crop, arena, err))
            return false;
        s->data = cropped;
        s->image = 0;
    }
    Architecture architecture = {o->settings.architecture, s->data->rows, s->data->cols,
                                 (size_t)o->settings.hidden, s->data->n_classes};
    if (!network_build(&model->net, &architecture, err) ||
        (model->params = network_alloc(&model->net, arena, err)) == NULL)
        return false;
    network_init(&model->net, model->params, o->settings.seed);
    if (network_has_kinks(&model->net))
        move_biases(&model->net, model->params, o->settings.seed);
    s->model = model;
    return true;
}

// Prints the check, and writes the tables.
static int report(Context *c, const Subject *s, const mlp_gradient_check *check)
{
    const GradcheckOptions *o = c->values;
    char sizes[64];
    ShownName name = command_shown(c->model != NULL ? c->words.model : "a fresh network");
    ShownName directory = command_shown(c->data->name);
    network_sizes(&s->model->net, sizes, sizeof sizes);
    printf("%s, %s, training image %llu of %s, label taken as %zu (the least likely)\n\n",
           name.text, sizes, (unsigned long long)o->image, directory.text, check->label);
    print_check(check);
    const mlp_gradient_check *checks = NULL;
    if (o->steps != NULL && (checks = check_steps(s, &c->arena, &c->err)) == NULL)
        return STATUS_FAILED;
    const Table tables[] = {{o->steps, print_steps, checks}, {o->nonzero, print_nonzero, check}};
    int status = command_write_tables(c, tables, 2);
    return status == STATUS_DONE && !check->ok ? STATUS_FAILED : status;
}

static int gradcheck(Context *c)
{
    const GradcheckOptions *o = c->values;
    if (c->words.model != NULL && !command_open_model(c))
        return STATUS_FAILED;
    bool transposed = command_transposed(
        &o->transpose, c->model != NULL && mlp_model_settings(c->model)->transposed);
    if (!command_open_data(c, &c->data, o->data, MLP_TRAIN_FILES, transposed))
        return STATUS_FAILED;
    if (o->image >= c->data->n) {
        error_set(&c->err, "--image %llu: the training file in %s has %zu images",
                  (unsigned long long)o->image, c->data->name, c->data->n);
        return STATUS_FAILED;
    }
    Subject s = {c->model, c->data, (size_t)o->image};
    if (c->model == NULL && !make_subject(&s, o, &c->arena, &c->err))
        return STATUS_FAILED;
    mlp_gradient_check *check =
        mlp_check_gradients(s.model, s.data, s.image, MLP_CHECK_STEP, c->err.text);
    int status = check == NULL ? STATUS_FAILED : report(c, &s, check);
    mlp_gradient_check_close(check);
    return status;
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
