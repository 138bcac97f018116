#!/bin/sh
# The same bytes from every build for this machine: small trainings, which have every setting at least once, by the
# program built with several compilers, at every level, with the flags of distributions and with such as change
# arithmetic, with every instruction set that this machine has and several numbers of threads; every model and every
# table (but for its last column, the seconds) must be the same. `make check-repro` runs this, cli_machines.sh for other
# machines, and test_train, where the number of threads goes up and down within an epoch, and shows the hashes.
. tests/lib.sh
. tests/cells.sh

every_setting_is_there() {
    "$FAST_MLP" train --help | sed -n '/^Options/,/^Presets/s/^ *\(-., \)\{0,1\}--\([a-z-]*\).*/\2/p' |
        grep -vxE 'val-size|transpose|no-transpose|classes|data|output|csv|chain|checkpoint-every|resume|from|threads|quiet|json|help' >"$WORK/flags"
    [ "$(wc -l <"$WORK/flags")" -gt 20 ] || { cat "$WORK/flags"; return 1; }
    while read -r flag; do
        grep -q -e "--$flag " "$WORK/trainings" || { echo "no training has --$flag"; return 1; }
    done <"$WORK/flags"
}
claim "the trainings have every setting" every_setting_is_there

# What the environment and a flag can change of one program.
variant() { # NAME VARIABLE=VALUE... PROGRAM
    name=$1
    shift
    if [ "$(env "$@" --version 2>&1 >/dev/null | grep -c 'does not have')" -gt 0 ]; then
        echo "   this CPU has no $name"
        return
    fi
    claim "the same bytes with $name" same_as_here env "$@"
    echo "   $(cat "$WORK/found")  $name"
}
for isa in scalar sse2 avx2 avx512 neon; do
    variant "$isa" MLP_ISA=$isa "$FAST_MLP"
done
for threads in 1 2 3 7; do # as if there were as many CPUs
    variant "$threads threads" MLP_CPUS=$threads "$FAST_MLP"
    variant "$threads threads, scalar kernels" MLP_CPUS=$threads MLP_ISA=scalar "$FAST_MLP"
done
variant "3 threads under the thread sanitizer" MLP_CPUS=3 "$THREAD_MLP"
# Where the limit of the stack is small, glibc gives threads no more: 128 KB, as musl does by default, instead of 8 MB.
small_stacks() (
    # shellcheck disable=SC3045 # dash and busybox have it
    ulimit -s 128 && MLP_CPUS=3 same_as_here "$FAST_MLP"
)
claim "the same bytes with stacks of 128 KB, the threads' too" small_stacks

# level NAME COMPILER FLAGS LINKFLAGS: what trains, which is base, kernels and nn, built in this way. The rest is that
# of the plain build: it has no part in the arithmetic, and is half of what would be compiled.
level() {
    rm -rf "$WORK/cell"
    mkdir "$WORK/cell"
    kept=
    for part in cli io; do
        [ ! -d build/plain/$part ] || cp -Rp build/plain/$part "$WORK/cell"
    done
    for object in "$WORK"/cell/*/*.o; do
        kept="$kept -o $object"
    done
    cell_on "$1" "$2" "$3" "$4" '' "$kept"
}

claim "the same bytes under the address sanitizer" same_as_here "$MLP"
# Every level with gcc and with clang, and every version of them from gcc 11 and clang 14 on, once each. Below are gcc
# -O2, clang 15 and clang 16. What trains has -O3 in the plain build, too.
level "gcc -O0" gcc -O0 ''
level "gcc -O3 -march=native" gcc '-O3 -march=native' ''
cell "gcc 11 -O1" gcc-11 -O1 ''
level "clang -O0" clang -O0 ''
level "clang -O2 -flto" clang '-O2 -flto' ''
level "clang 19 -O3 -march=native" clang-19 '-O3 -march=native' ''
cell "clang 22 -O1" clang-22 -O1 ''

# What distributions build packages with, but for -g, which changes no code. (All have gcc -O2, Fedora's has -flto.)
# Debian's: dpkg-buildflags, DEB_BUILD_MAINT_OPTIONS=hardening=+all.
cell "the flags of Debian" gcc "-O2 -ffile-prefix-map=$PWD=. -fstack-protector-strong -Wformat -Werror=format-security \
    -Wdate-time -D_FORTIFY_SOURCE=2" '-Wl,-z,relro -Wl,-z,now'
# Fedora's: redhat-rpm-config, without its files of specs, which exist there alone, and -ffat-lto-objects, which
# compiles everything twice.
cell "the flags of Fedora" gcc "-O2 -flto=auto -fexceptions -pipe -Wall -Werror=format-security \
    -Wp,-U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=3 -Wp,-D_GLIBCXX_ASSERTIONS -fstack-protector-strong -m64 -mtune=generic \
    -fasynchronous-unwind-tables -fstack-clash-protection -fcf-protection -fno-omit-frame-pointer \
    -mno-omit-leaf-frame-pointer" \
    '-Wl,-z,relro -Wl,--as-needed -Wl,-z,pack-relative-relocs -Wl,-z,now -Wl,--build-id=sha1'
# conda-forge's: its compiler activation for linux-64.
cell "the flags of conda-forge" gcc "-march=nocona -mtune=haswell -ftree-vectorize -fPIC -fstack-protector-strong \
    -fno-plt -O2 -ffunction-sections -pipe" "-Wl,-O2 -Wl,--sort-common -Wl,--as-needed -Wl,-z,relro -Wl,-z,now \
    -Wl,--disable-new-dtags -Wl,--gc-sections"

# Flags that allow a compiler to change results: undone, or refused. Some need others to have an
# effect, and some are undone by others: so the worst of them alone as well as all together.
reorder='-O3 -fassociative-math -fno-signed-zeros -fno-trapping-math'
fast='-Ofast -ffast-math -funsafe-math-optimizations -freciprocal-math -ffinite-math-only -ffp-contract=fast'

# Small numbers and NaN, which the trainings above do not have: the features have some below 2^-126,
# which a program linked with -ffast-math would take for 0.
"$FAST_MLP" train -q --lr 0.5 --train-size 2000 --val-size 100 --hidden 16 --epochs 3 \
    -o "$WORK/small.bin" --csv "$WORK/small.csv"
"$FAST_MLP" features "$WORK/small.bin" --image 0 --csv "$WORK/small-here.csv"
claim "the features of this model have numbers below 2^-126" grep -q 'e-39$' "$WORK/small-here.csv"

small_numbers() {
    "$WORK/cell/mlp" features "$WORK/small.bin" --image 0 --csv "$WORK/small-cell.csv" &&
        cmp "$WORK/small-here.csv" "$WORK/small-cell.csv"
}
diverges() { # ARGUMENTS...
    refuses 1 'diverged' "$WORK/cell/mlp" train -q --train-size 100 --epochs 2 "$@" \
        -o "$WORK/nan.bin" --csv "$WORK/nan.csv"
}
diverges_in_both() { diverges --lr 1e38 && diverges --arch cnn --lr 1e38; }

# changed NAME COMPILER FLAGS: $fast is in the link, too, which must not change how the CPU treats small numbers.
changed() {
    level "$1 $3" "$2" "$3" "$fast"
    if [ -x "$WORK/cell/mlp" ]; then
        claim "numbers below 2^-126 are kept by that program" small_numbers
        claim "NaN is seen by that program: the training ends as diverged" diverges_in_both
    fi
}
level "gcc $reorder" gcc "$reorder" ''
changed gcc gcc "$fast -fsingle-precision-constant"
level "clang 15 $reorder" clang-15 "$reorder" ''
changed "clang 16" clang-16 "$fast -fapprox-func -fdenormal-fp-math=positive-zero"

finish
