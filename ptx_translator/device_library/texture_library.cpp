// Texture fetches and surface accesses, on a descriptor in memory (ptx/texture_abi.h). Linked as bitcode into modules
// that call them; for AMD GPUs long ones are machine code. The arithmetic is what an H100's bits show; tests/texture/README.md.
#include "texture/simple.h"
#include "texture/surface.h"

namespace {

using namespace texture;

/// Of a handle: an object's descriptor, or what a module's variable holds, given by its address.
const Descriptor* descriptor(uint64_t handle) {
    if (!handle) return nullptr;
    const auto* found = reinterpret_cast<const Descriptor*>(handle);
    return found->magic == alive ? found : *reinterpret_cast<const Descriptor* const*>(handle);
}

/// What a .samplerref says that has its value in the module.
void set_literal(Descriptor& t, uint64_t sampler) {
    t.linear = sampler & 1;
    for (int k = 0; k < 3; ++k) t.address[k] = static_cast<Address>(sampler >> (1 + 2 * k) & 3);
    if (sampler & literal_unnormalized) t.normalized = false;
}

/// The texture as another sampler reads it.
const Descriptor& sampled_by(const Descriptor& t, uint64_t sampler, Descriptor& merged) {
    if (!sampler) return t;
    merged = t;
    if (sampler & literal_sampler) {
        set_literal(merged, sampler);
    } else if (const Descriptor* s = descriptor(sampler)) {
        merged.linear = s->linear;
        merged.linear_levels = s->linear_levels;
        for (int k = 0; k < 3; ++k) merged.address[k] = s->address[k];
        for (int k = 0; k < 4; ++k) merged.border[k] = s->border[k];
        merged.bias = s->bias;
        merged.least_level = s->least_level;
        merged.most_level = s->most_level;
        merged.seamless = s->seamless;
    }
    return merged;
}

Request request_of(uint32_t shape, float x, float y, float z, int32_t layer, uint32_t offsets) {
    Request r{static_cast<Geometry>(shape & 255), x, y, z, static_cast<uint32_t>(layer), {}};
    for (int k = 0; k < 3; ++k) r.offset[k] = static_cast<int8_t>(offsets >> 8 * k);
    return r;
}

constexpr Words nothing = {0, 0, 0, 0};

/// Where accesses to surface 0 go: an H100 reads zeros and drops what is written.
alignas(16) uint8_t nowhere[16];
alignas(16) const uint8_t zeros[16] = {};

} // namespace

extern "C" Words cuttle_texture_sample(uint32_t shape, uint64_t handle, uint64_t sampler, float x, float y, float z,
                                       int32_t layer, float asked, uint32_t offsets) {
    const Descriptor* found = descriptor(handle);
    if (!found || found->linear_memory) return nothing; // as an H100 does
    Descriptor merged;
    const Descriptor& t = sampled_by(*found, sampler, merged);
    const bool given = shape >> 8 & 1; // else level 0, to which no bias is added
    const Request r = request_of(shape, x, y, z, layer, offsets);
    Words simply;
    if (is_simple(t, r) && sampled_simply(t, r, simply)) return simply;
    return sampled(t, r, level_for(t, given ? fixed_level(asked) + fixed_level(t.bias) : 0));
}

extern "C" Words cuttle_texture_gradient(uint32_t shape, uint64_t handle, uint64_t sampler, float x, float y, float z,
                                         int32_t layer, float x0, float x1, float x2, float y0, float y1, float y2,
                                         uint32_t offsets) {
    const Descriptor* found = descriptor(handle);
    if (!found || found->linear_memory) return nothing;
    Descriptor merged;
    const Descriptor& t = sampled_by(*found, sampler, merged);
    const Request r = request_of(shape, x, y, z, layer, offsets);
    // Layers of rows and volumes are sampled once, and so is a cube where the gradients leave a face.
    const bool several = t.anisotropy > 1 && r.geometry != Geometry::a1d && r.geometry != Geometry::d3;
    if (t.levels < 2 && !several) return sampled(t, r, 0);
    const Gradients gradients = gradients_of(t, r, {x0, x1, x2}, {y0, y1, y2});
    if (several && gradients.diagonals) {
        const Footprint footprint = footprint_of(gradients, t.anisotropy);
        return sampled_along(t, r, footprint, level_for(t, footprint.level + fixed_level(t.bias)));
    }
    return sampled(t, r, level_for(t, level_of_gradients(gradients) + fixed_level(t.bias)));
}

/// One channel of the four texels that a linear filter would take, from the lower left anticlockwise. PTX ISA, tld4.
extern "C" Words cuttle_texture_gather(uint32_t shape, uint64_t handle, uint64_t sampler, float x, float y, float z,
                                       int32_t layer, uint32_t channel, uint32_t offsets) {
    Words result = nothing;
    const Descriptor* found = descriptor(handle);
    if (!found || channel >= found->channels) return result;
    Descriptor merged;
    const Descriptor& t = sampled_by(*found, sampler, merged);
    const Level& level = t.level[0];
    const Axes axes = axes_of(t, request_of(shape, x, y, z, layer, offsets), level, Take::gather);
    const int slice = axes.z.first, c = static_cast<int>(channel);
    const Place places[4] = {{&level, axes.x.first, axes.y.second, slice},
                             {&level, axes.x.second, axes.y.second, slice},
                             {&level, axes.x.second, axes.y.first, slice},
                             {&level, axes.x.first, axes.y.first, slice}};
    for (int k = 0; k < 4; ++k) result[k] = unfiltered(t, texel(t, places[k], c), c);
    return result;
}

extern "C" Words cuttle_texture_fetch(uint32_t shape, uint64_t handle, int32_t x, int32_t y, int32_t z, int32_t layer,
                                      int32_t number, uint32_t offsets) {
    Words result = nothing;
    const Descriptor* found = descriptor(handle);
    if (!found) return result;
    const Descriptor& t = *found;
    const Request r = request_of(shape, 0, 0, 0, layer, offsets);
    // One dimension is a linear buffer here: an array of one gives nothing.
    if (r.geometry == Geometry::d1 && !t.linear_memory) return result;
    if (number < 0 || number >= static_cast<int32_t>(t.levels)) return result;
    const Level& level = t.level[number];
    const bool flat = r.geometry == Geometry::d1 || r.geometry == Geometry::a1d;
    // Outside of the texture is zero, whatever the address mode; with levels, the nearest texel.
    const Address outside = t.levels > 1 ? Address::clamp : Address::border;
    const auto index = [&](int32_t at, uint32_t size, int axis) {
        return addressed(static_cast<long long>(at) + r.offset[axis], static_cast<int>(size), outside);
    };
    Place place{&level, index(x, level.width, 0), flat ? 0 : index(y, level.height, 1), 0};
    if (r.geometry == Geometry::d3)
        place.z = index(z, level.depth, 2);
    else if (r.geometry == Geometry::a1d || r.geometry == Geometry::a2d)
        place.z = r.layer < level.depth       ? static_cast<int>(r.layer)
                  : outside == Address::clamp ? static_cast<int>(level.depth) - 1
                                              : -1;
    if (on_border(place)) return result;
    for (int channel = 0; channel < t.channels; ++channel)
        result[channel] = unfiltered(t, raw(t, place, channel), channel);
    return result;
}

extern "C" uint32_t cuttle_texture_query(uint32_t what, uint64_t handle, int32_t number) {
    if (handle & literal_sampler) {
        Descriptor sampler;
        set_literal(sampler, handle);
        return property(sampler, static_cast<Query>(what), sampler.level[0]);
    }
    const Descriptor* found = descriptor(handle);
    if (!found || number < 0 || number >= static_cast<int32_t>(found->levels)) return 0;
    return property(*found, static_cast<Query>(what), found->level[number]);
}

extern "C" uint32_t cuttle_texture_is(uint32_t kind, uint64_t handle) {
    if (!handle || reinterpret_cast<const Descriptor*>(handle)->magic == alive) return 0;
    if (*reinterpret_cast<const uint64_t*>(handle) & literal_sampler) return static_cast<Kind>(kind) == Kind::sampler;
    const Descriptor* found = descriptor(handle);
    return found && static_cast<uint32_t>(found->kind) == kind;
}

/// `store`: bit 0, a write; bit 1, x counts texels.
extern "C" uint64_t cuttle_surface_address(uint32_t shape, uint64_t handle, int32_t x, int32_t y, int32_t z,
                                           int32_t layer, uint32_t bytes, uint32_t outside, uint32_t store) {
    const Descriptor* t = descriptor(handle);
    if (!t) return reinterpret_cast<uint64_t>(store & 1 ? nowhere : zeros);
    const int32_t at = store & 2 ? static_cast<int32_t>(static_cast<uint32_t>(x) * t->texel_bytes) : x;
    return address_of(*t, {static_cast<Geometry>(shape & 255), at, y, z, layer, bytes, static_cast<Outside>(outside),
                           (store & 1) != 0});
}

extern "C" void cuttle_surface_store(uint32_t shape, uint64_t handle, int32_t x, int32_t y, int32_t z, int32_t layer,
                                     uint32_t outside, uint32_t lanes, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    const Descriptor* t = descriptor(handle);
    if (!t) return;
    const uint32_t words[4] = {a, b, c, d};
    const int32_t column = static_cast<int32_t>(static_cast<uint32_t>(x) * t->texel_bytes);
    const uint64_t at = address_of(*t, {static_cast<Geometry>(shape & 255), column, y, z, layer, t->texel_bytes,
                                        static_cast<Outside>(outside), true});
    if (at == faulting) {
        *reinterpret_cast<volatile uint8_t*>(at) = 0; // faults
        return;
    }
    for (uint32_t k = 0; k < lanes && k < t->channels; ++k) put(*t, at, static_cast<int>(k), words[k]);
}

/// The smaller or larger of a texel and a word, by the surface's format.
extern "C" void cuttle_surface_extreme(uint64_t at, uint64_t handle, uint32_t word, uint32_t larger) {
    const Descriptor* t = descriptor(handle);
    const uint32_t flip = t && t->format == Format::s32 ? 0x80000000u : 0;
    auto* place = reinterpret_cast<uint32_t*>(at);
    uint32_t seen = __atomic_load_n(place, __ATOMIC_RELAXED);
    while (larger ? (word ^ flip) > (seen ^ flip) : (word ^ flip) < (seen ^ flip))
        if (__atomic_compare_exchange_n(place, &seen, word, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return;
}
