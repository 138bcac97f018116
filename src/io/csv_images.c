// The reader of tables of images (csv_images.h). Fields are read from a buffer, byte by byte; the
// pixels of all rows but the first by a loop for plain digits (plain_pixels), which leaves the rare
// cases to it: quotes, blanks, ends of lines and of the buffer, and what is wrong.
#include "csv_images.h"

#include "formats.h"
#include "numbers.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { END = -1 };

typedef struct Reader {
    Source source;
    Error *err;
    const unsigned char *at, *end; // in the buffer: the next byte, and behind the last
    bool ended, failed;            // the source had no more; reading failed, and err says why
    int separator;                 // 0: not seen yet
    size_t line, column;           // of the field that is read, from 1
    size_t columns;                // of the first line
    size_t label;                  // column of the labels, from 1
    char field[CSV_FIELD_SIZE];    // the text of the last field
    unsigned char buffer[CSV_BUFFER];
} Reader;

// ---------------------------------------------------------------------------------------------
// Bytes and fields

// The next byte, which stays to be read, or END.
static int look(Reader *r)
{
    READER_STEPS(1);
    if (r->at == r->end && !r->ended && !r->failed) {
        ptrdiff_t n = source_read_some(&r->source, r->buffer, sizeof r->buffer, r->err);
        r->failed = n < 0;
        r->ended = n == 0;
        r->at = r->buffer;
        r->end = r->buffer + (n > 0 ? n : 0);
    }
    return r->at < r->end ? *r->at : END;
}

static int next(Reader *r)
{
    int c = look(r);
    r->at += c != END;
    return c;
}

// Says what is wrong in this field. Returns false.
static bool error_field(Reader *r, const char *reason)
{
    if (r->failed) // and err says why
        return false;
    return error_set(r->err, "%s, line %zu, column %zu: %s", r->source.path, r->line, r->column,
                     reason);
}

static bool is_separator(Reader *r, int c)
{
    if (r->separator == 0 && (c == ',' || c == ';' || c == '\t'))
        r->separator = c;
    return c > 0 && c == r->separator;
}

static bool is_end_of_line(int c)
{
    return c == '\n' || c == '\r' || c == END;
}

static bool is_blank(Reader *r, int c)
{
    return c == ' ' || (c == '\t' && !is_separator(r, c));
}

static bool field_add(Reader *r, size_t *n, int c)
{
    char reason[64];
    if ((c < ' ' && c != '\t') || c == 0x7f) {
        snprintf(reason, sizeof reason, "has the byte %02x, which is not text", c);
        return error_field(r, reason);
    }
    if (*n + 1 == sizeof r->field)
        return error_field(r, "has more than 255 bytes without a separator");
    r->field[(*n)++] = (char)c;
    return true;
}

// Reads what is between quotes, of which the first has been read; two of them are one.
static bool read_quoted(Reader *r, size_t *n)
{
    for (int c; !is_end_of_line(c = next(r));) {
        if (c == '"' && look(r) != '"')
            return true;
        if (c == '"')
            next(r);
        if (!field_add(r, n, c))
            return false;
    }
    return error_field(r, "the quote does not end in this line");
}

// Takes what follows a field: a separator, or the end of the line. *is_last says which.
static bool read_separator(Reader *r, bool *is_last)
{
    int c = next(r);
    *is_last = is_end_of_line(c);
    if (c == '\r' && look(r) != END && next(r) != '\n')
        return error_field(r, "a carriage return is not followed by a line feed");
    return *is_last || is_separator(r, c) ||
           error_field(r, "something follows the quote, where a separator was expected");
}

// Reads a field into r->field, and what follows it.
static bool read_field(Reader *r, bool *is_last)
{
    size_t n = 0;
    r->column++;
    while (is_blank(r, look(r)))
        next(r);
    bool is_quoted = look(r) == '"';
    if (is_quoted) {
        next(r);
        if (!read_quoted(r, &n))
            return false;
        while (is_blank(r, look(r)))
            next(r);
    } else {
        while (!is_end_of_line(look(r)) && !is_separator(r, look(r)))
            if (!field_add(r, &n, next(r)))
                return false;
        while (n > 0 && (r->field[n - 1] == ' ' || r->field[n - 1] == '\t'))
            n--;
    }
    r->field[n] = '\0';
    return read_separator(r, is_last) && !r->failed;
}

// Skips empty lines. Returns whether another line begins.
static bool next_line(Reader *r)
{
    for (r->line++; look(r) == '\n' || look(r) == '\r'; r->line++)
        if (next(r) == '\r' && look(r) == '\n')
            next(r);
    r->column = 0;
    return look(r) != END;
}

static bool error_value(Reader *r, const char *text, size_t column)
{
    double number;
    bool may_be_label = r->columns == 0 && !parse_double(text, &number);
    const char *hint = may_be_label ? "; --label says which column has the labels" : "";
    return error_set(r->err,
                     "%s, line %zu, column %zu: '%.40s' is not a whole number from 0 to "
                     "255%s",
                     r->source.path, r->line, column, text, hint);
}

// ---------------------------------------------------------------------------------------------
// The first line, which may be a header

// What is to be known of it before one can say what it is.
typedef struct FirstLine {
    ArenaBytes values; // of all fields, as pixels
    char label[CSV_FIELD_SIZE];
    size_t named; // the column with the wanted name, from 1; 0: none
    size_t again; // another one
    size_t wrong; // the first column of the pixels that is not one; 0: none
    char wrong_text[CSV_FIELD_SIZE];
    bool has_number; // one of its fields is
    bool is_count;   // the fields are 0, 1, 2 and so on
} FirstLine;

static bool is_name_of_label(const char *text, const char *wanted)
{
    if (wanted != NULL)
        return strcmp(text, wanted) == 0;
    return strcasecmp(text, "label") == 0 || strcasecmp(text, "class") == 0;
}

static void first_line_add(FirstLine *first, Reader *r, const char *wanted)
{
    uint64_t value = 0;
    double number;
    bool is_whole = label_parse_number(r->field, &value);
    if (is_name_of_label(r->field, wanted))
        *(first->named == 0 ? &first->named : &first->again) = r->column;
    first->values.at[r->column - 1] = (unsigned char)value;
    first->has_number = first->has_number || is_whole || parse_double(r->field, &number);
    first->is_count = first->is_count && is_whole && value == r->column - 1;
    if (r->column == r->label)
        memcpy(first->label, r->field, sizeof first->label);
    else if (first->wrong == 0 && (!is_whole || value > UINT8_MAX)) {
        first->wrong = r->column;
        memcpy(first->wrong_text, r->field, sizeof first->wrong_text);
    }
}

static bool read_first_line(FirstLine *first, Reader *r, const char *wanted, Arena *arena)
{
    bool is_last = false;
    first->values = (ArenaBytes){.first = 1 << 12, .most = CSV_MAX_COLUMNS};
    while (!is_last) {
        if (r->column == CSV_MAX_COLUMNS)
            return error_set(r->err, "%s, line %zu: has more than %d fields", r->source.path,
                             r->line, CSV_MAX_COLUMNS);
        if (!arena_grow(arena, &first->values, r->column, "the first line", r->err) ||
            !read_field(r, &is_last))
            return false;
        first_line_add(first, r, wanted);
    }
    return true;
}

// The images are squares, unless their sizes are known.
static bool choose_size(Collection *images, Reader *r)
{
    size_t pixels = r->columns - 1, side = 1;
    const char *path = r->source.path;
    if (pixels == 0)
        return error_set(r->err,
                         "%s, line %zu: has one field, where a label and pixels were "
                         "expected, separated by commas, semicolons or tabs",
                         path, r->line);
    if (images->rows > 0)
        return images->rows * images->cols == pixels ||
               error_set(r->err,
                         "%s, line %zu: has %zu columns of pixels, where %zu x %zu were expected",
                         path, r->line, pixels, images->rows, images->cols);
    while (side * side < pixels) {
        READER_STEPS(1);
        side++;
    }
    if (side * side != pixels)
        return error_set(r->err,
                         "%s, line %zu: has %zu columns of pixels beside column %zu, the labels, "
                         "which is not a square; --size HxW says the rows and columns of an image",
                         path, r->line, pixels, r->label);
    images->rows = images->cols = side;
    return true;
}

// Decides what the first line is. *is_header: nothing in it is an image.
static bool understand_first_line(const FirstLine *first, Reader *r, const char *wanted,
                                  bool *is_header)
{
    const char *path = r->source.path;
    size_t columns = r->column;
    *is_header = first->named > 0 || (!first->has_number && columns > 1) ||
                 (first->is_count && columns > 2); // names that pandas gives
    if (first->again > 0 && (r->label == 0 || wanted == NULL))
        return error_set(r->err,
                         "%s, line %zu: columns %zu and %zu may both have the labels; --label says "
                         "which, by its number",
                         path, r->line, first->named, first->again);
    if (r->label == 0 || (wanted == NULL && first->named > 0))
        r->label = first->named;
    if (r->label == 0)
        return error_set(r->err, "%s, line %zu: no column is called '%.40s'%s", path, r->line,
                         wanted, *is_header ? "" : ", since this is not a header");
    if (r->label > columns)
        return error_set(r->err, "%s, line %zu: there is no column %zu for --label: it has %zu",
                         path, r->line, r->label, columns);
    if (!*is_header && first->wrong > 0)
        return error_value(r, first->wrong_text, first->wrong);
    r->columns = columns;
    return true;
}

static bool add_image(Collection *images, Labels *labels, Reader *r, const char *label)
{
    int index = labels_index(labels, label, r->source.path, r->line, r->err);
    if (index >= 0)
        collection_add(images, index);
    return index >= 0;
}

// Reads the first line: how many columns there are, which one has the labels, and perhaps an image.
static bool read_beginning(Collection *images, Labels *labels, Reader *r, const char *wanted,
                           Arena *arena)
{
    FirstLine first = {.is_count = true};
    uint64_t number = 1;
    bool is_header, is_number = wanted == NULL || parse_uint(wanted, &number);
    if (is_number && number == 0)
        return error_set(r->err, "--label 0: columns are numbered from 1");
    if (!is_number)
        number = 0; // only a header knows
    r->label = number > CSV_MAX_COLUMNS ? CSV_MAX_COLUMNS + 1 : (size_t)number;
    if (!read_first_line(&first, r, is_number ? NULL : wanted, arena) ||
        !understand_first_line(&first, r, wanted, &is_header) || !choose_size(images, r))
        return false;
    if (is_header)
        return true;
    unsigned char *pixels = collection_next(images, arena, r->err);
    if (pixels == NULL)
        return false;
    memcpy(pixels, first.values.at, r->label - 1);
    memcpy(pixels + r->label - 1, first.values.at + r->label, r->columns - r->label);
    return add_image(images, labels, r, first.label);
}

// ---------------------------------------------------------------------------------------------
// Rows

// Reads pixels of plain digits that are whole in the buffer, with their separators, until n are
// read or something else follows. Returns how many.
static size_t plain_pixels(Reader *r, unsigned char *pixels, size_t n)
{
    enum { LONGEST = 4, RUN = 4, RUN_BYTES = 2 * RUN }; // "255,"; four zeros, most of MNIST
    const unsigned char separator = (unsigned char)r->separator, *at = r->at;
    unsigned char zeros[RUN_BYTES];
    size_t i = 0;
    for (size_t k = 0; k < RUN_BYTES; k += 2)
        zeros[k] = '0', zeros[k + 1] = separator;
    while (i < n && r->end - at >= LONGEST) {
        READER_STEPS(1);
        if (n - i >= RUN && r->end - at >= RUN_BYTES && memcmp(at, zeros, RUN_BYTES) == 0) {
            memset(pixels + i, 0, RUN);
            i += RUN;
            at += RUN_BYTES;
            continue;
        }
        unsigned digits = 1, value = at[0] - (unsigned)'0', digit = 0;
        if (value > 9)
            break;
        for (; digits < 3 && (digit = at[digits] - (unsigned)'0') <= 9; digits++)
            value = 10 * value + digit;
        if (at[digits] != separator || value > UINT8_MAX)
            break;
        pixels[i++] = (unsigned char)value;
        at += digits + 1;
    }
    r->at = at;
    r->column += i;
    return i;
}

// Whether a row has so many fields as the first line: the field that was read last ends the line.
static bool check_columns(Reader *r, bool is_last)
{
    if (is_last == (r->column == r->columns))
        return true;
    return error_set(r->err, "%s, line %zu: has %s%zu fields, where %zu were expected",
                     r->source.path, r->line, is_last ? "" : "more than ", r->column, r->columns);
}

static bool read_pixels(Reader *r, unsigned char *pixels, size_t n)
{
    for (size_t i = 0; i < n;) {
        bool is_last;
        uint64_t value;
        size_t others = r->columns - 1 - r->column; // the last field of a row ends its line
        i += plain_pixels(r, pixels + i, n - i < others ? n - i : others);
        if (i == n)
            break;
        if (!read_field(r, &is_last) || !check_columns(r, is_last))
            return false;
        if (!label_parse_number(r->field, &value) || value > UINT8_MAX)
            return error_value(r, r->field, r->column);
        pixels[i++] = (unsigned char)value;
    }
    return true;
}

static bool read_row(Collection *images, Labels *labels, Reader *r, Arena *arena)
{
    char label[CSV_FIELD_SIZE];
    bool is_last;
    unsigned char *pixels = collection_next(images, arena, r->err);
    if (pixels == NULL || !read_pixels(r, pixels, r->label - 1) || !read_field(r, &is_last) ||
        !check_columns(r, is_last))
        return false;
    memcpy(label, r->field, sizeof label);
    return read_pixels(r, pixels + r->label - 1, r->columns - r->label) &&
           add_image(images, labels, r, label);
}

static bool read_table(Collection *images, Labels *labels, Reader *r, const char *label,
                       Arena *arena)
{
    size_t before = images->n;
    unsigned char head[FORMAT_HEAD];
    ptrdiff_t n = source_peek(&r->source, head, sizeof head, r->err);
    if (n < 0)
        return false;
    const Format *format = format_of(head, (size_t)n);
    if (n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0) // a byte order mark
        source_read(&r->source, head, 3, r->err);
    if (!next_line(r))
        return !r->failed && error_set(r->err, "%s: is empty", r->source.path);
    if (!read_beginning(images, labels, r, label, arena))
        return !r->failed && format != NULL
                   ? error_set(r->err, "%s: is %s, where a table was expected", r->source.path,
                               format->name)
                   : false;
    while (next_line(r))
        if (!read_row(images, labels, r, arena))
            return false;
    return !r->failed && (images->n > before ||
                          error_set(r->err, "%s: has a header, but no images", r->source.path));
}

bool csv_images_read(Collection *images, Labels *labels, const char *label, const Source *source,
                     Arena *arena, Error *err)
{
    Reader *reader = arena_alloc(arena, 1, sizeof *reader, "a table", err);
    Error ignored;
    Source closing = *source;
    if (reader == NULL)
        return source_close(&closing, false, &ignored) && false;
    reader->source = *source;
    reader->err = err;
    reader->at = reader->end = reader->buffer;
    bool ok = read_table(images, labels, reader, label, arena);
    // When the data ended too soon, gzip's own verdict is the better reason.
    return source_close(&reader->source, reader->ended, ok || reader->ended ? err : &ignored) && ok;
}
