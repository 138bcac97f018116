#!/bin/sh
# One recipe with one seed: trains it on one thread, evaluates the finished model on the images that
# it was trained on, on the validation and on the test images, and writes a table of one row. The
# model and its curves stay beside it, as ROW.bin and ROW.curves.csv.
#
# Usage: recipe.sh MLP ROW.csv GROUP RECIPE SEED DATA [FLAG]...
#        recipe.sh MLP ROW.csv GROUP RECIPE all DATA ROW.csv...    the models of these rows together
#
# DATA may be empty: the data that mlp finds by itself. report-recipes.mk calls it.
set -eu
export LC_ALL=C
mlp=$1 row=$2 group=$3 recipe=$4 seed=$5 data=$6
shift 6

# shellcheck disable=SC2086 # it may have several words: busybox awk
awk() {
    command ${AWK:-awk} "$@"
}

# of KEY: the first value of that key in JSON.
of() {
    sed -n "s/^ *\"$1\": \"*\([^\",]*\)\"*,*\$/\1/p" | head -n 1
}

evaluate() { # SPLIT MODEL...
    split=$1
    shift
    "$mlp" eval --json --threads 1 ${data:+-d "$data"} --split "$split" "$@"
}

if [ "$seed" = all ]; then
    # Of the members: the parameters and the seconds of all, the epochs of each.
    figures=$(awk -F , 'FNR == 2 { p += $6; e = $7; s += $NF } END { printf "%d %d %.4f", p, e, s }' "$@")
    parameters=${figures%% *} seconds=${figures##* }
    epochs=${figures% *} epochs=${epochs#* }
    flags="eval of $# models"
    images=$(sed -n 2p "$1" | cut -d , -f 5)
    for member; do
        shift
        set -- "$@" "${member%.csv}.bin"
    done
else
    flags="$*"
    model=${row%.csv}.bin curves=${row%.csv}.curves.csv
    summary=$("$mlp" train -q --json --threads 1 ${data:+-d "$data"} --seed "$seed" "$@" -o "$model" --csv "$curves")
    parameters=$(echo "$summary" | of parameters) seconds=$(echo "$summary" | of seconds)
    epochs=$(($(wc -l <"$curves") - 1))
    images=$(echo "$summary" | of train_size)
    set -- "$model"
fi

# Each on its own line, so that a failure ends the script.
train=$(evaluate train "$@")
validation=$(evaluate validation "$@")
test=$(evaluate test "$@")
{
    echo group,recipe,flags,seed,images,parameters,epochs,train_accuracy,validation_accuracy,test_accuracy,binomial_se,seconds
    printf %s, "$group" "$recipe" "$flags" "$seed" "$images" "$parameters" "$epochs" \
        "$(echo "$train" | of accuracy)" "$(echo "$validation" | of accuracy)" "$(echo "$test" | of accuracy)" \
        "$(echo "$test" | of accuracy_se)"
    printf '%.4f\n' "$seconds"
} >"$row.part"
mv "$row.part" "$row"
