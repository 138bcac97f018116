// Loops over arrays of floats and bytes: all the arithmetic that training spends its time in.
// Nothing here knows what a layer, a batch or a network is. Read kernels_scalar.c next, which says
// in plain loops what is computed; simd_template.h computes the same in vectors, once for each
// instruction set, and kernels_dispatch.c chooses among them.
//
// All give the same bits. The order of every sum is written down here and is part of the program's
// recipe. Each sum starts at +0 or at a bias and takes its terms in ascending order, and every
// product is rounded before it is added (no fused multiply-add: not every machine has one, and its
// bits differ). Vector lanes run over outputs, which are independent sums, and never along a sum,
// so their number does not matter. Leaving out the term of a zero pixel changes no bit: the product
// is a zero, and a sum that began at +0 does not change by it, as long as W and dy are finite.
//
// Legend: B examples, I inputs, O outputs, C classes. Matrices are row-major; S, the distance in
// floats from one row to the next, is kernel_row_stride(O), the padding zero. Rows of floats
// begin at multiples of 64 bytes. The caller owns all memory; nothing here fails.
#ifndef MLP_KERNELS_H
#define MLP_KERNELS_H

#include "base.h"
#include "kernels_conv.h"

enum {
    KERNEL_PAD = 16, // floats: 64 bytes, a cache line or a vector of the widest set
    KERNEL_MAX_CLASSES = 256
};

// Rows whose distance is a multiple of a large power of two would compete for the same few sets of
// the cache (cache-set conflicts): 16 floats more spread them.
static inline size_t kernel_row_stride(size_t n)
{
    size_t stride = round_up(n, KERNEL_PAD);
    return stride > 64 && stride % 64 == 0 ? stride + KERNEL_PAD : stride;
}

// n rows of bytes, wherever they are.
typedef struct ByteRows {
    const unsigned char *const *row;
    size_t n;
} ByteRows;

// n rows of bytes as compressed sparse rows (CSR): only the nonzero bytes, in ascending order, as
// entries 256 * column + byte. Row e has the `length` entries from row[e].entries on, wherever they
// are. Two entries behind each may be read; so may two at row[n].entries.
enum {
    SPARSE_MAX_BYTES = 128, // in a row: 64 floats of W for each of them fill the innermost cache
    SPARSE_SLACK = 8        // entries behind the last list that may be read and overwritten
};
typedef struct SparseRow {
    const uint16_t *entries;
    size_t length;
} SparseRow;
typedef struct SparseRows {
    const SparseRow *row;
    size_t n;
} SparseRows;

// Transposed tiles hold the same bytes by column, so that the examples of a pixel are neighbours:
// for each TILE_EXAMPLES examples a matrix (I,TILE_EXAMPLES), one after the other; 0 where the last
// tile has no more examples.
enum { TILE_EXAMPLES = 64 };

// The destination of sums: that of row e is at `at` + e * stride. A sum starts at +0 and is stored
// there, or added to what is there; or it continues the sum that is there.
typedef enum SumMode { SUM_STORE, SUM_ADD, SUM_CONTINUE } SumMode;
typedef struct SumRows {
    float *at;
    size_t stride;
    SumMode mode;
} SumRows;

// The numbers of one step of Adam: g is the gradient, m and v running means of it and its square.
typedef struct AdamStep {
    float mean_share, square_share; // of the new value in m and in v
    float rate;                     // of the step, corrected for the bias of m
    float root_scale;               // corrects sqrt(v) for the bias of v
    float epsilon;
} AdamStep;

// An image to be interpolated between its pixels, as a table of quads (height,pitch): the four
// pixels around each place between pixels, the upper left one in bits 0 to 7, the upper right one
// in 8 to 15, the lower left one in 16 to 23, the lower right one in 24 to 31.
typedef struct QuadTable {
    uint32_t *quads;
    size_t pitch; // below 2^15
    uint32_t n;   // height * pitch
} QuadTable;

// Lines of points in a table, the same steps apart: (x + i dx, y + i dy), in units of
// 2^-POSITION_BITS. Each point is in the quad of row floor(y) and column floor(x), at the fractions
// of x and y to 8 bits.
enum {
    POSITION_BITS = 18,
    SAMPLE_SLACK = 16 // bytes, or quads, behind the last one that may be used
};
typedef struct SampleLine {
    size_t to;  // where the first value goes
    uint32_t n; // points, all within the table
    int32_t x, y;
} SampleLine;
typedef struct SampleLines {
    const SampleLine *lines;
    size_t n;
    int32_t dx, dy;
} SampleLines;

typedef struct Kernels {
    const char *isa; // the instruction set, as MLP_ISA has it: "avx2"

    // Lists the n rows of I <= SPARSE_MAX_BYTES bytes: start (n + 1) and, from start[0] on, which
    // is set, entries, with SPARSE_SLACK to spare. `next` is a hint: rows that will be asked for
    // next (n = 0: none).
    void (*sparse_list)(uint16_t *entries, uint32_t *start, const ByteRows *rows, size_t I,
                        const ByteRows *next);

    // sum[e] = sum over p of value[x[e][p]] * W[p]; x the B <= TILE_EXAMPLES rows of
    // I <= SPARSE_MAX_BYTES bytes, W (I,S), value (256). Leaves the bytes in tile
    // (I,TILE_EXAMPLES), unless it is NULL.
    void (*sparse_forward)(const SumRows *sums, const float *W, size_t S, const SparseRows *rows,
                           size_t I, const float *value, unsigned char *tile);

    // into (I,S), rows p: into[p] += scale * (sum over e of value[x[e][p]] * dy[e]); tiles the
    // bytes x of B examples, transposed, dy (B,S). The row of a pixel that is zero in all examples
    // may be left alone.
    void (*sparse_weight_gradient)(float *into, size_t S, const unsigned char *tiles, size_t B,
                                   size_t I, const float *value, const float *dy, float scale,
                                   Range rows);

    // Fills in a table: quad i is made of the bytes i, i + 1, i + pitch and i + pitch + 1 of image.
    // May read SAMPLE_SLACK bytes behind those, and write so many quads behind the n.
    void (*make_quads)(const QuadTable *table, const unsigned char *image);

    // Of each line, in their order, to[line.to + i] = the bilinear interpolation at point i, with
    // the fractions u, v of 256:
    // ((256-v) ((256-u) upper left + u upper right) + v ((256-u) lower left + u lower right) +
    // 2^15) / 2^16, rounded down. May set SAMPLE_SLACK bytes behind a line to 0.
    void (*sample_lines)(unsigned char *to, const QuadTable *table, const SampleLines *lines);

    // y (S) = ((y + part[0]) + part[1]) + ... + part[n-1]; part (n,S).
    void (*sum_parts)(float *y, const float *part, size_t n, size_t S);

    // y (B,S): y[e] = b + sum over i of x[e][i] * W[i]; b (S), W (I,S), x (B,x_stride).
    void (*dense_forward)(float *y, const float *W, const float *b, size_t S, const float *x,
                          size_t x_stride, size_t B, size_t I);

    // dx (B,dx_stride): dx[e][i] = sum over o of dy[e][o] * W[i][o]; W (I,S), dy (B,S).
    void (*dense_backward)(float *dx, size_t dx_stride, const float *W, size_t S, const float *dy,
                           size_t B, size_t I, size_t O);

    // into (I,S), rows i: into[i] += scale * (sum over e of x[e][i] * dy[e]); x (B,x_stride),
    // dy (B,S). The gradient of a bias is that of the weights of an input that is always 1.
    void (*dense_weight_gradient)(float *into, size_t S, const float *x, size_t x_stride,
                                  const float *dy, size_t B, float scale, Range rows);

    // y[i] = 1 / (1 + exp(-x[i])), n values, a multiple of KERNEL_PAD.
    void (*sigmoid_forward)(float *y, const float *x, size_t n);

    // dx[i] = dy[i] * (y[i] * (1 - y[i])), n values, a multiple of KERNEL_PAD; y the sigmoid's.
    void (*sigmoid_backward)(float *dx, const float *y, const float *dy, size_t n);

    // y[i] = 2 / (1 + exp(-2 x[i])) - 1, n values, a multiple of KERNEL_PAD.
    void (*tanh_forward)(float *y, const float *x, size_t n);

    // dx[i] = dy[i] * (1 - y[i] * y[i]), n values, a multiple of KERNEL_PAD; y the tanh's.
    void (*tanh_backward)(float *dx, const float *y, const float *dy, size_t n);

    // y[i] = 0 where x[i] <= 0, else x[i], so that NaN stays; n values, a multiple of KERNEL_PAD.
    void (*relu_forward)(float *y, const float *x, size_t n);

    // dx[i] = dy[i] where y[i] is above 0, else 0; n values, a multiple of KERNEL_PAD.
    void (*relu_backward)(float *dx, const float *y, const float *dy, size_t n);

    // For each example, of logits a (B,S) and its label: p (B,S) = softmax(a), the padding left
    // alone; predicted, the index of the largest logit, the first of equals; and the cross-entropy
    // loss -log p[label], as logsumexp(a) - a[label], which cannot overflow.
    void (*softmax_cross_entropy)(float *p, float *loss, unsigned char *predicted, const float *a,
                                  size_t S, const unsigned char *label, size_t B, size_t C);

    // The steps of optimizers, elementwise: n values of each array, which may begin anywhere.
    // Weight decay: p -= decay * p
    void (*decay_step)(float *p, size_t n, float decay);
    // Nesterov's momentum: v = momentum * v + g; p -= rate * (g + momentum * v); g = 0
    void (*momentum_step)(float *p, float *v, float *g, size_t n, float rate, float momentum);
    // Adam: m += mean_share * (g - m); v += square_share * (g * g - v);
    // p -= rate * m / (sqrt(v) * root_scale + epsilon); g = 0
    void (*adam_step)(float *p, float *m, float *v, float *g, size_t n, const AdamStep *step);
    // A running mean: a += share * (p - a)
    void (*average_step)(float *a, const float *p, size_t n, float share);

    const ConvKernels *conv;
} Kernels;

extern const Kernels kernels_scalar; // the reference

// The kernels in use: the scalar ones until a function below has chosen.
extern const Kernels *kernels;

// Chooses the kernels of the instruction set with that name, or, when it is NULL, the fastest that
// this CPU has. Fails on an unknown name and on a set that the CPU lacks. Call it before there are
// threads.
bool kernels_choose(const char *isa, Error *err);

// Chooses the fastest, unless kernels_choose was called. Any thread may call it, at any time.
void kernels_choose_once(void);

// The sets that this CPU can run, slowest first: number i, or NULL behind the last.
const Kernels *kernels_available(size_t i);

#endif
