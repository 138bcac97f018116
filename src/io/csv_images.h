// The reader of tables of images: CSV (RFC 4180) with one image in a row, its label in one column,
// its pixels, whole numbers from 0 to 255 row by row, in the others. csv.h is the writer.
//
// Lines end in "\n" or "\r\n"; a byte order mark and empty lines are skipped; the separator is the
// first comma, semicolon or tab. Fields may be quoted, but not continue on the next line, and are
// shorter than CSV_FIELD_SIZE; blanks around them are left out. Numbers may end in a point and
// zeros. The first line is a header when it names the column of the labels, when none of its
// fields is a number, or when they are 0, 1, 2 and so on.
#ifndef MLP_CSV_IMAGES_H
#define MLP_CSV_IMAGES_H

#include "collection.h"
#include "source.h"

enum {
    CSV_FIELD_SIZE = 256,
    CSV_MAX_COLUMNS = COLLECTION_MAX_SIDE * COLLECTION_MAX_SIDE + 1,
    CSV_BUFFER = 1 << 18
};

// Adds the images of a table. `label` is the name of the labels' column, or its number from 1;
// NULL: the column called "label" or "class" in any letters, else the first. The sizes of the
// images are those of the collection; where they are 0, the images are squares. Closes the source,
// of which nothing has been read. Memory grows with the images alone. On failure says in err which
// file, line and column, what was found and what was expected.
bool csv_images_read(Collection *images, Labels *labels, const char *label, const Source *source,
                     Arena *arena, Error *err);

#endif
