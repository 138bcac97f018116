# Sparsity patterns of the Jacobians.
#
#   gnuplot -c scripts/report/jacobians.gp OUT.png NONZERO.csv JACOBIANS.csv
#
# NONZERO is written by `mlp gradcheck --nonzero`, JACOBIANS by jacobians.awk. Entries side by side
# are drawn as one; nothing is left out.

script = "jacobians.gp"
if (ARGC != 3) { print "usage: gnuplot -c scripts/report/jacobians.gp OUT.png NONZERO.csv JACOBIANS.csv"; exit status 2 }
output = ARG1
array inputs[2] = [ARG2, ARG3]
wanted = "jacobian,row"
meaning = "a table of Jacobians, or of their entries"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
width = 900
height = 860
load here . "../style.gp"

runs(name) = sprintf("<${AWK:-awk} -F, -v name='%s' 'function flush() { if (n++) print row \",\" first \",\" last } \
    $1 == name { if (n && $2 == row && $3 == last + 1) last = $3; \
                 else { flush(); row = $2; first = last = $3 } } END { if (n) print row \",\" first \",\" last }' %s", name, quoted(file))
field(name, i) = int(system(sprintf("${AWK:-awk} -F, -v name='%s' '$1 == name { print $%d }' %s", name, i, quoted(files[2]))))
wide(name) = sprintf("%s:  %d x %d, %d entries are not zero", name, field(name, 2), field(name, 3), field(name, 4))
small(name) = sprintf("%s:  %d x %d", name, field(name, 2), field(name, 3))

set border 15
unset grid
unset key
set style fill solid noborder
set tics front scale 0.5
set title font ",11" offset 0, -0.5
set ytics 0, 1e9
set multiplot

# The small ones, side by side; outlines close the seams between the boxes.
set style fill solid border lc rgb blue
array names[4] = ["da2/db2", "da2/df1", "df1/da1", "da1/db1"]
set tmargin at screen 0.955
set bmargin at screen 0.76
do for [i = 1:4] {
    R = field(names[i], 2)
    C = field(names[i], 3)
    set lmargin at screen 0.05 + 0.24 * (i - 1)
    set rmargin at screen 0.05 + 0.24 * (i - 1) + 0.19
    set title small(names[i])
    set xrange [-0.5:C - 0.5]
    set yrange [R - 0.5:-0.5]
    set xtics (0, C - 1)
    set ytics (0, R - 1)
    plot runs(names[i]) using (($2 + $3) / 2):1:($2 - 0.5):($3 + 0.5):($1 - 0.51):($1 + 0.51) with boxxyerror fc rgb blue
}

# Those over a matrix, in full; the larger one with a dot for each run of entries: boxes of their
# true size were too pale.
set lmargin at screen 0.05
set rmargin at screen 0.96
set style fill solid noborder
array blocks[2] = ["da2/dvec(W2)", "da1/dvec(W1)"]
array above[2] = [0.675, 0.435]
do for [i = 1:2] {
    R = field(blocks[i], 2)
    C = field(blocks[i], 3)
    set tmargin at screen above[i]
    set bmargin at screen above[i] - 0.155
    set title wide(blocks[i])
    set xrange [-0.5:C - 0.5]
    set yrange [R - 0.5:-0.5]
    set ytics (0, R - 1)
    set xtics (0, C - 1)
    do for [k = 1:(R < 10 ? R - 1 : i == 1 ? 9 : 7)] {
        at = i == 1 ? k * C / R : k * (R / 8) * C / R
        set xtics add (at)
    }
    if (i == 1) {
        plot runs(blocks[i]) using (($2 + $3) / 2):1:($2 - 0.5):($3 + 0.5):($1 - 0.51):($1 + 0.51) with boxxyerror fc rgb blue
    } else {
        plot runs(blocks[i]) using (($2 + $3) / 2):1 with points pt 7 ps 0.25 lc rgb blue
    }
}

# The upper left corner of the last one: three blocks, each a row x^T.
W = C / R
B = R < 3 ? R : 3
set tmargin at screen 0.195
set bmargin at screen 0.06
set title sprintf("its first %d rows, columns 0 to %d: row k holds x^T at columns %dk to %dk + %d", B, B * W - 1, W, W, W - 1)
set xrange [-0.5:B * W - 0.5]
set yrange [B - 0.5:-0.5]
set ytics 0, 1, B - 1
set xtics (0, W, 2 * W, B * W - 1)
set xlabel "column" offset 0, 0.5
plot runs(blocks[2]) using (($2 + $3) / 2):1:($2 - 0.5):($3 + 0.5):($1 - 0.51):($1 + 0.51) with boxxyerror fc rgb blue
unset multiplot
set output
