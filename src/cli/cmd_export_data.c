// mlp export-data: the images of IDX files as a table (csv.h) or as pictures in directories of
// classes (class_write.h), both as mlp import reads them (cmd_import.c).
#include "class_write.h"
#include "commands.h"
#include "signals.h"

#include <string.h>

typedef struct ExportOptions {
    const char *data, *part, *csv, *pictures;
    bool transpose, quiet;
} ExportOptions;

static const char *const parts[] = {"train", "test", NULL};

static void export_options(OptionTable *table, void *values)
{
    ExportOptions *o = values;
    o->part = parts[0];
    const Option rows[] = {
        OPT_TABLE("csv", &o->csv,
                  "write one row per image here (- is standard output): label,pixel0,pixel1,..."),
        OPT_STRING("pictures", &o->pictures, "DIR",
                   "make this directory, with one of PGM files for each class", .default_text = ""),
        OPT_CHOICE("file", &o->part, parts, "the file with the images: train or test"),
        OPT_DATA(&o->data),
        OPT_BOOL("transpose", &o->transpose, COMMAND_TRANSPOSE_HELP),
        OPT_QUIET(&o->quiet),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

static void print_csv(CsvWriter *csv, const void *context)
{
    const mlp_data *data = context;
    size_t size = dataset_pixels_per_image(data);
    csv_names(csv, "label");
    csv_numbered_names(csv, "pixel", size);
    csv_end_row(csv);
    for (size_t i = 0; i < data->n && signals_noted() == 0 && ferror(csv->out) == 0; i++) {
        csv_bytes(csv, data->labels + i, 1);
        csv_bytes(csv, data->pixels + i * size, size);
        csv_end_row(csv);
    }
}

static bool is_stopped(void)
{
    return signals_noted() != 0;
}

// The names that are beside the data, when directories can have them; NULL: none. Fails when they
// do not fit the data.
static bool find_names(const char **names, Context *c, const mlp_data *data, mlp_part part)
{
    if (!class_names_beside(names, data, part, &c->arena, &c->err))
        return false;
    if (!class_write_can_use(*names, data->n_classes)) {
        command_note("%s: the name of a class cannot be that of a directory; numbers are written",
                     data->name);
        *names = NULL;
    }
    return true;
}

static int write_pictures(Context *c, const mlp_data *data, mlp_part part)
{
    const ExportOptions *o = c->values;
    const char *names;
    if (!find_names(&names, c, data, part))
        return STATUS_FAILED;
    signals_watch();
    if (class_write(data, names, o->pictures, is_stopped, &c->err))
        return STATUS_DONE;
    int number = signals_noted();
    if (number == 0)
        return STATUS_FAILED;
    fprintf(stderr, "mlp: %s: %s\n", signals_name(number), c->err.text);
    return 128 + number;
}

static int run(Context *c)
{
    const ExportOptions *o = c->values;
    mlp_part part = o->part == parts[0] ? MLP_TRAIN_FILES : MLP_TEST_FILES;
    if (o->csv == NULL && o->pictures == NULL) {
        error_set(&c->err, "'mlp export-data' needs --csv FILE or --pictures DIR");
        return STATUS_USAGE;
    }
    int status = command_begin(c);
    if (status != STATUS_DONE)
        return status;
    if (o->pictures != NULL && !class_write_check(o->pictures, &c->err))
        return STATUS_FAILED;
    const mlp_data *data = command_open_data(c, part, o->data, o->transpose);
    if (data == NULL)
        return STATUS_FAILED;
    if (o->pictures != NULL)
        status = write_pictures(c, data, part);
    if (status == STATUS_DONE)
        status = command_write_tables(c, &(Table){o->csv, print_csv, data}, 1);
    if (status == STATUS_DONE && !o->quiet)
        fprintf(stderr, "%zu images of %zu x %zu pixels from %s\n", data->n, data->rows, data->cols,
                command_shown(data->name).text);
    return status;
}

const Command command_export_data = {
    .name = "export-data",
    .summary = "write a data set as a table or as pictures",
    .about = "Writes the images of IDX files as CSV in the form of Kaggle's train.csv, or as PGM "
             "files DIR/CLASS/NUMBER.pgm. 'mlp import' makes the same IDX files of them again: of "
             "pictures with '--no-shuffle --raw-size 28x28', and with --classes FILE where the "
             "names in classes.txt are not in the order of their bytes.",
    .examples = {"mlp export-data --csv train.csv",
                 "mlp export-data --file test --pictures digits"},
    .values_size = sizeof(ExportOptions),
    .options = export_options,
    .run = run,
};
