// The table of curves; see curves.h.
#include "curves.h"

#include "numbers.h"
#include "source.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static const char header[] = "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,"
                             "learning_rate,seconds\n";

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

// What a row has of an epoch that can be measured again.
static void row_figures(char *text, size_t size, const EpochReport *report)
{
    char n[3][NUMBER_SIZE];
    snprintf(text, size, ",%s,%s,%s,", format_g9(n[0], report->validation_loss),
             format_g9(n[1], report->validation_accuracy),
             format_shortest(n[2], report->learning_rate));
}

static bool begins_as_table(const char *text, size_t size, const char *path, Error *err)
{
    size_t length = strlen(header);
    if (size >= length && memcmp(text, header, length) == 0)
        return true;
    return error_set(err,
                     "%s: is not a table of curves, and would be replaced; name another file with "
                     "--csv",
                     path);
}

static bool contains(const char *text, size_t length, const char *wanted)
{
    size_t n = strlen(wanted);
    for (size_t i = 0; i + n <= length; i++)
        if (memcmp(text + i, wanted, n) == 0)
            return true;
    return false;
}

// Finds how many bytes of the table hold the header and the rows up to that of *last, which follow
// one another. What comes after them, a row cut short by a crash included, is not looked at.
static bool find_kept(size_t *kept, const char *text, size_t size, const char *path,
                      const EpochReport *last, Error *err)
{
    size_t at = strlen(header), length = 0, done = last->epoch;
    uint64_t epoch = 0;
    char figures[4 * NUMBER_SIZE];
    if (!begins_as_table(text, size, path, err))
        return false;
    for (; epoch < done; at += length + 1) {
        const char *end = memchr(text + at, '\n', size - at);
        if (end == NULL)
            return error_set(
                err,
                "%s: ends with epoch %llu, but the model has %zu epochs: not the table "
                "of this training; name another --csv",
                path, (unsigned long long)epoch, done);
        length = (size_t)(end - (text + at));
        uint64_t next = row_epoch(text + at, length);
        if (next == 0 || next > done || (epoch != 0 && next != epoch + 1))
            return error_set(err, "%s: the row after epoch %llu is not that of epoch %llu", path,
                             (unsigned long long)epoch, (unsigned long long)epoch + 1);
        epoch = next;
    }
    row_figures(figures, sizeof figures, last);
    if (!contains(text + at - length - 1, length, figures))
        return error_set(err,
                         "%s: epoch %zu has other figures than the model: not the table of this "
                         "training; name another --csv",
                         path, done);
    *kept = at;
    return true;
}

// Copies what is kept of an older table.
static bool copy_kept(Output *csv, Arena *arena, const EpochReport *last, Error *err)
{
    const size_t max_size = (size_t)1 << 30;
    unsigned char *text;
    size_t size, kept = 0;
    if (!file_read(&text, &size, arena, csv->path, max_size, "a table of curves", err) ||
        !find_kept(&kept, (const char *)text, size, csv->path, last, err))
        return false;
    fwrite(text, 1, kept, csv->stream);
    return true;
}

bool curves_begin(Output *csv, Arena *arena, const EpochReport *last, Error *err)
{
    struct stat status; // a stream has no older rows
    if (last != NULL && !output_is_stream(csv) && stat(csv->path, &status) == 0 &&
        status.st_size > 0)
        return copy_kept(csv, arena, last, err);
    fputs(header, csv->stream);
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
    if (length > NAME_MAX - 4) // the table's name must be possible, too, and no character cut
        for (length = NAME_MAX - 4; length > 0 && (name[length] & 0xc0) == 0x80;)
            length--;
    return arena_printf(arena, err, "%.*s.csv", (int)(name - model + (ptrdiff_t)length), model);
}

bool curves_may_replace(const char *path, Error *err)
{
    Error ignored; // what cannot be read is not known to be a table
    Source source;
    char text[sizeof header] = "";
    struct stat status;
    if (output_leads_to_stream(path) || stat(path, &status) != 0 || status.st_size == 0)
        return true;
    if (source_open(&source, path, &ignored)) {
        (void)source_read(&source, text, strlen(header), &ignored);
        source_close(&source, false, &ignored);
    }
    return begins_as_table(text, strlen(header), path, err);
}

bool curves_add(Output *csv, const EpochReport *report, Error *err)
{
    char n[5][NUMBER_SIZE];
    fprintf(csv->stream, "%zu,%s,%s,%s,%s,%s,%.4f\n", report->epoch,
            format_g9(n[0], report->train_loss), format_g9(n[1], report->train_accuracy),
            format_g9(n[2], report->validation_loss), format_g9(n[3], report->validation_accuracy),
            format_shortest(n[4], report->learning_rate), report->seconds);
    return output_publish(csv, err);
}
