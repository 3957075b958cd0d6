# SPDX-License-Identifier: MIT
#
# Completion of the kmap command for bash.
#
# What there is to complete comes from the --help of the very kmap that is being
# typed, so this file names neither subcommands nor options.

# __kmap_words KMAP [COMMAND]: the options that its help lists; without a
# command, subcommands too.  Sets words, and takes: which options have an
# argument.
__kmap_words()
{
	local line

	words=()
	takes=' '
	while IFS= read -r line; do
		if [[ $line =~ ^\ \ (-.),\ (--[a-z-]+)(\ [A-Z]+)?(\ |$) ]]; then
			words+=("${BASH_REMATCH[2]}")
			[[ -z ${BASH_REMATCH[3]} ]] ||
				takes+="${BASH_REMATCH[1]} ${BASH_REMATCH[2]} "
		elif [[ $# -eq 1 && $line =~ ^\ \ ([a-z]+)\  ]]; then
			words+=("${BASH_REMATCH[1]}")
		fi
	done < <("$@" --help 2>/dev/null)
}

# __kmap_choose WORD...: those that begin with what is being typed.
__kmap_choose()
{
	mapfile -t COMPREPLY < <(compgen -W "$*" -- "$current")
}

__kmap_files()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

__kmap()
{
	local kmap=$1 current=${COMP_WORDS[COMP_CWORD]} before=''
	local command='' operands=0 i words takes

	((COMP_CWORD > 0)) && before=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	kmap=${kmap/#\~/$HOME}

	# Which subcommand is it, and does an operand stand before this word?
	__kmap_words "$kmap"
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--)
			[[ -z $command ]] || operands=1;;
		-*)
			[[ $takes != *" ${COMP_WORDS[i]} "* ]] || ((i++));;
		*)
			if [[ -z $command ]]; then
				command=${COMP_WORDS[i]}
				[[ $command != help ]] || break
				__kmap_words "$kmap" "$command"
			else
				operands=1
			fi;;
		esac
	done

	if [[ $command == help ]]; then
		__kmap_words "$kmap"
		__kmap_choose "${words[@]/#-*/}"
	elif [[ $takes == *" $before "* ]]; then
		case $command:$before in
		*:-d | *:--device)
			__kmap_files;;
		bench:-s | bench:--skew | advise:-s | advise:--skew)
			__kmap_choose uniform zipf;;
		bench:-w | bench:--write | advise:-w | advise:--write)
			__kmap_choose set add match;;
		advise:-l | advise:--locks)
			__kmap_choose rcu rwsem spinlock;;
		advise:-m | advise:--module)
			__kmap_files;;
		bench:* | advise:*)
			;;
		*:-o | *:--output)
			__kmap_choose raw escape hex number;;
		*:-m | *:--match | *:-E | *:--equal | *:-p | *:--prefix)
			;;
		*)
			__kmap_files;;
		esac
	elif [[ -z $command || ($current == -* && $operands -eq 0) ]]; then
		__kmap_choose "${words[@]}"
	elif [[ $command == load && $operands -eq 0 ]]; then
		__kmap_files
	elif [[ $command == info ]]; then
		__kmap_words_of_info
	fi
}

# The fields that "kmap info" takes are those that it prints.
__kmap_words_of_info()
{
	local name rest

	words=()
	while read -r name rest; do
		words+=("$name")
	done < <("$kmap" info 2>/dev/null)
	__kmap_choose "${words[@]}"
}

complete -F __kmap kmap
