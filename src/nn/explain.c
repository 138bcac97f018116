// The chain of one weight, its counterparts, and the counts of products. Read explain.h first.
#include "explain.h"

#include "gradcheck.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
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
static bool index_parse(size_t *e, const Tensor *tensor, const char *at)
{
    size_t dims[TENSOR_MAX_DIMS], n = tensor_file_shape(tensor, dims);
    *e = 0;
    for (size_t d = 0; d < n; d++) {
        char *end = NULL;
        if (*at != (d == 0 ? '[' : ',') || !isdigit((unsigned char)at[1]))
            return false;
        unsigned long long index = strtoull(at + 1, &end, 10); // the largest where it is too large
        if (index >= dims[d])
            return false;
        *e = *e * dims[d] + (size_t)index;
        at = end;
    }
    return strcmp(at, "]") == 0;
}

bool weight_find(Weight *weight, const Network *net, const char *text, Error *err)
{
    char names[LIST_SIZE] = "", index[64], last[128];
    size_t n = 0;
    for (size_t l = 0; l < net->n_layers; l++)
        for (size_t t = 0; t < net->layers[l].n_tensors; t++) {
            const Tensor *tensor = &net->layers[l].tensors[t];
            size_t length = strlen(tensor->name);
            *weight = (Weight){.l = l, .t = t};
            if (strncmp(text, tensor->name, length) == 0 &&
                index_parse(&weight->e, tensor, text + length))
                return true;
            weight_index_text(index, sizeof index, tensor, tensor_size(tensor) - 1);
            snprintf(last, sizeof last, "%s%s", tensor->name, index);
            list_add(names, n++, net->n_tensors, last);
        }
    return error_set(err, "'%.60s' is not there; the last of each tensor are %s", text, names);
}

// ---------------------------------------------------------------------------------------------
// The chain of factors

// A factor d(symbol)[row]/d... of layer l; from now on the column is about that value alone.
static void add_factor(WeightChain *chain, const Reference *ref, size_t l, size_t row,
                       double *column)
{
    const Layer *layer = &ref->net->layers[l];
    Weight w = chain->weight;
    ChainFactor *factor = &chain->factors[chain->n_factors++];
    char derivative[48];
    snprintf(chain->unit, sizeof chain->unit, "%s[%zu]", layer->symbol, row);
    if (l > w.l) {
        layer_derivative_text(derivative, sizeof derivative, layer);
        snprintf(factor->name, sizeof factor->name, "d%s/d%s[%zu]", chain->unit, layer->in_symbol,
                 row);
        snprintf(factor->origin, sizeof factor->origin, "%s at %zu", derivative, row);
    } else {
        snprintf(factor->name, sizeof factor->name, "d%s/dw", chain->unit);
        if (w.t == 0)
            snprintf(factor->origin, sizeof factor->origin, "%s[%zu]", layer->in_symbol,
                     w.e % shape_size(layer->in));
        else
            snprintf(factor->origin, sizeof factor->origin, "1");
    }
    factor->value = column[row];
    column[row] = 1.0;
    if (l + 2 == ref->net->n_layers)
        snprintf(chain->by_unit_of, sizeof chain->by_unit_of, "W%u[k,%zu]",
                 ref->net->layers[l + 1].number, row);
}

// Multiplies from the right, from the column da/dw on. A dense layer's weight acts on one output,
// and an activation keeps that: such a step becomes a factor.
static void find_factors(WeightChain *chain, const Reference *ref)
{
    Weight w = chain->weight;
    const Layer *layer = &ref->net->layers[w.l];
    size_t O = shape_size(layer->out), size = tensor_size(&layer->tensors[w.t]);
    bool is_one = layer->out.height * layer->out.width == 1;
    size_t row = is_one ? w.e / (size / O) : 0;
    double *at[2] = {ref->up, ref->down}, *column = at[w.l % 2];
    for (size_t i = 0; i < O; i++) {
        column[i] = 0.0;
        for (size_t n = reference_row(ref, w.l, 1 + w.t, i), e = 0; e < n; e++)
            if (ref->row[e].col == w.e)
                column[i] = ref->row[e].value;
    }
    snprintf(chain->unit, sizeof chain->unit, "w");
    if (is_one)
        add_factor(chain, ref, w.l, row, column);
    for (size_t l = w.l + 1; l < ref->net->n_layers; l++) {
        reference_times(ref, l, column, at[l % 2]);
        column = at[l % 2];
        is_one = is_one && ref->net->layers[l].kind->is_activation;
        if (is_one)
            add_factor(chain, ref, l, row, column);
    }
    memcpy(chain->by_unit, column, ref->net->architecture.classes * sizeof *column);
}

// ---------------------------------------------------------------------------------------------
// The same number in other ways

// Differences with the largest step from 1e-5 down that has no kink on its way.
static void add_difference(WeightChain *chain, const Reference *ref)
{
    size_t l = chain->weight.l, n = ref->net->n_layers;
    double *w = &ref->argument[l][1 + chain->weight.t][chain->weight.e], kept = *w;
    static const double steps[] = {MLP_CHECK_STEP, 1e-6, 1e-7, 1e-8};
    for (size_t s = 0; s < sizeof steps / sizeof steps[0] && chain->step == 0.0; s++) {
        double up = kept + steps[s], down = kept - steps[s];
        *w = up;
        uint64_t region = reference_forward(ref, l, n);
        chain->difference = reference_loss(ref);
        *w = down;
        chain->step = reference_forward(ref, l, n) == region ? steps[s] : 0.0;
        chain->difference = (chain->difference - reference_loss(ref)) / (up - down);
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
    find_factors(chain, ref);
    reference_probabilities(ref, chain->yhat);
    reference_loss_jacobian(ref, chain->delta);
    for (size_t k = 0; k < ref->net->architecture.classes; k++)
        chain->sum += chain->delta[k] * chain->by_unit[k];
    chain->value = chain->sum;
    for (size_t i = 0; i < chain->n_factors; i++)
        chain->value *= chain->factors[i].value;
    add_difference(chain, ref);
    return add_training(chain, ref, batch, learning_rate, arena, err);
}

// ---------------------------------------------------------------------------------------------
// What the order of the products costs

ChainProducts chain_products(const Reference *ref)
{
    const Network *net = ref->net;
    double C = (double)net->architecture.classes;
    double p = (double)tensor_size(&net->layers[net->first_trained].tensors[0]);
    ChainProducts count = {.right = C * p}; // the last one, (1 x C) (C x p)
    for (size_t l = net->first_trained; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        size_t which = l == net->first_trained ? 1 : 0;
        double m = (double)shape_size(layer->out), n = (double)layer_argument_size(layer, which);
        count.left += m * n;                         // (1 x m) (m x n)
        count.right += which == 0 ? m * n * p : 0.0; // (m x n) (n x p)
        count.nonzero += (double)reference_nonzeros(ref, l, which);
    }
    return count;
}
