// Loops over arrays of float and bytes: all the arithmetic that training spends its time in.
// Nothing here knows what a layer, a batch or a network is.
//
// Legend: B examples, I inputs, O outputs, C classes. Matrices are row-major; S is the distance
// in floats from one row to the next: O rounded up to KERNEL_PAD, the rest of the row zero.
//
// The order of every sum is written down here and is part of the program's recipe (the same bytes
// on every machine): each starts at +0 or at a bias and takes its terms in ascending order, every
// product rounded before it is added. Vector lanes may run over outputs, which are independent
// sums, and never along a sum.
#ifndef MLP_KERNELS_H
#define MLP_KERNELS_H

#include "base.h"

// Rows are padded to 16 floats: 64 bytes, one cache line or one vector of the widest set.
enum { KERNEL_PAD = 16 };

// sum (S) = sum over p in pixels of value[x[p]] * W[p], W (I,S). Zero pixels are skipped: a sum
// begun at +0 does not change by adding a product that is zero, as long as W is finite.
void kernel_bytes_forward(float *sum, const float *W, size_t S, const unsigned char *x,
                          const float *value, Range pixels);

// into (I,S), rows p in pixels: into[p] += scale * (sum over b of value[x[p][b]] * dy[b]).
// x (I,x_stride) holds the batch by pixel, dy (B,S).
void kernel_bytes_accumulate(float *into, size_t S, const unsigned char *x, size_t x_stride,
                             const float *value, const float *dy, size_t B, float scale,
                             Range pixels);

// y (S) = b + sum over i of x[i] * W[i]; b (S), W (I,S), x (I).
void kernel_dense_forward(float *y, const float *W, const float *b, size_t S, const float *x,
                          size_t I);

// dx[i] = sum over o of W[i][o] * dy[o]; W (I,S), dy (O), dx (I).
void kernel_dense_backward(float *dx, const float *W, size_t S, const float *dy, size_t I,
                           size_t O);

// into (I,S), rows i: into[i] += scale * (sum over b of x[b][i] * dy[b]); x (B,x_stride), dy (B,S).
void kernel_dense_accumulate(float *into, size_t S, const float *x, size_t x_stride,
                             const float *dy, size_t B, float scale, Range rows);

// into (S) += scale * (sum over b of dy[b]); dy (B,S).
void kernel_bias_accumulate(float *into, size_t S, const float *dy, size_t B, float scale);

// y (n) += x (n).
void kernel_add(float *y, const float *x, size_t n);

// y[i] = 1 / (1 + exp(-x[i])), n values.
void kernel_sigmoid_forward(float *y, const float *x, size_t n);

// dx[i] = dy[i] * (y[i] * (1 - y[i])), n values, y the sigmoid's output.
void kernel_sigmoid_backward(float *dx, const float *y, const float *dy, size_t n);

// p (C) = softmax(a), a (C). Returns the cross-entropy -log p[label], computed as
// logsumexp(a) - a[label], which cannot overflow.
float kernel_softmax_cross_entropy(float *p, const float *a, size_t C, size_t label);

// The index of the largest of n values, the first of equals.
size_t kernel_argmax(const float *x, size_t n);

#endif
