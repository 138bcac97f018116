// The brightness of the paper; see paper.h.
//
//   1 samples   medians of short pieces of the picture's border, and of tiles inside
//   2 fit       the quadratic function nearest to the border's samples; a sample that is further
//               off than a limit is no paper and does not count; the limit shrinks step by step
//   3 refine    the same with the tiles that agree with it
//   4 relief    each pixel's distance from that function, on the side of the ink
#include "paper.h"

#include <string.h>

enum {
    LEVELS = 256,
    PIECES = 24, // samples along each side of the border
    TILES = 12,  // samples inside, along each direction
    MAX_SAMPLES = 4 * PIECES + TILES * TILES,
    BAND = 64,       // the border's width is the shorter side's length / BAND
    TERMS = 6,       // of the quadratic function
    REACH = 64,      // coordinates run from -REACH to REACH
    FRACTION = 24,   // bits of a level behind the point
    SWEEPS = 12,     // of the fit for each limit
    FIRST_LIMIT = 12 // levels, beside a part of the paper's
};

typedef enum Side { TOP, BOTTOM, LEFT, RIGHT, INSIDE } Side; // of the picture's border, or a tile

typedef struct Sample {
    int64_t level, error; // FRACTION bits behind the point; error: by how much above the function
    int64_t term[TERMS];  // of the function, at its place
    Side side;
} Sample;

typedef struct Paper {
    int64_t weight[TERMS]; // FRACTION bits behind the point
    Sample sample[MAX_SAMPLES];
    size_t n;
} Paper;

unsigned histogram_quantile(const uint64_t *count, uint64_t n)
{
    unsigned level = 0;
    for (uint64_t so_far = count[0]; so_far < n && level + 1 < LEVELS; so_far += count[level])
        level++;
    return level;
}

// Counts the levels of a box's pixels in a picture of so many columns; returns how many there are.
static uint64_t count_box(uint64_t *count, const unsigned char *level, size_t cols, const Box *box)
{
    for (size_t y = box->rows.first; y < box->rows.end; y++)
        for (size_t x = box->cols.first; x < box->cols.end; x++)
            count[level[y * cols + x]]++;
    return (uint64_t)range_length(box->rows) * range_length(box->cols);
}

// ---------------------------------------------------------------------------------------------
// Samples

// The place of the middle of a range of n pixels, -REACH to REACH.
static int place_of(Range r, size_t n)
{
    int64_t middle = (int64_t)(r.first + r.end) * REACH; // twice the middle
    return (int)(middle / (int64_t)n) - REACH;
}

// The terms of the function. The squares less their mean, nearly, are independent of the constant.
static void terms_of(int64_t *term, int64_t x, int64_t y)
{
    const int64_t mean = REACH * REACH / 2;
    term[0] = 1;
    term[1] = x;
    term[2] = y;
    term[3] = x * x - mean;
    term[4] = x * y;
    term[5] = y * y - mean;
}

static void sample_add(Paper *paper, const GreyImage *image, Range ys, Range xs, Side side)
{
    uint64_t count[LEVELS] = {0};
    uint64_t n = count_box(count, image->pixels, image->cols, &(Box){ys, xs});
    if (n == 0)
        return;
    Sample *sample = &paper->sample[paper->n++];
    sample->level = (int64_t)histogram_quantile(count, (n + 1) / 2) << FRACTION;
    sample->side = side;
    terms_of(sample->term, place_of(xs, image->cols), place_of(ys, image->rows));
}

// How wide the strip along the picture's edge is that counts as its border.
static size_t border_width(size_t rows, size_t cols)
{
    return ((rows < cols ? rows : cols) + BAND - 1) / BAND;
}

static void take_samples(Paper *paper, const GreyImage *image)
{
    size_t rows = image->rows, cols = image->cols, band = border_width(rows, cols);
    for (size_t i = 0; i < PIECES; i++) {
        Range xs = range_part(cols, i, PIECES), ys = range_part(rows, i, PIECES);
        sample_add(paper, image, (Range){0, band}, xs, TOP);
        sample_add(paper, image, (Range){rows - band, rows}, xs, BOTTOM);
        sample_add(paper, image, ys, (Range){0, band}, LEFT);
        sample_add(paper, image, ys, (Range){cols - band, cols}, RIGHT);
    }
    for (size_t i = 0; i < TILES * TILES; i++)
        sample_add(paper, image, range_part(rows, i / TILES, TILES),
                   range_part(cols, i % TILES, TILES), INSIDE);
}

// ---------------------------------------------------------------------------------------------
// Fit

static int64_t paper_level(const Paper *paper, const int64_t *term)
{
    int64_t level = 0;
    for (int j = 0; j < TERMS; j++)
        level += paper->weight[j] * term[j];
    return level;
}

static uint64_t size_of(int64_t v)
{
    return (uint64_t)(v < 0 ? -v : v);
}

// Least squares over the samples within the limit, one weight after the other (Gauss-Seidel).
static void fit(Paper *paper, int64_t limit, bool with_inside)
{
    for (int step = 0; step < SWEEPS * TERMS; step++) {
        int64_t above = 0, below = 0;
        int j = step % TERMS;
        for (size_t i = 0; i < paper->n; i++) {
            const Sample *s = &paper->sample[i];
            if ((s->side == INSIDE && !with_inside) || size_of(s->error) > (uint64_t)limit)
                continue;
            above += s->error * s->term[j];
            below += s->term[j] * s->term[j];
        }
        if (below == 0)
            continue;
        int64_t change = above / below;
        paper->weight[j] += change;
        for (size_t i = 0; i < paper->n; i++)
            paper->sample[i].error -= change * paper->sample[i].term[j];
    }
}

// The median distance of the border's samples from the function, in levels, plus one.
static int64_t median_error(const Paper *paper)
{
    uint64_t count[LEVELS] = {0}, n = 0;
    for (size_t i = 0; i < paper->n; i++)
        if (paper->sample[i].side != INSIDE) {
            uint64_t off = (size_of(paper->sample[i].error) >> FRACTION) + 1;
            count[off < LEVELS ? off : LEVELS - 1]++;
            n++;
        }
    return histogram_quantile(count, (n + 1) / 2);
}

static int64_t side_median(const Paper *paper, Side side)
{
    uint64_t count[LEVELS] = {0}, n = 0;
    for (size_t i = 0; i < paper->n; i++)
        if (paper->sample[i].side == side) {
            count[paper->sample[i].level >> FRACTION]++;
            n++;
        }
    return histogram_quantile(count, (n + 1) / 2);
}

static size_t count_near(const Paper *paper, int64_t limit)
{
    size_t n = 0;
    for (size_t i = 0; i < paper->n; i++)
        n += paper->sample[i].side != INSIDE && size_of(paper->sample[i].error) <= (uint64_t)limit;
    return n;
}

// The plane through the medians of the sides. That of side `without` (INSIDE: none) is replaced by
// what the other three say of it.
static void set_plane(Paper *paper, const int64_t *side, Side without)
{
    static const Side opposite[] = {BOTTOM, TOP, RIGHT, LEFT}, beside[] = {LEFT, LEFT, TOP, TOP};
    int64_t median[INSIDE];
    memcpy(median, side, sizeof median);
    if (without != INSIDE) {
        Side one = beside[without], other = opposite[one];
        median[without] = median[one] + median[other] - median[opposite[without]];
    }
    int64_t middle = (median[TOP] + median[BOTTOM] + median[LEFT] + median[RIGHT]) / 4;
    int64_t dx = (median[RIGHT] - median[LEFT]) / 2, dy = (median[BOTTOM] - median[TOP]) / 2;
    memset(paper->weight, 0, sizeof paper->weight);
    paper->weight[0] = middle * ((int64_t)1 << FRACTION);
    paper->weight[1] = dx * ((int64_t)1 << FRACTION) / REACH;
    paper->weight[2] = dy * ((int64_t)1 << FRACTION) / REACH;
    for (size_t i = 0; i < paper->n; i++) {
        Sample *sample = &paper->sample[i];
        sample->error = sample->level - paper_level(paper, sample->term);
    }
}

// Starts with the plane that most of the border is near to: one side may show a table.
static void find_plane(Paper *paper)
{
    int64_t median[INSIDE];
    for (Side side = TOP; side < INSIDE; side++)
        median[side] = side_median(paper, side);
    Side best = INSIDE;
    size_t most = 0;
    for (Side without = TOP; without <= INSIDE; without++) {
        set_plane(paper, median, without);
        size_t n = count_near(paper, paper->weight[0] / 16 + (FIRST_LIMIT << FRACTION));
        if (n >= most) { // none left out is the last one, and the best of equals
            most = n;
            best = without;
        }
    }
    set_plane(paper, median, best);
}

static void paper_fit(Paper *paper)
{
    find_plane(paper);
    int64_t least = 0;
    for (int64_t limit = FIRST_LIMIT + (paper->weight[0] >> FRACTION) / 5; limit > least;
         limit = limit * 3 / 4) {
        fit(paper, limit << FRACTION, false);
        least = 3 * median_error(paper) + 1;
    }
    fit(paper, least << FRACTION, true);
    fit(paper, least << FRACTION, true);
}

// ---------------------------------------------------------------------------------------------
// Relief

// The paper's level at each pixel, 0 to 255.
static void paper_draw(const Paper *paper, unsigned char *level, size_t rows, size_t cols)
{
    for (size_t y = 0; y < rows; y++) {
        int64_t at_y = place_of((Range){y, y + 1}, rows);
        for (size_t x = 0; x < cols; x++) {
            int64_t term[TERMS];
            terms_of(term, place_of((Range){x, x + 1}, cols), at_y);
            int64_t v = paper_level(paper, term);
            v = (v + ((int64_t)1 << (FRACTION - 1))) >> FRACTION;
            level[y * cols + x] = (unsigned char)(v < 0 ? 0 : v > LEVELS - 1 ? LEVELS - 1 : v);
        }
    }
}

// Says whether the ink is lighter than the paper: where most of the squared deviation is.
static bool ink_is_light(const GreyImage *image, const unsigned char *paper)
{
    uint64_t power[2] = {0}; // darker, lighter
    for (size_t i = 0; i < image->rows * image->cols; i++) {
        int64_t off = (int64_t)image->pixels[i] - paper[i];
        power[off > 0] += (uint64_t)(off * off);
    }
    return power[1] > power[0];
}

// Of dark ink the share of the light that it keeps from the eye, as if the paper were everywhere as
// bright as at its brightest.
static void relief_fill(Relief *relief, const GreyImage *image, const unsigned char *paper)
{
    size_t n = relief->rows * relief->cols;
    bool light = ink_is_light(image, paper);
    unsigned brightest = 1;
    for (size_t i = 0; i < n; i++)
        brightest = paper[i] > brightest ? paper[i] : brightest;
    for (size_t i = 0; i < n; i++) {
        unsigned v = image->pixels[i], p = paper[i];
        if (light)
            relief->level[i] = (unsigned char)(v > p ? v - p : 0);
        else
            relief->level[i] = (unsigned char)(v < p ? ((p - v) * 2 * brightest + p) / (2 * p) : 0);
    }
}

// What three quarters of the border's pixels are within: as many as are within the median distance
// on both sides, were the other side not cut off, as that of white paper is. Of the four sides the
// second largest counts: one of them may show a table.
static unsigned relief_scatter(const Relief *relief)
{
    size_t rows = relief->rows, cols = relief->cols;
    size_t band = border_width(rows, cols);
    unsigned largest = 0, second = 0;
    const Box sides[] = {{{0, band}, {0, cols}},
                         {{rows - band, rows}, {0, cols}},
                         {{0, rows}, {0, band}},
                         {{0, rows}, {cols - band, cols}}};
    for (size_t s = 0; s < sizeof sides / sizeof sides[0]; s++) {
        uint64_t count[LEVELS] = {0};
        uint64_t n = count_box(count, relief->level, cols, &sides[s]);
        unsigned scatter = histogram_quantile(count, (3 * n + 3) / 4);
        if (scatter > largest) {
            second = largest;
            largest = scatter;
        } else if (scatter > second) {
            second = scatter;
        }
    }
    return second;
}

bool paper_relief(Relief *relief, const GreyImage *image, Arena *arena, Error *err)
{
    size_t n = image->rows * image->cols;
    Paper paper = {.n = 0};
    unsigned char *level = arena_alloc(arena, n, 1, "the paper of a picture", err);
    *relief = (Relief){.rows = image->rows,
                       .cols = image->cols,
                       .level = arena_alloc(arena, n, 1, "the ink of a picture", err)};
    if (level == NULL || relief->level == NULL)
        return false;
    take_samples(&paper, image);
    paper_fit(&paper);
    paper_draw(&paper, level, image->rows, image->cols);
    relief_fill(relief, image, level);
    relief->scatter = relief_scatter(relief);
    return true;
}
