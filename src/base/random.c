// Stateless random numbers, the same bits everywhere: exact integer arithmetic, the basic
// operations and sqrt of IEEE 754, which are rounded correctly, and the log of elementary.h.
#include "random.h"

#include "elementary.h"

#include <assert.h>
#include <math.h>

static uint64_t splitmix64_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t random_bits(uint64_t seed, uint64_t purpose, uint64_t counter)
{
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t stream = splitmix64_mix(splitmix64_mix(seed + golden) + golden * (purpose + 1));
    return splitmix64_mix(stream + golden * (counter + 1));
}

// Method:
//   1. Near the middle, |q| <= 0.425 with q = p - 1/2: q R(0.180625 - q^2), R a rational function.
//   2. In the tails r = sqrt(-ln min(p, 1 - p)), and a rational function of r - 1.6 up to r = 5, of
//      r - 5 beyond, with the sign of q.
double normal_quantile(double p)
{
    double q = p - 0.5;
    if (fabs(q) <= 0.425) {
        double r = 0.180625 - q * q;
        double above = ((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179;
        double below = ((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0;
        return q * above / below;
    }
    double tail = q < 0.0 ? p : 1.0 - p;
    double r = sqrt(-(double)log_f32((float)tail));
    double above, below;
    if (r <= 5.0) {
        r -= 1.6;
        above = ((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777;
        below = (0.12021132975 * r + 0.73700164250) * r + 1.0;
    } else {
        r -= 5.0;
        above = ((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150;
        below = (0.012258202635 * r + 0.24197894225) * r + 1.0;
    }
    return q < 0.0 ? -above / below : above / below;
}

float random_normal(uint64_t seed, uint64_t purpose, uint64_t counter)
{
    // 52 bits and a half: strictly between 0 and 1, symmetric about 1/2, exact in double.
    double p = ((double)(random_bits(seed, purpose, counter) >> 12) + 0.5) * 0x1p-52;
    return (float)normal_quantile(p);
}

void random_permutation(uint32_t *order, size_t n, uint64_t seed, uint64_t purpose)
{
    assert(n <= UINT32_MAX);
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) {
        // 32 random bits scaled to 0..i-1. The bias, i / 2^32 at most, is not worth a rejection.
        uint64_t bits = random_bits(seed, purpose, i) >> 32;
        size_t j = (size_t)((bits * (uint64_t)i) >> 32);
        uint32_t swapped = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swapped;
    }
}
