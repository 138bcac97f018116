// Files for tests, in the directory that tests/run.sh gives ($WORK) or one of their own.
#ifndef MLP_TEST_FILES_H
#define MLP_TEST_FILES_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// Returns "$WORK/name" in one of four buffers used in turn.
static inline const char *work_path(const char *name)
{
    static char buffers[4][512], own[] = "/tmp/mlp-test-XXXXXX";
    static int next;
    static const char *directory;
    if (directory == NULL)
        directory = getenv("WORK");
    if (directory == NULL)
        directory = mkdtemp(own);
    char *buffer = buffers[next++ % 4];
    snprintf(buffer, sizeof buffers[0], "%s/%s", directory, name);
    return buffer;
}

static inline void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        abort();
}

// Returns the number of bytes read, at most `room`; 0 when there is no file.
static inline size_t read_file(const char *path, void *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    size_t size = fread(bytes, 1, room, file);
    fclose(file);
    return size;
}

static inline bool file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

#endif
