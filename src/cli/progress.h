// What train and sweep say on stderr while they train: how far a training is, in one live line on a
// terminal, else one line per epoch, and that it learns nothing. A note begins with "mlp: note: "
// and changes neither result nor exit status. What they say of the data before is in data_notes.h.
#ifndef MLP_PROGRESS_H
#define MLP_PROGRESS_H

#include "dataset.h"

typedef struct Progress {
    bool quiet, live, colour;
    size_t epochs, images; // in all; training images per epoch
    size_t epochs_done;    // before this training
    double start, drawn;   // when training began, when the live line was last drawn
    mlp_epoch last;        // epoch 0: none yet
    bool nothing_learned;  // has been noted
    const mlp_settings *settings;
    const mlp_data *data;
    Split split;
} Progress;

// Looks at stderr, NO_COLOR and TERM to choose. Settings and data must live as long.
Progress progress_begin(bool quiet, size_t epochs_done, const mlp_settings *settings,
                        const mlp_data *data, const Split *split);

void progress_batch(Progress *progress, size_t epoch, size_t done, double loss);

// Also notes once which setting to change when the epoch shows that nothing is learned. Either the
// loss, in training and after it on the validation images, is above ln(classes), that of a uniform
// guess. Or the validation accuracy is no better than always answering the most frequent class
// (within two standard errors), and the loss no better than always answering the classes' shares.
// Steps of less than four times the default's may just be slow: they count after the last epoch
// only, and after a hundred updates.
void progress_epoch(Progress *progress, const mlp_epoch *report);

// Ends the live line, if there is one; call before anything else is written to stderr. It may be
// drawn again afterwards.
void progress_end(Progress *progress);

#endif
