// Every kernel of every instruction set that this machine has against the scalar reference, bit for
// bit, on odd sizes and on rows that end where their memory ends; and the scalar reference against
// the formulas of kernels.h, on integers so small that sums are exact in any order.
#include "elementary.h"
#include "kernels.h"
#include "random.h"
#include "test.h"

#include <math.h>

enum { MAX_I = 300, MAX_B = 150, MAX_S = 176, N_RESULT = MAX_I * MAX_S + MAX_B * MAX_S };

// The operands: kernels want their rows of floats aligned.
static _Alignas(64) float W[MAX_I * MAX_S], b[MAX_S], x[MAX_B * MAX_I], dy[MAX_B * MAX_S];
static _Alignas(64) float actual[N_RESULT], expected[N_RESULT];
static float value[256];
static const Kernels *reference;
static bool draws_integers;

static float draw(uint64_t purpose, uint64_t i)
{
    return draws_integers ? (float)(random_bits(11, purpose, i) % 7) - 3.0f
                          : random_normal(11, purpose, i);
}

// Fills the operands; outputs from O on are padding and zero.
static void fill(size_t I, size_t O, size_t S, size_t B)
{
    for (size_t v = 0; v < 256; v++)
        value[v] = draws_integers ? (float)(v % 9) : (float)v / 79.0f;
    value[0] = 0.0f;
    for (size_t o = 0; o < S; o++) {
        b[o] = o < O ? draw(1, o) : 0.0f;
        for (size_t i = 0; i < I; i++)
            W[i * S + o] = o < O ? draw(2, i * O + o) : 0.0f;
        for (size_t e = 0; e < B; e++)
            dy[e * S + o] = o < O ? draw(3, e * O + o) : 0.0f;
    }
    for (size_t i = 0; i < B * I; i++)
        x[i] = draw(4, i);
}

static void *checked(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

// B rows of I bytes, the last one at the end of its memory; of ten bytes, some are not zero.
static unsigned char *make_bytes(size_t I, size_t B, unsigned nonzero_of_ten)
{
    unsigned char *bytes = checked(malloc(B * I + (I == 0)));
    for (size_t i = 0; i < B * I; i++) {
        uint64_t bits = random_bits(11, 5, i);
        bytes[i] = bits % 10 >= nonzero_of_ten ? 0 : (unsigned char)(1 + (bits >> 32) % 255);
    }
    return bytes;
}

// Bits, not values: -0 is not +0.
static bool same(size_t n)
{
    return memcmp(actual, expected, n * sizeof *actual) == 0;
}

static const size_t outputs[] = {1, 10, 16, 17, 64, 100, 130};
static const size_t widths[] = {0, 1, 6, 15, 16, 17, 50, 63, 64, 65, 98, 127, 128};
static const size_t batches[] = {1, 3, 63, 64, 65, 150};
enum {
    N_OUTPUTS = sizeof outputs / sizeof outputs[0],
    N_WIDTHS = sizeof widths / sizeof widths[0],
    N_BATCHES = sizeof batches / sizeof batches[0]
};

// Runs a test with each instruction set.
static void with_each_set(void (*test)(void))
{
    const Kernels *before = kernels;
    for (size_t i = 0; kernels_available(i) != NULL; i++) {
        kernels = kernels_available(i);
        test();
    }
    kernels = before;
}

// ---------------------------------------------------------------------------------------------
// The sparse first layer

typedef struct Lists {
    uint16_t *entries;
    uint32_t start[MAX_B + 1];
} Lists;

enum { BEFORE = 5 }; // entries before the first list

// The lists of B rows of I bytes by one set, in memory that ends SPARSE_SLACK entries later.
static Lists make_lists(const Kernels *set, const unsigned char *bytes, size_t I, size_t B)
{
    const unsigned char *row[MAX_B];
    for (size_t e = 0; e < B; e++)
        row[e] = bytes + e * I;
    Lists lists = {.start = {BEFORE}};
    lists.entries = checked(malloc((BEFORE + B * I + SPARSE_SLACK) * sizeof *lists.entries));
    memset(lists.entries, 0xab, BEFORE * sizeof *lists.entries);
    set->sparse_list(lists.entries, lists.start, &(ByteRows){row, B}, I, &(ByteRows){row, B / 2});
    lists.entries =
        checked(realloc(lists.entries, (lists.start[B] + SPARSE_SLACK) * sizeof *lists.entries));
    return lists;
}

static void check_sparse_list(size_t I, size_t B, unsigned nonzero_of_ten)
{
    unsigned char *bytes = make_bytes(I, B, nonzero_of_ten);
    Lists found = make_lists(kernels, bytes, I, B), right = make_lists(reference, bytes, I, B);
    CHECK(memcmp(found.start, right.start, (B + 1) * sizeof *right.start) == 0 &&
              memcmp(found.entries, right.entries, right.start[B] * sizeof *right.entries) == 0,
          "%s: I = %zu, B = %zu, %u of 10 nonzero", kernels->isa, I, B, nonzero_of_ten);
    free(found.entries);
    free(right.entries);
    free(bytes);
}

static void sparse_list(void)
{
    for (size_t w = 0; w < N_WIDTHS; w++)
        for (unsigned nonzero = 0; nonzero <= 10; nonzero += 2)
            check_sparse_list(widths[w], 1 + w, nonzero);
}

static void lists_contain_the_nonzero_bytes_in_order(void)
{
    const unsigned char bytes[2][5] = {{0, 7, 0, 255, 1}, {0, 0, 0, 0, 9}};
    const uint16_t entries[4] = {1 << 8 | 7, 3 << 8 | 255, 4 << 8 | 1, 4 << 8 | 9};
    Lists lists = make_lists(reference, bytes[0], 5, 2);
    CHECK(lists.start[1] == BEFORE + 3 && lists.start[2] == BEFORE + 4 &&
              memcmp(lists.entries + BEFORE, entries, sizeof entries) == 0,
          "lists end at %u and %u", lists.start[1], lists.start[2]);
    free(lists.entries);
}

static unsigned char tile[SPARSE_MAX_BYTES * TILE_EXAMPLES + 1];
static unsigned char expected_tile[SPARSE_MAX_BYTES * TILE_EXAMPLES + 1];

static void check_sparse_forward(size_t I, size_t O, size_t B, unsigned nonzero_of_ten,
                                 SumMode mode, bool fills_tile)
{
    size_t S = kernel_row_stride(O), stride = S + KERNEL_PAD;
    fill(I, O, S, B);
    unsigned char *bytes = make_bytes(I, B, nonzero_of_ten);
    Lists lists = make_lists(reference, bytes, I, B);
    SparseRow row[MAX_B + 1] = {{NULL, 0}};
    for (size_t e = 0; e <= B; e++)
        row[e] = (SparseRow){lists.entries + lists.start[e],
                             e < B ? lists.start[e + 1] - lists.start[e] : 0};
    SparseRows rows = {row, B};
    for (size_t i = 0; i < B * stride; i++)
        actual[i] = expected[i] = i % stride < O ? draw(7, i) : 0.0f;
    if (mode == SUM_ADD) // a sum that is continued never begins with a -0
        actual[0] = expected[0] = -0.0f;
    memset(tile, 0xab, sizeof tile);
    memset(expected_tile, 0xab, sizeof tile);
    kernels->sparse_forward(&(SumRows){actual, stride, mode}, W, S, &rows, I, value,
                            fills_tile ? tile : NULL);
    reference->sparse_forward(&(SumRows){expected, stride, mode}, W, S, &rows, I, value,
                              fills_tile ? expected_tile : NULL);
    CHECK(same(B * stride) && memcmp(tile, expected_tile, sizeof tile) == 0,
          "%s: I = %zu, O = %zu, B = %zu, %u of 10 nonzero, mode %d", kernels->isa, I, O, B,
          nonzero_of_ten, (int)mode);
    for (size_t i = 0; draws_integers && i < B * S; i++) {
        size_t e = i / S, o = i % S;
        double sum = mode == SUM_STORE || o >= O ? 0.0
                     : mode == SUM_ADD && i == 0 ? 0.0
                                                 : (double)draw(7, e * stride + o);
        for (size_t p = 0; p < I; p++)
            sum += (double)value[bytes[e * I + p]] * (double)W[p * S + o];
        CHECK((double)expected[e * stride + o] == sum, "mode %d: sum %zu is %g, not %g", (int)mode,
              i, (double)expected[e * stride + o], sum);
    }
    for (size_t i = 0; fills_tile && i < I * TILE_EXAMPLES; i++) {
        size_t p = i / TILE_EXAMPLES, e = i % TILE_EXAMPLES;
        unsigned char right = e < B ? bytes[e * I + p] : 0;
        CHECK(expected_tile[i] == right, "byte %zu of the tile is %u, not %u", i, expected_tile[i],
              right);
    }
    free(lists.entries);
    free(bytes);
}

static void sparse_forward(void)
{
    for (size_t k = 0; k < N_OUTPUTS; k++)
        for (size_t w = 0; w < N_WIDTHS; w++)
            check_sparse_forward(widths[w], outputs[k], 1 + w % 3, 3, (SumMode)((k + w) % 3),
                                 w % 2 == 0);
    for (unsigned nonzero = 0; nonzero <= 10; nonzero += 5)
        for (size_t e = 0; e < 4; e++)
            check_sparse_forward(98, 64, batches[e], nonzero, (SumMode)((e + nonzero / 5) % 3),
                                 e % 2 == 0);
    for (int mode = SUM_STORE; mode <= SUM_CONTINUE; mode++) // empty sums
        check_sparse_forward(98, 17, 20, 0, (SumMode)mode, true);
}

static void check_sparse_weight_gradient(size_t I, size_t O, size_t B, unsigned nonzero_of_ten)
{
    size_t S = kernel_row_stride(O), n_tiles = (B + TILE_EXAMPLES - 1) / TILE_EXAMPLES;
    Range part = {I / 7, I - I / 9};
    fill(I, O, S, B);
    unsigned char *bytes = make_bytes(I, B, nonzero_of_ten);
    unsigned char *tiles = checked(calloc(n_tiles * I + (I == 0), TILE_EXAMPLES));
    for (size_t e = 0; e < B; e++)
        for (size_t p = 0; p < I; p++)
            tiles[(e / TILE_EXAMPLES * I + p) * TILE_EXAMPLES + e % TILE_EXAMPLES] =
                bytes[e * I + p];
    memcpy(actual, W, I * S * sizeof *W);
    memcpy(expected, W, I * S * sizeof *W);
    kernels->sparse_weight_gradient(actual, S, tiles, B, I, value, dy, -0.5f, part);
    reference->sparse_weight_gradient(expected, S, tiles, B, I, value, dy, -0.5f, part);
    CHECK(same(I * S), "%s: I = %zu, O = %zu, B = %zu, %u of 10 nonzero", kernels->isa, I, O, B,
          nonzero_of_ten);
    for (size_t i = 0; draws_integers && i < I * S; i++) {
        size_t p = i / S;
        double sum = 0.0;
        for (size_t e = 0; e < B && p >= part.first && p < part.end; e++)
            sum += (double)value[bytes[e * I + p]] * (double)dy[e * S + i % S];
        CHECK((double)expected[i] == (double)W[i] - 0.5 * sum, "gradient %zu: %g", i,
              (double)expected[i]);
    }
    free(tiles);
    free(bytes);
}

static void sparse_weight_gradient(void)
{
    for (size_t w = 0; w < N_WIDTHS; w++)
        for (size_t e = 0; e < N_BATCHES; e++)
            check_sparse_weight_gradient(widths[w], outputs[(w + e) % N_OUTPUTS], batches[e], 3);
    for (unsigned nonzero = 0; nonzero <= 10; nonzero += 5)
        check_sparse_weight_gradient(98, 64, 150, nonzero);
}

static void check_sum_parts(size_t O)
{
    size_t S = kernel_row_stride(O);
    fill(8, O, S, 1);
    memcpy(actual, b, S * sizeof *b);
    memcpy(expected, b, S * sizeof *b);
    kernels->sum_parts(actual, W, 8, S);
    reference->sum_parts(expected, W, 8, S);
    CHECK(same(S), "%s, O = %zu", kernels->isa, O);
    for (size_t o = 0; draws_integers && o < S; o++) {
        double sum = (double)b[o];
        for (size_t part = 0; part < 8; part++)
            sum += (double)W[part * S + o];
        CHECK((double)expected[o] == sum, "sum %zu is %g, not %g", o, (double)expected[o], sum);
    }
}

static void sum_parts(void)
{
    for (size_t k = 0; k < N_OUTPUTS; k++)
        check_sum_parts(outputs[k]);
}

// ---------------------------------------------------------------------------------------------
// Dense layers

// The exact results on integers, of the operands that check_dense was called with.
static double dense_formula(const char *which, size_t S, size_t stride, size_t B, size_t I,
                            size_t O, size_t row, size_t column)
{
    double sum = 0.0;
    if (strcmp(which, "forward") == 0)
        for (size_t i = 0; i < I; i++)
            sum += (double)x[row * stride + i] * (double)W[i * S + column];
    else if (strcmp(which, "backward") == 0)
        for (size_t o = 0; o < O; o++)
            sum += (double)dy[row * S + o] * (double)W[column * S + o];
    else
        for (size_t e = 0; e < B; e++)
            sum += (double)x[e * stride + row] * (double)dy[e * S + column];
    return sum;
}

// One shape through the kernels of a dense layer.
static void check_dense(size_t I, size_t O, size_t B)
{
    size_t S = kernel_row_stride(O), stride = round_up(I, KERNEL_PAD);
    Range rows = {I / 10, I - I / 7};
    fill(stride, O, S, B);

    kernels->dense_forward(actual, W, b, S, x, stride, B, I);
    reference->dense_forward(expected, W, b, S, x, stride, B, I);
    CHECK(same(B * S), "%s: forward, I = %zu, O = %zu, B = %zu", kernels->isa, I, O, B);
    for (size_t i = 0; draws_integers && i < B * S; i++)
        CHECK((double)expected[i] ==
                  (double)b[i % S] + dense_formula("forward", S, stride, B, I, O, i / S, i % S),
              "forward %zu: %g", i, (double)expected[i]);

    memset(actual, 0, sizeof actual);
    memset(expected, 0, sizeof expected);
    kernels->dense_backward(actual, stride, W, S, dy, B, I, O);
    reference->dense_backward(expected, stride, W, S, dy, B, I, O);
    CHECK(same(B * stride), "%s: backward, I = %zu, O = %zu, B = %zu", kernels->isa, I, O, B);
    for (size_t i = 0; draws_integers && i < B * stride; i++)
        CHECK((double)expected[i] == (i % stride < I ? dense_formula("backward", S, stride, B, I, O,
                                                                     i / stride, i % stride)
                                                     : 0.0),
              "backward %zu: %g", i, (double)expected[i]);

    memcpy(actual, W, I * S * sizeof *W);
    memcpy(expected, W, I * S * sizeof *W);
    kernels->dense_weight_gradient(actual, S, x, stride, dy, B, 0.5f, rows);
    reference->dense_weight_gradient(expected, S, x, stride, dy, B, 0.5f, rows);
    CHECK(same(I * S), "%s: weight gradient, I = %zu, O = %zu, B = %zu", kernels->isa, I, O, B);
    for (size_t i = 0; draws_integers && i < I * S; i++) {
        bool is_in = i / S >= rows.first && i / S < rows.end;
        double sum = is_in ? dense_formula("gradient", S, stride, B, I, O, i / S, i % S) : 0.0;
        CHECK((double)expected[i] == (double)W[i] + 0.5 * sum, "gradient %zu: %g", i,
              (double)expected[i]);
    }

    memcpy(actual, b, sizeof b);
    memcpy(expected, b, sizeof b);
    const float one = 1.0f; // the input of a bias
    kernels->dense_weight_gradient(actual, S, &one, 0, dy, B, 0.5f, (Range){0, 1});
    reference->dense_weight_gradient(expected, S, &one, 0, dy, B, 0.5f, (Range){0, 1});
    CHECK(same(S), "%s: bias, O = %zu, B = %zu", kernels->isa, O, B);
    for (size_t o = 0; draws_integers && o < S; o++) {
        double sum = 0.0;
        for (size_t e = 0; e < B; e++)
            sum += (double)dy[e * S + o];
        CHECK((double)expected[o] == (double)b[o] + 0.5 * sum, "bias %zu: %g", o,
              (double)expected[o]);
    }
}

static void dense(void)
{
    for (size_t k = 0; k < N_OUTPUTS; k++)
        for (size_t B = 1; B <= 7; B += 2)
            check_dense(37, outputs[k], B);
    check_dense(64, 160, 16); // more outputs than are taken at once
    check_dense(100, 17, 9);  // more rows of weights
}

static void every_set_has_the_bits_of_the_scalar_reference(void)
{
    with_each_set(sparse_list);
    with_each_set(sparse_forward);
    with_each_set(sparse_weight_gradient);
    with_each_set(sum_parts);
    with_each_set(dense);
}

static void the_scalar_reference_computes_its_formulas(void)
{
    const Kernels *before = kernels;
    kernels = reference;
    draws_integers = true;
    for (int mode = SUM_STORE; mode <= SUM_CONTINUE; mode++)
        check_sparse_forward(17, 18, 3, 4, (SumMode)mode, true);
    check_sparse_weight_gradient(17, 18, 67, 4);
    check_sum_parts(18);
    check_dense(19, 18, 5);
    draws_integers = false;
    kernels = before;
}

// ---------------------------------------------------------------------------------------------
// Elementwise

static void sigmoid(void)
{
    enum { N = 80 };
    _Alignas(64) float y[N], dx[N];
    fill(N, 16, 16, 1);
    x[3] = 1000.0f, x[4] = -1000.0f, x[5] = 0.0f;
    kernels->sigmoid_forward(y, x, N);
    kernels->sigmoid_backward(dx, y, W, N);
    for (size_t i = 0; i < N; i++) {
        CHECK(f32_bits(y[i]) == f32_bits(1.0f / (1.0f + exp_f32(-x[i]))), "%s: sigmoid of %g",
              kernels->isa, (double)x[i]);
        CHECK(fabs((double)y[i] - 1.0 / (1.0 + exp(-(double)x[i]))) < 1e-6, "%s: %g gives %g",
              kernels->isa, (double)x[i], (double)y[i]);
        CHECK(f32_bits(dx[i]) == f32_bits(W[i] * (y[i] * (1.0f - y[i]))), "%s: derivative at %zu",
              kernels->isa, i);
    }
    x[7] = NAN;
    kernels->sigmoid_forward(y, x, N);
    CHECK(isnan(y[7]), "%s: NaN was lost", kernels->isa);
}

static void sigmoids_compute_their_formula(void)
{
    with_each_set(sigmoid);
}

static void tanh_of_each_set(void)
{
    enum { N = 80 };
    _Alignas(64) float y[N], dx[N];
    fill(N, 16, 16, 1);
    x[3] = 1000.0f, x[4] = -1000.0f, x[5] = 0.0f, x[6] = -0.0f, x[8] = 1e-30f;
    kernels->tanh_forward(y, x, N);
    kernels->tanh_backward(dx, y, W, N);
    reference->tanh_forward(expected, x, N);
    reference->tanh_backward(expected + N, expected, W, N);
    CHECK(memcmp(y, expected, sizeof y) == 0 && memcmp(dx, expected + N, sizeof dx) == 0,
          "%s: other bits than the scalar reference", kernels->isa);
    for (size_t i = 0; i < N; i++) {
        CHECK(f32_bits(y[i]) == f32_bits(2.0f / (1.0f + exp_f32(-2.0f * x[i])) - 1.0f),
              "%s: tanh of %g", kernels->isa, (double)x[i]);
        CHECK(fabs((double)y[i] - tanh((double)x[i])) < 1e-6, "%s: %g gives %g", kernels->isa,
              (double)x[i], (double)y[i]);
        CHECK(f32_bits(dx[i]) == f32_bits(W[i] * (1.0f - y[i] * y[i])), "%s: derivative at %zu",
              kernels->isa, i);
    }
    // Padding of an image is 0, and must stay so.
    CHECK(y[5] == 0.0f && y[6] == 0.0f, "%s: 0 gives %g and %g", kernels->isa, (double)y[5],
          (double)y[6]);
    x[7] = NAN;
    kernels->tanh_forward(y, x, N);
    CHECK(isnan(y[7]), "%s: NaN was lost", kernels->isa);
}

static void tanh_computes_its_formula(void)
{
    with_each_set(tanh_of_each_set);
}

static void relu(void)
{
    enum { N = 48 };
    _Alignas(64) float y[N], dx[N];
    fill(N, 16, 16, 1);
    for (size_t i = 0; i < N; i += 5)
        x[i] = -0.0f;
    x[7] = NAN;
    kernels->relu_forward(y, x, N);
    kernels->relu_backward(dx, y, W, N);
    for (size_t i = 0; i < N; i++) {
        float right = x[i] <= 0.0f ? 0.0f : x[i], slope = x[i] > 0.0f ? W[i] : 0.0f;
        CHECK(memcmp(&y[i], &right, sizeof right) == 0 && f32_bits(dx[i]) == f32_bits(slope),
              "%s: of %g", kernels->isa, (double)x[i]);
    }
}

static void relu_cuts_off_what_is_not_above_zero(void)
{
    with_each_set(relu);
}

enum { MAX_C = 40, N_LOSSES = 37 };
static _Alignas(64) float p[N_LOSSES * 64];

// B examples of C classes, against double precision.
static void check_softmax(size_t C, size_t B)
{
    size_t S = kernel_row_stride(C);
    float loss[N_LOSSES];
    unsigned char label[N_LOSSES], predicted[N_LOSSES];
    fill(MAX_B, C, S, 1);
    for (size_t e = 0; e < B; e++)
        label[e] = (unsigned char)(e % C);
    kernels->softmax_cross_entropy(p, loss, predicted, W, S, label, B, C);
    for (size_t e = 0; e < B; e++) {
        const float *a = W + e * S;
        double sum = 0.0, total = 0.0;
        size_t best = 0;
        for (size_t k = 0; k < C; k++) {
            sum += exp((double)a[k]);
            best = a[k] > a[best] ? k : best;
        }
        for (size_t k = 0; k < C; k++) {
            total += (double)p[e * S + k];
            CHECK(fabs((double)p[e * S + k] - exp((double)a[k]) / sum) < 1e-6, "%s: class %zu",
                  kernels->isa, k);
        }
        double exact = log(sum) - (double)a[label[e]];
        CHECK(fabs((double)loss[e] - exact) < 1e-6, "%s: loss %g, exactly %g", kernels->isa,
              (double)loss[e], exact);
        CHECK(fabs(total - 1.0) < 1e-6, "%s: probabilities add up to %g", kernels->isa, total);
        CHECK(predicted[e] == best, "%s: predicted %u, not %zu", kernels->isa, predicted[e], best);
    }
}

static void softmax(void)
{
    for (size_t C = 2; C <= MAX_C; C += 19)
        for (size_t B = 1; B <= N_LOSSES; B += 9)
            check_softmax(C, B);
}

static void softmax_and_loss_agree_with_double_precision(void)
{
    with_each_set(softmax);
}

// One call of the scalar reference, then the same of each other set, bit for bit.
static void softmax_has_the_same_bits_in_every_set(void)
{
    static _Alignas(64) float a[N_LOSSES * 16], q[N_LOSSES * 16];
    float loss[N_LOSSES], other_loss[N_LOSSES];
    unsigned char label[N_LOSSES] = {0}, predicted[N_LOSSES], other[N_LOSSES];
    for (size_t i = 0; i < N_LOSSES * 16; i++)
        a[i] = 9.0f * draw(12, i);
    for (size_t k = 0; k < 10; k++) // equal, huge, opposite, broken
        a[k] = 1.0f, a[16 + k] = 3e38f, a[32 + k] = k % 2 == 0 ? 3e38f : -3e38f;
    a[48 + 4] = NAN;
    reference->softmax_cross_entropy(p, loss, predicted, a, 16, label, N_LOSSES, 10);
    CHECK(isnan(loss[3]), "NaN was lost");
    for (size_t i = 1; kernels_available(i) != NULL; i++) {
        kernels_available(i)->softmax_cross_entropy(q, other_loss, other, a, 16, label, N_LOSSES,
                                                    10);
        for (size_t e = 0; e < N_LOSSES; e++)
            CHECK(e == 3 ||
                      (memcmp(p + e * 16, q + e * 16, 10 * sizeof *p) == 0 &&
                       f32_bits(loss[e]) == f32_bits(other_loss[e]) && predicted[e] == other[e]),
                  "%s, example %zu: loss %.9g, scalar %.9g", kernels_available(i)->isa, e,
                  (double)other_loss[e], (double)loss[e]);
        CHECK(isnan(other_loss[3]), "%s: NaN was lost", kernels_available(i)->isa);
    }
}

static void softmax_edges(void)
{
    static _Alignas(64) float a[3 * 16];
    const float rows[3][4] = {{3e38f, -3e38f, 0.0f}, {0.0f, 1e30f, 1.0f}, {1.0f, 3.0f, 2.0f, 3.0f}};
    const unsigned char label[3] = {0, 2, 0};
    float loss[3];
    unsigned char predicted[3];
    for (size_t e = 0; e < 3; e++)
        memcpy(a + e * 16, rows[e], sizeof rows[e]);
    kernels->softmax_cross_entropy(p, loss, predicted, a, 16, label, 3, 4);
    CHECK(loss[0] == 0.0f, "%s: the loss is %g, not 0", kernels->isa, (double)loss[0]);
    CHECK(loss[1] > 1e29f && isfinite(loss[1]), "%s: the loss is %g", kernels->isa,
          (double)loss[1]);
    CHECK(predicted[2] == 1, "%s: of equals, %u is not the first", kernels->isa, predicted[2]);
}

static void huge_logits_do_not_overflow_and_the_first_of_equals_wins(void)
{
    with_each_set(softmax_edges);
}

// ---------------------------------------------------------------------------------------------
// Steps of optimizers

// The arrays of a step, with values around those that are stepped.
enum { N_STEP = 80, P = 0, M, V, G, A, N_ARRAYS };
typedef struct Arrays {
    float of[N_ARRAYS][N_STEP];
} Arrays;

static const AdamStep adam = {0.1f, 0.001f, 0.02f, 1.5f, 1e-8f};
static const float decay = 0.03f, rate = 0.02f, momentum = 0.9f, share = 0.25f;

static Arrays arrays_before(void)
{
    Arrays arrays;
    for (size_t k = 0; k < N_ARRAYS; k++)
        for (size_t i = 0; i < N_STEP; i++)
            arrays.of[k][i] = random_normal(11, 20 + k, i);
    for (size_t i = 0; i < N_STEP; i++) {
        arrays.of[V][i] *= arrays.of[V][i]; // of squares
        arrays.of[G][i] *= i % 3 == 0 ? 0.0f : 1.0f;
        arrays.of[V][i] *= i % 9 == 0 ? 0.0f : 1.0f;
    }
    return arrays;
}

enum { DECAY, MOMENTUM, ADAM, AVERAGE, N_STEPS };

static Arrays stepped(const Kernels *set, size_t step, size_t first, size_t n)
{
    Arrays arrays = arrays_before();
    float *at[N_ARRAYS];
    for (size_t k = 0; k < N_ARRAYS; k++)
        at[k] = arrays.of[k] + first;
    switch (step) {
    case DECAY: set->decay_step(at[P], n, decay); break;
    case MOMENTUM: set->momentum_step(at[P], at[M], at[G], n, rate, momentum); break;
    case ADAM: set->adam_step(at[P], at[M], at[V], at[G], n, &adam); break;
    default: set->average_step(at[A], at[P], n, share);
    }
    return arrays;
}

// Values that begin and end anywhere in a vector; those around them stay as they are.
static void steps_have_the_same_bits_in_every_set(void)
{
    for (size_t i = 0; kernels_available(i) != NULL; i++)
        for (size_t step = 0; step < N_STEPS; step++)
            for (size_t first = 0; first < 5; first++)
                for (size_t n = 0; n <= 67; n++) {
                    Arrays found = stepped(kernels_available(i), step, first, n);
                    Arrays right = stepped(reference, step, first, n);
                    CHECK(memcmp(&found, &right, sizeof found) == 0, "%s: step %zu, %zu from %zu",
                          kernels_available(i)->isa, step, n, first);
                }
}

// One value by each step in double precision.
static void step_exactly(double of[N_ARRAYS], size_t step)
{
    double g = of[G];
    switch (step) {
    case DECAY: of[P] *= 1.0 - (double)decay; break;
    case MOMENTUM:
        of[M] = (double)momentum * of[M] + g;
        of[P] -= (double)rate * (g + (double)momentum * of[M]);
        of[G] = 0.0;
        break;
    case ADAM:
        of[M] = 0.9 * of[M] + 0.1 * g;
        of[V] = 0.999 * of[V] + 0.001 * g * g;
        of[P] -= (double)adam.rate * of[M] / (sqrt(of[V]) * (double)adam.root_scale + 1e-8);
        of[G] = 0.0;
        break;
    default: of[A] = 0.75 * of[A] + 0.25 * of[P];
    }
}

static void steps_compute_their_formulas(void)
{
    Arrays before = arrays_before();
    for (size_t step = 0; step < N_STEPS; step++) {
        enum { FIRST = 3, N = 70 };
        Arrays found = stepped(reference, step, FIRST, N);
        for (size_t i = 0; i < N_STEP; i++) {
            double right[N_ARRAYS];
            for (size_t k = 0; k < N_ARRAYS; k++)
                right[k] = (double)before.of[k][i];
            if (i >= FIRST && i < FIRST + N)
                step_exactly(right, step);
            for (size_t k = 0; k < N_ARRAYS; k++)
                CHECK(fabs((double)found.of[k][i] - right[k]) <= 2e-6 * (1.0 + fabs(right[k])),
                      "step %zu, array %zu, value %zu: %.9g, expected %.9g", step, k, i,
                      (double)found.of[k][i], right[k]);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Interpolation

enum { N_LINES = 40 };

// A table of quads of random bytes, or of 255 alone, made by one set; ends where its memory ends.
static QuadTable make_table(const Kernels *set, size_t pitch, size_t height, bool is_white)
{
    size_t n = pitch * height, size = n + pitch + 1 + SAMPLE_SLACK;
    unsigned char *image = checked(malloc(size));
    for (size_t i = 0; i < size; i++)
        image[i] = is_white ? 255 : (unsigned char)random_bits(11, 30, i);
    QuadTable table = {checked(malloc((n + SAMPLE_SLACK) * sizeof *table.quads)), pitch,
                       (uint32_t)n};
    set->make_quads(&table, image);
    for (size_t i = 0; i < n; i++) {
        uint32_t right = (uint32_t)image[i] | (uint32_t)image[i + 1] << 8 |
                         (uint32_t)image[i + pitch] << 16 | (uint32_t)image[i + pitch + 1] << 24;
        CHECK(table.quads[i] == right, "%s: quad %zu of %zu x %zu", set->isa, i, height, pitch);
    }
    table.quads = checked(realloc(table.quads, n * sizeof *table.quads));
    free(image);
    return table;
}

// A number in 0..n-1, often the first or the last.
static int32_t draw_below(int64_t n, uint64_t purpose, uint64_t i)
{
    uint64_t bits = random_bits(11, purpose, i);
    return (int32_t)(bits % 8 == 0   ? 0
                     : bits % 8 == 1 ? n - 1
                                     : (int64_t)((bits >> 8) % (uint64_t)n));
}

// Lines within the table, as long as they can be, one after the other with a gap; returns the
// number of bytes of all.
static size_t make_lines(SampleLine *lines, const QuadTable *table, int32_t x_step, int32_t y_step)
{
    int64_t width = (int64_t)table->pitch << POSITION_BITS;
    int64_t height = (int64_t)(table->n / table->pitch) << POSITION_BITS;
    size_t end = 0;
    for (size_t l = 0; l < N_LINES; l++) {
        int64_t at_x = draw_below(width, 31, l), at_y = draw_below(height, 32, l);
        lines[l] = (SampleLine){.to = end + l % 3, .x = (int32_t)at_x, .y = (int32_t)at_y};
        for (; at_x >= 0 && at_x < width && at_y >= 0 && at_y < height && lines[l].n < 1 + 3 * l;
             at_x += x_step, at_y += y_step)
            lines[l].n++;
        end = lines[l].to + lines[l].n;
    }
    return end;
}

static void check_sample_lines(const Kernels *set, const QuadTable *table, int32_t x_step,
                               int32_t y_step)
{
    SampleLine list[N_LINES];
    size_t end = make_lines(list, table, x_step, y_step);
    SampleLines lines = {list, N_LINES, x_step, y_step};
    unsigned char *found = checked(calloc(end + SAMPLE_SLACK, 1));
    unsigned char *right = checked(calloc(end + SAMPLE_SLACK, 1));
    set->sample_lines(found, table, &lines);
    reference->sample_lines(right, table, &lines);
    CHECK(memcmp(found, right, end + SAMPLE_SLACK) == 0, "%s: %u quads, steps %d and %d", set->isa,
          (unsigned)table->n, (int)x_step, (int)y_step);
    free(found);
    free(right);
}

static void interpolation_has_the_same_bytes_in_every_set(void)
{
    static const size_t tables[][2] = {{1, 1}, {2, 1}, {1, 5}, {29, 29}, {40, 3}, {4097, 2}};
    static const int32_t steps[][2] = {{1 << POSITION_BITS, 0}, {0, 0},
                                       {250000, -40000},        {-270000, 3},
                                       {90000, 300000},         {-5000000, 1}};
    for (size_t i = 0; kernels_available(i) != NULL; i++)
        for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
            for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
                QuadTable table =
                    make_table(kernels_available(i), tables[t][0], tables[t][1], s % 2);
                check_sample_lines(kernels_available(i), &table, steps[s][0], steps[s][1]);
                free(table.quads);
            }
}

static void interpolation_computes_its_formula(void)
{
    uint32_t quads[1 + SAMPLE_SLACK] = {10u | 20u << 8 | 110u << 16 | 255u << 24};
    QuadTable table = {quads, 1, 1};
    for (int32_t u = 0; u < 256; u += 5)
        for (int32_t v = 0; v < 256; v += 5) {
            unsigned char found[1 + SAMPLE_SLACK];
            SampleLine line = {0, 1, u << (POSITION_BITS - 8), v << (POSITION_BITS - 8)};
            reference->sample_lines(found, &table, &(SampleLines){&line, 1, 0, 0});
            double across = u / 256.0, down = v / 256.0;
            double upper = (1 - across) * 10 + across * 20,
                   lower = (1 - across) * 110 + across * 255;
            double right = (1 - down) * upper + down * lower;
            CHECK(found[0] == (unsigned char)(right + 0.5), "at (%d,%d): %u is not %g", (int)u,
                  (int)v, found[0], right);
        }
}

// ---------------------------------------------------------------------------------------------
// The choice

static void unknown_and_missing_sets_are_refused(void)
{
    Error err = {""};
    const Kernels *before = kernels;
    CHECK(!kernels_choose("mmx", &err) && strstr(err.text, "MLP_ISA=mmx") != NULL &&
              strstr(err.text, "scalar, sse2, avx2, avx512, neon") != NULL,
          "%s", err.text);
#ifdef __x86_64__
    CHECK(!kernels_choose("neon", &err) && strstr(err.text, "MLP_ISA=neon") != NULL, "%s",
          err.text);
#else
    CHECK(!kernels_choose("avx2", &err) && strstr(err.text, "MLP_ISA=avx2") != NULL, "%s",
          err.text);
#endif
    CHECK(kernels == before, "a refused set is in use");
    CHECK(kernels_choose("scalar", &err) && kernels == reference, "scalar: %s", err.text);
    size_t last = 0;
    while (kernels_available(last + 1) != NULL)
        last++;
    CHECK(kernels_choose(NULL, &err) && kernels == kernels_available(last),
          "the fastest set is not the default");
    kernels = before;
}

int main(void)
{
    reference = kernels_available(0);
    RUN(lists_contain_the_nonzero_bytes_in_order);
    RUN(the_scalar_reference_computes_its_formulas);
    RUN(every_set_has_the_bits_of_the_scalar_reference);
    RUN(sigmoids_compute_their_formula);
    RUN(tanh_computes_its_formula);
    RUN(relu_cuts_off_what_is_not_above_zero);
    RUN(softmax_and_loss_agree_with_double_precision);
    RUN(softmax_has_the_same_bits_in_every_set);
    RUN(huge_logits_do_not_overflow_and_the_first_of_equals_wins);
    RUN(steps_compute_their_formulas);
    RUN(steps_have_the_same_bits_in_every_set);
    RUN(interpolation_computes_its_formula);
    RUN(interpolation_has_the_same_bytes_in_every_set);
    RUN(unknown_and_missing_sets_are_refused);
    return test_end();
}
