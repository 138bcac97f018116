// mlp export: a model as a file that other programs read. The formats are in io/export_*.c.
#include "commands.h"
#include "export.h"

#include <string.h>

// The table: a name, which is also the ending of its files.
#define FORMATS(ROW) ROW(onnx) ROW(npz) ROW(c)
#define FORMAT(name) {#name, "model." #name, export_##name},
#define NAME(name)   #name,
typedef struct ExportFormat {
    const char *name, *output;
    ExportFunction *write;
} ExportFormat;
static const ExportFormat formats[] = {FORMATS(FORMAT)};
static const char *const format_names[] = {FORMATS(NAME) NULL};
enum { N_FORMATS = sizeof formats / sizeof formats[0] };

typedef struct ExportCommandOptions {
    const char *name, *output;
    const ExportFormat *format; // of that name, or of the output's ending
    ExportOptions with;
} ExportCommandOptions;

static const char *const type_names[] = {"float32", "int8", NULL};

static void export_options(OptionTable *table, void *values)
{
    ExportCommandOptions *o = values;
    o->with = (ExportOptions){.name = "model", .type = "float32"};
    const Option rows[] = {
        OPT_CHOICE("format", &o->name, format_names, "the format: onnx, npz or c",
                   .default_text = "the ending of --output, else onnx"),
        OPT_TABLE("output", &o->output, "write the file here (- is standard output)", .letter = 'o',
                  .default_text = "model.onnx, or the ending of the format"),
        OPT_CHOICE("type", &o->with.type, type_names,
                   "c: the type of the weights, float32 or int8, which is a quarter of the size"),
        OPT_STRING("name", &o->with.name, "NAME",
                   "c: what the names of functions and arrays begin with"),
        OPT_BOOL("prepare", &o->with.prepare,
                 "c: add a function that crops, fits and centres clean pictures"),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

// NULL: none has that name.
static const ExportFormat *format_find(const char *name)
{
    for (const ExportFormat *f = formats; f < formats + N_FORMATS; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

static bool export_defaults(const OptionTable *table, void *values, Error *err)
{
    static const char *const only_c[] = {"type", "name", "prepare", NULL};
    ExportCommandOptions *o = values;
    const char *point = o->output == NULL ? NULL : strrchr(o->output, '.');
    o->format = format_find(o->name != NULL     ? o->name
                            : o->output == NULL ? "onnx"
                            : point == NULL     ? ""
                                                : point + 1);
    if (o->format == NULL)
        return error_set(err, "--output %s: the ending is not that of a format; add --format",
                         o->output);
    for (const char *const *option = only_c; *option != NULL; option++)
        if (o->format->write != export_c && options_name_given(table, *option))
            return error_set(err, "--%s is for --format c, not %s", *option, o->format->name);
    if (o->output == NULL)
        o->output = o->format->output;
    return export_c_check_name(o->with.name, err);
}

static void print_export(CsvWriter *csv, const void *context)
{
    const Context *c = context;
    const ExportCommandOptions *o = c->values;
    o->format->write(c->model, &o->with, csv->out);
}

static int run(Context *c)
{
    ExportCommandOptions *o = c->values;
    int status = command_begin(c);
    if (status != STATUS_DONE)
        return status;
    o->with.scale = arena_alloc(&c->arena, NETWORK_MAX_HIDDEN, sizeof(float), "scales", &c->err);
    if (o->with.scale == NULL || !export_c_check_sums(c->model, &o->with, &c->err))
        return STATUS_FAILED;
    return command_write_tables(c, &(Table){o->output, print_export, c}, 1);
}

const Command command_export = {
    .name = "export",
    .arguments = "MODEL",
    .summary = "write a model as C, or for ONNX Runtime or NumPy",
    .about = "Writes a model as a file that other programs read; the same model gives the same "
             "bytes everywhere. onnx: for ONNX Runtime and others; raw pixels in (uint8, images x "
             "1 x rows x columns), probabilities and logits out. npz: the weights as arrays, for "
             "NumPy. c: one C99 file that needs no library, for microcontrollers too; its first "
             "comment says how to use it.",
    .examples = {"mlp export model.bin -o model.npz",
                 "mlp export model.bin --format c --type int8 --name digit -o digit.c"},
    .values_size = sizeof(ExportCommandOptions),
    .options = export_options,
    .defaults = export_defaults,
    .run = run,
};
