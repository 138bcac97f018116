// A file that `mlp export --format c --prepare` wrote, on images and probabilities that end where a
// page ends, and then on such as begin where one begins (page_end.h): cli_memory.sh compiles both
// and runs it. It prints the class of each image of the standard input, of 28 x 28 bytes each, and
// its probability.
#include "page_end.h"

#include <stdio.h>

enum { PIXELS = 28 * 28, CLASSES = 10 };

int model_classify(const unsigned char *pixels, float *probability);
int model_prepare(unsigned char *pixels, const unsigned char *image, int rows, int columns);

int main(void)
{
    unsigned char image[PIXELS];
    while (fread(image, 1, PIXELS, stdin) == PIXELS) {
        int k[2];
        float p[2];
        for (int i = 0; i < 2; i++) {
            unsigned char *pixels = page_place(PIXELS, i == 1),
                          *prepared = page_place(PIXELS, i == 1);
            float *probability = page_place(CLASSES * sizeof *probability, i == 1);
            memcpy(pixels, image, PIXELS);
            k[i] = model_classify(pixels, probability);
            p[i] = probability[k[i]];
            if (model_prepare(prepared, pixels, 28, 28) == 0 ||
                model_prepare(prepared, pixels, 1, PIXELS) == 0)
                return 2;
            page_free_from(0);
        }
        if (k[0] != k[1] || p[0] != p[1])
            return 3;
        printf("%d %.9g\n", k[0], (double)p[0]);
    }
    return 0;
}
