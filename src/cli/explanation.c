// The report of `mlp explain`, from x to the update of one weight, as text and as JSON. Read
// explanation.h first.
#include "explanation.h"

#include "numbers.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 80, TEXT_SIZE = 128 };

// Of a list too long for the screen the middle is left out. Says whether item i is shown; prints
// how many are not in the place of the first of these.
static bool is_shown(const Explanation *x, size_t i, size_t n, size_t most)
{
    size_t head = most / 2, tail = most - 1 - head;
    if (!x->full && n > most && i == head)
        printf("  ... %zu more: --full\n", n - head - tail);
    return x->full || n <= most || i < head || i >= n - tail;
}

// Prints a blank and a word that has come after `column` characters, on a new line where it does
// not fit. Returns the column after it.
static int print_word(int column, const char *word)
{
    if (column + (int)strlen(word) + 1 > WIDTH)
        column = printf("\n ") - 1;
    return column + printf(" %s", word);
}

static const char *logits_symbol(const Explanation *x)
{
    return x->ref->net->layers[x->ref->net->n_layers - 1].symbol;
}

// ---------------------------------------------------------------------------------------------
// Values

static void print_value(const Explanation *x, const char *symbol, const char *formula, Shape shape,
                        const double *values)
{
    char text[2 * TEXT_SIZE], extent[48];
    size_t n = shape_size(shape), nonzero = 0, first = 0;
    for (size_t i = 0; i < n; i++)
        if (values[i] != 0.0 && nonzero++ == 0)
            first = i;
    snprintf(text, sizeof text, "%-4s = %s", symbol, formula);
    snprintf(extent, sizeof extent, "%zux%zux%zu", shape.channels, shape.height, shape.width);
    if (shape.height * shape.width == 1)
        snprintf(extent, sizeof extent, "%zu", n);
    printf("%-27s %10s %7zu", text, extent, nonzero);
    for (size_t i = first; i < n && i < first + 3; i++)
        printf(" %9.3g", values[i]);
    puts(n - first > 3 ? " ..." : "");
    for (size_t i = 0; x->full && n > 3 && i < n; i++)
        printf("%9.3g%s", values[i], i + 1 == n || i % 8 == 7 ? "\n" : " ");
}

// x, the output of each layer from the first trained one on, yhat and the loss.
static void print_values(const Explanation *x)
{
    enum { MOST = 11 };
    const Network *net = x->ref->net;
    size_t first = net->first_trained, n = net->n_layers - first + 3, i = 1;
    Shape image = net->layers[0].in, C = {1, 1, net->architecture.classes};
    double loss = reference_loss(x->ref);
    char formula[TEXT_SIZE];
    printf("%-27s %10s %7s    from the first nonzero on\n", "value", "shape", "nonzero");
    snprintf(formula, sizeof formula, "pixel / 255 / %.4f", x->model->facts.pixel_std);
    print_value(x, "x", formula, first > 0 ? image : (Shape){1, 1, shape_size(image)},
                x->ref->argument[0][0]);
    for (size_t l = first; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        layer_text(formula, sizeof formula, layer, layer->kind->formula);
        if (is_shown(x, i++, n, MOST))
            print_value(x, layer->symbol, formula, layer->out, x->ref->argument[l + 1][0]);
    }
    snprintf(formula, sizeof formula, "softmax(%s)", logits_symbol(x));
    print_value(x, "yhat", formula, C, x->chain->yhat);
    snprintf(formula, sizeof formula, "-log yhat[%zu]", x->ref->label);
    print_value(x, "L", formula, (Shape){1, 1, 1}, &loss);
}

// ---------------------------------------------------------------------------------------------
// Jacobians

// Goes on to the next Jacobian, as mlp gradcheck has them: from that of the loss, l = n_layers,
// which = 0, back to the first trained layer, whose input needs none.
static bool next_jacobian(const Network *net, size_t *l, size_t *which)
{
    *which = *which > 0 ? *which - 1 : net->layers[--*l].n_tensors;
    return *l > net->first_trained || *which > 0;
}

static double entry_at(const mlp_jacobian *J, size_t row, size_t col)
{
    for (size_t e = 0; e < J->nonzero && J->entries[e].row <= row; e++)
        if (J->entries[e].row == row && J->entries[e].col == col)
            return J->entries[e].value;
    return 0.0;
}

// Its row, with two numbers from the first entry on that is not 0, or two rows of them.
static void print_jacobian(const Explanation *x, const mlp_jacobian *J, size_t n_rows)
{
    char shape[48], at[64];
    mlp_entry first = J->nonzero > 0 ? J->entries[0] : (mlp_entry){0};
    snprintf(shape, sizeof shape, "%zux%zu", J->rows, J->cols);
    snprintf(at, sizeof at, "at row %zu, column %zu:", first.row, first.col);
    printf("%-13s %-23s %10s %8zu", J->name, J->identity, shape, J->nonzero);
    for (size_t r = first.row; r < J->rows && r < first.row + n_rows; r++) {
        if (r > first.row)
            printf("%57s", first.row + first.col > 0 ? at : "");
        for (size_t c = first.col; c < J->cols && c < first.col + 2; c++)
            printf(" %9.3g", entry_at(J, r, c));
        putchar('\n');
    }
    for (size_t e = 0; x->full && e < J->nonzero; e++)
        printf("  [%zu,%zu] %.3g%s", J->entries[e].row, J->entries[e].col, J->entries[e].value,
               e % 4 == 3 || e + 1 == J->nonzero ? "\n" : "");
}

static bool print_jacobians(const Explanation *x, Error *err)
{
    enum { MOST = 10, SMALL = 7 };
    const Network *net = x->ref->net;
    const Layer *first = &net->layers[net->first_trained];
    size_t i = 0, l = net->n_layers, which = 0;
    size_t n = net->n_tensors + net->n_layers - net->first_trained; // with the loss, no dx
    printf("\n%-13s %-23s %10s %8s  %s\n", "Jacobian", "identity", "shape", "nonzero",
           n <= SMALL ? "corner, 2 x 2" : "a part of a row");
    do {
        Arena own = {0};
        mlp_jacobian J;
        if (!is_shown(x, i++, n, MOST))
            continue;
        bool ok = reference_jacobian(&J, x->ref, l, which, &own, err);
        if (ok)
            print_jacobian(x, &J, n <= SMALL ? 2 : 1);
        arena_free(&own);
        if (!ok)
            return false;
    } while (next_jacobian(net, &l, &which));
    size_t O = shape_size(first->out), W = tensor_size(&first->tensors[0]);
    size_t rows = first->tensors[0].dims[0];
    printf("Rows are the numbers of the output, columns those of the input, W row by row:\n"
           "d%s/dvec(W1) is %zux%zu: %s has %zu numbers, W1 %zu x %zu = %zu.\n",
           first->symbol, O, W, first->symbol, O, rows, W / rows, W);
    return true;
}

// ---------------------------------------------------------------------------------------------
// One weight

static void print_factors(const Explanation *x)
{
    const WeightChain *chain = x->chain;
    const Layer *layer = &x->ref->net->layers[chain->weight.l];
    const Tensor *tensor = &layer->tensors[chain->weight.t];
    const char *a = logits_symbol(x);
    char name[TEXT_SIZE];
    weight_index_text(name, sizeof name, tensor, chain->weight.e);
    printf("\nOne weight: w = %s%u%s of %s, %.6g. Its chain rule:\n", tensor->letter, layer->number,
           name, tensor->name, (double)chain->before);
    int column = printf("  dL/dw = (sum_k dL/d%s[k] d%s[k]/d%s)", a, a, chain->unit);
    for (size_t i = chain->n_factors; i-- > 0;)
        column = print_word(column, chain->factors[i].name);
    putchar('\n');
    for (size_t i = 0; i < chain->n_factors; i++)
        printf("  %-17s = %-22s = %.9g\n", chain->factors[i].name, chain->factors[i].origin,
               chain->factors[i].value);
    snprintf(name, sizeof name, "d%s[k]/d%s", a, chain->unit);
    if (chain->by_unit_of[0] != '\0')
        printf("  %-17s = %s\n", name, chain->by_unit_of);
    if (chain->n_factors == 0)
        printf("  w acts on all %zu positions of a channel of %s, and so on every %s[k]\n",
               layer->out.height * layer->out.width, layer->symbol, a);
}

// How many classes have a larger product.
static size_t rank_of(const WeightChain *chain, size_t C, size_t k)
{
    size_t rank = 0;
    double product = fabs(chain->delta[k] * chain->by_unit[k]);
    for (size_t j = 0; j < C; j++) {
        double other = fabs(chain->delta[j] * chain->by_unit[j]);
        rank += other > product || (!(other < product) && j < k);
    }
    return rank;
}

// A row for each class; of more than ten those with the largest products.
static void print_classes(const Explanation *x)
{
    enum { MOST = 10 };
    const WeightChain *chain = x->chain;
    size_t C = x->ref->net->architecture.classes, t = x->ref->label;
    const char *a = logits_symbol(x);
    char head[3][TEXT_SIZE];
    printf("Softmax with the loss: dL/dyhat (1x%zu) is 0 but for -1/yhat[%zu] = %.6g, and\n"
           "that times row %zu of dyhat/d%s = diag(yhat) - yhat yhat^T (%zux%zu) is yhat - y%s\n",
           C, t, -1.0 / chain->yhat[t], t, a, C, C,
           chain->yhat[t] > 0.0 ? ":"
                                : ", which\ncan be computed even here, where yhat underflows:");
    snprintf(head[0], sizeof head[0], "%s[k]", a);
    snprintf(head[1], sizeof head[1], "dyhat[%zu]/d%s", t, a);
    snprintf(head[2], sizeof head[2], "d%s/d%s", a, chain->unit);
    printf("%3s %9s %11s %2s %13s %12s %12s %11s\n", "k", head[0], "yhat[k]", "y", head[1],
           "yhat - y", head[2], "product");
    for (size_t k = 0; k < C; k++)
        if (x->full || rank_of(chain, C, k) < MOST)
            printf("%3zu %9.4f %11.4g %2d %13.4g %12.4g %12.4g %11.4g\n", k,
                   reference_logits(x->ref)[k], chain->yhat[k], k == t,
                   chain->yhat[t] * ((k == t ? 1.0 : 0.0) - chain->yhat[k]), chain->delta[k],
                   chain->by_unit[k], chain->delta[k] * chain->by_unit[k]);
    if (!x->full && C > MOST)
        printf("  ... %zu smaller products: --full\n", C - MOST);
    snprintf(head[0], sizeof head[0], "sum %.9g", chain->sum);
    printf("%80s\n", head[0]);
}

// "1,234,567": whole numbers below 2^53, others in short.
static const char *grouped(char text[NUMBER_SIZE], double value)
{
    size_t n = (size_t)snprintf(text, NUMBER_SIZE, value < 9e15 ? "%.0f" : "%.3g", value);
    for (size_t i = n; value < 9e15 && i > 3; n++) {
        i -= 3;
        memmove(text + i + 1, text + i, n - i + 1);
        text[i] = ',';
    }
    return text;
}

static void print_checks(const Explanation *x)
{
    const WeightChain *chain = x->chain;
    char number[NUMBER_SIZE];
    printf("dL/dw = %-19.12g the sum", chain->value);
    for (size_t i = chain->n_factors; i-- > 0;)
        printf(" * %.5g", chain->factors[i].value);
    printf("\n        %-19.12g the whole Jacobians multiplied from the left\n", chain->reference);
    if (chain->step > 0.0)
        printf("        %-19.12g (L(w + h) - L(w - h)) / 2h with h = %g\n", chain->difference,
               chain->step);
    else
        printf("        %-19s (L(w + h) - L(w - h)) / 2h: there is a kink next to w\n", "none");
    printf("        %-19.9g the training code, in single precision\n", chain->training);
    printf("All %s gradients: largest %.3g, the training code is within %.1g.\n",
           grouped(number, (double)network_count_weights(x->ref->net)), chain->largest,
           chain->largest_gap);
    printf("Update: w - lr dL/dw = %.6g - %g * %.6g = %.9g\n", (double)chain->before,
           x->model->settings.learning_rate, chain->training, (double)chain->after);
}

static void print_products(const Explanation *x)
{
    const Network *net = x->ref->net;
    ChainProducts products = chain_products(x->ref);
    char left[NUMBER_SIZE], right[NUMBER_SIZE], nonzero[NUMBER_SIZE];
    printf("\ndL/dvec(W1), all of it (m x n by n x p takes m n p multiplications), is\n");
    int column = printf("  1x%zu", net->architecture.classes);
    for (size_t l = net->n_layers; l-- > net->first_trained;) {
        const Layer *layer = &net->layers[l];
        char shape[48];
        snprintf(shape, sizeof shape, "%zux%zu", shape_size(layer->out),
                 layer_argument_size(layer, l == net->first_trained ? 1 : 0));
        column = print_word(column, shape);
    }
    printf("\n%18s from the left: always a row vector by a Jacobian\n"
           "%18s from the right: always a Jacobian by a Jacobian\n"
           "%18s from the left, if the zeros of the Jacobians are skipped\n",
           grouped(left, products.left), grouped(right, products.right),
           grouped(nonzero, products.nonzero));
}

bool explanation_print_text(const Explanation *x, Error *err)
{
    char sizes[NETWORK_SIZES_SIZE];
    network_sizes(x->ref->net, sizes, sizeof sizes);
    printf("%s, %s, %s\nlabel %s%s, predicted %s with probability %.4f\n\n",
           command_shown(x->path).text, sizes, command_shown(x->image).text,
           mlp_class_name(x->model, x->ref->label), x->label_of,
           mlp_class_name(x->model, x->predicted), x->probability);
    print_values(x);
    if (!print_jacobians(x, err))
        return false;
    print_factors(x);
    print_classes(x);
    print_checks(x);
    print_products(x);
    return true;
}

// ---------------------------------------------------------------------------------------------
// JSON

static void json_numbers(JsonWriter *json, const char *key, const double *values, size_t n)
{
    json_open(json, key, '[');
    for (size_t i = 0; i < n; i++)
        json_double(json, NULL, values[i]);
    json_close(json, ']');
}

static void json_jacobians(JsonWriter *json, const Explanation *x)
{
    size_t l = x->ref->net->n_layers, which = 0;
    json_open(json, "jacobians", '[');
    do {
        mlp_jacobian J;
        reference_jacobian(&J, x->ref, l, which, NULL, NULL);
        json_open(json, NULL, '{');
        json_string(json, "name", J.name);
        json_string(json, "identity", J.identity);
        json_uint(json, "rows", J.rows);
        json_uint(json, "columns", J.cols);
        json_uint(json, "nonzero", J.nonzero);
        json_close(json, '}');
    } while (next_jacobian(x->ref->net, &l, &which));
    json_close(json, ']');
}

static void json_weight(JsonWriter *json, const Explanation *x)
{
    const WeightChain *chain = x->chain;
    const Tensor *tensor = &x->ref->net->layers[chain->weight.l].tensors[chain->weight.t];
    size_t C = x->ref->net->architecture.classes;
    char index[TEXT_SIZE];
    weight_index_text(index, sizeof index, tensor, chain->weight.e);
    json_open(json, "weight", '{');
    json_string(json, "tensor", tensor->name);
    json_string(json, "index", index);
    json_double(json, "value", (double)chain->before);
    json_open(json, "factors", '[');
    for (size_t i = 0; i < chain->n_factors; i++) {
        json_open(json, NULL, '{');
        json_string(json, "name", chain->factors[i].name);
        json_string(json, "formula", chain->factors[i].origin);
        json_exact(json, "factor", chain->factors[i].value);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_string(json, "unit", chain->unit);
    json_numbers(json, "delta", chain->delta, C);
    json_numbers(json, "logits_by_unit", chain->by_unit, C);
    json_exact(json, "chain", chain->value);
    json_exact(json, "jacobians", chain->reference);
    json_exact(json, "step", chain->step);
    json_exact(json, "differences", chain->step > 0.0 ? chain->difference : (double)NAN);
    json_double(json, "training_code", chain->training);
    json_exact(json, "learning_rate", x->model->settings.learning_rate);
    json_double(json, "updated", (double)chain->after);
    json_close(json, '}');
}

static void json_arrays(JsonWriter *json, const Arrays *arrays)
{
    json_open(json, "arrays", '[');
    for (size_t i = 0; i < arrays->n; i++) {
        const NamedArray *array = &arrays->list[i];
        json_open(json, NULL, '{');
        json_string(json, "name", array->name);
        json_uint(json, "rows", array->rows);
        json_uint(json, "columns", array->cols);
        json_numbers(json, "values", array->at, array->rows * array->cols);
        json_close(json, '}');
    }
    json_close(json, ']');
}

void explanation_print_json(const Explanation *x)
{
    JsonWriter writer = {.out = stdout}, *json = &writer;
    ChainProducts products = chain_products(x->ref);
    json_open(json, NULL, '{');
    json_string(json, "model", x->path);
    json_string(json, "image", x->image);
    json_uint(json, "label", x->ref->label);
    json_uint(json, "predicted", x->predicted);
    json_exact(json, "loss", reference_loss(x->ref));
    json_jacobians(json, x);
    json_weight(json, x);
    json_open(json, "products", '{');
    json_exact(json, "left", products.left);
    json_exact(json, "right", products.right);
    json_exact(json, "nonzero", products.nonzero);
    json_close(json, '}');
    json_arrays(json, x->arrays);
    json_close(json, '}');
}
