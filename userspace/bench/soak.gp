# SPDX-License-Identifier: MIT
#
# Draw a soak: what is stored, and what the map takes, when each generation is full and
# when it is thin, over the hours.
#
#	gnuplot -e "data='soak.tsv'; theme='light'" soak.gp

load "theme.gp"

unset logscale y
set terminal svg size 840, 300 dynamic font "sans-serif,12" background paper
set key outside top center horizontal
set xlabel "hours" textcolor rgb ink
set ylabel "MiB" textcolor rgb ink
set yrange [0:*]

lines(what) = sprintf("< awk -F '\t' '$2 == \"%s\"' '%s'", what, data)
begun = system(sprintf("awk -F '\t' '$2 == \"drift full\" { print $8; exit }' '%s'", data)) + 0
hours(t) = (t - begun) / 3600.0
mib(n) = n / 1048576.0

plot lines("drift full") using (hours($8)):(mib($6)) with lines lw 2 lc rgb vermilion \
		title "memory, full", \
	lines("drift full") using (hours($8)):(mib($5)) with lines lw 2 lc rgb blue \
		title "stored, full", \
	lines("drift thin") using (hours($8)):(mib($6)) with lines lw 2 lc rgb green \
		title "memory, thin", \
	lines("drift thin") using (hours($8)):(mib($5)) with lines lw 2 lc rgb purple \
		title "stored, thin"
