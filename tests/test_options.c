// Command lines, numbers and words, JSON, checksums and memory.
#include "json.h"
#include "numbers.h"
#include "options.h"
#include "test.h"

#include <math.h>

// ---------------------------------------------------------------------------------------------
// Numbers

static void counts_take_digits_only(void)
{
    static const char *const wrong[] = {
        "", "5x", "-1", "+1", " 1", "1 ", "1.", "0x1", "1e3", "a", "18446744073709551616"};
    uint64_t value = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(!parse_uint(wrong[i], &value) && value == 7, "'%s' was taken", wrong[i]);
    CHECK(parse_uint("18446744073709551615", &value) && value == UINT64_MAX, "2^64 - 1");
    CHECK(parse_uint("007", &value) && value == 7, "007");
}

static void reals_take_finite_decimals_only(void)
{
    static const char *const wrong[] = {"",   "5x", "nan", "inf", "-inf", "1e999", "0x10", " 1",
                                        "1 ", "1e", ".",   "-",   "1,5",  "--1",   "1e1e1"};
    double value = 7.0;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(!parse_double(wrong[i], &value), "'%s' was taken", wrong[i]);
    CHECK(parse_double("1e-4", &value) && fabs(value - 1e-4) < 1e-20, "1e-4");
    CHECK(parse_double("-.5", &value) && value < 0.0, "-.5");
}

static void shortest_numbers_read_back_as_the_same_double(void)
{
    static const double values[] = {0.1,    1e-4,    1.0 / 3.0, 0.3084948910638255,
                                    5e-324, 1.7e308, -2.5};
    char text[NUMBER_SIZE];
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        double back = strtod(format_shortest(text, values[i]), NULL);
        CHECK(memcmp(&back, &values[i], sizeof back) == 0, "%s", text);
    }
    CHECK(strcmp(format_shortest(text, 1e-4), "0.0001") == 0, "%s", text);
    CHECK(strcmp(format_shortest(text, 0.1), "0.1") == 0, "%s", text);
    CHECK(strcmp(format_shortest(text, 10.0), "1e+01") == 0, "%s", text); // as models of format 1
}

static void plain_numbers_have_no_exponent_where_they_are_whole(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.0, "0"},         {-0.0, "0"},     {10.0, "10"},    {180.0, "180"},
                 {-4096.0, "-4096"}, {7.5, "7.5"},    {0.1, "0.1"},    {999999.0, "999999"},
                 {1e6, "1e+06"},     {1e38, "1e+38"}, {1e-5, "1e-05"}, {123.25, "123.25"}};
    char text[NUMBER_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK(strcmp(format_plain(text, cases[i].value), cases[i].text) == 0, "%s, not %s", text,
              cases[i].text);
    CHECK(strcmp(format_plain(text, (double)NAN), "nan") == 0, "%s", text);
}

static void words_are_compared_by_edits(void)
{
    CHECK(word_distance("train", "train") == 0, "equal");
    CHECK(word_distance("trian", "train") == 1, "neighbours swapped");
    CHECK(word_distance("", "abc") == 3 && word_distance("abc", "") == 3, "against nothing");
    CHECK(word_distance("kitten", "sitting") == 3, "kitten, sitting");
    static const char *const names[] = {"train", "eval", NULL};
    CHECK(word_nearest("evla", names) == names[1], "evla");
    CHECK(word_nearest("something", names) == NULL, "something");
}

static void words_of_other_programs_are_known(void)
{
    static const char *const flags[] = {"batch", "lr", "learn", "threads", "csv", NULL};
    CHECK(word_nearest("--batch-size", flags) == flags[0], "--batch-size");
    CHECK(word_nearest("Batch_Size", flags) == flags[0], "Batch_Size");
    CHECK(word_nearest("learning-rate", flags) == flags[1], "learning-rate");
    CHECK(word_nearest("learing-rate", flags) == flags[1], "learing-rate");
    CHECK(word_nearest("learm", flags) == flags[2], "a near word of ours comes first");
    CHECK(word_nearest("-j", flags) == flags[3], "-j");
    CHECK(word_nearest("-k", flags) == NULL, "short words are not guessed");
    CHECK(word_nearest("out", flags) == flags[4], "out, where there is no output");
    static const char *const commands[] = {"train", "eval", NULL};
    CHECK(word_nearest("test", commands) == commands[1], "test");
    CHECK(word_nearest("classify", commands) == NULL, "what is lacking is not suggested");
    char longest[100];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    CHECK(word_nearest(longest, flags) == NULL, "99 letters");
    CHECK(word_nearest("", flags) == NULL && word_nearest("--", flags) == NULL, "no letter");
}

// ---------------------------------------------------------------------------------------------
// Command lines

static uint64_t count;
static double real;
static const char *text, *choice;
static bool flag;
static const char *const choices[] = {"red", "green", NULL};
static OptionTable table;
static const Command command = {.name = "test",
                                .arguments = "MODEL",
                                .summary = "test",
                                .about = "A command for tests.",
                                .examples = {"mlp test a", "mlp test b"}};
static Arguments words;
static Error why;

// The defaults, and the rows.
static void fill_table(void)
{
    count = 5;
    real = 0.5;
    text = "default";
    choice = choices[0];
    flag = false;
    table.n = 0;
    const Option rows[] = {
        OPT_UINT("count", &count, 1, 100, "N", "a count", .letter = 'c'),
        OPT_DOUBLE("real", &real, -1, 1, "R", "a number"),
        OPT_STRING("text", &text, "TEXT", "a text", .letter = 't'),
        OPT_CHOICE("choice", &choice, choices, "a choice"),
        OPT_BOOL("flag", &flag, "a flag", .letter = 'f', .excludes = "text"),
    };
    options_add(&table, rows, sizeof rows / sizeof rows[0]);
}

// Parses the words, up to NULL, from fresh defaults.
static ParseResult parse(const char *const line[])
{
    char *argv[16];
    int argc = 0;
    for (; line[argc] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)line[argc];
    fill_table();
    why.text[0] = '\0';
    return options_parse(&command, &table, NULL, &words, argc, argv, &why);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void flags_take_values_in_every_form(void)
{
    CHECK(PARSE("m") == PARSE_OK && count == 5 && strcmp(words.model, "m") == 0, "%s", why.text);
    CHECK(PARSE("--count", "7", "m") == PARSE_OK && count == 7, "%s", why.text);
    CHECK(PARSE("m", "--count=8") == PARSE_OK && count == 8, "%s", why.text);
    CHECK(PARSE("-c", "9", "m") == PARSE_OK && count == 9, "%s", why.text);
    CHECK(PARSE("--real", "-0.25", "m") == PARSE_OK && real < 0.0, "%s", why.text);
    CHECK(PARSE("--text=", "m") == PARSE_WRONG, "an empty text");
    CHECK(PARSE("--text=-x", "m") == PARSE_OK && strcmp(text, "-x") == 0, "%s", why.text);
    CHECK(PARSE("--choice", "green", "m") == PARSE_OK && choice == choices[1], "%s", why.text);
    CHECK(PARSE("-f", "m") == PARSE_OK && flag, "%s", why.text);
    CHECK(PARSE("--count", "1", "--count", "2", "m") == PARSE_OK && count == 2, "the last wins");
    CHECK(PARSE("--", "--count") == PARSE_OK && strcmp(words.model, "--count") == 0, "%s",
          why.text);
    CHECK(PARSE("-") == PARSE_OK && strcmp(words.model, "-") == 0, "%s", why.text);
    CHECK(PARSE("--help") == PARSE_HELP && PARSE("m", "-h") == PARSE_HELP, "help");
}

static void wrong_lines_are_refused_by_name(void)
{
    static const struct {
        const char *words[4];
        const char *says;
    } cases[] = {
        {{"--cuont", "7", "m"}, "'--count'"},
        {{"--coun=7", "m"}, "'--count'"},
        {{"-x", "m"}, "'-x'"},
        {{"-c7", "m"}, "'-c7'"},
        {{"m", "--count"}, "--count needs a value"},
        {{"--count", "--flag", "m"}, "'--flag' follows"},
        {{"--count", "0", "m"}, "--count: '0'"},
        {{"--count", "101", "m"}, "from 1 to 100"},
        {{"--count", "-1", "m"}, "--count: '-1'"},
        {{"--count", "", "m"}, "--count: ''"},
        {{"--real", "1.5", "m"}, "--real: '1.5'"},
        {{"--real", "1e999", "m"}, "--real"},
        {{"--real=nan", "m"}, "--real: 'nan'"},
        {{"--choice", "blue", "m"}, "red, green"},
        {{"--count", "=", "7"}, "--count=N"},
        {{"--text", "=x", "m"}, "--text=x"},
        {{"--model", "m"}, "the MODEL is written without a flag: mlp test MODEL"},
        {{"-count", "7"}, "did you mean '--count'"},
        {{"-count=7"}, "unknown flag '-count' of"},
        {{"\xe2\x80\x93\xe2\x80\x93"
          "flag"},
         "begins with a dash that is not '-'"},
        {{"\xe2\x88\x92"
          "f"},
         "begins with a dash that is not '-'"},
        {{"-\xe2\x80\x90"}, "a dash that is not '-'"},
        {{"--flag=yes", "m"}, "--flag takes no value"},
        {{"m", "n"}, "unexpected argument 'n'"},
        {{"m", "-f", "--text=x"}, "--text and --flag cannot be combined"},
        {{"--flag"}, "needs a MODEL"},
        {{""}, "empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK(parse(cases[i].words) == PARSE_WRONG, "case %zu was accepted", i);
        CHECK(strstr(why.text, cases[i].says) != NULL, "no \"%s\" in: %s", cases[i].says, why.text);
    }
}

static void what_was_given_is_known(void)
{
    CHECK(PARSE("m", "--count", "5", "-f") == PARSE_OK && options_given(&table, &count) &&
              options_given(&table, &flag) && !options_given(&table, &real),
          "--count and -f were given, --real was not");
    CHECK(PARSE("m") == PARSE_OK && !options_given(&table, &count), "nothing was given");
}

// As a command does whose defaults depend on another option.
static bool set_real(const OptionTable *options, void *value, Error *err)
{
    if (!options_given(options, value))
        *(double *)value = flag ? 0.25 : 0.75;
    return *(double *)value < 0.9 || error_set(err, "%g is too much", *(double *)value);
}

static void defaults_may_depend_on_other_options(void)
{
    char given[3][12] = {"m", "-f", "--real=0"};
    char *argv[] = {given[0], given[1], given[2]};
    const Command dependent = {.name = "test", .arguments = "MODEL", .defaults = set_real};
    fill_table();
    CHECK(options_parse(&dependent, &table, &real, &words, 2, argv, &why) == PARSE_OK &&
              real == 0.25,
          "%g", real);
    CHECK(options_parse(&dependent, &table, &real, &words, 3, argv, &why) == PARSE_OK &&
              real == 0.0,
          "%g", real);
    snprintf(given[2], sizeof given[2], "--real=1");
    CHECK(options_parse(&dependent, &table, &real, &words, 3, argv, &why) == PARSE_WRONG &&
              strstr(why.text, "too much") != NULL,
          "%s", why.text);
}

static void help_shows_live_defaults(void)
{
    static char shown[4096];
    fill_table();
    count = 42;
    FILE *out = tmpfile();
    REQUIRE(out != NULL, "no temporary file");
    options_print_help(out, &command, &table);
    rewind(out);
    shown[fread(shown, 1, sizeof shown - 1, out)] = '\0';
    fclose(out);
    CHECK(strstr(shown, "(default 42)") != NULL && strstr(shown, "-c, --count N") != NULL &&
              strstr(shown, "mlp test b") != NULL,
          "%s", shown);
    for (char *line = strtok(shown, "\n"); line != NULL; line = strtok(NULL, "\n"))
        CHECK(strlen(line) <= 80, "wider than 80 columns: %s", line);
}

// ---------------------------------------------------------------------------------------------
// JSON

// Reads `json` as one string; NULL when it is refused.
static const char *json_string_of(const char *json, Arena *arena)
{
    JsonReader reader = {json, json, json + strlen(json), arena};
    const char *value;
    Error err;
    return json_expect_string(&reader, &value, &err) && json_expect_end(&reader, &err) ? value
                                                                                       : NULL;
}

static void json_strings_are_decoded_or_refused(void)
{
    static const struct {
        const char *json, *value;
    } good[] = {{"\"\"", ""},
                {" \"a\\\"b\\\\c\\/\" ", "a\"b\\c/"},
                {"\"\\b\\f\\n\\r\\t\"", "\b\f\n\r\t"},
                {"\"\\u0041\\u001f\\u007f\"", "A\x1f\x7f"},
                {"\"\xc3\xa9\xf0\x9f\x98\x80\"", "\xc3\xa9\xf0\x9f\x98\x80"}};
    static const char *const bad[] = {"",
                                      "\"",
                                      "\"a",
                                      "\"\\\"",
                                      "\"\\",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      "\"\\u0000\"",
                                      "\"\\u0080\"",
                                      "\"\\u00e9\"",
                                      "\"\\uD83D\\ude00\"",
                                      "\"\\ud800\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\\udc00\"",
                                      "\"\n\"",
                                      "\"\x80\"",
                                      "\"\xc0\xaf\"",
                                      "\"\xc3\"",
                                      "\"\xe0\x80\x80\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"\xf4\x90\x80\x80\"",
                                      "\"\xf5\x80\x80\x80\"",
                                      "\"a\" x",
                                      "a"};
    Arena arena = {0};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const char *value = json_string_of(good[i].json, &arena);
        CHECK(value != NULL && strcmp(value, good[i].value) == 0, "%s", good[i].json);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(json_string_of(bad[i], &arena) == NULL, "case %zu was accepted", i);
    arena_free(&arena);
}

// By the definition of RFC 3629: the code point of a sequence, and whether it needs its length.
static size_t utf8_length_by_definition(const unsigned char *s, size_t n)
{
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t ones = 0;
    while (ones < 8 && (s[0] << ones & 0x80) != 0)
        ones++;
    size_t length = ones == 0 ? 1 : ones;
    unsigned long code = s[0] & (0xffU >> (ones + 1));
    if (ones == 1 || ones > 4 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (s[i] >> 6 != 2)
            return 0;
        code = code << 6 | (s[i] & 0x3fU);
    }
    bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < least[length] || is_surrogate || code > 0x10ffff ? 0 : length;
}

static void utf8_is_that_of_its_definition(void)
{
    static const unsigned char others[] = {0, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            for (size_t k = 0; k < 36; k++)
                for (size_t n = 1; n <= 4; n++) {
                    const unsigned char s[4] = {(unsigned char)a, (unsigned char)b, others[k % 6],
                                                others[k / 6]};
                    size_t found = utf8_length(s, n), right = utf8_length_by_definition(s, n);
                    if (found != right) // CHECK's text takes longer than all of the loop
                        CHECK(found == right, "%02x %02x %02x %02x, of %zu: %zu, not %zu", a, b,
                              s[2], s[3], n, found, right);
                }
}

static void json_numbers_are_whole_and_below_2_to_the_64(void)
{
    static const struct {
        const char *json;
        uint64_t value;
        const char *rest; // NULL: it is refused
    } cases[] = {{"0", 0, ""},
                 {" \t\r\n7,", 7, ","},
                 {"10 ]", 10, " ]"},
                 {"18446744073709551615", UINT64_MAX, ""},
                 {"18446744073709551616", 0, NULL},
                 {"00", 0, NULL},
                 {"01", 0, NULL},
                 {"-1", 0, NULL},
                 {"", 0, NULL},
                 {"x", 0, NULL},
                 {"100000000000000000000000000000000000000000", 0, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *json = cases[i].json;
        JsonReader reader = {json, json, json + strlen(json), NULL};
        uint64_t value = 0;
        Error err = {""};
        bool ok = json_expect_uint(&reader, &value, &err);
        CHECK(ok == (cases[i].rest != NULL), "'%s': %s", json, ok ? "accepted" : err.text);
        CHECK(!ok || (value == cases[i].value && strcmp(reader.at, cases[i].rest) == 0),
              "'%s': %llu, before '%s'", json, (unsigned long long)value, reader.at);
        CHECK(ok || strstr(err.text, "expected a whole number below 2^64") != NULL, "'%s': %s",
              json, err.text);
    }
    const char *digits = "123"; // the input ends before the digits do
    JsonReader reader = {digits, digits, digits + 2, NULL};
    uint64_t value = 0;
    Error err;
    CHECK(json_expect_uint(&reader, &value, &err) && value == 12, "%llu",
          (unsigned long long)value);
}

// Adds a member to a text.
static bool note_member(void *context, const char *key, Error *err)
{
    struct Notes {
        JsonReader json;
        char text[64];
    } *notes = context;
    uint64_t value;
    if (!json_expect_uint(&notes->json, &value, err))
        return false;
    size_t used = strlen(notes->text);
    snprintf(notes->text + used, sizeof notes->text - used, "%s=%d;", key, (int)value);
    return true;
}

static void json_objects_are_read_member_by_member(void)
{
    static const struct {
        const char *json, *members; // or the error
    } cases[] = {{" { } ", ""},
                 {"{\"a\":1}", "a=1;"},
                 {" {\"a\" : 1 , \"b\\n\":2 }", "a=1;b\n=2;"},
                 {"", "JSON byte 0: expected '{'"},
                 {"{", "JSON byte 1: expected a string"},
                 {"{1", "JSON byte 1: expected a string"},
                 {"{\"a\"", "JSON byte 4: expected ':'"},
                 {"{\"a\":x", "JSON byte 5: expected a whole number"},
                 {"{\"a\":1", "JSON byte 6: expected '}'"},
                 {"{\"a\":1,", "JSON byte 7: expected a string"},
                 {"{\"a\":1,}", "JSON byte 7: expected a string"},
                 {"{\"a\":1 \"b\":2}", "JSON byte 7: expected '}'"},
                 {"{\"a", "JSON byte 2: expected the string to end"},
                 {"{\"a\1\":1}", "JSON byte 3: expected no control character in a string"},
                 {"{\"a\\x\":1}", "JSON byte 5: expected a valid escape before here"},
                 {"{\"\xff\":1}", "JSON byte 2: expected valid UTF-8"},
                 {"{}x", "JSON byte 2: expected the end"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Arena arena = {0};
        Error err = {""};
        const char *json = cases[i].json;
        struct {
            JsonReader json;
            char text[64];
        } notes = {{json, json, json + strlen(json), &arena}, ""};
        bool ok = json_expect_object(&notes.json, note_member, &notes, &err) &&
                  json_expect_end(&notes.json, &err);
        const char *found = ok ? notes.text : err.text;
        CHECK(ok ? strcmp(found, cases[i].members) == 0
                 : strncmp(found, "JSON", 4) == 0 && strstr(found, cases[i].members) == found,
              "%s gives '%s', not '%s'", json, found, cases[i].members);
        arena_free(&arena);
    }
}

static void text_in_json_is_utf8_and_safe_in_html(void)
{
    static const struct {
        const char *text, *json, *in_html;
    } cases[] = {{"a<b>", "\"a<b>\"\n", "\"a\\u003cb>\"\n"},
                 {"\xc3\xa9 \xc3", "\"\xc3\xa9 \\ufffd\"\n", "\"\xc3\xa9 \\ufffd\"\n"},
                 {"\xff\x1f \\", "\"\\ufffd\\u001f \\\\\"\n", "\"\\ufffd\\u001f \\\\\"\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int in_html = 0; in_html < 2; in_html++) {
            const char *right = in_html != 0 ? cases[i].in_html : cases[i].json;
            char *found = NULL;
            size_t size = 0;
            FILE *out = open_memstream(&found, &size);
            REQUIRE(out != NULL, "no memory");
            JsonWriter json = {.out = out, .in_html = in_html != 0};
            json_string(&json, NULL, cases[i].text);
            fputc('\n', out);
            fclose(out);
            CHECK(strcmp(found, right) == 0, "%s, not %s", found, right);
            free(found);
        }
}

static void json_is_written_as_expected(void)
{
    static const char expected[] = "{\n"
                                   "  \"name\": \"a\\\"b\\u0009\",\n"
                                   "  \"n\": 3,\n"
                                   "  \"p\": 0.333333333,\n"
                                   "  \"nothing\": null,\n"
                                   "  \"yes\": true,\n"
                                   "  \"rows\": [\n"
                                   "    [1, 2],\n"
                                   "    [3, 4]\n"
                                   "  ],\n"
                                   "  \"items\": [\n"
                                   "    {\n"
                                   "      \"k\": 1e-05\n"
                                   "    },\n"
                                   "    {\n"
                                   "      \"k\": 2\n"
                                   "    }\n"
                                   "  ],\n"
                                   "  \"empty\": []\n"
                                   "}\n";
    char found[1024];
    FILE *out = tmpfile();
    REQUIRE(out != NULL, "no temporary file");
    JsonWriter json = {.out = out};
    json_open(&json, NULL, '{');
    json_string(&json, "name", "a\"b\t");
    json_uint(&json, "n", 3);
    json_double(&json, "p", 1.0 / 3.0);
    json_double(&json, "nothing", (double)NAN);
    json_bool(&json, "yes", true);
    json_open(&json, "rows", '[');
    for (uint64_t row = 0; row < 2; row++) {
        json_open(&json, NULL, '[');
        json_uint(&json, NULL, 2 * row + 1);
        json_uint(&json, NULL, 2 * row + 2);
        json_close(&json, ']');
    }
    json_close(&json, ']');
    json_open(&json, "items", '[');
    for (int i = 0; i < 2; i++) {
        json_open(&json, NULL, '{');
        json_exact(&json, "k", i == 0 ? 1e-5 : 2.0);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_open(&json, "empty", '[');
    json_close(&json, ']');
    json_close(&json, '}');
    rewind(out);
    found[fread(found, 1, sizeof found - 1, out)] = '\0';
    fclose(out);
    CHECK(strcmp(found, expected) == 0, "%s", found);
}

// ---------------------------------------------------------------------------------------------
// Checksums and memory

static void crc32_is_the_usual_one_however_it_is_cut(void)
{
    unsigned char bytes[71];
    CHECK(crc32_update(0, "123456789", 9) == 0xcbf43926, "%08x", crc32_update(0, "123456789", 9));
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * i + 3);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        uint32_t whole = crc32_update(0, bytes, n), bytewise = 0;
        for (size_t i = 0; i < n; i++)
            bytewise = crc32_update(bytewise, bytes + i, 1);
        CHECK(whole == bytewise, "%zu bytes: %08x, one by one %08x", n, whole, bytewise);
        for (size_t cut = 0; cut <= n; cut += 5)
            CHECK(crc32_update(crc32_update(0, bytes, cut), bytes + cut, n - cut) == whole,
                  "%zu bytes cut at %zu", n, cut);
    }
}

static void arenas_align_zero_resize_and_refuse_overflow(void)
{
    Arena arena = {0};
    Error err = {""};
    for (size_t n = 0; n < 200; n += 37) {
        unsigned char *memory = arena_alloc(&arena, n, 1, "a test", &err);
        REQUIRE(memory != NULL, "%s", err.text);
        CHECK((uintptr_t)memory % 64 == 0, "%p is not aligned", (void *)memory);
        for (size_t i = 0; i < n; i++)
            CHECK(memory[i] == 0, "byte %zu of %zu is %u", i, n, memory[i]);
    }
    ArenaBytes bytes = {.first = 100, .most = 12345};
    for (size_t used = 0; used < bytes.most; used++) {
        REQUIRE(arena_grow(&arena, &bytes, used, "a test", &err), "%s", err.text);
        CHECK(used < bytes.capacity && bytes.capacity <= bytes.most, "no room for one more");
        bytes.at[used] = (unsigned char)(used % 251);
    }
    for (size_t i = 0; i < bytes.most; i++)
        CHECK(bytes.at[i] == i % 251, "byte %zu was not kept", i);
    CHECK(arena_alloc(&arena, SIZE_MAX / 2, 3, "a test", &err) == NULL &&
              strstr(err.text, "out of memory") != NULL,
          "an overflow was not noticed: %s", err.text);
    arena_free(&arena);
    CHECK(arena.blocks == NULL, "something is left");
}

static void messages_stay_on_one_line(void)
{
    Error err;
    error_set(&err, "%s: no", "a\nb\033[31m");
    CHECK(strcmp(err.text, "a?b?[31m: no") == 0, "%s", err.text);
}

static void further_words_are_gathered_in_order(void)
{
    const Command several = {.name = "test", .arguments = "MODEL FILE..."};
    char line[7][16] = {"model", "a", "--count", "6", "-", "--", "--b"};
    char *argv[7];
    Error err = {""};
    for (int i = 0; i < 7; i++)
        argv[i] = line[i];
    fill_table();
    CHECK(options_parse(&several, &table, NULL, &words, 7, argv, &err) == PARSE_OK, "%s", err.text);
    CHECK(words.model != NULL && strcmp(words.model, "model") == 0, "%s", words.model);
    CHECK(words.n_files == 3 && strcmp(words.files[0], "a") == 0 &&
              strcmp(words.files[1], "-") == 0 && strcmp(words.files[2], "--b") == 0,
          "%zu words", words.n_files);
    CHECK(options_parse(&several, &table, NULL, &words, 1, argv, &err) == PARSE_OK &&
              words.n_files == 0,
          "%zu words after one", words.n_files);
}

int main(void)
{
    RUN(counts_take_digits_only);
    RUN(reals_take_finite_decimals_only);
    RUN(shortest_numbers_read_back_as_the_same_double);
    RUN(plain_numbers_have_no_exponent_where_they_are_whole);
    RUN(words_are_compared_by_edits);
    RUN(words_of_other_programs_are_known);
    RUN(flags_take_values_in_every_form);
    RUN(wrong_lines_are_refused_by_name);
    RUN(what_was_given_is_known);
    RUN(defaults_may_depend_on_other_options);
    RUN(help_shows_live_defaults);
    RUN(json_strings_are_decoded_or_refused);
    RUN(utf8_is_that_of_its_definition);
    RUN(json_numbers_are_whole_and_below_2_to_the_64);
    RUN(json_objects_are_read_member_by_member);
    RUN(text_in_json_is_utf8_and_safe_in_html);
    RUN(json_is_written_as_expected);
    RUN(crc32_is_the_usual_one_however_it_is_cut);
    RUN(arenas_align_zero_resize_and_refuse_overflow);
    RUN(messages_stay_on_one_line);
    RUN(further_words_are_gathered_in_order);
    return test_end();
}
