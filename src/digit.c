// The preparation of a digit; see digit.h.
//
//   1 levels  the background is the median of the picture's border; the ink lies on the side of it
//             that is further off in the mean square; the border's own scatter counts as background
//   2 crop    to the rows and columns that hold ink
//   3 scale   so that the longer side of that fills the box, each pixel the mean over its area
//   4 centre  by whole pixels, the centre of mass as near as possible to pixel (rows/2, cols/2)
#include "digit.h"

#include <assert.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Levels

enum {
    LEVELS = 256,
    NOISE_SCATTERS = 5, // so far off the background a pixel is still no ink
    BLANK_SCATTERS = 7, // so far off there must be one
    WEAKEST_INK = 16,   // levels between background and ink
    INK_THRESHOLD = 16, // what belongs to the digit, of 255
    SMALLEST_INK = 4,   // pixels of the longer side
    MNIST_SIDE = 28,
    MNIST_BOX = 20,
};

// The smallest level that half of the n counted pixels do not exceed.
static unsigned histogram_median(const uint64_t *count, uint64_t n)
{
    unsigned level = 0;
    for (uint64_t below = count[0]; 2 * below < n; below += count[level])
        level++;
    return level;
}

static uint64_t count_border(uint64_t *count, const GreyImage *image)
{
    size_t rows = image->rows, cols = image->cols;
    uint64_t n = 0;
    for (size_t y = 0; y < rows; y++) {
        size_t step = y == 0 || y == rows - 1 || cols == 1 ? 1 : cols - 1;
        for (size_t x = 0; x < cols; x += step, n++)
            count[image->pixels[y * cols + x]]++;
    }
    return n;
}

// Fills in what each grey level is as ink: 0 for the background, 255 for the strongest.
static bool find_levels(unsigned char *ink, const GreyImage *image, Error *err)
{
    uint64_t border[LEVELS] = {0}, distance[LEVELS] = {0}, count[LEVELS] = {0};
    uint64_t n = count_border(border, image);
    unsigned background = histogram_median(border, n);
    for (unsigned v = 0; v < LEVELS; v++)
        distance[v > background ? v - background : background - v] += border[v];
    unsigned scatter = histogram_median(distance, n); // two thirds of a standard deviation

    for (size_t i = 0; i < image->rows * image->cols; i++)
        count[image->pixels[i]]++;
    uint64_t power[2] = {0}, strongest[2] = {0}; // darker, lighter
    for (unsigned v = 0; v < LEVELS; v++) {
        unsigned side = v > background, off = side ? v - background : background - v;
        power[side] += count[v] * off * off;
        if (count[v] > 0 && off > strongest[side])
            strongest[side] = off;
    }
    unsigned side = power[1] > power[0], contrast = (unsigned)strongest[side];
    if (contrast == 0)
        return error_set(err, "is blank: every pixel has the value %u", background);
    if (contrast < WEAKEST_INK || contrast < BLANK_SCATTERS * scatter)
        return error_set(err,
                         "seems blank: no ink stands out from the background, from which no pixel "
                         "is more than %u levels off (half of the border's are within %u)",
                         contrast, scatter);
    unsigned noise = NOISE_SCATTERS * scatter;
    if (noise > contrast / 2)
        noise = contrast / 2;
    for (unsigned v = 0; v < LEVELS; v++) {
        unsigned off = (v > background) != side ? 0 : side ? v - background : background - v;
        unsigned range = contrast - noise;
        ink[v] = (unsigned char)(off <= noise     ? 0
                                 : off < contrast ? ((off - noise) * 255 + range / 2) / range
                                                  : 255);
    }
    return true;
}

// ---------------------------------------------------------------------------------------------
// Crop

typedef struct Box {
    Range rows, cols;
} Box;

static Box find_ink(const unsigned char *ink, const GreyImage *image)
{
    Box box = {{image->rows, 0}, {image->cols, 0}};
    for (size_t y = 0; y < image->rows; y++)
        for (size_t x = 0; x < image->cols; x++) {
            if (ink[image->pixels[y * image->cols + x]] < INK_THRESHOLD)
                continue;
            if (box.rows.end == 0)
                box.rows.first = y;
            box.rows.end = y + 1;
            if (x < box.cols.first)
                box.cols.first = x;
            if (x >= box.cols.end)
                box.cols.end = x + 1;
        }
    return box;
}

// ---------------------------------------------------------------------------------------------
// Scale

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

// The input pixels that output pixel i covers a part of.
static Range axis_inputs(const Axis *axis, size_t i)
{
    uint64_t begin = i * axis->from, end = begin + axis->from;
    uint64_t first = begin > axis->margin ? (begin - axis->margin) / axis->to : 0;
    uint64_t last = end > axis->margin ? (end - axis->margin + axis->to - 1) / axis->to : 0;
    return (Range){(size_t)first, last < axis->n_in ? (size_t)last : axis->n_in};
}

// How much of input pixel j output pixel i covers.
static uint64_t axis_overlap(const Axis *axis, size_t i, size_t j)
{
    uint64_t begin = i * axis->from, end = begin + axis->from;
    uint64_t in_begin = axis->margin + j * axis->to, in_end = in_begin + axis->to;
    uint64_t from = begin > in_begin ? begin : in_begin, to = end < in_end ? end : in_end;
    return to > from ? to - from : 0;
}

// Sum of ink times area: at most 255 * from * from, which 64 bits hold for PNM_MAX_PIXELS.
static uint64_t area_sum(const unsigned char *ink, const GreyImage *image, const Box *box,
                         const Axis *down, const Axis *across, size_t row, size_t col)
{
    uint64_t sum = 0;
    Range ys = axis_inputs(down, row), xs = axis_inputs(across, col);
    for (size_t y = ys.first; y < ys.end; y++) {
        const unsigned char *line =
            image->pixels + (box->rows.first + y) * image->cols + box->cols.first;
        uint64_t of_line = 0;
        for (size_t x = xs.first; x < xs.end; x++)
            of_line += ink[line[x]] * axis_overlap(across, col, x);
        sum += of_line * axis_overlap(down, row, y);
    }
    return sum;
}

// Makes the strongest sum 255: thin strokes grow pale when they are scaled down.
static void stretch(unsigned char *out, const uint64_t *sum, size_t n)
{
    uint64_t most = 0;
    unsigned shift = 0;
    for (size_t i = 0; i < n; i++)
        most = sum[i] > most ? sum[i] : most;
    assert(most > 0); // a box that was cropped to ink holds some
    while (most >> shift >= UINT64_C(1) << 55)
        shift++;
    most >>= shift;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)(((sum[i] >> shift) * 255 + most / 2) / most);
}

// ---------------------------------------------------------------------------------------------
// Centre

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

// ---------------------------------------------------------------------------------------------

static size_t box_side(size_t side)
{
    size_t box = side * MNIST_BOX / MNIST_SIDE;
    return box > 0 ? box : 1;
}

bool digit_prepare(unsigned char *digit, size_t rows, size_t cols, const GreyImage *image,
                   Arena *arena, Error *err)
{
    unsigned char ink[LEVELS];
    if (!find_levels(ink, image, err))
        return false;
    Box box = find_ink(ink, image);
    size_t height = range_length(box.rows), width = range_length(box.cols);
    assert(height > 0 && width > 0); // the strongest ink is above the threshold
    if (height < SMALLEST_INK && width < SMALLEST_INK)
        return error_set(err, "its ink is only %zu x %zu pixels: too small to be a digit", width,
                         height);

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
            sum[row * across.n_out + col] = area_sum(ink, image, &box, &down, &across, row, col);
    stretch(scaled, sum, n);
    place(digit, rows, cols, scaled, down.n_out, across.n_out);
    return true;
}
