// make bench: how fast training is, as ratios measured in one run on one machine. No timing is a
// test: machines are shared and noisy. Every configuration runs once in each round, in turn, and
// the median of the rounds is shown.
//
//   (a) this trainer, by threads and batch size;
//   (b) the dense lower bound: the multiplications and additions of any dense program at the
//       multiply-add rate that this machine is measured to reach, from registers alone.
#include "commands.h"
#include "evaluate.h"
#include "kernels.h"
#include "numbers.h"
#include "random.h"
#include "settings.h"
#include "train.h"

#include "bench_peak.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MAX_ROUNDS = 99, MAX_ROWS = 64, MAX_THREADS = 2, SOME_IMAGES = 5000 };

typedef struct BenchOptions {
    uint64_t rounds;
    const char *data;
} BenchOptions;

static void bench_options(OptionTable *table, void *values)
{
    BenchOptions *o = values;
    o->rounds = 7;
    const Option options[] = {
        OPT_UINT("rounds", &o->rounds, 1, MAX_ROUNDS, "N", "repeats of every measurement"),
        OPT_DATA(&o->data),
    };
    options_add(table, options, sizeof options / sizeof options[0]);
}

// One line of the table: something to do, and how long it took in each round.
typedef struct Row {
    const char *what, *arch;
    const Kernels *kernels;
    size_t threads, batch, images;            // of the training
    double (*measure)(const struct Row *row); // returns seconds
    const PresetValue *settings;              // that differ from the defaults, or NULL
    double seconds[MAX_ROUNDS];
} Row;

static Row rows[MAX_ROWS];
static size_t n_rows, n_rounds;

static Row *row_add(Row row)
{
    rows[n_rows] = row;
    return &rows[n_rows++];
}

// The dense network on all training images, and the convolutional ones on some.
static Row *row_mlp(const char *what, const Kernels *which, size_t threads, size_t batch,
                    double (*measure)(const Row *row))
{
    return row_add((Row){what, "mlp", which, threads, batch, 0, measure, NULL, {0}});
}

static Row *row_cnn(const char *what, const char *arch, const Kernels *which, size_t threads,
                    size_t images, double (*measure)(const Row *row))
{
    return row_add((Row){what, arch, which, threads, 64, images, measure, NULL, {0}});
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values)
{
    double sorted[MAX_ROUNDS];
    memcpy(sorted, values, n_rounds * sizeof *values);
    qsort(sorted, n_rounds, sizeof *sorted, compare);
    return n_rounds % 2 == 1 ? sorted[n_rounds / 2]
                             : 0.5 * (sorted[n_rounds / 2 - 1] + sorted[n_rounds / 2]);
}

// The median of the rounds' own ratios: what a round's noise does to both cancels.
static double median_ratio(const Row *above, const Row *below)
{
    double ratios[MAX_ROUNDS];
    for (size_t r = 0; r < n_rounds; r++)
        ratios[r] = above->seconds[r] / below->seconds[r];
    return median(ratios);
}

// ---------------------------------------------------------------------------------------------
// What is measured

static Dataset data;
static TrainData train_data;

static TrainData row_data(const Row *row)
{
    TrainData found = train_data;
    if (row->images > 0) { // few to evaluate, too
        found.split.train.end = row->images;
        found.split.validation.first = found.split.validation.end - 64;
    }
    return found;
}

static bool fail(const Error *err)
{
    fprintf(stderr, "bench: %s\n", err->text);
    exit(1);
}

static bool keep_seconds(void *context, const mlp_epoch *report)
{
    *(double *)context = report->seconds;
    return true;
}

typedef struct Trained {
    Arena arena;
    Network net;
    float *params;
    ThreadPool *pool;
} Trained;

static void trained_open(Trained *t, const Row *row)
{
    Error err;
    mlp_settings defaults;
    settings_default(&defaults, row->arch);
    Architecture architecture = architecture_of(&defaults, data.rows, data.cols, data.n_classes);
    *t = (Trained){.params = NULL};
    kernels = row->kernels;
    if (!network_build(&t->net, &architecture, &err) ||
        (t->params = network_alloc(&t->net, &t->arena, &err)) == NULL ||
        (t->pool = pool_open(row->threads, &t->arena, &err)) == NULL)
        fail(&err);
    network_init(&t->net, t->params, 1);
}

static void trained_close(Trained *t)
{
    pool_close(t->pool);
    arena_free(&t->arena);
}

static mlp_settings row_settings(const Row *row)
{
    mlp_settings settings;
    Error err;
    settings_default(&settings, row->arch);
    settings.epochs = 1;
    settings.batch_size = row->batch;
    for (const PresetValue *value = row->settings; value != NULL && value->key != NULL; value++)
        if (!setting_parse(setting_find(settings_table, value->key), &settings, value->text, &err))
            fail(&err);
    return settings;
}

// One epoch as `mlp train` runs it, the shuffle included, validation not.
static double epoch_seconds(const Row *row)
{
    Trained t;
    Error err;
    double seconds;
    trained_open(&t, row);
    mlp_settings settings = row_settings(row);
    TrainObserver observer = {.context = &seconds, .epoch = keep_seconds};
    TrainData images = row_data(row);
    TrainState state = {.epochs = 0};
    images.state = &state;
    if (train_run(t.params, &t.net, &settings, &images, t.pool, &observer, &t.arena, &err) !=
        MLP_DONE)
        fail(&err);
    trained_close(&t);
    return seconds;
}

static double evaluate_seconds(const Row *row)
{
    Trained t;
    Error err;
    Evaluator evaluator;
    Range images = train_data.split.validation;
    trained_open(&t, row);
    const Member member = {&t.net, t.params, NULL, train_data.scale};
    if (!evaluator_alloc(&evaluator, &(Ensemble){&member, 1}, t.pool, range_length(images), NULL,
                         &t.arena, &err))
        fail(&err);
    evaluator_run(&evaluator, &data, images);
    double start = clock_seconds();
    evaluator_run(&evaluator, &data, images);
    double seconds = clock_seconds() - start;
    trained_close(&t);
    return seconds;
}

// What a dense program multiplies and adds in one epoch: each weight at each output pixel, forward,
// in the update and, above the first layer with parameters, backward.
static double dense_flops(const Row *row)
{
    Trained t;
    trained_open(&t, row);
    TrainData images = row_data(row);
    double products = 0.0;
    for (size_t l = t.net.first_trained; l < t.net.n_layers; l++) {
        const Layer *layer = &t.net.layers[l];
        size_t pixels = layer->out.height * layer->out.width;
        if (layer->n_tensors > 0)
            products += (double)(tensor_size(&layer->tensors[0]) * pixels) *
                        (l > t.net.first_trained ? 3.0 : 2.0);
    }
    trained_close(&t);
    return 2.0 * (double)range_length(images.split.train) * products;
}

static void peak_worker(void *context, size_t worker)
{
    (void)worker;
    peak_kernels[*(size_t *)context].run(PEAK_STEPS);
}

// The dense lower bound of an epoch, from the fastest of the ways to multiply and add.
static double dense_bound_seconds(const Row *row)
{
    Arena arena = {0};
    Error err;
    ThreadPool *pool = pool_open(row->threads, &arena, &err);
    if (pool == NULL)
        fail(&err);
    double best = 0.0;
    for (size_t i = 0; i < N_PEAK_KERNELS; i++)
        if (peak_is_available(i)) {
            double start = clock_seconds();
            pool_run(pool, peak_worker, &i);
            double flops = (double)row->threads * PEAK_STEPS * peak_kernels[i].flops_per_step;
            double rate = flops / (clock_seconds() - start);
            best = rate > best ? rate : best;
        }
    pool_close(pool);
    arena_free(&arena);
    return dense_flops(row) / best;
}

// ---------------------------------------------------------------------------------------------
// Kernels, one by one: seconds for the batches of one epoch

typedef void (*Step)(const Network *net, float *params, const Work *work, const Batch *batch);

static void step_load(const Network *net, float *params, const Work *work, const Batch *batch)
{
    network_load(net, params, work, batch, (Part){0, 1});
}

static void step_examples(const Network *net, float *params, const Work *work, const Batch *batch)
{
    Range all = {0, batch->size};
    network_forward(net, params, work, batch, all);
    network_loss(net, work, batch, all);
    network_backward(net, params, work, batch, all);
}

static void step_weight_gradient(const Network *net, float *params, const Work *work,
                                 const Batch *batch)
{
    network_weight_gradient(net, work, batch, -1e-3f, params, (Part){0, 1});
}

// Runs a whole epoch's batches through all three stages, and counts the time of one.
static double stage_seconds(const Row *row, size_t counted)
{
    static const Step steps[] = {step_load, step_examples, step_weight_gradient};
    Trained t;
    Error err;
    Work work;
    trained_open(&t, row);
    size_t n = range_length(train_data.split.train);
    uint32_t *order = arena_alloc(&t.arena, n, sizeof *order, "the order", &err);
    WorkNeeds needs = {.capacity = row->batch};
    const PreparedImages *images;
    if (order == NULL || !network_prepare(&t.net, &images, &data, &t.arena, &err) ||
        !work_alloc(&work, &t.net, needs, &t.arena, &err))
        fail(&err);
    random_permutation(order, n, 1, RANDOM_ORDER + 1);
    double seconds = 0.0;
    for (size_t first = 0; first < n; first += row->batch) {
        Batch batch = {.data = &data,
                       .prepared = images,
                       .scale = &train_data.scale,
                       .order = order,
                       .n = n,
                       .first = first,
                       .size = first + row->batch < n ? row->batch : n - first};
        for (size_t s = 0; s < 3; s++) {
            double start = clock_seconds();
            steps[s](&t.net, t.params, &work, &batch);
            seconds += s == counted ? clock_seconds() - start : 0.0;
        }
    }
    trained_close(&t);
    return seconds;
}

// What comes before the first epoch.
static double prepare_seconds(const Row *row)
{
    Trained t;
    Error err;
    const PreparedImages *images;
    trained_open(&t, row);
    double start = clock_seconds();
    if (!network_prepare(&t.net, &images, &data, &t.arena, &err))
        fail(&err);
    double seconds = clock_seconds() - start;
    trained_close(&t);
    return seconds;
}

static double load_seconds(const Row *row)
{
    return stage_seconds(row, 0);
}

static double examples_seconds(const Row *row)
{
    return stage_seconds(row, 1);
}

static double weight_gradient_seconds(const Row *row)
{
    return stage_seconds(row, 2);
}

// ---------------------------------------------------------------------------------------------
// The table

static void print_row(const Row *row, const Row *bound)
{
    printf("  %-26s  %-7s %3zu %6zu  %9.2f", row->what, row->kernels->isa, row->threads, row->batch,
           1e3 * median(row->seconds));
    if (bound != NULL)
        printf("  %9.3f", median_ratio(row, bound));
    putchar('\n');
}

static void print_head(const char *what, const char *ratio)
{
    printf("\n  %-26s  %-7s %3s %6s  %9s  %9s\n", what, "set", "thr", "batch", "ms", ratio);
}

// What settings cost: plain training, and then with each of them.
typedef struct Recipe {
    const char *what;
    const PresetValue *settings;
} Recipe;
static const PresetValue with_momentum[] = {
    {"momentum", "0.9"}, {"learning_rate", "0.0001"}, {NULL, NULL}};
static const PresetValue with_adam[] = {{"optimizer", "adam"}, {NULL, NULL}};
static const PresetValue with_average[] = {{"ema", "0.999"}, {NULL, NULL}};
static const Recipe recipes[] = {{"plain", NULL},
                                 {"augmentation", augmentation_values},
                                 {"momentum", with_momentum},
                                 {"Adam", with_adam},
                                 {"averaged weights", with_average}};
enum { N_RECIPES = sizeof recipes / sizeof recipes[0], N_CNN_RECIPES = 2 };

static void add_recipes(const Kernels *which, size_t threads)
{
    for (size_t i = 0; i < N_RECIPES; i++)
        row_mlp(recipes[i].what, which, threads, 64, epoch_seconds)->settings = recipes[i].settings;
}

static void add_cnn_recipes(const Kernels *which, size_t threads)
{
    for (size_t i = 0; i < N_CNN_RECIPES; i++)
        row_cnn(recipes[i].what, "cnn", which, threads, SOME_IMAGES, epoch_seconds)->settings =
            recipes[i].settings;
}

// Rows that begin with plain training, and then again after every n.
static void print_recipes(const char *what, const Row *first, const Row *end, size_t n)
{
    print_head(what, "to plain");
    for (const Row *row = first; row < end; row++)
        print_row(row, row - (size_t)(row - first) % n);
}

// Rows had different numbers of images.
static void per_thousand(Row *first, const Row *end)
{
    for (Row *row = first; row < end; row++)
        for (size_t round = 0; round < n_rounds; round++)
            row->seconds[round] *= 1000.0 / (double)row->images;
}

// Ratios to the bound of as many threads.
static void print_cnn(const char *what, const Row *first, const Row *end)
{
    print_head(what, "to bound");
    for (const Row *row = first; row < end; row++) {
        const Row *bound = NULL;
        for (const Row *other = first; other < end; other++)
            if (other->threads == row->threads && other->measure == dense_bound_seconds)
                bound = other;
        print_row(row, bound);
    }
}

static double nonzero_share(void)
{
    size_t n = range_length(train_data.split.train) * dataset_pixels_per_image(&data), nonzero = 0;
    for (size_t i = 0; i < n; i++)
        nonzero += data.pixels[i] != 0;
    return (double)nonzero / (double)n;
}

static int run(Context *c)
{
    static const size_t batches[] = {32, 64, 128, 256};
    const BenchOptions *o = c->values;
    double pixel_std;
    n_rounds = (size_t)o->rounds;
    if (!command_open_data(c, MLP_TRAIN_FILES, o->data, false))
        return STATUS_FAILED;
    data = *c->data[MLP_TRAIN_FILES];
    if (!dataset_split(&train_data.split, data.n, 0, 0, &c->err) ||
        !dataset_pixel_std(&pixel_std, &data, train_data.split.train, &c->err))
        return STATUS_FAILED;
    train_data.data = &data;
    train_data.scale = input_scale(pixel_std);
    const Kernels *here = kernels;
    size_t cpus = cpus_allowed(), most = cpus < MAX_THREADS ? cpus : MAX_THREADS;

    Row *bound[MAX_THREADS + 1], *ours[MAX_THREADS + 1][4];
    for (size_t threads = 1; threads <= most; threads++) {
        bound[threads] = row_mlp("dense lower bound", here, threads, 0, dense_bound_seconds);
        for (size_t b = 0; b < 4; b++)
            ours[threads][b] = row_mlp("train", here, threads, batches[b], epoch_seconds);
    }
    Row *first_kernel = &rows[n_rows];
    row_mlp("once: sparse images", here, 1, 64, prepare_seconds);
    row_mlp("stage 1: partial sums", here, 1, 64, load_seconds);
    row_mlp("stage 2: output layer", here, 1, 64, examples_seconds);
    row_mlp("stage 3: update", here, 1, 64, weight_gradient_seconds);
    Row *first_evaluation = &rows[n_rows];
    for (size_t threads = 1; threads <= most; threads++)
        row_mlp("evaluate", here, threads, 64, evaluate_seconds);
    Row *first_isa = &rows[n_rows];
    for (size_t i = 0; kernels_available(i) != NULL; i++)
        row_mlp("train", kernels_available(i), 1, 64, epoch_seconds);
    Row *first_recipe = &rows[n_rows];
    for (size_t threads = 1; threads <= most; threads++)
        add_recipes(here, threads);
    Row *first_cnn = &rows[n_rows];
    for (size_t threads = 1; threads <= most; threads++) {
        row_cnn("train", "cnn", here, threads, SOME_IMAGES, epoch_seconds);
        row_cnn("dense lower bound", "cnn", here, threads, SOME_IMAGES, dense_bound_seconds);
    }
    for (size_t i = 0; kernels_available(i) != NULL; i++)
        row_cnn("train", "cnn", kernels_available(i), 1,
                i == 0 ? SOME_IMAGES / 25 : SOME_IMAGES / 5, epoch_seconds);
    Row *first_lenet5 = &rows[n_rows];
    for (size_t threads = 1; threads <= most; threads++) {
        row_cnn("train", "lenet5", here, threads, SOME_IMAGES, epoch_seconds);
        row_cnn("dense lower bound", "lenet5", here, threads, SOME_IMAGES, dense_bound_seconds);
    }
    Row *first_cnn_recipe = &rows[n_rows];
    for (size_t threads = 1; threads <= most; threads++)
        add_cnn_recipes(here, threads);
    Row *end = &rows[n_rows];

    for (size_t round = 0; round < n_rounds; round++) {
        fprintf(stderr, "\rround %zu of %zu ", round + 1, n_rounds);
        for (size_t i = 0; i < n_rows; i++)
            rows[i].seconds[round] = rows[i].measure(&rows[i]);
    }
    fputs("\r\033[K", stderr);

    printf("%zu training images, %.1f %% of the pixels nonzero, medians of %zu rounds\n",
           range_length(train_data.split.train), 100.0 * nonzero_share(), n_rounds);
    print_head("one epoch", "to bound");
    for (size_t threads = 1; threads <= most; threads++) {
        for (size_t b = 0; b < 4; b++)
            print_row(ours[threads][b], bound[threads]);
        printf("  %-26s  %-7s %3zu %6s  %9.2f  %9.3f   (%.1f GFLOP/s)\n", bound[threads]->what, "",
               threads, "", 1e3 * median(bound[threads]->seconds), 1.0,
               1e-9 * dense_flops(bound[threads]) / median(bound[threads]->seconds));
    }
    print_head("the stages of an epoch", "to bound");
    for (Row *row = first_kernel; row < first_evaluation; row++)
        print_row(row, bound[1]);
    printf("\n  %zu images evaluated\n", range_length(train_data.split.validation));
    for (Row *row = first_evaluation; row < first_isa; row++)
        print_row(row, NULL);
    printf("\n  the instruction sets of this machine\n");
    for (Row *row = first_isa; row < first_recipe; row++)
        print_row(row, bound[1]);
    print_recipes("settings", first_recipe, first_cnn, N_RECIPES);
    per_thousand(first_cnn, end);
    print_cnn("--arch cnn, 1,000 images", first_cnn, first_lenet5);
    print_cnn("--arch lenet5, 1,000 images", first_lenet5, first_cnn_recipe);
    print_recipes("settings of cnn", first_cnn_recipe, end, N_CNN_RECIPES);

    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("\npeak memory of all this %.0f MB, the data %.0f MB of it\n",
           (double)usage.ru_maxrss / 1024.0,
           (double)(data.n * dataset_pixels_per_image(&data)) / 1e6);
    return STATUS_DONE;
}

int main(int argc, char **argv)
{
    static const Command bench = {.name = "bench",
                                  .about = "Measures how fast training is.",
                                  .values_size = sizeof(BenchOptions),
                                  .options = bench_options,
                                  .run = run};
    Context context = {0};
    bool ok = command_environment(&context);
    return command_finish(&context,
                          ok ? command_run(&context, &bench, argc - 1, argv + 1) : STATUS_USAGE);
}
