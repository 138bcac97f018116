// Portable anymap images (netpbm.sourceforge.net/doc/pnm.html), as grey:
//
//   P1 P4  bitmap   width height          P1 to P3: numbers as text, a pixel of a bitmap one digit
//   P2 P5  graymap  width height maxval   P4 to P6: bytes, a bitmap's rows eight pixels to a byte
//   P3 P6  pixmap   width height maxval
//
// Numbers are separated by white space, of which one character stands before the pixels. A "#"
// before that starts a comment up to and including the end of the line, even inside a number.
#ifndef MLP_PNM_H
#define MLP_PNM_H

#include "source.h"

enum { PNM_MAX_PIXELS = 100000000 };

// rows x cols pixels, row-major, 0 black to 255 white.
typedef struct GreyImage {
    size_t rows, cols;
    const unsigned char *pixels;
} GreyImage;

// Reads the one image of a source of which nothing has been read, and closes the source. Samples
// from 0 to maxval, 255 at most, become 0 to 255, rounded half up; colours become grey by the luma
// of ITU-R BT.601, (299 R + 587 G + 114 B) / 1000, rounded once. The pixels are owned by the
// arena, in memory that grows as they arrive. On failure says in err which file, where and what was
// expected; other image formats are recognised by their first bytes and named.
bool pnm_read(GreyImage *image, Arena *arena, const Source *source, Error *err);

#endif
