// The CSV writer; its rules are in csv.h. json.c is the other writer of this kind.
#include "csv.h"

#include "numbers.h"

#include <inttypes.h>
#include <string.h>

static void csv_separate(CsvWriter *csv)
{
    if (csv->has_fields)
        fputc(',', csv->out);
    csv->has_fields = true;
}

void csv_names(CsvWriter *csv, const char *names)
{
    csv_separate(csv);
    fputs(names, csv->out);
}

void csv_numbered_names(CsvWriter *csv, const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        csv_separate(csv);
        fprintf(csv->out, "%s%zu", name, i);
    }
}

void csv_string(CsvWriter *csv, const char *text)
{
    csv_separate(csv);
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, csv->out);
        return;
    }
    fputc('"', csv->out);
    for (; *text != '\0'; text++)
        fprintf(csv->out, *text == '"' ? "\"%c" : "%c", *text); // a quote is written twice
    fputc('"', csv->out);
}

void csv_uint(CsvWriter *csv, uint64_t value)
{
    csv_separate(csv);
    fprintf(csv->out, "%" PRIu64, value);
}

// Millions of pixels: digit by digit, which is many times as fast as printf.
void csv_bytes(CsvWriter *csv, const unsigned char *values, size_t n)
{
    enum { PIECE = 1024, LONGEST = 4 };
    char text[PIECE * LONGEST];
    for (size_t done = 0, end; done < n; done = end) {
        size_t length = 0;
        for (end = n - done < PIECE ? n : done + PIECE; done < end; done++) {
            unsigned value = values[done];
            if (csv->has_fields)
                text[length++] = ',';
            csv->has_fields = true;
            if (value >= 100)
                text[length++] = (char)('0' + value / 100);
            if (value >= 10)
                text[length++] = (char)('0' + value / 10 % 10);
            text[length++] = (char)('0' + value % 10);
        }
        fwrite(text, 1, length, csv->out);
    }
}

void csv_double(CsvWriter *csv, double value)
{
    char text[NUMBER_SIZE];
    csv_names(csv, format_g9(text, value));
}

void csv_exact(CsvWriter *csv, double value)
{
    char text[NUMBER_SIZE];
    csv_names(csv, format_shortest(text, value));
}

void csv_fixed(CsvWriter *csv, double value, int decimals)
{
    csv_separate(csv);
    fprintf(csv->out, "%.*f", decimals, value);
}

void csv_end_row(CsvWriter *csv)
{
    fputc('\n', csv->out);
    csv->has_fields = false;
}
