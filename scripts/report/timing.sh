#!/bin/sh
# Times whole trainings, from the start of the process to the finished model, with seeds 1 to SEEDS,
# one after the other and on all CPUs: nothing else should run meanwhile. Writes a row for each, and
# the curves of the first with the seconds since the start of the process.
#
# Usage: timing.sh MLP ROWS.csv CURVES.csv RECIPE SEEDS [FLAG]...
set -eu
export LC_ALL=C
mlp=$1 rows=$2 curves=$3 recipe=$4 seeds=$5
shift 5

# shellcheck disable=SC2086 # it may have several words: busybox awk
awk() {
    command ${AWK:-awk} "$@"
}

threads=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN || echo 1)
[ "$threads" -le 8 ] || threads=8
model=${rows%.csv}.bin table=${rows%.csv}.epochs.csv
echo recipe,seed,threads,epochs,validation_accuracy,test_accuracy,seconds >"$rows.part"
seed=1
while [ "$seed" -le "$seeds" ]; do
    started=$(date +%s.%N)
    "$mlp" train -q --threads "$threads" --seed "$seed" "$@" -o "$model" --csv "$table"
    ended=$(date +%s.%N)
    # From midnight: the seconds since 1970 have too many digits.
    seconds=$(awk -v from="$started" -v to="$ended" '
        BEGIN { from %= 86400; to %= 86400; printf "%.3f", to - from + (to < from ? 86400 : 0) }')
    test=$("$mlp" eval --json "$model" | sed -n 's/^  "accuracy": \(.*\),$/\1/p')
    awk -F , -v OFS=, -v start="$recipe,$seed,$threads" -v test="$test" -v seconds="$seconds" '
        { validation = $5 }
        END { print start, NR - 1, validation, test, seconds }' "$table" >>"$rows.part"
    # What the epochs did not take was before the first of them: reading the data.
    [ "$seed" -ne 1 ] || awk -F , -v OFS=, -v recipe="$recipe" -v seconds="$seconds" '
        NR == 1 { print "recipe,epoch,validation_accuracy,seconds"; next }
        { epoch[NR] = $1; accuracy[NR] = $5; took[NR] = $7; seconds -= $7 }
        END {
            for (n = 2; n <= NR; n++)
                print recipe, epoch[n], accuracy[n], sprintf("%.3f", seconds += took[n])
        }' "$table" >"$curves"
    seed=$((seed + 1))
done
mv "$rows.part" "$rows"
