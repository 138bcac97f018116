#!/bin/sh
# mlp info of a data set: its figures against the files and against training, its notes against those
# of train and eval, its exit status against that of train. (mlp info of a model: cli_eval.sh.)
. tests/lib.sh

bin=$MLP
small_data "$WORK/small" 600
cd "$WORK" || exit 1
images=train-images-idx3-ubyte labels=train-labels-idx1-ubyte

# variant NAME: a copy of the small data set.
variant() { rm -rf "./$1" && cp -R small "$1"; }
# put FILE OFFSET: replaces bytes by those on standard input.
put() { dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }
# copy FILE FROM TO [FILE]: an image becomes that with another index, of the same file or another.
copy_image() { tail -c +$((17 + 784 * $2)) "$1" | head -c 784 >image && put "${4:-$1}" $((16 + 784 * $3)) <image; }
# label FILE INDEX OCTAL
label() {
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\$3" | put "$1" $((8 + $2))
}
value() { # LABEL COLUMN, of the table in stdout
    awk -v label="$1" -v column="$2" 'substr($0, 1, length(label)) == label { sub(label, ""); gsub(/ %/, ""); print $column; exit }' stdout
}
train() { # DATA OPTION...
    data=$1
    shift
    "$bin" train -q --epochs 1 --hidden 2 -d "$data" -o m.bin --csv m.csv "$@"
}

# ---------------------------------------------------------------------------------------------
# Figures

# How many of the bytes of a range of the label file are k.
count() { tail -c +$((9 + $2)) "$1" | head -c "$3" | od -A n -v -t u1 | tr -s ' ' '\n' | grep -cx "$4"; }
classes_are_counted() {
    exits 0 "$bin" info small && cat stdout && [ ! -s stderr ] && [ "$(value images 1)" -eq 500 ] &&
        [ "$(value images 2)" -eq 100 ] && [ "$(value images 3)" -eq 600 ] || return 1
    for k in 0 1 2 3 4 5 6 7 8 9; do
        found="$(value "$k  " 1) $(value "$k  " 2) $(value "$k  " 3)"
        expected="$(count "small/$labels" 0 500 "$k") $(count "small/$labels" 500 100 "$k") $(count small/t10k-labels-idx1-ubyte 0 600 "$k")"
        [ "$found" = "$expected" ] || { echo "class $k: $found, expected $expected"; return 1; }
    done
}
claim "classes are counted in each split, as training splits" classes_are_counted
lists_files() {
    exits 0 "$bin" info small && for file in small/*; do
        grep -q "^ *$(wc -c <"$file") bytes  $file$" stdout || { echo "$file"; return 1; }
    done
}
claim "the files are listed with their sizes" lists_files
pixels_are_measured() { # by awk, from the bytes
    exits 0 "$bin" info small && tail -c +$((17 + 500 * 784)) "small/$images" | od -A n -v -t u1 |
        awk '{ for (i = 1; i <= NF; i++) { n++; s += $i; q += $i * $i; z += $i > 0 } }
            END { m = s / n; printf "%.2f %.4f %.4f\n", 100 * z / n, m / 255, sqrt(q / n - m * m) / 255 }' >expected &&
        echo "$(value 'nonzero pixels' 2) $(value mean 2) $(value std 2)" | diff expected -
}
claim "share of nonzero pixels, mean and deviation are those of the bytes" pixels_are_measured
is_input_scale() {
    train small && std=$("$bin" info m.bin | awk '$1 == "pixel_std" { print $2 }') && [ -n "$std" ] &&
        exits 0 "$bin" info small --json && grep -m 1 '"std"' stdout && grep -m 1 '"std"' stdout | grep -qF "\"std\": $std,"
}
claim "the deviation of the train split is the input scale of a model, digit by digit" is_input_scale
if command -v python3 >/dev/null; then
    json_agrees() {
        exits 0 "$bin" info small --json && cp stdout info.json && exits 0 "$bin" info small && python3 - <<'EOF'
import json
info, text = json.load(open("info.json")), open("stdout").read().splitlines()
row = lambda name: next(line for line in text if line.startswith(name))[len(name):].replace("%", "").split()
splits = info["splits"]
assert [s["split"] for s in splits] == ["train", "validation", "test"]
assert [str(s["n"]) for s in splits] == row("images")
assert ["%.2f" % (100 * s["nonzero"]) for s in splits] == row("nonzero pixels")
assert ["%.4f" % s["mean"] for s in splits] == row("mean"), row("mean")
assert [str(s["largest"]) for s in splits] == row("largest value") == ["255"] * 3
assert [[str(c[s["split"]]) for s in splits] for c in info["classes"]] == [row("%d  " % k) for k in range(10)]
assert [len(info["files"]), info["notes"], "refused" in info, info["transposed"]] == [4, [], False, False]
EOF
    }
    claim "--json has the same figures" json_agrees
else
    skip "python3 is not installed: the JSON of info was not checked"
fi

# ---------------------------------------------------------------------------------------------
# What train and eval say

# agrees DATA STATUS: train and info end with this status, and info has the notes and the reason of train.
agrees() {
    train "$1" 2>said
    status=$?
    exits "$status" "$bin" info "$1" && [ "$status" -eq "$2" ] || return 1
    sed 's/^mlp: /mlp: mlp train would refuse the data: /; s/: mlp train would refuse the data: note: /: note: /' said >expected
    cat expected stderr
    while read -r line; do
        grep -qxF -e "$line" stderr || { echo "info does not say: $line"; return 1; }
    done <expected
}
claim "data as they should be: train and info say nothing, both end with 0" agrees small 0
variant sorted
{ printf '\0\0\010\001' && u32 600 && for k in 0 1 2 3 4 5; do head -c 100 /dev/zero | tr '\0' "\\$k"; done; } >sorted/$labels
claim "a file sorted by class: the same note" agrees sorted 0
variant stray && label stray/$labels 9 255
claim "a stray label: the same note" agrees stray 0
for n in 1 5; do
    mkdir few && { printf '\0\0\010\003' && u32 $n && u32 28 && u32 28 && tail -c +17 small/$images | head -c $((n * 784)); } >few/$images
    { printf '\0\0\010\001' && u32 $n && tail -c +9 small/$labels | head -c $n; } >few/$labels
    claim "$n images: the same refusal" agrees few 1
    rm -r few
done
variant zeros && { head -c 16 small/$images && head -c $((600 * 784)) /dev/zero; } >zeros/$images
claim "nothing but zeros: the same refusal" agrees zeros 1
mkdir wide && { printf '\0\0\010\003' && u32 6 && u32 1 && u32 5000 && head -c 30000 "$FAST_MLP"; } >wide/$images
{ printf '\0\0\010\001' && u32 6 && printf '\0\1\2\3\4\5'; } >wide/$labels
claim "images that are too wide: the same refusal" agrees wide 1
variant damaged && printf x >>damaged/$images
claim "a damaged training file: the same refusal, and the test file is described" agrees damaged 1
claim "so it is" test "$(value images 1)" -eq 600
variant onlytest && rm onlytest/train-*
claim "no training files: the same refusal, and the test file is described" agrees onlytest 1
claim "so it is, too" test "$(value images 1)" -eq 600
rm -r onlytest && mkdir nothing
one_line() { # without anything to describe: the reason alone
    refuses 1 "nothing: no file train-images-idx3-ubyte there" "$bin" info nothing && refuses 1 "no file" "$bin" info nothing --json
}
claim "a directory without data is refused in one line" one_line

notes() { # DATA NOTE...: exactly these, in this order, and status 0
    data=$1
    shift
    exits 0 "$bin" info "$data" && cat stderr && [ "$(wc -l <stderr)" -eq $# ] || return 1
    for note; do
        grep -qF -e "mlp: note: $note" stderr || { echo "no note: $note"; return 1; }
    done
    exits 0 "$bin" info "$data" --json && [ ! -s stderr ] && for note; do grep -qF "\"$note" stdout || return 1; done
}
refused_test() { # DATA WORDS: the note has the words that eval says
    notes "$1" "mlp eval would refuse the test images: " && grep -qF "$2" stdout && train small &&
        refuses 1 "$2" "$bin" eval m.bin -d "$1"
}
variant onlytrain && rm onlytrain/t10k-*
claim "no test files: noted as eval refuses them" refused_test onlytrain "no file t10k-images-idx3-ubyte there"
variant cut && head -c 5000 small/t10k-images-idx3-ubyte >cut/t10k-images-idx3-ubyte
claim "a damaged test file is" refused_test cut "bytes with the header; the file has 5000"
variant size && { printf '\0\0\010\003' && u32 600 && u32 14 && u32 56 && tail -c +17 small/t10k-images-idx3-ubyte; } >size/t10k-images-idx3-ubyte
claim "test images of another size are" refused_test size "is for images of 28 x 28 pixels, but size has images of 14 x 56"
variant beyond && label beyond/t10k-labels-idx1-ubyte 3 014
claim "a test label beyond the classes is" refused_test beyond "its image 3 has the label 12"

# ---------------------------------------------------------------------------------------------
# What info alone notes

variant copies
for to in 7 9 550; do copy_image copies/$images 3 $to; done
label copies/$labels 7 001 && label copies/$labels 9 002 && label copies/$labels 550 001 # image 3 is a 1
copy_image copies/$images 3 20 copies/t10k-images-idx3-ubyte && copy_image copies/t10k-images-idx3-ubyte 20 21
copy_image copies/t10k-images-idx3-ubyte 30 31
for i in 20 21; do label copies/t10k-labels-idx1-ubyte $i 001; done
for i in 30 31; do label copies/t10k-labels-idx1-ubyte $i 005; done
copies_are_found() {
    notes copies "copies: test images that are in the training file, too: 2 of 600;" \
        "copies: images that equal an earlier one and have another label: 1; the first: training image 9, label 2, is training image 3, label 1" &&
        exits 0 "$bin" info copies && cat stdout && grep -qx 'copies of earlier images: 3 in the training file, 2 in the test file' stdout &&
        grep -qx 'test images that are in the training file: 2' stdout
}
claim "copies within and between the files are counted, and other labels noted" copies_are_found
if command -v python3 >/dev/null; then
    copies_are_listed() {
        exits 0 "$bin" info copies --json && python3 - <<'EOF'
import json
copies = json.load(open("stdout"))["copies"]
assert [copies[k] for k in ("train", "test", "test_in_train", "other_label")] == [3, 2, 2, 1], copies
place = lambda i: (i["file"], i["index"], i["label"])
first = ("train", 3, 1)
assert [(place(c["image"]), place(c["equals"])) for c in copies["images"]] == [
    (("train", 7, 1), first), (("train", 9, 2), first), (("train", 550, 1), first),
    (("test", 20, 1), first), (("test", 21, 1), first), (("test", 31, 5), ("test", 30, 5))], copies
EOF
    }
    claim "--json lists each copy with the image that it equals" copies_are_listed
fi
variant blank && head -c 784 /dev/zero | put blank/$images $((16 + 784 * 502)) && head -c 784 /dev/zero | put blank/t10k-images-idx3-ubyte 16
claim "blank images are noted" notes blank "blank: blank images (all pixels equal) in the validation split: 1; the first is image 502 of its file" \
    "blank: blank images (all pixels equal) in the test split: 1; the first is image 0" "blank: test images that are in the training file, too: 1 of 600" "blank: images that equal an earlier one and have another label: 1;"
variant light && for part in train t10k; do
    { head -c 16 small/$part-images-idx3-ubyte && tail -c +17 small/$part-images-idx3-ubyte | tr '\000' '\377'; } >light/$part-images-idx3-ubyte
done
claim "a light background is" notes light "light: 100 % of the pixels in the train split are not zero"
variant rare && tail -c +9 small/$labels | tr '\007' '\001' | put rare/$labels 8
label rare/$labels 0 007
claim "so are classes of few images" notes rare "rare: fewer than 10 training images of class 7"
variant missing && tail -c +9 small/$labels | tr '\007' '\006' | put missing/$labels 8
claim "so is a class without images" notes missing "missing: no image in the training file is of class 7"
variant letters && tail -c +9 small/$labels | tr '\000\010\011' '\001\002\003' | put letters/$labels 8
claim "but not where the labels begin at 1 or are fewer than 10" notes letters
mkdir sets && for file in small/*; do cp "$file" "sets/emnist-digits-${file#small/}"; done
emnist() {
    notes sets/emnist-digits "sets/emnist-digits: EMNIST stores the images column by column; use --transpose" &&
        exits 0 "$bin" info sets/emnist-digits --transpose && [ ! -s stderr ] && exits 0 "$bin" info sets && exits 0 "$bin" info sets/
}
claim "DIR/SET is a data set, and EMNIST without --transpose is noted" emnist
transposed() { # rows and columns are exchanged
    exits 0 "$bin" info wide2 --transpose && grep -q 'images of 56 x 14 pixels' stdout &&
        exits 0 "$bin" info wide2 --transpose --json && grep -q '"rows": 56' stdout && grep -q '"transposed": true' stdout
}
variant wide2 && for part in train t10k; do
    { printf '\0\0\010\003' && u32 600 && u32 14 && u32 56 && tail -c +17 small/$part-images-idx3-ubyte; } >wide2/$part-images-idx3-ubyte
done
claim "--transpose exchanges rows and columns" transposed

# ---------------------------------------------------------------------------------------------
# Class names, the terminal, wrong words

printf 'zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nna\303\257ve neuf\n' >names
named() {
    exits 0 "$bin" info small --classes names && cat stdout && [ "$(value 'three  ' 1)" -eq "$(count "small/$labels" 0 500 3)" ] &&
        grep -q "^na.*ve neuf      *$(count "small/$labels" 0 500 9) " stdout &&
        exits 0 "$bin" info small --classes names --json && grep -q '"name": "three"' stdout
}
claim "--classes names the classes" named
names_beside() { # as train takes them
    variant beside && cp names beside/classes.txt && exits 0 "$bin" info small --classes names && sed 's|small\([/:"]\)|beside\1|' stdout >expected &&
        exits 0 "$bin" info beside && cat stdout && diff expected stdout && exits 0 "$bin" info small --classes names --json &&
        sed 's|small\([/:"]\)|beside\1|' stdout >expected && exits 0 "$bin" info beside --json && diff expected stdout
}
claim "so does classes.txt beside the data" names_beside
variant misfit && echo one >misfit/classes.txt
claim "one that does not fit: the same refusal" agrees misfit 1
claim "names that do not fit are refused as train refuses them" \
    refuses 1 "--classes A-Z: 26 names, but the labels go from 0 to 9" "$bin" info small --classes A-Z
if command -v script >/dev/null; then
    on_terminal() { # VARIABLE DATA
        env TERM=xterm-256color "$1" script -qec "'$bin' info $2 --classes names" /dev/null </dev/null >drawn
    }
    draws() {
        on_terminal A= small && [ "$(grep -c '48;5;' drawn)" -ge 70 ] && grep -q '^1: zero ' drawn && grep -q '^4: nine\|^4: na' drawn &&
            grep -q 'nonzero pixels' drawn
    }
    claim "on a terminal it draws examples of each class" draws
    draws_test() { # mlp train would refuse it
        variant testing && rm testing/train-* && ! on_terminal A= testing && grep -q '48;5;' drawn
    }
    claim "of the test files where there are no others" draws_test
    no_colour() { on_terminal NO_COLOR=1 small && ! grep -q '48;5;' drawn && grep -q 'nonzero pixels' drawn; }
    claim "not with NO_COLOR" no_colour
else
    skip "script is not installed: nothing was drawn on a terminal"
fi
train small
claim "--transpose is refused of a model" refuses 2 "--transpose is for a data set, and m.bin is not" "$bin" info m.bin --transpose
claim "so is --classes" refuses 2 "--classes is for a data set" "$bin" info m.bin --classes names
claim "-d says how the directory is named" refuses 2 "the DIR is written without a flag" "$bin" info -d small
claim "neither a model nor data: it is not there" refuses 1 "absent: No such file" "$bin" info absent
claim "so with a directory in front" refuses 1 "small/absent: No such file" "$bin" info small/absent

finish
