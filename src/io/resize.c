// Area averages (resize.h), as box filters of image programs. In units of 1 / n of a source pixel,
// n being the new length of a side, source pixel i covers n i to n (i + 1), and new pixel j covers
// m j to m (j + 1), m being the old length: all bounds are whole numbers.
#include "resize.h"

#include <assert.h>

// The source pixels that new pixel j of n covers, of m in all.
static Range covered(uint64_t j, uint64_t m, uint64_t n)
{
    return (Range){(size_t)(j * m / n), (size_t)(((j + 1) * m + n - 1) / n)};
}

// How much of source pixel i new pixel j covers.
static uint64_t overlap(uint64_t i, uint64_t j, uint64_t m, uint64_t n)
{
    uint64_t first = i * n > j * m ? i * n : j * m;
    uint64_t end = (i + 1) * n < (j + 1) * m ? (i + 1) * n : (j + 1) * m;
    return end - first;
}

// The sum over an area, each pixel as often as it is covered.
static uint64_t area_sum(const GreyImage *image, size_t rows, size_t cols, size_t row, size_t col)
{
    Range ys = covered(row, image->rows, rows), xs = covered(col, image->cols, cols);
    uint64_t sum = 0;
    for (size_t y = ys.first; y < ys.end; y++) {
        uint64_t line = 0;
        for (size_t x = xs.first; x < xs.end; x++)
            line += overlap(x, col, image->cols, cols) * image->pixels[y * image->cols + x];
        sum += line * overlap(y, row, image->rows, rows);
    }
    return sum;
}

void image_resize(unsigned char *pixels, size_t rows, size_t cols, const GreyImage *image)
{
    const uint64_t area = (uint64_t)image->rows * image->cols;
    assert(area > 0);
    for (size_t row = 0; row < rows; row++)
        for (size_t col = 0; col < cols; col++)
            pixels[row * cols + col] =
                (unsigned char)((area_sum(image, rows, cols, row, col) + area / 2) / area);
}
