#!/bin/sh
# mlp gradcheck at full size: the shapes of the derivation, and errors far below their limits.
. tests/lib.sh

DATA=$PWD/data/mnist
cd "$WORK" || exit 1

# The table, row by row: name, shape, and how many entries are not zero (x: the nonzero pixels of
# image 0 times 64).
rows="dL/da2 1x10 10
da2/db2 10x10 10
da2/dvec(W2) 10x640 640
da2/df1 10x64 640
df1/da1 64x64 64
da1/db1 64x64 64
da1/dvec(W1) 64x50176 10624"

proves_everything() {
    exits 0 "$FAST_MLP" gradcheck -d "$DATA" "$@" || return 1
    echo "$rows" | while read -r name shape nonzero; do
        grep -F "$name " stdout | grep -E " $shape +$nonzero +[0-9.e-]+  ok\$" >row || {
            echo "missing: $name $shape $nonzero"
            cat stdout
            exit 1
        }
    done || return 1
    # Seven Jacobians and four blocks; Jacobians and chain below 1e-6, training code below 1e-5.
    awk '/  ok$/ { n++; if ($1 ~ /^dL\/d(b|vec)/) { if ($4 >= 1e-6 || $5 >= 1e-5) exit 1 }
                   else if ($(NF - 1) >= 1e-6) exit 1 }
         END { exit n != 11 }' stdout || { cat stdout; return 1; }
    grep -q '^All agree' stdout
}
claim "every Jacobian and gradient of a fresh network is right" proves_everything
"$FAST_MLP" train -q -d "$DATA" --epochs 3 -o m.bin --csv m.csv
claim "every Jacobian and gradient of a trained model is right" proves_everything m.bin

small_one() {
    exits 0 "$MLP" gradcheck -d "$DATA" --hidden 2 --image 59999 --seed 3
}
claim "a small network is right under the sanitizers" small_one

# ---------------------------------------------------------------------------------------------
# Several layers, other activations

deep_ones() { # JACOBIANS FLAGS...
    jacobians=$1
    shift
    exits 0 "$FAST_MLP" gradcheck -d "$DATA" "$@" || return 1
    cat stdout
    grep -q '^All agree' stdout || return 1
    rows=$(sed -n '/^Jacobian/,/^$/s/  ok$//p' stdout | wc -l)
    [ "$rows" -eq "$jacobians" ] || { echo "$rows Jacobians, not $jacobians"; return 1; }
}
for activation in sigmoid tanh relu; do
    claim "two hidden layers of $activation are right" deep_ones 11 --hidden 12,8 --activation "$activation"
    claim "three behind two convolutions with $activation are right" deep_ones 26 --arch cnn --channels 2,3 \
        --hidden 16,12,8 --activation "$activation"
done
claim "eight hidden layers are right" deep_ones 35 --hidden 16-14-12-14-12-10-12-10 --activation tanh --crop 10
claim "LeNet-5 with a few channels is right" deep_ones 22 --arch lenet5 --channels 2-3
names_tanh() {
    exits 0 "$FAST_MLP" gradcheck -d "$DATA" --hidden 3,2 --activation tanh --crop 4 && cat stdout &&
        grep -q '^df2/da2  *diag(1 - f2 \* f2) (4)  *2x2  *2 ' stdout && grep -q '^da3/dvec(W3)  *I_10 (x) f2^T (5)  *10x20 ' stdout &&
        grep -q '784\|16-3-2-10' stdout
}
claim "the rows name layers and derivatives as the derivation does" names_tanh
deep_model() {
    "$FAST_MLP" train -q -d "$DATA" --train-size 2000 --epochs 2 --hidden 9,7 --activation tanh -o deep.bin --csv deep.csv &&
        exits 0 "$MLP" gradcheck -d "$DATA" deep.bin && grep -q '^deep.bin, 784-9-7-10, ' stdout && grep -q '^All agree' stdout
}
claim "a trained model of two hidden layers is right" deep_model

# ---------------------------------------------------------------------------------------------
# Tables

nonzero_as_counted() { # as many rows as the table counts, and those of dW1 are I (x) x^T
    exits 0 "$FAST_MLP" gradcheck -d "$DATA" --hidden 4 --nonzero nonzero.csv || return 1
    [ "$(head -n 1 nonzero.csv)" = jacobian,row,column,value ] || { head -n 1 nonzero.csv; return 1; }
    awk '/  ok$/ && n++ < 7 { print $1, $(NF - 2) }' stdout >counted
    tail -n +2 nonzero.csv | awk -F, '!($1 in n) { order[++names] = $1 } { n[$1]++ }
        END { for (i = 1; i <= names; i++) print order[i], n[order[i]] }' | diff counted - || return 1
    awk -F, '$1 == "da1/dvec(W1)" { block = int($3 / 784); pixel = $3 % 784
                 if (block != $2 || $4 <= 0 || ($2 > 0 && x[pixel] != $4)) { print; exit 1 }
                 x[pixel] = $4; rows[$2]++ }
             END { exit !(rows[0] == 166 && rows[0] == rows[1] && rows[1] == rows[2] && rows[2] == rows[3]) }' nonzero.csv
}
claim "--nonzero lists what is not zero: row k of da1/dvec(W1) is x, at columns 784k on" nonzero_as_counted

errors_by_step() { # 1e-5 as in the usual table; a valley between truncation and rounding
    exits 0 "$FAST_MLP" gradcheck -d "$DATA" --hidden 2 --steps steps.csv && cat steps.csv || return 1
    [ "$(wc -l <steps.csv)" -eq 13 ] && [ "$(awk -F, '{ print NF }' steps.csv | sort -u)" = 12 ] || return 1
    awk '$1 == "dL/dvec(W2)" { print $4 }' stdout >usual
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "dL/dvec(W2)") c = i; next }
             $1 == 1e-5 { printf "%.1e\n", $c } ' steps.csv | diff usual - &&
        awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "dL/dvec(W2)") c = i; next }
                 { error[NR - 1] = $c }
                 END { exit !(error[1] > 100 * error[5] && error[12] > 100 * error[5]) }' steps.csv
}
claim "--steps shows the error of a step too large, right and too small" errors_by_step
small_tables() {
    exits 0 "$MLP" gradcheck -d "$DATA" --hidden 1 --nonzero a.csv --steps b.csv && [ -s a.csv ] && [ -s b.csv ]
}
claim "both tables are written under the sanitizers" small_tables

for flag in --steps --nonzero; do
    claim "refused: $flag that would replace the model" refuses 1 "$flag would replace the model" \
        "$MLP" gradcheck -d "$DATA" m.bin "$flag" ./m.bin
    claim "refused: $flag that would replace a file of the data" refuses 1 "$flag would replace a file of the data" \
        "$MLP" gradcheck -d "$DATA" "$flag" "$DATA/train-images-idx3-ubyte.gz"
    claim "refused: $flag without a file" refuses 2 "$flag" "$MLP" gradcheck "$flag="
done
claim "refused: both tables in one file" refuses 1 "same file" "$MLP" gradcheck -d "$DATA" --steps a.csv --nonzero ./a.csv
cannot_be_written() { # the check is printed, the table is not there
    exits 1 "$FAST_MLP" gradcheck -d "$DATA" --hidden 1 --nonzero nowhere/a.csv && grep -q '^mlp: nowhere/a.csv' stderr &&
        [ "$(wc -l <stderr)" -eq 1 ]
}
claim "refused: a table that cannot be written" cannot_be_written

# ---------------------------------------------------------------------------------------------
# What is refused

claim "refused: an image that is not there" refuses 1 "--image" "$MLP" gradcheck -d "$DATA" --image 60000
claim "refused: an image that is not a number" refuses 2 "--image: 'x'" "$MLP" gradcheck --image x
for option in "--hidden 7" "--hidden 64" "--seed 1" "--seed 2" "--arch mlp" "--crop 28" "--activation sigmoid" \
    "--channels 16-32"; do
    # shellcheck disable=SC2086 # two words
    claim "refused: $option for a model, whatever the default is" refuses 2 "m.bin has its own" "$MLP" gradcheck m.bin $option
done
claim "refused: no hidden units" refuses 2 "--hidden" "$MLP" gradcheck --hidden 0
claim "refused: nine hidden layers" refuses 2 "--hidden: '1,2,3,4,5,6,7,8,9'" "$MLP" gradcheck --hidden 1,2,3,4,5,6,7,8,9
claim "refused: an activation that is not there" refuses 2 "--activation: 'gelu' is not one of sigmoid, tanh, relu" \
    "$MLP" gradcheck --activation gelu
claim "refused: channels without convolutions" refuses 2 "no convolutions" "$MLP" gradcheck -d "$DATA" --channels 3,3
claim "refused: a Jacobian too large to build" refuses 1 "too large" "$FAST_MLP" gradcheck -d "$DATA" --hidden 2000
claim "refused: a model that is none" refuses 1 m.csv "$MLP" gradcheck -d "$DATA" m.csv

claim "a table that could not be written is refused before any work" refuses 1 none "$MLP" gradcheck -d "$DATA" --steps none/s.csv
claim "so is the other one" refuses 1 none "$MLP" gradcheck -d "$DATA" --nonzero none/n.csv

finish
