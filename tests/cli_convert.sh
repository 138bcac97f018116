#!/bin/sh
# Pictures that another program converts: what it is given, and what becomes of mlp predict when it
# fails, hangs, floods or is not there. Most programs here are made up; the last two parts have
# ImageMagick and netpbm convert pictures of every kind.
. tests/lib.sh

bin=$MLP
ROOT=$PWD
DATA=$PWD/data/mnist
cd "$WORK" || exit 1
unset MLP_CONVERT_SECONDS
mkdir tmp none fake && export TMPDIR="$WORK/tmp"
tab=$(printf '\t')
usual_path=$PATH

claim "a model of two epochs" exits 0 "$FAST_MLP" train -q -d "$DATA" --epochs 2 -o m.bin --csv m.csv
{ printf 'P5 28 28 255\n' && gzip -dc "$DATA/t10k-images-idx3-ubyte.gz" | tail -c +17 | head -c 784; } >0.pgm
printf '\211PNG\r\n\032\nand so on' >x.png

# fake NAME COMMANDS: a program that is made up, the only one on the PATH of `predict`. It may write down what it got and
# how it ended: no sandbox keeps it from other files (cli_sandbox.sh has one that is kept).
fake() {
    printf '#!/bin/sh\nPATH=%s\n%s\n' "'$usual_path'" "$2" >"fake/$1"
    chmod +x "fake/$1"
}
ln -s "$(command -v gzip)" fake/gzip
predict() { env PATH="$WORK/fake" "$bin" predict --no-sandbox m.bin "$@"; }

# says WORDS FILE...: the last FILE is 0.pgm, which is answered; before it comes one line with WORDS.
says() {
    said=$1
    shift
    exits 1 predict "$@" 0.pgm && cat stdout stderr && [ "$(cut -f 1 stdout)" = 0.pgm ] &&
        [ "$(wc -l <stderr)" -eq 1 ] && grep -qF -e "mlp: $said" stderr
}

# ---------------------------------------------------------------------------------------------
# What the program is given

fake magick "cat >'$WORK/given'; echo \"\$*\" >'$WORK/arguments'; cat '$WORK/0.pgm'"
exits 0 predict 0.pgm && cut -f 2- stdout >seven
the_seven() { exits 0 predict "$@" && cut -f 2- stdout | cmp - seven; }
claim "the answer is that of what the program makes of a picture" the_seven x.png
claim "the program reads the picture" cmp x.png given
name="msl:@-x;touch hacked|\$(touch hacked)%d.png"
no_name() {
    cp x.png "$name" && the_seven "$name" && cat arguments && ! grep -q 'msl\|hacked\|x' arguments &&
        grep -q ' png:-\[0\] .* pgm:-$' arguments && [ ! -e hacked ]
}
claim "it gets no file name, and is told the format" no_name
limited() { grep -q -- '-limit memory 1GiB .*-limit disk 4GiB .*-limit time 30 ' arguments; }
claim "and ImageMagick its limits" limited
from_a_pipe() { tail -c +1 x.png | predict - >stdout 2>stderr && cut -f 2- stdout | cmp - seven && cmp x.png given; }
claim "all bytes of standard input reach it" from_a_pipe
{ cat x.png && head -c 300000 /dev/zero; } >long.png
from_input() { predict /dev/stdin <long.png >stdout 2>stderr && cut -f 2- stdout | cmp - seven && cmp long.png given; }
claim "also where that is a file" from_input
gzip -c long.png >long.png.gz
compressed() { the_seven long.png.gz && cmp long.png given; }
claim "and those of a compressed file" compressed
head -c 200 long.png.gz >cut.png.gz
claim "refused: a compressed file that is damaged" says "cut.png.gz: gzip cannot decompress it" cut.png.gz
fake magick "cat '$WORK/0.pgm'"
claim "it need not read what it gets" the_seven long.png
fake magick "head -c 1000000 /dev/zero | tr '\\0' x >&2; cat '$WORK/0.pgm'"
claim "long messages do not keep it from converting" the_seven x.png
fake magick "head -c 100 '$WORK/0.pgm'; sleep 0.2; tail -c +101 '$WORK/0.pgm'"
claim "its output may come in parts" the_seven x.png
explained() { exits 0 env PATH="$WORK/fake" "$bin" explain --no-sandbox m.bin x.png && grep -q ', x.png$' stdout; }
claim "mlp explain reads it, too" explained
many() { # with few descriptors
    set -- x.png x.png x.png x.png x.png x.png x.png x.png
    # shellcheck disable=SC3045 # the shells of Linux and BSD have it
    (ulimit -n 16 && exits 0 predict "$@" "$@" "$@") && [ "$(wc -l <stdout)" -eq 24 ]
}
claim "no descriptor stays open" many

# ---------------------------------------------------------------------------------------------
# Without a program, and against one

rm fake/magick
claim "without a program it says what to install" \
    says "x.png: is a PNG image; to read it, install ImageMagick (package imagemagick) or netpbm" x.png
printf '\0\0\0\030ftypheic\0\0\0\0mif1heic\0\0\001\262meta' >x.heic
claim "netpbm is not named for what it cannot read" \
    says "x.heic: is a HEIC image; to read it, install ImageMagick (package imagemagick)" x.heic
not_netpbm() { ! grep -q netpbm stderr; }
claim "not even in the same line" not_netpbm
fake magick "touch '$WORK/ran'; cat '$WORK/0.pgm'"
not_run() { says "$@" && [ ! -e ran ]; }
claim "refused: --no-convert, with the reason and the remedy" \
    not_run "x.png: is a PNG image, and --no-convert was given; convert it, for example: convert FILE" --no-convert x.png
no_explain() {
    refuses 1 "x.png: is a PNG image, and --no-convert was given" env PATH="$WORK/fake" "$bin" explain --no-sandbox m.bin --no-convert x.png &&
        [ ! -e ran ]
}
claim "refused: --no-convert of mlp explain" no_explain
for magic in '%%PDF-1.4' '%%!PS-Adobe' '<svg xmlns=""/>' '<?xml version="1.0"?>' '8BPS\0\001' 'gimp xcf'; do
    # shellcheck disable=SC2059 # the format is the bytes
    printf "$magic" >document.png
    claim "refused: $magic is not given to a program, whatever its name" not_run "document.png: is a" document.png
done
for seconds in 0 x 100000; do
    export MLP_CONVERT_SECONDS=$seconds
    claim "refused: MLP_CONVERT_SECONDS=$seconds" not_run "x.png: MLP_CONVERT_SECONDS=$seconds: must be a whole number" x.png
done
unset MLP_CONVERT_SECONDS

# ---------------------------------------------------------------------------------------------
# A program that fails

fails() { # COMMANDS WORDS
    fake magick "$1"
    claim "refused: $1: $2" says "x.png: $2" x.png
}
fails 'exit 3' 'is a PNG image, which magick cannot read: its status was 3'
fails 'echo "magick: it is broken @ error/png.c/ReadPNGImage/1." >&2; exit 1' 'is a PNG image, which magick cannot read: it is broken'
one_line() { printf 'mlp: x.png: is a PNG image, which magick cannot read: it is broken\n' | cmp - stderr; }
claim "and no more of its message" one_line
fails 'printf "a\033[31m: red\007\nmore\n" >&2; exit 1' 'is a PNG image, which magick cannot read: red'
fails 'kill -9 $$' 'is a PNG image, which magick cannot read: its status was 137'
fails 'echo hello' 'is a PNG image; what magick made of it is not a whole picture'
fails 'printf "P5 10"; head -c 100000 /dev/zero | tr "\0" 1' 'is a PNG image; what magick made of it is not a whole picture'
fails 'printf "P5 0 10 255 "' 'is a PNG image; what magick made of it is not a whole picture'
fails 'true' 'is a PNG image; what magick made of it is not a whole picture'
fails 'printf "P5 10 10 255\n12345"' 'is a PNG image; what magick made of it is not a whole picture'
fails 'printf "P5 99999 1001 255\n"' 'has 99999 x 1001 pixels, more than the 100000000 that a digit may have'
fails 'printf "P5 10 10 255\n"; cat /dev/zero' 'magick made more of it than the 113 bytes of one picture'
fails "cat '$WORK/0.pgm'; echo 'x: Premature end of JPEG file' >&2" 'is a PNG image, which magick cannot read: Premature end of JPEG file'
TMPDIR="$WORK/nowhere"
fails 'true' "cannot make a temporary file in $WORK/nowhere to convert it: No such file"
TMPDIR="$WORK/tmp"
next_one() { # is tried when one fails; netpbm last
    fake magick 'exit 1' && fake convert 'exit 1' && fake pngtopam "cat '$WORK/0.pgm'" && the_seven x.png
}
claim "the next program is tried" next_one
fake pngtopam 'echo "pngtopam: not a PNG file" >&2; exit 1'
fake magick 'echo "magick: reason one" >&2; exit 1'
claim "where none can read it the first says why" says 'x.png: is a PNG image, which magick cannot read: reason one' x.png
rm fake/convert fake/pngtopam

# ---------------------------------------------------------------------------------------------
# A program that does not end

# It starts another one; the numbers of both are in "numbers".
hang="sleep 600 & echo \$! \$\$ >'$WORK/numbers'; wait"
all_ended() {
    for number in $(cat numbers); do
        tries=0
        while ps -o stat= -p "$number" | grep -q '[^Z]'; do # nobody may have waited for it: Z
            tries=$((tries + 1))
            [ "$tries" -lt 50 ] || { echo "$number still runs"; return 1; }
            sleep 0.1
        done
    done
}
export MLP_CONVERT_SECONDS=1
slow='x.png: magick took longer than 1 s (MLP_CONVERT_SECONDS) and was stopped'
fake magick "$hang"
claim "one that hangs is stopped" says "$slow" x.png
claim "with what it has started" all_ended
fake magick "trap '' TERM; $hang; wait; wait"
claim "also when it ignores being asked" says "$slow" x.png
claim "with what it has started" all_ended
fake magick "exec >&- 2>&-; $hang"
claim "and when it hangs after its output" says "$slow" x.png
claim "with what it has started" all_ended
fake magick "yes a long line of no use >&2"
claim "and when it floods with messages" says "$slow" x.png
fake magick "cat '$WORK/0.pgm'"
ignoring() { # a process that ignores SIGCHLD cannot wait for anybody
    # shellcheck disable=SC2016 # for the shell that ignores it
    exits 0 env PATH="$WORK/fake:$usual_path" sh -c 'trap "" CHLD; exec "$0" predict --no-sandbox m.bin x.png' "$bin" &&
        cut -f 2- stdout | cmp - seven
}
claim "a picture is converted where SIGCHLD is ignored" ignoring
fake magick "$hang"
ignoring_hang() {
    # shellcheck disable=SC2016
    exits 1 env PATH="$WORK/fake:$usual_path" sh -c 'trap "" CHLD; exec "$0" predict --no-sandbox m.bin x.png' "$bin" &&
        grep -qF "$slow" stderr && all_ended
}
claim "and one that hangs is stopped" ignoring_hang

export MLP_CONVERT_SECONDS=20
ended_by() { # SIGNAL STATUS
    rm -f numbers
    env PATH="$WORK/fake" "$bin" predict --no-sandbox m.bin x.png 0.pgm >stdout 2>stderr &
    predicting=$!
    tries=0
    until [ -s numbers ] || [ "$tries" -eq 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    begun=$(date +%s)
    kill -s "$1" "$predicting"
    wait "$predicting"
    status=$? seconds=$(($(date +%s) - begun))
    echo "status $status after $seconds seconds"
    cat stdout stderr
    [ "$status" -eq "$2" ] && [ "$seconds" -lt 10 ] && [ ! -s stdout ] && [ ! -s stderr ] && all_ended
}
claim "SIGTERM ends mlp predict and the program at once" ended_by TERM 143
claim "SIGHUP ends mlp predict and the program at once" ended_by HUP 129
interrupt() { # as from a terminal; a shell's job in the background would ignore it
    timeout -s INT 1 env PATH="$WORK/fake" "$bin" predict --no-sandbox m.bin x.png >stdout 2>stderr
    [ $? -eq 124 ] && [ ! -s stderr ] && all_ended
}
claim "SIGINT ends mlp predict and the program" interrupt
export MLP_CONVERT_SECONDS=2
ignored() { # as under nohup
    (
        trap '' HUP
        env PATH="$WORK/fake" "$bin" predict --no-sandbox m.bin x.png 0.pgm >stdout 2>stderr &
        sleep 0.5
        kill -s HUP $!
        wait $!
    )
    cat stderr && grep -q 'took longer than 2 s' stderr && grep -q "^0.pgm$tab" stdout && all_ended
}
claim "a signal that is ignored ends neither" ignored
unset MLP_CONVERT_SECONDS
no_files() { ls -A tmp && [ -z "$(ls -A tmp)" ]; }
claim "no temporary file is left" no_files

# ---------------------------------------------------------------------------------------------
# ImageMagick and netpbm

conversion=$(sed -n 's/^#define FORMAT_CONVERSION "\(.*\)"$/\1/p' "$ROOT/src/io/formats.h")
[ -n "$conversion" ] || claim "formats.h has the conversion" false
# A phone writes the pixels as the sensor has them, and in an EXIF segment how to turn them.
held() { # ORIENTATION HOW...
    orientation=$1
    shift
    convert drawn.png "$@" turned.jpg && {
        head -c 20 turned.jpg && # the start and the JFIF segment
            printf '\377\341\0\042Exif\0\0MM\0*\0\0\0\010\0\001\001\022\0\003\0\0\0\001\0%b\0\0\0\0\0\0' "\\0$orientation" &&
            tail -c +21 turned.jpg
    } >"held-$orientation.jpg"
}
# The digit at the left of a page that is higher than wide.
draw() {
    convert 0.pgm -negate -filter triangle -resize 140x140 -bordercolor white -border 30x60 -splice 50x0 drawn.png &&
        held 001 +repage && held 002 -flop && held 003 -rotate 180 && held 004 -flip && held 005 -transpose &&
        held 006 -rotate -90 && held 007 -transverse && held 010 -rotate 90 &&
        convert drawn.png -colorspace CMYK cmyk.jpg && convert drawn.png -colorspace CMYK cmyk.tiff &&
        convert drawn.png -colors 16 -type palette palette.png && convert drawn.png -compress none bmp.bmp && convert drawn.png -depth 16 deep.png &&
        convert drawn.png +level-colors navy,ivory coloured.png &&
        convert drawn.png -negate mask.png && # the ink is in the transparency alone, as drawing programs write it
        convert mask.png -fill black -colorize 100 mask.png -alpha off -compose CopyOpacity -composite transparent.png &&
        convert transparent.png -channel A -threshold 50% transparent.gif && convert transparent.png transparent.tiff &&
        convert drawn.png mask.png -loop 0 frames.gif && convert drawn.png mask.png pages.tiff &&
        convert drawn.png -comment "$(head -c 3000 /dev/zero | tr '\0' x)" comment.jpg && convert drawn.png pam.pam &&
        head -c 1200 held-001.jpg >cut.jpg
}
sevens() { # DIRECTORY FILE...: with the programs of the directory, all of them are sevens
    path=$1
    shift
    exits 0 env PATH="$path" "$bin" predict m.bin "$@" || return 1
    cat stdout
    [ "$(cut -f 2 stdout | sort | uniq -c | tr -d ' ')" = "$#7" ]
}
held='held-001.jpg held-002.jpg held-003.jpg held-004.jpg held-005.jpg held-006.jpg held-007.jpg held-010.jpg'
plain='cmyk.jpg cmyk.tiff palette.png bmp.bmp deep.png coloured.png transparent.png comment.jpg pam.pam frames.gif'
if command -v convert >/dev/null && convert -version 2>/dev/null | grep -q ImageMagick; then
    claim "ImageMagick draws" draw
    more='transparent.gif transparent.tiff pages.tiff'
    for kind in webp heic avif; do
        if convert drawn.png "drawn.$kind" 2>/dev/null; then
            more="$more drawn.$kind"
        else
            skip "this ImageMagick cannot write $kind: none was read"
        fi
    done
    # shellcheck disable=SC2086 # lists
    claim "ImageMagick: photos held in all eight ways are turned" sevens "$usual_path" $held
    # shellcheck disable=SC2086
    claim "ImageMagick: pictures of every kind; of several frames or pages the first" sevens "$usual_path" $plain $more
    cut -f 2- stdout >answers
    as_documented() { # but for frames and pages, of which the documented conversion makes one picture
        for file in $plain $more; do
            # shellcheck disable=SC2086
            convert "${file}[0]" $conversion | "$FAST_MLP" predict m.bin - | cut -f 2-
        done | diff answers -
    }
    claim "the answers are those of the conversion that is documented" as_documented
    cut_short() {
        exits 1 "$bin" predict m.bin cut.jpg 0.pgm
        cat stdout stderr && [ "$(wc -l <stdout)" -eq 1 ] && grep -q '^mlp: cut.jpg: .*remature end' stderr
    }
    claim "refused: a photo that is cut short" cut_short
    # 35 bytes that say 65535 x 65535 pixels.
    printf 'GIF89a\377\377\377\377\200\0\0\0\0\0\377\377\377,\0\0\0\0\377\377\377\377\0\002\002D\001\0;' >bomb.gif
    bomb() { # PATH
        env PATH="$1" "$bin" predict m.bin bomb.gif 0.pgm >stdout 2>stderr
        cat stderr
        [ "$(wc -l <stdout)" -eq 1 ] && [ "$(wc -l <stderr)" -eq 1 ] && grep -q '^mlp: bomb.gif: ' stderr
    }
    claim "refused: a decompression bomb" bomb "$usual_path"
    mkdir netpbm
    for program in pngtopam jpegtopnm giftopnm bmptopnm tifftopnm pamtopnm pamflip; do
        ! program=$(command -v $program) || ln -s "$program" netpbm
    done
    if [ -e netpbm/pngtopam ] && [ -e netpbm/pamflip ]; then
        # shellcheck disable=SC2086
        claim "netpbm: photos held in all eight ways are turned" sevens "$WORK/netpbm" $held
        # shellcheck disable=SC2086
        claim "netpbm: pictures of every kind" sevens "$WORK/netpbm" $plain
        claim "netpbm: refused: a decompression bomb" bomb "$WORK/netpbm"
    else
        skip "netpbm is not installed: it converted nothing"
    fi
    claim "no temporary file is left" no_files
else
    skip "ImageMagick is not installed: no real picture was converted"
fi

finish
