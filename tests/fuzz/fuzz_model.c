// Model files, past their checksum: whatever is accepted can be shown, asked for a prediction,
// written, and read again as the same.
#include "fuzz.h"
#include "model.h"

static void show(const Model *model)
{
    ModelEntry list[MODEL_MAX_ENTRIES];
    size_t n = model_entries(list, settings_table, model);
    char value[NETWORK_SIZES_SIZE];
    volatile float sink = 0.0F;
    for (size_t i = 0; i < n; i++)
        PROMISE(list[i].row->key[0] != '\0' &&
                setting_text(list[i].row, list[i].from, value)[0] != '\0');
    network_sizes(&model->net, value, sizeof value);
    for (size_t t = 0; t < model->net.n_tensors; t++)
        for (size_t e = 0; e < tensor_size(model->net.tensors[t]); e++)
            sink = model->params[tensor_index(model->net.tensors[t], e)];
    (void)sink;
}

// Finite weights may still overflow: then there is an error, and nothing more.
static void predict(const Model *model, Arena *arena)
{
    Error err = {""};
    size_t n = mlp_rows(model) * mlp_cols(model);
    unsigned char *pixels = arena_alloc(arena, n, 1, "pixels", &err);
    float probabilities[MLP_MAX_CLASSES], logits[MLP_MAX_CLASSES];
    PROMISE(pixels != NULL);
    for (size_t p = 0; p < n; p++)
        pixels[p] = (unsigned char)(37 * p);
    if (!mlp_classify(model, pixels, 1, probabilities, logits, err.text))
        promise_reason(&err);
}

static void write_and_read_again(const Model *model)
{
    Error err = {""};
    char *bytes = NULL;
    size_t size = 0;
    Output out = {.stream = open_memstream(&bytes, &size), .path = "memory"};
    PROMISE(out.stream != NULL);
    PROMISE(model_write(model, &out, &err));
    PROMISE(fclose(out.stream) == 0);

    Arena arena = {0};
    Model again;
    PROMISE(model_parse(&again, &arena, (unsigned char *)bytes, size, &err));
    ModelEntry was[MODEL_MAX_ENTRIES], is[MODEL_MAX_ENTRIES];
    size_t n = model_entries(was, settings_table, model);
    PROMISE(model_entries(is, settings_table, &again) == n);
    for (size_t i = 0; i < n; i++) {
        char before[NUMBER_SIZE], after[NUMBER_SIZE];
        PROMISE(was[i].row == is[i].row);
        PROMISE(strcmp(was[i].row->key, "checksum_crc32") == 0 ||
                strcmp(setting_text(was[i].row, was[i].from, before),
                       setting_text(is[i].row, is[i].from, after)) == 0);
    }
    PROMISE(model->net.n_parameters == again.net.n_parameters);
    PROMISE(memcmp(model->params, again.params, model->net.n_parameters * sizeof *model->params) ==
            0);
    for (size_t b = 0; b < TRAIN_MAX_BLOCKS; b++)
        PROMISE(model->state.blocks[b] == NULL ||
                memcmp(model->state.blocks[b], again.state.blocks[b],
                       model->net.n_parameters * sizeof(float)) == 0);
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
