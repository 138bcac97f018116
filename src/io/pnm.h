// Portable anymap images (netpbm.sourceforge.net/doc/pnm.html), as grey:
//
//   P1 P4  bitmap   width height          P1 to P3: numbers as text, a pixel of a bitmap one digit
//   P2 P5  graymap  width height maxval   P4 to P6: bytes, a bitmap's rows eight pixels to a byte,
//   P3 P6  pixmap   width height maxval             samples of two bytes, big-endian, above 255
//
// Numbers are separated by white space, of which one character stands before the pixels. A "#"
// before that starts a comment up to and including the end of the line, even inside a number.
// Images of the kinds P4 to P6 may follow one after another, with nothing between them; one of the
// kinds P1 to P3 is the last.
#ifndef MLP_PNM_H
#define MLP_PNM_H

#include "source.h"

enum { PNM_MAX_PIXELS = 100000000, PNM_BUFFER = 1 << 16 };

// rows x cols pixels, row-major, 0 black to 255 white.
typedef struct GreyImage {
    size_t rows, cols;
    const unsigned char *pixels;
} GreyImage;

// The images of a source. All but `more` is the reader's own.
typedef struct PnmReader {
    bool more; // there is an image to be read
    Source source;
    Error *err;
    uint64_t before; // bytes of the source before the buffer
    size_t at, n;    // in the buffer: the next byte, and the end of what has been read
    bool ended;      // the source had no more when it was asked
    bool failed;     // reading failed, and err says why
    unsigned char buffer[PNM_BUFFER];
} PnmReader;

// Begins with a source of which nothing has been read, and which is the reader's from now on.
// Sets `more`.
void pnm_begin(PnmReader *reader, const Source *source);

// Reads the next image, and looks at what follows it, to which `more` is set. Without more, and on
// failure, the source is closed: so read until there is no more. Samples from 0 to maxval, 65535 at
// most, become 0 to 255, rounded half up; colours become grey by the luma of ITU-R BT.601,
// (299 R + 587 G + 114 B) / 1000, rounded once. The pixels are owned by the arena, in memory that
// grows as they arrive. On failure says in err which file, where and what was expected; other image
// formats are recognised by their first bytes and named.
bool pnm_read(PnmReader *reader, GreyImage *image, Arena *arena, Error *err);

#endif
