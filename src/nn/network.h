// A network is a row of layers that ends in softmax with cross-entropy. Three nouns carry it:
//   Network     a description, plain values: layers, shapes, where each parameter is;
//   parameters  one block of float, laid out by the network, so that gradients share its layout;
//   Work        a workspace for one batch: activations and deltas.
// Each stage of a training step can be done in parts, in any order and at the same time. Between
// two stages every part must have been finished; but stage 1 may follow stage 3 of the batch before
// when the same part is finished, unless net->load_waits:
//   1 network_load             by pixels     the batch's pixels into the first layer
//   2 network_forward,         by example    the rest of the forward pass, loss,
//     network_loss,                          and all deltas back to the first trained layer
//     network_backward
//   3 network_weight_gradient  by parameter  into += scale * gradient, examples in order
// Read layers.h first, train.c next.
#ifndef MLP_NETWORK_H
#define MLP_NETWORK_H

#include "kernels.h"
#include "layers.h"

enum {
    NETWORK_MAX_SIDE = 4096, // pixels
    NETWORK_MAX_HIDDEN = 65536,
    NETWORK_MAX_CLASSES = MLP_MAX_CLASSES,
    NETWORK_MAX_CHANNELS = 1024,
    NETWORK_MAX_CONVOLUTIONS = 2,
    // A layer of pixels; convolutions, each with pooling and activation; hidden layers, each with
    // activation; the output.
    NETWORK_MAX_LAYERS = 1 + 3 * NETWORK_MAX_CONVOLUTIONS + 2 * MLP_MAX_SIZES + 1,
    NETWORK_MAX_TENSORS = LAYER_MAX_TENSORS * (NETWORK_MAX_CONVOLUTIONS + MLP_MAX_SIZES + 1)
};

// What a network is built from, and all that the model file must say of it.
typedef struct Architecture {
    const char *name;  // a row of the table of architectures: "mlp"
    size_t rows, cols; // of the image
    size_t classes;    // 2 to NETWORK_MAX_CLASSES
    const char *activation;
    uint64_t hidden[MLP_MAX_SIZES];   // units of the hidden dense layers; the first 0 ends them
    uint64_t channels[MLP_MAX_SIZES]; // of the convolutions, in the same way
} Architecture;

// The names of that table, and of the activations, ending with NULL.
enum { N_ARCHITECTURES = 3 };
extern const char *const architecture_names[], *const activation_names[];

// What the settings say of the network for such images.
Architecture architecture_of(const mlp_settings *settings, size_t rows, size_t cols,
                             size_t classes);

// Whether the architecture of the settings can have their activation and sizes.
bool architecture_check_sizes(const mlp_settings *settings, Error *err);

// The side of the middle of an image that is enough for a gradient check, 0: all of it.
size_t architecture_checked_side(const char *name);

typedef struct Network {
    Architecture architecture;
    size_t n_layers;
    size_t n_image_layers; // the first ones, whose output is more than one pixel
    Layer layers[NETWORK_MAX_LAYERS];
    size_t first_trained; // the first layer with parameters: nobody needs dL/dx before it
    bool load_waits;      // stage 1 overwrites what a weight gradient reads
    size_t n_parameters;  // floats in the block, padding included
    size_t n_tensors;
    const Tensor *tensors[NETWORK_MAX_TENSORS]; // all, in the order of the layers
} Network;

// Describes the network. It points into itself: do not copy it. Fails on an unknown name, sizes out
// of range and images too small for the kernels that move over them.
bool network_build(Network *net, const Architecture *architecture, Error *err);

// Number of weights and biases, without padding.
size_t network_count_weights(const Network *net);

// Whether a layer is linear by regions (LayerKind), so that there are points without a derivative.
bool network_has_kinks(const Network *net);

// "784-64-10", "28x28-24x24x16-8x8x32-128-10": the sizes of the input and of what each layer with
// parameters makes of it, in text (size bytes).
enum { NETWORK_SIZES_SIZE = 160 };
void network_sizes(const Network *net, char *text, size_t size);

// Returns a zeroed block of net->n_parameters floats, or NULL. Owned by the arena.
float *network_alloc(const Network *net, Arena *arena, Error *err);

// Sets the initial parameters, each tensor's from a stream of its own.
void network_init(const Network *net, float *params, uint64_t seed);

// What the first layer makes once of images that will be seen many times, owned by the arena:
// *images, for batches of these data. NULL where it makes nothing, or where that is too large.
bool network_prepare(const Network *net, const PreparedImages **images, const Dataset *data,
                     Arena *arena, Error *err);

// Rows of a batch in a workspace. A few examples at a time, a group, pass through all the layers
// that make images: what no later stage reads is shared by all groups of a range, so that it is
// still in the caches when it is read.
typedef struct Buffer {
    unsigned char *data; // (rows, stride)
    size_t stride;       // bytes
    bool is_shared;
} Buffer;

typedef struct Work {
    bool forward_only;
    Buffer x[NETWORK_MAX_LAYERS + 1];  // x[l]: what layer l reads; x[0] is empty
    Buffer dx[NETWORK_MAX_LAYERS + 1]; // dx[l] = dL/dx[l]; empty where nobody needs it
    Buffer saved[NETWORK_MAX_LAYERS];  // see LayerView
    void *state[NETWORK_MAX_LAYERS];   // see LayerKind.open
    float *probability;                // (B, out_stride of the last layer): yhat
    float *loss;                       // (B)
    unsigned char *label, *predicted;  // (B)
} Work;

// A workspace for batches of up to needs.capacity examples, owned by the arena.
bool work_alloc(Work *work, const Network *net, WorkNeeds needs, Arena *arena, Error *err);

// Stage 1, a part of it.
void network_load(const Network *net, const float *params, const Work *work, const Batch *batch,
                  Part part);

// Stage 2: the logits of a range of examples of the batch.
void network_forward(const Network *net, const float *params, const Work *work, const Batch *batch,
                     Range examples);

// Stage 2, after forward: the loss, the predicted class (the first of equals) and the
// probabilities yhat = softmax(logits) of a range of examples.
void network_loss(const Network *net, const Work *work, const Batch *batch, Range examples);

// Stage 2, after loss: dL/dlogits = yhat - y (identity 7), taken back to the output of the first
// layer with parameters.
void network_backward(const Network *net, const float *params, const Work *work, const Batch *batch,
                      Range examples);

// Stages 1 and 2 up to the loss, of the whole batch.
void network_predict(const Network *net, const float *params, const Work *work, const Batch *batch);

// Stage 3, a part of every layer's parameters: into += scale * dL/dparams, L the sum of the losses
// of the batch.
void network_weight_gradient(const Network *net, const Work *work, const Batch *batch, float scale,
                             float *into, Part part);

// The ranges of the block that a part of network_weight_gradient changes. Returns their number.
enum { NETWORK_MAX_RANGES = NETWORK_MAX_LAYERS * LAYER_MAX_RANGES };
size_t network_part_ranges(const Network *net, Part part, PartRange ranges[NETWORK_MAX_RANGES]);

// What an example of the batch that was last predicted is at the output of layer l: its pixels are
// out_pitch floats apart. Only a workspace for one example still has that of every layer.
const float *network_activation(const Network *net, const Work *work, size_t l, size_t example);

// The logits and the probabilities of an example, (classes).
const float *network_logits(const Network *net, const Work *work, size_t example);
const float *network_probabilities(const Network *net, const Work *work, size_t example);

#endif
