// Runs a file that `mlp export --format c` wrote on the images of an IDX file:
//     cc -O3 -o exported scripts/examples/exported.c model.c
//     ./exported IMAGES LABELS [TIMES]    the accuracy, and images per second of TIMES passes
//     ./exported IMAGES                   of each image the class and all probabilities
// The files are raw (gzip -dc decompresses them); -DNAME=digit when the model was exported with
// `--name digit`, -DCLASSES=N when there are more than 10.
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
int OF(NAME, _classify)(const unsigned char *pixels, float *probability);
const char *OF(NAME, _class_name)(int k);

static void fail(const char *path, const char *reason)
{
    fprintf(stderr, "exported: %s: %s\n", path, reason);
    exit(1);
}

static size_t number(const unsigned char *bytes)
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

// The data of an IDX file of bytes with that many dimensions, `size` bytes for each of its n items.
static unsigned char *read_idx(const char *path, unsigned char dimensions, size_t *n, size_t *size)
{
    unsigned char head[16], *data;
    size_t length = 4 + 4 * (size_t)dimensions;
    FILE *in = fopen(path, "rb");
    if (in == NULL || fread(head, 1, length, in) != length || head[0] != 0 || head[1] != 0 ||
        head[2] != 8 || head[3] != dimensions)
        fail(path, "not a raw IDX file of the expected kind");
    *n = number(head + 4);
    *size = dimensions == 3 ? number(head + 8) * number(head + 12) : 1;
    data = malloc(*n * *size);
    if (data == NULL || fread(data, *size, *n, in) != *n)
        fail(path, "is not complete, or too large");
    fclose(in);
    return data;
}

int main(int argc, char **argv)
{
    size_t n, n_labels, size, one, correct = 0, i, time;
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: exported IMAGES [LABELS [TIMES]]\n");
        return 2;
    }
    unsigned char *images = read_idx(argv[1], 3, &n, &size), *labels = NULL;
    if (argc > 2 && (labels = read_idx(argv[2], 1, &n_labels, &one)) != NULL && n_labels != n)
        fail(argv[2], "does not have one label per image");
    size_t times = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
    clock_t start = clock();
    for (time = 0; labels != NULL && time < times; time++)
        for (correct = 0, i = 0; i < n; i++)
            correct += OF(NAME, _classify)(images + i * size, NULL) == labels[i];
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    if (labels != NULL)
        printf("accuracy %.2f %% (%lu of %lu)\n", 100.0 * (double)correct / (double)n,
               (unsigned long)correct, (unsigned long)n);
    if (argc > 3)
        printf("%.0f images/s\n", (double)(n * times) / seconds);
    for (i = 0; labels == NULL && i < n; i++) {
        float probability[CLASSES];
        printf("%s", OF(NAME, _class_name)(OF(NAME, _classify)(images + i * size, probability)));
        for (size_t k = 0; k < CLASSES; k++)
            printf("\t%.9g", (double)probability[k]);
        printf("\n");
    }
    free(images);
    free(labels);
    return 0;
}
