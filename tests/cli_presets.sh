#!/bin/sh
# Presets: what --help says of them is what they do, flags override them, the model records them and
# a training that is resumed keeps them.
. tests/lib.sh

bin=$MLP
small_data "$WORK/small" 400
cd "$WORK" || exit 1
train() { # FLAGS...: small and short
    "$FAST_MLP" train -q -d small --train-size 300 --val-size 100 -o m.bin "$@"
}
info() { # MODEL: its settings, but for those that say how long and on what
    "$FAST_MLP" info "$1" | sed -n '/^architecture/,/^$/p' | grep -v '^\(format\|checksum_crc32\|epochs\|preset\|planned_epochs\) '
}

# The lines of the help: NAME --arch NAME --flag value...
"$bin" train --help | awk '/^Presets:/ { on = 1; next } /^$/ { on = 0 } on && /^  [a-z]/ { printf "%s", (n++ ? "\n" : "") }
    on { $1 = $1; printf "%s ", $0 } END { print "" }' >presets
cat presets
claim "--help lists at least course, accurate of each architecture, and fast" \
    [ "$(awk '{ print $1, $3 }' presets | grep -cx 'course mlp\|accurate mlp\|accurate cnn\|accurate lenet5\|fast cnn')" -eq 5 ]

# A preset, and its flags written out, give the same weights and settings. The sizes of images and
# epochs are made small for the test.
same_as_its_flags() { # NAME ARCH FLAGS...
    name=$1 arch=$2
    shift 2
    exits 0 train --preset "$name" --arch "$arch" --epochs 1 -o preset.bin && info preset.bin >preset.info &&
        exits 0 train --arch "$arch" "$@" --epochs 1 -o flags.bin && info flags.bin | diff preset.info - || return 1
    "$bin" info preset.bin | grep -qx "preset  *$name" || return 1
    [ "$("$bin" predict --top 3 preset.bin small/t10k-images-idx3-ubyte | cut -f 2- | cksum)" = \
        "$("$bin" predict --top 3 flags.bin small/t10k-images-idx3-ubyte | cut -f 2- | cksum)" ]
}
while read -r name arch_flag arch flags; do
    # shellcheck disable=SC2086 # words
    claim "--preset $name $arch_flag $arch is $flags" same_as_its_flags "$name" "$arch" $flags
done <presets

first_architecture() { # NAME ARCH: without --arch
    exits 0 train --preset "$1" --epochs 1 && "$bin" info m.bin | grep -qx "architecture  *$2"
}
claim "a preset without --arch is of its own architecture" first_architecture fast cnn
claim "of the first one where there are several" first_architecture accurate mlp

help_shows() { # FLAG VALUE of the preset accurate
    "$bin" train --preset accurate --help | tr -s ' \n' '  ' | awk -v flag=" --$1 [A-Z]" -v value="$2" '{
        match($0, flag)
        rest = substr($0, RSTART)
        rest = substr(rest, index(rest, "(default "))
        print rest
        exit RSTART == 0 || index(rest, "(default " value ")") != 1
    }'
}
sed -n 's/^accurate --arch mlp //p' presets | tr -s ' ' '\n' | paste -d ' ' - - | sed 's/^--//' >accurate.flags
claim "the preset accurate has flags" [ -s accurate.flags ]
while read -r flag value; do
    claim "its --help shows $value for --$flag" help_shows "$flag" "$value"
done <accurate.flags

overrides() {
    exits 0 train --lr 0.003 --preset accurate --rotate 3 --hidden 5,4 --epochs 1 && "$bin" info m.bin >now &&
        grep -qx 'preset  *accurate' now && grep -qx 'learning_rate  *0.003' now && grep -qx 'rotate  *3' now &&
        grep -qx 'hidden  *5-4' now && grep -qx 'epochs  *1' now && grep -qx 'schedule  *cosine' now
}
claim "flags before and after it override it" overrides
back_to_default() { # as without the preset, but for its name
    exits 0 train --preset course --lr 0.001 --epochs 1 -o a.bin && exits 0 train --epochs 1 -o b.bin &&
        info a.bin >a && info b.bin | diff a - && "$bin" info a.bin | grep -qx 'preset  *course'
}
claim "a default that is given overrides it too" back_to_default
augment_beside() { # the preset's amounts stay
    exits 0 train --preset accurate --augment --scale 0.2 --epochs 1 && "$bin" info m.bin >now && grep -qx 'scale  *0.2' now &&
        [ "$(sed -n 's/^rotate  *//p' now)" = "$(sed -n 's/^rotate //p' accurate.flags)" ]
}
claim "--augment beside a preset keeps the preset's amounts" augment_beside
none_is_plain() {
    exits 0 train --epochs 1 -o a.bin && exits 0 train --preset none --epochs 1 -o b.bin && cmp a.bin b.bin &&
        ! "$bin" info a.bin | grep -q '^preset'
}
claim "the preset none is that of no preset" none_is_plain
course_is_the_published_command() { # but for the name in the metadata
    exits 0 train --preset course --epochs 2 -o a.bin && exits 0 train --lr 1e-4 --epochs 2 -o b.bin &&
        tail -c 200000 a.bin >a && tail -c 200000 b.bin | cmp a -
}
claim "course has the weights of --lr 1e-4" course_is_the_published_command

claim "a preset that is not there is refused" refuses 2 "--preset: 'best' is not one of none, course, accurate, fast" train --preset best
claim "one of another architecture is refused" refuses 2 "'course' is for the architecture mlp, not cnn" train --preset course --arch cnn
claim "also where only --help is asked for, the help is printed" exits 0 "$bin" train --preset course --arch cnn --help
claim "a preset is not an optimizer's business: its momentum with adam is refused" refuses 2 '--momentum' train --arch cnn \
    --preset accurate --optimizer adam
adam_without_momentum() {
    exits 0 train --arch cnn --preset accurate --optimizer adam --momentum 0 --epochs 1 && "$bin" info m.bin >now &&
        grep -qx 'optimizer  *adam' now && ! grep -q '^momentum' now && grep -qx 'preset  *accurate' now
}
claim "--momentum 0 makes room for adam" adam_without_momentum

keeps() { # the name and all that it stands for
    exits 0 train --preset course --epochs 2 -o whole.bin && exits 0 train --preset course --epochs 1 -o part.bin &&
        exits 0 "$FAST_MLP" train -q -d small --resume part.bin --epochs 2 && cmp whole.bin part.bin &&
        exits 0 train --preset course --epochs 1 -o part.bin &&
        exits 0 "$FAST_MLP" train -q -d small --resume part.bin --preset course --epochs 2 && cmp whole.bin part.bin
}
claim "--resume keeps the preset, and may name it" keeps
claim "--resume refuses another one" refuses 2 '--preset accurate' "$bin" train -q -d small --resume whole.bin --preset accurate \
    --epochs 3
claim "and one for a model that has none" refuses 2 '--preset course' "$bin" train -q -d small --resume b.bin --preset course \
    --epochs 3

if command -v python3 >/dev/null; then
    json_names_it() {
        exits 0 train --preset course --epochs 1 --json && python3 -c 'import json, sys
sys.exit(json.load(open("stdout"))["preset"] != "course")'
    }
    claim "--json names it" json_names_it
else
    skip "python3 is not installed: the JSON of a preset was not read"
fi

finish
