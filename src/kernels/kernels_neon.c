// The kernels for NEON, which every AArch64 has.
#include "isa.h"
#include "kernels.h"

#ifdef HAVE_NEON
#define KERNELS_NEON
#include "simd_template.h"
#endif
