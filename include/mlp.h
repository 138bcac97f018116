// The public interface of libmlp.
#ifndef MLP_H
#define MLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// All that the result of a training depends on, beside the data. mlp_settings_default fills it in;
// change what you want then. Texts belong to the caller.
typedef struct mlp_settings {
    const char *architecture; // "mlp" or "cnn"
    uint64_t epochs;      // passes over the training images, those of earlier trainings included
    double learning_rate; // for the sum of the batch's gradients, not their mean
    uint64_t batch_size;  // images in a batch
    uint64_t hidden;      // units of the hidden dense layer
    uint64_t seed;        // of the initial weights and of the order of the images
    uint64_t train_size;  // train on the first so many images; 0: all but the validation images
    uint64_t validation_size; // keep the last so many; 0: 10000, or a sixth of a smaller file
    bool transposed;          // the data files hold the images column by column
    const char *class_names;  // one per line, from class 0 on; NULL: the classes have numbers
} mlp_settings;

#ifdef __cplusplus
}
#endif

#endif
