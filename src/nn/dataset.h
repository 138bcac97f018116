// Labelled images in memory: pixels stay bytes, examples are indices. Knows the split into
// training and validation, the input scale and what a batch is; knows no files and no network.
#ifndef MLP_DATASET_H
#define MLP_DATASET_H

#include "base.h"

// The lit pixels of images a second time, without the dark ones between them, for training, which
// asks for each image in every epoch: n_chunks lists an image, one for each of the parts of it that
// whoever reads them takes at a time. List c of image i are the entries start[i * n_chunks + c] up
// to the next list's, two bytes each (SparseRows of kernels.h).
typedef struct LitPixels {
    const uint16_t *entries;
    const uint32_t *start; // (n * n_chunks + 1)
    size_t n_chunks;
} LitPixels;

// n images of rows x cols pixels, row-major, one byte a pixel: (n, rows * cols). labels is (n).
// The memory belongs to the arena it was read into.
typedef struct Dataset {
    size_t n, rows, cols;
    size_t n_classes; // every label is below it
    const unsigned char *pixels;
    const unsigned char *labels;
    uint32_t crc32;       // of the raw image file followed by the raw label file; idx.h says which
    const LitPixels *lit; // of the images that are trained on and judged, NULL: there are none
} Dataset;

static inline size_t dataset_pixels_per_image(const Dataset *data)
{
    return data->rows * data->cols;
}

// The first image whose label is `classes` or more, or n.
size_t dataset_find_beyond(const Dataset *data, size_t classes);

// Parts of one training file: images from the first on train, the last ones validate.
typedef struct Split {
    Range train, validation;
} Split;

// How many images of a range have each label.
typedef struct ClassCounts {
    size_t n[256];
} ClassCounts;

ClassCounts dataset_count_classes(const Dataset *data, Range images);

// Splits n images. val_size 0 stands for 10,000, or a sixth of a file of fewer than 60,000;
// train_size 0 for all the others. On failure says which of the two asks for too much.
bool dataset_split(Split *split, size_t n, size_t train_size, size_t val_size, Error *err);

// Measures s, the standard deviation of the pixels / 255 of the given images, from exact integer
// sums. Fails when all pixels are equal: there is nothing to learn and nothing to divide by.
bool dataset_pixel_std(double *std, const Dataset *data, Range images, Error *err);

// What the network sees of a pixel v: value[v] = v / 255 / s. value[0] is exactly 0, which is why
// no mean is subtracted: a pixel that is zero contributes nothing and can be skipped.
typedef struct InputScale {
    float value[256];
} InputScale;

InputScale input_scale(double std);

// B examples of a data set, named by their index, and up to 2 B that follow, those of the two
// batches after it: a hint, so that their pixels can be fetched from memory in time.
typedef struct Batch {
    const Dataset *data;
    const InputScale *scale;
    const uint32_t *index; // (size)
    size_t size;           // B
    const uint32_t *next;  // (next_size)
    size_t next_size;
} Batch;

static inline const unsigned char *batch_pixels(const Batch *batch, size_t b)
{
    return batch->data->pixels + batch->index[b] * dataset_pixels_per_image(batch->data);
}

static inline unsigned batch_label(const Batch *batch, size_t b)
{
    return batch->data->labels[batch->index[b]];
}

#endif
