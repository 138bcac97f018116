// JSON (RFC 8259), as much as the program needs. The writer prints reports. The reader takes one
// value after another, without recursion, and refuses what its caller does not expect; model.c is
// its caller.
#ifndef MLP_JSON_H
#define MLP_JSON_H

#include "base.h"

#include <stdio.h>

typedef struct JsonWriter {
    FILE *out;
    unsigned depth; // of open objects and arrays
    bool has_items; // the innermost one has, and so the next needs a comma
    bool one_line;  // the innermost one is an array of numbers
    bool in_html;   // set by the caller: "<" in a text is escaped, so that no element ends in it
} JsonWriter;

// Objects are opened with '{', arrays with '[', and closed with their other bracket. `key` is NULL
// for an element of an array and for the outermost value.
void json_open(JsonWriter *json, const char *key, char bracket);
void json_close(JsonWriter *json, char bracket);
void json_string(JsonWriter *json, const char *key, const char *text);
void json_uint(JsonWriter *json, const char *key, uint64_t value);
void json_bool(JsonWriter *json, const char *key, bool value);
void json_null(JsonWriter *json, const char *key);
// As format_g9 does; null when it is not finite.
void json_double(JsonWriter *json, const char *key, double value);
// As format_shortest does; null when it is not finite.
void json_exact(JsonWriter *json, const char *key, double value);

// Number of bytes of the UTF-8 character at the start of n bytes; 0: they do not start with one.
size_t utf8_length(const unsigned char *s, size_t n);

typedef struct JsonReader {
    const char *start, *at, *end;
    Arena *arena; // owns the strings
} JsonReader;

// Each skips white space and fails, naming the offset, unless exactly this comes next.
bool json_expect(JsonReader *json, char punctuation, Error *err);
bool json_expect_uint(JsonReader *json, uint64_t *value, Error *err);
// The string has its escapes replaced, ends in 0 and is valid UTF-8. Escapes of other characters
// than ASCII, and \u0000, are refused.
bool json_expect_string(JsonReader *json, const char **text, Error *err);

// An object: `member` is called after each key and its colon, and reads the value.
typedef bool JsonMember(void *context, const char *key, Error *err);
bool json_expect_object(JsonReader *json, JsonMember *member, void *context, Error *err);

// Skips white space and says whether this comes next, taking it if so.
bool json_accept(JsonReader *json, char punctuation);

// Fails unless only white space is left.
bool json_expect_end(JsonReader *json, Error *err);

#endif
