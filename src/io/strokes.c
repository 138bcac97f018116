// The strokes of a digit, among all the ink that paper.c measured; digit.c scales them.
//
//   1 levels      what is certainly ink, and what may be its pale edge
//   2 components  of certain ink (8 neighbours)
//   3 choice      the largest component that is inside the picture and is not a frame around
//                 another one, and those close to it; where it reaches across the picture, as
//                 lines do, 2 and 3 are tried again with stronger ink
//   4 growth      the pale ink around these, not further than about a stroke's width
//
// All shares and limits are in the table below; bench_pictures shows what a change of one does.
#include "ink.h"

#include <assert.h>
#include <string.h>

enum {
    LEVELS = 256,
    // Levels
    NOISE_SCATTERS = 5, // so far off the paper a pixel is still no ink
    BLANK_SCATTERS = 7, // so far off there must be some
    WEAKEST_INK = 16,   // levels between paper and ink
    RARE = 10000,       // one pixel of so many does not show the strength of a picture's ink
    RARE_INK = 512,     // nor one of so many of the digit's
    CERTAIN = 3,        // eighths of the ink's strength that are ink for certain
    MOST_CERTAIN = 7,   // where lines across the picture are that strong, too
    AROUND = 50,        // all but one of so many pixels around the digit are no ink
    INK_THRESHOLD = 16, // of 255: what belongs to the digit's box
    // Sizes
    SMALLEST_INK = 4,   // pixels of the digit's longer side
    NOISY_PART = 40,    // on paper that is not clean, it is this part of the picture's side
    LEAST_PART = 4,     // stronger ink must leave a quarter of what reached across the picture
    FRAME_PART = 4,     // what a frame holds is at least a quarter of it
    TOUCHING_PART = 20, // what is inside the picture counts if it is this part of what is not
    CLOSE_PART = 10,    // parts of a digit are no further from it than a tenth of its length
    CLOSE_ROUNDS = 3,   // and parts of parts
    GROWTH_PART = 8,    // its pale edge is no wider than an eighth
    SMALL_PART = 64,    // a smaller part of the digit's pixels is a speck
    SIMILAR_PART = 2,   // half as long as the digit: another one
    BLOCK_INSET = 50,   // a block is looked at this part of its side within its edge,
    BLOCK_EDGE = 9,     // where so many tenths of the pixels must be its,
    BLOCK_FILL = 5,     // and so many of all in its box
    SOLID_FILL = 9,     // so many tenths of its box are ink in a rectangle, which is not a digit,
    SOLID_SHAPE = 3     // unless it is three times as long as wide
};

typedef struct Component {
    Box box;
    size_t size; // pixels
    bool kept;
} Component;

typedef struct Picture {
    const Relief *relief;
    size_t rows, cols;
    unsigned noise, contrast; // levels: no ink up to, the strongest ink
    uint32_t *label;          // (rows, cols) 0: no component, else its number from 1
    uint32_t *queue;          // (rows, cols) of pixels; working memory of `spread`
    Component *component;     // [1 .. n_components]
    size_t n_components;      // one in each 2 x 2 pixels at most: these are neighbours
} Picture;

// ---------------------------------------------------------------------------------------------
// Boxes

static size_t longer(const Box *box)
{
    size_t height = range_length(box->rows), width = range_length(box->cols);
    return height > width ? height : width;
}

static size_t shorter(const Box *box)
{
    size_t height = range_length(box->rows), width = range_length(box->cols);
    return height < width ? height : width;
}

static size_t box_area(const Box *box)
{
    return range_length(box->rows) * range_length(box->cols);
}

static Range range_join(Range a, Range b)
{
    return (Range){a.first < b.first ? a.first : b.first, a.end > b.end ? a.end : b.end};
}

// Makes the box include another one.
static void box_add(Box *box, Box with)
{
    if (box->rows.end == 0)
        *box = with;
    *box = (Box){range_join(box->rows, with.rows), range_join(box->cols, with.cols)};
}

static Box box_of_pixel(const Picture *p, size_t i)
{
    assert(p->cols > 0);
    size_t y = i / p->cols, x = i % p->cols;
    return (Box){{y, y + 1}, {x, x + 1}};
}

static size_t range_gap(Range a, Range b)
{
    return a.first > b.end ? a.first - b.end : b.first > a.end ? b.first - a.end : 0;
}

static size_t box_gap(const Box *a, const Box *b)
{
    size_t down = range_gap(a->rows, b->rows), across = range_gap(a->cols, b->cols);
    return down > across ? down : across;
}

static bool range_holds(Range outer, Range inner)
{
    return outer.first < inner.first && inner.end < outer.end;
}

static bool touches_edge(const Picture *p, const Box *box)
{
    return box->rows.first == 0 || box->cols.first == 0 || box->rows.end == p->rows ||
           box->cols.end == p->cols;
}

static bool reaches_across(const Picture *p, const Box *box)
{
    return range_length(box->cols) == p->cols || range_length(box->rows) == p->rows;
}

// ---------------------------------------------------------------------------------------------
// Levels

static bool find_levels(Picture *p, Error *err)
{
    Histogram h = {.n = 0};
    for (size_t i = 0; i < p->rows * p->cols; i++)
        histogram_add(&h, p->relief->level[i]);
    unsigned scatter = p->relief->scatter;
    p->contrast = histogram_quantile(&h, h.n - h.n / RARE);
    p->noise = NOISE_SCATTERS * scatter;
    if (p->contrast == 0)
        return error_set(err, "the picture is blank: no pixel stands out from the paper (where "
                              "parts are transparent, "
                              "convert with -background white -flatten, or black for light ink)");
    if (p->contrast < WEAKEST_INK || p->contrast < BLANK_SCATTERS * scatter)
        return error_set(
            err,
            "the picture seems blank: the strongest pixels differ from the paper by only %u levels "
            "(three quarters of the paper's are within %u)",
            p->contrast, scatter);
    if (p->noise > p->contrast / 2)
        p->noise = p->contrast / 2;
    return true;
}

// ---------------------------------------------------------------------------------------------
// Components

// Gives `label` to the pixels without one that are of level `weakest` at least and that a path of
// `steps` such pixels or fewer, each a neighbour (one of eight) of the one before, joins to the
// first n in the queue. They are added to the queue; returns how many are in it then.
static size_t spread(Picture *p, size_t n, size_t steps, unsigned weakest, uint32_t label)
{
    for (size_t at = 0, end = n; steps > 0 && at < n; steps--, end = n)
        for (; at < end; at++) {
            size_t y = p->queue[at] / p->cols, x = p->queue[at] % p->cols;
            for (size_t v = y > 0 ? y - 1 : 0; v <= y + 1 && v < p->rows; v++)
                for (size_t u = x > 0 ? x - 1 : 0; u <= x + 1 && u < p->cols; u++) {
                    size_t next = v * p->cols + u;
                    if (p->label[next] != 0 || p->relief->level[next] < weakest)
                        continue;
                    p->label[next] = label;
                    p->queue[n++] = (uint32_t)next;
                }
        }
    return n;
}

// Labels the components of ink that is certain at so many eighths of the contrast.
static void find_components(Picture *p, unsigned certain)
{
    size_t n = p->rows * p->cols;
    unsigned weakest = (certain * p->contrast + 7) / 8;
    weakest = weakest > p->noise ? weakest : p->noise + 1;
    p->n_components = 0;
    memset(p->label, 0, n * sizeof *p->label);
    for (size_t i = 0; i < n; i++) {
        if (p->label[i] != 0 || p->relief->level[i] < weakest)
            continue;
        p->label[i] = (uint32_t)++p->n_components;
        p->queue[0] = (uint32_t)i;
        Component c = {.size = spread(p, 1, SIZE_MAX, weakest, p->label[i])};
        for (size_t k = 0; k < c.size; k++)
            box_add(&c.box, box_of_pixel(p, p->queue[k]));
        p->component[p->n_components] = c;
    }
}

// ---------------------------------------------------------------------------------------------
// Choice

// Says whether component `frame` has ink on all four sides of the middle of box `held`.
static bool surrounds(const Picture *p, uint32_t frame, const Box *held)
{
    size_t y = (held->rows.first + held->rows.end) / 2, x = (held->cols.first + held->cols.end) / 2;
    unsigned sides = 0; // a bit for each
    for (size_t u = 0; u < p->cols; u++)
        if (p->label[y * p->cols + u] == frame)
            sides |= u < held->cols.first ? 1 : u >= held->cols.end ? 2 : 0;
    for (size_t v = 0; v < p->rows; v++)
        if (p->label[v * p->cols + x] == frame)
            sides |= v < held->rows.first ? 4 : v >= held->rows.end ? 8 : 0;
    return sides == 15;
}

// Says whether component number `frame` is drawn around component number `held`.
static bool is_frame_of(const Picture *p, size_t frame, size_t held)
{
    const Box *outer = &p->component[frame].box, *inner = &p->component[held].box;
    return range_holds(outer->rows, inner->rows) && range_holds(outer->cols, inner->cols) &&
           longer(inner) * FRAME_PART >= longer(outer) && surrounds(p, (uint32_t)frame, inner);
}

// Says whether it is drawn around any that is large enough to be a digit.
static bool is_frame(const Picture *p, size_t frame)
{
    for (size_t held = 1; held <= p->n_components; held++)
        if (is_frame_of(p, frame, held))
            return true;
    return false;
}

// The longer side that a digit must have. Noise comes in clusters, more of them in larger pictures.
static size_t smallest(const Picture *p)
{
    size_t part = (p->rows < p->cols ? p->rows : p->cols) / NOISY_PART;
    return p->relief->scatter > 0 && part > SMALLEST_INK ? part : SMALLEST_INK;
}

// Returns the component that most of the digit is, 0 when there is none.
static size_t find_main(const Picture *p)
{
    size_t best[2] = {0, 0}; // inside the picture, and touching its edge
    for (size_t c = 1; c <= p->n_components; c++) {
        size_t *of_kind = &best[touches_edge(p, &p->component[c].box)];
        if ((*of_kind == 0 || p->component[c].size > p->component[*of_kind].size) &&
            longer(&p->component[c].box) >= smallest(p) && !is_frame(p, c))
            *of_kind = c;
    }
    bool inside = best[0] != 0 && (best[1] == 0 || p->component[best[0]].size * TOUCHING_PART >=
                                                       p->component[best[1]].size);
    return inside ? best[0] : best[1];
}

// Keeps the components that are close to the digit, and those close to these, a few times; returns
// the box of all.
static Box keep_close(Picture *p, size_t main)
{
    Box box = p->component[main].box;
    p->component[main].kept = true;
    for (int round = 0; round < CLOSE_ROUNDS; round++)
        for (size_t i = 1; i <= p->n_components; i++) {
            Component *c = &p->component[i];
            if (c->kept || touches_edge(p, &c->box) ||
                c->size * SMALL_PART < p->component[main].size ||
                box_gap(&c->box, &box) * CLOSE_PART > longer(&p->component[main].box) ||
                is_frame_of(p, i, main))
                continue;
            c->kept = true;
            box_add(&box, c->box);
        }
    return box;
}

static const char *doubt_of(const Picture *p, size_t main)
{
    const Box *m = &p->component[main].box;
    for (size_t i = 1; i <= p->n_components; i++) {
        const Component *c = &p->component[i];
        bool is_similar =
            i != main && !touches_edge(p, &c->box) && longer(&c->box) * SIMILAR_PART >= longer(m);
        bool is_beside = c->box.cols.end <= m->cols.first || m->cols.end <= c->box.cols.first;
        if (is_similar && (!c->kept || is_beside) && !is_frame_of(p, i, main))
            return "there seems to be more than one digit; the answer is for the largest";
    }
    if (reaches_across(p, m))
        return "its ink reaches from edge to edge: leave some paper around the digit, and no "
               "lines, frame or table";
    return NULL;
}

// ---------------------------------------------------------------------------------------------
// Growth

// Reduces `label` to a mask: 1 for the kept components and for the pale ink that is connected with
// them by at most `steps` pixels, else 0. Other components stay out.
static void grow(Picture *p, size_t steps)
{
    size_t n = 0;
    const uint32_t other = 2;
    for (size_t i = 0; i < p->rows * p->cols; i++) {
        uint32_t label = p->label[i];
        p->label[i] = label == 0 ? 0 : p->component[label].kept ? 1 : other;
        if (p->label[i] == 1)
            p->queue[n++] = (uint32_t)i;
    }
    spread(p, n, steps, p->noise + 1, 1);
}

// What the paper shows around the digit, as faint lines, is not ink of the digit either.
static void raise_noise(Picture *p, const Box *digit)
{
    Histogram around = {.n = 0};
    size_t margin = longer(digit) / GROWTH_PART + 1;
    for (size_t i = 0; i < p->rows * p->cols; i++) {
        const Box pixel = box_of_pixel(p, i);
        if (p->label[i] == 0 && box_gap(&pixel, digit) >= margin)
            histogram_add(&around, p->relief->level[i]);
    }
    unsigned noise = histogram_quantile(&around, around.n - around.n / AROUND);
    if (noise > p->noise)
        p->noise = noise;
}

// Fills in the ink of the mask, 255 for its strongest, and its box.
static void fill_ink(Strokes *strokes, const Picture *p)
{
    Histogram inks = {.n = 0};
    size_t n = p->rows * p->cols;
    for (size_t i = 0; i < n; i++)
        if (p->label[i] == 1)
            histogram_add(&inks, p->relief->level[i]);
    unsigned strongest = histogram_quantile(&inks, inks.n - inks.n / RARE_INK);
    unsigned range = strongest - p->noise;
    for (size_t i = 0; i < n; i++) {
        unsigned level = p->relief->level[i];
        unsigned ink = p->label[i] != 1 || level <= p->noise ? 0
                       : level < strongest ? ((level - p->noise) * 255 + range / 2) / range
                                           : 255;
        strokes->ink[i] = (unsigned char)ink;
        if (ink >= INK_THRESHOLD)
            box_add(&strokes->box, box_of_pixel(p, i));
    }
}

// How many tenths of the pixels along the edge of a box of at least 2 x 2 have that label.
static size_t edge_share(const Picture *p, const Box *box, uint32_t label)
{
    size_t on = 0, all = 0;
    for (size_t y = box->rows.first; y < box->rows.end; y++) {
        bool whole_row = y == box->rows.first || y == box->rows.end - 1;
        for (size_t x = box->cols.first; x < box->cols.end;
             x += whole_row ? 1 : range_length(box->cols) - 1, all++)
            on += p->label[y * p->cols + x] == label;
    }
    assert(all > 0); // the box is not empty
    return 10 * on / all;
}

// The largest component, if it fills most of the picture and is nearly a rectangle. Returns the
// inside of its box, or an empty one.
static Box find_block(const Picture *p)
{
    uint32_t largest = 1; // there is one: the strongest pixel's
    for (uint32_t c = 2; c <= p->n_components; c++)
        if (p->component[c].size > p->component[largest].size)
            largest = c;
    const Box none = {{0, 0}, {0, 0}}, *box = &p->component[largest].box;
    size_t inset = shorter(box) / BLOCK_INSET + 1;
    if (shorter(box) <= 4 * inset || 2 * range_length(box->rows) < p->rows ||
        2 * range_length(box->cols) < p->cols ||
        10 * p->component[largest].size < BLOCK_FILL * box_area(box))
        return none;
    Box inside = {{box->rows.first + inset, box->rows.end - inset},
                  {box->cols.first + inset, box->cols.end - inset}};
    return edge_share(p, &inside, largest) >= BLOCK_EDGE ? inside : none;
}

static void error_too_small(Error *err, const Picture *p)
{
    const Box *largest = &p->component[1].box;
    for (size_t c = 2; c <= p->n_components; c++)
        if (longer(&p->component[c].box) > longer(largest))
            largest = &p->component[c].box;
    error_set(err, "the largest part of the ink is only %zu x %zu pixels: too small to be a digit",
              range_length(largest->cols), range_length(largest->rows));
}

// Whether the main component is inside the picture, as long as `least`, and little touches the edge
// but what reaches across: no parts of a digit that is cropped closely.
static bool is_clear(const Picture *p, size_t main, size_t least)
{
    size_t touching = 0;
    const Component *m = &p->component[main];
    for (size_t c = 1; c <= p->n_components; c++)
        if (touches_edge(p, &p->component[c].box) && !reaches_across(p, &p->component[c].box))
            touching += p->component[c].size;
    return main != 0 && !touches_edge(p, &m->box) && longer(&m->box) >= least &&
           touching * TOUCHING_PART <= m->size;
}

// Finds the main component, 0 when there is none. Where it reaches across the picture, as lines do,
// stronger ink alone is tried; where that does not leave a digit, all counts again.
static size_t find_certain(Picture *p, Box *block)
{
    find_components(p, CERTAIN);
    *block = find_block(p);
    size_t main = find_main(p);
    if (main == 0 || !reaches_across(p, &p->component[main].box))
        return main;
    size_t least = shorter(&p->component[main].box) / LEAST_PART;
    for (unsigned certain = CERTAIN + 2; certain <= MOST_CERTAIN; certain += 2) {
        find_components(p, certain);
        main = find_main(p);
        if (is_clear(p, main, least))
            return main;
    }
    find_components(p, CERTAIN);
    return find_main(p);
}

StrokesResult strokes_find(Strokes *strokes, const Relief *relief, Arena *arena, Error *err)
{
    static const char what[] = "parts of a picture";
    size_t n = relief->rows * relief->cols, most = (relief->rows / 2 + 1) * (relief->cols / 2 + 1);
    Picture p = {.relief = relief,
                 .rows = relief->rows,
                 .cols = relief->cols,
                 .label = arena_alloc(arena, n, sizeof *p.label, what, err),
                 .queue = arena_alloc(arena, n, sizeof *p.queue, what, err),
                 .component = arena_alloc(arena, most + 1, sizeof *p.component, what, err)};
    *strokes = (Strokes){.ink = arena_alloc(arena, n, 1, what, err)};
    if (p.label == NULL || p.queue == NULL || p.component == NULL || strokes->ink == NULL)
        return STROKES_FAILED;
    if (!find_levels(&p, err))
        return STROKES_NONE;
    size_t main = find_certain(&p, &strokes->block);
    if (main == 0) {
        error_too_small(err, &p);
        return STROKES_NONE;
    }
    Box box = keep_close(&p, main);
    strokes->doubt = doubt_of(&p, main);
    const Component *m = &p.component[main];
    strokes->is_solid = 10 * m->size >= SOLID_FILL * box_area(&m->box) &&
                        SOLID_SHAPE * shorter(&m->box) > longer(&m->box);
    raise_noise(&p, &box);
    grow(&p, longer(&box) / GROWTH_PART + 1);
    fill_ink(strokes, &p);
    return STROKES_FOUND;
}
