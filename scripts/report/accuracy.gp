# Validation and test accuracy of the recipes.
#
#   gnuplot -c scripts/report/accuracy.gp OUT.png FILE.csv
#
# FILE is made by spread.awk, by=recipe,flags. The scale is the logarithm of the error, so that 98 and
# 99 % are as far apart as 90 and 95 %. Bars hold all seeds.

script = "accuracy.gp"
if (ARGC != 2) { print "usage: gnuplot -c scripts/report/accuracy.gp OUT.png FILE.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "recipe,flags,trainings,diverged,"
meaning = "a table of recipes, summed up"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
rows = real(system(sprintf("${AWK:-awk} 'END { print NR - 1 }' %s", quoted(file))))
width = 900
height = 130 + 28 * rows
load here . "../style.gp"

error_of(name) = 100 * (1 - column(name)) # 0 is left out: it has no logarithm
set logscale x
# Of columns 9 to 11 and 13 to 15, validation and test; a perfect one counts as an error of 0.01 %.
extreme(sign) = real(system(sprintf("${AWK:-awk} -F, 'NR > 1 { for (i = 9; i <= 15; i++) if (i != 12 && (m == \"\" || %d * ($i - m) > 0)) m = $i } END { e = 100 * (1 - m); print (e < 0.01 ? 0.01 : e) }' %s", sign, quoted(file))))
set xrange [1.2 * extreme(-1):extreme(1) / 1.2] noextend
set xtics ("0" 100, "50" 50, "80" 20, "90" 10, "95" 5, "97" 3, "98" 2, "99" 1, "99.5" 0.5, "99.7" 0.3, "99.8" 0.2, "99.9" 0.1)
set mxtics 1
set yrange [rows + 0.6:0.4]
set ytics scale 0 noenhanced
set bars 0.6
set xlabel "accuracy (%), spaced by the logarithm of the error"
set key outside above center horizontal
plot file using (error_of("validation_mean")):($0 - 0.12):(error_of("validation_least")):(error_of("validation_greatest")):ytic(stringcolumn("recipe")) \
         with xerrorbars lw 1.6 lc rgb blue pt 6 ps 1.2 title "validation", \
     file using (error_of("test_mean")):($0 + 0.12):(error_of("test_least")):(error_of("test_greatest")) \
         with xerrorbars lw 1.6 lc rgb vermillion pt 9 ps 1.3 title "test"
set output
