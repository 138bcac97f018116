// The network at one example in double precision, independent of the training code: values,
// Jacobians, and the gradients that the chain of Jacobians gives. gradcheck.c compares it with
// finite differences and with the training code; explain.c and arrays.c show it. Read layers.h
// first: a kind has its forward pass and its Jacobians.
#ifndef MLP_REFERENCE_H
#define MLP_REFERENCE_H

#include "network.h"

#include <math.h>

// argument[l][0] is the input of layer l, the further ones its tensors in the order of the model
// file; argument[n_layers][0] are the logits. gradient has the same layout: dL/d(argument).
typedef struct Reference {
    const Network *net;
    const float *params; // the training code's
    double *argument[NETWORK_MAX_LAYERS + 1][1 + LAYER_MAX_TENSORS];
    double *gradient[NETWORK_MAX_LAYERS + 1][1 + LAYER_MAX_TENSORS];
    JacobianEntry *row; // one row of any Jacobian
    double *up, *down;  // two values of a function, for finite differences: (the largest output)
    double step;        // of these
    size_t label;
} Reference;

// The larger of two numbers, NaN if one is: that must never look like agreement.
static inline double larger(double a, double b)
{
    return b > a || isnan(b) ? b : a;
}

// Makes a reference at these parameters, which are only referred to; the rest is owned by the
// arena. Fails when memory is short.
bool reference_open(Reference *ref, const Network *net, const float *params, Arena *arena,
                    Error *err);

// Sets the tensors to those parameters again, and their gradients to 0.
void reference_reset(const Reference *ref);

// Takes over the pixels and the label of example e, and computes all values.
void reference_load(Reference *ref, const Batch *batch, size_t e);

static inline const double *reference_logits(const Reference *ref)
{
    return ref->argument[ref->net->n_layers][0];
}

// Recomputes the outputs of the layers from `first` to before `end`. Returns a number that says in
// which region of them their inputs are.
uint64_t reference_forward(const Reference *ref, size_t first, size_t end);

// L(a) = log sum_k exp(a_k) - a_label, its Jacobian dL/da = (softmax(a) - y)^T, and softmax(a),
// (C).
double reference_loss(const Reference *ref);
void reference_loss_jacobian(const Reference *ref, double *J);
void reference_probabilities(const Reference *ref, double *probability);

// The chain rule from the left: from dL/d(logits), gradient[n_layers][0], which the caller has set,
// to gradient[l][0] of every layer after the first trained one; to the gradients of the tensors
// theirs is added. A Jacobian of an activation that `left_out` names is taken as I (NULL: none is).
void reference_backward(const Reference *ref, const bool *left_out);

// A row of the Jacobian of layer l over an argument (l = n_layers: of the loss), left in ref->row:
// returns the number of its entries, see LayerKind.
size_t reference_row(const Reference *ref, size_t l, size_t which, size_t row);

// Its entries that are not 0.
size_t reference_nonzeros(const Reference *ref, size_t l, size_t which);

// Sets name, identity, shape and entries of that Jacobian; the entries are owned by the arena
// (NULL: they are only counted, which cannot fail).
bool reference_jacobian(mlp_jacobian *J, const Reference *ref, size_t l, size_t which, Arena *arena,
                        Error *err);

// into (M) = J column, J the Jacobian (M,N) of layer l by its input: one step of the chain from the
// right.
void reference_times(const Reference *ref, size_t l, const double *column, double *into);

#endif
