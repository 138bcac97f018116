// Every kernel, bit for bit, against a naive twin that follows the order written in kernels.h and
// nothing else: one sum after the other, no vector, no zero skipped.
#include "elementary.h"
#include "kernels.h"
#include "random.h"
#include "test.h"

#include <math.h>

enum { MAX_I = 80, MAX_B = 64, MAX_S = 128 };

static float W[MAX_I * MAX_S], b[MAX_S], x[MAX_B * MAX_I], dy[MAX_B * MAX_S];
static unsigned char bytes[MAX_I * MAX_B];
static float value[256];

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
    for (size_t i = 0; i < sizeof bytes; i++) {
        uint64_t bits = random_bits(11, 5, i);
        bytes[i] = bits % 10 < 7 ? 0 : (unsigned char)(bits >> 32);
    }
}

// Bits, not values: -0 is not +0.
static bool same(const float *a, const float *c, size_t n)
{
    return memcmp(a, c, n * sizeof *a) == 0;
}

static const size_t outputs[] = {1, 10, 16, 17, 64, 100};
enum { N_OUTPUTS = sizeof outputs / sizeof outputs[0] };

static void bytes_forward_is_a_dense_sum_in_order(void)
{
    for (size_t k = 0; k < N_OUTPUTS; k++) {
        size_t O = outputs[k], S = round_up(O, KERNEL_PAD);
        fill(MAX_I, O, S, 1);
        for (size_t first = 0; first <= 33; first += 11) {
            Range pixels = {first, MAX_I - 2 * first / 3};
            float sum[MAX_S], twin[MAX_S];
            kernel_bytes_forward(sum, W, S, bytes, value, pixels);
            for (size_t o = 0; o < S; o++) {
                twin[o] = 0.0f;
                for (size_t p = pixels.first; p < pixels.end; p++)
                    twin[o] += value[bytes[p]] * W[p * S + o];
            }
            CHECK(same(sum, twin, S), "O = %zu, pixels %zu to %zu", O, pixels.first, pixels.end);
        }
    }
}

static void bytes_accumulate_is_a_dense_sum_in_order(void)
{
    static const size_t batches[] = {1, 3, 64};
    for (size_t k = 0; k < N_OUTPUTS; k++)
        for (size_t j = 0; j < 3; j++) {
            size_t O = outputs[k], S = round_up(O, KERNEL_PAD), B = batches[j];
            static float into[MAX_I * MAX_S], twin[MAX_I * MAX_S];
            fill(MAX_I, O, S, B);
            memcpy(into, W, sizeof W);
            memcpy(twin, W, sizeof W);
            Range pixels = {5, 71};
            kernel_bytes_accumulate(into, S, bytes, MAX_B, value, dy, B, -0.01f, pixels);
            for (size_t p = pixels.first; p < pixels.end; p++)
                for (size_t o = 0; o < S; o++) {
                    float sum = 0.0f;
                    for (size_t e = 0; e < B; e++)
                        sum += value[bytes[p * MAX_B + e]] * dy[e * S + o];
                    twin[p * S + o] += -0.01f * sum;
                }
            CHECK(same(into, twin, MAX_I * S), "O = %zu, B = %zu", O, B);
        }
}

static void dense_kernels_follow_their_written_order(void)
{
    for (size_t k = 0; k < N_OUTPUTS; k++) {
        size_t O = outputs[k], S = round_up(O, KERNEL_PAD), I = 37, B = 5;
        static float into[MAX_I * MAX_S], twin_into[MAX_I * MAX_S];
        float y[MAX_S], twin_y[MAX_S], dx[MAX_I], twin_dx[MAX_I];
        fill(I, O, S, B);

        kernel_dense_forward(y, W, b, S, x, I);
        for (size_t o = 0; o < S; o++) {
            twin_y[o] = b[o];
            for (size_t i = 0; i < I; i++)
                twin_y[o] += x[i] * W[i * S + o];
        }
        CHECK(same(y, twin_y, S), "forward, O = %zu", O);

        kernel_dense_backward(dx, W, S, dy, I, O);
        for (size_t i = 0; i < I; i++) {
            twin_dx[i] = 0.0f;
            for (size_t o = 0; o < O; o++)
                twin_dx[i] += W[i * S + o] * dy[o];
        }
        CHECK(same(dx, twin_dx, I), "backward, O = %zu", O);

        memcpy(into, W, sizeof W);
        memcpy(twin_into, W, sizeof W);
        kernel_dense_accumulate(into, S, x, I, dy, B, 0.5f, (Range){3, 31});
        for (size_t i = 3; i < 31; i++)
            for (size_t o = 0; o < S; o++) {
                float sum = 0.0f;
                for (size_t e = 0; e < B; e++)
                    sum += x[e * I + i] * dy[e * S + o];
                twin_into[i * S + o] += 0.5f * sum;
            }
        CHECK(same(into, twin_into, I * S), "accumulate, O = %zu", O);

        float bias[MAX_S], twin_bias[MAX_S];
        memcpy(bias, b, sizeof b);
        memcpy(twin_bias, b, sizeof b);
        kernel_bias_accumulate(bias, S, dy, B, 0.5f);
        for (size_t o = 0; o < S; o++) {
            float sum = 0.0f;
            for (size_t e = 0; e < B; e++)
                sum += dy[e * S + o];
            twin_bias[o] += 0.5f * sum;
        }
        CHECK(same(bias, twin_bias, S), "bias, O = %zu", O);
        for (size_t o = O; o < S; o++)
            CHECK(y[o] == 0.0f && bias[o] == 0.0f, "padding %zu is not zero", o);
    }
}

static void elementwise_kernels_compute_their_formula(void)
{
    float y[41], dx[41], sum[41];
    fill(41, 41, 48, 1);
    kernel_sigmoid_forward(y, x, 41);
    kernel_sigmoid_backward(dx, y, W, 41);
    memcpy(sum, x, sizeof sum);
    kernel_add(sum, W, 41);
    for (size_t i = 0; i < 41; i++) {
        CHECK(y[i] == 1.0f / (1.0f + exp_f32(-x[i])), "sigmoid of %g", (double)x[i]);
        CHECK(fabs((double)y[i] - 1.0 / (1.0 + exp(-(double)x[i]))) < 1e-6, "sigmoid of %g is %g",
              (double)x[i], (double)y[i]);
        CHECK(dx[i] == W[i] * (y[i] * (1.0f - y[i])), "derivative at %zu", i);
        CHECK(sum[i] == x[i] + W[i], "sum at %zu", i);
    }
}

static void softmax_and_loss_agree_with_double_precision(void)
{
    for (size_t C = 2; C <= 40; C += 19)
        for (size_t label = 0; label < C; label += C - 1) {
            float p[40];
            double sum = 0.0, total = 0.0;
            fill(C, 1, 16, 1);
            float loss = kernel_softmax_cross_entropy(p, x, C, label);
            for (size_t k = 0; k < C; k++)
                sum += exp((double)x[k]);
            for (size_t k = 0; k < C; k++) {
                total += (double)p[k];
                CHECK(fabs((double)p[k] - exp((double)x[k]) / sum) < 1e-6, "class %zu", k);
            }
            double exact = log(sum) - (double)x[label];
            CHECK(fabs((double)loss - exact) < 1e-6, "loss %g, exactly %g", (double)loss, exact);
            CHECK(fabs(total - 1.0) < 1e-6, "probabilities add up to %g", total);
        }
}

static void losses_of_huge_logits_do_not_overflow_and_nan_is_kept(void)
{
    const float huge[3] = {3e38f, -3e38f, 0.0f}, broken[3] = {0.0f, NAN, 1.0f};
    float p[3];
    CHECK(kernel_softmax_cross_entropy(p, huge, 3, 0) == 0.0f, "the loss is not 0");
    CHECK(kernel_softmax_cross_entropy(p, huge, 3, 2) > 1e38f, "the loss is not huge");
    CHECK(isnan(kernel_softmax_cross_entropy(p, broken, 3, 0)), "NaN was lost");
}

static void argmax_takes_the_first_of_equals(void)
{
    const float values[5] = {1.0f, 3.0f, 2.0f, 3.0f, -1.0f};
    CHECK(kernel_argmax(values, 5) == 1, "%zu", kernel_argmax(values, 5));
    CHECK(kernel_argmax(values, 1) == 0, "%zu", kernel_argmax(values, 1));
}

int main(void)
{
    RUN(bytes_forward_is_a_dense_sum_in_order);
    RUN(bytes_accumulate_is_a_dense_sum_in_order);
    RUN(dense_kernels_follow_their_written_order);
    RUN(elementwise_kernels_compute_their_formula);
    RUN(softmax_and_loss_agree_with_double_precision);
    RUN(losses_of_huge_logits_do_not_overflow_and_nan_is_kept);
    RUN(argmax_takes_the_first_of_equals);
    return test_end();
}
