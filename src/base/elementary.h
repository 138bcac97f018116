// exp and log in single precision that give the same bits on every machine. Those of libm differ
// between libraries; these are sums and products of float in a written order, so IEEE 754 fixes
// every bit, in a vector lane as in a scalar. Polynomials: Moshier's Cephes library (expf, logf);
// the error is below 2 units in the last place (tests/test_elementary.c measures it).
#ifndef MLP_ELEMENTARY_H
#define MLP_ELEMENTARY_H

#include <float.h>
#include <stdint.h>
#include <string.h>

// The settings of a compiler that would change results without a word. The Makefile undoes those
// that can be undone; here they are refused as far as the compiler tells. FLT_EVAL_METHOD 0 and 16
// (TS 18661-3; gcc says it where the machine has half precision) both evaluate float in float.
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

// Polynomials in r, for a float or a vector of them: (e^r - 1 - r) / r^2, and (ln(1+r) - r + r^2/2)
// / r^3.
#define EXP_POLYNOMIAL(r)                                                                          \
    (((((1.9875691500e-4f * (r) + 1.3981999507e-3f) * (r) + 8.3334519073e-3f) * (r) +              \
       4.1665795894e-2f) *                                                                         \
          (r) +                                                                                    \
      1.6666665459e-1f) *                                                                          \
         (r) +                                                                                     \
     5.0000001201e-1f)
#define LOG_POLYNOMIAL(r)                                                                          \
    ((((((((7.0376836292e-2f * (r)-1.1514610310e-1f) * (r) + 1.1676998740e-1f) *                   \
          (r)-1.2420140846e-1f) *                                                                  \
             (r) +                                                                                 \
         1.4249322787e-1f) *                                                                       \
        (r)-1.6668057665e-1f) *                                                                    \
           (r) +                                                                                   \
       2.0000714765e-1f) *                                                                         \
      (r)-2.4999993993e-1f) *                                                                      \
         (r) +                                                                                     \
     3.3333331174e-1f)

// Returns e^x; x is first limited to [-87, 88], where the result is a normal number. NaN stays NaN.
static inline float exp_f32(float x)
{
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    // x = n ln2 + r with |r| <= ln2 / 2. Adding 1.5 * 2^23 rounds to an integer, which then stands
    // in the lowest bits of the sum.
    float shifted = x * 1.44269504f + 12582912.0f;
    float n = shifted - 12582912.0f;
    float r = x - n * LN2_HIGH;
    r = r - n * LN2_LOW;
    float exp_r = EXP_POLYNOMIAL(r) * (r * r) + r + 1.0f;
    float two_to_n = f32_from_bits((f32_bits(shifted) << 23) + 0x3f800000u);
    return exp_r * two_to_n;
}

// Returns ln x for a normal x > 0; infinity and NaN give NaN.
static inline float log_f32(float x)
{
    // x = 2^n (1 + r) with 1 + r in [sqrt(1/2), sqrt(2)): the offset is the bits of sqrt(1/2).
    uint32_t shifted = f32_bits(x) - 0x3f3504f3u;
    float n = (float)((int32_t)shifted >> 23);
    float r = f32_from_bits((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    float z = r * r;
    float tail = LOG_POLYNOMIAL(r) * (z * r) + n * LN2_LOW - 0.5f * z;
    return r + tail + n * LN2_HIGH + (x - x); // x - x is 0, or NaN when x is not finite
}

#endif
