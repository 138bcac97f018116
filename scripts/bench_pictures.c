// How well pictures of digits are recognised: MNIST test images drawn in each of the conditions of
// scene.h, prepared as `mlp predict` does and classified by a model, as a table.
//
//     build/plain/bench_pictures model.bin [N [NAME]]    # the conditions whose names contain NAME
#include "digit.h"
#include "idx.h"
#include "model.h"
#include "scene.h"

#include <stdio.h>
#include <string.h>

// What became of the pictures of one condition.
typedef struct Counts {
    size_t right, refused, doubted;
} Counts;

static unsigned classify(const Model *model, const InputScale *scale, Work *work,
                         const unsigned char *pixels)
{
    static const unsigned char no_label[1];
    Dataset data = {.n = 1,
                    .rows = SCENE_SIDE,
                    .cols = SCENE_SIDE,
                    .n_classes = model->net.architecture.classes,
                    .pixels = pixels,
                    .labels = no_label};
    Batch batch = {.data = &data, .scale = scale, .size = 1};
    network_predict(&model->net, model->params, work, &batch);
    return work->predicted[0];
}

static Counts count(const Scene *scene, const Dataset *images, size_t n, const Model *model,
                    Work *work)
{
    Counts counts = {0};
    InputScale scale = input_scale(model->facts.pixel_std);
    for (size_t i = 0; i < n; i++) {
        Arena arena = {0};
        Error err;
        unsigned char digit[SCENE_SIDE * SCENE_SIDE];
        const char *doubt = NULL;
        GreyImage picture = scene_draw(scene, images->pixels + i * sizeof digit, i);
        if (!digit_prepare(digit, SCENE_SIDE, SCENE_SIDE, &picture, &doubt, &arena, &err))
            counts.refused++;
        else if (classify(model, &scale, work, digit) == images->labels[i])
            counts.right++;
        counts.doubted += doubt != NULL;
        free((void *)(uintptr_t)picture.pixels);
        arena_free(&arena);
    }
    return counts;
}

int main(int argc, char **argv)
{
    Arena arena = {0};
    Error err;
    Model model;
    Dataset images;
    Work work;
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 300;
    if (argc < 2 || !model_read(&model, &arena, argv[1], &err) ||
        !idx_read_directory(&images, &arena, "data/mnist", MLP_TEST_FILES, false, &err) ||
        !work_alloc(&work, &model.net, (WorkNeeds){.capacity = 1, .forward_only = true}, &arena,
                    &err)) {
        fprintf(stderr, "bench_pictures: %s\n", argc < 2 ? "a MODEL is needed" : err.text);
        return EXIT_FAILURE;
    }
    printf("| picture | right | refused | doubted |\n| --- | --- | --- | --- |\n");
    for (size_t s = 0; s < N_SCENES; s++) {
        size_t used = n < images.n ? n : images.n;
        if (argc > 3 && strstr(scenes[s].name, argv[3]) == NULL)
            continue;
        if (scene_rows(&scenes[s]) >= 1000)
            used = (used + 9) / 10; // large pictures take long
        Counts counts = count(&scenes[s], &images, used, &model, &work);
        double percent = 100.0 / (double)used;
        printf("| %s | %.1f %% | %.1f %% | %.1f %% |\n", scenes[s].name,
               percent * (double)counts.right, percent * (double)counts.refused,
               percent * (double)counts.doubted);
        fflush(stdout);
    }
    arena_free(&arena);
    return EXIT_SUCCESS;
}
