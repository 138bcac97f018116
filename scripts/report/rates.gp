# Validation and test accuracy against the learning rate, and what the course's report reached.
#
#   gnuplot -c scripts/report/rates.gp OUT.png FILE.csv
#
# FILE is made by spread.awk, by=learning_rate. The scale is the logarithm of the error, so that
# 95 and 97 % are as far apart as 10 and 46 %. Bars hold all seeds.

script = "rates.gp"
if (ARGC != 2) { print "usage: gnuplot -c scripts/report/rates.gp OUT.png FILE.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "learning_rate,trainings,diverged,"
meaning = "a sweep over learning rates, summed up"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
width = 900
height = 560
load here . "../style.gp"

error_of(name) = 100 * (1 - column(name))
diverged = system(sprintf("${AWK:-awk} -F, 'NR > 1 && $3 > 0 { printf \"%%s%%s\", n++ ? \", \" : \"\", $1 }' %s", quoted(file)))
if (diverged ne "") { set label "diverges: " . diverged at graph 0.02, 0.05 left tc rgb dim }

set logscale xy
set format x "10^{%T}"
greatest = real(system(sprintf("${AWK:-awk} -F, 'NR > 1 && $3 < $2 && $1 + 0 > m { m = $1 + 0 } END { print m + 0 }' %s", quoted(file))))
worst = real(system(sprintf("${AWK:-awk} -F, 'NR > 1 && $3 < $2 { for (i = 4; i <= NF; i++) if ($i != \"\" && 1 - $i > m && $i <= 1) m = 1 - $i } END { print 100 * m }' %s", quoted(file))))
set xrange [5e-6:2 * (greatest > 1e-3 ? greatest : 1e-3)]
set yrange [1.1 * (worst > 22 ? worst : 22):2] noextend
set ytics ("10" 90, "50" 50, "80" 20, "90" 10, "94" 6, "95" 5, "96" 4, "97" 3, "98" 2)
set mytics 1
set xlabel "learning rate (of the sum over a batch)"
set ylabel "accuracy (%), spaced by the logarithm of the error"
set key outside above center horizontal maxcols 3

# The course's report: 94 % at 1e-4, 80 to 90 % at ten times more and less.
x(factor) = column("diverged") < column("trainings") ? factor * column("learning_rate") : NaN
plot file using (x(0.95)):(error_of("validation_mean")):(error_of("validation_greatest")):(error_of("validation_least")) \
         with yerrorlines lw 1.8 lc rgb blue pt 7 ps 1 title "validation", \
     file using (x(1.06)):(error_of("test_mean")):(error_of("test_greatest")):(error_of("test_least")) \
         with yerrorlines lw 1.8 dt 2 lc rgb vermillion pt 8 ps 1.2 title "test", \
     "<printf '1e-5,15,10,20\n1e-4,6,6,6\n1e-3,15,10,20\n'" using 1:2:3:4 \
         with yerrorbars lw 2.5 lc rgb black pt 4 ps 1.2 title "the course's report"
set output
