"""Times ``run`` on a large month, end to end over HTTP, and says what each step costs.

    python benchmarks/whole_run.py [--calls 1000000]

The sandbox serves in a process of its own, so that its time and memory are not the run's. The
run is a child process; each step's share is the processor time between two steps of the flow.
Figures depend on the machine; the shares and the ratio between two runs on one machine do not
move much. Nothing here is a test.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024


def main() -> int:
    """Make the month, serve it, run it, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return worker(*arguments.worker)
    with tempfile.TemporaryDirectory() as folder:
        return measure(arguments.calls, Path(folder))


def measure(calls: int, folder: Path) -> int:
    """Run the worker against a sandbox in another process and print what it measured."""
    sample = folder / "sample"
    command = [sys.executable, str(ROOT / "samples" / "generate.py"), "busy"]
    subprocess.run(
        [*command, "--out", str(sample), "--calls", str(calls)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    serve = [sys.executable, "-m", "maxo_reports", "sandbox", "--port", "0", "--samples"]
    with subprocess.Popen([*serve, str(sample)], stdout=subprocess.PIPE, text=True) as server:
        try:
            address = address_of(server)
            for name in ("first month", "same month again"):
                run = [sys.executable, __file__, "--worker", str(folder), address]
                done = subprocess.run(run, check=True, capture_output=True, text=True)
                show(name, json.loads(done.stdout))
        finally:
            server.terminate()
    return 0


def address_of(server: subprocess.Popen[str]) -> str:
    """Read the address that the sandbox says it serves at."""
    assert server.stdout is not None
    for line in server.stdout:
        if match := re.search(r"http://\S+", line):
            return match[0]
    raise SystemExit("the sandbox did not start")


def worker(folder: str, address: str) -> int:
    """Do one run in this process and print its measurements as JSON."""
    from maxo_reports import config, engine
    from maxo_reports.pull import Look

    class Steps(engine.Progress):
        """Notes the processor time at the beginning of each step, and the requests."""

        def __init__(self) -> None:
            self.marks: list[tuple[str, float, int]] = []
            self.requests = 0

        def step(self, name: str) -> None:
            self.marks.append((name, time.process_time(), peak_memory()))

        def pulled(self, look: Look) -> None:
            self.requests = look.requests

    steps = Steps()
    began = time.perf_counter()
    account = config.Account(
        "ironbark-support", "Ironbark Support", "Australia/Brisbane", base_url=address
    )
    workspace = config.Workspace(Path(folder), config.Settings(), {account.id: account})
    moment = 1_793_800_000
    period = engine.period_of("2026-10", account, moment)
    job = engine.Job(
        workspace, account, period, lambda: "sandbox-ironbark-support", lambda: moment, steps
    )
    outcome = engine.run(job, engine.DEFAULT_REPORTS)
    steps.step("")
    print(
        json.dumps(
            {
                "calls": outcome.ledger.control.calls,
                "wall": time.perf_counter() - began,
                "cpu": time.process_time(),
                "peak": peak_memory(),
                "requests": steps.requests,
                "marks": steps.marks,
                "bytes": {p.suffix: p.stat().st_size for p in outcome.pack.files},
                "unchanged": outcome.unchanged,
            }
        )
    )
    return 0


def peak_memory() -> int:
    """Return the most memory that this process has held so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # What getrusage says begins with what the parent held when it made this process.
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
        assert found is not None, "Linux says what a process has held"
        return int(found[1]) // MIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MIB


def show(name: str, result: dict[str, object]) -> None:
    """Print one run's table."""
    cpu, marks = float(str(result["cpu"])), result["marks"]
    assert isinstance(marks, list)
    print(f"\n{name}: {result['calls']:,} calls on {os.cpu_count()} cores")
    print(f"  wall {result['wall']:.1f} s, CPU {cpu:.1f} s, peak {result['peak']:,} MiB")
    print(f"  {result['requests']} requests, ideal {ideal(int(str(result['calls'])))}")
    print("     CPU   share  peak so far")
    steps: Sequence[tuple[str, float, int]] = [("Starting", 0.0, 0), *marks]
    for (step, began, _), (_, ended, peak) in pairwise(steps):
        share = 100 * (ended - began) / cpu
        print(f"  {ended - began:6.1f} s {share:5.1f} %  {peak:5,} MiB  {step}")
    if result["unchanged"]:
        print("  nothing had changed: no file was written")


def ideal(calls: int) -> int:
    """Return the fewest requests that could carry so many calls."""
    return max(1, -(-calls // 10_000))


if __name__ == "__main__":
    sys.exit(main())
