// IDX files: the input is read once as images, beside a good file of as many labels as its header
// announces, and once as labels, beside a good file of as many images.
#include "fuzz.h"
#include "idx.h"

#include <unistd.h>

enum { MOST = 4096 }; // a good file is made for up to as many

// Returns a descriptor of a file without a name, which is gone when the process ends, however it
// does, and writes the path that it can be opened by.
static int nameless_file(char *path, size_t room)
{
    const char *directories[] = {getenv("TMPDIR"), "/dev/shm", "/tmp"};
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        if (directories[i] == NULL)
            continue;
        char name[4096];
        snprintf(name, sizeof name, "%s/mlp-fuzz-XXXXXX", directories[i]);
        int fd = mkstemp(name);
        if (fd < 0)
            continue;
        unlink(name);
        snprintf(path, room, "/dev/fd/%d", fd);
        return fd;
    }
    perror("no directory for temporary files");
    abort();
}

static void fill(int fd, const unsigned char *head, size_t head_size, size_t zeros)
{
    PROMISE(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    PROMISE(write(fd, head, head_size) == (ssize_t)head_size);
    PROMISE(ftruncate(fd, (off_t)(head_size + zeros)) == 0);
    PROMISE(lseek(fd, 0, SEEK_SET) == 0); // where /dev/fd is a duplicate, it shares the place
}

static void read_pair(const char *images, const char *labels)
{
    Arena arena = {0};
    Error err = {""};
    Dataset data = {.n = 12345};
    if (!idx_read(&data, &arena, images, labels, false, &err)) {
        promise_reason(&err);
        PROMISE(data.n == 12345 && data.pixels == NULL); // left untouched
    } else {
        unsigned long sum = 0;
        PROMISE(data.n > 0 && data.rows > 0 && data.cols > 0 && data.n_classes <= 256);
        for (size_t i = 0; i < data.n; i++)
            PROMISE(data.labels[i] < data.n_classes);
        for (size_t i = 0; i < data.n * dataset_pixels_per_image(&data); i++)
            sum += data.pixels[i];
        volatile unsigned long sink = sum;
        (void)sink;
    }
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static int input, good;
    static char input_path[32], good_path[32];
    if (input_path[0] == '\0') {
        input = nameless_file(input_path, sizeof input_path);
        good = nameless_file(good_path, sizeof good_path);
    }
    fill(input, data, size, 0);

    size_t n = 1;
    if (size >= 8 && data[4] == 0 && data[5] == 0 && 256 * data[6] + data[7] <= MOST)
        n = 256U * data[6] + data[7];
    const unsigned char n_high = (unsigned char)(n >> 8), n_low = (unsigned char)n;
    const unsigned char labels[] = {0, 0, 8, 1, 0, 0, n_high, n_low};
    fill(good, labels, sizeof labels, n);
    read_pair(input_path, good_path);

    const unsigned char images[] = {0, 0, 8, 3, 0, 0, n_high, n_low, 0, 0, 0, 1, 0, 0, 0, 2};
    fill(input, data, size, 0);
    fill(good, images, sizeof images, 2 * n);
    read_pair(good_path, input_path);
    return 0;
}
