// The table of settings and what can be done with any of its rows. Knows the name, type, range and
// defaults of each setting; what a setting does is where it acts. Read settings.h first.
#include "settings.h"

#include "optimizer.h"
#include "schedule.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Parts of a row. The key is the name of the member.
#define SETTING(type_, member, flag_)                                                              \
    .key = #member, .type = (type_), .offset = offsetof(mlp_settings, member), .flag = (flag_)
#define RANGE(least, most)   .min = (least), .max = (most)
#define DEFAULTS(...)        .defaults = {__VA_ARGS__} // in the order of architecture_names
#define ABSENT(...)          .absent = {__VA_ARGS__}
#define HELP(word, sentence) .placeholder = (word), .help = (sentence)
#define SINCE(format)        .since = (format)

#define MAX_EXACT  9007199254740991.0 // 2^53 - 1: exact in a double and in any JSON reader
#define MAX_IMAGES 4294967295.0

static const char *const preset_names[] = {"none", "course", "accurate", "fast", "tiny", NULL};
static const char *const keep_names[] = {"last", "best", NULL};

const Setting settings_table[] = {
    {SETTING(SETTING_CHOICE, architecture, "arch"), .choices = architecture_names,
     HELP("NAME",
          "mlp (dense layers), cnn (two convolutions before them) or lenet5 (the same, with "
          "LeNet-5's sizes)"),
     .default_text = "mlp", SINCE(1), .flags = SETTING_COLUMN | SETTING_SHAPE},
    {SETTING(SETTING_CHOICE, preset, "preset"), .choices = preset_names, DEFAULTS("none"),
     HELP("NAME", "begin with the settings of a preset, listed below; other flags override it"),
     SINCE(2), ABSENT("none"), .flags = SETTING_COLUMN},
    {SETTING(SETTING_DOUBLE, learning_rate, "lr"), RANGE(1e-30, 1e38),
     DEFAULTS("0.001", "0.002", "0.002"),
     HELP("R", "learning rate for the sum of the batch's gradients; if yours is for the mean loss, "
               "divide it by the batch size, but not with adam"),
     SINCE(1), .flags = SETTING_AXIS},
    {SETTING(SETTING_UINT, batch_size, "batch"), RANGE(1, 65536), DEFAULTS("64"),
     HELP("N", "images in a batch"), SINCE(1), .flags = SETTING_AXIS},
    {SETTING(SETTING_LIST, hidden, "hidden"), RANGE(1, NETWORK_MAX_HIDDEN),
     DEFAULTS("64", "128", "120-84"),
     HELP("N,N,...", "units of the hidden dense layers, first to last, at most 8 of them"),
     SINCE(1), .flags = SETTING_AXIS | SETTING_SHAPE},
    {SETTING(SETTING_CHOICE, activation, "activation"), .choices = activation_names,
     DEFAULTS("sigmoid", "relu", "relu"),
     HELP("NAME", "activation of the hidden layers: sigmoid, tanh or relu"), SINCE(2),
     ABSENT("sigmoid", "relu", "relu"), .flags = SETTING_AXIS | SETTING_SHAPE},
    {SETTING(SETTING_LIST, channels, "channels"), RANGE(1, NETWORK_MAX_CHANNELS),
     DEFAULTS("", "16-32", "6-16"),
     HELP("N,N", "channels of the two convolutions of cnn and lenet5"), SINCE(2),
     ABSENT("", "16-32", "6-16"), .flags = SETTING_AXIS | SETTING_SHAPE},
    {SETTING(SETTING_CHOICE, optimizer, "optimizer"), .choices = optimizer_names, DEFAULTS("sgd"),
     HELP("NAME", "sgd (stochastic gradient descent) or adam"), SINCE(2), ABSENT("sgd"),
     .flags = SETTING_AXIS},
    {SETTING(SETTING_DOUBLE, momentum, "momentum"), RANGE(0, 0.9999), DEFAULTS("0"),
     HELP("R", "momentum of sgd (Nesterov): keep this fraction of the last step"), SINCE(2),
     ABSENT("0"), .flags = SETTING_AXIS},
    {SETTING(SETTING_DOUBLE, weight_decay, "weight-decay"), RANGE(0, 1), DEFAULTS("0"),
     HELP("R",
          "shrink the weights, but not the biases, by the learning rate of the mean loss times "
          "this in each batch"),
     SINCE(2), ABSENT("0"), .flags = SETTING_AXIS},
    {SETTING(SETTING_CHOICE, schedule, "schedule"), .choices = schedule_names, DEFAULTS("constant"),
     HELP("NAME", "learning rate over all --epochs: constant; cosine, falling to 0; or one-cycle, "
                  "rising for a quarter of them, then falling to 0"),
     SINCE(2), ABSENT("constant"), .flags = SETTING_AXIS},
    {SETTING(SETTING_DOUBLE, warmup, "warmup"), RANGE(0, 0.99), DEFAULTS("0"),
     HELP("F", "let the learning rate rise from 0 during this fraction of all batches"), SINCE(2),
     ABSENT("0"), .flags = SETTING_AXIS},
    {SETTING(SETTING_DOUBLE, ema, "ema"), RANGE(0, 0.999999), DEFAULTS("0"),
     HELP("D", "keep an exponential moving average of the weights with this decay, and use it in "
               "place of them"),
     SINCE(2), ABSENT("0"), .flags = SETTING_AXIS},
    {SETTING(SETTING_DOUBLE, rotate, "rotate"), RANGE(0, 180), DEFAULTS("0"),
     HELP("DEGREES", "rotate each training image by a random angle of at most this"), SINCE(2),
     ABSENT("0"), .flags = SETTING_AXIS},
    {SETTING(SETTING_DOUBLE, scale, "scale"), RANGE(0, 0.9), DEFAULTS("0"),
     HELP("F", "enlarge or shrink each training image by a random fraction of at most this"),
     SINCE(2), ABSENT("0"), .flags = SETTING_AXIS},
    {SETTING(SETTING_DOUBLE, shift, "shift"), RANGE(0, 4096), DEFAULTS("0"),
     HELP("PIXELS", "shift each training image by a random distance of at most this in each "
                    "direction"),
     SINCE(2), ABSENT("0"), .flags = SETTING_AXIS},
    {SETTING(SETTING_DOUBLE, shear, "shear"), RANGE(0, 1), DEFAULTS("0"),
     HELP("F", "slant each training image by a random fraction of at most this"), SINCE(2),
     ABSENT("0"), .flags = SETTING_AXIS},
    {SETTING(SETTING_UINT, patience, "patience"), RANGE(1, SETTING_MAX_EPOCHS), DEFAULTS("0"),
     HELP("N", "stop when the validation loss has not improved for N epochs"),
     .default_text = "never", SINCE(2), ABSENT("0"), .flags = SETTING_AXIS},
    {SETTING(SETTING_CHOICE, keep, "keep"), .choices = keep_names, DEFAULTS("last"),
     HELP("NAME", "the model is that of the last epoch, or of the best by validation loss"),
     SINCE(2), ABSENT("last"), .flags = SETTING_AXIS},
    {SETTING(SETTING_UINT, train_size, "train-size"), RANGE(1, MAX_IMAGES), DEFAULTS("0"),
     HELP("N", "train on the first N images only"), .default_text = "all but the validation images",
     SINCE(1), .flags = SETTING_AXIS},
    {SETTING(SETTING_UINT, validation_size, "val-size"), RANGE(1, MAX_IMAGES), DEFAULTS("0"),
     HELP("N", "keep the last N images for validation"),
     .default_text = "10000, or a sixth of a smaller file", SINCE(1)},
    {SETTING(SETTING_UINT, seed, "seed"), RANGE(0, MAX_EXACT), DEFAULTS("1"),
     HELP("N", "seed of the initial weights, the order of the images and their changes"), SINCE(1),
     .flags = SETTING_COLUMN},
    {SETTING(SETTING_UINT, epochs, "epochs"), RANGE(1, SETTING_MAX_EPOCHS),
     DEFAULTS("100", "20", "20"), HELP("N", "passes over the training images"), SINCE(1),
     .flags = SETTING_COLUMN | SETTING_RUN},
    {SETTING(SETTING_BOOL, transposed, "transpose"), DEFAULTS("false"),
     HELP(NULL, "the files store the images column by column, as EMNIST does"), SINCE(1),
     ABSENT("false")},
    {SETTING(SETTING_STRING, class_names, "classes"), DEFAULTS(""),
     HELP("NAMES", "names of the classes: a file of one per line, or characters and ranges such as "
                   "A-Z or 0-9A-F; the model keeps them"),
     .default_text = "their numbers", SINCE(1), ABSENT(""), .flags = SETTING_FILE},
    {0},
};

// The values of all but "course", which are the assignment's, were chosen on the validation images:
// data/report/SETTINGS.md. A macro is what several rows share.
#define MOVED                                                                                      \
    {"rotate", "10"}, {"scale", "0.1"},                                                            \
    {                                                                                              \
        "shift", "1.5"                                                                             \
    }
#define CONVOLUTIONAL                                                                              \
    {"learning_rate", "0.0008"}, {"momentum", "0.9"}, {"weight_decay", "0.003"},                   \
        {"schedule", "cosine"}, {"warmup", "0.05"}, {"ema", "0.999"}, MOVED

const PresetValue augmentation_values[] = {MOVED, {NULL, NULL}};
const Preset presets[] = {
    {"course", "mlp", {{"learning_rate", "0.0001"}, {"epochs", "100"}}},
    {"accurate",
     "mlp",
     {{"optimizer", "adam"},
      {"learning_rate", "0.0007"},
      {"weight_decay", "0.001"},
      {"schedule", "cosine"},
      {"rotate", "8"},
      {"scale", "0.08"},
      {"shift", "1"},
      {"epochs", "200"}}},
    {"accurate", "cnn", {{"hidden", "64"}, {"channels", "32-48"}, CONVOLUTIONAL, {"epochs", "25"}}},
    {"accurate", "lenet5", {CONVOLUTIONAL, {"epochs", "25"}}},
    {"fast",
     "cnn",
     {{"optimizer", "adam"},
      {"learning_rate", "0.006"},
      {"schedule", "one-cycle"},
      {"epochs", "2"}}},
    {"tiny", "cnn", {{"hidden", "32"}, {"channels", "8-16"}, CONVOLUTIONAL, {"epochs", "50"}}},
    {.name = NULL},
};

const Preset *preset_find(const char *name, const char *architecture, Error *err)
{
    char of[64] = ""; // the architectures that have one of that name
    for (const Preset *preset = presets; preset->name != NULL; preset++) {
        if (strcmp(preset->name, name) != 0)
            continue;
        if (architecture == NULL || strcmp(preset->architecture, architecture) == 0)
            return preset;
        size_t used = strlen(of);
        snprintf(of + used, sizeof of - used, "%s%s", used == 0 ? "" : ", ", preset->architecture);
    }
    if (of[0] == '\0')
        error_set(err, "there is no preset '%.40s'", name);
    else
        error_set(err, "the preset '%s' is for the architecture %s, not %s", name, of,
                  architecture);
    return NULL;
}

const char *preset_text(const PresetValue *values, const char *key)
{
    while (values->key != NULL && strcmp(values->key, key) != 0)
        values++;
    return values->text;
}

const Setting *setting_find(const Setting *table, const char *key)
{
    for (; table->key != NULL; table++)
        if (strcmp(table->key, key) == 0)
            return table;
    return NULL;
}

// The member that a row is of, to read and to write.
#define MEMBER(type, row, of) ((type *)(void *)((unsigned char *)(of) + (row)->offset))
#define VALUE(type, row, of)                                                                       \
    (*(const type *)(const void *)((const unsigned char *)(of) + (row)->offset))

// The sizes with '-' between them, "" for none. What is cut off follows one that is out of range.
static const char *list_text(char text[NUMBER_SIZE], const uint64_t *sizes)
{
    int n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < MLP_MAX_SIZES && sizes[i] != 0 && n < NUMBER_SIZE; i++)
        n += snprintf(text + n, NUMBER_SIZE - (size_t)n, "%s%" PRIu64, i == 0 ? "" : "-", sizes[i]);
    return text;
}

const char *setting_text(const Setting *row, const void *from, char number[NUMBER_SIZE])
{
    switch (row->type) {
    case SETTING_UINT: snprintf(number, NUMBER_SIZE, "%" PRIu64, VALUE(uint64_t, row, from)); break;
    case SETTING_CRC32:
        snprintf(number, NUMBER_SIZE, "%08" PRIx32, VALUE(uint32_t, row, from));
        break;
    case SETTING_LIST: return list_text(number, &VALUE(uint64_t, row, from));
    case SETTING_DOUBLE:
        return row->since > 1 ? format_plain(number, VALUE(double, row, from))
                              : format_shortest(number, VALUE(double, row, from));
    case SETTING_BOOL: return VALUE(bool, row, from) ? "true" : "false";
    case SETTING_CHOICE:
    case SETTING_STRING: return VALUE(char *, row, from) == NULL ? "" : VALUE(char *, row, from);
    }
    return number;
}

// The element of a row's list for that architecture: its own, else the first.
static const char *of_architecture(const char *const list[N_ARCHITECTURES],
                                   const char *architecture)
{
    size_t i = 0;
    while (architecture_names[i] != NULL && strcmp(architecture_names[i], architecture) != 0)
        i++;
    bool has_own = i < N_ARCHITECTURES && list[i] != NULL;
    return list[has_own ? i : 0];
}

const char *setting_default(const Setting *row, const char *architecture)
{
    return row->choices == architecture_names ? architecture
                                              : of_architecture(row->defaults, architecture);
}

const char *setting_absent(const Setting *row, const char *architecture)
{
    return of_architecture(row->absent, architecture);
}

bool setting_is_default(const Setting *row, const void *from, const char *architecture)
{
    char number[NUMBER_SIZE];
    return strcmp(setting_text(row, from, number), setting_default(row, architecture)) == 0;
}

bool setting_is_shown(const Setting *row, const void *from, const char *architecture)
{
    char number[NUMBER_SIZE];
    const char *absent = setting_absent(row, architecture);
    return absent == NULL || strcmp(setting_text(row, from, number), absent) != 0;
}

unsigned setting_since(const Setting *row, const void *from)
{
    enum { N_FIRST = 2 }; // names of architectures that format 1 has
    bool is_newer = row->type == SETTING_LIST && (&VALUE(uint64_t, row, from))[1] != 0;
    for (size_t i = N_FIRST; row->choices == architecture_names && i < N_ARCHITECTURES; i++)
        is_newer = is_newer || strcmp(VALUE(char *, row, from), architecture_names[i]) == 0;
    return is_newer && row->since < 2 ? 2 : row->since;
}

static bool parse_crc32(const char *text, uint32_t *value)
{
    if (strlen(text) != 8 || strspn(text, "0123456789abcdef") != 8)
        return false;
    *value = (uint32_t)strtoul(text, NULL, 16);
    return true;
}

// Sets a list from sizes with ',' or '-' between them. *number becomes one that is out of the
// row's range, if there is one.
static bool parse_list(const Setting *row, uint64_t *sizes, const char *text, double *number)
{
    memset(sizes, 0, MLP_MAX_SIZES * sizeof *sizes);
    for (size_t i = 0; i < MLP_MAX_SIZES && *text != '\0'; i++) {
        char word[NUMBER_SIZE];
        size_t length = strcspn(text, ",-");
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        if (length >= sizeof word || !parse_uint(word, &sizes[i]))
            return false;
        bool is_out = (double)sizes[i] < row->min || (double)sizes[i] > row->max;
        *number = i == 0 || is_out ? (double)sizes[i] : *number;
        if (text[length] == '\0' || is_out)
            return true;
        text += length + 1;
    }
    return false;
}

// Sets the member where the text is of the row's type; *number is what has a range.
static bool parse_type(const Setting *row, void *into, const char *text, double *number)
{
    uint64_t count;
    switch (row->type) {
    case SETTING_UINT:
        if (!parse_uint(text, &count))
            return false;
        *number = (double)count;
        *MEMBER(uint64_t, row, into) = count;
        return true;
    case SETTING_LIST: return parse_list(row, MEMBER(uint64_t, row, into), text, number);
    case SETTING_DOUBLE:
        if (!parse_double(text, number))
            return false;
        *MEMBER(double, row, into) = *number;
        return true;
    case SETTING_CRC32: return parse_crc32(text, MEMBER(uint32_t, row, into));
    case SETTING_BOOL:
        *MEMBER(bool, row, into) = strcmp(text, "true") == 0;
        return *MEMBER(bool, row, into) || strcmp(text, "false") == 0;
    case SETTING_CHOICE:
        for (const char *const *choice = row->choices; *choice != NULL; choice++)
            if (strcmp(*choice, text) == 0) {
                *MEMBER(const char *, row, into) = *choice;
                return true;
            }
        return false;
    case SETTING_STRING:
        *MEMBER(const char *, row, into) = *text == '\0' ? NULL : text;
        return *text != '\0';
    }
    return false;
}

bool setting_parse(const Setting *row, void *into, const char *text, Error *err)
{
    double number = row->min;
    if (parse_type(row, into, text, &number) && number >= row->min && number <= row->max)
        return true;
    if (row->type == SETTING_UINT || row->type == SETTING_DOUBLE)
        return error_range(err, text, row->type == SETTING_UINT, row->min, row->max);
    if (row->type == SETTING_LIST)
        return error_set(err, "'%.60s' is not a list of 1 to %d whole numbers from %.0f to %.0f",
                         text, MLP_MAX_SIZES, row->min, row->max);
    if (row->type != SETTING_CHOICE)
        return error_set(err, "'%.60s' is not valid", text);
    char list[256] = "";
    for (size_t i = 0; row->choices[i] != NULL; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", row->choices[i]);
    }
    return error_set(err, "'%.60s' is not one of %s", text, list);
}

void settings_default(mlp_settings *settings, const char *architecture)
{
    double number;
    *settings = (mlp_settings){.architecture = architecture};
    for (const Setting *row = settings_table; row->key != NULL; row++)
        (void)parse_type(row, settings, setting_default(row, architecture), &number);
}

void settings_absent(mlp_settings *settings, const char *architecture)
{
    double number;
    settings_default(settings, architecture);
    for (const Setting *row = settings_table; row->key != NULL; row++)
        if (setting_absent(row, architecture) != NULL)
            (void)parse_type(row, settings, setting_absent(row, architecture), &number);
}

void setting_copy(const Setting *row, void *into, const void *from)
{
    char text[NUMBER_SIZE];
    double number;
    (void)parse_type(row, into, setting_text(row, from, text), &number);
}

bool settings_check(const mlp_settings *settings, Error *err)
{
    mlp_settings ignored;
    char number[NUMBER_SIZE];
    Error reason;
    if (settings->architecture == NULL)
        return error_set(err, "architecture: is not set");
    for (const Setting *row = settings_table; row->key != NULL; row++)
        if (!setting_parse(row, &ignored, setting_text(row, settings, number), &reason) &&
            !setting_is_default(row, settings, settings->architecture))
            return error_set(err, "%s: %s", row->key, reason.text);
    if (settings->momentum > 0.0 && strcmp(settings->optimizer, "sgd") != 0)
        return error_set(err, "momentum (--momentum): must be 0 with the optimizer %s, not %s",
                         settings->optimizer, format_plain(number, settings->momentum));
    return architecture_check_sizes(settings, err);
}
