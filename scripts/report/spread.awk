# A summary of trainings: for each value of the columns `by` (-v by=learning_rate, or more than one
# between commas) the number of trainings, how many of them diverged, and of the rest the mean,
# smallest and largest accuracy. A column `result` says which diverged; without it none did.
#
#   of      the accuracies, train,validation,test unless given: columns NAME_accuracy
#   se      1: the standard error of each mean, too; empty for a single training
#   means   other columns of which only the mean is wanted, at the end of the row
BEGIN {
    FS = ","
    n_by = split(by, keys_of, ",")
    n_columns = split(of == "" ? "train,validation,test" : of, columns, ",")
    n_means = split(means, others, ",")
    line = by ",trainings,diverged"
    for (c = 1; c <= n_columns; c++)
        line = line "," columns[c] "_mean," columns[c] "_least," columns[c] "_greatest" \
               (se ? "," columns[c] "_se" : "")
    for (m = 1; m <= n_means; m++)
        line = line "," others[m]
    print line
}
NR == 1 {
    for (i = 1; i <= NF; i++)
        at[$i] = i
    next
}
{
    key = $at[keys_of[1]]
    for (b = 2; b <= n_by; b++)
        key = key "," $at[keys_of[b]]
    if (!(key in trainings))
        order[++keys] = key
    trainings[key]++
    if ("result" in at && $at["result"] != "done")
        next
    done[key]++
    for (c = 1; c <= n_columns; c++) {
        value = $at[columns[c] "_accuracy"]
        sum[key, c] += value
        if (done[key] == 1 || value < least[key, c])
            least[key, c] = value
        if (done[key] == 1 || value > greatest[key, c])
            greatest[key, c] = value
        # About the first value, so that the squares lose no digits.
        if (done[key] == 1)
            first[key, c] = value
        value -= first[key, c]
        shifted[key, c] += value
        squares[key, c] += value * value
    }
    for (m = 1; m <= n_means; m++)
        total[key, m] += $at[others[m]]
}
# By Newton's method: busybox awk may have been built without sqrt.
function square_root(x,    root, i) {
    for (root = x < 1 ? 1 : x; i < 60; i++)
        root = (root + x / root) / 2
    return root
}
# Of the mean of n values: their standard deviation divided by the root of n.
function standard_error(key, c,    n, variance) {
    n = done[key]
    if (n < 2)
        return ""
    variance = (squares[key, c] - shifted[key, c] * shifted[key, c] / n) / (n - 1)
    return sprintf("%.6f", variance > 0 ? square_root(variance / n) : 0)
}
END {
    for (k = 1; k <= keys; k++) {
        key = order[k]
        line = key "," trainings[key] "," trainings[key] - done[key]
        for (c = 1; c <= n_columns; c++) {
            line = line (done[key] ? sprintf(",%.6f,%.6f,%.6f", sum[key, c] / done[key], \
                                             least[key, c], greatest[key, c]) : ",,,")
            if (se)
                line = line "," standard_error(key, c)
        }
        for (m = 1; m <= n_means; m++)
            line = line "," (done[key] ? sprintf("%.6g", total[key, m] / done[key]) : "")
        print line
    }
}
