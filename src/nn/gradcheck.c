// The check of the gradients, from the loss back to the first layer: gradient_check, at the end, is
// the whole of it. Read gradcheck.h first.
#include "gradcheck.h"

#include "reference.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static_assert((int)MLP_MAX_JACOBIANS == 1 + NETWORK_MAX_LAYERS + NETWORK_MAX_TENSORS &&
                  (int)MLP_MAX_GRADIENTS == (int)NETWORK_MAX_TENSORS,
              "there is room for every row");

// ---------------------------------------------------------------------------------------------
// Comparing

typedef struct Difference {
    double largest_a, largest_n, largest_gap;
} Difference;

static void difference_add(Difference *d, double a, double n)
{
    d->largest_a = larger(d->largest_a, fabs(a));
    d->largest_n = larger(d->largest_n, fabs(n));
    d->largest_gap = larger(d->largest_gap, fabs(a - n));
}

static double difference_error(const Difference *d)
{
    double scale = larger(d->largest_a, d->largest_n);
    return d->largest_gap > 0.0 || isnan(d->largest_gap) ? d->largest_gap / scale : 0.0;
}

// A function of an argument of layer `first`: the output of layer end - 1 or, of M = 1, the loss
// after it.
typedef struct Function {
    const Reference *ref;
    size_t first, end;
    bool is_loss;
} Function;

static uint64_t function_evaluate(const Function *f, double *y, size_t M)
{
    uint64_t region = reference_forward(f->ref, f->first, f->end);
    if (f->is_loss)
        y[0] = reference_loss(f->ref);
    else
        memcpy(y, f->ref->argument[f->end][0], M * sizeof *y);
    return region;
}

// Column of the Jacobian for the number *v: (f(v + h) - f(v - h)) / 2h, left in up (M). Returns
// false when a kink is between the two.
static bool central_difference(const Function *f, double *v, size_t M)
{
    const Reference *ref = f->ref;
    double kept = *v, above = kept + ref->step, below = kept - ref->step;
    *v = above;
    uint64_t region = function_evaluate(f, ref->up, M);
    *v = below;
    bool is_smooth = function_evaluate(f, ref->down, M) == region;
    *v = kept;
    for (size_t i = 0; i < M; i++)
        ref->up[i] = (ref->up[i] - ref->down[i]) / (above - below);
    return is_smooth;
}

// The error of J, the Jacobian of f over v (J.cols). Counts the columns that are skipped.
static double jacobian_error(const Function *f, Matrix J, double *v, size_t *skipped)
{
    Difference difference = {0};
    for (size_t j = 0; j < J.cols; j++)
        if (central_difference(f, &v[j], J.rows))
            for (size_t i = 0; i < J.rows; i++)
                difference_add(&difference, J.at[i * J.cols + j], f->ref->up[i]);
        else
            ++*skipped;
    reference_forward(f->ref, f->first, f->end); // as it was
    return difference_error(&difference);
}

// ---------------------------------------------------------------------------------------------
// The checks

// The Jacobian of f's layer over an argument: its row of the check, and all of it in J, zeroed.
static bool check_jacobian(mlp_gradient_check *check, const Function *f, size_t which, Matrix J,
                           Arena *arena, Error *err)
{
    mlp_jacobian *row = &check->jacobians[check->n_jacobians++];
    if (!reference_jacobian(row, f->ref, f->first, which, arena, err))
        return false;
    for (size_t e = 0; e < row->nonzero; e++)
        J.at[row->entries[e].row * J.cols + row->entries[e].col] = row->entries[e].value;
    row->error = jacobian_error(f, J, f->ref->argument[f->first][which], &row->skipped);
    row->ok = row->error < MLP_CHECK_LIMIT && row->skipped < (J.cols + 1) / 2;
    check->ok = check->ok && row->ok;
    return true;
}

// gJ += g J, one step of the chain: the row vector g times J.
static void chain_multiply(Matrix gJ, Matrix g, Matrix J)
{
    for (size_t i = 0; i < J.rows; i++)
        for (size_t j = 0; j < J.cols; j++)
            gJ.at[j] += g.at[i] * J.at[i * J.cols + j];
}

static double largest_of(const float *values, size_t n)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = larger(largest, fabs((double)values[i]));
    return largest;
}

// The chain's gradient of one tensor against central differences of the whole loss and against the
// training code's gradient.
static void check_block(mlp_gradient_check *check, const Reference *ref, size_t l, size_t which,
                        Matrix chain, const float *training)
{
    const Layer *layer = &ref->net->layers[l];
    const Tensor *tensor = &layer->tensors[which - 1];
    const Function loss = {ref, l, ref->net->n_layers, true};
    mlp_gradient *row = &check->gradients[check->n_gradients++];
    Difference single = {0};
    char name[24];
    layer_argument_name(name, sizeof name, layer, which);
    snprintf(row->name, sizeof row->name, "dL/d%s", name);
    row->size = chain.cols;
    row->error_differences = jacobian_error(&loss, chain, ref->argument[l][which], &row->skipped);
    for (size_t e = 0; e < row->size; e++)
        difference_add(&single, chain.at[e], (double)training[tensor_index(tensor, e)]);
    row->largest = single.largest_a;
    single.largest_n = larger(single.largest_n, largest_of(training, ref->net->n_parameters));
    row->error_training = difference_error(&single);
    row->ok = row->error_differences < MLP_CHECK_LIMIT &&
              row->error_training < MLP_CHECK_TRAINING_LIMIT && row->largest > 0.0 &&
              row->skipped < (row->size + 1) / 2;
    check->ok = check->ok && row->ok;
}

// The Jacobian of layer l over one argument, and gJ, zeroed, becomes the gradient of that argument.
static bool check_argument(mlp_gradient_check *check, const Reference *ref, size_t l, size_t which,
                           Matrix g, Matrix gJ, Arena *arena, Error *err)
{
    const Function output = {ref, l, l + 1, false};
    Arena own = {0}; // the Jacobians need not be in memory at once
    Matrix J = {g.cols, gJ.cols, NULL};
    J.at = arena_alloc(&own, J.rows * J.cols, sizeof *J.at, "a Jacobian", err);
    bool ok = J.at != NULL && check_jacobian(check, &output, which, J, arena, err);
    if (ok)
        chain_multiply(gJ, g, J);
    arena_free(&own);
    return ok;
}

// Every Jacobian of layer l, and the gradient of its tensors. On entry *g is dL/d(output), on
// return dL/d(input) where a layer comes before.
static bool check_layer(mlp_gradient_check *check, const Reference *ref, size_t l, Matrix *g,
                        const float *training, Arena *arena, Error *err)
{
    const Layer *layer = &ref->net->layers[l];
    for (size_t which = 1 + layer->n_tensors; which-- > (l == 0 ? 1 : 0);) {
        Matrix gJ = {1, layer_argument_size(layer, which), NULL};
        gJ.at = arena_alloc(arena, gJ.cols, sizeof *gJ.at, "a gradient", err);
        if (gJ.at == NULL || !check_argument(check, ref, l, which, *g, gJ, arena, err))
            return false;
        if (which > 0)
            check_block(check, ref, l, which, gJ, training);
        else
            *g = gJ; // the last one: which counts down
    }
    return true;
}

// The loss: sets *g to dL/d(logits).
static bool check_loss(mlp_gradient_check *check, const Reference *ref, Matrix *g, Arena *arena,
                       Error *err)
{
    const Network *net = ref->net;
    const Function loss = {ref, net->n_layers, net->n_layers, true};
    *g = (Matrix){1, net->architecture.classes, NULL};
    g->at = arena_alloc(arena, g->cols, sizeof *g->at, "a gradient", err);
    return g->at != NULL && check_jacobian(check, &loss, 0, *g, arena, err);
}

// ---------------------------------------------------------------------------------------------
// All of it

// Before any work: no Jacobian may be larger than memory should hold.
static bool check_sizes(const Network *net, Error *err)
{
    const size_t max_entries = (size_t)1 << 28; // two gigabytes
    for (size_t l = 0; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        size_t M = shape_size(layer->out);
        for (size_t which = l == 0 ? 1 : 0; which <= layer->n_tensors; which++)
            if (layer_argument_size(layer, which) > max_entries / M)
                return error_set(
                    err,
                    "gradcheck builds every Jacobian in full: one of %zu x %zu is "
                    "too large; check fewer hidden units or smaller images (--hidden, --crop)",
                    M, layer_argument_size(layer, which));
    }
    return true;
}

// The class that the network thinks least likely: of another one the gradient could be nearly zero.
static size_t least_likely(const Reference *ref)
{
    const double *a = reference_logits(ref);
    size_t least = 0;
    for (size_t k = 1; k < ref->net->architecture.classes; k++)
        if (a[k] < a[least])
            least = k;
    return least;
}

bool training_gradient(const Network *net, const float *params, const Batch *batch, float scale,
                       float *into, Arena *arena, Error *err)
{
    Work work;
    if (!work_alloc(&work, net, (WorkNeeds){.capacity = batch->size}, arena, err))
        return false;
    network_predict(net, params, &work, batch);
    network_backward(net, params, &work, batch, (Range){0, batch->size});
    network_weight_gradient(net, &work, batch, scale, into, (Part){0, 1});
    return true;
}

bool gradient_check(mlp_gradient_check *check, const Network *net, const float *params,
                    const Batch *batch, double step, Arena *arena, Error *err)
{
    *check = (mlp_gradient_check){.ok = true, .has_kinks = network_has_kinks(net)};
    Reference ref;
    if (!check_sizes(net, err) || !reference_open(&ref, net, params, arena, err))
        return false;
    reference_load(&ref, batch, 0);
    ref.step = step;
    check->label = ref.label = least_likely(&ref);
    // A data set of this one image, whose label is ours to choose.
    unsigned char label = (unsigned char)ref.label;
    size_t image = batch_image(batch, 0);
    Dataset one = dataset_part(batch->data, (Range){image, image + 1});
    one.labels = &label;
    const Batch example = {.data = &one, .scale = batch->scale, .size = 1};
    float *training = network_alloc(net, arena, err);
    Matrix g;
    if (training == NULL || !training_gradient(net, params, &example, 1.0f, training, arena, err) ||
        !check_loss(check, &ref, &g, arena, err))
        return false;
    for (size_t l = net->n_layers; l-- > 0;)
        if (!check_layer(check, &ref, l, &g, training, arena, err))
            return false;
    return true;
}
