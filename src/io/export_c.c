// A model as one C99 file without malloc and libm. The text of the functions is that of
// src/exported/classifier.c, which is read before this: here are the arrays, the shapes and the
// calls, made from the list of layers and the table of kinds, so that a new architecture of known
// kinds needs nothing here.
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

enum { INT8_MOST = 127, INPUT_MOST = 255, NAME_MOST = 60 };

typedef struct Exporter {
    const Model *model;
    const char *name; // of functions and arrays
    bool is_int8;
    float *scale; // of each output of a layer
    FILE *out;
    size_t column; // in a line of numbers
} Exporter;

// ---------------------------------------------------------------------------------------------
// Layers

static bool is_dense(const Layer *layer)
{
    return layer->kind == &layer_sparse_dense || layer->kind == &layer_dense;
}

// The pooling after layer l, which is done on the way; NULL: none.
static const Layer *pooling_of(const Network *net, size_t l)
{
    bool is_there = l + 1 < net->n_layers && net->layers[l + 1].kind == &layer_max_pool;
    return is_there ? &net->layers[l + 1] : NULL;
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
    return (float)((double)most / (double)INT8_MOST);
}

static int weight_int8(float weight, float scale)
{
    if (scale == 0.0f)
        return 0;
    double q = floor((double)weight / (double)scale + 0.5);
    return (int)fmax(-(double)INT8_MOST, fmin(q, (double)INT8_MOST));
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
// Text with the user's name

// Prints `text` up to `end`: @ is the name and an underscore, a tab four blanks.
static void print_text(const Exporter *e, const char *text, const char *end)
{
    for (; text < end; text++)
        if (*text == '@')
            fprintf(e->out, "%s_", e->name);
        else if (*text == '\t')
            fputs("    ", e->out);
        else
            fputc(*text, e->out);
}

// Prints a section of the constant text, in which the Makefile has put @ for "model_".
static void print_section(const Exporter *e, const char *section)
{
    char mark[64];
    snprintf(mark, sizeof mark, "//: %s\n", section);
    const char *begin = strstr(export_c_text, mark);
    assert(begin != NULL); // the constant text has each section
    begin += strlen(mark);
    print_text(e, begin, strstr(begin, "//: "));
}

// What the file has for a kind of layer: the section with its function, " int8" after the name of
// one for int8, and a call of it in float32 and in int8. In a call $x is the array that the layer
// reads and $y that which it writes, $l the layer's name, $k its kind's, and $n its number of
// outputs. In float32 layers read and write the arrays a and b in turn; in int8 they read whole
// numbers from b, in units of `unit`, and write values to a.
typedef struct Form {
    const LayerKind *kind;
    const char *section, *float32, *int8;
} Form;
static const Form forms[] = {
    {&layer_sparse_dense, "dense on pixels", "@dense_pixels($y, sum, &@$l, @value, pixels);",
     "@dense_pixels_int8(a, sum, &@$l, pixels, unit);"},
    {&layer_pixels, "pixels", "@pixels($y, @value, pixels, $n);", "@pixels_int8(b, pixels, $n);"},
    {&layer_convolution, "convolution", "@convolution($y, sum, &@$l, $x);",
     "@convolution_int8(a, &@$l, b, unit);"},
    {&layer_dense, "dense", "@dense($y, &@$l, $x);", "@dense_int8(a, &@$l, b, unit);"},
};
// An activation changes values where they are. Its section is the same for both types.
static const Form activation = {NULL, NULL, "@$k($x, $n);",
                                "@$k(a, $n);\n    unit = @values_int8(b, a, $n);"};

// NULL: it is done on the way, as pooling behind a convolution.
static const Form *form_of(const LayerKind *kind)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (forms[i].kind == kind)
            return &forms[i];
    return kind->is_activation ? &activation : NULL;
}

// Whether no layer before layer l is of its kind.
static bool is_first_of_kind(const Network *net, size_t l)
{
    for (size_t before = 0; before < l; before++)
        if (net->layers[before].kind == net->layers[l].kind)
            return false;
    return true;
}

static void print_functions(const Exporter *e)
{
    const Network *net = &e->model->net;
    print_section(e, "product");
    print_section(e, "exp");
    print_section(e, "softmax");
    print_section(e, e->is_int8 ? "dense types int8" : "dense types");
    if (e->is_int8)
        print_section(e, "values int8"); // behind every hidden layer
    for (size_t l = 0; l < net->n_layers; l++) {
        const Form *form = form_of(net->layers[l].kind);
        char section[64];
        if (form == NULL || !is_first_of_kind(net, l))
            continue;
        snprintf(section, sizeof section, "%s%s",
                 form == &activation ? net->layers[l].kind->name : form->section,
                 form != &activation && e->is_int8 ? " int8" : "");
        print_section(e, section);
    }
}

// ---------------------------------------------------------------------------------------------
// Arrays

// Number i of an array of n, as many in a line as fit.
static void print_number(Exporter *e, size_t i, size_t n, const char *text)
{
    const size_t most = 98, length = strlen(text) + 2;
    bool begins_line = i == 0 || e->column + length > most;
    fprintf(e->out, "%s%s%s", begins_line ? "\n    " : " ", text, i + 1 < n ? "," : "");
    e->column = length + (begins_line ? 3 : e->column);
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
    fprintf(e->out, "static const %s %s_%s_%s[%zu] = {", type, e->name, of, what, n);
}

static void end_array(const Exporter *e)
{
    fputs("\n};\n\n", e->out);
}

// The weights of a layer: an output's side by side, or an input's where the inner loop runs over
// outputs.
static void print_weights(Exporter *e, const Layer *layer)
{
    size_t O = layer->tensors[0].dims[0], I = inputs_of(layer), n = O * I;
    bool by_input = !e->is_int8 || layer->kind == &layer_sparse_dense;
    for (size_t o = 0; o < O; o++)
        e->scale[o] = row_scale(e->model, layer, o);
    begin_array(e, e->is_int8 ? "int8_t" : "float", layer->name, "weight", n);
    for (size_t k = 0; k < n; k++) {
        size_t output = by_input ? k % O : k / I, input = by_input ? k / O : k % I;
        float weight = weight_at(e->model, layer, output, input);
        char text[NUMBER_SIZE];
        if (!e->is_int8) {
            print_float(e, k, n, weight);
            continue;
        }
        snprintf(text, sizeof text, "%d", weight_int8(weight, e->scale[output]));
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
            print_float(e, o, O, e->scale[o]);
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
    const Layer *layer = &e->model->net.layers[l], *pool = pooling_of(&e->model->net, l);
    const Shape out = pool != NULL ? pool->out : layer->out;
    fprintf(e->out, "static const struct %s_%s%s %s_%s = {", e->name,
            is_dense(layer) ? "dense" : "convolution", e->is_int8 ? "_int8" : "", e->name,
            layer->name);
    if (is_dense(layer))
        fprintf(e->out, "%zu, %zu", inputs_of(layer), out.channels);
    else
        fprintf(e->out, "%zu, %zu, %zu, %zu, %zu, %zu, %zu, %zu, %zu", layer->in.width,
                layer->in.channels, layer->conv.kernel_size, layer->conv.stride,
                pool != NULL ? pool->conv.kernel_size : 1, pool != NULL ? pool->conv.stride : 1,
                out.height, out.width, out.channels);
    fprintf(e->out, ",\n    %s_%s_weight, ", e->name, layer->name);
    if (e->is_int8)
        fprintf(e->out, "%s_%s_scale, ", e->name, layer->name);
    fprintf(e->out, "%s_%s_bias};\n\n", e->name, layer->name);
}

// What the network sees of each byte.
static void print_pixel_values(Exporter *e)
{
    InputScale scale = input_scale(e->model->facts.pixel_std);
    fprintf(e->out, "static const float %s_value[256] = {", e->name);
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

// The memory of a call, in numbers: values and, for int8, what layers read.
typedef struct Memory {
    size_t a, b; // float32: two arrays of values, in turn; int8: values, and what layers read
    size_t sum;  // of a layer's outputs
} Memory;

static void grow(size_t *most, size_t n)
{
    *most = n > *most ? n : *most;
}

static Memory memory_of(const Exporter *e)
{
    const Network *net = &e->model->net;
    Memory m = {0};
    size_t *y = &m.a;
    for (size_t l = 0; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l], *pool = pooling_of(net, l);
        size_t n = shape_size(pool != NULL ? pool->out : layer->out);
        bool is_on_pixels = layer->kind == &layer_sparse_dense;
        if (layer->kind->is_activation || form_of(layer->kind) == NULL)
            continue;
        if (is_on_pixels || (!e->is_int8 && layer->kind == &layer_convolution))
            grow(&m.sum, layer->out.channels);
        if (!e->is_int8) {
            grow(y, n);
            y = y == &m.a ? &m.b : &m.a;
        } else if (layer->n_tensors > 0) {
            grow(&m.a, n);
            grow(&m.b, is_on_pixels ? 0 : shape_size(layer->in));
        }
    }
    return m;
}

static size_t memory_bytes(const Exporter *e)
{
    Memory m = memory_of(e);
    return 4 * (m.a + m.sum) + (e->is_int8 ? 2 : 4) * m.b;
}

static void print_memory(const Exporter *e)
{
    Memory m = memory_of(e);
    fprintf(e->out, "    %s_memory float a[%zu];\n", e->name, m.a);
    fprintf(e->out, "    %s_memory %s b[%zu];\n", e->name, e->is_int8 ? "int16_t" : "float", m.b);
    if (m.sum > 0)
        fprintf(e->out, "    %s_memory %s sum[%zu];\n", e->name, e->is_int8 ? "int32_t" : "float",
                m.sum);
}

static void print_call(const Exporter *e, const char *call, const Layer *layer, const char *x,
                       const char *y)
{
    fputs("    ", e->out);
    for (const char *mark; *(mark = call + strcspn(call, "$")) != '\0'; call = mark + 2) {
        print_text(e, call, mark);
        if (mark[1] == 'n')
            fprintf(e->out, "%zu", shape_size(layer->out));
        else
            fputs(mark[1] == 'x'   ? x
                  : mark[1] == 'y' ? y
                  : mark[1] == 'l' ? layer->name
                                   : layer->kind->name,
                  e->out);
    }
    print_text(e, call, call + strlen(call));
    fputc('\n', e->out);
}

// Prints the calls of all layers. Returns where the logits are.
static const char *print_calls(const Exporter *e)
{
    const Network *net = &e->model->net;
    const char *x = "b", *y = "a";
    for (size_t l = 0; l < net->n_layers; l++) {
        const Form *form = form_of(net->layers[l].kind);
        if (form == NULL)
            continue;
        print_call(e, e->is_int8 ? form->int8 : form->float32, &net->layers[l], x, y);
        if (form != &activation && !e->is_int8) {
            const char *written = y;
            y = x;
            x = written;
        }
    }
    return e->is_int8 ? y : x;
}

static void print_classify(const Exporter *e)
{
    char unit[FLOAT_SIZE];
    fprintf(e->out, "int %s_classify(const unsigned char *pixels, float *probability)\n{\n",
            e->name);
    print_memory(e);
    if (e->is_int8)
        fprintf(e->out, "    float unit = %s;\n",
                float_text(unit, input_scale(e->model->facts.pixel_std).value[1]));
    const char *logits = print_calls(e);
    fprintf(e->out, "    return %s_softmax(probability, %s, %s_classes);\n}\n\n", e->name, logits,
            e->name);
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

static void print_head(const Exporter *e, bool prepare)
{
    const Architecture *a = &e->model->net.architecture;
    char sizes[NETWORK_SIZES_SIZE];
    network_sizes(&e->model->net, sizes, sizeof sizes);
    fprintf(
        e->out,
        "// A neural network that classifies images of %zu x %zu pixels into %zu classes:\n"
        "// %s, %s, weights in %s. Written by `mlp export` from the\n"
        "// model with the checksum %08" PRIx32
        ". C99; it calls no library and allocates nothing.\n"
        "// Weights and tables take %zu bytes, a call %zu bytes of the stack and a little more\n"
        "// (of static memory with -D%s_memory=static).\n"
        "// The results are the same bits on every machine%s.\n",
        a->rows, a->cols, a->classes, sizes, a->activation, e->is_int8 ? "int8" : "float32",
        e->model->facts.checksum, constant_bytes(e), memory_bytes(e), e->name,
        e->is_int8 ? "" : ", those of `mlp predict --raw`");
    print_section(e, "about");
    if (prepare)
        print_section(e, "about prepare");
    fputc('\n', e->out);
    print_section(e, "start");
    fprintf(e->out, "enum { %s_rows = %zu, %s_columns = %zu, %s_classes = %zu };\n\n", e->name,
            a->rows, e->name, a->cols, e->name, a->classes);
}

void export_c(const Model *model, const ExportOptions *options, FILE *out)
{
    Exporter e = {.model = model,
                  .name = options->name,
                  .is_int8 = strcmp(options->type, "int8") == 0,
                  .scale = options->scale,
                  .out = out};
    print_head(&e, options->prepare);
    print_functions(&e);
    if (!e.is_int8)
        print_pixel_values(&e);
    for (size_t l = 0; l < model->net.n_layers; l++)
        if (model->net.layers[l].n_tensors > 0) {
            print_layer_arrays(&e, &model->net.layers[l]);
            print_layer_shape(&e, l);
        }
    print_classify(&e);
    if (options->prepare)
        print_section(&e, "prepare");
    print_class_names(&e);
}
