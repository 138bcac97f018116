// Each kind of layer: its reference Jacobians against central differences, and its float code
// against the reference.
#include "network.h"
#include "random.h"
#include "synthetic.h"
#include "test.h"

#include <math.h>

enum { SIDE = 3, I = SIDE * SIDE, O = 5, B = 4 };

// A layer between two arrays, all filled with random numbers.
typedef struct Bench {
    Arena arena;
    Synthetic s;
    Layer layer;
    size_t n_parameters;
    float *params, *x, *y, *dx, *dy, *notes;
    Batch batch;
    LayerView view;
    double *argument[1 + LAYER_MAX_TENSORS]; // of example `at`
} Bench;

static float *floats(Bench *bench, size_t n)
{
    Error err;
    float *memory = arena_alloc(&bench->arena, n, sizeof *memory, "a test", &err);
    if (memory == NULL)
        abort();
    return memory;
}

static double *doubles(Bench *bench, size_t n)
{
    return (double *)(void *)floats(bench, 2 * n);
}

static void bench_open(Bench *bench, const LayerKind *kind)
{
    *bench = (Bench){.params = NULL};
    bench->s = synthetic_make(&bench->arena, B, SIDE, 4);
    bench->layer = (Layer){.kind = kind,
                           .name = "fc1",
                           .symbol = "a1",
                           .gain = 1.0,
                           .in = {SIDE, SIDE, 1},
                           .in_pitch = 1,
                           .in_stride = 16};
    Layer *layer = &bench->layer;
    bench->n_parameters = kind->describe(layer, O, 0);
    bench->params = floats(bench, bench->n_parameters);
    if (kind->init != NULL)
        kind->init(layer, bench->params, 1, 0);
    for (size_t o = 0; layer->n_tensors > 0 && o < O; o++) // else the biases would be 0
        bench->params[tensor_index(&layer->tensors[1], o)] = random_normal(1, 9, o);
    bench->x = floats(bench, B * layer->in_stride);
    bench->dx = floats(bench, B * layer->in_stride);
    bench->y = floats(bench, B * layer->out_stride);
    bench->dy = floats(bench, B * layer->out_stride);
    bench->notes = floats(bench, B * layer->note_stride);
    bench->batch = (Batch){&bench->s.data, &bench->s.scale, bench->s.index, B, NULL, 0};
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < I; i++)
            bench->x[b * layer->in_stride + i] =
                kind == &layer_dense_bytes ? bench->s.scale.value[batch_pixels(&bench->batch, b)[i]]
                                           : random_normal(1, 8, b * I + i);
    bench->view = (LayerView){.batch = &bench->batch,
                              .x = bench->x,
                              .y = bench->y,
                              .dx = bench->dx,
                              .dy = bench->dy,
                              .notes = bench->notes};
}

static void forward(Bench *bench)
{
    if (bench->layer.kind->partial_sums != NULL)
        for (size_t block = 0; block < N_BLOCKS; block++)
            bench->layer.kind->partial_sums(&bench->layer, bench->params, &bench->view, block);
    bench->layer.kind->forward(&bench->layer, bench->params, &bench->view, (Range){0, B});
}

// Takes example b and the parameters over into double precision.
static void set_arguments(Bench *bench, size_t b)
{
    const Layer *layer = &bench->layer;
    bench->argument[0] = doubles(bench, I);
    for (size_t i = 0; i < I; i++)
        bench->argument[0][i] = (double)bench->x[b * layer->in_stride + i];
    for (size_t t = 0; t < layer->n_tensors; t++) {
        size_t n = tensor_size(&layer->tensors[t]);
        bench->argument[1 + t] = doubles(bench, n);
        for (size_t e = 0; e < n; e++)
            bench->argument[1 + t][e] = (double)bench->params[tensor_index(&layer->tensors[t], e)];
    }
}

static size_t argument_size(const Layer *layer, size_t which)
{
    return which == 0 ? I : tensor_size(&layer->tensors[which - 1]);
}

static double *jacobian(Bench *bench, size_t which)
{
    double *J = doubles(bench, shape_size(bench->layer.out) * argument_size(&bench->layer, which));
    bench->layer.kind->reference_jacobian(&bench->layer, (const double *const *)bench->argument,
                                          which, J);
    return J;
}

static const LayerKind *const kinds[] = {&layer_dense_bytes, &layer_dense, &layer_sigmoid};
enum { N_KINDS = 3 };

static void reference_jacobians_agree_with_central_differences(void)
{
    for (size_t k = 0; k < N_KINDS; k++) {
        Bench bench;
        bench_open(&bench, kinds[k]);
        set_arguments(&bench, 1);
        const Layer *layer = &bench.layer;
        size_t M = shape_size(layer->out);
        for (size_t which = 0; which <= layer->n_tensors; which++) {
            size_t N = argument_size(layer, which);
            double *J = jacobian(&bench, which), up[16], down[16], h = 1e-5;
            for (size_t j = 0; j < N; j++) {
                double *v = &bench.argument[which][j], kept = *v;
                *v = kept + h;
                layer->kind->reference_forward(layer, (const double *const *)bench.argument, up);
                *v = kept - h;
                layer->kind->reference_forward(layer, (const double *const *)bench.argument, down);
                *v = kept;
                for (size_t i = 0; i < M; i++)
                    CHECK(fabs(J[i * N + j] - (up[i] - down[i]) / (2 * h)) < 1e-8,
                          "kind %zu, argument %zu, entry %zu,%zu: %g against %g", k, which, i, j,
                          J[i * N + j], (up[i] - down[i]) / (2 * h));
            }
        }
        arena_free(&bench.arena);
    }
}

static void forward_agrees_with_the_reference(void)
{
    for (size_t k = 0; k < N_KINDS; k++) {
        Bench bench;
        bench_open(&bench, kinds[k]);
        forward(&bench);
        for (size_t b = 0; b < B; b++) {
            double y[16];
            set_arguments(&bench, b);
            kinds[k]->reference_forward(&bench.layer, (const double *const *)bench.argument, y);
            for (size_t o = 0; o < shape_size(bench.layer.out); o++)
                CHECK(fabs(y[o] - (double)bench.y[b * bench.layer.out_stride + o]) < 1e-5,
                      "kind %zu, example %zu, output %zu: %g, reference %g", k, b, o,
                      (double)bench.y[b * bench.layer.out_stride + o], y[o]);
        }
        arena_free(&bench.arena);
    }
}

// Row o of a Jacobian is one backward call with dy = e_o.
static void backward_with_a_unit_vector_is_a_row_of_the_jacobian(void)
{
    for (size_t k = 1; k < N_KINDS; k++) { // bytes have no dx
        Bench bench;
        bench_open(&bench, kinds[k]);
        forward(&bench);
        const Layer *layer = &bench.layer;
        for (size_t o = 0; o < shape_size(layer->out); o++) {
            for (size_t b = 0; b < B; b++)
                for (size_t i = 0; i < layer->out_stride; i++)
                    bench.dy[b * layer->out_stride + i] = i == o ? 1.0f : 0.0f;
            layer->kind->backward(layer, bench.params, &bench.view, (Range){0, B});
            for (size_t b = 0; b < B; b++) {
                set_arguments(&bench, b);
                double *J = jacobian(&bench, 0);
                for (size_t i = 0; i < I; i++)
                    CHECK(fabs(J[o * I + i] - (double)bench.dx[b * layer->in_stride + i]) < 1e-6,
                          "kind %zu, row %zu, column %zu", k, o, i);
            }
        }
        arena_free(&bench.arena);
    }
}

// dL/dvec(parameter) = sum over the batch of dy J, here with J in full.
static void accumulate_is_the_chain_with_full_jacobians(void)
{
    for (size_t k = 0; k < 2; k++) { // the kinds with parameters
        Bench bench;
        bench_open(&bench, kinds[k]);
        forward(&bench);
        const Layer *layer = &bench.layer;
        for (size_t b = 0; b < B; b++)
            for (size_t o = 0; o < O; o++)
                bench.dy[b * layer->out_stride + o] = random_normal(1, 7, b * O + o);
        float *gradient = floats(&bench, bench.n_parameters);
        for (size_t block = 0; block < N_BLOCKS; block++)
            layer->kind->accumulate(layer, &bench.view, block, 2.0f, gradient);
        for (size_t t = 0; t < layer->n_tensors; t++) {
            size_t N = tensor_size(&layer->tensors[t]);
            double *chain = doubles(&bench, N);
            for (size_t b = 0; b < B; b++) {
                set_arguments(&bench, b);
                double *J = jacobian(&bench, 1 + t);
                for (size_t o = 0; o < O; o++)
                    for (size_t j = 0; j < N; j++)
                        chain[j] += (double)bench.dy[b * layer->out_stride + o] * J[o * N + j];
            }
            for (size_t j = 0; j < N; j++) {
                double found = (double)gradient[tensor_index(&layer->tensors[t], j)];
                CHECK(fabs(found - 2.0 * chain[j]) < 1e-4, "kind %zu, %s, element %zu: %g, not %g",
                      k, layer->tensors[t].name, j, found, 2.0 * chain[j]);
            }
        }
        arena_free(&bench.arena);
    }
}

static void the_average_input_gives_zero_after_init(void)
{
    Bench bench;
    bench_open(&bench, &layer_dense);
    bench.layer.input_mean = 0.5;
    layer_dense.init(&bench.layer, bench.params, 1, 0);
    for (size_t i = 0; i < B * bench.layer.in_stride; i++)
        bench.x[i] = 0.5f;
    forward(&bench);
    for (size_t o = 0; o < O; o++)
        CHECK(fabsf(bench.y[o]) < 1e-6f, "output %zu is %g", o, (double)bench.y[o]);
    arena_free(&bench.arena);
}

int main(void)
{
    RUN(reference_jacobians_agree_with_central_differences);
    RUN(forward_agrees_with_the_reference);
    RUN(backward_with_a_unit_vector_is_a_row_of_the_jacobian);
    RUN(accumulate_is_the_chain_with_full_jacobians);
    RUN(the_average_input_gives_zero_after_init);
    return test_end();
}
