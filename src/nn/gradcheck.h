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
// it is skipped and counted, and more than half of the differences must be left. The rows and the
// limits are in mlp.h.
#ifndef MLP_GRADCHECK_H
#define MLP_GRADCHECK_H

#include "network.h"

// Checks the network at these parameters on the first image of a batch, whose label does not count,
// by differences of step `step`. Returns false when it could not be done: no memory, or a Jacobian
// too large to build. What the checks found is in *check, its entries owned by the arena.
bool gradient_check(mlp_gradient_check *check, const Network *net, const float *params,
                    const Batch *batch, double step, Arena *arena, Error *err);

// The gradient as training computes it: into += scale * dL/dparams of the batch, in a workspace of
// its own. Fails when memory is short.
bool training_gradient(const Network *net, const float *params, const Batch *batch, float scale,
                       float *into, Arena *arena, Error *err);

#endif
