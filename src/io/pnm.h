// Portable anymap images (netpbm.sourceforge.net/doc/pnm.html), as grey:
//
//   P1 P4  bitmap   width height          P1 to P3: numbers as text, a pixel of a bitmap one digit
//   P2 P5  graymap  width height maxval   P4 to P6: bytes, a bitmap's rows eight pixels to a byte,
//   P3 P6  pixmap   width height maxval             samples of two bytes, big-endian, above 255
//
// Numbers are separated by white space; one character of it precedes the pixels. Before that, a "#"
// starts a comment, even inside a number, which ends with the line. Images P4 to P6 may follow one
// another with nothing between them; an image P1 to P3 is the last of its file.
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
    bool more;          // there is an image to be read
    bool ended, failed; // the source had no more; reading failed, and err says why
    Source source;
    Error *err;
    int kind;        // '1' to '6' where "P" and that digit of the next image have been read, or 0
    int bits;        // of a bitmap P4: the byte whose bits are being read
    uint64_t before; // bytes of the source before the buffer
    size_t at, n;    // in the buffer: the next byte, and the end of what has been read
    unsigned char buffer[PNM_BUFFER]; // with nothing behind it, for tests/test_page_end.c
} PnmReader;

// Begins with a source of which nothing has been read. The reader owns it from now on. Sets `more`.
void pnm_begin(PnmReader *reader, const Source *source);

// Reads the next image and sets `more` after a look at what follows. The source is closed when
// there is no more, and on failure: so read until there is no more. Samples from 0 to maxval, at
// most 65535, become 0 to 255, rounded half up; colours become grey by the luma of ITU-R BT.601,
// (299 R + 587 G + 114 B) / 1000, rounded once. The pixels are owned by the arena. On failure says
// in err which file, where and what was expected; other image formats are named.
bool pnm_read(PnmReader *reader, GreyImage *image, Arena *arena, Error *err);

#endif
