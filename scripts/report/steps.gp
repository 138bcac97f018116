# The error of finite differences against their step.
#
#   gnuplot -c scripts/report/steps.gp OUT.png FILE.csv
#
# FILE is written by `mlp gradcheck --steps`. An error of exactly 0 is not on the logarithmic scale.

script = "steps.gp"
if (ARGC != 2) { print "usage: gnuplot -c scripts/report/steps.gp OUT.png FILE.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "step,dL/da"
meaning = "a table of steps of mlp gradcheck"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
width = 900
height = 620
load here . "../style.gp"

# Three kinds of function: the loss over everything below it, a layer that is curved, one that is
# linear in what it is differentiated by.
names = system(sprintf("head -n 1 %s | tr , ' '", quoted(file)))
kind(name) = strstrt(name, "dL/") == 1 && strstrt(name, "dL/da") != 1 ? 1 : \
             strstrt(name, "dL/da") == 1 || strstrt(name, "df") == 1 ? 2 : 3
array kinds[3] = ["gradients of the loss", "Jacobians of softmax and sigmoid", \
                  "Jacobians of linear functions"]
array tints[3] = [blue, vermillion, green]
do for [c = words(names):2:-1] { eval sprintf("first_%d = %d", kind(word(names, c)), c) }
legend(c) = c == value(sprintf("first_%d", kind(word(names, c)))) ? kinds[kind(word(names, c))] : ""

set logscale xy
set xrange [3e-13:3e-1]
set yrange [1e-16:1e-1] noextend
set format "10^{%T}"
set ytics 1e-16, 100
set xlabel "step h of the central difference (f(v + h) - f(v - h)) / 2h"
set ylabel "largest error, relative to the largest entry"
set key bottom left Left reverse samplen 3
set arrow 1 from 1e-5, 1e-16 to 1e-5, 1e-1 nohead dt 3 lc rgb dim
set label 1 "the step of mlp gradcheck" at 1e-5, 2e-2 offset 0.7, 0 tc rgb dim
set arrow 2 from 3e-13, 1e-6 to 3e-1, 1e-6 nohead dt 3 lc rgb dim
set label 2 "its limit" at 2e-1, 1e-6 right offset 0, 0.5 tc rgb dim
plot for [c = 2:words(names)] file using 1:(column(c) > 0 ? column(c) : NaN) every ::1 with linespoints \
         lw (kind(word(names, c)) == 1 ? 2 : 1.2) dt kind(word(names, c)) lc rgb tints[kind(word(names, c))] \
         pt 2 * kind(word(names, c)) + 3 ps 0.7 title legend(c), \
     [1e-4:1e-1] 0.2 * x**2 with lines lw 1 dt 4 lc rgb black title "truncation, as h²", \
     [1e-12:1e-6] 1e-16 / x with lines lw 1 dt 5 lc rgb black title "rounding, as 1/h"
set output
