// SHA-256 (FIPS 180-4). `mlp page` names the page's own script and style by it, so that a browser
// runs nothing else, and the chain of a training its models.
#ifndef MLP_SHA256_H
#define MLP_SHA256_H

#include <stddef.h>

enum { SHA256_SIZE = 32 };

void sha256(unsigned char hash[SHA256_SIZE], const void *data, size_t size);

// The same without the instructions that some CPUs have for it, for tests.
void sha256_scalar(unsigned char hash[SHA256_SIZE], const void *data, size_t size);

#endif
