// The split, and what is measured of pixels and labels. Read dataset.h first.
#include "dataset.h"

#include <math.h>

size_t dataset_find_beyond(const Dataset *data, size_t classes)
{
    size_t i = 0;
    while (i < data->n && data->labels[i] < classes)
        i++;
    return i;
}

size_t dataset_labels_to_classes(const unsigned char *labels, size_t n)
{
    size_t n_classes = 10;
    for (size_t i = 0; i < n; i++)
        n_classes = labels[i] < n_classes ? n_classes : labels[i] + (size_t)1;
    return n_classes;
}

ClassCounts dataset_count_classes(const Dataset *data, Range images)
{
    ClassCounts counts = {{0}};
    for (size_t i = images.first; i < images.end; i++)
        counts.n[data->labels[i]]++;
    return counts;
}

bool dataset_split(Split *split, size_t n, size_t train_size, size_t val_size, Error *err)
{
    if (val_size == 0)
        val_size = n < 60000 ? n / 6 : 10000;
    if (val_size == 0)
        return error_set(err,
                         "the training data have only %zu images, too few to keep a sixth for "
                         "validation",
                         n);
    if (val_size >= n)
        return error_set(
            err,
            "validation_size (--val-size) %zu leaves nothing to train on: the training data have "
            "%zu images",
            val_size, n);
    size_t rest = n - val_size;
    if (train_size > rest)
        return error_set(
            err,
            "train_size (--train-size) %zu is more than the %zu images that the training "
            "data have beside %zu for validation",
            train_size, rest, val_size);
    split->train = (Range){0, train_size == 0 ? rest : train_size};
    split->validation = (Range){rest, n};
    return true;
}

// So many squares of a byte fit 32 bits.
enum { SUM_BLOCK = 4096 };

// Adds n <= SUM_BLOCK pixels. Inlined where n is that constant, so that it is made of vectors.
static inline void pixel_sums_add(PixelSums *sums, const unsigned char *pixel, size_t n)
{
    uint32_t sum = 0, squares = 0, nonzero = 0;
    unsigned char smallest = sums->smallest, largest = sums->largest;
    for (size_t i = 0; i < n; i++) {
        sum += pixel[i];
        squares += (uint32_t)pixel[i] * pixel[i];
        nonzero += pixel[i] != 0;
        smallest = pixel[i] < smallest ? pixel[i] : smallest;
        largest = pixel[i] > largest ? pixel[i] : largest;
    }
    sums->sum += sum;
    sums->sum_of_squares += squares;
    sums->nonzero += nonzero;
    sums->smallest = smallest;
    sums->largest = largest;
}

PixelSums dataset_pixel_sums(const Dataset *data, Range images)
{
    size_t per_image = dataset_pixels_per_image(data), n = range_length(images) * per_image;
    const unsigned char *pixel = data->pixels + images.first * per_image;
    PixelSums sums = {.n = n, .smallest = pixel[0], .largest = pixel[0]};
    for (; n >= SUM_BLOCK; n -= SUM_BLOCK, pixel += SUM_BLOCK)
        pixel_sums_add(&sums, pixel, SUM_BLOCK);
    pixel_sums_add(&sums, pixel, n);
    return sums;
}

double pixel_sums_mean(const PixelSums *sums)
{
    return (double)sums->sum / (double)sums->n / 255.0;
}

double pixel_sums_std(const PixelSums *sums)
{
    double n = (double)sums->n, mean = (double)sums->sum / n;
    double variance = (double)sums->sum_of_squares / n - mean * mean;
    return variance > 0.0 ? sqrt(variance) / 255.0 : 0.0;
}

bool dataset_pixel_std(double *std, const Dataset *data, Range images, Error *err)
{
    PixelSums sums = dataset_pixel_sums(data, images);
    *std = pixel_sums_std(&sums);
    return *std > 0.0 ||
           error_set(err,
                     "every pixel of the %zu training images has the value %u: nothing can be "
                     "learned from them",
                     range_length(images), sums.smallest);
}

InputScale input_scale(double std)
{
    InputScale scale;
    for (int v = 0; v < 256; v++)
        scale.value[v] = (float)(v / 255.0 / std);
    return scale;
}
