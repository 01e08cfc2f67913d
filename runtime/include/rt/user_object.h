#pragma once

#include "rt/handle.h"
#include "rt/stream.h"

#include <cstdint>
#include <map>
#include <mutex>

namespace rt {

/// CUuserObject: something of the application's that graphs keep alive. It counts its references; with the last one it
/// calls the application's function, on the thread that gives that one up, and is gone. Thread safe.
class UserObject : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::other;

    /// Allocate with new. `references` are the caller's.
    UserObject(HostFunction destroy, uint32_t references);

    void retain(uint32_t references);
    /// Throws invalid_value when there are fewer. May delete the object.
    void release(uint32_t references);
    static bool any(); ///< whether the process has one

  private:
    ~UserObject();
    const HostFunction destroy_;
    std::mutex mutex_;
    uint64_t references_;
};

/// The references that one graph holds. A copy holds as many of its own.
class UserReferences {
  public:
    UserReferences() = default;
    UserReferences(const UserReferences&);
    UserReferences& operator=(const UserReferences&) = delete;
    ~UserReferences();

    /// `moved`: the references were the caller's. Else they are new ones.
    void add(UserObject&, uint32_t references, bool moved);
    /// Throws invalid_value when fewer are held.
    void remove(UserObject&, uint32_t references);
    /// As many as `other` holds, on top.
    void add(const UserReferences& other);
    bool empty() const { return held_.empty(); }

  private:
    std::map<UserObject*, uint32_t> held_;
};

} // namespace rt
