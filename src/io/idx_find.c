// Finding the files of a data set; see idx_find.h. The directory is listed once, and the names in
// it are taken apart: what a set's files begin with cannot be guessed.
#include "idx_find.h"

#include "path.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// ---------------------------------------------------------------------------------------------
// Names

// A file's name, taken apart.
typedef struct IdxName {
    size_t prefix; // bytes before the part: "emnist-letters-", or none
    size_t set;    // those of them that name the data set: "emnist-letters"
    IdxPart part;
    bool is_images;
    unsigned order; // the smallest is preferred
} IdxName;

typedef struct Ending {
    const char *text;
    int means; // IdxPart, or whether it is images
} Ending;

static const Ending form_endings[] = {
    {"-images-idx3-ubyte", true}, {"-labels-idx1-ubyte", false}, {"-labels-idx2-int", false},
    {"-images.idx3-ubyte", true}, {"-labels.idx1-ubyte", false}, {"-labels.idx2-int", false},
};
static const Ending part_endings[] = {{"train", IDX_TRAIN}, {"t10k", IDX_TEST}, {"test", IDX_TEST}};
enum {
    N_FORMS = sizeof form_endings / sizeof form_endings[0],
    N_PARTS = sizeof part_endings / sizeof part_endings[0]
};

// Takes the ending off the first *length bytes of the name, when they end in it.
static bool name_strip(const char *name, size_t *length, const char *ending)
{
    size_t n = strlen(ending);
    if (*length < n || memcmp(name + *length - n, ending, n) != 0)
        return false;
    *length -= n;
    return true;
}

// Returns the number of the ending that the name has, taken off, or n.
static unsigned name_strip_one(const char *name, size_t *length, const Ending *endings, unsigned n)
{
    unsigned i = 0;
    while (i < n && !name_strip(name, length, endings[i].text))
        i++;
    return i;
}

// The prefix without what separates it from the part.
static size_t set_length(const char *name, size_t prefix)
{
    return prefix > 0 && strchr("-_.", name[prefix - 1]) != NULL ? prefix - 1 : prefix;
}

static bool name_parse(IdxName *is, const char *name)
{
    size_t length = strlen(name);
    unsigned compressed = name_strip(name, &length, ".gz");
    unsigned form = name_strip_one(name, &length, form_endings, N_FORMS);
    unsigned part =
        form == N_FORMS ? N_PARTS : name_strip_one(name, &length, part_endings, N_PARTS);
    if (part == N_PARTS)
        return false;
    *is = (IdxName){.prefix = length,
                    .set = set_length(name, length),
                    .part = (IdxPart)part_endings[part].means,
                    .is_images = form_endings[form].means,
                    .order = (compressed * N_FORMS + form) * N_PARTS + part};
    return true;
}

// ---------------------------------------------------------------------------------------------
// Directories

// The names in a directory, sorted.
typedef struct Place {
    char directory[IDX_PATH_SIZE];
    struct dirent **list;
    int n;
    const char *wanted; // the name of a file of the wanted data set
    IdxName wanted_is;  // that name, taken apart
} Place;

static int is_not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

// Lists a directory; errno says why it cannot be.
static bool place_open(Place *place)
{
    place->list = NULL;
    place->n = scandir(place->directory, &place->list, is_not_hidden, alphasort);
    return place->n >= 0;
}

static void place_close(Place *place)
{
    for (int i = 0; i < place->n; i++)
        free(place->list[i]);
    free(place->list);
    *place = (Place){.n = 0};
}

static bool path_join(char *path, const char *directory, const char *name)
{
    int length = snprintf(path, IDX_PATH_SIZE, "%s/%s", directory, name);
    if (length >= 0 && length < IDX_PATH_SIZE)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

// Whether both files are of one data set, however their names separate its name from the part.
static bool is_same_set(const char *a, const IdxName *a_is, const char *b, const IdxName *b_is)
{
    return a_is->set == b_is->set && memcmp(a, b, a_is->set) == 0;
}

// One of the four files of a data set.
typedef struct Role {
    IdxPart part;
    bool is_images;
} Role;

// The entry for that role that comes next in preference behind *order, which is moved on; NULL when
// there is none.
static const char *place_next(const Place *place, Role role, int *order)
{
    const char *best = NULL;
    int best_order = 0;
    for (int i = 0; i < place->n; i++) {
        IdxName is;
        const char *name = place->list[i]->d_name;
        if (name_parse(&is, name) && is.part == role.part && is.is_images == role.is_images &&
            is_same_set(name, &is, place->wanted, &place->wanted_is) && (int)is.order > *order &&
            (best == NULL || (int)is.order < best_order)) {
            best = name;
            best_order = (int)is.order;
        }
    }
    *order = best_order;
    return best;
}

// Writes the path of the file for that role in the directory `path`, which is called like it.
static bool enter_directory(char *path, const Place *outer, Role role, Error *err)
{
    Place place = {.wanted = outer->wanted, .wanted_is = outer->wanted_is};
    memcpy(place.directory, path, sizeof place.directory);
    if (!place_open(&place))
        return error_set_errno(err, "%s", path);
    bool found = false;
    int order = -1;
    struct stat status;
    for (const char *name; !found && (name = place_next(&place, role, &order)) != NULL;)
        found = path_join(path, place.directory, name) && stat(path, &status) == 0 &&
                S_ISREG(status.st_mode);
    if (!found)
        error_set(err, "%s: is a directory, and no file of its name is in it", place.directory);
    place_close(&place);
    return found;
}

// Writes the path of an entry, when it is a regular file or a directory that holds one of its name.
// Otherwise says in err what it is.
static bool place_entry(char *path, const Place *place, Role role, const char *name, Error *err)
{
    struct stat status;
    if (!path_join(path, place->directory, name) || stat(path, &status) != 0)
        return error_set_errno(err, "%s/%s", place->directory, name);
    if (S_ISDIR(status.st_mode))
        return enter_directory(path, place, role, err);
    return S_ISREG(status.st_mode) || error_set(err, "%s: is not a regular file", path);
}

typedef enum Finding { FILE_FOUND, FILE_NONE, FILE_UNUSABLE } Finding;

// Writes the path of the preferred file for that role. FILE_NONE: no entry is called like it.
// FILE_UNUSABLE: none of those that are can be had, and err says why not the most preferred one.
static Finding place_file(char *path, const Place *place, Role role, Error *err)
{
    Error ignored;
    int order = -1;
    Finding finding = FILE_NONE;
    for (const char *name; (name = place_next(place, role, &order)) != NULL;) {
        if (place_entry(path, place, role, name, finding == FILE_NONE ? err : &ignored))
            return FILE_FOUND;
        finding = FILE_UNUSABLE;
    }
    return finding;
}

// ---------------------------------------------------------------------------------------------
// Messages that say what is there

static bool error_no_file(Error *err, const Place *place, Role role)
{
    char found[LIST_SIZE] = "";
    const char *form = role.is_images ? "images-idx3-ubyte" : "labels-idx1-ubyte";
    for (int i = 0; i < place->n; i++)
        list_add(found, (size_t)i, (size_t)place->n, place->list[i]->d_name);
    return error_set(err, "%s: no file %.*s%s-%s there%s, raw or with .gz; %s%s", place->directory,
                     (int)place->wanted_is.prefix, place->wanted == NULL ? "" : place->wanted,
                     role.part == IDX_TRAIN ? "train" : "t10k", form,
                     role.part == IDX_TRAIN ? "" : " (nor test- for t10k-)",
                     place->n == 0 ? "it is empty" : "found: ", found);
}

// Returns the first entry from i on that is the first of its data set, and takes its name apart; or
// place->n.
static int next_set(const Place *place, int i, IdxName *is)
{
    for (; i < place->n; i++) {
        const char *name = place->list[i]->d_name;
        bool is_first = name_parse(is, name);
        for (int j = 0; j < i && is_first; j++) {
            IdxName other;
            const char *earlier = place->list[j]->d_name;
            is_first = !name_parse(&other, earlier) || !is_same_set(name, is, earlier, &other);
        }
        if (is_first)
            return i;
    }
    return i;
}

static void set_name(char *text, size_t size, const Place *place, int i, const IdxName *is)
{
    snprintf(text, size, "%.*s", (int)is->set, place->list[i]->d_name);
}

// "emnist-balanced and emnist-letters": the names of the data sets in a directory.
static void list_sets(char *sets, const Place *place)
{
    IdxName is;
    size_t n = 0, shown = 0;
    sets[0] = '\0';
    for (int i = next_set(place, 0, &is); i < place->n; i = next_set(place, i + 1, &is))
        n += is.set > 0;
    for (int i = next_set(place, 0, &is); i < place->n; i = next_set(place, i + 1, &is)) {
        char name[256];
        set_name(name, sizeof name, place, i, &is);
        if (is.set > 0)
            list_add(sets, shown++, n, name);
    }
}

static bool error_many_sets(Error *err, const Place *place)
{
    char sets[LIST_SIZE], first[256];
    IdxName is;
    int i = next_set(place, 0, &is);
    set_name(first, sizeof first, place, i, &is);
    list_sets(sets, place);
    return error_set(err, "%s: holds several data sets; name one, as in --data %s/%s: %s",
                     place->directory, place->directory, first, sets);
}

// The path that was given is neither a directory nor names a data set in one.
static bool error_no_set(Error *err, const Place *place, const char *given)
{
    char sets[LIST_SIZE];
    list_sets(sets, place);
    return error_set(err, "%s: no directory or data set of that name%s%s", given,
                     sets[0] == '\0' ? "" : "; data sets there: ", sets);
}

// ---------------------------------------------------------------------------------------------
// Data sets

// What --data names: a directory, or the data set in it.
typedef struct Wanted {
    char directory[IDX_PATH_SIZE];
    const char *set; // NULL: any
    const char *given;
} Wanted;

static const char *const subdirectories[] = {"", "/MNIST/raw", "/raw"};
enum { N_SUBDIRECTORIES = sizeof subdirectories / sizeof subdirectories[0] };

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

// Takes `data` apart. DIR/SET is only asked for by a name that is not there.
static bool wanted_parse(Wanted *wanted, const char *data, Error *err)
{
    struct stat status;
    bool exists = stat(data, &status) == 0, is_set = !exists && errno == ENOENT;
    const char *slash = strrchr(data, '/');
    size_t length = is_set ? (slash == NULL ? 0 : (size_t)(slash - data)) : strlen(data);
    if (!exists && !is_set)
        return error_set_errno(err, "%s: the directory of the data cannot be read", data);
    if (exists && !S_ISDIR(status.st_mode))
        return error_set(err, "%s: is not a directory, where that of the data was expected", data);
    if (length >= sizeof wanted->directory)
        return error_set(err, "%s: the path is too long", data);
    snprintf(wanted->directory, sizeof wanted->directory, "%.*s", (int)length, data);
    wanted->given = data;
    wanted->set = is_set ? (slash == NULL ? data : slash + 1) : NULL;
    if (!is_set)
        return true;
    if (length == 0)
        snprintf(wanted->directory, sizeof wanted->directory, slash == NULL ? "." : "/");
    return (wanted->set[0] != '\0' && is_directory(wanted->directory)) ||
           error_set(err, "%s: there is no such directory", data);
}

// Decides which data set of the place is wanted. Returns how many there are to choose from: only
// one is a choice.
static int place_choose(Place *place, const char *set)
{
    int n_sets = 0;
    IdxName is;
    for (int i = next_set(place, 0, &is); i < place->n; i = next_set(place, i + 1, &is)) {
        const char *name = place->list[i]->d_name;
        if (set != NULL && (strlen(set) != is.set || memcmp(set, name, is.set) != 0))
            continue;
        place->wanted = name;
        place->wanted_is = is;
        if (set == NULL && is.set == 0) // preferred to those that have a name
            return 1;
        n_sets++;
    }
    return n_sets;
}

// Opens the first place that has files of the data set.
static bool place_find(Place *place, const Wanted *wanted, IdxPart part, Error *err)
{
    for (size_t i = 0; i < N_SUBDIRECTORIES; i++) {
        int length = snprintf(place->directory, sizeof place->directory, "%s%s", wanted->directory,
                              subdirectories[i]);
        if (length < 0 || (size_t)length >= sizeof place->directory)
            return error_set(err, "%s: the path is too long", wanted->directory);
        if (!place_open(place)) {
            if (i > 0 && (errno == ENOENT || errno == ENOTDIR))
                continue;
            return error_set_errno(err, "%s: the directory of the data cannot be read",
                                   place->directory);
        }
        int n_sets = place_choose(place, wanted->set);
        if (n_sets == 1)
            return true;
        if (n_sets > 1) {
            error_many_sets(err, place);
            place_close(place);
            return false;
        }
        if (i == 0 && wanted->set != NULL)
            error_no_set(err, place, wanted->given);
        else if (i == 0)
            error_no_file(err, place, (Role){part, true});
        place_close(place);
    }
    return false; // for the reason of the first place
}

bool idx_find(IdxPaths *paths, const char *data, IdxPart part, Error *err)
{
    Wanted wanted;
    Place place = {.n = 0};
    if (!wanted_parse(&wanted, data, err) || !place_find(&place, &wanted, part, err))
        return false;
    const Role roles[] = {{part, true}, {part, false}};
    bool ok = true;
    for (size_t i = 0; ok && i < 2; i++) {
        char *path = roles[i].is_images ? paths->images : paths->labels;
        Finding finding = place_file(path, &place, roles[i], err);
        if (finding == FILE_NONE)
            error_no_file(err, &place, roles[i]);
        ok = finding == FILE_FOUND;
    }
    place_close(&place);
    return ok;
}

// ---------------------------------------------------------------------------------------------
// What may not be replaced

// Whether entry i of the place is called like a file of a data set; then looks at it.
static bool place_look(const Place *place, int i, char *path, struct stat *status)
{
    IdxName is;
    const char *name = place->list[i]->d_name;
    return name_parse(&is, name) && path_join(path, place->directory, name) &&
           stat(path, status) == 0;
}

// Whether that file is one of any data set in the directory, or, so many levels deep, in a
// directory that is called like a file of one.
//
// NOLINTNEXTLINE(misc-no-recursion): as deep as the caller says
static bool directory_has(const char *directory, const struct stat *file, int levels)
{
    Place place = {.n = 0};
    bool found = false;
    snprintf(place.directory, sizeof place.directory, "%s", directory);
    if (!place_open(&place))
        return false;
    for (int i = 0; i < place.n && !found; i++) {
        char path[IDX_PATH_SIZE];
        struct stat status;
        found = place_look(&place, i, path, &status) &&
                (path_is_same_file(&status, file) ||
                 (levels > 0 && S_ISDIR(status.st_mode) && directory_has(path, file, levels - 1)));
    }
    place_close(&place);
    return found;
}

// Whether a new file of that name would be taken for one of the set, in the place of the one that
// is there: its name is that of a data file, and its directory is one where they are looked for.
static bool is_new_data_file(const char *path, const char *directory)
{
    IdxName is;
    Arena arena = {0};
    Error ignored;
    struct stat of_path, of_data;
    const char *slash = strrchr(path, '/');
    const char *parent = path_directory(&arena, path, &ignored);
    bool found = name_parse(&is, slash == NULL ? path : slash + 1) && parent != NULL &&
                 stat(parent, &of_path) == 0 && stat(directory, &of_data) == 0 &&
                 path_is_same_file(&of_path, &of_data);
    arena_free(&arena);
    return found;
}

bool idx_is_data_file(const char *data, const char *path)
{
    struct stat file;
    Wanted wanted;
    Error ignored;
    bool exists = stat(path, &file) == 0, found = false;
    if (!wanted_parse(&wanted, data, &ignored))
        return false;
    for (size_t i = 0; i < N_SUBDIRECTORIES && !found; i++) {
        char directory[IDX_PATH_SIZE];
        int length =
            snprintf(directory, sizeof directory, "%s%s", wanted.directory, subdirectories[i]);
        if (length < 0 || (size_t)length >= sizeof directory)
            continue;
        found = exists ? directory_has(directory, &file, 1) : is_new_data_file(path, directory);
    }
    return found;
}
