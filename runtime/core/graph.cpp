#include "rt/graph.h"

#include "rt/device.h"
#include "rt/module.h"

#include <algorithm>
#include <atomic>
#include <set>

namespace rt {

namespace {
std::atomic<uint32_t> last_graph = 0;
} // namespace

GraphNode::GraphNode(Graph& graph, NodeParameters parameters)
    : HandleBase(kind), graph_(graph), parameters_(std::move(parameters)) {}

void GraphNode::set_parameters(NodeParameters parameters) {
    if (parameters.index() != parameters_.index()) throw Error(Status::invalid_value, "a graph node keeps its type");
    parameters_ = std::move(parameters);
    arguments_.clear();
}

void** GraphNode::kernel_arguments() {
    auto* kernel = std::get_if<KernelNode>(&parameters_);
    if (!kernel) throw Error(Status::invalid_value, "not a kernel node");
    if (arguments_.empty())
        for (auto& parameter : kernel->function->info().parameters)
            arguments_.push_back(kernel->parameters.data() + parameter.offset);
    return arguments_.data();
}

Graph::Graph() : HandleBase(kind), id_(++last_graph) {}

Graph::~Graph() = default;

bool Graph::holds(const GraphNode* node) const {
    return std::any_of(nodes_.begin(), nodes_.end(), [&](auto& mine) { return mine.get() == node; });
}

GraphNode& Graph::add(NodeParameters parameters, const std::vector<GraphNode*>& dependencies) {
    for (size_t i = 0; i < dependencies.size(); i++) {
        auto* dependency = dependencies[i];
        if (!HandleBase::alive(dependency, HandleKind::graph_node) || &dependency->graph() != this)
            throw Error(Status::invalid_value, "a node depends on what is no node of its graph");
        if (std::find(dependencies.begin(), dependencies.begin() + long(i), dependency) !=
            dependencies.begin() + long(i))
            throw Error(Status::invalid_value, "a node depends on another twice");
    }
    nodes_.push_back(std::make_unique<GraphNode>(*this, std::move(parameters)));
    auto& node = *nodes_.back();
    node.local_id_ = next_local_id_++;
    for (auto* dependency : dependencies) {
        node.dependencies_.push_back(dependency);
        dependency->dependents_.push_back(&node);
    }
    return node;
}

GraphNode& Graph::add_allocation(Device& device, size_t bytes, const std::vector<GraphNode*>& dependencies) {
    // What is certainly over before the new node begins. The latest use of an address decides whether it is free.
    std::set<const GraphNode*> before;
    std::vector<GraphNode*> open = dependencies;
    while (!open.empty()) {
        GraphNode* node = open.back();
        open.pop_back();
        if (before.insert(node).second) open.insert(open.end(), node->dependencies_.begin(), node->dependencies_.end());
    }
    std::map<uint64_t, std::shared_ptr<graph_memory::Block>> free;
    for (auto& node : nodes_)
        if (auto* made = std::get_if<AllocationNode>(&node->parameters_); made && before.contains(node.get()))
            free[made->block->address()] = made->block;
    for (auto& [address, block] : free) {
        size_t allocated = 0, freed = 0;
        for (auto& node : nodes_) {
            auto* made = std::get_if<AllocationNode>(&node->parameters_);
            auto* gone = std::get_if<ReleaseNode>(&node->parameters_);
            allocated += made && made->block == block;
            freed += gone && gone->address == address && before.contains(node.get());
        }
        if (allocated == freed && block->device() == device.ordinal() && block->bytes() == bytes)
            return add(AllocationNode{block}, dependencies);
    }
    return add(AllocationNode{std::make_shared<graph_memory::Block>(device, bytes)}, dependencies);
}

GraphNode& Graph::add_release(uint64_t address, const std::vector<GraphNode*>& dependencies) {
    size_t allocated = 0, freed = 0;
    for (auto& node : nodes_) {
        auto* made = std::get_if<AllocationNode>(&node->parameters_);
        auto* gone = std::get_if<ReleaseNode>(&node->parameters_);
        allocated += made && made->block->address() == address;
        freed += gone && gone->address == address;
    }
    if (freed >= std::max<size_t>(allocated, 1) || !graph_memory::known(address))
        throw Error(Status::invalid_value, "the address is not that of an allocation node, or is freed already");
    return add(ReleaseNode{address}, dependencies);
}

Condition& Graph::add_condition(Context& context, uint32_t initial, bool assign) {
    conditions_.push_back(std::make_shared<Condition>(context, initial, assign));
    return *conditions_.back();
}

GraphNode& Graph::add_conditional(uint64_t handle, ConditionKind kind, Context& context, size_t bodies,
                                  const std::vector<GraphNode*>& dependencies) {
    const size_t most = kind == ConditionKind::if_ ? 2 : kind == ConditionKind::while_ ? 1 : SIZE_MAX;
    if (bodies == 0 || bodies > most) throw Error(Status::invalid_value, "a wrong number of bodies");
    const auto condition =
        std::find_if(conditions_.begin(), conditions_.end(), [&](auto& one) { return one->handle() == handle; });
    if (condition == conditions_.end()) throw Error(Status::invalid_value, "no conditional handle of this graph");
    if ((*condition)->has_node) throw Error(Status::invalid_value, "the conditional handle has a node already");
    ConditionalNode node{*condition, kind, &context, {}, nullptr};
    for (size_t i = 0; i < bodies; i++) node.bodies.push_back(std::make_shared<Graph>());
    GraphNode& made = add(std::move(node), dependencies);
    (*condition)->has_node = true;
    return made;
}

void Graph::check_bodies() const {
    static constexpr GraphNodeType allowed[] = {GraphNodeType::kernel, GraphNodeType::copy,
                                                GraphNodeType::fill,   GraphNodeType::graph,
                                                GraphNodeType::empty,  GraphNodeType::conditional};
    for (auto& node : nodes_) {
        const auto* conditional = std::get_if<ConditionalNode>(&node->parameters_);
        if (!conditional) continue;
        for (auto& body : conditional->bodies) {
            for (auto& inner : body->nodes_)
                if (std::find(std::begin(allowed), std::end(allowed), inner->type()) == std::end(allowed))
                    throw Error(Status::invalid_value, "the body of a conditional node holds what it may not hold");
            body->check_bodies();
        }
    }
}

void Graph::reset_conditions(Stream& stream) const {
    for (auto& condition : conditions_) condition->reset(stream);
    for (auto& node : nodes_)
        if (auto* conditional = std::get_if<ConditionalNode>(&node->parameters_))
            for (auto& body : conditional->bodies) body->reset_conditions(stream);
}

void Graph::remove(GraphNode& node) {
    for (auto* before : node.dependencies_) std::erase(before->dependents_, &node);
    for (auto* after : node.dependents_) std::erase(after->dependencies_, &node);
    std::erase_if(nodes_, [&](auto& mine) { return mine.get() == &node; });
}

void Graph::add_edge(GraphNode& from, GraphNode& to) {
    if (&from == &to || !holds(&from) || !holds(&to))
        throw Error(Status::invalid_value, "an edge joins two nodes of one graph");
    if (std::find(to.dependencies_.begin(), to.dependencies_.end(), &from) != to.dependencies_.end())
        throw Error(Status::invalid_value, "the edge is there already");
    to.dependencies_.push_back(&from);
    from.dependents_.push_back(&to);
}

void Graph::remove_edge(GraphNode& from, GraphNode& to) {
    if (!holds(&from) || !holds(&to) || !std::erase(to.dependencies_, &from))
        throw Error(Status::invalid_value, "there is no such edge");
    std::erase(from.dependents_, &to);
}

std::vector<GraphNode*> Graph::nodes() const {
    std::vector<GraphNode*> all;
    for (auto& node : nodes_) all.push_back(node.get());
    return all;
}

std::vector<GraphNode*> Graph::roots() const {
    std::vector<GraphNode*> all;
    for (auto& node : nodes_)
        if (node->dependencies_.empty()) all.push_back(node.get());
    return all;
}

std::vector<Graph::Edge> Graph::edges() const {
    std::vector<Edge> all;
    for (auto& node : nodes_)
        for (auto* after : node->dependents_) all.push_back({node.get(), after});
    return all;
}

std::unique_ptr<Graph> Graph::clone() const {
    auto copy = std::make_unique<Graph>();
    copy->conditions_ = conditions_;
    copy->user_objects_.add(user_objects_);
    std::map<const GraphNode*, GraphNode*> copies;
    for (auto& node : nodes_) {
        auto parameters = node->parameters_;
        if (auto* child = std::get_if<ChildGraphNode>(&parameters)) child->graph = child->graph->clone();
        if (auto* conditional = std::get_if<ConditionalNode>(&parameters)) {
            for (auto& body : conditional->bodies) body = body->clone();
            conditional->handles = nullptr;
        }
        auto& made = copy->add(std::move(parameters), {});
        made.original_ = node.get();
        made.local_id_ = node->local_id_;
        made.enabled = node->enabled;
        copies[node.get()] = &made;
    }
    for (auto& node : nodes_)
        for (auto* before : node->dependencies_) copy->add_edge(*copies.at(before), *copies.at(node.get()));
    copy->next_local_id_ = next_local_id_;
    return copy;
}

void Graph::collect_user_objects(UserReferences& into) const {
    into.add(user_objects_);
    for (auto& node : nodes_) {
        if (auto* child = std::get_if<ChildGraphNode>(&node->parameters_)) child->graph->collect_user_objects(into);
        if (auto* conditional = std::get_if<ConditionalNode>(&node->parameters_))
            for (auto& body : conditional->bodies) body->collect_user_objects(into);
    }
}

GraphNode* Graph::copy_of(const GraphNode& original) const {
    for (auto& node : nodes_)
        if (node->original_ == &original) return node.get();
    return nullptr;
}

std::vector<GraphNode*> Graph::ordered() const {
    std::map<const GraphNode*, size_t> waiting;
    std::vector<GraphNode*> order;
    for (auto& node : nodes_) {
        waiting[node.get()] = node->dependencies_.size();
        if (node->dependencies_.empty()) order.push_back(node.get());
    }
    for (size_t i = 0; i < order.size(); i++)
        for (auto* after : order[i]->dependents_)
            if (--waiting[after] == 0) order.push_back(after);
    if (order.size() != nodes_.size()) throw Error(Status::invalid_value, "the graph has a cycle");
    return order;
}

} // namespace rt
