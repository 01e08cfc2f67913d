#include "sweep_case.h"

#include "api/exports.h"

#include <algorithm>
#include <cstring>

namespace sweep {
namespace {

using namespace shim;

/// The first call that fails ends a case: its status is the result.
struct Failed {
    CUresult status;
};

void check(CUresult status) {
    if (status) throw Failed{status};
}

struct Buffer {
    CUdeviceptr address = 0;
    explicit Buffer(size_t bytes) { check(cuMemAlloc_v2(&address, bytes)); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { cuMemFree_v2(address); }
};

/// A texture or surface made as the case says, with its memory.
class Texture {
  public:
    explicit Texture(const Case& c) : c_(c), surface_(c.opcode.starts_with("su")) {
        try {
            make();
        } catch (...) {
            destroy();
            throw;
        }
    }
    Texture(const Texture&) = delete;
    Texture& operator=(const Texture&) = delete;
    ~Texture() { destroy(); }
    CUtexObject handle() const { return handle_; }
    /// The array's texels, packed into words.
    std::vector<uint32_t> contents() {
        CUDA_ARRAY3D_DESCRIPTOR d = {};
        check(cuArray3DGetDescriptor_v2(&d, array_));
        CUDA_MEMCPY3D copy = {};
        copy.WidthInBytes = d.Width * d.NumChannels * channel_bytes(c_.format);
        copy.Height = std::max<size_t>(1, d.Height);
        copy.Depth = std::max<size_t>(1, d.Depth);
        std::vector<uint32_t> words((copy.WidthInBytes * copy.Height * copy.Depth + 3) / 4);
        copy.srcMemoryType = CU_MEMORYTYPE_ARRAY;
        copy.srcArray = array_;
        copy.dstMemoryType = CU_MEMORYTYPE_HOST;
        copy.dstHost = words.data();
        copy.dstPitch = copy.WidthInBytes;
        copy.dstHeight = copy.Height;
        check(cuMemcpy3D_v2(&copy));
        return words;
    }

  private:
    void make() {
        CUDA_RESOURCE_DESC resource = {};
        if (c_.geometry == Geometry::linear)
            linear(resource);
        else if (c_.geometry == Geometry::pitch2d)
            pitched(resource);
        else
            arrays(resource);
        if (surface_) return check(cuSurfObjectCreate(&handle_, &resource));
        CUDA_TEXTURE_DESC texture = {};
        std::copy_n(c_.address, 3, texture.addressMode);
        texture.filterMode = c_.filter;
        texture.mipmapFilterMode = c_.mip_filter;
        texture.flags = c_.flags;
        texture.maxAnisotropy = c_.anisotropy;
        texture.mipmapLevelBias = c_.bias;
        texture.minMipmapLevelClamp = c_.least_level;
        texture.maxMipmapLevelClamp = c_.most_level;
        std::copy_n(c_.border, 4, texture.borderColor);
        CUDA_RESOURCE_VIEW_DESC view = {};
        view.format = c_.view_format;
        view.width = c_.view_width ? c_.view_width : c_.width;
        view.height = c_.view_height ? c_.view_height : c_.height;
        view.depth = c_.view_depth;
        view.firstMipmapLevel = c_.first_level;
        view.lastMipmapLevel = c_.last_level;
        view.firstLayer = c_.first_layer;
        view.lastLayer = c_.last_layer;
        check(cuTexObjectCreate(&handle_, &resource, &texture, c_.view_format ? &view : nullptr));
    }

    void linear(CUDA_RESOURCE_DESC& resource) {
        const auto texels = texels_of(c_, 0);
        check(cuMemAlloc_v2(&memory_, texels.size()));
        check(cuMemcpyHtoD_v2(memory_, texels.data(), texels.size()));
        resource.resType = CU_RESOURCE_TYPE_LINEAR;
        resource.res.linear = {memory_, c_.format, c_.channels, texels.size()};
    }

    void pitched(CUDA_RESOURCE_DESC& resource) {
        const auto texels = texels_of(c_, 0);
        const size_t row = texels.size() / c_.height;
        size_t pitch = 0;
        check(cuMemAllocPitch_v2(&memory_, &pitch, row, c_.height, 16));
        for (unsigned y = 0; y < c_.height; ++y)
            check(cuMemcpyHtoD_v2(memory_ + y * pitch, texels.data() + y * row, row));
        resource.resType = CU_RESOURCE_TYPE_PITCH2D;
        resource.res.pitch2D = {memory_, c_.format, c_.channels, c_.width, c_.height, pitch};
    }

    void arrays(CUDA_RESOURCE_DESC& resource) {
        CUDA_ARRAY3D_DESCRIPTOR d = {};
        d.Width = c_.width;
        const bool flat = c_.geometry == Geometry::d1 || c_.geometry == Geometry::a1d;
        const bool deep = c_.geometry != Geometry::d1 && c_.geometry != Geometry::d2;
        d.Height = flat ? 0 : c_.height;
        d.Depth = deep ? c_.depth : 0;
        d.Format = c_.format;
        d.NumChannels = c_.channels;
        d.Flags = c_.array_flags;
        if (c_.geometry == Geometry::a1d || c_.geometry == Geometry::a2d || c_.geometry == Geometry::acube)
            d.Flags |= CUDA_ARRAY3D_LAYERED;
        if (c_.geometry == Geometry::cube || c_.geometry == Geometry::acube) d.Flags |= CUDA_ARRAY3D_CUBEMAP;
        if (surface_) d.Flags |= CUDA_ARRAY3D_SURFACE_LDST;
        if (c_.levels == 1) {
            check(cuArray3DCreate_v2(&array_, &d));
            fill(array_, 0);
            resource.resType = CU_RESOURCE_TYPE_ARRAY;
            resource.res.array.hArray = array_;
            return;
        }
        check(cuMipmappedArrayCreate(&mipmap_, &d, c_.levels));
        for (unsigned level = 0; level < c_.levels; ++level) {
            CUarray array = nullptr;
            check(cuMipmappedArrayGetLevel(&array, mipmap_, level));
            fill(array, level);
        }
        resource.resType = CU_RESOURCE_TYPE_MIPMAPPED_ARRAY;
        resource.res.mipmap.hMipmappedArray = mipmap_;
    }

    void fill(CUarray array, unsigned level) {
        CUDA_ARRAY3D_DESCRIPTOR d = {};
        check(cuArray3DGetDescriptor_v2(&d, array));
        const auto texels = texels_of(c_, level);
        CUDA_MEMCPY3D copy = {};
        copy.srcMemoryType = CU_MEMORYTYPE_HOST;
        copy.srcHost = texels.data();
        copy.dstMemoryType = CU_MEMORYTYPE_ARRAY;
        copy.dstArray = array;
        copy.WidthInBytes = d.Width * d.NumChannels * channel_bytes(c_.format);
        copy.Height = std::max<size_t>(1, d.Height);
        copy.Depth = std::max<size_t>(1, d.Depth);
        copy.srcPitch = copy.WidthInBytes;
        copy.srcHeight = copy.Height;
        check(cuMemcpy3D_v2(&copy));
    }

    void destroy() {
        if (handle_) (void)(surface_ ? cuSurfObjectDestroy(handle_) : cuTexObjectDestroy(handle_));
        if (array_) cuArrayDestroy(array_);
        if (mipmap_) cuMipmappedArrayDestroy(mipmap_);
        if (memory_) cuMemFree_v2(memory_);
    }

    const Case& c_;
    const bool surface_;
    CUtexObject handle_ = 0;
    CUarray array_ = nullptr;
    CUmipmappedArray mipmap_ = nullptr;
    CUdeviceptr memory_ = 0;
};

struct Module {
    CUmodule handle = nullptr;
    explicit Module(const std::string& text) { check(cuModuleLoadData(&handle, text.c_str())); }
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;
    ~Module() { cuModuleUnload(handle); }
};

std::vector<uint32_t> sample(const Case& c) {
    const Module module(ptx_of(c));
    CUfunction kernel = nullptr;
    check(cuModuleGetFunction(&kernel, module.handle, "sample"));
    Texture texture(c);
    const auto samples = samples_of(c);
    const Buffer places(samples.size() * sizeof(Sample)), results(samples.size() * 16);
    check(cuMemcpyHtoD_v2(places.address, samples.data(), samples.size() * sizeof(Sample)));
    CUtexObject handle = texture.handle();
    CUdeviceptr from = places.address, to = results.address;
    unsigned count = unsigned(samples.size());
    void* arguments[] = {&handle, &from, &to, &count};
    check(cuLaunchKernel(kernel, (count + 127) / 128, 1, 1, 128, 1, 1, 0, nullptr, arguments, nullptr));
    if (stores(c)) return texture.contents();
    std::vector<uint32_t> words(samples.size() * 4);
    check(cuMemcpyDtoH_v2(words.data(), to, words.size() * 4));
    return words;
}

} // namespace

Result run(const Case& c) {
    try {
        const auto words = sample(c);
        const unsigned kept = stores(c) ? 4 : c.words ? c.words : c.channels;
        Result result;
        for (size_t i = 0; i < words.size(); ++i)
            if (i % 4 < kept) result.words.push_back(words[i]);
        return result;
    } catch (const Failed& failed) {
        return {failed.status, {}};
    }
}

} // namespace sweep
