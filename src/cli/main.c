// The table of subcommands, and the choice of one. What every run of a command shares is in
// commands.h, which is to be read next; a command is one file, cmd_NAME.c.
#include "commands.h"
#include "formats.h"
#include "kernels.h"

#include <fenv.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const Command *const commands[] = {
    &command_train,       &command_eval,   &command_predict, &command_gradcheck,
    &command_explain,     &command_info,   &command_weights, &command_features,
    &command_page,        &command_export, &command_augment, &command_import,
    &command_export_data, &command_sweep,  &command_verify,  &command_completion};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(void)
{
    puts("Usage: mlp COMMAND [OPTION]... [MODEL] [FILE]...\n"
         "       mlp help [COMMAND]\n\n"
         "Train and evaluate small neural networks on MNIST-like data.\n\n"
         "Commands:");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-11s  %s\n", commands[i]->name, commands[i]->summary);
    puts("\nOptions:\n"
         "  -h, --help     print this help, or that of a command: mlp COMMAND --help\n"
         "  -V, --version  print the version and the instruction set in use\n\n"
         "Examples:\n"
         "  mlp train\n"
         "  mlp eval model.bin\n\n"
         "Exit status: 0 success, 1 error, 2 usage error, 3 accuracy below --min-accuracy,\n"
         "128 + n ended by signal n.");
}

static const Command *command_by_name(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static bool is_help_word(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool is_version_word(const char *word)
{
    return strcmp(word, "version") == 0 || strcmp(word, "--version") == 0 ||
           strcmp(word, "-V") == 0;
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

static int run_words(int argc, char **argv, Context *context)
{
    char flag[] = "--help", *help[] = {flag, NULL};
    if (!command_environment(context))
        return STATUS_USAGE;
    if (argc < 2) {
        error_set(&context->err, "a command is missing; 'mlp --help' lists them");
        return STATUS_USAGE;
    }
    bool is_help = is_help_word(argv[1]), is_version = is_version_word(argv[1]);
    if ((is_help && argc > 3) || (is_version && argc > 2)) {
        error_set(&context->err, "unexpected argument '%.40s'; 'mlp --help' shows what is expected",
                  argv[argc - 1]);
        return STATUS_USAGE;
    }
    if (is_version) {
        printf("mlp %s (recipe %d, %s)\n", mlp_version(), MODEL_RECIPE, kernels->isa);
        return STATUS_DONE;
    }
    const char *name = is_help && argc == 3 ? argv[2] : argv[1];
    if (is_help_word(name)) {
        print_help();
        return STATUS_DONE;
    }
    const Command *command = command_by_name(name);
    if (command == NULL)
        return unknown_command(name, is_help ? "help " : "", &context->err);
    return is_help ? command_run(context, command, 1, help)
                   : command_run(context, command, argc - 2, argv + 2);
}

// If a standard stream is closed, the next file that is opened would take its place. Puts the
// reading end of a pipe there: nothing can be read, and a report that goes nowhere is still an
// error. (/dev/null is not everywhere: not in an empty root.)
static void open_standard_streams(void)
{
    int ends[2] = {0, 0};
    while (ends[0] <= STDERR_FILENO && pipe(ends) == 0)
        close(ends[1]);
    if (ends[0] > STDERR_FILENO)
        close(ends[0]);
}

int main(int argc, char **argv)
{
    open_standard_streams();
    // A program linked with -Ofast or -ffast-math starts with subnormal numbers flushed to zero.
    fesetenv(FE_DFL_ENV);
    // A file that grows beyond its limit makes a write fail, which is reported like any other
    // error.
    (void)signal(SIGXFSZ, SIG_IGN);
    Context context = {.program = argv[0], .commands = commands, .n_commands = N_COMMANDS};
    return command_finish(&context, run_words(argc, argv, &context));
}
