// The model file: a safetensors file that any reader of that format opens (format:
// github.com/huggingface/safetensors, include/README.md), with the tensors in PyTorch's names and
// layout and every setting that changes the result in its metadata.
//
//   u64 N, little-endian | N bytes of JSON, padded with spaces so that 8 + N is a multiple of 8 |
//   the tensors: float32, little-endian, C order, in the order of their names, no gaps
//
// The metadata are strings, sorted by key: the settings (settings.h) and facts (below).
// checksum_crc32 is the CRC-32 of the whole file with its own eight digits taken as zeros.
//
// Versions. "format" is "mlp 1" or "mlp 2". In format 2 a setting may be missing: its row says what
// that means (`absent` in settings.h). So models can gain settings: a model in which every newer
// setting has that value is written in format 1, which older programs read, else in format 2; so is
// one with several hidden layers or a newer architecture. An unknown key comes from a newer
// version, and its model is refused.
#ifndef MLP_MODEL_H
#define MLP_MODEL_H

#include "class_names.h"
#include "network.h"
#include "output.h"
#include "settings.h"
#include "sha256.h"
#include "train_state.h"

// Raised only when a sum, an initialisation or an order changes: the same settings with the same
// recipe give the same bytes, whatever the version of the program. A model of an earlier recipe can
// be used, but not trained further; it is written with its own recipe.
enum { MODEL_RECIPE = 1 };

// What the model file says beside its settings.
typedef struct ModelFacts {
    uint64_t rows, cols; // of the images
    uint64_t classes;    // 2 to 256
    uint64_t recipe;     // that it was trained with
    double pixel_std;    // s of the input scale
    uint32_t data_crc32; // of the training files
    uint32_t from_crc32; // checksum of the model that the training started from; 0: none
    uint32_t checksum;   // of the file that was read
    const char *format;  // of that file, as it names it; NULL: none was read
} ModelFacts;

// What the public mlp_model is. The last three members are the library's (mlp.c): nothing here
// reads or changes them.
typedef struct mlp_model {
    mlp_settings settings; // as read from a file: epochs are those done
    ModelFacts facts;
    Network net;                  // points into itself: do not copy
    float *params;                // owned by the arena it was read into, as the blocks of state
    TrainState state;             // for training it further
    const char *name;             // in messages: the path, or "the model"
    const ClassName *class_names; // (classes)
    Arena arena;                  // of the model itself
} Model;

// What settings and facts say of the network.
Architecture model_architecture(const Model *model);

// Reads and checks everything: the rules of the reference reader (lengths, no holes, no overlaps,
// no duplicate or unknown tensor, exact end), our metadata, shapes, checksum, finite weights. On
// failure says which file and what is wrong.
bool model_read(Model *model, Arena *arena, const char *path, Error *err);

// The same from the bytes of a file, whose checksum's digits it overwrites. err does not name one.
bool model_parse(Model *model, Arena *arena, unsigned char *bytes, size_t size, Error *err);

// Writes the model to a stream; its checksum is that of these bytes. Fails when a weight is not
// finite or memory is short; the caller looks for errors of the stream.
bool model_write(const Model *model, Output *out, Error *err);

// Replaces a file by the model. *out then has the note and the path of a copy that could not be put
// in place (output.h), owned by the arena.
bool model_save(const Model *model, Output *out, Arena *arena, const char *path, Error *err);

// The checksum of the file that model_write makes of it. Fails as that does.
bool model_checksum(const Model *model, uint32_t *checksum, Error *err);

// The SHA-256 of that file.
bool model_sha256(const Model *model, unsigned char hash[SHA256_SIZE], Error *err);

// Takes the recipe of a model that a program of recipe `current` reads. Fails for a later one.
bool model_parse_recipe(uint64_t *recipe, const char *text, uint64_t current, Error *err);

// Whether a program of recipe `current` can train the model further; err names the model.
bool model_can_train(const Model *model, uint64_t current, Error *err);

// The metadata that a model has in its file, sorted by key; returns their number. The text of an
// entry is setting_text(entry.row, entry.from, ...). `table` is settings_table, but for tests.
typedef struct ModelEntry {
    const Setting *row;
    const void *from;
} ModelEntry;
enum { MODEL_MAX_ENTRIES = 64 };
size_t model_entries(ModelEntry list[MODEL_MAX_ENTRIES], const Setting *table, const Model *model);

#endif
