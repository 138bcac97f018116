// The pool, and its barrier: a centralised one that counts generations. Read threads.h first.
#ifdef __linux__
#define _GNU_SOURCE // sched_getaffinity
#endif
#include "threads.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

// Workers pass a barrier some ten thousand times a second and wait there for less than ten
// microseconds: they spin. When another program has taken a CPU, spinning would keep a second one
// from the worker that is late: they yield. In the end they sleep. scripts/bench-shared.sh measures
// what other programs and quotas do to the barrier.
enum { SPINS = 300, YIELDS = 100 };

// A counter that threads wait for, on a cache line of its own.
typedef struct Gate {
    _Alignas(64) atomic_uint opened; // how often
    atomic_uint sleepers;
    pthread_cond_t changed;
} Gate;

typedef struct Worker {
    ThreadPool *pool;
    size_t number;
    pthread_t thread; // unused in the first
    Gate call;        // there is work for it
} Worker;

struct ThreadPool {
    size_t size, running, started;              // workers
    void (*work)(void *context, size_t worker); // NULL: end
    void *context;
    Worker *workers; // (size)
    Gate barrier;
    _Alignas(64) atomic_size_t arrived; // at the barrier
    pthread_mutex_t mutex;
};

static void pause_briefly(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

static void gate_open(Gate *gate, pthread_mutex_t *mutex)
{
    // In the one order of all sequentially consistent operations either this thread sees a sleeper,
    // or the sleeper sees that the gate was opened.
    atomic_fetch_add(&gate->opened, 1);
    if (atomic_load(&gate->sleepers) > 0) {
        pthread_mutex_lock(mutex);
        pthread_cond_broadcast(&gate->changed);
        pthread_mutex_unlock(mutex);
    }
}

// Returns when the gate was opened more often than `before` times.
static void gate_wait(Gate *gate, unsigned before, pthread_mutex_t *mutex)
{
    for (int i = 0; i < SPINS + YIELDS; i++) {
        if (atomic_load_explicit(&gate->opened, memory_order_acquire) != before)
            return;
        i < SPINS ? pause_briefly() : (void)sched_yield();
    }
    pthread_mutex_lock(mutex);
    atomic_fetch_add(&gate->sleepers, 1);
    while (atomic_load(&gate->opened) == before)
        pthread_cond_wait(&gate->changed, mutex);
    atomic_fetch_sub(&gate->sleepers, 1);
    pthread_mutex_unlock(mutex);
}

void pool_barrier(ThreadPool *pool)
{
    Gate *gate = &pool->barrier;
    size_t running = pool->running; // the caller may change it as soon as all have arrived
    unsigned before = atomic_load_explicit(&gate->opened, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&pool->arrived, 1, memory_order_acq_rel) + 1 == running) {
        atomic_store_explicit(&pool->arrived, 0, memory_order_relaxed);
        gate_open(gate, &pool->mutex);
    } else {
        gate_wait(gate, before, &pool->mutex);
    }
}

static void *worker_run(void *argument)
{
    Worker *worker = argument;
    ThreadPool *pool = worker->pool;
    for (unsigned calls = 0;; calls++) {
        gate_wait(&worker->call, calls, &pool->mutex);
        if (pool->work == NULL)
            return NULL;
        pool->work(pool->context, worker->number);
        pool_barrier(pool); // the work is done
    }
}

static bool gate_init(Gate *gate)
{
    return pthread_cond_init(&gate->changed, NULL) == 0;
}

static bool worker_start(Worker *worker)
{
    if (!gate_init(&worker->call))
        return false;
    if (pthread_create(&worker->thread, NULL, worker_run, worker) == 0)
        return true;
    pthread_cond_destroy(&worker->call.changed);
    return false;
}

void pool_run(ThreadPool *pool, void (*work)(void *context, size_t worker), void *context)
{
    // A pool may never run all its workers; those of a training that shares the CPUs mostly wait.
    while (pool->started < pool->running && worker_start(&pool->workers[pool->started]))
        pool->started++;
    if (pool->started < pool->running)
        pool->size = pool->running = pool->started;
    pool->work = work;
    pool->context = context;
    for (size_t n = 1; n < pool->running; n++)
        gate_open(&pool->workers[n].call, &pool->mutex);
    work(context, 0);
    pool_barrier(pool);
}

ThreadPool *pool_open(size_t workers, Arena *arena, Error *err)
{
    static const char what[] = "the threads";
    ThreadPool *pool = arena_alloc(arena, 1, sizeof *pool, what, err);
    Worker *worker = arena_alloc(arena, workers, sizeof *worker, what, err);
    if (pool == NULL || worker == NULL)
        return NULL;
    for (size_t n = 0; n < workers; n++)
        worker[n] = (Worker){.pool = pool, .number = n};
    pool->workers = worker;
    pool->size = pool->running = workers;
    pool->started = 1;
    if (pthread_mutex_init(&pool->mutex, NULL) != 0 || !gate_init(&pool->barrier)) {
        error_set(err, "cannot create a mutex for the threads");
        return NULL;
    }
    return pool;
}

void pool_close(ThreadPool *pool)
{
    pool->work = NULL;
    for (size_t n = 1; n < pool->started; n++) {
        gate_open(&pool->workers[n].call, &pool->mutex);
        pthread_join(pool->workers[n].thread, NULL);
        pthread_cond_destroy(&pool->workers[n].call.changed);
    }
    pthread_cond_destroy(&pool->barrier.changed);
    pthread_mutex_destroy(&pool->mutex);
}

void pool_use(ThreadPool *pool, size_t workers)
{
    assert(workers >= 1 && workers <= pool->size);
    pool->running = workers;
}

size_t pool_running(const ThreadPool *pool)
{
    return pool->running;
}

size_t pool_size(const ThreadPool *pool)
{
    return pool->size;
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
