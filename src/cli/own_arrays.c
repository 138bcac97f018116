// Reading, comparing and printing a student's arrays. Read own_arrays.h first.
#include "own_arrays.h"

#include "diagnose.h"
#include "matrix.h"

#include <unistd.h>

typedef struct OwnArrays {
    Context *c;
    const char *directory;
    Arrays arrays;
    Matrix given[ARRAYS_MAX];
    Verdict verdicts[ARRAYS_MAX];
    Examples examples;
    Error unread; // why the first file that cannot be read cannot; "" for none
} OwnArrays;

// Reads NAME.csv. One that may be missing has then no numbers.
static bool read_array(const OwnArrays *own, const char *name, bool may_be_missing, Matrix *matrix)
{
    Context *c = own->c;
    const char *path = arena_printf(&c->arena, &c->err, "%s/%s.csv", own->directory, name);
    *matrix = (Matrix){0};
    return path != NULL && ((may_be_missing && access(path, F_OK) != 0) ||
                            matrix_read(matrix, &c->arena, path, &c->err));
}

// Reads x or y: a row of so many numbers for each image. One image may be a column.
static bool read_rows(const OwnArrays *own, const char *name, size_t cols, Matrix *matrix)
{
    if (!read_array(own, name, false, matrix))
        return false;
    if (matrix->cols == 1 && matrix->rows == cols)
        *matrix = (Matrix){1, cols, matrix->at};
    return matrix->cols == cols ||
           error_set(&own->c->err, "%s/%s.csv: has %zu numbers in a row, the model needs %zu",
                     own->directory, name, matrix->cols, cols);
}

// Takes the images from x.csv and their labels from y.csv: where the largest number of a row is.
// What else is in y is compared as any array.
static bool read_examples(OwnArrays *own)
{
    Context *c = own->c;
    size_t C = mlp_classes(c->model);
    Matrix x, y;
    if (!read_rows(own, "x", mlp_rows(c->model) * mlp_cols(c->model), &x) ||
        !read_rows(own, "y", C, &y))
        return false;
    if (x.rows != y.rows)
        return error_set(&c->err, "%s: x.csv has %zu images, y.csv has %zu labels", own->directory,
                         x.rows, y.rows);
    own->examples = (Examples){
        .n = x.rows, .x = x.at, .label = arena_alloc(&c->arena, x.rows, 1, "labels", &c->err)};
    for (size_t e = 0; own->examples.label != NULL && e < x.rows; e++)
        for (size_t k = 1; k < C; k++)
            if (y.at[e * C + k] > y.at[e * C + own->examples.label[e]])
                own->examples.label[e] = (unsigned char)k;
    return own->examples.label != NULL;
}

// Reads the arrays that are there, and passes over those that cannot be read.
static void read_arrays(OwnArrays *own)
{
    for (size_t i = 0; i < own->arrays.n; i++)
        if (!read_array(own, own->arrays.list[i].name, true, &own->given[i])) {
            own->given[i] = (Matrix){0};
            own->unread = own->unread.text[0] == '\0' ? own->c->err : own->unread;
        }
}

static bool print_verdicts(const OwnArrays *own)
{
    size_t n = 0, n_wrong = 0;
    printf("%s and the arrays in %s\n\n%-20s %12s %10s\n", command_shown(own->c->words.model).text,
           command_shown(own->directory).text, "array", "shape", "error");
    for (size_t i = 0; i < own->arrays.n; i++) {
        const Verdict *verdict = &own->verdicts[i];
        const NamedArray *array = &own->arrays.list[i];
        char shape[48], error[16] = "-"; // of another shape
        if (own->given[i].at == NULL)
            continue;
        snprintf(shape, sizeof shape, "%zux%zu", array->rows, array->cols);
        if (!isnan(verdict->error))
            snprintf(error, sizeof error, "%.1e", verdict->error);
        printf("%-20s %12s %10s  %s\n", array->name, shape, error,
               verdict->agrees ? "agrees" : "DISAGREES");
        if (!verdict->agrees)
            printf("  looks like: %s\n",
                   verdict->what[0] != '\0' ? verdict->what : "nothing that is known here");
        n++;
        n_wrong += !verdict->agrees;
    }
    printf("\nThe error is max|yours - expected| / max|expected|. Allowed is %g, and what the\n"
           "rounding of yhat - y in single precision can do, at most %g.\n",
           DIAGNOSE_LIMIT, DIAGNOSE_LARGEST);
    if (n_wrong > 0)
        printf("%zu of %zu disagree. Begin with the first: others may only follow from it.\n",
               n_wrong, n);
    else
        printf("All %zu agree.\n", n);
    return n_wrong == 0;
}

int own_arrays_compare(Context *c, const char *directory)
{
    OwnArrays own = {.c = c, .directory = directory};
    Reference ref;
    if (!read_examples(&own) ||
        !reference_open(&ref, &c->model->net, c->model->params, &c->arena, &c->err) ||
        !arrays_open(&own.arrays, &c->model->net, own.examples.n, &c->arena, &c->err))
        return STATUS_FAILED;
    read_arrays(&own);
    if (!arrays_diagnose(own.verdicts, &own.arrays, own.given, &ref, &own.examples, &c->arena,
                         &c->err))
        return STATUS_FAILED;
    bool ok = print_verdicts(&own);
    c->err = own.unread;
    return ok && own.unread.text[0] == '\0' ? STATUS_DONE : STATUS_FAILED;
}
