# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# The KUnit suites, each loaded as a module.
# rig: kernels debug
# rig: modules none
# rig: arguments kunit.enable=1

for suite in $(kunit_suites); do
	kunit_module "$suite"
done
