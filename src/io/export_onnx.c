// A model in the Open Neural Network Exchange format: a ModelProto (github.com/onnx/onnx,
// onnx/onnx.proto, whose numbers the fields below have; docs/Operators.md for the nodes) in the
// wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding). The graph takes raw
// pixels: the input scale is part of it. Values have the names of the derivation ("a1", "f1"),
// weights those of the model file.
#include "bytes.h"
#include "export.h"

#include <assert.h>
#include <string.h>

// From operator set 13 on Softmax is along one axis; the set came with version 7 of the format.
enum { ONNX_VERSION = 7, ONNX_OPERATORS = 13 };

// ---------------------------------------------------------------------------------------------
// Fields of Protocol Buffers: a tag, which is the field's number and how its length is known, then
// the value

static void put_varint(ByteWriter *w, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        bytes_put_uint(w, value | 0x80, 1);
    bytes_put_uint(w, value, 1);
}

static void put_uint(ByteWriter *w, unsigned field, uint64_t value)
{
    put_varint(w, field << 3);
    put_varint(w, value);
}

// Of text, bytes or a message, which follow.
static void put_length(ByteWriter *w, unsigned field, size_t length)
{
    put_varint(w, field << 3 | 2);
    put_varint(w, length);
}

static void put_string(ByteWriter *w, unsigned field, const char *text)
{
    put_length(w, field, strlen(text));
    bytes_put(w, text, strlen(text));
}

// A message within a message: its fields are put twice, the first time to count them.
typedef void PutFields(ByteWriter *w, const void *message);

static void put_message(ByteWriter *w, unsigned field, PutFields *put, const void *message)
{
    ByteWriter counted = {.out = NULL};
    put(&counted, message);
    put_length(w, field, counted.size);
    put(w, message);
}

// ---------------------------------------------------------------------------------------------
// Nodes

// An attribute: a whole number, or that number for both sides of an image.
typedef struct Attribute {
    const char *name;
    uint64_t value;
    bool is_pair;
} Attribute;

typedef struct Node {
    const char *op, *output; // which is the node's name, too
    const char *inputs[3];   // a NULL ends them, and the attributes
    Attribute attributes[2];
} Node;

static void put_attribute(ByteWriter *w, const void *message)
{
    enum { NAME = 1, I = 3, INTS = 8, TYPE = 20, TYPE_INT = 2, TYPE_INTS = 7 };
    const Attribute *a = message;
    put_string(w, NAME, a->name);
    for (int i = 0; i < 1 + a->is_pair; i++)
        put_uint(w, a->is_pair ? INTS : I, a->value);
    put_uint(w, TYPE, a->is_pair ? TYPE_INTS : TYPE_INT);
}

static void put_node(ByteWriter *w, const void *message)
{
    enum { INPUT = 1, OUTPUT = 2, NAME = 3, OP_TYPE = 4, ATTRIBUTE = 5 };
    const Node *node = message;
    for (size_t i = 0; i < 3 && node->inputs[i] != NULL; i++)
        put_string(w, INPUT, node->inputs[i]);
    put_string(w, OUTPUT, node->output);
    put_string(w, NAME, node->output);
    put_string(w, OP_TYPE, node->op);
    for (size_t i = 0; i < 2 && node->attributes[i].name != NULL; i++)
        put_message(w, ATTRIBUTE, put_attribute, &node->attributes[i]);
}

// ---------------------------------------------------------------------------------------------
// Tensors and the types of values

enum { TYPE_FLOAT = 1, TYPE_UINT8 = 2 };

typedef struct Initializer {
    const Tensor *tensor;
    const float *params;
} Initializer;

static void put_initializer(ByteWriter *w, const void *message)
{
    enum { DIMS = 1, DATA_TYPE = 2, NAME = 8, RAW_DATA = 9 };
    const Initializer *i = message;
    size_t dims[TENSOR_MAX_DIMS], n_dims = tensor_file_shape(i->tensor, dims);
    for (size_t d = 0; d < n_dims; d++)
        put_uint(w, DIMS, dims[d]);
    put_uint(w, DATA_TYPE, TYPE_FLOAT);
    put_string(w, NAME, i->tensor->name);
    put_length(w, RAW_DATA, 4 * tensor_size(i->tensor));
    bytes_put_tensor(w, i->tensor, i->params);
}

// An input or output: an array of any number of examples of this shape.
typedef struct Value {
    const char *name;
    unsigned type;
    size_t n_dims, dims[3];
} Value;

static void put_dimension(ByteWriter *w, const void *message)
{
    enum { DIM_VALUE = 1, DIM_PARAM = 2 };
    const size_t *size = message;
    if (size != NULL)
        put_uint(w, DIM_VALUE, *size);
    else
        put_string(w, DIM_PARAM, "N");
}

static void put_shape(ByteWriter *w, const void *message)
{
    enum { DIM = 1 };
    const Value *v = message;
    put_message(w, DIM, put_dimension, NULL);
    for (size_t d = 0; d < v->n_dims; d++)
        put_message(w, DIM, put_dimension, &v->dims[d]);
}

static void put_tensor_type(ByteWriter *w, const void *message)
{
    enum { ELEM_TYPE = 1, SHAPE = 2 };
    put_uint(w, ELEM_TYPE, ((const Value *)message)->type);
    put_message(w, SHAPE, put_shape, message);
}

static void put_type(ByteWriter *w, const void *message)
{
    enum { TENSOR_TYPE = 1 };
    put_message(w, TENSOR_TYPE, put_tensor_type, message);
}

static void put_value(ByteWriter *w, const void *message)
{
    enum { NAME = 1, TYPE = 2 };
    put_string(w, NAME, ((const Value *)message)->name);
    put_message(w, TYPE, put_type, message);
}

// ---------------------------------------------------------------------------------------------
// The graph:  pixels -> Cast -> Mul -> the layers -> Softmax

enum { GRAPH_NODE = 1, GRAPH_NAME = 2, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
static const char pixels[] = "pixels", logits[] = "logits", probabilities[] = "probabilities";
static const Tensor scale = {.name = "input_scale"}; // without dimensions: one number

// The operator that computes a kind of layer, NULL for the pixels.
static const char *operator_of(const LayerKind *kind)
{
    static const struct {
        const LayerKind *kind;
        const char *op;
    } rows[] = {
        {&layer_sparse_dense, "Gemm"}, {&layer_dense, "Gemm"},       {&layer_sigmoid, "Sigmoid"},
        {&layer_tanh, "Tanh"},         {&layer_relu, "Relu"},        {&layer_pixels, NULL},
        {&layer_convolution, "Conv"},  {&layer_max_pool, "MaxPool"},
    };
    size_t i = 0, n = sizeof rows / sizeof rows[0];
    while (i < n && rows[i].kind != kind)
        i++;
    assert(i < n);
    return rows[i].op;
}

// The first dense layer reads a vector, which an image of one pixel is not.
static void put_layer(ByteWriter *w, const Layer *layer, bool is_first_dense, bool is_output)
{
    Node node = {.op = operator_of(layer->kind),
                 .output = is_output ? logits : layer->symbol,
                 .inputs = {layer->in_symbol}};
    for (size_t t = 0; t < layer->n_tensors; t++)
        node.inputs[1 + t] = layer->tensors[t].name;
    if (layer->conv.kernel_size > 0) {
        node.attributes[0] = (Attribute){"kernel_shape", layer->conv.kernel_size, true};
        node.attributes[1] = (Attribute){"strides", layer->conv.stride, true};
    } else if (layer->n_tensors > 0) {
        node.attributes[0] = (Attribute){"transB", 1, false}; // x W^T + b
    }
    if (is_first_dense) {
        node.inputs[0] = "flat";
        put_message(w, GRAPH_NODE, put_node,
                    &(Node){.op = "Flatten", .output = "flat", .inputs = {layer->in_symbol}});
    }
    if (node.op != NULL)
        put_message(w, GRAPH_NODE, put_node, &node);
}

static void put_nodes(ByteWriter *w, const Network *net)
{
    const Node cast = {"Cast", "float_pixels", {pixels}, {{"to", TYPE_FLOAT, false}}},
               mul = {.op = "Mul", .output = "x", .inputs = {"float_pixels", scale.name}},
               softmax = {.op = "Softmax", .output = probabilities, .inputs = {logits}};
    bool has_dense = false;
    put_message(w, GRAPH_NODE, put_node, &cast);
    put_message(w, GRAPH_NODE, put_node, &mul);
    for (size_t l = 0; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        bool is_dense = layer->n_tensors > 0 && !layer->kind->has_filters;
        put_layer(w, layer, is_dense && !has_dense, l + 1 == net->n_layers);
        has_dense = has_dense || is_dense;
    }
    put_message(w, GRAPH_NODE, put_node, &softmax);
}

static void put_graph(ByteWriter *w, const void *message)
{
    const Model *model = message;
    const Architecture *a = &model->net.architecture;
    const float scale_value = (float)(1.0 / 255.0 / model->facts.pixel_std);
    put_nodes(w, &model->net);
    put_string(w, GRAPH_NAME, "mlp");
    put_message(w, GRAPH_INITIALIZER, put_initializer, &(Initializer){&scale, &scale_value});
    for (size_t t = 0; t < model->net.n_tensors; t++)
        put_message(w, GRAPH_INITIALIZER, put_initializer,
                    &(Initializer){model->net.tensors[t], model->params});
    put_message(w, GRAPH_INPUT, put_value, &(Value){pixels, TYPE_UINT8, 3, {1, a->rows, a->cols}});
    put_message(w, GRAPH_OUTPUT, put_value, &(Value){probabilities, TYPE_FLOAT, 1, {a->classes}});
    put_message(w, GRAPH_OUTPUT, put_value, &(Value){logits, TYPE_FLOAT, 1, {a->classes}});
}

// ---------------------------------------------------------------------------------------------
// The model

static void put_operators(ByteWriter *w, const void *message)
{
    enum { VERSION = 2 };
    (void)message;
    put_uint(w, VERSION, ONNX_OPERATORS);
}

static void put_entry(ByteWriter *w, const void *message)
{
    enum { KEY = 1, VALUE = 2 };
    const ModelEntry *entry = message;
    char number[NUMBER_SIZE];
    put_string(w, KEY, entry->row->key);
    put_string(w, VALUE, setting_text(entry->row, entry->from, number));
}

void export_onnx(const Model *model, const ExportOptions *options, FILE *out)
{
    enum { IR_VERSION = 1, PRODUCER_NAME = 2, GRAPH = 7, OPSET_IMPORT = 8, METADATA_PROPS = 14 };
    ModelEntry list[MODEL_MAX_ENTRIES];
    size_t n = model_entries(list, settings_table, model);
    ByteWriter w = {.out = out};
    (void)options;
    put_uint(&w, IR_VERSION, ONNX_VERSION);
    put_string(&w, PRODUCER_NAME, "mlp");
    put_message(&w, GRAPH, put_graph, model);
    put_message(&w, OPSET_IMPORT, put_operators, NULL);
    for (size_t i = 0; i < n; i++)
        put_message(&w, METADATA_PROPS, put_entry, &list[i]);
}
