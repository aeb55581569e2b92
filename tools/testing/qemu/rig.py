#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Run scenarios in the virtual eGPU rig.

  rig.py run --kernel 6.12 [--scenario NAME]... [--build DIR]
  rig.py story NAME --kernel 6.12 [--build DIR]   show what the scenario tells, live
  rig.py baseline [--scenario NAME]...            what the debug kernel says without egpu
  rig.py kunit [--scenario NAME]... [--build DIR]     run the KUnit suites
  rig.py stress --kernel 6.12 [--cycles N] [--seed N] [--module FILE] [--build DIR]
                                                  random sequences
  rig.py list                                     scenarios and what they are about
"""

import argparse
import difflib
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from riglib import RigError, baseline, pictures, report, scenario, stress, vm
from riglib.kernel import Kernel
from riglib.turns import PLACES, a_turn

HERE = Path(__file__).resolve().parent
SCENARIOS = HERE / "scenarios"
STORIES = HERE / "stories"
KUNIT = HERE / "kunit"
BASELINE = HERE / "debug/baseline.txt"


def run_all(jobs, build):
    """Outcomes of (scenario, kernel) pairs, run side by side, each shown as it ends."""
    def one(job):
        item, kernel = job
        with a_turn():
            outcome = vm.run(item, kernel, build)
        if not item.baseline:
            report.show(outcome)
        return outcome

    with ThreadPoolExecutor(PLACES) as pool:
        return list(pool.map(one, jobs))


def run(args):
    wanted = scenario.load_all(SCENARIOS, args.scenario)
    kernels = [Kernel(name) for name in args.kernel or scenario.KERNELS]
    jobs = [(item, kernel) for kernel in kernels for item in wanted
            if kernel.name in item.kernels]
    outcomes = run_all(jobs, args.build)
    for kernel in kernels:
        mine = [o for o in outcomes if o.kernel == kernel.name]
        report.write_tap(mine, args.build / "results" / f"rig-{kernel.name}.tap")
    return 0 if all(o.passed for o in outcomes) else 1


def story(args):
    item = scenario.load_all(STORIES, [args.name])[0]
    with a_turn():
        outcome = vm.run(item, Kernel(args.kernel), args.build, sys.stdout)
    if outcome.passed:
        pictures.show(outcome.folder / "artifacts", sys.stdout)
        return 0
    report.show(outcome)
    return 1


def show_baseline(args):
    """Run without egpu and hold what the kernel says against the record in the tree."""
    wanted = [item for item in scenario.load_all(SCENARIOS, args.scenario)
              if "debug" in item.kernels and not item.egpu_only]
    for item in wanted:
        item.baseline = True
    text = baseline.record(run_all([(item, Kernel("debug")) for item in wanted], args.build))
    print(text, end="")
    if args.write:
        BASELINE.write_text(text)
    ran = {item.name for item in wanted}
    kept = [line for line in BASELINE.read_text().splitlines()
            if line.startswith("#") or line.split(":")[0] in ran]
    changes = list(difflib.unified_diff(kept, text.splitlines(), "kept", "found", "", "", 0))
    for line in changes:
        print(line, file=sys.stderr)
    return 1 if changes else 0


def kunit(args):
    jobs = []
    for item in scenario.load_all(KUNIT, args.scenario):
        kernel = Kernel("debug")
        if item.built_in:
            kernel.image = args.build / "kunit/tree/arch/x86/boot/bzImage"
            if not kernel.image.exists():
                raise RigError(f"{kernel.image} is not built; run: make kunit")
        jobs.append((item, kernel))
    outcomes = run_all(jobs, args.build)
    report.write_tap(outcomes, args.build / "results/kunit.tap")
    return 0 if all(o.passed for o in outcomes) else 1


def run_stress(args):
    seed = int(time.time()) if args.seed is None else args.seed
    print(f"{args.cycles} cycles on {args.kernel}, seed {seed}", flush=True)
    outcome = stress.run(Kernel(args.kernel), args, seed, sys.stdout)
    report.show(outcome)
    report.write_tap([outcome], args.build / "results" / f"stress-{args.kernel}.tap")
    return 0 if outcome.passed else 1


def show_list(_args):
    for item in scenario.load_all(SCENARIOS, []):
        print(f"{item.name:24} {item.summary}")
    return 0


def main():
    parser = argparse.ArgumentParser(description="Run scenarios in the virtual eGPU rig.")
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("run", help="run scenarios and write their results")
    verb.add_argument("--kernel", action="append", choices=scenario.KERNELS)
    verb.add_argument("--scenario", action="append", default=[])
    verb.set_defaults(handler=run)
    verb = verbs.add_parser("story", help="run one and show what it tells")
    verb.add_argument("name")
    verb.add_argument("--kernel", choices=scenario.KERNELS, default="6.12")
    verb.set_defaults(handler=story)
    verb = verbs.add_parser("baseline", help="what the debug kernel says without egpu")
    verb.add_argument("--scenario", action="append", default=[])
    verb.add_argument("--write", action="store_true", help="keep what was found")
    verb.set_defaults(handler=show_baseline)
    verb = verbs.add_parser("kunit", help="run the KUnit suites and write their results")
    verb.add_argument("--scenario", action="append", default=[])
    verb.set_defaults(handler=kunit)
    verb = verbs.add_parser("stress", help="run random sequences of a seed")
    verb.add_argument("--kernel", choices=scenario.KERNELS, default="6.12")
    verb.add_argument("--cycles", type=int, default=100)
    verb.add_argument("--seed", type=int)
    verb.add_argument("--module", type=Path, help="another egpu.ko than the one that was built")
    verb.set_defaults(handler=run_stress)
    verb = verbs.add_parser("list", help="list the scenarios")
    verb.set_defaults(handler=show_list)
    for verb in verbs.choices.values():
        verb.add_argument("--build", type=Path, default=HERE.parents[2] / "build")
    args = parser.parse_args()
    args.build = args.build.resolve()
    try:
        return args.handler(args)
    except RigError as error:
        print(f"rig: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
