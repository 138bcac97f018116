// exp, log, sine, cosine and random numbers: accurate, and the same everywhere.
#include "elementary.h"
#include "random.h"
#include "test.h"

#include <math.h>

// Distance from the exact value in units of the last place of the float.
static double ulps(float found, double exact)
{
    float nearest = (float)exact;
    return fabs((double)found - exact) /
           (double)(nextafterf(fabsf(nearest), INFINITY) - fabsf(nearest));
}

static void exp_is_within_1_ulp(void)
{
    double worst = 0.0, at = 0.0;
    for (double v = -86.9; v < 87.9; v += 1.0 / 4099) {
        double error = ulps(exp_f32((float)v), exp((double)(float)v));
        at = error > worst ? v : at;
        worst = error > worst ? error : worst;
    }
    CHECK(worst < 1.0, "%g ulps at %g", worst, at);
}

static void log_is_within_1_ulp(void)
{
    double worst = 0.0, at = 0.0;
    for (double v = 1e-37; v < 1e37; v *= 1.00037) {
        float f = (float)v;
        double error = ulps(log_f32(f), log((double)f));
        at = error > worst ? v : at;
        worst = error > worst ? error : worst;
    }
    CHECK(worst < 1.0, "%g ulps at %g", worst, at);
    CHECK(log_f32(1.0f) == 0.0f, "log 1 = %g", (double)log_f32(1.0f));
}

static void exp_saturates_and_nan_stays_nan(void)
{
    CHECK(exp_f32(-1e30f) == exp_f32(-87.0f) && exp_f32(-1e30f) > 0.0f, "below");
    CHECK(exp_f32(1e30f) == exp_f32(88.0f) && isfinite(exp_f32(1e30f)), "above");
    CHECK(exp_f32(0.0f) == 1.0f, "exp 0 = %.9g", (double)exp_f32(0.0f));
    CHECK(isnan(exp_f32(NAN)), "exp NaN");
    CHECK(isnan(log_f32(NAN)) && isnan(log_f32(INFINITY)), "log NaN, log infinity");
}

static void sine_and_cosine_are_within_1_5e_16(void)
{
    double worst = 0.0, at = 0.0;
    for (double x = -PI_F64; x <= PI_F64; x += 1.0 / 65537) {
        double sine = (double)fabsl((long double)sin_f64(x) - sinl((long double)x));
        double cosine = (double)fabsl((long double)cos_f64(x) - cosl((long double)x));
        double error = fmax(sine, cosine);
        at = error > worst ? x : at;
        worst = fmax(error, worst);
    }
    CHECK(worst < 1.5e-16, "%g at %.17g", worst, at);
    CHECK(cos_f64(0.0) == 1.0 && sin_f64(0.0) == 0.0, "at 0: %g, %g", cos_f64(0.0), sin_f64(0.0));
    CHECK(cos_f64(PI_F64) == -1.0 && cos_f64(-PI_F64) == -1.0, "cos pi = %.17g", cos_f64(PI_F64));
    CHECK(fabs(sin_f64(PI_F64)) < 1.5e-16, "sin pi = %g", sin_f64(PI_F64));
}

// The values of recipe 1: whoever changes them raises MODEL_RECIPE.
static void the_bits_are_those_of_the_recipe(void)
{
    CHECK(random_bits(1, 0, 0) == UINT64_C(0xb18a02f46d8d86c3), "%llx",
          (unsigned long long)random_bits(1, 0, 0));
    CHECK(random_bits(1, 2, 3) == UINT64_C(0x8568f7c4e53b5a35), "%llx",
          (unsigned long long)random_bits(1, 2, 3));
    CHECK(f32_bits(random_normal(1, 0, 7)) == 0xbf0fb168u, "%08lx",
          (unsigned long)f32_bits(random_normal(1, 0, 7)));
    CHECK(f32_bits(exp_f32(1.0f)) == 0x402df854u, "%08lx", (unsigned long)f32_bits(exp_f32(1.0f)));
    CHECK(f32_bits(log_f32(3.0f)) == 0x3f8c9f54u, "%08lx", (unsigned long)f32_bits(log_f32(3.0f)));
    CHECK(sin_f64(2.5) == 0x1.326af0dcfcabp-1, "%a", sin_f64(2.5));
    CHECK(cos_f64(2.5) == -0x1.9a2f7ef858b7dp-1, "%a", cos_f64(2.5));
}

static void the_quantile_inverts_the_normal_distribution(void)
{
    for (double p = 1e-12; p < 1.0; p += p < 0.01 ? p : 0.0007) {
        double back = 0.5 * erfc(-normal_quantile(p) / sqrt(2.0));
        CHECK(fabs(back - p) < 1e-5 * p + 1e-13, "p = %.12g came back as %.12g", p, back);
    }
    CHECK(normal_quantile(0.5) == 0.0, "median %g", normal_quantile(0.5));
}

static void normal_draws_have_mean_0_and_deviation_1(void)
{
    enum { N = 100000 };
    double sum = 0.0, squares = 0.0;
    for (uint64_t i = 0; i < N; i++) {
        double z = (double)random_normal(5, 1, i);
        sum += z;
        squares += z * z;
    }
    CHECK(fabs(sum / N) < 0.015, "mean %g", sum / N);
    CHECK(fabs(squares / N - 1.0) < 0.02, "variance %g", squares / N);
}

enum { N_ORDER = 1000 };

static void an_order_holds_every_index_once(void)
{
    uint32_t order[N_ORDER];
    bool seen[N_ORDER] = {false};
    random_permutation(order, N_ORDER, 1, RANDOM_ORDER + 1);
    for (size_t i = 0; i < N_ORDER; i++) {
        REQUIRE(order[i] < N_ORDER && !seen[order[i]], "index %u at %zu", order[i], i);
        seen[order[i]] = true;
    }
}

static void orders_differ_by_epoch_and_seed(void)
{
    uint32_t a[N_ORDER], b[N_ORDER], c[N_ORDER], again[N_ORDER];
    random_permutation(a, N_ORDER, 1, RANDOM_ORDER + 1);
    random_permutation(b, N_ORDER, 1, RANDOM_ORDER + 2);
    random_permutation(c, N_ORDER, 2, RANDOM_ORDER + 1);
    random_permutation(again, N_ORDER, 1, RANDOM_ORDER + 1);
    size_t ab = 0, ac = 0;
    for (size_t i = 0; i < N_ORDER; i++) {
        ab += a[i] == b[i];
        ac += a[i] == c[i];
    }
    CHECK(ab < 10 && ac < 10, "%zu and %zu places agree", ab, ac);
    CHECK(memcmp(a, again, sizeof a) == 0, "the same seed and epoch gave another order");
}

int main(void)
{
    RUN(exp_is_within_1_ulp);
    RUN(log_is_within_1_ulp);
    RUN(sine_and_cosine_are_within_1_5e_16);
    RUN(exp_saturates_and_nan_stays_nan);
    RUN(the_bits_are_those_of_the_recipe);
    RUN(the_quantile_inverts_the_normal_distribution);
    RUN(normal_draws_have_mean_0_and_deviation_1);
    RUN(an_order_holds_every_index_once);
    RUN(orders_differ_by_epoch_and_seed);
    return test_end();
}
