#!/bin/sh
# Does the cost grow as the work grows? Four rows of trainings, one for each dimension: the number of
# images, of hidden units, of hidden layers, and the batch size.
#
#   make && scripts/scale.sh [-n MOST] [-t THREADS] [images] [hidden] [layers] [batch]
#
# MOST is the number of training images of the largest set: 5000000, which takes 4 GB of disk and as much
# memory. Smaller sets are a tenth and a hundredth of it. The IDX sets are made from data/mnist,
# again and again the same images, in a directory of its own under ${TMPDIR:-/tmp}, which is removed
# at the end. 10,000 more images of each are for validation.
#
# The time is that of the fastest epoch, training alone. Work is multiply-adds: per image two for each
# nonzero pixel and unit of the first layer (forward, weight gradient), and three for each weight of
# the other layers (and backward). "ratio" is the time for one multiply-add over the smallest of the row.
# "stated" is the memory that data/report/SPEED.md states: pixels and working memory.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
usage() {
    echo "usage: scale.sh [-n MOST] [-t THREADS] [images] [hidden] [layers] [batch]" >&2
    exit 2
}
most=5000000 threads=1
while getopts n:t: option; do
    case $option in
    n) most=$OPTARG ;;
    t) threads=$OPTARG ;;
    *) usage ;;
    esac
done
shift $((OPTIND - 1))
for number in "$most" "$threads"; do
    case $number in '' | 0* | *[!0-9]*) usage ;; esac
done
[ $# -gt 0 ] || set -- images hidden layers batch
for row; do
    case $row in images | hidden | layers | batch) ;; *) usage ;; esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
time=/usr/bin/time
[ -x $time ] || time=

u32() { # the number as four big-endian bytes
    for shift in 24 16 8 0; do
        # shellcheck disable=SC2059 # the format is the byte
        printf "\\$(printf %03o $(($1 >> shift & 255)))"
    done
}

# repeated FILE BYTES: the file's contents, as often as needed.
repeated() {
    while :; do
        cat "$1"
    done 2>/dev/null | head -c "$2"
}

# make_set N: that many images for training, and 10,000.
make_set() {
    [ "$1" != "${made:-}" ] || return 0
    made=$1 n=$(($1 + 10000))
    rm -f "$work"/train-*
    free=$(df -Pk "$work" | awk 'NR == 2 { print $4 }')
    if [ "$free" -lt $((n * 785 / 1024 + 200000)) ]; then
        echo "scale.sh: $work has only $free KB free" >&2
        exit 1
    fi
    { printf '\0\0\010\003' && u32 "$n" && u32 28 && u32 28 && repeated "$work/pixels" $((n * 784)); } \
        >"$work/train-images-idx3-ubyte"
    { printf '\0\0\010\001' && u32 "$n" && repeated "$work/labels" "$n"; } >"$work/train-labels-idx1-ubyte"
}

# measure IMAGES HIDDEN BATCH EPOCHS: a line of $work/row: these, seconds of the fastest epoch, RSS in KB.
measure() {
    make_set "$1"
    echo - >"$work/rss"
    ${time:+$time -f %M -o "$work/rss"} ./mlp train -q -d "$work" --val-size 10000 --lr 1e-4 --hidden "$2" \
        --batch "$3" --epochs "$4" --threads "$threads" -o "$work/model.bin" --csv "$work/curves.csv"
    awk -F, -v row="$1 $2 $3 $4" -v rss="$(tail -n 1 "$work/rss")" '
        NR == 2 || (NR > 2 && $7 < best) { best = $7 }
        END { print row, best, rss }' "$work/curves.csv" >>"$work/row"
}

# MNIST has 150 nonzero pixels in an image. Bytes, MB = 10^6.
print_row() {
    awk '
        function padded(n) { return int((n + 15) / 16) * 16 }
        function prepared(n) { return n * (8 * 4 + 150 * 2) <= 64 * 2^20 ? n * (8 * 4 + 150 * 2) : 0 }
        {
            line[NR] = $0
            n = $1; batch = $3
            layers = split($2, H, ",")
            H[layers + 1] = 10
            multiplications = 2 * 150 * H[1]
            parameters = 785 * padded(H[1])
            floats = 32 + 8 * padded(H[1]) # of an example
            for (l = 1; l <= layers; l++) {
                multiplications += 3 * H[l] * H[l + 1]
                parameters += (H[l] + 1) * padded(H[l + 1])
                floats += 4 * padded(H[l])
            }
            time[NR] = $5 / n / multiplications
            images = 785 * (n + 10000) + 4 * n + prepared(n) + prepared(10000)
            stated[NR] = (images + 12 * parameters + batch * (784 + 4 * floats) + 4e6) / 1e6
            rss[NR] = $6 * 1024 / 1e6
            if (NR == 1 || time[NR] < best) best = time[NR]
        }
        END {
            for (i = 1; i <= NR; i++) {
                split(line[i], f, " ")
                printf "%9d  %10s  %6d  %6d  %9.0f  %8.2f  %16.1f  %5.2f", f[1], f[2], f[3], f[4],
                       1e3 * f[5], 1e6 * f[5] / f[1], 1e12 * time[i], time[i] / best
                if (f[6] == "-") print "       -"
                else printf "  %6.0f  %6.0f  %5.2f\n", rss[i], stated[i], rss[i] / stated[i]
                over += time[i] / best > 1.3
            }
            if (over) print over " of these took more than 1.3 times the least time for a multiply-add"
        }' "$work/row"
    rm "$work/row"
}

gzip -dc data/mnist/train-images-idx3-ubyte.gz | tail -c +17 >"$work/pixels"
gzip -dc data/mnist/train-labels-idx1-ubyte.gz | tail -c +9 >"$work/labels"
echo "$(uname -sm), $(getconf _NPROCESSORS_ONLN) CPUs, threads: $threads, $(./mlp --version | head -n 1)"
printf '%9s  %10s  %6s  %6s  %9s  %8s  %16s  %5s  %6s  %6s  %5s\n' images hidden batch epochs 'ms/epoch' \
    'us/image' 'ps/multiply-add' ratio 'RSS MB' stated ratio
for row; do
    case $row in
    images)
        measure $((most / 100)) 64 64 6
        measure $((most / 10)) 64 64 2
        measure "$most" 64 64 1
        ;;
    hidden)
        measure 50000 64 64 6
        measure 50000 256 64 3
        measure 50000 1024 64 2
        ;;
    layers)
        for hidden in 64 64,64 64,64,64; do
            measure 50000 $hidden 64 4
        done
        ;;
    batch)
        for batch in 16 64 256 1024; do
            measure 50000 64 $batch 4
        done
        ;;
    esac
    print_row
done
