// A sheet of small pictures in a terminal, in colours and half blocks: a character is two pixels,
// one above the other.
#ifndef MLP_TILES_H
#define MLP_TILES_H

#include "base.h"

// n pictures of rows x cols values; a value of `scale` or -scale has full colour, 0 is white.
typedef struct Tiles {
    size_t n, rows, cols;
    size_t wanted; // tiles in a row for which the pictures may be shrunk; 0: 8
    double scale;
    const void *context;
    double (*value)(const void *context, size_t tile, size_t row, size_t col);
    void (*title)(const void *context, size_t tile, char *text, size_t size);
} Tiles;

// Whether standard output is a terminal that shows colours, and nobody asked for none ($NO_COLOR).
bool tiles_can_draw(void);

// Draws all of them, as many in a row as the terminal has room for, shrunk where not even a few
// would fit.
void tiles_draw(const Tiles *tiles);

#endif
