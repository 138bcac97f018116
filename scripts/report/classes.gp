# Precision and recall of each class.
#
#   gnuplot -c scripts/report/classes.gp OUT.png FILE.csv

script = "classes.gp"
if (ARGC != 2) { print "usage: gnuplot -c scripts/report/classes.gp OUT.png FILE.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "class,images,answers,right,precision,recall"
meaning = "a table of classes"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
width = 900
height = 420
load here . "../style.gp"

stats file using 1 every ::1 nooutput
set xrange [-0.5:STATS_max + 0.5]
set offsets 0, 0, graph 0.08, graph 0.08
set xtics 0, 1
set xlabel "digit"
set ylabel "share (%)"
set key outside above center horizontal maxcols 1
plot file using ($1 - 0.1):(100 * column("precision")) with points lc rgb blue pt 7 ps 1.3 \
         title "precision: of the answers, how many are right", \
     file using ($1 + 0.1):(100 * column("recall")) with points lc rgb vermillion pt 8 ps 1.5 lw 2 \
         title "recall: of the images, how many are found"
set output
