// The preparation of a digit. Read paper.c and strokes.c for step 2.
//
//   1 shrink  a large picture, each pixel the mean of a square: noise and cost do not grow
//   2 find    what differs from the paper (paper.c) and which of it is the digit (strokes.c)
//   3 scale   so that the longer side of that fills the box, each pixel the mean over its area
//   4 centre  by whole pixels, the centre of mass as near as possible to pixel (rows/2, cols/2)
#include "digit.h"

#include "ink.h"

#include <assert.h>
#include <string.h>

enum {
    MNIST_SIDE = 28,
    MNIST_BOX = 20,
    WORK_PIXELS = 1000000, // a larger picture is made smaller first
    MOST_FRAMES = 3        // within each other
};

// Makes a picture of more than WORK_PIXELS smaller: each pixel becomes the mean of factor x factor
// ones, fewer at the end.
static bool shrink(GreyImage *image, Arena *arena, Error *err)
{
    size_t factor = 1;
    while (round_up(image->rows, factor) / factor * (round_up(image->cols, factor) / factor) >
           WORK_PIXELS)
        factor++;
    if (factor == 1)
        return true;
    size_t rows = round_up(image->rows, factor) / factor;
    size_t cols = round_up(image->cols, factor) / factor;
    unsigned char *out = arena_alloc(arena, rows, cols, "a picture", err);
    if (out == NULL)
        return false;
    for (size_t row = 0; row < rows; row++)
        for (size_t col = 0; col < cols; col++) {
            uint64_t sum = 0, n = 0;
            for (size_t y = row * factor; y < (row + 1) * factor && y < image->rows; y++)
                for (size_t x = col * factor; x < (col + 1) * factor && x < image->cols; x++, n++)
                    sum += image->pixels[y * image->cols + x];
            assert(n > 0); // row and col are of the smaller picture
            out[row * cols + col] = (unsigned char)((sum + n / 2) / n);
        }
    *image = (GreyImage){rows, cols, out};
    return true;
}

static bool crop(GreyImage *image, const Box *box, Arena *arena, Error *err)
{
    size_t rows = range_length(box->rows), cols = range_length(box->cols);
    unsigned char *out = arena_alloc(arena, rows, cols, "a picture", err);
    if (out == NULL)
        return false;
    for (size_t y = 0; y < rows; y++)
        memcpy(out + y * cols,
               image->pixels + (box->rows.first + y) * image->cols + box->cols.first, cols);
    *image = (GreyImage){rows, cols, out};
    return true;
}

// The digit's strokes; the picture becomes the part of it that they are in. A light or dark
// rectangle in which there is something else is the paper, on a table or in a frame: then the digit
// is within. A rectangle that is found in it is a hole in a digit of straight strokes.
static bool find_digit(Strokes *strokes, GreyImage *image, Arena *arena, Error *err)
{
    Relief relief;
    GreyImage inside = *image;
    if (!paper_relief(&relief, image, arena, err) ||
        strokes_find(strokes, &relief, arena, err) != STROKES_FOUND)
        return false;
    for (int i = 0; i < MOST_FRAMES && range_length(strokes->block.rows) > 0; i++) {
        Strokes within;
        if (!crop(&inside, &strokes->block, arena, err) ||
            !paper_relief(&relief, &inside, arena, err))
            return false;
        StrokesResult result = strokes_find(&within, &relief, arena, err);
        if (result != STROKES_FOUND || within.is_solid)
            return result != STROKES_FAILED;
        *strokes = within;
        *image = inside;
    }
    return true;
}

// One direction of the scaling, in units in which a pixel of the picture is `to` long and one of
// the digit `from`: then both begin and end at whole numbers.
typedef struct Axis {
    uint64_t from, to;
    size_t n_in, n_out;
    uint64_t margin; // from the first output pixel's beginning to the first input pixel's
} Axis;

static Axis axis_make(size_t n_in, uint64_t from, uint64_t to)
{
    Axis axis = {.from = from, .to = to, .n_in = n_in};
    axis.n_out = (size_t)((n_in * to + from - 1) / from);
    axis.margin = (axis.n_out * from - n_in * to) / 2;
    return axis;
}

// The first input pixel that output pixel i covers a part of.
static size_t axis_first(const Axis *axis, size_t i)
{
    uint64_t begin = i * axis->from;
    return begin > axis->margin ? (size_t)((begin - axis->margin) / axis->to) : 0;
}

// How much of input pixel j output pixel i covers; 0 for those after the last one, too.
static uint64_t axis_overlap(const Axis *axis, size_t i, size_t j)
{
    uint64_t begin = i * axis->from, end = begin + axis->from;
    uint64_t in_begin = axis->margin + j * axis->to, in_end = in_begin + axis->to;
    uint64_t from = begin > in_begin ? begin : in_begin, to = end < in_end ? end : in_end;
    return j < axis->n_in && to > from ? to - from : 0;
}

// Sum of ink times area: at most 255 * from * from, less than 2^48 for WORK_PIXELS in one row.
static uint64_t area_sum(const Strokes *strokes, size_t cols, const Axis *down, const Axis *across,
                         size_t row, size_t col)
{
    uint64_t sum = 0, height, width;
    for (size_t y = axis_first(down, row); (height = axis_overlap(down, row, y)) > 0; y++) {
        const unsigned char *line =
            strokes->ink + (strokes->box.rows.first + y) * cols + strokes->box.cols.first;
        for (size_t x = axis_first(across, col); (width = axis_overlap(across, col, x)) > 0; x++)
            sum += line[x] * width * height;
    }
    return sum;
}

// Makes the strongest sum 255: thin strokes grow pale when they are scaled down.
static void stretch(unsigned char *out, const uint64_t *sum, size_t n)
{
    uint64_t most = 0;
    for (size_t i = 0; i < n; i++)
        most = sum[i] > most ? sum[i] : most;
    assert(most > 0); // the digit's box holds ink
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)((sum[i] * 255 + most / 2) / most);
}

// Where the first of n pixels goes, so that their centre of mass, sum / mass, comes to pixel
// size / 2, and all of them stay inside.
static size_t centred(size_t size, size_t n, uint64_t mass, uint64_t sum)
{
    uint64_t wanted = (uint64_t)(size / 2) * mass;
    uint64_t first = wanted > sum ? (2 * (wanted - sum) + mass) / (2 * mass) : 0;
    return first < size - n ? (size_t)first : size - n;
}

static void place(unsigned char *digit, size_t rows, size_t cols, const unsigned char *scaled,
                  size_t n_rows, size_t n_cols)
{
    uint64_t mass = 0, sum_y = 0, sum_x = 0;
    for (size_t y = 0; y < n_rows; y++)
        for (size_t x = 0; x < n_cols; x++) {
            uint64_t v = scaled[y * n_cols + x];
            mass += v;
            sum_y += v * y;
            sum_x += v * x;
        }
    size_t top = centred(rows, n_rows, mass, sum_y), left = centred(cols, n_cols, mass, sum_x);
    memset(digit, 0, rows * cols);
    for (size_t y = 0; y < n_rows; y++)
        memcpy(digit + (top + y) * cols + left, scaled + y * n_cols, n_cols);
}

static size_t box_side(size_t side)
{
    size_t box = side * MNIST_BOX / MNIST_SIDE;
    return box > 0 ? box : 1;
}

bool digit_prepare(unsigned char *digit, size_t rows, size_t cols, const GreyImage *image,
                   const char **doubt, Arena *arena, Error *err)
{
    Strokes strokes;
    GreyImage picture = *image;
    if (!shrink(&picture, arena, err) || !find_digit(&strokes, &picture, arena, err))
        return false;
    *doubt = strokes.doubt;
    size_t height = range_length(strokes.box.rows), width = range_length(strokes.box.cols);

    size_t box_rows = box_side(rows), box_cols = box_side(cols);
    bool is_tall = (uint64_t)height * box_cols >= (uint64_t)width * box_rows;
    uint64_t from = is_tall ? height : width, to = is_tall ? box_rows : box_cols;
    Axis down = axis_make(height, from, to), across = axis_make(width, from, to);

    size_t n = down.n_out * across.n_out;
    uint64_t *sum = arena_alloc(arena, n, sizeof *sum, "a digit", err);
    unsigned char *scaled = arena_alloc(arena, n, 1, "a digit", err);
    if (sum == NULL || scaled == NULL)
        return false;
    for (size_t row = 0; row < down.n_out; row++)
        for (size_t col = 0; col < across.n_out; col++)
            sum[row * across.n_out + col] =
                area_sum(&strokes, picture.cols, &down, &across, row, col);
    stretch(scaled, sum, n);
    place(digit, rows, cols, scaled, down.n_out, across.n_out);
    return true;
}
