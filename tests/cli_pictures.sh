#!/bin/sh
# Pictures as people have them: the conversion that the documents show is right for photos held
# upright and for transparency, other formats are named, 16 bits are read, and pictures come from
# pipes, several in one stream. cli_convert.sh has the pictures that mlp itself has converted.
. tests/lib.sh

bin=$MLP
ROOT=$PWD
DATA=$PWD/data/mnist
mkdir "$WORK/digits"
claim "digits are written" "$(dirname "$MLP")/test_digit" write "$WORK/digits" 20
cd "$WORK" || exit 1
tab=$(printf '\t')

claim "a model of five epochs" exits 0 "$FAST_MLP" train -q -d "$DATA" --epochs 5 -o m.bin --csv m.csv
gzip -dc "$DATA/t10k-images-idx3-ubyte.gz" | tail -c +17 >pixels
gzip -dc "$DATA/t10k-labels-idx1-ubyte.gz" | tail -c +9 | head -c 20 | od -An -v -t u1 | tr -s ' ' '\n' | grep . >labels
image() { # NUMBER: one of MNIST's, light on dark, as a PGM
    printf 'P5 28 28 255\n' && tail -c +$((784 * $1 + 1)) pixels | head -c 784
}
for i in 0 1 2; do image $i >$i.pgm; done
predict() {
    "$bin" predict m.bin "$@"
}

# ---------------------------------------------------------------------------------------------
# The documented conversion

printf '\211PNG\r\n\032\n' >x.png
conversion=$(sed -n 's/^\.Dl convert [^ ]* \(.*pgm:-\) | .*mlp predict.*/\1/p' "$ROOT/src/cli/mlp.1")
it_is_shown() {
    echo "man page: $conversion" && [ -n "$conversion" ] &&
        refuses 1 "convert FILE $conversion | mlp predict model.bin -" predict --no-convert x.png
}
claim "the conversion is the same in man page and messages" it_is_shown

# converted COMMAND...: of 20 pictures that COMMAND makes of N.pgm (dark on white, 280 x 280) in the
# file "picture", how many are answered rightly; at least 18, where the model itself gets 19.
converted() {
    right=0 n=0
    while read -r label; do
        image "$n" >digit.pgm && convert digit.pgm -negate -filter triangle -resize 280x280 drawn.png && "$@" || return 1
        # shellcheck disable=SC2086 # several words
        convert picture $conversion | predict - >answer 2>>problems
        [ "$(cut -f 2 answer)" != "$label" ] || right=$((right + 1))
        n=$((n + 1))
    done <labels
    echo "$right of $n right"
    [ "$n" -eq 20 ] && [ "$right" -ge 18 ]
}
# A phone writes the pixels as the sensor has them, and in an EXIF segment how to turn them: 6 is by
# a quarter to the right, 8 to the left, 3 upside down.
photo() { # DEGREES ORIENTATION
    convert drawn.png -rotate "$1" turned.jpg && {
        head -c 20 turned.jpg && # the start and the JFIF segment
            printf '\377\341\0\042Exif\0\0MM\0*\0\0\0\010\0\001\001\022\0\003\0\0\0\001\0%b\0\0\0\0\0\0' "\\0$2" &&
            tail -c +21 turned.jpg
    } >picture
}
transparent() { # the ink is in the transparency alone, as drawing programs and web canvases write it
    convert -size 280x280 xc:black \( drawn.png -negate \) -alpha off -compose CopyOpacity -composite png:picture
}
deep() { convert drawn.png -depth 16 -evaluate add 1% png:picture && identify -format '%z' picture | grep -qx 16; }
if command -v convert >/dev/null && convert -version 2>/dev/null | grep -q ImageMagick; then
    claim "a photo that is to be turned to the right" converted photo -90 006
    claim "a photo that is to be turned to the left" converted photo 90 010
    claim "a photo that is upside down" converted photo 180 003
    claim "a drawing with transparency" converted transparent
    claim "a PNG of 16 bits" converted deep
    sixteen_bits() {
        image 0 >digit.pgm && convert digit.pgm -depth 16 -evaluate add 1% deep.pgm && head -c 20 deep.pgm | grep -q 65535 &&
            exits 0 predict deep.pgm && [ "$(cut -f 2 stdout)" = 7 ]
    }
    claim "a PGM of 16 bits as ImageMagick writes it" sixteen_bits
else
    skip "ImageMagick is not installed: the documented conversion was not run"
fi

# ---------------------------------------------------------------------------------------------
# 16 bits

# Each of the 784 samples as two bytes, times 257 (255 becomes 65535) or 16 (255 becomes 4080).
od -An -v -t u1 -N 784 pixels | tr -s ' ' '\n' | grep . >values
deepen() { # FACTOR MAXVAL SAMPLES: P5
    printf 'P5 28 28 %d\n' "$2"
    # shellcheck disable=SC2059 # the format is the bytes
    printf "$(awk -v by="$1" '{ v = $1 * by; printf "\\%03o\\%03o", int(v / 256), v % 256 }' values)"
}
exits 0 predict --raw 0.pgm && cut -f 2- stdout >seven
same_answer() { exits 0 predict --raw "$@" && cut -f 2- stdout | cmp - seven; }
deepen 257 65535 >deep.pgm
deepen 16 4080 >twelve.pgm
{ echo 'P2 28 28 65535' && awk '{ print $1 * 257 }' values; } >deep-text.pgm
{ echo 'P3 28 28 65535' && awk '{ print $1 * 257, $1 * 257, $1 * 257 }' values; } >deep-text.ppm
claim "a PGM of 16 bits" same_answer deep.pgm
claim "a PGM of 12 bits" same_answer twelve.pgm
claim "a plain PGM of 16 bits" same_answer deep-text.pgm
claim "a plain PPM of 16 bits" same_answer deep-text.ppm

# ---------------------------------------------------------------------------------------------
# Pipes

the_seven() { # NAME: stdout has the answer of picture 0 under that name
    printf '%s%s%s\n' "$1" "$tab" "$(cat seven)" | cmp - stdout
}
mkfifo pipe
through_a_fifo() {
    { sleep 1 && cat 0.pgm >pipe; } & # the reader waits for the writer
    exits 0 predict --raw pipe && the_seven pipe
}
claim "a named pipe, whose writer comes later" through_a_fifo
head -c 1000 0.pgm | predict --raw /dev/stdin >stdout 2>stderr
claim "/dev/stdin that is a pipe" the_seven /dev/stdin
predict --raw /dev/stdin <0.pgm >stdout 2>stderr
claim "/dev/stdin that is a file" the_seven /dev/stdin
gzip -dc "$DATA/t10k-images-idx3-ubyte.gz" | predict /dev/stdin >stdout 2>stderr
idx_lines() { cat stderr && [ "$(wc -l <stdout)" -eq 10000 ] && head -n 1 stdout | grep -q "^/dev/stdin:0${tab}7"; }
claim "IDX images from /dev/stdin" idx_lines
if [ -d /dev/fd ]; then
    head -c 1000 0.pgm | predict --raw /dev/fd/5 5<&0 >stdout 2>stderr
    claim "/dev/fd/N" the_seven /dev/fd/5
    claim "refused: /dev/fd/N that is not open" refuses 1 "/dev/fd/9" predict /dev/fd/9
fi
# The shell gives the command's output as a name: mlp predict m.bin <(convert ...).
if command -v bash >/dev/null; then
    substituted() {
        # shellcheck disable=SC2016 # for bash
        exits 0 bash -c '"$0" predict --raw m.bin <(cat 0.pgm) <(gzip -c 0.pgm | gzip -d)' "$bin" &&
            [ "$(cut -f 2- stdout | uniq)" = "$(cat seven)" ] && [ "$(wc -l <stdout)" -eq 2 ]
    }
    claim "the output of commands, as <(COMMAND)" substituted
fi
if command -v python3 >/dev/null; then
    # shellcheck disable=SC2016 # for Python
    by_socket() {
        exits 0 python3 -c 'import socket, subprocess, sys
ours, theirs = socket.socketpair()
ours.sendall(open("0.pgm", "rb").read()); ours.close()
sys.exit(subprocess.call([sys.argv[1], "predict", "--raw", "m.bin", "/dev/stdin"], stdin=theirs))' "$bin" && the_seven /dev/stdin
    }
    claim "/dev/stdin that is a socket" by_socket
else
    skip "python3 is not installed: no socket was read"
fi
mkfifo pipe.gz
gzip_in_a_fifo() {
    gzip -c 0.pgm >pipe.gz &
    refuses 1 "pipe.gz: is gzip data; give the file a name that ends in .gz, or pipe in what 'gzip -dc' makes of it" predict pipe.gz
}
claim "refused: gzip data from a pipe, whatever its name" gzip_in_a_fifo
claim "refused: a directory" refuses 1 "digits: is a directory, where a file was expected" predict digits
input_is_directory() { refuses 1 "is a directory" predict - <digits; }
claim "refused: a directory as standard input" input_is_directory
claim "refused: nothing, from a device" refuses 1 "/dev/null: is empty" predict /dev/null
claim "refused: standard input under two names" refuses 2 "only once" predict - /dev/stdin

# ---------------------------------------------------------------------------------------------
# Several in one stream

several() { # FILE NAME: three answers, numbered, those of the files one by one
    exits 0 predict 0.pgm 1.pgm 2.pgm && cut -f 2- stdout >alone && exits 0 predict "$1" <many.pgm && cat stdout &&
        cut -f 2- stdout | cmp - alone && printf '%s:%d\n' "$2" 0 "$2" 1 "$2" 2 >names && cut -f 1 stdout | cmp - names
}
cat 0.pgm 1.pgm 2.pgm >many.pgm
claim "three pictures on standard input are numbered" several - -
claim "three pictures in a file are numbered" several many.pgm many.pgm
{ gzip -c 0.pgm && gzip -c 1.pgm && gzip -c 2.pgm; } >many.pgm.gz
claim "three pictures in a compressed file are numbered" several many.pgm.gz many.pgm.gz
one_is_not_numbered() { exits 0 predict - <0.pgm && grep -q "^-${tab}7" stdout; }
claim "one picture is not numbered" one_is_not_numbered
a_bad_one() {
    awk 'BEGIN { print "P5 40 40 255"; for (i = 0; i < 1600; i++) printf "x" }' >blank.pgm
    cat 0.pgm blank.pgm 2.pgm >some.pgm
    exits 1 predict some.pgm && cat stdout stderr && [ "$(cut -f 1 stdout | tr '\n' ' ')" = 'some.pgm:0 some.pgm:2 ' ] &&
        [ "$(wc -l <stderr)" -eq 1 ] && grep -q '^mlp: some.pgm:1: the picture is blank' stderr
}
claim "one that cannot be answered does not keep the next from it" a_bad_one
in_an_open_pipe() { # the first of two is answered while the writer keeps the pipe open
    rm -f open.pipe answers && mkfifo open.pipe || return 1
    timeout -s KILL 60 "$bin" predict m.bin open.pipe >answers &
    reader=$!
    exec 9>open.pipe
    cat 0.pgm 1.pgm >&9
    tries=0
    until [ "$(wc -l <answers)" -eq 1 ] || [ "$tries" -eq 50 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    before=$(cut -f 1 answers)
    exec 9>&-
    wait "$reader" && echo "before the end: $before" && [ "$before" = open.pipe:0 ] && [ "$(wc -l <answers)" -eq 2 ]
}
claim "pictures in a pipe are answered before it is closed" in_an_open_pipe
junk_between() {
    { cat 0.pgm && echo && cat 1.pgm; } >junk.pgm
    refuses 1 "junk.pgm: continues after its 28 x 28 pixels, at byte 797, where the end or another image was expected" predict junk.pgm
}
claim "refused: something between two pictures, with its place" junk_between
junk_later() {
    { cat 0.pgm 1.pgm && printf '\211PNG'; } >junk.pgm
    exits 1 predict junk.pgm && [ "$(cut -f 1 stdout)" = junk.pgm:0 ] && [ "$(wc -l <stderr)" -eq 1 ] &&
        grep -q 'at byte 1594, where' stderr
}
claim "something behind the second is refused with its place, the first is answered" junk_later
last_is_cut() {
    { cat 0.pgm && head -c 700 1.pgm; } >cut.pgm
    exits 1 predict cut.pgm && [ "$(cut -f 1 stdout)" = cut.pgm:0 ] && grep -q 'cut.pgm:1: ends after 1497 bytes, with 687 of its' stderr
}
claim "a second picture that is cut is refused, the first is answered" last_is_cut
without_waiting() { # standard input does not block, and what is read comes later
    python3 -c '
import fcntl, os, subprocess, sys, time
end, begin = os.pipe()
fcntl.fcntl(end, fcntl.F_SETFL, os.O_NONBLOCK)
program = subprocess.Popen(sys.argv[1:], stdin=end)
os.close(end)
data = open("0.pgm", "rb").read()
for part in data[:100], data[100:]:
    time.sleep(0.2)
    os.write(begin, part)
os.close(begin)
sys.exit(program.wait())' "$bin" predict m.bin - >stdout 2>stderr && grep -q "^-${tab}7" stdout
}
if command -v python3 >/dev/null; then
    claim "standard input that does not block is waited for" without_waiting
else
    skip "python3 is not installed: standard input that does not block was not tried"
fi
no_memory() { # is said with the file that needed it
    # shellcheck disable=SC3045 # the shells of Linux have it
    (ulimit -v 12000 && exits 1 "$FAST_MLP" predict m.bin large.pgm) && cat stderr && grep -q '^mlp: large.pgm: out of memory' stderr
}
if [ "$(uname)" = Linux ]; then
    { printf 'P5 9000 9000 255\n' && head -c 81000000 /dev/zero; } >large.pgm
    claim "a picture that memory is short for is named" no_memory
    rm large.pgm
else
    skip "ulimit -v is not what it is on Linux: a picture without memory was not tried"
fi
text_is_one() {
    { cat deep-text.pgm deep-text.pgm; } >texts.pgm
    refuses 1 "where the end was expected" predict texts.pgm && { cat 0.pgm deep-text.pgm; } >both.pgm &&
        exits 0 predict both.pgm && [ "$(wc -l <stdout)" -eq 2 ]
}
claim "a plain picture is the last one of its file" text_is_one
if command -v python3 >/dev/null; then
    indexed() {
        exits 0 predict --json many.pgm && python3 -c 'import json
p = json.load(open("stdout"))["predictions"]
assert [(x["file"], x["index"]) for x in p] == [("many.pgm", i) for i in range(3)], p'
    }
    claim "JSON has their index" indexed
fi
# shellcheck disable=SC3045 # where ulimit knows -v
if (ulimit -v 65536) 2>/dev/null; then
    in_little_memory() { # 40 pictures of 4 megapixels, in 64 MB
        { printf 'P4 2000 2000\n' && head -c 500000 /dev/zero | tr '\0' '\377'; } >black.pbm
        # shellcheck disable=SC3045
        (ulimit -v 65536 && for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do cat black.pbm black.pbm; done |
            "$FAST_MLP" predict m.bin - >stdout 2>stderr)
        [ "$(grep -c 'standard input:[0-9]*: the picture is blank' stderr)" -eq 40 ] || { head -n 3 stderr; return 1; }
    }
    claim "one picture at a time is in memory" in_little_memory
else
    skip "ulimit -v is not known here: memory was not limited"
fi

# ---------------------------------------------------------------------------------------------
# Other formats

is_named() { # BYTES NAME
    # shellcheck disable=SC2059 # the format is the bytes
    printf "$1" >unknown
    refuses 1 "unknown: is $2, and --no-convert was given; convert it, for example: convert FILE $conversion" \
        predict --no-convert unknown
}
heic='\0\0\0\030ftypheic\0\0\0\0mif1heic\0\0\001\262meta'
claim "HEIC, which phones save" is_named "$heic" "a HEIC image"
with_tool() { grep -qF 'heif-convert FILE photo.png' stderr; }
claim "and the program that converts it" with_tool
claim "AVIF" is_named '\0\0\0\034ftypavif\0\0\0\0avifmif1miaf' "an AVIF image"
claim "JPEG XL" is_named '\377\012\372\037' "a JPEG XL image"
claim "JPEG XL in a container" is_named '\0\0\0\014JXL \r\n\207\n\0\0\0\024ftypjxl ' "a JPEG XL image"
claim "WebP" is_named 'RIFF\172\0\0\0WEBPVP8 ' "a WebP image"
claim "PSD" is_named '8BPS\0\001' "a Photoshop image (PSD)"
claim "PostScript" is_named '%%!PS-Adobe-3.0' "a PostScript document"
piped_in() {
    # shellcheck disable=SC2059
    printf "$heic" | predict --no-convert - >stdout 2>stderr
    cat stderr
    grep -q '^mlp: standard input: is a HEIC image, and --no-convert was given; convert it' stderr
}
claim "HEIC on standard input" piped_in
other_zeros() { # BYTES
    # shellcheck disable=SC2059
    printf "$1" >unknown
    refuses 1 "unknown: is not a picture of a known format: begins with 00 00" predict unknown
}
claim "what begins with zeros but like nothing known is not called IDX" other_zeros '\0\0\0\0\0\0\0\0'
claim "nor is a type of data that IDX does not have" other_zeros '\0\0\007\003\0\0\0\001'
floats() { printf '\0\0\015\003\0\0\0\001\0\0\0\001\0\0\0\001abcd' >floats && refuses 1 "floats: is not an IDX file of images: begins with 00 00 0d 03, not with 00 00 08 03" predict floats; }
claim "IDX data of floats are still IDX data" floats

# ---------------------------------------------------------------------------------------------
# The model comes first

order='the models come first: mlp predict MODEL... FILE...'
claim "refused: a picture, then the model" refuses 2 "0.pgm is a picture; $order" "$bin" predict 0.pgm m.bin
claim "refused: a picture alone" refuses 2 "0.pgm is a picture; $order" "$bin" predict 0.pgm
claim "refused: a photo, then the model" refuses 2 "x.png is a PNG image; $order" "$bin" predict x.png m.bin
gzip -dc "$DATA/t10k-images-idx3-ubyte.gz" >all.idx
claim "refused: IDX images, then the model" refuses 2 "all.idx is IDX data; $order" "$bin" predict all.idx m.bin
claim "refused: something else, then the model" refuses 2 "m.bin is a model; $order" "$bin" predict labels m.bin
from_input() { refuses 2 "m.bin is a model; $order" "$bin" predict - m.bin <0.pgm; }
claim "refused: standard input, then the model" from_input
claim "a model that is not there keeps its own reason" refuses 1 "nowhere.bin: No such file" "$bin" predict nowhere.bin m.bin
head -c 3000 m.bin >cut.bin
damaged() { exits 1 "$bin" predict cut.bin 0.pgm && grep -q '^mlp: cut.bin: ' stderr; }
claim "a model that is damaged keeps its own reason" damaged
model_after_picture() {
    exits 1 predict 0.pgm m.bin && cat stderr && [ "$(wc -l <stdout)" -eq 1 ] && [ "$(wc -l <stderr)" -eq 1 ] &&
        grep -qF "mlp: m.bin is a model; $order" stderr
}
claim "a model after a picture is refused, and the picture answered" model_after_picture
claim "refused: models without a picture" refuses 2 "needs a FILE after the models" predict m.bin

finish
