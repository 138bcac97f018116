#!/bin/sh
# Learning on real data, and what stands around the program: the model file for others, the plot,
# the installation.
. tests/lib.sh

ROOT=$PWD
DATA=$ROOT/data/mnist
cd "$WORK" || exit 1

# ---------------------------------------------------------------------------------------------
# Learning

learns() {
    exits 0 "$FAST_MLP" train -d "$DATA" --epochs 5 -o m.bin --csv m.csv &&
        exits 0 "$FAST_MLP" eval m.bin -d "$DATA" --split validation --min-accuracy 0.955 &&
        exits 0 "$FAST_MLP" eval m.bin -d "$DATA" --min-accuracy 0.95
}
claim "five epochs on MNIST reach 95.5 % on validation and 95 % on test" learns

# The full size: what the README promises to everyone.
if command -v sha256sum >/dev/null; then
    promised=$(sed -n 's/^ *\([0-9a-f]\{64\}\)  model.bin$/\1/p' "$ROOT/README.md")
    gives_the_promised_model() {
        exits 0 "$FAST_MLP" train -q -d "$DATA" --epochs 100 --lr 1e-4 -o full.bin --csv full.csv || return 1
        sha256sum full.bin
        [ -n "$promised" ] && [ "$(sha256sum <full.bin | cut -d ' ' -f 1)" = "$promised" ]
    }
    claim "100 epochs at 1e-4 give the model whose SHA-256 the README states" gives_the_promised_model
    reaches_its_accuracy() { exits 0 "$FAST_MLP" eval full.bin -d "$DATA" --min-accuracy 0.9668; }
    claim "which is right about 96.68 % of the test images" reaches_its_accuracy
    promised_fast=$(sed -n 's/^ *\([0-9a-f]\{64\}\)  fast.bin$/\1/p' "$ROOT/README.md")
    gives_the_promised_fast_model() {
        exits 0 "$FAST_MLP" train -q -d "$DATA" --preset fast -o fast.bin || return 1
        sha256sum fast.bin
        [ -n "$promised_fast" ] && [ "$(sha256sum <fast.bin | cut -d ' ' -f 1)" = "$promised_fast" ] &&
            exits 0 "$FAST_MLP" eval fast.bin -d "$DATA" --min-accuracy 0.99
    }
    claim "the preset fast gives the model whose SHA-256 the README states, right about 99 % of the test images" \
        gives_the_promised_fast_model
else
    skip "sha256sum is not installed: the model of full size was not compared"
fi

sanitized_is_the_same() {
    for program in "$MLP" "$FAST_MLP"; do
        "$program" train -q -d "$DATA" --epochs 2 --train-size 2000 -o "$(basename "$(dirname "$program")").bin" --csv s.csv || return 1
    done
    cmp "$(basename "$(dirname "$MLP")").bin" "$(basename "$(dirname "$FAST_MLP")").bin"
}
claim "the sanitized program makes the same model" sanitized_is_the_same

batch_sizes_agree() {
    for batch in 32 256; do
        "$FAST_MLP" train -q -d "$DATA" --epochs 4 --lr 1e-4 --batch "$batch" -o b.bin --csv "b$batch.csv" || return 1
    done
    paste -d, b32.csv b256.csv | awk -F, 'END { d = $5 - $12; print $5, $12; exit d > 0.01 || d < -0.01 }'
}
claim "batches of 32 and 256 end close together" batch_sizes_agree

FASHION=/usr/share/datasets/fashion-mnist
if [ -d "$FASHION" ]; then
    fashion() {
        exits 0 "$FAST_MLP" train -q -d "$FASHION" --epochs 5 -o f.bin --csv f.csv &&
            exits 0 "$FAST_MLP" eval f.bin -d "$FASHION" --split validation --min-accuracy 0.82
    }
    claim "Fashion-MNIST trains with no special case" fashion
else
    skip "dataset-fashion-mnist is not installed: it was not trained on"
fi

# ---------------------------------------------------------------------------------------------
# For others

if command -v python3 >/dev/null; then
    independent_reader() {
        python3 "$ROOT/tests/read_safetensors.py" m.bin >tensors &&
            printf 'fc1.bias [64]\nfc1.weight [64, 784]\nfc2.bias [10]\nfc2.weight [10, 64]\n' | cmp - tensors
    }
    claim "an independent reader opens the model by the published rules" independent_reader
else
    skip "python3 is not installed: no independent reader opened the model"
fi

needs_libc_and_libm_only() {
    ldd "$FAST_MLP" >libraries && ! grep -v 'linux-vdso\|/ld-linux\|/ld-musl\|libc\.\|libm\.' libraries
}
if command -v ldd >/dev/null; then
    claim "the program is linked with libc and libm only" needs_libc_and_libm_only
else
    skip "ldd is not installed: the libraries were not looked at"
fi

if command -v gnuplot >/dev/null; then
    is_png() { [ "$(head -c 4 "$1" | tail -c 3)" = PNG ] && [ "$(wc -c <"$1")" -gt 5000 ]; }
    draws_curves() {
        cp m.csv curves.csv && gnuplot "$ROOT/scripts/plot.gp" && is_png curves.png
    }
    claim "gnuplot draws curves.csv" draws_curves
    draws_several() {
        gnuplot -c "$ROOT/scripts/plot.gp" two.png m.csv b32.csv && is_png two.png &&
            gnuplot -c "$ROOT/scripts/plot.gp" two.svg m.csv b32.csv && grep -q '</svg>' two.svg
    }
    claim "gnuplot draws several runs, as PNG and as SVG" draws_several
    draws_one_row() {
        head -n 2 m.csv >one.csv && gnuplot -c "$ROOT/scripts/plot.gp" one.png one.csv && is_png one.png
    }
    claim "gnuplot draws a run of one epoch" draws_one_row
    no_picture() { ! gnuplot -c "$ROOT/scripts/plot.gp" bad.png "$ROOT/README.md" && [ ! -e bad.png ]; }
    claim "what is not a table of curves is not drawn" no_picture
else
    skip "gnuplot is not installed: no curves were drawn"
fi

# ---------------------------------------------------------------------------------------------
# Installation

installs_and_removes() {
    mkdir copy && cp -r "$ROOT/Makefile" "$ROOT/include" "$ROOT/src" "$ROOT/scripts" "$ROOT/data" copy || return 1
    "$MAKE" -s -C copy CFLAGS=-O0 PREFIX="$WORK/usr" DESTDIR="$WORK/stage" install || return 1
    [ -z "$(ls usr 2>/dev/null)" ] || return 1
    mv "stage$WORK/usr" usr
    for file in bin/mlp include/mlp.h lib/libmlp.a lib/libmlp.so lib/pkgconfig/mlp.pc share/man/man1/mlp.1 share/mlp/plot.gp share/mlp/style.gp \
        share/mlp/mnist/train-images-idx3-ubyte.gz share/mlp/mnist/t10k-labels-idx1-ubyte.gz; do
        [ -f "usr/$file" ] || { echo "missing: $file"; return 1; }
    done
    mkdir elsewhere
    (cd elsewhere && exits 0 ../usr/bin/mlp train -q --epochs 1 --train-size 500 --val-size 100) || return 1
    if command -v gnuplot >/dev/null; then # the installed script finds its style
        (cd elsewhere && gnuplot ../usr/share/mlp/plot.gp && [ -s curves.png ]) || return 1
    fi
    "$MAKE" -s -C copy PREFIX="$WORK/usr" uninstall && [ -z "$(find usr -type f)" ]
}
claim "make install puts everything in place, finds its data, and is undone" installs_and_removes

finish
