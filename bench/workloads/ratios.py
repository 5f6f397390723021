"""Weft and its peers in alternation, and one table for each number of threads: who is the best peer of each workload, and
how many times as long as Weft it takes (above 1: Weft is faster).

    ratios.py [--program build/release/bench/weft_bench_workloads] [--only REGEX] [--threads 1,2] [--rounds 3]
              [--seconds 0.4] [--lines FILE ...] [--add FILE]

Each program runs once per number of threads and is asked for one workload at a time, round after round; a time is the
median over rounds. A measurement during which other programs kept the processor busy is repeated once; what was disturbed
again counts only where there is nothing better. --add keeps the measured lines in a file; --lines makes the tables of such files, of the peers' own
scripts too, and measures nothing.
"""
import argparse
import collections
import importlib.util
import math
import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# Freed memory stays in the process, and large blocks are on huge pages; else every large result pays for page faults.
MALLOC = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184:glibc.malloc.hugetlb=1"
# PyTorch's own threads and those of a BLAS of another kind fight: it needs the BLAS that is built on OpenMP.
OPENMP_BLAS = "/usr/lib/x86_64-linux-gnu/openblas-openmp"

# Other ways to the same result, and other layouts: the best of them counts.
VARIANTS = re.compile(r"_(any|nchw|nhwc|cl|foreach|take|jit|compiled|scipy|ops|constB|functorch|inference_mode|radix|autocast)$")


# Processors that others may keep busy while we measure, and how often we try again.
DISTURBED, TRIES = 0.15, 2


def busy_seconds(pid):
    """Of all processors together, and of this process."""
    tick = os.sysconf("SC_CLK_TCK")
    with open("/proc/stat") as f:
        user, nice, system, _, _, *interrupts = map(int, f.readline().split()[1:9])
    with open(f"/proc/{pid}/stat") as f:
        own = f.read().rsplit(")", 1)[1].split()[11:13]
    return (user + nice + system + sum(interrupts)) / tick, sum(map(int, own)) / tick


class Peer:
    """A program that answers a case's name with its line."""

    def __init__(self, command, threads, tuned):
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
        environment.update(tuned)
        self.command, self.environment = command, environment
        self.cases = self.listed()
        self.process = None

    def listed(self):
        run = subprocess.run([*self.command, "--list"], env=self.environment, capture_output=True, text=True)
        if run.returncode:
            print(f"# left out: {' '.join(self.command)}: {run.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            return []
        return [tuple(line.split(",")) for line in run.stdout.splitlines()]

    def ask(self, case):
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen([*self.command, "--serve"], env=self.environment, text=True,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        tries = []
        for _ in range(TRIES):
            start, before = time.perf_counter(), busy_seconds(self.process.pid)
            print(",".join(case), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline().rstrip("\n")
            if not line:
                return f"{','.join(case)},0,NaN,FAILED ended with {self.process.wait()}"
            after, seconds = busy_seconds(self.process.pid), time.perf_counter() - start
            others = max(0, (after[0] - before[0] - after[1] + before[1]) / seconds)
            tries.append((others, f"{line}; others {others:.2f}"))
            if others < DISTURBED:
                break
            time.sleep(1)
        return min(tries)[1]

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()


def peers(options, threads):
    tail = ["--threads", str(threads), "--seconds", str(options.seconds)]
    scripts = [sys.executable, os.path.join(HERE, "workloads_peers.py")]
    found = [Peer([options.program, *tail], threads, {}),
             Peer([*scripts, "numpy", *tail], threads, {"GLIBC_TUNABLES": MALLOC})]
    if importlib.util.find_spec("torch"):
        tuned = {"GLIBC_TUNABLES": MALLOC, "ATEN_CPU_CAPABILITY": "avx512"}
        if os.path.isdir(OPENMP_BLAS):
            tuned["LD_LIBRARY_PATH"] = OPENMP_BLAS
        found.append(Peer([*scripts, "torch", *tail], threads, tuned))
    return found


def canonical(workload):
    shorter = VARIANTS.sub("", workload)
    return workload if shorter == workload else canonical(shorter)


def measure(options):
    lines = []
    kept = open(options.add, "a") if options.add else None
    for threads in options.threads:
        processes = peers(options, threads)
        asked = collections.defaultdict(list)  # workload and parameters -> who runs it, and as what
        for peer in processes:
            for case in peer.cases:
                if re.search(options.only, f"{canonical(case[1])},{case[2]}"):
                    asked[canonical(case[1]), case[2]].append((peer, case))
        for turns in asked.values():
            if not any(case[0] == "weft" for _, case in turns):
                continue
            for r in range(options.rounds):
                # Another one comes first in each round.
                for peer, case in turns[r % len(turns):] + turns[: r % len(turns)]:
                    lines.append(peer.ask(case))
                    print(lines[-1], file=sys.stderr, flush=True)
                    if kept:
                        print(lines[-1], file=kept, flush=True)
        for peer in processes:
            peer.close()
    return lines


def disturbance(line):
    found = re.search(r"; others ([\d.]+)", line)
    return float(found[1]) if found else 0


def times(lines):
    """{threads: {(workload, parameters): {peer: [milliseconds, ...] of its best variant}}}, and the failures."""
    rows, failed = collections.defaultdict(list), []
    for line in lines:
        fields = line.rstrip("\n").split(",", 5)
        if len(fields) < 6 or fields[0] in ("peer", "machine"):
            continue
        peer, workload, params, threads, ms, derived = fields
        if ms == "NaN":
            failed.append(line.rstrip("\n"))
        else:
            rows[peer, workload, params, int(threads)].append((disturbance(line) >= DISTURBED, float(ms)))
    best = collections.defaultdict(lambda: collections.defaultdict(dict))
    for (peer, workload, params, threads), measured in rows.items():
        ms = [t for disturbed, t in measured if not disturbed] or [t for _, t in measured]
        cell = best[threads][canonical(workload), params]
        if peer not in cell or statistics.median(ms) < statistics.median(cell[peer]):
            cell[peer] = ms
    return best, failed


def shown(ms):
    return f"{ms * 1e3:.2f} us" if ms < 0.1 else f"{ms:.3g}" if ms < 1000 else f"{ms:.0f}"


def mean(ratios):
    return math.exp(statistics.mean(map(math.log, ratios)))


def table(threads, cells):
    print(f"\n### {threads} thread{'s' if threads > 1 else ''}\n")
    print("| workload | Weft, ms | best peer | its ms | best peer / Weft | hand-written / Weft |")
    print("|---|--:|---|--:|--:|--:|")
    ratios = []
    for (workload, params), cell in cells.items():
        if "weft" not in cell:
            continue
        median = {peer: statistics.median(ms) for peer, ms in cell.items()}
        weft, hand = median.pop("weft"), median.pop("hand", None)
        limit = "" if hand is None else f"{hand / weft:.2f}"
        if not median:
            print(f"| {workload} {params} | {shown(weft)} | | | | {limit} |")
            continue
        best = min(median, key=median.get)
        ratios.append(median[best] / weft)
        ratio = f"{ratios[-1]:.2f}" if ratios[-1] >= 1 else f"**{ratios[-1]:.2f}**"
        print(f"| {workload} {params} | {shown(weft)} | {best} | {shown(median[best])} | {ratio} | {limit} |")
    if ratios:
        slower = sum(r < 1 for r in ratios)
        print(f"\nGeometric mean of best peer / Weft over {len(ratios)} workloads: {mean(ratios):.2f} "
              f"(with no ratio counted above 10: {mean([min(r, 10) for r in ratios]):.2f}). "
              f"Weft is slower than the best peer in {slower}.")


def processor():
    with open("/proc/cpuinfo") as f:
        names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/bench/weft_bench_workloads"))
    parser.add_argument("--only", default="", metavar="REGEX", help='of "workload,params"')
    parser.add_argument("--threads", default=[1, 2], type=lambda s: [int(n) for n in s.split(",")])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--lines", nargs="+", metavar="FILE")
    parser.add_argument("--add", metavar="FILE")
    options = parser.parse_args()
    if options.lines:
        lines = [line for name in options.lines for line in open(name)]
    else:
        lines = measure(options)
    best, failed = times(lines)
    print(f"Processor: {processor()}. Times are medians in milliseconds.")
    for threads in sorted(best):
        table(threads, best[threads])
    disturbed = [line for line in lines if disturbance(line) >= DISTURBED]
    if disturbed:
        print(f"\nOther programs were busy during {len(disturbed)} of {len(lines)} measurements.")
    for line in failed:
        print("failed:", line)
    return 1 if any(line.startswith("weft,") for line in failed) else 0


if __name__ == "__main__":
    sys.exit(main())
