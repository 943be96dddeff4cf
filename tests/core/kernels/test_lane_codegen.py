"""What the compiler makes of the lanes: packed instructions, one order, no fused operations.

Each processor gets a process of its own, because numba reads its settings when it is imported.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from numba.core import config

from bot4_core.jit import is_compiling

PROBE = Path(__file__).with_name("codegen_probe.py")
PROCESSORS = {
    "baseline": ("x86-64", ""),
    "avx2": ("haswell", ""),
    "avx512": ("skylake-avx512", ""),
}
CAN_RUN = {"baseline": "sse2", "avx2": "avx2", "avx512": "avx512f"}
X86 = platform.machine().lower() in {"x86_64", "amd64"}
REDUCTIONS = ("sum_of_values", "dot", "sum_of_squares", "weighted_sum_of_squares", "prefix_sums")

pytestmark = [
    pytest.mark.once("code for other processors is the compiler's, whatever the Python"),
    pytest.mark.skipif(not X86, reason="the host's code generator is not x86-64"),
    pytest.mark.skipif(
        not is_compiling() or bool(config.BOUNDSCHECK),
        reason="these processes have settings of their own; the compiled run covers them",
    ),
]


def flags() -> set[str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {"sse2"}
    lines = [line for line in path.read_text().splitlines() if line.startswith("flags")]
    return set(lines[0].split(":")[1].split()) if lines else {"sse2"}


def start(folder: Path, mode: str, **environment: str) -> subprocess.Popen[str]:
    variables = {**os.environ, "NUMBA_DISABLE_JIT": "0", "NUMBA_CACHE_DIR": str(folder)}
    command = [sys.executable, "-W", "error", str(PROBE), mode]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=variables | environment, stdout=pipe, stderr=pipe, text=True
    )


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what each processor's code is like; all processes run at the same time."""
    running = {"plain": start(tmp_path_factory.mktemp("plain"), "run", NUMBA_DISABLE_JIT="1")}
    for processor, (name, features) in PROCESSORS.items():
        mode = "run" if CAN_RUN[processor] in flags() else "compile"
        folder = tmp_path_factory.mktemp(processor)
        settings = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
        running[processor] = start(folder, mode, **settings)
    told: dict[str, Any] = {}
    for processor, process in running.items():
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        told[processor] = json.loads(output)
    return told


@pytest.mark.parametrize("processor", PROCESSORS)
def test_reductions_use_packed_instructions(answers: dict[str, Any], processor: str) -> None:
    prefix = "" if processor == "baseline" else "v"
    for name in REDUCTIONS:
        counts = answers[processor]["instructions"][name]
        assert counts.get(f"{prefix}addpd", 0) >= 4, (name, counts)
    assert answers[processor]["instructions"]["minimum"].get(f"{prefix}minpd", 0) >= 2


@pytest.mark.parametrize("processor", PROCESSORS)
def test_nothing_is_fused(answers: dict[str, Any], processor: str) -> None:
    for name, counts in answers[processor]["instructions"].items():
        assert not [each for each in counts if "fma" in each or "fnma" in each], name


@pytest.mark.parametrize("processor", PROCESSORS)
def test_lanes_are_reduced_in_one_order(answers: dict[str, Any], processor: str) -> None:
    """The halves 8, 4, 2 are added, and no addition may be reordered."""
    for name in REDUCTIONS[:4]:
        code = answers[processor]["tree"][name]
        assert code == ["fadd <4 x double>", "fadd <2 x double>", "fadd <1 x double>"], name
        assert answers[processor]["relaxed"][name] == []


@pytest.mark.parametrize("processor", PROCESSORS)
def test_bits_are_those_of_the_plain_form(answers: dict[str, Any], processor: str) -> None:
    if "bits" not in answers[processor]:
        pytest.skip(f"this machine cannot run {CAN_RUN[processor]} code; it was compiled and read")
    assert answers[processor]["bits"] == answers["plain"]["bits"]


def test_neon_code_is_packed_unfused_and_reduces_as_a_tree(answers: dict[str, Any]) -> None:
    for name in REDUCTIONS[:4]:
        counts = answers["baseline"]["neon"][name]
        assert counts.get("fadd.2d", 0) >= 4, (name, counts)
        assert not {"fmla", "fmadd", "fmls", "fmsub", "fnmadd", "fnmsub"} & {
            each.split(".")[0] for each in counts
        }, (name, counts)


def test_neon_code_of_elementary_functions_is_unfused(answers: dict[str, Any]) -> None:
    for name in ("exp", "log"):
        counts = answers["baseline"]["neon"][name]
        assert counts["fmul"] > 5
        assert not [each for each in counts if each.startswith(("fm", "fnm")) and "a" in each]
