// The model file, written and read. Knows the format's layout and rules, and what the metadata
// must say; the settings in them are rows of settings.h. Read model.h first.
#include "model.h"

#include "bytes.h"
#include "elementary.h"
#include "formats.h"
#include "json.h"
#include "numbers.h"
#include "source.h"

#include <assert.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Metadata: the settings, and these

#define FACT(name, type_, member)                                                                  \
    .key = (name), .type = (type_), .offset = offsetof(ModelFacts, member)
#define STATE(name, type_, member)                                                                 \
    .key = (name), .type = (type_), .offset = offsetof(TrainState, member)

static const Setting facts_table[] = {
    {FACT("checksum_crc32", SETTING_CRC32, checksum)},
    {FACT("classes", SETTING_UINT, classes), .min = 2, .max = NETWORK_MAX_CLASSES},
    {FACT("data_crc32", SETTING_CRC32, data_crc32)},
    {FACT("from_crc32", SETTING_CRC32, from_crc32), .since = 2, .absent = {"00000000"}},
    {FACT("image_cols", SETTING_UINT, cols), .min = 1, .max = NETWORK_MAX_SIDE},
    {FACT("image_rows", SETTING_UINT, rows), .min = 1, .max = NETWORK_MAX_SIDE},
    {FACT("pixel_std", SETTING_DOUBLE, pixel_std), .min = 1e-30, .max = 1},
    {FACT("recipe", SETTING_UINT, recipe), .min = 1, .max = MODEL_RECIPE},
    {0},
};
static const char checksum_key[] = "checksum_crc32";

static const Setting state_table[] = {
    {STATE("best_epoch", SETTING_UINT, best_epoch), .max = SETTING_MAX_EPOCHS, .absent = {"0"}},
    {STATE("best_loss", SETTING_DOUBLE, best_loss), .max = DBL_MAX, .absent = {"0"}},
    {STATE("epochs", SETTING_UINT, epochs), .max = SETTING_MAX_EPOCHS},
    {STATE("planned_epochs", SETTING_UINT, planned_epochs), .max = SETTING_MAX_EPOCHS,
     .absent = {"0"}},
    {0},
};

static const Setting format_row = {.key = "format", .type = SETTING_STRING};
static const char *const formats[] = {"mlp 1", "mlp 2"}; // by version - 1
enum { NEWEST_FORMAT = sizeof formats / sizeof formats[0] };

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const ModelEntry *)a)->row->key, ((const ModelEntry *)b)->row->key);
}

size_t model_entries(ModelEntry list[MODEL_MAX_ENTRIES], const Setting *table, const Model *model)
{
    enum { OTHERS = (sizeof facts_table + sizeof state_table) / sizeof facts_table[0] };
    const mlp_settings *settings = &model->settings;
    const char *architecture = settings->architecture;
    unsigned format = 1;
    size_t n = 0;
    for (const Setting *row = table; row->key != NULL; row++)
        if ((row->flags & SETTING_RUN) == 0 && setting_is_shown(row, settings, architecture)) {
            assert(n + OTHERS < MODEL_MAX_ENTRIES && (row->since == 1 || row->absent[0] != NULL));
            list[n++] = (ModelEntry){row, settings};
            unsigned since = setting_since(row, settings);
            format = since > format ? since : format;
        }
    for (const Setting *row = facts_table; row->key != NULL; row++)
        if (setting_is_shown(row, &model->facts, architecture)) {
            list[n++] = (ModelEntry){row, &model->facts};
            format = row->since > format ? row->since : format;
        }
    for (const Setting *row = state_table; row->key != NULL; row++)
        if (setting_is_shown(row, &model->state, architecture))
            list[n++] = (ModelEntry){row, &model->state};
    list[n++] = (ModelEntry){&format_row, &formats[format - 1]};
    qsort(list, n, sizeof list[0], compare_keys);
    return n;
}

Architecture model_architecture(const Model *model)
{
    const ModelFacts *facts = &model->facts;
    return architecture_of(&model->settings, (size_t)facts->rows, (size_t)facts->cols,
                           (size_t)facts->classes);
}

// ---------------------------------------------------------------------------------------------
// Tensors: those of the network, and those of each block of a training's state

enum { MODEL_MAX_TENSORS = NETWORK_MAX_TENSORS * (1 + TRAIN_MAX_BLOCKS), MODEL_NAME_SIZE = 64 };

typedef struct FileTensor {
    char name[MODEL_NAME_SIZE];
    const Tensor *tensor;
    size_t block; // of the state; TRAIN_MAX_BLOCKS: the parameters
} FileTensor;

typedef struct FileTensors {
    FileTensor list[MODEL_MAX_TENSORS];
    size_t n;
} FileTensors;

static void add_block(FileTensors *tensors, const Network *net, size_t block, const char *prefix)
{
    for (size_t t = 0; t < net->n_tensors; t++) {
        FileTensor *added = &tensors->list[tensors->n++];
        *added = (FileTensor){.tensor = net->tensors[t], .block = block};
        snprintf(added->name, sizeof added->name, "%s%s", prefix, net->tensors[t]->name);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const FileTensor *)a)->name, ((const FileTensor *)b)->name);
}

// What the file of a model has, in the order of the names: "fc1.weight", and where the model can be
// trained further "train.momentum.fc1.weight".
static void model_tensors(FileTensors *tensors, const Model *model)
{
    const char *blocks[TRAIN_MAX_BLOCKS];
    bool has_state = model->state.epochs > 0 && !train_is_complete(&model->settings, &model->state);
    tensors->n = 0;
    add_block(tensors, &model->net, TRAIN_MAX_BLOCKS, "");
    train_block_names(&model->settings, blocks);
    for (size_t b = 0; has_state && b < TRAIN_MAX_BLOCKS; b++) {
        char prefix[MODEL_NAME_SIZE / 2];
        snprintf(prefix, sizeof prefix, "train.%s.", blocks[b] == NULL ? "" : blocks[b]);
        if (blocks[b] != NULL)
            add_block(tensors, &model->net, b, prefix);
    }
    qsort(tensors->list, tensors->n, sizeof tensors->list[0], compare_names);
}

static float *file_tensor_block(const FileTensor *tensor, const Model *model)
{
    return tensor->block == TRAIN_MAX_BLOCKS ? model->params : model->state.blocks[tensor->block];
}

// ---------------------------------------------------------------------------------------------
// Bytes, little-endian whatever the machine is

static uint64_t get_le(const unsigned char *in, int n)
{
    uint64_t value = 0;
    while (n-- > 0)
        value = value << 8 | in[n];
    return value;
}

// ---------------------------------------------------------------------------------------------
// Writing

// Text inside quotes. Of what must be escaped in JSON it has quotes, backslashes and line ends.
static void write_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\n')
            fputs("\\n", out);
        else
            fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
}

// Writes the JSON with a checksum of zeros, and returns the offset of its digits in the file.
static size_t write_header(FILE *out, const Model *model, const FileTensors *tensors)
{
    size_t checksum_at = 0, begin = 0;
    ModelEntry list[MODEL_MAX_ENTRIES];
    size_t n = model_entries(list, settings_table, model);
    fputs("{\"__metadata__\":{", out);
    for (size_t i = 0; i < n; i++) {
        char number[NUMBER_SIZE];
        bool is_checksum = strcmp(list[i].row->key, checksum_key) == 0;
        fprintf(out, "%s\"%s\":\"", i == 0 ? "" : ",", list[i].row->key);
        if (is_checksum)
            checksum_at = (size_t)ftell(out);
        write_text(out, is_checksum ? "00000000" : setting_text(list[i].row, list[i].from, number));
        fputc('"', out);
    }
    fputc('}', out);

    for (const FileTensor *t = tensors->list; t < tensors->list + tensors->n; t++) {
        size_t dims[TENSOR_MAX_DIMS], n_dims = tensor_file_shape(t->tensor, dims);
        size_t end = begin + 4 * tensor_size(t->tensor);
        fprintf(out, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[", t->name);
        for (size_t d = 0; d < n_dims; d++)
            fprintf(out, "%s%zu", d == 0 ? "" : ",", dims[d]);
        fprintf(out, "],\"data_offsets\":[%zu,%zu]}", begin, end);
        begin = end;
    }
    fputc('}', out);
    while (ftell(out) % 8 != 0)
        fputc(' ', out);
    return checksum_at;
}

// Writes the values in the order of the file from *end on. Returns whether all are finite. Looks up
// rows, not values, since a training with a chain does this after every epoch.
static bool put_tensors(unsigned char **end, const Model *model, const FileTensors *tensors)
{
    bool finite = true;
    unsigned char *out = *end;
    for (const FileTensor *t = tensors->list; t < tensors->list + tensors->n; t++) {
        size_t last = t->tensor->n_dims - 1, n = t->tensor->dims[last];
        size_t stride = t->tensor->stride[last];
        for (size_t e = 0, size = tensor_size(t->tensor); e < size; e += n) {
            const float *row = file_tensor_block(t, model) + tensor_index(t->tensor, e);
            for (size_t i = 0; i < n; i++) {
                uint32_t bits = f32_bits(row[i * stride]);
                for (int b = 0; b < 4; b++)
                    *out++ = (unsigned char)(bits >> (8 * b));
                finite = finite && isfinite(row[i * stride]);
            }
        }
    }
    *end = out;
    return finite;
}

// The whole file in memory, because of its checksum.
typedef struct FileBytes {
    char *text; // to be freed
    size_t size;
    uint32_t checksum;
} FileBytes;

// The header, then room for the tensors. Fails when memory is short.
static bool make_header(FileBytes *bytes, size_t *checksum_at, const Model *model,
                        const FileTensors *tensors)
{
    *bytes = (FileBytes){.text = NULL};
    FILE *memory = open_memstream(&bytes->text, &bytes->size);
    if (memory == NULL)
        return false;
    fwrite((unsigned char[8]){0}, 1, 8, memory);
    *checksum_at = write_header(memory, model, tensors);
    bool complete = ferror(memory) == 0;
    complete = fclose(memory) == 0 && complete;
    size_t size = bytes->size;
    for (size_t t = 0; t < tensors->n; t++)
        size += 4 * tensor_size(tensors->list[t].tensor);
    char *all = complete ? realloc(bytes->text, size) : NULL;
    if (all == NULL) {
        free(bytes->text);
        return false;
    }
    bytes_store((unsigned char *)all, bytes->size - 8, 8);
    bytes->text = all;
    return true;
}

static bool make_bytes(FileBytes *bytes, const Model *model, Error *err)
{
    char digits[9];
    size_t checksum_at;
    FileTensors tensors;
    model_tensors(&tensors, model);
    if (!make_header(bytes, &checksum_at, model, &tensors)) {
        error_set(err, "no memory for the model file");
        return false;
    }
    unsigned char *end = (unsigned char *)bytes->text + bytes->size;
    bool finite = put_tensors(&end, model, &tensors);
    bytes->size = (size_t)(end - (unsigned char *)bytes->text);
    bytes->checksum = crc32_update(0, (unsigned char *)bytes->text, bytes->size);
    snprintf(digits, sizeof digits, "%08" PRIx32, bytes->checksum);
    memcpy(bytes->text + checksum_at, digits, 8);
    if (finite)
        return true;
    free(bytes->text);
    error_set(err, "not written: a weight is not finite");
    return false;
}

bool model_write(const Model *model, Output *out, Error *err)
{
    FileBytes bytes;
    Error reason;
    if (!make_bytes(&bytes, model, &reason))
        return error_set(err, "%s: %s", out->path, reason.text);
    fwrite(bytes.text, 1, bytes.size, out->stream);
    free(bytes.text);
    return true;
}

bool model_checksum(const Model *model, uint32_t *checksum, Error *err)
{
    FileBytes bytes;
    Error reason;
    if (!make_bytes(&bytes, model, &reason))
        return error_set(err, "%s: %s", model->name, reason.text);
    *checksum = bytes.checksum;
    free(bytes.text);
    return true;
}

bool model_sha256(const Model *model, unsigned char hash[SHA256_SIZE], Error *err)
{
    FileBytes bytes;
    Error reason;
    if (!make_bytes(&bytes, model, &reason))
        return error_set(err, "%s: %s", model->name, reason.text);
    sha256(hash, bytes.text, bytes.size);
    free(bytes.text);
    return true;
}

bool model_save(const Model *model, Output *out, Arena *arena, const char *path, Error *err)
{
    if (!output_open(out, arena, path, OUTPUT_REGULAR_ONLY, err))
        return false;
    bool ok = model_write(model, out, err) && output_commit(out, err);
    output_discard(out);
    return ok;
}

// ---------------------------------------------------------------------------------------------
// Reading: the JSON

typedef struct MetaPair {
    const char *key, *value;
} MetaPair;

enum { DTYPE, SHAPE, OFFSETS, N_MEMBERS };
static const char *const tensor_members[N_MEMBERS] = {"dtype", "shape", "data_offsets"};

typedef struct TensorEntry {
    const char *name;
    bool has[N_MEMBERS];
    const FileTensor *file_tensor; // of that name, once the network is known
    size_t n_dims, n_offsets;
    uint64_t dims[TENSOR_MAX_DIMS], offsets[2]; // begin and end of its data
} TensorEntry;

// A file with its parts found, and what the header says.
typedef struct ModelFile {
    unsigned char *bytes;
    size_t size;
    JsonReader json;
    const unsigned char *data; // the tensors
    size_t data_size;
    MetaPair metadata[2 * MODEL_MAX_ENTRIES]; // room for what a newer version knows
    size_t n_metadata;
    bool has_metadata;
    size_t checksum_at; // offset of its eight digits
    TensorEntry entries[MODEL_MAX_TENSORS];
    size_t n_entries;
    FileTensors tensors; // that there must be
} ModelFile;

// Lengths only: where the header and the tensors are.
static bool model_find_parts(ModelFile *file, Arena *arena, Error *err)
{
    if (file->size < 8)
        return error_set(err, "not a model file: has only %zu bytes", file->size);
    uint64_t length = get_le(file->bytes, 8);
    const Format *format =
        format_of(file->bytes, file->size < FORMAT_HEAD ? file->size : FORMAT_HEAD);
    if (format != NULL && format->kind != FORMAT_MODEL)
        return error_set(err, "is %s, where a model was expected", format->name);
    if (length > file->size - 8)
        return error_set(err,
                         "not a model file: its first eight bytes announce a header of %" PRIu64
                         " bytes, and %zu bytes follow",
                         length, file->size - 8);
    const char *header = (const char *)file->bytes + 8;
    if (length < 2 || header[0] != '{')
        return error_set(err, "not a model file: the header does not begin with '{'");
    file->json = (JsonReader){header, header, header + length, arena};
    file->data = file->bytes + 8 + length;
    file->data_size = file->size - 8 - (size_t)length;
    return true;
}

static const char *metadata_find(const ModelFile *file, const char *key)
{
    for (size_t i = 0; i < file->n_metadata; i++)
        if (strcmp(file->metadata[i].key, key) == 0)
            return file->metadata[i].value;
    return NULL;
}

static bool parse_metadata_member(void *context, const char *key, Error *err)
{
    ModelFile *file = context;
    const char *value, *end;
    if (!json_expect_string(&file->json, &value, err))
        return false;
    if (metadata_find(file, key) != NULL)
        return error_set(err, "metadata '%.40s' is there twice", key);
    if (file->n_metadata == sizeof file->metadata / sizeof file->metadata[0])
        return error_set(err, "more than %zu metadata", file->n_metadata);
    file->metadata[file->n_metadata++] = (MetaPair){key, value};
    if (strcmp(key, checksum_key) != 0)
        return true;
    end = file->json.at - 1; // the closing quote: the digits are the eight bytes before it
    file->checksum_at = (size_t)((const unsigned char *)end - file->bytes) - 8;
    return end[-9] == '"' || error_set(err, "metadata '%s' is written with escapes", key);
}

// Reads up to `room` numbers in brackets.
static bool parse_counts(JsonReader *json, uint64_t *counts, size_t room, size_t *n, Error *err)
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

// A member of the last tensor's {"dtype":"F32","shape":[...],"data_offsets":[begin,end]}, which are
// in any order, each once.
static bool parse_tensor_member(void *context, const char *key, Error *err)
{
    ModelFile *file = context;
    TensorEntry *entry = &file->entries[file->n_entries - 1];
    const char *dtype;
    size_t k = 0;
    while (k < N_MEMBERS && strcmp(key, tensor_members[k]) != 0)
        k++;
    if (k == N_MEMBERS || entry->has[k])
        return error_set(err, "tensor '%.40s': '%.40s' is %s", entry->name, key,
                         k == N_MEMBERS ? "unknown" : "there twice");
    entry->has[k] = true;
    if (k == SHAPE)
        return parse_counts(&file->json, entry->dims, TENSOR_MAX_DIMS, &entry->n_dims, err);
    if (k == OFFSETS)
        return parse_counts(&file->json, entry->offsets, 2, &entry->n_offsets, err);
    return json_expect_string(&file->json, &dtype, err) &&
           (strcmp(dtype, "F32") == 0 ||
            error_set(err, "tensor '%.40s' is %.40s, not F32", entry->name, dtype));
}

static bool parse_tensor(ModelFile *file, const char *name, Error *err)
{
    if (file->n_entries == MODEL_MAX_TENSORS)
        return error_set(err, "more than %d tensors", MODEL_MAX_TENSORS);
    for (size_t i = 0; i < file->n_entries; i++)
        if (strcmp(file->entries[i].name, name) == 0)
            return error_set(err, "tensor '%.40s' is there twice", name);
    TensorEntry *entry = &file->entries[file->n_entries++];
    entry->name = name;
    if (!json_expect_object(&file->json, parse_tensor_member, file, err))
        return false;
    if (!entry->has[DTYPE] || !entry->has[SHAPE] || !entry->has[OFFSETS])
        return error_set(err, "tensor '%.40s' lacks its dtype, shape or data_offsets", name);
    return entry->n_offsets == 2 ||
           error_set(err, "tensor '%.40s': data_offsets are not two", name);
}

static bool parse_header_member(void *context, const char *key, Error *err)
{
    ModelFile *file = context;
    if (strcmp(key, "__metadata__") != 0)
        return parse_tensor(file, key, err);
    if (file->has_metadata)
        return error_set(err, "__metadata__ is there twice");
    file->has_metadata = true;
    return json_expect_object(&file->json, parse_metadata_member, file, err);
}

// ---------------------------------------------------------------------------------------------
// Reading: what the header must say

static bool metadata_lack(const char *key, Error *err)
{
    return error_set(err, "a safetensors file, but not one of mlp: its metadata lack '%s'", key);
}

static bool error_newer(const char *what, const char *name, Error *err)
{
    return error_set(err, "was made by a newer version of mlp (%s '%.40s')", what, name);
}

bool model_parse_recipe(uint64_t *recipe, const char *text, uint64_t current, Error *err)
{
    if (!parse_uint(text, recipe) || *recipe == 0)
        return error_set(err, "metadata 'recipe' is '%.40s', not a recipe of mlp", text);
    return *recipe <= current || error_newer("recipe", text, err);
}

bool model_can_train(const Model *model, uint64_t current, Error *err)
{
    return model->facts.recipe == current ||
           error_set(err,
                     "%s was trained with recipe %" PRIu64 " of the arithmetic, and this program "
                     "has recipe %" PRIu64 ": it can be used, but not trained further",
                     model->name, model->facts.recipe, current);
}

// Format and recipe come first: a newer version may have changed anything else.
static bool model_check_versions(unsigned *version, const ModelFile *file, Error *err)
{
    const char *name = metadata_find(file, format_row.key);
    const char *recipe = metadata_find(file, "recipe");
    uint64_t number;
    if (name == NULL)
        return metadata_lack(format_row.key, err);
    bool is_number = strncmp(name, "mlp ", 4) == 0 && parse_uint(name + 4, &number);
    if (is_number && number > NEWEST_FORMAT)
        return error_newer("format", name, err);
    if (!is_number || number == 0 || strcmp(name, formats[number - 1]) != 0)
        return error_set(err, "metadata 'format' is '%.40s', not a format of mlp", name);
    *version = (unsigned)number;
    if (recipe == NULL)
        return metadata_lack("recipe", err);
    if (!model_parse_recipe(&number, recipe, MODEL_RECIPE, err))
        return false;
    for (size_t i = 0; i < file->n_metadata; i++) {
        const char *key = file->metadata[i].key;
        if (setting_find(settings_table, key) == NULL && setting_find(facts_table, key) == NULL &&
            setting_find(state_table, key) == NULL && strcmp(key, format_row.key) != 0)
            return error_newer("unknown setting", key, err);
    }
    return true;
}

// Takes a value of the metadata, which must not be the one that the key's absence means.
static bool take_row(const Setting *row, void *into, const char *text, const char *architecture,
                     Error *err)
{
    Error reason;
    if (!setting_parse(row, into, text, &reason))
        return error_set(err, "metadata '%s': %s", row->key, reason.text);
    return setting_is_shown(row, into, architecture) ||
           error_set(err, "metadata '%s': '%.40s' is never written: its absence means it", row->key,
                     text);
}

// Takes all rows of a table that is not of settings, whose values are 0 where the key is missing.
static bool take_facts(const Setting *table, void *into, const ModelFile *file, Error *err)
{
    for (const Setting *row = table; row->key != NULL; row++) {
        const char *text = metadata_find(file, row->key);
        if (text == NULL && row->absent[0] == NULL)
            return metadata_lack(row->key, err);
        if (text != NULL && !take_row(row, into, text, architecture_names[0], err))
            return false;
    }
    return true;
}

// Whether a file of that version can be without the setting. Not where the default is out of range
// and means that the program chooses: a file says what was chosen.
static bool can_lack(const Setting *row, unsigned version, const char *architecture)
{
    mlp_settings ignored;
    Error reason;
    return row->absent[0] != NULL ||
           (version > 1 &&
            setting_parse(row, &ignored, setting_default(row, architecture), &reason));
}

// Takes a setting of the metadata, and where it is missing what that means.
static bool take_setting(const Setting *row, mlp_settings *settings, const char *text,
                         unsigned version, Error *err)
{
    if (text == NULL)
        return can_lack(row, version, settings->architecture) || metadata_lack(row->key, err);
    return take_row(row, settings, text, settings->architecture, err);
}

static bool model_take_metadata(Model *model, const ModelFile *file, Error *err)
{
    unsigned version = 1;
    if (!model_check_versions(&version, file, err))
        return false;
    model->facts.format = formats[version - 1];
    if (!take_facts(facts_table, &model->facts, file, err) ||
        !take_facts(state_table, &model->state, file, err))
        return false;
    settings_absent(&model->settings, architecture_names[0]);
    for (const Setting *row = settings_table; row->key != NULL; row++) {
        if ((row->flags & SETTING_RUN) != 0)
            continue;
        const char *text = metadata_find(file, row->key);
        if (!take_setting(row, &model->settings, text, version, err))
            return false;
        if (text != NULL && row->offset == offsetof(mlp_settings, architecture)) // the first row
            settings_absent(&model->settings, model->settings.architecture);
    }
    Error reason;
    if (!settings_check(&model->settings, &reason))
        return error_set(err, "metadata: %s", reason.text);
    if (!train_state_check(&model->settings, &model->state, err))
        return false;
    model->settings.epochs = model->state.epochs;
    const char *names = model->settings.class_names;
    return names == NULL || class_names_check(names, (size_t)model->facts.classes, &reason) ||
           error_set(err, "metadata 'class_names', %s", reason.text);
}

static bool has_shape(const TensorEntry *entry)
{
    size_t dims[TENSOR_MAX_DIMS], n_dims = tensor_file_shape(entry->file_tensor->tensor, dims);
    bool same = entry->n_dims == n_dims;
    for (size_t d = 0; same && d < n_dims; d++)
        same = entry->dims[d] == dims[d];
    return same;
}

static int compare_begins(const void *a, const void *b)
{
    const TensorEntry *x = a, *y = b;
    return (x->offsets[0] > y->offsets[0]) - (x->offsets[0] < y->offsets[0]);
}

// The entries must be exactly the tensors of the model, and their data must follow one another
// without hole or overlap, to the last byte.
static bool model_check_entries(ModelFile *file, Error *err)
{
    const FileTensors *tensors = &file->tensors;
    for (const FileTensor *t = tensors->list; t < tensors->list + tensors->n; t++) {
        size_t i = 0;
        while (i < file->n_entries && strcmp(file->entries[i].name, t->name) != 0)
            i++;
        if (i == file->n_entries)
            return error_set(err, "tensor '%s' is missing", t->name);
        file->entries[i].file_tensor = t;
    }
    uint64_t end = 0;
    qsort(file->entries, file->n_entries, sizeof file->entries[0], compare_begins);
    for (size_t i = 0; i < file->n_entries; i++) {
        const TensorEntry *entry = &file->entries[i];
        if (entry->file_tensor == NULL)
            return error_set(err, "unknown tensor '%.40s'", entry->name);
        if (!has_shape(entry))
            return error_set(err, "tensor '%s' does not have the shape that the metadata say",
                             entry->name);
        if (entry->offsets[1] !=
                entry->offsets[0] + 4 * (uint64_t)tensor_size(entry->file_tensor->tensor) ||
            entry->offsets[1] > file->data_size)
            return error_set(err, "tensor '%s': its data_offsets do not fit its shape or the file",
                             entry->name);
        if (entry->offsets[0] != end)
            return error_set(err, "tensor '%s': its data overlap others or leave a hole",
                             entry->name);
        end = entry->offsets[1];
    }
    return end == file->data_size ||
           error_set(err, "the tensors take %" PRIu64 " bytes, %zu are there", end,
                     file->data_size);
}

static bool model_check_sum(ModelFile *file, uint32_t stored, Error *err)
{
    READER_STEPS(file->size);
    memset(file->bytes + file->checksum_at, '0', 8);
    uint32_t computed = crc32_update(0, file->bytes, file->size);
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    computed = stored; // which a fuzzer could never guess
#endif
    return computed == stored ||
           error_set(err, "damaged: the checksum is %08" PRIx32 ", the file says %08" PRIx32,
                     computed, stored);
}

// Allocates the parameters and the blocks that the file has.
static bool model_alloc(Model *model, const FileTensors *tensors, Arena *arena, Error *err)
{
    model->params = network_alloc(&model->net, arena, err);
    bool has_state = tensors->n > model->net.n_tensors;
    return model->params != NULL &&
           (!has_state || train_state_alloc(&model->state, &model->settings,
                                            model->net.n_parameters, arena, err));
}

static bool model_load_weights(const Model *model, const ModelFile *file, Error *err)
{
    for (size_t i = 0; i < file->n_entries; i++) {
        const Tensor *tensor = file->entries[i].file_tensor->tensor;
        float *block = file_tensor_block(file->entries[i].file_tensor, model);
        const unsigned char *at = file->data + file->entries[i].offsets[0];
        for (size_t e = 0; e < tensor_size(tensor); e++, at += 4) {
            READER_STEPS(1);
            uint32_t bits = (uint32_t)get_le(at, 4);
            float value;
            memcpy(&value, &bits, sizeof value);
            if (!isfinite(value))
                return error_set(err, "tensor '%s' holds a value that is not finite",
                                 file->entries[i].name);
            block[tensor_index(tensor, e)] = value;
        }
    }
    return true;
}

bool model_parse(Model *model, Arena *arena, unsigned char *bytes, size_t size, Error *err)
{
    model->settings = (mlp_settings){.architecture = NULL};
    model->facts = (ModelFacts){.rows = 0};
    model->state = (TrainState){.epochs = 0};
    ModelFile file = {.bytes = bytes, .size = size};
    if (!model_find_parts(&file, arena, err) ||
        !json_expect_object(&file.json, parse_header_member, &file, err) ||
        !json_expect_end(&file.json, err) || !model_take_metadata(model, &file, err))
        return false;
    Architecture architecture = model_architecture(model);
    if (!network_build(&model->net, &architecture, err))
        return false;
    model_tensors(&file.tensors, model);
    return model_check_entries(&file, err) && model_check_sum(&file, model->facts.checksum, err) &&
           model_alloc(model, &file.tensors, arena, err) && model_load_weights(model, &file, err);
}

bool model_read(Model *model, Arena *arena, const char *path, Error *err)
{
    // A gigabyte of weights at most (check_parameters in network.c), and as much for each block.
    const uint64_t most = (UINT64_C(1) << 30) * (1 + TRAIN_MAX_BLOCKS) + (UINT64_C(1) << 27);
    const size_t max_size = most < SIZE_MAX / 2 ? (size_t)most : SIZE_MAX / 2;
    unsigned char *bytes;
    size_t size;
    Error reason;
    return file_read(&bytes, &size, arena, path, max_size, "a model file", err) &&
           (model_parse(model, arena, bytes, size, &reason) ||
            error_set(err, "%s: %s", path, reason.text));
}
