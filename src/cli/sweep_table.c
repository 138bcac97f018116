// The table of a sweep: its columns, how a row begins and what follows, the rows of an older table
// and of parts that are merged. A row names all that its result depends on, so it is found in the
// grid by its values. Read sweep.h first.
#include "source.h"
#include "sweep.h"
#include "tables.h"

#include <assert.h>
#include <string.h>

const char *const sweep_figures[N_FIGURES] = {"train_loss",      "train_accuracy",
                                              "validation_loss", "validation_accuracy",
                                              "test_loss",       "test_accuracy"};

enum { KEY_SIZE = 1024, HEADER_SIZE = KEY_SIZE + 200 };

bool sweep_has_column(const Sweep *sweep, const Setting *row)
{
    const SweepOptions *o = sweep->options;
    if (row->since == 1)
        return (row->flags & (SETTING_AXIS | SETTING_COLUMN)) != 0;
    if ((row->flags & SETTING_COLUMN) != 0)
        return setting_is_shown(row, &o->settings, o->settings.architecture);
    for (const Axis *axis = o->axes; axis < o->axes + o->n_axes; axis++)
        if (axis->row == row)
            return axis->n > 1 ||
                   strcmp(axis->values[0], setting_absent(row, o->settings.architecture)) != 0;
    return false;
}

// What the row of a combination begins with: all that its result depends on. NULL: the names of
// these columns.
static void combination_key(char key[KEY_SIZE], const Sweep *sweep, const Combination *c)
{
    char number[NUMBER_SIZE];
    int n = c == NULL ? snprintf(key, KEY_SIZE, "data_crc32,")
                      : snprintf(key, KEY_SIZE, "%08lx,", (unsigned long)sweep->data->crc32);
    for (const Setting *row = settings_table; row->key != NULL; row++)
        if (sweep_has_column(sweep, row))
            n += snprintf(key + n, KEY_SIZE - (size_t)n, "%s,",
                          c == NULL ? row->key : setting_text(row, &c->settings, number));
    assert(n < KEY_SIZE);
}

static void table_header(char header[HEADER_SIZE], const Sweep *sweep)
{
    combination_key(header, sweep, NULL);
    size_t n = strlen(header);
    n += (size_t)snprintf(header + n, HEADER_SIZE - n, "result,");
    for (size_t i = 0; i < N_FIGURES; i++)
        n += (size_t)snprintf(header + n, HEADER_SIZE - n, "%s,", sweep_figures[i]);
    snprintf(header + n, HEADER_SIZE - n, "parameters,seconds\n");
}

// ---------------------------------------------------------------------------------------------
// Rows that are read

// A line of a table, in a text that ends with 0.
typedef struct Line {
    const char *path;
    size_t number;
    const char *at, *end; // its newline
} Line;

// Copies the next field and skips the comma or newline after it. False: it is too long to be one.
static bool next_field(const char **at, char field[NUMBER_SIZE])
{
    size_t length = strcspn(*at, ",\n");
    if (length >= NUMBER_SIZE || (*at)[length] == '\0')
        return false;
    memcpy(field, *at, length);
    field[length] = '\0';
    *at += length + 1;
    return true;
}

// The number of the text among the values that the sweep has for a column, *n of them. *n: it has
// no such value.
static size_t find_value(const SweepOptions *o, const Setting *row, const char *text, size_t *n)
{
    char number[NUMBER_SIZE];
    uint64_t seed;
    for (const Axis *axis = o->axes; axis < o->axes + o->n_axes; axis++)
        if (axis->row == row) {
            *n = axis->n;
            return axis_find(axis, text);
        }
    if (row == setting_find(settings_table, "seed")) {
        *n = (size_t)o->seeds;
        return parse_uint(text, &seed) && seed >= 1 && seed <= o->seeds ? (size_t)seed - 1 : *n;
    }
    *n = 1;
    return strcmp(text, setting_text(row, &o->settings, number)) == 0 ? 0 : 1;
}

// The combination that a row is of; *at is then behind its key. NULL: it is of none, and err says
// why.
static Combination *find_combination(const Sweep *sweep, const Line *line, const char **at,
                                     Error *err)
{
    char field[NUMBER_SIZE] = "", crc32[16];
    size_t i, n, seed = 0, step = (size_t)sweep->options->seeds, index = 0;
    snprintf(crc32, sizeof crc32, "%08lx", (unsigned long)sweep->data->crc32);
    if (!next_field(at, field) || strcmp(field, crc32) != 0) {
        error_set(err, "%s:%zu: data_crc32 is '%.20s', not %s: a row of other data", line->path,
                  line->number, field, crc32);
        return NULL;
    }
    for (const Setting *row = settings_table; row->key != NULL; row++) {
        if (!sweep_has_column(sweep, row))
            continue;
        bool ok = next_field(at, field);
        if (!ok || (i = find_value(sweep->options, row, field, &n)) == n) {
            error_set(err,
                      "%s:%zu: %s is '%.40s': not a row of this sweep; give the flags that the "
                      "table was made with",
                      line->path, line->number, row->key, ok ? field : "");
            return NULL;
        }
        if (row == setting_find(settings_table, "seed")) {
            seed = i;
        } else {
            index += i * step;
            step *= n;
        }
    }
    return &sweep->list[index + seed];
}

// Reads what follows the key of a row.
static bool read_outcome(Outcome *outcome, const char *at, const char *end)
{
    char field[NUMBER_SIZE];
    uint64_t parameters;
    bool ok = next_field(&at, field), has_diverged = ok && strcmp(field, "diverged") == 0;
    ok = ok && (has_diverged || strcmp(field, "done") == 0);
    outcome->result = has_diverged ? MLP_DIVERGED : MLP_DONE;
    for (size_t i = 0; i < N_FIGURES && ok; i++)
        ok = next_field(&at, field) &&
             (has_diverged ? field[0] == '\0' : parse_double(field, &outcome->figures[i]));
    return ok && next_field(&at, field) && parse_uint(field, &parameters) &&
           next_field(&at, field) && parse_double(field, &outcome->seconds) && at == end + 1;
}

// Gives the row to its combination. One that has a row must have the same, but for `seconds`.
static bool accept_row(Combination *c, const Line *line, const char *at, Error *err)
{
    size_t length = (size_t)(line->end - line->at);
    if (!read_outcome(&c->outcome, at, line->end))
        return error_set(err, "%s:%zu: is not a complete row of a sweep", line->path, line->number);
    if (c->row != NULL) {
        size_t same = length; // up to the last comma
        while (line->at[same - 1] != ',')
            same--;
        return (same <= c->row_length && memcmp(c->row, line->at, same) == 0) ||
               error_set(err,
                         "%s:%zu: differs from line %zu of %s in more than seconds, with the "
                         "same data and settings",
                         line->path, line->number, c->row_line, c->row_path);
    }
    c->row = line->at;
    c->row_length = length;
    c->row_path = line->path;
    c->row_line = line->number;
    return true;
}

// Gives the rows of a table to their combinations. Those of a part must be of this sweep; an older
// table may have others.
static bool accept_rows(Sweep *sweep, const char *path, const char *text, bool is_part, Error *err)
{
    char header[HEADER_SIZE];
    table_header(header, sweep);
    Line line = {.path = path, .at = text};
    for (; (line.end = strchr(line.at, '\n')) != NULL; line.at = line.end + 1) {
        const char *at = line.at;
        Error reason;
        line.number++;
        if (strncmp(line.at, header, strlen(header)) == 0)
            continue; // parts that follow one another have several
        if (line.number == 1)
            return error_set(err,
                             "%s:1: the columns are not those of this sweep; give the flags "
                             "that the table was made with",
                             path);
        Combination *c = find_combination(sweep, &line, &at, &reason);
        if (c == NULL && is_part)
            return error_set(err, "%s", reason.text);
        if (c != NULL && !accept_row(c, &line, at, err))
            return false;
        if (c != NULL && !is_part)
            c->is_done = true;
    }
    if (is_part && line.at[0] != '\0')
        command_note("%s:%zu: is cut short, and left out", path, line.number + 1);
    return true;
}

// Reads a part, a file or a stream, whole.
static char *read_part(const char **path, Arena *arena, Error *err)
{
    static const char what[] = "a table of a sweep";
    ArenaBytes bytes = {.first = 1 << 16, .most = (size_t)1 << 28};
    Source source;
    Error ignored;
    ptrdiff_t n;
    size_t used = 0;
    if (!source_open_stream(&source, *path, err))
        return NULL;
    *path = source.path;
    do {
        n = -1;
        if (used + 1 >= bytes.most)
            error_set(err, "%s: is too large for %s", source.path, what);
        else if (arena_grow(arena, &bytes, used + 1, what, err)) // a 0 stays behind the last byte
            n = source_read(&source, bytes.at + used, bytes.capacity - used - 1, err);
        used += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    bool ok = source_close(&source, n == 0, n == 0 ? err : &ignored) && n == 0;
    if (ok && memchr(bytes.at, '\0', used) != NULL)
        ok = error_set(err, "%s: is not %s: it has a byte 0", *path, what);
    return ok ? (char *)bytes.at : NULL;
}

bool sweep_read_parts(Sweep *sweep)
{
    Context *context = sweep->context;
    const Arguments *words = &context->words;
    for (size_t i = 0; i <= words->n_files; i++) {
        const char *path = i == 0 ? words->model : words->files[i - 1];
        char *text = read_part(&path, &context->arena, &context->err);
        if (text == NULL || !accept_rows(sweep, path, text, true, &context->err))
            return false;
    }
    return true;
}

// ---------------------------------------------------------------------------------------------
// Rows that are written

bool sweep_open_table(Sweep *sweep, Arena *arena, Error *err)
{
    char header[HEADER_SIZE], *old;
    size_t size;
    table_header(header, sweep);
    if (!command_open_table(sweep->context, &sweep->csv, sweep->options->csv))
        return false;
    if (!table_read_old(&old, &size, &sweep->csv, header, "a table of this sweep", arena, err) ||
        (old != NULL && !accept_rows(sweep, sweep->csv.path, old, false, err))) {
        output_discard(&sweep->csv);
        return false;
    }
    if (old == NULL) {
        fputs(header, sweep->csv.stream);
        return true;
    }
    while (old[size - 1] != '\n')
        size--;
    fwrite(old, 1, size, sweep->csv.stream);
    return true;
}

static int report_missing(const Sweep *sweep, size_t n_missing, Error *err)
{
    if (!sweep_check_words(sweep, err))
        return STATUS_FAILED;
    for (size_t i = 0; i < sweep->n; i++)
        if (sweep->list[i].row == NULL)
            sweep_print_command(sweep, i);
    error_set(err, "%s: %zu of %zu rows are missing; standard %s has the commands that make them",
              sweep->options->csv, n_missing, sweep->n,
              sweep->context->stdout_table != NULL ? "error" : "output");
    return STATUS_FAILED;
}

int sweep_merge(Sweep *sweep, Error *err)
{
    size_t n_missing = 0;
    for (size_t i = 0; i < sweep->n; i++)
        n_missing += sweep->list[i].row == NULL;
    if (n_missing > 0)
        return report_missing(sweep, n_missing, err);
    for (const Combination *c = sweep->list; c < sweep->list + sweep->n; c++)
        if (!c->is_done) {
            fwrite(c->row, 1, c->row_length, sweep->csv.stream);
            fputc('\n', sweep->csv.stream);
            sweep->n_done++;
        }
    return STATUS_DONE;
}

bool sweep_add_row(Sweep *sweep, const Combination *c, Error *err)
{
    const Outcome *outcome = &c->outcome;
    bool is_done = outcome->result == MLP_DONE;
    char key[KEY_SIZE];
    CsvWriter csv = {.out = sweep->csv.stream};
    combination_key(key, sweep, c);
    fputs(key, csv.out);
    csv_string(&csv, is_done ? "done" : "diverged");
    for (size_t i = 0; i < N_FIGURES; i++)
        is_done ? csv_double(&csv, outcome->figures[i]) : csv_string(&csv, "");
    csv_uint(&csv, outcome->parameters);
    csv_fixed(&csv, outcome->seconds, 4);
    csv_end_row(&csv);
    return output_publish(&sweep->csv, err);
}
