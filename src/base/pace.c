// Trials: now and then the present number of workers and a neighbouring one take turns, for slices
// of a few milliseconds; the faster one is used. Read pace.h first.
#include "pace.h"

// Seconds. A scheduler takes a CPU away for some milliseconds: a trial must be long enough to see
// that, but one that is clearly lost ends after its first slices.
#define RUN       0.001 // of work between two looks at the clock
#define SLICE     0.003
#define FIRST_TRY 0.03 // after the start or a change
#define LAST_TRY  0.5  // the intervals double up to this
#define WORSE     1.25 // the cost of the number in use has risen by this, SLOW times: try at once
#define CLEARLY   1.15 // slower by this: the trial is lost
#define BETTER    0.97 // faster by this: the trial of more workers is won
#define AS_GOOD   1.01 // that of fewer
enum { SLICES = 8, SLOW = 2 }; // SLICES: of a trial, for both together

void pace_init(Pace *pace, size_t most)
{
    *pace = (Pace){.most = most, .now = most, .left = FIRST_TRY, .interval = FIRST_TRY};
}

size_t pace_workers(const Pace *pace)
{
    return pace->is_other ? pace->other : pace->now;
}

size_t pace_units(const Pace *pace)
{
    // In a trial as few as possible: each can take very long.
    double units = pace->per_unit > 0.0 && pace->other == 0 ? RUN / pace->per_unit : 1.0;
    return units < 1.0 ? 1 : units > 1e6 ? 1000000 : (size_t)units;
}

static double cost_per_unit(PaceCost cost)
{
    return cost.seconds / cost.units;
}

// A step is a quarter: 1, 2, 3, 4, 6, 8, 11, ... and back.
static size_t neighbour(const Pace *pace)
{
    size_t more = pace->now + (pace->now + 2) / 3, fewer = pace->now - (pace->now + 3) / 4;
    if (more > pace->most)
        more = pace->most;
    bool up = pace->now == 1 || (pace->tries_more && pace->now < pace->most);
    return up ? more : fewer;
}

static void trial_begin(Pace *pace)
{
    pace->other = neighbour(pace);
    pace->is_other = true;
    pace->slices = 0;
    pace->sum[0] = pace->sum[1] = pace->slice = (PaceCost){0.0, 0.0};
}

static void trial_end(Pace *pace, bool is_won)
{
    pace->expected = cost_per_unit(pace->sum[is_won ? 1 : 0]);
    pace->tries_more = is_won ? pace->other > pace->now : pace->other < pace->now;
    if (is_won)
        pace->now = pace->other;
    pace->interval = is_won ? FIRST_TRY : 2.0 * pace->interval;
    if (pace->interval > LAST_TRY)
        pace->interval = LAST_TRY;
    pace->left = pace->interval;
    pace->slow = 0;
    pace->other = 0;
    pace->is_other = false;
}

// The end of a slice of a trial.
static void trial_slice(Pace *pace)
{
    PaceCost *sum = &pace->sum[pace->is_other ? 1 : 0];
    sum->units += pace->slice.units;
    sum->seconds += pace->slice.seconds;
    pace->is_other = !pace->is_other;
    if (++pace->slices % 2 != 0)
        return;
    double ratio = cost_per_unit(pace->sum[1]) / cost_per_unit(pace->sum[0]);
    if (pace->slices == SLICES || ratio > CLEARLY)
        trial_end(pace, ratio < (pace->other > pace->now ? BETTER : AS_GOOD));
}

// Between trials. A single worker becomes slower for other reasons than the number of workers.
static void watch(Pace *pace)
{
    bool is_slow = pace->expected > 0.0 && pace->per_unit > WORSE * pace->expected;
    pace->slow = is_slow ? pace->slow + 1 : 0;
    if (pace->slow >= SLOW && pace->now > 1) {
        pace->interval = FIRST_TRY;
        pace->left = 0.0;
    }
}

void pace_add(Pace *pace, size_t units, double seconds)
{
    pace->slice.units += (double)units;
    pace->slice.seconds += seconds;
    pace->left -= seconds;
    if (pace->slice.seconds < SLICE)
        return;
    if (!pace->is_other)
        pace->per_unit = cost_per_unit(pace->slice);
    if (pace->other != 0)
        trial_slice(pace);
    else
        watch(pace);
    pace->slice = (PaceCost){0.0, 0.0};
    if (pace->other == 0 && pace->left <= 0.0 && pace->most > 1)
        trial_begin(pace);
}
