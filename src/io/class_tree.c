// Lists directories of pictures, in an order that does not depend on the file system
// (class_tree.h), and reads a picture.
#include "class_tree.h"

#include "convert.h"
#include "path.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Listing {
    struct dirent **list; // sorted by the bytes of their names
    int n;
} Listing;

static int is_not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool listing_open(Listing *l, const char *directory, Error *err)
{
    l->n = scandir(directory, &l->list, is_not_hidden, by_bytes);
    return l->n >= 0 || error_set_errno(err, "%s: cannot read this directory", directory);
}

static void listing_close(Listing *l)
{
    for (int i = 0; i < l->n; i++)
        free(l->list[i]);
    free(l->list);
}

// The names of a directory, counted while lists for messages are made of them.
typedef struct Names {
    const char **at;
    size_t n;
} Names;

static void list_names(char list[LIST_SIZE], const Names *names)
{
    list[0] = '\0';
    for (size_t i = 0; i < names->n; i++)
        list_add(list, i, names->n, names->at[i]);
}

// Copies the names of a listing, so that an error needs no clean-up.
static bool names_read(Names *names, const char *directory, Arena *arena, Error *err)
{
    Listing l;
    static const char what[] = "the names of files";
    if (!listing_open(&l, directory, err))
        return false;
    size_t size = 1, used = 0;
    for (int i = 0; i < l.n; i++)
        size += strlen(l.list[i]->d_name) + 1;
    char *text = arena_alloc(arena, size, 1, what, err);
    names->n = (size_t)l.n;
    names->at = arena_alloc(arena, names->n + 1, sizeof *names->at, what, err);
    bool ok = text != NULL && names->at != NULL;
    for (size_t i = 0; ok && i < names->n; i++) {
        size_t length = strlen(l.list[i]->d_name) + 1;
        names->at[i] = memcpy(text + used, l.list[i]->d_name, length);
        used += length;
    }
    listing_close(&l);
    return ok;
}

static int by_name(const void *a, const void *b)
{
    const ClassFile *one = a, *other = b;
    int order = strcmp(one->name, other->name);
    return order != 0 ? order : strcmp(one->class, other->class);
}

// Puts the files of all classes into one list. `names` are those of each class.
static bool gather(ClassTree *tree, const char *directory, const Names *classes, const Names *names,
                   Arena *arena, Error *err)
{
    Names empty = {.at = arena_alloc(arena, classes->n + 1, sizeof *empty.at, "names", err)};
    for (size_t k = 0; k < classes->n; k++)
        tree->n += names[k].n;
    tree->files = arena_alloc(arena, tree->n + 1, sizeof *tree->files, "the list of files", err);
    if (tree->files == NULL || empty.at == NULL)
        return false;
    size_t n = 0;
    for (size_t k = 0; k < classes->n; k++) {
        if (names[k].n == 0)
            empty.at[empty.n++] = classes->at[k];
        for (size_t i = 0; i < names[k].n; i++)
            tree->files[n++] = (ClassFile){directory, classes->at[k], names[k].at[i]};
    }
    list_names(tree->empty, &empty);
    if (n == 0)
        return error_set(err, "%s: no subdirectory has a file: one for each class was expected",
                         directory);
    qsort(tree->files, n, sizeof *tree->files, by_name);
    return true;
}

// Where the data set will be written: that directory, if it is there, and the one above it.
typedef struct OutputPlace {
    struct stat at[2];
    size_t n;
} OutputPlace;

static OutputPlace output_place(const char *output)
{
    OutputPlace place = {.n = 0};
    Arena arena = {0};
    Error ignored;
    const char *above = output == NULL ? NULL : path_directory(&arena, output, &ignored);
    if (output != NULL && stat(output, &place.at[place.n]) == 0)
        place.n++;
    if (above != NULL && stat(above, &place.at[place.n]) == 0)
        place.n++;
    arena_free(&arena);
    return place;
}

// Says whether the path is a directory, in *is. Fails when it is where the data set will be.
static bool look_at(bool *is, const char *path, const OutputPlace *place, Error *err)
{
    struct stat status;
    *is = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    for (size_t i = 0; *is && i < place->n; i++)
        if (path_is_same_file(&status, &place->at[i]))
            return error_set(err, "%s: is read, and the data set cannot be written to it", path);
    return true;
}

// Separates the subdirectories of a directory from its files.
static bool separate(Names *classes, Names *files, const char *directory, const char *output,
                     Arena *arena, Error *err)
{
    static const char what[] = "the names of files";
    Names all;
    const OutputPlace place = output_place(output);
    bool is_directory;
    if (!names_read(&all, directory, arena, err) || !look_at(&is_directory, directory, &place, err))
        return false;
    *classes = (Names){.at = arena_alloc(arena, all.n + 1, sizeof *all.at, what, err)};
    *files = (Names){.at = arena_alloc(arena, all.n + 1, sizeof *all.at, what, err)};
    if (classes->at == NULL || files->at == NULL)
        return false;
    for (size_t i = 0; i < all.n; i++) {
        const char *path = arena_printf(arena, err, "%s/%s", directory, all.at[i]);
        if (path == NULL || !look_at(&is_directory, path, &place, err))
            return false;
        Names *names = is_directory ? classes : files;
        names->at[names->n++] = all.at[i];
    }
    return true;
}

bool class_tree_list(ClassTree *tree, const char *directory, const char *output, Arena *arena,
                     Error *err)
{
    Names classes, files;
    *tree = (ClassTree){.n = 0};
    if (!separate(&classes, &files, directory, output, arena, err))
        return false;
    list_names(tree->outside, &files);
    Names *names = arena_alloc(arena, classes.n + 1, sizeof *names, "the names of files", err);
    if (names == NULL)
        return false;
    for (size_t k = 0; k < classes.n; k++) {
        const char *path = arena_printf(arena, err, "%s/%s", directory, classes.at[k]);
        if (path == NULL || !names_read(&names[k], path, arena, err))
            return false;
    }
    return gather(tree, directory, &classes, names, arena, err);
}

bool class_tree_find_parts(bool *has_parts, const char *directory, Arena *arena, Error *err)
{
    Names classes, files;
    const char *other = NULL;
    int found = 0;
    if (!separate(&classes, &files, directory, NULL, arena, err))
        return false;
    for (size_t k = 0; k < classes.n; k++)
        if (strcmp(classes.at[k], "train") == 0 || strcmp(classes.at[k], "test") == 0)
            found++;
        else
            other = classes.at[k];
    *has_parts = found == 2;
    return !*has_parts || other == NULL ||
           error_set(err,
                     "%s: has directories train, test and %s; name the directories to use, as "
                     "in %s/train --test %s/test",
                     directory, other, directory, directory);
}

char *class_file_path(const ClassFile *file, Arena *arena, Error *err)
{
    return arena_printf(arena, err, "%s/%s/%s", file->directory, file->class, file->name);
}

bool picture_read(GreyImage *image, const char *path, bool convert, Arena *arena, Error *err)
{
    Source source;
    Error ignored;
    PnmReader *reader = arena_alloc(arena, 1, sizeof *reader, "a picture", err);
    if (reader == NULL || !source_open(&source, path, err) ||
        !convert_source(&source, convert, err))
        return false;
    pnm_begin(reader, &source);
    if (!pnm_read(reader, image, arena, err))
        return false;
    if (!reader->more)
        return true;
    source_close(&reader->source, false, &ignored);
    return error_set(err, "%s: contains several pictures, where one was expected", path);
}
