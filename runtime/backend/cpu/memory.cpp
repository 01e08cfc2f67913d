#include "backend/cpu/memory.h"

#include "rt/error.h"

#include <algorithm>
#include <sys/mman.h>

namespace rt::backend::cpu {

Arena::Arena(uint64_t budget) : budget_(budget) {
    // Twice the budget, so that fragmentation of addresses does not eat it; less where address space is rationed.
    uint64_t want = std::max<uint64_t>(budget, 1 << 30) * 2;
    for (; want >= page; want /= 2) {
        size_ = (want + page - 1) / page * page;
        mapping_size_ = size_ + page;
        mapping_ = mmap(nullptr, mapping_size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (mapping_ != MAP_FAILED) break;
    }
    if (mapping_ == MAP_FAILED || want < page)
        throw Error{Status::out_of_memory, "cpu: no address space for a device's memory"};
    base_ = (reinterpret_cast<uint64_t>(mapping_) + page - 1) / page * page;
    madvise(mapping_, mapping_size_, MADV_HUGEPAGE);
    space_ = std::make_unique<FreeSpace>(base_, size_, 512);
    pages_.resize(size_ / page);
}

Arena::~Arena() { munmap(mapping_, mapping_size_); }

bool Arena::open_pages(uint64_t first, uint64_t last) {
    for (uint64_t i = first; i <= last;) {
        if (pages_[i].accessible) {
            if (pages_[i].live++ == 0) cached_bytes_ -= page;
            i++;
            continue;
        }
        uint64_t end = i;
        while (end <= last && !pages_[end].accessible) end++;
        if (mprotect(reinterpret_cast<void*>(base_ + i * page), (end - i) * page, PROT_READ | PROT_WRITE) != 0) {
            if (i > first) close_pages(first, i - 1);
            return false;
        }
        for (; i < end; i++) pages_[i] = {1, true};
    }
    return true;
}

void Arena::close_pages(uint64_t first, uint64_t last) {
    for (uint64_t i = first; i <= last;) {
        if (--pages_[i].live != 0) {
            i++;
            continue;
        }
        if (cached_bytes_ + page <= cached_bytes_limit) {
            cached_bytes_ += page;
            i++;
            continue;
        }
        uint64_t end = i + 1;
        while (end <= last && pages_[end].live == 1) end++;
        auto* begin = reinterpret_cast<void*>(base_ + i * page);
        madvise(begin, (end - i) * page, MADV_DONTNEED);
        mprotect(begin, (end - i) * page, PROT_NONE);
        for (; i < end; i++) pages_[i] = {};
    }
}

uint64_t Arena::allocate(size_t bytes) {
    std::lock_guard lock(mutex_);
    if (bytes > budget_ || space_->used() + space_->rounded(bytes) > budget_) return 0;
    const uint64_t address = space_->take(bytes);
    if (!address) return 0;
    if (open_pages(index_of(address), index_of(address + space_->rounded(bytes) - 1))) return address;
    space_->give(address);
    return 0;
}

bool Arena::release(uint64_t address) {
    std::lock_guard lock(mutex_);
    const uint64_t size = space_->give(address);
    if (size) close_pages(index_of(address), index_of(address + size - 1));
    return size != 0;
}

MemoryInfo Arena::info() const {
    std::lock_guard lock(mutex_);
    return {budget_ - space_->used(), budget_};
}

} // namespace rt::backend::cpu
