// mlp info: shows what a model file contains, or a data set. Which settings a model has is known to
// settings.h, what else its metadata hold to model.h, and what is said of data to data_info.h.
#include "commands.h"
#include "data_info.h"
#include "idx.h"
#include "json.h"

#include <math.h>
#include <string.h>

static void info_options(OptionTable *table, void *values)
{
    DataInfoOptions *o = values;
    const Option rows[] = {
        OPT_BOOL("transpose", &o->transposed, COMMAND_TRANSPOSE_HELP),
        OPT_STRING("classes", &o->classes, "NAMES",
                   "names of the classes of a data set, as for mlp train",
                   .default_text = "those in classes.txt, else their numbers", .role = ROLE_READS),
        OPT_NO_SANDBOX(&o->no_sandbox),
        OPT_JSON(&o->json),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

typedef struct TensorSummary {
    double smallest, largest, mean, std;
} TensorSummary;

static TensorSummary tensor_summary(const Tensor *tensor, const float *params)
{
    TensorSummary s = {.smallest = (double)INFINITY, .largest = -(double)INFINITY};
    double sum = 0.0, sum_of_squares = 0.0, n = (double)tensor_size(tensor);
    for (size_t e = 0; e < tensor_size(tensor); e++) {
        double value = (double)params[tensor_index(tensor, e)];
        s.smallest = fmin(s.smallest, value);
        s.largest = fmax(s.largest, value);
        sum += value;
        sum_of_squares += value * value;
    }
    s.mean = sum / n;
    s.std = sqrt(fmax(0.0, sum_of_squares / n - s.mean * s.mean));
    return s;
}

// The metadata as the file has them: its format, too, which would be lower when it is written anew.
static size_t file_entries(ModelEntry list[MODEL_MAX_ENTRIES], const Model *model)
{
    size_t n = model_entries(list, settings_table, model);
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].row->key, "format") == 0)
            list[i].from = &model->facts.format;
    return n;
}

static void print_class_names(const Model *model)
{
    printf("%-16s ", "class_names");
    for (size_t k = 0; k < model->net.architecture.classes; k++)
        printf("%s %s", k == 0 ? "" : ",", mlp_class_name(model, k));
    putchar('\n');
}

static void print_tensor(const Tensor *tensor, const float *params)
{
    TensorSummary s = tensor_summary(tensor, params);
    char shape[96];
    int n = 0;
    size_t dims[TENSOR_MAX_DIMS], n_dims = tensor_file_shape(tensor, dims);
    for (size_t d = 0; d < n_dims; d++)
        n += snprintf(shape + n, sizeof shape - (size_t)n, "%s%zu", d == 0 ? "" : ",", dims[d]);
    printf("%-12s  %12s  %9.4f %9.4f %9.4f %9.4f\n", tensor->name, shape, s.smallest, s.largest,
           s.mean, s.std);
}

// What the file has for a training to continue; nothing where none can, or needs nothing.
static void print_state(const Model *model)
{
    const char *names[TRAIN_MAX_BLOCKS];
    train_block_names(&model->settings, names);
    int n = 0;
    for (size_t b = 0; b < TRAIN_MAX_BLOCKS; b++)
        if (names[b] != NULL && model->state.blocks[b] != NULL)
            n += printf("%s%s", n == 0 ? "\nstate to resume the training with: " : ", ", names[b]);
    if (n > 0)
        putchar('\n');
}

static void print_text(const char *path, const Model *model)
{
    char sizes[NETWORK_SIZES_SIZE], number[NUMBER_SIZE];
    ModelEntry list[MODEL_MAX_ENTRIES];
    size_t n = file_entries(list, model);
    network_sizes(&model->net, sizes, sizeof sizes);
    printf("%s: a %s network of %zu parameters, checksum correct\n\n", command_shown(path).text,
           sizes, network_count_weights(&model->net));
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].row->key, "class_names") != 0)
            printf("%-16s  %s\n", list[i].row->key,
                   setting_text(list[i].row, list[i].from, number));
    if (model->settings.class_names != NULL)
        print_class_names(model);
    printf("\n%-12s  %12s  %9s %9s %9s %9s\n", "tensor", "shape", "smallest", "largest", "mean",
           "std");
    for (size_t t = 0; t < model->net.n_tensors; t++)
        print_tensor(model->net.tensors[t], model->params);
    print_state(model);
}

static void print_json(const char *path, const Model *model)
{
    JsonWriter json = {.out = stdout};
    char sizes[NETWORK_SIZES_SIZE], number[NUMBER_SIZE];
    ModelEntry list[MODEL_MAX_ENTRIES];
    size_t n = file_entries(list, model);
    network_sizes(&model->net, sizes, sizeof sizes);
    json_open(&json, NULL, '{');
    json_string(&json, "model", path);
    json_string(&json, "sizes", sizes);
    json_uint(&json, "parameters", network_count_weights(&model->net));
    json_string(&json, "checksum", "right");
    json_open(&json, "settings", '{'); // as the file has them: strings
    for (size_t i = 0; i < n; i++)
        json_string(&json, list[i].row->key, setting_text(list[i].row, list[i].from, number));
    json_close(&json, '}');
    json_open(&json, "tensors", '[');
    for (size_t t = 0; t < model->net.n_tensors; t++) {
        const Tensor *tensor = model->net.tensors[t];
        TensorSummary s = tensor_summary(tensor, model->params);
        json_open(&json, NULL, '{');
        json_string(&json, "name", tensor->name);
        json_open(&json, "shape", '[');
        size_t dims[TENSOR_MAX_DIMS], n_dims = tensor_file_shape(tensor, dims);
        for (size_t d = 0; d < n_dims; d++)
            json_uint(&json, NULL, dims[d]);
        json_close(&json, ']');
        json_double(&json, "smallest", s.smallest);
        json_double(&json, "largest", s.largest);
        json_double(&json, "mean", s.mean);
        json_double(&json, "std", s.std);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
}

static int run(Context *c)
{
    const DataInfoOptions *o = c->values;
    bool is_data = idx_is_data(c->words.model);
    if (is_data)
        c->words.n_models = 0; // none to open
    else if (o->transposed || o->classes != NULL) {
        error_set(&c->err, "--%s is for a data set, and %s is not a directory of one",
                  o->transposed ? "transpose" : "classes", c->words.model);
        return STATUS_USAGE;
    }
    int status = command_begin(c);
    if (status != STATUS_DONE)
        return status;
    if (is_data)
        return data_info_print(c, o);
    o->json ? print_json(c->words.model, c->model) : print_text(c->words.model, c->model);
    return STATUS_DONE;
}

const Command command_info = {
    .name = "info",
    .arguments = "MODEL|DIR",
    .summary = "show the contents of a model file or a data set",
    .about =
        "Shows the settings, tensors and checksum of a model file.\n\n"
        "Of DIR, a directory of IDX files or DIR/SET as for mlp train --data, shows the files, the "
        "images of each class, what their pixels are, and exact copies; on a terminal also the "
        "first images of each class. Notes say what mlp train and mlp eval would note, and more. "
        "If mlp train would refuse the data, the exit status is 1 and the last line says why.",
    .examples = {"mlp info model.bin", "mlp info data/mnist"},
    .values_size = sizeof(DataInfoOptions),
    .options = info_options,
    .run = run,
};
