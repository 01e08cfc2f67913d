#pragma once

#include "backend/backend.h"
#include "backend/cpu/virtual_memory.h"
#include "backend/device_side/free_space.h"

#include <memory>
#include <mutex>
#include <vector>

namespace rt::backend::cpu {

/// Memory of one kind: a large reserved range of which pages become accessible as pieces of it are handed out, and
/// inaccessible again when nothing lives there any more. Thread safe.
class Arena {
  public:
    /// `budget`: bytes that may be handed out at once. Throws Error{out_of_memory} when nothing can be reserved.
    explicit Arena(uint64_t budget);
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /// Aligned to 512 bytes, large ones to 2 MiB as on a GPU, which programs rely on; 0 when the budget or the machine
    /// has no more.
    uint64_t allocate(size_t bytes);
    /// False when there is no such allocation.
    bool release(uint64_t address);
    /// Puts the pages that hold [address, address + bytes) into a file that other processes can map, with their
    /// content; `offset` is where the address lies in it. nullptr when the machine refuses. Nobody may use them meanwhile.
    std::shared_ptr<PhysicalMemory> share(uint64_t address, size_t bytes, uint64_t& offset);
    MemoryInfo info() const;
    /// Whether the address lies in the range that allocations come from.
    bool holds(uint64_t address) const { return address - base_ < size_; }

  private:
    static constexpr uint64_t page = 2 << 20, large = 1 << 20;
    /// Pages without a live allocation that stay accessible, so that freeing and allocating again costs no system call.
    static constexpr uint64_t cached_bytes_limit = 64 << 20;

    struct Page {
        uint32_t live = 0; ///< allocations that touch it
        bool accessible = false;
        bool shared = false; ///< in file_
    };
    bool open_pages(uint64_t first, uint64_t last);
    void close_pages(uint64_t first, uint64_t last);
    bool move_to_file(uint64_t index);
    void make_private(uint64_t first, uint64_t end);
    uint64_t index_of(uint64_t address) const { return (address - base_) / page; }

    const uint64_t budget_;
    uint64_t base_ = 0, size_ = 0;
    void* mapping_ = nullptr;
    size_t mapping_size_ = 0;
    mutable std::mutex mutex_;
    std::unique_ptr<FreeSpace> space_;
    std::vector<Page> pages_;
    uint64_t cached_bytes_ = 0;
    std::shared_ptr<MemoryFile> file_; ///< as large as the range; only for shared pages is anything in it
};

} // namespace rt::backend::cpu
