// Pictures of digits as people make them: an image of MNIST drawn with a pen on paper, under a
// light, with what else gets into the picture. For test_digit.c and the table of
// bench_pictures.c; the same pictures on every machine.
#ifndef MLP_TEST_SCENE_H
#define MLP_TEST_SCENE_H

#include "pnm.h"
#include "random.h"

#include <stdlib.h>
#include <string.h>

enum { SCENE_SIDE = 28 };

// All levels are those under full light, 0 black to 255 white.
typedef struct Scene {
    const char *name;
    size_t k;          // the digit is enlarged k times; 0 stands for 10
    size_t rows, cols; // of the picture, the digit in its middle; 0: 28 k
    int paper, ink;    // 0 and 0 stand for 255 and 20
    bool blank;        // no digit
    bool pen;          // every pixel is ink or paper: the digit's pixels of 128 and more are ink

    int fall_right, fall_down, fall_corners; // how much darker there than at the lightest, percent
    bool lamp;                               // a lamp above the middle, half as bright far from it
    int noise;                               // standard deviation of each pixel
    int blur;                                // the mean of (2 blur + 1) x (2 blur + 1) pixels

    int specks, speck_side;                 // of ink, anywhere
    int far_speck_side;                     // one, near the upper left corner
    bool tight;                             // cropped to what is not paper
    int frame;                              // width of one of ink, at the edge of the picture
    int frame_sides;                        // bits: above, below, left, right; 0 stands for all
    int frame_inset;                        // or so far within it
    int line_every, line_width, line_level; // of lines on the paper
    bool squared;                           // lines across, too
    int table;                              // share of a dark table at the left, percent
    int table_round;                        // or all round
    int second;                             // a second digit this far to the right, in 28ths
} Scene;

static inline size_t scene_k(const Scene *s)
{
    return s->k == 0 ? 10 : s->k;
}
static inline size_t scene_rows(const Scene *s)
{
    return s->rows == 0 ? SCENE_SIDE * scene_k(s) : s->rows;
}
static inline size_t scene_cols(const Scene *s)
{
    return s->cols == 0 ? SCENE_SIDE * scene_k(s) : s->cols;
}

static inline int scene_paper(const Scene *s)
{
    return s->paper == 0 && s->ink == 0 ? 255 : s->paper;
}
static inline int scene_ink(const Scene *s)
{
    return s->paper == 0 && s->ink == 0 ? 20 : s->ink;
}

// The digit enlarged k times, bilinearly, at a point of it: 0 to 255. (y, x) may be outside.
static inline int scene_digit(const unsigned char *digit, long k, long y, long x)
{
    // The centre of a pixel, in 1 / 2k of an original pixel, from the centre of the first.
    long at[2] = {2 * y + 1 - k, 2 * x + 1 - k}, cell = 2 * k, sum = 0;
    if (y < 0 || x < 0 || y >= k * SCENE_SIDE || x >= k * SCENE_SIDE)
        return 0;
    for (long dy = 0; dy < 2; dy++)
        for (long dx = 0; dx < 2; dx++) {
            long row = (at[0] + cell) / cell - 1 + dy, col = (at[1] + cell) / cell - 1 + dx;
            long weight = (cell - labs(at[0] - row * cell)) * (cell - labs(at[1] - col * cell));
            if (row >= 0 && row < SCENE_SIDE && col >= 0 && col < SCENE_SIDE)
                sum += weight * digit[row * SCENE_SIDE + col];
        }
    return (int)((sum + 2 * k * k) / (4 * k * k));
}

static inline bool scene_is_frame(const Scene *s, long y, long x)
{
    long rows = (long)scene_rows(s), cols = (long)scene_cols(s), inset = s->frame_inset;
    long from_edge[] = {y, rows - 1 - y, x, cols - 1 - x};
    bool within = true, on = false;
    for (int side = 0; side < 4; side++) {
        bool has_frame = s->frame_sides == 0 || (s->frame_sides >> side & 1);
        within = within && from_edge[side] >= inset;
        on = on || (has_frame && from_edge[side] < inset + s->frame);
    }
    return within && on;
}

// What is at a pixel before light and noise.
static inline int scene_level(const Scene *s, const unsigned char *digit, long y, long x)
{
    int paper = scene_paper(s), ink = scene_ink(s), level = paper;
    long k = (long)scene_k(s), rows = (long)scene_rows(s), cols = (long)scene_cols(s);
    long top = (rows - k * SCENE_SIDE) / 2, left = (cols - k * SCENE_SIDE) / 2;
    if (s->line_every > 0 &&
        (y % s->line_every < s->line_width || (s->squared && x % s->line_every < s->line_width)))
        level = s->line_level;
    if (x * 100 < cols * s->table || y * 100 < rows * s->table_round ||
        x * 100 < cols * s->table_round || (rows - 1 - y) * 100 < rows * s->table_round ||
        (cols - 1 - x) * 100 < cols * s->table_round)
        level = 60;
    if (scene_is_frame(s, y, x))
        level = ink;
    for (int d = 0; d < (s->second > 0 ? 2 : 1) && !s->blank; d++) {
        int strength = scene_digit(digit, k, y - top, x - left - d * s->second * k);
        strength = s->pen ? (strength >= 128 ? 255 : 0) : strength;
        int drawn = paper + (ink - paper) * strength / 255;
        if (strength > 0 && abs(drawn - paper) > abs(level - paper))
            level = drawn;
    }
    return level;
}

static inline void scene_dot(unsigned char *level, const Scene *s, size_t y, size_t x, int side)
{
    for (size_t dy = 0; dy < (size_t)side && y + dy < scene_rows(s); dy++)
        for (size_t dx = 0; dx < (size_t)side && x + dx < scene_cols(s); dx++)
            level[(y + dy) * scene_cols(s) + x + dx] = (unsigned char)scene_ink(s);
}

static inline void scene_blur(unsigned char *level, const Scene *s)
{
    size_t rows = scene_rows(s), cols = scene_cols(s);
    unsigned char *from = malloc(rows * cols);
    if (from == NULL)
        abort();
    memcpy(from, level, rows * cols);
    for (long y = 0; y < (long)rows; y++)
        for (long x = 0; x < (long)cols; x++) {
            long sum = 0, n = 0;
            for (long v = y - s->blur; v <= y + s->blur; v++)
                for (long u = x - s->blur; u <= x + s->blur; u++)
                    if (v >= 0 && u >= 0 && v < (long)rows && u < (long)cols) {
                        sum += from[v * (long)cols + u];
                        n++;
                    }
            level[y * (long)cols + x] = (unsigned char)(sum / n);
        }
    free(from);
}

// The share of full light at a pixel, of 65536.
static inline long scene_light(const Scene *s, long y, long x)
{
    long rows = (long)scene_rows(s), cols = (long)scene_cols(s), full = 65536;
    long light =
        full - full * s->fall_right / 100 * x / cols - full * s->fall_down / 100 * y / rows;
    double dy = (double)(2 * y - rows) / (double)rows, dx = (double)(2 * x - cols) / (double)cols;
    double square = (dy * dy + dx * dx) / 2.0; // of the distance from the middle, 1 at the corners
    if (s->lamp) {
        double away = 1.0 + 2.56 * square;
        light = (long)((double)full * (0.5 + 0.5 / (away * away)));
    }
    return light - (long)((double)full * s->fall_corners / 100.0 * square);
}

// Crops a picture to what is not paper.
static inline GreyImage scene_crop(const Scene *s, GreyImage image, unsigned char *pixel)
{
    size_t top = image.rows, bottom = 0, left = image.cols, right = 0;
    for (size_t p = 0; p < image.rows * image.cols; p++)
        if (pixel[p] != scene_paper(s)) {
            size_t y = p / image.cols, x = p % image.cols;
            top = y < top ? y : top;
            bottom = y + 1 > bottom ? y + 1 : bottom;
            left = x < left ? x : left;
            right = x + 1 > right ? x + 1 : right;
        }
    for (size_t y = top; y < bottom; y++)
        memmove(pixel + (y - top) * (right - left), pixel + y * image.cols + left, right - left);
    return (GreyImage){bottom - top, right - left, pixel};
}

// Draws picture number i of a digit (28 x 28). The pixels are the caller's to free.
static inline GreyImage scene_draw(const Scene *s, const unsigned char *digit, size_t i)
{
    size_t rows = scene_rows(s), cols = scene_cols(s), n = rows * cols;
    unsigned char *pixel = malloc(n);
    if (pixel == NULL)
        abort();
    for (size_t p = 0; p < n; p++)
        pixel[p] = (unsigned char)scene_level(s, digit, (long)(p / cols), (long)(p % cols));
    for (int dot = 0; dot < s->specks; dot++)
        scene_dot(pixel, s, (size_t)(random_bits(5, 2 * i, (uint64_t)dot) % rows),
                  (size_t)(random_bits(5, 2 * i + 1, (uint64_t)dot) % cols), s->speck_side);
    if (s->far_speck_side > 0)
        scene_dot(pixel, s, rows / 50, cols / 40, s->far_speck_side);
    if (s->blur > 0)
        scene_blur(pixel, s);
    for (size_t p = 0; p < n; p++) {
        long level = pixel[p] * scene_light(s, (long)(p / cols), (long)(p % cols)) / 65536;
        if (s->noise > 0)
            level += (long)((float)s->noise * random_normal(6, i, p) + 1000.5f) - 1000;
        pixel[p] = (unsigned char)(level < 0 ? 0 : level > 255 ? 255 : level);
    }
    const GreyImage image = {rows, cols, pixel};
    return s->tight ? scene_crop(s, image, pixel) : image;
}

// The conditions that people's pictures come in.
static const Scene scenes[] = {
    {.name = "clean, 280 x 280"},
    {.name = "drawn with a hard pen", .pen = true},
    {.name = "light falls off by 20 % to the right", .fall_right = 20, .pen = true},
    {.name = "by 25 %", .fall_right = 25, .pen = true},
    {.name = "by 50 %", .fall_right = 50, .pen = true},
    {.name = "by 50 % to a corner", .fall_right = 25, .fall_down = 25},
    {.name = "by 50 % towards all corners (vignette)", .fall_corners = 50},
    {.name = "a lamp above the middle", .lamp = true},
    {.name = "grey paper, by 50 %", .fall_right = 50, .paper = 150, .ink = 30},
    {.name = "grey paper, vignette of 50 %", .fall_corners = 50, .paper = 150, .ink = 30},
    {.name = "chalk: light on dark, by 50 %", .fall_right = 50, .paper = 60, .ink = 240},
    {.name = "noise of 10", .noise = 10},
    {.name = "noise of 20", .noise = 20},
    {.name = "noise of 10, 2000 x 1500", .noise = 10, .k = 50, .rows = 1500, .cols = 2000},
    {.name = "noise of 10, small in 2000 x 1500", .noise = 10, .k = 10, .rows = 1500, .cols = 2000},
    {.name = "phone: grey, blurred, by 40 %, noise of 4",
     .paper = 185,
     .ink = 55,
     .blur = 2,
     .fall_right = 40,
     .noise = 4},
    {.name = "one speck of a pixel, far away", .far_speck_side = 1},
    {.name = "one speck of 5 x 5, far away", .far_speck_side = 5},
    {.name = "20 specks of 2 x 2, anywhere", .specks = 20, .speck_side = 2},
    {.name = "frame of one pixel", .frame = 1},
    {.name = "frame of 2 pixels", .frame = 2},
    {.name = "frame of 3 pixels", .frame = 3},
    {.name = "frame of 5 pixels", .frame = 5},
    {.name = "frame of 10 pixels", .frame = 10},
    {.name = "grey frame of 2 pixels, 400 x 400",
     .frame = 2,
     .rows = 400,
     .cols = 400,
     .paper = 255,
     .ink = 150},
    {.name = "bars of 3 pixels below and right", .frame = 3, .frame_sides = 10},
    {.name = "bars of 5 pixels below and right", .frame = 5, .frame_sides = 10},
    {.name = "bars of 10 pixels above and below", .frame = 10, .frame_sides = 3},
    {.name = "bars of 3 pixels on three sides", .frame = 3, .frame_sides = 7},
    {.name = "cropped to the digit", .tight = true},
    {.name = "cropped to the digit, chalk", .tight = true, .paper = 60, .ink = 240},
    {.name = "frame of one pixel, 28 x 28", .frame = 1, .k = 1},
    {.name = "box round the digit", .frame = 3, .frame_inset = 5},
    {.name = "squared paper, light lines",
     .line_every = 20,
     .line_width = 1,
     .line_level = 190,
     .squared = true},
    {.name = "squared paper, dark lines",
     .line_every = 20,
     .line_width = 1,
     .line_level = 110,
     .squared = true},
    {.name = "ruled paper, light lines", .line_every = 35, .line_width = 2, .line_level = 190},
    {.name = "ruled paper, dark lines", .line_every = 35, .line_width = 2, .line_level = 110},
    {.name = "table edge at one side", .table = 10},
    {.name = "dark table all round", .table_round = 8},
    {.name = "photo of grey paper: table, falloff, noise",
     .paper = 190,
     .ink = 60,
     .table = 8,
     .fall_down = 40,
     .blur = 1,
     .noise = 5,
     .k = 25,
     .rows = 900,
     .cols = 1200},
    {.name = "chalk on a board with a frame", .paper = 40, .ink = 220, .frame = 6, .noise = 6},
    {.name = "two digits", .second = 22, .cols = 840},
    {.name = "ruled paper, no digit",
     .blank = true,
     .line_every = 35,
     .line_width = 2,
     .line_level = 110},
    {.name = "squared paper, no digit",
     .blank = true,
     .line_every = 20,
     .line_width = 1,
     .line_level = 190,
     .squared = true},
    {.name = "table edge, no digit", .blank = true, .table = 10},
    {.name = "frame, no digit", .blank = true, .frame = 2},
    {.name = "blank", .blank = true},
    {.name = "blank, by 50 %", .blank = true, .fall_right = 50},
    {.name = "blank, vignette of 50 %", .blank = true, .fall_corners = 50},
    {.name = "blank, noise of 10", .blank = true, .noise = 10},
    {.name = "blank, noise of 10, 2000 x 1500",
     .blank = true,
     .noise = 10,
     .rows = 1500,
     .cols = 2000},
    {.name = "blank, by 50 %, noise of 10", .blank = true, .noise = 10, .fall_right = 50},
};
enum { N_SCENES = sizeof scenes / sizeof scenes[0] };

#endif
