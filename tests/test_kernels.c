// Every kernel of every instruction set that this machine has, bit for bit, against a naive twin
// that follows the order written in kernels.h and nothing else: one sum after the other, no vector,
// no zero skipped. Sizes are odd, and rows end where their memory ends.
#include "elementary.h"
#include "kernels.h"
#include "random.h"
#include "test.h"

#include <math.h>

enum { MAX_I = 300, MAX_B = 150, MAX_S = 176 };

// The operands: kernels want their rows of floats aligned.
static _Alignas(64) float W[MAX_I * MAX_S], b[MAX_S], x[MAX_B * MAX_I], dy[MAX_B * MAX_S];
static _Alignas(64) float found[MAX_I * MAX_S + MAX_B * MAX_S], twin[MAX_I * MAX_S + MAX_B * MAX_S];
static float value[256];
static uint32_t indices[MAX_B];

static float draw(uint64_t purpose, uint64_t i)
{
    return random_normal(11, purpose, i);
}

// Fills the operands; outputs from O on are padding and zero.
static void fill(size_t I, size_t O, size_t S, size_t B)
{
    for (size_t v = 0; v < 256; v++)
        value[v] = (float)v / 79.0f;
    for (size_t o = 0; o < S; o++) {
        b[o] = o < O ? draw(1, o) : 0.0f;
        for (size_t i = 0; i < I; i++)
            W[i * S + o] = o < O ? draw(2, i * O + o) : 0.0f;
        for (size_t e = 0; e < B; e++)
            dy[e * S + o] = o < O ? draw(3, e * O + o) : 0.0f;
    }
    for (size_t i = 0; i < B * I; i++)
        x[i] = draw(4, i);
    for (size_t e = 0; e < B; e++) // some examples twice, most in disorder
        indices[e] = (uint32_t)(random_bits(11, 6, e) % B);
}

// B rows of I bytes, the last one at the end of its memory: three of ten are lit, or all, or none.
static unsigned char *make_bytes(size_t I, size_t B, unsigned lit_of_ten)
{
    unsigned char *bytes = malloc(B * I + (I == 0));
    if (bytes == NULL)
        abort();
    for (size_t i = 0; i < B * I; i++) {
        uint64_t bits = random_bits(11, 5, i);
        bytes[i] = bits % 10 >= lit_of_ten ? 0 : (unsigned char)(1 + (bits >> 32) % 255);
    }
    return bytes;
}

// Bits, not values: -0 is not +0.
static bool same(size_t n)
{
    return memcmp(found, twin, n * sizeof *found) == 0;
}

static const size_t outputs[] = {1, 10, 16, 17, 64, 100, 130};
enum { N_OUTPUTS = sizeof outputs / sizeof outputs[0] };

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

// The lists of rows of bytes as the format says, in memory that ends where they end.
typedef struct Lists {
    uint16_t *entries;
    uint32_t start[MAX_B + 1];
} Lists;

enum { BEFORE = 5 }; // entries before the first list

static void make_lists(Lists *lists, const unsigned char *bytes, size_t I, size_t B)
{
    size_t n = BEFORE;
    for (size_t i = 0; i < B * I; i++)
        n += bytes[i] != 0;
    lists->entries = malloc(n * sizeof *lists->entries);
    n = BEFORE;
    if (lists->entries == NULL)
        abort();
    memset(lists->entries, 0xab, n * sizeof *lists->entries);
    for (size_t e = 0; e < B; e++) {
        lists->start[e] = (uint32_t)n;
        for (size_t p = 0; p < I; p++)
            if (bytes[e * I + p] != 0)
                lists->entries[n++] = (uint16_t)(256 * p + bytes[e * I + p]);
    }
    lists->start[B] = (uint32_t)n;
}

static void check_sparse_list(size_t I, size_t B, unsigned lit_of_ten)
{
    unsigned char *bytes = make_bytes(I, B, lit_of_ten);
    const unsigned char *row[MAX_B];
    for (size_t e = 0; e < B; e++)
        row[e] = bytes + e * I;
    ByteRows rows = {row, B}, next = {row, B / 2};
    Lists expected, made = {.start = {BEFORE}};
    make_lists(&expected, bytes, I, B);
    size_t n = expected.start[B];
    made.entries = malloc((n + SPARSE_SLACK) * sizeof *made.entries);
    if (made.entries == NULL)
        abort();
    memset(made.entries, 0xab, BEFORE * sizeof *made.entries);
    kernels->sparse_list(made.entries, made.start, &rows, I, &next);
    CHECK(memcmp(made.start, expected.start, (B + 1) * sizeof *made.start) == 0 &&
              memcmp(made.entries, expected.entries, n * sizeof *made.entries) == 0,
          "%s: I = %zu, B = %zu, %u of 10 lit", kernels->isa, I, B, lit_of_ten);
    free(expected.entries);
    free(made.entries);
    free(bytes);
}

static void check_sparse_forward(size_t I, size_t O, size_t B, unsigned lit_of_ten, SumMode mode,
                                 bool fills_columns)
{
    static unsigned char columns[SPARSE_MAX_BYTES * TILE_EXAMPLES + 1];
    size_t S = kernel_row_stride(O), stride = S + KERNEL_PAD;
    fill(I, O, S, B);
    unsigned char *bytes = make_bytes(I, B, lit_of_ten);
    Lists lists;
    make_lists(&lists, bytes, I, B);
    SparseRows rows = {lists.entries, lists.start, 1, indices, B};
    SparseRows next = {lists.entries, lists.start, 1, indices, B / 2};
    for (size_t i = 0; i < B * stride; i++)
        found[i] = twin[i] = i % stride < O ? draw(7, i) : 0.0f;
    if (mode == SUM_ADD) // a sum that is continued never begins with a -0
        found[0] = twin[0] = -0.0f;
    SumRows sums = {found, stride, mode};
    memset(columns, 0xab, sizeof columns);
    kernels->sparse_forward(&sums, W, S, &rows, I, value, fills_columns ? columns : NULL, &next);
    for (size_t e = 0; e < B; e++)
        for (size_t o = 0; o < S; o++) {
            float *at = &twin[e * stride + o], sum = mode == SUM_CONTINUE ? *at : 0.0f;
            for (size_t p = 0; p < I; p++)
                sum += value[bytes[indices[e] * I + p]] * W[p * S + o];
            *at = mode == SUM_ADD ? *at + sum : sum;
        }
    CHECK(same(B * stride), "%s: I = %zu, O = %zu, B = %zu, %u of 10 lit, sums %d", kernels->isa, I,
          O, B, lit_of_ten, (int)mode);
    size_t wrong = 0, n_columns = fills_columns ? I * TILE_EXAMPLES : 0;
    for (size_t i = 0; i < n_columns; i++) {
        size_t p = i / TILE_EXAMPLES, e = i % TILE_EXAMPLES;
        wrong += columns[i] != (e < B ? bytes[indices[e] * I + p] : 0);
    }
    CHECK(wrong == 0 && columns[n_columns] == 0xab, "%s: I = %zu, B = %zu: %zu bytes of columns",
          kernels->isa, I, B, wrong);
    free(lists.entries);
    free(bytes);
}

static void check_columns_weight_gradient(size_t I, size_t O, size_t B, unsigned lit_of_ten)
{
    size_t S = kernel_row_stride(O), groups = (B + TILE_EXAMPLES - 1) / TILE_EXAMPLES;
    Range part = {I / 7, I - I / 9};
    fill(I, O, S, B);
    unsigned char *bytes = make_bytes(I, B, lit_of_ten);
    unsigned char *columns = calloc(groups * I + (I == 0), TILE_EXAMPLES);
    if (columns == NULL)
        abort();
    for (size_t e = 0; e < B; e++)
        for (size_t p = 0; p < I; p++)
            columns[(e / TILE_EXAMPLES * I + p) * TILE_EXAMPLES + e % TILE_EXAMPLES] =
                bytes[e * I + p];
    memcpy(found, W, I * S * sizeof *W);
    memcpy(twin, W, I * S * sizeof *W);
    kernels->sparse_weight_gradient(found, S, columns, B, I, value, dy, -0.01f, part);
    for (size_t p = part.first; p < part.end; p++)
        for (size_t o = 0; o < S; o++) {
            float sum = 0.0f;
            for (size_t e = 0; e < B; e++)
                sum += value[bytes[e * I + p]] * dy[e * S + o];
            twin[p * S + o] += -0.01f * sum;
        }
    CHECK(same(I * S), "%s: I = %zu, O = %zu, B = %zu, %u of 10 lit", kernels->isa, I, O, B,
          lit_of_ten);
    free(columns);
    free(bytes);
}

static const size_t widths[] = {0, 1, 6, 15, 16, 17, 50, 63, 64, 65, 98, 127, 128};
enum { N_WIDTHS = sizeof widths / sizeof widths[0] };
static const size_t batches[] = {1, 3, 63, 64, 65, 150};
enum { N_BATCHES = sizeof batches / sizeof batches[0] };

static void sparse_list(void)
{
    for (size_t w = 0; w < N_WIDTHS; w++)
        for (unsigned lit = 0; lit <= 10; lit += 2)
            check_sparse_list(widths[w], 1 + w, lit);
}

static void sparse_forward(void)
{
    for (size_t k = 0; k < N_OUTPUTS; k++)
        for (size_t w = 0; w < N_WIDTHS; w++)
            check_sparse_forward(widths[w], outputs[k], 1 + w % 3, 3, (SumMode)((k + w) % 3),
                                 w % 2 == 0);
    for (unsigned lit = 0; lit <= 10; lit += 5)
        for (size_t e = 0; e < 4; e++)
            check_sparse_forward(98, 64, batches[e], lit, (SumMode)((e + lit / 5) % 3), e % 2 == 0);
    for (int mode = SUM_STORE; mode <= SUM_CONTINUE; mode++) // empty sums
        check_sparse_forward(98, 17, 20, 0, (SumMode)mode, true);
}

static void sparse_weight_gradient(void)
{
    for (size_t w = 0; w < N_WIDTHS; w++)
        for (size_t e = 0; e < N_BATCHES; e++)
            check_columns_weight_gradient(widths[w], outputs[(w + e) % N_OUTPUTS], batches[e], 3);
    for (unsigned lit = 0; lit <= 10; lit += 5)
        check_columns_weight_gradient(98, 64, 150, lit);
}

static void lists_hold_what_is_lit_in_order(void)
{
    with_each_set(sparse_list);
}

static void sparse_forward_is_a_dense_sum_in_order(void)
{
    with_each_set(sparse_forward);
}

static void columns_weight_gradient_is_a_dense_sum_in_order(void)
{
    with_each_set(sparse_weight_gradient);
}

static void sum_parts_adds_to_the_bias_in_order(void)
{
    for (size_t i = 0; kernels_available(i) != NULL; i++)
        for (size_t k = 0; k < N_OUTPUTS; k++) {
            size_t O = outputs[k], S = kernel_row_stride(O);
            fill(8, O, S, 1);
            memcpy(found, b, S * sizeof *b);
            kernels_available(i)->sum_parts(found, W, 8, S);
            for (size_t o = 0; o < S; o++) {
                twin[o] = b[o];
                for (size_t part = 0; part < 8; part++)
                    twin[o] += W[part * S + o];
            }
            CHECK(same(S), "%s, O = %zu", kernels_available(i)->isa, O);
        }
}

// One shape through the kernels of a dense layer.
static void check_dense(size_t I, size_t O, size_t B)
{
    size_t S = kernel_row_stride(O), stride = round_up(I, KERNEL_PAD);
    Range rows = {I / 10, I - I / 7};
    fill(stride, O, S, B);

    kernels->dense_forward(found, W, b, S, x, stride, B, I);
    for (size_t e = 0; e < B; e++)
        for (size_t o = 0; o < S; o++) {
            twin[e * S + o] = b[o];
            for (size_t i = 0; i < I; i++)
                twin[e * S + o] += x[e * stride + i] * W[i * S + o];
        }
    CHECK(same(B * S), "%s: forward, I = %zu, O = %zu, B = %zu", kernels->isa, I, O, B);
    for (size_t o = O; o < S; o++)
        CHECK(found[o] == 0.0f, "%s: padding %zu is %g", kernels->isa, o, (double)found[o]);

    memset(found, 0, sizeof found);
    memset(twin, 0, sizeof twin);
    kernels->dense_backward(found, stride, W, S, dy, B, I, O);
    for (size_t e = 0; e < B; e++)
        for (size_t i = 0; i < I; i++)
            for (size_t o = 0; o < O; o++)
                twin[e * stride + i] += dy[e * S + o] * W[i * S + o];
    CHECK(same(B * stride), "%s: backward, I = %zu, O = %zu, B = %zu", kernels->isa, I, O, B);

    memcpy(found, W, I * S * sizeof *W);
    memcpy(twin, W, I * S * sizeof *W);
    kernels->dense_weight_gradient(found, S, x, stride, dy, B, 0.5f, rows);
    for (size_t i = rows.first; i < rows.end; i++)
        for (size_t o = 0; o < S; o++) {
            float sum = 0.0f;
            for (size_t e = 0; e < B; e++)
                sum += x[e * stride + i] * dy[e * S + o];
            twin[i * S + o] += 0.5f * sum;
        }
    CHECK(same(I * S), "%s: weight_gradient, I = %zu, O = %zu, B = %zu", kernels->isa, I, O, B);

    memcpy(found, b, sizeof b);
    memcpy(twin, b, sizeof b);
    kernels->bias_gradient(found, S, dy, B, 0.5f);
    for (size_t o = 0; o < S; o++) {
        float sum = 0.0f;
        for (size_t e = 0; e < B; e++)
            sum += dy[e * S + o];
        twin[o] += 0.5f * sum;
    }
    CHECK(same(S), "%s: bias, O = %zu, B = %zu", kernels->isa, O, B);
}

static void dense(void)
{
    for (size_t k = 0; k < N_OUTPUTS; k++)
        for (size_t B = 1; B <= 7; B += 2)
            check_dense(37, outputs[k], B);
    check_dense(64, 160, 16); // more outputs than are taken at once
}

static void dense_kernels_follow_their_written_order(void)
{
    with_each_set(dense);
}

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

// One call of the plain kernels, then the same of each other set, bit for bit.
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
    kernels_available(0)->softmax_cross_entropy(p, loss, predicted, a, 16, label, N_LOSSES, 10);
    CHECK(isnan(loss[3]), "NaN was lost");
    for (size_t i = 1; kernels_available(i) != NULL; i++) {
        kernels_available(i)->softmax_cross_entropy(q, other_loss, other, a, 16, label, N_LOSSES,
                                                    10);
        for (size_t e = 0; e < N_LOSSES; e++)
            CHECK(e == 3 ||
                      (memcmp(p + e * 16, q + e * 16, 10 * sizeof *p) == 0 &&
                       f32_bits(loss[e]) == f32_bits(other_loss[e]) && predicted[e] == other[e]),
                  "%s, example %zu: loss %.9g, plain %.9g", kernels_available(i)->isa, e,
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
    CHECK(kernels_choose("scalar", &err) && kernels == kernels_available(0), "scalar: %s",
          err.text);
    size_t last = 0;
    while (kernels_available(last + 1) != NULL)
        last++;
    CHECK(kernels_choose(NULL, &err) && kernels == kernels_available(last),
          "the fastest set is not the default");
    kernels = before;
}

int main(void)
{
    RUN(lists_hold_what_is_lit_in_order);
    RUN(sparse_forward_is_a_dense_sum_in_order);
    RUN(columns_weight_gradient_is_a_dense_sum_in_order);
    RUN(sum_parts_adds_to_the_bias_in_order);
    RUN(dense_kernels_follow_their_written_order);
    RUN(sigmoids_compute_their_formula);
    RUN(softmax_and_loss_agree_with_double_precision);
    RUN(softmax_has_the_same_bits_in_every_set);
    RUN(huge_logits_do_not_overflow_and_the_first_of_equals_wins);
    RUN(unknown_and_missing_sets_are_refused);
    return test_end();
}
