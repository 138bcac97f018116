// The work of the readers: for every input of n bytes they take at most c n + d steps, with c and d
// below. A step is a turn of a loop or a byte that a function of string.h looks at; steps.h counts
// them in the sources that the Makefile names (COUNTED). Good inputs take exactly as many as a
// formula says.
#include "class_names.h"
#include "csv_images.h"
#include "exif.h"
#include "idx.h"
#include "json.h"
#include "model.h"
#include "pnm.h"

#include "files.h"
#include "test.h"

#include <dirent.h>

extern uint64_t reader_steps; // steps.h
uint64_t reader_steps;

enum { ROOM = 1 << 20, LARGE = 100000 };

static unsigned char input[ROOM];
static size_t size; // of the input

static void add(const void *bytes, size_t n)
{
    if (size + n > ROOM)
        abort();
    memcpy(input + size, bytes, n);
    size += n;
}

static void add_text(const char *text)
{
    add(text, strlen(text));
}

static void add_times(const char *text, size_t n)
{
    while (n-- > 0)
        add_text(text);
}

// ---------------------------------------------------------------------------------------------
// The readers, each with the line that it stays under

static void open_input(Source *source, const char *name)
{
    Error err;
    const char *path = work_path(name);
    write_file(path, input, size);
    if (!source_open(source, path, &err))
        abort();
}

static uint64_t steps_of_idx(bool transposed)
{
    Arena arena = {0};
    Error err;
    Dataset data;
    Source source;
    open_input(&source, "steps-idx");
    reader_steps = 0;
    (void)idx_read_images(&data, &arena, &source, transposed, &err);
    arena_free(&arena);
    return reader_steps;
}

static uint64_t steps_of_labels(void)
{
    static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1};
    unsigned char other[sizeof images + 0x10000];
    size_t n = size < 8 ? 0 : 256 * (size_t)input[6] + input[7];
    Arena arena = {0};
    Error err;
    Dataset data;
    memset(other, 0, sizeof other);
    memcpy(other, images, sizeof images);
    other[6] = (unsigned char)(n >> 8);
    other[7] = (unsigned char)n;
    const char *path = work_path("steps-images"), *labels = work_path("steps-labels");
    write_file(path, other, sizeof images + n);
    write_file(labels, input, size);
    reader_steps = 0;
    bool ok = idx_read(&data, &arena, path, labels, false, &err);
    arena_free(&arena);
    return reader_steps - (ok ? sizeof images + n : 0); // without those of the images
}

static uint64_t steps_of_pnm(void)
{
    static PnmReader reader;
    Arena arena = {0};
    Error err;
    GreyImage image;
    Source source;
    open_input(&source, "steps-pnm");
    pnm_begin(&reader, &source);
    reader_steps = 0;
    while (reader.more && pnm_read(&reader, &image, &arena, &err))
        ;
    arena_free(&arena);
    return reader_steps;
}

static uint64_t steps_of_model(void)
{
    static Model model;
    static unsigned char copy[ROOM];
    Arena arena = {0};
    Error err;
    memcpy(copy, input, size); // its checksum is overwritten
    reader_steps = 0;
    (void)model_parse(&model, &arena, copy, size, &err);
    arena_free(&arena);
    return reader_steps;
}

static uint64_t steps_of_table(void)
{
    static Labels labels;
    Arena arena = {0};
    Error err;
    Collection images = {0};
    Source source;
    open_input(&source, "steps-table");
    labels.n = 0;
    reader_steps = 0;
    (void)csv_images_read(&images, &labels, NULL, &source, &arena, &err);
    arena_free(&arena);
    return reader_steps;
}

static uint64_t steps_of_exif(void)
{
    reader_steps = 0;
    (void)exif_orientation(input, size);
    return reader_steps;
}

static uint64_t steps_of_images(void)
{
    return steps_of_idx(false);
}

static uint64_t steps_of_transposed(void)
{
    return steps_of_idx(true);
}

typedef struct Reader {
    const char *name; // as in tests/fuzz/corpus
    uint64_t (*steps)(void);
    uint64_t c, d;
    double most; // of (steps - d) / n that was seen
    size_t n;    // inputs
} Reader;

enum { IMAGES, TRANSPOSED, LABELS, PNM, MODEL, TABLE, EXIF, N_READERS };
static Reader readers[N_READERS] = {
    [IMAGES] = {.name = "idx", .steps = steps_of_images, .c = 1, .d = 256},
    [TRANSPOSED] = {.name = "idx", .steps = steps_of_transposed, .c = 3, .d = 256},
    [LABELS] = {.name = "idx", .steps = steps_of_labels, .c = 3, .d = 256},
    [PNM] = {.name = "pnm", .steps = steps_of_pnm, .c = 9, .d = 256},
    [MODEL] = {.name = "model", .steps = steps_of_model, .c = 100, .d = 10000},
    [TABLE] = {.name = "csv", .steps = steps_of_table, .c = 300, .d = 2048},
    [EXIF] = {.name = "exif", .steps = steps_of_exif, .c = 1, .d = 64},
};

static void check_bound(Reader *reader, const char *what)
{
    uint64_t steps = reader->steps(), most = reader->c * size + reader->d;
    double ratio = steps < reader->d ? 0 : (double)(steps - reader->d) / (double)(size + 1);
    CHECK(steps <= most, "%s, %s: %zu bytes take %llu steps, more than %llu n + %llu", reader->name,
          what, size, (unsigned long long)steps, (unsigned long long)reader->c,
          (unsigned long long)reader->d);
    reader->most = ratio > reader->most ? ratio : reader->most;
    reader->n++;
    if (getenv("SHOW_STEPS") != NULL)
        printf("%s, %s: %zu bytes, %llu steps\n", reader->name, what, size,
               (unsigned long long)steps);
}

// ---------------------------------------------------------------------------------------------
// Good inputs: exactly so many

static void add_idx_header(unsigned rank, const size_t *dims)
{
    unsigned char head[4] = {0, 0, 8, (unsigned char)rank};
    size = 0;
    add(head, sizeof head);
    for (unsigned d = 0; d < rank; d++)
        add((unsigned char[]){(unsigned char)(dims[d] >> 24), (unsigned char)(dims[d] >> 16),
                              (unsigned char)(dims[d] >> 8), (unsigned char)dims[d]},
            4);
}

static void add_zeros(size_t n)
{
    if (size + n > ROOM)
        abort();
    memset(input + size, 0, n);
    size += n;
}

static void check_exact(const char *what, uint64_t steps, uint64_t expected)
{
    CHECK(steps == expected, "%s of %zu bytes: %llu steps, not %llu", what, size,
          (unsigned long long)steps, (unsigned long long)expected);
}

static void a_good_IDX_file_takes_a_step_for_each_byte(void)
{
    for (size_t n = 1; n <= 64; n *= 4) {
        size_t dims[] = {n, 28, 27}, pixels = n * 28 * 27;
        add_idx_header(3, dims);
        add_zeros(pixels);
        check_exact("images", steps_of_images(), 16 + pixels);
        check_exact("images, transposed", steps_of_transposed(), 16 + 3 * pixels);
        add_idx_header(1, dims); // labels: read, compared with the largest, and checksummed
        add_zeros(n);
        check_exact("labels", steps_of_labels(), 8 + 3 * n);
    }
}

static void a_good_anymap_takes_a_step_for_each_byte_and_each_sample(void)
{
    for (size_t n = 1; n <= 300; n += 13) {
        char head[64];
        snprintf(head, sizeof head, "P5 %zu 3 255\n", n);
        size = 0;
        add_text(head);
        add_zeros(3 * n);
        check_exact("P5", steps_of_pnm(), size + 1 + 3 * n);
        snprintf(head, sizeof head, "P6 %zu 3 65535\n", n);
        size = 0;
        add_text(head);
        add_zeros(18 * n);
        check_exact("P6, 16 bits", steps_of_pnm(), size + 1 + 9 * n);
        snprintf(head, sizeof head, "P4 %zu 3\n", 8 * n);
        size = 0;
        add_text(head);
        add_zeros(3 * n);
        check_exact("P4", steps_of_pnm(), size + 1 + 24 * n);
        snprintf(head, sizeof head, "P2 # text\n%zu 3 255\n", n);
        size = 0;
        add_text(head);
        add_times(" 9\n", 3 * n);
        check_exact("P2", steps_of_pnm(), size + 1 + 3 * n);
    }
}

static void a_JSON_string_takes_three_steps_for_each_byte(void)
{
    for (size_t n = 1; n <= LARGE; n *= 10) {
        Arena arena = {0};
        Error err;
        const char *text;
        size = 0;
        add_text("\"");
        add_times("x", n);
        add_text("\"");
        JsonReader json = {(char *)input, (char *)input, (char *)input + size, &arena};
        reader_steps = 0;
        CHECK(json_expect_string(&json, &text, &err), "%s", err.text);
        check_exact("string", reader_steps, 1 + 3 * n); // its end, its bytes, and their copy
        arena_free(&arena);
    }
}

// ---------------------------------------------------------------------------------------------
// Bad inputs, made to cost much

static void check_text(Reader *reader, const char *what, const char *begin, const char *again,
                       const char *end)
{
    for (size_t n = LARGE / 100; n <= LARGE; n *= 10) {
        size = 0;
        add_text(begin);
        add_times(again, n / strlen(again));
        add_text(end);
        check_bound(reader, what);
    }
}

static void anymaps_made_to_cost_much_stay_under_the_line(void)
{
    Reader *pnm = &readers[PNM];
    check_text(pnm, "a comment", "P2\n#", "x", "\n1 1 1 0\n");
    check_text(pnm, "comments", "P2\n", "#\n", "1 1 1 0\n");
    check_text(pnm, "comments in a number", "P2\n", "#\r1", " 1 1 0\n");
    check_text(pnm, "blanks", "P1\n", " ", "1 1 0\n");
    check_text(pnm, "a long number", "P2\n", "1", " 1 1 0\n");
    check_text(pnm, "zeros", "P2\n", "0", "1 1 1 0\n");
    check_text(pnm, "a bitmap of text", "P1 1000 1000\n", "0", "");
    check_text(pnm, "a bitmap of columns of one", "P4 1 100000\n", "x", "");
    check_text(pnm, "a bitmap of columns of eight", "P4 8 100000\n", "x", "");
    check_text(pnm, "a wide bitmap", "P4 900000 1\n", "x", "");
    check_text(pnm, "samples of one byte", "P6 10000 10000 255\n", "x", "");
    check_text(pnm, "many images", "", "P4 8 1\nx", "");
    check_text(pnm, "many images of two bits", "", "P4 1 2\nxx", "");
    check_text(pnm, "many promises", "", "P5 9999 9999 255\n", "");
}

static void IDX_files_made_to_cost_much_stay_under_the_line(void)
{
    static const size_t dims[][3] = {
        {LARGE, 1, 1}, {1, LARGE, 1}, {1, 1, LARGE}, {10, 100, 100}, {LARGE, LARGE, LARGE}};
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++)
        for (size_t n = LARGE / 100; n <= LARGE; n *= 10) {
            add_idx_header(3, dims[i]);
            add_zeros(n);
            check_bound(&readers[IMAGES], "images");
            check_bound(&readers[TRANSPOSED], "images");
            check_bound(&readers[LABELS], "images");
        }
    for (size_t n = 1; n <= 0xffff; n = 4 * n + 3) {
        add_idx_header(1, &n);
        add_zeros(n);
        check_bound(&readers[LABELS], "labels");
        size_t rank2[] = {n, 8};
        add_idx_header(2, rank2);
        input[2] = 0x0c;
        add_zeros(32 * n);
        if (size < ROOM / 2)
            check_bound(&readers[LABELS], "labels of 8 columns");
    }
}

// A model's header round what `fill` adds, with the length before it.
static void check_header(const char *what, const char *begin, void (*fill)(size_t), const char *end)
{
    for (size_t n = LARGE / 100; n <= LARGE; n *= 10) {
        size = 0;
        add_zeros(8);
        add_text(begin);
        fill(n);
        add_text(end);
        for (int b = 0; b < 4; b++)
            input[b] = (unsigned char)((size - 8) >> (8 * b));
        check_bound(&readers[MODEL], what);
    }
}

static const char *repeated;
static void fill_repeated(size_t n)
{
    add_times(repeated, n / strlen(repeated));
}

// So many members with one long beginning in common; each is compared with those before.
static size_t members;
static const char *value;
static void fill_members(size_t n)
{
    for (size_t i = 0; i < members; i++) {
        char last[64];
        add_text(i == 0 ? "\"" : ",\"");
        add_times("x", n / members);
        snprintf(last, sizeof last, "%zu\":%s", i, value);
        add_text(last);
    }
}

static void model_files_made_to_cost_much_stay_under_the_line(void)
{
    static const char *const texts[] = {
        "{", "[",  " ",       "\\\"",    "\\u0041", "\\",   "\xc3\xa9", "\xf0\x9f\x98\x80",
        "0", "1,", "\"x\":{", "{\"x\":", ",",       "\"\"", "x"};
    static const char *const begins[] = {"{",
                                         "{\"",
                                         "{\"__metadata__\":",
                                         "{\"__metadata__\":{",
                                         "{\"__metadata__\":{\"",
                                         "{\"__metadata__\":{\"x\":\"",
                                         "{\"x\":{\"shape\":[",
                                         "{\"x\":{\"data_offsets\":["};
    static const char *const ends[] = {"", "\"", "\"}}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (size_t j = 0; j < sizeof begins / sizeof begins[0]; j++)
            for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++) {
                repeated = texts[i];
                check_header(texts[i], begins[j], fill_repeated, ends[k]);
            }
    for (members = 1; members <= 256; members *= 2) {
        value = "\"\"";
        check_header("metadata", "{\"__metadata__\":{", fill_members, "}}");
        check_header("metadata of a model",
                     "{\"__metadata__\":{\"format\":\"mlp 1\",\"recipe\":\"1\",", fill_members,
                     "}}");
        value = "{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}";
        check_header("tensors", "{", fill_members, "}");
    }
}

// Lines of names that begin alike, each compared with those before.
static void class_names_made_to_cost_much_stay_under_the_line(void)
{
    enum { C = 300, D = 64 };
    for (size_t length = 1; length < CLASS_NAME_SIZE; length++)
        for (size_t n = 16; n <= MLP_MAX_CLASSES; n *= 4) {
            Error err;
            size = 0;
            for (size_t k = 0; k < n; k++) {
                char name[CLASS_NAME_SIZE];
                snprintf(name, sizeof name, "%s%0*zx", k == 0 ? "" : "\n",
                         (int)(length > 8 ? 8 : length), k);
                add_times("x", length > 8 ? length - 8 : 0);
                add_text(name);
            }
            add("", 1);
            reader_steps = 0;
            (void)class_names_check((const char *)input, n, &err);
            CHECK(reader_steps <= C * size + D, "%zu names of %zu bytes: %llu steps", n, length,
                  (unsigned long long)reader_steps);
        }
}

static void tables_made_to_cost_much_stay_under_the_line(void)
{
    Reader *table = &readers[TABLE];
    check_text(table, "fields", "", "1,", "\n");
    check_text(table, "rows", "label,1\n", "1,2\n", "");
    check_text(table, "rows of quotes", "label,1\n", "\"1\",\"2\"\n", "");
    check_text(table, "quotes", "", "\"\"", "\n");
    check_text(table, "blanks", "", " ", "\n");
    check_text(table, "blanks in fields", "", " 1 ,", "\n");
    check_text(table, "empty lines", "", "\n", "\n");
    check_text(table, "long fields", "", "00000000000000000000000000000000000000000000000,", "\n");
    size = 0;
    for (size_t n = 0; n < LARGE / 10; n++) { // 256 labels that begin alike
        char row[64];
        snprintf(row, sizeof row, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%zu,7\n", n % 256);
        add_text(row);
    }
    check_bound(table, "labels that begin alike");
}

static void photos_made_to_cost_much_stay_under_the_line(void)
{
    Reader *exif = &readers[EXIF];
    check_text(exif, "empty segments", "\xff\xd8", "\xff\xe0\xff\xe0", "");
    for (size_t n = LARGE / 100; n <= LARGE; n *= 10) {
        size = 0;
        add("\xff\xd8", 2);
        for (size_t i = 0; i < n / 4; i++)
            add("\xff\xe1\0\2", 4);
        check_bound(exif, "segments of no bytes");
        size = 0;
        add("\xff\xd8\xff\xe1\xff\xff"
            "Exif\0\0MM\0*\0\0\0\x8\xff\xff",
            22);
        add_zeros(n);
        check_bound(exif, "a directory of 65,535 entries");
    }
}

// ---------------------------------------------------------------------------------------------
// The inputs of the fuzzers, bytes of chance, and good inputs with some bytes changed

static uint32_t chance(void)
{
    static uint64_t state = 1; // a linear congruential generator: Knuth's MMIX
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(state >> 33);
}

static void load(const char *path)
{
    size = read_file(path, input, ROOM / 2);
}

static void try_changed(Reader *reader, const char *path)
{
    enum { TIMES = 60 };
    load(path);
    check_bound(reader, path);
    for (int i = 0; i < TIMES; i++) {
        load(path);
        for (uint32_t changes = chance() % 4 + 1; size > 0 && changes > 0; changes--) {
            size_t at = chance() % size, n = chance() % (size - at) + 1;
            switch (chance() % 4) {
            case 0: input[at] ^= (unsigned char)(1U << chance() % 8); break;
            case 1: input[at] = (unsigned char)chance(); break;
            case 2: size = at; break;
            default: // a piece once more at the end
                add(input + at, n);
            }
        }
        check_bound(reader, path);
    }
}

static void fuzz_inputs_and_their_changes_stay_under_the_line(void)
{
    static const char *const places[] = {"tests/fuzz/corpus", "tests/fuzz/regressions"};
    for (Reader *reader = readers; reader < readers + N_READERS; reader++)
        for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
            char directory[128];
            snprintf(directory, sizeof directory, "%s/%s", places[p], reader->name);
            DIR *files = opendir(directory);
            REQUIRE(p > 0 || files != NULL, "%s cannot be opened", directory);
            for (struct dirent *file; files != NULL && (file = readdir(files)) != NULL;) {
                char path[512];
                snprintf(path, sizeof path, "%s/%s", directory, file->d_name);
                if (file->d_name[0] != '.')
                    try_changed(reader, path);
            }
            if (files != NULL)
                closedir(files);
        }
}

static void bytes_of_chance_stay_under_the_line(void)
{
    static const char *const begins[] = {"", "P1 ", "P4 80 80\n", "P5 90 90 255\n",
                                         "{\"__metadata__\":{\""};
    for (Reader *reader = readers; reader < readers + N_READERS; reader++)
        for (size_t n = 10; n <= LARGE; n *= 10)
            for (size_t b = 0; b < sizeof begins / sizeof begins[0]; b++) {
                size = 0;
                if (reader == &readers[MODEL])
                    add((unsigned char[]){(unsigned char)n, (unsigned char)(n >> 8),
                                          (unsigned char)(n >> 16), 0, 0, 0, 0, 0},
                        8);
                add_text(begins[b]);
                for (size_t i = 0; i < n; i++)
                    add((unsigned char[]){(unsigned char)chance()}, 1);
                check_bound(reader, "bytes of chance");
            }
}

static void every_reader_was_counted(void)
{
    for (Reader *reader = readers; reader < readers + N_READERS; reader++) {
        CHECK(reader->n >= 100, "%s: only %zu inputs", reader->name, reader->n);
        if (getenv("SHOW_STEPS") != NULL)
            printf("%s: %zu inputs, at most %.2f steps per byte beside %llu\n", reader->name,
                   reader->n, reader->most, (unsigned long long)reader->d);
    }
}

int main(void)
{
    RUN(a_good_IDX_file_takes_a_step_for_each_byte);
    RUN(a_good_anymap_takes_a_step_for_each_byte_and_each_sample);
    RUN(a_JSON_string_takes_three_steps_for_each_byte);
    RUN(anymaps_made_to_cost_much_stay_under_the_line);
    RUN(IDX_files_made_to_cost_much_stay_under_the_line);
    RUN(model_files_made_to_cost_much_stay_under_the_line);
    RUN(class_names_made_to_cost_much_stay_under_the_line);
    RUN(tables_made_to_cost_much_stay_under_the_line);
    RUN(photos_made_to_cost_much_stay_under_the_line);
    RUN(fuzz_inputs_and_their_changes_stay_under_the_line);
    RUN(bytes_of_chance_stay_under_the_line);
    RUN(every_reader_was_counted);
    return test_end();
}
