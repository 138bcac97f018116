// Reading, comparing and printing a student's arrays. Read own_arrays.h first.
#include "own_arrays.h"

#include "diagnose.h"
#include "matrix.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

typedef struct OwnArrays {
    Context *c;
    const char *directory;
    Arrays arrays;
    GivenArray given[ARRAYS_MAX];
    Verdict verdicts[ARRAYS_MAX];
    Examples examples;
    const char *images; // which they are, for the report
    Error unread;       // why the first file that cannot be read cannot; "" for none
} OwnArrays;

// ---------------------------------------------------------------------------------------------
// Files

// Reads NAME.csv; at NULL: it is not there.
static bool read_array(OwnArrays *own, const char *name, Matrix *matrix)
{
    const char *path =
        arena_printf(&own->c->arena, &own->c->err, "%s/%s.csv", own->directory, name);
    *matrix = (Matrix){0};
    return path != NULL &&
           (access(path, F_OK) != 0 || matrix_read(matrix, &own->c->arena, path, &own->c->err));
}

// The label in a row that has a 1 there and 0 elsewhere; C: it is not such a row.
static size_t one_hot_label(const double *row, size_t C)
{
    size_t label = C;
    for (size_t k = 0; k < C; k++)
        if (row[k] == 1.0 && label == C)
            label = k;
        else if (row[k] != 0.0)
            return C;
    return label;
}

// Whether the matrix has n rows of so many numbers; one row may be a column.
static bool check_rows(const OwnArrays *own, const char *name, Matrix *matrix, size_t cols)
{
    if (matrix->cols == 1 && matrix->rows == cols)
        *matrix = (Matrix){1, cols, matrix->at};
    return matrix->cols == cols ||
           error_set(&own->c->err, "%s/%s.csv: has %zu numbers in a row, the model needs %zu",
                     own->directory, name, matrix->cols, cols);
}

// Takes the images from x.csv and y.csv.
static bool take_examples(OwnArrays *own, Matrix x, Matrix y)
{
    Context *c = own->c;
    size_t C = mlp_classes(c->model);
    if (x.at == NULL || y.at == NULL)
        return error_set(&c->err, "%s: has %s.csv but not %s.csv; the images need both",
                         own->directory, x.at == NULL ? "y" : "x", x.at == NULL ? "x" : "y");
    if (!check_rows(own, "x", &x, mlp_rows(c->model) * mlp_cols(c->model)) ||
        !check_rows(own, "y", &y, C))
        return false;
    if (x.rows != y.rows)
        return error_set(&c->err, "%s: x.csv has %zu images, y.csv has %zu labels", own->directory,
                         x.rows, y.rows);
    unsigned char *label = arena_alloc(&c->arena, x.rows, 1, "the labels", &c->err);
    if (label == NULL)
        return false;
    for (size_t e = 0; e < x.rows; e++) {
        size_t k = one_hot_label(y.at + e * C, C);
        if (k == C)
            return error_set(&c->err,
                             "%s/y.csv: row %zu of the numbers is not one-hot: a 1 at the label, 0 "
                             "elsewhere",
                             own->directory, e + 1);
        label[e] = (unsigned char)k;
    }
    own->examples = (Examples){.n = x.rows, .x = x.at, .label = label};
    own->images = "those of its x.csv and y.csv";
    return true;
}

static bool find_examples(OwnArrays *own, bool (*open_batch)(Context *context, Batch *batch))
{
    Context *c = own->c;
    Matrix x, y;
    Batch batch;
    if (!read_array(own, "x", &x) || !read_array(own, "y", &y))
        return false;
    if (x.at != NULL || y.at != NULL)
        return take_examples(own, x, y);
    InputScale scale = input_scale(c->model->facts.pixel_std);
    if (!open_batch(c, &batch))
        return false;
    batch.scale = &scale;
    own->images = arena_printf(&c->arena, &c->err, "%zu of %s, from number %zu on", batch.size,
                               batch.data->name, batch.first);
    return own->images != NULL && examples_of_batch(&own->examples, &batch, &c->arena, &c->err);
}

// Reads what is there, and passes over what cannot be read. Returns the number of arrays.
static size_t read_arrays(OwnArrays *own)
{
    size_t n = 0;
    for (size_t i = 0; i < own->arrays.n; i++) {
        Matrix matrix;
        if (!read_array(own, own->arrays.list[i].name, &matrix)) {
            if (own->unread.text[0] == '\0')
                own->unread = own->c->err;
            continue;
        }
        own->given[i] = (GivenArray){matrix.rows, matrix.cols, matrix.at};
        n += matrix.at != NULL;
    }
    return n;
}

// Notes files that look like arrays but have no name of one: perhaps it is misspelt.
static void note_others(const OwnArrays *own, DIR *directory)
{
    const char *names[ARRAYS_MAX + 1] = {NULL};
    for (size_t i = 0; i < own->arrays.n; i++)
        names[i] = own->arrays.list[i].name;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char name[64];
        size_t length = strlen(entry->d_name), i = 0;
        if (length < 5 || length >= sizeof name || strcmp(entry->d_name + length - 4, ".csv") != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)length - 4, entry->d_name);
        while (names[i] != NULL && strcmp(names[i], name) != 0)
            i++;
        const char *nearest = word_nearest(name, names);
        if (names[i] == NULL)
            command_note("%s/%s: is not compared, no array is called so%s%s", own->directory,
                         entry->d_name, nearest != NULL ? "; did you mean " : "",
                         nearest != NULL ? nearest : "");
    }
}

// ---------------------------------------------------------------------------------------------
// The report

static int print_verdicts(const OwnArrays *own, size_t n)
{
    size_t n_wrong = 0;
    char sizes[NETWORK_SIZES_SIZE];
    network_sizes(&own->c->model->net, sizes, sizeof sizes);
    printf("%s, %s; arrays in %s, images: %s\n\n", command_shown(own->c->words.model).text, sizes,
           command_shown(own->directory).text, command_shown(own->images).text);
    printf("%-20s %12s %10s\n", "array", "shape", "error");
    for (size_t i = 0; i < own->arrays.n; i++) {
        const Verdict *verdict = &own->verdicts[i];
        const NamedArray *array = &own->arrays.list[i];
        char shape[48];
        if (own->given[i].at == NULL)
            continue;
        snprintf(shape, sizeof shape, "%zux%zu", array->rows, array->cols);
        printf("%-20s %12s %10.1e  %s\n", array->name, shape, verdict->error,
               verdict->agrees ? "agrees" : "DISAGREES");
        if (!verdict->agrees)
            printf("  looks like: %s\n",
                   verdict->what[0] != '\0' ? verdict->what : "nothing that is known here");
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
    own->c->err = own->unread;
    return n_wrong > 0 || own->unread.text[0] != '\0' ? STATUS_FAILED : STATUS_DONE;
}

int own_arrays_compare(Context *c, const char *directory,
                       bool (*open_batch)(Context *context, Batch *batch))
{
    OwnArrays *own = arena_alloc(&c->arena, 1, sizeof *own, "the arrays", &c->err);
    Reference ref;
    DIR *entries = opendir(directory);
    if (own == NULL || entries == NULL) {
        if (own != NULL)
            error_set_errno(&c->err, "--compare %s", directory);
        if (entries != NULL)
            closedir(entries);
        return STATUS_FAILED;
    }
    own->c = c;
    own->directory = directory;
    bool ok = find_examples(own, open_batch) &&
              reference_open(&ref, &c->model->net, c->model->params, &c->arena, &c->err) &&
              arrays_open(&own->arrays, &c->model->net, own->examples.n, &c->arena, &c->err);
    if (ok)
        note_others(own, entries);
    closedir(entries);
    if (!ok)
        return STATUS_FAILED;
    size_t n = read_arrays(own);
    c->err = own->unread;
    if (n == 0 && c->err.text[0] == '\0')
        error_set(&c->err, "%s: has no array of the model, as %s.csv", directory,
                  own->arrays.list[own->arrays.n - 2].name);
    if (n == 0 || !arrays_diagnose(own->verdicts, &own->arrays, own->given, &ref, &own->examples,
                                   &c->arena, &c->err))
        return STATUS_FAILED;
    return print_verdicts(own, n);
}
