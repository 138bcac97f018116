// The constant text of the C files that `mlp export --format c` writes: how to use them, and the
// arithmetic of every kind of layer, in C99 for machines with or without an operating system.
// src/io/export_c.c copies the sections that a model needs, puts the user's name instead of
// "model", and writes weights and calls around them. A section begins with a line "//: NAME" and
// ends at the next one; what is before the first one is not copied. This file compiles as it is, so
// that compilers and linters see it; it is not part of the program.
//
// Every sum has the order of kernels/kernels.h and nn/sparse_input.c, and exp is that of
// base/elementary.h: the bits of the float32 functions are those of the program. The int8 functions
// add whole numbers, whose order does not matter.
enum { model_rows = 28, model_columns = 28, model_classes = 10 }; // each file has its own
//: about
//
//     int model_classify(const unsigned char *pixels, float *probability);
//     const char *model_class_name(int k);
//
// The first returns the class k, from 0 on, the second its name. `pixels` is the image row by row,
// background 0, ink up to 255, in the size and place of the training images. `probability` may be
// NULL; else it becomes the probability of each class:
//
//     float probability[model_classes];
//     int k = model_classify(pixels, probability);
//     printf("%s: %.3f\n", model_class_name(k), probability[k]);
//: about prepare
//
//     int model_prepare(unsigned char *pixels, const unsigned char *image, int rows, int columns);
//
// Makes `pixels` of a clean picture, rows x columns bytes, up to 4000 each, with light ink on
// black: crops it, fits it and centres it. Returns 0 when that cannot be done: all is black, or the
// picture too large. It takes about two bytes of the stack for each of `pixels`.
//: start
#include <float.h>
#include <stddef.h>
#include <stdint.h>

#if !defined FLT_EVAL_METHOD || (FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16)
#error "float must be evaluated in float: use -std=gnu99 (32-bit x86: and -msse2 -mfpmath=sse)"
#endif
#if defined __FAST_MATH__ || (defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__ != 0) ||        \
    defined __ASSOCIATIVE_MATH__ || defined __RECIPROCAL_MATH__ || defined __NO_SIGNED_ZEROS__
#error "-ffast-math, -Ofast and their parts change results: leave them out"
#endif

// With -Dmodel_memory=static a call does not need the stack; then only one may run at a time.
#ifndef model_memory
#define model_memory auto
#endif

int model_classify(const unsigned char *pixels, float *probability);
const char *model_class_name(int k);

//: product
// a * b, rounded before it is added to anything: a compiler may fuse a product with the sum around
// it, which changes bits. `zero` is a -0 that it knows nothing of: a * b + -0 is a * b, fused or
// not, and neither is the next sum a part of it. Where nothing can be fused, the product is enough.
#if ((defined __x86_64__ || defined __i386__) && !defined __FMA__ && !defined __FMA4__ &&          \
     !defined __AVX512F__) ||                                                                      \
    defined __SOFTFP__
static float model_zero(void)
{
    return -0.0f;
}

static inline float model_product(float a, float b, float zero)
{
    (void)zero;
    return a * b;
}
#else
static const volatile float model_minus_zero = -0.0f;

static float model_zero(void)
{
    return model_minus_zero;
}

static inline float model_product(float a, float b, float zero)
{
    return a * b + zero;
}
#endif

//: exp
// e^x, x limited to [-87, 88]: x = n ln2 + r, then e^r as a polynomial, then 2^n by its exponent.
static float model_exp(float x, float zero)
{
    static const float factor[] = {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f,
                                   1.6666665459e-1f, 5.0000001201e-1f};
    union {
        float value;
        uint32_t bits;
    } shifted, two_to_n;
    float n, r, p = 1.9875691500e-4f;
    size_t i;
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    shifted.value = model_product(x, 1.44269504f, zero) + 12582912.0f;
    n = shifted.value - 12582912.0f;
    r = x - model_product(n, 0.693359375f, zero);
    r = r - model_product(n, -2.12194440e-4f, zero);
    for (i = 0; i < sizeof factor / sizeof factor[0]; i++)
        p = model_product(p, r, zero) + factor[i];
    two_to_n.bits = (shifted.bits << 23) + 0x3f800000u;
    return (model_product(p, r * r, zero) + r + 1.0f) * two_to_n.value;
}

//: sigmoid
static void model_sigmoid(float *x, size_t n)
{
    const float zero = model_zero();
    size_t i;
    for (i = 0; i < n; i++)
        x[i] = 1.0f / (1.0f + model_exp(-x[i], zero));
}

//: tanh
static void model_tanh(float *x, size_t n)
{
    const float zero = model_zero();
    size_t i;
    for (i = 0; i < n; i++)
        x[i] = 2.0f / (1.0f + model_exp(-2.0f * x[i], zero)) - 1.0f;
}

//: relu
static void model_relu(float *x, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++)
        x[i] = x[i] <= 0.0f ? 0.0f : x[i];
}

//: softmax
// The class of the largest logit, the first of equals; probability[k] = exp(x[k]) / sum of exp(x).
static int model_softmax(float *probability, const float *x, size_t n)
{
    const float zero = model_zero();
    float sum = 0.0f;
    size_t k, best = 0;
    for (k = 1; k < n; k++)
        if (x[k] > x[best])
            best = k;
    if (probability != NULL) {
        for (k = 0; k < n; k++) {
            probability[k] = model_exp(x[k] - x[best], zero);
            sum += probability[k];
        }
        for (k = 0; k < n; k++)
            probability[k] = probability[k] / sum;
    }
    return (int)best;
}

//: dense types
struct model_dense {
    size_t inputs, outputs;
    const float *weight; // (inputs, outputs)
    const float *bias;
};

//: dense on pixels
// y = W x + b, x[p] = value[pixel p], as eight partial sums. Zero pixels are skipped: they add 0.
static void model_dense_pixels(float *restrict y, float *restrict sum,
                               const struct model_dense *layer, const float *value,
                               const unsigned char *pixels)
{
    const float zero = model_zero();
    const size_t n = layer->outputs;
    size_t block, p, o;
    for (o = 0; o < n; o++)
        y[o] = layer->bias[o];
    for (block = 0; block < 8; block++) {
        const size_t end = (size_t)((uint64_t)layer->inputs * (block + 1) / 8);
        for (o = 0; o < n; o++)
            sum[o] = 0.0f;
        for (p = (size_t)((uint64_t)layer->inputs * block / 8); p < end; p++)
            if (pixels[p] != 0) {
                const float x = value[pixels[p]], *restrict w = layer->weight + p * n;
                for (o = 0; o < n; o++)
                    sum[o] += model_product(x, w[o], zero);
            }
        for (o = 0; o < n; o++)
            y[o] += sum[o];
    }
}

//: dense
// y = W x + b
static void model_dense(float *restrict y, const struct model_dense *layer, const float *x)
{
    const float zero = model_zero();
    const size_t n = layer->outputs;
    size_t i, o;
    for (o = 0; o < n; o++)
        y[o] = layer->bias[o];
    for (i = 0; i < layer->inputs; i++) {
        const float *restrict w = layer->weight + i * n;
        for (o = 0; o < n; o++)
            y[o] += model_product(x[i], w[o], zero);
    }
}

//: pixels
static void model_pixels(float *y, const float *value, const unsigned char *pixels, size_t n)
{
    size_t p;
    for (p = 0; p < n; p++)
        y[p] = value[pixels[p]];
}

//: convolution
// A convolution, then max pooling of pool x pool of its outputs (1: none). Images are (height,
// width, channels).
struct model_convolution {
    size_t width, channels;        // of the input
    size_t kernel, stride;         // of the convolution
    size_t pool, pool_stride;      // of the pooling
    size_t rows, columns, outputs; // of the output
    const float *weight;           // (kernel, kernel, channels, outputs)
    const float *bias;
};

// sum[o] = b[o] + the sum over the window at x.
static void model_window(float *restrict sum, const struct model_convolution *layer, const float *x)
{
    const float zero = model_zero();
    const size_t n = layer->outputs, length = layer->kernel * layer->channels;
    const float *restrict w = layer->weight;
    size_t row, i, o;
    for (o = 0; o < n; o++)
        sum[o] = layer->bias[o] + 0.0f;
    for (row = 0; row < layer->kernel; row++, x += layer->width * layer->channels)
        for (i = 0; i < length; i++, w += n)
            for (o = 0; o < n; o++)
                sum[o] += model_product(x[i], w[o], zero);
}

static void model_convolution(float *y, float *sum, const struct model_convolution *layer,
                              const float *x)
{
    size_t row, column, k, o;
    for (row = 0; row < layer->rows; row++)
        for (column = 0; column < layer->columns; column++, y += layer->outputs)
            for (k = 0; k < layer->pool * layer->pool; k++) {
                const size_t down = row * layer->pool_stride + k / layer->pool,
                             right = column * layer->pool_stride + k % layer->pool;
                model_window(sum, layer,
                             x + (down * layer->width + right) * layer->stride * layer->channels);
                for (o = 0; o < layer->outputs; o++)
                    if (k == 0 || sum[o] > y[o])
                        y[o] = sum[o];
            }
}

//: dense types int8
struct model_dense_int8 {
    size_t inputs, outputs;
    const int8_t *weight; // (outputs, inputs); on pixels (inputs, outputs)
    const float *scale;   // of the row of each output: the weights are scale * weight
    const float *bias;
};

//: dense on pixels int8
// y = W x + b, x = unit * pixels
static void model_dense_pixels_int8(float *y, int32_t *restrict sum,
                                    const struct model_dense_int8 *layer,
                                    const unsigned char *pixels, float unit)
{
    const float zero = model_zero();
    const size_t n = layer->outputs;
    size_t p, o;
    for (o = 0; o < n; o++)
        sum[o] = 0;
    for (p = 0; p < layer->inputs; p++)
        if (pixels[p] != 0) {
            const int8_t *restrict w = layer->weight + p * n;
            const int16_t x = pixels[p];
            for (o = 0; o < n; o++)
                sum[o] += x * w[o];
        }
    for (o = 0; o < n; o++)
        y[o] = layer->bias[o] + model_product((float)sum[o], layer->scale[o] * unit, zero);
}

//: pixels int8
static void model_pixels_int8(int16_t *y, const unsigned char *pixels, size_t n)
{
    size_t p;
    for (p = 0; p < n; p++)
        y[p] = pixels[p];
}

//: values int8
// Values as whole numbers from -255 to 255, times what is returned.
static float model_values_int8(int16_t *y, const float *x, size_t n)
{
    const float zero = model_zero();
    float most = 0.0f, factor;
    size_t i;
    for (i = 0; i < n; i++) {
        most = x[i] > most ? x[i] : most;
        most = -x[i] > most ? -x[i] : most;
    }
    factor = most > 1e-30f ? 255.0f / most : 0.0f;
    for (i = 0; i < n; i++) {
        const float v = model_product(x[i], factor, zero);
        y[i] = (int16_t)(v >= 0.0f ? v + 0.5f : v > -255.5f ? v - 0.5f : 0.0f);
    }
    return most / 255.0f;
}

//: dense int8
// y = W x + b, x = unit * whole numbers
static void model_dense_int8(float *y, const struct model_dense_int8 *layer, const int16_t *x,
                             float unit)
{
    const float zero = model_zero();
    size_t i, o;
    for (o = 0; o < layer->outputs; o++) {
        const int8_t *w = layer->weight + o * layer->inputs;
        int32_t sum = 0;
        for (i = 0; i < layer->inputs; i++)
            sum += x[i] * w[i];
        y[o] = layer->bias[o] + model_product((float)sum, layer->scale[o] * unit, zero);
    }
}

//: convolution int8
// A convolution, then max pooling of pool x pool of its outputs (1: none). Images are (height,
// width, channels).
struct model_convolution_int8 {
    size_t width, channels;        // of the input
    size_t kernel, stride;         // of the convolution
    size_t pool, pool_stride;      // of the pooling
    size_t rows, columns, outputs; // of the output
    const int8_t *weight;          // (outputs, kernel, kernel, channels)
    const float *scale, *bias;
};

static int32_t model_window_int8(const struct model_convolution_int8 *layer, const int16_t *x,
                                 const int8_t *w)
{
    const size_t length = layer->kernel * layer->channels;
    int32_t sum = 0;
    size_t row, i;
    for (row = 0; row < layer->kernel; row++, x += layer->width * layer->channels, w += length)
        for (i = 0; i < length; i++)
            sum += x[i] * w[i];
    return sum;
}

static void model_convolution_int8(float *y, const struct model_convolution_int8 *layer,
                                   const int16_t *x, float unit)
{
    const float zero = model_zero();
    const size_t window = layer->kernel * layer->kernel * layer->channels;
    size_t row, column, o, k;
    for (row = 0; row < layer->rows; row++)
        for (column = 0; column < layer->columns; column++)
            for (o = 0; o < layer->outputs; o++) {
                int32_t best = 0;
                for (k = 0; k < layer->pool * layer->pool; k++) {
                    const size_t down = row * layer->pool_stride + k / layer->pool,
                                 right = column * layer->pool_stride + k % layer->pool;
                    const int32_t sum = model_window_int8(
                        layer, x + (down * layer->width + right) * layer->stride * layer->channels,
                        layer->weight + o * window);
                    best = k == 0 || sum > best ? sum : best;
                }
                *y++ = layer->bias[o] + model_product((float)best, layer->scale[o] * unit, zero);
            }
}

//: prepare
// A picture is cropped to its ink, fitted into a box and centred by mass, as the images of MNIST
// were: there the box is 20 x 20 of 28 x 28 pixels.
enum {
    model_box_rows = model_rows * 20 / 28 > 0 ? model_rows * 20 / 28 : 1,
    model_box_columns = model_columns * 20 / 28 > 0 ? model_columns * 20 / 28 : 1
};

// One direction. Lengths are in units in which a pixel of the picture is `to` long and one of the
// result `from`: then both begin and end at whole numbers.
struct model_axis {
    uint32_t first, inputs, outputs; // the ink's first pixel and its length; that of the result
    uint32_t from, to, margin;       // from the first output's beginning to the first input's
};

static void model_axis_scale(struct model_axis *axis, uint32_t from, uint32_t to)
{
    axis->from = from;
    axis->to = to;
    axis->outputs = (axis->inputs * to + from - 1) / from;
    axis->margin = (axis->outputs * from - axis->inputs * to) / 2;
}

// The first input that output i covers a part of, and how much of input j it covers.
static uint32_t model_axis_first(const struct model_axis *axis, uint32_t i)
{
    return i * axis->from > axis->margin ? (i * axis->from - axis->margin) / axis->to : 0;
}

static uint32_t model_axis_overlap(const struct model_axis *axis, uint32_t i, uint32_t j)
{
    const uint32_t begin = i * axis->from, in = axis->margin + j * axis->to;
    const uint32_t from = begin > in ? begin : in;
    const uint32_t to = begin + axis->from < in + axis->to ? begin + axis->from : in + axis->to;
    return j < axis->inputs && to > from ? to - from : 0;
}

// The rows and columns with ink: pixels of at least an eighth of the brightest one.
static void model_find_ink(struct model_axis *down, struct model_axis *across,
                           const unsigned char *image, uint32_t rows, uint32_t columns)
{
    uint32_t row, column, top = rows, left = columns, bottom = 0, right = 0, most = 0, i;
    for (i = 0; i < rows * columns; i++)
        most = image[i] > most ? image[i] : most;
    for (row = 0; row < rows; row++)
        for (column = 0; column < columns; column++)
            if (image[row * columns + column] * 8u >= most) {
                top = row < top ? row : top;
                bottom = row;
                left = column < left ? column : left;
                right = column > right ? column : right;
            }
    down->first = top;
    down->inputs = bottom + 1 - top;
    across->first = left;
    across->inputs = right + 1 - left;
}

// sum[i] = ink times area of output i. Returns the largest.
static uint32_t model_scale(uint32_t *sum, const struct model_axis *down,
                            const struct model_axis *across, const unsigned char *image,
                            uint32_t columns)
{
    uint32_t row, column, y, x, height, width, most = 0;
    for (row = 0; row < down->outputs; row++)
        for (column = 0; column < across->outputs; column++, sum++) {
            *sum = 0;
            for (y = model_axis_first(down, row); (height = model_axis_overlap(down, row, y)) > 0;
                 y++)
                for (x = model_axis_first(across, column);
                     (width = model_axis_overlap(across, column, x)) > 0; x++)
                    *sum += height * width * image[(down->first + y) * columns + across->first + x];
            most = *sum > most ? *sum : most;
        }
    return most;
}

// Where the first of n outputs goes among `size` pixels, so that their centre of mass, moment /
// mass, comes near pixel size / 2.
static uint32_t model_centred(uint32_t size, uint32_t n, uint64_t moment, uint64_t mass)
{
    const uint64_t wanted = size / 2 * mass;
    const uint64_t first = wanted > moment ? (2 * (wanted - moment) + mass) / (2 * mass) : 0;
    return first < size - n ? (uint32_t)first : size - n;
}

int model_prepare(unsigned char *pixels, const unsigned char *image, int rows, int columns);
int model_prepare(unsigned char *pixels, const unsigned char *image, int rows, int columns)
{
    model_memory uint32_t sum[model_box_rows * model_box_columns];
    struct model_axis down, across;
    uint32_t i, most, top, left;
    uint64_t mass = 0, moment_down = 0, moment_across = 0;
    if (rows < 1 || columns < 1 || rows > 4000 || columns > 4000) // 255 of the square fits 32 bits
        return 0;
    for (i = 0; i < model_rows * model_columns; i++)
        pixels[i] = 0;
    model_find_ink(&down, &across, image, (uint32_t)rows, (uint32_t)columns);
    if (down.inputs * model_box_columns >= across.inputs * model_box_rows) {
        model_axis_scale(&across, down.inputs, model_box_rows);
        model_axis_scale(&down, down.inputs, model_box_rows);
    } else {
        model_axis_scale(&down, across.inputs, model_box_columns);
        model_axis_scale(&across, across.inputs, model_box_columns);
    }
    most = model_scale(sum, &down, &across, image, (uint32_t)columns);
    if (most == 0)
        return 0;
    for (i = 0; i < down.outputs * across.outputs; i++) {
        sum[i] = (uint32_t)(((uint64_t)sum[i] * 255 + most / 2) / most);
        mass += sum[i];
        moment_down += (uint64_t)sum[i] * (i / across.outputs);
        moment_across += (uint64_t)sum[i] * (i % across.outputs);
    }
    top = model_centred(model_rows, down.outputs, moment_down, mass);
    left = model_centred(model_columns, across.outputs, moment_across, mass);
    for (i = 0; i < down.outputs * across.outputs; i++)
        pixels[(top + i / across.outputs) * model_columns + left + i % across.outputs] =
            (unsigned char)sum[i];
    return 1;
}

//: end
