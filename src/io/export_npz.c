// A model for NumPy: an .npz, which np.load reads without pickles. It is a ZIP archive (PKWARE's
// APPNOTE.TXT, 4.3.7 to 4.3.16) of files that are stored, not compressed, with the first date there
// is; each is an array in format 1.0 of .npy (NumPy's NEP 1). The arrays are the tensors of the
// model file under their names, and what the computation needs beside them.
#include "bytes.h"
#include "export.h"
#include "json.h"

#include <assert.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Arrays

// What an array has: a tensor of float32, texts, or else one double. A model is at most about a
// gigabyte, so that sizes fit into 32 bits.
typedef struct NpyArray {
    char name[40]; // with its ending
    const Tensor *tensor;
    const ClassName *texts;
    size_t n_texts; // 0: one that is not in a list
    double number;
    uint32_t size, crc, offset; // of the file in the archive
} NpyArray;

// NumPy's strings are UTF-32, padded with zeros to the longest name that a class can have.
enum { TEXT_WIDTH = CLASS_NAME_SIZE - 1 };

static void put_text(ByteWriter *w, const char *text)
{
    size_t n = 0;
    for (const unsigned char *s = (const unsigned char *)text; *s != '\0'; n++) {
        size_t length = utf8_length(s, strlen((const char *)s));
        assert(length > 0); // as class_names_check makes sure
        uint32_t point = length == 1 ? *s : *s & (0x7fu >> length);
        for (s++; --length > 0; s++)
            point = point << 6 | (*s & 0x3fu);
        bytes_put_uint(w, point, 4);
    }
    for (; n < TEXT_WIDTH; n++)
        bytes_put_uint(w, 0, 4);
}

// The header: a Python dictionary, padded so that the data begin at a multiple of 64.
static void put_npy_header(ByteWriter *w, const NpyArray *array)
{
    size_t dims[TENSOR_MAX_DIMS] = {array->n_texts}, n_dims = array->n_texts > 0;
    char type[8] = "<f8", shape[64] = "", text[192];
    if (array->texts != NULL)
        snprintf(type, sizeof type, "<U%d", TEXT_WIDTH);
    if (array->tensor != NULL) {
        snprintf(type, sizeof type, "<f4");
        n_dims = tensor_file_shape(array->tensor, dims);
    }
    for (size_t d = 0; d < n_dims; d++) {
        size_t used = strlen(shape);
        snprintf(shape + used, sizeof shape - used, d == 0 ? "%zu," : " %zu,", dims[d]);
    }
    int length = snprintf(text, sizeof text,
                          "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
    size_t padded = round_up(10 + (size_t)length + 1, 64) - 10;
    bytes_put(w, "\x93NUMPY\x01\x00", 8);
    bytes_put_uint(w, padded, 2);
    memset(text + length, ' ', padded - (size_t)length);
    text[padded - 1] = '\n';
    bytes_put(w, text, padded);
}

static void put_npy(ByteWriter *w, const NpyArray *array, const float *params)
{
    put_npy_header(w, array);
    if (array->tensor != NULL) {
        bytes_put_tensor(w, array->tensor, params);
    } else if (array->texts != NULL) {
        for (size_t i = 0; i == 0 || i < array->n_texts; i++)
            put_text(w, array->texts[i].text);
    } else {
        uint64_t bits;
        memcpy(&bits, &array->number, sizeof bits);
        bytes_put_uint(w, bits, 8);
    }
}

// ---------------------------------------------------------------------------------------------
// The archive

// The header before a file, or the longer one in the central directory.
static void put_zip_header(ByteWriter *w, const NpyArray *file, bool is_central)
{
    bytes_put_uint(w, is_central ? 0x02014b50 : 0x04034b50, 4);
    if (is_central)
        bytes_put_uint(w, 10, 2); // made by version 1.0, on a system without permissions
    bytes_put_uint(w, 10, 2);     // needs version 1.0
    bytes_put_uint(w, 0, 6);      // no flags; stored; midnight
    bytes_put_uint(w, 0x0021, 2); // 1980-01-01
    bytes_put_uint(w, file->crc, 4);
    bytes_put_uint(w, file->size, 4); // as stored
    bytes_put_uint(w, file->size, 4);
    bytes_put_uint(w, strlen(file->name), 2);
    bytes_put_uint(w, 0, 2); // nothing extra
    if (is_central) {
        bytes_put_uint(w, 0, 6); // no comment; first disk; not known to be text
        bytes_put_uint(w, 0, 4); // no attributes
        bytes_put_uint(w, file->offset, 4);
    }
    bytes_put(w, file->name, strlen(file->name));
}

static void put_file(ByteWriter *w, NpyArray *file, const float *params)
{
    ByteWriter counted = {.crc = &file->crc};
    put_npy(&counted, file, params);
    file->size = (uint32_t)counted.size;
    file->offset = (uint32_t)w->size;
    put_zip_header(w, file, false);
    put_npy(w, file, params);
}

// The headers of all files again, and where they are.
static void put_directory(ByteWriter *w, const NpyArray *files, size_t n)
{
    size_t begin = w->size;
    for (size_t i = 0; i < n; i++)
        put_zip_header(w, &files[i], true);
    size_t size = w->size - begin;
    bytes_put_uint(w, 0x06054b50, 4);
    bytes_put_uint(w, 0, 4); // one disk
    bytes_put_uint(w, n, 2); // files, on this disk and in all
    bytes_put_uint(w, n, 2);
    bytes_put_uint(w, size, 4);
    bytes_put_uint(w, begin, 4);
    bytes_put_uint(w, 0, 2); // no comment
}

void export_npz(const Model *model, const ExportOptions *options, FILE *out)
{
    NpyArray files[NETWORK_MAX_TENSORS + 3];
    ByteWriter w = {.out = out};
    ClassName activation;
    size_t n = 0;
    (void)options;
    for (; n < model->net.n_tensors; n++) {
        files[n] = (NpyArray){.tensor = model->net.tensors[n]};
        snprintf(files[n].name, sizeof files[n].name, "%s.npy", files[n].tensor->name);
    }
    snprintf(activation.text, sizeof activation.text, "%s", model->net.architecture.activation);
    files[n++] = (NpyArray){.name = "pixel_std.npy", .number = model->facts.pixel_std};
    files[n++] = (NpyArray){.name = "activation.npy", .texts = &activation};
    files[n++] = (NpyArray){.name = "class_names.npy",
                            .texts = model->class_names,
                            .n_texts = model->net.architecture.classes};
    for (size_t i = 0; i < n; i++)
        put_file(&w, &files[i], model->params);
    put_directory(&w, files, n);
}
