#!/bin/sh
# mlp sweep: one row a combination, the figures of the same training by mlp train, a table that is
# gone on with, and what is refused.
. tests/lib.sh

bin=$MLP
mkdir "$WORK/data"
for file in data/mnist/*.gz; do
    gzip -dc "$file" >"$WORK/data/$(basename "$file" .gz)"
done
sweep() { # PROGRAM FLAGS...
    program=$1
    shift
    "$program" sweep -q -d "$WORK/data" --epochs 2 --hidden 8 --train-size 640 "$@"
}
untimed() {
    sed 's/,[0-9.]*$//' "$1"
}

combinations() {
    exits 0 sweep "$bin" --lr 1e-3,1e-2 --batch 16,64 --hidden 4,8 --train-size 320,640 --seeds 2 --csv "$WORK/all.csv" || return 1
    [ ! -s "$WORK/stderr" ] && [ "$(wc -l <"$WORK/all.csv")" -eq 33 ] &&
        [ "$(tail -n +2 "$WORK/all.csv" | cut -d, -f1-8 | sort -u | wc -l)" -eq 32 ]
}
claim "every combination has its row" combinations

same_as_train() { # the row's figures are those of mlp train and mlp eval
    "$FAST_MLP" train -q -d "$WORK/data" --epochs 2 --hidden 8 --train-size 640 --lr 1e-2 --batch 16 --seed 2 \
        -o "$WORK/m.bin" --csv "$WORK/m.csv" || return 1
    test_figures=$("$FAST_MLP" eval "$WORK/m.bin" -d "$WORK/data" --json |
        sed -n 's/^  "\(loss\|accuracy\)": \([0-9.e-]*\),*$/\2/p' | sort -g | tr '\n' ,)
    row=$(grep ',0.01,16,8,640,2,2,' "$WORK/all.csv")
    echo "$row; $test_figures"
    [ "$(echo "$row" | cut -d, -f10-13)" = "$(tail -n 1 "$WORK/m.csv" | cut -d, -f2-5)" ] &&
        [ "$(echo "$row" | cut -d, -f14,15 | tr , '\n' | sort -g | tr '\n' ,)" = "$test_figures" ]
}
claim "its figures are those of mlp train and mlp eval" same_as_train

resumes() {
    head -n 8 "$WORK/all.csv" >"$WORK/part.csv" && printf '2705307c,0.0' >>"$WORK/part.csv" # torn
    head -n 8 "$WORK/all.csv" | tail -n 1 | sed 's/[0-9]$//' >"$WORK/seventh"
    sweep "$FAST_MLP" --lr 1e-3,1e-2 --batch 16,64 --hidden 4,8 --train-size 320,640 --seeds 2 --csv "$WORK/part.csv" &&
        untimed "$WORK/part.csv" >"$WORK/a" && untimed "$WORK/all.csv" | cmp - "$WORK/a" &&
        [ "$(sed -n 8p "$WORK/part.csv")" = "$(sed -n 8p "$WORK/all.csv")" ]
}
claim "a sweep resumes where its table ends; what is there is not trained again" resumes
adds() {
    exits 0 "$bin" sweep -d "$WORK/data" --epochs 2 --hidden 8 --train-size 640 --lr 1e-3 --csv "$WORK/add.csv" &&
        grep -q '^1/1  lr 0.001 .* left$' "$WORK/stderr" &&
        exits 0 "$bin" sweep -d "$WORK/data" --epochs 2 --hidden 8 --train-size 640 --lr 1e-3,2e-3 --csv "$WORK/add.csv" &&
        grep -q '^1/1  lr 0.002 ' "$WORK/stderr" && cp "$WORK/add.csv" "$WORK/kept.csv" &&
        exits 0 "$bin" sweep -d "$WORK/data" --epochs 2 --hidden 8 --train-size 640 --lr 2e-3 --csv "$WORK/add.csv" &&
        grep -q 'nothing to do' "$WORK/stderr" && cmp "$WORK/add.csv" "$WORK/kept.csv"
}
claim "further combinations are added; none left is said" adds

diverged() {
    exits 0 sweep "$bin" --lr 1e38,1e-3 --csv "$WORK/d.csv" && cat "$WORK/d.csv" &&
        grep -q ',1e+38,64,8,640,1,2,diverged,,,,,,,' "$WORK/d.csv" && grep -q ',0.001,64,8,640,1,2,done,' "$WORK/d.csv" &&
        [ "$(awk -F, '{ print NF }' "$WORK/d.csv" | sort -u)" = 17 ]
}
claim "a training that diverges has a row that says so" diverged

claim "a value given twice is refused" refuses 2 'twice' "$bin" sweep --lr 1e-3,0.001
all_is_a_size() { # 0 stands for 50,000 here
    exits 0 "$FAST_MLP" sweep -q -d "$WORK/data" --epochs 1 --hidden 4 --train-size 0,50000 --csv "$WORK/z.csv" || return 1
    cat "$WORK/z.csv"
    [ "$(wc -l <"$WORK/z.csv")" -eq 2 ]
}
claim "nor is the size of all images trained on twice" all_is_a_size

stops() {
    rm -f "$WORK/s.csv"
    "$FAST_MLP" sweep -q -d "$WORK/data" --epochs 3 --train-size 2000 --seeds 2000 --csv "$WORK/s.csv" 2>"$WORK/s.err" &
    child=$!
    tries=0
    until [ -f "$WORK/s.csv" ] || [ "$tries" -gt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
    kill -TERM "$child"
    wait "$child"
    status=$?
    cat "$WORK/s.err"
    [ "$status" -eq 143 ] && grep -q '^mlp: SIGTERM: stopped; the same command resumes' "$WORK/s.err" &&
        [ "$(tail -c 1 "$WORK/s.csv" | od -An -c | tr -d ' ')" = '\n' ] && [ -z "$(ls -d "$WORK"/.mlp-* 2>/dev/null)" ]
}
claim "a signal stops it between batches; finished rows are there" stops

for pair in '--lr 1,x' '--lr 1,,2' '--lr 0' '--lr nan' '--lr 1,' '--batch 0' '--batch 1.5' '--hidden 64,-1' \
    '--hidden 65537' '--train-size 1e3' '--train-size x' '--seeds 0' '--epochs 0'; do
    # shellcheck disable=SC2086
    claim "$pair is refused" refuses 2 "${pair% *}" "$bin" sweep $pair
done
claim "the range of --train-size includes its default, 0" refuses 2 "'' is not a whole number from 0 to" \
    "$bin" sweep --train-size 1,
claim "a list without end is refused" refuses 2 'more than 64' "$bin" sweep --lr "$(seq -s, 1 65)"
lists() { seq -s, 1 64; }
claim "more trainings than a million are refused" refuses 2 '--seeds' sweep "$bin" --lr "$(lists)" --batch "$(lists)" \
    --hidden "$(lists)" --train-size 640,320 --seeds 2 --csv "$WORK/none.csv"
claim "and more than a 32-bit number of them" refuses 2 'more than 1000000 trainings' sweep "$bin" --lr "$(lists)" \
    --batch "$(lists)" --hidden "$(lists)" --train-size "$(lists)" --seeds 10000 --csv "$WORK/none.csv"
claim "more images than there are are refused before any training" \
    refuses 1 60000 sweep "$bin" --train-size 640,60000 --csv "$WORK/none.csv"
claim "and leave no table" test ! -e "$WORK/none.csv"
echo 'x,y' >"$WORK/foreign.csv"
claim "a table of something else is not replaced" refuses 1 foreign.csv sweep "$bin" --csv "$WORK/foreign.csv"
claim "which is still there" grep -qx 'x,y' "$WORK/foreign.csv"
claim "nor is a file of the data" refuses 1 --csv sweep "$bin" --csv "$WORK/data/train-labels-idx1-ubyte"

finish
