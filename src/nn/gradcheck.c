// The proof of the gradients; see jacobian.h.
#include "gradcheck.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// The network at one point, in double precision: argument[l][0] is the input of layer l, the
// further ones its tensors in the order of the model file. x[l] is argument[l][0] once more, and
// x[n_layers] the logits.
typedef struct Reference {
    const Network *net;
    double *x[NETWORK_MAX_LAYERS + 1];
    double *tensor[NETWORK_MAX_LAYERS][LAYER_MAX_TENSORS];
    const double *argument[NETWORK_MAX_LAYERS][1 + LAYER_MAX_TENSORS];
    size_t label;
    double step; // of all differences
} Reference;

// ---------------------------------------------------------------------------------------------
// The loss:  L(a) = log sum_k exp(a_k) - a_label     dL/da = (softmax(a) - y)^T, 1 x C

static double reference_logsumexp(const double *a, size_t C)
{
    double largest = a[0], sum = 0.0;
    for (size_t k = 1; k < C; k++)
        largest = a[k] > largest ? a[k] : largest;
    for (size_t k = 0; k < C; k++)
        sum += exp(a[k] - largest);
    return largest + log(sum);
}

static double reference_loss(const Reference *ref)
{
    const double *a = ref->x[ref->net->n_layers];
    return reference_logsumexp(a, ref->net->architecture.classes) - a[ref->label];
}

static void reference_loss_jacobian(const Reference *ref, double *J)
{
    const double *a = ref->x[ref->net->n_layers];
    size_t C = ref->net->architecture.classes;
    double normaliser = reference_logsumexp(a, C);
    for (size_t k = 0; k < C; k++)
        J[k] = exp(a[k] - normaliser) - (k == ref->label);
}

// ---------------------------------------------------------------------------------------------
// The reference network

// Recomputes the activations from layer `first` on.
static void reference_forward(const Reference *ref, size_t first)
{
    for (size_t l = first; l < ref->net->n_layers; l++)
        ref->net->layers[l].kind->reference_forward(&ref->net->layers[l], ref->argument[l],
                                                    ref->x[l + 1]);
}

static double *alloc_doubles(Arena *arena, size_t n, Error *err)
{
    return arena_alloc(arena, n, sizeof(double), "the reference network", err);
}

static bool reference_build(Reference *ref, const Network *net, const float *params,
                            const Batch *batch, double step, Arena *arena, Error *err)
{
    *ref = (Reference){.net = net, .step = step};
    ref->x[0] = alloc_doubles(arena, shape_size(net->layers[0].in), err);
    for (size_t l = 0; l < net->n_layers && ref->x[l] != NULL; l++)
        ref->x[l + 1] = alloc_doubles(arena, shape_size(net->layers[l].out), err);
    if (ref->x[0] == NULL || ref->x[net->n_layers] == NULL)
        return false;
    for (size_t l = 0; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        ref->argument[l][0] = ref->x[l];
        for (size_t t = 0; t < layer->n_tensors; t++) {
            size_t n = tensor_size(&layer->tensors[t]);
            double *tensor = alloc_doubles(arena, n, err);
            if (tensor == NULL)
                return false;
            for (size_t e = 0; e < n; e++)
                tensor[e] = (double)params[tensor_index(&layer->tensors[t], e)];
            ref->tensor[l][t] = tensor;
            ref->argument[l][1 + t] = tensor;
        }
    }
    for (size_t p = 0; p < shape_size(net->layers[0].in); p++)
        ref->x[0][p] = (double)batch->scale->value[batch_pixels(batch, 0)[p]];

    reference_forward(ref, 0);
    const double *a = ref->x[net->n_layers];
    for (size_t k = 1; k < net->architecture.classes; k++)
        if (a[k] < a[ref->label])
            ref->label = k;
    return true;
}

// The argument, as something to be moved by the step: (size).
static double *reference_argument(const Reference *ref, size_t l, size_t which, size_t *size)
{
    const Layer *layer = &ref->net->layers[l];
    *size = which == 0 ? shape_size(layer->in) : tensor_size(&layer->tensors[which - 1]);
    return which == 0 ? ref->x[l] : ref->tensor[l][which - 1];
}

// ---------------------------------------------------------------------------------------------
// Comparing

typedef struct Difference {
    double largest_a, largest_n, largest_gap;
} Difference;

// NaN must never look like agreement.
static double larger(double a, double b)
{
    return b > a || isnan(b) ? b : a;
}

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

// ---------------------------------------------------------------------------------------------
// Names: a1 is made by W1 and b1, f1 follows, a2 is made by W2 and b2

// "x", "vec(W2)" or "b2".
static void argument_name(char *text, size_t size, const Network *net, size_t l, size_t which)
{
    if (which == 0) {
        snprintf(text, size, "%s", net->layers[l].in_symbol);
        return;
    }
    const Tensor *tensor = &net->layers[l].tensors[which - 1];
    snprintf(text, size, tensor->n_dims > 1 ? "vec(%s%u)" : "%s%u", tensor->letter,
             net->layers[l].number);
}

// ---------------------------------------------------------------------------------------------
// The checks

// Compares J (M,N) with central differences of `y`, which evaluate() recomputes, over v (N).
typedef struct Function {
    const Reference *ref;
    size_t layer; // n_layers: the loss
} Function;

// On which piece of the layers from l to before `end` their inputs lie.
static uint64_t reference_region(const Reference *ref, size_t l, size_t end)
{
    uint64_t piece = 0;
    for (; l < end; l++) {
        const Layer *layer = &ref->net->layers[l];
        if (layer->kind->reference_region != NULL)
            piece = layer_region_add(piece, layer->kind->reference_region(layer, ref->x[l]));
    }
    return piece;
}

static void function_evaluate(const Function *f, double *y)
{
    if (f->layer == f->ref->net->n_layers)
        y[0] = reference_loss(f->ref);
    else
        f->ref->net->layers[f->layer].kind->reference_forward(&f->ref->net->layers[f->layer],
                                                              f->ref->argument[f->layer], y);
}

static uint64_t function_region(const Function *f)
{
    size_t end = f->layer < f->ref->net->n_layers ? f->layer + 1 : f->layer;
    return reference_region(f->ref, f->layer, end);
}

// up and down (M) are room for the two values of the function; *skipped counts the columns where
// they lie on different pieces of it.
static double jacobian_error(const Function *f, const double *J, size_t M, double *v, size_t N,
                             double *up, double *down, size_t *skipped)
{
    Difference difference = {0};
    for (size_t j = 0; j < N; j++) {
        double kept = v[j], above = kept + f->ref->step, below = kept - f->ref->step;
        v[j] = above;
        function_evaluate(f, up);
        uint64_t piece = function_region(f);
        v[j] = below;
        function_evaluate(f, down);
        bool at_kink = function_region(f) != piece;
        v[j] = kept;
        *skipped += at_kink;
        if (at_kink)
            continue;
        for (size_t i = 0; i < M; i++)
            difference_add(&difference, J[i * N + j], (up[i] - down[i]) / (above - below));
    }
    return difference_error(&difference);
}

static size_t count_nonzero(const double *J, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += J[i] != 0.0;
    return count;
}

static const JacobianEntry *list_nonzero(const double *J, size_t M, size_t N, size_t nonzero,
                                         Arena *arena, Error *err)
{
    JacobianEntry *list = arena_alloc(arena, nonzero, sizeof *list, "a Jacobian's entries", err);
    for (size_t e = 0, n = 0; list != NULL && e < M * N; e++)
        if (J[e] != 0.0)
            list[n++] = (JacobianEntry){e / N, e % N, J[e]};
    return list;
}

// Adds a row for the Jacobian J (M,N) of `f` over v (N).
static bool check_jacobian(GradientCheck *check, const Function *f, const double *J, size_t M,
                           double *v, size_t N, Arena *arena, Error *err)
{
    double *up = alloc_doubles(arena, M, err), *down = alloc_doubles(arena, M, err);
    if (up == NULL || down == NULL)
        return false;
    JacobianCheck *row = &check->jacobians[check->n_jacobians++];
    row->rows = M;
    row->cols = N;
    row->nonzero = count_nonzero(J, M * N);
    row->entries = list_nonzero(J, M, N, row->nonzero, arena, err);
    if (row->entries == NULL)
        return false;
    row->error = jacobian_error(f, J, M, v, N, up, down, &row->skipped);
    row->ok = row->error < GRADIENT_CHECK_LIMIT && row->skipped < (N + 1) / 2;
    check->ok = check->ok && row->ok;
    return true;
}

// g J: the row vector g (M) times J (M,N), a row vector (N).
static void chain_multiply(double *gJ, const double *g, const double *J, size_t M, size_t N)
{
    memset(gJ, 0, N * sizeof *gJ);
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < N; j++)
            gJ[j] += g[i] * J[i * N + j];
}

static double largest_of(const float *values, size_t n)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = larger(largest, fabs((double)values[i]));
    return largest;
}

// The chain's gradient of one tensor (N) against central differences of the whole loss and against
// the training code's gradient.
static void check_block(GradientCheck *check, const Reference *ref, size_t l, size_t t,
                        const double *chain, const float *training)
{
    const Tensor *tensor = &ref->net->layers[l].tensors[t];
    GradientBlockCheck *row = &check->blocks[check->n_blocks++];
    Difference differences = {0}, single = {0};
    double *v = ref->tensor[l][t];
    row->size = tensor_size(tensor);
    for (size_t e = 0; e < row->size; e++) {
        double kept = v[e], above = kept + ref->step, below = kept - ref->step;
        v[e] = above;
        reference_forward(ref, l);
        uint64_t piece = reference_region(ref, l, ref->net->n_layers);
        double up = reference_loss(ref);
        v[e] = below;
        reference_forward(ref, l);
        bool at_kink = reference_region(ref, l, ref->net->n_layers) != piece;
        double down = reference_loss(ref);
        v[e] = kept;
        row->skipped += at_kink;
        if (!at_kink)
            difference_add(&differences, chain[e], (up - down) / (above - below));
        difference_add(&single, chain[e], (double)training[tensor_index(tensor, e)]);
    }
    reference_forward(ref, l);

    char name[24];
    argument_name(name, sizeof name, ref->net, l, 1 + t);
    snprintf(row->name, sizeof row->name, "dL/d%s", name);
    row->largest = single.largest_a;
    row->error_differences = difference_error(&differences);
    single.largest_n = larger(single.largest_n, largest_of(training, ref->net->n_parameters));
    row->error_training = difference_error(&single);
    row->ok = row->error_differences < GRADIENT_CHECK_LIMIT &&
              row->error_training < GRADIENT_CHECK_FLOAT_LIMIT && row->largest > 0.0 &&
              row->skipped < (row->size + 1) / 2;
    check->ok = check->ok && row->ok;
}

// Before any work: no Jacobian may be larger than memory should hold.
static bool check_sizes(const Network *net, Error *err)
{
    const size_t max_entries = (size_t)1 << 28; // two gigabytes
    for (size_t l = 0; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        size_t M = shape_size(layer->out), N = l == 0 ? 0 : shape_size(layer->in);
        for (size_t t = 0; t < layer->n_tensors; t++)
            N = tensor_size(&layer->tensors[t]) > N ? tensor_size(&layer->tensors[t]) : N;
        if (N > max_entries / M)
            return error_set(err,
                             "gradcheck builds every Jacobian in full: one of %zu x %zu is "
                             "too large; check a smaller network (--hidden, --crop)",
                             M, N);
    }
    return true;
}

// Every Jacobian of layer l, and the gradient of its tensors. On entry *g is dL/d(output), on
// return dL/d(input) where a layer comes before.
static bool check_layer(GradientCheck *check, const Reference *ref, size_t l, double **g,
                        const float *training, Arena *arena, Error *err)
{
    const Layer *layer = &ref->net->layers[l];
    size_t M = shape_size(layer->out);
    for (size_t which = 1 + layer->n_tensors; which-- > (l == 0 ? 1 : 0);) {
        size_t N;
        double *v = reference_argument(ref, l, which, &N);
        Arena own = {0}; // the Jacobians need not be in memory at once
        double *J = arena_alloc(&own, M * N, sizeof *J, "a Jacobian", err);
        double *gJ = J == NULL ? NULL : alloc_doubles(arena, N, err);
        if (gJ == NULL) {
            arena_free(&own);
            return false;
        }
        layer->kind->reference_jacobian(layer, ref->argument[l], which, J);

        JacobianCheck *row = &check->jacobians[check->n_jacobians];
        char name[24];
        argument_name(name, sizeof name, ref->net, l, which);
        snprintf(row->name, sizeof row->name, "d%s/d%s", layer->symbol, name);
        layer->kind->identity(layer, which, row->identity, sizeof row->identity);
        Function function = {ref, l};
        bool ok = check_jacobian(check, &function, J, M, v, N, arena, err);
        if (ok)
            chain_multiply(gJ, *g, J, M, N);
        arena_free(&own);
        if (!ok)
            return false;
        if (which > 0)
            check_block(check, ref, l, which - 1, gJ, training);
        else
            *g = gJ; // the last one: which counts down
    }
    return true;
}

// The gradient as training computes it, into a zeroed block instead of the parameters.
static bool training_gradient(float *gradient, const Network *net, const float *params,
                              const Batch *batch, Arena *arena, Error *err)
{
    Work work;
    if (!work_alloc(&work, net, (WorkNeeds){.capacity = batch->size}, arena, err))
        return false;
    network_predict(net, params, &work, batch);
    network_backward(net, params, &work, batch, (Range){0, batch->size});
    network_weight_gradient(net, &work, batch, 1.0f, gradient, (Part){0, 1});
    return true;
}

bool gradient_check(GradientCheck *check, const Network *net, const float *params,
                    const Dataset *data, const InputScale *scale, size_t image, double step,
                    Arena *arena, Error *err)
{
    *check = (GradientCheck){.ok = true};
    if (!check_sizes(net, err))
        return false;
    check->has_kinks = network_has_kinks(net);
    // A data set of this one image, whose label is ours to choose.
    unsigned char label = 0;
    Dataset one = *data;
    one.pixels = data->pixels + image * dataset_pixels_per_image(data);
    one.labels = &label;
    one.n = 1;
    Batch batch = {.data = &one, .scale = scale, .size = 1};

    Reference ref;
    if (!reference_build(&ref, net, params, &batch, step, arena, err))
        return false;
    label = (unsigned char)ref.label;
    check->label = ref.label;
    check->loss = reference_loss(&ref);

    float *training = network_alloc(net, arena, err);
    if (training == NULL || !training_gradient(training, net, params, &batch, arena, err))
        return false;

    size_t C = net->architecture.classes;
    double *g = alloc_doubles(arena, C, err);
    if (g == NULL)
        return false;
    reference_loss_jacobian(&ref, g);
    JacobianCheck *row = &check->jacobians[0];
    snprintf(row->name, sizeof row->name, "dL/d%s", net->layers[net->n_layers - 1].symbol);
    snprintf(row->identity, sizeof row->identity, "(yhat - y)^T (7)");
    Function loss = {&ref, net->n_layers};
    if (!check_jacobian(check, &loss, g, 1, ref.x[net->n_layers], C, arena, err))
        return false;
    for (size_t l = net->n_layers; l-- > 0;)
        if (!check_layer(check, &ref, l, &g, training, arena, err))
            return false;
    return true;
}
