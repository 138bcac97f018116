// Numbers as text: the one strict parser for every number that a user or a file supplies, and the
// formats of every number that is written, whatever the locale is.
#ifndef MLP_NUMBERS_H
#define MLP_NUMBERS_H

#include "base.h"

// Accepts digits only, to the end of the text. False when it is anything else or does not fit.
bool parse_uint(const char *text, uint64_t *value);

// Accepts a whole text that is a finite decimal number ("1e-4", "-2.5"). False for anything else:
// no hexadecimal, inf, nan, blanks, or a number beyond a double's range.
bool parse_double(const char *text, double *value);

enum { NUMBER_SIZE = 64 };

// Writes the shortest decimal that reads back as the same double: settings of format 1, where ten
// is 1e+01.
const char *format_shortest(char text[NUMBER_SIZE], double value);

// The same, but whole numbers below a million have no exponent: all other settings.
const char *format_plain(char text[NUMBER_SIZE], double value);

// Says that text is not a number, or not a whole one, from least to most. Returns false.
bool error_range(Error *err, const char *text, bool is_whole, double least, double most);

// Writes nine significant digits: everything measured, equal wherever it is shown as data.
const char *format_g9(char text[NUMBER_SIZE], double value);

#endif
