// Writing and counting bytes (bytes.h). export_npz.c and export_onnx.c, to be read next, use it.
#include "bytes.h"

#include "elementary.h"

void bytes_put(ByteWriter *w, const void *bytes, size_t size)
{
    w->size += size;
    w->crc = crc32_update(w->crc, bytes, size);
    if (w->out != NULL)
        fwrite(bytes, 1, size, w->out);
}

void bytes_put_uint(ByteWriter *w, uint64_t value, size_t n)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    bytes_put(w, bytes, n);
}

void bytes_put_tensor(ByteWriter *w, const Tensor *tensor, const float *params)
{
    for (size_t e = 0; e < tensor_size(tensor); e++)
        bytes_put_uint(w, f32_bits(params[tensor_index(tensor, e)]), 4);
}
