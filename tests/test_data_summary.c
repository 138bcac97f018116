// What is counted of a data set: pixels against plain sums, blank images, and copies against a
// comparison of every image with every other.
#include "data_summary.h"

#include "random.h"
#include "test.h"

#include <math.h>

enum { MOST = 300 };

// n images of rows x cols pixels with few values, so that many are equal.
typedef struct Made {
    Dataset data;
    unsigned char pixels[MOST * 64], labels[MOST];
} Made;

static Made made[2];

static const Dataset *make(int set, size_t n, size_t rows, size_t cols, unsigned values)
{
    Made *m = &made[set];
    m->data = (Dataset){.n = n,
                        .rows = rows,
                        .cols = cols,
                        .n_classes = 10,
                        .pixels = m->pixels,
                        .labels = m->labels};
    for (size_t p = 0; p < n * rows * cols; p++)
        m->pixels[p] = (unsigned char)(random_bits(7, (uint64_t)set, p) % values);
    for (size_t i = 0; i < n; i++)
        m->labels[i] = (unsigned char)(random_bits(8, (uint64_t)set, i) % 3);
    return &m->data;
}

static bool is_equal(const Copies *c, size_t a, size_t b)
{
    ImagePlace at = copies_place(c, a), bt = copies_place(c, b);
    const Dataset *x = c->sets[at.set], *y = c->sets[bt.set];
    size_t size = dataset_pixels_per_image(x);
    return x->rows == y->rows && x->cols == y->cols &&
           memcmp(x->pixels + at.index * size, y->pixels + bt.index * size, size) == 0;
}

static void check_copies(const Dataset *first, const Dataset *second)
{
    Arena arena = {0};
    Error err;
    Copies c;
    REQUIRE(copies_find(&c, first, second, &arena, &err), "%s", err.text);
    size_t n_first = first == NULL ? 0 : first->n, n = n_first + (second == NULL ? 0 : second->n);
    size_t counts[3] = {0}, relabelled = 0;
    CHECK(c.n == n, "%zu images, not %zu", c.n, n);
    for (size_t i = 0; i < n; i++) {
        size_t like = 0, from = i < n_first ? 0 : n_first;
        while (!is_equal(&c, i, like))
            like++;
        CHECK(c.first_like[i] == like, "image %zu: %zu, not %zu", i, c.first_like[i], like);
        relabelled += copies_label(&c, i) != copies_label(&c, like);
        counts[2] += i >= n_first && like < n_first;
        while (!is_equal(&c, i, from))
            from++;
        counts[i >= n_first] += from < i;
    }
    CHECK(c.in_first == counts[0] && c.in_second == counts[1] && c.between == counts[2] &&
              c.relabelled == relabelled,
          "%zu %zu %zu %zu, not %zu %zu %zu %zu", c.in_first, c.in_second, c.between, c.relabelled,
          counts[0], counts[1], counts[2], relabelled);
    arena_free(&arena);
}

static void copies_are_those_of_all_pairs(void)
{
    for (unsigned values = 1; values <= 4; values++)
        for (size_t size = 1; size <= 9; size += 4) {
            check_copies(make(0, MOST, 1, size, values), make(1, 200, 1, size, values));
            check_copies(make(0, 50, 2, size, values), NULL);
            check_copies(NULL, make(1, 50, 2, size, values));
        }
    check_copies(make(0, MOST, 2, 4, 2), make(1, MOST, 4, 2, 2)); // the same bytes in another shape
    check_copies(make(0, 1, 1, 1, 1), make(1, 1, 1, 1, 1));
}

// The second half of each image makes up for the first: all have the same hash.
static void images_of_equal_hash_are_told_apart(void)
{
    const Dataset *data = make(0, MOST, 2, 8, 256);
    uint64_t wanted = 0;
    for (size_t i = 0; i < data->n; i++) {
        unsigned char *pixels = made[0].pixels + 16 * (i % 100); // three of each
        uint64_t words[2];
        memcpy(words, pixels, 16);
        uint64_t hash = (16 ^ words[0]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
        wanted = i == 0 ? hash ^ words[1] : wanted;
        words[1] = hash ^ wanted;
        memcpy(made[0].pixels + 16 * i, words, 16);
    }
    check_copies(data, NULL);
}

static void pixels_are_summed_exactly(void)
{
    enum { N = 1100, SIZE = 100 }; // more than a block of pixels
    static unsigned char pixels[N * SIZE];
    static unsigned char labels[N];
    const Dataset data = {.n = N, .rows = 10, .cols = 10, .pixels = pixels, .labels = labels};
    memset(pixels, 255, sizeof pixels); // the largest sums of squares
    pixels[SIZE] = 3;
    pixels[sizeof pixels - 1] = 0;
    const Range all[] = {{0, N}, {1, N}, {1, 2}, {N - 1, N}};
    for (size_t r = 0; r < sizeof all / sizeof all[0]; r++) {
        PixelSums s = dataset_pixel_sums(&data, all[r]);
        uint64_t sum = 0, squares = 0, nonzero = 0;
        for (size_t p = all[r].first * SIZE; p < all[r].end * SIZE; p++) {
            sum += pixels[p];
            squares += (uint64_t)pixels[p] * pixels[p];
            nonzero += pixels[p] != 0;
        }
        bool has_first = all[r].first <= 1, has_last = all[r].end == N;
        CHECK(s.n == range_length(all[r]) * SIZE && s.sum == sum && s.sum_of_squares == squares &&
                  s.nonzero == nonzero,
              "range %zu", r);
        CHECK(s.smallest == (has_last    ? 0
                             : has_first ? 3
                                         : 255) &&
                  s.largest == 255,
              "range %zu: %u", r, s.smallest);
        CHECK(fabs(pixel_sums_mean(&s) - (double)sum / (double)s.n / 255.0) < 1e-12, "range %zu",
              r);
    }
}

static void classes_and_blank_images_are_counted(void)
{
    static const unsigned char pixels[] = {0, 0, 0, 1, 7, 7, 7, 7, 0, 1, 0, 0};
    static const unsigned char labels[] = {2, 2, 9, 0, 2, 1};
    const Dataset data = {.n = 6, .rows = 1, .cols = 2, .pixels = pixels, .labels = labels};
    ImageSummary all = images_summarize(&data, (Range){0, 6});
    ImageSummary some = images_summarize(&data, (Range){1, 3});
    CHECK(all.blank == 4 && all.first_blank == 0 && all.classes.n[2] == 3 && all.classes.n[3] == 0,
          "%zu blank", all.blank);
    CHECK(some.blank == 1 && some.first_blank == 2 && some.classes.n[9] == 1 &&
              some.classes.n[0] == 0 && some.pixels.n == 4,
          "%zu blank, first %zu", some.blank, some.first_blank);
}

int main(void)
{
    RUN(copies_are_those_of_all_pairs);
    RUN(images_of_equal_hash_are_told_apart);
    RUN(pixels_are_summed_exactly);
    RUN(classes_and_blank_images_are_counted);
    return test_end();
}
