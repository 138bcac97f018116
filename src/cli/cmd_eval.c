// mlp eval: evaluates a model on one split of the data: accuracy, loss, per-class figures,
// confusion matrix, and tables of predictions. metrics.h has the definitions.
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

static void eval_options(OptionTable *table, void *values)
{
    static const char *const splits[] = {"test", "validation", "train", NULL};
    EvalOptions *o = values;
    o->split = "test";
    const Option rows[] = {
        OPT_CHOICE("split", &o->split, splits,
                   "the images to evaluate on: test, validation or train"),
        OPT_THREADS(&o->threads),
        OPT_DATA(&o->data),
        OPT_MODEL_TRANSPOSE(&o->transpose),
        OPT_TABLE("predictions", &o->predictions,
                  "write one row per image here (- is standard output): "
                  "index,label,predicted,probability; the index is the image's number in the "
                  "file, from 0"),
        OPT_TABLE("mistakes", &o->mistakes,
                  "write the misclassified images as CSV here (- is standard output), most "
                  "confident first: index,label,predicted,probability and the pixels"),
        OPT_STRING(
            "confusion", &o->confusion, "FILE",
            "write the confusion matrix here (- is standard output), one row per true class"),
        OPT_DOUBLE("min-accuracy", &o->min_accuracy, 0, 1, "F",
                   "exit with status 3 when the accuracy, a fraction, is below F",
                   .default_text = ""),
        OPT_JSON(&o->json),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

// ---------------------------------------------------------------------------------------------
// The report

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
    printf("\nconfusion matrix (rows: true class, columns: predicted)\n%*s", width, "");
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

// The index in the confusion matrix of the mistake that follows the one at `last`, most frequent
// first, equal ones in their order; C * C: there are no more. From last == C * C, the first one.
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

typedef struct Mistake {
    size_t image; // its number in the range
    float probability;
} Mistake;

// What the tables are made from: the images and their predictions.
typedef struct Evaluated {
    const Dataset *data;
    Range images;
    const Evaluator *evaluator;
    const Report *report;
    const Mistake *mistakes; // (n_mistakes) most confident first
    size_t n_mistakes;
} Evaluated;

static void add_prediction(CsvWriter *csv, const Evaluated *evaluated, size_t i)
{
    size_t index = evaluated->images.first + i;
    csv_uint(csv, index);
    csv_uint(csv, evaluated->data->labels[index]);
    csv_uint(csv, evaluated->evaluator->predicted[i]);
    csv_double(csv, (double)evaluated->evaluator->probability[i]);
}

static void print_predictions(FILE *out, const void *context)
{
    const Evaluated *evaluated = context;
    CsvWriter csv = {.out = out};
    csv_names(&csv, "index,label,predicted,probability");
    csv_end_row(&csv);
    for (size_t i = 0; i < range_length(evaluated->images); i++) {
        add_prediction(&csv, evaluated, i);
        csv_end_row(&csv);
    }
}

static void print_mistakes(FILE *out, const void *context)
{
    const Evaluated *evaluated = context;
    size_t n = dataset_pixels_per_image(evaluated->data);
    CsvWriter csv = {.out = out};
    csv_names(&csv, "index,label,predicted,probability");
    csv_numbered_names(&csv, "p", n);
    csv_end_row(&csv);
    for (size_t m = 0; m < evaluated->n_mistakes; m++) {
        size_t i = evaluated->mistakes[m].image;
        const unsigned char *pixels = evaluated->data->pixels + (evaluated->images.first + i) * n;
        add_prediction(&csv, evaluated, i);
        for (size_t p = 0; p < n; p++)
            csv_uint(&csv, pixels[p]);
        csv_end_row(&csv);
    }
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

// The more confident one first, equal ones in their order.
static int compare_mistakes(const void *a, const void *b)
{
    const Mistake *m = a, *n = b;
    if (m->probability != n->probability)
        return m->probability > n->probability ? -1 : 1;
    return (m->image > n->image) - (m->image < n->image);
}

static bool find_mistakes(Evaluated *evaluated, Arena *arena, Error *err)
{
    const Evaluator *evaluator = evaluated->evaluator;
    size_t n = range_length(evaluated->images);
    Mistake *mistakes = arena_alloc(arena, n, sizeof *mistakes, "the mistakes", err);
    if (mistakes == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        if (evaluator->predicted[i] != evaluated->data->labels[evaluated->images.first + i])
            mistakes[evaluated->n_mistakes++] = (Mistake){i, evaluator->probability[i]};
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
                 "images are not those that the model was trained with",
                 path, directory, (unsigned long)model->facts.data_crc32,
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
    if (data->crc32 != model->facts.data_crc32)
        note_other_data(model, path, data, directory, o->split);
    return true;
}

static bool evaluate(Evaluator *evaluator, Evaluation *result, const Model *model,
                     const Dataset *data, Range images, uint64_t threads, Context *c)
{
    ThreadPool *pool = command_pool(c, threads);
    if (pool == NULL)
        return false;
    InputScale scale = input_scale(model->facts.pixel_std);
    bool ok = evaluator_alloc(evaluator, &model->net, pool, range_length(images), NULL, &c->arena,
                              &c->err);
    if (ok)
        *result = evaluator_run(evaluator, model->params, data, &scale, images);
    pool_close(pool);
    return ok;
}

// The accuracy counts as it is shown: one that was printed can be asked for again.
static bool reaches(double accuracy, double wanted, const char *path, Error *err)
{
    char shown[NUMBER_SIZE], limit[NUMBER_SIZE];
    format_g9(shown, accuracy);
    if (!(strtod(shown, NULL) < wanted))
        return true;
    return error_set(err, "%s: accuracy %s is below --min-accuracy %s", path, shown,
                     format_shortest(limit, wanted));
}

static int run(Context *c)
{
    const EvalOptions *o = c->values;
    const char *path = c->words.model;
    Model model;
    Dataset data;
    Range images;
    int status = command_check_outputs(c);
    if (status != STATUS_DONE)
        return status;
    if (!model_read(&model, &c->arena, path, &c->err) ||
        !read_split(&data, &images, &model, path, o, &c->arena, &c->err))
        return STATUS_FAILED;

    size_t C = model.net.architecture.classes; // the data may have fewer
    Report report = {.model = path,
                     .directory = command_data_directory(o->data),
                     .split = o->split,
                     .n_classes = C,
                     .class_names = model.settings.class_names};
    report.confusion =
        arena_alloc(&c->arena, C * C, sizeof *report.confusion, "the confusion matrix", &c->err);
    Evaluator evaluator;
    if (report.confusion == NULL ||
        !evaluate(&evaluator, &report.result, &model, &data, images, o->threads, c))
        return STATUS_FAILED;
    confusion_count(report.confusion, C, data.labels + images.first, evaluator.predicted,
                    report.result.n);

    Evaluated evaluated = {
        .data = &data, .images = images, .evaluator = &evaluator, .report = &report};
    if (!find_mistakes(&evaluated, &c->arena, &c->err))
        return STATUS_FAILED;
    const Table tables[] = {{o->predictions, print_predictions, &evaluated},
                            {o->mistakes, print_mistakes, &evaluated},
                            {o->confusion, print_confusion, &evaluated}};
    status = command_write_tables(c, tables, 3);
    if (status != STATUS_DONE)
        return status;
    o->json ? print_json(&report) : print_text(&report);
    bool ok = reaches(evaluation_accuracy(&report.result), o->min_accuracy, path, &c->err);
    return ok ? STATUS_DONE : STATUS_NOT_REACHED;
}

const Command command_eval = {
    .name = "eval",
    .arguments = "MODEL",
    .summary = "evaluate a model: accuracy, loss, per-class figures, confusion matrix",
    .about = "Evaluates a model on the test images, or on the images it was validated with or "
             "trained on: accuracy with its standard error, loss, precision, recall and F1 of "
             "each class, and the confusion matrix.",
    .examples = {"mlp eval model.bin",
                 "mlp eval model.bin --split validation --json --min-accuracy 0.97"},
    .values_size = sizeof(EvalOptions),
    .options = eval_options,
    .run = run,
};
