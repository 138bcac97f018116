// What train and sweep say on stderr, beside progress and errors: of the data that they were given,
// and of a training that learns nothing. A note begins with "mlp: note: " and changes neither
// result nor exit status.
#ifndef MLP_NOTES_H
#define MLP_NOTES_H

#include "dataset.h"

// One line, no note: how many images of what size and how many classes were read, and the split.
void notes_data_read(const mlp_data *data, const Split *split);

// Notes that validation images show a class that no training image shows (a file sorted by class),
// and that most classes below the highest label have no image (a stray label).
void notes_data_doubtful(const mlp_data *data, const Split *split);

// Whether an epoch shows that nothing is learned. Either the loss, in training and after it on the
// validation images, is above ln(classes), that of an equal guess. Or the validation accuracy is no
// better than always answering the most frequent class (within two standard errors), and the loss
// no better than always answering the classes' shares. Then writes to *note which setting to
// change. Steps of less than four times the default's may just be slow: they count after the last
// epoch only, and after a hundred updates.
bool notes_nothing_learned(Error *note, const mlp_epoch *report, const mlp_settings *settings,
                           const mlp_data *data, const Split *split, bool is_last);

#endif
