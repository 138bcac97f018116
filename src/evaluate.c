// One forward pass over a data set; see evaluate.h.
#include "evaluate.h"

enum { EVALUATE_MAX_BATCH = 256 };

Evaluation evaluate_run(const Network *net, const float *params, const Work *work,
                        const Dataset *data, const InputScale *scale, Range examples,
                        const Predictions *keep)
{
    Evaluation result = {.n = range_length(examples)};
    uint32_t index[EVALUATE_MAX_BATCH];
    size_t capacity = work->capacity < EVALUATE_MAX_BATCH ? work->capacity : EVALUATE_MAX_BATCH;
    size_t stride = net->layers[net->n_layers - 1].out_stride;
    for (size_t first = examples.first; first < examples.end; first += capacity) {
        size_t size = examples.end - first < capacity ? examples.end - first : capacity;
        for (size_t b = 0; b < size; b++)
            index[b] = (uint32_t)(first + b);
        Batch batch = work_batch(work, data, scale, index, size);
        batch.by_pixel = NULL;
        for (size_t block = 0; block < N_BLOCKS; block++)
            network_gather(net, params, work, &batch, block);
        network_forward(net, params, work, &batch, (Range){0, size});
        network_loss(net, work, &batch, (Range){0, size});

        for (size_t b = 0; b < size; b++) {
            size_t predicted = work->predicted[b];
            result.loss += (double)work->loss[b];
            result.correct += predicted == batch_label(&batch, b);
            if (keep != NULL && keep->label != NULL)
                keep->label[first - examples.first + b] = (unsigned char)predicted;
            if (keep != NULL && keep->probability != NULL)
                keep->probability[first - examples.first + b] =
                    work->dx[net->n_layers][b * stride + predicted];
        }
    }
    result.loss /= (double)result.n;
    return result;
}
