# SPDX-License-Identifier: GPL-2.0
"""The guest's file system: busybox, modules, our programs, the scenario."""

import re
import shutil
import subprocess
from pathlib import Path

from . import RigError, machine
from .cpio import Archive
from .kernel import cache_path

GUEST = Path(__file__).resolve().parents[1] / "guest"
TOP = GUEST.parents[3]

# Always in the archive; what a scenario loads at boot is in its header.
TRANSPORT = ["virtio_pci", "virtio_console"]
AVAILABLE = ["bochs", "virtio-gpu", "vgem", "snd-hda-intel"]
VERBS = ["run.sh", "lib.sh", "machine.sh", "egpu.sh", "tracing.sh", "holds.sh", "quiesce.sh",
         "eject.sh", "session.sh", "work.awk", "story.sh", "baseline.sh", "kunit.sh", "bad-log.txt"]


def build(scenario, kernel, build_dir):
    """The initramfs for one run, as bytes."""
    archive = Archive()
    _add_base(archive)
    _add_modules(archive, scenario, kernel)
    _add_guest_tools(archive, build_dir)
    if not scenario.baseline:
        _add_egpu(archive, scenario, kernel, build_dir)
    _add_scenario(archive, scenario, kernel)
    _add_programs(archive, scenario)
    if "python" in scenario.extras:
        _add_python(archive)
    return archive.data()


def _add_base(archive):
    busybox = shutil.which("busybox")
    if not busybox:
        raise RigError("busybox is missing; run: make setup")
    archive.copy("/bin/busybox", busybox)
    archive.symlink("/bin/sh", "busybox")
    archive.device("/dev/console", 5, 1)
    archive.device("/dev/null", 1, 3)
    archive.file("/init", (GUEST / "init").read_bytes(), 0o755)
    archive.file("/etc/passwd", b"root:x:0:0:root:/:/bin/sh\n"
                                b"nobody:x:65534:65534:nobody:/:/bin/sh\n")
    archive.file("/etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    for folder in ("/proc", "/sys", "/run", "/tmp"):
        archive.folder(folder)
    for name in VERBS:
        archive.copy(f"/rig/{name}", GUEST / name)
    # Starts in a tenth of the time that jq takes under emulation.
    add_program(archive, "/usr/bin/jq", shutil.which("gojq"))


def _add_modules(archive, scenario, kernel):
    loaded = TRANSPORT + scenario.modules
    names = kernel.closure(loaded + AVAILABLE)
    base = f"/lib/modules/{kernel.release}"
    for name in names:
        archive.file(f"{base}/{name}.ko", kernel.module_bytes(name))
    archive.file(f"{base}/modules.dep", kernel.guest_dep(names).encode())
    for empty in ("modules.alias", "modules.symbols"):
        archive.file(f"{base}/{empty}", b"")
    # A built-in module is there without loading.
    load = [n for n in loaded if n.replace("-", "_") not in kernel.builtin]
    archive.file("/rig/load", "".join(f"{n}\n" for n in load).encode())


def _add_guest_tools(archive, build_dir):
    for name in ("rig-pull", "rig-hold"):
        tool = build_dir / "rig/guest" / name
        if not tool.exists():
            raise RigError(f"{tool} is not built; run: make rig")
        archive.copy(f"/usr/bin/{name}", tool)


def _add_egpu(archive, scenario, kernel, build_dir):
    """Our module, programs and self-tests, as far as they are built."""
    module = scenario.module or build_dir / f"kmod-{kernel.name}" / "kmod" / "egpu.ko"
    if module.exists():
        archive.copy("/lib/egpu.ko", module)
    for suite in sorted(module.parent.glob("tests/*_test.ko")):
        archive.copy(f"/lib/kunit/{suite.name}", suite)
    stage = build_dir / "stage"
    for folder in ("usr/bin", "usr/sbin"):
        for program in sorted((stage / folder).glob("*")):
            add_program(archive, f"/{folder}/{program.name}", program, stage)
    tests = build_dir / "selftests"
    for program in sorted(tests.glob("*")) if tests.exists() else []:
        if _is_elf(program):
            add_program(archive, f"/usr/lib/egpu/tests/{program.name}", program, stage)


def _add_scenario(archive, scenario, kernel):
    archive.file("/rig/scenario.sh", scenario.path.read_bytes())
    archive.file("/rig/ports", machine.port_table(scenario).encode())
    kind = "acpi" if scenario.acpi_hotplug else "native"
    words = [f"hotplug {kind}", f"time_factor {kernel.time_factor}"]
    if scenario.baseline:
        words.append("without egpu")
    archive.file("/rig/machine", "".join(f"{w}\n" for w in words).encode())
    archive.file("/rig/settings", "".join(
        f"{name} {value}\n" for name, value in scenario.settings.items()).encode())


def _add_programs(archive, scenario):
    """What the caller of the rig has built for this scenario."""
    for program in sorted(scenario.programs.glob("*")) if scenario.programs else []:
        if program.is_file():
            add_program(archive, f"/usr/bin/{program.name}", program)


def _add_python(archive):
    """Debian's python3 with yaml and jsonschema, and the kernel's ynl command."""
    version = Path("/usr/bin/python3").resolve().name
    add_program(archive, "/usr/bin/python3", "/usr/bin/python3")
    skip = re.compile(r"(^|/)(test|tests|idlelib|lib2to3|tkinter|ensurepip|__pycache__|"
                      r"distutils|pydoc_data|dist-packages|config-[^/]*)(/|$)")
    archive.tree(f"/usr/lib/{version}", f"/usr/lib/{version}",
                 lambda p: not skip.search(str(p)))
    for extension in Path(f"/usr/lib/{version}/lib-dynload").glob("*.so"):
        _add_libraries(archive, extension)
    packages = Path("/usr/lib/python3/dist-packages")
    for name in ("yaml", "_yaml", "jsonschema", "attr", "attrs", "pyrsistent",
                 "pkg_resources", "pyrsistent.py"):
        found = packages / name
        if found.is_dir():
            archive.tree(f"{packages}/{name}", found, lambda p: not skip.search(str(p)))
    for item in list(packages.glob("*.so")) + list(packages.glob("_pyrsistent*")):
        if item.is_file():
            archive.copy(f"{packages}/{item.name}", item)
    for item in packages.rglob("*.so"):
        if "yaml" in str(item):
            _add_libraries(archive, item)
    source = cache_path("source")
    archive.tree("/ynl/tools/net/ynl", source / "tools/net/ynl")
    archive.tree("/ynl/Documentation/netlink", source / "Documentation/netlink",
                 lambda p: p.suffix == ".yaml" and len(p.parts) == 1)
    archive.copy("/ynl/Documentation/netlink/specs/egpu.yaml",
                 TOP / "Documentation/netlink/specs/egpu.yaml")


def _is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def add_program(archive, path, source, stage=None):
    """A program or script and, for a dynamic program, the libraries it needs."""
    if not source or not Path(source).exists():
        raise RigError(f"the program {Path(path).name} is missing; run: make setup")
    archive.copy(path, source)
    if _is_elf(source):
        _add_libraries(archive, source, stage)


def _add_libraries(archive, source, stage=None):
    """Copy what ldd names; libraries of ours come from the stage folder."""
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    if stage:
        folders = {str(p.parent) for p in stage.rglob("lib*.so*")}
        env["LD_LIBRARY_PATH"] = ":".join(sorted(folders))
    done = subprocess.run(["ldd", str(source)], capture_output=True, text=True, env=env,
                          check=False)
    for line in done.stdout.splitlines():
        if "not found" in line:
            raise RigError(f"{source} needs a library that is not there: {line.split()[0]}")
        match = re.search(r"(?:(\S+) => )?(/\S+) \(0x", line)
        if not match:
            continue
        library = match[2]
        if match[1] and not match[1].startswith("/"):
            archive.copy(f"/usr/lib/{match[1]}", library)
        else:
            archive.copy(library, library)
