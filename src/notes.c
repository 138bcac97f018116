// Notes on data and on learning; see notes.h.
#include "notes.h"

#include "commands.h"

#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Data

static size_t count_present(const ClassCounts *counts, size_t end)
{
    size_t present = 0;
    for (size_t k = 0; k < end; k++)
        present += counts->n[k] > 0;
    return present;
}

void notes_data_read(const Dataset *data, const Split *split, const char *name)
{
    ClassCounts counts = dataset_count_classes(data, (Range){0, data->n});
    ShownName shown = command_shown(name);
    size_t present = count_present(&counts, data->n_classes);
    fprintf(stderr, "%zu images of %zu x %zu pixels in ", data->n, data->rows, data->cols);
    if (present < data->n_classes)
        fprintf(stderr, "%zu of ", present);
    fprintf(stderr, "%zu classes from %s: %zu train, %zu validate\n", data->n_classes, shown.text,
            range_length(split->train), range_length(split->validation));
}

// "class 9", "classes 7, 8 and 9", "classes 0, 1, 2, 3, 4 and 21 more".
static void list_classes(char *text, size_t size, const bool *listed, size_t n_classes)
{
    enum { MOST = 5 };
    size_t n = 0, shown = 0;
    for (size_t k = 0; k < n_classes; k++)
        n += listed[k];
    int used = snprintf(text, size, n == 1 ? "class" : "classes");
    for (size_t k = 0; k < n_classes && shown < MOST; k++) {
        if (!listed[k])
            continue;
        const char *before = shown == 0 ? "" : shown + 1 == n ? " and" : ",";
        used += snprintf(text + used, size - (size_t)used, "%s %zu", before, k);
        shown++;
    }
    if (n > MOST)
        snprintf(text + used, size - (size_t)used, " and %zu more", n - MOST);
}

static void note_untrained_classes(const Dataset *data, const Split *split, const char *name)
{
    ClassCounts train = dataset_count_classes(data, split->train);
    ClassCounts validation = dataset_count_classes(data, split->validation);
    bool missing[256] = {false};
    size_t images = 0;
    for (size_t k = 0; k < data->n_classes; k++) {
        missing[k] = train.n[k] == 0 && validation.n[k] > 0;
        images += missing[k] ? validation.n[k] : 0;
    }
    if (images == 0)
        return;
    char classes[128];
    bool all_train = split->train.end == split->validation.first;
    list_classes(classes, sizeof classes, missing, data->n_classes);
    fprintf(stderr,
            "mlp: note: %s: no training image is of %s, but %zu validation images are; %s, images "
            "and labels alike\n",
            name, classes, images,
            all_train ? "if the training file is sorted by class, shuffle it"
                      : "take a larger --train-size or shuffle the training file");
}

static void note_stray_label(const Dataset *data, const char *name)
{
    ClassCounts counts = dataset_count_classes(data, (Range){0, data->n});
    size_t highest = data->n_classes - 1; // an image has it, or there are ten classes anyway
    size_t present = count_present(&counts, highest);
    if (counts.n[highest] == 0 || 2 * present >= highest)
        return;
    fprintf(
        stderr,
        "mlp: note: %s: image %zu has the label %zu, which makes a network of %zu classes, but %zu "
        "of the labels below it have no image; is that label right?\n",
        name, dataset_find_beyond(data, highest), highest, data->n_classes, highest - present);
}

void notes_data_doubtful(const Dataset *data, const Split *split, const char *name)
{
    ShownName shown = command_shown(name);
    note_stray_label(data, shown.text);
    note_untrained_classes(data, split, shown.text);
}
