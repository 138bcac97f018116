// The kinds of layer, one row of operations each: all the calculus of the program. A kind knows
// its own mathematics, the layout of its parameters and into which parts its work falls, and
// neither the network around it nor who does which part.
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
// lie in the parameter block: element (i, j) at offset + i * stride[0] + j * stride[1].
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

// Where element e, counted in the order of the file, lies in the parameter block.
size_t tensor_index(const Tensor *tensor, size_t e);

enum { LAYER_MAX_TENSORS = 2 };

// One layer of a network: plain values.
typedef struct Layer {
    const LayerKind *kind;
    const char *name;   // of its tensors in the model file ("fc1"), NULL without parameters
    const char *symbol; // of its output in the derivation: "a1", "f1"
    double gain;        // initial weights: standard deviation gain / sqrt(I)
    double input_mean;  // what an input is on average before training
    ConvShape conv;     // of a convolution or pooling; kernel_size and stride are set before
    Shape in, out;
    size_t in_pitch, out_pitch;   // floats from one pixel to the next
    size_t in_stride, out_stride; // floats from one example to the next
    size_t saved_stride;          // the same of the notes, see LayerView
    size_t n_columns;             // of LayerView's columns, 0: the layer has no use for them
    size_t n_rows;                // independent rows of parameters, which weight_gradient updates
    size_t n_products;            // multiplications by a weight, an example, no zero left out
    size_t n_tensors;
    Tensor tensors[LAYER_MAX_TENSORS];
} Layer;

// What a layer sees of a batch, or of some of its examples, in work: everything begins at the first
// of them. x is NULL at a layer that reads bytes.
typedef struct LayerView {
    Batch batch;     // B = batch.size
    const float *x;  // (B, in_stride)
    float *y;        // (B, out_stride)
    float *dx;       // (B, in_stride), NULL: nobody needs it
    const float *dy; // (B, out_stride), padding zero
    float *saved;    // (B, saved_stride): what the layer leaves in one stage for a later one
    // The pixels of the whole batch by column, which stage 1 leaves for weight_gradient; NULL where
    // that is not to come.
    unsigned char *columns; // (n_columns, TILE_EXAMPLES) for each TILE_EXAMPLES examples
    size_t n_parts;         // of stage 1, when stage 2 begins
} LayerView;

// The first layer's sum over pixels is made of this many partial sums, a constant of the program
// whatever the machine and the image size, so that pixels can be divided between up to as many
// threads without changing a bit. Rows of a dense layer's parameters are divided the same way.
enum { N_BLOCKS = 8 };

// Rows [block] of N_BLOCKS of n_rows.
static inline Range layer_block(size_t n_rows, size_t block)
{
    return range_part(n_rows, block, N_BLOCKS);
}

enum { LAYER_MAX_LIT_BYTES = 64 << 20 };

struct LayerKind {
    const char *name;

    // Sets out, the strides, n_rows, the windows and the tensors (offset from `offset` on) of a
    // layer whose other fields are set; units is the number of outputs or channels wanted. Returns
    // the number of floats of its parameters.
    size_t (*describe)(Layer *layer, size_t units, size_t offset);

    // Sets the initial parameters in a zeroed block (NULL without parameters). Element e of tensor
    // t, in the order of the file, takes draw e of stream `stream` + t.
    void (*init)(const Layer *layer, float *params, uint64_t seed, uint64_t stream);

    // Stage 1, by pixels, for a first layer that divides its sums so (else NULL): leaves partial
    // sums for forward, in notes and in y, and what weight_gradient needs of the pixels, in
    // columns. A part is anything that the kind can do without the other parts. Stage 1 of a part
    // follows its stage 3 of the batch before while other parts may still be in theirs: what it
    // reads and writes, their weight_gradient must not touch. So a part has the same parameters and
    // columns in both, and the kind of the next layer must not need x.
    void (*partial_sums)(const Layer *layer, const float *params, const LayerView *view, Part part);

    // For a first layer that reads lists of lit pixels (else NULL): makes those of two ranges of
    // images, owned by the arena, unless they take more than LAYER_MAX_LIT_BYTES: then entries is
    // NULL, and the layer makes them anew for every batch.
    bool (*list_lit)(const Layer *layer, LitPixels *lit, const Dataset *data, const Range images[2],
                     Arena *arena, Error *err);

    // Stage 2, by example: y from x; dx from dy, and what weight_gradient wants to find of dy (NULL
    // for a kind with neither). Of a kind that reads images, x, y, dx and dy may be gone after
    // each, but for those that it says it needs again: x or y, in backward or weight_gradient.
    void (*forward)(const Layer *layer, const float *params, const LayerView *view);
    void (*backward)(const Layer *layer, const float *params, const LayerView *view);
    bool needs_x, needs_y;
    bool saved_for_backward; // and weight_gradient: forward needs none

    // Stage 3, by rows of parameters (NULL without parameters): into += scale * dL/d(parameter),
    // the sum over the batch's examples in order. The parts have each parameter once. Training
    // passes the parameters and -lr, gradcheck a zeroed block and 1: the code that is checked is
    // the code that trains.
    void (*weight_gradient)(const Layer *layer, const LayerView *view, Part part, float scale,
                            float *into);

    // The reference, in double precision and independent of all the above: the layer is a
    // function of several arguments, argument[0] = x and argument[1 + t] = vec(tensor t), in the
    // order of the file, no padding.
    //   forward:  y (M)
    //   jacobian: J (M,N), row-major, zeroed by the caller, N the size of argument[which]
    // Images are (C,H,W) here, as a textbook has them and as the file orders weights.
    // identity[which] is the formula as a text: @x, @y stand for the symbols of input and output,
    // @W for the weight's, @I and @O for the numbers of inputs and outputs, @C for the channels of
    // the output, @P for its pixels.
    void (*reference_forward)(const Layer *layer, const double *const argument[], double *y);
    void (*reference_jacobian)(const Layer *layer, const double *const argument[], size_t which,
                               double *J);
    const char *identity[1 + LAYER_MAX_TENSORS];

    // A kind that is made of smooth pieces (NULL: it is smooth everywhere): a number that tells on
    // which piece x lies. Between two pieces there is a kink, where no derivative exists.
    uint64_t (*reference_region)(const Layer *layer, const double *x);
};

extern const LayerKind layer_dense_bytes; // dense, reading pixels as bytes: can only come first
extern const LayerKind layer_dense;
extern const LayerKind layer_sigmoid;
extern const LayerKind layer_relu;
extern const LayerKind layer_pixels; // bytes made floats: can only come first
extern const LayerKind layer_convolution;
extern const LayerKind layer_max_pool;

// Sets the elements of tensor 0, in the order of the file, to a stream of normal numbers of
// standard deviation gain / sqrt(fan_in).
void layer_init_weights(const Layer *layer, float *params, size_t fan_in, uint64_t seed,
                        uint64_t stream);

// One choice more that tells pieces apart (FNV-1a, 64 bits).
static inline uint64_t layer_region_add(uint64_t piece, uint64_t choice)
{
    return ((piece ^ UINT64_C(0xcbf29ce484222325)) ^ choice) * UINT64_C(0x100000001b3);
}

// Names tensor 0 and 1 of a layer after it, as PyTorch does: "fc1.weight", "fc1.bias".
void layer_name_tensors(Layer *layer);

#endif
