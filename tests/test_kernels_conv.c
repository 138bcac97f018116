// Convolution and pooling of every instruction set that this machine has, bit for bit, against a
// naive twin that follows the order written in kernels_conv.h and multiplies by every zero.
#include "kernels.h"
#include "random.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

enum { B = 6 };

typedef struct Case {
    size_t height, width, pitch, kernel_size, stride, channels;
    unsigned lit_of_ten; // floats of x that are not zero
} Case;

static const Case convolutions[] = {
    {28, 28, 1, 5, 1, 16, 2},                           // as in the network
    {12, 12, 16, 5, 1, 32, 5}, {9, 11, 1, 3, 1, 5, 0},  // dark
    {9, 13, 1, 5, 1, 17, 10},  {70, 67, 1, 5, 1, 3, 1}, // too large to know what is dark
    {7, 9, 1, 7, 1, 2, 5},     {6, 7, 32, 3, 1, 20, 5}, {5, 6, 160, 3, 1, 16, 8}, // long runs
    {5, 5, 16, 1, 1, 16, 5},  // windows of one pixel
    {9, 10, 16, 3, 2, 16, 5}, // steps of two
};
enum { N_CONVOLUTIONS = sizeof convolutions / sizeof convolutions[0] };

static const Case pools[] = {
    {24, 24, 16, 2, 2, 16, 5},
    {9, 7, 32, 2, 2, 20, 5},
    {9, 10, 16, 3, 3, 16, 3},
    {9, 10, 16, 2, 3, 16, 5}, // pixels between the windows
};
enum { N_POOLS = sizeof pools / sizeof pools[0] };

typedef struct Bench {
    Arena arena;
    ConvShape w;
    size_t w_stride, n_x, n_y;
    float *x, *W, *b, *dy;
    Nonzero *lists;
} Bench;

static void *memory(Bench *bench, size_t n, size_t size)
{
    Error err;
    void *found = arena_alloc(&bench->arena, n, size, "a test", &err);
    if (found == NULL)
        abort();
    return found;
}

static float *floats(Bench *bench, size_t n)
{
    return memory(bench, n, sizeof(float));
}

static void bench_open(Bench *bench, const Case *c)
{
    *bench = (Bench){.w = {.height = c->height,
                           .width = c->width,
                           .pitch = c->pitch,
                           .kernel_size = c->kernel_size,
                           .stride = c->stride,
                           .out_height = (c->height - c->kernel_size) / c->stride + 1,
                           .out_width = (c->width - c->kernel_size) / c->stride + 1,
                           .out_pitch = round_up(c->channels, KERNEL_PAD),
                           .channels = c->channels}};
    ConvShape *w = &bench->w;
    w->image_stride = round_up(w->height * w->width * w->pitch, KERNEL_PAD) + KERNEL_PAD;
    w->out_image_stride = conv_positions(w) * w->out_pitch + KERNEL_PAD;
    bench->w_stride = kernel_row_stride(w->kernel_size * conv_row_length(w));
    bench->n_x = B * w->image_stride;
    bench->n_y = B * w->out_image_stride;
    bench->x = floats(bench, bench->n_x);
    bench->dy = floats(bench, bench->n_y);
    bench->W = floats(bench, w->channels * bench->w_stride);
    bench->b = floats(bench, w->out_pitch);
    bench->lists = memory(bench, B * nonzeros_room(w), sizeof(Nonzero));
    for (size_t i = 0; i < bench->n_x; i++)
        if (random_bits(3, 1, i) % 10 < c->lit_of_ten)
            bench->x[i] = random_normal(3, 2, i);
    for (size_t o = 0; o < w->channels; o++) {
        bench->b[o] = o == 0 ? -0.0f : random_normal(3, 3, o);
        for (size_t k = 0; k < w->kernel_size * conv_row_length(w); k++)
            bench->W[o * bench->w_stride + k] = random_normal(3, 4, o * bench->w_stride + k);
    }
    for (size_t i = 0; i < bench->n_y; i++) // one of eight, and zeros of both signs
        if (i % w->out_image_stride % w->out_pitch < w->channels)
            bench->dy[i] = random_bits(3, 5, i) % 8 == 0 ? random_normal(3, 6, i)
                           : i % 2 == 0                  ? 0.0f
                                                         : -0.0f;
}

static bool same(const float *a, const float *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

// Where float k of the window at a place lies in its image.
static size_t window_at(const ConvShape *w, size_t place, size_t k)
{
    size_t row = place / w->out_width * w->stride + k / conv_row_length(w);
    return (row * w->width + place % w->out_width * w->stride) * w->pitch + k % conv_row_length(w);
}

static void check_forward(Bench *bench)
{
    const ConvShape *w = &bench->w;
    float *found = floats(bench, bench->n_y), *twin = floats(bench, bench->n_y);
    kernels->conv->forward(found, bench->W, bench->w_stride, bench->b, w, bench->x, B);
    for (size_t e = 0; e < B; e++)
        for (size_t place = 0; place < conv_positions(w); place++)
            for (size_t o = 0; o < w->channels; o++) {
                float *y = &twin[e * w->out_image_stride + place * w->out_pitch + o];
                *y = bench->b[o] + 0.0f;
                for (size_t k = 0; k < w->kernel_size * conv_row_length(w); k++)
                    *y += bench->x[e * w->image_stride + window_at(w, place, k)] *
                          bench->W[o * bench->w_stride + k];
            }
    CHECK(same(found, twin, bench->n_y), "%s: %zu x %zu x %zu", kernels->isa, w->height, w->width,
          w->pitch);
}

static void check_backward(Bench *bench)
{
    const ConvShape *w = &bench->w;
    float *found = floats(bench, bench->n_x), *twin = floats(bench, bench->n_x);
    for (size_t e = 0; e < B; e++) // old values must go
        for (size_t i = 0; i < w->height * w->width * w->pitch; i++)
            found[e * w->image_stride + i] = 7.0f;
    kernels->conv->collect(bench->lists, w, bench->dy, B);
    kernels->conv->backward(found, bench->W, bench->w_stride, w, bench->lists, B);
    for (size_t e = 0; e < B; e++)
        for (size_t o = 0; o < w->channels; o++)
            for (size_t place = 0; place < conv_positions(w); place++)
                for (size_t k = 0; k < w->kernel_size * conv_row_length(w); k++)
                    twin[e * w->image_stride + window_at(w, place, k)] +=
                        bench->dy[e * w->out_image_stride + place * w->out_pitch + o] *
                        bench->W[o * bench->w_stride + k];
    CHECK(same(found, twin, bench->n_x), "%s: %zu x %zu x %zu", kernels->isa, w->height, w->width,
          w->pitch);
}

static float gradient_twin(const Bench *bench, size_t o, size_t k, bool is_bias)
{
    const ConvShape *w = &bench->w;
    float sum = 0.0f;
    for (size_t e = 0; e < B; e++)
        for (size_t place = 0; place < conv_positions(w); place++) {
            float dy = bench->dy[e * w->out_image_stride + place * w->out_pitch + o];
            sum += is_bias ? dy : dy * bench->x[e * w->image_stride + window_at(w, place, k)];
        }
    return sum;
}

static void check_weight_gradient(Bench *bench)
{
    const ConvShape *w = &bench->w;
    size_t n = w->channels * bench->w_stride;
    Range channels = {w->channels / 5, w->channels - w->channels / 4};
    float *found = floats(bench, n), *twin = floats(bench, n);
    float *found_b = floats(bench, w->out_pitch), *twin_b = floats(bench, w->out_pitch);
    for (size_t i = 0; i < n; i++)
        found[i] = twin[i] = bench->W[i];
    kernels->conv->collect(bench->lists, w, bench->dy, B);
    kernels->conv->weight_gradient(found, bench->w_stride, found_b, w, channels, bench->x,
                                   bench->lists, B, -0.01f);
    for (size_t o = channels.first; o < channels.end; o++) {
        for (size_t k = 0; k < w->kernel_size * conv_row_length(w); k++)
            twin[o * bench->w_stride + k] += -0.01f * gradient_twin(bench, o, k, false);
        twin_b[o] += -0.01f * gradient_twin(bench, o, 0, true);
    }
    CHECK(same(found, twin, n) && same(found_b, twin_b, w->out_pitch), "%s: %zu x %zu x %zu",
          kernels->isa, w->height, w->width, w->pitch);
}

// Runs a check with each instruction set on each case.
static void with_each(const Case *cases, size_t n, void (*check)(Bench *bench))
{
    const Kernels *before = kernels;
    for (size_t i = 0; kernels_available(i) != NULL; i++) {
        kernels = kernels_available(i);
        for (size_t c = 0; c < n; c++) {
            Bench bench;
            bench_open(&bench, &cases[c]);
            check(&bench);
            arena_free(&bench.arena);
        }
    }
    kernels = before;
}

static void convolution_forward_is_a_dense_sum_in_order(void)
{
    with_each(convolutions, N_CONVOLUTIONS, check_forward);
}

static void convolution_backward_is_a_dense_sum_in_order(void)
{
    with_each(convolutions, N_CONVOLUTIONS, check_backward);
}

static void convolution_weight_gradient_is_a_dense_sum_in_order(void)
{
    with_each(convolutions, N_CONVOLUTIONS, check_weight_gradient);
}

// Bytes behind each image must stay what they were.
static void check_pool(Bench *bench)
{
    const ConvShape *w = &bench->w;
    size_t n = conv_positions(w) * w->out_pitch, stride = n + KERNEL_PAD;
    float *y = floats(bench, bench->n_y), *twin = floats(bench, bench->n_y);
    float *dx = floats(bench, bench->n_x), *twin_dx = floats(bench, bench->n_x);
    unsigned char *winner = memory(bench, B * stride, 1), *best = memory(bench, B * stride, 1);
    for (size_t e = 0; e < B; e++)
        for (size_t i = 0; i < w->height * w->width * w->pitch; i++)
            dx[e * w->image_stride + i] = 7.0f;
    bench->x[1] = NAN;
    kernels->conv->pool_forward(y, winner, stride, w, bench->x, B);
    kernels->conv->pool_backward(dx, winner, stride, w, bench->dy, B);
    for (size_t e = 0; e < B; e++)
        for (size_t i = 0; i < n; i++) {
            const float *image = bench->x + e * w->image_stride + i % w->out_pitch;
            size_t at = 0;
            for (size_t k = 0; k < w->kernel_size * w->kernel_size; k++) {
                size_t row = i / w->out_pitch / w->out_width * w->stride + k / w->kernel_size;
                size_t column = i / w->out_pitch % w->out_width * w->stride + k % w->kernel_size;
                size_t here = (row * w->width + column) * w->pitch;
                if (k == 0 || image[here] > image[at])
                    at = here, best[e * stride + i] = (unsigned char)k;
            }
            twin[e * w->out_image_stride + i] = image[at];
            twin_dx[e * w->image_stride + at + i % w->out_pitch] =
                bench->dy[e * w->out_image_stride + i];
        }
    CHECK(same(y, twin, bench->n_y) && memcmp(winner, best, B * stride) == 0,
          "%s: forward, %zu x %zu", kernels->isa, w->height, w->width);
    CHECK(same(dx, twin_dx, bench->n_x), "%s: backward, %zu x %zu", kernels->isa, w->height,
          w->width);
}

static void pooling_takes_the_first_of_the_largest(void)
{
    with_each(pools, N_POOLS, check_pool);
}

static void relu(void)
{
    enum { N = 48 };
    _Alignas(64) float x[N], dy[N], y[N], dx[N];
    for (size_t i = 0; i < N; i++) {
        x[i] = i % 5 == 0 ? -0.0f : i == 7 ? NAN : random_normal(3, 7, i);
        dy[i] = random_normal(3, 8, i);
    }
    kernels->relu_forward(y, x, N);
    kernels->relu_backward(dx, y, dy, N);
    for (size_t i = 0; i < N; i++) {
        float expected[2] = {x[i] <= 0.0f ? 0.0f : x[i], x[i] > 0.0f ? dy[i] : 0.0f};
        CHECK(same(&y[i], &expected[0], 1) && same(&dx[i], &expected[1], 1), "%s: of %g",
              kernels->isa, (double)x[i]);
    }
}

static void relu_cuts_off_what_is_not_above_zero(void)
{
    const Kernels *before = kernels;
    for (size_t i = 0; kernels_available(i) != NULL; i++) {
        kernels = kernels_available(i);
        relu();
    }
    kernels = before;
}

int main(void)
{
    RUN(convolution_forward_is_a_dense_sum_in_order);
    RUN(convolution_backward_is_a_dense_sum_in_order);
    RUN(convolution_weight_gradient_is_a_dense_sum_in_order);
    RUN(pooling_takes_the_first_of_the_largest);
    RUN(relu_cuts_off_what_is_not_above_zero);
    return test_end();
}
