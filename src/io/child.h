// Running another program: gzip (source.c), and what converts pictures (convert.c). It is found on
// the PATH and started without a shell; it gets open descriptors, never the name of a file.
#ifndef MLP_CHILD_H
#define MLP_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// A pipe that programs which another thread starts do not inherit, where the system can do that.
bool child_pipe(int ends[2]);

// What a program reads and writes. A process group of its own can be killed with all that it has
// started; a terminal's signals do not reach it.
typedef struct ChildStreams {
    int in, out, err; // err -1: /dev/null
    bool own_group;
} ChildStreams;

// Starts arguments[0]; the list ends with NULL. Returns 0 or an error number.
int child_start(pid_t *child, char *const arguments[], const ChildStreams *streams);

// Lets it have at most so many bytes of memory of its own, where the system can do that (Linux).
// The program may already have begun.
void child_limit_memory(pid_t child, uint64_t most);

// Says whether it has ended, without waiting for that. *status is then as waitpid sets it; or 0, in
// a process that ignores SIGCHLD or waits for every child. Do not ask again.
bool child_has_ended(pid_t child, int *status);

// Ends a program with a group of its own, and what it has started, and waits for it. It has half a
// second to remove its temporary files.
void child_stop(pid_t child);

#endif
