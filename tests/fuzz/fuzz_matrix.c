// Matrices as text: what is read is rows of finite numbers, all of one length.
#include "fuzz.h"
#include "matrix.h"

#include <math.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static FILE *file;
    char path[32];
    if (file == NULL)
        file = tmpfile();
    PROMISE(file != NULL);
    int fd = fileno(file);
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    PROMISE(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    PROMISE(write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
    Arena arena = {0};
    Error err = {""};
    Matrix matrix;
    if (matrix_read(&matrix, &arena, path, &err)) {
        PROMISE(matrix.rows > 0 && matrix.cols > 0 && matrix.rows * matrix.cols <= size / 2 + 1);
        for (size_t i = 0; i < matrix.rows * matrix.cols; i++)
            PROMISE(isfinite(matrix.at[i]));
    } else {
        promise_reason(&err);
    }
    arena_free(&arena);
    return 0;
}
