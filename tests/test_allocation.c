// Memory and threads that are not given: every allocation of a run fails once, alone and with all
// that follow, and the run ends with its reason, without a leak, and with what was there before.
// (Linked with --wrap, which puts the functions below between the program and the system: the
// program itself needs no hook. libc's own allocations are not reached by it.)
#include "commands.h"
#include "threads.h"

#include "files.h"
#include "synthetic.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

// ---------------------------------------------------------------------------------------------
// What is refused

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
int __wrap_prctl(int option, ...);

// Call number `first` is refused, and with `onwards` all after it; 0: none.
typedef struct Refusal {
    size_t calls, first;
    bool onwards;
} Refusal;
static Refusal memory, threads;

static bool refused(Refusal *r)
{
    r->calls++;
    return r->first != 0 && (r->calls == r->first || (r->onwards && r->calls > r->first));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    if (!refused(&memory))
        return __real_aligned_alloc(alignment, size);
    errno = ENOMEM;
    return NULL;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    return refused(&threads) ? EAGAIN : __real_pthread_create(thread, attributes, start, argument);
}

// A command calls this to enter its sandbox (sandbox.c), which would hold for all that follows
// here: that is refused. The calls for memory before it need not end a command.
static size_t calls_before_sandbox;
int __wrap_prctl(int option, ...)
{
    (void)option;
    calls_before_sandbox = memory.calls;
    errno = EPERM;
    return -1;
}

// ---------------------------------------------------------------------------------------------
// What must be as it was: descriptors, children, files; and no memory is lost

// Under the address sanitizer only.
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
extern void __sanitizer_set_report_fd(void *fd) __attribute__((weak));

static size_t count_open_files(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static size_t count_entries(const char *directory)
{
    size_t n = 0;
    DIR *dir = opendir(directory);
    if (dir == NULL)
        abort();
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

enum { ROOM = 65536 };
typedef struct Content {
    unsigned char bytes[ROOM];
    size_t size;
} Content;

static bool holds(const char *path, const Content *content)
{
    static unsigned char bytes[ROOM];
    size_t size = read_file(path, bytes, sizeof bytes);
    return size == content->size && memcmp(bytes, content->bytes, size) == 0;
}

static const Content old = {"what was there", 14};

static void check_clean(size_t open_files, const char *what, size_t n)
{
    CHECK(count_open_files() == open_files, "%s, %zu: %zu files are open, not %zu", what, n,
          count_open_files(), open_files);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "%s, %zu: a child is left", what, n);
}

static void check_nothing_is_lost(const char *what)
{
    CHECK(__lsan_do_recoverable_leak_check == NULL || __lsan_do_recoverable_leak_check() == 0,
          "%s: memory is lost", what);
}

// "... out of memory: 64 bytes for the threads"
static bool says_out_of_memory(const char *text)
{
    const char *at = strstr(text, "out of memory: ");
    const char *what = at == NULL ? NULL : strstr(at, " bytes for ");
    return what != NULL && strlen(what) > strlen(" bytes for a");
}

static size_t n_points;

// ---------------------------------------------------------------------------------------------
// Files to work on: images of 6 x 6 pixels, and a larger, compressed set

static void put_u32(FILE *file, size_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(value >> shift & 0xff), file);
}

static void write_idx(const char *directory, const char *part, const Dataset *data, bool compressed)
{
    char path[1024], command[1200];
    for (int which = 0; which < 2; which++) {
        snprintf(path, sizeof path, "%s/%s-%s-ubyte", directory, part,
                 which == 0 ? "images-idx3" : "labels-idx1");
        FILE *file = fopen(path, "wb");
        if (file == NULL)
            abort();
        put_u32(file, which == 0 ? 0x0803 : 0x0801);
        put_u32(file, data->n);
        if (which == 0) {
            put_u32(file, data->rows);
            put_u32(file, data->cols);
        }
        size_t size = which == 0 ? data->n * dataset_pixels_per_image(data) : data->n;
        fwrite(which == 0 ? data->pixels : data->labels, 1, size, file);
        snprintf(command, sizeof command, "gzip -nf '%s'", path);
        if (fclose(file) != 0 || (compressed && system(command) != 0))
            abort();
    }
}

static char small_data[600], image_data[600], large_data[600], out_directory[600], model_path[640],
    csv_path[640], predictions_path[640], trained_path[640], said_path[640];
static Content trained; // the model that `mlp train` makes of small_data

static void make_files(void)
{
    Arena arena = {0};
    snprintf(small_data, sizeof small_data, "%s", work_path("small"));
    snprintf(image_data, sizeof image_data, "%s", work_path("images"));
    snprintf(large_data, sizeof large_data, "%s", work_path("large"));
    snprintf(out_directory, sizeof out_directory, "%s", work_path("out"));
    snprintf(trained_path, sizeof trained_path, "%s", work_path("trained"));
    snprintf(said_path, sizeof said_path, "%s", work_path("said"));
    snprintf(model_path, sizeof model_path, "%s/model", out_directory);
    snprintf(csv_path, sizeof csv_path, "%s/csv", out_directory);
    snprintf(predictions_path, sizeof predictions_path, "%s/predictions", out_directory);
    mkdir(small_data, 0777);
    mkdir(image_data, 0777);
    mkdir(large_data, 0777);
    mkdir(out_directory, 0777);
    Synthetic small = synthetic_make(&arena, 72, 6, 4), large = synthetic_make(&arena, 350, 64, 4);
    write_idx(small_data, "train", &small.data, false);
    write_idx(small_data, "t10k", &small.data, true);
    Synthetic images = synthetic_make(&arena, 72, 16, 4);
    write_idx(image_data, "train", &images.data, false);
    write_idx(large_data, "train", &large.data, true);
    arena_free(&arena);
}

static void write_old_files(void)
{
    write_file(model_path, old.bytes, old.size);
    write_file(csv_path, old.bytes, old.size);
    write_file(predictions_path, old.bytes, old.size);
}

// ---------------------------------------------------------------------------------------------
// The library

typedef struct Outcome {
    bool committed; // the model is in place
    Content model;  // as it is in memory when all has been done
} Outcome;

typedef bool Work_(Outcome *outcome, char error[MLP_ERROR_SIZE]);

static bool read_large_data(Outcome *outcome, char error[MLP_ERROR_SIZE])
{
    (void)outcome;
    mlp_data *data = mlp_data_open(large_data, MLP_TRAIN_FILES, true, error);
    mlp_data_close(data);
    return data != NULL;
}

// Everything that a training does, and reading its model again and using it.
static bool train_network(const char *arch, const char *directory, Outcome *outcome, char *error)
{
    mlp_settings settings;
    mlp_evaluation e;
    mlp_model *made = NULL, *read = NULL;
    mlp_data *data = mlp_data_open(directory, MLP_TRAIN_FILES, false, error);
    if (data != NULL && mlp_settings_default(&settings, arch, error)) {
        settings.hidden[0] = 4;
        settings.learning_rate = 0.01;
        settings.batch_size = 16;
        if (strcmp(arch, "cnn") == 0) { // with all that a training can have beside its weights
            settings.optimizer = "adam";
            settings.ema = 0.5;
            settings.keep = "best";
            settings.rotate = 10;
        }
        made = mlp_create(&settings, data, error);
    }
    outcome->committed = made != NULL && mlp_train(made, data, 2, 2, NULL, error) == MLP_DONE &&
                         mlp_evaluate(made, data, MLP_ALL, 2, &e, NULL, error) &&
                         mlp_save(made, model_path, error);
    if (outcome->committed)
        read = mlp_open(model_path, error);
    bool ok = read != NULL && mlp_classify(read, data->pixels, 70, NULL, NULL, error);
    if (ok) {
        outcome->model.size = read->net.n_parameters * sizeof(float);
        memcpy(outcome->model.bytes, read->params, outcome->model.size);
    }
    mlp_close(read);
    mlp_close(made);
    mlp_data_close(data);
    return ok;
}

static bool train_save_and_read(Outcome *outcome, char error[MLP_ERROR_SIZE])
{
    return train_network("mlp", small_data, outcome, error);
}

static bool train_convolutional(Outcome *outcome, char error[MLP_ERROR_SIZE])
{
    return train_network("cnn", image_data, outcome, error);
}

static bool check_gradients(Outcome *outcome, char error[MLP_ERROR_SIZE])
{
    mlp_settings settings;
    mlp_model *model = NULL;
    mlp_gradient_check *check = NULL;
    mlp_data *data = mlp_data_open(small_data, MLP_TRAIN_FILES, false, error);
    if (data != NULL && mlp_settings_default(&settings, "mlp", error)) {
        settings.hidden[0] = 4;
        model = mlp_create(&settings, data, error);
    }
    if (model != NULL)
        check = mlp_check_gradients(model, data, 0, MLP_CHECK_STEP, error);
    outcome->model.size = check != NULL;
    CHECK(check == NULL || check->ok, "the gradients are wrong");
    bool ok = check != NULL;
    mlp_gradient_check_close(check);
    mlp_close(model);
    mlp_data_close(data);
    return ok;
}

// Runs once with nothing refused, then refuses each allocation in turn.
static void sweep(const char *what, Work_ *work, bool onwards, size_t at_least)
{
    static Outcome first, outcome;
    size_t open_files = count_open_files(), n_failed = 0, n = 0;
    for (;; n++) { // n = 0: none is refused
        Error err = {""};
        write_old_files();
        size_t entries = count_entries(out_directory);
        memset(&outcome, 0, sizeof outcome);
        memory = (Refusal){.first = n, .onwards = onwards};
        bool ok = work(&outcome, err.text);
        bool reached = memory.calls >= n && n > 0;
        memory = (Refusal){0};
        if (n == 0) {
            REQUIRE(ok, "%s: %s", what, err.text);
            first = outcome;
            continue;
        }
        if (!reached)
            break;
        n_failed += !ok;
        CHECK(ok || says_out_of_memory(err.text), "%s, %zu: %s", what, n, err.text);
        CHECK(!ok || memcmp(&outcome, &first, sizeof outcome) == 0, "%s, %zu: another result", what,
              n);
        CHECK(outcome.committed || holds(model_path, &old), "%s, %zu: the old file is lost", what,
              n);
        CHECK(count_entries(out_directory) == entries, "%s, %zu: a file was left", what, n);
        check_clean(open_files, what, n);
    }
    n_points += n - 1;
    check_nothing_is_lost(what);
    // One may be done without: that of the name of the directory to sync.
    CHECK(n - 1 >= at_least && n_failed + 1 >= n - 1, "%s: %zu of %zu points failed", what,
          n_failed, n - 1);
}

static void reading_data_survives_every_allocation_that_fails(void)
{
    for (int onwards = 0; onwards < 2; onwards++)
        sweep("reading", read_large_data, onwards, 3);
}

static void training_and_saving_survive_every_allocation_that_fails(void)
{
    for (int onwards = 0; onwards < 2; onwards++)
        sweep("training", train_save_and_read, onwards, 80);
}

static void training_on_images_survives_every_allocation_that_fails(void)
{
    sweep("training images", train_convolutional, false, 120);
}

static void the_gradient_check_survives_every_allocation_that_fails(void)
{
    for (int onwards = 0; onwards < 2; onwards++)
        sweep("gradcheck", check_gradients, onwards, 40);
}

// ---------------------------------------------------------------------------------------------
// Whole commands

// What the command says goes into a file; what a sanitizer says does not.
static int run_command(const Command *command, const char *const *words, char *said, size_t room)
{
    static char copies[32][640], *argv[33];
    int argc = 0;
    for (; words[argc] != NULL; argc++) { // the options keep pointers into them
        snprintf(copies[argc], sizeof copies[argc], "%s", words[argc]);
        argv[argc] = copies[argc];
    }
    argv[argc] = NULL;
    fflush(stdout);
    int kept_out = dup(STDOUT_FILENO), kept_err = dup(STDERR_FILENO);
    int null = open("/dev/null", O_WRONLY),
        file = open(said_path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    if (kept_out < 0 || kept_err < 0 || null < 0 || file < 0)
        abort();
    if (__sanitizer_set_report_fd != NULL)
        __sanitizer_set_report_fd((void *)(intptr_t)kept_err);
    dup2(null, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    Context context = {.cpus = 4};
    int status = command_finish(&context, command_run(&context, command, argc, argv));
    dup2(kept_out, STDOUT_FILENO);
    dup2(kept_err, STDERR_FILENO);
    if (__sanitizer_set_report_fd != NULL)
        __sanitizer_set_report_fd((void *)(intptr_t)STDERR_FILENO);
    close(kept_out);
    close(kept_err);
    close(null);
    close(file);
    size_t n = read_file(said_path, said, room - 1);
    said[n] = '\0';
    return status;
}

static bool is_one_message(const char *said)
{
    const char *end = strchr(said, '\n');
    return strncmp(said, "mlp: ", 5) == 0 && end != NULL && end[1] == '\0' &&
           says_out_of_memory(said);
}

static bool keeps_or_replaces(const char *path, bool ok, const Content *made)
{
    return ok ? made->size == 0 || holds(path, made) : holds(path, &old);
}

// `made` is what a run that succeeds writes to `path`, of size 0 when that is not known.
static void sweep_command(const Command *command, const char *const *words, const char *path,
                          const Content *made, bool onwards, size_t at_least)
{
    size_t open_files = count_open_files(), n = 0, n_failed = 0, need_not_fail = 6;
    calls_before_sandbox = 0;
    for (;; n++) {
        char said[4096];
        write_old_files();
        size_t entries = count_entries(out_directory);
        memory = (Refusal){.first = n, .onwards = onwards};
        int status = run_command(command, words, said, sizeof said);
        bool reached = memory.calls >= n && n > 0;
        memory = (Refusal){0};
        if (n == 0) {
            REQUIRE(status == STATUS_DONE, "mlp %s: %d, %s", command->name, status, said);
            need_not_fail += calls_before_sandbox;
            continue;
        }
        if (!reached)
            break;
        bool ok = status == STATUS_DONE;
        n_failed += !ok;
        CHECK(ok || (status == STATUS_FAILED && is_one_message(said)), "mlp %s, %zu: %d, '%s'",
              command->name, n, status, said);
        CHECK(keeps_or_replaces(path, ok, made), "mlp %s, %zu: %s is neither the old nor the new",
              command->name, n, path);
        CHECK(count_entries(out_directory) == entries, "mlp %s, %zu: a file was left",
              command->name, n);
        check_clean(open_files, command->name, n);
    }
    n_points += n - 1;
    check_nothing_is_lost(command->name);
    CHECK(n - 1 >= at_least && n_failed + need_not_fail >= n - 1,
          "mlp %s: %zu of %zu points failed", command->name, n_failed, n - 1);
}

static const char *const train_words[] = {
    "-q",        "--epochs", "2",  "--hidden", "4",  "--lr",     "0.01",  "--batch", "16",
    "--threads", "4",        "-d", small_data, "-o", model_path, "--csv", csv_path,  NULL};

static void mlp_train_survives_every_allocation_that_fails(void)
{
    char said[4096];
    int status = run_command(&command_train, train_words, said, sizeof said);
    REQUIRE(status == STATUS_DONE, "%d, %s", status, said);
    trained.size = read_file(model_path, trained.bytes, sizeof trained.bytes);
    write_file(trained_path, trained.bytes, trained.size);
    for (int onwards = 0; onwards < 2; onwards++)
        sweep_command(&command_train, train_words, model_path, &trained, onwards, 60);
}

static void mlp_train_from_survives_every_allocation_that_fails(void)
{
    static const char *const words[] = {
        "-q",       "--from", trained_path, "--epochs", "1",      "--momentum", "0.9", "-d",
        small_data, "-o",     model_path,   "--csv",    csv_path, "--threads",  "2",   NULL};
    static const Content any;
    for (int onwards = 0; onwards < 2; onwards++)
        sweep_command(&command_train, words, model_path, &any, onwards, 60);
}

static void mlp_eval_survives_every_allocation_that_fails(void)
{
    static const char *const words[] = {
        trained_path,     "-d",        small_data, "--json", "--predictions",
        predictions_path, "--threads", "2",        NULL};
    static const Content any;
    for (int onwards = 0; onwards < 2; onwards++)
        sweep_command(&command_eval, words, predictions_path, &any, onwards, 60);
}

static void several_models_survive_every_allocation_that_fails(void)
{
    static const char *const words[] = {trained_path,     trained_path, "-d",     small_data,
                                        "--compare",      trained_path, "--json", "--differences",
                                        predictions_path, "--threads",  "2",      NULL};
    static const Content any;
    for (int onwards = 0; onwards < 2; onwards++)
        sweep_command(&command_eval, words, predictions_path, &any, onwards, 120);
}

static void mlp_info_and_gradcheck_survive_every_allocation_that_fails(void)
{
    static const char *const info[] = {trained_path, NULL};
    static const char *const data_info[] = {small_data, "--json", NULL};
    static const char *const gradcheck[] = {trained_path, "-d", small_data, NULL};
    for (int onwards = 0; onwards < 2; onwards++) {
        sweep_command(&command_info, info, model_path, &old, onwards, 30);
        sweep_command(&command_info, data_info, model_path, &old, onwards, 12);
        sweep_command(&command_gradcheck, gradcheck, model_path, &old, onwards, 60);
    }
}

static void mlp_explain_and_compare_survive_every_allocation_that_fails(void)
{
    static char arrays[640];
    char said[4096];
    snprintf(arrays, sizeof arrays, "%s", work_path("arrays"));
    const char *const save[] = {trained_path, "-d", small_data, "--save", arrays, NULL};
    const char *const explain[] = {trained_path, "-d",          small_data, "--json",
                                   "--weight",   "fc1.bias[0]", NULL};
    const char *const compare[] = {trained_path, "--compare", arrays, NULL};
    int status = run_command(&command_explain, save, said, sizeof said);
    REQUIRE(status == STATUS_DONE, "%d, %s", status, said);
    for (int onwards = 0; onwards < 2; onwards++) {
        sweep_command(&command_explain, explain, model_path, &old, onwards, 60);
        sweep_command(&command_gradcheck, compare, model_path, &old, onwards, 60);
    }
}

static void mlp_sweep_survives_every_allocation_that_fails(void)
{
    static char part[640], merged[640];
    char said[4096];
    snprintf(part, sizeof part, "%s", work_path("part"));
    snprintf(merged, sizeof merged, "%s/merged", out_directory);
    const char *const first[] = {"-q", "--epochs", "1",        "--hidden", "4",  "--seeds",
                                 "2",  "-d",       small_data, "--csv",    part, NULL};
    const char *const train[] = {"-q",        "--epochs",  "1",  "--hidden",  "4",
                                 "--seeds",   "2",         "-d", small_data,  "--csv",
                                 "/dev/null", "--threads", "1",  "--summary", NULL};
    const char *const merge[] = {"-q",      "--epochs", "1",       "--hidden", "4",
                                 "--seeds", "2",        "-d",      small_data, "--csv",
                                 merged,    "--json",   "--merge", part,       NULL};
    int status = run_command(&command_sweep, first, said, sizeof said);
    REQUIRE(status == STATUS_DONE, "%d, %s", status, said);
    for (int onwards = 0; onwards < 2; onwards++) {
        sweep_command(&command_sweep, train, model_path, &old, onwards, 60);
        sweep_command(&command_sweep, merge, model_path, &old, onwards, 20);
    }
}

static void mlp_predict_survives_every_allocation_that_fails(void)
{
    static char images[640], picture[640];
    snprintf(images, sizeof images, "%s/train-images-idx3-ubyte", small_data);
    snprintf(picture, sizeof picture, "%s", work_path("picture"));
    FILE *file = fopen(picture, "wb"); // larger than the room that there is for it at first
    if (file == NULL)
        abort();
    fputs("P5 300 300 255\n", file);
    for (int p = 0; p < 300 * 300; p++)
        fputc(p / 300 > 90 && p / 300 < 210 && p % 300 > 140 && p % 300 < 160 ? 20 : 240, file);
    fclose(file);
    const char *const of_images[] = {trained_path, images, NULL};
    const char *const of_picture[] = {trained_path, "--top", "2", picture, NULL};
    const char *const of_two[] = {trained_path, trained_path, images, NULL};
    for (int onwards = 0; onwards < 2; onwards++) {
        sweep_command(&command_predict, of_images, model_path, &old, onwards, 20);
        sweep_command(&command_predict, of_picture, model_path, &old, onwards, 20);
        sweep_command(&command_predict, of_two, model_path, &old, onwards, 40);
    }
}

static void mlp_import_survives_every_allocation_that_fails(void)
{
    static char tree[640], table[640];
    snprintf(tree, sizeof tree, "%s", work_path("tree"));
    snprintf(table, sizeof table, "%s", work_path("table"));
    const char *const export[] = {"-q", "-d", small_data, "--csv", table, "--pictures", tree, NULL};
    const char *const pictures[] = {tree, "-q",          "--raw-size", "6x6",
                                    "-o", out_directory, "--force",    NULL};
    const char *const rows[] = {table, "-q",      "--test", table,         "--classes",
                                "a-d", "--force", "-o",     out_directory, NULL};
    char said[4096];
    int status = run_command(&command_export_data, export, said, sizeof said);
    REQUIRE(status == STATUS_DONE, "%d, %s", status, said);
    sweep_command(&command_import, pictures, model_path, &old, false, 250);
    sweep_command(&command_import, rows, model_path, &old, false, 30);
    sweep_command(&command_import, rows, model_path, &old, true, 30);
}

// ---------------------------------------------------------------------------------------------
// Threads

static void count(void *context, size_t worker)
{
    size_t *counts = context;
    counts[worker]++;
}

static void a_team_has_as_many_members_as_there_are_threads(void)
{
    enum { WANTED = 6 };
    for (size_t k = 1; k <= WANTED; k++)
        for (int onwards = 0; onwards < 2; onwards++) {
            Arena arena = {0};
            Error err = {""};
            size_t counts[WANTED] = {0}, n = 0;
            threads = (Refusal){.first = k, .onwards = onwards};
            ThreadPool *pool = pool_open(WANTED, &arena, &err);
            REQUIRE(pool != NULL, "%s", err.text);
            size_t expected = k < WANTED ? k : WANTED;
            for (int i = 0; i < 20; i++)
                pool_run(pool, count, counts);
            threads = (Refusal){0};
            CHECK(pool_size(pool) == expected, "thread %zu refused: %zu workers", k,
                  pool_size(pool));
            pool_close(pool);
            for (size_t m = 0; m < WANTED; m++)
                n += counts[m];
            CHECK(n == 20 * expected, "%zu calls of %zu workers", n, expected);
            arena_free(&arena);
        }
}

static void a_thread_is_created_when_it_is_first_to_run(void)
{
    enum { WANTED = 6 };
    static const size_t running[] = {1, 3, 2, 3, 5, 6, 1}, expected[] = {0, 2, 2, 2, 4, 5, 5};
    Arena arena = {0};
    Error err;
    size_t counts[WANTED] = {0};
    threads = (Refusal){0};
    ThreadPool *pool = pool_open(WANTED, &arena, &err);
    REQUIRE(pool != NULL, "%s", err.text);
    for (size_t i = 0; i < sizeof running / sizeof running[0]; i++) {
        pool_use(pool, running[i]);
        pool_run(pool, count, counts);
        CHECK(threads.calls == expected[i], "%zu run: %zu threads were created, expected %zu",
              running[i], threads.calls, expected[i]);
    }
    CHECK(counts[0] == 7 && counts[1] == 5 && counts[5] == 1, "%zu, %zu and %zu calls", counts[0],
          counts[1], counts[5]);
    pool_close(pool);
    arena_free(&arena);
}

static void fewer_threads_make_the_same_model(void)
{
    for (size_t k = 1; k <= 4; k++) {
        char said[4096];
        write_old_files();
        threads = (Refusal){.first = k, .onwards = true};
        int status = run_command(&command_train, train_words, said, sizeof said);
        threads = (Refusal){0};
        CHECK(status == STATUS_DONE, "thread %zu refused: %d, %s", k, status, said);
        CHECK(holds(model_path, &trained), "thread %zu refused: another model", k);
        CHECK((strstr(said, "threads") != NULL) == (k < 4), "thread %zu refused: '%s'", k, said);
    }
}

static void more_than_500_points_were_tried(void)
{
    printf("  %zu allocations failed\n", n_points);
    CHECK(n_points > 500, "%zu points", n_points);
}

int main(void)
{
    Context context = {0};
    if (!command_environment(&context))
        abort();
    make_files();
    RUN(reading_data_survives_every_allocation_that_fails);
    RUN(training_and_saving_survive_every_allocation_that_fails);
    RUN(training_on_images_survives_every_allocation_that_fails);
    RUN(the_gradient_check_survives_every_allocation_that_fails);
    RUN(mlp_train_survives_every_allocation_that_fails);
    RUN(mlp_train_from_survives_every_allocation_that_fails);
    RUN(mlp_eval_survives_every_allocation_that_fails);
    RUN(several_models_survive_every_allocation_that_fails);
    RUN(mlp_info_and_gradcheck_survive_every_allocation_that_fails);
    RUN(mlp_explain_and_compare_survive_every_allocation_that_fails);
    RUN(mlp_sweep_survives_every_allocation_that_fails);
    RUN(mlp_predict_survives_every_allocation_that_fails);
    RUN(mlp_import_survives_every_allocation_that_fails);
    RUN(a_team_has_as_many_members_as_there_are_threads);
    RUN(a_thread_is_created_when_it_is_first_to_run);
    RUN(fewer_threads_make_the_same_model);
    RUN(more_than_500_points_were_tried);
    return test_end();
}
