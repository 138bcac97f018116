// The preparation of digits: images of the MNIST test set, enlarged, inverted and shifted, come
// back close to what they were. `test_digit write DIRECTORY N` writes N of them as PGM files, and
// their labels, for tests of the whole program.
#include "digit.h"

#include "files.h"
#include "idx.h"
#include "ink.h"
#include "scene.h"
#include "test.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE };

// ---------------------------------------------------------------------------------------------
// Pictures

// What is done to an image: enlarged k times, by repetition or smoothly (bilinear), put on a
// background, contrast and sign as wanted.
typedef struct Change {
    size_t k;
    bool smooth;
    size_t above, below, left, right; // pixels around it
    int background, ink;
    int noise; // each pixel varies by up to so much
} Change;

typedef struct Picture {
    GreyImage image;
    unsigned char *pixels;
} Picture;

// The enlarged image at a pixel, times 4 k k.
static unsigned enlarged(const unsigned char *digit, size_t k, bool smooth, size_t y, size_t x)
{
    if (!smooth)
        return digit[y / k * SIDE + x / k] * (unsigned)(4 * k * k);
    return (unsigned)scene_digit(digit, (long)k, (long)y, (long)x) * (unsigned)(4 * k * k);
}

static Picture picture_make(const unsigned char *digit, const Change *c)
{
    size_t k = c->k, rows = c->above + k * SIDE + c->below, cols = c->left + k * SIDE + c->right;
    Picture p = {.pixels = malloc(rows * cols)};
    if (p.pixels == NULL)
        abort();
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < cols; x++) {
            long v = c->background;
            if (y >= c->above && y - c->above < k * SIDE && x >= c->left &&
                x - c->left < k * SIDE) {
                long full = 255 * 4 * (long)(k * k);
                long part = enlarged(digit, k, c->smooth, y - c->above, x - c->left);
                v += (part * (c->ink - c->background) +
                      (c->ink > c->background ? full : -full) / 2) /
                     full;
            }
            if (c->noise > 0)
                v += (long)(random_bits(1, rows * cols, y * cols + x) %
                            (2 * (unsigned)c->noise + 1)) -
                     c->noise;
            p.pixels[y * cols + x] = (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
    p.image = (GreyImage){rows, cols, p.pixels};
    return p;
}

// Inverted, shifted and enlarged 2 to 10 times, by repetition and smoothly in turn.
static Change change_number(size_t i)
{
    Change c = {.k = 2 + i % 9, .smooth = i / 9 % 2 == 1, .background = 255, .ink = 0};
    size_t *margin[] = {&c.above, &c.below, &c.left, &c.right};
    for (size_t m = 0; m < 4; m++)
        *margin[m] = (size_t)(random_bits(2, m, i) % (10 * c.k));
    return c;
}

// ---------------------------------------------------------------------------------------------
// Digits to work on

static Dataset test_images;

static void read_test_images(Arena *arena)
{
    Error err;
    if (!idx_read_directory(&test_images, arena, "data/mnist", MLP_TEST_FILES, false, &err)) {
        printf("%s\n", err.text);
        exit(EXIT_FAILURE);
    }
}

static const Scene *scene_named(const char *name)
{
    for (size_t s = 0; s < N_SCENES; s++)
        if (strcmp(scenes[s].name, name) == 0)
            return &scenes[s];
    printf("no condition is called '%s'\n", name);
    exit(EXIT_FAILURE);
}

static Picture scene_picture(const Scene *scene, size_t i)
{
    Picture p = {.image = scene_draw(scene, test_images.pixels + i * PIXELS, i)};
    p.pixels = (unsigned char *)(uintptr_t)p.image.pixels;
    return p;
}

// Writes n pictures of that condition, or with NULL each in a size of its own.
static int write_pictures(const char *directory, size_t n, const Scene *scene)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/labels", directory);
    FILE *labels = fopen(path, "w");
    if (labels == NULL)
        return EXIT_FAILURE;
    for (size_t i = 0; i < n; i++) {
        Change change = change_number(i);
        Picture p = scene != NULL ? scene_picture(scene, i)
                                  : picture_make(test_images.pixels + i * PIXELS, &change);
        snprintf(path, sizeof path, "%s/%05zu.pgm", directory, i);
        FILE *file = fopen(path, "wb");
        if (file == NULL)
            return EXIT_FAILURE;
        fprintf(file, "P5\n# digit %zu\n%zu %zu\n255\n", i, p.image.cols, p.image.rows);
        fwrite(p.pixels, 1, p.image.rows * p.image.cols, file);
        if (fclose(file) != 0)
            return EXIT_FAILURE;
        fprintf(labels, "%u\n", test_images.labels[i]);
        free(p.pixels);
    }
    return fclose(labels) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

// ---------------------------------------------------------------------------------------------
// Claims

static unsigned char prepared[PIXELS];

// Prepares the changed image and returns the sum of the absolute differences to the original, in
// percent of its ink, or -1.
static double difference(const unsigned char *digit, const Change *change)
{
    Arena arena = {0};
    Error err;
    const char *doubt;
    Picture p = picture_make(digit, change);
    bool ok = digit_prepare(prepared, SIDE, SIDE, &p.image, &doubt, &arena, &err);
    CHECK(ok, "k = %zu: %s", change->k, err.text);
    long sum = 0, ink = 0;
    for (size_t i = 0; ok && i < PIXELS; i++) {
        sum += labs((long)prepared[i] - digit[i]);
        ink += digit[i];
    }
    arena_free(&arena);
    free(p.pixels);
    return ok ? 100.0 * (double)sum / (double)ink : -1.0;
}

static void enlarged_inverted_and_shifted_digits_come_back_almost_exactly(void)
{
    enum { N = 200 };
    size_t near = 0;
    for (size_t i = 0; i < N; i++) {
        Change change = change_number(i);
        change.smooth = false;
        double off = difference(test_images.pixels + i * PIXELS, &change);
        near += off >= 0.0 && off < 1.0; // where the strongest ink was 254, it is 255
    }
    CHECK(near >= N * 99 / 100, "only %zu of %d came back", near, N);
}

static void the_size_that_it_has_already_is_kept(void)
{
    static const Change changes[] = {{.k = 1, .background = 0, .ink = 255},
                                     {.k = 1, .background = 255, .ink = 0},
                                     {.k = 1, .above = 9, .left = 30, .background = 255, .ink = 0}};
    for (size_t c = 0; c < sizeof changes / sizeof changes[0]; c++)
        for (size_t i = 0; i < 100; i++) {
            double off = difference(test_images.pixels + i * PIXELS, &changes[c]);
            CHECK(off >= 0.0 && off < 1.0, "change %zu, image %zu: %.2f %% off", c, i, off);
        }
}

static void smooth_and_noisy_ones_come_back_close(void)
{
    enum { N = 100 };
    double sum = 0.0;
    for (size_t i = 0; i < N; i++) {
        Change change = change_number(i);
        change.smooth = true;
        change.background = 210;
        change.ink = 60;
        change.noise = 10;
        double off = difference(test_images.pixels + i * PIXELS, &change);
        CHECK(off >= 0.0 && off < 90.0, "image %zu: %.1f %% off", i, off);
        sum += off;
    }
    CHECK(sum / N < 40.0, "%.1f %% off on average", sum / N);
}

// A rectangle of ink on a background.
static bool prepare_rectangle(size_t rows, size_t cols, size_t height, size_t width, int background,
                              int ink, size_t to_rows, size_t to_cols, unsigned char *digit,
                              Error *err)
{
    Arena arena = {0};
    const char *doubt;
    unsigned char *pixels = malloc(rows * cols);
    if (pixels == NULL)
        abort();
    memset(pixels, background, rows * cols);
    for (size_t y = 0; y < height; y++)
        memset(pixels + ((rows - height) / 2 + y) * cols + (cols - width) / 2, ink, width);
    const GreyImage image = {rows, cols, pixels};
    bool ok = digit_prepare(digit, to_rows, to_cols, &image, &doubt, &arena, err);
    arena_free(&arena);
    free(pixels);
    return ok;
}

// The extent of what is not zero.
static void extent(const unsigned char *digit, size_t rows, size_t cols, size_t *height,
                   size_t *width)
{
    size_t top = rows, bottom = 0, left = cols, right = 0;
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < cols; x++)
            if (digit[y * cols + x] != 0) {
                top = y < top ? y : top;
                left = x < left ? x : left;
                bottom = y + 1 > bottom ? y + 1 : bottom;
                right = x + 1 > right ? x + 1 : right;
            }
    *height = bottom > top ? bottom - top : 0;
    *width = right > left ? right - left : 0;
}

static void the_longer_side_fills_the_box_and_the_shape_is_kept(void)
{
    static const size_t table[][4] = {
        // height and width of the ink, and of what becomes of it
        {100, 100, 20, 20}, {100, 30, 20, 6}, {30, 100, 6, 20},
        {400, 20, 20, 1},   {4, 4, 20, 20},   {40, 3, 20, 2}, // one pixel and a half
        {1000, 1, 20, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        unsigned char digit[PIXELS];
        Error err = {""};
        size_t height = 0, width = 0;
        bool ok = prepare_rectangle(table[i][0] + 20, table[i][1] + 20, table[i][0], table[i][1],
                                    200, 20, SIDE, SIDE, digit, &err);
        CHECK(ok, "%zu x %zu: %s", table[i][0], table[i][1], err.text);
        if (ok)
            extent(digit, SIDE, SIDE, &height, &width);
        CHECK(height == table[i][2] && width == table[i][3],
              "%zu x %zu became %zu x %zu, not %zu x %zu", table[i][0], table[i][1], height, width,
              table[i][2], table[i][3]);
    }
}

static void other_models_get_the_same_proportions(void)
{
    static const size_t table[][4] = {{14, 14, 10, 10}, {56, 56, 40, 40}, {28, 14, 10, 10},
                                      {7, 31, 5, 5},    {1, 1, 1, 1},     {3, 2, 1, 1}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        unsigned char digit[56 * 56];
        Error err = {""};
        size_t height = 0, width = 0, rows = table[i][0], cols = table[i][1];
        bool ok = prepare_rectangle(90, 90, 50, 50, 0, 255, rows, cols, digit, &err);
        CHECK(ok, "%s", err.text);
        if (ok)
            extent(digit, rows, cols, &height, &width);
        CHECK(height == table[i][2] && width == table[i][3], "%zu x %zu: %zu x %zu is inked", rows,
              cols, height, width);
    }
}

static void light_and_dark_ink_of_any_strength_are_the_same(void)
{
    static const int table[][2] = {{0, 255}, {255, 0}, {210, 40}, {30, 50}, {128, 255}, {128, 100}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        unsigned char digit[PIXELS];
        Error err = {""};
        bool ok =
            prepare_rectangle(60, 60, 40, 20, table[i][0], table[i][1], SIDE, SIDE, digit, &err);
        CHECK(ok, "%d on %d: %s", table[i][1], table[i][0], err.text);
        for (size_t p = 0; ok && p < PIXELS; p++) {
            bool inked = p / SIDE >= 5 && p / SIDE < 25 && p % SIDE >= 10 && p % SIDE < 20;
            inked = digit[p] == 255 ? inked : digit[p] == 0 && !inked;
            CHECK(inked, "%d on %d: pixel (%zu, %zu) is %d", table[i][1], table[i][0], p / SIDE,
                  p % SIDE, digit[p]);
        }
    }
}

static void what_is_no_digit_is_refused_with_its_reason(void)
{
    static const struct {
        size_t height, width;
        int background, ink;
        const char *word;
    } table[] = {
        {0, 0, 255, 0, "blank"},    {0, 0, 0, 0, "blank"},   {20, 20, 200, 190, "seems blank"},
        {20, 20, 5, 0, "seems"},    {1, 1, 255, 0, "1 x 1"}, {2, 3, 255, 0, "3 x 2"},
        {60, 60, 255, 77, "blank"}, // ink all over is a background
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        unsigned char digit[PIXELS];
        Error err = {""};
        bool ok = prepare_rectangle(60, 60, table[i].height, table[i].width, table[i].background,
                                    table[i].ink, SIDE, SIDE, digit, &err);
        CHECK(!ok && strstr(err.text, table[i].word) != NULL, "case %zu: '%s'", i, err.text);
    }
}

// The digits prepared from the first n images of a scene; false when one is refused.
static bool prepare_scene(unsigned char (*digits)[PIXELS], const char *name, size_t n)
{
    const Scene *scene = scene_named(name);
    for (size_t i = 0; i < n; i++) {
        Arena arena = {0};
        Error err;
        const char *doubt;
        Picture p = scene_picture(scene, i);
        bool ok = digit_prepare(digits[i], SIDE, SIDE, &p.image, &doubt, &arena, &err);
        CHECK(ok, "%s, image %zu: %s", name, i, err.text);
        CHECK(!ok || doubt == NULL || scene->tight, "%s, image %zu: %s", name, i, doubt);
        arena_free(&arena);
        free(p.pixels);
        if (!ok)
            return false;
    }
    return true;
}

// How far, in percent of their ink, the digits prepared from each scene are from those prepared
// from the same digits on clean paper, on average over n images.
static void check_scenes(const char *const *names, const char *clean, size_t n, double limit)
{
    enum { MOST = 20 };
    static unsigned char expected[MOST][PIXELS], actual[MOST][PIXELS];
    if (n > MOST)
        abort();
    if (!prepare_scene(expected, clean, n))
        return;
    for (; *names != NULL; names++) {
        if (!prepare_scene(actual, *names, n))
            continue;
        long sum = 0, ink = 0;
        for (size_t i = 0; i < n; i++)
            for (size_t p = 0; p < PIXELS; p++) {
                sum += labs((long)actual[i][p] - expected[i][p]);
                ink += expected[i][p];
            }
        double off = 100.0 * (double)sum / (double)ink;
        CHECK(off < limit, "%s: %.1f %% off", *names, off);
    }
}

static void light_that_falls_off_changes_little(void)
{
    static const char *const pen[] = {"light falls off by 20 % to the right", "by 25 %", "by 50 %",
                                      NULL};
    static const char *const others[] = {"by 50 % to a corner", "grey paper, by 50 %",
                                         "by 50 % towards all corners (vignette)",
                                         "grey paper, vignette of 50 %", NULL};
    static const char *const chalk[] = {"chalk: light on dark, by 50 %", NULL};
    check_scenes(pen, "drawn with a hard pen", 20, 2.0);
    check_scenes(others, "clean, 280 x 280", 20, 15.0);
    check_scenes(chalk, "clean, 280 x 280", 20, 35.0); // its own brightness falls off, too
}

static void specks_frames_and_edges_are_left_out(void)
{
    static const char *const names[] = {"one speck of a pixel, far away",
                                        "one speck of 5 x 5, far away",
                                        "20 specks of 2 x 2, anywhere",
                                        "frame of one pixel",
                                        "frame of 2 pixels",
                                        "frame of 3 pixels",
                                        "frame of 5 pixels",
                                        "frame of 10 pixels",
                                        "bars of 3 pixels below and right",
                                        "bars of 5 pixels below and right",
                                        "bars of 10 pixels above and below",
                                        "bars of 3 pixels on three sides",
                                        "cropped to the digit",
                                        "box round the digit",
                                        "table edge at one side",
                                        "dark table all round",
                                        NULL};
    check_scenes(names, "clean, 280 x 280", 20, 20.0);
}

static void lines_fainter_than_the_ink_are_left_out(void)
{
    static const char *const names[] = {"squared paper, light lines", "ruled paper, light lines",
                                        NULL};
    check_scenes(names, "clean, 280 x 280", 20, 45.0);
}

static void noise_does_not_get_worse_with_size(void)
{
    static const char *const small[] = {"noise of 10", "noise of 20",
                                        "phone: grey, blurred, by 40 %, noise of 4", NULL};
    static const char *const large[] = {"noise of 10, 2000 x 1500",
                                        "noise of 10, small in 2000 x 1500",
                                        "photo of grey paper: table, falloff, noise", NULL};
    check_scenes(small, "clean, 280 x 280", 10, 40.0);
    check_scenes(large, "clean, 280 x 280", 1, 40.0);
}

static void blank_paper_is_refused_in_any_light_and_noise(void)
{
    for (size_t s = 0; s < N_SCENES; s++) {
        Arena arena = {0};
        Error err;
        const char *doubt;
        if (strncmp(scenes[s].name, "blank", 5) != 0)
            continue;
        for (size_t i = 0; i < (scenes[s].rows > 0 ? 1 : 3); i++) {
            Picture p = scene_picture(&scenes[s], i);
            CHECK(!digit_prepare(prepared, SIDE, SIDE, &p.image, &doubt, &arena, &err) &&
                      (strstr(err.text, "blank") != NULL || strstr(err.text, "small") != NULL),
                  "%s is taken for a digit", scenes[s].name);
            free(p.pixels);
        }
        arena_free(&arena);
    }
}

static void two_digits_and_lines_alone_are_doubted(void)
{
    static const struct {
        const char *name, *word;
    } table[] = {{"two digits", "more than one"},
                 {"ruled paper, no digit", ""},
                 {"squared paper, no digit", ""},
                 {"table edge, no digit", "edge to edge"}};
    for (size_t s = 0; s < sizeof table / sizeof table[0]; s++)
        for (size_t i = 0; i < 10; i++) {
            Arena arena = {0};
            Error err;
            const char *doubt = NULL;
            Picture p = scene_picture(scene_named(table[s].name), i);
            bool ok = digit_prepare(prepared, SIDE, SIDE, &p.image, &doubt, &arena, &err);
            CHECK(ok && doubt != NULL && strstr(doubt, table[s].word) != NULL, "%s: %s",
                  table[s].name,
                  !ok             ? err.text
                  : doubt == NULL ? "no doubt"
                                  : doubt);
            arena_free(&arena);
            free(p.pixels);
        }
}

static void fill_rectangle(unsigned char *pixels, size_t cols, Box box, int level)
{
    for (size_t y = box.rows.first; y < box.rows.end; y++)
        memset(pixels + y * cols + box.cols.first, level, range_length(box.cols));
}

// Ink that is stronger than the digit's must not take the digit's place: the digit touches a line
// of its own strength, and so cannot be distinguished from it.
static void stronger_specks_beside_a_digit_on_a_line_change_nothing(void)
{
    enum { COLS = 280 };
    static unsigned char pixels[COLS * COLS];
    unsigned char without[PIXELS], with[PIXELS];
    static const size_t specks[][3] = {// how many, of which side, and at which distance
                                       {0, 1, 1},
                                       {4, 3, 60},
                                       {1, 5, 20},
                                       {9, 7, 30}};
    for (size_t t = 0; t < sizeof specks / sizeof specks[0]; t++) {
        Arena arena = {0};
        Error err = {""};
        const char *doubt = NULL;
        const GreyImage image = {COLS, COLS, pixels};
        memset(pixels, 255, sizeof pixels);
        fill_rectangle(pixels, COLS, (Box){{200, 203}, {0, COLS}}, 120);
        fill_rectangle(pixels, COLS, (Box){{60, 75}, {90, 190}}, 120);
        fill_rectangle(pixels, COLS, (Box){{60, 220}, {170, 190}}, 120);
        for (size_t i = 0; i < specks[t][0]; i++) {
            size_t y = 8 + i * specks[t][2] % 240, x = 12 + i * specks[t][2] / 3;
            fill_rectangle(pixels, COLS, (Box){{y, y + specks[t][1]}, {x, x + specks[t][1]}}, 0);
        }
        bool ok = digit_prepare(with, SIDE, SIDE, &image, &doubt, &arena, &err);
        CHECK(ok && doubt != NULL, "case %zu: %s", t, ok ? "no doubt" : err.text);
        if (t == 0)
            memcpy(without, with, sizeof without);
        CHECK(memcmp(with, without, sizeof with) == 0, "case %zu: another digit", t);
        arena_free(&arena);
    }
}

// A digit of straight strokes is neither a frame nor a sheet of paper, however thick they are.
static void rectangles_of_strokes_are_digits(void)
{
    enum { COLS = 200 };
    static unsigned char pixels[COLS * COLS];
    for (size_t stroke = 6; stroke <= 26; stroke += 4) {
        Arena arena = {0};
        Error err = {""};
        const char *doubt = NULL;
        size_t height = 0, width = 0;
        const GreyImage image = {COLS, COLS, pixels};
        memset(pixels, 255, sizeof pixels);
        fill_rectangle(pixels, COLS, (Box){{20, 180}, {50, 150}}, 0); // an 8 of seven segments
        fill_rectangle(pixels, COLS,
                       (Box){{20 + stroke, 100 - stroke / 2}, {50 + stroke, 150 - stroke}}, 255);
        fill_rectangle(pixels, COLS,
                       (Box){{100 + stroke / 2, 180 - stroke}, {50 + stroke, 150 - stroke}}, 255);
        bool ok = digit_prepare(prepared, SIDE, SIDE, &image, &doubt, &arena, &err);
        CHECK(ok && doubt == NULL, "strokes of %zu: %s", stroke, ok ? doubt : err.text);
        extent(prepared, SIDE, SIDE, &height, &width);
        CHECK(height == 20 && width >= 12 && width <= 14, "strokes of %zu: %zu x %zu", stroke,
              height, width);
        CHECK(prepared[9 * SIDE + SIDE / 2] < 128 && prepared[18 * SIDE + SIDE / 2] < 128,
              "strokes of %zu: the holes are filled", stroke);
        arena_free(&arena);
    }
}

// Whatever the picture, the background is 0, the strongest ink 255, and nothing is written beyond.
static void random_pictures_of_all_shapes_are_prepared_or_refused(void)
{
    size_t n_prepared = 0;
    for (size_t i = 0; i < 3000; i++) {
        Arena arena = {0};
        Error err = {""};
        const char *doubt;
        size_t rows = 1 + random_bits(3, 1, i) % 40, cols = 1 + random_bits(3, 2, i) % 40;
        size_t to_rows = 1 + random_bits(3, 3, i) % 40, to_cols = 1 + random_bits(3, 4, i) % 40;
        unsigned char *pixels = calloc(rows, cols), *digit = malloc(to_rows * to_cols);
        if (pixels == NULL || digit == NULL)
            abort();
        for (size_t p = 0; p < rows * cols; p++) {
            uint64_t bits = random_bits(4, i, p);
            if (bits % 64 < i % 16)
                pixels[p] = (unsigned char)(bits >> 32);
            else if (p / cols > i % rows && p % cols > i % cols) // a corner of ink
                pixels[p] = (unsigned char)(i % 256);
        }
        const GreyImage image = {rows, cols, pixels};
        if (digit_prepare(digit, to_rows, to_cols, &image, &doubt, &arena, &err)) {
            unsigned most = 0;
            for (size_t p = 0; p < to_rows * to_cols; p++)
                most = digit[p] > most ? digit[p] : most;
            CHECK(most == 255, "%zu x %zu to %zu x %zu: the largest is %u", rows, cols, to_rows,
                  to_cols, most);
            n_prepared++;
        } else {
            CHECK(err.text[0] != '\0', "no reason");
        }
        arena_free(&arena);
        free(pixels);
        free(digit);
    }
    CHECK(n_prepared > 500, "only %zu were prepared", n_prepared);
}

int main(int argc, char **argv)
{
    Arena arena = {0};
    read_test_images(&arena);
    int status;
    if (argc == 4 && strcmp(argv[1], "write") == 0) {
        status = write_pictures(argv[2], strtoul(argv[3], NULL, 10), NULL);
    } else if (argc == 5 && strcmp(argv[1], "scene") == 0) {
        status = write_pictures(argv[2], strtoul(argv[3], NULL, 10), scene_named(argv[4]));
    } else {
        RUN(enlarged_inverted_and_shifted_digits_come_back_almost_exactly);
        RUN(the_size_that_it_has_already_is_kept);
        RUN(smooth_and_noisy_ones_come_back_close);
        RUN(the_longer_side_fills_the_box_and_the_shape_is_kept);
        RUN(other_models_get_the_same_proportions);
        RUN(light_and_dark_ink_of_any_strength_are_the_same);
        RUN(what_is_no_digit_is_refused_with_its_reason);
        RUN(light_that_falls_off_changes_little);
        RUN(specks_frames_and_edges_are_left_out);
        RUN(lines_fainter_than_the_ink_are_left_out);
        RUN(noise_does_not_get_worse_with_size);
        RUN(blank_paper_is_refused_in_any_light_and_noise);
        RUN(two_digits_and_lines_alone_are_doubted);
        RUN(stronger_specks_beside_a_digit_on_a_line_change_nothing);
        RUN(rectangles_of_strokes_are_digits);
        RUN(random_pictures_of_all_shapes_are_prepared_or_refused);
        status = test_end();
    }
    arena_free(&arena);
    return status;
}
