// Tables of images: whatever is accepted has images of one size with labels, and is the same again
// after it was written as the program writes tables.
#include "csv_images.h"
#include "csv.h"
#include "fuzz.h"

#include <unistd.h>

// A stream of the bytes, from a file without a name.
static Source stream_of(const void *data, size_t size)
{
    static FILE *file;
    if (file == NULL)
        file = tmpfile();
    PROMISE(file != NULL);
    int fd = fileno(file);
    PROMISE(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    PROMISE(write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
    Source source = {.path = "input", .fd = dup(fd), .piped = true};
    PROMISE(source.fd >= 0);
    return source;
}

static void write_and_read_again(const Collection *images, const Labels *labels, Arena *arena)
{
    char *text = NULL;
    size_t size = 0, pixels = images->rows * images->cols;
    CsvWriter csv = {.out = open_memstream(&text, &size)};
    PROMISE(csv.out != NULL);
    csv_names(&csv, "label");
    csv_numbered_names(&csv, "pixel", pixels);
    csv_end_row(&csv);
    for (size_t i = 0; i < images->n; i++) {
        csv_string(&csv, labels->each[images->labels.at[i]].text.text);
        csv_bytes(&csv, images->pixels.at + i * pixels, pixels);
        csv_end_row(&csv);
    }
    PROMISE(fclose(csv.out) == 0);
    static Labels others;
    others.n = 0;
    Collection again = {.rows = images->rows, .cols = images->cols};
    Error err = {""};
    Source source = stream_of(text, size);
    PROMISE(csv_images_read(&again, &others, NULL, &source, arena, &err));
    PROMISE(again.n == images->n && others.n == labels->n);
    PROMISE(memcmp(again.pixels.at, images->pixels.at, images->n * pixels) == 0);
    PROMISE(memcmp(again.labels.at, images->labels.at, images->n) == 0);
    free(text);
}

// The first byte says where the labels are, and whether images are squares.
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const char *const columns[] = {NULL, "label", "2", "5", "digit"};
    static Labels labels;
    if (size == 0)
        return 0;
    Arena arena = {0};
    Error err = {""};
    Collection images = {.rows = data[0] & 1, .cols = data[0] & 1 ? 3 : 0};
    const char *label = columns[data[0] / 2 % 5];
    labels.n = 0;
    Source source = stream_of(data + 1, size - 1);
    if (csv_images_read(&images, &labels, label, &source, &arena, &err)) {
        PROMISE(images.n > 0 && images.rows > 0 && images.cols > 0 && labels.n > 0);
        PROMISE(images.n * images.rows * images.cols <= size / 2);
        for (size_t i = 0; i < images.n; i++)
            PROMISE(images.labels.at[i] < labels.n);
        Classes classes;
        if (!classes_of_labels(&classes, &labels, NULL, &arena, &err))
            promise_reason(&err);
        write_and_read_again(&images, &labels, &arena);
    } else {
        promise_reason(&err);
    }
    arena_free(&arena);
    return 0;
}
