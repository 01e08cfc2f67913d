#include "backend/cpu/memory.h"

#include "rt/error.h"

#include <algorithm>
#include <sys/mman.h>
#include <unistd.h>

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
        if (!pages_[i].shared && cached_bytes_ + page <= cached_bytes_limit) {
            cached_bytes_ += page;
            i++;
            continue;
        }
        uint64_t end = i + 1;
        while (end <= last && pages_[end].live == 1 && pages_[end].shared == pages_[i].shared) end++;
        if (pages_[i].shared) {
            make_private(i, end);
            for (; i < end; i++) pages_[i] = {};
            continue;
        }
        auto* begin = reinterpret_cast<void*>(base_ + i * page);
        madvise(begin, (end - i) * page, MADV_DONTNEED);
        mprotect(begin, (end - i) * page, PROT_NONE);
        for (; i < end; i++) pages_[i] = {};
    }
}

bool Arena::move_to_file(uint64_t index) {
    auto* const here = reinterpret_cast<char*>(base_ + index * page);
    for (uint64_t done = 0; done < page;) {
        const ssize_t written = pwrite(file_->descriptor(), here + done, page - done, off_t(index * page + done));
        if (written <= 0) return false;
        done += uint64_t(written);
    }
    if (mmap(here, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file_->descriptor(), off_t(index * page)) ==
        MAP_FAILED)
        return false;
    return pages_[index].shared = true;
}

// Whoever else has mapped them sees zeros from now on.
void Arena::make_private(uint64_t first, uint64_t end) {
    auto* const begin = reinterpret_cast<void*>(base_ + first * page);
    mmap(begin, (end - first) * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    madvise(begin, (end - first) * page, MADV_HUGEPAGE);
    file_->discard(first * page, (end - first) * page);
}

std::shared_ptr<PhysicalMemory> Arena::share(uint64_t address, size_t bytes, uint64_t& offset) {
    std::lock_guard lock(mutex_);
    if (!file_ && !(file_ = MemoryFile::create(size_))) return nullptr;
    for (uint64_t i = index_of(address); i <= index_of(address + bytes - 1); i++)
        if (!pages_[i].shared && !move_to_file(i)) return nullptr;
    offset = address - base_;
    return file_;
}

uint64_t Arena::allocate(size_t bytes) {
    std::lock_guard lock(mutex_);
    if (bytes > budget_ || space_->used() + space_->rounded(bytes) > budget_) return 0;
    const uint64_t address = space_->take(bytes, bytes >= large ? page : 1);
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
