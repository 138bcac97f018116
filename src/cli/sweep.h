// A sweep: a grid of settings, its trainings, and the table of their rows. Knows the order of the
// combinations, which numbers them for --list and --only. The grid is in sweep_grid.c, the table
// in sweep_table.c, the trainings in sweep_train.c, means over the seeds in sweep_summary.c; the
// command is cmd_sweep.c.
#ifndef MLP_SWEEP_H
#define MLP_SWEEP_H

#include "commands.h"
#include "dataset.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SWEEP_MAX_AXES = 32, SWEEP_MAX_VALUES = 64, SWEEP_MAX_TRAININGS = 1000000 };

// A setting that takes each of a list of values.
typedef struct Axis {
    const Setting *row;
    const char *list;       // the value of its option
    char text[NUMBER_SIZE]; // the default
    size_t n;
    char values[SWEEP_MAX_VALUES][NUMBER_SIZE]; // as setting_text writes them
} Axis;

typedef struct SweepOptions {
    mlp_settings settings; // of all trainings, but for the axes and the seed
    Axis axes[SWEEP_MAX_AXES];
    size_t n_axes;
    uint64_t seeds, threads;
    uint64_t only; // the one training to do, counted from 1; 0: all
    const char *data, *csv;
    bool augment, quiet, list, merge, summary, json;
} SweepOptions;

// The measured columns of a row, in their order.
enum { N_FIGURES = 6 };
extern const char *const sweep_figures[N_FIGURES]; // their names: "train_loss"
enum { VALIDATION_ACCURACY = 3, TEST_ACCURACY = 5 };

// What came of one training.
typedef struct Outcome {
    mlp_result result;
    double figures[N_FIGURES]; // with the digits that the table has
    size_t parameters;
    double seconds;
} Outcome;

typedef struct Combination {
    mlp_settings settings;
    double cost;     // how long it takes, compared with others
    bool is_done;    // the table had it, or it is not to be done
    bool is_trained; // in this run: the outcome can be written
    Outcome outcome; // of one that has a row or is_trained
    // Its row in a table that was read, without the newline; NULL: none had it.
    const char *row;
    size_t row_length;
    const char *row_path; // where that was
    size_t row_line;
} Combination;

typedef struct Sweep {
    Context *context;
    SweepOptions *options;
    const mlp_data *data, *test;
    Split split;       // of a training on all images
    Combination *list; // in the order of the rows
    size_t n, n_to_do, threads;
    double cost_to_do;
    double start;
    bool is_usage_error; // why it cannot begin: settings that do not go together, and such

    // The workers share what follows. It belongs to the one that has the mutex; atomics may be read
    // without.
    pthread_mutex_t mutex;
    size_t next;            // combination to begin
    size_t row;             // combination whose row comes next
    size_t n_done;          // rows that this run has written
    double cost_done;       // of trainings that have ended
    atomic_size_t n_ended;  // such trainings
    atomic_size_t n_wanted; // nothing after these combinations: the next one failed
    Error err;              // why
    Output csv;
} Sweep;

// ---------------------------------------------------------------------------------------------
// The grid

// Reads the lists of all axes, which together must not mean too many trainings. On failure err
// names the flag.
bool sweep_parse_axes(SweepOptions *o, Error *err);

// The number of a value in the axis; axis->n: it is not there.
size_t axis_find(const Axis *axis, const char *value);

// Lists the trainings for the opened data and looks whether these have images enough for each.
bool sweep_list_combinations(Sweep *sweep, Arena *arena, Error *err);

// Prints the command that trains combination i alone, as one line for a shell: all flags of this
// sweep, --only, and a table of its own beside that of the sweep.
void sweep_print_command(const Sweep *sweep, size_t i);

// Whether such lines can be printed: no word has a line end or another control character.
bool sweep_check_words(const Sweep *sweep, Error *err);

// ---------------------------------------------------------------------------------------------
// The table

// Whether the table has a column for the setting. One that is newer than format 1 has a column only
// where a training has another value than its absence means: older tables stay as they are.
bool sweep_has_column(const Sweep *sweep, const Setting *row);

// Reads the tables that the command line names, parts of this sweep. Fails on a row of other data
// or settings, and on two for the same combination that differ in more than `seconds`: err then
// names file and line.
bool sweep_read_parts(Sweep *sweep);

// Opens the table and keeps the rows of an older one, but for a last row that is cut short.
bool sweep_open_table(Sweep *sweep, Arena *arena, Error *err);

// Adds the rows that the parts have and the table does not, in the order of the combinations. When
// any is missing, adds none and prints the commands that would make those. Returns the exit status.
int sweep_merge(Sweep *sweep, Error *err);

// Adds the row of a combination that has been trained.
bool sweep_add_row(Sweep *sweep, const Combination *c, Error *err);

// ---------------------------------------------------------------------------------------------
// The trainings, and what came of them

// Trains all that are not done, several at once. Returns the exit status.
int sweep_train_all(Sweep *sweep, Error *err);

// Prints mean, standard deviation and 95 % confidence interval over the seeds of each combination
// of settings, as text or JSON. Fails when memory is short, before it prints anything.
bool sweep_print_summary(const Sweep *sweep, Arena *arena, Error *err);

#endif
