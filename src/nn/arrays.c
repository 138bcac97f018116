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

// Adds an array of a layer's argument, or with l = n_layers of the logits, of which `name` is that
// of the value.
static void add(Arrays *arrays, const Network *net, ArrayKind kind, size_t l, size_t which,
                const char *name)
{
    const Layer *layer = &net->layers[l < net->n_layers ? l : l - 1];
    NamedArray *to = &arrays->list[arrays->n++];
    size_t size = l < net->n_layers ? layer_argument_size(layer, which) : shape_size(layer->out);
    *to = (NamedArray){.kind = kind, .l = l, .which = which, .rows = arrays->n_images};
    snprintf(to->name, sizeof to->name, "%s%s%s", kind == ARRAY_DELTA ? "delta_" : "", name,
             kind == ARRAY_GRADIENT ? ".grad" : "");
    if (which > 0)
        to->rows = layer->tensors[which - 1].dims[0];
    to->cols = kind == ARRAY_LOSS ? 1 : which > 0 ? size / to->rows : size;
}

static void add_tensors(Arrays *arrays, const Network *net, size_t l, ArrayKind kind)
{
    for (size_t t = 0; t < net->layers[l].n_tensors; t++)
        add(arrays, net, kind, l, 1 + t, net->layers[l].tensors[t].name);
}

static void list_arrays(Arrays *arrays, const Network *net)
{
    size_t end = net->n_layers, first = net->first_trained;
    add(arrays, net, ARRAY_VALUE, 0, 0, "x");
    add(arrays, net, ARRAY_LABEL, end, 0, "y");
    for (size_t l = first; l < end; l++)
        add_tensors(arrays, net, l, ARRAY_PARAMETER);
    for (size_t l = first + 1; l <= end; l++)
        add(arrays, net, ARRAY_VALUE, l, 0, net->layers[l - 1].symbol);
    add(arrays, net, ARRAY_PROBABILITY, end, 0, "yhat");
    add(arrays, net, ARRAY_LOSS, end, 0, "L");
    for (size_t l = end; l > first; l--) {
        add(arrays, net, ARRAY_DELTA, l, 0, net->layers[l - 1].symbol);
        add_tensors(arrays, net, l - 1, ARRAY_GRADIENT);
    }
}

bool arrays_open(Arrays *arrays, const Network *net, size_t n, Arena *arena, Error *err)
{
    *arrays = (Arrays){.n_images = n};
    list_arrays(arrays, net);
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

void arrays_compute(const Arrays *arrays, Reference *ref, const Examples *examples,
                    const Mistake *mistake)
{
    static const Mistake none = {0};
    const Network *net = ref->net;
    size_t size = shape_size(net->layers[0].in), C = net->architecture.classes;
    double *delta = ref->gradient[net->n_layers][0];
    mistake = mistake == NULL ? &none : mistake;
    for (size_t i = 0; i < arrays->n; i++)
        memset(arrays->list[i].at, 0, arrays->list[i].rows * arrays->list[i].cols * sizeof(double));
    reference_reset(ref);
    for (size_t l = 0; l < net->n_layers; l++)
        if (mistake->no_bias[l])
            memset(ref->argument[l][2], 0,
                   tensor_size(&net->layers[l].tensors[1]) * sizeof(double));
    for (size_t e = 0; e < examples->n; e++) {
        memcpy(ref->argument[0][0], examples->x + e * size, size * sizeof(double));
        ref->label = examples->label[e];
        reference_forward(ref, 0, net->n_layers);
        reference_probabilities(ref, delta);
        if (!mistake->no_label)
            delta[(ref->label + mistake->label_shift) % C] += mistake->adds_label ? 1.0 : -1.0;
        reference_backward(ref, mistake->left_out);
        take_over(arrays, ref, e, e + 1 == examples->n);
    }
}
