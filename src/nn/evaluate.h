// Evaluates a network, or several whose probabilities are averaged (an ensemble), on a range of a
// data set, with a pool of threads, and says what to make of the predictions: standard error and
// confidence interval, confusion, per-class figures, and where two of them differ. calibration.h
// says what to make of their probabilities.
#ifndef MLP_EVALUATE_H
#define MLP_EVALUATE_H

#include "mlp.h"
#include "network.h"
#include "threads.h"

// One of the networks that answer together.
typedef struct Member {
    const Network *net;
    const float *params;
    const PreparedImages *prepared; // as of a Batch
    InputScale scale;
} Member;

// One network, or several for the same images and classes. The members are only referred to.
typedef struct Ensemble {
    const Member *members;
    size_t n; // 1 or more
} Ensemble;

// A workspace for a batch, and what the ensemble made of it.
typedef struct EnsembleWork {
    Work *works;              // (n) of the members
    float *mean;              // (B,C) probabilities
    float *loss;              // (B) cross-entropy
    unsigned char *predicted; // (B)
} EnsembleWork;

bool ensemble_work_alloc(EnsembleWork *work, const Ensemble *ensemble, size_t capacity,
                         Arena *arena, Error *err);

// Predicts a batch, whose scale and prepared images are those of each member instead.
//   mean       (p_1 + p_2 + ... + p_n) / n, added in the order of the members
//   predicted  the class with the largest mean, the first of equals; that with the largest logit
//              where there is one member
//   loss       -log mean[label], made of the losses L_m = -log p_m[label] of the members, so that a
//              probability which is too small for a float gives no infinity:
//              min L - log(sum_m exp(min L - L_m) / n)
// An ensemble of one member, or of the same one twice, gives the bits of that member.
void ensemble_predict(const Ensemble *ensemble, const EnsembleWork *work, const Batch *batch);

// A workspace for each worker of a pool, and the predictions of the last pass, in the order of its
// examples.
typedef struct Evaluator {
    Ensemble ensemble;
    ThreadPool *pool;
    EnsembleWork *work;       // (pool_size)
    float *loss;              // (capacity) cross-entropy
    float *probability;       // (capacity) of the class that is predicted
    unsigned char *predicted; // (capacity) that class
} Evaluator;

// Makes an evaluator of up to `capacity` examples at a time, which writes to the arrays of `each`;
// those that are NULL, or all where it is, are made. All memory is owned by the arena; the
// ensemble, the pool and what `each` has are only referred to. Fails when memory is short.
bool evaluator_alloc(Evaluator *evaluator, const Ensemble *ensemble, ThreadPool *pool,
                     size_t capacity, const mlp_predictions *each, Arena *arena, Error *err);

// Evaluates the examples of a non-empty range of a data set, dividing them between the pool. Losses
// are added in double, in the order of the examples, so that the result does not depend on the
// pool.
mlp_evaluation evaluator_run(const Evaluator *evaluator, const Dataset *data, Range examples);

// Standard error of an accuracy p measured on n independent examples: sqrt(p (1 - p) / n).
double accuracy_standard_error(double p, size_t n);

// The 95 % confidence interval of a share that is k of n independent examples, n 1 or more: all
// shares that such a k does not contradict. Unlike p +- 1.96 standard errors it stays between 0 and
// 1, and it is right for k near 0 and n, too. With z = 1.96, the normal distribution's 97.5 %
// point:
//   (k + z^2 / 2 +- z sqrt(k (n - k) / n + z^2 / 4)) / (n + z^2)
// Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference",
// J. Amer. Statist. Assoc. 22, 209-212.
typedef struct Interval {
    double low, high;
} Interval;
Interval wilson_interval(size_t k, size_t n);

// McNemar's test of two classifiers on the same examples: the probability that they differ at least
// as much as `a` examples that only the first gets right and `b` that only the second does, if each
// of these a + b were as likely to be either (H0: equal accuracy). Exact and two-sided, from the
// binomial distribution, with n = a + b and k = min(a, b):
//   p = min(1, 2 sum_{i=0}^{k} C(n, i) / 2^n)
// Sources: McNemar 1947, "Note on the sampling error of the difference between correlated
// proportions or percentages", Psychometrika 12, 153-157; the exact form: Fagerland, Lydersen and
// Laake 2013, "The McNemar test for binary matched-pairs data", BMC Med Res Methodol 13:91.
double mcnemar_exact(uint64_t a, uint64_t b);

// Compares two predictions of n examples (1 or more) of known truth.
mlp_comparison compare_predictions(const unsigned char *truth, const unsigned char *first,
                                   const unsigned char *second, size_t n);

// Counts examples by truth and prediction into confusion (C,C), rows the truth.
void confusion_count(uint64_t *confusion, size_t C, const unsigned char *truth,
                     const unsigned char *predicted, size_t n);

// Per-class figures; NaN where there is nothing to divide by (the class is never predicted, or
// never there).
typedef struct ClassMetrics {
    uint64_t support;   // examples of the class
    uint64_t predicted; // examples given to the class
    double precision;   // share of those given to the class that belong to it
    double recall;      // share of the class's examples that were found
    double f1;          // harmonic mean of the two: 2 hits / (support + predicted)
} ClassMetrics;

ClassMetrics class_metrics(const uint64_t *confusion, size_t C, size_t k);

#endif
