// The thread pool: every worker runs once, a barrier separates what is before it from what is after
// it, and waiting workers are woken whether they spin, yield or sleep.
#include "test.h"
#include "threads.h"

#include <time.h>

enum { MOST = 9, STEPS = 300, FEW_STEPS = 20, ROUNDS = 50 };

typedef struct Shared {
    ThreadPool *pool;
    size_t counts[MOST], seen_wrong;
    size_t sums[MOST];
    bool slowly, few;
} Shared;

static ThreadPool *open_pool(size_t workers, Arena *arena)
{
    Error err;
    ThreadPool *pool = pool_open(workers, arena, &err);
    if (pool == NULL || pool_size(pool) != workers)
        abort();
    return pool;
}

static void count(void *context, size_t worker)
{
    Shared *shared = context;
    shared->counts[worker]++;
}

static void every_worker_runs_once_per_call(void)
{
    for (size_t workers = 1; workers <= MOST; workers += 4) {
        Arena arena = {0};
        Shared shared = {.pool = open_pool(workers, &arena)};
        for (size_t i = 0; i < 100; i++)
            pool_run(shared.pool, count, &shared);
        pool_close(shared.pool);
        for (size_t m = 0; m < MOST; m++)
            CHECK(shared.counts[m] == (m < workers ? 100 : 0), "%zu workers: %zu ran %zu times",
                  workers, m, shared.counts[m]);
        arena_free(&arena);
    }
}

static void wait_a_moment(void)
{
    struct timespec moment = {0, 2000000};
    nanosleep(&moment, NULL);
}

// Each step a worker writes its own place, and after a barrier reads those of all others; a second
// barrier keeps the next step from writing too soon.
static void exchange(void *context, size_t worker)
{
    Shared *shared = context;
    size_t workers = pool_running(shared->pool),
           steps = shared->slowly || shared->few ? FEW_STEPS : STEPS;
    for (size_t step = 1; step <= steps; step++) {
        if (shared->slowly && step % workers == worker)
            wait_a_moment(); // the others have long gone to sleep
        shared->counts[worker] = step * (worker + 1);
        pool_barrier(shared->pool);
        size_t sum = 0;
        for (size_t m = 0; m < workers; m++)
            sum += shared->counts[m];
        shared->sums[worker] += sum == step * workers * (workers + 1) / 2;
        pool_barrier(shared->pool);
    }
}

static void check_exchange(bool slowly)
{
    for (size_t workers = 1; workers <= MOST; workers += 2) {
        Arena arena = {0};
        Shared shared = {.pool = open_pool(workers, &arena), .slowly = slowly};
        pool_run(shared.pool, exchange, &shared);
        pool_close(shared.pool);
        for (size_t m = 0; m < workers; m++)
            CHECK(shared.sums[m] == (slowly ? FEW_STEPS : STEPS),
                  "%zu workers: %zu saw %zu right sums", workers, m, shared.sums[m]);
        arena_free(&arena);
    }
}

static void a_barrier_shows_what_was_written_before_it(void)
{
    check_exchange(false);
}

static void workers_that_sleep_are_woken(void)
{
    check_exchange(true);
}

static void a_pool_that_waits_between_calls_runs_again(void)
{
    Arena arena = {0};
    Shared shared = {.pool = open_pool(3, &arena)};
    for (size_t i = 0; i < 5; i++) {
        wait_a_moment();
        pool_run(shared.pool, count, &shared);
    }
    pool_close(shared.pool);
    CHECK(shared.counts[2] == 5, "%zu", shared.counts[2]);
    arena_free(&arena);
}

static void fewer_workers_than_there_are_can_run(void)
{
    Arena arena = {0};
    Shared shared = {.pool = open_pool(MOST, &arena), .few = true};
    size_t expected[MOST] = {0};
    for (size_t i = 0; i < ROUNDS; i++) {
        size_t running = 1 + i * 5 % MOST;
        pool_use(shared.pool, running);
        CHECK(pool_running(shared.pool) == running && pool_size(shared.pool) == MOST, "%zu of %zu",
              pool_running(shared.pool), pool_size(shared.pool));
        memset(shared.sums, 0, sizeof shared.sums);
        pool_run(shared.pool, exchange, &shared);
        for (size_t m = 0; m < MOST; m++)
            CHECK(shared.sums[m] == (m < running ? FEW_STEPS : 0), "worker %zu of %zu: %zu", m,
                  running, shared.sums[m]);
        memset(shared.counts, 0, sizeof shared.counts);
        pool_run(shared.pool, count, &shared);
        for (size_t m = 0; m < MOST; m++)
            expected[m] += shared.counts[m];
    }
    pool_close(shared.pool);
    for (size_t m = 0; m < MOST; m++) {
        size_t often = 0;
        for (size_t i = 0; i < ROUNDS; i++)
            often += m < 1 + i * 5 % MOST;
        CHECK(expected[m] == often, "worker %zu ran %zu times, not %zu", m, expected[m], often);
    }
    arena_free(&arena);
}

static void there_is_at_least_one_cpu(void)
{
    CHECK(cpus_allowed() >= 1 && cpus_allowed() < 100000, "%zu", cpus_allowed());
}

int main(void)
{
    RUN(every_worker_runs_once_per_call);
    RUN(a_barrier_shows_what_was_written_before_it);
    RUN(workers_that_sleep_are_woken);
    RUN(a_pool_that_waits_between_calls_runs_again);
    RUN(fewer_workers_than_there_are_can_run);
    RUN(there_is_at_least_one_cpu);
    return test_end();
}
