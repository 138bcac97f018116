// Names in the file system: the descriptor that a name stands for, where links lead, which names
// are the same file. Opens nothing; source.h and output.h, which do, are built on it.
#ifndef MLP_PATH_H
#define MLP_PATH_H

#include "base.h"

#include <sys/stat.h>

// The descriptor of this process that the path names, open or not; -1 for none. Those names are
// /dev/stdin, /dev/stdout, /dev/stderr, /dev/fd/N and /proc/self/fd/N, and "-", which is `dash`.
int path_descriptor(const char *path, int dash);

// The directory that a path is in, "." for a bare name: of "a/b" and of "a/b/" it is "a". Owned by
// the arena; NULL when memory is short.
char *path_directory(Arena *arena, const char *path, Error *err);

// Says whether a directory of that path, which is not there yet, can be made; "-" cannot.
bool path_can_make_directory(const char *directory, Error *err);

// The file that a path names when its last part is a symbolic link, whether that file is there or
// not. Owned by the arena; NULL, with the reason in err, for a circle of links and when memory is
// short.
char *path_follow(Arena *arena, const char *path, Error *err);

// Says whether both are of the same file.
bool path_is_same_file(const struct stat *a, const struct stat *b);

// Says whether two paths are names in the same directory.
bool path_has_same_directory(const char *a, const char *b);

// Says whether two paths name the same file, now or once both have been written.
bool path_is_same(const char *a, const char *b);

#endif
