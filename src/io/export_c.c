// A model as one C99 file without malloc and libm. The text of the functions is that of
// src/exported/classifier.c, which is read before this: here are the arrays, the shapes and the
// calls, made from the list of layers, so that a new architecture of known kinds needs nothing
// here.
//
// int8: each row of weights (an output unit or channel) has one scale, max |W| / 127, and whole
// numbers round(W / scale). The inputs of a layer are whole numbers too: pixels as they are, other
// values divided by the largest / 255. So all sums are exact, and float is needed once per unit.
#include "export.h"

#include "numbers.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

extern const char export_c_text[]; // src/exported/classifier.c, made by the Makefile

enum {
    INT8_MOST = 127,
    INPUT_MOST = 255,
    NAME_MOST = 60,
    PICTURE_MOST = 4000 // rows or columns: 255 of the square fits 32 bits
};

typedef struct Exporter {
    const Model *model;
    const char *name; // of functions and arrays
    bool is_int8, prepare;
    FILE *out;
    size_t column; // in a line of numbers
} Exporter;

// ---------------------------------------------------------------------------------------------
// Layers

static bool is_dense(const Layer *layer)
{
    return layer->kind == &layer_sparse_dense || layer->kind == &layer_dense;
}

// The pooling of layer l, a convolution, which is done on the way; NULL: none.
static const Layer *pooling_of(const Network *net, size_t l)
{
    return net->layers[l + 1].kind == &layer_max_pool ? &net->layers[l + 1] : NULL;
}

// What one output's weights are multiplied with, in the order of the sum: of a dense layer on an
// image (row, column, channel), of a convolution (row of the window, column, channel).
static size_t inputs_of(const Layer *layer)
{
    return tensor_size(&layer->tensors[0]) / layer->tensors[0].dims[0];
}

static float weight_at(const Model *model, const Layer *layer, size_t output, size_t input)
{
    const Tensor *W = &layer->tensors[0]; // (output, channel, row, column)
    size_t channel = input % W->dims[1], column = input / W->dims[1] % W->dims[3];
    size_t row = input / W->dims[1] / W->dims[3];
    return model->params[W->offset + output * W->stride[0] + channel * W->stride[1] +
                         row * W->stride[2] + column * W->stride[3]];
}

static float row_scale(const Model *model, const Layer *layer, size_t output)
{
    float most = 0.0f;
    const size_t I = inputs_of(layer);
    for (size_t i = 0; i < I; i++)
        most = fmaxf(most, fabsf(weight_at(model, layer, output, i)));
    return (float)((double)most / INT8_MOST);
}

static int weight_int8(float weight, float scale)
{
    if (scale == 0.0f)
        return 0;
    double q = floor((double)weight / (double)scale + 0.5);
    return q > INT8_MOST ? INT8_MOST : q < -INT8_MOST ? -INT8_MOST : (int)q;
}

// Every sum of such a row must fit 32 bits.
static bool check_int8_row(const Model *model, const Layer *layer, size_t output)
{
    float scale = row_scale(model, layer, output);
    const size_t I = inputs_of(layer);
    uint64_t sum = 0;
    for (size_t i = 0; i < I; i++) {
        int q = weight_int8(weight_at(model, layer, output, i), scale);
        sum += (uint64_t)(q < 0 ? -q : q) * INPUT_MOST;
    }
    return sum <= INT32_MAX;
}

bool export_c_check_sums(const Model *model, const ExportOptions *options, Error *err)
{
    for (size_t l = 0; strcmp(options->type, "int8") == 0 && l < model->net.n_layers; l++) {
        const Layer *layer = &model->net.layers[l];
        for (size_t o = 0; layer->n_tensors > 0 && o < layer->tensors[0].dims[0]; o++)
            if (!check_int8_row(model, layer, o))
                return error_set(err,
                                 "%s: %s.weight: sums of %zu inputs do not fit 32 bits in int8; "
                                 "--type float32 has no such limit",
                                 model->name, layer->name, inputs_of(layer));
    }
    return true;
}

bool export_c_check_name(const char *name, Error *err)
{
    static const char characters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t length = strlen(name);
    bool is_name = length > 0 && length <= NAME_MOST && strspn(name, characters) == length &&
                   strchr("0123456789_", name[0]) == NULL;
    return is_name || error_set(err,
                                "--name %s: must be a name in C: a letter, then letters, digits "
                                "and _, at most %d in all",
                                name, NAME_MOST);
}

// ---------------------------------------------------------------------------------------------
// The constant text

// Prints a section of the constant text, with the name in the place of "model".
static void print_section(const Exporter *e, const char *section)
{
    char mark[64];
    snprintf(mark, sizeof mark, "//: %s\n", section);
    const char *at = strstr(export_c_text, mark);
    assert(at != NULL); // the constant text has each section
    at += strlen(mark);
    const char *end = strstr(at, "\n//: ");
    if (end == NULL)
        end = at + strlen(at) - 1;
    while (at <= end) {
        bool is_name = strncmp(at, "model_", 6) == 0;
        if (is_name)
            fputs(e->name, e->out);
        else if (*at == '\t')
            fputs("    ", e->out);
        else
            fputc(*at, e->out);
        at += is_name ? 5 : 1;
    }
    fputc('\n', e->out);
}

// The same, of the section for the type of the weights.
static void print_typed_section(const Exporter *e, const char *section)
{
    char typed[32];
    snprintf(typed, sizeof typed, "%s%s", section, e->is_int8 ? " int8" : "");
    print_section(e, typed);
}

static bool has_kind(const Network *net, const LayerKind *kind)
{
    for (size_t l = 0; l < net->n_layers; l++)
        if (net->layers[l].kind == kind)
            return true;
    return false;
}

static void print_prepare_declaration(const Exporter *e, const char *before)
{
    fprintf(e->out,
            "%sint %s_prepare(unsigned char *pixels, const unsigned char *image, int rows, int "
            "columns);\n",
            before, e->name);
}

static void print_functions(const Exporter *e)
{
    const Network *net = &e->model->net;
    static const LayerKind *const activations[] = {&layer_sigmoid, &layer_tanh, &layer_relu};
    print_section(e, "start");
    fprintf(e->out,
            "int %s_classify(const unsigned char *pixels, float *probability);\n"
            "const char *%s_class_name(int k);\n",
            e->name, e->name);
    if (e->prepare)
        print_prepare_declaration(e, "");
    fputc('\n', e->out);
    print_section(e, "product");
    print_section(e, "exp");
    for (size_t i = 0; i < sizeof activations / sizeof activations[0]; i++)
        if (has_kind(net, activations[i]))
            print_section(e, activations[i]->name);
    print_section(e, "softmax");
    print_typed_section(e, "dense types");
    if (e->is_int8)
        print_section(e, "values int8"); // behind every hidden layer
    if (has_kind(net, &layer_sparse_dense))
        print_typed_section(e, "dense on pixels");
    if (has_kind(net, &layer_pixels))
        print_typed_section(e, "pixels");
    if (has_kind(net, &layer_convolution))
        print_typed_section(e, "convolution");
    if (has_kind(net, &layer_dense))
        print_typed_section(e, "dense");
}

// ---------------------------------------------------------------------------------------------
// Arrays

// Number i of an array of n, as many in a line as fit.
static void print_number(Exporter *e, size_t i, size_t n, const char *text)
{
    const size_t most = 98, length = strlen(text) + 2;
    e->column = i == 0 || e->column + length > most ? 0 : e->column;
    fprintf(e->out, "%s%s%s",
            e->column > 0 ? " "
            : i > 0       ? "\n    "
                          : "    ",
            text, i + 1 < n ? "," : "\n");
    e->column += e->column == 0 ? 3 + length : length;
}

// A float as a constant that reads back as the same one.
enum { FLOAT_SIZE = NUMBER_SIZE + 4 };
static const char *float_text(char text[FLOAT_SIZE], float value)
{
    char number[NUMBER_SIZE];
    format_g9(number, (double)value);
    snprintf(text, FLOAT_SIZE, "%s%s", number, strpbrk(number, ".e") != NULL ? "f" : ".0f");
    return text;
}

static void print_float(Exporter *e, size_t i, size_t n, float value)
{
    char text[FLOAT_SIZE];
    print_number(e, i, n, float_text(text, value));
}

static void begin_array(const Exporter *e, const char *type, const char *of, const char *what,
                        size_t n)
{
    fprintf(e->out, "static const %s %s_%s_%s[%zu] = {\n", type, e->name, of, what, n);
}

static void end_array(const Exporter *e)
{
    fputs("};\n\n", e->out);
}

// The weights of a layer: an output's side by side, or an input's where the inner loop runs over
// outputs.
static void print_weights(Exporter *e, const Layer *layer)
{
    size_t O = layer->tensors[0].dims[0], I = inputs_of(layer), n = O * I;
    bool by_input = !e->is_int8 || layer->kind == &layer_sparse_dense;
    float scale[NETWORK_MAX_HIDDEN];
    for (size_t o = 0; o < O; o++)
        scale[o] = row_scale(e->model, layer, o);
    begin_array(e, e->is_int8 ? "int8_t" : "float", layer->name, "weight", n);
    for (size_t k = 0; k < n; k++) {
        size_t output = by_input ? k % O : k / I, input = by_input ? k / O : k % I;
        float weight = weight_at(e->model, layer, output, input);
        char text[NUMBER_SIZE];
        if (!e->is_int8) {
            print_float(e, k, n, weight);
            continue;
        }
        snprintf(text, sizeof text, "%d", weight_int8(weight, scale[output]));
        print_number(e, k, n, text);
    }
    end_array(e);
}

static void print_layer_arrays(Exporter *e, const Layer *layer)
{
    const Tensor *b = &layer->tensors[1];
    size_t O = b->dims[0];
    print_weights(e, layer);
    if (e->is_int8) {
        begin_array(e, "float", layer->name, "scale", O);
        for (size_t o = 0; o < O; o++)
            print_float(e, o, O, row_scale(e->model, layer, o));
        end_array(e);
    }
    begin_array(e, "float", layer->name, "bias", O);
    for (size_t o = 0; o < O; o++)
        print_float(e, o, O, e->model->params[tensor_index(b, o)]);
    end_array(e);
}

// The shape of a layer and its arrays, as the structures of the constant text have them.
static void print_layer_shape(const Exporter *e, size_t l)
{
    const Layer *layer = &e->model->net.layers[l], *pool = NULL;
    fprintf(e->out, "static const struct %s_%s%s %s_%s = {", e->name,
            is_dense(layer) ? "dense" : "convolution", e->is_int8 ? "_int8" : "", e->name,
            layer->name);
    if (is_dense(layer))
        fprintf(e->out, "%zu, %zu", inputs_of(layer), layer->out.channels);
    else {
        pool = pooling_of(&e->model->net, l);
        const Shape out = pool != NULL ? pool->out : layer->out;
        fprintf(e->out, "%zu, %zu, %zu, %zu, %zu, %zu, %zu, %zu, %zu", layer->in.width,
                layer->in.channels, layer->conv.kernel_size, layer->conv.stride,
                pool != NULL ? pool->conv.kernel_size : 1, pool != NULL ? pool->conv.stride : 1,
                out.height, out.width, out.channels);
    }
    fprintf(e->out, ",\n    %s_%s_weight, ", e->name, layer->name);
    if (e->is_int8)
        fprintf(e->out, "%s_%s_scale, ", e->name, layer->name);
    fprintf(e->out, "%s_%s_bias};\n\n", e->name, layer->name);
}

// What the network sees of each byte.
static void print_pixel_values(Exporter *e)
{
    InputScale scale = input_scale(e->model->facts.pixel_std);
    fprintf(e->out, "static const float %s_value[256] = {\n", e->name);
    for (size_t v = 0; v < 256; v++)
        print_float(e, v, 256, scale.value[v]);
    end_array(e);
}

// A text as a C string: what ends a string, begins an escape or a trigraph, or is not ASCII as
// three octal digits.
static void print_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        fprintf(out, *c < ' ' || *c > '~' || strchr("\"\\?", *c) != NULL ? "\\%03o" : "%c", *c);
    fputc('"', out);
}

static void print_class_names(const Exporter *e)
{
    size_t n = e->model->net.architecture.classes;
    fprintf(e->out,
            "// The name of class k, 0 to %zu.\n"
            "const char *%s_class_name(int k)\n{\n    static const char *const name[] = {\n",
            n - 1, e->name);
    for (size_t k = 0; k < n; k++) {
        fputs("        ", e->out);
        print_string(e->out, e->model->class_names[k].text);
        fputs(",\n", e->out);
    }
    fputs("    };\n    return name[k];\n}\n", e->out);
}

// ---------------------------------------------------------------------------------------------
// The calls

// The memory of a call, in numbers: `values` are floats, or what int8 layers read.
typedef struct Memory {
    size_t a, b; // float32: two arrays of values, in turn; int8: values, and what layers read
    size_t sum;  // of a layer's outputs
} Memory;

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static Memory memory_of(const Exporter *e)
{
    const Network *net = &e->model->net;
    Memory m = {0};
    bool to_b = false;
    for (size_t l = 0; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        const Layer *pool = layer->kind == &layer_convolution ? pooling_of(net, l) : NULL;
        size_t n_in = shape_size(layer->in), n = shape_size(pool != NULL ? pool->out : layer->out);
        bool is_pixels = layer->kind == &layer_sparse_dense;
        if (layer->n_tensors == 0 && layer->kind != &layer_pixels)
            continue;
        if (is_pixels || (!e->is_int8 && layer->kind == &layer_convolution))
            m.sum = larger(m.sum, layer->out.channels);
        if (!e->is_int8)
            *(to_b ? &m.b : &m.a) = larger(to_b ? m.b : m.a, n);
        else {
            m.a = layer->n_tensors > 0 ? larger(m.a, n) : m.a;
            m.b = is_pixels ? m.b : larger(m.b, n_in);
        }
        to_b = !to_b;
    }
    return m;
}

static size_t memory_bytes(const Exporter *e, const Memory *m)
{
    return 4 * (m->a + m->sum) + (e->is_int8 ? 2 : 4) * m->b;
}

static void print_memory(const Exporter *e, const Memory *m)
{
    fprintf(e->out, "    %s_memory float a[%zu];\n", e->name, m->a);
    fprintf(e->out, "    %s_memory %s b[%zu];\n", e->name, e->is_int8 ? "int16_t" : "float", m->b);
    if (m->sum > 0)
        fprintf(e->out, "    %s_memory %s sum[%zu];\n", e->name, e->is_int8 ? "int32_t" : "float",
                m->sum);
}

// The calls of float32: a layer reads one of the two arrays and writes the other.
static const char *print_calls(const Exporter *e)
{
    const Network *net = &e->model->net;
    const char *x = "b", *y = "a";
    for (size_t l = 0; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        if (layer->kind->is_activation)
            fprintf(e->out, "    %s_%s(%s, %zu);\n", e->name, layer->kind->name, x,
                    shape_size(layer->out));
        if (layer->kind->is_activation || layer->kind == &layer_max_pool)
            continue;
        if (layer->kind == &layer_pixels)
            fprintf(e->out, "    %s_pixels(%s, %s_value, pixels, %zu);\n", e->name, y, e->name,
                    shape_size(layer->in));
        else if (layer->kind == &layer_sparse_dense)
            fprintf(e->out, "    %s_dense_pixels(%s, sum, &%s_%s, %s_value, pixels);\n", e->name, y,
                    e->name, layer->name, e->name);
        else if (layer->kind == &layer_convolution)
            fprintf(e->out, "    %s_convolution(%s, sum, &%s_%s, %s);\n", e->name, y, e->name,
                    layer->name, x);
        else
            fprintf(e->out, "    %s_dense(%s, &%s_%s, %s);\n", e->name, y, e->name, layer->name, x);
        const char *last = x;
        x = y;
        y = last;
    }
    return x;
}

// The calls of int8: a layer reads the whole numbers b, in units of `unit`, and writes the values
// a.
static const char *print_int8_calls(const Exporter *e)
{
    const Network *net = &e->model->net;
    char text[FLOAT_SIZE];
    fprintf(e->out, "    float unit = %s;\n",
            float_text(text, input_scale(e->model->facts.pixel_std).value[1]));
    for (size_t l = 0; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        if (layer->kind == &layer_pixels)
            fprintf(e->out, "    %s_pixels_int8(b, pixels, %zu);\n", e->name,
                    shape_size(layer->in));
        else if (layer->kind->is_activation)
            fprintf(e->out, "    %s_%s(a, %zu);\n    unit = %s_values_int8(b, a, %zu);\n", e->name,
                    layer->kind->name, shape_size(layer->out), e->name, shape_size(layer->out));
        else if (layer->kind == &layer_sparse_dense)
            fprintf(e->out, "    %s_dense_pixels_int8(a, sum, &%s_%s, pixels, unit);\n", e->name,
                    e->name, layer->name);
        else if (layer->n_tensors > 0)
            fprintf(e->out, "    %s_%s_int8(a, &%s_%s, b, unit);\n", e->name,
                    is_dense(layer) ? "dense" : "convolution", e->name, layer->name);
    }
    return "a";
}

static void print_classify(const Exporter *e)
{
    Memory memory = memory_of(e);
    fprintf(e->out,
            "// With -D%s_memory=static a call does not need the stack; then only one may run at a "
            "time.\n"
            "#ifndef %s_memory\n#define %s_memory auto\n#endif\n\n"
            "int %s_classify(const unsigned char *pixels, float *probability)\n{\n",
            e->name, e->name, e->name, e->name);
    print_memory(e, &memory);
    const char *logits = e->is_int8 ? print_int8_calls(e) : print_calls(e);
    fprintf(e->out, "    return %s_softmax(probability, %s, %zu);\n}\n\n", e->name, logits,
            e->model->net.architecture.classes);
}

static size_t box_size(const Architecture *a)
{
    return larger(a->rows * 20 / 28, 1) * larger(a->cols * 20 / 28, 1);
}

static void print_prepare(const Exporter *e)
{
    const Architecture *a = &e->model->net.architecture;
    print_section(e, "prepare");
    fprintf(e->out,
            "int %s_prepare(unsigned char *pixels, const unsigned char *image, int rows, int "
            "columns)\n{\n"
            "    %s_memory uint32_t sum[%zu];\n"
            "    return rows > 0 && columns > 0 && rows <= %d && columns <= %d &&\n"
            "           %s_fit(pixels, %zu, %zu, sum, image, (uint32_t)rows, (uint32_t)columns);\n"
            "}\n\n",
            e->name, e->name, box_size(a), PICTURE_MOST, PICTURE_MOST, e->name, a->rows, a->cols);
}

// ---------------------------------------------------------------------------------------------
// The file

static size_t constant_bytes(const Exporter *e)
{
    const Network *net = &e->model->net;
    size_t n = e->is_int8 ? 0 : 256 * sizeof(float);
    for (size_t l = 0; l < net->n_layers; l++)
        if (net->layers[l].n_tensors > 0)
            n += tensor_size(&net->layers[l].tensors[0]) * (e->is_int8 ? 1 : 4) +
                 net->layers[l].out.channels * (e->is_int8 ? 8 : 4);
    return n;
}

static void print_about(const Exporter *e)
{
    const Architecture *a = &e->model->net.architecture;
    Memory memory = memory_of(e);
    char sizes[NETWORK_SIZES_SIZE];
    network_sizes(&e->model->net, sizes, sizeof sizes);
    fprintf(e->out,
            "// A neural network that classifies images of %zu x %zu pixels: %s,\n"
            "// %s, weights in %s. Written by `mlp export` from the model with the checksum\n"
            "// %08" PRIx32 ". C99; it calls no library and allocates nothing.\n//\n",
            a->rows, a->cols, sizes, a->activation, e->is_int8 ? "int8" : "float32",
            e->model->facts.checksum);
    fprintf(e->out,
            "//     int %s_classify(const unsigned char *pixels, float *probability);\n"
            "//     const char *%s_class_name(int k);\n//\n"
            "// Returns the class, 0 to %zu. `pixels` is the image row by row, background 0, ink "
            "up to\n"
            "// 255, in the size and place of the training images. `probability`, where it is not "
            "NULL,\n"
            "// becomes that of each of the %zu classes.\n//\n",
            e->name, e->name, a->classes - 1, a->classes);
    if (e->prepare) {
        print_prepare_declaration(e, "//     ");
        fprintf(e->out,
                "//\n// Makes `pixels` of a clean picture, rows x columns bytes, up to %d each, "
                "with light ink\n"
                "// on black: crops it, fits it and centres it. Returns 0 when that cannot be "
                "done: all is\n"
                "// black, or the picture too large. It takes %zu bytes of the stack.\n//\n",
                PICTURE_MOST, 4 * box_size(a));
    }
    fprintf(
        e->out,
        "// Weights and tables take %zu bytes, a call %zu bytes of the stack and a little more\n"
        "// (of static memory with -D%s_memory=static).\n"
        "// The results are the same bits on every machine%s.\n\n",
        constant_bytes(e), memory_bytes(e, &memory), e->name,
        e->is_int8 ? "" : ", those of `mlp predict --raw`");
}

void export_c(const Model *model, const ExportOptions *options, FILE *out)
{
    Exporter e = {.model = model,
                  .name = options->name,
                  .is_int8 = strcmp(options->type, "int8") == 0,
                  .prepare = options->prepare,
                  .out = out};
    print_about(&e);
    print_functions(&e);
    if (!e.is_int8)
        print_pixel_values(&e);
    for (size_t l = 0; l < model->net.n_layers; l++)
        if (model->net.layers[l].n_tensors > 0) {
            print_layer_arrays(&e, &model->net.layers[l]);
            print_layer_shape(&e, l);
        }
    print_classify(&e);
    if (e.prepare)
        print_prepare(&e);
    print_class_names(&e);
}
