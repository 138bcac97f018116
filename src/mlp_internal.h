// What is behind the public handles, for the commands that need more of a model than include/mlp.h
// shows: its tensors, or how it was written.
#ifndef MLP_INTERNAL_H
#define MLP_INTERNAL_H

#include "idx.h"
#include "mlp.h"
#include "model.h"

struct mlp_model {
    Model model;
    const char *name;       // in messages: the path, or "the model"
    ClassName *class_names; // (classes)
    Arena arena;            // of all this
};

#endif
