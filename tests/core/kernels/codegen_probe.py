"""Compile kernels in this process and print, as JSON, what became of them.

Run as a script by ``test_lane_codegen``: ``compile`` prints instruction counts, for this
processor and of the same code for AArch64; ``run`` prints result bits as well.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from bot4_core import jit
from bot4_core.domain_types.records import VIEW_DTYPE
from bot4_core.kernels import elementary, features, lanes, normal, stats

NEON = "aarch64-unknown-linux-gnu"
RNG = np.random.default_rng(20240808)
A, B = RNG.normal(size=103) * 10.0 ** RNG.integers(-9, 9, 103), RNG.normal(size=103)
OUT = np.zeros(103)
ARGUMENTS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "sum_of_values": (lanes.sum_of_values, (A,)),
    "dot": (lanes.dot, (A, B)),
    "sum_of_squares": (lanes.sum_of_squares, (A, 0.25)),
    "weighted_sum_of_squares": (lanes.weighted_sum_of_squares, (A, B, 0.25)),
    "prefix_sums": (lanes.prefix_sums, (A, OUT)),
    "minimum": (lanes.minimum, (A,)),
    "exp": (elementary.exp, (1.5,)),
    "log": (elementary.log, (1.5,)),
}
SCALARS: dict[str, Callable[[float], float]] = {
    "exp": elementary.exp,
    "expm1": elementary.expm1,
    "log": elementary.log,
    "log1p": elementary.log1p,
    "tanh": elementary.tanh,
    "cumulative": normal.cumulative,
    "quantile": normal.quantile,
}


def feature_bits() -> str:
    """Return the bits of a stream of features over a made-up walk of the top."""
    views = np.zeros(400, VIEW_DTYPE)
    steps = np.cumsum(RNG.integers(-3, 4, len(views)))
    views["received"] = 10**18 + np.cumsum(RNG.integers(10**6, 10**8, len(views)))
    views["bid"], views["ask"] = 60000 + steps, 60001 + steps + RNG.integers(0, 3, len(views))
    views["bid_size"], views["ask_size"] = RNG.integers(1, 900, (2, len(views)))
    views["state"], views["price_unit"], views["size_unit"] = 1, 0.1, 0.001
    memory = np.zeros(1, features.FEATURE_DTYPE)
    memory["bucket_length"], memory["sample_interval"] = 10**8, 10**8
    memory["sample_count"], memory["sample_minimum"] = 40, 10
    features.update_batch(views, memory)
    return views.tobytes().hex()


def bits() -> dict[str, Any]:
    """Return the bits of every kernel on fixed inputs."""
    results: dict[str, Any] = {}
    for name, (function, arguments) in ARGUMENTS.items():
        value = function(*arguments)
        results[name] = OUT.tobytes().hex() if value is None else float(value).hex()
    inputs = [*RNG.normal(size=60).tolist(), *RNG.uniform(0, 1, 60).tolist(), -0.0, 37.0, 1e-300]
    for name, scalar in SCALARS.items():
        results[name] = [scalar(value).hex() for value in inputs]
    scores = np.zeros(len(B))
    stats.prior_z_scores(B, np.zeros(16), scores)
    results["prior_z_scores"] = scores.tobytes().hex()
    results["features"] = feature_bits()
    return results


def body_of(name: str) -> str:
    """Return the LLVM code of one kernel, without the functions around it."""
    kernel: Any = ARGUMENTS[name][0]
    (signature,) = kernel.signatures
    mangled = kernel.overloads[signature].fndesc.mangled_name
    blocks = re.findall(r"^define [^\n]*\{\n.*?^\}", kernel.inspect_llvm(signature), re.S | re.M)
    (block,) = (each for each in blocks if f"@{mangled}(" in each.split("\n", 1)[0])
    return str(block)


def global_name(line: str) -> str:
    """Return the name that a line of LLVM code defines or declares."""
    found = re.search(r'@(?:"[^"]+"|[\w.$]+)', line)
    return found[0] if found else "nothing"


def neon_assembly(name: str) -> str:
    """Compile one kernel's LLVM code for AArch64."""
    kernel: Any = ARGUMENTS[name][0]
    body = re.sub(r" #\d+|, ![\w.]+ !\d+", "", body_of(name))
    lines = kernel.inspect_llvm(kernel.signatures[0]).splitlines()
    kept = [each for each in lines if re.match(r"@\S+ = .*constant", each)]
    kept += [re.sub(r" #\d+", "", each) for each in lines if each.startswith("declare")]
    used = [each for each in kept if global_name(each) in body]
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(NEON).create_target_machine(cpu="generic", opt=3)
    module = llvm.parse_assembly("\n".join([f'target triple = "{NEON}"', *used, body]))
    return str(machine.emit_assembly(module))


def neon_counts(name: str) -> dict[str, int]:
    """Count floating-point instructions; packed ones carry ``.2d``."""
    found = re.findall(r"^\s+(f[a-z]+)\t([^\n]*)", neon_assembly(name), re.M)
    return Counter(word + (".2d" if ".2d" in rest else "") for word, rest in found)


def x86_counts(name: str) -> dict[str, int]:
    """Count the arithmetic on floats in one kernel's assembly."""
    kernel: Any = ARGUMENTS[name][0]
    (text,) = kernel.inspect_asm().values()
    return Counter(re.findall(r"\b(v?f?n?m?(?:add|sub|mul|min|max)\w*[ps]d)\b", text))


def answer(mode: str) -> dict[str, Any]:
    """Return everything that one mode can tell."""
    if not jit.is_compiling():
        return {"bits": bits()}
    for function, arguments in ARGUMENTS.values():
        jit.compile_for(function, *arguments)
    bodies = {name: body_of(name) for name in ARGUMENTS}
    neon = [*list(ARGUMENTS)[:4], "exp", "log"]
    told: dict[str, Any] = {
        "neon": {name: neon_counts(name) for name in neon},
        "instructions": {name: x86_counts(name) for name in ARGUMENTS},
        "tree": {name: re.findall(r"fadd <[421] x double>", body) for name, body in bodies.items()},
        "relaxed": {
            name: re.findall(r"f(?:add|mul|sub) (?:fast|reassoc|contract|nsz).*", body)
            for name, body in bodies.items()
        },
    }
    if mode == "run":
        told["bits"] = bits()
    return told


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(sys.argv[1])))
