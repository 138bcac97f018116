// Every array of the forward and backward pass of a batch, by name, in double precision: what
// `mlp explain --save` writes, and what a student's own arrays are compared with. Read reference.h
// first, diagnose.h next. The names are those of the derivation and of the model file:
//   x, y                      the inputs and one-hot labels: one row for each image
//   fc1.weight, fc1.bias, ... the parameters
//   a1, f1, ..., yhat, L      the values of the forward pass: one row for each image
//   delta_a2, delta_f1, ...   dL/da2, dL/df1, ...: one row for each image
//   fc1.weight.grad, ...      dL/d(parameter), the sum over the images
// A row that is an image is in the order channel, row, column. A tensor of more than two dimensions
// has one row for each index of the first.
#ifndef MLP_ARRAYS_H
#define MLP_ARRAYS_H

#include "reference.h"

// n images as the network sees them.
typedef struct Examples {
    size_t n;
    double *x;            // (n, pixels)
    unsigned char *label; // (n)
} Examples;

// The images of a batch, owned by the arena.
bool examples_of_batch(Examples *examples, const Batch *batch, Arena *arena, Error *err);

typedef enum ArrayKind {
    ARRAY_VALUE, // of layer l's input
    ARRAY_LABEL,
    ARRAY_PARAMETER, // of layer l, argument `which`
    ARRAY_PROBABILITY,
    ARRAY_LOSS,
    ARRAY_DELTA, // of layer l's input
    ARRAY_GRADIENT
} ArrayKind;

typedef struct NamedArray {
    char name[48];
    ArrayKind kind;
    size_t l, which;
    size_t rows, cols;
    double *at; // (rows, cols)
} NamedArray;

enum { ARRAYS_MAX = 4 + 2 * NETWORK_MAX_LAYERS + 2 * NETWORK_MAX_TENSORS };
typedef struct Arrays {
    size_t n, n_images;
    NamedArray list[ARRAYS_MAX]; // in the order in which they are computed
} Arrays;

// Makes room for all arrays of n images, owned by the arena.
bool arrays_open(Arrays *arrays, const Network *net, size_t n, Arena *arena, Error *err);

// What a backward pass can get wrong.
typedef struct Mistake {
    bool left_out[NETWORK_MAX_LAYERS]; // the Jacobian of this activation
    bool no_bias[NETWORK_MAX_LAYERS];  // of this layer
    bool no_label;                     // dL/da is yhat, not yhat - y
    bool adds_label;                   // it is yhat + y: how large its terms are
    size_t label_shift;                // y is so many classes too high, modulo their number
} Mistake;

// Computes all arrays, with a mistake (NULL: as it is right). Leaves the reference with the last
// example, the sums of the gradients, and the mistake's biases.
void arrays_compute(const Arrays *arrays, Reference *ref, const Examples *examples,
                    const Mistake *mistake);

#endif
