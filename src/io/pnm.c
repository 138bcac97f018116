// The reader of portable anymaps, whose format pnm.h describes: a header, then sample by sample,
// and a look at what follows. source.c gives the bytes; formats.c names what is not an anymap.
#include "pnm.h"

#include "formats.h"

#include <stdio.h>
#include <string.h>

enum { END = -1 };

static int read_byte(PnmReader *r)
{
    READER_STEPS(1);
    if (r->at == r->n && !r->ended && !r->failed) {
        ptrdiff_t n = source_read_some(&r->source, r->buffer, PNM_BUFFER, r->err);
        if (n > 0) {
            r->before += r->n;
            r->at = 0;
            r->n = (size_t)n;
        }
        r->ended = n == 0;
        r->failed = n < 0;
    }
    return r->at < r->n ? r->buffer[r->at++] : END;
}

static unsigned long long offset(const PnmReader *r)
{
    return (unsigned long long)r->before + r->at;
}

// Says what was found where something else was expected; `c` is the last character.
static bool error_found(PnmReader *r, int c, const char *expected)
{
    char found[24];
    if (r->failed)
        return false;
    if (c == END)
        return error_set(r->err, "ends after %llu bytes, where %s was expected", offset(r),
                         expected);
    if (c > ' ' && c < 0x7f)
        snprintf(found, sizeof found, "'%c'", c);
    else
        snprintf(found, sizeof found, "the byte %02x", (unsigned)c);
    return error_set(r->err, "byte %llu is %s, where %s was expected", offset(r) - 1, found,
                     expected);
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Returns the next character outside comments, or END. What a comment interrupts continues after
// it.
static int read_character(PnmReader *r)
{
    int c = read_byte(r);
    while (c == '#') {
        do
            c = read_byte(r);
        while (c != END && c != '\n' && c != '\r');
        if (c != END)
            c = read_byte(r);
    }
    return c;
}

static int skip_blanks(PnmReader *r)
{
    int c;
    do
        c = read_character(r);
    while (is_blank(c));
    return c;
}

// Reads a number and the white space character after it; `at_end` accepts the end of the file in
// its place. Numbers above `max` become max + 1.
static bool read_number(PnmReader *r, uint32_t *value, uint32_t max, bool at_end, const char *what)
{
    uint32_t number = 0;
    int c = skip_blanks(r);
    if (c < '0' || c > '9')
        return error_found(r, c, what);
    for (; c >= '0' && c <= '9'; c = read_character(r)) {
        uint32_t digit = (uint32_t)(c - '0');
        number = number > max || number * 10 + digit > max ? max + 1 : number * 10 + digit;
    }
    if (!is_blank(c) && !(c == END && at_end && !r->failed))
        return error_found(r, c, "a digit or white space");
    *value = number;
    return true;
}

enum { MAX_SAMPLE = UINT16_MAX, MAX_SIDE = PNM_MAX_PIXELS };

typedef struct Header {
    int kind; // '1' to '6'
    uint32_t cols, rows, maxval;
    size_t size; // rows * cols
} Header;

static bool is_kind(int c)
{
    return c >= '1' && c <= '6';
}

// Says what a source is that begins with these n bytes, and not with an image.
static bool error_format(PnmReader *r, const unsigned char *head, size_t n)
{
    const Format *format = format_of(head, n);
    if (format != NULL && format->remedy != NULL)
        return error_set(r->err, "is %s; %s", format->name, format->remedy);
    if (format != NULL)
        return error_set(r->err, "is %s, where a picture was expected", format->name);
    if (n < 2)
        return error_set(r->err, "%s, where an image was expected",
                         n == 0 ? "is empty" : "has only one byte");
    return error_set(r->err, "is not a picture of a known format: begins with %02x %02x", head[0],
                     head[1]);
}

// Reads the "P" and the digit of the first image; those of later ones have been read.
static bool read_first_kind(PnmReader *r)
{
    unsigned char head[FORMAT_HEAD] = {0};
    ptrdiff_t n = source_peek(&r->source, head, sizeof head, r->err);
    r->ended = n >= 0 && n < FORMAT_HEAD;
    r->failed = n < 0;
    if (r->failed)
        return false;
    if (head[0] != 'P' || !is_kind(head[1]))
        return error_format(r, head, (size_t)n);
    r->ended = false;
    read_byte(r);
    r->kind = read_byte(r);
    return true;
}

static bool read_header(Header *header, PnmReader *r)
{
    if (r->kind == 0 && !read_first_kind(r))
        return false;
    *header = (Header){.kind = r->kind, .maxval = 1};
    int c = read_character(r);
    if (!is_blank(c))
        return error_found(r, c, "white space");
    bool is_bitmap = header->kind == '1' || header->kind == '4';
    if (!read_number(r, &header->cols, MAX_SIDE, false, "the width") ||
        !read_number(r, &header->rows, MAX_SIDE, false, "the height") ||
        (!is_bitmap && !read_number(r, &header->maxval, MAX_SAMPLE, false, "the largest value")))
        return false;

    if (header->cols == 0 || header->rows == 0)
        return error_set(r->err, "the header says %lu x %lu pixels: there is no image",
                         (unsigned long)header->cols, (unsigned long)header->rows);
    uint64_t size = (uint64_t)header->cols * header->rows;
    if (size > PNM_MAX_PIXELS)
        return error_set(r->err, "the header says more than %d pixels, too many for a digit",
                         PNM_MAX_PIXELS);
    if (header->maxval == 0 || header->maxval > MAX_SAMPLE)
        return error_set(r->err, "the largest value must be from 1 to 65535");
    header->size = (size_t)size;
    return true;
}

// Reads the next sample of pixel i, that of a bitmap as 0 for black or 1. Where the source has no
// more, the caller says so.
static bool read_sample(PnmReader *r, const Header *header, size_t i, uint32_t *value)
{
    int c, high = 0;
    switch (header->kind) {
    case '1':
        c = skip_blanks(r);
        *value = c == '0';
        return c == '0' || c == '1' || error_found(r, c, "a 0 or a 1");
    case '2':
    case '3': return read_number(r, value, header->maxval, true, "a sample");
    case '4': {
        unsigned bit = (unsigned)(i % header->cols % 8);
        if (bit == 0 && (r->bits = read_byte(r)) == END) // each row begins with a byte of its own
            return false;
        *value = !(r->bits >> (7 - bit) & 1);
        return true;
    }
    default:
        if (header->maxval > UINT8_MAX)
            high = read_byte(r);
        c = read_byte(r);
        *value = (uint32_t)high << 8 | (uint32_t)c;
        return c != END;
    }
}

// Reads the pixels into memory that grows as they arrive, not with what the header promises.
static unsigned char *read_pixels(const Header *header, PnmReader *r, Arena *arena)
{
    static const uint32_t grey[] = {1}, luma[] = {299, 587, 114};
    bool is_colour = header->kind == '3' || header->kind == '6';
    const uint32_t *weight = is_colour ? luma : grey;
    uint32_t unit = header->maxval * (is_colour ? 1000 : 1), sample = 0;
    ArenaBytes pixels = {.first = 1 << 16, .most = header->size};
    for (size_t i = 0; i < header->size; i++) {
        uint32_t sum = 0;
        if (i == pixels.capacity && !arena_grow(arena, &pixels, i, "an image", r->err))
            return NULL;
        for (int channel = 0; channel < (is_colour ? 3 : 1); channel++) {
            READER_STEPS(1);
            bool is_read = read_sample(r, header, i, &sample);
            if (!is_read && r->ended)
                error_set(r->err, "ends after %llu bytes, with %zu of its %lu x %lu pixels",
                          offset(r), i, (unsigned long)header->cols, (unsigned long)header->rows);
            else if (is_read && sample > header->maxval)
                error_set(r->err, "the sample before byte %llu is above the largest value, %lu",
                          offset(r), (unsigned long)header->maxval);
            if (!is_read || sample > header->maxval)
                return NULL;
            sum += weight[channel] * sample;
        }
        pixels.at[i] = (unsigned char)(((uint64_t)sum * 255 + unit / 2) / unit);
    }
    return pixels.at;
}

// Nothing may follow but another image; a text may end in white space and comments.
static bool look_on(PnmReader *r, const Header *header)
{
    bool is_text = header->kind <= '3';
    int c = is_text ? skip_blanks(r) : read_byte(r);
    unsigned long long at = offset(r) - 1;
    if (c == END)
        return !r->failed;
    if (c == 'P' && !is_text) {
        r->kind = read_byte(r);
        r->more = is_kind(r->kind);
        if (r->more || r->failed)
            return !r->failed;
    }
    return error_set(r->err,
                     "continues after its %lu x %lu pixels, at byte %llu, where the end%s was "
                     "expected",
                     (unsigned long)header->cols, (unsigned long)header->rows, at,
                     is_text ? "" : " or another image");
}

void pnm_begin(PnmReader *r, const Source *source)
{
    memset(r, 0, offsetof(PnmReader, buffer));
    r->source = *source;
    r->more = true;
}

bool pnm_read(PnmReader *r, GreyImage *image, Arena *arena, Error *err)
{
    Header header = {0};
    const unsigned char *pixels = NULL;
    Error reason;
    r->err = &reason;
    r->more = false;
    bool ok = read_header(&header, r) && (pixels = read_pixels(&header, r, arena)) != NULL &&
              look_on(r, &header);
    if (!ok && r->failed)
        *err = reason; // which names the source
    else if (!ok)
        error_set(err, "%s: %s", r->source.path, reason.text);
    // When the data ended too soon, gzip's own verdict is the better reason.
    if (!r->more && !source_close(&r->source, r->ended, err))
        return false;
    if (ok)
        *image = (GreyImage){header.rows, header.cols, pixels};
    return ok;
}
