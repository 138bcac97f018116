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

static const Option table[] = {
    {"flag", 'f', OPTION_BOOL, &flag, NULL, "a flag", 0, 0, NULL, NULL},
    {"flags", 0, OPTION_BOOL, &other_flag, NULL, "another flag", 0, 0, NULL, NULL},
    {"count", 'c', OPTION_UINT, &count, "N", "a count", 1, 100, NULL, NULL},
    {"any-count", 0, OPTION_UINT, &any_count, "N", "any count", 0, 9007199254740991.0, "none",
     NULL},
    {"real", 'r', OPTION_DOUBLE, &real, "R", "a number", -1, 1, NULL, NULL},
    {"any-real", 0, OPTION_DOUBLE, &any_real, "R", "any number", -1e308, 1e308, "", NULL},
    {"text", 't', OPTION_STRING, &text, "FILE", "a text", 0, 0, NULL, NULL},
    {"choice", 0, OPTION_CHOICE, &choice, "COLOUR", "a choice", 0, 0, NULL, colours},
    {0},
};

static Arguments more;
static const Command commands[] = {
    {.name = "no-argument", .about = "A command."},
    {.name = "argument", .arguments = "MODEL", .about = "A command."},
    {.name = "maybe", .arguments = "[MODEL]", .about = "A command."},
    {.name = "more", .arguments = "MODEL", .more = &more, .about = "A command."},
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

enum { MOST_WORDS = 64 };

static void promise_values_in_range(const Command *command, const char *argument, int n)
{
    PROMISE(count >= 1 && count <= 100 && any_count <= 9007199254740991);
    PROMISE(real >= -1.0 && real <= 1.0 && isfinite(any_real));
    PROMISE(text[0] != '\0');
    bool known = false;
    for (size_t i = 0; colours[i] != NULL; i++)
        known = known || choice == colours[i];
    PROMISE(known);
    PROMISE(command->arguments != NULL || argument == NULL);
    PROMISE(command->arguments == NULL || command->arguments[0] == '[' || argument != NULL);
    PROMISE(command->more != NULL || more.list == NULL);
    PROMISE(more.n <= (size_t)n);
    for (size_t i = 0; i < more.n; i++)
        PROMISE(strlen(more.list[i]) < SIZE_MAX && more.list[i] != argument);
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
    more = (Arguments){NULL, 0};
    memcpy(argv, words, sizeof argv);
    const char *argument = NULL;
    Error err = {""};
    switch (options_parse(command, table, &argument, n, argv, &err)) {
    case PARSE_OK: promise_values_in_range(command, argument, n); break;
    case PARSE_WRONG: promise_reason(&err); break;
    case PARSE_HELP: {
        char *bytes = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&bytes, &length);
        PROMISE(out != NULL);
        options_print_help(out, command, table);
        PROMISE(fclose(out) == 0 && length > 0);
        free(bytes);
        break;
    }
    }
    while (n > 0)
        free(words[--n]);
    return 0;
}
