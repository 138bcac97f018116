// The orientation of a JPEG file.
#include "exif.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    unsigned char *copy = exact_copy(data, size);
    int orientation = exif_orientation(copy, size);
    PROMISE(orientation >= 1 && orientation <= 8);
    free(copy);
    return 0;
}
