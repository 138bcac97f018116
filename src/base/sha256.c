// SHA-256: the message in blocks of 64 bytes, each mixed into eight words in 64 rounds. The letters
// are those of FIPS 180-4.
#include "sha256.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#if defined __x86_64__ && defined __GNUC__
#include <cpuid.h>
#include <immintrin.h>
#define HAVE_SHA
#endif

enum { BLOCK = 64, LENGTH_AT = 56 }; // the last block ends in the number of bits

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

typedef void MixBlock(uint32_t H[8], const unsigned char *block);

static void mix_block_scalar(uint32_t H[8], const unsigned char *block)
{
    uint32_t W[64], v[8]; // v: a to h
    for (size_t t = 0; t < 16; t++)
        W[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
               (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (size_t t = 16; t < 64; t++) {
        uint32_t s0 = rotate(W[t - 15], 7) ^ rotate(W[t - 15], 18) ^ W[t - 15] >> 3;
        uint32_t s1 = rotate(W[t - 2], 17) ^ rotate(W[t - 2], 19) ^ W[t - 2] >> 10;
        W[t] = W[t - 16] + s0 + W[t - 7] + s1;
    }
    memcpy(v, H, sizeof v);
    for (size_t t = 0; t < 64; t += 8)
        for (size_t i = 0; i < 8; i++) { // the letters move, not the words
            uint32_t *h = &v[7 - i], e = v[(12 - i) % 8], a = v[(8 - i) % 8];
            uint32_t S1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
            uint32_t choice = (e & v[(13 - i) % 8]) ^ (~e & v[(14 - i) % 8]);
            uint32_t T1 = *h + S1 + choice + K[t + i] + W[t + i];
            uint32_t S0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
            uint32_t b = v[(9 - i) % 8], c = v[(10 - i) % 8];
            v[(11 - i) % 8] += T1;
            *h = T1 + S0 + ((a & b) ^ (a & c) ^ (b & c));
        }
    for (size_t i = 0; i < 8; i++)
        H[i] += v[i];
}

#ifdef HAVE_SHA
static __m128i load(const void *from)
{
    return _mm_loadu_si128(from);
}

// The same with the SHA extensions of x86, which do two rounds, or four words of the schedule, in
// an instruction, on the words a, b, e, f and c, d, g, h.
__attribute__((target("sha,ssse3"))) static void mix_block_sha(uint32_t H[8],
                                                               const unsigned char *block)
{
    const __m128i big_endian = _mm_set_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);
    __m128i abef = _mm_set_epi32((int)H[0], (int)H[1], (int)H[4], (int)H[5]);
    __m128i cdgh = _mm_set_epi32((int)H[2], (int)H[3], (int)H[6], (int)H[7]);
    __m128i W[16];
    for (size_t t = 0; t < 16; t++) { // four rounds
        W[t] = t < 4 ? _mm_shuffle_epi8(load(block + 16 * t), big_endian)
                     : _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(W[t - 4], W[t - 3]),
                                                          _mm_alignr_epi8(W[t - 1], W[t - 2], 4)),
                                            W[t - 1]);
        __m128i sum = _mm_add_epi32(W[t], load(K + 4 * t));
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
    }
    uint32_t fe_ba[4], hg_dc[4];
    _mm_storeu_si128((__m128i *)(void *)fe_ba, abef);
    _mm_storeu_si128((__m128i *)(void *)hg_dc, cdgh);
    for (size_t i = 0; i < 2; i++) {
        H[i] += fe_ba[3 - i];
        H[2 + i] += hg_dc[3 - i];
        H[4 + i] += fe_ba[1 - i];
        H[6 + i] += hg_dc[1 - i];
    }
}

static MixBlock *fastest(void)
{
    unsigned a, b = 0, c = 0, d;
    bool has = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSSE3) != 0 &&
               __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
    return has ? mix_block_sha : mix_block_scalar;
}
#else
static MixBlock *fastest(void)
{
    return mix_block_scalar;
}
#endif

static void hash_with(MixBlock *mix_block, unsigned char hash[SHA256_SIZE], const void *data,
                      size_t size)
{
    // The same of the square roots of the first eight primes.
    uint32_t H[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    const unsigned char *at = data;
    unsigned char last[2 * BLOCK] = {0};
    size_t left = size;
    for (; left >= BLOCK; left -= BLOCK, at += BLOCK)
        mix_block(H, at);
    if (left > 0)
        memcpy(last, at, left);
    last[left] = 0x80;
    size_t end = left < LENGTH_AT ? BLOCK : 2 * BLOCK;
    for (size_t i = 0; i < 8; i++)
        last[end - 1 - i] = (unsigned char)((uint64_t)size * 8 >> 8 * i);
    for (size_t first = 0; first < end; first += BLOCK)
        mix_block(H, last + first);
    for (size_t i = 0; i < SHA256_SIZE; i++)
        hash[i] = (unsigned char)(H[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_scalar(unsigned char hash[SHA256_SIZE], const void *data, size_t size)
{
    hash_with(mix_block_scalar, hash, data, size);
}

void sha256(unsigned char hash[SHA256_SIZE], const void *data, size_t size)
{
    hash_with(fastest(), hash, data, size);
}
