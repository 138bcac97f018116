// mlp predict: classifies pictures and IDX images, one line or JSON object per image. pnm.h reads
// pictures, the library (mlp.h) prepares and classifies them.
#include "calibration.h"
#include "commands.h"
#include "convert.h"
#include "formats.h"
#include "idx.h"
#include "json.h"
#include "numbers.h"
#include "pnm.h"
#include "terminal.h"

#include <string.h>
#include <unistd.h>

// ---------------------------------------------------------------------------------------------
// Options

typedef struct PredictOptions {
    uint64_t top;
    TransposeFlags transpose; // of IDX files
    bool raw, show, no_convert, no_sandbox, json;
    double reject;
} PredictOptions;

static void predict_options(OptionTable *table, void *values)
{
    PredictOptions *o = values;
    o->top = 1;
    const Option rows[] = {
        OPT_UINT("top", &o->top, 1, MLP_MAX_CLASSES, "K", "print the K most probable classes"),
        OPT_DOUBLE("reject", &o->reject, 0, 1, "P",
                   "print ? in place of the class where its probability is below P; mlp eval shows "
                   "how accurate the rest is",
                   .default_text = ""),
        OPT_BOOL("raw", &o->raw,
                 "use images as they are: of the model's size, background 0 (black), ink up to 255 "
                 "(white)"),
        OPT_BOOL("show", &o->show,
                 "draw each image as the network sees it, with half blocks (UTF-8): pixels >= 128 "
                 "are drawn"),
        OPT_NO_CONVERT(&o->no_convert),
        OPT_NO_SANDBOX(&o->no_sandbox),
        OPT_MODEL_TRANSPOSE(&o->transpose),
        OPT_BOOL("json", &o->json, "print JSON to standard output", .excludes = "show"),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

// ---------------------------------------------------------------------------------------------
// One image

typedef struct Predictor {
    const PredictOptions *options;
    const mlp_model *model; // the first, for what they all share
    const mlp_ensemble *ensemble;
    size_t rows, cols, classes; // of the model
    bool transposed;            // IDX files are stored column by column
    JsonWriter json;
} Predictor;

// Where an image comes from.
typedef struct Origin {
    const char *file;
    bool numbered;     // it is one of several images of the file
    size_t index;      // its number in the file, from 0
    const char *doubt; // why it may show no single digit; NULL: nothing says so
} Origin;

// Whether the answer is "?" instead of the first class.
static bool rejects(const Predictor *p, const size_t *order, const float *probability)
{
    return is_rejected(probability[order[0]], p->options->reject);
}

// Orders the classes by their logits (several models: by their mean probabilities), equal ones as
// they are, so that the first class is the one that `mlp eval` counts.
static void rank(size_t order[MLP_MAX_CLASSES], size_t n, const float *values, size_t classes)
{
    bool taken[MLP_MAX_CLASSES] = {false};
    for (size_t i = 0; i < n; i++) {
        size_t best = classes;
        for (size_t k = 0; k < classes; k++)
            if (!taken[k] && (best == classes || values[k] > values[best]))
                best = k;
        taken[best] = true;
        order[i] = best;
    }
}

static void print_text(const Predictor *p, const Origin *origin, const size_t *order,
                       const float *probability)
{
    char number[NUMBER_SIZE];
    fputs(command_shown(origin->file).text, stdout);
    if (origin->numbered)
        printf(":%zu", origin->index);
    for (size_t i = 0; i < p->options->top; i++)
        printf("\t%s\t%s",
               i == 0 && rejects(p, order, probability) ? "?" : mlp_class_name(p->model, order[i]),
               format_g9(number, (double)probability[order[i]]));
    putchar('\n');
}

static void print_class(Predictor *p, size_t k, const float *probability)
{
    json_uint(&p->json, "digit", k);
    if (mlp_model_settings(p->model)->class_names != NULL)
        json_string(&p->json, "name", mlp_class_name(p->model, k));
    json_double(&p->json, "probability", (double)probability[k]);
}

// In place of the class: no reader can take it for one.
static void print_rejected(Predictor *p, float probability)
{
    json_null(&p->json, "digit");
    if (mlp_model_settings(p->model)->class_names != NULL)
        json_null(&p->json, "name");
    json_double(&p->json, "probability", (double)probability);
    json_bool(&p->json, "rejected", true);
}

static void print_json(Predictor *p, const Origin *origin, const size_t *order,
                       const float *probability)
{
    JsonWriter *json = &p->json;
    json_open(json, NULL, '{');
    json_string(json, "file", origin->file);
    json_uint(json, "index", origin->index);
    if (rejects(p, order, probability))
        print_rejected(p, probability[order[0]]);
    else
        print_class(p, order[0], probability);
    if (origin->doubt != NULL)
        json_string(json, "doubt", origin->doubt);
    json_open(json, "top", '[');
    for (size_t i = 0; i < p->options->top; i++) {
        json_open(json, NULL, '{');
        print_class(p, order[i], probability);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
}

// The probabilities of n images, and what their classes are ranked by, (n, classes) each.
static bool classify(const Predictor *p, const unsigned char *pixels, size_t n, float *probability,
                     float *values, char error[MLP_ERROR_SIZE])
{
    if (p->ensemble->n_models == 1)
        return mlp_classify(p->model, pixels, n, probability, values, error);
    if (!mlp_classify_ensemble(p->ensemble, pixels, n, probability, error))
        return false;
    memcpy(values, probability, n * p->classes * sizeof *values);
    return true;
}

// Classifies n images in sequence, (n, rows, cols), and prints a batch at a time; origin is that of
// the first.
static bool predict_images(Predictor *p, Origin origin, const unsigned char *pixels, size_t n,
                           Arena *arena, Error *err)
{
    static const char what[] = "the predictions";
    const size_t most = n < 1024 ? n : 1024, size = p->rows * p->cols;
    Error reason;
    float *probability = arena_alloc(arena, most * p->classes, sizeof(float), what, err);
    float *values = arena_alloc(arena, most * p->classes, sizeof(float), what, err);
    if (probability == NULL || values == NULL)
        return false;
    for (size_t i = 0; i < n; i++, pixels += size, origin.index++) {
        size_t left = n - i, row = i % most * p->classes, order[MLP_MAX_CLASSES] = {0};
        if (row == 0 &&
            !classify(p, pixels, left < most ? left : most, probability, values, reason.text))
            return error_set(err, "%s: %s", origin.file, reason.text);
        rank(order, (size_t)p->options->top, values + row, p->classes);
        if (p->options->json)
            print_json(p, &origin, order, probability + row);
        else
            print_text(p, &origin, order, probability + row);
        if (p->options->show) // which excludes --json
            terminal_draw_ink(pixels, p->rows, p->cols);
    }
    return true;
}

// ---------------------------------------------------------------------------------------------
// Files

static bool check_size(const Predictor *p, const char *path, size_t rows, size_t cols, Error *err)
{
    return (rows == p->rows && cols == p->cols) ||
           error_set(err,
                     "%s: has %zu x %zu pixels (rows x columns), but the model is for %zu x %zu",
                     path, rows, cols, p->rows, p->cols);
}

static bool predict_idx(Predictor *p, const char *file, const Source *source, Arena *arena,
                        Error *err)
{
    Dataset data;
    const char *path = source->path;
    return idx_read_images(&data, arena, source, p->transposed, err) &&
           check_size(p, path, data.rows, data.cols, err) &&
           predict_images(p, (Origin){.file = file, .numbered = true}, data.pixels, data.n, arena,
                          err);
}

// Prints why an image has no prediction. Always returns false.
static bool report_error(const Error *err)
{
    command_fail(err, STATUS_FAILED);
    return false;
}

// Classifies a picture. `path` names it in errors.
static bool predict_picture(Predictor *p, Origin origin, const char *path, const GreyImage *image,
                            Arena *arena, Error *err)
{
    Error reason;
    if (p->options->raw)
        return check_size(p, path, image->rows, image->cols, err) &&
               predict_images(p, origin, image->pixels, 1, arena, err);
    unsigned char *prepared = arena_alloc(arena, p->rows, p->cols, "a digit", err);
    if (prepared == NULL)
        return false;
    if (!mlp_prepare(p->model, image->pixels, image->rows, image->cols, prepared, &origin.doubt,
                     reason.text))
        return error_set(err, "%s: %s", path, reason.text);
    if (origin.doubt != NULL)
        command_note("%s: %s", path, origin.doubt);
    return predict_images(p, origin, prepared, 1, arena, err);
}

// Reads the next picture of a stream and classifies it. A picture that is alone has no number.
static bool predict_next(Predictor *p, Origin *origin, PnmReader *reader, Arena *arena, Error *err)
{
    Error ignored;
    GreyImage image;
    const char *path = reader->source.path, *numbered;
    numbered = arena_printf(arena, &ignored, "%s:%zu", path, origin->index);
    if (numbered == NULL) // where memory is short, an error goes without the number
        numbered = path;
    if (origin->numbered) // an error is about this picture of the file
        reader->source.path = numbered;
    bool ok = pnm_read(reader, &image, arena, err);
    reader->source.path = path;
    origin->numbered = origin->numbered || reader->more;
    return ok &&
           predict_picture(p, *origin, origin->numbered ? numbered : path, &image, arena, err);
}

// Classifies the pictures of a stream, one in memory at a time. Skips those that cannot be read.
static bool predict_pnm(Predictor *p, const char *file, const Source *source)
{
    bool ok = true;
    PnmReader reader;
    pnm_begin(&reader, source);
    for (Origin origin = {.file = file}; reader.more; origin.index++) {
        Arena arena = {0};
        Error err;
        if (!predict_next(p, &origin, &reader, &arena, &err))
            ok = report_error(&err);
        // The next picture may be long in coming. command_finish reports a failure.
        (void)fflush(stdout);
        arena_free(&arena);
    }
    return ok;
}

static bool error_order(const char *path, const Format *format, Error *err)
{
    return error_set(err, "%s is %s; the models come first: mlp predict MODEL... FILE...", path,
                     format->name);
}

static bool predict_file(Predictor *p, const char *file)
{
    Source source;
    const Format *format;
    Error err, ignored;
    if (!source_open_stream(&source, file, &err) || !format_of_source(&format, &source, &err))
        return report_error(&err);
    if (format != NULL && format->kind == FORMAT_MODEL) {
        source_close(&source, false, &ignored);
        return error_order(file, format, &err) || report_error(&err);
    }
    if (format == NULL || format->kind != FORMAT_IDX)
        return convert_source(&source, !p->options->no_convert, &err)
                   ? predict_pnm(p, file, &source)
                   : report_error(&err);
    Arena arena = {0};
    bool ok = predict_idx(p, file, &source, &arena, &err) || report_error(&err);
    arena_free(&arena);
    return ok;
}

// ---------------------------------------------------------------------------------------------
// The command

static bool is_model(const char *path)
{
    const Format *format = format_of_file(path);
    return format != NULL && format->kind == FORMAT_MODEL;
}

// The models are the first word and, if that is one, those after it that are models by their
// contents. A file that cannot be read is not: it is reported with the pictures, by its name.
static void count_models(Arguments *words)
{
    size_t n = is_model(words->model);
    while (n > 0 && n <= words->n_files && is_model(words->files[n - 1]))
        n++;
    words->n_models = n > 0 ? n : 1;
}

// Says in err when the models do not come first: a picture is in the place of the first, or
// something that is not a model while a later word is one.
static bool order_is_wrong(const Arguments *words, Error *err)
{
    const char *path = words->model;
    const Format *format = format_of_file(path);
    bool is_there = source_is_input(path) || access(path, F_OK) == 0;
    for (size_t i = 0; is_there && format == NULL && i < words->n_files; i++) {
        const Format *later = format_of_file(words->files[i]);
        if (later != NULL && later->kind == FORMAT_MODEL) {
            path = words->files[i];
            format = later;
        }
    }
    if (!format_is_picture(format) && path == words->model)
        return false;
    error_order(path, format, err);
    return true;
}

static bool check_words(Arguments *words, Error *err)
{
    size_t n_inputs = 0;
    count_models(words);
    for (size_t i = 0; i < words->n_files; i++)
        n_inputs += source_is_input(words->files[i]);
    bool has_pictures = words->n_files >= words->n_models;
    if (!has_pictures && order_is_wrong(words, err))
        return false;
    if (!has_pictures)
        return error_set(err, "'mlp predict' needs a FILE after the model%s; - is standard input",
                         words->n_models > 1 ? "s" : "");
    if (n_inputs > 1)
        return error_set(err, "standard input (- or /dev/stdin) can be read only once");
    return true;
}

// Answers for each FILE, and continues after those that have no answer.
static bool predict_files(Predictor *p, const Context *c)
{
    bool ok = true;
    if (p->options->json) {
        json_open(&p->json, NULL, '{');
        command_print_models(&p->json, c);
        json_open(&p->json, "predictions", '[');
    }
    for (size_t i = c->words.n_models - 1; i < c->words.n_files; i++)
        ok = predict_file(p, c->words.files[i]) && ok;
    if (p->options->json) {
        json_close(&p->json, ']');
        json_close(&p->json, '}');
    }
    return ok;
}

static int run(Context *c)
{
    const PredictOptions *o = c->values;
    if (!check_words(&c->words, &c->err))
        return STATUS_USAGE;
    int status = command_begin(c);
    if (status != STATUS_DONE)
        return order_is_wrong(&c->words, &c->err) ? STATUS_USAGE : status;
    if (!command_check_transposed(&c->ensemble, &o->transpose, &c->err))
        return STATUS_FAILED;
    Predictor p = {.options = o,
                   .model = c->model,
                   .ensemble = &c->ensemble,
                   .rows = mlp_rows(c->model),
                   .cols = mlp_cols(c->model),
                   .classes = mlp_classes(c->model),
                   .transposed = command_transposed(c, &o->transpose),
                   .json = {.out = stdout}};
    if (o->top > p.classes) {
        error_set(&c->err, "--top %llu: %s has only %zu classes", (unsigned long long)o->top,
                  c->words.model, p.classes);
        return STATUS_USAGE;
    }
    return predict_files(&p, c) ? STATUS_DONE : STATUS_FAILED;
}

const Command command_predict = {
    .name = "predict",
    .arguments = "MODEL... FILE...",
    .summary = "classify images",
    .about = "Prints the file, the class and its probability for each image, separated by tabs. "
             "Reads PBM, PGM and PPM images, and all images of an IDX file, raw or .gz; - is "
             "standard input. JPEG, PNG, HEIC and other pictures are converted by ImageMagick or "
             "netpbm, where one is installed. A picture is prepared as the images of MNIST were: "
             "a light background is inverted, the digit is cropped, fitted into 20 x 20 pixels "
             "and centred by mass in 28 x 28; images of an IDX file are used as they are. Several "
             "images in one FILE are numbered. Unreadable files are reported and skipped. Several "
             "models before the first FILE average their probabilities.",
    .examples = {"mlp predict model.bin four.pgm --top 3 --show",
                 "mlp predict model.bin photo.jpg scan.png IMG_1234.HEIC"},
    .values_size = sizeof(PredictOptions),
    .options = predict_options,
    .run = run,
};
