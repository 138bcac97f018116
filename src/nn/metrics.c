// Figures of merit; see metrics.h.
#include "metrics.h"

#include <math.h>

double accuracy_standard_error(double p, size_t n)
{
    return sqrt(p * (1.0 - p) / (double)n);
}

void confusion_count(uint64_t *confusion, size_t C, const unsigned char *truth,
                     const unsigned char *predicted, size_t n)
{
    for (size_t i = 0; i < C * C; i++)
        confusion[i] = 0;
    for (size_t i = 0; i < n; i++)
        confusion[truth[i] * C + predicted[i]]++;
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole == 0 ? (double)NAN : (double)part / (double)whole;
}

ClassMetrics class_metrics(const uint64_t *confusion, size_t C, size_t k)
{
    ClassMetrics m = {0};
    for (size_t i = 0; i < C; i++) {
        m.support += confusion[k * C + i];
        m.predicted += confusion[i * C + k];
    }
    uint64_t hits = confusion[k * C + k];
    m.precision = ratio(hits, m.predicted);
    m.recall = ratio(hits, m.support);
    m.f1 = ratio(2 * hits, m.support + m.predicted);
    return m;
}
