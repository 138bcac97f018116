// The report of `mlp explain`, from x to the update of one weight. Read explanation.h first; the
// text comes before the JSON, in the same order.
#include "explanation.h"

#include "numbers.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 80, NAME_SIZE = 64, TEXT_SIZE = 128 };

// ---------------------------------------------------------------------------------------------
// Pieces of lines

// "123,456": whole numbers below 2^53, others in short.
static const char *grouped(char text[NUMBER_SIZE], double value)
{
    char digits[NUMBER_SIZE];
    size_t n = (size_t)snprintf(digits, sizeof digits, "%.0f", value), to = 0;
    if (value >= 9e15) {
        snprintf(text, NUMBER_SIZE, "%.3g", value);
        return text;
    }
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            text[to++] = ',';
        text[to++] = digits[i];
    }
    text[to] = '\0';
    return text;
}

// "784" or "16x24x24".
static void shape_text(char *text, size_t size, Shape shape)
{
    if (shape.height * shape.width == 1)
        snprintf(text, size, "%zu", shape.channels);
    else
        snprintf(text, size, "%zux%zux%zu", shape.channels, shape.height, shape.width);
}

// Of a list too long for the screen the middle is left out. Says whether item i is shown; prints
// how many are not in the place of the first of these.
static bool is_shown(const Explanation *x, size_t i, size_t n, size_t most)
{
    size_t head = most / 2, tail = most - 1 - head;
    if (x->full || n <= most || i < head || i >= n - tail)
        return true;
    if (i == head)
        printf("  ... %zu more: --full\n", n - head - tail);
    return false;
}

// All numbers, eight to a line.
static void print_all(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%9.3g%s", values[i], i + 1 == n || i % 8 == 7 ? "\n" : " ");
}

// ---------------------------------------------------------------------------------------------
// Values

typedef struct Value {
    char symbol[NAME_SIZE / 4], formula[NAME_SIZE], shape[NAME_SIZE];
    const double *at;
    size_t n;
} Value;

static size_t count_values(const Explanation *x)
{
    return 3 + x->ref->net->n_layers - x->ref->net->first_trained;
}

// x, then the output of each layer from the first trained one on, then yhat and the loss.
static Value value_of(const Explanation *x, size_t i, const double *loss)
{
    const Network *net = x->ref->net;
    size_t l = net->first_trained + i - 1, C = net->architecture.classes;
    Value value = {.at = loss, .n = 1, .symbol = "L", .shape = "1"};
    snprintf(value.formula, NAME_SIZE, "-log yhat[%zu]", x->ref->label);
    if (i == 0) {
        value = (Value){.at = x->ref->argument[0][0], .n = shape_size(net->layers[0].in)};
        snprintf(value.symbol, sizeof value.symbol, "x");
        snprintf(value.formula, NAME_SIZE, "pixel / 255 / %.4f", x->model->facts.pixel_std);
        snprintf(value.shape, NAME_SIZE, "%zu", value.n);
        if (net->first_trained > 0)
            shape_text(value.shape, NAME_SIZE, net->layers[0].in);
    } else if (l < net->n_layers) {
        const Layer *layer = &net->layers[l];
        value = (Value){.at = x->ref->argument[l + 1][0], .n = shape_size(layer->out)};
        snprintf(value.symbol, sizeof value.symbol, "%s", layer->symbol);
        layer_text(value.formula, NAME_SIZE, layer, layer->kind->formula);
        shape_text(value.shape, NAME_SIZE, layer->out);
    } else if (l == net->n_layers) {
        value = (Value){.at = x->yhat, .n = C, .symbol = "yhat"};
        snprintf(value.formula, NAME_SIZE, "softmax(%s)", net->layers[net->n_layers - 1].symbol);
        snprintf(value.shape, NAME_SIZE, "%zu", C);
    }
    return value;
}

static size_t count_nonzero(const double *values, size_t n, size_t *first)
{
    size_t count = 0;
    *first = 0;
    for (size_t i = 0; i < n; i++)
        if (values[i] != 0.0 && count++ == 0)
            *first = i;
    return count;
}

static void print_values(const Explanation *x)
{
    enum { MOST = 11 };
    double loss = reference_loss(x->ref);
    size_t n = count_values(x);
    printf("%-27s %10s %7s %s\n", "value", "shape", "nonzero", "   from the first nonzero on");
    for (size_t i = 0; i < n; i++) {
        if (!is_shown(x, i, n, MOST))
            continue;
        char text[TEXT_SIZE];
        size_t first;
        Value value = value_of(x, i, &loss);
        snprintf(text, sizeof text, "%-4s = %s", value.symbol, value.formula);
        printf("%-27s %10s %7zu", text, value.shape, count_nonzero(value.at, value.n, &first));
        for (size_t k = first; k < value.n && k < first + 3; k++)
            printf(" %9.3g", value.at[k]);
        puts(value.n - first > 3 ? " ..." : "");
        if (x->full && value.n > 3)
            print_all(value.at, value.n);
    }
}

// ---------------------------------------------------------------------------------------------
// Jacobians

typedef struct JacobianText {
    char name[NAME_SIZE], identity[NAME_SIZE];
    size_t l, which;                      // l = n_layers: of the loss
    size_t rows, cols, nonzero, row, col; // the corner begins at row, col
} JacobianText;

// From the loss back to the first trained layer, as mlp gradcheck has them.
static size_t count_jacobians(const Network *net)
{
    size_t n = 0;
    for (size_t l = net->first_trained; l < net->n_layers; l++)
        n += 1 + net->layers[l].n_tensors;
    return n; // that of the loss is one more, dx of the first layer one less
}

static JacobianText jacobian_of(const Explanation *x, size_t i)
{
    const Network *net = x->ref->net;
    const Layer *last = &net->layers[net->n_layers - 1];
    size_t l = net->n_layers, C = net->architecture.classes;
    JacobianText J = {
        .l = l, .rows = 1, .cols = C, .nonzero = count_nonzero(x->chain->delta, C, &J.col)};
    snprintf(J.name, NAME_SIZE, "dL/d%s", last->symbol);
    snprintf(J.identity, NAME_SIZE, "(yhat - y)^T (7)");
    if (i == 0)
        return J;
    for (i--, l--; i > net->layers[l].n_tensors; l--)
        i -= 1 + net->layers[l].n_tensors;
    const Layer *layer = &net->layers[l];
    char argument[NAME_SIZE / 2];
    J.l = l;
    J.which = layer->n_tensors - i;
    J.rows = shape_size(layer->out);
    J.cols = layer_argument_size(layer, J.which);
    J.nonzero = reference_nonzeros(x->ref, l, J.which, &J.row, &J.col);
    layer_argument_name(argument, sizeof argument, layer, J.which);
    snprintf(J.name, NAME_SIZE, "d%s/d%s", layer->symbol, argument);
    layer_text(J.identity, NAME_SIZE, layer, layer->kind->identity[J.which]);
    return J;
}

// Row `row` of the Jacobian, its entries left in the reference. Returns their number.
static size_t jacobian_row(const Explanation *x, const JacobianText *J, size_t row)
{
    const Reference *ref = x->ref;
    if (J->l < ref->net->n_layers)
        return ref->net->layers[J->l].kind->reference_row(
            &ref->net->layers[J->l], reference_arguments(ref, J->l), J->which, row, ref->row);
    for (size_t k = 0; k < J->cols; k++)
        ref->row[k] = (JacobianEntry){k, x->chain->delta[k]};
    return J->cols;
}

static double jacobian_at(const Explanation *x, const JacobianText *J, size_t row, size_t col)
{
    size_t n = jacobian_row(x, J, row);
    for (size_t e = 0; e < n; e++)
        if (x->ref->row[e].col == col)
            return x->ref->row[e].value;
    return 0.0;
}

static void print_corner_row(const Explanation *x, const JacobianText *J, size_t row)
{
    for (size_t c = J->col; c < J->cols && c < J->col + 2; c++)
        printf(" %9.3g", jacobian_at(x, J, row, c));
    putchar('\n');
}

// The entries that are not 0, row by row, as column:value.
static void print_entries(const Explanation *x, const JacobianText *J)
{
    for (size_t i = 0; i < J->rows; i++) {
        size_t n = jacobian_row(x, J, i);
        int column = printf("  row %zu:", i);
        for (size_t e = 0; e < n; e++) {
            char entry[TEXT_SIZE];
            const JacobianEntry *at = &x->ref->row[e];
            int length = snprintf(entry, sizeof entry, " %zu:%.3g", at->col, at->value);
            if (at->value == 0.0)
                continue;
            if (column + length > WIDTH)
                column = printf("\n   ") - 1;
            column += printf("%s", entry);
        }
        putchar('\n');
    }
}

static void print_jacobians(const Explanation *x)
{
    enum { MOST = 10 };
    size_t n = count_jacobians(x->ref->net);
    const Layer *first = &x->ref->net->layers[x->ref->net->first_trained];
    bool has_two_rows = x->full || n <= 7;
    printf("\n%-13s %-23s %10s %8s  %s\n", "Jacobian", "identity", "shape", "nonzero",
           has_two_rows ? "corner, 2 x 2" : "a part of a row");
    for (size_t i = 0; i < n; i++) {
        if (!is_shown(x, i, n, MOST))
            continue;
        JacobianText J = jacobian_of(x, i);
        char shape[NAME_SIZE], at[NAME_SIZE];
        snprintf(shape, sizeof shape, "%zux%zu", J.rows, J.cols);
        printf("%-13s %-23s %10s %8zu", J.name, J.identity, shape, J.nonzero);
        print_corner_row(x, &J, J.row);
        if (has_two_rows && J.row + 1 < J.rows) {
            snprintf(at, sizeof at, "at row %zu, column %zu:", J.row, J.col);
            printf("%57s", J.row > 0 || J.col > 0 ? at : "");
            print_corner_row(x, &J, J.row + 1);
        }
        if (x->full)
            print_entries(x, &J);
    }
    size_t O = shape_size(first->out), I = tensor_size(&first->tensors[0]), rows;
    rows = first->tensors[0].dims[0];
    printf("One row for each number of the output, one column for each number of the input:\n"
           "d%s/dvec(W1) is %zux%zu: %s has %zu numbers, W1 %zu x %zu = %zu.\n",
           first->symbol, O, I, first->symbol, O, rows, I / rows, I);
}

// ---------------------------------------------------------------------------------------------
// One weight

// "dL/dw": the names of what a factor is of. `into` is "da1[17]/dw", "df1[17]/da1[17]".
static void factor_name(char text[TEXT_SIZE], const Explanation *x, const ChainFactor *factor)
{
    const Layer *layer = &x->ref->net->layers[factor->l];
    if (factor->which > 0)
        snprintf(text, TEXT_SIZE, "d%s[%zu]/dw", layer->symbol, factor->row);
    else
        snprintf(text, TEXT_SIZE, "d%s[%zu]/d%s[%zu]", layer->symbol, factor->row, layer->in_symbol,
                 factor->col);
}

// Where the factor's value comes from: "x[406]", "1" of a bias, "f1 * (1 - f1) at 17".
static void factor_origin(char text[TEXT_SIZE], const Explanation *x, const ChainFactor *factor)
{
    const Layer *layer = &x->ref->net->layers[factor->l];
    char derivative[NAME_SIZE];
    if (factor->which == 1)
        snprintf(text, TEXT_SIZE, "%s[%zu]", layer->in_symbol, factor->col % shape_size(layer->in));
    else if (factor->which == 2)
        snprintf(text, TEXT_SIZE, "1");
    else {
        layer_derivative_text(derivative, sizeof derivative, layer);
        snprintf(text, TEXT_SIZE, "%s at %zu", derivative, factor->row);
    }
}

// What the logits are derived by in the sum over the classes: "f1[17]", or "w".
static void unit_name(char text[TEXT_SIZE], const Explanation *x)
{
    const WeightChain *chain = x->chain;
    if (chain->n_factors == 0)
        snprintf(text, TEXT_SIZE, "w");
    else
        snprintf(text, TEXT_SIZE, "%s[%zu]", x->ref->net->layers[chain->unit_layer].symbol,
                 chain->factors[chain->n_factors - 1].row);
}

static void weight_name(char text[TEXT_SIZE], const Explanation *x)
{
    Weight w = x->chain->weight;
    const Layer *layer = &x->ref->net->layers[w.l];
    char index[NAME_SIZE];
    weight_index_text(index, sizeof index, &layer->tensors[w.t], w.e);
    snprintf(text, TEXT_SIZE, "%s%u%s", layer->tensors[w.t].letter, layer->number, index);
}

// The formula, and the factors before the sum over the classes.
static void print_factors(const Explanation *x)
{
    const WeightChain *chain = x->chain;
    const Network *net = x->ref->net;
    const char *a = net->layers[net->n_layers - 1].symbol;
    char name[TEXT_SIZE], origin[TEXT_SIZE], unit[TEXT_SIZE];
    weight_name(name, x);
    unit_name(unit, x);
    printf("\nOne weight: w = %s of %s, %.6g. Its chain rule:\n", name,
           net->layers[chain->weight.l].tensors[chain->weight.t].name, (double)chain->before);
    int column = printf("  dL/dw = (sum_k dL/d%s[k] d%s[k]/d%s)", a, a, unit);
    for (size_t i = chain->n_factors; i-- > 0;) {
        factor_name(name, x, &chain->factors[i]);
        if (column + (int)strlen(name) + 1 > WIDTH)
            column = printf("\n         ") - 1;
        column += printf(" %s", name);
    }
    putchar('\n');
    for (size_t i = 0; i < chain->n_factors; i++) {
        factor_name(name, x, &chain->factors[i]);
        factor_origin(origin, x, &chain->factors[i]);
        printf("  %-17s = %-22s = %.9g\n", name, origin, chain->factors[i].value);
    }
    const Layer *layer = &net->layers[chain->weight.l];
    size_t next = chain->unit_layer + 1;
    if (chain->n_factors == 0)
        printf("  w acts on all %zu positions of a channel of %s, and so on every %s[k]\n",
               layer->out.height * layer->out.width, layer->symbol, a);
    snprintf(name, sizeof name, "d%s[k]/d%.32s", a, unit);
    if (chain->n_factors > 0 && next + 1 == net->n_layers)
        printf("  %-17s = W%u[k,%zu]\n", name, net->layers[next].number,
               chain->factors[chain->n_factors - 1].row);
}

// The classes to show, the largest products first if they are too many. Returns their number.
static size_t choose_classes(const Explanation *x, size_t list[MLP_MAX_CLASSES])
{
    enum { MOST = 10 };
    const WeightChain *chain = x->chain;
    size_t n = 0, C = x->ref->net->architecture.classes;
    bool taken[MLP_MAX_CLASSES] = {false};
    while (n < C && (n < MOST || x->full)) {
        size_t best = C;
        for (size_t k = 0; k < C; k++)
            if (!taken[k] && (best == C || (C > MOST && !x->full &&
                                            fabs(chain->delta[k] * chain->by_unit[k]) >
                                                fabs(chain->delta[best] * chain->by_unit[best]))))
                best = k;
        taken[best] = true;
        list[n++] = best;
    }
    return n;
}

// The row of softmax's Jacobian that the label selects: dyhat[t]/da[k] = yhat[t] (1{k = t} -
// yhat[k]).
static double softmax_row(const Explanation *x, size_t k)
{
    size_t t = x->ref->label;
    return x->yhat[t] * ((k == t ? 1.0 : 0.0) - x->yhat[k]);
}

static void print_classes(const Explanation *x)
{
    const WeightChain *chain = x->chain;
    const Network *net = x->ref->net;
    const char *a = net->layers[net->n_layers - 1].symbol;
    size_t list[MLP_MAX_CLASSES], n = choose_classes(x, list), C = net->architecture.classes;
    size_t t = x->ref->label;
    char unit[TEXT_SIZE], head[4][2 * TEXT_SIZE];
    unit_name(unit, x);
    printf("Softmax with the loss: dL/dyhat (1x%zu) is 0 but for -1/yhat[%zu] = %.6g, and\n"
           "that times row %zu of dyhat/d%s = diag(yhat) - yhat yhat^T (%zux%zu) is yhat - y%s\n",
           C, t, -1.0 / x->yhat[t], t, a, C, C,
           x->yhat[t] > 0.0 ? ":" : ", which\ncan be computed even here, where yhat underflows:");
    snprintf(head[0], sizeof head[0], "%s[k]", a);
    snprintf(head[1], sizeof head[1], "dyhat[%zu]/d%s", t, a);
    snprintf(head[2], sizeof head[2], "yhat - y");
    snprintf(head[3], sizeof head[3], "d%s/d%s", a, unit);
    printf("%3s %9s %11s %2s %13s %12s %12s %11s\n", "k", head[0], "yhat[k]", "y", head[1], head[2],
           head[3], "product");
    double rest = chain->sum;
    for (size_t i = 0; i < n; i++) {
        size_t k = list[i];
        double product = chain->delta[k] * chain->by_unit[k];
        rest -= product;
        printf("%3zu %9.4f %11.4g %2d %13.4g %12.4g %12.4g %11.4g\n", k,
               reference_logits(x->ref)[k], x->yhat[k], k == t, softmax_row(x, k), chain->delta[k],
               chain->by_unit[k], product);
    }
    if (n < C)
        printf("  %zu more: --full %62.4g\n", C - n, rest);
    snprintf(head[0], sizeof head[0], "sum %.9g", chain->sum);
    printf("%80s\n", head[0]);
}

// ---------------------------------------------------------------------------------------------
// The same number, and the order of the products

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
           x->learning_rate, chain->training, (double)chain->after);
}

static void print_products(const Explanation *x)
{
    const Network *net = x->ref->net;
    char number[NUMBER_SIZE];
    printf("\ndL/dvec(W1), all of it (m x n by n x p takes m n p multiplications), is\n");
    int column = printf("  1x%zu", net->architecture.classes);
    for (size_t l = net->n_layers; l-- > net->first_trained;) {
        const Layer *layer = &net->layers[l];
        char shape[NAME_SIZE];
        int length = snprintf(shape, sizeof shape, " %zux%zu", shape_size(layer->out),
                              layer_argument_size(layer, l == net->first_trained ? 1 : 0));
        if (column + length > WIDTH)
            column = printf("\n ") - 1;
        column += printf("%s", shape);
    }
    putchar('\n');
    printf("%18s from the left: always a row vector by a Jacobian\n",
           grouped(number, x->products.left));
    printf("%18s from the right: always a Jacobian by a Jacobian\n",
           grouped(number, x->products.right));
    printf("%18s from the left, if the zeros of the Jacobians are skipped\n",
           grouped(number, x->products.nonzero));
}

void explanation_print_text(const Explanation *x)
{
    char sizes[NETWORK_SIZES_SIZE];
    network_sizes(x->ref->net, sizes, sizeof sizes);
    printf("%s, %s, %s\nlabel %s%s, predicted %s with probability %.4f\n\n",
           command_shown(x->path).text, sizes, command_shown(x->image).text,
           mlp_class_name(x->model, x->ref->label), x->label_of,
           mlp_class_name(x->model, x->predicted), x->probability);
    print_values(x);
    print_jacobians(x);
    print_factors(x);
    print_classes(x);
    print_checks(x);
    print_products(x);
}

// ---------------------------------------------------------------------------------------------
// JSON

// All digits; null when it is not finite.
static void json_number(JsonWriter *json, const char *key, double value)
{
    if (isfinite(value))
        json_exact(json, key, value);
    else
        json_double(json, key, value);
}

static void json_doubles(JsonWriter *json, const char *key, const double *values, size_t n)
{
    json_open(json, key, '[');
    for (size_t i = 0; i < n; i++)
        json_number(json, NULL, values[i]);
    json_close(json, ']');
}

static void json_values(JsonWriter *json, const Explanation *x)
{
    double loss = reference_loss(x->ref);
    json_open(json, "values", '[');
    for (size_t i = 0; i < count_values(x); i++) {
        Value value = value_of(x, i, &loss);
        json_open(json, NULL, '{');
        json_string(json, "symbol", value.symbol);
        json_string(json, "formula", value.formula);
        json_string(json, "shape", value.shape);
        json_doubles(json, "values", value.at, value.n);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void json_jacobians(JsonWriter *json, const Explanation *x)
{
    json_open(json, "jacobians", '[');
    for (size_t i = 0; i < count_jacobians(x->ref->net); i++) {
        JacobianText J = jacobian_of(x, i);
        json_open(json, NULL, '{');
        json_string(json, "name", J.name);
        json_string(json, "identity", J.identity);
        json_uint(json, "rows", J.rows);
        json_uint(json, "columns", J.cols);
        json_uint(json, "nonzero", J.nonzero);
        json_open(json, "corner", '{');
        json_uint(json, "row", J.row);
        json_uint(json, "column", J.col);
        json_number(json, "value", jacobian_at(x, &J, J.row, J.col));
        json_close(json, '}');
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void json_weight(JsonWriter *json, const Explanation *x)
{
    const WeightChain *chain = x->chain;
    const Network *net = x->ref->net;
    size_t C = net->architecture.classes;
    Weight w = chain->weight;
    const Tensor *tensor = &net->layers[w.l].tensors[w.t];
    char text[TEXT_SIZE], name[TEXT_SIZE], index[NAME_SIZE];
    weight_index_text(index, sizeof index, tensor, w.e);
    snprintf(text, sizeof text, "%s%s", tensor->name, index);
    json_open(json, "weight", '{');
    json_string(json, "name", text);
    json_double(json, "value", (double)chain->before);
    json_open(json, "factors", '[');
    for (size_t i = 0; i < chain->n_factors; i++) {
        factor_name(name, x, &chain->factors[i]);
        factor_origin(text, x, &chain->factors[i]);
        json_open(json, NULL, '{');
        json_string(json, "name", name);
        json_string(json, "formula", text);
        json_number(json, "value", chain->factors[i].value);
        json_close(json, '}');
    }
    json_close(json, ']');
    unit_name(text, x);
    json_string(json, "unit", text);
    json_doubles(json, "delta", chain->delta, C);
    json_doubles(json, "logits_by_unit", chain->by_unit, C);
    json_number(json, "sum", chain->sum);
    json_number(json, "chain", chain->value);
    json_number(json, "jacobians", chain->reference);
    if (chain->step > 0.0) {
        json_number(json, "step", chain->step);
        json_number(json, "differences", chain->difference);
    }
    json_double(json, "training_code", chain->training);
    json_number(json, "learning_rate", x->learning_rate);
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
        json_open(json, "values", '[');
        for (size_t e = 0; e < array->rows * array->cols; e++)
            json_double(json, NULL, array->at[e]);
        json_close(json, ']');
        json_close(json, '}');
    }
    json_close(json, ']');
}

void explanation_print_json(const Explanation *x)
{
    JsonWriter writer = {.out = stdout}, *json = &writer;
    size_t C = x->ref->net->architecture.classes;
    double row[MLP_MAX_CLASSES];
    for (size_t k = 0; k < C; k++)
        row[k] = softmax_row(x, k);
    json_open(json, NULL, '{');
    json_string(json, "model", x->path);
    json_string(json, "image", x->image);
    json_uint(json, "label", x->ref->label);
    json_uint(json, "predicted", x->predicted);
    json_number(json, "loss", reference_loss(x->ref));
    json_values(json, x);
    json_jacobians(json, x);
    json_open(json, "softmax", '{');
    json_number(json, "dL_dyhat_at_label", -1.0 / x->yhat[x->ref->label]);
    json_doubles(json, "dyhat_at_label_da", row, C);
    json_doubles(json, "dL_da", x->chain->delta, C);
    json_close(json, '}');
    json_weight(json, x);
    json_open(json, "products", '{');
    json_number(json, "left", x->products.left);
    json_number(json, "right", x->products.right);
    json_number(json, "nonzero", x->products.nonzero);
    json_close(json, '}');
    if (x->arrays != NULL)
        json_arrays(json, x->arrays);
    json_close(json, '}');
}
