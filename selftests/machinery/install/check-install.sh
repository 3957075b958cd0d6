#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What make does without a VM, tested in a copy: installing puts everything in its
# place, and uninstalling removes it again; a program can be linked with the installed
# library, whatever names its functions have; only packages that are used are asked
# for; and variables reach the scripts unchanged.
#
# The last line is "N passed, N failed, N skipped".

set -u
. "$(dirname "$0")/../../../userspace/scripts/lib.sh"

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
PASSED=0 FAILED=0
COPY=$WORK/kmap ROOT=$WORK/root

# check NAME COMMAND...: the command must succeed; its output is shown if it fails.
check()
{
	local name=$1

	shift
	if "$@" > "$WORK/log" 2>&1; then
		((++PASSED))
		printf 'ok    %s\n' "$name"
		return
	fi
	((++FAILED))
	bad "FAIL  $name"
	tail -n 20 "$WORK/log" "$WORK/output" | sed 's/^/      | /'
}

not()
{
	! "$@"
}

# run ARGUMENT...: run make in the copy, with its output in WORK/output.
run()
{
	make -C "$COPY" KDIR="$KDIR" "$@" > "$WORK/output" 2>&1
}

said()
{
	grep -q -E -e "$1" "$WORK/output"
}

# asked_for: print the groups of packages that make would install.
asked_for()
{
	make -C "$COPY" -n "$@" 2>/dev/null | sed -n 's/.*deps\.sh //p' | sort -u |
		tr '\n' ' '
}

# asks GROUPS MAKE ARGUMENT...: make would install exactly these groups.
asks()
{
	local groups

	groups=$(asked_for "${@:2}")
	printf '%s\n' "$groups"
	[[ $groups == "$1" ]]
}

# Make a folder of stand-ins for apt and dpkg: nothing is installed, and apt knows the
# packages that KNOWN names.
stand_ins()
{
	mkdir "$WORK/bin"
	cat > "$WORK/bin/dpkg-query" <<-'END'
		#!/bin/bash
		exit 1
	END
	cat > "$WORK/bin/apt-cache" <<-'END'
		#!/bin/bash
		[[ " $KNOWN " == *" $2 "* ]] && echo "Package: $2"
	END
	cat > "$WORK/bin/apt-get" <<-'END'
		#!/bin/bash
		echo "$@" >> "$CALLS"
	END
	chmod 755 "$WORK"/bin/*
}

# names GROUP WANT NOT: deps.sh prints that it installs WANT and not NOT, and does so.
names()
{
	: > "$WORK/calls"
	PATH=$WORK/bin:$PATH CALLS=$WORK/calls "$SCRIPTS_DIR/deps.sh" "$1" \
		> "$WORK/said" 2>&1
	cat "$WORK/said" "$WORK/calls"
	grep '^== Installing' "$WORK/said" | grep -w -e "$2" |
		grep -v -w -q -e "$3" &&
		grep '^install ' "$WORK/calls" | grep -w -e "$2" |
		grep -v -w -q -e "$3"
}

# raw_word WORD: with CMD=WORD, the script that make vm runs gets exactly that.
raw_word()
{
	local word

	mkdir -p "$WORK/vm" "$WORK/scripts"
	cat > "$WORK/vm/shell.sh" <<-'END'
		#!/bin/bash
		printf '%s\n' "$CMD"
	END
	printf '#!/bin/bash\n' | tee "$WORK/scripts/deps.sh" > "$WORK/scripts/kdir.sh"
	chmod 755 "$WORK"/{vm,scripts}/*
	word=$(make -s -C "$COPY" VM="$WORK/vm" SCRIPTS="$WORK/scripts" MAKE=true \
		vm CMD="$1")
	printf '%s\n' "$word"
	[[ $word == "$1" ]]
}

# exports ARCHIVE: it has the names that the shared library exports, and no others.
exports()
{
	diff <(sed -n 's/^\t\(kmap_.*\);$/\1/p' "$COPY/userspace/lib/libkmap.map" |
		sort) <(nm -g --defined-only "$1" | awk 'NF == 3 { print $3 }' | sort)
}

# hidden BUILD: print the names that only the library's own objects share.
hidden()
{
	nm -g --defined-only "$1"/obj/lib/*.o | awk 'NF == 3 { print $3 }' |
		grep -v -e '^kmap_' -e '^__' | sort -u
}

# links BUILD ARCHIVE [OPTION]...: a program can have a function with any name that is
# hidden in the library, and calls its own.  One name at a time: a program that defines
# all of them would need no part of the archive for them, so none would clash.
links()
{
	local build=$1 archive=$2 name
	local -a names

	shift 2
	mapfile -t names < <(hidden "$build")
	((${#names[@]})) || return
	for name in "${names[@]}"; do
		cat > "$WORK/program.c" <<-END
			#include <kmap.h>
			int $name(void);
			int $name(void) { return 7; }
			int main(void)
			{
				struct kmap *map;

				return !kmap_open(&map, "/nonexistent", 0) || $name() != 7;
			}
		END
		gcc "$@" -I"$ROOT/usr/local/include" -o "$WORK/program" \
			"$WORK/program.c" "$archive" || return
		# A kernel may run no 32-bit programs at all.
		[[ $* == *-m32* ]] || "$WORK/program" || return
	done
}

say 'Trying what make does by itself'
mkdir "$COPY" "$ROOT"
tar -c -C "$TOP_DIR" --exclude=./.git --exclude=build --exclude='*.o' \
	--exclude='*.ko' --exclude='*.mod' --exclude='.*.cmd' . |
	tar -x -C "$COPY"
KDIR=$("$SCRIPTS_DIR/kdir.sh")
[[ -n $KDIR ]] || die 'no kernel headers'
RELEASE=$(cat "$KDIR/include/config/kernel.release")
MODULE=$ROOT/lib/modules/$RELEASE

run install DESTDIR="$ROOT"
check 'make install with DESTDIR works' test $? -eq 0
check '... and says nothing of System.map' not said 'System\.map'
check '... the module is there' \
	test -n "$(find "$MODULE" -name 'kmap.ko*' 2>/dev/null)"
check '... and the library' test -e "$ROOT/usr/local/lib/libkmap.so.0"
if [[ $RELEASE != "$(uname -r)" ]]; then
	check '... which kernel it is for, is said' grep -q -F \
		"for kernel $RELEASE; the one that runs is $(uname -r)" \
		"$WORK/output"
fi

ARCHIVE=$ROOT/usr/local/lib/libkmap.a
check 'libkmap.a has no other names than its functions' exports "$ARCHIVE"
check '... and any other a program may have' \
	links "$COPY/userspace/build" "$ARCHIVE"
run -C userspace lib BUILD="$WORK/32" CFLAGS='-O2 -m32' LDFLAGS=-m32 AR=gcc-ar
check '... and so with 32 bits, by gcc-ar: the names' exports "$WORK/32/libkmap.a"
check '... and the program' links "$WORK/32" "$WORK/32/libkmap.a" -m32

mkdir -p "$ROOT/lib/modules/0.1-other/updates"
: > "$ROOT/lib/modules/0.1-other/updates/kmap.ko"
: > "$ROOT/usr/local/share/doc/kmap/mine"
run clean
run uninstall DESTDIR="$ROOT"
check 'make uninstall after make clean works' test $? -eq 0
check '... the module is gone' \
	test -z "$(find "$MODULE" -name 'kmap.ko*' 2>/dev/null)"
check '... and the library' test ! -e "$ROOT/usr/local/lib/libkmap.so.0"
check '... a module for another kernel is left, and named' \
	said '^left: .*/0\.1-other/updates/kmap\.ko, for another kernel'
check "... and so is a folder with others' files" \
	said '^left: .*/share/doc/kmap, with files that are not'
find "$ROOT" -type f > "$WORK/rest"
check '... and nothing else is there' test "$(wc -l < "$WORK/rest")" -eq 2

run -C userspace install PREFIX="$ROOT/usr" LDCONFIG='echo the loader knows;:'
check 'installing where the machine looks tells the loader' said 'the loader knows'
run -C userspace install DESTDIR="$ROOT/stage" LDCONFIG='echo the loader knows;:'
check '... and with DESTDIR does not' not said 'the loader knows'

check 'a whole check asks for all it uses' asks 'check check32 native ' check
check 'one test asks for what that uses' asks 'check ' check TESTS='ops keys'
check '... a 32-bit one for its compiler' asks 'check check32 ' check TESTS=ops32

stand_ins
export KNOWN='linux-headers-cloud-amd64 make gcc libc6-dev'
check 'deps.sh names what it installs: the second of two' names module \
	linux-headers-cloud-amd64 linux-headers-6.12-cloud-amd64
KNOWN+=' linux-headers-6.12-cloud-amd64'
check '... or the first' names module linux-headers-6.12-cloud-amd64 \
	linux-headers-cloud-amd64

# Another shell must expand these.
# shellcheck disable=SC2016
check 'CMD comes as it is' raw_word 'false; echo "$? $HOME $(id) a  b"'

printf '%d passed, %d failed, 0 skipped\n' "$PASSED" "$FAILED"
((PASSED && !FAILED))
