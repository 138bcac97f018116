// mlp eval: evaluates a model, or several together, on one split of the data: accuracy, loss,
// per-class figures, confusion matrix, and tables of predictions. evaluate.h has the definitions,
// confidence.h what is said of the probabilities, comparison.h of two models that are compared.
#include "class_names.h"
#include "commands.h"
#include "comparison.h"
#include "confidence.h"
#include "evaluate.h"
#include "json.h"
#include "numbers.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Options

typedef struct EvalOptions {
    const char *split, *data, *predictions, *mistakes, *confusion, *calibration;
    const char *compare, *differences;
    double min_accuracy;
    uint64_t threads;
    TransposeFlags transpose;
    bool no_sandbox, json;
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
        OPT_TABLE("confusion", &o->confusion,
                  "write the confusion matrix here (- is standard output), one row per true class"),
        OPT_TABLE("calibration", &o->calibration,
                  "write the reliability table here (- is standard output): one row for each of 15 "
                  "bins of the probability, with its images, mean probability and accuracy"),
        OPT_STRING("compare", &o->compare, "MODEL",
                   "print instead where this model, B, differs from A, the model or models given: "
                   "counts, both accuracies, McNemar's test, and the images that only one of them "
                   "classifies correctly",
                   .default_text = "", .role = ROLE_READS),
        OPT_TABLE("differences", &o->differences,
                  "with --compare: write all of these images here (- is standard output), one row "
                  "each, with the predictions and probabilities of A and B"),
        OPT_DOUBLE("min-accuracy", &o->min_accuracy, 0, 1, "F",
                   "exit with status 3 when the accuracy, a fraction, is below F",
                   .default_text = ""),
        OPT_NO_SANDBOX(&o->no_sandbox),
        OPT_JSON(&o->json),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

// ---------------------------------------------------------------------------------------------
// The report

typedef struct Mistake {
    size_t image; // its number in the data
    float probability;
} Mistake;

// The images, their predictions and what is counted of them.
typedef struct Report {
    const mlp_model *model;   // the first, for what they all share
    const char *name, *split; // name: of the model or models
    const mlp_data *data;
    mlp_evaluation result;
    mlp_predictions each; // of the images from result.first on
    size_t n_classes;
    uint64_t *confusion; // (C,C), rows: true class
    Mistake *mistakes;   // (n_mistakes) most confident first
    size_t n_mistakes;
    Confidence confidence;
} Report;

static void print_ratio(double value)
{
    if (isnan(value))
        printf("  %9s", "-");
    else
        printf("  %9.4f", value);
}

// The classes that the tables show. A model has ten when its labels are 0 to 2: then without the
// last ones that have no name, image and prediction.
static size_t classes_shown(const Report *report)
{
    enum { LEAST = 10 };
    const char *names = mlp_model_settings(report->model)->class_names;
    if (report->n_classes > LEAST)
        return report->n_classes;
    for (size_t n = report->n_classes; n > 1; n--) {
        ClassMetrics m = class_metrics(report->confusion, report->n_classes, n - 1);
        if (m.support > 0 || !isnan(m.precision) || class_has_name(names, n - 1))
            return n;
    }
    return 1;
}

static void print_classes(const Report *report, int width)
{
    printf("%*s   images  precision     recall         F1\n", width, "class");
    size_t shown = classes_shown(report);
    for (size_t k = 0; k < shown; k++) {
        ClassMetrics m = class_metrics(report->confusion, report->n_classes, k);
        command_print_class(report->model, k, width);
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
    size_t shown = classes_shown(report);
    for (size_t k = 0; k < shown; k++) {
        putchar(' ');
        command_print_class(report->model, k, COLUMN);
    }
    for (size_t row = 0; row < shown; row++) {
        putchar('\n');
        command_print_class(report->model, row, width);
        for (size_t k = 0; k < shown; k++)
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

// If there are many classes, the matrix is too wide to be read.
static void print_most_confused(const Report *report, int width)
{
    enum { MOST = 20 };
    size_t C = report->n_classes, at = C * C;
    printf("\nmost confused (at most %d pairs; --confusion FILE writes the whole matrix)\n", MOST);
    printf(" images  %*s  %*s\n", width, "label", width + 4, "predicted");
    for (size_t n = 0; n < MOST && (at = next_confused(report, at)) < C * C; n++) {
        printf("%7llu  ", (unsigned long long)report->confusion[at]);
        command_print_class(report->model, at / C, width);
        fputs("  ", stdout);
        command_print_class(report->model, at % C, width + 4);
        putchar('\n');
    }
}

static void print_text(const Report *report)
{
    enum { MATRIX_CLASSES = 16 };
    const mlp_evaluation *result = &report->result;
    ShownName model = command_shown(report->name), directory = command_shown(report->data->name);
    printf("%s on the %s images of %s\n\n", model.text, report->split, directory.text);
    printf("accuracy  %.2f %%, 95 %% interval %.2f to %.2f %% (%zu of %zu)\n",
           100.0 * result->accuracy, 100.0 * result->accuracy_low, 100.0 * result->accuracy_high,
           result->correct, result->n);
    printf("loss      %.4f\n\n", result->loss);
    confidence_print_text(&report->confidence);
    int width = command_class_width(report->model);
    print_classes(report, width);
    if (report->n_classes <= MATRIX_CLASSES)
        print_matrix(report, width);
    else
        print_most_confused(report, width);
}

static void print_class_figures(JsonWriter *json, const Report *report)
{
    json_open(json, "classes", '[');
    for (size_t k = 0; k < report->n_classes; k++) {
        ClassMetrics m = class_metrics(report->confusion, report->n_classes, k);
        json_open(json, NULL, '{');
        json_uint(json, "class", k);
        if (mlp_model_settings(report->model)->class_names != NULL)
            json_string(json, "name", mlp_class_name(report->model, k));
        json_uint(json, "support", m.support);
        json_uint(json, "predicted", m.predicted);
        json_double(json, "precision", m.precision);
        json_double(json, "recall", m.recall);
        json_double(json, "f1", m.f1);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_open(json, "confusion", '[');
    for (size_t row = 0; row < report->n_classes; row++) {
        json_open(json, NULL, '[');
        for (size_t k = 0; k < report->n_classes; k++)
            json_uint(json, NULL, report->confusion[row * report->n_classes + k]);
        json_close(json, ']');
    }
    json_close(json, ']');
}

// `other`: a comparison, or NULL.
static void print_json(const Context *c, const Report *report, const Comparison *other)
{
    JsonWriter json = {.out = stdout};
    double accuracy = report->result.accuracy;
    json_open(&json, NULL, '{');
    command_print_models(&json, c);
    json_string(&json, "data", report->data->name);
    json_string(&json, "split", report->split);
    json_uint(&json, "n", report->result.n);
    json_uint(&json, "correct", report->result.correct);
    json_double(&json, "accuracy", accuracy);
    json_double(&json, "accuracy_se", accuracy_standard_error(accuracy, report->result.n));
    json_double(&json, "accuracy_low", report->result.accuracy_low);
    json_double(&json, "accuracy_high", report->result.accuracy_high);
    json_double(&json, "loss", report->result.loss);
    confidence_print_json(&json, &report->confidence);
    print_class_figures(&json, report);
    if (other != NULL)
        comparison_print_json(&json, other);
    json_close(&json, '}');
}

// ---------------------------------------------------------------------------------------------
// Tables

static void add_prediction(CsvWriter *csv, const Report *report, size_t image)
{
    size_t i = image - report->result.first;
    csv_uint(csv, image);
    csv_uint(csv, report->data->labels[image]);
    csv_uint(csv, report->each.predicted[i]);
    csv_double(csv, (double)report->each.probability[i]);
}

static void print_predictions(CsvWriter *csv, const void *context)
{
    const Report *report = context;
    csv_names(csv, "index,label,predicted,probability");
    csv_end_row(csv);
    for (size_t i = 0; i < report->result.n; i++) {
        add_prediction(csv, report, report->result.first + i);
        csv_end_row(csv);
    }
}

static void print_mistakes(CsvWriter *csv, const void *context)
{
    const Report *report = context;
    size_t n = dataset_pixels_per_image(report->data);
    csv_names(csv, "index,label,predicted,probability");
    csv_numbered_names(csv, "p", n);
    csv_end_row(csv);
    for (size_t m = 0; m < report->n_mistakes; m++) {
        size_t image = report->mistakes[m].image;
        add_prediction(csv, report, image);
        for (size_t p = 0; p < n; p++)
            csv_uint(csv, report->data->pixels[image * n + p]);
        csv_end_row(csv);
    }
}

static void print_confusion(CsvWriter *csv, const void *context)
{
    const Report *report = context;
    size_t n = report->n_classes;
    csv_names(csv, "label");
    for (size_t k = 0; k < n; k++)
        csv_string(csv, mlp_class_name(report->model, k));
    csv_end_row(csv);
    for (size_t row = 0; row < n; row++) {
        csv_string(csv, mlp_class_name(report->model, row));
        for (size_t k = 0; k < n; k++)
            csv_uint(csv, report->confusion[row * n + k]);
        csv_end_row(csv);
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

static void find_mistakes(Report *report)
{
    for (size_t i = 0; i < report->result.n; i++) {
        size_t image = report->result.first + i;
        if (report->each.predicted[i] != report->data->labels[image])
            report->mistakes[report->n_mistakes++] = (Mistake){image, report->each.probability[i]};
    }
    qsort(report->mistakes, report->n_mistakes, sizeof *report->mistakes, compare_mistakes);
}

// ---------------------------------------------------------------------------------------------
// The command

static mlp_split split_of(const EvalOptions *o)
{
    return strcmp(o->split, "test") == 0    ? MLP_ALL
           : strcmp(o->split, "train") == 0 ? MLP_TRAIN
                                            : MLP_VALIDATION;
}

static bool predictions_alloc(mlp_predictions *each, size_t n, Arena *arena, Error *err)
{
    static const char what[] = "the predictions";
    *each = (mlp_predictions){.predicted = arena_alloc(arena, n, 1, what, err),
                              .probability = arena_alloc(arena, n, sizeof(float), what, err)};
    return each->predicted != NULL && each->probability != NULL;
}

// Says which of the models were not trained on the data of their split.
static void note_other_data(const mlp_ensemble *ensemble, const mlp_data *data, const char *split)
{
    for (size_t m = 0; m < ensemble->n_models; m++) {
        const mlp_model *model = ensemble->models[m];
        if (model->facts.data_crc32 != data->crc32)
            command_note("%s was trained on other data than %s (CRC-32 %08" PRIx32
                         ", here %08" PRIx32 "): its %s images are not those that the model was "
                         "trained with",
                         model->name, data->name, model->facts.data_crc32, data->crc32, split);
    }
}

// Evaluates models on the images of the split.
static bool answer(Context *c, const mlp_ensemble *ensemble, const mlp_data *data,
                   mlp_evaluation *result, mlp_predictions *each)
{
    const EvalOptions *o = c->values;
    if (!predictions_alloc(each, data->n, &c->arena, &c->err) ||
        !mlp_evaluate_ensemble(ensemble, data, split_of(o), command_threads(c, o->threads), result,
                               each, c->err.text))
        return false;
    if (result->is_other_data)
        note_other_data(ensemble, data, o->split);
    return true;
}

// Evaluates the models of the command line, and counts.
static bool evaluate(Report *report, const EvalOptions *o, Context *c)
{
    if (!command_check_transposed(&c->ensemble, &o->transpose, &c->err))
        return false;
    const mlp_data *data =
        command_open_data(c, split_of(o) == MLP_ALL ? MLP_TEST_FILES : MLP_TRAIN_FILES, o->data,
                          command_transposed(c, &o->transpose));
    if (data == NULL)
        return false;
    size_t C = mlp_classes(c->model); // the data may have fewer
    static const char what[] = "the predictions";
    *report = (Report){.model = c->model,
                       .name = command_models_shown(c),
                       .split = o->split,
                       .data = data,
                       .n_classes = C,
                       .confusion = arena_alloc(&c->arena, C * C, sizeof(uint64_t), what, &c->err),
                       .mistakes = arena_alloc(&c->arena, data->n, sizeof(Mistake), what, &c->err)};
    if (report->name == NULL || report->confusion == NULL || report->mistakes == NULL ||
        !answer(c, &c->ensemble, data, &report->result, &report->each))
        return false;
    confusion_count(report->confusion, C, data->labels + report->result.first,
                    report->each.predicted, report->result.n);
    find_mistakes(report);
    const Answers answers = {.truth = data->labels + report->result.first,
                             .predicted = report->each.predicted,
                             .probability = report->each.probability,
                             .n = report->result.n};
    return confidence_measure(&report->confidence, &answers, &c->arena, &c->err);
}

// Whether B can be compared with the models of the report.
static bool check_other(const Context *c, const mlp_model *other, Error *err)
{
    const EvalOptions *o = c->values;
    const mlp_ensemble both = {(const mlp_model *[]){c->model, other}, 2};
    return mlp_ensemble_check(&both, err->text) &&
           command_check_transposed(&both, &o->transpose, err);
}

// Evaluates B, the model of --compare, on the images of the report.
static bool compare(Comparison *comparison, const Report *report, Context *c)
{
    const EvalOptions *o = c->values;
    const mlp_model *other = c->other_model = mlp_open(o->compare, c->err.text);
    if (other == NULL || !check_other(c, other, &c->err))
        return false;
    *comparison = (Comparison){.model = report->model,
                               .names = {report->name, o->compare},
                               .path = o->compare,
                               .split = report->split,
                               .data = report->data,
                               .results = {report->result},
                               .each = {report->each}};
    mlp_evaluation *results = comparison->results;
    if (!answer(c, &(mlp_ensemble){&other, 1}, report->data, &results[1], &comparison->each[1]))
        return false;
    if (results[0].first != results[1].first || results[0].n != results[1].n)
        return error_set(
            &c->err, "the %s images of %s are %zu to %zu, but those of %s are %zu to %zu",
            report->split, report->name, results[0].first, results[0].first + results[0].n - 1,
            o->compare, results[1].first, results[1].first + results[1].n - 1);
    mlp_compare(report->data->labels + results[0].first, comparison->each[0].predicted,
                comparison->each[1].predicted, results[0].n, &comparison->counts);
    return true;
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

static void print_report(const Context *c, const Report *report, const Comparison *other)
{
    const EvalOptions *o = c->values;
    if (o->json)
        print_json(c, report, other);
    else if (other != NULL)
        comparison_print_text(other);
    else
        print_text(report);
}

static int run(Context *c)
{
    const EvalOptions *o = c->values;
    Report report;
    Comparison comparison;
    if (o->differences != NULL && o->compare == NULL) {
        error_set(&c->err, "--differences needs --compare MODEL");
        return STATUS_USAGE;
    }
    int status = command_begin(c);
    if (status != STATUS_DONE)
        return status;
    if (!evaluate(&report, o, c) || (o->compare != NULL && !compare(&comparison, &report, c)))
        return STATUS_FAILED;
    const Table tables[] = {{o->predictions, print_predictions, &report},
                            {o->mistakes, print_mistakes, &report},
                            {o->confusion, print_confusion, &report},
                            {o->calibration, confidence_print_bins, &report.confidence},
                            {o->differences, comparison_print_differences, &comparison}};
    status = command_write_tables(c, tables, sizeof tables / sizeof tables[0]);
    if (status != STATUS_DONE)
        return status;
    print_report(c, &report, o->compare != NULL ? &comparison : NULL);
    bool ok = reaches(report.result.accuracy, o->min_accuracy, report.name, &c->err);
    return ok ? STATUS_DONE : STATUS_NOT_REACHED;
}

const Command command_eval = {
    .name = "eval",
    .arguments = "MODEL...",
    .summary = "evaluate a model: accuracy, loss, per-class figures, confusion matrix",
    .about = "Evaluates a model on the test images, or those of --split: accuracy with its 95 % "
             "confidence interval (Wilson), loss, calibration of the probabilities, accuracy when "
             "the least confident answers are rejected, precision, recall and F1 of each class, "
             "and the confusion matrix. Several models average their probabilities; --compare "
             "prints where two differ.",
    .examples = {"mlp eval model.bin",
                 "mlp eval model.bin --split validation --json --min-accuracy 0.97"},
    .values_size = sizeof(EvalOptions),
    .options = eval_options,
    .run = run,
};
