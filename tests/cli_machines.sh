#!/bin/sh
# The same bytes on every machine: the trainings of cells.sh, by the program built for other
# machines (32 and 64 bits, both byte orders) and run by QEMU, and for musl. Two threads each, and no warning.
. tests/lib.sh
export MLP_CPUS=2
. tests/cells.sh

cell "ARM, 32 bits (armhf)" arm-linux-gnueabihf-gcc -O2 -static qemu-arm
cell "MIPS, 32 bits, big-endian" mips-linux-gnu-gcc -O2 -static qemu-mips
cell "RISC-V, 64 bits" riscv64-linux-gnu-gcc -O2 -static qemu-riscv64
cell "POWER, 64 bits (ppc64el)" powerpc64le-linux-gnu-gcc -O2 -static qemu-ppc64le
cell "aarch64" aarch64-linux-gnu-gcc -O2 -static qemu-aarch64
cell "s390x, big-endian" s390x-linux-gnu-gcc -O2 -static qemu-s390x
# Its threads have stacks of 128 KB.
cell "musl, static" musl-gcc -O2 -static

cross=i686-linux-gnu-gcc
cell "x86, 32 bits with SSE2" $cross '-O2 -msse2 -mfpmath=sse' -static qemu-i386
if command -v "$cross" >/dev/null && command -v qemu-i386 >/dev/null; then
    beyond_2_gb() { # a file of 3 GB, nearly all of it a hole
        mkdir "$WORK/large" && cp data/mnist/*.gz "$WORK/large" && rm "$WORK/large"/train-images* &&
            { gzip -dc data/mnist/train-images-idx3-ubyte.gz | head -c 1000 &&
                dd bs=1 count=1 seek=3221225471 if=/dev/zero 2>/dev/null; } \
                1<>"$WORK/large/train-images-idx3-ubyte" || return 1
        refuses 1 'the file has 3221226472' qemu-i386 "$WORK/cell/mlp" train -q -d "$WORK/large" \
            -o "$WORK/large.bin" --csv "$WORK/large.csv"
    }
    claim "files beyond 2 GB are opened there" beyond_2_gb
fi
without_sse2() { # COMPILER...: each is refused, in words that say which flags are missing
    for compiler in "$@"; do
        ! "$MAKE" -s CC="$compiler" CFLAGS=-O2 HARDEN= BUILD="$WORK/x87" PROGRAM="$WORK/x87/mlp" \
            "$WORK/x87/libmlp.a" >"$WORK/said" 2>&1 ||
            { echo "it compiles: $compiler"; return 1; }
        grep -q 'use -std=gnu11 (32-bit x86: and -msse2 -mfpmath=sse)' "$WORK/said" || { cat "$WORK/said"; return 1; }
    done
}
if command -v "$cross" >/dev/null && command -v clang >/dev/null; then
    claim "without SSE2, which rounds elsewhere, no program is built, and the error names the flags that it needs" \
        without_sse2 "$cross" "$cross -march=i486" "$cross -msse2 -mfpmath=sse -mno-sse" 'clang -m32' 'clang -m32 -mno-sse'
else
    skip "32-bit x86 without SSE2: $cross or clang is not installed"
fi

finish
