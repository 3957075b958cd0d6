# SPDX-License-Identifier: GPL-2.0-only
#
# Makefile for people; Kbuild beside it names the objects of the module.
# "make help" says what there is.

SCRIPTS	:= userspace/scripts
MACHINERY := selftests/machinery
VM	:= $(MACHINERY)/vm
# Headers to build the module with: those of the running kernel, else the newest
# installed.
KDIR	?= $(shell $(SCRIPTS)/kdir.sh)
KDIR_RELEASE = $(shell cat $(KDIR)/include/config/kernel.release)
PREFIX	?= /usr/local
DESTDIR	?=

# What is made for the guest.
BUILD	:= $(CURDIR)/build
GUEST	:= $(BUILD)/guest
export KMAP_KO := $(GUEST)/module/kmap.ko
export TEST_DIR := $(GUEST)/tests
export BIN_DIR := $(GUEST)/bin

# Given on the command line, they are for the scripts, as they are: what looks like a
# variable in them is one of a shell.
VARIABLES := TESTS LOCK HAMMER TIMEOUT JOBS V KERNEL MODULES KERNEL_KDIR ACCEL CMD
VARIABLES += PARAMS PREEMPT BENCH ENTRIES MATRIX SAVE RELEASES STEPS KEEP KERNELS
VARIABLES += BUDGET HOURS
raw = $(if $(filter-out undefined,$(origin $1)),$(eval override $1 := $$(value $1)))
$(foreach name,$(VARIABLES),$(call raw,$(name)))
export $(VARIABLES)

CPUS := $(shell nproc)
Q := $(if $(filter 1,$(V)),,@)
QUIET := $(if $(filter 1,$(V)),,-s)
MAKEFLAGS += --no-print-directory
say = @printf '== %s\n' $(1)

all: module userspace

module: deps-build
	$(Q)test -n '$(KDIR)' || $(SCRIPTS)/deps.sh module
	$(Q)$(MAKE) module-build

# By itself, since KDIR can be there only now.
module-build:
	$(call say,'Building kmap.ko with $(KDIR)')
	$(Q)test -n '$(KDIR)' || { echo 'no kernel headers; name them with KDIR='; false; }
	$(Q)$(MAKE) -C $(KDIR) M=$(CURDIR) modules
	$(Q)test '$(KDIR_RELEASE)' = "$$(uname -r)" || printf '== %s\n' \
		"kmap.ko is for kernel $(KDIR_RELEASE); the one that runs is $$(uname -r)"

userspace: deps-build
	$(call say,'Building libkmap and the kmap command')
	$(Q)$(MAKE) $(QUIET) -C userspace -j$(CPUS) all

# What the guest needs: the module for its kernel, programs, tests.
guest-module:
	$(call say,'Building kmap.ko for the guest')
	$(Q)$(VM)/module.sh $(GUEST)/module -j$(CPUS)

guest-programs: userspace
	$(Q)$(VM)/programs.sh $(BIN_DIR)

guest-tests:
	$(call say,'Building the tests')
	$(Q)rm -rf $(TEST_DIR)
	$(Q)$(MAKE) $(QUIET) -C selftests -j$(CPUS) all
	$(Q)$(MAKE) $(QUIET) -C selftests install INSTALL_PATH=$(TEST_DIR)

guest: guest-module guest-programs guest-tests

# What narrows it is about the guest.  Only what is used is installed: compilers for
# 32 bits when there are such programs among the tests.
NARROW := $(strip $(TESTS)$(LOCK))
DEPS_CHECK := deps-check $(if $(filter %32,$(or $(TESTS),all32)),deps-check32)
check: $(DEPS_CHECK) $(if $(NARROW),,deps-native)
	$(Q)$(MACHINERY)/parts.sh $(if $(NARROW),,check-native) check-guest

check-guest: $(DEPS_CHECK)
	$(Q)$(MAKE) guest
	$(Q)$(VM)/check.sh

check-large: deps-check
	$(Q)$(MAKE) guest
	$(Q)LIST=kselftest-list-large.txt TIMEOUT=$(or $(TIMEOUT),9000) \
		$(VM)/check.sh -m 6G

# The module for the guest's usual kernel is that of the 32-bit userland.
check-kernels: deps-check deps-check32 deps-kernels
	$(Q)$(MAKE) guest
	$(Q)$(MACHINERY)/kernels/check-kernels.sh
.PHONY: check-kernels

# On two debug kernels, which are built when the cache has none.
check-debug: $(DEPS_CHECK) deps-debug
	$(Q)$(MAKE) guest-programs guest-tests
	$(Q)$(MACHINERY)/debug/check-debug.sh

# The same, a third of the time: each program in one lock mode on each of them.
check-debug-short: $(DEPS_CHECK) deps-debug
	$(Q)$(MAKE) guest-programs guest-tests
	$(Q)SHORT=1 $(MACHINERY)/debug/check-debug.sh
.PHONY: check-debug-short

check-plants: deps-check deps-debug
	$(Q)$(MAKE) guest-programs guest-tests
	$(Q)$(MACHINERY)/debug/plants.sh

# On minimal systems of Debian, in folders.
check-debian: deps-debian
	$(Q)$(MACHINERY)/debian/check-debian.sh
.PHONY: check-debian

check-vm: deps-check
	$(Q)$(VM)/selftest.sh

# Make's own part: what installs, what goes to the scripts.
check-install: deps-install
	$(Q)$(MACHINERY)/install/check-install.sh
.PHONY: check-install

check-native: deps-native
	$(call say,'Building the core of the module for userspace')
	$(Q)$(MAKE) -C $(MACHINERY)/native -j$(CPUS) all
	$(Q)$(MAKE) -C $(MACHINERY)/native check

coverage: $(DEPS_CHECK) deps-native deps-coverage
	$(Q)$(MAKE) guest-programs guest-tests
	$(Q)$(MACHINERY)/coverage/coverage.sh

check-litmus: deps-litmus
	$(Q)$(MACHINERY)/litmus/run.sh

demo: deps-demo
	$(Q)$(MAKE) guest-module guest-programs
	$(Q)$(VM)/demo.sh

vm: deps-check
	$(Q)$(MAKE) guest-module guest-programs
	$(Q)$(VM)/shell.sh

# Rates of kmap and its peers; instructions an operation.
bench: deps-bench
	$(Q)$(MAKE) guest-module guest-programs bench-program
	$(Q)userspace/bench/bench.sh

insns: deps-bench
	$(Q)$(MAKE) guest-module guest-programs bench-program
	$(Q)userspace/bench/bench.sh --insns

check-insns: deps-bench
	$(Q)$(MAKE) guest-module guest-programs bench-program
	$(Q)userspace/bench/bench.sh --check-insns

growth: deps-bench
	$(Q)$(MAKE) guest-module guest-programs bench-program
	$(Q)userspace/bench/bench.sh --growth

# What becomes of tables when the sizes of values drift, and when most entries go; the
# former for HOURS.
drift: deps-bench
	$(Q)$(MAKE) guest-module guest-programs bench-program
	$(Q)userspace/bench/bench.sh --drift

thin: deps-bench
	$(Q)$(MAKE) guest-module guest-programs bench-program
	$(Q)userspace/bench/bench.sh --thin

soak: deps-bench
	$(Q)$(MAKE) guest-module guest-programs bench-program
	$(Q)userspace/bench/bench.sh --soak
.PHONY: drift thin soak

# Sets beside snapshots of the whole map, by instructions and by time.
beside: deps-bench
	$(Q)$(MAKE) guest-module guest-programs bench-program
	$(Q)userspace/bench/bench.sh --beside
	$(Q)userspace/bench/bench.sh --beside-time
.PHONY: beside

# Which lock wins where, and by how much.
matrix: deps-bench
	$(Q)$(MAKE) guest-module guest-programs
	$(Q)userspace/bench/matrix.sh

# RESULTS.md and the pictures anew, from the figures that are kept.
results: deps-bench
	$(Q)userspace/bench/matrix.sh --draw
	$(Q)userspace/bench/results.sh

bench-program:
	$(call say,'Building the benchmark')
	$(Q)$(MAKE) $(QUIET) -C userspace bench

style: deps-style
	$(Q)$(MACHINERY)/style/style.sh $(CHECKS)

deps:
	$(Q)$(SCRIPTS)/deps.sh all

deps-%:
	$(Q)$(SCRIPTS)/deps.sh $*

install: module userspace
	$(call say,'Installing below $(DESTDIR)$(PREFIX) and the module for $(KDIR)')
	$(Q)$(SCRIPTS)/install-module.sh '$(KDIR)' '$(DESTDIR)'
	$(Q)$(MAKE) $(QUIET) -C userspace install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)

uninstall:
	$(call say,'Removing what "make install" put below $(DESTDIR)$(PREFIX)')
	$(Q)$(SCRIPTS)/uninstall.sh '$(KDIR)' '$(PREFIX)' '$(DESTDIR)'

clean:
	$(call say,'Removing what was built')
	$(Q)test -z '$(KDIR)' || $(MAKE) $(QUIET) -C $(KDIR) M=$(CURDIR) clean
	$(Q)$(MAKE) $(QUIET) -C userspace clean
	$(Q)rm -rf build selftests/build

help:
	@sed -e 1,2d $(SCRIPTS)/help.txt

.PHONY: all module module-build userspace guest guest-module guest-programs guest-tests
.PHONY: bench growth insns check-insns matrix results bench-program
.PHONY: check check-guest check-large check-debug check-plants check-native check-litmus check-vm
.PHONY: coverage demo vm style deps install uninstall clean help
