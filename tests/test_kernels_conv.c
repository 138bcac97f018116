// Convolution and pooling of every instruction set that this machine has against the scalar
// reference, bit for bit; and the scalar reference against the formulas of kernels_conv.h, on
// integers so small that sums are exact in any order.
#include "kernels.h"
#include "random.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

enum { B = 6 };

typedef struct Case {
    size_t height, width, pitch, kernel_size, stride, channels;
    unsigned nonzero_of_ten; // floats of x
    size_t in_channels;      // 0: all of the pitch
} Case;

static const Case convolutions[] = {
    {28, 28, 1, 5, 1, 16, 2, 0},                                 // as in the network
    {12, 12, 16, 5, 1, 32, 5, 0},  {12, 12, 16, 5, 1, 16, 5, 6}, // ... and in lenet5
    {13, 14, 32, 3, 1, 50, 5, 20}, {9, 11, 1, 3, 1, 5, 0, 0},    // all zero
    {9, 13, 1, 5, 1, 17, 10, 0},   {70, 67, 1, 5, 1, 3, 1, 0},   // too large to know what is zero
    {7, 9, 1, 7, 1, 2, 5, 0},      {6, 7, 32, 3, 1, 20, 5, 0},
    {5, 6, 96, 3, 1, 16, 8, 0},  // long rows
    {5, 6, 96, 3, 1, 32, 8, 0},  // a window that is too large for many channels at once
    {5, 5, 16, 1, 1, 16, 5, 0},  // a kernel of one pixel
    {9, 10, 16, 3, 2, 16, 5, 0}, // a stride of two
};
enum { N_CONVOLUTIONS = sizeof convolutions / sizeof convolutions[0] };

static const Case pools[] = {
    {24, 24, 16, 2, 2, 16, 5, 0},
    {9, 7, 32, 2, 2, 20, 5, 0},
    {9, 10, 16, 3, 3, 16, 3, 0},
    {9, 10, 16, 2, 3, 16, 5, 0}, // pixels between the windows
};
enum { N_POOLS = sizeof pools / sizeof pools[0] };

typedef struct Fixture {
    Arena arena;
    ConvShape s;
    size_t w_stride, n_x, n_y;
    float *x, *W, *b, *dy;
    Nonzero *lists;
} Fixture;

static const Kernels *reference;
static bool draws_integers;

static float draw(uint64_t purpose, uint64_t i)
{
    return draws_integers ? (float)(random_bits(3, purpose, i) % 7) - 3.0f
                          : random_normal(3, purpose, i);
}

static void *memory(Fixture *f, size_t n, size_t size)
{
    Error err;
    void *found = arena_alloc(&f->arena, n, size, "a test", &err);
    if (found == NULL)
        abort();
    return found;
}

static float *floats(Fixture *f, size_t n)
{
    return memory(f, n, sizeof(float));
}

static void fixture_open(Fixture *f, const Case *c)
{
    *f = (Fixture){.s = {.height = c->height,
                         .width = c->width,
                         .pitch = c->pitch,
                         .in_channels = c->in_channels > 0 ? c->in_channels : c->pitch,
                         .kernel_size = c->kernel_size,
                         .stride = c->stride,
                         .out_height = (c->height - c->kernel_size) / c->stride + 1,
                         .out_width = (c->width - c->kernel_size) / c->stride + 1,
                         .out_pitch = round_up(c->channels, KERNEL_PAD),
                         .channels = c->channels}};
    ConvShape *s = &f->s;
    s->image_stride = round_up(s->height * s->width * s->pitch, KERNEL_PAD) + KERNEL_PAD;
    s->out_image_stride = conv_positions(s) * s->out_pitch + KERNEL_PAD;
    f->w_stride = kernel_row_stride(conv_window_length(s));
    f->n_x = B * s->image_stride;
    f->n_y = B * s->out_image_stride;
    f->x = floats(f, f->n_x);
    f->dy = floats(f, f->n_y);
    f->W = floats(f, s->channels * f->w_stride);
    f->b = floats(f, s->out_pitch);
    f->lists = memory(f, B * nonzeros_per_example(s), sizeof(Nonzero));
    for (size_t i = 0; i < f->n_x; i++)
        if (random_bits(3, 1, i) % 10 < c->nonzero_of_ten &&
            i % s->image_stride % s->pitch < s->in_channels)
            f->x[i] = draw(2, i);
    for (size_t o = 0; o < s->channels; o++) {
        f->b[o] = o == 0 ? -0.0f : draw(3, o);
        for (size_t k = 0; k < conv_window_length(s); k++)
            if (k % s->pitch < s->in_channels)
                f->W[o * f->w_stride + k] = draw(4, o * f->w_stride + k);
    }
    for (size_t i = 0; i < f->n_y;
         i++) // one of eight, zeros of both signs, anything in the padding
        f->dy[i] = i % s->out_image_stride % s->out_pitch >= s->channels ? 7.0f
                   : random_bits(3, 5, i) % 8 == 0                       ? draw(6, i)
                   : i % 2 == 0                                          ? 0.0f
                                                                         : -0.0f;
}

static bool same(const float *a, const float *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

// Float k of the window of an output position in its image.
static size_t window_at(const ConvShape *s, size_t position, size_t k)
{
    size_t row = position / s->out_width * s->stride + k / conv_row_length(s);
    size_t column = position % s->out_width * s->stride;
    return (row * s->width + column) * s->pitch + k % conv_row_length(s);
}

static double dy_at(const Fixture *f, size_t e, size_t position, size_t o)
{
    return (double)f->dy[e * f->s.out_image_stride + position * f->s.out_pitch + o];
}

// Float k of the window of example e at a position.
static double x_at(const Fixture *f, size_t e, size_t position, size_t k)
{
    return (double)f->x[e * f->s.image_stride + window_at(&f->s, position, k)];
}

static void check_forward(Fixture *f)
{
    const ConvShape *s = &f->s;
    float *actual = floats(f, f->n_y), *expected = floats(f, f->n_y);
    kernels->conv->forward(actual, f->W, f->w_stride, f->b, s, f->x, B);
    reference->conv->forward(expected, f->W, f->w_stride, f->b, s, f->x, B);
    CHECK(same(actual, expected, f->n_y), "%s: %zu x %zu x %zu", kernels->isa, s->height, s->width,
          s->pitch);
    for (size_t i = 0; draws_integers && i < B * conv_positions(s) * s->out_pitch; i++) {
        size_t o = i % s->out_pitch, position = i / s->out_pitch % conv_positions(s);
        size_t e = i / s->out_pitch / conv_positions(s);
        double sum = (double)f->b[o];
        for (size_t k = 0; o < s->channels && k < conv_window_length(s); k++)
            sum += x_at(f, e, position, k) * (double)f->W[o * f->w_stride + k];
        float y = expected[e * s->out_image_stride + position * s->out_pitch + o];
        CHECK((double)y == sum, "channel %zu of position %zu is %g, not %g", o, position, (double)y,
              sum);
    }
}

static void check_backward(Fixture *f)
{
    const ConvShape *s = &f->s;
    if (s->pitch % KERNEL_PAD != 0)
        return;
    float *actual = floats(f, f->n_x), *expected = floats(f, f->n_x);
    for (size_t e = 0; e < B; e++) // old values must go
        for (size_t i = 0; i < s->height * s->width * s->pitch; i++)
            actual[e * s->image_stride + i] = expected[e * s->image_stride + i] = 7.0f;
    kernels->conv->list_nonzeros(f->lists, s, f->dy, B);
    kernels->conv->backward(actual, f->W, f->w_stride, s, f->lists, B);
    reference->conv->list_nonzeros(f->lists, s, f->dy, B);
    reference->conv->backward(expected, f->W, f->w_stride, s, f->lists, B);
    CHECK(same(actual, expected, f->n_x), "%s: %zu x %zu x %zu", kernels->isa, s->height, s->width,
          s->pitch);
    double *sum = memory(f, f->n_x, sizeof *sum);
    for (size_t e = 0; draws_integers && e < B; e++)
        for (size_t i = 0; i < conv_positions(s) * s->channels * conv_window_length(s); i++) {
            size_t k = i % conv_window_length(s), o = i / conv_window_length(s) % s->channels;
            size_t position = i / conv_window_length(s) / s->channels;
            sum[e * s->image_stride + window_at(s, position, k)] +=
                dy_at(f, e, position, o) * (double)f->W[o * f->w_stride + k];
        }
    for (size_t i = 0; draws_integers && i < f->n_x; i++)
        CHECK((double)expected[i] == sum[i], "dx %zu is %g, not %g", i, (double)expected[i],
              sum[i]);
}

static void check_weight_gradient(Fixture *f)
{
    const ConvShape *s = &f->s;
    size_t n = s->channels * f->w_stride;
    Range channels = {s->channels / 5, s->channels - s->channels / 4};
    float *actual = floats(f, n), *expected = floats(f, n);
    float *actual_b = floats(f, s->out_pitch), *expected_b = floats(f, s->out_pitch);
    memcpy(actual, f->W, n * sizeof *actual);
    memcpy(expected, f->W, n * sizeof *expected);
    kernels->conv->list_nonzeros(f->lists, s, f->dy, B);
    kernels->conv->weight_gradient(actual, f->w_stride, actual_b, s, channels, f->x, f->lists, B,
                                   -0.5f);
    reference->conv->list_nonzeros(f->lists, s, f->dy, B);
    reference->conv->weight_gradient(expected, f->w_stride, expected_b, s, channels, f->x, f->lists,
                                     B, -0.5f);
    CHECK(same(actual, expected, n) && same(actual_b, expected_b, s->out_pitch),
          "%s: %zu x %zu x %zu", kernels->isa, s->height, s->width, s->pitch);
    for (size_t i = 0; draws_integers && i < s->channels * (conv_window_length(s) + 1); i++) {
        size_t o = i / (conv_window_length(s) + 1), k = i % (conv_window_length(s) + 1);
        bool is_bias = k == conv_window_length(s);
        double sum = 0.0;
        for (size_t e = 0; e < B && o >= channels.first && o < channels.end; e++)
            for (size_t p = 0; p < conv_positions(s); p++)
                sum += dy_at(f, e, p, o) * (is_bias ? 1.0 : x_at(f, e, p, k));
        double before = is_bias ? 0.0 : (double)f->W[o * f->w_stride + k];
        float found = is_bias ? expected_b[o] : expected[o * f->w_stride + k];
        CHECK((double)found == before - 0.5 * sum, "weight %zu of channel %zu: %g", k, o,
              (double)found);
    }
}

// Floats behind each image must stay what they were.
static void check_pool(Fixture *f)
{
    const ConvShape *s = &f->s;
    size_t n = conv_positions(s) * s->out_pitch, stride = n + KERNEL_PAD;
    float *y = floats(f, f->n_y), *expected_y = floats(f, f->n_y);
    float *dx = floats(f, f->n_x), *expected_dx = floats(f, f->n_x);
    unsigned char *winner = memory(f, B * stride, 1), *best = memory(f, B * stride, 1);
    for (size_t e = 0; e < B; e++)
        for (size_t i = 0; i < s->height * s->width * s->pitch; i++)
            dx[e * s->image_stride + i] = expected_dx[e * s->image_stride + i] = 7.0f;
    if (!draws_integers)
        f->x[1] = NAN;
    kernels->conv->pool_forward(y, winner, stride, s, f->x, B);
    kernels->conv->pool_backward(dx, winner, stride, s, f->dy, B);
    reference->conv->pool_forward(expected_y, best, stride, s, f->x, B);
    reference->conv->pool_backward(expected_dx, best, stride, s, f->dy, B);
    CHECK(same(y, expected_y, f->n_y) && memcmp(winner, best, B * stride) == 0,
          "%s: forward, %zu x %zu", kernels->isa, s->height, s->width);
    CHECK(same(dx, expected_dx, f->n_x), "%s: backward, %zu x %zu", kernels->isa, s->height,
          s->width);
    double *right = memory(f, f->n_x, sizeof *right);
    for (size_t i = 0; draws_integers && i < B * n; i++) {
        size_t e = i / n, position = i % n / s->out_pitch, c = i % s->out_pitch;
        size_t k = best[e * stride + i % n], side = s->kernel_size;
        double largest = (double)expected_y[e * s->out_image_stride + i % n];
        for (size_t j = 0; j < side * side; j++) {
            double v =
                x_at(f, e, position, j / side * conv_row_length(s) + j % side * s->pitch + c);
            CHECK(j < k    ? v < largest
                  : j == k ? v == largest
                           : v <= largest,
                  "pixel %zu of a window is %g; %g, pixel %zu, is its largest", j, v, largest, k);
        }
        size_t at = window_at(s, position, k / side * conv_row_length(s) + k % side * s->pitch + c);
        right[e * s->image_stride + at] = dy_at(f, e, position, c);
    }
    for (size_t i = 0; draws_integers && i < f->n_x; i++)
        CHECK((double)expected_dx[i] == right[i], "dx %zu is %g, not %g", i, (double)expected_dx[i],
              right[i]);
}

static void check_case(const Case *c, void (*check)(Fixture *f))
{
    Fixture f;
    fixture_open(&f, c);
    check(&f);
    arena_free(&f.arena);
}

// Runs a check with each instruction set on each case.
static void with_each(const Case *cases, size_t n, void (*check)(Fixture *f))
{
    const Kernels *before = kernels;
    for (size_t i = 0; kernels_available(i) != NULL; i++) {
        kernels = kernels_available(i);
        for (size_t c = 0; c < n; c++)
            check_case(&cases[c], check);
    }
    kernels = before;
}

static void every_set_convolves_to_the_bits_of_the_scalar_reference(void)
{
    with_each(convolutions, N_CONVOLUTIONS, check_forward);
    with_each(convolutions, N_CONVOLUTIONS, check_backward);
    with_each(convolutions, N_CONVOLUTIONS, check_weight_gradient);
}

static void every_set_pools_to_the_bits_of_the_scalar_reference(void)
{
    with_each(pools, N_POOLS, check_pool);
}

static void the_scalar_reference_computes_its_formulas(void)
{
    const Case narrow = {7, 6, 1, 3, 2, 5, 6, 0}, wide = {5, 6, 16, 2, 1, 18, 6, 0};
    const Case pool = {6, 7, 16, 2, 2, 16, 7, 0}, apart = {6, 7, 16, 2, 3, 16, 7, 0};
    const Kernels *before = kernels;
    kernels = reference;
    draws_integers = true;
    check_case(&narrow, check_forward);
    check_case(&narrow, check_weight_gradient);
    check_case(&wide, check_forward);
    check_case(&wide, check_backward);
    check_case(&wide, check_weight_gradient);
    check_case(&pool, check_pool);
    check_case(&apart, check_pool);
    draws_integers = false;
    kernels = before;
}

int main(void)
{
    reference = kernels_available(0);
    RUN(the_scalar_reference_computes_its_formulas);
    RUN(every_set_convolves_to_the_bits_of_the_scalar_reference);
    RUN(every_set_pools_to_the_bits_of_the_scalar_reference);
    return test_end();
}
