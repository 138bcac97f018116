// The IDX format of the MNIST files, raw or gzip-compressed (yann.lecun.com/exdb/mnist):
//
//   0  0  type  rank | rank sizes, big-endian u32 | data, row-major
//
// type 08 is the unsigned byte; images have rank 3 (n, rows, columns), labels rank 1 (n), or type
// 0c, the big-endian i32, and rank 2 (n, columns), the first column being the class (QMNIST,
// github.com/facebookresearch/qmnist). The sizes must account for every byte of the file.
//
// A file is called [SET-]PART-images-idx3-ubyte or [SET-]PART-labels-idx1-ubyte (idx2-int: labels
// of QMNIST), PART being train, t10k or test; a dot may be in the place of the hyphen before "idx",
// and .gz may follow. Raw files are preferred to compressed ones, hyphens to dots, t10k to test.
// SET is what the files of one data set begin with, as in
// emnist-letters-train-images-idx3-ubyte.gz.
#ifndef MLP_IDX_H
#define MLP_IDX_H

#include "dataset.h"
#include "mlp.h"
#include "source.h"

enum { IDX_PATH_SIZE = 4096 };

// Names for the classes may be beside the files, as `mlp import` writes them: in classes.txt, or
// SET-classes.txt.
typedef struct IdxPaths {
    char images[IDX_PATH_SIZE + 256], labels[IDX_PATH_SIZE + 256]; // a directory and a name
    char classes[IDX_PATH_SIZE + 256];                             // which need not be there
} IdxPaths;

// Finds both files of one part. `data` is a directory, or DIR/SET: the files in DIR that begin with
// SET. Where the directory has no such files, its MNIST/raw and raw, which torchvision makes, are
// tried. Files without a SET are preferred; several SETs and none chosen is an error. On failure
// says in err what could not be read, or what was found instead.
bool idx_find(IdxPaths *paths, const char *data, mlp_part part, Error *err);

// Says whether `path` is of data rather than a file: a directory, or DIR/SET where DIR has files of
// that data set.
bool idx_is_data(const char *path);

// Says whether `path`, however it is spelled, is one of the files of those data, or would be taken
// for one or for a data set beside them.
bool idx_is_data_file(const char *data, const char *path);

// Says whether a file of that name belongs to a data set without a SET.
bool idx_is_unnamed_file(const char *name);

// Reads the images and labels of one part of the data set that idx_find finds. Everything is read
// into the arena, no more than the headers announce, with memory that grows as bytes arrive. On
// failure returns false, says in err which file, where and what was expected, and leaves *data
// untouched. With `transposed`, the files hold images column by column (EMNIST): their rows and
// columns are exchanged, and crc32 is another one, since the data are.
bool idx_read_directory(Dataset *data, Arena *arena, const char *directory, mlp_part part,
                        bool transposed, Error *err);

// The same as idx_read_directory from two named files.
bool idx_read(Dataset *data, Arena *arena, const char *images, const char *labels, bool transposed,
              Error *err);

// Reads images without labels from a source of which nothing has been read, and closes it: labels
// is NULL, n_classes 0, crc32 that of the images alone.
bool idx_read_images(Dataset *data, Arena *arena, const Source *source, bool transposed,
                     Error *err);

#endif
