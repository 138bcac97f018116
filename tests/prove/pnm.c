// The PNM reader (PROOF.md).
#include "prove.h"

#include "../../src/io/pnm.c"

// Bytes of a header, bytes of pixels, and pixels that these can be in a bitmap.
enum { MOST_TEXT = 1 << 30, MOST_DATA = 8, MOST_BITS = 3, MOST_PIXELS = 8 * MOST_BITS };

// The source: `left` bytes of any values, or a failure at any time. It gives them in pieces of any
// size up to `piece`, and writes no more than it gives. What was peeked at comes first.
static size_t left, piece, n_ahead;
static unsigned char ahead[2];

ptrdiff_t source_read_some(Source *source, void *data, size_t size, Error *err)
{
    (void)source;
    if (n_ahead > 0) {
        n_ahead = 0;
        memcpy(data, ahead, sizeof ahead);
        return sizeof ahead;
    }
    if (any_bool()) {
        error_set(err, "failed");
        return -1;
    }
    if (left == 0)
        return 0;
    size_t most = size < piece ? size : piece, n = Frama_C_size_t_interval(1, most);
    Frama_C_make_unknown(data, n);
    left = Frama_C_size_t_interval(0, left - 1); // at least one byte less
    return (ptrdiff_t)n;
}

// Every beginning is one of these: not "P", "P" and no kind, and "P" and each of the six kinds.
ptrdiff_t source_peek(Source *source, unsigned char *data, size_t size, Error *err)
{
    (void)source;
    size_t most = size < left ? size : left, n = Frama_C_size_t_interval(0, most);
    if (any_bool()) {
        error_set(err, "failed");
        return -1;
    }
    memset(data, 0, size);
    Frama_C_make_unknown((char *)data, n);
    switch (Frama_C_interval_split(0, 4)) {
    case 0: data[0] = Frama_C_unsigned_char_interval(0, 'P' - 1); break;
    case 1: data[0] = Frama_C_unsigned_char_interval('P' + 1, 255); break;
    case 2: data[0] = 'P', data[1] = Frama_C_unsigned_char_interval(0, '1' - 1); break;
    case 3: data[0] = 'P', data[1] = Frama_C_unsigned_char_interval('6' + 1, 255); break;
    default:
        ahead[0] = data[0] = 'P';
        ahead[1] = data[1] = (unsigned char)Frama_C_interval_split('1', '6');
        n_ahead = 2;
        left -= 2;
        n = Frama_C_size_t_interval(2, size);
    }
    return (ptrdiff_t)n;
}

bool source_close(Source *source, bool whole, Error *err)
{
    (void)source;
    (void)whole;
    return any_bool() || error_set(err, "damaged");
}

const Format *format_of(const unsigned char *head, size_t n)
{
    static const Format some = {FORMAT_IMAGE, "a name", NULL, "png"},
                        other = {FORMAT_OTHER, "a name", "a remedy", NULL};
    //@ assert \valid_read(head + (0 .. n - 1));
    return n < 2 || any_bool() ? NULL : any_bool() ? &some : &other;
}

// Up to MOST_PIXELS bytes of memory end where `pool` ends; of more, only as many are given.
bool arena_grow(Arena *arena, ArenaBytes *bytes, size_t used, const char *what, Error *err)
{
    static unsigned char pool[MOST_PIXELS + 1];
    (void)arena;
    (void)what;
    //@ assert used == 0 && bytes->first > MOST_PIXELS;
    bytes->capacity = bytes->most < bytes->first ? bytes->most : bytes->first;
    size_t room = bytes->capacity < sizeof pool ? bytes->capacity : sizeof pool;
    bytes->at = pool + sizeof pool - room;
    return any_bool() || error_set(err, "out of memory");
}

static PnmReader reader;
static Arena arena;
static Error error;

static void begin(size_t bytes, size_t most)
{
    Source source = {.path = "image.pnm", .fd = 3};
    pnm_begin(&reader, &source);
    reader.err = &error;
    left = bytes;
    n_ahead = 0;
    piece = most;
}

// Every text of up to MOST_TEXT bytes, in pieces of every size, is a header or is refused.
void prove_header(void)
{
    Header header;
    begin(MOST_TEXT, PNM_BUFFER);
    if (any_bool())
        reader.kind = Frama_C_interval('1', '6');
    if (read_header(&header, &reader)) {
        //@ assert '1' <= header.kind <= '6';
        //@ assert header.cols >= 1 && header.rows >= 1 && 1 <= header.maxval <= 65535;
        //@ assert header.size <= PNM_MAX_PIXELS;
        //@ assert header.size >= 1;
        return;
    }
}

// Every image of every kind and size whose header has been read, from a source of up to MOST_DATA
// bytes more, is read or refused. The size is each that they can fill, or any that is larger, and
// that is all that the memory depends on. The columns of a bitmap count too: they say where a row,
// and so a byte, begins; all that are more than MOST_PIXELS are the same here, since there are no
// bytes for a second row.
void prove_pixels(void)
{
    begin(Frama_C_size_t_interval(0, MOST_DATA), 1);
    reader.at = reader.n = 1; // as after a header
    Header header = {.kind = Frama_C_interval_split('1', '6'),
                     .cols = Frama_C_unsigned_int_interval(1, PNM_MAX_PIXELS),
                     .rows = Frama_C_unsigned_int_interval(1, PNM_MAX_PIXELS),
                     .maxval = 1};
    int most = header.kind == '4' ? MOST_PIXELS : MOST_DATA;
    if (header.kind == '4')
        left = Frama_C_size_t_interval(0, MOST_BITS);
    int size = Frama_C_interval_split(1, most + 1);
    header.size = size <= most ? (size_t)size : Frama_C_size_t_interval(most + 1, PNM_MAX_PIXELS);
    if (header.kind != '1' && header.kind != '4')
        header.maxval = any_bool() ? Frama_C_unsigned_int_interval(1, UINT8_MAX)
                                   : Frama_C_unsigned_int_interval(UINT8_MAX + 1, MAX_SAMPLE);
    if (header.kind == '4' && size > most)
        header.cols = (uint32_t)Frama_C_interval_split(1, most + 1);
    const unsigned char *pixels = read_pixels(&header, &reader, &arena);
    if (pixels != NULL) {
        //@ assert header.size <= MOST_PIXELS;
        //@ assert \initialized(pixels + (0 .. header.size - 1));
        look_on(&reader, &header);
    }
}
