#pragma once

#include <cstdint>

namespace rt {

/// Base of every object whose address an application holds. A stale, foreign or wrong-kind pointer is found by looking
/// the address up in the set of living objects of that kind (never by reading through it).
enum class HandleKind : uint8_t {
    context,
    module,
    library,
    kernel,
    function,
    stream,
    event,
    graph,
    graph_exec,
    graph_node,
    array,
    mipmapped_array,
    texture,
    surface,
    link_state,
    mem_pool,
    green_context,
    external_memory,
    external_semaphore,
    other
};

class HandleBase {
  public:
    HandleBase(const HandleBase&) = delete;
    HandleBase& operator=(const HandleBase&) = delete;
    HandleKind handle_kind() const { return kind_; }

    /// Whether `pointer` is a living object of kind `kind`. Cheap: a sharded hash set, lock held for the probe only.
    static bool alive(const void* pointer, HandleKind kind);

  protected:
    explicit HandleBase(HandleKind kind); ///< enters the set
    ~HandleBase();                        ///< leaves it

  private:
    HandleKind kind_;
};

/// The object behind an application's handle, or nullptr when it is none of ours. T::kind names its HandleKind, and
/// HandleBase must be T's first base.
template <class T, class Pointer> T* handle_cast(Pointer handle) {
    void* pointer = (void*)handle;
    return HandleBase::alive(pointer, T::kind) ? static_cast<T*>(static_cast<HandleBase*>(pointer)) : nullptr;
}

} // namespace rt
