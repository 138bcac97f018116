// The IDX reader: what is right is read exactly, what is wrong is refused with the reason, and
// nothing is touched.
#include "idx.h"

#include "file.h"
#include "files.h"
#include "test.h"

enum { N = 7, ROWS = 3, COLS = 4, IMAGE_BYTES = 16 + N * ROWS * COLS, LABEL_BYTES = 8 + N };

static unsigned char images[IMAGE_BYTES + 1], labels[LABEL_BYTES + 1];

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
    for (size_t i = 16; i <= IMAGE_BYTES; i++)
        images[i] = (unsigned char)(i * 37);
    put_u32(labels, 0x0801);
    put_u32(labels + 4, N);
    for (size_t i = 8; i <= LABEL_BYTES; i++)
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
                    work_path(compressed ? "labels.gz" : "labels"), err);
}

// The files as they are on disk are refused, with `word` in the reason, and *data stays.
static void check_refused(bool compressed, const char *word, const char *what, size_t at)
{
    Arena arena = {0};
    Error err = {""};
    Dataset data = {.n = 4711};
    bool accepted = read_both(&data, &arena, compressed, &err);
    CHECK(!accepted, "%s %zu: accepted", what, at);
    CHECK(data.n == 4711 && data.pixels == NULL, "%s %zu: the data were touched", what, at);
    CHECK(strstr(err.text, word) != NULL, "%s %zu: no '%s' in: %s", what, at, word, err.text);
    arena_free(&arena);
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

static void files_cut_at_any_byte_are_refused(void)
{
    for (int compressed = 0; compressed < 2; compressed++) {
        fill();
        for (size_t n = 0; n < IMAGE_BYTES; n += n < 18 ? 1 : 13) {
            write_both(n, LABEL_BYTES, compressed);
            check_refused(compressed, "images", "images cut to", n);
        }
        for (size_t n = 0; n < LABEL_BYTES; n++) {
            write_both(IMAGE_BYTES, n, compressed);
            check_refused(compressed, "labels", "labels cut to", n);
        }
    }
}

static void one_byte_too_many_is_refused(void)
{
    for (int compressed = 0; compressed < 2; compressed++) {
        fill();
        write_both(IMAGE_BYTES + 1, LABEL_BYTES, compressed);
        check_refused(compressed, "the file has", "images", 1);
        write_both(IMAGE_BYTES, LABEL_BYTES + 1, compressed);
        check_refused(compressed, "the file has", "labels", 1);
    }
}

static void every_wrong_magic_byte_is_refused(void)
{
    static const unsigned char values[] = {0x00, 0x01, 0x02, 0x03, 0x08, 0x09,
                                           0x0d, 0x1f, 0x3c, 0x80, 0xff};
    for (size_t at = 0; at < 4; at++)
        for (size_t v = 0; v < sizeof values; v++) {
            fill();
            if (images[at] == values[v])
                continue;
            images[at] = values[v];
            write_both(IMAGE_BYTES, LABEL_BYTES, false);
            check_refused(false, "images", "magic byte", at);
        }
}

static void what_a_wrong_file_is_is_said(void)
{
    fill();
    const unsigned char swapped[4] = {3, 8, 0, 0};
    memcpy(images, swapped, 4);
    write_both(IMAGE_BYTES, LABEL_BYTES, false);
    check_refused(false, "byte order", "swapped magic", 0);

    memcpy(images, "<!DOCTYPE html>", 15);
    write_both(IMAGE_BYTES, LABEL_BYTES, false);
    check_refused(false, "web page", "HTML", 0);

    fill();
    write_both(IMAGE_BYTES, LABEL_BYTES, true);
    rename(work_path("images.gz"), work_path("images"));
    rename(work_path("labels.gz"), work_path("labels"));
    check_refused(false, ".gz", "compressed data under a raw name", 0);

    images[2] = 0x0d;
    write_both(IMAGE_BYTES, LABEL_BYTES, false);
    check_refused(false, "type 0d", "floats", 0);

    fill();
    Arena arena = {0};
    Error err = {""};
    Dataset data;
    write_both(IMAGE_BYTES, LABEL_BYTES, false);
    CHECK(!idx_read(&data, &arena, work_path("labels"), work_path("images"), &err),
          "exchanged files were accepted");
    CHECK(strstr(err.text, "exchanged") != NULL, "%s", err.text);
    arena_free(&arena);
}

static void counts_that_differ_name_both_files(void)
{
    fill();
    put_u32(labels + 4, N - 1);
    write_both(IMAGE_BYTES, LABEL_BYTES - 1, false);
    check_refused(false, "7 images", "counts", 0);
    check_refused(false, "6 labels", "counts", 0);
}

static void sizes_of_zero_or_beyond_memory_are_refused(void)
{
    static const struct {
        size_t at;
        uint32_t value;
    } cases[] = {{4, 0},          {8, 0},           {12, 0},         {4, 0x80000000},
                 {8, 0x80000000}, {12, 0x80000000}, {8, 0xffffffff}, {12, 0xffffffff}};
    for (int compressed = 0; compressed < 2; compressed++)
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            fill();
            put_u32(images + cases[i].at, cases[i].value);
            write_both(IMAGE_BYTES, LABEL_BYTES, compressed);
            check_refused(compressed, "images", "size", i);
        }
    fill();
    put_u32(images + 8, 0xffffffff);
    put_u32(images + 12, 0xffffffff);
    write_both(IMAGE_BYTES, LABEL_BYTES, false);
    check_refused(false, "memory", "a product that overflows", 0);
}

static void damaged_gzip_data_are_refused(void)
{
    unsigned char packed[512];
    fill();
    write_both(IMAGE_BYTES, LABEL_BYTES, true);
    size_t size = read_file(work_path("images.gz"), packed, sizeof packed - 1);
    for (size_t n = 0; n < size; n += 3) {
        write_file(work_path("images.gz"), packed, n);
        check_refused(true, "gzip", "gzip data cut to", n);
    }
    packed[size / 2] ^= 0x10;
    write_file(work_path("images.gz"), packed, size);
    check_refused(true, "images", "a flipped bit at", size / 2);
    packed[size / 2] ^= 0x10;
    packed[size] = 'x';
    write_file(work_path("images.gz"), packed, size + 1);
    check_refused(true, "gzip", "a byte after the gzip member", size);
}

static void folders_devices_and_missing_files_are_refused(void)
{
    Arena arena = {0};
    Error err = {""};
    Dataset data;
    fill();
    write_both(IMAGE_BYTES, LABEL_BYTES, false);
    CHECK(!idx_read(&data, &arena, work_path("."), work_path("labels"), &err) &&
              strstr(err.text, "folder") != NULL,
          "%s", err.text);
    CHECK(!idx_read(&data, &arena, "/dev/zero", work_path("labels"), &err) &&
              strstr(err.text, "no regular file") != NULL,
          "%s", err.text);
    CHECK(!idx_read(&data, &arena, work_path("nothing"), work_path("labels"), &err) &&
              strstr(err.text, "nothing: No such file") != NULL,
          "%s", err.text);
    arena_free(&arena);
}

// Which of the names are there decides what is read; the label of image 0 tells them apart.
static void a_folder_prefers_raw_files_and_knows_both_forms(void)
{
    static const char *const names[] = {"idx3-ubyte", "idx1-ubyte"};
    static const char *const forms[] = {"t10k-%s.%s.gz", "t10k-%s-%s.gz", "t10k-%s.%s",
                                        "t10k-%s-%s"};
    Arena arena = {0};
    Error err = {""};
    Dataset data;
    mkdir(work_path("folder"), 0777);
    const char *folder = work_path("folder");
    CHECK(!idx_read_folder(&data, &arena, folder, IDX_TEST, &err) &&
              strstr(err.text, "t10k-images-idx3-ubyte") != NULL,
          "%s", err.text);
    for (unsigned form = 0; form < 4; form++) {
        for (int file = 0; file < 2; file++) {
            char name[64], path[700];
            bool dot = form % 2 == 0, compressed = form < 2;
            snprintf(name, sizeof name, "t10k-%s%c%s", file == 0 ? "images" : "labels",
                     dot ? '.' : '-', names[file]);
            snprintf(path, sizeof path, "%s/%s", work_path("folder"), name);
            fill();
            labels[8] = (unsigned char)form;
            if (file == 0)
                write_file(path, images, IMAGE_BYTES);
            else
                write_file(path, labels, LABEL_BYTES);
            if (compressed)
                compress(path);
        }
        REQUIRE(idx_read_folder(&data, &arena, work_path("folder"), IDX_TEST, &err), "%s: %s",
                forms[form], err.text);
        CHECK(data.labels[0] == form, "%s: form %u was read", forms[form], data.labels[0]);
    }
    arena_free(&arena);
}

int main(void)
{
    RUN(good_files_are_read_exactly_raw_and_compressed);
    RUN(a_label_of_12_makes_13_classes);
    RUN(files_cut_at_any_byte_are_refused);
    RUN(one_byte_too_many_is_refused);
    RUN(every_wrong_magic_byte_is_refused);
    RUN(what_a_wrong_file_is_is_said);
    RUN(counts_that_differ_name_both_files);
    RUN(sizes_of_zero_or_beyond_memory_are_refused);
    RUN(damaged_gzip_data_are_refused);
    RUN(folders_devices_and_missing_files_are_refused);
    RUN(a_folder_prefers_raw_files_and_knows_both_forms);
    return test_end();
}
