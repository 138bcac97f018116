// The report of two models: counts, accuracies, McNemar's test, and the images that exactly one of
// them classifies correctly. Read comparison.h first.
#include "comparison.h"

// The next image from number i of those evaluated on that one of the two gets right and the other
// wrong; the number of all: there is none.
static size_t next_difference(const Comparison *c, size_t i)
{
    const unsigned char *label = c->data->labels + c->results[0].first;
    while (i < c->counts.n &&
           (c->each[0].predicted[i] == label[i]) == (c->each[1].predicted[i] == label[i]))
        i++;
    return i;
}

// ---------------------------------------------------------------------------------------------
// Text

static void print_accuracy(char name, const mlp_evaluation *result)
{
    printf("accuracy of %c  %.2f %%, 95 %% interval %.2f to %.2f %% (%zu of %zu)\n", name,
           100.0 * result->accuracy, 100.0 * result->accuracy_low, 100.0 * result->accuracy_high,
           result->correct, result->n);
}

static void print_differences(const Comparison *c)
{
    enum { MOST = 20 };
    int width = command_class_width(c->model);
    size_t n = c->counts.only_first + c->counts.only_second, i = 0;
    if (n == 0)
        return;
    printf("\nimages that only one of them classifies correctly");
    if (n > MOST)
        printf(" (the first %d of %zu; --differences FILE writes all)", MOST, n);
    printf("\n%8s  %*s  %*s  probability  %*s  probability\n", "index", width, "label", width + 4,
           "A", width + 4, "B");
    for (size_t shown = 0; shown < MOST && (i = next_difference(c, i)) < c->counts.n;
         shown++, i++) {
        size_t image = c->results[0].first + i;
        printf("%8zu  ", image);
        command_print_class(c->model, c->data->labels[image], width);
        for (size_t m = 0; m < 2; m++) {
            fputs("  ", stdout);
            command_print_class(c->model, c->each[m].predicted[i], width + 4);
            printf("  %11.4f", (double)c->each[m].probability[i]);
        }
        putchar('\n');
    }
}

void comparison_print_text(const Comparison *c)
{
    ShownName a = command_shown(c->names[0]), b = command_shown(c->names[1]);
    ShownName directory = command_shown(c->data->name);
    const mlp_comparison *counts = &c->counts;
    printf("A: %s\nB: %s\non the %s images of %s\n\n", a.text, b.text, c->split, directory.text);
    printf("both correct   %7zu\nonly A correct %7zu\nonly B correct %7zu\nboth wrong     %7zu\n\n",
           counts->both_correct, counts->only_first, counts->only_second, counts->both_wrong);
    print_accuracy('A', &c->results[0]);
    print_accuracy('B', &c->results[1]);
    printf("A minus B      %.2f points, standard error %.2f points (paired: the same images)\n",
           100.0 * counts->difference, 100.0 * counts->difference_se);
    printf("McNemar's test p = %.2g (exact, two-sided): how likely equally accurate models are to "
           "differ so much\n",
           counts->p_value);
    print_differences(c);
}

// ---------------------------------------------------------------------------------------------
// JSON and the table

static void print_difference(JsonWriter *json, const Comparison *c, size_t i)
{
    size_t image = c->results[0].first + i;
    json_open(json, NULL, '{');
    json_uint(json, "index", image);
    json_uint(json, "label", c->data->labels[image]);
    json_uint(json, "predicted_a", c->each[0].predicted[i]);
    json_uint(json, "predicted_b", c->each[1].predicted[i]);
    json_double(json, "probability_a", (double)c->each[0].probability[i]);
    json_double(json, "probability_b", (double)c->each[1].probability[i]);
    json_close(json, '}');
}

void comparison_print_json(JsonWriter *json, const Comparison *c)
{
    const mlp_comparison *counts = &c->counts;
    json_open(json, "comparison", '{');
    json_string(json, "model", c->path);
    json_uint(json, "correct", c->results[1].correct);
    json_double(json, "accuracy", c->results[1].accuracy);
    json_double(json, "loss", c->results[1].loss);
    json_uint(json, "both_correct", counts->both_correct);
    json_uint(json, "only_a_correct", counts->only_first);
    json_uint(json, "only_b_correct", counts->only_second);
    json_uint(json, "both_wrong", counts->both_wrong);
    json_double(json, "difference", counts->difference);
    json_double(json, "difference_se", counts->difference_se);
    json_double(json, "mcnemar_p", counts->p_value);
    json_open(json, "differences", '[');
    for (size_t i = next_difference(c, 0); i < counts->n; i = next_difference(c, i + 1))
        print_difference(json, c, i);
    json_close(json, ']');
    json_close(json, '}');
}

void comparison_print_differences(CsvWriter *csv, const void *context)
{
    const Comparison *c = context;
    csv_names(csv, "index,label,predicted_a,predicted_b,probability_a,probability_b");
    csv_end_row(csv);
    for (size_t i = next_difference(c, 0); i < c->counts.n; i = next_difference(c, i + 1)) {
        size_t image = c->results[0].first + i;
        csv_uint(csv, image);
        csv_uint(csv, c->data->labels[image]);
        for (size_t m = 0; m < 2; m++)
            csv_uint(csv, c->each[m].predicted[i]);
        for (size_t m = 0; m < 2; m++)
            csv_double(csv, (double)c->each[m].probability[i]);
        csv_end_row(csv);
    }
}
