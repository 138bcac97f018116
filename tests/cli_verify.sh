#!/bin/sh
# mlp train --chain and mlp verify. sha256sum makes the hashes again, so that no claim rests on the program's own; the
# forgeries have chains and checksums that fit, as a forger would make them.
. tests/lib.sh

bin=$MLP fast=$FAST_MLP
small_data "$WORK/small" 300
small_data "$WORK/other" 300
cd "$WORK" || exit 1
export MLP_CPUS=3
header=epoch,model_sha256,chain_sha256

train() {
    "$fast" train -q -d small --val-size 50 --batch 10 --csv curves.csv "$@"
}
verify() {
    "$bin" verify -q -d small "$@"
}
hash_of() { # of standard input
    sha256sum | cut -d ' ' -f 1
}
lines() { # FIRST LAST of chain.csv
    sed -n "$1,$2p" chain.csv
}
says_same() { # of which epochs
    grep -q "epochs $1 were repeated\( from [a-z0-9]*.bin\)\{0,1\}, with the same" stdout
}

train --epochs 5 -o model.bin --chain chain.csv && train --epochs 2 -o two.bin && train --epochs 3 -o three.bin || exit 1

if [ "$(printf abc | hash_of)" != ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad ]; then
    skip "sha256sum is not installed: chains are not verified"
    finish
fi

# ---------------------------------------------------------------------------------------------
# What is in a chain

names_models() {
    [ "$(wc -l <chain.csv)" -eq 7 ] && [ "$(head -n 1 chain.csv)" = "$header" ] &&
        [ "$(lines 4 4 | cut -d , -f 2)" = "$(hash_of <two.bin)" ] &&
        [ "$(lines 7 7 | cut -d , -f 2)" = "$(hash_of <model.bin)" ]
}
claim "a row has the SHA-256 of the model file of its epoch" names_models

relink() { # the chain on standard input, with hashes that follow from one another
    read -r before && echo "$before"
    while IFS=, read -r epoch model rest; do
        before="$epoch,$model,$(printf '%s\n%s,%s,' "$before" "$epoch" "$model" | hash_of)"
        echo "$before"
    done
}
is_linked() {
    relink <chain.csv >relinked.csv && cmp relinked.csv chain.csv
}
claim "and that of the row before and its own" is_linked

same_everywhere() {
    for isa in scalar sse2 avx2 avx512 neon; do
        MLP_ISA=$isa "$fast" --version >/dev/null 2>&1 || continue
        for threads in 1 3; do
            MLP_ISA=$isa train --epochs 5 -o other.bin --chain other.csv --threads "$threads" &&
                cmp chain.csv other.csv || return 1
        done
    done
    exits 0 "$THREAD_MLP" train -q -d small --val-size 50 --batch 10 --csv curves.csv --epochs 5 -o other.bin --chain other.csv &&
        cmp chain.csv other.csv
}
claim "it is the same bytes with every instruction set and number of threads" same_everywhere
to_stream() {
    train --epochs 5 -o other.bin --chain - | cmp - chain.csv && cmp model.bin other.bin
}
claim "it may go to a pipe, and the model is the same with and without it" to_stream

# ---------------------------------------------------------------------------------------------
# What is right is verified

verifies() { # EPOCHS ARGUMENTS...
    which=$1
    shift
    exits 0 verify "$@" && says_same "$which"
}
claim "a model is verified by its own settings" verifies "1 to 5" model.bin
claim "with its chain, after every epoch" verifies "1 to 5" chain.csv model.bin
claim "a checkpoint is verified by the chain of the whole training" verifies "1 to 2" chain.csv two.bin
claim "single epochs are repeated from a checkpoint" verifies "3 to 3" chain.csv three.bin --from two.bin
claim "... and without a chain" verifies "3 to 5" model.bin --from two.bin
claim "only as many as asked for" verifies "3 to 4" chain.csv model.bin --from two.bin --repeat 2
no_claim_beyond() {
    exits 0 verify -d nowhere chain.csv model.bin --repeat 0 && grep -q 'no epoch was repeated' stdout
}
claim "with --repeat 0 it says what is not known, and needs no data" no_claim_beyond

# Every kind of state. A schedule depends on all epochs, so its checkpoint is a copy.
each_setting() {
    while read -r flags; do
        # shellcheck disable=SC2086 # words
        if ! { train --epochs 6 -o m.bin --chain c.csv $flags 2>said && verifies "1 to [1-6]" c.csv m.bin && verifies "1 to [1-6]" m.bin; }; then
            echo "with $flags" && return 1
        fi
    done <<'END'
--optimizer adam --lr 1e-3 --weight-decay 0.01
--momentum 0.9 --schedule cosine --ema 0.9 --keep best --augment
--arch lenet5 --epochs 1
--patience 1 --lr 0.03 --seed 3
END
}
claim "every optimizer, schedule, average, patience and network is verified" each_setting

train --from two.bin --seed 9 --epochs 2 -o tuned.bin --chain tuned.csv || exit 1
claim "a training that started from a model is verified with it" verifies "1 to 2" tuned.csv tuned.bin --from two.bin
claim "refused without it" refuses 1 "--from MODEL" verify tuned.csv tuned.bin
train --from two.bin --seed 9 --epochs 1 -o tuned1.bin && train --seed 5 --epochs 1 -o seed5.bin || exit 1
claim "or from a checkpoint of its own" verifies "2 to 2" tuned.csv tuned.bin --from tuned1.bin
claim "refused with another" refuses 1 "tuned.bin: is not the model that its settings give after seed5.bin" \
    verify tuned.bin --from seed5.bin

# ---------------------------------------------------------------------------------------------
# What is wrong is found

each_edit() { # every character of a chain becomes another one, some at a time; then whole lines change
    size=$(wc -c <chain.csv) at=3
    while [ "$at" -lt "$size" ]; do
        { head -c "$at" chain.csv && tail -c +$((at + 1)) chain.csv | head -c 1 | tr '0-9a-z,\n_' '1-9a-z0\n,-' &&
            tail -c +$((at + 2)) chain.csv; } >edited.csv
        cmp -s chain.csv edited.csv && { echo "byte $at is as it was"; return 1; }
        refuses 1 "edited.csv: " "$fast" verify edited.csv model.bin --repeat 0 || { echo "byte $at"; return 1; }
        at=$((at + 7))
    done
}
claim "an edited byte of a chain is found without training" each_edit
found() { # WORDS; edited.csv
    refuses 1 "edited.csv: $1" verify edited.csv model.bin --repeat 0
}
{ lines 1 3 && lines 5 5 && lines 4 4 && lines 6 7; } >edited.csv
claim "swapped lines" found "line 4 is not a row of epoch 2 that follows"
{ lines 1 3 && lines 5 7; } >edited.csv
claim "a missing line" found "line 4 is not"
{ lines 1 4 && lines 4 7; } >edited.csv
claim "a line that is there twice" found "line 5 is not"
sed 's/$/\r/' chain.csv >edited.csv
claim "other line ends" found "is not a chain of mlp train"
{ lines 1 7 && echo; } >edited.csv
claim "a line too many" found "line 8 is not"
lines 1 6 >edited.csv
claim "a missing last line" found "ends with epoch 4, but model.bin has 5"
lines 1 1 >edited.csv
claim "a chain without a row" found "ends before epoch 0"
: >edited.csv
claim "an empty file" found ""
claim "a model of another training" refuses 1 "the model of epoch 1 is" verify chain.csv seed5.bin --repeat 0

# Somebody who forges a chain makes its hashes follow from one another: then only training finds it.
forge() { # EPOCH, whose model becomes that of seed5.bin
    lines 1 7 | sed "s/^$1,[^,]*/$1,$(hash_of <seed5.bin)/" | relink >edited.csv
}
finds_forged() { # EPOCH
    forge "$1"
    exits 0 verify edited.csv model.bin --repeat 0 &&
        refuses 1 "edited.csv: the model of epoch $1 is $(hash_of <seed5.bin | cut -c 1-8)" verify edited.csv model.bin
}
for epoch in 0 1 4; do
    claim "a forged row of epoch $epoch is found when its epoch is repeated" finds_forged $epoch
done
forge 4
claim "and not when others are" verifies "3 to 3" edited.csv three.bin --from two.bin

with_checksum() { # the model on standard input, with the checksum of what it is now
    LC_ALL=C sed 's/"checksum_crc32":"[0-9a-f]*"/"checksum_crc32":"00000000"/' >zeros.bin
    crc=$(gzip -c zeros.bin | tail -c 8 | head -c 4 | od -An -tx1 | awk '{ print $4 $3 $2 $1 }')
    LC_ALL=C sed "s/\"checksum_crc32\":\"00000000\"/\"checksum_crc32\":\"$crc\"/" zeros.bin
}
finds_model() { # forged.bin is a whole model, and not that of its settings
    exits 0 "$fast" info forged.bin && ! cmp -s forged.bin model.bin &&
        refuses 1 "chain.csv: the model of epoch 5" verify chain.csv forged.bin &&
        refuses 1 "forged.bin: is not the model that its settings give" verify forged.bin
}
for edit in '"seed":"1"/"seed":"2"' '"learning_rate":"0.001"/"learning_rate":"0.002"' '"batch_size":"10"/"batch_size":"20"'; do
    LC_ALL=C sed "s/$edit/" model.bin | with_checksum >forged.bin
    claim "a model that names other settings is found: $edit" finds_model
done
{ head -c -3 model.bin && printf '\1' && tail -c 2 model.bin; } | with_checksum >forged.bin
claim "a model with another weight is found" finds_model

printf '\377' | dd of=other/train-images-idx3-ubyte bs=1 seek=16 conv=notrunc 2>dd.log
train --epochs 9 --patience 1 --lr 0.03 --seed 3 -o patient.bin --chain patient.csv 2>said || exit 1
finds_epoch() { # that patience 1 does not allow, in a model and in a row
    last=$("$fast" info patient.bin | sed -n 's/^epochs *//p')
    LC_ALL=C sed "s/\"epochs\":\"$last\"/\"epochs\":\"$((last + 1))\"/; s/\"best_epoch\":\"$((last - 1))\"/\"best_epoch\":\"$last\"/" \
        patient.bin | with_checksum >forged.bin
    { cat patient.csv && echo "$((last + 1)),$(hash_of <forged.bin),"; } | relink >edited.csv
    exits 0 verify edited.csv forged.bin --repeat 0 && exits 0 verify edited.csv forged.bin --repeat "$last" &&
        refuses 1 "forged.bin: has epoch $((last + 1)), but the repeated training ends with epoch $last" \
            verify edited.csv forged.bin
}
claim "an epoch more than the training has is found" finds_epoch

claim "other data are named" refuses 1 "other: the training data are not those that model.bin was trained on" \
    "$bin" verify -q -d other model.bin

# ---------------------------------------------------------------------------------------------
# A training that is stopped

resumes_chain() { # after the first: the training that is on the disk
    train --resume stopped.bin --epochs 5 --chain stopped.csv && cmp stopped.bin model.bin && cmp stopped.csv chain.csv
}
train --epochs 2 -o stopped.bin --chain stopped.csv || exit 1
claim "a resumed training continues its chain" resumes_chain
crashed() {
    cp two.bin stopped.bin && { lines 1 6 && lines 7 7 | head -c 20; } >stopped.csv && resumes_chain
}
claim "rows that the model on the disk does not have yet are written anew" crashed

keeps_both() { # WORD CHAIN: refused, nothing changed
    cp two.bin stopped.bin && cp "$2" before.csv
    refuses 1 "$1" "$fast" train -q -d small --csv curves2.csv --resume stopped.bin --epochs 5 --chain "$2" &&
        cmp two.bin stopped.bin && cmp "$2" before.csv
}
lines 1 3 >short.csv
claim "a chain that lacks the model's epoch is not continued" keeps_both "short.csv: ends" short.csv
claim "nor that of another training" keeps_both "tuned.csv: the model of epoch 2" tuned.csv
claim "nor another file" keeps_both "curves.csv: is not a chain of mlp train" curves.csv
claim "nor a stream" refuses 1 "does not have the rows" "$fast" train -q -d small --csv curves2.csv --resume two.bin --epochs 5 --chain -

long="--epochs 400 --hidden 16 --schedule one-cycle --optimizer adam --checkpoint-every 1"
# shellcheck disable=SC2086 # words
train $long -o long.bin --chain long.csv || exit 1
stopped() { # SIGNAL STATUS: in the middle of the training, anywhere in a batch or between two
    rm -f part.bin part.csv
    # shellcheck disable=SC2086 # words
    "$fast" train -q -d small --val-size 50 --batch 10 --csv curves.csv $long -o part.bin --chain part.csv 2>said &
    child=$!
    tries=0
    while [ ! -f part.bin ] || [ "$(wc -l <part.csv)" -lt 20 ]; do
        [ $((tries += 1)) -lt 2000 ] || return 1
        sleep 0.01
    done
    kill "-$1" "$child"
    wait "$child"
    status=$? rows=$(wc -l <part.csv)
    echo "status $status, $rows rows"
    [ "$status" -eq "$2" ] && [ "$rows" -lt 402 ] || return 1
    [ "$1" = KILL ] || grep -q -e '--chain part.csv' said || { cat said; return 1; }
    verifies "1 to [0-9]*" long.csv part.bin --repeat 3 &&
        train --resume part.bin --chain part.csv && cmp part.bin long.bin && cmp part.csv long.csv
}
claim "SIGTERM: the chain of the resumed training is the same" stopped TERM 143
claim "kill -9: the chain of the resumed training is the same" stopped KILL 137

# ---------------------------------------------------------------------------------------------
# Command lines and outputs

claim "no model" refuses 2 "'mlp verify' needs a MODEL: mlp verify [FILE] MODEL" verify
claim "three arguments" refuses 2 "unexpected argument" verify chain.csv model.bin model.bin
claim "--repeat without a chain" refuses 2 "--repeat needs a chain" verify model.bin --repeat 2
claim "--repeat below 0" refuses 2 "--repeat" verify chain.csv model.bin --repeat=-1
claim "--from, and nothing to repeat" refuses 2 "--repeat 0 repeats no epoch" verify chain.csv model.bin --from two.bin --repeat 0
claim "a checkpoint with as many epochs" refuses 1 "has no fewer epochs than two.bin" verify two.bin --from two.bin
claim "no chain of that name" refuses 1 "none.csv: No such file" verify none.csv model.bin
claim "a model in place of the chain" refuses 1 "two.bin: is not a chain of mlp train" verify two.bin model.bin
cp two.bin kept.bin
claim "no chain replaces the model that is resumed" refuses 1 "--chain would replace the model" \
    train --resume kept.bin --epochs 5 -o new.bin --chain kept.bin
claim "or is the table of curves" refuses 1 "--csv and --chain are the same file" train -o new.bin --chain curves.csv
if [ -c /dev/full ]; then
    full() {
        rm -f new.bin
        refuses 1 "/dev/full" train --epochs 5 -o new.bin --chain /dev/full && cmp new.bin one.bin
    }
    train --epochs 1 -o one.bin || exit 1
    claim "when a chain cannot be written, the model of the last epoch is" full
fi
finish
