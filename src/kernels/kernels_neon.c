// The kernels for NEON, which every AArch64 has: simd_template.h with this set; empty where isa.h
// leaves it out.
#include "isa.h"
#include "kernels.h"

#ifdef HAVE_NEON
#define KERNELS_NEON
#include "simd_template.h"
#endif
