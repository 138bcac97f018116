// exif.c: the orientation in JPEG files of both byte orders, and in files that are cut or damaged.
#include "exif.h"
#include "test.h"

#include <stdint.h>

// The start of a photo as phones write it: JFIF, EXIF with two entries, and what follows. The byte
// order is that of the text, "II" or "MM".
static size_t photo(unsigned char *data, const char *order, int orientation)
{
    static const unsigned char head[] = {0xff, 0xd8, 0xff, 0xe0, 0,   4,   'J', 'F', 0xff,
                                         0xe1, 0,    46,   'E',  'x', 'i', 'f', 0,   0};
    const uint32_t entries[][4] = {{0x10f, 2, 1, 0}, {0x112, 3, 1, (uint32_t)orientation}};
    size_t n = sizeof head;
    memcpy(data, head, n);
    bool is_little = order[0] == 'I';
#define PUT(value, size)                                                                           \
    for (size_t i = 0; i < (size); i++)                                                            \
    data[n++] = (unsigned char)((uint32_t)(value) >> 8 * (is_little ? i : (size)-1 - i))
    data[n++] = (unsigned char)order[0];
    data[n++] = (unsigned char)order[0];
    PUT(42, 2);
    PUT(8, 4);
    PUT(2, 2);
    for (size_t e = 0; e < 2; e++) {
        PUT(entries[e][0], 2);
        PUT(entries[e][1], 2);
        PUT(entries[e][2], 4);
        PUT(entries[e][3], 2);
        PUT(0, 2);
    }
    memcpy(data + n, "\0\0\0\0\xff\xdb", 6);
    return n + 6;
#undef PUT
}

static void all_orientations_are_read_in_both_byte_orders(void)
{
    unsigned char data[128];
    for (int orientation = 1; orientation <= 8; orientation++) {
        int little = exif_orientation(data, photo(data, "II", orientation));
        CHECK(little == orientation, "%d for %d, little-endian", little, orientation);
        int big = exif_orientation(data, photo(data, "MM", orientation));
        CHECK(big == orientation, "%d for %d, big-endian", big, orientation);
    }
}

static void a_number_that_is_not_an_orientation_is_none(void)
{
    unsigned char data[128];
    for (int number = 9; number < 70000; number = number * 3)
        CHECK(exif_orientation(data, photo(data, "MM", number & 0xffff)) == 1, "%d", number);
    CHECK(exif_orientation(data, photo(data, "II", 0)) == 1, "0");
}

// Only a tag of the right number and type counts, in a segment that says it is EXIF.
static void what_only_looks_like_an_orientation_is_none(void)
{
    static const struct {
        size_t at;
        unsigned char value;
        int orientation;
    } changes[] = {{9, 0xe0, 1}, {12, 'e', 1}, {17, 1, 1},   {40, 0x13, 1}, {42, 4, 1},
                   {42, 1, 1},   {18, 'M', 1}, {26, 1, 1},   {26, 0, 1},    {39, 1, 6},
                   {11, 1, 1},   {11, 6, 1},   {11, 200, 6}, {8, 0, 1},     {0, 0, 6},
                   {11, 46, 6},  {5, 2, 1},    {11, 40, 6},  {11, 39, 1}};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        unsigned char data[128];
        size_t n = photo(data, "II", 6);
        data[changes[i].at] = changes[i].value;
        int found = exif_orientation(data, n);
        CHECK(found == changes[i].orientation, "byte %zu is %d: %d, not %d", changes[i].at,
              changes[i].value, found, changes[i].orientation);
    }
}

static void the_tag_may_be_the_first(void)
{
    unsigned char data[128];
    size_t n = photo(data, "II", 6);
    static const unsigned char first[] = {0x12, 1, 3, 0, 1, 0, 0, 0, 5};
    memcpy(data + 28, first, sizeof first);
    CHECK(exif_orientation(data, n) == 5, "%d", exif_orientation(data, n));
}

static void segments_before_may_be_long(void)
{
    enum { LENGTH = 0x0123 };
    unsigned char data[128], file[128 + LENGTH] = {0xff, 0xd8, 0xff, 0xe0, 1, 0x23};
    size_t n = photo(data, "MM", 6) - 8; // EXIF begins at byte 8
    memcpy(file + 4 + LENGTH, data + 8, n);
    CHECK(exif_orientation(file, 4 + LENGTH + n) == 6, "not found");
}

// Each in a block of its own, so that the address sanitizer sees where it ends.
static int orientation_of_copy(const unsigned char *data, size_t n)
{
    unsigned char *copy = malloc(n > 0 ? n : 1);
    if (copy == NULL)
        abort();
    memcpy(copy, data, n);
    int orientation = exif_orientation(copy, n);
    free(copy);
    return orientation;
}

static void a_file_cut_at_any_byte_has_none_before_the_tag(void)
{
    unsigned char data[128];
    size_t n = photo(data, "MM", 6), tag = n - 6 - 4 + 2;
    for (size_t length = 0; length <= n; length++) {
        int orientation = orientation_of_copy(data, length);
        CHECK(orientation == (length < tag ? 1 : 6), "%d of %zu bytes", orientation, length);
    }
}

static void every_byte_may_have_any_value(void)
{
    unsigned char data[128];
    size_t n = photo(data, "II", 8);
    for (size_t at = 0; at < n; at++)
        for (int value = 0; value < 256; value++) {
            unsigned char before = data[at];
            data[at] = (unsigned char)value;
            int orientation = orientation_of_copy(data, n);
            CHECK(orientation >= 1 && orientation <= 8, "%d with %d at %zu", orientation, value,
                  at);
            data[at] = before;
        }
}

int main(void)
{
    RUN(all_orientations_are_read_in_both_byte_orders);
    RUN(a_number_that_is_not_an_orientation_is_none);
    RUN(what_only_looks_like_an_orientation_is_none);
    RUN(the_tag_may_be_the_first);
    RUN(segments_before_may_be_long);
    RUN(a_file_cut_at_any_byte_has_none_before_the_tag);
    RUN(every_byte_may_have_any_value);
    return test_end();
}
