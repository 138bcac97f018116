// Mean, standard deviation and Student's confidence interval; the formulas are in statistics.h.
#include "statistics.h"

#include <math.h>

// The probability that |T| is below t = sqrt(v) tan(angle), for v degrees of freedom: Abramowitz
// and Stegun, Handbook of Mathematical Functions (1964), 26.7.3 (v odd) and 26.7.4 (v even):
//   odd   2/pi (angle + sin (cos + 2/3 cos^3 + 2 4/(3 5) cos^5 + ... up to cos^(v-2)))
//   even  sin (1 + 1/2 cos^2 + 1 3/(2 4) cos^4 + ... up to cos^(v-2))
static double student_within(double angle, size_t v)
{
    double s = sin(angle), c = cos(angle), sum = 0.0;
    double term = v % 2 == 1 ? c : 1.0;
    for (size_t k = 1; k <= v / 2; k++) {
        double even = 2.0 * (double)k;
        sum += term;
        term *= c * c * (v % 2 == 1 ? even / (even + 1.0) : (even - 1.0) / even);
    }
    return v % 2 == 1 ? 2.0 / M_PI * (angle + s * sum) : s * sum;
}

double student_t_95(size_t degrees)
{
    double low = 0.0, high = M_PI / 2.0;
    for (int i = 0; i < 60; i++) { // the probability rises with the angle
        double middle = 0.5 * (low + high);
        *(student_within(middle, degrees) < 0.95 ? &low : &high) = middle;
    }
    return sqrt((double)degrees) * tan(low);
}

MeanEstimate mean_estimate(const double *x, size_t n)
{
    MeanEstimate e = {n, (double)NAN, (double)NAN, (double)NAN};
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    if (n > 0)
        e.mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - e.mean) * (x[i] - e.mean);
    if (n > 1) {
        e.sd = sqrt(squares / (double)(n - 1));
        e.ci95 = student_t_95(n - 1) * e.sd / sqrt((double)n);
    }
    return e;
}
