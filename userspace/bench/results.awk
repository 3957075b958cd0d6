# SPDX-License-Identifier: MIT
#
# Print tables of RESULTS.md, in Markdown, from figures that are kept.
#
#	awk -v table=NAME -f common.awk -f results.awk FILE...
#
#	rates	from rates.tsv: operations per second
#	memory	from rates.tsv: bytes per entry
#	insns	from insns.txt: instructions per operation
#	growth	from growth.tsv: how long single sets take
#	drift	from drift.tsv: what becomes of tables when sizes drift
#	thin	from thin.tsv: memory that is left when a tenth of the entries is
#	soak	from soak.tsv: the same as drift, for hours
#	goals	from the first three files

BEGIN {
	FS = "\t"
	lookups = "get get64 walk"
	changes = "set delins"
	mixes = "mix95 mix50"
	words["get"] = "get"
	words["get64"] = "64 gets in one"
	words["walk"] = "walk"
	words["set"] = "set"
	words["delins"] = "delete and insert"
	words["mix95"] = "95 % get, 5 % set"
	words["mix50"] = "50 % get, 50 % set"
}

FILENAME ~ /insns/ {
	if (!/^#/ && split($0, field, " ") == 4) {
		collect(counted, counted_seen, field[1])
		collect(counts, counts_seen, field[2])
		insns[field[1], field[2]] = field[3]
		plain[field[1], field[2]] = field[4]
	}
	next
}

/^#/ { next }

FILENAME ~ /thin/ {
	whole[++wholes] = $0
	next
}

FILENAME ~ /drift|soak/ {
	if ($2 ~ / whole$/) {
		whole[++wholes] = $0
	} else if ($2 == "drift full") {
		budget = $4
		begun = begun ? begun : $8
		ended = $8
		refused = $7
		ratio_now = $6 / $5
		if (!full_first)
			full_first = ratio_now
		full_last = ratio_now
		if (ratio_now > full_most)
			full_most = ratio_now
		rounds++
	}
	next
}

NF != 5 { next }

FILENAME ~ /growth/ {
	collect(growers, growers_seen, $1)
	grown = $4
	growth[$1, $2] = $5
	if ($2 ~ /^below /) {
		bound = substr($2, 7) + 0
		if (!least || bound < least)
			least = bound
		if (bound > most)
			most = bound
	}
	next
}

{
	collect(peers, peers_seen, $1)
	collect(sizes, sizes_seen, $4)
	if ($2 == "memory") {
		memory[$1, $4] = $5
		next
	}
	collect(threads, threads_seen, $3)
	rate[$1, $2, $3, $4] = $5
}

# ---- rates ----

function print_rates(size, title, names,	count, name, i, p, t, row, some)
{
	count = split(names, name, " ")
	printf "%s%s, %s entries:\n\n| peer |", rates_printed++ ? "\n" : "", \
		title, thousands(size)
	for (i = 1; i <= count; i++)
		for (t = 1; t <= threads[0]; t++)
			printf " %s, %d thread%s |", words[name[i]], threads[t], \
				threads[t] == 1 ? "" : "s"
	printf "\n|---|"
	for (i = 1; i <= count * threads[0]; i++)
		printf "---:|"
	printf "\n"
	for (p = 1; p <= peers[0]; p++) {
		some = 0
		row = "| " peers[p] " |"
		for (i = 1; i <= count; i++)
			for (t = 1; t <= threads[0]; t++) {
				if ((peers[p], name[i], threads[t], size) in rate) {
					some = 1
					row = row " " thousands(rate[peers[p], \
						name[i], threads[t], size])
				}
				row = row " |"
			}
		if (some)
			print row
	}
}

function table_rates(	s)
{
	for (s = 1; s <= sizes[0]; s++) {
		print_rates(sizes[s], "Lookups per second", lookups)
		print_rates(sizes[s], "Changes per second", changes)
		print_rates(sizes[s], "Mixed operations per second", mixes)
	}
}

# ---- memory ----

function table_memory(	p, s)
{
	printf "| peer |"
	for (s = 1; s <= sizes[0]; s++)
		printf " %s entries |", thousands(sizes[s])
	printf "\n|---|"
	for (s = 1; s <= sizes[0]; s++)
		printf "---:|"
	printf "\n"
	for (p = 1; p <= peers[0]; p++) {
		if (!((peers[p], sizes[1]) in memory))
			continue
		printf "| %s |", peers[p]
		for (s = 1; s <= sizes[0]; s++)
			printf " %.1f |", memory[peers[p], sizes[s]]
		printf "\n"
	}
}

# ---- instructions ----

function table_insns(	p, c, name)
{
	printf "| peer |"
	for (c = 1; c <= counts[0]; c++)
		printf " %s |", words[counts[c]]
	printf "\n|---|"
	for (c = 1; c <= counts[0]; c++)
		printf "---:|"
	printf "\n"
	for (p = 1; p <= counted[0]; p++) {
		printf "| %s |", counted[p]
		for (c = 1; c <= counts[0]; c++) {
			name = counted[p] SUBSEP counts[c]
			if (name in insns)
				printf " %s / %s", thousands(insns[name]), \
					thousands(plain[name])
			printf " |"
		}
		printf "\n"
	}
}

# ---- growth ----

function table_growth(	g, i, name, quantiles, bound)
{
	split("p50 p99 p99.9 max", quantiles, " ")
	printf "Instructions of a set while a table grows to %s entries:\n\n", \
		thousands(grown)
	printf "| peer | p50 | p99 | p99.9 | longest | longest / p99.9 |\n"
	printf "|---|---:|---:|---:|---:|---:|\n"
	for (g = 1; g <= growers[0]; g++) {
		name = growers[g]
		printf "| %s |", name
		for (i = 1; i <= 4; i++)
			printf " %s |", thousands(growth[name, quantiles[i]])
		printf " %.1f |\n", growth[name, "max"] / growth[name, "p99.9"]
	}
	printf "\nHow many sets took that many:\n\n| instructions |"
	for (g = 1; g <= growers[0]; g++)
		printf " %s |", growers[g]
	printf "\n|---:|"
	for (g = 1; g <= growers[0]; g++)
		printf "---:|"
	printf "\n"
	for (bound = least; bound <= most; bound *= 2) {
		printf "| below %s |", thousands(bound)
		for (g = 1; g <= growers[0]; g++)
			printf " %s |", (growers[g], "below " bound) in growth ? \
				thousands(growth[growers[g], "below " bound]) : "-"
		printf "\n"
	}
}

# ---- drift ----

function table_drift(	i, field, kind)
{
	printf "| peer | sizes | sets | refused | least stored then | memory per byte stored | most memory | set, median | p99.9 | longest |\n"
	printf "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"
	for (i = 1; i <= wholes; i++) {
		split(whole[i], field, "\t")
		kind = field[2] ~ /^drift/ ? "drift" : "do not drift"
		printf "| %s | %s | %s | %s | %s | %.2f | %.1f MiB | %s | %s | %s |\n",
			field[1], kind, thousands(field[3]), thousands(field[4]),
			field[4] ? sprintf("%.0f %%", field[5]) : "-", field[6],
			field[7] / 1048576, thousands(field[8]),
			thousands(field[9]), thousands(field[10])
	}
}

function table_thin(	i, field)
{
	printf "| peer | a tenth that stays | memory, all | memory, a tenth | stored | ratio |\n"
	printf "|---|---|---:|---:|---:|---:|\n"
	for (i = 1; i <= wholes; i++) {
		split(whole[i], field, "\t")
		printf "| %s | %s | %.1f MiB | %.1f MiB | %.1f MiB | %.2f |\n",
			field[1], field[2] ~ /random/ ? "at random" : "the first",
			field[4] / 1048576, field[5] / 1048576, field[6] / 1048576,
			field[5] / field[6]
	}
}

function table_soak()
{
	printf "%.1f hours, %s generations in a budget of %s bytes; %s values were refused.\n", \
		(ended - begun) / 3600, thousands(rounds), thousands(budget), \
		thousands(refused)
	printf "Memory per byte stored, when full: %.3f at first, %.3f at the end, %.3f at most.\n", \
		full_first, full_last, full_most
}

# ---- goals ----

# verdict VALUE SENSE LIMIT: a goal's figure, and whether the goal is met; without a
# limit the figure alone.
function verdict(value, sense, limit)
{
	if (value == "")
		return "not measured |"
	if (limit == "")
		return sprintf("%.4g |", value)
	met[(sense == "<=" ? value <= limit : value >= limit)]++
	if (sense == "<=" ? value <= limit : value >= limit)
		return sprintf("%.4g |", value)
	return sprintf("**%.4g, missed** |", value)
}

function ratio(over, under)
{
	return over == "" || under == "" || !under ? "" : over / under
}

# A goal of instructions: the counts on a CPU with fast string moves, and without.
function goal_insns(what, value, value_plain, limit,	met_first, met_plain)
{
	printf "| %s | at most %g |", what, limit
	if (value == "") {
		printf " not measured |\n"
		return
	}
	met_first = value <= limit
	met_plain = value_plain == "" ? met_first : value_plain <= limit
	met[met_first || met_plain]++
	if (value_plain != "")
		value = sprintf("%.4g / %.4g", value, value_plain)
	else
		value = sprintf("%.4g", value)
	if (met_first && met_plain)
		printf " %s |\n", value
	else if (met_first || met_plain)
		printf " %s, met by the %s |\n", value, met_first ? "first" : "second"
	else
		printf " **%s, missed** |\n", value
}

# The same for one peer's operation, against another's if there is one.
function goal_count(what, peer, operation, other, op, limit)
{
	if (other == "")
		goal_insns(what, insns[peer, operation], plain[peer, operation], limit)
	else
		goal_insns(what, \
			ratio(insns[peer, operation], insns[other, op]), \
			ratio(plain[peer, operation], plain[other, op]), limit)
}

function rate_of(peer, operation, thread, size)
{
	return (peer, operation, thread, size) in rate ? \
		rate[peer, operation, thread, size] : ""
}

# A goal of rates: one peer's operation against another's, with this many threads.
function goal_rate(what, peer, operation, other, op, thread, limit,	s)
{
	printf "| %s, %d thread%s | at least %g |", what, thread, \
		thread == 1 ? "" : "s", limit
	for (s = 1; s <= sizes[0]; s++)
		printf " %s", verdict(ratio(rate_of(peer, operation, thread, \
			sizes[s]), rate_of(other, op, thread, sizes[s])), ">=", limit)
	printf "\n"
}

function goal_rates(what, peer, operation, other, op, limit)
{
	goal_rate(what, peer, operation, other, op, 1, limit)
	goal_rate(what, peer, operation, other, op, 2, limit)
}

# How many times as much two threads do as one; without a limit there is no goal.
function goal_scale(what, peer, operation, limit,	s)
{
	printf "| %s, 2 threads to 1 | %s |", what, \
		limit == "" ? "no goal" : sprintf("at least %g", limit)
	for (s = 1; s <= sizes[0]; s++)
		printf " %s", verdict(ratio(rate_of(peer, operation, 2, sizes[s]), \
			rate_of(peer, operation, 1, sizes[s])), ">=", limit)
	printf "\n"
}

function table_goals(	w)
{
	w = "kmap-window"
	printf "| instructions | goal | here |\n|---|---|---:|\n"
	goal_count("get by ioctl, of a BPF get", "kmap", "get", "bpf", "get", 0.5)
	goal_count("set by ioctl, of a BPF update", "kmap", "set", "bpf", "set", 0.55)
	goal_count("delete and insert, of BPF's", "kmap", "delins", "bpf", "delins", 0.6)
	goal_count("a get of a batch of 64", "kmap", "get64", "", "", 350)
	goal_count("a key of a walk", "kmap", "walk", "", "", 150)
	goal_count("get through the window, of lfht's", w, "get", "lfht", "get", 1)
	goal_count("get through the window, of the unlocked table's", w, "get", \
		"shm-unlocked", "get", 2.1)
	goal_insns("longest set while growing, of its p99.9", \
		growers[0] ? ratio(growth["kmap", "max"], \
		growth["kmap", "p99.9"]) : "", "", 3)

	if (sizes[0])
		goals_of_rates(w)
	printf "\nOf %d figures %d are met and %d missed.\n", met[0] + met[1], \
		met[1], met[0]
}

function goals_of_rates(w,	s)
{
	printf "\n| rates, and bytes per entry | goal |"
	for (s = 1; s <= sizes[0]; s++)
		printf " %s entries |", thousands(sizes[s])
	printf "\n|---|---|"
	for (s = 1; s <= sizes[0]; s++)
		printf "---:|"
	printf "\n"
	goal_rates("get through the window, to BPF", w, "get", "bpf", "get", 8)
	goal_rates("to lfht", w, "get", "lfht", "get", 1)
	goal_rates("to LMDB", w, "get", "lmdb", "get", 4)
	goal_rates("to memcached", w, "get", "memcached", "get", 300)
	goal_rates("to Redis", w, "get", "redis", "get", 300)
	goal_rates("to a key of 64 of memcached", w, "get", "memcached", "get64", 10)
	goal_rates("to a key of 64 of Redis", w, "get", "redis", "get64", 10)
	goal_scale("get through the window", w, "get", 1.9)
	goal_scale("get by ioctl", "kmap", "get", 1.9)
	goal_scale("set", "kmap", "set", 1.8)
	# How the machine scales without gets and sets.
	goal_scale("an ioctl that does nothing", "null-ioctl", "get")
	goal_scale("choosing a key and no more", "null-ioctl", "nothing")
	goal_rate("95 % get, to the robust mutex", w, "mix95", "shm-mutex", "mix95", 2, 2)
	goal_rate("to the rwlock", w, "mix95", "shm-rwlock", "mix95", 2, 4)
	goal_rate("to LMDB", w, "mix95", "lmdb", "mix95", 2, 10)
	goal_rate("50 % get, to BPF", w, "mix50", "bpf", "mix50", 2, 1.5)
	goal_rate("to the robust mutex", w, "mix50", "shm-mutex", "mix50", 2, 1)
	goal_rate("to the rwlock", w, "mix50", "shm-rwlock", "mix50", 2, 1)
	printf "| bytes per entry beyond key and value | at most 32 |"
	for (s = 1; s <= sizes[0]; s++)
		printf " %s", verdict((("kmap", sizes[s]) in memory) ? \
			memory["kmap", sizes[s]] : "", "<=", 32)
	printf "\n"
}

END {
	if (table == "rates")
		table_rates()
	else if (table == "memory")
		table_memory()
	else if (table == "insns")
		table_insns()
	else if (table == "growth")
		table_growth()
	else if (table == "drift")
		table_drift()
	else if (table == "thin")
		table_thin()
	else if (table == "soak")
		table_soak()
	else if (table == "goals")
		table_goals()
}
