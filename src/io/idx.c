// The IDX reader: headers first, of both files, then labels, then images. What is found in the
// place of an IDX file is named with formats.h. Read source.h before.
#include "idx.h"

#include "formats.h"
#include "memory.h"

#include <stdio.h>
#include <string.h>

enum { IDX_UNSIGNED_BYTE = 0x08, IDX_INT = 0x0c, IDX_MAX_RANK = 3, IDX_MAX_HEADER = 16 };
enum { PIECE = 1 << 16 }; // bytes: what a pipe holds

// What is expected of a file: the type of its elements, its rank, and what it contains.
typedef struct IdxKind {
    unsigned type, rank;
    size_t element; // bytes
    const char *holds;
    const char *sizes; // what the header's sizes are called
    const char *magic; // the first four bytes, for a message
} IdxKind;

static const IdxKind idx_images = {IDX_UNSIGNED_BYTE, 3, 1, "images", "images x rows x columns",
                                   "00 00 08 03"};
static const IdxKind idx_labels = {
    IDX_UNSIGNED_BYTE, 1, 1, "labels", "labels", "00 00 08 01 or, for QMNIST, 00 00 0c 02"};
static const IdxKind idx_int_labels = {IDX_INT, 2, 4, "labels", "labels x columns", ""};

// A file being read: after idx_open, its header has been read and checked.
typedef struct IdxFile {
    Source source;
    const IdxKind *kind;
    unsigned char header[IDX_MAX_HEADER];
    uint32_t dims[IDX_MAX_RANK];
    size_t size;         // bytes of data after the header
    ArenaBytes data;     // these, owned by the arena
    uint32_t crc32;      // of header and data
    bool is_open, ended; // the source has no more
} IdxFile;

static size_t idx_header_size(const IdxKind *kind)
{
    return 4 + 4 * (size_t)kind->rank;
}

// Says what a file seems to be that begins with these n >= 4 bytes.
static bool error_magic(Error *err, const IdxFile *file, const unsigned char *head, size_t n)
{
    const char *path = file->source.path;
    const IdxKind *kind = file->kind, *other = kind == &idx_images ? &idx_labels : &idx_images;
    const Format *format = format_of(head, n);
    if (head[0] == 0x1f && head[1] == 0x8b && file->source.gzip != 0)
        return error_set(err, "%s: is gzip data compressed with gzip again; decompress it once",
                         path);
    if (format != NULL && format->kind != FORMAT_IDX) {
        bool is_useful = format->kind == FORMAT_OTHER && format->remedy != NULL;
        return error_set(err, "%s: is %s, where IDX data were expected%s%s", path, format->name,
                         is_useful ? "; " : "", is_useful ? format->remedy : "");
    }
    if (head[0] == kind->rank && head[1] == IDX_UNSIGNED_BYTE && head[2] == 0 && head[3] == 0)
        return error_set(err, "%s: the byte order is swapped: IDX is big-endian", path);
    if (head[0] == 0 && head[1] == 0 && head[2] == other->type && head[3] == other->rank)
        return error_set(err,
                         "%s: contains %s, where %s were expected; are the two files exchanged?",
                         path, other->holds, kind->holds);
    return error_set(err,
                     "%s: is not an IDX file of %s: begins with %02x %02x %02x %02x, not with %s",
                     path, kind->holds, head[0], head[1], head[2], head[3], kind->magic);
}

// The sizes must account for every byte. `found`: how long the file is; 0: longer. How long a
// compressed file is shows only when it has been read.
static bool error_length(Error *err, const IdxFile *file, uint64_t found)
{
    char dims[64], length[24] = "more";
    unsigned long n = file->dims[0], rows = file->dims[1], cols = file->dims[2];
    if (file->kind->rank == 1)
        snprintf(dims, sizeof dims, "%lu", n);
    else if (file->kind->rank == 2)
        snprintf(dims, sizeof dims, "%lu x %lu", n, rows);
    else
        snprintf(dims, sizeof dims, "%lu x %lu x %lu", n, rows, cols);
    if (found > 0)
        snprintf(length, sizeof length, "%llu", (unsigned long long)found);
    return error_set(err, "%s: the header says %s %s, %zu bytes with the header; the file has %s",
                     file->source.path, dims, file->kind->holds,
                     idx_header_size(file->kind) + file->size, length);
}

// Reads the sizes; their product must be a size_t that memory could hold.
static bool idx_parse_dims(IdxFile *file, Error *err)
{
    const unsigned char *bytes = file->header + 4;
    file->size = file->kind->element;
    for (unsigned d = 0; d < file->kind->rank; d++, bytes += 4) {
        uint32_t dim = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                       (uint32_t)bytes[2] << 8 | bytes[3];
        if (dim == 0)
            return error_set(err, "%s: size %u of the header (%s) is 0", file->source.path, d + 1,
                             file->kind->sizes);
        if (file->size > (SIZE_MAX / 2) / dim)
            return error_set(err,
                             "%s: the sizes in the header (%s) multiply to more than memory "
                             "can hold",
                             file->source.path, file->kind->sizes);
        file->dims[d] = dim;
        size_t size = file->size * dim;
        // The product is exact, which the proof (tests/prove/PROOF.md) does not see for itself.
        //@ assert size >= dim && size >= file->size;
        file->size = size;
    }
    return true;
}

// Plans the memory of the data, which grows with the bytes that have arrived where the file's
// length does not confirm the header. What is more than this process may have is refused before it
// is read.
static bool idx_fits_memory(IdxFile *file, Error *err)
{
    Error reason;
    file->data =
        (ArenaBytes){.first = file->source.piped ? 1 << 20 : file->size, .most = file->size};
    return memory_allows(arena_grow_peak(&file->data), &reason) ||
           error_set(err, "%s: %s", file->source.path, reason.text);
}

static bool idx_read_header(IdxFile *file, Error *err)
{
    unsigned char first[IDX_MAX_HEADER] = {0}, *header = file->header;
    ptrdiff_t n_first = source_peek(&file->source, first, sizeof first, err);
    if (n_first < 0)
        return false;
    file->ended = n_first < IDX_MAX_HEADER;
    if (file->kind == &idx_labels && first[2] == IDX_INT && first[3] == idx_int_labels.rank)
        file->kind = &idx_int_labels;
    size_t size = idx_header_size(file->kind), n = (size_t)n_first;
    if (n == 0 && file->source.gzip == 0)
        return error_set(err, "%s: is empty", file->source.path);
    if (n >= 4 && (first[0] != 0 || first[1] != 0 || first[2] != file->kind->type ||
                   first[3] != file->kind->rank))
        return error_magic(err, file, first, n);
    if (n < size)
        return error_set(err, "%s: ends after %zu bytes, inside the header of %zu bytes",
                         file->source.path, n, size);
    if (source_read(&file->source, header, size, err) < 0 || !idx_parse_dims(file, err))
        return false;
    file->crc32 = crc32_update(0, header, size);
    READER_STEPS(size);
    file->ended = false;
    if (!file->source.piped && file->source.size != (uint64_t)size + file->size)
        return error_length(err, file, file->source.size);
    return idx_fits_memory(file, err);
}

// Closes the file, if it is open. When the data ended too soon, gzip's own verdict is the better
// reason.
static bool idx_close(IdxFile *file, bool ok, Error *err)
{
    bool was_open = file->is_open;
    file->is_open = false;
    return (!was_open || source_close(&file->source, ok || file->ended, err)) && ok;
}

// Takes over an open source and checks its header; closes it when that fails.
static bool idx_begin(IdxFile *file, const Source *source, const IdxKind *kind, Error *err)
{
    *file = (IdxFile){.source = *source, .kind = kind, .is_open = true};
    return idx_read_header(file, err) || idx_close(file, false, err);
}

static bool idx_open(IdxFile *file, const char *path, const IdxKind *kind, Error *err)
{
    Source source;
    return source_open(&source, path, err) && idx_begin(file, &source, kind, err);
}

// Reads the data after the header, and finds that nothing follows. A piece that gzip wrote is
// checksummed while gzip writes the next.
static bool idx_read_data(IdxFile *file, Arena *arena, Error *err)
{
    unsigned char more;
    for (size_t done = 0; done < file->size;) {
        if (!arena_grow(arena, &file->data, done, file->kind->holds, err))
            return false;
        size_t left = file->data.capacity - done, wanted = left < PIECE ? left : PIECE;
        ptrdiff_t n = source_read(&file->source, file->data.at + done, wanted, err);
        if (n < 0)
            return false;
        file->crc32 = crc32_update(file->crc32, file->data.at + done, (size_t)n);
        READER_STEPS((size_t)n);
        done += (size_t)n;
        file->ended = (size_t)n < wanted;
        if (file->ended)
            return error_length(err, file, idx_header_size(file->kind) + done);
    }
    ptrdiff_t n = source_read(&file->source, &more, 1, err);
    return n == 0 || (n > 0 && error_length(err, file, 0));
}

// The labels as bytes: of integers (QMNIST) the first column, which is the class.
static const unsigned char *idx_label_bytes(const IdxFile *file, Arena *arena, Error *err)
{
    if (file->kind == &idx_labels)
        return file->data.at;
    size_t n = file->dims[0], row = file->size / n;
    unsigned char *labels = arena_alloc(arena, n, 1, "labels", err);
    for (size_t i = 0; labels != NULL && i < n; i++) {
        const unsigned char *at = file->data.at + i * row;
        READER_STEPS(1);
        if (at[0] != 0 || at[1] != 0 || at[2] != 0) {
            error_set(err, "%s: label %zu is %02x%02x%02x%02x (hexadecimal); classes are 0 to 255",
                      file->source.path, i, at[0], at[1], at[2], at[3]);
            return NULL;
        }
        labels[i] = at[3];
    }
    return labels;
}

// Exchanges rows and columns of every image. `pixels` are those of the data, to be written.
static bool transpose(Dataset *data, unsigned char *pixels, Arena *arena, Error *err)
{
    static const char mark[] = "transposed";
    size_t rows = data->rows, cols = data->cols, size = rows * cols;
    unsigned char *image = arena_alloc(arena, size, 1, "an image", err);
    if (image == NULL)
        return false;
    for (size_t i = 0; i < data->n; i++, pixels += size) {
        memcpy(image, pixels, size);
        for (size_t row = 0; row < rows; row++)
            for (size_t col = 0; col < cols; col++) {
                READER_STEPS(1);
                pixels[col * rows + row] = image[row * cols + col];
            }
    }
    data->rows = cols;
    data->cols = rows;
    data->transposed = true;
    data->crc32 = crc32_update(data->crc32, mark, sizeof mark - 1);
    return true;
}

// Puts labels that have been read to the data. The checksum of both files is that of one after the
// other.
static bool add_labels(Dataset *data, const IdxFile *file, Arena *arena, Error *err)
{
    data->labels = idx_label_bytes(file, arena, err);
    if (data->labels == NULL)
        return false;
    data->n_classes = 10;
    for (size_t i = 0; i < data->n; i++) {
        READER_STEPS(1);
        if (data->labels[i] >= data->n_classes)
            data->n_classes = data->labels[i] + (size_t)1;
    }
    data->crc32 = crc32_update(data->crc32, file->header, idx_header_size(file->kind));
    data->crc32 = crc32_update(data->crc32, file->data.at, file->size);
    READER_STEPS(file->size);
    return true;
}

// Reads the images, whose header has been read, and closes the file. `labels` may be NULL.
static bool idx_finish(Dataset *data, IdxFile *images, const IdxFile *labels, bool transposed,
                       Arena *arena, Error *err)
{
    if (!idx_close(images, idx_read_data(images, arena, err), err))
        return false;
    Dataset found = {.n = images->dims[0],
                     .rows = images->dims[1],
                     .cols = images->dims[2],
                     .pixels = images->data.at,
                     .crc32 = images->crc32};
    if ((labels != NULL && !add_labels(&found, labels, arena, err)) ||
        (transposed && !transpose(&found, images->data.at, arena, err)))
        return false;
    *data = found;
    return true;
}

// Both headers are checked, and compared, before anything is allocated for either file. The labels,
// which are few, come first.
bool idx_read(Dataset *data, Arena *arena, const char *images, const char *labels, bool transposed,
              Error *err)
{
    IdxFile image_file = {.is_open = false}, label_file = {.is_open = false};
    bool ok = idx_open(&label_file, labels, &idx_labels, err) &&
              idx_open(&image_file, images, &idx_images, err);
    if (ok && image_file.dims[0] != label_file.dims[0])
        ok =
            error_set(err, "%s: has %lu images, but %s has %lu labels", images,
                      (unsigned long)image_file.dims[0], labels, (unsigned long)label_file.dims[0]);
    ok = ok && idx_close(&label_file, idx_read_data(&label_file, arena, err), err) &&
         idx_finish(data, &image_file, &label_file, transposed, arena, err);
    idx_close(&label_file, ok, err);
    idx_close(&image_file, ok, err);
    return ok;
}

bool idx_read_images(Dataset *data, Arena *arena, const Source *source, bool transposed, Error *err)
{
    IdxFile file;
    return idx_begin(&file, source, &idx_images, err) &&
           idx_finish(data, &file, NULL, transposed, arena, err);
}

bool idx_read_directory(Dataset *data, Arena *arena, const char *directory, mlp_part part,
                        bool transposed, Error *err)
{
    IdxPaths paths;
    return idx_find(&paths, directory, part, err) &&
           idx_read(data, arena, paths.images, paths.labels, transposed, err);
}
