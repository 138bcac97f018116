// How far the probability of an answer can be trusted: calibration, that is whether of the answers
// with probability 0.8 about 80 % are right, and how accurate the rest is when the least confident
// answers are rejected. evaluate.h makes the predictions.
#ifndef MLP_CALIBRATION_H
#define MLP_CALIBRATION_H

#include "base.h"

// Predictions of n images (1 or more) of known class. Only referred to.
typedef struct Answers {
    const unsigned char *truth, *predicted; // (n)
    const float *probability;               // (n) of the class predicted, from 0 to 1
    size_t n;
} Answers;

// ---------------------------------------------------------------------------------------------
// Calibration

// The answers whose probability p is in (low, high], low and high being multiples of 1 / M, M the
// number of bins; p = 0 is in the first bin.
typedef struct CalibrationBin {
    double low, high;
    size_t n, correct;
    double sum; // of the probabilities
} CalibrationBin;

enum { CALIBRATION_BINS = 15 };

// The expected calibration error is the distance between accuracy and confidence of a bin, averaged
// over the answers: with acc = correct / n and conf = sum / n of bin m, N answers in all,
//   ECE = sum_m n_m / N |acc_m - conf_m|
// Source: Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks", ICML,
// section 2, with its M = 15 bins of equal width.
typedef struct Calibration {
    CalibrationBin bins[CALIBRATION_BINS];
    double error; // ECE
} Calibration;

// Probabilities are added in double, in the order of the answers.
Calibration calibration_measure(const Answers *answers);

// The bins first, ..., end - 1 as one.
CalibrationBin calibration_merge(const Calibration *calibration, size_t first, size_t end);

// conf and acc of a bin; NaN when it is empty.
double bin_confidence(const CalibrationBin *bin);
double bin_accuracy(const CalibrationBin *bin);

// ---------------------------------------------------------------------------------------------
// Rejecting the least confident answers
// Sources: Chow 1970, "On optimum recognition error and reject tradeoff", IEEE Trans. Inf. Theory
// 16, 41-46; Geifman and El-Yaniv 2017, "Selective classification for deep neural networks", NIPS.

// The rule of `mlp predict --reject`. A threshold that was read from nine digits of a probability
// does not reject it.
static inline bool is_rejected(float probability, double threshold)
{
    return probability < (float)threshold;
}

typedef struct Rejection {
    double threshold;
    size_t rejected;      // answers
    size_t kept, correct; // the rest, and how many of it are right
} Rejection;

// Rejects so many percent (0 to 99) of the answers, rounded down to whole ones. `sorted`: the
// probabilities in ascending order. The threshold is the decimal with the fewest digits that
// separates them. Where the first of the rest is as probable as rejected ones, these are kept, too.
Rejection rejection_of(const Answers *answers, const float *sorted, size_t percent);

// Sorts n probabilities, the smallest first.
void probabilities_sort(float *probability, size_t n);

#endif
