// The paper under a drawing: how bright it is at each position, although the light on it may fall
// off, and how far each pixel is from it. Knows nothing of digits; strokes.h reads what it makes.
// All in integers: the same on every machine.
#ifndef MLP_PAPER_H
#define MLP_PAPER_H

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

#endif
