// What train and sweep say on stderr, beside progress and errors, of the data that they were given
// and of a training that learns nothing. A note begins with "mlp: note: "; it costs nobody the
// result.
#ifndef MLP_NOTES_H
#define MLP_NOTES_H

#include "dataset.h"

// One line, no note: how many images of what size and how many classes were read, and the split.
void notes_data_read(const Dataset *data, const Split *split, const char *name);

// Notes that validation images show a class that no training image shows (a file sorted by class),
// and that most classes below the highest label have no image (a stray label).
void notes_data_doubtful(const Dataset *data, const Split *split, const char *name);

#endif
