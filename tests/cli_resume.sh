#!/bin/sh
# Checkpoints, resumed trainings, signals, kill -9: however a training ends, what is on the disk is
# whole, and going on from it ends byte for byte where the uninterrupted one does.
. tests/lib.sh

fast=$FAST_MLP
ROOT=$PWD
mkdir "$WORK/data"
for file in data/mnist/train-*.gz; do
    gzip -dc "$file" >"$WORK/data/$(basename "$file" .gz)"
done
cd "$WORK" || exit 1
settings='-d data --train-size 640 --val-size 200 --hidden 16'

# shellcheck disable=SC2086 # the settings are words
train() { # PROGRAM FLAGS...
    program=$1
    shift
    "$program" train -q $settings "$@"
}
# A shell without job control lets its background processes ignore SIGINT; GNU env can undo that.
default_signals=
env --default-signal=INT true 2>/dev/null && default_signals='env --default-signal=INT'
# shellcheck disable=SC2086
start() { # PROGRAM FLAGS...: in the background, as process $child
    program=$1
    shift
    $default_signals "$program" train -q $settings "$@" &
    child=$!
}
# shellcheck disable=SC2086
go_on() { # FLAGS...: without the settings, which the model knows
    "$fast" train -q -d data "$@"
}
same_table() { # A B: but for the seconds
    cut -d, -f1-6 "$1" >table.a && cut -d, -f1-6 "$2" >table.b && cmp table.a table.b
}
epochs_of() {
    "$fast" info "$1" | sed -n 's/^epochs  *//p'
}

train "$fast" --epochs 20 -o whole.bin --csv whole.csv || exit 1

# ---------------------------------------------------------------------------------------------
# Resuming

resumed_is_the_same() { # PROGRAM
    train "$1" --epochs 7 -o part.bin --csv part.csv &&
        exits 0 "$1" train -q -d data --resume part.bin --epochs 12 --csv part.csv &&
        exits 0 "$1" train -q -d data --resume part.bin --epochs 20 --csv part.csv --threads 1 &&
        cmp part.bin whole.bin && same_table part.csv whole.csv
}
claim "a training in three parts ends as the whole one" resumed_is_the_same "$fast"
claim "so it does under the sanitizers" resumed_is_the_same "$MLP"

elsewhere() {
    train "$fast" --epochs 7 -o start.bin --csv start.csv && cp start.bin kept.bin && cp start.csv kept.csv &&
        go_on --resume start.bin --epochs 20 -o new.bin --csv new.csv && cmp new.bin whole.bin &&
        cmp start.bin kept.bin && cmp start.csv kept.csv && [ "$(wc -l <new.csv)" -eq 14 ] &&
        [ "$(sed -n 2p new.csv | cut -d, -f1)" -eq 8 ]
}
claim "--output may be another file; a missing table starts with the next epoch" elsewhere

rows_beyond_are_cut() { # what was written after the checkpoint, the last row torn
    cp start.bin cut.bin && head -n 12 whole.csv >cut.csv && printf '12,0.1' >>cut.csv &&
        go_on --resume cut.bin --epochs 20 --csv cut.csv && cmp cut.bin whole.bin && same_table cut.csv whole.csv
}
claim "rows that the checkpoint does not cover are cut" rows_beyond_are_cut

straight_tables() {
    cp start.bin straight.bin && go_on --resume straight.bin --epochs 8 --csv /dev/null && [ -c /dev/null ]
}
claim "a resumed training may write its table to a device" straight_tables

refuses_to_resume() { # STATUS WORD FLAGS...
    status=$1 word=$2
    shift 2
    cp start.bin r.bin && cp start.csv r.csv
    refuses "$status" "$word" "$MLP" train -d data --resume r.bin --csv r.csv "$@" &&
        cmp r.bin start.bin && cmp r.csv start.csv
}
for flag in '--lr 0.5' '--batch 32' '--hidden 17' '--seed 2' '--train-size 641' '--val-size 201'; do
    # shellcheck disable=SC2086
    claim "$flag contradicts the model and is refused by name" \
        refuses_to_resume 2 "$flag" --epochs 20 $flag
done
claim "fewer epochs than there are are refused" refuses_to_resume 2 "--epochs 6" --epochs 6
mkdir other && cp data/* other && printf x | dd of=other/train-images-idx3-ubyte bs=1 seek=5000 conv=notrunc 2>/dev/null
claim "other data are refused" refuses_to_resume 1 CRC-32 --epochs 20 -d "$WORK/other"
# shellcheck disable=SC2086
equal_flags_are_no_contradiction() {
    cp start.bin e.bin && cp start.csv e.csv &&
        exits 0 "$fast" train -q $settings --lr 1e-3 --batch 64 --seed 1 --resume e.bin --epochs 20 --csv e.csv &&
        cmp e.bin whole.bin
}
claim "flags that say the same are welcome" equal_flags_are_no_contradiction
nothing_to_do() {
    cp whole.bin d.bin && cp whole.csv d.csv &&
        exits 0 "$fast" train -d data --resume d.bin --epochs 20 --csv d.csv && grep -q 'nothing to do' "$WORK/stderr" &&
        cmp d.bin whole.bin && cmp d.csv whole.csv
}
claim "a model that has its epochs is left alone" nothing_to_do
wrong_table() { # WORD
    cp start.bin w.bin && cp wrong.csv kept.csv
    refuses 1 "$1" "$MLP" train -d data --resume w.bin --epochs 20 --csv wrong.csv && cmp wrong.csv kept.csv &&
        cmp w.bin start.bin
}
printf 'name,age\nx,1\n' >wrong.csv
claim "a table of something else is not replaced" wrong_table 'not a table of curves'
head -n 4 whole.csv >wrong.csv
claim "a table that ends too early is refused" wrong_table 'ends with epoch 3'
sed 's/^7,.*/7,1,1,1,1,0.001,0.1/' whole.csv >wrong.csv
claim "the table of another training is refused" wrong_table 'has other figures than the model'
{ head -n 3 whole.csv && tail -n 3 whole.csv; } >wrong.csv
claim "a table with a gap is refused" wrong_table 'is not that of epoch 3'
more_than_the_default() {
    train "$fast" --epochs 101 -o long.bin --csv long.csv &&
        exits 0 "$fast" train -d data --resume long.bin --csv long.csv && grep -q 'nothing to do' "$WORK/stderr"
}
claim "a model of more than the default epochs is not a contradiction" more_than_the_default
missing_model() { refuses 1 none.bin "$MLP" train -d data --resume none.bin --epochs 20; }
claim "a missing model is refused" missing_model
csv_is_model() {
    cp start.bin s.bin && refuses 1 --csv "$MLP" train -d data --resume s.bin -o t.bin --csv ./s.bin --epochs 20 && cmp s.bin start.bin
}
claim "the table must not replace the model that is resumed" csv_is_model

data_survive() {
    (cd data && sha256sum ./*) >before
    ln -s train-images-idx3-ubyte data/link
    for flags in '-o data/train-images-idx3-ubyte' '--csv ./data/../data/train-labels-idx1-ubyte' '-o data/link'; do
        # shellcheck disable=SC2086
        refuses 1 'a file of the data' "$MLP" train $settings --epochs 1 $flags || return 1
    done
    refuses 1 'a file of the data' "$MLP" eval whole.bin -d data --split validation --predictions data/link || return 1
    rm data/link
    (cd data && sha256sum ./*) | cmp - before
}
claim "no output replaces a file of the data, however it is spelled" data_survive

# ---------------------------------------------------------------------------------------------
# Checkpoints

checkpoints_appear() {
    rm -f c.bin
    start "$fast" --epochs 100000 --checkpoint-every 3 -o c.bin --csv c.csv
    tries=0
    until [ -f c.bin ] || [ "$tries" -gt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
    kill -9 "$child"
    wait "$child" 2>/dev/null
    [ $(($(epochs_of c.bin) % 3)) -eq 0 ]
}
claim "--checkpoint-every 3 saves epochs 3, 6, 9 ..." checkpoints_appear
for value in 0 -1 x 1.5 ''; do
    claim "--checkpoint-every refuses '$value'" refuses 2 --checkpoint-every "$MLP" train "--checkpoint-every=$value"
done

# A limit of one block on every file stands for a disk that is full for a while.
failed_checkpoints_are_reported() {
    rm -f n.bin n.csv
    # shellcheck disable=SC2086,SC3045
    (ulimit -f 1 && exec "$MLP" train -q $settings --epochs 3 --checkpoint-every 1 -o n.bin --csv n.csv 2>n.err)
    status=$?
    cat n.err
    [ "$status" -eq 1 ] && [ "$(grep -c 'note: no checkpoint of epoch [12], the training continues: n.bin' n.err)" -eq 2 ] &&
        [ "$(wc -l <n.err)" -eq 3 ] && [ "$(wc -l <n.csv)" -eq 4 ] && [ ! -e n.bin ]
}
claim "a checkpoint that cannot be written is reported and does not end the training" failed_checkpoints_are_reported

lost_table_keeps_the_model() { # the table hits the limit of all files long after the model would have
    rm -f lt.bin lt.csv
    # shellcheck disable=SC2086,SC3045
    (ulimit -f 110 && exec "$fast" train -q $settings --epochs 100000 --checkpoint-every 1000000 -o lt.bin --csv lt.csv 2>lt.err)
    status=$?
    cat lt.err
    [ "$status" -eq 1 ] && grep -q '^mlp: lt.csv: writing failed' lt.err && [ "$(epochs_of lt.bin)" -gt 100 ]
}
claim "a table that cannot be written does not cost the model" lost_table_keeps_the_model

# kill -9 at random moments: the model is there, whole, or was not there yet; the temporary files
# that such an end leaves are not taken for anything.
random_ms() { # MOST
    bits=$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')
    awk -v bits="$bits" -v most="$1" 'BEGIN { printf "%.3f", bits / 65536 * most / 1000 }'
}
resumes_the_same() { # EPOCHS
    train "$fast" --epochs "$1" -o straight.bin --csv straight.csv &&
        go_on --resume k.bin --epochs "$1" --csv k.csv && cmp k.bin straight.bin &&
        same_table k.csv straight.csv
}
killed_at_random() { # FROM NUMBER
    kills=0 with_model=0 most=120
    while [ "$kills" -lt "$2" ]; do
        rm -f k.bin k.csv .mlp-*
        start "$fast" --epochs 100000 --checkpoint-every 1 -o k.bin --csv k.csv
        sleep "$(random_ms "$most")"
        kill -9 "$child"
        wait "$child" 2>/dev/null
        kills=$((kills + 1))
        # A slow machine or build gets more time, or all would be killed before their first model.
        [ -f k.bin ] || { [ $((kills % 10)) -ne 0 ] || [ $((with_model * 4)) -gt "$kills" ] || most=$((most * 2)); continue; }
        with_model=$((with_model + 1))
        done=$(epochs_of k.bin)
        [ "${done:-0}" -ge 1 ] || { echo "kill $kills: unreadable"; "$fast" info k.bin; return 1; }
        [ "$with_model" -gt 20 ] && continue
        resumes_the_same $((done + 3)) || { echo "kill $kills, after epoch $done: not the same"; return 1; }
    done
    echo "$kills kills, $with_model left a model"
    [ "$with_model" -ge 20 ]
}
claim "200 times kill -9: no model unreadable, the first 20 resumed byte for byte" killed_at_random 1 200
rm -f .mlp-*

# ---------------------------------------------------------------------------------------------
# Signals

# stopped SIGNAL PROGRAM: trains until some epochs are there, sends the signal, and has the status.
stopped() {
    rm -f i.bin i.csv
    start "$2" --epochs 100000 -o i.bin --csv i.csv 2>i.err
    tries=0
    until [ -f i.csv ] || [ "$tries" -gt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
    begun=$(date +%s%N)
    kill "-$1" "$child"
    wait "$child"
    status=$?
    took=$((($(date +%s%N) - begun) / 1000000))
    [ "$took" -lt 1000 ] || { echo "took $took ms"; return 1; }
}
blank_in_a_name() { # the line that says how to resume can be given to a shell
    rm -f "a b.bin" "a'b.csv"
    start "$fast" --epochs 100000 -o "a b.bin" --csv "a'b.csv" 2>i.err
    tries=0
    until [ -f "a'b.csv" ] || [ "$tries" -gt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
    kill -TERM "$child"
    wait "$child"
    done=$(epochs_of "a b.bin")
    words=$(sed "s/.*to resume: mlp //; s/--epochs 100000/--epochs $((done + 2))/" i.err)
    echo "$words"
    eval "\"\$fast\" $words -q" && [ "$(epochs_of "a b.bin")" -eq $((done + 2)) ]
}
claim "names with blanks and quotes are said as a shell reads them" blank_in_a_name
stops_and_resumes() { # SIGNAL NUMBER PROGRAM
    stopped "$1" "$3" || return 1
    [ "$status" -eq $((128 + $2)) ] || { echo "status $status"; cat i.err; return 1; }
    cat i.err
    # shellcheck disable=SC2015
    [ "$(wc -l <i.err)" -eq 1 ] && grep -q "^mlp: SIG$1: stopped after epoch" i.err || return 1
    done=$(epochs_of i.bin)
    [ "$(wc -l <i.csv)" -eq $((done + 1)) ] || { echo "$done epochs, but $(wc -l <i.csv) lines"; return 1; }
    [ -z "$(ls -d .mlp-* 2>/dev/null)" ] || { echo "temporary files"; ls -A; return 1; }
    # The line says how to resume: do that, to fewer epochs.
    words=$(sed "s/.*to resume: mlp //; s/--epochs 100000/--epochs $((done + 2))/" i.err)
    # shellcheck disable=SC2086
    "$fast" $words -q && train "$fast" --epochs $((done + 2)) -o j.bin --csv j.csv && cmp i.bin j.bin &&
        same_table i.csv j.csv
}
if [ -n "$default_signals" ]; then
    claim "SIGINT stops, saves, and says how to resume" stops_and_resumes INT 2 "$fast"
else
    skip "this env cannot undo an ignored signal: no SIGINT was sent"
fi
claim "SIGTERM too" stops_and_resumes TERM 15 "$fast"
# shellcheck disable=SC2016 # it is that shell's own number
if [ -z "$(sh -c 'kill -HUP $$; echo ignored' 2>/dev/null)" ]; then
    claim "SIGHUP too" stops_and_resumes HUP 1 "$fast"
else
    skip "this env cannot undo an ignored signal (nohup): no SIGHUP was sent"
fi
claim "SIGTERM too, under the sanitizers" stops_and_resumes TERM 15 "$MLP"

before_the_first_epoch() {
    rm -f f.bin f.csv
    "$fast" train -q -d data --hidden 4096 -o f.bin --csv f.csv 2>f.err &
    child=$!
    sleep 0.5
    kill -TERM "$child"
    wait "$child"
    status=$?
    cat f.err
    [ "$status" -eq 143 ] && [ -z "$(ls -d f.bin f.csv .mlp-* 2>/dev/null)" ]
}
claim "stopped before the first epoch, nothing is left behind" before_the_first_epoch

old_files_survive() {
    cp whole.bin o.bin && cp whole.csv o.csv
    "$fast" train -q -d data --hidden 4096 -o o.bin --csv o.csv 2>/dev/null &
    child=$!
    sleep 0.5
    kill -INT "$child" 2>/dev/null || kill -TERM "$child"
    kill -TERM "$child" # the second one ends it at once
    wait "$child"
    cmp o.bin whole.bin && cmp o.csv whole.csv
}
claim "an older model and table survive that" old_files_survive

ignored_hangup() {
    rm -f h.bin
    (trap '' HUP && exec "$fast" train -q -d data --train-size 640 --val-size 200 --hidden 16 --epochs 100000 -o h.bin --csv h.csv) &
    child=$!
    sleep 0.3
    kill -HUP "$child"
    sleep 0.3
    kill -0 "$child" || { echo "ended by a signal that was ignored at the start"; return 1; }
    kill -TERM "$child"
    wait "$child"
    [ $? -eq 143 ]
}
claim "a SIGHUP that was ignored at the start stays so (nohup)" ignored_hangup

quiet_end_of_a_pipe() {
    rm -f p.bin p.csv
    # shellcheck disable=SC2086
    { "$fast" train $settings --epochs 100000 -o p.bin --csv p.csv 2>&1; echo $? >p.status; } | head -n 3 >p.head
    [ "$(wc -l <p.head)" -eq 3 ] && [ "$(cat p.status)" -eq 141 ] && [ "$(epochs_of p.bin)" -ge 1 ]
}
claim "when nobody reads the progress any more, the model is saved and the end is quiet" quiet_end_of_a_pipe

if command -v script >/dev/null; then
    # In the foreground, timeout sends one signal; otherwise it may be two, and the second ends at once.
    clean_terminal() {
        rm -f l.bin
        TERM=xterm PROGRAM=$fast script -qec \
            "timeout --foreground -s INT 1 \"\$PROGRAM\" train $settings --epochs 100000 -o l.bin --csv l.csv" \
            typescript >/dev/null </dev/null
        tr '\r' '\n' <typescript | tail -n 3 | cat -v
        tr '\r' '\n' <typescript | grep -q '^mlp: SIGINT: stopped after epoch'
    }
    claim "on a terminal the live line is ended before the last word" clean_terminal
else
    skip "script is not installed: no terminal was interrupted"
fi

cd "$ROOT" || exit 1
finish
