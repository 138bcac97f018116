// Labels and images of an import: which classes the labels are, and which images are test images.
// Read collection.h first.
#include "collection.h"

#include "numbers.h"
#include "random.h"

#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Labels

static bool error_label(Error *err, const struct Label *label, const char *reason)
{
    if (label->line > 0)
        return error_set(err, "%s, line %zu: the label '%s' %s", label->file, label->line,
                         label->text.text, reason);
    return error_set(err, "%s: the class '%s' %s", label->file, label->text.text, reason);
}

int labels_index(Labels *labels, const char *text, const char *file, size_t line, Error *err)
{
    for (size_t i = 0; i < labels->n; i++)
        if (strcmp(labels->each[i].text.text, text) == 0)
            return (int)i;
    struct Label new = {.file = file, .line = line};
    snprintf(new.text.text, sizeof new.text.text, "%s", text);
    if (text[0] == '\0')
        error_label(err, &new, "is empty");
    else if (strncmp(text, "\xef\xbb\xbf", 3) == 0) // where tables were joined
        error_label(err, &new, "begins with a byte order mark");
    else if (strlen(text) >= CLASS_NAME_SIZE)
        error_label(err, &new, "is the beginning of one of more than 63 bytes");
    else if (labels->n == MLP_MAX_CLASSES)
        error_label(err, &new, "is the 257th; there may be 256");
    else {
        labels->each[labels->n] = new;
        return (int)labels->n++;
    }
    return -1;
}

bool label_parse_number(const char *text, uint64_t *value)
{
    size_t digits = strspn(text, "0123456789"), zeros = 0;
    char whole[CLASS_NAME_SIZE];
    if (text[digits] == '.')
        zeros = 1 + strspn(text + digits + 1, "0");
    if (digits == 0 || digits >= sizeof whole || text[digits + zeros] != '\0')
        return false;
    snprintf(whole, sizeof whole, "%.*s", (int)digits, text);
    return parse_uint(whole, value);
}

// Where all labels are numbers, checks that they are classes.
static bool number_numbers(Classes *classes, const Labels *labels, Error *err)
{
    bool is_there[MLP_MAX_CLASSES] = {false};
    for (size_t i = 0; i < labels->n; i++) {
        uint64_t value;
        if (!label_parse_number(labels->each[i].text.text, &value) || value >= MLP_MAX_CLASSES)
            return error_label(err, &labels->each[i],
                               "is not a class: a whole number from 0 to 255, or a word");
        classes->number[i] = (unsigned char)value;
        classes->n += !is_there[value];
        is_there[value] = true;
    }
    return true;
}

// The names of words in the order of their bytes, as one text.
static const char *sorted_names(const Labels *labels, Arena *arena, Error *err)
{
    unsigned char sorted[MLP_MAX_CLASSES] = {0}; // indices
    char *names = arena_alloc(arena, CLASS_NAMES_SIZE, 1, "the class names", err);
    for (size_t i = 0; i < labels->n; i++) {
        size_t at = i;
        for (; at > 0 &&
               strcmp(labels->each[sorted[at - 1]].text.text, labels->each[i].text.text) > 0;
             at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = (unsigned char)i;
    }
    for (size_t i = 0, used = 0; names != NULL && i < labels->n; i++)
        used += (size_t)snprintf(names + used, CLASS_NAMES_SIZE - used, "%s%s", i == 0 ? "" : "\n",
                                 labels->each[sorted[i]].text.text);
    return names;
}

static bool number_words(Classes *classes, const Labels *labels, const char *given, Arena *arena,
                         Error *err)
{
    Error reason;
    classes->names =
        given == NULL ? sorted_names(labels, arena, err) : class_names_text(given, arena, err);
    if (classes->names == NULL)
        return false;
    for (size_t i = 0; i < labels->n; i++) {
        const struct Label *label = &labels->each[i];
        if (!class_names_check(label->text.text, 1, &reason))
            return error_label(err, label, "is not a class name: UTF-8 in one line");
        size_t k = class_names_find(classes->names, label->text.text);
        if (k == MLP_MAX_CLASSES)
            return error_label(err, label, "is not one of the names of --classes");
        classes->number[i] = (unsigned char)k;
    }
    classes->n = labels->n;
    return true;
}

bool classes_of_labels(Classes *classes, const Labels *labels, const char *given, Arena *arena,
                       Error *err)
{
    bool are_words = false;
    double number;
    *classes = (Classes){.n = 0};
    for (size_t i = 0; i < labels->n; i++)
        are_words = are_words || (!label_parse_number(labels->each[i].text.text, &(uint64_t){0}) &&
                                  !parse_double(labels->each[i].text.text, &number));
    if (are_words)
        return number_words(classes, labels, given, arena, err);
    if (!number_numbers(classes, labels, err))
        return false;
    const Dataset one_of_each = {.n = labels->n,
                                 .labels = classes->number,
                                 .n_classes =
                                     dataset_labels_to_classes(classes->number, labels->n)};
    return given == NULL || class_names_read(&classes->names, given, &one_of_each, arena, err);
}

// ---------------------------------------------------------------------------------------------
// Images

// Makes space for `size` bytes after the first `used`; memory doubles as images arrive.
static bool reserve(Arena *arena, ArenaBytes *bytes, size_t used, size_t size, Error *err)
{
    const size_t least = (size_t)1 << 20;
    bytes->first = size < least ? least : size;
    bytes->most = SIZE_MAX / 2;
    return bytes->capacity - used >= size ||
           arena_grow(arena, bytes, bytes->capacity, "the images", err);
}

unsigned char *collection_next(Collection *images, Arena *arena, Error *err)
{
    size_t size = images->rows * images->cols;
    if (images->n == UINT32_MAX)
        error_set(err, "more than %lu images", (unsigned long)UINT32_MAX);
    else if (reserve(arena, &images->labels, images->n, 1, err) &&
             reserve(arena, &images->pixels, images->n * size, size, err))
        return images->pixels.at + images->n * size;
    return NULL;
}

void collection_add(Collection *images, int label)
{
    images->labels.at[images->n++] = (unsigned char)label;
}

void collection_set_classes(Collection *images, const Classes *classes)
{
    for (size_t i = 0; i < images->n; i++)
        images->labels.at[i] = classes->number[images->labels.at[i]];
}

// ---------------------------------------------------------------------------------------------
// Selections

bool selection_all(Selection *all, const Collection *images, Arena *arena, Error *err)
{
    *all = (Selection){.images = images, .n = images->n};
    all->order = arena_alloc(arena, images->n, sizeof *all->order, "an order of images", err);
    for (size_t i = 0; all->order != NULL && i < images->n; i++)
        all->order[i] = (uint32_t)i;
    return all->order != NULL;
}

// The choice of test images, with working memory for the images of a class.
typedef struct Choice {
    double fraction;
    uint64_t seed;
    bool *is_test;             // (n), by image
    uint32_t *members, *order; // (n)
} Choice;

// Marks the images of class k that become test images.
static void choose_of_class(Choice *c, const Collection *images, unsigned k)
{
    size_t n = 0;
    for (size_t i = 0; i < images->n; i++)
        if (images->labels.at[i] == k)
            c->members[n++] = (uint32_t)i;
    size_t wanted = (size_t)(c->fraction * (double)n + 0.5);
    random_permutation(c->order, n, c->seed, RANDOM_IMPORT + k);
    for (size_t i = 0; i < wanted && i + 1 < n; i++)
        c->is_test[c->members[c->order[i]]] = true;
}

bool selection_split(Selection *train, Selection *test, double fraction, uint64_t seed,
                     Arena *arena, Error *err)
{
    const Collection *images = train->images;
    static const char what[] = "the test images";
    Choice choice = {.fraction = fraction,
                     .seed = seed,
                     .is_test = arena_alloc(arena, images->n, sizeof *choice.is_test, what, err),
                     .members = arena_alloc(arena, images->n, sizeof *choice.members, what, err)};
    if (choice.is_test == NULL || choice.members == NULL ||
        !selection_all(test, images, arena, err))
        return false;
    choice.order = test->order;
    for (unsigned k = 0; k < MLP_MAX_CLASSES; k++)
        choose_of_class(&choice, images, k);
    train->n = test->n = 0;
    for (size_t i = 0; i < images->n; i++) {
        Selection *part = choice.is_test[i] ? test : train;
        part->order[part->n++] = (uint32_t)i;
    }
    return true;
}

bool selection_shuffle(Selection *images, uint64_t seed, Arena *arena, Error *err)
{
    static const char what[] = "an order of images";
    uint32_t *order = arena_alloc(arena, images->n, sizeof *order, what, err);
    if (order == NULL)
        return false;
    random_permutation(order, images->n, seed, RANDOM_IMPORT + MLP_MAX_CLASSES);
    for (size_t i = 0; i < images->n; i++)
        order[i] = images->order[order[i]];
    images->order = order;
    return true;
}
