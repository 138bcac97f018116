// Starting another program, as child.h says, with posix_spawn: safe in a process with threads.
#define _GNU_SOURCE // pipe2, prlimit
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

bool child_pipe(int ends[2])
{
#ifdef __APPLE__
    return pipe(ends) == 0 && fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 &&
           fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0;
#else
    return pipe2(ends, O_CLOEXEC) == 0;
#endif
}

static int set_streams(posix_spawn_file_actions_t *actions, const ChildStreams *streams)
{
    int failed = posix_spawn_file_actions_adddup2(actions, streams->in, STDIN_FILENO);
    if (failed == 0)
        failed = posix_spawn_file_actions_adddup2(actions, streams->out, STDOUT_FILENO);
    if (failed != 0)
        return failed;
    return streams->err >= 0
               ? posix_spawn_file_actions_adddup2(actions, streams->err, STDERR_FILENO)
               : posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
}

// A group of its own, in which no signal is blocked that its starter holds back.
static int set_group(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigemptyset(&none);
    int failed =
        posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    if (failed == 0)
        failed = posix_spawnattr_setpgroup(attributes, 0);
    return failed != 0 ? failed : posix_spawnattr_setsigmask(attributes, &none);
}

int child_start(pid_t *child, char *const arguments[], const ChildStreams *streams)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0)
        return failed;
    if ((failed = posix_spawnattr_init(&attributes)) == 0) {
        failed = set_streams(&actions, streams);
        if (failed == 0 && streams->own_group)
            failed = set_group(&attributes);
        if (failed == 0)
            failed = posix_spawnp(child, arguments[0], &actions, &attributes, arguments, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

// RLIMIT_DATA counts what a program really takes, not the address space that its threads reserve.
void child_limit_memory(pid_t child, uint64_t most)
{
#ifdef __linux__
    struct rlimit limit;
    if (prlimit(child, RLIMIT_DATA, NULL, &limit) == 0 && limit.rlim_cur > most) {
        limit = (struct rlimit){(rlim_t)most, (rlim_t)most};
        (void)prlimit(child, RLIMIT_DATA, &limit, NULL);
    }
#else
    (void)child;
    (void)most;
#endif
}

static bool wait_for(pid_t child, int *status, int options)
{
    pid_t pid;
    *status = 0;
    do
        pid = waitpid(child, status, options);
    while (pid < 0 && errno == EINTR);
    return pid != 0;
}

bool child_has_ended(pid_t child, int *status)
{
    return wait_for(child, status, WNOHANG);
}

// Sends a signal to the group, unless somebody has waited for its first process: the number may be
// another's then. Returns whether that process still runs.
static bool send_signal(pid_t child, int number)
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return false;
    if (number != 0)
        (void)kill(-child, number);
    return info.si_pid == 0;
}

void child_stop(pid_t child)
{
    int status;
    (void)send_signal(child, SIGTERM);
    for (int i = 0; i < 50 && send_signal(child, 0); i++)
        poll(NULL, 0, 10);
    (void)send_signal(child, SIGKILL);
    (void)wait_for(child, &status, 0);
}
