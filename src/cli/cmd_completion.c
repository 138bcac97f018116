// mlp completion: a script that completes command lines, for each shell that can. What can follow
// is printed from the list of commands and their tables of options, as calls of two functions with
// quoted words, which the three shells read alike:
//
//   _mlp_command NAME KIND SUMMARY [WORD]...
//   _mlp_option COMMAND KIND NAME LETTER HELP [WORD]...
//
// KIND is what the arguments of a command, or the value of an option, are; WORD what they may be.
// What the functions do is the shell's own part, a text below.
#include "commands.h"

#include <ctype.h>
#include <string.h>

static const char bash_head[] =
    "# Completes command lines of mlp in bash; printed by: mlp completion bash\n"
    "_mlp_command() {\n"
    "    if ((COMP_CWORD == 1)); then\n"
    "        kind=choice words+=\" $1\"\n"
    "    elif [[ ${COMP_WORDS[1]} == \"$1\" ]]; then\n"
    "        kind=$2 words=${*:4}\n"
    "    fi\n"
    "}\n"
    "_mlp_option() {\n"
    "    [[ ${COMP_WORDS[1]} == \"$1\" ]] && ((COMP_CWORD > 1)) || return\n"
    "    flags+=\" --$3${4:+ -$4}\"\n"
    "    if [[ $2 != flag && ($previous == \"--$3\" || $previous == \"-${4:--$3}\") ]]; then\n"
    "        value=$2 values=${*:6}\n"
    "    fi\n"
    "}\n"
    "_mlp() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local kind=none words='--help --version' flags='' value='' values=''\n"
    "    COMPREPLY=()\n"
    "    if [[ $word == = ]]; then # bash takes --flag=value apart\n"
    "        word=\n"
    "    elif [[ $previous == = ]]; then\n"
    "        previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    _mlp_table\n"
    "    if ((COMP_CWORD > 2)) && [[ \" ${COMP_WORDS[*]:2:COMP_CWORD-2} \" == *' -- '* ]]; then\n"
    "        : # no flag follows --\n"
    "    elif [[ -n $value ]]; then\n"
    "        kind=$value words=$values\n"
    "    elif [[ -n $flags && ($word == -* || $kind == none) ]]; then\n"
    "        kind=choice words=$flags\n"
    "    fi\n"
    "    case $kind in\n"
    "    choice) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\") ;;\n"
    "    file) compopt -o default ;;\n"
    "    directory) compopt -o dirnames ;;\n"
    "    esac\n"
    "}\n"
    "_mlp_table() {\n";
static const char bash_tail[] = "}\n"
                                "complete -F _mlp mlp\n";

static const char zsh_head[] =
    "#compdef mlp\n"
    "# Completes command lines of mlp in zsh; printed by: mlp completion zsh\n"
    "_mlp_action() {\n"
    "    case $1 in\n"
    "    choice) reply=\"($2)\" ;;\n"
    "    file) reply=_files ;;\n"
    "    directory) reply='_files -/' ;;\n"
    "    *) reply=' ' ;;\n"
    "    esac\n"
    "}\n"
    "_mlp_command() {\n"
    "    local reply\n"
    "    names+=(\"$1:$3\")\n"
    "    if [[ $name == $1 && $2 != none ]]; then\n"
    "        _mlp_action $2 \"${*:4}\"\n"
    "        specs+=(\"*:argument:$reply\")\n"
    "    fi\n"
    "}\n"
    "_mlp_option() {\n"
    "    [[ $name == $1 ]] || return\n"
    "    local reply help=\"[${${5//\\[/\\\\[}//\\]/\\\\]}]\" value= equals=\n"
    "    if [[ $2 != flag ]]; then\n"
    "        _mlp_action $2 \"${*:6}\"\n"
    "        value=\":$3:$reply\" equals==\n"
    "    fi\n"
    "    specs+=(\"--$3$equals$help$value\")\n"
    "    [[ -z $4 ]] || specs+=(\"-$4$help$value\")\n"
    "}\n"
    "_mlp() {\n"
    "    local name=$words[2]\n"
    "    local -a names specs\n"
    "    _mlp_table\n"
    "    if ((CURRENT == 2)); then\n"
    "        _describe command names\n"
    "    else\n"
    "        shift words\n"
    "        ((CURRENT--))\n"
    "        _arguments -S : $specs\n"
    "    fi\n"
    "}\n"
    "_mlp_table() {\n";
static const char zsh_tail[] = "}\n"
                               "if [[ $funcstack[1] == _mlp ]]; then\n"
                               "    _mlp\n"
                               "else\n"
                               "    compdef _mlp mlp\n"
                               "fi\n";

static const char fish_head[] =
    "# Completes command lines of mlp in fish; printed by: mlp completion fish\n"
    "function _mlp_is --argument-names name\n"
    "    set -l words (commandline -opc)\n"
    "    test (count $words) -gt 1; and test $words[2] = $name\n"
    "end\n"
    "function _mlp_values --argument-names kind words\n"
    "    switch $kind\n"
    "        case choice\n"
    "            printf '%s\\n' -f -a $words\n"
    "        case file\n"
    "            echo -F\n"
    "        case directory\n"
    "            printf '%s\\n' -f -a '(__fish_complete_directories)'\n"
    "        case '*'\n"
    "            echo -f\n"
    "    end\n"
    "end\n"
    "function _mlp_command --argument-names name kind summary\n"
    "    complete -c mlp -n 'test (count (commandline -opc)) -eq 1' -a $name -d $summary\n"
    "    complete -c mlp -n \"_mlp_is $name\" (_mlp_values $kind \"$argv[4..-1]\")\n"
    "end\n"
    "function _mlp_option --argument-names command kind name letter help\n"
    "    set -l row -c mlp -n \"_mlp_is $command\" -l $name -d $help\n"
    "    test -z \"$letter\"; or set -a row -s $letter\n"
    "    test $kind = flag; or set -a row -r (_mlp_values $kind \"$argv[6..-1]\")\n"
    "    complete $row\n"
    "end\n"
    "complete -c mlp -f\n";

typedef struct Shell {
    const char *name, *head, *tail;
} Shell;
static const Shell shells[] = {
    {"bash", bash_head, bash_tail}, {"zsh", zsh_head, zsh_tail}, {"fish", fish_head, ""}};
enum { N_SHELLS = sizeof shells / sizeof shells[0] };

static const char *kind_of(const Option *option)
{
    bool is_directory = option->placeholder != NULL && strcmp(option->placeholder, "DIR") == 0;
    return option->type == SETTING_BOOL ? "flag"
           : option->choices != NULL    ? "choice"
           : is_directory               ? "directory"
           : option->role != ROLE_NONE  ? "file"
                                        : "value";
}

static void print_option(const Command *command, const Option *option)
{
    const char letter[2] = {option->letter};
    printf("_mlp_option %s %s %s ", command->name, kind_of(option), option->name);
    command_print_word(stdout, letter);
    putchar(' ');
    command_print_word(stdout, option->help);
    for (const char *const *word = option->choices; word != NULL && *word != NULL; word++)
        printf(" %s", *word);
    putchar('\n');
}

// Words that may follow are in small letters, with '|' between them; all others are names of files.
static void print_command(const Command *command)
{
    const char *arguments = command->arguments;
    bool is_choice = arguments != NULL && islower((unsigned char)arguments[0]);
    printf("_mlp_command %s %s ", command->name,
           arguments == NULL ? "none"
           : is_choice       ? "choice"
                             : "file");
    command_print_word(stdout, command->summary);
    for (const char *word = is_choice ? arguments : ""; *word != '\0';) {
        size_t length = strcspn(word, "|");
        printf(" %.*s", (int)length, word);
        word += length + (word[length] == '|');
    }
    putchar('\n');
}

static bool print_table(Context *c)
{
    const Option help = OPT_BOOL("help", NULL, "print this help", .letter = 'h');
    for (size_t i = 0; i < c->n_commands; i++) {
        const Command *command = c->commands[i];
        OptionTable table = {.n = 0};
        void *values = arena_alloc(&c->arena, 1, command->values_size, "the options", &c->err);
        if (values == NULL)
            return false;
        command->options(&table, values);
        print_command(command);
        for (size_t o = 0; o < table.n; o++)
            print_option(command, &table.rows[o]);
        print_option(command, &help);
    }
    fputs("_mlp_command help choice 'print the help of a command'", stdout);
    for (size_t i = 0; i < c->n_commands; i++)
        printf(" %s", c->commands[i]->name);
    puts("\n_mlp_command version none 'print the version'");
    return true;
}

static void completion_options(OptionTable *table, void *values)
{
    (void)table;
    (void)values;
}

static int run(Context *c)
{
    for (size_t s = 0; s < N_SHELLS; s++)
        if (strcmp(c->words.model, shells[s].name) == 0) {
            fputs(shells[s].head, stdout);
            bool ok = print_table(c);
            fputs(shells[s].tail, stdout);
            return ok ? STATUS_DONE : STATUS_FAILED;
        }
    error_set(&c->err, "'%.40s' is not a shell that can be completed for; they are bash, zsh, fish",
              c->words.model);
    return STATUS_USAGE;
}

const Command command_completion = {
    .name = "completion",
    .arguments = "bash|zsh|fish",
    .summary = "print a script that completes mlp command lines in a shell",
    .about = "Prints a script with which bash, zsh or fish completes commands, flags, their values "
             "and the names of files. make install puts the three where the shells find them.",
    .examples = {"mlp completion bash >~/.local/share/bash-completion/completions/mlp",
                 "mlp completion fish >~/.config/fish/completions/mlp.fish"},
    .options = completion_options,
    .run = run,
};
