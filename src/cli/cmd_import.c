// mlp import: a table (csv_images.h) or directories of pictures (class_tree.h) become the IDX files
// of a data set (idx_write.h). Knows which part is the test set, and how pictures are prepared;
// collection.h knows the classes. The other way is cmd_export_data.c.
#include "class_tree.h"
#include "commands.h"
#include "csv_images.h"
#include "digit.h"
#include "idx.h"
#include "idx_write.h"
#include "numbers.h"
#include "path.h"
#include "resize.h"
#include "signals.h"
#include "terminal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct ImportOptions {
    const char *output, *test, *label, *size, *raw_size, *classes;
    double test_fraction;
    uint64_t seed;
    bool shuffle, no_shuffle, skip_bad, no_convert, force, quiet;
} ImportOptions;

static void import_options(OptionTable *table, void *values)
{
    ImportOptions *o = values;
    o->test_fraction = 0.15;
    o->seed = 1;
    const Option rows[] = {
        OPT_STRING("output", &o->output, "DIR", "directory of the IDX files to write",
                   .letter = 'o', .default_text = ""),
        OPT_STRING("test", &o->test, "SOURCE",
                   "the test images, in a table or directory of their own", .default_text = "",
                   .role = ROLE_READS),
        OPT_DOUBLE("test-fraction", &o->test_fraction, 0, 0.9, "F",
                   "else make this fraction of each class test images; 0 writes no test files",
                   .excludes = "test"),
        OPT_UINT("seed", &o->seed, 0, 9007199254740991, "N",
                 "seed of the choice of test images and of the order of training images"),
        OPT_BOOL("shuffle", &o->shuffle,
                 "write training images in a random order; pictures are, a table keeps its order"),
        OPT_BOOL("no-shuffle", &o->no_shuffle,
                 "write pictures in the order of their names, equal ones in that of their classes",
                 .excludes = "shuffle"),
        OPT_STRING("label", &o->label, "COLUMN",
                   "the column of a table that has the labels, by its name or its number from 1",
                   .default_text = "the one called label or class, else the first"),
        OPT_STRING("size", &o->size, "HxW", "rows and columns of an image",
                   .default_text = "a square for tables, 28x28 for pictures"),
        OPT_STRING("raw-size", &o->raw_size, "HxW",
                   "do not prepare pictures as 'mlp predict' does: only scale them to this size",
                   .default_text = "", .excludes = "size"),
        OPT_STRING("classes", &o->classes, "NAMES",
                   "names of the classes, as for 'mlp train'; where labels are words, their order",
                   .default_text = "words in the order of their bytes", .role = ROLE_READS),
        OPT_BOOL("skip-bad", &o->skip_bad,
                 "leave out pictures that cannot be read or prepared, with a note for each"),
        OPT_NO_CONVERT(&o->no_convert),
        OPT_BOOL("force", &o->force, "replace a data set that is in DIR", .letter = 'f'),
        OPT_QUIET(&o->quiet),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

typedef struct Job {
    Context *context;
    const ImportOptions *options;
    const char *source, *test; // where the images are; test NULL: no test images were given
    bool has_pictures;
    size_t rows, cols; // of prepared or scaled pictures
    Labels labels;
    Collection images[2];   // by mlp_part
    Selection selection[2]; // what is written of them, and in which order
    size_t n_pictures, n_skipped, n_doubted;
    Error first_doubt;
    double drawn; // when the live line was
} Job;

// ---------------------------------------------------------------------------------------------
// Pictures

static bool prepare(Job *job, unsigned char *pixels, const GreyImage *image, const char *path,
                    Arena *arena, Error *err)
{
    const char *doubt;
    Error reason;
    if (job->options->raw_size != NULL) {
        image_resize(pixels, job->rows, job->cols, image);
        return true;
    }
    if (!digit_prepare(pixels, job->rows, job->cols, image, &doubt, arena, &reason))
        return error_set(err, "%s: %s", path, reason.text);
    if (doubt != NULL && job->n_doubted++ == 0)
        error_set(&job->first_doubt, "%s: %s", path, doubt);
    return true;
}

// Adds a picture to the images. *is_bad: the reason is the picture's own.
static bool add_picture(Job *job, Collection *images, const ClassFile *file, Arena *arena,
                        bool *is_bad, Error *err)
{
    GreyImage image;
    *is_bad = false;
    const char *path = class_file_path(file, arena, err);
    unsigned char *pixels = collection_next(images, &job->context->arena, err);
    if (path == NULL || pixels == NULL)
        return false;
    *is_bad = true;
    if (!picture_read(&image, path, !job->options->no_convert, arena, err) ||
        !prepare(job, pixels, &image, path, arena, err))
        return false;
    *is_bad = false;
    int label = labels_index(&job->labels, file->class, file->directory, 0, err);
    if (label >= 0)
        collection_add(images, label);
    return label >= 0;
}

static void end_line(Job *job)
{
    if (job->drawn > 0.0)
        fputs("\r\033[K", stderr);
    job->drawn = 0.0;
}

static void draw_line(Job *job, size_t done, size_t n, double start)
{
    double now = clock_seconds();
    if (job->options->quiet || !terminal_is_capable(STDERR_FILENO) || now - job->drawn < 0.1)
        return;
    job->drawn = now;
    fprintf(stderr, "\r%zu/%zu pictures  %.0f/s\033[K", done, n, (double)done / (now - start));
    (void)fflush(stderr);
}

static bool read_pictures(Job *job, Collection *images, const ClassTree *tree, Error *err)
{
    double start = clock_seconds();
    for (size_t i = 0; i < tree->n; i++) {
        Arena arena = {0};
        bool is_bad;
        job->n_pictures++;
        bool ok = add_picture(job, images, &tree->files[i], &arena, &is_bad, err);
        arena_free(&arena);
        if (!ok) {
            end_line(job);
            const Error reason = *err;
            if (!is_bad)
                return false;
            if (!job->options->skip_bad)
                return error_set(err, "%s; --skip-bad leaves such pictures out", reason.text);
            command_note("left out: %s", err->text);
            job->n_skipped++;
        }
        draw_line(job, i + 1, tree->n, start);
    }
    end_line(job);
    return true;
}

static bool read_tree(Job *job, Collection *images, const char *path, Error *err)
{
    ClassTree tree;
    job->has_pictures = true;
    images->rows = job->rows;
    images->cols = job->cols;
    if (!class_tree_list(&tree, path, job->options->output, &job->context->arena, err))
        return false;
    if (tree.outside[0] != '\0')
        command_note("%s: left out, since not in the directory of a class: %s", path, tree.outside);
    if (tree.empty[0] != '\0')
        command_note("%s: no classes, since without a file: %s", path, tree.empty);
    return read_pictures(job, images, &tree, err) &&
           (images->n > 0 || error_set(err, "%s: no picture could be read", path));
}

// ---------------------------------------------------------------------------------------------
// Sources

static bool is_directory(const char *path)
{
    struct stat status;
    return strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool read_source(Job *job, mlp_part part, const char *path, Error *err)
{
    Source source;
    Error ignored;
    Collection *images = &job->images[part];
    if (is_directory(path))
        return read_tree(job, images, path, err);
    if (job->options->size != NULL) {
        images->rows = job->rows;
        images->cols = job->cols;
    }
    if (!source_open_stream(&source, path, err))
        return false;
    if (job->options->raw_size != NULL && !job->has_pictures) {
        source_close(&source, false, &ignored);
        return error_set(err,
                         "%s: is not a directory of pictures, which --raw-size is for; --size says "
                         "the rows and columns of an image in a table",
                         path);
    }
    return csv_images_read(images, &job->labels, job->options->label, &source, &job->context->arena,
                           err);
}

// The images of both parts have the size of the first.
static bool read_sources(Job *job, Error *err)
{
    Collection *train = &job->images[MLP_TRAIN_FILES], *test = &job->images[MLP_TEST_FILES];
    if (!read_source(job, MLP_TRAIN_FILES, job->source, err) ||
        (job->test != NULL && !read_source(job, MLP_TEST_FILES, job->test, err)))
        return false;
    return job->test == NULL || (train->rows == test->rows && train->cols == test->cols) ||
           error_set(err, "%s: has images of %zu x %zu pixels, but %s of %zu x %zu", job->test,
                     test->rows, test->cols, job->source, train->rows, train->cols);
}

// A directory may have both parts.
static bool find_parts(Job *job, Error *err)
{
    Context *c = job->context;
    const char *directory = job->source;
    bool has_parts = false;
    if (is_directory(directory) && !class_tree_find_parts(&has_parts, directory, &c->arena, err))
        return false;
    if (!has_parts)
        return true;
    if (job->test != NULL || options_given(&c->options, &job->options->test_fraction))
        return error_set(err,
                         "%s: has directories train and test; --test and --test-fraction do not go "
                         "with it",
                         directory);
    job->source = arena_printf(&c->arena, err, "%s/train", directory);
    job->test = arena_printf(&c->arena, err, "%s/test", directory);
    return job->source != NULL && job->test != NULL;
}

// A table that one of the files to be written would replace.
static bool check_kept(Job *job, const char *path, Error *err)
{
    const char *slash = strrchr(path, '/');
    const char *inside = arena_printf(&job->context->arena, err, "%s/x", job->options->output);
    if (inside == NULL)
        return false;
    bool is_replaced = idx_is_unnamed_file(slash == NULL ? path : slash + 1) &&
                       path_has_same_directory(path, inside);
    return !is_replaced || error_set(err, "%s: is to be read and would be replaced", path);
}

// ---------------------------------------------------------------------------------------------
// The data set

// Decides which images are written to which file, and in which order.
static bool select_images(Job *job, Error *err)
{
    const ImportOptions *o = job->options;
    Arena *arena = &job->context->arena;
    Selection *train = &job->selection[MLP_TRAIN_FILES], *test = &job->selection[MLP_TEST_FILES];
    if (!selection_all(train, &job->images[MLP_TRAIN_FILES], arena, err))
        return false;
    bool ok = job->test != NULL
                  ? selection_all(test, &job->images[MLP_TEST_FILES], arena, err)
                  : selection_split(train, test, o->test_fraction, o->seed, arena, err);
    bool is_shuffled = o->shuffle || (job->has_pictures && !o->no_shuffle);
    return ok && (!is_shuffled || selection_shuffle(train, o->seed, arena, err));
}

static ShownName shown_source(const char *path)
{
    return command_shown(strcmp(path, "-") == 0 ? "standard input" : path);
}

static void say_what_was_made(const Job *job, const Classes *classes)
{
    const ImportOptions *o = job->options;
    const Collection *images = &job->images[MLP_TRAIN_FILES];
    ShownName directory = command_shown(o->output), source = shown_source(job->source);
    char number[NUMBER_SIZE];
    fprintf(stderr, "%zu images of %zu x %zu pixels in %zu class%s from %s",
            images->n + job->images[MLP_TEST_FILES].n, images->rows, images->cols, classes->n,
            classes->n == 1 ? "" : "es", source.text);
    if (job->test != NULL)
        fprintf(stderr, " and %s", shown_source(job->test).text);
    fprintf(stderr, ": %zu train, %zu test", job->selection[MLP_TRAIN_FILES].n,
            job->selection[MLP_TEST_FILES].n);
    if (job->test == NULL)
        fprintf(stderr, " (--test-fraction %s)", format_plain(number, o->test_fraction));
    fprintf(stderr, "\nThe data are in %s; next: mlp train -d %s\n", directory.text,
            directory.text);
}

static void note_pictures(const Job *job)
{
    if (job->n_skipped > 0)
        command_note("%zu of %zu pictures were left out", job->n_skipped, job->n_pictures);
    if (job->n_doubted > 0)
        command_note("%zu of %zu pictures may not show one digit; the first: %s", job->n_doubted,
                     job->n_pictures, job->first_doubt.text);
}

static int write_set(Job *job, const Classes *classes)
{
    Context *c = job->context;
    IdxWriter writer;
    signals_watch();
    if (!idx_write(&writer, job->options->output, job->selection, classes->names, &c->arena,
                   &c->err))
        return STATUS_FAILED;
    int number = signals_noted();
    if (number != 0) {
        idx_write_discard(&writer);
        fprintf(stderr, "mlp: %s: stopped; nothing was written\n", signals_name(number));
        return 128 + number;
    }
    // Another process may have made a data set there while the images were read.
    bool ok = idx_write_check(job->options->output, job->options->force, &c->err);
    if (!ok)
        idx_write_discard(&writer);
    ok = ok && idx_write_commit(&writer, &c->err);
    for (size_t i = 0; i < IDX_SET_FILES; i++)
        if (writer.files[i].note.text[0] != '\0')
            command_note("%s", writer.files[i].note.text);
    return ok ? STATUS_DONE : STATUS_FAILED;
}

// Reads "28x28" into the size of pictures. No text: leaves it.
static bool read_size(Job *job, const char *flag, const char *text, Error *err)
{
    char rows[16] = "";
    uint64_t h, w;
    if (text == NULL)
        return true;
    size_t length = strcspn(text, "x");
    snprintf(rows, sizeof rows, "%.*s", (int)length, text);
    if (text[length] != 'x' || length >= sizeof rows || !parse_uint(rows, &h) ||
        !parse_uint(text + length + 1, &w) || h < 1 || h > COLLECTION_MAX_SIDE || w < 1 ||
        w > COLLECTION_MAX_SIDE)
        return error_set(err, "--%s %.40s: must be rows x columns from 1x1 to %dx%d, as 28x28",
                         flag, text, COLLECTION_MAX_SIDE, COLLECTION_MAX_SIDE);
    job->rows = (size_t)h;
    job->cols = (size_t)w;
    return true;
}

static bool check_line(Job *job, Error *err)
{
    const ImportOptions *o = job->options;
    if (o->output == NULL)
        return error_set(err, "'mlp import' needs --output DIR, where the data set is written");
    if (job->test != NULL && source_is_input(job->source) && source_is_input(job->test))
        return error_set(err, "standard input (- or /dev/stdin) can be read only once");
    return read_size(job, "size", o->size, err) && read_size(job, "raw-size", o->raw_size, err);
}

static int run(Context *c)
{
    const ImportOptions *o = c->values;
    Classes classes;
    Job *job = arena_alloc(&c->arena, 1, sizeof *job, "the import", &c->err);
    if (job == NULL)
        return STATUS_FAILED;
    *job = (Job){.context = c,
                 .options = o,
                 .source = c->words.model,
                 .test = o->test,
                 .rows = 28,
                 .cols = 28};
    if (!check_line(job, &c->err))
        return STATUS_USAGE;
    if (!find_parts(job, &c->err) || !check_kept(job, job->source, &c->err) ||
        (job->test != NULL && !check_kept(job, job->test, &c->err)) ||
        !idx_write_check(o->output, o->force, &c->err) || !read_sources(job, &c->err) ||
        !classes_of_labels(&classes, &job->labels, o->classes, &c->arena, &c->err))
        return STATUS_FAILED;
    collection_set_classes(&job->images[MLP_TRAIN_FILES], &classes);
    collection_set_classes(&job->images[MLP_TEST_FILES], &classes);
    if (!select_images(job, &c->err))
        return STATUS_FAILED;
    note_pictures(job);
    int status = write_set(job, &classes);
    if (status == STATUS_DONE && !o->quiet)
        say_what_was_made(job, &classes);
    return status;
}

const Command command_import = {
    .name = "import",
    .arguments = "SOURCE",
    .summary = "make a data set from a table or from pictures",
    .about = "Makes a data set, IDX files that all other commands read with --data, from a table "
             "or a directory. The result is the same on every machine, and complete or not "
             "there.\n\n"
             "A table is CSV, raw or .gz, with one image in a row: a label, which is a number "
             "from 0 to 255 or a word, and pixels from 0 to 255; - is standard input. A header is "
             "recognised.\n\n"
             "A directory has one subdirectory of pictures for each class, in all formats and "
             "sizes that 'mlp predict' reads, prepared as it prepares them; or it has directories "
             "train and test with such subdirectories.\n\n"
             "Names of classes that are words are written to DIR/classes.txt, which 'mlp train' "
             "reads.",
    .examples = {"mlp import train.csv -o mine", "mlp import photos --raw-size 28x28 -o mine"},
    .values_size = sizeof(ImportOptions),
    .options = import_options,
    .run = run,
};
