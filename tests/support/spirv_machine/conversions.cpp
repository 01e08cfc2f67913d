// Conversions: SPIR-V 1.4, 3.32.11.
#include "elementwise.h"
#include "floats.h"

#include <cfenv>

namespace spirv_machine {

namespace {

using u64 = uint64_t;

/// The host rounds so while this lives.
class HostRounding {
  public:
    explicit HostRounding(Rounding rounding) : saved_(std::fegetround()) {
        constexpr int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_UPWARD, FE_DOWNWARD};
        std::fesetround(modes[unsigned(rounding)]);
    }
    ~HostRounding() { std::fesetround(saved_); }

  private:
    const int saved_;
};

template <class F> void each(Warp& warp, const Instruction& in, F&& f) {
    for (uint32_t i = 0; i < in.scalars; i++) {
        const Lanes& a = warp.operand(in, 0, i);
        Lanes& result = warp.to(in.result + Row(i));
        warp.each_lane([&](unsigned lane) { result[lane] = narrowed(f(a[lane]), in.bits); });
    }
}

u64 as_format(double value, unsigned bits) {
    if (bits == 64) return std::bit_cast<u64>(value);
    if (bits == 32) {
        volatile float narrow = float(value); // in the host's mode, now
        return std::bit_cast<uint32_t>(float(narrow));
    }
    return half_of(value); // std::nearbyint there follows the mode, but for overflow
}

void float_to_float(Warp& warp, const Instruction& in) {
    if (in.rounding != Rounding::nearest && in.bits == 16) warp.stop("a rounding mode for half is not known");
    const HostRounding mode(in.rounding);
    each(warp, in, [&](u64 a) {
        return of_float(
            in.operand_bits, [&](double x) { return as_format(x, in.bits); }, a);
    });
}

template <bool is_signed> void integer_to_float(Warp& warp, const Instruction& in) {
    if (in.rounding != Rounding::nearest && in.bits == 16) warp.stop("a rounding mode for half is not known");
    const HostRounding mode(in.rounding);
    each(warp, in, [&](u64 a) {
        const int64_t value = extended(a, in.operand_bits);
        if (in.bits == 32) {
            volatile float number = is_signed ? float(value) : float(a);
            return u64{std::bit_cast<uint32_t>(float(number))};
        }
        volatile double number = is_signed ? double(value) : double(a);
        // To half by way of double: what is so large that double rounds it is infinite as a half.
        return as_format(number, in.bits);
    });
}

/// Towards zero, unless decorated otherwise. Out of range: the nearest value if decorated as saturated, else nothing
/// that one could rely on.
template <bool is_signed> void float_to_integer(Warp& warp, const Instruction& in) {
    const double least = is_signed ? -std::ldexp(1.0, int(in.bits) - 1) : 0;
    const double end = std::ldexp(1.0, int(in.bits) - (is_signed ? 1 : 0)); // the first that is too large
    each(warp, in, [&](u64 a) {
        return of_float(
            in.operand_bits,
            [&](double x) {
                const bool decorated = in.rounding != Rounding::nearest;
                x = !decorated || in.rounding == Rounding::zero ? std::trunc(x)
                    : in.rounding == Rounding::up               ? std::ceil(x)
                                                                : std::floor(x);
                if (std::isnan(x)) return in.saturated ? u64{0} : undefined_result;
                if (x >= least && x < end) return is_signed ? u64(int64_t(x)) : u64(x);
                if (!in.saturated) return undefined_result;
                if (x < least) return is_signed ? u64{1} << (in.bits - 1) : u64{0};
                return is_signed ? (u64{1} << (in.bits - 1)) - 1 : ~u64{0};
            },
            a);
    });
}

u64 clamp_unsigned_to_signed(u64 a, unsigned, unsigned bits) {
    const u64 most = (u64{1} << (bits - 1)) - 1;
    return a > most ? most : a;
}

void saturate_to_signed(Warp& warp, const Instruction& in) {
    each(warp, in, [&](u64 a) { return clamp_unsigned_to_signed(a, in.operand_bits, in.bits); });
}
void saturate_to_unsigned(Warp& warp, const Instruction& in) {
    each(warp, in, [&](u64 a) {
        const int64_t value = extended(a, in.operand_bits);
        const u64 most = narrowed(~u64{0}, in.bits);
        return value < 0 ? u64{0} : u64(value) > most ? most : u64(value);
    });
}

/// The same bits in other portions: scalar after scalar as in memory.
void bitcast(Warp& warp, const Instruction& in) {
    if (in.bits == in.operand_bits) return each(warp, in, [](u64 a) { return a; });
    const unsigned from = in.operand_bits, to = in.bits;
    for (uint32_t i = 0; i < in.scalars; i++) {
        Lanes& result = warp.to(in.result + Row(i));
        warp.each_lane([&](unsigned lane) {
            if (to < from) {
                const uint32_t parts = from / to;
                result[lane] = narrowed(warp.operand(in, 0, i / parts)[lane] >> (i % parts * to), to);
                return;
            }
            const uint32_t parts = to / from;
            u64 value = 0;
            for (uint32_t part = 0; part < parts; part++)
                value |= warp.operand(in, 0, i * parts + part)[lane] << (part * from);
            result[lane] = value;
        });
    }
}

/// To a pointer of one storage class, or null.
void to_explicit(Warp& warp, const Instruction& in) {
    each(warp, in, [&](u64 a) { return warp.storage_of(a) == in.words[0] ? a : 0; });
}

} // namespace

void add_conversions(Operations& rows) {
    constexpr auto same = unary<([](u64 a, unsigned) { return a; })>;
    rows.insert(rows.end(), {
                                {109, "Rv", float_to_integer<false>},
                                {110, "Rv", float_to_integer<true>},
                                {111, "Rv", integer_to_float<true>},
                                {112, "Rv", integer_to_float<false>},
                                {113, "Rv", same},
                                {114, "Rv", unary<([](u64 a, unsigned bits) { return u64(extended(a, bits)); })>},
                                {115, "Rv", float_to_float},
                                {117, "Rv", same},
                                {118, "Rv", saturate_to_unsigned},
                                {119, "Rv", saturate_to_signed},
                                {120, "Rv", same},
                                {121, "Rv", same},
                                {122, "Rv", same},
                                {123, "Rvl", to_explicit},
                                {124, "Rv", bitcast},
                            });
}

} // namespace spirv_machine
