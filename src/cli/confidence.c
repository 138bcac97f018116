// The report on probabilities: reliability table, expected calibration error, and what rejecting
// the least confident answers gains. Read confidence.h first.
#include "confidence.h"

#include "evaluate.h"
#include "numbers.h"

#include <math.h>
#include <string.h>

static const size_t percents[CONFIDENCE_REJECTIONS] = {1, 2, 5, 10, 20};

bool confidence_measure(Confidence *confidence, const Answers *answers, Arena *arena, Error *err)
{
    float *sorted = arena_alloc(arena, answers->n, sizeof *sorted, "the probabilities", err);
    if (sorted == NULL)
        return false;
    memcpy(sorted, answers->probability, answers->n * sizeof *sorted);
    probabilities_sort(sorted, answers->n);
    *confidence = (Confidence){.n = answers->n, .calibration = calibration_measure(answers)};
    for (size_t i = 0; i < CONFIDENCE_REJECTIONS; i++)
        confidence->rejections[i] = rejection_of(answers, sorted, percents[i]);
    return true;
}

// ---------------------------------------------------------------------------------------------
// Text

static void print_bin(const CalibrationBin *bin)
{
    printf("  %7zu  %7.2f %%  %6.2f %%\n", bin->n, 100.0 * bin_confidence(bin),
           100.0 * bin_accuracy(bin));
}

static void print_calibration(const Confidence *confidence)
{
    enum { GROUP = 3 };
    const Calibration *c = &confidence->calibration;
    CalibrationBin all = calibration_merge(c, 0, CALIBRATION_BINS);
    printf("probability   images       mean  accuracy\n");
    for (size_t m = 0; m < CALIBRATION_BINS; m += GROUP) {
        CalibrationBin bin = calibration_merge(c, m, m + GROUP);
        if (bin.n > 0) {
            printf("%2.0f to %3.0f %%", 100.0 * bin.low, 100.0 * bin.high);
            print_bin(&bin);
        }
    }
    printf("all        ");
    print_bin(&all);
    printf("expected calibration error %.2f points (%d bins; --calibration FILE writes them)\n\n",
           100.0 * c->error, CALIBRATION_BINS);
}

static void print_rejections(const Confidence *confidence)
{
    char threshold[NUMBER_SIZE];
    if (confidence->rejections[CONFIDENCE_REJECTIONS - 1].rejected == 0)
        return;
    printf("rejected  accuracy of the rest  with predict --reject\n");
    for (size_t i = 0; i < CONFIDENCE_REJECTIONS; i++) {
        const Rejection *r = &confidence->rejections[i];
        if (r->rejected == (i == 0 ? 0 : r[-1].rejected)) // few images, or equal probabilities
            continue;
        printf("%6.2f %%  %18.2f %%  %s\n", 100.0 * (double)r->rejected / (double)confidence->n,
               100.0 * (double)r->correct / (double)r->kept,
               format_shortest(threshold, r->threshold));
    }
    putchar('\n');
}

void confidence_print_text(const Confidence *confidence)
{
    print_calibration(confidence);
    print_rejections(confidence);
}

// ---------------------------------------------------------------------------------------------
// JSON and the table

enum { BIN_COLUMNS = 7 };
static const char *const bin_columns[BIN_COLUMNS] = {
    "low", "high", "n", "probability", "accuracy", "accuracy_low", "accuracy_high"};

// The row of a bin. NaN: there is no value.
static void bin_values(double values[BIN_COLUMNS], const CalibrationBin *bin)
{
    Interval interval = {(double)NAN, (double)NAN};
    if (bin->n > 0)
        interval = wilson_interval(bin->correct, bin->n);
    const double list[BIN_COLUMNS] = {
        bin->low,          bin->high,    (double)bin->n, bin_confidence(bin),
        bin_accuracy(bin), interval.low, interval.high};
    memcpy(values, list, sizeof list);
}

static void print_json_bin(JsonWriter *json, const CalibrationBin *bin)
{
    double values[BIN_COLUMNS];
    bin_values(values, bin);
    json_open(json, NULL, '{');
    for (size_t i = 0; i < BIN_COLUMNS; i++)
        json_double(json, bin_columns[i], values[i]); // NaN is null
    json_close(json, '}');
}

void confidence_print_json(JsonWriter *json, const Confidence *confidence)
{
    const Calibration *c = &confidence->calibration;
    CalibrationBin all = calibration_merge(c, 0, CALIBRATION_BINS);
    json_open(json, "calibration", '{');
    json_double(json, "error", c->error);
    json_double(json, "probability", bin_confidence(&all));
    json_open(json, "bins", '[');
    for (size_t m = 0; m < CALIBRATION_BINS; m++)
        print_json_bin(json, &c->bins[m]);
    json_close(json, ']');
    json_close(json, '}');
    json_open(json, "rejections", '[');
    for (size_t i = 0; i < CONFIDENCE_REJECTIONS; i++) {
        const Rejection *r = &confidence->rejections[i];
        json_open(json, NULL, '{');
        json_exact(json, "reject", r->threshold);
        json_uint(json, "rejected", r->rejected);
        json_double(json, "accuracy", (double)r->correct / (double)r->kept);
        json_close(json, '}');
    }
    json_close(json, ']');
}

void confidence_print_bins(CsvWriter *csv, const void *context)
{
    const Confidence *confidence = context;
    for (size_t i = 0; i < BIN_COLUMNS; i++)
        csv_string(csv, bin_columns[i]);
    csv_end_row(csv);
    for (size_t m = 0; m < CALIBRATION_BINS; m++) {
        double values[BIN_COLUMNS];
        bin_values(values, &confidence->calibration.bins[m]);
        for (size_t i = 0; i < BIN_COLUMNS; i++)
            isnan(values[i]) ? csv_string(csv, "") : csv_double(csv, values[i]);
        csv_end_row(csv);
    }
}
