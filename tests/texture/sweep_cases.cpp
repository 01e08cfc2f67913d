#include "sweep_case.h"

#include <algorithm>

namespace sweep {
namespace {

using namespace shim;

struct Format {
    const char* name;
    int format;
    unsigned channels;
};

constexpr Format f32x1{"f32x1", CU_AD_FORMAT_FLOAT, 1}, f32x2{"f32x2", CU_AD_FORMAT_FLOAT, 2},
    f32x4{"f32x4", CU_AD_FORMAT_FLOAT, 4}, f16x1{"f16x1", CU_AD_FORMAT_HALF, 1}, f16x2{"f16x2", CU_AD_FORMAT_HALF, 2},
    f16x4{"f16x4", CU_AD_FORMAT_HALF, 4}, u8x1{"u8x1", CU_AD_FORMAT_UNSIGNED_INT8, 1},
    u8x2{"u8x2", CU_AD_FORMAT_UNSIGNED_INT8, 2}, u8x4{"u8x4", CU_AD_FORMAT_UNSIGNED_INT8, 4},
    s8x1{"s8x1", CU_AD_FORMAT_SIGNED_INT8, 1}, s8x2{"s8x2", CU_AD_FORMAT_SIGNED_INT8, 2},
    s8x4{"s8x4", CU_AD_FORMAT_SIGNED_INT8, 4}, u16x1{"u16x1", CU_AD_FORMAT_UNSIGNED_INT16, 1},
    u16x2{"u16x2", CU_AD_FORMAT_UNSIGNED_INT16, 2}, s16x1{"s16x1", CU_AD_FORMAT_SIGNED_INT16, 1},
    s16x2{"s16x2", CU_AD_FORMAT_SIGNED_INT16, 2}, s16x4{"s16x4", CU_AD_FORMAT_SIGNED_INT16, 4},
    u32x1{"u32x1", CU_AD_FORMAT_UNSIGNED_INT32, 1}, u32x2{"u32x2", CU_AD_FORMAT_UNSIGNED_INT32, 2},
    u32x4{"u32x4", CU_AD_FORMAT_UNSIGNED_INT32, 4}, s32x1{"s32x1", CU_AD_FORMAT_SIGNED_INT32, 1};

constexpr const char* address_names[] = {"wrap", "clamp", "mirror", "border"};
constexpr const char* filter_names[] = {"point", "linear"};
constexpr const char* geometry_names[] = {"1d", "2d", "3d", "a1d", "a2d", "cube", "acube", "fetch", "pitch"};
enum { wrap, clamp, mirror, border };

bool is_integer(int format) { return format == CU_AD_FORMAT_UNSIGNED_INT32 || format == CU_AD_FORMAT_SIGNED_INT32; }

/// A case with a name from its parts.
Case make(Geometry geometry, Format format, int filter, int address, bool normalized) {
    Case c;
    c.geometry = geometry;
    c.format = format.format;
    c.channels = format.channels;
    c.filter = filter;
    for (int& mode : c.address) mode = address;
    if (normalized) c.flags |= CU_TRSF_NORMALIZED_COORDINATES;
    if (is_integer(format.format)) {
        c.flags |= CU_TRSF_READ_AS_INTEGER;
        c.result = format.format == CU_AD_FORMAT_SIGNED_INT32 ? "s32" : "u32";
    }
    if (geometry == Geometry::d3) {
        c.width = 7;
        c.height = 5;
        c.depth = 6;
    }
    if (geometry == Geometry::cube || geometry == Geometry::acube) {
        c.width = c.height = 8;
        c.depth = geometry == Geometry::cube ? 6 : 18;
        c.places = Places::directions;
    }
    if (geometry == Geometry::linear) {
        c.width = 61;
        c.coordinate = "s32";
    }
    if (address == border) {
        c.border[0] = 0.75f;
        c.border[1] = -0.3f;
        c.border[2] = 1.5f;
        c.border[3] = 0.1f;
    }
    c.name = std::string(geometry_names[size_t(geometry)]) + "." + format.name + "." + filter_names[filter] + "." +
             address_names[address] + (normalized ? ".normalized" : "");
    return c;
}

class List {
  public:
    std::vector<Case> cases;
    Case& add(Case c, const std::string& suffix = "") {
        c.name += suffix;
        cases.push_back(std::move(c));
        return cases.back();
    }
};

void plain(List& list) {
    for (const Format& format : {f32x1, f32x4, f16x1, f16x2, u8x4, s8x2, u16x1, s16x4})
        for (int filter : {0, 1})
            for (int address : {wrap, clamp, mirror, border})
                for (bool normalized : {false, true}) list.add(make(Geometry::d2, format, filter, address, normalized));
    for (const Format& format : {f32x1, u8x1, f16x4})
        for (int filter : {0, 1})
            for (int address : {wrap, clamp, mirror, border})
                for (bool normalized : {false, true})
                    list.add(make(Geometry::d1, format, filter, address, normalized)).samples = 120;
    for (const Format& format : {f32x1, u8x4, f16x1})
        for (int filter : {0, 1})
            for (int address : {wrap, clamp, mirror, border})
                for (bool normalized : {false, true})
                    if (normalized || address == clamp || address == border)
                        list.add(make(Geometry::d3, format, filter, address, normalized));
    for (Geometry geometry : {Geometry::a1d, Geometry::a2d})
        for (const Format& format : {f32x1, u8x4})
            for (int filter : {0, 1}) {
                for (int address : {wrap, clamp, mirror, border})
                    list.add(make(geometry, format, filter, address, true));
                list.add(make(geometry, format, filter, clamp, false));
            }
    for (Geometry geometry : {Geometry::cube, Geometry::acube})
        for (const Format& format : {f32x1, u8x4})
            for (int filter : {0, 1})
                for (bool seamless : {false, true})
                    for (int address : {wrap, clamp, border}) {
                        if (address == wrap && format.channels == 4) continue;
                        Case c = make(geometry, format, filter, address, true);
                        if (seamless) c.flags |= CU_TRSF_SEAMLESS_CUBEMAP;
                        list.add(c, seamless ? ".seamless" : "");
                    }
    for (const Format& format : {u8x1, s8x4, u16x2, s16x1, u32x4, s32x1, u32x2})
        for (int address : {clamp, border}) {
            Case c = make(Geometry::d2, format, 0, address, false);
            c.flags |= CU_TRSF_READ_AS_INTEGER;
            const bool is_signed = format.format >= 8;
            c.result = is_signed ? "s32" : "u32";
            list.add(c, ".integer");
        }
    for (const Format& format : {f32x1, u8x4})
        for (int filter : {0, 1})
            for (int address : {wrap, clamp, border})
                for (bool normalized : {false, true})
                    list.add(make(Geometry::pitch2d, format, filter, address, normalized));
}

void fetches(List& list) {
    for (const Format& format : {u8x1, u8x4, s16x2, f32x1, f32x4, f32x2, u32x2, f16x1, f16x4, s8x1})
        for (bool integer : {false, true}) {
            if (integer && (format.format == CU_AD_FORMAT_FLOAT || format.format == CU_AD_FORMAT_HALF)) continue;
            if (!integer && is_integer(format.format)) continue;
            Case c = make(Geometry::linear, format, 0, clamp, false);
            if (integer) {
                c.flags |= CU_TRSF_READ_AS_INTEGER;
                c.result = format.format >= 8 ? "s32" : "u32";
            }
            list.add(c, integer ? ".integer" : "");
        }
    Case floating = make(Geometry::linear, f32x1, 0, clamp, false);
    floating.coordinate = "f32";
    list.add(floating, ".float_coordinate");
    for (Geometry geometry : {Geometry::d1, Geometry::d2, Geometry::d3, Geometry::a1d, Geometry::a2d})
        for (int address : {clamp, border}) {
            Case c = make(geometry, f32x1, 0, address, false);
            c.coordinate = "s32";
            list.add(c, ".whole");
        }
    Case normalized = make(Geometry::d2, f32x1, 0, clamp, true);
    normalized.coordinate = "s32";
    list.add(normalized, ".whole");
    Case linear = make(Geometry::d2, f32x1, 1, clamp, false);
    linear.coordinate = "s32";
    list.add(linear, ".whole");
    Case level = make(Geometry::d2, f32x1, 0, clamp, false);
    level.coordinate = "s32";
    level.opcode = "tex.level";
    level.places = Places::levels;
    level.levels = 4;
    list.add(level, ".whole.level");
}

void mipmaps(List& list) {
    for (Geometry geometry : {Geometry::d1, Geometry::d2, Geometry::d3, Geometry::a2d, Geometry::cube})
        for (int filter : {0, 1})
            for (int between : {0, 1}) {
                Case c = make(geometry, geometry == Geometry::d2 ? u8x4 : f32x1, filter, clamp, true);
                c.mip_filter = between;
                if (geometry != Geometry::cube) {
                    c.width = 21;
                    if (geometry != Geometry::d1) c.height = 11;
                    c.places = Places::levels;
                }
                c.levels = geometry == Geometry::cube || geometry == Geometry::d3 ? 3 : 4;
                c.opcode = "tex.level";
                list.add(c, std::string(".level.") + filter_names[between]);
                c.opcode = "tex.grad";
                list.add(c, std::string(".grad.") + filter_names[between]);
                if (geometry != Geometry::d2) continue;
                c.bias = 0.7f;
                c.least_level = 0.4f;
                c.most_level = 2.3f;
                list.add(c, std::string(".grad.biased.") + filter_names[between]);
                c.opcode = "tex.level";
                list.add(c, std::string(".level.biased.") + filter_names[between]);
                c.opcode = "tex";
                list.add(c, std::string(".nolevel.biased.") + filter_names[between]);
                c.opcode = "tex.base";
                list.add(c, std::string(".base.biased.") + filter_names[between]);
                c.opcode = "tex.level";
                c.flags |= CU_TRSF_DISABLE_TRILINEAR_OPTIMIZATION;
                list.add(c, std::string(".level.biased.notrilopt.") + filter_names[between]);
            }
}

void variations(List& list) {
    for (const char* component : {"r", "g", "b", "a"})
        for (const Format& format : {f32x4, u8x4}) {
            Case c = make(Geometry::d2, format, 1, clamp, true);
            c.array_flags = CUDA_ARRAY3D_TEXTURE_GATHER;
            c.opcode = std::string("tld4.") + component;
            list.add(c, std::string(".gather_") + component);
        }
    for (int address : {wrap, clamp, mirror, border}) {
        Case c = make(Geometry::d2, f32x1, 0, address, true);
        c.array_flags = CUDA_ARRAY3D_TEXTURE_GATHER;
        c.opcode = "tld4.r";
        c.words = 4;
        list.add(c, ".gather");
        c.tail = ", {%o0,%o1}";
        list.add(c, ".gather.offset");
        c.flags = 0;
        c.tail = "";
        if (address == clamp || address == border) list.add(c, ".gather.unnormalized");
    }
    {
        Case c = make(Geometry::d2, u8x4, 0, clamp, false);
        c.array_flags = CUDA_ARRAY3D_TEXTURE_GATHER;
        c.opcode = "tld4.g";
        c.result = "u32";
        c.flags |= CU_TRSF_READ_AS_INTEGER;
        list.add(c, ".gather.integer");
    }
    for (int address : {wrap, clamp, mirror, border})
        for (int filter : {0, 1}) {
            Case c = make(Geometry::d2, f32x1, filter, address, true);
            c.tail = ", {%o0,%o1}";
            list.add(c, ".offset");
            c.tail = ", {-3,5}";
            list.add(c, ".offset_constant");
        }
    {
        Case c = make(Geometry::d1, f32x1, 1, clamp, false);
        c.tail = ", {%o0}";
        list.add(c, ".offset");
        Case d = make(Geometry::d3, f32x1, 1, clamp, false);
        d.tail = ", {%o0,%o1,%o2,%o2}";
        list.add(d, ".offset");
        Case e = make(Geometry::a2d, f32x1, 1, clamp, false);
        e.tail = ", {%o0,%o1}";
        list.add(e, ".offset");
    }
    for (const Format& format : {u8x1, u8x4})
        for (int filter : {0, 1}) {
            Case c = make(Geometry::d2, format, filter, clamp, false);
            c.flags |= CU_TRSF_SRGB;
            list.add(c, ".srgb");
        }
    for (const Format& format : {f32x1, f32x2, u8x1, u8x2, f16x1, s16x2}) {
        Case c = make(Geometry::d2, format, 0, border, false);
        c.words = 4;
        c.samples = 60;
        list.add(c, ".components");
    }
    for (const Format& format : {u8x1, s16x2, u32x1}) {
        Case c = make(Geometry::d2, format, 0, border, false);
        c.flags |= CU_TRSF_READ_AS_INTEGER;
        c.words = 4;
        c.samples = 60;
        c.result = "u32";
        list.add(c, ".integer.components");
    }
    for (const Format& format : {f32x4, f16x4, u8x4})
        for (int filter : {0, 1}) {
            Case c = make(Geometry::d2, format, filter, clamp, false);
            c.result = "f16x2";
            c.words = 2;
            list.add(c, ".to_f16x2");
            c.result = "f16";
            c.words = 4;
            list.add(c, ".to_f16");
        }
    {
        Case c = make(Geometry::d2, u8x4, 0, clamp, false);
        c.result = "u32";
        list.add(c, ".to_u32");
        c.result = "s32";
        list.add(c, ".to_s32");
        c.result = "f32";
        c.flags |= CU_TRSF_READ_AS_INTEGER;
        list.add(c, ".integer.to_f32");
    }
    for (const Format& format : {f32x1, f16x1, s8x1, s16x1})
        for (int filter : {0, 1}) {
            Case c = make(Geometry::d2, format, filter, clamp, false);
            c.content = Content::special;
            list.add(c, ".special");
        }
    for (int format : {0xc0, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc8, 0xca, 0xcb}) {
        constexpr unsigned channels[] = {1, 2, 4};
        Case c = make(Geometry::d2, {"", format, channels[(format - 0xc0) % 3]}, 1, clamp, false);
        c.name = "2d.format_" + std::to_string(format) + ".linear.clamp";
        list.add(c);
    }
    {
        Case c = make(Geometry::d2, u32x1, 0, clamp, true);
        c.view_format = 3; // four unsigned 8-bit channels
        c.flags = CU_TRSF_NORMALIZED_COORDINATES;
        c.result = "f32";
        c.words = 4;
        list.add(c, ".view_u8x4");
        Case d = make(Geometry::a2d, f32x1, 0, clamp, true);
        d.view_format = 0x16;
        d.first_layer = 1;
        d.last_layer = 3;
        d.view_depth = 3;
        list.add(d, ".view_layers");
        Case e = make(Geometry::d2, f32x1, 1, clamp, true);
        e.levels = 4;
        e.width = 16;
        e.height = 8;
        e.view_format = 0x16;
        e.first_level = 1;
        e.last_level = 2;
        e.opcode = "tex.level";
        e.places = Places::levels;
        list.add(e, ".view_levels");
    }
}

void surfaces(List& list) {
    struct Access {
        Format format;
        const char* bits;
    };
    const Access accesses[] = {{u8x1, "b8"},   {u8x4, "b8"},   {s16x2, "b16"}, {u32x1, "b32"},
                               {u32x4, "b32"}, {f32x2, "b32"}, {u32x2, "b64"}, {f32x4, "b64"}};
    for (Geometry geometry : {Geometry::d1, Geometry::d2, Geometry::d3, Geometry::a1d, Geometry::a2d})
        for (const char* mode : {"clamp", "zero"})
            for (const Access& access : accesses) {
                if (geometry != Geometry::d2 && access.format.format == CU_AD_FORMAT_UNSIGNED_INT8) continue;
                Case c = make(geometry, access.format, 0, clamp, false);
                c.coordinate = "s32";
                c.opcode = "suld.b";
                c.result = access.bits;
                c.clamp = mode;
                c.words =
                    std::string(access.bits) == "b64" ? (access.format.channels == 4 ? 4 : 2) : access.format.channels;
                c.name = std::string(geometry_names[size_t(geometry)]) + ".suld." + access.bits + "." +
                         access.format.name + "." + mode;
                c.samples = 100;
                list.add(c);
            }
}

Case store_case(Geometry geometry, Format format, const std::string& opcode, const char* bits, const char* mode) {
    Case c = make(geometry, format, 0, clamp, false);
    c.coordinate = "s32";
    c.opcode = opcode;
    c.result = bits;
    c.clamp = mode;
    c.places = Places::texels;
    c.content = Content::zero;
    const bool flat = geometry == Geometry::d1 || geometry == Geometry::a1d;
    const bool deep = geometry != Geometry::d1 && geometry != Geometry::d2;
    c.samples = c.width * (flat ? 1 : c.height) * (deep ? c.depth : 1);
    c.name = std::string(geometry_names[size_t(geometry)]) + "." + opcode + "." + bits + "." + format.name + "." + mode;
    return c;
}

void stored(List& list) {
    const Format unorm8x4{"unorm8x4", 0xc2, 4}, snorm8x4{"snorm8x4", 0xc8, 4}, unorm16x2{"unorm16x2", 0xc4, 2},
        snorm16x4{"snorm16x4", 0xcb, 4}, u16x4{"u16x4", CU_AD_FORMAT_UNSIGNED_INT16, 4};
    for (const Format& format :
         {u8x1,  u8x4,  s8x1,  s8x4,  u16x1, u16x2, u16x4, s16x1,    s16x4,    u32x1,     u32x2,
          u32x4, s32x1, f16x1, f16x4, f32x1, f32x2, f32x4, unorm8x4, snorm8x4, unorm16x2, snorm16x4})
        list.add(store_case(Geometry::d2, format, "sust.p", "b32", "zero"));
    for (Geometry geometry : {Geometry::d1, Geometry::d3, Geometry::a1d, Geometry::a2d}) {
        // Clamped stores would meet in one texel.
        list.add(store_case(geometry, u8x4, "sust.p", "b32", "zero"));
        list.add(store_case(geometry, s16x4, "sust.b", "b16", "zero"));
        list.add(store_case(geometry, f32x2, "sust.b", "b32", "zero"));
    }
    for (const char* operation : {"add", "min", "max", "and", "or"})
        for (const char* bits : {"u32", "s32", "b32"}) {
            const bool logical = operation[0] == 'o' || std::string(operation) == "and";
            if (logical != (bits[0] == 'b')) continue;
            Case c = store_case(Geometry::d2, bits[0] == 's' ? s32x1 : u32x1, std::string("sured.b.") + operation, bits,
                                "zero");
            c.content = Content::random;
            list.add(c);
        }
    for (const char* operation : {"add", "min", "max", "and", "or"})
        for (const Format& format : {u32x1, s32x1}) {
            Case c = store_case(Geometry::d2, format, std::string("sured.p.") + operation, "b32", "zero");
            c.content = Content::random;
            list.add(c);
        }
}

void queries(List& list) {
    const Format unorm8x4{"unorm8x4", 0xc2, 4}, snorm16x2{"snorm16x2", 0xca, 2};
    // NVIDIA's driver makes no code for the other properties (500 or 801).
    for (const char* query : {"width", "height", "depth"}) {
        const auto add = [&](Case c, const std::string& suffix) {
            c.opcode = std::string("txq.") + query;
            c.result = "u32";
            c.samples = 1;
            c.words = 1;
            c.name += std::string(".txq.") + query + suffix;
            list.add(c);
        };
        add(make(Geometry::d1, u8x4, 0, wrap, true), "");
        add(make(Geometry::d2, f32x1, 1, clamp, false), "");
        add(make(Geometry::d3, f16x2, 0, mirror, true), "");
        add(make(Geometry::a1d, s16x2, 0, border, true), "");
        add(make(Geometry::a2d, u32x4, 0, clamp, false), "");
        add(make(Geometry::acube, f32x4, 1, clamp, true), "");
        add(make(Geometry::linear, f32x1, 0, clamp, false), "");
        add(make(Geometry::pitch2d, s8x2, 0, clamp, false), "");
        add(make(Geometry::d2, unorm8x4, 0, clamp, false), "");
        add(make(Geometry::d2, snorm16x2, 0, clamp, false), "");
        Case levels = make(Geometry::d2, f32x1, 1, clamp, true);
        levels.levels = 3;
        levels.mip_filter = 1;
        add(levels, ".levels");
    }
    for (const char* query : {"width", "height"})
        for (const char* level : {"0", "1", "2", "3"}) {
            Case c = make(Geometry::d2, f32x1, 1, clamp, true);
            c.levels = 3;
            c.opcode = std::string("txq.level.") + query;
            c.tail = std::string(", ") + level;
            c.result = "u32";
            c.samples = c.words = 1;
            list.add(c, std::string(".txq.level.") + query + level);
        }
    for (const char* query : {"width", "height", "depth"})
        for (Geometry geometry : {Geometry::d1, Geometry::d2, Geometry::d3, Geometry::a1d, Geometry::a2d})
            for (const Format& format : {u8x4, f32x1, s16x2, f16x4, u32x2}) {
                if (geometry != Geometry::d2 && format.format != CU_AD_FORMAT_FLOAT) continue;
                Case c = make(geometry, format, 0, clamp, false);
                c.opcode = std::string("suq.") + query;
                c.result = "u32";
                c.coordinate = "f32";
                c.samples = c.words = 1;
                list.add(c, std::string(".suq.") + query);
            }
}

void borders(List& list) {
    constexpr float colours[][4] = {{0.3f, 0.999f, -0.2f, 0.002f},     {0.5f, 0.0625f, 1 / 3.0f, -0.5f},
                                    {-0.999f, 0.7f, 0.0039f, -0.004f}, {1e-5f, 0.9961f, 2, -3},
                                    {0.00196f, 0.498f, 0.502f, 1},     {0x1p-15f, 0x1p-24f, 65520, 1e6f}};
    const Format u16x4{"u16x4", CU_AD_FORMAT_UNSIGNED_INT16, 4};
    for (size_t k = 0; k < std::size(colours); ++k)
        for (const Format& format : {u8x4, s8x4, u16x4, s16x4, f16x4, f32x4})
            for (int filter : {0, 1}) {
                Case c = make(Geometry::d2, format, filter, border, true);
                std::copy_n(colours[k], 4, c.border);
                c.samples = 40;
                list.add(c, ".colour" + std::to_string(k));
            }
    for (int address : {wrap, mirror, border}) {
        Case c = make(Geometry::d2, f32x1, 0, address, true);
        c.coordinate = "s32";
        c.opcode = "tex.level";
        c.places = Places::levels;
        c.levels = 4;
        list.add(c, ".whole.level");
        c.flags = 0;
        c.name = std::string("2d.f32x1.point.") + address_names[address];
        list.add(c, ".whole.level");
        Case d = make(Geometry::a2d, f32x1, 0, address, true);
        d.coordinate = "s32";
        d.opcode = "tex.level";
        d.places = Places::levels;
        d.levels = 3;
        list.add(d, ".whole.level");
        Case e = make(Geometry::d3, f32x1, 0, address, true);
        e.coordinate = "s32";
        e.opcode = "tex.level";
        e.places = Places::levels;
        e.levels = 2;
        list.add(e, ".whole.level");
    }
}

/// Gradients of different lengths under a limit of anisotropy: several samples along the longer one.
void anisotropic(List& list) {
    for (unsigned most : {1u, 2u, 3u, 4u, 6u, 8u, 12u, 16u})
        for (const Format& format : {f32x1, u8x4})
            for (int filter : {0, 1})
                for (int address : {wrap, clamp, border}) {
                    if (address != wrap && (most != 4 && most != 16)) continue;
                    Case c = make(Geometry::d2, format, filter, address, true);
                    c.width = 21;
                    c.height = 11;
                    c.levels = 5;
                    c.mip_filter = filter;
                    c.opcode = "tex.grad";
                    c.anisotropy = most;
                    c.samples = 100;
                    list.add(c, ".grad.aniso" + std::to_string(most));
                }
    for (Geometry geometry : {Geometry::d1, Geometry::a1d, Geometry::d2, Geometry::a2d, Geometry::d3, Geometry::cube})
        for (unsigned levels : {1u, 4u})
            for (const char* opcode : {"tex.grad", "tex.level", "tex"}) {
                if (std::string(opcode) == "tex" && levels == 1) continue;
                Case c = make(geometry, f32x1, 1, clamp, true);
                c.width = 16;
                c.height = 16;
                if (geometry == Geometry::d3) c.depth = 16;
                c.levels = levels;
                c.mip_filter = 1;
                c.opcode = opcode;
                c.anisotropy = 8;
                c.samples = 100;
                list.add(c, std::string(".") + opcode + ".aniso8.levels" + std::to_string(levels));
            }
    for (unsigned flags : {unsigned(CU_TRSF_DISABLE_TRILINEAR_OPTIMIZATION), unsigned(CU_TRSF_SRGB)}) {
        Case c = make(Geometry::d2, u8x4, 1, wrap, true);
        c.width = c.height = 32;
        c.levels = 6;
        c.mip_filter = 1;
        c.opcode = "tex.grad";
        c.anisotropy = 16;
        c.flags |= flags;
        c.bias = 0.3f;
        list.add(c, ".grad.aniso16.flags" + std::to_string(flags));
    }
}

Case dense(Case c, const std::string& name, Places places, unsigned samples) {
    c.name = "dense." + name;
    c.places = places;
    c.samples = samples;
    return c;
}

} // namespace

std::vector<Case> cases() {
    List list;
    plain(list);
    fetches(list);
    mipmaps(list);
    variations(list);
    surfaces(list);
    stored(list);
    queries(list);
    borders(list);
    anisotropic(list);
    return std::move(list.cases);
}

std::vector<Case> exploring_cases() {
    List list;
    for (unsigned width : {13u, 16u, 4096u})
        for (bool normalized : {false, true}) {
            Case c = make(Geometry::d1, f32x1, 1, clamp, normalized);
            c.width = width;
            c.content = Content::ramp;
            list.add(dense(c, "ramp" + std::to_string(width) + (normalized ? "n" : ""), Places::fine, 20000));
            c.filter = 0;
            list.add(dense(c, "point" + std::to_string(width) + (normalized ? "n" : ""), Places::fine, 20000));
        }
    for (const Format& format : {f32x1, u8x1, s8x1, u16x1, s16x1, f16x1}) {
        Case c = make(Geometry::d1, format, 1, clamp, false);
        list.add(dense(c, std::string("weights1d.") + format.name, Places::weights, 16384));
        Case d = make(Geometry::d2, format, 1, clamp, false);
        list.add(dense(d, std::string("weights2d.") + format.name, Places::weights, 40000));
        Case e = make(Geometry::d3, format, 1, clamp, false);
        list.add(dense(e, std::string("weights3d.") + format.name, Places::weights, 20000));
        Case f = make(Geometry::d2, format, 1, clamp, false);
        list.add(dense(f, std::string("mixed2d.") + format.name, Places::mixed, 20000));
        Case g = make(Geometry::d2, format, 0, clamp, false);
        g.width = 64;
        g.height = 64;
        list.add(dense(g, std::string("points2d.") + format.name, Places::mixed, 20000));
    }
    for (int address : {wrap, clamp, mirror, border})
        for (unsigned width : {13u, 4000u}) {
            Case c = make(Geometry::d1, f32x1, 1, address, true);
            c.width = width;
            c.content = Content::ramp;
            const std::string name = std::string("mixed1d.") + address_names[address] + std::to_string(width);
            list.add(dense(c, name, Places::mixed, 10000));
            c.filter = 0;
            list.add(dense(c, name + ".point", Places::mixed, 10000));
        }
    {
        Case c = make(Geometry::d2, u8x1, 0, clamp, false);
        c.width = 64;
        c.height = 64;
        c.flags |= CU_TRSF_SRGB;
        list.add(dense(c, "srgb", Places::mixed, 8000));
        c.filter = 1;
        list.add(dense(c, "srgb.linear", Places::mixed, 8000));
        c.channels = 4;
        list.add(dense(c, "srgb.linear.x4", Places::mixed, 8000));
    }
    for (int filter : {0, 1})
        for (bool seamless : {false, true}) {
            Case c = make(Geometry::cube, f32x1, filter, clamp, true);
            if (seamless) c.flags |= CU_TRSF_SEAMLESS_CUBEMAP;
            list.add(dense(c, std::string("cube.") + filter_names[filter] + (seamless ? ".seamless" : ""),
                           Places::directions, 20000));
        }
    for (int between : {0, 1}) {
        Case c = make(Geometry::d1, f32x1, 1, clamp, true);
        c.width = 64;
        c.levels = 7;
        c.mip_filter = between;
        c.opcode = "tex.level";
        list.add(dense(c, std::string("level.") + filter_names[between], Places::fine, 9000));
        Case p = c;
        p.filter = 0;
        list.add(dense(p, std::string("level.p") + filter_names[between], Places::fine, 9000));
        Case d = make(Geometry::d2, f32x1, 1, clamp, true);
        d.width = d.height = 64;
        d.levels = 7;
        d.mip_filter = between;
        d.opcode = "tex.grad";
        list.add(dense(d, std::string("grad.") + filter_names[between], Places::mixed, 20000));
        d.filter = 0;
        list.add(dense(d, std::string("grad.p") + filter_names[between], Places::mixed, 20000));
        d.geometry = Geometry::d1;
        list.add(dense(d, std::string("grad1d.p") + filter_names[between], Places::mixed, 20000));
        d.filter = 1;
        d.geometry = Geometry::d2;
        d.anisotropy = 4;
        list.add(dense(d, std::string("grad.aniso4.") + filter_names[between], Places::mixed, 20000));
        d.anisotropy = 16;
        list.add(dense(d, std::string("grad.aniso16.") + filter_names[between], Places::mixed, 20000));
        Case e = make(Geometry::cube, f32x1, 0, clamp, true);
        e.width = e.height = 64;
        e.levels = 7;
        e.mip_filter = between;
        e.opcode = "tex.grad";
        list.add(dense(e, std::string("grad.cube.p") + filter_names[between], Places::directions, 20000));
    }
    for (const char* tail : {", %level", ", {%o0,%o1}, %level"}) {
        Case c = make(Geometry::d2, f32x1, 0, clamp, true);
        c.tail = tail;
        c.words = 4;
        list.add(dense(c, std::string("depth") + std::to_string(std::string(tail).size()), Places::mixed, 400));
        c.array_flags = CUDA_ARRAY3D_DEPTH_TEXTURE;
        list.add(dense(c, std::string("depth_texture") + std::to_string(std::string(tail).size()), Places::mixed, 400));
    }
    for (Geometry geometry : {Geometry::cube, Geometry::acube, Geometry::a2d, Geometry::d3})
        for (bool linear : {false, true}) {
            Case c = make(geometry, f32x1, linear, clamp, true);
            c.opcode = "tld4.r";
            c.array_flags = CUDA_ARRAY3D_TEXTURE_GATHER;
            c.words = 4;
            if (geometry != Geometry::d3)
                list.add(dense(c, std::string("gather.") + geometry_names[size_t(geometry)] + filter_names[linear],
                               c.places, 4000));
        }
    for (const char* component : {"g", "b", "a"}) {
        Case c = make(Geometry::d2, f32x1, 0, clamp, true);
        c.opcode = std::string("tld4.") + component;
        c.array_flags = CUDA_ARRAY3D_TEXTURE_GATHER;
        c.words = 4;
        list.add(dense(c, std::string("gather_missing.") + component, Places::mixed, 100));
    }
    for (Geometry geometry : {Geometry::d1, Geometry::d2, Geometry::d3, Geometry::cube})
        for (unsigned anisotropy : {0u, 2u, 16u}) {
            if (anisotropy && geometry != Geometry::d2) continue;
            Case c = make(geometry, f32x1, 0, clamp, true);
            c.width = c.height = 64;
            if (geometry == Geometry::d3) c.depth = 64;
            c.levels = 7;
            c.mip_filter = 1;
            c.opcode = "tex.grad";
            c.content = Content::level;
            c.anisotropy = anisotropy;
            list.add(dense(c,
                           std::string("lod.") + geometry_names[size_t(geometry)] +
                               (anisotropy ? ".aniso" + std::to_string(anisotropy) : ""),
                           Places::gradients, 20000));
        }
    return std::move(list.cases);
}

} // namespace sweep
