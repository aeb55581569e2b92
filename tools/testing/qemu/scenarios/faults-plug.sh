# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Each allocation of the module is made to fail while a GPU is plugged in and pulled.
# rig: kernels debug

insert_egpu
run_ktap "$tests/faults" plug "tb0=$(port_address tb0)"
expect rmmod egpu
