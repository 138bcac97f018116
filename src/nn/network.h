// A network is a row of layers that ends in softmax with cross-entropy. Three nouns carry it:
//   Network     a description, plain values: layers, shapes, where each parameter lies;
//   parameters  one block of float, laid out by the network, so that gradients share its layout;
//   Work        working memory for one batch: activations and deltas.
// Each stage of a training step can be done in parts, in any order and at the same time; between
// two stages every part must have been finished (but for stage 1 after stage 3 of the batch before,
// where the same part is enough: see LayerKind.partial_sums):
//   1 network_partial_sums  by pixels     the first layer's partial sums over pixels
//   2 network_forward,      by example    the rest of the forward pass, loss,
//     network_loss,                       and all deltas back to the first trained layer
//     network_backward
//   3 network_weight_gradient    by parameter  into += scale * gradient, examples in order
#ifndef MLP_NETWORK_H
#define MLP_NETWORK_H

#include "layers.h"

enum { NETWORK_MAX_LAYERS = 16, NETWORK_MAX_TENSORS = 16 };

// What a network is built from, and all that the model file must say of it.
typedef struct Architecture {
    const char *name;  // a row of the table of architectures: "mlp"
    size_t rows, cols; // of the image
    size_t hidden;     // units of the (last) hidden layer
    size_t classes;    // 2 to 256
} Architecture;

// The rows of that table: their names, ending with NULL, and what suits each, chosen on validation
// images (README).
extern const char *const architecture_names[];

typedef struct ArchitectureDefaults {
    size_t hidden, epochs, batch_size;
    double learning_rate;
    size_t checked_side; // of the middle of an image that gradcheck looks at, 0: all of it
} ArchitectureDefaults;

// NULL for an unknown name.
const ArchitectureDefaults *architecture_defaults(const char *name);

typedef struct Network {
    Architecture architecture;
    size_t n_layers;
    Layer layers[NETWORK_MAX_LAYERS];
    size_t first_trained; // the first layer with parameters: nobody needs dL/dx before it
    size_t n_parameters;  // floats in the block, padding included
    size_t n_tensors;
    const Tensor *tensors[NETWORK_MAX_TENSORS]; // all, in the order of the layers
} Network;

// Describes the network. It points into itself: do not copy it. Fails on an unknown name, sizes out
// of range and images too small for the windows that look at them.
bool network_build(Network *net, const Architecture *architecture, Error *err);

// Number of weights and biases, without padding.
size_t network_count_weights(const Network *net);

// Whether a layer is made of pieces (LayerKind), so that there are points without a derivative.
bool network_has_kinks(const Network *net);

// Multiplications by a weight that a program which leaves out no zero needs to train on one
// example: forward, in the update, and back to the output of the first layer with parameters.
size_t network_count_products(const Network *net);

// "784-64-10", "28x28-24x24x16-8x8x32-128-10": the sizes of the input and of what each layer with
// parameters makes of it, in text (size bytes).
void network_sizes(const Network *net, char *text, size_t size);

// Returns a zeroed block of net->n_parameters floats, or NULL. Owned by the arena.
float *network_alloc(const Network *net, Arena *arena, Error *err);

// Sets the initial parameters, each tensor's from a stream of its own.
void network_init(const Network *net, float *params, uint64_t seed);

// Lists the lit pixels of two ranges of images for the first layer (LayerKind.list_lit): training
// sees the same images again and again. When it wants no lists, or too many, lit->entries is NULL.
bool network_list_lit(const Network *net, LitPixels *lit, const Dataset *data,
                      const Range images[2], Arena *arena, Error *err);

// Working memory for batches of up to `capacity` examples, owned by the arena.
typedef struct Work {
    size_t capacity;
    bool forward_only; // no backward pass, and every range of examples begins at the first
    float *x[NETWORK_MAX_LAYERS + 1];  // x[l] (B, stride): what layer l reads; x[0] is NULL, bytes
    float *dx[NETWORK_MAX_LAYERS + 1]; // dx[l] = dL/dx[l]
    float *saved[NETWORK_MAX_LAYERS];  // (B, saved_stride), see LayerView
    unsigned char *columns;            // of the first layer's pixels, see LayerView
    float *loss;                       // (B)
    unsigned char *label, *predicted;  // (B)
} Work;

bool work_alloc(Work *work, const Network *net, size_t capacity, Arena *arena, Error *err);

// The same for network_predict alone: of images only as many as pass through the layers at a time.
bool work_alloc_forward(Work *work, const Network *net, size_t capacity, Arena *arena, Error *err);

// Stage 1, a part of it.
void network_partial_sums(const Network *net, const float *params, const Work *work,
                          const Batch *batch, Part part);

// Stage 2: the logits of a range of examples of the batch, left in x[n_layers] of work; n_parts as
// stage 1 was done in.
void network_forward(const Network *net, const float *params, const Work *work, const Batch *batch,
                     Range examples, size_t n_parts);

// Stage 2, after forward: the loss, the predicted class (the first of equals), and the
// probabilities yhat = softmax(logits), left in dx[n_layers], of a range of examples.
void network_loss(const Network *net, const Work *work, const Batch *batch, Range examples);

// Stage 2, after loss: turns yhat into dL/dlogits = yhat - y (identity 7) and takes it back to
// the output of the first layer with parameters.
void network_backward(const Network *net, const float *params, const Work *work, const Batch *batch,
                      Range examples);

// Stages 1 and 2 up to the loss, of the whole batch.
void network_predict(const Network *net, const float *params, const Work *work, const Batch *batch);

// Stage 3, a part of every layer's parameters: into += scale * dL/dparams, L the sum of the losses
// of the batch. Part p of n takes what part p of stage 1 has read.
void network_weight_gradient(const Network *net, const Work *work, const Batch *batch, float scale,
                             float *into, Part part);

#endif
