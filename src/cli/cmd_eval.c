// mlp eval: a model judged on a split: accuracy, loss, per-class figures, confusion.
#include "commands.h"
#include "csv.h"
#include "evaluate.h"
#include "json.h"
#include "metrics.h"
#include "numbers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Options

typedef struct EvalOptions {
    const char *split, *data, *predictions, *mistakes, *confusion;
    double min_accuracy;
    uint64_t threads;
    TransposeFlags transpose;
    bool json;
} EvalOptions;

static EvalOptions eval_options = {.split = "test"};
static const char *const split_names[] = {"test", "validation", "train", NULL};

static const Option option_table[] = {
    {"split", 0, OPTION_CHOICE, &eval_options.split, "NAME",
     "the images to judge on: test, validation or train", 0, 0, NULL, split_names},
    {"threads", 0, OPTION_UINT, &eval_options.threads, "N", COMMAND_THREADS_HELP, 1,
     COMMAND_MAX_THREADS, "one a CPU, 8 at most", NULL},
    {"data", 'd', OPTION_STRING, &eval_options.data, "DIR", COMMAND_DATA_HELP, 0, 0,
     "$MLP_DATA, else data/mnist, else the installed copy", NULL},
    COMMAND_TRANSPOSE_OPTIONS(eval_options.transpose),
    {"predictions", 0, OPTION_STRING, &eval_options.predictions, "FILE",
     "write one row per image here (- is standard output): index,label,predicted,probability; the "
     "index counts the images of the file, from 0",
     0, 0, NULL, NULL},
    {"mistakes", 0, OPTION_STRING, &eval_options.mistakes, "FILE",
     "write a row for each image that is mistaken here (- is standard output), the most confident "
     "first: index,label,predicted,probability and the pixels",
     0, 0, NULL, NULL},
    {"confusion", 0, OPTION_STRING, &eval_options.confusion, "FILE",
     "write the confusion matrix here (- is standard output), a row for each true class", 0, 0,
     NULL, NULL},
    {"min-accuracy", 0, OPTION_DOUBLE, &eval_options.min_accuracy, "F",
     "exit with status 3 when the accuracy, a fraction, is below F", 0, 1, "", NULL},
    {"json", 0, OPTION_BOOL, &eval_options.json, NULL, "print JSON to standard output", 0, 0, NULL,
     NULL},
    {0},
};

// ---------------------------------------------------------------------------------------------
// What there is to say

typedef struct Report {
    const char *model, *directory, *split;
    Evaluation result;
    size_t n_classes;
    const char *class_names; // NULL: none
    uint64_t *confusion;     // (C,C), rows the truth
} Report;

static void print_ratio(double value)
{
    if (isnan(value))
        printf("  %9s", "-");
    else
        printf("  %9.4f", value);
}

static void print_classes(const Report *report, int width)
{
    printf("%*s   images  precision     recall         F1\n", width, "class");
    for (size_t k = 0; k < report->n_classes; k++) {
        ClassMetrics m = class_metrics(report->confusion, report->n_classes, k);
        command_print_class(report->class_names, k, width);
        printf("  %7llu", (unsigned long long)m.support);
        print_ratio(m.precision);
        print_ratio(m.recall);
        print_ratio(m.f1);
        putchar('\n');
    }
}

static void print_matrix(const Report *report, int width)
{
    enum { COLUMN = 6 };
    printf("\nconfusion matrix (rows: the truth, columns: the answer)\n%*s", width, "");
    for (size_t k = 0; k < report->n_classes; k++) {
        putchar(' ');
        command_print_class(report->class_names, k, COLUMN);
    }
    for (size_t row = 0; row < report->n_classes; row++) {
        putchar('\n');
        command_print_class(report->class_names, row, width);
        for (size_t k = 0; k < report->n_classes; k++)
            printf(" %*llu", COLUMN,
                   (unsigned long long)report->confusion[row * report->n_classes + k]);
    }
    putchar('\n');
}

// The place in the confusion matrix of the mistake that comes after that at `last`, the most
// frequent first and equals in their order; or C * C. `last` is that for the first one.
static size_t next_confused(const Report *report, size_t last)
{
    size_t C = report->n_classes, n = C * C, best = n;
    uint64_t most = 0, limit = last == n ? UINT64_MAX : report->confusion[last];
    for (size_t i = 0; i < n; i++) {
        uint64_t count = report->confusion[i];
        bool comes_after = count < limit || (count == limit && i > last);
        if (i / C != i % C && comes_after && count > most) {
            best = i;
            most = count;
        }
    }
    return best;
}

// Of many classes the matrix is too wide to be read.
static void print_most_confused(const Report *report, int width)
{
    enum { MOST = 20 };
    size_t C = report->n_classes, at = C * C;
    printf("\nmost confused (at most %d pairs; --confusion FILE writes the whole matrix)\n", MOST);
    printf(" images  %*s  %*s\n", width, "truth", width + 1, "answer");
    for (size_t n = 0; n < MOST && (at = next_confused(report, at)) < C * C; n++) {
        printf("%7llu  ", (unsigned long long)report->confusion[at]);
        command_print_class(report->class_names, at / C, width);
        fputs("  ", stdout);
        command_print_class(report->class_names, at % C, width + 1);
        putchar('\n');
    }
}

static void print_text(const Report *report)
{
    enum { MATRIX_CLASSES = 16 };
    double accuracy = evaluation_accuracy(&report->result);
    ShownName model = command_shown(report->model), directory = command_shown(report->directory);
    printf("%s on the %s images of %s\n\n", model.text, report->split, directory.text);
    printf("accuracy  %.2f %%, standard error %.2f %% (%zu of %zu)\n", 100.0 * accuracy,
           100.0 * accuracy_standard_error(accuracy, report->result.n), report->result.correct,
           report->result.n);
    printf("loss      %.4f\n\n", report->result.loss);
    int width = command_class_width(report->class_names, report->n_classes);
    print_classes(report, width);
    if (report->n_classes <= MATRIX_CLASSES)
        print_matrix(report, width);
    else
        print_most_confused(report, width);
}

static void print_json(const Report *report)
{
    JsonWriter json = {.out = stdout};
    double accuracy = evaluation_accuracy(&report->result);
    json_open_object(&json, NULL);
    json_string(&json, "model", report->model);
    json_string(&json, "data", report->directory);
    json_string(&json, "split", report->split);
    json_uint(&json, "n", report->result.n);
    json_uint(&json, "correct", report->result.correct);
    json_double(&json, "accuracy", accuracy);
    json_double(&json, "accuracy_se", accuracy_standard_error(accuracy, report->result.n));
    json_double(&json, "loss", report->result.loss);
    json_open_array(&json, "classes");
    for (size_t k = 0; k < report->n_classes; k++) {
        ClassMetrics m = class_metrics(report->confusion, report->n_classes, k);
        json_open_object(&json, NULL);
        json_uint(&json, "class", k);
        if (report->class_names != NULL)
            json_string(&json, "name", class_name(report->class_names, k).text);
        json_uint(&json, "support", m.support);
        json_uint(&json, "predicted", m.predicted);
        json_double(&json, "precision", m.precision);
        json_double(&json, "recall", m.recall);
        json_double(&json, "f1", m.f1);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_open_array(&json, "confusion");
    for (size_t row = 0; row < report->n_classes; row++) {
        json_open_array(&json, NULL);
        for (size_t k = 0; k < report->n_classes; k++)
            json_uint(&json, NULL, report->confusion[row * report->n_classes + k]);
        json_close_array(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
}

// ---------------------------------------------------------------------------------------------
// Tables

// What a table is made from: the images, and what was said of them.
typedef struct Evaluated {
    const Dataset *data;
    Range images;
    const Evaluator *evaluator;
    const Report *report;
    const uint32_t *mistakes; // (n_mistakes) numbers of the images in the range, the worst first
    size_t n_mistakes;
} Evaluated;

static void print_prediction(FILE *out, const Evaluated *evaluated, size_t i)
{
    size_t index = evaluated->images.first + i;
    char probability[NUMBER_SIZE];
    fprintf(out, "%zu,%u,%u,%s", index, evaluated->data->labels[index],
            evaluated->evaluator->predicted[i],
            format_g9(probability, (double)evaluated->evaluator->probability[i]));
}

static void print_predictions(FILE *out, const void *context)
{
    const Evaluated *evaluated = context;
    fputs("index,label,predicted,probability\n", out);
    for (size_t i = 0; i < range_length(evaluated->images); i++) {
        print_prediction(out, evaluated, i);
        fputc('\n', out);
    }
}

static void print_mistakes(FILE *out, const void *context)
{
    const Evaluated *evaluated = context;
    size_t per_image = dataset_pixels_per_image(evaluated->data);
    fputs("index,label,predicted,probability", out);
    for (size_t p = 0; p < per_image; p++)
        fprintf(out, ",p%zu", p);
    for (size_t m = 0; m < evaluated->n_mistakes; m++) {
        size_t index = evaluated->images.first + evaluated->mistakes[m];
        const unsigned char *pixels = evaluated->data->pixels + index * per_image;
        fputc('\n', out);
        print_prediction(out, evaluated, evaluated->mistakes[m]);
        for (size_t p = 0; p < per_image; p++)
            fprintf(out, ",%u", pixels[p]);
    }
    fputc('\n', out);
}

static void print_confusion(FILE *out, const void *context)
{
    const Evaluated *evaluated = context;
    const Report *report = evaluated->report;
    size_t n = report->n_classes;
    CsvWriter csv = {.out = out};
    csv_names(&csv, "label");
    for (size_t k = 0; k < n; k++)
        csv_string(&csv, class_name(report->class_names, k).text);
    csv_end_row(&csv);
    for (size_t row = 0; row < n; row++) {
        csv_string(&csv, class_name(report->class_names, row).text);
        for (size_t k = 0; k < n; k++)
            csv_uint(&csv, report->confusion[row * n + k]);
        csv_end_row(&csv);
    }
}

// Of two mistakes the more confident one is worse; equal ones keep their order.
static const Evaluator *compared;
static int compare_mistakes(const void *a, const void *b)
{
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    float p = compared->probability[i], q = compared->probability[j];
    return p != q ? (p < q) - (p > q) : (i > j) - (i < j);
}

static bool find_mistakes(Evaluated *evaluated, Arena *arena, Error *err)
{
    const Evaluator *evaluator = evaluated->evaluator;
    size_t n = range_length(evaluated->images);
    uint32_t *mistakes = arena_alloc(arena, n, sizeof *mistakes, "the mistakes", err);
    if (mistakes == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        if (evaluator->predicted[i] != evaluated->data->labels[evaluated->images.first + i])
            mistakes[evaluated->n_mistakes++] = (uint32_t)i;
    compared = evaluator;
    qsort(mistakes, evaluated->n_mistakes, sizeof *mistakes, compare_mistakes);
    evaluated->mistakes = mistakes;
    return true;
}

// ---------------------------------------------------------------------------------------------
// The command

static void note_other_data(const Model *model, const char *path, const Dataset *data,
                            const char *directory, const char *split)
{
    command_note("%s was trained on other data than %s (CRC-32 %08lx, here %08lx): its %s "
                 "images are not those that the model knows",
                 path, directory, (unsigned long)model->settings.data_crc32,
                 (unsigned long)data->crc32, split);
}

// Reads the data that the split is part of, and finds the split in it.
static bool read_split(Dataset *data, Range *images, const Model *model, const char *path,
                       const EvalOptions *o, Arena *arena, Error *err)
{
    const char *directory = command_data_directory(o->data);
    bool is_test = strcmp(o->split, "test") == 0;
    bool transposed = command_transposed(&o->transpose, model->settings.transposed);
    if (!command_read_data(data, arena, o->data, is_test ? IDX_TEST : IDX_TRAIN, transposed, err) ||
        !command_model_fits(model, path, data, directory, err))
        return false;
    *images = (Range){0, data->n};
    if (is_test)
        return true;
    Split split;
    if (!command_model_split(&split, model, path, data, directory, err))
        return false;
    *images = strcmp(o->split, "train") == 0 ? split.train : split.validation;
    if (data->crc32 != model->settings.data_crc32)
        note_other_data(model, path, data, directory, o->split);
    return true;
}

static bool evaluate(Evaluator *evaluator, Evaluation *result, const Model *model,
                     const Dataset *data, Range images, uint64_t threads, Arena *arena, Error *err)
{
    ThreadPool *pool = command_pool(threads, arena, err);
    if (pool == NULL)
        return false;
    InputScale scale = input_scale(model->settings.pixel_std);
    bool ok = evaluator_alloc(evaluator, &model->net, pool, range_length(images), NULL, arena, err);
    if (ok)
        *result = evaluator_run(evaluator, model->params, data, &scale, images);
    pool_close(pool);
    return ok;
}

// The accuracy counts as it is shown: one that was printed can be asked for again.
static bool reaches(double accuracy, double wanted, const char *path)
{
    char shown[NUMBER_SIZE], limit[NUMBER_SIZE];
    format_g9(shown, accuracy);
    if (!(strtod(shown, NULL) < wanted))
        return true;
    Error err;
    error_set(&err, "%s: accuracy %s is below --min-accuracy %s", path, shown,
              format_shortest(limit, wanted));
    command_fail(&err);
    return false;
}

static bool eval(int *status, const EvalOptions *o, const char *path, Arena *arena, Error *err)
{
    Model model;
    Dataset data;
    Range images;
    if (!model_read(&model, arena, path, err) ||
        !read_split(&data, &images, &model, path, o, arena, err))
        return false;

    size_t C = model.settings.architecture.classes; // the data may have fewer
    Report report = {.model = path,
                     .directory = command_data_directory(o->data),
                     .split = o->split,
                     .n_classes = C,
                     .class_names = model.settings.class_names};
    report.confusion =
        arena_alloc(arena, C * C, sizeof *report.confusion, "the confusion matrix", err);
    Evaluator evaluator;
    if (report.confusion == NULL ||
        !evaluate(&evaluator, &report.result, &model, &data, images, o->threads, arena, err))
        return false;
    confusion_count(report.confusion, C, data.labels + images.first, evaluator.predicted,
                    report.result.n);

    Evaluated evaluated = {
        .data = &data, .images = images, .evaluator = &evaluator, .report = &report};
    if (!find_mistakes(&evaluated, arena, err))
        return false;
    const Table tables[] = {{o->predictions, print_predictions, &evaluated},
                            {o->mistakes, print_mistakes, &evaluated},
                            {o->confusion, print_confusion, &evaluated}};
    *status = command_write_tables(tables, 3, arena);
    if (*status != STATUS_DONE)
        return true;
    o->json ? print_json(&report) : print_text(&report);
    if (!reaches(evaluation_accuracy(&report.result), o->min_accuracy, path))
        *status = STATUS_NOT_REACHED;
    return true;
}

static int run(int argc, char **argv)
{
    const char *path;
    int status;
    if (!command_begin(&command_eval, option_table, &path, argc, argv, &status))
        return status;
    const EvalOptions *o = &eval_options;
    const OutputFlag tables[] = {{"--predictions", o->predictions, OUTPUT_ANY_FILE, false},
                                 {"--mistakes", o->mistakes, OUTPUT_ANY_FILE, false},
                                 {"--confusion", o->confusion, OUTPUT_ANY_FILE, false}};
    if (!command_check_transpose(&o->transpose, &status) ||
        !command_check_outputs(tables, 3, path, o->data, o->json, &status))
        return status;
    Arena arena = {0};
    Error err;
    status = STATUS_DONE;
    if (!eval(&status, o, path, &arena, &err))
        status = command_fail(&err);
    arena_free(&arena);
    return command_end(status);
}

const Command command_eval = {
    .name = "eval",
    .arguments = "MODEL",
    .summary = "judge a model: accuracy, loss, per-class figures, confusion matrix",
    .about = "Judges a model on the test images, or on the images it was validated with or "
             "trained on: accuracy with its standard error, loss, precision, recall and F1 of "
             "each class, and the confusion matrix.",
    .examples = {"mlp eval model.bin",
                 "mlp eval model.bin --split validation --json --min-accuracy 0.97"},
    .run = run,
};
