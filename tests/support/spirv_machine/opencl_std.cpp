// The extended instructions of OpenCL.std that LLVM makes of PTX's operations and of its own intrinsics.
#include "elementwise.h"
#include "floats.h"

#include <map>

namespace spirv_machine {

namespace {

using u64 = uint64_t;
using W = unsigned;

template <auto f> u64 number1(u64 a, W bits) { return in_float(bits, f, a); }
template <auto f> u64 number2(u64 a, u64 b, W bits) { return in_float(bits, f, a, b); }
template <auto f> u64 number3(u64 a, u64 b, u64 c, W bits) { return in_float(bits, f, a, b, c); }

constexpr auto to_even = [](auto a) { return std::nearbyint(a); };
constexpr auto fused = [](auto a, auto b, auto c) { return std::fma(a, b, c); };
// By C's rules; which zero is less, and what a signaling NaN does, is open, and this chooses so as nobody may rely on.
constexpr auto lesser = [](auto a, auto b) { return std::isnan(a) ? b : std::isnan(b) ? a : b < a ? b : a; };
constexpr auto greater = [](auto a, auto b) { return std::isnan(a) ? b : std::isnan(b) ? a : b > a ? b : a; };

u64 saturated(__int128 value, W bits, bool is_signed) {
    const __int128 one = 1, most = (one << (is_signed ? bits - 1 : bits)) - 1, least = is_signed ? -most - 1 : 0;
    return u64(value > most ? most : value < least ? least : value);
}
u64 add_signed(u64 a, u64 b, W w) { return saturated(__int128{extended(a, w)} + extended(b, w), w, true); }
u64 add_unsigned(u64 a, u64 b, W w) { return saturated(static_cast<__int128>(a) + b, w, false); }
u64 subtract_signed(u64 a, u64 b, W w) { return saturated(__int128{extended(a, w)} - extended(b, w), w, true); }
u64 subtract_unsigned(u64 a, u64 b, W w) { return saturated(static_cast<__int128>(a) - b, w, false); }
u64 high_signed(u64 a, u64 b, W w) { return u64((__int128{extended(a, w)} * extended(b, w)) >> w); }
u64 high_unsigned(u64 a, u64 b, W w) { return u64((static_cast<unsigned __int128>(a) * b) >> w); }
u64 lesser_signed(u64 a, u64 b, W w) { return extended(a, w) < extended(b, w) ? a : b; }
u64 greater_signed(u64 a, u64 b, W w) { return extended(a, w) > extended(b, w) ? a : b; }
u64 absolute(u64 a, W w) { return extended(a, w) < 0 ? 0 - a : a; }
u64 leading(u64 a, W w) { return a ? u64(std::countl_zero(a)) - (64 - w) : w; }
u64 trailing(u64 a, W w) { return a ? u64(std::countr_zero(a)) : w; }
u64 rotated(u64 a, u64 b, W w) {
    b %= w;
    return b ? a << b | a >> (w - b) : a;
}
u64 with_sign(u64 a, u64 b, W w) {
    const u64 sign = u64{1} << (w - 1);
    return (a & ~sign) | (b & sign);
}
u64 without_sign(u64 a, W w) { return a & ~(u64{1} << (w - 1)); }

const std::map<uint32_t, Execute>& table() {
    static const std::map<uint32_t, Execute> rows = {
        {12, unary<number1<([](auto a) { return std::ceil(a); })>>},
        {13, binary<with_sign>},
        {14, unary<number1<([](auto a) { return std::cos(a); })>>},
        {19, unary<number1<([](auto a) { return std::exp(a); })>>},
        {20, unary<number1<([](auto a) { return std::exp2(a); })>>},
        {23, unary<without_sign>},
        {25, unary<number1<([](auto a) { return std::floor(a); })>>},
        {26, ternary<number3<fused>>},
        {27, binary<number2<greater>>},
        {28, binary<number2<lesser>>},
        {29, binary<number2<([](auto a, auto b) { return std::fmod(a, b); })>>},
        {37, unary<number1<([](auto a) { return std::log(a); })>>},
        {38, unary<number1<([](auto a) { return std::log2(a); })>>},
        {42, ternary<number3<fused>>},
        {48, binary<number2<([](auto a, auto b) { return std::pow(a, b); })>>},
        {53, unary<number1<to_even>>},
        {55, unary<number1<([](auto a) { return std::round(a); })>>},
        {56, unary<number1<([](auto a) { return 1 / std::sqrt(a); })>>},
        {57, unary<number1<([](auto a) { return std::sin(a); })>>},
        {61, unary<number1<([](auto a) { return std::sqrt(a); })>>},
        {63, unary<number1<([](auto a) { return std::tanh(a); })>>},
        {66, unary<number1<([](auto a) { return std::trunc(a); })>>},
        {141, unary<absolute>},
        {143, binary<add_signed>},
        {144, binary<add_unsigned>},
        {151, unary<leading>},
        {152, unary<trailing>},
        {156, binary<greater_signed>},
        {157, binary<([](u64 a, u64 b, W) { return a > b ? a : b; })>},
        {158, binary<lesser_signed>},
        {159, binary<([](u64 a, u64 b, W) { return a < b ? a : b; })>},
        {160, binary<high_signed>},
        {161, binary<rotated>},
        {162, binary<subtract_signed>},
        {163, binary<subtract_unsigned>},
        {166, unary<([](u64 a, W) { return u64(std::popcount(a)); })>},
        {201, unary<([](u64 a, W) { return a; })>},
        {203, binary<high_unsigned>},
    };
    return rows;
}

} // namespace

Execute find_extended(uint32_t number) {
    auto found = table().find(number);
    return found == table().end() ? nullptr : found->second;
}

} // namespace spirv_machine
