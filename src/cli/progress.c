// Draws the live line over the last one, with a bar if it fits, or prints a line per epoch.
#include "progress.h"

#include "terminal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 512 };

Progress progress_begin(bool quiet, size_t epochs_done, size_t epochs, size_t images)
{
    bool live = !quiet && terminal_is_capable(STDERR_FILENO);
    return (Progress){.quiet = quiet,
                      .live = live,
                      .colour = live && terminal_has_colours(STDERR_FILENO),
                      .epochs = epochs,
                      .epochs_done = epochs_done,
                      .images = images,
                      .start = clock_seconds()};
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

void progress_epoch(Progress *progress, const mlp_epoch *report)
{
    progress->last = *report;
    if (progress->live) {
        if (report->epoch == progress->epochs)
            progress_draw(progress, report->epoch, progress->images, report->train_loss);
    } else if (!progress->quiet) {
        fprintf(stderr,
                "epoch %zu/%zu  loss %.4f  train %.2f %%  validation loss %.4f  "
                "validation %.2f %%  %.0f images/s\n",
                report->epoch, progress->epochs, report->train_loss, 100.0 * report->train_accuracy,
                report->validation_loss, 100.0 * report->validation_accuracy,
                (double)progress->images / report->seconds);
    }
}

void progress_end(Progress *progress)
{
    if (progress->live && progress->drawn > 0.0)
        fputc('\n', stderr);
    progress->drawn = 0.0;
}
