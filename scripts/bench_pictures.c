// How well pictures of digits are recognised: MNIST test images drawn in each of the conditions of
// scene.h, prepared as `mlp predict` does and classified by a model, as a table.
//
//     build/plain/bench_pictures model.bin [N [NAME]]    # the conditions whose names contain NAME
#include "mlp.h"
#include "scene.h"

#include <stdio.h>
#include <string.h>

// What became of the pictures of one condition.
typedef struct Counts {
    size_t right, refused, doubted;
} Counts;

static size_t classify(const mlp_model *model, const unsigned char *image)
{
    float logits[MLP_MAX_CLASSES];
    size_t best = 0;
    if (!mlp_classify(model, image, 1, NULL, logits, NULL))
        abort();
    for (size_t k = 1; k < mlp_classes(model); k++)
        best = logits[k] > logits[best] ? k : best;
    return best;
}

static Counts count(const Scene *scene, const mlp_data *images, size_t n, const mlp_model *model)
{
    Counts counts = {0};
    for (size_t i = 0; i < n; i++) {
        unsigned char digit[SCENE_SIDE * SCENE_SIDE];
        const char *doubt = NULL;
        GreyImage picture = scene_draw(scene, images->pixels + i * sizeof digit, i);
        if (!mlp_prepare(model, picture.pixels, picture.rows, picture.cols, digit, &doubt, NULL))
            counts.refused++;
        else if (classify(model, digit) == images->labels[i])
            counts.right++;
        counts.doubted += doubt != NULL;
        free((void *)(uintptr_t)picture.pixels);
    }
    return counts;
}

int main(int argc, char **argv)
{
    char error[MLP_ERROR_SIZE] = "a MODEL is needed";
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 300;
    mlp_data *images = mlp_data_open("data/mnist", MLP_TEST_FILES, false, error);
    mlp_model *model = images != NULL && argc > 1 ? mlp_open(argv[1], error) : NULL;
    if (model == NULL || !mlp_fits(model, images, error)) {
        fprintf(stderr, "bench_pictures: %s\n", error);
        return EXIT_FAILURE;
    }
    printf("| picture | right | refused | doubted |\n| --- | --- | --- | --- |\n");
    for (size_t s = 0; s < N_SCENES; s++) {
        size_t used = n < images->n ? n : images->n;
        if (argc > 3 && strstr(scenes[s].name, argv[3]) == NULL)
            continue;
        if (scene_rows(&scenes[s]) >= 1000)
            used = (used + 9) / 10; // large pictures take long
        Counts counts = count(&scenes[s], images, used, model);
        double percent = 100.0 / (double)used;
        printf("| %s | %.1f %% | %.1f %% | %.1f %% |\n", scenes[s].name,
               percent * (double)counts.right, percent * (double)counts.refused,
               percent * (double)counts.doubted);
        fflush(stdout);
    }
    mlp_close(model);
    mlp_data_close(images);
    return EXIT_SUCCESS;
}
