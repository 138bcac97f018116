// Affine maps of images. The map is computed in double, sums and products in a written order; from
// there on all is exact integer arithmetic. So each pixel has the same value on every machine. Read
// augment.h first.
//
// Why fast: four fifths of an image are background. Only the smallest rectangle around the ink is
// read, and of each row of the result only the pixels that come from there.
#include "augment.h"

#include "elementary.h"
#include "kernels.h"
#include "random.h"

#include <math.h>
#include <string.h>

bool augment_is_on(const mlp_settings *settings)
{
    return settings->rotate != 0.0 || settings->scale != 0.0 || settings->shift != 0.0 ||
           settings->shear != 0.0;
}

// ---------------------------------------------------------------------------------------------
// The map

// What is drawn for an image, and the numbers kept free for more.
enum { DRAW_ANGLE, DRAW_FACTOR, DRAW_SHIFT_X, DRAW_SHIFT_Y, DRAW_SHEAR, DRAWS_PER_IMAGE = 8 };

// Uniform between -amount and amount: 52 random bits and a half, symmetric about 0, exact in double
// but for the product. Adding 0 leaves no -0.
static double draw(const mlp_settings *settings, uint64_t epoch, uint64_t image, uint64_t what,
                   double amount)
{
    uint64_t bits =
        random_bits(settings->seed, RANDOM_AUGMENT + epoch, image * DRAWS_PER_IMAGE + what);
    return amount * (((double)(bits >> 12) + 0.5) * 0x1p-51 - 1.0) + 0.0;
}

mlp_affine augment_draw(const mlp_settings *s, uint64_t epoch, uint64_t image)
{
    return (mlp_affine){.angle = draw(s, epoch, image, DRAW_ANGLE, s->rotate),
                        .factor = 1.0 + draw(s, epoch, image, DRAW_FACTOR, s->scale),
                        .shear = draw(s, epoch, image, DRAW_SHEAR, s->shear),
                        .shift_x = draw(s, epoch, image, DRAW_SHIFT_X, s->shift),
                        .shift_y = draw(s, epoch, image, DRAW_SHIFT_Y, s->shift)};
}

// Where pixel (row, column) of the result comes from: x = x0 + row * x_row + column * x_column.
typedef struct Source {
    double x0, x_row, x_column;
    double y0, y_row, y_column;
} Source;

static Source affine_source(const mlp_affine *map, size_t rows, size_t cols)
{
    double angle = map->angle * (PI_F64 / 180.0);
    double cosine = cos_f64(angle), sine = sin_f64(angle);
    Source s = {.x_row = (sine - map->shear * cosine) / map->factor,
                .x_column = (cosine + map->shear * sine) / map->factor,
                .y_row = cosine / map->factor,
                .y_column = -sine / map->factor};
    double middle_x = 0.5 * (double)(cols - 1), middle_y = 0.5 * (double)(rows - 1);
    double u = -middle_x - map->shift_x, v = -middle_y - map->shift_y; // of pixel (0,0)
    s.x0 = (s.x_column * u + s.x_row * v) + middle_x;
    s.y0 = (s.y_column * u + s.y_row * v) + middle_y;
    return s;
}

// ---------------------------------------------------------------------------------------------
// The ink

// The smallest rectangle with all pixels that are not zero; empty where there are none.
typedef struct Box {
    Range rows, cols;
} Box;

static uint64_t word_at(const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static Range nonzero_range(const unsigned char *bytes, size_t n)
{
    Range range = {0, n};
    while (range.end >= 8 && word_at(bytes + range.end - 8) == 0)
        range.end -= 8;
    while (range.end > 0 && bytes[range.end - 1] == 0)
        range.end--;
    while (range.first + 8 <= range.end && word_at(bytes + range.first) == 0)
        range.first += 8;
    while (range.first < range.end && bytes[range.first] == 0)
        range.first++;
    return range;
}

// any[c] is nonzero where column c has a nonzero pixel in those rows. Eight columns are one word.
static void join_rows(unsigned char *any, const unsigned char *image, Range rows, size_t cols)
{
    for (size_t c = 0; c < cols; c += 8) {
        size_t first = c + 8 <= cols ? c : cols - 8; // the last eight may overlap those before
        uint64_t word = 0;
        for (size_t r = rows.first; r < rows.end; r++)
            word |= word_at(image + r * cols + first);
        memcpy(any + first, &word, sizeof word);
    }
}

static void join_rows_of_few(unsigned char *any, const unsigned char *image, Range rows,
                             size_t cols)
{
    memset(any, 0, cols);
    for (size_t r = rows.first; r < rows.end; r++)
        for (size_t c = 0; c < cols; c++)
            any[c] |= image[r * cols + c];
}

// `any` (cols) is overwritten.
static Box ink_box(const unsigned char *image, size_t rows, size_t cols, unsigned char *any)
{
    Box box = {.rows = nonzero_range(image, rows * cols)};
    box.rows.first /= cols;
    box.rows.end = (box.rows.end + cols - 1) / cols;
    if (cols < 8)
        join_rows_of_few(any, image, box.rows, cols);
    else
        join_rows(any, image, box.rows, cols);
    box.cols = nonzero_range(any, cols);
    return box;
}

// ---------------------------------------------------------------------------------------------
// The pixels of the result that come from the ink

// One coordinate of where the pixels of the result come from, relative to the column left of the
// box, or the row above it: (first + row * by_row) / 2^32 in column 0, then by_column /
// 2^POSITION_BITS from column to column. It is to be cut off to 1/256: adding half of that rounds
// it.
typedef struct Axis {
    int64_t first, by_row;
    int32_t by_column;
    double inverse, limit; // columns for one step of by_column, and for all of the box
} Axis;

static int64_t fixed(double x, unsigned bits)
{
    return (int64_t)floor(x * (double)(UINT64_C(1) << bits) + 0.5);
}

static Axis axis_make(double first, double by_row, double by_column, Range box)
{
    Axis axis = {.first = fixed(first - (double)box.first + 1.0 + 0x1p-9, 32),
                 .by_row = fixed(by_row, 32),
                 .by_column = (int32_t)fixed(by_column, POSITION_BITS)};
    axis.inverse = axis.by_column == 0 ? 0x1p60 : 1.0 / (double)axis.by_column;
    axis.limit = (double)((range_length(box) + 1) << POSITION_BITS) * axis.inverse;
    return axis;
}

static int64_t axis_position(const Axis *axis, size_t row)
{
    return (axis->first + (int64_t)row * axis->by_row) >> (32 - POSITION_BITS);
}

// The columns that come from the box: those between low and high.
typedef struct Interval {
    double low, high;
} Interval;

// Of one coordinate: where 0 <= x + c * by_column < limit. All three are whole numbers, and the
// bounds half way between two: they are never near enough to a column for rounding to matter.
static Interval axis_interval(const Axis *axis, int64_t x)
{
    double a = (-0.5 - (double)x) * axis->inverse, b = a + axis->limit;
    return a < b ? (Interval){a, b} : (Interval){b, a};
}

static Range interval_columns(Interval x, Interval y, size_t cols)
{
    double low = x.low > y.low ? x.low : y.low, high = x.high < y.high ? x.high : y.high;
    low = low > -0.5 ? low : -0.5;
    high = high < (double)cols - 0.5 ? high : (double)cols - 0.5;
    if (!(low < high))
        return (Range){0, 0};
    return (Range){(size_t)(low + 1.0), (size_t)(high + 1.0)};
}

static void resample_rows(const Resampler *p, const Source *s, const Box *box,
                          const QuadTable *table)
{
    Axis x_axis = axis_make(s->x0, s->x_row, s->x_column, box->cols);
    Axis y_axis = axis_make(s->y0, s->y_row, s->y_column, box->rows);
    SampleLine *line = p->lines;
    for (size_t r = 0; r < p->rows; r++) {
        int64_t x = axis_position(&x_axis, r), y = axis_position(&y_axis, r);
        Range columns =
            interval_columns(axis_interval(&x_axis, x), axis_interval(&y_axis, y), p->cols);
        int64_t first = (int64_t)columns.first;
        *line = (SampleLine){.to = r * p->cols + columns.first,
                             .x = (int32_t)(x + first * x_axis.by_column),
                             .y = (int32_t)(y + first * y_axis.by_column),
                             .n = (uint32_t)range_length(columns)};
        line += columns.end > columns.first;
    }
    SampleLines lines = {p->lines, (size_t)(line - p->lines), x_axis.by_column, y_axis.by_column};
    kernels->sample_lines(p->result, table, &lines);
}

// Copies the box to p->ink with a border of zeros, one column serving as the right border of its
// row and the left one of the next, and makes it a table.
static QuadTable box_quads(const Resampler *p, const unsigned char *image, const Box *box)
{
    size_t width = range_length(box->cols), height = range_length(box->rows), pitch = width + 1;
    memset(p->ink, 0, (height + 2) * pitch + 1);
    for (size_t r = 0; r < height; r++)
        memcpy(p->ink + (r + 1) * pitch + 1,
               image + (box->rows.first + r) * p->cols + box->cols.first, width);
    QuadTable table = {p->quads, pitch, (uint32_t)(pitch * (height + 1))};
    kernels->make_quads(&table, p->ink);
    return table;
}

bool resampler_open(Resampler *p, size_t rows, size_t cols, Arena *arena, Error *err)
{
    static const char what[] = "the augmentation";
    if (rows > RESAMPLER_MAX_SIDE || cols > RESAMPLER_MAX_SIDE)
        return error_set(err, "images of %zu x %zu pixels: each side must be 1 to %d", rows, cols,
                         RESAMPLER_MAX_SIDE);
    *p = (Resampler){.rows = rows, .cols = cols};
    size_t quads = (rows + 1) * (cols + 1);
    p->ink = arena_alloc(arena, quads + cols + 2 + SAMPLE_SLACK, 1, what, err);
    p->quads = arena_alloc(arena, quads + SAMPLE_SLACK, sizeof *p->quads, what, err);
    p->result = arena_alloc(arena, rows * cols + SAMPLE_SLACK, 1, what, err);
    p->lines = arena_alloc(arena, rows, sizeof *p->lines, what, err);
    return p->lines != NULL && p->ink != NULL && p->quads != NULL && p->result != NULL;
}

void resampler_apply(const Resampler *p, const mlp_affine *map, const unsigned char *from,
                     unsigned char *to)
{
    Source source = affine_source(map, p->rows, p->cols);
    Box box = ink_box(from, p->rows, p->cols, p->result);
    memset(p->result, 0, p->rows * p->cols);
    if (box.cols.end > 0) {
        QuadTable table = box_quads(p, from, &box);
        resample_rows(p, &source, &box, &table);
    }
    memcpy(to, p->result, p->rows * p->cols);
}

// ---------------------------------------------------------------------------------------------
// The batches of a training

bool augmentation_open(Augmentation *a, const mlp_settings *settings, const Dataset *data,
                       size_t batch_size, size_t workers, Arena *arena, Error *err)
{
    static const char what[] = "the augmented images";
    *a = (Augmentation){.settings = settings,
                        .batch_size = batch_size,
                        .resamplers = arena_alloc(arena, workers, sizeof(Resampler), what, err)};
    if (a->resamplers == NULL)
        return false;
    for (size_t w = 0; w < workers; w++)
        if (!resampler_open(&a->resamplers[w], data->rows, data->cols, arena, err))
            return false;
    for (AugmentedImages *images = a->images; images < a->images + 2; images++) {
        images->pixels = arena_alloc(arena, batch_size, dataset_pixels_per_image(data), what, err);
        images->labels = arena_alloc(arena, batch_size, 1, what, err);
        if (images->pixels == NULL || images->labels == NULL)
            return false;
        images->data = *data;
        images->data.n = batch_size;
        images->data.pixels = images->pixels;
        images->data.labels = images->labels;
    }
    return true;
}

static const AugmentedImages *batch_images(const Augmentation *a, const Batch *batch)
{
    return &a->images[batch->first / a->batch_size % 2];
}

// The order is random: without this, each image would be waited for.
static void prefetch_image(const Batch *batch, size_t e)
{
    const size_t line = 64, most = 32 * line;
    size_t size = dataset_pixels_per_image(batch->data);
    for (size_t p = 0; p < size && p < most; p += line)
        __builtin_prefetch(batch_pixels(batch, e) + p);
}

void augmentation_make(const Augmentation *a, size_t epoch, const Batch *batch, Range examples,
                       size_t worker)
{
    const AugmentedImages *images = batch_images(a, batch);
    size_t size = dataset_pixels_per_image(batch->data);
    for (size_t e = examples.first; e < examples.end; e++) {
        if (e + 1 < examples.end)
            prefetch_image(batch, e + 1);
        mlp_affine map = augment_draw(a->settings, epoch, batch_image(batch, e));
        resampler_apply(&a->resamplers[worker], &map, batch_pixels(batch, e),
                        images->pixels + e * size);
        images->labels[e] = (unsigned char)batch_label(batch, e);
    }
}

Batch augmentation_batch(const Augmentation *a, const Batch *batch)
{
    return (Batch){.data = &batch_images(a, batch)->data,
                   .scale = batch->scale,
                   .n = batch->size,
                   .size = batch->size};
}
