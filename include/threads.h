// A team of threads: the same function on every member, and a barrier for the steps inside it.
// Knows nothing of what it does.
#ifndef MLP_THREADS_H
#define MLP_THREADS_H

#include "base.h"

typedef struct Team Team;

// Returns a team of `members`, the calling thread being the first, or of fewer where the system
// gives no more threads. Owned by the arena, but close it before. NULL when memory is short.
Team *team_open(size_t members, Arena *arena, Error *err);

// Ends the other threads.
void team_close(Team *team);

size_t team_size(const Team *team);

// Calls work(context, member) on every member, 0 being the caller's thread, and returns when all
// have returned. What one wrote before the call, or inside it, the others see.
void team_run(Team *team, void (*work)(void *context, size_t member), void *context);

// Inside team_run, called by all members: returns when all have arrived.
void team_barrier(Team *team);

// How many CPUs this process may use.
size_t cpus_allowed(void);

#endif
