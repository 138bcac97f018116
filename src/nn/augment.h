// Augmentation: in every epoch the network sees each training image a little rotated, scaled,
// shifted and sheared. What is drawn is a function of (seed, epoch, number of the image) alone, so
// that a training that is resumed sees the same images. Knows images of bytes; knows no network.
// Read dataset.h first, train.c next.
//
// With centred coordinates, x to the right, y downwards, a point p of the image moves to
//   q = A p + t,   A = factor * [cos -sin; sin cos] * [1 shear; 0 1],   t = (shift_x, shift_y)
// The pixel at q is interpolated between the four that surround p = A^-1 (q - t), with zeros
// outside the image. The determinant of A is factor^2, so that
//   A^-1 = 1 / factor * [cos + shear sin,  sin - shear cos;  -sin,  cos]
#ifndef MLP_AUGMENT_H
#define MLP_AUGMENT_H

#include "dataset.h"
#include "kernels.h"

// Whether the settings ask for any.
bool augment_is_on(const mlp_settings *settings);

// The map of an image of an epoch. Angle, factor, shear and both shifts are uniform within what the
// settings allow: within rotate degrees, scale of 1, shear and shift of 0.
mlp_affine augment_draw(const mlp_settings *settings, uint64_t epoch, uint64_t image);

// What moving one image takes: memory of the arena, used by one thread at a time.
typedef struct Resampler {
    size_t rows, cols;
    unsigned char *ink;    // (rows + 2, cols + 1) the ink with a border
    uint32_t *quads;       // (rows + 1, cols + 1) made of it, see kernels.h
    SampleLine *lines;     // (rows)
    unsigned char *result; // (rows, cols)
} Resampler;

// Fails when a side has more than RESAMPLER_MAX_SIDE pixels, or when memory is short. That many, a
// border and what the last steps go beyond it fit in the bits that a position has before its
// fraction (kernels.h).
enum { RESAMPLER_MAX_SIDE = 4096 };
bool resampler_open(Resampler *resampler, size_t rows, size_t cols, Arena *arena, Error *err);

// Writes image `from` as the map moves it to `to`, both (rows, cols).
void resampler_apply(const Resampler *resampler, const mlp_affine *map, const unsigned char *from,
                     unsigned char *to);

// The images of two batches of a training, the present one and the next one, and a resampler for
// each worker. Batches of batch_size take turns.
typedef struct AugmentedImages {
    unsigned char *pixels, *labels; // (batch_size, rows, cols), (batch_size)
    Dataset data;                   // the same
} AugmentedImages;
typedef struct Augmentation {
    const mlp_settings *settings;
    size_t batch_size;
    AugmentedImages images[2];
    Resampler *resamplers; // (workers)
} Augmentation;

// Memory is owned by the arena, the settings are only referred to. Fails when memory is short.
bool augmentation_open(Augmentation *augmentation, const mlp_settings *settings,
                       const Dataset *data, size_t batch_size, size_t workers, Arena *arena,
                       Error *err);

// Makes the images of some examples of a batch; a worker of its own for each call at a time.
void augmentation_make(const Augmentation *augmentation, size_t epoch, const Batch *batch,
                       Range examples, size_t worker);

// The batch with those images in place of its own.
Batch augmentation_batch(const Augmentation *augmentation, const Batch *batch);

#endif
