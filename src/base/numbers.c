// Strict numbers; see numbers.h.
#include "numbers.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool parse_uint(const char *text, uint64_t *value)
{
    uint64_t result = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (result > (UINT64_MAX - digit) / 10)
            return false;
        result = 10 * result + digit;
    }
    *value = result;
    return true;
}

bool parse_double(const char *text, double *value)
{
    // strtod alone would also take blanks, hexadecimal, "inf" and "nan".
    if (*text == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0')
        return false;
    char *end;
    double result = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(result))
        return false;
    *value = result;
    return true;
}

const char *format_shortest(char text[NUMBER_SIZE], double value)
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, NUMBER_SIZE, "%.*g", digits, value);
        if (!(strtod(text, NULL) < value) && !(strtod(text, NULL) > value))
            break;
    }
    return text;
}

const char *format_g9(char text[NUMBER_SIZE], double value)
{
    snprintf(text, NUMBER_SIZE, "%.9g", value);
    return text;
}
