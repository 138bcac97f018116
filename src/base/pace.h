// How many workers of a pool are worth using. A thread that finds no free CPU makes all others wait
// at each barrier: on a busy machine, or with a quota, fewer threads are faster. So the number
// follows what is measured. Knows neither the pool nor the work. Results do not depend on it.
#ifndef MLP_PACE_H
#define MLP_PACE_H

#include "base.h"

// What some work cost.
typedef struct PaceCost {
    double units, seconds;
} PaceCost;

typedef struct Pace {
    size_t most, now; // workers: available, used
    size_t other;     // the number that is tried beside it, 0: none is
    bool tries_more;  // next time
    bool is_other;    // the slice of time that is measured has the other number
    PaceCost slice;   // of it so far
    PaceCost sum[2];  // of the trial: with `now`, with `other`
    size_t slices;    // of the trial that are over
    size_t slow;      // slices in a row that were slower than expected
    double per_unit;  // seconds, as last measured; 0: not yet
    double expected;  // the same when the number was chosen
    double left;      // seconds to the next trial
    double interval;  // between trials
} Pace;

// At first all are used.
void pace_init(Pace *pace, size_t most);

// How many workers the next work should have, and how many units make it long enough to measure.
size_t pace_workers(const Pace *pace);
size_t pace_units(const Pace *pace);

// Tells what that work cost.
void pace_add(Pace *pace, size_t units, double seconds);

#endif
