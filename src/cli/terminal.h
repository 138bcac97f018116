// What a terminal can show, and pictures drawn in it with half blocks: a character is two pixels,
// one above the other. Knows nothing of networks: progress.h, and the commands weights, features
// and predict say what is drawn.
#ifndef MLP_TERMINAL_H
#define MLP_TERMINAL_H

#include "base.h"

// Whether a descriptor is a terminal that understands more than lines of text ($TERM).
bool terminal_is_capable(int fd);

// Whether it shows colours, too, and nobody asked for none ($NO_COLOR).
bool terminal_has_colours(int fd);

// Its columns; 80 when they are unknown.
size_t terminal_width(int fd);

// Draws one image on standard output, in black and white: pixels >= 128 are ink.
void terminal_draw_ink(const unsigned char *pixels, size_t rows, size_t cols);

// n pictures of rows x cols values.
typedef struct Tiles {
    size_t n, rows, cols;
    size_t across; // shrink the pictures so that this many fit in a row; 0: 8
    double scale;  // values from `scale` on are red, from -scale down blue, 0 is white
    const void *context;
    double (*value)(const void *context, size_t tile, size_t row, size_t col);
    void (*title)(const void *context, size_t tile, char *text, size_t size);
} Tiles;

// Draws all of them on standard output in colours, as many in a row as fit.
void tiles_draw(const Tiles *tiles);

// The values of the tiles first, ..., end - 1.
typedef struct TilesSummary {
    double smallest, largest;
    size_t zeros;
} TilesSummary;
TilesSummary tiles_summary(const Tiles *tiles, size_t first, size_t end);

#endif
