// cuArray* and cuMipmappedArray*: what is accepted, what is refused and how, as an H100 (driver 580) does it.
#include "driver_fixture.h"

#include <array>
#include <functional>
#include <vector>

using namespace shim;

namespace {

using Arrays = Driver;

CUDA_ARRAY3D_DESCRIPTOR shape(size_t width, size_t height, size_t depth, int format = CU_AD_FORMAT_FLOAT,
                              unsigned channels = 1, unsigned flags = 0) {
    return {width, height, depth, format, channels, flags};
}

struct Row {
    CUDA_ARRAY3D_DESCRIPTOR shape;
    int status;
};

void check(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        CUarray array = nullptr;
        const CUDA_ARRAY3D_DESCRIPTOR& s = row.shape;
        EXPECT_EQ(cuArray3DCreate_v2(&array, &s), row.status)
            << s.Width << " x " << s.Height << " x " << s.Depth << ", format " << s.Format << ", " << s.NumChannels
            << " channels, flags " << s.Flags;
        if (array) {
            EXPECT_OK(cuArrayDestroy(array));
        }
    }
}

constexpr unsigned layered = CUDA_ARRAY3D_LAYERED, cubemap = CUDA_ARRAY3D_CUBEMAP, gather = CUDA_ARRAY3D_TEXTURE_GATHER,
                   surface = CUDA_ARRAY3D_SURFACE_LDST;

} // namespace

TEST_F(Arrays, Formats) {
    for (int format : {0x01, 0x02, 0x03, 0x08, 0x09, 0x0a, 0x10, 0x20}) {
        check({{shape(8, 4, 0, format, 1), 0}, {shape(8, 4, 0, format, 2), 0}, {shape(8, 4, 0, format, 4), 0}});
        check({{shape(8, 4, 0, format, 0), 1}, {shape(8, 4, 0, format, 3), 1}, {shape(8, 4, 0, format, 5), 1}});
    }
    for (int format = 0xc0; format <= 0xcb; ++format) {
        constexpr unsigned channels[] = {1, 2, 4};
        for (unsigned count : channels)
            check({{shape(8, 4, 0, format, count), count == channels[(format - 0xc0) % 3] ? 0 : 1}});
    }
    for (int format : {-1, 0, 4, 7, 0x0b, 0x11, 0x30, 0xff, 0x10000}) check({{shape(8, 4, 0, format), 1}});
}

TEST_F(Arrays, Sizes) {
    check({{shape(0, 0, 0), 1},
           {shape(0, 4, 0), 1},
           {shape(1, 0, 0), 0},
           {shape(131072, 0, 0), 0},
           {shape(131073, 0, 0), 1},
           {shape(131072, 2, 0), 0},
           {shape(2, 65536, 0), 0},
           {shape(2, 65537, 0), 1},
           {shape(2, 0, 2), 1},
           {shape(16384, 2, 2), 0},
           {shape(16385, 2, 2), 1},
           {shape(2, 16384, 2), 0},
           {shape(2, 16385, 2), 1},
           {shape(2, 2, 16384), 0},
           {shape(2, 2, 32768), 0},
           {shape(2, 2, 32769), 1}});
}

TEST_F(Arrays, Layers) {
    check({{shape(8, 0, 3, CU_AD_FORMAT_FLOAT, 1, layered), 0},
           {shape(8, 4, 3, CU_AD_FORMAT_FLOAT, 1, layered), 0},
           {shape(8, 4, 0, CU_AD_FORMAT_FLOAT, 1, layered), 1},
           {shape(2, 2, 2048, CU_AD_FORMAT_FLOAT, 1, layered), 0},
           {shape(2, 2, 2049, CU_AD_FORMAT_FLOAT, 1, layered), 1},
           {shape(32768, 2, 1, CU_AD_FORMAT_FLOAT, 1, layered), 0},
           {shape(32769, 2, 1, CU_AD_FORMAT_FLOAT, 1, layered), 1},
           {shape(2, 32769, 1, CU_AD_FORMAT_FLOAT, 1, layered), 1}});
}

TEST_F(Arrays, Cubes) {
    check({{shape(8, 8, 6, CU_AD_FORMAT_FLOAT, 1, cubemap), 0},
           {shape(8, 4, 6, CU_AD_FORMAT_FLOAT, 1, cubemap), 1},
           {shape(8, 8, 5, CU_AD_FORMAT_FLOAT, 1, cubemap), 1},
           {shape(8, 8, 12, CU_AD_FORMAT_FLOAT, 1, cubemap), 1},
           {shape(8, 8, 12, CU_AD_FORMAT_FLOAT, 1, cubemap | layered), 0},
           {shape(8, 8, 13, CU_AD_FORMAT_FLOAT, 1, cubemap | layered), 1},
           {shape(8, 8, 0, CU_AD_FORMAT_FLOAT, 1, cubemap | layered), 1}});
}

TEST_F(Arrays, Flags) {
    check({{shape(8, 8, 0, CU_AD_FORMAT_FLOAT, 1, surface), 0},
           {shape(8, 8, 0, CU_AD_FORMAT_FLOAT, 1, gather), 0},
           {shape(8, 0, 0, CU_AD_FORMAT_FLOAT, 1, gather), 1},
           {shape(8, 8, 8, CU_AD_FORMAT_FLOAT, 1, gather), 1},
           {shape(8, 8, 0, CU_AD_FORMAT_FLOAT, 1, 1u << 20), 1}});
}

TEST_F(Arrays, NothingGiven) {
    const CUDA_ARRAY3D_DESCRIPTOR good = shape(8, 4, 0);
    const CUDA_ARRAY_DESCRIPTOR flat{8, 4, CU_AD_FORMAT_FLOAT, 1};
    CUarray array = nullptr;
    EXPECT_STATUS(invalid_value, cuArray3DCreate_v2(nullptr, &good));
    EXPECT_STATUS(invalid_value, cuArray3DCreate_v2(&array, nullptr));
    EXPECT_STATUS(invalid_value, cuArrayCreate_v2(nullptr, &flat));
    EXPECT_STATUS(invalid_value, cuArrayCreate_v2(&array, nullptr));
    EXPECT_STATUS(invalid_handle, cuArrayDestroy(nullptr));
    CUDA_ARRAY3D_DESCRIPTOR d{};
    CUDA_ARRAY_DESCRIPTOR f{};
    EXPECT_STATUS(invalid_handle, cuArray3DGetDescriptor_v2(&d, nullptr));
    EXPECT_STATUS(invalid_handle, cuArrayGetDescriptor_v2(&f, nullptr));
    ASSERT_OK(cuArray3DCreate_v2(&array, &good));
    EXPECT_STATUS(invalid_value, cuArray3DGetDescriptor_v2(nullptr, array));
    EXPECT_STATUS(invalid_value, cuArrayGetDescriptor_v2(nullptr, array));
    EXPECT_OK(cuArrayDestroy(array));
}

TEST_F(Arrays, TellTheirShape) {
    CUarray array = nullptr;
    const CUDA_ARRAY3D_DESCRIPTOR asked = shape(12, 10, 3, CU_AD_FORMAT_HALF, 2, layered | surface);
    ASSERT_OK(cuArray3DCreate_v2(&array, &asked));
    CUDA_ARRAY3D_DESCRIPTOR d{};
    ASSERT_OK(cuArray3DGetDescriptor_v2(&d, array));
    EXPECT_EQ(std::tie(d.Width, d.Height, d.Depth, d.Format, d.NumChannels, d.Flags),
              std::tie(asked.Width, asked.Height, asked.Depth, asked.Format, asked.NumChannels, asked.Flags));
    CUDA_ARRAY_DESCRIPTOR f{};
    EXPECT_OK(cuArrayGetDescriptor_v2(&f, array));
    EXPECT_EQ(f.Width, 12u);
    EXPECT_EQ(f.Height, 10u);
    EXPECT_EQ(f.NumChannels, 2u);
    EXPECT_OK(cuArrayDestroy(array));
    const CUDA_ARRAY_DESCRIPTOR flat{7, 0, CU_AD_FORMAT_UNSIGNED_INT8, 4};
    ASSERT_OK(cuArrayCreate_v2(&array, &flat));
    ASSERT_OK(cuArray3DGetDescriptor_v2(&d, array));
    EXPECT_EQ(d.Width, 7u);
    EXPECT_EQ(d.Height, 0u);
    EXPECT_EQ(d.Depth, 0u);
    EXPECT_EQ(d.Flags, 0u);
    EXPECT_OK(cuArrayDestroy(array));
}

TEST_F(Arrays, HavePropertiesOnlyWhereTheyAreSparseOrPlanar) {
    CUarray array = nullptr, plane = nullptr;
    const CUDA_ARRAY3D_DESCRIPTOR asked = shape(12, 10, 0);
    ASSERT_OK(cuArray3DCreate_v2(&array, &asked));
    CUDA_ARRAY_SPARSE_PROPERTIES sparse{};
    CUDA_ARRAY_MEMORY_REQUIREMENTS needs{};
    EXPECT_STATUS(invalid_value, cuArrayGetPlane(&plane, array, 0));
    EXPECT_STATUS(invalid_value, cuArrayGetSparseProperties(&sparse, array));
    EXPECT_STATUS(invalid_value, cuArrayGetMemoryRequirements(&needs, array, 0));
    EXPECT_STATUS(invalid_value, cuArrayGetSparseProperties(nullptr, array));
    EXPECT_STATUS(invalid_value, cuArrayGetMemoryRequirements(nullptr, array, 0));
    EXPECT_OK(cuArrayDestroy(array));
    CUmipmappedArray mipmap = nullptr;
    ASSERT_OK(cuMipmappedArrayCreate(&mipmap, &asked, 2));
    EXPECT_STATUS(invalid_value, cuMipmappedArrayGetSparseProperties(&sparse, mipmap));
    EXPECT_STATUS(invalid_value, cuMipmappedArrayGetMemoryRequirements(&needs, mipmap, 0));
    EXPECT_OK(cuMipmappedArrayDestroy(mipmap));
}

TEST_F(Arrays, LevelsAreHalfAsLargeEach) {
    CUmipmappedArray mipmap = nullptr;
    const CUDA_ARRAY3D_DESCRIPTOR asked = shape(20, 9, 0, CU_AD_FORMAT_FLOAT, 1);
    ASSERT_OK(cuMipmappedArrayCreate(&mipmap, &asked, 100)); // no more than five are there
    const std::array<std::array<size_t, 2>, 5> sizes{{{20, 9}, {10, 4}, {5, 2}, {2, 1}, {1, 1}}};
    CUarray level = nullptr;
    for (unsigned k = 0; k < sizes.size(); ++k) {
        ASSERT_OK(cuMipmappedArrayGetLevel(&level, mipmap, k)) << k;
        CUDA_ARRAY3D_DESCRIPTOR d{};
        ASSERT_OK(cuArray3DGetDescriptor_v2(&d, level));
        EXPECT_EQ(d.Width, sizes[k][0]) << k;
        EXPECT_EQ(d.Height, sizes[k][1]) << k;
    }
    EXPECT_STATUS(invalid_value, cuMipmappedArrayGetLevel(&level, mipmap, 5));
    EXPECT_STATUS(invalid_value, cuMipmappedArrayGetLevel(nullptr, mipmap, 0));
    EXPECT_OK(cuMipmappedArrayDestroy(mipmap));
    EXPECT_STATUS(invalid_value, cuMipmappedArrayCreate(nullptr, &asked, 1));
    EXPECT_STATUS(invalid_value, cuMipmappedArrayCreate(&mipmap, nullptr, 1));
    EXPECT_STATUS(invalid_handle, cuMipmappedArrayDestroy(nullptr));
    EXPECT_STATUS(invalid_handle, cuMipmappedArrayGetLevel(&level, nullptr, 0));
}

TEST_F(Arrays, MipmapsTakeAnyNumberOfLevels) {
    const CUDA_ARRAY3D_DESCRIPTOR asked = shape(20, 9, 0);
    for (unsigned count : {0u, 1u, 5u, 6u}) {
        CUmipmappedArray mipmap = nullptr;
        EXPECT_OK(cuMipmappedArrayCreate(&mipmap, &asked, count)) << count;
        if (!mipmap) continue;
        CUarray level = nullptr;
        EXPECT_OK(cuMipmappedArrayGetLevel(&level, mipmap, 0)) << count;
        EXPECT_OK(cuMipmappedArrayDestroy(mipmap));
    }
    const CUDA_ARRAY3D_DESCRIPTOR bad = shape(0, 9, 0);
    CUmipmappedArray mipmap = nullptr;
    EXPECT_STATUS(invalid_value, cuMipmappedArrayCreate(&mipmap, &bad, 1));
}

TEST_F(Arrays, CopiesStayWithinARow) {
    CUarray array = nullptr;
    const CUDA_ARRAY3D_DESCRIPTOR asked = shape(16, 4, 0);
    ASSERT_OK(cuArray3DCreate_v2(&array, &asked));
    std::array<float, 16> from{}, to{};
    for (size_t k = 0; k < from.size(); ++k) from[k] = float(k) + 0.5f;
    EXPECT_OK(cuMemcpyHtoA_v2(array, 0, from.data(), sizeof from));
    EXPECT_OK(cuMemcpyHtoA_v2(array, 16, from.data(), 16));
    EXPECT_OK(cuMemcpyAtoH_v2(to.data(), array, 0, sizeof to));
    EXPECT_EQ(to[3], 3.5f);
    EXPECT_EQ(to[4], 0.5f);
    EXPECT_EQ(to[8], 8.5f);
    EXPECT_STATUS(invalid_value, cuMemcpyHtoA_v2(array, 16, from.data(), sizeof from));
    EXPECT_OK(cuMemcpyAtoH_v2(to.data(), array, 65, 0));
    EXPECT_STATUS(invalid_value, cuMemcpyHtoA_v2(array, 0, nullptr, 16));
    EXPECT_STATUS(invalid_value, cuMemcpyHtoA_v2(nullptr, 0, from.data(), 16));
    EXPECT_OK(cuArrayDestroy(array));
}
