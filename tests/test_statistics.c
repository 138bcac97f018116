// Mean, standard deviation and Student's t against published values.
#include "statistics.h"
#include "test.h"

#include <math.h>

// Upper 2.5 % points, from the tables of Abramowitz and Stegun (26.10) and of NIST's Engineering
// Statistics Handbook (1.3.6.7.2); the closed forms for one and two degrees of freedom.
static void students_t_is_that_of_the_tables(void)
{
    static const struct {
        size_t degrees;
        double t, tolerance;
    } table[] = {{1, 12.706204736174698, 1e-11}, // tan(0.95 pi / 2)
                 {2, 4.302652729749464, 1e-12},  // 0.95 sqrt(2 / (1 - 0.95^2))
                 {3, 3.182, 5e-4},
                 {4, 2.776, 5e-4},
                 {5, 2.571, 5e-4},
                 {9, 2.262, 5e-4},
                 {10, 2.228, 5e-4},
                 {19, 2.093, 5e-4},
                 {30, 2.042, 5e-4},
                 {60, 2.000, 5e-4},
                 {99, 1.984, 5e-4},
                 {120, 1.980, 5e-4},
                 {9999, 1.9602, 5e-5}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double t = student_t_95(table[i].degrees);
        CHECK(fabs(t - table[i].t) < table[i].tolerance, "%zu: %.15g, expected %.15g",
              table[i].degrees, t, table[i].t);
    }
}

static void students_t_falls_towards_that_of_the_normal_distribution(void)
{
    double before = student_t_95(1);
    for (size_t degrees = 2; degrees < 400; degrees++) {
        double t = student_t_95(degrees);
        CHECK(t < before && t > 1.959963984540054, "%zu: %.15g after %.15g", degrees, t, before);
        before = t;
    }
}

static void mean_and_deviation_are_those_of_the_definition(void)
{
    static const double x[] = {0.96, 0.97, 0.98, 0.97}; // deviations -1, 0, 1, 0 hundredths
    MeanEstimate e = mean_estimate(x, 4);
    double sd = 0.01 * sqrt(2.0 / 3.0);
    CHECK(e.n == 4 && fabs(e.mean - 0.97) < 1e-15, "%zu, %.17g", e.n, e.mean);
    CHECK(fabs(e.sd - sd) < 1e-15, "%.17g, expected %.17g", e.sd, sd);
    CHECK(fabs(e.ci95 - 3.182446305 * sd / 2.0) < 1e-9, "%.17g", e.ci95);
}

static void what_too_few_measurements_do_not_say_is_nan(void)
{
    static const double x[] = {0.5};
    MeanEstimate none = mean_estimate(x, 0), one = mean_estimate(x, 1);
    CHECK(none.n == 0 && isnan(none.mean) && isnan(none.sd) && isnan(none.ci95), "%g", none.mean);
    CHECK(one.n == 1 && one.mean == 0.5 && isnan(one.sd) && isnan(one.ci95), "%g %g", one.mean,
          one.sd);
}

int main(void)
{
    RUN(students_t_is_that_of_the_tables);
    RUN(students_t_falls_towards_that_of_the_normal_distribution);
    RUN(mean_and_deviation_are_those_of_the_definition);
    RUN(what_too_few_measurements_do_not_say_is_nan);
    return test_end();
}
