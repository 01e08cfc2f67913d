#include "tolerance.h"

#include "cases.h"

#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace oracle {
namespace {

double half_value(uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double sign = bits >> 15 ? -1 : 1;
    if (exponent == 31) return fraction ? NAN : sign * INFINITY;
    if (exponent == 0) return sign * std::ldexp(fraction, -24);
    return sign * std::ldexp(1024 + fraction, exponent - 25);
}

double bfloat_value(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

bool is_half(const std::string& type) { return type == "f16" || type == "f16x2"; }
bool is_bfloat(const std::string& type) { return type == "bf16" || type == "bf16x2"; }
bool is_floating(const std::string& type) { return is_half(type) || is_bfloat(type) || type == "f32" || type == "f64"; }

/// How the bits of an element are to be read.
struct Element {
    unsigned bits;
    double smallest_normal;
    double (*value)(uint64_t);
};

Element element_of(const std::string& type) {
    if (is_bfloat(type)) return {16, FLT_MIN, [](uint64_t b) { return bfloat_value(static_cast<uint16_t>(b)); }};
    if (type == "f64") return {64, DBL_MIN, [](uint64_t b) { return std::bit_cast<double>(b); }};
    if (type == "f32")
        return {32, FLT_MIN, [](uint64_t b) { return double{std::bit_cast<float>(static_cast<uint32_t>(b))}; }};
    // f16, f16x2, and pairs of halves that a matrix instruction returns as b32.
    return {16, 0x1p-14, [](uint64_t b) { return half_value(static_cast<uint16_t>(b)); }};
}

/// Steps between two numbers of a format on the number line.
uint64_t distance(uint64_t a, uint64_t b, unsigned bits) {
    const uint64_t sign = uint64_t{1} << (bits - 1);
    auto place = [&](uint64_t x) { return x & sign ? -static_cast<int64_t>(x & (sign - 1)) : static_cast<int64_t>(x); };
    return static_cast<uint64_t>(std::llabs(place(a) - place(b)));
}

bool within(const std::string& tolerance, uint64_t expected_bits, uint64_t got_bits, const Element& element, double x) {
    const double expected = element.value(expected_bits), got = element.value(got_bits);
    const double error = std::fabs(expected - got);
    const size_t colon = tolerance.find(':');
    const std::string kind = tolerance.substr(0, colon);
    const double limit = colon == tolerance.npos ? 0 : std::strtod(tolerance.c_str() + colon + 1, nullptr);
    if (kind == "ulp" || kind == "half")
        return static_cast<double>(distance(expected_bits, got_bits, element.bits)) <= limit;
    if (kind == "rel") return error <= limit * std::fabs(expected);
    if (kind == "abs") return error <= limit;
    if (kind == "lg2") return error <= (x > 0.5 && x < 2 ? 0x1p-22 : 0x1p-22 * std::fabs(expected));
    throw std::runtime_error("unknown tolerance " + tolerance);
}

bool element_agrees(const std::string& tolerance, uint64_t expected, uint64_t got, const Element& element, double x) {
    if (expected == got) return true;
    const double e = element.value(expected), g = element.value(got);
    if (std::isnan(e) || std::isnan(g)) return std::isnan(e) && std::isnan(g);
    if (tolerance == "exact" || std::isinf(e) || std::isinf(g)) return false;
    const bool tiny = std::fabs(e) <= element.smallest_normal && std::fabs(g) <= element.smallest_normal;
    if (tiny && std::fabs(e - g) <= element.smallest_normal && (e != 0 || g != 0)) return true;
    if (e == 0 && g == 0) return false;
    return within(tolerance, expected, got, element, x);
}

} // namespace

bool agrees(const std::string& tolerance, const std::string& type, uint64_t expected, uint64_t got, uint64_t argument) {
    if (tolerance == "exact" && !is_floating(type)) return expected == got;
    const Element element = element_of(type);
    const unsigned width = 8 * size_of(type);
    const double x = std::bit_cast<float>(static_cast<uint32_t>(argument));
    const uint64_t mask = element.bits == 64 ? ~uint64_t{0} : (uint64_t{1} << element.bits) - 1;
    for (unsigned place = 0; place < width; place += element.bits)
        if (!element_agrees(tolerance, expected >> place & mask, got >> place & mask, element, x)) return false;
    return true;
}

std::string describe(const std::string& type, uint64_t bits) {
    char text[80];
    const unsigned digits = 2 * size_of(type);
    std::snprintf(text, sizeof text, "0x%0*llx", static_cast<int>(digits), static_cast<unsigned long long>(bits));
    std::string out = text;
    const bool angle = type == "trig" || type == "ex2", doubles = type == "fd";
    if (!is_floating(type) && !angle && !doubles) return out;
    const Element element = element_of(angle ? "f32" : doubles ? "f64" : type);
    std::snprintf(text, sizeof text, " (%.9g)", element.value(bits & (element.bits == 16 ? 0xffff : ~uint64_t{0})));
    return out + text;
}

} // namespace oracle
