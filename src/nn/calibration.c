// Bins of probabilities, and thresholds between them. Read calibration.h first.
#include "calibration.h"

#include <math.h>
#include <stdlib.h>

// ---------------------------------------------------------------------------------------------
// Calibration

// The product of a float and a small whole number is exact in double, and so is the bin.
static size_t bin_of(float probability)
{
    double bin = ceil((double)probability * (double)CALIBRATION_BINS) - 1.0;
    return bin > 0.0 ? (size_t)fmin(bin, CALIBRATION_BINS - 1) : 0;
}

Calibration calibration_measure(const Answers *answers)
{
    Calibration c = {.error = 0.0};
    for (size_t m = 0; m < CALIBRATION_BINS; m++) {
        c.bins[m].low = (double)m / (double)CALIBRATION_BINS;
        c.bins[m].high = (double)(m + 1) / (double)CALIBRATION_BINS;
    }
    for (size_t i = 0; i < answers->n; i++) {
        CalibrationBin *bin = &c.bins[bin_of(answers->probability[i])];
        bin->n++;
        bin->correct += answers->predicted[i] == answers->truth[i];
        bin->sum += (double)answers->probability[i];
    }
    for (size_t m = 0; m < CALIBRATION_BINS; m++) // n_m |acc_m - conf_m|
        c.error += fabs((double)c.bins[m].correct - c.bins[m].sum);
    c.error /= (double)answers->n;
    return c;
}

CalibrationBin calibration_merge(const Calibration *calibration, size_t first, size_t end)
{
    CalibrationBin all = calibration->bins[first];
    for (size_t m = first + 1; m < end; m++) {
        all.n += calibration->bins[m].n;
        all.correct += calibration->bins[m].correct;
        all.sum += calibration->bins[m].sum;
    }
    all.high = calibration->bins[end - 1].high;
    return all;
}

double bin_confidence(const CalibrationBin *bin)
{
    return bin->n == 0 ? (double)NAN : bin->sum / (double)bin->n;
}

double bin_accuracy(const CalibrationBin *bin)
{
    return bin->n == 0 ? (double)NAN : (double)bin->correct / (double)bin->n;
}

// ---------------------------------------------------------------------------------------------
// Rejection

static int compare_probabilities(const void *a, const void *b)
{
    const float *p = a, *q = b;
    return (*p > *q) - (*p < *q);
}

void probabilities_sort(float *probability, size_t n)
{
    qsort(probability, n, sizeof *probability, compare_probabilities);
}

// The decimal with the fewest digits that rejects `below` and keeps `from`, which is larger.
static double shortest_between(float below, float from)
{
    double decimal = 0.0, scale = 1.0;
    for (int digits = 1; digits <= 15 && !is_rejected(below, decimal); digits++) {
        scale *= 10.0; // exact
        decimal = round((double)from * scale) / scale;
        if (is_rejected(from, decimal))
            decimal = floor((double)from * scale) / scale;
    }
    return decimal;
}

Rejection rejection_of(const Answers *answers, const float *sorted, size_t percent)
{
    size_t at = answers->n * percent / 100; // the first that is kept
    while (at > 0 && !(sorted[at - 1] < sorted[at]))
        at--;
    Rejection r = {.threshold = at > 0 ? shortest_between(sorted[at - 1], sorted[at]) : 0.0};
    for (size_t i = 0; i < answers->n; i++) {
        bool is_kept = !is_rejected(answers->probability[i], r.threshold);
        r.kept += is_kept;
        r.correct += is_kept && answers->predicted[i] == answers->truth[i];
    }
    r.rejected = answers->n - r.kept;
    return r;
}
