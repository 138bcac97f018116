// JSON, written with indentation and read value by value. Read json.h first; model.c is the
// reader's caller.
#include "json.h"

#include "numbers.h"

#include <math.h>
#include <string.h>

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Returns the length of the
// valid sequence at the start of n bytes, 0 when there is none.
size_t utf8_length(const unsigned char *s, size_t n)
{
    if (s[0] < 0x80)
        return 1;
    size_t length = s[0] >= 0xc2 && s[0] <= 0xdf   ? 2
                    : s[0] >= 0xe0 && s[0] <= 0xef ? 3
                    : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
                                                   : 0;
    if (length == 0 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool wrong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
                 (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f);
    return wrong ? 0 : length;
}

// JSON is UTF-8, a file name may be anything: what is not valid is shown as U+FFFD.
static void json_print_text(JsonWriter *json, const char *text)
{
    fputc('"', json->out);
    for (size_t left = strlen(text); left > 0;) {
        unsigned char c = (unsigned char)*text;
        size_t length = utf8_length((const unsigned char *)text, left);
        if (c == '"' || c == '\\')
            fprintf(json->out, "\\%c", c);
        else if (c < ' ' || (c == '<' && json->in_html))
            fprintf(json->out, "\\u%04x", c);
        else if (length == 0)
            fputs("\\ufffd", json->out);
        else
            fwrite(text, 1, length, json->out);
        length += length == 0;
        text += length;
        left -= length;
    }
    fputc('"', json->out);
}

static void json_new_line(JsonWriter *json)
{
    fprintf(json->out, "\n%*s", (int)(2 * json->depth), "");
}

// Begins a value: the comma after the one before, its line, its key.
static void json_begin_item(JsonWriter *json, const char *key)
{
    if (json->has_items)
        fputs(json->one_line ? ", " : ",", json->out);
    if (json->depth > 0 && !json->one_line)
        json_new_line(json);
    if (key != NULL) {
        json_print_text(json, key);
        fputs(": ", json->out);
    }
    json->has_items = true;
}

void json_open(JsonWriter *json, const char *key, char bracket)
{
    json_begin_item(json, key);
    fputc(bracket, json->out);
    json->depth++;
    json->has_items = false;
    json->one_line = false;
}

void json_close(JsonWriter *json, char bracket)
{
    json->depth--;
    if (json->has_items && !json->one_line)
        json_new_line(json);
    fputc(bracket, json->out);
    json->has_items = true;
    json->one_line = false;
    if (json->depth == 0)
        fputc('\n', json->out);
}

void json_string(JsonWriter *json, const char *key, const char *text)
{
    json_begin_item(json, key);
    json_print_text(json, text);
}

// An array whose first element is a number stays on one line.
static void json_print_number(JsonWriter *json, const char *key, const char *number)
{
    if (key == NULL && !json->has_items)
        json->one_line = true;
    json_begin_item(json, key);
    fputs(number, json->out);
}

void json_uint(JsonWriter *json, const char *key, uint64_t value)
{
    char text[NUMBER_SIZE];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    json_print_number(json, key, text);
}

void json_bool(JsonWriter *json, const char *key, bool value)
{
    json_begin_item(json, key);
    fputs(value ? "true" : "false", json->out);
}

void json_null(JsonWriter *json, const char *key)
{
    json_begin_item(json, key);
    fputs("null", json->out);
}

void json_double(JsonWriter *json, const char *key, double value)
{
    char text[NUMBER_SIZE];
    json_print_number(json, key, isfinite(value) ? format_g9(text, value) : "null");
}

void json_exact(JsonWriter *json, const char *key, double value)
{
    char text[NUMBER_SIZE];
    json_print_number(json, key, isfinite(value) ? format_shortest(text, value) : "null");
}

static void json_skip_blanks(JsonReader *json)
{
    while (json->at < json->end &&
           (*json->at == ' ' || *json->at == '\t' || *json->at == '\n' || *json->at == '\r')) {
        READER_STEPS(1);
        json->at++;
    }
}

static bool json_error(const JsonReader *json, const char *expected, Error *err)
{
    return error_set(err, "JSON byte %zu: expected %s", (size_t)(json->at - json->start), expected);
}

bool json_accept(JsonReader *json, char punctuation)
{
    READER_STEPS(1);
    json_skip_blanks(json);
    if (json->at == json->end || *json->at != punctuation)
        return false;
    json->at++;
    return true;
}

bool json_expect(JsonReader *json, char punctuation, Error *err)
{
    char expected[] = "' '";
    expected[1] = punctuation;
    return json_accept(json, punctuation) || json_error(json, expected, err);
}

bool json_expect_end(JsonReader *json, Error *err)
{
    json_skip_blanks(json);
    return json->at == json->end || json_error(json, "the end", err);
}

bool json_expect_uint(JsonReader *json, uint64_t *value, Error *err)
{
    json_skip_blanks(json);
    char digits[24] = "";
    size_t n = 0;
    const char *at = json->at;
    while (at < json->end && *at >= '0' && *at <= '9' && n + 1 < sizeof digits) {
        READER_STEPS(1);
        digits[n++] = *at++;
    }
    bool leading_zero = n > 1 && digits[0] == '0';
    if (leading_zero || !parse_uint(digits, value))
        return json_error(json, "a whole number below 2^64", err);
    json->at = at;
    return true;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// After a backslash: reads one of the escapes of a single ASCII character. What else JSON knows, a
// UTF-16 code beyond it, no file of ours has: its text is UTF-8.
static bool json_read_escape(JsonReader *json, char *c)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter = *json->at == '\0' ? NULL : strchr(letters, *json->at);
    json->at++;
    if (letter != NULL) {
        *c = meanings[letter - letters];
        return true;
    }
    if (json->at[-1] != 'u' || json->end - json->at < 4)
        return false;
    const char *digits = json->at;
    int code = 0;
    json->at += 4;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(digits[i]);
        if (digit < 0)
            return false;
        code = 16 * code + digit;
    }
    *c = (char)code;
    return code > 0 && code < 0x80;
}

bool json_expect_string(JsonReader *json, const char **text, Error *err)
{
    if (!json_accept(json, '"'))
        return json_error(json, "a string", err);
    // No escape is shorter than what it stands for: the length of the input is room enough.
    const char *close = json->at;
    while (close < json->end && *close != '"') {
        READER_STEPS(1);
        close += *close == '\\' && close + 1 < json->end ? 2 : 1;
    }
    if (close >= json->end)
        return json_error(json, "the string to end", err);
    char *out = arena_alloc(json->arena, (size_t)(close - json->at) + 1, 1, "a JSON string", err);
    if (out == NULL)
        return false;
    size_t n = 0;
    while (*json->at != '"') {
        unsigned char c = (unsigned char)*json->at;
        READER_STEPS(1);
        if (c < ' ')
            return json_error(json, "no control character in a string", err);
        if (c == '\\') {
            json->at++;
            if (!json_read_escape(json, &out[n++]))
                return json_error(json, "a valid escape before here", err);
            continue;
        }
        size_t length = utf8_length((const unsigned char *)json->at, (size_t)(close - json->at));
        if (length == 0)
            return json_error(json, "valid UTF-8", err);
        memcpy(out + n, json->at, length);
        n += length;
        json->at += length;
    }
    json->at++;
    out[n] = '\0';
    *text = out;
    return true;
}

bool json_expect_object(JsonReader *json, JsonMember *member, void *context, Error *err)
{
    const char *key = NULL;
    if (!json_expect(json, '{', err))
        return false;
    if (json_accept(json, '}'))
        return true;
    do
        if (!json_expect_string(json, &key, err) || !json_expect(json, ':', err) ||
            !member(context, key, err))
            return false;
    while (json_accept(json, ','));
    return json_expect(json, '}', err);
}
