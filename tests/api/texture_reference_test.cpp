// Texture and surface references: .texref, .surfref and .samplerref variables of a module, in both texture modes, and
// cuTexRef*, cuSurfRef*. What is refused, and how, is an H100's (driver 580) answer.
#include "driver_fixture.h"

#include <array>
#include <bit>
#include <string>
#include <vector>

using namespace shim;

namespace {


/// A kernel of one thread; `body` leaves four words in %r1 ... %r4, which are stored.
std::string kernel(const std::string& name, const std::string& body) {
    return ".visible .entry " + name + R"((.param .u64 to) {
  .reg .b64 %rd<6>;
  .reg .b32 %r<9>;
  .reg .f32 %f<9>;
  .reg .pred %p;
  ld.param.u64 %rd1, [to];
  mov.b32 %r1, 0; mov.b32 %r2, 0; mov.b32 %r3, 0; mov.b32 %r4, 0;
  mov.f32 %f5, 0f40200000;
  mov.f32 %f6, 0f3FE00000;
  mov.b32 %r5, 2;
  mov.b32 %r6, 8;
  mov.b32 %r7, 1;
)" + body + R"(
  st.global.v4.u32 [%rd1], {%r1, %r2, %r3, %r4};
  ret;
}
)";
}

std::string module_of(const std::string& target, const std::string& variables, const std::string& kernels) {
    return ".version 7.8\n.target " + target + "\n.address_size 64\n" + variables + kernels;
}

constexpr const char* unified_variables = ".global .texref image;\n.global .surfref plane;\n";

/// Each is (2.5, 1.75), or texel 2 of line 1.
std::string unified_kernels() {
    return kernel("sample", "tex.2d.v4.f32.f32 {%f1,%f2,%f3,%f4}, [image, {%f5, %f6}]; mov.b32 %r1, %f1;") +
           kernel("sample_1d", "tex.1d.v4.f32.s32 {%f1,%f2,%f3,%f4}, [image, {%r5}]; mov.b32 %r1, %f1;") +
           kernel("address", "mov.u64 %rd2, image; tex.2d.v4.f32.f32 {%f1,%f2,%f3,%f4}, [%rd2, {%f5, %f6}]; mov.b32 "
                             "%r1, %f1;") +
           kernel("load", "suld.b.2d.b32.trap %r1, [plane, {%r6, %r7}];") +
           kernel("store", "mov.b32 %r1, 0f42280000; sust.b.2d.b32.trap [plane, {%r6, %r7}], %r1;") +
           kernel("sizes", "txq.width.b32 %r1, [image]; txq.height.b32 %r2, [image]; suq.width.b32 %r3, [plane]; "
                           "suq.height.b32 %r4, [plane];") +
           kernel("kinds",
                  "mov.u64 %rd2, image; istypep.texref %p, %rd2; selp.u32 %r1, 1, 0, %p; istypep.surfref %p, %rd2; "
                  "selp.u32 %r2, 1, 0, %p; mov.u64 %rd2, plane; istypep.surfref %p, %rd2; selp.u32 %r3, 1, 0, %p; "
                  "istypep.texref %p, %rd2; selp.u32 %r4, 1, 0, %p;");
}

class References : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        const CUDA_ARRAY3D_DESCRIPTOR d{16, 8, 0, CU_AD_FORMAT_FLOAT, 1, CUDA_ARRAY3D_SURFACE_LDST};
        ASSERT_OK(cuArray3DCreate_v2(&array, &d));
        ASSERT_OK(cuMemAlloc_v2(&memory, 4096));
        std::array<float, 128> texels{};
        for (size_t k = 0; k < texels.size(); ++k) texels[k] = float(k * k);
        ASSERT_OK(cuMemcpyHtoD_v2(memory, texels.data(), sizeof texels));
        CUDA_MEMCPY2D copy{};
        copy.srcMemoryType = CU_MEMORYTYPE_DEVICE;
        copy.srcDevice = memory;
        copy.srcPitch = copy.WidthInBytes = 64;
        copy.Height = 8;
        copy.dstMemoryType = CU_MEMORYTYPE_ARRAY;
        copy.dstArray = array;
        ASSERT_OK(cuMemcpy2D_v2(&copy));
    }
    void TearDown() override {
        if (module) {
            EXPECT_OK(cuModuleUnload(module));
        }
        EXPECT_OK(cuArrayDestroy(array));
        EXPECT_OK(cuMemFree_v2(memory));
        Driver::TearDown();
    }

    int load(const std::string& text) { return cuModuleLoadData(&module, text.c_str()); }
    void load_unified() { ASSERT_OK(load(module_of("sm_80", unified_variables, unified_kernels()))); }

    std::array<unsigned, 4> words(const char* name) {
        CUfunction function = nullptr;
        EXPECT_OK(cuModuleGetFunction(&function, module, name)) << name;
        CUdeviceptr to = memory + 2048;
        void* parameters[] = {&to};
        std::array<unsigned, 4> result{~0u, ~0u, ~0u, ~0u};
        EXPECT_OK(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, parameters, nullptr)) << name;
        EXPECT_OK(cuMemcpyDtoH_v2(result.data(), to, sizeof result)) << name;
        return result;
    }
    float number(const char* name) { return std::bit_cast<float>(words(name)[0]); }

    CUarray array = nullptr;
    CUdeviceptr memory = 0;
    CUmodule module = nullptr;
};

constexpr float texel(int x, int y) { return float((16 * y + x) * (16 * y + x)); }

} // namespace

TEST_F(References, AnArrayIsSampledAsTheReferenceSays) {
    load_unified();
    CUtexref image = nullptr;
    ASSERT_OK(cuModuleGetTexRef(&image, module, "image"));
    ASSERT_OK(cuTexRefSetArray(image, array, CU_TRSA_OVERRIDE_FORMAT));
    EXPECT_EQ(number("sample"), texel(2, 1));
    EXPECT_EQ(number("address"), texel(2, 1));
    EXPECT_OK(cuTexRefSetFilterMode(image, 1));
    EXPECT_EQ(number("sample"), (texel(2, 1) * 3 + texel(2, 2)) / 4);
    EXPECT_OK(cuTexRefSetFlags(image, CU_TRSF_NORMALIZED_COORDINATES));
    EXPECT_OK(cuTexRefSetFilterMode(image, 0));
    EXPECT_OK(cuTexRefSetAddressMode(image, 0, 0));
    EXPECT_OK(cuTexRefSetAddressMode(image, 1, 0));
    EXPECT_EQ(number("sample"), texel(8, 6));
    EXPECT_OK(cuTexRefSetAddressMode(image, 0, 3));
    float colour[4] = {0.5f, 0, 0, 0};
    EXPECT_OK(cuTexRefSetBorderColor(image, colour));
    EXPECT_EQ(number("sample"), 0.5f);
    CUarray bound = nullptr;
    EXPECT_OK(cuTexRefGetArray(&bound, image));
    EXPECT_EQ(bound, array);
}

TEST_F(References, SizesAreTheArrays) {
    load_unified();
    CUtexref image = nullptr;
    CUsurfref plane = nullptr;
    ASSERT_OK(cuModuleGetTexRef(&image, module, "image"));
    ASSERT_OK(cuTexRefSetArray(image, array, CU_TRSA_OVERRIDE_FORMAT));
    ASSERT_OK(cuModuleGetSurfRef(&plane, module, "plane"));
    ASSERT_OK(cuSurfRefSetArray(plane, array, 0));
    EXPECT_EQ(words("sizes"), (std::array<unsigned, 4>{16, 8, 16, 8}));
    EXPECT_EQ(words("kinds"), (std::array<unsigned, 4>{1, 0, 1, 0}));
}

TEST_F(References, MemoryIsFetched) {
    load_unified();
    CUtexref image = nullptr;
    ASSERT_OK(cuModuleGetTexRef(&image, module, "image"));
    EXPECT_OK(cuTexRefSetFormat(image, CU_AD_FORMAT_FLOAT, 1));
    size_t offset = 99;
    ASSERT_OK(cuTexRefSetAddress_v2(&offset, image, memory, 512));
    EXPECT_EQ(offset, 0u);
    EXPECT_EQ(number("sample_1d"), 4);
    EXPECT_OK(cuTexRefSetAddress_v2(&offset, image, memory + 16, 256));
    EXPECT_EQ(offset, 16u);
    EXPECT_EQ(number("sample_1d"), 4); // the caller adds the offset
    CUdeviceptr bound = 0;
    EXPECT_OK(cuTexRefGetAddress_v2(&bound, image));
    EXPECT_EQ(bound, memory);
}

TEST_F(References, RowsAreSampled) {
    load_unified();
    CUtexref image = nullptr;
    ASSERT_OK(cuModuleGetTexRef(&image, module, "image"));
    const CUDA_ARRAY_DESCRIPTOR d{16, 8, CU_AD_FORMAT_FLOAT, 1};
    ASSERT_OK(cuTexRefSetAddress2D_v3(image, &d, memory, 64));
    EXPECT_EQ(number("sample"), texel(2, 1));
    EXPECT_STATUS(invalid_value, cuTexRefSetAddress2D_v3(image, &d, memory + 16, 64));
    EXPECT_STATUS(invalid_value, cuTexRefSetAddress2D_v3(image, &d, memory, 72));
    EXPECT_STATUS(invalid_value, cuTexRefSetAddress2D_v3(image, nullptr, memory, 64));
}

TEST_F(References, SurfacesAreReadAndWritten) {
    load_unified();
    CUsurfref plane = nullptr;
    ASSERT_OK(cuModuleGetSurfRef(&plane, module, "plane"));
    ASSERT_OK(cuSurfRefSetArray(plane, array, 0));
    EXPECT_EQ(number("load"), texel(2, 1));
    words("store");
    EXPECT_EQ(number("load"), 42);
    CUarray bound = nullptr;
    EXPECT_OK(cuSurfRefGetArray(&bound, plane));
    EXPECT_EQ(bound, array);
    EXPECT_STATUS(invalid_value, cuSurfRefSetArray(plane, array, 1));
    EXPECT_STATUS(invalid_value, cuSurfRefGetArray(nullptr, plane)); // an H100's driver crashes
}

TEST_F(References, AreFoundByName) {
    load_unified();
    CUtexref image = nullptr;
    CUsurfref plane = nullptr;
    EXPECT_STATUS(not_found, cuModuleGetTexRef(&image, module, "imag"));
    EXPECT_STATUS(not_found, cuModuleGetSurfRef(&plane, module, "none"));
    EXPECT_STATUS(invalid_value, cuModuleGetTexRef(nullptr, module, "image"));
    EXPECT_STATUS(invalid_value, cuModuleGetTexRef(&image, module, nullptr));
    CUtexref again = nullptr;
    ASSERT_OK(cuModuleGetTexRef(&image, module, "image"));
    ASSERT_OK(cuModuleGetTexRef(&again, module, "image"));
    EXPECT_EQ(image, again);
}

TEST_F(References, WhatNobodySetIsDefault) {
    load_unified();
    CUtexref made = nullptr, image = nullptr;
    ASSERT_OK(cuTexRefCreate(&made));
    ASSERT_OK(cuModuleGetTexRef(&image, module, "image"));
    for (CUtexref reference : {made, image}) {
        int format = -1, channels = -1, mode = -1, most = -1;
        unsigned flags = 99;
        float bias = 9, least = 9, highest = 9, colour[4] = {9, 9, 9, 9};
        EXPECT_OK(cuTexRefGetFormat(&format, &channels, reference));
        EXPECT_EQ(format, int(CU_AD_FORMAT_FLOAT));
        EXPECT_EQ(channels, 1);
        for (int axis : {0, 1, 2}) {
            EXPECT_OK(cuTexRefGetAddressMode(&mode, reference, axis));
            EXPECT_EQ(mode, 1);
        }
        EXPECT_OK(cuTexRefGetFilterMode(&mode, reference));
        EXPECT_EQ(mode, 0);
        EXPECT_OK(cuTexRefGetMipmapFilterMode(&mode, reference));
        EXPECT_EQ(mode, 0);
        EXPECT_OK(cuTexRefGetMipmapLevelBias(&bias, reference));
        EXPECT_EQ(bias, 0);
        EXPECT_OK(cuTexRefGetMipmapLevelClamp(&least, &highest, reference));
        EXPECT_EQ(least, 0);
        EXPECT_EQ(highest, 0);
        EXPECT_OK(cuTexRefGetMaxAnisotropy(&most, reference));
        EXPECT_EQ(most, 0);
        EXPECT_OK(cuTexRefGetFlags(&flags, reference));
        EXPECT_EQ(flags, 0u);
        EXPECT_OK(cuTexRefGetBorderColor(colour, reference));
        EXPECT_EQ(colour[0], 0);
        CUarray bound = nullptr;
        CUmipmappedArray mipmap = nullptr;
        CUdeviceptr address = 1;
        EXPECT_STATUS(invalid_value, cuTexRefGetArray(&bound, reference));
        EXPECT_STATUS(invalid_value, cuTexRefGetMipmappedArray(&mipmap, reference));
        EXPECT_STATUS(invalid_value, cuTexRefGetAddress_v2(&address, reference));
    }
    EXPECT_OK(cuTexRefDestroy(made));
}

TEST_F(References, KeepWhatIsSet) {
    CUtexref r = nullptr;
    ASSERT_OK(cuTexRefCreate(&r));
    int value = 0, channels = 0;
    unsigned flags = 0;
    float bias = 0, least = 0, most = 0, colour[4] = {1, 2, 3, 4}, seen[4] = {};
    EXPECT_OK(cuTexRefSetFormat(r, CU_AD_FORMAT_UNSIGNED_INT8, 4));
    EXPECT_OK(cuTexRefGetFormat(&value, &channels, r));
    EXPECT_EQ(value, int(CU_AD_FORMAT_UNSIGNED_INT8));
    EXPECT_EQ(channels, 4);
    EXPECT_OK(cuTexRefSetFlags(r, CU_TRSF_READ_AS_INTEGER | CU_TRSF_NORMALIZED_COORDINATES));
    EXPECT_OK(cuTexRefGetFlags(&flags, r));
    EXPECT_EQ(flags, 3u);
    EXPECT_OK(cuTexRefSetMipmapLevelBias(r, 1.5f));
    EXPECT_OK(cuTexRefGetMipmapLevelBias(&bias, r));
    EXPECT_EQ(bias, 1.5f);
    EXPECT_OK(cuTexRefSetMipmapLevelClamp(r, 0.5f, 3));
    EXPECT_OK(cuTexRefGetMipmapLevelClamp(&least, &most, r));
    EXPECT_EQ(least, 0.5f);
    EXPECT_EQ(most, 3);
    EXPECT_OK(cuTexRefSetMaxAnisotropy(r, 8));
    EXPECT_OK(cuTexRefGetMaxAnisotropy(&value, r));
    EXPECT_EQ(value, 8);
    EXPECT_OK(cuTexRefSetBorderColor(r, colour));
    EXPECT_OK(cuTexRefGetBorderColor(seen, r));
    EXPECT_EQ(seen[3], 4);
    EXPECT_OK(cuTexRefSetMipmapFilterMode(r, 1));
    EXPECT_OK(cuTexRefGetMipmapFilterMode(&value, r));
    EXPECT_EQ(value, 1);
    EXPECT_STATUS(invalid_value, cuTexRefSetAddressMode(r, 3, 0));
    EXPECT_OK(cuTexRefSetAddressMode(r, 0, 4));
    EXPECT_OK(cuTexRefSetFilterMode(r, 2));
    EXPECT_STATUS(invalid_value, cuTexRefSetMipmapFilterMode(r, 2));
    EXPECT_STATUS(invalid_value, cuTexRefSetFormat(r, CU_AD_FORMAT_FLOAT, 3));
    EXPECT_OK(cuTexRefSetFormat(r, 0x7f, 1));
    EXPECT_STATUS(invalid_value, cuTexRefSetFlags(r, 0x1000));
    EXPECT_STATUS(invalid_value, cuTexRefSetBorderColor(r, nullptr));
    EXPECT_STATUS(invalid_value, cuTexRefGetFlags(nullptr, r));
    EXPECT_STATUS(invalid_value, cuTexRefGetFilterMode(nullptr, r));
    EXPECT_OK(cuTexRefDestroy(r));
    ASSERT_OK(cuTexRefCreate(&r));
    EXPECT_OK(cuTexRefSetArray(r, array, 0));
    EXPECT_OK(cuTexRefDestroy(r));
}

TEST_F(References, NothingIsNoReference) {
    int value = 0;
    EXPECT_STATUS(invalid_value, cuTexRefCreate(nullptr));
    EXPECT_STATUS(invalid_handle, cuTexRefDestroy(nullptr));
    EXPECT_STATUS(invalid_handle, cuTexRefSetFilterMode(nullptr, 0));
    EXPECT_STATUS(invalid_handle, cuTexRefGetFilterMode(&value, nullptr));
    EXPECT_STATUS(invalid_handle, cuTexRefSetArray(nullptr, array, CU_TRSA_OVERRIDE_FORMAT));
    EXPECT_STATUS(invalid_handle, cuSurfRefSetArray(nullptr, array, 0));
}

TEST_F(References, UnboundOnesReadZero) {
    load_unified();
    EXPECT_EQ(number("sample"), 0);
    CUtexref image = nullptr;
    ASSERT_OK(cuModuleGetTexRef(&image, module, "image"));
    ASSERT_OK(cuTexRefSetArray(image, array, CU_TRSA_OVERRIDE_FORMAT));
    EXPECT_EQ(number("sample"), texel(2, 1));
}

// Texture and sampler apart: how it is sampled is the sampler's to say. PTX ISA 5.3; NVIDIA's driver (580) refuses such
// modules with 500.
TEST_F(References, IndependentSamplers) {
    const std::string variables =
        ".global .texref image;\n.global .samplerref nearest = { addr_mode_0 = wrap, addr_mode_1 = clamp_to_edge, "
        "filter_mode = nearest };\n.global .samplerref smooth = { addr_mode_0 = clamp_to_border, addr_mode_1 = "
        "clamp_to_border, filter_mode = linear };\n";
    const std::string kernels =
        kernel("nearest_", "tex.2d.v4.f32.f32 {%f1,%f2,%f3,%f4}, [image, nearest, {%f5, %f6}]; mov.b32 %r1, %f1;") +
        kernel("smooth_", "tex.2d.v4.f32.f32 {%f1,%f2,%f3,%f4}, [image, smooth, {%f5, %f6}]; mov.b32 %r1, %f1;") +
        kernel("kinds", "mov.u64 %rd2, nearest; istypep.samplerref %p, %rd2; selp.u32 %r1, 1, 0, %p; istypep.texref %p, "
                        "%rd2; selp.u32 %r2, 1, 0, %p;");
    ASSERT_OK(load(module_of("sm_80, texmode_independent", variables, kernels)));
    CUtexref image = nullptr;
    ASSERT_OK(cuModuleGetTexRef(&image, module, "image"));
    ASSERT_OK(cuTexRefSetArray(image, array, CU_TRSA_OVERRIDE_FORMAT));
    EXPECT_EQ(number("nearest_"), texel(2, 1));
    EXPECT_EQ(number("smooth_"), (texel(2, 1) * 3 + texel(2, 2)) / 4);
    EXPECT_EQ(words("kinds"), (std::array<unsigned, 4>{1, 0, 0, 0}));
}

TEST_F(References, SamplerQueriesOfIndependentMode) {
    const std::string variables =
        ".global .texref image;\n.global .samplerref s = { addr_mode_0 = wrap, addr_mode_1 = mirror, addr_mode_2 = "
        "clamp_to_border, filter_mode = linear };\n";
    const std::string kernels =
        kernel("ask", "txq.filter_mode.b32 %r1, [s]; txq.addr_mode_0.b32 %r2, [s]; txq.addr_mode_1.b32 %r3, [s]; "
                      "txq.addr_mode_2.b32 %r4, [s];");
    ASSERT_OK(load(module_of("sm_80, texmode_independent", variables, kernels)));
    EXPECT_EQ(words("ask"), (std::array<unsigned, 4>{1, 0, 1, 4}));
}

// A query of each property; the numbers are those of PTX ISA 5.3 and 9.7.10.5. NVIDIA's driver (580) makes code for
// width, height and depth only.
TEST_F(References, Queries) {
    struct Row {
        const char* instruction;
        unsigned value;
    };
    const Row rows[] = {{"txq.width.b32 %r1, [image]", 16},
                        {"txq.height.b32 %r1, [image]", 8},
                        {"txq.depth.b32 %r1, [image]", 0},
                        {"txq.channel_data_type.b32 %r1, [image]", 0x10de},
                        {"txq.channel_order.b32 %r1, [image]", 0x10b0},
                        {"txq.normalized_coords.b32 %r1, [image]", 0},
                        {"txq.array_size.b32 %r1, [image]", 0},
                        {"txq.num_mipmap_levels.b32 %r1, [image]", 1},
                        {"txq.num_samples.b32 %r1, [image]", 1},
                        {"txq.filter_mode.b32 %r1, [image]", 0},
                        {"txq.addr_mode_0.b32 %r1, [image]", 3},
                        {"txq.addr_mode_1.b32 %r1, [image]", 3},
                        {"txq.addr_mode_2.b32 %r1, [image]", 3},
                        {"suq.width.b32 %r1, [plane]", 16},
                        {"suq.height.b32 %r1, [plane]", 8},
                        {"suq.depth.b32 %r1, [plane]", 0},
                        {"suq.channel_data_type.b32 %r1, [plane]", 0x10de},
                        {"suq.channel_order.b32 %r1, [plane]", 0x10b0},
                        {"suq.array_size.b32 %r1, [plane]", 0},
                        {"suq.memory_layout.b32 %r1, [plane]", 0}};
    for (const Row& row : rows) {
        if (const int status = load(module_of("sm_80", unified_variables, kernel("ask", std::string(row.instruction) + ";")))) {
            ADD_FAILURE() << row.instruction << ": " << status;
            continue;
        }
        CUtexref image = nullptr;
        CUsurfref plane = nullptr;
        if (row.instruction[0] == 't') {
            ASSERT_OK(cuModuleGetTexRef(&image, module, "image"));
            ASSERT_OK(cuTexRefSetArray(image, array, CU_TRSA_OVERRIDE_FORMAT));
        } else {
            ASSERT_OK(cuModuleGetSurfRef(&plane, module, "plane"));
            ASSERT_OK(cuSurfRefSetArray(plane, array, 0));
        }
        EXPECT_EQ(words("ask")[0], row.value) << row.instruction;
        EXPECT_OK(cuModuleUnload(module));
        module = nullptr;
    }
}

TEST_F(References, MipmappedArrays) {
    const std::string kernels = kernel("level", "mov.f32 %f7, 0f3F800000; mov.f32 %f5, 0f3E000000; mov.f32 %f6, 0f3E000000; "
                                                "tex.level.2d.v4.f32.f32 {%f1,%f2,%f3,%f4}, [image, {%f5, %f6}], %f7; "
                                                "mov.b32 %r1, %f1;");
    ASSERT_OK(load(module_of("sm_80", unified_variables, kernels)));
    CUtexref image = nullptr;
    ASSERT_OK(cuModuleGetTexRef(&image, module, "image"));
    CUmipmappedArray mipmap = nullptr, bound = nullptr;
    const CUDA_ARRAY3D_DESCRIPTOR d{16, 8, 0, CU_AD_FORMAT_FLOAT, 1, 0};
    ASSERT_OK(cuMipmappedArrayCreate(&mipmap, &d, 2));
    CUarray level = nullptr;
    ASSERT_OK(cuMipmappedArrayGetLevel(&level, mipmap, 1));
    const std::array<float, 8> row{1, 2, 3, 4, 5, 6, 7, 8};
    ASSERT_OK(cuMemcpyHtoA_v2(level, 0, row.data(), sizeof row));
    EXPECT_OK(cuTexRefSetFlags(image, CU_TRSF_NORMALIZED_COORDINATES));
    EXPECT_OK(cuTexRefSetMipmapLevelClamp(image, 0, 8));
    ASSERT_OK(cuTexRefSetMipmappedArray(image, mipmap, CU_TRSA_OVERRIDE_FORMAT));
    EXPECT_OK(cuTexRefGetMipmappedArray(&bound, image));
    EXPECT_EQ(bound, mipmap);
    EXPECT_EQ(number("level"), 2);
    EXPECT_OK(cuMipmappedArrayDestroy(mipmap));
}
