// Writing and counting bytes (bytes.h). model.c, export_npz.c and export_onnx.c use it.
#include "bytes.h"

#include "elementary.h"

void bytes_put(ByteWriter *w, const void *bytes, size_t size)
{
    w->size += size;
    if (w->crc != NULL)
        *w->crc = crc32_update(*w->crc, bytes, size);
    if (w->out != NULL)
        fwrite(bytes, 1, size, w->out);
}

void bytes_store(unsigned char *bytes, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
}

void bytes_put_uint(ByteWriter *w, uint64_t value, size_t n)
{
    unsigned char bytes[8];
    bytes_store(bytes, value, n);
    bytes_put(w, bytes, n);
}

void bytes_put_tensor(ByteWriter *w, const Tensor *tensor, const float *params)
{
    for (size_t e = 0; e < tensor_size(tensor); e++)
        bytes_put_uint(w, f32_bits(params[tensor_index(tensor, e)]), 4);
}
