#include "driver/texture_reference.h"

#include "api/bodies.h"
#include "api/constants.h"
#include "driver/array.h"
#include "driver/handles.h"
#include "driver/texture_descriptor.h"
#include "rt/memory.h"
#include "rt/module.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

// Texture and surface references: variables of a module (.texref, .surfref) that hold the address of a descriptor. Each
// change makes a new descriptor when what was launched before is done.

namespace shim {
namespace {

constexpr size_t alignment = 512; // of a texture's address
constexpr unsigned known_flags = 0x7f;

/// A reference to a texture. CUtexref.
class TextureReference : public rt::HandleBase {
  public:
    static constexpr rt::HandleKind kind = rt::HandleKind::texture;

    /// `variable` 0: one that belongs to no module (cuTexRefCreate).
    TextureReference(rt::Context& context, uint64_t variable)
        : HandleBase(kind), context_(context), context_id_(context.id()), variable_(variable) {
        std::ranges::fill(texture.addressMode, CU_TR_ADDRESS_MODE_CLAMP);
    }
    ~TextureReference() {
        if (handle_) withdraw(context_, handle_);
    }

    bool is_of(rt::Context& context, uint64_t variable) const {
        return context.id() == context_id_ && variable == variable_;
    }

    CUDA_RESOURCE_DESC resource = {}; ///< what is bound, where `bound`
    CUDA_TEXTURE_DESC texture = {};
    bool bound = false;
    int format = CU_AD_FORMAT_FLOAT;
    int channels = 1;

    /// After a change. Throws what cuTexObjectCreate would.
    void renew() {
        if (!bound || !variable_) return;
        replace(texture_descriptor(resource, texture, nullptr));
    }

    void unbind() {
        bound = false;
        if (!variable_) return;
        context_.synchronize();
        set_variable(0);
    }

  private:
    void replace(const ptx::texture::Descriptor& d) {
        context_.synchronize();
        const uint64_t old = handle_;
        handle_ = publish(context_, d);
        set_variable(handle_);
        if (old) withdraw(context_, old);
    }

    void set_variable(uint64_t handle) { driver::cuMemcpyHtoD_v2(variable_, &handle, sizeof handle); }

    rt::Context& context_;
    const uint64_t context_id_, variable_;
    uint64_t handle_ = 0;
};

/// A reference to a surface. CUsurfref.
class SurfaceReference : public rt::HandleBase {
  public:
    static constexpr rt::HandleKind kind = rt::HandleKind::surface;

    SurfaceReference(rt::Context& context, uint64_t variable)
        : HandleBase(kind), context_(context), context_id_(context.id()), variable_(variable) {}
    ~SurfaceReference() {
        if (handle_) withdraw(context_, handle_);
    }

    bool is_of(rt::Context& context, uint64_t variable) const {
        return context.id() == context_id_ && variable == variable_;
    }

    CUarray array = nullptr;

    void bind(CUarray to) {
        CUDA_RESOURCE_DESC resource = {};
        resource.resType = CU_RESOURCE_TYPE_ARRAY;
        resource.res.array.hArray = to;
        const ptx::texture::Descriptor d = surface_descriptor(resource);
        context_.synchronize();
        const uint64_t old = handle_;
        handle_ = publish(context_, d);
        driver::cuMemcpyHtoD_v2(variable_, &handle_, sizeof handle_);
        if (old) withdraw(context_, old);
        array = to;
    }

  private:
    rt::Context& context_;
    const uint64_t context_id_, variable_;
    uint64_t handle_ = 0;
};

/// The references of modules, by module and name.
template <class Reference> class References {
  public:
    Reference& of(rt::Module& module, const char* name) {
        require_value(name && *name, "no name");
        const rt::Global variable = module.global(name);
        if (!variable.address) throw Error(Status::not_found, fmt::format("no reference {} in the module", name));
        const std::lock_guard lock(mutex_);
        std::unique_ptr<Reference>& reference = all_[{&module, name}];
        // A module that went with its context may have had this one's address.
        if (!reference || !reference->is_of(module.context(), variable.address))
            reference = std::make_unique<Reference>(module.context(), variable.address);
        return *reference;
    }

    void forget(rt::Module& module) {
        const std::lock_guard lock(mutex_);
        std::erase_if(all_, [&](const auto& entry) { return entry.first.first == &module; });
    }

  private:
    std::mutex mutex_;
    std::map<std::pair<rt::Module*, std::string>, std::unique_ptr<Reference>> all_;
};

References<TextureReference>& texture_references() {
    static auto* const all = new References<TextureReference>; // outlives every thread
    return *all;
}

References<SurfaceReference>& surface_references() {
    static auto* const all = new References<SurfaceReference>;
    return *all;
}

TextureReference& reference_of(CUtexref handle) {
    if (auto* object = rt::handle_cast<TextureReference>(handle)) return *object;
    throw Error(Status::invalid_handle, "no such texture reference");
}

SurfaceReference& reference_of(CUsurfref handle) {
    if (auto* object = rt::handle_cast<SurfaceReference>(handle)) return *object;
    throw Error(Status::invalid_handle, "no such surface reference");
}

/// Changes a reference's sampling; the old one stays when the new one is refused.
template <class Change> Status change(CUtexref handle, Change apply) {
    TextureReference& reference = reference_of(handle);
    const CUDA_TEXTURE_DESC before = reference.texture;
    apply(reference.texture);
    try {
        reference.renew();
    } catch (...) {
        reference.texture = before;
        throw;
    }
    return Status::success;
}

Status bind(TextureReference& reference, const CUDA_RESOURCE_DESC& resource) {
    (void)texture_descriptor(resource, reference.texture, nullptr); // refuses what cannot be bound
    reference.resource = resource;
    reference.bound = true;
    reference.renew();
    return Status::success;
}

} // namespace

void forget_references(rt::Module& module) {
    texture_references().forget(module);
    surface_references().forget(module);
}

Status driver::cuModuleGetTexRef(CUtexref* reference, CUmodule module, const char* name) {
    out(reference, "pTexRef") = handle<CUtexref>(texture_references().of(module_of(module), name));
    return Status::success;
}

Status driver::cuModuleGetSurfRef(CUsurfref* reference, CUmodule module, const char* name) {
    out(reference, "pSurfRef") = handle<CUsurfref>(surface_references().of(module_of(module), name));
    return Status::success;
}

Status driver::cuTexRefCreate(CUtexref* reference) {
    out(reference, "pTexRef") = handle<CUtexref>(*new TextureReference(rt::Context::current(), 0));
    return Status::success;
}

Status driver::cuTexRefDestroy(CUtexref reference) {
    delete &reference_of(reference);
    return Status::success;
}

// ---- What is bound

Status driver::cuTexRefSetArray(CUtexref reference, CUarray array, unsigned int flags) {
    TextureReference& to = reference_of(reference);
    require_value(!(flags & ~unsigned(CU_TRSA_OVERRIDE_FORMAT)), "unknown flags"); // the format is the array's without it too
    if (!array) return to.unbind(), Status::success;
    const rt::ArrayShape& shape = array_of(array).shape();
    CUDA_RESOURCE_DESC resource = {};
    resource.resType = CU_RESOURCE_TYPE_ARRAY;
    resource.res.array.hArray = array;
    to.format = shape.format;
    to.channels = int(shape.channels);
    return bind(to, resource);
}

Status driver::cuTexRefSetMipmappedArray(CUtexref reference, CUmipmappedArray array, unsigned int flags) {
    TextureReference& to = reference_of(reference);
    require_value(flags == CU_TRSA_OVERRIDE_FORMAT, "the flag must be CU_TRSA_OVERRIDE_FORMAT");
    if (!array) return to.unbind(), Status::success;
    const rt::ArrayShape& shape = mipmap_of(array).levels()[0]->shape();
    CUDA_RESOURCE_DESC resource = {};
    resource.resType = CU_RESOURCE_TYPE_MIPMAPPED_ARRAY;
    resource.res.mipmap.hMipmappedArray = array;
    to.format = shape.format;
    to.channels = int(shape.channels);
    return bind(to, resource);
}

/// What is between the address and the next lower one that textures may have is the caller's to add to what it fetches.
Status driver::cuTexRefSetAddress_v2(size_t* offset, CUtexref reference, CUdeviceptr address, size_t bytes) {
    TextureReference& to = reference_of(reference);
    const size_t beyond = address % alignment;
    require_value(offset || beyond == 0, "nowhere to put the offset of an unaligned address");
    if (offset) *offset = beyond;
    if (!address) return to.unbind(), Status::success;
    CUDA_RESOURCE_DESC resource = {};
    resource.resType = CU_RESOURCE_TYPE_LINEAR;
    resource.res.linear = {address - beyond, to.format, unsigned(to.channels), bytes + beyond};
    return bind(to, resource);
}

Status driver::cuTexRefSetAddress2D_v3(CUtexref reference, const CUDA_ARRAY_DESCRIPTOR* shape, CUdeviceptr address,
                                       size_t pitch) {
    TextureReference& to = reference_of(reference);
    require_value(shape, "null pointer");
    CUDA_RESOURCE_DESC resource = {};
    resource.resType = CU_RESOURCE_TYPE_PITCH2D;
    resource.res.pitch2D = {address, shape->Format, shape->NumChannels, shape->Width, shape->Height, pitch};
    to.format = shape->Format;
    to.channels = int(shape->NumChannels);
    return bind(to, resource);
}

Status driver::cuTexRefGetArray(CUarray* array, CUtexref reference) {
    const TextureReference& from = reference_of(reference);
    require_value(array && from.bound && from.resource.resType == CU_RESOURCE_TYPE_ARRAY, "no array is bound");
    *array = from.resource.res.array.hArray;
    return Status::success;
}

Status driver::cuTexRefGetMipmappedArray(CUmipmappedArray* array, CUtexref reference) {
    const TextureReference& from = reference_of(reference);
    require_value(array && from.bound && from.resource.resType == CU_RESOURCE_TYPE_MIPMAPPED_ARRAY,
                  "no mipmapped array is bound");
    *array = from.resource.res.mipmap.hMipmappedArray;
    return Status::success;
}

Status driver::cuTexRefGetAddress_v2(CUdeviceptr* address, CUtexref reference) {
    const TextureReference& from = reference_of(reference);
    const bool linear = from.bound && from.resource.resType == CU_RESOURCE_TYPE_LINEAR;
    const bool pitched = from.bound && from.resource.resType == CU_RESOURCE_TYPE_PITCH2D;
    require_value(address && (linear || pitched), "no memory is bound");
    *address = linear ? from.resource.res.linear.devPtr : from.resource.res.pitch2D.devPtr;
    return Status::success;
}

Status driver::cuSurfRefSetArray(CUsurfref reference, CUarray array, unsigned int flags) {
    require_value(flags == 0, "the flags must be 0");
    (void)array_of(array);
    reference_of(reference).bind(array);
    return Status::success;
}

Status driver::cuSurfRefGetArray(CUarray* array, CUsurfref reference) {
    const SurfaceReference& from = reference_of(reference);
    require_value(array && from.array, "no array is bound");
    *array = from.array;
    return Status::success;
}

// ---- How it is sampled. A mode that is not there is noticed where something is bound, as on an H100.

Status driver::cuTexRefSetFormat(CUtexref reference, int format, int channels) {
    TextureReference& to = reference_of(reference);
    require_value(channels == 1 || channels == 2 || channels == 4, "wrong number of channels");
    to.format = format;
    to.channels = channels;
    return Status::success;
}

Status driver::cuTexRefGetFormat(int* format, int* channels, CUtexref reference) {
    const TextureReference& from = reference_of(reference);
    if (format) *format = from.format;
    if (channels) *channels = from.channels;
    return Status::success;
}

Status driver::cuTexRefSetFlags(CUtexref reference, unsigned int flags) {
    require_value(!(flags & ~known_flags), "unknown flags");
    return change(reference, [&](CUDA_TEXTURE_DESC& t) { t.flags = flags; });
}

Status driver::cuTexRefGetFlags(unsigned int* flags, CUtexref reference) {
    out(flags, "pFlags") = reference_of(reference).texture.flags;
    return Status::success;
}

Status driver::cuTexRefSetAddressMode(CUtexref reference, int dimension, int mode) {
    require_value(dimension >= 0 && dimension < 3, "no such dimension");
    return change(reference, [&](CUDA_TEXTURE_DESC& t) { t.addressMode[dimension] = mode; });
}

Status driver::cuTexRefGetAddressMode(int* mode, CUtexref reference, int dimension) {
    require_value(dimension >= 0 && dimension < 3, "no such dimension");
    out(mode, "pam") = reference_of(reference).texture.addressMode[dimension];
    return Status::success;
}

Status driver::cuTexRefSetFilterMode(CUtexref reference, int mode) {
    return change(reference, [&](CUDA_TEXTURE_DESC& t) { t.filterMode = mode; });
}

Status driver::cuTexRefGetFilterMode(int* mode, CUtexref reference) {
    out(mode, "pfm") = reference_of(reference).texture.filterMode;
    return Status::success;
}

Status driver::cuTexRefSetMipmapFilterMode(CUtexref reference, int mode) {
    require_value(mode == 0 || mode == 1, "no such filter mode");
    return change(reference, [&](CUDA_TEXTURE_DESC& t) { t.mipmapFilterMode = mode; });
}

Status driver::cuTexRefGetMipmapFilterMode(int* mode, CUtexref reference) {
    out(mode, "pfm") = reference_of(reference).texture.mipmapFilterMode;
    return Status::success;
}

Status driver::cuTexRefSetMipmapLevelBias(CUtexref reference, float bias) {
    return change(reference, [&](CUDA_TEXTURE_DESC& t) { t.mipmapLevelBias = bias; });
}

Status driver::cuTexRefGetMipmapLevelBias(float* bias, CUtexref reference) {
    out(bias, "pbias") = reference_of(reference).texture.mipmapLevelBias;
    return Status::success;
}

Status driver::cuTexRefSetMipmapLevelClamp(CUtexref reference, float least, float most) {
    return change(reference, [&](CUDA_TEXTURE_DESC& t) {
        t.minMipmapLevelClamp = least;
        t.maxMipmapLevelClamp = most;
    });
}

Status driver::cuTexRefGetMipmapLevelClamp(float* least, float* most, CUtexref reference) {
    const CUDA_TEXTURE_DESC& t = reference_of(reference).texture;
    out(least, "pminMipmapLevelClamp") = t.minMipmapLevelClamp;
    out(most, "pmaxMipmapLevelClamp") = t.maxMipmapLevelClamp;
    return Status::success;
}

Status driver::cuTexRefSetMaxAnisotropy(CUtexref reference, unsigned int most) {
    return change(reference, [&](CUDA_TEXTURE_DESC& t) { t.maxAnisotropy = most; });
}

Status driver::cuTexRefGetMaxAnisotropy(int* most, CUtexref reference) {
    out(most, "pmaxAniso") = int(reference_of(reference).texture.maxAnisotropy);
    return Status::success;
}

Status driver::cuTexRefSetBorderColor(CUtexref reference, float* colour) {
    require_value(colour, "null pointer");
    return change(reference, [&](CUDA_TEXTURE_DESC& t) { std::copy_n(colour, 4, t.borderColor); });
}

Status driver::cuTexRefGetBorderColor(float* colour, CUtexref reference) {
    require_value(colour, "null pointer");
    std::copy_n(reference_of(reference).texture.borderColor, 4, colour);
    return Status::success;
}

} // namespace shim
