// A source that gives some bytes and then fails, as a disk does: a socket whose other end was closed
// before it had read what it was sent.
#ifndef MLP_TEST_FAILING_SOURCE_H
#define MLP_TEST_FAILING_SOURCE_H

#include "source.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static inline Source failing_source(const void *bytes, size_t size)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
        write(ends[1], bytes, size) != (ssize_t)size || write(ends[0], "x", 1) != 1 ||
        close(ends[1]) != 0)
        abort();
    return (Source){.path = "stream", .fd = ends[0], .piped = true};
}

#endif
