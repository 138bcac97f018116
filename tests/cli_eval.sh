#!/bin/sh
# mlp eval and mlp info from outside: the figures agree with each other, with the curves and with
# the files; what does not fit or is damaged is refused; help, version and lost output.
. tests/lib.sh

bin=$MLP

# ---------------------------------------------------------------------------------------------
# Small data: the first images of the real files, raw, cropped or relabelled where a test wants it

small_data "$WORK/small" 800 28
small_data "$WORK/other" 810 28
small_data "$WORK/short" 500 28
small_data "$WORK/tiny" 60 14
mkdir "$WORK/twelve" "$WORK/out" && for part in train t10k; do
    cp "$WORK/small/$part-images-idx3-ubyte" "$WORK/twelve"
    # The first label becomes 11: there are twelve classes.
    { head -c 8 "$WORK/small/$part-labels-idx1-ubyte" && printf '\013' &&
        tail -c +10 "$WORK/small/$part-labels-idx1-ubyte"; } >"$WORK/twelve/$part-labels-idx1-ubyte"
done

train() {
    "$bin" train -q --epochs 3 --hidden 8 --lr 2e-3 --csv "$WORK/curves.csv" "$@"
}
model=$WORK/model.bin
claim "a model to evaluate" exits 0 train -d "$WORK/small" --train-size 600 --val-size 150 -o "$model"
claim "a model of 14 x 14 pixels" exits 0 train -d "$WORK/tiny" --csv "$WORK/t.csv" -o "$WORK/tiny.bin"
claim "a model of 12 classes" exits 0 train -d "$WORK/twelve" --csv "$WORK/t.csv" -o "$WORK/twelve.bin"

evaluate() {
    "$bin" eval -d "$WORK/small" "$@"
}
# The value of a key in the JSON on stdout, as it is written there.
value_of() {
    sed -n "s/^  \"$1\": \\(.*[^,]\\),*\$/\\1/p" "$WORK/stdout"
}

# ---------------------------------------------------------------------------------------------
# The text

text_has_all() {
    exits 0 evaluate "$model" && cat "$WORK/stdout" && [ ! -s "$WORK/stderr" ] &&
        grep -q '^accuracy  *[0-9.]* %, 95 % interval [0-9.]* to [0-9.]* % ([0-9]* of 800)$' "$WORK/stdout" &&
        grep -q '^loss  *[0-9.]*$' "$WORK/stdout" &&
        grep -q '^expected calibration error [0-9.]* points' "$WORK/stdout" &&
        grep -q '^class .*precision .*recall .*F1$' "$WORK/stdout" &&
        grep -qi 'confusion.*rows.*true class' "$WORK/stdout"
}
claim "eval prints accuracy, its interval, loss, calibration, classes and confusion" text_has_all

# From the confusion matrix on: eleven lines of eleven columns that end where the others end.
confusion_is_aligned() {
    exits 0 evaluate "$model" || return 1
    sed '1,/^confusion/d' "$WORK/stdout" >"$WORK/matrix"
    cat "$WORK/matrix"
    awk 'NR == 1 { width = length($0); if (NF != 10) bad = 1 }
        NR > 1 { if (NF != 11 || $1 != NR - 2) bad = 1
            for (i = 2; i <= NF; i++) { sum += $i; if (i == NR) diagonal += $i } }
        length($0) != width { bad = 1 }
        END { exit bad || NR != 11 || sum != 800 || diagonal < 80 }' "$WORK/matrix"
}
claim "the confusion matrix is aligned and counts every image" confusion_is_aligned

classes_are_aligned() {
    exits 0 evaluate "$model" || return 1
    sed -n '/^class/,/^$/p' "$WORK/stdout" | sed '$d' >"$WORK/classes"
    cat "$WORK/classes"
    awk 'NR == 1 { width = length($0) } length($0) != width || NF != 5 { bad = 1 }
        NR > 1 { images += $2 } END { exit bad || NR != 11 || images != 800 }' "$WORK/classes"
}
claim "the table of classes is aligned and counts every image" classes_are_aligned

empty_class_has_no_ratio() { # class 10 of the twelve has no image
    exits 0 "$bin" eval -d "$WORK/twelve" "$WORK/twelve.bin" && cat "$WORK/stdout" &&
        grep -q '^ *10  *0 .* - ' "$WORK/stdout" && ! grep -qi nan "$WORK/stdout"
}
claim "a class without images is shown with dashes" empty_class_has_no_ratio

# ---------------------------------------------------------------------------------------------
# The JSON

if command -v python3 >/dev/null; then
    cat >"$WORK/check.py" <<'PYTHON'
import json, math, sys
s = json.load(open(sys.argv[1]), parse_constant=lambda c: sys.exit("not JSON: " + c))
n, confusion, classes = s["n"], s["confusion"], s["classes"]
close = lambda a, b: abs(a - b) < 1e-8
assert n == int(sys.argv[2]), n
assert len(confusion) == len(classes) and all(len(row) == len(classes) for row in confusion)
assert sum(map(sum, confusion)) == n
right = sum(confusion[k][k] for k in range(len(classes)))
assert right == s["correct"] and close(s["accuracy"], right / n)
assert close(s["accuracy_se"], math.sqrt(right / n * (1 - right / n) / n))
assert s["loss"] > 0
def wilson(p, n): # the two solutions of (q - p)^2 = z^2 q (1 - q) / n
    z2 = 1.959963984540054 ** 2 / n
    b, root = p + z2 / 2, math.sqrt((p + z2 / 2) ** 2 - (1 + z2) * p * p)
    return (b - root) / (1 + z2), (b + root) / (1 + z2)
assert all(map(close, (s["accuracy_low"], s["accuracy_high"]), wilson(right / n, n)))
bins = s["calibration"]["bins"]
assert len(bins) == 15 and sum(b["n"] for b in bins) == n
full = [b for b in bins if b["n"]]
assert all(b["probability"] is b["accuracy"] is b["accuracy_low"] is None for b in bins if not b["n"])
assert all(b["low"] < b["probability"] <= b["high"] + 1e-8 for b in full)
assert all(close(b["accuracy_low"], wilson(b["accuracy"], b["n"])[0]) for b in full)
assert close(s["calibration"]["error"], sum(b["n"] / n * abs(b["accuracy"] - b["probability"]) for b in full))
assert close(s["calibration"]["probability"], sum(b["n"] / n * b["probability"] for b in full))
assert close(s["accuracy"], sum(b["n"] / n * b["accuracy"] for b in full))
assert [r["rejected"] <= n * k / 100 for r, k in zip(s["rejections"], (1, 2, 5, 10, 20))] == 5 * [True]
for k, c in enumerate(classes):
    truth, answer = sum(confusion[k]), sum(row[k] for row in confusion)
    assert (c["class"], c["support"], c["predicted"]) == (k, truth, answer), c
    hit = confusion[k][k]
    for key, top, bottom in (("precision", hit, answer), ("recall", hit, truth),
                             ("f1", 2 * hit, truth + answer)):
        assert c[key] is None if bottom == 0 else close(c[key], top / bottom), (key, c)
PYTHON
    json_agrees() { # N EVAL-ARGUMENTS...
        count=$1
        shift
        exits 0 "$bin" eval --json "$@" && [ ! -s "$WORK/stderr" ] &&
            python3 "$WORK/check.py" "$WORK/stdout" "$count"
    }
    claim "--json: the figures of the test split agree" json_agrees 800 -d "$WORK/small" "$model"
    claim "--json: those of validation too" json_agrees 150 -d "$WORK/small" "$model" --split validation
    claim "--json: those of train too" json_agrees 600 -d "$WORK/small" "$model" --split=train
    claim "--json: those of an empty class too" json_agrees 800 -d "$WORK/twelve" "$WORK/twelve.bin"
    info_json_is_valid() {
        exits 0 "$bin" info --json "$model" && python3 -m json.tool "$WORK/stdout"
    }
    claim "--json of info is valid" info_json_is_valid
else
    skip "python3 is not installed: the JSON of eval and info was not checked"
fi

# ---------------------------------------------------------------------------------------------
# Splits

test_is_default() {
    exits 0 evaluate "$model" --json && [ "$(value_of split)" = '"test"' ] && cp "$WORK/stdout" "$WORK/a" &&
        exits 0 evaluate "$model" --split test --json && cmp "$WORK/a" "$WORK/stdout"
}
claim "the test split is the default" test_is_default

last_of_two_splits() {
    exits 0 evaluate --split validation "$model" --split train --json && [ "$(value_of n)" = 600 ]
}
claim "the last of two splits wins" last_of_two_splits

splits_refused() {
    for split in '' tests TEST validation,train valid; do
        refuses 2 --split evaluate "$model" "--split=$split" || return 1
    done
    refuses 2 '--split needs a value' evaluate "$model" --split
}
claim "another split is refused" splits_refused

equals_curves() {
    exits 0 evaluate "$model" --split validation --json || return 1
    tail -n 1 "$WORK/curves.csv"
    last=$(tail -n 1 "$WORK/curves.csv" | cut -d , -f 4,5)
    echo "eval: $(value_of loss),$(value_of accuracy)"
    [ -n "$last" ] && [ "$last" = "$(value_of loss),$(value_of accuracy)" ]
}
claim "the curves' last row equals eval --split validation, to the digit" equals_curves

other_data_is_said() { # SPLIT
    exits 0 "$bin" eval -d "$WORK/other" "$model" --split "$1" --json && cat "$WORK/stderr" &&
        [ "$(wc -l <"$WORK/stderr")" -eq 1 ] && grep -q '^mlp: .*other data.*(CRC-32 [0-9a-f]\{8\}, here [0-9a-f]\{8\})' "$WORK/stderr" &&
        grep -qF "$WORK/other" "$WORK/stderr" && grep -qF "$model" "$WORK/stderr" &&
        [ -n "$(value_of accuracy)" ]
}
claim "validation on other data is said" other_data_is_said validation
claim "train on other data is said" other_data_is_said train

test_needs_no_note() {
    exits 0 "$bin" eval -d "$WORK/other" "$model" && [ ! -s "$WORK/stderr" ]
}
claim "test on other data needs no note" test_needs_no_note
claim "a training file too short for the split is refused" refuses 1 "$WORK/short" \
    "$bin" eval -d "$WORK/short" "$model" --split validation

# ---------------------------------------------------------------------------------------------
# Predictions

# SPLIT, the data file's part, the index of its first image, the number of images.
predictions_agree() {
    exits 0 evaluate "$model" --split "$1" --predictions "$WORK/p.csv" --json || return 1
    head -n 3 "$WORK/p.csv"
    [ "$(head -n 1 "$WORK/p.csv")" = index,label,predicted,probability ] &&
        [ "$(wc -l <"$WORK/p.csv")" -eq $(($4 + 1)) ] || return 1
    awk -F, -v first="$3" 'NR > 1 && (NF != 4 || $1 != first + NR - 2 || !($4 > 0.09 && $4 <= 1)) { exit 1 }' \
        "$WORK/p.csv" || { echo "a row is wrong"; return 1; }
    own=$(awk -F, 'NR > 1 { right += $2 == $3 } END { printf "%.9g", right / (NR - 1) }' "$WORK/p.csv")
    [ "$own" = "$(value_of accuracy)" ] || { echo "$own, not $(value_of accuracy)"; return 1; }
    # The confusion matrix again, rows the truth, from the predictions.
    awk -F, 'NR > 1 { count[$2, $3]++ } END { for (t = 0; t < 10; t++) { row = ""
        for (k = 0; k < 10; k++) row = row (k ? ", " : "") count[t, k] + 0
        print "[" row "]" } }' "$WORK/p.csv" >"$WORK/matrix"
    sed '1,/"confusion"/d' "$WORK/stdout" | sed -n 's/^ *\(\[.*\]\),*$/\1/p' | diff - "$WORK/matrix" || return 1
    od -An -v -tu1 -w1 -j $((8 + $3)) -N "$4" "$WORK/small/$2-labels-idx1-ubyte" | tr -d ' ' >"$WORK/labels"
    tail -n +2 "$WORK/p.csv" | cut -d , -f 2 | cmp - "$WORK/labels"
}
claim "predictions on test agree with labels and accuracy" predictions_agree test t10k 0 800
claim "predictions on validation begin at its first image" predictions_agree validation train 650 150
claim "predictions on train agree too" predictions_agree train train 0 600

predictions_keep_the_model() {
    cp "$model" "$WORK/out/m" && refuses 1 --predictions evaluate "$WORK/out/m" --predictions "$WORK/out/m" &&
        ln -s m "$WORK/out/link" &&
        refuses 1 --predictions evaluate "$WORK/out/m" --predictions "$WORK/out/link" &&
        cmp "$model" "$WORK/out/m"
}
claim "predictions do not replace the model" predictions_keep_the_model
claim "predictions into a missing directory are refused" refuses 1 "$WORK/none/p.csv" \
    evaluate "$model" --predictions "$WORK/none/p.csv"
claim "predictions into a directory are refused" refuses 1 "$WORK/out" evaluate "$model" --predictions "$WORK/out"
claim "--predictions needs a name" refuses 2 --predictions evaluate "$model" --predictions=
claim "--predictions needs a value" refuses 2 '--predictions needs a value' evaluate "$model" --predictions

# ---------------------------------------------------------------------------------------------
# Mistakes and confusion

mistakes_agree() { # the predictions that are wrong, by falling probability, with the file's pixels
    exits 0 evaluate "$model" --predictions "$WORK/p.csv" --mistakes "$WORK/m.csv" --confusion "$WORK/c.csv" || return 1
    awk -F, 'NR > 1 && $2 != $3' "$WORK/p.csv" | sort -t, -k4,4gr -k1,1n >"$WORK/wrong"
    tail -n +2 "$WORK/m.csv" | cut -d, -f1-4 | cmp - "$WORK/wrong" || return 1
    [ -s "$WORK/wrong" ] && [ "$(head -n 1 "$WORK/m.csv" | tr , '\n' | wc -l)" -eq 788 ] || return 1
    index=$(sed -n 2p "$WORK/m.csv" | cut -d, -f1)
    od -An -v -tu1 -w1 -j $((16 + 784 * index)) -N 784 "$WORK/small/t10k-images-idx3-ubyte" | tr -d ' ' >"$WORK/pixels"
    sed -n 2p "$WORK/m.csv" | cut -d, -f5- | tr , '\n' | cmp - "$WORK/pixels"
}
claim "mistakes are the wrong predictions, the most confident first, with their pixels" mistakes_agree
confusion_agrees() {
    awk -F, 'NR > 1 { n[$2, $3]++ } END { print "label,0,1,2,3,4,5,6,7,8,9"; for (t = 0; t < 10; t++) {
        row = t; for (k = 0; k < 10; k++) row = row "," n[t, k] + 0; print row } }' "$WORK/p.csv" | cmp - "$WORK/c.csv"
}
claim "the confusion table counts the predictions" confusion_agrees
tables_differ() {
    cp "$model" "$WORK/out/m"
    for flag in --mistakes --confusion --calibration; do
        refuses 1 "$flag" evaluate "$WORK/out/m" "$flag" "$WORK/out/m" &&
            refuses 1 "$flag" evaluate "$WORK/out/m" "$flag" "$WORK/small/t10k-labels-idx1-ubyte" &&
            refuses 1 "$flag" evaluate "$WORK/out/m" --predictions "$WORK/out/t" "$flag" "$WORK/out/./t" &&
            refuses 2 "$flag" evaluate "$WORK/out/m" "$flag=" || return 1
    done
    cmp "$model" "$WORK/out/m"
}
claim "no table replaces another, the model or the data" tables_differ

# ---------------------------------------------------------------------------------------------
# Confidence

# The report's two tables: groups of bins count every image, and their mean is that of all.
confidence_is_aligned() {
    exits 0 evaluate "$model" || return 1
    sed -n '/^probability/,/^expected/p' "$WORK/stdout" | sed '$d' >"$WORK/bins"
    sed -n '/^rejected/,/^$/p' "$WORK/stdout" | sed '1d;$d' >"$WORK/rejected"
    cat "$WORK/bins" "$WORK/rejected"
    awk 'NR == 1 { width = length($0) } length($0) != width { bad = 1 }
        NR > 1 && $1 != "all" { n += $5; sum += $5 * $6; right += $5 * $8 }
        $1 == "all" { all = $2; mean = $3; share = $5 }
        function near(a, b) { return (a - b) ^ 2 < 0.0002 }
        END { exit bad || n != 800 || all != 800 || !near(sum / n, mean) || !near(right / n, share) }' "$WORK/bins" &&
        awk '{ n++; if (NF != 5 || $1 > (n < 3 ? n : n == 3 ? 5 : n == 4 ? 10 : 20) || $3 < last || $5 < threshold) bad = 1; last = $3; threshold = $5 }
            END { exit bad || n != 5 }' "$WORK/rejected"
}
claim "the tables of probabilities are aligned and count every image" confidence_is_aligned

# The table of bins, counted again from the predictions.
bins_agree() {
    exits 0 evaluate "$model" --predictions "$WORK/p.csv" --calibration "$WORK/bins.csv" --json && cat "$WORK/bins.csv" || return 1
    head -n 1 "$WORK/bins.csv" | grep -qx 'low,high,n,probability,accuracy,accuracy_low,accuracy_high' || return 1
    awk -F, 'NR > 1 { m = int($4 * 15); if (m == $4 * 15) m--; n[m]++; sum[m] += $4; right[m] += $2 == $3 }
        END { for (m = 0; m < 15; m++) printf n[m] ? "%.6f,%.6f,%d,%.6f,%.6f\n" : "%.6f,%.6f,%d,,\n", m / 15, (m + 1) / 15, n[m],
            sum[m] / (n[m] ? n[m] : 1), right[m] / (n[m] ? n[m] : 1) }' "$WORK/p.csv" >"$WORK/again"
    awk -F, 'NR > 1 { printf $3 ? "%.6f,%.6f,%d,%.6f,%.6f\n" : "%.6f,%.6f,%d,,\n", $1, $2, $3, $4, $5 }' "$WORK/bins.csv" | diff - "$WORK/again"
}
claim "the table of bins is counted from the predictions" bins_agree

# What eval says of a threshold is what predict does with it.
predict_agrees() { # MODEL...
    exits 0 evaluate "$@" --json --predictions "$WORK/p.csv" || return 1
    sed -n '/"rejections"/,$s/^ *"\(reject\|rejected\|accuracy\)": \([^,]*\),*$/\2/p' "$WORK/stdout" | head -n 15 | paste -d ' ' - - - >"$WORK/thresholds"
    [ "$(wc -l <"$WORK/thresholds")" -eq 5 ] || return 1
    tail -n +2 "$WORK/p.csv" | cut -d , -f 2 >"$WORK/labels"
    while read -r threshold rejected accuracy; do
        echo "$threshold $rejected $accuracy"
        exits 0 "$bin" predict "$@" "$WORK/small/t10k-images-idx3-ubyte" --reject "$threshold" || return 1
        paste "$WORK/labels" "$WORK/stdout" | awk -F '\t' -v rejected="$rejected" -v accuracy="$accuracy" '
            $3 == "?" { n++; if ($4 > most) most = $4; next }
            { right += $1 == $3; if (least == "" || $4 < least) least = $4 }
            END { d = right / (NR - n) - accuracy; exit !(NR == 800 && n == rejected && n > 0 && most < least && d ^ 2 < 1e-16) }' || return 1
    done <"$WORK/thresholds"
}
claim "mlp predict rejects as many images as mlp eval says, the least confident, and the rest is as accurate" predict_agrees "$model"
claim "a second model" exits 0 train -d "$WORK/small" --train-size 600 --val-size 150 --seed 2 -o "$WORK/second.bin"
claim "so it does with two models" predict_agrees "$model" "$WORK/second.bin"

# ---------------------------------------------------------------------------------------------
# A requested accuracy

reached() {
    exits 0 evaluate "$model" --min-accuracy "$1" && [ ! -s "$WORK/stderr" ] && [ -s "$WORK/stdout" ]
}
not_reached() {
    exits 3 evaluate "$model" --min-accuracy "$1" && cat "$WORK/stderr" && [ -s "$WORK/stdout" ] &&
        [ "$(wc -l <"$WORK/stderr")" -eq 1 ] && grep -q '^mlp: .*--min-accuracy' "$WORK/stderr"
}
exactly_reached() {
    exits 0 evaluate "$model" --json && exact=$(value_of accuracy) && [ -n "$exact" ] && reached "$exact" &&
        not_reached "$exact"1
}
min_accuracy_refused() {
    for value in '' 5x -0.1 1.1 80 80% nan inf 1e999 0x1; do
        refuses 2 --min-accuracy evaluate "$model" "--min-accuracy=$value" || return 1
    done
    refuses 2 '--min-accuracy needs a value' evaluate "$model" --min-accuracy
}
claim "--min-accuracy 0.1 is reached" reached 0.1
claim "--min-accuracy 0.9999 is not: exit 3, with the report" not_reached 0.9999
claim "the very accuracy is reached, a little more is not" exactly_reached
claim "--min-accuracy refuses what is not a fraction" min_accuracy_refused

# ---------------------------------------------------------------------------------------------
# What does not fit

names_both() { # MODEL DIRECTORY WORDS-OF-MODEL WORDS-OF-DATA COMMAND...
    refuses 1 "$1 " "$bin" "$5" "$1" -d "$2" && grep -qF "$2 " "$WORK/stderr" &&
        grep -qF "$3" "$WORK/stderr" && grep -qF "$4" "$WORK/stderr"
}
claim "a model for larger images is refused" \
    names_both "$model" "$WORK/tiny" "28 x 28" "14 x 14" eval
claim "a model for smaller images is refused" \
    names_both "$WORK/tiny.bin" "$WORK/small" "14 x 14" "28 x 28" eval
claim "a model of fewer classes is refused" \
    names_both "$model" "$WORK/twelve" "10 classes" "12 classes" eval
claim "gradcheck refuses a model that does not fit, too" \
    names_both "$model" "$WORK/tiny" "28 x 28" "14 x 14" gradcheck

# ---------------------------------------------------------------------------------------------
# Damaged models

damaged_is_refused() { # FILE: by eval and info, in text and JSON
    refuses 1 "$1" evaluate "$1" && refuses 1 "$1" evaluate "$1" --json &&
        refuses 1 "$1" "$bin" info "$1" && refuses 1 "$1" "$bin" info "$1" --json
}
size=$(wc -c <"$model")
flip() { # OFFSET FILE: the model with the lowest bit of that byte changed
    byte=$(od -An -tu1 -j "$1" -N 1 "$model" | tr -d ' ')
    # shellcheck disable=SC2059 # the format is the byte
    { head -c "$1" "$model" && printf "\\$(printf %03o $((byte ^ 1)))" && tail -c +$(($1 + 2)) "$model"; } >"$2"
}
truncated_are_refused() {
    for length in 0 1 7 8 9 100 $((size / 2)) $((size - 4)) $((size - 1)); do
        echo "length $length"
        head -c "$length" "$model" >"$WORK/damaged" && damaged_is_refused "$WORK/damaged" || return 1
    done
}
flipped_are_refused() {
    for at in 0 7 8 30 200 $((size / 2)) $((size - 1)); do
        echo "byte $at"
        flip "$at" "$WORK/damaged" && [ "$(wc -c <"$WORK/damaged")" -eq "$size" ] || return 1
        damaged_is_refused "$WORK/damaged" || return 1
    done
}
longer_is_refused() {
    { cat "$model" && printf '\0'; } >"$WORK/damaged" && damaged_is_refused "$WORK/damaged"
}
claim "a model that is not there is refused" damaged_is_refused "$WORK/none.bin"
claim "truncated models are refused" truncated_are_refused
claim "models with a bit flipped are refused" flipped_are_refused
claim "a model with a byte more is refused" longer_is_refused
claim "a text in place of a model is refused" damaged_is_refused README.md
claim "curves in place of a model are refused" damaged_is_refused "$WORK/curves.csv"
claim "a directory in place of a model is refused" damaged_is_refused "$WORK/out"
claim "data in place of a model are refused" damaged_is_refused "$WORK/small/t10k-images-idx3-ubyte"

info_says() {
    exits 0 "$bin" info "$model" && cat "$WORK/stdout" && [ ! -s "$WORK/stderr" ] || return 1
    for line in '784-8-10 network of 6370 parameters' 'checksum correct' 'learning_rate  *0.002$' \
        'batch_size  *64$' 'train_size  *600$' 'validation_size  *150$' 'epochs  *3$' \
        'fc1.weight  *8,784 ' 'fc1.bias  *8 ' 'fc2.weight  *10,8 ' 'fc2.bias  *10 '; do
        grep -q "$line" "$WORK/stdout" || { echo "not there: $line"; return 1; }
    done
}
info_json_says() {
    exits 0 "$bin" info --json "$model" && cat "$WORK/stdout" &&
        [ "$(value_of parameters)" = 6370 ] && grep -q '"learning_rate": "0.002"' "$WORK/stdout" &&
        [ "$(grep -c '"shape": ' "$WORK/stdout")" -eq 4 ] && grep -q '"shape": \[8, 784\]' "$WORK/stdout"
}
claim "info names settings, tensors and checksum" info_says
claim "info --json does so too" info_json_says
info_says_format_2() { # in a file that could as well have format 1
    sum=$("$bin" info "$model" | awk '$1 == "checksum_crc32" { print $2 }') &&
        sed "s/mlp 1/mlp 2/;s/$sum/00000000/" "$model" >"$WORK/zeros.bin" &&
        sum=$(gzip -c "$WORK/zeros.bin" | tail -c 8 | od -An -tx1 -N4 | awk '{ print $4 $3 $2 $1 }') &&
        sed "s/checksum_crc32\":\"00000000/checksum_crc32\":\"$sum/" "$WORK/zeros.bin" >"$WORK/two.bin" || return 1
    exits 0 "$bin" info "$WORK/two.bin" && cat "$WORK/stderr" && grep -q '^format  *mlp 2$' "$WORK/stdout" &&
        exits 0 "$bin" info --json "$WORK/two.bin" && grep -q '"format": "mlp 2"' "$WORK/stdout"
}
claim "and the format that the file has" info_says_format_2

# ---------------------------------------------------------------------------------------------
# The command line as a whole

help_is_whole() { # COMMAND
    for word in --help -h; do
        exits 0 "$bin" "$1" "$word" && [ ! -s "$WORK/stderr" ] || return 1
        grep -q "^Usage: mlp $1 " "$WORK/stdout" && grep -q '^  -h, --help ' "$WORK/stdout" || return 1
        [ "$(sed '1,/^Examples:$/d' "$WORK/stdout" | grep -c "^  mlp $1")" -eq 2 ] || return 1
        awk 'length($0) > 80 { print; exit 1 }' "$WORK/stdout" || return 1
    done
}
for command in train eval gradcheck info; do
    claim "mlp $command --help: usage, flags and two examples on stdout" help_is_whole "$command"
done

main_help() {
    for word in --help -h; do
        exits 0 "$bin" "$word" && [ ! -s "$WORK/stderr" ] || return 1
        for command in train eval gradcheck info; do
            grep -q "^  $command  *[a-z]" "$WORK/stdout" || { echo "$command is missing"; return 1; }
        done
        [ "$(sed '1,/^Examples:$/d' "$WORK/stdout" | grep -c '^  mlp ')" -eq 2 ] || return 1
    done
}
help_shows_defaults() {
    exits 0 "$bin" eval --help && grep -A 1 -e '--split' "$WORK/stdout" | grep -qF '(default test)' &&
        exits 0 "$bin" train --help && grep -qF '(default model.bin)' "$WORK/stdout" &&
        grep -qF "(default the model's name" "$WORK/stdout" && exits 0 "$bin" gradcheck --help &&
        grep -qF '(default 64)' "$WORK/stdout"
}
help_wins() { # over what else is on the line, and before anything is done
    exits 0 "$bin" eval "$WORK/none.bin" --help && exits 0 "$bin" train -o "$WORK/none/x" -h
}
version_is_that_of_make() {
    exits 0 "$bin" --version && [ "$(wc -l <"$WORK/stdout")" -eq 1 ] &&
        grep -q "^mlp $(sed -n 's/^#define MLP_VERSION "\(.*\)"/\1/p' include/mlp.h)\\>" "$WORK/stdout"
}
claim "mlp --help lists the commands and two examples" main_help
claim "the help shows the defaults" help_shows_defaults
claim "--help wins" help_wins
claim "mlp --version prints the version of the source" version_is_that_of_make

suggests() { # WORD COMMAND
    refuses 2 "'$1'" "$bin" "$1" && grep -qF "mlp $2'" "$WORK/stderr"
}
claim "mlp trian suggests train" suggests trian train
claim "mlp evla suggests eval" suggests evla eval
claim "mlp gradchek suggests gradcheck" suggests gradchek gradcheck
claim "mlp inof suggests info" suggests inof info
stray_words() { refuses 2 foo "$bin" --version foo && refuses 2 foo "$bin" --help train foo; }
claim "stray words behind --version and --help are refused" stray_words
claim "mlp --verison suggests --version" suggests --verison --version
claim "a command like no other suggests the help" suggests zzzzzzzzzzzz --help
claim "an empty command is refused" refuses 2 "''" "$bin" ''
claim "no command is refused" refuses 2 --help "$bin"
claim "eval without a model is refused" refuses 2 MODEL "$bin" eval
claim "info without a model is refused" refuses 2 MODEL "$bin" info
claim "eval with an empty model name is refused" refuses 2 model "$bin" eval ''
claim "info of two models is refused" refuses 2 "'b'" "$bin" info a b
claim "an unknown flag of eval suggests" refuses 2 "'--predictions'" "$bin" eval "$model" --prediction x
claim "an unknown flag of info suggests" refuses 2 "'--json'" "$bin" info "$model" --jsno
claim "--json takes no value" refuses 2 --json "$bin" info "$model" --json=yes
claim "--data needs a value" refuses 2 '--data needs a value' "$bin" eval "$model" -d
claim "a missing directory of data is named" refuses 1 /nowhere "$bin" eval "$model" -d /nowhere

model_after_dashes() { # a model whose name begins with a dash
    (cd "$WORK/out" && cp "$model" ./--json && exits 0 "$bin" info -- --json) &&
        grep -q '^--json: ' "$WORK/stdout"
}
claim "after -- a word is the model" model_after_dashes

# ---------------------------------------------------------------------------------------------
# Output that is lost

lost_output() { # COMMAND...: standard output is a full device
    "$@" >/dev/full 2>"$WORK/stderr"
    status=$?
    cat "$WORK/stderr"
    [ "$status" -eq 1 ] && [ "$(wc -l <"$WORK/stderr")" -eq 1 ] &&
        grep -q '^mlp: standard output' "$WORK/stderr"
}
if [ -c /dev/full ]; then
    claim "eval says that its output was lost" lost_output evaluate "$model"
    claim "eval --json says it too" lost_output evaluate "$model" --json
    claim "info says it too" lost_output "$bin" info "$model"
    claim "eval --help says it too" lost_output "$bin" eval --help
    claim "mlp --help says it too" lost_output "$bin" --help
    claim "mlp --version says it too" lost_output "$bin" --version
    claim "predictions on a full device are an error" refuses 1 /dev/full \
        evaluate "$model" --predictions /dev/full
else
    skip "there is no /dev/full: lost output was not tried"
fi

# With stdout closed, the predictions must not take its place and receive the report.
closed_stdout() {
    exits 0 evaluate "$model" --predictions "$WORK/p.csv" || return 1
    evaluate "$model" --predictions "$WORK/q.csv" >&- 2>"$WORK/stderr"
    status=$?
    cat "$WORK/stderr"
    [ "$status" -le 1 ] && cmp "$WORK/p.csv" "$WORK/q.csv"
}
report_to_closed_stdout() { # a report that nobody can read is lost output
    "$@" >&- 2>"$WORK/stderr"
    status=$?
    cat "$WORK/stderr"
    echo "exit status $status"
    [ "$status" -eq 1 ] && grep -q '^mlp: standard output' "$WORK/stderr"
}
claim "a closed stdout does not get into the predictions" closed_stdout
claim "eval to a closed stdout says that its output was lost" report_to_closed_stdout evaluate "$model"
claim "info to a closed stdout says so too" report_to_closed_stdout "$bin" info "$model"

finish
