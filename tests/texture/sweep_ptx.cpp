#include "sweep_case.h"

namespace sweep {
namespace {

const char* geometry_name(Geometry geometry) {
    switch (geometry) {
    case Geometry::d1:
    case Geometry::linear:
        return "1d";
    case Geometry::d2:
    case Geometry::pitch2d:
        return "2d";
    case Geometry::d3:
        return "3d";
    case Geometry::a1d:
        return "a1d";
    case Geometry::a2d:
        return "a2d";
    case Geometry::cube:
        return "cube";
    case Geometry::acube:
        return "acube";
    }
    return "";
}

std::string place(const Case& c, const std::string& r) {
    const std::string x = r + "0", y = r + "1", z = r + "2";
    switch (c.geometry) {
    case Geometry::d1:
    case Geometry::linear:
        return "{" + x + "}";
    case Geometry::d2:
    case Geometry::pitch2d:
        return "{" + x + "," + y + "}";
    case Geometry::d3:
    case Geometry::cube:
        return "{" + x + "," + y + "," + z + "," + z + "}";
    case Geometry::a1d:
        return "{%layer," + x + "}";
    case Geometry::a2d:
        return "{%layer," + x + "," + y + "," + y + "}";
    case Geometry::acube:
        return "{%layer," + x + "," + y + "," + z + "}";
    }
    return "";
}

std::string gradient(const Case& c, const std::string& r) {
    switch (c.geometry) {
    case Geometry::d1:
    case Geometry::a1d:
    case Geometry::linear:
        return "{" + r + "0}";
    case Geometry::d2:
    case Geometry::pitch2d:
    case Geometry::a2d:
        return "{" + r + "0," + r + "1}";
    default:
        return "{" + r + "0," + r + "1," + r + "2," + r + "2}";
    }
}

/// The instruction, with results in registers of the result's own type %v0 ...
std::string instruction(const Case& c) {
    const bool surface = c.opcode.starts_with("su");
    const bool packed = c.result == "f16x2";
    const std::string geometry = geometry_name(c.geometry);
    std::string text = c.opcode + "." + geometry;
    if (surface) {
        if (c.opcode.starts_with("suq")) return c.opcode + ".b32 %v0, [%handle];\n";
        if (c.opcode.starts_with("sured"))
            return text + "." + c.result + "." + c.clamp + " [%handle, " + place(c, "%i") + "], %q0;\n";
        const unsigned pieces = c.result == "b64" ? c.channels / 2 : c.channels;
        const std::string vector = pieces == 1 ? "" : ".v" + std::to_string(pieces);
        std::string to = "%v0";
        if (vector == ".v2") to = "{%v0,%v1}";
        if (vector == ".v4") to = "{%v0,%v1,%v2,%v3}";
        if (c.opcode.starts_with("sust")) {
            std::string from = to, moves;
            for (char& ch : from)
                if (ch == 'v') ch = c.opcode == "sust.p" ? 'q' : 'v';
            for (unsigned k = 0; k < pieces && c.opcode == "sust.b"; ++k) {
                const std::string n = std::to_string(k);
                moves += (c.result == "b32" ? "mov.b32 %v" : "cvt.u16.u32 %v") + n + ", %q" + n + ";\n";
            }
            return moves + text + vector + "." + c.result + "." + c.clamp + " [%handle, " + place(c, "%i") + "], " +
                   from + ";\n";
        }
        return text + vector + "." + c.result + "." + c.clamp + " " + to + ", [%handle, " + place(c, "%i") + "];\n";
    }
    if (c.opcode.starts_with("txq")) return c.opcode + ".b32 %v0, [%handle]" + c.tail + ";\n";
    text += packed ? ".v2" : ".v4";
    text += "." + c.result + "." + c.coordinate;
    text += packed ? " {%v0,%v1}" : " {%v0,%v1,%v2,%v3}";
    text += ", [%handle, " + place(c, c.coordinate == "s32" ? "%i" : "%c") + "]";
    if (c.opcode.ends_with(".level")) text += c.coordinate == "s32" ? ", %ilevel" : ", %level";
    if (c.opcode.ends_with(".grad")) text += ", " + gradient(c, "%dx") + ", " + gradient(c, "%dy");
    return text + c.tail + ";\n";
}

} // namespace

bool stores(const Case& c) { return c.opcode.starts_with("sust") || c.opcode.starts_with("sured"); }

std::string ptx_of(const Case& c) {
    const std::string type = c.result == "f16x2" ? "b32" : c.result;
    const bool narrow = type == "b8" || type == "b16" || type == "f16";
    const std::string held = type == "b8" || type == "f16" ? "b16" : type;
    std::string text =
        ".version 8.0\n.target sm_80\n.address_size 64\n"
        ".visible .entry sample(.param .u64 a, .param .u64 b, .param .u64 c, .param .u32 d) {\n"
        ".reg .b64 %handle, %from, %to, %at;\n.reg .b32 %n, %thread, %block, %index, %layer, %ilevel;\n"
        ".reg .f32 %c<3>, %level, %dx<3>, %dy<3>;\n.reg .b32 %i<3>, %o<3>, %w<4>, %q<4>;\n.reg .pred %p;\n";
    text += ".reg ." + held + " %v<4>;\n";
    text += "ld.param.u64 %handle, [a];\nld.param.u64 %from, [b];\nld.param.u64 %to, [c];\nld.param.u32 %n, [d];\n"
            "mov.u32 %thread, %tid.x;\nmov.u32 %block, %ctaid.x;\nmad.lo.u32 %index, %block, 128, %thread;\n"
            "setp.ge.u32 %p, %index, %n;\n@%p ret;\nmul.wide.u32 %at, %index, 64;\nadd.u64 %from, %from, %at;\n"
            "mul.wide.u32 %at, %index, 16;\nadd.u64 %to, %to, %at;\n";
    for (int k = 0; k < 3; ++k) {
        const std::string n = std::to_string(k);
        text += "ld.global.f32 %c" + n + ", [%from+" + std::to_string(4 * k) + "];\n";
        text += "ld.global.b32 %i" + n + ", [%from+" + std::to_string(4 * k) + "];\n";
        text += "ld.global.f32 %dx" + n + ", [%from+" + std::to_string(20 + 4 * k) + "];\n";
        text += "ld.global.f32 %dy" + n + ", [%from+" + std::to_string(32 + 4 * k) + "];\n";
        text += "ld.global.b32 %o" + n + ", [%from+" + std::to_string(44 + 4 * k) + "];\n";
    }
    text += "ld.global.b32 %layer, [%from+12];\nld.global.f32 %level, [%from+16];\n"
            "cvt.rzi.s32.f32 %ilevel, %level;\nmov.b32 %w0, 0;\nmov.b32 %w1, 0;\nmov.b32 %w2, 0;\nmov.b32 %w3, 0;\n";
    if (stores(c))
        for (int k = 0; k < 4; ++k)
            text += "ld.global.b32 %q" + std::to_string(k) + ", [%from+" + std::to_string(20 + 4 * k) + "];\n";
    // .p counts texels, .b bytes.
    if (c.opcode.starts_with("su") && c.opcode.find(".p") == std::string::npos && c.coordinate == "s32") {
        const unsigned bytes = c.channels * channel_bytes(c.format);
        text += "mul.lo.s32 %i0, %i0, " + std::to_string(bytes) + ";\n";
    }
    text += instruction(c);
    const bool surface = c.opcode.starts_with("su");
    if (stores(c)) return text + "ret;\n}\n";
    if (c.opcode.starts_with("txq") || c.opcode.starts_with("suq"))
        return text + "mov.b32 %w0, %v0;\nst.global.v4.b32 [%to], {%w0,%w1,%w2,%w3};\nret;\n}\n";
    if (type == "b64") {
        text += "mov.b64 {%w0,%w1}, %v0;\n";
        if (c.channels > 2) text += "mov.b64 {%w2,%w3}, %v1;\n";
    } else {
        const unsigned results = surface ? c.channels : c.result == "f16x2" ? 2 : 4;
        for (unsigned k = 0; k < results; ++k) {
            const std::string n = std::to_string(k);
            text += narrow && type != "f16" ? "cvt.u32.u16 %w" + n + ", %v" + n + ";\n"
                    : type == "f16"         ? "mov.b32 %w" + n + ", {%v" + n + ", %v" + n + "};\n"
                                            : "mov.b32 %w" + n + ", %v" + n + ";\n";
        }
    }
    return text + "st.global.v4.b32 [%to], {%w0,%w1,%w2,%w3};\nret;\n}\n";
}

} // namespace sweep
