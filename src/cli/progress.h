// The progress of a training on stderr: one live line on a terminal (terminal.h), else one line per
// epoch. Knows what to show, and neither the data nor the network.
#ifndef MLP_PROGRESS_H
#define MLP_PROGRESS_H

#include "train.h"

typedef struct Progress {
    bool quiet, live, colour;
    size_t epochs, images; // in all; training images per epoch
    size_t epochs_done;    // before this training
    double start, drawn;   // when training began, when the live line was last drawn
    mlp_epoch last;        // epoch 0: none yet
} Progress;

// Looks at stderr, NO_COLOR and TERM to choose.
Progress progress_begin(bool quiet, size_t epochs_done, size_t epochs, size_t images);

void progress_batch(Progress *progress, size_t epoch, size_t done, double loss);
void progress_epoch(Progress *progress, const mlp_epoch *report);

// Ends the live line, if there is one; call before anything else is written to stderr. It may be
// drawn again afterwards.
void progress_end(Progress *progress);

#endif
