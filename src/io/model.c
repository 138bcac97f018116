// The model file, read and written; see model.h.
#include "model.h"

#include "crc32.h"
#include "formats.h"
#include "json.h"
#include "numbers.h"
#include "source.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Metadata: one table writes, reads, checks and shows them

typedef enum MetaKind {
    META_FORMAT, // the constant below
    META_NAME,   // of an architecture
    META_SIZE,   // a size_t
    META_COUNT,  // a uint64_t
    META_REAL,   // a double
    META_CRC32,  // eight lower-case hexadecimal digits
    META_TRUE,   // a bool, "true"; written only when it is
    META_NAMES,  // of classes, a const char *; written only when there are some
    META_RECIPE
} MetaKind;

typedef struct MetaField {
    const char *key;
    MetaKind kind;
    size_t offset; // in ModelSettings
    double min, max;
} MetaField;

static const char format_name[] = "mlp 1";
static const char checksum_key[] = "checksum_crc32";

#define AT(worker) offsetof(ModelSettings, worker)
#define MAX_COUNT  9007199254740991.0 // 2^53 - 1: exact in a double and in any JSON reader
#define MAX_IMAGES 4294967295.0

static const MetaField meta_fields[] = {
    {"architecture", META_NAME, AT(architecture.name), 0, 0},
    {"batch_size", META_COUNT, AT(batch_size), 1, 65536},
    {checksum_key, META_CRC32, AT(checksum), 0, 0},
    {"class_names", META_NAMES, AT(class_names), 0, 0},
    {"classes", META_SIZE, AT(architecture.classes), 2, 256},
    {"data_crc32", META_CRC32, AT(data_crc32), 0, 0},
    {"epochs", META_COUNT, AT(epochs), 0, 1000000},
    {"format", META_FORMAT, 0, 0, 0},
    {"hidden", META_SIZE, AT(architecture.hidden), 1, 65536},
    {"image_cols", META_SIZE, AT(architecture.cols), 1, 4096},
    {"image_rows", META_SIZE, AT(architecture.rows), 1, 4096},
    {"learning_rate", META_REAL, AT(learning_rate), 0, 1e38},
    {"pixel_std", META_REAL, AT(pixel_std), 1e-30, 1},
    {"recipe", META_RECIPE, 0, 0, 0},
    {"seed", META_COUNT, AT(seed), 0, MAX_COUNT},
    {"train_size", META_COUNT, AT(train_size), 1, MAX_IMAGES},
    {"transposed", META_TRUE, AT(transposed), 0, 0},
    {"validation_size", META_COUNT, AT(validation_size), 1, MAX_IMAGES},
};
enum { N_META_FIELDS = sizeof meta_fields / sizeof meta_fields[0] };

static bool meta_is_optional(const MetaField *field)
{
    return field->kind == META_TRUE || field->kind == META_NAMES;
}

// Writes "" for what is not set.
static void meta_format(const MetaField *field, const ModelSettings *settings, char *text,
                        size_t size)
{
    const unsigned char *at = (const unsigned char *)settings + field->offset;
    char number[NUMBER_SIZE];
    switch (field->kind) {
    case META_FORMAT: snprintf(text, size, "%s", format_name); break;
    case META_RECIPE: snprintf(text, size, "%d", MODEL_RECIPE); break;
    case META_NAME: snprintf(text, size, "%s", *(const char *const *)(const void *)at); break;
    case META_SIZE: snprintf(text, size, "%zu", *(const size_t *)(const void *)at); break;
    case META_COUNT: snprintf(text, size, "%" PRIu64, *(const uint64_t *)(const void *)at); break;
    case META_CRC32: snprintf(text, size, "%08" PRIx32, *(const uint32_t *)(const void *)at); break;
    case META_TRUE: snprintf(text, size, "%s", *(const bool *)at ? "true" : ""); break;
    case META_NAMES: {
        const char *names = *(const char *const *)(const void *)at;
        snprintf(text, size, "%s", names == NULL ? "" : names);
        break;
    }
    case META_REAL:
        snprintf(text, size, "%s", format_shortest(number, *(const double *)(const void *)at));
        break;
    }
}

static bool parse_crc32(const char *text, uint32_t *value)
{
    if (strlen(text) != 8 || strspn(text, "0123456789abcdef") != 8)
        return false;
    *value = (uint32_t)strtoul(text, NULL, 16);
    return true;
}

// Takes in one value; the names of an architecture and of classes stay where the reader put them.
static bool meta_parse(const MetaField *field, ModelSettings *settings, const char *text,
                       Error *err)
{
    unsigned char *at = (unsigned char *)settings + field->offset;
    uint64_t count = 0;
    double real = 0.0;
    bool ok = true;
    switch (field->kind) {
    case META_FORMAT: ok = strcmp(text, format_name) == 0; break;
    case META_NAME: memcpy(at, &text, sizeof text); break;
    case META_NAMES:
        memcpy(at, &text, sizeof text);
        ok = *text != '\0' && strlen(text) < CLASS_NAMES_SIZE;
        break;
    case META_TRUE:
        ok = strcmp(text, "true") == 0;
        *(bool *)at = ok;
        break;
    case META_CRC32: ok = parse_crc32(text, (uint32_t *)(void *)at); break;
    case META_RECIPE:
        if (!parse_uint(text, &count) || count != MODEL_RECIPE)
            return error_set(err, "recipe '%.40s' is not the recipe %d of this program", text,
                             MODEL_RECIPE);
        break;
    case META_SIZE:
    case META_COUNT:
        ok = parse_uint(text, &count);
        real = (double)count;
        ok = ok && real >= field->min && real <= field->max;
        if (field->kind == META_SIZE)
            *(size_t *)(void *)at = (size_t)count;
        else
            *(uint64_t *)(void *)at = count;
        break;
    case META_REAL:
        ok = parse_double(text, &real) && real >= field->min && real <= field->max;
        *(double *)(void *)at = real;
        break;
    }
    return ok || error_set(err, "metadata '%s' has the value '%.40s', which is not valid there",
                           field->key, text);
}

bool model_setting(const ModelSettings *settings, size_t i, const char **key, char *value,
                   size_t size)
{
    for (size_t f = 0; f < N_META_FIELDS; f++) {
        meta_format(&meta_fields[f], settings, value, size);
        bool is_set = value[0] != '\0' || !meta_is_optional(&meta_fields[f]);
        *key = meta_fields[f].key;
        if (is_set && i-- == 0)
            return true;
    }
    return false;
}

// ---------------------------------------------------------------------------------------------
// Bytes, little-endian whatever the machine is

static void put_u64(unsigned char *out, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get_u64(const unsigned char *in)
{
    uint64_t value = 0;
    for (int i = 8; i-- > 0;)
        value = value << 8 | in[i];
    return value;
}

static void put_f32(unsigned char *out, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 4; i++)
        out[i] = (unsigned char)(bits >> (8 * i));
}

static float get_f32(const unsigned char *in)
{
    uint32_t bits = 0;
    for (int i = 4; i-- > 0;)
        bits = bits << 8 | in[i];
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// ---------------------------------------------------------------------------------------------
// Writing

enum { HEADER_ROOM = 16384 + 2 * CLASS_NAMES_SIZE };

typedef struct HeaderText {
    char text[HEADER_ROOM];
    size_t length;
} HeaderText;

static void header_add(HeaderText *header, const char *format, ...) MLP_PRINTF(2, 3);
static void header_add(HeaderText *header, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = HEADER_ROOM - header->length;
    int n = vsnprintf(header->text + header->length, room, format, arguments);
    va_end(arguments);
    assert(n >= 0 && (size_t)n < room); // names and numbers are short, and their numbers constant
    header->length += (size_t)n;
}

// Text inside quotes. Of what must be escaped in JSON it holds quotes, backslashes and line ends.
static void header_add_text(HeaderText *header, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\n')
            header_add(header, "\\n");
        else
            header_add(header, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
}

// The tensors in the order of their names.
static void tensors_by_name(const Network *net, const Tensor *sorted[NETWORK_MAX_TENSORS])
{
    for (size_t t = 0; t < net->n_tensors; t++) {
        size_t at = t;
        for (; at > 0 && strcmp(sorted[at - 1]->name, net->tensors[t]->name) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = net->tensors[t];
    }
}

// Writes the JSON, and returns where the digits of the checksum stand in it.
static size_t header_write(HeaderText *header, const ModelSettings *settings, const Network *net)
{
    size_t checksum_at = 0;
    header_add(header, "{\"__metadata__\":{");
    for (size_t i = 0; i < N_META_FIELDS; i++) {
        char value[CLASS_NAMES_SIZE];
        meta_format(&meta_fields[i], settings, value, sizeof value);
        if (value[0] == '\0' && meta_is_optional(&meta_fields[i]))
            continue;
        header_add(header, "%s\"%s\":\"", i == 0 ? "" : ",", meta_fields[i].key);
        if (strcmp(meta_fields[i].key, checksum_key) == 0)
            checksum_at = header->length;
        header_add_text(header, value);
        header_add(header, "\"");
    }
    header_add(header, "}");

    const Tensor *sorted[NETWORK_MAX_TENSORS];
    tensors_by_name(net, sorted);
    size_t begin = 0;
    for (size_t t = 0; t < net->n_tensors; t++) {
        header_add(header, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[", sorted[t]->name);
        size_t dims[TENSOR_MAX_DIMS], n_dims = tensor_file_shape(sorted[t], dims);
        for (size_t d = 0; d < n_dims; d++)
            header_add(header, "%s%zu", d == 0 ? "" : ",", dims[d]);
        size_t end = begin + 4 * tensor_size(sorted[t]);
        header_add(header, "],\"data_offsets\":[%zu,%zu]}", begin, end);
        begin = end;
    }
    header_add(header, "}");
    while ((8 + header->length) % 8 != 0)
        header_add(header, " ");
    return checksum_at;
}

bool model_write(const ModelSettings *settings, const Network *net, const float *params,
                 Output *out, Error *err)
{
    ModelSettings unsigned_settings = *settings;
    unsigned_settings.checksum = 0;
    HeaderText header = {.length = 0};
    size_t checksum_at = 8 + header_write(&header, &unsigned_settings, net);

    Arena arena = {0};
    size_t size = 8 + header.length + 4 * network_count_weights(net);
    unsigned char *file = arena_alloc(&arena, size, 1, "the model file", err);
    if (file == NULL)
        return false;
    put_u64(file, header.length);
    memcpy(file + 8, header.text, header.length);

    const Tensor *sorted[NETWORK_MAX_TENSORS];
    tensors_by_name(net, sorted);
    unsigned char *at = file + 8 + header.length;
    bool finite = true;
    for (size_t t = 0; t < net->n_tensors; t++)
        for (size_t e = 0; e < tensor_size(sorted[t]); e++, at += 4) {
            float value = params[tensor_index(sorted[t], e)];
            finite = finite && isfinite(value);
            put_f32(at, value);
        }

    char digits[9];
    snprintf(digits, sizeof digits, "%08" PRIx32, crc32_update(0, file, size));
    memcpy(file + checksum_at, digits, 8);
    if (finite)
        fwrite(file, 1, size, out->stream);
    else
        error_set(err, "%s: not written: a weight is not finite", out->path);
    arena_free(&arena);
    return finite;
}

// ---------------------------------------------------------------------------------------------
// Reading

// A file with its parts found, and what the header has said so far.
typedef struct ModelFile {
    unsigned char *bytes;
    size_t size;
    JsonReader json;
    const unsigned char *data; // the tensors
    size_t data_size;
    bool has_field[N_META_FIELDS];
    size_t checksum_at; // offset of its eight digits
    struct {
        const char *name;
        size_t n_dims;
        uint64_t dims[TENSOR_MAX_DIMS], begin, end;
    } entries[NETWORK_MAX_TENSORS];
    size_t n_entries;
} ModelFile;

// Lengths only: where the header and the tensors lie.
static bool model_find_parts(ModelFile *file, Arena *arena, Error *err)
{
    if (file->size < 8)
        return error_set(err, "%zu bytes are too few for a model file", file->size);
    uint64_t length = get_u64(file->bytes);
    const Format *format =
        format_of(file->bytes, file->size < FORMAT_HEAD ? file->size : FORMAT_HEAD);
    if (format != NULL && format->kind != FORMAT_MODEL)
        return error_set(err, "is %s, where a model was expected", format->name);
    if (length > file->size - 8)
        return error_set(err,
                         "not a model file: a header of %" PRIu64 " bytes is announced, only "
                         "%zu follow",
                         length, file->size - 8);
    const char *header = (const char *)file->bytes + 8;
    if (length < 2 || header[0] != '{')
        return error_set(err, "not a model file: the header does not begin with '{'");
    file->json = (JsonReader){header, header, header + length, arena};
    file->data = file->bytes + 8 + length;
    file->data_size = file->size - 8 - (size_t)length;
    return true;
}

static bool model_parse_metadata(ModelFile *file, ModelSettings *settings, Error *err)
{
    JsonReader *json = &file->json;
    if (!json_expect(json, '{', err))
        return false;
    if (json_accept(json, '}'))
        return true;
    do {
        const char *key, *value;
        if (!json_expect_string(json, &key, err) || !json_expect(json, ':', err) ||
            !json_expect_string(json, &value, err))
            return false;
        size_t i = 0;
        while (i < N_META_FIELDS && strcmp(meta_fields[i].key, key) != 0)
            i++;
        if (i == N_META_FIELDS)
            return error_set(err, "unknown metadata '%.40s'", key);
        if (file->has_field[i])
            return error_set(err, "metadata '%s' is there twice", meta_fields[i].key);
        file->has_field[i] = true;
        if (!meta_parse(&meta_fields[i], settings, value, err))
            return false;
        // The reader now stands behind the closing quote: the digits are the eight bytes before it.
        if (strcmp(key, checksum_key) == 0) {
            if (json->at[-10] != '"')
                return error_set(err, "metadata '%s' is written with escapes", key);
            file->checksum_at = (size_t)((const unsigned char *)json->at - file->bytes) - 9;
        }
    } while (json_accept(json, ','));
    return json_expect(json, '}', err);
}

// Reads up to `room` numbers in brackets.
static bool model_parse_counts(JsonReader *json, uint64_t *counts, size_t room, size_t *n,
                               Error *err)
{
    *n = 0;
    if (!json_expect(json, '[', err))
        return false;
    if (json_accept(json, ']'))
        return true;
    do {
        if (*n == room)
            return error_set(err, "a list of more than %zu numbers", room);
        if (!json_expect_uint(json, &counts[(*n)++], err))
            return false;
    } while (json_accept(json, ','));
    return json_expect(json, ']', err);
}

// {"dtype":"F32","shape":[...],"data_offsets":[begin,end]}, in any order, each once.
static bool model_parse_entry(ModelFile *file, const char *name, Error *err)
{
    JsonReader *json = &file->json;
    if (file->n_entries == NETWORK_MAX_TENSORS)
        return error_set(err, "more than %d tensors", NETWORK_MAX_TENSORS);
    for (size_t i = 0; i < file->n_entries; i++)
        if (strcmp(file->entries[i].name, name) == 0)
            return error_set(err, "tensor '%.40s' is there twice", name);
    size_t at = file->n_entries++;
    file->entries[at].name = name;

    unsigned seen = 0;
    if (!json_expect(json, '{', err))
        return false;
    do {
        const char *key, *dtype;
        uint64_t offsets[2];
        size_t n_offsets;
        if (!json_expect_string(json, &key, err) || !json_expect(json, ':', err))
            return false;
        unsigned bit = strcmp(key, "dtype") == 0          ? 1
                       : strcmp(key, "shape") == 0        ? 2
                       : strcmp(key, "data_offsets") == 0 ? 4
                                                          : 0;
        if (bit == 0 || (seen & bit) != 0)
            return error_set(err, "tensor '%.40s': '%.40s' is %s", name, key,
                             bit == 0 ? "unknown" : "there twice");
        seen |= bit;
        if (bit == 1) {
            if (!json_expect_string(json, &dtype, err))
                return false;
            if (strcmp(dtype, "F32") != 0)
                return error_set(err, "tensor '%.40s' is %.40s, not F32", name, dtype);
        } else if (bit == 2) {
            if (!model_parse_counts(json, file->entries[at].dims, TENSOR_MAX_DIMS,
                                    &file->entries[at].n_dims, err))
                return false;
        } else {
            if (!model_parse_counts(json, offsets, 2, &n_offsets, err))
                return false;
            if (n_offsets != 2)
                return error_set(err, "tensor '%.40s': data_offsets are not two", name);
            file->entries[at].begin = offsets[0];
            file->entries[at].end = offsets[1];
        }
    } while (json_accept(json, ','));
    if (seen != 7)
        return error_set(err, "tensor '%.40s' lacks its dtype, shape or data_offsets", name);
    return json_expect(json, '}', err);
}

static bool model_parse_header(ModelFile *file, ModelSettings *settings, Error *err)
{
    JsonReader *json = &file->json;
    bool has_metadata = false;
    if (!json_expect(json, '{', err))
        return false;
    if (!json_accept(json, '}')) {
        do {
            const char *key;
            if (!json_expect_string(json, &key, err) || !json_expect(json, ':', err))
                return false;
            bool is_metadata = strcmp(key, "__metadata__") == 0;
            if (is_metadata && has_metadata)
                return error_set(err, "__metadata__ is there twice");
            has_metadata = has_metadata || is_metadata;
            if (is_metadata ? !model_parse_metadata(file, settings, err)
                            : !model_parse_entry(file, key, err))
                return false;
        } while (json_accept(json, ','));
        if (!json_expect(json, '}', err))
            return false;
    }
    if (!json_expect_end(json, err))
        return false;
    for (size_t i = 0; i < N_META_FIELDS; i++)
        if (!file->has_field[i] && !meta_is_optional(&meta_fields[i]))
            return error_set(err, "a safetensors file, but none of ours: its metadata lack '%s'",
                             meta_fields[i].key);
    return true;
}

// The entries must be exactly the network's tensors, and their data must follow one another
// without hole or overlap, to the last byte.
static bool model_check_entries(const ModelFile *file, const Network *net, Error *err)
{
    for (size_t t = 0; t < net->n_tensors; t++) {
        size_t i = 0;
        while (i < file->n_entries && strcmp(file->entries[i].name, net->tensors[t]->name) != 0)
            i++;
        if (i == file->n_entries)
            return error_set(err, "tensor '%s' is missing", net->tensors[t]->name);
    }
    uint64_t total = 0;
    for (size_t i = 0; i < file->n_entries; i++) {
        const Tensor *tensor = NULL;
        for (size_t t = 0; t < net->n_tensors; t++)
            if (strcmp(file->entries[i].name, net->tensors[t]->name) == 0)
                tensor = net->tensors[t];
        if (tensor == NULL)
            return error_set(err, "unknown tensor '%.40s'", file->entries[i].name);
        size_t dims[TENSOR_MAX_DIMS], n_dims = tensor_file_shape(tensor, dims);
        bool fits = file->entries[i].n_dims == n_dims;
        for (size_t d = 0; fits && d < n_dims; d++)
            fits = file->entries[i].dims[d] == dims[d];
        if (!fits)
            return error_set(err, "tensor '%s' has not the shape that the metadata say",
                             tensor->name);
        uint64_t begin = file->entries[i].begin, size = 4 * (uint64_t)tensor_size(tensor);
        if (begin > file->data_size || file->entries[i].end != begin + size)
            return error_set(err, "tensor '%s': its data_offsets do not fit its shape",
                             tensor->name);
        bool follows = begin == 0;
        for (size_t j = 0; j < file->n_entries; j++)
            follows = follows || file->entries[j].end == begin;
        for (size_t j = 0; j < i; j++)
            follows = follows && file->entries[j].begin != begin;
        if (!follows)
            return error_set(err, "tensor '%s': its data overlap others or leave a hole",
                             tensor->name);
        total += size;
    }
    if (total != file->data_size)
        return error_set(err, "the tensors take %" PRIu64 " bytes, %zu are there", total,
                         file->data_size);
    return true;
}

// Fuzzing goes past the checksum, which it could never guess.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
enum { CHECKSUM_COUNTS = false };
#else
enum { CHECKSUM_COUNTS = true };
#endif

static bool model_check_sum(ModelFile *file, uint32_t stored, Error *err)
{
    memset(file->bytes + file->checksum_at, '0', 8);
    uint32_t computed = crc32_update(0, file->bytes, file->size);
    return computed == stored || !CHECKSUM_COUNTS ||
           error_set(err, "damaged: the checksum is %08" PRIx32 ", the file says %08" PRIx32,
                     computed, stored);
}

static bool model_load_weights(Model *model, const ModelFile *file, Error *err)
{
    for (size_t t = 0; t < model->net.n_tensors; t++) {
        const Tensor *tensor = model->net.tensors[t];
        size_t i = 0;
        while (strcmp(file->entries[i].name, tensor->name) != 0)
            i++;
        const unsigned char *at = file->data + file->entries[i].begin;
        for (size_t e = 0; e < tensor_size(tensor); e++, at += 4) {
            float value = get_f32(at);
            if (!isfinite(value))
                return error_set(err, "tensor '%s' holds a value that is not finite", tensor->name);
            model->params[tensor_index(tensor, e)] = value;
        }
    }
    return true;
}

static bool model_check_class_names(const ModelSettings *settings, Error *err)
{
    Error reason;
    return settings->class_names == NULL ||
           class_names_check(settings->class_names, settings->architecture.classes, &reason) ||
           error_set(err, "metadata 'class_names', %s", reason.text);
}

bool model_parse(Model *model, Arena *arena, unsigned char *bytes, size_t size, Error *err)
{
    *model = (Model){.params = NULL};
    ModelFile file = {.bytes = bytes, .size = size};
    if (!model_find_parts(&file, arena, err) || !model_parse_header(&file, &model->settings, err) ||
        !network_build(&model->net, &model->settings.architecture, err) ||
        !model_check_class_names(&model->settings, err) ||
        !model_check_entries(&file, &model->net, err) ||
        !model_check_sum(&file, model->settings.checksum, err))
        return false;
    model->settings.architecture = model->net.architecture;
    model->params = network_alloc(&model->net, arena, err);
    return model->params != NULL && model_load_weights(model, &file, err);
}

bool model_read(Model *model, Arena *arena, const char *path, Error *err)
{
    const size_t max_size = ((size_t)1 << 30) + ((size_t)1 << 27); // see layer_check in network.c
    unsigned char *bytes;
    size_t size;
    Error reason;
    return file_read(&bytes, &size, arena, path, max_size, "a model file", err) &&
           (model_parse(model, arena, bytes, size, &reason) ||
            error_set(err, "%s: %s", path, reason.text));
}
