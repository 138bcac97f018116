// Finding the files of a data set by names and kinds of files, which idx.c then reads. A directory
// is listed once, and the names in it are taken apart, since nobody can guess what the files of a
// set begin with. Read idx.h before.
#include "idx.h"

#include "path.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// A file's name, taken apart.
typedef struct IdxName {
    const char *name;
    size_t prefix; // bytes before the part: "emnist-letters-", or none
    size_t set;    // those of them that name the data set: "emnist-letters"
    mlp_part part;
    bool is_images;
    int order; // the smallest is preferred
} IdxName;

enum { N_FORMS = 6, N_PARTS = 3 };
static const char *const forms[N_FORMS] = {"-images-idx3-ubyte", "-labels-idx1-ubyte",
                                           "-labels-idx2-int",   "-images.idx3-ubyte",
                                           "-labels.idx1-ubyte", "-labels.idx2-int"};
static const char *const parts[N_PARTS] = {"train", "t10k", "test"};

// Takes the ending off the first *length bytes of the name, when they end in it.
static bool strip(const char *name, size_t *length, const char *ending)
{
    size_t n = strlen(ending);
    if (*length < n || memcmp(name + *length - n, ending, n) != 0)
        return false;
    *length -= n;
    return true;
}

static bool name_parse(IdxName *is, const char *name)
{
    size_t length = strlen(name);
    int compressed = strip(name, &length, ".gz"), form = 0, part = 0;
    while (form < N_FORMS && !strip(name, &length, forms[form]))
        form++;
    while (part < N_PARTS && !strip(name, &length, parts[part]))
        part++;
    if (form == N_FORMS || part == N_PARTS)
        return false;
    bool is_separated = length > 0 && strchr("-_.", name[length - 1]) != NULL;
    *is = (IdxName){.name = name,
                    .prefix = length,
                    .set = length - is_separated,
                    .part = part == 0 ? MLP_TRAIN_FILES : MLP_TEST_FILES,
                    .is_images = forms[form][1] == 'i',
                    .order = (compressed * N_FORMS + form) * N_PARTS + part};
    return true;
}

// The names in a directory, sorted.
typedef struct Listing {
    char directory[IDX_PATH_SIZE];
    struct dirent **list;
    int n;
    IdxName wanted; // that of a file of the wanted data set
} Listing;

static int is_not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void listing_close(Listing *l)
{
    for (int i = 0; i < l->n; i++)
        free(l->list[i]);
    free(l->list);
}

// Whether both files are of one data set, however their names separate its name from the part.
static bool is_same_set(const IdxName *a, const IdxName *b)
{
    return a->set == b->set && memcmp(a->name, b->name, a->set) == 0;
}

// Whether entry i is the first one of its data set; takes its name apart.
static bool is_first_of_set(const Listing *l, int i, IdxName *is)
{
    IdxName other;
    bool is_first = name_parse(is, l->list[i]->d_name);
    for (int j = 0; j < i && is_first; j++)
        is_first = !name_parse(&other, l->list[j]->d_name) || !is_same_set(is, &other);
    return is_first;
}

// Decides which data set is wanted: `set`, or where that is NULL the one without a name or the only
// one. Returns how many there are to choose from: only one is a choice.
static int choose_set(Listing *l, const char *set)
{
    int n_sets = 0;
    IdxName is;
    for (int i = 0; i < l->n; i++) {
        if (!is_first_of_set(l, i, &is) ||
            (set != NULL && (strlen(set) != is.set || memcmp(set, is.name, is.set) != 0)))
            continue;
        l->wanted = is;
        if (set == NULL && is.set == 0)
            return 1;
        n_sets++;
    }
    return n_sets;
}

static bool error_no_file(Error *err, const Listing *l, mlp_part part, bool is_images)
{
    char found[LIST_SIZE] = "";
    for (int i = 0; i < l->n; i++)
        list_add(found, (size_t)i, (size_t)l->n, l->list[i]->d_name);
    return error_set(err, "%s: no file %.*s%s-%s there%s, raw or with .gz; %s%s%s", l->directory,
                     (int)l->wanted.prefix, l->wanted.prefix == 0 ? "" : l->wanted.name,
                     part == MLP_TRAIN_FILES ? "train" : "t10k",
                     is_images ? "images-idx3-ubyte" : "labels-idx1-ubyte",
                     part == MLP_TRAIN_FILES ? "" : " (nor test- for t10k-)",
                     l->n == 0 ? "it is empty" : "found: ", found,
                     is_images && part == MLP_TRAIN_FILES
                         ? "; 'mlp import' makes such files from a table or from pictures"
                         : "");
}

// "emnist-balanced and emnist-letters": the names of the data sets in a directory.
static void list_sets(char sets[LIST_SIZE], const Listing *l)
{
    size_t n = 0, shown = 0;
    IdxName is;
    char name[256];
    sets[0] = '\0';
    for (int i = 0; i < l->n; i++)
        n += is_first_of_set(l, i, &is) && is.set > 0;
    for (int i = 0; i < l->n; i++)
        if (is_first_of_set(l, i, &is) && is.set > 0) {
            snprintf(name, sizeof name, "%.*s", (int)is.set, is.name);
            list_add(sets, shown++, n, name);
        }
}

// Takes `data` apart into a directory and, where there is none of that name, the data set in it
// that is wanted; NULL: any.
static bool parse_data(char directory[IDX_PATH_SIZE], const char **set, const char *data,
                       Error *err)
{
    struct stat status;
    const char *slash = strrchr(data, '/');
    bool exists = stat(data, &status) == 0;
    *set = NULL;
    if (!exists && errno != ENOENT)
        return error_set_errno(err, "%s: cannot read the directory of the data", data);
    if (exists && !S_ISDIR(status.st_mode))
        return error_set(err,
                         "%s: is a file, where a directory of IDX files was expected; 'mlp import' "
                         "makes one from a table",
                         data);
    if (snprintf(directory, IDX_PATH_SIZE, "%s", data) >= IDX_PATH_SIZE)
        return error_set(err, "%s: the path is too long", data);
    if (exists)
        return true;
    *set = slash == NULL ? data : slash + 1;
    if (slash == NULL || slash == data)
        memcpy(directory, slash == NULL ? "." : "/", 2);
    else
        directory[slash - data] = '\0';
    return (**set != '\0' && stat(directory, &status) == 0 && S_ISDIR(status.st_mode)) ||
           error_set(err, "%s: there is no such directory", data);
}

// Lists the first directory that has files of the data set.
static bool listing_find(Listing *l, const char *data, mlp_part part, Error *err)
{
    static const char *const subdirectories[] = {"", "/MNIST/raw", "/raw"};
    char directory[IDX_PATH_SIZE], sets[LIST_SIZE];
    const char *set;
    if (!parse_data(directory, &set, data, err))
        return false;
    for (size_t i = 0; i < sizeof subdirectories / sizeof subdirectories[0]; i++) {
        *l = (Listing){.n = 0};
        if (snprintf(l->directory, IDX_PATH_SIZE, "%s%s", directory, subdirectories[i]) >=
            IDX_PATH_SIZE)
            return error_set(err, "%s: the path is too long", data);
        l->n = scandir(l->directory, &l->list, is_not_hidden, alphasort);
        if (l->n < 0 && i > 0 && (errno == ENOENT || errno == ENOTDIR))
            continue;
        if (l->n < 0)
            return error_set_errno(err, "%s: cannot read the directory of the data", l->directory);
        int n_sets = choose_set(l, set);
        if (n_sets == 1)
            return true;
        list_sets(sets, l);
        if (n_sets > 1)
            error_set(err, "%s: contains several data sets; name one, as in %s/%.*s: %s",
                      l->directory, l->directory, (int)strcspn(sets, ", "), sets, sets);
        else if (i == 0 && set != NULL)
            error_set(err, "%s: no directory or data set of that name%s%s", data,
                      sets[0] == '\0' ? "" : "; data sets there: ", sets);
        else if (i == 0)
            error_no_file(err, l, part, true);
        listing_close(l);
        if (n_sets > 1)
            return false;
    }
    return false; // for the reason of the first directory
}

// Writes the path of the preferred file, a regular one if there is any.
static bool find_file(char path[IDX_PATH_SIZE + 256], const Listing *l, mlp_part part,
                      bool is_images, Error *err)
{
    enum { IRREGULAR = 1000 };
    int best = INT_MAX;
    for (int i = 0; i < l->n; i++) {
        IdxName is;
        struct stat status;
        char found[IDX_PATH_SIZE + 256];
        if (!name_parse(&is, l->list[i]->d_name) || is.part != part || is.is_images != is_images ||
            !is_same_set(&is, &l->wanted))
            continue;
        snprintf(found, sizeof found, "%s/%s", l->directory, is.name);
        if (stat(found, &status) != 0 || !S_ISREG(status.st_mode))
            is.order += IRREGULAR;
        if (is.order < best) {
            best = is.order;
            memcpy(path, found, sizeof found);
        }
    }
    return best < INT_MAX || error_no_file(err, l, part, is_images);
}

bool idx_find(IdxPaths *paths, const char *data, mlp_part part, Error *err)
{
    Listing listing;
    if (!listing_find(&listing, data, part, err))
        return false;
    bool ok = find_file(paths->images, &listing, part, true, err) &&
              find_file(paths->labels, &listing, part, false, err);
    snprintf(paths->classes, sizeof paths->classes, "%s/%.*sclasses.txt", listing.directory,
             (int)listing.wanted.prefix, listing.wanted.prefix == 0 ? "" : listing.wanted.name);
    listing_close(&listing);
    return ok;
}

bool idx_is_unnamed_file(const char *name)
{
    IdxName is;
    return strcmp(name, "classes.txt") == 0 || (name_parse(&is, name) && is.prefix == 0);
}

bool idx_is_data(const char *path)
{
    struct stat status;
    IdxPaths paths;
    Error ignored;
    if (stat(path, &status) == 0)
        return S_ISDIR(status.st_mode);
    return idx_find(&paths, path, MLP_TRAIN_FILES, &ignored) ||
           idx_find(&paths, path, MLP_TEST_FILES, &ignored);
}

bool idx_is_data_file(const char *data, const char *path)
{
    const char *slash = strrchr(path, '/');
    IdxName is;
    bool has_name = name_parse(&is, slash == NULL ? path : slash + 1), found = false;
    for (mlp_part part = MLP_TRAIN_FILES; part <= MLP_TEST_FILES && !found; part++) {
        IdxPaths paths;
        Error ignored;
        found = idx_find(&paths, data, part, &ignored) &&
                (path_is_same(path, paths.images) || path_is_same(path, paths.labels) ||
                 path_is_same(path, paths.classes) ||
                 (has_name && path_has_same_directory(path, paths.images)));
    }
    return found;
}
