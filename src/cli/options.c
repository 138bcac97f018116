// Parsing, suggestions for unknown flags, and help. The order is that of a command line's life:
// words of other programs, values, the line, --help. Grammar: options.h.
#include "options.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

enum { MAX_WORD = 40 };

// ---------------------------------------------------------------------------------------------
// Suggestions

// Our name (in capitals: an argument) and the names in other programs. A name that several rows
// have means the first one that the command has.
static const struct {
    const char *ours, *others;
} synonyms[] = {
    {"MODEL", "model model-path model-file load checkpoint weights m"},
    {"DIR", "data data-dir dataset d"},
    {"FILE", "image images img input file picture digit i"},
    {"batch", "batch-size bs mini-batch minibatch-size b"},
    {"lr", "learning-rate learning lr-rate rate eta alpha step-size"},
    {"hidden",
     "hidden-size hidden-units hidden-dim hidden-layer hidden-sizes layers units neurons"},
    {"activation", "act nonlinearity non-linearity"},
    {"channels", "filters kernels"},
    {"optimizer", "optim optimiser opt solver"},
    {"momentum", "nesterov"},
    {"weight-decay", "l2 wd decay regularization regularisation penalty"},
    {"schedule", "lr-schedule scheduler lr-scheduler"},
    {"warmup", "warm-up warmup-epochs"},
    {"ema", "average averaging ema-decay model-ema polyak swa"},
    {"augment", "augmentation data-augmentation aug"},
    {"rotate", "rotation degrees angle"},
    {"scale", "zoom"},
    {"shift", "translate translation"},
    {"patience", "early-stopping early-stop"},
    {"keep", "save-best best restore-best"},
    {"preset", "recipe profile"},
    {"from", "fine-tune finetune pretrained init init-from"},
    {"epochs", "iterations iters num-epochs max-epochs passes e"},
    {"seed", "random-seed random-state rng-seed"},
    {"seeds", "random-seed repeats runs"},
    {"data", "data-dir data-path dataset data-root root mnist"},
    {"resume", "load checkpoint continue restore weights"},
    {"output", "out output-file save save-model save-path model model-path"},
    {"csv", "out output output-file o save log history curves"},
    {"predictions", "out output output-file o save csv"},
    {"threads", "workers num-workers jobs j cpus cores num-threads n-jobs"},
    {"train-size", "samples num-samples limit subset"},
    {"val-size", "validation-size validation valid-size val val-split"},
    {"checkpoint-every", "save-every save-interval checkpoint-interval"},
    {"arch", "architecture network net"},
    {"quiet", "silent no-progress"},
    {"split", "test validation train subset partition"},
    {"min-accuracy", "threshold require-accuracy"},
    {"top", "top-k k"},
    {"reject", "threshold min-probability min-confidence confidence unknown"},
    {"calibration", "reliability ece bins"},
    {"show", "draw display view verbose"},
    {"raw", "no-preprocessing no-prepare as-is"},
    {"train", "fit learn training resume continue"},
    {"eval", "test evaluate evaluation validate accuracy score"},
    {"predict", "infer inference classify recognise recognize"},
    {"gradcheck", "gradient-check grad-check check-gradients gradients check"},
    {"info", "show inspect describe summary"},
    {"sweep", "search grid-search tune"},
    {"verify", "reproduce check-model repeat audit"},
    {"import", "convert load-data make-data read-csv"},
    {"export-data", "export-images dump to-csv"},
    {"test-fraction", "test-size test-split test-share"},
    {"force", "overwrite replace f"},
    {"weights", "filters visualise visualize"},
    {"features", "activations feature-maps"},
    {"version", "v"},
};
enum { N_SYNONYMS = sizeof synonyms / sizeof synonyms[0] };

// The usual table of prefixes (optimal string alignment), three rows of it at a time.
size_t word_distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    size_t rows[3][LONGEST + 1] = {{0}};
    size_t n_a = strlen(a), n_b = strlen(b);
    if (n_a > LONGEST || n_b > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= n_b; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        const size_t *before = rows[(i + 1) % 3], *above = rows[(i - 1) % 3];
        size_t *row = rows[i % 3];
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[n_a % 3][n_b];
}

static const char *word_among(const char *word, const char *const *words)
{
    while (*words != NULL && strcmp(*words, word) != 0)
        words++;
    return *words;
}

// As it would be written here: without dashes in front, in small letters, words joined by dashes.
static void word_normalise(char normal[MAX_WORD], const char *word)
{
    size_t n = 0;
    for (word += strspn(word, "-"); *word != '\0' && n + 1 < MAX_WORD; word++)
        normal[n++] = (char)(*word == '_' ? '-' : tolower((unsigned char)*word));
    normal[n] = '\0';
}

const char *word_nearest(const char *word, const char *const *words)
{
    char normal[MAX_WORD] = "";
    word_normalise(normal, word);
    const char *nearest = NULL;
    size_t best = strlen(normal) / 3 + 2; // a longer word may be further off
    for (size_t i = 0; words[i] != NULL; i++) {
        size_t distance = word_distance(normal, words[i]);
        if (distance < best) {
            best = distance;
            nearest = words[i];
        }
    }
    for (size_t i = 0; i < N_SYNONYMS; i++) {
        const char *ours = word_among(synonyms[i].ours, words), *others = synonyms[i].others;
        for (size_t length; ours != NULL && *others != '\0'; others += length) {
            char other[MAX_WORD] = "";
            others += strspn(others, " ");
            length = strcspn(others, " ");
            snprintf(other, sizeof other, "%.*s", (int)length, others);
            size_t distance = word_distance(normal, other);
            if (distance < best && distance <= length / 4) {
                best = distance;
                nearest = ours;
            }
        }
    }
    return nearest;
}

// ---------------------------------------------------------------------------------------------
// Values

// What setting_parse and setting_text know of a value.
static Setting option_row(const Option *option)
{
    return (Setting){.type = option->type,
                     .min = option->min,
                     .max = option->max,
                     .since = 2, // --help shows 10 as 10, see setting_text
                     .choices = option->choices};
}

static bool option_set(const Option *option, const char *text, Error *err)
{
    Setting row = option_row(option);
    Error reason;
    if (option->type == SETTING_STRING && *text == '\0')
        return error_set(err, "--%s: the value is empty", option->name);
    return setting_parse(&row, option->value, text, &reason) ||
           error_set(err, "--%s: %s", option->name, reason.text);
}

const char *options_text(const Option *option, char number[NUMBER_SIZE])
{
    Setting row = option_row(option);
    return setting_text(&row, option->value, number);
}

static const char *option_default(const Option *option, char number[NUMBER_SIZE])
{
    if (option->default_text != NULL)
        return option->default_text;
    return option->type == SETTING_BOOL ? "" : options_text(option, number);
}

// ---------------------------------------------------------------------------------------------
// The command line

void options_add(OptionTable *table, const Option *rows, size_t n)
{
    assert(table->n + n <= OPTIONS_MAX);
    memcpy(table->rows + table->n, rows, n * sizeof *rows);
    table->n += n;
}

// The option of a flag: --name or -n.
static Option *option_find(OptionTable *table, const char *flag, size_t length)
{
    for (Option *option = table->rows; option < table->rows + table->n; option++) {
        bool is_letter = length == 2 && option->letter != 0 && option->letter == flag[1];
        bool is_name = length > 2 && flag[1] == '-' && strlen(option->name) == length - 2 &&
                       strncmp(option->name, flag + 2, length - 2) == 0;
        if (is_letter || is_name)
            return option;
    }
    return NULL;
}

bool options_name_given(const OptionTable *table, const char *name)
{
    for (const Option *option = table->rows; option < table->rows + table->n; option++)
        if (strcmp(option->name, name) == 0)
            return option->given;
    return false;
}

bool options_given(const OptionTable *table, const void *value)
{
    for (const Option *option = table->rows; option < table->rows + table->n; option++)
        if (option->value == value)
            return option->given;
    return false;
}

void options_set_given(OptionTable *table, const void *value)
{
    for (Option *option = table->rows; option < table->rows + table->n; option++)
        option->given = option->given || option->value == value;
}

static bool error_unknown(const Command *command, const OptionTable *table, const char *word,
                          Error *err)
{
    char flag[MAX_WORD + 1];
    const char *names[OPTIONS_MAX + 4];
    size_t n = 0;
    for (; n < table->n; n++)
        names[n] = table->rows[n].name;
    names[n++] = "help";
    for (size_t i = 0; i < N_SYNONYMS; i++)
        if (isupper((unsigned char)synonyms[i].ours[0]) && command->arguments != NULL &&
            strstr(command->arguments, synonyms[i].ours) != NULL)
            names[n++] = synonyms[i].ours;
    names[n] = NULL;
    size_t length = strcspn(word, "=");
    snprintf(flag, sizeof flag, "%.*s", length > 2 && length < MAX_WORD ? (int)length : MAX_WORD,
             word);
    const char *nearest = word_nearest(flag, names);
    if (nearest == NULL)
        return error_set(err, "unknown flag '%s'; 'mlp %s --help' lists them", flag, command->name);
    if (isupper((unsigned char)nearest[0]))
        return error_set(err,
                         "unknown flag '%s' of '%s'; the %s is written without a flag: mlp %s %s",
                         flag, command->name, nearest, command->name, command->arguments);
    return error_set(err, "unknown flag '%s' of '%s'; did you mean '--%s'?", flag, command->name,
                     nearest);
}

// A word that follows a flag is its value, unless it looks like another flag.
static bool looks_like_flag(const char *word)
{
    double number;
    return word[0] == '-' && word[1] != '\0' && !parse_double(word, &number);
}

// Takes argv[*i], a flag, and its value, which may be the next word.
static bool parse_flag(const Command *command, OptionTable *table, int argc, char **argv, int *i,
                       Error *err)
{
    const char *word = argv[*i];
    const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;
    size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
    Option *option = option_find(table, word, length);
    if (option == NULL)
        return error_unknown(command, table, word, err);
    option->given = true;
    if (option->type == SETTING_BOOL) {
        if (equals != NULL)
            return error_set(err, "--%s takes no value", option->name);
        return option_set(option, "true", err);
    }
    if (equals != NULL)
        return option_set(option, equals + 1, err);
    if (*i + 1 >= argc)
        return error_set(err, "--%s needs a value: %s", option->name, option->placeholder);
    const char *value = argv[++*i];
    if (looks_like_flag(value))
        return error_set(err, "--%s needs a value, but '%s' follows; write --%s=%s if it is one",
                         option->name, value, option->name, value);
    if (value[0] == '=')
        return error_set(err, "--%s: no blank belongs before or after the '=': --%s=%s",
                         option->name, option->name,
                         value[1] != '\0' ? value + 1 : option->placeholder);
    return option_set(option, value, err);
}

// Typesetting makes other dashes of '-' and '--': U+2010 to U+2015, U+2212.
static bool begins_with_other_dash(const char *word)
{
    const unsigned char *byte = (const unsigned char *)word + strspn(word, "-");
    return byte[0] == 0xe2 && ((byte[1] == 0x80 && byte[2] >= 0x90 && byte[2] <= 0x95) ||
                               (byte[1] == 0x88 && byte[2] == 0x92));
}

static bool names_model(const Command *command)
{
    return command->arguments != NULL && strstr(command->arguments, "MODEL") != NULL;
}

// Takes a word that is not a flag.
static bool parse_argument(const Command *command, Arguments *words, char *word, Error *err)
{
    bool wants_more = command->arguments != NULL &&
                      (words->model == NULL || strstr(command->arguments, "...") != NULL ||
                       (words->n_files == 0 && strstr(command->arguments, "[FILE]") != NULL));
    if (!wants_more)
        return error_set(err, "unexpected argument '%s'; 'mlp %s --help' shows what is expected",
                         word, command->name);
    if (word[0] == '\0')
        return error_set(err, "the name of %s is empty",
                         words->model == NULL && names_model(command) ? "the model" : "a file");
    if (words->model == NULL)
        words->model = word;
    else
        words->files[words->n_files++] = word; // never ahead of the word that is looked at
    return true;
}

static ParseResult parse_words(const Command *command, OptionTable *table, Arguments *words,
                               int argc, char **argv, Error *err)
{
    bool flags_ended = false;
    for (int i = 0; i < argc; i++) {
        char *word = argv[i];
        bool ok = true, is_flag = !flags_ended && word[0] == '-' && word[1] != '\0';
        if (is_flag && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0))
            return PARSE_HELP;
        if (is_flag && strcmp(word, "--") == 0)
            flags_ended = true;
        else if (!flags_ended && begins_with_other_dash(word))
            ok = error_set(err, "'%.*s' begins with a dash that is not '-'; write - or --",
                           MAX_WORD, word);
        else if (is_flag)
            ok = parse_flag(command, table, argc, argv, &i, err);
        else
            ok = parse_argument(command, words, word, err);
        if (!ok)
            return PARSE_WRONG;
    }
    return PARSE_OK;
}

static bool check_line(const Command *command, const OptionTable *table, const Arguments *words,
                       Error *err)
{
    const char *needed = command->arguments; // that of "[FILE] MODEL" comes last
    if (needed != NULL && strncmp(needed, "[FILE] ", 7) == 0)
        needed += 7;
    if (needed != NULL && needed[0] != '[' && words->model == NULL)
        return error_set(err, "'mlp %s' needs a %.*s: mlp %s %s", command->name,
                         (int)strcspn(needed, " ."), needed, command->name, command->arguments);
    for (size_t i = 0; i < table->n; i++)
        for (size_t j = 0; j < table->n; j++) {
            const Option *a = &table->rows[i], *b = &table->rows[j];
            if (a->given && b->given && b->excludes != NULL && strcmp(b->excludes, a->name) == 0)
                return error_set(err, "--%s and --%s cannot be combined: choose one", a->name,
                                 b->name);
        }
    return true;
}

ParseResult options_parse(const Command *command, OptionTable *table, void *values,
                          Arguments *words, int argc, char **argv, Error *err)
{
    *words = (Arguments){.files = argv};
    ParseResult result = parse_words(command, table, words, argc, argv, err);
    words->n_models = words->model != NULL && names_model(command);
    if (command->arguments != NULL && strcmp(command->arguments, "MODEL...") == 0)
        words->n_models += words->n_files;
    if (result == PARSE_OK && !check_line(command, table, words, err))
        result = PARSE_WRONG;
    Error reason;
    if (command->defaults != NULL &&
        !command->defaults(table, values, result == PARSE_OK ? err : &reason) && result == PARSE_OK)
        result = PARSE_WRONG;
    return result;
}

// ---------------------------------------------------------------------------------------------
// Help

// Prints text from `column` on, lines broken before column 80 and indented.
static void print_wrapped(FILE *out, const char *text, int indent, int column)
{
    while (*text != '\0') {
        int length = (int)strcspn(text, " \n");
        if (column > indent && column + 1 + length > 80) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", length, text);
        column += length;
        text += length;
        if (*text == '\n') {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        text += *text != '\0';
    }
    fputc('\n', out);
}

static void print_option(FILE *out, const Option *option)
{
    enum { HELP_COLUMN = 26 };
    char left[64], letter[8] = "    ", help[512], number[NUMBER_SIZE];
    const char *value = option_default(option, number);
    if (option->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "  %s--%s%s%s", letter, option->name,
             option->placeholder != NULL ? " " : "",
             option->placeholder != NULL ? option->placeholder : "");
    snprintf(help, sizeof help, "%s%s%s%s", option->help, value[0] != '\0' ? " (default " : "",
             value, value[0] != '\0' ? ")" : "");
    fprintf(out, "%-*s", HELP_COLUMN, left);
    if (strlen(left) >= HELP_COLUMN)
        fprintf(out, "\n%*s", HELP_COLUMN, "");
    print_wrapped(out, help, HELP_COLUMN, HELP_COLUMN);
}

void options_print_help(FILE *out, const Command *command, const OptionTable *table)
{
    fprintf(out, "Usage: mlp %s [OPTION]...%s%s\n\n", command->name,
            command->arguments != NULL ? " " : "",
            command->arguments != NULL ? command->arguments : "");
    print_wrapped(out, command->about, 0, 0);
    fputs("\nOptions:\n", out);
    for (size_t i = 0; i < table->n; i++)
        print_option(out, &table->rows[i]);
    fprintf(out, "%-26s%s\n", "  -h, --help", "print this help");
    if (command->print_more != NULL)
        command->print_more(out);
    fputs("\nExamples:\n", out);
    for (size_t i = 0; i < 2; i++)
        fprintf(out, "  %s\n", command->examples[i]);
}
