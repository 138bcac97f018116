// Counts classes, pixels, blank images and copies. Copies are found by sorting the images by a hash
// and, where that is the same, by their bytes: equal images become neighbours, and a file made to
// have many equal hashes takes no longer than n log n comparisons.
#include "data_summary.h"

#include <stdlib.h>
#include <string.h>

ImageSummary images_summarize(const Dataset *data, Range images)
{
    size_t size = dataset_pixels_per_image(data);
    ImageSummary summary = {.classes = dataset_count_classes(data, images),
                            .pixels = dataset_pixel_sums(data, images)};
    for (size_t i = images.first; i < images.end; i++) {
        const unsigned char *pixels = data->pixels + i * size;
        if (memcmp(pixels, pixels + 1, size - 1) != 0) // each pixel with the next
            continue;
        if (summary.blank == 0)
            summary.first_blank = i;
        summary.blank++;
    }
    return summary;
}

// What the images are sorted by.
typedef struct ImageKey {
    uint64_t hash;
    const Dataset *data;
    size_t index, number;
} ImageKey;

// A multiplication for every eight bytes; the shift brings the upper bits, which depend on all of
// them, down to where the next eight bytes are added.
static uint64_t hash_bytes(const unsigned char *bytes, size_t n)
{
    uint64_t hash = n;
    for (size_t i = 0; i < n; i += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, n - i < 8 ? n - i : 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    return hash;
}

static size_t image_count(const Dataset *data)
{
    return data == NULL ? 0 : data->n;
}

// Image 0 of the data set has the number `first`.
static void make_keys(ImageKey *keys, const Dataset *data, size_t first)
{
    for (size_t i = 0; i < image_count(data); i++) {
        size_t size = dataset_pixels_per_image(data);
        keys[i] = (ImageKey){hash_bytes(data->pixels + i * size, size), data, i, first + i};
    }
}

static int compare_numbers(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

// 0 where the images are equal.
static int compare_images(const ImageKey *a, const ImageKey *b)
{
    size_t size = dataset_pixels_per_image(a->data);
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (a->data->rows != b->data->rows || a->data->cols != b->data->cols)
        return a->data->rows != b->data->rows ? compare_numbers(a->data->rows, b->data->rows)
                                              : compare_numbers(a->data->cols, b->data->cols);
    return memcmp(a->data->pixels + a->index * size, b->data->pixels + b->index * size, size);
}

static int compare_keys(const void *a, const void *b)
{
    int order = compare_images(a, b);
    return order != 0
               ? order
               : compare_numbers(((const ImageKey *)a)->number, ((const ImageKey *)b)->number);
}

// Counts the equal images keys[0 .. n-1], which are sorted by their numbers.
static void count_equal(Copies *copies, const ImageKey *keys, size_t n)
{
    size_t in_first = 0;
    unsigned label = copies_label(copies, keys[0].number);
    for (size_t i = 0; i < n; i++) {
        in_first += keys[i].data == copies->sets[0];
        copies->first_like[keys[i].number] = keys[0].number;
        copies->relabelled += copies_label(copies, keys[i].number) != label;
    }
    size_t in_second = n - in_first;
    copies->in_first += in_first > 0 ? in_first - 1 : 0;
    copies->in_second += in_second > 0 ? in_second - 1 : 0;
    copies->between += in_first > 0 ? in_second : 0;
}

bool copies_find(Copies *copies, const Dataset *first, const Dataset *second, Arena *arena,
                 Error *err)
{
    static const char what[] = "the comparison of all images";
    *copies = (Copies){.sets = {first, second}, .n = image_count(first) + image_count(second)};
    copies->first_like = arena_alloc(arena, copies->n, sizeof *copies->first_like, what, err);
    ImageKey *keys = arena_alloc(arena, copies->n, sizeof *keys, what, err);
    if (copies->first_like == NULL || keys == NULL)
        return false;
    make_keys(keys, first, 0);
    make_keys(keys + image_count(first), second, image_count(first));
    qsort(keys, copies->n, sizeof *keys, compare_keys);
    for (size_t k = 0, end; k < copies->n; k = end) {
        end = k + 1;
        while (end < copies->n && compare_images(&keys[k], &keys[end]) == 0)
            end++;
        count_equal(copies, keys + k, end - k);
    }
    return true;
}

ImagePlace copies_place(const Copies *copies, size_t number)
{
    size_t n_first = image_count(copies->sets[0]);
    return number < n_first ? (ImagePlace){0, number} : (ImagePlace){1, number - n_first};
}

unsigned copies_label(const Copies *copies, size_t number)
{
    ImagePlace place = copies_place(copies, number);
    return copies->sets[place.set]->labels[place.index];
}
