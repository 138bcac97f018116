# How every picture looks, and what every script of this folder checks before it draws. A script
# sets these and loads this file, which lies beside it or one folder up:
#
#   script                   its name, for messages
#   output                   OUT.png or OUT.svg
#   inputs, wanted, meaning  array of its CSV files, how their first line begins, what that is
#   width, height            of the picture, pixels

if (strlen(output) < 5 || (output[strlen(output) - 3:] ne ".png" && output[strlen(output) - 3:] ne ".svg")) {
    print sprintf("%s: %s: the name must end in .png or .svg", script, output)
    exit status 2
}
do for [i = 1:|inputs|] {
    first_line = system(sprintf("head -n 1 -- '%s' 2>/dev/null", inputs[i]))
    if (strstrt(first_line, wanted) != 1) {
        print sprintf("%s: %s: not %s", script, inputs[i], meaning)
        exit status 1
    }
    if (system(sprintf("sed -n 2p -- '%s'", inputs[i])) eq "") {
        print sprintf("%s: %s: has no rows", script, inputs[i])
        exit status 1
    }
}

if (output[strlen(output) - 3:] eq ".svg") {
    set terminal svg size width, height font "sans-serif,14" background "white"
} else { if (strstrt(GPVAL_TERMINALS, "pngcairo") > 0) {
    set terminal pngcairo size width, height font "sans,12" background "white"
} else {
    set terminal png size width, height background "#ffffff"
}}
set output output

# Okabe and Ito's palette, safe for the colour-blind. Their greys are near one another: in print
# without colours a series is told by its mark and its dashes.
blue = "#0072b2"
vermillion = "#d55e00"
green = "#009e73"
purple = "#cc79a7"
black = "#000000"
orange = "#e69f00"
dim = "#555555"
array colours[6] = [blue, vermillion, green, purple, black, orange]
colour(i) = colours[(i - 1) % 6 + 1]
mark(i) = (i - 1) % 6 * 2 + 4

set datafile separator comma
set border 3 lc rgb dim
set tics nomirror out
set grid lc rgb "#dddddd" lt 1
set key noenhanced samplen 4
