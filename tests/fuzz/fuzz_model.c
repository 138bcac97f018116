// Model files, past their checksum: whatever is accepted can be shown, asked for a prediction,
// written, and read again as the same.
#include "fuzz.h"
#include "model.h"

static void show(const Model *model)
{
    const char *key;
    char value[64];
    volatile float sink = 0.0F;
    for (size_t i = 0; model_setting(&model->settings, i, &key, value, sizeof value); i++)
        PROMISE(key[0] != '\0' && value[0] != '\0');
    network_sizes(&model->net, value, sizeof value);
    for (size_t t = 0; t < model->net.n_tensors; t++)
        for (size_t e = 0; e < tensor_size(model->net.tensors[t]); e++)
            sink = model->params[tensor_index(model->net.tensors[t], e)];
    (void)sink;
}

// Finite weights may still overflow: nothing more than a useless answer may come of that.
static void predict(const Model *model, Arena *arena)
{
    Error err = {""};
    const Architecture *a = &model->settings.architecture;
    unsigned char *pixels = arena_alloc(arena, a->rows * a->cols, 1, "pixels", &err), label = 0;
    Work work;
    PROMISE(pixels != NULL &&
            work_alloc(&work, &model->net, (WorkNeeds){.capacity = 1}, arena, &err));
    for (size_t p = 0; p < a->rows * a->cols; p++)
        pixels[p] = (unsigned char)(37 * p);
    const Dataset data = {.n = 1,
                          .rows = a->rows,
                          .cols = a->cols,
                          .n_classes = a->classes,
                          .pixels = pixels,
                          .labels = &label};
    const InputScale scale = input_scale(model->settings.pixel_std);
    const Batch batch = {.data = &data, .scale = &scale, .size = 1};
    network_predict(&model->net, model->params, &work, &batch);
    PROMISE(work.predicted[0] < a->classes);
}

static void write_and_read_again(const Model *model)
{
    Error err = {""};
    char *bytes = NULL;
    size_t size = 0;
    Output out = {.stream = open_memstream(&bytes, &size), .path = "memory"};
    PROMISE(out.stream != NULL);
    PROMISE(model_write(&model->settings, &model->net, model->params, &out, &err));
    PROMISE(fclose(out.stream) == 0);

    Arena arena = {0};
    Model again;
    PROMISE(model_parse(&again, &arena, (unsigned char *)bytes, size, &err));
    char before[64], after[64];
    const char *key;
    for (size_t i = 0; model_setting(&model->settings, i, &key, before, sizeof before); i++) {
        model_setting(&again.settings, i, &key, after, sizeof after);
        PROMISE(strcmp(key, "checksum_crc32") == 0 || strcmp(before, after) == 0);
    }
    PROMISE(model->net.n_parameters == again.net.n_parameters);
    PROMISE(memcmp(model->params, again.params, model->net.n_parameters * sizeof *model->params) ==
            0);
    arena_free(&arena);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    unsigned char *bytes = exact_copy(data, size);
    Arena arena = {0};
    Error err = {""};
    Model model;
    if (!model_parse(&model, &arena, bytes, size, &err)) {
        promise_reason(&err);
    } else {
        show(&model);
        predict(&model, &arena);
        write_and_read_again(&model);
    }
    arena_free(&arena);
    free(bytes);
    return 0;
}
