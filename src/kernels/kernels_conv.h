// Loops over images: convolution and max pooling; see kernels.h for how the same bits come from
// every instruction set.
//
// An image is (H,W,P): P floats a pixel, its channels and zeros up to a multiple of KERNEL_PAD; a
// picture of one channel may have P = 1. A window of side x side pixels moves over it; its places
// are numbered row by row. Images of a batch lie image_stride floats apart, the places' outputs,
// (places, out_pitch), out_image_stride floats.
//
// What flows back through max pooling and ReLU is mostly zero: one place of four had the largest
// value, and half of those were cut off. So a convolution's dL/dy is turned into lists of what is
// not zero, by channel, and only those are multiplied: as everywhere, leaving out the term of a
// zero changes no bit of a sum that began at +0.
#ifndef MLP_KERNELS_CONV_H
#define MLP_KERNELS_CONV_H

#include "base.h"

typedef struct ConvShape {
    size_t height, width, pitch; // of the image: pixels, pixels, floats from one to the next
    size_t kernel_size, stride;  // of the window, and from one position to the next; pixels
    size_t out_height, out_width, out_pitch; // places, places, floats from one to the next
    size_t channels;                         // of the output, without padding
    size_t image_stride, out_image_stride;   // floats from one example to the next
} ConvShape;

static inline size_t conv_positions(const ConvShape *w)
{
    return w->out_height * w->out_width;
}

// The floats of a row of a window, which are neighbours in the image.
static inline size_t conv_row_length(const ConvShape *w)
{
    return w->kernel_size * w->pitch;
}

// Where the window at a place begins in its image.
static inline size_t conv_offset(const ConvShape *w, size_t row, size_t column)
{
    return (row * w->width + column) * w->stride * w->pitch;
}

// No window may be larger: sums and transposed weights are kept on the stack.
enum { CONV_MAX_KERNEL = 8, CONV_MAX_ROW = 512 };

// One value of dL/dy that is not zero, and where its window begins. The first of a list is its
// length instead, in `at`.
typedef struct Nonzero {
    uint32_t at;
    float value;
} Nonzero;

// The lists of a batch: for each example one a channel, with room for all places.
static inline size_t nonzeros_room(const ConvShape *w)
{
    return round_up(w->channels * (1 + conv_positions(w)), 8); // entries an example
}

static inline size_t nonzeros_at(const ConvShape *w, size_t e, size_t channel)
{
    return e * nonzeros_room(w) + channel * (1 + conv_positions(w));
}

// Weights are W (channels, w_stride): a row is a window, (side, side, P), then zeros.
typedef struct ConvKernels {
    // y[e][place][o] = (b[o] + 0) + sum over the window's floats k of x[e][window + k] * W[o][k];
    // out_pitch outputs, those without a channel zero. b (out_pitch). x may be read up to
    // KERNEL_PAD floats beyond the end of an image.
    void (*forward)(float *y, const float *W, size_t w_stride, const float *b, const ConvShape *w,
                    const float *x, size_t B);

    // Lists what is not zero of dy (B, places, out_pitch), by ascending place.
    void (*collect)(Nonzero *lists, const ConvShape *w, const float *dy, size_t B);

    // dx[e][i] = sum over channels o, then over places, of dy * W[o][k], k being where i lies in
    // the window. All of the image is written.
    void (*backward)(float *dx, const float *W, size_t w_stride, const ConvShape *w,
                     const Nonzero *lists, size_t B);

    // For the channels of a range: W[o][k] += scale * sum over examples, then over places, of
    // dy * x[e][window + k]; b[o] += scale * the same sum of dy. Rows of x may be read up to
    // KERNEL_PAD floats beyond the end of an image.
    void (*weight_gradient)(float *W, size_t w_stride, float *b, const ConvShape *w, Range channels,
                            const float *x, const Nonzero *lists, size_t B, float scale);

    // y[e][place][c] = the largest x of the window, channel by channel, and winner[e][place][c] its
    // pixel's number in the window, the first of equals; winner (B, winner_stride) bytes.
    void (*pool_forward)(float *y, unsigned char *winner, size_t winner_stride, const ConvShape *w,
                         const float *x, size_t B);

    // dx = dy at the winner of each window, else 0. ConvShape must not overlap. All of the image is
    // written.
    void (*pool_backward)(float *dx, const unsigned char *winner, size_t winner_stride,
                          const ConvShape *w, const float *dy, size_t B);
} ConvKernels;

#endif
