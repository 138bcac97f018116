#!/bin/sh
# The same bytes everywhere: small trainings, which have every setting at least once, by the program
# built in every way that this machine can build and run, with every instruction set that it has and several
# numbers of threads; every model and every table (but for its last column, the seconds) must be the
# same. `make check-repro` runs this, and test_train, where the number of threads goes up and down within
# an epoch, and shows the hashes.
. tests/lib.sh

small_data "$WORK/data" 2500

# Settings, a training in each line. Together they are all that `mlp train --help` lists.
cat >"$WORK/trainings" <<'END'
plain --epochs 2 --train-size 2000
cnn --arch cnn --epochs 2 --train-size 150 --val-size 50
tanh --hidden 24,12 --activation tanh --optimizer adam --weight-decay 0.001 --schedule cosine --warmup 0.1 --ema 0.99 --epochs 3 --train-size 1000 --seed 2
moved --rotate 15 --scale 0.2 --shift 2 --shear 0.2 --momentum 0.9 --lr 1e-4 --keep best --epochs 2 --train-size 1000 --batch 50
cycle --activation relu --momentum 0.5 --schedule one-cycle --patience 1 --lr 0.002 --epochs 6 --train-size 500
lenet5 --arch lenet5 --channels 5,7 --hidden 20,9 --activation sigmoid --epochs 1 --train-size 60 --val-size 50
fast --preset fast --lr 0.0004 --augment --train-size 60 --val-size 50
END

# The same settings with fewer images, for emulated machines: float arithmetic is 20 to 100 times slower there.
sed '/^moved /s/1000/300/; /^cnn /s/150 --val-size 50/70 --val-size 20/; /^fast /s/60 --val-size 50/20 --val-size 20/' \
    "$WORK/trainings" >"$WORK/trainings.emulated"

# fingerprint RUNNER... PROGRAM: makes these trainings, one from a model's weights, a comparison and exports,
# and prints one checksum over models, tables, reports and exports.
fingerprint() {
    while read -r name flags; do
        case $flags in *--val-size*) ;; *) flags="$flags --val-size 500" ;; esac
        # shellcheck disable=SC2086 # the flags are words
        "$@" train -q -d "$WORK/data" $flags -o "$WORK/$name.bin" --csv "$WORK/$name.csv" --chain "$WORK/$name.chain" </dev/null || return 1
        cut -d, -f1-6 "$WORK/$name.csv" >"$WORK/$name.table"
    done <"$WORK/trainings$emulated"
    "$@" train -q -d "$WORK/data" --from "$WORK/plain.bin" --epochs 1 --train-size 2000 --val-size 500 -o "$WORK/from.bin" \
        --csv "$WORK/from.csv" || return 1
    "$@" eval "$WORK/plain.bin" "$WORK/from.bin" --compare "$WORK/plain.bin" -d "$WORK/data" --split validation --json \
        >"$WORK/eval.json" || return 1
    for format in onnx npz c; do
        "$@" export "$WORK/lenet5.bin" -o "$WORK/lenet5.$format" || return 1
    done
    cut -d ' ' -f 1 "$WORK/trainings" | while read -r name; do
        cat "$WORK/$name.bin" "$WORK/$name.table" "$WORK/$name.chain"
    done | cat - "$WORK/from.bin" "$WORK/eval.json" "$WORK/lenet5.onnx" "$WORK/lenet5.npz" "$WORK/lenet5.c" | cksum | tr ' ' -
}
every_setting_is_there() {
    "$FAST_MLP" train --help | sed -n '/^Options/,/^Presets/s/^ *\(-., \)\{0,1\}--\([a-z-]*\).*/\2/p' |
        grep -vxE 'val-size|transpose|no-transpose|classes|data|output|csv|chain|checkpoint-every|resume|from|threads|quiet|json|help' >"$WORK/flags"
    [ "$(wc -l <"$WORK/flags")" -gt 20 ] || { cat "$WORK/flags"; return 1; }
    while read -r flag; do
        grep -q -e "--$flag " "$WORK/trainings" || { echo "no training has --$flag"; return 1; }
    done <"$WORK/flags"
}
claim "the trainings have every setting" every_setting_is_there
emulated=.emulated
emulated_everywhere=$(fingerprint "$FAST_MLP")
emulated=
everywhere=$(fingerprint "$FAST_MLP")
echo "   $everywhere  this build"

same_as_here() {
    found=$(fingerprint "$@") || found=failed
    echo "$found" >"$WORK/found"
    expected=$everywhere
    [ -z "$emulated" ] || expected=$emulated_everywhere
    [ "$found" = "$expected" ] || { echo "$found, expected $expected"; return 1; }
}

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

# Each cell runs the best kernels that this CPU has. Those of AVX-512, which take longest to compile, are left out
# where it does not have them: nothing would run them.
defines=
MLP_ISA=avx512 "$FAST_MLP" --version 2>&1 >/dev/null | grep -q 'does not have' && defines=-DMLP_NO_AVX512

builds() { # COMPILER FLAGS LINKFLAGS: into $WORK/cell
    rm -rf "$WORK/cell"
    "$MAKE" -s CC="$1" CPPFLAGS="$defines" CFLAGS="$2" LDFLAGS="$3" BUILD="$WORK/cell" PROGRAM="$WORK/cell/mlp" all
}

# shellcheck disable=SC2086 # the flags are words
# cell NAME COMPILER FLAGS LINKFLAGS [RUNNER]
cell() {
    if ! command -v "$2" >/dev/null || { [ -n "${5-}" ] && ! command -v "$5" >/dev/null; }; then
        skip "$1: $2 ${5-} is not installed"
        return
    fi
    if ! echo | "$2" $3 -E - >/dev/null 2>&1; then
        skip "$1: the compiler does not know these flags here"
        return
    fi
    echo 'not built' >"$WORK/found"
    emulated=${5:+.emulated}
    built_and_same() { builds "$2" "$3" "$4" && same_as_here ${5:+"$5"} "$WORK/cell/mlp"; }
    claim "the same bytes from $1" built_and_same "$@"
    emulated=
    echo "   $(cat "$WORK/found")  $1"
}

claim "the same bytes under the address sanitizer" same_as_here "$MLP"
for compiler in gcc clang; do
    for level in -O0 -O2 -O3 '-O3 -march=native'; do
        cell "$compiler $level" $compiler "$level" ''
    done
done
cell "aarch64" aarch64-linux-gnu-gcc -O2 -static qemu-aarch64
cell "s390x, big-endian" s390x-linux-gnu-gcc -O2 -static qemu-s390x

# 32 bits
cross=i686-linux-gnu-gcc
cell "i686, 32 bits" $cross '-O2 -msse2 -mfpmath=sse -Werror' -static qemu-i386
if command -v "$cross" >/dev/null && command -v qemu-i386 >/dev/null; then
    claim "a build for 32 bits compiles without a warning" test -x "$WORK/cell/mlp"
    x87() {
        ! "$MAKE" -s CC="$cross" CFLAGS=-O2 BUILD="$WORK/x87" PROGRAM="$WORK/x87-mlp" all >"$WORK/said" 2>&1 ||
            { echo "it compiles"; return 1; }
        grep -q 'use -std=gnu11 (32-bit x86: and -msse2 -mfpmath=sse)' "$WORK/said"
    }
    claim "one that would use the x87 is refused, and the error names the flags that it needs" x87
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

for compiler in gcc clang; do
    cell "$compiler $reorder" $compiler "$reorder" ''
    own=-fsingle-precision-constant
    [ $compiler = gcc ] || own='-fapprox-func -fdenormal-fp-math=positive-zero'
    cell "$compiler $fast $own" $compiler "$fast $own" "$fast"
    if [ -x "$WORK/cell/mlp" ]; then
        claim "numbers below 2^-126 are kept by that program" small_numbers
        claim "NaN is seen by that program: the training ends as diverged" diverges_in_both
    fi
done

finish
