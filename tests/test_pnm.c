// The reader of portable anymaps: every kind gives the same picture, and what is cut, wrong or
// another format is refused with its reason.
#include "formats.h"
#include "pnm.h"

#include "failing_source.h"
#include "files.h"
#include "test.h"

static PnmReader reader;

// Reads the first image; there may be more.
static bool read_first(GreyImage *image, Arena *arena, const char *path, Error *err)
{
    Source source;
    if (!source_open(&source, path, err))
        return false;
    pnm_begin(&reader, &source);
    return pnm_read(&reader, image, arena, err);
}

static bool read_bytes(GreyImage *image, Arena *arena, const void *bytes, size_t size, Error *err)
{
    const char *path = work_path("image.pnm");
    write_file(path, bytes, size);
    return read_first(image, arena, path, err);
}

// A file's bytes; the size is given, for they may hold zeros.
typedef struct Bytes {
    const char *text;
    size_t size;
} Bytes;
#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }

static void check_picture(const Bytes *file, size_t rows, size_t cols, const unsigned char *pixels)
{
    Arena arena = {0};
    Error err = {""};
    GreyImage image = {0};
    bool ok = read_bytes(&image, &arena, file->text, file->size, &err);
    CHECK(ok, "%.20s...: %s", file->text, err.text);
    CHECK(!reader.more, "%.20s...: there is another image", file->text);
    CHECK(!ok || (image.rows == rows && image.cols == cols), "%.20s...: %zu x %zu", file->text,
          image.rows, image.cols);
    if (ok && image.rows == rows && image.cols == cols)
        for (size_t i = 0; i < rows * cols; i++)
            CHECK(image.pixels[i] == pixels[i], "%.20s...: pixel %zu is %d, not %d", file->text, i,
                  image.pixels[i], pixels[i]);
    arena_free(&arena);
}

static void check_refused(const void *bytes, size_t size, const char *word)
{
    Arena arena = {0};
    Error err = {""};
    GreyImage image = {7, 7, NULL};
    bool ok = read_bytes(&image, &arena, bytes, size, &err);
    CHECK(!ok && !reader.more && image.rows == 7 && strstr(err.text, "image.pnm: ") != NULL &&
              strstr(err.text, word) != NULL,
          "%.*s: '%s' does not say '%s'", (int)(size < 30 ? size : 30), (const char *)bytes,
          ok ? "accepted" : err.text, word);
    arena_free(&arena);
}

static void all_kinds_give_the_same_picture(void)
{
    static const unsigned char pixels[] = {255, 0, 0,   0,   255, 255, 0,   255, 255, 0,
                                           0,   0, 255, 255, 255, 255, 255, 255, 255, 0};
    static const Bytes files[] = {
        BYTES("P1\n10 2\n0111001001\n1 1 0000\t000 1\n"),
        BYTES("P4\n10 2\n\x72\x7f\xc0\x7f"), // the six bits at a row's end are nobody's
        BYTES("P2 10 2 255 255 0 0 0 255 255 0 255 255 0\n0 0 255 255 255 255 255 255 255 0"),
        BYTES("P2\r\n10 2\r\n1\r\n1 0 0 0 1 1 0 1 1 0\r\n0 0 1 1 1 1 1 1 1 0\r\n\r\n"),
        BYTES("P5\n10 2\n255\n\xff\0\0\0\xff\xff\0\xff\xff\0\0\0\xff\xff\xff\xff\xff\xff\xff\0"),
        BYTES("P5\t10\t2\t1\t\1\0\0\0\1\1\0\1\1\0\0\0\1\1\1\1\1\1\1\0"),
        BYTES("P3 10 2 1 1 1 1 0 0 0 0 0 0 0 0 0 1 1 1 1 1 1 0 0 0 1 1 1 1 1 1 0 0 0\n"
              "0 0 0 0 0 0 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 0 0 0\n"),
        BYTES("P6 10 2 3 \3\3\3\0\0\0\0\0\0\0\0\0\3\3\3\3\3\3\0\0\0\3\3\3\3\3\3\0\0\0"
              "\0\0\0\0\0\0\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\0\0\0"),
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        check_picture(&files[i], 2, 10, pixels);
}

static void comments_are_skipped_even_inside_a_number(void)
{
    static const unsigned char one[] = {7}, twelve[] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2};
    static const Bytes of_one[] = {
        BYTES("P5 # a comment\n1#\n# another 9 9\n 1 #\r255\n\7"),
        BYTES("P5#\n 1 1 255# the line's end is part of the comment\n\n\7"),
        BYTES("P2\n# Created by someone\n1 1\n255\n# and here\n7 # and behind\n"),
        BYTES("P2 1 1 255 #\n#\n#\n 7"),
    };
    static const Bytes of_twelve[] = {
        BYTES("P5\n1# one\n2 1 255\n\x9\x8\x7\x6\x5\x4\x3\x2\x1\x0\x1\x2"),
        BYTES("P2 12 1 25#\n5 9 8 7 6 5 4 3 2 1 0 1 2"),
    };
    for (size_t i = 0; i < sizeof of_one / sizeof of_one[0]; i++)
        check_picture(&of_one[i], 1, 1, one);
    for (size_t i = 0; i < sizeof of_twelve / sizeof of_twelve[0]; i++)
        check_picture(&of_twelve[i], 1, 12, twelve);
    static const char unended[] = "P5 1 1 255 # never ends";
    check_refused(unended, sizeof unended - 1,
                  "continues"); // the blank ends the header: a pixel '#'
    static const char in_number[] = "P5 1 1 255# never ends";
    check_refused(in_number, sizeof in_number - 1, "ends after 22 bytes");
}

static void a_file_cut_anywhere_is_refused(void)
{
    static const Bytes files[] = {
        BYTES("P1 # c\n3 2\n1 0 1 #\n0 1 0"),   BYTES("P4\n# c\n9 2\n\1\2\3\4"),
        BYTES("P2 # c\n3 1\n9\n1 2 3"),         BYTES("P5 # c\n3 2\n255\n123456"),
        BYTES("P3\n1 # c\n2 #\n9 1 2 3 4 5 6"), BYTES("P6\n#c\n1 2 255 123456"),
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        Arena arena = {0};
        Error err = {""};
        GreyImage image;
        CHECK(read_bytes(&image, &arena, files[i].text, files[i].size, &err), "whole: %s",
              err.text);
        arena_free(&arena);
        for (size_t size = 0; size < files[i].size; size++) {
            char word[40];
            snprintf(word, sizeof word, "ends after %zu bytes", size);
            check_refused(files[i].text, size,
                          size == 0   ? "is empty"
                          : size == 1 ? "has only one byte"
                                      : word);
        }
    }
}

static void samples_are_scaled_to_255_exactly(void)
{
    for (unsigned maxval = 1; maxval <= 255; maxval++) {
        unsigned char bytes[300], expected[256];
        int header = snprintf((char *)bytes, sizeof bytes, "P5 %u 1 %u\n", maxval + 1, maxval);
        for (unsigned v = 0; v <= maxval; v++) {
            bytes[(unsigned)header + v] = (unsigned char)v;
            expected[v] = (unsigned char)((double)v * 255.0 / (double)maxval + 0.5);
        }
        CHECK(expected[maxval] == 255 && expected[0] == 0, "maxval %u", maxval);
        Bytes file = {(char *)bytes, (size_t)header + maxval + 1};
        check_picture(&file, 1, maxval + 1, expected);
    }
}

// With a largest value above 255 a sample has two bytes. floor(x + 1/2) = floor((floor(2 x) + 1) /
// 2).
static void samples_of_16_bits_are_scaled_to_255_exactly(void)
{
    static const unsigned maxvals[] = {256, 257, 999, 1023, 4095, 32767, 65534, 65535};
    static unsigned char bytes[32 + 2 * 65536];
    static unsigned char expected[65536];
    static char text[32 + 6 * 65536];
    for (size_t i = 0; i < sizeof maxvals / sizeof maxvals[0]; i++) {
        unsigned maxval = maxvals[i];
        size_t at =
            (size_t)snprintf((char *)bytes, sizeof bytes, "P5 %u 1 %u\n", maxval + 1, maxval);
        size_t end = (size_t)snprintf(text, sizeof text, "P2 %u 1 %u\n", maxval + 1, maxval);
        for (unsigned v = 0; v <= maxval; v++) {
            bytes[at++] = (unsigned char)(v >> 8);
            bytes[at++] = (unsigned char)v;
            end += (size_t)snprintf(text + end, sizeof text - end, "%u\n", v);
            unsigned twice = 2 * 255 * v / maxval;
            expected[v] = (unsigned char)((twice + 1) / 2);
        }
        CHECK(expected[maxval] == 255 && expected[0] == 0, "maxval %u", maxval);
        check_picture(&(Bytes){(char *)bytes, at}, 1, maxval + 1, expected);
        check_picture(&(Bytes){text, end}, 1, maxval + 1, expected);
    }
}

static void colours_of_16_bits_are_weighted_before_they_are_rounded(void)
{
    // 299 x 1 / 1000 x 255 / 257 = 0.297; 587 x 257 + 114 x 255 of 257000, x 255 = 178.52
    static const unsigned char luma[] = {255, 0, 0, 179, 76};
    static const Bytes files[] = {
        BYTES("P6 5 1 257\n\1\1\1\1\1\1\0\0\0\0\0\0\0\1\0\0\0\0"
              "\0\0\1\1\0\xff\1\1\0\0\0\0"),
        BYTES("P3 5 1 257 257 257 257 0 0 0 1 0 0 0 257 255 257 0 0\n"),
    };
    check_picture(&files[0], 1, 5, luma);
    check_picture(&files[1], 1, 5, luma);
    static const unsigned char white[] = {255, 150};
    static const Bytes most = BYTES("P6 2 1 65535\n\xff\xff\xff\xff\xff\xff\0\0\xff\xff\0\0");
    check_picture(&most, 1, 2, white);
}

static void colours_become_grey_by_their_luma(void)
{
    static const unsigned char luma[] = {76, 150, 29, 255, 0, 128};
    static const Bytes files[] = {
        BYTES("P6 3 2 255\n\xff\0\0\0\xff\0\0\0\xff\xff\xff\xff\0\0\0\x80\x80\x80"),
        BYTES("P3 3 2 255 255 0 0 0 255 0 0 0 255 255 255 255 0 0 0 128 128 128"),
    };
    check_picture(&files[0], 2, 3, luma);
    check_picture(&files[1], 2, 3, luma);
}

// Weights of 299, 587 and 114 thousandths, rounded half up.
static void every_mixture_of_colours_has_its_luma(void)
{
    enum { STEP = 15, N = 255 / STEP + 1, PIXELS = N * N * N };
    static unsigned char bytes[32 + 3 * PIXELS], expected[PIXELS];
    size_t at = (size_t)snprintf((char *)bytes, sizeof bytes, "P6 %d 1 255\n", PIXELS), n = 0;
    for (unsigned red = 0; red <= 255; red += STEP)
        for (unsigned green = 0; green <= 255; green += STEP)
            for (unsigned blue = 0; blue <= 255; blue += STEP) {
                bytes[at++] = (unsigned char)red;
                bytes[at++] = (unsigned char)green;
                bytes[at++] = (unsigned char)blue;
                expected[n++] =
                    (unsigned char)((299 * red + 587 * green + 114 * blue + 500) / 1000);
            }
    check_picture(&(Bytes){(char *)bytes, at}, 1, PIXELS, expected);
}

static void a_source_that_fails_is_not_taken_for_one_that_ends(void)
{
    static const Bytes files[] = {BYTES("P5 # a comment\n3 2 # another\n255\n123456"),
                                  BYTES("P1 # a comment\n3 2\n0 1 0 # another\n 1 1 1 "),
                                  BYTES("P4 # a comment, which is long\n3 2\nab"),
                                  BYTES("P3 # a comment, which is long\n1 1\n9 1 2 3 ")};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        for (size_t size = FORMAT_HEAD; size <= files[i].size; size++) {
            Arena arena = {0};
            Error err = {""};
            GreyImage image = {0};
            Source source = failing_source(files[i].text, size);
            pnm_begin(&reader, &source);
            bool ok = pnm_read(&reader, &image, &arena, &err);
            CHECK(!ok && strstr(err.text, "stream: ") == err.text &&
                      strstr(err.text + 1, "stream: ") == NULL &&
                      strstr(err.text, "byte") == NULL && strstr(err.text, "pixels") == NULL,
                  "%.2s, %zu bytes: '%s'", files[i].text, size, ok ? "accepted" : err.text);
            arena_free(&arena);
        }
}

// gzip knows better than the reader why there is nothing.
static void an_empty_file_in_gzip_differs_from_one_that_is_cut(void)
{
    static const unsigned char empty[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3,
                                          3,    0,    0, 0, 0, 0, 0, 0, 0, 0};
    for (size_t cut = 0; cut < 2; cut++) {
        Arena arena = {0};
        Error err = {""};
        GreyImage image;
        write_file(work_path("empty.pnm.gz"), empty, sizeof empty - 4 * cut);
        CHECK(!read_first(&image, &arena, work_path("empty.pnm.gz"), &err) &&
                  strstr(err.text, cut == 0 ? "is empty" : "gzip cannot") != NULL,
              "'%s'", err.text);
        arena_free(&arena);
    }
}

static void wrong_headers_and_pixels_are_refused_with_the_place(void)
{
    static const struct {
        Bytes file;
        const char *word;
    } table[] = {
        {BYTES("P5x1 1 255\n0"), "byte 2 is 'x', where white space"},
        {BYTES("P5 x 1 255\n0"), "byte 3 is 'x', where the width"},
        {BYTES("P5 1 -1 255\n0"), "byte 5 is '-', where the height"},
        {BYTES("P5 1 1 \1\n0"), "byte 7 is the byte 01, where the largest value"},
        {BYTES("P5 1.5 1 255\n0"), "byte 4 is '.', where a digit or white space"},
        {BYTES("P5 1 1 255\0000"), "byte 10 is the byte 00"},
        {BYTES("P5 0 1 255\n"), "0 x 1 pixels: there is no image"},
        {BYTES("P4 1 0\n"), "1 x 0 pixels: there is no image"},
        {BYTES("P5 1 1 0\n0"), "from 1 to 65535"},
        {BYTES("P5 1 1 65536\n00"), "from 1 to 65535"},
        {BYTES("P5 1 1 256\n0"), "ends after 12 bytes, with 0 of its 1 x 1 pixels"},
        {BYTES("P5 2 1 256\n\1\0\1"), "ends after 14 bytes, with 1 of its 2 x 1 pixels"},
        {BYTES("P5 1 1 256\n\1\1"), "above the largest value, 256"},
        {BYTES("P5 1 1 256\n\0\1\2"), "continues after its 1 x 1 pixels, at byte 13"},
        {BYTES("P5 10000 10001 255\n"), "more than 100000000 pixels"},
        {BYTES("P5 100000001 1 255\n"), "more than 100000000 pixels"},
        {BYTES("P5 4294967297 4294967296 255\n"), "more than 100000000 pixels"},
        {BYTES("P4 99999999999999999999999999 1\n"), "more than 100000000 pixels"},
        {BYTES("P5 10000 10000 255\n"), "with 0 of its 10000 x 10000 pixels"},
        {BYTES("P5 2 2 255\nabcde"), "continues after its 2 x 2 pixels, at byte 15"},
        {BYTES("P5 2 2 255\nabcd\n"), "continues after"},
        {BYTES("P5 2 2 255\nabcde"), "where the end or another image was expected"},
        {BYTES("P5 2 2 255\nabcdP7 2 2 255\nabcd"), "at byte 15"},
        {BYTES("P5 2 2 255\nabcdP"), "at byte 15"},
        {BYTES("P2 1 1 9 7 P5 1 1 9\n\1"), "at byte 11, where the end was expected"},
        {BYTES("P4 8 1\nab"), "continues after"},
        {BYTES("P1 2 2 01 10 1"), "continues after"},
        {BYTES("P2 1 1 9 7 7"), "continues after"},
        {BYTES("P1 2 2 01 12"), "byte 11 is '2', where a 0 or a 1"},
        {BYTES("P2 2 1 9 1,2"), "byte 10 is ',', where a digit or white space"},
        {BYTES("P2 2 1 9 1 x"), "byte 11 is 'x', where a sample"},
        {BYTES("P2 2 1 9 1 10"), "above the largest value, 9"},
        {BYTES("P2 2 1 255 1 99999999999"), "above the largest value, 255"},
        {BYTES("P5 2 1 9\n\1\12"), "above the largest value, 9"},
        {BYTES("P6 1 1 9\n\1\2\12"), "above the largest value, 9"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        check_refused(table[i].file.text, table[i].file.size, table[i].word);
}

static void other_formats_are_named(void)
{
    static const struct {
        Bytes file;
        const char *word;
    } table[] = {
        {BYTES("\x89PNG\r\n\x1a\n"), "is a PNG image; convert it"},
        {BYTES("\xff\xd8\xff\xe0"), "is a JPEG image; convert it"},
        {BYTES("GIF89a"), "is a GIF image; convert it"},
        {BYTES("P7\nWIDTH 1\n"), "is a PAM image (P7); convert it"},
        {BYTES("BM\0\0\0"), "is a BMP image"},
        {BYTES("II*\0\0"), "is a TIFF image"},
        {BYTES("MM\0*\0"), "is a TIFF image"},
        {BYTES("RIFF\x7a\0\0\0WEBPVP8 "), "is a WebP image; convert it"},
        {BYTES("\0\0\0\x18\x66typheic"), "is a HEIC image; convert it"},
        {BYTES("\0\0\0\x24\x66typheix\0\0\0\0"), "heif-convert FILE photo.png"},
        {BYTES("\0\0\0\x1c\x66typmif1\0\0\0\0"), "is a HEIF image; convert it"},
        {BYTES("\0\0\0\x1c\x66typavif\0\0\0\0"), "is an AVIF image; convert it"},
        {BYTES("\0\0\0\x14\x66typqt  \0\0\0\0"), "is a film"},
        {BYTES("\xff\x0a\xf8\1"), "is a JPEG XL image; convert it"},
        {BYTES("\0\0\0\x0cJXL \r\n\x87\n"), "is a JPEG XL image; convert it"},
        {BYTES("8BPS\0\1"), "is a Photoshop image"},
        {BYTES("gimp xcf v011"), "is a GIMP image"},
        {BYTES("%!PS-Adobe-3.0 EPSF-3.0"), "is a PostScript document"},
        {BYTES("<svg>"), "SVG"},
        {BYTES("PK\3\4\x14\0"), "is a ZIP archive; 'unzip'"},
        {BYTES("version https://git-lfs.github.com/spec/v1"), "is a Git LFS pointer"},
        {BYTES("\x60\5\0\0\0\0\0\0{\"__meta"), "is a model, where a picture was expected"},
        // What only resembles one of these is not named.
        {BYTES("RIFF\x7a\0\0\0WAVEfmt "), "begins with 52 49"},
        {BYTES("\0\0\1\0\0\0\x28\x50"), "begins with 00 00"},
        {BYTES("\0\0\1\xba\x44\0"), "begins with 00 00"},
        {BYTES("\x1f\x8b\x08\0"), "is gzip data"},
        {BYTES("P8 1 1 255\n0"), "is not a picture of a known format"},
        {BYTES("P0"), "begins with 50 30"},
        {BYTES("p5 1 1 255\n0"), "is not a picture of a known format"},
        {BYTES("P"), "has only one byte"},
        {BYTES("\x89P"), "is not a picture of a known format"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        check_refused(table[i].file.text, table[i].file.size, table[i].word);
}

// More than the first room, and more than a buffer: what has arrived is moved, and kept.
static void a_large_image_is_read_exactly_raw_and_compressed(void)
{
    enum { ROWS = 500, COLS = 601, ROOM = 32 + ROWS * COLS };
    static char bytes[ROOM];
    Bytes file = {bytes, 0};
    snprintf(bytes, sizeof bytes, "P5 %d %d 9\n", COLS, ROWS);
    size_t header = strlen(bytes);
    static unsigned char expected[ROWS * COLS];
    for (uint32_t i = 0; i < ROWS * COLS; i++) {
        unsigned v = ((i * 2654435761u) >> 24) % 10;
        bytes[header + i] = (char)v;
        expected[i] = (unsigned char)((v * 510 + 9) / 18);
    }
    file.size = header + ROWS * COLS;
    check_refused(bytes, file.size - 1, "with 300499 of its 601 x 500 pixels");
    check_picture(&file, ROWS, COLS, expected);

    char command[1200];
    snprintf(command, sizeof command, "gzip -nf '%s'", work_path("image.pnm"));
    REQUIRE(system(command) == 0, "gzip failed");
    Arena arena = {0};
    Error err = {""};
    GreyImage image = {0};
    CHECK(read_first(&image, &arena, work_path("image.pnm.gz"), &err), "%s", err.text);
    CHECK(image.pixels != NULL && memcmp(image.pixels, expected, sizeof expected) == 0,
          "the pixels differ");
    arena_free(&arena);

    // Cut, it is gzip that knows why the pixels end.
    size_t size = read_file(work_path("image.pnm.gz"), bytes, sizeof bytes);
    write_file(work_path("image.pnm.gz"), bytes, size / 2);
    CHECK(!read_first(&image, &arena, work_path("image.pnm.gz"), &err) &&
              strstr(err.text, "gzip cannot") != NULL,
          "'%s'", err.text);
    arena_free(&arena);
}

static void images_follow_one_another(void)
{
    static const char bytes[] = "P5 2 1 255\n\7\x8P4 8 1 \x0fP6 1 1 300\n\1\x2c\1\x2c\1\x2c"
                                "P2 1 2 9 # the last\n9 0 # comment\n";
    static const struct {
        size_t rows, cols;
        unsigned char pixels[8];
    } expected[] = {
        {1, 2, {7, 8}}, {1, 8, {255, 255, 255, 255, 0, 0, 0, 0}}, {1, 1, {255}}, {2, 1, {255, 0}}};
    enum { N = sizeof expected / sizeof expected[0] };
    // A buffer that ends anywhere changes nothing: as many comments stand before the first image.
    static char file[PNM_BUFFER + 200];
    for (size_t fill = PNM_BUFFER - 90; fill < PNM_BUFFER + 4; fill++) {
        memset(file, ' ', sizeof file);
        memcpy(file, bytes, 2);
        memcpy(file + 2 + fill, bytes + 2, sizeof bytes - 3);
        write_file(work_path("many.pnm"), file, fill + sizeof bytes - 1);
        Source source;
        Error err = {""};
        REQUIRE(source_open(&source, work_path("many.pnm"), &err), "%s", err.text);
        pnm_begin(&reader, &source);
        size_t n = 0;
        for (; reader.more && n < N; n++) {
            Arena arena = {0};
            GreyImage image = {0};
            REQUIRE(pnm_read(&reader, &image, &arena, &err), "image %zu: %s", n, err.text);
            CHECK(image.rows == expected[n].rows && image.cols == expected[n].cols &&
                      memcmp(image.pixels, expected[n].pixels, image.rows * image.cols) == 0,
                  "image %zu of %zu x %zu differs, %zu blanks", n, image.rows, image.cols, fill);
            arena_free(&arena);
        }
        CHECK(n == N && !reader.more, "%zu images", n);
    }
}

static void what_cannot_follow_an_image_is_refused_with_the_place(void)
{
    static const char bytes[] = "P5 1 1 255\n\7P5 2 1 255\n\1";
    Arena arena = {0};
    Error err = {""};
    GreyImage image = {0};
    CHECK(read_bytes(&image, &arena, bytes, sizeof bytes - 1, &err) && reader.more, "%s", err.text);
    CHECK(!pnm_read(&reader, &image, &arena, &err) && !reader.more &&
              strstr(err.text, "ends after 24 bytes, with 1 of its 2 x 1 pixels") != NULL,
          "'%s'", err.text);
    arena_free(&arena);
}

int main(void)
{
    RUN(all_kinds_give_the_same_picture);
    RUN(comments_are_skipped_even_inside_a_number);
    RUN(a_file_cut_anywhere_is_refused);
    RUN(samples_are_scaled_to_255_exactly);
    RUN(samples_of_16_bits_are_scaled_to_255_exactly);
    RUN(colours_of_16_bits_are_weighted_before_they_are_rounded);
    RUN(colours_become_grey_by_their_luma);
    RUN(every_mixture_of_colours_has_its_luma);
    RUN(a_source_that_fails_is_not_taken_for_one_that_ends);
    RUN(an_empty_file_in_gzip_differs_from_one_that_is_cut);
    RUN(images_follow_one_another);
    RUN(what_cannot_follow_an_image_is_refused_with_the_place);
    RUN(wrong_headers_and_pixels_are_refused_with_the_place);
    RUN(other_formats_are_named);
    RUN(a_large_image_is_read_exactly_raw_and_compressed);
    return test_end();
}
