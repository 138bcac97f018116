// Writes a data set (idx_write.h) with output.h, whose temporary files a signal removes.
#include "idx_write.h"

#include "idx.h"
#include "path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
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

typedef bool Visit(const IdxWriter *writer, DIR *list, const char *name, Error *err);

// Calls visit with the name of each file of an older set, until it returns false.
static bool visit_older(const IdxWriter *writer, DIR *list, Visit *visit, Error *err)
{
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(list)) != NULL;)
        ok = !idx_is_unnamed_file(entry->d_name) || visit(writer, list, entry->d_name, err);
    return ok;
}

static DIR *open_list(const char *directory, Error *err)
{
    DIR *list = opendir(directory);
    if (list == NULL)
        error_set_errno(err, "%s: cannot read this directory", directory);
    return list;
}

static bool refuse(const IdxWriter *writer, DIR *list, const char *name, Error *err)
{
    (void)list;
    return error_set(err, "%s: contains a data set already (%s); --force replaces it",
                     writer->directory, name);
}

// A directory cannot be replaced: known before anything is removed.
static bool refuse_directory(const IdxWriter *writer, DIR *list, const char *name, Error *err)
{
    struct stat status;
    return fstatat(dirfd(list), name, &status, 0) != 0 || !S_ISDIR(status.st_mode) ||
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
    DIR *list = open_list(directory, err);
    bool ok = list != NULL && visit_older(&(IdxWriter){.directory = directory}, list,
                                          replace ? refuse_directory : refuse, err);
    if (list != NULL)
        closedir(list);
    return ok;
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

// What the name of a file of an older set begins with until the new one is complete.
static const char aside[] = ".mlp-old-";

// Renames a file of an older set, but for a link: what it leads to is replaced. Needs no memory,
// which would end this half-way.
static bool set_aside(const IdxWriter *writer, DIR *list, const char *name, Error *err)
{
    char new[sizeof aside + sizeof(struct dirent)]; // more than a name has
    struct stat status;
    bool ok = fstatat(dirfd(list), name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    bool is_link = ok && S_ISLNK(status.st_mode);
    for (size_t i = 0; i < IDX_SET_FILES; i++)
        if (is_link && writer->files[i].stream != NULL && strcmp(name, files[i].name) == 0)
            return true;
    if (ok && !is_link && !S_ISREG(status.st_mode))
        return error_set(err, "%s/%s: is not a regular file and cannot be replaced",
                         writer->directory, name);
    snprintf(new, sizeof new, "%s%s", aside, name);
    return (ok && renameat(dirfd(list), name, dirfd(list), new) == 0) ||
           error_set_errno(err, "%s/%s: cannot be replaced", writer->directory, name);
}

// Gives the files that were set aside their names again, or removes them.
static void end_aside(DIR *list, bool restore)
{
    const size_t length = sizeof aside - 1;
    rewinddir(list);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        if (strncmp(entry->d_name, aside, length) == 0)
            restore ? renameat(dirfd(list), entry->d_name, dirfd(list), entry->d_name + length)
                    : unlinkat(dirfd(list), entry->d_name, 0);
    rewinddir(list);
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
    DIR *list = open_list(writer->directory, err);
    if (list != NULL) {
        (void)flock(dirfd(list), LOCK_EX); // two at once would leave images of one, labels of one
        end_aside(list, false);            // a process that was killed may have left some
    }
    bool ok = list != NULL && visit_older(writer, list, set_aside, err);
    for (; ok && n < IDX_SET_FILES; n += ok)
        ok = writer->files[n].stream == NULL || output_commit(&writer->files[n], err);
    if (!ok) {
        remove_committed(writer, n);
        idx_write_discard(writer);
    }
    if (list != NULL) {
        end_aside(list, !ok);
        closedir(list);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}
