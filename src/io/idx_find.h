// Finding the files of a data set in a directory, by the names that MNIST and the sets like it come
// with. Looks at names and kinds of files only; idx.h reads them.
//
// A file is called [SET-]PART-images-idx3-ubyte or [SET-]PART-labels-idx1-ubyte (idx2-int: labels
// of QMNIST), PART being train, t10k or test; a dot may be in the place of the hyphen before "idx",
// and .gz may follow. Raw files are preferred to compressed ones, hyphens to dots, t10k to test.
// SET is what the files of one data set begin with, as in
// emnist-letters-train-images-idx3-ubyte.gz.
//
// Read it before idx.h.
#ifndef MLP_IDX_FIND_H
#define MLP_IDX_FIND_H

#include "base.h"
#include "mlp.h"

enum { IDX_PATH_SIZE = 4096 };

typedef struct IdxPaths {
    char images[IDX_PATH_SIZE + 256], labels[IDX_PATH_SIZE + 256]; // a directory and a name
} IdxPaths;

// Finds both files of one part. `data` is a directory, or DIR/SET: the files in DIR that begin with
// SET. Where the directory has no such files, its MNIST/raw and raw, which torchvision makes, are
// tried. Files without a SET are preferred; several SETs and none chosen is an error. On failure
// says in err what could not be read, or what was found instead.
bool idx_find(IdxPaths *paths, const char *data, mlp_part part, Error *err);

// Says whether `path`, however it is spelled, is one of the files of those data, or would be taken
// for one or for a data set beside them.
bool idx_is_data_file(const char *data, const char *path);

#endif
