#!/bin/sh
# make report in miniature: what it makes, that it makes it once, and that it comes out the same; that
# a sweep made in parts is the sweep made at once; what the drawing scripts refuse.
. tests/lib.sh

small_data "$WORK/data" 600
export MLP_DATA="$WORK/data"
# make divides names at blanks, which may be in that of the project's directory.
program=./${MLP#"$PWD"/} fast=./${FAST_MLP#"$PWD"/}

# report DIRECTORY ARGUMENTS...
quiet=-s
report() {
    directory=$WORK/$1
    shift
    make_report "$quiet" MLP="$program" OUT="$directory/out" WORK="$directory/made" FASHION="$WORK/data" "$@"
}

# The tables, each without its column of times.
untimed() { # DIRECTORY
    for file in "$1"/out/*.csv; do
        basename "$file"
        awk -F, 'NR == 1 { timed = $NF == "seconds" } timed { sub(/,[^,]*$/, "") } { print }' "$file"
    done
}

tables='overfit-1e-4.csv overfit-1e-3.csv overfit.csv sizes.csv sizes-runs.csv rates.csv rates-runs.csv batch.csv
    hidden.csv units.csv confusion.csv classes.csv mistakes.csv jacobians.csv steps.csv cnn.csv
    confusion-cnn.csv mistakes-cnn.csv remedies.csv remedies-runs.csv remedies-curves.csv accuracy.csv accuracy-runs.csv
    calibration.csv seconds-runs.csv seconds-curves.csv README.md page.html page-cnn.html'
pictures='curves overfit-1e-4 overfit-1e-3 sizes rates batch hidden weights confusion classes mistakes jacobians steps
    curves-cnn filters-1 filters-2 features-1 features-2 confusion-cnn mistakes-cnn remedies remedies-curves augment accuracy calibration seconds'

makes_tables() {
    report a GNUPLOT= >"$WORK/said" 2>&1 || { cat "$WORK/said"; return 1; }
    grep -q 'gnuplot is not installed: .* no picture was drawn' "$WORK/said" || { cat "$WORK/said"; return 1; }
    for file in $tables; do
        [ -s "$WORK/a/out/$file" ] || { echo "missing: $file"; return 1; }
    done
    [ "$(find "$WORK/a/out" -type f ! -name '*.csv' ! -name '*.html')" = "$WORK/a/out/README.md" ]
}
claim "without gnuplot every table is made, and it says that no picture was drawn" makes_tables

same_again() { # by the plain program
    report b GNUPLOT= MLP="$fast" >/dev/null && untimed "$WORK/a" >"$WORK/a.all" && untimed "$WORK/b" | diff "$WORK/a.all" - &&
        [ "$(wc -l <"$WORK/a.all")" -gt 100 ]
}
claim "a second report has the same tables, but for the seconds" same_again

nothing_again() {
    touch "$WORK/before"
    report a GNUPLOT= >/dev/null && find "$WORK/a" -type f -newer "$WORK/before" >"$WORK/made" || return 1
    cat "$WORK/made"
    [ ! -s "$WORK/made" ]
}
claim "what is there is not made again" nothing_again

kept() {
    touch "$WORK/before"
    cp "$program" "$WORK/newer" && touch "$WORK/newer" && report a GNUPLOT= MLP="$WORK/newer" TRAINED_BY= >/dev/null && find "$WORK/a/made" -type f -newer "$WORK/before" >"$WORK/made" || return 1
    cat "$WORK/made"
    [ ! -s "$WORK/made" ]
}
claim "what an older program made can be kept" kept

missing_again() { # one training, and what depends on it
    rm "$WORK/a/made/rate-1e-4.csv" "$WORK/a/out/units.csv"
    quiet=--no-print-directory
    report a GNUPLOT= >"$WORK/said"
    quiet=-s
    untimed "$WORK/a" | diff "$WORK/a.all" - || return 1
    grep "^$program " "$WORK/said" >"$WORK/commands"
    cat "$WORK/commands"
    [ "$(wc -l <"$WORK/commands")" -eq 1 ] && grep -q 'sweep .*--lr 1e-4' "$WORK/commands"
}
claim "what is missing is made again, and nothing else" missing_again

comes_along() { # files that another command's target brings
    rm "$WORK/a/made/slow.csv" "$WORK/a/made/gradcheck.txt" "$WORK/a/made/mistakes.csv" "$WORK/a/made/predictions-cnn.csv" \
        "$WORK/a/made/recipes/many.none.1.curves.csv" "$WORK/a/made/recipes/accuracy.fast.2.bin" \
        "$WORK/a/made/timing/fast.curves.csv" "$WORK/a/out/remedies-curves.csv" "$WORK/a/out/seconds-curves.csv" \
        "$WORK/a/out/overfit-1e-4.csv" "$WORK/a/out/jacobians.csv" "$WORK/a/out/mistakes.csv"
    report a GNUPLOT= >"$WORK/said" 2>&1 || { cat "$WORK/said"; return 1; }
    untimed "$WORK/a" | diff "$WORK/a.all" -
}
claim "so is what comes along with another file" comes_along

one_recipe() { # the rest of them stays
    quiet=--no-print-directory
    report a GNUPLOT= FLAGS_accuracy.default='--ema 0.9' >"$WORK/said"
    report a GNUPLOT= >>"$WORK/said"
    quiet=-s
    grep '^sh scripts/report/' "$WORK/said" >"$WORK/commands"
    cat "$WORK/commands"
    [ "$(grep -c 'recipe.sh .* accuracy default [12] .*--ema 0.9' "$WORK/commands")" -eq 2 ] &&
        [ "$(grep -c 'recipe.sh .* accuracy default [12] ' "$WORK/commands")" -eq 4 ] &&
        [ "$(grep -c 'timing.sh .* default ' "$WORK/commands")" -eq 2 ] && [ "$(wc -l <"$WORK/commands")" -eq 6 ] &&
        untimed "$WORK/a" | diff "$WORK/a.all" -
}
claim "other flags of one recipe make its trainings again, and nothing else" one_recipe

resumes() { # its first row says that it took 77 seconds: it was not trained again
    sed '$d; 2s/,[0-9.]*$/,77/' "$WORK/a/made/rate-1e-4.csv" >"$WORK/a/made/rate-1e-4.csv.part" &&
        rm "$WORK/a/made/rate-1e-4.csv" &&
        report a GNUPLOT= >/dev/null && grep -q ',77$' "$WORK/a/made/rate-1e-4.csv" &&
        [ "$(wc -l <"$WORK/a/made/rate-1e-4.csv")" -eq 3 ] && untimed "$WORK/a" | diff "$WORK/a.all" -
}
claim "a sweep that was stopped resumes at its last row" resumes

parts_are_the_whole() {
    "$FAST_MLP" sweep -q --epochs 2 --seeds 2 --lr 1e-4,1e-3,1e38 --csv "$WORK/whole.csv" &&
        cut -d , -f 3-16 "$WORK/whole.csv" | cmp - "$WORK/a/out/rates-runs.csv"
}
claim "a sweep in parts, side by side, has the bytes of one sweep" parts_are_the_whole

recipe_as_by_hand() {
    "$FAST_MLP" train -q --train-size 50 --epochs 2 --seed 2 --patience 20 --keep best -o "$WORK/hand.bin" &&
        cmp "$WORK/hand.bin" "$WORK/a/made/recipes/few.early-stopping.2.bin" || return 1
    for split in train validation; do
        "$FAST_MLP" eval --json --split "$split" "$WORK/hand.bin" | sed -n 's/^  "accuracy": \(.*\),$/\1/p'
    done | paste -s -d , - >"$WORK/hand"
    grep '^few,early-stopping,' "$WORK/a/out/remedies-runs.csv" >"$WORK/rows"
    cat "$WORK/hand" "$WORK/rows"
    grep "^few,early-stopping,--train-size 50 --patience 20 --keep best --epochs 2,2,50,50890,2,$(cat "$WORK/hand")\$" "$WORK/rows"
}
claim "a recipe's row is what mlp train and mlp eval say" recipe_as_by_hand

standard_error() { # of two values: half their distance
    awk -F, '$1 == "fast" { print $9 }' "$WORK/a/out/accuracy-runs.csv" | paste -s -d , - >"$WORK/two"
    grep '^fast,' "$WORK/a/out/accuracy.csv" >"$WORK/summed"
    cat "$WORK/two" "$WORK/summed"
    paste -d , "$WORK/two" "$WORK/summed" |
        awk -F, '{ d = $1 > $2 ? $1 - $2 : $2 - $1; exit !(d > 0 && ($15 - ($1 + $2) / 2) ^ 2 < 1e-12 && ($18 - d / 2) ^ 2 < 1e-12) }'
}
claim "the standard error of a mean is that of its values" standard_error

ensemble_as_by_hand() {
    "$FAST_MLP" eval --json "$WORK/a/made/recipes/accuracy.fast.1.bin" "$WORK/a/made/recipes/accuracy.fast.2.bin" |
        sed -n 's/^  "accuracy": \(.*\),$/\1/p' >"$WORK/hand"
    cat "$WORK/hand"
    [ -s "$WORK/hand" ] && [ "$(awk -F, '$1 == "ensemble" { print $9 }' "$WORK/a/out/accuracy-runs.csv")" = "$(cat "$WORK/hand")" ]
}
claim "the row of an ensemble is what mlp eval says of its models" ensemble_as_by_hand

calibration_as_by_hand() {
    {
        echo model,low,high,n,probability,accuracy,accuracy_low,accuracy_high
        "$FAST_MLP" eval --calibration - "$WORK/a/made/recipes/accuracy.default.1.bin" 2>/dev/null | sed '1d; s/^/default.1,/'
        "$FAST_MLP" eval --calibration - "$WORK/a/made/recipes/accuracy.fast.1.bin" "$WORK/a/made/recipes/accuracy.fast.2.bin" \
            2>/dev/null | sed '1d; s/^/fast.all,/'
    } | diff - "$WORK/a/out/calibration.csv" || return 1
    for seeds in 1 "1 2"; do # what the text says of them is what eval says
        models=
        recipe=default
        [ "$seeds" = 1 ] || recipe=fast
        for seed in $seeds; do models="$models $WORK/a/made/recipes/accuracy.$recipe.$seed.bin"; done
        # shellcheck disable=SC2086 # words
        "$FAST_MLP" eval $models | sed -n 's/^expected calibration error \([0-9.]*\) points.*/\1/p'
    done >"$WORK/hand"
    grep '^| \(default.1\|fast.all\) |' "$WORK/a/out/README.md" | sed 's/.* | \([0-9.]*\) |$/\1/' | diff "$WORK/hand" -
}
claim "the bins of calibration, and its error in the text, are those of mlp eval" calibration_as_by_hand

as_eval_says() { # precision and recall, of 4 digits
    awk '$1 ~ /^[0-9]$/ && NF == 5 { print $1 "," $2 "," ($3 == "-" ? "" : $3) "," $4 }' "$WORK/a/made/eval.txt" >"$WORK/said"
    awk -F, 'NR > 1 { printf "%s,%s,%s,%.4f\n", $1, $2, ($5 == "" ? "" : sprintf("%.4f", $5)), $6 }' "$WORK/a/out/classes.csv" | diff "$WORK/said" -
}
claim "precision and recall are those of mlp eval" as_eval_says

block_structure() {
    cat "$WORK/a/out/jacobians.csv"
    grep -q '^da2/dvec(W2),10,20,20,0.100000,[^,]*,0,0$' "$WORK/a/out/jacobians.csv" &&
        grep -q '^da1/dvec(W1),2,1568,332,[^,]*,[^,]*,0,0$' "$WORK/a/out/jacobians.csv"
}
claim "the Jacobians over vec(W) are blocks, all alike" block_structure

diverged_is_said() {
    grep -q '^1e+38,2,2,,,' "$WORK/a/out/rates.csv" && grep -q '^| 1e+38 | 2 | diverged | diverged |' "$WORK/a/out/README.md"
}
claim "a rate that diverges has a row that says so" diverged_is_said

readme_shows_all() {
    for name in $pictures; do
        echo "$name"
        grep -qF "($name.png)" "$WORK/a/out/README.md" || return 1
        grep -qF "($name.svg)" "$WORK/a/out/README.md" || return 1
    done
}
claim "the text shows every picture" readme_shows_all

# The committed report: its numbers are those of its tables, and it shows what the text says.
committed() {
    awk -F, '$1 == "1e-3" && $2 == 2000 { exit !($4 >= 0.999 && $5 < 0.92) }' data/report/overfit.csv || return 1
    awk -F, 'NR > 1 && $4 > 0 { n[$1] += $4; d[$1] += $4 * ($5 - $6); wrong[$1] += $4 * (1 - $6); unsure[$1] += $4 * (1 - $5) }
        END { exit !(d["default.1"] > 20 && d["default.all"] < -30 && d["accurate.1"] ^ 2 < 10 ^ 2 && unsure["cnn.1"] < wrong["cnn.1"] / 2) }' \
        data/report/calibration.csv || { echo "another calibration than the text says"; return 1; }
    for name in $tables; do
        [ -s "data/report/$name" ] || { echo "missing: $name"; return 1; }
    done
    for name in $pictures; do
        [ -s "data/report/$name.png" ] || { echo "missing: $name.png"; return 1; }
        [ -s "data/report/$name.svg" ] || { echo "missing: $name.svg"; return 1; }
    done
}
claim "the committed report is whole; 2,000 images are memorised; who is overconfident" committed
committed_text() {
    mkdir "$WORK/c" && cp data/report/*.csv "$WORK/c" && touch "$WORK/c"/*.csv &&
        "$MAKE" -s -f scripts/report.mk -o "$fast" OUT="$WORK/c" WORK="$WORK/none" MLP="$fast" readme &&
        diff data/report/README.md "$WORK/c/README.md"
}
claim "its text is what its tables give" committed_text

# ---------------------------------------------------------------------------------------------
# Pictures

if command -v gnuplot >/dev/null; then
    draws_all() {
        report a >"$WORK/said" 2>&1 || { cat "$WORK/said"; return 1; }
        [ ! -s "$WORK/said" ] || { cat "$WORK/said"; return 1; }
        for name in $pictures; do
            ls -l "$WORK/a/out/$name".*
            [ "$(head -c 4 "$WORK/a/out/$name.png" | tail -c 3)" = PNG ] || return 1
            [ "$(wc -c <"$WORK/a/out/$name.png")" -gt 5000 ] && grep -q '</svg>' "$WORK/a/out/$name.svg" || return 1
        done
    }
    claim "gnuplot draws every picture, as PNG and as SVG, without a warning" draws_all

    # One line, a status that is not zero, no picture.
    refused() { # STATUS WORD SCRIPT ARGUMENTS...
        status=$1 word=$2
        shift 2
        exits "$status" gnuplot -c "$@" || return 1
        cat "$WORK/stderr"
        [ "$(wc -l <"$WORK/stderr")" -eq 1 ] && grep -qF -e "$word" "$WORK/stderr" && [ ! -e "$WORK/bad.png" ]
    }
    echo 'a,b' >"$WORK/wrong.csv"
    for script in scripts/report/*.gp scripts/plot.gp; do
        name=$(basename "$script")
        more=
        case $name in costs.gp) more=hidden ;; features.gp) more=f1 ;; jacobians.gp | remedies-curves.gp | seconds.gp) more=$WORK/wrong.csv ;; esac
        # shellcheck disable=SC2086 # nothing, or one word
        {
            claim "$name refuses another table" refused 1 "$name: $WORK/wrong.csv: not " "$script" "$WORK/bad.png" "$WORK/wrong.csv" $more
            claim "$name refuses a table that is not there" refused 1 "$name: $WORK/none.csv: not " "$script" "$WORK/bad.png" "$WORK/none.csv" $more
            claim "$name refuses a picture of another kind" refused 2 "$name: bad.pdf: the name must end" "$script" bad.pdf "$WORK/wrong.csv" $more
        }
        claim "$name says how it is used" refused 2 "usage: gnuplot -c scripts/" "$script" "$WORK/bad.png"
    done
    head -n 1 "$WORK/a/out/steps.csv" >"$WORK/empty.csv"
    claim "a table without rows is refused" refused 1 "has no rows" scripts/report/steps.gp "$WORK/bad.png" "$WORK/empty.csv"
else
    skip "gnuplot is not installed: no picture of the report was drawn"
fi

finish
