// libmlp: train, evaluate and use small classifiers of images such as MNIST's. This header is the
// whole public interface; include/README.md is a tour with examples. C11, and C++.
//
// Errors: a function that fails returns NULL or false and writes one line to the caller's buffer of
// MLP_ERROR_SIZE bytes, or NULL: which file or value, and why. After success the contents mean
// nothing, unless a function says otherwise. Every function that allocates memory can fail for
// want of it. Nothing is printed, and nothing ends the process.
//
// Pointers must not be NULL unless the comment allows it.
//
// Memory: the caller owns what a function returns and gives it to the matching close function,
// which allows NULL. What a caller passes is copied where it is needed for longer, except the
// pixels and labels of mlp_data_from_memory.
//
// Threads: several threads may use one model and one data set at once, as long as none of them is
// in mlp_train with that model. Results do not depend on the number of threads, the instruction
// set, the locale or the environment. (gzip, which reads .gz files, is found on PATH; a temporary
// file that cannot be beside its target is in TMPDIR.)
//
// Children: a .gz file is read from a gzip process, whose verdict on the checksum is lost where the
// program ignores SIGCHLD or waits for every child; then only the length of the data is checked.
// Where the system has no pipe2 (macOS), do not start programs in another thread meanwhile.
//
// Versions: a minor version may add functions and, at the end of structs, members. With members the
// number in libmlp.so.1 goes up, and programs must be compiled again, without a change.
#ifndef MLP_H
#define MLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

#define MLP_VERSION "1.0.0"

enum {
    MLP_ERROR_SIZE = 1024,
    MLP_MAX_CLASSES = 256,
    MLP_MAX_SIZES = 8,       // hidden layers, and convolutions, of a network
    MLP_DEFAULT_THREADS = 8, // at most, where nobody says how many
    MLP_MAX_THREADS = 1024
};

typedef struct mlp_model mlp_model; // a network, its parameters and its settings

// The version of the library that runs; MLP_VERSION is that of this header.
const char *mlp_version(void);

// ---------------------------------------------------------------------------------------------
// Settings

// All that the result of a training depends on, beside the data. mlp_settings_default fills it in;
// change what you want then. Texts belong to the caller. mlp_create checks all members, but leaves
// `epochs` to mlp_train and takes `transposed` from the data. mlp_train gets the number of epochs
// as an argument: pass settings.epochs for the default.
typedef struct mlp_settings {
    const char *architecture; // "mlp", "cnn" or "lenet5"
    const char *preset;       // whose values the settings began with, see mlp_settings_preset
    const char *activation;   // of the hidden layers: "sigmoid", "tanh" or "relu"
    // Units of the hidden dense layers, first to last: 1 to 65536 each. The first 0 ends the list.
    uint64_t hidden[MLP_MAX_SIZES];
    // Channels of the convolutions, first to last, in the same way; none for "mlp".
    uint64_t channels[MLP_MAX_SIZES];
    // Passes over the training images, those of earlier trainings included: 1 to 1000000.
    uint64_t epochs;
    double learning_rate;  // for the sum of the batch's gradients, not their mean: 1e-30 to 1e38
    uint64_t batch_size;   // images in a batch: 1 to 65536
    const char *optimizer; // "sgd" or "adam"
    double momentum;       // of sgd (Nesterov): 0 to 0.9999
    // Of the weights, not the biases; decoupled, for the learning rate of a mean loss: 0 to 1.
    double weight_decay;
    // Of the learning rate: "constant", "cosine" or "one-cycle". The last two, and a warm-up,
    // depend on the number of epochs: mlp_train then needs the same number each time.
    const char *schedule;
    double warmup; // fraction of all batches in which the rate rises from 0: 0 to 0.99
    double ema;    // decay of the moving average of the weights: 0 (none) to 0.999999
    // Random changes of each training image: degrees (0 to 180), fraction (0 to 0.9), pixels (0 to
    // 4096), fraction (0 to 1).
    double rotate, scale, shift, shear;
    // Stop when the validation loss has not improved for so many epochs; 0: never.
    uint64_t patience;
    const char *keep; // the model of which epoch: "last" or "best", by validation loss
    uint64_t seed; // of the initial weights, the order of the images and their changes: to 2^53 - 1
    uint64_t train_size;      // train on the first so many images; 0: all but the validation images
    uint64_t validation_size; // keep the last so many; 0: 10000, or a sixth of fewer than 60000
    bool transposed;          // the data files of the model store the images column by column
    // UTF-8, one name per line from class 0 on, each of at most 63 bytes, all different. A class
    // without a line, or with an empty one, has its number. NULL: all have.
    const char *class_names;
} mlp_settings;

// Sets every member to the default of an architecture. Fails for an unknown name.
bool mlp_settings_default(mlp_settings *settings, const char *architecture,
                          char error[MLP_ERROR_SIZE]);

// Sets every member to that of a preset, "accurate" for example (`mlp train --help` lists them),
// for an architecture. NULL: the first one that has a preset of that name. Fails for unknown names.
bool mlp_settings_preset(mlp_settings *settings, const char *preset, const char *architecture,
                         char error[MLP_ERROR_SIZE]);

// ---------------------------------------------------------------------------------------------
// Data

// n labelled images in memory. The members are to be read only.
typedef struct mlp_data {
    size_t n, rows, cols;
    size_t n_classes;            // 10, or more when a label is: every label is below it
    const unsigned char *pixels; // (n, rows, cols), 0 background to 255 ink
    const unsigned char *labels; // (n)
    uint32_t crc32;              // of the IDX files, and of how they are read: see transposed
    bool transposed;             // the files store the images column by column; not in memory
    const char *name;            // in messages: the directory
    void *memory;                // the library's own
} mlp_data;

typedef enum mlp_part { MLP_TRAIN_FILES, MLP_TEST_FILES } mlp_part;

// Reads the training or the test files of a directory of IDX files, raw or .gz, as `mlp --data`
// finds them (DIR/SET: those in DIR whose names begin with SET). `transposed`: the files store the
// images column by column. Fails when a file is missing, damaged or not what its name says.
mlp_data *mlp_data_open(const char *directory, mlp_part part, bool transposed,
                        char error[MLP_ERROR_SIZE]);

// Makes data of n images of rows x cols bytes and their labels without a copy: both must stay as
// they are until mlp_data_close. A training on them gives the same bytes as one on IDX files with
// the same contents that are not transposed. Fails when a size is 0, an image has more than 2^24
// pixels, or there are more than 2^32 - 1 images.
mlp_data *mlp_data_from_memory(const unsigned char *pixels, const unsigned char *labels, size_t n,
                               size_t rows, size_t cols, char error[MLP_ERROR_SIZE]);

void mlp_data_close(mlp_data *data);

// ---------------------------------------------------------------------------------------------
// Models

// Reads a model file and checks all of it: lengths, checksum, shapes, finite parameters. Fails when
// it is not a whole model of this or an earlier version.
mlp_model *mlp_open(const char *path, char error[MLP_ERROR_SIZE]);

// The same from the bytes of a model file, which are neither kept nor changed.
mlp_model *mlp_open_memory(const void *bytes, size_t size, char error[MLP_ERROR_SIZE]);

// Makes a network with initial parameters for images and classes like those of the training data,
// whose pixels give the input scale. It has data->n_classes classes, so at least 10. Fails when a
// setting is out of range or does not suit the data, or a side of the images has more than 4096
// pixels.
mlp_model *mlp_create(const mlp_settings *settings, const mlp_data *data,
                      char error[MLP_ERROR_SIZE]);

// Makes a network that starts from another model's weights, for a new training with settings of its
// own: fine-tuning. The data may be others, with images of the model's size and labels among its
// classes (mlp_fits). The network's shape (architecture, hidden, activation, channels), the
// classes, their names and the input scale are the model's: those members of the settings are not
// looked at. The new model has no epochs, and its file names the checksum of `from`, which may be
// of an earlier version and is neither kept nor changed. Fails as mlp_create does, and when the
// data do not fit.
mlp_model *mlp_create_from(const mlp_settings *settings, const mlp_model *from,
                           const mlp_data *data, char error[MLP_ERROR_SIZE]);

// Writes the model to a file, which is replaced atomically. When that fails, the old file is still
// there, or the error says where the only copy is. After success the error is "" or a note, for
// example that the file could only be written in place.
bool mlp_save(const mlp_model *model, const char *path, char error[MLP_ERROR_SIZE]);

void mlp_close(mlp_model *model);

// Image size, and number of classes: 2 to MLP_MAX_CLASSES.
size_t mlp_rows(const mlp_model *model);
size_t mlp_cols(const mlp_model *model);
size_t mlp_classes(const mlp_model *model);

// Whether the images have the model's size and their labels are among its classes. The data may
// lack classes.
bool mlp_fits(const mlp_model *model, const mlp_data *data, char error[MLP_ERROR_SIZE]);

// Number of weights and biases.
size_t mlp_parameters(const mlp_model *model);

// The name of class k < mlp_classes, or its number as text. Belongs to the model.
const char *mlp_class_name(const mlp_model *model, size_t k);

// What the model was trained with: `epochs` are those done, train_size and validation_size are not
// 0. Belongs to the model.
const mlp_settings *mlp_model_settings(const mlp_model *model);

// ---------------------------------------------------------------------------------------------
// Classification

// Classifies n images (n, rows, cols) of the model's size, 0 background to 255 ink. Writes
// the probabilities (n, classes), each row summing to 1, and the logits (n, classes) that they are
// the softmax of; either may be NULL. The prediction is the class with the largest logit, the first
// of equals. Fails when weights are so large that the logits are not numbers.
bool mlp_classify(const mlp_model *model, const unsigned char *pixels, size_t n,
                  float *probabilities, float *logits, char error[MLP_ERROR_SIZE]);

// Models that answer together: the probability of a class is the mean of theirs. They must be for
// images of the same size and have the same classes with the same names; each has its own input
// scale. One model is an ensemble, too, with the answers that it has alone, and a model may be
// there more than once. The models stay the caller's and are not changed.
typedef struct mlp_ensemble {
    const mlp_model *const *models; // (n_models)
    size_t n_models;                // 1 or more
} mlp_ensemble;

// Whether the models can answer together. The error names two that differ, and in what.
bool mlp_ensemble_check(const mlp_ensemble *ensemble, char error[MLP_ERROR_SIZE]);

// As mlp_classify: writes the mean probabilities (n, classes), added in the order of the models in
// single precision, then divided by their number. The prediction is the class with the largest
// mean, the first of equals. Fails too when the models cannot answer together.
bool mlp_classify_ensemble(const mlp_ensemble *ensemble, const unsigned char *pixels, size_t n,
                           float *probabilities, char error[MLP_ERROR_SIZE]);

// Prepares a picture of one digit, rows x cols grey bytes, as `mlp predict` does: finds the ink,
// dark or light, on paper of uneven light, scales it and centres it as MNIST's digits are. Writes
// mlp_rows x mlp_cols bytes to `prepared`. *doubt, unless doubt is NULL, becomes a constant text on
// why the picture may not show one digit, or NULL. Fails when it shows no ink.
bool mlp_prepare(const mlp_model *model, const unsigned char *grey, size_t rows, size_t cols,
                 unsigned char *prepared, const char **doubt, char error[MLP_ERROR_SIZE]);

// The same for the first picture of a file in PBM, PGM or PPM format; "-" is standard input. Fails
// too when the file is not such a picture: unlike `mlp predict`, the library runs no program that
// converts other formats. The error says how to do that.
bool mlp_prepare_file(const mlp_model *model, const char *path, unsigned char *prepared,
                      const char **doubt, char error[MLP_ERROR_SIZE]);

// ---------------------------------------------------------------------------------------------
// Training

// One epoch. The training figures are running ones, of each batch before its update; the validation
// figures are measured after the epoch.
typedef struct mlp_epoch {
    size_t epoch; // from 1
    double train_loss, train_accuracy;
    double validation_loss, validation_accuracy; // NaN when not measured
    double learning_rate;                        // of its last batch
    double seconds;                              // of the training pass alone
    size_t threads; // at most: fewer than wanted where the system gives no more
    bool is_kept;   // the model is that of this epoch, not of an earlier, better one
} mlp_epoch;

// Watches a training, from the thread that called mlp_train. Each callback may be NULL; `batch` and
// `epoch` return whether to continue.
typedef struct mlp_observer {
    void *context; // passed to the callbacks
    // Measure the validation images after the last epoch alone, unless patience or keep "best" need
    // every epoch's loss.
    bool validate_last_only;
    // After each batch: `done` images of this epoch, whose mean loss is `loss`.
    bool (*batch)(void *context, size_t epoch, size_t done, double loss);
    // After each epoch. The model may be read here, saved for example.
    bool (*epoch)(void *context, const mlp_epoch *epoch, const mlp_model *model);
    // Every few milliseconds: how many of its threads the training may use from now on. So several
    // trainings at once can share the CPUs. NULL: all.
    size_t (*threads)(void *context);
} mlp_observer;

typedef enum mlp_result {
    MLP_DONE,
    MLP_STOPPED,  // a callback said so
    MLP_DIVERGED, // a loss or a weight is no longer finite; the error says where
    MLP_FAILED
} mlp_result;

// Trains until the model has `epochs` epochs in all, continuing after those that it has, on the
// data that it was made for, or until the settings' patience is at an end. threads 0: one per CPU,
// at most MLP_DEFAULT_THREADS; a number above MLP_MAX_THREADS counts as that. observer NULL: nobody
// watches. However it ends, the model is that of the last complete epoch, or of the best until then
// if the settings say so; an epoch whose last batch's callback stops the training is complete and
// is reported. Fails when the data are not the model's, when it has more epochs already or is to
// have more than 1000000, when its schedule was begun for another number of them, and when it comes
// from an earlier version that computed otherwise (`recipe` in include/README.md).
mlp_result mlp_train(mlp_model *model, const mlp_data *data, size_t epochs, size_t threads,
                     const mlp_observer *observer, char error[MLP_ERROR_SIZE]);

// One random change of an image. Around its middle it is sheared (each row moves right by `shear`
// times its distance below the middle), scaled and rotated, and then shifted right and down.
typedef struct mlp_affine {
    double angle; // degrees, clockwise
    double factor, shear;
    double shift_x, shift_y; // pixels
} mlp_affine;

// The change that a training with these settings makes to an image of its data in an epoch, from 1.
// Of the settings only seed, rotate, scale, shift and shear are looked at.
mlp_affine mlp_affine_draw(const mlp_settings *settings, size_t epoch, size_t image);

// Writes an image of the data, changed, to pixels (rows, cols). Fails when there is no such image,
// or a side of it has more than 4096 pixels, or when a number of the map is beyond what settings
// allow: angle -180 to 180, factor 0.1 to 1.9, shear -1 to 1, shifts -4096 to 4096.
bool mlp_affine_apply(const mlp_affine *map, const mlp_data *data, size_t image,
                      unsigned char *pixels, char error[MLP_ERROR_SIZE]);

// ---------------------------------------------------------------------------------------------
// Evaluation

typedef enum mlp_split {
    MLP_ALL,       // all images of the data: what test files are for
    MLP_TRAIN,     // of training data: those that the model was trained on
    MLP_VALIDATION // of training data: those kept for validation
} mlp_split;

typedef struct mlp_evaluation {
    size_t first, n; // images first to first + n - 1 of the data were evaluated
    size_t correct;
    double accuracy, loss;              // loss: mean cross-entropy
    double accuracy_low, accuracy_high; // 95 % confidence interval of the accuracy (Wilson 1927)
    bool is_other_data; // of a split: the model, or one of several, was trained on other data
} mlp_evaluation;

// One element per image evaluated: element i is the answer to image `first` + i of the data, and n
// elements are written (see mlp_evaluation). Room for data->n is always enough. Each may be NULL.
typedef struct mlp_predictions {
    unsigned char *predicted; // (n) class
    float *probability;       // (n) of that class
    float *loss;              // (n) cross-entropy
} mlp_predictions;

// Evaluates the model on labelled data. `each`: the arrays for the answers, or NULL. threads as
// for mlp_train. Fails when the data do not fit the model, or have fewer images than the split
// needs.
bool mlp_evaluate(const mlp_model *model, const mlp_data *data, mlp_split split, size_t threads,
                  mlp_evaluation *result, const mlp_predictions *each, char error[MLP_ERROR_SIZE]);

// The same for an ensemble: `loss` is -log of the mean probability of the label. Fails too when the
// models cannot answer together, or when their splits are not the same images.
bool mlp_evaluate_ensemble(const mlp_ensemble *ensemble, const mlp_data *data, mlp_split split,
                           size_t threads, mlp_evaluation *result, const mlp_predictions *each,
                           char error[MLP_ERROR_SIZE]);

// Where two classifiers of the same n images differ.
typedef struct mlp_comparison {
    size_t n;
    size_t both_correct, only_first, only_second, both_wrong; // images; they add up to n
    double difference;    // accuracy of the first minus that of the second
    double difference_se; // its standard error; the answers are to the same images: paired
    // McNemar's test, exact and two-sided: how likely two models of equal accuracy are to differ
    // at least as much. min(1, 2 sum_{i <= min(a, b)} C(a + b, i) / 2^(a + b)), where a is
    // only_first and b is only_second.
    double p_value;
} mlp_comparison;

// Compares the predictions of two models, (n) each, n 1 or more, with the labels of those images.
// mlp_evaluate writes them; element 0 is then the label of image mlp_evaluation.first.
void mlp_compare(const unsigned char *labels, const unsigned char *first,
                 const unsigned char *second, size_t n, mlp_comparison *result);

// ---------------------------------------------------------------------------------------------
// Gradient check

#define MLP_CHECK_STEP           1e-5 // h in (f(v + h) - f(v - h)) / 2h, which the limits are for
#define MLP_CHECK_LIMIT          1e-6 // largest error in double precision
#define MLP_CHECK_TRAINING_LIMIT 1e-5 // largest error of the training code's float gradient

typedef struct mlp_entry {
    size_t row, col;
    double value;
} mlp_entry;

// One Jacobian of a layer against central differences of the layer's function.
typedef struct mlp_jacobian {
    char name[40];     // "da2/dvec(W2)"
    char identity[64]; // "I_10 (x) f1^T (5)"
    size_t rows, cols;
    size_t nonzero;           // entries that are not zero
    const mlp_entry *entries; // (nonzero) those, row by row
    size_t skipped;           // columns left out, at points without a derivative
    double error;
    bool ok;
} mlp_jacobian;

// The gradient of the loss by one tensor, from the chain of Jacobians.
typedef struct mlp_gradient {
    char name[40];            // "dL/dvec(W1)"
    size_t size;              // it is 1 x size
    size_t skipped;           // entries left out of the differences
    double largest;           // absolute value
    double error_differences; // against central differences of the loss
    double error_training;    // of the training code's gradient
    bool ok; // both errors are below their limits, and the gradient is not all zero
} mlp_gradient;

enum { MLP_MAX_JACOBIANS = 47, MLP_MAX_GRADIENTS = 22 };

typedef struct mlp_gradient_check {
    size_t label; // the class taken as true: the least likely one
    size_t n_jacobians, n_gradients;
    mlp_jacobian jacobians[MLP_MAX_JACOBIANS]; // from the loss back to the first layer
    mlp_gradient gradients[MLP_MAX_GRADIENTS];
    bool has_kinks; // some layer has points without a derivative
    bool ok;        // all of them
    void *memory;   // the library's own
} mlp_gradient_check;

// Checks every gradient of the model at one image of the data: the Jacobians, the chain rule and
// the training code. step: MLP_CHECK_STEP, or another positive finite number. Fails when it is not
// one, a Jacobian is too large to build, the data do not fit the model, or there is no such image.
mlp_gradient_check *mlp_check_gradients(const mlp_model *model, const mlp_data *data, size_t image,
                                        double step, char error[MLP_ERROR_SIZE]);

void mlp_gradient_check_close(mlp_gradient_check *check);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
