// The checksum, eight bytes at a step; see crc32.h.
#include "crc32.h"

#include <pthread.h>

enum { CRC_SLICES = 8 };

// table[0] is the usual one: the remainder of a byte. table[k] is that of a byte followed by k
// zero bytes, so that eight bytes are taken in one step ("slicing by 8", Kounavis and Berry 2005).
static uint32_t crc_table[CRC_SLICES][256];

static void crc_table_fill(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
        crc_table[0][byte] = crc;
    }
    for (int slice = 1; slice < CRC_SLICES; slice++)
        for (int byte = 0; byte < 256; byte++) {
            uint32_t crc = crc_table[slice - 1][byte];
            crc_table[slice][byte] = (crc >> 8) ^ crc_table[0][crc & 0xff];
        }
}

uint32_t crc32_update(uint32_t crc, const void *data, size_t size)
{
    static pthread_once_t filled = PTHREAD_ONCE_INIT;
    (void)pthread_once(&filled, crc_table_fill);
    const unsigned char *p = data;
    crc = ~crc;
    for (; size >= CRC_SLICES; size -= CRC_SLICES, p += CRC_SLICES) {
        uint32_t next = 0;
        for (unsigned i = 0; i < CRC_SLICES; i++) {
            uint32_t byte = i < 4 ? p[i] ^ ((crc >> (8 * i)) & 0xff) : p[i];
            next ^= crc_table[CRC_SLICES - 1 - i][byte];
        }
        crc = next;
    }
    for (; size > 0; size--, p++)
        crc = (crc >> 8) ^ crc_table[0][(crc ^ *p) & 0xff];
    return ~crc;
}
