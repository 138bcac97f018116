// The orientation of a photo (exif.h). A JPEG file is a sequence of segments: ff, a marker, and a
// big-endian length that counts itself. The one marked e1 that begins with "Exif" holds a TIFF
// file, whose first directory has the tag.
#include "exif.h"

#include "base.h"

#include <string.h>

typedef struct Tiff {
    const unsigned char *at;
    size_t n;
    bool is_little; // byte order
} Tiff;

// The unsigned number of `size` bytes at that offset; 0 where the data end before.
static uint32_t tiff_uint(const Tiff *tiff, size_t offset, size_t size)
{
    uint32_t value = 0;
    READER_STEPS(1);
    if (offset > tiff->n || size > tiff->n - offset)
        return 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | tiff->at[offset + (tiff->is_little ? size - 1 - i : i)];
    return value;
}

static int tiff_orientation(const Tiff *tiff)
{
    enum { ORIENTATION = 0x112, ENTRY_SIZE = 12, SHORT = 3 };
    size_t directory = tiff_uint(tiff, 4, 4), n = tiff_uint(tiff, directory, 2);
    for (size_t i = 0; i < n && directory + 2 + i * ENTRY_SIZE < tiff->n; i++) {
        size_t entry = directory + 2 + i * ENTRY_SIZE;
        if (tiff_uint(tiff, entry, 2) != ORIENTATION || tiff_uint(tiff, entry + 2, 2) != SHORT)
            continue;
        uint32_t value = tiff_uint(tiff, entry + 8, 2);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

int exif_orientation(const unsigned char *data, size_t n)
{
    static const char name[] = "Exif\0"; // and the zero that ends the string
    enum { APP1 = 0xe1, HEAD = 4 };
    for (size_t at = 2; at + HEAD <= n && data[at] == 0xff;) {
        READER_STEPS(1);
        size_t length = (size_t)data[at + 2] << 8 | data[at + 3];
        size_t left = n - at - HEAD, body = length < 2 ? 0 : length - 2;
        body = body < left ? body : left;
        const unsigned char *segment = data + at + HEAD;
        if (data[at + 1] == APP1 && body > sizeof name && memcmp(segment, name, sizeof name) == 0) {
            segment += sizeof name;
            return tiff_orientation(&(Tiff){segment, body - sizeof name, segment[0] == 'I'});
        }
        at += 2 + (length < 2 ? 2 : length);
    }
    return 1;
}
