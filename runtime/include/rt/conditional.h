#pragma once

#include "backend/backend.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace rt {

class Context;
class Graph;
class Stream;

/// The word behind a CUgraphConditionalHandle, which is its address: kernels store there (cudaGraphSetConditional), and
/// conditional nodes read it when they run. Shared by a graph and the executable graphs made from it. CUDA C++
/// Programming Guide, "Conditional Graph Nodes".
class Condition {
  public:
    Condition(Context&, uint32_t initial, bool assign); ///< throws out_of_memory
    ~Condition();
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;

    uint64_t handle() const { return address_; }
    /// Host's view. Only behind what the device did with it.
    uint32_t value() const;
    /// At the start of a launch, if the handle has a default value to be set then.
    void reset(Stream&) const;

    bool has_node = false; ///< a handle serves one node

  private:
    Context& context_;
    const uint32_t initial_;
    const bool assign_;
    uint64_t address_ = 0;
};

/// CUgraphConditionalNodeType's numbers.
enum class ConditionKind : int { if_ = 0, while_ = 1, switch_ = 2 };

/// Bodies belong to the node. An if may have a second body, for a value of zero.
struct ConditionalNode {
    std::shared_ptr<Condition> condition;
    ConditionKind kind = ConditionKind::if_;
    Context* context = nullptr;
    std::vector<std::shared_ptr<Graph>> bodies;
    std::shared_ptr<std::vector<void*>> handles; ///< of the bodies, as the application sees them
};

} // namespace rt
