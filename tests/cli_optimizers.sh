#!/bin/sh
# Optimizers, schedules, averages and early ends at the command line: the losses of PyTorch, what
# --resume refuses and continues, and what the last line and the reports say of the epoch that is kept.
. tests/lib.sh

ROOT=$PWD
small_data "$WORK/data" 900
cd "$WORK" || exit 1
settings='-d data --train-size 640 --val-size 200 --hidden 16'

# shellcheck disable=SC2086 # the settings are words
train() { # FLAGS...
    "$FAST_MLP" train -q $settings "$@"
}
without_seconds() { # TABLE
    sed 's/,[^,]*$//' "$1"
}

# ---------------------------------------------------------------------------------------------
# PyTorch

# PyTorch's own optimizers, with one batch of all images in each epoch. cli_reference.sh has the other settings.
trainings_for_pytorch() { # one line of flags each
    n=0
    while read -r flags; do
        n=$((n + 1))
        # shellcheck disable=SC2086
        train --batch 640 --epochs 20 $flags -o "torch$n.bin" --csv "torch$n.csv" </dev/null && echo "torch$n" >>names
    done
}
pytorch_agrees() { # NAME
    grep "^$1: " compared
    grep -q "^$1: agrees, " compared
}
if /usr/bin/python3 -c 'import torch' 2>/dev/null; then
    cat >torch.flags <<'END'
--lr 1e-4
--momentum 0.9 --lr 2e-5
--optimizer adam --lr 2e-3
END
    trainings_for_pytorch <torch.flags
    # In one process: PyTorch takes a second to load.
    # shellcheck disable=SC2046 # the names are words
    /usr/bin/python3 -B "$ROOT/tests/torch_train.py" data $(cat names) >compared 2>&1
    n=0
    while read -r flags; do
        n=$((n + 1))
        claim "20 steps have PyTorch's losses to 1e-5: $flags" pytorch_agrees "torch$n"
    done <torch.flags
else
    skip "PyTorch is not installed: its losses were not compared"
fi

# ---------------------------------------------------------------------------------------------
# Refused

claim "--momentum does not go with adam" refuses 2 momentum "$MLP" train -d data --optimizer adam --momentum 0.9
for flag in '--momentum 1' '--momentum -0.1' '--weight-decay 2' '--warmup 1' '--ema 1' '--patience 0' '--keep first' \
    '--schedule linear' '--optimizer lamb' '--ema x'; do
    # shellcheck disable=SC2086
    claim "$flag is refused" refuses 2 "${flag%% *}" "$MLP" train -d data $flag
done

# ---------------------------------------------------------------------------------------------
# Resuming

continues() { # FLAGS...: stopped after epoch 3, as any training with a constant rate can be
    train --epochs 7 "$@" -o whole.bin --csv whole.csv && train --epochs 3 "$@" -o part.bin --csv part.csv &&
        exits 0 "$MLP" train -q -d data --resume part.bin --epochs 7 --csv part.csv && cmp part.bin whole.bin &&
        without_seconds part.csv >part.rows && without_seconds whole.csv | cmp - part.rows
}
for flags in '--momentum 0.9 --lr 1e-4' '--optimizer adam' '--ema 0.9 --weight-decay 0.01' '--keep best --lr 0.05' \
    '--keep best --ema 0.5 --optimizer adam --lr 0.05' '--patience 5 --momentum 0.5'; do
    # shellcheck disable=SC2086
    claim "resumed byte for byte, the table too: $flags" continues $flags
done

# A planned training that a signal stops; the command that the last line says continues it.
stopped_and_continued() { # FLAGS...
    train --epochs 300 "$@" -o whole.bin --csv whole.csv || return 1
    tries=0
    until [ "$tries" -ge 20 ]; do
        tries=$((tries + 1))
        rm -f part.bin part.csv
        # shellcheck disable=SC2086
        "$FAST_MLP" train -q $settings --epochs 300 "$@" -o part.bin --csv part.csv 2>part.err &
        child=$!
        until [ -s part.csv ] || ! kill -0 "$child" 2>/dev/null; do sleep 0.01; done
        kill -TERM "$child" 2>/dev/null
        wait "$child"
        grep -q '^mlp: SIGTERM: stopped after epoch' part.err && break # else it was done too soon
    done
    cat part.err
    rm -f none.csv && cp part.bin other.bin
    refuses 2 "was begun for 300 epochs" "$MLP" train -d data --resume other.bin --epochs 301 --csv other.csv &&
        grep -q -e '--from' "$WORK/stderr" && cmp other.bin part.bin || return 1
    words=$(sed 's/.*to resume: mlp //' part.err)
    # shellcheck disable=SC2086
    "$FAST_MLP" $words -q && cmp part.bin whole.bin && "$FAST_MLP" train -q -d data --resume other.bin --csv none.csv &&
        cmp other.bin whole.bin && without_seconds part.csv >part.rows && without_seconds whole.csv | cmp - part.rows
}
claim "a schedule is continued as its last line says, or without --epochs, and never to other epochs" \
    stopped_and_continued --schedule cosine --momentum 0.9 --lr 1e-4 --ema 0.9
claim "the same with a warm-up and the best epoch" \
    stopped_and_continued --warmup 0.2 --optimizer adam --keep best --lr 0.01
finished() {
    cp whole.bin f.bin && exits 0 "$MLP" train -d data --resume f.bin --csv f.csv &&
        grep -q 'f.bin has its 300 epochs already; nothing to do' "$WORK/stderr" && cmp f.bin whole.bin && [ ! -e f.csv ]
}
claim "a schedule that is done is left alone" finished
grows() {
    "$FAST_MLP" info whole.bin | grep -q 'planned_epochs *300' && ! "$FAST_MLP" info whole.bin | grep -q '^state to resume' &&
        [ "$(wc -c <other.bin)" -eq "$(wc -c <whole.bin)" ]
}
claim "and has no state of the training any more" grows
state_is_named() {
    exits 0 "$MLP" train -q -d data --epochs 1 --momentum 0.9 --lr 1e-4 --ema 0.9 -o state.bin --csv state.csv &&
        "$MLP" info state.bin | grep -qx 'state to resume the training with: weights, momentum'
}
claim "info names the state of a training that can be resumed" state_is_named

# ---------------------------------------------------------------------------------------------
# The epoch that is kept

least_loss() { # TABLE: epoch, loss and accuracy of the row with the lowest validation loss
    awk -F , 'NR > 1 && (row == "" || $4 + 0 < least) { least = $4 + 0; row = $1 " " $4 " " $5 } END { print row }' "$1"
}
keeps_best() {
    # shellcheck disable=SC2086
    exits 0 "$FAST_MLP" train $settings --lr 0.05 --epochs 30 --keep best --json -o b.bin --csv b.csv || return 1
    # shellcheck disable=SC2046 # three words
    set -- $(least_loss b.csv)
    tail -n 3 "$WORK/stderr" && echo "best: $*" && [ "$1" -lt 30 ] &&
        tail -n 1 "$WORK/stderr" | grep -q "^The model is in b.bin, that of epoch $1 (validation loss $(printf %.4f "$2"), accuracy" &&
        [ "$(grep -c '  best$' "$WORK/stderr")" -ge 1 ] && grep "^epoch $1/30" "$WORK/stderr" | grep -q '  best$' &&
        grep -q "\"kept_epoch\": $1,\$" "$WORK/stdout" && grep -q "\"kept_validation_loss\": $2,\$" "$WORK/stdout" &&
        grep -q "\"kept_validation_accuracy\": $3,\$" "$WORK/stdout" && grep -q '"epochs": 30,$' "$WORK/stdout" &&
        "$FAST_MLP" info b.bin | grep -q "^best_epoch  *$1\$" || return 1
    "$FAST_MLP" eval b.bin -d data --split validation --json | grep -q "\"accuracy\": $3,\$"
}
claim "--keep best: the model, the last line and the report are those of the epoch with the lowest loss" keeps_best
out_of_patience() {
    # shellcheck disable=SC2086
    exits 0 "$FAST_MLP" train $settings --lr 0.05 --epochs 60 --patience 2 -o p.bin --csv p.csv || return 1
    # shellcheck disable=SC2046
    set -- $(least_loss p.csv)
    tail -n 2 "$WORK/stderr" && [ "$(tail -n 1 p.csv | cut -d , -f 1)" -eq $(($1 + 2)) ] &&
        grep -q '^Stopped: the validation loss did not improve for 2 epochs$' "$WORK/stderr" || return 1
    cp p.bin again.bin && exits 0 "$MLP" train -d data --resume again.bin --epochs 90 --csv again.csv && cat "$WORK/stderr" &&
        grep -q "^mlp: note: again.bin stopped after epoch $(($1 + 2)), .*nothing to do.*--from" "$WORK/stderr" &&
        cmp again.bin p.bin && [ ! -e again.csv ]
}
claim "--patience ends the training, and there is nothing left to resume" out_of_patience
sweeps_kept() {
    exits 0 "$FAST_MLP" sweep -q -d data --train-size 640 --hidden 16 --lr 0.05 --epochs 15 --keep best --csv s.csv &&
        "$FAST_MLP" train -q -d data --train-size 640 --hidden 16 --lr 0.05 --epochs 15 --keep best -o s.bin --csv t.csv || return 1
    # shellcheck disable=SC2046
    set -- $(least_loss t.csv)
    echo "best: $*" && cat s.csv && tail -n 1 s.csv | grep -q ",$2,$3,"
}
claim "sweep reports the epoch that is kept" sweeps_kept

cd "$ROOT" || exit 1
finish
