"""Inputs of the oracle's scalar cases: 512 threads x 4 slots of 8 bytes, the same on every machine."""
import random
import struct
from fractions import Fraction

THREADS = 512
SLOTS = 4

# Bytes of a value of each type that a case may name. Beside PTX types: `cf...`, numbers around the limits of integers
# and halfway between numbers of narrower formats.
SIZES = {
    "u8": 1, "s8": 1, "b8": 1, "u16": 2, "s16": 2, "b16": 2, "f16": 2, "bf16": 2, "cf16": 2, "cbf16": 2,
    "e4m3x2": 2, "e5m2x2": 2, "u32": 4, "s32": 4, "b32": 4, "f32": 4, "cf32": 4, "tf32": 4, "f16x2": 4, "bf16x2": 4,
    "u16x2": 4, "s16x2": 4, "pred": 4, "sh": 4, "u64": 8, "s64": 8, "b64": 8, "f64": 8, "cf64": 8,
    "tiny_f16": 2, "tiny_f32": 4, "tiny_f64": 8,
}

FORMATS = {"f16": (5, 10), "bf16": (8, 7), "f32": (8, 23), "f64": (11, 52)}


def encode(value, fmt):
    """Bits of the number of a format nearest to a Fraction, ties to even."""
    exponent_bits, fraction_bits = FORMATS[fmt]
    bias = (1 << (exponent_bits - 1)) - 1
    sign = (1 << (exponent_bits + fraction_bits)) if value < 0 else 0
    value = abs(value)
    if value == 0:
        return sign
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    if Fraction(2) ** exponent > value:
        exponent -= 1
    exponent = max(exponent, 1 - bias)
    units = value / Fraction(2) ** (exponent - fraction_bits)
    whole = units.numerator // units.denominator
    rest = units - whole
    if rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole & 1):
        whole += 1
    bits = ((exponent + bias - 1) << fraction_bits) + whole
    infinity = ((1 << exponent_bits) - 1) << fraction_bits
    return sign | min(bits, infinity)


def decode(bits, fmt):
    """The Fraction that finite bits stand for."""
    exponent_bits, fraction_bits = FORMATS[fmt]
    bias = (1 << (exponent_bits - 1)) - 1
    exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1)
    fraction = bits & ((1 << fraction_bits) - 1)
    if exponent:
        fraction |= 1 << fraction_bits
    value = Fraction(fraction) * Fraction(2) ** (max(exponent, 1) - bias - fraction_bits)
    return -value if bits >> (exponent_bits + fraction_bits) else value


def float_specials(fmt):
    exponent_bits, fraction_bits = FORMATS[fmt]
    sign = 1 << (exponent_bits + fraction_bits)
    infinity = ((1 << exponent_bits) - 1) << fraction_bits
    one = ((1 << (exponent_bits - 1)) - 1) << fraction_bits
    smallest = 1 << fraction_bits
    positive = [0, 1, smallest - 1, smallest, one, one + 1, one - 1, one + (1 << fraction_bits), infinity - 1,
                infinity, infinity | 1 << (fraction_bits - 1), infinity | 1, one - (1 << fraction_bits)]
    return positive + [value | sign for value in positive]


def conversion_numbers(fmt, rng):
    """Where conversions change their mind: integers' limits and halves, and what lies halfway in narrower formats."""
    values = []
    for power in (0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64):
        for offset in (Fraction(0), Fraction(1, 2), Fraction(-1, 2), Fraction(1), Fraction(-1), Fraction(1, 4),
                       Fraction(-3, 4), Fraction(3, 2)):
            values.append(Fraction(2) ** power + offset)
    limits = {"e4m3": (448, 4, -9), "e5m2": (57344, 3, -16), "half": (65504, 11, -24), "bfloat": (None, 8, None),
              "tf32": (None, 11, None)}
    for largest, digits, tiniest in limits.values():
        if largest:
            step = Fraction(largest, 1 << digits) / 2
            values += [Fraction(largest) + step * k for k in range(0, 9)]
        if tiniest:
            values += [Fraction(2) ** tiniest * Fraction(k, 4) for k in range(1, 11)]
        for _ in range(12):
            mantissa = rng.getrandbits(digits) | 1 << (digits - 1)
            for extra in (Fraction(1, 2), Fraction(1, 4), Fraction(1, 2) + Fraction(1, 2 ** 10)):
                values.append((mantissa + extra) * Fraction(2) ** rng.randint(-12, 12))
    bits = [encode(value, fmt) for value in values]
    sign = 1 << sum(FORMATS[fmt])
    return bits + [value | sign for value in bits]


def random_float(fmt, rng):
    exponent_bits, fraction_bits = FORMATS[fmt]
    bits = rng.getrandbits(1 + exponent_bits + fraction_bits)
    if rng.random() < 0.5:
        return bits
    # Near one, so that sums and products of two are neither lost nor infinite.
    bias = (1 << (exponent_bits - 1)) - 1
    exponent = bias + rng.randint(-4, 4)
    return (bits & ~(((1 << exponent_bits) - 1) << fraction_bits)) | exponent << fraction_bits


def integer_specials(bits):
    top = 1 << (bits - 1)
    mask = (1 << bits) - 1
    values = [0, 1, 2, 3, 7, 8, top, top - 1, top + 1, mask, mask - 1, mask // 3, mask - mask // 3, bits, bits - 1]
    return [value & mask for value in values]


def random_integer(bits, rng):
    value = rng.getrandbits(rng.randint(1, bits))
    return (-value if rng.random() < 0.3 else value) & ((1 << bits) - 1)


def tiny_value(fmt, rng):
    """Factors and addends whose results lie around the smallest normal number."""
    exponent_bits, fraction_bits = FORMATS[fmt]
    bias = (1 << (exponent_bits - 1)) - 1
    smallest = 1 << fraction_bits
    one = bias << fraction_bits
    half_way = ((bias + 1) // 2) << fraction_bits
    value = rng.choice([smallest, smallest + 1, smallest - 1, 2 * smallest, one, one - 1, one + 1, one - 2,
                        one + smallest - 1, half_way, half_way + 1, half_way - 1, half_way + smallest, 0, 1, smallest // 2,
                        smallest + rng.getrandbits(3), one - rng.getrandbits(3)])
    return value | rng.getrandbits(1) << (exponent_bits + fraction_bits)


def make_value(kind, rng, index):
    packed = {"f16x2": "f16", "bf16x2": "bf16"}.get(kind)
    if packed:
        return make_value(packed, rng, index) | make_value(packed, rng, rng.randrange(THREADS)) << 16
    if kind in ("u16x2", "s16x2"):
        return make_value("b16", rng, index) | make_value("b16", rng, rng.randrange(THREADS)) << 16
    if kind in ("e4m3x2", "e5m2x2"):
        return (index & 0xff) | rng.getrandbits(8) << 8
    if kind.startswith("tiny_"):
        return tiny_value(kind[5:], rng)
    if kind == "pred":
        return rng.getrandbits(1)
    if kind == "sh":
        return rng.choice([rng.randint(0, 70), rng.randint(0, 33), rng.getrandbits(32), 31, 32, 33, 63, 64, 255, 256])
    if kind in FORMATS or kind == "tf32":
        fmt = "f32" if kind == "tf32" else kind
        return rng.choice(float_specials(fmt)) if rng.random() < 0.4 else random_float(fmt, rng)
    bits = 8 * SIZES[kind]
    return rng.choice(integer_specials(bits)) if rng.random() < 0.4 else random_integer(bits, rng)


def border_inputs():
    """tiny_f64: doubles around the smallest normal float, as near as its rounding can tell apart."""
    rng = random.Random(7)
    steps = [0, 1, -1, 0.5, -0.5, 0.25, -0.25, 0.75, -0.75, 2, -2, 3, -3, 1 + 2**-20, -1 - 2**-20, -0.5 - 2**-25]
    out = bytearray()
    for thread in range(THREADS):
        scale = 1 if thread < 256 else rng.choice([0.5, 1, 2, 2**-20, 1 - 2**-30])
        value = 2.0**-126 + steps[thread % 16] * 2.0**-150 * scale
        if thread % 3 == 1:
            value = -value
        if thread % 7 == 0:
            value = rng.choice([-1, 1]) * 2.0**rng.uniform(-130, -124)
        out += struct.pack("<d24x", value)
    return bytes(out)


def make_inputs(kinds):
    """The bytes of inputs/KINDS.bin."""
    if kinds == ["tiny_f64"]:
        return border_inputs()
    rng = random.Random("oracle " + ",".join(kinds))
    pools = [float_specials(k[1:]) + conversion_numbers(k[1:], rng) if k.startswith("cf") or k.startswith("cb")
             else None for k in kinds]
    out = bytearray()
    for thread in range(THREADS):
        slots = []
        for kind, pool in zip(kinds, pools):
            if pool:
                slots.append(pool[thread] if thread < len(pool) else random_float(kind[1:], rng))
            else:
                slots.append(make_value(kind, rng, thread))
        floats = [k for k in kinds if k in FORMATS]
        # Cancellation: the addend is about the negated product.
        if len(kinds) == 3 and len(set(kinds)) == 1 and floats and thread % 8 == 3:
            a, b = (random_float(kinds[0], rng) for _ in range(2))
            infinity = ((1 << FORMATS[kinds[0]][0]) - 1) << FORMATS[kinds[0]][1]
            if (a & infinity) != infinity and (b & infinity) != infinity:
                slots = [a, b, encode(-decode(a, kinds[0]) * decode(b, kinds[0]), kinds[0])]
        for slot in range(SLOTS):
            value = slots[slot] if slot < len(slots) else 0
            # Bits above the value are noise that no instruction may look at.
            size = 8 * SIZES[kinds[slot]] if slot < len(kinds) else 64
            noise = rng.getrandbits(64) >> size << size if size < 64 and slot < len(kinds) else 0
            out += struct.pack("<Q", (value | noise) & (1 << 64) - 1)
    return bytes(out)
