// The kernels for SSE2, which every x86-64 has: simd_template.h with this set; empty where isa.h
// leaves it out.
#include "isa.h"
#include "kernels.h"

#ifdef HAVE_SSE2
#define KERNELS_SSE2
#include "simd_template.h"
#endif
