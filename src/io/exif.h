// How a JPEG file says that its picture is to be turned: the orientation tag of EXIF (CIPA DC-008,
// 4.6.5.1.6), which a camera writes that was not held upright. Nothing else of EXIF is read.
#ifndef MLP_EXIF_H
#define MLP_EXIF_H

#include <stddef.h>

// Returns the orientation, from 1 (as it is) to 8, of a JPEG file that begins with these n bytes; 1
// too where they have no such tag, or one that is damaged.
int exif_orientation(const unsigned char *data, size_t n);

#endif
