// Command lines: the input's lines are the words after the command's name. The first byte chooses
// whether the command takes an argument.
#include "fuzz.h"
#include "options.h"

#include <math.h>

static bool flag, other_flag;
static uint64_t count, any_count;
static double real, any_real;
static const char *text, *choice;
static const char *const colours[] = {"red", "green", "blue", NULL};

static void fill_table(OptionTable *table)
{
    const Option rows[] = {
        OPT_BOOL("flag", &flag, "a flag", .letter = 'f'),
        OPT_BOOL("flags", &other_flag, "another flag", .excludes = "flag"),
        OPT_UINT("count", &count, 1, 100, "N", "a count", .letter = 'c'),
        OPT_UINT("any-count", &any_count, 0, 9007199254740991, "N", "any count",
                 .default_text = "none"),
        OPT_DOUBLE("real", &real, -1, 1, "R", "a number", .letter = 'r'),
        OPT_DOUBLE("any-real", &any_real, -1e308, 1e308, "R", "any number", .default_text = ""),
        OPT_STRING("text", &text, "FILE", "a text", .letter = 't'),
        OPT_CHOICE("choice", &choice, colours, "a choice"),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

static const Command commands[] = {
    {.name = "no-argument", .about = "A command."},
    {.name = "argument", .arguments = "MODEL", .about = "A command."},
    {.name = "maybe", .arguments = "[MODEL]", .about = "A command."},
    {.name = "more", .arguments = "MODEL FILE...", .about = "A command."},
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

enum { MOST_WORDS = 64 };

static void promise_values_in_range(const Command *command, const Arguments *words, int n)
{
    PROMISE(count >= 1 && count <= 100 && any_count <= 9007199254740991);
    PROMISE(real >= -1.0 && real <= 1.0 && isfinite(any_real));
    PROMISE(text[0] != '\0');
    bool known = false;
    for (size_t i = 0; colours[i] != NULL; i++)
        known = known || choice == colours[i];
    PROMISE(known);
    PROMISE(!flag || !other_flag);
    PROMISE(command->arguments != NULL || words->model == NULL);
    PROMISE(command->arguments == NULL || command->arguments[0] == '[' || words->model != NULL);
    PROMISE(command == &commands[3] || words->n_files == 0);
    PROMISE(words->n_files <= (size_t)n);
    for (size_t i = 0; i < words->n_files; i++)
        PROMISE(strlen(words->files[i]) < SIZE_MAX && words->files[i] != words->model);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size == 0)
        return 0;
    const Command *command = &commands[data[0] % N_COMMANDS];
    data++;
    size--;

    // The parser may put words in another order; what is to be freed is kept apart.
    char *words[MOST_WORDS + 1] = {NULL}, *argv[MOST_WORDS + 1];
    int n = 0;
    for (size_t begin = 0; begin < size && n < MOST_WORDS;) {
        const unsigned char *line = memchr(data + begin, '\n', size - begin);
        size_t end = line != NULL ? (size_t)(line - data) : size;
        words[n] = malloc(end - begin + 1);
        PROMISE(words[n] != NULL);
        memcpy(words[n], data + begin, end - begin);
        words[n++][end - begin] = '\0';
        begin = end + 1;
    }

    flag = other_flag = false;
    count = 7;
    any_count = 0;
    real = any_real = 0.5;
    text = "default";
    choice = colours[0];
    memcpy(argv, words, sizeof argv);
    static OptionTable table;
    Arguments arguments;
    table.n = 0;
    fill_table(&table);
    Error err = {""};
    switch (options_parse(command, &table, NULL, &arguments, n, argv, &err)) {
    case PARSE_OK: promise_values_in_range(command, &arguments, n); break;
    case PARSE_WRONG: promise_reason(&err); break;
    case PARSE_HELP: {
        char *bytes = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&bytes, &length);
        PROMISE(out != NULL);
        options_print_help(out, command, &table);
        PROMISE(fclose(out) == 0 && length > 0);
        free(bytes);
        break;
    }
    }
    while (n > 0)
        free(words[--n]);
    return 0;
}
