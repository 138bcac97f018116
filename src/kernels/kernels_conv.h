// Loops over images: convolution and max pooling. kernels.h says how every instruction set gives
// the same bits, and is read first.
//
// An image is (height,width,pitch): `pitch` floats per pixel, its channels and zeros up to a
// multiple of KERNEL_PAD; a picture of one channel may have a pitch of 1. A window of kernel_size x
// kernel_size pixels moves over it, `stride` pixels at a time. Its output positions are numbered
// row by row. Images of a batch are image_stride floats apart, their outputs,
// (positions,out_pitch), out_image_stride floats.
//
// After max pooling and ReLU, most of dL/dy is zero: one position of four had the largest value,
// and half of those were cut off. So dL/dy is turned into lists of its nonzero values by channel,
// and only those are multiplied. As everywhere, leaving out the term of a zero changes no bit of a
// sum that began at +0.
#ifndef MLP_KERNELS_CONV_H
#define MLP_KERNELS_CONV_H

#include "base.h"

typedef struct ConvShape {
    size_t height, width, pitch;             // of the image: pixels, pixels, floats per pixel
    size_t in_channels;                      // of the image, without padding
    size_t kernel_size, stride;              // pixels
    size_t out_height, out_width, out_pitch; // positions, positions, floats per position
    size_t channels;                         // of the output, without padding
    size_t image_stride, out_image_stride;   // floats from one example to the next
} ConvShape;

static inline size_t conv_positions(const ConvShape *s)
{
    return s->out_height * s->out_width;
}

// The floats of a row of a window, which are neighbours in the image.
static inline size_t conv_row_length(const ConvShape *s)
{
    return s->kernel_size * s->pitch;
}

static inline size_t conv_window_length(const ConvShape *s)
{
    return s->kernel_size * conv_row_length(s);
}

// Where the window of an output position begins in its image.
static inline size_t conv_offset(const ConvShape *s, size_t row, size_t column)
{
    return (row * s->width + column) * s->stride * s->pitch;
}

// The limits of kernel_size and conv_window_length: transposed weights and sums of windows are kept
// on the stack.
enum { CONV_MAX_KERNEL = 8, CONV_MAX_WINDOW = 1024 };

// One nonzero value of dL/dy, and where its window begins. The first of a list is its length
// instead, in `at`.
typedef struct Nonzero {
    uint32_t at;
    float value;
} Nonzero;

// The lists of a batch: for each example one list per channel, of at most all positions.
static inline size_t nonzeros_per_example(const ConvShape *s)
{
    return round_up(s->channels * (1 + conv_positions(s)), 8);
}

static inline size_t nonzeros_at(const ConvShape *s, size_t e, size_t channel)
{
    return e * nonzeros_per_example(s) + channel * (1 + conv_positions(s));
}

// Weights are W (channels,w_stride): a row is a window, (kernel_size,kernel_size,pitch), zero where
// the image has padding, then zeros.
typedef struct ConvKernels {
    // y[e][position][o] = (b[o] + 0) + sum over the window's floats k of x[e][window + k] *
    // W[o][k]; out_pitch outputs, those without a channel zero. b (out_pitch). x may be read up to
    // KERNEL_PAD floats beyond the end of an image.
    void (*forward)(float *y, const float *W, size_t w_stride, const float *b, const ConvShape *s,
                    const float *x, size_t B);

    // Lists the nonzero values of dy (B,positions,out_pitch), by ascending position.
    void (*list_nonzeros)(Nonzero *lists, const ConvShape *s, const float *dy, size_t B);

    // dx[e][i] = sum over channels o, then over positions, of dy * W[o][k], k being where i is in
    // the window. The pitch is a multiple of KERNEL_PAD. All of the image is written.
    void (*backward)(float *dx, const float *W, size_t w_stride, const ConvShape *s,
                     const Nonzero *lists, size_t B);

    // For the channels of a range: W[o][k] += scale * sum over examples, then over positions, of
    // dy * x[e][window + k]; b[o] += scale * the same sum of dy. Rows of x may be read up to
    // KERNEL_PAD floats beyond the end of an image.
    void (*weight_gradient)(float *W, size_t w_stride, float *b, const ConvShape *s, Range channels,
                            const float *x, const Nonzero *lists, size_t B, float scale);

    // y[e][position][c] = the largest x of the window, channel by channel, and
    // winner[e][position][c] its pixel's number in the window, the first of equals; winner
    // (B,winner_stride) bytes.
    void (*pool_forward)(float *y, unsigned char *winner, size_t winner_stride, const ConvShape *s,
                         const float *x, size_t B);

    // dx = dy at the winner of each window, else 0. Windows must not overlap. All of the image is
    // written.
    void (*pool_backward)(float *dx, const unsigned char *winner, size_t winner_stride,
                          const ConvShape *s, const float *dy, size_t B);
} ConvKernels;

#endif
