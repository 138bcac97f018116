// The learning rate over a training: a schedule is a function of the share of all batches that are
// done, evaluated in the middle of each batch. Read train.h first.
#ifndef MLP_SCHEDULE_H
#define MLP_SCHEDULE_H

#include "mlp.h"

// The names of the schedules, ending with NULL.
extern const char *const schedule_names[];

// Whether the rate depends on the number of batches in all, so that a training cannot be made
// longer than was planned.
bool schedule_needs_total(const mlp_settings *settings);

// The learning rate of batch number `step`, from 1, of `total`.
double schedule_rate(const mlp_settings *settings, uint64_t step, uint64_t total);

// How many batches n images are.
uint64_t schedule_batches(const mlp_settings *settings, uint64_t n);

#endif
