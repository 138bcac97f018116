# Validation accuracy against the seconds since the start of the process, of some recipes, and the
# time and test accuracy of the one that was repeated with many seeds.
#
#   gnuplot -c scripts/report/seconds.gp OUT.png CURVES.csv RUNS.csv
#
# Both are made by timing.sh. The scale is the logarithm of the error, as in accuracy.gp.

script = "seconds.gp"
if (ARGC != 3) { print "usage: gnuplot -c scripts/report/seconds.gp OUT.png CURVES.csv RUNS.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "recipe,epoch,validation_accuracy,seconds"
meaning = "curves with the seconds since the start"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
curves = file
inputs[1] = ARG3
wanted = "recipe,seed,threads,"
meaning = "a table of timed trainings"
load here . "../inputs.gp"
runs = file
width = 900
height = 560
load here . "../style.gp"

names = system(sprintf("${AWK:-awk} -F, 'NR > 1 && !seen[$1]++ { printf \"%%s \", $1 }' %s", quoted(curves)))
threads = system(sprintf("${AWK:-awk} -F, 'NR == 2 { print $3 }' %s", quoted(runs)))
of(name, x) = stringcolumn("recipe") eq name ? x : NaN
set logscale xy
# From 80 % up, or from a little below the end of the worst.
end = real(system(sprintf("${AWK:-awk} -F, 'NR > 1 { end[$1] = 1 - $3 } END { for (n in end) if (end[n] > m) m = end[n]; print 100 * m }' %s", quoted(curves))))
least = real(system(sprintf("${AWK:-awk} -F, 'FNR == 1 { at = $3 == \"threads\" ? 6 : 3; next } m == \"\" || 1 - $at < m { m = 1 - $at } END { print (m < 0.0001 ? 0.01 : 100 * m) }' %s %s", quoted(curves), quoted(runs))))
set yrange [1.1 * (end > 18 ? end : 18):least / 1.15] noextend
set ytics ("50" 50, "80" 20, "90" 10, "95" 5, "97" 3, "98" 2, "99" 1, "99.5" 0.5, "99.7" 0.3)
set mytics 1
set arrow from graph 0, first 1 to graph 1, first 1 nohead lc rgb dim dt 3
set xlabel sprintf("seconds since the start of the process (threads: %s)", threads)
set ylabel "accuracy (%), spaced by the logarithm of the error"
set key outside above center horizontal maxcols 3
plot for [i = 1:words(names)] curves using (of(word(names, i), column("seconds"))):(100 * (1 - column("validation_accuracy"))) \
         with linespoints lw 2 lc rgb colour(i) pt mark(i) ps 0.9 pointinterval -10 title word(names, i) . ", validation", \
     runs using (of(word(names, 1), column("seconds"))):(100 * (1 - column("test_accuracy"))) \
         with points lc rgb black pt 2 ps 0.9 title word(names, 1) . ", each seed, test"
set output
