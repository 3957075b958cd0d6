# SPDX-License-Identifier: MIT
#
# Draw the matrix: one row of panels per size of values, one column per number of
# threads; in a panel, operations per second over the share of gets, one colour per
# lock mode, dashed with one shard.
#
#	gnuplot -e "data='matrix.tsv'; theme='light'" matrix.gp

load "theme.gp"

# The values of a column, in ascending order.
axis(column) = system(sprintf("awk -F '\t' '$1 == \"mix\" { print $%d }' '%s'" . \
	" | sort -n -u", column, data))

# The smallest and the largest figure of a row of panels.
range(value) = system(sprintf("awk -F '\t' '$1 == \"mix\" && $6 == %s " . \
	"{ print $7 }' '%s' | sort -n | sed -n -e 1p -e '$p'", value, data))

# The lines of one series, in the order of the share of gets.
series(lock, shards, threads, value) = sprintf("< awk -F '\t' '" . \
	"$1 == \"mix\" && $2 == \"%s\" && $3 == \"%s\" && $5 == %s && $6 == %s" . \
	"' '%s' | sort -t '\t' -k 4n,4", lock, shards, threads, value, data)

values = axis(6)
threads = axis(5)
reads = axis(4)
rows = words(values)
columns = words(threads)

# Shares of gets have equal distances, whatever their values.
place(read) = sum [i = 1:words(reads)] (word(reads, i) == read ? i : 0)
labels = ""
blanks = ""
do for [i = 1:words(reads)] {
	labels = labels . sprintf("%s'%s' %d", i > 1 ? ", " : "", \
		word(reads, i), i)
	blanks = blanks . sprintf("%s'' %d", i > 1 ? ", " : "", i)
}

locks = "spinlock rwsem rcu rcu-window"
array colour[4] = [vermilion, blue, green, purple]
array point[4] = [5, 9, 7, 13]
array size[4] = [0.5, 0.65, 0.55, 0.75]

width = 840
height = 110 + 165 * rows
set terminal svg size width, height dynamic font "sans-serif,12" background paper
set multiplot layout rows, columns margins x(62), x(830), y(height - 50), \
	y(66) spacing x(16), 1 - y(30)
set xrange [0.7:words(reads) + 0.3]
unset key

# The legend is drawn here, one line for all panels.
set label 1 "operations per second" at screen x(10), y(16) left \
	textcolor rgb ink
do for [i = 1:4] {
	set arrow i from screen x(232 + 112 * i), y(16) to \
		screen x(260 + 112 * i), y(16) nohead lw 2 lc rgb colour[i]
	set label 10 + i "" at screen x(246 + 112 * i), y(16) \
		point pt point[i] ps 1.3 * size[i] lc rgb colour[i]
	set label 20 + i word(locks, i) at screen x(266 + 112 * i), y(16) \
		left textcolor rgb ink
}
set arrow 5 from screen x(232), y(16) to screen x(260), y(16) nohead \
	dt (6, 4) lw 1.4 lc rgb ink
set label 15 "shards=1" at screen x(266), y(16) left textcolor rgb ink
set label 2 "share of operations that are gets, in per cent; the others set" \
	at screen x(446), y(height - 10) center textcolor rgb ink

do for [row = 1:rows] {
	value = word(values, row)
	set yrange [word(range(value), 1) * 0.85:word(range(value), 2) * 1.18]
	do for [column = 1:columns] {
		thread = word(threads, column)
		set label 3 sprintf("values: %s B", value) at graph 0.02, 1.08 \
			left textcolor rgb ink font ",11"
		set label 4 sprintf("%s thread%s", thread, \
			thread eq "1" ? "" : "s") at graph 0.98, 1.08 right \
			textcolor rgb ink font ",11"
		eval "set xtics (" . (row == rows ? labels : blanks) . ")"
		eval "set ytics (" . (column == 1 ? tics : bare) . ")"
		plot for [i = 1:4] series(word(locks, i), "1", thread, value) \
			using (place($4)):7 with lines dt (6, 4) lw 1.4 \
			lc rgb colour[i], \
			for [i = 1:4] series(word(locks, i), "default", thread, \
			value) using (place($4)):7 with linespoints \
			pt point[i] ps size[i] lw 2 lc rgb colour[i]
		if (row == 1 && column == 1) {
			unset arrow
			unset label
		}
	}
}
unset multiplot
