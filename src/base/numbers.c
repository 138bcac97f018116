// Numbers as text, in the "C" locale: a program that uses the library may have set another one.
#include "numbers.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

static locale_t c_locale;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

// Sets this thread's locale and returns the one before, for uselocale.
static locale_t use_c_locale(void)
{
    static pthread_once_t made = PTHREAD_ONCE_INIT;
    (void)pthread_once(&made, make_c_locale);
    return uselocale(c_locale); // should it be 0, nothing changes
}

bool parse_uint(const char *text, uint64_t *value)
{
    uint64_t result = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        READER_STEPS(1);
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
    // strtod alone would also accept blanks, hexadecimal, "inf" and "nan".
    if (*text == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0')
        return false;
    char *end;
    locale_t before = use_c_locale();
    double result = strtod(text, &end);
    uselocale(before);
    if (end == text || *end != '\0' || !isfinite(result))
        return false;
    *value = result;
    return true;
}

const char *format_shortest(char text[NUMBER_SIZE], double value)
{
    locale_t before = use_c_locale();
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, NUMBER_SIZE, "%.*g", digits, value);
        double read = strtod(text, NULL);
        if (!(read < value) && !(read > value))
            break;
    }
    uselocale(before);
    return text;
}

const char *format_plain(char text[NUMBER_SIZE], double value)
{
    if (!(fabs(value) < 1e6) || fabs(value) > floor(fabs(value)))
        return format_shortest(text, value);
    snprintf(text, NUMBER_SIZE, "%d", (int)value);
    return text;
}

bool error_range(Error *err, const char *text, bool is_whole, double least, double most)
{
    char from[NUMBER_SIZE], to[NUMBER_SIZE];
    if (is_whole)
        return error_set(err, "'%.60s' is not a whole number from %.0f to %.0f", text, least, most);
    return error_set(err, "'%.60s' is not a number from %s to %s", text, format_plain(from, least),
                     format_plain(to, most));
}

const char *format_g9(char text[NUMBER_SIZE], double value)
{
    locale_t before = use_c_locale();
    snprintf(text, NUMBER_SIZE, "%.9g", value);
    uselocale(before);
    return text;
}
