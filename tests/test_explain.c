// The chain of one weight against the reference and the training code, the counts of products
// against closed forms, and the diagnoses of a student's arrays: each mistake is made on purpose,
// by a backward pass of this file's own.
#include "diagnose.h"
#include "explain.h"
#include "synthetic.h"
#include "test.h"

#include <math.h>

enum { B = 5, SIDE = 16, PIXELS = SIDE * SIDE, CLASSES = 10, HIDDEN = 7 };

// A network of random parameters, and a batch for it.
typedef struct Fixture {
    Arena arena;
    Synthetic s;
    Network net;
    float *params;
    Batch batch;
    Reference ref;
    Examples examples;
    Arrays arrays;
} Fixture;

static void fixture_open(Fixture *f, const char *architecture, const char *activation,
                         const uint64_t hidden[MLP_MAX_SIZES])
{
    Error err = {""};
    *f = (Fixture){.params = NULL};
    f->s = synthetic_make(&f->arena, B, SIDE, CLASSES);
    Architecture a = synthetic_architecture(architecture, SIDE, SIDE, HIDDEN, CLASSES);
    a.activation = activation;
    memcpy(a.hidden, hidden, sizeof a.hidden);
    if (a.channels[0] > 0)
        a.channels[0] = 3, a.channels[1] = 4;
    if (!network_build(&f->net, &a, &err) ||
        (f->params = network_alloc(&f->net, &f->arena, &err)) == NULL)
        abort();
    network_init(&f->net, f->params, 3);
    for (size_t t = 0; t < f->net.n_tensors; t++) // else the biases would be 0
        for (size_t e = 0; f->net.tensors[t]->n_dims == 1 && e < tensor_size(f->net.tensors[t]);
             e++)
            f->params[tensor_index(f->net.tensors[t], e)] = 0.3f * random_normal(3, 90 + t, e);
    f->batch = synthetic_batch(&f->s, f->s.index, B);
    if (!reference_open(&f->ref, &f->net, f->params, &f->arena, &err) ||
        !examples_of_batch(&f->examples, &f->batch, &f->arena, &err) ||
        !arrays_open(&f->arrays, &f->net, B, &f->arena, &err))
        abort();
    arrays_compute(&f->arrays, &f->ref, &f->examples, NULL);
}

// Every kind of layer, every activation, one hidden layer and several.
static const struct {
    const char *architecture, *activation;
    uint64_t hidden[MLP_MAX_SIZES];
} networks[] = {{"mlp", "sigmoid", {HIDDEN}},    {"mlp", "relu", {HIDDEN}},
                {"mlp", "tanh", {6, 7, 7, 8}},   {"cnn", "relu", {HIDDEN}},
                {"cnn", "sigmoid", {HIDDEN, 5}}, {"lenet5", "tanh", {8, HIDDEN}}};
enum { N_NETWORKS = sizeof networks / sizeof networks[0] };

static void fixture_open_number(Fixture *f, size_t n)
{
    fixture_open(f, networks[n].architecture, networks[n].activation, networks[n].hidden);
}

// ---------------------------------------------------------------------------------------------
// One weight

// The reference with example 0 and its gradients.
static void load_first(Fixture *f)
{
    reference_load(&f->ref, &f->batch, 0);
    reference_reset(&f->ref);
    reference_loss_jacobian(&f->ref, f->ref.gradient[f->net.n_layers][0]);
    reference_backward(&f->ref, NULL);
}

static void the_chain_of_every_weight_is_its_gradient_in_all_four_ways(void)
{
    for (size_t n = 0; n < N_NETWORKS; n++) {
        Fixture f;
        fixture_open_number(&f, n);
        load_first(&f);
        Batch one = f.batch;
        one.size = 1;
        size_t differences = 0;
        for (size_t l = f.net.first_trained; l < f.net.n_layers; l++)
            for (size_t t = 0; t < f.net.layers[l].n_tensors; t++)
                for (size_t e = t; e < tensor_size(&f.net.layers[l].tensors[t]); e += 13) {
                    Arena own = {0};
                    Error err;
                    WeightChain c;
                    Weight w = {l, t, e};
                    REQUIRE(weight_explain(&c, &f.ref, &one, 0.25, w, &own, &err), "%s", err.text);
                    CHECK(fabs(c.value - c.reference) <= 1e-13 + 1e-11 * fabs(c.reference),
                          "network %zu, layer %zu, %zu: %g, not %g", n, l, e, c.value, c.reference);
                    CHECK(fabs(c.training - c.reference) <= 1e-5 * c.largest,
                          "network %zu, layer %zu, %zu: training %g, not %g", n, l, e, c.training,
                          c.reference);
                    CHECK(c.step == 0.0 || fabs(c.difference - c.reference) <= 1e-7,
                          "network %zu, layer %zu, %zu: differences %g, not %g", n, l, e,
                          c.difference, c.reference);
                    CHECK(fabs((double)c.after - ((double)c.before - 0.25 * c.training)) < 1e-6,
                          "network %zu: %g after %g", n, (double)c.after, (double)c.before);
                    differences += c.step > 0.0;
                    arena_free(&own);
                }
        CHECK(differences > 20, "network %zu: %zu differences", n, differences);
        arena_free(&f.arena);
    }
}

static void the_default_weight_has_the_largest_gradient(void)
{
    for (size_t n = 0; n < N_NETWORKS; n++) {
        Fixture f;
        fixture_open_number(&f, n);
        load_first(&f);
        Weight w = weight_of_largest_gradient(&f.ref);
        double largest = fabs(f.ref.gradient[w.l][1 + w.t][w.e]);
        CHECK(w.t == 0 && largest > 0.0, "network %zu: tensor %zu, %g", n, w.t, largest);
        for (size_t l = f.net.first_trained; l < f.net.n_layers; l++)
            for (size_t e = 0;
                 f.net.layers[l].n_tensors > 0 && e < tensor_size(&f.net.layers[l].tensors[0]); e++)
                CHECK(fabs(f.ref.gradient[l][1][e]) <= largest, "network %zu: %zu", n, e);
        arena_free(&f.arena);
    }
}

static void a_weight_is_found_by_name_and_indices(void)
{
    static const char *const wrong[] = {
        "",
        "fc1.weight",
        "fc1.weight[]",
        "fc1.weight[7]",
        "fc1.weight[7,0]",
        "fc1.weight[6,256]",
        "fc1.weight[6,255",
        "fc1.weight[6,255]x",
        "fc1.weight[6,255,0]",
        "fc1.weight[-1,0]",
        "fc1.weight[6, 255]",
        "fc1.weight[18446744073709551622,0]",
        "fc1.weight[99999999999999999999999999999999999999999999999999999999999999999999,0]",
        "fc1.bias[7]",
        "fc1.bias[0,0]",
        "fc3.weight[0,0]",
        "fc1[0,0]",
        "[0]"};
    Fixture f;
    Error err;
    Weight w;
    char text[64];
    fixture_open_number(&f, 0);
    REQUIRE(weight_find(&w, &f.net, "fc1.weight[6,255]", &err), "%s", err.text);
    CHECK(w.l == 0 && w.t == 0 && w.e == 7 * PIXELS - 1, "%zu, %zu, %zu", w.l, w.t, w.e);
    REQUIRE(weight_find(&w, &f.net, "fc2.bias[9]", &err), "%s", err.text);
    CHECK(w.l == 2 && w.t == 1 && w.e == 9, "%zu, %zu, %zu", w.l, w.t, w.e);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(!weight_find(&w, &f.net, wrong[i], &err), "'%s' was accepted", wrong[i]);
    arena_free(&f.arena);
    fixture_open_number(&f, 3);
    REQUIRE(weight_find(&w, &f.net, "conv2.weight[3,1,4,2]", &err), "%s", err.text);
    CHECK(w.e == ((3 * 3 + 1) * 5 + 4) * 5 + 2, "%zu", w.e);
    weight_index_text(text, sizeof text, &f.net.layers[w.l].tensors[0], w.e);
    CHECK(strcmp(text, "[3,1,4,2]") == 0, "%s", text);
    CHECK(!weight_find(&w, &f.net, "conv2.weight[3,3,0,0]", &err), "accepted");
    arena_free(&f.arena);
}

// ---------------------------------------------------------------------------------------------
// Products

static void products_are_counted_as_the_shapes_say(void)
{
    Fixture f;
    fixture_open_number(&f, 2); // 256-6-7-7-8-10
    load_first(&f);
    ChainProducts p = chain_products(&f.ref);
    double W = 6 * PIXELS;
    CHECK(p.left == 10 * 8 + 8 * 8 + 8 * 7 + 7 * 7 + 7 * 7 + 7 * 7 + 7 * 6 + 6 * 6 + 6 * W, "%g",
          p.left);
    CHECK(p.right == W * (6 * 6 + 7 * 6 + 7 * 7 + 7 * 7 + 7 * 7 + 8 * 7 + 8 * 8 + 10 * 8 + 1 * 10),
          "%g", p.right);
    size_t lit = 0;
    for (size_t i = 0; i < PIXELS; i++)
        lit += f.examples.x[i] != 0.0;
    CHECK(p.nonzero == (double)(10 * 8 + 8 + 8 * 7 + 7 + 7 * 7 + 7 + 7 * 6 + 6 + 6 * lit), "%g",
          p.nonzero);
    arena_free(&f.arena);
}

// Pixels need no gradient: the first layer's Jacobian over them would be the largest of all.
static void the_chain_ends_at_the_first_layer_with_parameters(void)
{
    for (size_t n = 0; n < N_NETWORKS; n++) {
        Fixture f;
        fixture_open_number(&f, n);
        load_first(&f);
        for (size_t l = 0; l < f.net.n_layers; l++) {
            size_t nonzero = 0;
            for (size_t i = 0; i < shape_size(f.net.layers[l].in); i++)
                nonzero += f.ref.gradient[l][0][i] != 0.0;
            CHECK((nonzero > 0) == (l > f.net.first_trained), "network %zu, layer %zu: %zu", n, l,
                  nonzero);
        }
        arena_free(&f.arena);
    }
}

// The sum of squares of the gradients of all arguments and of the tensors alone.
static void sum_of_squares(const Fixture *f, double sum[2])
{
    sum[0] = sum[1] = 0.0;
    for (size_t l = 0; l < f->net.n_layers; l++)
        for (size_t which = 0; which <= f->net.layers[l].n_tensors; which++)
            for (size_t i = 0; i < layer_argument_size(&f->net.layers[l], which); i++)
                sum[which > 0] += pow(f->ref.gradient[l][which][i], 2.0);
}

// Gradients of tensors are added to, those of inputs begin anew.
static void a_second_example_adds_to_the_gradients_of_tensors_alone(void)
{
    for (size_t n = 0; n < N_NETWORKS; n++) {
        Fixture f;
        double once[2], twice[2], again[2];
        fixture_open_number(&f, n);
        load_first(&f);
        sum_of_squares(&f, once);
        reference_backward(&f.ref, NULL);
        sum_of_squares(&f, twice);
        CHECK(twice[0] == once[0] && fabs(twice[1] / once[1] - 4.0) < 1e-12,
              "network %zu: %g and %g, then %g and %g", n, once[0], once[1], twice[0], twice[1]);
        load_first(&f);
        sum_of_squares(&f, again);
        CHECK(again[0] == once[0] && again[1] == once[1], "network %zu: %g and %g, then %g and %g",
              n, once[0], once[1], again[0], again[1]);
        arena_free(&f.arena);
    }
}

// A column at a time, from the entries of reference_backward with unit vectors.
static void nonzeros_are_those_of_the_whole_jacobian(void)
{
    for (size_t n = 0; n < N_NETWORKS; n++) {
        Fixture f;
        fixture_open_number(&f, n);
        load_first(&f);
        for (size_t l = f.net.first_trained + 1; l < f.net.n_layers; l++) {
            const Layer *layer = &f.net.layers[l];
            size_t I = shape_size(layer->in), count = 0;
            double *unit = calloc(I, sizeof *unit),
                   *column = calloc(shape_size(layer->out), sizeof *column);
            for (size_t i = 0; i < I; i++) {
                unit[i] = 1.0;
                reference_times(&f.ref, l, unit, column);
                unit[i] = 0.0;
                for (size_t o = 0; o < shape_size(layer->out); o++)
                    count += column[o] != 0.0;
            }
            size_t found = reference_nonzeros(&f.ref, l, 0);
            CHECK(found == count, "network %zu, layer %zu: %zu, not %zu", n, l, found, count);
            free(unit);
            free(column);
        }
        arena_free(&f.arena);
    }
}

// ---------------------------------------------------------------------------------------------
// A student's passes for one hidden layer of sigmoids, with a mistake

typedef enum Blunder {
    NONE,
    NO_FACTOR,
    NO_LABEL,
    LABEL_OFF_BY_ONE,
    NO_BIAS_1,
    NO_BIAS_2,
    MEAN,
    SIGN,
    N_BLUNDERS
} Blunder;

typedef struct Student {
    double a1[B * HIDDEN], f1[B * HIDDEN], a2[B * CLASSES], yhat[B * CLASSES], L[B];
    double delta_a2[B * CLASSES], delta_f1[B * HIDDEN], delta_a1[B * HIDDEN];
    double W2_grad[CLASSES * HIDDEN], b2_grad[CLASSES], W1_grad[HIDDEN * PIXELS], b1_grad[HIDDEN];
} Student;

static const double *array_at(const Fixture *f, const char *name, size_t *i)
{
    for (*i = 0; *i < f->arrays.n; ++*i)
        if (strcmp(f->arrays.list[*i].name, name) == 0)
            return f->arrays.list[*i].at;
    printf("no array %s\n", name);
    abort();
}

static void student_forward(Student *s, const Fixture *f, Blunder blunder)
{
    size_t i;
    const double *W1 = array_at(f, "fc1.weight", &i), *b1 = array_at(f, "fc1.bias", &i);
    const double *W2 = array_at(f, "fc2.weight", &i), *b2 = array_at(f, "fc2.bias", &i);
    for (size_t e = 0; e < B; e++) {
        const double *x = f->examples.x + e * PIXELS;
        double sum = 0.0;
        for (size_t h = 0; h < HIDDEN; h++) {
            double a = blunder == NO_BIAS_1 ? 0.0 : b1[h];
            for (size_t p = 0; p < PIXELS; p++)
                a += W1[h * PIXELS + p] * x[p];
            s->a1[e * HIDDEN + h] = a;
            s->f1[e * HIDDEN + h] = 1.0 / (1.0 + exp(-a));
        }
        for (size_t k = 0; k < CLASSES; k++) {
            double a = blunder == NO_BIAS_2 ? 0.0 : b2[k];
            for (size_t h = 0; h < HIDDEN; h++)
                a += W2[k * HIDDEN + h] * s->f1[e * HIDDEN + h];
            s->a2[e * CLASSES + k] = a;
            sum += exp(a);
        }
        for (size_t k = 0; k < CLASSES; k++)
            s->yhat[e * CLASSES + k] = exp(s->a2[e * CLASSES + k]) / sum;
        s->L[e] = -log(s->yhat[e * CLASSES + f->examples.label[e]]);
    }
}

static void student_backward(Student *s, const Fixture *f, Blunder blunder)
{
    size_t i;
    const double *W2 = array_at(f, "fc2.weight", &i);
    double scale = blunder == MEAN ? 1.0 / B : blunder == SIGN ? -1.0 : 1.0;
    for (size_t e = 0; e < B; e++) {
        size_t label = f->examples.label[e];
        double *d2 = s->delta_a2 + e * CLASSES;
        for (size_t k = 0; k < CLASSES; k++)
            d2[k] = s->yhat[e * CLASSES + k];
        if (blunder != NO_LABEL)
            d2[blunder == LABEL_OFF_BY_ONE ? (label + 1) % CLASSES : label] -= 1.0;
        for (size_t k = 0; k < CLASSES; k++) {
            d2[k] *= blunder == SIGN ? -1.0 : 1.0;
            s->b2_grad[k] += d2[k] * fabs(scale);
            for (size_t h = 0; h < HIDDEN; h++)
                s->W2_grad[k * HIDDEN + h] += d2[k] * s->f1[e * HIDDEN + h] * fabs(scale);
        }
        for (size_t h = 0; h < HIDDEN; h++) {
            double d = 0.0, y = s->f1[e * HIDDEN + h];
            for (size_t k = 0; k < CLASSES; k++)
                d += d2[k] * W2[k * HIDDEN + h];
            s->delta_f1[e * HIDDEN + h] = d;
            d *= blunder == NO_FACTOR ? 1.0 : y * (1.0 - y);
            s->delta_a1[e * HIDDEN + h] = d;
            s->b1_grad[h] += d * fabs(scale);
            for (size_t p = 0; p < PIXELS; p++)
                s->W1_grad[h * PIXELS + p] += d * f->examples.x[e * PIXELS + p] * fabs(scale);
        }
    }
}

static void give(const Fixture *f, Matrix given[ARRAYS_MAX], const char *name, double *values)
{
    size_t i;
    array_at(f, name, &i);
    given[i] = (Matrix){f->arrays.list[i].rows, f->arrays.list[i].cols, values};
}

static void give_all(const Fixture *f, Student *s, Matrix given[ARRAYS_MAX])
{
    memset(given, 0, ARRAYS_MAX * sizeof *given);
    give(f, given, "a1", s->a1);
    give(f, given, "f1", s->f1);
    give(f, given, "a2", s->a2);
    give(f, given, "yhat", s->yhat);
    give(f, given, "L", s->L);
    give(f, given, "delta_a2", s->delta_a2);
    give(f, given, "delta_f1", s->delta_f1);
    give(f, given, "delta_a1", s->delta_a1);
    give(f, given, "fc2.weight.grad", s->W2_grad);
    give(f, given, "fc2.bias.grad", s->b2_grad);
    give(f, given, "fc1.weight.grad", s->W1_grad);
    give(f, given, "fc1.bias.grad", s->b1_grad);
}

static void diagnose(Fixture *f, const Matrix given[ARRAYS_MAX], Verdict verdicts[ARRAYS_MAX])
{
    Error err;
    if (!arrays_diagnose(verdicts, &f->arrays, given, &f->ref, &f->examples, &f->arena, &err))
        abort();
}

// What each mistake is called, and the arrays that it does not change.
static void every_blunder_is_named_in_every_array_that_it_changes(void)
{
    static const struct {
        const char *what, *unchanged;
    } expected[N_BLUNDERS] = {
        [NONE] = {"", "all"},
        [NO_FACTOR] = {"the factor f1 * (1 - f1) is missing (df1/da1)",
                       " a1 f1 a2 yhat L delta_a2 delta_f1 fc2.weight.grad fc2.bias.grad "},
        [NO_LABEL] = {"y is not subtracted: yhat instead of yhat - y", " a1 f1 a2 yhat L "},
        [LABEL_OFF_BY_ONE] = {"off by one index: y is subtracted at a neighbour of the label",
                              " a1 f1 a2 yhat L "},
        [NO_BIAS_1] = {"the bias b1 is forgotten", " "},
        [NO_BIAS_2] = {"the bias b2 is forgotten", " a1 f1 "},
        [MEAN] = {"mean over the 5 images instead of the sum",
                  " a1 f1 a2 yhat L delta_a2 delta_f1 delta_a1 "},
        [SIGN] = {"wrong sign", " a1 f1 a2 yhat L "},
    };
    for (Blunder blunder = NONE; blunder < N_BLUNDERS; blunder++) {
        Fixture f;
        fixture_open_number(&f, 0);
        Student *s = calloc(1, sizeof *s);
        Matrix given[ARRAYS_MAX];
        Verdict verdicts[ARRAYS_MAX];
        student_forward(s, &f, blunder);
        student_backward(s, &f, blunder);
        give_all(&f, s, given);
        diagnose(&f, given, verdicts);
        for (size_t i = 0; i < f.arrays.n; i++) {
            char name[64];
            snprintf(name, sizeof name, " %s ", f.arrays.list[i].name);
            bool agrees = blunder == NONE || strstr(expected[blunder].unchanged, name) != NULL;
            if (given[i].at == NULL)
                continue;
            CHECK(verdicts[i].agrees == agrees, "blunder %u,%s: error %g, '%s'", blunder, name,
                  verdicts[i].error, verdicts[i].what);
            CHECK(agrees || strcmp(verdicts[i].what, expected[blunder].what) == 0,
                  "blunder %u,%s: '%s'", blunder, name, verdicts[i].what);
        }
        free(s);
        arena_free(&f.arena);
    }
}

// ---------------------------------------------------------------------------------------------
// Mistakes that can be made in one array of any network

// A copy with another shape, read through a function of the indices.
typedef double Change(const NamedArray *array, size_t row, size_t col);

static double as_it_is(const NamedArray *a, size_t row, size_t col)
{
    return a->at[row * a->cols + col];
}
static double turned(const NamedArray *a, size_t row, size_t col)
{
    return a->at[col * a->cols + row];
}
static double negative(const NamedArray *a, size_t row, size_t col)
{
    return -as_it_is(a, row, col);
}
static double turned_negative(const NamedArray *a, size_t row, size_t col)
{
    return -turned(a, row, col);
}
static double mean(const NamedArray *a, size_t row, size_t col)
{
    return as_it_is(a, row, col) / B;
}
static double summed_twice(const NamedArray *a, size_t row, size_t col)
{
    return as_it_is(a, row, col) * B;
}
static double column_too_far(const NamedArray *a, size_t row, size_t col)
{
    return col + 1 < a->cols ? as_it_is(a, row, col + 1) : 0.5;
}
static double column_before(const NamedArray *a, size_t row, size_t col)
{
    return as_it_is(a, row, (col + a->cols - 1) % a->cols);
}
static double row_too_far(const NamedArray *a, size_t row, size_t col)
{
    return as_it_is(a, (row + 1) % a->rows, col);
}
static double zero(const NamedArray *a, size_t row, size_t col)
{
    (void)a, (void)row, (void)col;
    return 0.0;
}
static double half(const NamedArray *a, size_t row, size_t col)
{
    return 0.5 * as_it_is(a, row, col);
}
static double one_is_wrong(const NamedArray *a, size_t row, size_t col)
{
    return as_it_is(a, row, col) + (row == 1 && col == 2 ? 0.5 : 0.0);
}
static double in_single(const NamedArray *a, size_t row, size_t col)
{
    return (double)(float)as_it_is(a, row, col);
}

static const struct {
    Change *change;
    bool is_turned;
    const char *what; // NULL: it agrees
} changes[] = {{as_it_is, false, NULL},
               {in_single, false, NULL},
               {turned, true, "transposed"},
               {turned_negative, true, "transposed; wrong sign"},
               {negative, false, "wrong sign"},
               {mean, false, "mean over the 5 images instead of the sum"},
               {summed_twice, false, "5 times too large, as if summed twice over the images"},
               {column_too_far, false, "off by one index: column j has what belongs to column j+1"},
               {column_before, false, "off by one index: column j has what belongs to column j-1"},
               {row_too_far, false, "off by one index: row i has what belongs to row i+1"},
               {zero, false, "it is all zero"},
               {half, false, "0.5 times what is expected"},
               {one_is_wrong, false, ""}};

static void changed_arrays_of_every_network_are_diagnosed(void)
{
    for (size_t n = 0; n < N_NETWORKS; n++)
        for (size_t c = 0; c < sizeof changes / sizeof changes[0]; c++) {
            Fixture f;
            fixture_open_number(&f, n);
            Matrix given[ARRAYS_MAX] = {{0}};
            Verdict verdicts[ARRAYS_MAX];
            for (size_t i = 0; i < f.arrays.n; i++) {
                const NamedArray *a = &f.arrays.list[i];
                if (a->kind != ARRAY_GRADIENT || a->cols == 1) // square ones are among them
                    continue;
                size_t rows = changes[c].is_turned ? a->cols : a->rows;
                size_t cols = changes[c].is_turned ? a->rows : a->cols;
                double *at = malloc(rows * cols * sizeof *at);
                for (size_t r = 0; r < rows; r++)
                    for (size_t k = 0; k < cols; k++)
                        at[r * cols + k] = changes[c].change(a, r, k);
                given[i] = (Matrix){rows, cols, at};
            }
            diagnose(&f, given, verdicts);
            for (size_t i = 0; i < f.arrays.n; i++) {
                if (given[i].at == NULL)
                    continue;
                CHECK(verdicts[i].agrees == (changes[c].what == NULL),
                      "network %zu, %s, change %zu", n, f.arrays.list[i].name, c);
                CHECK(changes[c].what == NULL || strcmp(verdicts[i].what, changes[c].what) == 0,
                      "network %zu, %s, change %zu: '%s'", n, f.arrays.list[i].name, c,
                      verdicts[i].what);
                free((void *)given[i].at);
            }
            arena_free(&f.arena);
        }
}

// Every activation of a deep network: what leaving out its derivative gives, made by running the
// right network on deltas that skip it, is named after that layer.
static void a_missing_derivative_is_named_by_its_layer(void)
{
    for (size_t n = 0; n < N_NETWORKS; n++) {
        Fixture f;
        fixture_open_number(&f, n);
        for (size_t i = 0; i + 1 < f.arrays.n; i++) {
            // delta_f1 given for delta_a1: the arrays of one layer are neighbours of these.
            const NamedArray *above = &f.arrays.list[i];
            size_t below = i + 1;
            if (above->kind != ARRAY_DELTA || !f.net.layers[above->l - 1].kind->is_activation)
                continue;
            Matrix given[ARRAYS_MAX] = {{0}};
            Verdict verdicts[ARRAYS_MAX];
            const Layer *layer = &f.net.layers[above->l - 1];
            char wanted[96];
            double *copy = malloc(above->rows * above->cols * sizeof *copy);
            memcpy(copy, above->at, above->rows * above->cols * sizeof *copy);
            given[below] = (Matrix){above->rows, above->cols, copy};
            diagnose(&f, given, verdicts);
            snprintf(wanted, sizeof wanted, "is missing (d%s/d%s)", layer->symbol,
                     layer->in_symbol);
            CHECK(!verdicts[below].agrees && strstr(verdicts[below].what, wanted) != NULL,
                  "network %zu, %s for %s: '%s'", n, above->name, f.arrays.list[below].name,
                  verdicts[below].what);
            free(copy);
        }
        arena_free(&f.arena);
    }
}

static void a_vector_may_be_a_row_or_a_column_and_other_shapes_are_named(void)
{
    Fixture f;
    fixture_open_number(&f, 0);
    Matrix given[ARRAYS_MAX] = {{0}};
    Verdict verdicts[ARRAYS_MAX];
    size_t bias, weight;
    double copy[CLASSES], *W = calloc(HIDDEN * PIXELS, sizeof *W);
    memcpy(copy, array_at(&f, "fc2.bias.grad", &bias), sizeof copy);
    array_at(&f, "fc1.weight.grad", &weight);
    given[bias] = (Matrix){1, CLASSES, copy};
    given[weight] = (Matrix){1, HIDDEN * PIXELS, W};
    diagnose(&f, given, verdicts);
    CHECK(verdicts[bias].agrees, "error %g", verdicts[bias].error);
    CHECK(!verdicts[weight].agrees && isnan(verdicts[weight].error) &&
              strcmp(verdicts[weight].what, "its shape is 1x1792, expected is 7x256") == 0,
          "'%s'", verdicts[weight].what);
    free(W);
    arena_free(&f.arena);
}

// Where yhat is almost y, single precision has lost digits of yhat - y: that is allowed, an error
// of two percent is not.
static void rounding_of_a_sure_answer_is_allowed_and_no_more(void)
{
    Fixture f;
    fixture_open_number(&f, 0);
    const Tensor *b2 = f.net.tensors[3];
    f.examples.n = 1;
    f.params[tensor_index(b2, f.examples.label[0])] += 13.0f;
    reference_reset(&f.ref);
    Error err;
    if (!arrays_open(&f.arrays, &f.net, 1, &f.arena, &err))
        abort();
    arrays_compute(&f.arrays, &f.ref, &f.examples, NULL);
    for (int wrong = 0; wrong < 2; wrong++) {
        Matrix given[ARRAYS_MAX] = {{0}};
        Verdict verdicts[ARRAYS_MAX];
        size_t delta, yhat;
        double copy[CLASSES];
        const double *p = array_at(&f, "yhat", &yhat);
        array_at(&f, "delta_a2", &delta);
        for (size_t k = 0; k < CLASSES; k++) {
            float y = k == f.examples.label[0];
            copy[k] = (double)((float)p[k] - y) * (wrong ? 1.02 : 1.0);
        }
        given[delta] = (Matrix){1, CLASSES, copy};
        diagnose(&f, given, verdicts);
        CHECK(verdicts[delta].agrees == !wrong, "error %g", verdicts[delta].error);
        CHECK(verdicts[delta].error > DIAGNOSE_LIMIT, "error %g: nothing was lost",
              verdicts[delta].error);
    }
    arena_free(&f.arena);
}

static void infinity_is_no_agreement(void)
{
    Fixture f;
    fixture_open_number(&f, 0);
    Matrix given[ARRAYS_MAX] = {{0}};
    Verdict verdicts[ARRAYS_MAX];
    Student *s = calloc(1, sizeof *s);
    f.params[tensor_index(f.net.tensors[3], 0)] = INFINITY;
    reference_reset(&f.ref);
    give_all(&f, s, given);
    diagnose(&f, given, verdicts);
    for (size_t i = 0; i < f.arrays.n; i++)
        CHECK(given[i].at == NULL || !verdicts[i].agrees, "%s agrees", f.arrays.list[i].name);
    free(s);
    arena_free(&f.arena);
}

int main(void)
{
    RUN(the_chain_of_every_weight_is_its_gradient_in_all_four_ways);
    RUN(the_default_weight_has_the_largest_gradient);
    RUN(a_weight_is_found_by_name_and_indices);
    RUN(products_are_counted_as_the_shapes_say);
    RUN(the_chain_ends_at_the_first_layer_with_parameters);
    RUN(a_second_example_adds_to_the_gradients_of_tensors_alone);
    RUN(nonzeros_are_those_of_the_whole_jacobian);
    RUN(every_blunder_is_named_in_every_array_that_it_changes);
    RUN(changed_arrays_of_every_network_are_diagnosed);
    RUN(a_missing_derivative_is_named_by_its_layer);
    RUN(a_vector_may_be_a_row_or_a_column_and_other_shapes_are_named);
    RUN(rounding_of_a_sure_answer_is_allowed_and_no_more);
    RUN(infinity_is_no_agreement);
    return test_end();
}
