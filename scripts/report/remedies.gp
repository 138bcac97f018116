# Final train and validation accuracy of each remedy against overfitting, with few images and with many.
#
#   gnuplot -c scripts/report/remedies.gp OUT.png FILE.csv
#
# FILE is made by spread.awk, by=group,recipe,flags,images. A line joins the means of a remedy: its
# length is the gap. Bars hold all seeds.

script = "remedies.gp"
if (ARGC != 2) { print "usage: gnuplot -c scripts/report/remedies.gp OUT.png FILE.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "group,recipe,flags,images,trainings,"
meaning = "a table of remedies, summed up"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
width = 1100
height = 460
load here . "../style.gp"

array groups[2] = ["few", "many"]
first(g) = real(system(sprintf("${AWK:-awk} -F, '$1 == \"%s\" { print NR - 1; exit }' %s", groups[g], quoted(file))))
last(g) = real(system(sprintf("${AWK:-awk} -F, '$1 == \"%s\" { n = NR - 1 } END { print n }' %s", groups[g], quoted(file))))
images(g) = real(system(sprintf("${AWK:-awk} -F, '$1 == \"%s\" { print $4; exit }' %s", groups[g], quoted(file))))
thousands(n) = n < 1000 ? sprintf("%d", n) : sprintf("%d,%03d", n / 1000, int(n) % 1000)
percent(name) = 100 * column(name)

set multiplot layout 1, 2
set bars 0.6
set ytics scale 0 noenhanced
set xlabel "accuracy at the end (%)"
set key outside above center horizontal
do for [g = 1:2] {
    set title sprintf("%s training images", thousands(images(g))) font ",14"
    set yrange [last(g) + 0.6:first(g) - 0.6]
    of(name) = stringcolumn("group") eq groups[g] ? percent(name) : NaN
    plot file using (of("validation_mean")):0:(of("train_mean") - of("validation_mean")):(0):ytic(stringcolumn("recipe")) \
             with vectors nohead lw 3 lc rgb "#cccccc" notitle, \
         file using (of("train_mean")):0:(of("train_least")):(of("train_greatest")) \
             with xerrorbars lw 1.6 lc rgb vermillion pt 6 ps 1.3 title "training", \
         file using (of("validation_mean")):0:(of("validation_least")):(of("validation_greatest")) \
             with xerrorbars lw 1.6 lc rgb blue pt 7 ps 1.3 title "validation"
}
unset multiplot
set output
