// The table of curves: its columns, its path, and what a resumed training keeps of an older one.
// Read curves.h first.
#include "curves.h"

#include "csv.h"
#include "numbers.h"
#include "tables.h"

#include <limits.h>
#include <string.h>

static const char header[] = "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,"
                             "learning_rate,seconds\n";
static const char what[] = "a table of curves";

// The epoch at the beginning of a row of `length` bytes, 0 when there is none.
static uint64_t row_epoch(const char *row, size_t length)
{
    char digits[24];
    const char *comma = memchr(row, ',', length);
    size_t n = comma == NULL ? 0 : (size_t)(comma - row);
    uint64_t epoch;
    if (n == 0 || n >= sizeof digits)
        return 0;
    memcpy(digits, row, n);
    digits[n] = '\0';
    return parse_uint(digits, &epoch) ? epoch : 0;
}

// The part of a row that can be measured again.
static void row_figures(char *text, size_t size, const mlp_epoch *report)
{
    char n[3][NUMBER_SIZE];
    snprintf(text, size, ",%s,%s,%s,", format_g9(n[0], report->validation_loss),
             format_g9(n[1], report->validation_accuracy),
             format_shortest(n[2], report->learning_rate));
}

// Finds the end of the row of epoch *last in a table, whose rows must follow one another. What
// comes after it, a row cut short by a crash included, is not looked at.
static bool find_end(size_t *end, char *text, size_t size, const char *path, const mlp_epoch *last,
                     Error *err)
{
    size_t at = strlen(header), row = at;
    uint64_t epoch = 0;
    char figures[4 * NUMBER_SIZE];
    while (epoch < last->epoch) {
        row = at;
        char *newline = memchr(text + row, '\n', size - row);
        if (newline == NULL)
            return error_set(
                err,
                "%s: ends with epoch %llu, but the model has %zu epochs: not the table "
                "of this training; name another --csv",
                path, (unsigned long long)epoch, last->epoch);
        at = (size_t)(newline - text) + 1;
        uint64_t next = row_epoch(text + row, at - row);
        if (next == 0 || next > last->epoch || (epoch != 0 && next != epoch + 1))
            return error_set(err, "%s: the row after epoch %llu is not that of epoch %llu", path,
                             (unsigned long long)epoch, (unsigned long long)epoch + 1);
        epoch = next;
    }
    row_figures(figures, sizeof figures, last);
    text[at - 1] = '\0'; // as a string, to search it
    bool is_same = strstr(text + row, figures) != NULL;
    text[at - 1] = '\n';
    *end = at;
    return is_same ||
           error_set(err,
                     "%s: epoch %zu has other figures than the model: not the table of this "
                     "training; name another --csv",
                     path, last->epoch);
}

bool curves_begin(Output *csv, Arena *arena, const mlp_epoch *last, Error *err)
{
    char *text = NULL;
    size_t size, kept = 0;
    if (last != NULL && !table_read_old(&text, &size, csv, header, what, arena, err))
        return false;
    if (text == NULL) {
        fputs(header, csv->stream);
        return true;
    }
    if (!find_end(&kept, text, size, csv->path, last, err))
        return false;
    fwrite(text, 1, kept, csv->stream);
    return true;
}

char *curves_path(Arena *arena, const char *model, Error *err)
{
    const char *slash = strrchr(model, '/');
    const char *name = slash == NULL ? model : slash + 1;
    size_t length = strlen(name);
    if (strcmp(name, "model.bin") == 0)
        return arena_printf(arena, err, "%.*scurves.csv", (int)(name - model), model);
    if (length > 4 && strcmp(name + length - 4, ".bin") == 0)
        length -= 4;
    if (length > NAME_MAX - 4) // the table's name must not be too long; no character is cut
        for (length = NAME_MAX - 4; length > 0 && (name[length] & 0xc0) == 0x80;)
            length--;
    return arena_printf(arena, err, "%.*s.csv", (int)(name - model + (ptrdiff_t)length), model);
}

bool curves_may_replace(const char *path, Error *err)
{
    return table_may_replace(path, header, what, err);
}

bool curves_add(Output *out, const mlp_epoch *report, Error *err)
{
    CsvWriter csv = {.out = out->stream};
    csv_uint(&csv, report->epoch);
    csv_double(&csv, report->train_loss);
    csv_double(&csv, report->train_accuracy);
    csv_double(&csv, report->validation_loss);
    csv_double(&csv, report->validation_accuracy);
    csv_exact(&csv, report->learning_rate);
    csv_fixed(&csv, report->seconds, 4);
    csv_end_row(&csv);
    return output_publish(out, err);
}
