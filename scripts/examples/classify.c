// Says which digit a picture shows: classify MODEL PICTURE
#include <mlp.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    char error[MLP_ERROR_SIZE];
    if (argc != 3) {
        fprintf(stderr, "usage: classify MODEL PICTURE\n");
        return 2;
    }
    mlp_model *model = mlp_open(argv[1], error);
    if (model == NULL) {
        fprintf(stderr, "classify: %s\n", error);
        return 1;
    }

    float probability[MLP_MAX_CLASSES];
    unsigned char *image = malloc(mlp_rows(model) * mlp_cols(model));
    bool ok = image != NULL && mlp_prepare_file(model, argv[2], image, NULL, error) &&
              mlp_classify(model, image, 1, probability, NULL, error);
    if (!ok)
        fprintf(stderr, "classify: %s\n", image == NULL ? "out of memory" : error);
    for (size_t k = 0; ok && k < mlp_classes(model); k++)
        printf("%s\t%.9g\n", mlp_class_name(model, k), probability[k]);
    free(image);
    mlp_close(model);
    return ok ? 0 : 1;
}
