// The public interface (include/mlp.h) on base, kernels, nn and io: each function gathers what one
// task needs, and turns an Error into the caller's text. No mathematics and no format is here. The
// commands in src/cli are its first clients.
#include "augment.h"
#include "digit.h"
#include "evaluate.h"
#include "gradcheck.h"
#include "idx.h"
#include "kernels.h"
#include "model.h"
#include "pnm.h"
#include "settings.h"
#include "train.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static_assert(sizeof(Error) == MLP_ERROR_SIZE, "a caller's buffer is an Error");

// The caller's buffer, or `unwanted` in the place of none.
static Error *error_in(char *error, Error *unwanted)
{
    return error != NULL ? (Error *)error : unwanted;
}

const char *mlp_version(void)
{
    return MLP_VERSION;
}

bool mlp_settings_default(mlp_settings *settings, const char *architecture,
                          char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    const Setting *row = setting_find(settings_table, "architecture");
    Error reason;
    if (!setting_parse(row, settings, architecture != NULL ? architecture : "", &reason))
        return error_set(err, "architecture: %s", reason.text);
    settings_default(settings, settings->architecture);
    return true;
}

bool mlp_settings_preset(mlp_settings *settings, const char *preset, const char *architecture,
                         char error[MLP_ERROR_SIZE])
{
    Error unwanted, ignored, *err = error_in(error, &unwanted);
    const Preset *found = preset_find(preset != NULL ? preset : "", architecture, err);
    if (found == NULL)
        return false;
    settings_default(settings, found->architecture);
    settings->preset = found->name;
    for (const PresetValue *value = found->values; value->key != NULL; value++)
        (void)setting_parse(setting_find(settings_table, value->key), settings, value->text,
                            &ignored);
    return true;
}

// ---------------------------------------------------------------------------------------------
// Data

void mlp_data_close(mlp_data *data)
{
    if (data != NULL)
        arena_free(&(Arena){data->memory}); // the struct is in it
}

mlp_data *mlp_data_open(const char *directory, mlp_part part, bool transposed,
                        char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    Arena arena = {0};
    mlp_data *data = arena_alloc(&arena, 1, sizeof *data, "data", err);
    if (data != NULL && idx_read_directory(data, &arena, directory, part, transposed, err) &&
        (data->name = arena_printf(&arena, err, "%s", directory)) != NULL) {
        data->memory = arena.blocks;
        return data;
    }
    arena_free(&arena);
    return NULL;
}

#define BYTES_OF(n)                                                                                \
    (unsigned char)((n) >> 24), (unsigned char)((n) >> 16), (unsigned char)((n) >> 8),             \
        (unsigned char)(n)

// That of the IDX files which hold the same images and labels.
static uint32_t crc32_of(const mlp_data *data)
{
    const unsigned char images[] = {
        0, 0, 8, 3, BYTES_OF(data->n), BYTES_OF(data->rows), BYTES_OF(data->cols)};
    const unsigned char labels[] = {0, 0, 8, 1, BYTES_OF(data->n)};
    uint32_t crc32 = crc32_update(0, images, sizeof images);
    crc32 = crc32_update(crc32, data->pixels, data->n * data->rows * data->cols);
    crc32 = crc32_update(crc32, labels, sizeof labels);
    return crc32_update(crc32, data->labels, data->n);
}

mlp_data *mlp_data_from_memory(const unsigned char *pixels, const unsigned char *labels, size_t n,
                               size_t rows, size_t cols, char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    const size_t most = (size_t)1 << 24; // pixels of an image
    if (n == 0 || n > UINT32_MAX || rows == 0 || cols == 0 || rows > most / cols) {
        error_set(
            err,
            "%zu images of %zu x %zu pixels: at least 1 image, 1 row and 1 column are needed, at "
            "most %lu images and %zu pixels in each",
            n, rows, cols, (unsigned long)UINT32_MAX, most);
        return NULL;
    }
    Arena arena = {0};
    mlp_data *data = arena_alloc(&arena, 1, sizeof *data, "data", err);
    if (data == NULL)
        return NULL;
    *data = (mlp_data){.n = n,
                       .rows = rows,
                       .cols = cols,
                       .n_classes = dataset_labels_to_classes(labels, n),
                       .pixels = pixels,
                       .labels = labels,
                       .name = "the data",
                       .memory = arena.blocks};
    data->crc32 = crc32_of(data);
    return data;
}

// ---------------------------------------------------------------------------------------------
// Models

void mlp_close(mlp_model *model)
{
    if (model != NULL)
        arena_free(&(Arena){model->arena.blocks}); // the struct is in it
}

bool mlp_fits(const mlp_model *model, const mlp_data *data, char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    const Architecture *a = &model->net.architecture;
    if (a->rows != data->rows || a->cols != data->cols)
        return error_set(err,
                         "%s is for images of %zu x %zu pixels, but %s has images of %zu x %zu",
                         model->name, a->rows, a->cols, data->name, data->rows, data->cols);
    size_t beyond = dataset_find_beyond(data, a->classes);
    if (beyond == data->n)
        return true;
    return error_set(err,
                     "%s has %zu classes, 0 to %zu, but %s has %zu classes: its image %zu has "
                     "the label %u",
                     model->name, a->classes, a->classes - 1, data->name, data->n_classes, beyond,
                     data->labels[beyond]);
}

// What a new model is made for: the data give the classes, their names and the input scale, or the
// model that it starts from does.
static bool take_facts(mlp_model *model, const mlp_model *from, const mlp_data *data, Range train,
                       Error *err)
{
    Error reason;
    mlp_settings *s = &model->settings;
    model->facts = (ModelFacts){.rows = data->rows,
                                .cols = data->cols,
                                .classes = data->n_classes,
                                .recipe = MODEL_RECIPE,
                                .data_crc32 = data->crc32};
    if (from != NULL) {
        model->facts.classes = from->facts.classes;
        model->facts.pixel_std = from->facts.pixel_std;
        return model_checksum(from, &model->facts.from_crc32, err);
    }
    if (!dataset_pixel_std(&model->facts.pixel_std, data, train, &reason))
        return error_set(err, "%s: %s", data->name, reason.text);
    return s->class_names == NULL || class_names_check(s->class_names, data->n_classes, &reason) ||
           error_set(err, "class_names: %s", reason.text);
}

// The network's shape and the names of its classes are those of the model that it starts from.
static void keep_shape(mlp_settings *settings, const mlp_model *from)
{
    for (const Setting *row = settings_table; row->key != NULL; row++)
        if ((row->flags & SETTING_SHAPE) != 0)
            setting_copy(row, settings, &from->settings);
    settings->class_names = from->settings.class_names;
}

// The parameters that a training begins with.
static bool begin_parameters(mlp_model *model, const mlp_model *from, Error *err)
{
    Architecture architecture = model_architecture(model);
    if (!network_build(&model->net, &architecture, err) ||
        (model->params = network_alloc(&model->net, &model->arena, err)) == NULL)
        return false;
    if (from == NULL)
        network_init(&model->net, model->params, model->settings.seed);
    else // of the same architecture, so that the blocks have the same layout
        memcpy(model->params, from->params, model->net.n_parameters * sizeof *model->params);
    return true;
}

// The names of the settings become our own constants: the caller's texts may go away.
static void own_names(mlp_settings *settings)
{
    for (const Setting *row = settings_table; row->key != NULL; row++)
        if (row->type == SETTING_CHOICE)
            setting_copy(row, settings, settings);
}

// `from`: the model that it starts from, or NULL.
static bool model_from_settings(mlp_model *model, const mlp_settings *settings,
                                const mlp_model *from, const mlp_data *data, Error *err)
{
    mlp_settings *s = &model->settings;
    Error reason;
    Split split = {0};
    *s = *settings;
    if (from != NULL)
        keep_shape(s, from);
    if (!settings_check(s, err))
        return false;
    own_names(s);
    if (!dataset_split(&split, data->n, (size_t)s->train_size, (size_t)s->validation_size, &reason))
        return error_set(err, "%s: %s", data->name, reason.text);
    if (!take_facts(model, from, data, split.train, err))
        return false;
    if (s->class_names != NULL &&
        (s->class_names = arena_printf(&model->arena, err, "%s", s->class_names)) == NULL)
        return false;
    if (!begin_parameters(model, from, err))
        return false;
    s->epochs = 0;
    s->transposed = data->transposed;
    s->train_size = range_length(split.train);
    s->validation_size = range_length(split.validation);
    return true;
}

static bool name_classes(mlp_model *model, Error *err)
{
    size_t n = model->net.architecture.classes;
    ClassName *names = arena_alloc(&model->arena, n, sizeof *names, "the class names", err);
    for (size_t k = 0; names != NULL && k < n; k++)
        names[k] = class_name(model->settings.class_names, k);
    model->class_names = names;
    return names != NULL;
}

// A model that is nothing yet but its name and its memory, or NULL.
static mlp_model *model_begin(const char *name, Error *err)
{
    Arena arena = {0};
    kernels_choose_once(); // before anything is computed, which needs a model
    mlp_model *model = arena_alloc(&arena, 1, sizeof *model, "a model", err);
    if (model == NULL)
        return NULL;
    model->arena = arena;
    model->name = arena_printf(&model->arena, err, "%s", name);
    if (model->name != NULL)
        return model;
    mlp_close(model);
    return NULL;
}

// The model, if it could be read or made, or NULL.
static mlp_model *model_end(mlp_model *model, bool ok, Error *err)
{
    if (ok && name_classes(model, err))
        return model;
    mlp_close(model);
    return NULL;
}

mlp_model *mlp_open(const char *path, char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    if (path == NULL) {
        error_set(err, "no path of a model");
        return NULL;
    }
    mlp_model *model = model_begin(path, err);
    bool ok = model != NULL && model_read(model, &model->arena, path, err);
    return model_end(model, ok, err);
}

mlp_model *mlp_open_memory(const void *bytes, size_t size, char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    mlp_model *model = model_begin("the model", err);
    unsigned char *copy =
        model == NULL ? NULL : arena_alloc(&model->arena, size, 1, "a model", err);
    if (copy != NULL && size > 0)
        memcpy(copy, bytes, size);
    bool ok = copy != NULL && model_parse(model, &model->arena, copy, size, err);
    return model_end(model, ok, err);
}

static mlp_model *create(const mlp_settings *settings, const mlp_model *from, const mlp_data *data,
                         Error *err)
{
    if (settings == NULL || data == NULL) {
        error_set(err, "no %s for a model", settings == NULL ? "settings" : "data");
        return NULL;
    }
    if (from != NULL && !mlp_fits(from, data, err->text))
        return NULL;
    mlp_model *model = model_begin("the model", err);
    bool ok = model != NULL && model_from_settings(model, settings, from, data, err);
    return model_end(model, ok, err);
}

mlp_model *mlp_create(const mlp_settings *settings, const mlp_data *data,
                      char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    return create(settings, NULL, data, err);
}

mlp_model *mlp_create_from(const mlp_settings *settings, const mlp_model *from,
                           const mlp_data *data, char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    if (from != NULL)
        return create(settings, from, data, err);
    error_set(err, "no model to start from");
    return NULL;
}

bool mlp_save(const mlp_model *model, const char *path, char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    Arena arena = {0};
    Output out;
    bool ok = model_save(model, &out, &arena, path, err);
    if (ok)
        *err = out.note;
    arena_free(&arena);
    return ok;
}

size_t mlp_rows(const mlp_model *model)
{
    return model->net.architecture.rows;
}

size_t mlp_cols(const mlp_model *model)
{
    return model->net.architecture.cols;
}

size_t mlp_classes(const mlp_model *model)
{
    return model->net.architecture.classes;
}

size_t mlp_parameters(const mlp_model *model)
{
    return network_count_weights(&model->net);
}

const char *mlp_class_name(const mlp_model *model, size_t k)
{
    return model->class_names[k].text;
}

const mlp_settings *mlp_model_settings(const mlp_model *model)
{
    return &model->settings;
}

// ---------------------------------------------------------------------------------------------
// Classification

static Member member_of(const mlp_model *model)
{
    return (Member){&model->net, model->params, NULL, input_scale(model->facts.pixel_std)};
}

// The networks of an ensemble, owned by the arena, if they can answer together.
static bool ensemble_of(Ensemble *ensemble, const mlp_ensemble *of, Arena *arena, Error *err)
{
    if (!mlp_ensemble_check(of, err->text))
        return false;
    Member *members = arena_alloc(arena, of->n_models, sizeof *members, "the models", err);
    for (size_t m = 0; members != NULL && m < of->n_models; m++)
        members[m] = member_of(of->models[m]);
    *ensemble = (Ensemble){members, of->n_models};
    return members != NULL;
}

bool mlp_ensemble_check(const mlp_ensemble *ensemble, char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    if (ensemble->n_models == 0)
        return error_set(err, "no models");
    const mlp_model *a = ensemble->models[0];
    for (size_t m = 1; m < ensemble->n_models; m++) {
        const mlp_model *b = ensemble->models[m];
        if (mlp_rows(a) != mlp_rows(b) || mlp_cols(a) != mlp_cols(b))
            return error_set(err,
                             "%s is for images of %zu x %zu pixels, but %s for images of %zu x %zu",
                             a->name, mlp_rows(a), mlp_cols(a), b->name, mlp_rows(b), mlp_cols(b));
        if (mlp_classes(a) != mlp_classes(b))
            return error_set(err, "%s has %zu classes, but %s has %zu", a->name, mlp_classes(a),
                             b->name, mlp_classes(b));
        for (size_t k = 0; k < mlp_classes(a); k++)
            if (strcmp(mlp_class_name(a, k), mlp_class_name(b, k)) != 0)
                return error_set(err, "class %zu is '%s' in %s, but '%s' in %s", k,
                                 mlp_class_name(a, k), a->name, mlp_class_name(b, k), b->name);
    }
    return true;
}

// Writes the answers to one batch, or returns false where one is not a number. Logits are those of
// the first network.
static bool classify_batch(const Ensemble *ensemble, const EnsembleWork *work, const Batch *batch,
                           float *probabilities, float *logits)
{
    const Network *net = ensemble->members[0].net;
    size_t C = net->architecture.classes, at = batch->first * C;
    ensemble_predict(ensemble, work, batch);
    for (size_t e = 0; e < batch->size; e++) {
        if (!isfinite(work->mean[e * C]))
            return false;
        if (logits != NULL)
            memcpy(logits + at + e * C, network_logits(net, &work->works[0], e),
                   C * sizeof *logits);
    }
    if (probabilities != NULL)
        memcpy(probabilities + at, work->mean, batch->size * C * sizeof *probabilities);
    return true;
}

static bool classify(const mlp_ensemble *with, const unsigned char *pixels, size_t n,
                     float *probabilities, float *logits, Error *err)
{
    const size_t most = n < 64 ? n : 64;
    Arena arena = {0};
    Ensemble ensemble;
    EnsembleWork work;
    if (!ensemble_of(&ensemble, with, &arena, err)) {
        arena_free(&arena);
        return false;
    }
    Dataset data = {.n = n,
                    .rows = mlp_rows(with->models[0]),
                    .cols = mlp_cols(with->models[0]),
                    .pixels = pixels,
                    .labels = arena_alloc(&arena, n, 1, "labels", err)}; // nobody knows them
    Batch batch = {.data = &data, .n = n};
    bool ok = data.labels != NULL && ensemble_work_alloc(&work, &ensemble, most, &arena, err);
    for (; ok && batch.first < n; batch.first += batch.size) {
        batch.size = n - batch.first < most ? n - batch.first : most;
        ok = classify_batch(&ensemble, &work, &batch, probabilities, logits) ||
             error_set(err, "the model's weights are so large that there is no prediction");
    }
    arena_free(&arena);
    return ok;
}

bool mlp_classify(const mlp_model *model, const unsigned char *pixels, size_t n,
                  float *probabilities, float *logits, char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    return classify(&(mlp_ensemble){&model, 1}, pixels, n, probabilities, logits, err);
}

bool mlp_classify_ensemble(const mlp_ensemble *ensemble, const unsigned char *pixels, size_t n,
                           float *probabilities, char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    return classify(ensemble, pixels, n, probabilities, NULL, err);
}

static bool prepare(const mlp_model *model, const GreyImage *image, unsigned char *prepared,
                    const char **doubt, Arena *arena, Error *err)
{
    const char *unwanted;
    return digit_prepare(prepared, mlp_rows(model), mlp_cols(model), image,
                         doubt != NULL ? doubt : &unwanted, arena, err);
}

bool mlp_prepare(const mlp_model *model, const unsigned char *grey, size_t rows, size_t cols,
                 unsigned char *prepared, const char **doubt, char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    Arena arena = {0};
    bool ok = prepare(model, &(GreyImage){rows, cols, grey}, prepared, doubt, &arena, err);
    arena_free(&arena);
    return ok;
}

bool mlp_prepare_file(const mlp_model *model, const char *path, unsigned char *prepared,
                      const char **doubt, char error[MLP_ERROR_SIZE])
{
    Error unwanted, reason, *err = error_in(error, &unwanted);
    Arena arena = {0};
    Source source;
    PnmReader reader;
    GreyImage image;
    if (!source_open_stream(&source, path, err))
        return false;
    pnm_begin(&reader, &source);
    bool ok = pnm_read(&reader, &image, &arena, err);
    if (reader.more)
        source_close(&reader.source, false, &reason);
    ok = ok && (prepare(model, &image, prepared, doubt, &arena, &reason) ||
                error_set(err, "%s: %s", path, reason.text));
    arena_free(&arena);
    return ok;
}

// ---------------------------------------------------------------------------------------------
// Augmentation

mlp_affine mlp_affine_draw(const mlp_settings *settings, size_t epoch, size_t image)
{
    return augment_draw(settings, epoch, image);
}

static bool within(double value, const char *key)
{
    double limit = setting_find(settings_table, key)->max;
    return value >= -limit && value <= limit;
}

static bool check_affine(const mlp_affine *map, const Dataset *data, size_t image, Error *err)
{
    if (image >= data->n)
        return error_set(err, "image %zu: there are %zu", image, data->n);
    return (within(map->angle, "rotate") && within(map->factor - 1.0, "scale") &&
            within(map->shear, "shear") && within(map->shift_x, "shift") &&
            within(map->shift_y, "shift")) ||
           error_set(err,
                     "angle %g, factor %g, shear %g, shifts %g and %g: not all are within what "
                     "settings allow",
                     map->angle, map->factor, map->shear, map->shift_x, map->shift_y);
}

bool mlp_affine_apply(const mlp_affine *map, const mlp_data *data, size_t image,
                      unsigned char *pixels, char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    Arena arena = {0};
    Resampler resampler;
    kernels_choose_once();
    bool ok = check_affine(map, data, image, err) &&
              resampler_open(&resampler, data->rows, data->cols, &arena, err);
    if (ok)
        resampler_apply(&resampler, map, data->pixels + image * dataset_pixels_per_image(data),
                        pixels);
    arena_free(&arena);
    return ok;
}

// ---------------------------------------------------------------------------------------------
// Training and evaluation

// Opens as many threads as were asked for, up to the limit; 0: one per CPU, 8 at most.
static ThreadPool *open_threads(size_t threads, Arena *arena, Error *err)
{
    size_t cpus = cpus_allowed();
    if (threads == 0)
        threads = cpus < MLP_DEFAULT_THREADS ? cpus : MLP_DEFAULT_THREADS;
    return pool_open(threads < MLP_MAX_THREADS ? threads : MLP_MAX_THREADS, arena, err);
}

// The images of a split. Those of training data are counted from both ends.
static bool find_split(Range *images, mlp_split split, const mlp_model *model, const mlp_data *data,
                       Error *err)
{
    uint64_t train = model->settings.train_size, validation = model->settings.validation_size;
    bool is_part = train > 0 && validation > 0 && train <= data->n && validation <= data->n - train;
    if (split != MLP_ALL && !is_part)
        return error_set(err,
                         "%s was trained on %llu and validated on %llu images; %s has only "
                         "%zu images",
                         model->name, (unsigned long long)train, (unsigned long long)validation,
                         data->name, data->n);
    *images = (Range){split == MLP_VALIDATION ? data->n - (size_t)validation : 0,
                      split == MLP_TRAIN ? (size_t)train : data->n};
    return true;
}

// What stands between train_run and the caller's observer.
typedef struct Watcher {
    const mlp_observer *observer;
    mlp_model *model;
} Watcher;

static bool watch_batch(void *context, size_t epoch, size_t done, double loss)
{
    const mlp_observer *o = ((Watcher *)context)->observer;
    return o->batch == NULL || o->batch(o->context, epoch, done, loss);
}

static bool watch_epoch(void *context, const mlp_epoch *epoch)
{
    Watcher *w = context;
    const mlp_observer *o = w->observer;
    w->model->settings.epochs = epoch->epoch;
    return o->epoch == NULL || o->epoch(o->context, epoch, w->model);
}

static size_t watch_threads(void *context)
{
    const mlp_observer *o = ((Watcher *)context)->observer;
    return o->threads == NULL ? MLP_MAX_THREADS : o->threads(o->context);
}

// Whether the model can have so many epochs in all.
static bool can_have_epochs(const mlp_model *model, size_t epochs, Error *err)
{
    mlp_settings settings = model->settings;
    unsigned long long done = model->state.epochs, planned = model->state.planned_epochs;
    settings.epochs = epochs;
    if (epochs == done)
        return true;
    if (epochs < done)
        return error_set(err, "%s has %llu epochs already, more than %zu", model->name, done,
                         epochs);
    if (planned != 0 && epochs != planned)
        return error_set(err,
                         "%s was begun for %llu epochs in all, on which its learning rates depend: "
                         "it cannot have %zu; a new training can start from it (--from)",
                         model->name, planned, epochs);
    return model_can_train(model, MODEL_RECIPE, err) && settings_check(&settings, err);
}

// What the model is trained on: data that it was made for.
static bool training_data(TrainData *training, mlp_model *model, const mlp_data *data,
                          size_t epochs, Error *err)
{
    if (!mlp_fits(model, data, err->text))
        return false;
    if (model->facts.data_crc32 != data->crc32)
        return error_set(err,
                         "%s: the training data are not those that %s was trained on (CRC-32 "
                         "%08lx, the model says %08lx)",
                         data->name, model->name, (unsigned long)data->crc32,
                         (unsigned long)model->facts.data_crc32);
    *training = (TrainData){
        .data = data, .scale = input_scale(model->facts.pixel_std), .state = &model->state};
    return can_have_epochs(model, epochs, err) &&
           find_split(&training->split.train, MLP_TRAIN, model, data, err) &&
           find_split(&training->split.validation, MLP_VALIDATION, model, data, err);
}

mlp_result mlp_train(mlp_model *model, const mlp_data *data, size_t epochs, size_t threads,
                     const mlp_observer *observer, char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    static const mlp_observer nobody; // all NULL
    Watcher watcher = {observer != NULL ? observer : &nobody, model};
    const TrainObserver between = {&watcher, watch_batch, watch_epoch, watch_threads};
    mlp_settings settings = model->settings;
    settings.epochs = epochs;
    TrainData training;
    Arena arena = {0};
    if (!training_data(&training, model, data, epochs, err))
        return MLP_FAILED;
    if (model->state.epochs == epochs || train_is_complete(&model->settings, &model->state))
        return MLP_DONE;
    if (!train_state_alloc(&model->state, &model->settings, model->net.n_parameters, &model->arena,
                           err))
        return MLP_FAILED;
    mlp_result result = MLP_FAILED;
    ThreadPool *pool = open_threads(threads, &arena, err);
    if (pool != NULL) {
        training.validate_last_only = watcher.observer->validate_last_only;
        result = train_run(model->params, &model->net, &settings, &training, pool, &between, &arena,
                           err);
        pool_close(pool);
    }
    arena_free(&arena);
    return result;
}

// The same for several models, whose splits must be the same images.
static bool find_common_split(Range *images, mlp_split split, const mlp_ensemble *ensemble,
                              const mlp_data *data, Error *err)
{
    const mlp_model *first = ensemble->models[0];
    const mlp_settings *a = &first->settings;
    if (!mlp_fits(first, data, err->text) || !find_split(images, split, first, data, err))
        return false;
    for (size_t m = 1; split != MLP_ALL && m < ensemble->n_models; m++) {
        const mlp_model *other = ensemble->models[m];
        const mlp_settings *b = &other->settings;
        if (a->train_size != b->train_size || a->validation_size != b->validation_size)
            return error_set(err,
                             "%s was trained on %llu and validated on %llu images, but %s on %llu "
                             "and %llu",
                             first->name, (unsigned long long)a->train_size,
                             (unsigned long long)a->validation_size, other->name,
                             (unsigned long long)b->train_size,
                             (unsigned long long)b->validation_size);
    }
    return true;
}

static bool is_other_data(const mlp_ensemble *ensemble, const mlp_data *data)
{
    for (size_t m = 0; m < ensemble->n_models; m++)
        if (ensemble->models[m]->facts.data_crc32 != data->crc32)
            return true;
    return false;
}

bool mlp_evaluate_ensemble(const mlp_ensemble *ensemble, const mlp_data *data, mlp_split split,
                           size_t threads, mlp_evaluation *result, const mlp_predictions *each,
                           char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    Range images = {0, 0};
    Arena arena = {0};
    Ensemble networks;
    Evaluator evaluator;
    ThreadPool *pool = NULL;
    if (ensemble_of(&networks, ensemble, &arena, err) &&
        find_common_split(&images, split, ensemble, data, err))
        pool = open_threads(threads, &arena, err);
    bool ok = pool != NULL &&
              evaluator_alloc(&evaluator, &networks, pool, range_length(images), each, &arena, err);
    if (ok) {
        *result = evaluator_run(&evaluator, data, images);
        result->is_other_data = split != MLP_ALL && is_other_data(ensemble, data);
    }
    if (pool != NULL)
        pool_close(pool);
    arena_free(&arena);
    return ok;
}

bool mlp_evaluate(const mlp_model *model, const mlp_data *data, mlp_split split, size_t threads,
                  mlp_evaluation *result, const mlp_predictions *each, char error[MLP_ERROR_SIZE])
{
    return mlp_evaluate_ensemble(&(mlp_ensemble){&model, 1}, data, split, threads, result, each,
                                 error);
}

void mlp_compare(const unsigned char *labels, const unsigned char *first,
                 const unsigned char *second, size_t n, mlp_comparison *result)
{
    *result = compare_predictions(labels, first, second, n);
}

// ---------------------------------------------------------------------------------------------
// Gradient check

void mlp_gradient_check_close(mlp_gradient_check *check)
{
    if (check != NULL)
        arena_free(&(Arena){check->memory}); // the struct is in it
}

mlp_gradient_check *mlp_check_gradients(const mlp_model *model, const mlp_data *data, size_t image,
                                        double step, char error[MLP_ERROR_SIZE])
{
    Error unwanted, *err = error_in(error, &unwanted);
    InputScale scale = input_scale(model->facts.pixel_std);
    Batch batch = {.data = data, .scale = &scale, .n = data->n, .first = image, .size = 1};
    Arena arena = {0};
    mlp_gradient_check *check = arena_alloc(&arena, 1, sizeof *check, "the checks", err);
    if (check != NULL && mlp_fits(model, data, err->text) &&
        ((step > 0.0 && isfinite(step)) ||
         error_set(err, "a step of %g: must be a positive finite number", step)) &&
        (image < data->n ||
         error_set(err, "%s has no image %zu, only %zu images", data->name, image, data->n)) &&
        gradient_check(check, &model->net, model->params, &batch, step, &arena, err)) {
        check->memory = arena.blocks;
        return check;
    }
    arena_free(&arena);
    return NULL;
}
