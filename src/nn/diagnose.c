// Agreement, and the search for a mistake that explains a disagreement: first those that can be
// seen in the array itself (transposed, a factor, shifted), then those that are made in the passes.
// Read diagnose.h first.
#include "diagnose.h"

#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Two arrays

// A given array, read as it is or transposed, and what is expected of it.
typedef struct Pair {
    const Matrix *given;
    bool is_turned;
    const NamedArray *expected;
    double allowed; // difference
} Pair;

static double largest_of(const NamedArray *array)
{
    double largest = 0.0;
    for (size_t i = 0; i < array->rows * array->cols; i++)
        largest = larger(largest, fabs(array->at[i]));
    return largest;
}

// Whether the given array has the shape. A vector may be a row or a column.
static bool has_shape(const Pair *p)
{
    const NamedArray *e = p->expected;
    size_t rows = p->given->rows, cols = p->given->cols;
    bool are_vectors = (rows == 1 || cols == 1) && (e->rows == 1 || e->cols == 1);
    if (are_vectors)
        return !p->is_turned && rows * cols == e->rows * e->cols;
    return rows == (p->is_turned ? e->cols : e->rows) && cols == (p->is_turned ? e->rows : e->cols);
}

static double given_at(const Pair *p, size_t row, size_t col)
{
    return p->given
        ->at[p->is_turned ? col * p->expected->rows + row : row * p->expected->cols + col];
}

// max|given - factor * expected|, row and column of the expected being `down` and `right` further;
// beyond the edges nothing is compared. Counts the expected numbers that are not 0.
static double gap_of(const Pair *p, double factor, int down, int right, size_t *nonzero)
{
    const NamedArray *e = p->expected;
    double gap = 0.0;
    *nonzero = 0;
    for (size_t r = down < 0; r + (down > 0) < e->rows; r++)
        for (size_t c = right < 0; c + (right > 0) < e->cols; c++) {
            size_t row = (size_t)((ptrdiff_t)r + down), col = (size_t)((ptrdiff_t)c + right);
            double expected = e->at[row * e->cols + col];
            *nonzero += expected != 0.0;
            gap = larger(gap, fabs(given_at(p, r, c) - factor * expected));
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

// Whether the given array is a multiple of the expected one: which, by least squares, and what that
// means for n images. A few numbers prove no other factor than -1, n and 1/n.
static bool is_multiple(char *text, size_t size, const Pair *p, size_t n)
{
    const NamedArray *e = p->expected;
    double dot = 0.0, square = 0.0, B = (double)n;
    size_t nonzero;
    for (size_t i = 0; i < e->rows * e->cols; i++) {
        dot += given_at(p, i / e->cols, i % e->cols) * e->at[i];
        square += e->at[i] * e->at[i];
    }
    double factor = square > 0.0 ? dot / square : 0.0;
    factor = is_near(factor, 1.0) ? 1.0 : factor;
    if (!(fabs(factor) > 0.0) ||
        !is_allowed(gap_of(p, factor, 0, 0, &nonzero), p->allowed * fabs(factor)))
        return false;
    bool is_usual =
        is_near(fabs(factor), 1.0) || is_near(fabs(factor), 1.0 / B) || is_near(fabs(factor), B);
    const char *sign = factor < 0.0 ? "wrong sign" : "", *and = factor < 0.0 ? ", and " : "";
    if (!is_usual)
        snprintf(text, size, "%.4g times what is expected", factor);
    else if (is_near(fabs(factor), 1.0))
        snprintf(text, size, "%s", sign);
    else if (is_near(fabs(factor), B))
        snprintf(text, size, "%s%s%zu times too large, as if summed twice over the images", sign,
                 and, n);
    else
        snprintf(text, size, "%s%smean over the %zu images instead of the sum", sign, and, n);
    return is_usual || nonzero >= 4;
}

static bool is_shifted(char *text, size_t size, const Pair *p)
{
    for (int s = 0; s < 4; s++) {
        size_t nonzero;
        int by = s % 2 == 0 ? 1 : -1;
        double gap = gap_of(p, 1.0, s < 2 ? 0 : by, s < 2 ? by : 0, &nonzero);
        snprintf(text, size, "off by one index: %s has what belongs to %s%+d",
                 s < 2 ? "column j" : "row i", s < 2 ? "column j" : "row i", by);
        if (is_allowed(gap, p->allowed) && nonzero >= 3)
            return true;
    }
    return false;
}

// Whether the given array is what the mistake of that name ("": none) gives: as it is or
// transposed, or a multiple of that.
static bool explains(Verdict *verdict, Pair p, size_t n, const char *mistake)
{
    char more[128];
    for (int turned = 0; turned < 2; turned++) {
        p.is_turned = turned != 0;
        if (!has_shape(&p) || (!is_multiple(more, sizeof more, &p, n) &&
                               (*mistake != '\0' || !is_shifted(more, sizeof more, &p))))
            continue;
        const char *parts[] = {p.is_turned ? "transposed" : "", mistake, more};
        for (size_t i = 0, at = 0; i < 3; at = strlen(verdict->what), i++)
            if (*parts[i] != '\0')
                snprintf(verdict->what + at, sizeof verdict->what - at, "%s%s", at > 0 ? "; " : "",
                         parts[i]);
        return true;
    }
    return false;
}

// ---------------------------------------------------------------------------------------------
// Mistakes in the passes

// Mistake number i and what it is called: the label's, then that of each layer alone, then those of
// all layers. Returns false after the last one.
static bool mistake_of(Mistake *mistake, char *text, size_t size, const Network *net, size_t i)
{
    size_t end = net->n_layers, C = net->architecture.classes, of = net->first_trained + i - 3;
    const Layer *layer = &net->layers[i >= 3 && of < end ? of : end - 1];
    char derivative[64];
    *mistake = (Mistake){.no_label = i == 0, .label_shift = i == 1 ? 1 : i == 2 ? C - 1 : 0};
    for (size_t l = net->first_trained; i >= 3 && l < end; l++) {
        bool is_activation = net->layers[l].kind->is_activation;
        mistake->left_out[l] = (of == l || of == end) && is_activation;
        mistake->no_bias[l] = (of == l || of == end + 1) && net->layers[l].n_tensors > 1;
    }
    if (i == 0)
        snprintf(text, size, "y is not subtracted: yhat instead of yhat - y");
    else if (i < 3)
        snprintf(text, size, "off by one index: y is subtracted at a neighbour of the label");
    else if (of >= end)
        snprintf(text, size, "%s",
                 of == end ? "the derivatives of all activations are missing"
                           : "all biases are forgotten");
    else if (layer->kind->is_activation) {
        layer_derivative_text(derivative, sizeof derivative, layer);
        snprintf(text, size, "the factor %s is missing (d%s/d%s)", derivative, layer->symbol,
                 layer->in_symbol);
    } else // of max pooling, whose mistake is none, it explains nothing
        snprintf(text, size, "the bias b%u is forgotten", layer->number);
    return i < 3 || of < end + 2;
}

// ---------------------------------------------------------------------------------------------
// All arrays

// The difference that is allowed; `added` is the array with yhat + y.
static double allowed_of(const NamedArray *expected, const NamedArray *added)
{
    double largest = largest_of(expected), single = 0.0;
    if (expected->kind == ARRAY_DELTA || expected->kind == ARRAY_GRADIENT)
        single = largest_of(added);
    else if (expected->kind == ARRAY_LOSS)
        single = 1.0; // log(yhat), yhat near 1
    return fmin(DIAGNOSE_LIMIT * largest + DIAGNOSE_SINGLE * single, DIAGNOSE_LARGEST * largest);
}

// Whether it agrees, and if not, what shows without looking at the passes.
static void compare(Verdict *verdict, Pair p, size_t n)
{
    size_t nonzero;
    *verdict = (Verdict){.error = (double)NAN};
    if (has_shape(&p)) {
        double gap = gap_of(&p, 1.0, 0, 0, &nonzero), largest = largest_of(p.expected);
        verdict->agrees = is_allowed(gap, p.allowed);
        verdict->error = largest > 0.0 ? gap / largest : gap;
    }
    if (verdict->agrees || explains(verdict, p, n, ""))
        return;
    p.is_turned = !has_shape(&p);
    if (!has_shape(&p))
        snprintf(verdict->what, sizeof verdict->what, "its shape is %zux%zu, expected is %zux%zu",
                 p.given->rows, p.given->cols, p.expected->rows, p.expected->cols);
    else if (gap_of(&p, 0.0, 0, 0, &nonzero) <= 0.0)
        snprintf(verdict->what, sizeof verdict->what, "it is all zero");
}

bool arrays_diagnose(Verdict verdicts[ARRAYS_MAX], const Arrays *arrays,
                     const Matrix given[ARRAYS_MAX], Reference *ref, const Examples *examples,
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
        const NamedArray *expected = &arrays->list[i];
        allowed[i] = allowed_of(expected, &other.list[i]);
        if (given[i].at != NULL)
            compare(&verdicts[i], (Pair){&given[i], false, expected, allowed[i]}, examples->n);
        n_unknown += given[i].at != NULL && !verdicts[i].agrees && verdicts[i].what[0] == '\0';
    }
    for (size_t m = 0; n_unknown > 0 && mistake_of(&mistake, text, sizeof text, ref->net, m); m++) {
        arrays_compute(&other, ref, examples, &mistake);
        for (size_t i = 0; i < arrays->n; i++) {
            const NamedArray *wrong = &other.list[i];
            double most = fmax(allowed[i], DIAGNOSE_LIMIT * largest_of(wrong));
            if (given[i].at != NULL && !verdicts[i].agrees && verdicts[i].what[0] == '\0' &&
                explains(&verdicts[i], (Pair){&given[i], false, wrong, most}, examples->n, text))
                n_unknown--;
        }
    }
    return true;
}
