// exp and log in single precision, sine and cosine in double, that give the same bits on every
// machine. Those of libm differ between libraries; these are sums and products in a written order,
// so that IEEE 754 fixes every bit, in a vector lane (simd_template.h) as in a scalar. The
// polynomials of exp and log are those of Moshier's Cephes library (expf, logf), the others those
// of FreeBSD's msun (k_sin.c, k_cos.c).
#ifndef MLP_ELEMENTARY_H
#define MLP_ELEMENTARY_H

#include <float.h>
#include <stdint.h>
#include <string.h>

// Settings of a compiler that would silently change results. The Makefile undoes those that can be
// undone; here they are refused as far as the compiler tells. FLT_EVAL_METHOD 0 and 16 (TS 18661-3;
// gcc says it where the machine has half precision) both evaluate float in float.
#if !defined(FLT_EVAL_METHOD) || (FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16)
#error "float must be evaluated in float: use -std=gnu11 (32-bit x86: and -msse2 -mfpmath=sse)"
#endif
#if defined __FAST_MATH__ || (defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__ != 0) ||        \
    defined __ASSOCIATIVE_MATH__ || defined __RECIPROCAL_MATH__ || defined __NO_SIGNED_ZEROS__
#error "-ffast-math, -Ofast and their parts change results and hide NaN: leave them out"
#endif

static inline uint32_t f32_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float f32_from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// ln 2 in two parts: the first has few bits, so that n * LN2_HIGH is exact.
#define LN2_HIGH 0.693359375f
#define LN2_LOW  (-2.12194440e-4f)

// P(r) of the two methods below, for a float or a vector of them.
#define EXP_HIGH(r) ((1.9875691500e-4f * (r) + 1.3981999507e-3f) * (r) + 8.3334519073e-3f)
#define EXP_POLYNOMIAL(r)                                                                          \
    (((EXP_HIGH(r) * (r) + 4.1665795894e-2f) * (r) + 1.6666665459e-1f) * (r) + 5.0000001201e-1f)
#define LOG_HIGH(r)       ((7.0376836292e-2f * (r) + -1.1514610310e-1f) * (r) + 1.1676998740e-1f)
#define LOG_MIDDLE(r)     ((LOG_HIGH(r) * (r) + -1.2420140846e-1f) * (r) + 1.4249322787e-1f)
#define LOG_LOW(r)        ((LOG_MIDDLE(r) * (r) + -1.6668057665e-1f) * (r) + 2.0000714765e-1f)
#define LOG_POLYNOMIAL(r) ((LOG_LOW(r) * (r) + -2.4999993993e-1f) * (r) + 3.3333331174e-1f)

// exp_f32(x): e^x, with x first limited to [-87, 88], where the result is a normal number.
// Method:
//   1. Write x = n ln2 + r with an integer n and |r| <= ln2 / 2. Adding 1.5 * 2^23 rounds x / ln2
//      to n, which is then in the lowest bits of the sum.
//   2. e^r = 1 + r + r^2 P(r), P of degree 5.
//   3. e^x = 2^n e^r; 2^n is made of its exponent bits.
// Error: below 1 ulp (0.98 at most). NaN stays NaN.
static inline float exp_f32(float x)
{
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float shifted = x * 1.44269504f + 12582912.0f;
    float n = shifted - 12582912.0f;
    float r = x - n * LN2_HIGH;
    r = r - n * LN2_LOW;
    float exp_r = EXP_POLYNOMIAL(r) * (r * r) + r + 1.0f;
    float two_to_n = f32_from_bits((f32_bits(shifted) << 23) + 0x3f800000u);
    return exp_r * two_to_n;
}

// log_f32(x): ln x of a normal x > 0.
// Method:
//   1. Write x = 2^n (1 + r) with 1 + r in [sqrt(1/2), sqrt(2)): 0x3f3504f3 is sqrt(1/2), whose
//      difference to the bits of x has n in its exponent.
//   2. ln(1 + r) = r - r^2 / 2 + r^3 P(r), P of degree 8.
//   3. ln x = n ln2 + ln(1 + r), the small terms first.
// Error: below 1 ulp (0.84 at most). Infinity and NaN give NaN.
static inline float log_f32(float x)
{
    uint32_t shifted = f32_bits(x) - 0x3f3504f3u;
    float n = (float)((int32_t)shifted >> 23);
    float r = f32_from_bits((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    float z = r * r;
    float tail = LOG_POLYNOMIAL(r) * (z * r) + n * LN2_LOW - 0.5f * z;
    return r + tail + n * LN2_HIGH + (x - x); // x - x is 0, or NaN when x is not finite
}

#define PI_F64 3.14159265358979323846

// An angle in [-pi, pi] as r + quarters * pi/2, |r| <= pi/4. pi/2 is in two parts: the first has 33
// bits, so that its multiples are exact.
typedef struct ReducedAngle {
    double r;
    int quarters;
} ReducedAngle;

static inline ReducedAngle angle_reduce(double x)
{
    const double pi_2_high = 1.57079632673412561417, pi_2_low = 6.07710050650619224932e-11;
    int n = (int)(x * (2.0 / PI_F64) + (x < 0.0 ? -0.5 : 0.5));
    return (ReducedAngle){(x - n * pi_2_high) - n * pi_2_low, n};
}

// sin r = r + r^3 P(r^2), P of degree 5; |r| <= pi/4.
static inline double sin_reduced(double r)
{
    double z = r * r;
    double high = (1.58969099521155010221e-10 * z + -2.50507602534068634195e-08) * z;
    double middle = ((high + 2.75573137070700676789e-06) * z + -1.98412698298579493134e-04) * z;
    double low = (middle + 8.33333333332248946124e-03) * z + -1.66666666666666324348e-01;
    return r + r * z * low;
}

// cos r = 1 - r^2/2 + r^4 P(r^2), P of degree 5; |r| <= pi/4.
static inline double cos_reduced(double r)
{
    double z = r * r;
    double high = (-1.13596475577881948265e-11 * z + 2.08757232129817482790e-09) * z;
    double middle = ((high + -2.75573143513906633035e-07) * z + 2.48015872894767294178e-05) * z;
    double low = (middle + -1.38888888888741095749e-03) * z + 4.16666666666666019037e-02;
    return 1.0 - (0.5 * z - z * z * low);
}

// sin_f64(x), cos_f64(x): sine and cosine of an angle x in [-pi, pi].
// Method:
//   1. Write x = r + n pi/2 with a whole n and |r| <= pi/4.
//   2. Turned by n quarters of a circle, each is plus or minus the sine or the cosine of r.
// Error: below 1.5e-16.
static inline double sin_f64(double x)
{
    ReducedAngle a = angle_reduce(x);
    double y = (a.quarters & 1) != 0 ? cos_reduced(a.r) : sin_reduced(a.r);
    return (a.quarters & 2) != 0 ? -y : y;
}

static inline double cos_f64(double x)
{
    ReducedAngle a = angle_reduce(x);
    double y = (a.quarters & 1) != 0 ? sin_reduced(a.r) : cos_reduced(a.r);
    return ((a.quarters + 1) & 2) != 0 ? -y : y;
}

#endif
