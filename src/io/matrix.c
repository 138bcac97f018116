// The reader of matrices, line by line. Its grammar is in matrix.h.
#include "matrix.h"

#include "numbers.h"
#include "source.h"

#include <string.h>

static const char blanks[] = " \t\r,";

// The bytes of a file, and where the reader is.
typedef struct Text {
    const char *path, *at, *end;
    size_t line;
} Text;

// Reads the next number of the line. Returns false, with err "" at the end of the line.
static bool next_number(Text *text, double *value, Error *err)
{
    char word[NUMBER_SIZE];
    size_t n = 0;
    err->text[0] = '\0';
    while (text->at < text->end && *text->at != '\0' && strchr(blanks, *text->at) != NULL)
        text->at++;
    while (text->at < text->end && *text->at != '\n' && *text->at != '#' &&
           (*text->at == '\0' || strchr(blanks, *text->at) == NULL)) {
        if (n + 1 < sizeof word)
            word[n++] = *text->at == '\0' ? '?' : *text->at;
        text->at++;
    }
    word[n] = '\0';
    return n > 0 && (parse_double(word, value) ||
                     error_set(err, "%s, line %zu: '%.40s' is not a finite number", text->path,
                               text->line, word));
}

// Reads one line into the matrix; an empty one adds no row.
static bool read_line(Text *text, Matrix *matrix, Error *err)
{
    size_t cols = 0;
    double value;
    double *row = matrix->at + matrix->rows * matrix->cols;
    for (; next_number(text, &value, err); cols++)
        row[cols] = value;
    if (err->text[0] != '\0')
        return false;
    const char *newline = memchr(text->at, '\n', (size_t)(text->end - text->at));
    text->at = newline == NULL ? text->end : newline + 1;
    if (cols == 0)
        return true;
    if (matrix->rows > 0 && cols != matrix->cols)
        return error_set(err, "%s, line %zu: has %zu numbers, the first line has %zu", text->path,
                         text->line, cols, matrix->cols);
    matrix->cols = cols;
    matrix->rows++;
    return true;
}

bool matrix_read(Matrix *matrix, Arena *arena, const char *path, Error *err)
{
    unsigned char *bytes;
    size_t size;
    *matrix = (Matrix){0};
    if (!file_read(&bytes, &size, arena, path, (size_t)1 << 28, "a matrix", err))
        return false;
    // A number and what ends it are two bytes or more.
    matrix->at = arena_alloc(arena, size / 2 + 1, sizeof *matrix->at, "a matrix", err);
    if (matrix->at == NULL)
        return false;
    Text text = {.path = path, .at = (const char *)bytes, .end = (const char *)bytes + size};
    while (text.at < text.end) {
        text.line++;
        if (!read_line(&text, matrix, err))
            return false;
    }
    return matrix->rows > 0 || error_set(err, "%s: has no numbers", path);
}
