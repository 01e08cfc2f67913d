#include "rt/shared_pool.h"

#include "core/async_pool.h"
#include "rt/device.h"
#include "rt/memory.h"
#include "rt/virtual_memory.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>

namespace rt {
namespace {

namespace vm = virtual_memory;

constexpr uint64_t pointer_magic = 0x4c4f4f5043545543;

struct Pointer {
    uint64_t magic = 0, inode = 0, offset = 0, bytes = 0;
    uint64_t unused[4] = {};
};
static_assert(sizeof(Pointer) == sizeof(ipc::Handle));

} // namespace

/// Free pieces by where they begin; AsyncPool keeps what is freed, so this is asked rarely.
struct SharedPool::State : BlockSource {
    vm::MemoryId memory = 0;
    bool imported = false;
    uint64_t base = 0, inode = 0;
    size_t bytes = 0;
    std::mutex mutex;
    std::map<uint64_t, size_t> free, taken;
    AsyncPool pool{*this};

    ~State() override {
        pool.trim(0);
        if (base == 0) return;
        vm::unmap(base, bytes);
        vm::unreserve(base, bytes);
        vm::release(memory);
    }

    uint64_t take(size_t wanted) override {
        std::lock_guard lock(mutex);
        const auto fits = std::ranges::find_if(free, [&](const auto& piece) { return piece.second >= wanted; });
        if (fits == free.end()) return 0;
        const auto [address, size] = *fits;
        free.erase(fits);
        if (size > wanted) free[address + wanted] = size - wanted;
        taken[address] = wanted;
        return address;
    }

    void give(uint64_t address) override {
        std::lock_guard lock(mutex);
        auto piece = free.insert(taken.extract(address)).position;
        vm::discard(memory, address - base, piece->second);
        if (const auto next = std::next(piece); next != free.end() && address + piece->second == next->first) {
            piece->second += next->second;
            free.erase(next);
        }
        if (piece == free.begin()) return;
        if (const auto before = std::prev(piece); before->first + before->second == address) {
            before->second += piece->second;
            free.erase(piece);
        }
    }
};

SharedPool::SharedPool() : state_(std::make_unique<State>()) {}

SharedPool::~SharedPool() = default;

std::shared_ptr<SharedPool> SharedPool::map(Device& device, uint64_t memory, bool imported) {
    std::shared_ptr<SharedPool> pool(new SharedPool);
    State& state = *pool->state_;
    state.memory = memory;
    state.imported = imported;
    state.bytes = vm::facts(memory).size;
    try {
        const uint64_t base = vm::reserve(device, state.bytes, 0, 0);
        try {
            vm::map(base, state.bytes, 0, memory);
            vm::set_access(base, state.bytes, true);
        } catch (...) {
            vm::unreserve(base, state.bytes);
            throw;
        }
        memory::forget(base); // not all of it is an allocation
        state.base = base;
    } catch (...) {
        vm::release(memory);
        throw;
    }
    state.free[state.base] = state.bytes;
    const int file = vm::export_descriptor(memory);
    struct stat about {};
    if (fstat(file, &about) == 0) state.inode = uint64_t(about.st_ino);
    close(file);
    return pool;
}

std::shared_ptr<SharedPool> SharedPool::create(Device& device, size_t max_bytes) {
    const size_t page = vm::granularity(device), all = device.backend().memory().total_bytes;
    const size_t wanted = max_bytes ? std::min(max_bytes, all) : all;
    return map(device, vm::create(device, std::max(wanted / page * page, page), true), false);
}

std::shared_ptr<SharedPool> SharedPool::import(Device& device, int descriptor) {
    return map(device, vm::import_descriptor(device, descriptor), true);
}

bool SharedPool::imported() const { return state_->imported; }

int SharedPool::export_descriptor() const { return vm::export_descriptor(state_->memory); }

uint64_t SharedPool::allocate(size_t bytes, Stream& stream) {
    if (state_->imported) throw Error(Status::invalid_value, "nothing is allocated from an imported pool");
    return state_->pool.allocate(bytes, stream);
}

void SharedPool::release(uint64_t address, Stream& stream) {
    if (!state_->imported) state_->pool.release(address, stream);
}

void SharedPool::release(uint64_t address) {
    if (state_->imported) return;
    state_->pool.disown(address);
    state_->give(address);
}

void SharedPool::trim(size_t keep) { state_->pool.trim(keep, false); }

size_t SharedPool::cached_bytes() const { return state_->pool.cached_bytes(); }

ipc::Handle SharedPool::export_pointer(uint64_t address, size_t bytes) const {
    const Pointer pointer{
        .magic = pointer_magic, .inode = state_->inode, .offset = address - state_->base, .bytes = bytes};
    ipc::Handle handle;
    std::memcpy(&handle, &pointer, sizeof handle);
    return handle;
}

SharedPool::Piece SharedPool::import_pointer(const ipc::Handle& handle) const {
    Pointer pointer;
    std::memcpy(static_cast<void*>(&pointer), &handle, sizeof pointer);
    if (pointer.magic != pointer_magic || pointer.inode != state_->inode || pointer.bytes == 0 ||
        pointer.offset > state_->bytes || pointer.bytes > state_->bytes - pointer.offset)
        throw Error(Status::invalid_value, "no pointer into this pool");
    return {state_->base + pointer.offset, pointer.bytes};
}

} // namespace rt
