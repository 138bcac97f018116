#!/bin/sh
# mlp train, as a user runs it.
. tests/lib.sh

DATA=$PWD/data/mnist
cd "$WORK" || exit 1
unset NO_COLOR TERM

# A training of a second, under the sanitizers. Later flags win over these.
train() {
    "$MLP" train -d "$DATA" --epochs 2 --train-size 600 --val-size 200 --hidden 8 "$@"
}

# ---------------------------------------------------------------------------------------------
# What it writes

writes_model_and_curves() {
    exits 0 train -o a.bin --csv a.csv && [ -s a.bin ] && [ ! -s stdout ] &&
        [ "$(head -n 1 a.csv)" = "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate,seconds" ] &&
        [ "$(wc -l <a.csv)" -eq 3 ] &&
        awk -F, 'NR > 1 && (NF != 7 || $1 != NR - 1 || $3 < 0 || $3 > 1) { exit 1 }' a.csv
}
claim "train writes a model and a row an epoch" writes_model_and_curves

progress_is_one_line_an_epoch() {
    [ "$(grep -c '^epoch [12]/2 ' stderr)" -eq 2 ] && [ "$(wc -l <stderr)" -eq 3 ] &&
        tail -n 1 stderr | grep 'a\.bin' | grep 'a\.csv' | grep -q 'mlp eval' &&
        ! grep -q "$(printf '\033')" stderr && ! grep -q "$(printf '\r')" stderr
}
exits 0 train -o a.bin --csv a.csv
claim "in a pipe progress is one line an epoch, and one at the end" progress_is_one_line_an_epoch

is_silent() {
    exits 0 train -q -o b.bin --csv b.csv && [ ! -s stdout ] && [ ! -s stderr ]
}
claim "--quiet shows nothing" is_silent

same_bytes() {
    cut -d, -f1-6 a.csv >a.cut && cut -d, -f1-6 b.csv >b.cut && cmp a.bin b.bin && cmp a.cut b.cut
}
claim "the same command gives the same model and the same curves" same_bytes

differs() {
    exits 0 train -q -o c.bin --csv c.csv "$@" && ! cmp -s a.bin c.bin
}
claim "another seed gives another model" differs --seed 2
claim "another batch size gives another model" differs --batch 32
claim "another learning rate gives another model" differs --lr=0.002

last_wins() {
    exits 0 train -q --seed 9 --epochs=7 --seed 1 --epochs 2 -o c.bin --csv c.csv &&
        cmp a.bin c.bin
}
claim "of two flags the last wins" last_wins

json_names_what_was_done() {
    exits 0 train --json -q -o c.bin --csv c.csv && [ ! -s stderr ] &&
        for key in model curves epochs learning_rate batch_size seed train_size validation_size \
            train_loss train_accuracy validation_loss validation_accuracy seconds; do
            grep -q "\"$key\": " stdout || { echo "no $key"; return 1; }
        done
}
claim "--json prints a summary" json_names_what_was_done

writes_into_a_device() {
    exits 0 train -q -o c.bin --csv /dev/null && [ -c /dev/null ]
}
claim "--csv /dev/null leaves the device" writes_into_a_device

starts_near_ln_10() {
    exits 0 train -q --epochs 1 --lr 1e-12 -o c.bin --csv c.csv &&
        awk -F, 'NR == 2 && ($2 < 2.0 || $2 > 2.6) { print "loss " $2; exit 1 }' c.csv
}
claim "the initial loss is near ln 10" starts_near_ln_10

# ---------------------------------------------------------------------------------------------
# Where the data come from

mkdir -p raw dots
for file in "$DATA"/*.gz; do
    name=$(basename "$file" .gz)
    gzip -dc "$file" >"raw/$name"
    cp "$file" "dots/$(echo "$name" | sed 's/-idx/.idx/').gz"
done

same_from() {
    exits 0 "$@" && cmp a.bin d.bin
}
claim "raw files are read" same_from train -q -d raw -o d.bin --csv d.csv
claim "names with a dot are read" same_from train -q -d dots -o d.bin --csv d.csv
claim "\$MLP_DATA names the folder" same_from env MLP_DATA=raw "$MLP" train -q --epochs 2 \
    --train-size 600 --val-size 200 --hidden 8 -o d.bin --csv d.csv
rm -rf dots
cd raw && ln -s . data && ln -s . mnist && cd .. || exit 1
in_folder_with_data() {
    (cd raw && exits 0 "$MLP" train -q --epochs 2 --train-size 600 --val-size 200 --hidden 8 \
        -o ../d.bin --csv ../d.csv) && cmp a.bin d.bin
}
claim "data/mnist in the current folder is found" in_folder_with_data

# ---------------------------------------------------------------------------------------------
# What is refused. An existing model and table survive everything.

cp a.bin keep.bin
cp a.csv keep.csv
keeps() {
    refuses "$@" && cmp a.bin keep.bin && cmp a.csv keep.csv &&
        ! ls ./*.bin.?????? ./*.csv.?????? >leftovers 2>/dev/null
}
bad() {
    flag=$1
    shift
    claim "refused: $flag $*" keeps 2 "$flag" train -o a.bin --csv a.csv "$flag" "$@"
}
bad --epochs 0
bad --epochs 5x
bad --epochs -1
bad --epochs ''
bad --epochs 1e3
bad --epochs
bad --lr 0
bad --lr -1
bad --lr nan
bad --lr inf
bad --lr 1e999
bad --lr 0.1.2
bad --lr
bad --batch 0
bad --batch 1.5
bad --hidden 0
bad --hidden 1000000
bad --seed -1
bad --seed 99999999999999999999
bad --train-size 0
bad --val-size x
bad --data ''
bad --output ''
bad --csv
claim "refused: an unknown flag, the nearest is named" keeps 2 "'--epochs'" train --epoch 3
claim "refused: a flag cut short" keeps 2 "unknown flag '--out'" train --out x
claim "refused: a stray word" keeps 2 "'stray'" train stray
claim "refused: a flag as a value" keeps 2 "--output" train --output --quiet
claim "refused: a value for --quiet" keeps 2 "--quiet" train --quiet=1
claim "refused: more images than there are" keeps 1 "--train-size" train --train-size 60000 -o a.bin --csv a.csv
claim "refused: nothing left to train on" keeps 1 "--val-size" train --val-size 60000 -o a.bin --csv a.csv
claim "refused: a folder without data" keeps 1 "$WORK" train -d "$WORK" -o a.bin --csv a.csv
claim "refused: no such folder" keeps 1 nowhere train -d nowhere -o a.bin --csv a.csv
claim "refused: a file as the folder of the data" keeps 1 a.csv train -d a.csv -o a.bin --csv a.csv
claim "refused: a folder as the model" keeps 1 raw train -o raw --csv a.csv
claim "refused: a folder that is missing" keeps 1 no/where.bin train -o no/where.bin --csv a.csv
claim "refused: a device as the model" keeps 1 /dev/null train -o /dev/null --csv a.csv
claim "refused: a folder as the curves" keeps 1 raw train -o a.bin --csv raw
claim "refused: one file for both" keeps 1 "same file" train -o a.bin --csv ./a.bin
claim "refused: a training that diverges" keeps 1 "epoch 1" train -q --lr 1e38 -o a.bin --csv a.csv

# ---------------------------------------------------------------------------------------------
# On a terminal

if script -qec true /dev/null </dev/null >/dev/null 2>&1; then
    on_terminal() {
        script -qec "env $* '$MLP' train -d '$DATA' --epochs 2 --train-size 600 --val-size 200 --hidden 8 -o t.bin --csv t.csv" /dev/null </dev/null >typescript 2>&1
    }
    live_line() {
        on_terminal TERM=xterm && grep -q "$(printf '\r')epoch 2/2 " typescript &&
            grep -q "$(printf '\033')\[36m" typescript
    }
    claim "on a terminal there is one live line" live_line
    live_line_without_colour() {
        on_terminal TERM=xterm NO_COLOR=1 && grep -q "$(printf '\r')epoch 2/2 " typescript &&
            ! grep -q "$(printf '\033')\[[0-9]*m" typescript
    }
    claim "NO_COLOR leaves the colour out" live_line_without_colour
    dumb_terminal() {
        on_terminal TERM=dumb && ! grep -q "$(printf '\033')" typescript &&
            grep -q '^epoch 1/2 ' typescript
    }
    claim "TERM=dumb gets plain lines" dumb_terminal
else
    skip "there is no script(1): the live line was not looked at"
fi

finish
