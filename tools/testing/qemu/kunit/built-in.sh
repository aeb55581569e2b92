# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# The KUnit suites in a kernel that has them and egpu built in.
# rig: kernels debug
# rig: built-in
# rig: arguments kunit.enable=1

for suite in $(kunit_suites); do
	kunit_results "$suite"
done

test_begin "egpu built in tells of a GPU that comes and goes"
events_start
hotadd tb0 gpu0
gpu=$(gpu_at tb0)
ready_wait "$gpu"
pull tb0
surprise_expect "$gpu"
