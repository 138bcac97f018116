// Hostile IDX files, raw and compressed, and a gzip that fails: each is refused with a reason of
// one line that names the file, and none gets more memory than it has bytes for. The last test
// counts.
#include "idx.h"

#include "files.h"
#include "hostile.h"
#include "test.h"

#include <errno.h>
#include <sys/wait.h>

static size_t n_refused;

enum { N = 7, ROWS = 3, COLS = 4, IMAGE_BYTES = 16 + N * ROWS * COLS, LABEL_BYTES = 8 + N };

// Two files, as bytes; each test breaks them.
typedef struct Bytes {
    unsigned char at[1024];
    size_t size;
} Bytes;
static Bytes images, labels;

static void put_u32(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void fill(void)
{
    memset(images.at, 0, sizeof images.at);
    memset(labels.at, 0, sizeof labels.at);
    images.size = IMAGE_BYTES;
    labels.size = LABEL_BYTES;
    put_u32(images.at, 0x0803);
    put_u32(images.at + 4, N);
    put_u32(images.at + 8, ROWS);
    put_u32(images.at + 12, COLS);
    for (size_t i = 16; i < IMAGE_BYTES; i++)
        images.at[i] = (unsigned char)(i * 37);
    put_u32(labels.at, 0x0801);
    put_u32(labels.at + 4, N);
    for (size_t i = 8; i < LABEL_BYTES; i++)
        labels.at[i] = (unsigned char)(i % 10);
}

static void put_le32(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

// A gzip member with the bytes stored as they are (RFC 1952, RFC 1951 section 3.2.4).
static Bytes stored(const Bytes *raw)
{
    static const unsigned char begin[11] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1};
    Bytes packed = {.size = 15 + raw->size + 8};
    unsigned char *end = packed.at + 15 + raw->size;
    memcpy(packed.at, begin, sizeof begin);
    put_le32(packed.at + 11, (uint32_t)raw->size | (uint32_t)(~raw->size & 0xffff) << 16);
    memcpy(packed.at + 15, raw->at, raw->size);
    put_le32(end, crc32_update(0, raw->at, raw->size));
    put_le32(end + 4, (uint32_t)raw->size);
    return packed;
}

static void write_bytes(const char *name, const Bytes *bytes)
{
    write_file(work_path(name), bytes->at, bytes->size);
}

static bool no_child_is_left(void)
{
    return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
}

static bool read_pair(Dataset *data, Arena *arena, const char *image_name, const char *label_name,
                      Error *err)
{
    *err = (Error){""};
    asked = 0;
    bool ok = idx_read(data, arena, work_path(image_name), work_path(label_name), false, err);
    CHECK(no_child_is_left(), "%s, %s: a child is left", image_name, label_name);
    return ok;
}

// The files as they are on disk are refused, with `word` in the reason and the data untouched.
static void refuse_files(const char *image_name, const char *label_name, const char *word,
                         const char *what, size_t at)
{
    Arena arena = {0};
    Error err;
    Dataset data = {.n = 4711};
    bool compressed = strstr(image_name, ".gz") != NULL || strstr(label_name, ".gz") != NULL;
    size_t limit = compressed ? (size_t)1 << 20 : 0;
    bool accepted = read_pair(&data, &arena, image_name, label_name, &err);
    CHECK(!accepted, "%s (%zu): accepted", what, at);
    CHECK(accepted || is_one_line(err.text), "%s (%zu): not one line: '%s'", what, at, err.text);
    CHECK(accepted || strstr(err.text, word) != NULL, "%s (%zu): no '%s' in: %s", what, at, word,
          err.text);
    CHECK(strstr(err.text, work_path("")) != NULL, "%s (%zu): no file is named: %s", what, at,
          err.text);
    CHECK(accepted || (data.n == 4711 && data.pixels == NULL), "%s (%zu): the data were touched",
          what, at);
    CHECK(asked <= limit + images.size + labels.size + 1024, "%s (%zu): %zu bytes asked for", what,
          at, asked);
    n_refused += !accepted;
    arena_free(&arena);
}

// As `images` and `labels` are, raw and compressed.
static void refuse_raw(const char *word, const char *what, size_t at)
{
    write_bytes("images", &images);
    write_bytes("labels", &labels);
    refuse_files("images", "labels", word, what, at);
}

static void refuse_both(const char *word, const char *what, size_t at)
{
    refuse_raw(word, what, at);
    Bytes packed_images = stored(&images), packed_labels = stored(&labels);
    write_bytes("images.gz", &packed_images);
    write_bytes("labels.gz", &packed_labels);
    refuse_files("images.gz", "labels.gz", word, what, at);
}

// Reads a pair and compares it with the right one.
static bool reads_right(const char *image_name, const char *label_name)
{
    Arena arena = {0};
    Error err;
    Dataset data;
    bool right = read_pair(&data, &arena, image_name, label_name, &err) && data.n == N &&
                 data.rows == ROWS && data.cols == COLS &&
                 memcmp(data.pixels, images.at + 16, N * ROWS * COLS) == 0 &&
                 memcmp(data.labels, labels.at + 8, N) == 0;
    arena_free(&arena);
    return right;
}

static void the_files_that_are_damaged_below_are_right(void)
{
    fill();
    write_bytes("images", &images);
    write_bytes("labels", &labels);
    CHECK(reads_right("images", "labels"), "raw");
    Bytes packed = stored(&images);
    write_bytes("images.gz", &packed);
    CHECK(reads_right("images.gz", "labels"), "stored");
}

static void files_cut_at_any_byte_or_longer_are_refused(void)
{
    for (size_t n = 0; n < IMAGE_BYTES; n++) {
        fill();
        images.size = n;
        n < 20 ? refuse_both("images", "images cut to", n)
               : refuse_raw("images", "images cut to", n);
    }
    for (size_t n = 0; n < LABEL_BYTES; n++) {
        fill();
        labels.size = n;
        refuse_both("labels", "labels cut to", n);
    }
    static const size_t more[] = {1, 2, 8, 100};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        fill();
        images.size += more[i];
        refuse_both("the file has", "images longer by", more[i]);
        fill();
        labels.size += more[i];
        refuse_both("the file has", "labels longer by", more[i]);
    }
}

static void every_wrong_byte_of_a_header_is_refused(void)
{
    static const unsigned char values[] = {0x00, 0x01, 0x02, 0x03, 0x08, 0x09, 0x0d,
                                           0x1f, 0x3c, 0x7f, 0x80, 0xfe, 0xff};
    enum { N_VALUES = sizeof values };
    for (size_t at = 0; at < 16 + 8; at++)
        for (size_t v = 0; v < N_VALUES + 2; v++) {
            fill();
            unsigned char *byte = at < 16 ? &images.at[at] : &labels.at[at - 16];
            unsigned char value = v < N_VALUES    ? values[v]
                                  : v == N_VALUES ? (unsigned char)(*byte + 1)
                                                  : (unsigned char)(*byte - 1);
            if (*byte == value)
                continue;
            *byte = value;
            refuse_both("", "header byte", at);
        }
}

static void what_a_wrong_file_is_is_said(void)
{
    static const unsigned char ranks[] = {0, 1, 2, 4, 5, 255},
                               types[] = {9, 0x0b, 0x0c, 0x0d, 0x0e};
    for (size_t i = 0; i < sizeof ranks; i++) {
        fill();
        images.at[3] = ranks[i];
        refuse_both(ranks[i] == 1 ? "exchanged" : "not with 00 00 08 03", "rank of images",
                    ranks[i]);
        fill();
        labels.at[3] = ranks[i] == 1 ? 3 : ranks[i];
        refuse_both(ranks[i] == 1 ? "exchanged" : "not with 00 00 08 01", "rank of labels",
                    ranks[i]);
    }
    for (size_t i = 0; i < sizeof types; i++) {
        fill();
        images.at[2] = types[i];
        refuse_both("is not an IDX file of images: begins with 00 00 0", "type of images",
                    types[i]);
    }

    fill(); // written on a little-endian machine by someone who forgot
    for (size_t d = 0; d < 16; d += 4) {
        const unsigned char kept[4] = {images.at[d], images.at[d + 1], images.at[d + 2],
                                       images.at[d + 3]};
        for (size_t i = 0; i < 4; i++)
            images.at[d + i] = kept[3 - i];
    }
    refuse_both("byte order", "swapped images", 0);
    fill();
    put_le32(labels.at, 0x0801);
    put_le32(labels.at + 4, N);
    refuse_both("byte order", "swapped labels", 0);

    fill();
    Bytes kept = images;
    images = labels;
    labels = kept;
    refuse_both("exchanged", "both files", 0);

    fill();
    memcpy(images.at, "<!DOCTYPE html><html>", 21);
    refuse_both("web page", "HTML for images", 0);
    fill();
    memcpy(labels.at, "<html>", 6);
    refuse_both("web page", "HTML for labels", 0);

    fill();
    images = stored(&images);
    refuse_raw("is gzip data, where IDX data were expected; give the file a name that ends in .gz",
               "gzip data under a raw name", 0);
    images = stored(&images);
    write_bytes("images.gz", &images);
    refuse_files("images.gz", "labels", "compressed with gzip again", "packed twice", 0);
}

// What people have under the names of data, compressed or not.
static void what_is_downloaded_in_the_place_of_data_is_named(void)
{
    static const struct {
        const char *bytes, *word;
        size_t size;
    } cases[] = {
        {"<!DOCTYPE html>", "a web page", 15},
        {"\n<html>", "a web page", 7},
        {"\xef\xbb\xbf<html>", "a web page", 9},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:", "a Git LFS pointer", 54},
        {"PK\3\4\24\0\0\0", "a ZIP archive", 8},
        {"\xfd"
         "7zXZ\0\0\4",
         "xz data", 8},
        {"BZh91AY&SY", "bzip2 data", 10},
        {"\x28\xb5\x2f\xfd\4\0", "zstd data", 6},
        {"", "is empty", 0},
        {"\x1f", "ends after 1 bytes", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fill();
        memcpy(images.at, cases[i].bytes, cases[i].size);
        images.size = cases[i].size;
        refuse_raw(cases[i].word, "under a raw name", i);
        write_bytes("images.gz", &images);
        refuse_files("images.gz", "labels", cases[i].word, "under the name of gzip data", i);
        fill();
        memcpy(labels.at, cases[i].bytes, cases[i].size);
        labels.size = cases[i].size;
        refuse_raw(cases[i].word, "labels under a raw name", i);
        write_bytes("labels.gz", &labels);
        refuse_files("images", "labels.gz", cases[i].word, "labels", i);
    }
    fill();
    memcpy(images.at, "some text", 9);
    write_bytes("images.gz", &images);
    write_bytes("labels", &labels);
    refuse_files("images.gz", "labels", "is not an IDX file of images",
                 "text under the name of gzip data", 0);
}

static void raw_data_under_the_name_of_compressed_ones_are_read(void)
{
    fill();
    write_bytes("images.gz", &images);
    write_bytes("labels.gz", &labels);
    CHECK(reads_right("images.gz", "labels.gz"), "not read");
    images.size--;
    write_bytes("images.gz", &images);
    refuse_files("images.gz", "labels.gz", "the file has", "raw data cut short", 0);
}

static void counts_that_differ_name_both_files(void)
{
    for (unsigned n = 1; n < 3 * N; n++) {
        char word[64];
        fill();
        if (n == N)
            continue;
        put_u32(labels.at + 4, n);
        labels.size = 8 + n;
        snprintf(word, sizeof word, "has 7 images, but");
        refuse_both(word, "counts", n);
        snprintf(word, sizeof word, "has %u labels", n);
        refuse_both(word, "counts", n);
    }
}

static void sizes_of_zero_or_beyond_memory_are_refused(void)
{
    static const uint32_t values[] = {0,          1,          65536,      0x7fffffff,
                                      0x80000000, 0x80000007, 0xfffffffe, 0xffffffff};
    enum { N_VALUES = sizeof values / sizeof values[0] };
    for (size_t d = 0; d < 4; d++) // each alone, the labels' too
        for (size_t v = 0; v < N_VALUES; v++) {
            fill();
            put_u32(d < 3 ? images.at + 4 + 4 * d : labels.at + 4, values[v]);
            refuse_both("", "size", d);
        }
    for (size_t a = 0; a < N_VALUES; a++) // rows and columns, and all three with the labels
        for (size_t b = 0; b < N_VALUES; b++) {
            if ((uint64_t)values[a] * values[b] == ROWS * COLS)
                continue;
            fill();
            put_u32(images.at + 8, values[a]);
            put_u32(images.at + 12, values[b]);
            refuse_raw("images", "rows x columns", a * N_VALUES + b);
            put_u32(images.at + 4, values[a]);
            put_u32(labels.at + 4, values[a]);
            refuse_raw("", "images x rows x columns", a * N_VALUES + b);
        }

    // Products that come to the true size when they are taken in 32 or in 64 bits.
    fill();
    put_u32(images.at + 8, 5);
    put_u32(images.at + 12, 0x9999999c); // 7 x 5 x 2576980380 is 84 more than 21 x 2^32
    refuse_both("images", "a product that is right in 32 bits", 0);
    static const uint32_t wraps[][4] = {{4, 1380655685, 3340214413u, 4},
                                        {4, 2147549185u, 4294836226u, 8},
                                        {4, 3630681679u, 3810595166u, 8}};
    for (size_t i = 0; i < sizeof wraps / sizeof wraps[0]; i++) {
        fill();
        for (size_t d = 0; d < 3; d++)
            put_u32(images.at + 4 + 4 * d, wraps[i][d]);
        put_u32(labels.at + 4, wraps[i][0]);
        images.size = 16 + wraps[i][3];
        labels.size = 8 + wraps[i][0];
        refuse_both("memory", "a product that is right in 64 bits", i);
    }

    // Both files announce as many images, in a hundred bytes. Compressed ones show only at their
    // end that they are shorter, if memory could hold that many.
    static const uint32_t many[] = {0x7fffffff, 1 << 24};
    for (size_t i = 0; i < 2; i++) {
        fill();
        put_u32(images.at + 4, many[i]);
        put_u32(labels.at + 4, many[i]);
        refuse_raw("the header says", "headers that lie together", i);
    }
    refuse_both("the header says", "headers that lie together", 1);
}

// ---------------------------------------------------------------------------------------------
// gzip

static Bytes packed_by_gzip(const char *name)
{
    char command[1200], path[600];
    Bytes packed;
    snprintf(path, sizeof path, "%s.gz", work_path(name));
    snprintf(command, sizeof command, "gzip -nf '%s'", work_path(name));
    if (system(command) != 0)
        abort();
    packed.size = read_file(path, packed.at, sizeof packed.at);
    return packed;
}

// A flip where gzip's header says when and by what it was made changes nothing; all others are
// found.
static void compressed_files_with_any_byte_wrong_are_refused_or_the_same(void)
{
    size_t n_same = 0, n = 0;
    for (int by_gzip = 0; by_gzip < 2; by_gzip++) {
        fill();
        write_bytes("images", &images);
        write_bytes("labels", &labels);
        Bytes packed = by_gzip ? packed_by_gzip("labels") : stored(&labels);
        for (size_t i = 0; i < packed.size; i++)
            for (int bit = 0; bit < 8; bit++, n++) {
                packed.at[i] ^= (unsigned char)(1 << bit);
                write_bytes("labels.gz", &packed);
                if (reads_right("images", "labels.gz"))
                    n_same++;
                else
                    refuse_files("images", "labels.gz", "labels", "gzip data flipped at", i);
                packed.at[i] ^= (unsigned char)(1 << bit);
            }
    }
    // Time, system, compression level, FTEXT and the reserved flags, unused bits: ten bytes at
    // most.
    CHECK(n_same <= 2 * 80 && n > 500, "%zu of %zu changed nothing", n_same, n);
}

static void compressed_files_cut_anywhere_are_refused(void)
{
    fill();
    write_bytes("images", &images);
    write_bytes("labels", &labels);
    Bytes packed = packed_by_gzip("images");
    write_bytes("labels", &labels);
    for (size_t n = 0; n < packed.size; n++) {
        write_file(work_path("images.gz"), packed.at, n);
        const char *word = n == 0 ? "is empty" : n == 1 ? "ends after 1 bytes" : "gzip";
        refuse_files("images.gz", "labels", word, "gzip data cut to", n);
    }
}

static void what_follows_a_gzip_member_is_refused(void)
{
    fill();
    write_bytes("labels", &labels);
    Bytes packed = stored(&images), more = {.at = {0xff, 0x01}, .size = 2};
    static const char *const garbage[] = {"x",        "\n",           "garbage",  "\x1f",
                                          "\x1f\x8b", "\x1f\x8b\x08", "\x1f\x9d", "PK\x03\x04"};
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        Bytes longer = packed;
        memcpy(longer.at + longer.size, garbage[i], strlen(garbage[i]));
        longer.size += strlen(garbage[i]);
        write_bytes("images.gz", &longer);
        refuse_files("images.gz", "labels", "gzip", "garbage after a gzip member", i);
    }
    Bytes second = stored(&more);
    memcpy(packed.at + packed.size, second.at, second.size);
    packed.size += second.size;
    write_bytes("images.gz", &packed);
    refuse_files("images.gz", "labels", "the file has more", "a second gzip member", 0);
}

static void append(Bytes *to, const unsigned char *bytes, size_t size)
{
    memcpy(to->at + to->size, bytes, size);
    to->size += size;
}

// Members one after another that make the data, as from `cat a.gz b.gz`, divided at any byte; and
// an empty one behind them, as bgzip ends its files, or gzip makes it of nothing.
static void several_gzip_members_that_make_the_data_are_read(void)
{
    static const unsigned char bgzip_end[] = {0x1f, 0x8b, 8,    4,    0, 0, 0,    0, 0, 0xff,
                                              6,    0,    0x42, 0x43, 2, 0, 0x1b, 0, 3, 0,
                                              0,    0,    0,    0,    0, 0, 0,    0};
    Bytes nothing = {.size = 0}, empty = stored(&nothing);
    fill();
    write_bytes("labels", &labels);
    for (size_t cut = 0; cut <= IMAGE_BYTES; cut++) {
        Bytes a = {.size = cut}, b = {.size = IMAGE_BYTES - cut};
        memcpy(a.at, images.at, cut);
        memcpy(b.at, images.at + cut, b.size);
        Bytes both = stored(&a), second = stored(&b);
        append(&both, second.at, second.size);
        write_bytes("images.gz", &both);
        CHECK(reads_right("images.gz", "labels"), "two members, divided at %zu", cut);
        append(&both, cut % 2 == 0 ? empty.at : bgzip_end,
               cut % 2 == 0 ? empty.size : sizeof bgzip_end);
        write_bytes("images.gz", &both);
        CHECK(reads_right("images.gz", "labels"), "and an empty one, divided at %zu", cut);
    }
    // One that is made differently ends as the others do: by its own size and checksum.
    Bytes a = {.size = 50}, b = {.size = IMAGE_BYTES - 50};
    memcpy(a.at, images.at, 50);
    memcpy(b.at, images.at + 50, b.size);
    Bytes both = stored(&a), second = stored(&b);
    second.at[second.size - 6] ^= 1;
    append(&both, second.at, second.size);
    write_bytes("images.gz", &both);
    refuse_files("images.gz", "labels", "gzip", "a second member with a wrong checksum", 0);
}

// Seven labels, then sixteen megabytes of zeros, two thousand times: minutes of work for gzip.
static void a_stream_that_expands_without_end_is_left_after_what_its_header_says(void)
{
    char command[1300];
    snprintf(command, sizeof command, "head -c 16777216 /dev/zero | gzip -9 >'%s'",
             work_path("zeros"));
    if (system(command) != 0)
        abort();
    static unsigned char zeros[65536];
    size_t size = read_file(work_path("zeros"), zeros, sizeof zeros);
    fill();
    write_bytes("images", &images);
    write_bytes("labels", &labels);
    static const char *const names[][2] = {{"images.gz", "labels"}, {"images", "labels.gz"}};
    for (int which = 0; which < 2; which++) {
        Bytes packed = stored(which == 0 ? &images : &labels);
        FILE *file = fopen(work_path(which == 0 ? "images.gz" : "labels.gz"), "wb");
        REQUIRE(file != NULL && size > 0 && size < sizeof zeros, "%zu bytes", size);
        fwrite(packed.at, 1, packed.size, file);
        for (int i = 0; i < 2000; i++)
            fwrite(zeros, 1, size, file);
        if (fclose(file) != 0)
            abort();
        double start = clock_seconds();
        refuse_files(names[which][0], names[which][1], "the file has more", "a gzip bomb", 0);
        CHECK(clock_seconds() - start < 10.0, "%.1f s", clock_seconds() - start);
        unlink(work_path(which == 0 ? "images.gz" : "labels.gz"));
    }
}

// Writes a program `gzip` into a directory, and puts nothing but that directory on the PATH.
// Returns the PATH before.
static char *replace_gzip(const char *script)
{
    char *before = strdup(getenv("PATH")), path[600], text[2048];
    mkdir(work_path("bin"), 0777);
    snprintf(path, sizeof path, "%s/gzip", work_path("bin"));
    snprintf(text, sizeof text, "#!/bin/sh\nPATH='%s'\n%s\n", before, script);
    unlink(path); // one that is not executable can be written over by root alone
    write_file(path, text, script[0] == '\0' ? 0 : strlen(text));
    chmod(path, script[0] == '\0' ? 0 : 0755);
    setenv("PATH", work_path("bin"), 1);
    return before;
}

static void restore_path(char *before)
{
    setenv("PATH", before, 1);
    free(before);
}

// What is in a member made by `stored` of the seven labels.
#define LABELS_OF_MEMBER "tail -c +16 | head -c 15"

static void a_gzip_that_is_missing_or_fails_is_said(void)
{
    static const struct {
        const char *script, *word;
    } cases[] = {
        {"", "cannot run gzip"},                                    // not executable
        {"exit 1", "gzip cannot decompress it"},                    // and says nothing
        {LABELS_OF_MEMBER "; exit 1", "gzip cannot decompress it"}, // all is there, but the status
        {LABELS_OF_MEMBER "; exit 2", "gzip cannot decompress it"}, // is wrong
        {LABELS_OF_MEMBER "; kill -9 $$", "gzip cannot decompress it"},  //
        {LABELS_OF_MEMBER "; cat /dev/zero", "the file has more"},       // without end
        {"tail -c +16 | head -c 12; exec sleep 0.1", "the file has 12"}, // ends early, slowly
        {"exec cat /dev/zero", "begins with 00 00 00 00"},               // no header, without end
        {"printf '<'; exec cat /dev/zero", "a web page"},                //
        {LABELS_OF_MEMBER "; printf x; exec sleep 30", "the file has more"}, // is not waited for
    };
    fill();
    Bytes packed = stored(&labels);
    write_bytes("images", &images);
    write_bytes("labels.gz", &packed);
    char *before = replace_gzip(LABELS_OF_MEMBER);
    CHECK(reads_right("images", "labels.gz"), "the replacement does not do what gzip does");
    restore_path(before);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        before = replace_gzip(cases[i].script);
        double start = clock_seconds();
        refuse_files("images", "labels.gz", cases[i].word, cases[i].script, i);
        double seconds = clock_seconds() - start;
        CHECK(seconds < 10.0, "%.1f s: %s", seconds, cases[i].script);
        restore_path(before);
    }
    before = replace_gzip("");
    unlink(work_path("bin/gzip"));
    refuse_files("images", "labels.gz", "cannot run gzip", "no gzip on the PATH", 0);
    setenv("PATH", "/nonexistent", 1);
    refuse_files("images", "labels.gz", "cannot run gzip", "a PATH that leads nowhere", 0);
    setenv("PATH", "", 1);
    refuse_files("images", "labels.gz", "cannot run gzip", "an empty PATH", 0);
    restore_path(before);
}

// A header that announces two thousand million labels, and a stream that never ends: the
// images' header says otherwise, and is looked at first.
static void labels_without_end_are_not_read_when_the_counts_differ(void)
{
    fill();
    write_bytes("images", &images);
    put_u32(labels.at + 4, 0x7fffffff);
    Bytes packed = stored(&labels);
    write_bytes("labels.gz", &packed);
    char *before = replace_gzip(LABELS_OF_MEMBER "; exec cat /dev/zero");
    double start = clock_seconds();
    refuse_files("images", "labels.gz", "has 7 images, but", "labels without end", 0);
    CHECK(clock_seconds() - start < 10.0, "%.1f s", clock_seconds() - start);
    restore_path(before);
}

static void more_than_a_thousand_files_were_refused(void)
{
    printf("  %zu files were refused\n", n_refused);
    CHECK(n_refused >= 1500, "%zu files", n_refused);
}

int main(void)
{
    RUN(the_files_that_are_damaged_below_are_right);
    RUN(files_cut_at_any_byte_or_longer_are_refused);
    RUN(every_wrong_byte_of_a_header_is_refused);
    RUN(what_a_wrong_file_is_is_said);
    RUN(what_is_downloaded_in_the_place_of_data_is_named);
    RUN(raw_data_under_the_name_of_compressed_ones_are_read);
    RUN(counts_that_differ_name_both_files);
    RUN(sizes_of_zero_or_beyond_memory_are_refused);
    RUN(compressed_files_with_any_byte_wrong_are_refused_or_the_same);
    RUN(compressed_files_cut_anywhere_are_refused);
    RUN(what_follows_a_gzip_member_is_refused);
    RUN(several_gzip_members_that_make_the_data_are_read);
    RUN(a_stream_that_expands_without_end_is_left_after_what_its_header_says);
    RUN(a_gzip_that_is_missing_or_fails_is_said);
    RUN(labels_without_end_are_not_read_when_the_counts_differ);
    RUN(more_than_a_thousand_files_were_refused);
    return test_end();
}
