#!/bin/sh
# The report's scripts with any awk, and with names of files and directories that have every sign the
# shell, make, awk or gnuplot could take for something else.
. tests/lib.sh

nothing_ran() { # of what the names below say
    [ -z "$(find . "$WORK" -name HACKED)" ] || { find . "$WORK" -name HACKED; return 1; }
}

# A project in a directory of such a name, and its data in another.
tree="$WORK/it's; touch HACKED; \`touch HACKED\` \$(touch HACKED) \"&"
export MLP_DATA="$WORK/\$(shell touch HACKED)'s; data"
small_data "$MLP_DATA" 300
mkdir "$tree" && cp -R scripts "$tree" && cp "$FAST_MLP" "$tree/mlp"

report() (
    cd "$tree" && make_report -s MLP=./mlp FASHION=/nowhere "$@"
)
odd_project() {
    report OUT=first && nothing_ran && [ -s "$tree/first/README.md" ]
}
claim "make report works in a directory of any name, with data in one" odd_project

no_fashion() {
    cut -d , -f 1 "$tree/first/accuracy.csv" | paste -s -d ' ' - >"$WORK/said"
    cat "$WORK/said"
    [ "$(cat "$WORK/said")" = "recipe default small-data fast ensemble" ]
}
claim "without Fashion-MNIST the report leaves its rows out" no_fashion

# make divides names at blanks, and OUT and WORK are names in its rules.
plain_only() {
    for name in OUT WORK MLP; do
        for value in "a b" "x;touch HACKED" "it's" "\`touch HACKED\`" "-x" "#" "a:b"; do
            exits 2 report "$name=$value" && grep -q "\*\*\* $name=.*: must have letters" "$WORK/stderr" &&
                nothing_ran || return 1
        done
    done
}
claim "make report refuses an OUT, WORK or MLP that make or the shell would take apart" plain_only

# ---------------------------------------------------------------------------------------------
# Every awk

# The tables are made again from the same trainings, and so are the pictures that awk has a part in.
drawn='features-1.svg filters-1.svg filters-2.svg mistakes.svg weights.svg jacobians.svg rates.svg
    remedies.svg remedies-curves.svg augment.svg accuracy.svg seconds.svg'
with_awk() { # COMMAND
    rm -rf "$tree/again" "$tree/build/report/features.csv"
    report OUT=again GNUPLOT= AWK="$1" >/dev/null || return 1
    if command -v gnuplot >/dev/null; then
        # shellcheck disable=SC2046,SC2086 # names without blanks
        report OUT=again AWK="$1" $(printf ' again/%s' $drawn) || return 1
        for picture in $drawn; do
            cmp "$tree/first/$picture" "$tree/again/$picture" || return 1
        done
    fi
    for table in "$tree"/first/*.csv "$tree/first/README.md"; do
        cmp "$table" "$tree/again/${table##*/}" || return 1
    done
}
for command in mawk gawk 'gawk --posix' original-awk 'busybox awk'; do
    if command -v "${command%% *}" >/dev/null; then
        claim "the report is the same with $command" with_awk "$command"
    else
        skip "${command%% *} is not installed: the report was not made with it"
    fi
done

# ---------------------------------------------------------------------------------------------
# Names of tables and of pictures

if command -v gnuplot >/dev/null; then
    # draws SCRIPT PICTURE TABLE [ARGUMENT]: called where the tables are, with the scripts of the tree.
    draws() (
        cd "$WORK/tables" && gnuplot -c "../${tree##*/}/scripts/$1" "$2" "$3" ${4+"$4"} >"$WORK/said" 2>&1 &&
            [ ! -s "$WORK/said" ] && [ -s "./$2" ] && grep -q '</svg>' "./$2" && nothing_ran && rm "./$2" &&
            return
        cat "$WORK/said"
        return 1
    )
    mkdir "$WORK/tables"
    hostile="x';touch HACKED;'\`touch HACKED\`\$(touch HACKED)\" %d \\n.csv"
    any_name() { # SCRIPT FILE [ARGUMENT]
        for name in "$hostile" "<touch HACKED;.csv" "|touch HACKED" "-n" "x=1.csv" "~" "'" "with blank.csv"; do
            cp "$tree/$2" "$WORK/tables/$name" && draws "$1" "${name%.csv}.svg" "$name" ${3+"$3"} || return 1
        done
    }
    claim "plot.gp draws tables of any name into pictures of any name" any_name plot.gp build/report/slow.csv
    any_name_of() { # NAME: all at once, since each has its own ways to read a table
        made=build/report
        case $1 in
        overfit) any_name report/overfit.gp first/overfit-1e-4.csv ;;
        costs) any_name report/costs.gp first/batch.csv batch_size ;;
        weights | mistakes | augment) any_name "report/$1.gp" "$made/$1.csv" ;;
        filters) any_name report/filters.gp "$made/filters-1.csv" ;;
        features) any_name report/features.gp "$made/features.csv" f1 ;;
        remedies-curves | seconds)
            second=$(echo "$1" | sed 's/-curves//')-runs.csv
            cp "$tree/first/$second" "$WORK/tables/'j;touch HACKED;'"
            any_name "report/$1.gp" "first/${second%-runs.csv}-curves.csv" "'j;touch HACKED;'"
            ;;
        jacobians)
            cp "$tree/first/jacobians.csv" "$WORK/tables/'j;touch HACKED;'"
            any_name report/jacobians.gp "$made/nonzero.csv" "'j;touch HACKED;'"
            ;;
        *) any_name "report/$1.gp" "first/$1.csv" ;;
        esac
    }
    for script in scripts/report/*.gp; do
        name=$(basename "$script" .gp)
        claim "so does $name.gp" any_name_of "$name"
    done
    layers_name() { # an argument that does not name a file
        cp "$tree/build/report/features.csv" "$WORK/tables/f.csv"
        draws report/features.gp f.svg f.csv "\"; system(\"touch HACKED\") #';touch HACKED;'" || nothing_ran
    }
    claim "the layer that features.gp is given is not run as a command" layers_name
else
    skip "gnuplot is not installed: no table of an odd name was drawn"
fi

finish
