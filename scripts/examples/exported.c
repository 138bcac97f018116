// Runs a file that `mlp export --format c` wrote on the images of an IDX file:
//     cc -O3 -o exported scripts/examples/exported.c model.c
//     ./exported IMAGES LABELS [TIMES]    the accuracy, and with 2 TIMES or more images per second
//     ./exported IMAGES                   of each image the class and all probabilities
// The files are raw (gzip -dc decompresses them); -DNAME=digit when the model was exported with
// `--name digit`, -DCLASSES=N when there are more than 10, -DPREPARE=784 to prepare images of any
// size for a model of so many pixels, exported with `--prepare`.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifndef NAME
#define NAME model
#endif
#ifndef CLASSES
#define CLASSES 10
#endif
#define JOIN(a, b) a##b
#define OF(a, b)   JOIN(a, b)
#define CLASSIFY   OF(NAME, _classify)
#define CLASS_NAME OF(NAME, _class_name)
#define PREPARED   OF(NAME, _prepare)
int CLASSIFY(const unsigned char *pixels, float *probability);
const char *CLASS_NAME(int k);

static void fail(const char *path, const char *reason)
{
    fprintf(stderr, "exported: %s: %s\n", path, reason);
    exit(1);
}

// n items of rows x columns bytes.
typedef struct Idx {
    size_t n, rows, columns;
    unsigned char *data;
} Idx;

static size_t number(const unsigned char *bytes)
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

static Idx read_idx(const char *path, unsigned char dimensions)
{
    unsigned char head[16];
    size_t length = 4 + 4 * (size_t)dimensions;
    FILE *in = fopen(path, "rb");
    if (in == NULL || fread(head, 1, length, in) != length || head[0] != 0 || head[1] != 0 ||
        head[2] != 8 || head[3] != dimensions)
        fail(path, "not a raw IDX file of the expected kind");
    Idx idx = {number(head + 4), 1, 1, NULL};
    if (dimensions == 3) {
        idx.rows = number(head + 8);
        idx.columns = number(head + 12);
    }
    idx.data = malloc(idx.n * idx.rows * idx.columns);
    if (idx.data == NULL || fread(idx.data, idx.rows * idx.columns, idx.n, in) != idx.n)
        fail(path, "is not complete, or too large");
    fclose(in);
    return idx;
}

#ifdef PREPARE
int PREPARED(unsigned char *pixels, const unsigned char *image, int rows, int columns);
static int classify(const Idx *images, size_t i, float *probability)
{
    unsigned char pixels[PREPARE];
    if (!PREPARED(pixels, images->data + i * images->rows * images->columns, (int)images->rows,
                  (int)images->columns))
        fail("an image", "is all black, or too large");
    return CLASSIFY(pixels, probability);
}
#else
static int classify(const Idx *images, size_t i, float *probability)
{
    return CLASSIFY(images->data + i * images->rows * images->columns, probability);
}
#endif

static void print_accuracy(const Idx *images, const Idx *labels, size_t times)
{
    size_t correct = 0;
    clock_t start = clock();
    for (size_t time = 0; time < times; time++) {
        correct = 0;
        for (size_t i = 0; i < images->n; i++)
            correct += classify(images, i, NULL) == labels->data[i];
    }
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("accuracy %.2f %% (%lu of %lu)\n", 100.0 * (double)correct / (double)images->n,
           (unsigned long)correct, (unsigned long)images->n);
    if (times > 1)
        printf("%.0f images/s\n", (double)(images->n * times) / seconds);
}

static void print_answers(const Idx *images)
{
    for (size_t i = 0; i < images->n; i++) {
        float probability[CLASSES];
        printf("%s", CLASS_NAME(classify(images, i, probability)));
        for (size_t k = 0; k < CLASSES; k++)
            printf("\t%.9g", (double)probability[k]);
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: exported IMAGES [LABELS [TIMES]]\n");
        return 2;
    }
    Idx images = read_idx(argv[1], 3), labels = {0};
    if (argc == 2)
        print_answers(&images);
    else {
        labels = read_idx(argv[2], 1);
        if (labels.n != images.n)
            fail(argv[2], "does not have one label per image");
        print_accuracy(&images, &labels, argc > 3 ? strtoul(argv[3], NULL, 10) : 1);
    }
    free(images.data);
    free(labels.data);
    return 0;
}
