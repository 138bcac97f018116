# Accuracy and time against one setting of a sweep.
#
#   gnuplot -c scripts/report/costs.gp OUT.png FILE.csv batch_size|hidden

script = "costs.gp"
if (ARGC != 3 || (ARG3 ne "batch_size" && ARG3 ne "hidden")) {
    print "usage: gnuplot -c scripts/report/costs.gp OUT.png FILE.csv batch_size|hidden"
    exit status 2
}
output = ARG1
array inputs[1] = [ARG2]
wanted = "learning_rate,batch_size,hidden,"
meaning = "the table of a sweep"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
width = 900
height = 620
load here . "../style.gp"

setting = ARG3
set logscale x 2
set xrange [*:*] noextend
set offsets graph 0.02, graph 0.02, graph 0.05, graph 0.05
set lmargin 11
set rmargin 3
set multiplot

set origin 0, 0.42
set size 1, 0.58
set ylabel "accuracy (%)"
set format x ""
set key outside above center horizontal
plot file using setting:(100 * column("train_accuracy")) with linespoints lw 1.2 dt 3 lc rgb dim pt 4 title "training", \
     file using setting:(100 * column("validation_accuracy")) with linespoints lw 2 lc rgb blue pt 7 title "validation", \
     file using setting:(100 * column("test_accuracy")) with linespoints lw 2 dt 2 lc rgb vermillion pt 8 ps 1.2 title "test"

set origin 0, 0
set size 1, 0.42
unset key
set format x "%g"
set yrange [0:*]
set ylabel "seconds per epoch\n(one thread)"
set xlabel setting eq "hidden" ? "hidden units" : "images in a batch"
plot file using setting:(column("seconds") / column("epochs")) with linespoints lw 2 lc rgb green pt 5
unset multiplot
set output
