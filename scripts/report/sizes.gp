# Final train and validation accuracy against the size of the training set; the bands hold all seeds.
#
#   gnuplot -c scripts/report/sizes.gp OUT.png FILE.csv
#
# FILE is made by spread.awk, by=train_size.

script = "sizes.gp"
if (ARGC != 2) { print "usage: gnuplot -c scripts/report/sizes.gp OUT.png FILE.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "train_size,trainings,diverged,"
meaning = "a sweep over training-set sizes, summed up"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
width = 900
height = 520
load here . "../style.gp"

set logscale x
set xrange [*:*] noextend
set offsets graph 0.02, graph 0.02, 0, 0
set xtics rotate by 0 add ("500" 500, "1,000" 1000, "2,000" 2000, "5,000" 5000, "10,000" 10000, \
                           "20,000" 20000, "50,000" 50000)
set mxtics 1
set yrange [*:100.5]
set xlabel "training images"
set ylabel "accuracy after the last epoch (%)"
set key bottom right
plot file using "train_size":(100 * column("train_least")):(100 * column("train_greatest")) \
         with filledcurves fc rgb vermillion fs transparent solid 0.3 notitle, \
     file using "train_size":(100 * column("validation_least")):(100 * column("validation_greatest")) \
         with filledcurves fc rgb blue fs transparent solid 0.3 notitle, \
     file using "train_size":(100 * column("train_mean")) with linespoints \
         lw 1.5 dt 2 lc rgb vermillion pt 6 title "training", \
     file using "train_size":(100 * column("validation_mean")) with linespoints \
         lw 2 lc rgb blue pt 7 title "validation"
set output
