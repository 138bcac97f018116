// The kernels for AVX-512 F, BW, DQ and VL: simd_template.h with this set; empty where isa.h leaves
// it out.
#include "isa.h"
#include "kernels.h"

#ifdef HAVE_AVX512
#define KERNELS_AVX512
#include "simd_template.h"
#endif
