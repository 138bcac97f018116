// The summary of a sweep: for each combination of settings the mean over the seeds, how far they
// are apart, and where the mean would be with many. Read sweep.h and statistics.h first.
#include "statistics.h"
#include "sweep.h"

#include <string.h>

// The trainings that differ in the seed alone: they follow one another.
typedef struct Group {
    const Combination *first;
    size_t n_diverged;
    MeanEstimate figures[N_FIGURES]; // of those that are done
} Group;

// `values` is for one figure of each seed.
static Group group_of(const Sweep *sweep, size_t number, double *values)
{
    size_t seeds = (size_t)sweep->options->seeds;
    Group group = {.first = sweep->list + number * seeds};
    for (size_t i = 0; i < N_FIGURES; i++) {
        size_t n = 0;
        group.n_diverged = 0;
        for (const Combination *c = group.first; c < group.first + seeds; c++) {
            bool has_row = c->row != NULL || c->is_trained; // --only leaves others without
            group.n_diverged += has_row && c->outcome.result == MLP_DIVERGED;
            if (has_row && c->outcome.result == MLP_DONE)
                values[n++] = c->outcome.figures[i];
        }
        group.figures[i] = mean_estimate(values, n);
    }
    return group;
}

// ---------------------------------------------------------------------------------------------
// As text

enum { INTERVAL_WIDTH = sizeof " 96.80 to  97.10" - 1 };

// The widest of an axis's name and values.
static int axis_width(const Axis *axis)
{
    size_t widest = strlen(axis->row->flag);
    for (size_t i = 0; i < axis->n; i++)
        widest = strlen(axis->values[i]) > widest ? strlen(axis->values[i]) : widest;
    return (int)widest;
}

static void print_estimate(const MeanEstimate *e, int interval_width)
{
    char interval[64] = "-";
    if (e->n == 0)
        printf("   %6s", "-");
    else
        printf("   %6.2f", 100.0 * e->mean);
    if (e->n < 2) {
        printf(" %5s  %-*s", "-", interval_width, interval);
        return;
    }
    snprintf(interval, sizeof interval, "%6.2f to %6.2f", 100.0 * (e->mean - e->ci95),
             100.0 * (e->mean + e->ci95));
    printf(" %5.2f  %-*s", 100.0 * e->sd, interval_width, interval);
}

static void print_text_row(const Sweep *sweep, const Group *group)
{
    const SweepOptions *o = sweep->options;
    char number[NUMBER_SIZE];
    for (const Axis *axis = o->axes; axis < o->axes + o->n_axes; axis++)
        if (axis->n > 1)
            printf("%*s  ", axis_width(axis),
                   setting_text(axis->row, &group->first->settings, number));
    printf("%5zu", group->figures[0].n);
    print_estimate(&group->figures[VALIDATION_ACCURACY], INTERVAL_WIDTH);
    print_estimate(&group->figures[TEST_ACCURACY], 0);
    if (group->n_diverged > 0)
        printf("  %zu diverged", group->n_diverged);
    putchar('\n');
}

static void print_text_head(const Sweep *sweep)
{
    const SweepOptions *o = sweep->options;
    int width = 0;
    puts("Accuracy in %: mean over the seeds, standard deviation, 95 % confidence interval\n"
         "of the mean (Student's t)\n");
    for (const Axis *axis = o->axes; axis < o->axes + o->n_axes; axis++)
        if (axis->n > 1)
            width += axis_width(axis) + 2;
    printf("%*s%5s   %-30s   %s\n", width, "", "", "validation", "test");
    for (const Axis *axis = o->axes; axis < o->axes + o->n_axes; axis++)
        if (axis->n > 1)
            printf("%*s  ", axis_width(axis), axis->row->flag);
    printf("seeds   %6s %5s  %-*s   %6s %5s  interval\n", "mean", "sd", INTERVAL_WIDTH, "interval",
           "mean", "sd");
}

// ---------------------------------------------------------------------------------------------
// As JSON

static void print_json_group(JsonWriter *json, const Sweep *sweep, const Group *group)
{
    json_open(json, NULL, '{');
    for (const Setting *row = settings_table; row->key != NULL; row++)
        if (sweep_has_column(sweep, row) && strcmp(row->key, "seed") != 0)
            command_print_setting(json, row, &group->first->settings);
    json_uint(json, "seeds", group->figures[0].n);
    json_uint(json, "diverged", group->n_diverged);
    for (size_t i = 0; i < N_FIGURES; i++) {
        const MeanEstimate *e = &group->figures[i];
        json_open(json, sweep_figures[i], '{');
        json_double(json, "mean", e->mean);
        json_double(json, "sd", e->sd);
        json_double(json, "ci95", e->ci95);
        json_close(json, '}');
    }
    json_close(json, '}');
}

bool sweep_print_summary(const Sweep *sweep, Arena *arena, Error *err)
{
    const SweepOptions *o = sweep->options;
    JsonWriter json = {.out = stdout};
    double *values = arena_alloc(arena, (size_t)o->seeds, sizeof *values, "the summary", err);
    if (values == NULL)
        return false;
    if (o->json) {
        json_open(&json, NULL, '{');
        json_string(&json, "table", o->csv);
        json_open(&json, "combinations", '[');
    } else {
        print_text_head(sweep);
    }
    for (size_t i = 0; i < sweep->n / (size_t)o->seeds; i++) {
        Group group = group_of(sweep, i, values);
        if (o->json)
            print_json_group(&json, sweep, &group);
        else
            print_text_row(sweep, &group);
    }
    if (o->json) {
        json_close(&json, ']');
        json_close(&json, '}');
    }
    return true;
}
