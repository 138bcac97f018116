# Train and validation accuracy by epoch, of a small training set and of the full one.
#
#   gnuplot -c scripts/report/overfit.gp OUT.png FILE.csv
#
# FILE: images,epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate. The
# gap at the last epoch is drawn at the right.

script = "overfit.gp"
if (ARGC != 2) { print "usage: gnuplot -c scripts/report/overfit.gp OUT.png FILE.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "images,epoch,train_loss,"
meaning = "two curves, of a small training set and of the full one"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
width = 900
height = 540
load here . "../style.gp"

stats file using 1 every ::1 nooutput
array sizes[2] = [STATS_min, STATS_max]
stats file using 7 every ::1 nooutput
rate = STATS_max
array train[2]
array validation[2]
stats file using 2 every ::1 nooutput
last = STATS_max
do for [s = 1:2] {
    stats file using ($1 == sizes[s] && $2 == last ? 100 * $4 : NaN) every ::1 nooutput
    train[s] = STATS_mean
    stats file using ($1 == sizes[s] && $2 == last ? 100 * $6 : NaN) every ::1 nooutput
    validation[s] = STATS_mean
}

# From a little below the lowest end: the first epochs come in from under the frame.
lowest = validation[1] < validation[2] ? validation[1] : validation[2]
bottom = 5 * floor((lowest - 10) / 5)
bottom = bottom < 0 ? 0 : bottom
set xrange [0:1.2 * last]
set yrange [bottom:100.5]
set xtics 0, last > 10 ? last / 10 : 1, last
set title sprintf("Learning rate %g", rate) font ",14"
set xlabel "epoch"
set ylabel "accuracy (%)"
set key outside above center horizontal maxcols 2
every_tenth = last > 10 ? int(last / 10) : 1

do for [s = 1:2] {
    x = (s == 1 ? 1.02 : 1.055) * last
    set arrow s from x, validation[s] to x, train[s] heads size screen 0.006, 90 lw 1.5 lc rgb colour(3 - s)
    set label s sprintf("gap %.1f\npoints", train[s] - validation[s]) at x, (train[s] + validation[s]) / 2 \
        offset 0.8, 0.3 tc rgb colour(3 - s)
}
name(s) = sprintf("%d,%03d images", sizes[s] / 1000, int(sizes[s]) % 1000)
short(s) = sizes[s] < 1000 ? sprintf("%d images", sizes[s]) : name(s)

plot for [s = 1:2] file using ($1 == sizes[s] ? $2 : NaN):(100 * $4) every ::1 with linespoints \
         lw 1.5 dt 2 lc rgb colour(3 - s) pt 2 * s + 4 ps 0.9 pointinterval every_tenth \
         title "training, " . short(s), \
     for [s = 1:2] file using ($1 == sizes[s] ? $2 : NaN):(100 * $6) every ::1 with linespoints \
         lw 2 dt 1 lc rgb colour(3 - s) pt 2 * s + 5 ps 0.9 pointinterval every_tenth \
         title "validation, " . short(s)
set output
