// Calibration and rejection against small cases by hand, and their properties on made-up answers.
#include "calibration.h"
#include "numbers.h"
#include "test.h"

#include <math.h>

// ---------------------------------------------------------------------------------------------
// Calibration

// Of 8 answers, 4 with p = 0.75 of which 2 are right, 2 with p = 1, both right, 2 with p = 0.25 of
// which 1 is right: 4/8 |0.5 - 0.75| + 2/8 |1 - 1| + 2/8 |0.5 - 0.25| = 0.1875.
static void the_expected_calibration_error_of_a_small_example(void)
{
    const float p[8] = {0.75f, 0.25f, 1.0f, 0.75f, 0.75f, 1.0f, 0.25f, 0.75f};
    const unsigned char truth[8] = {0, 1, 2, 3, 4, 5, 6, 7},
                        predicted[8] = {0, 1, 2, 3, 0, 5, 0, 0};
    Calibration c = calibration_measure(&(Answers){truth, predicted, p, 8});
    CHECK(c.error == 0.1875, "%.17g", c.error);
    const CalibrationBin *bin = &c.bins[11]; // (11/15, 12/15]
    CHECK(bin->n == 4 && bin->correct == 2 && bin_confidence(bin) == 0.75 &&
              bin_accuracy(bin) == 0.5,
          "%zu, %zu, %g", bin->n, bin->correct, bin->sum);
    CHECK(c.bins[14].n == 2 && c.bins[14].correct == 2 && c.bins[3].n == 2 &&
              c.bins[3].correct == 1,
          "%zu and %zu", c.bins[14].n, c.bins[3].n);
    CHECK(isnan(bin_confidence(&c.bins[0])) && isnan(bin_accuracy(&c.bins[0])), "an empty bin");
}

// The mean probability is the accuracy, 0.5, but in their own bins both are wrong by 0.75.
static void errors_of_different_bins_do_not_cancel(void)
{
    const float p[2] = {0.25f, 0.75f};
    const unsigned char truth[2] = {0, 0}, predicted[2] = {0, 1};
    Calibration c = calibration_measure(&(Answers){truth, predicted, p, 2});
    CHECK(c.error == 0.75, "%.17g", c.error); // (|1 - 0.25| + |0 - 0.75|) / 2
    CalibrationBin all = calibration_merge(&c, 0, CALIBRATION_BINS);
    CHECK(bin_confidence(&all) == bin_accuracy(&all), "%g and %g", bin_confidence(&all),
          bin_accuracy(&all));
}

static size_t bin_with(float p)
{
    const unsigned char class = 0;
    Calibration c = calibration_measure(&(Answers){&class, &class, &p, 1});
    size_t m = 0;
    while (m < CALIBRATION_BINS && c.bins[m].n == 0)
        m++;
    return m;
}

// No float but 0 and 1 is a multiple of 1/15: the floats nearest to 3/15, 6/15 and so on are a
// little larger or smaller, and so decide.
static void a_bin_has_its_upper_edge_and_not_its_lower_one(void)
{
    for (size_t m = 1; m < CALIBRATION_BINS; m++) {
        double edge = (double)m / CALIBRATION_BINS;
        float above = (float)edge;
        above = (double)above > edge ? above : nextafterf(above, 1.0f);
        CHECK(bin_with(above) == m, "%.9g is in bin %zu, not %zu", (double)above, bin_with(above),
              m);
        float below = nextafterf(above, 0.0f);
        CHECK(bin_with(below) == m - 1, "%.9g is in bin %zu, not %zu", (double)below,
              bin_with(below), m - 1);
    }
    CHECK(bin_with(0.0f) == 0 && bin_with(1.0f) == CALIBRATION_BINS - 1,
          "0 and 1 are in %zu and %zu", bin_with(0.0f), bin_with(1.0f));
}

// ---------------------------------------------------------------------------------------------
// Rejection

// Sorted: 0.3 wrong, 0.4 right, 0.5 wrong, 0.61 wrong, 0.64 right, five with 0.9, of which one is
// wrong.
static void the_accuracy_of_the_rest_by_hand(void)
{
    const float p[10] = {0.9f, 0.3f, 0.9f, 0.64f, 0.5f, 0.9f, 0.4f, 0.9f, 0.61f, 0.9f};
    const unsigned char truth[10] = {0};
    const unsigned char predicted[10] = {0, 1, 0, 0, 1, 0, 0, 0, 1, 1};
    const Answers answers = {truth, predicted, p, 10};
    const struct {
        size_t percent, rejected, correct;
        double threshold;
    } known[] = {{0, 0, 6, 0.0},  {9, 0, 6, 0.0},   {10, 1, 6, 0.4}, {25, 2, 5, 0.5},
                 {30, 3, 5, 0.6}, {40, 4, 5, 0.64}, {50, 5, 4, 0.9}, {70, 5, 4, 0.9}};
    float sorted[10];
    memcpy(sorted, p, sizeof sorted);
    probabilities_sort(sorted, 10);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        Rejection r = rejection_of(&answers, sorted, known[i].percent);
        CHECK(r.rejected == known[i].rejected && r.kept == 10 - r.rejected &&
                  r.correct == known[i].correct && r.threshold == known[i].threshold,
              "%zu %%: %zu rejected below %.17g, %zu of %zu right", known[i].percent, r.rejected,
              r.threshold, r.correct, r.kept);
    }
}

enum { N = 5000 };

// From a simple generator; every fourth is 1, and others are repeated, as those of a confident
// network are.
static void make_answers(float *p, unsigned char *truth, unsigned char *predicted)
{
    unsigned state = 1;
    for (size_t i = 0; i < N; i++) {
        state = state * 1664525u + 1013904223u;
        float u = (float)(state >> 8) / (float)(1 << 24);
        p[i] = i % 4 == 0 ? 1.0f : i % 7 == 0 ? p[i / 2] : 1.0f - 0.9f * u * u * u * u;
        truth[i] = (unsigned char)(i % 10);
        predicted[i] = (unsigned char)(state >> 30 == 0 ? 0 : truth[i]);
    }
}

// Counts again what a threshold does that is written and read.
static void check_rejection(const Answers *a, const Rejection *r, size_t percent)
{
    char text[NUMBER_SIZE];
    double threshold = -1.0;
    bool is_number = parse_double(format_shortest(text, r->threshold), &threshold);
    CHECK(is_number && strlen(text) <= 12, "%zu %%: threshold %s", percent, text);
    size_t rejected = 0, correct = 0;
    float most = -1.0f, least = 2.0f; // of the rejected, of the rest
    for (size_t i = 0; i < N; i++) {
        float p = a->probability[i];
        if (is_rejected(p, threshold)) {
            rejected++;
            most = p > most ? p : most;
        } else {
            correct += a->predicted[i] == a->truth[i];
            least = p < least ? p : least;
        }
    }
    CHECK(rejected == r->rejected && N - rejected == r->kept && correct == r->correct,
          "%zu %%: %zu rejected, not %zu; %zu right, not %zu", percent, rejected, r->rejected,
          correct, r->correct);
    CHECK(most < least, "%zu %%: %.9g is rejected, %.9g is not", percent, (double)most,
          (double)least);
    CHECK(rejected <= N * percent / 100, "%zu %%: %zu are too many", percent, rejected);
    size_t equal = 0; // none could be rejected beside these without too many
    for (size_t i = 0; i < N; i++)
        equal += !(a->probability[i] < least) && !(a->probability[i] > least);
    CHECK(rejected + equal > N * percent / 100, "%zu %%: only %zu", percent, rejected);
}

static void the_rejected_answers_are_the_least_confident_ones(void)
{
    static float p[N], sorted[N];
    static unsigned char truth[N], predicted[N];
    make_answers(p, truth, predicted);
    memcpy(sorted, p, sizeof p);
    probabilities_sort(sorted, N);
    const Answers answers = {truth, predicted, p, N};
    for (size_t percent = 0; percent < 100; percent++) {
        Rejection r = rejection_of(&answers, sorted, percent);
        check_rejection(&answers, &r, percent);
    }
}

static void a_threshold_has_no_more_digits_than_it_needs(void)
{
    const unsigned char class = 0, classes[2] = {0, 0};
    const struct {
        float below, from;
        double threshold;
    } known[] = {{0.2f, 0.7f, 0.7},
                 {0.71f, 0.7777f, 0.77},        // and not 0.78,
                 {0.54771f, 0.54779f, 0.54779}, // 0.5478 would reject both
                 {0.003906f, 0.0039063f, 0.0039063},
                 {0.99999988f, 0.99999994f, 0.99999994}, // two floats without one between them
                 {0.99999994f, 1.0f, 1.0}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const float p[2] = {known[i].below, known[i].from};
        Rejection r = rejection_of(&(Answers){classes, classes, p, 2}, p, 50);
        CHECK(r.rejected == 1 && r.threshold == known[i].threshold, "%.9g and %.9g: %.17g",
              (double)p[0], (double)p[1], r.threshold);
    }
    const float p = 0.1f;
    Rejection one = rejection_of(&(Answers){&class, &class, &p, 1}, &p, 99);
    CHECK(one.rejected == 0 && one.kept == 1 && one.correct == 1 && one.threshold == 0.0, "%g",
          one.threshold);
}

// 0.1f is larger than 0.1, 0.7f smaller than 0.7.
static void a_probability_as_it_is_printed_does_not_reject_it(void)
{
    for (int i = 1; i <= 1000; i++) {
        char text[NUMBER_SIZE];
        double threshold = -1.0;
        float p = (float)i / 1000.0f;
        CHECK(parse_double(format_g9(text, (double)p), &threshold) && !is_rejected(p, threshold) &&
                  is_rejected(nextafterf(p, 0.0f), threshold),
              "%s", text);
    }
}

int main(void)
{
    RUN(the_expected_calibration_error_of_a_small_example);
    RUN(errors_of_different_bins_do_not_cancel);
    RUN(a_bin_has_its_upper_edge_and_not_its_lower_one);
    RUN(the_accuracy_of_the_rest_by_hand);
    RUN(the_rejected_answers_are_the_least_confident_ones);
    RUN(a_threshold_has_no_more_digits_than_it_needs);
    RUN(a_probability_as_it_is_printed_does_not_reject_it);
    return test_end();
}
