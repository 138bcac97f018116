// Epochs and batches; see train.h.
#include "train.h"

#include "evaluate.h"
#include "random.h"

#include <math.h>

// One step of gradient descent; the batch's losses and predictions stay in work.
static void train_batch(float *params, const Network *net, const Work *work, const Batch *batch,
                        float learning_rate)
{
    Range examples = {0, batch->size};
    for (size_t block = 0; block < N_BLOCKS; block++)
        network_gather(net, params, work, batch, block);
    network_forward(net, params, work, batch, examples);
    network_loss(net, work, batch, examples);
    network_backward(net, params, work, batch, examples);
    for (size_t block = 0; block < N_BLOCKS; block++)
        network_accumulate(net, work, batch, -learning_rate, params, block);
}

static bool error_diverged(Error *err, const TrainSettings *settings, size_t epoch, size_t batch)
{
    return error_set(err,
                     "the training diverged: the loss is not finite in epoch %zu, batch %zu; "
                     "the learning rate (--lr %g) is probably too large",
                     epoch, batch, settings->learning_rate);
}

// Trains on the examples in the given order and fills in the train figures of the report.
static bool train_epoch(float *params, const Network *net, const Work *work,
                        const TrainSettings *settings, const TrainData *data, const uint32_t *order,
                        EpochReport *report, const TrainObserver *observer, Error *err)
{
    double loss = 0.0;
    size_t n = range_length(data->split.train), correct = 0;
    for (size_t first = 0; first < n; first += settings->batch_size) {
        size_t size = n - first < settings->batch_size ? n - first : settings->batch_size;
        Batch batch = work_batch(work, data->data, &data->scale, order + first, size);
        train_batch(params, net, work, &batch, (float)settings->learning_rate);
        for (size_t b = 0; b < size; b++) {
            loss += (double)work->loss[b];
            correct += work->predicted[b] == batch_label(&batch, b);
        }
        if (!isfinite(loss))
            return error_diverged(err, settings, report->epoch, first / settings->batch_size + 1);
        if (observer->batch != NULL)
            observer->batch(observer->context, report->epoch, first + size,
                            loss / (double)(first + size));
    }
    report->train_loss = loss / (double)n;
    report->train_accuracy = (double)correct / (double)n;
    return true;
}

bool train_run(float *params, const Network *net, const TrainSettings *settings,
               const TrainData *data, const TrainObserver *observer, Arena *arena, Error *err)
{
    size_t n = range_length(data->split.train);
    size_t batch_size = settings->batch_size < n ? settings->batch_size : n;
    Work work;
    if (!work_alloc(&work, net, batch_size, true, arena, err))
        return false;
    uint32_t *order = arena_alloc(arena, n, sizeof *order, "the order of an epoch", err);
    if (order == NULL)
        return false;

    for (size_t epoch = 1; epoch <= settings->epochs; epoch++) {
        EpochReport report = {.epoch = epoch, .learning_rate = settings->learning_rate};
        double start = clock_seconds();
        random_permutation(order, n, settings->seed, RANDOM_ORDER + epoch);
        if (!train_epoch(params, net, &work, settings, data, order, &report, observer, err))
            return false;
        report.seconds = clock_seconds() - start;

        Evaluation validation = evaluate_run(net, params, &work, data->data, &data->scale,
                                             data->split.validation, NULL);
        if (!isfinite(validation.loss)) // the last update did it
            return error_diverged(err, settings, epoch, (n - 1) / batch_size + 1);
        report.validation_loss = validation.loss;
        report.validation_accuracy = evaluation_accuracy(&validation);
        if (!observer->epoch(observer->context, &report, err))
            return false;
    }
    return true;
}
