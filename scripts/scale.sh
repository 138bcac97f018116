#!/bin/sh
# How training scales: time and memory against the number of images, the number of epochs and the
# number of hidden units. Makes its IDX sets from data/mnist, again and again the same images, in a
# directory of its own under ${TMPDIR:-/tmp}, which is removed at the end.
#
# Usage: scripts/scale.sh [MOST]     MOST images in the largest set: 5000000, which takes 4 GB of
#                                    disk and as much memory; smaller sets are tenths of it
set -eu
cd "$(dirname "$0")/.."
most=${1:-5000000}
case $most in
'' | *[!0-9]*) echo "scale.sh: the number of images must be a whole number, not '$most'" >&2 && exit 2 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

free=$(df -Pk "$work" | awk 'NR == 2 { print $4 }')
if [ "$free" -lt $((most * 785 / 1024 + 100000)) ]; then
    echo "scale.sh: $work has only $free KB free" >&2
    exit 1
fi

u32() { # the number as four big-endian bytes
    for shift in 24 16 8 0; do
        # shellcheck disable=SC2059 # the format is the byte
        printf "\\$(printf %03o $(($1 >> shift & 255)))"
    done
}

# repeated FILE HEADER_SIZE BYTES: the file's contents after the header, as often as needed.
repeated() {
    while :; do
        gzip -dc "$1" | tail -c "+$(($2 + 1))"
    done 2>/dev/null | head -c "$3"
}

make_set() { # N
    { printf '\0\0\010\003' && u32 "$1" && u32 28 && u32 28 &&
        repeated data/mnist/train-images-idx3-ubyte.gz 16 $(($1 * 784)); } >"$work/train-images-idx3-ubyte"
    { printf '\0\0\010\001' && u32 "$1" &&
        repeated data/mnist/train-labels-idx1-ubyte.gz 8 "$1"; } >"$work/train-labels-idx1-ubyte"
}

# measure IMAGES EPOCHS HIDDEN: one row, images a second in training alone and in all.
measure() {
    ./mlp train -q --json -d "$work" --epochs "$2" --hidden "$3" -o "$work/model.bin" \
        --csv "$work/curves.csv" >"$work/summary" &
    child=$!
    started=$(date +%s.%N)
    rss=0
    while kill -0 "$child" 2>/dev/null; do
        now=$(awk '/^VmHWM:/ { print $2 }' "/proc/$child/status" 2>/dev/null || true)
        [ "${now:-0}" -gt "$rss" ] && rss=$now
        sleep 0.02
    done
    wait "$child"
    ended=$(date +%s.%N)
    per_second=$(sed -n 's/^ *"images_per_second": *\([0-9.e+]*\),*$/\1/p' "$work/summary")
    awk -v n="$1" -v e="$2" -v h="$3" -v r="$per_second" -v s="$started" -v f="$ended" -v m="$rss" \
        'BEGIN { printf "%9d  %6d  %6d  %12.0f  %8.2f  %8.0f\n", n, e, h, r, f - s, m / 1024 }'
}

echo "$(uname -sm), $(getconf _NPROCESSORS_ONLN) CPUs, $(./mlp --version)"
printf '%9s  %6s  %6s  %12s  %8s  %8s\n' images epochs hidden 'images/s' 'in all s' 'RSS MB'
for n in $((most / 100)) $((most / 10)) "$most"; do
    make_set "$n"
    measure "$n" 1 64
done
make_set 60000
for epochs in 1 10 100; do
    measure 60000 $epochs 64
done
for hidden in 64 256 1024; do
    measure 60000 3 $hidden
done
