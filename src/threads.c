// The team and its barrier; see threads.h.
#ifdef __linux__
#define _GNU_SOURCE // sched_getaffinity
#endif
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

// A barrier is passed some ten thousand times a second and then waits for less than ten
// microseconds: it spins. When a neighbour has taken a CPU, spinning would only take another from
// the member that is waited for: it yields. In the end it sleeps. scripts/bench-shared.sh measures
// what neighbours and quotas do to it.
enum { SPINS = 300, YIELDS = 100 };

struct Team {
    size_t members;
    void (*work)(void *context, size_t member); // NULL: end
    void *context;
    pthread_t *threads; // (members), the first unused

    // Each on a cache line of its own.
    _Alignas(64) atomic_size_t arrived;
    _Alignas(64) atomic_uint generation; // counts the barriers passed
    _Alignas(64) atomic_uint sleepers;
    pthread_mutex_t mutex;
    pthread_cond_t passed;
};

typedef struct Member {
    Team *team;
    size_t number;
} Member;

static void pause_briefly(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

static void team_sleep(Team *team, unsigned generation)
{
    pthread_mutex_lock(&team->mutex);
    // In the one order of all sequentially consistent operations either the last to arrive sees
    // this sleeper, or this sleeper sees the new generation.
    atomic_fetch_add(&team->sleepers, 1);
    while (atomic_load(&team->generation) == generation)
        pthread_cond_wait(&team->passed, &team->mutex);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->mutex);
}

void team_barrier(Team *team)
{
    unsigned generation = atomic_load_explicit(&team->generation, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) + 1 == team->members) {
        atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
        atomic_store(&team->generation, generation + 1);
        if (atomic_load(&team->sleepers) > 0) {
            pthread_mutex_lock(&team->mutex);
            pthread_cond_broadcast(&team->passed);
            pthread_mutex_unlock(&team->mutex);
        }
        return;
    }
    for (int i = 0; i < SPINS + YIELDS; i++) {
        if (atomic_load_explicit(&team->generation, memory_order_acquire) != generation)
            return;
        i < SPINS ? pause_briefly() : (void)sched_yield();
    }
    team_sleep(team, generation);
}

static void *member_run(void *argument)
{
    Member *member = argument;
    Team *team = member->team;
    pthread_mutex_lock(&team->mutex); // until the team knows how many it is
    pthread_mutex_unlock(&team->mutex);
    for (;;) {
        team_barrier(team); // the work is there
        if (team->work == NULL)
            return NULL;
        team->work(team->context, member->number);
        team_barrier(team); // the work is done
    }
}

void team_run(Team *team, void (*work)(void *context, size_t member), void *context)
{
    team->work = work;
    team->context = context;
    team_barrier(team);
    work(context, 0);
    team_barrier(team);
}

Team *team_open(size_t members, Arena *arena, Error *err)
{
    static const char what[] = "the threads";
    Team *team = arena_alloc(arena, 1, sizeof *team, what, err);
    Member *member = arena_alloc(arena, members, sizeof *member, what, err);
    pthread_t *threads = arena_alloc(arena, members, sizeof *threads, what, err);
    if (team == NULL || member == NULL || threads == NULL)
        return NULL;
    team->threads = threads;
    if (pthread_mutex_init(&team->mutex, NULL) != 0 ||
        pthread_cond_init(&team->passed, NULL) != 0) {
        error_set(err, "the system gives no mutex for the threads");
        return NULL;
    }
    size_t n = 1;
    pthread_mutex_lock(&team->mutex);
    for (; n < members; n++) {
        member[n] = (Member){team, n};
        if (pthread_create(&threads[n], NULL, member_run, &member[n]) != 0)
            break;
    }
    team->members = n;
    pthread_mutex_unlock(&team->mutex);
    return team;
}

void team_close(Team *team)
{
    team->work = NULL;
    team_barrier(team);
    for (size_t n = 1; n < team->members; n++)
        pthread_join(team->threads[n], NULL);
    pthread_cond_destroy(&team->passed);
    pthread_mutex_destroy(&team->mutex);
}

size_t team_size(const Team *team)
{
    return team->members;
}

size_t cpus_allowed(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (size_t)CPU_COUNT(&set);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (size_t)n : 1;
}
