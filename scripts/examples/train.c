// Trains a network and tests it: train DATA MODEL [EPOCHS]
#include <mlp.h>
#include <stdio.h>
#include <stdlib.h>

static bool show_epoch(void *context, const mlp_epoch *epoch, const mlp_model *model)
{
    (void)context, (void)model; // mlp_save(model, ...) here would make a checkpoint
    printf("epoch %zu: loss %.4f, validation accuracy %.2f %%\n", epoch->epoch, epoch->train_loss,
           100 * epoch->validation_accuracy);
    return true; // continue
}

static bool train(const char *directory, const char *path, mlp_settings *settings, char *error)
{
    mlp_observer observer = {.epoch = show_epoch};
    mlp_evaluation result;
    mlp_data *data = mlp_data_open(directory, MLP_TRAIN_FILES, false, error);
    mlp_data *test = data == NULL ? NULL : mlp_data_open(directory, MLP_TEST_FILES, false, error);
    mlp_model *model = test == NULL ? NULL : mlp_create(settings, data, error);
    bool ok = model != NULL &&
              mlp_train(model, data, settings->epochs, 0, &observer, error) == MLP_DONE &&
              mlp_save(model, path, error) &&
              mlp_evaluate(model, test, MLP_ALL, 0, &result, NULL, error);
    if (ok)
        printf("test accuracy %.2f %% (%zu of %zu)\n", 100 * result.accuracy, result.correct,
               result.n);
    mlp_close(model);
    mlp_data_close(test);
    mlp_data_close(data);
    return ok;
}

int main(int argc, char **argv)
{
    char error[MLP_ERROR_SIZE];
    mlp_settings settings;
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: train DATA MODEL [EPOCHS]\n");
        return 2;
    }
    bool ok = mlp_settings_default(&settings, "mlp", error);
    if (argc == 4)
        settings.epochs = strtoul(argv[3], NULL, 10);
    ok = ok && train(argv[1], argv[2], &settings, error);
    if (!ok)
        fprintf(stderr, "train: %s\n", error);
    return ok ? 0 : 1;
}
