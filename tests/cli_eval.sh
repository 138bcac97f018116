#!/bin/sh
# mlp eval, info, help and version, as a user runs them.
. tests/lib.sh

DATA=$PWD/data/mnist
cd "$WORK" || exit 1
"$FAST_MLP" train -q -d "$DATA" --epochs 2 --train-size 3000 --val-size 500 --lr 0.003 -o m.bin --csv m.csv || exit 1
eval_() { "$MLP" eval -d "$DATA" "$@"; }

# value FILE KEY: the number of a key in JSON as the program prints it.
value() { sed -n "s/^  \"$2\": \(.*[^,]\),*\$/\1/p" "$1"; }

# ---------------------------------------------------------------------------------------------
# Reports

says_all_in_text() {
    exits 0 eval_ m.bin && [ ! -s stderr ] && grep -q '^accuracy  [0-9.]* %, standard error' stdout &&
        grep -q '^loss ' stdout && grep -q '^class .*precision .*recall .*F1$' stdout &&
        grep -q '^confusion matrix' stdout &&
        awk '/^confusion/ { rows = NR } rows && NR > rows { if (w && length($0) != w) exit 1; w = length($0); n++ }
             END { exit n != 11 }' stdout
}
claim "eval says accuracy, loss, classes and an aligned confusion matrix" says_all_in_text

json_adds_up() {
    exits 0 eval_ m.bin --json || return 1
    python3 - stdout <<'P'
import json, sys
j = json.load(open(sys.argv[1]))
assert {"accuracy", "accuracy_se", "loss", "n", "correct", "classes", "confusion", "split", "model", "data"} <= j.keys()
c = j["confusion"]
assert j["n"] == 10000 == sum(map(sum, c)) and len(c) == 10 == len(j["classes"])
assert sum(c[k][k] for k in range(10)) == j["correct"] == round(j["accuracy"] * j["n"])
p = j["accuracy"]
assert abs(j["accuracy_se"] - (p * (1 - p) / j["n"]) ** 0.5) < 1e-9
for k, row in enumerate(j["classes"]):
    assert row["support"] == sum(c[k]) and row["predicted"] == sum(r[k] for r in c)
    assert abs(row["recall"] - c[k][k] / sum(c[k])) < 1e-8
    assert abs(row["precision"] - c[k][k] / row["predicted"]) < 1e-8
P
}
if command -v python3 >/dev/null; then
    claim "the JSON is valid and adds up" json_adds_up
else
    skip "python3 is not installed: the JSON was not checked"
fi

matches_last_row() {
    exits 0 eval_ m.bin --split validation --json || return 1
    row=$(tail -n 1 m.csv)
    [ "$(value stdout n)" = 500 ] &&
        [ "$(value stdout loss)" = "$(echo "$row" | cut -d, -f4)" ] &&
        [ "$(value stdout accuracy)" = "$(echo "$row" | cut -d, -f5)" ]
}
claim "eval --split validation equals the last row of the curves" matches_last_row

judges_on_train() {
    exits 0 eval_ --split=train --json m.bin && [ "$(value stdout n)" = 3000 ]
}
claim "eval --split train judges on the images trained on" judges_on_train

predictions_agree() {
    exits 0 eval_ m.bin --split validation --predictions p.csv --json &&
        [ "$(head -n 1 p.csv)" = "index,label,predicted,probability" ] &&
        [ "$(wc -l <p.csv)" -eq 501 ] && [ "$(sed -n 2p p.csv | cut -d, -f1)" = 59500 ] &&
        correct=$(awk -F, 'NR > 1 { if ($4 <= 0 || $4 > 1) exit 1; n += $2 == $3 } END { print n }' p.csv) &&
        [ "$correct" = "$(value stdout correct)" ]
}
claim "--predictions writes a row an image" predictions_agree

claim "--min-accuracy below the accuracy exits 0" exits 0 eval_ m.bin --min-accuracy 0.1
not_reached() {
    exits 3 eval_ m.bin --min-accuracy 0.9999 && grep -q 'mlp: .*0.9999' stderr && [ -s stdout ]
}
claim "--min-accuracy above it exits 3, with the report" not_reached

# ---------------------------------------------------------------------------------------------
# Other data. idx FILE MAGIC SIZES... makes a file of zeros but for a ramp of lit pixels.

idx() {
    out=$1 magic=$2
    shift 2
    total=1
    printf '\000\000\010%b' "\\00$magic" >"$out"
    for size; do
        printf '%b' "\\0$(printf %o $((size / 16777216 % 256)))\\0$(printf %o $((size / 65536 % 256)))\\0$(printf %o $((size / 256 % 256)))\\0$(printf %o $((size % 256)))" >>"$out"
        total=$((total * size))
    done
    awk -v n=$total -v top="${TOP:-10}" 'BEGIN { for (i = 0; i < n; i++) printf "%c", 1 + i % (top - 1) }' >>"$out"
}
made_set() { # FOLDER SIDE TOP: labels and pixels run from 1 to TOP - 1
    mkdir -p "$1"
    for part in train t10k; do
        TOP=$3 idx "$1/$part-images-idx3-ubyte" 3 60 "$2" "$2"
        TOP=$3 idx "$1/$part-labels-idx1-ubyte" 1 60
    done
}
made_set small 6 10
made_set classes 28 13

misfit() {
    refuses 1 m.bin "$MLP" eval m.bin -d "$1" && grep -q '28 x 28' stderr && grep -q "$2" stderr
}
claim "a model for other images is refused, both named" misfit small '6 x 6'
claim "a model for other classes is refused, both named" misfit classes '13 classes'

small_set_trains() {
    exits 0 "$MLP" train -q -d small --epochs 2 --hidden 3 -o s.bin --csv s.csv &&
        exits 0 "$MLP" eval s.bin -d small && exits 0 "$MLP" info s.bin
}
claim "another image size trains and is judged" small_set_trains
more_classes_train() {
    exits 0 "$MLP" train -q -d classes --epochs 2 --hidden 3 -o k.bin --csv k.csv &&
        exits 0 "$MLP" eval k.bin -d classes --json && grep -q '"class": 12' stdout
}
claim "13 classes train and are judged" more_classes_train

other_data_are_noted() {
    cp -r small other && printf '\007' | dd of=other/train-labels-idx1-ubyte bs=1 seek=20 conv=notrunc 2>/dev/null
    exits 0 "$MLP" eval s.bin -d other --split validation && grep -q 'mlp: note: .*CRC-32' stderr &&
        exits 0 "$MLP" eval s.bin -d small --split validation && [ ! -s stderr ]
}
claim "validation on other data than the model's is noted" other_data_are_noted
made_set few 28 10
claim "a split that the data cannot hold is refused" refuses 1 "only 60" "$MLP" eval m.bin -d few --split train

# ---------------------------------------------------------------------------------------------
# Models that are none

claim "refused: a missing model" refuses 1 "gone.bin: No such file" eval_ gone.bin
head -c 1000 m.bin >cut.bin
claim "refused: a model cut short" refuses 1 cut.bin eval_ cut.bin
echo hello >text.bin
claim "refused: a text" refuses 1 "text.bin" eval_ text.bin
claim "refused: a folder" refuses 1 "folder" eval_ "$WORK"
cp m.bin flip.bin
printf '\377' | dd of=flip.bin bs=1 seek=5000 conv=notrunc 2>/dev/null
claim "refused: a damaged model, by its checksum" refuses 1 "checksum" "$MLP" info flip.bin
claim "refused: an unknown split" refuses 2 "--split" eval_ m.bin --split tset
claim "refused: an accuracy above 1" refuses 2 "--min-accuracy" eval_ m.bin --min-accuracy 97
claim "refused: no model" refuses 2 MODEL eval_
claim "refused: two models" refuses 2 "'n.bin'" eval_ m.bin n.bin
claim "refused: predictions over the model" refuses 1 m.bin eval_ m.bin --predictions ./m.bin
claim "refused: predictions into a missing folder" refuses 1 no/p.csv eval_ m.bin --predictions no/p.csv

# ---------------------------------------------------------------------------------------------
# info, help, version

info_in_text() {
    exits 0 "$MLP" info m.bin && grep -q '784-64-10' stdout && grep -q 'checksum right' stdout &&
        grep -q '^learning_rate  *0.003$' stdout && grep -q '^fc1.weight  *64,784 ' stdout
}
claim "info shows settings, tensors and checksum" info_in_text
info_in_json() {
    exits 0 "$MLP" info --json m.bin && python3 -c '
import json
j = json.load(open("stdout"))
assert j["settings"]["train_size"] == "3000" and j["checksum"] == "right"
assert [t["shape"] for t in j["tensors"]] == [[64, 784], [64], [10, 64], [10]]'
}
if command -v python3 >/dev/null; then
    claim "info --json is valid" info_in_json
else
    skip "python3 is not installed: info --json was not checked"
fi

helps() {
    exits 0 "$MLP" "$1" --help && [ ! -s stderr ] && grep -q "^Usage: mlp $1" stdout &&
        [ "$(sed -n '/^Examples:/,$p' stdout | grep -c "^  mlp $1")" -eq 2 ]
}
for command in train eval gradcheck info; do
    claim "mlp $command --help goes to stdout, with two examples" helps "$command"
done
live_defaults() {
    exits 0 "$MLP" train --help && grep -q 'default 64' stdout && grep -q 'default model.bin' stdout
}
claim "help shows the defaults" live_defaults
general_help() {
    exits 0 "$MLP" --help && for word in train eval gradcheck info; do
        grep -q "^  $word " stdout || return 1
    done
}
claim "mlp --help lists the commands" general_help
version() {
    exits 0 "$MLP" --version && grep -q '^mlp [0-9.]* (recipe [0-9]*)$' stdout
}
claim "mlp --version names version and recipe" version
claim "refused: an unknown command, the nearest is named" refuses 2 "'mlp train'" "$MLP" trian
claim "refused: an unknown flag before any command" refuses 2 "--help" "$MLP" --hepl
claim "refused: no command" refuses 2 "--help" "$MLP"

if [ -c /dev/full ]; then
    stdout_full() {
        "$MLP" info m.bin >/dev/full 2>stderr
        [ $? -eq 1 ] && grep -q '^mlp: standard output: ' stderr
    }
    claim "a report that cannot be written is an error" stdout_full
else
    skip "there is no /dev/full: a full disk was not tried"
fi

finish
