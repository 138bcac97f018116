# Reliability diagrams: of the answers with a probability, how many are right. One for each model, above
# it the expected calibration error, below it how many answers there are.
#
#   gnuplot -c scripts/report/calibration.gp OUT.png FILE.csv
#
# FILE has the rows of mlp eval --calibration after the name of the model. Bars are 95 % intervals.

script = "calibration.gp"
if (ARGC != 2) { print "usage: gnuplot -c scripts/report/calibration.gp OUT.png FILE.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "model,low,high,n,probability,accuracy,accuracy_low,accuracy_high"
meaning = "a table of bins"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
names = system(sprintf("${AWK:-awk} -F, 'NR > 1 && !seen[$1]++ { printf \"%%s \", $1 }' %s", quoted(file)))
# Expected calibration error in points.
error_of(name) = real(system(sprintf("${AWK:-awk} -F, '$1 == \"%s\" && $4 > 0 { d = $6 - $5; e += $4 * (d < 0 ? -d : d); n += $4 } END { print 100 * e / n }' %s", name, quoted(file))))
width = 275 * words(names) + 100
height = 490
load here . "../style.gp"

set multiplot
unset key
set xrange [0:100] noextend
set xtics 0, 25, 100
left(i) = (100.0 + 275 * (i - 1)) / width # the labels of the first hold for all
do for [i = 1:words(names)] {
    name = word(names, i)
    of(x) = stringcolumn("model") eq name && column("n") > 0 ? 100 * x : NaN
    set lmargin at screen left(i)
    set rmargin at screen left(i) + 235.0 / width
    set tmargin at screen 0.86
    set bmargin at screen 0.36
    set yrange [0:100] noextend
    set ytics 0, 25
    set format y i == 1 ? "%g" : ""
    set format x ""
    unset xlabel
    set ylabel i == 1 ? "right answers (%)" : "" offset 0, 0
    set title sprintf("%s\n{/*0.9 error %.2f points}", name, error_of(name)) offset 0, -0.3
    plot x with lines lc rgb dim dt 2 lw 1.2, \
         file using (of(column("probability"))):(of(column("accuracy"))):(of(column("accuracy_low"))):(of(column("accuracy_high"))) \
             with yerrorbars lc rgb blue pt 7 ps 0.9 lw 1.4
    unset title
    set tmargin at screen 0.32
    set bmargin at screen 0.15
    set logscale y
    set yrange [0.7:20000] noextend
    if (i == 1) { set ytics ("1" 1, "100" 100, "10,000" 10000) } else { set ytics ("" 1, "" 100, "" 10000) }
    set format x "%g"
    set xlabel "probability (%)"
    set ylabel i == 1 ? "answers" : "" offset 0.8, 0
    set style fill solid 0.6 noborder
    plot file using (of(0.5 * (column("low") + column("high")))):(column("n")):(90.0 / 15) with boxes lc rgb blue
    unset logscale y
}
unset multiplot
set output
