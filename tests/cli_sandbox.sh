#!/bin/sh
# What commands that read what others made give up before they read (src/cli/sandbox.c): a reader that has been taken
# over can open no other file. And what they keep: files that are links, outputs and converters in any place.
. tests/lib.sh

root=$PWD
small_data "$WORK/small" 20
mkdir "$WORK/temporary" "$WORK/there"
cd "$WORK" || exit 1
export MLP_DATA="$WORK/small" TMPDIR="$WORK/temporary"
"$FAST_MLP" train -q --epochs 1 --train-size 10 --val-size 10 --hidden 4 -o m.bin --csv curves.csv 2>said || exit 1
{ printf 'P5 28 28 255\n' && tail -c 784 "$WORK/small/t10k-images-idx3-ubyte"; } >seven.pgm

# ---------------------------------------------------------------------------------------------
# A reader that has been taken over (hostile_reader.c)

attacked() { # COMMAND...: its attempts are in attempts, and how many worked in worked
    rm -rf victim && mkdir victim && echo mine | tee victim/secret victim/old >victim/precious || return 1
    VICTIM=$WORK/victim LD_PRELOAD="$WORK/hostile.so" "$@" >stdout 2>attempts || { cat stdout attempts; return 1; }
    cat attempts
    grep -c ': done$' attempts >worked || :
}
keeps_out() { # COMMAND...
    attacked "$FAST_MLP" "$@" && [ "$(cat worked)" -eq 0 ] && [ "$(grep -c ': EACCES$\|: EPERM$' attempts)" -eq "$attempts" ] &&
        [ "$(cat victim/secret victim/old victim/precious | grep -c mine)" -eq 3 ]
}
lets_in() { # COMMAND...: so that the attempts can be seen to work
    attacked "$FAST_MLP" "$@" --no-sandbox && [ "$(cat worked)" -eq "$attempts" ]
}

converter_elsewhere() { # a link that is not one of gzip, magick and convert, in the PATH, to a directory that is not
    mkdir path elsewhere && ln -s "$WORK/elsewhere/pngtopam" path/pngtopam &&
        printf '#!/bin/sh\nPATH="%s"\ncat "%s/seven.pgm"\n' "$PATH" "$WORK" >elsewhere/pngtopam &&
        chmod +x elsewhere/pngtopam && printf '\211PNG\r\n\032\n0123456789' >elsewhere.png &&
        exits 0 env PATH="$WORK/path" "$FAST_MLP" predict m.bin elsewhere.png --no-sandbox &&
        refuses 1 'was denied, see --no-sandbox' env PATH="$WORK/path" "$FAST_MLP" predict m.bin elsewhere.png
}

if ! "$CC" -shared -fPIC -o "$WORK/hostile.so" "$root/tests/hostile_reader.c" ||
    ! attacked "$FAST_MLP" info m.bin >said || ! grep -q '^version' attempts; then
    skip "no function of the C library can be replaced in this program: no reader was taken over"
elif ! grep -q '^version: [1-9]' attempts; then
    skip "this kernel does not have Landlock: no reader was confined"
else
    attempts=$(grep -c -v '^version' attempts)
    while read -r words; do
        # shellcheck disable=SC2086 # words
        claim "a reader that has been taken over can open no other file: mlp $words" keeps_out $words
        # shellcheck disable=SC2086
        claim "with --no-sandbox it can" lets_in $words
    done <<EOF
eval m.bin --predictions there/p.csv
predict m.bin seven.pgm
info m.bin
info small
features m.bin
explain m.bin
EOF
    claim "netpbm as links to elsewhere is not run, and the error names --no-sandbox" converter_elsewhere
fi

# OpenBSD's calls, as stand-ins that write down what they are told.
openbsd() {
    cat >stub.h <<'EOF'
int unveil(const char *path, const char *rights);
int pledge(const char *promises, const char *of_programs);
EOF
    cat >stub.c <<'EOF'
#include <stdio.h>
int unveil(const char *path, const char *rights) { return fprintf(stderr, "unveil %s %s\n", path, rights) < 0; }
int pledge(const char *promises, const char *of_programs) { return fprintf(stderr, "pledge %s%s\n", promises, of_programs ? "!" : "") < 0; }
EOF
    find "$root/build/plain/cli" -name '*.o' ! -name sandbox.o -exec cp {} objects \;
    "$CC" -std=gnu11 -Wall -Wextra -Wconversion -Werror -D__OpenBSD__ -include ./stub.h -D_FILE_OFFSET_BITS=64 \
        -I"$root/src/base" -I"$root/src/kernels" -I"$root/include" -I"$root/src/nn" -I"$root/src/io" -c -o objects/sandbox.o \
        "$root/src/cli/sandbox.c" && "$CC" -pthread -o openbsd objects/*.o stub.c "$root/libmlp.a" -lm &&
        ./openbsd eval m.bin --predictions there/p.csv >stdout 2>told && cat told || return 1
    grep -qx 'unveil m.bin r' told && grep -qx "unveil $WORK/small r" told && grep -qx 'unveil there rwc' told &&
        grep -qx 'unveil /usr rx' told && [ "$(tail -n 1 told)" = 'pledge stdio rpath wpath cpath fattr tty proc exec' ] &&
        [ "$(grep -c pledge told)" -eq 1 ] && ./openbsd info m.bin --no-sandbox 2>told >stdout && [ ! -s told ]
}
mkdir objects
if [ -z "${TEST_BUILD:-}" ]; then
    claim "on OpenBSD unveil and pledge are told the same (compiled with stand-ins for both)" openbsd
else
    skip "the build that is tested is not the plain one: its objects were not linked with stand-ins for unveil and pledge"
fi

# ---------------------------------------------------------------------------------------------
# What commands keep

# The answers of a command are those that it gives without a sandbox.
same() { # COMMAND...: of the sanitized program
    exits 0 "$MLP" "$@" --no-sandbox && mv stdout expected && exits 0 "$MLP" "$@" && cmp expected stdout
}

linked_data() { # a directory whose files are elsewhere
    mkdir linked && ln -s "$WORK/small"/* linked && same eval m.bin --data linked && same info linked &&
        same eval "$WORK/m.bin" --data "$WORK/there/../small" && same eval m.bin --data "$WORK/small/" || return 1
    mkdir torch && ln -s "$WORK/small" torch/raw && same eval m.bin --data torch && same info torch
}
claim "data whose files are links are read, and directories by any path" linked_data

one_set() { # DIR/SET
    mkdir sets && for file in "$WORK/small"/*; do
        ln -s "$file" "sets/some-${file##*/}" || return 1
    done
    same eval m.bin --data sets/some && same info sets/some
}
claim "so is one data set of a directory" one_set

outputs() { # by links, to other directories, to pipes, to descriptors
    ln -s "$WORK/there/target.csv" link.csv && mkfifo pipe && exits 0 "$MLP" eval m.bin --predictions "$WORK/there/a.csv" \
        --mistakes link.csv --confusion c.csv && cp "$WORK/there/a.csv" expected && [ -s "$WORK/there/target.csv" ] && [ -s c.csv ] ||
        return 1
    cat pipe >copy &
    exits 0 "$MLP" eval m.bin --predictions pipe && wait $! && cmp expected copy &&
        exits 0 "$MLP" eval m.bin --predictions /dev/stdout && cmp expected stdout &&
        "$MLP" eval m.bin --predictions /proc/self/fd/5 5>copy >stdout && cmp expected copy
}
claim "tables go to other directories, through links, to a pipe and to a descriptor" outputs

arrays() { # into a directory that is there, and one that is not
    mkdir empty && same features m.bin --csv - && exits 0 "$MLP" explain m.bin --save empty &&
        exits 0 "$MLP" explain m.bin --save "$WORK/there/new/" && diff -r empty "$WORK/there/new"
}
claim "mlp explain makes its directory anywhere" arrays

pictures() { # from standard input, a pipe and a link; a directory is refused as one
    ln -s "$WORK/seven.pgm" "$WORK/there/link.pgm" && exits 0 "$MLP" predict m.bin seven.pgm && cut -f 2- stdout >expected &&
        exits 0 "$MLP" predict m.bin "$WORK/there/link.pgm" && cut -f 2- stdout | cmp expected - || return 1
    cat seven.pgm >pipe &
    exits 0 "$MLP" predict m.bin pipe && wait $! && cut -f 2- stdout | cmp expected - &&
        exits 0 "$MLP" predict m.bin - <seven.pgm && cut -f 2- stdout | cmp expected - &&
        refuses 1 "is a directory" "$MLP" predict m.bin "$WORK/there" &&
        refuses 1 "No such file" "$MLP" predict m.bin "$WORK/there/missing.pgm"
}
claim "pictures are read through links, from a pipe and from standard input" pictures

# A link in a directory of its own in the PATH, with a program that it starts and a file beside it.
converter() {
    mkdir -p "$WORK/of my own/bin" "$WORK/of my own/lib" && cp seven.pgm "$WORK/of my own/lib/seven" &&
        printf '#!/bin/sh\ncat "%s/of my own/lib/seven" && exec >"%s/temporary/file"\n' "$WORK" "$WORK" >there/script &&
        chmod +x there/script && ln -s "$WORK/there/script" "$WORK/of my own/bin/magick" && printf '\211PNG\r\n\032\n0123456789' >seven.png || return 1
    exits 0 env PATH="$WORK/of my own/bin:$PATH" "$MLP" predict m.bin seven.png && cut -f 2- stdout | cmp expected -
}
claim "a converter that is a link in a directory of the PATH runs, and can write temporary files" converter

finish
