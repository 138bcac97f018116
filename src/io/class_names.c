// Names for classes, kept as the lines of one text, as class_names.h says: how they are found in
// it, what they must be, and how the value of --classes becomes such a text.
#include "class_names.h"

#include "idx.h"
#include "json.h"
#include "source.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Returns line k and its length without its end, or NULL where there are not so many.
static const char *line_of(const char *names, size_t k, size_t *length)
{
    for (; names != NULL && k > 0; k--) {
        const char *end = strchr(names, '\n');
        names = end == NULL ? NULL : end + 1;
    }
    *length = names == NULL ? 0 : strcspn(names, "\n");
    return names;
}

bool class_has_name(const char *names, size_t k)
{
    size_t length;
    (void)line_of(names, k, &length);
    return length > 0;
}

// The name that a line has for class k.
static ClassName name_of(const char *line, size_t length, size_t k)
{
    ClassName name;
    if (length > 0 && length < sizeof name.text)
        snprintf(name.text, sizeof name.text, "%.*s", (int)length, line);
    else
        snprintf(name.text, sizeof name.text, "%zu", k);
    return name;
}

ClassName class_name(const char *names, size_t k)
{
    size_t length;
    const char *line = line_of(names, k, &length);
    return name_of(line, length, k);
}

// Control characters could move a terminal's cursor: those of ASCII, and U+0080 to U+009F.
static bool name_is_clean(const char *name, size_t length)
{
    const unsigned char *c = (const unsigned char *)name;
    for (size_t i = 0; i < length;) {
        READER_STEPS(1);
        size_t n = utf8_length(c + i, length - i);
        if (n == 0 || c[i] < ' ' || c[i] == 0x7f || (c[i] == 0xc2 && c[i + 1] < 0xa0))
            return false;
        i += n;
    }
    return true;
}

bool class_names_check(const char *names, size_t classes, Error *err)
{
    size_t length, k = 0;
    ClassName seen[MLP_MAX_CLASSES];
    const char *line = line_of(names, 0, &length);
    for (; line != NULL; line = line_of(line, 1, &length), k++) {
        if (k == classes)
            return error_set(err, "more class names than the %zu classes", classes);
        if (length >= CLASS_NAME_SIZE)
            return error_set(err, "line %zu: a class name of more than %d bytes", k + 1,
                             CLASS_NAME_SIZE - 1);
        if (!name_is_clean(line, length))
            return error_set(
                err, "line %zu: the class name is not UTF-8 text, or has a control character",
                k + 1);
        // A class without a name is called by its number, which no other class may have for a name.
        seen[k] = name_of(line, length, k);
        for (size_t other = 0; other < k; other++)
            if (strcmp(seen[other].text, seen[k].text) == 0)
                return error_set(err, "line %zu: the class name '%s' is there twice%s", k + 1,
                                 seen[k].text, length == 0 ? ", as the number of this class" : "");
    }
    return true;
}

// 1, 2 or 3 for a digit, a capital or a small letter of ASCII, 0 for all else.
static int kind_of(char c)
{
    unsigned char u = (unsigned char)c;
    return isdigit(u) ? 1 : isupper(u) ? 2 : islower(u) ? 3 : 0;
}

// "0-9A-F" as lines of one character each. False when it is not of that form.
static bool names_of_ranges(char *names, const char *value)
{
    size_t n = 0;
    for (const char *c = value; *c != '\0'; c++) {
        bool is_range = c[1] == '-';
        const char last = c[is_range ? 2 : 0];
        if (kind_of(*c) == 0 || kind_of(last) != kind_of(*c) || last < *c)
            return false;
        for (char name = *c; name <= last; name++, n++) {
            if (2 * n + 2 > CLASS_NAMES_SIZE)
                return false;
            names[2 * n] = name;
            names[2 * n + 1] = '\n';
        }
        c += is_range ? 2 : 0;
    }
    names[n == 0 ? 0 : 2 * n - 1] = '\0';
    return n > 0;
}

// The lines of a file, without what editors add: a byte order mark, carriage returns, empty lines
// at the end.
static bool names_of_file(char *names, const char *path, Arena *arena, Error *err)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    unsigned char *bytes;
    size_t size, n = 0;
    if (!file_read(&bytes, &size, arena, path, CLASS_NAMES_SIZE - 1, "class names", err))
        return false;
    size_t first = size >= 3 && memcmp(bytes, byte_order_mark, 3) == 0 ? 3 : 0;
    for (size_t i = first; i < size; i++)
        if (bytes[i] != '\r' || i + 1 == size || bytes[i + 1] != '\n')
            names[n++] = (char)(bytes[i] == '\0' ? 1 : bytes[i]); // refused alike
    while (n > 0 && names[n - 1] == '\n')
        n--;
    names[n] = '\0';
    return n > 0 || error_set(err, "%s: has no class names", path);
}

// Assigns the names to the labels that are there.
static bool names_fit(const char **names, const char *value, const char *text, const Dataset *data,
                      Arena *arena, Error *err)
{
    ClassCounts counts = dataset_count_classes(data, (Range){0, data->n});
    size_t n = 0, length, lowest = 0, highest = data->n_classes - 1;
    while (line_of(text, n, &length) != NULL)
        n++;
    while (highest > 0 && counts.n[highest] == 0)
        highest--;
    while (lowest < highest && counts.n[lowest] == 0)
        lowest++;
    bool from_one = n == highest && lowest > 0;
    if (!from_one && (n <= highest || n > data->n_classes))
        return error_set(err, "--classes %s: %zu names, but the labels go from %zu to %zu", value,
                         n, lowest, highest);
    *names = from_one ? arena_printf(arena, err, "\n%s", text) : text;
    return *names != NULL;
}

const char *class_names_text(const char *value, Arena *arena, Error *err)
{
    Error reason;
    struct stat status;
    char *text = arena_alloc(arena, CLASS_NAMES_SIZE, 1, "the class names", err);
    if (text == NULL)
        return NULL;
    bool is_there = stat(value, &status) == 0,
         is_ranges = !is_there && names_of_ranges(text, value);
    if (!is_ranges && !names_of_file(text, value, arena, &reason))
        error_set(err, "--classes: %s%s",
                  is_there ? ""
                           : "neither a file of names, one per line, nor characters and ranges "
                             "such as A-Z or 0-9A-F: ",
                  reason.text);
    else if (!class_names_check(text, MLP_MAX_CLASSES, &reason))
        error_set(err, "--classes %s%s: %s", value,
                  is_ranges ? ", which is not a file, as characters" : "", reason.text);
    else
        return text;
    return NULL;
}

bool class_names_read(const char **names, const char *value, const Dataset *data, Arena *arena,
                      Error *err)
{
    const char *text = class_names_text(value, arena, err);
    return text != NULL && names_fit(names, value, text, data, arena, err);
}

bool class_names_beside(const char **names, const Dataset *data, mlp_part part, Arena *arena,
                        Error *err)
{
    IdxPaths paths;
    Error reason;
    *names = NULL;
    if (!idx_find(&paths, data->name, part, err))
        return false;
    return access(paths.classes, F_OK) != 0 ||
           class_names_read(names, paths.classes, data, arena, &reason) ||
           error_set(err, "the names beside the data do not fit them: %s", reason.text);
}

size_t class_names_find(const char *names, const char *name)
{
    const char *line;
    size_t length;
    for (size_t k = 0; (line = line_of(names, k, &length)) != NULL; k++)
        if (strlen(name) == length && memcmp(line, name, length) == 0)
            return k;
    return MLP_MAX_CLASSES;
}
