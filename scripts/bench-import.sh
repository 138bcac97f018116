#!/bin/sh
# How fast `mlp import` reads tables: MNIST's training images as CSV, and as many of random pixels,
# where no run of zeros helps. Prints the megabytes of text per second of processor time and of the
# clock, which includes writing the files to the disk; the best of several rounds each.
# Usage: scripts/bench-import.sh [ROUNDS]
set -eu
cd "$(dirname "$0")/.."
rounds=${1:-5} mlp=${MLP:-$PWD/mlp}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

mkdir "$work/random"
"$mlp" export-data -q --csv "$work/mnist.csv"
gzip -dc data/mnist/train-labels-idx1-ubyte.gz >"$work/random/train-labels-idx1-ubyte"
{ gzip -dc data/mnist/train-images-idx3-ubyte.gz | head -c 16 && head -c $((60000 * 784)) /dev/urandom; } \
    >"$work/random/train-images-idx3-ubyte"
"$mlp" export-data -q -d "$work/random" --csv "$work/random.csv"

echo "table   MB of text  MB/s of processor time  MB/s"
for table in mnist random; do
    round=0
    while [ "$round" -lt "$rounds" ]; do
        { time -p "$mlp" import "$work/$table.csv" -q -o "$work/out" --force; } 2>&1 | tr '\n' ' '
        echo
        round=$((round + 1))
    done | awk -v table=$table -v bytes="$(wc -c <"$work/$table.csv")" '
        { cpu = $4 + $6; if (NR == 1 || cpu < best_cpu) best_cpu = cpu; if (NR == 1 || $2 < best) best = $2 }
        END { printf "%-8s%10.1f  %22.0f  %4.0f\n", table, bytes / 1e6, bytes / 1e6 / best_cpu, bytes / 1e6 / best }'
done
