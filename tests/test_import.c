// What mlp import is made of: area averages of pictures, tables of images, the choice of test
// images. The command itself is tested in cli_import.sh.
#include "csv_images.h"
#include "formats.h"
#include "idx.h"
#include "resize.h"

#include "failing_source.h"
#include "files.h"
#include "test.h"

#include <math.h>
#include <sys/socket.h>
#include <sys/wait.h>

// ---------------------------------------------------------------------------------------------
// Pictures in another size

// The mean of the source over the area of pixel (row, col), by definition, in double precision.
static double area_mean(const GreyImage *image, size_t rows, size_t cols, size_t row, size_t col)
{
    double height = (double)image->rows / (double)rows, width = (double)image->cols / (double)cols;
    double top = (double)row * height, left = (double)col * width, sum = 0.0;
    for (size_t y = 0; y < image->rows; y++)
        for (size_t x = 0; x < image->cols; x++) {
            double h = fmin((double)y + 1, top + height) - fmax((double)y, top);
            double w = fmin((double)x + 1, left + width) - fmax((double)x, left);
            sum += fmax(h, 0.0) * fmax(w, 0.0) * image->pixels[y * image->cols + x];
        }
    return sum / (height * width);
}

static void scaled_pictures_are_means_over_areas(void)
{
    static const size_t sides[][4] = {{7, 5, 3, 4}, {3, 4, 7, 5}, {28, 28, 8, 9}, {1, 9, 4, 2},
                                      {5, 5, 5, 5}, {2, 3, 1, 1}, {100, 1, 3, 3}};
    for (size_t s = 0; s < sizeof sides / sizeof sides[0]; s++) {
        unsigned char source[1024], pixels[1024];
        size_t rows = sides[s][2], cols = sides[s][3];
        const GreyImage image = {sides[s][0], sides[s][1], source};
        for (size_t i = 0; i < image.rows * image.cols; i++)
            source[i] = (unsigned char)(i * 97 % 256);
        image_resize(pixels, rows, cols, &image);
        for (size_t i = 0; i < rows * cols; i++) {
            double mean = area_mean(&image, rows, cols, i / cols, i % cols);
            CHECK(fabs(pixels[i] - mean) < 0.5 + 1e-9, "%zu x %zu: pixel %zu is %d, the mean %.9g",
                  rows, cols, i, pixels[i], mean);
        }
    }
}

static void pictures_of_that_size_stay_as_they_are(void)
{
    unsigned char source[28 * 28], pixels[28 * 28];
    for (size_t i = 0; i < sizeof source; i++)
        source[i] = (unsigned char)(i * 31 % 256);
    image_resize(pixels, 28, 28, &(GreyImage){28, 28, source});
    CHECK(memcmp(source, pixels, sizeof source) == 0, "pixels changed");
}

// Sides whose product needs more than 32 bits.
static void long_pictures_are_scaled(void)
{
    enum { LONG = 2000000, SIDE = 4096 };
    static unsigned char source[LONG], pixels[SIDE];
    for (size_t i = 0; i < LONG; i++)
        source[i] = (unsigned char)(i / (LONG / 4) * 50);
    image_resize(pixels, 1, SIDE, &(GreyImage){1, LONG, source});
    for (size_t i = 0; i < SIDE; i++)
        CHECK(pixels[i] == i / (SIDE / 4) * 50, "pixel %zu is %d", i, pixels[i]);
}

// ---------------------------------------------------------------------------------------------
// Tables

static Labels labels;

static bool read_table(Collection *images, const char *text, size_t size, const char *label,
                       Arena *arena, Error *err)
{
    Source source;
    const char *path = work_path("table.csv");
    write_file(path, text, size);
    labels.n = 0;
    return source_open(&source, path, err) &&
           csv_images_read(images, &labels, label, &source, arena, err);
}

enum { ROWS = 700, SIDE = 16 };

// A table of all numbers in all places, with the label in column 5.
static char *make_table(size_t *size)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, size);
    for (int row = 0; file != NULL && row < ROWS; row++)
        for (int i = 0; i < SIDE * SIDE; i++)
            fprintf(file, "%s%d%s", i == 4 ? "7," : "", (i * row + row) % 256,
                    i + 1 < SIDE * SIDE ? "," : "\n");
    if (file == NULL || fclose(file) != 0)
        abort();
    return text;
}

static void check_table(const Collection *images)
{
    CHECK(images->n == ROWS && images->rows == SIDE && images->cols == SIDE,
          "%zu images of %zu x %zu", images->n, images->rows, images->cols);
    for (size_t row = 0; row < images->n; row++)
        for (size_t i = 0; i < SIDE * SIDE; i++)
            CHECK(images->pixels.at[row * SIDE * SIDE + i] == (i * row + row) % 256,
                  "row %zu, pixel %zu is %d", row, i, images->pixels.at[row * SIDE * SIDE + i]);
}

// Where the lines of a table end in the reader's buffer must not matter.
static void every_number_is_read_at_every_place_in_the_buffer(void)
{
    Arena arena = {0};
    Error err = {""};
    Collection images = {.n = 0};
    size_t size;
    char *text = make_table(&size);
    CHECK(size > 2 * CSV_BUFFER, "the table is shorter than the buffer");
    bool ok = read_table(&images, text, size, "5", &arena, &err);
    CHECK(ok, "%s", err.text);
    check_table(&images);
    free(text);
    arena_free(&arena);
}

// A stream whose reads are what was written: a first piece that is peeked at, then ever shorter
// ones, so that old bytes are behind what has been read.
static void what_is_behind_a_short_read_is_not_taken(void)
{
    Arena arena = {0};
    Error err = {""};
    Collection images = {.n = 0};
    size_t size, done = 0;
    char *text = make_table(&size);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0)
        abort();
    pid_t writer = fork();
    if (writer == 0) {
        close(ends[0]);
        size_t piece = FORMAT_HEAD;
        while (done < size) {
            size_t n = size - done < piece ? size - done : piece;
            if (write(ends[1], text + done, n) != (ssize_t)n)
                break;
            done += n;
            piece = piece > FORMAT_HEAD ? piece - 1 : 4000;
        }
        _exit(done != size);
    }
    close(ends[1]);
    labels.n = 0;
    bool ok =
        csv_images_read(&images, &labels, "5",
                        &(Source){.path = "stream", .fd = ends[0], .piped = true}, &arena, &err);
    int status = 1;
    waitpid(writer, &status, 0);
    CHECK(ok && status == 0, "%d: %s", status, err.text);
    check_table(&images);
    free(text);
    arena_free(&arena);
}

// A table of two rows in several spellings, cut at every byte: what is left are whole rows, or it
// is refused.
static void tables_that_are_cut_are_refused_or_end_before(void)
{
    static const char text[] =
        "\xef\xbb\xbf\"label\",a,b,c,d\r\n5,1,22,\"255\",0\r\n\r\n7,0,0,0,9\r\n";
    enum {
        FIRST = 34,
        NEXT = 39,
        SECOND = 47
    }; // bytes up to the end of a row, or a byte of the next
    for (size_t size = 0; size < sizeof text; size++) {
        Arena arena = {0};
        Error err = {""};
        Collection images = {.n = 0};
        bool ok = read_table(&images, text, size, NULL, &arena, &err);
        size_t rows = size >= SECOND ? 2 : size >= FIRST && size < NEXT ? 1 : 0;
        CHECK(ok == (rows > 0) && (!ok || images.n == rows), "%zu bytes: %zu rows, %s", size,
              images.n, err.text);
        CHECK(ok || strstr(err.text, "table.csv") != NULL, "%zu bytes: %s", size, err.text);
        CHECK(!ok || memcmp(images.pixels.at, "\1\x16\xff", 4) == 0, "%zu bytes: pixels differ",
              size);
        arena_free(&arena);
    }
}

// What a table may be, with the pixels and labels that it gives.
static void tables_in_every_spelling_are_read(void)
{
    static const struct {
        const char *text, *label, *first, *second; // label: which column; the labels of two rows
    } cases[] = {
        {"7,1,2,3,4\n8,5,6,7,8\n", NULL, "7", "8"},
        {"7,1,2,3,4\r\n8,5,6,7,8", NULL, "7", "8"},
        {"\n\r\n7;1;2;3;4\n\n8;5;6;7;8\n\n", NULL, "7", "8"},
        {"7\t1\t2\t3\t4\n8\t5\t6\t7\t8\n", NULL, "7", "8"},
        {" 7 ,\t1\t, 2,3 ,4 \n 8 ,5,6,7\t,\t8", NULL, "7", "8"},
        {"\"7\" , \"1\",2,3,\"4\" \n\"a \"\"b\"\"\",\"5\",6,7,8\n", NULL, "7", "a \"b\""},
        {"7.0,1.,2.00,3,4\nit's, 5.0,06,7,008\n", NULL, "7.0", "it's"},
        {"1,7,2,3,4\n5,8,6,7,8\n", "2", "7", "8"},
        {"1,2,3,4,a,b\n5,6,7,8,a b,\n", "5", NULL, NULL},
        {"1,2,3,4,a;b\n5,6,7,8,c\n", "5", "a;b", "c"},
        {"label,p,q,r,s\n7,1,2,3,4\n8,5,6,7,8\n", NULL, "7", "8"},
        {"p,q,r,s,CLASS\n1,2,3,4,7\n5,6,7,8,8\n", NULL, "7", "8"},
        {"p,q,r,s,label\n1,7,2,3,4\n5,8,6,7,8\n", "2", "7", "8"},
        {"a,b,c,d,e\n7,1,2,3,4\n8,5,6,7,8\n", NULL, "7", "8"},
        {"1,2,label,3,4\n1,2,7,3,4\n5,6,8,7,8\n", NULL, "7", "8"},
        {"a,label,\"the digit\",c,d\n1,2,7,3,4\n5,6,8,7,8\n", "the digit", "7", "8"},
        {"0,1,2,3,4\n7,1,2,3,4\n8,5,6,7,8\n", NULL, "7", "8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Arena arena = {0};
        Error err = {""};
        Collection images = {.n = 0};
        const char *text = cases[i].text;
        bool ok = read_table(&images, text, strlen(text), cases[i].label, &arena, &err);
        if (cases[i].first == NULL)
            CHECK(!ok, "case %zu was accepted", i);
        else if (!ok)
            CHECK(ok, "case %zu: %s", i, err.text);
        else
            CHECK(images.n == 2 && images.rows == 2 && images.cols == 2 &&
                      memcmp(images.pixels.at, "\1\2\3\4\5\6\7\10", 8) == 0 && labels.n == 2 &&
                      memcmp(images.labels.at, "\0\1", 2) == 0 &&
                      strcmp(labels.each[0].text.text, cases[i].first) == 0 &&
                      strcmp(labels.each[1].text.text, cases[i].second) == 0,
                  "case %zu: %zu images, %zu labels, %s", i, images.n, labels.n,
                  labels.each[0].text.text);
        arena_free(&arena);
    }
}

#define HUNDRED                                                                                    \
    "aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabb" \
    "bbbbbbbb"
#define FIELD_OF_255 HUNDRED HUNDRED "aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbb"

static void a_mistake_in_a_table_is_refused_with_its_place(void)
{
    static const struct {
        const char *text, *label, *reason;
        size_t rows; // of an image, of 2 columns; 0: not given
    } cases[] = {
        {"", NULL, "table.csv: is empty", 0},
        {"\r\n\n", NULL, "table.csv: is empty", 0},
        {"label,a\n", NULL, "table.csv: has a header, but no images", 0},
        {"7\n", NULL, "line 1: has one field, where a label and pixels were", 0},
        {"7,1,2,3\n", NULL,
         "line 1: has 3 columns of pixels beside column 1, the labels, which is not", 0},
        {"7,1,2,3\n", NULL, "line 1: has 3 columns of pixels, where 2 x 2 were expected", 2},
        {"7,1,2,3,4\n", NULL, "line 1: has 4 columns of pixels, where 3 x 2 were expected", 3},
        {"7,1,2,3,4\n\n7,1,2,3\n", NULL, "line 3: has 4 fields, where 5 were expected", 0},
        {"7,1,2,3,4\n7,1,2,3,4,5\n", NULL, "line 2: has more than 5 fields, where 5 were", 0},
        {"7,1,2,3,4\n7\n", NULL, "line 2: has 1 fields, where 5 were expected", 0},
        {"1,2,3,4,7\n1,2\n", "5", "line 2: has 2 fields, where 5 were expected", 0},
        {"7,1,2,3,256\n", NULL, "line 1, column 5: '256' is not a whole number from 0 to 255", 0},
        {"7,1,2.5,x,4\n", NULL, "line 1, column 3: '2.5' is not a whole number from 0 to 255", 0},
        {"a,0.5,0.25,0.5,0.5\n", NULL, "line 1, column 2: '0.5' is not a whole number from 0", 0},
        {"7,1,x,3,4\n", NULL, "column 3: 'x' is not a whole number from 0 to 255; --label says", 0},
        {"7,1,2,3,4\n7,1,256,3,4\n", NULL, "line 2, column 3: '256' is not a whole number", 0},
        {"7,1,2,3,4\n7,1,2,3,256\n", NULL, "line 2, column 5: '256' is not a whole number", 0},
        {"7,1,2,3,4\n7,1,2,999,4\n", NULL, "line 2, column 4: '999' is not a whole number", 0},
        {"7,1,2,3,4\n7,1,2,x,4\n", NULL, "line 2, column 4: 'x' is not a whole number from 0", 0},
        {"7,1,2,3,4\n7,1,2,1000,4\n", NULL, "line 2, column 4: '1000' is not a whole number", 0},
        {"7,1,2,3,4\n7,1,,3,4\n", NULL, "line 2, column 3: '' is not a whole number", 0},
        {"7,1,2,3,4\n,1,2,3,4\n", NULL, "line 2: ", 0},
        {"7,1,2,3,4\n7,1;2,3,4,5\n", NULL, "line 2, column 2: '1;2' is not a whole number", 0},
        {"7,1,2,3,4\n7,/,2,3,4,5\n", NULL, "line 2, column 2: '/' is not a whole number", 0},
        {"7,1,2,3,4\n7,1:,2,3,4,5\n", NULL, "line 2, column 2: '1:' is not a whole number", 0},
        {"7,\"1,2,3,4\n", NULL, "line 1, column 2: the quote does not end in this line", 0},
        {"7,\"1\"x,2,3,4\n", NULL, "line 1, column 2: something follows the quote", 0},
        {"7,1,2,3,\"4\" x\n", NULL, "line 1, column 5: something follows the quote", 0},
        {"7,1,2,3,4\r7,1,2,3,4\n", NULL, "line 1, column 5: a carriage return is not", 0},
        {"7,1,\1,3,4\n", NULL, "line 1, column 3: has the byte 01, which is not text", 0},
        {"7,1,\x1f,3,4\n", NULL, "line 1, column 3: has the byte 1f, which is not text", 0},
        {"7,1,\"\x7f\",3,4\n", NULL, "line 1, column 3: has the byte 7f, which is not text", 0},
        {"label,a,b,c," FIELD_OF_255 "\n7,1,2,3,4,5\n", NULL, "line 2: has more than 5 fields", 0},
        {"label,a,b,c," FIELD_OF_255 "a\n7,1,2,3,4\n", NULL,
         "line 1, column 5: has more than 255 bytes without a separator", 0},
        {"7,1,2,3,4\n", "6", "line 1: there is no column 6 for --label: it has 5", 0},
        {"7,1,2,3,4\n", "99999999999", "there is no column ", 0},
        {"7,1,2,3,4\n", "16777217", "no column 16777217 for --label",
         0}, // the last that there may be
        {"a,b,c,d,e\n", "f", "line 1: no column is called 'f'", 0},
        {"a,b,c,d,label\n", "LABEL", "line 1: no column is called 'LABEL'", 0},
        {"7,1,2,3,4\n", "0", "--label 0: columns are numbered from 1", 0},
        {"a,b,c,a,d\n", "a", "line 1: columns 1 and 4 may both have the labels; --label says", 0},
        {"1,label,3,class,5\n", NULL, "columns 2 and 4 may both have the labels; --label says", 0},
        {"1,2,3,4,5\n", "f", "no column is called 'f', since this is not a header", 0},
        {"P5 2 2 255 abcd\n", NULL, "where a table was expected", 0},
    };
    static const char *const hints[] = {"; --label says", ", since this is not a header"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Arena arena = {0};
        Error err = {""};
        Collection images = {.rows = cases[i].rows, .cols = cases[i].rows > 0 ? 2 : 0};
        const char *text = cases[i].text;
        bool ok = read_table(&images, text, strlen(text), cases[i].label, &arena, &err);
        const char *found = strstr(err.text, cases[i].reason);
        CHECK(!ok && found != NULL, "case %zu: %s, not '%s'", i, ok ? "accepted" : err.text,
              cases[i].reason);
        for (size_t h = 0; h < 2; h++)
            CHECK((strstr(err.text, hints[h]) != NULL) ==
                      (strstr(cases[i].reason, hints[h]) != NULL),
                  "case %zu: %s", i, err.text);
        arena_free(&arena);
    }
}

static void a_source_that_fails_is_not_taken_for_one_that_ends(void)
{
    static const char text[] = "label,first,second,third,fourth\n7,1,2,3,4\n8,5,6,7,8\n";
    for (size_t size = 0; size < sizeof text; size++) {
        Arena arena = {0};
        Error err = {""};
        Collection images = {.n = 0};
        Source source = failing_source(text, size);
        labels.n = 0;
        bool ok = csv_images_read(&images, &labels, NULL, &source, &arena, &err);
        CHECK(!ok && strstr(err.text, "stream: ") == err.text &&
                  strstr(err.text + 1, "stream: ") == NULL && strstr(err.text, "line") == NULL &&
                  strstr(err.text, "images") == NULL,
              "%zu bytes: '%s'", size, ok ? "accepted" : err.text);
        arena_free(&arena);
    }
}

// ---------------------------------------------------------------------------------------------
// Classes and parts

static bool classes_of(Classes *classes, const char *const *texts, const char *given, Arena *arena,
                       Error *err)
{
    labels.n = 0;
    for (size_t i = 0; texts[i] != NULL; i++)
        if (labels_index(&labels, texts[i], "table.csv", i + 1, err) < 0)
            return false;
    return classes_of_labels(classes, &labels, given, arena, err);
}

static void labels_become_classes(void)
{
    Arena arena = {0};
    Error err = {""};
    Classes c;
    bool ok =
        classes_of(&c, (const char *const[]){"7", "3", "3.0", "007", NULL}, NULL, &arena, &err);
    CHECK(ok && c.names == NULL && c.n == 2 && memcmp(c.number, "\7\3\3\7", 4) == 0, "%s",
          err.text);
    ok = classes_of(&c, (const char *const[]){"b", "a", "10", NULL}, NULL, &arena, &err);
    CHECK(ok && c.n == 3 && memcmp(c.number, "\2\1\0", 3) == 0 && strcmp(c.names, "10\na\nb") == 0,
          "%s", err.text);
    ok = classes_of(&c, (const char *const[]){"b", "a", NULL}, "zba", &arena, &err);
    CHECK(ok && c.n == 2 && memcmp(c.number, "\1\2", 2) == 0, "%s", err.text);
    ok = classes_of(&c, (const char *const[]){"1", "0", NULL}, "ab", &arena, &err);
    CHECK(ok && c.n == 2 && strcmp(c.names, "a\nb") == 0, "%s", err.text);
    ok = classes_of(&c, (const char *const[]){"b", "y", NULL}, "ba", &arena, &err);
    CHECK(!ok && strstr(err.text, "table.csv, line 2: the label 'y' is not one") != NULL, "%s",
          err.text);
    static const char *const wrong[] = {"256", "-1", "1.5", "1e3"};
    for (size_t i = 0; i < 4; i++) {
        ok = classes_of(&c, (const char *const[]){"1", wrong[i], NULL}, NULL, &arena, &err);
        CHECK(!ok && strstr(err.text, "line 2: the label") != NULL, "%s: %s", wrong[i], err.text);
    }
    arena_free(&arena);
}

static void test_images_are_a_fraction_of_each_class_in_order(void)
{
    static const size_t of_class[] = {100, 1, 7, 0, 3};
    static const size_t wanted[] = {20, 0, 1, 0, 1};
    unsigned char given[111], pixels[111];
    Arena arena = {0};
    Error err = {""};
    size_t n = 0, found[5] = {0};
    for (unsigned k = 0; k < 5; k++)
        for (size_t i = 0; i < of_class[k]; i++)
            given[n++] = (unsigned char)k;
    Collection images = {.n = n, .rows = 1, .cols = 1, .labels.at = given, .pixels.at = pixels};
    Selection train, test, other, ignored;
    bool ok = selection_all(&train, &images, &arena, &err) &&
              selection_split(&train, &test, 0.2, 1, &arena, &err);
    REQUIRE(ok, "%s", err.text);
    CHECK(train.n + test.n == n, "%zu + %zu images", train.n, test.n);
    for (size_t i = 0; i < test.n; i++) {
        found[given[test.order[i]]]++;
        CHECK(i == 0 || test.order[i - 1] < test.order[i], "not in order at %zu", i);
    }
    for (size_t i = 1; i < train.n; i++)
        CHECK(train.order[i - 1] < train.order[i], "not in order at %zu", i);
    for (size_t k = 0; k < 5; k++)
        CHECK(found[k] == wanted[k], "class %zu: %zu test images, not %zu", k, found[k], wanted[k]);
    // The choice is part of the program: another one would change everybody's files.
    static const uint32_t first[] = {5, 6, 11, 18};
    CHECK(memcmp(test.order, first, sizeof first) == 0, "the test images are %u, %u, %u, %u, ...",
          test.order[0], test.order[1], test.order[2], test.order[3]);
    ok = selection_all(&ignored, &images, &arena, &err) &&
         selection_split(&ignored, &other, 0.2, 2, &arena, &err);
    CHECK(ok && memcmp(other.order, test.order, test.n * sizeof *test.order) != 0,
          "another seed chooses the same images");
    ok = selection_all(&ignored, &images, &arena, &err) &&
         selection_split(&ignored, &other, 0.9, 1, &arena, &err);
    CHECK(ok && other.n == 90 + 0 + 6 + 0 + 2, "%zu test images, not all but one of a class",
          other.n);
    arena_free(&arena);
}

int main(void)
{
    RUN(scaled_pictures_are_means_over_areas);
    RUN(pictures_of_that_size_stay_as_they_are);
    RUN(long_pictures_are_scaled);
    RUN(every_number_is_read_at_every_place_in_the_buffer);
    RUN(what_is_behind_a_short_read_is_not_taken);
    RUN(tables_that_are_cut_are_refused_or_end_before);
    RUN(tables_in_every_spelling_are_read);
    RUN(a_mistake_in_a_table_is_refused_with_its_place);
    RUN(a_source_that_fails_is_not_taken_for_one_that_ends);
    RUN(labels_become_classes);
    RUN(test_images_are_a_fraction_of_each_class_in_order);
    return test_end();
}
