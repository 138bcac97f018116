// A data set's images as compressed sparse rows (CSR), in the form that layer_sparse_dense reads.
// Only that layer and tests look inside. Read layers.h first.
#ifndef MLP_SPARSE_INPUT_H
#define MLP_SPARSE_INPUT_H

#include "layers.h"

// n_chunks rows per image. Row c of image i has the entries start[i * n_chunks + c] up to the next
// row's, two bytes each (SparseRows of kernels.h).
struct PreparedImages {
    const uint16_t *entries;
    const uint32_t *start; // (n * n_chunks + 1)
    size_t n_chunks;
};

// Data sets whose rows would take more have none: the layer makes the rows of every batch.
enum { SPARSE_MAX_PREPARED = 64 << 20 };

#endif
