// The team: every member works once, barriers separate what they separate, and waiting members are
// woken whether they spin, yield or sleep.
#include "test.h"
#include "threads.h"

#include <time.h>

enum { MOST = 9, STEPS = 300 };

typedef struct Shared {
    Team *team;
    size_t counts[MOST], seen_wrong;
    size_t sums[MOST];
    bool slowly;
} Shared;

static Team *open_team(size_t members, Arena *arena)
{
    Error err;
    Team *team = team_open(members, arena, &err);
    if (team == NULL || team_size(team) != members)
        abort();
    return team;
}

static void count(void *context, size_t member)
{
    Shared *shared = context;
    shared->counts[member]++;
}

static void every_member_runs_once_a_call(void)
{
    for (size_t members = 1; members <= MOST; members += 4) {
        Arena arena = {0};
        Shared shared = {.team = open_team(members, &arena)};
        for (size_t i = 0; i < 100; i++)
            team_run(shared.team, count, &shared);
        team_close(shared.team);
        for (size_t m = 0; m < MOST; m++)
            CHECK(shared.counts[m] == (m < members ? 100 : 0), "%zu members: %zu ran %zu times",
                  members, m, shared.counts[m]);
        arena_free(&arena);
    }
}

static void wait_a_moment(void)
{
    struct timespec moment = {0, 2000000};
    nanosleep(&moment, NULL);
}

// Each step a member writes its own place, and after a barrier reads those of all others; a second
// barrier keeps the next step from writing too soon.
static void exchange(void *context, size_t member)
{
    Shared *shared = context;
    size_t members = team_size(shared->team), steps = shared->slowly ? 20 : STEPS;
    for (size_t step = 1; step <= steps; step++) {
        if (shared->slowly && step % members == member)
            wait_a_moment(); // the others have long gone to sleep
        shared->counts[member] = step * (member + 1);
        team_barrier(shared->team);
        size_t sum = 0;
        for (size_t m = 0; m < members; m++)
            sum += shared->counts[m];
        shared->sums[member] += sum == step * members * (members + 1) / 2;
        team_barrier(shared->team);
    }
}

static void check_exchange(bool slowly)
{
    for (size_t members = 1; members <= MOST; members += 2) {
        Arena arena = {0};
        Shared shared = {.team = open_team(members, &arena), .slowly = slowly};
        team_run(shared.team, exchange, &shared);
        team_close(shared.team);
        for (size_t m = 0; m < members; m++)
            CHECK(shared.sums[m] == (slowly ? 20 : STEPS), "%zu members: %zu saw %zu right sums",
                  members, m, shared.sums[m]);
        arena_free(&arena);
    }
}

static void a_barrier_shows_what_was_written_before_it(void)
{
    check_exchange(false);
}

static void members_that_sleep_are_woken(void)
{
    check_exchange(true);
}

static void a_team_that_waits_between_calls_goes_on(void)
{
    Arena arena = {0};
    Shared shared = {.team = open_team(3, &arena)};
    for (size_t i = 0; i < 5; i++) {
        wait_a_moment();
        team_run(shared.team, count, &shared);
    }
    team_close(shared.team);
    CHECK(shared.counts[2] == 5, "%zu", shared.counts[2]);
    arena_free(&arena);
}

static void there_is_at_least_one_cpu(void)
{
    CHECK(cpus_allowed() >= 1 && cpus_allowed() < 100000, "%zu", cpus_allowed());
}

int main(void)
{
    RUN(every_member_runs_once_a_call);
    RUN(a_barrier_shows_what_was_written_before_it);
    RUN(members_that_sleep_are_woken);
    RUN(a_team_that_waits_between_calls_goes_on);
    RUN(there_is_at_least_one_cpu);
    return test_end();
}
