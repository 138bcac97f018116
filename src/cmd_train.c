// mlp train: options -> data -> network -> training -> model and curves.
#include "commands.h"
#include "json.h"
#include "numbers.h"
#include "progress.h"

#include <string.h>

// ---------------------------------------------------------------------------------------------
// Options

typedef struct TrainOptions {
    uint64_t epochs, batch_size, hidden, seed, train_size, validation_size, threads;
    double learning_rate;
    const char *data, *output, *csv;
    bool quiet, json;
} TrainOptions;

// --epochs and --lr were chosen on the validation split: see README, "Results".
static TrainOptions train_options = {
    .epochs = 100,
    .batch_size = 64,
    .hidden = 64,
    .seed = 1,
    .learning_rate = 1e-3,
    .output = "model.bin",
    .csv = "curves.csv",
};

static const Option option_table[] = {
    {"epochs", 0, OPTION_COUNT, &train_options.epochs, "N", "passes over the training images", 1,
     1000000, NULL, NULL},
    {"lr", 0, OPTION_REAL, &train_options.learning_rate, "R",
     "learning rate, per example: each update subtracts R times the sum of the batch's gradients "
     "(a framework that takes their mean does the same with R times the batch size)",
     1e-30, 1e38, NULL, NULL},
    {"batch", 0, OPTION_COUNT, &train_options.batch_size, "N", "images in a batch", 1, 65536, NULL,
     NULL},
    {"hidden", 0, OPTION_COUNT, &train_options.hidden, "N", "units of the hidden layer", 1, 65536,
     NULL, NULL},
    {"seed", 0, OPTION_COUNT, &train_options.seed, "N",
     "of the initial weights and of the order of the images", 0, 9007199254740991.0, NULL, NULL},
    {"train-size", 0, OPTION_COUNT, &train_options.train_size, "N",
     "train on the first N images only", 1, 4294967295.0, "all but the validation images", NULL},
    {"val-size", 0, OPTION_COUNT, &train_options.validation_size, "N",
     "keep the last N images for validation", 1, 4294967295.0,
     "10000, or a sixth of a smaller file", NULL},
    {"threads", 0, OPTION_COUNT, &train_options.threads, "N", COMMAND_THREADS_HELP, 1,
     COMMAND_MAX_THREADS, "one a CPU, 8 at most", NULL},
    {"data", 'd', OPTION_TEXT, &train_options.data, "DIR", "folder of the IDX files", 0, 0,
     "$MLP_DATA, else data/mnist, else the installed copy", NULL},
    {"output", 'o', OPTION_TEXT, &train_options.output, "FILE", "write the model here", 0, 0, NULL,
     NULL},
    {"csv", 0, OPTION_TEXT, &train_options.csv, "FILE", "write a row an epoch here", 0, 0, NULL,
     NULL},
    {"quiet", 'q', OPTION_FLAG, &train_options.quiet, NULL, "show no progress", 0, 0, NULL, NULL},
    {"json", 0, OPTION_FLAG, &train_options.json, NULL, "print a summary to standard output", 0, 0,
     NULL, NULL},
    {0},
};

// ---------------------------------------------------------------------------------------------
// Curves and progress: what the training tells

typedef struct TrainWatch {
    Output *csv;
    Progress progress;
    EpochReport last;
    double seconds; // of training alone, all epochs
} TrainWatch;

static void watch_batch(void *context, size_t epoch, size_t done, double loss)
{
    TrainWatch *watch = context;
    progress_batch(&watch->progress, epoch, done, loss);
}

static bool watch_epoch(void *context, const EpochReport *report, Error *err)
{
    TrainWatch *watch = context;
    char n[5][NUMBER_SIZE];
    fprintf(watch->csv->stream, "%zu,%s,%s,%s,%s,%s,%.4f\n", report->epoch,
            number_measured(n[0], report->train_loss),
            number_measured(n[1], report->train_accuracy),
            number_measured(n[2], report->validation_loss),
            number_measured(n[3], report->validation_accuracy),
            number_shortest(n[4], report->learning_rate), report->seconds);
    watch->last = *report;
    watch->seconds += report->seconds;
    progress_epoch(&watch->progress, report);
    return output_publish(watch->csv, err);
}

// ---------------------------------------------------------------------------------------------
// The command

// Creates the file beside the target and removes it again: nobody trains for an hour to learn that
// a folder cannot be written.
static bool try_output(Arena *arena, const char *path, Error *err)
{
    Output out;
    if (!output_open(&out, arena, path, OUTPUT_REGULAR_ONLY, err))
        return false;
    output_discard(&out);
    return true;
}

static bool save_model(const ModelSettings *settings, const Network *net, const float *params,
                       Arena *arena, const char *path, Error *err)
{
    Output out;
    if (!output_open(&out, arena, path, OUTPUT_REGULAR_ONLY, err))
        return false;
    if (model_write(settings, net, params, &out, err) && output_commit(&out, err))
        return true;
    output_discard(&out);
    return false;
}

static void print_summary(const TrainOptions *o, const Network *net, const TrainWatch *watch,
                          const TrainData *data)
{
    JsonWriter json = {.out = stdout};
    char sizes[64];
    network_sizes(net, sizes, sizeof sizes);
    size_t images = range_length(data->split.train);
    json_open_object(&json, NULL);
    json_text(&json, "model", o->output);
    json_text(&json, "curves", o->csv);
    json_text(&json, "sizes", sizes);
    json_count(&json, "parameters", network_count_weights(net));
    json_count(&json, "epochs", o->epochs);
    json_setting(&json, "learning_rate", o->learning_rate);
    json_count(&json, "batch_size", o->batch_size);
    json_count(&json, "seed", o->seed);
    json_count(&json, "train_size", images);
    json_count(&json, "validation_size", range_length(data->split.validation));
    json_measured(&json, "train_loss", watch->last.train_loss);
    json_measured(&json, "train_accuracy", watch->last.train_accuracy);
    json_measured(&json, "validation_loss", watch->last.validation_loss);
    json_measured(&json, "validation_accuracy", watch->last.validation_accuracy);
    json_measured(&json, "seconds", watch->seconds);
    json_measured(&json, "images_per_second", (double)(images * o->epochs) / watch->seconds);
    json_close_object(&json);
}

static bool read_training_data(TrainData *training, Dataset *data, Arena *arena,
                               const TrainOptions *o, Error *err)
{
    const char *folder = command_data_folder(o->data);
    Error reason;
    if (!command_read_data(data, arena, o->data, IDX_TRAIN, err))
        return false;
    if (!dataset_split(&training->split, data->n, (size_t)o->train_size, (size_t)o->validation_size,
                       &reason) ||
        !dataset_pixel_std(&training->pixel_std, data, training->split.train, &reason))
        return error_set(err, "%s: %s", folder, reason.text);
    training->data = data;
    training->scale = input_scale(training->pixel_std);
    return true;
}

static void say_what_is_next(const TrainOptions *o)
{
    ShownName model = command_shown(o->output), curves = command_shown(o->csv);
    fprintf(stderr, "The model is in %s, the curves are in %s; next: mlp eval %s\n", model.text,
            curves.text, model.text);
}

static bool train(const TrainOptions *o, Arena *arena, Error *err)
{
    if (path_is_same(o->output, o->csv))
        return error_set(err, "--output and --csv are the same file, %s", o->output);
    if (!try_output(arena, o->output, err))
        return false;

    Dataset data;
    TrainData training;
    if (!read_training_data(&training, &data, arena, o, err))
        return false;

    Architecture architecture = {"mlp", data.rows, data.cols, (size_t)o->hidden, data.n_classes};
    TrainSettings settings = {(size_t)o->epochs, (size_t)o->batch_size, o->learning_rate, o->seed};
    Network net;
    float *params;
    if (!network_build(&net, &architecture, err) ||
        (params = network_alloc(&net, arena, err)) == NULL)
        return false;
    network_init(&net, params, o->seed);

    Output csv;
    if (!output_open(&csv, arena, o->csv, OUTPUT_ANY_FILE, err))
        return false;
    Team *team = command_team(o->threads, arena, err);
    if (team == NULL) {
        output_discard(&csv);
        return false;
    }
    fputs("epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate,"
          "seconds\n",
          csv.stream);
    TrainWatch watch = {
        .csv = &csv,
        .progress = progress_begin(o->quiet, settings.epochs, range_length(training.split.train))};
    TrainObserver observer = {&watch, watch_batch, watch_epoch};
    bool ok = train_run(params, &net, &settings, &training, team, &observer, arena, err);
    team_close(team);
    progress_end(&watch.progress);
    ok = ok && output_commit(&csv, err);
    output_discard(&csv);
    if (!ok)
        return false;

    ModelSettings saved = {.architecture = architecture,
                           .learning_rate = o->learning_rate,
                           .pixel_std = training.pixel_std,
                           .batch_size = o->batch_size,
                           .seed = o->seed,
                           .epochs = o->epochs,
                           .train_size = range_length(training.split.train),
                           .validation_size = range_length(training.split.validation),
                           .data_crc32 = data.crc32};
    if (!save_model(&saved, &net, params, arena, o->output, err))
        return false;
    if (!o->quiet)
        say_what_is_next(o);
    if (o->json)
        print_summary(o, &net, &watch, &training);
    return true;
}

static int run(int argc, char **argv)
{
    int status;
    if (!command_begin(&command_train, option_table, NULL, argc, argv, &status))
        return status;
    Arena arena = {0};
    Error err;
    status = train(&train_options, &arena, &err) ? STATUS_DONE : command_fail(&err);
    arena_free(&arena);
    return command_end(status);
}

const Command command_train = {
    .name = "train",
    .summary = "train a network, write the model and its accuracy curves",
    .about = "Trains a 784-64-10 network (sigmoid, softmax, cross-entropy) by mini-batch gradient "
             "descent on the images of a folder of IDX files, and writes the model and, an epoch "
             "a row, its loss and accuracy on the training and validation images. The same "
             "command gives the same bytes on every machine.",
    .examples = {"mlp train", "mlp train --epochs 100 --lr 1e-4 -o slow.bin --csv slow.csv"},
    .run = run,
};
