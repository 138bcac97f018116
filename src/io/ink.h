// The two steps that find a digit in a drawing, for digit.c: paper.c measures how far each pixel is
// from the paper, although the light on it may fall off, and knows nothing of digits; strokes.c
// finds which of that ink is the digit, and leaves out specks, frames, edges of a table and lines
// across the paper. All in integers: the same on every machine.
#ifndef MLP_INK_H
#define MLP_INK_H

#include "pnm.h"

typedef struct Box {
    Range rows, cols;
} Box;

// How far each pixel is from the paper, on the side of the ink (darker or lighter, as most of the
// picture's deviations are): 0 for the paper to 255.
typedef struct Relief {
    size_t rows, cols;
    unsigned char *level; // (rows, cols), owned by the arena
    unsigned scatter;     // of the paper: three quarters of its pixels are within this
} Relief;

// How often each of 256 levels occurs, and how many were counted.
typedef struct Histogram {
    uint64_t count[256], n;
} Histogram;

static inline void histogram_add(Histogram *h, size_t level)
{
    h->count[level]++;
    h->n++;
}

// The smallest level that at least `rank` of those counted do not exceed.
unsigned histogram_quantile(const Histogram *h, uint64_t rank);

// Measures a picture of at least one pixel. The paper's brightness is a smooth function of the
// position (a polynomial of degree 4), fitted to the picture's border and to what inside agrees
// with it. Dark ink is measured as a share of the paper's brightness, which removes the light's
// part in it. Fails only when memory is short.
bool paper_relief(Relief *relief, const GreyImage *image, Arena *arena, Error *err);

// The digit in a picture.
typedef struct Strokes {
    unsigned char *ink; // (rows, cols): 255 the strongest ink of the digit, 0 all that is not its
    Box box;            // of the digit
    Box block;          // of a light or dark rectangle that fills most of the picture: perhaps the
                        // paper, and the digit is within; empty: there is none
    bool is_solid;      // most of the digit is a filled rectangle, as the hole of a block is
    const char *doubt;  // why this may be no single digit, a constant text; NULL: nothing says so
} Strokes;

// NONE: nothing stands out from the paper, or all that does is too small. FAILED: memory is short.
typedef enum StrokesResult { STROKES_FOUND, STROKES_NONE, STROKES_FAILED } StrokesResult;

// Finds the digit. Unless it is found, says why in err, which does not name a file. strokes->ink is
// owned by the arena.
StrokesResult strokes_find(Strokes *strokes, const Relief *relief, Arena *arena, Error *err);

#endif
