// The subcommands and what they share: exit statuses, the directory of the data, how an error is
// told. Commands are the only room that prints.
#ifndef MLP_COMMANDS_H
#define MLP_COMMANDS_H

#include "idx.h"
#include "model.h"
#include "options.h"
#include "output.h"
#include "threads.h"
#include "train.h"

enum ExitStatus {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,      // a file, the data, the training
    STATUS_USAGE = 2,       // the command line
    STATUS_NOT_REACHED = 3, // a requested accuracy
};

extern const Command command_train, command_eval, command_gradcheck, command_info, command_weights,
    command_sweep, command_predict, command_features;

// Parses; when the command is over with that (help was asked for, the line was wrong), says what
// there is to say and returns false with the exit status in *status.
bool command_begin(const Command *command, const Option *options, const char **argument, int argc,
                   char **argv, int *status);

// The option --arch, the same in every command that makes networks. Each architecture has defaults
// of its own, which must be known before the other options are parsed, and --help shows.
#define COMMAND_ARCH_HELP "mlp (a hidden layer of sigmoids) or cnn (two convolutions)"

// The value that the command line gives *architecture, one of the options. What it gives the others
// too is for command_begin to parse again.
const char *command_architecture(const Command *command, const Option *options,
                                 const char *const *architecture, int argc, char **argv);

// Prints "mlp: reason" on stderr and returns the status.
int command_fail(const Error *err);  // STATUS_FAILED, or quietly that of a reader that went away
int command_wrong(const Error *err); // STATUS_USAGE

// A file's name as it is shown to a person: what could move a terminal's cursor is a '?'.
typedef struct ShownName {
    char text[1024];
} ShownName;
ShownName command_shown(const char *name);

// The columns that a table needs for the names of n classes and its title "class".
int command_class_width(const char *class_names, size_t n);

// Prints the name of class k, right-aligned, and no more of it than fits.
void command_print_class(const char *class_names, size_t k, int width);

// Flushes stdout. Returns `status`, or says that the report could not be written and returns
// STATUS_FAILED; where nobody reads it any more, that is the status of a broken pipe.
int command_end(int status);

// The directory of the installed MNIST (installed.c).
extern const char installed_data[];

// Where the data are: `chosen` when given, else $MLP_DATA, else data/mnist, else the installed
// copy.
const char *command_data_directory(const char *chosen);

// A flag that names an output, or an input that no output may replace.
typedef struct OutputFlag {
    const char *flag, *path; // "--csv"; NULL: not asked for
    OutputKind kind;         // a model replaces a regular file; a table may also go to a stream
    bool is_input;           // listed before the outputs
} OutputFlag;

// Looks at all outputs of a command before it works for them. No two may be the same file. None may
// be a file of the data (as command_data_directory finds them), no table the model that is read
// (NULL: none). At most one may be standard output, and then it is all that goes there: with
// `json`, the report in JSON, that is a usage error; any other report goes to standard error from
// then on. Each must be possible to write. When something is wrong, says so and returns false with
// the exit status in *status.
bool command_check_outputs(const OutputFlag *outputs, size_t n, const char *model, const char *data,
                           bool json, int *status);

// Opens a table that command_check_outputs has seen. From then on signals are noted.
bool command_open_table(Output *out, const char *path, Arena *arena, Error *err);

// Writes a table to a file, which it replaces when it is complete, or to a stream.
bool command_write_table(const char *path, void (*print)(FILE *out, const void *context),
                         const void *context, Arena *arena, Error *err);

// A table to write: its path (NULL: it was not asked for), and what prints it.
typedef struct Table {
    const char *path;
    void (*print)(FILE *out, const void *context);
    const void *context;
} Table;

// Writes several tables, the files before the streams, whose readers may go away: one that cannot
// be written costs none of the others. Says what fails, and returns the status of the first
// failure.
int command_write_tables(const Table *tables, size_t n, Arena *arena);

// Prints "mlp: note: ..." on stderr, one line whatever the arguments hold.
void command_note(const char *format, ...) MLP_PRINTF(1, 2);

// Commits, and prints the output's note.
bool command_commit(Output *out, Error *err);

// Looks at what the environment asks for, before anything else is done: $MLP_ISA, the instruction
// set to compute with (the fastest that the CPU has), and $MLP_CPUS, the CPUs to make threads for
// (those that this process may use). Fails when one of them cannot be had.
bool command_environment(Error *err);

// The option --threads, the same in every command that has it; 0 is the default.
enum { COMMAND_MAX_THREADS = 1024 };
#define COMMAND_THREADS_HELP                                                                       \
    "threads, no more than the CPUs that this process may use; the result does not depend on them"

// Opens the pool for it: as many threads as wanted, by default 8 at most, and never more than
// there are CPUs. Close it.
ThreadPool *command_pool(uint64_t wanted, Arena *arena, Error *err);

// The options --data and --transpose, the same in every command that reads data; with a model,
// which remembers how its data were stored, --no-transpose too.
#define COMMAND_DATA_HELP                                                                          \
    "directory of the IDX files, or DIR/SET for the files in DIR that begin with SET"
#define COMMAND_TRANSPOSE_HELP       "the files hold the images column by column, as those of EMNIST do"
#define COMMAND_MODEL_TRANSPOSE_HELP COMMAND_TRANSPOSE_HELP "; a model trained with it remembers it"
#define COMMAND_NO_TRANSPOSE_HELP                                                                  \
    "the files hold the images row by row, though those that the model was trained on did not"

typedef struct TransposeFlags {
    bool yes, no;
} TransposeFlags;

#define COMMAND_TRANSPOSE_OPTIONS(flags)                                                           \
    {"transpose", 0, OPTION_BOOL, &(flags).yes, NULL, COMMAND_MODEL_TRANSPOSE_HELP,                \
     0,           0, NULL,        NULL},                                                           \
    {                                                                                              \
        "no-transpose", 0, OPTION_BOOL, &(flags).no, NULL, COMMAND_NO_TRANSPOSE_HELP, 0, 0, NULL,  \
            NULL                                                                                   \
    }

// False when both were given: says so, with the exit status in *status.
bool command_check_transpose(const TransposeFlags *flags, int *status);

// Whether the data are stored column by column: as the flags say, else as those of the model were.
bool command_transposed(const TransposeFlags *flags, bool model_transposed);

// Reads one part of the data in that directory, transposed where they are stored so.
bool command_read_data(Dataset *data, Arena *arena, const char *chosen, IdxPart part,
                       bool transposed, Error *err);

// Splits training data that were read from that directory (0: the default sizes) and measures their
// input scale.
bool command_train_data(TrainData *training, const Dataset *data, size_t train_size,
                        size_t validation_size, const char *chosen, Error *err);

// Says in err, naming both, when the model was made for images of another size or does not know a
// label of these. The data may lack classes that the model knows.
bool command_model_fits(const Model *model, const char *path, const Dataset *data,
                        const char *directory, Error *err);

// The images of the training file that the model was trained on, and validated with. Fails when
// the file has too few.
bool command_model_split(Split *split, const Model *model, const char *path, const Dataset *data,
                         const char *directory, Error *err);

#endif
