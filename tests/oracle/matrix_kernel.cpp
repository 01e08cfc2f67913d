#include "matrix_inputs.h"

namespace oracle::matrix {
namespace {

struct Registers {
    std::string name;
    unsigned words;
    bool wide; ///< f64: two words each

    unsigned count() const { return wide ? words / 2 : words; }
    std::string vector() const {
        std::string out = "{";
        for (unsigned i = 0; i < count(); ++i) out += (i ? "," : "") + name + std::to_string(i);
        return out + "}";
    }
    std::string declaration(const std::string& format) const {
        return ".reg ." +
               std::string(wide              ? "f64 "
                           : format == "f32" ? "f32 "
                                             : "b32 ") +
               name + "<" + std::to_string(count()) + ">;\n";
    }
};

Registers registers_of(const Operand& operand, const char* name) {
    return {name, operand.words, operand.format == "f64"};
}

std::string place(const char* base, unsigned word) {
    return std::string("[") + base + "+" + std::to_string(128 * word) + "]";
}

std::string read(const Registers& to, unsigned first) {
    std::string text;
    for (unsigned i = 0; i < to.count(); ++i) {
        const std::string reg = to.name + std::to_string(i);
        const unsigned word = first + (to.wide ? 2 * i : i);
        text += to.wide ? "ld.global.b32 low, " + place("in", word) + "; ld.global.b32 high, " + place("in", word + 1) +
                              "; mov.b64 " + reg + ", {low, high};\n"
                        : "ld.global.b32 " + reg + ", " + place("in", word) + ";\n";
    }
    return text;
}

std::string write(const Registers& from) {
    std::string text;
    for (unsigned i = 0; i < from.count(); ++i) {
        const std::string reg = from.name + std::to_string(i);
        text += from.wide ? "mov.b64 {low, high}, " + reg + "; st.global.b32 " + place("out", 2 * i) +
                                ", low; st.global.b32 " + place("out", 2 * i + 1) + ", high;\n"
                          : "st.global.b32 " + place("out", i) + ", " + reg + ";\n";
    }
    return text;
}

/// Advances `pointer` to the block of this warp; with `lanes` to the lane's word in it.
std::string advance(const char* pointer, unsigned bytes, bool lanes) {
    std::string text = "mul.lo.u32 t, w, " + std::to_string(bytes) + ";\n";
    if (lanes) text += "shl.b32 l, lane, 2; add.u32 t, t, l;\n";
    return text + "cvt.u64.u32 offset, t; add.u64 " + pointer + ", " + pointer + ", offset;\n";
}

} // namespace

std::string kernel_text(const Case& test) {
    const Registers a = registers_of(test.a, "a"), b = registers_of(test.b, "b"), c = registers_of(test.c, "c"),
                    d = registers_of(test.d, "d");
    // Newer versions have no .satfinite of floating point.
    const bool old = test.is_floating() && test.instruction.find(".satfinite") != test.instruction.npos;
    std::string text = std::string(old ? ".version 6.4\n.target sm_70\n" : ".version 8.7\n.target sm_90a\n") +
                       ".address_size 64\n.visible .entry " + test.name +
                       "(.param .u64 pin, .param .u64 pout)\n{\n"
                       ".reg .u64 in, out, offset;\n.reg .b32 w, t, l, lane, low, high, e;\n"
                       "ld.param.u64 in, [pin]; ld.param.u64 out, [pout];\n"
                       "cvta.to.global.u64 in, in; cvta.to.global.u64 out, out;\n"
                       "mov.u32 w, %ctaid.x; mov.u32 lane, %tid.x;\n";
    if (test.is_load()) {
        text += d.declaration(test.d.format) + advance("in", test.a.words, false) + advance("out", 128 * d.words, true);
        text += test.instruction + " " + d.vector() + ", [in], " + test.immediate + ";\n" + write(d);
    } else if (test.is_store()) {
        text += a.declaration(test.a.format) + advance("in", 128 * a.words, true) + advance("out", test.d.words, false);
        text += read(a, 0) + test.instruction + " [out], " + a.vector() + ", " + test.immediate + ";\n";
    } else {
        const unsigned sources = a.words + b.words + c.words + test.metadata.words;
        for (const auto& [registers, operand] : {std::pair{&a, &test.a}, {&b, &test.b}, {&c, &test.c}, {&d, &test.d}})
            text += registers->declaration(operand->format);
        text += advance("in", 128 * sources, true) + advance("out", 128 * d.words, true);
        text += read(a, 0) + read(b, a.words) + read(c, a.words + b.words);
        if (test.metadata.words) text += "ld.global.b32 e, " + place("in", a.words + b.words + c.words) + ";\n";
        text += test.instruction + " " + d.vector() + ", " + a.vector() + ", " + b.vector() + ", " + c.vector();
        text += (test.metadata.words ? ", e, " + test.immediate : "") + ";\n" + write(d);
    }
    return text + "ret;\n}\n";
}

} // namespace oracle::matrix
