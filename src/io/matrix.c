// The reader of matrices, line by line. Its grammar is in matrix.h.
#include "matrix.h"

#include "numbers.h"
#include "source.h"

#include <string.h>

// Reads a line, which it changes, into the next row of the matrix; an empty one adds no row.
static bool read_line(Matrix *matrix, char *line, const char *path, size_t number, Error *err)
{
    char *rest = NULL;
    double *row = matrix->at + matrix->rows * matrix->cols;
    size_t cols = 0;
    line[strcspn(line, "#")] = '\0';
    for (char *word = line; (word = strtok_r(word, " \t\r,", &rest)) != NULL; word = NULL)
        if (!parse_double(word, &row[cols++]))
            return error_set(err, "%s, line %zu: '%.40s' is not a finite number", path, number,
                             word);
    if (cols == 0)
        return true;
    if (matrix->rows > 0 && cols != matrix->cols)
        return error_set(err, "%s, line %zu: has %zu numbers, the first line has %zu", path, number,
                         cols, matrix->cols);
    matrix->cols = cols;
    matrix->rows++;
    return true;
}

bool matrix_read(Matrix *matrix, Arena *arena, const char *path, Error *err)
{
    unsigned char *bytes;
    size_t size, number = 0;
    *matrix = (Matrix){0};
    if (!file_read(&bytes, &size, arena, path, (size_t)1 << 28, "a matrix", err))
        return false;
    // A number and what ends it are two bytes or more.
    matrix->at = arena_alloc(arena, size / 2 + 1, sizeof *matrix->at, "a matrix", err);
    if (matrix->at == NULL)
        return false;
    if (memchr(bytes, 0, size) != NULL)
        return error_set(err, "%s: has a zero byte, and so is no text", path);
    for (char *line = (char *)bytes, *end; line != NULL; line = end) { // a 0 is behind the bytes
        if ((end = strchr(line, '\n')) != NULL)
            *end++ = '\0';
        if (!read_line(matrix, line, path, ++number, err))
            return false;
    }
    return matrix->rows > 0 || error_set(err, "%s: has no numbers", path);
}
