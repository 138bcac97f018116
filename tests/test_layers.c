// Each kind of layer: its reference Jacobians against central differences, and its float code
// against the reference.
#include "kernels.h"
#include "network.h"
#include "random.h"
#include "synthetic.h"
#include "test.h"

#include <math.h>

enum { SIDE = 6, B = 4, MAX_OUTPUTS = 128, MAX_INPUTS = 128 };

typedef struct Case {
    const char *name;
    const LayerKind *kind;
    Shape in;
    size_t pitch, units, kernel_size, stride;
} Case;

// Sizes are odd, channels leave padding, and pools leave pixels over.
static const Case cases[] = {
    {"dense on pixels", &layer_sparse_dense, {SIDE, SIDE, 1}, 1, 5, 0, 0},
    {"pixels", &layer_pixels, {SIDE, SIDE, 1}, 1, 0, 0, 0},
    {"dense", &layer_dense, {1, 1, 9}, 16, 5, 0, 0},
    {"dense on an image", &layer_dense, {2, 3, 5}, 16, 4, 0, 0},
    {"sigmoid", &layer_sigmoid, {1, 1, 9}, 16, 0, 0, 0},
    {"sigmoid on an image", &layer_sigmoid, {2, 3, 5}, 16, 0, 0, 0},
    {"tanh", &layer_tanh, {1, 1, 9}, 16, 0, 0, 0},
    {"tanh on an image", &layer_tanh, {2, 3, 5}, 16, 0, 0, 0},
    {"relu", &layer_relu, {2, 3, 5}, 16, 0, 0, 0},
    {"convolution of one channel", &layer_convolution, {6, 5, 1}, 1, 3, 3, 1},
    {"convolution", &layer_convolution, {4, 6, 3}, 16, 5, 3, 1},
    {"convolution, kernel of the image's size", &layer_convolution, {5, 5, 2}, 16, 3, 5, 1},
    {"max pooling", &layer_max_pool, {4, 6, 3}, 16, 0, 2, 2},
    {"max pooling, pixels left over", &layer_max_pool, {5, 7, 3}, 16, 0, 2, 2},
    {"max pooling of three by three", &layer_max_pool, {6, 3, 3}, 16, 0, 3, 3},
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

static const Case *case_named(const char *name)
{
    size_t k = 0;
    while (strcmp(cases[k].name, name) != 0)
        k++;
    return &cases[k];
}

// A layer between two arrays, all filled with random numbers.
typedef struct Fixture {
    Arena arena;
    Synthetic s;
    Layer layer;
    size_t n_parameters;
    float *params, *x, *y, *dx, *dy;
    LayerView view;
    double *argument[1 + LAYER_MAX_TENSORS]; // of one example
} Fixture;

static float *floats(Fixture *f, size_t n)
{
    Error err;
    float *memory = arena_alloc(&f->arena, n, sizeof *memory, "a test", &err);
    if (memory == NULL)
        abort();
    return memory;
}

static double *doubles(Fixture *f, size_t n)
{
    return (double *)(void *)floats(f, 2 * n);
}

// Where element i of a (C,H,W) image lies among padded pixels.
static size_t place(Shape shape, size_t pitch, size_t i)
{
    size_t pixels = shape.height * shape.width;
    return i % pixels * pitch + i / pixels;
}

static size_t x_place(const Fixture *f, size_t b, size_t i)
{
    const Layer *layer = &f->layer;
    return b * layer->in_stride + place(layer->in, layer->in_pitch, i);
}

static size_t y_place(const Fixture *f, size_t b, size_t i)
{
    const Layer *layer = &f->layer;
    return b * layer->out_stride + place(layer->out, layer->out_pitch, i);
}

static void fixture_open(Fixture *f, const Case *c)
{
    *f = (Fixture){.params = NULL};
    f->s = synthetic_make(&f->arena, B, SIDE, 4);
    f->layer = (Layer){.kind = c->kind,
                       .name = "fc1",
                       .symbol = "a1",
                       .gain = 1.0,
                       .conv = {.kernel_size = c->kernel_size, .stride = c->stride},
                       .in = c->in,
                       .in_pitch = c->pitch,
                       .in_stride = round_up(c->in.height * c->in.width * c->pitch, 16) + 16};
    Layer *layer = &f->layer;
    f->n_parameters = c->kind->describe(layer, c->units, 0);
    f->params = floats(f, f->n_parameters);
    if (c->kind->init != NULL)
        c->kind->init(layer, f->params, 1, 0);
    for (size_t o = 0; layer->n_tensors > 0 && o < c->units; o++) // else the biases would be 0
        f->params[tensor_index(&layer->tensors[1], o)] = random_normal(1, 9, o);
    f->x = floats(f, B * layer->in_stride);
    f->dx = floats(f, B * layer->in_stride);
    f->y = floats(f, B * layer->out_stride);
    f->dy = floats(f, B * layer->out_stride);
    f->view = (LayerView){
        .batch = synthetic_batch(&f->s, f->s.index, B),
        .x = f->x,
        .y = f->y,
        .dx = f->dx,
        .dy = f->dy,
        .saved = floats(f, B * layer->saved_bytes / sizeof(float)),
    };
    Error err;
    WorkNeeds needs = {.capacity = B};
    if (c->kind->open != NULL && !c->kind->open(layer, &f->view.state, &needs, &f->arena, &err))
        abort();
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < shape_size(c->in); i++)
            f->x[x_place(f, b, i)] = c->kind->load != NULL
                                         ? f->s.scale.value[batch_pixels(&f->view.batch, b)[i]]
                                         : random_normal(1, 8, b * shape_size(c->in) + i);
}

static void forward(Fixture *f)
{
    const Layer *layer = &f->layer;
    for (size_t part = 0; layer->kind->load != NULL && part < 3; part++)
        layer->kind->load(layer, f->params, &f->view, (Part){part, 3});
    if (layer->kind->forward != NULL)
        layer->kind->forward(layer, f->params, &f->view);
}

// Takes example b and the parameters over into double precision.
static void set_arguments(Fixture *f, size_t b)
{
    const Layer *layer = &f->layer;
    f->argument[0] = doubles(f, shape_size(layer->in));
    for (size_t i = 0; i < shape_size(layer->in); i++)
        f->argument[0][i] = (double)f->x[x_place(f, b, i)];
    for (size_t t = 0; t < layer->n_tensors; t++) {
        size_t n = tensor_size(&layer->tensors[t]);
        f->argument[1 + t] = doubles(f, n);
        for (size_t e = 0; e < n; e++)
            f->argument[1 + t][e] = (double)f->params[tensor_index(&layer->tensors[t], e)];
    }
}

static double *jacobian(Fixture *f, size_t which)
{
    const Layer *layer = &f->layer;
    size_t M = shape_size(layer->out), N = layer_argument_size(layer, which), n;
    double *J = doubles(f, M * N);
    JacobianEntry row[MAX_INPUTS];
    for (size_t i = 0; i < M; i++) {
        n = layer->kind->reference_row(layer, (const double *const *)f->argument, which, i, row);
        CHECK(n <= shape_size(layer->in), "row %zu has %zu entries", i, n);
        for (size_t e = 0; e < n; e++)
            J[i * N + row[e].col] = row[e].value;
    }
    return J;
}

static void reference_jacobians_agree_with_central_differences(void)
{
    for (size_t k = 0; k < N_CASES; k++) {
        Fixture f;
        fixture_open(&f, &cases[k]);
        set_arguments(&f, 1);
        const Layer *layer = &f.layer;
        size_t M = shape_size(layer->out);
        REQUIRE(M <= MAX_OUTPUTS, "%s: %zu outputs", cases[k].name, M);
        for (size_t which = 0; layer->kind->reference_row != NULL && which <= layer->n_tensors;
             which++) {
            size_t N = layer_argument_size(layer, which);
            double *J = jacobian(&f, which), up[MAX_OUTPUTS], down[MAX_OUTPUTS], h = 1e-5;
            for (size_t j = 0; j < N; j++) {
                double *v = &f.argument[which][j], kept = *v;
                *v = kept + h;
                layer->kind->reference_forward(layer, (const double *const *)f.argument, up);
                *v = kept - h;
                layer->kind->reference_forward(layer, (const double *const *)f.argument, down);
                *v = kept;
                for (size_t i = 0; i < M; i++)
                    CHECK(fabs(J[i * N + j] - (up[i] - down[i]) / (2 * h)) < 1e-8,
                          "%s, argument %zu, entry %zu,%zu: %g against %g", cases[k].name, which, i,
                          j, J[i * N + j], (up[i] - down[i]) / (2 * h));
            }
        }
        arena_free(&f.arena);
    }
}

// NaN where nothing is written.
static void forward_agrees_with_the_reference(void)
{
    for (size_t k = 0; k < N_CASES; k++) {
        Fixture f;
        fixture_open(&f, &cases[k]);
        memset(f.y, 0xff, B * f.layer.out_stride * sizeof *f.y);
        forward(&f);
        for (size_t b = 0; b < B; b++) {
            double y[MAX_OUTPUTS];
            memset(y, 0xff, sizeof y);
            set_arguments(&f, b);
            cases[k].kind->reference_forward(&f.layer, (const double *const *)f.argument, y);
            for (size_t o = 0; o < shape_size(f.layer.out); o++)
                CHECK(fabs(y[o] - (double)f.y[y_place(&f, b, o)]) < 1e-5,
                      "%s, example %zu, output %zu: %g, reference %g", cases[k].name, b, o,
                      (double)f.y[y_place(&f, b, o)], y[o]);
            Shape out = f.layer.out;
            for (size_t p = 0; out.height * out.width > 1 && p < out.height * out.width; p++)
                for (size_t c = out.channels; c < f.layer.out_pitch; c++)
                    CHECK(f.y[y_place(&f, b, p) + c] == 0.0f, "%s: padding of pixel %zu",
                          cases[k].name, p);
        }
        arena_free(&f.arena);
    }
}

// The padding of dx may be anything: it meets weights of zero.
static void backward_with_a_unit_vector_is_a_row_of_the_jacobian(void)
{
    for (size_t k = 0; k < N_CASES; k++) {
        Fixture f;
        fixture_open(&f, &cases[k]);
        forward(&f);
        const Layer *layer = &f.layer;
        size_t I = shape_size(layer->in);
        for (size_t o = 0; layer->kind->backward != NULL && o < shape_size(layer->out); o++) {
            memset(f.dy, 0, B * layer->out_stride * sizeof *f.dy);
            for (size_t b = 0; b < B; b++)
                f.dy[y_place(&f, b, o)] = 1.0f;
            layer->kind->backward(layer, f.params, &f.view);
            for (size_t b = 0; b < B; b++) {
                set_arguments(&f, b);
                double *J = jacobian(&f, 0);
                for (size_t i = 0; i < I; i++)
                    CHECK(fabs(J[o * I + i] - (double)f.dx[x_place(&f, b, i)]) < 1e-6,
                          "%s, row %zu, column %zu: %g, not %g", cases[k].name, o, i,
                          (double)f.dx[x_place(&f, b, i)], J[o * I + i]);
            }
        }
        arena_free(&f.arena);
    }
}

static void of_equal_values_the_first_wins_a_pool(void)
{
    Fixture f;
    fixture_open(&f, case_named("max pooling, pixels left over"));
    const Layer *layer = &f.layer;
    for (size_t i = 0; i < B * layer->in_stride; i++)
        f.x[i] = 1.0f;
    for (size_t i = 0; i < B * layer->out_stride; i++)
        f.dy[i] = 1.0f;
    forward(&f);
    layer->kind->backward(layer, f.params, &f.view);
    set_arguments(&f, 1);
    size_t pixels = layer->out.height * layer->out.width;
    for (size_t o = 0; o < shape_size(layer->out); o++) {
        JacobianEntry entry;
        size_t row = o % pixels / layer->out.width * 2, column = o % layer->out.width * 2;
        size_t first = (o / pixels * layer->in.height + row) * layer->in.width + column;
        layer->kind->reference_row(layer, (const double *const *)f.argument, 0, o, &entry);
        CHECK(entry.col == first, "output %zu: %zu, not %zu", o, entry.col, first);
        CHECK(f.dx[x_place(&f, 1, first)] == 1.0f, "output %zu: dx is elsewhere", o);
    }
    arena_free(&f.arena);
}

// Where nobody needs dx there is none, and what weight_gradient needs is saved all the same.
static void backward_without_dx_gives_the_same_weight_gradient(void)
{
    for (size_t k = 0; k < N_CASES; k++) {
        if (cases[k].kind->backward == NULL || cases[k].kind->weight_gradient == NULL)
            continue;
        float *gradient[2];
        Fixture f;
        fixture_open(&f, &cases[k]);
        forward(&f);
        for (size_t i = 0; i < B * f.layer.out_stride; i++)
            f.dy[i] = (float)(i % 3);
        for (int without = 0; without < 2; without++) {
            gradient[without] = floats(&f, f.n_parameters);
            f.view.dx = without != 0 ? NULL : f.dx;
            memset(f.view.saved, 0, B * f.layer.saved_bytes);
            f.layer.kind->backward(&f.layer, f.params, &f.view);
            f.layer.kind->weight_gradient(&f.layer, &f.view, (Part){0, 1}, 1.0f, gradient[without]);
        }
        CHECK(memcmp(gradient[0], gradient[1], f.n_parameters * sizeof(float)) == 0, "%s",
              cases[k].name);
        arena_free(&f.arena);
    }
}

// dL/dvec(parameter) = sum over the batch of dy J, here with J in full; some of dy is zero.
static void weight_gradient_is_the_chain_with_full_jacobians(void)
{
    for (size_t k = 0; k < N_CASES; k++) {
        Fixture f;
        fixture_open(&f, &cases[k]);
        forward(&f);
        const Layer *layer = &f.layer;
        size_t O = shape_size(layer->out);
        for (size_t b = 0; b < B; b++)
            for (size_t o = 0; o < O; o++)
                f.dy[y_place(&f, b, o)] = (b + o) % 3 == 0 ? 0.0f : random_normal(1, 7, b * O + o);
        float *gradient = floats(&f, f.n_parameters);
        if (layer->kind->backward != NULL)
            layer->kind->backward(layer, f.params, &f.view);
        for (size_t part = 0; layer->n_tensors > 0 && part < 3; part++)
            layer->kind->weight_gradient(layer, &f.view, (Part){part, 3}, 2.0f, gradient);
        for (size_t t = 0; t < layer->n_tensors; t++) {
            size_t N = tensor_size(&layer->tensors[t]);
            double *chain = doubles(&f, N);
            for (size_t b = 0; b < B; b++) {
                set_arguments(&f, b);
                double *J = jacobian(&f, 1 + t);
                for (size_t o = 0; o < O; o++)
                    for (size_t j = 0; j < N; j++)
                        chain[j] += (double)f.dy[y_place(&f, b, o)] * J[o * N + j];
            }
            for (size_t j = 0; j < N; j++) {
                double found = (double)gradient[tensor_index(&layer->tensors[t], j)];
                CHECK(fabs(found - 2.0 * chain[j]) < 1e-4, "%s, %s, element %zu: %g, not %g",
                      cases[k].name, layer->tensors[t].name, j, found, 2.0 * chain[j]);
            }
        }
        arena_free(&f.arena);
    }
}

// The parameters that a part changes are those that part_ranges says, and each belongs to one part,
// biases to ranges of biases: they count double.
static void part_ranges_are_what_weight_gradient_changes(void)
{
    for (size_t k = 0; k < N_CASES; k++) {
        Fixture f;
        fixture_open(&f, &cases[k]);
        forward(&f);
        const Layer *layer = &f.layer;
        for (size_t i = 0; i < B * layer->out_stride; i++)
            f.dy[i] = 1.0f;
        if (layer->kind->backward != NULL)
            layer->kind->backward(layer, f.params, &f.view);
        float *owners = floats(&f, f.n_parameters);
        for (size_t part = 0; layer->n_tensors > 0 && part < 3; part++) {
            float *gradient = floats(&f, f.n_parameters);
            PartRange ranges[LAYER_MAX_RANGES];
            size_t n = layer->kind->part_ranges(layer, (Part){part, 3}, ranges);
            layer->kind->weight_gradient(layer, &f.view, (Part){part, 3}, 1.0f, gradient);
            for (size_t r = 0; r < n; r++)
                for (size_t i = ranges[r].range.first; i < ranges[r].range.end; i++) {
                    owners[i] += ranges[r].is_bias ? 2.0f : 1.0f;
                    gradient[i] = 0.0f;
                }
            for (size_t i = 0; i < f.n_parameters; i++)
                CHECK(gradient[i] == 0.0f, "%s, part %zu changed parameter %zu", cases[k].name,
                      part, i);
        }
        for (size_t t = 0; t < layer->n_tensors; t++)
            for (size_t e = 0; e < tensor_size(&layer->tensors[t]); e++)
                CHECK(fabsf(owners[tensor_index(&layer->tensors[t], e)] - (float)(t + 1)) < 0.5f,
                      "%s, %s, element %zu: %g, not once in a range of its kind", cases[k].name,
                      layer->tensors[t].name, e,
                      (double)owners[tensor_index(&layer->tensors[t], e)]);
        arena_free(&f.arena);
    }
}

// The region changes at a kink and nowhere else.
static void regions_end_at_kinks(void)
{
    for (size_t k = 0; k < N_CASES; k++) {
        Fixture f;
        fixture_open(&f, &cases[k]);
        set_arguments(&f, 0);
        const Layer *layer = &f.layer;
        double *x = f.argument[0];
        if (layer->kind->reference_region != NULL) {
            uint64_t region = layer->kind->reference_region(layer, x);
            x[1] += 1e-9;
            CHECK(layer->kind->reference_region(layer, x) == region, "%s: a step of 1e-9",
                  cases[k].name);
            x[1] =
                9.0; // one of the two is across the kink of ReLU, or changes the winner of a pool
            uint64_t high = layer->kind->reference_region(layer, x);
            x[1] = -9.0;
            uint64_t low = layer->kind->reference_region(layer, x);
            CHECK((high == region) != (low == region), "%s: a kink", cases[k].name);
        }
        arena_free(&f.arena);
    }
}

static void the_average_input_gives_zero_after_init(void)
{
    Fixture f;
    fixture_open(&f, case_named("dense"));
    f.layer.input_mean = 0.5;
    layer_dense.init(&f.layer, f.params, 1, 0);
    for (size_t i = 0; i < B * f.layer.in_stride; i++)
        f.x[i] = 0.5f;
    forward(&f);
    for (size_t o = 0; o < shape_size(f.layer.out); o++)
        CHECK(fabsf(f.y[o]) < 1e-6f, "output %zu is %g", o, (double)f.y[o]);
    arena_free(&f.arena);
}

// Not -0, which would be another model file.
static void biases_begin_at_0_where_the_inputs_have_no_mean(void)
{
    Fixture f;
    fixture_open(&f, case_named("dense"));
    float *params = floats(&f, f.n_parameters);
    layer_dense.init(&f.layer, params, 1, 0);
    for (size_t o = 0; o < shape_size(f.layer.out); o++) {
        float bias = params[tensor_index(&f.layer.tensors[1], o)];
        CHECK(bias == 0.0f && !signbit(bias), "bias %zu is %g", o, (double)bias);
    }
    arena_free(&f.arena);
}

// PyTorch's layout: (O,C,H,W) however the program keeps it, the last three one dimension of a dense
// layer.
static void tensors_are_in_the_order_of_the_file(void)
{
    Fixture f;
    size_t dims[TENSOR_MAX_DIMS];
    fixture_open(&f, case_named("dense on an image")); // (2,3,5), 4 outputs
    const Tensor *W = &f.layer.tensors[0];
    CHECK(tensor_file_shape(W, dims) == 2 && dims[0] == 4 && dims[1] == 30, "%zu,%zu", dims[0],
          dims[1]);
    size_t one = tensor_index(W, 0), next_column = tensor_index(W, 1),
           next_channel = tensor_index(W, 6);
    CHECK(next_column - one == 16 * 16 && next_channel - one == 16, "%zu %zu", next_column - one,
          next_channel - one);
    arena_free(&f.arena);
    fixture_open(&f, case_named("convolution")); // (4,6,3), 5 channels, 3 x 3 kernel
    W = &f.layer.tensors[0];
    CHECK(tensor_file_shape(W, dims) == 4 && dims[0] == 5 && dims[1] == 3 && dims[2] == 3 &&
              dims[3] == 3,
          "%zu,%zu,%zu,%zu", dims[0], dims[1], dims[2], dims[3]);
    CHECK(tensor_index(W, 9) - tensor_index(W, 0) == 1, "channels are not innermost");
    arena_free(&f.arena);
}

// Formulas that do not fit are cut; nothing is written beyond.
static void texts_are_cut_where_they_do_not_fit(void)
{
    static const char whole[] = "W3 x + 12 x 1 {$} = a1";
    static const char formula[] = "W$n $x + $O x $P {$$} = $y";
    Layer layer = {.symbol = "a1", .in_symbol = "x", .number = 3, .out = {1, 1, 12}};
    for (size_t size = 1; size <= sizeof whole; size++) {
        char text[sizeof whole + 1];
        memset(text, '#', sizeof text);
        layer_text(text, size, &layer, formula);
        CHECK(strlen(text) == size - 1 && strncmp(text, whole, size - 1) == 0 && text[size] == '#',
              "%zu bytes: %.*s", size, (int)sizeof text, text);
    }
}

int main(void)
{
    RUN(reference_jacobians_agree_with_central_differences);
    RUN(forward_agrees_with_the_reference);
    RUN(backward_with_a_unit_vector_is_a_row_of_the_jacobian);
    RUN(of_equal_values_the_first_wins_a_pool);
    RUN(backward_without_dx_gives_the_same_weight_gradient);
    RUN(weight_gradient_is_the_chain_with_full_jacobians);
    RUN(part_ranges_are_what_weight_gradient_changes);
    RUN(regions_end_at_kinks);
    RUN(the_average_input_gives_zero_after_init);
    RUN(biases_begin_at_0_where_the_inputs_have_no_mean);
    RUN(tensors_are_in_the_order_of_the_file);
    RUN(texts_are_cut_where_they_do_not_fit);
    return test_end();
}
