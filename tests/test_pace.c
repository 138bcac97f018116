// The number of workers follows what work costs, on machines that are made up: the time is
// simulated, nothing is measured.
#include "pace.h"
#include "test.h"

enum { MOST = 8 };

// Seconds for a unit of work by so many workers; and a pause that comes again and again while there
// are more than `free` of them, as when another program takes its turn on a CPU.
typedef struct Machine {
    double cost[1 + MOST];
    size_t free;
    double pause, pause_every; // seconds
    double since_pause;
} Machine;

// What became of a stretch of time.
typedef struct Stretch {
    double seconds, units;
    double with[1 + MOST]; // seconds with so many workers
} Stretch;

static Stretch work_for(Pace *pace, Machine *machine, double seconds)
{
    Stretch s = {.seconds = 0.0};
    while (s.seconds < seconds) {
        size_t workers = pace_workers(pace), units = pace_units(pace);
        double took = (double)units * machine->cost[workers];
        machine->since_pause += took;
        if (workers > machine->free && machine->since_pause >= machine->pause_every) {
            took += machine->pause;
            machine->since_pause = 0.0;
        }
        pace_add(pace, units, took);
        s.seconds += took;
        s.units += (double)units;
        s.with[workers] += took;
    }
    return s;
}

// What that machine does in a second with a fixed number of workers.
static double fixed_rate(const Machine *m, size_t workers)
{
    double rate = 1.0 / m->cost[workers];
    return workers > m->free ? rate * m->pause_every / (m->pause_every + m->pause) : rate;
}

static const Machine quiet = {.cost = {0, 40e-6, 24e-6}, .free = 2};
static const Machine busy = {
    .cost = {0, 40e-6, 26e-6}, .free = 1, .pause = 4e-3, .pause_every = 2e-3};

static void a_quiet_machine_loses_next_to_nothing(void)
{
    Pace pace;
    Machine machine = quiet;
    pace_init(&pace, 2);
    Stretch s = work_for(&pace, &machine, 1.0);
    double best = fixed_rate(&machine, 2);
    CHECK(s.units / s.seconds > 0.98 * best, "%g of %g", s.units / s.seconds, best);
    CHECK(pace.now == 2 && s.with[1] > 0.0, "now %zu; with one for %g s", pace.now, s.with[1]);
    s = work_for(&pace, &machine, 4.0);
    CHECK(s.units / s.seconds > 0.99 * best, "later: %g of %g", s.units / s.seconds, best);
}

static void a_busy_machine_is_noticed_within_a_few_batches(void)
{
    Pace pace;
    Machine machine = busy;
    pace_init(&pace, 2);
    Stretch s = work_for(&pace, &machine, 0.06);
    CHECK(pace.now == 1, "now %zu", pace.now);
    s = work_for(&pace, &machine, 2.0);
    CHECK(s.units / s.seconds > 0.95 * fixed_rate(&machine, 1), "%g of %g", s.units / s.seconds,
          fixed_rate(&machine, 1));
}

static void it_follows_a_machine_that_changes(void)
{
    Pace pace;
    Machine machine = quiet;
    pace_init(&pace, 2);
    for (size_t i = 0; i < 3; i++) {
        (void)work_for(&pace, &machine, 2.0);
        CHECK(pace.now == 2, "round %zu, quiet: %zu", i, pace.now);
        machine = busy;
        Stretch s = work_for(&pace, &machine, 0.1);
        CHECK(pace.now == 1 && s.with[1] > 0.02, "round %zu, busy: %zu", i, pace.now);
        (void)work_for(&pace, &machine, 2.0);
        CHECK(pace.now == 1, "round %zu, busy: %zu", i, pace.now);
        machine = quiet;
        (void)work_for(&pace, &machine, 0.7);
        CHECK(pace.now == 2, "round %zu, quiet again: %zu", i, pace.now);
    }
}

static void it_finds_the_best_of_many(void)
{
    for (size_t best = 1; best <= MOST; best++) {
        Pace pace;
        Machine machine = {.free = MOST};
        for (size_t n = 1; n <= MOST; n++)
            machine.cost[n] = n <= best ? 40e-6 / (double)n : 40e-6 / (double)best * 3.0;
        pace_init(&pace, MOST);
        Stretch s = work_for(&pace, &machine, 2.0);
        s = work_for(&pace, &machine, 2.0);
        // A step is a quarter: the best may lie between two of them.
        CHECK(pace.now <= best && 4 * pace.now >= 3 * (best - 1), "best %zu: %zu", best, pace.now);
        CHECK(s.units / s.seconds > 0.7 * fixed_rate(&machine, best), "best %zu: %g of %g", best,
              s.units / s.seconds, fixed_rate(&machine, best));
    }
}

static void long_work_is_measured_unit_by_unit(void)
{
    Pace pace;
    Machine machine = {.cost = {0, 10e-3, 6e-3}, .free = 2}; // a batch of the convolutional network
    pace_init(&pace, 2);
    (void)work_for(&pace, &machine, 1.0);
    CHECK(pace_units(&pace) == 1 && pace.now == 2, "%zu units, %zu workers", pace_units(&pace),
          pace.now);
}

static void a_single_worker_is_never_doubted(void)
{
    Pace pace;
    Machine machine = busy;
    pace_init(&pace, 1);
    Stretch s = work_for(&pace, &machine, 1.0);
    CHECK(pace_workers(&pace) == 1 && !(s.with[2] > 0.0), "%zu workers", pace_workers(&pace));
}

int main(void)
{
    RUN(a_quiet_machine_loses_next_to_nothing);
    RUN(a_busy_machine_is_noticed_within_a_few_batches);
    RUN(it_follows_a_machine_that_changes);
    RUN(it_finds_the_best_of_many);
    RUN(long_work_is_measured_unit_by_unit);
    RUN(a_single_worker_is_never_doubted);
    return test_end();
}
