// Signals that ask a training to end. The first one is only noted, so that the training can stop
// where nothing is lost; the second one ends the process at once and removes temporary files.
// cmd_train.c and cmd_sweep.c ask for the noted signal between batches.
#ifndef MLP_SIGNALS_H
#define MLP_SIGNALS_H

// From now on notes SIGINT, SIGTERM, SIGHUP and SIGPIPE, but none that was ignored before.
void signals_watch(void);

// The number of the signal that was noted, or 0.
int signals_noted(void);

// "SIGINT".
const char *signals_name(int number);

#endif
