#!/bin/sh
# mlp predict from outside: MNIST images written as pictures are recognised as the images are, every
# format and flag does what it says, and what cannot be answered is reported while the rest is answered.
. tests/lib.sh

bin=$MLP
DATA=$PWD/data/mnist
N=1000 # pictures
mkdir "$WORK/pictures"
claim "pictures are written" "$(dirname "$MLP")/test_digit" write "$WORK/pictures" "$N"
cd "$WORK" || exit 1
tab=$(printf '\t')

claim "a model of five epochs" exits 0 "$FAST_MLP" train -q -d "$DATA" --epochs 5 -o m.bin --csv m.csv
gzip -dc "$DATA/t10k-images-idx3-ubyte.gz" >all.idx
{ printf '\0\0\010\003' && u32 20 && u32 28 && u32 28 && tail -c +17 all.idx | head -c $((20 * 784)); } >some.idx
{ printf 'P5 28 28 255\n' && tail -c +17 all.idx | head -c 784; } >seven.pgm
printf '%s' "$(printf '\033')[31mx${tab}y.pgm" >name
cp seven.pgm "$(cat name)"
awk 'BEGIN { print "P2\n40 40\n255"; for (i = 0; i < 1600; i++) print 200 }' >blank.pgm

predict() {
    "$bin" predict m.bin "$@"
}

# ---------------------------------------------------------------------------------------------
# Recognition

# Inverted, shifted and enlarged 2 to 10 times, see tests/test_digit.c: within 1.5 points.
recognised() {
    exits 0 "$FAST_MLP" predict m.bin pictures/*.pgm && cp stdout as_pictures &&
        exits 0 "$FAST_MLP" predict m.bin "$DATA/t10k-images-idx3-ubyte.gz" && head -n "$N" stdout >as_images &&
        [ "$(wc -l <as_pictures)" -eq "$N" ] || return 1
    for file in as_images as_pictures; do
        cut -f 2 "$file" | paste - pictures/labels | awk -v n="$N" '$1 == $2 { right++ } END { printf "%.1f\n", 100 * right / n }' >"$file.percent"
    done
    echo "images $(cat as_images.percent) %, pictures $(cat as_pictures.percent) %"
    paste as_images.percent as_pictures.percent | awk '{ exit !($1 > 90 && $2 >= $1 - 1.5) }'
}
claim "$N pictures are recognised within 1.5 points of the images they were made from" recognised
cat "$WORK/claim.log"

one_program_for_all() {
    # shellcheck disable=SC2046 # names without blanks
    set -- $(find pictures -name '000[0-4]*.pgm' | sort)
    exits 0 "$FAST_MLP" predict m.bin --top 10 --show "$@" && cp stdout fast && [ -s fast ] &&
        exits 0 env MLP_ISA=scalar "$FAST_MLP" predict m.bin --top 10 --show "$@" && cmp fast stdout &&
        exits 0 "$MLP" predict m.bin --top 10 --show "$@" && cmp fast stdout
}
claim "sanitized, scalar and fast programs print the same" one_program_for_all

as_eval_says() {
    exits 0 "$FAST_MLP" eval m.bin -d "$DATA" --predictions p.csv && exits 0 "$FAST_MLP" predict m.bin all.idx || return 1
    sed 1d p.csv | awk -F, '{ printf "all.idx:%s\t%s\t%s\n", $1, $3, $4 }' | cmp - stdout
}
claim "the images of an IDX file get the answers of mlp eval, to the digit" as_eval_says

# ---------------------------------------------------------------------------------------------
# Formats

first_line() { # FILE: digit and probability
    head -n 1 "$1" | cut -f 2-
}
exits 0 predict some.idx && first_line stdout >seven

one_line() {
    exits 0 predict pictures/00000.pgm && [ ! -s stderr ] && cat stdout &&
        grep -qx "pictures/00000.pgm${tab}7${tab}0\.[0-9]*" stdout && [ "$(wc -l <stdout)" -eq 1 ]
}
claim "a picture gets one line: file, digit, probability" one_line

same_as_image() { # ARGUMENTS...: the answer is that of image 0
    exits 0 predict "$@" && first_line stdout | cmp - seven
}
from_input() { # FILE ARGUMENTS...
    input=$1
    shift
    same_as_image "$@" - <"$input" && grep -q "^-[:$tab]" stdout
}
claim "a prepared image is taken as it is with --raw" same_as_image --raw seven.pgm
claim "and comes back as itself without" same_as_image seven.pgm
claim "a PGM on standard input" from_input seven.pgm
claim "a PGM on standard input, as it is" from_input seven.pgm --raw
claim "IDX images on standard input" from_input some.idx
claim "--raw changes nothing for IDX images" same_as_image --raw some.idx
gzip -c some.idx >some.gz && gzip -c seven.pgm >seven.pgm.gz
claim "compressed IDX images" same_as_image some.gz
claim "a compressed PGM" same_as_image seven.pgm.gz
piped() { gzip -dc seven.pgm.gz | predict - >stdout && first_line stdout | cmp - seven; }
claim "a PGM from a pipe" piped

# The same image as text, as colours and as PPM text, dark on white.
tail -c 784 seven.pgm | od -An -v -t u1 | tr -s ' ' '\n' | grep . >values
{ echo 'P2 28 28 255' && cat values; } >plain.pgm
{ echo 'P3 28 28 255' && awk '{ print 255 - $1, 255 - $1, 255 - $1 }' values; } >plain.ppm
awk 'BEGIN { print "P1 28 28" } { print ($1 < 128) }' values >light.pbm
awk 'BEGIN { print "P1 28 28" } { print ($1 >= 128) }' values >dark.pbm # a one is black
claim "a plain PGM" same_as_image plain.pgm
claim "a plain PPM, dark on white" same_as_image plain.ppm
bitmap() { exits 0 predict light.pbm dark.pbm && [ "$(cut -f 2 stdout | tr -d '\n')" = 77 ] && [ "$(cut -f 3 stdout | uniq | wc -l)" -eq 1 ]; }
claim "bitmaps, dark on light and light on dark" bitmap

# ---------------------------------------------------------------------------------------------
# What is printed

top() {
    exits 0 predict --top 3 seven.pgm && cat stdout && [ "$(awk -F"$tab" '{ print NF }' stdout)" -eq 7 ] &&
        cut -f 2,3 stdout | cmp - seven && exits 0 predict seven.pgm --top=10 &&
        awk -F"$tab" 'NF != 21 { exit 1 }
            { for (i = 2; i <= NF; i += 2) { sum += $(i + 1); if (seen[$i]++ || (i > 2 && $(i + 1) > $(i - 1))) exit 1 } }
            END { exit sum < 0.999999 || sum > 1.000001 }' stdout
}
claim "--top K prints K digits, the most probable first" top
for bad in 0 x -1 257 2.5; do
    claim "refused: --top $bad" refuses 2 --top predict seven.pgm "--top=$bad"
done
claim "refused: more digits than the model knows" refuses 2 "m.bin has only 10" predict seven.pgm --top 11
claim "refused: --top without a value" refuses 2 '--top needs a value' predict seven.pgm --top
for flag in raw show json; do
    claim "refused: --$flag with a value" refuses 2 "--$flag takes no value" predict seven.pgm "--$flag=1"
done

shows() {
    exits 0 predict --show --raw seven.pgm && cat stdout && [ "$(wc -l <stdout)" -eq 15 ] &&
        ! grep -q "$(printf '\033')" stdout || return 1
    cp stdout drawn
    sed 1d stdout | sed "s/$(printf '\342\226\200')/^/g; s/$(printf '\342\226\204')/_/g; s/$(printf '\342\226\210')/#/g" >ascii
    awk 'length($0) != 32 || !/^  \|[ ^_#]*\|$/ { exit 1 }' ascii || { echo "no picture"; return 1; }
    # Line by line against the pixels themselves.
    awk '{ v[NR - 1] = $1 >= 128 }
        END { split(" ,^,_,#", half, ","); for (y = 0; y < 28; y += 2) { line = "  |"
            for (x = 0; x < 28; x++) line = line half[1 + v[28 * y + x] + 2 * v[28 * y + 28 + x]]
            print line "|" } }' values | cmp - ascii && exits 0 predict --show seven.pgm && cmp drawn stdout
}
claim "--show draws what the network sees, two pixels to a character" shows
# The probability as it is printed is not below itself.
rejects() {
    sure=$(cut -f 2 seven) && more=$(awk '{ printf "%.9g", $2 + 1e-6 }' seven) && exits 0 predict seven.pgm --reject "$sure" && first_line stdout | cmp - seven &&
        exits 0 predict seven.pgm --reject "$more" && cat stdout && [ ! -s stderr ] && [ "$(cat stdout)" = "seven.pgm${tab}?${tab}$sure" ] &&
        exits 0 predict --top 2 seven.pgm --reject 1 && [ "$(cut -f 2,3 stdout)" = "?${tab}$sure" ] && [ "$(cut -f 4 stdout)" != "?" ] &&
        exits 0 predict seven.pgm some.idx && cp stdout all && exits 0 predict seven.pgm some.idx --reject 0 && cmp all stdout
}
claim "--reject answers ? where the probability is below it" rejects
for bad in '' 1.1 -0.1 5% x nan inf 1e999; do
    claim "refused: --reject '$bad'" refuses 2 --reject predict seven.pgm "--reject=$bad"
done
claim "refused: --reject without a value" refuses 2 '--reject needs a value' predict seven.pgm --reject
claim "refused: a drawing in JSON" refuses 2 "--show" predict --show --json seven.pgm

names_are_clean() {
    exits 0 predict "./$(cat name)" && cat stdout && grep -q "^\./?\[31mx?y\.pgm${tab}7${tab}" stdout &&
        exits 1 predict "./$(cat name)x" && grep -q '^mlp: \./?\[31mx?y\.pgmx: ' stderr && [ "$(wc -l <stderr)" -eq 1 ]
}
claim "a name that could move the cursor is shown without" names_are_clean
after_dashes() { cp seven.pgm ./-x.pgm && exits 0 predict -- -x.pgm && grep -q '^-x.pgm' stdout; }
claim "a name that looks like a flag stands after --" after_dashes

if command -v python3 >/dev/null; then
    cat >check.py <<'PYTHON'
import json, sys
s = json.load(open("stdout"), parse_constant=lambda c: sys.exit("not JSON: " + c))
assert s["model"] == "m.bin" and list(s) == ["model", "predictions"]
p = s["predictions"]
assert [(x["file"], x["index"]) for x in p] == [("./" + open("name").read(), 0)] + [("some.idx", i) for i in range(20)]
for x in p:
    assert x["digit"] == x["top"][0]["digit"] and x["probability"] == x["top"][0]["probability"]
    assert len(x["top"]) == 4 and all(a["probability"] >= b["probability"] for a, b in zip(x["top"], x["top"][1:]))
assert "%d\t%.9g" % (p[0]["digit"], p[0]["probability"]) == open("seven").read().strip()
PYTHON
    json() {
        exits 1 predict --json --top 4 "./$(cat name)" blank.pgm some.idx && [ "$(wc -l <stderr)" -eq 1 ] &&
            grep -q '^mlp: blank.pgm: ' stderr && python3 check.py &&
            exits 1 predict --json blank.pgm && python3 -m json.tool stdout
    }
    claim "--json is valid, and holds what could be answered" json
    cat >rejected.py <<'PYTHON'
import json
p, all = (json.load(open(name))["predictions"] for name in ("stdout", "all"))
assert len(p) == len(all) == 21 and 0 < sum("rejected" in x for x in p) < 21
for x, y in zip(p, all):
    assert (x.get("rejected"), x["digit"]) == ((True, None) if x["probability"] < 0.9 else (None, y["digit"]))
    assert [x[k] for k in ("file", "index", "probability", "top")] == [y[k] for k in ("file", "index", "probability", "top")]
PYTHON
    json_rejects() {
        exits 0 predict --json --top 2 seven.pgm some.idx && cp stdout all &&
            exits 0 predict --json --top 2 seven.pgm some.idx --reject 0.9 && cat stdout && python3 rejected.py
    }
    claim "in JSON a rejected answer has no digit, but all the rest" json_rejects
else
    skip "python3 is not installed: the JSON of predict was not checked"
fi

# ---------------------------------------------------------------------------------------------
# What cannot be answered

head -c 700 seven.pgm >short.pgm
{ cat seven.pgm && echo; } >long.pgm
sed 's/^P5/P6/' seven.pgm >colour.pgm
head -c 5000 some.idx >short.idx
gzip -dc "$DATA/t10k-labels-idx1-ubyte.gz" >labels.idx
{ printf '\0\0\010\003' && u32 2 && u32 14 && u32 14 && tail -c +17 all.idx | head -c $((2 * 196)); } >small.idx
head -c 500 some.gz >short.gz
printf 'P5 28 28 65535\n' >deep.pgm && head -c 1567 all.idx >>deep.pgm
printf 'P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\nx' >x.pam
printf '\211PNG\r\n\032\n0123' >x.png
printf '\377\330\377\340\0\020JFIF' >x.jpg
printf 'GIF89a\1\0\1\0' >x.gif
printf 'P5 20000 20000 255\n' >huge.pgm
: >empty
claim "refused: a blank image" refuses 1 "blank.pgm: the picture is blank" predict blank.pgm
claim "refused: a cut image" refuses 1 "short.pgm: ends after 700 bytes, with 687 of its 28 x 28 pixels" predict short.pgm
claim "refused: an image with something behind it" refuses 1 "long.pgm: continues after" predict long.pgm
claim "refused: a third of the colours" refuses 1 "colour.pgm: ends after" predict colour.pgm
claim "refused: a cut image of 16 bits" refuses 1 "deep.pgm: ends after 1582 bytes, with 783 of its 28 x 28" predict deep.pgm
claim "refused: more than 100 megapixels" refuses 1 "huge.pgm: the header says more than" predict huge.pgm
claim "refused: PAM" refuses 1 "x.pam: is a PAM image (P7), and --no-convert was given; convert it" predict --no-convert x.pam
claim "refused: PNG" refuses 1 "x.png: is a PNG image, and --no-convert was given; convert it, for example: convert FILE -auto-orient" predict --no-convert x.png
claim "refused: JPEG" refuses 1 "x.jpg: is a JPEG image" predict x.jpg
claim "refused: GIF" refuses 1 "x.gif: is a GIF image" predict x.gif
claim "refused: an empty file" refuses 1 "empty: is empty" predict empty
claim "refused: a file that is not there" refuses 1 "none.pgm" predict none.pgm
claim "refused: a directory" refuses 1 "pictures: is a directory" predict pictures
claim "refused: cut IDX images" refuses 1 "short.idx: the header says 20 x 28 x 28" predict short.idx
claim "refused: labels" refuses 1 "labels.idx: contains labels" predict labels.idx
claim "refused: IDX images of another size" refuses 1 "small.idx: has 14 x 14 pixels" predict small.idx
claim "refused: damaged compression" refuses 1 "short.gz: gzip cannot" predict short.gz
claim "refused: another size as it is" refuses 1 "blank.pgm: has 40 x 40 pixels" predict --raw blank.pgm

refused_input() { # FILE WORD
    refuses 1 "$2" predict - <"$1"
}
claim "refused: an empty standard input" refused_input empty "standard input: is empty"
claim "refused: a cut image on standard input" refused_input short.pgm "standard input: ends after 700 bytes"
claim "refused: cut IDX images on standard input" refused_input short.idx "standard input: the header says"
claim "refused: gzip data on standard input" refused_input some.gz "standard input: is gzip data"
closed_input() { refuses 1 "standard input" predict - <&-; }
claim "refused: a closed standard input" closed_input

others_are_answered() {
    exits 1 predict x.png seven.pgm none.pgm some.idx short.pgm pictures/00001.pgm && cat stdout stderr &&
        [ "$(wc -l <stderr)" -eq 3 ] && [ "$(wc -l <stdout)" -eq 22 ] &&
        [ "$(sed 's/[:	].*//' stdout | uniq | tr '\n' ' ')" = 'seven.pgm some.idx pictures/00001.pgm ' ]
}
claim "the other files are answered, and the exit status is 1" others_are_answered

# A header is believed as far as bytes have come; what cannot fit is refused at once.
little_memory() { # HEADER
    # shellcheck disable=SC3045 # where ulimit knows -v
    (ulimit -v 65536 && printf '%b' "$1" | "$FAST_MLP" predict m.bin -) >stdout 2>stderr
    cat stderr
    grep -q '^mlp: standard input: \(ends after\|the header says\|needs [0-9]* MB of memory, and\)' stderr
}
# shellcheck disable=SC3045
if (ulimit -v 65536) 2>/dev/null; then
    claim "100 megapixels that never come take no memory" little_memory 'P5 10000 10000 255\n12345'
    claim "nor do those of a bitmap" little_memory 'P4 10000 10000\n12345'
    claim "nor do 4 billion IDX images" little_memory '\0\0\010\003\0377\0377\0377\0377\0\0\0\0034\0\0\0\0034123'
else
    skip "ulimit -v is not known here: memory was not limited"
fi

claim "refused: no image" refuses 2 "needs a FILE" predict
claim "refused: no model" refuses 2 "needs a MODEL" "$bin" predict
claim "refused: standard input twice" refuses 2 "only once" predict - seven.pgm -
claim "refused: an unknown flag" refuses 2 "did you mean '--show'" predict --shwo seven.pgm
claim "refused: a model that is none" refuses 1 "values: " "$bin" predict values seven.pgm
claim "refused: a picture as the model" refuses 2 "seven.pgm is a picture" "$bin" predict seven.pgm seven.pgm
help() { exits 0 "$bin" predict --help && grep -q '^Usage: mlp predict \[OPTION\]\.\.\. MODEL\.\.\. FILE\.\.\.$' stdout; }
claim "--help names the words" help
if [ -e /dev/full ]; then
    full() { "$bin" predict m.bin seven.pgm >/dev/full 2>stderr; [ $? -eq 1 ] && grep -q 'standard output' stderr; }
    claim "an answer that cannot be written is a failure" full
else
    skip "/dev/full is not there: lost output was not tried"
fi

# ---------------------------------------------------------------------------------------------
# Models of other sizes

mkdir tiny && for part in train t10k; do
    { printf '\0\0\010\003' && u32 60 && u32 14 && u32 14 && tail -c +17 all.idx | head -c $((60 * 196)); } >tiny/$part-images-idx3-ubyte
    { printf '\0\0\010\001' && u32 60 && tail -c +9 labels.idx | head -c 60; } >tiny/$part-labels-idx1-ubyte
done
other_size() {
    exits 0 "$bin" train -q -d tiny --epochs 1 --hidden 4 -o tiny.bin --csv t.csv &&
        exits 0 "$bin" predict tiny.bin --show pictures/00000.pgm small.idx && cat stdout && [ "$(wc -l <stdout)" -eq 24 ]
}
claim "a model of 14 x 14 pixels sees 14 x 14" other_size

finish
