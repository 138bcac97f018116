// Command lines: a command fills a table of options, and that table gives parsing, range checks and
// --help. Knows nothing of what the options do: commands.h has the rows that commands share, and
// cmd_eval.c is a command to read next.
//
// Grammar: --flag value, --flag=value, -f value; "--" ends the flags; no abbreviations; if a flag
// is repeated, the last one counts. A value that begins with '-' and is not a number must be
// written --flag=-value.
#ifndef MLP_OPTIONS_H
#define MLP_OPTIONS_H

#include "settings.h"

#include <stdio.h>

// What a file that an option names is for, so that no output replaces what it must not.
typedef enum OptionRole {
    ROLE_NONE,
    ROLE_READS,
    ROLE_READS_DATA,  // the directory of the data
    ROLE_READS_MODEL, // a model, which a model may replace
    ROLE_WRITES_DIRECTORY,
    ROLE_WRITES_MODEL,
    ROLE_WRITES_TABLE // may also go to a stream: "-" is standard output
} OptionRole;

typedef struct Option {
    const char *name; // without the dashes
    SettingType type; // how its value is read and checked
    void *value;      // contains the default, which --help shows, until the command line changes it
    double min, max;
    const char *const *choices; // ends with NULL
    const char *placeholder;    // "FILE"
    const char *help;
    char letter;              // 0: none
    const char *default_text; // --help shows it instead of the value; "" for none
    OptionRole role;
    const char *excludes; // the name of an option that cannot be given, too; NULL: none
    bool given;           // set by the parser
} Option;

// Rows of a table. The help text may be followed by more members:
//     OPT_STRING("output", &o->output, "FILE", "model file to write", .letter = 'o')
#define OPT_BOOL(n, v, ...)                                                                        \
    OPTION(.name = n, .type = SETTING_BOOL, .value = OPTION_VALUE(bool, v), .help = __VA_ARGS__)
#define OPT_UINT(n, v, least, most, word, ...)                                                     \
    OPTION(.name = n, .type = SETTING_UINT, .value = OPTION_VALUE(uint64_t, v), .min = least,      \
           .max = most, .placeholder = word, .help = __VA_ARGS__)
#define OPT_DOUBLE(n, v, least, most, word, ...)                                                   \
    OPTION(.name = n, .type = SETTING_DOUBLE, .value = OPTION_VALUE(double, v), .min = least,      \
           .max = most, .placeholder = word, .help = __VA_ARGS__)
#define OPT_STRING(n, v, word, ...)                                                                \
    OPTION(.name = n, .type = SETTING_STRING, .value = OPTION_VALUE(const char *, v),              \
           .placeholder = word, .help = __VA_ARGS__)
#define OPT_TABLE(n, v, ...)                                                                       \
    OPTION(.name = n, .type = SETTING_STRING, .value = OPTION_VALUE(const char *, v),              \
           .placeholder = "FILE", .role = ROLE_WRITES_TABLE, .help = __VA_ARGS__)
#define OPT_CHOICE(n, v, list, ...)                                                                \
    OPTION(.name = n, .type = SETTING_CHOICE, .value = OPTION_VALUE(const char *, v),              \
           .choices = list, .placeholder = "NAME", .help = __VA_ARGS__)
#define OPTION(...)           ((Option){__VA_ARGS__})
#define OPTION_VALUE(type, v) (1 ? (v) : (type *)NULL) // a value of another type does not compile

enum { OPTIONS_MAX = 64 };

typedef struct OptionTable {
    Option rows[OPTIONS_MAX];
    size_t n;
} OptionTable;

// Adds n rows.
void options_add(OptionTable *table, const Option *rows, size_t n);

// Whether the command line gave the option with that name.
bool options_name_given(const OptionTable *table, const char *name);

// Whether the command line gave the option with that value.
bool options_given(const OptionTable *table, const void *value);

// From now on it counts as given: something else than a default has set its value.
void options_set_given(OptionTable *table, const void *value);

// The words of a command line that are not flags.
typedef struct Arguments {
    const char *model; // the first, of any kind; NULL: missing
    char **files;      // the others, in argv
    size_t n_files;
    size_t n_models; // so many of all, from the first on, name models that answer together
} Arguments;

// The value that an option has, as text; `number` is for one that is not a string.
const char *options_text(const Option *option, char number[NUMBER_SIZE]);

struct Context;

typedef struct Command {
    const char *name; // "train"
    // "MODEL"; "MODEL|DIR"; "this|that": one of these words; "[MODEL]": may be missing; "MODEL
    // [FILE]"; "[FILE] MODEL"; "MODEL..."; "MODEL... FILE...", where the command finds out how many
    // are models;
    // "[TABLE]...": no models; NULL: none.
    const char *arguments;
    const char *summary; // one line for `mlp --help`
    const char *about;   // paragraphs for `mlp COMMAND --help`
    const char *examples[2];
    size_t values_size; // of the struct that the options are parsed into
    // Sets the defaults in the values, which are all zero, and adds the rows that point to them.
    void (*options)(OptionTable *table, void *values);
    // Sets the defaults that depend on other options, of those that are not given; NULL: none do.
    // Fails when the options given do not go together.
    bool (*defaults)(const OptionTable *table, void *values, Error *err);
    void (*print_more)(FILE *out); // of --help, after the options; NULL: no more
    // Does the work. Returns the exit status and, when that is an error, the reason in the context.
    int (*run)(struct Context *context);
} Command;

typedef enum ParseResult { PARSE_OK, PARSE_HELP, PARSE_WRONG } ParseResult;

// Parses argv[0 .. argc-1], the words after the command's name, into the table's values and *words.
// --help and -h are understood everywhere. On PARSE_WRONG err names the flag or word and the
// reason. In all cases the command's defaults are complete.
ParseResult options_parse(const Command *command, OptionTable *table, void *values,
                          Arguments *words, int argc, char **argv, Error *err);

// Prints the command's help.
void options_print_help(FILE *out, const Command *command, const OptionTable *table);

// Returns the one of the words (ending with NULL) that is near enough to be meant, or that other
// programs call `word`; NULL when there is none. Dashes in front and capitals do not count, and '_'
// is '-'.
const char *word_nearest(const char *word, const char *const *words);

// Edit distance of two words: insert, delete or replace a letter, swap two neighbours.
size_t word_distance(const char *a, const char *b);

#endif
