// A training that is stopped anywhere, saved, read and resumed ends with the bytes of one that was
// not, with any threads and under every setting; and what is kept when it ends early.
#include "mlp.h"

#include "files.h"
#include "random.h"
#include "test.h"

#include <math.h>

// 96 images for training in 4 batches, 24 for validation.
enum { N = 120, SIDE = 16, CLASSES = 10, BATCHES = 4, EPOCHS = 4, MAX_FILE = 1 << 20 };

static unsigned char pixels[N * SIDE * SIDE], labels[N];
static mlp_data *data;

// Images whose pixels depend a little on the label, so that an epoch may be worse than the last.
static void make_images(void)
{
    char error[MLP_ERROR_SIZE];
    for (size_t i = 0; i < N; i++) {
        labels[i] = (unsigned char)(random_bits(1, 1, i) % CLASSES);
        for (size_t p = 0; p < SIDE * SIDE; p++) {
            uint64_t bits = random_bits(1, 2, i * SIDE * SIDE + p);
            bool is_likely = random_bits(1, 3, (uint64_t)labels[i] * SIDE * SIDE + p) % 4 == 0;
            pixels[i * SIDE * SIDE + p] =
                bits % 100 < (is_likely ? 40 : 15) ? (unsigned char)(bits >> 32) : 0;
        }
    }
    data = mlp_data_from_memory(pixels, labels, N, SIDE, SIDE, error);
    if (data == NULL)
        abort();
}

// ---------------------------------------------------------------------------------------------
// The recipes: the settings that differ from the defaults

static const mlp_settings recipes[] = {
    {.architecture = "mlp"},
    {.momentum = 0.9},
    {.optimizer = "adam"},
    {.weight_decay = 0.01},
    {.ema = 0.9},
    {.momentum = 0.9, .ema = 0.9},
    {.schedule = "cosine", .warmup = 0.1},
    {.schedule = "one-cycle", .momentum = 0.9, .ema = 0.9, .weight_decay = 0.01},
    {.warmup = 0.5, .optimizer = "adam"},
    {.keep = "best"},
    {.keep = "best", .ema = 0.9, .optimizer = "adam"},
    {.patience = 3, .momentum = 0.5},
    {.keep = "best", .patience = 2, .schedule = "cosine", .ema = 0.8},
    {.rotate = 10, .scale = 0.1, .shift = 1, .shear = 0.1},
    {.rotate = 10, .shift = 1, .momentum = 0.9, .ema = 0.9, .schedule = "cosine", .keep = "best"},
    {.hidden = {5, 4, 3}, .activation = "tanh", .momentum = 0.9},
    {.architecture = "cnn", .momentum = 0.9, .weight_decay = 0.01, .ema = 0.9, .keep = "best"},
};
enum { N_RECIPES = sizeof recipes / sizeof recipes[0] };

// Copies a member where the recipe sets it.
#define TAKE(member)                                                                               \
    do {                                                                                           \
        static const mlp_settings unset;                                                           \
        if (memcmp(&recipe->member, &unset.member, sizeof unset.member) != 0)                      \
            memcpy(&s.member, &recipe->member, sizeof s.member);                                   \
    } while (0)

static mlp_settings settings_of(const mlp_settings *recipe)
{
    mlp_settings s;
    char error[MLP_ERROR_SIZE];
    if (!mlp_settings_default(&s, recipe->architecture == NULL ? "mlp" : recipe->architecture,
                              error))
        abort();
    memset(s.hidden, 0, sizeof s.hidden);
    s.hidden[0] = 4;
    s.batch_size = 24;
    s.learning_rate = 0.01;
    s.validation_size = 24;
    s.epochs = EPOCHS;
    TAKE(hidden);
    TAKE(activation);
    TAKE(optimizer);
    TAKE(momentum);
    TAKE(weight_decay);
    TAKE(schedule);
    TAKE(warmup);
    TAKE(ema);
    TAKE(rotate);
    TAKE(scale);
    TAKE(shift);
    TAKE(shear);
    TAKE(patience);
    TAKE(keep);
    return s;
}

// ---------------------------------------------------------------------------------------------
// Trainings

typedef struct Run {
    size_t batches_left; // until a callback stops the training
    mlp_epoch last, kept;
    double least_loss; // of all validations
    size_t least_epoch;
} Run;

static bool watch_batch(void *context, size_t epoch, size_t done, double loss)
{
    (void)epoch, (void)done, (void)loss;
    return --((Run *)context)->batches_left > 0;
}

static bool watch_epoch(void *context, const mlp_epoch *epoch, const mlp_model *model)
{
    Run *run = context;
    (void)model;
    run->last = *epoch;
    if (epoch->is_kept)
        run->kept = *epoch;
    if (run->least_epoch == 0 || epoch->validation_loss < run->least_loss) {
        run->least_loss = epoch->validation_loss;
        run->least_epoch = epoch->epoch;
    }
    return true;
}

static mlp_result train(mlp_model *model, Run *run, size_t epochs, size_t threads, char *error)
{
    const mlp_observer observer = {.context = run, .batch = watch_batch, .epoch = watch_epoch};
    run->batches_left = run->batches_left == 0 ? SIZE_MAX : run->batches_left;
    return mlp_train(model, data, epochs, threads, &observer, error);
}

// The bytes of a model's file.
typedef struct File {
    size_t size;
    unsigned char bytes[MAX_FILE];
} File;

static void save(File *file, const mlp_model *model)
{
    char error[MLP_ERROR_SIZE] = "";
    if (!mlp_save(model, work_path("model"), error))
        printf("  %s\n", error);
    file->size = read_file(work_path("model"), file->bytes, sizeof file->bytes);
}

static bool same_file(const File *a, const File *b)
{
    return a->size > 0 && a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

// Whether the header has the text.
static bool mentions(const File *file, const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i + length <= file->size; i++)
        if (memcmp(file->bytes + i, text, length) == 0)
            return true;
    return false;
}

static mlp_model *create(const mlp_settings *settings)
{
    char error[MLP_ERROR_SIZE];
    mlp_model *model = mlp_create(settings, data, error);
    if (model == NULL) {
        printf("  %s\n", error);
        abort();
    }
    return model;
}

static File whole, half, end; // too large for the stack

// One training of the recipe without a stop.
static void train_whole(size_t recipe, Run *run)
{
    char error[MLP_ERROR_SIZE];
    mlp_settings settings = settings_of(&recipes[recipe]);
    mlp_model *model = create(&settings);
    mlp_result result = train(model, run, EPOCHS, 1, error);
    CHECK(result == MLP_DONE, "recipe %zu: %s", recipe, error);
    save(&whole, model);
    mlp_close(model);
}

// The same, stopped in some batch.
static void train_in_two(size_t recipe, size_t batch, size_t threads)
{
    char error[MLP_ERROR_SIZE] = "";
    mlp_settings settings = settings_of(&recipes[recipe]);
    mlp_model *model = create(&settings);
    Run run = {.batches_left = batch};
    mlp_result first = train(model, &run, EPOCHS, 1 + threads % 3, error);
    CHECK(first == MLP_STOPPED || first == MLP_DONE, "recipe %zu, batch %zu: result %d, %s", recipe,
          batch, (int)first, error);
    save(&half, model);
    mlp_close(model);
    model = mlp_open_memory(half.bytes, half.size, error);
    REQUIRE(model != NULL, "recipe %zu, batch %zu: %s", recipe, batch, error);
    save(&end, model);
    CHECK(same_file(&half, &end), "recipe %zu, batch %zu: read and written, other bytes", recipe,
          batch);
    run = (Run){.batches_left = 0};
    mlp_result second = train(model, &run, EPOCHS, threads, error);
    CHECK(second == MLP_DONE, "recipe %zu, batch %zu: %s", recipe, batch, error);
    save(&end, model);
    CHECK(same_file(&end, &whole),
          "recipe %zu, stopped in batch %zu, resumed with %zu threads: "
          "other bytes",
          recipe, batch, threads);
    mlp_close(model);
}

static void resumed_trainings_end_with_the_same_bytes_under_every_setting(void)
{
    for (size_t recipe = 0; recipe < N_RECIPES; recipe++) {
        Run run = {0};
        train_whole(recipe, &run);
        for (size_t batch = 1; batch <= EPOCHS * BATCHES; batch++)
            train_in_two(recipe, batch, 1 + batch % 3);
    }
}

// In one process, without a file.
static void a_training_that_is_stopped_in_memory_can_continue(void)
{
    for (size_t recipe = 0; recipe < N_RECIPES; recipe++) {
        Run run = {0}, stopped = {.batches_left = 6};
        char error[MLP_ERROR_SIZE] = "";
        mlp_settings settings = settings_of(&recipes[recipe]);
        train_whole(recipe, &run);
        mlp_model *model = create(&settings);
        mlp_result first = train(model, &stopped, EPOCHS, 1, error);
        stopped = (Run){.batches_left = 0};
        mlp_result second = train(model, &stopped, EPOCHS, 1, error);
        CHECK(first == MLP_STOPPED && second == MLP_DONE, "recipe %zu: %s", recipe, error);
        save(&end, model);
        CHECK(same_file(&end, &whole), "recipe %zu: other bytes", recipe);
        mlp_close(model);
    }
}

// ---------------------------------------------------------------------------------------------
// What the file has

static void a_file_has_the_blocks_that_its_settings_need_and_no_others(void)
{
    static const char *const blocks[] = {"train.weights.fc1.weight", "train.average.fc2.bias",
                                         "train.momentum.fc1.bias", "train.mean.fc2.weight",
                                         "train.square.fc2.weight"};
    static const struct {
        mlp_settings recipe;
        const char *blocks; // a digit for each that is there
        bool is_planned;
    } cases[] = {
        {{.weight_decay = 0.01}, "", false},
        {{.momentum = 0.9}, "2", false},
        {{.optimizer = "adam"}, "34", false},
        {{.ema = 0.9}, "0", false},
        {{.keep = "best"}, "0", false},
        {{.patience = 4}, "", false},
        {{.ema = 0.9, .keep = "best", .momentum = 0.9}, "012", false},
        {{.schedule = "cosine"}, "", true},
        {{.schedule = "cosine", .optimizer = "adam", .ema = 0.9}, "034", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char error[MLP_ERROR_SIZE];
        mlp_settings settings = settings_of(&cases[i].recipe);
        mlp_model *model = create(&settings);
        save(&half, model);
        CHECK(!mentions(&half, "\"train.") && !mentions(&half, "_epoch"), "case %zu, untrained", i);
        Run run = {.batches_left = 2 * BATCHES};
        (void)train(model, &run, EPOCHS, 1, error);
        save(&half, model);
        for (size_t b = 0; b < 5; b++) {
            bool is_expected = strchr(cases[i].blocks, '0' + (int)b) != NULL;
            CHECK(mentions(&half, blocks[b]) == is_expected, "case %zu: %s", i, blocks[b]);
        }
        CHECK(mentions(&half, "\"planned_epochs\":\"4\"") == cases[i].is_planned, "case %zu", i);
        run = (Run){.batches_left = 0};
        (void)train(model, &run, EPOCHS, 1, error);
        save(&end, model);
        CHECK(mentions(&end, "\"train.") == (!cases[i].is_planned && *cases[i].blocks != '\0'),
              "case %zu: at its end", i);
        mlp_close(model);
    }
}

static void a_planned_training_cannot_become_longer_or_shorter(void)
{
    for (size_t i = 0; i < 2; i++) {
        char error[MLP_ERROR_SIZE] = "";
        mlp_settings settings = settings_of(i == 0 ? &(mlp_settings){.schedule = "cosine"}
                                                   : &(mlp_settings){.warmup = 0.1});
        mlp_model *model = create(&settings);
        Run run = {.batches_left = 2 * BATCHES};
        (void)train(model, &run, EPOCHS, 1, error);
        for (size_t epochs = EPOCHS - 1; epochs <= EPOCHS + 1; epochs += 2) {
            run = (Run){.batches_left = 0};
            CHECK(train(model, &run, epochs, 1, error) == MLP_FAILED &&
                      strstr(error, "4 epochs") != NULL && strstr(error, "--from") != NULL,
                  "%zu epochs: %s", epochs, error);
        }
        CHECK(train(model, &run, 2, 1, error) == MLP_DONE, "the epochs that it has: %s", error);
        CHECK(train(model, &run, EPOCHS, 1, error) == MLP_DONE && run.last.epoch == EPOCHS, "%s",
              error);
        mlp_close(model);
    }
}

// ---------------------------------------------------------------------------------------------
// Patience and the best epoch

// Large steps, so that the loss goes up and down.
static mlp_settings restless(const mlp_settings *recipe)
{
    mlp_settings settings = settings_of(recipe);
    settings.learning_rate = 0.05;
    settings.epochs = 40;
    return settings;
}

static void the_best_epoch_is_kept_and_measured_again(void)
{
    for (size_t i = 0; i < 2; i++) {
        char error[MLP_ERROR_SIZE] = "";
        mlp_settings settings =
            restless(&(mlp_settings){.keep = "best", .ema = i == 0 ? 0.0 : 0.5});
        mlp_model *model = create(&settings);
        mlp_evaluation found;
        Run run = {0};
        REQUIRE(train(model, &run, 40, 1, error) == MLP_DONE &&
                    mlp_evaluate(model, data, MLP_VALIDATION, 1, &found, NULL, error),
                "%s", error);
        CHECK(run.kept.epoch == run.least_epoch && run.least_epoch < 40, "kept %zu, best %zu",
              run.kept.epoch, run.least_epoch);
        CHECK(memcmp(&found.loss, &run.least_loss, sizeof found.loss) == 0, "losses %.17g, %.17g",
              found.loss, run.least_loss);
        CHECK(mlp_model_settings(model)->epochs == 40, "%d epochs",
              (int)mlp_model_settings(model)->epochs);
        mlp_close(model);
    }
}

static void patience_ends_the_training(void)
{
    for (size_t patience = 1; patience <= 3; patience++) {
        char error[MLP_ERROR_SIZE] = "";
        mlp_settings settings = restless(&(mlp_settings){.patience = patience, .momentum = 0.5});
        mlp_model *model = create(&settings);
        Run run = {0};
        REQUIRE(train(model, &run, 40, 1, error) == MLP_DONE, "%s", error);
        CHECK(run.last.epoch == run.least_epoch + patience && run.last.epoch < 40,
              "patience %zu: best %zu, last %zu", patience, run.least_epoch, run.last.epoch);
        CHECK(run.kept.epoch == run.last.epoch, "kept %zu", run.kept.epoch);
        save(&half, model);
        CHECK(!mentions(&half, "\"train."), "patience %zu: a state that nobody needs", patience);
        run = (Run){0};
        CHECK(train(model, &run, 40, 1, error) == MLP_DONE && run.last.epoch == 0,
              "patience %zu: went on: %s", patience, error);
        mlp_close(model);
    }
}

// Measuring the last epoch alone is no way around them.
static void patience_and_the_best_epoch_need_every_validation(void)
{
    char error[MLP_ERROR_SIZE] = "";
    static const mlp_settings needs[] = {{.keep = "best"}, {.patience = 40}, {.ema = 0.5}};
    for (size_t i = 0; i < 3; i++) {
        mlp_settings settings = settings_of(&needs[i]);
        mlp_model *model = create(&settings);
        Run run = {.batches_left = BATCHES};
        const mlp_observer observer = {.context = &run,
                                       .validate_last_only = true,
                                       .batch = watch_batch,
                                       .epoch = watch_epoch};
        (void)mlp_train(model, data, EPOCHS, 1, &observer, error);
        CHECK(isnan(run.last.validation_loss) == (i == 2), "case %zu: %g", i,
              run.last.validation_loss);
        mlp_close(model);
    }
}

int main(void)
{
    make_images();
    RUN(resumed_trainings_end_with_the_same_bytes_under_every_setting);
    RUN(a_training_that_is_stopped_in_memory_can_continue);
    RUN(a_file_has_the_blocks_that_its_settings_need_and_no_others);
    RUN(a_planned_training_cannot_become_longer_or_shorter);
    RUN(the_best_epoch_is_kept_and_measured_again);
    RUN(patience_ends_the_training);
    RUN(patience_and_the_best_epoch_need_every_validation);
    mlp_data_close(data);
    return test_end();
}
