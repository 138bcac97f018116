// Agreement, and the search for a mistake that explains a disagreement: first those that can be
// seen in the array itself (transposed, a factor, shifted), then those that are made in the passes.
// Read diagnose.h first.
#include "diagnose.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// What is compared: a given array, read as it is or transposed, with values expected of it.
typedef struct Comparison {
    const GivenArray *given;
    bool is_transposed;
    size_t rows, cols;
    const double *expected; // (rows, cols)
    double allowed;         // difference
    size_t n;               // examples
} Comparison;

static double given_at(const Comparison *c, size_t row, size_t col)
{
    return c->given->at[c->is_transposed ? col * c->rows + row : row * c->cols + col];
}

static double largest_of(const double *values, size_t n)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = larger(largest, fabs(values[i]));
    return largest;
}

// The difference that is allowed; `added` is the array with yhat + y.
static double allowed_of(const NamedArray *expected, const NamedArray *added)
{
    size_t n = expected->rows * expected->cols;
    double largest = largest_of(expected->at, n), single = 0.0;
    if (expected->kind == ARRAY_DELTA || expected->kind == ARRAY_GRADIENT)
        single = largest_of(added->at, n);
    else if (expected->kind == ARRAY_LOSS)
        single = 1.0; // log(yhat), yhat near 1
    return fmin(DIAGNOSE_LIMIT * largest + DIAGNOSE_SINGLE * single, DIAGNOSE_LARGEST * largest);
}

// max|given - factor * expected|, row and column of the expected being `down` and `right` further;
// beyond the edges nothing is compared. Counts the expected numbers that are not 0.
static double gap_of(const Comparison *c, double factor, int down, int right, size_t *nonzero)
{
    double gap = 0.0;
    *nonzero = 0;
    for (size_t r = down < 0; r + (down > 0) < c->rows; r++)
        for (size_t k = right < 0; k + (right > 0) < c->cols; k++) {
            size_t row = (size_t)((ptrdiff_t)r + down), col = (size_t)((ptrdiff_t)k + right);
            double expected = c->expected[row * c->cols + col];
            *nonzero += expected != 0.0;
            gap = larger(gap, fabs(given_at(c, r, k) - factor * expected));
        }
    return gap;
}

// Infinity is no agreement either.
static bool is_allowed(double gap, double allowed)
{
    return isfinite(gap) && gap <= allowed;
}

static bool is_near(double value, double wanted)
{
    return fabs(value - wanted) <= 1e-3 * fabs(wanted);
}

// Says what a factor means; "" for 1. false: so few numbers prove no factor but a usual one.
static bool factor_text(char *text, size_t size, double factor, size_t n, size_t nonzero)
{
    double B = (double)n;
    if (is_near(factor, 1.0))
        snprintf(text, size, "%s", "");
    else if (is_near(factor, -1.0))
        snprintf(text, size, "wrong sign");
    else if (n > 1 && is_near(fabs(factor), 1.0 / B))
        snprintf(text, size, "%smean over the %zu images instead of the sum",
                 factor < 0.0 ? "wrong sign, and " : "", n);
    else if (n > 1 && is_near(fabs(factor), B))
        snprintf(text, size, "%s%zu times too large, as if summed twice over the images",
                 factor < 0.0 ? "wrong sign, and " : "", n);
    else
        snprintf(text, size, "%.4g times what is expected", factor);
    return nonzero >= 4 || is_near(factor, 1.0) || is_near(factor, -1.0) ||
           is_near(fabs(factor), 1.0 / B) || is_near(fabs(factor), B);
}

// Whether the given array is a multiple of the expected one, and which: that of least squares.
static bool is_multiple(char *text, size_t size, const Comparison *c)
{
    double dot = 0.0, square = 0.0;
    size_t nonzero;
    for (size_t r = 0; r < c->rows; r++)
        for (size_t k = 0; k < c->cols; k++) {
            double expected = c->expected[r * c->cols + k];
            dot += given_at(c, r, k) * expected;
            square += expected * expected;
        }
    double factor = square > 0.0 ? dot / square : 0.0;
    factor = is_near(factor, 1.0) ? 1.0 : factor;
    return factor != 0.0 &&
           is_allowed(gap_of(c, factor, 0, 0, &nonzero), c->allowed * fabs(factor)) &&
           factor_text(text, size, factor, c->n, nonzero);
}

static bool is_shifted(char *text, size_t size, const Comparison *c)
{
    static const struct {
        int down, right;
        const char *which;
    } shifts[] = {{0, 1, "column j has what belongs to column j+1"},
                  {0, -1, "column j has what belongs to column j-1"},
                  {1, 0, "row i has what belongs to row i+1"},
                  {-1, 0, "row i has what belongs to row i-1"}};
    for (size_t s = 0; s < sizeof shifts / sizeof shifts[0]; s++) {
        size_t nonzero;
        double gap = gap_of(c, 1.0, shifts[s].down, shifts[s].right, &nonzero);
        if (is_allowed(gap, c->allowed) && nonzero >= 3) {
            snprintf(text, size, "off by one index: %s", shifts[s].which);
            return true;
        }
    }
    return false;
}

// ---------------------------------------------------------------------------------------------
// Shapes

static bool is_vector(size_t rows, size_t cols)
{
    return rows == 1 || cols == 1;
}

// Whether the given array can be read in the shape of the expected one, as it is or transposed.
static bool has_shape(const NamedArray *expected, const GivenArray *given, bool is_transposed)
{
    size_t rows = is_transposed ? given->cols : given->rows;
    size_t cols = is_transposed ? given->rows : given->cols;
    bool are_vectors = is_vector(expected->rows, expected->cols) && is_vector(rows, cols);
    if (are_vectors)
        return !is_transposed && rows * cols == expected->rows * expected->cols;
    return rows == expected->rows && cols == expected->cols;
}

static Comparison comparison_of(const NamedArray *expected, const GivenArray *given,
                                bool is_transposed, double allowed, size_t n)
{
    return (Comparison){.given = given,
                        .is_transposed = is_transposed,
                        .rows = expected->rows,
                        .cols = expected->cols,
                        .expected = expected->at,
                        .allowed = allowed,
                        .n = n};
}

// ---------------------------------------------------------------------------------------------
// Mistakes in the passes

// Mistake number i and what it is called. Returns false after the last one.
static bool mistake_of(Mistake *mistake, char *text, size_t size, const Network *net, size_t i)
{
    size_t C = net->architecture.classes, n_activations = 0, n_biases = 0;
    *mistake = (Mistake){.no_label = i == 0, .label_shift = i == 1 ? 1 : i == 2 ? C - 1 : 0};
    if (i < 3) {
        snprintf(text, size, "%s",
                 i == 0 ? "y is not subtracted: yhat instead of yhat - y"
                        : "off by one index: y is subtracted at a neighbour of the label");
        return true;
    }
    i -= 3;
    for (size_t l = net->first_trained; l < net->n_layers; l++) {
        const Layer *layer = &net->layers[l];
        if (layer->kind->is_activation && n_activations++ == i) {
            char derivative[64];
            layer_derivative_text(derivative, sizeof derivative, layer);
            mistake->left_out[l] = true;
            snprintf(text, size, "the factor %s is missing (d%s/d%s)", derivative, layer->symbol,
                     layer->in_symbol);
            return true;
        }
    }
    i -= n_activations;
    for (size_t l = net->first_trained; l < net->n_layers; l++)
        if (net->layers[l].n_tensors > 1 && n_biases++ == i) {
            mistake->no_bias[l] = true;
            snprintf(text, size, "the bias b%u is forgotten", net->layers[l].number);
            return true;
        }
    i -= n_biases;
    for (size_t l = net->first_trained; l < net->n_layers; l++) {
        mistake->left_out[l] = i == 0 && net->layers[l].kind->is_activation;
        mistake->no_bias[l] = i == 1 && net->layers[l].n_tensors > 1;
    }
    snprintf(text, size, "%s",
             i == 0 ? "the derivatives of all activations are missing"
                    : "all biases are forgotten");
    return i < 2;
}

// ---------------------------------------------------------------------------------------------
// All arrays

// Whether the given array is what a mistake gives (text: its name; "" for none): as it is or
// transposed, or a multiple of it.
static bool explains(Verdict *verdict, const NamedArray *mistaken, const GivenArray *given,
                     double allowed, size_t n, const char *text)
{
    char factor[128];
    for (int turned = 0; turned < 2; turned++) {
        if (!has_shape(mistaken, given, turned != 0))
            continue;
        Comparison c = comparison_of(mistaken, given, turned != 0, allowed, n);
        bool is_right = *text == '\0' && turned == 0; // apart from a factor or a shift
        if (!is_multiple(factor, sizeof factor, &c) &&
            (*text != '\0' || !is_shifted(factor, sizeof factor, &c)))
            continue;
        if (is_right && *factor == '\0')
            continue;
        const char *parts[] = {turned != 0 ? "transposed" : "", text, factor};
        size_t at = 0;
        for (size_t p = 0; p < 3; p++)
            if (*parts[p] != '\0' && at < sizeof verdict->what)
                at += (size_t)snprintf(verdict->what + at, sizeof verdict->what - at, "%s%s",
                                       at > 0 ? "; " : "", parts[p]);
        return true;
    }
    return false;
}

// Whether it agrees, and if not, what shows without looking at the passes.
static void judge(Verdict *verdict, const NamedArray *expected, const GivenArray *given,
                  double allowed, size_t n)
{
    size_t size = given->rows * given->cols, nonzero;
    *verdict = (Verdict){.error = (double)NAN};
    if (has_shape(expected, given, false)) {
        Comparison c = comparison_of(expected, given, false, allowed, n);
        double gap = gap_of(&c, 1.0, 0, 0, &nonzero), largest = largest_of(expected->at, size);
        verdict->agrees = is_allowed(gap, allowed);
        verdict->error = gap > 0.0 ? gap / (largest > 0.0 ? largest : 1.0) : 0.0;
    } else if (!has_shape(expected, given, true)) {
        snprintf(verdict->what, sizeof verdict->what, "its shape is %zux%zu, expected is %zux%zu",
                 given->rows, given->cols, expected->rows, expected->cols);
        return;
    }
    if (verdict->agrees)
        return;
    if (!(largest_of(given->at, size) > 0.0))
        snprintf(verdict->what, sizeof verdict->what, "it is all zero");
    else
        explains(verdict, expected, given, allowed, n, "");
}

bool arrays_diagnose(Verdict verdicts[ARRAYS_MAX], const Arrays *arrays,
                     const GivenArray given[ARRAYS_MAX], Reference *ref, const Examples *examples,
                     Arena *arena, Error *err)
{
    Arrays other;
    Mistake mistake = {.adds_label = true};
    double allowed[ARRAYS_MAX];
    char text[96];
    size_t n_unknown = 0;
    if (!arrays_open(&other, ref->net, examples->n, arena, err))
        return false;
    arrays_compute(arrays, ref, examples, NULL);
    arrays_compute(&other, ref, examples, &mistake);
    for (size_t i = 0; i < arrays->n; i++) {
        allowed[i] = allowed_of(&arrays->list[i], &other.list[i]);
        if (given[i].at != NULL)
            judge(&verdicts[i], &arrays->list[i], &given[i], allowed[i], examples->n);
        n_unknown += given[i].at != NULL && !verdicts[i].agrees && verdicts[i].what[0] == '\0';
    }
    for (size_t m = 0; n_unknown > 0 && mistake_of(&mistake, text, sizeof text, ref->net, m); m++) {
        arrays_compute(&other, ref, examples, &mistake);
        for (size_t i = 0; i < arrays->n; i++)
            if (given[i].at != NULL && !verdicts[i].agrees && verdicts[i].what[0] == '\0' &&
                explains(&verdicts[i], &other.list[i], &given[i],
                         fmax(allowed[i],
                              DIAGNOSE_LIMIT * largest_of(other.list[i].at,
                                                          other.list[i].rows * other.list[i].cols)),
                         examples->n, text))
                n_unknown--;
    }
    return true;
}
