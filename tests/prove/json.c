// The JSON reader (PROOF.md).
#include "prove.h"

#include "../../src/io/json.c"

// Bytes of the input of strings, and of all else.
enum { MOST_STRING = 8, MOST_INPUT = 64 };

// Up to MOST_STRING + 1 bytes of memory, which end where `pool` ends.
void *arena_alloc(Arena *arena, size_t count, size_t size, const char *what, Error *err)
{
    static char pool[MOST_STRING + 1];
    (void)arena;
    (void)what;
    //@ assert size == 1 && 1 <= count <= MOST_STRING + 1;
    memset(pool, 'x', sizeof pool);
    if (any_bool()) {
        error_set(err, "out of memory");
        return NULL;
    }
    return pool + sizeof pool - count;
}

// numbers.c's parser, of which the JSON reader needs no more than this.
bool parse_uint(const char *text, uint64_t *value)
{
    //@ assert \valid_read(text) && strlen(text) <= 23;
    *value = Frama_C_unsigned_long_interval(0, UINT64_MAX);
    return any_bool();
}

static char input[MOST_INPUT];
static Arena arena;
static Error error;

// The last n bytes of the input: what is read behind them is found, since there is no memory.
static JsonReader reader_of(size_t n)
{
    const char *start = input + sizeof input - n;
    Frama_C_make_unknown(input, sizeof input);
    return (JsonReader){start, start, input + sizeof input, &arena};
}

// Neither a quote nor white space, which prove_values skips.
static char any_other_byte(void)
{
    switch (Frama_C_interval_split(0, 4)) {
    case 0: return Frama_C_char_interval(-128, '\t' - 1);
    case 1: return Frama_C_char_interval('\n' + 1, '\r' - 1);
    case 2: return Frama_C_char_interval('\r' + 1, ' ' - 1);
    case 3: return '!';
    default: return Frama_C_char_interval('"' + 1, 127);
    }
}

// Every input of up to MOST_STRING bytes begins with a string, or is refused.
void prove_string(void)
{
    const char *text;
    size_t n = (size_t)Frama_C_interval_split(0, MOST_STRING);
    JsonReader json = reader_of(n);
    bool is_string = any_bool();
    if (is_string && n > 0)
        input[sizeof input - n] = '"';
    else if (n > 0)
        input[sizeof input - n] = any_other_byte();
    if (json_expect_string(&json, &text, &error)) {
        //@ assert json.start + 2 <= json.at <= json.end;
        //@ assert \valid_read(text);
        return;
    }
    //@ assert json.start <= json.at <= json.end;
}

static bool any_member(void *context, const char *key, Error *err)
{
    JsonReader *json = context;
    uint64_t value;
    (void)key;
    return any_bool() ? json_expect_uint(json, &value, err) : json_accept(json, 'x');
}

// Every input of up to MOST_INPUT bytes, for what takes no strings.
void prove_values(void)
{
    uint64_t value;
    JsonReader json = reader_of(Frama_C_size_t_interval(0, MOST_INPUT));
    switch (Frama_C_interval(0, 3)) {
    case 0: (void)json_accept(&json, Frama_C_char_interval(1, 127)); break;
    case 1: (void)json_expect(&json, Frama_C_char_interval(1, 127), &error); break;
    case 2: (void)json_expect_end(&json, &error); break;
    default: (void)json_expect_uint(&json, &value, &error);
    }
    //@ assert json.at <= json.end;
}
