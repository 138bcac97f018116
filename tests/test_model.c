// The model file: a round trip keeps every bit, the layout is the format's, and a file comes into
// being all at once. Files that are not exactly a model are in test_hostile.c.
#include "model.h"

#include "files.h"
#include "path.h"
#include "random.h"
#include "synthetic.h"
#include "test.h"

#include <inttypes.h>
#include <math.h>

enum { MAX_FILE = 8192 };

static unsigned char file[MAX_FILE];
static size_t file_size;

static Model small = {.settings = {.architecture = "mlp",
                                   .hidden = {2},
                                   PLAIN_SETTINGS,
                                   .learning_rate = 1e-4,
                                   .batch_size = 64,
                                   .seed = 5,
                                   .train_size = 100,
                                   .validation_size = 20},
                      .facts = {.rows = 2,
                                .cols = 3,
                                .classes = 3,
                                .pixel_std = 0.3084948910638255,
                                .recipe = 1,
                                .data_crc32 = 0x00ab0cde},
                      .state = {.epochs = 7}};

static bool write_model(const Model *model, const char *path, Error *err)
{
    Arena arena = {0};
    Output out;
    bool ok = output_open(&out, &arena, path, OUTPUT_REGULAR_ONLY, err) &&
              model_write(model, &out, err) && output_commit(&out, err);
    if (!ok)
        output_discard(&out);
    arena_free(&arena);
    return ok;
}

static void build(Model *model, Arena *arena)
{
    Error err;
    Architecture architecture = model_architecture(model);
    if (!network_build(&model->net, &architecture, &err) ||
        (model->params = network_alloc(&model->net, arena, &err)) == NULL)
        abort();
    network_init(&model->net, model->params, 1);
}

// Writes a small model whose weights include the odd numbers, and keeps the bytes in `file`.
static void make_file(void)
{
    Arena arena = {0};
    Error err;
    build(&small, &arena);
    small.params[tensor_index(small.net.tensors[0], 0)] = -0.0f;
    small.params[tensor_index(small.net.tensors[0], 1)] = 1e-42f; // not normal
    small.params[tensor_index(small.net.tensors[2], 2)] = -3.4e38f;
    if (!write_model(&small, work_path("model"), &err))
        abort();
    file_size = read_file(work_path("model"), file, sizeof file);
    arena_free(&arena);
}

static void a_round_trip_keeps_every_bit(void)
{
    static unsigned char again[MAX_FILE];
    Arena arena = {0};
    Error err;
    Model model;
    make_file();
    REQUIRE(model_read(&model, &arena, work_path("model"), &err), "%s", err.text);
    REQUIRE(write_model(&model, work_path("again"), &err), "%s", err.text);
    size_t size = read_file(work_path("again"), again, sizeof again);
    CHECK(size == file_size && memcmp(again, file, size) == 0, "the bytes differ");
    CHECK(model.settings.seed == 5 && model.settings.epochs == 7 && model.state.epochs == 7 &&
              model.facts.data_crc32 == small.facts.data_crc32 &&
              memcmp(&model.facts.pixel_std, &small.facts.pixel_std, sizeof(double)) == 0,
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

static void weights_that_are_not_finite_are_not_written(void)
{
    static const float values[] = {NAN, INFINITY, -INFINITY};
    static unsigned char after[MAX_FILE];
    Arena arena = {0};
    Error err = {""};
    make_file();
    for (size_t t = 0; t < small.net.n_tensors; t++)
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            build(&small, &arena);
            small.params[tensor_index(small.net.tensors[t], 1)] = values[v];
            CHECK(!write_model(&small, work_path("model"), &err) &&
                      strstr(err.text, "not finite") != NULL,
                  "%s, value %zu: %s", small.net.tensors[t]->name, v, err.text);
            CHECK(read_file(work_path("model"), after, sizeof after) == file_size &&
                      memcmp(after, file, file_size) == 0,
                  "the model that was there is lost");
        }
    arena_free(&arena);
}

// Settings that few models have: the bytes of the others do not know of them.
static void class_names_and_transposition_are_kept(void)
{
    static const char names[] = "\n\"quoted\"\nback\\slash, \xc3\x9c";
    static Model model;
    static unsigned char after[MAX_FILE];
    Arena arena = {0};
    Error err = {""};
    make_file();
    REQUIRE(model_read(&model, &arena, work_path("model"), &err), "%s", err.text);
    CHECK(model.settings.class_names == NULL && !model.settings.transposed, "there are some");
    model.settings.class_names = names;
    model.settings.transposed = true;
    CHECK(write_model(&model, work_path("named"), &err), "%s", err.text);
    REQUIRE(model_read(&model, &arena, work_path("named"), &err), "%s", err.text);
    CHECK(model.settings.transposed && strcmp(model.settings.class_names, names) == 0, "read: %s",
          model.settings.class_names);
    for (size_t k = 0; k < 3; k++) {
        static const char *const wanted[] = {"0", "\"quoted\"", "back\\slash, \xc3\x9c"};
        CHECK(strcmp(class_name(model.settings.class_names, k).text, wanted[k]) == 0, "%s",
              class_name(model.settings.class_names, k).text);
    }
    CHECK(strcmp(class_name("a", 1).text, "1") == 0 &&
              strcmp(class_name(NULL, 255).text, "255") == 0,
          "a class without a name");
    model.settings.class_names = NULL;
    model.settings.transposed = false;
    CHECK(write_model(&model, work_path("plain"), &err), "%s", err.text);
    CHECK(read_file(work_path("plain"), after, sizeof after) == file_size &&
              memcmp(after, file, file_size) == 0,
          "a model without them has other bytes");
    arena_free(&arena);
}

// As many and as long names as there can be, all of which must be escaped.
static void the_longest_class_names_fit(void)
{
    static char names[CLASS_NAMES_SIZE];
    static Model model, named;
    Arena arena = {0};
    Error err = {""};
    for (size_t k = 0; k < 256; k++)
        snprintf(names + 64 * k, 65, "%03zu%.60s%s", k,
                 "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""
                 "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
                 k < 255 ? "\n" : "");
    named.settings = small.settings;
    named.facts = small.facts;
    named.facts.classes = 256;
    named.settings.class_names = names;
    build(&named, &arena);
    REQUIRE(strlen(names) == CLASS_NAMES_SIZE - 1, "%zu bytes of names", strlen(names));
    REQUIRE(write_model(&named, work_path("long"), &err) &&
                model_read(&model, &arena, work_path("long"), &err),
            "%s", err.text);
    CHECK(strcmp(model.settings.class_names, names) == 0, "the names differ");
    arena_free(&arena);
}

// ---------------------------------------------------------------------------------------------
// Versions of the format

// Changes the header of a model's bytes, which stay as long as they were or become shorter, and
// signs them. Returns whether `from` was there.
static bool exchange(unsigned char *bytes, size_t size, const char *from, const char *to)
{
    static const char key[] = "\"checksum_crc32\":\"";
    char *header = (char *)bytes + 8, digits[9];
    size_t length = (size_t)bytes[0] + 256 * (size_t)bytes[1], old = strlen(from), new = strlen(to);
    for (size_t i = 0; i + old <= length && new <= old; i++)
        if (memcmp(header + i, from, old) == 0) {
            memcpy(header + i, to, new);
            memmove(header + i + new, header + i + old, length - i - old);
            memset(header + length - (old - new), ' ', old - new);
            char *sum = strstr(header, key) + sizeof key - 1; // it is before the first 0
            memcpy(sum, "00000000", 8);
            snprintf(digits, sizeof digits, "%08" PRIx32, crc32_update(0, bytes, size));
            memcpy(sum, digits, 8);
            return true;
        }
    return false;
}

static void a_setting_that_format_2_lacks_is_at_its_default(void)
{
    static Model model, other;
    static unsigned char bytes[MAX_FILE], again[MAX_FILE];
    Arena arena = {0};
    Error err;
    other.settings = (mlp_settings){.architecture = "mlp",
                                    PLAIN_SETTINGS,
                                    .hidden = {64}, // its default: the tensors must fit
                                    .learning_rate = 0.5,
                                    .batch_size = 3,
                                    .seed = 4,
                                    .train_size = 5,
                                    .validation_size = 6,
                                    .transposed = true,
                                    .class_names = "a\nb"};
    other.facts = small.facts;
    other.state = small.state;
    build(&other, &arena);
    size_t n = 0;
    for (const Setting *row = settings_table; row->key != NULL; row++) {
        char entry[64], number[NUMBER_SIZE];
        REQUIRE(write_model(&other, work_path("other"), &err), "%s", err.text);
        size_t size = read_file(work_path("other"), bytes, sizeof bytes);
        snprintf(entry, sizeof entry, "\"%s\":\"%s\",", row->key,
                 row->type == SETTING_STRING ? "a\\nb"
                                             : setting_text(row, &other.settings, number));
        if (strcmp(row->key, "validation_size") == 0) // the last one
            snprintf(entry, sizeof entry, ",\"validation_size\":\"6\"");
        if (!exchange(bytes, size, entry, "")) {
            CHECK(strcmp(row->key, "epochs") == 0 || !setting_is_shown(row, &other.settings, "mlp"),
                  "no %s", entry);
            continue;
        }
        n++;
        if (row->absent[0] == NULL)
            CHECK(!model_parse(&model, &arena, bytes, size, &err) &&
                      strstr(err.text, row->key) != NULL,
                  "format 1 without %s", row->key);
        REQUIRE(exchange(bytes, size, "\"mlp 1\"", "\"mlp 2\""), "no format");
        // The sizes of the split are what training chose, which no default says.
        if (strstr(row->key, "_size") != NULL && strcmp(row->key, "batch_size") != 0) {
            CHECK(!model_parse(&model, &arena, bytes, size, &err) &&
                      strstr(err.text, "lack") != NULL && strstr(err.text, row->key) != NULL,
                  "format 2 without %s: %s", row->key, err.text);
            continue;
        }
        REQUIRE(model_parse(&model, &arena, bytes, size, &err), "%s: %s", row->key, err.text);
        CHECK(strcmp(model.facts.format, "mlp 2") == 0, "format %s", model.facts.format);
        for (const Setting *r = settings_table; r->key != NULL; r++) {
            bool is_default = setting_is_default(r, &model.settings, "mlp");
            bool is_expected = r == row || r->since > 1 || strcmp(r->key, "architecture") == 0 ||
                               strcmp(r->key, "hidden") == 0;
            CHECK(is_default == is_expected, "without %s: %s is %s", row->key, r->key,
                  setting_text(r, &model.settings, number));
        }
        // And so it can be written and read again.
        REQUIRE(write_model(&model, work_path("other"), &err), "%s", err.text);
        size = read_file(work_path("other"), again, sizeof again);
        CHECK(model_parse(&model, &arena, again, size, &err), "%s: %s", row->key, err.text);
    }
    CHECK(n == 9, "%zu settings left out", n);
    arena_free(&arena);
}

// The convolutional network has other defaults.
static void defaults_are_those_of_the_architecture(void)
{
    static Model model;
    static unsigned char bytes[65536];
    Arena arena = {0};
    Error err = {""};
    size_t size = read_file("tests/models/cnn.bin", bytes, sizeof bytes);
    REQUIRE(exchange(bytes, size, "\"learning_rate\":\"0.01\",", "") &&
                exchange(bytes, size, "\"mlp 1\"", "\"mlp 2\"") &&
                model_parse(&model, &arena, bytes, size, &err),
            "%s", err.text);
    mlp_settings defaults;
    settings_default(&defaults, "cnn");
    CHECK(memcmp(&model.settings.learning_rate, &defaults.learning_rate, sizeof(double)) == 0 &&
              setting_is_default(setting_find(settings_table, "learning_rate"), &model.settings,
                                 "cnn"),
          "learning rate %g", model.settings.learning_rate);
    arena_free(&arena);
}

// With a table that has a setting more, since format 2, whose default was changed later.
static void a_newer_setting_is_written_only_where_it_is_not_what_its_absence_means(void)
{
    Setting table[64];
    size_t n_rows = 0;
    for (; settings_table[n_rows].key != NULL; n_rows++)
        table[n_rows] = settings_table[n_rows];
    table[n_rows] = (Setting){.key = "dither",
                              .type = SETTING_UINT,
                              .offset = offsetof(mlp_settings, seed),
                              .max = 100,
                              .since = 2,
                              .absent = {"5"},
                              .defaults = {"6"}};
    table[n_rows + 1] = (Setting){.key = NULL};
    static Model model;
    model.settings = small.settings;
    for (uint64_t seed = 5; seed <= 6; seed++) {
        ModelEntry list[MODEL_MAX_ENTRIES];
        char number[NUMBER_SIZE];
        const char *format = "", *dither = "";
        model.settings.seed = seed;
        size_t n = model_entries(list, table, &model);
        for (size_t i = 0; i < n; i++) {
            CHECK(i == 0 || strcmp(list[i - 1].row->key, list[i].row->key) < 0, "not sorted");
            const char *text = setting_text(list[i].row, list[i].from, number);
            if (strcmp(list[i].row->key, "format") == 0)
                format = text;
            if (strcmp(list[i].row->key, "dither") == 0)
                dither = strcmp(text, "6") == 0 ? "6" : "wrong";
        }
        CHECK(strcmp(dither, seed == 5 ? "" : "6") == 0, "seed %zu: '%s'", (size_t)seed, dither);
        CHECK(strcmp(format, seed == 5 ? "mlp 1" : "mlp 2") == 0, "seed %zu: %s", (size_t)seed,
              format);
    }
}

// As programs of recipes 1 and 3 see them.
static void a_model_of_an_earlier_recipe_is_read_but_not_trained_further(void)
{
    static const struct {
        const char *recipe;
        uint64_t current;
        const char *error; // NULL: it is read
        bool is_trained;
    } cases[] = {{"1", 1, NULL, true},
                 {"1", 3, NULL, false},
                 {"2", 3, NULL, false},
                 {"3", 3, NULL, true},
                 {"4", 3, "newer version of mlp (recipe '4')", false},
                 {"0", 3, "not a recipe", false},
                 {"-1", 3, "not a recipe", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Error err = {""};
        Model model = {.name = "old.bin"};
        bool ok = model_parse_recipe(&model.facts.recipe, cases[i].recipe, cases[i].current, &err);
        CHECK(ok == (cases[i].error == NULL) && (ok || strstr(err.text, cases[i].error) != NULL),
              "recipe %s for %u: %s", cases[i].recipe, (unsigned)cases[i].current, err.text);
        if (!ok)
            continue;
        ok = model_can_train(&model, cases[i].current, &err);
        CHECK(ok == cases[i].is_trained && (ok || strstr(err.text, "old.bin") != NULL),
              "recipe %s for %u: %s", cases[i].recipe, (unsigned)cases[i].current, err.text);
    }
}

// A model keeps the recipe that it was made with.
static void the_recipe_of_a_model_is_written(void)
{
    ModelEntry list[MODEL_MAX_ENTRIES];
    char number[NUMBER_SIZE];
    Model model = {.settings = small.settings, .facts = small.facts};
    model.facts.recipe = 3;
    size_t i = 0, n = model_entries(list, settings_table, &model);
    while (i < n && strcmp(list[i].row->key, "recipe") != 0)
        i++;
    REQUIRE(i < n, "no recipe");
    CHECK(strcmp(setting_text(list[i].row, list[i].from, number), "3") == 0, "%s", number);
}

// One of each architecture, written by version 0.1.0.
static void models_of_earlier_versions_are_read_and_written_as_the_same_bytes(void)
{
    static const char *const names[] = {"tests/models/mlp.bin", "tests/models/cnn.bin"};
    static unsigned char before[65536], after[65536];
    static Model model;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        Arena arena = {0};
        Error err = {""};
        size_t size = read_file(names[i], before, sizeof before);
        REQUIRE(size > 0 && model_read(&model, &arena, names[i], &err) &&
                    write_model(&model, work_path("again"), &err),
                "%s: %s", names[i], err.text);
        CHECK(read_file(work_path("again"), after, sizeof after) == size &&
                  memcmp(before, after, size) == 0,
              "%s: other bytes", names[i]);
        arena_free(&arena);
    }
}

// What is in a file that is wrong inside is in test_hostile.c; here, that the file is named.
static void what_is_no_model_file_is_refused_by_name(void)
{
    static const struct {
        const char *name, *word;
    } cases[] = {{".", "is a directory"},
                 {"fifo", "fifo: is not a regular file"}, // nobody writes to it: must not wait
                 {"dangling", "dangling: No such file"},
                 {"nothing", "nothing: No such file"},
                 {"empty", "empty: not a model file: has only 0 bytes"},
                 {"cut", "cut: "},
                 {"model.gz", "model.gz: cannot read a model file compressed"},
                 {"gigabyte", "gigabyte: 5502926849 bytes are too many"}};
    static Model model;
    Arena arena = {0};
    Error err = {""};
    make_file();
    write_file(work_path("empty"), "", 0);
    write_file(work_path("cut"), file, file_size - 1);
    write_file(work_path("model.gz"), "\x1f\x8b\x08", 3);
    write_file(work_path("gigabyte"), "", 0);
    unlink(work_path("fifo"));
    unlink(work_path("dangling"));
    REQUIRE(mkfifo(work_path("fifo"), 0666) == 0 && symlink("none", work_path("dangling")) == 0 &&
                truncate(work_path("gigabyte"), ((off_t)5 << 30) + (1 << 27) + 1) == 0,
            "no FIFO, no symbolic links or no sparse files here");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK(!model_read(&model, &arena, work_path(cases[i].name), &err) &&
                  strstr(err.text, cases[i].word) != NULL,
              "%s: %s", cases[i].name, err.text);
    CHECK(!model_read(&model, &arena, "/dev/zero", &err) &&
              strstr(err.text, "/dev/zero: is not a regular file") != NULL,
          "%s", err.text);
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

// Replaces a file through a name, with a umask of 027, and returns the mode that it then has.
static unsigned mode_after(const char *name, const char *file_name)
{
    Arena arena = {0};
    Error err;
    Output out;
    struct stat status = {0};
    mode_t mask = umask(027);
    bool ok = output_open(&out, &arena, work_path(name), OUTPUT_REGULAR_ONLY, &err);
    umask(mask);
    if (ok) {
        fputs("new", out.stream);
        ok = output_commit(&out, &err);
    }
    CHECK(ok, "%s", err.text);
    CHECK(holds(work_path(file_name), "new"), "%s: not replaced", file_name);
    CHECK(stat(work_path(file_name), &status) == 0, "%s is missing", file_name);
    arena_free(&arena);
    return (unsigned)status.st_mode & 0777;
}

static void links_and_modes_stay_and_new_files_get_the_usual_mode(void)
{
    struct stat status;
    write_file(work_path("real"), "old", 3);
    unlink(work_path("link"));
    unlink(work_path("fresh"));
    REQUIRE(symlink("real", work_path("link")) == 0, "no symbolic links here");
    REQUIRE(chmod(work_path("real"), 0604) == 0, "no modes here");
    unsigned kept = mode_after("link", "real"), fresh = mode_after("fresh", "fresh");
    CHECK(lstat(work_path("link"), &status) == 0 && S_ISLNK(status.st_mode), "the link is gone");
    CHECK(kept == 0604, "an old file's mode became %o", kept);
    CHECK(fresh == 0640, "a new file has mode %o", fresh);
}

static void devices_directories_and_missing_directories(void)
{
    Arena arena = {0};
    Error err = {""};
    Output out;
    CHECK(!output_open(&out, &arena, "/dev/null", OUTPUT_REGULAR_ONLY, &err), "a device replaced");
    CHECK(output_open(&out, &arena, "/dev/null", OUTPUT_ANY_FILE, &err) &&
              fputs("row\n", out.stream) >= 0 && output_commit(&out, &err),
          "%s", err.text);
    CHECK(!output_open(&out, &arena, work_path("."), OUTPUT_ANY_FILE, &err) &&
              strstr(err.text, "directory") != NULL,
          "%s", err.text);
    CHECK(!output_open(&out, &arena, work_path("no/such/file"), OUTPUT_ANY_FILE, &err) &&
              strstr(err.text, "No such file") != NULL,
          "%s", err.text);
    CHECK(!output_open(&out, &arena, "", OUTPUT_ANY_FILE, &err), "an empty name");
    static Model model;
    CHECK(!model_save(&model, &out, &arena, work_path("no/such/file"), &err), "saved nowhere");
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
    RUN(weights_that_are_not_finite_are_not_written);
    RUN(class_names_and_transposition_are_kept);
    RUN(the_longest_class_names_fit);
    RUN(a_setting_that_format_2_lacks_is_at_its_default);
    RUN(defaults_are_those_of_the_architecture);
    RUN(a_newer_setting_is_written_only_where_it_is_not_what_its_absence_means);
    RUN(a_model_of_an_earlier_recipe_is_read_but_not_trained_further);
    RUN(the_recipe_of_a_model_is_written);
    RUN(models_of_earlier_versions_are_read_and_written_as_the_same_bytes);
    RUN(what_is_no_model_file_is_refused_by_name);
    RUN(an_output_replaces_its_target_only_when_committed);
    RUN(a_published_output_goes_on_in_place);
    RUN(links_and_modes_stay_and_new_files_get_the_usual_mode);
    RUN(devices_directories_and_missing_directories);
    RUN(a_full_disk_is_noticed);
    RUN(the_same_file_is_recognised_under_two_names);
    return test_end();
}
