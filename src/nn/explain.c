// The chain of one weight, its counterparts, and the counts of products. Read explain.h first.
#include "explain.h"

#include "gradcheck.h"
#include "numbers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Which weight

Weight weight_of_largest_gradient(const Reference *ref)
{
    Weight best = {.l = ref->net->first_trained};
    double largest = 0.0;
    for (size_t l = ref->net->first_trained; l < ref->net->n_layers; l++) {
        const Layer *layer = &ref->net->layers[l];
        for (size_t e = 0; layer->n_tensors > 0 && e < tensor_size(&layer->tensors[0]); e++)
            if (fabs(ref->gradient[l][1][e]) > largest) {
                largest = fabs(ref->gradient[l][1][e]);
                best = (Weight){l, 0, e};
            }
    }
    return best;
}

void weight_index_text(char *text, size_t size, const Tensor *tensor, size_t e)
{
    size_t dims[TENSOR_MAX_DIMS], n = tensor_file_shape(tensor, dims), below = tensor_size(tensor);
    int at = 0;
    for (size_t d = 0; d < n && at >= 0 && (size_t)at < size; d++) {
        below /= dims[d];
        at += snprintf(text + at, size - (size_t)at, "%s%zu%s", d == 0 ? "[" : ",",
                       e / below % dims[d], d + 1 == n ? "]" : "");
    }
}

// Reads "[17,406]" as an element.
static bool index_parse(size_t *e, const Tensor *tensor, const char *text, Error *err)
{
    size_t dims[TENSOR_MAX_DIMS], n = tensor_file_shape(tensor, dims);
    char last[96];
    weight_index_text(last, sizeof last, tensor, tensor_size(tensor) - 1);
    const char *at = text;
    *e = 0;
    for (size_t d = 0; d < n; d++) {
        char digits[NUMBER_SIZE];
        uint64_t index;
        size_t length = *at == (d == 0 ? '[' : ',') ? strspn(at + 1, "0123456789") : 0;
        snprintf(digits, sizeof digits, "%.*s", (int)(length < NUMBER_SIZE ? length : 0),
                 length == 0 ? "" : at + 1);
        if (!parse_uint(digits, &index) || index >= dims[d])
            return error_set(err, "'%.60s': the indices of %s are [0%s] to %s", text, tensor->name,
                             n == 4   ? ",0,0,0"
                             : n == 2 ? ",0"
                                      : "",
                             last);
        at += 1 + length;
        *e = *e * dims[d] + (size_t)index;
    }
    return strcmp(at, "]") == 0 || error_set(err, "'%.60s': %s has %zu dimension%s, as in %s", text,
                                             tensor->name, n, n == 1 ? "" : "s", last);
}

bool weight_find(Weight *weight, const Network *net, const char *text, Error *err)
{
    char names[LIST_SIZE] = "";
    size_t length = strcspn(text, "["), n = 0;
    for (size_t l = 0; l < net->n_layers; l++)
        for (size_t t = 0; t < net->layers[l].n_tensors; t++) {
            const Tensor *tensor = &net->layers[l].tensors[t];
            list_add(names, n++, net->n_tensors, tensor->name);
            if (strlen(tensor->name) == length && strncmp(tensor->name, text, length) == 0) {
                *weight = (Weight){.l = l, .t = t};
                return index_parse(&weight->e, tensor, text + length, err);
            }
        }
    return error_set(err, "'%.60s': the network has %s", text, names);
}

// ---------------------------------------------------------------------------------------------
// The chain of factors

// The column of da/dw, a the output of the weight's layer.
static void first_column(const Reference *ref, Weight w, double *column)
{
    const Layer *layer = &ref->net->layers[w.l];
    for (size_t i = 0; i < shape_size(layer->out); i++) {
        size_t n =
            layer->kind->reference_row(layer, reference_arguments(ref, w.l), 1 + w.t, i, ref->row);
        column[i] = 0.0;
        for (size_t e = 0; e < n; e++)
            if (ref->row[e].col == w.e)
                column[i] = ref->row[e].value;
    }
}

// The one output of layer l that the column is about. A dense layer's weight acts on one output
// even when its input is 0; one of a convolution acts on all positions.
static bool acts_on_one(const Reference *ref, Weight w, size_t *row)
{
    const Layer *layer = &ref->net->layers[w.l];
    if (layer->out.height * layer->out.width > 1)
        return false;
    *row = w.e / (tensor_size(&layer->tensors[w.t]) / shape_size(layer->out));
    return true;
}

static void add_factor(WeightChain *chain, size_t l, size_t which, size_t row, size_t col,
                       double *column)
{
    chain->factors[chain->n_factors++] = (ChainFactor){l, which, row, col, column[row]};
    column[row] = 1.0;
    chain->unit_layer = l;
}

// Multiplies from the right, from da/dw on: while it is about one value, that becomes a factor.
static void find_factors(WeightChain *chain, const Reference *ref)
{
    Weight w = chain->weight;
    double *column = ref->up, *next = ref->down;
    size_t unit = 0;
    first_column(ref, w, column);
    bool is_one = acts_on_one(ref, w, &unit);
    chain->unit_layer = w.l;
    if (is_one)
        add_factor(chain, w.l, 1 + w.t, unit, w.e, column);
    for (size_t l = w.l + 1; l < ref->net->n_layers; l++) {
        reference_times(ref, l, 0, column, next);
        double *swap = column;
        column = next;
        next = swap;
        is_one = is_one && ref->net->layers[l].kind->is_activation;
        if (is_one)
            add_factor(chain, l, 0, unit, unit, column);
    }
    if (column != ref->up)
        memcpy(ref->up, column, ref->net->architecture.classes * sizeof *column);
}

static bool build_chain(WeightChain *chain, const Reference *ref, Arena *arena, Error *err)
{
    size_t C = ref->net->architecture.classes;
    double *delta = arena_alloc(arena, C, sizeof *delta, "a chain", err);
    double *by_unit = arena_alloc(arena, C, sizeof *by_unit, "a chain", err);
    if (delta == NULL || by_unit == NULL)
        return false;
    find_factors(chain, ref);
    memcpy(by_unit, ref->up, C * sizeof *by_unit);
    reference_loss_jacobian(ref, delta);
    for (size_t k = 0; k < C; k++)
        chain->sum += delta[k] * by_unit[k];
    chain->value = chain->sum;
    for (size_t i = 0; i < chain->n_factors; i++)
        chain->value *= chain->factors[i].value;
    chain->delta = delta;
    chain->by_unit = by_unit;
    return true;
}

// ---------------------------------------------------------------------------------------------
// The same number in other ways

// Differences with the largest step from 1e-5 down that has no kink on its way.
static void add_difference(WeightChain *chain, const Reference *ref)
{
    size_t l = chain->weight.l, n = ref->net->n_layers;
    double *w = &ref->argument[l][1 + chain->weight.t][chain->weight.e], kept = *w;
    for (double step = MLP_CHECK_STEP; step > 1e-9 && chain->step == 0.0; step /= 10.0) {
        *w = kept + step;
        double up = *w;
        uint64_t region = reference_forward(ref, l, n);
        chain->above = reference_loss(ref);
        *w = kept - step;
        double down = *w;
        bool is_smooth = reference_forward(ref, l, n) == region;
        chain->below = reference_loss(ref);
        chain->difference = (chain->above - chain->below) / (up - down);
        chain->step = is_smooth ? step : 0.0;
    }
    *w = kept;
    reference_forward(ref, l, n); // as it was
}

// What the training code does with this one example: the gradient, and an update.
static bool add_training(WeightChain *chain, const Reference *ref, const Batch *batch,
                         double learning_rate, Arena *arena, Error *err)
{
    const Network *net = ref->net;
    Weight w = chain->weight;
    size_t index = tensor_index(&net->layers[w.l].tensors[w.t], w.e);
    float *gradient = network_alloc(net, arena, err), *after = network_alloc(net, arena, err);
    if (gradient == NULL || after == NULL)
        return false;
    memcpy(after, ref->params, net->n_parameters * sizeof *after);
    if (!training_gradient(net, ref->params, batch, 1.0f, gradient, arena, err) ||
        !training_gradient(net, ref->params, batch, -(float)learning_rate, after, arena, err))
        return false;
    chain->training = (double)gradient[index];
    chain->before = ref->params[index];
    chain->after = after[index];
    for (size_t l = net->first_trained; l < net->n_layers; l++)
        for (size_t t = 0; t < net->layers[l].n_tensors; t++)
            for (size_t e = 0; e < tensor_size(&net->layers[l].tensors[t]); e++) {
                double g = ref->gradient[l][1 + t][e];
                double f = (double)gradient[tensor_index(&net->layers[l].tensors[t], e)];
                chain->largest = larger(chain->largest, fabs(g));
                chain->largest_gap = larger(chain->largest_gap, fabs(f - g));
            }
    return true;
}

bool weight_explain(WeightChain *chain, const Reference *ref, const Batch *batch,
                    double learning_rate, Weight weight, Arena *arena, Error *err)
{
    *chain = (WeightChain){.weight = weight};
    chain->reference = ref->gradient[weight.l][1 + weight.t][weight.e];
    if (!build_chain(chain, ref, arena, err))
        return false;
    add_difference(chain, ref);
    return add_training(chain, ref, batch, learning_rate, arena, err);
}

// ---------------------------------------------------------------------------------------------
// What the order of the products costs

ChainProducts chain_products(const Reference *ref)
{
    const Network *net = ref->net;
    ChainProducts count = {0};
    double C = (double)net->architecture.classes;
    double p = (double)tensor_size(&net->layers[net->first_trained].tensors[0]);
    for (size_t l = net->first_trained; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        size_t row, col, which = l == net->first_trained ? 1 : 0;
        double m = (double)shape_size(layer->out), n = (double)layer_argument_size(layer, which);
        count.left += m * n; // (1 x m) (m x n)
        if (which == 0)
            count.right += m * n * p; // (m x n) (n x p)
        count.nonzero += (double)reference_nonzeros(ref, l, which, &row, &col);
    }
    count.right += C * p; // (1 x C) (C x p)
    return count;
}
