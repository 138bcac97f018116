// Tables that a command adds rows to: older ones are found and recognised, and the table of curves.
// Read tables.h first.
#include "tables.h"

#include "csv.h"
#include "numbers.h"
#include "source.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_empty(const char *path)
{
    struct stat status;
    return stat(path, &status) != 0 || status.st_size == 0;
}

static bool check_header(const char *text, size_t size, const char *path, const char *header,
                         const char *what, Error *err)
{
    size_t length = strlen(header);
    return (size >= length && memcmp(text, header, length) == 0) ||
           error_set(err, "%s: is not %s, and would be replaced; name another file with --csv",
                     path, what);
}

bool table_read_old(char **text, size_t *size, const Output *out, const char *header,
                    const char *what, Arena *arena, Error *err)
{
    const size_t max_size = (size_t)1 << 30;
    unsigned char *bytes;
    *text = NULL;
    if (output_is_stream(out) || is_empty(out->path))
        return true;
    if (!file_read(&bytes, size, arena, out->path, max_size, what, err))
        return false;
    *text = (char *)bytes;
    return check_header(*text, *size, out->path, header, what, err);
}

// ---------------------------------------------------------------------------------------------
// The table of curves

static const char header[] = "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,"
                             "learning_rate,seconds\n";
static const char what[] = "a table of curves";

// Whether a row of a table has the figures that can be measured again. `end` is its newline.
static bool row_has_figures(char *row, char *end, const mlp_epoch *known)
{
    char figures[4 * NUMBER_SIZE], n[3][NUMBER_SIZE];
    snprintf(figures, sizeof figures, ",%s,%s,%s,", format_g9(n[0], known->validation_loss),
             format_g9(n[1], known->validation_accuracy),
             format_shortest(n[2], known->learning_rate));
    *end = '\0'; // as a string, to search it
    bool is_same = strstr(row, figures) != NULL;
    *end = '\n';
    return is_same;
}

// A table that is read again.
typedef struct OldTable {
    char *text;
    size_t size;
    const char *path;
} OldTable;

// Finds the end of the row of epoch `last` in a table, whose rows must follow one another. What
// comes after it, a row cut short by a crash included, is not looked at.
static bool find_end(size_t *end, const OldTable *old, size_t last, const mlp_epoch *known,
                     Error *err)
{
    const char *path = old->path;
    char *text = old->text;
    size_t at = strlen(header);
    uint64_t epoch = 0;
    while (epoch < last) {
        size_t row = at;
        char *after = text + row, *newline = memchr(after, '\n', old->size - row);
        if (newline == NULL)
            return error_set(err,
                             "%s: ends with epoch %llu, but the model has %zu epochs: not the "
                             "table of this training; name another --csv",
                             path, (unsigned long long)epoch, last);
        at = (size_t)(newline - text) + 1;
        uint64_t next = *after >= '0' && *after <= '9' ? strtoull(after, &after, 10) : 0;
        if (*after != ',' || next == 0 || next > last || (epoch != 0 && next != epoch + 1))
            return error_set(err, "%s: the row after epoch %llu is not that of epoch %llu", path,
                             (unsigned long long)epoch, (unsigned long long)epoch + 1);
        epoch = next;
        if (epoch == known->epoch && !row_has_figures(text + row, newline, known))
            return error_set(err,
                             "%s: epoch %zu has other figures than the model: not the table of "
                             "this training; name another --csv",
                             path, known->epoch);
    }
    *end = at;
    return true;
}

bool curves_begin(Output *csv, Arena *arena, size_t last, const mlp_epoch *known, Error *err)
{
    char *text = NULL;
    size_t size, kept = 0;
    if (last > 0 && !table_read_old(&text, &size, csv, header, what, arena, err))
        return false;
    if (text == NULL) {
        fputs(header, csv->stream);
        return true;
    }
    const OldTable old = {text, size, csv->path};
    if (!find_end(&kept, &old, last, known, err))
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
    char text[256] = "";
    if (output_leads_to_stream(path) || is_empty(path))
        return true;
    FILE *file = fopen(path, "rb"); // what cannot be read is not known to be a table
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof text, file);
    if (file != NULL)
        (void)fclose(file);
    return check_header(text, size, path, header, what, err);
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
