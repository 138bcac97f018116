// Command lines: one table a command gives parsing, range checks and --help, whose defaults are
// the values themselves. Knows nothing of what the options do.
//
// Grammar: --flag value, --flag=value, -f value; "--" ends the flags; no abbreviations; of two the
// last wins. A value that begins with '-' and is no number must be written --flag=-value.
#ifndef MLP_OPTIONS_H
#define MLP_OPTIONS_H

#include "base.h"

#include <stdio.h>

typedef enum OptionKind {
    OPTION_BOOL,   // bool, no value
    OPTION_UINT,   // uint64_t, a whole number from min to max
    OPTION_DOUBLE, // double, from min to max
    OPTION_STRING, // const char *
    OPTION_CHOICE  // const char *, one of choices
} OptionKind;

typedef struct Option {
    const char *name; // without the dashes; a NULL name ends the table
    char letter;      // 0: none
    OptionKind kind;
    void *value; // holds the default, which --help shows, until the command line changes it
    const char *placeholder; // "FILE"
    const char *help;
    double min, max;
    const char *default_text;   // shown instead of the value; "" for none
    const char *const *choices; // ends with NULL
} Option;

// Arguments of a command line, in their order.
typedef struct Arguments {
    char **list;
    size_t n;
} Arguments;

typedef struct Command {
    const char *name;      // "train"
    const char *arguments; // "MODEL"; "[MODEL]" when it may be missing; NULL: none
    Arguments *more;       // takes the words after the first; NULL: there may be none
    const char *summary;   // one line for `mlp --help`
    const char *about;     // paragraphs for `mlp COMMAND --help`
    const char *examples[2];
    int (*run)(int argc, char **argv); // returns the exit status
} Command;

// What main should do after parsing.
typedef enum ParseResult { PARSE_OK, PARSE_HELP, PARSE_WRONG } ParseResult;

// Parses argv[0 .. argc-1], the words after the command's name, into the options' values and, when
// the command takes one, *argument (NULL when missing); further ones, where the command takes them,
// into *command->more, which then lies in argv. --help and -h are understood everywhere.
// On PARSE_WRONG err names the flag or word and the reason.
ParseResult options_parse(const Command *command, const Option *options, const char **argument,
                          int argc, char **argv, Error *err);

// Prints the command's help.
void options_print_help(FILE *out, const Command *command, const Option *options);

// Returns the one of the words (ending with NULL) that is near enough to be meant, or that other
// programs call `word`; NULL when there is none. Dashes in front and capitals do not count, and '_'
// is '-'.
const char *word_nearest(const char *word, const char *const *words);

#endif
