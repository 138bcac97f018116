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

// Finds "fc1.weight[17,406]", with an index for each dimension of the file. Fails when there is no
// such element, and says which there are.
bool weight_find(Weight *weight, const Network *net, const char *text, Error *err);

// Writes an element's index in its tensor: "[17,406]", "[3,0,2,1]".
void weight_index_text(char *text, size_t size, const Tensor *tensor, size_t e);

// An entry of a Jacobian: "df1[17]/da1[17]", "f1 * (1 - f1) at 17", and its value.
typedef struct ChainFactor {
    char name[64], origin[64];
    double value;
} ChainFactor;

// How the loss depends on a weight w. The first factors are of values that alone of their layer
// depend on w: da1[17]/dw, then df1[17]/da1[17]. The last of these, u (w itself where there is
// none: a weight of a convolution acts on many values at once), acts on all logits a:
//   dL/dw = (sum_k delta_k da_k/du) * product of the factors,  delta = dL/da = yhat - y
typedef struct WeightChain {
    Weight weight;
    size_t n_factors;
    ChainFactor factors[NETWORK_MAX_LAYERS];
    char unit[32];       // u: "f1[17]", or "w"
    char by_unit_of[40]; // where da_k/du comes from: "W2[k,17]"; "": from several Jacobians
    double yhat[MLP_MAX_CLASSES], delta[MLP_MAX_CLASSES], by_unit[MLP_MAX_CLASSES]; // da_k/du
    double sum, value;   // the sum over the classes, and dL/dw
    double reference;    // of reference_backward, which multiplies the chain from the left
    double training;     // of the training code, in single precision
    double step;         // h of (L(w + h) - L(w - h)) / 2h; 0: there is a kink at every distance
    double difference;   // that
    double largest;      // absolute value of the gradient of all weights and biases
    double largest_gap;  // between reference and training code, of all of them
    float before, after; // w, and w after one step of plain descent
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
