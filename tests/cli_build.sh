#!/bin/sh
# The build and what surrounds it: installed and removed under names of any kind, from a clone made under
# Windows. (Compilers: cli_compilers, cli_source, cli_repro.)
. tests/lib.sh

# ---------------------------------------------------------------------------------------------
# make install and make uninstall

nothing_ran() { # of what the names below say
    [ -z "$(find . "$WORK" -name HACKED)" ] || { find . "$WORK" -name HACKED; return 1; }
}

# The program knows where its data are installed, so it is built for that place.
odd="$WORK/it's a \"quoted\" \\name; touch HACKED; \`touch HACKED\` & (more)"
built() { # ARGUMENTS...: make, in the build that is installed here
    "$MAKE" CC="$CC" BUILD="$WORK/odd" PROGRAM="$WORK/odd-mlp" "$@"
}
odd_install() {
    with_plain_objects "$WORK/odd" && built -s -j 2 install PREFIX="$odd" && [ -x "$odd/bin/mlp" ] && [ -s "$odd/share/man/man1/mlp.1" ] &&
        [ -s "$odd/share/mlp/plot.gp" ] && [ -s "$odd/include/mlp.h" ] && [ -s "$odd/lib/libmlp.a" ] &&
        [ -s "$odd/lib/libmlp.so" ] && nothing_ran && [ -s "$odd/share/bash-completion/completions/mlp" ] &&
        [ -s "$odd/share/zsh/site-functions/_mlp" ] && [ -s "$odd/share/fish/vendor_completions.d/mlp.fish" ] || return 1
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
