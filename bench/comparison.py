"""Compares ways to remove the same images in one run: rounds in turn, alone and with a second client, the neighbour, whose
calls show how much a removal disturbs."""
import contextlib
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench/results.json"
IMAGES, REMOVED, BASES = 500, 100, 10


def timed(call):
    begin = time.monotonic()
    call()
    return time.monotonic() - begin


def middle(rounds):
    return sorted(rounds, key=lambda one: one["ms"])[len(rounds) // 2]


class Neighbour:
    """The second client: a separate process, so that it does not wait for the removing one. COMMAND runs
    work_as_neighbour()."""

    def __init__(self, *command):
        self._samples = {"list": [], "start": []}
        self._process = subprocess.Popen([sys.executable, *map(str, command)], text=True, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()

    def begin(self):
        self._tell()

    def end(self):
        for kind, milliseconds in json.loads(self._tell()).items():
            self._samples[kind] += milliseconds

    def percentiles(self):
        result = {}
        for kind, milliseconds in self._samples.items():
            ordered = sorted(milliseconds)
            result[f"{kind}P99Ms"] = round(ordered[math.ceil(len(ordered) * 0.99) - 1], 1)
            result[f"{kind}MaxMs"] = round(ordered[-1], 1)
            result[f"{kind}Calls"] = len(ordered)
        return result

    def _tell(self):
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


def work_as_neighbour(begin):
    """Works from one line of input to the next, and then prints the times of the calls in milliseconds. BEGIN returns
    (list containers, start a container, what follows each start outside of its time, what follows the last call)."""
    while sys.stdin.readline():
        list_containers, start, after_start, end = begin()
        over, samples = threading.Event(), {"list": [], "start": []}

        def repeat(kind, call, then):
            while not over.is_set():
                samples[kind].append(timed(call) * 1000)
                then()

        threads = [threading.Thread(target=repeat, args=("list", list_containers, lambda: over.wait(0.002))),
                   threading.Thread(target=repeat, args=("start", start, after_start))]
        for thread in threads:
            thread.start()
        print(flush=True)
        sys.stdin.readline()
        over.set()
        for thread in threads:
            thread.join()
        print(json.dumps(samples), flush=True)
        end()


def compare(title, rounds, disturbed_rounds, run_round, neighbour):
    """The results by way of removal. ROUNDS: way -> number of rounds alone. DISTURBED_ROUNDS with a neighbour follow. All
    ways take turns, so that load of the machine affects all alike. RUN_ROUND(way, neighbour=None) returns a dictionary
    with "ms". NEIGHBOUR() makes one."""
    quiet, disturbed = {way: [] for way in rounds}, {way: [] for way in rounds}

    def tell(way, how, one):
        print(f"{title} {way} {how}: {json.dumps(one)}", flush=True)

    for number in range(max(rounds.values())):
        for way in (way for way in rounds if number < rounds[way]):
            quiet[way].append(run_round(way))
            tell(way, "alone", quiet[way][-1])
    with contextlib.ExitStack() as stack:
        neighbours = {way: stack.enter_context(neighbour()) for way in rounds}
        for way in list(rounds) * disturbed_rounds:
            disturbed[way].append(run_round(way, neighbours[way]))
            tell(way, "with a neighbour", disturbed[way][-1])
    return {way: {**middle(quiet[way]), "bestMs": min(one["ms"] for one in quiet[way]),
                  "withNeighbourMs": middle(disturbed[way])["ms"], **neighbours[way].percentiles()} for way in rounds}


def ratios(own, others):
    """{name: our figure divided by that of another way} of the results by way of removal. OTHERS: way -> its name."""
    result = {}
    for name, other in others.items():
        result[f"to{name}"] = own["ms"] / other["ms"]
        result[f"bestToBestOf{name}"] = own["bestMs"] / other["bestMs"]
        for kind in ("list", "start"):
            result[f"{kind}P99To{name}"] = own[f"{kind}P99Ms"] / other[f"{kind}P99Ms"]
    return {name: round(value, 2) for name, value in result.items()}


def keep_result(name, result):
    """Adds the result of a benchmark to bench/results.json, under NAME and the kind of the file system."""
    kind = subprocess.run(["findmnt", "-no", "FSTYPE", "-T", tempfile.gettempdir()], check=True, text=True,
                          capture_output=True).stdout.split()[-1]
    everything = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({**everything, f"{name} on {kind}": result}, indent=1) + "\n")
