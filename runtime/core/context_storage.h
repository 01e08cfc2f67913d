#pragma once

#include "rt/context.h"

#include <array>
#include <atomic>
#include <mutex>
#include <vector>

namespace rt {

/// cudart's values in a context, by key. There are few keys (one per copy of cudart in the process) and every runtime
/// call looks one up: find() takes no lock.
class ContextStorage {
  public:
    struct Entry {
        void* key;
        void* value;
        Context::StorageDestructor destructor;
    };

    ~ContextStorage();
    void put(const Entry&); ///< replaces the value of a key that is there
    bool remove(void* key);
    std::vector<Entry> take_all();

    void* const* find(void* key) const {
        for (const Block* block = &first_; block; block = block->next.load(std::memory_order_acquire))
            for (const Slot& slot : block->slots)
                if (slot.key.load(std::memory_order_acquire) == key) return &slot.value;
        return nullptr;
    }

  private:
    struct Slot {
        std::atomic<void*> key = nullptr; ///< null = free
        void* value = nullptr;
        Context::StorageDestructor destructor = nullptr;
    };
    struct Block {
        std::array<Slot, 8> slots;
        std::atomic<Block*> next = nullptr;
    };
    Slot* slot_of(void* key);
    Slot& free_slot();

    std::mutex mutex_;
    Block first_;
};

} // namespace rt
