// mlp gradcheck: prints how well the gradients agree with full Jacobians and finite differences.
// mlp_check_gradients computes it; this file chooses network and image.
#include "own_arrays.h"
#include "random.h"
#include "settings.h"

#include <string.h>

typedef struct GradcheckOptions {
    mlp_settings settings; // of a fresh network
    uint64_t image, crop;
    const char *data, *steps, *nonzero, *compare;
    TransposeFlags transpose;
} GradcheckOptions;

static void gradcheck_options(OptionTable *table, void *values)
{
    GradcheckOptions *o = values;
    command_add_setting(table, "architecture", &o->settings);
    command_add_setting(table, "hidden", &o->settings);
    command_add_setting(table, "activation", &o->settings);
    command_add_setting(table, "channels", &o->settings);
    command_add_setting(table, "seed", &o->settings);
    const Option rows[] = {
        OPT_UINT("crop", &o->crop, 1, NETWORK_MAX_SIDE, "N", "crop to the central N x N pixels",
                 .default_text =
                     "the whole image; 16 for convolutional networks, whose Jacobians are "
                     "large"),
        OPT_UINT("image", &o->image, 0, UINT32_MAX, "N", "the training image to use, from 0",
                 .excludes = "compare"),
        OPT_DATA(&o->data),
        OPT_MODEL_TRANSPOSE(&o->transpose),
        OPT_TABLE("steps", &o->steps,
                  "repeat the check with twelve finite-difference steps, 1e-1 to 1e-12, and write "
                  "one row per step here (- is standard output): the step, and the error of every "
                  "Jacobian and gradient",
                  .excludes = "compare"),
        OPT_TABLE("nonzero", &o->nonzero,
                  "write the nonzero entries of the Jacobians here (- is standard output): "
                  "jacobian,row,column,value",
                  .excludes = "compare"),
        OPT_STRING("compare", &o->compare, "DIR",
                   "compare the arrays in this directory, which your program has computed, with "
                   "those of mlp explain --save DIR, and say what those that disagree look like",
                   .default_text = ""),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
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
    const char *skipped = check->has_kinks ? "  skipped" : "";
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
    printf("\nLargest error allowed: %g between each Jacobian and central differences of its\n"
           "function; %g between their product and central differences of the loss; %g\n"
           "between that product and the training code's float gradient.\n%s",
           MLP_CHECK_LIMIT, MLP_CHECK_LIMIT, MLP_CHECK_TRAINING_LIMIT,
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

static const double steps[] = {1e-1, 1e-2, 1e-3, 1e-4,  1e-5,  1e-6,
                               1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12};
enum { N_STEPS = sizeof steps / sizeof steps[0] };

static void print_steps(CsvWriter *csv, const void *context)
{
    const mlp_gradient_check *checks = context;
    csv_names(csv, "step");
    for (size_t i = 0; i < checks->n_jacobians; i++)
        csv_string(csv, checks->jacobians[i].name);
    for (size_t i = 0; i < checks->n_gradients; i++)
        csv_string(csv, checks->gradients[i].name);
    csv_end_row(csv);
    for (size_t h = 0; h < N_STEPS; h++) {
        csv_exact(csv, steps[h]);
        for (size_t i = 0; i < checks[h].n_jacobians; i++)
            csv_double(csv, checks[h].jacobians[i].error);
        for (size_t i = 0; i < checks[h].n_gradients; i++)
            csv_double(csv, checks[h].gradients[i].error_differences);
        csv_end_row(csv);
    }
}

// Checks with each step. Of the Jacobians only the errors are kept.
static mlp_gradient_check *check_steps(Context *c, const mlp_data *data, size_t image)
{
    mlp_gradient_check *checks =
        arena_alloc(&c->arena, N_STEPS, sizeof *checks, "the checks", &c->err);
    for (size_t h = 0; checks != NULL && h < N_STEPS; h++) {
        mlp_gradient_check *one = mlp_check_gradients(c->model, data, image, steps[h], c->err.text);
        if (one == NULL)
            return NULL;
        checks[h] = *one;
        mlp_gradient_check_close(one);
    }
    return checks;
}

static void print_nonzero(CsvWriter *csv, const void *context)
{
    const mlp_gradient_check *check = context;
    csv_names(csv, "jacobian,row,column,value");
    csv_end_row(csv);
    for (size_t i = 0; i < check->n_jacobians; i++)
        for (size_t e = 0; e < check->jacobians[i].nonzero; e++) {
            const mlp_entry *entry = &check->jacobians[i].entries[e];
            csv_string(csv, check->jacobians[i].name);
            csv_uint(csv, entry->row);
            csv_uint(csv, entry->col);
            csv_double(csv, entry->value);
            csv_end_row(csv);
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

// Leaves the central part of every image.
static bool crop(mlp_data *data, size_t side, Context *c)
{
    if (side > data->rows || side > data->cols)
        return error_set(&c->err, "--crop %zu: the images have %zu x %zu pixels", side, data->rows,
                         data->cols);
    unsigned char *pixels = arena_alloc(&c->arena, data->n, side * side, "the images", &c->err);
    if (pixels == NULL)
        return false;
    size_t top = (data->rows - side) / 2, left = (data->cols - side) / 2;
    for (size_t i = 0; i < data->n; i++)
        for (size_t row = 0; row < side; row++)
            memcpy(pixels + (i * side + row) * side,
                   data->pixels + (i * data->rows + top + row) * data->cols + left, side);
    data->pixels = pixels;
    data->rows = data->cols = side;
    return true;
}

// A fresh network for the data, or for the central parts of the images, whose pixels are scaled
// like those of whole images.
static bool make_network(Context *c, mlp_data *data)
{
    const GradcheckOptions *o = c->values;
    Split split = {0};
    double pixel_std;
    size_t side = (size_t)o->crop, smaller = data->rows < data->cols ? data->rows : data->cols;
    if (side == 0) {
        side = architecture_checked_side(o->settings.architecture);
        side = side < smaller ? side : smaller;
    }
    if (!dataset_split(&split, data->n, 0, 0, &c->err) ||
        !dataset_pixel_std(&pixel_std, data, split.train, &c->err) ||
        (side > 0 && !crop(data, side, c)) ||
        (c->model = mlp_create(&o->settings, data, c->err.text)) == NULL)
        return false;
    c->model->facts.pixel_std = pixel_std;
    if (network_has_kinks(&c->model->net))
        move_biases(&c->model->net, c->model->params, o->settings.seed);
    return true;
}

// Prints the check, and writes the tables.
static int report(Context *c, const mlp_data *data, const mlp_gradient_check *check)
{
    const GradcheckOptions *o = c->values;
    char sizes[NETWORK_SIZES_SIZE];
    ShownName name = command_shown(c->words.model != NULL ? c->words.model : "a fresh network");
    network_sizes(&c->model->net, sizes, sizeof sizes);
    printf("%s, %s, training image %llu of %s, label taken as %zu (the least likely)\n\n",
           name.text, sizes, (unsigned long long)o->image, command_shown(data->name).text,
           check->label);
    print_check(check);
    const mlp_gradient_check *checks = NULL;
    if (o->steps != NULL && (checks = check_steps(c, data, (size_t)o->image)) == NULL)
        return STATUS_FAILED;
    const Table tables[] = {{o->steps, print_steps, checks}, {o->nonzero, print_nonzero, check}};
    int status = command_write_tables(c, tables, 2);
    return status == STATUS_DONE && !check->ok ? STATUS_FAILED : status;
}

static int run(Context *c)
{
    const GradcheckOptions *o = c->values;
    static const char *const of_fresh[] = {"arch",       "crop",     "hidden",
                                           "activation", "channels", "seed"};
    for (size_t i = 0; c->words.model != NULL && i < sizeof of_fresh / sizeof of_fresh[0]; i++)
        if (options_name_given(&c->options, of_fresh[i])) {
            error_set(&c->err,
                      "--arch, --crop, --hidden, --activation, --channels and --seed describe a "
                      "fresh network; %s has its own",
                      c->words.model);
            return STATUS_USAGE;
        }
    if (c->words.model == NULL && o->compare != NULL) {
        error_set(&c->err, "--compare needs a MODEL");
        return STATUS_USAGE;
    }
    if (c->words.model == NULL && !settings_check(&o->settings, &c->err))
        return STATUS_USAGE;
    int status = command_begin(c);
    if (status != STATUS_DONE)
        return status;
    if (o->compare != NULL)
        return own_arrays_compare(c, o->compare);
    const mlp_data *whole =
        command_open_data(c, MLP_TRAIN_FILES, o->data, command_transposed(c, &o->transpose));
    if (whole == NULL)
        return STATUS_FAILED;
    mlp_data data = *whole;
    if (o->image >= data.n) {
        error_set(&c->err, "--image %llu: the training file in %s has %zu images",
                  (unsigned long long)o->image, data.name, data.n);
        return STATUS_FAILED;
    }
    if (c->model == NULL && !make_network(c, &data))
        return STATUS_FAILED;
    mlp_gradient_check *check =
        mlp_check_gradients(c->model, &data, (size_t)o->image, MLP_CHECK_STEP, c->err.text);
    status = check == NULL ? STATUS_FAILED : report(c, &data, check);
    mlp_gradient_check_close(check);
    return status;
}

const Command command_gradcheck = {
    .name = "gradcheck",
    .arguments = "[MODEL]",
    .summary = "check gradients against full Jacobians and finite differences",
    .about = "Builds every Jacobian of the network in its full shape, in double precision, and "
             "compares each with central differences of its function; then compares their "
             "product, the gradient, with central differences of the loss and with the gradient "
             "that the training code computes. Without MODEL a fresh network is checked. "
             "--compare checks arrays of your own instead: any of those that mlp explain --save "
             "writes, under the same names. Exit status 1 if any check fails.",
    .examples = {"mlp gradcheck model.bin --image 7",
                 "mlp gradcheck --hidden 16 --steps steps.csv"},
    .values_size = sizeof(GradcheckOptions),
    .options = gradcheck_options,
    .defaults = command_fill_settings,
    .run = run,
};
