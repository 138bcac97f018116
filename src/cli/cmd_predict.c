// mlp predict: classifies pictures and IDX images, one line or JSON object per image. pnm.h reads
// pictures, digit.h prepares them.
#include "commands.h"
#include "digit.h"
#include "formats.h"
#include "json.h"
#include "numbers.h"
#include "pnm.h"
#include "terminal.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

// ---------------------------------------------------------------------------------------------
// Options

typedef struct PredictOptions {
    uint64_t top;
    TransposeFlags transpose; // of IDX files
    bool raw, show, json;
} PredictOptions;

static void predict_options(OptionTable *table, void *values)
{
    PredictOptions *o = values;
    o->top = 1;
    const Option rows[] = {
        OPT_UINT("top", &o->top, 1, 256, "K", "print the K most probable classes"),
        OPT_BOOL("raw", &o->raw,
                 "use images as they are: of the model's size, background 0 (black), ink up to 255 "
                 "(white)"),
        OPT_BOOL("show", &o->show,
                 "draw each image as the network sees it, with half blocks (UTF-8): pixels >= 128 "
                 "are drawn"),
        OPT_MODEL_TRANSPOSE(&o->transpose),
        OPT_BOOL("json", &o->json, "print JSON to standard output", .excludes = "show"),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

// ---------------------------------------------------------------------------------------------
// The prediction for one image

enum { BATCH = 64 };

typedef struct Predictor {
    const PredictOptions *options;
    Model model;
    InputScale scale;
    Work work;
    JsonWriter json;
} Predictor;

// Where an image comes from.
typedef struct Origin {
    const char *file;
    bool numbered;     // it is one of several images of the file
    size_t index;      // its number in the file, from 0
    const char *doubt; // why it may show no single digit; NULL: nothing says so
} Origin;

// The best classes of an image, best first.
typedef struct Answer {
    Origin origin;
    const unsigned char *pixels;
    size_t digit[256];
    float probability[256];
} Answer;

// Sorts by the logits, equal ones in the order of the classes, so that the first class is the one
// that `mlp eval` counts.
static void answer_rank(Answer *answer, size_t n, const float *logits, const float *probability,
                        size_t classes)
{
    bool taken[256] = {false};
    for (size_t i = 0; i < n; i++) {
        size_t best = classes;
        for (size_t k = 0; k < classes; k++)
            if (!taken[k] && (best == classes || logits[k] > logits[best]))
                best = k;
        taken[best] = true;
        answer->digit[i] = best;
        answer->probability[i] = probability[best];
    }
}

// ---------------------------------------------------------------------------------------------
// Output

static void print_text(const Answer *answer, size_t n, const char *class_names)
{
    char number[NUMBER_SIZE];
    ShownName name = command_shown(answer->origin.file);
    fputs(name.text, stdout);
    if (answer->origin.numbered)
        printf(":%zu", answer->origin.index);
    for (size_t i = 0; i < n; i++)
        printf("\t%s\t%s", class_name(class_names, answer->digit[i]).text,
               format_g9(number, (double)answer->probability[i]));
    putchar('\n');
}

static void print_pair(JsonWriter *json, const Answer *answer, size_t i, const char *class_names)
{
    json_uint(json, "digit", answer->digit[i]);
    if (class_names != NULL)
        json_string(json, "name", class_name(class_names, answer->digit[i]).text);
    json_double(json, "probability", (double)answer->probability[i]);
}

static void print_json(JsonWriter *json, const Answer *answer, size_t n, const char *class_names)
{
    json_open_object(json, NULL);
    json_string(json, "file", answer->origin.file);
    json_uint(json, "index", answer->origin.index);
    print_pair(json, answer, 0, class_names);
    if (answer->origin.doubt != NULL)
        json_string(json, "doubt", answer->origin.doubt);
    json_open_array(json, "top");
    for (size_t i = 0; i < n; i++) {
        json_open_object(json, NULL);
        print_pair(json, answer, i, class_names);
        json_close_object(json);
    }
    json_close_array(json);
    json_close_object(json);
}

static void print_answer(Predictor *p, const Answer *answer)
{
    size_t n = (size_t)p->options->top;
    if (p->options->json) {
        print_json(&p->json, answer, n, p->model.settings.class_names);
        return;
    }
    print_text(answer, n, p->model.settings.class_names);
    if (p->options->show)
        terminal_draw_ink(answer->pixels, p->model.net.architecture.rows,
                          p->model.net.architecture.cols);
}

// ---------------------------------------------------------------------------------------------
// The network

// Classifies up to BATCH images in sequence; origin is that of the first.
static bool predict_batch(Predictor *p, Origin origin, const unsigned char *pixels, size_t n,
                          Error *err)
{
    static const unsigned char no_labels[BATCH];
    const Network *net = &p->model.net;
    const Architecture *a = &net->architecture;
    Dataset data = {.n = n,
                    .rows = a->rows,
                    .cols = a->cols,
                    .n_classes = a->classes,
                    .pixels = pixels,
                    .labels = no_labels};
    Batch batch = {.data = &data, .scale = &p->scale, .size = n};
    network_predict(net, p->model.params, &p->work, &batch);

    for (size_t i = 0; i < n; i++) {
        Answer answer = {origin, pixels + i * a->rows * a->cols, {0}, {0}};
        answer_rank(&answer, (size_t)p->options->top, network_logits(net, &p->work, i),
                    network_probabilities(net, &p->work, i), a->classes);
        if (!isfinite(answer.probability[0]))
            return error_set(err,
                             "%s: the model's weights are so large that there is no prediction",
                             origin.file);
        print_answer(p, &answer);
        origin.index++;
    }
    return true;
}

// ---------------------------------------------------------------------------------------------
// Files

static bool error_size(Error *err, const char *path, size_t rows, size_t cols,
                       const Architecture *a)
{
    return error_set(err,
                     "%s: has %zu x %zu pixels (rows x columns), but the model is for %zu x %zu",
                     path, rows, cols, a->rows, a->cols);
}

static bool predict_idx(Predictor *p, const char *file, const Source *source, Arena *arena,
                        Error *err)
{
    Dataset data;
    const char *path = source->path;
    const Architecture *a = &p->model.net.architecture;
    bool transposed = command_transposed(&p->options->transpose, p->model.settings.transposed);
    if (!idx_read_images(&data, arena, source, transposed, err))
        return false;
    if (data.rows != a->rows || data.cols != a->cols)
        return error_size(err, path, data.rows, data.cols, a);
    for (size_t i = 0; i < data.n; i += BATCH)
        if (!predict_batch(p, (Origin){.file = file, .numbered = true, .index = i},
                           data.pixels + i * dataset_pixels_per_image(&data),
                           data.n - i < BATCH ? data.n - i : BATCH, err))
            return false;
    return true;
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
    const unsigned char *pixels = image->pixels;
    const Architecture *a = &p->model.net.architecture;
    if (p->options->raw) {
        if (image->rows != a->rows || image->cols != a->cols)
            return error_size(err, path, image->rows, image->cols, a);
    } else {
        unsigned char *digit = arena_alloc(arena, a->rows, a->cols, "a digit", err);
        if (digit == NULL)
            return false;
        if (!digit_prepare(digit, a->rows, a->cols, image, &origin.doubt, arena, &reason))
            return error_set(err, "%s: %s", path, reason.text);
        if (origin.doubt != NULL)
            command_note("%s: %s", path, origin.doubt);
        pixels = digit;
    }
    return predict_batch(p, origin, pixels, 1, err);
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
        (void)fflush(
            stdout); // the next picture may be long in coming; command_finish reports a failure
        arena_free(&arena);
    }
    return ok;
}

static bool predict_file(Predictor *p, const char *file)
{
    Source source;
    Error err, ignored;
    unsigned char head[FORMAT_HEAD];
    if (!source_open_stream(&source, file, &err))
        return report_error(&err);
    ptrdiff_t n = source_peek(&source, head, sizeof head, &err);
    if (n < 0) {
        source_close(&source, false, &ignored);
        return report_error(&err);
    }
    const Format *format = format_of(head, (size_t)n);
    if (format == NULL || format->kind != FORMAT_IDX)
        return predict_pnm(p, file, &source);
    Arena arena = {0};
    bool ok = predict_idx(p, file, &source, &arena, &err) || report_error(&err);
    arena_free(&arena);
    return ok;
}

// ---------------------------------------------------------------------------------------------
// The command

// Says in err when the model does not come first: a picture is in its place, or something that is
// not a model while a later word is one.
static bool order_is_wrong(const Arguments *words, Error *err)
{
    const char *path = words->model, *found = path;
    const Format *format = format_of_file(path);
    bool is_there = source_is_input(path) || access(path, F_OK) == 0;
    for (size_t i = 0; is_there && format == NULL && i < words->n_files; i++) {
        const Format *later = format_of_file(words->files[i]);
        if (later != NULL && later->kind == FORMAT_MODEL) {
            found = words->files[i];
            format = later;
        }
    }
    if (!format_is_picture(format) && found == path)
        return false;
    error_set(err, "%s is %s; the model comes first: mlp predict MODEL FILE", found, format->name);
    return true;
}

static bool check_words(const Arguments *words, Error *err)
{
    size_t n_inputs = 0;
    for (size_t i = 0; i < words->n_files; i++)
        n_inputs += source_is_input(words->files[i]);
    if (words->n_files == 0 && order_is_wrong(words, err))
        return false;
    if (words->n_files == 0)
        return error_set(err, "'mlp predict' needs a FILE after the model; - is standard input");
    if (n_inputs > 1)
        return error_set(err, "standard input (- or /dev/stdin) can be read only once");
    return true;
}

static int run(Context *c)
{
    const char *path = c->words.model;
    Predictor p = {.options = c->values, .json = {.out = stdout}};
    if (!check_words(&c->words, &c->err))
        return STATUS_USAGE;
    if (!model_read(&p.model, &c->arena, path, &c->err))
        return order_is_wrong(&c->words, &c->err) ? STATUS_USAGE : STATUS_FAILED;
    size_t classes = p.model.net.architecture.classes;
    if (p.options->top > classes) {
        error_set(&c->err, "--top %llu: %s has only %zu classes",
                  (unsigned long long)p.options->top, path, classes);
        return STATUS_USAGE;
    }
    if (!work_alloc(&p.work, &p.model.net, (WorkNeeds){.capacity = BATCH, .forward_only = true},
                    &c->arena, &c->err))
        return STATUS_FAILED;
    p.scale = input_scale(p.model.facts.pixel_std);

    if (p.options->json) {
        json_open_object(&p.json, NULL);
        json_string(&p.json, "model", path);
        json_open_array(&p.json, "predictions");
    }
    bool ok = true;
    for (size_t i = 0; i < c->words.n_files; i++)
        ok = predict_file(&p, c->words.files[i]) && ok;
    if (p.options->json) {
        json_close_array(&p.json);
        json_close_object(&p.json);
    }
    return ok ? STATUS_DONE : STATUS_FAILED;
}

const Command command_predict = {
    .name = "predict",
    .arguments = "MODEL FILE...",
    .summary = "classify images",
    .about = "Prints the file, the class and its probability for each image, separated by tabs. "
             "Reads PBM, PGM and PPM images of 8 or 16 bits, and all images of an IDX file, raw or "
             ".gz; - is standard input, and a FILE may be a pipe. Several images in one FILE are "
             "numbered, as in an IDX file. An image is prepared as those of MNIST were: a light "
             "background is inverted, the digit is cropped, fitted into 20 x 20 pixels and centred "
             "by mass in 28 x 28. Images of an IDX file are used as they are; --transpose affects "
             "only those. Unreadable files are reported and skipped.",
    .examples = {"mlp predict model.bin four.pgm --top 3 --show",
                 "convert photo.jpg " FORMAT_CONVERSION " |\n    mlp predict model.bin -"},
    .values_size = sizeof(PredictOptions),
    .options = predict_options,
    .run = run,
};
