// The header of a model file: model.c's parser with json.c (PROOF.md). Strings, which json.c's
// prove_string is about, are any text that ends in 0.
#include "prove.h"

#include "../../src/io/model.c"

// Bytes of a file, of a header, and of a string in it.
enum { MOST_FILE = 24, MOST_HEADER = 4096, MOST_TEXT = 256 };

static char text_bytes[MOST_TEXT + 1];

// Any string: its memory ends behind its 0, or later.
static const char *any_text(void)
{
    Frama_C_make_unknown(text_bytes, sizeof text_bytes);
    text_bytes[MOST_TEXT] = '\0';
    return text_bytes + Frama_C_interval(0, MOST_TEXT);
}

static bool is_at_beginning; // of its memory, so that all is known from there; else at its end

// Any place of the input that is at least so many bytes farther; false: there is none, perhaps.
static bool go_on(JsonReader *json, int bytes)
{
    int left = (int)(json->end - json->at), at = (int)(json->at - json->start) + bytes;
    int any = Frama_C_interval(0, MOST_HEADER);
    if (is_at_beginning && any >= at && any <= (int)(json->end - json->start))
        json->at = json->start + any;
    else if (!is_at_beginning && any <= left - bytes)
        json->at = json->end - any;
    else
        return false;
    return true;
}

bool json_expect_string(JsonReader *json, const char **text, Error *err)
{
    if (any_bool() || !go_on(json, 2)) { // two quotes at least
        (void)go_on(json, 0);
        return error_set(err, "failed");
    }
    *text = any_text();
    return true;
}

bool parse_uint(const char *text, uint64_t *value)
{
    //@ assert strlen(text) <= 23;
    *value = Frama_C_unsigned_long_interval(0, UINT64_MAX);
    return any_bool();
}

const Format *format_of(const unsigned char *head, size_t n)
{
    static const Format image = {FORMAT_IMAGE, "a name", NULL, "png"},
                        model = {FORMAT_MODEL, "a model", NULL, NULL};
    //@ assert \valid_read(head + (0 .. n - 1));
    return any_bool() ? NULL : any_bool() ? &image : &model;
}

static ModelFile file;
static Arena arena;
static Error error;

// Of every file of up to MOST_FILE bytes the header is found within the file, or it is refused.
void prove_parts(void)
{
    static unsigned char bytes[MOST_FILE];
    int n = Frama_C_interval_split(0, MOST_FILE);
    Frama_C_make_unknown((char *)bytes, sizeof bytes);
    file.bytes = bytes + sizeof bytes - n;
    file.size = (size_t)n;
    if (n >= 8) { // lengths of the header up to n one by one, and all others
        int length = Frama_C_interval_split(0, n + 8);
        memset(file.bytes, 0, 8);
        if (length <= n)
            file.bytes[0] = (unsigned char)length;
        else {
            Frama_C_make_unknown((char *)file.bytes, 8);
            file.bytes[length - n - 1] =
                Frama_C_unsigned_char_interval(length == n + 1 ? (unsigned char)n : 1, 255);
        }
    }
    if (model_find_parts(&file, &arena, &error)) {
        //@ assert file.json.start == (char *)file.bytes + 8 && file.json.at == file.json.start;
        //@ assert file.json.start + 2 <= file.json.end <= (char *)file.bytes + n;
        //@ assert (char *)file.data == file.json.end;
        //@ assert file.data_size <= n - 10;
    }
}

// Any state in which the parser may be, so also that at the beginning.
static void any_state(void)
{
    file.has_metadata = any_bool();
    file.n_metadata = Frama_C_size_t_interval(0, 2 * MODEL_MAX_ENTRIES);
    //@ loop unroll 128;
    for (size_t i = 0; i < 2 * MODEL_MAX_ENTRIES; i++) {
        file.metadata[i].key = any_text();
        file.metadata[i].value = any_text();
    }
    file.n_entries = Frama_C_size_t_interval(0, MODEL_MAX_TENSORS);
    //@ loop unroll 110;
    for (size_t i = 0; i < MODEL_MAX_TENSORS; i++)
        file.entries[i].name = any_text();
}

static void parse(char *start, char *end)
{
    file.json = (JsonReader){start, start, end, &arena};
    file.bytes = (unsigned char *)start - 8;
    if (json_expect_object(&file.json, parse_header_member, &file, &error) &&
        json_expect_end(&file.json, &error)) {
        //@ assert file.n_metadata <= 2 * MODEL_MAX_ENTRIES;
        //@ assert file.n_entries <= MODEL_MAX_TENSORS;
        return;
    }
}

static char header[8 + MOST_HEADER + 8];

// Every header of up to MOST_HEADER bytes at the end of its memory: nothing behind it is read.
void prove_end(void)
{
    char *end = header + sizeof header;
    Frama_C_make_unknown(header, sizeof header);
    any_state();
    is_at_beginning = false;
    parse(end - Frama_C_interval(2, MOST_HEADER), end);
}

// The same at the beginning: nothing before the file is read.
void prove_beginning(void)
{
    Frama_C_make_unknown(header, sizeof header);
    any_state();
    is_at_beginning = true;
    parse(header + 8, header + 8 + Frama_C_interval(2, MOST_HEADER));
}
