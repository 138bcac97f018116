// Hostile model files, thousands of them in one process: each is refused with a reason of one line,
// and none gets more memory than it has bytes for. What is accepted is accepted knowingly: the last
// test counts.
#include "model.h"

#include "files.h"
#include "hostile.h"
#include "synthetic.h"
#include "test.h"

#include <inttypes.h>
#include <math.h>

static size_t n_refused;

// The position of a text in bytes, SIZE_MAX when it is not there.
static size_t find(const unsigned char *bytes, size_t size, const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i + length <= size; i++)
        if (memcmp(bytes + i, text, length) == 0)
            return i;
    return SIZE_MAX;
}

// ---------------------------------------------------------------------------------------------
// Models: a small one as model_write writes it, its header and its tensors

enum { ROOM = 1 << 20 };

static unsigned char model[8192], mutant[ROOM];
static size_t model_size, header_size;
static char header[4096];

static const char checksum_key[] = "\"checksum_crc32\":\"";

// Settings under which a model has all that a training can leave in it.
static void use_all_of_a_state(Model *made, Arena *arena)
{
    Error err;
    made->settings.momentum = 0.5;
    made->settings.schedule = "cosine";
    made->settings.ema = 0.75;
    made->settings.patience = 3;
    made->settings.keep = "best";
    made->state.planned_epochs = 9;
    made->state.best_epoch = 6;
    made->state.best_loss = 0.25;
    if (!train_state_alloc(&made->state, &made->settings, made->net.n_parameters, arena, &err))
        abort();
}

static void make_model(bool with_state)
{
    static Model made;
    Arena arena = {0};
    Error err;
    char *text;
    size_t size;
    Synthetic s = synthetic_make(&arena, 4, 2, 3);
    synthetic_network(&made.net, &made.params, &s, 2, 1, &arena);
    made.settings = (mlp_settings){.architecture = "mlp",
                                   .hidden = {2},
                                   PLAIN_SETTINGS,
                                   .learning_rate = 1e-4,
                                   .batch_size = 64,
                                   .seed = 5,
                                   .train_size = 100,
                                   .validation_size = 20};
    made.facts = (ModelFacts){.recipe = MODEL_RECIPE,
                              .rows = made.net.architecture.rows,
                              .cols = made.net.architecture.cols,
                              .classes = made.net.architecture.classes,
                              .pixel_std = 0.3084948910638255,
                              .data_crc32 = 0x00ab0cde};
    made.state = (TrainState){.epochs = 7};
    if (with_state)
        use_all_of_a_state(&made, &arena);
    Output out = {.stream = open_memstream(&text, &size), .path = "memory"};
    if (out.stream == NULL || !model_write(&made, &out, &err) || fclose(out.stream) != 0 ||
        size > sizeof model)
        abort();
    memcpy(model, text, size);
    free(text);
    model_size = size;
    header_size = (size_t)model[0] + 256 * (size_t)model[1];
    memcpy(header, model + 8, header_size);
    header[header_size] = '\0';
    arena_free(&arena);
}

// Parses a copy that ends where its memory ends.
static bool parse(const unsigned char *bytes, size_t size, Model *parsed, Arena *arena, Error *err)
{
    unsigned char *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        abort();
    memcpy(copy, bytes, size);
    *err = (Error){""};
    asked = 0;
    bool ok = model_parse(parsed, arena, copy, size, err);
    free(copy);
    return ok;
}

static void refuse_model(const unsigned char *bytes, size_t size, const char *word,
                         const char *what, size_t at)
{
    static Model parsed;
    Arena arena = {0};
    Error err;
    bool accepted = parse(bytes, size, &parsed, &arena, &err);
    CHECK(!accepted, "%s (%zu): accepted", what, at);
    CHECK(accepted || is_one_line(err.text), "%s (%zu): not one line: '%s'", what, at, err.text);
    CHECK(accepted || strstr(err.text, word) != NULL, "%s (%zu): no '%s' in: %s", what, at, word,
          err.text);
    CHECK(asked <= 16 * size + 16384, "%s (%zu): %zu bytes asked for by a file of %zu", what, at,
          asked, size);
    n_refused += !accepted;
    arena_free(&arena);
}

static bool accepts(const unsigned char *bytes, size_t size, Error *err)
{
    static Model parsed;
    Arena arena = {0};
    bool accepted = parse(bytes, size, &parsed, &arena, err);
    arena_free(&arena);
    return accepted;
}

// Makes the checksum right, where the file has one.
static void sign(unsigned char *bytes, size_t size)
{
    size_t at = find(bytes, size, checksum_key);
    if (at == SIZE_MAX || at + sizeof checksum_key - 1 + 8 > size)
        return;
    char digits[9];
    at += sizeof checksum_key - 1;
    memcpy(bytes + at, "00000000", 8);
    snprintf(digits, sizeof digits, "%08" PRIx32, crc32_update(0, bytes, size));
    memcpy(bytes + at, digits, 8);
}

static void put_length(unsigned char *bytes, uint64_t length)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(length >> (8 * i));
}

// Puts a file together in `mutant`, from a header and the tensors of the model, and signs it.
// Returns its size.
static size_t assemble(const char *text, size_t length)
{
    memcpy(mutant + 8, text, length);
    while (length % 8 != 0)
        mutant[8 + length++] = ' ';
    put_length(mutant, length);
    size_t data_size = model_size - 8 - header_size;
    memcpy(mutant + 8 + length, model + 8 + header_size, data_size);
    sign(mutant, 8 + length + data_size);
    return 8 + length + data_size;
}

// The model with `from` in its header replaced by `to`, and a right checksum.
static size_t exchange(const char *from, const char *to)
{
    static char text[ROOM / 2];
    const char *at = strstr(header, from);
    if (at == NULL)
        abort();
    int length =
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - header), header, to, at + strlen(from));
    if (length < 0 || (size_t)length >= sizeof text)
        abort();
    return assemble(text, (size_t)length);
}

static void the_model_that_is_damaged_below_is_whole(void)
{
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"\"seed\":\"5\"", "\"seed\" : \"\\u0036\""},
        {"{\"__metadata__\":{", "{ \"__metadata__\"\n:\r{\t"},
        {"\"dtype\":\"F32\",\"shape\":[2]", "\"shape\":[ 2 ] , \"dtype\":\"\\u00463\\u0032\""},
        {"fc1.bias", "fc\\u0031.bias"}};
    Error err;
    CHECK(accepts(model, model_size, &err), "%s", err.text);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = exchange(cases[i].from, cases[i].to);
        CHECK(accepts(mutant, size, &err), "%s: %s", cases[i].to, err.text);
    }
}

static void every_truncation_is_refused(void)
{
    for (size_t n = 0; n < model_size; n++)
        refuse_model(model, n,
                     n < 8                 ? "has only"
                     : n < 8 + header_size ? "announce"
                                           : "",
                     "cut to", n);
}

static void other_formats_are_named(void)
{
    static const char zip[64] = "PK\3\4\x14", png[8] = "\x89PNG\r\n\x1a\n";
    refuse_model((const unsigned char *)zip, sizeof zip, "where a model was expected", "zip", 0);
    refuse_model((const unsigned char *)png, sizeof png, "where a model was expected", "png", 0);
}

static void every_flipped_bit_is_refused(void)
{
    memcpy(mutant, model, model_size);
    for (size_t i = 0; i < model_size; i++)
        for (int bit = 0; bit < 8; bit++) {
            mutant[i] ^= (unsigned char)(1 << bit);
            refuse_model(mutant, model_size, "", "flipped, of byte", i);
            mutant[i] ^= (unsigned char)(1 << bit);
        }
}

// A flip behind a right checksum may make another model, of other settings or weights: one that
// can be written and read again.
static void every_flip_with_a_right_checksum_is_refused_or_makes_a_model(void)
{
    static Model parsed;
    size_t n_accepted = 0;
    for (size_t i = 0; i < model_size; i++)
        for (int bit = 0; bit < 8; bit++) {
            memcpy(mutant, model, model_size);
            mutant[i] ^= (unsigned char)(1 << bit);
            sign(mutant, model_size);
            Arena arena = {0};
            Error err;
            char *text = NULL;
            size_t size = 0;
            if (parse(mutant, model_size, &parsed, &arena, &err)) {
                Output out = {.stream = open_memstream(&text, &size), .path = "memory"};
                bool written = model_write(&parsed, &out, &err);
                fclose(out.stream);
                CHECK(written && accepts((unsigned char *)text, size, &err), "byte %zu, bit %d: %s",
                      i, bit, err.text);
                free(text);
                n_accepted++;
            } else {
                CHECK(is_one_line(err.text), "byte %zu, bit %d: '%s'", i, bit, err.text);
                n_refused++;
            }
            arena_free(&arena);
        }
    // Each of the 19 weights has 32 bits, and few flips make one infinite.
    CHECK(n_accepted > 19 * 30 && n_accepted < 19 * 32 + 300, "%zu were accepted", n_accepted);
}

static void appended_bytes_are_refused(void)
{
    memcpy(mutant, model, model_size);
    for (size_t n = 1; n <= 64; n++) {
        memset(mutant + model_size, n % 2 == 0 ? 0 : ' ', n);
        refuse_model(mutant, model_size + n, "", "appended", n);
        sign(mutant, model_size + n); // as if they belonged to it
        refuse_model(mutant, model_size + n, "the tensors take", "appended and signed", n);
        memcpy(mutant, model, model_size);
    }
    memcpy(mutant + model_size, model, model_size);
    refuse_model(mutant, 2 * model_size, "", "appended: the whole file again", 0);
}

static void header_lengths_that_lie_are_refused(void)
{
    const uint64_t N = header_size, rest = model_size - 8;
    const uint64_t lengths[] = {0,
                                1,
                                2,
                                7,
                                8,
                                N - 8,
                                N - 1,
                                N + 1,
                                N + 4,
                                N + 8,
                                rest - 1,
                                rest,
                                rest + 1,
                                rest + 8,
                                UINT64_C(1) << 31,
                                UINT64_C(1) << 32,
                                (UINT64_C(1) << 32) + N,
                                UINT64_C(1) << 63,
                                (UINT64_C(1) << 63) + N,
                                UINT64_MAX - N,
                                UINT64_MAX - 8,
                                UINT64_MAX - 7,
                                UINT64_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (int is_signed = 0; is_signed < 2; is_signed++) {
            memcpy(mutant, model, model_size);
            put_length(mutant, lengths[i]);
            if (is_signed)
                sign(mutant, model_size);
            refuse_model(mutant, model_size, lengths[i] > rest ? "announce" : "",
                         "a length that lies", i);
        }
}

static void headers_with_a_right_checksum_are_refused_with_their_reason(void)
{
    static const struct {
        const char *from, *to, *word;
    } cases[] = {
        // metadata: missing, twice, unknown, not strings
        {"\"seed\":\"5\",", "", "lack 'seed'"},
        {"\"format\":\"mlp 1\",", "", "lack 'format'"},
        {"\"train_size\":\"100\",", "", "lack 'train_size'"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"transposed\":\"false\",",
         "'transposed': 'false' is never written"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"seed\":\"5\",", "twice"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"transposed\":\"yes\",", "'transposed'"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"transposed\":true,", "a string"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"class_names\":\"\",", "'class_names'"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"class_names\":\"a\\nb\\nc\\nd\",",
         "more class names"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"class_names\":\"a\\nb\\na\",",
         "'a' is there twice"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"class_names\":\"a\\nb\\u001b[2J\",",
         "control character"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"class_names\":\"a\\tb\",", "control character"},
        {"\"__metadata__\":{",
         "\"__metadata__\":{\"class_names\":\"a\xc2\x9b"
         "2J\",",
         "control character"},
        {"\"__metadata__\":{",
         "\"__metadata__\":{\"class_names\":"
         "\"0123456789012345678901234567890123456789012345678901234567890123\",",
         "more than 63 bytes"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"author\":\"me\",",
         "newer version of mlp (unknown setting 'author')"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"\":\"\",",
         "newer version of mlp (unknown setting '')"},
        {"\"__metadata__\":{", "\"__metadata__\":{},\"__metadata__\":{", "twice"},
        {"\"__metadata__\":{", "\"__metadata__\":[", "'{'"},
        {"\"__metadata__\":{", "\"__metadata__\":null,\"x\":{", "'{'"},
        {"\"seed\":\"5\"", "\"seed\":5", "a string"},
        {"\"seed\":\"5\"", "\"seed\":[\"5\"]", "a string"},
        {"\"seed\":\"5\"", "\"seed\":null", "a string"},
        {"\"seed\":\"5\"", "seed:\"5\"", "a string"},
        {"\"seed\":\"5\"", "'seed':'5'", "a string"},
        {"\"seed\":\"5\"", "\"seed\"\"5\"", "':'"},
        {"\"seed\":\"5\",", "\"seed\":\"5\"", "'}'"},
        {"\"seed\":\"5\",", "\"seed\":\"5\",,", "a string"},
        {"\"seed\":\"5\",", "\"seed\":\"5\",/* */", "a string"},
        // values that are not valid where they stand
        {"\"seed\":\"5\"", "\"seed\":\"\"", "'seed'"},
        {"\"seed\":\"5\"", "\"seed\":\"-5\"", "'seed'"},
        {"\"seed\":\"5\"", "\"seed\":\"5x\"", "'seed'"},
        {"\"seed\":\"5\"", "\"seed\":\" 5\"", "'seed'"},
        {"\"seed\":\"5\"", "\"seed\":\"9007199254740992\"", "'seed'"},
        {"\"seed\":\"5\"", "\"seed\":\"18446744073709551616\"", "'seed'"},
        {"\"epochs\":\"7\"", "\"epochs\":\"1e3\"", "'epochs'"},
        {"\"batch_size\":\"64\"", "\"batch_size\":\"0\"", "'batch_size'"},
        {"\"train_size\":\"100\"", "\"train_size\":\"0\"", "'train_size'"},
        {"\"validation_size\":\"20\"", "\"validation_size\":\"0\"", "'validation_size'"},
        {"\"recipe\":\"1\"", "\"recipe\":\"2\"", "newer version of mlp (recipe '2')"},
        {"\"recipe\":\"1\"", "\"recipe\":\"0\"", "'recipe' is '0', not a recipe of mlp"},
        {"\"recipe\":\"1\"", "\"recipe\":\"\"", "'recipe' is '', not a recipe of mlp"},
        {"\"format\":\"mlp 1\"", "\"format\":\"mlp 9\"", "newer version of mlp (format 'mlp 9')"},
        {"\"format\":\"mlp 1\"", "\"format\":\"mlp 3\"", "newer version of mlp (format 'mlp 3')"},
        {"\"format\":\"mlp 1\"", "\"format\":\"mlp 0\"", "'format' is 'mlp 0'"},
        {"\"format\":\"mlp 1\"", "\"format\":\"mlp 2x\"", "'format' is 'mlp 2x'"},
        {"\"format\":\"mlp 1\"", "\"format\":\"\"", "'format' is ''"},
        {"\"architecture\":\"mlp\"", "\"architecture\":\"gpt\"", "'gpt'"},
        {"\"architecture\":\"mlp\"", "\"architecture\":\"\"",
         "'architecture': '' is not one of mlp, cnn"},
        {"\"learning_rate\":\"0.0001\"", "\"learning_rate\":\"-1\"", "'learning_rate'"},
        {"\"learning_rate\":\"0.0001\"", "\"learning_rate\":\"1e999\"", "'learning_rate'"},
        {"\"learning_rate\":\"0.0001\"", "\"learning_rate\":\"inf\"", "'learning_rate'"},
        {"\"learning_rate\":\"0.0001\"", "\"learning_rate\":\"0x1\"", "'learning_rate'"},
        {"\"learning_rate\":\"0.0001\"", "\"learning_rate\":\"0,1\"", "'learning_rate'"},
        {"\"pixel_std\":\"0.3084948910638255\"", "\"pixel_std\":\"0\"", "'pixel_std'"},
        {"\"pixel_std\":\"0.3084948910638255\"", "\"pixel_std\":\"1e-300\"", "'pixel_std'"},
        {"\"pixel_std\":\"0.3084948910638255\"", "\"pixel_std\":\"nan\"", "'pixel_std'"},
        {"\"pixel_std\":\"0.3084948910638255\"", "\"pixel_std\":\"-0.3\"", "'pixel_std'"},
        {"\"data_crc32\":\"00ab0cde\"", "\"data_crc32\":\"00AB0CDE\"", "'data_crc32'"},
        {"\"data_crc32\":\"00ab0cde\"", "\"data_crc32\":\"ab0cde\"", "'data_crc32'"},
        {"\"data_crc32\":\"00ab0cde\"", "\"data_crc32\":\"0x00ab0cde\"", "'data_crc32'"},
        {"\"data_crc32\":\"00ab0cde\"", "\"data_crc32\":\"+0ab0cde\"", "'data_crc32'"},
        // sizes
        {"\"hidden\":\"2\"", "\"hidden\":\"3\"", "shape"},
        {"\"hidden\":\"2\"", "\"hidden\":\"0\"", "'hidden'"},
        {"\"hidden\":\"2\"", "\"hidden\":\"65536\"", "shape"},
        {"\"hidden\":\"2\"", "\"hidden\":\"65537\"", "'hidden'"},
        {"\"hidden\":\"2\"", "\"hidden\":\"4294967298\"", "'hidden'"},
        {"\"hidden\":\"2\"", "\"hidden\":\"18446744073709551617\"", "'hidden'"},
        {"\"classes\":\"3\"", "\"classes\":\"0\"", "'classes'"},
        {"\"classes\":\"3\"", "\"classes\":\"1\"", "'classes'"},
        {"\"classes\":\"3\"", "\"classes\":\"257\"", "'classes'"},
        {"\"image_rows\":\"2\"", "\"image_rows\":\"0\"", "'image_rows'"},
        {"\"image_rows\":\"2\"", "\"image_rows\":\"4097\"", "'image_rows'"},
        {"\"image_cols\":\"2\"", "\"image_cols\":\"2147483648\"", "'image_cols'"},
        // tensors
        {"fc1.bias", "fc9.bias", "fc1.bias"},
        {"fc1.bias", "", "fc1.bias"},
        {"fc1.bias", "fc1.weight", "twice"},
        {"F32", "F16", "F32"},
        {"F32", "f32", "F32"},
        {"\"F32\"", "32", "a string"},
        {"\"dtype\":\"F32\",\"shape\":[2]", "\"shape\":[2]", "lacks"},
        {"\"dtype\":\"F32\"", "\"dtype\":\"F32\",\"dtype\":\"F32\"", "twice"},
        {"\"shape\":[2]", "\"shape\":[2],\"shape\":[2]", "twice"},
        {"\"dtype\":\"F32\"", "\"dtype\":\"F32\",\"size\":3", "unknown"},
        {"\"data_offsets\":[0,8]", "\"data_offsets\":[0]", "not two"},
        {"\"data_offsets\":[0,8]", "\"data_offsets\":[]", "not two"},
        {"\"data_offsets\":[0,8]", "\"data_offsets\":[0,8,8]", "more than 2"},
        {"\"data_offsets\":[0,8]", "\"data_offsets\":8", "'['"},
        {"\"data_offsets\":[0,8]", "\"data_offsets\":[0,8", "']'"},
        {"{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}", "{}", "lacks"},
        {"{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}", "[]", "'{'"},
        {"]}}", "]}} x", "the end"},
        {"]}}", "]}}{}", "the end"},
        {"]}}", "]}", "'}'"},
        {"]}}", "]},}", "a string"},
        {"]}}", "]},\"extra\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}",
         "unknown tensor 'extra'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = exchange(cases[i].from, cases[i].to);
        refuse_model(mutant, size, cases[i].word, cases[i].to, i);
    }
    static const char of_others[] =
        "{\"fc1.bias\":{\"dtype\":\"F32\",\"shape\":[19],\"data_offsets\":[0,76]}}";
    static const char *const whole[] = {of_others, "{}", "{\"__metadata__\":{}}"};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        refuse_model(mutant, assemble(whole[i], strlen(whole[i])), "lack 'format'", whole[i], i);
    // More tensors than any model has.
    char many[16384] = "{";
    for (int i = 0; i < 200; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many),
                 "\"t%d\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,0]},", i);
    refuse_model(mutant, assemble(many, strlen(many)), "more than 110 tensors", "many tensors",
                 200);
    // Metadata: as many as there is room for, which are of a newer version, and one more.
    for (int n = 2 * MODEL_MAX_ENTRIES; n <= 2 * MODEL_MAX_ENTRIES + 1; n++) {
        snprintf(many, sizeof many, "{\"__metadata__\":{\"format\":\"mlp 1\",\"recipe\":\"1\"");
        for (int i = 2; i < n; i++)
            snprintf(many + strlen(many), sizeof many - strlen(many), ",\"k%d\":\"\"", i);
        snprintf(many + strlen(many), sizeof many - strlen(many), "}}");
        refuse_model(mutant, assemble(many, strlen(many)),
                     n > 2 * MODEL_MAX_ENTRIES ? "more than 128 metadata" : "setting 'k2'",
                     "many metadata", (size_t)n);
    }
}

static void shapes_that_are_not_the_networks_are_refused(void)
{
    static const char *const right[] = {"[2]", "[2,4]", "[3]", "[3,2]"};
    static const char *const wrong[] = {"[]",
                                        "[0]",
                                        "[1]",
                                        "[4]",
                                        "[2,1]",
                                        "[1,2]",
                                        "[4,2]",
                                        "[2,3]",
                                        "[2,2,2]",
                                        "[1,1,1,1,2]",
                                        "[8]",
                                        "[-2]",
                                        "[02]",
                                        "[2.0]",
                                        "[2e0]",
                                        "[[2]]",
                                        "[\"2\"]",
                                        "[2,]",
                                        "[,2]",
                                        "[0x2]",
                                        "[4294967298]",
                                        "[4294967296,4294967296]",
                                        "[9223372036854775808,2]",
                                        "[18446744073709551615,18446744073709551615]",
                                        "[18446744073709551616]",
                                        "[null]",
                                        "2",
                                        "{}",
                                        "[999999999999999999999999999999]",
                                        "[2",
                                        "[ 2 2 ]"};
    for (size_t r = 0; r < sizeof right / sizeof right[0]; r++)
        for (size_t w = 0; w < sizeof wrong / sizeof wrong[0]; w++) {
            char from[64], to[128];
            snprintf(from, sizeof from, "\"shape\":%s,", right[r]);
            snprintf(to, sizeof to, "\"shape\":%s,", wrong[w]);
            refuse_model(mutant, exchange(from, to), "", to, r);
        }
}

static void offsets_that_overlap_or_leave_gaps_are_refused(void)
{
    static const uint64_t right[4][2] = {{0, 8}, {8, 40}, {40, 52}, {52, 76}};
    static const uint64_t huge[] = {UINT64_C(1) << 32, (UINT64_C(1) << 32) + 8,
                                    UINT64_C(1) << 63, (UINT64_C(1) << 63) + 8,
                                    UINT64_MAX - 7,    UINT64_MAX};
    enum { N_NEAR = 85, N_HUGE = sizeof huge / sizeof huge[0] };
    for (size_t t = 0; t < 4; t++)
        for (size_t which = 0; which < 3; which++) // the begin, the end, both moved together
            for (size_t v = 0; v < N_NEAR + N_HUGE; v++) {
                uint64_t value = v < N_NEAR ? v : huge[v - N_NEAR], offsets[2];
                offsets[0] = which == 1 ? right[t][0] : value;
                offsets[1] = which == 1   ? value
                             : which == 2 ? value + (right[t][1] - right[t][0])
                                          : right[t][1];
                if (offsets[0] == right[t][0] && offsets[1] == right[t][1])
                    continue;
                char from[64], to[64];
                snprintf(from, sizeof from, "[%" PRIu64 ",%" PRIu64 "]}", right[t][0], right[t][1]);
                snprintf(to, sizeof to, "[%" PRIu64 ",%" PRIu64 "]}", offsets[0], offsets[1]);
                refuse_model(mutant, exchange(from, to), "fc", to, t);
            }
}

// Headers in which all agrees, of networks far larger than the file: nothing is allocated for them.
static void gigantic_networks_get_no_memory(void)
{
    static const uint64_t sizes[][4] = {{4096, 4096, 1, 2},     {28, 28, 65536, 10},
                                        {1, 1, 65536, 256},     {4096, 16, 4000, 256},
                                        {4096, 4096, 65536, 2}, {4096, 4096, 65536, 256}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t rows = sizes[i][0], cols = sizes[i][1], H = sizes[i][2], C = sizes[i][3];
        uint64_t I = rows * cols, at[5] = {0};
        const uint64_t n[4] = {H, H * I, C, C * H};
        for (int t = 0; t < 4; t++)
            at[t + 1] = at[t] + 4 * n[t];
        char text[2048];
        snprintf(text, sizeof text,
                 "{\"__metadata__\":{\"architecture\":\"mlp\",\"batch_size\":\"64\","
                 "\"checksum_crc32\":\"00000000\",\"classes\":\"%" PRIu64
                 "\",\"data_crc32\":\"00ab0cde\",\"epochs\":\"7\",\"format\":\"mlp 1\","
                 "\"hidden\":\"%" PRIu64 "\",\"image_cols\":\"%" PRIu64
                 "\",\"image_rows\":\"%" PRIu64 "\",\"learning_rate\":\"0.0001\","
                 "\"pixel_std\":\"0.3\",\"recipe\":\"1\",\"seed\":\"5\",\"train_size\":\"100\","
                 "\"validation_size\":\"20\"},"
                 "\"fc1.bias\":{\"dtype\":\"F32\",\"shape\":[%" PRIu64
                 "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]},"
                 "\"fc1.weight\":{\"dtype\":\"F32\",\"shape\":[%" PRIu64 ",%" PRIu64
                 "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]},"
                 "\"fc2.bias\":{\"dtype\":\"F32\",\"shape\":[%" PRIu64
                 "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]},"
                 "\"fc2.weight\":{\"dtype\":\"F32\",\"shape\":[%" PRIu64 ",%" PRIu64
                 "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}}",
                 C, H, cols, rows, H, at[0], at[1], H, I, at[1], at[2], C, at[2], at[3], C, H,
                 at[3], at[4]);
        bool too_large = I * (H + 16) > UINT64_C(1) << 28;
        refuse_model(mutant, assemble(text, strlen(text)), too_large ? "gigabyte" : "data_offsets",
                     "gigantic network", i);
    }
}

static void strings_that_are_not_valid_are_refused(void)
{
    static const struct {
        const char *text, *word;
    } strings[] = {
        {"m\\u0000", "escape"},
        {"m\\ud800", "escape"},
        {"m\\udbff", "escape"},
        {"m\\udc00", "escape"},
        {"m\\udfff", "escape"},
        {"m\\ud800\\ud800", "escape"},
        {"m\\ud800\\u0041", "escape"},
        {"m\\ud800\\n", "escape"},
        {"m\\ud800 \\udc00", "escape"},
        {"m\\q", "escape"},
        {"m\\x41", "escape"},
        {"m\\u", "escape"},
        {"m\\u12", "escape"},
        {"m\\u123g", "escape"},
        {"m\\u-123", "escape"},
        {"m\\U00000041", "escape"},
        {"m\\ ", "escape"},
        {"m\\0", "escape"},
        {"m\x01", "control"},
        {"m\n", "control"},
        {"m\t", "control"},
        {"m\x1f", "control"},
        {"m\xff", "UTF-8"},
        {"m\xfe", "UTF-8"},
        {"m\x80", "UTF-8"},
        {"m\xbf", "UTF-8"},
        {"m\xc0\x80", "UTF-8"},
        {"m\xc1\xbf", "UTF-8"},
        {"m\xc3", "UTF-8"},
        {"m\xc3(", "UTF-8"},
        {"m\xe2\x82", "UTF-8"},
        {"m\xe2(\xa1", "UTF-8"},
        {"m\xe0\x80\x80", "UTF-8"},
        {"m\xe0\x9f\xbf", "UTF-8"},
        {"m\xed\xa0\x80", "UTF-8"},
        {"m\xed\xbf\xbf", "UTF-8"},
        {"m\xf0\x80\x80\x80", "UTF-8"},
        {"m\xf0\x8f\xbf\xbf", "UTF-8"},
        {"m\xf4\x90\x80\x80", "UTF-8"},
        {"m\xf5\x80\x80\x80", "UTF-8"},
        {"m\xf8\x88\x80\x80\x80", "UTF-8"},
        {"m\xf0\x9f\x98", "UTF-8"},
        {"m\xef\xbb", "UTF-8"},
    };
    static const char *const places[] = {"\"mlp\"",   "\"seed\"", "\"fc1.bias\"",
                                         "\"dtype\"", "\"F32\"",  "\"__metadata__\""};
    for (size_t p = 0; p < sizeof places / sizeof places[0]; p++)
        for (size_t s = 0; s < sizeof strings / sizeof strings[0]; s++) {
            char to[64];
            snprintf(to, sizeof to, "\"%s\"", strings[s].text);
            refuse_model(mutant, exchange(places[p], to), strings[s].word, places[p], s);
        }

    // What is valid but moves a cursor must not reach the terminal, and long names are cut short.
    static char longer[100000];
    longer[0] = '"';
    memset(longer + 1, 'a', sizeof longer - 3);
    longer[sizeof longer - 2] = '"';
    for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
        refuse_model(mutant, exchange(places[p], "\"\\u001b[2J\\r\\u007f\""), "", places[p], p);
        refuse_model(mutant, exchange(places[p], longer), "", places[p], p);
    }

    // Strings that end with the header, or not at all; a byte order mark; a zero byte.
    size_t quote = 1;
    for (size_t n = 2; n < header_size; n++) {
        if (header[n - 1] != '"')
            continue;
        quote++;
        char cut[sizeof header + 8];
        memcpy(cut, header, n);
        memcpy(cut + n, "aaaaaa\\\\", 8);
        for (size_t more = 0; more <= 8; more++) { // ends in text, a backslash, an escaped one
            size_t length = n + more;
            memcpy(mutant + 8, cut, length);
            put_length(mutant, length);
            refuse_model(mutant, 8 + length, "", "cut after quote", quote);
        }
    }
    refuse_model(mutant, exchange("{\"__metadata__\"", "\xef\xbb\xbf{\"__metadata__\""),
                 "does not begin with '{'", "a byte order mark", 0);
    size_t digits = find(model, model_size, checksum_key) - 8 + sizeof checksum_key - 1;
    for (size_t i = 0; i < header_size; i++) {
        if (i >= digits && i < digits + 8) // which are made right in the end
            continue;
        char text[sizeof header];
        memcpy(text, header, header_size);
        text[i] = '\0';
        refuse_model(mutant, assemble(text, header_size), "", "a zero byte at", i);
    }
}

// `head`, then `text` again and again, then `tail`.
static size_t repeat(const char *head, const char *text, size_t times, const char *tail)
{
    static char long_header[ROOM / 2 + 100];
    size_t n = strlen(head), length = strlen(text);
    memcpy(long_header, head, n);
    for (size_t i = 0; i < times && n + length < ROOM / 2; i++, n += length)
        memcpy(long_header + n, text, length);
    memcpy(long_header + n, tail, strlen(tail));
    return assemble(long_header, n + strlen(tail));
}

static void deep_and_long_json_is_refused(void)
{
    enum { DEEP = 100000 };
    static const char *const heads[] = {"{",
                                        "{\"a\":",
                                        "{\"__metadata__\":",
                                        "{\"__metadata__\":{\"seed\":",
                                        "{\"fc1.bias\":{\"shape\":",
                                        "{\"fc1.bias\":{\"data_offsets\":",
                                        "{\"fc1.bias\":{\"dtype\":"};
    static const char *const deep[] = {"[", "{", "{\"a\":", "[{\"a\":", "\"", "\\", "[[]],"};
    for (size_t h = 0; h < sizeof heads / sizeof heads[0]; h++)
        for (size_t d = 0; d < sizeof deep / sizeof deep[0]; d++) {
            refuse_model(mutant, repeat(heads[h], deep[d], DEEP, ""), "", heads[h], d);
            refuse_model(mutant, repeat(heads[h], deep[d], DEEP, "]}"), "", heads[h], d);
        }
    refuse_model(mutant, repeat("{", "                ", DEEP, ""), "a string", "blanks", 0);
    refuse_model(mutant, repeat("{\"fc1.bias\":{\"shape\":[", "0,", DEEP, "0]"), "more than 4",
                 "a long list", 0);
    refuse_model(mutant, repeat("{\"fc1.bias\":{\"shape\":[", "9", DEEP, "]"), "whole number",
                 "a long number", 0);
}

static void weights_that_are_not_finite_are_refused(void)
{
    static const uint32_t values[] = {0x7f800000, 0xff800000, 0x7fc00000,
                                      0xffc00000, 0x7f800001, 0xffffffff};
    for (size_t at = 8 + header_size; at < model_size; at += 4)
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            memcpy(mutant, model, model_size);
            for (int i = 0; i < 4; i++)
                mutant[at + (size_t)i] = (unsigned char)(values[v] >> (8 * i));
            sign(mutant, model_size);
            refuse_model(mutant, model_size, "not finite", "weight at", at);
        }
}

// The checksum is found as the eight characters before a quote: written with escapes they are not
// all of it.
static void a_checksum_with_escapes_is_refused(void)
{
    char from[64];
    snprintf(from, sizeof from, "%.26s", strstr(header, checksum_key));
    size_t n = 0;
    for (int weight = 0; weight < 32; weight++) {
        size_t size = exchange(from, "\"checksum_crc32\" :\"\\u00300000000");
        size_t at = find(mutant, size, "\\u003") + 5;
        REQUIRE(at < size, "no checksum");
        mutant[size - 4] = (unsigned char)weight;
        // What the reader would compute, in the place of the eight characters that it would take.
        char digits[9];
        snprintf(digits, sizeof digits, "%08" PRIx32, crc32_update(0, mutant, size));
        memcpy(mutant + at, digits, 8);
        n += digits[0] <= '9';
        refuse_model(mutant, size, digits[0] <= '9' ? "escapes" : "", digits, (size_t)weight);
    }
    CHECK(n > 0, "none of the 32 has a digit in the place of the escape");
}

static void states_of_a_training_that_contradict_the_model_are_refused(void)
{
    static const struct {
        const char *from, *to, *word;
    } cases[] = {
        // numbers
        {"\"best_epoch\":\"6\",", "", "'best_epoch'"},
        {"\"best_epoch\":\"6\"", "\"best_epoch\":\"0\"", "its absence means it"},
        {"\"best_epoch\":\"6\"", "\"best_epoch\":\"8\"", "'best_epoch': 8"},
        {"\"best_epoch\":\"6\"", "\"best_epoch\":\"-6\"", "'best_epoch'"},
        {"\"best_epoch\":\"6\"", "\"best_epoch\":\"3\"", "the patience was 3"},
        {"\"best_loss\":\"0.25\"", "\"best_loss\":\"-0.25\"", "'best_loss'"},
        {"\"best_loss\":\"0.25\"", "\"best_loss\":\"nan\"", "'best_loss'"},
        {"\"best_loss\":\"0.25\"", "\"best_loss\":\"inf\"", "'best_loss'"},
        {"\"best_loss\":\"0.25\"", "\"best_loss\":\"0\"", "its absence means it"},
        {"\"planned_epochs\":\"9\",", "", "'planned_epochs': 0"},
        {"\"planned_epochs\":\"9\"", "\"planned_epochs\":\"6\"", "'planned_epochs': 6"},
        {"\"planned_epochs\":\"9\"", "\"planned_epochs\":\"1000001\"", "'planned_epochs'"},
        {"\"epochs\":\"7\"", "\"epochs\":\"0\"", "'planned_epochs': 9"},
        {"\"epochs\":\"7\"", "\"epochs\":\"10\"", "'planned_epochs': 9"},
        {"\"recipe\":\"1\"", "\"recipe\":\"1\",\"from_crc32\":\"00000000\"",
         "its absence means it"},
        {"\"recipe\":\"1\"", "\"recipe\":\"1\",\"from_crc32\":\"0123456\"", "'from_crc32'"},
        {"\"recipe\":\"1\"", "\"recipe\":\"1\",\"from_crc32\":\"0123456G\"", "'from_crc32'"},
        // settings that they belong to
        {"\"schedule\":\"cosine\",", "", "'planned_epochs': 9"},
        {"\"schedule\":\"cosine\"", "\"schedule\":\"linear\"", "'schedule'"},
        {"\"momentum\":\"0.5\"", "\"momentum\":\"1\"", "'momentum'"},
        {"\"momentum\":\"0.5\",", "\"momentum\":\"0.5\",\"optimizer\":\"adam\",",
         "metadata: momentum"},
        {"\"momentum\":\"0.5\",", "\"optimizer\":\"adam\",", "train.mean."},
        {"\"momentum\":\"0.5\",", "", "unknown tensor 'train.momentum"},
        {"\"ema\":\"0.75\",", "", "unknown tensor 'train.average"},
        {"\"ema\":\"0.75\"", "\"ema\":\"1.5\"", "'ema'"},
        {"\"keep\":\"best\",", "", "unknown tensor 'train.average"},
        {"\"epochs\":\"7\"", "\"epochs\":\"9\"", "unknown tensor 'train."}, // complete
        {"\"patience\":\"3\"", "\"patience\":\"1\"", "unknown tensor 'train."},
        // tensors
        {"train.weights.fc1.bias", "train.weight.fc1.bias", "'train.weights.fc1.bias' is missing"},
        {"train.average.fc2.weight", "train.mean.fc2.weight", "'train.average.fc2.weight'"},
        {"train.momentum.fc1.bias", "train.weights.fc1.bias", "twice"},
        {"train.momentum.fc1.bias\":{\"dtype\":\"F32\",\"shape\":[2]",
         "train.momentum.fc1.bias\":{\"dtype\":\"F32\",\"shape\":[1,2]",
         "'train.momentum.fc1.bias' does not have the shape"},
    };
    make_model(true);
    the_model_that_is_damaged_below_is_whole();
    every_truncation_is_refused();
    weights_that_are_not_finite_are_refused();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse_model(mutant, exchange(cases[i].from, cases[i].to), cases[i].word, cases[i].to, i);
}

static void more_than_ten_thousand_files_were_refused(void)
{
    printf("  %zu models were refused\n", n_refused);
    CHECK(n_refused >= 10000, "%zu models", n_refused);
}

int main(void)
{
    make_model(false);
    RUN(the_model_that_is_damaged_below_is_whole);
    RUN(every_truncation_is_refused);
    RUN(other_formats_are_named);
    RUN(every_flipped_bit_is_refused);
    RUN(every_flip_with_a_right_checksum_is_refused_or_makes_a_model);
    RUN(appended_bytes_are_refused);
    RUN(header_lengths_that_lie_are_refused);
    RUN(headers_with_a_right_checksum_are_refused_with_their_reason);
    RUN(shapes_that_are_not_the_networks_are_refused);
    RUN(offsets_that_overlap_or_leave_gaps_are_refused);
    RUN(gigantic_networks_get_no_memory);
    RUN(strings_that_are_not_valid_are_refused);
    RUN(deep_and_long_json_is_refused);
    RUN(weights_that_are_not_finite_are_refused);
    RUN(a_checksum_with_escapes_is_refused);
    RUN(states_of_a_training_that_contradict_the_model_are_refused);
    RUN(more_than_ten_thousand_files_were_refused);
    return test_end();
}
