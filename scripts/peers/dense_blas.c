// The dense opponent: the same training as `mlp train`, with OpenBLAS or, compiled with
// -DWITH_ONEDNN, with oneDNN's sgemm for every product.
//
//   dense_blas DIR EPOCHS BATCH THREADS      DIR holds the four IDX files, not compressed
//
// Prints "seconds S" for each epoch and "accuracy A" on the test images. It is meant to be as fast
// as a dense program gets: pixels stay bytes until a batch is gathered, each bias is the weight of
// an input that is always 1, and a gradient is never stored, since the product that computes it
// subtracts it from the weights (alpha = -learning rate, beta = 1). It computes no loss.
//
// THREADS are its own (OpenMP) and share whole batches; those of the library, which share one
// product at a time, are set by OPENBLAS_NUM_THREADS or, for oneDNN, OMP_NUM_THREADS. One of the
// two should be 1; inside of a parallel region oneDNN has one.
#ifdef WITH_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#else
#include <cblas.h>
#endif
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#undef I // of <complex.h>, which OpenBLAS's header includes

// I inputs, H hidden units, C classes; a row of x or f ends with the 1 that multiplies the bias.
// LDX and LDF are the floats from one row to the next: whole cache lines.
enum { I = 784, H = 64, C = 10, N_TRAIN = 50000, N_TEST = 10000, LDX = 800, LDF = 80 };

static const float learning_rate = 1e-3F; // of the sum of a batch's gradients

typedef struct Net {
    float W1[H * LDX];
    float W2[C * LDF];
    float *x;    // (batch, LDX)
    float *f;    // (batch, LDF) hidden units
    float *d2;   // (batch, C) logits, then probabilities, then deltas
    float *d1;   // (batch, H) deltas of the hidden layer
    float scale; // x is a pixel's byte times this: byte / 255 / std
} Net;

// Z = alpha op(X) op(Y) + beta Z, row-major: op(X) is (m, k) and op(Y) (k, n); 'T' transposes. ldx
// is the floats from one row of X to the next.
static void sgemm(char op_x, char op_y, size_t m, size_t n, size_t k, float alpha, const float *X,
                  int ldx, const float *Y, int ldy, float beta, float *Z, int ldz)
{
#ifdef WITH_ONEDNN
    dnnl_sgemm(op_x, op_y, (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, alpha, X, ldx, Y, ldy, beta,
               Z, ldz);
#else
    cblas_sgemm(CblasRowMajor, op_x == 'T' ? CblasTrans : CblasNoTrans,
                op_y == 'T' ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, alpha, X, ldx, Y,
                ldy, beta, Z, ldz);
#endif
}

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "dense_blas: %s: %s\n", name, what);
    exit(1);
}

static void *allocate(size_t size)
{
    void *p = aligned_alloc(64, (size + 63) / 64 * 64);
    if (p == NULL)
        fail("no memory", "a buffer");
    return memset(p, 0, size);
}

// The first `size` bytes after the header of an IDX file.
static uint8_t *idx_read(const char *dir, const char *name, long header, size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = allocate(size);
    if (file == NULL || fseek(file, header, SEEK_SET) != 0 || fread(bytes, 1, size, file) != size)
        fail("cannot be read, or is too short", path);
    fclose(file);
    return bytes;
}

static uint64_t random_bits(void) // splitmix64
{
    static uint64_t state = 1;
    uint64_t z = state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static float random_normal(float deviation) // Box and Muller
{
    float u = ((float)(random_bits() >> 40) + 1.0F) * 0x1p-24F;
    float v = (float)(random_bits() >> 40) * 0x1p-24F;
    return deviation * sqrtf(-2.0F * logf(u)) * cosf(6.2831853F * v);
}

// The initial weights of mlp: see "Input, initial weights, split" in src/README.md.
static void net_init(Net *net, const uint8_t *pixels, size_t batch)
{
    double sum = 0.0, squares = 0.0, n = (double)N_TRAIN * I;
    for (size_t i = 0; i < (size_t)N_TRAIN * I; i++) {
        sum += pixels[i];
        squares += (double)(pixels[i] * pixels[i]);
    }
    net->scale = (float)(1.0 / sqrt(squares / n - sum / n * (sum / n)));
    for (size_t h = 0; h < H; h++)
        for (size_t i = 0; i < I; i++)
            net->W1[h * LDX + i] = random_normal(0.3F / sqrtf(I));
    for (size_t c = 0; c < C; c++)
        for (size_t h = 0; h < H; h++) {
            net->W2[c * LDF + h] = random_normal(5.0F / sqrtf(H));
            net->W2[c * LDF + H] -= 0.5F * net->W2[c * LDF + h];
        }
    net->x = allocate(batch * LDX * sizeof(float));
    net->f = allocate(batch * LDF * sizeof(float));
    net->d2 = allocate(batch * C * sizeof(float));
    net->d1 = allocate(batch * H * sizeof(float));
}

// Examples first to end - 1 of a batch: fills x, f and, with the probabilities, d2. The batch is
// the images that index names, in order.
static void net_forward(Net *net, const uint8_t *pixels, const uint32_t *index, size_t first,
                        size_t end)
{
    size_t n = end - first;
    for (size_t b = first; b < end; b++) {
        const uint8_t *image = pixels + (size_t)index[b] * I;
        float *x = net->x + b * LDX;
        for (size_t i = 0; i < I; i++)
            x[i] = (float)image[i] * net->scale;
        x[I] = 1.0F;
    }
    sgemm('N', 'T', n, H, I + 1, 1.0F, net->x + first * LDX, LDX, net->W1, LDX, 0.0F,
          net->f + first * LDF, LDF);
    for (size_t b = first; b < end; b++) {
        float *f = net->f + b * LDF;
        for (size_t h = 0; h < H; h++)
            f[h] = 1.0F / (1.0F + expf(-f[h]));
        f[H] = 1.0F;
    }
    sgemm('N', 'T', n, C, H + 1, 1.0F, net->f + first * LDF, LDF, net->W2, LDF, 0.0F,
          net->d2 + first * C, C);
    for (size_t b = first; b < end; b++) {
        float *p = net->d2 + b * C, largest = p[0], sum = 0.0F;
        for (size_t c = 1; c < C; c++)
            largest = p[c] > largest ? p[c] : largest;
        for (size_t c = 0; c < C; c++)
            sum += p[c] = expf(p[c] - largest);
        for (size_t c = 0; c < C; c++)
            p[c] /= sum;
    }
}

// The deltas of the same examples.
static void net_backward(Net *net, const uint8_t *labels, const uint32_t *index, size_t first,
                         size_t end)
{
    for (size_t b = first; b < end; b++)
        net->d2[b * C + labels[index[b]]] -= 1.0F;
    sgemm('N', 'N', end - first, H, C, 1.0F, net->d2 + first * C, C, net->W2, LDF, 0.0F,
          net->d1 + first * H, H);
    for (size_t b = first; b < end; b++)
        for (size_t h = 0; h < H; h++) {
            float f = net->f[b * LDF + h];
            net->d1[b * H + h] *= f * (1.0F - f);
        }
}

// Inputs first to end - 1 of W1, and with the first of them W2, from the deltas of n examples.
static void net_update(Net *net, size_t n, size_t first, size_t end)
{
    sgemm('T', 'N', H, end - first, n, -learning_rate, net->d1, H, net->x + first, LDX, 1.0F,
          net->W1 + first, LDX);
    if (first == 0)
        sgemm('T', 'N', C, H + 1, n, -learning_rate, net->d2, C, net->f, LDF, 1.0F, net->W2, LDF);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Each thread has its share of the examples, then its share of the weights.
static void train_epoch(Net *net, const uint8_t *pixels, const uint8_t *labels, uint32_t *order,
                        size_t batch, size_t threads)
{
    for (size_t i = N_TRAIN - 1; i > 0; i--) {
        size_t j = random_bits() % (i + 1);
        uint32_t swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
#pragma omp parallel num_threads((int)threads)
    for (size_t start = 0; start < N_TRAIN; start += batch) {
        size_t n = smaller(batch, N_TRAIN - start);
#pragma omp for schedule(static)
        for (size_t t = 0; t < threads; t++) {
            size_t first = n * t / threads, end = n * (t + 1) / threads;
            net_forward(net, pixels, order + start, first, end);
            net_backward(net, labels, order + start, first, end);
        }
#pragma omp for schedule(static)
        for (size_t t = 0; t < threads; t++)
            net_update(net, n, (I + 1) * t / threads / 16 * 16,
                       t + 1 < threads ? (I + 1) * (t + 1) / threads / 16 * 16 : I + 1);
    }
}

static double test_accuracy(Net *net, const char *dir, size_t batch)
{
    const uint8_t *pixels = idx_read(dir, "t10k-images-idx3-ubyte", 16, (size_t)N_TEST * I);
    const uint8_t *labels = idx_read(dir, "t10k-labels-idx1-ubyte", 8, N_TEST);
    uint32_t *index = allocate(batch * sizeof *index);
    size_t correct = 0;
    for (size_t first = 0; first < N_TEST; first += batch) {
        size_t n = smaller(batch, N_TEST - first);
        for (size_t b = 0; b < n; b++)
            index[b] = (uint32_t)(first + b);
        net_forward(net, pixels, index, 0, n);
        for (size_t b = 0; b < n; b++) {
            size_t best = 0;
            for (size_t c = 1; c < C; c++)
                best = net->d2[b * C + c] > net->d2[b * C + best] ? c : best;
            correct += best == labels[first + b];
        }
    }
    return (double)correct / N_TEST;
}

static double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    long epochs = argc == 5 ? strtol(argv[2], NULL, 10) : 0;
    long batch = argc == 5 ? strtol(argv[3], NULL, 10) : 0;
    long threads = argc == 5 ? strtol(argv[4], NULL, 10) : 0;
    if (epochs < 1 || batch < 1 || batch > N_TRAIN || threads < 1 || threads > 49) {
        fprintf(stderr, "usage: dense_blas DIR EPOCHS BATCH THREADS\n");
        return 2;
    }
    const uint8_t *pixels = idx_read(argv[1], "train-images-idx3-ubyte", 16, (size_t)N_TRAIN * I);
    const uint8_t *labels = idx_read(argv[1], "train-labels-idx1-ubyte", 8, N_TRAIN);
    uint32_t *order = allocate(N_TRAIN * sizeof *order);
    for (uint32_t i = 0; i < N_TRAIN; i++)
        order[i] = i;
    Net *net = allocate(sizeof *net);
    net_init(net, pixels, (size_t)batch);
    for (long epoch = 0; epoch < epochs; epoch++) {
        double start = clock_seconds();
        train_epoch(net, pixels, labels, order, (size_t)batch, (size_t)threads);
        printf("seconds %.6f\n", clock_seconds() - start);
    }
    printf("accuracy %.4f\n", test_accuracy(net, argv[1], (size_t)batch));
#ifdef WITH_ONEDNN
    const dnnl_version_t *v = dnnl_version();
    printf("version oneDNN %d.%d.%d, its sgemm\n", v->major, v->minor, v->patch);
#else
    printf("version OpenBLAS (%s, %s)\n", openblas_get_config(), openblas_get_corename());
#endif
}
