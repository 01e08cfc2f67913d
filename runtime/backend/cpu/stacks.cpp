#include "backend/cpu/stacks.h"

#include "backend/cpu/fiber.h"
#include "support/log.h"

#include <atomic>
#include <cstdio>
#include <sys/mman.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

namespace rt::backend::cpu {

namespace {

constexpr size_t slab_stacks = 32;

/// How many guard pages may be mappings of their own. The kernel bounds a process's mappings, and each such guard page
/// costs two; where it is too old for guard markers (Linux 6.13), the rest of the stacks goes without.
std::atomic<long>& guard_budget() {
    static std::atomic<long> budget{[] {
        long limit = 65530;
        if (FILE* file = std::fopen("/proc/sys/vm/max_map_count", "r")) {
            if (std::fscanf(file, "%ld", &limit) != 1) limit = 65530;
            std::fclose(file);
        }
        return limit / 4;
    }()};
    return budget;
}

bool guard(char* page) {
    static std::atomic<bool> markers{true};
    if (markers.load(std::memory_order_relaxed)) {
        if (madvise(page, Stacks::page, MADV_GUARD_INSTALL) == 0) return true;
        markers = false;
    }
    if (guard_budget().fetch_sub(1) > 0) return mprotect(page, Stacks::page, PROT_NONE) == 0;
    guard_budget().fetch_add(1);
    if (first_time("cpu: stacks without guard"))
        log(LogLevel::warning, LogChannel::launch,
            "too many threads at once for the kernel's limit of mappings (vm.max_map_count): some stacks have no guard "
            "page");
    return false;
}

size_t round_to_pages(size_t bytes) { return (bytes + Stacks::page - 1) / Stacks::page * Stacks::page; }

} // namespace

// An even number of pages plus the guard page: an odd stride, so that the tops spread over the sets of the TLB.
Stacks::Stacks(size_t bytes) : bytes_((round_to_pages(bytes) + page) / (2 * page) * (2 * page)) {}

Stacks::~Stacks() {
    for (const Slab& slab : slabs_) {
        forget_functions(slab.begin, slab.size);
        munmap(slab.begin, slab.size);
    }
}

bool Stacks::grow(size_t index) {
    while (tops_.size() <= index) {
        size_t before = tops_.size();
        map_slab(index == 0 ? 1 : slab_stacks);
        if (tops_.size() == before) return false;
    }
    return true;
}

void Stacks::map_slab(size_t count) {
    const size_t stride = bytes_ + page;
    void* memory =
        mmap(nullptr, stride * count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return;
    // One huge page under many stacks would make every stack resident.
    madvise(memory, stride * count, MADV_NOHUGEPAGE);
    auto* begin = static_cast<char*>(memory);
    slabs_.push_back({begin, stride * count});
    for (size_t i = 0; i < count; i++) {
        char* low = begin + i * stride;
        guard(low);
        // Different offsets in the page keep the hot ends of the stacks out of each other's cache sets.
        tops_.push_back(low + stride - (tops_.size() % colours) * colour_step);
    }
}

bool Stacks::in_guard(uintptr_t address) const {
    for (const Slab& slab : slabs_) {
        uintptr_t begin = reinterpret_cast<uintptr_t>(slab.begin);
        if (address < begin || address >= begin + slab.size) continue;
        return (address - begin) % (bytes_ + page) < page;
    }
    return false;
}

} // namespace rt::backend::cpu
