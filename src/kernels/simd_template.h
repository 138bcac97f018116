// The kernels in vectors: what kernels.h asks for, with the instruction set that the including file
// names (kernels_avx2.c). Read kernels_scalar.c first, which computes the same in plain loops;
// simd_vectors.h has the widths. Here are the dense and the elementwise kernels; those of the
// sparse first layer and of convolutions are parts of their own.
#include "simd_vectors.h"

TARGET_BEGIN

#include "simd_conv_template.h"
#include "simd_sample_template.h"
#include "simd_sparse_template.h"

// ---------------------------------------------------------------------------------------------
// Dense layers: products of matrices

// to (r,KERNEL_PAD) = from + a w, where the sums begin at `from`, or at +0 where it is NULL, and
// take a[r * a_row + k * a_column] * w[k * w_row] for k = 0 .. n-1.
typedef struct Product {
    float *to;
    const float *from, *a, *w;
    size_t to_row, from_row, a_row, a_column, w_row, n;
} Product;

// `rows` rows from r on, whose sums are kept in registers.
INLINE void product_tile(const Product *m, size_t r, size_t rows)
{
    Vector tile[TILE_ROWS][PAD_VECTORS];
    const float *a = m->a + r * m->a_row, *w = m->w;
    UNROLL
    for (size_t i = 0; i < rows; i++) {
        UNROLL
        for (size_t j = 0; j < PAD_VECTORS; j++)
            tile[i][j] =
                m->from == NULL ? splat(0.0f) : load(m->from + (r + i) * m->from_row + j * LANES);
    }
    for (size_t k = 0; k < m->n; k++, a += m->a_column, w += m->w_row) {
        UNROLL
        for (size_t i = 0; i < rows; i++) {
            Vector v = splat(a[i * m->a_row]);
            UNROLL
            for (size_t j = 0; j < PAD_VECTORS; j++)
                tile[i][j] += v * load(w + j * LANES);
        }
    }
    UNROLL
    for (size_t i = 0; i < rows; i++) {
        UNROLL
        for (size_t j = 0; j < PAD_VECTORS; j++)
            store(m->to + (r + i) * m->to_row + j * LANES, tile[i][j]);
    }
}

INLINE void product(const Product *m, size_t rows)
{
    size_t r = 0;
    for (; r + TILE_ROWS <= rows; r += TILE_ROWS)
        product_tile(m, r, TILE_ROWS);
    for (; r < rows; r++)
        product_tile(m, r, 1);
}

static void simd_dense_forward(float *y, const float *W, const float *b, size_t S, const float *x,
                               size_t x_stride, size_t B, size_t I)
{
    for (size_t o = 0; o < S; o += KERNEL_PAD)
        product(&(Product){.to = y + o,
                           .to_row = S,
                           .from = b + o, // the same for every row
                           .a = x,
                           .a_row = x_stride,
                           .a_column = 1,
                           .w = W + o,
                           .w_row = S,
                           .n = I},
                B);
}

// With KERNEL_PAD columns of W^T at a time, which are copied, this is one more such product.
static void simd_dense_backward(float *dx, size_t dx_stride, const float *W, size_t S,
                                const float *dy, size_t B, size_t I, size_t O)
{
    enum { ROWS = 128 };
    float transposed[ROWS * KERNEL_PAD] __attribute__((aligned(64)));
    for (size_t i = 0; i < I; i += KERNEL_PAD)
        for (size_t o = 0; o < O; o += ROWS) {
            size_t n = O - o < ROWS ? O - o : ROWS;
            for (size_t j = 0; j < KERNEL_PAD; j++)
                for (size_t k = 0; k < n; k++)
                    transposed[k * KERNEL_PAD + j] = i + j < I ? W[(i + j) * S + o + k] : 0.0f;
            product(&(Product){.to = dx + i,
                               .to_row = dx_stride,
                               .from = o == 0 ? NULL : dx + i,
                               .from_row = dx_stride,
                               .a = dy + o,
                               .a_row = S,
                               .a_column = 1,
                               .w = transposed,
                               .w_row = KERNEL_PAD,
                               .n = n},
                    B);
        }
}

// into[v] += scale * sum[v]
INLINE void add_gradient(float *into, float scale, const float *sum)
{
    for (size_t j = 0; j < KERNEL_PAD; j += LANES)
        store(into + j, load(into + j) + splat(scale) * load(sum + j));
}

static void simd_dense_weight_gradient(float *into, size_t S, const float *x, size_t x_stride,
                                       const float *dy, size_t B, float scale, Range rows)
{
    enum { ROWS = 64 };
    float sums[ROWS * KERNEL_PAD] __attribute__((aligned(64)));
    for (size_t o = 0; o < S; o += KERNEL_PAD)
        for (size_t i = rows.first, n; i < rows.end; i += n) {
            n = rows.end - i < ROWS ? rows.end - i : ROWS;
            product(&(Product){.to = sums,
                               .to_row = KERNEL_PAD,
                               .a = x + i, // transposed
                               .a_row = 1,
                               .a_column = x_stride,
                               .w = dy + o,
                               .w_row = S,
                               .n = B},
                    n);
            for (size_t r = 0; r < n; r++)
                add_gradient(into + (i + r) * S + o, scale, sums + r * KERNEL_PAD);
        }
}

// ---------------------------------------------------------------------------------------------
// Elementwise: exp_f32 and log_f32 of elementary.h, lane by lane

enum { SIGMOIDS = 8 }; // vectors whose sigmoids are computed side by side

// exp(x) = power * exp(r): the argument reduced, and the power of 2.
typedef struct Reduced {
    Vector r, power;
} Reduced;

INLINE Reduced exp_reduce(Vector x)
{
    x = clamp(x, -87.0f, 88.0f);
    Vector shifted = x * 1.44269504f + 12582912.0f;
    Vector n = shifted - 12582912.0f;
    Vector r = x - n * LN2_HIGH;
    r = r - n * LN2_LOW;
    return (Reduced){r, (Vector)(((UintVector)shifted << 23) + 0x3f800000u)};
}

INLINE Vector exp_reduced(Reduced x)
{
    Vector exp_r = EXP_POLYNOMIAL(x.r) * (x.r * x.r) + x.r + 1.0f;
    return exp_r * x.power;
}

INLINE Vector log_vector(Vector x)
{
    UintVector shifted = (UintVector)x - 0x3f3504f3u;
    Vector n = __builtin_convertvector((IntVector)shifted >> 23, Vector);
    Vector r = (Vector)((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    Vector z = r * r;
    Vector tail = LOG_POLYNOMIAL(r) * (z * r) + n * LN2_LOW - 0.5f * z;
    // x - x is 0, and makes a NaN of what is not finite.
    return r + tail + n * LN2_HIGH + (x - x); // NOLINT(misc-redundant-expression)
}

// Every operation waits for the one before, in each of n vectors for itself: reduced one after the
// other, then finished, they overlap. This takes a fifth less time than one by one.
INLINE void sigmoid_vectors(float *y, const float *x, size_t n)
{
    Reduced reduced[SIGMOIDS];
    UNROLL
    for (size_t i = 0; i < n; i++)
        reduced[i] = exp_reduce(-load(x + i * LANES));
    UNROLL
    for (size_t i = 0; i < n; i++)
        store(y + i * LANES, 1.0f / (1.0f + exp_reduced(reduced[i])));
}

static void simd_sigmoid_forward(float *y, const float *x, size_t n)
{
    size_t i = 0;
    for (; i + SIGMOIDS * LANES <= n; i += SIGMOIDS * LANES)
        sigmoid_vectors(y + i, x + i, SIGMOIDS);
    for (; i < n; i += LANES)
        sigmoid_vectors(y + i, x + i, 1);
}

static void simd_sigmoid_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i += LANES)
        store(dx + i, load(dy + i) * (load(y + i) * (1.0f - load(y + i))));
}

static void simd_tanh_forward(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += LANES) {
        Reduced reduced = exp_reduce(-2.0f * load(x + i));
        store(y + i, 2.0f / (1.0f + exp_reduced(reduced)) - 1.0f);
    }
}

static void simd_tanh_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i += LANES)
        store(dx + i, load(dy + i) * (1.0f - load(y + i) * load(y + i)));
}

static void simd_relu_forward(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += LANES)
        store(y + i, choose(load(x + i) <= 0.0f, splat(0.0f), load(x + i)));
}

static void simd_relu_backward(float *dx, const float *y, const float *dy, size_t n)
{
    for (size_t i = 0; i < n; i += LANES)
        store(dx + i, choose(load(y + i) > 0.0f, load(dy + i), splat(0.0f)));
}

// ---------------------------------------------------------------------------------------------
// Steps of optimizers. The values behind the last whole vector are left to the scalar reference.

static void simd_decay_step(float *p, size_t n, float decay)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        Vector old = load_unaligned(p + i);
        store_unaligned(p + i, old - decay * old);
    }
    kernels_scalar.decay_step(p + i, n - i, decay);
}

static void simd_momentum_step(float *p, float *v, float *g, size_t n, float rate, float momentum)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        Vector gradient = load_unaligned(g + i);
        Vector velocity = momentum * load_unaligned(v + i) + gradient;
        store_unaligned(v + i, velocity);
        store_unaligned(p + i, load_unaligned(p + i) - rate * (gradient + momentum * velocity));
        store_unaligned(g + i, splat(0.0f));
    }
    kernels_scalar.momentum_step(p + i, v + i, g + i, n - i, rate, momentum);
}

static void simd_adam_step(float *p, float *m, float *v, float *g, size_t n, const AdamStep *step)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        Vector gradient = load_unaligned(g + i), mean = load_unaligned(m + i);
        Vector square = load_unaligned(v + i);
        mean += step->mean_share * (gradient - mean);
        square += step->square_share * (gradient * gradient - square);
        Vector root = square_root(square) * step->root_scale + step->epsilon;
        store_unaligned(m + i, mean);
        store_unaligned(v + i, square);
        store_unaligned(p + i, load_unaligned(p + i) - step->rate * mean / root);
        store_unaligned(g + i, splat(0.0f));
    }
    kernels_scalar.adam_step(p + i, m + i, v + i, g + i, n - i, step);
}

static void simd_average_step(float *a, const float *p, size_t n, float share)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        Vector old = load_unaligned(a + i);
        store_unaligned(a + i, old + share * (load_unaligned(p + i) - old));
    }
    kernels_scalar.average_step(a + i, p + i, n - i, share);
}

// ---------------------------------------------------------------------------------------------
// Softmax. Here a lane is an example.
static void simd_softmax_cross_entropy(float *p, float *loss, unsigned char *predicted,
                                       const float *a, size_t S, const unsigned char *label,
                                       size_t B, size_t C)
{
    float logit[KERNEL_MAX_CLASSES * LANES] __attribute__((aligned(64)));
    for (size_t e = 0; e < B; e += LANES) {
        size_t n = B - e < LANES ? B - e : LANES;
        for (size_t l = 0; l < LANES; l++)
            for (size_t k = 0; k < C; k++)
                logit[k * LANES + l] = l < n ? a[(e + l) * S + k] : 0.0f;

        Vector largest = load(logit);
        IntVector best = {0};
        for (size_t k = 1; k < C; k++) {
            IntVector above = load(logit + k * LANES) > largest;
            largest = choose(above, load(logit + k * LANES), largest);
            best = (best & ~above) | (above & (int32_t)k);
        }
        Vector sum = splat(0.0f);
        for (size_t k = 0; k < C; k++) {
            Vector exponential = exp_reduced(exp_reduce(load(logit + k * LANES) - largest));
            store(logit + k * LANES, exponential);
            sum += exponential;
        }
        for (size_t k = 0; k < C; k++)
            store(logit + k * LANES, load(logit + k * LANES) / sum);
        Vector log_sum = log_vector(sum);
        for (size_t l = 0; l < n; l++) {
            for (size_t k = 0; k < C; k++)
                p[(e + l) * S + k] = logit[k * LANES + l];
            loss[e + l] = log_sum[l] - (a[(e + l) * S + label[e + l]] - largest[l]);
            predicted[e + l] = (unsigned char)best[l];
        }
    }
}

TARGET_END

const Kernels KERNEL_TABLE = {
    .isa = KERNEL_ISA,
    .sparse_list = simd_sparse_list,
    .sparse_forward = simd_sparse_forward,
    .sparse_weight_gradient = simd_sparse_weight_gradient,
    .make_quads = simd_make_quads,
    .sample_lines = simd_sample_lines,
    .sum_parts = simd_sum_parts,
    .dense_forward = simd_dense_forward,
    .dense_backward = simd_dense_backward,
    .dense_weight_gradient = simd_dense_weight_gradient,
    .sigmoid_forward = simd_sigmoid_forward,
    .sigmoid_backward = simd_sigmoid_backward,
    .tanh_forward = simd_tanh_forward,
    .tanh_backward = simd_tanh_backward,
    .relu_forward = simd_relu_forward,
    .relu_backward = simd_relu_backward,
    .softmax_cross_entropy = simd_softmax_cross_entropy,
    .decay_step = simd_decay_step,
    .momentum_step = simd_momentum_step,
    .adam_step = simd_adam_step,
    .average_step = simd_average_step,
    .conv = &simd_conv_kernels,
};
