#include "matrix_kinds.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace oracle::kinds {
namespace {

constexpr const char* element_types[] = {"e4m3", "e5m2", "e3m2", "e2m3", "e2m1"};

struct Format {
    int exponent, fraction;
    int bias() const { return (1 << (exponent - 1)) - 1; }
    int bits() const { return 1 + exponent + fraction; }
};

Format format_of(const std::string& type) {
    if (type == "f32") return {8, 23};
    if (type == "f16") return {5, 10};
    return {type[1] - '0', type[3] - '0'}; // "e4m3"
}

/// Value and exponent of the leading place; subnormal numbers have that of the smallest normal one.
struct Value {
    long double value;
    int exponent;
};

Value decode(const std::string& type, uint32_t bits) {
    const Format format = format_of(type);
    const int field = static_cast<int>(bits >> format.fraction & ((1u << format.exponent) - 1));
    const uint32_t fraction = bits & ((1u << format.fraction) - 1);
    const int exponent = std::max(field, 1) - format.bias();
    const long double significand =
        (field ? 1.0L : 0.0L) + std::ldexp(static_cast<long double>(fraction), -format.fraction);
    const bool negative = bits >> (format.bits() - 1) & 1;
    return {std::ldexp(negative ? -significand : significand, exponent), exponent};
}

Value decode_factor(const std::string& type, uint32_t bits) {
    if (type == "ue8m0") return {std::ldexp(1.0L, static_cast<int>(bits) - 127), static_cast<int>(bits) - 127};
    return decode("e4m3", bits & 0x7f);
}

class Random {
  public:
    explicit Random(unsigned seed) : engine_(seed) {}
    uint32_t below(uint32_t limit) { return static_cast<uint32_t>(engine_() % limit); }
    uint32_t bits() { return static_cast<uint32_t>(engine_()); }

  private:
    std::mt19937 engine_;
};

uint32_t element(const std::string& type, Range range, Random& random) {
    const Format format = format_of(type);
    const auto raw = uint32_t(random.bits() & ((uint64_t(1) << format.bits()) - 1));
    if (range == Range::whole || format.exponent < 4) {
        if (type == "e4m3" && (raw & 0x7f) == 0x7f) return raw - 1;
        if (type == "e5m2" && (raw & 0x7c) == 0x7c) return raw & ~0x40u;
        return raw;
    }
    const auto field = static_cast<uint32_t>(format.bias()) + random.below(5) - 2;
    const uint32_t mask = ((1u << format.exponent) - 1) << format.fraction;
    return random.below(8) == 0 ? 0 : (raw & ~mask) | field << format.fraction;
}

uint32_t factor(const std::string& type, Range range, Random& random) {
    if (type == "ue8m0") return range == Range::whole ? random.below(255) : 126 + random.below(3);
    // The highest bit says nothing.
    if (range == Range::whole) return random.below(0x7f) | (random.bits() & 0x80);
    return (6 + random.below(3)) << 3 | random.below(8) | (random.bits() & 0x80);
}

uint32_t addend(const std::string& type, Range range, Random& random) {
    const Format format = format_of(type);
    if (random.below(8) == 0) return random.below(2) << (format.bits() - 1);
    const auto raw = uint32_t(random.bits() & ((uint64_t(1) << format.bits()) - 1));
    const uint32_t mask = ((1u << format.exponent) - 1) << format.fraction;
    if (range == Range::whole) {
        if ((raw & mask) != mask) return raw;
        return raw & ~(mask & (mask - 1));
    }
    // No bit below 2^-6.
    const int exponent = static_cast<int>(random.below(8)) - 2;
    const int places = std::min(format.fraction, exponent + 6);
    const uint32_t fraction = (raw & ((1u << places) - 1)) << (format.fraction - places);
    return (raw & 1u << (format.bits() - 1)) | static_cast<uint32_t>(exponent + format.bias()) << format.fraction |
           fraction;
}

unsigned b_at(const Form& form) { return form.a_words(); }
unsigned c_at(const Form& form) { return b_at(form) + form.b_words(); }
unsigned metadata_at(const Form& form) { return c_at(form) + form.accumulator_words(); }
unsigned factors_at(const Form& form) { return metadata_at(form) + form.sparse; }
unsigned selectors_at(const Form& form) { return factors_at(form) + 2 * form.scaled(); }

void put(std::vector<uint32_t>& words, unsigned word, unsigned lane, unsigned bit, unsigned bits, uint32_t value) {
    uint32_t& at = words[word * 32 + lane];
    const uint32_t mask = (bits == 32 ? ~0u : (1u << bits) - 1) << bit;
    at = (at & ~mask) | (value << bit & mask);
}

/// Bits of an element in its place: e2m1 in the middle of a byte, unless packed.
uint32_t in_place(const Form& form, const std::string& type, uint32_t bits) {
    return type == "e2m1" && !form.packed() ? bits << 2 : bits;
}

/// PTX ISA 9.7.14.5: registers 0 and 1 are rows g and g + 8, 2 and 3 the second half of the row.
void put_a(const Form& form, std::vector<uint32_t>& words, unsigned row, unsigned index, uint32_t bits) {
    const unsigned each = form.each(), quarter = index / each % 4, half = index / each / 4;
    put(words, row / 8 + 2 * half, row % 8 * 4 + quarter, index % each * (32 / each), 32 / each,
        in_place(form, form.a, bits));
}

void put_b(const Form& form, std::vector<uint32_t>& words, unsigned k, unsigned column, uint32_t bits) {
    const unsigned each = form.each(), quarter = k / each % 4, part = k / each / 4;
    put(words, b_at(form) + part, column * 4 + quarter, k % each * (32 / each), 32 / each,
        in_place(form, form.b, bits));
}

struct Place {
    unsigned word, lane, bit;
};

Place accumulator_place(const Form& form, unsigned row, unsigned column) {
    const unsigned lane = row % 8 * 4 + column / 2;
    if (form.d == "f16") return {row / 8, lane, column % 2 * 16};
    return {row / 8 * 2 + column % 2, lane, 0};
}

/// Two of four elements (of four pairs, if packed) are stored. The lanes of four have row g, row g + 8, and the second
/// half of both. PTX ISA 9.7.14.6.1.
void choose_places(const Form& form, Inputs& inputs, Random& random) {
    const unsigned group = form.packed() ? 2 : 1;
    for (unsigned row = 0; row < 16; ++row)
        for (unsigned chunk = 0; chunk < 16; ++chunk) {
            const unsigned first = random.below(3), second = first + 1 + random.below(3 - first);
            const unsigned lane = row % 8 * 4 + row / 8 + chunk / 8 * 2;
            put(inputs.words, metadata_at(form), lane, chunk % 8 * 4, 4, first | second << 2);
            for (unsigned i = 0; i < 2 * group; ++i)
                inputs.place[row][chunk * 2 * group + i] =
                    chunk * 4 * group + (i < group ? first : second) * group + i % group;
        }
}

} // namespace

std::string Form::name() const {
    return std::string(half_k ? "k16_" : "k_") + kind + "_" + a + "_" + b + "_" + d + (sparse ? "_sp" : "") +
           (scaled() ? "_" + factor : "") + (scaled() ? "_" + std::to_string(factors) : "");
}

std::string Form::instruction() const {
    std::string out = sparse ? "mma.sp::ordered_metadata" : "mma";
    out += ".sync.aligned.m16n8k" + std::to_string(k()) + ".row.col.kind::" + kind;
    if (scaled()) out += ".block_scale.scale_vec::" + std::to_string(factors) + "X";
    out += "." + d + "." + a + "." + b + "." + d;
    return scaled() ? out + "." + factor : out;
}

std::vector<Form> all_forms() {
    std::vector<Form> forms;
    for (const bool sparse : {false, true}) {
        for (const char* a : element_types)
            for (const char* b : element_types) {
                for (const char* d : {"f16", "f32"}) forms.push_back({"f8f6f4", a, b, d, sparse, "", 0});
                forms.push_back({"mxf8f6f4", a, b, "f32", sparse, "ue8m0", 1});
            }
        for (const char* a : {"e4m3", "e5m2"})
            for (const char* d : {"f16", "f32"})
                if (!sparse) forms.push_back({"f8f6f4", a, "e4m3", d, sparse, "", 0, true});
        forms.push_back({"mxf4", "e2m1", "e2m1", "f32", sparse, "ue8m0", 2});
        forms.push_back({"mxf4nvf4", "e2m1", "e2m1", "f32", sparse, "ue8m0", 2});
        forms.push_back({"mxf4nvf4", "e2m1", "e2m1", "f32", sparse, "ue8m0", 4});
        forms.push_back({"mxf4nvf4", "e2m1", "e2m1", "f32", sparse, "ue4m3", 4});
    }
    return forms;
}

std::string module_text(const std::vector<Form>& forms) {
    std::string text = ".version 9.0\n.target sm_120a\n.address_size 64\n";
    for (const Form& form : forms) {
        const unsigned all = selectors_at(form) + 4;
        text += ".visible .entry " + form.name() + "(.param .u64 pin, .param .u64 pout)\n{\n.reg .u64 in, out, l;\n" +
                ".reg .b32 lane, r<" + std::to_string(all) + ">, d<4>;\n.reg .b16 s<4>;\n" +
                "ld.param.u64 in, [pin]; ld.param.u64 out, [pout];\nmov.u32 lane, %tid.x;\n" +
                "mul.wide.u32 l, lane, 4; add.u64 in, in, l; add.u64 out, out, l;\n";
        for (unsigned i = 0; i < all; ++i)
            text += "ld.global.b32 r" + std::to_string(i) + ", [in+" + std::to_string(128 * i) + "];\n";
        auto vector = [](const std::string& name, unsigned first, unsigned count) {
            std::string out = "{";
            for (unsigned i = 0; i < count; ++i) out += (i ? "," : "") + name + std::to_string(first + i);
            return out + "}";
        };
        for (unsigned i = 0; i < 4; ++i)
            text += "cvt.u16.u32 s" + std::to_string(i) + ", r" + std::to_string(selectors_at(form) + i) + ";\n";
        text += form.instruction() + " " + vector("d", 0, form.accumulator_words()) + ", " +
                vector("r", 0, form.a_words()) + ", " + vector("r", b_at(form), form.b_words()) + ", " +
                vector("r", c_at(form), form.accumulator_words());
        if (form.sparse) text += ", r" + std::to_string(metadata_at(form)) + ", 0";
        if (form.scaled())
            text += ", r" + std::to_string(factors_at(form)) + ", {s0, s1}, r" + std::to_string(factors_at(form) + 1) +
                    ", {s2, s3}";
        text += ";\n";
        for (unsigned i = 0; i < form.accumulator_words(); ++i)
            text += "st.global.b32 [out+" + std::to_string(128 * i) + "], d" + std::to_string(i) + ";\n";
        text += "ret;\n}\n";
    }
    return text;
}

void Inputs::set_a(const Form& form, unsigned row, unsigned index, uint32_t bits) {
    a[row][index] = bits;
    put_a(form, words, row, index, bits);
}

void Inputs::set_c(const Form& form, unsigned row, unsigned column, uint32_t bits) {
    c[row][column] = bits;
    const Place place = accumulator_place(form, row, column);
    put(words, c_at(form) + place.word, place.lane, place.bit, form.d == "f16" ? 16 : 32, bits);
}

// PTX ISA 9.7.14.3: which of four lanes and which bytes of its register.
void Inputs::set_factor_of_a(const Form& form, unsigned row, unsigned index, uint32_t bits) {
    factor_a[row][index] = bits;
    put(words, factors_at(form), row % 8 * 4 + 2 * thread_a + row / 8, 8 * (byte_a + index), 8, bits);
}

void Inputs::set_factor_of_b(const Form& form, unsigned column, unsigned index, uint32_t bits) {
    factor_b[column][index] = bits;
    put(words, factors_at(form) + 1, column * 4 + thread_b, 8 * (byte_b + index), 8, bits);
}

Inputs make_inputs(const Form& form, unsigned round, Range range) {
    Random random(static_cast<unsigned>(std::hash<std::string>{}(form.name())) + round);
    Inputs inputs;
    inputs.words.resize(size_t{32} * (selectors_at(form) + 4));
    for (uint32_t& word : inputs.words) word = random.bits(); // what nobody should look at
    for (unsigned row = 0; row < 16; ++row)
        for (unsigned i = 0; i < form.stored(); ++i) {
            inputs.place[row][i] = i;
            inputs.set_a(form, row, i, element(form.a, range, random));
        }
    for (unsigned k = 0; k < form.k(); ++k)
        for (unsigned column = 0; column < 8; ++column) {
            inputs.b[k][column] = element(form.b, range, random);
            put_b(form, inputs.words, k, column, inputs.b[k][column]);
        }
    for (unsigned row = 0; row < 16; ++row)
        for (unsigned column = 0; column < 8; ++column) inputs.set_c(form, row, column, addend(form.d, range, random));
    if (form.sparse) choose_places(form, inputs, random);
    if (!form.scaled()) return inputs;
    inputs.byte_a = random.below(4 / form.factors) * form.factors;
    inputs.byte_b = random.below(4 / form.factors) * form.factors;
    inputs.thread_a = random.below(2), inputs.thread_b = random.below(4);
    const unsigned selectors[] = {inputs.byte_a, inputs.thread_a, inputs.byte_b, inputs.thread_b};
    for (unsigned i = 0; i < 4; ++i)
        for (unsigned lane = 0; lane < 32; ++lane) inputs.words[(selectors_at(form) + i) * 32 + lane] = selectors[i];
    for (unsigned i = 0; i < form.factors; ++i) {
        for (unsigned row = 0; row < 16; ++row)
            inputs.set_factor_of_a(form, row, i, factor(form.factor, range, random));
        for (unsigned column = 0; column < 8; ++column)
            inputs.set_factor_of_b(form, column, i, factor(form.factor, range, random));
    }
    return inputs;
}

Products multiply(const Form& form, const Inputs& inputs) {
    Products out;
    for (unsigned row = 0; row < 16; ++row)
        for (unsigned column = 0; column < 8; ++column) {
            const Value c = decode(form.d, inputs.c[row][column]);
            long double sum = c.value;
            int largest = c.value != 0 ? c.exponent : -400;
            for (unsigned i = 0; i < form.stored(); ++i) {
                const unsigned k = inputs.place[row][i];
                const Value a = decode(form.a, inputs.a[row][i]), b = decode(form.b, inputs.b[k][column]);
                Value scale{1, 0};
                if (form.scaled()) {
                    const unsigned chunk = i * form.factors / form.stored();
                    const Value of_a = decode_factor(form.factor, inputs.factor_a[row][chunk]);
                    const Value of_b = decode_factor(form.factor, inputs.factor_b[column][chunk]);
                    scale = {of_a.value * of_b.value, of_a.exponent + of_b.exponent};
                }
                sum += a.value * b.value * scale.value;
                // Groups are aligned by their factors alone.
                largest = std::max(largest, scale.exponent + (form.packed() ? 0 : a.exponent + b.exponent));
            }
            out.exact[row][column] = sum;
            const int terms = form.packed() ? 5 : static_cast<int>(form.stored()) + 1;
            out.cut[row][column] = terms * std::ldexp(1.0L, std::max(largest, -139) - (form.packed() ? 35 : 25));
        }
    return out;
}

long double accumulator(const Form& form, const std::vector<uint32_t>& words, unsigned row, unsigned column) {
    const Place place = accumulator_place(form, row, column);
    const uint32_t bits = words[place.word * 32 + place.lane] >> place.bit & (form.d == "f16" ? 0xffff : ~0u);
    const Format format = format_of(form.d);
    const uint32_t largest = (1u << format.exponent) - 1;
    if ((bits >> format.fraction & largest) != largest) return decode(form.d, bits).value;
    if (bits & ((1u << format.fraction) - 1)) return NAN;
    return bits >> (format.bits() - 1) ? -INFINITY : INFINITY;
}

} // namespace oracle::kinds
