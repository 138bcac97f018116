// The brightness of the paper, found by a robust least-squares fit. digit.h says what it is for;
// strokes.c comes after it.
//
//   1 samples   medians of short pieces of the picture's border, and of tiles inside
//   2 start     a constant or a plane: the one that most of the samples are near to
//   3 fit       the function nearest to the border's samples; a sample that is further off than a
//               limit is not paper and does not count; the limit shrinks step by step
//   4 grow      the same with the tiles that agree with it, then with those that agree with that
//   5 relief    each pixel's distance from that function, on the side of the ink
#include "ink.h"

#include <string.h>

enum {
    LEVELS = 256,
    PIECES = 24, // samples along each side of the border
    TILES = 12,  // samples inside, along each direction
    MAX_SAMPLES = 4 * PIECES + TILES * TILES,
    BAND = 64,        // the border's width is the shorter side's length / BAND
    TERMS = 9,        // of the function, those of degree 4 last
    BORDER_TERMS = 6, // that the border alone determines
    REACH = 64,       // coordinates run from -REACH to REACH
    FRACTION = 24,    // bits of a level behind the point
    SWEEPS = 12,      // of the fit for each limit
    ROUNDS = 8,       // of growing
    FIRST_LIMIT = 12  // levels, beside a part of the paper's
};

typedef enum Side { TOP, BOTTOM, LEFT, RIGHT, INSIDE } Side; // of the picture's border, or a tile

typedef struct Sample {
    int64_t level, error; // FRACTION bits behind the point; error: by how much above the function
    int64_t term[TERMS];  // of the function, at its position
    Box box;
    Side side;
} Sample;

typedef struct Paper {
    int64_t weight[TERMS]; // FRACTION bits behind the point
    int64_t limit;         // the error of what is paper, FRACTION bits behind the point
    Sample sample[MAX_SAMPLES];
    size_t n;
} Paper;

unsigned histogram_quantile(const Histogram *h, uint64_t rank)
{
    unsigned level = 0;
    for (uint64_t so_far = h->count[0]; so_far < rank && level + 1 < LEVELS;
         so_far += h->count[level])
        level++;
    return level;
}

static unsigned histogram_median(const Histogram *h)
{
    return histogram_quantile(h, (h->n + 1) / 2);
}

// The levels of a box's pixels in a picture of so many columns.
static Histogram histogram_of_box(const unsigned char *level, size_t cols, const Box *box)
{
    Histogram h = {.n = 0};
    for (size_t y = box->rows.first; y < box->rows.end; y++)
        for (size_t x = box->cols.first; x < box->cols.end; x++)
            histogram_add(&h, level[y * cols + x]);
    return h;
}

// ---------------------------------------------------------------------------------------------
// Samples

// The coordinate of the middle of a range of n pixels, -REACH to REACH.
static int coordinate_of(Range r, size_t n)
{
    int64_t middle = (int64_t)(r.first + r.end) * REACH; // twice the middle
    return (int)(middle / (int64_t)n) - REACH;
}

// The terms of the function: products of Legendre's polynomials of x and of y, which are
// independent of each other on a square, in units in which each is at most REACH^2 or so.
static void terms_of(int64_t *term, int64_t x, int64_t y)
{
    const int64_t unit = REACH * REACH;
    int64_t x2 = (3 * x * x - unit) / 2, y2 = (3 * y * y - unit) / 2;
    term[0] = 1;
    term[1] = x;
    term[2] = y;
    term[3] = x2;
    term[4] = x * y;
    term[5] = y2;
    term[6] = (35 * x * x * x * x - 30 * x * x * unit + 3 * unit * unit) / (8 * unit);
    term[7] = x2 * y2 / unit;
    term[8] = (35 * y * y * y * y - 30 * y * y * unit + 3 * unit * unit) / (8 * unit);
}

static void sample_add(Paper *paper, const GreyImage *image, Range ys, Range xs, Side side)
{
    const Box box = {ys, xs};
    Histogram h = histogram_of_box(image->pixels, image->cols, &box);
    if (h.n == 0)
        return;
    Sample *sample = &paper->sample[paper->n++];
    sample->level = (int64_t)histogram_median(&h) << FRACTION;
    sample->box = box;
    sample->side = side;
    terms_of(sample->term, coordinate_of(xs, image->cols), coordinate_of(ys, image->rows));
}

static void take_samples(Paper *paper, const GreyImage *image)
{
    size_t rows = image->rows, cols = image->cols;
    size_t band = ((rows < cols ? rows : cols) + BAND - 1) / BAND; // the width of the border
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

// Sets the weights, and the errors that follow.
static void set_weights(Paper *paper, const int64_t weight[TERMS])
{
    memcpy(paper->weight, weight, sizeof paper->weight);
    for (size_t i = 0; i < paper->n; i++) {
        Sample *sample = &paper->sample[i];
        sample->error = sample->level - paper_level(paper, sample->term);
    }
}

// Whether a sample counts: those inside only when they are wanted, and none that is too far off.
static bool is_used(const Paper *paper, const Sample *s, bool with_inside)
{
    return (with_inside || s->side != INSIDE) && size_of(s->error) <= (uint64_t)paper->limit;
}

// Least squares over the samples within the limit, one weight after the other (Gauss-Seidel).
static void fit(Paper *paper, bool with_inside)
{
    int n_terms = with_inside ? TERMS : BORDER_TERMS;
    for (int step = 0; step < SWEEPS * n_terms; step++) {
        int64_t above = 0, below = 0;
        int j = step % n_terms;
        for (size_t i = 0; i < paper->n; i++) {
            const Sample *s = &paper->sample[i];
            if (!is_used(paper, s, with_inside))
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

// The median distance of these samples from the function, in levels, plus one.
static int64_t median_error(const Paper *paper, bool with_inside)
{
    Histogram h = {.n = 0};
    for (size_t i = 0; i < paper->n; i++)
        if (is_used(paper, &paper->sample[i], with_inside)) {
            uint64_t off = (size_of(paper->sample[i].error) >> FRACTION) + 1;
            histogram_add(&h, off < LEVELS ? (size_t)off : LEVELS - 1);
        }
    return histogram_median(&h);
}

static int64_t side_median(const Paper *paper, Side side)
{
    Histogram h = {.n = 0};
    for (size_t i = 0; i < paper->n; i++)
        if (paper->sample[i].side == side)
            histogram_add(&h, (size_t)(paper->sample[i].level >> FRACTION));
    return histogram_median(&h);
}

// How many samples the start is near to, of the border or of all.
static size_t count_near(const Paper *paper, bool with_inside)
{
    uint64_t limit = (uint64_t)(paper->weight[0] / 16 + (FIRST_LIMIT << FRACTION));
    size_t n = 0;
    for (size_t i = 0; i < paper->n; i++)
        n += (with_inside || paper->sample[i].side != INSIDE) &&
             size_of(paper->sample[i].error) <= limit;
    return n;
}

// The weights of the plane through the medians of the sides. That of side `without` (INSIDE: none)
// is replaced by what the other three say of it.
static void make_plane(int64_t weight[TERMS], const int64_t side[INSIDE], Side without)
{
    static const Side opposite[] = {BOTTOM, TOP, RIGHT, LEFT}, beside[] = {LEFT, LEFT, TOP, TOP};
    const int64_t one = (int64_t)1 << FRACTION;
    int64_t median[INSIDE];
    memcpy(median, side, sizeof median);
    if (without != INSIDE) {
        Side a = beside[without], b = opposite[a];
        median[without] = median[a] + median[b] - median[opposite[without]];
    }
    weight[0] = (median[TOP] + median[BOTTOM] + median[LEFT] + median[RIGHT]) / 4 * one;
    weight[1] = (median[RIGHT] - median[LEFT]) / 2 * one / REACH;
    weight[2] = (median[BOTTOM] - median[TOP]) / 2 * one / REACH;
}

// Starts with the plane or the constant that most of the picture is near to, of equals with the
// plane that leaves out no side: a plane follows light that falls off, though one side shows a
// table; a constant is right where more of the border is not paper.
static void find_start(Paper *paper)
{
    enum { N_PLANES = INSIDE + 1 };
    int64_t median[INSIDE], best[TERMS] = {0};
    size_t most = 0;
    for (Side side = TOP; side < INSIDE; side++)
        median[side] = side_median(paper, side);
    for (size_t i = 0; i < N_PLANES + paper->n; i++) {
        int64_t weight[TERMS] = {0};
        if (i < N_PLANES)
            make_plane(weight, median, (Side)(INSIDE - i));
        else
            weight[0] = paper->sample[i - N_PLANES].level;
        set_weights(paper, weight);
        size_t near = count_near(paper, true);
        if (near > most) {
            most = near;
            memcpy(best, weight, sizeof best);
        }
    }
    set_weights(paper, best);
}

static void paper_fit(Paper *paper)
{
    find_start(paper);
    size_t n_border = 0;
    for (size_t i = 0; i < paper->n; i++)
        n_border += paper->sample[i].side != INSIDE;
    // Near to less than half of the border: then the inside must show what is paper.
    bool with_inside = 2 * count_near(paper, false) < n_border;
    int64_t least = 0;
    for (int64_t limit = FIRST_LIMIT + (paper->weight[0] >> FRACTION) / 5; limit > least;
         limit = limit * 3 / 4) {
        paper->limit = limit << FRACTION;
        fit(paper, with_inside);
        least = 3 * median_error(paper, with_inside) + 1;
    }
    paper->limit = least << FRACTION;
    for (int round = 0; round < ROUNDS; round++)
        fit(paper, true);
}

// ---------------------------------------------------------------------------------------------
// Relief

// The paper's level at each pixel, 0 to 255.
static void paper_draw(const Paper *paper, unsigned char *level, size_t rows, size_t cols)
{
    for (size_t y = 0; y < rows; y++) {
        int64_t at_y = coordinate_of((Range){y, y + 1}, rows);
        for (size_t x = 0; x < cols; x++) {
            int64_t term[TERMS];
            terms_of(term, coordinate_of((Range){x, x + 1}, cols), at_y);
            int64_t v = paper_level(paper, term);
            v = (v + ((int64_t)1 << (FRACTION - 1))) >> FRACTION;
            level[y * cols + x] = (unsigned char)(v < 0 ? 0 : v > LEVELS - 1 ? LEVELS - 1 : v);
        }
    }
}

// The ink is on the side of the paper's level, lighter or darker, where most of the squared
// deviation is. Of dark ink the share of the light that it keeps from the eye, as if the paper were
// everywhere as bright as at its brightest.
static void relief_fill(Relief *relief, const GreyImage *image, const unsigned char *paper)
{
    size_t n = relief->rows * relief->cols;
    uint64_t power[2] = {0}; // darker, lighter
    unsigned brightest = 1;
    for (size_t i = 0; i < n; i++) {
        int64_t off = (int64_t)image->pixels[i] - paper[i];
        power[off > 0] += (uint64_t)(off * off);
        brightest = paper[i] > brightest ? paper[i] : brightest;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned v = image->pixels[i], p = paper[i];
        if (power[1] > power[0])
            relief->level[i] = (unsigned char)(v > p ? v - p : 0);
        else
            relief->level[i] = (unsigned char)(v < p ? ((p - v) * 2 * brightest + p) / (2 * p) : 0);
    }
}

// What three quarters of a sample's pixels are within, the median over the samples of paper: as
// many as are within the median distance on both sides, were the other side not cut off, as that of
// white paper is. Of the border and the inside the smaller one: a thin frame is in all of the
// border.
static unsigned relief_scatter(const Relief *relief, const Paper *paper)
{
    Histogram of_samples[2] = {{.n = 0}};
    unsigned scatter = LEVELS - 1;
    for (size_t i = 0; i < paper->n; i++) {
        const Sample *s = &paper->sample[i];
        if (!is_used(paper, s, true))
            continue;
        Histogram h = histogram_of_box(relief->level, relief->cols, &s->box);
        histogram_add(&of_samples[s->side == INSIDE], histogram_quantile(&h, (3 * h.n + 3) / 4));
    }
    for (int inside = 0; inside < 2; inside++)
        if (of_samples[inside].n > 0 && histogram_median(&of_samples[inside]) < scatter)
            scatter = histogram_median(&of_samples[inside]);
    return scatter;
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
    relief->scatter = relief_scatter(relief, &paper);
    return true;
}
