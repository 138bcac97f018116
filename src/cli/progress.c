// What train and sweep say on stderr. Knows when data or a training look wrong, and what to advise.
// Read progress.h first; terminal.h knows what a terminal can show.
#include "progress.h"

#include "commands.h"
#include "data_notes.h"
#include "evaluate.h"
#include "terminal.h"
#include "train_state.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

// ---------------------------------------------------------------------------------------------
// Learning

// What can be had of the validation images without looking at them.
typedef struct Guess {
    double accuracy; // of always giving the most frequent class
    double loss;     // of always giving the classes' shares: their entropy
} Guess;

static Guess guess_of(const Dataset *data, Range images)
{
    ClassCounts counts = dataset_count_classes(data, images);
    Guess guess = {0.0, 0.0};
    for (size_t k = 0; k < data->n_classes; k++) {
        double share = (double)counts.n[k] / (double)range_length(images);
        guess.accuracy = fmax(guess.accuracy, share);
        guess.loss -= share > 0.0 ? share * log(share) : 0.0;
    }
    return guess;
}

// Where a class has no training image, or there is only one class, accuracy says nothing of the
// settings.
static bool is_guessing(const mlp_epoch *report, const mlp_data *data, const Split *split)
{
    bool missing[MLP_MAX_CLASSES];
    Range images = split->validation;
    Guess guess = guess_of(data, images);
    double error = accuracy_standard_error(guess.accuracy, range_length(images));
    return guess.loss > 0.0 && report->validation_accuracy <= guess.accuracy + 2.0 * error &&
           report->validation_loss > 0.99 * guess.loss &&
           data_find_untrained(missing, data, split) == 0;
}

// How far one batch of n images moves the weights, in the learning rate of plain descent for one
// image: momentum adds up to 1 / (1 - momentum) steps, and Adam's do not depend on n.
static double step_size(const mlp_settings *s, double n, double default_batch)
{
    bool is_scale_free = optimizer_of(s)->is_scale_free;
    return s->learning_rate * (is_scale_free ? default_batch : n) / (1.0 - s->momentum);
}

// What to change, beside the defaults of the architecture. A batch has at most `batch` images.
static void advise(char *text, size_t size, const mlp_settings *s, const mlp_settings *defaults,
                   double batch, size_t epochs)
{
    char rate[NUMBER_SIZE];
    double default_rate = defaults->learning_rate, default_batch = (double)defaults->batch_size;
    double step = step_size(s, batch, default_batch) / default_batch;
    double fitting = default_rate * fmin(1.0, s->learning_rate / step);
    format_shortest(rate, s->learning_rate);
    if (step > default_rate && (s->learning_rate > default_rate || s->momentum > 0.0))
        snprintf(text, size, "--lr %s is probably too large; try --lr %.2g", rate, fitting);
    else if (step > default_rate)
        snprintf(text, size,
                 "--batch %llu is probably too large for --lr %s; try --batch %.0f, or --lr %.2g",
                 (unsigned long long)s->batch_size, rate, default_batch, fitting);
    else if (step < default_rate)
        snprintf(text, size,
                 "--lr %s is probably too small, or --epochs %zu too few; the default is --lr %.2g",
                 rate, epochs, default_rate);
    else
        snprintf(text, size,
                 "more --epochs may help, unless the labels do not belong to the images");
}

// ---------------------------------------------------------------------------------------------
// Progress

enum { LINE_SIZE = 512 };

Progress progress_begin(bool quiet, size_t epochs_done, const mlp_settings *settings,
                        const mlp_data *data, const Split *split)
{
    bool live = !quiet && terminal_is_capable(STDERR_FILENO);
    return (Progress){.quiet = quiet,
                      .live = live,
                      .colour = live && terminal_has_colours(STDERR_FILENO),
                      .epochs = (size_t)settings->epochs,
                      .epochs_done = epochs_done,
                      .images = range_length(split->train),
                      .start = clock_seconds(),
                      .settings = settings,
                      .data = data,
                      .split = *split};
}

static void format_duration(char *text, size_t size, double seconds)
{
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
}

// Fills bar (width + 1) with [====>    ].
static void format_bar(char *bar, int width, double share)
{
    int inside = width - 2, full = (int)(share * inside);
    bar[0] = '[';
    for (int i = 0; i < inside; i++)
        bar[1 + i] = (char)(i < full ? '=' : i == full ? '>' : ' ');
    bar[width - 1] = ']';
    bar[width] = '\0';
}

// Draws "epoch 12/100 [===>   ] loss 0.2131 ..." over the last one, no wider than the terminal.
// If even a short bar does not fit, cuts the end of the line.
static void progress_draw(Progress *progress, size_t epoch, size_t done, double loss)
{
    char left[64], right[LINE_SIZE], remaining[32], validation[48] = "";
    double now = clock_seconds(), elapsed = now - progress->start;
    size_t before = progress->epochs_done;
    double seen = (double)(epoch - 1 - before) * (double)progress->images + (double)done;
    double all = (double)(progress->epochs - before) * (double)progress->images;
    progress->drawn = now;
    bool finished = seen >= all;
    format_duration(remaining, sizeof remaining,
                    finished ? elapsed : elapsed / seen * (all - seen));
    if (progress->last.epoch > 0)
        snprintf(validation, sizeof validation, "  train %.2f %%  validation %.2f %%",
                 100.0 * progress->last.train_accuracy, 100.0 * progress->last.validation_accuracy);
    snprintf(left, sizeof left, "epoch %zu/%zu ", epoch, progress->epochs);
    snprintf(right, sizeof right, " loss %.4f%s  %.0f images/s  %s %s", loss, validation,
             seen / elapsed, remaining, finished ? "in all" : "left");

    int width = (int)terminal_width(STDERR_FILENO) - 1,
        free_columns = width - (int)(strlen(left) + strlen(right));
    char bar[64] = "";
    if (free_columns >= 8)
        format_bar(bar, free_columns < 30 ? free_columns : 30, seen / all);
    int rest = width - (int)(strlen(left) + strlen(bar));
    fprintf(stderr, "\r%s%s%s%s%.*s\033[K", left, progress->colour ? "\033[36m" : "", bar,
            progress->colour ? "\033[0m" : "", rest > 0 ? rest : 0, right);
    (void)fflush(stderr);
}

void progress_batch(Progress *progress, size_t epoch, size_t done, double loss)
{
    const double interval = 0.1;
    if (progress->live && clock_seconds() - progress->drawn >= interval)
        progress_draw(progress, epoch, done, loss);
}

static void note_nothing_learned(Progress *progress, const mlp_epoch *report)
{
    const double few_updates = 100.0;
    const mlp_settings *settings = progress->settings;
    mlp_settings defaults;
    settings_default(&defaults, settings->architecture);
    double default_step = defaults.learning_rate * (double)defaults.batch_size;
    double n = (double)progress->images, batch = fmin((double)settings->batch_size, n);
    size_t classes = progress->data->n_classes;
    double equal_loss = log((double)classes);
    bool is_large = step_size(settings, batch, (double)defaults.batch_size) >= 4.0 * default_step;
    bool is_last = report->epoch == progress->epochs;
    bool is_above = report->train_loss > equal_loss && report->validation_loss > equal_loss;
    double updates = (double)report->epoch * ceil(n / batch);
    char advice[200];
    if (progress->nothing_learned || (!is_large && (!is_last || updates < few_updates)) ||
        (!is_above && !is_guessing(report, progress->data, &progress->split)))
        return;
    progress->nothing_learned = true;
    progress_end(progress);
    advise(advice, sizeof advice, settings, &defaults, batch, report->epoch);
    if (is_above)
        command_note("after epoch %zu the loss, %.4f, is above that of guessing, ln %zu = %.4f: %s",
                     report->epoch, report->validation_loss, classes, equal_loss, advice);
    else
        command_note("after epoch %zu the validation accuracy, %.2f %%, is that of guessing: %s",
                     report->epoch, 100.0 * report->validation_accuracy, advice);
}

void progress_epoch(Progress *progress, const mlp_epoch *report)
{
    progress->last = *report;
    if (progress->live && report->epoch == progress->epochs)
        progress_draw(progress, report->epoch, progress->images, report->train_loss);
    if (!progress->live && !progress->quiet)
        fprintf(stderr,
                "epoch %zu/%zu  loss %.4f  train %.2f %%  validation loss %.4f  "
                "validation %.2f %%  %.0f images/s%s\n",
                report->epoch, progress->epochs, report->train_loss, 100.0 * report->train_accuracy,
                report->validation_loss, 100.0 * report->validation_accuracy,
                (double)progress->images / report->seconds,
                train_keeps_best(progress->settings) && report->is_kept ? "  best" : "");
    note_nothing_learned(progress, report);
}

void progress_end(Progress *progress)
{
    if (progress->live && progress->drawn > 0.0)
        fputc('\n', stderr);
    progress->drawn = 0.0;
}
