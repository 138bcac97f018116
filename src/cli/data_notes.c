// Knows when data look wrong, and what to advise. Read data_notes.h first.
#include "data_notes.h"

#include "class_names.h"
#include "commands.h"

static size_t count_present(const ClassCounts *counts, size_t end)
{
    size_t present = 0;
    for (size_t k = 0; k < end; k++)
        present += counts->n[k] > 0;
    return present;
}

ClassesText data_classes_text(const mlp_data *data)
{
    ClassesText classes;
    ClassCounts counts = dataset_count_classes(data, (Range){0, data->n});
    size_t present = count_present(&counts, data->n_classes);
    if (present < data->n_classes)
        snprintf(classes.text, sizeof classes.text, "%zu of %zu classes", present, data->n_classes);
    else
        snprintf(classes.text, sizeof classes.text, "%zu classes", data->n_classes);
    return classes;
}

void notes_data_read(const mlp_data *data, const Split *split)
{
    ShownName shown = command_shown(data->name);
    fprintf(stderr, "%zu images of %zu x %zu pixels in %s from %s: %zu train, %zu validate\n",
            data->n, data->rows, data->cols, data_classes_text(data).text, shown.text,
            range_length(split->train), range_length(split->validation));
}

size_t data_list_classes(char list[LIST_SIZE], const char *names, const bool *listed,
                         size_t n_classes)
{
    size_t n = 0, shown = 0;
    list[0] = '\0';
    for (size_t k = 0; k < n_classes; k++)
        n += listed[k];
    for (size_t k = 0; k < n_classes; k++)
        if (listed[k])
            list_add(list, shown++, n, class_name(names, k).text);
    return n;
}

size_t data_find_untrained(bool missing[MLP_MAX_CLASSES], const mlp_data *data, const Split *split)
{
    ClassCounts train = dataset_count_classes(data, split->train);
    ClassCounts validation = dataset_count_classes(data, split->validation);
    size_t images = 0;
    for (size_t k = 0; k < MLP_MAX_CLASSES; k++) {
        missing[k] = train.n[k] == 0 && validation.n[k] > 0;
        images += missing[k] ? validation.n[k] : 0;
    }
    return images;
}

// Both return whether there is a note.
static bool has_stray_label(Error *note, const mlp_data *data)
{
    ClassCounts counts = dataset_count_classes(data, (Range){0, data->n});
    size_t highest = data->n_classes - 1; // an image has it, or there are ten classes anyway
    size_t present = count_present(&counts, highest);
    if (counts.n[highest] == 0 || 2 * present >= highest)
        return false;
    error_set(note,
              "%s: image %zu has the label %zu, which makes a network of %zu classes, but %zu of "
              "the labels below it have no image; is that label right?",
              data->name, dataset_find_beyond(data, highest), highest, data->n_classes,
              highest - present);
    return true;
}

static bool has_untrained_classes(Error *note, const mlp_data *data, const char *names,
                                  const Split *split)
{
    bool missing[MLP_MAX_CLASSES];
    size_t images = data_find_untrained(missing, data, split);
    if (images == 0)
        return false;
    char classes[LIST_SIZE];
    bool all_train = split->train.end == split->validation.first;
    size_t n = data_list_classes(classes, names, missing, data->n_classes);
    error_set(note,
              "%s: no training image is of %s %s, but %zu validation images are; %s, images and "
              "labels alike",
              data->name, n == 1 ? "class" : "classes", classes, images,
              all_train ? "if the training file is sorted by class, shuffle it"
                        : "take a larger --train-size or shuffle the training file");
    return true;
}

size_t data_doubts(Error doubts[DATA_MAX_DOUBTS], const mlp_data *data, const char *names,
                   const Split *split)
{
    size_t n = 0;
    n += has_stray_label(&doubts[n], data);
    n += has_untrained_classes(&doubts[n], data, names, split);
    return n;
}

void notes_data_doubtful(const mlp_data *data, const char *names, const Split *split)
{
    Error doubts[DATA_MAX_DOUBTS];
    size_t n = data_doubts(doubts, data, names, split);
    for (size_t i = 0; i < n; i++)
        command_note("%s", doubts[i].text);
}
