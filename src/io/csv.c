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
