#!/bin/sh
# The documents do what they say. Every command of an `sh` or `console` block and every example of the
# man page runs in a copy of the project; a `console` block also shows the output. Flags, make targets,
# links, files and functions that the documents name exist.
. tests/lib.sh

documents='README.md src/README.md include/README.md CONTRIBUTING.md'
more_documents='SECURITY.md tests/README.md data/report/README.md data/report/SPEED.md data/report/SETTINGS.md'
commands='train eval predict gradcheck info weights features explain page export sweep augment import export-data verify completion'

# ---------------------------------------------------------------------------------------------
# Commands: NAME.N.command and, where the output is shown, NAME.N.output; N counts from 1

# Of a Markdown file: of its blocks, and the quick ones of the table of commands. A block behind
# <!-- not run: REASON --> is left out.
markdown_commands() { # FILE NAME
    awk -v at="$WORK/$2" '
        function begin() { n++; command = at "." n ".command"; output = at "." n ".output" }
        /^ *```/ && !fence { fence = $0; sub(/^ *```/, "", fence); left_out = before ~ /^<!-- not run: .*[a-z].* -->$/; next }
        /^ *```/ { fence = ""; before = ""; next }
        !fence && /^\| `\.\/mlp (info|weights|features|explain|page|export|augment|[a-z]* --help)[^`]*`/ { begin(); split($0, cell, "`"); print cell[2] > command }
        !fence { if ($0 != "") before = $0; next }
        left_out { next }
        fence == "sh" && (more || $0 !~ /^(#|$)/) {
            if (!more) begin()
            print > command
            more = /\\$/
        }
        fence == "console" && /^\$ / { begin(); print substr($0, 3) > command; printf "" > output; next }
        fence == "console" { print > output }' "$1"
}

# Of the man page: its displayed lines.
man_commands() { # NAME
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/s/^\.Dl //p' src/cli/mlp.1 |
        awk -v at="$WORK/$1" '{ print > (at "." NR ".command") }'
}

tree=$WORK/tree
copy_project() {
    mkdir -p "$tree/build" "$WORK/home" &&
        cp -Rp Makefile LICENSE ./*.md data include scripts src tests "$tree" && cp -p "$FAST_MLP" "$tree/mlp" || return 1
    # What the tests' plain build has made; make looks whether anything is missing.
    for made in libmlp.a libmlp.so* build/plain; do
        [ ! -e "$made" ] || cp -Rp "$made" "$tree/$made" || return 1
    done
    # A picture for the reader's own.
    ! command -v convert >/dev/null || convert data/seven.pgm "$tree/photo.jpg"
}
claim "the project is copied" copy_project

# What differs from machine to machine.
stable() { # COMMAND
    case $1 in
    *gradcheck*) sed 's/[0-9]\.[0-9]e[-+][0-9][0-9]/E/g' ;;
    *) sed 's/[0-9]* images\/s/N images\/s/' ;;
    esac
}

# Lines of the first file, where "..." stands for any lines, are those of the second.
shows() {
    awk 'NR == FNR { expected[++n] = $0; next }
        { actual[++m] = $0 }
        END {
            for (i = j = 1; j <= m; j++) {
                if (expected[i] == "...") { any = 1; i++ }
                if (i <= n && actual[j] == expected[i]) { i++; any = 0 }
                else if (!any) { print "actual:   " actual[j] "\nexpected: " expected[i]; exit 1 }
            }
            if (expected[i] == "...") i++
            if (i <= n) { print "missing:  " expected[i]; exit 1 }
        }' "$1" "$2"
}

# Runs NAME.N, unless the same command of another document has run already. An export holds for all
# commands after it.
: >"$WORK/exports"
runs() { # FILE, without .command
    line=$(sed 's/^\.\/mlp /mlp /' "$1.command")
    case $line in
    "export "*)
        cat "$1.command" >>"$WORK/exports"
        return
        ;;
    esac
    key=$WORK/ran.$(printf %s "$line" | cksum | tr ' ' .)
    if [ ! -e "$key" ]; then
        cat "$WORK/exports" "$1.command" >"$WORK/script"
        (cd "$tree" && HOME=$WORK/home PATH=$tree:$PATH MAKEFLAGS=-j2 sh "$WORK/script") >"$key.part" 2>&1 </dev/null ||
            { tail -n 20 "$key.part"; return 1; }
        mv "$key.part" "$key"
    fi
    [ ! -e "$1.output" ] && return
    stable "$line" <"$1.output" >"$WORK/expected" && stable "$line" <"$key" >"$WORK/actual" &&
        shows "$WORK/expected" "$WORK/actual"
}

lacks() { # FILE: the first program that a command needs and this machine does not have
    if grep -q 'photo\.jpg' "$1.command" && ! command -v convert >/dev/null; then
        echo convert
        return
    fi
    for program in gnuplot pkg-config python3 cc parallel; do
        if grep -qE "(^|[ (|])$program " "$1.command" && ! command -v "$program" >/dev/null; then
            echo "$program"
            return
        fi
    done
}

run_all() { # DOCUMENT NAME
    n=1
    while [ -e "$WORK/$2.$n.command" ]; do
        missing=$(lacks "$WORK/$2.$n")
        if [ -n "$missing" ]; then
            skip "$missing is not installed: $1's command was not run: $(head -n 1 "$WORK/$2.$n.command")"
        else
            claim "$1: $(head -n 1 "$WORK/$2.$n.command")" runs "$WORK/$2.$n"
        fi
        n=$((n + 1))
    done
}

for document in $documents; do
    name=$(echo "$document" | tr / -)
    markdown_commands "$document" "$name"
    run_all "$document" "$name"
done
man_commands man
run_all mlp.1 man
[ -e "$WORK/README.md.1.command" ] && [ -e "$WORK/man.1.command" ]
claim "commands were found" [ $? -eq 0 ]

in_blocks() { # no command stands where this test does not see it
    # shellcheck disable=SC2086 # a list
    ! awk '/^ *```/ { fence = !fence } !fence && /^(    |\t)(\$ )?(\.\/mlp|mlp|make|gnuplot|cc|python3|convert|sh|git)( |$)/ {
        print FILENAME ": " $0 }' $documents | grep .
}
claim "every command of the documents is in a block that runs" in_blocks

# ---------------------------------------------------------------------------------------------
# C

# Statements alone are those of a function; definitions alone are those of src/nn/optimizer.c; a row of
# a table is left out.
c_compiles() { # DOCUMENT
    rm -f "$WORK"/block.*.c
    awk -v at="$WORK/block" '
        /^ *```c$/ { on = 1; text = ""; next }
        /^ *```/ && on {
            on = 0
            if (text ~ /^\{/) next
            if (text ~ /OptimizerState/) text = "#include \"optimizer.h\"\n#include <math.h>\n" text "const Optimizer *used(void);\nconst Optimizer *used(void) { return &optimizer_rmsprop; }\n"
            else if (text !~ /#include/) text = "#include <mlp.h>\n#include <stdio.h>\nvoid block(void);\nvoid block(void)\n{\n" text "}\n"
            print text > (at "." ++n ".c")
        }
        on { text = text $0 "\n" }' "$1"
    for file in "$WORK"/block.*.c; do
        "$CC" -std=gnu11 -Wall -Wextra -Werror -Iinclude -Isrc/base -Isrc/kernels -Isrc/nn -fsyntax-only "$file" || { cat "$file"; return 1; }
    done
}
for document in README.md include/README.md src/README.md; do
    claim "the C of $document compiles" c_compiles "$document"
done

# ---------------------------------------------------------------------------------------------
# Names

for command in $commands; do
    "$FAST_MLP" "$command" --help | sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/--\2/p'
done | sort -u >"$WORK/flags"

flags_exist() {
    # shellcheck disable=SC2086 # lists
    cat $documents $more_documents | sed 's/pkg-config \(--[a-z]* *\)*//g; s/\(parallel --sshlogin\|npm install \)[^`]*//g' |
        grep -o -e '--[a-z][a-z-]*' | sort -u |
        grep -vx -e --version >"$WORK/named"
    ! grep -vxF -f "$WORK/flags" "$WORK/named"
}
claim "the documents name no flag that does not exist" flags_exist

targets_exist() {
    # shellcheck disable=SC2086 # lists
    for target in $(cat $documents $more_documents | grep -o '\(`\|^\)make [a-z][a-z-]*' | sed 's/.* //' | sort -u); do
        grep -qE "^([^:=#]* )?$target( [^:=]*)?:" Makefile || { echo "$target"; return 1; }
    done
}
claim "the documents name no target that the Makefile lacks" targets_exist

# Headings, as hosting sites turn them into anchors.
anchors() {
    sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}
links_lead() {
    for document in $documents $more_documents CHANGELOG.md tests/MUTANTS.md tests/prove/PROOF.md data/mnist/README.md; do
        grep -o '](\([^)]*\))' "$document" | sed 's/^](//; s/)$//' >"$WORK/links"
        while read -r link; do
            case $link in http*) continue ;; esac
            file=${link%%#*}
            path=$(dirname "$document")/$file
            [ -n "$file" ] || path=$document
            [ -e "$path" ] || { echo "$document: no file $link"; return 1; }
            case $link in *#*) anchors "$path" | grep -qx -e "${link#*#}" || { echo "$document: no heading $link"; return 1; } ;; esac
        done <"$WORK/links"
    done
}
claim "every link leads somewhere" links_lead

# In backquotes: files and functions.
files_exist() {
    for document in $documents $more_documents; do
        # shellcheck disable=SC2016 # backquotes are meant
        for path in $(grep -o '`[a-zA-Z0-9_./-]*/[a-zA-Z0-9_-]*\.\(c\|h\|sh\|mk\|gp\|py\|md\|1\|js\|css\|html\)`' "$document" | tr -d '`' | grep -v NAME); do
            [ -e "$path" ] || [ -e "$(dirname "$document")/$path" ] || { echo "$document: $path"; return 1; }
        done
    done
}
claim "every file that a document names exists" files_exist
functions_exist() {
    { ls tests && find src include tests scripts Makefile -type f ! -name '*.md' -exec cat {} +; } |
        tr -cs 'a-zA-Z0-9_' '\n' | sort -u >"$WORK/words"
    # shellcheck disable=SC2086,SC2016 # lists; backquotes are meant
    cat $documents $more_documents | grep -o '`[a-zA-Z][a-z0-9]*\(_[a-zA-Z0-9]*\)*\(()\)*`' | tr -d '`()' | grep '_.' | grep -v NAME | sort -u >"$WORK/named"
    ! grep -vxF -f "$WORK/words" "$WORK/named"
}
claim "every function, setting and test that a document names exists" functions_exist

finish
