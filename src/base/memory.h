// How much memory this process may have. Where a system promises more memory than there is, as
// Linux does, an allocation succeeds and the process is killed when it uses it: so large needs are
// compared with the limits before. base.h's arena does that for every large block, and a reader
// that knows from a header what is to come does it before it reads.
#ifndef MLP_MEMORY_H
#define MLP_MEMORY_H

#include "base.h"

typedef struct MemoryLimit {
    uint64_t bytes; // UINT64_MAX: none is known
    const char *of; // what sets it, for a message
} MemoryLimit;

// The smallest of: the memory and swap of the machine, the limits of the process's control groups
// (cgroups, both versions) and swap, and `ulimit -v`. It is memory in all, not what is free now.
// `root` is "", or in a test a directory that has proc and sys of its own.
MemoryLimit memory_limit(const char *root);

// Says whether `size` more bytes fit into the limit beside those that the process uses. If not, err
// says how much it needs with them, and how much it may have.
bool memory_allows(uint64_t size, Error *err);

#endif
