// The IDX reader; see idx.h.
#include "idx.h"

#include "crc32.h"
#include "formats.h"

#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Headers

enum {
    IDX_UNSIGNED_BYTE = 0x08,
    IDX_INT = 0x0c,
    IDX_MAX_RANK = 3,
    IDX_MAX_HEADER = 4 + 4 * IDX_MAX_RANK
};

// What is expected of a file: the type of its elements, its rank, and what it holds.
typedef struct IdxKind {
    unsigned type, rank;
    size_t element; // bytes
    const char *holds;
    const char *sizes; // what the header's sizes are called
} IdxKind;

static const IdxKind idx_images = {IDX_UNSIGNED_BYTE, 3, 1, "images", "images x rows x columns"};
static const IdxKind idx_labels = {IDX_UNSIGNED_BYTE, 1, 1, "labels", "labels"};
static const IdxKind idx_int_labels = {IDX_INT, 2, 4, "labels", "labels x columns"};

// A file being read: after idx_open, the header has been taken in and checked.
typedef struct IdxFile {
    Source source;
    const IdxKind *kind;
    unsigned char header[IDX_MAX_HEADER];
    uint32_t dims[IDX_MAX_RANK];
    size_t size; // bytes of data after the header
    uint32_t crc32;
} IdxFile;

static size_t idx_header_size(const IdxKind *kind)
{
    return 4 + 4 * (size_t)kind->rank;
}

// Says what a file with a wrong beginning, the first n bytes of it, seems to be.
static bool error_magic(Error *err, const IdxFile *file, const unsigned char *magic, size_t n)
{
    const char *path = file->source.path;
    const IdxKind *kind = file->kind;
    const Format *format = format_of(magic, n);
    if (magic[0] == 0x1f && magic[1] == 0x8b && file->source.gzip != 0)
        return error_set(err, "%s: is gzip data compressed with gzip again; decompress it once",
                         path);
    if (magic[0] == 0x1f && magic[1] == 0x8b)
        return error_set(err, "%s: is gzip data; give it a name that ends in .gz", path);
    if (format != NULL && format->kind == FORMAT_OTHER && format->remedy != NULL)
        return error_set(err, "%s: is %s, where IDX data were expected; %s", path, format->name,
                         format->remedy);
    if (format != NULL && format->kind != FORMAT_IDX)
        return error_set(err, "%s: is %s, where IDX data were expected", path, format->name);
    if (file->source.only_named_gz && (magic[0] != 0 || magic[1] != 0))
        return error_set(err,
                         "%s: is neither gzip data, as its name says, nor an IDX file: begins with "
                         "%02x %02x %02x %02x",
                         path, magic[0], magic[1], magic[2], magic[3]);
    if (magic[0] == kind->rank && magic[1] == IDX_UNSIGNED_BYTE && magic[2] == 0 && magic[3] == 0)
        return error_set(err, "%s: the byte order is swapped: IDX is big-endian", path);
    if (magic[0] != 0 || magic[1] != 0)
        return error_set(err,
                         "%s: is not an IDX file: begins with %02x %02x %02x %02x, not with "
                         "00 00 08 %02x",
                         path, magic[0], magic[1], magic[2], magic[3], kind->rank);
    if (magic[2] == IDX_INT && kind != &idx_images)
        return error_set(err,
                         "%s: byte 3 says that the data have %u dimensions; labels of type 0c have "
                         "2",
                         path, magic[3]);
    if (magic[2] != IDX_UNSIGNED_BYTE)
        return error_set(err,
                         "%s: byte 2 says that the data are of type %02x; only 08, unsigned "
                         "bytes, can be read%s",
                         path, magic[2], kind == &idx_images ? "" : ", and labels of 0c, integers");
    const IdxKind *other = kind == &idx_images ? &idx_labels : &idx_images;
    if (magic[3] == other->rank)
        return error_set(err, "%s: holds %s, where %s were expected; are the two files exchanged?",
                         path, other->holds, kind->holds);
    return error_set(err, "%s: byte 3 says that the data have %u dimensions; %s have %u", path,
                     magic[3], kind->holds, kind->rank);
}

static bool error_short(Error *err, const IdxFile *file, uint64_t found)
{
    return error_set(err, "%s: ends after %llu bytes, inside the header of %zu bytes%s",
                     file->source.path, (unsigned long long)found, idx_header_size(file->kind),
                     file->source.only_named_gz ? ", and is not gzip data, as its name says" : "");
}

// Takes in the sizes; their product must be a size_t that memory could hold.
static bool idx_parse_dims(IdxFile *file, const unsigned char *bytes, Error *err)
{
    size_t product = file->kind->element;
    for (unsigned d = 0; d < file->kind->rank; d++, bytes += 4) {
        uint32_t dim = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                       (uint32_t)bytes[2] << 8 | bytes[3];
        if (dim == 0)
            return error_set(err, "%s: size %u of the header (%s) is 0", file->source.path, d + 1,
                             file->kind->sizes);
        if (product > (SIZE_MAX / 2) / dim)
            return error_set(err,
                             "%s: the sizes in the header (%s) multiply to more than memory "
                             "can hold",
                             file->source.path, file->kind->sizes);
        file->dims[d] = dim;
        product *= dim;
    }
    file->size = product;
    return true;
}

// The sizes must account for every byte. A compressed file's length is known when it has been read.
static bool error_length(Error *err, const IdxFile *file, const char *found)
{
    char dims[64] = "";
    for (unsigned d = 0; d < file->kind->rank; d++) {
        size_t used = strlen(dims);
        snprintf(dims + used, sizeof dims - used, "%s%lu", d == 0 ? "" : " x ",
                 (unsigned long)file->dims[d]);
    }
    return error_set(err, "%s: the header says %s %s, %zu bytes with the header; the file has %s",
                     file->source.path, dims, file->kind->holds,
                     idx_header_size(file->kind) + file->size, found);
}

static bool idx_read_header(IdxFile *file, Error *err)
{
    unsigned char first[IDX_MAX_HEADER] = {0}, *header = file->header;
    ptrdiff_t n_first = source_peek(&file->source, first, sizeof first, err);
    if (file->kind == &idx_labels && first[2] == IDX_INT && first[3] == idx_int_labels.rank)
        file->kind = &idx_int_labels;
    size_t size = idx_header_size(file->kind);
    ptrdiff_t n = n_first < 0 ? -1 : source_read(&file->source, header, size, err);
    if (n < 0)
        return false;
    if (n == 0 && file->source.gzip == 0)
        return error_set(err, "%s: is empty", file->source.path);
    bool magic_is_right = header[0] == 0 && header[1] == 0 && header[2] == file->kind->type &&
                          header[3] == file->kind->rank;
    if (n >= 4 && !magic_is_right)
        return error_magic(err, file, first, (size_t)n_first);
    if ((size_t)n < size)
        return error_short(err, file, (uint64_t)n);
    if (!idx_parse_dims(file, header + 4, err))
        return false;
    file->crc32 = crc32_update(file->crc32, header, size);

    if (!file->source.piped && file->source.size != (uint64_t)size + file->size) {
        char found[40];
        snprintf(found, sizeof found, "%llu", (unsigned long long)file->source.size);
        return error_length(err, file, found);
    }
    return true;
}

// ---------------------------------------------------------------------------------------------
// Reading

// When the data ended too soon, gzip's own verdict is the better reason.
static bool idx_close(IdxFile *file, bool ok, bool ended, Error *err)
{
    Error from_gzip;
    if (!source_close(&file->source, ok || ended, &from_gzip)) {
        *err = from_gzip;
        return false;
    }
    return ok;
}

// Takes over an open source and checks its header; closes it when that fails.
static bool idx_begin(IdxFile *file, const Source *source, const IdxKind *kind, Error *err)
{
    *file = (IdxFile){.source = *source, .kind = kind};
    if (idx_read_header(file, err))
        return true;
    // A compressed file whose header is cut short has ended: ask gzip why.
    unsigned char more;
    Error ignored;
    bool ended = source_read(&file->source, &more, 1, &ignored) == 0;
    return idx_close(file, false, ended, err);
}

static bool idx_open(IdxFile *file, const char *path, const IdxKind *kind, Error *err)
{
    Source source;
    return source_open(&source, path, err) && idx_begin(file, &source, kind, err);
}

// The checksum of the last n bytes of the header and the data.
static uint32_t idx_crc32_of_end(const IdxFile *file, const unsigned char *data, size_t n)
{
    size_t of_data = n < file->size ? n : file->size, of_header = n - of_data;
    uint32_t crc32 =
        crc32_update(0, file->header + idx_header_size(file->kind) - of_header, of_header);
    return crc32_update(crc32, data + file->size - of_data, of_data);
}

// gzip takes zeros behind its data as padding. The end of the file must be that of its last worker:
// of the only one, or of one that the last bytes came from (cat a.gz b.gz, bgzip), or of an empty
// one. What follows that is not zero, gzip finds itself.
static bool idx_check_end(const IdxFile *file, const unsigned char *data, Error *err)
{
    const Source *source = &file->source;
    uint64_t total = (uint64_t)idx_header_size(file->kind) + file->size;
    if (source->gzip == 0 || source->gzip_ends_empty ||
        (source->gzip_size == (uint32_t)total && source->gzip_crc32 == file->crc32) ||
        (source->gzip_size > 0 && source->gzip_size < total &&
         source->gzip_crc32 == idx_crc32_of_end(file, data, source->gzip_size)))
        return true;
    return error_set(err, "%s: other data follow the compressed ones", source->path);
}

enum { IDX_FIRST_CHUNK = 1 << 20 };

// Reads the data after the header and ends with the file closed. Memory grows with the bytes that
// have arrived, not with what the header promises.
static unsigned char *idx_read_data(IdxFile *file, Arena *arena, Error *err)
{
    size_t room = file->size, done = 0;
    if (file->source.piped && room > IDX_FIRST_CHUNK)
        room = IDX_FIRST_CHUNK;
    unsigned char *data = arena_alloc(arena, room, 1, file->kind->holds, err);
    bool ok = data != NULL, ended = false;
    while (ok && done < file->size) {
        if (done == room) {
            room = room > file->size / 2 ? file->size : 2 * room;
            unsigned char *moved = arena_resize(arena, data, done, room, file->kind->holds, err);
            ok = moved != NULL;
            if (!ok)
                break;
            data = moved;
        }
        ptrdiff_t n = source_read(&file->source, data + done, room - done, err);
        ok = n >= 0;
        if (!ok)
            break;
        file->crc32 = crc32_update(file->crc32, data + done, (size_t)n);
        done += (size_t)n;
        ended = done < room;
        if (ended) {
            char found[40];
            snprintf(found, sizeof found, "%zu", idx_header_size(file->kind) + done);
            ok = error_length(err, file, found);
        }
    }
    if (ok) {
        unsigned char more;
        ptrdiff_t n = source_read(&file->source, &more, 1, err);
        ok = n == 0 || (n > 0 && error_length(err, file, "more"));
    }
    return idx_close(file, ok, ended, err) && idx_check_end(file, data, err) ? data : NULL;
}

// The labels as bytes: of integers (QMNIST) the first column, which is the class.
static const unsigned char *idx_label_bytes(const IdxFile *file, const unsigned char *data,
                                            Arena *arena, Error *err)
{
    if (file->kind == &idx_labels)
        return data;
    size_t n = file->dims[0], row = file->size / n;
    unsigned char *labels = arena_alloc(arena, n, 1, "labels", err);
    for (size_t i = 0; labels != NULL && i < n; i++) {
        const unsigned char *at = data + i * row;
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
            for (size_t col = 0; col < cols; col++)
                pixels[col * rows + row] = image[row * cols + col];
    }
    data->rows = cols;
    data->cols = rows;
    data->crc32 = crc32_update(data->crc32, mark, sizeof mark - 1);
    return true;
}

// Both headers are checked, and compared, before anything is allocated for either file; then the
// labels come first, which are small.
bool idx_read(Dataset *data, Arena *arena, const char *images, const char *labels, bool transposed,
              Error *err)
{
    IdxFile image_file, label_file;
    if (!idx_open(&label_file, labels, &idx_labels, err))
        return false;
    if (!idx_open(&image_file, images, &idx_images, err))
        return idx_close(&label_file, false, false, err);
    size_t n = image_file.dims[0];
    if (n != label_file.dims[0]) {
        error_set(err, "%s: has %zu images, but %s has %lu labels", images, n, labels,
                  (unsigned long)label_file.dims[0]);
        idx_close(&label_file, false, false, err);
        return idx_close(&image_file, false, false, err);
    }
    const unsigned char *raw = idx_read_data(&label_file, arena, err);
    const unsigned char *label = raw == NULL ? NULL : idx_label_bytes(&label_file, raw, arena, err);
    if (label == NULL)
        return idx_close(&image_file, false, false, err);
    unsigned char *pixels = idx_read_data(&image_file, arena, err);
    if (pixels == NULL)
        return false;

    size_t n_classes = 10;
    for (size_t i = 0; i < n; i++)
        if (label[i] >= n_classes)
            n_classes = label[i] + (size_t)1;
    // The checksum of both files is that of one after the other; the labels, few, are taken twice.
    uint32_t crc32 =
        crc32_update(image_file.crc32, label_file.header, idx_header_size(label_file.kind));
    Dataset found = {.n = n,
                     .rows = image_file.dims[1],
                     .cols = image_file.dims[2],
                     .n_classes = n_classes,
                     .pixels = pixels,
                     .labels = label,
                     .crc32 = crc32_update(crc32, raw, label_file.size)};
    if (transposed && !transpose(&found, pixels, arena, err))
        return false;
    *data = found;
    return true;
}

bool idx_read_images(Dataset *data, Arena *arena, const Source *source, bool transposed, Error *err)
{
    IdxFile file;
    if (!idx_begin(&file, source, &idx_images, err))
        return false;
    unsigned char *pixels = idx_read_data(&file, arena, err);
    if (pixels == NULL)
        return false;
    Dataset found = {.n = file.dims[0],
                     .rows = file.dims[1],
                     .cols = file.dims[2],
                     .pixels = pixels,
                     .crc32 = file.crc32};
    if (transposed && !transpose(&found, pixels, arena, err))
        return false;
    *data = found;
    return true;
}

// ---------------------------------------------------------------------------------------------
// Directories

bool idx_read_directory(Dataset *data, Arena *arena, const char *directory, IdxPart part,
                        bool transposed, Error *err)
{
    IdxPaths paths;
    return idx_find(&paths, directory, part, err) &&
           idx_read(data, arena, paths.images, paths.labels, transposed, err);
}
