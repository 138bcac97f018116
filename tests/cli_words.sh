#!/bin/sh
# Words people type: what other programs call a flag or a command gets the right suggestion, help
# and version are commands, and a file in the place of a command is recognised.
. tests/lib.sh

bin=$MLP

# suggests FLAG COMMAND WORDS...: the last words are wrong, and '--FLAG' is suggested.
suggests() {
    flag=$1
    shift
    refuses 2 "did you mean '--$flag'?" "$bin" "$@"
}
suggests_all() { # COMMAND FLAG WORD...: each word instead of that flag
    command=$1 flag=$2
    shift 2
    for word; do
        suggests "$flag" "$command" "$word" && suggests "$flag" "$command" "$word=5" || return 1
    done
}
claim "--batch" suggests_all train batch --batch-size --batch_size --Batch-Size --batchsize --minibatch-size
claim "--lr" suggests_all train lr --learning-rate --lr-rate --learning_rate --learning --learing-rate --eta
claim "--hidden" suggests_all train hidden --hidden-size --hidden-units --hidden_dim --hidden-layers --units
claim "--data" suggests_all train data --data-dir --dataset --data_path --data-root
claim "--output" suggests_all train output --out --save --model --output-file --save-model --model-path
claim "--threads" suggests_all train threads --workers --jobs --num-workers --num_threads --cpus
claim "--epochs" suggests_all train epochs --iterations --epoch --num-epochs --max-epochs
claim "--seed" suggests_all train seed --random-seed --random_state
claim "--resume" suggests_all train resume --load --checkpoint --restore
claim "--val-size" suggests_all train val-size --validation-size --valid-size
claim "the tables' flags of other commands" suggests csv weights m --output
claim "--predictions of eval" suggests predictions eval m --out
claim "--split of eval" suggests split eval m --test
claim "--top of predict" suggests top predict m --top-k
claim "--reject of predict" suggests reject predict m x --threshold
claim "--seeds of sweep" suggests seeds sweep --random-seed
letters() {
    suggests threads train -j 4 && suggests batch train -b 4 && suggests epochs train -e 4 && suggests top predict m x -k 3
}
claim "letters of other programs" letters
one_dash() { suggests epochs train -epochs 5 && suggests lr train -lr=3 && suggests batch train -batch-size 4; }
claim "a long flag with one dash" one_dash

not_there() { # FLAG COMMAND: nothing is suggested
    refuses 2 "unknown flag '$1'; 'mlp $2 --help' lists them" "$bin" "$2" "$1"
}
claim "what the command lacks is not suggested" not_there --batch-size info
claim "nor is anything for what the program lacks" not_there --dropout train
claim "nor for an unknown letter" not_there -z train

argument() { # WORD ARGUMENT COMMAND USAGE
    refuses 2 "the $2 is written without a flag: mlp $4" "$bin" "$3" "$1" x
}
claim "eval --model" argument --model MODEL eval "eval MODEL"
claim "eval --checkpoint" argument --checkpoint MODEL eval "eval MODEL"
claim "predict --model" argument --model MODEL predict "predict MODEL... FILE..."
claim "predict --image" argument --image FILE predict "predict MODEL... FILE..."
claim "predict --input" argument --input FILE predict "predict MODEL... FILE..."

commands() { # COMMAND WORD...
    command=$1
    shift
    for word; do
        refuses 2 "unknown command '$word'; did you mean 'mlp $command'?" "$bin" "$word" x || return 1
    done
}
claim "mlp predict" commands predict infer inference classify recognise recognize Predict
claim "mlp eval" commands eval test evaluate validate score accuracy
claim "mlp train" commands train fit learn Train TRAIN training
claim "mlp gradcheck" commands gradcheck gradient-check gradient_check grad-check check
claim "mlp sweep" commands sweep search grid-search
version_flag() { refuses 2 "did you mean 'mlp --version'?" "$bin" -v && refuses 2 "did you mean 'mlp train'?" "$bin" --train; }
claim "flags in a command's place" version_flag
claim "a flag before the command" refuses 2 "unknown flag '--epochs' before a command" "$bin" --epochs 5 train

# ---------------------------------------------------------------------------------------------
# help and version

same() { # WORDS... : the same as $expected prints
    exits 0 "$bin" "$@" && [ ! -s "$WORK/stderr" ] && cmp "$WORK/stdout" "$WORK/expected"
}
main_help() {
    exits 0 "$bin" --help && cp "$WORK/stdout" "$WORK/expected" && grep -q 'mlp help' "$WORK/stdout" &&
        same help && same -h && same help help && same help --help && same --help help
}
claim "mlp help" main_help
help_of() {
    for command in train eval predict gradcheck info weights features sweep augment import export-data completion; do
        exits 0 "$bin" "$command" --help && cp "$WORK/stdout" "$WORK/expected" &&
            same help "$command" && same --help "$command" && same -h "$command" || return 1
    done
}
claim "mlp help COMMAND" help_of
claim "refused: mlp help trian, with a suggestion" refuses 2 "did you mean 'mlp help train'?" "$bin" help trian
claim "refused: mlp help test, with a suggestion" refuses 2 "did you mean 'mlp help eval'?" "$bin" help test
claim "refused: mlp help nonsense" refuses 2 "unknown command 'nonsense'; 'mlp --help' lists the commands" "$bin" help nonsense
claim "refused: mlp help of two" refuses 2 "unexpected argument 'eval'; 'mlp --help'" "$bin" help train eval
versions() { exits 0 "$bin" --version && cp "$WORK/stdout" "$WORK/expected" && same -V && same version; }
claim "mlp version" versions
claim "refused: a word behind mlp version" refuses 2 "unexpected argument 'x'; 'mlp --help'" "$bin" version x
if [ -e /dev/full ]; then
    full() { "$bin" help train >/dev/full 2>"$WORK/stderr"; [ $? -eq 1 ] && grep -q 'standard output' "$WORK/stderr"; }
    claim "help that cannot be written is a failure" full
else
    skip "/dev/full is not there: lost output was not tried"
fi

# ---------------------------------------------------------------------------------------------
# Files in a command's place, blanks and dashes

DATA=$PWD/data/mnist
small_data "$WORK/small" 60
cd "$WORK" || exit 1
claim "a small model" exits 0 "$FAST_MLP" train -q -d small --hidden 4 --epochs 1 --val-size 10 -o m.bin --csv m.csv
printf 'P5 1 1 255\n\1' >digit.pgm
claim "mlp MODEL" refuses 2 "'m.bin' is a model; a command comes first: mlp eval m.bin" "$bin" m.bin
claim "mlp FILE" refuses 2 "'digit.pgm' is a picture; a command and a model come first: mlp predict MODEL digit.pgm" "$bin" digit.pgm
claim "mlp IDX" refuses 2 "is IDX data; a command and a model come first" "$bin" "$DATA/t10k-images-idx3-ubyte.gz"
claim "another file is an unknown command" refuses 2 "unknown command 'm.csv'" "$bin" m.csv

blanks() {
    refuses 2 "--lr: no blank belongs before or after the '=': --lr=R" "$bin" train --lr = 3 &&
        refuses 2 "the '=': --lr=3" "$bin" train --lr =3 && refuses 2 "the '=': --output=FILE" "$bin" train --output = x
}
claim "blanks around =" blanks
dashes() {
    en=$(printf '\342\200\223') em=$(printf '\342\200\224') minus=$(printf '\342\210\222')
    for word in "${em}epochs" "$en${en}json" "${minus}q" "-${en}raw"; do
        refuses 2 "'$word' begins with a dash that is not '-'; write - or --" "$bin" predict m.bin "$word" digit.pgm ||
            return 1
    done
        refuses 1 "${em}x" "$bin" eval -- "${em}x"
}
claim "dashes of a typeset text" dashes

finish
