// The IDX reader (PROOF.md).
#include "prove.h"

#include "../../src/io/idx.c"

enum { MOST_DATA = 4 }; // bytes after a header

// A file: a header, then up to `left` bytes of any values. A read may fail at any time, and gives
// what is asked for but at the end, which may come at any time.
typedef struct File {
    unsigned char header[IDX_MAX_HEADER];
    bool is_begun;
    size_t left;
} File;
static File files[2];
static int n_opened;

static bool any_failure(Error *err)
{
    return any_bool() && !error_set(err, "failed");
}

ptrdiff_t source_peek(Source *source, unsigned char *data, size_t size, Error *err)
{
    //@ assert size == IDX_MAX_HEADER;
    if (any_failure(err))
        return -1;
    memcpy(data, files[source->fd].header, size);
    if (any_bool())
        return (ptrdiff_t)size;
    if (any_bool()) {
        Frama_C_make_unknown((char *)data + 4, size - 4); // also what is not there
        return Frama_C_interval(4, (int)size - 1);
    }
    Frama_C_make_unknown((char *)data, size);
    return Frama_C_interval(0, 3);
}

ptrdiff_t source_read(Source *source, void *data, size_t size, Error *err)
{
    File *file = &files[source->fd];
    if (any_failure(err))
        return -1;
    if (!file->is_begun) { // as many bytes as were peeked at, or fewer
        //@ assert size <= IDX_MAX_HEADER;
        memcpy(data, file->header, size);
        file->is_begun = true;
        return (ptrdiff_t)size;
    }
    if (size <= file->left && any_bool()) {
        Frama_C_make_unknown(data, size);
        file->left -= size;
        return (ptrdiff_t)size;
    }
    size_t most = size - 1 < file->left ? size - 1 : file->left,
           n = Frama_C_size_t_interval(0, most);
    Frama_C_make_unknown(data, n);
    file->left = 0;
    return (ptrdiff_t)n;
}

bool source_open(Source *source, const char *path, Error *err)
{
    *source = (Source){.path = path,
                       .fd = n_opened++,
                       .gzip = Frama_C_interval(0, 1),
                       .piped = any_bool(),
                       .size = Frama_C_unsigned_long_interval(0, UINT64_MAX)};
    return !any_failure(err);
}

bool source_close(Source *source, bool whole, Error *err)
{
    (void)source;
    (void)whole;
    return !any_failure(err);
}

bool memory_allows(uint64_t size, Error *err)
{
    (void)size;
    return !any_failure(err);
}

// One of the formats that formats.c knows, or none.
const Format *format_of(const unsigned char *head, size_t n)
{
    static const Format image = {FORMAT_IMAGE, "a name", NULL, "png"},
                        other = {FORMAT_OTHER, "a name", "a remedy", NULL},
                        idx = {FORMAT_IDX, "IDX data", NULL, NULL};
    //@ assert \valid_read(head + (0 .. n - 1));
    return any_bool() ? NULL : any_bool() ? &image : any_bool() ? &other : &idx;
}

uint32_t crc32_update(uint32_t crc, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    //@ assert size == 0 || \initialized(bytes + (0 .. size - 1));
    return crc ^ Frama_C_unsigned_int_interval(0, UINT32_MAX);
}

size_t arena_grow_peak(const ArenaBytes *bytes)
{
    return Frama_C_size_t_interval(0, bytes->most);
}

// Memory of up to MOST_DATA bytes ends where its pool ends; of more, one byte more is given. It has
// any values: the old ones, or zeros.
static void *any_memory(unsigned char pool[MOST_DATA + 1], size_t size, Error *err)
{
    size_t room = size <= MOST_DATA ? size : MOST_DATA + 1;
    Frama_C_make_unknown((char *)pool, MOST_DATA + 1);
    return any_failure(err) ? NULL : pool + MOST_DATA + 1 - room;
}

void *arena_alloc(Arena *arena, size_t count, size_t size, const char *what, Error *err)
{
    static unsigned char pool[MOST_DATA + 1];
    (void)arena;
    (void)what;
    return any_memory(pool, count * size, err);
}

// Any capacity that is more than was used, up to `most`.
bool arena_grow(Arena *arena, ArenaBytes *bytes, size_t used, const char *what, Error *err)
{
    static unsigned char pool[MOST_DATA + 1], other[MOST_DATA + 1]; // of images, of labels
    (void)arena;
    if (used < bytes->capacity)
        return true;
    //@ assert used < bytes->most;
    if (bytes->most <= MOST_DATA)
        bytes->capacity = (size_t)Frama_C_interval_split((int)used + 1, (int)bytes->most);
    else
        bytes->capacity = Frama_C_size_t_interval(MOST_DATA + 1, bytes->most);
    bytes->at = any_memory(what == idx_images.holds ? pool : other, bytes->capacity, err);
    return bytes->at != NULL;
}

bool idx_find(IdxPaths *paths, const char *directory, mlp_part part, Error *err)
{
    (void)paths;
    (void)directory;
    (void)part;
    return error_set(err, "not proved");
}

// Any sizes of a header, big-endian: all whose product is at most `most`, one by one; and up to the
// first that is 0, or that makes the product larger. Those larger ones are in four pieces, by the
// first byte that makes them so, and what follows is anything.
static void any_sizes(unsigned char *bytes, unsigned rank, int most)
{
    Frama_C_make_unknown((char *)bytes, 4 * rank);
    for (unsigned d = 0; d < rank; d++, bytes += 4) {
        int size = Frama_C_interval_split(0, most + 4);
        int first = size > most ? size - most - 1 : 3; // the first byte that is not 0
        for (int b = 0; b < first; b++)
            bytes[b] = 0;
        if (size > most)
            bytes[first] =
                Frama_C_unsigned_char_interval(first < 3 ? 1 : (unsigned char)(most + 1), 255);
        else
            bytes[first] = (unsigned char)size;
        if (size == 0 || size > most)
            return;
        most /= size;
    }
}

static unsigned char any_byte_but(unsigned char one)
{
    return one > 0 && any_bool() ? Frama_C_unsigned_char_interval(0, (unsigned char)(one - 1))
                                 : Frama_C_unsigned_char_interval((unsigned char)(one + 1), 255);
}

static void begin(File *file)
{
    Frama_C_make_unknown((char *)file->header, sizeof file->header);
    file->is_begun = false;
    file->left = MOST_DATA;
}

// A header that begins as it must, with any sizes as above.
static void any_header(File *file, unsigned char type, unsigned char rank, int most)
{
    begin(file);
    file->header[0] = file->header[1] = 0;
    file->header[2] = type;
    file->header[3] = rank;
    any_sizes(file->header + 4, rank, most);
}

// Any other beginning: neither bytes of that rank, nor integers of rank `int_rank`, 0: of any.
static void other_header(File *file, unsigned char rank, unsigned char int_rank)
{
    begin(file);
    unsigned char *head = file->header;
    switch (Frama_C_interval_split(0, 6)) {
    case 0: head[0] = any_byte_but(0); break;
    case 1: head[1] = any_byte_but(0); break;
    case 2: head[2] = Frama_C_unsigned_char_interval(0, IDX_UNSIGNED_BYTE - 1); break;
    case 3: head[2] = Frama_C_unsigned_char_interval(IDX_UNSIGNED_BYTE + 1, IDX_INT - 1); break;
    case 4: head[2] = Frama_C_unsigned_char_interval(IDX_INT + 1, 255); break;
    case 5: head[2] = IDX_UNSIGNED_BYTE, head[3] = any_byte_but(rank); break;
    default:
        head[2] = IDX_INT;
        if (int_rank > 0)
            head[3] = any_byte_but(int_rank);
    }
}

static Arena arena;
static Error error;

// Every file of up to MOST_DATA bytes after its header is a file of images, or is refused.
void prove_images(void)
{
    Dataset data;
    Source source;
    if (any_bool())
        any_header(&files[0], IDX_UNSIGNED_BYTE, 3, MOST_DATA);
    else
        other_header(&files[0], 3, 0);
    source_open(&source, "images", &error);
    bool is_transposed = Frama_C_interval_split(0, 1) != 0;
    if (idx_read_images(&data, &arena, &source, is_transposed, &error)) {
        //@ assert data.n >= 1 && data.rows >= 1 && data.cols >= 1;
        //@ assert \initialized(data.pixels);
    }
}

// The same for labels of both kinds, beside any number of images of one pixel.
void prove_labels(void)
{
    static const unsigned char one[4] = {0, 0, 0, 1};
    Dataset data;
    if (any_bool())
        other_header(&files[0], 1, 2);
    else if (any_bool())
        any_header(&files[0], IDX_INT, 2, MOST_DATA / 4);
    else
        any_header(&files[0], IDX_UNSIGNED_BYTE, 1, MOST_DATA);
    any_header(&files[1], IDX_UNSIGNED_BYTE, 1, MOST_DATA);
    files[1].header[3] = 3;
    memcpy(files[1].header + 8, one, 4);
    memcpy(files[1].header + 12, one, 4);
    if (idx_read(&data, &arena, "images", "labels", false, &error)) {
        //@ assert 1 <= data.n <= MOST_DATA;
        //@ assert 10 <= data.n_classes <= 256;
        //@ assert \initialized(data.labels + (0 .. data.n - 1));
        //@ assert \initialized(data.pixels + (0 .. data.n - 1));
    }
}
