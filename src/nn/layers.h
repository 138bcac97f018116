// The kinds of layer, one row of operations each: all the calculus of the program. A kind knows
// its own mathematics, the layout of its parameters and how its work is divided into parts. It
// knows neither the network around it nor who does which part. Read layers.c next for the dense
// kinds, layers_image.c for images, and sparse_input.c last: the same mathematics, made fast.
//
// Legend: B examples in the batch, I inputs, O outputs. Arrays of a batch are (B, stride), the
// stride being the layer's in_stride or out_stride. In working memory, dL/d(something) is named
// d(something). An example is an image (H,W,C), channels innermost and padded to `pitch` floats a
// pixel; what a dense layer gives is an image of one pixel.
#ifndef MLP_LAYERS_H
#define MLP_LAYERS_H

#include "dataset.h"
#include "kernels_conv.h"

typedef struct LayerKind LayerKind;

// The extent of one example at one end of a layer.
typedef struct Shape {
    size_t height, width, channels;
} Shape;

static inline size_t shape_size(Shape shape)
{
    return shape.height * shape.width * shape.channels;
}

// A parameter as the model file has it (PyTorch's name, shape and C order) and where its elements
// are in the parameter block: element (i, j) at offset + i * stride[0] + j * stride[1].
enum { TENSOR_MAX_DIMS = 4 };
typedef struct Tensor {
    char name[32];      // "fc1.weight"
    const char *letter; // what the derivation calls it: "W" or "b"
    size_t n_dims;
    size_t n_flat; // the last dimensions that the file counts as one; 0: none
    size_t dims[TENSOR_MAX_DIMS];
    size_t offset;
    size_t stride[TENSOR_MAX_DIMS];
} Tensor;

size_t tensor_size(const Tensor *tensor);

// The shape that the file gives the tensor: sets dims, returns their number.
size_t tensor_file_shape(const Tensor *tensor, size_t dims[TENSOR_MAX_DIMS]);

// The index in the parameter block of element e, counted in the order of the file.
size_t tensor_index(const Tensor *tensor, size_t e);

enum { LAYER_MAX_TENSORS = 2 };

// One layer of a network: plain values.
typedef struct Layer {
    const LayerKind *kind;
    const char *name;      // of its tensors in the model file ("fc1"), NULL without parameters
    const char *symbol;    // of its output in the derivation: "a1", "f1"
    const char *in_symbol; // of its input
    unsigned number;       // of its parameters in the derivation: 1 for W1 and b1
    double gain;           // initial weights: standard deviation gain / sqrt(I)
    double input_mean;     // what an input is on average before training
    ConvShape conv;        // of a convolution or pooling; kernel_size and stride are set before
    Shape in, out;
    size_t in_pitch, out_pitch;   // floats from one pixel to the next
    size_t in_stride, out_stride; // floats from one example to the next
    size_t saved_bytes;           // of one example, see LayerView
    size_t n_rows;                // rows of parameters, which parts of weight_gradient divide
    size_t n_tensors;
    Tensor tensors[LAYER_MAX_TENSORS];
} Layer;

// What a workspace is for.
typedef struct WorkNeeds {
    size_t capacity;   // examples in the largest batch
    bool forward_only; // no backward pass, and every range of examples begins at the first
} WorkNeeds;

// What a layer sees of a batch, or of some of its examples, in a workspace: every pointer is to the
// first of these.
typedef struct LayerView {
    Batch batch;     // B = batch.size
    const float *x;  // (B, in_stride), NULL at the first layer, which reads the batch's pixels
    float *y;        // (B, out_stride)
    float *dx;       // (B, in_stride), NULL: nobody needs it
    const float *dy; // (B, out_stride), padding zero
    void *saved;     // (B, saved_bytes): what the layer saves in one stage for a later one
    void *state;     // of the whole workspace: what the kind's open made, NULL without
} LayerView;

// Rows of a dense layer's parameters are divided between parts by blocks, a constant number of them
// whatever the machine and the size of the layer: the first layer also sums over each of them
// apart. That lets up to as many threads share the work without changing a bit.
enum { N_BLOCKS = 8 };

// Rows [block] of N_BLOCKS of n_rows. A part has the blocks part.number, part.number + part.of, ...
// The rows in the middle of an image have the most nonzero pixels: so each part gets some of them.
static inline Range layer_block(size_t n_rows, size_t block)
{
    return range_part(n_rows, block, N_BLOCKS);
}

// Consecutive floats of the parameter block that one part changes.
enum { LAYER_MAX_RANGES = N_BLOCKS + 1 };
typedef struct PartRange {
    Range range;
    bool is_bias; // which weight decay leaves alone
} PartRange;

// One entry of a row of a Jacobian.
typedef struct JacobianEntry {
    size_t col;
    double value;
} JacobianEntry;

struct LayerKind {
    const char *name;
    bool is_activation; // elementwise and nonlinear
    bool has_filters;   // weights that are small images, one per input and output channel

    // Sets out, the strides, n_rows, conv and the tensors (offset from `offset` on) of a layer
    // whose other fields are set; units is the number of outputs or channels wanted. Returns
    // the number of floats of its parameters.
    size_t (*describe)(Layer *layer, size_t units, size_t offset);

    // Sets the initial parameters in a zeroed block (NULL without parameters). Element e of tensor
    // t, in the order of the file, takes draw e of stream `stream` + t.
    void (*init)(const Layer *layer, float *params, uint64_t seed, uint64_t stream);

    // Optional, for a kind with load. prepare makes *images of a data set, or leaves it NULL where
    // that would take too much memory. open makes the state that the kind keeps in a workspace
    // (LayerView). Both are owned by the arena and fail when memory is short.
    bool (*prepare)(const Layer *layer, const PreparedImages **images, const Dataset *data,
                    Arena *arena, Error *err);
    bool (*open)(const Layer *layer, void **state, const WorkNeeds *needs, Arena *arena,
                 Error *err);

    // Stage 1, of a kind that can come first (else NULL): takes the pixels of the whole batch to y,
    // or to what forward makes y from, part by part. A part reads no parameter and no state that
    // weight_gradient of another part writes.
    void (*load)(const Layer *layer, const float *params, const LayerView *view, Part part);

    // Stage 2, by example: y from x; dx from dy, and what weight_gradient needs saved of dy (NULL
    // for a kind with neither). x, y, dx and dy of an image may be gone after each, except for
    // what the kind needs again: x or y, in backward or weight_gradient.
    void (*forward)(const Layer *layer, const float *params, const LayerView *view);
    void (*backward)(const Layer *layer, const float *params, const LayerView *view);
    bool needs_x, needs_y;
    bool saved_for_backward; // and weight_gradient: forward saves nothing

    // Stage 3, by rows of parameters (NULL without parameters): into += scale * dL/d(parameter),
    // the sum over the batch's examples in order. The parts have each parameter once: part_ranges
    // sets which ranges of the block, and returns their number. Plain descent passes the parameters
    // and -lr, gradcheck and other optimizers a zeroed block and 1: the code that is checked is the
    // code that trains.
    void (*weight_gradient)(const Layer *layer, const LayerView *view, Part part, float scale,
                            float *into);
    size_t (*part_ranges)(const Layer *layer, Part part, PartRange ranges[LAYER_MAX_RANGES]);

    // The reference, in double precision and independent of all the above: the layer is a
    // function of several arguments, argument[0] = x and argument[1 + t] = vec(tensor t), in the
    // order of the file, no padding.
    //   forward:  y (M)
    //   row:      one row of the Jacobian J (M,N), N the size of argument[which]: the entries that
    //             can be other than 0, at most the size of x; returns their number. All others are
    //             0: nearly all of a large Jacobian.
    //   formula:  the map as text; $x and $y are the symbols of input and output, $n the number, $O
    //             the channels of the output and $P its pixels (layer_text)
    //   identity: the formula of the Jacobian in the same way, with the number of the identity
    // A kind without parameters that can only come first has no Jacobian (NULL).
    // Images are (C,H,W) here, as a textbook has them and as the file orders weights.
    void (*reference_forward)(const Layer *layer, const double *const argument[], double *y);
    size_t (*reference_row)(const Layer *layer, const double *const argument[], size_t which,
                            size_t row, JacobianEntry *entries);
    const char *formula;
    const char *identity[1 + LAYER_MAX_TENSORS];

    // Of a kind that is linear by regions (NULL: it is smooth): a number that says in which region
    // x is. Between two regions there is a kink, where no derivative exists.
    uint64_t (*reference_region)(const Layer *layer, const double *x);
};

extern const LayerKind layer_sparse_dense; // a dense layer on pixels: can only come first
extern const LayerKind layer_dense;
extern const LayerKind layer_sigmoid;
extern const LayerKind layer_tanh;
extern const LayerKind layer_relu;
extern const LayerKind layer_pixels; // pixels made floats: can only come first
extern const LayerKind layer_convolution;
extern const LayerKind layer_max_pool;

// Writes a formula or identity of a kind, its $ replaced by what they mean for this layer.
void layer_text(char *text, size_t size, const Layer *layer, const char *formula);

// The derivative of an activation as text, "f1 * (1 - f1)": what its identity, "diag(...) (4)", has
// in its brackets.
void layer_derivative_text(char *text, size_t size, const Layer *layer);

// The name of an argument in the derivation: "x", "vec(W2)" or "b2".
void layer_argument_name(char *text, size_t size, const Layer *layer, size_t which);

// The numbers in an argument.
size_t layer_argument_size(const Layer *layer, size_t which);

// Sets the initial weights and biases of a dense layer or a convolution: tensor 0, in the order of
// the file, to a stream of normal numbers of standard deviation gain / sqrt(I), I the inputs of one
// output; tensor 1 so that the average input gives 0.
void layer_init(const Layer *layer, float *params, uint64_t seed, uint64_t stream);

// What the two dense kinds share.
size_t layer_dense_describe(Layer *layer, size_t units, size_t offset);
size_t layer_dense_part_ranges(const Layer *layer, Part part, PartRange ranges[LAYER_MAX_RANGES]);
void layer_dense_bias_gradient(const Layer *layer, const LayerView *view, float scale, float *into);
void layer_dense_reference_forward(const Layer *layer, const double *const argument[], double *y);
size_t layer_dense_reference_row(const Layer *layer, const double *const argument[], size_t which,
                                 size_t row, JacobianEntry *entries);
#define LAYER_DENSE_FORMULA "W$n $x + b$n"
#define LAYER_DENSE_IDENTITY                                                                       \
    {                                                                                              \
        "W$n (1)", "I_$O (x) $x^T (5)", "I (3)"                                                    \
    }

// Adds one choice to a number that identifies a region: a step of FNV-1a with 64-bit words for
// bytes. A region begins at LAYER_REGION.
#define LAYER_REGION UINT64_C(0xcbf29ce484222325)
static inline uint64_t layer_region_add(uint64_t region, uint64_t choice)
{
    return (region ^ choice) * UINT64_C(0x100000001b3);
}

// Names tensor 0 and 1 of a layer after it, as PyTorch does: "fc1.weight", "fc1.bias".
void layer_name_tensors(Layer *layer);

#endif
