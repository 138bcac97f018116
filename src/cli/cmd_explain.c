// mlp explain: every number of one image's forward and backward pass, and all arrays of a batch as
// files. This file chooses the image and writes the arrays; explanation.h prints.
#include "convert.h"
#include "explanation.h"
#include "numbers.h"
#include "pnm.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct ExplainOptions {
    uint64_t image, batch;
    const char *part, *data, *weight, *label, *save;
    TransposeFlags transpose;
    bool full, no_convert, no_sandbox, json;
} ExplainOptions;

static void explain_options(OptionTable *table, void *values)
{
    static const char *const parts[] = {"test", "train", NULL};
    ExplainOptions *o = values;
    o->part = "test";
    o->batch = 1;
    const Option rows[] = {
        OPT_STRING("weight", &o->weight, "NAME[I,J]",
                   "explain this weight or bias, as fc1.weight[17,406] or fc1.bias[17]",
                   .default_text = "the weight with the largest gradient"),
        OPT_BOOL("full", &o->full, "print whole vectors and Jacobians"),
        OPT_STRING("label", &o->label, "C", "the class taken as true, a number or a name",
                   .default_text = "that of the data; of a FILE the class predicted"),
        OPT_CHOICE("file", &o->part, parts, "the file with the image: test or train"),
        OPT_UINT("image", &o->image, 0, UINT32_MAX, "N", "the image's number in the file, from 0"),
        OPT_DATA(&o->data),
        OPT_MODEL_TRANSPOSE(&o->transpose),
        OPT_NO_CONVERT(&o->no_convert),
        OPT_NO_SANDBOX(&o->no_sandbox),
        OPT_STRING("save", &o->save, "DIR",
                   "write all arrays into this new or empty directory, one CSV file each",
                   .default_text = "", .role = ROLE_WRITES_DIRECTORY),
        OPT_UINT("batch", &o->batch, 1, 1000, "N",
                 "the arrays are those of N images, from --image on", .excludes = "label"),
        OPT_BOOL("json", &o->json, "print JSON to standard output, with all arrays",
                 .excludes = "full"),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

// ---------------------------------------------------------------------------------------------
// The images

static bool take_data(Explanation *x, Context *c)
{
    const ExplainOptions *o = c->values;
    mlp_part part = strcmp(o->part, "test") == 0 ? MLP_TEST_FILES : MLP_TRAIN_FILES;
    const mlp_data *data =
        command_open_data(c, part, o->data, command_transposed(c, &o->transpose));
    if (data == NULL || !mlp_fits(c->model, data, c->err.text))
        return false;
    if (o->image >= data->n || o->batch > data->n - o->image)
        return error_set(&c->err, "--image %llu%s: the %s file in %s has %zu images",
                         (unsigned long long)o->image, o->batch > 1 ? " and --batch" : "", o->part,
                         data->name, data->n);
    size_t first = (size_t)o->image;
    x->data = dataset_part(data, (Range){first, first + (size_t)o->batch});
    x->image = arena_printf(&c->arena, &c->err, "%s image %zu of %s", o->part, first, data->name);
    return x->image != NULL;
}

// Reads the first picture of a file and prepares it as mlp predict does.
static bool prepare_file(Context *c, const char *path, unsigned char *pixels, const char **doubt)
{
    const ExplainOptions *o = c->values;
    Arena arena = {0};
    Error reason;
    Source source;
    PnmReader reader;
    GreyImage image;
    if (!source_open_stream(&source, path, &c->err) ||
        !convert_source(&source, !o->no_convert, &c->err))
        return false;
    pnm_begin(&reader, &source);
    bool ok = pnm_read(&reader, &image, &arena, &c->err);
    if (reader.more)
        source_close(&reader.source, false, &reason);
    ok = ok &&
         (mlp_prepare(c->model, image.pixels, image.rows, image.cols, pixels, doubt, reason.text) ||
          error_set(&c->err, "%s: %s", path, reason.text));
    arena_free(&arena);
    return ok;
}

static bool take_file(Explanation *x, Context *c)
{
    const char *doubt, *path = c->words.files[0];
    size_t rows = mlp_rows(c->model), cols = mlp_cols(c->model);
    unsigned char *pixels = arena_alloc(&c->arena, rows, cols, "the image", &c->err);
    if (pixels == NULL || !prepare_file(c, path, pixels, &doubt))
        return false;
    if (doubt != NULL)
        command_note("%s: %s", path, doubt);
    x->image = path;
    x->data = (Dataset){.n = 1, .rows = rows, .cols = cols, .pixels = pixels};
    return true;
}

// The class that --label names; the number of classes: none.
static size_t find_label(const Context *c, const char *name)
{
    size_t C = mlp_classes(c->model), k = 0;
    uint64_t number;
    while (k < C && strcmp(mlp_class_name(c->model, k), name) != 0)
        k++;
    return k == C && parse_uint(name, &number) && number < C ? (size_t)number : k;
}

// Predicts the first image, and sets its label where the data have none or --label says another.
static bool predict(Explanation *x, Context *c)
{
    const ExplainOptions *o = c->values;
    size_t C = mlp_classes(c->model);
    float probability[MLP_MAX_CLASSES], logits[MLP_MAX_CLASSES];
    Error reason;
    if (!mlp_classify(c->model, x->data.pixels, 1, probability, logits, reason.text))
        return error_set(&c->err, "%s: %s", x->image, reason.text);
    for (size_t k = 1; k < C; k++)
        if (logits[k] > logits[x->predicted])
            x->predicted = k;
    x->probability = (double)probability[x->predicted];
    size_t label = o->label != NULL ? find_label(c, o->label) : x->predicted;
    if (label == C)
        return error_set(&c->err, "--label: '%.60s' is not one of the %zu classes of %s", o->label,
                         C, c->words.model);
    x->label_of = o->label != NULL         ? " (of --label)"
                  : x->data.labels == NULL ? " (no label is given: the class predicted)"
                                           : "";
    x->label = (unsigned char)label;
    if (x->label_of[0] != '\0')
        x->data.labels = &x->label;
    return true;
}

// ---------------------------------------------------------------------------------------------
// Files

// Makes the directory, unless it is there and empty: no file of anybody's is replaced.
static bool make_directory(const char *path, Error *err)
{
    if (mkdir(path, 0777) == 0)
        return true;
    DIR *directory = errno == EEXIST ? opendir(path) : NULL;
    if (directory == NULL)
        return error_set_errno(err, "--save %s", path);
    bool is_empty = true;
    for (const struct dirent *entry; is_empty && (entry = readdir(directory)) != NULL;)
        is_empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(directory);
    return is_empty ||
           error_set(err, "--save %s: is not empty, and may have arrays of yours; name a new one",
                     path);
}

// No header, so that numpy.loadtxt reads it without further arguments but the delimiter.
static void print_array(CsvWriter *csv, const void *context)
{
    const NamedArray *array = context;
    for (size_t r = 0; r < array->rows; r++) {
        for (size_t i = 0; i < array->cols; i++)
            csv_double(csv, array->at[r * array->cols + i]);
        csv_end_row(csv);
    }
}

// Writes all arrays, or leaves none.
static int save_arrays(Context *c, const Arrays *arrays)
{
    const ExplainOptions *o = c->values;
    const char *paths[ARRAYS_MAX] = {NULL};
    int status = STATUS_DONE;
    for (size_t i = 0; i < arrays->n && status == STATUS_DONE; i++) {
        const NamedArray *array = &arrays->list[i];
        paths[i] = arena_printf(&c->arena, &c->err, "%s/%s.csv", o->save, array->name);
        status = paths[i] == NULL
                     ? STATUS_FAILED
                     : command_write_tables(c, &(Table){paths[i], print_array, array}, 1);
    }
    for (size_t i = 0; i < ARRAYS_MAX && status != STATUS_DONE; i++)
        if (paths[i] != NULL)
            unlink(paths[i]);
    if (status == STATUS_DONE)
        fprintf(o->json ? stderr : stdout, "\n%zu arrays are in %s, the first is x.csv\n",
                arrays->n, command_shown(o->save).text);
    return status;
}

// ---------------------------------------------------------------------------------------------
// The command

// The words that do not go together.
static bool check_line(const Context *c, Error *err)
{
    static const char *const of_data[] = {"file",  "image",     "data",
                                          "batch", "transpose", "no-transpose"};
    const ExplainOptions *o = c->values;
    for (size_t i = 0; c->words.n_files > 0 && i < sizeof of_data / sizeof of_data[0]; i++)
        if (options_name_given(&c->options, of_data[i]))
            return error_set(err, "--%s is of images of the data, but the image is that of %s",
                             of_data[i], c->words.files[0]);
    return o->batch == 1 || o->save != NULL || o->json ||
           error_set(err, "--batch is of the arrays: add --save DIR or --json");
}

// The arrays of all images.
static bool compute_arrays(Context *c, Arrays *arrays, Reference *ref, const Batch *batch)
{
    Examples examples;
    if (!examples_of_batch(&examples, batch, &c->arena, &c->err) ||
        !arrays_open(arrays, ref->net, examples.n, &c->arena, &c->err))
        return false;
    arrays_compute(arrays, ref, &examples, NULL);
    return true;
}

// The values and gradients of the first image, and the chain of one weight (NULL: of the default).
static bool compute_first(Context *c, WeightChain *chain, Reference *ref, const Batch *batch,
                          const Weight *weight)
{
    reference_reset(ref);
    reference_load(ref, batch, 0);
    reference_loss_jacobian(ref, ref->gradient[ref->net->n_layers][0]);
    reference_backward(ref, NULL);
    return weight_explain(chain, ref, batch, c->model->settings.learning_rate,
                          weight != NULL ? *weight : weight_of_largest_gradient(ref), &c->arena,
                          &c->err);
}

// Computes and prints everything. The directory is made when nothing but memory can be missing.
static int explain(Context *c, const Weight *weight)
{
    const ExplainOptions *o = c->values;
    InputScale scale = input_scale(c->model->facts.pixel_std);
    Reference ref;
    Arrays arrays;
    WeightChain chain;
    Explanation x = {.model = c->model,
                     .path = c->words.model,
                     .ref = &ref,
                     .chain = &chain,
                     .full = o->full,
                     .arrays = &arrays};
    if (!(c->words.n_files > 0 ? take_file : take_data)(&x, c) || !predict(&x, c) ||
        !reference_open(&ref, &c->model->net, c->model->params, &c->arena, &c->err) ||
        (o->save != NULL && !make_directory(o->save, &c->err)))
        return STATUS_FAILED;
    const Batch all = {.data = &x.data, .scale = &scale, .n = x.data.n, .size = x.data.n};
    const Batch first = {.data = &x.data, .scale = &scale, .n = 1, .size = 1};
    if (((o->save != NULL || o->json) && !compute_arrays(c, &arrays, &ref, &all)) ||
        !compute_first(c, &chain, &ref, &first, weight) ||
        (!o->json && !explanation_print_text(&x, &c->err)))
        return STATUS_FAILED;
    if (o->json)
        explanation_print_json(&x);
    return o->save == NULL ? STATUS_DONE : save_arrays(c, &arrays);
}

static int run(Context *c)
{
    const ExplainOptions *o = c->values;
    Weight weight;
    Error reason;
    if (!check_line(c, &c->err))
        return STATUS_USAGE;
    int status = command_begin(c);
    if (status != STATUS_DONE)
        return status;
    if (o->weight != NULL && !weight_find(&weight, &c->model->net, o->weight, &reason)) {
        error_set(&c->err, "--weight: %s", reason.text);
        return STATUS_USAGE;
    }
    return explain(c, o->weight != NULL ? &weight : NULL);
}

const Command command_explain = {
    .name = "explain",
    .arguments = "MODEL [FILE]",
    .summary = "show every number of one image's forward and backward pass",
    .about =
        "For one image: the input, the value of every layer, the loss, every Jacobian with its "
        "shape, and for one weight the derivative of the loss as the chain of its factors, beside "
        "the same number from whole Jacobians, from finite differences and from the training "
        "code. FILE is a picture as for mlp predict; without it the image is one of the data. "
        "--save writes all arrays as CSV files, which numpy.loadtxt(name, delimiter=\",\") reads; "
        "mlp gradcheck --compare then checks arrays of your own.",
    .examples = {"mlp explain model.bin --image 7 --weight 'fc1.weight[17,406]'",
                 "mlp explain model.bin --batch 64 --save arrays"},
    .values_size = sizeof(ExplainOptions),
    .options = explain_options,
    .run = run,
};
