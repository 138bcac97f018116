// The table of settings and what can be done with any of its rows. Knows the name, type, range and
// defaults of each setting; what a setting does is where it acts. Read settings.h first.
#include "settings.h"

#include "network.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(mlp_settings, member)
#define MAX_EXACT  9007199254740991.0 // 2^53 - 1: exact in a double and in any JSON reader
#define MAX_IMAGES 4294967295.0

const Setting settings_table[] = {
    {.key = "architecture",
     .type = SETTING_CHOICE,
     .offset = AT(architecture),
     .flags = SETTING_COLUMN,
     .since = 1,
     .defaults = {"mlp", "cnn"},
     .flag = "arch",
     .placeholder = "NAME",
     .help = "mlp (a hidden layer of sigmoids) or cnn (two convolutions)",
     .default_text = "mlp",
     .choices = architecture_names},
    {.key = "learning_rate",
     .type = SETTING_DOUBLE,
     .offset = AT(learning_rate),
     .min = 1e-30,
     .max = 1e38,
     .flags = SETTING_AXIS,
     .since = 1,
     .defaults = {"0.001", "0.002"},
     .flag = "lr",
     .placeholder = "R",
     .help =
         "learning rate for the sum of the batch's gradients: each update subtracts R times "
         "that sum. If you have a learning rate for the mean loss, divide it by the batch size"},
    {.key = "batch_size",
     .type = SETTING_UINT,
     .offset = AT(batch_size),
     .min = 1,
     .max = 65536,
     .flags = SETTING_AXIS,
     .since = 1,
     .defaults = {"64"},
     .flag = "batch",
     .placeholder = "N",
     .help = "images in a batch"},
    {.key = "hidden",
     .type = SETTING_UINT,
     .offset = AT(hidden),
     .min = 1,
     .max = 65536,
     .flags = SETTING_AXIS,
     .since = 1,
     .defaults = {"64", "128"},
     .flag = "hidden",
     .placeholder = "N",
     .help = "units of the hidden dense layer"},
    {.key = "train_size",
     .type = SETTING_UINT,
     .offset = AT(train_size),
     .min = 1,
     .max = MAX_IMAGES,
     .flags = SETTING_AXIS,
     .since = 1,
     .defaults = {"0"},
     .flag = "train-size",
     .placeholder = "N",
     .help = "train on the first N images only",
     .default_text = "all but the validation images"},
    {.key = "validation_size",
     .type = SETTING_UINT,
     .offset = AT(validation_size),
     .min = 1,
     .max = MAX_IMAGES,
     .since = 1,
     .defaults = {"0"},
     .flag = "val-size",
     .placeholder = "N",
     .help = "keep the last N images for validation",
     .default_text = "10000, or a sixth of a smaller file"},
    {.key = "seed",
     .type = SETTING_UINT,
     .offset = AT(seed),
     .max = MAX_EXACT,
     .flags = SETTING_COLUMN,
     .since = 1,
     .defaults = {"1"},
     .flag = "seed",
     .placeholder = "N",
     .help = "of the initial weights and of the order of the images"},
    {.key = "epochs",
     .type = SETTING_UINT,
     .offset = AT(epochs),
     .min = 1,
     .max = 1000000,
     .flags = SETTING_COLUMN | SETTING_RUN,
     .since = 1,
     .defaults = {"100", "20"},
     .flag = "epochs",
     .placeholder = "N",
     .help = "passes over the training images"},
    {.key = "transposed",
     .type = SETTING_BOOL,
     .offset = AT(transposed),
     .flags = SETTING_OPTIONAL,
     .since = 1,
     .defaults = {"false"},
     .flag = "transpose",
     .help = "the files hold the images column by column, as those of EMNIST do"},
    {.key = "class_names",
     .type = SETTING_STRING,
     .offset = AT(class_names),
     .flags = SETTING_OPTIONAL,
     .since = 1,
     .defaults = {""},
     .flag = "classes",
     .placeholder = "NAMES",
     .help = "names of the classes: a file of one per line, or characters and ranges such as A-Z "
             "or 0-9A-F; the model keeps them",
     .default_text = "their numbers"},
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
    const char *string = "";
    switch (row->type) {
    case SETTING_UINT: snprintf(number, NUMBER_SIZE, "%" PRIu64, VALUE(uint64_t, row, from)); break;
    case SETTING_CRC32:
        snprintf(number, NUMBER_SIZE, "%08" PRIx32, VALUE(uint32_t, row, from));
        break;
    case SETTING_DOUBLE: return format_shortest(number, VALUE(double, row, from));
    case SETTING_BOOL: return VALUE(bool, row, from) ? "true" : "false";
    case SETTING_CHOICE:
    case SETTING_STRING: string = VALUE(char *, row, from); return string == NULL ? "" : string;
    }
    return number;
}

static const char *default_of(const Setting *row, const char *architecture)
{
    size_t i = 0;
    while (architecture_names[i] != NULL && strcmp(architecture_names[i], architecture) != 0)
        i++;
    bool has_own = i < sizeof row->defaults / sizeof row->defaults[0] && row->defaults[i] != NULL;
    return row->defaults[has_own ? i : 0];
}

bool setting_is_default(const Setting *row, const void *from, const char *architecture)
{
    char number[NUMBER_SIZE];
    return strcmp(setting_text(row, from, number), default_of(row, architecture)) == 0;
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
        return true;
    }
    return false;
}

bool setting_parse(const Setting *row, void *into, const char *text, Error *err)
{
    char least[NUMBER_SIZE], most[NUMBER_SIZE];
    double number = row->min;
    if (parse_type(row, into, text, &number) && number >= row->min && number <= row->max)
        return true;
    if (row->type == SETTING_UINT || row->type == SETTING_DOUBLE)
        return error_set(err, "'%.60s' is not a %snumber from %s to %s", text,
                         row->type == SETTING_UINT ? "whole " : "",
                         format_shortest(least, row->min), format_shortest(most, row->max));
    return error_set(err, "'%.60s' is not valid", text);
}

void settings_default(mlp_settings *settings, const char *architecture)
{
    double number;
    *settings = (mlp_settings){.architecture = architecture};
    for (const Setting *row = settings_table; row->key != NULL; row++)
        (void)parse_type(row, settings, default_of(row, architecture), &number);
}

bool settings_check(const mlp_settings *settings, Error *err)
{
    mlp_settings ignored;
    char number[NUMBER_SIZE];
    Error reason;
    for (const Setting *row = settings_table; row->key != NULL; row++)
        if (!setting_parse(row, &ignored, setting_text(row, settings, number), &reason) &&
            !setting_is_default(row, settings, settings->architecture))
            return error_set(err, "%s: %s", row->key, reason.text);
    return true;
}
