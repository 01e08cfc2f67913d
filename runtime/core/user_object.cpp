#include "rt/user_object.h"

#include "rt/error.h"

#include <atomic>

namespace rt {

namespace {

std::atomic<size_t> living = 0;

} // namespace

bool UserObject::any() { return living.load(std::memory_order_acquire) != 0; }

UserObject::UserObject(HostFunction destroy, uint32_t references)
    : HandleBase(kind), destroy_(destroy), references_(references) {
    living++;
}

UserObject::~UserObject() { living--; }

void UserObject::retain(uint32_t references) {
    const std::scoped_lock lock(mutex_);
    references_ += references;
}

void UserObject::release(uint32_t references) {
    {
        const std::scoped_lock lock(mutex_);
        if (references > references_) throw Error(Status::invalid_value, "the user object has fewer references");
        references_ -= references;
        if (references_) return;
    }
    const HostFunction destroy = destroy_;
    delete this;
    destroy.function(destroy.data);
}

UserReferences::UserReferences(const UserReferences& other) { add(other); }

UserReferences::~UserReferences() {
    for (const auto& [object, references] : held_) object->release(references);
}

void UserReferences::add(UserObject& object, uint32_t references, bool moved) {
    if (!moved) object.retain(references);
    held_[&object] += references;
}

void UserReferences::remove(UserObject& object, uint32_t references) {
    const auto found = held_.find(&object);
    if (found == held_.end() || found->second < references)
        throw Error(Status::invalid_value, "the graph holds fewer references to the user object");
    found->second -= references;
    if (!found->second) held_.erase(found);
    object.release(references);
}

void UserReferences::add(const UserReferences& other) {
    for (const auto& [object, references] : other.held_) add(*object, references, false);
}

} // namespace rt
