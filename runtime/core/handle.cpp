#include "rt/handle.h"

#include <array>
#include <mutex>
#include <unordered_map>

namespace rt {
namespace {

struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<const void*, HandleKind> living;
};

// Never destroyed: applications and cudart call us from their own static destructors.
Shard& shard(const void* pointer) {
    static auto& shards = *new std::array<Shard, 16>;
    // Objects are at least 64 bytes apart as a rule, and the allocator's low bits carry nothing.
    auto bits = reinterpret_cast<uintptr_t>(pointer) >> 6;
    return shards[(bits ^ (bits >> 4) ^ (bits >> 12)) % shards.size()];
}

} // namespace

HandleBase::HandleBase(HandleKind kind) : kind_(kind) {
    Shard& s = shard(this);
    std::lock_guard lock(s.mutex);
    s.living[this] = kind;
}

HandleBase::~HandleBase() {
    Shard& s = shard(this);
    std::lock_guard lock(s.mutex);
    s.living.erase(this);
}

bool HandleBase::alive(const void* pointer, HandleKind kind) {
    if (!pointer) return false;
    Shard& s = shard(pointer);
    std::lock_guard lock(s.mutex);
    auto found = s.living.find(pointer);
    return found != s.living.end() && found->second == kind;
}

} // namespace rt
