// What a data set looks like before anything is trained on it: classes, pixels, blank images and
// copies. Knows no files and says nothing to the user: that is cli/data_info.c. Read dataset.h
// first.
#ifndef MLP_DATA_SUMMARY_H
#define MLP_DATA_SUMMARY_H

#include "dataset.h"

// Some images of a data set, at least one.
typedef struct ImageSummary {
    ClassCounts classes;
    PixelSums pixels;
    size_t blank, first_blank; // images whose pixels are all equal; the first is where there is one
} ImageSummary;

ImageSummary images_summarize(const Dataset *data, Range images);

// Images of two data sets that have the same size and the same bytes. All images have one
// numbering: those of the first set, then those of the second.
typedef struct Copies {
    const Dataset *sets[2]; // NULL: there is none
    size_t n;               // images of both
    size_t *first_like;     // (n) the first image that image i equals, or i itself
    // How many images of the first set equal an earlier one of that set; the same of the second;
    // and how many of the second equal one of the first.
    size_t in_first, in_second, between;
    // How many of all have another label than the first image that they equal.
    size_t relabelled;
} Copies;

// Compares all images, in time n log n. Either set may be NULL. The numbers are owned by the arena;
// fails when memory is short.
bool copies_find(Copies *copies, const Dataset *first, const Dataset *second, Arena *arena,
                 Error *err);

// Where image `number` is: in which of the two sets, and its index there.
typedef struct ImagePlace {
    size_t set, index;
} ImagePlace;

ImagePlace copies_place(const Copies *copies, size_t number);
unsigned copies_label(const Copies *copies, size_t number);

#endif
