// The reader of portable anymaps; see pnm.h.
#include "pnm.h"

#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Bytes

enum { READER_BUFFER = 1 << 16, END = -1 };

typedef struct Reader {
    Source source;
    Error *err;
    uint64_t before; // bytes of the file before the buffer
    size_t at, n;
    bool ended, failed; // the end was reached; reading failed, and err says why
    unsigned char buffer[READER_BUFFER];
} Reader;

static bool reader_fill(Reader *r)
{
    if (r->ended || r->failed)
        return false;
    r->before += r->n;
    r->at = r->n = 0;
    ptrdiff_t n = source_read(&r->source, r->buffer, READER_BUFFER, r->err);
    r->failed = n < 0;
    r->ended = n == 0;
    r->n = n > 0 ? (size_t)n : 0;
    return n > 0;
}

// Returns the next byte, or END.
static inline int reader_byte(Reader *r)
{
    return r->at < r->n || reader_fill(r) ? r->buffer[r->at++] : END;
}

static unsigned long long reader_offset(const Reader *r)
{
    return (unsigned long long)r->before + r->at;
}

// ---------------------------------------------------------------------------------------------
// Numbers as text

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Returns the next character outside comments, or END. What a comment interrupts goes on after it.
static int text_character(Reader *r)
{
    int c = reader_byte(r);
    while (c == '#') {
        do
            c = reader_byte(r);
        while (c != END && c != '\n' && c != '\r');
        if (c != END)
            c = reader_byte(r);
    }
    return c;
}

static int text_after_blanks(Reader *r)
{
    int c;
    do
        c = text_character(r);
    while (is_blank(c));
    return c;
}

// Says what was found where something else was expected; `c` is the last character.
static bool error_found(Reader *r, int c, const char *expected)
{
    if (r->failed)
        return false;
    if (c == END)
        return error_set(r->err, "%s: ends after %llu bytes, where %s was expected", r->source.path,
                         reader_offset(r), expected);
    char found[24];
    if (c > ' ' && c < 0x7f)
        snprintf(found, sizeof found, "'%c'", c);
    else
        snprintf(found, sizeof found, "the byte %02x", (unsigned char)c);
    return error_set(r->err, "%s: byte %llu is %s, where %s was expected", r->source.path,
                     reader_offset(r) - 1, found, expected);
}

// Takes a number and the white space character after it; `at_end` accepts the end of the file in
// its place. Numbers above `max` become max + 1.
static bool text_number(Reader *r, uint32_t *value, uint32_t max, bool at_end, const char *what)
{
    uint32_t number = 0;
    int c = text_after_blanks(r);
    if (c < '0' || c > '9')
        return error_found(r, c, what);
    for (; c >= '0' && c <= '9'; c = text_character(r)) {
        uint32_t digit = (uint32_t)(c - '0');
        number = number > max || number * 10 + digit > max ? max + 1 : number * 10 + digit;
    }
    if (!is_blank(c) && !(c == END && at_end && !r->failed))
        return error_found(r, c, "a digit or white space");
    *value = number;
    return true;
}

// ---------------------------------------------------------------------------------------------
// Headers

enum { MAX_SAMPLE = 255, MAX_SIDE = PNM_MAX_PIXELS };

typedef struct Header {
    char kind; // '1' to '6'
    uint32_t cols, rows, maxval;
    size_t size; // rows * cols
} Header;

static bool is_plain(const Header *header)
{
    return header->kind <= '3';
}

typedef struct Format {
    const char *magic;
    size_t length;
    const char *name;
} Format;

// What images are mostly, when they are no anymaps.
static const Format other_formats[] = {
    {"\x89PNG", 4, "a PNG image"}, {"\xff\xd8\xff", 3, "a JPEG image"},
    {"GIF8", 4, "a GIF image"},    {"P7", 2, "a PAM image (P7)"},
    {"PF", 2, "a PFM image"},      {"Pf", 2, "a PFM image"},
    {"BM", 2, "a BMP image"},      {"II*\0", 4, "a TIFF image"},
    {"MM\0*", 4, "a TIFF image"},  {"RIFF", 4, "a RIFF file, perhaps a WebP image"},
    {"%PDF", 4, "a PDF document"}, {"<", 1, "a web page or an SVG drawing"},
    {"\x1f\x8b", 2, "gzip data"},
};

static bool error_magic(Reader *r, const unsigned char *magic, size_t n)
{
    for (size_t i = 0; i < sizeof other_formats / sizeof other_formats[0]; i++) {
        const Format *format = &other_formats[i];
        if (n < format->length || memcmp(magic, format->magic, format->length) != 0)
            continue;
        if (magic[0] == 0x1f)
            return error_set(r->err,
                             "%s: is gzip data; give it a name that ends in .gz, or pipe "
                             "in what 'gzip -dc' makes of it",
                             r->source.path);
        return error_set(r->err,
                         "%s: is %s; convert it, for example: convert FILE pgm:- | mlp "
                         "predict model.bin -",
                         r->source.path, format->name);
    }
    if (n < 2)
        return error_set(r->err, "%s: %s, where an image was expected", r->source.path,
                         n == 0 ? "is empty" : "has only one byte");
    return error_set(r->err,
                     "%s: is no image that can be read (PBM, PGM, PPM or IDX): begins with "
                     "%02x %02x",
                     r->source.path, magic[0], magic[1]);
}

static bool header_read(Header *header, Reader *r)
{
    unsigned char magic[4];
    ptrdiff_t n = source_peek(&r->source, magic, sizeof magic, r->err);
    if (n < 0)
        return false;
    if (n < 2 || magic[0] != 'P' || magic[1] < '1' || magic[1] > '6') {
        r->ended = n < (ptrdiff_t)sizeof magic;
        return error_magic(r, magic, (size_t)n);
    }
    *header = (Header){.kind = (char)magic[1], .maxval = 1};
    reader_byte(r);
    reader_byte(r);
    int c = text_character(r);
    if (!is_blank(c))
        return error_found(r, c, "white space");
    bool is_bitmap = header->kind == '1' || header->kind == '4';
    if (!text_number(r, &header->cols, MAX_SIDE, false, "the width") ||
        !text_number(r, &header->rows, MAX_SIDE, false, "the height") ||
        (!is_bitmap && !text_number(r, &header->maxval, UINT16_MAX, false, "the largest value")))
        return false;

    if (header->cols == 0 || header->rows == 0)
        return error_set(r->err, "%s: the header says %lu x %lu pixels: there is no image",
                         r->source.path, (unsigned long)header->cols, (unsigned long)header->rows);
    if (header->rows > PNM_MAX_PIXELS / header->cols)
        return error_set(r->err, "%s: the header says more than %d pixels, too many for a digit",
                         r->source.path, PNM_MAX_PIXELS);
    if (header->maxval == 0 || header->maxval > UINT16_MAX)
        return error_set(r->err, "%s: the largest value must be from 1 to 65535", r->source.path);
    if (header->maxval > MAX_SAMPLE)
        return error_set(r->err,
                         "%s: its samples have 16 bits (up to %lu); only those of 8 bits "
                         "can be read: convert it, for example with 'pamdepth 255'",
                         r->source.path, (unsigned long)header->maxval);
    header->size = (size_t)header->cols * header->rows;
    return true;
}

// ---------------------------------------------------------------------------------------------
// Pixels

// The state between pixels: of a raw bitmap the byte whose bits are being taken.
typedef struct Raster {
    const Header *header;
    Reader *reader;
    uint32_t col;
    unsigned bits;
} Raster;

static bool error_short(const Raster *raster, size_t done)
{
    const Header *header = raster->header;
    if (raster->reader->failed)
        return false;
    return error_set(raster->reader->err,
                     "%s: ends after %llu bytes, with %zu of its %lu x %lu "
                     "pixels",
                     raster->reader->source.path, reader_offset(raster->reader), done,
                     (unsigned long)header->cols, (unsigned long)header->rows);
}

static bool sample_read(Raster *raster, uint32_t *value, size_t done)
{
    Reader *r = raster->reader;
    uint32_t maxval = raster->header->maxval;
    if (is_plain(raster->header)) {
        if (!text_number(r, value, maxval, true, "a sample"))
            return r->ended ? error_short(raster, done) : false;
    } else {
        int c = reader_byte(r);
        if (c == END)
            return error_short(raster, done);
        *value = (uint32_t)c;
    }
    if (*value > maxval)
        return error_set(r->err, "%s: the sample before byte %llu is above the largest value, %lu",
                         r->source.path, reader_offset(r), (unsigned long)maxval);
    return true;
}

// A one is black.
static bool bit_read(Raster *raster, unsigned char *pixel, size_t done)
{
    Reader *r = raster->reader;
    unsigned bit;
    if (is_plain(raster->header)) {
        int c = text_after_blanks(r);
        if (c == END)
            return error_short(raster, done);
        if (c != '0' && c != '1')
            return error_found(r, c, "a 0 or a 1");
        bit = c == '1';
    } else {
        if (raster->col % 8 == 0) { // a row begins with a byte of its own
            int c = reader_byte(r);
            if (c == END)
                return error_short(raster, done);
            raster->bits = (unsigned)c;
        }
        bit = raster->bits >> (7 - raster->col % 8) & 1;
        raster->col = raster->col + 1 == raster->header->cols ? 0 : raster->col + 1;
    }
    *pixel = bit ? 0 : 255;
    return true;
}

static bool pixel_read(Raster *raster, unsigned char *pixel, size_t done)
{
    uint32_t weighted = 0, unit = raster->header->maxval, sample = 0;
    switch (raster->header->kind) {
    case '1':
    case '4': return bit_read(raster, pixel, done);
    case '2':
    case '5':
        if (!sample_read(raster, &weighted, done))
            return false;
        break;
    default:
        unit *= 1000;
        for (int channel = 0; channel < 3; channel++) {
            static const uint32_t weight[] = {299, 587, 114};
            if (!sample_read(raster, &sample, done))
                return false;
            weighted += weight[channel] * sample;
        }
    }
    *pixel = (unsigned char)((weighted * 255 + unit / 2) / unit);
    return true;
}

enum { FIRST_ROOM = 1 << 16 };

// Memory grows with the pixels that have arrived, not with what the header promises.
static const unsigned char *raster_read(const Header *header, Reader *r, Arena *arena)
{
    static const char what[] = "an image";
    size_t room = header->size < FIRST_ROOM ? header->size : FIRST_ROOM;
    Raster raster = {.header = header, .reader = r};
    unsigned char *pixels = arena_alloc(arena, room, 1, what, r->err);
    for (size_t done = 0; pixels != NULL && done < header->size; done++) {
        if (done == room) {
            room = room > header->size / 2 ? header->size : 2 * room;
            unsigned char *moved = arena_resize(arena, pixels, done, room, what, r->err);
            if (moved == NULL)
                return NULL;
            pixels = moved;
        }
        if (!pixel_read(&raster, &pixels[done], done))
            return NULL;
    }
    return pixels;
}

// A text may end in white space and comments.
static bool expect_end(const Header *header, Reader *r)
{
    int c = is_plain(header) ? text_after_blanks(r) : reader_byte(r);
    if (c == END)
        return !r->failed;
    return error_set(r->err,
                     "%s: goes on after its %lu x %lu pixels, at byte %llu; one image in a "
                     "file was expected",
                     r->source.path, (unsigned long)header->cols, (unsigned long)header->rows,
                     reader_offset(r) - 1);
}

bool pnm_read(GreyImage *image, Arena *arena, const Source *source, Error *err)
{
    Reader r;
    Header header = {0};
    const unsigned char *pixels = NULL;
    r.source = *source;
    r.err = err;
    r.before = r.at = r.n = 0;
    r.ended = r.failed = false;
    bool ok = header_read(&header, &r) && (pixels = raster_read(&header, &r, arena)) != NULL &&
              expect_end(&header, &r);
    // When the data ended too soon, gzip's own verdict is the better reason.
    Error from_gzip;
    if (!source_close(&r.source, r.ended, &from_gzip)) {
        *err = from_gzip;
        return false;
    }
    if (ok)
        *image = (GreyImage){header.rows, header.cols, pixels};
    return ok;
}
