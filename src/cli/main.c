// The table of subcommands.
#include "commands.h"
#include "formats.h"
#include "kernels.h"

#include <fcntl.h>
#include <fenv.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const Command *const commands[] = {&command_train,     &command_eval, &command_predict,
                                          &command_gradcheck, &command_info, &command_weights,
                                          &command_features,  &command_sweep};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(void)
{
    puts("Usage: mlp COMMAND [OPTION]... [MODEL] [FILE]...\n"
         "       mlp help [COMMAND]\n\n"
         "Train and evaluate small neural networks on MNIST-like data.\n\n"
         "Commands:");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-10s  %s\n", commands[i]->name, commands[i]->summary);
    puts("\nOptions:\n"
         "  -h, --help     print this help, or that of a command: mlp COMMAND --help\n"
         "  -V, --version  print the version and the instruction set in use\n\n"
         "Examples:\n"
         "  mlp train\n"
         "  mlp eval model.bin\n\n"
         "Exit status: 0 success, 1 error, 2 usage error, 3 accuracy below --min-accuracy,\n"
         "128 + n killed by signal n.");
}

static const Command *command_by_name(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static bool is_word(const char *word, const char *name, const char *flag, const char *letter)
{
    return strcmp(word, name) == 0 || strcmp(word, flag) == 0 || strcmp(word, letter) == 0;
}

// Says which command is meant when a file is in its place.
static bool is_file(const char *word, Error *err)
{
    const Format *format = format_of_file(word);
    if (format_is_picture(format))
        error_set(err, "'%s' is %s; a command and a model come first: mlp predict MODEL %s", word,
                  format->name, word);
    else if (format != NULL && format->kind == FORMAT_MODEL)
        error_set(err, "'%s' is a model; a command comes first: mlp eval %s", word, word);
    else
        return false;
    return true;
}

// `before` is "help " when the word follows it.
static int unknown_command(const char *word, const char *before, Error *err)
{
    const char *names[N_COMMANDS + 3] = {"help", "version"};
    for (size_t i = 0; i < N_COMMANDS; i++)
        names[2 + i] = commands[i]->name;
    const char *nearest = word_nearest(word, names);
    bool is_flag = word[0] == '-';
    const char *kind = is_flag ? "flag" : "command";
    const char *dashes = is_flag && nearest != NULL && command_by_name(nearest) == NULL ? "--" : "";
    if (is_file(word, err))
        return STATUS_USAGE;
    if (nearest != NULL)
        error_set(err, "unknown %s '%.40s'; did you mean 'mlp %s%s%s'?", kind, word,
                  is_flag ? "" : before, dashes, nearest);
    else
        error_set(err, "unknown %s '%.40s'%s; 'mlp --help' lists the commands", kind, word,
                  is_flag ? " before a command" : "");
    return STATUS_USAGE;
}

// mlp help [COMMAND]; words[0] is "help".
static int help(int n, char **words, Context *context)
{
    char flag[] = "--help", *arguments[] = {flag, NULL};
    if (n > 2) {
        error_set(&context->err, "unexpected argument '%.40s' after %s %.40s", words[2], words[0],
                  words[1]);
        return STATUS_USAGE;
    }
    if (n == 2 && !is_word(words[1], "help", "--help", "-h")) {
        const Command *command = command_by_name(words[1]);
        return command != NULL ? command_run(context, command, 1, arguments)
                               : unknown_command(words[1], "help ", &context->err);
    }
    print_help();
    return STATUS_DONE;
}

static int version(int n, char **words, Error *err)
{
    if (n > 1) {
        error_set(err, "unexpected argument '%.40s' after %s", words[1], words[0]);
        return STATUS_USAGE;
    }
    printf("mlp %s (recipe %d, %s)\n", MLP_VERSION, MODEL_RECIPE, kernels->isa);
    return STATUS_DONE;
}

static int run_words(int argc, char **argv, Context *context)
{
    if (!command_environment(context))
        return STATUS_USAGE;
    if (argc < 2) {
        error_set(&context->err, "a command is missing; 'mlp --help' lists them");
        return STATUS_USAGE;
    }
    const char *word = argv[1];
    if (is_word(word, "help", "--help", "-h"))
        return help(argc - 1, argv + 1, context);
    if (is_word(word, "version", "--version", "-V"))
        return version(argc - 1, argv + 1, &context->err);
    const Command *command = command_by_name(word);
    return command != NULL ? command_run(context, command, argc - 2, argv + 2)
                           : unknown_command(word, "", &context->err);
}

// A file that is opened must not become standard output or error because one of them was closed.
// What takes their place cannot be written, so that a report that goes nowhere is an error.
static void open_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    open_standard_streams();
    // A program linked with -Ofast or -ffast-math starts with numbers below 2^-126 taken for 0.
    fesetenv(FE_DFL_ENV);
    // A file that grows beyond its limit is an error of that write, told like any other.
    (void)signal(SIGXFSZ, SIG_IGN);
    Context context = {0};
    return command_finish(&context, run_words(argc, argv, &context));
}
