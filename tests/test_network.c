// The passes over a whole network, and the check of its gradients: it must accept what is right and
// catch every derivative that is broken.
#include "gradcheck.h"
#include "kernels.h"
#include "sparse_input.h"
#include "synthetic.h"
#include "test.h"

#include <math.h>

enum { SIDE = 7, CLASSES = 4, HIDDEN = 5, EXAMPLES = 6 };

// A network, its data and a workspace.
typedef struct Fixture {
    Arena arena;
    Synthetic s;
    Network net;
    float *params;
    Work work;
} Fixture;

static void fixture_open(Fixture *f, size_t classes)
{
    Error err;
    *f = (Fixture){.params = NULL};
    f->s = synthetic_make(&f->arena, EXAMPLES, SIDE, classes);
    synthetic_network(&f->net, &f->params, &f->s, HIDDEN, 3, &f->arena);
    if (!work_alloc(&f->work, &f->net, (WorkNeeds){.capacity = EXAMPLES}, &f->arena, &err))
        abort();
}

static void pass(Fixture *f, const Batch *batch, float *gradient)
{
    Range all = {0, batch->size};
    network_predict(&f->net, f->params, &f->work, batch);
    network_backward(&f->net, f->params, &f->work, batch, all);
    network_weight_gradient(&f->net, &f->work, batch, 1.0f, gradient, (Part){0, 1});
}

static float *zeroed_gradient(Fixture *f)
{
    Error err;
    float *gradient = network_alloc(&f->net, &f->arena, &err);
    if (gradient == NULL)
        abort();
    return gradient;
}

static void the_initial_loss_is_near_ln_10(void)
{
    Fixture f;
    fixture_open(&f, 10);
    Batch batch = synthetic_batch(&f.s, f.s.index, EXAMPLES);
    pass(&f, &batch, zeroed_gradient(&f));
    double loss = 0.0;
    for (size_t b = 0; b < EXAMPLES; b++)
        loss += (double)f.work.loss[b] / EXAMPLES;
    CHECK(fabs(loss - log(10.0)) < 0.5, "loss %g", loss);
    arena_free(&f.arena);
}

static void the_gradient_of_a_batch_is_the_sum_of_its_examples(void)
{
    Fixture f;
    fixture_open(&f, CLASSES);
    float *together = zeroed_gradient(&f), *apart = zeroed_gradient(&f);
    Batch batch = synthetic_batch(&f.s, f.s.index, EXAMPLES);
    pass(&f, &batch, together);
    for (size_t b = 0; b < EXAMPLES; b++) {
        Batch one = synthetic_batch(&f.s, f.s.index + b, 1);
        pass(&f, &one, apart);
    }
    float largest = 0.0f;
    for (size_t i = 0; i < f.net.n_parameters; i++) {
        largest = fmaxf(largest, fabsf(together[i]));
        CHECK(fabsf(together[i] - apart[i]) < 1e-5f, "parameter %zu: %g against %g", i,
              (double)together[i], (double)apart[i]);
    }
    CHECK(largest > 0.1f, "largest %g: nothing was compared", (double)largest);
    arena_free(&f.arena);
}

// Clears what belongs to a parameter: nothing else may be left.
static void check_padding(const Network *net, float *gradient)
{
    for (size_t t = 0; t < net->n_tensors; t++)
        for (size_t e = 0; e < tensor_size(net->tensors[t]); e++)
            gradient[tensor_index(net->tensors[t], e)] = 0.0f;
    for (size_t i = 0; i < net->n_parameters; i++)
        CHECK(gradient[i] == 0.0f, "padding %zu has the gradient %g", i, (double)gradient[i]);
}

static void the_padding_of_parameters_has_no_gradient(void)
{
    Fixture f;
    fixture_open(&f, CLASSES);
    float *gradient = zeroed_gradient(&f);
    Batch batch = synthetic_batch(&f.s, f.s.index, EXAMPLES);
    pass(&f, &batch, gradient);
    check_padding(&f.net, gradient);
    arena_free(&f.arena);
}

static void parts_and_examples_may_be_done_in_any_order(void)
{
    Fixture f;
    fixture_open(&f, CLASSES);
    float *forward = zeroed_gradient(&f), *shuffled = zeroed_gradient(&f);
    Batch batch = synthetic_batch(&f.s, f.s.index, EXAMPLES);
    pass(&f, &batch, forward);

    const Range parts[] = {{4, EXAMPLES}, {0, 1}, {1, 4}};
    for (size_t part = 3; part-- > 0;)
        network_load(&f.net, f.params, &f.work, &batch, (Part){part, 3});
    for (size_t p = 0; p < 3; p++) {
        network_forward(&f.net, f.params, &f.work, &batch, parts[p]);
        network_loss(&f.net, &f.work, &batch, parts[p]);
        network_backward(&f.net, f.params, &f.work, &batch, parts[p]);
    }
    for (size_t part = 7; part-- > 0;)
        network_weight_gradient(&f.net, &f.work, &batch, 1.0f, shuffled, (Part){part, 7});
    CHECK(memcmp(forward, shuffled, f.net.n_parameters * sizeof *forward) == 0, "the bytes differ");
    arena_free(&f.arena);
}

// Images whose sides leave pixels over at both poolings of the cnn, and more examples than pass
// through its layers at a time.
enum { CNN_SIDE = 17, CNN_EXAMPLES = 19 };

static void fixture_open_architecture(Fixture *f, const char *name)
{
    Error err;
    *f = (Fixture){.params = NULL};
    f->s = synthetic_make(&f->arena, CNN_EXAMPLES, CNN_SIDE, CLASSES);
    Architecture architecture = synthetic_architecture(name, CNN_SIDE, CNN_SIDE, HIDDEN, CLASSES);
    if (!network_build(&f->net, &architecture, &err) ||
        (f->params = network_alloc(&f->net, &f->arena, &err)) == NULL ||
        !work_alloc(&f->work, &f->net, (WorkNeeds){.capacity = CNN_EXAMPLES}, &f->arena, &err))
        abort();
    network_init(&f->net, f->params, 3);
}

// The gradient of all examples of images of one side, with or without prepared images, in n_parts.
typedef struct Passes {
    Arena arena;
    Synthetic s;
    Network net;
    float *params, *gradient;
    const PreparedImages *images;
    Work work;
} Passes;

enum { MANY = 150 }; // examples: three groups of columns, the last one not full

static void passes_open(Passes *p, size_t side)
{
    Error err;
    *p = (Passes){.params = NULL};
    p->s = synthetic_make(&p->arena, MANY, side, CLASSES);
    synthetic_network(&p->net, &p->params, &p->s, 70, 3, &p->arena);
    for (uint32_t i = 0; i < MANY; i++)
        p->s.index[i] = i * 7 % MANY;
    p->gradient = network_alloc(&p->net, &p->arena, &err);
    if (p->gradient == NULL || !network_prepare(&p->net, &p->images, &p->s.data, &p->arena, &err) ||
        !work_alloc(&p->work, &p->net, (WorkNeeds){.capacity = MANY}, &p->arena, &err))
        abort();
    REQUIRE(p->images != NULL, "%zu pixels a side: nothing was prepared", side);
}

static void passes_run(Passes *p, bool is_prepared, size_t n_parts)
{
    const Range all = {0, MANY};
    const Work *work = &p->work;
    Batch batch = synthetic_batch(&p->s, p->s.index, MANY);
    Batch before = {.data = &p->s.data, .scale = &p->s.scale, .size = MANY};
    batch.prepared = is_prepared ? p->images : NULL;
    network_load(&p->net, p->params, work, &before, (Part){0, 1}); // must leave no trace
    memset(p->gradient, 0, p->net.n_parameters * sizeof *p->gradient);
    const Layer *first = &p->net.layers[0]; // NaN where nothing is written
    memset(work->x[1].data, 0xff, MANY * work->x[1].stride);
    memset(work->saved[0].data, 0xff, MANY * first->saved_bytes);
    for (size_t part = n_parts; part-- > 0;)
        network_load(&p->net, p->params, work, &batch, (Part){part, n_parts});
    network_forward(&p->net, p->params, work, &batch, all);
    network_loss(&p->net, work, &batch, all);
    network_backward(&p->net, p->params, work, &batch, all);
    for (size_t part = n_parts; part-- > 0;)
        network_weight_gradient(&p->net, work, &batch, 1.0f, p->gradient, (Part){part, n_parts});
}

// 40 x 40 pixels are more than a chunk per block; 2 x 2 are fewer than a pixel per block.
static void prepared_images_parts_and_sets_change_no_bit(void)
{
    const size_t sides[] = {2, 7, 28, 40}, parts[] = {1, 2, 3, 8, 11};
    const Kernels *before = kernels;
    for (size_t i = 0; i < 4; i++) {
        Passes p;
        passes_open(&p, sides[i]);
        float loss[MANY], *gradient = network_alloc(&p.net, &p.arena, &(Error){""});
        if (gradient == NULL)
            abort();
        kernels = kernels_available(0);
        passes_run(&p, false, 1);
        memcpy(gradient, p.gradient, p.net.n_parameters * sizeof *gradient);
        memcpy(loss, p.work.loss, sizeof loss);
        for (size_t set = 0; kernels_available(set) != NULL; set++)
            for (size_t n = 0; n < 10; n++) {
                kernels = kernels_available(set);
                passes_run(&p, n % 2 == 1, parts[n / 2]);
                CHECK(memcmp(gradient, p.gradient, p.net.n_parameters * sizeof *gradient) == 0 &&
                          memcmp(loss, p.work.loss, sizeof loss) == 0,
                      "%s: %zu pixels a side, %zu parts, prepared: %zu", kernels->isa, sides[i],
                      parts[n / 2], n % 2);
            }
        arena_free(&p.arena);
    }
    kernels = before;
}

// A batch that does not say that its data are prepared is made from the bytes that are there now:
// a buffer may be used again for other images.
static void pixels_that_have_changed_are_read_again(void)
{
    Passes p;
    passes_open(&p, 7);
    unsigned char *changed = arena_alloc(&p.arena, MANY, 49, "pixels", &(Error){""});
    if (changed == NULL)
        abort();
    memcpy(changed, p.s.data.pixels, (size_t)MANY * 49);
    p.s.data.pixels = changed;
    float loss[2][MANY];
    passes_run(&p, false, 1);
    memcpy(loss[0], p.work.loss, sizeof loss[0]);
    for (size_t i = 0; i < MANY; i++)
        changed[49 * i + 24] ^= 0xff;
    passes_run(&p, false, 1);
    memcpy(loss[1], p.work.loss, sizeof loss[1]);
    CHECK(memcmp(loss[0], loss[1], sizeof loss[0]) != 0, "the old pixels were read");
    if (!network_prepare(&p.net, &p.images, &p.s.data, &p.arena, &(Error){""}))
        abort();
    passes_run(&p, true, 1);
    CHECK(memcmp(loss[1], p.work.loss, sizeof loss[1]) == 0, "prepared, they give other losses");
    arena_free(&p.arena);
}

// Two batches of half of the images each. Each part's stage 1 of the second follows all parts'
// stage 3 of the first, or its own alone.
static void two_batches(const Fixture *f, float *params, float *loss, bool waits, bool backwards)
{
    enum { PARTS = 3 };
    size_t half = f->s.data.n / 2;
    Batch first = synthetic_batch(&f->s, f->s.index, half);
    Batch second = synthetic_batch(&f->s, f->s.index + half, half);
    memcpy(params, f->params, f->net.n_parameters * sizeof *params);
    network_predict(&f->net, params, &f->work, &first);
    network_backward(&f->net, params, &f->work, &first, (Range){0, half});
    for (size_t i = 0; i < PARTS; i++) {
        Part part = {backwards ? PARTS - 1 - i : i, PARTS};
        network_weight_gradient(&f->net, &f->work, &first, -0.1f, params, part);
        if (!waits)
            network_load(&f->net, params, &f->work, &second, part);
    }
    for (size_t i = 0; waits && i < PARTS; i++)
        network_load(&f->net, params, &f->work, &second, (Part){i, PARTS});
    network_forward(&f->net, params, &f->work, &second, (Range){0, half});
    network_loss(&f->net, &f->work, &second, (Range){0, half});
    memcpy(loss, f->work.loss, half * sizeof *loss);
}

static void networks_wait_where_stage_1_writes_what_stage_3_reads(void)
{
    for (size_t a = 0; architecture_names[a] != NULL; a++) {
        Fixture f;
        float loss[2][CNN_EXAMPLES];
        fixture_open_architecture(&f, architecture_names[a]);
        float *waited = zeroed_gradient(&f), *params = zeroed_gradient(&f);
        size_t bytes = f.s.data.n / 2 * sizeof loss[0][0];
        bool is_same = true;
        two_batches(&f, waited, loss[0], true, false);
        for (int backwards = 0; backwards <= 1; backwards++) {
            two_batches(&f, params, loss[1], false, backwards);
            is_same = is_same && memcmp(loss[0], loss[1], bytes) == 0 &&
                      memcmp(waited, params, f.net.n_parameters * sizeof *params) == 0;
        }
        CHECK(is_same == !f.net.load_waits, "%s %s, and %s", architecture_names[a],
              f.net.load_waits ? "waits" : "does not wait",
              is_same ? "need not" : "gives other bytes");
        arena_free(&f.arena);
    }
}

// Sparse images hold the nonzero pixels, and are not made where they would be too large.
static void prepared_images_have_their_limits(void)
{
    Error err;
    Passes p;
    passes_open(&p, 7);
    CHECK(p.images->n_chunks == 8, "%zu chunks", p.images->n_chunks);
    for (size_t i = 0; i < MANY; i++) {
        size_t n = 0, listed = p.images->start[8 * i + 8] - p.images->start[8 * i];
        for (size_t x = 0; x < 49; x++)
            n += p.s.data.pixels[49 * i + x] != 0;
        CHECK(listed == n, "image %zu: %zu entries, not %zu", i, listed, n);
    }

    const PreparedImages *made;
    Dataset data = p.s.data;
    data.n = 3000000; // whose beginnings alone would take too much: no pixel is looked at
    data.pixels = NULL;
    CHECK(network_prepare(&p.net, &made, &data, &p.arena, &err) && made == NULL,
          "sparse images of three million images");

    // As many nonzero pixels, of two bytes each, as fit beside the beginnings; and one more.
    enum { IMAGES = 700000 };
    const size_t fits = (SPARSE_MAX_PREPARED - (size_t)8 * IMAGES * sizeof(uint32_t)) / 2;
    unsigned char *pixels = calloc(IMAGES, 49);
    if (pixels == NULL)
        abort();
    memset(pixels, 1, fits + 1);
    data.n = IMAGES;
    data.pixels = pixels;
    CHECK(network_prepare(&p.net, &made, &data, &p.arena, &err) && made == NULL,
          "sparse images of %zu pixels", fits + 1);
    pixels[0] = 0;
    CHECK(network_prepare(&p.net, &made, &data, &p.arena, &err) && made != NULL,
          "no sparse images of %zu pixels", fits);
    free(pixels);
    arena_free(&p.arena);
}

// ---------------------------------------------------------------------------------------------
// The convolutional network

static void images_in_groups_of_any_size_have_the_same_gradient(void)
{
    Fixture f;
    fixture_open_architecture(&f, "cnn");
    float *whole = zeroed_gradient(&f), *parts = zeroed_gradient(&f);
    Batch batch = synthetic_batch(&f.s, f.s.index, CNN_EXAMPLES);
    pass(&f, &batch, whole);
    const Range ranges[] = {{10, CNN_EXAMPLES}, {0, 1}, {1, 10}, {10, 10}};
    for (size_t r = 0; r < 4; r++) {
        network_forward(&f.net, f.params, &f.work, &batch, ranges[r]);
        network_loss(&f.net, &f.work, &batch, ranges[r]);
        network_backward(&f.net, f.params, &f.work, &batch, ranges[r]);
    }
    for (size_t part = 7; part-- > 0;)
        network_weight_gradient(&f.net, &f.work, &batch, 1.0f, parts, (Part){part, 7});
    CHECK(memcmp(whole, parts, f.net.n_parameters * sizeof *whole) == 0, "the bytes differ");

    // One at a time, nothing takes the place of anything.
    float *apart = zeroed_gradient(&f), largest = 0.0f;
    for (size_t b = 0; b < CNN_EXAMPLES; b++) {
        Batch one = synthetic_batch(&f.s, f.s.index + b, 1);
        pass(&f, &one, apart);
    }
    for (size_t i = 0; i < f.net.n_parameters; i++) {
        largest = fmaxf(largest, fabsf(whole[i]));
        CHECK(fabsf(whole[i] - apart[i]) < 1e-4f, "parameter %zu: %g against %g", i,
              (double)whole[i], (double)apart[i]);
    }
    CHECK(largest > 0.1f, "largest %g: nothing was compared", (double)largest);

    check_padding(&f.net, whole);
    arena_free(&f.arena);
}

static void a_workspace_without_backward_gives_the_same_probabilities(void)
{
    Fixture f;
    Work forward;
    Error err;
    fixture_open_architecture(&f, "cnn");
    REQUIRE(work_alloc(&forward, &f.net,
                       (WorkNeeds){.capacity = CNN_EXAMPLES, .forward_only = true}, &f.arena, &err),
            "%s", err.text);
    Batch batch = synthetic_batch(&f.s, f.s.index, CNN_EXAMPLES);
    network_predict(&f.net, f.params, &f.work, &batch);
    network_predict(&f.net, f.params, &forward, &batch);
    for (size_t b = 0; b < CNN_EXAMPLES; b++)
        CHECK(memcmp(network_probabilities(&f.net, &f.work, b),
                     network_probabilities(&f.net, &forward, b), CLASSES * sizeof(float)) == 0,
              "the probabilities of example %zu differ", b);
    CHECK(memcmp(f.work.loss, forward.loss, CNN_EXAMPLES * sizeof(float)) == 0, "losses differ");
    arena_free(&f.arena);
}

static void huge_logits_give_finite_losses(void)
{
    Fixture f;
    fixture_open(&f, CLASSES);
    for (size_t i = 0; i < f.net.n_parameters; i++)
        f.params[i] *= 1e10f;
    Batch batch = synthetic_batch(&f.s, f.s.index, EXAMPLES);
    pass(&f, &batch, zeroed_gradient(&f));
    for (size_t b = 0; b < EXAMPLES; b++)
        CHECK(isfinite(f.work.loss[b]), "loss %zu is %g", b, (double)f.work.loss[b]);
    arena_free(&f.arena);
}

// ---------------------------------------------------------------------------------------------
// The gradient check

static bool checks(Fixture *f, mlp_gradient_check *check)
{
    Error err;
    Batch batch = {.data = &f->s.data, .scale = &f->s.scale, .first = 2, .size = 1};
    return gradient_check(check, &f->net, f->params, &batch, MLP_CHECK_STEP, &f->arena, &err);
}

static void the_gradient_check_accepts_a_right_network(void)
{
    Fixture f;
    mlp_gradient_check check;
    fixture_open(&f, CLASSES);
    REQUIRE(checks(&f, &check), "could not be done");
    CHECK(check.ok, "refused");
    CHECK(check.n_jacobians == 7 && check.n_gradients == 4, "%zu Jacobians, %zu blocks",
          check.n_jacobians, check.n_gradients);
    const size_t I = SIDE * SIDE, H = HIDDEN, C = CLASSES;
    const size_t shapes[7][2] = {{1, C}, {C, C}, {C, C * H}, {C, H}, {H, H}, {H, H}, {H, H * I}};
    static const char *const names[7][2] = {
        {"dL/da2", "(yhat - y)^T (7)"},         {"da2/db2", "I (3)"},
        {"da2/dvec(W2)", "I_4 (x) f1^T (5)"},   {"da2/df1", "W2 (1)"},
        {"df1/da1", "diag(f1 * (1 - f1)) (4)"}, {"da1/db1", "I (3)"},
        {"da1/dvec(W1)", "I_5 (x) x^T (5)"}};
    static const char *const blocks[4] = {"dL/db2", "dL/dvec(W2)", "dL/db1", "dL/dvec(W1)"};
    for (size_t b = 0; b < 4; b++)
        CHECK(strcmp(check.gradients[b].name, blocks[b]) == 0, "%s, not %s",
              check.gradients[b].name, blocks[b]);
    for (size_t j = 0; j < 7; j++)
        CHECK(strcmp(check.jacobians[j].name, names[j][0]) == 0 &&
                  strcmp(check.jacobians[j].identity, names[j][1]) == 0,
              "%s = %s, not %s = %s", check.jacobians[j].name, check.jacobians[j].identity,
              names[j][0], names[j][1]);
    for (size_t j = 0; j < 7; j++)
        CHECK(check.jacobians[j].rows == shapes[j][0] && check.jacobians[j].cols == shapes[j][1],
              "%s is %zux%zu", check.jacobians[j].name, check.jacobians[j].rows,
              check.jacobians[j].cols);
    CHECK(check.jacobians[2].nonzero == C * H, "%zu entries of da2/dvec(W2) are not zero",
          check.jacobians[2].nonzero);
    CHECK(check.jacobians[4].nonzero == H, "%zu entries of df1/da1 are not zero",
          check.jacobians[4].nonzero);
    arena_free(&f.arena);
}

// The class that the float code thinks least likely.
static size_t least_likely_class(Fixture *f, const Batch *batch)
{
    network_predict(&f->net, f->params, &f->work, batch);
    const float *yhat = network_probabilities(&f->net, &f->work, 0);
    size_t least = 0;
    for (size_t k = 1; k < f->net.architecture.classes; k++)
        least = yhat[k] < yhat[least] ? k : least;
    return least;
}

// Logits are negative, or positive, and each class in turn has the smallest.
static void the_label_is_the_class_that_is_least_likely(void)
{
    for (int sign = -1; sign <= 1; sign += 2)
        for (size_t k = 0; k < CLASSES; k++) {
            Fixture f;
            mlp_gradient_check check;
            fixture_open(&f, CLASSES);
            for (size_t c = 0; c < CLASSES; c++)
                f.params[tensor_index(&f.net.layers[2].tensors[1], c)] =
                    (float)sign * 20.0f - (c == k ? 5.0f : 0.0f);
            Batch batch = synthetic_batch(&f.s, f.s.index + 2, 1);
            REQUIRE(checks(&f, &check), "could not be done");
            CHECK(least_likely_class(&f, &batch) == k && check.label == k, "label %zu, not %zu",
                  check.label, k);
            arena_free(&f.arena);
        }
}

// An error of exactly 0 would mean that nothing was compared: differences are rounded.
static void each_row_has_its_error_and_the_largest_of_its_gradient(void)
{
    Fixture f;
    mlp_gradient_check check;
    fixture_open(&f, 8); // eight doubles fill a block of memory: a sanitizer sees what reads more
    REQUIRE(checks(&f, &check), "could not be done");
    for (size_t j = 0; j < check.n_jacobians; j++)
        CHECK(check.jacobians[j].error > 0.0 && check.jacobians[j].skipped == 0, "%s: %g, %zu",
              check.jacobians[j].name, check.jacobians[j].error, check.jacobians[j].skipped);

    unsigned char labels[EXAMPLES];
    memset(labels, (int)check.label, sizeof labels);
    f.s.data.labels = labels;
    Batch batch = synthetic_batch(&f.s, f.s.index + 2, 1);
    float *gradient = zeroed_gradient(&f);
    pass(&f, &batch, gradient);
    for (size_t b = 0; b < check.n_gradients; b++) {
        const Tensor *tensor = f.net.tensors[check.n_gradients - 1 - b];
        double largest = 0.0;
        for (size_t e = 0; e < tensor_size(tensor); e++)
            largest = fmax(largest, fabs((double)gradient[tensor_index(tensor, e)]));
        const mlp_gradient *row = &check.gradients[b];
        CHECK(fabs(row->largest / largest - 1.0) < 1e-4, "%s: largest %g, not %g", row->name,
              row->largest, largest);
        CHECK(row->error_differences > 0.0 && row->error_training > 0.0 && row->skipped == 0,
              "%s: %g and %g, %zu", row->name, row->error_differences, row->error_training,
              row->skipped);
    }
    arena_free(&f.arena);
}

// A network of some kind for images of 16 x 16 pixels, which are enough for two convolutions.
static bool fixture_open_layers(Fixture *f, const char *name, const char *activation,
                                size_t n_hidden, Error *err)
{
    static const uint64_t sizes[MLP_MAX_SIZES] = {16, 17, 12, 15, 16, 18, 13, 16};
    enum { LAYERS_SIDE = 16 };
    Architecture a = synthetic_architecture(name, LAYERS_SIDE, LAYERS_SIDE, HIDDEN, CLASSES);
    *f = (Fixture){.params = NULL};
    f->s = synthetic_make(&f->arena, EXAMPLES, LAYERS_SIDE, CLASSES);
    a.activation = activation;
    memcpy(a.hidden, sizes, n_hidden * sizeof sizes[0]);
    for (size_t c = 0; c < MLP_MAX_SIZES && a.channels[c] != 0; c++)
        a.channels[c] = 2 + c;
    if (!network_build(&f->net, &a, err) ||
        (f->params = network_alloc(&f->net, &f->arena, err)) == NULL ||
        !work_alloc(&f->work, &f->net, (WorkNeeds){.capacity = EXAMPLES}, &f->arena, err))
        return false;
    network_init(&f->net, f->params, 3);
    return true;
}

// Each dense layer has dL/dW and dL/db, and da/dW, da/db and da/df; each activation df/da; dL/da is
// one more. A convolution with its pooling and activation has five Jacobians, and the dense layer
// behind the last one one more, of its input.
static void check_depth(const char *name, const char *activation, size_t n)
{
    Fixture f;
    Error err = {""};
    mlp_gradient_check check = {.ok = false};
    REQUIRE(fixture_open_layers(&f, name, activation, n, &err), "%s", err.text);
    size_t n_convolutions = 0;
    while (f.net.architecture.channels[n_convolutions] != 0)
        n_convolutions++;
    size_t jacobians = 1 + 2 * (n + 1) + 2 * n + 5 * n_convolutions + (n_convolutions > 0);
    size_t gradients = 2 * (n + 1) + 2 * n_convolutions;
    CHECK(checks(&f, &check) && check.ok, "%s, %zu layers of %s", name, n, activation);
    CHECK(check.n_jacobians == jacobians && check.n_gradients == gradients,
          "%s, %zu layers: %zu Jacobians and %zu gradients, not %zu and %zu", name, n,
          check.n_jacobians, check.n_gradients, jacobians, gradients);
    size_t activations = 0;
    for (size_t l = 0; l < f.net.n_layers; l++)
        activations += f.net.layers[l].kind->is_activation;
    CHECK(activations == n + n_convolutions, "%s, %zu layers of %s: %zu activations", name, n,
          activation, activations);
    arena_free(&f.arena);
}

static void networks_of_any_depth_and_activation_are_right(void)
{
    for (size_t k = 0; activation_names[k] != NULL; k++)
        for (size_t a = 0; architecture_names[a] != NULL; a++) {
            // Behind convolutions each costs a second: the ends of the range are enough.
            size_t step = strcmp(architecture_names[a], "mlp") != 0 ? MLP_MAX_SIZES - 1 : 1;
            for (size_t n = 1; n <= MLP_MAX_SIZES; n += step)
                check_depth(architecture_names[a], activation_names[k], n);
        }
}

// However deep it is: the initial weights of each activation keep the values and the gradients.
static void deep_networks_begin_near_a_uniform_guess_and_can_learn(void)
{
    for (size_t k = 0; activation_names[k] != NULL; k++)
        for (size_t n = 1; n <= MLP_MAX_SIZES; n++) {
            Fixture f;
            Error err = {""};
            REQUIRE(fixture_open_layers(&f, "mlp", activation_names[k], n, &err), "%s", err.text);
            float *gradient = zeroed_gradient(&f), largest = 0.0f;
            Batch batch = synthetic_batch(&f.s, f.s.index, EXAMPLES);
            pass(&f, &batch, gradient);
            double loss = 0.0;
            for (size_t b = 0; b < EXAMPLES; b++)
                loss += (double)f.work.loss[b] / EXAMPLES;
            const Tensor *W = f.net.tensors[0];
            for (size_t e = 0; e < tensor_size(W); e++)
                largest = fmaxf(largest, fabsf(gradient[tensor_index(W, e)]));
            CHECK(loss < 2.0 * log(CLASSES), "%zu layers of %s: loss %g", n, activation_names[k],
                  loss);
            CHECK(largest > 1e-4f, "%zu layers of %s: the largest dL/dW1 is %g", n,
                  activation_names[k], (double)largest);
            arena_free(&f.arena);
        }
}

// Puts a changed row of operations in place of a layer's, and looks whether the check notices.
static bool caught(size_t layer, const LayerKind *broken)
{
    Fixture f;
    mlp_gradient_check check;
    fixture_open(&f, CLASSES);
    f.net.layers[layer].kind = broken;
    bool noticed = checks(&f, &check) && !check.ok;
    arena_free(&f.arena);
    return noticed;
}

static void forgets_the_derivative(const Layer *layer, const float *params, const LayerView *view)
{
    (void)params;
    for (size_t i = 0; i < view->batch.size * layer->in_stride; i++)
        view->dx[i] = view->dy[i];
}

static void a_sigmoid_whose_backward_forgets_its_derivative_is_caught(void)
{
    LayerKind broken = layer_sigmoid;
    broken.backward = forgets_the_derivative;
    CHECK(caught(1, &broken), "not noticed");
}

static void the_derivative_of_another_activation_in_any_layer_is_caught(void)
{
    enum { HIDDEN_LAYERS = 3 };
    LayerKind broken = layer_tanh;
    broken.backward = layer_sigmoid.backward;
    for (size_t k = 0; k <= HIDDEN_LAYERS; k++) { // the last time none is broken
        Fixture f;
        mlp_gradient_check check;
        Error err = {""};
        REQUIRE(fixture_open_layers(&f, "mlp", "tanh", HIDDEN_LAYERS, &err), "%s", err.text);
        if (k < HIDDEN_LAYERS)
            f.net.layers[2 * k + 1].kind = &broken;
        REQUIRE(checks(&f, &check), "could not be done");
        CHECK(check.ok == (k == HIDDEN_LAYERS), "hidden layer %zu: not noticed", k + 1);
        arena_free(&f.arena);
    }
}

static size_t uses_f_alone(const Layer *layer, const double *const argument[], size_t which,
                           size_t row, JacobianEntry *entries)
{
    (void)layer, (void)which;
    entries[0] = (JacobianEntry){row, 1.0 / (1.0 + exp(-argument[0][row]))};
    return 1;
}

static void a_wrong_reference_jacobian_is_caught(void)
{
    LayerKind broken = layer_sigmoid;
    broken.reference_row = uses_f_alone;
    CHECK(caught(1, &broken), "not noticed");
}

static size_t is_a_thousandth_too_large(const Layer *layer, const double *const argument[],
                                        size_t which, size_t row, JacobianEntry *entries)
{
    size_t n = layer_sigmoid.reference_row(layer, argument, which, row, entries);
    entries[0].value *= 1.001;
    return n;
}

static void the_error_of_a_jacobian_is_relative_to_its_largest_entry(void)
{
    Fixture f;
    mlp_gradient_check check;
    LayerKind broken = layer_sigmoid;
    broken.reference_row = is_a_thousandth_too_large;
    fixture_open(&f, CLASSES);
    f.net.layers[1].kind = &broken;
    REQUIRE(checks(&f, &check), "could not be done");
    CHECK(fabs(check.jacobians[4].error * 1001.0 - 1.0) < 1e-5, "%g", check.jacobians[4].error);
    arena_free(&f.arena);
}

static size_t is_wrong_in_its_last_row(const Layer *layer, const double *const argument[],
                                       size_t which, size_t row, JacobianEntry *entries)
{
    size_t n = layer_dense.reference_row(layer, argument, which, row, entries);
    if (row + 1 == shape_size(layer->out))
        entries[n - 1].value += 1e-3;
    return n;
}

static void a_reference_jacobian_with_one_wrong_entry_is_caught(void)
{
    Fixture f;
    mlp_gradient_check check;
    LayerKind broken = layer_dense;
    broken.reference_row = is_wrong_in_its_last_row;
    fixture_open(&f, CLASSES);
    f.net.layers[2].kind = &broken;
    REQUIRE(checks(&f, &check), "could not be done");
    for (size_t j = 0; j < check.n_jacobians; j++) // 1 to 3 are those of layer 2
        CHECK(check.jacobians[j].ok == (j < 1 || j > 3), "%s: %d", check.jacobians[j].name,
              check.jacobians[j].ok);
    CHECK(!check.ok, "not noticed");
    arena_free(&f.arena);
}

// The first n_kinks inputs of this layer are at a kink: the values that it has first.
static struct {
    double at[16];
    size_t n_kinks;
    bool is_set;
} kinks;

static uint64_t is_at_kinks(const Layer *layer, const double *x)
{
    uint64_t region = LAYER_REGION;
    if (!kinks.is_set)
        memcpy(kinks.at, x, shape_size(layer->in) * sizeof *x);
    kinks.is_set = true;
    for (size_t i = 0; i < kinks.n_kinks; i++)
        region = layer_region_add(region, x[i] > kinks.at[i]);
    return region;
}

// Of 5 columns three must be left, of 16 nine.
static void more_than_half_of_the_differences_must_be_left(void)
{
    LayerKind bent = layer_sigmoid;
    bent.reference_region = is_at_kinks;
    for (size_t k = 0; k < 8; k++) {
        static const size_t sizes[2] = {HIDDEN, 16};
        const size_t H = sizes[k / 4], n = (H + 1) / 2 - 2 + k % 4;
        Fixture f;
        mlp_gradient_check check;
        f = (Fixture){.params = NULL};
        f.s = synthetic_make(&f.arena, EXAMPLES, SIDE, CLASSES);
        synthetic_network(&f.net, &f.params, &f.s, H, 3, &f.arena);
        f.net.layers[1].kind = &bent;
        kinks.n_kinks = n;
        kinks.is_set = false;
        REQUIRE(checks(&f, &check), "could not be done");
        const mlp_jacobian *df = &check.jacobians[4];
        const mlp_gradient *db = &check.gradients[2], *dW = &check.gradients[3];
        bool ok = 2 * (H - n) > H;
        CHECK(df->skipped == n && df->ok == ok, "%s, %zu at kinks of %zu: %zu skipped, %d",
              df->name, n, H, df->skipped, df->ok);
        CHECK(db->skipped == n && db->ok == ok, "%s, %zu at kinks of %zu: %zu skipped, %d",
              db->name, n, H, db->skipped, db->ok);
        CHECK(dW->skipped % n == 0 && dW->skipped > 0 && dW->ok, "%s, %zu at kinks of %zu: %zu",
              dW->name, n, H, dW->skipped);
        CHECK(check.ok == ok, "%zu at kinks of %zu: %d", n, H, check.ok);
        arena_free(&f.arena);
    }
}

static size_t is_not_a_number(const Layer *layer, const double *const argument[], size_t which,
                              size_t row, JacobianEntry *entries)
{
    (void)layer, (void)argument, (void)which;
    entries[0] = (JacobianEntry){row, NAN};
    return 1;
}

static void what_is_not_a_number_is_caught(void)
{
    LayerKind broken = layer_sigmoid;
    broken.reference_row = is_not_a_number;
    CHECK(caught(1, &broken), "not noticed");
}

// Before any work, which would need two gigabytes. The first that is too large is named.
static void jacobians_that_are_too_large_are_refused(void)
{
    static const struct {
        const char *name, *text;
        size_t side, hidden[2];
    } cases[] = {
        {"mlp", "one of 2400 x 117600 is too large", SIDE, {2400}}, // da1/dvec(W1)
        // The first layer's has 2^28 entries, the most that there may be; da2/dvec(W2) more.
        {"mlp", "one of 600 x 614400 is too large", 16, {1024, 600}},
        {"cnn", "one of 147456 x 10000 is too large", 100, {1}}, // of a convolution by its input
        // None is built of the pixels: with one channel each, da3/dvec(W3) is the first.
        {"cnn", "one of 600 x 504600 is too large", 129, {600}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Arena arena = {0};
        Network net;
        Error err = {""};
        mlp_gradient_check check;
        Architecture a =
            synthetic_architecture(cases[i].name, cases[i].side, cases[i].side, 1, CLASSES);
        for (size_t h = 0; h < 2; h++)
            a.hidden[h] = cases[i].hidden[h];
        if (a.channels[0] > 0 && a.hidden[0] > 1)
            a.channels[0] = a.channels[1] = 1;
        REQUIRE(network_build(&net, &a, &err), "%s", err.text);
        CHECK(!gradient_check(&check, &net, NULL, NULL, MLP_CHECK_STEP, &arena, &err) &&
                  strstr(err.text, cases[i].text) != NULL,
              "%s", err.text);
        arena_free(&arena);
    }
}

static void adds_twice(const Layer *layer, const LayerView *view, Part part, float scale,
                       float *into)
{
    layer_dense.weight_gradient(layer, view, part, scale, into);
    layer_dense.weight_gradient(layer, view, part, scale, into);
}

static void a_gradient_that_is_added_twice_is_caught(void)
{
    LayerKind broken = layer_dense;
    broken.weight_gradient = adds_twice;
    CHECK(caught(2, &broken), "not noticed");
}

static void adds_a_thousandth(const Layer *layer, const LayerView *view, Part part, float scale,
                              float *into)
{
    layer_dense.weight_gradient(layer, view, part, scale, into);
    into[layer->tensors[1].offset] += 1e-3f;
}

// A small gradient beside a large one has the errors of the large one's sums.
static void the_error_of_a_gradient_is_relative_to_the_largest_of_all(void)
{
    Fixture f;
    mlp_gradient_check check;
    LayerKind broken = layer_dense;
    broken.weight_gradient = adds_a_thousandth;
    fixture_open(&f, CLASSES);
    f.net.layers[2].kind = &broken;
    REQUIRE(checks(&f, &check), "could not be done");
    double largest = 0.0, error = check.gradients[0].error_training;
    for (size_t b = 0; b < check.n_gradients; b++)
        largest = fmax(largest, check.gradients[b].largest);
    CHECK(fabs(error * largest / 1e-3 - 1.0) < 0.01, "%g, where the largest is %g", error, largest);
    arena_free(&f.arena);
}

static void adds_a_hundred_to_the_first(const Layer *layer, const LayerView *view, Part part,
                                        float scale, float *into)
{
    layer_sparse_dense.weight_gradient(layer, view, part, scale, into);
    into[0] += 100.0f;
}

static void the_largest_of_all_may_be_the_first_parameter(void)
{
    Fixture f;
    mlp_gradient_check check;
    LayerKind large = layer_sparse_dense, broken = layer_dense;
    large.weight_gradient = adds_a_hundred_to_the_first;
    broken.weight_gradient = adds_a_thousandth;
    fixture_open(&f, CLASSES);
    f.net.layers[0].kind = &large;
    f.net.layers[2].kind = &broken;
    REQUIRE(checks(&f, &check), "could not be done");
    double error = check.gradients[0].error_training;
    CHECK(fabs(error * 100.0 / 1e-3 - 1.0) < 0.05, "%g", error);
    arena_free(&f.arena);
}

static void forgets_the_bias(const Layer *layer, const LayerView *view, Part part, float scale,
                             float *into)
{
    const Tensor *bias = &layer->tensors[1];
    float kept[HIDDEN];
    memcpy(kept, into + bias->offset, sizeof kept);
    layer_sparse_dense.weight_gradient(layer, view, part, scale, into);
    memcpy(into + bias->offset, kept, sizeof kept);
}

static void a_bias_that_is_never_updated_is_caught(void)
{
    LayerKind broken = layer_sparse_dense;
    broken.weight_gradient = forgets_the_bias;
    CHECK(caught(0, &broken), "not noticed");
}

static void turns_the_sign(const Layer *layer, const float *params, const LayerView *view)
{
    layer_dense.backward(layer, params, view);
    for (size_t i = 0; i < view->batch.size * layer->in_stride; i++)
        view->dx[i] = -view->dx[i];
}

static void a_delta_of_the_wrong_sign_is_caught(void)
{
    LayerKind broken = layer_dense;
    broken.backward = turns_the_sign;
    CHECK(caught(2, &broken), "not noticed");
}

static void a_gradient_of_zeros_is_not_accepted(void)
{
    Fixture f;
    mlp_gradient_check check;
    fixture_open(&f, CLASSES);
    memset(f.params, 0, f.net.n_parameters * sizeof *f.params);
    REQUIRE(checks(&f, &check), "could not be done");
    CHECK(!check.ok, "dL/dW1 is zero where W2 is zero, and was accepted");
    CHECK(check.jacobians[3].ok && check.jacobians[3].error == 0.0 && !check.gradients[3].ok,
          "%s: %g", check.jacobians[3].name, check.jacobians[3].error);
    CHECK(check.label == 0, "label %zu: all are as likely as the first", check.label);
    arena_free(&f.arena);
}

static void sizes_out_of_range_are_refused(void)
{
    Network net;
    Error err;
    static const struct {
        const char *name;
        size_t rows, cols, hidden, classes;
    } wrong[] = {{"mlp", 0, 28, 64, 10},      {"mlp", 28, 5000, 64, 10},   {"mlp", 28, 28, 0, 10},
                 {"mlp", 28, 28, 64, 1},      {"mlp", 28, 28, 64, 257},    {"cmn", 28, 28, 64, 10},
                 {"mlp", 4096, 4096, 64, 10}, {"mlp", 28, 28, 100000, 10}, {"cnn", 15, 28, 64, 10},
                 {"cnn", 28, 15, 64, 10},     {"cnn", 4096, 4096, 1, 10},  {"cnn", 1, 1, 64, 10}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        Architecture architecture = synthetic_architecture(
            wrong[i].name, wrong[i].rows, wrong[i].cols, wrong[i].hidden, wrong[i].classes);
        CHECK(!network_build(&net, &architecture, &err), "case %zu was accepted", i);
    }
}

static void lists_of_sizes_have_their_limits(void)
{
    static const struct {
        const char *name, *hidden, *channels, *word;
    } cases[] = {{"mlp", "1-2-3-4-5-6-7-8", "", NULL},
                 {"cnn", "1-2-3-4-5-6-7-8", "1-1", NULL},
                 {"lenet5", "3", "32-200", NULL},
                 {"mlp", "4", "3", "channels"},
                 {"mlp", "4", "3-3", "channels"},
                 {"cnn", "4", "3", "channels"},
                 {"cnn", "4", "3-4-5", "channels"},
                 {"cnn", "4", "33-4", "at most 32"},
                 {"cnn", "4", "1024-4", "at most 32"},
                 {"cnn", "4", "32-1024", NULL},
                 {"mlp", "4-65536-65536", "", "65536 values"},
                 {"mlp", "16000-16000", "", NULL},
                 {"mlp", "16000-17000", "", "gigabyte"},
                 {"mlp", "12000-12000-12000-12000", "", "gigabyte"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Network net;
        mlp_settings settings;
        Error err = {""};
        settings_default(&settings, cases[i].name);
        (void)setting_parse(setting_find(settings_table, "hidden"), &settings, cases[i].hidden,
                            &err);
        (void)setting_parse(setting_find(settings_table, "channels"), &settings, cases[i].channels,
                            &err);
        Architecture architecture = architecture_of(&settings, 28, 28, 10);
        CHECK(network_build(&net, &architecture, &err) == (cases[i].word == NULL) &&
                  (cases[i].word == NULL || strstr(err.text, cases[i].word) != NULL),
              "%s %s %s: %s", cases[i].name, cases[i].hidden, cases[i].channels, err.text);
    }
}

// Sixteen times as many weights as the file would have: channels are padded, and units too.
static void padding_counts_as_weights(void)
{
    Network net;
    Error err = {""};
    Architecture a = synthetic_architecture("cnn", 400, 400, 1600, 10);
    a.channels[0] = a.channels[1] = 1;
    CHECK(network_build(&net, &a, &err) && net.n_parameters > (size_t)1 << 27, "%s", err.text);
    a.hidden[0] = 2000;
    CHECK(!network_build(&net, &a, &err) && strstr(err.text, "gigabyte") != NULL, "%s", err.text);
}

int main(void)
{
    RUN(the_initial_loss_is_near_ln_10);
    RUN(the_gradient_of_a_batch_is_the_sum_of_its_examples);
    RUN(the_padding_of_parameters_has_no_gradient);
    RUN(parts_and_examples_may_be_done_in_any_order);
    RUN(prepared_images_parts_and_sets_change_no_bit);
    RUN(pixels_that_have_changed_are_read_again);
    RUN(prepared_images_have_their_limits);
    RUN(networks_wait_where_stage_1_writes_what_stage_3_reads);
    RUN(images_in_groups_of_any_size_have_the_same_gradient);
    RUN(a_workspace_without_backward_gives_the_same_probabilities);
    RUN(huge_logits_give_finite_losses);
    RUN(the_gradient_check_accepts_a_right_network);
    RUN(the_label_is_the_class_that_is_least_likely);
    RUN(each_row_has_its_error_and_the_largest_of_its_gradient);
    RUN(networks_of_any_depth_and_activation_are_right);
    RUN(deep_networks_begin_near_a_uniform_guess_and_can_learn);
    RUN(a_sigmoid_whose_backward_forgets_its_derivative_is_caught);
    RUN(the_derivative_of_another_activation_in_any_layer_is_caught);
    RUN(a_wrong_reference_jacobian_is_caught);
    RUN(the_error_of_a_jacobian_is_relative_to_its_largest_entry);
    RUN(a_reference_jacobian_with_one_wrong_entry_is_caught);
    RUN(more_than_half_of_the_differences_must_be_left);
    RUN(what_is_not_a_number_is_caught);
    RUN(jacobians_that_are_too_large_are_refused);
    RUN(a_gradient_that_is_added_twice_is_caught);
    RUN(the_error_of_a_gradient_is_relative_to_the_largest_of_all);
    RUN(the_largest_of_all_may_be_the_first_parameter);
    RUN(a_bias_that_is_never_updated_is_caught);
    RUN(a_delta_of_the_wrong_sign_is_caught);
    RUN(a_gradient_of_zeros_is_not_accepted);
    RUN(sizes_out_of_range_are_refused);
    RUN(lists_of_sizes_have_their_limits);
    RUN(padding_counts_as_weights);
    return test_end();
}
