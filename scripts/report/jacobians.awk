# The Jacobians of `mlp gradcheck --nonzero`: its table (first file) and its entries (second file)
# as one row each. Of a Jacobian over vec(W), which should be I (x) v^T, `outside` counts the
# entries that are not zero outside the blocks of the diagonal, and `unlike` the rows whose block
# is not that of row 0.
BEGIN { print "jacobian,rows,columns,nonzero,share,error,outside,unlike" }
FNR == NR {
    if (/^gradient/)
        over = 1
    if (/  ok$|  WRONG$/ && !over) {
        name[++n] = $1
        split($(NF - 3), shape, "x")
        rows[$1] = shape[1]
        columns[$1] = shape[2]
        nonzero[$1] = $(NF - 2)
        error[$1] = $(NF - 1)
    }
    next
}
FNR == 1 {
    FS = ","
    next
}
$1 ~ /vec/ {
    width = columns[$1] / rows[$1]
    first = $2 * width
    if ($3 < first || $3 >= first + width)
        outside[$1]++
    else
        block[$1, $2] = block[$1, $2] " " ($3 - first) ":" $4
}
END {
    for (i = 1; i <= n; i++) {
        j = name[i]
        line = j "," rows[j] "," columns[j] "," nonzero[j] "," \
               sprintf("%.6f", nonzero[j] / (rows[j] * columns[j])) "," error[j]
        unlike = 0
        for (r = 1; r < rows[j]; r++)
            unlike += block[j, r] != block[j, 0]
        print line (j ~ /vec/ ? "," outside[j] + 0 "," unlike : ",,")
    }
}
