// The list of named arrays, and how they are computed: the reference, one example after another.
// Read arrays.h first.
#include "arrays.h"

#include <stdio.h>
#include <string.h>

bool examples_of_batch(Examples *examples, const Batch *batch, Arena *arena, Error *err)
{
    static const char what[] = "the images";
    size_t size = dataset_pixels_per_image(batch->data);
    *examples = (Examples){.n = batch->size,
                           .x = arena_alloc(arena, batch->size * size, sizeof(double), what, err),
                           .label = arena_alloc(arena, batch->size, 1, what, err)};
    if (examples->x == NULL || examples->label == NULL)
        return false;
    for (size_t e = 0; e < batch->size; e++) {
        for (size_t p = 0; p < size; p++)
            examples->x[e * size + p] = (double)batch->scale->value[batch_pixels(batch, e)[p]];
        examples->label[e] = (unsigned char)batch_label(batch, e);
    }
    return true;
}

// ---------------------------------------------------------------------------------------------
// The list

// Adds an array: the name is prefix, name and suffix.
static void add(Arrays *arrays, NamedArray array, const char *prefix, const char *name,
                const char *suffix)
{
    NamedArray *to = &arrays->list[arrays->n++];
    *to = array;
    snprintf(to->name, sizeof to->name, "%s%s%s", prefix, name, suffix);
}

static void add_tensors(Arrays *arrays, const Network *net, size_t l, ArrayKind kind)
{
    for (size_t t = 0; t < net->layers[l].n_tensors; t++) {
        const Tensor *tensor = &net->layers[l].tensors[t];
        size_t size = tensor_size(tensor), rows = tensor->dims[0];
        add(arrays,
            (NamedArray){.kind = kind, .l = l, .which = 1 + t, .rows = rows, .cols = size / rows},
            "", tensor->name, kind == ARRAY_GRADIENT ? ".grad" : "");
    }
}

// Of what layer l reads, or of the logits.
static NamedArray array_of_input(const Network *net, ArrayKind kind, size_t l, size_t n)
{
    Shape shape = l < net->n_layers ? net->layers[l].in : net->layers[l - 1].out;
    return (NamedArray){.kind = kind, .l = l, .rows = n, .cols = shape_size(shape)};
}

static void list_arrays(Arrays *arrays, const Network *net, size_t n)
{
    size_t end = net->n_layers, first = net->first_trained, C = net->architecture.classes;
    arrays->n = 0;
    add(arrays, array_of_input(net, ARRAY_VALUE, 0, n), "", "x", "");
    add(arrays, (NamedArray){.kind = ARRAY_LABEL, .rows = n, .cols = C}, "", "y", "");
    for (size_t l = first; l < end; l++)
        add_tensors(arrays, net, l, ARRAY_PARAMETER);
    for (size_t l = first + 1; l <= end; l++)
        add(arrays, array_of_input(net, ARRAY_VALUE, l, n), "", net->layers[l - 1].symbol, "");
    add(arrays, (NamedArray){.kind = ARRAY_PROBABILITY, .rows = n, .cols = C}, "", "yhat", "");
    add(arrays, (NamedArray){.kind = ARRAY_LOSS, .rows = n, .cols = 1}, "", "L", "");
    for (size_t l = end; l > first; l--) {
        add(arrays, array_of_input(net, ARRAY_DELTA, l, n), "delta_", net->layers[l - 1].symbol,
            "");
        add_tensors(arrays, net, l - 1, ARRAY_GRADIENT);
    }
}

bool arrays_open(Arrays *arrays, const Network *net, size_t n, Arena *arena, Error *err)
{
    list_arrays(arrays, net, n);
    for (size_t i = 0; i < arrays->n; i++) {
        NamedArray *array = &arrays->list[i];
        array->at = arena_alloc(arena, array->rows * array->cols, sizeof(double), array->name, err);
        if (array->at == NULL)
            return false;
    }
    return true;
}

// ---------------------------------------------------------------------------------------------
// Computing

// Takes over what the arrays have of one example, row e; of the parameters after the last one.
static void take_over(const Arrays *arrays, const Reference *ref, size_t e, bool is_last)
{
    for (size_t i = 0; i < arrays->n; i++) {
        const NamedArray *array = &arrays->list[i];
        double *row = array->at + e * array->cols;
        bool is_parameter = array->kind == ARRAY_PARAMETER || array->kind == ARRAY_GRADIENT;
        bool is_gradient = array->kind == ARRAY_DELTA || array->kind == ARRAY_GRADIENT;
        if (array->kind == ARRAY_LABEL)
            row[ref->label] = 1.0;
        else if (array->kind == ARRAY_PROBABILITY)
            reference_probabilities(ref, row);
        else if (array->kind == ARRAY_LOSS)
            row[0] = reference_loss(ref);
        else if (!is_parameter || is_last)
            memcpy(is_parameter ? array->at : row,
                   is_gradient ? ref->gradient[array->l][array->which]
                               : ref->argument[array->l][array->which],
                   (is_parameter ? array->rows : 1) * array->cols * sizeof *row);
    }
}

// dL/da of the reference's example.
static void set_delta(const Reference *ref, const Mistake *mistake)
{
    size_t C = ref->net->architecture.classes;
    double *delta = ref->gradient[ref->net->n_layers][0];
    reference_probabilities(ref, delta);
    if (!mistake->no_label)
        delta[(ref->label + mistake->label_shift) % C] += mistake->adds_label ? 1.0 : -1.0;
}

void arrays_compute(const Arrays *arrays, Reference *ref, const Examples *examples,
                    const Mistake *mistake)
{
    static const Mistake none = {0};
    const Network *net = ref->net;
    size_t size = shape_size(net->layers[0].in);
    mistake = mistake == NULL ? &none : mistake;
    for (size_t i = 0; i < arrays->n; i++)
        memset(arrays->list[i].at, 0, arrays->list[i].rows * arrays->list[i].cols * sizeof(double));
    for (size_t l = 0; l < net->n_layers; l++)
        if (mistake->no_bias[l])
            memset(ref->argument[l][2], 0,
                   tensor_size(&net->layers[l].tensors[1]) * sizeof(double));
    reference_clear_gradients(ref);
    for (size_t e = 0; e < examples->n; e++) {
        memcpy(ref->argument[0][0], examples->x + e * size, size * sizeof(double));
        ref->label = examples->label[e];
        reference_forward(ref, 0, net->n_layers);
        set_delta(ref, mistake);
        reference_backward(ref, mistake->left_out);
        take_over(arrays, ref, e, e + 1 == examples->n);
    }
    reference_set_parameters(ref); // as they were
}
