#!/bin/sh
# Data sets as they come: archives that hold directories, compressed files that are something else,
# fewer or more classes, files sorted by class, stray labels; and a training that learns nothing.
. tests/lib.sh

bin=$MLP
real=$PWD/data/mnist
small_data "$WORK/small" 300
mkdir "$WORK/out"

# Which files were read shows in the checksum of the training file that the model keeps.
train() { # DATA OPTION...
    data=$1
    shift
    "$bin" train -q --epochs 1 --hidden 4 -d "$data" -o "$WORK/out/m.bin" --csv "$WORK/out/m.csv" "$@"
}
data_crc() {
    "$bin" info "$WORK/out/m.bin" | sed -n 's/^data_crc32  *//p'
}
train "$WORK/small" 2>/dev/null
small_crc=$(data_crc)

is_read() { # DATA: it is the small data set, test files too
    rm -f "$WORK/out/m.bin"
    exits 0 train "$1" && echo "$(data_crc), expected $small_crc" && [ "$(data_crc)" = "$small_crc" ] &&
        [ -n "$small_crc" ] && exits 0 "$bin" eval "$WORK/out/m.bin" -d "$1"
}

# ---------------------------------------------------------------------------------------------
# Directories

# An archive of Kaggle: beside each file, with a dot in its name, a directory with a hyphen that
# contains the file once more.
kaggle() { # DIRECTORY
    mkdir "$1" && for part in train t10k; do
        for kind in images-idx3 labels-idx1; do
            mkdir "$1/$part-$kind-ubyte" && cp "$WORK/small/$part-$kind-ubyte" "$1/$part-$kind-ubyte" &&
                cp "$WORK/small/$part-$kind-ubyte" "$1/$part-${kind%-*}.${kind#*-}-ubyte" || return 1
        done
    done
}
kaggle "$WORK/kaggle"
claim "directories are passed over for the files beside them" is_read "$WORK/kaggle"

mkdir -p "$WORK/torch/MNIST" "$WORK/fashion"
cp -R "$WORK/small" "$WORK/torch/MNIST/raw"
cp -R "$WORK/small" "$WORK/fashion/raw"
claim "torchvision's MNIST/raw is found" is_read "$WORK/torch"
claim "so is raw" is_read "$WORK/fashion"
claim "and raw by its own name" is_read "$WORK/fashion/raw"
claim "mlp info finds nothing in torchvision's that training refuses" exits 0 "$MLP" info "$WORK/torch"

keeps_data() { # DATA FILE: no output replaces it
    cp "$2" "$WORK/kept" && refuses 1 "--csv would replace a file of the data" train "$1" --csv "$2" &&
        refuses 1 "--predictions would replace a file of the data" \
            "$bin" eval "$WORK/out/m.bin" -d "$1" --predictions "$2" && cmp "$2" "$WORK/kept"
}
claim "no output replaces a file of the data" keeps_data "$WORK/kaggle" "$WORK/kaggle/train-labels.idx1-ubyte"
ln -s kaggle/t10k-images.idx3-ubyte "$WORK/link"
claim "nor one that a link leads to" keeps_data "$WORK/kaggle" "$WORK/link"
claim "nor one in MNIST/raw" keeps_data "$WORK/torch" "$WORK/torch/MNIST/raw/t10k-images-idx3-ubyte"
claim "nor one in raw" keeps_data "$WORK/fashion" "$WORK/fashion/raw/train-images-idx3-ubyte"

mkdir -p "$WORK/hollow/train-images-idx3-ubyte"
cp "$WORK/small"/*labels* "$WORK/hollow"
claim "a directory in the place of a file is said" \
    refuses 1 "train-images-idx3-ubyte: is a directory, where a regular file was expected" train "$WORK/hollow"
says_what_is_there() {
    mkdir "$WORK/photos" && touch "$WORK/photos/holiday.jpg" "$WORK/photos/train.csv" &&
        refuses 1 "$WORK/photos" train "$WORK/photos" &&
        grep -q 'train-images-idx3-ubyte.*found: holiday\.jpg and train\.csv; .mlp import. makes such files' "$WORK/stderr" &&
        mkdir "$WORK/none" && refuses 1 "it is empty" train "$WORK/none"
}
claim "where nothing fits, what was found is said" says_what_is_there
ln -s circle "$WORK/circle"
claim "a directory that loops is said to" refuses 1 "circle: cannot read the directory of the data: Too many" \
    train "$WORK/circle"
mkdir "$WORK/loops" && cp "$WORK/small"/*labels* "$WORK/loops"
ln -s train-images-idx3-ubyte "$WORK/loops/train-images-idx3-ubyte"
claim "so is a file" refuses 1 "train-images-idx3-ubyte: Too many" train "$WORK/loops"

# Root may read every directory: become someone who may not, where that can be done.
open_directory=$(mktemp -d)
trap 'chmod -R u+rwx "$open_directory"; rm -rf "$open_directory"' EXIT
unreadable() { # MODE COMMAND...: how to become someone who may not
    mode=$1
    shift
    chmod 755 "$open_directory" && rm -rf "$open_directory/data" && cp "$FAST_MLP" "$open_directory/mlp" &&
        mkdir -p "$open_directory/data/raw" && cp "$WORK/small"/* "$open_directory/data" &&
        chmod -R a+rX "$open_directory" && chmod "$mode" "$open_directory/data" || return 1
    (cd "$open_directory" && refuses 1 "Permission denied" "$@" ./mlp gradcheck -d data)
    status=$?
    chmod 755 "$open_directory/data"
    [ "$status" -eq 0 ] && chmod 755 "$open_directory/data" && rm "$open_directory/data"/*-ubyte &&
        chmod "$mode" "$open_directory/data/raw" || return 1
    (cd "$open_directory" && refuses 1 "data/raw: " "$@" ./mlp gradcheck -d data && grep 'Permission denied' "$WORK/stderr")
    status=$?
    chmod 755 "$open_directory/data/raw"
    return "$status"
}
if [ "$(id -u)" -ne 0 ]; then
    claim "a directory that may not be read is said to be that" unreadable 0 env
elif command -v setpriv >/dev/null && setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null; then
    claim "a directory that may not be read is said to be that" \
        unreadable 0 setpriv --reuid 65534 --regid 65534 --clear-groups
else
    skip "root may read every directory, and there is no setpriv: unreadable ones were not tried"
fi

not_hidden() { # no output becomes a file that is preferred to one of the set
    refuses 1 "--output would replace a file of the data" "$MLP" train -q -d "$WORK/hidden" --epochs 1 \
        -o "$WORK/hidden/train-images-idx3-ubyte" --csv "$WORK/h.csv" && [ ! -e "$WORK/hidden/train-images-idx3-ubyte" ] &&
        exits 0 "$MLP" train -q -d "$WORK/hidden" --epochs 1 -o "$WORK/hidden/m.bin"
}
mkdir "$WORK/hidden"
for file in "$WORK"/small/*-ubyte; do
    gzip -c "$file" >"$WORK/hidden/$(basename "$file").gz"
done
claim "no output takes the place of a compressed file of the data" not_hidden

# ---------------------------------------------------------------------------------------------
# Compressed files

# The small data set, but one of its files.
with_file() { # NAME BYTES-ON-STDIN: into $WORK/other
    rm -rf "$WORK/other" && cp -R "$WORK/small" "$WORK/other" && rm "$WORK/other/${1%.gz}" && cat >"$WORK/other/$1"
}
images=train-images-idx3-ubyte
named() { # WORDS: what the file is, under a name with .gz and under one without
    refuses 1 "$images.gz: $1" train "$WORK/other" &&
        mv "$WORK/other/$images.gz" "$WORK/other/$images" && refuses 1 "$images: $1" train "$WORK/other"
}
printf '<!DOCTYPE html>\n<title>404 Not Found</title>\n' | with_file $images.gz
claim "a web page under the name of data is named" named "is a web page"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:440f\nsize 9912422\n' | with_file $images.gz
claim "so is a pointer of Git LFS" named "is a Git LFS pointer"
printf 'PK\003\004\024\000\000\000' | with_file $images.gz
claim "so is a ZIP archive" named "is a ZIP archive"
: | with_file $images.gz
claim "so is an empty file" named "is empty"
for tool in xz bzip2 zstd; do
    if command -v $tool >/dev/null; then
        $tool -c "$WORK/small/$images" | with_file $images.gz
        claim "so are $tool data" named "is $tool data"
    else
        skip "$tool is not installed: its data were not tried under the name of gzip data"
    fi
done
gzip -c "$WORK/small/$images" | gzip -c | with_file $images.gz
claim "data compressed twice are named" refuses 1 "$images.gz: is gzip data compressed with gzip again" train "$WORK/other"
with_file $images.gz <"$WORK/small/$images"
claim "raw data under the name of compressed ones are read" is_read "$WORK/other"
predicts_raw_named_gz() {
    exits 0 "$bin" predict "$WORK/out/m.bin" "$WORK/other/$images.gz" && [ "$(wc -l <"$WORK/stdout")" -eq 300 ]
}
claim "and predict reads them" predicts_raw_named_gz

in_members() { # BYTES: the file in pieces of so many, each compressed on its own, as bgzip does it
    size=$(wc -c <"$WORK/small/$images") at=0
    while [ "$at" -lt "$size" ]; do
        tail -c +$((at + 1)) "$WORK/small/$images" | head -c "$1" | gzip -c
        at=$((at + $1))
    done
}
in_members 65280 | with_file $images.gz
claim "a gzip file of several members is read" is_read "$WORK/other"
{ in_members 65280 && gzip -c </dev/null; } | with_file $images.gz
claim "and one that ends with an empty member" is_read "$WORK/other"
{ in_members 65280 && printf 'x'; } | with_file $images.gz
claim "what follows the last member is refused" refuses 1 "$images.gz: " train "$WORK/other"
{ in_members 65280 && head -c 28 "$WORK/small/$images" | gzip -c; } | with_file $images.gz
claim "a member too many is" refuses 1 "$images.gz: the header says" train "$WORK/other"
if command -v bgzip >/dev/null; then
    bgzip -c "$WORK/small/$images" | with_file $images.gz
    claim "what bgzip makes is read" is_read "$WORK/other"
fi

# ---------------------------------------------------------------------------------------------
# Fewer classes than the model, and more

relabel() { # DATA PART LABEL: the part's first image has that label
    file=$1/$2-labels-idx1-ubyte
    # shellcheck disable=SC2059 # the format is the byte
    { head -c 8 "$WORK/small/$2-labels-idx1-ubyte" && printf "\\$(printf %03o "$3")" &&
        tail -c +10 "$WORK/small/$2-labels-idx1-ubyte"; } >"$file"
}
cp -R "$WORK/small" "$WORK/twelve" # classes 0 to 11; those of the test file are 0 to 9
relabel "$WORK/twelve" train 11
fewer_classes() {
    exits 0 train "$WORK/twelve" && exits 0 "$bin" eval "$WORK/out/m.bin" -d "$WORK/twelve" \
        --confusion "$WORK/c.csv" && cat "$WORK/stdout" && [ ! -s "$WORK/stderr" ] &&
        grep -q '^ *11  *0 ' "$WORK/stdout" && grep -q 'of 300)' "$WORK/stdout" &&
        [ "$(head -n 1 "$WORK/c.csv")" = label,0,1,2,3,4,5,6,7,8,9,10,11 ] && [ "$(wc -l <"$WORK/c.csv")" -eq 13 ] &&
        exits 0 "$bin" features "$WORK/out/m.bin" -d "$WORK/twelve" --image 299 &&
        exits 0 "$bin" gradcheck "$WORK/out/m.bin" -d "$WORK/small"
}
claim "data that lack the model's highest classes are evaluated" fewer_classes
cp -R "$WORK/small" "$WORK/more"
relabel "$WORK/more" t10k 11
more_classes() {
    exits 0 train "$WORK/small" || return 1
    for command in eval features; do
        refuses 1 "image 0 has the label 11" "$bin" "$command" "$WORK/out/m.bin" -d "$WORK/more" &&
            grep -q '10 classes' "$WORK/stderr" || return 1
    done
    refuses 1 "the test images: the model has 10 classes" "$bin" sweep -d "$WORK/more" --epochs 1 --csv "$WORK/out/s.csv"
}
claim "a label that the model does not know is named with its image" more_classes

# ---------------------------------------------------------------------------------------------
# What train says of the data

chatty_train() { # DATA OPTION...
    data=$1
    shift
    "$bin" train --epochs 1 --hidden 4 -d "$data" -o "$WORK/out/m.bin" --csv "$WORK/out/m.csv" "$@"
}
says_what_was_read() { # LINE OPTION...
    line=$1
    shift
    exits 0 chatty_train "$@" && cat "$WORK/stderr" && [ "$(head -n 1 "$WORK/stderr")" = "$line" ] &&
        exits 0 train "$@" && ! grep -qF "$line" "$WORK/stderr"
}
claim "train says what it has read and how it is split, unless it is quiet" says_what_was_read \
    "300 images of 28 x 28 pixels in 10 classes from $WORK/small: 250 train, 50 validate" "$WORK/small"
claim "with the sizes that were asked for" says_what_was_read \
    "300 images of 28 x 28 pixels in 10 classes from $WORK/small: 100 train, 150 validate" \
    "$WORK/small" --train-size 100 --val-size 150
claim "and with classes that have no image" says_what_was_read \
    "300 images of 28 x 28 pixels in 11 of 12 classes from $WORK/twelve: 250 train, 50 validate" "$WORK/twelve"

# The labels of 300 images, 30 of each class, from 0 to 9: the last 50 are of 8 and 9.
cp -R "$WORK/small" "$WORK/sorted"
{ printf '\0\0\010\001' && u32 300 && for k in 0 1 2 3 4 5 6 7 10 11; do
    # shellcheck disable=SC2059 # the format is the byte
    i=0 && while [ $i -lt 30 ]; do printf "\\0$k" && i=$((i + 1)); done
done; } >"$WORK/sorted/train-labels-idx1-ubyte"
notes() { # NUMBER-OF-NOTES WORDS COMMAND...: with --quiet too
    count=$1 words=$2
    shift 2
    exits 0 "$@" && cat "$WORK/stderr" && [ "$(grep -c '^mlp: note: ' "$WORK/stderr")" -eq "$count" ] &&
        grep '^mlp: note: ' "$WORK/stderr" | grep -qF -e "$words"
}
claim "a file sorted by class is noted, with the class" notes 1 \
    "no training image is of class 9, but 30 validation images are; if the training file is sorted by class, shuffle" \
    train "$WORK/sorted"
claim "so are several classes" notes 1 "of classes 6, 7, 8 and 9, but 120" train "$WORK/sorted" --val-size 120
claim "a training set that is too short for all classes is" notes 1 "take a larger --train-size" \
    train "$WORK/small" --train-size 5
claim "sweep notes it too" notes 1 "no training image is of class 9" \
    "$bin" sweep -q -d "$WORK/sorted" --epochs 1 --hidden 4 --csv "$WORK/out/sorted.csv"
cp -R "$WORK/small" "$WORK/stray"
{ head -c 17 "$WORK/small/train-labels-idx1-ubyte" && printf '\255' && tail -c +19 "$WORK/small/train-labels-idx1-ubyte"; } \
    >"$WORK/stray/train-labels-idx1-ubyte"
claim "a stray label is noted, with its first image" notes 1 \
    "image 9 has the label 173, which makes a network of 174 classes, but 163 of the labels below it have no image" \
    train "$WORK/stray"
no_note() {
    exits 0 "$@" && cat "$WORK/stderr" && ! grep -q '^mlp: note: ' "$WORK/stderr"
}
claim "data as they should be are not noted" no_note chatty_train "$WORK/small"
claim "nor are twelve classes, of which one has no image" no_note train "$WORK/twelve"

# ---------------------------------------------------------------------------------------------
# A training that learns nothing

learns_nothing() { # WORDS OPTION...: one note, though there are several epochs
    words=$1
    shift
    notes 1 "$words" "$FAST_MLP" train -q -d "$real" -o "$WORK/out/m.bin" --csv "$WORK/out/m.csv" "$@"
}
claim "--lr 3 --batch 10: nothing is learned, and the setting is named" \
    learns_nothing "--lr 3 is probably too large; try --lr 0.001" --lr 3 --batch 10 --epochs 2 --train-size 2000
claim "so with --lr 1e6" learns_nothing "--lr 1e+06 is probably too large" --lr 1e6 --epochs 3 --train-size 5000
claim "with --batch 60000" learns_nothing "--batch 60000 is probably too large for --lr 0.001; try --batch 64, or" \
    --batch 60000 --epochs 2
claim "with --arch cnn --lr 0.01" learns_nothing "--lr 0.01 is probably too large; try --lr 0.002" \
    --arch cnn --lr 0.01 --epochs 1 --train-size 4000
claim "with --arch cnn --batch 1024" learns_nothing "--batch 1024 is probably too large for --lr 0.002" \
    --arch cnn --batch 1024 --epochs 2 --train-size 8000
claim "and at the end with a learning rate that is too small" \
    learns_nothing "--lr 1e-30 is probably too small" --lr 1e-30 --epochs 15 --train-size 500 --seed 2
after_the_first_epoch() { # not only at the end of a hundred
    exits 0 "$FAST_MLP" train -d "$real" -o "$WORK/out/m.bin" --csv "$WORK/out/m.csv" \
        --lr 3 --batch 10 --epochs 3 --train-size 2000 && cat "$WORK/stderr" &&
        sed -n 3p "$WORK/stderr" | grep -q '^mlp: note: after epoch 1 the loss, [0-9.]*, is above that of guessing'
}
claim "it is said after the first epoch that shows it" after_the_first_epoch
healthy() {
    no_note "$FAST_MLP" train -q -d "$real" -o "$WORK/out/m.bin" --csv "$WORK/out/m.csv" "$@"
}
claim "a slow training is not noted" healthy --epochs 1 --lr 1e-4
claim "nor one of a single step" healthy --epochs 1 --train-size 64
claim "nor one of few images" healthy --epochs 2 --lr 1e-4 --train-size 500
claim "nor one of eight batches at twice the rate" no_note train "$WORK/small" --lr 2e-3 --hidden 8 --epochs 2
claim "nor a convolutional one that begins" healthy --arch cnn --epochs 1 --train-size 500
claim "nor one with a large step that learns" healthy --lr 0.03 --epochs 1

finish
