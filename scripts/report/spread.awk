# A summary of a sweep: for each value of the column `by` (-v by=learning_rate) the number of
# trainings, how many of them diverged, and the mean, smallest and largest accuracy of the rest.
BEGIN {
    FS = ","
    n_columns = split("train validation test", columns, " ")
    line = by ",trainings,diverged"
    for (c = 1; c <= n_columns; c++)
        line = line "," columns[c] "_mean," columns[c] "_least," columns[c] "_greatest"
    print line
}
NR == 1 {
    for (i = 1; i <= NF; i++)
        at[$i] = i
    next
}
{
    key = $at[by]
    if (!(key in trainings))
        order[++keys] = key
    trainings[key]++
    if ($at["result"] != "done")
        next
    done[key]++
    for (c = 1; c <= n_columns; c++) {
        value = $at[columns[c] "_accuracy"]
        sum[key, c] += value
        if (done[key] == 1 || value < least[key, c])
            least[key, c] = value
        if (done[key] == 1 || value > greatest[key, c])
            greatest[key, c] = value
    }
}
END {
    for (k = 1; k <= keys; k++) {
        key = order[k]
        line = key "," trainings[key] "," trainings[key] - done[key]
        for (c = 1; c <= n_columns; c++)
            line = line (done[key] ? sprintf(",%.6f,%.6f,%.6f", sum[key, c] / done[key], \
                                             least[key, c], greatest[key, c]) : ",,,")
        print line
    }
}
