#!/bin/sh
# Whole trainings against an independent reference: NumPy in float64, which has nothing of the program but the model's
# settings. tests/README.md says why the convolutional networks get short trainings.
. tests/lib.sh

/usr/bin/python3 -c 'import numpy' 2>/dev/null || {
    skip "python3-numpy is not installed: no training was repeated"
    finish
}
small_data "$WORK/data" 3000
ROOT=$PWD
cd "$WORK" || exit 1
cat >cases <<'END'
--arch cnn --train-size 2048
--arch cnn --channels 8-16 --hidden 32 --lr 8e-4 --momentum 0.9 --weight-decay 0.003 --schedule cosine --warmup 0.05 --ema 0.99
--arch lenet5 --optimizer adam --lr 2e-3 --schedule one-cycle
--epochs 2 --momentum 0.9 --lr 1e-4 --ema 0.98
--epochs 2 --optimizer adam --weight-decay 0.01 --seed 7 --batch 50
--epochs 2 --hidden 64,32,16 --activation relu --momentum 0.9 --lr 2e-4 --weight-decay 0.003
--epochs 2 --hidden 48,32 --activation tanh --schedule cosine --warmup 0.1 --ema 0.95
--epochs 2 --optimizer adam --schedule one-cycle --ema 0.99
--epochs 3 --weight-decay 0.02 --batch 96
--epochs 2 --schedule one-cycle --warmup 0.4 --momentum 0.5
END

trainings() { # one line of flags each
    n=0
    while read -r flags; do
        n=$((n + 1))
        # shellcheck disable=SC2086 # the flags are words
        "$FAST_MLP" train -q -d data --train-size 2500 --val-size 400 --epochs 1 $flags -o "small$n.bin" --csv "small$n.csv" \
            </dev/null && echo "small$n" >>names
    done
}
repeats() { # DATA MODEL...
    /usr/bin/python3 -B "$ROOT/tests/numpy_train.py" "$@"
}
agrees() { # MODEL
    grep "^$1: " compared || tail compared
    grep -q "^$1: agrees, " compared
}

"$FAST_MLP" train -q -d "$ROOT/data/mnist" --epochs 1 -o whole.bin --csv whole.csv
repeats "$ROOT/data/mnist" whole >compared 2>&1
claim "an epoch of all 50,000 images has the losses and weights of NumPy" agrees whole
trainings <cases
# shellcheck disable=SC2046 # the names are words
repeats data $(cat names) >compared 2>&1
n=0
while read -r flags; do
    n=$((n + 1))
    claim "losses to 1e-5 and weights to 1e-4 are those of NumPy: $flags" agrees "small$n"
done <cases

cd "$ROOT" || exit 1
finish
