// Check of the gradients. In double precision and independently of the training code, every
// layer's Jacobians are built in their full shape and compared with central differences of the
// layer's function. Multiplied along the chain they give the gradient of the loss, which is
// compared with central differences of the loss and with the gradient that the training code
// computes in single precision. Read layers.h first: it has the Jacobians.
//
// The error of a block of numbers a against n is max|a - n| / max(max|a|, max|n|); of the training
// code's gradient, whose float sums round by their largest terms, max|a - n| over the largest entry
// of the whole gradient.
//
// ReLU and max pooling have kinks. A difference across one has no derivative to be compared with:
// it is skipped and counted, and more than half of the differences must be left.
#ifndef MLP_GRADCHECK_H
#define MLP_GRADCHECK_H

#include "network.h"

#define GRADIENT_CHECK_STEP        1e-5 // the h of (f(v + h) - f(v - h)) / 2h that the limits are for
#define GRADIENT_CHECK_LIMIT       1e-6 // largest error in double
#define GRADIENT_CHECK_FLOAT_LIMIT 1e-5 // largest error of the training code's float

typedef struct JacobianEntry {
    size_t row, col;
    double value;
} JacobianEntry;

// One Jacobian against central differences of its function.
typedef struct JacobianCheck {
    char name[40];     // "da2/dvec(W2)"
    char identity[64]; // "I_10 (x) f1^T (5)"
    size_t rows, cols;
    size_t nonzero;               // entries of the Jacobian that are not zero
    const JacobianEntry *entries; // (nonzero) those, row by row, in the arena
    size_t skipped;               // columns, at kinks
    double error;
    bool ok;
} JacobianCheck;

// One block of the gradient.
typedef struct GradientBlockCheck {
    char name[40];            // "dL/dvec(W1)"
    size_t size;              // it is 1 x size
    size_t skipped;           // of them, at kinks: from the differences
    double largest;           // largest absolute value of the chain
    double error_differences; // chain against central differences of the loss
    double error_training;    // training code's float gradient against the chain
    bool ok; // both below their limits, and the block is not all zero, which would show nothing
} GradientBlockCheck;

enum { MAX_JACOBIANS = 1 + NETWORK_MAX_LAYERS + NETWORK_MAX_TENSORS };

typedef struct GradientCheck {
    size_t label; // the class taken as true: the one that the network finds least likely, so that
                  // even a trained network has gradients to compare
    size_t n_jacobians, n_blocks;
    JacobianCheck jacobians[MAX_JACOBIANS]; // from the loss back to the first layer
    GradientBlockCheck blocks[NETWORK_MAX_TENSORS];
    bool has_kinks; // in some layer
    bool ok;        // all of them
} GradientCheck;

// Checks the network at these parameters on the first image of a batch, whose label does not count,
// by differences of step `step`. Returns false when it could not be done: no memory, or a Jacobian
// too large to build. What the checks found is in *check, its entries owned by the arena.
bool gradient_check(GradientCheck *check, const Network *net, const float *params,
                    const Batch *batch, double step, Arena *arena, Error *err);

#endif
