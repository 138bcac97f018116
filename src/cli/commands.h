// What the subcommands share: how one is run, exit statuses, errors and notes, output files,
// threads, and where the data are. Only this directory prints. Read options.h before it, and
// cmd_eval.c as an example of a command.
#ifndef MLP_COMMANDS_H
#define MLP_COMMANDS_H

#include "csv.h"
#include "json.h"
#include "model.h"
#include "options.h"
#include "output.h"

enum ExitStatus {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,      // a file, the data, the training
    STATUS_USAGE = 2,       // the command line
    STATUS_NOT_REACHED = 3, // a requested accuracy
};

// What main gives a command, and takes back from it.
typedef struct Context {
    const char *program;            // as it was called; NULL: not known
    const Command *const *commands; // (n_commands) all that there are
    size_t n_commands;
    OptionTable options;
    void *values; // the command's struct of options
    Arguments words;
    Arena arena;
    Error err;   // main prints it when the status is that of an error; "": it has been printed
    size_t cpus; // to make threads for
    const char *stdout_table; // the table that has standard output to itself; NULL: none
    int stdout_of_table;      // a copy of the descriptor, while the report goes to standard error
    mlp_model *model;         // NULL until they are opened; command_finish closes them
    mlp_model **more_models;  // (words.n_models - 1) those that the command line names after it
    mlp_ensemble ensemble;    // all of these
    mlp_model *other_model;   // the one of --compare or --from; NULL: none
    mlp_data *data[2];        // by mlp_part
} Context;

extern const Command command_train, command_eval, command_gradcheck, command_info, command_weights,
    command_sweep, command_predict, command_features, command_augment, command_explain,
    command_page, command_export, command_import, command_export_data, command_verify,
    command_completion;

// Parses the words after the command's name and runs it, or prints its help. Returns the exit
// status; when that is an error, context->err says why, unless it has been printed.
int command_run(Context *context, const Command *command, int argc, char **argv);

// Ends a run: prints the error, flushes stdout, frees the arena. Returns the exit status, which a
// failure to write stdout changes.
int command_finish(Context *context, int status);

// Prints "mlp: reason" on stderr and returns the status. When a reader went away, prints nothing
// and returns the status of SIGPIPE.
int command_fail(const Error *err, int status);

// A file's name without control characters, as an error's text has it; to be printed on a terminal.
typedef Error ShownName;
ShownName command_shown(const char *name);

// Prints a word as a shell reads it, quoted where it must be. Control characters become '?'.
void command_print_word(FILE *out, const char *word);
// The columns that a text takes: its UTF-8 characters.
int command_text_width(const char *text);

// The columns that a table needs for the names of a model's classes and its title "class".
int command_class_width(const mlp_model *model);

// Prints the name of class k, right-aligned, and no more of it than fits.
void command_print_class(const mlp_model *model, size_t k, int width);

// The directory of the installed MNIST (installed.c).
extern const char installed_data[];

// Checks all outputs of a command, which the roles of its options name, before any work is done. No
// two may be the same file, or a file that an option reads; none may be a file of the data, and no
// table a model that is read. Each must be possible to write. One table may be standard output
// and then has it to itself: with --json that is a usage error, and any other report goes to
// standard error from then on. Then opens the models that the command line names, if it names any;
// several must be able to answer together. Returns STATUS_DONE, or the status of what is wrong.
int command_begin(Context *context);

// Opens a table that command_begin has checked. From then on signals are noted.
bool command_open_table(Context *context, Output *out, const char *path);

// A table to write: its path (NULL: it was not asked for), and what prints it.
typedef struct Table {
    const char *path;
    void (*print)(CsvWriter *csv, const void *context);
    const void *context;
} Table;

// Writes several tables, the files before the streams, whose readers may go away. A table replaces
// its file when it is complete, and not after a signal. If one fails, prints why and writes the
// others; returns the status of the first failure.
int command_write_tables(Context *context, const Table *tables, size_t n);

// Prints "mlp: note: ..." on stderr, one line whatever the arguments hold.
void command_note(const char *format, ...) MLP_PRINTF(1, 2);

// Commits, and prints the output's note.
bool command_commit(Output *out, Error *err);

// Reads the environment, before anything else is done: $MLP_ISA, the instruction set (default: the
// fastest that the CPU has), and $MLP_CPUS, the number of CPUs (default: those that this process
// may use). Fails when the value is not possible.
bool command_environment(Context *context);

// ---------------------------------------------------------------------------------------------
// Options that commands share

#define OPT_THREADS(v)                                                                             \
    OPT_UINT("threads", v, 1, MLP_MAX_THREADS, "N",                                                \
             "number of threads, at most the CPUs that this process may use; fewer train while "   \
             "other programs use the CPUs; does not affect the results",                           \
             .default_text = "one per CPU, at most 8")

#define OPT_DATA(v)                                                                                \
    OPT_STRING("data", v, "DIR",                                                                   \
               "directory of the IDX files, or DIR/SET for the files in DIR that begin with SET",  \
               .letter = 'd', .role = ROLE_READS_DATA,                                             \
               .default_text = "$MLP_DATA, else data/mnist, else the installed copy")

#define OPT_QUIET(v) OPT_BOOL("quiet", v, "show no progress", .letter = 'q')
#define OPT_NO_CONVERT(v)                                                                          \
    OPT_BOOL("no-convert", v,                                                                      \
             "refuse pictures that ImageMagick or netpbm must convert; run neither")
#define OPT_NO_SANDBOX(v)                                                                          \
    OPT_BOOL("no-sandbox", v,                                                                      \
             "do not restrict which files this process can open")
#define OPT_JSON(v) OPT_BOOL("json", v, "print JSON to standard output")

// How the images are stored. A model remembers how its data were, so that a command which reads a
// model has both flags.
#define OPT_MODEL_TRANSPOSE(v)                                                                     \
    OPT_BOOL("transpose", &(v)->yes,                                                               \
             COMMAND_TRANSPOSE_HELP "; a model trained with this flag remembers it"),              \
        OPT_BOOL("no-transpose", &(v)->no,                                                         \
                 "the files store the images row by row, although the model was trained with "     \
                 "--transpose",                                                                    \
                 .excludes = "transpose")
#define COMMAND_TRANSPOSE_HELP "the files store the images column by column, as EMNIST does"

typedef struct TransposeFlags {
    bool yes, no;
} TransposeFlags;

// ---------------------------------------------------------------------------------------------
// Options that are settings: rows of settings.h

// Adds the option of the setting with that key.
void command_add_setting(OptionTable *table, const char *key, mlp_settings *settings);

// Whether the command line gave it.
bool command_setting_given(const OptionTable *table, const Setting *row,
                           const mlp_settings *settings);

// Sets those that were not given to those of the preset, if one is, else to the defaults of the
// architecture, for a command whose values begin with mlp_settings. A preset without --arch is that
// of its own architecture. Fails when there is none of that name for the architecture.
bool command_fill_settings(const OptionTable *table, void *values, Error *err);

// The same, and fails when the settings do not go together.
bool command_default_settings(const OptionTable *table, void *values, Error *err);

// Prints a setting under its key.
void command_print_setting(JsonWriter *json, const Setting *row, const mlp_settings *settings);

// Prints the presets and their flags, for --help.
void command_print_presets(FILE *out);

#define OPT_AUGMENT(v)                                                                             \
    OPT_BOOL("augment", v,                                                                         \
             "change the training images at random, each differently in each epoch: short for "    \
             "--rotate 10 --scale 0.1 --shift 1.5, where these are not given")

// ---------------------------------------------------------------------------------------------
// Threads and data

// Where the data are: `chosen`, or where it is NULL $MLP_DATA, else data/mnist, else the installed
// copy.
const char *command_data_directory(const char *chosen);

// Opens one part of the data as context->data[part] and returns it; NULL when that fails.
const mlp_data *command_open_data(Context *context, mlp_part part, const char *chosen,
                                  bool transposed);

// How many threads to use: as many as wanted (0: the default of --threads), at most one per CPU.
size_t command_threads(const Context *context, uint64_t wanted);

// Whether the data are stored column by column: as the flags say, else as those of the model, if
// there is one, were.
bool command_transposed(const Context *context, const TransposeFlags *flags);

// Whether that is known: the data of all models were stored in the same way, or a flag says it.
bool command_check_transposed(const mlp_ensemble *ensemble, const TransposeFlags *flags,
                              Error *err);

// ---------------------------------------------------------------------------------------------
// Several models

// The path of model m on the command line.
const char *command_model_path(const Context *context, size_t m);

// All of them for a report, "a.bin + b.bin". Owned by the arena; NULL when memory is short.
const char *command_models_shown(Context *context);

// Prints "model" with the path of the one model, or "models" with the list.
void command_print_models(JsonWriter *json, const Context *context);

#endif
