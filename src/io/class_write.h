// Writing labelled images as pictures in directories of classes, which class_tree.h reads.
#ifndef MLP_CLASS_WRITE_H
#define MLP_CLASS_WRITE_H

#include "class_names.h"

// Says whether class_write can make the directory: it is not there yet, and can be made.
bool class_write_check(const char *directory, Error *err);

// Writes each image as DIRECTORY/CLASS/NUMBER.pgm: the name of its class, or where `names` is NULL
// its number, and the number of the image with leading zeros, so that the order of names is that of
// the images. All is written to a temporary directory beside, which then gets its name. On failure,
// and when is_stopped says so after an image, removes all of it.
bool class_write(const Dataset *data, const char *names, const char *directory,
                 bool (*is_stopped)(void), Error *err);

// Says whether all names of these classes can be names of directories that class_tree.h reads.
bool class_write_can_use(const char *names, size_t classes);

#endif
