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

# ---------------------------------------------------------------------------------------------
# Settings newer than the first tables: columns only where they are needed

columns() { # TABLE: those before `result`
    head -n 1 "$1" | sed 's/,result,.*//'
}
plain=data_crc32,architecture,learning_rate,batch_size,hidden,train_size,seed,epochs
sizes_of_layers() {
    exits 0 "$FAST_MLP" sweep -q -d "$WORK/data" --epochs 1 --train-size 640 --hidden 8,16-8 --csv "$WORK/layers.csv" &&
        cat "$WORK/layers.csv" && [ "$(columns "$WORK/layers.csv")" = "$plain" ] &&
        [ "$(tail -n +2 "$WORK/layers.csv" | cut -d, -f5,17 | tr '\n' ' ')" = "8,$(tail -n 2 "$WORK/layers.csv" | head -n 1 |
            cut -d, -f17) 16-8,$(tail -n 1 "$WORK/layers.csv" | cut -d, -f17) " ] &&
        grep -q ',8,640,.*,6370,[0-9.]*$' "$WORK/layers.csv" && grep -q ',16-8,640,.*,12786,[0-9.]*$' "$WORK/layers.csv"
}
claim "a comma separates values of --hidden, a dash the layers of one network" sizes_of_layers
choices_have_a_column() {
    exits 0 sweep "$FAST_MLP" --activation relu,tanh --optimizer sgd --momentum 0 --csv "$WORK/choices.csv" &&
        cat "$WORK/choices.csv" && [ "$(columns "$WORK/choices.csv")" = "${plain%,train_size*},activation,train_size${plain#*train_size}" ] &&
        [ "$(tail -n +2 "$WORK/choices.csv" | cut -d, -f6 | tr '\n' ' ')" = "relu tanh " ]
}
claim "a setting has a column where it takes several values" choices_have_a_column
another_value_has_a_column() {
    exits 0 sweep "$FAST_MLP" --activation relu --csv "$WORK/relu.csv" && cat "$WORK/relu.csv" &&
        columns "$WORK/relu.csv" | grep -q ',activation,' || return 1
    # The same training as in the table of two, so the same figures.
    untimed "$WORK/choices.csv" | sed -n 2p >"$WORK/a" && untimed "$WORK/relu.csv" | sed -n 2p | cmp - "$WORK/a"
}
claim "or one that older tables cannot mean" another_value_has_a_column
defaults_have_none() {
    exits 0 sweep "$FAST_MLP" --activation sigmoid --optimizer sgd --momentum 0 --schedule constant --keep last --patience 0 \
        --ema 0 --rotate 0 --preset none --csv "$WORK/plain.csv" && cat "$WORK/plain.csv" && [ "$(columns "$WORK/plain.csv")" = "$plain" ]
}
claim "an older table keeps its columns" defaults_have_none
presets_have_columns() {
    exits 0 sweep "$FAST_MLP" --preset course --csv "$WORK/course.csv" && cat "$WORK/course.csv" &&
        [ "$(columns "$WORK/course.csv")" = "data_crc32,architecture,preset,${plain#*architecture,}" ] &&
        grep -q ',mlp,course,0.0001,64,8,640,1,2,done,' "$WORK/course.csv"
}
claim "a preset has a column, and its values" presets_have_columns
preset_of_architecture() {
    exits 0 "$FAST_MLP" sweep -q -d "$WORK/data" --preset fast --hidden 8 --channels 2-3,3-2 --train-size 320 --epochs 1 \
        --csv "$WORK/fast.csv" && cat "$WORK/fast.csv" && columns "$WORK/fast.csv" | grep -q ',preset,.*,channels,optimizer,schedule,' &&
        grep -q ',cnn,fast,.*,8,2-3,' "$WORK/fast.csv" && grep -q ',cnn,fast,.*,8,3-2,' "$WORK/fast.csv"
}
claim "a preset brings its architecture; the flags beside it are swept" preset_of_architecture
claim "a table with other columns is refused" refuses 1 'plain.csv' sweep "$bin" --activation tanh --csv "$WORK/plain.csv"
claim "momentum of another optimizer is refused" refuses 2 '--momentum' sweep "$bin" --optimizer adam --momentum 0.9 \
    --csv "$WORK/none.csv"
claim "also in one combination of several" refuses 2 '--momentum' sweep "$bin" --optimizer sgd,adam --momentum 0.9,0 --csv "$WORK/none.csv"
claim "channels of a network without convolutions are refused" refuses 2 'no convolutions' sweep "$bin" --channels 3-3 \
    --csv "$WORK/none.csv"
claim "a preset of another architecture is refused" refuses 2 "'fast'" "$bin" sweep --preset fast --arch mlp
sweep_lists_presets() {
    exits 0 "$bin" sweep --help && grep -q '^Presets:' "$WORK/stdout" && grep -q '^  course  *--arch mlp ' "$WORK/stdout"
}
claim "--help lists the presets" sweep_lists_presets

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

# ---------------------------------------------------------------------------------------------
# Side by side

# Trainings of very different lengths, the longest first: they do not end in the order of the list.
small_data "$WORK/small" 700
mixed() { # PROGRAM THREADS FLAGS...
    program=$1 threads=$2
    shift 2
    MLP_CPUS=4 "$program" sweep -q -d "$WORK/small" --epochs 15 --hidden 64,8 --train-size 500,20 --lr 1e-2,1e38 \
        --threads "$threads" "$@"
}
# The thread sanitizer's program too. With four threads the last ones share what is free.
same_table() {
    mixed "$FAST_MLP" 1 --csv "$WORK/1.csv" && untimed "$WORK/1.csv" >"$WORK/one" || return 1
    [ "$(wc -l <"$WORK/one")" -eq 9 ] || return 1
    for threads in 2 3 4; do
        for program in "$FAST_MLP" "$THREAD_MLP"; do
            rm -f "$WORK/n.csv"
            exits 0 mixed "$program" "$threads" --csv "$WORK/n.csv" && [ ! -s "$WORK/stderr" ] &&
                untimed "$WORK/n.csv" | diff "$WORK/one" - || return 1
        done
    done
}
claim "any number of threads makes the same table, in the order of the list" same_table
same_stream() {
    exits 0 mixed "$FAST_MLP" 3 --csv - && untimed "$WORK/stdout" | diff "$WORK/one" -
}
claim "also on standard output" same_stream
few_trainings() { # fewer than threads
    for seeds in 1 2 3; do
        for threads in 1 4; do
            rm -f "$WORK/f$threads.csv"
            MLP_CPUS=4 exits 0 "$THREAD_MLP" sweep -q -d "$WORK/small" --epochs 20 --hidden 8 \
                --seeds "$seeds" --threads "$threads" --csv "$WORK/f$threads.csv" || return 1
        done
        untimed "$WORK/f1.csv" >"$WORK/one.few" && untimed "$WORK/f4.csv" | diff "$WORK/one.few" - || return 1
    done
}
claim "fewer trainings than threads make the same table" few_trainings

# Images whose first ones are blank: nothing can be learned from five of them.
small_data "$WORK/blank" 120
head -c 3920 /dev/zero | dd of="$WORK/blank/train-images-idx3-ubyte" bs=1 seek=16 conv=notrunc 2>/dev/null
blank() { # PROGRAM THREADS FLAGS...
    program=$1 threads=$2
    shift 2
    MLP_CPUS=4 "$program" sweep -q -d "$WORK/blank" --epochs 30 --hidden 32 --threads "$threads" "$@"
}
fails_in_the_middle() {
    for threads in 1 2 4; do
        for program in "$MLP" "$THREAD_MLP"; do
            rm -f "$WORK/b.csv"
            refuses 1 'every pixel of the 5 training images has the value 0' \
                blank "$program" "$threads" --train-size 60,90,5,4,80 --csv "$WORK/b.csv" &&
                [ "$(cut -d, -f6 "$WORK/b.csv" | tr '\n' ' ')" = "train_size 60 90 " ] &&
                [ "$(awk -F, '{ print NF }' "$WORK/b.csv" | sort -u)" = 17 ] || return 1
        done
    done
}
claim "one that fails is reported; those before it have their rows, those after it none" fails_in_the_middle

resumes_after_a_signal() {
    set -- sweep -q -d "$WORK/data" --epochs 3 --hidden 64,8 --train-size 2000 --seeds 30
    "$FAST_MLP" "$@" --threads 1 --csv "$WORK/whole.csv" || return 1
    MLP_CPUS=3 "$FAST_MLP" "$@" --csv "$WORK/cut.csv" 2>"$WORK/cut.err" &
    child=$!
    tries=0
    until [ -f "$WORK/cut.csv" ] || [ "$tries" -gt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
    kill -TERM "$child"
    wait "$child"
    status=$?
    cat "$WORK/cut.err"
    rows=$(($(wc -l <"$WORK/cut.csv") - 1))
    untimed "$WORK/whole.csv" >"$WORK/whole"
    [ "$status" -eq 143 ] && [ "$rows" -ge 1 ] && [ "$rows" -lt 60 ] &&
        grep -qx "mlp: SIGTERM: stopped; the same command resumes after the $rows trainings that are done" "$WORK/cut.err" &&
        ! untimed "$WORK/cut.csv" | grep -vxF -f "$WORK/whole" &&
        MLP_CPUS=3 exits 0 "$FAST_MLP" "$@" --csv "$WORK/cut.csv" &&
        sort "$WORK/whole" >"$WORK/sorted" && untimed "$WORK/cut.csv" | sort | cmp - "$WORK/sorted"
}
claim "after a signal the table has rows of the whole one, and the others follow" resumes_after_a_signal

# A long training before short ones of a twentieth of its time, which the other thread has done when the
# signal comes: after how many seconds depends on the machine.
keeps_what_waits() {
    for seconds in 3 9 27 81; do
        rm -f "$WORK/wait.csv"
        "$FAST_MLP" sweep -q -d "$WORK/small" --epochs 4000 --hidden 1024,4,5,6,7,8 --threads 2 --csv "$WORK/wait.csv" 2>"$WORK/wait.err" &
        child=$!
        sleep "$seconds"
        kill -TERM "$child"
        wait "$child"
        status=$?
        cat "$WORK/wait.err"
        [ "$status" -eq 143 ] || return 1
        [ ! -e "$WORK/wait.csv" ] || break # else none had been done
    done
    [ "$(cut -d, -f5 "$WORK/wait.csv" | sed -n 2p)" = 4 ]
}
claim "rows that wait for a long training are written when a signal comes" keeps_what_waits

# A limit of the size of files is as a disk that is full after some rows.
in_small_files() (
    ulimit -f 4 && "$@"
)
table_cut_short() {
    set -- sweep -q -d "$WORK/small" --epochs 1 --hidden 8 --train-size 100 --seeds 60 --csv "$WORK/full.csv"
    MLP_CPUS=3 refuses 1 "$WORK/full.csv: writing failed: File too large" in_small_files "$MLP" "$@" || return 1
    rows=$(wc -l <"$WORK/full.csv")
    [ "$rows" -gt 1 ] && [ "$rows" -lt 61 ] && exits 0 "$MLP" "$@" && [ "$(wc -l <"$WORK/full.csv")" -eq 61 ] &&
        [ "$(awk -F, '{ print NF }' "$WORK/full.csv" | sort -u)" = 17 ]
}
claim "a row that cannot be written is one error; those before it are kept, and the same command resumes" table_cut_short

for pair in '--lr 1,x' '--lr 1,,2' '--lr 0' '--lr nan' '--lr 1,' '--batch 0' '--batch 1.5' '--hidden 64,-1' \
    '--hidden 65537' '--train-size 1e3' '--train-size x' '--seeds 0' '--epochs 0' '--hidden 8-' '--hidden 8-0' '--hidden 1-2-3-4-5-6-7-8-9' \
    '--activation relu,gelu' '--activation relu,' '--channels 0' '--channels 0-3' '--optimizer sgd,lion' '--momentum 0,1' \
    '--weight-decay 2' '--schedule cosine,linear' '--warmup 1' '--ema 1' '--rotate 181' '--scale 1' '--shift -1' '--shear 2' \
    '--patience -1' '--keep best,first' '--preset none,course'; do
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
