// A picture of a digit made into what a network was trained on, as the MNIST images were made from
// those of NIST (LeCun, Cortes, Burges: "The MNIST database of handwritten digits"): light ink on
// 0, fitted into a box of 20 x 20 pixels keeping its shape, anti-aliased, and put into 28 x 28 so
// that its centre of mass is in the centre. Integers only: the result is the same everywhere.
#ifndef MLP_DIGIT_H
#define MLP_DIGIT_H

#include "pnm.h"

// Writes the prepared digit, rows x cols bytes, background 0 and the strongest ink 255; the box is
// 20/28 of each. The light may fall off to half across the paper; specks, frames and the edge of a
// table are left out. *doubt says, as a constant text, why the picture may not show one digit, or
// becomes NULL. The arena lends working memory: some 25 bytes for each of at most a million pixels,
// and the same again for each frame that the digit is in, three at most. On failure, when there is
// no ink, too little, or too weak, says so; err does not name a file.
bool digit_prepare(unsigned char *digit, size_t rows, size_t cols, const GreyImage *image,
                   const char **doubt, Arena *arena, Error *err);

#endif
