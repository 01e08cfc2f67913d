#include "core/context_storage.h"

namespace rt {

ContextStorage::~ContextStorage() {
    for (Block* block = first_.next; block;) {
        Block* next = block->next;
        delete block;
        block = next;
    }
}

ContextStorage::Slot* ContextStorage::slot_of(void* key) {
    for (Block* block = &first_; block; block = block->next)
        for (Slot& slot : block->slots)
            if (slot.key == key) return &slot;
    return nullptr;
}

ContextStorage::Slot& ContextStorage::free_slot() {
    if (Slot* slot = slot_of(nullptr)) return *slot;
    Block* last = &first_;
    while (last->next) last = last->next;
    last->next = new Block;
    return last->next.load()->slots[0];
}

void ContextStorage::put(const Entry& entry) {
    if (!entry.key) throw Error(Status::invalid_value, "context storage needs a key");
    std::lock_guard lock(mutex_);
    Slot* slot = slot_of(entry.key);
    if (!slot) slot = &free_slot();
    slot->value = entry.value;
    slot->destructor = entry.destructor;
    slot->key.store(entry.key, std::memory_order_release);
}

bool ContextStorage::remove(void* key) {
    std::lock_guard lock(mutex_);
    Slot* slot = key ? slot_of(key) : nullptr;
    if (slot) slot->key = nullptr;
    return slot;
}

std::vector<ContextStorage::Entry> ContextStorage::take_all() {
    std::lock_guard lock(mutex_);
    std::vector<Entry> entries;
    for (Block* block = &first_; block; block = block->next)
        for (Slot& slot : block->slots)
            if (void* key = slot.key.exchange(nullptr)) entries.push_back({key, slot.value, slot.destructor});
    return entries;
}

} // namespace rt
