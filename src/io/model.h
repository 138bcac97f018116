// The model file: a safetensors file that any reader of that format opens (format:
// github.com/huggingface/safetensors, README), with the tensors in PyTorch's names and layout and
// every setting that changes the result in its metadata.
//
//   u64 N, little-endian | N bytes of JSON, padded with spaces so that 8 + N is a multiple of 8 |
//   the tensors: float32, little-endian, C order, in the order of their names, no gaps
//
// The metadata are strings, sorted by key; the table in model.c lists them. Those that few models
// need are written only where they are set. checksum_crc32 is the
// CRC-32 of the whole file with its own eight digits taken as zeros.
#ifndef MLP_MODEL_H
#define MLP_MODEL_H

#include "class_names.h"
#include "network.h"
#include "output.h"

// Raised only when a sum, an initialisation or an order changes: the same settings with the same
// recipe give the same bytes, whatever the version of the program.
enum { MODEL_RECIPE = 1 };

// All that a training's result depends on, and how far it has gone.
typedef struct ModelSettings {
    Architecture architecture;
    double learning_rate;
    double pixel_std; // s of the input scale
    uint64_t batch_size, seed, epochs, train_size, validation_size;
    uint32_t data_crc32;
    bool transposed;         // the data files hold the images column by column (see idx.h)
    const char *class_names; // see class_names.h; NULL: none
    uint32_t checksum;       // as read from a file; set on saving
} ModelSettings;

typedef struct Model {
    ModelSettings settings;
    Network net;   // points into itself: do not copy
    float *params; // owned by the arena it was read into
} Model;

// Reads and checks everything: the rules of the reference reader (lengths, no holes, no overlaps,
// no duplicate or unknown tensor, exact end), our metadata, shapes, checksum, finite weights. On
// failure says which file and what is wrong.
bool model_read(Model *model, Arena *arena, const char *path, Error *err);

// The same from the bytes of a file, whose checksum's digits it overwrites. err does not name one.
bool model_parse(Model *model, Arena *arena, unsigned char *bytes, size_t size, Error *err);

// Writes the model to a stream, all settings with it. Fails when a weight is not finite or memory
// is short; the caller looks for errors of the stream.
bool model_write(const ModelSettings *settings, const Network *net, const float *params,
                 Output *out, Error *err);

// Setting number i, of those that are set, as texts, for showing: false when there are no more.
enum { MODEL_SETTING_SIZE = CLASS_NAMES_SIZE };
bool model_setting(const ModelSettings *settings, size_t i, const char **key, char *value,
                   size_t size);

#endif
