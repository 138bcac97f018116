// CSV (RFC 4180), as the program writes it: a header row, then one row per item, lines end in "\n".
// Every table of the program is written with these functions, but for what a table that is
// continued is compared with, which is made as text: headers, and how a row begins. Knows no table,
// opens no file: below it is a stream, whose errors output.h finds.
#ifndef MLP_CSV_H
#define MLP_CSV_H

#include "base.h"

#include <stdio.h>

// Begin with (CsvWriter){.out = stream}; a row begins with its first field.
typedef struct CsvWriter {
    FILE *out;
    bool has_fields; // the row has some, and so the next one needs a comma
} CsvWriter;

// Column names as they are, separated by commas; more fields may follow.
void csv_names(CsvWriter *csv, const char *names);
// The column names name0, name1, ..., n of them.
void csv_numbered_names(CsvWriter *csv, const char *name, size_t n);

// One field. A string is quoted where it must be.
void csv_string(CsvWriter *csv, const char *text);
void csv_uint(CsvWriter *csv, uint64_t value);
void csv_bytes(CsvWriter *csv, const unsigned char *values, size_t n); // n fields
void csv_double(CsvWriter *csv, double value);                         // as format_g9 does
void csv_exact(CsvWriter *csv, double value);                          // as format_shortest does
void csv_fixed(CsvWriter *csv, double value, int decimals);

void csv_end_row(CsvWriter *csv);

#endif
