// The public interface, as a program sees it that includes mlp.h alone: what is returned, who owns
// it, what errors say, and that several threads may use one model. cli_library.sh compares its
// results with the commands'.
#include "mlp.h"

#include "files.h"
#include "test.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

enum { N = 120, SIDE = 6, CLASSES = 10, EPOCHS = 3 };

// Images whose pixels depend on the label, so that there is something to learn.
static unsigned char pixels[N * SIDE * SIDE], labels[N];

static void make_images(void)
{
    uint32_t state = 1;
    for (size_t i = 0; i < N; i++) {
        labels[i] = (unsigned char)(i * 7 % CLASSES);
        for (size_t p = 0; p < SIDE * SIDE; p++) {
            state = state * 1664525 + 1013904223;
            bool likely = (p * 31 + labels[i] * 17) % 5 == 0;
            pixels[i * SIDE * SIDE + p] =
                (state >> 24) % 10 < (likely ? 8 : 1) ? state >> 16 & 255 : 0;
        }
    }
}

// A training in progress, or a step of it that has failed.
typedef struct Run {
    mlp_settings settings;
    mlp_data *data;
    mlp_model *model;
    size_t epochs_seen, batches_seen, stop_at_epoch, stop_at_batch; // 0: never
    size_t threads;                                                 // of the last epoch
    double last_loss;
    char error[MLP_ERROR_SIZE];
} Run;

static bool count_batch(void *context, size_t epoch, size_t done, double loss)
{
    Run *run = context;
    (void)epoch, (void)done, (void)loss;
    return ++run->batches_seen != run->stop_at_batch;
}

static bool count_epoch(void *context, const mlp_epoch *epoch, const mlp_model *model)
{
    Run *run = context;
    run->last_loss = epoch->train_loss;
    run->threads = epoch->threads;
    CHECK(mlp_model_settings(model)->epochs == epoch->epoch, "%zu", epoch->epoch);
    return ++run->epochs_seen != run->stop_at_epoch;
}

static void run_open(Run *run)
{
    *run = (Run){.data = mlp_data_from_memory(pixels, labels, N, SIDE, SIDE, run->error)};
    if (!mlp_settings_default(&run->settings, "mlp", run->error))
        abort();
    run->settings.hidden[0] = 3;
    run->settings.batch_size = 16;
    run->settings.learning_rate = 0.01;
    run->model = mlp_create(&run->settings, run->data, run->error);
    if (run->model == NULL) {
        printf("  %s\n", run->error);
        abort();
    }
}

static void run_close(Run *run)
{
    mlp_close(run->model);
    mlp_data_close(run->data);
}

static mlp_result run_train(Run *run, size_t epochs, size_t threads)
{
    mlp_observer observer = {.context = run, .batch = count_batch, .epoch = count_epoch};
    return mlp_train(run->model, run->data, epochs, threads, &observer, run->error);
}

// The bytes of the model's file.
typedef struct Bytes {
    size_t n;
    unsigned char at[1 << 14];
} Bytes;

static Bytes bytes_of(const mlp_model *model)
{
    Bytes bytes;
    char error[MLP_ERROR_SIZE];
    const char *path = work_path("saved.bin");
    CHECK(mlp_save(model, path, error), "%s", error);
    CHECK(error[0] == '\0', "%s", error);
    bytes.n = read_file(path, bytes.at, sizeof bytes.at);
    return bytes;
}

static bool same(const Bytes *a, const Bytes *b)
{
    return a->n == b->n && memcmp(a->at, b->at, a->n) == 0;
}

// What a training without interruption gives.
static Bytes bytes_after(size_t epochs)
{
    Run run;
    run_open(&run);
    CHECK(run_train(&run, epochs, 1) == MLP_DONE, "%s", run.error);
    Bytes bytes = bytes_of(run.model);
    run_close(&run);
    return bytes;
}

// ---------------------------------------------------------------------------------------------
// Models

static void a_model_that_is_saved_and_opened_gives_the_same_bytes(void)
{
    Run run;
    run_open(&run);
    Bytes first = bytes_of(run.model);
    mlp_model *file = mlp_open(work_path("saved.bin"), run.error);
    REQUIRE(file != NULL, "%s", run.error);
    Bytes second = bytes_of(file);
    Bytes given = first;
    mlp_model *memory = mlp_open_memory(given.at, given.n, run.error);
    REQUIRE(memory != NULL, "%s", run.error);
    Bytes third = bytes_of(memory);
    CHECK(same(&first, &second) && same(&first, &third), "%zu, %zu, %zu bytes", first.n, second.n,
          third.n);
    CHECK(same(&first, &given), "the caller's bytes were changed");
    memset(given.at, 0, sizeof given.at); // the model must not need them any more
    third = bytes_of(memory);
    CHECK(same(&first, &third), "the model refers to the caller's bytes");
    CHECK(mlp_rows(memory) == SIDE && mlp_cols(memory) == SIDE && mlp_classes(memory) == CLASSES,
          "%zu x %zu, %zu classes", mlp_rows(memory), mlp_cols(memory), mlp_classes(memory));
    CHECK(mlp_parameters(memory) == SIDE * SIDE * 3 + 3 + 3 * CLASSES + CLASSES, "%zu",
          mlp_parameters(memory));
    mlp_close(memory);
    mlp_close(file);
    run_close(&run);
}

static void bytes_cut_short_anywhere_are_not_a_model(void)
{
    Run run;
    run_open(&run);
    Bytes whole = bytes_of(run.model);
    for (size_t n = 0; n < whole.n; n++) {
        unsigned char *cut = malloc(n + 1); // so that the sanitizer sees the end
        if (cut == NULL)
            abort();
        memcpy(cut, whole.at, n);
        run.error[0] = '\0';
        CHECK(mlp_open_memory(cut, n, run.error) == NULL, "%zu of %zu bytes", n, whole.n);
        CHECK(run.error[0] != '\0' && strchr(run.error, '\n') == NULL, "%zu: '%s'", n, run.error);
        free(cut);
    }
    CHECK(mlp_open_memory(NULL, 0, run.error) == NULL, "no bytes");
    run_close(&run);
}

static void a_fresh_model_has_the_settings_that_were_asked_for(void)
{
    Run run;
    run_open(&run);
    mlp_close(run.model);
    run.settings.seed = 7;
    run.settings.class_names = "zero\none\n\nthree";
    run.model = mlp_create(&run.settings, run.data, run.error);
    REQUIRE(run.model != NULL, "%s", run.error);
    const mlp_settings *s = mlp_model_settings(run.model);
    CHECK(strcmp(s->architecture, "mlp") == 0 && s->hidden[0] == 3 && s->seed == 7 &&
              s->epochs == 0,
          "%s, %u hidden, seed %u, %u epochs", s->architecture, (unsigned)s->hidden[0],
          (unsigned)s->seed, (unsigned)s->epochs);
    CHECK(s->train_size == 100 && s->validation_size == 20, "%u and %u images",
          (unsigned)s->train_size, (unsigned)s->validation_size);
    CHECK(strcmp(mlp_class_name(run.model, 1), "one") == 0, "%s", mlp_class_name(run.model, 1));
    CHECK(strcmp(mlp_class_name(run.model, 2), "2") == 0, "%s", mlp_class_name(run.model, 2));
    run_close(&run);
}

static void a_preset_sets_its_settings_and_the_model_says_so(void)
{
    Run run;
    run_open(&run);
    mlp_settings plain, s;
    REQUIRE(mlp_settings_default(&plain, "mlp", run.error), "%s", run.error);
    REQUIRE(mlp_settings_preset(&s, "course", "mlp", run.error), "%s", run.error);
    CHECK(strcmp(s.preset, "course") == 0 && strcmp(s.architecture, "mlp") == 0 &&
              s.learning_rate == 1e-4 && s.epochs == 100,
          "%s of %s: %g, %u epochs", s.preset, s.architecture, s.learning_rate, (unsigned)s.epochs);
    s.preset = plain.preset;
    s.learning_rate = plain.learning_rate;
    s.epochs = plain.epochs;
    CHECK(s.hidden[0] == plain.hidden[0] && s.batch_size == plain.batch_size &&
              strcmp(s.schedule, plain.schedule) == 0 && s.rotate == plain.rotate,
          "the others are not the defaults");

    // Where it is of several architectures, the first counts.
    REQUIRE(mlp_settings_preset(&s, "accurate", NULL, run.error), "%s", run.error);
    CHECK(strcmp(s.architecture, "mlp") == 0, "%s", s.architecture);
    REQUIRE(mlp_settings_preset(&s, "accurate", "cnn", run.error), "%s", run.error);
    CHECK(strcmp(s.architecture, "cnn") == 0 && s.channels[0] != 0, "%s", s.architecture);
    REQUIRE(mlp_settings_preset(&s, "fast", NULL, run.error), "%s", run.error);
    CHECK(strcmp(s.architecture, "cnn") == 0, "%s", s.architecture);

    // What follows overrides it; the model keeps the name.
    REQUIRE(mlp_settings_preset(&s, "accurate", "mlp", run.error), "%s", run.error);
    s.hidden[0] = 3, s.hidden[1] = 4;
    mlp_model *model = mlp_create(&s, run.data, run.error);
    REQUIRE(model != NULL, "%s", run.error);
    const mlp_settings *of = mlp_model_settings(model);
    CHECK(strcmp(of->preset, "accurate") == 0 && of->hidden[1] == 4 && of->hidden[2] == 0, "%s",
          of->preset);
    mlp_close(model);

    static const struct {
        const char *preset, *architecture, *word;
    } wrong[] = {{"best", NULL, "'best'"},     {"best", "mlp", "'best'"},
                 {"none", NULL, "'none'"},     {"", NULL, "''"},
                 {"course", "cnn", "not cnn"}, {"fast", "mlp", "not mlp"},
                 {"fast", "rnn", "not rnn"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        mlp_settings kept = s;
        CHECK(!mlp_settings_preset(&s, wrong[i].preset, wrong[i].architecture, run.error),
              "%s was accepted", wrong[i].preset);
        CHECK(strstr(run.error, wrong[i].word) != NULL, "%s: %s", wrong[i].word, run.error);
        CHECK(s.preset == kept.preset && s.learning_rate == kept.learning_rate,
              "the settings have changed");
    }
    CHECK(!mlp_settings_preset(&s, NULL, NULL, run.error) && strstr(run.error, "preset") != NULL,
          "%s", run.error);
    run_close(&run);
}

static void several_layers_train_save_and_classify(void)
{
    static const char *const activations[] = {"sigmoid", "tanh", "relu"};
    for (size_t i = 0; i < 3; i++) {
        Run run;
        run_open(&run);
        mlp_close(run.model);
        run.settings.activation = activations[i];
        run.settings.hidden[1] = 5, run.settings.hidden[2] = 4;
        run.model = mlp_create(&run.settings, run.data, run.error);
        REQUIRE(run.model != NULL, "%s", run.error);
        CHECK(mlp_parameters(run.model) ==
                  (SIDE * SIDE + 1) * 3 + (3 + 1) * 5 + (5 + 1) * 4 + (4 + 1) * CLASSES,
              "%zu parameters", mlp_parameters(run.model));
        Bytes one[2];
        for (size_t threads = 1; threads <= 3; threads += 2) {
            mlp_close(run.model);
            run.model = mlp_create(&run.settings, run.data, run.error);
            CHECK(run_train(&run, EPOCHS, threads) == MLP_DONE, "%s", run.error);
            one[threads / 2] = bytes_of(run.model);
        }
        CHECK(same(&one[0], &one[1]), "%s: three threads give other bytes", activations[i]);
        mlp_model *opened = mlp_open(work_path("saved.bin"), run.error);
        REQUIRE(opened != NULL, "%s", run.error);
        const mlp_settings *s = mlp_model_settings(opened);
        CHECK(strcmp(s->activation, activations[i]) == 0 && s->hidden[0] == 3 &&
                  s->hidden[1] == 5 && s->hidden[2] == 4 && s->hidden[3] == 0,
              "%s", s->activation);
        float p[2][CLASSES];
        CHECK(mlp_classify(run.model, pixels, 1, p[0], NULL, run.error) &&
                  mlp_classify(opened, pixels, 1, p[1], NULL, run.error) &&
                  memcmp(p[0], p[1], sizeof p[0]) == 0,
              "%s: the file gives other probabilities", activations[i]);
        mlp_gradient_check *check =
            mlp_check_gradients(opened, run.data, 5, MLP_CHECK_STEP, run.error);
        REQUIRE(check != NULL, "%s", run.error);
        CHECK(check->n_gradients == 8, "%zu gradients", check->n_gradients);
        mlp_gradient_check_close(check);
        mlp_close(opened);
        run_close(&run);
    }
}

// ---------------------------------------------------------------------------------------------
// Training

static void training_gives_the_same_bytes_with_any_threads(void)
{
    Bytes straight = bytes_after(EPOCHS);
    for (size_t threads = 0; threads <= 3; threads += 3) {
        Run run;
        run_open(&run);
        CHECK(run_train(&run, EPOCHS, threads) == MLP_DONE, "%s", run.error);
        Bytes bytes = bytes_of(run.model);
        CHECK(same(&straight, &bytes), "%zu threads", threads);
        CHECK(run.epochs_seen == EPOCHS && run.batches_seen == EPOCHS * 7,
              "%zu epochs, %zu batches", run.epochs_seen, run.batches_seen);
        run_close(&run);
    }
}

static void more_threads_than_the_limit_are_not_made(void)
{
    Bytes straight = bytes_after(1);
    Run run;
    run_open(&run);
    CHECK(run_train(&run, 1, SIZE_MAX) == MLP_DONE, "%s", run.error);
    CHECK(run.threads >= 1 && run.threads <= MLP_MAX_THREADS, "%zu threads", run.threads);
    Bytes bytes = bytes_of(run.model);
    CHECK(same(&straight, &bytes), "%zu threads gave other bytes", run.threads);
    run_close(&run);
}

static void a_training_that_a_callback_stops_keeps_the_last_complete_epoch(void)
{
    // In the middle of epoch 2, after epoch 1, and at its last batch.
    static const struct {
        const char *by;
        size_t batch, epoch;
    } stops[] = {{"batch", 10, 0}, {"epoch", 0, 1}, {"the last batch", 7, 0}};
    Bytes straight[2] = {bytes_after(1), bytes_after(EPOCHS)};
    for (size_t i = 0; i < 3; i++) {
        Run run;
        run_open(&run);
        run.stop_at_batch = stops[i].batch;
        run.stop_at_epoch = stops[i].epoch;
        CHECK(run_train(&run, EPOCHS, 2) == MLP_STOPPED, "%s: not stopped", stops[i].by);
        CHECK(run.epochs_seen == 1, "%s: %zu epochs", stops[i].by, run.epochs_seen);
        Bytes stopped = bytes_of(run.model);
        CHECK(same(&straight[0], &stopped), "stopped by %s", stops[i].by);
        CHECK(run_train(&run, EPOCHS, 1) == MLP_DONE, "%s", run.error);
        Bytes continued = bytes_of(run.model);
        CHECK(same(&straight[1], &continued), "continued after %s", stops[i].by);
        run_close(&run);
    }
}

static void a_callback_stops_a_training_whose_epochs_are_one_batch(void)
{
    for (uint64_t size = 100; size <= 1000; size += 900) {
        Run run;
        run_open(&run);
        mlp_close(run.model);
        run.settings.batch_size = size;
        run.model = mlp_create(&run.settings, run.data, run.error);
        REQUIRE(run.model != NULL, "%s", run.error);
        run.stop_at_batch = 2;
        CHECK(run_train(&run, 10, 1) == MLP_STOPPED, "batches of %u: not stopped", (unsigned)size);
        CHECK(mlp_model_settings(run.model)->epochs == 2 && run.epochs_seen == 2,
              "batches of %u: %zu epochs", (unsigned)size, run.epochs_seen);
        run_close(&run);
    }
}

static void a_training_that_diverges_says_so_and_keeps_the_last_complete_epoch(void)
{
    Run run;
    run_open(&run);
    mlp_close(run.model);
    run.settings.learning_rate = 1e38;
    run.model = mlp_create(&run.settings, run.data, run.error);
    REQUIRE(run.model != NULL, "%s", run.error);
    Bytes before = bytes_of(run.model);
    CHECK(mlp_train(run.model, run.data, 1, 1, NULL, run.error) == MLP_DIVERGED, "no divergence");
    CHECK(strstr(run.error, "diverged") != NULL, "%s", run.error);
    Bytes after = bytes_of(run.model);
    CHECK(same(&before, &after), "the model has changed");
    run_close(&run);
}

static void other_data_and_fewer_epochs_are_refused(void)
{
    Run run;
    run_open(&run);
    mlp_data *fewer = mlp_data_from_memory(pixels, labels, N - 1, SIDE, SIDE, run.error);
    REQUIRE(fewer != NULL, "%s", run.error);
    CHECK(mlp_train(run.model, fewer, 1, 1, NULL, run.error) == MLP_FAILED, "other data");
    CHECK(strstr(run.error, "not those that") != NULL, "%s", run.error);
    CHECK(run_train(&run, 2, 1) == MLP_DONE, "%s", run.error);
    CHECK(run_train(&run, 1, 1) == MLP_FAILED, "fewer epochs");
    CHECK(strstr(run.error, "2 epochs already") != NULL, "%s", run.error);
    CHECK(run_train(&run, 1000001, 1) == MLP_FAILED, "more epochs than a model file may say");
    CHECK(strstr(run.error, "epochs: '1000001' is not a whole number from 1 to 1000000") != NULL,
          "%s", run.error);
    mlp_data_close(fewer);
    run_close(&run);
}

// ---------------------------------------------------------------------------------------------
// Evaluation and classification

static void evaluation_and_classification_agree(void)
{
    Run run;
    run_open(&run);
    CHECK(run_train(&run, EPOCHS, 1) == MLP_DONE, "%s", run.error);
    unsigned char predicted[N];
    float probability[N], loss[N], all[N * CLASSES], logits[N * CLASSES];
    mlp_predictions each = {predicted, probability, loss};
    mlp_evaluation e, part;
    REQUIRE(mlp_evaluate(run.model, run.data, MLP_ALL, 2, &e, &each, run.error), "%s", run.error);
    REQUIRE(mlp_classify(run.model, pixels, N, all, logits, run.error), "%s", run.error);
    size_t correct = 0;
    for (size_t i = 0; i < N; i++) {
        size_t best = 0;
        for (size_t k = 1; k < CLASSES; k++)
            best = logits[i * CLASSES + k] > logits[i * CLASSES + best] ? k : best;
        correct += best == labels[i];
        CHECK(best == predicted[i], "image %zu: %zu and %u", i, best, predicted[i]);
        CHECK(all[i * CLASSES + best] == probability[i], "image %zu", i);
    }
    CHECK(e.first == 0 && e.n == N && e.correct == correct && e.accuracy == (double)correct / N,
          "%zu of %zu from %zu, accuracy %g; %zu", e.correct, e.n, e.first, e.accuracy, correct);
    CHECK(0.0 <= e.accuracy_low && e.accuracy_low < e.accuracy_high && e.accuracy_high <= 1.0 &&
              e.accuracy_low <= e.accuracy && e.accuracy <= e.accuracy_high,
          "%g to %g", e.accuracy_low, e.accuracy_high);
    CHECK(mlp_evaluate(run.model, run.data, MLP_VALIDATION, 1, &part, NULL, run.error), "%s",
          run.error);
    CHECK(part.first == 100 && part.n == 20, "%zu from %zu", part.n, part.first);
    CHECK(mlp_evaluate(run.model, run.data, MLP_TRAIN, 1, &part, NULL, run.error), "%s", run.error);
    CHECK(part.first == 0 && part.n == 100, "%zu from %zu", part.n, part.first);
    CHECK(mlp_classify(run.model, pixels, 0, NULL, NULL, run.error), "%s", run.error);
    run_close(&run);
}

typedef struct Classified {
    pthread_t thread;
    const mlp_model *model;
    const mlp_data *data;
    char path[512];
    float probabilities[N * CLASSES];
    bool ok;
} Classified;

// What a thread does with a model that all use, and with files of its own.
static void *classify_and_more(void *context)
{
    Classified *c = context;
    char error[MLP_ERROR_SIZE];
    mlp_evaluation e;
    c->ok = mlp_classify(c->model, pixels, N, c->probabilities, NULL, error) &&
            mlp_evaluate(c->model, c->data, MLP_ALL, 2, &e, NULL, error) &&
            mlp_save(c->model, c->path, error);
    mlp_model *own = mlp_open(c->path, error);
    c->ok = c->ok && own != NULL && mlp_classify(own, pixels, 1, NULL, NULL, error);
    mlp_close(own);
    return NULL;
}

static void several_threads_use_one_model(void)
{
    enum { THREADS = 4 };
    static Classified c[THREADS];
    Run run;
    run_open(&run);
    Bytes bytes = bytes_of(run.model);
    mlp_model *model = mlp_open_memory(bytes.at, bytes.n, run.error);
    REQUIRE(model != NULL, "%s", run.error);
    for (unsigned t = 0; t < THREADS; t++) {
        c[t] = (Classified){.model = model, .data = run.data};
        snprintf(c[t].path, sizeof c[t].path, "%s%u", work_path("thread"), t);
        REQUIRE(pthread_create(&c[t].thread, NULL, classify_and_more, &c[t]) == 0, "no thread");
    }
    for (size_t t = 0; t < THREADS; t++) {
        pthread_join(c[t].thread, NULL);
        CHECK(c[t].ok, "thread %zu", t);
        CHECK(memcmp(c[t].probabilities, c[0].probabilities, sizeof c[0].probabilities) == 0,
              "thread %zu has other probabilities", t);
    }
    mlp_close(model);
    run_close(&run);
}

static void a_picture_is_prepared_or_refused(void)
{
    enum { ROWS = 40, COLS = 60 };
    unsigned char grey[ROWS * COLS], prepared[SIDE * SIDE], from_file[SIDE * SIDE];
    Run run;
    run_open(&run);
    memset(grey, 255, sizeof grey);
    CHECK(!mlp_prepare(run.model, grey, ROWS, COLS, prepared, NULL, run.error), "white paper");
    CHECK(strstr(run.error, "ink") != NULL, "%s", run.error);
    CHECK(!mlp_prepare(run.model, grey, 0, COLS, prepared, NULL, run.error), "no rows");
    for (size_t row = 10; row < 30; row++)
        memset(grey + row * COLS + 28, 0, 4);
    const char *doubt = "";
    CHECK(mlp_prepare(run.model, grey, ROWS, COLS, prepared, &doubt, run.error), "%s", run.error);
    CHECK(doubt == NULL, "%s", doubt);

    char header[] = "P5 60 40 255\n";
    unsigned char file[sizeof header - 1 + sizeof grey];
    memcpy(file, header, sizeof header - 1);
    memcpy(file + sizeof header - 1, grey, sizeof grey);
    const char *path = work_path("one.pgm");
    write_file(path, file, sizeof file);
    CHECK(mlp_prepare_file(run.model, path, from_file, NULL, run.error), "%s", run.error);
    CHECK(memcmp(prepared, from_file, sizeof prepared) == 0, "the file gives another picture");
    write_file(path, file, sizeof file - 1);
    CHECK(!mlp_prepare_file(run.model, path, from_file, NULL, run.error), "cut short");
    CHECK(strstr(run.error, path) != NULL, "%s", run.error);
    run_close(&run);
}

static void gradients_are_checked(void)
{
    Run run;
    run_open(&run);
    mlp_gradient_check *check =
        mlp_check_gradients(run.model, run.data, 5, MLP_CHECK_STEP, run.error);
    REQUIRE(check != NULL, "%s", run.error);
    CHECK(check->ok, "they do not agree");
    CHECK(check->n_gradients == 4 && strcmp(check->gradients[0].name, "dL/db2") == 0, "%zu, %s",
          check->n_gradients, check->gradients[0].name);
    for (size_t i = 0; i < check->n_jacobians; i++)
        for (size_t e = 0; e < check->jacobians[i].nonzero; e++)
            CHECK(check->jacobians[i].entries[e].value != 0.0, "%s", check->jacobians[i].name);
    mlp_gradient_check_close(check);
    CHECK(mlp_check_gradients(run.model, run.data, N, MLP_CHECK_STEP, run.error) == NULL,
          "an image beyond the last");
    const double steps[] = {0.0, -1e-5, NAN, INFINITY};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        CHECK(mlp_check_gradients(run.model, run.data, 5, steps[i], run.error) == NULL &&
                  strstr(run.error, "step") != NULL,
              "step %g: %s", steps[i], run.error);
    run_close(&run);
}

// ---------------------------------------------------------------------------------------------
// Several models

// A model of the data with settings of its own, saved and opened again so that it has a name.
static mlp_model *named_model(Run *run, const char *name, mlp_settings settings,
                              const mlp_data *data, size_t epochs)
{
    mlp_model *made = mlp_create(&settings, data, run->error);
    if (made == NULL || mlp_train(made, data, epochs, 1, NULL, run->error) != MLP_DONE ||
        !mlp_save(made, work_path(name), run->error)) {
        printf("  %s\n", run->error);
        abort();
    }
    mlp_close(made);
    return mlp_open(work_path(name), run->error);
}

static void an_ensemble_gives_the_mean_probabilities(void)
{
    Run run;
    run_open(&run);
    mlp_settings other = run.settings;
    other.hidden[0] = 5;
    other.seed = 2;
    mlp_model *a = named_model(&run, "a.bin", run.settings, run.data, EPOCHS);
    mlp_model *b = named_model(&run, "b.bin", other, run.data, EPOCHS);
    REQUIRE(a != NULL && b != NULL, "%s", run.error);
    const mlp_model *models[] = {a, b, a};
    const mlp_ensemble three = {models, 3};
    static float p[2][N * CLASSES], mean[N * CLASSES], loss[2][N], probability[2][N];
    static unsigned char predicted[2][N];
    mlp_evaluation e[2];
    REQUIRE(mlp_classify(a, pixels, N, p[0], NULL, run.error) &&
                mlp_classify(b, pixels, N, p[1], NULL, run.error) &&
                mlp_classify_ensemble(&three, pixels, N, mean, run.error),
            "%s", run.error);
    for (size_t t = 0; t < 2; t++) {
        const mlp_predictions each = {predicted[t], probability[t], loss[t]};
        REQUIRE(mlp_evaluate_ensemble(&three, run.data, MLP_ALL, t == 0 ? 1 : 3, &e[t], &each,
                                      run.error),
                "%s", run.error);
    }
    size_t correct = 0;
    for (size_t i = 0; i < N; i++) {
        const float *row = mean + i * CLASSES;
        size_t best = 0;
        for (size_t k = 0; k < CLASSES; k++) {
            float expected =
                (p[0][i * CLASSES + k] + p[1][i * CLASSES + k]) + p[0][i * CLASSES + k];
            CHECK(row[k] == expected / 3.0f, "image %zu, class %zu: %g", i, k, (double)row[k]);
            best = row[k] > row[best] ? k : best;
        }
        correct += best == labels[i];
        double exact = -log((double)row[labels[i]]);
        CHECK(predicted[0][i] == best && probability[0][i] == row[best], "image %zu: %u", i,
              predicted[0][i]);
        CHECK(fabs((double)loss[0][i] - exact) < 1e-5, "image %zu: loss %g, not %g", i,
              (double)loss[0][i], exact);
    }
    CHECK(e[0].correct == correct && e[0].n == N, "%zu of %zu, not %zu", e[0].correct, e[0].n,
          correct);
    CHECK(e[0].loss == e[1].loss && memcmp(loss[0], loss[1], sizeof loss[0]) == 0 &&
              memcmp(predicted[0], predicted[1], N) == 0,
          "three threads give something else");
    mlp_close(a);
    mlp_close(b);
    run_close(&run);
}

// Its answers, to compare them bit by bit.
typedef struct Answers {
    mlp_evaluation e;
    float probabilities[N * CLASSES], probability[N], loss[N];
    unsigned char predicted[N];
} Answers;

static void one_model_once_or_twice_gives_its_own_answers(void)
{
    static Answers single, ensemble;
    Run run;
    run_open(&run);
    CHECK(run_train(&run, EPOCHS, 1) == MLP_DONE, "%s", run.error);
    const mlp_model *models[] = {run.model, run.model};
    mlp_predictions each = {single.predicted, single.probability, single.loss};
    REQUIRE(mlp_classify(run.model, pixels, N, single.probabilities, NULL, run.error) &&
                mlp_evaluate(run.model, run.data, MLP_ALL, 1, &single.e, &each, run.error),
            "%s", run.error);
    each = (mlp_predictions){ensemble.predicted, ensemble.probability, ensemble.loss};
    for (size_t n = 1; n <= 2; n++) {
        const mlp_ensemble of = {models, n};
        REQUIRE(mlp_classify_ensemble(&of, pixels, N, ensemble.probabilities, run.error) &&
                    mlp_evaluate_ensemble(&of, run.data, MLP_ALL, 1, &ensemble.e, &each, run.error),
                "%s", run.error);
        CHECK(ensemble.e.loss == single.e.loss && ensemble.e.correct == single.e.correct,
              "%zu times: loss %.17g, not %.17g", n, ensemble.e.loss, single.e.loss);
        CHECK(memcmp(ensemble.probabilities, single.probabilities, sizeof single.probabilities) ==
                      0 &&
                  memcmp(ensemble.probability, single.probability, sizeof single.probability) ==
                      0 &&
                  memcmp(ensemble.loss, single.loss, sizeof single.loss) == 0 &&
                  memcmp(ensemble.predicted, single.predicted, N) == 0,
              "%zu times: other answers", n);
    }
    run_close(&run);
}

static void models_that_cannot_answer_together_are_named(void)
{
    Run run;
    run_open(&run);
    unsigned char beyond[N] = {[3] = CLASSES + 1};
    mlp_data *narrow = mlp_data_from_memory(pixels, labels, N, SIDE, SIDE - 1, run.error);
    mlp_data *more = mlp_data_from_memory(pixels, beyond, N, SIDE, SIDE, run.error);
    REQUIRE(narrow != NULL && more != NULL, "%s", run.error);
    mlp_settings named = run.settings, split = run.settings;
    named.class_names = "0\n1\ntwo";
    split.train_size = 90;
    mlp_model *first = named_model(&run, "first.bin", run.settings, run.data, 0);
    const struct {
        const char *name, *words[2];
        mlp_model *model;
    } others[] = {
        {"narrow.bin",
         {"6 x 6", "6 x 5"},
         named_model(&run, "narrow.bin", run.settings, narrow, 0)},
        {"more.bin", {"10 classes", "12"}, named_model(&run, "more.bin", run.settings, more, 0)},
        {"named.bin", {"'2'", "'two'"}, named_model(&run, "named.bin", named, run.data, 0)},
    };
    mlp_evaluation e;
    for (size_t i = 0; i < 3; i++) {
        const mlp_model *models[] = {first, first, others[i].model};
        const mlp_ensemble of = {models, 3};
        char said[3][MLP_ERROR_SIZE];
        CHECK(!mlp_ensemble_check(&of, said[0]) &&
                  !mlp_classify_ensemble(&of, pixels, 1, NULL, said[1]) &&
                  !mlp_evaluate_ensemble(&of, run.data, MLP_ALL, 1, &e, NULL, said[2]),
              "%s", others[i].name);
        for (size_t k = 0; k < 3; k++)
            CHECK(strstr(said[k], "first.bin") != NULL && strstr(said[k], others[i].name) != NULL &&
                      strstr(said[k], others[i].words[0]) != NULL &&
                      strstr(said[k], others[i].words[1]) != NULL,
                  "%s: %s", others[i].name, said[k]);
        mlp_close(others[i].model);
    }
    mlp_model *other_split = named_model(&run, "split.bin", split, run.data, 0);
    const mlp_model *models[] = {first, other_split};
    const mlp_ensemble two = {models, 2}, none = {models, 0};
    CHECK(mlp_evaluate_ensemble(&two, run.data, MLP_ALL, 1, &e, NULL, run.error), "%s", run.error);
    CHECK(!mlp_evaluate_ensemble(&two, run.data, MLP_TRAIN, 1, &e, NULL, run.error) &&
              strstr(run.error, "first.bin") != NULL && strstr(run.error, "split.bin") != NULL,
          "%s", run.error);
    CHECK(!mlp_ensemble_check(&none, run.error) && strcmp(run.error, "no models") == 0, "%s",
          run.error);
    mlp_close(other_split);
    mlp_close(first);
    mlp_data_close(more);
    mlp_data_close(narrow);
    run_close(&run);
}

static void a_split_of_other_data_is_said_of_any_model(void)
{
    Run run;
    run_open(&run);
    unsigned char shifted[N];
    for (size_t i = 0; i < N; i++)
        shifted[i] = labels[(i + 1) % N];
    mlp_data *other = mlp_data_from_memory(pixels, shifted, N, SIDE, SIDE, run.error);
    mlp_model *stranger = mlp_create(&run.settings, other, run.error);
    REQUIRE(stranger != NULL, "%s", run.error);
    const mlp_model *models[] = {run.model, run.model, stranger};
    for (size_t n = 2; n <= 3; n++)
        for (int split = MLP_ALL; split <= MLP_VALIDATION; split++) {
            mlp_evaluation e;
            CHECK(mlp_evaluate_ensemble(&(mlp_ensemble){models, n}, run.data, (mlp_split)split, 1,
                                        &e, NULL, run.error),
                  "%s", run.error);
            CHECK(e.is_other_data == (n == 3 && split != MLP_ALL), "%zu models, split %d", n,
                  split);
        }
    mlp_close(stranger);
    mlp_data_close(other);
    run_close(&run);
}

// ---------------------------------------------------------------------------------------------
// A training that starts from a model

// The eight digits of a checksum in the metadata of a model's file, or "".
static void metadata_digits(char digits[9], const Bytes *bytes, const char *key)
{
    static char text[sizeof bytes->at + 1];
    char word[64];
    memcpy(text, bytes->at, bytes->n);
    for (size_t i = 0; i < bytes->n; i++)
        text[i] = text[i] == '\0' ? ' ' : text[i];
    text[bytes->n] = '\0';
    snprintf(word, sizeof word, "\"%s\":\"", key);
    const char *at = strstr(text, word);
    snprintf(digits, 9, "%.8s", at == NULL ? "" : at + strlen(word));
}

// The same images with other labels, and half as bright.
static mlp_data *other_images(char *error)
{
    static unsigned char dark[sizeof pixels], shifted[N];
    for (size_t p = 0; p < sizeof pixels; p++)
        dark[p] = pixels[p] / 2;
    for (size_t i = 0; i < N; i++)
        shifted[i] = labels[(i + 1) % N];
    return mlp_data_from_memory(dark, shifted, N, SIDE, SIDE, error);
}

static void a_new_training_starts_from_a_models_weights(void)
{
    Run run;
    run_open(&run);
    run.settings.class_names = "zero\none";
    mlp_model *from = named_model(&run, "from.bin", run.settings, run.data, EPOCHS);
    Bytes before = bytes_of(from);
    mlp_data *other = other_images(run.error);
    mlp_settings settings;
    REQUIRE(other != NULL && mlp_settings_default(&settings, "cnn", run.error), "%s", run.error);
    settings.seed = 9;
    settings.train_size = 80;
    mlp_model *model = mlp_create_from(&settings, from, other, run.error);
    REQUIRE(model != NULL, "%s", run.error);
    static float p[2][N * CLASSES];
    CHECK(mlp_classify(from, pixels, N, p[0], NULL, run.error) &&
              mlp_classify(model, pixels, N, p[1], NULL, run.error) &&
              memcmp(p[0], p[1], sizeof p[0]) == 0,
          "the weights or the input scale are others");
    const mlp_settings *s = mlp_model_settings(model);
    CHECK(strcmp(s->architecture, "mlp") == 0 && s->hidden[0] == 3 && s->hidden[1] == 0 &&
              s->channels[0] == 0 && strcmp(s->activation, "sigmoid") == 0,
          "%s, %u hidden units", s->architecture, (unsigned)s->hidden[0]);
    CHECK(s->seed == 9 && s->epochs == 0 && s->train_size == 80 && s->learning_rate == 0.002,
          "seed %u, %u epochs, %u images, rate %g", (unsigned)s->seed, (unsigned)s->epochs,
          (unsigned)s->train_size, s->learning_rate);
    CHECK(strcmp(mlp_class_name(model, 1), "one") == 0, "%s", mlp_class_name(model, 1));
    Bytes made = bytes_of(model), after = bytes_of(from);
    char named[9], own[9], none[9];
    metadata_digits(named, &made, "from_crc32");
    metadata_digits(own, &before, "checksum_crc32");
    metadata_digits(none, &before, "from_crc32");
    CHECK(strlen(own) == 8 && strcmp(named, own) == 0 && none[0] == '\0', "'%s', '%s', '%s'", named,
          own, none);
    CHECK(same(&before, &after), "the model that it starts from has changed");
    mlp_close(model);
    mlp_data_close(other);
    mlp_close(from);
    run_close(&run);
}

static void a_training_from_a_model_is_resumed_byte_for_byte(void)
{
    Run run;
    run_open(&run);
    mlp_settings settings = run.settings;
    settings.momentum = 0.9;
    mlp_model *from = named_model(&run, "from.bin", settings, run.data, 1); // it has a state
    mlp_model *straight = mlp_create_from(&settings, from, run.data, run.error);
    mlp_model *stopped = mlp_create_from(&settings, from, run.data, run.error);
    REQUIRE(straight != NULL && stopped != NULL, "%s", run.error);
    CHECK(mlp_train(straight, run.data, EPOCHS, 1, NULL, run.error) == MLP_DONE &&
              mlp_train(stopped, run.data, 1, 2, NULL, run.error) == MLP_DONE,
          "%s", run.error);
    Bytes half = bytes_of(stopped);
    mlp_model *resumed = mlp_open_memory(half.at, half.n, run.error);
    REQUIRE(resumed != NULL, "%s", run.error);
    CHECK(mlp_train(resumed, run.data, EPOCHS, 2, NULL, run.error) == MLP_DONE, "%s", run.error);
    Bytes a = bytes_of(straight), b = bytes_of(resumed);
    CHECK(same(&a, &b), "other bytes");
    char named[9], own[9];
    Bytes first = bytes_of(from);
    metadata_digits(named, &b, "from_crc32");
    metadata_digits(own, &first, "checksum_crc32");
    CHECK(strcmp(named, own) == 0, "'%s' and '%s'", named, own);
    mlp_close(resumed);
    mlp_close(stopped);
    mlp_close(straight);
    mlp_close(from);
    run_close(&run);
}

static void data_that_a_model_cannot_start_with_are_refused(void)
{
    Run run;
    run_open(&run);
    unsigned char beyond[N] = {[3] = CLASSES};
    mlp_data *narrow = mlp_data_from_memory(pixels, labels, N, SIDE, SIDE - 1, run.error);
    mlp_data *more = mlp_data_from_memory(pixels, beyond, N, SIDE, SIDE, run.error);
    REQUIRE(narrow != NULL && more != NULL, "%s", run.error);
    CHECK(mlp_create_from(&run.settings, run.model, narrow, run.error) == NULL &&
              strstr(run.error, "6 x 5") != NULL,
          "%s", run.error);
    CHECK(mlp_create_from(&run.settings, run.model, more, run.error) == NULL &&
              strstr(run.error, "image 3") != NULL,
          "%s", run.error);
    CHECK(mlp_create_from(&run.settings, NULL, run.data, run.error) == NULL &&
              strcmp(run.error, "no model to start from") == 0,
          "%s", run.error);
    CHECK(mlp_create_from(NULL, run.model, run.data, run.error) == NULL &&
              mlp_create_from(&run.settings, run.model, NULL, NULL) == NULL,
          "%s", run.error);
    run.settings.batch_size = 0;
    CHECK(mlp_create_from(&run.settings, run.model, run.data, run.error) == NULL &&
              strstr(run.error, "batch_size") != NULL,
          "%s", run.error);
    mlp_data_close(more);
    mlp_data_close(narrow);
    run_close(&run);
}

// The texts of settings belong to the caller, who may change them as soon as there is a model.
static void texts_of_settings_may_go_away(void)
{
    enum { N_TEXTS = 7 };
    Run run;
    run_open(&run);
    mlp_settings *s = &run.settings;
    s->optimizer = "adam";
    s->schedule = "cosine";
    s->keep = "best";
    s->class_names = "zero\none";
    mlp_model *expected = mlp_create(s, run.data, run.error);
    const char **texts[N_TEXTS] = {&s->architecture, &s->preset, &s->activation, &s->optimizer,
                                   &s->schedule,     &s->keep,   &s->class_names};
    char copies[N_TEXTS][32];
    for (size_t i = 0; i < N_TEXTS; i++) {
        snprintf(copies[i], sizeof copies[i], "%s", *texts[i]);
        *texts[i] = copies[i];
    }
    mlp_model *actual = mlp_create(s, run.data, run.error);
    memset(copies, '?', sizeof copies);
    CHECK(mlp_train(expected, run.data, 2, 1, NULL, run.error) == MLP_DONE, "%s", run.error);
    CHECK(mlp_train(actual, run.data, 2, 1, NULL, run.error) == MLP_DONE, "%s", run.error);
    Bytes a = bytes_of(actual), b = bytes_of(expected);
    CHECK(same(&a, &b), "the model refers to the caller's texts");
    mlp_close(expected);
    mlp_close(actual);
    run_close(&run);
}

// ---------------------------------------------------------------------------------------------
// Errors

static void settings_out_of_range_are_named(void)
{
    Run run;
    run_open(&run);
    mlp_settings wrong[] = {run.settings, run.settings, run.settings, run.settings,
                            run.settings, run.settings, run.settings, run.settings,
                            run.settings, run.settings, run.settings};
    const char *words[] = {
        "hidden",     "learning_rate", "rchitecture", "validation_size", "class",    "hidden",
        "--channels", "channels: ",    "momentum",    "activation",      "optimizer"};
    wrong[0].hidden[0] = 0;
    wrong[1].learning_rate = -1.0;
    wrong[2].architecture = "rnn";
    wrong[3].validation_size = N;
    wrong[4].class_names = "a\na";
    for (size_t k = 0; k < MLP_MAX_SIZES; k++)
        wrong[5].hidden[k] = UINT64_C(1) << 63;
    wrong[6].channels[0] = 3; // an mlp has none
    wrong[7].channels[0] = UINT64_MAX;
    wrong[8].optimizer = "adam";
    wrong[8].momentum = 0.9;
    wrong[9].activation = NULL;
    wrong[10].optimizer = "newton";
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK(mlp_create(&wrong[i], run.data, run.error) == NULL, "%s", words[i]);
        CHECK(strstr(run.error, words[i]) != NULL, "%s: %s", words[i], run.error);
    }
    CHECK(!mlp_settings_default(&run.settings, "rnn", run.error), "rnn");
    CHECK(strstr(run.error, "rnn") != NULL, "%s", run.error);
    run_close(&run);
}

static void what_is_missing_is_named(void)
{
    Run run;
    run_open(&run);
    CHECK(!mlp_settings_default(&run.settings, NULL, run.error), "no architecture");
    CHECK(strstr(run.error, "architecture") != NULL, "%s", run.error);
    CHECK(mlp_open(NULL, run.error) == NULL, "no path");
    CHECK(strstr(run.error, "no path") != NULL, "%s", run.error);
    CHECK(mlp_create(NULL, run.data, run.error) == NULL, "no settings");
    CHECK(strstr(run.error, "no settings") != NULL, "%s", run.error);
    CHECK(mlp_create(&run.settings, NULL, run.error) == NULL, "no data");
    CHECK(strstr(run.error, "no data") != NULL, "%s", run.error);
    run_close(&run);
}

static void data_that_do_not_fit_are_named(void)
{
    Run run;
    run_open(&run);
    mlp_evaluation e;
    mlp_data *narrow = mlp_data_from_memory(pixels, labels, N, SIDE, SIDE - 1, run.error);
    unsigned char beyond[N] = {0};
    beyond[3] = CLASSES;
    mlp_data *more = mlp_data_from_memory(pixels, beyond, N, SIDE, SIDE, run.error);
    mlp_data *few = mlp_data_from_memory(pixels, labels, 20, SIDE, SIDE, run.error);
    REQUIRE(narrow != NULL && more != NULL && few != NULL, "%s", run.error);
    CHECK(!mlp_evaluate(run.model, narrow, MLP_ALL, 1, &e, NULL, run.error), "another size");
    CHECK(mlp_train(run.model, narrow, 1, 1, NULL, run.error) == MLP_FAILED &&
              strstr(run.error, "pixels") != NULL,
          "the size is not named before the checksum: %s", run.error);
    CHECK(strstr(run.error, "6 x 5") != NULL, "%s", run.error);
    CHECK(!mlp_evaluate(run.model, more, MLP_ALL, 1, &e, NULL, run.error), "an unknown label");
    CHECK(strstr(run.error, "image 3") != NULL, "%s", run.error);
    CHECK(!mlp_evaluate(run.model, few, MLP_TRAIN, 1, &e, NULL, run.error), "too few images");
    CHECK(strstr(run.error, "only 20") != NULL, "%s", run.error);
    CHECK(mlp_data_from_memory(pixels, labels, 0, SIDE, SIDE, run.error) == NULL, "no images");
    CHECK(mlp_data_open(work_path("nowhere"), MLP_TEST_FILES, false, run.error) == NULL, "nowhere");
    CHECK(strstr(run.error, "nowhere") != NULL, "%s", run.error);
    mlp_data_close(few);
    mlp_data_close(more);
    mlp_data_close(narrow);
    run_close(&run);
}

// mlp_create takes from the data what only they know.
static void the_model_says_how_the_files_were_stored(void)
{
    Run run;
    run_open(&run);
    mlp_close(run.model);
    CHECK(!run.data->transposed, "images in memory");
    run.settings.transposed = true;
    run.model = mlp_create(&run.settings, run.data, run.error);
    REQUIRE(run.model != NULL, "%s", run.error);
    CHECK(!mlp_model_settings(run.model)->transposed, "images in memory");
    run_close(&run);
}

static void write_idx(const char *path, const unsigned char *header, size_t n_header,
                      const unsigned char *bytes, size_t n)
{
    static unsigned char all[16 + N * SIDE * SIDE];
    memcpy(all, header, n_header);
    memcpy(all + n_header, bytes, n);
    write_file(path, all, n_header + n);
}

// A host that ignores SIGCHLD has no children to wait for.
static void compressed_files_are_read_where_children_are_ignored(void)
{
    const unsigned char image_header[16] = {[2] = 8, 3, [7] = N, [11] = SIDE, [15] = SIDE};
    const unsigned char label_header[8] = {[2] = 8, 1, [7] = N};
    char command[600], error[MLP_ERROR_SIZE];
    write_idx(work_path("train-images-idx3-ubyte"), image_header, 16, pixels, sizeof pixels);
    write_idx(work_path("train-labels-idx1-ubyte"), label_header, 8, labels, sizeof labels);
    snprintf(command, sizeof command, "gzip -f %s %s", work_path("train-images-idx3-ubyte"),
             work_path("train-labels-idx1-ubyte"));
    REQUIRE(system(command) == 0, "no gzip");
    signal(SIGCHLD, SIG_IGN);
    for (int transposed = 0; transposed <= 1; transposed++) {
        mlp_data *data = mlp_data_open(work_path("."), MLP_TRAIN_FILES, transposed != 0, error);
        CHECK(data != NULL && data->n == N && data->transposed == (transposed != 0), "%s", error);
        if (data != NULL && !transposed)
            CHECK(memcmp(data->pixels, pixels, sizeof pixels) == 0, "other pixels");
        mlp_data_close(data);
    }
    const char *images = work_path("train-images-idx3-ubyte.gz");
    static unsigned char bytes[sizeof pixels];
    size_t size = read_file(images, bytes, sizeof bytes);
    write_file(images, bytes, size / 2);
    CHECK(mlp_data_open(work_path("."), MLP_TRAIN_FILES, false, error) == NULL, "cut short");
    CHECK(strstr(error, "train-images-idx3-ubyte.gz: ") != NULL, "%s", error);
    signal(SIGCHLD, SIG_DFL);
}

static void an_error_may_be_ignored(void)
{
    Run run;
    run_open(&run);
    mlp_evaluation e;
    unsigned char image[SIDE * SIDE] = {0};
    mlp_settings wrong = {.architecture = "rnn"};
    CHECK(
        !mlp_settings_default(&wrong, "rnn", NULL) && mlp_create(&wrong, run.data, NULL) == NULL &&
            mlp_open(work_path("nowhere"), NULL) == NULL && mlp_open_memory("", 0, NULL) == NULL &&
            !mlp_save(run.model, work_path("no/where"), NULL) &&
            mlp_data_open(work_path("nowhere"), MLP_TEST_FILES, false, NULL) == NULL &&
            !mlp_prepare(run.model, image, SIDE, SIDE, image, NULL, NULL) &&
            mlp_train(run.model, run.data, 0, 1, NULL, NULL) == MLP_DONE &&
            mlp_evaluate(run.model, run.data, MLP_ALL, 1, &e, NULL, NULL) &&
            mlp_classify(run.model, image, 1, NULL, NULL, NULL),
        "not what was expected");
    mlp_close(NULL);
    mlp_data_close(NULL);
    mlp_gradient_check_close(NULL);
    CHECK(strcmp(mlp_version(), MLP_VERSION) == 0, "%s", mlp_version());
    run_close(&run);
}

// A training with augmentation gives the logits of one without, from the same weights and with the
// same input scale, on images that were changed before.
static void training_sees_the_images_of_mlp_affine_apply(void)
{
    static unsigned char changed[N * SIDE * SIDE];
    float with[CLASSES], without[CLASSES];
    Run run;
    run_open(&run);
    mlp_settings plain = run.settings, moved = plain;
    moved.rotate = 20, moved.scale = 0.2, moved.shift = 1.5, moved.shear = 0.1;
    for (size_t i = 0; i < N; i++) {
        mlp_affine map = mlp_affine_draw(&moved, 1, i);
        CHECK(mlp_affine_apply(&map, run.data, i, changed + i * SIDE * SIDE, run.error), "%s",
              run.error);
    }
    mlp_data *data = mlp_data_from_memory(changed, labels, N, SIDE, SIDE, run.error);
    mlp_model *a = mlp_create_from(&moved, run.model, run.data, run.error);
    mlp_model *b = mlp_create_from(&plain, run.model, data, run.error);
    REQUIRE(data != NULL && a != NULL && b != NULL, "%s", run.error);
    CHECK(mlp_train(a, run.data, 1, 2, NULL, run.error) == MLP_DONE &&
              mlp_train(b, data, 1, 1, NULL, run.error) == MLP_DONE,
          "%s", run.error);
    CHECK(mlp_classify(a, pixels, 1, NULL, with, run.error) &&
              mlp_classify(b, pixels, 1, NULL, without, run.error),
          "%s", run.error);
    CHECK(memcmp(with, without, sizeof with) == 0, "logits %g and %g", (double)with[0],
          (double)without[0]);
    CHECK(memcmp(changed, pixels, sizeof changed) != 0, "nothing was changed");
    mlp_close(a);
    mlp_close(b);
    mlp_data_close(data);
    run_close(&run);
}

static void changes_beyond_the_settings_are_refused(void)
{
    static const mlp_affine wrong[] = {
        {.factor = 0.05},
        {.factor = 2},
        {.factor = 1, .angle = 181},
        {.factor = 1, .shear = -1.5},
        {.factor = 1, .shift_x = 5000},
        {.factor = 1, .shift_y = NAN},
    };
    static const mlp_affine right = {.factor = 1, .angle = -180, .shear = 1, .shift_x = -4096};
    unsigned char to[SIDE * SIDE];
    Run run;
    run_open(&run);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(!mlp_affine_apply(&wrong[i], run.data, 0, to, run.error) &&
                  strstr(run.error, "within what settings allow") != NULL,
              "map %zu: %s", i, run.error);
    CHECK(mlp_affine_apply(&right, run.data, N - 1, to, run.error), "%s", run.error);
    CHECK(!mlp_affine_apply(&right, run.data, N, to, run.error) &&
              strstr(run.error, "image 120: there are 120") != NULL,
          "%s", run.error);
    mlp_data *line = mlp_data_from_memory(pixels, labels, 1, 1, 4100, run.error);
    CHECK(line != NULL && !mlp_affine_apply(&right, line, 0, to, run.error) &&
              strstr(run.error, "1 x 4100") != NULL,
          "%s", run.error);
    mlp_data_close(line);
    run_close(&run);
}

int main(void)
{
    make_images();
    RUN(a_model_that_is_saved_and_opened_gives_the_same_bytes);
    RUN(bytes_cut_short_anywhere_are_not_a_model);
    RUN(a_fresh_model_has_the_settings_that_were_asked_for);
    RUN(a_preset_sets_its_settings_and_the_model_says_so);
    RUN(texts_of_settings_may_go_away);
    RUN(several_layers_train_save_and_classify);
    RUN(training_gives_the_same_bytes_with_any_threads);
    RUN(more_threads_than_the_limit_are_not_made);
    RUN(a_training_that_a_callback_stops_keeps_the_last_complete_epoch);
    RUN(a_callback_stops_a_training_whose_epochs_are_one_batch);
    RUN(a_training_that_diverges_says_so_and_keeps_the_last_complete_epoch);
    RUN(other_data_and_fewer_epochs_are_refused);
    RUN(evaluation_and_classification_agree);
    RUN(an_ensemble_gives_the_mean_probabilities);
    RUN(one_model_once_or_twice_gives_its_own_answers);
    RUN(models_that_cannot_answer_together_are_named);
    RUN(a_split_of_other_data_is_said_of_any_model);
    RUN(several_threads_use_one_model);
    RUN(a_picture_is_prepared_or_refused);
    RUN(a_new_training_starts_from_a_models_weights);
    RUN(a_training_from_a_model_is_resumed_byte_for_byte);
    RUN(training_sees_the_images_of_mlp_affine_apply);
    RUN(changes_beyond_the_settings_are_refused);
    RUN(data_that_a_model_cannot_start_with_are_refused);
    RUN(gradients_are_checked);
    RUN(settings_out_of_range_are_named);
    RUN(what_is_missing_is_named);
    RUN(data_that_do_not_fit_are_named);
    RUN(the_model_says_how_the_files_were_stored);
    RUN(compressed_files_are_read_where_children_are_ignored);
    RUN(an_error_may_be_ignored);
    return test_end();
}
