# What every drawing script does with the names that it is given. A script sets these and loads this
# file, then style.gp, which says how pictures look; both are in the directory `here`, in which the
# script found them:
#
#   script                   its name, for messages
#   output                   OUT.png or OUT.svg
#   inputs, wanted, meaning  array of its CSV files, how their first line begins, what that is
#
# They are checked, and there are
#
#   files[i], file   the CSV files, and the first of them, as names to open
#   quoted(text)     any text as one word of a command for the shell
#
# A name may have any character. gnuplot runs one that begins with < or | as a command, and knows some
# others: every name that it opens begins with / or ./ here. A name in a command is quoted.

path(name) = name[1:1] eq "/" ? name : "./" . name
quote(c) = c eq "'" ? "'\\''" : c
quoted(text) = (word_ = "", (sum [i_ = 1:strlen(text)] (word_ = word_ . quote(text[i_:i_]), 0)), "'" . word_ . "'")

if (strlen(output) < 5 || (output[strlen(output) - 3:] ne ".png" && output[strlen(output) - 3:] ne ".svg")) {
    print sprintf("%s: %s: the name must end in .png or .svg", script, output)
    exit status 2
}
array files[|inputs|]
do for [i = 1:|inputs|] {
    files[i] = path(inputs[i])
    first_line = system(sprintf("head -n 1 %s 2>/dev/null", quoted(files[i])))
    if (strstrt(first_line, wanted) != 1) {
        print sprintf("%s: %s: not %s", script, inputs[i], meaning)
        exit status 1
    }
    if (system(sprintf("sed -n 2p %s", quoted(files[i]))) eq "") {
        print sprintf("%s: %s: has no rows", script, inputs[i])
        exit status 1
    }
}
file = files[1]
