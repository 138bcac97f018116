// A reader that somebody has taken over, for cli_sandbox.sh: a read() for LD_PRELOAD which, once it
// sees the beginning of a model or of an IDX file, tries what no reader of mlp has to do, once, and
// prints each attempt on standard error with "done" or why not. Only what the kernel's version of
// Landlock can deny is tried; the first line is that version.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sockaddr_in server; // listens; made before main begins
static long version;
static int report;

__attribute__((constructor)) static void prepare(void)
{
    socklen_t size = sizeof server;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (bind(fd, (struct sockaddr *)&server, size) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, (struct sockaddr *)&server, &size) != 0)
        abort();
    version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    report = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
}

static void say(const char *attempt, int result)
{
    const char *reason = result >= 0       ? "done"
                         : errno == EACCES ? "EACCES"
                         : errno == EPERM  ? "EPERM"
                                           : strerror(errno);
    dprintf(report, "%s: %s\n", attempt, reason);
    if (result > STDERR_FILENO)
        close(result);
}

// $VICTIM is a directory with the files secret, old and precious.
static void attack(void)
{
    int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char parent[64], target[64];
    dprintf(report, "version: %ld\n", version);
    // As for its memory and environment, it would need the right to trace the process.
    snprintf(parent, sizeof parent, "/proc/%ld/exe", (long)getppid());
    say("trace", readlink(parent, target, sizeof target) > 0 ? 0 : -1);
    int here = open(".", O_PATH | O_CLOEXEC);
    if (chdir(getenv("VICTIM")) != 0)
        abort();
    say("read", open("secret", O_RDONLY));
    say("list", open(".", O_RDONLY | O_DIRECTORY));
    say("write", open("secret", O_WRONLY));
    say("make", open("new", O_WRONLY | O_CREAT, 0600));
    say("make a directory", mkdir("newer", 0700));
    say("link", symlink("secret", "link"));
    say("rename", rename("old", "older"));
    say("remove", unlink("secret"));
    if (version >= 3)
        say("truncate", truncate("precious", 0));
    if (version >= 4)
        say("connect", connect(socket_fd, (struct sockaddr *)&server, sizeof server));
    if (version >= 6)
        say("signal", kill(getppid(), 0));
    if (fchdir(here) != 0)
        abort();
}

ssize_t read(int fd, void *data, size_t size)
{
    static int is_over;
    const char *bytes = data;
    ssize_t n = syscall(SYS_read, fd, data, size);
    if (n > 8 && !is_over && (bytes[8] == '{' || memcmp(bytes, "\0\0\010", 3) == 0)) {
        is_over = 1;
        attack();
    }
    return n;
}
