#!/usr/bin/env python3
"""Writes cases.tsv, the cases that run_cases.cpp runs. One row: group, name, kernel, grid, block, cluster, dynamic shared
bytes, output bytes, tensor map (or -), arguments (or -)."""
import pathlib
import re
import sys

here = pathlib.Path(__file__).parent
rows = []


def case(group, name, kernel=None, grid="1", block="32", cluster="1", shared=0, out=256, map="-", args="-"):
    rows.append([group, name, kernel or name, grid, block, cluster, str(shared), str(out), map, args])


def kernels(group):
    return re.findall(r"\.entry (\w+)", (here / "ptx" / (group + ".ptx")).read_text())


def mbarriers():
    g = "mbarrier"
    for name in ("counts", "parities", "arrive_count", "drop", "transactions", "generic_address", "limits"):
        case(g, name, block="1", out=96)
    case(g, "phases", block="256", out=1024)
    case(g, "phases_odd", "phases", block="77", out=308)
    case(g, "producer_consumer", block="128", out=512)
    case(g, "producer_consumer_9", "producer_consumer", block="288", out=1152)
    case(g, "cp_async_arrive", block="256", out=1024, args="0")
    case(g, "cp_async_arrive_noinc", "cp_async_arrive", block="256", out=1024, args="1")
    case(g, "cp_async_generic", block="128", out=2048)
    case(g, "dropping_out", block="64", out=28)


def bulk():
    g = "bulk"
    for size in (16, 48, 256, 4096, 32768):
        case(g, f"round_trip_{size}", "round_trip", block="64", shared=size, out=size + 64, args=f"{size},{16 * (size % 5)}")
    case(g, "odd_size", "round_trip", block="64", shared=256, out=64, args="24,0")
    case(g, "odd_source", "round_trip", block="64", shared=256, out=64, args="64,8")
    case(g, "pipeline", block="256", out=1024)
    case(g, "groups", out=512)
    case(g, "prefetch", out=128)
    case(g, "cache_hint", out=256)
    case(g, "to_neighbour", grid="8", block="64", cluster="4", out=2048)
    for mask in (1, 5, 15, 8):
        case(g, f"multicast_{mask}", "multicast", grid="4", block="64", cluster="4", out=1024, args=str(mask))
    for kernel in kernels(g):
        if kernel.startswith("reduce_shared_"):
            case(g, kernel, grid="2", cluster="2", out=64 * 8)
        elif kernel.startswith("reduce_"):
            case(g, kernel, block="64" if kernel != "reduce_denormals" else "1", out=512 if kernel != "reduce_denormals" else 16)


def clusters():
    g = "cluster"
    for grid, cluster in (("4", "2"), ("8,2,2", "4,2,1"), ("2,4,6", "1,2,3"), ("3,3,3", "1"), ("16", "8"), ("4,4,1", "2,2")):
        name = "registers_" + cluster.replace(",", "x") + "_of_" + grid.replace(",", "x")
        count = 1
        for n in grid.split(","):
            count *= int(n)
        case(g, name, "registers", grid=grid, block="1", cluster=cluster, out=64 * count)
    case(g, "addresses", grid="4", cluster="2", out=128)
    for size in (1, 2, 3, 8, 16):
        case(g, f"neighbours_{size}", "neighbours", grid=str(2 * size), block="64", cluster=str(size), out=512 * size)
        case(g, f"passed_address_{size}", "passed_address", grid=str(2 * size), cluster=str(size), out=8 * size)
        case(g, f"histogram_{size}", "histogram", grid=str(2 * size), block="128", cluster=str(size), out=512 * size)
        case(g, f"generic_atomics_{size}", "generic_atomics", grid=str(2 * size), block="96", cluster=str(size), out=32 * size)
        case(g, f"barriers_{size}", "barriers", grid=str(size), block="64", cluster=str(size), out=4 * size)
    case(g, "exited", grid="2", block="96", cluster="2", out=8)
    for size in (1, 2, 4):
        case(g, f"remote_arrive_{size}", "remote_arrive", grid=str(2 * size), cluster=str(size), out=256 * size)
    for operation in range(6):
        for size in (1, 2):
            case(g, f"remote_operation_{operation}_{size}", "remote_operation", grid=str(size), cluster=str(size), out=128 * size, args=str(operation))
    case(g, "st_async", grid="2", cluster="2", out=512)
    for kernel in kernels(g):
        if kernel.startswith("red_async_") and kernel[10:] not in ("inc", "dec"):  # theirs depends on the order
            case(g, kernel, grid="2", cluster="2", out=64)
    case(g, "required", grid="4", out=16)
    case(g, "required_given", "required", grid="4", cluster="2", out=16)
    case(g, "required_other", "required", grid="4", cluster="4", out=16)
    case(g, "grid_no_multiple", "barriers", grid="3", cluster="2", out=16)
    case(g, "cluster_too_large", "barriers", grid="32", cluster="32", out=16)
    case(g, "required_grid", "required", grid="3", out=16)


sizes = {0: 1, 1: 2, 2: 4, 3: 4, 4: 8, 5: 8, 6: 2, 7: 4, 8: 8, 9: 2, 10: 4, 11: 4, 12: 4}


def tiled(base, type, dims, strides, box, steps=None, interleave=0, swizzle=0, fill=0):
    steps = steps or [1] * len(dims)
    text = [",".join(map(str, list)) for list in (dims, strides, box, steps)]
    return f"tiled:{base};{type};{text[0]};{text[1]};{text[2]};{text[3]};{interleave};{swizzle};{fill}"


def box_bytes(type, box, steps=None):
    count = sizes[type]
    # The step of the innermost dimension counts for nothing.
    for extent, step in zip(box, [1] + list(steps or [1] * len(box))[1:]):
        count *= -(-extent // step)
    return count


def load(name, type, dims, strides, box, at, steps=None, group="tensor", kernel=None, base="in", out=None, **options):
    total = box_bytes(type, box, steps)
    at = list(at) + [0] * (5 - len(at))
    case(group, name, kernel or f"load_{len(dims)}d", block="64", shared=max(total, 128) + 1024, out=out or total,
         map=tiled(base, type, dims, strides, box, steps, **options), args=",".join(map(str, at + [total])))


def store(name, type, dims, strides, box, at, kernel=None, out=16384, steps=None, **options):
    total = box_bytes(type, box, steps)
    at = list(at) + [0] * (5 - len(at))
    case("tensor", name, kernel or f"store_{len(dims)}d", block="64", shared=max(total, 128) + 1024, out=out,
         map=tiled("out", type, dims, strides, box, steps, **options), args=",".join(map(str, at + [total])))


def tensors():
    for type, size in sizes.items():
        width = 256 // size
        load(f"type_{type}", type, [width, 40], [256], [64 // size, 8], [16 // size, 3])
    for type in (6, 7, 8, 9, 10, 11, 12):
        for fill in (0, 1):
            load(f"fill_{type}_{fill}", type, [256 // sizes[type] - 8, 10], [256], [64 // sizes[type], 8],
                 [256 // sizes[type] - 32 // sizes[type], 5], fill=fill)
    load("integers_fill_nan", 2, [60, 10], [256], [16, 8], [52, 5], fill=1)
    load("1d", 2, [1000], [], [64], [100])
    load("1d_beyond", 2, [1000], [], [64], [980])
    load("1d_before", 2, [1000], [], [64], [-13])
    load("2d_before", 2, [64, 20], [256], [16, 8], [-4, -3])
    for at in (1, 2, 3, 8, -5):
        load(f"2d_at_{at}", 2, [64, 20], [256], [16, 8], [at, 1])
        load(f"2d_bytes_at_{at}", 0, [256, 20], [256], [16, 8], [at, 1])
    load("2d_swizzle_at_3", 2, [64, 20], [256], [16, 8], [3, 1], swizzle=2)
    load("2d_outside", 2, [64, 20], [256], [16, 8], [1000, 1000])
    load("2d_odd_box", 0, [200, 30], [208], [48, 7], [3, 11])
    load("2d_large", 2, [64, 600], [256], [32, 256], [0, 100])
    load("3d", 1, [64, 16, 9], [128, 2048], [16, 4, 3], [8, 5, 2])
    load("3d_beyond", 1, [64, 16, 9], [128, 2048], [16, 4, 3], [56, 14, -1])
    load("4d", 2, [16, 8, 6, 5], [64, 512, 3072], [4, 3, 2, 2], [2, 1, 4, -1])
    load("5d", 0, [64, 8, 6, 5, 4], [64, 512, 3072, 15360], [16, 3, 2, 2, 3], [50, 7, 2, 3, 2])
    for step in (2, 3, 8):
        load(f"steps_rows_{step}", 2, [64, 60], [256], [16, 16], [8, 2], steps=[1, step])
        load(f"steps_columns_{step}", 2, [256, 60], [1024], [64, 8], [8, 2], steps=[step, 1])
    load("steps_both_beyond", 2, [64, 60], [256], [16, 16], [54, 50], steps=[2, 3])
    load("steps_before", 2, [64, 60], [256], [16, 16], [-3, -5], steps=[2, 3])
    for swizzle, inner in ((1, 32), (2, 64), (3, 128), (4, 128), (5, 128), (6, 128)):
        for type in (0, 2, 4):
            load(f"swizzle_{swizzle}_{type}", type, [256 // sizes[type], 40], [256], [inner // sizes[type], 32],
                 [0, 3], swizzle=swizzle)
        load(f"swizzle_{swizzle}_narrow", 2, [64, 40], [256], [4, 24], [8, 3], swizzle=swizzle)
        rows[-1][6] = "8192"  # rows lie as far apart as wide ones
        load(f"swizzle_{swizzle}_beyond", 2, [60, 20], [256], [inner // 4, 32], [60 - inner // 8, -4], swizzle=swizzle)
        for shift in (128, 256, 512):
            total = inner * 16
            case("tensor", f"swizzle_{swizzle}_shifted_{shift}", "load_2d_shifted", block="64", shared=total + 2048, out=total + shift,
                 map=tiled("in", 2, [64, 40], [256], [inner // 4, 16], swizzle=swizzle),
                 args=f"0,3,0,0,0,{total},0,0,0,{shift}")
    case("tensor", "tile_not_aligned", "load_2d_shifted", block="64", shared=4096, out=1024,
         map=tiled("in", 2, [64, 40], [256], [16, 8]), args="0,3,0,0,0,512,0,0,0,64")
    load("wrong_rank", 2, [64, 40], [256], [16, 8], [8, 3], kernel="load_3d")
    load("swizzle_3_3d", 1, [64, 16, 9], [128, 2048], [64, 4, 3], [0, 5, 2], swizzle=3)
    load("multicast", 2, [64, 40], [256], [16, 8], [8, 3], kernel="load_2d_multicast")
    rows[-1][3], rows[-1][5] = "2", "2"
    rows[-1][7] = str(int(rows[-1][7]) * 2)
    load("global_map", 2, [64, 40], [256], [16, 8], [8, 3], kernel="load_2d_global_map")
    load("prefetch", 2, [64, 40], [256], [16, 8], [8, 3], kernel="prefetch_2d", out=16)
    # Stores.
    store("store_1d", 2, [1000], [], [64], [100])
    store("store_1d_beyond", 2, [1000], [], [64], [980])
    store("store_2d", 2, [64, 20], [256], [16, 8], [8, 3])
    store("store_2d_beyond", 2, [60, 20], [256], [16, 8], [52, 17])
    store("store_2d_before", 2, [60, 20], [256], [16, 8], [-4, -3])
    store("store_2d_left", 2, [60, 20], [256], [16, 8], [-4, 3])
    store("store_2d_above", 2, [60, 20], [256], [16, 8], [8, -3])
    for name, values in (("subnormals", [0, 1, 0x80400000, 0x007fffff]), ("ties", [0x3f801000, 0x3f803000, 0xbf801000, 0x7f7ff000]),
                         ("specials", [0x7f800000, 0xff800000, 0x7fc01234, 0x7f800001])):
        for type in (7, 10, 11, 12):
            case("tensor", f"{name}_{type}", "load_1d_words", block="64", shared=1024, out=16,
                 map=tiled("out+4096", type, [4], [], [4]),
                 args=",".join(str(v - (1 << 32) if v >> 31 else v) for v in [0, 0, 0, 0, 0, 16] + values))
    store("store_2d_steps", 2, [64, 40], [256], [16, 8], [3, 2], steps=[1, 2])
    store("store_3d", 1, [64, 16, 6], [128, 2048], [16, 4, 3], [8, 5, 2])
    store("store_4d", 2, [16, 8, 6, 5], [64, 512, 3072], [4, 3, 2, 2], [2, 1, 4, -1])
    store("store_5d", 0, [64, 8, 6, 5, 4], [64, 512, 3072, 15360], [16, 3, 2, 2, 3], [50, 7, 2, 3, 2], out=65536)
    for swizzle, inner in ((1, 32), (2, 64), (3, 128), (4, 128), (5, 128), (6, 128)):
        store(f"store_swizzle_{swizzle}", 2, [64, 40], [256], [inner // 4, 32], [0, 3], swizzle=swizzle)
    for op in ("add", "min", "max", "inc", "dec", "and", "or", "xor"):
        types = {"add": (2, 3, 4, 6, 7, 9, 10), "min": (2, 3, 4, 5, 6, 9), "max": (2, 3, 4, 5, 6, 9)}.get(op, (2,) if op in ("inc", "dec") else (2, 4))
        for type in types:
            size = sizes[type]
            store(f"reduce_{op}_{type}", type, [128 // size, 20], [128], [32 // size, 8], [64 // size, 14], kernel=f"reduce_2d_{op}", out=4096)
    # im2col: NWC, NHWC, NDHWC.
    def im2col(name, dims, strides, lower, upper, channels, pixels, at, offsets, type=1, steps=None, swizzle=0, interleave=0, fill=0,
               kernel=None, base="in", out=None):
        rank = len(dims)
        total = channels * pixels * sizes[type]
        parts = [",".join(map(str, list)) for list in (dims, strides, lower, upper)]
        text = f"im2col:{base};{type};{parts[0]};{parts[1]};{parts[2]};{parts[3]};{channels};{pixels};" + \
            ",".join(map(str, steps or [1] * rank)) + f";{interleave};{swizzle};{fill}"
        at = list(at) + [0] * (5 - len(at))
        case("tensor", name, kernel or f"im2col_{rank}d", block="64", shared=max(total, 128) + 1024, out=out or total, map=text,
             args=",".join(map(str, at + [total] + list(offsets))))
    im2col("im2col_3d", [32, 20, 4], [64, 1280], [-1], [-1], 16, 24, [8, 3, 1], [1])
    im2col("im2col_3d_wide", [32, 20, 4], [64, 1280], [0], [-2], 16, 64, [0, 15, 1], [2])
    im2col("im2col_4d", [32, 12, 10, 3], [64, 768, 7680], [-1, -1], [-1, -1], 32, 32, [0, 4, 5, 1], [1, 2])
    im2col("im2col_4d_corner", [32, 12, 10, 3], [64, 768, 7680], [-1, -1], [-1, -1], 16, 64, [16, -1, -1, 0], [0, 0])
    im2col("im2col_4d_last", [32, 12, 10, 3], [64, 768, 7680], [-1, -1], [-1, -1], 16, 64, [24, 8, 8, 2], [2, 2])
    im2col("im2col_4d_steps", [32, 12, 10, 3], [64, 768, 7680], [-1, -1], [-1, -1], 16, 24, [0, 1, 1, 0], [1, 1], steps=[1, 2, 2, 1])
    im2col("im2col_4d_swizzle", [64, 12, 10, 3], [128, 1536, 15360], [-1, -1], [-1, -1], 64, 32, [0, 4, 5, 1], [1, 2], swizzle=3)
    im2col("im2col_4d_nan", [30, 12, 10, 3], [64, 768, 7680], [-1, -1], [-1, -1], 16, 32, [24, -1, 5, 1], [0, 2], type=6, fill=1)
    im2col("im2col_5d", [16, 8, 7, 6, 2], [32, 256, 1792, 10752], [-1, -1, -1], [-1, -1, -1], 16, 40, [0, 3, 2, 1, 0], [1, 0, 2])
    im2col("im2col_store", [16, 8, 6, 2], [32, 256, 1536], [0, 0], [0, 0], 16, 20, [0, 3, 2, 0], [], kernel="store_im2col_4d", base="out", out=8192)


def interleaved():
    g = "interleave"

    def tile(name, type, dims, strides, box, at, steps=None, interleave=1, swizzle=0, fill=0, bytes=4096, base="in", kernel=None):
        at = list(at) + [0] * (5 - len(at))
        case(g, name, kernel or f"counted_{len(dims)}d", block="64", shared=max(bytes, 32768), out=bytes + 16 if base == "in" else 1 << 18,
             map=tiled(base, type, dims, strides, box, steps, interleave, swizzle, fill), args=",".join(map(str, at + [bytes])))

    def im2col(name, dims, strides, lower, upper, channels, pixels, at, offsets, steps=None, interleave=1, swizzle=0, fill=0, type=1,
               bytes=4096, base="in", kernel=None):
        rank = len(dims)
        at = list(at) + [0] * (5 - len(at))
        parts = [",".join(map(str, list)) for list in (dims, strides, lower, upper)]
        text = f"im2col:{base};{type};{parts[0]};{parts[1]};{parts[2]};{parts[3]};{channels};{pixels};" + \
            ",".join(map(str, steps or [1] * rank)) + f";{interleave};{swizzle};{fill}"
        case(g, name, kernel or f"counted_im2col_{rank}d", block="64", shared=max(bytes, 32768),
             out=bytes + 16 if base == "in" else 1 << 18, map=text, args=",".join(map(str, at + [bytes] + list(offsets))))

    # Strides that show in an address which coordinate did what.
    strides = {3: [256, 4096], 4: [256, 4096, 32768], 5: [256, 2048, 8192, 65536]}
    dims = {3: [9, 8, 6], 4: [9, 8, 6, 5], 5: [9, 6, 4, 5, 3]}
    for interleave in (1, 2):
        swizzle = interleave - 1
        options = {"interleave": interleave, "swizzle": swizzle}
        for type in (0, 1, 2, 4):
            units = max(16 // sizes[type], 2)
            tile(f"type_{type}_{interleave}", type, [40, 8, 6, 5], [1280 if interleave == 2 else 640, 10240, 61440], [units, 3, 2, 2],
                 [1, 2, 3, 1], **options)
        for rank in (3, 4, 5):
            box = [8, 3, 2, 2, 2][:rank]
            tile(f"rank_{rank}_{interleave}", 1, dims[rank], strides[rank], box, [0] * rank, **options)
            for axis in range(rank):
                at = [1] * rank
                at[axis] = -1
                tile(f"rank_{rank}_before_{axis}_{interleave}", 1, dims[rank], strides[rank], box, at, **options)
                at[axis] = dims[rank][axis] - 1
                tile(f"rank_{rank}_beyond_{axis}_{interleave}", 1, dims[rank], strides[rank], box, at, **options)
                steps = [1] * rank
                steps[axis] = 2
                tile(f"rank_{rank}_step_{axis}_{interleave}", 1, dims[rank], strides[rank], [8, 4, 4, 4, 3][:rank], [0, 1, 1, 0, 1][:rank],
                     steps=steps, bytes=16384, **options)
            for fill in (0, 1):
                tile(f"rank_{rank}_fill_{fill}_{interleave}", 6, dims[rank], strides[rank], box, [6, 6, 1, 1, 1][:rank], fill=fill, **options)
            pixel = rank - 2
            for name, at, offsets in (("inside", [1, 1, 1, 1, 1], [1, 1, 1]), ("wraps", [6, 5, 2, 1, 0], [1, 0, 2]),
                                      ("first", [-1, -1, -1, 0, 0], [0, 0, 0])):
                at = at[:pixel] + [1, 0]
                im2col(f"im2col_{rank}_{name}_{interleave}", dims[rank], strides[rank], [-1] * pixel, [-1] * pixel, 8, 60, at,
                       offsets[:pixel], **options)
            im2col(f"im2col_{rank}_steps_{interleave}", dims[rank], strides[rank], [-1] * pixel, [-1] * pixel, 8, 30, [1] * pixel + [2, 1],
                   [0] * pixel, steps=[2] * rank, **options)
            im2col(f"im2col_{rank}_slice_beyond_{interleave}", dims[rank], strides[rank], [-1] * pixel, [-1] * pixel, 8, 30,
                   [1] * pixel + [dims[rank][-2], 1], [0] * pixel, fill=1, type=6, **options)
            im2col(f"im2col_{rank}_last_{interleave}", dims[rank], strides[rank], [0] * pixel, [-2] * pixel, 16, 70,
                   [5] + [1] * (pixel - 1) + [1, dims[rank][-1] - 1], [2] * pixel, **options)
            for kind, at in (("inside", [1, 1, 1, 1, 1]), ("beyond", [5, 4, 2, 3, 2])):
                tile(f"store_{rank}_{kind}_{interleave}", 1, dims[rank], strides[rank], box, at[:rank], base="out", kernel=f"store_{rank}d",
                     bytes=8192, **options)
        im2col(f"im2col_store_{interleave}", dims[4], strides[4], [0, 0], [0, 0], 8, 40, [3, 2, 1, 0], [], base="out",
               kernel="store_im2col_4d", bytes=8192, **options)
        for pattern in (0, 1, 2, 3):
            for width in (2, 4, 8, 16):
                tile(f"swizzle_{pattern}_by_{width}_{interleave}", 5, [12, 8, 6, 5], strides[4], [width, 4, 1, 2], [0, 1, 1, 1],
                     interleave=interleave, swizzle=pattern, bytes=8192)
            im2col(f"im2col_swizzle_{pattern}_{interleave}", dims[4], strides[4], [-1, -1], [-1, -1], 8, 60, [1, 1, 1, 0], [0, 0],
                   interleave=interleave, swizzle=pattern)
        for width in (1, 2, 4, 7):
            tile(f"box_{width}_{interleave}", 1, [9, 8, 6, 5], strides[4], [width, 3, 2, 2], [0, 0, 0, 0], **options)
        tile(f"long_{interleave}", 0, [256, 3, 2, 2], [8192, 32768, 65536], [256, 2, 1, 1], [0, 1, 1, 0], bytes=16384, **options)


def replaced():
    for kernel in kernels("replace"):
        if kernel == "bytes":
            continue
        box = [32, 16] if kernel in ("swizzle",) else [16, 16]
        total = {"box": 256, "elements": 64 * 16, "steps": 16 * 8 * 4}.get(kernel, box[0] * box[1] * 4)
        rows.append(["replace", kernel, kernel, "1", "32", "1", str(4096), str(total),
                     tiled("in", 7 if kernel == "fill" else 2, [64, 40], [256], box),
                     f"{56 if kernel == 'fill' else 8},3,0,0,0,{total}"])


def atomics():
    g = "atomics"
    for kernel in kernels(g):
        if kernel == "contended":
            case(g, kernel, grid="40", block="128", out=192)
        else:
            case(g, kernel, block="64", out=64 * 12 * 8)


def synchronisation():
    g = "synchronisation"
    for mask in (0xffffffff, 1, 0xfff0, 0x80000000):
        case(g, f"elect_{mask:x}", "elect", block="64", out=512, args=str(mask if mask < 1 << 31 else mask - (1 << 32)))
    case(g, "arrive_and_sync", block="96", out=384)
    case(g, "reductions", block="128", out=512)
    case(g, "reductions_odd", "reductions", block="100", out=400)
    case(g, "some_exit", block="256", out=1024)
    case(g, "two_halves", block="128", out=512)
    case(g, "fences", out=128)
    case(g, "waiting", out=128)
    for kernel in kernels(g):
        if kernel.startswith("redux_"):
            case(g, kernel, block="64", out=256)


mbarriers()
bulk()
clusters()
tensors()
interleaved()
replaced()
atomics()
synchronisation()
# A case counts once an H100's result for it is there; "--all" writes those that are still to be recorded too.
if "--all" not in sys.argv:
    known = {(p.stem, line.split(":")[0]) for p in (here / "expected").glob("*.txt") for line in p.read_text().splitlines()}
    rows = [row for row in rows if (row[0], row[1]) in known]
(here / "cases.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
names = [(row[0], row[1]) for row in rows]
assert len(names) == len(set(names)), sorted(n for n in names if names.count(n) > 1)
print(len(rows), "cases")
