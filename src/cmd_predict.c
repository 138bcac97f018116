// mlp predict: which digit an image shows, as the network sees it.
#include "commands.h"
#include "digit.h"
#include "json.h"
#include "numbers.h"
#include "pnm.h"

#include <math.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Options

typedef struct PredictOptions {
    uint64_t top;
    bool raw, show, json;
} PredictOptions;

static PredictOptions predict_options = {.top = 1};
static Words files;

static const Option option_table[] = {
    {"top", 0, OPTION_COUNT, &predict_options.top, "K", "give the K most probable digits", 1, 256,
     NULL, NULL},
    {"raw", 0, OPTION_FLAG, &predict_options.raw, NULL,
     "take images as they are: of the model's size, background 0 (black), ink up to 255 (white)", 0,
     0, NULL, NULL},
    {"show", 0, OPTION_FLAG, &predict_options.show, NULL,
     "draw what the network sees, two pixels to a character (UTF-8)", 0, 0, NULL, NULL},
    {"json", 0, OPTION_FLAG, &predict_options.json, NULL, "print JSON to standard output", 0, 0,
     NULL, NULL},
    {0},
};

// ---------------------------------------------------------------------------------------------
// One image's answer

enum { BATCH = 64 };

typedef struct Predictor {
    const PredictOptions *options;
    Model model;
    InputScale scale;
    Work work;
    JsonWriter json;
} Predictor;

// The best digits of an image, best first.
typedef struct Answer {
    const char *file;
    bool is_idx;
    size_t index; // in an IDX file
    const unsigned char *pixels;
    size_t digit[256];
    float probability[256];
} Answer;

// Sorts by what the network decides by, its logits, the first of equals first, so that the first
// digit is the one that `mlp eval` counts.
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
// What is printed

// Two rows to a line; a pixel that is at least half lit is ink.
static void print_picture(const unsigned char *pixels, size_t rows, size_t cols)
{
    static const char *const half[] = {" ", "\u2580", "\u2584",
                                       "\u2588"}; // none, upper, lower, both
    for (size_t y = 0; y < rows; y += 2) {
        fputs("  |", stdout);
        for (size_t x = 0; x < cols; x++) {
            unsigned upper = pixels[y * cols + x] >= 128;
            unsigned lower = y + 1 < rows && pixels[(y + 1) * cols + x] >= 128;
            fputs(half[upper + 2 * lower], stdout);
        }
        fputs("|\n", stdout);
    }
}

static void print_text(const Answer *answer, size_t n, const char *class_names)
{
    char number[NUMBER_SIZE];
    ShownName name = command_shown(answer->file);
    fputs(name.text, stdout);
    if (answer->is_idx)
        printf(":%zu", answer->index);
    for (size_t i = 0; i < n; i++)
        printf("\t%s\t%s", class_name(class_names, answer->digit[i]).text,
               number_measured(number, (double)answer->probability[i]));
    putchar('\n');
}

static void print_pair(JsonWriter *json, const Answer *answer, size_t i, const char *class_names)
{
    json_count(json, "digit", answer->digit[i]);
    if (class_names != NULL)
        json_text(json, "name", class_name(class_names, answer->digit[i]).text);
    json_measured(json, "probability", (double)answer->probability[i]);
}

static void print_json(JsonWriter *json, const Answer *answer, size_t n, const char *class_names)
{
    json_open_object(json, NULL);
    json_text(json, "file", answer->file);
    json_count(json, "index", answer->index);
    print_pair(json, answer, 0, class_names);
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
        print_picture(answer->pixels, p->model.settings.architecture.rows,
                      p->model.settings.architecture.cols);
}

// ---------------------------------------------------------------------------------------------
// The network

// Answers up to BATCH images that lie one after another.
static bool predict_batch(Predictor *p, const char *file, bool is_idx, size_t first,
                          const unsigned char *pixels, size_t n, Error *err)
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
    uint32_t index[BATCH];
    for (size_t i = 0; i < n; i++)
        index[i] = (uint32_t)i;
    Batch batch = {.data = &data, .scale = &p->scale, .index = index, .size = n};
    network_predict(net, p->model.params, &p->work, &batch);

    size_t S = net->layers[net->n_layers - 1].out_stride;
    for (size_t i = 0; i < n; i++) {
        Answer answer = {file, is_idx, first + i, pixels + i * a->rows * a->cols, {0}, {0}};
        answer_rank(&answer, (size_t)p->options->top, p->work.x[net->n_layers] + i * S,
                    p->work.dx[net->n_layers] + i * S, a->classes);
        if (!isfinite(answer.probability[0]))
            return error_set(err, "%s: the model's weights are so large that it has no answer",
                             file);
        print_answer(p, &answer);
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
    const Architecture *a = &p->model.settings.architecture;
    if (!idx_read_images(&data, arena, source, err) ||
        (p->model.settings.transposed && !dataset_transpose(&data, arena, err)))
        return false;
    if (data.rows != a->rows || data.cols != a->cols)
        return error_size(err, path, data.rows, data.cols, a);
    for (size_t i = 0; i < data.n; i += BATCH)
        if (!predict_batch(p, file, true, i, data.pixels + i * dataset_pixels_per_image(&data),
                           data.n - i < BATCH ? data.n - i : BATCH, err))
            return false;
    return true;
}

static bool predict_pnm(Predictor *p, const char *file, const Source *source, Arena *arena,
                        Error *err)
{
    GreyImage image;
    Error reason;
    const char *path = source->path;
    const Architecture *a = &p->model.settings.architecture;
    if (!pnm_read(&image, arena, source, err))
        return false;
    const unsigned char *pixels = image.pixels;
    if (p->options->raw) {
        if (image.rows != a->rows || image.cols != a->cols)
            return error_size(err, path, image.rows, image.cols, a);
    } else {
        unsigned char *digit = arena_alloc(arena, a->rows, a->cols, "a digit", err);
        if (digit == NULL)
            return false;
        if (!digit_prepare(digit, a->rows, a->cols, &image, arena, &reason))
            return error_set(err, "%s: %.512s", path, reason.text);
        pixels = digit;
    }
    return predict_batch(p, file, false, 0, pixels, 1, err);
}

static bool predict_file(Predictor *p, const char *file, Error *err)
{
    Source source;
    Error ignored;
    unsigned char magic[2];
    if (!(strcmp(file, "-") == 0 ? source_open_input(&source, err)
                                 : source_open(&source, file, err)))
        return false;
    ptrdiff_t n = source_peek(&source, magic, sizeof magic, err);
    if (n < 0) {
        source_close(&source, false, &ignored);
        return false;
    }
    Arena arena = {0};
    bool is_idx = n == sizeof magic && magic[0] == 0 && magic[1] == 0;
    bool ok = is_idx ? predict_idx(p, file, &source, &arena, err)
                     : predict_pnm(p, file, &source, &arena, err);
    arena_free(&arena);
    return ok;
}

// Answers every file that can be; a line tells of each that cannot. False when there was one.
static bool predict_files(Predictor *p)
{
    bool ok = true;
    for (size_t i = 0; i < files.n; i++) {
        Error err;
        if (!predict_file(p, files.list[i], &err)) {
            command_fail(&err);
            ok = false;
        }
    }
    return ok;
}

// ---------------------------------------------------------------------------------------------
// The command

static bool check_words(Error *err)
{
    size_t n_inputs = 0;
    for (size_t i = 0; i < files.n; i++)
        n_inputs += strcmp(files.list[i], "-") == 0;
    if (files.n == 0)
        return error_set(err, "'mlp predict' needs a FILE after the model; - is standard input");
    if (n_inputs > 1)
        return error_set(err, "standard input, -, can be read only once");
    if (predict_options.json && predict_options.show)
        return error_set(err, "--show draws for people, --json is for programs: choose one");
    return true;
}

static int predict(Predictor *p, const char *path, Arena *arena)
{
    Error err;
    if (!model_read(&p->model, arena, path, &err))
        return command_fail(&err);
    size_t classes = p->model.settings.architecture.classes;
    if (p->options->top > classes) {
        error_set(&err, "--top %llu: %s knows only %zu classes",
                  (unsigned long long)p->options->top, path, classes);
        return command_wrong(&err);
    }
    if (!work_alloc_forward(&p->work, &p->model.net, BATCH, arena, &err))
        return command_fail(&err);
    p->scale = input_scale(p->model.settings.pixel_std);

    p->json.out = stdout;
    if (p->options->json) {
        json_open_object(&p->json, NULL);
        json_text(&p->json, "model", path);
        json_open_array(&p->json, "predictions");
    }
    bool ok = predict_files(p);
    if (p->options->json) {
        json_close_array(&p->json);
        json_close_object(&p->json);
    }
    return ok ? STATUS_DONE : STATUS_FAILED;
}

static int run(int argc, char **argv)
{
    const char *path;
    int status;
    if (!command_begin(&command_predict, option_table, &path, argc, argv, &status))
        return status;
    Error err;
    if (!check_words(&err))
        return command_wrong(&err);
    Arena arena = {0};
    Predictor predictor = {.options = &predict_options};
    status = predict(&predictor, path, &arena);
    arena_free(&arena);
    return command_end(status);
}

const Command command_predict = {
    .name = "predict",
    .arguments = "MODEL FILE...",
    .more = &files,
    .summary = "say which digits images show",
    .about =
        "Prints the file, the digit and its probability for each image, separated by tabs. Reads "
        "PBM, PGM and PPM images, and all images of an IDX file, raw or .gz; - is standard input. "
        "An image is prepared as those of MNIST were: a light background is inverted, the digit "
        "is cropped, fitted into 20 x 20 pixels and centred by mass in 28 x 28. Images of an IDX "
        "file are taken as they are. A file that cannot be read does not keep the others from "
        "being answered.",
    .examples = {"mlp predict model.bin four.pgm --top 3 --show",
                 "convert photo.png pgm:- | mlp predict model.bin -"},
    .run = run,
};
