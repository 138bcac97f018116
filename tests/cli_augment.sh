#!/bin/sh
# Augmentation from outside: the same model whatever trains, however often it is stopped; `mlp augment`
# shows the images that the network sees.
. tests/lib.sh

bin=$MLP SCRIPTS=$PWD/scripts
small_data "$WORK/small" 400
small_data "$WORK/tiny" 60 5
cd "$WORK" || exit 1
amounts='--rotate 15 --scale 0.2 --shift 2.5 --shear 0.1'

# shellcheck disable=SC2086 # the amounts are words
train() { # PROGRAM FLAGS...
    program=$1
    shift
    "$program" train -q -d small --train-size 300 --val-size 100 --epochs 3 $amounts "$@"
}

# ---------------------------------------------------------------------------------------------
# The same bytes

same() { # A B: models and tables, but for the seconds
    cut -d, -f1-6 "$1.csv" >table.a && cut -d, -f1-6 "$2.csv" >table.b && cmp table.a table.b &&
        cmp "$1.bin" "$2.bin"
}
# makes_the_same NAME FLAGS...: with any number of threads, instruction set and sanitizer.
makes_the_same() {
    name=$1
    shift
    train "$FAST_MLP" "$@" -o "$name.bin" || return 1
    for threads in 2 3 7; do
        MLP_CPUS=$threads train "$FAST_MLP" "$@" -o other.bin && same "$name" other || return 1
    done
    MLP_ISA=scalar train "$FAST_MLP" "$@" -o other.bin && same "$name" other &&
        train "$MLP" "$@" -o other.bin && same "$name" other &&
        MLP_CPUS=3 train "$THREAD_MLP" "$@" -o other.bin && same "$name" other
}
claim "an augmented training has the same bytes with any threads and kernels, and under the sanitizers" makes_the_same mlp
claim "so has one of a convolutional network" makes_the_same cnn --arch cnn
claim "so has one in batches that leave some over" makes_the_same odd --batch 23
claim "so has one in batches of all images" makes_the_same all --batch 1000
claim "so has one of small images" makes_the_same tiny -d tiny --train-size 40 --val-size 20

differs() {
    train "$FAST_MLP" --rotate 0 --scale 0 --shift 0 --shear 0 -o plain.bin &&
        "$FAST_MLP" train -q -d small --train-size 300 --val-size 100 --epochs 3 -o never.bin &&
        same plain never && ! cmp -s plain.bin mlp.bin
}
claim "with all amounts 0 the training is the plain one" differs

resumes() { # NAME FLAGS...: after each epoch
    name=$1
    shift
    train "$FAST_MLP" "$@" --epochs 1 -o part.bin &&
        MLP_CPUS=3 exits 0 "$MLP" train -q -d small --resume part.bin --epochs 2 &&
        exits 0 "$FAST_MLP" train -q -d small --resume part.bin --epochs 3 && same "$name" part
}
claim "a resumed training sees the same images" resumes mlp
claim "also with a convolutional network" resumes cnn --arch cnn

# ---------------------------------------------------------------------------------------------
# What mlp augment shows

table() {
    exits 0 "$bin" augment -d small --image 5 --count 3 --epochs 4 && [ ! -s stderr ] && cat stdout &&
        [ "$(awk 'NR > 1 { printf "%s.%s ", $1, $3 }' stdout)" = "5.1 5.2 5.3 5.4 6.1 6.2 6.3 6.4 7.1 7.2 7.3 7.4 " ] &&
        awk 'NR > 1 && ($4 < -10 || $4 > 10 || $5 < 0.9 || $5 > 1.1 || $6 != 0 || $7 < -1.5 || $7 > 1.5) { exit 1 }' stdout
}
claim "in a pipe it is a table of changes, within the amounts of --augment" table

given_amounts() {
    exits 0 "$bin" augment -d small --rotate 0 --scale 0 --shear 0.5 --shift 0 --seed 3 && cat stdout &&
        awk 'NR > 1 && ($4 != 0 || $5 != 1 || $7 != 0 || $8 != 0) { exit 1 }
            NR > 1 { s[$6] } END { for (v in s) n++; exit n < 40 }' stdout
}
claim "the amounts that are given count" given_amounts

images_are_in_the_csv() { # epoch 0 has the bytes of the file
    exits 0 "$bin" augment -d small --image 7 --count 1 --epochs 2 --csv a.csv && [ ! -s stdout ] &&
        [ "$(wc -l <a.csv)" -eq 4 ] && [ "$(awk -F, '{ print NF }' a.csv | sort -u)" = 792 ] &&
        [ "$(head -n 1 a.csv | cut -d, -f1-10)" = image,label,epoch,angle,factor,shear,shift_x,shift_y,p0,p1 ] &&
        [ "$(sed -n 2p a.csv | cut -d, -f1,3-8)" = 7,0,0,1,0,0,0 ] || return 1
    tail -c +$((17 + 7 * 784)) small/train-images-idx3-ubyte | head -c 784 | od -An -v -tu1 | tr ' ' '\n' | grep . >bytes
    sed -n 2p a.csv | cut -d, -f9- | tr , '\n' | cmp - bytes
}
claim "the CSV has the image itself as epoch 0" images_are_in_the_csv

of_a_model() { # is what its flags say, seed included
    # shellcheck disable=SC2086 # words
    train "$FAST_MLP" --seed 5 -o seed.bin && exits 0 "$bin" augment -d small seed.bin --csv of-model.csv &&
        exits 0 "$bin" augment -d small $amounts --seed 5 --csv of-flags.csv && cmp of-model.csv of-flags.csv
}
claim "a model shows the changes of its training" of_a_model
claim "beside it, --rotate is an error" refuses 2 '--rotate: seed.bin has its own' "$bin" augment -d small --rotate 3 seed.bin
claim "so is --seed" refuses 2 '--seed: seed.bin has its own' "$bin" augment -d small seed.bin --seed 1
claim "a model that was trained without is refused" refuses 1 'never.bin: was trained without augmentation' "$bin" augment -d small never.bin
claim "so is one for other images" refuses 1 '5 x 5' "$bin" augment -d tiny seed.bin
claim "an image that the file does not have is refused" refuses 1 'has 400 images' "$bin" augment -d small --image 400
claim "so are more images than the file has" refuses 1 'has 400 images' "$bin" augment -d small --image 393 --count 8
without_a_count() { # 6 images with 7 epochs each, and the names
    exits 0 "$bin" augment -d small --image 394 && [ "$(wc -l <stdout)" -eq 43 ]
}
claim "without a count it shows as many as there are" without_a_count

interrupted() { # while it writes its temporary file
    mkdir long
    "$bin" augment -d small --count 400 --epochs 100 --csv long/a.csv 2>err &
    child=$!
    until [ -n "$(find long -size +0 -name '.mlp-*')" ] || ! kill -0 "$child" 2>/dev/null; do sleep 0.05; done
    kill -TERM "$child" 2>/dev/null
    wait "$child"
    status=$?
    cat err && ls -A long
    [ "$status" -eq 143 ] && grep -q '^mlp: SIGTERM: stopped before long/a.csv was complete$' err && [ -z "$(ls -A long)" ]
}
claim "SIGTERM ends a long table, which is not written" interrupted
left_alone() {
    { "$bin" augment -d small --count 400 --epochs 100 --csv - && echo complete >status; } | head -n 1 >first
    grep -q ^image first && [ ! -e status ]
}
claim "so does a reader that goes away" left_alone
mkdir wide
{ printf '\0\0\010\003' && u32 1 && u32 1 && u32 40000 && head -c 40000 mlp.bin; } >wide/train-images-idx3-ubyte
{ printf '\0\0\010\001' && u32 1 && printf '\0'; } >wide/train-labels-idx1-ubyte
claim "images that are too wide are refused" refuses 1 '1 x 40000 pixels: each side must be 1 to 4096' "$bin" augment -d wide --count 1
claim "a count of nothing is refused" refuses 2 --count "$bin" augment --count 0

if command -v script >/dev/null; then
    draws() {
        TERM=xterm-256color COLUMNS=80 script -qec "'$bin' augment -d small --count 2 --epochs 3" /dev/null </dev/null >drawn &&
            [ "$(grep -c '▀' drawn)" -ge 14 ] && grep -q '^0: 5 ' drawn && grep -q '^1: 0 ' drawn
    }
    claim "on a terminal it draws each image and its versions" draws
else
    skip "script is not installed: nothing was drawn on a terminal"
fi

if command -v gnuplot >/dev/null; then
    is_drawn() {
        "$bin" augment -d small --csv 'a table.csv' && gnuplot -c "$SCRIPTS/report/augment.gp" sheet.svg 'a table.csv' &&
            [ "$(wc -c <sheet.svg)" -gt 5000 ] && ! gnuplot -c "$SCRIPTS/report/augment.gp" other.svg mlp.csv 2>err && cat err &&
            grep -q 'augment.gp: mlp.csv: not a table of mlp augment' err && [ ! -e other.svg ]
    }
    claim "augment.gp draws the table, and no other" is_drawn
else
    skip "gnuplot is not installed: no sheet was drawn"
fi

finish
