#!/usr/bin/env python3
"""The tables of docs/performance.md about kernels, in one go: every way to run each kernel, one after another, in several
rounds, of which the least times count.

    tests/bench/report.py [--rounds N] [--threads N] [--filter REGEX] [--pocl] [BUILD FOLDER]"""
import argparse
import json
import math
import os
import pathlib
import subprocess

MODES = ("warp", "auto", "phases", "lane")
LIMITS = {"stream_copy": "bytes_per_second", "multiply_add": "flops"}
POCL_METHODS = ("loopvec", "cbs")


def measure(program, mode, pattern, threads, seconds, clock, pocl_method="loopvec"):
    """Milliseconds by (kernel, way); and bytes and operations a second: what Cuttle moves and does in a kernel, by
    (kernel, unit), and the core's own limits, by unit."""
    environment = dict(os.environ, CUTTLE_CPU_MODE=mode, CUTTLE_NUM_THREADS=str(threads), OMP_NUM_THREADS=str(threads),
                       POCL_MAX_PTHREAD_COUNT=str(threads), POCL_WORK_GROUP_METHOD=pocl_method)
    text = subprocess.run([program, f"--benchmark_filter={pattern}", f"--benchmark_min_time={seconds}",
                           "--benchmark_format=json"], env=environment, stdout=subprocess.PIPE, check=True).stdout
    times, rates = {}, {}
    for row in json.loads(text)["benchmarks"]:
        if row.get("error_occurred"):
            raise SystemExit(f"{row['name']}: {row['error_message']}")
        name = row["name"].split("/")
        if name[0] in LIMITS:
            unit = LIMITS[name[0]]
            rates[unit] = row[unit]
            continue
        _, kernel, way = name[:3]
        times[kernel, mode if way == "cuttle" else way] = row[clock]
        if way == "cuttle":
            rates.update({(kernel, unit): row[unit] for unit in LIMITS.values() if unit in row})
    return times, rates


def mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def number(value):
    return "-" if value is None else f"{value:.3g}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--filter", default="")
    parser.add_argument("--seconds", type=float, default=0.05, help="for each time")
    parser.add_argument("--cpu", action="store_true", help="processor time, for machines with other work to do")
    parser.add_argument("--without-lane", action="store_true", help="lane mode takes longest of all")
    parser.add_argument("--pocl", action="store_true", help="PoCL too: the best of its ways to run a work-group")
    parser.add_argument("build", nargs="?", default=pathlib.Path(__file__).parents[2] / "build", type=pathlib.Path)
    options = parser.parse_args()
    program = options.build / "bin/cuttle-bench"
    clock = "cpu_time" if options.cpu else "real_time"
    best, rates, order = {}, {}, []
    modes = [mode for mode in MODES if not (options.without_lane and mode == "lane")]
    for round_number in range(options.rounds):
        for mode in modes:
            # The references once a round, beside what is compared with them.
            ways = "/(cuttle|openmp.*)" if mode == "warp" else "/cuttle"
            pattern = f"kernel/.*{options.filter}.*{ways}" + ("|" + "|".join(LIMITS) if mode == "warp" else "")
            if mode == "lane" and round_number > 0:
                continue
            times, found = measure(program, mode, pattern, options.threads, options.seconds, clock)
            for key, time in times.items():
                best[key] = min(time, best.get(key, time))
                if key[0] not in order:
                    order.append(key[0])
            if mode in ("warp", "auto"):
                for key, rate in found.items():
                    # The limits are measured beside warp; what kernels reach is said of what runs by default.
                    if (mode == "warp") == isinstance(key, str):
                        rates[key] = max(rate, rates.get(key, rate))
        for method in POCL_METHODS if options.pocl else ():
            times, _ = measure(options.build / "bin/pocl-bench", "phases", f"kernel/.*{options.filter}.*/pocl",
                               options.threads, options.seconds, clock, method)
            for key, time in times.items():
                best[key] = min(time, best.get(key, time))
    columns = [way for way in ("openmp", "openmp_clang", "pocl", "lane", "phases", "warp", "auto")
               if any(key[1] == way for key in best)]
    print("| kernel | " + " | ".join(f"{way} ms" for way in columns) + " | to the better OpenMP | warp to it | to phases | warp to them | of a copy | of multiply-add |")
    print("|---" * (len(columns) + 7) + "|")
    # The ratios are of what runs by default, unless they say otherwise.
    to_openmp, warp_to_openmp, to_others = [], [], {way: [] for way in ("lane", "phases", "pocl")}
    for kernel in order:
        times = {way: best.get((kernel, way)) for way in columns}
        reference = min(time for way, time in times.items() if way.startswith("openmp") and time)
        to_openmp.append(reference / times["auto"])
        warp_to_openmp.append(reference / times["warp"])
        for way, ratios in to_others.items():
            if times.get(way):
                ratios.append(times[way] / times["auto"])
        of_copy, of_fma = (rates[kernel, unit] / rates[unit] if (kernel, unit) in rates and unit in rates else None
                           for unit in LIMITS.values())
        print(f"| {kernel} | " + " | ".join(number(times[way]) for way in columns) +
              f" | {to_openmp[-1]:.2f} | {warp_to_openmp[-1]:.2f} | {number(times['phases'] / times['auto'])}"
              f" | {number(times['phases'] / times['warp'])} | {number(of_copy)} | {number(of_fma)} |")
    print(f"\nGeometric means: to the better OpenMP {mean(to_openmp):.2f} (least {min(to_openmp):.2f}), warp to it "
          f"{mean(warp_to_openmp):.2f}", end="")
    for way, ratios in to_others.items():
        if ratios:
            print(f", to {way} {mean(ratios):.2f} (least {min(ratios):.2f})", end="")
    copy, fma = (rates.get(unit) for unit in LIMITS.values())
    print("." if not copy or not fma else f". A copy moves {copy / 1e9:.1f} GB/s, multiply-add does {fma / 1e9:.1f} "
          "billion operations a second.")


if __name__ == "__main__":
    main()
