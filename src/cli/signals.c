// The handlers: one that notes, one that ends. Both do only what POSIX allows in a handler.
#include "signals.h"

#include "output.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

static struct Watched {
    int number;
    const char *name;
    bool ignored; // when the program started, as nohup does it: stays so
} watched[] = {{SIGINT, "SIGINT", false},
               {SIGTERM, "SIGTERM", false},
               {SIGHUP, "SIGHUP", false},
               {SIGPIPE, "SIGPIPE", false}};
enum { N_WATCHED = sizeof watched / sizeof watched[0] };

static bool is_watching;
static atomic_int noted; // lock-free, so that a handler on any thread may write it

// The second signal: removes temporary files, then takes the default action.
static void end(int number)
{
    output_remove_temporaries();
    (void)signal(number, SIG_DFL);
    (void)raise(number); // blocked in its own handler: it comes when this returns
}

static void note(int number)
{
    atomic_store(&noted, number);
    for (size_t i = 0; i < N_WATCHED; i++)
        if (!watched[i].ignored) // SIGPIPE again must not stop the saving
            (void)signal(watched[i].number, watched[i].number == SIGPIPE ? SIG_IGN : end);
}

void signals_watch(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART}, before;
    sigemptyset(&action.sa_mask);
    if (is_watching)
        return;
    is_watching = true;
    for (size_t i = 0; i < N_WATCHED; i++) // all of them before any handler can run
        watched[i].ignored =
            sigaction(watched[i].number, NULL, &before) != 0 || before.sa_handler == SIG_IGN;
    for (size_t i = 0; i < N_WATCHED; i++)
        if (!watched[i].ignored)
            sigaction(watched[i].number, &action, NULL);
}

int signals_noted(void)
{
    return atomic_load(&noted);
}

const char *signals_name(int number)
{
    for (size_t i = 0; i < N_WATCHED; i++)
        if (watched[i].number == number)
            return watched[i].name;
    return "a signal";
}
