// The IDX reader: what is right is read exactly, and what is not a file is refused. Files that are
// wrong inside are in test_hostile.c.
#include "idx.h"

#include "files.h"
#include "test.h"

enum { N = 7, ROWS = 3, COLS = 4, IMAGE_BYTES = 16 + N * ROWS * COLS, LABEL_BYTES = 8 + N };

static unsigned char images[IMAGE_BYTES], labels[LABEL_BYTES];

static void put_u32(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (24 - 8 * i));
}

// The right bytes of both files; each test breaks its own copy.
static void fill(void)
{
    put_u32(images, 0x0803);
    put_u32(images + 4, N);
    put_u32(images + 8, ROWS);
    put_u32(images + 12, COLS);
    for (size_t i = 16; i < IMAGE_BYTES; i++)
        images[i] = (unsigned char)(i * 37);
    put_u32(labels, 0x0801);
    put_u32(labels + 4, N);
    for (size_t i = 8; i < LABEL_BYTES; i++)
        labels[i] = (unsigned char)(i % 10);
}

static void compress(const char *path)
{
    char command[1200];
    snprintf(command, sizeof command, "gzip -nf '%s'", path);
    if (system(command) != 0)
        abort();
}

// Writes both files, this many bytes of each, under names that end in .gz when compressed.
static void write_both(size_t image_bytes, size_t label_bytes, bool compressed)
{
    write_file(work_path("images"), images, image_bytes);
    write_file(work_path("labels"), labels, label_bytes);
    if (compressed) {
        compress(work_path("images"));
        compress(work_path("labels"));
    }
}

static bool read_both(Dataset *data, Arena *arena, bool compressed, Error *err)
{
    return idx_read(data, arena, work_path(compressed ? "images.gz" : "images"),
                    work_path(compressed ? "labels.gz" : "labels"), false, err);
}

static void good_files_are_read_exactly_raw_and_compressed(void)
{
    for (int compressed = 0; compressed < 2; compressed++) {
        Arena arena = {0};
        Error err;
        Dataset data;
        fill();
        write_both(IMAGE_BYTES, LABEL_BYTES, compressed);
        REQUIRE(read_both(&data, &arena, compressed, &err), "%s", err.text);
        CHECK(data.n == N && data.rows == ROWS && data.cols == COLS && data.n_classes == 10,
              "%zu images of %zux%zu in %zu classes", data.n, data.rows, data.cols, data.n_classes);
        CHECK(memcmp(data.pixels, images + 16, N * ROWS * COLS) == 0, "the pixels differ");
        CHECK(memcmp(data.labels, labels + 8, N) == 0, "the labels differ");
        uint32_t crc = crc32_update(crc32_update(0, images, IMAGE_BYTES), labels, LABEL_BYTES);
        CHECK(data.crc32 == crc, "CRC-32 %08x, expected %08x", data.crc32, crc);
        arena_free(&arena);
    }
}

static void a_label_of_12_makes_13_classes(void)
{
    Arena arena = {0};
    Error err;
    Dataset data;
    fill();
    labels[9] = 12;
    write_both(IMAGE_BYTES, LABEL_BYTES, false);
    REQUIRE(read_both(&data, &arena, false, &err), "%s", err.text);
    CHECK(data.n_classes == 13, "%zu classes", data.n_classes);
    arena_free(&arena);
}

// QMNIST: eight integers for each image, of which the first is the class.
static void labels_of_integers_are_read(void)
{
    enum { COLUMNS = 8, SIZE = 12 + 4 * COLUMNS * N };
    unsigned char ints[SIZE] = {0};
    Arena arena = {0};
    Error err;
    Dataset data;
    fill();
    put_u32(ints, 0x0c02);
    put_u32(ints + 4, N);
    put_u32(ints + 8, COLUMNS);
    for (uint32_t i = 0; i < N; i++) {
        put_u32(ints + 12 + 4 * COLUMNS * i, 250 - i);
        put_u32(ints + 16 + 4 * COLUMNS * i, 0xffffffff);
    }
    write_file(work_path("images"), images, IMAGE_BYTES);
    write_file(work_path("labels"), ints, SIZE);
    REQUIRE(read_both(&data, &arena, false, &err), "%s", err.text);
    CHECK(data.n == N && data.n_classes == 251, "%zu labels, %zu classes", data.n, data.n_classes);
    for (size_t i = 0; i < data.n; i++)
        CHECK(data.labels[i] == 250 - i, "label %zu is %u", i, data.labels[i]);
    uint32_t crc = crc32_update(crc32_update(0, images, IMAGE_BYTES), ints, SIZE);
    CHECK(data.crc32 == crc, "CRC-32 %08x, expected %08x", data.crc32, crc);
    for (size_t n = 0; n < SIZE; n++) { // cut anywhere
        write_file(work_path("labels"), ints, n);
        CHECK(!read_both(&data, &arena, false, &err), "cut to %zu bytes: accepted", n);
    }
    static const uint32_t wrong[] = {256, 0x80000000, 0xffffffff, 0x00010001};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        put_u32(ints + 12 + 4 * COLUMNS * 3, wrong[i]);
        write_file(work_path("labels"), ints, SIZE);
        CHECK(!read_both(&data, &arena, false, &err) && strstr(err.text, "label 3 is") != NULL,
              "%08x: %s", wrong[i], err.text);
    }
    arena_free(&arena);
}

static void sizes_have_four_bytes_of_which_the_first_counts_most(void)
{
    Arena arena = {0};
    Error err;
    Dataset data;
    fill();
    put_u32(images + 4, 0x01020304);
    put_u32(images + 8, 1);
    put_u32(images + 12, 1);
    write_both(IMAGE_BYTES, LABEL_BYTES, false);
    CHECK(!read_both(&data, &arena, false, &err) &&
              strstr(err.text, "says 16909060 x 1 x 1 images, 16909076 bytes with the header; the "
                               "file has 100") != NULL,
          "%s", err.text);
    arena_free(&arena);
}

static void transposing_exchanges_rows_and_columns(void)
{
    Arena arena = {0};
    Error err;
    Dataset data;
    fill();
    write_both(IMAGE_BYTES, LABEL_BYTES, false);
    REQUIRE(read_both(&data, &arena, false, &err), "%s", err.text);
    uint32_t crc = data.crc32;
    REQUIRE(idx_read(&data, &arena, work_path("images"), work_path("labels"), true, &err), "%s",
            err.text);
    CHECK(data.rows == COLS && data.cols == ROWS, "%zu x %zu", data.rows, data.cols);
    CHECK(data.crc32 != crc, "the checksum is that of other data");
    for (size_t i = 0; i < N; i++)
        for (size_t row = 0; row < ROWS; row++)
            for (size_t col = 0; col < COLS; col++) {
                unsigned found = data.pixels[i * ROWS * COLS + col * ROWS + row];
                unsigned wanted = images[16 + i * ROWS * COLS + row * COLS + col];
                CHECK(found == wanted, "image %zu, %zu, %zu: %u, not %u", i, row, col, found,
                      wanted);
            }
    arena_free(&arena);
}

// Memory grows with what arrives: what has been read is moved, and kept.
static void a_large_compressed_file_is_read_exactly(void)
{
    enum { SIDE = 64, LARGE_N = 700, SIZE = LARGE_N * SIDE * SIDE }; // two megabytes and more
    unsigned char *large = malloc(16 + SIZE), *few = calloc(1, 8 + LARGE_N);
    if (large == NULL || few == NULL)
        abort();
    put_u32(large, 0x0803);
    put_u32(large + 4, LARGE_N);
    put_u32(large + 8, SIDE);
    put_u32(large + 12, SIDE);
    for (uint32_t i = 0; i < SIZE; i++)
        large[16 + i] = (unsigned char)((i * 2654435761u) >> 24);
    put_u32(few, 0x0801);
    put_u32(few + 4, LARGE_N);
    write_file(work_path("images"), large, 16 + SIZE);
    write_file(work_path("labels"), few, 8 + LARGE_N);
    compress(work_path("images"));
    compress(work_path("labels"));
    Arena arena = {0};
    Error err = {""};
    Dataset data;
    bool ok = read_both(&data, &arena, true, &err);
    CHECK(ok, "%s", err.text);
    CHECK(ok && memcmp(data.pixels, large + 16, SIZE) == 0, "the pixels differ");
    arena_free(&arena);
    free(large);
    free(few);
}

static void what_is_no_regular_file_is_refused(void)
{
    static const struct {
        const char *name, *word;
    } cases[] = {{".", "is a directory"},
                 {"fifo", "fifo: is not a regular file"}, // nobody writes to it: must not wait
                 {"dangling", "dangling: No such file"},
                 {"circle", "circle: "},
                 {"nothing", "nothing: No such file"},
                 {"labels/below", "labels/below: Not a directory"}};
    Arena arena = {0};
    Error err = {""};
    Dataset data;
    fill();
    write_both(IMAGE_BYTES, LABEL_BYTES, false);
    unlink(work_path("fifo"));
    unlink(work_path("dangling"));
    unlink(work_path("circle"));
    REQUIRE(mkfifo(work_path("fifo"), 0666) == 0 && symlink("none", work_path("dangling")) == 0 &&
                symlink("circle", work_path("circle")) == 0,
            "no FIFO or symbolic links here");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK(
            !idx_read(&data, &arena, work_path(cases[i].name), work_path("labels"), false, &err) &&
                strstr(err.text, cases[i].word) != NULL,
            "%s as images: %s", cases[i].name, err.text);
        CHECK(
            !idx_read(&data, &arena, work_path("images"), work_path(cases[i].name), false, &err) &&
                strstr(err.text, cases[i].word) != NULL,
            "%s as labels: %s", cases[i].name, err.text);
    }
    CHECK(!idx_read(&data, &arena, "/dev/zero", work_path("labels"), false, &err) &&
              strstr(err.text, "/dev/zero: is not a regular file") != NULL,
          "%s", err.text);
    arena_free(&arena);
}

// Which of the names are there decides what is read; the label of image 0 tells them apart.
static void a_directory_prefers_raw_files_and_knows_both_forms(void)
{
    static const char *const names[] = {"idx3-ubyte", "idx1-ubyte"};
    static const char *const forms[] = {"t10k-%s.%s.gz", "t10k-%s-%s.gz", "t10k-%s.%s",
                                        "t10k-%s-%s"};
    Arena arena = {0};
    Error err = {""};
    Dataset data;
    mkdir(work_path("directory"), 0777);
    const char *directory = work_path("directory");
    CHECK(!idx_read_directory(&data, &arena, directory, MLP_TEST_FILES, false, &err) &&
              strstr(err.text, "t10k-images-idx3-ubyte") != NULL,
          "%s", err.text);
    for (unsigned form = 0; form < 4; form++) {
        for (int file = 0; file < 2; file++) {
            char name[64], path[700];
            bool dot = form % 2 == 0, compressed = form < 2;
            snprintf(name, sizeof name, "t10k-%s%c%s", file == 0 ? "images" : "labels",
                     dot ? '.' : '-', names[file]);
            snprintf(path, sizeof path, "%s/%s", work_path("directory"), name);
            fill();
            labels[8] = (unsigned char)form;
            if (file == 0)
                write_file(path, images, IMAGE_BYTES);
            else
                write_file(path, labels, LABEL_BYTES);
            if (compressed)
                compress(path);
        }
        REQUIRE(
            idx_read_directory(&data, &arena, work_path("directory"), MLP_TEST_FILES, false, &err),
            "%s: %s", forms[form], err.text);
        CHECK(data.labels[0] == form, "%s: form %u was read", forms[form], data.labels[0]);
    }
    arena_free(&arena);
}

int main(void)
{
    RUN(good_files_are_read_exactly_raw_and_compressed);
    RUN(a_label_of_12_makes_13_classes);
    RUN(labels_of_integers_are_read);
    RUN(sizes_have_four_bytes_of_which_the_first_counts_most);
    RUN(transposing_exchanges_rows_and_columns);
    RUN(a_large_compressed_file_is_read_exactly);
    RUN(what_is_no_regular_file_is_refused);
    RUN(a_directory_prefers_raw_files_and_knows_both_forms);
    return test_end();
}
