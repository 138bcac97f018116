// Images as mlp predict reads them, from a stream of unknown length: anymaps, one after another,
// are prepared for networks of several sizes, IDX images are taken as they are.
#include "digit.h"
#include "formats.h"
#include "fuzz.h"
#include "idx.h"

#include <unistd.h>

// A stream of the bytes, from a file without a name.
static Source stream_of(const unsigned char *data, size_t size)
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

static void touch(const unsigned char *pixels, size_t n)
{
    unsigned long sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += pixels[i];
    volatile unsigned long sink = sum;
    (void)sink;
}

static void prepare(const GreyImage *image, size_t rows, size_t cols, Arena *arena)
{
    Error err = {""};
    unsigned char *digit = malloc(rows * cols), most = 0;
    PROMISE(digit != NULL);
    const char *doubt;
    if (digit_prepare(digit, rows, cols, image, &doubt, arena, &err)) {
        for (size_t i = 0; i < rows * cols; i++)
            most = digit[i] > most ? digit[i] : most;
        PROMISE(most == 255);
    } else {
        promise_reason(&err);
    }
    free(digit);
}

static void read_images(const Source *source, size_t size, Arena *arena)
{
    Error err = {""};
    Dataset images = {.n = 12345};
    if (idx_read_images(&images, arena, source, false, &err)) {
        size_t n = images.n * dataset_pixels_per_image(&images);
        PROMISE(n > 0 && n == size - 16 && images.labels == NULL);
        touch(images.pixels, n);
    } else {
        promise_reason(&err);
        PROMISE(images.n == 12345 && images.pixels == NULL);
    }
}

static void read_anymaps(const Source *source, size_t size, Arena *arena)
{
    static PnmReader reader;
    size_t pixels = 0;
    pnm_begin(&reader, source);
    while (reader.more) {
        Error err = {""};
        GreyImage image = {0, 12345, NULL};
        if (pnm_read(&reader, &image, arena, &err)) {
            size_t n = image.rows * image.cols;
            pixels += n;
            PROMISE(n > 0 && n <= PNM_MAX_PIXELS && pixels <= 8 * size);
            touch(image.pixels, n);
            prepare(&image, 28, 28, arena);
            prepare(&image, 9, 5, arena);
            prepare(&image, 64, 1, arena);
        } else {
            promise_reason(&err);
            PROMISE(image.cols == 12345 && image.pixels == NULL && !reader.more);
        }
        arena_free(arena);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    Arena arena = {0};
    Source source = stream_of(data, size);
    // In a block of its own, so that the address sanitizer sees where it ends.
    size_t n = size < FORMAT_HEAD ? size : FORMAT_HEAD;
    unsigned char *head = exact_copy(data, n);
    const Format *format = format_of(head, n);
    free(head);
    PROMISE(format == NULL || format->name[0] != '\0');
    if (format != NULL && format->kind == FORMAT_IDX)
        read_images(&source, size, &arena);
    else
        read_anymaps(&source, size, &arena);
    arena_free(&arena);
    return 0;
}
