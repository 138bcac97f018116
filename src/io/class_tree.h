// Directories of pictures, one for each class. The pictures themselves are read with
// picture_read; nothing below the directories of the classes is looked at.
#ifndef MLP_CLASS_TREE_H
#define MLP_CLASS_TREE_H

#include "pnm.h"

typedef struct ClassFile {
    const char *directory, *class, *name; // the file is directory/class/name
} ClassFile;

// What a directory contains. Owned by the arena.
typedef struct ClassTree {
    ClassFile *files; // (n), in the order of their names, then of their classes (bytes)
    size_t n;
    char outside[LIST_SIZE]; // files that are in no class, for a message; "": none
    char empty[LIST_SIZE];   // directories without files, the same
} ClassTree;

// Lists the pictures of each subdirectory; its name is the class. Links are followed; hidden files
// and directories, whose names begin with a dot, are left out. Fails when a directory cannot be
// read, when none has a file in it, and when the directory `output`, which is to be written, is one
// of these or in one of them; NULL: nothing is.
bool class_tree_list(ClassTree *tree, const char *directory, const char *output, Arena *arena,
                     Error *err);

// Finds out whether the directory has subdirectories train and test, which are to be listed each.
// Fails when it has others beside them.
bool class_tree_find_parts(bool *has_parts, const char *directory, Arena *arena, Error *err);

// Writes the path of a file, which is then named in errors. Owned by the arena; NULL when memory is
// short.
char *class_file_path(const ClassFile *file, Arena *arena, Error *err);

// Reads a regular file that is one picture, of a format that pnm.h reads or, with `convert`, that
// another program can convert (convert.h). Several pictures in it are an error. The pixels are
// owned by the arena.
bool picture_read(GreyImage *image, const char *path, bool convert, Arena *arena, Error *err);

#endif
