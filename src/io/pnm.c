// The reader of portable anymaps; see pnm.h.
#include "pnm.h"

#include "formats.h"

#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Bytes

enum { END = -1 };

// Reads until at least `wanted` of the next bytes are in the buffer, or the source has no more.
// Returns how many are.
static size_t reader_ahead(PnmReader *r, size_t wanted)
{
    while (r->n - r->at < wanted && !r->ended && !r->failed) {
        r->n -= r->at;
        memmove(r->buffer, r->buffer + r->at, r->n);
        r->before += r->at;
        r->at = 0;
        ptrdiff_t n = source_read_some(&r->source, r->buffer + r->n, PNM_BUFFER - r->n, r->err);
        r->failed = n < 0;
        r->ended = n == 0;
        r->n += n > 0 ? (size_t)n : 0;
    }
    return r->n - r->at;
}

// Returns the next byte, or END.
static inline int reader_byte(PnmReader *r)
{
    return r->at < r->n || reader_ahead(r, 1) > 0 ? r->buffer[r->at++] : END;
}

static unsigned long long reader_offset(const PnmReader *r)
{
    return (unsigned long long)r->before + r->at;
}

// ---------------------------------------------------------------------------------------------
// Numbers as text

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Returns the next character outside comments, or END. What a comment interrupts continues after
// it.
static int text_character(PnmReader *r)
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

static int text_after_blanks(PnmReader *r)
{
    int c;
    do
        c = text_character(r);
    while (is_blank(c));
    return c;
}

// Says what was found where something else was expected; `c` is the last character.
static bool error_found(PnmReader *r, int c, const char *expected)
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
static bool text_number(PnmReader *r, uint32_t *value, uint32_t max, bool at_end, const char *what)
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

enum { ONE_BYTE = 255, MAX_SAMPLE = UINT16_MAX, MAX_SIDE = PNM_MAX_PIXELS };

typedef struct Header {
    char kind; // '1' to '6'
    uint32_t cols, rows, maxval;
    size_t size; // rows * cols
} Header;

static bool is_plain(const Header *header)
{
    return header->kind <= '3';
}

static bool reader_is_at_image(PnmReader *r)
{
    size_t n = reader_ahead(r, 2); // may move what is in the buffer
    const unsigned char *next = r->buffer + r->at;
    return n >= 2 && next[0] == 'P' && next[1] >= '1' && next[1] <= '6';
}

// Says what a source is that does not begin with an image.
static bool error_format(PnmReader *r)
{
    size_t n = reader_ahead(r, FORMAT_HEAD);
    const char *path = r->source.path;
    const unsigned char *head = r->buffer + r->at;
    const Format *format = format_of(head, n);
    if (r->failed)
        return false;
    if (format != NULL && format->remedy != NULL)
        return error_set(r->err, "%s: is %s; %s", path, format->name, format->remedy);
    if (format != NULL)
        return error_set(r->err, "%s: is %s, where a picture was expected", path, format->name);
    if (n < 2)
        return error_set(r->err, "%s: %s, where an image was expected", path,
                         n == 0 ? "is empty" : "has only one byte");
    return error_set(r->err,
                     "%s: is not an image that can be read (PBM, PGM, PPM or IDX): begins with "
                     "%02x %02x",
                     path, head[0], head[1]);
}

static bool header_read(Header *header, PnmReader *r)
{
    if (!reader_is_at_image(r))
        return error_format(r);
    reader_byte(r);
    *header = (Header){.kind = (char)reader_byte(r), .maxval = 1};
    int c = text_character(r);
    if (!is_blank(c))
        return error_found(r, c, "white space");
    bool is_bitmap = header->kind == '1' || header->kind == '4';
    if (!text_number(r, &header->cols, MAX_SIDE, false, "the width") ||
        !text_number(r, &header->rows, MAX_SIDE, false, "the height") ||
        (!is_bitmap && !text_number(r, &header->maxval, MAX_SAMPLE, false, "the largest value")))
        return false;

    if (header->cols == 0 || header->rows == 0)
        return error_set(r->err, "%s: the header says %lu x %lu pixels: there is no image",
                         r->source.path, (unsigned long)header->cols, (unsigned long)header->rows);
    if (header->rows > PNM_MAX_PIXELS / header->cols)
        return error_set(r->err, "%s: the header says more than %d pixels, too many for a digit",
                         r->source.path, PNM_MAX_PIXELS);
    if (header->maxval == 0 || header->maxval > MAX_SAMPLE)
        return error_set(r->err, "%s: the largest value must be from 1 to 65535", r->source.path);
    header->size = (size_t)header->cols * header->rows;
    return true;
}

// ---------------------------------------------------------------------------------------------
// Pixels

// The state between pixels: of a raw bitmap the byte whose bits are being taken.
typedef struct Raster {
    const Header *header;
    PnmReader *reader;
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
    PnmReader *r = raster->reader;
    uint32_t maxval = raster->header->maxval;
    if (is_plain(raster->header)) {
        if (!text_number(r, value, maxval, true, "a sample"))
            return r->ended ? error_short(raster, done) : false;
    } else {
        int high = maxval > ONE_BYTE ? reader_byte(r) : 0, low = reader_byte(r);
        if (low == END)
            return error_short(raster, done);
        *value = (uint32_t)high << 8 | (uint32_t)low;
    }
    if (*value > maxval)
        return error_set(r->err, "%s: the sample before byte %llu is above the largest value, %lu",
                         r->source.path, reader_offset(r), (unsigned long)maxval);
    return true;
}

// A one is black.
static bool bit_read(Raster *raster, unsigned char *pixel, size_t done)
{
    PnmReader *r = raster->reader;
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
    *pixel = (unsigned char)(((uint64_t)weighted * 255 + unit / 2) / unit);
    return true;
}

enum { FIRST_ROOM = 1 << 16 };

// Memory grows with the pixels that have arrived, not with what the header promises.
static unsigned char *pixels_grow(unsigned char *pixels, size_t done, size_t room, PnmReader *r,
                                  Arena *arena)
{
    static const char what[] = "an image";
    Error reason;
    unsigned char *moved = pixels == NULL ? arena_alloc(arena, room, 1, what, &reason)
                                          : arena_resize(arena, pixels, done, room, what, &reason);
    if (moved == NULL)
        error_set(r->err, "%s: %s", r->source.path, reason.text);
    return moved;
}

static const unsigned char *raster_read(const Header *header, PnmReader *r, Arena *arena)
{
    size_t room = header->size < FIRST_ROOM ? header->size : FIRST_ROOM;
    Raster raster = {.header = header, .reader = r};
    unsigned char *pixels = pixels_grow(NULL, 0, room, r, arena);
    for (size_t done = 0; pixels != NULL && done < header->size; done++) {
        if (done == room) {
            room = room > header->size / 2 ? header->size : 2 * room;
            pixels = pixels_grow(pixels, done, room, r, arena);
        }
        if (pixels == NULL || !pixel_read(&raster, &pixels[done], done))
            return NULL;
    }
    return pixels;
}

// Nothing may follow but another image; a text may end in white space and comments.
static bool reader_look_on(PnmReader *r, const Header *header)
{
    bool plain = is_plain(header);
    r->more = !plain && reader_is_at_image(r);
    int c = r->more ? END : plain ? text_after_blanks(r) : reader_byte(r);
    if (c == END)
        return !r->failed;
    return error_set(r->err,
                     "%s: continues after its %lu x %lu pixels, at byte %llu, where the end%s was "
                     "expected",
                     r->source.path, (unsigned long)header->cols, (unsigned long)header->rows,
                     reader_offset(r) - 1, plain ? "" : " or another image");
}

void pnm_begin(PnmReader *r, const Source *source)
{
    r->more = true;
    r->source = *source;
    r->before = r->at = r->n = 0;
    r->ended = r->failed = false;
}

bool pnm_read(PnmReader *r, GreyImage *image, Arena *arena, Error *err)
{
    Header header = {0};
    const unsigned char *pixels = NULL;
    r->err = err;
    r->more = false;
    bool ok = header_read(&header, r) && (pixels = raster_read(&header, r, arena)) != NULL &&
              reader_look_on(r, &header);
    // When the data ended too soon, gzip's own verdict is the better reason.
    Error from_gzip;
    if (!r->more && !source_close(&r->source, r->ended, &from_gzip)) {
        *err = from_gzip;
        return false;
    }
    if (ok)
        *image = (GreyImage){header.rows, header.cols, pixels};
    return ok;
}
