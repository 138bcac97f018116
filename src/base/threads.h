// A thread pool: runs the same function on every worker, with a barrier for the steps inside it.
// Knows nothing of what the function does.
#ifndef MLP_THREADS_H
#define MLP_THREADS_H

#include "base.h"

typedef struct ThreadPool ThreadPool;

// Returns a pool of `workers`, the calling thread being worker 0. A worker's thread is created when
// it first runs; where the system has no more threads, the pool then becomes smaller. Owned by the
// arena; close it before the arena is freed. NULL when memory is short.
ThreadPool *pool_open(size_t workers, Arena *arena, Error *err);

// Ends the other threads.
void pool_close(ThreadPool *pool);

// The most workers that it has.
size_t pool_size(const ThreadPool *pool);

// How many of them run, from the next pool_run on: 1 to pool_size(), all at first. The others
// sleep.
void pool_use(ThreadPool *pool, size_t workers);
size_t pool_running(const ThreadPool *pool);

// Calls work(context, worker) on the workers that run, 0 being the caller's thread, and returns
// when all have returned. Each sees what the caller wrote before the call; the caller then sees
// what all wrote.
void pool_run(ThreadPool *pool, void (*work)(void *context, size_t worker), void *context);

// Inside pool_run, called by all workers that run: returns when all have arrived. Each then sees
// what the others wrote before.
void pool_barrier(ThreadPool *pool);

// How many CPUs this process may use.
size_t cpus_allowed(void);

#endif
