# SPDX-License-Identifier: MIT
#
# Print what a matrix.tsv has, in Markdown: for each cell which lock mode wins and by
# how much, then summaries of all cells.
#
#	awk -f common.awk -f matrix.awk matrix.tsv

BEGIN {
	FS = "\t"
	# A ratio above this counts as a tie.
	tie = 0.93
}

function mean(sum, count)
{
	return count ? exp(sum / count) : 0
}

# Sort numbers[1] to numbers[count].
function sort(numbers, count,	i, j, swap)
{
	for (i = 2; i <= count; i++)
		for (j = i; j > 1 && numbers[j] < numbers[j - 1]; j--) {
			swap = numbers[j]
			numbers[j] = numbers[j - 1]
			numbers[j - 1] = swap
		}
}

function name_shards(lock, shards)
{
	return shards == "default" ? lock : lock ", shards=" shards
}

# Name the lock mode, and its best number of shards where that matters.
function name_best(cell, lock,	i, shard, apart)
{
	for (i = 1; i <= shards[0]; i++) {
		shard = rate["mix", lock, shards[i], cell]
		if (shard && shard < tie * top[cell, lock])
			apart = 1
	}
	return apart ? lock ", shards=" top_shards[cell, lock] : lock
}

/^#/ || NF < 8 { next }

{
	ratio[++lines] = $8 / $7
	rate[$1, $2, $3, $4, $5, $6] = $7
	collect(shards, shards_seen, $3)
	collect(threads, threads_seen, $5)
}

$1 == "mix" {
	collect(locks, locks_seen, $2)
	collect(reads, reads_seen, $4)
	collect(values, values_seen, $6)
	cell = $4 SUBSEP $5 SUBSEP $6
	if ($7 > top[cell, $2]) {
		top[cell, $2] = $7
		top_shards[cell, $2] = $3
	}
}

$1 != "mix" {
	collect(rule_locks, rule_locks_seen, $2)
}

# Write the lock modes of a cell to order[], the best one first.
function rank(cell,	i, j, swap)
{
	for (i = 1; i <= locks[0]; i++)
		order[i] = locks[i]
	for (i = 2; i <= locks[0]; i++)
		for (j = i; j > 1 && top[cell, order[j]] > top[cell, order[j - 1]]; j--) {
			swap = order[j]
			order[j] = order[j - 1]
			order[j - 1] = swap
		}
}

# Print one row per cell, and sum up what the tables below need.
function print_cells(	v, r, t, i, cell, best, part)
{
	printf "| bytes of a value | gets | threads | most operations per second | with | the others, as parts of it |\n"
	printf "|---:|---:|---:|---:|---|---|\n"
	for (v = 1; v <= values[0]; v++)
	for (r = reads[0]; r; r--)
	for (t = 1; t <= threads[0]; t++) {
		cell = reads[r] SUBSEP threads[t] SUBSEP values[v]
		rank(cell)
		best = top[cell, order[1]]
		if (!best)
			continue
		cells[reads[r]]++
		first[reads[r], order[1]]++
		printf "| %d | %d %% | %d | %s | **%s** |", values[v], reads[r],
			threads[t], thousands(best),
			name_shards(order[1], top_shards[cell, order[1]])
		for (i = 2; i <= locks[0]; i++) {
			part = top[cell, order[i]] / best
			if (i == 2) {
				lead[reads[r], order[1]] -= log(part)
				if (part > tie)
					ties[reads[r], order[1]]++
			}
			printf("%s %s %.2f", i > 2 ? "," : "", order[i], part)
		}
		printf " |\n"
	}
}

function print_shares(	r, i, name, text)
{
	printf "\n| gets | cells | won by, with how much more than the second lock (geometric mean) |\n|---:|---:|---|\n"
	for (r = reads[0]; r; r--) {
		text = ""
		for (i = 1; i <= locks[0]; i++) {
			name = reads[r] SUBSEP locks[i]
			if (!first[name])
				continue
			text = text (text ? "; " : "") sprintf("%s %d times, by %.2f", \
				locks[i], first[name], mean(lead[name], first[name]))
			if (ties[name])
				text = text sprintf(" (%d times by less than %d %%)", \
					ties[name], 100 / tie - 100 + 0.5)
		}
		printf "| %d %% | %d | %s |\n", reads[r], cells[reads[r]], text
	}
}

# sum_pairs LOCK1 LOCK2 READS THREADS: set pair_* to how many times as many operations
# the first lock mode has, each with its better number of shards.
function sum_pairs(one, other, read, thread,	v, cell, ratio)
{
	pair_sum = pair_count = pair_least = pair_most = 0
	for (v = 1; v <= values[0]; v++) {
		cell = read SUBSEP thread SUBSEP values[v]
		if (!top[cell, one] || !top[cell, other])
			continue
		ratio = top[cell, one] / top[cell, other]
		pair_sum += log(ratio)
		if (!pair_count++ || ratio < pair_least)
			pair_least = ratio
		if (ratio > pair_most)
			pair_most = ratio
	}
}

function print_pair(one, other,	r, t)
{
	if (!(one in locks_seen) || !(other in locks_seen))
		return
	printf "\n**%s against %s**, geometric mean over the sizes of values (least to most):\n\n| gets |", \
		one, other
	for (t = 1; t <= threads[0]; t++)
		printf " %d thread%s |", threads[t], threads[t] == 1 ? "" : "s"
	printf "\n|---:|"
	for (t = 1; t <= threads[0]; t++)
		printf "---|"
	printf "\n"
	for (r = reads[0]; r; r--) {
		printf "| %d %% |", reads[r]
		for (t = 1; t <= threads[0]; t++) {
			sum_pairs(one, other, reads[r], threads[t])
			printf " %.2f (%.2f to %.2f) |", mean(pair_sum, pair_count),
				pair_least, pair_most
		}
		printf "\n"
	}
}

function print_shards(	i, r, t, v, key, ratio, sum, count, least, most)
{
	if (!("1" in shards_seen) || !("default" in shards_seen))
		return
	printf "\n**The default number of shards against 1**, over all shares of gets and sizes:\n\n| lock |"
	for (t = 1; t <= threads[0]; t++)
		printf " %d thread%s |", threads[t], threads[t] == 1 ? "" : "s"
	printf "\n|---|"
	for (t = 1; t <= threads[0]; t++)
		printf "---|"
	printf "\n"
	for (i = 1; i <= locks[0]; i++) {
		printf "| %s |", locks[i]
		for (t = 1; t <= threads[0]; t++) {
			sum = count = least = most = 0
			for (r = 1; r <= reads[0]; r++)
			for (v = 1; v <= values[0]; v++) {
				key = reads[r] SUBSEP threads[t] SUBSEP values[v]
				if (!rate["mix", locks[i], 1, key])
					continue
				ratio = rate["mix", locks[i], "default", key] / \
					rate["mix", locks[i], 1, key]
				sum += log(ratio)
				if (!count++ || ratio < least)
					least = ratio
				if (ratio > most)
					most = ratio
			}
			printf " %.2f (%.2f to %.2f) |", mean(sum, count), least, most
		}
		printf "\n"
	}
}

function rule_rate(part, lock, shard, thread)
{
	return rate[part, lock, shard, 0, thread, part ~ /^set/ ? 64 : 8]
}

# rule WORDS OVER UNDER: how many times as fast one way is as another.
function rule(words, over, under,	i, s, t)
{
	for (i = 1; i <= rule_locks[0]; i++)
	for (s = 1; s <= shards[0]; s++) {
		printf "| %s | %s |", words, name_shards(rule_locks[i], shards[s])
		for (t = 1; t <= threads[0]; t++) {
			if (!rule_rate(under, rule_locks[i], shards[s], threads[t])) {
				printf " |"
				continue
			}
			printf " %s to %s: %.2f |",
				thousands(rule_rate(under, rule_locks[i], shards[s], threads[t])),
				thousands(rule_rate(over, rule_locks[i], shards[s], threads[t])),
				rule_rate(over, rule_locks[i], shards[s], threads[t]) / \
				rule_rate(under, rule_locks[i], shards[s], threads[t])
		}
		printf "\n"
	}
}

function print_rules(	t)
{
	printf "\n| from and to what (operations per second, and their ratio) | lock |"
	for (t = 1; t <= threads[0]; t++)
		printf " %d thread%s |", threads[t], threads[t] == 1 ? "" : "s"
	printf "\n|---|---|"
	for (t = 1; t <= threads[0]; t++)
		printf "---|"
	printf "\n"
	rule("a counter: from get and set at that version to ADD", "add", "match")
	rule("from one counter to one for each thread, with ADD", "add-own", "add")
	rule("sets: from keys of all to keys of its own for each thread", \
		"set-own", "set")
}

END {
	if (!lines) {
		print "no figures" > "/dev/stderr"
		exit 1
	}
	if (locks[0]) {
		print_cells()
		print_shares()
		print_pair("rwsem", "spinlock")
		print_pair("rcu", "rwsem")
		print_pair("rcu", "spinlock")
		print_pair("rcu-window", "rcu")
		print_pair("spinlock-window", "rcu-window")
		print_pair("rwsem-window", "rcu-window")
		print_shards()
	}
	if (rule_locks[0])
		print_rules()
	sort(ratio, lines)
	printf "\nThe second best run of a cell reached %.0f %% of the best in half of the %d cells, %.0f %% in nine of ten.\n", \
		100 * ratio[int((lines + 1) / 2)], lines, 100 * ratio[int(lines / 10) + 1]
}
