// The model file: a round trip keeps every bit, and whatever is not exactly a model is refused. The
// checks behind the checksum are reached by files whose checksum is right.
#include "model.h"

#include "files.h"
#include "random.h"
#include "test.h"

#include <inttypes.h>
#include <math.h>

enum { MAX_FILE = 8192 };

static unsigned char file[MAX_FILE];
static size_t file_size;

static const ModelSettings small = {.architecture = {"mlp", 2, 3, 2, 3},
                                    .learning_rate = 1e-4,
                                    .pixel_std = 0.3084948910638255,
                                    .batch_size = 64,
                                    .seed = 5,
                                    .epochs = 7,
                                    .train_size = 100,
                                    .validation_size = 20,
                                    .data_crc32 = 0x00ab0cde};

static bool write_model(const Network *net, const float *params, const char *path, Error *err)
{
    Arena arena = {0};
    Output out;
    bool ok = output_open(&out, &arena, path, OUTPUT_REGULAR_ONLY, err) &&
              model_write(&small, net, params, &out, err) && output_commit(&out, err);
    if (!ok)
        output_discard(&out);
    arena_free(&arena);
    return ok;
}

// Writes a small model whose weights include the odd numbers, and keeps the bytes in `file`.
static void make_file(void)
{
    static Network net;
    Arena arena = {0};
    Error err;
    if (!network_build(&net, &small.architecture, &err))
        abort();
    float *params = network_alloc(&net, &arena, &err);
    network_init(&net, params, 1);
    params[tensor_index(net.tensors[0], 0)] = -0.0f;
    params[tensor_index(net.tensors[0], 1)] = 1e-42f; // not normal
    params[tensor_index(net.tensors[2], 2)] = -3.4e38f;
    if (!write_model(&net, params, work_path("model"), &err))
        abort();
    file_size = read_file(work_path("model"), file, sizeof file);
    arena_free(&arena);
}

static bool accepts(const unsigned char *bytes, size_t size, Error *err)
{
    Arena arena = {0};
    Model model;
    write_file(work_path("read"), bytes, size);
    bool ok = model_read(&model, &arena, work_path("read"), err);
    arena_free(&arena);
    return ok;
}

static void a_round_trip_keeps_every_bit(void)
{
    static unsigned char again[MAX_FILE];
    Arena arena = {0};
    Error err;
    Model model;
    make_file();
    REQUIRE(model_read(&model, &arena, work_path("model"), &err), "%s", err.text);
    REQUIRE(write_model(&model.net, model.params, work_path("again"), &err), "%s", err.text);
    size_t size = read_file(work_path("again"), again, sizeof again);
    CHECK(size == file_size && memcmp(again, file, size) == 0, "the bytes differ");
    CHECK(model.settings.seed == 5 && model.settings.epochs == 7 &&
              model.settings.data_crc32 == small.data_crc32 &&
              memcmp(&model.settings.pixel_std, &small.pixel_std, sizeof(double)) == 0,
          "the settings differ");
    CHECK(signbit(model.params[tensor_index(model.net.tensors[0], 0)]), "-0 became +0");
    arena_free(&arena);
}

static void the_layout_is_that_of_the_format(void)
{
    make_file();
    uint64_t n = 0;
    for (int i = 8; i-- > 0;)
        n = n << 8 | file[i];
    CHECK((8 + n) % 8 == 0 && file[8] == '{', "header of %" PRIu64 " bytes", n);
    CHECK(file_size == 8 + n + 4 * (2 * 6 + 2 + 3 * 2 + 3), "%zu bytes in all", file_size);
    static char header[MAX_FILE];
    memcpy(header, file + 8, (size_t)n);
    header[n] = '\0';
    static const char *const in_order[] = {
        "__metadata__", "architecture",    "batch_size", "checksum_crc32", "classes",
        "data_crc32",   "epochs",          "format",     "hidden",         "image_cols",
        "image_rows",   "learning_rate",   "pixel_std",  "recipe",         "seed",
        "train_size",   "validation_size", "fc1.bias",   "fc1.weight",     "fc2.bias",
        "fc2.weight"};
    const char *at = header;
    for (size_t i = 0; i < sizeof in_order / sizeof in_order[0]; i++) {
        const char *found = strstr(at, in_order[i]);
        REQUIRE(found != NULL, "'%s' is not where it belongs", in_order[i]);
        at = found;
    }
    CHECK(strstr(header, "\"fc1.weight\":{\"dtype\":\"F32\",\"shape\":[2,6]") != NULL, "%s",
          header);
}

// In one process: some ten thousand files.
static void every_flipped_bit_is_refused(void)
{
    make_file();
    for (size_t i = 0; i < file_size; i++)
        for (int bit = 0; bit < 8; bit++) {
            Error err;
            file[i] ^= (unsigned char)(1 << bit);
            CHECK(!accepts(file, file_size, &err), "byte %zu, bit %d: accepted", i, bit);
            file[i] ^= (unsigned char)(1 << bit);
        }
}

static void every_truncation_and_a_trailing_byte_are_refused(void)
{
    Error err;
    make_file();
    for (size_t n = 0; n < file_size; n++)
        CHECK(!accepts(file, n, &err), "cut to %zu: accepted", n);
    file[file_size] = 0;
    CHECK(!accepts(file, file_size + 1, &err), "one byte more: accepted");
    CHECK(accepts(file, file_size, &err), "%s", err.text);
}

// ---------------------------------------------------------------------------------------------
// Files with a right checksum

// Builds a file from `file` with `from` in its header replaced by `to`, the header padded, and the
// checksum made right. Returns its size.
static size_t rebuild(unsigned char *out, const char *from, const char *to)
{
    static char header[MAX_FILE];
    uint64_t n = 0;
    for (int i = 8; i-- > 0;)
        n = n << 8 | file[i];
    memcpy(header, file + 8, (size_t)n);
    header[n] = '\0';
    char *at = strstr(header, from);
    if (at == NULL)
        abort();
    size_t before = (size_t)(at - header);
    int length = snprintf((char *)out + 8, MAX_FILE - 8, "%.*s%s%s", (int)before, header, to,
                          at + strlen(from));
    size_t size = (size_t)length;
    while (size % 8 != 0)
        out[8 + size++] = ' ';
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)((uint64_t)size >> (8 * i));
    memcpy(out + 8 + size, file + 8 + n, file_size - 8 - (size_t)n);
    size_t total = size + file_size - (size_t)n;
    char *digits = strstr((char *)out + 8, "checksum_crc32\":\"");
    if (digits != NULL && (size_t)(digits - (char *)out) < 8 + size) {
        digits += strlen("checksum_crc32\":\"");
        memcpy(digits, "00000000", 8);
        char crc[9];
        snprintf(crc, sizeof crc, "%08" PRIx32, crc32_update(0, out, total));
        memcpy(digits, crc, 8);
    }
    return total;
}

static void a_rebuilt_file_is_accepted(void)
{
    static unsigned char bytes[2 * MAX_FILE];
    Error err;
    make_file();
    size_t size = rebuild(bytes, "\"seed\":\"5\"", "\"seed\" : \"\\u0036\"");
    CHECK(accepts(bytes, size, &err), "%s", err.text);
}

static void wrong_headers_are_refused_with_their_reason(void)
{
    static const struct {
        const char *from, *to, *word;
    } cases[] = {
        {"\"seed\":\"5\",", "", "'seed'"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"seed\":\"5\",", "twice"},
        {"\"__metadata__\":{", "\"__metadata__\":{\"author\":\"me\",", "unknown metadata 'author'"},
        {"\"seed\":\"5\"", "\"seed\":5", "a string"},
        {"\"seed\":\"5\"", "\"seed\":\"-5\"", "'seed'"},
        {"\"seed\":\"5\"", "\"seed\":\"5x\"", "'seed'"},
        {"\"recipe\":\"1\"", "\"recipe\":\"2\"", "recipe '2'"},
        {"\"format\":\"mlp 1\"", "\"format\":\"mlp 9\"", "'format'"},
        {"\"architecture\":\"mlp\"", "\"architecture\":\"gpt\"", "'gpt'"},
        {"\"hidden\":\"2\"", "\"hidden\":\"3\"", "shape"},
        {"\"hidden\":\"2\"", "\"hidden\":\"60000\"", "shape"},
        {"\"hidden\":\"2\"", "\"hidden\":\"18446744073709551617\"", "'hidden'"},
        {"\"classes\":\"3\"", "\"classes\":\"0\"", "'classes'"},
        {"\"pixel_std\":\"0.3084948910638255\"", "\"pixel_std\":\"0\"", "'pixel_std'"},
        {"\"pixel_std\":\"0.3084948910638255\"", "\"pixel_std\":\"nan\"", "'pixel_std'"},
        {"fc1.bias", "fc9.bias", "fc1.bias"},
        {"fc1.bias", "fc1.weight", "twice"},
        {"F32", "F16", "F32"},
        {"\"shape\":[2]", "\"shape\":[1,2]", "shape"},
        {"\"shape\":[2]", "\"shape\":[1,1,1,1,2]", "more than 4"},
        {"\"shape\":[2]", "\"shape\":[-2]", "whole number"},
        {"\"shape\":[2]", "\"shape\":[02]", "whole number"},
        {"\"shape\":[2]", "\"shape\":[[2]]", "whole number"},
        {"[0,8]", "[0,12]", "data_offsets"},
        {"[0,8]", "[8,0]", "data_offsets"},
        {"[0,8]", "[4,12]", "overlap"},
        {"[8,56]", "[0,48]", "overlap"},
        {"[0,8]", "[84,92]", "overlap"},
        {"[0,8]", "[18446744073709551608,18446744073709551615]", "data_offsets"},
        {"\"dtype\":\"F32\",\"shape\":[2]", "\"shape\":[2]", "lacks"},
        {"\"dtype\":\"F32\"", "\"dtype\":\"F32\",\"dtype\":\"F32\"", "twice"},
        {"\"dtype\":\"F32\"", "\"dtype\":\"F32\",\"size\":3", "unknown"},
        {"]}}", "]}} x", "the end"},
        {"]}}", "]},\"extra\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}",
         "unknown tensor 'extra'"},
        {"]}}", "]},\"deep\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", "'{'"},
        {"]}}", "]},}", "a string"},
        {"\"mlp\"", "\"ml\x01p\"", "control"},
        {"\"mlp\"", "\"ml\xffp\"", "UTF-8"},
        {"\"mlp\"", "\"ml\\qp\"", "escape"},
        {"\"mlp\"", "\"ml\\ud800p\"", "escape"},
        {"\"mlp\"", "\"ml\\u0000p\"", "escape"},
    };
    static unsigned char bytes[2 * MAX_FILE];
    make_file();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Error err = {""};
        size_t size = rebuild(bytes, cases[i].from, cases[i].to);
        CHECK(!accepts(bytes, size, &err), "%s: accepted", cases[i].to);
        CHECK(strstr(err.text, cases[i].word) != NULL, "%s: no '%s' in: %s", cases[i].to,
              cases[i].word, err.text);
        CHECK(strstr(err.text, "read: ") != NULL, "the file is not named: %s", err.text);
    }
}

static void a_safetensors_file_of_others_names_the_missing_key(void)
{
    static const char text[] =
        "{\"fc1.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    unsigned char bytes[sizeof text + 12] = {sizeof text - 1};
    Error err = {""};
    memcpy(bytes + 8, text, sizeof text - 1);
    CHECK(!accepts(bytes, 8 + sizeof text - 1 + 4, &err), "accepted");
    CHECK(strstr(err.text, "lack 'architecture'") != NULL, "%s", err.text);
}

static void a_lying_header_length_is_refused(void)
{
    static const uint64_t lengths[] = {
        0, 1, 2, 7, 4000, UINT64_C(1) << 31, UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX - 7};
    Error err;
    make_file();
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (int k = 0; k < 8; k++)
            file[k] = (unsigned char)(lengths[i] >> (8 * k));
        CHECK(!accepts(file, file_size, &err), "length %" PRIu64 ": accepted", lengths[i]);
    }
}

static void weights_that_are_not_finite_are_neither_read_nor_written(void)
{
    static unsigned char bytes[2 * MAX_FILE];
    static Network net;
    Arena arena = {0};
    Error err = {""};
    make_file();
    size_t size = rebuild(bytes, "\"seed\":\"5\"", "\"seed\":\"6\"");
    memcpy(file, bytes, size);
    static const unsigned char infinity[4] = {0, 0, 0x80, 0x7f};
    memcpy(file + size - 4, infinity, 4);
    size = rebuild(bytes, "\"seed\":\"6\"", "\"seed\":\"5\"");
    CHECK(!accepts(bytes, size, &err) && strstr(err.text, "not finite") != NULL, "%s", err.text);

    make_file();
    if (!network_build(&net, &small.architecture, &err))
        abort();
    float *params = network_alloc(&net, &arena, &err);
    params[0] = NAN;
    static unsigned char after[MAX_FILE];
    CHECK(!write_model(&net, params, work_path("model"), &err), "written");
    CHECK(read_file(work_path("model"), after, sizeof after) == file_size &&
              memcmp(after, file, file_size) == 0,
          "the model that was there is lost");
    arena_free(&arena);
}

// ---------------------------------------------------------------------------------------------
// Files that come into being all at once

static bool holds(const char *path, const char *text)
{
    char content[64] = "";
    size_t n = read_file(path, content, sizeof content - 1);
    return n == strlen(text) && memcmp(content, text, n) == 0;
}

static void an_output_replaces_its_target_only_when_committed(void)
{
    Arena arena = {0};
    Error err;
    Output out;
    write_file(work_path("target"), "old", 3);
    REQUIRE(output_open(&out, &arena, work_path("target"), OUTPUT_REGULAR_ONLY, &err), "%s",
            err.text);
    char temporary[512];
    snprintf(temporary, sizeof temporary, "%s", out.temporary);
    fputs("new", out.stream);
    CHECK(holds(work_path("target"), "old"), "replaced too early");
    output_discard(&out);
    CHECK(holds(work_path("target"), "old") && !file_exists(temporary), "discarding left a trace");

    REQUIRE(output_open(&out, &arena, work_path("target"), OUTPUT_REGULAR_ONLY, &err), "%s",
            err.text);
    snprintf(temporary, sizeof temporary, "%s", out.temporary);
    fputs("new", out.stream);
    CHECK(output_commit(&out, &err), "%s", err.text);
    CHECK(holds(work_path("target"), "new") && !file_exists(temporary), "not replaced");
    arena_free(&arena);
}

static void a_published_output_goes_on_in_place(void)
{
    Arena arena = {0};
    Error err;
    Output out;
    write_file(work_path("rows"), "old", 3);
    REQUIRE(output_open(&out, &arena, work_path("rows"), OUTPUT_ANY_FILE, &err), "%s", err.text);
    fputs("1\n", out.stream);
    CHECK(output_publish(&out, &err) && holds(work_path("rows"), "1\n"), "first row");
    fputs("2\n", out.stream);
    CHECK(output_publish(&out, &err) && holds(work_path("rows"), "1\n2\n"), "second row");
    output_discard(&out);
    CHECK(holds(work_path("rows"), "1\n2\n"), "published rows were lost");
    arena_free(&arena);
}

static void links_stay_and_new_files_get_the_usual_mode(void)
{
    Arena arena = {0};
    Error err;
    Output out;
    struct stat status;
    write_file(work_path("real"), "old", 3);
    unlink(work_path("link"));
    REQUIRE(symlink("real", work_path("link")) == 0, "no symbolic links here");
    mode_t mask = umask(027);
    REQUIRE(output_open(&out, &arena, work_path("link"), OUTPUT_REGULAR_ONLY, &err), "%s",
            err.text);
    umask(mask);
    fputs("new", out.stream);
    CHECK(output_commit(&out, &err), "%s", err.text);
    CHECK(lstat(work_path("link"), &status) == 0 && S_ISLNK(status.st_mode), "the link is gone");
    CHECK(holds(work_path("real"), "new"), "what it points to is not replaced");
    CHECK(stat(work_path("real"), &status) == 0 && (status.st_mode & 0777) == 0640, "mode %o",
          (unsigned)status.st_mode & 0777);
    arena_free(&arena);
}

static void devices_folders_and_missing_folders(void)
{
    Arena arena = {0};
    Error err = {""};
    Output out;
    CHECK(!output_open(&out, &arena, "/dev/null", OUTPUT_REGULAR_ONLY, &err), "a device replaced");
    CHECK(output_open(&out, &arena, "/dev/null", OUTPUT_ANY_FILE, &err) &&
              fputs("row\n", out.stream) >= 0 && output_commit(&out, &err),
          "%s", err.text);
    CHECK(!output_open(&out, &arena, work_path("."), OUTPUT_ANY_FILE, &err) &&
              strstr(err.text, "folder") != NULL,
          "%s", err.text);
    CHECK(!output_open(&out, &arena, work_path("no/such/file"), OUTPUT_ANY_FILE, &err) &&
              strstr(err.text, "No such file") != NULL,
          "%s", err.text);
    CHECK(!output_open(&out, &arena, "", OUTPUT_ANY_FILE, &err), "an empty name");
    arena_free(&arena);
}

static void a_full_disk_is_noticed(void)
{
    Arena arena = {0};
    Error err = {""};
    Output out;
    if (!file_exists("/dev/full")) {
        puts("SKIP there is no /dev/full");
        return;
    }
    REQUIRE(output_open(&out, &arena, "/dev/full", OUTPUT_ANY_FILE, &err), "%s", err.text);
    fputs("row\n", out.stream);
    CHECK(!output_commit(&out, &err) && strstr(err.text, "No space") != NULL, "%s", err.text);
    output_discard(&out);
    arena_free(&arena);
}

static void the_same_file_is_recognised_under_two_names(void)
{
    write_file(work_path("a"), "", 0);
    write_file(work_path("b"), "", 0);
    CHECK(path_is_same(work_path("a"), work_path("./a")), "a and ./a");
    CHECK(!path_is_same(work_path("a"), work_path("b")), "a and b");
    CHECK(path_is_same(work_path("new"), work_path("./new")), "new and ./new");
    CHECK(!path_is_same(work_path("new"), work_path("newer")), "new and newer");
    CHECK(!path_is_same(work_path("a"), work_path("new")), "a and new");
}

int main(void)
{
    RUN(a_round_trip_keeps_every_bit);
    RUN(the_layout_is_that_of_the_format);
    RUN(every_flipped_bit_is_refused);
    RUN(every_truncation_and_a_trailing_byte_are_refused);
    RUN(a_rebuilt_file_is_accepted);
    RUN(wrong_headers_are_refused_with_their_reason);
    RUN(a_safetensors_file_of_others_names_the_missing_key);
    RUN(a_lying_header_length_is_refused);
    RUN(weights_that_are_not_finite_are_neither_read_nor_written);
    RUN(an_output_replaces_its_target_only_when_committed);
    RUN(a_published_output_goes_on_in_place);
    RUN(links_stay_and_new_files_get_the_usual_mode);
    RUN(devices_folders_and_missing_folders);
    RUN(a_full_disk_is_noticed);
    RUN(the_same_file_is_recognised_under_two_names);
    return test_end();
}
