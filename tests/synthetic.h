// A small data set made from random numbers: sparse images whose nonzero pixels depend on the
// class, so that there is something to learn.
#ifndef MLP_SYNTHETIC_H
#define MLP_SYNTHETIC_H

#include "random.h"
#include "settings.h"

#include <stdlib.h>
#include <string.h>

typedef struct Synthetic {
    Dataset data;
    InputScale scale;
    uint32_t *index; // 0, 1, ..., n - 1
} Synthetic;

static inline Synthetic synthetic_make(Arena *arena, size_t n, size_t side, size_t classes)
{
    Error err;
    unsigned char *pixels = arena_alloc(arena, n * side * side, 1, "pixels", &err);
    unsigned char *labels = arena_alloc(arena, n, 1, "labels", &err);
    uint32_t *index = arena_alloc(arena, n, sizeof *index, "index", &err);
    if (pixels == NULL || labels == NULL || index == NULL)
        abort();
    for (size_t i = 0; i < n; i++) {
        index[i] = (uint32_t)i;
        labels[i] = (unsigned char)(random_bits(7, 1, i) % classes);
        for (size_t p = 0; p < side * side; p++) {
            uint64_t bits = random_bits(7, 2, i * side * side + p);
            unsigned likely = random_bits(7, 3, labels[i] * side * side + p) % 4 == 0 ? 80 : 10;
            if (bits % 100 < likely)
                pixels[i * side * side + p] = (unsigned char)(1 + (bits >> 32) % 255);
        }
    }
    Synthetic s = {.index = index};
    s.data = (Dataset){.n = n,
                       .rows = side,
                       .cols = side,
                       .n_classes = classes,
                       .pixels = pixels,
                       .labels = labels};
    s.scale = input_scale(0.3);
    return s;
}

static inline Batch synthetic_batch(const Synthetic *s, const uint32_t *index, size_t size)
{
    return (Batch){.data = &s->data, .scale = &s->scale, .order = index, .n = size, .size = size};
}

// The settings that a model of format 1 has not.
#define PLAIN_SETTINGS                                                                             \
    .preset = "none", .activation = "sigmoid", .optimizer = "sgd", .schedule = "constant",         \
    .keep = "last"

// An architecture with its defaults, but one hidden layer.
static inline Architecture synthetic_architecture(const char *name, size_t rows, size_t cols,
                                                  size_t hidden, size_t classes)
{
    mlp_settings settings;
    settings_default(&settings, name);
    Architecture architecture = architecture_of(&settings, rows, cols, classes);
    memset(architecture.hidden, 0, sizeof architecture.hidden);
    architecture.hidden[0] = hidden;
    architecture.name = name;
    return architecture;
}

// A network for the data, with initial parameters in *params.
static inline void synthetic_network(Network *net, float **params, const Synthetic *s,
                                     size_t hidden, uint64_t seed, Arena *arena)
{
    Error err;
    Architecture architecture =
        synthetic_architecture("mlp", s->data.rows, s->data.cols, hidden, s->data.n_classes);
    if (!network_build(net, &architecture, &err) ||
        (*params = network_alloc(net, arena, &err)) == NULL)
        abort();
    network_init(net, *params, seed);
}

#endif
