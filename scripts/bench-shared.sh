#!/bin/sh
# What a busy machine does to a training with threads: two trainings at once, a quota of CPUs that
# is smaller than the number of threads, more threads than CPUs. Prints medians over ROUNDS rounds
# of the seconds of training, and their ratio to a training alone.
#
# Usage: scripts/bench-shared.sh [ROUNDS]     (5)
set -eu
cd "$(dirname "$0")/.."
rounds=${1:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# train NAME COMMAND...: ten epochs; adds the seconds to the file of that name.
train() {
    name=$1
    shift
    "$@" ./mlp train -q --epochs 10 -o "$work/$name.bin" --csv "$work/$name.csv"
    awk -F, 'NR > 1 { s += $7 } END { print s }' "$work/$name.csv" >>"$work/$name"
}
median() {
    sort -g "$work/$1" | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'
}

round=0
while [ "$round" -lt "$rounds" ]; do
    train alone env
    train one env MLP_CPUS=1
    train first env &
    train second env
    wait
    if command -v taskset >/dev/null; then
        train quota env MLP_CPUS=2 taskset -c 0
    fi
    train eight env MLP_CPUS=8
    round=$((round + 1))
done

alone=$(median alone)
row() { # FILE TEXT
    [ ! -f "$work/$1" ] || awk -v t="$(median "$1")" -v a="$alone" -v text="$2" \
        'BEGIN { printf "%-44s %8.3f  %5.2f\n", text, t, t / a }'
}
echo "$(uname -sm), $(getconf _NPROCESSORS_ONLN) CPUs, $(./mlp --version), medians of $rounds"
printf '%-44s %8s  %5s\n' 'ten epochs' s ratio
row alone 'alone, a thread for each CPU'
row one 'alone, one thread'
row first 'two at once, the one'
row second 'two at once, the other'
row quota 'two threads on one CPU'
row eight 'eight threads'
