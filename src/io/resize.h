// Grey images in another size.
#ifndef MLP_RESIZE_H
#define MLP_RESIZE_H

#include "pnm.h"

// Writes rows x cols pixels, each the mean of the area of the image that it covers, rounded half
// up; the sides are scaled each on its own. An image of that size stays as it is. Integers only:
// the result is the same everywhere. An image has from 1 to PNM_MAX_PIXELS.
void image_resize(unsigned char *pixels, size_t rows, size_t cols, const GreyImage *image);

#endif
