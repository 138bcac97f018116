// What train, sweep and info say of the data that they were given. A note begins with "mlp: note: "
// and changes neither result nor exit status. What is refused is said by mlp_create and mlp_fits.
#ifndef MLP_DATA_NOTES_H
#define MLP_DATA_NOTES_H

#include "dataset.h"

// "11 of 12 classes": how many of the classes have an image; "10 classes" where all do.
typedef struct ClassesText {
    char text[64];
} ClassesText;
ClassesText data_classes_text(const mlp_data *data);

// "9", "7, 8 and 9", "0, 1, 2, 3, 4, 5 and 20 more": the classes that are listed, by their names
// (class_names.h). Returns how many.
size_t data_list_classes(char list[LIST_SIZE], const char *names, const bool *listed,
                         size_t n_classes);

// Prints one line, no note: how many images of what size and how many classes were read, and the
// split.
void notes_data_read(const mlp_data *data, const Split *split);

// Writes what is doubtful, in the words of a note: that most classes below the highest label have
// no image (a stray label), and that validation images show a class that no training image shows (a
// file sorted by class). Returns how many notes there are.
enum { DATA_MAX_DOUBTS = 2 };
size_t data_doubts(Error doubts[DATA_MAX_DOUBTS], const mlp_data *data, const char *names,
                   const Split *split);

// Prints these notes.
void notes_data_doubtful(const mlp_data *data, const char *names, const Split *split);

// Marks the classes that validation images show and training images do not. Returns how many
// validation images that are.
size_t data_find_untrained(bool missing[MLP_MAX_CLASSES], const mlp_data *data, const Split *split);

#endif
