#!/bin/sh
# mlp completion: what each shell would offer is what the program's help lists. Bash and zsh are
# driven through the variables that they set, fish through its own list of candidates.
. tests/lib.sh

bin=$MLP
cd "$WORK" || exit 1
for shell in bash zsh fish; do
    "$bin" completion $shell >$shell.txt || exit 1
done
mkdir -p there/directory
: >there/file

commands=$("$FAST_MLP" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }')

# Drivers. The arguments are the words of a command line, the last of them the one at the cursor; the
# candidates are printed, one per line, or <files>, <directories>.
cat >drive.bash <<'EOF'
source bash.txt
compopt() { case $2 in default) echo '<files>' ;; dirnames) echo '<directories>' ;; esac; }
COMP_WORDS=(mlp "$@") COMP_CWORD=$#
_mlp
((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
EOF
cat >drive.zsh <<'EOF'
compdef() { }
_describe() { print -rl -- ${${(P)2}%%:*} }
# The flags of the specifications, or the candidates for the value of the flag before the cursor.
_arguments() {
    local spec key action
    [[ $1 == -S && $2 == : ]] || print "unexpected: $*"
    for spec in ${@[3,-1]}; do
        key=${spec%%\[*} action=${spec##*:}
        if [[ $spec == '*:'* ]]; then key='' ; fi
        if [[ $words[-1] == -* ]]; then
            [[ -z $key ]] || print -r -- ${key%=}
        elif [[ $words[-2] == -* && ${key%=} == $words[-2] ]] || [[ $words[-2] != -* && -z $key ]]; then
            case $action in
            '('*) print -rl -- ${=${${action#\(}%\)}} ;;
            _files) print '<files>' ;;
            '_files -/') print '<directories>' ;;
            esac
        fi
    done
}
source ./zsh.txt
words=(mlp "$@") CURRENT=$(($# + 1))
_mlp
EOF
cat >drive.fish <<'EOF'
source fish.txt
complete -C "mlp $argv" | string replace -r '\t.*' ''
EOF
candidates() { # SHELL WORD...
    shell=$1
    shift
    case $shell in
    bash) bash --norc drive.bash "$@" ;;
    zsh) zsh -f drive.zsh "$@" ;;
    fish) HOME=$WORK fish --no-config drive.fish "$@" ;;
    esac
}

offers() { # SHELL "WORDS" WORD...: exactly these, in any order
    shell=$1 expected=$2
    shift 2
    candidates "$shell" "$@" 2>&1 | sort >found
    echo "$expected" | tr ' ' '\n' | sed '/^$/d' | sort | diff - found
}
flags_of() { # COMMAND: --name and -n of its help
    "$FAST_MLP" "$1" --help | sed -n '/^Options:/,/^Examples:/{
        s/^  \(-.\), --\([a-z-]*\).*/\1 --\2/p
        s/^      \(--[a-z-]*\)\( .*\)*$/\1/p
    }' | tr '\n' ' '
}
offers_flags() { # SHELL: for every command those of its help
    for command in $commands; do
        offers "$1" "$(flags_of "$command")" "$command" - || { echo "of mlp $command"; return 1; }
    done
}
# What the program says of a wrong choice lists the right ones.
offers_choices() { # SHELL COMMAND FLAG
    choices=$("$FAST_MLP" "$2" "$3=x" 2>&1 | sed 's/.*one of //; s/ and / /; s/ or / /; s/,//g')
    [ -n "$choices" ] && offers "$1" "$choices" "$2" "$3" ""
}
every_choice() { # SHELL
    for flag in --arch --preset --activation --optimizer --schedule --keep; do
        offers_choices "$1" train "$flag" || return 1
    done
    offers_choices "$1" eval --split && offers_choices "$1" explain --file &&
        offers "$1" "sigmoid tanh relu" sweep --activation ""
}
names_commands() { # SHELL [WORD]
    offers "$1" "$commands help version ${2-}" "" && offers "$1" "$commands" help "" &&
        offers "$1" "bash zsh fish" completion ""
}
if command -v bash >/dev/null; then
    claim "bash reads the script" bash -n bash.txt
    claim "bash: commands, those of help, and the names of shells" names_commands bash '--help --version'
    claim "bash: every flag of every command's help, and no other" offers_flags bash
    claim "bash: the choices of a flag are those that the program accepts" every_choice bash
    places() {
        offers bash '<files>' eval "" && offers bash '<files>' info x && offers bash '<files>' train --output "" &&
            offers bash '<files>' train -o "" && offers bash '<files>' eval m.bin --compare "" &&
            offers bash '<directories>' train --data "" && offers bash '<directories>' eval -d "" &&
            offers bash '<directories>' explain --save "" && offers bash "" train --lr "" && offers bash "" version "" &&
            offers bash "" nonsense ""
    }
    claim "bash: files, directories or nothing, as the option or argument is" places
    cursor() { # the beginning of a word, a value behind =, what follows --
        offers bash "--preset" train --pr && offers bash "cnn" train --arch = c && offers bash "mlp cnn lenet5" train --arch = &&
            offers bash "train" tr && offers bash "--version" --v && offers bash '<files>' eval -- - &&
            offers bash '<files>' eval -- --split "" && offers bash '<files>' predict m.bin - "" && offers bash "$(flags_of train)" train "" &&
            offers bash "--no-transpose" eval --split test --no-t
    }
    claim "bash: parts of words, --flag=value and --" cursor
else
    skip "bash is not installed: its completion was not tried"
fi

if command -v zsh >/dev/null; then
    claim "zsh reads the script" zsh -n zsh.txt
    claim "zsh: commands, those of help, and the names of shells" names_commands zsh
    claim "zsh: every flag of every command's help, and no other" offers_flags zsh
    claim "zsh: the choices of a flag are those that the program accepts" every_choice zsh
    zsh_places() {
        offers zsh '<files>' eval "" && offers zsh '<files>' train --output "" && offers zsh '<directories>' train -d "" &&
            offers zsh "" train --lr "" && offers zsh "" train ""
    }
    claim "zsh: files, directories or nothing, as the option or argument is" zsh_places
else
    skip "zsh is not installed: its completion was not tried"
fi

if command -v fish >/dev/null; then
    claim "fish reads the script" fish --no-config -n fish.txt
    claim "fish: commands, those of help, and the names of shells" names_commands fish
    fish_flags() { # its list for "-" has the long names alone
        for command in $commands; do
            offers fish "$(flags_of "$command" | sed 's/\(^\| \)-[a-zA-Z]\( \|$\)/ /g')" "$command" -- || { echo "of mlp $command"; return 1; }
        done
    }
    claim "fish: every flag of every command's help, and no other" fish_flags
    claim "fish: the choices of a flag are those that the program accepts" every_choice fish
    fish_places() {
        offers fish 'there/directory/ there/file' eval there/ && offers fish 'there/directory/ there/file' train -o there/ &&
            offers fish 'there/directory/' train --data there/ && offers fish "" train --lr there/ && offers fish "" train there/
    }
    claim "fish: files, directories or nothing, as the option or argument is" fish_places
else
    skip "fish is not installed: its completion was not tried"
fi

if command -v shellcheck >/dev/null; then
    claim "the script for bash is clean" shellcheck -s bash bash.txt
else
    skip "shellcheck is not installed: the script for bash was not checked"
fi
claim "another shell is refused, with the names" refuses 2 "'tcsh' is not" "$bin" completion tcsh
claim "so is none" refuses 2 "needs a bash|zsh|fish: mlp completion bash|zsh|fish" "$bin" completion
claim "and two" refuses 2 "unexpected argument 'zsh'" "$bin" completion bash zsh
if [ -e /dev/full ]; then
    full() { "$bin" completion bash >/dev/full 2>stderr; [ $? -eq 1 ] && grep -q 'standard output' stderr; }
    claim "a script that cannot be written is a failure" full
fi

finish
