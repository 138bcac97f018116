// Writes directories of pictures (class_write.h): files first, then one rename.
#include "class_write.h"

#include "path.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 8192 };

typedef struct Writer {
    const Dataset *data;
    const char *names;
    char directory[PATH_SIZE / 2]; // temporary
    int digits;                    // of the number of an image
    size_t n;                      // images written, or begun
    Error *err;
} Writer;

bool class_write_can_use(const char *names, size_t classes)
{
    bool ok = true;
    for (size_t k = 0; k < classes; k++) {
        ClassName name = class_name(names, k);
        ok = ok && name.text[0] != '.' && strchr(name.text, '/') == NULL;
    }
    return ok;
}

bool class_write_check(const char *directory, Error *err)
{
    struct stat status;
    if (lstat(directory, &status) == 0)
        return error_set(err, "%s: is there already; name a new directory for the pictures",
                         directory);
    return path_can_make_directory(directory, err);
}

// Makes the temporary directory, of a name that nothing has.
static bool make_temporary(Writer *w, const char *directory)
{
    enum { TRIES = 100 };
    Arena arena = {0};
    const char *parent = path_directory(&arena, directory, w->err);
    bool ok = false;
    errno = EEXIST;
    for (int i = 0; parent != NULL && !ok && i < TRIES && errno == EEXIST; i++) {
        int length = snprintf(w->directory, sizeof w->directory, "%s/.mlp-%ld-%d", parent,
                              (long)getpid(), i);
        if (length >= (int)sizeof w->directory)
            errno = ENAMETOOLONG;
        else
            ok = mkdir(w->directory, 0777) == 0;
    }
    if (parent != NULL && !ok)
        error_set_errno(w->err, "%s: cannot make this directory", directory);
    arena_free(&arena);
    return ok;
}

static void class_path(char path[PATH_SIZE], const Writer *w, size_t k)
{
    snprintf(path, PATH_SIZE, "%s/%s", w->directory, class_name(w->names, k).text);
}

static void image_path(char path[PATH_SIZE], const Writer *w, size_t i)
{
    class_path(path, w, w->data->labels[i]);
    size_t length = strlen(path);
    snprintf(path + length, PATH_SIZE - length, "/%0*zu.pgm", w->digits, i);
}

static bool write_image(const Writer *w, size_t i)
{
    char path[PATH_SIZE];
    size_t size = dataset_pixels_per_image(w->data);
    image_path(path, w, i);
    FILE *out = fopen(path, "wbxe");
    if (out == NULL)
        return error_set_errno(w->err, "%s: cannot write", path);
    fprintf(out, "P5\n%zu %zu\n255\n", w->data->cols, w->data->rows);
    fwrite(w->data->pixels + i * size, 1, size, out);
    bool ok = ferror(out) == 0;
    ok = fclose(out) == 0 && ok;
    return ok || error_set_errno(w->err, "%s: writing failed", path);
}

static bool write_all(Writer *w, bool (*is_stopped)(void))
{
    char path[PATH_SIZE];
    ClassCounts counts = dataset_count_classes(w->data, (Range){0, w->data->n});
    for (size_t k = 0; k < w->data->n_classes; k++) {
        class_path(path, w, k);
        if (counts.n[k] > 0 && mkdir(path, 0777) != 0)
            return error_set_errno(w->err, "%s: cannot make this directory", path);
    }
    for (; w->n < w->data->n; w->n++)
        if (!write_image(w, w->n))
            return false;
        else if (is_stopped())
            return error_set(w->err, "stopped; nothing was written");
    return true;
}

// Removes what there is. A second signal waits for it.
static void remove_all(const Writer *w)
{
    char path[PATH_SIZE];
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (size_t i = 0; i <= w->n && i < w->data->n; i++) {
        image_path(path, w, i);
        unlink(path);
    }
    for (size_t k = 0; k < w->data->n_classes; k++) {
        class_path(path, w, k);
        rmdir(path);
    }
    rmdir(w->directory);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool class_write(const Dataset *data, const char *names, const char *directory,
                 bool (*is_stopped)(void), Error *err)
{
    Writer w = {.data = data, .names = names, .digits = 5, .err = err};
    for (size_t most = 100000; data->n > most; most *= 10)
        w.digits++;
    if (!make_temporary(&w, directory))
        return false;
    if (write_all(&w, is_stopped) && (rename(w.directory, directory) == 0 ||
                                      error_set_errno(err, "%s: cannot be made", directory)))
        return true;
    remove_all(&w);
    return false;
}
