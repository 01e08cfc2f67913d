#include "matrix_inputs.h"

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace oracle::matrix {
namespace {

uint64_t mix(uint64_t x) { // splitmix64's finaliser
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

class Random {
  public:
    explicit Random(uint64_t seed) : state_(seed) {}
    uint32_t next() {
        state_ = mix(state_);
        return static_cast<uint32_t>(state_ >> 32);
    }
    uint64_t next64() {
        const uint64_t high = next();
        return high << 32 | next();
    }
    int below(int limit) { return static_cast<int>(next() % static_cast<uint32_t>(limit)); }

  private:
    uint64_t state_;
};

uint64_t hash(const std::string& text) { // FNV-1a
    uint64_t value = 1469598103934665603ull;
    for (char c : text) value = (value ^ static_cast<uint8_t>(c)) * 1099511628211ull;
    return value;
}

struct Format {
    const char* name;
    int bits, exponent, fraction; ///< exponent 0: integers

    int bias() const { return (1 << (exponent - 1)) - 1; }
    uint64_t make(uint64_t sign, int field, uint64_t mantissa) const {
        const int largest = (1 << exponent) - 1, unused = bits == 32 ? 23 - fraction : 0;
        field = field < 0 ? 0 : field > largest ? largest : field;
        return sign << (bits - 1) | static_cast<uint64_t>(field) << (fraction + unused) | mantissa << unused;
    }
};

constexpr Format formats[] = {
    {"f16", 16, 5, 10}, {"bf16", 16, 8, 7}, {"tf32", 32, 8, 10}, {"f32", 32, 8, 23}, {"f64", 64, 11, 52},
    {"e4m3", 8, 4, 3},  {"e5m2", 8, 5, 2},  {"s8", 8, 0, 0},     {"u8", 8, 0, 0},    {"s4", 4, 0, 0},
    {"u4", 4, 0, 0},    {"b1", 1, 0, 0},    {"s32", 32, 0, 0},
};

const Format& format_named(const std::string& name) {
    for (const Format& format : formats)
        if (name == format.name) return format;
    throw std::runtime_error("no format " + name);
}

uint64_t low_bits(uint64_t value, int bits) { return bits == 64 ? value : value & ((uint64_t{1} << bits) - 1); }

uint64_t integer(const Format& format, unsigned distribution, Random& random) {
    const uint64_t raw = random.next64();
    if (format.bits == 32) { // accumulators
        if (distribution == 0) return raw & 0xffffffff;
        if (distribution == 1) return 0x7fffffff - (raw & 0xfff);
        if (distribution == 2) return 0x80000000u + (raw & 0xfff);
        return static_cast<uint32_t>(static_cast<int32_t>(raw & 0xffff) - 0x8000);
    }
    if (distribution == 1 || distribution == 2) {
        const uint64_t top = (uint64_t{1} << format.bits) - 1;
        const int choice = random.below(4);
        return choice == 0 ? top : choice == 1 ? top >> 1 : choice == 2 ? (top >> 1) + 1 : raw & top;
    }
    return low_bits(raw, format.bits);
}

uint64_t small_integer(const Format& format, bool accumulator, Random& random) {
    int value = random.below(9) - 4;
    if (accumulator) value = random.below(65) - 32;
    if (value == 0) return 0;
    const int magnitude = std::abs(value);
    int exponent = 0;
    while (magnitude >> exponent > 1) ++exponent;
    const uint64_t fraction =
        low_bits(static_cast<uint64_t>(magnitude) << format.fraction >> exponent, format.fraction);
    return format.make(value < 0, format.bias() + exponent, fraction);
}

/// `input`: the format of A, whose products an accumulator should be near to.
uint64_t floating(const Format& format, const Format& input, bool accumulator, unsigned distribution, Random& random) {
    uint64_t fraction = low_bits(random.next64(), format.fraction);
    const uint64_t sign = random.next() & 1;
    const bool without_infinity = format.name == std::string("e4m3");
    const int largest = (1 << format.exponent) - 1, bias = format.bias(), reach = input.bias();
    const int top = without_infinity ? largest : largest - 1;
    if (without_infinity && fraction == 7) fraction = 6;
    auto make = [&](int field) { return format.make(sign, field, fraction); };
    auto within = [&](int field) { return make(field < 1 ? 1 : field > top ? top : field); };
    switch (distribution) {
    case 0:
        return low_bits(random.next64(), format.bits);
    case 1: {
        if (!accumulator) return make(1 + random.below(top));
        const int span = std::min(2 * reach, 100);
        return within(bias + random.below(2 * span + 1) - span);
    }
    case 2:
        return make(bias + random.below(accumulator ? 9 : 5) - (accumulator ? 4 : 2));
    case 3:
        return make(bias + accumulator + (random.below(8) == 0));
    case 4:
        return small_integer(format, accumulator, random);
    case 5: {
        const bool first = random.below(3) == 0;
        if (!accumulator) return make(first ? 0 : random.below(random.below(2) ? 3 : bias + 3));
        if (first) return make(random.below(4));
        return make(bias - 2 * reach > 0 ? bias - 2 * reach + random.below(12) : random.below(6));
    }
    case 6: {
        if (random.below(3) != 0) return sign << (format.bits - 1);
        const int span = reach < 14 ? reach - 1 : 14;
        int field = bias + random.below(2 * span + 1) - span;
        if (accumulator) field = bias + random.below(4 * span + 1) - 2 * span;
        return within(field);
    }
    case 7: {
        const int choice = random.below(48);
        if (choice == 0) return format.make(sign, largest, without_infinity ? 7 : 0);
        if (choice == 1) return format.make(sign, largest, without_infinity ? 7 : fraction | 1);
        if (choice == 2) return format.make(sign, top, without_infinity ? 6 : low_bits(~uint64_t{0}, format.fraction));
        if (choice < 6) return sign << (format.bits - 1);
        return make(bias + random.below(7) - 3);
    }
    case 8: {
        int field = bias + random.below(3) - 1;
        if (random.below(6) == 0) field = bias + random.below(bias + 12 <= top ? 13 : top - bias + 1);
        if (accumulator) field = bias + random.below(40) - 12;
        return within(field);
    }
    default: {
        int field = top - random.below(3);
        if (accumulator) field = reach * 2 + bias - random.below(8);
        return make(std::min(field, top));
    }
    }
}

uint64_t element(const Format& format, const Format& input, bool accumulator, unsigned distribution, Random& random) {
    return format.exponent ? floating(format, input, accumulator, distribution, random)
                           : integer(format, distribution, random);
}

/// One operand's registers, behind those that are there.
void append(std::vector<uint32_t>& out, const Operand& operand, const Format& input, bool accumulator,
            unsigned distribution, Random& random) {
    const Format& format = format_named(operand.format);
    const size_t base = out.size();
    out.resize(base + size_t{operand.words} * 32);
    auto one = [&] { return element(format, input, accumulator, distribution, random); };
    for (unsigned word = 0; word < operand.words; word += format.bits == 64 ? 2 : 1)
        for (unsigned lane = 0; lane < 32; ++lane) {
            uint32_t& low = out[base + word * 32 + lane];
            const bool raw_narrow = format.bits < 8 && (format.bits == 1 || distribution == 0 || distribution == 3);
            if (format.bits == 64) {
                const uint64_t value = one();
                low = static_cast<uint32_t>(value);
                out[base + (word + 1) * 32 + lane] = static_cast<uint32_t>(value >> 32);
            } else if (raw_narrow) {
                low = random.next();
                if (format.bits == 1 && distribution == 1) low |= random.next();
            } else {
                for (int bit = 0; bit < 32; bit += format.bits) low |= static_cast<uint32_t>(one()) << bit;
            }
        }
}

uint32_t metadata_word(const std::string& format, unsigned distribution, Random& random) {
    static constexpr std::array<uint32_t, 6> two_of_four{4, 8, 12, 9, 13, 14};
    static constexpr std::array<uint32_t, 2> one_of_two{4, 14};
    if (distribution == any_metadata) return random.next();
    uint32_t word = 0;
    for (int i = 0; i < 8; ++i)
        word |= (format == "meta24" ? two_of_four[static_cast<size_t>(random.below(6))]
                                    : one_of_two[static_cast<size_t>(random.below(2))])
                << 4 * i;
    return word;
}

Operand operand_of(const std::string& text) {
    const size_t colon = text.find(':');
    if (text == "-" || text == "-:0") return {};
    if (colon == text.npos) return {text, 1};
    return {text.substr(0, colon), static_cast<unsigned>(std::stoul(text.substr(colon + 1)))};
}

} // namespace

bool Case::is_floating() const { return !is_transfer() && format_named(a.format).exponent != 0; }

std::vector<Case> read_cases(const std::string& folder) {
    std::ifstream file(folder + "/cases.tsv");
    std::vector<Case> cases;
    std::string line;
    if (!std::getline(file, line)) throw std::runtime_error("cannot read " + folder + "/cases.tsv");
    while (std::getline(file, line)) {
        std::istringstream stream(line);
        std::array<std::string, 8> field;
        for (std::string& text : field) std::getline(stream, text, '\t');
        cases.push_back({field[0], operand_of(field[1]), operand_of(field[2]), operand_of(field[3]),
                         operand_of(field[4]), operand_of(field[5]), field[6], field[7]});
    }
    return cases;
}

std::vector<unsigned> distributions_of(const Case& test) {
    std::vector<unsigned> out;
    for (unsigned i = 0; i < (test.is_floating() ? distributions : integer_distributions); ++i)
        if (!test.metadata.words || i != any_metadata) out.push_back(i);
    return out;
}

std::vector<uint32_t> registers(const Case& test, unsigned distribution) {
    Random random(hash(test.name) ^ uint64_t{distribution} << 40);
    random.next();
    const Format& input = format_named(test.a.format);
    std::vector<uint32_t> out;
    append(out, test.a, input, false, distribution, random);
    append(out, test.b, input, false, distribution, random);
    append(out, test.c, input, true, distribution, random);
    for (unsigned lane = 0; test.metadata.words && lane < 32; ++lane)
        out.push_back(metadata_word(test.metadata.format, distribution, random));
    return out;
}

std::vector<uint8_t> numbered_bits(size_t bytes) {
    std::vector<uint8_t> out(bytes * images);
    for (size_t image = 0; image < images; ++image)
        for (size_t bit = 0; bit < 8 * bytes; ++bit)
            if (bit >> image & 1) out[image * bytes + bit / 8] |= static_cast<uint8_t>(1 << bit % 8);
    return out;
}

} // namespace oracle::matrix
