// What a few measurements say of their mean: standard deviation and confidence interval.
#ifndef MLP_STATISTICS_H
#define MLP_STATISTICS_H

#include <stddef.h>

// The number that a variable with Student's t distribution of `degrees` (at least 1) degrees of
// freedom exceeds in magnitude with probability 0.05: 12.7 for 1, near 1.96 for many. Exact to
// about 14 digits; takes time in proportion to `degrees`.
double student_t_95(size_t degrees);

// Of n independent, normally distributed measurements:
//   mean = sum x_i / n        sd = sqrt(sum (x_i - mean)^2 / (n - 1))
//   the true mean is in mean +- ci95 with probability 0.95:  ci95 = student_t_95(n - 1) sd /
//   sqrt(n)
typedef struct MeanEstimate {
    size_t n;
    double mean;     // NaN for none
    double sd, ci95; // NaN for less than two
} MeanEstimate;

MeanEstimate mean_estimate(const double *x, size_t n);

#endif
