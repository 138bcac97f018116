// What `mlp explain` prints: every value, Jacobian and factor of one image's forward and backward
// pass, as text for one screen (or in full) and as JSON. explain.h and reference.h compute it,
// cmd_explain.c chooses model and image.
#ifndef MLP_EXPLANATION_H
#define MLP_EXPLANATION_H

#include "arrays.h"
#include "commands.h"
#include "explain.h"

// Refers to what it is made of. The reference has the image, its values and gradients.
typedef struct Explanation {
    const mlp_model *model;
    const char *path;     // of the model
    Dataset data;         // the image, and those after it of which there are arrays
    const char *image;    // which it is
    unsigned char label;  // where it is not that of the data
    const char *label_of; // where it is from then; "": the data
    size_t predicted;
    double probability; // of that class
    const Reference *ref;
    const WeightChain *chain;
    bool full;
    const Arrays *arrays; // for JSON
} Explanation;

// The text fails when memory is short, in the middle of what it prints.
bool explanation_print_text(const Explanation *explanation, Error *err);
void explanation_print_json(const Explanation *explanation);

#endif
