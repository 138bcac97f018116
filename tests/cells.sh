# shellcheck shell=sh
# What cli_repro.sh and cli_machines.sh share: small trainings that have every setting at least once, and cells, which
# are a program built in one way, and the trainings by it. Sourced after lib.sh.

small_data "$WORK/data" 2500

# Settings, a training in each line. Together they are all that `mlp train --help` lists. The numbers of images are
# such that a machine emulated by QEMU, where float arithmetic takes some hundred times as long, needs less time for
# them than the compiler needs for the program; all trainings have several batches.
cat >"$WORK/trainings" <<'END'
plain --epochs 2 --train-size 500 --val-size 100
cnn --arch cnn --epochs 1 --train-size 24 --val-size 10 --batch 16
tanh --hidden 24,12 --activation tanh --optimizer adam --weight-decay 0.001 --schedule cosine --warmup 0.1 --ema 0.99 --epochs 3 --train-size 300 --val-size 50 --seed 2
moved --rotate 15 --scale 0.2 --shift 2 --shear 0.2 --momentum 0.9 --lr 1e-4 --keep best --epochs 2 --train-size 200 --val-size 50 --batch 50
cycle --activation relu --momentum 0.5 --schedule one-cycle --patience 1 --lr 0.002 --epochs 6 --train-size 150 --val-size 50
lenet5 --arch lenet5 --channels 5,7 --hidden 20,9 --activation sigmoid --epochs 1 --train-size 24 --val-size 10 --batch 16
fast --preset fast --lr 0.0004 --augment --train-size 16 --val-size 5 --batch 8
END

# fingerprint RUNNER... PROGRAM: makes these trainings, one from a model's weights, a comparison and exports,
# and prints one checksum over models, tables, reports and exports.
fingerprint() {
    while read -r name flags; do
        # shellcheck disable=SC2086 # the flags are words
        "$@" train -q -d "$WORK/data" $flags -o "$WORK/$name.bin" --csv "$WORK/$name.csv" \
            --chain "$WORK/$name.chain" </dev/null || return 1
        cut -d, -f1-6 "$WORK/$name.csv" >"$WORK/$name.table"
    done <"$WORK/trainings"
    "$@" train -q -d "$WORK/data" --from "$WORK/plain.bin" --epochs 1 --train-size 500 --val-size 100 \
        -o "$WORK/from.bin" --csv "$WORK/from.csv" || return 1
    "$@" eval "$WORK/plain.bin" "$WORK/from.bin" --compare "$WORK/plain.bin" -d "$WORK/data" --split validation --json \
        >"$WORK/eval.out" || return 1
    sed "s|$WORK/||g" "$WORK/eval.out" >"$WORK/eval.json"
    for format in onnx npz c; do
        "$@" export "$WORK/lenet5.bin" -o "$WORK/lenet5.$format" || return 1
    done
    cut -d ' ' -f 1 "$WORK/trainings" | while read -r name; do
        cat "$WORK/$name.bin" "$WORK/$name.table" "$WORK/$name.chain"
    done | cat - "$WORK/from.bin" "$WORK/eval.json" "$WORK/lenet5.onnx" "$WORK/lenet5.npz" "$WORK/lenet5.c" |
        cksum | tr ' ' -
}
everywhere=$(fingerprint "$FAST_MLP")
echo "   $everywhere  this build"

same_as_here() {
    found=$(fingerprint "$@") || found=failed
    echo "$found" >"$WORK/found"
    [ "$found" = "$everywhere" ] || { echo "$found, expected $everywhere"; return 1; }
}

# Each cell runs the best kernels that this CPU has. Those of AVX-512, which take longest to compile, are left out
# where it does not have them: nothing would run them.
defines=
MLP_ISA=avx512 "$FAST_MLP" --version 2>&1 >/dev/null | grep -q 'does not have' && defines=-DMLP_NO_AVX512

# builds COMPILER FLAGS LINKFLAGS [OPTIONS OF MAKE]: into $WORK/cell, without a word from compiler and linker.
builds() {
    # shellcheck disable=SC2086 # the options are words
    "$MAKE" -s -j 2 CC="$1" CPPFLAGS="$defines" CFLAGS="$2" LDFLAGS="$3" BUILD="$WORK/cell" \
        PROGRAM="$WORK/cell/mlp" ${4-} all >"$WORK/said" 2>&1
    built=$?
    cat "$WORK/said"
    [ "$built" -eq 0 ] && [ ! -s "$WORK/said" ]
}

# cell NAME COMPILER FLAGS LINKFLAGS [RUNNER]: all of the program, built in this way.
cell() {
    rm -rf "$WORK/cell"
    cell_on "$@"
}

# The same on what is in $WORK/cell.
cell_on() { # NAME COMPILER FLAGS LINKFLAGS [RUNNER [OPTIONS OF MAKE]]
    if ! command -v "${2%% *}" >/dev/null || { [ -n "${5-}" ] && ! command -v "$5" >/dev/null; }; then
        skip "$1: $2 ${5-} is not installed"
        return
    fi
    # shellcheck disable=SC2086 # the flags are words
    if ! echo | $2 $3 -E - >/dev/null 2>&1; then
        skip "$1: the compiler does not know these flags here"
        return
    fi
    echo 'not built' >"$WORK/found"
    built_and_same() { builds "$2" "$3" "$4" "${6-}" && same_as_here ${5:+"$5"} "$WORK/cell/mlp"; }
    claim "the same bytes from $1" built_and_same "$@"
    echo "   $(cat "$WORK/found")  $1"
}
