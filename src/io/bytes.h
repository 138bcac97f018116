// Bytes of a file: little-endian whatever the machine is, counted and, where it is wanted, with
// their CRC-32. Without a stream they are only counted, so that a size that comes before the bytes
// is known by printing them twice, without memory for them.
#ifndef MLP_BYTES_H
#define MLP_BYTES_H

#include "layers.h"

#include <stdio.h>

typedef struct ByteWriter {
    FILE *out; // NULL: only counts; its errors are found by whoever closes it
    size_t size;
    uint32_t *crc; // of the bytes so far, 0 before the first; NULL: is not wanted
} ByteWriter;

// Stores the low n bytes of value, at most 8.
void bytes_store(unsigned char *bytes, uint64_t value, size_t n);

void bytes_put(ByteWriter *w, const void *bytes, size_t size);

// Puts what bytes_store stores.
void bytes_put_uint(ByteWriter *w, uint64_t value, size_t n);

// Puts the elements of a tensor in the order of the model file, as float32.
void bytes_put_tensor(ByteWriter *w, const Tensor *tensor, const float *params);

#endif
