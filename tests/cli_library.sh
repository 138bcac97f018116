#!/bin/sh
# The library as it is installed: the examples are built with pkg-config and give what the commands
# give, the header is C11 and C++, and include/README.md shows the examples that are tried here.
. tests/lib.sh

usr=$WORK/usr examples=scripts/examples
export PKG_CONFIG_PATH="$usr/lib/pkgconfig" LD_LIBRARY_PATH="$usr/lib"

install_library() {
    with_plain_objects "$WORK/build" &&
        "$MAKE" -s -j 2 CC="$CC" SAN= BUILD="$WORK/build" PROGRAM="$WORK/mlp" install PREFIX="$usr"
}
build() { # COMPILER SOURCE OUTPUT PKG-CONFIG-ARGUMENT...
    compiler=$1 source=$2 output=$3
    shift 3
    # shellcheck disable=SC2046 # words, as pkg-config means them
    $compiler -O2 -Wall -Wextra -Wpedantic -Werror -o "$WORK/$output" "$source" $(pkg-config --cflags --libs "$@" mlp)
}
no_longer_than() { # LINES FILE
    [ "$(wc -l <"$2")" -le "$1" ]
}

claim "make install puts the library into a directory" install_library
if ! command -v pkg-config >/dev/null; then
    skip "pkg-config is not installed: nothing was built with the library"
    finish
fi

# ---------------------------------------------------------------------------------------------
# The examples

shared() {
    build "$CC -std=c11" "$examples"/classify.c classify && build "$CC -std=c11" "$examples"/train.c train
}
static() {
    build "$CC -std=c11 -static" "$examples"/classify.c classify_static --static &&
        build "$CC -std=c11 -static" "$examples"/train.c train_static --static
}
claim "the examples build as C11 with the shared library" shared
claim "and with the static library" static
claim "the one that classifies has 40 lines at most" no_longer_than 40 "$examples"/classify.c
claim "the one that trains has 60 lines at most" no_longer_than 60 "$examples"/train.c

trained() { # NAME: a training by the example gives the command's model
    LC_ALL=C "$WORK/$1" "$WORK/data" "$WORK/$1.bin" 3 >"$WORK/said" && cat "$WORK/said" &&
        cmp "$WORK/$1.bin" "$WORK/model.bin" &&
        grep -qF "test accuracy $("$FAST_MLP" eval "$WORK/model.bin" -d "$WORK/data" |
            sed -n 's/^accuracy *\([0-9.]* %\),.*/\1/p')" "$WORK/said"
}
small_data "$WORK/data" 1000
claim "a model for them is trained" \
    "$FAST_MLP" train -q --epochs 3 -d "$WORK/data" -o "$WORK/model.bin" --csv "$WORK/curves.csv"
claim "training from C gives the same bytes as mlp train, and the same accuracy as mlp eval" trained train
claim "also with the static library" trained train_static

# The first test images, as pictures of twice the size on paper.
for i in 0 1 2 3 4 5 6 7 8 9; do
    { printf 'P5 28 28 255\n' && tail -c +$((17 + i * 784)) "$WORK/data/t10k-images-idx3-ubyte" | head -c 784; } \
        >"$WORK/$i.pgm"
done
ranked() { # PICTURE: what mlp predict says, one line per class
    "$FAST_MLP" predict --top 10 "$WORK/model.bin" "$1" 2>/dev/null | cut -f 2- | tr '\t' '\n' | paste - -
}
classified() { # NAME
    for i in 0 1 2 3 4 5 6 7 8 9; do
        ranked "$WORK/$i.pgm" | sort >"$WORK/expected" && [ "$(wc -l <"$WORK/expected")" -eq 10 ] &&
            "$WORK/$1" "$WORK/model.bin" "$WORK/$i.pgm" | sort | diff - "$WORK/expected" || return 1
    done
}
from_python() {
    for i in 0 1 2 3 4 5 6 7 8 9; do
        ranked "$WORK/$i.pgm" | head -n 1 >"$WORK/expected" &&
            python3 "$examples"/classify.py "$WORK/model.bin" "$WORK/$i.pgm" | diff - "$WORK/expected" || return 1
    done
}
python_refuses() {
    ! python3 "$examples"/classify.py "$WORK/absent.bin" "$WORK/0.pgm" 2>"$WORK/said" &&
        grep -q '^[^ ]*absent.bin: No such file' "$WORK/said" && [ "$(wc -l <"$WORK/said")" -eq 1 ]
}
python_usage() {
    ! python3 "$examples"/classify.py "$WORK/model.bin" 2>"$WORK/said" && grep -q '^usage: ' "$WORK/said" &&
        [ "$(wc -l <"$WORK/said")" -eq 1 ]
}
classify_refuses() { # WORD MODEL PICTURE
    ! "$WORK/classify" "$2" "$3" >"$WORK/said" 2>&1 && cat "$WORK/said" && [ "$(wc -l <"$WORK/said")" -eq 1 ] &&
        grep -qF "$1" "$WORK/said"
}
claim "classifying from C gives the classes and probabilities of mlp predict" classified classify
claim "also with the static library" classified classify_static
claim "a model that is absent is one line" classify_refuses "absent.bin: No such file" "$WORK/absent.bin" "$WORK/0.pgm"
claim "so is a picture that is a model" classify_refuses "model.bin: is a model" "$WORK/model.bin" "$WORK/model.bin"
if command -v python3 >/dev/null; then
    claim "classifying from Python gives the same" from_python
    claim "and a model that is absent is one line" python_refuses
    claim "without arguments it shows its usage" python_usage
else
    skip "python3 is not installed: the example in Python was not tried"
fi

# ---------------------------------------------------------------------------------------------
# The header

cat >"$WORK/header.c" <<'END'
#include <mlp.h>
int main(void)
{
    mlp_settings settings;
    mlp_model *model = mlp_open("absent.bin", 0);
    mlp_close(model);
    return mlp_settings_default(&settings, "mlp", 0) && settings.hidden[0] == 64 && model == 0 ? 0 : 1;
}
END
cp "$WORK/header.c" "$WORK/header.cc"
header() { # COMPILER SOURCE
    build "$1" "$WORK/$2" header && (cd "$WORK" && ./header)
}
for compiler in "gcc -std=c11" "clang -std=c11"; do
    if command -v "${compiler%% *}" >/dev/null; then
        claim "the header compiles with $compiler" header "$compiler" header.c
    else
        skip "${compiler%% *} is not installed: the header was not tried with it"
    fi
done
for compiler in "g++ -std=c++98 -Wno-long-long" "g++" "clang++"; do
    if command -v "${compiler%% *}" >/dev/null; then
        claim "and as C++ with $compiler" header "$compiler" header.cc
    else
        skip "${compiler%% *} is not installed: the header was not tried with it"
    fi
done

# ---------------------------------------------------------------------------------------------
# The document

shown() { # FILE: as a block of include/README.md, all of it
    awk -v file="$1" '
        /^```/ { if (inside && text == wanted) found = 1; inside = !inside; text = ""; next }
        inside { text = text $0 "\n" }
        BEGIN { while ((getline line <file) > 0) wanted = wanted line "\n" }
        END { exit !(found && wanted != "") }' include/README.md
}
for example in classify.c train.c classify.py; do
    claim "include/README.md shows $example" shown "$examples"/$example
done

finish
