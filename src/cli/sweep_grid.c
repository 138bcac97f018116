// The grid of a sweep: the lists of values, the combinations that they make, and the command that
// trains one of these. Knows the order of the combinations; sweep_table.c finds that of a row. The
// settings that a sweep can vary are those that the table of settings.h marks as axes.
#include "sweep.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t axis_find(const Axis *axis, const char *value)
{
    size_t i = 0;
    while (i < axis->n && strcmp(axis->values[i], value) != 0)
        i++;
    return i;
}

// Reads the list of values. The default is one, too, where it is below the range: 0 for the size of
// all training images. On failure err names the flag.
static bool axis_parse(Axis *axis, const char *architecture, Error *err)
{
    if (axis->list == axis->text) {
        memcpy(axis->values[axis->n++], axis->text, NUMBER_SIZE);
        return true;
    }
    const char *flag = axis->row->flag;
    Setting row = *axis->row;
    if (row.type != SETTING_LIST)
        row.min = fmin(row.min, strtod(setting_default(&row, architecture), NULL));
    for (const char *list = axis->list; list != NULL;) {
        const char *comma = strchr(list, ',');
        int length = comma == NULL ? (int)strlen(list) : (int)(comma - list);
        char word[64], *value = axis->values[axis->n];
        Error reason;
        mlp_settings settings;
        if (axis->n == SWEEP_MAX_VALUES)
            return error_set(err, "--%s: more than %d values", flag, SWEEP_MAX_VALUES);
        if (length >= (int)sizeof word)
            return error_set(err, "--%s: '%.40s...' is too long", flag, list);
        snprintf(word, sizeof word, "%.*s", length, list);
        if (!setting_parse(&row, &settings, word, &reason))
            return error_set(err, "--%s: %s", flag, reason.text);
        snprintf(value, NUMBER_SIZE, "%s", setting_text(&row, &settings, word));
        if (axis_find(axis, value) < axis->n)
            return error_set(err, "--%s: %s is given twice", flag, value);
        axis->n++;
        list = comma == NULL ? NULL : comma + 1;
    }
    return true;
}

bool sweep_parse_axes(SweepOptions *o, Error *err)
{
    uint64_t n = o->seeds;
    for (Axis *axis = o->axes; axis < o->axes + o->n_axes; axis++) {
        if (!axis_parse(axis, o->settings.architecture, err))
            return false;
        if (n <= SWEEP_MAX_TRAININGS) // else a further product might not fit
            n *= axis->n;
    }
    return n <= SWEEP_MAX_TRAININGS ||
           error_set(err, "more than %d trainings: give shorter lists or fewer --seeds",
                     SWEEP_MAX_TRAININGS);
}

// Replaces the size 0 by that of all images but those for validation, which may be there already.
static void resolve_train_size(Axis *axis, size_t all)
{
    char text[NUMBER_SIZE];
    size_t zero = axis_find(axis, "0");
    snprintf(text, sizeof text, "%zu", all);
    if (zero < axis->n && axis_find(axis, text) < axis->n)
        memmove(axis->values[zero], axis->values[zero + 1], (--axis->n - zero) * NUMBER_SIZE);
    else if (zero < axis->n)
        memcpy(axis->values[zero], text, sizeof text);
}

// The loop over the values of axis number n - 1, inside those of the axes after it; the innermost
// loop is that over the seeds.
//
// NOLINTNEXTLINE(misc-no-recursion): as deep as there are axes
static void add_combinations(Sweep *sweep, size_t n, mlp_settings settings)
{
    if (n == 0) {
        for (settings.seed = 1; settings.seed <= sweep->options->seeds; settings.seed++)
            sweep->list[sweep->n++] = (Combination){.settings = settings};
        return;
    }
    Error never;
    const Axis *axis = &sweep->options->axes[n - 1];
    for (size_t i = 0; i < axis->n; i++) {
        (void)setting_parse(axis->row, &settings, axis->values[i], &never);
        add_combinations(sweep, n - 1, settings);
    }
}

// What a training costs beside others: the multiplications of all images, where of the pixels a
// fifth counts, those that are not zero.
static double training_cost(const Network *net, const mlp_settings *settings)
{
    double cost = 0.0;
    for (const Layer *layer = net->layers; layer < net->layers + net->n_layers; layer++)
        if (layer->n_tensors > 0)
            cost += (double)tensor_size(&layer->tensors[0]) *
                    (double)(layer->out.height * layer->out.width) *
                    (layer == net->layers ? 0.2 : 1.0);
    return cost * (double)settings->train_size;
}

// Looks whether the data have images enough, and whether the settings go together and make a
// network for the data.
static bool prepare_combination(Sweep *sweep, Combination *c, Error *err)
{
    const mlp_data *data = sweep->data;
    const mlp_settings *settings = &c->settings;
    Error reason;
    Split unused = {0};
    Network net;
    if (!dataset_split(&unused, data->n, (size_t)settings->train_size, 0, &reason))
        return error_set(err, "%s: %s", data->name, reason.text);
    Architecture architecture = architecture_of(settings, data->rows, data->cols, data->n_classes);
    sweep->is_usage_error = !settings_check(settings, err);
    if (sweep->is_usage_error || !network_build(&net, &architecture, err))
        return false;
    c->cost = training_cost(&net, settings);
    return true;
}

bool sweep_list_combinations(Sweep *sweep, Arena *arena, Error *err)
{
    SweepOptions *o = sweep->options;
    size_t n = (size_t)o->seeds;
    if (!dataset_split(&sweep->split, sweep->data->n, 0, 0, err))
        return false;
    for (Axis *axis = o->axes; axis < o->axes + o->n_axes; axis++) {
        if (axis->row == setting_find(settings_table, "train_size"))
            resolve_train_size(axis, range_length(sweep->split.train));
        n *= axis->n;
    }
    sweep->list = arena_alloc(arena, n, sizeof *sweep->list, "the list of trainings", err);
    if (sweep->list == NULL)
        return false;
    add_combinations(sweep, o->n_axes, o->settings);
    for (size_t i = 0; i < n; i++)
        if (!prepare_combination(sweep, &sweep->list[i], err))
            return false;
    return true;
}

// ---------------------------------------------------------------------------------------------
// Commands

// The value of --data in a command: a job may have another environment.
static const char *data_of_command(const SweepOptions *o)
{
    const char *environment = getenv("MLP_DATA");
    if (o->data != NULL || environment == NULL || environment[0] == '\0')
        return o->data;
    return environment;
}

// The options that a command repeats as they are: those that say what is trained, and how.
static bool is_repeated(const Option *option)
{
    static const char *const others[] = {"list", "merge",   "only",    "csv", "data",
                                         "json", "summary", "threads", NULL};
    size_t i = 0;
    while (others[i] != NULL && strcmp(others[i], option->name) != 0)
        i++;
    return option->given && others[i] == NULL;
}

static bool has_control_characters(const char *word)
{
    while (*word != '\0' && (unsigned char)*word >= ' ' && *word != 0x7f)
        word++;
    return *word != '\0';
}

bool sweep_check_words(const Sweep *sweep, Error *err)
{
    const SweepOptions *o = sweep->options;
    const char *words[] = {o->csv, data_of_command(o), sweep->context->program};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i] != NULL && has_control_characters(words[i]))
            return error_set(err, "%s: has control characters; a line of commands cannot name it",
                             words[i]);
    return true;
}

static void print_flag(const char *name, const char *word)
{
    bool looks_like_flag = word[0] == '-' && word[1] != '\0';
    printf(" --%s%c", name, looks_like_flag ? '=' : ' ');
    command_print_word(stdout, word);
}

// The table of one training: sweep-7.csv of sweep.csv. A stream stays what it is.
static void print_part(const char *csv, size_t number)
{
    char end[32] = "";
    size_t length = strlen(csv);
    bool is_csv = length > 4 && strcmp(csv + length - 4, ".csv") == 0;
    if (!output_leads_to_stream(csv)) {
        length -= is_csv ? 4 : 0;
        snprintf(end, sizeof end, "-%zu%s", number, is_csv ? ".csv" : "");
    }
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.*s%s", (int)length, csv, end);
    print_flag("csv", path);
}

void sweep_print_command(const Sweep *sweep, size_t i)
{
    const SweepOptions *o = sweep->options;
    const OptionTable *table = &sweep->context->options;
    const char *program = sweep->context->program, *data = data_of_command(o);
    char number[NUMBER_SIZE];
    command_print_word(stdout, program != NULL ? program : "mlp");
    fputs(" sweep", stdout);
    for (const Option *option = table->rows; option < table->rows + table->n; option++)
        if (is_repeated(option) && option->type == SETTING_BOOL)
            printf(" --%s", option->name);
        else if (is_repeated(option))
            print_flag(option->name, options_text(option, number));
    if (data != NULL)
        print_flag("data", data);
    // As many run at once as there are CPUs: so one thread each, unless the user says otherwise.
    printf(" --threads %zu --only %zu", o->threads == 0 ? (size_t)1 : (size_t)o->threads, i + 1);
    print_part(o->csv, i + 1);
    putchar('\n');
}
