// The table of settings and what can be done with any of its rows. Knows the name, type, range and
// defaults of each setting; what a setting does is where it acts. Read settings.h first.
#include "settings.h"

#include "network.h"

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
#define ABSENT(text)         .absent = (text)
#define HELP(word, sentence) .placeholder = (word), .help = (sentence)
#define SINCE(format)        .since = (format)

#define MAX_EXACT  9007199254740991.0 // 2^53 - 1: exact in a double and in any JSON reader
#define MAX_IMAGES 4294967295.0

const Setting settings_table[] = {
    {SETTING(SETTING_CHOICE, architecture, "arch"), .choices = architecture_names,
     HELP("NAME", "mlp (a hidden layer of sigmoids) or cnn (two convolutions)"),
     .default_text = "mlp", SINCE(1), .flags = SETTING_COLUMN},
    {SETTING(SETTING_DOUBLE, learning_rate, "lr"), RANGE(1e-30, 1e38), DEFAULTS("0.001", "0.002"),
     HELP("R", "learning rate for the sum of the batch's gradients; if yours is for the mean loss, "
               "divide it by the batch size"),
     SINCE(1), .flags = SETTING_AXIS},
    {SETTING(SETTING_UINT, batch_size, "batch"), RANGE(1, 65536), DEFAULTS("64"),
     HELP("N", "images in a batch"), SINCE(1), .flags = SETTING_AXIS},
    {SETTING(SETTING_UINT, hidden, "hidden"), RANGE(1, NETWORK_MAX_HIDDEN), DEFAULTS("64", "128"),
     HELP("N", "units of the hidden dense layer"), SINCE(1), .flags = SETTING_AXIS},
    {SETTING(SETTING_UINT, train_size, "train-size"), RANGE(1, MAX_IMAGES), DEFAULTS("0"),
     HELP("N", "train on the first N images only"), .default_text = "all but the validation images",
     SINCE(1), .flags = SETTING_AXIS},
    {SETTING(SETTING_UINT, validation_size, "val-size"), RANGE(1, MAX_IMAGES), DEFAULTS("0"),
     HELP("N", "keep the last N images for validation"),
     .default_text = "10000, or a sixth of a smaller file", SINCE(1)},
    {SETTING(SETTING_UINT, seed, "seed"), RANGE(0, MAX_EXACT), DEFAULTS("1"),
     HELP("N", "seed of the initial weights and of the order of the images"), SINCE(1),
     .flags = SETTING_COLUMN},
    {SETTING(SETTING_UINT, epochs, "epochs"), RANGE(1, SETTING_MAX_EPOCHS), DEFAULTS("100", "20"),
     HELP("N", "passes over the training images"), SINCE(1), .flags = SETTING_COLUMN | SETTING_RUN},
    {SETTING(SETTING_BOOL, transposed, "transpose"), DEFAULTS("false"),
     HELP(NULL, "the files store the images column by column, as EMNIST does"), SINCE(1),
     ABSENT("false")},
    {SETTING(SETTING_STRING, class_names, "classes"), DEFAULTS(""),
     HELP("NAMES", "names of the classes: a file of one per line, or characters and ranges such as "
                   "A-Z or 0-9A-F; the model keeps them"),
     .default_text = "their numbers", SINCE(1), ABSENT(""), .flags = SETTING_FILE},
    {0},
};

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

const char *setting_text(const Setting *row, const void *from, char number[NUMBER_SIZE])
{
    switch (row->type) {
    case SETTING_UINT: snprintf(number, NUMBER_SIZE, "%" PRIu64, VALUE(uint64_t, row, from)); break;
    case SETTING_CRC32:
        snprintf(number, NUMBER_SIZE, "%08" PRIx32, VALUE(uint32_t, row, from));
        break;
    case SETTING_DOUBLE: return format_shortest(number, VALUE(double, row, from));
    case SETTING_BOOL: return VALUE(bool, row, from) ? "true" : "false";
    case SETTING_CHOICE:
    case SETTING_STRING: return VALUE(char *, row, from) == NULL ? "" : VALUE(char *, row, from);
    }
    return number;
}

static_assert(sizeof settings_table->defaults / sizeof(char *) == N_ARCHITECTURES,
              "`defaults` in settings.h: one per architecture");

const char *setting_default(const Setting *row, const char *architecture)
{
    if (row->choices == architecture_names)
        return architecture;
    size_t i = 0;
    while (architecture_names[i] != NULL && strcmp(architecture_names[i], architecture) != 0)
        i++;
    bool has_own = i < N_ARCHITECTURES && row->defaults[i] != NULL;
    return row->defaults[has_own ? i : 0];
}

bool setting_is_default(const Setting *row, const void *from, const char *architecture)
{
    char number[NUMBER_SIZE];
    return strcmp(setting_text(row, from, number), setting_default(row, architecture)) == 0;
}

bool setting_is_shown(const Setting *row, const mlp_settings *settings)
{
    char number[NUMBER_SIZE];
    return row->absent == NULL || strcmp(setting_text(row, settings, number), row->absent) != 0;
}

static bool parse_crc32(const char *text, uint32_t *value)
{
    if (strlen(text) != 8 || strspn(text, "0123456789abcdef") != 8)
        return false;
    *value = (uint32_t)strtoul(text, NULL, 16);
    return true;
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
        if (row->absent != NULL)
            (void)parse_type(row, settings, row->absent, &number);
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
    return true;
}
