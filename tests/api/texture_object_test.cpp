// cuTexObject* and cuSurfObject*: descriptions come back as they were given; what is refused, and how, is an H100's
// (driver 580) answer.
#include "driver_fixture.h"

#include <functional>
#include <vector>

using namespace shim;

namespace {

class TextureObjects : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        const CUDA_ARRAY3D_DESCRIPTOR d{16, 8, 0, CU_AD_FORMAT_FLOAT, 1, CUDA_ARRAY3D_SURFACE_LDST};
        ASSERT_OK(cuArray3DCreate_v2(&array, &d));
        ASSERT_OK(cuMipmappedArrayCreate(&mipmap, &d, 3));
        ASSERT_OK(cuMemAlloc_v2(&memory, 1 << 16));
        of_array.resType = CU_RESOURCE_TYPE_ARRAY;
        of_array.res.array.hArray = array;
        of_mipmap.resType = CU_RESOURCE_TYPE_MIPMAPPED_ARRAY;
        of_mipmap.res.mipmap.hMipmappedArray = mipmap;
        of_memory.resType = CU_RESOURCE_TYPE_LINEAR;
        of_memory.res.linear = {memory, CU_AD_FORMAT_FLOAT, 1, 1024};
        of_rows.resType = CU_RESOURCE_TYPE_PITCH2D;
        of_rows.res.pitch2D = {memory, CU_AD_FORMAT_FLOAT, 1, 16, 8, 64};
        for (int& mode : how.addressMode) mode = 1;
        view.format = 0x16; // one 32-bit float
        view.width = 16, view.height = 8;
    }
    void TearDown() override {
        EXPECT_OK(cuArrayDestroy(array));
        EXPECT_OK(cuMipmappedArrayDestroy(mipmap));
        EXPECT_OK(cuMemFree_v2(memory));
        Driver::TearDown();
    }

    int create(const CUDA_RESOURCE_DESC& resource, const CUDA_TEXTURE_DESC& texture,
               const CUDA_RESOURCE_VIEW_DESC* of = nullptr) {
        CUtexObject object = 0;
        const int status = cuTexObjectCreate(&object, &resource, &texture, of);
        if (!status) {
            EXPECT_OK(cuTexObjectDestroy(object));
        }
        return status;
    }

    CUarray array = nullptr;
    CUmipmappedArray mipmap = nullptr;
    CUdeviceptr memory = 0;
    CUDA_RESOURCE_DESC of_array{}, of_mipmap{}, of_memory{}, of_rows{};
    CUDA_TEXTURE_DESC how{};
    CUDA_RESOURCE_VIEW_DESC view{};
};

} // namespace

TEST_F(TextureObjects, TellWhatTheyWereMadeOf) {
    how.flags = CU_TRSF_NORMALIZED_COORDINATES;
    how.filterMode = 1;
    how.maxAnisotropy = 4;
    how.mipmapLevelBias = 0.5f;
    how.maxMipmapLevelClamp = 2;
    CUtexObject object = 0;
    ASSERT_OK(cuTexObjectCreate(&object, &of_mipmap, &how, &view));
    CUDA_RESOURCE_DESC resource{};
    CUDA_TEXTURE_DESC texture{};
    CUDA_RESOURCE_VIEW_DESC seen{};
    EXPECT_OK(cuTexObjectGetResourceDesc(&resource, object));
    EXPECT_EQ(resource.resType, CU_RESOURCE_TYPE_MIPMAPPED_ARRAY);
    EXPECT_EQ(resource.res.mipmap.hMipmappedArray, mipmap);
    EXPECT_OK(cuTexObjectGetTextureDesc(&texture, object));
    EXPECT_EQ(texture.flags, how.flags);
    EXPECT_EQ(texture.filterMode, 1);
    EXPECT_EQ(texture.maxAnisotropy, 4u);
    EXPECT_EQ(texture.mipmapLevelBias, 0.5f);
    EXPECT_EQ(texture.maxMipmapLevelClamp, 2);
    EXPECT_OK(cuTexObjectGetResourceViewDesc(&seen, object));
    EXPECT_EQ(seen.format, 0x16);
    EXPECT_EQ(seen.width, 16u);
    EXPECT_EQ(seen.height, 8u);
    EXPECT_STATUS(invalid_value, cuTexObjectGetResourceDesc(nullptr, object));
    EXPECT_STATUS(invalid_value, cuTexObjectGetTextureDesc(nullptr, object));
    EXPECT_STATUS(invalid_value, cuTexObjectGetResourceViewDesc(nullptr, object));
    EXPECT_OK(cuTexObjectDestroy(object));
    EXPECT_STATUS(invalid_value, cuTexObjectGetResourceDesc(&resource, 0));
    EXPECT_STATUS(invalid_value, cuTexObjectGetTextureDesc(&texture, 0));
    EXPECT_STATUS(invalid_value, cuTexObjectGetResourceViewDesc(&seen, 0));
}

TEST_F(TextureObjects, AreDestroyedTwiceWithoutHarm) {
    CUtexObject object = 0;
    ASSERT_OK(cuTexObjectCreate(&object, &of_array, &how, nullptr));
    EXPECT_OK(cuTexObjectDestroy(object));
    EXPECT_OK(cuTexObjectDestroy(object));
    EXPECT_OK(cuTexObjectDestroy(0));
}

TEST_F(TextureObjects, NeedAllThreeArguments) {
    CUtexObject object = 0;
    EXPECT_STATUS(invalid_value, cuTexObjectCreate(nullptr, &of_array, &how, nullptr));
    EXPECT_STATUS(invalid_value, cuTexObjectCreate(&object, nullptr, &how, nullptr));
    EXPECT_STATUS(invalid_value, cuTexObjectCreate(&object, &of_array, nullptr, nullptr));
}

TEST_F(TextureObjects, Resources) {
    EXPECT_OK(create(of_array, how));
    EXPECT_OK(create(of_mipmap, how));
    EXPECT_OK(create(of_memory, how));
    EXPECT_OK(create(of_rows, how));
    CUDA_RESOURCE_DESC bad = of_array;
    bad.resType = 4;
    EXPECT_STATUS(invalid_value, create(bad, how));
    bad = of_array;
    bad.flags = 1;
    EXPECT_STATUS(invalid_value, create(bad, how));
    bad = of_array;
    bad.res.array.hArray = nullptr;
    EXPECT_STATUS(invalid_value, create(bad, how));
    bad = of_mipmap;
    bad.res.mipmap.hMipmappedArray = nullptr;
    EXPECT_STATUS(invalid_value, create(bad, how));
}

TEST_F(TextureObjects, LinearMemory) {
    const auto with = [&](auto change) {
        CUDA_RESOURCE_DESC resource = of_memory;
        change(resource.res.linear);
        return create(resource, how);
    };
    EXPECT_STATUS(invalid_value, with([](auto& r) { r.devPtr = 0; }));
    EXPECT_STATUS(invalid_value, with([](auto& r) { r.devPtr += 4; }));
    EXPECT_STATUS(invalid_value, with([](auto& r) { r.devPtr += 256; }));
    EXPECT_OK(with([](auto& r) { r.devPtr += 512; }));
    EXPECT_STATUS(invalid_value, with([](auto& r) { r.format = 0; }));
    EXPECT_STATUS(invalid_value, with([](auto& r) { r.numChannels = 3; }));
    EXPECT_OK(with([](auto& r) { r.sizeInBytes = 0; }));
    EXPECT_OK(with([](auto& r) { r.sizeInBytes = 1022; }));
    EXPECT_OK(with([](auto& r) { r.sizeInBytes = (size_t{1} << 30) + 4; })); // more than the attribute says
}

TEST_F(TextureObjects, PitchedMemory) {
    const auto with = [&](auto change) {
        CUDA_RESOURCE_DESC resource = of_rows;
        change(resource.res.pitch2D);
        return create(resource, how);
    };
    EXPECT_STATUS(invalid_value, with([](auto& r) { r.devPtr = 0; }));
    EXPECT_STATUS(invalid_value, with([](auto& r) { r.devPtr += 256; }));
    EXPECT_OK(with([](auto& r) { r.pitchInBytes = 96; }));
    EXPECT_STATUS(invalid_value, with([](auto& r) { r.pitchInBytes = 80; }));
    EXPECT_STATUS(invalid_value, with([](auto& r) { r.pitchInBytes = 1 << 21; }));
    EXPECT_OK(with([](auto& r) { r.pitchInBytes = 32; })); // rows overlap
    EXPECT_STATUS(invalid_value, with([](auto& r) { r.width = 131073; }));
    EXPECT_STATUS(invalid_value, with([](auto& r) { r.height = 65001; }));
    EXPECT_OK(with([](auto& r) { r.height = 0; }));
    EXPECT_OK(with([](auto& r) { r.width = 0; }));
    EXPECT_STATUS(invalid_value, with([](auto& r) { r.numChannels = 3; }));
    EXPECT_STATUS(invalid_value, with([](auto& r) { r.format = 0x40; }));
}

TEST_F(TextureObjects, Sampling) {
    const auto with = [&](auto change, bool levels = false) {
        CUDA_TEXTURE_DESC texture = how;
        change(texture);
        return create(levels ? of_mipmap : of_array, texture);
    };
    for (unsigned flags : {1u, 2u, 3u, 0x10u, 0x20u, 0x3fu})
        EXPECT_OK(with([&](auto& t) { t.flags = flags; })) << flags;
    for (unsigned flags : {0x40u, 0x7fu, 0x80u, 0x1000u}) EXPECT_STATUS(invalid_value, with([&](auto& t) { t.flags = flags; })) << flags;
    for (int mode : {-1, 4}) {
        for (int axis : {0, 1}) EXPECT_STATUS(invalid_value, with([&](auto& t) { t.addressMode[axis] = mode; })) << mode;
        EXPECT_OK(with([&](auto& t) { t.addressMode[2] = mode; })) << mode;
    }
    for (int mode : {-1, 2}) EXPECT_STATUS(invalid_value, with([&](auto& t) { t.filterMode = mode; })) << mode;
    for (int mode : {-1, 2}) EXPECT_STATUS(invalid_value, with([&](auto& t) { t.mipmapFilterMode = mode; })) << mode;
    for (unsigned most : {0u, 1u, 3u, 16u, 17u, 1000u}) EXPECT_OK(with([&](auto& t) { t.maxAnisotropy = most; })) << most;
    EXPECT_OK(with([](auto& t) { t.mipmapLevelBias = 1000; }, true));
    EXPECT_OK(with([](auto& t) { t.minMipmapLevelClamp = 5, t.maxMipmapLevelClamp = 2; }, true));
    EXPECT_OK(with([](auto& t) { t.minMipmapLevelClamp = -5; }, true));
}

TEST_F(TextureObjects, FiltersOnlyWhatIsReadAsFloats) {
    CUDA_RESOURCE_DESC resource{};
    resource.resType = CU_RESOURCE_TYPE_ARRAY;
    const CUDA_ARRAY3D_DESCRIPTOR d{16, 8, 0, CU_AD_FORMAT_UNSIGNED_INT32, 1, 0};
    ASSERT_OK(cuArray3DCreate_v2(&resource.res.array.hArray, &d));
    how.filterMode = 1;
    EXPECT_OK(create(resource, how));
    how.flags = CU_TRSF_READ_AS_INTEGER;
    EXPECT_OK(create(resource, how));
    EXPECT_OK(cuArrayDestroy(resource.res.array.hArray));
}

TEST_F(TextureObjects, Views) {
    const auto with = [&](auto change, bool levels = false) {
        CUDA_RESOURCE_VIEW_DESC changed = view;
        change(changed);
        return create(levels ? of_mipmap : of_array, how, &changed);
    };
    EXPECT_OK(with([](auto&) {}));
    for (int format : {0x03, 0x06, 0x08, 0x0b, 0x0d, 0x10, 0x14, 0x16}) // 32 bits each
        EXPECT_OK(with([&](auto& v) { v.format = format; })) << format;
    for (int format : {-1, 0, 0x01, 0x02, 0x07, 0x0e, 0x15, 0x17, 0x18, 0x23})
        EXPECT_STATUS(invalid_value, with([&](auto& v) { v.format = format; })) << format;
    EXPECT_STATUS(invalid_value, with([](auto& v) { v.width = 8; }));
    EXPECT_STATUS(invalid_value, with([](auto& v) { v.height = 4; }));
    EXPECT_STATUS(invalid_value, with([](auto& v) { v.depth = 2; }));
    EXPECT_STATUS(invalid_value, with([](auto& v) { v.lastMipmapLevel = 1; }));
    EXPECT_STATUS(invalid_value, with([](auto& v) { v.lastLayer = 1; }));
    EXPECT_OK(with([](auto& v) { v.firstMipmapLevel = 1, v.lastMipmapLevel = 2; }, true));
    EXPECT_STATUS(invalid_value, with([](auto& v) { v.firstMipmapLevel = 2, v.lastMipmapLevel = 1; }, true));
    EXPECT_OK(with([](auto& v) { v.lastMipmapLevel = 3; }, true));
    // Memory has no views; one is ignored.
    EXPECT_OK(create(of_memory, how, &view));
}

TEST_F(TextureObjects, SurfacesAreArrays) {
    CUsurfObject object = 0;
    ASSERT_OK(cuSurfObjectCreate(&object, &of_array));
    CUDA_RESOURCE_DESC resource{};
    EXPECT_OK(cuSurfObjectGetResourceDesc(&resource, object));
    EXPECT_EQ(resource.resType, CU_RESOURCE_TYPE_ARRAY);
    EXPECT_EQ(resource.res.array.hArray, array);
    EXPECT_OK(cuSurfObjectDestroy(object));
    EXPECT_OK(cuSurfObjectDestroy(0));
    EXPECT_STATUS(invalid_value, cuSurfObjectGetResourceDesc(&resource, 0));
    EXPECT_STATUS(invalid_value, cuSurfObjectCreate(&object, &of_mipmap));
    EXPECT_STATUS(invalid_value, cuSurfObjectCreate(&object, &of_memory));
    EXPECT_STATUS(invalid_value, cuSurfObjectCreate(&object, &of_rows));
}

// An H100's driver crashes on some of these.
TEST_F(TextureObjects, SurfacesOfNothing) {
    CUsurfObject object = 0;
    EXPECT_STATUS(invalid_value, cuSurfObjectGetResourceDesc(nullptr, object));
    EXPECT_STATUS(invalid_value, cuSurfObjectCreate(nullptr, &of_array));
    EXPECT_STATUS(invalid_value, cuSurfObjectCreate(&object, nullptr));
}

// An array without CUDA_ARRAY3D_SURFACE_LDST.
TEST_F(TextureObjects, SurfacesOfPlainArrays) {
    CUDA_RESOURCE_DESC resource = of_array;
    const CUDA_ARRAY3D_DESCRIPTOR d{16, 8, 0, CU_AD_FORMAT_FLOAT, 1, 0};
    ASSERT_OK(cuArray3DCreate_v2(&resource.res.array.hArray, &d));
    CUsurfObject object = 0;
    EXPECT_OK(cuSurfObjectCreate(&object, &resource));
    EXPECT_OK(cuSurfObjectDestroy(object));
    EXPECT_OK(cuArrayDestroy(resource.res.array.hArray));
}
