#!/bin/sh
# mlp predict on pictures as people take them: light that falls off, specks, frames, tables, noise.
# The conditions are those of tests/scene.h; tests/README.md has the whole table.
. tests/lib.sh

DATA=$PWD/data/mnist
draw=$(dirname "$MLP")/test_digit
N=100 # pictures of each condition

claim "a model of five epochs" exits 0 "$FAST_MLP" train -q -d "$DATA" --epochs 5 -o "$WORK/m.bin" --csv "$WORK/m.csv"

# Draws N pictures of a condition; in "$WORK/percent" how many of them are recognised.
percent() { # N NAME
    rm -rf "$WORK/scene"
    mkdir "$WORK/scene"
    "$draw" scene "$WORK/scene" "$1" "$2" || return 1
    exits 0 "$FAST_MLP" predict "$WORK/m.bin" "$WORK"/scene/*.pgm || return 1
    cut -f 2 "$WORK/stdout" | paste - "$WORK/scene/labels" |
        awk -v n="$1" '$1 == $2 { right++ } END { print 100 * right / n }' >"$WORK/percent"
    cat "$WORK/percent"
}

within() { # POINTS CONDITION: of clean drawings, and nothing is doubted
    percent "$N" "$2" && [ ! -s "$WORK/stderr" ] &&
        awk -v clean="$clean" -v points="$1" '{ exit !($1 >= clean - points && clean > 90) }' "$WORK/percent"
}

percent "$N" "drawn with a hard pen" >"$WORK/log" || cat "$WORK/log"
clean=$(cat "$WORK/percent")
for condition in "light falls off by 20 % to the right" "by 25 %" "by 50 %" "by 50 % to a corner" \
    "by 50 % towards all corners (vignette)" "grey paper, by 50 %" "grey paper, vignette of 50 %" \
    "noise of 10" "one speck of a pixel, far away" "20 specks of 2 x 2, anywhere" "frame of one pixel" \
    "frame of 10 pixels" "box round the digit" "table edge at one side"; do
    claim "recognised within 2 points of clean drawings: $condition" within 2 "$condition"
done
for condition in "squared paper, light lines" "ruled paper, light lines"; do
    claim "recognised within 5 points of clean drawings: $condition" within 5 "$condition"
done

doubts() { # CONDITION WORDS
    rm -rf "$WORK/scene" && mkdir "$WORK/scene" && "$draw" scene "$WORK/scene" 3 "$1" &&
        exits 0 "$MLP" predict "$WORK/m.bin" "$WORK"/scene/*.pgm && cat "$WORK/stderr" &&
        [ "$(wc -l <"$WORK/stdout")" -eq 3 ] && [ "$(wc -l <"$WORK/stderr")" -eq 3 ] &&
        [ "$(grep -c "^mlp: note: .*/0000[0-2]\.pgm: .*$2" "$WORK/stderr")" -eq 3 ]
}
claim "answered with one line of doubt: two digits" doubts "two digits" "more than one digit"
claim "answered with one line of doubt: the edge of a table alone" doubts "table edge, no digit" "edge to edge"
claim "answered with one line of doubt: squared paper alone" doubts "squared paper, no digit" ""

blank() { # CONDITION
    rm -rf "$WORK/scene" && mkdir "$WORK/scene" && "$draw" scene "$WORK/scene" 1 "$1" &&
        refuses 1 "$2" "$MLP" predict "$WORK/m.bin" "$WORK/scene/00000.pgm"
}
claim "refused: blank paper, with a hint at transparency" blank "blank" "transparent"
for condition in "blank, by 50 %" "blank, vignette of 50 %" "blank, noise of 10" "blank, noise of 10, 2000 x 1500" \
    "blank, by 50 %, noise of 10"; do
    claim "refused: $condition" blank "$condition" ": "
done
finish
