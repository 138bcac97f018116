// The IDX format of the MNIST files, raw or gzip-compressed (yann.lecun.com/exdb/mnist):
//
//   0  0  type  rank | rank sizes, big-endian u32 | data, row-major
//
// type 08 is the unsigned byte; images have rank 3 (n, rows, columns), labels rank 1 (n), or type
// 0c, the big-endian i32, and rank 2 (n, columns), the first column being the class (QMNIST,
// github.com/facebookresearch/qmnist). The sizes must account for every byte of the file.
#ifndef MLP_IDX_H
#define MLP_IDX_H

#include "dataset.h"
#include "idx_find.h"
#include "source.h"

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
