// Random numbers without a state: each is a function of a seed, a purpose and a counter. What is
// drawn for one purpose can never shift what another sees, and a training that is resumed needs
// nothing but its epoch number.
#ifndef MLP_RANDOM_H
#define MLP_RANDOM_H

#include <stddef.h>
#include <stdint.h>

// Streams that never overlap. A number here is part of the recipe: adding one is free, changing
// one changes every result. The initial weights of the network's l-th tensor use
// RANDOM_WEIGHTS + l, the order of epoch e RANDOM_ORDER + e, its augmentation RANDOM_AUGMENT + e;
// there are a million epochs at most. The test images that an import takes from class k use
// RANDOM_IMPORT + k, the order of the other images RANDOM_IMPORT + 256.
enum {
    RANDOM_WEIGHTS = 0,
    RANDOM_ORDER = 1 << 16,
    RANDOM_AUGMENT = 1 << 24,
    RANDOM_IMPORT = 1 << 28
};

// Returns 64 uniform bits: the output function of splitmix64 (Steele, Lea, Flood 2014) applied to
// (seed, purpose) and then to that result advanced by the counter.
uint64_t random_bits(uint64_t seed, uint64_t purpose, uint64_t counter);

// Returns a normal variate of mean 0 and standard deviation 1: the quantile of a uniform number.
float random_normal(uint64_t seed, uint64_t purpose, uint64_t counter);

// The p-quantile of the standard normal distribution, 0 < p < 1, to about 7 digits (Wichura 1988,
// algorithm AS 241, PPND7).
double normal_quantile(double p);

// Writes a random permutation of 0..n-1 to order (n), n < 2^32 (Fisher-Yates).
void random_permutation(uint32_t *order, size_t n, uint64_t seed, uint64_t purpose);

#endif
