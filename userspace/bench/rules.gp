# SPDX-License-Identifier: MIT
#
# Draw what the matrix has for rules of thumb: one column of panels per lock mode;
# above, a counter in three ways; below, sets of keys that threads share, or that
# are each thread's own.  Operations per second over the number of threads.
#
#	gnuplot -e "data='matrix.tsv'; theme='light'" rules.gp

load "theme.gp"

threads = system(sprintf("awk -F '\t' '$1 == \"add\" { print $5 }' '%s' | " . \
	"sort -n -u", data))

# The smallest and the largest figure of a row of panels.
range(parts) = system(sprintf("awk -F '\t' '$1 ~ /^(%s)$/ { print $7 }' '%s' | " . \
	"sort -n | sed -n -e 1p -e '$p'", parts, data))

# The lines of one series, in the order of the number of threads.
series(part, lock, shards) = sprintf("< awk -F '\t' '" . \
	"$1 == \"%s\" && $2 == \"%s\" && $3 == \"%s\"' '%s' | " . \
	"sort -t '\t' -k 5n,5", part, lock, shards, data)

place(thread) = sum [i = 1:words(threads)] (word(threads, i) == thread ? i : 0)
labels = ""
blanks = ""
do for [i = 1:words(threads)] {
	labels = labels . sprintf("%s'%s' %d", i > 1 ? ", " : "", \
		word(threads, i), i)
	blanks = blanks . sprintf("%s'' %d", i > 1 ? ", " : "", i)
}

locks = "spinlock rwsem rcu"
array colour[5] = [vermilion, blue, green, blue, green]
array point[5] = [5, 9, 7, 9, 7]
array part[5] = ["match", "add", "add-own", "set", "set-own"]
array words[5] = ["get, set at that version", "ADD", \
	"ADD, a counter for each thread", "set, keys of all", \
	"set, keys of its own for each thread"]
array left[5] = [62, 280, 380, 62, 236]

width = 840
height = 500
set terminal svg size width, height dynamic font "sans-serif,12" background paper
set multiplot layout 2, 3 margins x(62), x(830), y(height - 50), y(88) \
	spacing x(16), 1 - y(64)
set xrange [0.7:words(threads) + 0.3]
unset key

# The legends are drawn here, one line per row of panels.
do for [i = 1:5] {
	at = i < 4 ? 42 : 264
	set arrow i from screen x(left[i]), y(at) to \
		screen x(left[i] + 28), y(at) nohead lw 2 lc rgb colour[i]
	set label 10 + i "" at screen x(left[i] + 14), y(at) \
		point pt point[i] ps 0.8 lc rgb colour[i]
	set label 20 + i words[i] at screen x(left[i] + 34), y(at) \
		left textcolor rgb ink
}
set arrow 6 from screen x(660), y(42) to screen x(688), y(42) nohead \
	dt (6, 4) lw 1.4 lc rgb ink
set label 16 "shards=1" at screen x(694), y(42) left textcolor rgb ink
set label 1 "operations per second" at screen x(10), y(16) left textcolor rgb ink
set label 2 "threads" at screen x(446), y(height - 10) center textcolor rgb ink

do for [row = 1:2] {
	parts = row == 1 ? "match|add|add-own" : "set|set-own"
	from = row == 1 ? 1 : 4
	to = row == 1 ? 3 : 5
	set yrange [word(range(parts), 1) * 0.85:word(range(parts), 2) * 1.18]
	do for [column = 1:3] {
		set label 3 word(locks, column) at graph 0.02, 1.06 left \
			textcolor rgb ink font ",11"
		eval "set xtics (" . (row == 2 ? labels : blanks) . ")"
		eval "set ytics (" . (column == 1 ? tics : bare) . ")"
		plot for [i = from:to] series(part[i], word(locks, column), "1") \
			using (place($5)):7 with lines dt (6, 4) lw 1.4 \
			lc rgb colour[i], \
			for [i = from:to] series(part[i], word(locks, column), \
			"default") using (place($5)):7 with linespoints \
			pt point[i] ps 0.6 lw 2 lc rgb colour[i]
		if (row == 1 && column == 1) {
			unset arrow
			unset label
		}
	}
}
unset multiplot
