// The pool, and its barrier: a centralised one that counts generations. Read threads.h first.
#ifdef __linux__
#define _GNU_SOURCE // sched_getaffinity
#endif
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

// Workers pass a barrier some ten thousand times a second and wait there for less than ten
// microseconds: they spin. When another program has taken a CPU, spinning would keep a second one
// from the worker that is late: they yield. In the end they sleep. scripts/bench-shared.sh measures
// what other programs and quotas do to the barrier.
enum { SPINS = 300, YIELDS = 100 };

struct ThreadPool {
    size_t workers;
    void (*work)(void *context, size_t worker); // NULL: end
    void *context;
    pthread_t *threads; // (workers), the first unused

    // Each on a cache line of its own.
    _Alignas(64) atomic_size_t arrived;
    _Alignas(64) atomic_uint generation; // counts the barriers passed
    _Alignas(64) atomic_uint sleepers;
    pthread_mutex_t mutex;
    pthread_cond_t passed;
};

typedef struct Worker {
    ThreadPool *pool;
    size_t number;
} Worker;

static void pause_briefly(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

static void pool_sleep(ThreadPool *pool, unsigned generation)
{
    pthread_mutex_lock(&pool->mutex);
    // In the one order of all sequentially consistent operations either the last to arrive sees
    // this sleeper, or this sleeper sees the new generation.
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->generation) == generation)
        pthread_cond_wait(&pool->passed, &pool->mutex);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->mutex);
}

void pool_barrier(ThreadPool *pool)
{
    unsigned generation = atomic_load_explicit(&pool->generation, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&pool->arrived, 1, memory_order_acq_rel) + 1 == pool->workers) {
        atomic_store_explicit(&pool->arrived, 0, memory_order_relaxed);
        atomic_store(&pool->generation, generation + 1);
        if (atomic_load(&pool->sleepers) > 0) {
            pthread_mutex_lock(&pool->mutex);
            pthread_cond_broadcast(&pool->passed);
            pthread_mutex_unlock(&pool->mutex);
        }
        return;
    }
    for (int i = 0; i < SPINS + YIELDS; i++) {
        if (atomic_load_explicit(&pool->generation, memory_order_acquire) != generation)
            return;
        i < SPINS ? pause_briefly() : (void)sched_yield();
    }
    pool_sleep(pool, generation);
}

static void *worker_run(void *argument)
{
    Worker *worker = argument;
    ThreadPool *pool = worker->pool;
    pthread_mutex_lock(&pool->mutex); // until the number of workers is known
    pthread_mutex_unlock(&pool->mutex);
    for (;;) {
        pool_barrier(pool); // the work is there
        if (pool->work == NULL)
            return NULL;
        pool->work(pool->context, worker->number);
        pool_barrier(pool); // the work is done
    }
}

void pool_run(ThreadPool *pool, void (*work)(void *context, size_t worker), void *context)
{
    pool->work = work;
    pool->context = context;
    pool_barrier(pool);
    work(context, 0);
    pool_barrier(pool);
}

ThreadPool *pool_open(size_t workers, Arena *arena, Error *err)
{
    static const char what[] = "the threads";
    ThreadPool *pool = arena_alloc(arena, 1, sizeof *pool, what, err);
    Worker *worker = arena_alloc(arena, workers, sizeof *worker, what, err);
    pthread_t *threads = arena_alloc(arena, workers, sizeof *threads, what, err);
    if (pool == NULL || worker == NULL || threads == NULL)
        return NULL;
    pool->threads = threads;
    if (pthread_mutex_init(&pool->mutex, NULL) != 0 ||
        pthread_cond_init(&pool->passed, NULL) != 0) {
        error_set(err, "cannot create a mutex for the threads");
        return NULL;
    }
    size_t n = 1;
    pthread_mutex_lock(&pool->mutex);
    for (; n < workers; n++) {
        worker[n] = (Worker){pool, n};
        if (pthread_create(&threads[n], NULL, worker_run, &worker[n]) != 0)
            break;
    }
    pool->workers = n;
    pthread_mutex_unlock(&pool->mutex);
    return pool;
}

void pool_close(ThreadPool *pool)
{
    pool->work = NULL;
    pool_barrier(pool);
    for (size_t n = 1; n < pool->workers; n++)
        pthread_join(pool->threads[n], NULL);
    pthread_cond_destroy(&pool->passed);
    pthread_mutex_destroy(&pool->mutex);
}

size_t pool_size(const ThreadPool *pool)
{
    return pool->workers;
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
