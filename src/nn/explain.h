// The derivative of the loss by one weight as the chain of its factors, beside the same number by
// three other ways, and what the chain of Jacobians costs from the left and from the right. Read
// reference.h first; cmd_explain.c prints it.
#ifndef MLP_EXPLAIN_H
#define MLP_EXPLAIN_H

#include "reference.h"

// Element e of tensor t of layer l, counted in the order of the file.
typedef struct Weight {
    size_t l, t, e;
} Weight;

// The weight (not bias) whose gradient is largest in absolute value, the first of equals.
Weight weight_of_largest_gradient(const Reference *ref);

// Finds "fc1.weight[17,406]", with an index for each dimension. Fails when there is no such tensor
// or an index is out of range, and says what there is.
bool weight_find(Weight *weight, const Network *net, const char *text, Error *err);

// Writes an element's index in the tensor's own dimensions, "[17,406]" or "[3,0,2,1]".
void weight_index_text(char *text, size_t size, const Tensor *tensor, size_t e);

// A Jacobian's entry: of layer l over an argument.
typedef struct ChainFactor {
    size_t l, which, row, col;
    double value;
} ChainFactor;

// How the loss depends on a weight w. The first factors are of values that depend on w alone of
// their layer: da1[17]/dw, then df1[17]/da1[17]. What the last of them is of, u (w itself where
// there is none: a weight of a convolution acts on many values at once), acts on all logits a:
//   dL/dw = (sum_k delta_k da_k/du) * product of the factors,  delta = dL/da = yhat - y
typedef struct WeightChain {
    Weight weight;
    size_t n_factors;
    ChainFactor factors[NETWORK_MAX_LAYERS];
    size_t unit_layer;     // which has u as an output; its own where u = w
    const double *delta;   // (C)
    const double *by_unit; // (C) da_k/du
    double sum, value;     // the sum over the classes, and dL/dw
    double reference;      // of reference_backward, which multiplies the chain from the left
    double training;       // of the training code, in single precision
    double step;           // h of (L(w + h) - L(w - h)) / 2h; 0: there is a kink at every distance
    double above, below;   // L(w + h), L(w - h)
    double difference;
    double largest_gap;  // between reference and training code, over all weights and biases
    double largest;      // absolute value of the gradient
    float before, after; // w, and w after one step of plain descent at the learning rate
} WeightChain;

// Explains a weight for the one example of the batch. The reference has that example and its
// gradients. Fails when memory is short.
bool weight_explain(WeightChain *chain, const Reference *ref, const Batch *batch,
                    double learning_rate, Weight weight, Arena *arena, Error *err);

// The multiplications that dL/dvec(W) takes, W the first weights of the network, when the Jacobians
// of the chain are multiplied in their full shapes: an m x n by n x p product takes m n p. From the
// left each step is a row vector by a Jacobian, from the right a Jacobian by a Jacobian. nonzero:
// from the left when the zeros of the Jacobians are skipped, the sum of their nonzero entries.
// Whole numbers, exact below 2^53.
typedef struct ChainProducts {
    double left, right, nonzero;
} ChainProducts;

ChainProducts chain_products(const Reference *ref);

#endif
