// The table of subcommands.
#include "commands.h"
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
    puts("Usage: mlp COMMAND [OPTION]... [MODEL] [FILE]...\n\n"
         "Trains and judges a small neural network on MNIST and data sets like it.\n\n"
         "Commands:");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-10s  %s\n", commands[i]->name, commands[i]->summary);
    puts("\nOptions:\n"
         "  -h, --help  print this help, or that of a command: mlp COMMAND --help\n"
         "  --version   print the version and the instruction set in use\n\n"
         "Examples:\n"
         "  mlp train\n"
         "  mlp eval model.bin\n\n"
         "Exit status: 0 done, 1 the work failed, 2 the command line was wrong,\n"
         "3 a requested accuracy was not reached, 128 + n stopped by signal n.");
}

static int unknown_command(const char *word)
{
    const char *names[N_COMMANDS + 3] = {"--help", "--version"};
    for (size_t i = 0; i < N_COMMANDS; i++)
        names[2 + i] = commands[i]->name;
    Error err;
    const char *nearest = word_nearest(word, names);
    const char *kind = word[0] == '-' ? "flag" : "command";
    if (nearest != NULL)
        error_set(&err, "unknown %s '%.40s'; did you mean 'mlp %s'?", kind, word, nearest);
    else
        error_set(&err, "unknown %s '%.40s'; 'mlp --help' lists what there is", kind, word);
    return command_wrong(&err);
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
    Error err;
    if (!command_environment(&err))
        return command_wrong(&err);
    if (argc < 2) {
        error_set(&err, "a command is missing; 'mlp --help' lists them");
        return command_wrong(&err);
    }
    const char *word = argv[1];
    bool is_help = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
    bool is_version = strcmp(word, "--version") == 0;
    if ((is_help || is_version) && argc > 2) {
        error_set(&err, "'%.40s' is one word too many behind %s", argv[2], word);
        return command_wrong(&err);
    }
    if (is_help) {
        print_help();
        return command_end(STATUS_DONE);
    }
    if (is_version) {
        printf("mlp %s (recipe %d, %s)\n", MLP_VERSION, MODEL_RECIPE, kernels->isa);
        return command_end(STATUS_DONE);
    }
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, word) == 0)
            return commands[i]->run(argc - 2, argv + 2);
    return unknown_command(word);
}
