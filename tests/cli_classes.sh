#!/bin/sh
# Data sets beside MNIST as they come, EMNIST and QMNIST: what their files are called, labels of
# integers, images stored column by column; names for classes, and reports on many of them.
. tests/lib.sh

bin=$MLP
small_data "$WORK/small" 130
mkdir "$WORK/out"

train() { # DATA OPTION...
    data=$1
    shift
    "$bin" train -q --epochs 2 --hidden 6 --lr 2e-3 -d "$data" -o "$WORK/out/m.bin" --csv "$WORK/out/m.csv" "$@"
}
weights() { # CLASSES: the tensors of the model, in hexadecimal
    tail -c $((4 * (784 * 6 + 6 + 6 * $1 + $1))) "$WORK/out/m.bin" | od -An -v -tx1
}
no_trace() { # of the options below in a model that was made without them
    exits 0 train "$WORK/small" && ! grep -aq 'class_names\|transposed' "$WORK/out/m.bin" &&
        weights 10 >"$WORK/small.weights" && cp "$WORK/out/m.bin" "$WORK/plain.bin"
}
claim "a model without class names and transposition has no word of them" no_trace
trains_the_same() { # DATA OPTION...: weights as from the small data set
    exits 0 train "$@" && weights 10 | cmp - "$WORK/small.weights"
}

# ---------------------------------------------------------------------------------------------
# Names of files

rename() { # DATA SET TEST: the small data set as EMNIST and QMNIST call their files
    mkdir -p "$1" && for kind in images-idx3-ubyte labels-idx1-ubyte; do
        cp "$WORK/small/train-$kind" "$1/$2train-$kind" && cp "$WORK/small/t10k-$kind" "$1/$2$3-$kind" || return 1
    done
}
rename "$WORK/one" emnist-digits- test
gzip "$WORK/one/emnist-digits-train-images-idx3-ubyte"
claim "files that begin with the data set's name are found" trains_the_same "$WORK/one"
claim "so is test in the place of t10k" exits 0 "$bin" eval "$WORK/out/m.bin" -d "$WORK/one"
rename "$WORK/several" emnist-digits- test
rename "$WORK/several" emnist-letters- test
several_are_listed() {
    refuses 1 "several data sets" train "$WORK/several" &&
        grep -q -e "as in $WORK/several/emnist-digits: emnist-digits and emnist-letters\$" "$WORK/stderr"
}
claim "of several data sets none is guessed: they are listed" several_are_listed
claim "one of them is chosen by name" trains_the_same "$WORK/several/emnist-digits"
claim "and evaluated" exits 0 "$bin" eval "$WORK/out/m.bin" -d "$WORK/several/emnist-letters"
claim "also from their own directory" \
    eval "cd '$WORK/several' && exits 0 '$bin' eval '$WORK/out/m.bin' -d emnist-letters"
cd - >/dev/null || exit 1
claim "a wrong name is said, with those there are" refuses 1 \
    "emnist-leters: no directory or data set of that name; data sets there: emnist-digits and emnist-letters" \
    train "$WORK/several/emnist-leters"
long_directory() { # the end of the path, which tells it from others, is in the message
    deep=$WORK$(printf '/a-long-name-of-a-directory%.0s' $(seq 30))
    mkdir -p "$deep/the-end" && cp "$WORK/several"/* "$deep/the-end" &&
        refuses 1 "a-directory/the-end: contains several data sets" train "$deep/the-end" &&
        refuses 1 "a-directory/the-end/x: no directory or data set of that name" train "$deep/the-end/x" &&
        refuses 1 "a-directory/the-end/none.txt: No such file" train "$WORK/small" --classes "$deep/the-end/none.txt" &&
        rm "$deep/the-end"/* && refuses 1 "a-directory/the-end: no file train-images" train "$deep/the-end"
}
claim "a long path keeps its end in these messages" long_directory
rename "$WORK/mixed" emnist- test
rename "$WORK/mixed" emnist_ test
rename "$WORK/mixed" emnist. test
claim "one set under several spellings is one set" trains_the_same "$WORK/mixed"
claim "also when it is chosen by name" trains_the_same "$WORK/mixed/emnist"
seven_sets() { # six of them are listed
    for set in a b c d e f g; do rename "$WORK/seven" "$set-" test || return 1; done
    refuses 1 "as in $WORK/seven/a: a, b, c, d, e, f and 1 more" train "$WORK/seven"
}
claim "of more than six sets six are listed" seven_sets
claim "no output replaces a file of a data set that is chosen" refuses 1 "--csv would replace a file of the data" \
    train "$WORK/several/emnist-digits" --csv "$WORK/several/emnist-digits-test-labels-idx1-ubyte"
rename "$WORK/several" '' t10k
claim "files without a name before them are preferred" trains_the_same "$WORK/several"
misses_one() {
    rename "$WORK/missing" qmnist- test && rm "$WORK/missing/qmnist-train-labels-idx1-ubyte" &&
        refuses 1 "no file qmnist-train-labels-idx1-ubyte there" train "$WORK/missing" &&
        grep -q 'found: qmnist-test-images-idx3-ubyte, ' "$WORK/stderr"
}
claim "a file of the set that is missing is named" misses_one

# ---------------------------------------------------------------------------------------------
# QMNIST: labels of eight integers, the first of which is the class

int_labels() { # PART: those of the small data set
    printf '\0\0\014\002' && u32 130 && u32 8
    for label in $(od -An -v -tu1 -j 8 "$WORK/small/$1-labels-idx1-ubyte"); do
        # shellcheck disable=SC2059 # the format is the bytes
        printf "\\0\\0\\0\\$(printf %03o "$label")\\0\\0\\0\\001\\0\\0\\017\\0\\377\\377\\377\\377\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0"
    done
}
mkdir "$WORK/qmnist"
cp "$WORK/small/train-images-idx3-ubyte" "$WORK/qmnist/qmnist-train-images-idx3-ubyte"
cp "$WORK/small/t10k-images-idx3-ubyte" "$WORK/qmnist/qmnist-test-images-idx3-ubyte"
int_labels train >"$WORK/qmnist/qmnist-train-labels-idx2-int"
int_labels t10k >"$WORK/qmnist/qmnist-test-labels-idx2-int"
gzip "$WORK/qmnist"/*train*
claim "QMNIST's labels are read: the first of eight integers" trains_the_same "$WORK/qmnist"
evaluates_the_same() {
    exits 0 "$bin" eval "$WORK/plain.bin" -d "$WORK/small" --json && sed '/"data"/d' "$WORK/stdout" >"$WORK/expected" &&
        exits 0 "$bin" eval "$WORK/plain.bin" -d "$WORK/qmnist" --json && sed '/"data"/d' "$WORK/stdout" | cmp - "$WORK/expected"
}
claim "and evaluated" evaluates_the_same
bad_int_labels() { # WORDS: what is on stdin in the place of the test labels is refused
    cat >"$WORK/qmnist/qmnist-test-labels-idx2-int"
    refuses 1 "$1" "$bin" eval "$WORK/plain.bin" -d "$WORK/qmnist"
}
{ int_labels t10k | head -c 12 && printf '\0\0\001\0' && int_labels t10k | tail -c +17; } >"$WORK/q"
claim "an integer that is not a class is refused" bad_int_labels "label 0 is 00000100 (hexadecimal); classes are 0 to 255" <"$WORK/q"
int_labels t10k | head -c 4171 >"$WORK/q"
claim "labels of integers that are cut are refused" bad_int_labels "130 x 8 labels, 4172 bytes with the header; the file has 4171" <"$WORK/q"
{ printf '\0\0\014\001' && int_labels t10k | tail -c +5; } >"$WORK/q"
claim "integers of another shape are refused" bad_int_labels "begins with 00 00 0c 01, not with 00 00 08 01 or, for QMNIST, 00 00 0c 02" <"$WORK/q"

# ---------------------------------------------------------------------------------------------
# EMNIST: images column by column, letters from 1 to 26

transposed() { # FILE: an image file with rows and columns exchanged
    head -c 16 "$1"
    # shellcheck disable=SC2059 # the format is the bytes
    printf "$(od -An -v -tu1 -w784 -j 16 "$1" | awk '{ for (c = 1; c <= 28; c++) for (r = 0; r < 28; r++) printf "\\%03o", $(28 * r + c) }')"
}
letters() { # of the 130 images five each of the 26
    printf '\0\0\010\001' && u32 130
    i=0
    while [ $i -lt 130 ]; do
        # shellcheck disable=SC2059 # the format is the byte
        printf "\\$(printf %03o $((i % 26 + 1)))"
        i=$((i + 1))
    done
}
mkdir "$WORK/columns" "$WORK/letters"
for part in train t10k; do
    transposed "$WORK/small/$part-images-idx3-ubyte" >"$WORK/columns/$part-images-idx3-ubyte"
    cp "$WORK/small/$part-labels-idx1-ubyte" "$WORK/columns"
    name=$part && [ "$part" = train ] || name="test"
    cp "$WORK/columns/$part-images-idx3-ubyte" "$WORK/letters/emnist-letters-$name-images-idx3-ubyte"
    letters >"$WORK/letters/emnist-letters-$name-labels-idx1-ubyte"
done
claim "--transpose reads images that are stored column by column" trains_the_same "$WORK/columns" --transpose
accuracy() { # of the last evaluation
    sed -n 's/^ *"accuracy": \(.*\),$/\1/p' "$WORK/stdout"
}
remembers() {
    exits 0 "$bin" eval "$WORK/plain.bin" -d "$WORK/small" --json && wanted=$(accuracy) && [ -n "$wanted" ] &&
        exits 0 train "$WORK/columns" --transpose && "$bin" info "$WORK/out/m.bin" | grep -q '^transposed  *true$' &&
        exits 0 "$bin" eval "$WORK/out/m.bin" -d "$WORK/columns" --json && [ "$(accuracy)" = "$wanted" ] &&
        exits 0 "$bin" eval "$WORK/out/m.bin" -d "$WORK/small" --no-transpose --json && [ "$(accuracy)" = "$wanted" ] &&
        exits 0 "$bin" eval "$WORK/plain.bin" -d "$WORK/columns" --transpose --json && [ "$(accuracy)" = "$wanted" ]
}
claim "the model remembers it, --no-transpose and --transpose say otherwise" remembers
others_transpose() {
    exits 0 "$bin" features "$WORK/out/m.bin" -d "$WORK/columns" --csv "$WORK/a.csv" &&
        exits 0 "$bin" features "$WORK/plain.bin" -d "$WORK/small" --csv "$WORK/b.csv" && cmp "$WORK/a.csv" "$WORK/b.csv" &&
        exits 0 "$bin" features "$WORK/plain.bin" -d "$WORK/columns" --transpose --csv "$WORK/c.csv" && cmp "$WORK/b.csv" "$WORK/c.csv" &&
        exits 0 "$bin" gradcheck -d "$WORK/columns" --transpose --hidden 2 && sed 1d "$WORK/stdout" >"$WORK/a" &&
        exits 0 "$bin" gradcheck -d "$WORK/small" --hidden 2 && sed 1d "$WORK/stdout" | cmp - "$WORK/a" &&
        exits 0 "$bin" predict "$WORK/out/m.bin" "$WORK/columns/t10k-images-idx3-ubyte" && cut -f 2- "$WORK/stdout" >"$WORK/a" &&
        exits 0 "$bin" predict "$WORK/plain.bin" "$WORK/small/t10k-images-idx3-ubyte" && cut -f 2- "$WORK/stdout" | cmp - "$WORK/a"
}
claim "features, gradcheck and predict see the same images" others_transpose
others_override() { # what the model remembers
    exits 0 "$bin" predict "$WORK/out/m.bin" --no-transpose "$WORK/small/t10k-images-idx3-ubyte" && cut -f 2- "$WORK/stdout" | cmp - "$WORK/a" &&
        exits 0 "$bin" predict "$WORK/plain.bin" --transpose "$WORK/columns/t10k-images-idx3-ubyte" && cut -f 2- "$WORK/stdout" | cmp - "$WORK/a" &&
        exits 0 "$bin" gradcheck "$WORK/out/m.bin" -d "$WORK/small" --no-transpose && sed 1d "$WORK/stdout" >"$WORK/a" &&
        exits 0 "$bin" gradcheck "$WORK/plain.bin" -d "$WORK/small" && sed 1d "$WORK/stdout" | cmp - "$WORK/a"
}
claim "predict and gradcheck, too, can say otherwise than the model" others_override
contradiction() {
    for command in eval features gradcheck; do
        refuses 2 "--transpose and --no-transpose cannot be combined" "$bin" "$command" "$WORK/plain.bin" \
            --no-transpose --transpose || return 1
    done
    refuses 2 "cannot be combined" "$bin" predict "$WORK/plain.bin" --no-transpose --transpose \
        "$WORK/small/t10k-images-idx3-ubyte"
}
claim "refused: --transpose with --no-transpose" contradiction
sweep_transposes() { # and does not take rows of the data as they are for its own
    rm -f "$WORK/s.csv"
    exits 0 "$bin" sweep -q -d "$WORK/columns" --epochs 1 --hidden 2 --csv "$WORK/s.csv" &&
        exits 0 "$bin" sweep -q -d "$WORK/columns" --epochs 1 --hidden 2 --csv "$WORK/s.csv" --transpose &&
        [ "$(wc -l <"$WORK/s.csv")" -eq 3 ] &&
        exits 0 "$bin" sweep -q -d "$WORK/small" --epochs 1 --hidden 2 --csv "$WORK/t.csv" &&
        [ "$(sed -n 3p "$WORK/s.csv" | cut -d, -f2-16)" = "$(sed -n 2p "$WORK/t.csv" | cut -d, -f2-16)" ]
}
claim "sweep trains on them, beside the others" sweep_transposes

# ---------------------------------------------------------------------------------------------
# Names for classes

named_letters() {
    exits 0 train "$WORK/letters" --transpose --classes A-Z --epochs 30 && cp "$WORK/out/m.bin" "$WORK/letters.bin" &&
        "$bin" info "$WORK/letters.bin" | grep -q '^class_names  *0, A, B, .*, Z$' &&
        exits 0 "$bin" eval "$WORK/letters.bin" -d "$WORK/letters" --confusion "$WORK/c.csv" && cat "$WORK/stdout" &&
        grep -q '^    A  *5  ' "$WORK/stdout" && grep -q '^    Z  *5  ' "$WORK/stdout" &&
        [ "$(head -n 1 "$WORK/c.csv")" = label,0,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z ] &&
        [ "$(wc -l <"$WORK/c.csv")" -eq 28 ] && [ "$(sed -n 28p "$WORK/c.csv" | cut -c 1-2)" = Z, ]
}
claim "EMNIST's letters, from 1 to 26, are A to Z: in eval, its table and info" named_letters
pairs_agree() { # the most confused ones of the report with the whole matrix
    grep -q '^confusion matrix' "$WORK/stdout" && { echo "the matrix is there"; return 1; }
    sed -n '/^ images  label  predicted$/,$p' "$WORK/stdout" | sed 1d >"$WORK/pairs"
    awk -F, 'NR == 1 { for (i = 2; i <= NF; i++) name[i] = $i; next }
        { for (i = 2; i <= NF; i++) if (i != NR && $i > 0) print $i, $1, name[i], NR, i }' "$WORK/c.csv" |
        sort -k1,1nr -k4,4n -k5,5n | head -n 20 | cut -d ' ' -f 1-3 >"$WORK/expected"
    cat "$WORK/expected"
    [ -s "$WORK/expected" ] && tr -s ' ' <"$WORK/pairs" | sed 's/^ //' | cmp - "$WORK/expected"
}
claim "of more than 16 classes eval shows the 20 most confused pairs, by number" pairs_agree
others_name() {
    exits 0 "$bin" predict "$WORK/letters.bin" "$WORK/letters/emnist-letters-train-images-idx3-ubyte" --top 2 &&
        head -n 1 "$WORK/stdout" && head -n 1 "$WORK/stdout" | cut -f 2 | grep -qx '[A-Z]' &&
        exits 0 "$bin" features "$WORK/letters.bin" -d "$WORK/letters" --image 2 && grep -q '^label C, predicted [0A-Z] ' "$WORK/stdout" &&
        exits 0 "$bin" weights "$WORK/letters.bin" && cat "$WORK/stdout" && sed -n 2p "$WORK/stdout" | grep -q '^ *[0-9]*  *[0A-Z]  '
}
claim "predict, features and weights name them" others_name
twelve_keep_the_matrix() {
    exits 0 "$bin" eval "$WORK/plain.bin" -d "$WORK/small" && grep -q '^confusion matrix' "$WORK/stdout" &&
        ! grep -q '^most confused' "$WORK/stdout"
}
claim "ten classes have the matrix" twelve_keep_the_matrix

# A file as Windows writes it; names that CSV and JSON must quote.
printf '\357\273\277T-shirt/top\r\nTrouser, long\r\n"Pullover"\r\nBack\\slash\r\n\303\234mlaut\r\n5\r\nsix\r\nseven\r\neight\r\nAnkle boot\r\n\r\n' \
    >"$WORK/names.txt"
names_of_a_file() {
    exits 0 train "$WORK/small" --classes "$WORK/names.txt" && weights 10 | cmp - "$WORK/small.weights" &&
        exits 0 "$bin" eval "$WORK/out/m.bin" -d "$WORK/small" --confusion "$WORK/c.csv" && cat "$WORK/stdout" &&
        grep -q "^Trouser, long  *[0-9][0-9]* " "$WORK/stdout" &&
        [ "$(head -n 1 "$WORK/c.csv")" = "label,T-shirt/top,\"Trouser, long\",\"\"\"Pullover\"\"\",Back\\slash,$(printf '\303\234')mlaut,5,six,seven,eight,Ankle boot" ]
}
claim "names come from a file; the table quotes them" names_of_a_file
aligned() { # characters, not bytes
    exits 0 "$bin" eval "$WORK/out/m.bin" -d "$WORK/small" && sed -n '/^ *class/,/^$/p' "$WORK/stdout" | sed '$d' |
        sed "s/$(printf '\303\234')/U/" | awk 'NR == 1 { width = length($0) } length($0) != width { bad = 1; print }
            END { exit bad || NR != 11 }' &&
        sed '1,/^confusion/d' "$WORK/stdout" | sed "s/$(printf '\303\234')/U/" |
        awk 'NR == 1 { width = length($0) } length($0) != width { bad = 1; print } END { exit bad || NR != 11 }'
}
claim "reports with names are aligned" aligned
weights_aligned() {
    exits 0 "$bin" weights "$WORK/out/m.bin" && cat "$WORK/stdout" && sed "s/$(printf '\303\234')/U/" "$WORK/stdout" |
        awk 'NR == 1 { width = length($0) } length($0) != width { bad = 1 } END { exit bad || NR != 7 }'
}
claim "so is the table of weights" weights_aligned
if command -v python3 >/dev/null; then
    json_names() {
        exits 0 "$bin" eval "$WORK/out/m.bin" -d "$WORK/small" --json && cp "$WORK/stdout" "$WORK/eval.json" &&
            exits 0 "$bin" predict "$WORK/out/m.bin" "$WORK/small/t10k-images-idx3-ubyte" --json && cp "$WORK/stdout" "$WORK/predict.json" &&
            exits 0 "$bin" info "$WORK/out/m.bin" --json &&
            python3 - "$WORK/eval.json" "$WORK/predict.json" "$WORK/stdout" "$WORK/out/m.bin" <<'PYTHON'
import json, sys
names = ["T-shirt/top", "Trouser, long", '"Pullover"', "Back\\slash", "\u00dcmlaut", "5", "six", "seven", "eight", "Ankle boot"]
load = lambda i: json.load(open(sys.argv[i], encoding="utf-8"))
assert [c["name"] for c in load(1)["classes"]] == names
assert all(names[p["digit"]] == p["name"] for p in load(2)["predictions"])
assert load(3)["settings"]["class_names"].split("\n") == names
raw = open(sys.argv[4], "rb").read()
meta = json.loads(raw[8:8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
assert meta["class_names"].split("\n") == names and list(meta) == sorted(meta), meta
PYTHON
    }
    claim "the JSON of eval, predict, info and the model have them" json_names
    claim "an independent reader opens the model" python3 tests/read_safetensors.py "$WORK/out/m.bin"
else
    skip "python3 is not installed: the JSON with class names was not checked"
fi
mixed() {
    exits 0 train "$WORK/letters" --classes 0-9A-Fxyz 2>/dev/null && return 1
    exits 0 train "$WORK/small" --classes 0-4v-z && "$bin" info "$WORK/out/m.bin" | grep -q '^class_names  *0, 1, 2, 3, 4, v, w, x, y, z$'
}
claim "ranges and characters may follow one another" mixed

bad_names() { # WORDS DATA: what is on stdin is refused as a file of names
    cat >"$WORK/bad.txt"
    rm -f "$WORK/out/m.bin"
    refuses 1 "$1" train "$2" --classes "$WORK/bad.txt" && [ ! -e "$WORK/out/m.bin" ]
}
cp -R "$WORK/small" "$WORK/high" # labels from 3 to 9
{ printf '\0\0\010\001' && u32 130 && i=0 && while [ "$i" -lt 130 ]; do
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\$(printf %03o $((i % 7 + 3)))" && i=$((i + 1))
done; } >"$WORK/high/train-labels-idx1-ubyte"
names_refused() {
    printf 'a\nb\n' | bad_names "2 names, but the labels go from 3 to 9" "$WORK/high" &&
        printf 'a\nb\n' | bad_names "2 names, but the labels go from 1 to 26" "$WORK/letters" || return 1
    printf 'a\nb\n' | bad_names "2 names, but the labels go from 0 to 9" "$WORK/small" &&
        printf 'a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\n' | bad_names "11 names, but the labels go from 0 to 9" "$WORK/small" &&
        printf 'a\nb\nc\nb\ne\nf\ng\nh\ni\nj\n' | bad_names "line 4: the class name 'b' is there twice" "$WORK/small" &&
        printf 'a\nb\033[31m\n' | bad_names "line 2: the class name is not UTF-8 text, or has a control character" "$WORK/small" &&
        printf 'a\0b\n' | bad_names "line 1: the class name is not" "$WORK/small" &&
        printf 'a\n\377\n' | bad_names "line 2: the class name is not" "$WORK/small" &&
        printf 'a\n\302\233m\n' | bad_names "line 2: the class name is not" "$WORK/small" &&
        printf '%064d\n' 0 | bad_names "line 1: a class name of more than 63 bytes" "$WORK/small" &&
        printf '\n\r\n' | bad_names "mlp: --classes: $WORK/bad.txt: has no class names" "$WORK/small" &&
        refuses 1 "No such file" train "$WORK/small" --classes "$WORK/none.txt" &&
        refuses 1 "nor characters and ranges such as A-Z" train "$WORK/small" --classes Z-A &&
        refuses 1 "nor characters and ranges" train "$WORK/small" --classes A-z &&
        refuses 1 "26 names, but the labels go from 0 to 9" train "$WORK/small" --classes A-Z &&
        refuses 1 "--classes" train "$WORK/small" --classes "$WORK" && refuses 2 --classes train "$WORK/small" --classes=
}
claim "names that do not fit or are not text are refused" names_refused

# ---------------------------------------------------------------------------------------------
# Resuming

resumed() { # the end is that of an uninterrupted training, names and transposition with it
    exits 0 train "$WORK/letters" --transpose --classes A-Z --epochs 3 && cp "$WORK/out/m.bin" "$WORK/whole.bin" &&
        rm "$WORK/out/m.csv" && exits 0 train "$WORK/letters" --transpose --classes A-Z --epochs 2 &&
        "$bin" train -q -d "$WORK/letters" --resume "$WORK/out/m.bin" --epochs 3 --csv "$WORK/out/m.csv" &&
        cmp "$WORK/out/m.bin" "$WORK/whole.bin"
}
claim "a resumed training keeps names and transposition" resumed
keeps() {
    exits 0 train "$WORK/letters" --transpose --classes A-Z &&
        "$bin" train -q -d "$WORK/letters" --resume "$WORK/out/m.bin" --epochs 3 --csv "$WORK/out/m.csv" --classes A-Z &&
        refuses 1 "has other class names" "$bin" train -q -d "$WORK/letters" --resume "$WORK/out/m.bin" --epochs 4 \
            --csv "$WORK/out/m.csv" --classes a-z &&
        refuses 2 "--transpose: " "$bin" train -q -d "$WORK/small" --resume "$WORK/plain.bin" --epochs 4 \
            -o "$WORK/out/x.bin" --csv "$WORK/out/x.csv" --transpose
}
claim "others are refused" keeps

numbers_are_taken() { # of a class without a name
    printf '\n0\n2\n3\n4\n5\n6\n7\n8\n9\n' | bad_names "line 2: the class name '0' is there twice" "$WORK/small" &&
        printf '1\n\n2\n3\n4\n5\n6\n7\n8\n9\n' | bad_names "line 2: the class name '1' is there twice, as the number of this class" "$WORK/small" &&
        refuses 1 "not a file, as characters" train "$WORK/small" --classes digits
}
claim "two classes cannot be called the same, nor can a file's name be mistaken for characters in silence" numbers_are_taken

names_survive() { # the file of names is not replaced by the table
    printf '%s\n' a b c d e f g h i j >"$WORK/kept" && cp "$WORK/kept" "$WORK/before" &&
        refuses 1 "--classes and --csv are the same file" "$MLP" train -d data/mnist --epochs 1 --train-size 100 \
            --classes "$WORK/kept" -o "$WORK/out/x.bin" --csv "$WORK/kept" && cmp "$WORK/kept" "$WORK/before"
}
claim "no output replaces the file of names" names_survive

finish
