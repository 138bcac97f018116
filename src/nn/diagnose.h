// A student's arrays against those of the reference, and what is wrong with one that disagrees: it
// is compared with what the usual mistakes would give. Read arrays.h first, which can make them.
//
// An array agrees when max|given - expected| is at most 1e-5 of max|expected|, or within what
// single precision can do: yhat - y has lost digits where yhat is nearly y, and L where it is
// nearly 0. So there is an allowance of 1e-6 of the size that the array would have if yhat and y
// were added, but never more than 1 % of max|expected|.
#ifndef MLP_DIAGNOSE_H
#define MLP_DIAGNOSE_H

#include "arrays.h"

#define DIAGNOSE_LIMIT   1e-5
#define DIAGNOSE_SINGLE  1e-6
#define DIAGNOSE_LARGEST 1e-2

typedef struct Verdict {
    bool agrees;
    double error;   // max|given - expected| / max|expected|; NaN where the shapes differ
    char what[192]; // what it looks like; "": nothing that is known
} Verdict;

// Compares given[i] with arrays->list[i], for each that is there; the arrays are computed here. A
// vector may be a row or a column. Fails when memory is short.
bool arrays_diagnose(Verdict verdicts[ARRAYS_MAX], const Arrays *arrays,
                     const Matrix given[ARRAYS_MAX], Reference *ref, const Examples *examples,
                     Arena *arena, Error *err);

#endif
