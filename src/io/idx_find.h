// Finding the files of a data set: which of the names that MNIST and the sets like it have come
// with are in a directory. Looks at names and kinds of files only; idx.h reads them.
//
// A file is called [SET-]PART-images-idx3-ubyte or [SET-]PART-labels-idx1-ubyte (idx2-int: labels
// of QMNIST), PART being train, t10k or test; a dot may be in the place of the hyphen before "idx",
// and .gz may follow. Raw files are preferred to compressed ones, hyphens to dots, t10k to test.
// SET is what the files of one data set begin with, as in
// emnist-letters-train-images-idx3-ubyte.gz.
//
// Only regular files are read. A directory of such a name is looked into for the file (archives of
// Kaggle hold train-images-idx3-ubyte/train-images-idx3-ubyte).
#ifndef MLP_IDX_FIND_H
#define MLP_IDX_FIND_H

#include "base.h"

// The files that belong together.
typedef enum IdxPart { IDX_TRAIN, IDX_TEST } IdxPart;

enum { IDX_PATH_SIZE = 4096 };

typedef struct IdxPaths {
    char images[IDX_PATH_SIZE], labels[IDX_PATH_SIZE];
} IdxPaths;

// Finds both files of one part. `data` is a directory, or DIR/SET: the files in DIR that begin with
// SET. Where the directory has no such files, MNIST/raw and raw in it are looked at, which
// torchvision makes. Files without a SET are preferred; several SETs and none chosen is an error.
// On failure says in err what could not be read, or what was found instead.
bool idx_find(IdxPaths *paths, const char *data, IdxPart part, Error *err);

// Says whether `path`, however it is spelled, is a file that could be read as part of those data or
// as one of the data sets beside them.
bool idx_is_data_file(const char *data, const char *path);

#endif
