// A command that reads what others made gives up, before it reads, all that it does not need: it
// can open no file but those that its command line names, those of the system, and where its
// outputs go. Linux (Landlock, from 5.13 on) and OpenBSD (unveil and pledge) can enforce that;
// elsewhere, and where the kernel was built or told to do without, nothing happens.
#ifndef MLP_SANDBOX_H
#define MLP_SANDBOX_H

#include "commands.h"

// Restricts this process and all that it starts, for good, where the command has OPT_NO_SANDBOX and
// it was not given. Call it while the process has one thread.
void sandbox_enter(const Context *context);

#endif
