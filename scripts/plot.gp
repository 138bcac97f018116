# Draws accuracy and loss against the epoch from the CSV files that mlp train writes.
#
#   gnuplot scripts/plot.gp                             curves.csv -> curves.png
#   gnuplot -c scripts/plot.gp OUT.png A.csv [B.csv]... several runs in one picture
#
# OUT ends in .png or .svg. Training is dashed, validation solid; each run has a colour of its own
# (Okabe and Ito's palette, safe for the colour-blind) and a mark of its own (for print in grey).

n_arguments = exists("ARGC") ? ARGC : 0
if (n_arguments == 1) {
    print "usage: gnuplot -c scripts/plot.gp OUT.png A.csv [B.csv]..."
    exit status 2
}
output = n_arguments > 0 ? ARG1 : "curves.png"
if (n_arguments == 0) {
    array inputs[1]
    inputs[1] = "curves.csv"
} else {
    array inputs[n_arguments - 1]
    do for [i = 1:n_arguments - 1] { inputs[i] = value(sprintf("ARG%d", i + 1)) }
}
n_runs = |inputs|

# ---------------------------------------------------------------------------------------------
# The sheet

# inputs.gp and style.gp are beside this file, wherever that is called from.
script = "plot.gp"
wanted = "epoch,train_loss,"
meaning = "a curves file of mlp train"
here = exists("ARG0") ? ARG0 : "scripts/"
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "inputs.gp"
width = 900
height = 760
load here . "style.gp"

# s = 0: validation, 1: training
series(s) = s == 0 ? "validation" : "train"
label(i, s) = (s == 0 ? "validation" : "training") . (n_runs == 1 ? "" : ", " . inputs[i])

stats file using 1 every ::1 nooutput
marks_every = STATS_max > 10 ? int(STATS_max / 10) : 1

set xrange [0:*]
set lmargin 12.5
set rmargin 3

set multiplot
set xlabel ""

# ---------------------------------------------------------------------------------------------
# Accuracy above

set origin 0, 0.44
set size 1, 0.56
set title (n_runs == 1 ? "Accuracy and loss by epoch" : "Accuracy and loss by epoch, several runs") font ",15"
set key outside below center horizontal noenhanced samplen 4 maxcols 2
set ylabel "accuracy (%)"
set format x ""
plot for [i = 1:n_runs] for [s = 0:1] \
    files[i] using "epoch":(100 * column(series(s) . "_accuracy")) \
    with linespoints lw 2 - 0.5 * s dt 1 + s lc rgb colour(i) \
    pt mark(i) ps 0.9 - 0.4 * s pointinterval marks_every title label(i, s)

# ---------------------------------------------------------------------------------------------
# Loss below: on a logarithmic scale, since the interesting part of it is small

set origin 0, 0
set size 1, 0.44
set title ""
unset key
set ylabel "loss (cross-entropy, nats)"
set xlabel "epoch"
set format x "%g"
set logscale y
set yrange [*:*] noextend
unset ytics
do for [e = -6:3] { do for [m in "1 2 5"] { set ytics add nomirror out (sprintf("%g", m * 10.0**e) m * 10.0**e) } }
plot for [i = 1:n_runs] for [s = 0:1] \
    files[i] using "epoch":(column(series(s) . "_loss")) \
    with linespoints lw 2 - 0.5 * s dt 1 + s lc rgb colour(i) \
    pt mark(i) ps 0.9 - 0.4 * s pointinterval marks_every
unset multiplot
set output
