// Names for classes; see class_names.h.
#include "class_names.h"

#include "json.h"
#include "source.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

// ---------------------------------------------------------------------------------------------
// Lines

// The line that begins at *at, without its end; moves *at to the next one, NULL behind the last.
static size_t line_next(const char **line, const char **at)
{
    *line = *at;
    size_t length = strcspn(*at, "\n");
    *at = (*at)[length] == '\0' ? NULL : *at + length + 1;
    return length;
}

static size_t count_lines(const char *names)
{
    size_t n = 0;
    const char *line;
    for (const char *at = names; at != NULL; n++)
        line_next(&line, &at);
    return n;
}

ClassName class_name(const char *names, size_t k)
{
    ClassName name;
    const char *line = "", *at = names;
    size_t length = 0;
    for (size_t i = 0; i <= k && at != NULL; i++) {
        length = line_next(&line, &at);
        if (i < k)
            length = 0;
    }
    if (length > 0 && length < sizeof name.text)
        snprintf(name.text, sizeof name.text, "%.*s", (int)length, line);
    else
        snprintf(name.text, sizeof name.text, "%zu", k);
    return name;
}

// ---------------------------------------------------------------------------------------------
// Checks

// Control characters could move a terminal's cursor: those of ASCII, and U+0080 to U+009F.
static bool name_is_clean(const char *name, size_t length)
{
    const unsigned char *c = (const unsigned char *)name;
    for (size_t i = 0; i < length;) {
        size_t n = utf8_length(c + i, length - i);
        if (n == 0 || c[i] < ' ' || c[i] == 0x7f || (c[i] == 0xc2 && c[i + 1] < 0xa0))
            return false;
        i += n;
    }
    return true;
}

static bool line_is_earlier(const char *names, const char *line, size_t length)
{
    const char *other;
    for (const char *at = names; at != NULL && at < line;)
        if (line_next(&other, &at) == length && other < line && memcmp(other, line, length) == 0)
            return true;
    return false;
}

// A class without a name is called by its number, which no other class may have for a name.
static bool numbers_are_free(const char *names, size_t n, Error *err)
{
    for (size_t unnamed = 0; unnamed < n; unnamed++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", unnamed);
        if (strcmp(class_name(names, unnamed).text, number) != 0)
            continue;
        for (size_t k = 0; k < n; k++)
            if (k != unnamed && strcmp(class_name(names, k).text, number) == 0)
                return error_set(err,
                                 "class %zu has the name '%s', and so has class %zu, without one",
                                 k, number, unnamed);
    }
    return true;
}

bool class_names_check(const char *names, size_t classes, Error *err)
{
    const char *line;
    size_t n = 0;
    for (const char *at = names; at != NULL; n++) {
        size_t length = line_next(&line, &at);
        if (n == classes)
            return error_set(err, "more class names than the %zu classes", classes);
        if (length >= CLASS_NAME_SIZE)
            return error_set(err, "line %zu: a class name of more than %d bytes", n + 1,
                             CLASS_NAME_SIZE - 1);
        if (!name_is_clean(line, length))
            return error_set(err,
                             "line %zu: the class name is not UTF-8 text, or has a control "
                             "character",
                             n + 1);
        if (length > 0 && line_is_earlier(names, line, length))
            return error_set(err, "line %zu: the class name '%.*s' is there twice", n + 1,
                             (int)length, line);
    }
    return numbers_are_free(names, n, err);
}

// ---------------------------------------------------------------------------------------------
// What --classes says

// 1, 2 or 3 for a digit, a capital or a small letter of ASCII, 0 for all else.
static int kind_of(char c)
{
    static const char first[] = "0Aa", last[] = "9Zz";
    for (int i = 0; i < 3; i++)
        if (c >= first[i] && c <= last[i])
            return i + 1;
    return 0;
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

// Puts the names to the labels that are there.
static bool names_fit(const char **names, const char *value, char *text, const Dataset *data,
                      Arena *arena, Error *err)
{
    ClassCounts counts = dataset_count_classes(data, (Range){0, data->n});
    size_t n = count_lines(text), highest = data->n_classes - 1;
    while (highest > 0 && counts.n[highest] == 0)
        highest--;
    size_t lowest = 0;
    while (lowest < highest && counts.n[lowest] == 0)
        lowest++;
    bool from_one = n == highest && lowest > 0;
    if (!from_one && (n <= highest || n > data->n_classes))
        return error_set(err, "--classes %s: %zu names, but the labels go from %zu to %zu", value,
                         n, lowest, highest);
    *names = from_one ? arena_printf(arena, err, "\n%s", text) : text;
    return *names != NULL;
}

bool class_names_read(const char **names, const char *value, const Dataset *data, Arena *arena,
                      Error *err)
{
    Error reason;
    struct stat status;
    char *text = arena_alloc(arena, CLASS_NAMES_SIZE, 1, "the class names", err);
    if (text == NULL)
        return false;
    bool is_ranges = stat(value, &status) != 0 && names_of_ranges(text, value);
    if (!is_ranges && !names_of_file(text, value, arena, &reason))
        return error_set(err,
                         "--classes: neither a file of names, one per line, nor characters and "
                         "ranges such as A-Z or 0-9A-F: %s",
                         reason.text);
    if (!class_names_check(text, 256, &reason))
        return error_set(err, "--classes %s%s: %s", value,
                         is_ranges ? ", which is not a file, as characters" : "", reason.text);
    return names_fit(names, value, text, data, arena, err);
}
