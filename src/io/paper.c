// The brightness of the paper; see paper.h.
//
//   1 samples   medians of short pieces of the picture's border, and of tiles inside
//   2 start     a constant or a plane: the one that most of the samples are near to
//   3 fit       the function nearest to the border's samples; a sample that is further off than a
//               limit is no paper and does not count; the limit shrinks step by step
//   4 grow      the same with the tiles that agree with it, then with those that agree with that
//   5 relief    each pixel's distance from that function, on the side of the ink
#include "paper.h"

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
    int64_t term[TERMS];  // of the function, at its place
    Box box;
    Side side;
} Sample;

typedef struct Paper {
    int64_t weight[TERMS]; // FRACTION bits behind the point
    int64_t limit;         // the error of what is paper, FRACTION bits behind the point
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
    uint64_t count[LEVELS] = {0};
    uint64_t n = count_box(count, image->pixels, image->cols, &(Box){ys, xs});
    if (n == 0)
        return;
    Sample *sample = &paper->sample[paper->n++];
    sample->level = (int64_t)histogram_quantile(count, (n + 1) / 2) << FRACTION;
    sample->box = (Box){ys, xs};
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

// Sets the first n weights, the others to 0, and the errors that follow.
static void set_weights(Paper *paper, const int64_t *weight, size_t n)
{
    memset(paper->weight, 0, sizeof paper->weight);
    memcpy(paper->weight, weight, n * sizeof *weight);
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
    uint64_t count[LEVELS] = {0}, n = 0;
    for (size_t i = 0; i < paper->n; i++)
        if (is_used(paper, &paper->sample[i], with_inside)) {
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

// The error of a sample that the start is near to.
static int64_t near_limit(const Paper *paper)
{
    return paper->weight[0] / 16 + (FIRST_LIMIT << FRACTION);
}

static size_t count_near(const Paper *paper)
{
    size_t n = 0;
    for (size_t i = 0; i < paper->n; i++)
        n += size_of(paper->sample[i].error) <= (uint64_t)near_limit(paper);
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
    const int64_t one = (int64_t)1 << FRACTION;
    set_weights(paper, (const int64_t[]){middle * one, dx * one / REACH, dy * one / REACH}, 3);
}

// Keeps in *best the weights that the most of the picture is near to.
static void keep_better(const Paper *paper, Paper *best, size_t *most)
{
    size_t n = count_near(paper);
    if (n <= *most)
        return;
    *most = n;
    memcpy(best->weight, paper->weight, sizeof best->weight);
}

// Starts with the constant or the plane that most of the picture is near to: a plane follows light
// that falls off, though one side shows a table; a constant is right where more of the border is
// not paper.
static void find_start(Paper *paper)
{
    int64_t median[INSIDE];
    Paper best = {.n = 0};
    size_t most = 0;
    for (Side side = TOP; side < INSIDE; side++)
        median[side] = side_median(paper, side);
    for (Side without = INSIDE + 1; without-- > TOP;) { // of equals, the one that leaves out none
        set_plane(paper, median, without);
        keep_better(paper, &best, &most);
    }
    for (size_t i = 0; i < paper->n; i++) {
        set_weights(paper, &paper->sample[i].level, 1);
        keep_better(paper, &best, &most);
    }
    set_weights(paper, best.weight, TERMS);
}

// Whether the start is near to less than half of the border: then the inside must tell what is
// paper.
static bool border_is_other(const Paper *paper)
{
    size_t n = 0, near = 0;
    for (size_t i = 0; i < paper->n; i++)
        if (paper->sample[i].side != INSIDE) {
            n++;
            near += size_of(paper->sample[i].error) <= (uint64_t)near_limit(paper);
        }
    return 2 * near < n;
}

static void paper_fit(Paper *paper)
{
    find_start(paper);
    bool with_inside = border_is_other(paper);
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

// What three quarters of a sample's pixels are within, the median over the samples of paper: as
// many as are within the median distance on both sides, were the other side not cut off, as that of
// white paper is. Of the border and the inside the smaller one: a thin frame is in all of the
// border.
static unsigned relief_scatter(const Relief *relief, const Paper *paper)
{
    uint64_t of_samples[2][LEVELS] = {{0}}, n_samples[2] = {0};
    unsigned scatter = LEVELS - 1;
    for (size_t i = 0; i < paper->n; i++) {
        const Sample *s = &paper->sample[i];
        uint64_t count[LEVELS] = {0};
        if (!is_used(paper, s, true))
            continue;
        uint64_t n = count_box(count, relief->level, relief->cols, &s->box);
        of_samples[s->side == INSIDE][histogram_quantile(count, (3 * n + 3) / 4)]++;
        n_samples[s->side == INSIDE]++;
    }
    for (int inside = 0; inside < 2; inside++) {
        unsigned of_these = histogram_quantile(of_samples[inside], (n_samples[inside] + 1) / 2);
        if (n_samples[inside] > 0 && of_these < scatter)
            scatter = of_these;
    }
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
