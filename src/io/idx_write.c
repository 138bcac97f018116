// Writes a data set (idx_write.h) with output.h, whose temporary files a signal removes.
#include "idx_write.h"

#include "idx.h"
#include "path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// In the order in which they get their places.
typedef enum FileOf { IMAGES, NAMES, LABELS } FileOf;
static const struct {
    const char *name;
    FileOf of;
    mlp_part part;
} files[IDX_SET_FILES] = {{"t10k-images-idx3-ubyte", IMAGES, MLP_TEST_FILES},
                          {"train-images-idx3-ubyte", IMAGES, MLP_TRAIN_FILES},
                          {"classes.txt", NAMES, MLP_TRAIN_FILES},
                          {"t10k-labels-idx1-ubyte", LABELS, MLP_TEST_FILES},
                          {"train-labels-idx1-ubyte", LABELS, MLP_TRAIN_FILES}};

// ---------------------------------------------------------------------------------------------
// The directory, and an older set in it

typedef bool Visit(const IdxWriter *writer, int directory, const char *name, Error *err);

// Calls visit with the name of each file of an older set, until it returns false.
static bool visit_older(const IdxWriter *writer, Visit *visit, Error *err)
{
    DIR *list = opendir(writer->directory);
    bool ok = true;
    if (list == NULL)
        return error_set_errno(err, "%s: cannot read this directory", writer->directory);
    for (struct dirent *entry; ok && (entry = readdir(list)) != NULL;)
        ok = !idx_is_unnamed_file(entry->d_name) || visit(writer, dirfd(list), entry->d_name, err);
    closedir(list);
    return ok;
}

static bool refuse(const IdxWriter *writer, int directory, const char *name, Error *err)
{
    (void)directory;
    return error_set(err, "%s: contains a data set already (%s); --force replaces it",
                     writer->directory, name);
}

// A directory cannot be replaced: known before anything is removed.
static bool refuse_directory(const IdxWriter *writer, int directory, const char *name, Error *err)
{
    struct stat status;
    return fstatat(directory, name, &status, 0) != 0 || !S_ISDIR(status.st_mode) ||
           error_set(err, "%s/%s: is a directory, where a file of a data set would be",
                     writer->directory, name);
}

bool idx_write_check(const char *directory, bool replace, Error *err)
{
    struct stat status;
    if (stat(directory, &status) != 0)
        return path_can_make_directory(directory, err);
    if (!S_ISDIR(status.st_mode))
        return error_set(err, "%s: is not a directory, where a data set is to be written",
                         directory);
    if (access(directory, R_OK | W_OK | X_OK) != 0)
        return error_set_errno(err, "%s: cannot write in this directory", directory);
    return visit_older(&(IdxWriter){.directory = directory}, replace ? refuse_directory : refuse,
                       err);
}

// ---------------------------------------------------------------------------------------------
// Writing

static void print_u32(FILE *out, size_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(value >> shift & 0xff), out);
}

static void print_images(FILE *out, const Selection *part)
{
    const Collection *images = part->images;
    size_t size = images->rows * images->cols;
    print_u32(out, 0x00000803);
    print_u32(out, part->n);
    print_u32(out, images->rows);
    print_u32(out, images->cols);
    for (size_t i = 0; i < part->n; i++)
        fwrite(images->pixels.at + part->order[i] * size, 1, size, out);
}

static void print_labels(FILE *out, const Selection *part)
{
    print_u32(out, 0x00000801);
    print_u32(out, part->n);
    for (size_t i = 0; i < part->n; i++)
        fputc(part->images->labels.at[part->order[i]], out);
}

static bool write_file(IdxWriter *writer, size_t i, const Selection parts[2], const char *names,
                       Arena *arena, Error *err)
{
    Output *out = &writer->files[i];
    const Selection *part = &parts[files[i].part];
    if (files[i].of == NAMES ? names == NULL : part->n == 0)
        return true;
    const char *path = arena_printf(arena, err, "%s/%s", writer->directory, files[i].name);
    if (path == NULL || !output_open(out, arena, path, OUTPUT_REGULAR_ONLY, err))
        return false;
    if (files[i].of == IMAGES)
        print_images(out->stream, part);
    else if (files[i].of == LABELS)
        print_labels(out->stream, part);
    else
        fprintf(out->stream, "%s\n", names);
    return output_sync(out, err);
}

bool idx_write(IdxWriter *writer, const char *directory, const Selection parts[2],
               const char *names, Arena *arena, Error *err)
{
    *writer = (IdxWriter){.directory = directory, .is_new = mkdir(directory, 0777) == 0};
    if (!writer->is_new && errno != EEXIST)
        return error_set_errno(err, "%s: cannot make this directory", directory);
    for (size_t i = 0; i < IDX_SET_FILES; i++)
        if (!write_file(writer, i, parts, names, arena, err)) {
            idx_write_discard(writer);
            return false;
        }
    return true;
}

void idx_write_discard(IdxWriter *writer)
{
    for (size_t i = 0; i < IDX_SET_FILES; i++)
        output_discard(&writer->files[i]);
    if (writer->is_new)
        rmdir(writer->directory);
}

// ---------------------------------------------------------------------------------------------
// Putting in place

// Removes a file of an older set, but for images that new ones replace, and for a link: what it
// leads to is replaced. Needs no memory, which would end this half-way.
static bool remove_older(const IdxWriter *writer, int directory, const char *name, Error *err)
{
    struct stat status;
    bool ok = fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0, is_replaced = false;
    for (size_t i = 0; i < IDX_SET_FILES; i++)
        if (writer->files[i].stream != NULL && strcmp(name, files[i].name) == 0)
            is_replaced = files[i].of == IMAGES || (ok && S_ISLNK(status.st_mode));
    return (ok && (is_replaced || unlinkat(directory, name, 0) == 0)) ||
           error_set_errno(err, "%s/%s: cannot be removed", writer->directory, name);
}

// Removes the files that got their places before one could not.
static void remove_committed(const IdxWriter *writer, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (writer->files[i].target != NULL)
            unlink(writer->files[i].target);
}

bool idx_write_commit(IdxWriter *writer, Error *err)
{
    sigset_t all, before;
    size_t n = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool ok = writer->is_new || visit_older(writer, remove_older, err);
    for (; ok && n < IDX_SET_FILES; n += ok)
        ok = writer->files[n].stream == NULL || output_commit(&writer->files[n], err);
    if (!ok) {
        remove_committed(writer, n);
        idx_write_discard(writer);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}
