#!/bin/sh
# mlp train from outside: its flags, its files, what it says on a terminal and in a pipe, where it
# finds the data, and what it leaves alone when it fails.
. tests/lib.sh

bin=$MLP
escape=$(printf '\033')
real=$PWD/data/mnist

# ---------------------------------------------------------------------------------------------
# Small data: the first images of the real files, raw, so that a run takes a moment

small_data "$WORK/small" 800
mkdir "$WORK/empty" "$WORK/out"

# Trains briefly on the small data; later flags win over these.
train() {
    "$bin" train -d "$WORK/small" --train-size 600 --val-size 200 --epochs 2 --hidden 8 \
        -o "$WORK/out/model.bin" --csv "$WORK/out/curves.csv" "$@"
}

# ---------------------------------------------------------------------------------------------
# Flags

# Each value, written --flag=VALUE, ends with exit 2 and a line that names the flag, and nothing
# is written.
refuses_values() { # FLAG VALUE...
    flag=$1
    shift
    rm -f "$WORK/out"/*
    for value in "$@"; do
        refuses 2 "$flag" train "$flag=$value" || { echo "value: '$value'"; return 1; }
        grep -qF -e "'$value'" "$WORK/stderr" || { echo "does not quote '$value'"; return 1; }
    done
    [ -z "$(ls "$WORK/out")" ] || { ls "$WORK/out"; return 1; }
}

no_count="5x -1 +1 1.5 1e3 0x10 nan inf 1e999 18446744073709551616 99999999999999999999999"
# shellcheck disable=SC2086 # words on purpose
{
    claim "--epochs refuses what is not a count" refuses_values --epochs '' ' 1' 0 1000001 $no_count
    claim "--batch refuses what is not a count" refuses_values --batch '' ' 1' 0 65537 $no_count
    claim "--hidden refuses what is not a count" refuses_values --hidden '' ' 1' 0 65537 $no_count
    claim "--seed refuses what is not a count" refuses_values --seed '' ' 1' 9007199254740992 $no_count
    claim "--train-size refuses what is not a count" refuses_values --train-size '' 0 $no_count
    claim "--val-size refuses what is not a count" refuses_values --val-size '' 0 $no_count
}
claim "--lr refuses what is not a number" refuses_values --lr '' ' 1' 1x 1,5 -1 -0.1 0 -0 0x1p3 nan \
    inf -inf infinity 1e999 1e-999 1e39 . e5 1e
for flag in --momentum --weight-decay --warmup --ema --rotate --scale --shift --shear; do
    claim "$flag refuses what is not a number" refuses_values "$flag" '' ' 1' 0x 0,5 -1 -0.1 0x1p-3 nan inf infinity 1e999 . 1e
done
claim "fractions have their limits" refuses_values --momentum 1 0.99991 9
claim "so has the weight decay" refuses_values --weight-decay 1.0001
claim "so has the warm-up" refuses_values --warmup 1 0.991
claim "so has the average" refuses_values --ema 1 0.9999991
claim "so has the rotation" refuses_values --rotate 180.5 360
claim "so has the scale" refuses_values --scale 0.91 1
claim "so has the shift" refuses_values --shift 4097
claim "so has the shear" refuses_values --shear 1.01
claim "--patience refuses what is not a count" refuses_values --patience '' ' 1' 0 1000001 -1 1.5 1e3 x
claim "--hidden refuses what is not a list" refuses_values --hidden , - 64, 64- -64 ,64 64,,32 64--32 64-0 0-64 64,65537 \
    '64 32' '64, 32' 64x32 1-2-3-4-5-6-7-8-9
claim "--channels refuses what is not a list" refuses_values --channels '' 0 16,0 16, -16 x 16,1025 1-2-3-4-5-6-7-8-9
for flag in --activation --optimizer --schedule --keep --preset; do
    claim "$flag refuses a name that it does not know" refuses_values "$flag" '' x Sigmoid 'sgd ' 'cosine,' 1
done

separate_words_are_refused_too() {
    refuses 2 --epochs train --epochs 5x && refuses 2 --epochs train --epochs -1 &&
        refuses 2 --lr train --lr nan && refuses 2 --lr train --lr -1e-3 &&
        refuses 2 --data train -d '' && refuses 2 --output train -o ''
}
claim "a bad value in a word of its own is refused" separate_words_are_refused_too

empty_names_are_refused() {
    for flag in --data --output --csv; do
        refuses 2 "$flag" train "$flag=" && refuses 2 "$flag" train "$flag" '' || return 1
    done
}
claim "an empty name is refused" empty_names_are_refused

missing_values_are_refused() {
    for flag in --epochs --lr --batch --hidden --seed --train-size --val-size --data --output --csv \
        --activation --channels --optimizer --momentum --weight-decay --schedule --warmup --ema --rotate --scale --shift \
        --shear --patience --keep --preset; do
        refuses 2 "$flag needs a value" train "$flag" || return 1
        refuses 2 "$flag needs a value" train "$flag" --quiet || return 1
    done
    refuses 2 '--data needs a value' train -d && refuses 2 '--output needs a value' train -o -q
}
claim "a flag without its value is refused" missing_values_are_refused

claim "--quiet takes no value" refuses 2 --quiet train --quiet=yes
claim "--json takes no value" refuses 2 --json train --json=1
claim "--augment takes no value" refuses 2 --augment train --augment=yes

suggests() { # WRONG RIGHT
    refuses 2 "'$1'" train "$1" && grep -qF -e "'$2'" "$WORK/stderr"
}
claim "--epcohs suggests --epochs" suggests --epcohs --epochs
claim "--epoch is not an abbreviation, but suggests --epochs" suggests --epoch --epochs
claim "--learning is unknown" refuses 2 "'--learning'" train --learning
claim "--ouput suggests --output" suggests --ouput --output
claim "--ouput=x suggests --output too" refuses 2 "'--output'" train --ouput=x
claim "a flag like no other suggests nothing but the help" refuses 2 "mlp train --help" \
    train --zzzzzzzzzzzz
claim "an unknown letter is refused" refuses 2 "'-z'" train -z
claim "letters are not run together" refuses 2 "'-qd'" train -qd
claim "a stray word is refused" refuses 2 "'model.bin'" train model.bin
claim "a lone - is a stray word" refuses 2 "'-'" train -
claim "an empty word is refused" refuses 2 "''" train ''
claim "after -- a flag is a stray word" refuses 2 "'--quiet'" train -- --quiet
claim "-- alone ends the flags" exits 0 train -q --

contradicts() { # WORD FLAGS...: a usage error, before anything is written
    word=$1
    shift
    rm -f "$WORK/out"/*
    refuses 2 "$word" train "$@" && [ -z "$(ls "$WORK/out")" ]
}
claim "momentum belongs to sgd" contradicts '--momentum' --optimizer adam --momentum 0.9
claim "whatever the order of the flags" contradicts '--momentum' --momentum 0.5 --optimizer adam
claim "channels need convolutions" refuses 2 'no convolutions' train -q --channels 3,3
claim "as many as there are" refuses 2 'needs 2 numbers of channels' train -q --arch cnn --channels 3
claim "not more" refuses 2 'needs 2 numbers of channels' train -q --arch lenet5 --channels 3,4,5

too_many_images() { # FLAG VALUE NUMBER-THERE
    refuses 1 "$1" train -q "$1" "$2" && grep -qF -e "$3 images" "$WORK/stderr"
}
claim "--train-size beyond the file names what there is" too_many_images --train-size 601 600
claim "--val-size of the whole file leaves nothing to train on" too_many_images --val-size 800 800
claim "--val-size far beyond the file is refused" too_many_images --val-size 4294967295 800

# ---------------------------------------------------------------------------------------------
# Flags that are right arrive

setting() { # KEY VALUE: the model says so
    "$bin" info "$WORK/out/model.bin" >"$WORK/info" || return 1
    grep -q "^$1  *$2\$" "$WORK/info" || { echo "not $1 $2:"; cat "$WORK/info"; return 1; }
}
settings_arrive() {
    exits 0 train -q --epochs 3 --lr 2.5e-3 --batch 7 --hidden 5 --seed 42 --train-size 100 \
        --val-size 50 && setting epochs 3 && setting learning_rate 0.0025 &&
        setting batch_size 7 && setting hidden 5 && setting seed 42 && setting train_size 100 &&
        setting validation_size 50
}
claim "every setting arrives in the model" settings_arrive

newer_settings_arrive() {
    exits 0 train -q --hidden 5,4 --activation tanh --momentum 0.5 --weight-decay 1e-3 --schedule cosine --warmup 0.25 \
        --ema 0.9 --rotate 10 --scale 0.1 --shift 1.5 --shear .05 --patience 7 --keep best && setting hidden 5-4 &&
        setting activation tanh && setting momentum 0.5 && setting weight_decay 0.001 && setting schedule cosine &&
        setting warmup 0.25 && setting ema 0.9 && setting rotate 10 && setting scale 0.1 && setting shift 1.5 &&
        setting shear 0.05 && setting patience 7 && setting keep best && setting format 'mlp 2' || return 1
    exits 0 train -q --arch cnn --hidden 6-5 --channels 3-2 --activation sigmoid --optimizer adam --schedule one-cycle &&
        setting architecture cnn && setting hidden 6-5 && setting channels 3-2 && setting activation sigmoid &&
        setting optimizer adam && setting schedule one-cycle && setting format 'mlp 2'
}
claim "so does every newer setting" newer_settings_arrive
defaults_stay_format_1() {
    exits 0 train -q --activation sigmoid --optimizer sgd --momentum 0 --weight-decay 0 --schedule constant --warmup 0 --ema 0 \
        --rotate 0 --scale 0 --shift 0 --shear 0 --keep last --preset none -o "$WORK/out/named.bin" &&
        exits 0 train -q && cmp "$WORK/out/model.bin" "$WORK/out/named.bin" && setting format 'mlp 1'
}
claim "defaults that are given change no byte of the model" defaults_stay_format_1
augments() { # FLAGS EXPECTED: those of rotate, scale and shift in the model
    # shellcheck disable=SC2086 # words
    exits 0 train -q --epochs 1 $1 && "$bin" info "$WORK/out/model.bin" >"$WORK/info" || return 1
    [ "$(sed -n 's/^\(rotate\|scale\|shift\|shear\)  *//p' "$WORK/info" | tr '\n' ' ')" = "$2 " ] || { cat "$WORK/info"; return 1; }
}
claim "--augment is short for three flags" augments --augment '10 0.1 1.5'
claim "those that are given override it" augments '--augment --rotate 5 --shear 0.2' '5 0.1 0.2 1.5'
claim "also with 0, before it" augments '--shift 0 --scale 0 --augment' 10

equals_form_arrives() {
    exits 0 train --quiet --epochs=1 --lr=.5e-2 --batch=9 --hidden=3 --seed=0 --train-size=90 \
        --val-size=40 --data="$WORK/small" --output="$WORK/out/model.bin" \
        --csv="$WORK/out/curves.csv" && setting epochs 1 && setting learning_rate 0.005 &&
        setting batch_size 9 && setting hidden 3 && setting seed 0 && setting train_size 90 &&
        setting validation_size 40
}
claim "--flag=value arrives as --flag value does" equals_form_arrives

last_of_two_wins() {
    exits 0 train -q --batch 9 --batch=11 --seed=5 --seed 6 --lr 1 --lr 0.002 \
        --csv "$WORK/out/a.csv" --csv "$WORK/out/b.csv" && setting batch_size 11 &&
        setting seed 6 && setting learning_rate 0.002 && [ -f "$WORK/out/b.csv" ] &&
        [ ! -e "$WORK/out/a.csv" ]
}
claim "the last of two wins" last_of_two_wins

largest_values() {
    exits 0 train -q --epochs 1 --seed 9007199254740991 --batch 65536 &&
        setting seed 9007199254740991 && setting batch_size 65536
}
claim "the largest seed and batch are taken" largest_values

val_size_default() {
    exits 0 "$bin" train -q -d "$WORK/small" --epochs 1 --hidden 2 -o "$WORK/out/model.bin" \
        --csv "$WORK/out/curves.csv" && setting validation_size 133 && setting train_size 667
}
claim "a sixth of a small file is kept for validation" val_size_default

# Each of these defaults, as the help shows it, is what a run without the flag uses.
help_default() { # FLAG
    "$bin" train --help | tr -s ' \n' '  ' | awk -v flag=" --$1 [A-Z]" '{
        match($0, flag)
        rest = substr($0, RSTART)
        rest = substr(rest, index(rest, "(default ") + 9)
        print substr(rest, 1, index(rest, ")") - 1)
    }'
}
defaults_are_live() {
    exits 0 "$bin" train -q -d "$WORK/small" --epochs 1 --train-size 50 --val-size 20 \
        -o "$WORK/out/model.bin" --csv "$WORK/out/curves.csv" &&
        setting batch_size "$(help_default batch)" && setting hidden "$(help_default hidden)" &&
        setting learning_rate "$(help_default lr)" && setting seed "$(help_default seed)"
}
claim "the defaults that the help shows are those used" defaults_are_live

names_by_default() {
    rm -f "$WORK/empty"/*
    (cd "$WORK/empty" && exits 0 "$bin" train -q -d "$WORK/small" --epochs 1 --hidden 2) || return 1
    [ "$(ls -A "$WORK/empty")" = "$(printf 'curves.csv\nmodel.bin')" ] || { ls "$WORK/empty"; return 1; }
    rm -f "$WORK/empty"/*
}
claim "without -o and --csv there are model.bin and curves.csv, nothing else" names_by_default

# ---------------------------------------------------------------------------------------------
# The curves

csv_is_as_designed() {
    exits 0 train -q --epochs 4 --lr 0.002 || return 1
    cat "$WORK/out/curves.csv"
    header=epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate,seconds
    [ "$(head -n 1 "$WORK/out/curves.csv")" = "$header" ] || return 1
    awk -F, 'NR > 1 {
            if (NF != 7 || $1 != NR - 1 || $6 != "0.002") bad = 1
            for (i = 1; i <= 7; i++) if ($i !~ /^[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?$/) bad = 1
            if ($2 <= 0 || $4 <= 0 || $3 > 1 || $5 > 1 || $7 > 600) bad = 1
        } END { exit bad || NR != 5 }' "$WORK/out/curves.csv"
}
claim "curves: the header, one row per epoch, seven columns" csv_is_as_designed

csv_may_be_a_device() {
    exits 0 train -q --csv /dev/null && [ -c /dev/null ]
}
claim "the curves may go to /dev/null" csv_may_be_a_device

# ---------------------------------------------------------------------------------------------
# Repeatable

without_seconds() {
    sed 's/,[^,]*$//' "$1"
}
same_seed_same_bytes() {
    exits 0 train -q -o "$WORK/out/a.bin" --csv "$WORK/out/a.csv" &&
        exits 0 train -o "$WORK/out/b.bin" --csv "$WORK/out/b.csv" --json &&
        cmp "$WORK/out/a.bin" "$WORK/out/b.bin" || return 1
    without_seconds "$WORK/out/a.csv" >"$WORK/a" && without_seconds "$WORK/out/b.csv" >"$WORK/b"
    [ -s "$WORK/a" ] && cmp "$WORK/a" "$WORK/b"
}
claim "the same seed gives the same model and the same curves" same_seed_same_bytes

weights() { # the last bytes of a model of 8 hidden units: its tensors
    tail -c $((4 * (784 * 8 + 8 + 8 * 10 + 10))) "$1"
}
differs_with() { # FLAG VALUE: from out/a.bin, in its weights and not only in its metadata
    exits 0 train -q "$1" "$2" -o "$WORK/out/c.bin" || return 1
    weights "$WORK/out/a.bin" >"$WORK/a" && weights "$WORK/out/c.bin" >"$WORK/c"
    [ "$(wc -c <"$WORK/a")" -eq "$(wc -c <"$WORK/c")" ] && ! cmp "$WORK/a" "$WORK/c"
}
claim "another seed gives other weights" differs_with --seed 2
# At this learning rate nothing moves: only the initial weights can differ.
begins_with_other_weights() {
    for seed in 1 2; do
        exits 0 train -q --epochs 1 --lr 1e-30 --seed "$seed" -o "$WORK/out/s.bin" || return 1
        weights "$WORK/out/s.bin" >"$WORK/begin$seed"
    done
    [ -s "$WORK/begin1" ] && ! cmp "$WORK/begin1" "$WORK/begin2"
}
claim "another seed begins with other weights" begins_with_other_weights
claim "another learning rate gives other weights" differs_with --lr 0.0011
claim "another batch size gives other weights" differs_with --batch 63
claim "another epoch gives other weights" differs_with --epochs 3
claim "another image gives other weights" differs_with --train-size 599

prefix_of_a_longer_run() {
    exits 0 train -q --epochs 4 --csv "$WORK/out/long.csv" || return 1
    without_seconds "$WORK/out/long.csv" | head -n 3 | cmp - "$WORK/curves2"
}
exits 0 train -q --csv "$WORK/out/short.csv"
without_seconds "$WORK/out/short.csv" >"$WORK/curves2"
claim "a longer run passes through the shorter one" prefix_of_a_longer_run

without_standard_streams() {
    train -q -o "$WORK/out/d.bin" --csv "$WORK/out/d.csv" --json <&- >&- 2>&-
    cmp "$WORK/out/a.bin" "$WORK/out/d.bin" || return 1
    without_seconds "$WORK/out/d.csv" | cmp - "$WORK/curves2"
}
claim "with every standard stream closed, the files are still right" without_standard_streams

# ---------------------------------------------------------------------------------------------
# What it says

quiet_is_silent() {
    exits 0 train "$1" && [ ! -s "$WORK/stdout" ] && [ ! -s "$WORK/stderr" ]
}
claim "--quiet says nothing" quiet_is_silent --quiet
claim "-q says nothing" quiet_is_silent -q

one_line_per_epoch() {
    exits 0 env TERM=xterm "$bin" train -d "$WORK/small" --train-size 600 --val-size 200 \
        --epochs 3 --hidden 8 -o "$WORK/out/model.bin" --csv "$WORK/out/curves.csv" || return 1
    cat "$WORK/stderr"
    [ ! -s "$WORK/stdout" ] && [ "$(wc -l <"$WORK/stderr")" -eq 5 ] || return 1
    ! grep -q "[$escape$(printf '\r')]" "$WORK/stderr" || { echo "control codes"; return 1; }
    for epoch in 1 2 3; do
        sed -n "$((epoch + 1))p" "$WORK/stderr" | grep -q "^epoch $epoch/3 .*loss .*validation" || return 1
    done
}
claim "in a pipe: one line per epoch, no escape codes" one_line_per_epoch

last_line_names_both() {
    exits 0 train || return 1
    tail -n 1 "$WORK/stderr" | tee "$WORK/last"
    grep -qF "$WORK/out/model.bin" "$WORK/last" && grep -qF "$WORK/out/curves.csv" "$WORK/last" &&
        grep -qF "mlp eval $WORK/out/model.bin" "$WORK/last"
}
claim "the last line names the model, the curves and what to run next" last_line_names_both

if command -v python3 >/dev/null; then
    json_summary() {
        exits 0 train --json -q --lr 0.002 --batch 32 --seed 3 -o "$WORK/out/a \"b\\.bin" &&
            [ ! -s "$WORK/stderr" ] && python3 -m json.tool "$WORK/stdout" &&
            python3 - "$WORK/stdout" "$WORK/out" <<'PYTHON'
import json, sys
s = json.load(open(sys.argv[1]))
row = open(sys.argv[2] + "/curves.csv").read().splitlines()[-1].split(",")
wanted = {"model": sys.argv[2] + '/a "b\\.bin', "curves": sys.argv[2] + "/curves.csv",
          "epochs": 2, "learning_rate": 0.002, "batch_size": 32, "seed": 3, "train_size": 600,
          "validation_size": 200, "train_loss": float(row[1]), "train_accuracy": float(row[2]),
          "validation_loss": float(row[3]), "validation_accuracy": float(row[4])}
wrong = {k: (s.get(k), v) for k, v in wanted.items() if s.get(k) != v}
if s["hidden"] != 8 or "channels" in s or "activation" in s:
    sys.exit("hidden, channels and activation: %s" % s)
if wrong or not s["seconds"] > 0 or not s["images_per_second"] > 0:
    sys.exit("found and expected: %s" % wrong)
PYTHON
    }
    claim "--json is valid and agrees with the settings and the curves" json_summary
    json_lists() { # EXPECTED FLAGS...
        values=$1
        shift
        exits 0 train --json -q --epochs 1 "$@" && python3 - "$WORK/stdout" "$values" <<'PYTHON'
import json, sys
s = json.load(open(sys.argv[1]))
found = [s.get(k) for k in ("hidden", "channels", "activation", "rotate")]
if found != json.loads(sys.argv[2]):
    sys.exit("found %s" % found)
PYTHON
    }
    claim "one size is a number, several are a list" json_lists '[[8, 7], null, "tanh", null]' --hidden 8,7 --activation tanh
    claim "so are channels" json_lists '[5, [2, 3], null, 10]' --arch cnn --hidden 5 --channels 2-3 --rotate 10
else
    skip "python3 is not installed: the JSON of train was not checked"
fi

json_leaves_stderr_alone() {
    exits 0 train --json && [ "$(wc -l <"$WORK/stderr")" -eq 4 ] &&
        [ "$(head -c 1 "$WORK/stdout")" = '{' ]
}
claim "--json goes to stdout, progress to stderr" json_leaves_stderr_alone

if [ -c /dev/full ]; then
    full_disk_for() { # stdout, or the curves
        case $1 in
        stdout) train -q --json >/dev/full 2>"$WORK/stderr" ;;
        curves) train -q --csv /dev/full 2>"$WORK/stderr" ;;
        esac
        status=$?
        cat "$WORK/stderr"
        [ "$status" -eq 1 ] && [ "$(wc -l <"$WORK/stderr")" -eq 1 ] &&
            grep -q '^mlp: .*No space left' "$WORK/stderr"
    }
    claim "a full device under --json is an error" full_disk_for stdout
    claim "a full device under --csv is an error" full_disk_for curves
else
    skip "there is no /dev/full: writing to a full device was not tried"
fi

# ---------------------------------------------------------------------------------------------
# On a terminal

# Leaves in $WORK/screen what a terminal of 70 columns receives from a run of three epochs.
on_terminal() { # VARIABLE=VALUE...
    cat >"$WORK/run" <<RUN
stty cols 70
cd "$WORK/out" || exit 9
exec env $* "$bin" train -d "$WORK/small" --train-size 600 --val-size 200 --epochs 3 --hidden 8
RUN
    script -qec "sh '$WORK/run'" /dev/null </dev/null >"$WORK/screen" || return 1
    cat -v "$WORK/screen"
}
lines_on_screen() { # N: so many times the terminal went on to a new line
    [ "$(wc -l <"$WORK/screen")" -eq "$1" ]
}
one_live_line() {
    on_terminal -u NO_COLOR TERM=xterm && lines_on_screen 3 || return 1
    sed -n 2p "$WORK/screen" | tr '\r' '\n' >"$WORK/states"
    grep -q '^epoch 1/3 .*\[' "$WORK/states" || { echo "no bar"; return 1; }
    grep '^epoch' "$WORK/states" | tail -n 1 | grep -q '^epoch 3/3 .*loss' ||
        { echo "the last state is not that of the end"; return 1; }
    grep -q "^The model" "$WORK/screen"
}
colour_in() {
    grep -q "$escape\\[[0-9;]*m" "$WORK/screen"
}
live_line_is_coloured() {
    on_terminal -u NO_COLOR TERM=xterm && colour_in
}
empty_no_color_means_colour() {
    on_terminal NO_COLOR= TERM=xterm && colour_in
}
no_color_is_respected() {
    on_terminal NO_COLOR=1 TERM=xterm && lines_on_screen 3 && ! colour_in
}
live_line_fits() {
    on_terminal -u NO_COLOR TERM=xterm || return 1
    sed -n 2p "$WORK/screen" | tr '\r' '\n' | sed "s/$escape\\[[0-9;]*[mK]//g" |
        awk '{ if (length($0) > longest) longest = length($0) }
            END { print "longest: " longest; exit !(longest > 40 && longest < 70) }'
}
plain_lines_when() { # VARIABLE=VALUE...
    on_terminal "$@" && lines_on_screen 5 && ! grep -q "$escape" "$WORK/screen" || return 1
    tr -d '\r' <"$WORK/screen" | awk 'NR > 1 && NR < 5 && index($0, "epoch " (NR - 1) "/3 ") != 1 { bad = 1 }
        END { exit bad }'
}
if command -v script >/dev/null && script -qec true /dev/null </dev/null >/dev/null 2>&1; then
    claim "on a terminal: one live line" one_live_line
    claim "the live line has colour" live_line_is_coloured
    claim "an empty NO_COLOR leaves the colour" empty_no_color_means_colour
    claim "NO_COLOR takes the colour away" no_color_is_respected
    claim "the live line is no wider than the terminal" live_line_fits
    claim "TERM=dumb: one line per epoch" plain_lines_when TERM=dumb
    claim "no TERM: one line per epoch" plain_lines_when -u TERM
else
    skip "script (util-linux) is not installed: the live line was not looked at"
fi

# ---------------------------------------------------------------------------------------------
# Where the data are

# The same images under another name or compressed make the same model as $WORK/small does.
reference_model() {
    exits 0 train -q -o "$WORK/reference.bin" || return 1
    [ -s "$WORK/reference.bin" ]
}
claim "a reference to compare with" reference_model

same_model_from() { # DIRECTORY
    exits 0 train -q -d "$1" -o "$WORK/out/e.bin" && cmp "$WORK/reference.bin" "$WORK/out/e.bin"
}
compressed_data() {
    mkdir "$WORK/gz" && for file in "$WORK/small"/*; do
        gzip -c "$file" >"$WORK/gz/$(basename "$file").gz"
    done
    same_model_from "$WORK/gz"
}
dot_names() { # [.gz]
    mkdir "$WORK/dot$1" || return 1
    for file in "$WORK/small"/*; do
        name=$(basename "$file" | sed 's/-idx/.idx/')
        if [ -n "$1" ]; then gzip -c "$file" >"$WORK/dot$1/$name.gz"; else cp "$file" "$WORK/dot/$name"; fi
    done
    same_model_from "$WORK/dot$1"
}
raw_wins() {
    mkdir "$WORK/both" && cp "$WORK/small"/* "$WORK/both" &&
        for file in "$WORK/small"/*; do
            echo "not gzip data" >"$WORK/both/$(basename "$file").gz"
        done
    same_model_from "$WORK/both"
}
from_the_environment() {
    exits 0 env MLP_DATA="$WORK/small" "$bin" train -q --train-size 600 --val-size 200 --epochs 2 \
        --hidden 8 -o "$WORK/out/e.bin" --csv "$WORK/out/e.csv" &&
        cmp "$WORK/reference.bin" "$WORK/out/e.bin"
}
flag_wins_over_environment() {
    exits 0 env MLP_DATA=/nowhere "$bin" train -q -d "$WORK/small" --train-size 600 --val-size 200 \
        --epochs 2 --hidden 8 -o "$WORK/out/e.bin" --csv "$WORK/out/e.csv" &&
        cmp "$WORK/reference.bin" "$WORK/out/e.bin"
}
from_data_mnist() {
    exits 0 "$bin" train -q --train-size 600 --val-size 200 --epochs 2 --hidden 8 \
        -o "$WORK/out/model.bin" --csv "$WORK/out/curves.csv" && setting data_crc32 2705307c
}
raw_real_data() {
    mkdir "$WORK/raw" && for file in "$real"/train-*.gz; do
        gzip -dc "$file" >"$WORK/raw/$(basename "$file" .gz)"
    done
    exits 0 train -q -d "$WORK/raw" --epochs 1 && setting data_crc32 2705307c
}
claim "compressed data make the same model" compressed_data
claim "names with a dot make the same model" dot_names ''
claim "names with a dot, compressed, make the same model" dot_names .gz
claim "raw files win over compressed ones" raw_wins
claim "MLP_DATA names the directory" from_the_environment
claim "--data wins over MLP_DATA" flag_wins_over_environment
claim "without either, data/mnist is read" from_data_mnist
claim "the real data, decompressed, are the same data" raw_real_data

nowhere_in_environment() {
    refuses 1 /nowhere/at/all env MLP_DATA=/nowhere/at/all "$bin" train -q -o "$WORK/out/model.bin"
}
no_data_anywhere() {
    (cd "$WORK/empty" && refuses 1 --data "$bin" train -q) && grep -qF MLP_DATA "$WORK/stderr" &&
        [ -z "$(ls "$WORK/empty")" ]
}
missing_labels() {
    mkdir "$WORK/nolabels" && cp "$WORK/small"/*images* "$WORK/nolabels"
    refuses 1 "$WORK/nolabels" train -q -d "$WORK/nolabels" && grep -qF labels "$WORK/stderr"
}
claim "a directory that is not there is named" refuses 1 /nowhere/at/all train -q -d /nowhere/at/all
claim "an MLP_DATA that is not there is named" nowhere_in_environment
claim "a directory without data is named" refuses 1 "$WORK/empty" train -q -d "$WORK/empty"
claim "missing labels are named" missing_labels
claim "a file in place of the directory is named" refuses 1 "$WORK/small/train-images-idx3-ubyte" \
    train -q -d "$WORK/small/train-images-idx3-ubyte"
if [ -e /usr/local/share/mlp/mnist ]; then
    skip "mlp is installed in /usr/local: what is said without any data was not looked at"
else
    claim "without any data, --data and MLP_DATA are named" no_data_anywhere
fi

# ---------------------------------------------------------------------------------------------
# What a failure leaves alone

# The run fails, names WORD, leaves the model and the curves as they were, and nothing else behind.
survives() { # WORD FLAGS...
    word=$1
    shift
    rm -rf "$WORK/out" && mkdir "$WORK/out" "$WORK/out/directory" || return 1
    echo "an old model" >"$WORK/out/model.bin" && echo "old curves" >"$WORK/out/curves.csv"
    refuses 1 "$word" train -q "$@" || return 1
    [ "$(cat "$WORK/out/model.bin")" = "an old model" ] || { echo "model lost"; return 1; }
    [ "$(cat "$WORK/out/curves.csv")" = "old curves" ] || { echo "curves lost"; return 1; }
    [ "$(ls -A "$WORK/out")" = "$(printf 'curves.csv\ndirectory\nmodel.bin')" ] || { ls -A "$WORK/out"; return 1; }
}
mkdir "$WORK/cut" && cp "$WORK/small"/* "$WORK/cut" &&
    head -c 5000 "$WORK/small/train-images-idx3-ubyte" >"$WORK/cut/train-images-idx3-ubyte"
mkdir "$WORK/blank" && cp "$WORK/small"/*labels* "$WORK/blank" && { printf '\0\0\010\003' && u32 800 &&
    u32 28 && u32 28 && head -c $((800 * 784)) /dev/zero; } >"$WORK/blank/train-images-idx3-ubyte"

claim "missing data: the files survive" survives /nowhere -d /nowhere
claim "a truncated file: the files survive" survives "$WORK/cut/train-images-idx3-ubyte" -d "$WORK/cut"
claim "blank images: the files survive" survives "$WORK/blank" -d "$WORK/blank"
claim "divergence: the files survive" survives --lr --lr 1e38
claim "no directory for the model: the files survive" survives "$WORK/none/m" -o "$WORK/none/m"
claim "no directory for the curves: the files survive" survives "$WORK/none/c" --csv "$WORK/none/c"
claim "the model is a directory: the files survive" survives "$WORK/out/directory" -o "$WORK/out/directory"
claim "the curves are a directory: the files survive" survives "$WORK/out/directory" --csv "$WORK/out/directory"
claim "the model is a device: the files survive" survives /dev/null -o /dev/null
claim "model and curves the same: the files survive" survives --csv --csv "$WORK/out/model.bin"
claim "model and curves the same by another path: the files survive" survives --csv \
    --csv "$WORK/out/directory/../model.bin"

same_new_file() {
    refuses 1 --csv train -q -o "$WORK/out/new" --csv "$WORK/out/directory/../new" &&
        [ ! -e "$WORK/out/new" ]
}
claim "model and curves the same new file are refused" same_new_file

same_through_a_link() {
    rm -f "$WORK/out/link" && ln -s model.bin "$WORK/out/link" &&
        echo "an old model" >"$WORK/out/model.bin" &&
        refuses 1 --csv train -q --csv "$WORK/out/link" &&
        [ "$(cat "$WORK/out/model.bin")" = "an old model" ] && [ -L "$WORK/out/link" ]
}
claim "model and curves the same through a link are refused" same_through_a_link

link_is_followed() {
    rm -f "$WORK/out/link" && ln -s directory/there.bin "$WORK/out/link" &&
        echo old >"$WORK/out/directory/there.bin" && exits 0 train -q -o "$WORK/out/link" &&
        [ -L "$WORK/out/link" ] && cmp "$WORK/reference.bin" "$WORK/out/directory/there.bin"
}
claim "a link is followed, not replaced" link_is_followed

dangling_link() {
    rm -rf "$WORK/out" && mkdir -p "$WORK/out/sub" && ln -s sub/new.bin "$WORK/out/link" && ln -s link "$WORK/out/link2" &&
        exits 0 train -q -o "$WORK/out/link2" && [ -L "$WORK/out/link" ] && [ -L "$WORK/out/link2" ] &&
        cmp "$WORK/reference.bin" "$WORK/out/sub/new.bin" || return 1
    rm "$WORK/out/sub/new.bin"
    refuses 1 'the same file' train -q -o "$WORK/out/link" --csv "$WORK/out/sub/new.bin" && [ -L "$WORK/out/link" ] || return 1
    ln -s round "$WORK/out/round"
    refuses 1 'is a loop of links' train -q -o "$WORK/out/round"
}
claim "a link to a file that is not there yet is followed too" dangling_link

mode_is_kept() {
    rm -rf "$WORK/out" && mkdir "$WORK/out" && exits 0 train -q && chmod 600 "$WORK/out/model.bin" && exits 0 train -q &&
        [ "$(find "$WORK/out/model.bin" -perm 600)" = "$WORK/out/model.bin" ]
}
claim "a file that is replaced keeps its mode" mode_is_kept

broken_pipe() {
    { train -q --json; echo $? >"$WORK/status"; } 2>"$WORK/stderr" | true
    cat "$WORK/status" "$WORK/stderr"
    [ "$(cat "$WORK/status")" -eq 141 ] && [ ! -s "$WORK/stderr" ]
}
claim "a summary that nobody reads ends quietly" broken_pipe

# A limit of one block on every file stands for a full disk: the model does not fit into it.
too_small_a_disk() {
    rm -rf "$WORK/out" && mkdir "$WORK/out" && echo "an old model" >"$WORK/out/model.bin" || return 1
    (ulimit -f 1 && train -q 2>"$WORK/stderr")
    status=$?
    cat "$WORK/stderr"
    [ "$status" -eq 1 ] && grep -q "^mlp: .*model.bin" "$WORK/stderr" || return 1
    [ "$(cat "$WORK/out/model.bin")" = "an old model" ] || { echo "model lost"; return 1; }
    [ "$(ls -A "$WORK/out")" = "$(printf 'curves.csv\nmodel.bin')" ] || { ls -A "$WORK/out"; return 1; }
}
claim "no room for the model: the old one survives" too_small_a_disk

# A full disk: a small one in memory, where that can be mounted.
full_disk() {
    mkdir "$WORK/disk" && mount -t tmpfs -o size=64k tmpfs "$WORK/disk" || return 1
    "$bin" train -q -d "$WORK/small" --epochs 2 --hidden 4 -o "$WORK/disk/m.bin" --csv "$WORK/out/f.csv" &&
        cp "$WORK/disk/m.bin" "$WORK/old.bin" &&
        refuses 1 disk/m.bin env TMPDIR="$WORK" "$bin" train -q -d "$WORK/small" --epochs 2 --hidden 64 -o "$WORK/disk/m.bin" \
            --csv "$WORK/out/f.csv" && grep -qF "; the model is in $WORK/mlp-" "$WORK/stderr" && cmp "$WORK/disk/m.bin" "$WORK/old.bin" &&
        [ "$(ls -A "$WORK/disk")" = m.bin ]
    full=$?
    umount "$WORK/disk"
    return "$full"
}
if [ "$(id -u)" -eq 0 ] && mkdir "$WORK/try" && mount -t tmpfs -o size=64k tmpfs "$WORK/try" 2>/dev/null; then
    umount "$WORK/try"
    claim "a full disk is an error, the old model survives, no temporary file stays" full_disk
else
    skip "a small file system cannot be mounted here: a full disk was not tried"
fi

# A shell without job control lets its background processes ignore SIGINT; GNU env can undo that.
one_batch_stops() { # SIGNAL STATUS
    rm -f "$WORK/out"/*
    env --default-signal=INT "$FAST_MLP" train -q -d "$WORK/small" --train-size 600 --val-size 200 --batch 600 --epochs 1000000 \
        -o "$WORK/out/model.bin" --csv "$WORK/out/curves.csv" 2>"$WORK/stderr" &
    child=$! tries=0
    until [ -f "$WORK/out/curves.csv" ] || [ "$tries" -gt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
    kill "-$1" "$child"
    (sleep 5; kill -KILL "$child") 2>/dev/null &
    killer=$!
    wait "$child"
    status=$?
    kill "$killer" 2>/dev/null
    cat "$WORK/stderr"
    [ "$status" -eq "$2" ] && grep -q "^mlp: SIG$1: stopped after epoch .* to resume: " "$WORK/stderr" && [ -f "$WORK/out/model.bin" ]
}
if env --default-signal=INT true 2>/dev/null; then
    claim "SIGINT stops a training whose epochs are one batch" one_batch_stops INT 130
else
    skip "this env cannot undo an ignored signal: no SIGINT was sent"
fi

two_at_once() {
    train -q --epochs 30 &
    first=$!
    train -q --epochs 30 --seed 2 || return 1
    wait "$first" || return 1
    exits 0 "$bin" info "$WORK/out/model.bin" && [ "$(wc -l <"$WORK/out/curves.csv")" -eq 31 ] &&
        [ "$(ls -A "$WORK/out")" = "$(printf 'curves.csv\nmodel.bin')" ]
}
rm -rf "$WORK/out" && mkdir "$WORK/out"
claim "of two trainings into the same files, the last wins and both files are whole" two_at_once

finish
