# Validation accuracy by epoch with each remedy against overfitting, with few images and with many.
#
#   gnuplot -c scripts/report/remedies-curves.gp OUT.png CURVES.csv RUNS.csv
#
# CURVES is made by spread.awk, by=group,recipe,epoch; a band holds all seeds. RUNS has a row for each
# training: those of early stopping are marks at the epoch at which they ended.

script = "remedies-curves.gp"
if (ARGC != 3) { print "usage: gnuplot -c scripts/report/remedies-curves.gp OUT.png CURVES.csv RUNS.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "group,recipe,epoch,"
meaning = "curves of remedies, summed up"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
curves = file
inputs[1] = ARG3
wanted = "group,recipe,flags,seed,"
meaning = "a table of trainings"
load here . "../inputs.gp"
runs = file
width = 1100
height = 560
load here . "../style.gp"

array groups[2] = ["few", "many"]
names = system(sprintf("${AWK:-awk} -F, 'NR > 1 && !seen[$2]++ { printf \"%%s \", $2 }' %s", quoted(curves)))
images(g) = real(system(sprintf("${AWK:-awk} -F, '$1 == \"%s\" { print $5; exit }' %s", groups[g], quoted(runs))))
thousands(n) = n < 1000 ? sprintf("%d", n) : sprintf("%d,%03d", n / 1000, int(n) % 1000)
# The band of accuracies at the end, and a little below it: the first epochs come in from under the frame.
worst(g) = real(system(sprintf("${AWK:-awk} -F, '$1 == \"%s\" { end[$2] = $7 } END { w = 1; for (n in end) if (end[n] < w) w = end[n]; print 100 * w }' %s", groups[g], quoted(curves))))
best(g) = real(system(sprintf("${AWK:-awk} -F, '$1 == \"%s\" && $8 > m { m = $8 } END { print 100 * m }' %s", groups[g], quoted(curves))))

set multiplot
set xlabel "epoch"
set ylabel "validation accuracy (%)"
set tmargin at screen 0.92
set bmargin at screen 0.28
unset key
do for [g = 1:2] {
    set lmargin at screen 0.5 * g - 0.435
    set rmargin at screen 0.5 * g - 0.025
    set title sprintf("%s training images", thousands(images(g))) font ",14"
    set xrange [0:*] noextend
    bottom = worst(g) - 0.35 * (best(g) - worst(g))
    set yrange [bottom:best(g) + 0.05 * (best(g) - worst(g))]
    # gnuplot draws a band that leaves the frame on both edges where it is not.
    inside(name) = 100 * column(name) < bottom ? bottom : 100 * column(name)
    of(name, x) = stringcolumn("group") eq groups[g] && stringcolumn("recipe") eq name ? x : NaN
    plot for [i = 1:words(names)] curves using (of(word(names, i), column("epoch"))):(inside("validation_least")):(inside("validation_greatest")) \
             with filledcurves fc rgb colour(i) fs transparent solid 0.2 notitle, \
         for [i = 1:words(names)] curves using (of(word(names, i), column("epoch"))):(100 * column("validation_mean")) \
             with linespoints lw 1.8 dt 1 + (i > 6) lc rgb colour(i) pt mark(i) ps 0.8 pointinterval -10, \
         runs using (of("early-stopping", column("epochs"))):(100 * column("validation_accuracy")) \
             with points lc rgb black lw 2 pt 2 ps 1.2
}

# One key for both.
set lmargin at screen 0
set rmargin at screen 1
set tmargin at screen 0.15
set bmargin at screen 0.02
set key inside center center horizontal maxcols 4 samplen 3
set xrange [0:1]
set yrange [0:1]
unset title
unset border
unset tics
unset grid
unset xlabel
unset ylabel
plot for [i = 1:words(names)] NaN with linespoints lw 1.8 dt 1 + (i > 6) lc rgb colour(i) pt mark(i) ps 0.8 title word(names, i), \
     NaN with points lc rgb black lw 2 pt 2 ps 1.2 title "early-stopping, where it ended"
unset multiplot
set output
