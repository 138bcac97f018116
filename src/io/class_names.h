// Names for the classes of a data set: "T-shirt/top" instead of 0. Kept as one text, as the model
// file has it: one line per class, from class 0 on; an empty or missing line leaves the class its
// number. NULL: all classes have their numbers.
#ifndef MLP_CLASS_NAMES_H
#define MLP_CLASS_NAMES_H

#include "dataset.h"

enum { CLASS_NAME_SIZE = 64, CLASS_NAMES_SIZE = MLP_MAX_CLASSES * CLASS_NAME_SIZE };

typedef struct ClassName {
    char text[CLASS_NAME_SIZE];
} ClassName;

// The name of class k, or its number.
ClassName class_name(const char *names, size_t k);

// Whether class k has a name of its own.
bool class_has_name(const char *names, size_t k);

// Checks that the names are no more than the classes, each of at most 63 bytes of UTF-8 without
// control characters, and none there twice.
bool class_names_check(const char *names, size_t classes, Error *err);

// Reads what --classes says: a file of one name per line, or characters and ranges such as A-Z or
// 0-9A-F. Owned by the arena; NULL: failed.
const char *class_names_text(const char *value, Arena *arena, Error *err);

// The class of that name, or MLP_MAX_CLASSES.
size_t class_names_find(const char *names, const char *name);

// Reads the same for the classes of these data. Every label that is there needs a name. Where no
// image has the label 0 and there is one name for each other label, the names begin at class 1 (the
// letters of EMNIST). *names is owned by the arena.
bool class_names_read(const char **names, const char *value, const Dataset *data, Arena *arena,
                      Error *err);

// Reads those in classes.txt beside this part of the data (idx.h); NULL where there is no such
// file. *names is owned by the arena. Fails where they do not fit the data.
bool class_names_beside(const char **names, const Dataset *data, mlp_part part, Arena *arena,
                        Error *err);

#endif
