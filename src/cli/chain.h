// The chain of a training (mlp train --chain): a table with one row per epoch, from epoch 0, before
// the first, on. Format, and what it proves: include/README.md. A row names the model file that the
// training writes after its epoch, with settings, checksum of the data and state, by a SHA-256, and
// all rows before by a second one. So the table is the same bytes wherever the training runs, and
// where a row was edited, a row does not follow from the one before.
#ifndef MLP_CHAIN_H
#define MLP_CHAIN_H

#include "model.h"
#include "output.h"

// The last row, with its newline; before there is one, the header.
enum { CHAIN_ROW_SIZE = 160 };
typedef struct Chain {
    char row[CHAIN_ROW_SIZE];
} Chain;

// Writes the next row, that of the epoch which the model has just done; the caller publishes it.
// Fails when memory is short.
bool chain_add(Chain *chain, Output *out, const Model *model, Error *err);

// Begins an opened table. Of a new training it has the row of the model, which has no epoch yet. A
// training that is resumed keeps the rows up to the model's epoch: fails when they are not there,
// or that row is of another model. On failure the caller discards *out.
bool chain_begin(Chain *chain, Output *out, Arena *arena, const Model *model, Error *err);

// A chain that was read.
typedef struct ChainFile {
    const char *path, *text; // text: owned by the arena
    size_t size;             // up to the end of the row of epoch `last`
    uint64_t last;
} ChainFile;

// Reads a chain up to epoch `last`, or all of it (UINT64_MAX). Fails when a row is not there, or
// does not follow from the one before. What comes after `last` is not looked at.
bool chain_read(ChainFile *file, Arena *arena, const char *path, uint64_t last, Error *err);

// Whether the row of the model's epoch is of this model. Where not, err names both, the model as
// `who`.
bool chain_has_model(const ChainFile *file, const Model *model, const char *who, Error *err);

#endif
