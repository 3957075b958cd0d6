# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The checks of style.sh: each prints its findings, one per line, beginning with
# the path from the top and a colon.  To be sourced, after lib.sh; they run in
# the top folder.

# tree: print all files of the repository, without what is built.
tree()
{
	find . \( -path ./.git -o -name build -o -name '*.mod.c' -o -name '.*.cmd' \
		-o -name '*.o' -o -name '*.ko' -o -name '*.mod' \
		-o -name '.checkpatch-*' -o -name Module.symvers -o -name modules.order \) -prune -o \
		-type f -printf '%P\n' | sort
}

c_files()
{
	tree | grep -E "^($1)/.*\.[ch]$"
}

# scripts: print the files that are scripts by their name or first line.
scripts()
{
	tree | while IFS= read -r file; do
		case $file in
		*.sh|*.bash)
			printf '%s\n' "$file"
			;;
		*)
			head -c 64 "$file" | head -n 1 | grep -q -a \
				'^#!.*sh$' && printf '%s\n' "$file"
			;;
		esac
	done
}

prepare()
{
	SOURCE=$("$VM_DIR/source.sh") || return
	FRAMEWORK=$(selftests/machinery/framework.sh) || return
	OUT=$TOP_DIR/build/style
	mkdir -p "$OUT"
}

# Licence lines, marks of unfinished work, blanks at line ends, length of files.
check_texts()
{
	local file want lines

	tree | while IFS= read -r file; do
		case $file in
		LICENSES/*)
			continue
			;;
		module/*|Kbuild|Makefile)
			want=GPL-2.0-only
			;;
		uapi/*)
			want='GPL-2.0-only WITH Linux-syscall-note'
			;;
		userspace/scripts/*)
			want=GPL-2.0-only
			;;
		userspace/*)
			want=MIT
			;;
		selftests/settings|selftests/config|.gitignore|*.md)
			want=
			;;
		*)
			want='GPL-2.0(-only)?'
			;;
		esac
		if [[ -n $want ]] && ! head -n 6 "$file" |
			grep -q -E "SPDX-License-Identifier: $want( |\$)"; then
			printf '%s:1: no SPDX line with %s\n' "$file" "$want"
		fi
		grep -n -H -E '[[:blank:]]+$' "$file"
		# Spelt so that this line does not match.
		grep -n -H -w -E 'TO''DO|FIX''ME|XX''X' "$file"
		lines=$(wc -l < "$file")
		case $file in
		*.c|*.h|*.sh)
			((lines <= 550)) || printf \
				'%s:%d: longer than 550 lines\n' "$file" "$lines"
			;;
		esac
		[[ -z $(tail -c 1 "$file") ]] ||
			printf '%s:%d: no newline at the end\n' "$file" "$lines"
	done
}

# names PAGE: print the names of standard input that the page does not have.
names()
{
	local name

	sort -u | while IFS= read -r name; do
		grep -q -F "\`$name\`" "$1" ||
			printf '%s:1: does not name %s\n' "$1" "$name"
	done
}

# selftests/README.md names each program and each native one, and no test that does not
# exist.  CONTRIBUTING.md names each check of the Makefile.
check_promises()
{
	local name page=selftests/README.md

	make -s -C selftests emit_tests > "$OUT/emitted" || return
	{
		sed -e 's/^.*://' -e 's/32$//' "$OUT/emitted"
		sed -n 's/^PROGRAMS[[:blank:]]*[:+]= *//p' \
			selftests/machinery/native/Makefile | tr ' ' '\n'
	} > "$OUT/named"
	names $page < "$OUT/named"
	sed -n 's/^\(check[a-z-]*\):.*$/make \1/p' Makefile | names CONTRIBUTING.md
	# The second column of the tables of promises.
	# shellcheck disable=SC2016
	sed '1,/^## Which test proves what/d; /^## /,$d' $page | cut -s -d '|' -f 3 |
		grep -o '`[a-z0-9_.-]*`' | tr -d '`' | sort -u > "$OUT/tests"
	while IFS= read -r name; do
		compgen -G "selftests/*/$name" > /dev/null && continue
		name=${name%32}
		name=${name%_window}
		compgen -G "selftests/*/$name.c" > /dev/null ||
			compgen -G "selftests/machinery/*/$name.[cl]*" > /dev/null ||
			printf '%s:1: no test of the name %s\n' $page "$name"
	done < "$OUT/tests"
	[[ -s $OUT/tests ]]
}

# The slow checks skip what has not changed since they saw it.  The cache has a list for
# each of them and each version of the kernel's source.

# seen CHECK: create its list if necessary, and print the name.
seen()
{
	local list=$CACHE/style-$1-${SOURCE##*/}

	touch "$list" && printf '%s\n' "$list"
}

# once CHECK FILES COMMAND...: run the command of a check, which prints findings, unless it
# has found nothing in these files before.  FILES is a pattern for the beginning of paths;
# what the checks are counts as well, and so do compilers and tools.
once()
{
	local list found=$OUT/$1.found sum status

	list=$(seen "$1") || return
	sum=$({
		tree | grep -E "^($2)|^selftests/machinery/style/checks.sh" |
			xargs sha256sum
		"$VM_DIR/kernel.sh" release
		gcc --version
		sparse --version
		shellcheck --version
		cppcheck --version
	} 2>&1 | sha256sum)
	if grep -q -x -F "$sum" "$list"; then
		return
	fi
	shift 2
	"$@" > "$found"
	status=$?
	cat "$found"
	((status)) || [[ -s $found ]] || printf '%s\n' "$sum" >> "$list"
	return "$status"
}

# checkpatch is run on each file by itself: the list has "SUM  FILE" per line, and another
# one the findings, behind the same.  It keeps a file of its own in the folder where it runs.
check_checkpatch()
{
	local list findings now=$OUT/checkpatch.now new=$OUT/checkpatch.new
	local found=$OUT/checkpatch.found

	list=$(seen checkpatch) && findings=$(seen checkpatch-findings) || return
	c_files 'module|uapi|userspace|selftests' | xargs sha256sum > "$now"
	grep -v -x -F -f "$list" "$now" > "$new"
	cut -d ' ' -f 3 "$new" | sed "s|^|$TOP_DIR/|" | (
		cd "$OUT" || exit
		xargs -r perl "$SOURCE/scripts/checkpatch.pl" --strict --no-tree \
			--terse --show-types --no-summary -q -f
	) | sed "s|^$TOP_DIR/||" > "$found"
	# It fails when it finds something; if nothing was found, it did not run.
	((PIPESTATUS[2] == 0)) || [[ -s $found ]] || return
	awk 'NR == FNR { sum[$2] = $1; next }
	{
		file = $0
		sub(/:.*/, "", file)
		print sum[file] "  " $0
	}' "$new" "$found" >> "$findings"
	cat "$new" >> "$list"
	awk 'NR == FNR { now[$0] = 1; next }
	{
		name = $0
		sub(/:.*/, "", name)
		if (name in now && !shown[$0]++)
			print substr($0, index($0, "  ") + 2)
	}' "$now" "$findings"
}

# our_warnings DIR: print the warnings of a build log, with paths from the top.
our_warnings()
{
	sed -e "s|$1/||g" -e "s|$TOP_DIR/||g" |
		grep -E '(warning|error|Warning|Error):|^make.*Error|undefined!'
}

# The module with W=1 and sparse, built from scratch, because a warning shows only when
# its file is compiled.
check_module()
{
	once module 'module/|uapi/|Kbuild' build_module
}

build_module()
{
	rm -rf "$OUT/module"
	"$VM_DIR/module.sh" "$OUT/module" W=1 C=2 > "$OUT/module.log" 2>&1
	our_warnings "$OUT/module" < "$OUT/module.log"
	[[ -e $OUT/module/kmap.ko ]]
}

# Each file of the module uses only those below it in DESIGN.md's list.  Takes the objects
# of check_module if that has just made them.
check_layers()
{
	local notes

	notes=$(seen layers-notes) || return
	once layers 'module/|uapi/|Kbuild|selftests/machinery/style/layers.awk' \
		run_layers "$notes" && cp "$notes" "$WORK/layers.notes"
}

run_layers()
{
	local objects=$OUT/module

	while [[ " ${CHECKS[*]} " == *" module "* && ! -e $WORK/module.result ]]; do
		sleep 0.2
	done
	if [[ ! -e $objects/kmap.ko ||
	      -n $(find module uapi Kbuild -newer "$objects/kmap.ko" -type f) ]]; then
		objects=$OUT/layers
		"$VM_DIR/module.sh" "$objects" > "$OUT/layers.log" 2>&1 || return
	fi
	nm -A "$objects"/module/*.o > "$OUT/layers.nm" || return
	awk -v notes="$1" -f selftests/machinery/style/layers.awk \
		module/DESIGN.md "$OUT/layers.nm" module/*.[ch]
}

# The same as coccicheck in report mode.  Patterns of the kernel that need an OCaml
# compiler are left out.
check_coccinelle()
{
	once coccinelle module/ run_coccinelle
}

run_coccinelle()
{
	local file

	find "$SOURCE/scripts/coccinelle" -name '*.cocci' | sort |
	while IFS= read -r file; do
		grep -q '^virtual report' "$file" || continue
		grep -q '^@.*script:ocaml' "$file" && continue
		spatch -D report --very-quiet --no-show-diff --no-includes \
			--include-headers --cocci-file "$file" --dir module 2>&1 ||
			printf 'module/: spatch failed on %s\n' "${file##*/}"
	done | grep '^module/'
	true
}

# Each source is compiled once: with -O1, since that is enough for most warnings, and for
# 32 bits only as far as the syntax, since that shows differences of types.
check_selftests()
{
	once selftests 'selftests/.*(\.[ch]|Makefile)$|uapi/|userspace/lib/' build_selftests
}

build_selftests()
{
	local warn='-Wshadow -Wno-unused-parameter -Wno-psabi' status

	rm -rf "$OUT/selftests"
	{
		make -s -k -C selftests OUTPUT="$OUT/selftests" \
			USERCFLAGS="-O1 -g0 $warn" compile
		status=$?
		make -s -k -C selftests OUTPUT="$OUT/selftests/32" \
			USERCFLAGS="-m32 -fsyntax-only $warn" compile
	} > "$OUT/selftests.log" 2>&1
	our_warnings "$OUT/selftests" < "$OUT/selftests.log"
	return "$status"
}

# userspace_build NAME MAKE ARGUMENT...
userspace_build()
{
	local name=$1 status

	shift
	rm -rf "${OUT:?}/$name"
	make -s -C userspace BUILD="$OUT/$name" WERROR=1 "$@" \
		> "$OUT/$name.log" 2>&1
	status=$?
	our_warnings "$OUT/$name" < "$OUT/$name.log"
	return "$status"
}

check_userspace()
{
	once userspace 'userspace/|uapi/' userspace_build userspace
}

check_userspace32()
{
	once userspace32 'userspace/|uapi/' userspace_build userspace32 CFLAGS='-O2 -m32' LDFLAGS=-m32
}

# The ABI's header compiles alone, and included twice, as C90 and C++98, for 32 and 64
# bits.
check_header()
{
	local bits file=$OUT/header

	printf '#include <linux/kmap.h>\n#include <linux/kmap.h>\n' > "$file.c"
	printf 'struct kmap_op op; int main(void) { return 0; }\n' >> "$file.c"
	cp "$file.c" "$file.cc"
	for bits in 32 64; do
		gcc -m$bits -std=c90 -pedantic -Wall -Wextra -fsyntax-only \
			-Iuapi "$file.c" 2>&1
		g++ -m$bits -std=c++98 -Wall -Wextra -fsyntax-only \
			-Iuapi "$file.cc" 2>&1
	done | our_warnings "$OUT"
	grep -n -H -E '\b(u8|u16|u32|u64|uint[0-9]+_t|size_t|bool)\b' \
		uapi/linux/kmap.h
	true
}

# Nobody else in the kernel uses our ioctl type, as far as this machine can tell: by the
# kernel's list of types, and by the headers for programs and for modules.
check_ioctl()
{
	local own fixture=$OUT/ioctl.rst
	local awk=selftests/machinery/style/ioctl.awk
	local -a files

	own=$(sed -n 's/^#define[[:blank:]]*KMAP_IOC_MAGIC[[:blank:]]*//p' \
		uapi/linux/kmap.h)
	# First check that the script finds such a type.
	printf '%s  00-0F  linux/other.h\n' "$own" > "$fixture"
	printf '#define A %s\n#define B _IOW(A, 1, int)\n' "$own" > "$OUT/ioctl.h"
	(($(awk -v own="$own" -f $awk "$fixture" "$OUT/ioctl.h" | wc -l) == 2)) ||
		return
	mapfile -t files < <(
		find "$SOURCE/Documentation/userspace-api/ioctl" \
			-name ioctl-number.rst
		find /usr/include/{asm-generic,drm,linux,misc,mtd,rdma,scsi,sound} \
			/usr/include/{video,xen} /usr/include/*-linux-gnu/asm \
			/usr/src/linux-headers-*/include/uapi \
			"$CACHE"/*/usr/src/linux-headers-*/include/uapi \
			"$CACHE"/*/usr/include/linux \
			-name '*.h' ! -name kmap.h 2>/dev/null)
	((${#files[@]} > 100)) || return
	printf '%s\0' "${files[@]}" | xargs -0 awk -v own="$own" -f $awk
}

# runs32: can this kernel run 32-bit programs?
runs32()
{
	local program=$OUT/runs32

	printf 'int main(void) { return 0; }\n' |
		gcc -m32 -x c -o "$program" - && "$program"
} 2>/dev/null

# The tests of the ABI's layout need no module: they are compiled here for both sizes,
# which fails if a structure differs, and run where the kernel can run them.
check_layout()
{
	local bits program=$OUT/layout log=$OUT/layout.log

	for bits in 32 64; do
		if ! gcc -m$bits -Iuapi -I"$FRAMEWORK" -Iselftests/common -pthread \
			-o "$program$bits" selftests/abi/layout.c 2> "$log"; then
			cat "$log" >&2
			sed -n 's/^\(selftests.*: error: \)/\1/p' "$log" | grep . ||
				return 1
			continue
		fi
		((bits == 64)) || runs32 || continue
		"$program$bits" | grep -a -E '^not ok|layout.c:' |
			sed "s/^/selftests\/abi\/layout.c: $bits bits: /"
		((PIPESTATUS[0] == 0)) ||
			printf 'selftests/abi/layout.c: %s bits: failed\n' $bits
	done
}

check_shellcheck()
{
	once shellcheck "$(scripts | paste -s -d '|')" run_shellcheck
}

run_shellcheck()
{
	scripts | xargs shellcheck -x -P SCRIPTDIR -f gcc
}

# It does not matter which other pages this machine has.
check_mandoc()
{
	local page

	for page in userspace/man/*.[1-9]; do
		mandoc -T lint -W style "$page" 2>&1 | sed 's/^mandoc: //'
	done | grep -v -e 'referenced manual not found' -e 'mandoc\.db'
	# mandoc takes a macro for text, silently, if it does not begin its line.
	for page in userspace/man/*.[1-9]; do
		mandoc -T ascii "$page" | sed -E 's/.\x08//g' |
			grep -E '(^|[[:space:]"(])\.[A-Z][a-z]([[:space:]]|$)' |
			sed -E "s|^[[:space:]]*|$page: a macro as text: |"
	done
	true
}

# kernel-doc: what is documented is documented completely.
check_kerneldoc()
{
	c_files 'module|uapi' |
		xargs perl "$SOURCE/scripts/kernel-doc" -none 2>&1 |
		grep -E 'warning|error' | grep -v 'no structured comments found'
	true
}

check_cppcheck()
{
	cppcheck --quiet --enable=warning,performance,portability \
		--inline-suppr --std=c11 --language=c \
		--suppress=missingIncludeSystem \
		--suppress=normalCheckLevelMaxBranches --template=gcc \
		-Iuapi -Iuserspace/lib --error-exitcode=0 \
		userspace/lib userspace/cli userspace/examples userspace/bench 2>&1 |
		grep -E '(warning|error|performance|portability|style):'
	true
}
