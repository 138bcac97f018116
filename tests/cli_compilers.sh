#!/bin/sh
# Compilers that know less than those of today, and such as are refused. (Other machines, and 32 bits: cli_machines.)
. tests/lib.sh

trained() { # PROGRAM: the checksum of a small training's model
    "$1" train -q --train-size 300 --val-size 100 --epochs 1 -o "$WORK/t.bin" --csv "$WORK/t.csv" &&
        cksum <"$WORK/t.bin"
}
# without "SET..." VARIABLE=VALUE...: a build with these variables lacks these sets and gives the same bytes.
without() {
    sets=$1
    shift
    rm -rf "$WORK/lesser"
    "$MAKE" -s -j 2 CC="$CC" CFLAGS=-O0 BUILD="$WORK/lesser" PROGRAM="$WORK/lesser/mlp" "$@" \
        all "$WORK/lesser/bench" || return 1
    for set in $sets; do
        refuses 2 "MLP_ISA=$set: this build does not have" env MLP_ISA="$set" "$WORK/lesser/mlp" --version ||
            return 1
    done
    [ "$(trained "$WORK/lesser/mlp")" = "$(trained "$FAST_MLP")" ]
}
refuses_cplusplus() {
    for compiler in g++ clang++ /usr/bin/c++; do
        ! "$MAKE" -s CC="$compiler" BUILD="$WORK/plus" PROGRAM="$WORK/none" >"$WORK/said" 2>&1 || return 1
        cat "$WORK/said"
        [ "$(wc -l <"$WORK/said")" -eq 1 ] && grep -q 'is a C++ compiler, and mlp is written in C' "$WORK/said" || return 1
    done
}
printf '#!/bin/sh\nexec %s -U__clang__ -U__GNUC__ -D__GNUC__=8 "$@"\n' "$CC" >"$WORK/older"
chmod +x "$WORK/older"
claim "MLP_NO_AVX512 builds the rest, for a compiler that lacks AVX-512" without avx512 CPPFLAGS=-DMLP_NO_AVX512
claim "so does MLP_NO_AVX2" without 'avx512 avx2' CPPFLAGS=-DMLP_NO_AVX2
claim "a compiler older than gcc 9 builds the scalar kernels alone" \
    without 'neon avx512 avx2 sse2' CC="'$WORK/older'"
claim "a C++ compiler is refused in one line" refuses_cplusplus

finish
