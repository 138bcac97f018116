#!/bin/sh
# The build and what surrounds it: installed and removed under names of any kind, with compilers that
# know less, in 32 bits, from a clone made under Windows.
. tests/lib.sh

# ---------------------------------------------------------------------------------------------
# make install and make uninstall

nothing_ran() { # of what the names below say
    [ -z "$(find . "$WORK" -name HACKED)" ] || { find . "$WORK" -name HACKED; return 1; }
}

# The program knows where its data are installed, so it is built for that place.
odd="$WORK/it's a \"quoted\" \\name; touch HACKED; \`touch HACKED\` & (more)"
built() { # ARGUMENTS...: make, in the build that is installed here
    "$MAKE" CC="$CC" CFLAGS=-O1 BUILD="$WORK/odd" PROGRAM="$WORK/odd-mlp" "$@"
}
odd_install() {
    built -s -j 2 install PREFIX="$odd" && [ -x "$odd/bin/mlp" ] && [ -s "$odd/share/man/man1/mlp.1" ] &&
        [ -s "$odd/share/mlp/plot.gp" ] && [ -s "$odd/include/mlp.h" ] && [ -s "$odd/lib/libmlp.a" ] &&
        [ -s "$odd/lib/libmlp.so" ] && nothing_ran || return 1
    (mkdir "$WORK/elsewhere" && cd "$WORK/elsewhere" && unset MLP_DATA &&
        "$odd/bin/mlp" train -q --epochs 1 --train-size 100 --val-size 100 && [ -s model.bin ])
}
odd_plot() {
    gnuplot -c "$odd/share/mlp/plot.gp" "$WORK/curves.svg" "$WORK/elsewhere/curves.csv" && nothing_ran &&
        grep -q '</svg>' "$WORK/curves.svg"
}
odd_pkg_config() { # it prints words as a shell reads them
    PKG_CONFIG_PATH=$odd/lib/pkgconfig pkg-config --cflags --libs mlp >"$WORK/words" || return 1
    xargs printf '%s\n' <"$WORK/words" >"$WORK/found"
    printf '%s\n' "-I$odd/include" "-L$odd/lib" -lmlp | diff - "$WORK/found" && nothing_ran
}
odd_symbols() {
    nm -D --defined-only "$odd/lib/libmlp.so" >"$WORK/symbols" && grep ' mlp_open$' "$WORK/symbols" &&
        ! grep -v ' mlp_[a-z_]*$' "$WORK/symbols" || return 1
    nm -g --defined-only "$odd/lib/libmlp.a" | grep ' [A-Z] ' >"$WORK/symbols" && grep ' mlp_open$' "$WORK/symbols" &&
        ! grep -v ' mlp_[a-z_]*$' "$WORK/symbols"
}
odd_uninstall() {
    built -s uninstall PREFIX="$odd" && nothing_ran && [ ! -e "$odd" ]
}
claim "make install works with quotes, blanks and more in PREFIX: the program finds its data" odd_install
if command -v gnuplot >/dev/null; then
    claim "and gnuplot the scripts" odd_plot
else
    skip "gnuplot is not installed: scripts in a directory with quotes were not tried"
fi
if command -v pkg-config >/dev/null; then
    claim "and pkg-config the library" odd_pkg_config
else
    skip "pkg-config is not installed: mlp.pc was not tried"
fi
if command -v nm >/dev/null; then
    claim "the installed libraries show nothing but mlp_*" odd_symbols
else
    skip "nm is not installed: the symbols of libmlp.so were not looked at"
fi
claim "make uninstall removes all of it" odd_uninstall

one_file() { # is what another place makes to be compiled
    built install PREFIX="$WORK/another" >"$WORK/said" && grep -e ' -c -o ' "$WORK/said" >"$WORK/compiled" &&
        cat "$WORK/compiled" && [ "$(wc -l <"$WORK/compiled")" -eq 1 ] && grep -q installed.o "$WORK/compiled"
}
claim "make install for another PREFIX compiles one file" one_file

no_compiler() {
    printf '#!/bin/sh\necho "$@" >>"%s/started"\nexec %s "$@"\n' "$WORK" "$CC" >"$WORK/watched"
    chmod +x "$WORK/watched"
    for target in clean help uninstall; do # -n: what clean would remove is needed here
        "$MAKE" -n CC="'$WORK/watched'" "$target" || return 1
        [ ! -e "$WORK/started" ] || { echo "$target:" && cat "$WORK/started"; return 1; }
    done
    "$MAKE" -n CC="'$WORK/watched'" all >/dev/null && [ -s "$WORK/started" ] # as it would be seen
}
claim "make clean, make help and make uninstall start no compiler" no_compiler

small() {
    strip -o "$WORK/stripped" "$FAST_MLP" && wc -c <"$WORK/stripped" && [ "$(wc -c <"$WORK/stripped")" -lt 600000 ]
}
claim "the program has less than 600,000 bytes without its symbols" small

stage() { # TARGET VARIABLE=VALUE...
    built -s DESTDIR="$WORK/stage" "$@"
}
shared_directory() {
    mkdir -p "$WORK/stage/usr/share/dict" "$WORK/stage/usr/share/mnist" "$WORK/stage/usr/bin"
    for other in share/dict/words share/mnist/mine.gz share/other.gp bin/other; do
        echo mine >"$WORK/stage/usr/$other"
    done
    find "$WORK/stage" | sort >"$WORK/before"
    stage install PREFIX=/usr DATADIR=/usr/share && [ -s "$WORK/stage/usr/share/plot.gp" ] &&
        stage uninstall PREFIX=/usr DATADIR=/usr/share || return 1
    find "$WORK/stage" | grep -v '/man' | sort | diff "$WORK/before" -
}
claim "make uninstall leaves what others have in DATADIR" shared_directory

nothing_there() { # twice, and before anything was installed
    stage uninstall PREFIX=/opt && [ ! -e "$WORK/stage/opt" ]
}
claim "make uninstall where nothing is installed does nothing, and does not fail" nothing_there

# ---------------------------------------------------------------------------------------------
# Compilers that know less

trained() { # PROGRAM: the checksum of a small training's model
    "$1" train -q --train-size 300 --val-size 100 --epochs 1 -o "$WORK/t.bin" --csv "$WORK/t.csv" &&
        cksum <"$WORK/t.bin"
}
# without "SET..." VARIABLE=VALUE...: a build with these variables lacks these sets and gives the same bytes.
without() {
    sets=$1
    shift
    rm -rf "$WORK/lesser"
    "$MAKE" -s -j 2 CC="$CC" CFLAGS=-O1 BUILD="$WORK/lesser" PROGRAM="$WORK/lesser/mlp" "$@" \
        all "$WORK/lesser/bench" || return 1
    for set in $sets; do
        refuses 2 "MLP_ISA=$set: this build does not have" env MLP_ISA="$set" "$WORK/lesser/mlp" --version ||
            return 1
    done
    [ "$(trained "$WORK/lesser/mlp")" = "$(trained "$FAST_MLP")" ]
}
refuses_cplusplus() {
    for compiler in g++ clang++ /usr/bin/c++; do
        ! "$MAKE" -s CC="$compiler" BUILD="$WORK/plus" PROGRAM="$WORK/none" >"$WORK/said" 2>&1 || return 1
        cat "$WORK/said"
        [ "$(wc -l <"$WORK/said")" -eq 1 ] && grep -q 'is a C++ compiler, and mlp is written in C' "$WORK/said" || return 1
    done
}
printf '#!/bin/sh\nexec %s -U__clang__ -U__GNUC__ -D__GNUC__=8 "$@"\n' "$CC" >"$WORK/older"
chmod +x "$WORK/older"
claim "MLP_NO_AVX512 builds the rest, for a compiler that lacks AVX-512" without avx512 CPPFLAGS=-DMLP_NO_AVX512
claim "so does MLP_NO_AVX2" without 'avx512 avx2' CPPFLAGS=-DMLP_NO_AVX2
claim "a compiler older than gcc 9 builds the scalar kernels alone" \
    without 'neon avx512 avx2 sse2' CC="'$WORK/older'"
claim "a C++ compiler is refused in one line" refuses_cplusplus

# ---------------------------------------------------------------------------------------------
# 32 bits (that the bytes are the same: cli_repro)

cross='i686-linux-gnu-gcc'
if command -v "$cross" >/dev/null && command -v qemu-i386 >/dev/null; then
    in_32_bits() {
        "$MAKE" -s CC="$cross" CFLAGS='-O2 -msse2 -mfpmath=sse -Werror' LDFLAGS=-static \
            BUILD="$WORK/i686" PROGRAM="$WORK/i686-mlp" all
    }
    claim "a build for 32 bits compiles without a warning" in_32_bits
    x87() {
        ! "$MAKE" -s CC="$cross" CFLAGS=-O2 BUILD="$WORK/x87" PROGRAM="$WORK/x87-mlp" all >"$WORK/said" 2>&1 ||
            { echo "it compiles"; return 1; }
        grep -q 'use -std=gnu11 (32-bit x86: and -msse2 -mfpmath=sse)' "$WORK/said"
    }
    claim "one that would use the x87 is refused, and the error names the flags that it needs" x87
    beyond_2_gb() { # a file of 3 GB, nearly all of it a hole
        mkdir "$WORK/large" && cp data/mnist/*.gz "$WORK/large" && rm "$WORK/large"/train-images* &&
            { gzip -dc data/mnist/train-images-idx3-ubyte.gz | head -c 1000 &&
                dd bs=1 count=1 seek=3221225471 if=/dev/zero 2>/dev/null; } \
                1<>"$WORK/large/train-images-idx3-ubyte" || return 1
        refuses 1 'the file has 3221226472' qemu-i386 "$WORK/i686-mlp" train -q -d "$WORK/large" \
            -o "$WORK/large.bin" --csv "$WORK/large.csv"
    }
    claim "files beyond 2 GB are opened there" beyond_2_gb
else
    skip "32 bits: $cross or qemu-i386 is not installed"
fi

# ---------------------------------------------------------------------------------------------
# A clone made under Windows

if command -v git >/dev/null; then
    windows_clone() {
        mkdir "$WORK/tree" && cp -R .gitattributes .ci Makefile include scripts src tests "$WORK/tree" &&
            mkdir "$WORK/tree/data" && cp -R data/mnist "$WORK/tree/data" || return 1
        ( # without the settings of whoever runs this
            export HOME="$WORK" XDG_CONFIG_HOME="$WORK" GIT_CONFIG_NOSYSTEM=1
            cd "$WORK/tree" && git init -q && git add . &&
                git -c user.name=x -c user.email=x@y commit -q -m x &&
                git clone -q -c core.autocrlf=true "$WORK/tree" "$WORK/clone"
        ) && diff -r -x .git "$WORK/tree" "$WORK/clone"
    }
    claim "a clone with core.autocrlf=true has the same bytes in every file" windows_clone
else
    skip "git is not installed: no clone was made"
fi

finish
