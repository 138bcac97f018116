// Labelled images in memory. Knows the split into training and validation, the input scale and what
// a batch is; knows no files and no network. Read layers.h next.
#ifndef MLP_DATASET_H
#define MLP_DATASET_H

#include "base.h"
#include "mlp.h"

// n labelled images (mlp.h). The memory belongs to the arena it was read into, or to the caller of
// mlp_data_from_memory. crc32 is of the raw image file, the raw label file and, where the images
// were transposed, a mark of that.
typedef mlp_data Dataset;

static inline size_t dataset_pixels_per_image(const Dataset *data)
{
    return data->rows * data->cols;
}

// The images of a range as a data set of their own, in the same memory.
static inline Dataset dataset_part(const Dataset *data, Range images)
{
    Dataset part = *data;
    part.pixels += images.first * dataset_pixels_per_image(data);
    part.labels += images.first;
    part.n = range_length(images);
    return part;
}

// The number of classes that n labels mean: 10, or more where a label is 10 or more.
size_t dataset_labels_to_classes(const unsigned char *labels, size_t n);

// The first image whose label is `classes` or more, or n.
size_t dataset_find_beyond(const Dataset *data, size_t classes);

// The training images, and the validation images behind them in the same file.
typedef struct Split {
    Range train, validation;
} Split;

// How many images of a range have each label.
typedef struct ClassCounts {
    size_t n[MLP_MAX_CLASSES];
} ClassCounts;

ClassCounts dataset_count_classes(const Dataset *data, Range images);

// Splits n images. val_size 0 means 10,000, or a sixth of a file of fewer than 60,000; train_size 0
// means all the others. On failure says which of the two asks for too much.
bool dataset_split(Split *split, size_t n, size_t train_size, size_t val_size, Error *err);

// Exact sums over the pixels of some images, at least one: what mean and deviation are made of.
typedef struct PixelSums {
    uint64_t n, nonzero; // pixels, and those that are not 0
    uint64_t sum, sum_of_squares;
    unsigned char smallest, largest;
} PixelSums;

PixelSums dataset_pixel_sums(const Dataset *data, Range images);

// Mean and standard deviation of the pixels / 255.
double pixel_sums_mean(const PixelSums *sums);
double pixel_sums_std(const PixelSums *sums);

// Measures s, the standard deviation of the pixels / 255 of the given images, from exact integer
// sums. Fails when all pixels are equal: there is nothing to learn and nothing to divide by.
bool dataset_pixel_std(double *std, const Dataset *data, Range images, Error *err);

// What the network sees of a pixel v: value[v] = v / 255 / s. No mean is subtracted, so that
// value[0] is exactly 0 and a zero pixel can be skipped.
typedef struct InputScale {
    float value[256];
} InputScale;

InputScale input_scale(double std);

// What a first layer makes once of the images of a data set that it will see many times.
typedef struct PreparedImages PreparedImages;

// B = size images of a data set. Example e is image order[first + e], or image first + e where
// there is no order. What follows the batch in the order is likely to be the next batch.
typedef struct Batch {
    const Dataset *data;
    const PreparedImages *prepared; // of these data as they are now; NULL: the bytes are read
    const InputScale *scale;
    const uint32_t *order; // (n), NULL: 0, 1, 2, ...
    size_t n;
    size_t first, size;
} Batch;

static inline size_t batch_image(const Batch *batch, size_t e)
{
    return batch->order == NULL ? batch->first + e : batch->order[batch->first + e];
}

// The pixels of example e. Every layer and every check that reads pixels reads them here.
static inline const unsigned char *batch_pixels(const Batch *batch, size_t e)
{
    return batch->data->pixels + batch_image(batch, e) * dataset_pixels_per_image(batch->data);
}

static inline unsigned batch_label(const Batch *batch, size_t e)
{
    return batch->data->labels[batch_image(batch, e)];
}

#endif
