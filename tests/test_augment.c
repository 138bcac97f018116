// Augmentation: that the maps are those that augment.h states, against bilinear interpolation in
// double precision; that what is drawn is uniform and a function of (seed, epoch, image) alone; and
// that images and batches have the same bytes with every instruction set.
#include "augment.h"
#include "settings.h"
#include "synthetic.h"
#include "test.h"

#include <math.h>

static Arena arena;

static void *checked(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

typedef struct Image {
    size_t rows, cols;
    unsigned char *pixels; // ends where its memory ends
} Image;

static Image image_make(size_t rows, size_t cols)
{
    return (Image){rows, cols, checked(malloc(rows * cols))};
}

// Every pixel is random, or zero; in the middle of a blank border where there is space for one.
static Image image_random(size_t rows, size_t cols, uint64_t number, size_t border)
{
    Image image = image_make(rows, cols);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++) {
            uint64_t bits = random_bits(17, number, r * cols + c);
            bool inside = r >= border && r + border < rows && c >= border && c + border < cols;
            image.pixels[r * cols + c] = inside && bits % 4 != 0 ? (unsigned char)(bits >> 32) : 0;
        }
    return image;
}

static Image image_moved(const Image *from, const mlp_affine *map)
{
    Error err;
    Resampler resampler;
    Image to = image_make(from->rows, from->cols);
    if (!resampler_open(&resampler, from->rows, from->cols, &arena, &err))
        abort();
    resampler_apply(&resampler, map, from->pixels, to.pixels);
    arena_free(&arena);
    return to;
}

static bool image_same(const Image *a, const Image *b)
{
    return memcmp(a->pixels, b->pixels, a->rows * a->cols) == 0;
}

static double pixel_at(const Image *image, double row, double column)
{
    bool inside =
        row >= 0.0 && row < (double)image->rows && column >= 0.0 && column < (double)image->cols;
    return inside ? image->pixels[(size_t)row * image->cols + (size_t)column] : 0.0;
}

// A^-1 from the determinant, sine and cosine of libm, and bilinear interpolation, all in double.
static double reference(const Image *image, const mlp_affine *map, size_t r, size_t c)
{
    double angle = map->angle * 3.141592653589793 / 180.0;
    double f = map->factor, s = sin(angle), k = cos(angle), h = map->shear;
    double A[2][2] = {{f * k, f * (k * h - s)}, {f * s, f * (s * h + k)}};
    double determinant = A[0][0] * A[1][1] - A[0][1] * A[1][0];
    double middle_x = 0.5 * (double)(image->cols - 1), middle_y = 0.5 * (double)(image->rows - 1);
    double u = (double)c - middle_x - map->shift_x, v = (double)r - middle_y - map->shift_y;
    double x = (A[1][1] * u - A[0][1] * v) / determinant + middle_x;
    double y = (A[0][0] * v - A[1][0] * u) / determinant + middle_y;
    double left = floor(x), top = floor(y), right = x - left, below = y - top;
    double upper =
        (1.0 - right) * pixel_at(image, top, left) + right * pixel_at(image, top, left + 1.0);
    double lower = (1.0 - right) * pixel_at(image, top + 1.0, left) +
                   right * pixel_at(image, top + 1.0, left + 1.0);
    return (1.0 - below) * upper + below * lower;
}

static const size_t sizes[][2] = {{1, 1},   {1, 9},   {9, 1},   {2, 3},   {7, 7},    {8, 8},
                                  {28, 28}, {5, 300}, {33, 17}, {64, 64}, {300, 11}, {129, 131}};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

// Draws from wide settings.
static mlp_affine wide_map(uint64_t number)
{
    mlp_settings wide = {.seed = 3, .rotate = 180, .scale = 0.7, .shift = 4, .shear = 1};
    return augment_draw(&wide, 1, number);
}

static const mlp_affine identity = {.factor = 1.0};

// ---------------------------------------------------------------------------------------------
// The map

static void identity_changes_nothing(void)
{
    for (size_t i = 0; i < N_SIZES; i++)
        for (size_t border = 0; border < 5; border += 4) {
            Image from = image_random(sizes[i][0], sizes[i][1], i, border);
            Image to = image_moved(&from, &identity);
            CHECK(image_same(&from, &to), "%zu x %zu", from.rows, from.cols);
            free(from.pixels);
            free(to.pixels);
        }
}

static void a_shift_by_whole_pixels_moves_the_bytes(void)
{
    static const int shifts[][2] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}, {3, -2}, {-5, 6}, {400, 1}};
    for (size_t i = 0; i < N_SIZES; i++)
        for (size_t s = 0; s < sizeof shifts / sizeof shifts[0]; s++) {
            Image from = image_random(sizes[i][0], sizes[i][1], i, 0);
            double dx = shifts[s][0], dy = shifts[s][1];
            mlp_affine map = {.factor = 1.0, .shift_x = dx, .shift_y = dy};
            Image to = image_moved(&from, &map);
            size_t wrong = 0;
            for (size_t r = 0; r < from.rows; r++)
                for (size_t c = 0; c < from.cols; c++)
                    wrong += (double)to.pixels[r * from.cols + c] !=
                             pixel_at(&from, (double)r - dy, (double)c - dx);
            CHECK(wrong == 0, "%zu x %zu by (%g, %g): %zu differ", from.rows, from.cols, dx, dy,
                  wrong);
            free(from.pixels);
            free(to.pixels);
        }
}

// Clockwise: the pixel at (row, column) comes to (column, last - row).
static void quarters_of_a_circle_are_exact(void)
{
    for (size_t n = 1; n < 70; n += 3) {
        Image from = image_random(n, n, n, 0), right = image_make(n, n);
        for (int quarters = 1; quarters <= 2; quarters++) {
            mlp_affine map = {.angle = 90.0 * quarters, .factor = 1.0};
            Image to = image_moved(&from, &map);
            for (size_t r = 0; r < n; r++)
                for (size_t c = 0; c < n; c++) {
                    size_t at = quarters == 1 ? c * n + n - 1 - r : (n - 1 - r) * n + n - 1 - c;
                    right.pixels[at] = from.pixels[r * n + c];
                }
            CHECK(image_same(&to, &right), "%zu x %zu, %d quarters", n, n, quarters);
            free(to.pixels);
        }
        free(from.pixels);
        free(right.pixels);
    }
}

static void twice_the_size_doubles_a_shape(void)
{
    Image from = image_make(9, 9);
    memset(from.pixels, 0, 81);
    from.pixels[4 * 9 + 4] = 200;
    mlp_affine map = {.factor = 2.0};
    Image to = image_moved(&from, &map);
    CHECK(to.pixels[4 * 9 + 4] == 200 && to.pixels[4 * 9 + 5] == 100 &&
              to.pixels[3 * 9 + 3] == 50 && to.pixels[4 * 9 + 6] == 0,
          "%d %d %d %d", to.pixels[40], to.pixels[41], to.pixels[30], to.pixels[42]);
    free(from.pixels);
    free(to.pixels);
}

static void images_are_those_of_double_precision_to_two_grey_levels(void)
{
    double sum = 0.0;
    size_t n = 0;
    for (uint64_t number = 0; number < 600; number++) {
        const size_t *size = sizes[number % N_SIZES];
        Image from = image_random(size[0], size[1], number, number / N_SIZES % 4);
        mlp_affine map = wide_map(number);
        Image to = image_moved(&from, &map);
        for (size_t r = 0; r < from.rows; r++)
            for (size_t c = 0; c < from.cols; c++, n++) {
                double right = reference(&from, &map, r, c);
                double error = fabs((double)to.pixels[r * from.cols + c] - right);
                sum += error;
                CHECK(error < 2.0, "%zu x %zu, map %d, (%zu,%zu): %d is not %g", from.rows,
                      from.cols, (int)number, r, c, to.pixels[r * from.cols + c], right);
            }
        free(from.pixels);
        free(to.pixels);
    }
    CHECK(sum / (double)n < 0.4, "the mean difference is %g", sum / (double)n);
}

// Of the largest images, single pixels.
static void the_largest_images_and_amounts_work(void)
{
    static const size_t large[][2] = {{4096, 4096}, {1, 4096}, {4096, 1}};
    mlp_settings most = {.seed = 5, .rotate = 180, .scale = 0.9, .shift = 4096, .shear = 1};
    for (size_t i = 0; i < 3; i++) {
        Image from = image_random(large[i][0], large[i][1], i, 0);
        for (uint64_t number = 0; number < 3; number++) {
            mlp_affine map = augment_draw(&most, 1, number);
            map.shift_x *= number == 0 ? 0.01 : 1.0;
            Image to = image_moved(&from, &map);
            for (size_t k = 0; k < 100000; k++) {
                size_t at = random_bits(17, 99, k) % (from.rows * from.cols);
                double right = reference(&from, &map, at / from.cols, at % from.cols);
                double error = fabs((double)to.pixels[at] - right);
                CHECK(error < 5.0, "%zu x %zu: %g", from.rows, from.cols, error);
            }
            free(to.pixels);
        }
        free(from.pixels);
    }
}

static void a_blank_image_stays_blank(void)
{
    Image from = image_make(28, 28);
    memset(from.pixels, 0, 28 * 28);
    mlp_affine map = wide_map(1);
    Image to = image_moved(&from, &map);
    CHECK(image_same(&from, &to), "something appeared");
    free(from.pixels);
    free(to.pixels);
}

// The CRC-32 of many images with one instruction set. A machine with another compiler or byte order
// must agree.
static uint32_t crc_of_images(void)
{
    uint32_t crc = 0;
    for (uint64_t number = 0; number < 400; number++) {
        const size_t *size = sizes[number % N_SIZES];
        Image from = image_random(size[0], size[1], number, number / N_SIZES % 4);
        mlp_affine map = wide_map(number);
        Image to = image_moved(&from, &map);
        crc = crc32_update(crc, to.pixels, to.rows * to.cols);
        free(from.pixels);
        free(to.pixels);
    }
    return crc;
}

static void every_instruction_set_gives_the_same_bytes_as_any_machine(void)
{
    const Kernels *before = kernels;
    for (size_t i = 0; kernels_available(i) != NULL; i++) {
        kernels = kernels_available(i);
        uint32_t crc = crc_of_images();
        CHECK(crc == UINT32_C(0x45647949), "%s: %08x", kernels->isa, (unsigned)crc);
    }
    kernels = before;
}

// ---------------------------------------------------------------------------------------------
// What is drawn

static void amounts_decide_whether_there_is_augmentation(void)
{
    mlp_settings settings;
    settings_default(&settings, "mlp");
    CHECK(!augment_is_on(&settings), "by default");
    const mlp_settings each[] = {{.rotate = 1}, {.scale = 0.1}, {.shift = 1}, {.shear = 0.1}};
    for (size_t i = 0; i < 4; i++)
        CHECK(augment_is_on(&each[i]), "amount %zu is not seen", i);
}

static void amounts_of_zero_draw_the_identity(void)
{
    mlp_settings settings = {.seed = 1};
    for (uint64_t image = 0; image < 100; image++) {
        mlp_affine map = augment_draw(&settings, 1, image);
        CHECK(map.angle == 0.0 && map.factor == 1.0 && map.shear == 0.0 && map.shift_x == 0.0 &&
                  map.shift_y == 0.0,
              "image %d", (int)image);
    }
}

enum { N_DRAWS = 100000, N_VALUES = 5, N_BINS = 10 };

// The five numbers of a map, each scaled to (-1, 1).
static void map_values(const mlp_affine *map, double values[N_VALUES])
{
    values[0] = map->angle / 20.0;
    values[1] = (map->factor - 1.0) / 0.2;
    values[2] = map->shear / 0.3;
    values[3] = map->shift_x / 4.0;
    values[4] = map->shift_y / 4.0;
}

static void draws_are_uniform_and_independent(void)
{
    mlp_settings settings = {.seed = 1, .rotate = 20, .scale = 0.2, .shift = 4, .shear = 0.3};
    static double products[N_VALUES][N_VALUES];
    static size_t bins[N_VALUES][N_BINS];
    for (uint64_t i = 0; i < N_DRAWS; i++) {
        double values[N_VALUES];
        mlp_affine map = augment_draw(&settings, 1 + i % 7, i / 7);
        map_values(&map, values);
        for (size_t v = 0; v < N_VALUES; v++) {
            REQUIRE(values[v] > -1.0 && values[v] < 1.0, "value %zu is %g", v, values[v]);
            bins[v][(size_t)((values[v] + 1.0) * 0.5 * N_BINS)]++;
            for (size_t w = 0; w < N_VALUES; w++)
                products[v][w] += values[v] * values[w] / N_DRAWS;
        }
    }
    for (size_t v = 0; v < N_VALUES; v++)
        for (size_t w = 0; w < N_VALUES; w++) // the variance is 1/3; five standard errors
            CHECK(fabs(products[v][w] - (v == w ? 1.0 / 3.0 : 0.0)) < 0.006,
                  "the mean of value %zu times value %zu is %g", v, w, products[v][w]);
    for (size_t v = 0; v < N_VALUES; v++)
        for (size_t b = 0; b < N_BINS; b++)
            CHECK(bins[v][b] > N_DRAWS / N_BINS - 500 && bins[v][b] < N_DRAWS / N_BINS + 500,
                  "value %zu, part %zu of the range: %zu of %d", v, b, bins[v][b], N_DRAWS);
}

static void draws_depend_on_seed_epoch_and_image(void)
{
    mlp_settings one = {.seed = 1, .rotate = 10}, two = one;
    two.seed = 2;
    double angle = augment_draw(&one, 1, 1).angle;
    CHECK(angle == augment_draw(&one, 1, 1).angle, "not a function");
    CHECK(angle != augment_draw(&two, 1, 1).angle, "of the seed");
    CHECK(angle != augment_draw(&one, 2, 1).angle, "of the epoch");
    CHECK(angle != augment_draw(&one, 1, 2).angle, "of the image");
}

// ---------------------------------------------------------------------------------------------
// The batches of a training

// The CRC-32 of each image and label of an epoch that is made in batches of that size by that many
// workers, in the order of their numbers.
static void crc_of_epoch(uint32_t *crc, const Synthetic *s, size_t batch_size, size_t workers)
{
    mlp_settings settings = {.seed = 1, .rotate = 20, .scale = 0.2, .shift = 4, .shear = 0.3};
    Augmentation augmentation;
    Error err;
    size_t n = s->data.n, size = dataset_pixels_per_image(&s->data);
    if (!augmentation_open(&augmentation, &settings, &s->data, batch_size, workers, &arena, &err))
        abort();
    for (size_t first = 0; first < n; first += batch_size) {
        Batch batch = synthetic_batch(s, s->index, n);
        batch.first = first;
        batch.size = n - first < batch_size ? n - first : batch_size;
        for (size_t w = 0; w < workers; w++)
            augmentation_make(&augmentation, 3, &batch, range_part(batch.size, w, workers), w);
        Batch seen = augmentation_batch(&augmentation, &batch);
        CHECK(seen.size == batch.size && seen.prepared == NULL, "batch at %zu", first);
        for (size_t e = 0; e < seen.size; e++) {
            unsigned char label = (unsigned char)batch_label(&seen, e);
            CHECK(label == batch_label(&batch, e), "the label of example %zu", first + e);
            crc[batch_image(&batch, e)] = crc32_update(0, batch_pixels(&seen, e), size);
        }
    }
}

static void images_do_not_depend_on_batches_order_or_workers(void)
{
    enum { N = 100 };
    uint32_t right[N], found[N];
    Arena own = {0};
    Synthetic s = synthetic_make(&own, N, 12, 10);
    crc_of_epoch(right, &s, N, 1);
    arena_free(&arena);
    random_permutation(s.index, N, 1, 1);
    static const size_t cases[][2] = {{1, 1}, {7, 3}, {64, 2}, {100, 7}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        crc_of_epoch(found, &s, cases[i][0], cases[i][1]);
        arena_free(&arena);
        CHECK(memcmp(right, found, sizeof right) == 0, "batches of %zu, %zu workers", cases[i][0],
              cases[i][1]);
    }
    arena_free(&own);
}

int main(void)
{
    Error err;
    if (!kernels_choose(NULL, &err))
        return EXIT_FAILURE;
    RUN(identity_changes_nothing);
    RUN(a_shift_by_whole_pixels_moves_the_bytes);
    RUN(quarters_of_a_circle_are_exact);
    RUN(twice_the_size_doubles_a_shape);
    RUN(images_are_those_of_double_precision_to_two_grey_levels);
    RUN(the_largest_images_and_amounts_work);
    RUN(a_blank_image_stays_blank);
    RUN(every_instruction_set_gives_the_same_bytes_as_any_machine);
    RUN(amounts_decide_whether_there_is_augmentation);
    RUN(amounts_of_zero_draw_the_identity);
    RUN(draws_are_uniform_and_independent);
    RUN(draws_depend_on_seed_epoch_and_image);
    RUN(images_do_not_depend_on_batches_order_or_workers);
    return test_end();
}
