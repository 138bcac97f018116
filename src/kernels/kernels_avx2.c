// The kernels for AVX2 and BMI1: simd_template.h with this set; empty where isa.h leaves it out.
#include "isa.h"
#include "kernels.h"

#ifdef HAVE_AVX2
#define KERNELS_AVX2
#include "simd_template.h"
#endif
