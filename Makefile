# SPDX-License-Identifier: GPL-2.0
# egpu: everything starts here; `make help` lists the targets.
#
# All that is built goes to build/; what is fetched goes to the cache outside the
# tree (see tools/setup/setup), which the test targets fill by themselves.

BUILD := build
KERNELS := 6.1 6.12 debug
PREFIX ?= /usr
PYTHON := /usr/bin/python3
RIG := $(PYTHON) tools/testing/qemu/rig.py
SETUP := tools/setup/setup

# Headers of the running kernel, unless told otherwise.
KDIR ?= /lib/modules/$(shell uname -r)/build

# Warnings are errors, and more of them than the kernel's default.
KBUILD_FLAGS := W=1 KCFLAGS=-Werror

all: userspace module

help:
	@echo 'make                   the module for the running kernel (or KDIR=) and userspace'
	@echo 'make demo              see removals, and work that goes on across them, in a VM'
	@echo 'make check             all tests; sets itself up'
	@echo 'make selftests         the scenarios only; KERNEL=6.1|6.12|debug SCENARIO=name'
	@echo 'make baseline          what the debug kernel says in them without egpu'
	@echo 'make kunit             the KUnit suites, as modules and built in'
	@echo 'make mutants           mistakes put in on purpose, all to be caught; MUTANT=name'
	@echo 'make stress            random sequences; CYCLES=n SEED=n KERNEL=6.1|6.12|debug'
	@echo 'make fuzz              made-up files and messages; SECONDS=n for each target'
	@echo 'make bench             benchmarks, into $(BUILD)/bench/results.json'
	@echo 'make lint              style and static checks'
	@echo 'make regen             generate from the netlink spec again'
	@echo 'make install DESTDIR=  programs, library, header, unit, man pages'
	@echo 'make compile_commands  compile_commands.json for editors and clangd'
	@echo 'make setup             packages and kernels only'
	@echo 'make setup-debug       the debug kernel, too; its first build takes minutes'
	@echo 'make setup-bench       what the benchmarks compare with, too'
	@echo 'make clean             remove $(BUILD)/'

# --- building ----------------------------------------------------------------

# Kbuild writes beside its sources, so each kernel gets a copy of them. The times
# are kept: only what has changed is compiled again.
define build_module
	@mkdir -p $(BUILD)/kmod-$(1)
	@tar -cf - Kbuild VERSION kmod uapi | tar -xf - -C $(BUILD)/kmod-$(1)
	+$(MAKE) --no-print-directory -C $(2) M=$(abspath $(BUILD)/kmod-$(1)) \
		$(KBUILD_FLAGS) $(if $(filter debug,$(1)),CONFIG_EGPU_KUNIT_TEST=m) modules
endef

module:
	$(if $(wildcard $(KDIR)/Makefile),$(call build_module,host,$(KDIR)),\
	@echo 'no kernel headers in $(KDIR): the module is not built (name them with KDIR=)')

module-%:
	$(call build_module,$*,$$($(SETUP) where kernel-$*)/headers)

userspace:
	+$(MAKE) --no-print-directory -C userspace O=$(abspath $(BUILD)/userspace)

# Installed below build/stage, as the rig's guest sees it; the example is not installed elsewhere.
stage: userspace
	rm -rf $(BUILD)/stage
	+$(MAKE) --no-print-directory -C userspace O=$(abspath $(BUILD)/userspace) \
		PREFIX=/usr DESTDIR=$(abspath $(BUILD)/stage) install
	install $(BUILD)/userspace/examples/egpu-example $(BUILD)/stage/usr/bin/

install: userspace
	+$(MAKE) --no-print-directory -C userspace O=$(abspath $(BUILD)/userspace) \
		PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) install

rig:
	+$(MAKE) --no-print-directory -C tools/testing/qemu O=$(abspath $(BUILD)/rig)

selftest-programs: userspace
	+$(MAKE) --no-print-directory -C tools/testing/selftests/egpu \
		O=$(abspath $(BUILD)/selftests) USERSPACE=$(abspath $(BUILD)/userspace)

stress-program:
	+$(MAKE) --no-print-directory -C tools/testing/stress O=$(abspath $(BUILD)/stress)

guest: rig stage selftest-programs

compile_commands: module-6.12
	$(PYTHON) tools/compile_commands $(BUILD)/kmod-6.12 \
		$$($(SETUP) where kernel-6.12)/headers >$@.json

# --- testing -----------------------------------------------------------------

# Recursive, so that what the set-up installs is there when the rest is read.
demo: setup
	+@$(MAKE) --no-print-directory run-demo

run-demo: guest module-6.12
	@$(RIG) story demo --kernel 6.12

check: setup-debug
	+@tools/testing/check

selftests: $(if $(filter-out debug,$(KERNEL)),setup,setup-debug)
	+@$(MAKE) --no-print-directory run-selftests

run-selftests: guest $(addprefix module-,$(or $(KERNEL),$(KERNELS)))
	@$(RIG) run $(addprefix --kernel ,$(KERNEL)) $(addprefix --scenario ,$(SCENARIO))

# What the debug kernel complains of without egpu, held against the record in the tree.
baseline: setup-debug
	+@$(MAKE) --no-print-directory guest
	@$(RIG) baseline $(addprefix --scenario ,$(SCENARIO))

kunit: setup-debug
	+@$(MAKE) --no-print-directory run-kunit

# The kernel that has them built in is a copy of the debug kernel, linked again.
run-kunit: guest module-debug
	@tools/testing/qemu/kunit/build $(BUILD)
	@$(RIG) kunit $(addprefix --scenario ,$(SCENARIO))

# It makes the modules with the mistakes itself.
mutants: setup-debug
	+@$(MAKE) --no-print-directory guest
	@$(PYTHON) tools/testing/mutants/mutants.py $(MUTANT)

stress: $(if $(filter debug,$(KERNEL)),setup-debug,setup)
	+@$(MAKE) --no-print-directory run-stress

run-stress: guest stress-program module-$(or $(KERNEL),6.12)
	@$(RIG) stress $(addprefix --kernel ,$(KERNEL)) $(addprefix --cycles ,$(CYCLES)) \
		$(addprefix --seed ,$(SEED))

bench: setup-bench
	+@$(MAKE) --no-print-directory guest $(addprefix module-,$(filter-out debug,$(KERNELS)))
	tools/testing/bench/run

fuzz: setup
	+$(MAKE) --no-print-directory -C userspace O=$(abspath $(BUILD)/userspace) \
		$(addprefix SECONDS=,$(SECONDS)) fuzz

lint:
	tools/lint/run

regen:
	tools/regen/run

setup:
	@$(SETUP)

setup-debug:
	@$(SETUP) debug

setup-bench:
	@$(SETUP) bench

clean:
	rm -rf $(BUILD)

.PHONY: all help module userspace stage install rig selftest-programs guest \
	compile_commands demo run-demo check selftests run-selftests baseline kunit run-kunit \
	mutants stress run-stress stress-program bench fuzz lint regen setup setup-debug \
	setup-bench clean
