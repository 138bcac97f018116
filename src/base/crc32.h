// CRC-32 (ISO 3309, as in gzip and PNG: reflected polynomial edb88320).
#ifndef MLP_CRC32_H
#define MLP_CRC32_H

#include <stddef.h>
#include <stdint.h>

// Returns the checksum of all bytes so far: `crc` is 0 at first, then the last result.
uint32_t crc32_update(uint32_t crc, const void *data, size_t size);

#endif
