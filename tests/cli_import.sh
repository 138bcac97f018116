#!/bin/sh
# mlp import and mlp export-data: tables and pictures become IDX files and come back as the same
# bytes; what is wrong with them is one line; a data set is there completely or not at all.
. tests/lib.sh

bin=$MLP
small_data "$WORK/small" 60
MNIST=$PWD/data/mnist
cd "$WORK" || exit 1
images=train-images-idx3-ubyte labels=train-labels-idx1-ubyte

import() { "$bin" import "$@"; }
same_part() { # DATA DATA: the training files are the same
    cmp "$1/$images" "$2/$images" && cmp "$1/$labels" "$2/$labels"
}
bytes() { # FILE FROM: the bytes from one on, as numbers
    od -An -v -tu1 -j "$2" "$1" | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'
}
holds() { # DATA PART LABELS PIXELS: what the files of a part hold
    [ "$(bytes "$1/$2-labels-idx1-ubyte" 8)" = "$3" ] && [ "$(bytes "$1/$2-images-idx3-ubyte" 16)" = "$4" ]
}

# ---------------------------------------------------------------------------------------------
# There and back

back_from_csv() {
    exits 0 "$bin" export-data -d small --csv small.csv && [ "$(head -n 1 small.csv | cut -c -29)" = "label,pixel0,pixel1,pixel2,pi" ] &&
        [ "$(wc -l <small.csv)" -eq 61 ] && exits 0 "$bin" export-data -d small --file test --csv test.csv -q &&
        [ ! -s "$WORK/stderr" ] && exits 0 import small.csv --test test.csv -o from-csv &&
        for file in small/*; do cmp "$file" "from-csv/${file#small/}" || return 1; done
}
claim "a data set as CSV becomes the same four files" back_from_csv
from_stdin() {
    exits 0 import - -o from-stdin --test-fraction 0 -q <small.csv && same_part small from-stdin &&
        gzip -c small.csv >small.csv.gz && exits 0 import small.csv.gz -o from-gz --test-fraction 0 && same_part small from-gz &&
        "$bin" export-data -d small --csv - 2>err | exits 0 import - -o from-pipe --test-fraction 0 && same_part small from-pipe
}
claim "also from standard input, from .gz and from a pipe" from_stdin
back_from_pictures() {
    exits 0 "$bin" export-data -d small --pictures pictures && [ "$(find pictures -type f | wc -l)" -eq 60 ] &&
        [ "$(head -c 13 pictures/5/00000.pgm | tr '\n' ' ')" = "P5 28 28 255 " ] &&
        exits 0 import pictures -o from-pictures --raw-size 28x28 --no-shuffle --test-fraction 0 && same_part small from-pictures
}
claim "a data set as pictures becomes the same files" back_from_pictures
no_file_is_left() { [ -z "$(find . -name '.mlp-*')" ]; }
claim "no temporary file is left" no_file_is_left

# 42,000 rows, the size of Kaggle's train.csv, with the plain build.
kaggle() {
    mkdir large && { printf '\0\0\010\003' && u32 42000 && u32 28 && u32 28 && gzip -dc "$MNIST/$images.gz" | tail -c +17 |
        head -c $((42000 * 784)); } >large/"$images" && { printf '\0\0\010\001' && u32 42000 && gzip -dc "$MNIST/$labels.gz" |
        tail -c +9 | head -c 42000; } >large/"$labels" && exits 0 "$FAST_MLP" export-data -d large --csv train.csv &&
        exits 0 "$FAST_MLP" import train.csv -o from-kaggle --test-fraction 0 && same_part large from-kaggle
}
claim "42,000 rows in the form of Kaggle's train.csv become the same bytes" kaggle

# ---------------------------------------------------------------------------------------------
# Tables

table() { # TEXT OPTION...: imports it as a training file
    rm -rf t
    # shellcheck disable=SC2059 # with escapes
    printf "$1" >table.csv
    shift
    import table.csv -o t --test-fraction 0 "$@"
}
reads() { # LABELS PIXELS TEXT OPTION...
    labels_wanted=$1 pixels_wanted=$2
    shift 2
    exits 0 table "$@" && holds t train "$labels_wanted" "$pixels_wanted"
}
claim "no header" reads "5 9" "1 2 3 4 0 0 0 255" '5,1,2,3,4\n9,0,0,0,255\n'
claim "a header, no line end at the end" reads 5 "1 2 3 4" 'label,1x1,1x2,2x1,2x2\n5,1,2,3,4'
claim "a header without the word label" reads 5 "1 2 3 4" 'y,a,b,c,d\n5,1,2,3,4\n'
claim "a header whose other names are numbers" reads 5 "1 2 3 4" '0,1,2,3,class\n1,2,3,4,5\n'
claim "a header that counts from 0, as pandas writes it" reads 5 "1 2 3 4" '0,1,2,3,4\n5,1,2,3,4\n'
claim "--label by name" reads 5 "1 2 3 4" 'a,b,digit,c,d\n1,2,5,3,4\n' --label digit
claim "--label by number" reads "5 6" "1 2 3 4 4 3 2 1" '1,2,3,4,5\n4,3,2,1,6\n' --label 5
claim "--label by number beside a header" reads 5 "1 2 3 4" 'a,b,c,d,e\n1,2,3,4,5\n' --label 5
claim "CRLF, a byte order mark, empty lines" reads "5 6" "1 2 3 4 4 3 2 1" '\357\273\277label,a,b,c,d\r\n\r\n5,1,2,3,4\r\n\n6,4,3,2,1\r\n\r\n'
claim "quotes, blanks, points and zeros" reads "5 6" "1 2 3 4 4 3 2 1" '"label","a","b","c","d"\n"5","1", 2 ,003,4.0\n6 ,4., "3" ,2,1.000\n'
claim "semicolons" reads 5 "1 2 3 4" 'label;a;b;c;d\n5;1;2;3;4\n'
claim "tabs" reads 5 "1 2 3 4" '5\t1\t2\t3\t4\n'
claim "--size" reads 5 "1 2 3" '5,1,2,3\n' --size 1x3
has_size() { [ "$(bytes t/"$images" 4)" = "0 0 0 1 0 0 0 1 0 0 0 3 1 2 3" ]; }
claim "rows and columns are those of --size" has_size
words() {
    reads "1 0 1" "1 2 3 4 5 6 7 8 9 9 9 9" 'dog,1,2,3,4\ncat,5,6,7,8\ndog,9,9,9,9\n' && [ "$(cat t/classes.txt)" = "$(printf 'cat\ndog')" ] &&
        reads "2 1" "1 2 3 4 5 6 7 8" 'b,1,2,3,4\na,5,6,7,8\n' --classes zab &&
        printf 'z\na\nb\n' | cmp - t/classes.txt
}
printf 'z\na\nb\n' >zab
claim "labels that are words: classes in the order of their bytes, or of --classes" words
names_of_numbers() {
    reads "1 0" "1 2 3 4 5 6 7 8" '1,1,2,3,4\n0,5,6,7,8\n' --classes A-B && [ "$(cat t/classes.txt)" = "$(printf 'A\nB')" ]
}
claim "--classes names classes that are numbers" names_of_numbers

bad() { # WORDS TEXT OPTION...: refused, and nothing is left
    said=$1
    shift
    refuses 1 "$said" table "$@" && [ ! -e t ]
}
claim "a row that is too short" bad "table.csv, line 3: has 4 fields, where 5 were expected" 'label,a,b,c,d\n5,1,2,3,4\n5,1,2,3\n'
claim "one that is too long" bad "table.csv, line 2: has more than 5 fields, where 5" '5,1,2,3,4\n5,1,2,3,4,5\n'
claim "783 pixels" bad "line 1: has 783 columns of pixels beside column 1, the labels, which is not a square; --size" "5$(printf ',0%.0s' $(seq 783))"'\n'
claim "above 255" bad "table.csv, line 2, column 3: '256' is not a whole number from 0 to 255" '5,1,2,3,4\n5,1,256,3,4\n'
claim "above any integer" bad "line 1, column 3: '99999999999999999999999'" '5,1,99999999999999999999999,3,4\n'
claim "negative" bad "line 2, column 5: '-1' is not" '5,1,2,3,4\n5,1,2,3,-1\n'
claim "a fraction" bad "line 2, column 2: '0.5' is not" '5,1,2,3,4\n5,0.5,2,3,4\n'
claim "not a number" bad "line 2, column 4: 'x' is not" '5,1,2,3,4\n5,1,2,x,4\n'
claim "an empty field" bad "line 2, column 4: '' is not" '5,1,2,3,4\n5,1,2,,4\n'
claim "a quote that does not end" bad "line 2, column 3: the quote does not end in this line" '5,1,2,3,4\n5,1,"2,3,4\n5,1,"2,3,4\n'
claim "text behind a quote" bad "line 1, column 2: something follows the quote" '5,"1"1,2,3,4\n'
claim "a carriage return alone" bad "line 1, column 5: a carriage return is not followed" '5,1,2,3,4\r5,1,2,3,4\r'
claim "zero bytes as separators" bad "line 1, column 1: has the byte 00, which is not text" '5\0001\0002\0003\0004\n'
claim "a zero byte" bad "line 2, column 3: has the byte 00, which is not text" '5,1,2,3,4\n5,1,\0,3,4\n'
claim "a label that is too large" bad "line 2: the label '256' is not a class" '5,1,2,3,4\n256,1,2,3,4\n'
claim "an empty label" bad "line 2: the label '' is empty" '5,1,2,3,4\n,1,2,3,4\n'
claim "a long label" bad "is the beginning of one of more than 63 bytes" "$(printf 'x%.0s' $(seq 64))"',1,2,3,4\n'
claim "a label that is not UTF-8" bad "is not a class name" 'a,1,2,3,4\n\377,1,2,3,4\n'
claim "a byte order mark between rows" bad "line 2: the label" '5,1,2,3,4\n\357\273\2775,1,2,3,4\n'
claim "257 classes" bad "line 257: the label 'c257' is the 257th" "$(printf 'c%s,1,2,3,4\\n' $(seq 300))"
claim "words where pixels are, with a hint" bad "line 1, column 5: 'dog' is not a whole number from 0 to 255; --label says" '1,2,3,4,dog\n'
claim "a column that is not there" bad "no column is called 'digit'" 'a,b,c,d,e\n1,2,3,4,5\n' --label digit
claim "the number 0" bad "--label 0: columns are numbered from 1" 'label,1,2,3,4\n1,2,3,4,5\n' --label 0
claim "a number that no column has" bad "there is no column 6 for --label: it has 5" '1,2,3,4,5\n' --label 6
claim "two columns of labels" bad "line 1: columns 1 and 3 may both have the labels" 'label,a,Class,c,d\n1,2,3,4,5\n'
claim "two of a name" bad "line 1: columns 1 and 2 may both have" 'y,y,b,c,d\n1,2,3,4,5\n' --label y
claim "two columns of labels, and the one to use" reads 3 "1 2 4 5" 'label,a,Class,c,d\n1,2,3,4,5\n' --label 3
claim "another size" bad "has 4 columns of pixels, where 1 x 3 were expected" '1,2,3,4,5\n' --size 1x3
claim "--raw-size" bad "table.csv: is not a directory of pictures, which --raw-size is for" '5,1,2,3,4\n' --raw-size 2x2
claim "no comma" bad "has one field, where a label and pixels" '5\n6\n'
claim "a header alone" bad "has a header, but no images" 'label,a,b,c,d\n'
claim "an empty file" bad "table.csv: is empty" ''
claim "another kind of file" bad "table.csv: is a PNG image, where a table was expected" '\211PNG\r\n\032\n'
claim "a word that --classes lacks" bad "line 1: the label 'x' is not one of the names of --classes" 'x,1,2,3,4\n' --classes zab
claim "IDX data" refuses 1 "is IDX data, where a table was expected" import small/"$images" -o t
no_line_end() { # memory does not grow with the file: 64 MB are more than enough for a gigabyte
    for what in 1 '1,' '1"' '"1'; do
        # shellcheck disable=SC2016 # the inner shell's
        yes "$what" | tr -d '\n' | head -c 1000000000 | refuses 1 "standard input, line 1" sh -c 'ulimit -v 200000; exec "$0" "$@"' \
            "$FAST_MLP" import - -o t && [ ! -e t ] || return 1
    done
}
claim "a first line that is wrong is not taken for a header" bad "line 1, column 2: 'a' is not" '5,a,b,c,d\n5,1,2,3,4\n'
claim "a gigabyte without the end of a line is refused at once" no_line_end
cut_gz() {
    head -c 2000 small.csv.gz >cut.csv.gz && refuses 1 "cut.csv.gz: gzip cannot decompress it" import cut.csv.gz -o t
}
claim "a .gz file that is cut" cut_gz

# ---------------------------------------------------------------------------------------------
# Parts

repeatable() {
    exits 0 import small.csv -o half --test-fraction 0.5 --seed 3 && grep -q ' train, [0-9]* test (--test-fraction 0.5)$' "$WORK/stderr" &&
        exits 0 import small.csv -o again --test-fraction 0.5 --seed 3 && exits 0 import small.csv -o other --test-fraction 0.5 --seed 4 &&
        for file in half/*; do cmp "$file" "again/${file#half/}" || return 1; done && ! cmp -s half/"$images" other/"$images" &&
        cat half/"$images" half/"$labels" half/t10k-* | cksum && [ "$(cat half/"$images" half/"$labels" half/t10k-* | cksum)" = "3133675077 47148" ]
}
claim "the same seed makes the same files, on every machine" repeatable
every_class() { # of both parts, in nearly equal numbers
    for part in train t10k; do
        bytes half/"$part"-labels-idx1-ubyte 8 | tr ' ' '\n' | sort | uniq -c | sort -k 2
    done | awk '{ n[$2] += NR <= 10 ? $1 : -$1 } END { for (k in n) if (n[k] < -1 || n[k] > 1) exit 1 }'
}
claim "test images are taken from every class" every_class
trains() {
    exits 0 import small.csv -o whole && exits 0 "$bin" train -q -d whole --epochs 1 --hidden 4 -o m.bin --csv m.csv &&
        exits 0 "$bin" eval m.bin -d whole && grep -q 'of [0-9]*)' "$WORK/stdout"
}
claim "without options one can train and evaluate" trains
shuffled() {
    exits 0 import small.csv -o s1 --shuffle --test-fraction 0 && ! cmp -s s1/"$images" small/"$images" &&
        [ "$(bytes s1/"$labels" 8 | tr ' ' '\n' | sort)" = "$(bytes small/"$labels" 8 | tr ' ' '\n' | sort)" ]
}
claim "--shuffle changes the order alone" shuffled
other_size() {
    printf '1,2,3,4,5\n' >four.csv && refuses 1 "four.csv, line 1: has 4 columns" import small.csv --test four.csv -o t --size 28x28 &&
        refuses 1 "four.csv: has images of 2 x 2 pixels, but small.csv of 28 x 28" import small.csv --test four.csv -o t
}
claim "parts of different sizes" other_size

# ---------------------------------------------------------------------------------------------
# Names of classes

printf 'b,0,9,0,0\na,9,0,0,0\n' | sed 'p;p;p;p;p;p;p;p' >ab.csv
named() {
    exits 0 import ab.csv -o ab --test-fraction 0.5 && exits 0 "$bin" train -q -d ab --epochs 1 --hidden 2 -o ab.bin --csv ab-curves.csv &&
        grep -aq '"class_names":"a\\nb"' ab.bin && exits 0 "$bin" eval ab.bin -d ab && grep -q '^ *b  ' "$WORK/stdout"
}
claim "names beside the data are those of the model and of reports" named
short_reports() { # ten images in two classes; those of a class are equal, so that none is rejected
    exits 0 "$bin" train -q -d ab --epochs 30 --lr 0.1 -o short.bin --csv short.csv && exits 0 "$bin" eval short.bin -d ab && sed -n '/^confusion/,$p' "$WORK/stdout" | tail -n +2 | awk '{ print NF }' | tr '\n' ' ' | grep -qx '2 3 3 ' && ! grep -q '^rejected' "$WORK/stdout"
}
claim "reports leave out the last classes without name and image, and rows that say nothing" short_reports
info_names() {
    exits 0 "$bin" info ab && sed -n '/^class/,/^$/p' "$WORK/stdout" | awk '{ print $1 }' | tr '\n' ' ' | grep -qx 'class a b  ' &&
        grep -q 'note: ab: fewer than 10 training images of classes a and b$' "$WORK/stderr"
}
claim "mlp info shows them" info_names
next_command() {
    exits 0 "$bin" train -d ab --epochs 1 --hidden 2 -o ab.bin --csv ab-curves.csv && grep -q '; next: mlp eval ab.bin -d ab$' "$WORK/stderr"
}
claim "mlp train names the data in the command that is next" next_command
other_names() {
    exits 0 "$bin" train -q -d ab --classes X-Y --epochs 1 --hidden 2 -o xy.bin --csv xy.csv && grep -aq '"class_names":"X\\nY"' xy.bin
}
claim "--classes goes before them" other_names
misfits() {
    cp -R ab abc && echo a >abc/classes.txt &&
        refuses 1 "the names beside the data do not fit them: --classes abc/classes.txt: 1 names" "$bin" train -q -d abc -o abc.bin &&
        exits 1 "$bin" info abc && grep -q '^mlp: mlp train would refuse the data: the names beside the data do not fit them: ' "$WORK/stderr"
}
claim "names that do not fit are refused with their file" misfits
claim "no output replaces the names" refuses 1 "--csv would replace a file of the data" "$bin" train -q -d ab --csv ab/classes.txt -o x.bin
of_a_set() {
    mkdir sets && for file in ab/*; do cp "$file" "sets/letters-${file#ab/}" || return 1; done &&
        exits 0 "$bin" train -q -d sets/letters --epochs 1 --hidden 2 -o sets.bin --csv sets.csv && cmp sets.bin ab.bin
}
claim "the names of a data set with a name are found" of_a_set
named_directories() {
    exits 0 "$bin" export-data -d ab --pictures abp && [ "$(ls abp)" = "$(printf 'a\nb')" ] &&
        exits 0 import abp -o ab-again --raw-size 2x2 --no-shuffle --test-fraction 0 && same_part ab ab-again && cmp ab/classes.txt ab-again/classes.txt
}
claim "directories get the names" named_directories
no_directories() {
    cp -R ab slash && printf 'a/b\nc\n' >slash/classes.txt && exits 0 "$bin" export-data -q -d slash --pictures slp &&
        grep -q 'note: slash: the name of a class cannot be that of a directory' "$WORK/stderr" && [ "$(ls slp)" = "$(printf '0\n1')" ]
}
claim "but for names that directories cannot have" no_directories

# ---------------------------------------------------------------------------------------------
# Pictures

picture() { # ROWS COLS: a bar of ink
    printf 'P5\n%d %d\n255\n' "$2" "$1"
    awk -v h="$1" -v w="$2" 'BEGIN { for (y = 0; y < h; y++) for (x = 0; x < w; x++)
        printf "%c", (y > h / 5 && y < h * 0.8 && x > w * 0.4 && x < w * 0.6) ? "\037" : "\177" }'
}
mkdir -p tree/cat tree/dog tree/.hidden tree/cat/.cache
picture 50 40 >tree/cat/b.pgm
picture 30 60 >tree/cat/a.pgm
picture 40 40 >tree/dog/a.pgm
gzip -c tree/dog/a.pgm >tree/dog/c.pgm.gz
touch tree/cat/.DS_Store tree/.hidden/x
as_predicted() { # each image is what mlp predict sees
    exits 0 import tree -o tree-data --test-fraction 0 --no-shuffle && holds_classes "0 1 0 1" &&
        exits 0 "$bin" train -q -d tree-data --epochs 1 --hidden 2 --val-size 1 -o t.bin --csv t.csv &&
        exits 0 "$bin" predict t.bin tree/cat/a.pgm tree/dog/a.pgm tree/cat/b.pgm tree/dog/c.pgm.gz && cut -f 2- "$WORK/stdout" >said &&
        exits 0 "$bin" predict t.bin tree-data/"$images" && cut -f 2- "$WORK/stdout" | cmp - said
}
holds_classes() { [ "$(bytes tree-data/"$labels" 8)" = "$1" ] && [ "$(cat tree-data/classes.txt)" = "$(printf 'cat\ndog')" ]; }
claim "pictures are prepared as mlp predict prepares them" as_predicted
sized() {
    exits 0 import tree -o sized --size 12x10 -q && [ "$(bytes sized/"$images" 8 | cut -d ' ' -f 1-8)" = "0 0 0 12 0 0 0 10" ] &&
        exits 0 import tree -o raw --raw-size 4x5 --no-shuffle --test-fraction 0 && [ "$(bytes raw/"$images" 16 | cut -d ' ' -f 1-5)" = "127 127 121 127 127" ]
}
claim "in the size that is wanted, or only scaled" sized
numbers() {
    mkdir -p digits/7 digits/10 && cp tree/cat/a.pgm digits/7 && cp tree/cat/b.pgm digits/10 &&
        exits 0 import digits -o digits-data --test-fraction 0 --no-shuffle && [ "$(bytes digits-data/"$labels" 8)" = "7 10" ] &&
        [ ! -e digits-data/classes.txt ]
}
claim "names that are numbers are the classes" numbers
two_parts() {
    mkdir parts && cp -R tree parts/train && cp -R tree parts/test && exits 0 import parts -o parts-data --no-shuffle &&
        cmp parts-data/"$images" tree-data/"$images" && cmp parts-data/t10k-images-idx3-ubyte tree-data/"$images" &&
        refuses 1 "do not go with it" import parts -o t --test-fraction 0.5 && mkdir parts/val &&
        refuses 1 "has directories train, test and val" import parts -o t
}
claim "train/CLASS and test/CLASS" two_parts
if command -v convert >/dev/null || command -v magick >/dev/null; then
    mkdir -p png/a pgm/a && cp tree/cat/a.pgm pgm/a && "$(command -v magick || command -v convert)" tree/cat/a.pgm png/a/a.png
    converted() {
        exits 0 import png -o png-data --raw-size 30x60 && exits 0 import pgm -o pgm-data --raw-size 30x60 && same_part png-data pgm-data
    }
    claim "pictures in other formats are converted" converted
    claim "but with --no-convert" refuses 1 "png/a/a.png: is a PNG image" import png -o t --no-convert
else
    skip "ImageMagick is not installed: no picture in another format was tried"
fi

bad_picture() { # WORDS: what is at tree/dog/bad stops the import, or is left out with a note
    words=$1
    refuses 1 "$words" import tree -o t && [ ! -e t ] && exits 0 import tree -o left-out --skip-bad --test-fraction 0 --no-shuffle &&
        cat "$WORK/stderr" && grep -qF "note: left out: tree/dog/bad" "$WORK/stderr" && grep -q 'note: 1 of 5 pictures were left out' "$WORK/stderr" &&
        same_part left-out tree-data && rm -rf left-out tree/dog/bad
}
: >tree/dog/bad
claim "an empty picture" bad_picture "tree/dog/bad: is empty"
echo text >tree/dog/bad
claim "a file that is not a picture" bad_picture "tree/dog/bad: is not a picture"
head -c 100 tree/dog/a.pgm >tree/dog/bad
claim "a picture that is cut" bad_picture "tree/dog/bad: ends after 100 bytes"
cat tree/dog/a.pgm tree/dog/a.pgm >tree/dog/bad
claim "two pictures in a file" bad_picture "tree/dog/bad: contains several pictures"
{ printf 'P5\n40 40\n255\n' && head -c 1600 /dev/zero; } >tree/dog/bad
claim "a picture without ink" bad_picture "tree/dog/bad: "
ln -s bad tree/dog/bad
claim "a link to itself" bad_picture "tree/dog/bad: Too many levels of symbolic links"
ln -s .. tree/dog/bad
claim "a link to a directory above" bad_picture "tree/dog/bad: is a directory"
ln -s nothing tree/dog/bad
claim "a link to nothing" bad_picture "tree/dog/bad: No such file"
mkdir tree/dog/bad
claim "a directory" bad_picture "tree/dog/bad: is a directory"
mkfifo tree/dog/bad
claim "a named pipe" bad_picture "tree/dog/bad: is not a regular file"
if [ "$(id -u)" -ne 0 ]; then
    picture 9 9 >tree/dog/bad && chmod 000 tree/dog/bad
    claim "a picture that cannot be read" bad_picture "tree/dog/bad: Permission denied"
fi
circle() { # classes that are links to what is above them end, too
    mkdir -p ring/a && cp tree/cat/a.pgm ring/a && ln -s . ring/self && refuses 1 "ring/self/a: is a directory" import ring -o t &&
        rm ring/self && ln -s self ring/self &&
        exits 0 import ring -o ring-data -q && grep -q 'note: ring: left out, since not in the directory of a class: self' "$WORK/stderr"
}
claim "a circle of links" circle
notes() {
    mkdir tree/empty && touch tree/README && exits 0 import tree -o noted -q && rmdir tree/empty && rm tree/README &&
        grep -q 'note: tree: left out, since not in the directory of a class: README$' "$WORK/stderr" &&
        grep -q 'note: tree: no classes, since without a file: empty$' "$WORK/stderr"
}
claim "files in no class and empty classes are noted" notes
no_class() { mkdir -p none/a && touch none/x && refuses 1 "none: no subdirectory has a file" import none -o t && refuses 1 "nothing: No such file" import nothing -o t; }
claim "a directory without classes, and none" no_class
long_class() {
    name=$(printf 'n%.0s' $(seq 64)) && mkdir -p "long/$name" && cp tree/cat/a.pgm "long/$name" && refuses 1 "more than 63 bytes" import long -o t
}
claim "a class with a long name" long_class
doubted() {
    mkdir -p doubt/a && { printf 'P5\n60 30\n255\n' && awk 'BEGIN { for (y = 0; y < 30; y++) for (x = 0; x < 60; x++)
        printf "%c", (y > 5 && y < 25 && (x > 10 && x < 15 || x > 45 && x < 50)) ? "\037" : "\177" }'; } >doubt/a/two.pgm &&
        exits 0 import doubt -o doubt-data -q && cat "$WORK/stderr" && grep -q 'note: 1 of 1 pictures may not show one digit; the first: doubt/a/two.pgm: ' "$WORK/stderr"
}
claim "pictures that may not show one digit are noted" doubted
if command -v script >/dev/null && script -qec true /dev/null </dev/null >/dev/null 2>&1; then
    progress() {
        TERM=xterm script -qec "'$bin' import tree -o live" /dev/null </dev/null >screen && grep -q 'pictures  [0-9]*/s' screen &&
            exits 0 import tree -o dead && ! grep -q '/s' "$WORK/stderr"
    }
    claim "progress is shown on a terminal alone" progress
else
    skip "script is not there: progress was not looked at"
fi

# ---------------------------------------------------------------------------------------------
# All or nothing

listed() { ls -a "$1" && find "$1" -type f -exec cat {} + | cksum; }
kept() { # COMMAND...: it fails, and the old data set is as it was
    listed old >before && "$@" && listed old | cmp - before
}
exits 0 import small.csv -o old
claim "an old data set is kept" kept refuses 1 "old: contains a data set already" import small.csv -o old
claim "also when the new one is wrong" kept refuses 1 "four.csv: has images" import small.csv --test four.csv -o old --force
replaced() {
    gzip -c small/"$images" >old/test-images-idx3-ubyte.gz && echo x >old/classes.txt && echo mine >old/notes &&
        exits 0 import test.csv -o old --force --test-fraction 0 && same_part_of_test && [ "$(ls old)" = "$(printf 'notes\n%s\n%s' "$images" "$labels")" ]
}
same_part_of_test() { cmp old/"$images" small/t10k-images-idx3-ubyte && cmp old/"$labels" small/t10k-labels-idx1-ubyte; }
claim "--force replaces all of it, and no other file" replaced
exits 0 import small.csv -o old --force --test-fraction 0.5
mkdir old/test-labels-idx1-ubyte.gz
claim "a directory in the place of a file" refuses 1 "old/test-labels-idx1-ubyte.gz: is a directory" import test.csv -o old --force
not_changed() { rmdir old/test-labels-idx1-ubyte.gz && for file in half/*; do [ -e "old/${file#half/}" ] || return 1; done; }
claim "and no file is removed" not_changed
linked() {
    mkdir elsewhere && mv old/"$labels" elsewhere && ln -s ../elsewhere/"$labels" old/"$labels" && exits 0 import small.csv -o old --force --test-fraction 0 &&
        [ -h old/"$labels" ] && same_part old small
}
claim "a link stays, and what it leads to is replaced" linked
in_the_way() { # what cannot be replaced shows when other files have been set aside
    mkfifo old/test-labels-idx1-ubyte.gz && kept refuses 1 "old/test-labels-idx1-ubyte.gz: is not a regular file and cannot be replaced" \
        import test.csv -o old --force && rm old/test-labels-idx1-ubyte.gz
}
claim "where a pipe has the name of a file" in_the_way
after_a_kill() { # a kill -9 while files were renamed
    mv old/"$labels" "old/.mlp-old-$labels" && exits 0 import small.csv -o old --force --test-fraction 0 && same_part old small &&
        [ -z "$(find old -name '.mlp-*')" ]
}
claim "a set that was left half-way is replaced" after_a_kill
at_once() { # of another number of images each, and none has test images
    for i in 1 2 3 4 5 6 7 8; do
        import small.csv -o old --force -q --test-fraction 0 &
        head -n $((60 - i)) small.csv >"at-$i.csv" && import "at-$i.csv" -o old --force -q --test-fraction 0 &
    done
    wait
    [ "$(bytes old/"$images" 4 | cut -d ' ' -f 1-4)" = "$(bytes old/"$labels" 4 | cut -d ' ' -f 1-4)" ] && [ -z "$(find old -name '.mlp-*')" ]
}
claim "several at once leave the set of one" at_once
late() { # the directory has been looked at when the table is opened
    mkfifo fifo && { refuses 1 "late: contains a data set already" import fifo -o late >late.log 2>&1 & } &&
        exec 3>fifo && import small.csv -o late -q --test-fraction 0 && cat test.csv >&3 && exec 3>&- && wait $! && same_part late small
}
claim "a set that appears while images are read is kept" late
claim "the table that is read" kept refuses 1 "old/t10k-labels-idx1-ubyte: is to be read and would be replaced" import old/t10k-labels-idx1-ubyte -o old --force
claim "the directory that is read" refuses 1 "tree: is read, and the data set cannot be written to it" import tree -o tree
claim "a class of it" refuses 1 "is read, and the data set cannot be written to it" import tree -o ./tree/../tree/cat
claim "a directory in it" refuses 1 "tree: is read, and the data set" import tree -o tree/new
claim "also with a slash at the end" refuses 1 "tree: is read, and the data set" import tree -o tree/new//
slashes() {
    exits 0 import small.csv -o slashed/ --test-fraction 0 && same_part small slashed &&
        exits 0 "$bin" export-data -d small --pictures slashed-pictures/ && [ -d slashed-pictures/5 ]
}
claim "a new directory may have a slash at its end" slashes
claim "a file in the place of the directory" refuses 1 "four.csv: is not a directory" import small.csv -o four.csv
claim "a directory that cannot be made" refuses 1 "no/such: cannot make this directory" import small.csv -o no/such
claim "standard output" refuses 1 "- is standard output, where a directory" import small.csv -o -
claim "also for pictures" refuses 1 "- is standard output, where a directory" "$bin" export-data -d small --pictures -
full_disk() {
    (ulimit -f 40 && refuses 1 "writing failed" import small.csv -o full --test-fraction 0) && [ ! -e full ] &&
        (ulimit -f 40 && kept refuses 1 "writing failed" import small.csv -o old --force)
}
claim "a disk that is full" full_disk
not_writable() {
    mkdir locked && chmod 555 locked && refuses 1 "locked: cannot write in this directory" import small.csv -o locked
}
[ "$(id -u)" -eq 0 ] || claim "a directory without permission" not_writable
# A signal at any time: nothing, or all. After kill -9 too, but for temporary files.
is_whole() { [ ! -e sig ] || same_part sig large; }
signalled() {
    n=0
    for signal in TERM INT KILL; do
        for delay in 0 1 2 3 4 5; do
            rm -rf sig
            "$FAST_MLP" import train.csv -o sig --test-fraction 0 -q 2>err &
            pid=$!
            sleep "0.0$((delay * 12 + 2))"
            kill -"$signal" "$pid" 2>/dev/null && n=$((n + 1))
            wait "$pid"
            if [ "$signal" = KILL ] && [ -d sig ]; then
                rm -f sig/.mlp-*
                [ -e sig/"$labels" ] || rm -rf sig # a reader misses the labels
            fi
            is_whole || { echo "after $signal, $delay"; ls -la sig; return 1; }
        done
    done
    [ "$n" -gt 0 ]
}
claim "a signal leaves all or nothing" signalled
stopped_export() {
    "$FAST_MLP" export-data -d large --pictures stopped -q 2>err &
    pid=$!
    until [ -n "$(find . -maxdepth 1 -name '.mlp-*')" ]; do
        kill -0 "$pid" || return 1
    done
    kill -TERM "$pid" && wait "$pid"
    status=$?
    [ ! -e stopped ] && [ -z "$(find . -maxdepth 1 -name '.mlp-*')" ] && [ "$status" -eq 143 ] && grep -q 'SIGTERM: stopped; nothing was written' err
}
claim "pictures are written completely or not at all" stopped_export
claim "no directory of pictures is replaced" refuses 1 "pictures: is there already" "$bin" export-data -d small --pictures pictures
claim "one that cannot be made" refuses 1 "no/such: cannot make this directory" "$bin" export-data -d small --pictures no/such
full_export() { (ulimit -f 4 && exits 0 "$bin" export-data -d small --pictures fits -q && refuses 1 "writing failed" "$bin" export-data -d small --csv full.csv) && [ ! -e full.csv ]; }
claim "a table that cannot be written leaves nothing" full_export
claim "no temporary file is left" no_file_is_left

# ---------------------------------------------------------------------------------------------
# Words

claim "no --output" refuses 2 "needs --output DIR" import small.csv
claim "no SOURCE" refuses 2 "'mlp import' needs a SOURCE: mlp import SOURCE" import -o t
claim "two" refuses 2 "unexpected argument" import a b -o t
claim "standard input twice" refuses 2 "can be read only once" import - --test - -o t
claim "--test and --test-fraction" refuses 2 "cannot be combined" import a --test b --test-fraction 0.1 -o t
claim "--shuffle and --no-shuffle" refuses 2 "cannot be combined" import a --shuffle --no-shuffle -o t
claim "--size and --raw-size" refuses 2 "cannot be combined" import a --size 2x2 --raw-size 2x2 -o t
claim "a fraction that is too large" refuses 2 "--test-fraction" import a --test-fraction 0.95 -o t
sizes() {
    for size in 28 x28 28x 0x5 5x0 28x28x1 4097x1 1x4097 99999999999999999999x1 -1x2; do
        refuses 2 "must be rows x columns" import a "--size=$size" -o t && refuses 2 "--raw-size $size: must" import a "--raw-size=$size" -o t || return 1
    done
}
claim "sizes that are none" sizes
claim "export-data needs an output" refuses 2 "needs --csv FILE or --pictures DIR" "$bin" export-data -d small
transposed() {
    exits 0 "$bin" export-data -d small --transpose --csv turned.csv && exits 0 import turned.csv -o turned --test-fraction 0 &&
        exits 0 "$bin" export-data -d turned --transpose --csv - && cmp "$WORK/stdout" small.csv
}
claim "--transpose exchanges rows and columns" transposed

finish
