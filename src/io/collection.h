// Images that an import collects, with labels as the user has them: numbers or words. Which classes
// these are is known when all have been read. csv_images.h and class_tree.h fill a collection,
// idx_write.h writes what becomes of it.
#ifndef MLP_COLLECTION_H
#define MLP_COLLECTION_H

#include "class_names.h"

enum { COLLECTION_MAX_SIDE = 4096 }; // pixels, as networks have it

// The different labels, each with the place that had it first.
typedef struct Labels {
    size_t n;
    struct Label {
        ClassName text;
        const char *file; // not a copy
        size_t line;      // 0: the label is that of a directory
    } each[MLP_MAX_CLASSES];
} Labels;

// Finds a label, or adds it, and returns its index; -1 when it cannot be one: it is empty, longer
// than a class name, or the first too many.
int labels_index(Labels *labels, const char *text, const char *file, size_t line, Error *err);

// Reads a whole number, which may end in a point and zeros as tables of other programs have them.
bool label_parse_number(const char *text, uint64_t *value);

// n images of one size and their labels. Begin with zeros.
typedef struct Collection {
    size_t n, rows, cols;
    ArenaBytes pixels; // (n, rows, cols)
    ArenaBytes labels; // (n), indices; collection_set_classes makes them classes
} Collection;

// Returns where the pixels of the next image go; NULL when memory is short, or when there are
// 2^32 - 1 images, which is the most. The sizes must be set.
unsigned char *collection_next(Collection *images, Arena *arena, Error *err);

// Counts the image that is there now, and gives it the label with that index.
void collection_add(Collection *images, int label);

// What the labels are: where all are whole numbers, these are the classes; else words, whose
// classes are numbered in the order of their bytes. `given`, the value of --classes or NULL, names
// the classes of numbers, and is the order of words.
typedef struct Classes {
    unsigned char number[MLP_MAX_CLASSES]; // by the label's index
    size_t n;                              // different ones
    const char *names; // as class_names.h has them, owned by the arena; NULL: there are none
} Classes;
bool classes_of_labels(Classes *classes, const Labels *labels, const char *given, Arena *arena,
                       Error *err);

// Makes classes of the labels of the images.
void collection_set_classes(Collection *images, const Classes *classes);

// Some images of a collection, in an order.
typedef struct Selection {
    const Collection *images;
    uint32_t *order; // (n)
    size_t n;
} Selection;

// Takes all images.
bool selection_all(Selection *all, const Collection *images, Arena *arena, Error *err);

// Takes a part of each class away, the nearest number of images to `fraction` but not all: those
// that come first in a random order of (seed, class). The images in both parts keep their order.
// The labels must be classes.
bool selection_split(Selection *train, Selection *test, double fraction, uint64_t seed,
                     Arena *arena, Error *err);

// Brings them into a random order.
bool selection_shuffle(Selection *images, uint64_t seed, Arena *arena, Error *err);

#endif
