// The report on a data set. Read data_info.h first. The order is that of the work: read, count,
// note, print.
#include "data_info.h"

#include "class_names.h"
#include "data_notes.h"
#include "data_summary.h"
#include "idx.h"
#include "terminal.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Images that are counted together, a column of the table: those of a split.
typedef struct DataPart {
    const char *name; // as --split has it
    const mlp_data *data;
    Range images;
    ImageSummary summary;
} DataPart;

typedef struct DataFile {
    const char *path;
    uint64_t bytes;
} DataFile;

enum { MAX_PARTS = 3, MAX_FILES = 4, MAX_NOTES = 12 };

typedef struct DataInfo {
    Context *context;
    const DataInfoOptions *options;
    const char *data;             // the directory, as it was given
    const mlp_data *train, *test; // the training files and the test files; NULL: could not be read
    Error refused;                // why mlp train would refuse the data; "": it would not
    Error test_refused;           // why mlp eval would refuse the test images
    IdxPaths paths[2];            // by mlp_part
    DataFile files[MAX_FILES];    // that were read
    size_t n_files;
    const char *names; // of the classes (class_names.h)
    size_t n_classes;
    DataPart parts[MAX_PARTS];
    size_t n_parts;
    Copies copies; // of the training files, and then the test files
    Error notes[MAX_NOTES];
    size_t n_notes;
} DataInfo;

// ---------------------------------------------------------------------------------------------
// Reading and counting

static void add_part(DataInfo *info, const char *name, const mlp_data *data, Range images)
{
    info->parts[info->n_parts++] = (DataPart){name, data, images, images_summarize(data, images)};
}

// Makes the model that mlp train would begin with: what it refuses is refused here, and the split
// is its split. Without one the training file is not split.
static void try_train(DataInfo *info)
{
    mlp_settings settings;
    Error *refused = &info->refused;
    settings_default(&settings, architecture_names[0]);
    settings.class_names = info->names;
    mlp_model *model = mlp_create(&settings, info->train, refused->text);
    info->context->model = model;
    if (model == NULL) {
        add_part(info, "train", info->train, (Range){0, info->train->n});
        return;
    }
    const mlp_settings *s = mlp_model_settings(model);
    size_t n = info->train->n;
    refused->text[0] = '\0';
    add_part(info, "train", info->train, (Range){0, (size_t)s->train_size});
    add_part(info, "validation", info->train, (Range){n - (size_t)s->validation_size, n});
    if (info->test != NULL && mlp_fits(model, info->test, info->test_refused.text))
        info->test_refused.text[0] = '\0';
}

static void add_file(DataInfo *info, const char *path)
{
    struct stat status;
    uint64_t bytes = stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
    info->files[info->n_files++] = (DataFile){path, bytes};
}

// Reads one part of the files. On failure err says why, and the result is NULL.
static const mlp_data *read_files(DataInfo *info, mlp_part part, Error *err)
{
    Context *c = info->context;
    const mlp_data *data = command_open_data(c, part, info->data, info->options->transposed);
    IdxPaths *paths = &info->paths[part];
    if (data == NULL || !idx_find(paths, info->data, part, &c->err)) {
        *err = c->err;
        return NULL;
    }
    add_file(info, paths->images);
    add_file(info, paths->labels);
    info->n_classes = data->n_classes > info->n_classes ? data->n_classes : info->n_classes;
    return data;
}

// Reads the names that were given, or else those beside the data. That the latter do not fit is
// what mlp train would say, in *misfit.
static bool read_names(DataInfo *info, mlp_part part, Error *misfit, Error *err)
{
    const char *given = info->options->classes;
    const mlp_data *data = part == MLP_TRAIN_FILES ? info->train : info->test;
    Arena *arena = &info->context->arena;
    misfit->text[0] = '\0';
    if (given != NULL)
        return class_names_read(&info->names, given, data, arena, err);
    if (class_names_beside(&info->names, data, part, arena, misfit))
        misfit->text[0] = '\0'; // why the first of several directories was not that of the data
    return true;
}

static bool gather(DataInfo *info, Error *err)
{
    Error misfit;
    info->train = read_files(info, MLP_TRAIN_FILES, &info->refused);
    info->test = read_files(info, MLP_TEST_FILES, &info->test_refused);
    if (info->train == NULL && info->test == NULL) {
        *err = info->refused;
        return false;
    }
    if (!read_names(info, info->train != NULL ? MLP_TRAIN_FILES : MLP_TEST_FILES, &misfit, err))
        return false;
    if (info->train != NULL)
        try_train(info);
    if (info->train != NULL && misfit.text[0] != '\0')
        info->refused = misfit;
    if (info->test != NULL)
        add_part(info, "test", info->test, (Range){0, info->test->n});
    return copies_find(&info->copies, info->train, info->test, &info->context->arena, err);
}

// ---------------------------------------------------------------------------------------------
// Notes. Each function adds none or one.

static void add_note(DataInfo *info, const char *format, ...) MLP_PRINTF(2, 3);
static void add_note(DataInfo *info, const char *format, ...)
{
    Error note;
    va_list arguments;
    va_start(arguments, format);
    error_set_list(&note, format, arguments);
    va_end(arguments);
    error_set(&info->notes[info->n_notes++], "%s: %s", info->data, note.text);
}

// Says it of the classes that are listed, if any are.
static void note_classes(DataInfo *info, const char *what, const bool *listed, size_t n_classes)
{
    char classes[LIST_SIZE];
    size_t n = data_list_classes(classes, info->names, listed, n_classes);
    if (n > 0)
        add_note(info, "%s %s %s", what, n == 1 ? "class" : "classes", classes);
}

static void note_few(DataInfo *info)
{
    const ClassCounts *train = &info->parts[0].summary.classes;
    bool listed[MLP_MAX_CLASSES];
    for (size_t k = 0; k < info->n_classes; k++)
        listed[k] = train->n[k] > 0 && train->n[k] < 10;
    note_classes(info, "fewer than 10 training images of", listed, info->n_classes);
}

// A class without images between others. (Numbers may begin at 1, and a network has ten classes.)
static void note_missing(DataInfo *info)
{
    const ClassCounts counts = dataset_count_classes(info->train, (Range){0, info->train->n});
    bool listed[MLP_MAX_CLASSES] = {false};
    size_t first = 0, last = info->train->n_classes - 1;
    while (counts.n[first] == 0)
        first++;
    while (counts.n[last] == 0)
        last--;
    for (size_t k = first; k < last; k++)
        listed[k] = counts.n[k] == 0;
    note_classes(info, "no image in the training file is of", listed, last);
}

static void note_blank(DataInfo *info)
{
    for (const DataPart *p = info->parts; p < info->parts + info->n_parts; p++)
        if (p->summary.blank > 0)
            add_note(info,
                     "blank images (all pixels equal) in the %s split: %zu; the first is image %zu "
                     "of its file",
                     p->name, p->summary.blank, p->summary.first_blank);
}

static double share_nonzero(const PixelSums *pixels)
{
    return (double)pixels->nonzero / (double)pixels->n;
}

// MNIST has 19 % of nonzero pixels, Fashion-MNIST 50 %.
static void note_dense(DataInfo *info)
{
    double share = share_nonzero(&info->parts[0].summary.pixels);
    if (share > 0.75)
        add_note(info,
                 "%.0f %% of the pixels in the %s split are not zero; training skips zero pixels, "
                 "and takes longer without them; is the background 0, and not white?",
                 100.0 * share, info->parts[0].name);
}

static const char *file_of(const Copies *copies, size_t number)
{
    return copies_place(copies, number).set == 0 ? "training" : "test";
}

static void note_copies(DataInfo *info)
{
    const Copies *c = &info->copies;
    if (c->between > 0)
        add_note(info,
                 "test images that are in the training file, too: %zu of %zu; the test accuracy is "
                 "too high by them",
                 c->between, info->test->n);
    if (c->relabelled == 0)
        return;
    size_t i = 0;
    while (copies_label(c, i) == copies_label(c, c->first_like[i]))
        i++;
    size_t first = c->first_like[i];
    add_note(info,
             "images that equal an earlier one and have another label: %zu; the first: %s image "
             "%zu, label %u, is %s image %zu, label %u",
             c->relabelled, file_of(c, i), copies_place(c, i).index, copies_label(c, i),
             file_of(c, first), copies_place(c, first).index, copies_label(c, first));
}

static void note_emnist(DataInfo *info)
{
    if (!info->options->transposed && strstr(info->files[0].path, "emnist") != NULL)
        add_note(info, "EMNIST stores the images column by column; use --transpose");
}

static void find_notes(DataInfo *info)
{
    const mlp_model *model = info->context->model;
    if (model != NULL) {
        Split split = {info->parts[0].images, info->parts[1].images};
        info->n_notes = data_doubts(info->notes, info->train, info->names, &split);
    }
    if (info->train != NULL) {
        note_missing(info);
        note_few(info);
    }
    note_blank(info);
    note_dense(info);
    note_copies(info);
    note_emnist(info);
    if (info->test_refused.text[0] != '\0')
        error_set(&info->notes[info->n_notes++], "mlp eval would refuse the test images: %s",
                  info->test_refused.text);
}

// ---------------------------------------------------------------------------------------------
// Examples on a terminal

// The first images of classes, of the training files where there are some.
typedef struct Examples {
    const mlp_data *data;
    const char *names;
    size_t n, images[MLP_MAX_CLASSES];
} Examples;

static double example_value(const void *context, size_t tile, size_t row, size_t col)
{
    const Examples *e = context;
    return e->data->pixels[(e->images[tile] * e->data->rows + row) * e->data->cols + col];
}

static void example_title(const void *context, size_t tile, char *text, size_t size)
{
    const Examples *e = context;
    size_t image = e->images[tile];
    snprintf(text, size, "%zu: %s", image, class_name(e->names, e->data->labels[image]).text);
}

// Adds the first images of class k.
static void examples_add(Examples *e, size_t k, size_t images)
{
    size_t end = e->n + images;
    for (size_t i = 0; i < e->data->n && e->n < end; i++)
        if (e->data->labels[i] == k)
            e->images[e->n++] = i;
}

// Draws the examples, and forgets them.
static void examples_draw(Examples *e)
{
    if (e->n > 0)
        tiles_draw(&(Tiles){.n = e->n,
                            .rows = e->data->rows,
                            .cols = e->data->cols,
                            .across = 5,
                            .scale = 255.0,
                            .context = e,
                            .value = example_value,
                            .title = example_title});
    e->n = 0;
}

// Up to twelve classes have a row each, with five images; of more classes one image each is drawn.
static void draw_examples(const DataInfo *info)
{
    Examples e = {.data = info->parts[0].data, .names = info->names};
    const ClassCounts counts = dataset_count_classes(e.data, (Range){0, e.data->n});
    size_t present = 0;
    for (size_t k = 0; k < info->n_classes; k++)
        present += counts.n[k] > 0;
    for (size_t k = 0; k < info->n_classes; k++) {
        examples_add(&e, k, present <= 12 ? 5 : 1);
        if (present <= 12)
            examples_draw(&e);
    }
    examples_draw(&e);
    putchar('\n');
}

// ---------------------------------------------------------------------------------------------
// The report

static void print_header(const DataInfo *info)
{
    const mlp_data *any = info->parts[0].data;
    printf("%s: ", command_shown(info->data).text);
    if (info->train != NULL)
        printf("%zu training%s", info->train->n, info->test != NULL ? " and " : "");
    if (info->test != NULL)
        printf("%zu test", info->test->n);
    printf(" images of %zu x %zu pixels in %s\n\n", any->rows, any->cols,
           data_classes_text(any).text);
    for (const DataFile *f = info->files; f < info->files + info->n_files; f++)
        printf("%10llu bytes  %s\n", (unsigned long long)f->bytes, command_shown(f->path).text);
    putchar('\n');
}

// Begins a line of the table: the text, left-aligned.
static void print_label(const char *text, int width)
{
    printf("%s%*s", text, width - command_text_width(text), "");
}

#define PRINT_ROW(label, format, ...)                                                              \
    do {                                                                                           \
        print_label(label, width);                                                                 \
        for (const DataPart *p = info->parts; p < info->parts + info->n_parts; p++)                \
            printf(format, __VA_ARGS__);                                                           \
        putchar('\n');                                                                             \
    } while (0)

// Without the last classes that have neither name nor image.
static size_t classes_shown(const DataInfo *info)
{
    for (size_t n = info->n_classes; n > 0; n--)
        for (size_t i = 0; i < info->n_parts; i++)
            if (info->parts[i].summary.classes.n[n - 1] > 0 || class_has_name(info->names, n - 1))
                return n;
    return 0;
}

static void print_table(const DataInfo *info)
{
    int width = sizeof "nonzero pixels";
    size_t shown = classes_shown(info);
    for (size_t k = 0; k < shown; k++) {
        int name = command_text_width(class_name(info->names, k).text);
        width = name > width ? name : width;
    }
    PRINT_ROW("", "%12s", p->name);
    PRINT_ROW("images", "%12zu", range_length(p->images));
    PRINT_ROW("nonzero pixels", "%10.2f %%", 100.0 * share_nonzero(&p->summary.pixels));
    PRINT_ROW("mean", "%12.4f", pixel_sums_mean(&p->summary.pixels));
    PRINT_ROW("std", "%12.4f", pixel_sums_std(&p->summary.pixels));
    PRINT_ROW("smallest value", "%12u", p->summary.pixels.smallest);
    PRINT_ROW("largest value", "%12u", p->summary.pixels.largest);
    PRINT_ROW("blank images", "%12zu", p->summary.blank);
    puts("\nclass");
    for (size_t k = 0; k < shown; k++)
        PRINT_ROW(class_name(info->names, k).text, "%12zu", p->summary.classes.n[k]);
}

static void print_copies(const DataInfo *info)
{
    const Copies *c = &info->copies;
    fputs("\ncopies of earlier images: ", stdout);
    if (info->train != NULL)
        printf("%zu in the training file%s", c->in_first, info->test != NULL ? ", " : "\n");
    if (info->test != NULL)
        printf("%zu in the test file\n", c->in_second);
    if (info->train != NULL && info->test != NULL)
        printf("test images that are in the training file: %zu\n", c->between);
}

static void print_text(const DataInfo *info)
{
    print_header(info);
    if (terminal_has_colours(STDOUT_FILENO))
        draw_examples(info);
    print_table(info);
    print_copies(info);
    (void)fflush(stdout); // before the notes, where both are one stream
    for (size_t i = 0; i < info->n_notes; i++)
        command_note("%s", info->notes[i].text);
}

// ---------------------------------------------------------------------------------------------
// JSON

static void json_parts(JsonWriter *json, const DataInfo *info)
{
    json_open(json, "splits", '[');
    for (const DataPart *p = info->parts; p < info->parts + info->n_parts; p++) {
        const PixelSums *pixels = &p->summary.pixels;
        json_open(json, NULL, '{');
        json_string(json, "split", p->name);
        json_uint(json, "n", range_length(p->images));
        json_uint(json, "rows", p->data->rows);
        json_uint(json, "cols", p->data->cols);
        json_double(json, "nonzero", share_nonzero(pixels));
        json_exact(json, "mean", pixel_sums_mean(pixels));
        json_exact(json, "std", pixel_sums_std(pixels));
        json_uint(json, "smallest", pixels->smallest);
        json_uint(json, "largest", pixels->largest);
        json_uint(json, "blank", p->summary.blank);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_open(json, "classes", '[');
    for (size_t k = 0; k < info->n_classes; k++) {
        json_open(json, NULL, '{');
        json_uint(json, "class", k);
        if (info->names != NULL)
            json_string(json, "name", class_name(info->names, k).text);
        for (const DataPart *p = info->parts; p < info->parts + info->n_parts; p++)
            json_uint(json, p->name, p->summary.classes.n[k]);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void json_image(JsonWriter *json, const char *key, const Copies *copies, size_t number)
{
    ImagePlace place = copies_place(copies, number);
    json_open(json, key, '{');
    json_string(json, "file", place.set == 0 ? "train" : "test");
    json_uint(json, "index", place.index);
    json_uint(json, "label", copies_label(copies, number));
    json_close(json, '}');
}

static void json_copies(JsonWriter *json, const DataInfo *info)
{
    const Copies *c = &info->copies;
    json_open(json, "copies", '{');
    json_uint(json, "train", c->in_first);
    json_uint(json, "test", c->in_second);
    json_uint(json, "test_in_train", c->between);
    json_uint(json, "other_label", c->relabelled);
    json_open(json, "images", '[');
    for (size_t i = 0; i < c->n; i++) {
        if (c->first_like[i] == i)
            continue;
        json_open(json, NULL, '{');
        json_image(json, "image", c, i);
        json_image(json, "equals", c, c->first_like[i]);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
}

static void print_json(const DataInfo *info)
{
    JsonWriter json = {.out = stdout};
    json_open(&json, NULL, '{');
    json_string(&json, "data", info->data);
    json_bool(&json, "transposed", info->options->transposed);
    json_open(&json, "files", '[');
    for (const DataFile *f = info->files; f < info->files + info->n_files; f++) {
        json_open(&json, NULL, '{');
        json_string(&json, "path", f->path);
        json_uint(&json, "bytes", f->bytes);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_parts(&json, info);
    json_copies(&json, info);
    json_open(&json, "notes", '[');
    for (size_t i = 0; i < info->n_notes; i++)
        json_string(&json, NULL, info->notes[i].text);
    json_close(&json, ']');
    if (info->refused.text[0] != '\0')
        json_string(&json, "refused", info->refused.text);
    json_close(&json, '}');
}

int data_info_print(Context *context, const DataInfoOptions *options)
{
    DataInfo info = {.context = context, .options = options, .data = context->words.model};
    Error *err = &context->err;
    if (!gather(&info, err))
        return STATUS_FAILED;
    find_notes(&info);
    options->json ? print_json(&info) : print_text(&info);
    if (info.refused.text[0] == '\0')
        return STATUS_DONE;
    error_set(err, "mlp train would refuse the data: %s", info.refused.text);
    return STATUS_FAILED;
}
