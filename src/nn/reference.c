// The reference network: forward, the loss, and the chain rule with the rows of its Jacobians.
// reference.h says what each is; layers.c has the rows.
#include "reference.h"

#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Memory and arguments

// Two arrays of n numbers: an argument and its gradient, or the values of a function.
static bool alloc_two(double **a, double **b, size_t n, Arena *arena, Error *err)
{
    static const char what[] = "the reference network";
    *a = arena_alloc(arena, n, sizeof **a, what, err);
    *b = arena_alloc(arena, n, sizeof **b, what, err);
    return *a != NULL && *b != NULL;
}

bool reference_open(Reference *ref, const Network *net, const float *params, Arena *arena,
                    Error *err)
{
    size_t C = net->architecture.classes, largest = C;
    *ref = (Reference){.net = net, .params = params};
    for (size_t l = 0; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        size_t in = shape_size(layer->in), out = shape_size(layer->out);
        largest = in > largest ? in : largest;
        largest = out > largest ? out : largest;
        for (size_t which = 0; which <= layer->n_tensors; which++)
            if (!alloc_two(&ref->argument[l][which], &ref->gradient[l][which],
                           layer_argument_size(layer, which), arena, err))
                return false;
    }
    ref->row = arena_alloc(arena, largest, sizeof *ref->row, "a row of a Jacobian", err);
    if (ref->row == NULL || !alloc_two(&ref->up, &ref->down, largest, arena, err) ||
        !alloc_two(&ref->argument[net->n_layers][0], &ref->gradient[net->n_layers][0], C, arena,
                   err))
        return false;
    reference_reset(ref);
    return true;
}

void reference_reset(const Reference *ref)
{
    for (size_t l = 0; l < ref->net->n_layers; l++)
        for (size_t t = 0; t < ref->net->layers[l].n_tensors; t++) {
            const Tensor *tensor = &ref->net->layers[l].tensors[t];
            for (size_t e = 0; e < tensor_size(tensor); e++) {
                ref->argument[l][1 + t][e] = (double)ref->params[tensor_index(tensor, e)];
                ref->gradient[l][1 + t][e] = 0.0;
            }
        }
}

void reference_load(Reference *ref, const Batch *batch, size_t e)
{
    for (size_t p = 0; p < shape_size(ref->net->layers[0].in); p++)
        ref->argument[0][0][p] = (double)batch->scale->value[batch_pixels(batch, e)[p]];
    ref->label = batch_label(batch, e);
    reference_forward(ref, 0, ref->net->n_layers);
}

uint64_t reference_forward(const Reference *ref, size_t first, size_t end)
{
    uint64_t region = LAYER_REGION;
    for (size_t l = first; l < end; l++) {
        const Layer *layer = &ref->net->layers[l];
        if (layer->kind->reference_region != NULL)
            region =
                layer_region_add(region, layer->kind->reference_region(layer, ref->argument[l][0]));
        layer->kind->reference_forward(layer, (const double *const *)ref->argument[l],
                                       ref->argument[l + 1][0]);
    }
    return region;
}

// ---------------------------------------------------------------------------------------------
// The loss

static double logsumexp(const double *a, size_t C)
{
    double largest = a[0], sum = 0.0;
    for (size_t k = 1; k < C; k++)
        largest = a[k] > largest ? a[k] : largest;
    for (size_t k = 0; k < C; k++)
        sum += exp(a[k] - largest);
    return largest + log(sum);
}

double reference_loss(const Reference *ref)
{
    const double *a = reference_logits(ref);
    return logsumexp(a, ref->net->architecture.classes) - a[ref->label];
}

void reference_probabilities(const Reference *ref, double *probability)
{
    const double *a = reference_logits(ref);
    size_t C = ref->net->architecture.classes;
    double normaliser = logsumexp(a, C);
    for (size_t k = 0; k < C; k++)
        probability[k] = exp(a[k] - normaliser);
}

void reference_loss_jacobian(const Reference *ref, double *J)
{
    reference_probabilities(ref, J);
    J[ref->label] -= 1.0;
}

// ---------------------------------------------------------------------------------------------
// Jacobians, row by row

size_t reference_row(const Reference *ref, size_t l, size_t which, size_t row)
{
    const Network *net = ref->net;
    size_t C = net->architecture.classes;
    if (l < net->n_layers)
        return net->layers[l].kind->reference_row(
            &net->layers[l], (const double *const *)ref->argument[l], which, row, ref->row);
    reference_loss_jacobian(ref, ref->up);
    for (size_t k = 0; k < C; k++)
        ref->row[k] = (JacobianEntry){k, ref->up[k]};
    return C;
}

static size_t count_rows(const Reference *ref, size_t l)
{
    return l < ref->net->n_layers ? shape_size(ref->net->layers[l].out) : 1;
}

size_t reference_nonzeros(const Reference *ref, size_t l, size_t which)
{
    size_t count = 0;
    for (size_t i = 0; i < count_rows(ref, l); i++)
        for (size_t n = reference_row(ref, l, which, i), e = 0; e < n; e++)
            count += ref->row[e].value != 0.0;
    return count;
}

bool reference_jacobian(mlp_jacobian *J, const Reference *ref, size_t l, size_t which, Arena *arena,
                        Error *err)
{
    const Network *net = ref->net;
    const Layer *layer = &net->layers[l < net->n_layers ? l : l - 1];
    char argument[24];
    *J = (mlp_jacobian){.rows = count_rows(ref, l), .nonzero = reference_nonzeros(ref, l, which)};
    if (l < net->n_layers) {
        J->cols = layer_argument_size(layer, which);
        layer_argument_name(argument, sizeof argument, layer, which);
        snprintf(J->name, sizeof J->name, "d%s/d%s", layer->symbol, argument);
        layer_text(J->identity, sizeof J->identity, layer, layer->kind->identity[which]);
    } else {
        J->cols = net->architecture.classes;
        snprintf(J->name, sizeof J->name, "dL/d%s", layer->symbol);
        snprintf(J->identity, sizeof J->identity, "(yhat - y)^T (7)");
    }
    if (arena == NULL)
        return true;
    mlp_entry *list = arena_alloc(arena, J->nonzero, sizeof *list, "a Jacobian's entries", err);
    J->entries = list;
    for (size_t i = 0; list != NULL && i < J->rows; i++)
        for (size_t n = reference_row(ref, l, which, i), e = 0; e < n; e++)
            if (ref->row[e].value != 0.0)
                *list++ = (mlp_entry){i, ref->row[e].col, ref->row[e].value};
    return J->entries != NULL;
}

void reference_times(const Reference *ref, size_t l, const double *column, double *into)
{
    for (size_t i = 0; i < count_rows(ref, l); i++) {
        into[i] = 0.0;
        for (size_t n = reference_row(ref, l, 0, i), e = 0; e < n; e++)
            into[i] += ref->row[e].value * column[ref->row[e].col];
    }
}

// into (N) += g J
static void add_product(const Reference *ref, size_t l, size_t which, const double *g, double *into)
{
    for (size_t i = 0; i < count_rows(ref, l); i++)
        for (size_t n = g[i] == 0.0 ? 0 : reference_row(ref, l, which, i), e = 0; e < n; e++)
            into[ref->row[e].col] += g[i] * ref->row[e].value;
}

void reference_backward(const Reference *ref, const bool *left_out)
{
    for (size_t l = ref->net->n_layers; l-- > ref->net->first_trained;) {
        const Layer *layer = &ref->net->layers[l];
        const double *g = ref->gradient[l + 1][0];
        double *gx = ref->gradient[l][0];
        for (size_t which = 1; which <= layer->n_tensors; which++)
            add_product(ref, l, which, g, ref->gradient[l][which]);
        memset(gx, 0, shape_size(layer->in) * sizeof *gx);
        if (left_out != NULL && left_out[l])
            memcpy(gx, g, shape_size(layer->in) * sizeof *g);
        else if (l > ref->net->first_trained)
            add_product(ref, l, 0, g, gx);
    }
}
