#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build a debug kernel from Debian's linux-source package, and print its folder,
# which has bzImage, .config, and what "make M=" needs.
#
#	kernel.sh kasan|kcsan|gcov
#	kernel.sh -l kasan|kcsan|gcov	print the folder, build nothing; fails
#					when it is not there
#
# The configuration is common.config and NAME.config on top of allnoconfig.
# Kernels are kept in the cache, keyed by version of the source, configuration and
# compiler.  A kernel that is there is not built again.

set -u
DEBUG_DIR=$(cd "$(dirname "$0")" && pwd)
. "$DEBUG_DIR/../vm/lib.sh"

LOOK=no
if [[ ${1:-} == -l ]]; then
	LOOK=yes
	shift
fi
NAME=${1:-}
[[ -n $NAME && -r $DEBUG_DIR/$NAME.config && $NAME != common ]] ||
	die 'usage: kernel.sh [-l] kasan|kcsan'

# Arguments of make beyond the configuration.  The compiler's checks are for the
# module: the kernel itself is not under test, a kernel that does not check itself is
# much faster, and all watchpoints of the race detector are for the module.  Functions
# that work on the module's memory are checked, too: locks, lists, deferred calls,
# copies, strings.  Allocations and frees are watched in any case.  Functions that
# order memory for the module must tell the race detector, or it would see writes move
# past an unlock.
MAKE_ARGS=()
case $NAME in
kasan)
	MAKE_ARGS+=(KASAN_SANITIZE=n UBSAN_SANITIZE=n)
	for object in spinlock qspinlock spinlock_debug mutex mutex-debug rwsem \
		percpu-rwsem tree update wait workqueue timer list_debug siphash \
		bitmap find_bit string_helpers vsprintf kstrtox usercopy \
		percpu_counter char_dev params util; do
		MAKE_ARGS+=("KASAN_SANITIZE_$object.o=y")
	done
	;;
kcsan)
	# Not find_bit: the scheduler looks for bits in masks that others change, and
	# such a race would be reported.  watched.h checks the module's bitmaps.
	MAKE_ARGS+=(KCSAN_SANITIZE=n KCSAN_SANITIZE_siphash.o=y)
	for object in spinlock rwsem mutex tree update wait percpu-rwsem; do
		MAKE_ARGS+=("KCSAN_INSTRUMENT_BARRIERS_$object.o=y")
	done
	;;
esac

ARCHIVE=$(printf '%s\n' /usr/src/linux-source-6.12*.tar.xz | sort -V | tail -n 1)
[[ -r $ARCHIVE ]] || die 'no linux-source-6.12 in /usr/src: run "make deps"'
PACKAGE=${ARCHIVE##*/}
PACKAGE=${PACKAGE%.tar.xz}
VERSION=$(dpkg-query -W -f '${Version}' "$PACKAGE" 2>/dev/null ||
	  stat -c %s-%Y "$ARCHIVE")
VERSION=${VERSION//[:~]/_}
SOURCE=$CACHE/linux-$VERSION
KEY=$({
	cat "$DEBUG_DIR/common.config" "$DEBUG_DIR/$NAME.config" |
		grep '^CONFIG_' | sort
	printf '%s\n' "${MAKE_ARGS[@]}"
	"${CC:-gcc}" --version | head -n 1
} | sha256sum | cut -c 1-12)
BUILT=$CACHE/debug-$NAME-$VERSION-$KEY

if [[ -e $BUILT/bzImage ]]; then
	printf '%s\n' "$BUILT"
	exit
fi
[[ $LOOK == no ]] || exit 1

# unpack: unpack the kernel's source, except for large parts that are not needed here.
unpack()
{
	local new

	[[ ! -d $SOURCE ]] || return 0
	say "Unpacking $ARCHIVE (once, about 1 minute)"
	new=$(mktemp -d -p "$CACHE") || return
	tar -x -J -f "$ARCHIVE" -C "$new" --strip-components=1 --no-same-owner \
		--exclude="$PACKAGE/drivers/gpu/drm/amd/include/asic_reg" \
		--exclude="$PACKAGE/tools/perf/pmu-events/arch" \
		--exclude="$PACKAGE/tools/testing/selftests" \
		--exclude="$PACKAGE/arch/*/boot/dts" || return
	chmod 755 "$new"
	mv -T "$new" "$SOURCE"
}

# configure DIR: fails when an option of the configuration did not take effect.
configure()
{
	local option missing=()

	cat "$DEBUG_DIR/common.config" "$DEBUG_DIR/$NAME.config" > "$1/all.config"
	make -s -C "$SOURCE" O="$1" KCONFIG_ALLCONFIG="$1/all.config" \
		allnoconfig > "$1/log" 2>&1 || return
	while IFS= read -r option; do
		grep -qxF -e "$option" "$1/.config" || missing+=("$option")
	done < <(grep '^CONFIG_' "$1/all.config")
	((${#missing[@]} == 0)) && return
	printf 'not taken by this kernel or compiler: %s\n' "${missing[*]}" \
		>> "$1/log"
	return 1
}

# compile DIR: build, and print the progress now and then.
compile()
{
	local pid begun=$SECONDS told=$SECONDS

	nice make -C "$SOURCE" O="$1" -j"${JOBS:-$(nproc)}" "${MAKE_ARGS[@]}" \
		bzImage modules >> "$1/log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		((SECONDS - told >= 30)) || continue
		told=$SECONDS
		printf '   %d files, %d s\n' "$(grep -c '^  CC ' "$1/log")" \
			$((SECONDS - begun))
	done
	wait "$pid"
}

build()
{
	local begun=$SECONDS

	# One at a time: another run may want the same kernel.
	exec 5> "$BUILT.lock"
	flock 5
	[[ ! -e $BUILT/bzImage ]] || return 0
	unpack || return
	say "Building the $NAME kernel from $PACKAGE (once, about 6 minutes)"
	# Continue a build that was interrupted.
	mkdir -p "$BUILT"
	if ! configure "$BUILT" || ! compile "$BUILT"; then
		grep -i -e error -e 'not taken' "$BUILT/log" | head -n 20
		tail -n 5 "$BUILT/log"
		return 1
	fi
	# Modules are built without the kernel's objects.
	find "$BUILT" \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' \
		-o -name '.tmp_vmlinux*' \) -not -path '*/scripts/*' \
		-not -path '*/tools/*' -delete
	cp -L "$BUILT/arch/x86/boot/bzImage" "$BUILT/bzImage.new" &&
		mv "$BUILT/bzImage.new" "$BUILT/bzImage" || return
	say "Built the $NAME kernel in $((SECONDS - begun)) s"
}

mkdir -p "$CACHE"
build >&2 || die "cannot build the $NAME kernel; see $BUILT/log"
printf '%s\n' "$BUILT"
