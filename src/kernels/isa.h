// Which sets of vector kernels this build has, decided here alone: those of the machine that is
// compiled for, as far as the compiler has their instructions. MLP_NO_AVX512 and MLP_NO_AVX2 leave
// sets out. A build without any set runs the scalar kernels.
#ifndef MLP_ISA_H
#define MLP_ISA_H

// gcc 9 and every clang that can compile the rest have __builtin_convertvector and AVX-512.
#if defined __clang__ || (defined __GNUC__ && __GNUC__ >= 9)
#if defined __x86_64__
#define HAVE_SSE2
#ifndef MLP_NO_AVX2
#define HAVE_AVX2
#ifndef MLP_NO_AVX512
#define HAVE_AVX512
#endif
#endif
#elif defined __AARCH64EL__
#define HAVE_NEON
#endif
#endif

#endif
