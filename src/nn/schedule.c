// The table of schedules, each a curve over a training from 0 to 1, in double precision with the
// same bits everywhere. Read schedule.h first.
#include "schedule.h"

#include "elementary.h"

#include <string.h>

// The curve after the warm-up, of x from 0, where the rate is the whole one, to 1.
static double constant(double x)
{
    (void)x;
    return 1.0;
}

// Half a cosine (Loshchilov and Hutter, "SGDR", 2017).
static double cosine(double x)
{
    return 0.5 * (1.0 + cos_f64(PI_F64 * x));
}

static double linear(double x)
{
    return 1.0 - x;
}

typedef struct Schedule {
    double warmup; // where the settings have none
    double (*after)(double x);
} Schedule;

// One-cycle is that of Smith and Topin ("Super-convergence", 2018) without its last phase.
#define SCHEDULES(ROW)                                                                             \
    ROW("constant", 0.0, constant) ROW("cosine", 0.0, cosine) ROW("one-cycle", 0.25, linear)
#define NAME(name, warmup, after)  name,
#define CURVE(name, warmup, after) {warmup, after},
const char *const schedule_names[] = {SCHEDULES(NAME) NULL};
static const Schedule schedules[] = {SCHEDULES(CURVE)};

static const Schedule *schedule_of(const mlp_settings *settings)
{
    size_t i = 0, last = sizeof schedules / sizeof schedules[0] - 1;
    while (i < last && strcmp(schedule_names[i], settings->schedule) != 0)
        i++;
    return &schedules[i];
}

bool schedule_needs_total(const mlp_settings *settings)
{
    return schedule_of(settings)->after != constant || settings->warmup > 0.0;
}

double schedule_rate(const mlp_settings *settings, uint64_t step, uint64_t total)
{
    const Schedule *schedule = schedule_of(settings);
    double warmup = settings->warmup > 0.0 ? settings->warmup : schedule->warmup;
    double done = ((double)step - 0.5) / (double)total;
    double factor =
        done < warmup ? done / warmup : schedule->after((done - warmup) / (1.0 - warmup));
    return settings->learning_rate * factor;
}

uint64_t schedule_batches(const mlp_settings *settings, uint64_t n)
{
    return n == 0 ? 0 : (n - 1) / settings->batch_size + 1;
}
