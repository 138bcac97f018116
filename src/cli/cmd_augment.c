// mlp augment: training images beside what `mlp train --augment` makes of them in its first epochs,
// as pictures on a terminal (terminal.h), as a table of what is done to them, and as CSV.
#include "augment.h"
#include "commands.h"
#include "settings.h"
#include "signals.h"
#include "terminal.h"

#include <string.h>
#include <unistd.h>

typedef struct AugmentOptions {
    mlp_settings settings; // where no model has its own
    uint64_t image, count, epochs;
    const char *data, *csv;
    TransposeFlags transpose;
} AugmentOptions;

static const char *const settings_keys[] = {"rotate", "scale", "shift", "shear", "seed"};
enum { N_SETTINGS = sizeof settings_keys / sizeof settings_keys[0] };

static void augment_options(OptionTable *table, void *values)
{
    AugmentOptions *o = values;
    Error ignored;
    settings_default(&o->settings, architecture_names[0]);
    for (const PresetValue *value = augmentation_values; value->key != NULL; value++)
        (void)setting_parse(setting_find(settings_table, value->key), &o->settings, value->text,
                            &ignored);
    for (size_t i = 0; i < N_SETTINGS; i++)
        command_add_setting(table, settings_keys[i], &o->settings);
    o->count = 8;
    o->epochs = 7;
    const Option rows[] = {
        OPT_UINT("image", &o->image, 0, UINT32_MAX, "N",
                 "the first training image to show, from 0"),
        OPT_UINT("count", &o->count, 1, UINT32_MAX, "N", "how many images to show"),
        OPT_UINT("epochs", &o->epochs, 1, SETTING_MAX_EPOCHS, "N",
                 "show what they become in each epoch up to this"),
        OPT_DATA(&o->data),
        OPT_MODEL_TRANSPOSE(&o->transpose),
        OPT_TABLE(
            "csv", &o->csv,
            "write one row per picture here (- is standard output): "
            "image,label,epoch,angle,factor,shear,shift_x,shift_y and then the pixels, row by "
            "row; epoch 0 is the image itself"),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

// ---------------------------------------------------------------------------------------------
// The pictures of one image

// An image, and behind it what it is in each epoch.
typedef struct Versions {
    const mlp_settings *settings;
    const mlp_data *data;
    size_t first, count, epochs; // images first, first + 1, ..., and epochs of each
    size_t image;                // the present one
    Resampler resampler;
    unsigned char *pixels; // (1 + epochs, rows, cols) of it
} Versions;

static mlp_affine version_map(const Versions *v, size_t epoch)
{
    static const mlp_affine identity = {.factor = 1.0};
    return epoch == 0 ? identity : augment_draw(v->settings, epoch, v->image);
}

static void versions_make(Versions *v, size_t image)
{
    size_t size = dataset_pixels_per_image(v->data);
    v->image = image;
    for (size_t epoch = 0; epoch <= v->epochs; epoch++) {
        mlp_affine map = version_map(v, epoch);
        resampler_apply(&v->resampler, &map, v->data->pixels + image * size,
                        v->pixels + epoch * size);
    }
}

static double version_value(const void *context, size_t epoch, size_t row, size_t col)
{
    const Versions *v = context;
    return v->pixels[(epoch * v->data->rows + row) * v->data->cols + col];
}

static void version_title(const void *context, size_t epoch, char *text, size_t size)
{
    const Versions *v = context;
    if (epoch == 0)
        snprintf(text, size, "%zu: %u", v->image, v->data->labels[v->image]);
    else
        snprintf(text, size, "%zu", epoch);
}

// ---------------------------------------------------------------------------------------------
// Output

static void print_version(CsvWriter *csv, const Versions *v, size_t epoch)
{
    size_t size = dataset_pixels_per_image(v->data);
    mlp_affine map = version_map(v, epoch);
    csv_uint(csv, v->image);
    csv_uint(csv, v->data->labels[v->image]);
    csv_uint(csv, epoch);
    csv_double(csv, map.angle);
    csv_double(csv, map.factor);
    csv_double(csv, map.shear);
    csv_double(csv, map.shift_x);
    csv_double(csv, map.shift_y);
    csv_bytes(csv, v->pixels + epoch * size, size);
    csv_end_row(csv);
}

// All images of a large file take minutes: stops when nobody waits for them any more.
static void print_csv(CsvWriter *csv, const void *context)
{
    Versions v = *(const Versions *)context;
    csv_names(csv, "image,label,epoch,angle,factor,shear,shift_x,shift_y");
    csv_numbered_names(csv, "p", dataset_pixels_per_image(v.data));
    csv_end_row(csv);
    for (size_t i = 0; i < v.count; i++) {
        versions_make(&v, v.first + i);
        for (size_t epoch = 0; epoch <= v.epochs; epoch++) {
            if (signals_noted() != 0 || ferror(csv->out))
                return;
            print_version(csv, &v, epoch);
        }
    }
}

static void print_table(Versions *v)
{
    printf("%7s  %5s  %7s  %7s  %6s  %7s  %8s  %8s\n", "image", "label", "epoch", "angle", "factor",
           "shear", "shift x", "shift y");
    for (v->image = v->first; v->image < v->first + v->count; v->image++)
        for (size_t epoch = 1; epoch <= v->epochs; epoch++) {
            mlp_affine map = version_map(v, epoch);
            printf("%7zu  %5u  %7zu  %7.2f  %6.3f  %7.3f  %8.2f  %8.2f\n", v->image,
                   v->data->labels[v->image], epoch, map.angle, map.factor, map.shear, map.shift_x,
                   map.shift_y);
        }
}

static void draw(Versions *v)
{
    Tiles tiles = {.n = 1 + v->epochs,
                   .rows = v->data->rows,
                   .cols = v->data->cols,
                   .across = 1 + v->epochs,
                   .scale = 255.0,
                   .context = v,
                   .value = version_value,
                   .title = version_title};
    for (size_t i = 0; i < v->count; i++) {
        versions_make(v, v->first + i);
        tiles_draw(&tiles);
    }
    printf("Each row: a training image with its label, and what it is in epochs 1 to %zu.\n",
           v->epochs);
}

// ---------------------------------------------------------------------------------------------
// The command

// The settings that a training has, or had: those of the model, if there is one.
static const mlp_settings *find_settings(Context *c)
{
    const AugmentOptions *o = c->values;
    if (c->model == NULL)
        return &o->settings;
    const mlp_settings *settings = mlp_model_settings(c->model);
    if (augment_is_on(settings))
        return settings;
    error_set(&c->err, "%s: was trained without augmentation", c->words.model);
    return NULL;
}

static bool open_versions(Versions *v, Context *c)
{
    const AugmentOptions *o = c->values;
    *v = (Versions){.settings = find_settings(c),
                    .first = (size_t)o->image,
                    .count = (size_t)o->count,
                    .epochs = (size_t)o->epochs};
    if (v->settings == NULL)
        return false;
    v->data = command_open_data(c, MLP_TRAIN_FILES, o->data, command_transposed(c, &o->transpose));
    if (v->data == NULL || (c->model != NULL && !mlp_fits(c->model, v->data, c->err.text)))
        return false;
    size_t left = v->data->n - (v->first < v->data->n ? v->first : v->data->n);
    if (!options_given(&c->options, &o->count) && v->count > left && left > 0)
        v->count = left;
    if (v->count > left)
        return error_set(&c->err, "--image %zu --count %zu: the training file in %s has %zu images",
                         v->first, v->count, v->data->name, v->data->n);
    v->pixels = arena_alloc(&c->arena, 1 + v->epochs, dataset_pixels_per_image(v->data),
                            "the pictures", &c->err);
    return v->pixels != NULL &&
           resampler_open(&v->resampler, v->data->rows, v->data->cols, &c->arena, &c->err);
}

static int run(Context *c)
{
    const AugmentOptions *o = c->values;
    for (size_t i = 0; c->words.model != NULL && i < N_SETTINGS; i++) {
        const Setting *row = setting_find(settings_table, settings_keys[i]);
        if (command_setting_given(&c->options, row, &o->settings)) {
            error_set(&c->err, "--%s: %s has its own", row->flag, c->words.model);
            return STATUS_USAGE;
        }
    }
    int status = command_begin(c);
    if (status != STATUS_DONE)
        return status;
    Versions versions;
    if (!open_versions(&versions, c))
        return STATUS_FAILED;
    if (o->csv != NULL)
        return command_write_tables(c, &(Table){o->csv, print_csv, &versions}, 1);
    if (terminal_has_colours(STDOUT_FILENO))
        draw(&versions);
    else
        print_table(&versions);
    return STATUS_DONE;
}

const Command command_augment = {
    .name = "augment",
    .arguments = "[MODEL]",
    .summary = "show training images as augmentation changes them",
    .about = "Shows training images as `mlp train --augment` shows them to the network: each one, "
             "and what it is in the first epochs. The changes are those of a training with the "
             "same --rotate, --scale, --shift, --shear and --seed, or of the one that made MODEL. "
             "On a terminal the images are drawn; otherwise a table says how each is changed.",
    .examples = {"mlp augment --rotate 20 --shear 0.2",
                 "mlp augment --image 100 --csv augment.csv"},
    .values_size = sizeof(AugmentOptions),
    .options = augment_options,
    .run = run,
};
