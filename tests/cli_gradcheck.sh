#!/bin/sh
# mlp gradcheck at full size: the shapes of the derivation, and errors far below their limits.
. tests/lib.sh

DATA=$PWD/data/mnist
cd "$WORK" || exit 1

# The table, row by row: name, shape, and how many entries are not zero (x: the lit pixels of
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
claim "refused: an image that is not there" refuses 1 "--image" "$MLP" gradcheck -d "$DATA" --image 60000
claim "refused: an image that is no number" refuses 2 "--image: 'x'" "$MLP" gradcheck --image x
claim "refused: hidden units for a model that has its own" refuses 2 "m.bin has its own" "$MLP" gradcheck m.bin --hidden 7
claim "refused: no hidden units" refuses 2 "--hidden" "$MLP" gradcheck --hidden 0
claim "refused: a Jacobian too large to build" refuses 1 "too large" "$FAST_MLP" gradcheck -d "$DATA" --hidden 2000
claim "refused: a model that is none" refuses 1 m.csv "$MLP" gradcheck -d "$DATA" m.csv

finish
