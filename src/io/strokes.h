// Which of the ink in a picture is the digit: its connected components, and which of them belong to
// it. Specks, frames, edges of a table and lines across the paper do not. Works on what paper.h
// made; digit.h scales what is left.
#ifndef MLP_STROKES_H
#define MLP_STROKES_H

#include "paper.h"

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
