#include "core/capture.h"
#include "rt/graph.h"
#include "rt/module.h"

#include <algorithm>

namespace rt {
namespace {

constexpr unsigned non_blocking = 1;

/// Puts nodes on a stream. Kernels that follow one another go there together, as then the stream's worker is told once
/// and nobody fights with it for the queue.
class Run {
  public:
    explicit Run(Stream& stream, bool allocates_again = false) : stream_(stream), allocates_again_(allocates_again) {}

    void all(const std::vector<GraphNode*>& order) {
        try {
            add(order);
            launch_chain();
        } catch (...) {
            keep_memory();
            throw;
        }
        keep_memory();
    }

    void operator()(const KernelNode& node) {
        if (!HandleBase::alive(node.function, HandleKind::function))
            throw Error(Status::invalid_handle, "the module of a graph's kernel was unloaded");
        chain_.push_back(node.function->prepare(stream_, node.grid, node.block, node.dynamic_shared_bytes,
                                                node.parameters, node.cooperative, node.cluster));
        if (chain_.size() == longest_chain) launch_chain();
    }
    void operator()(const backend::Copy& copy) const { stream_.copy(copy); }
    void operator()(const backend::Fill& fill) const { stream_.fill(fill); }
    void operator()(const HostNode& node) const {
        if (node.closure)
            stream_.call(node.closure);
        else
            stream_.call(node.host);
    }
    void operator()(const ChildGraphNode& node) { add(node.graph->ordered()); }
    void operator()(const EmptyNode&) const {}
    void operator()(const WaitEventNode& node) const { stream_.wait_for(alive(node.event)); }
    void operator()(const RecordEventNode& node) const { stream_.record(alive(node.event)); }

    void operator()(const MemoryOperations& list) const { stream_.memory(list); }
    void operator()(const SignalSemaphoresNode& node) const { stream_.semaphores(node.list); }
    void operator()(const WaitSemaphoresNode& node) const { stream_.semaphores(node.list); }
    void operator()(const AllocationNode& node) {
        graph_memory::allocate(node.block, allocates_again_);
        memory_.push_back(node.block);
    }
    void operator()(const ReleaseNode& node) {
        auto block = graph_memory::release(node.address);
        if (!block) throw Error(Status::invalid_value, "a graph frees memory that is not allocated");
        memory_.push_back(std::move(block));
    }

    void operator()(const ConditionalNode& node) const {
        stream_.call([node] { run_bodies(node); });
    }

  private:
    /// Beyond it, the stream should be at work meanwhile.
    static constexpr size_t longest_chain = 256;

    /// In a host function between what is before the node and what is behind it. Bodies run on a stream of their own.
    static void run_bodies(const ConditionalNode& node) {
        try {
            Stream inner(*node.context, non_blocking, 0, Stream::Role::created);
            const auto run = [&](size_t index) {
                if (index >= node.bodies.size()) return;
                Run(inner).all(node.bodies[index]->ordered());
                inner.synchronize();
            };
            switch (node.kind) {
            case ConditionKind::if_:
                return run(node.condition->value() ? 0 : 1);
            case ConditionKind::while_:
                while (node.condition->value()) run(0);
                return;
            case ConditionKind::switch_:
                return run(node.condition->value());
            }
        } catch (const Error& error) {
            node.context->set_error(error.status(), error.what()); // nobody is there to be told but the next call
        }
    }

    void add(const std::vector<GraphNode*>& order) {
        for (const auto* node : order) {
            if (!node->enabled) continue;
            const GraphNodeType type = node->type();
            if (type != GraphNodeType::kernel && type != GraphNodeType::graph) launch_chain();
            std::visit(*this, node->parameters());
        }
    }
    void launch_chain() {
        if (!chain_.empty()) stream_.launch_all(chain_);
        chain_.clear();
    }
    /// The executable graph may go before its launches have ended, and with it what it alone owns.
    void keep_memory() {
        if (!memory_.empty()) stream_.call([memory = std::move(memory_)] {});
    }
    static Event& alive(Event* event) {
        if (!HandleBase::alive(event, HandleKind::event))
            throw Error(Status::invalid_handle, "an event of the graph was destroyed");
        return *event;
    }

    Stream& stream_;
    const bool allocates_again_;
    std::vector<backend::Launch> chain_;
    std::vector<std::shared_ptr<graph_memory::Block>> memory_; ///< allocated or freed on the way
};

std::vector<size_t> positions(const std::vector<GraphNode*>& nodes, const std::vector<GraphNode*>& all) {
    std::vector<size_t> result;
    for (auto* node : nodes) result.push_back(size_t(std::find(all.begin(), all.end(), node) - all.begin()));
    std::sort(result.begin(), result.end());
    return result;
}

bool same_function(const GraphNode& a, const GraphNode& b) {
    auto *first = std::get_if<KernelNode>(&a.parameters()), *second = std::get_if<KernelNode>(&b.parameters());
    if (!first || !second) return true;
    return &first->function->module().context() == &second->function->module().context();
}

bool same_condition(const GraphNode& a, const GraphNode& b) {
    auto *first = std::get_if<ConditionalNode>(&a.parameters()),
         *second = std::get_if<ConditionalNode>(&b.parameters());
    if (!first || !second) return true;
    return first->kind == second->kind && first->bodies.size() == second->bodies.size();
}

} // namespace

GraphExec::GraphExec(const Graph& graph) : HandleBase(kind), graph_(graph.clone()), order_(graph_->ordered()) {
    graph_->check_bodies();
    for (auto* node : order_)
        if (auto* child = std::get_if<ChildGraphNode>(&node->parameters())) child->graph->ordered();
}

GraphExec::~GraphExec() = default;

void GraphExec::launch(Stream& stream) {
    upload(stream);
    graph_->reset_conditions(stream);
    Run(stream, frees_on_launch).all(order_);
    // The executable graph may go before its launches have ended: each keeps user objects to its end.
    if (!UserObject::any()) return; // spares programs without them the walk over all nodes
    UserReferences kept;
    graph_->collect_user_objects(kept);
    if (!kept.empty()) stream.call([all = std::make_shared<UserReferences>(kept)] {});
}

// Nothing is kept on the device between launches, so there is nothing to bring there beforehand.
void GraphExec::upload(Stream& stream) { capture::forbid(stream, "executable graphs are not captured"); }

GraphNode& GraphExec::node(const GraphNode& original) {
    if (auto* found = graph_->copy_of(original)) return *found;
    throw Error(Status::invalid_value, "the executable graph was not made from this node");
}

GraphUpdate GraphExec::update(const Graph& graph, GraphNode*& at) {
    const auto mine = graph_->nodes(), given = graph.nodes();
    at = nullptr;
    if (mine.size() != given.size()) return GraphUpdate::topology_changed;
    for (size_t i = 0; i < mine.size(); i++) {
        at = given[i];
        if (mine[i]->type() != given[i]->type()) return GraphUpdate::node_type_changed;
        if (positions(mine[i]->dependencies(), mine) != positions(given[i]->dependencies(), given))
            return GraphUpdate::topology_changed;
        if (!same_function(*mine[i], *given[i])) return GraphUpdate::function_changed;
        if (!same_condition(*mine[i], *given[i])) return GraphUpdate::parameters_changed;
    }
    at = nullptr;
    // The new graph's nodes become the originals, as its handles are what the application has now.
    auto updated = graph.clone();
    for (size_t i = 0; i < mine.size(); i++) updated->nodes()[i]->enabled = mine[i]->enabled;
    auto order = updated->ordered();
    graph_ = std::move(updated);
    order_ = std::move(order);
    return GraphUpdate::success;
}

} // namespace rt
