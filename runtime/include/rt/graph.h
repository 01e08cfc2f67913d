#pragma once

#include "backend/backend.h"
#include "rt/access_window.h"
#include "rt/conditional.h"
#include "rt/error.h"
#include "rt/external.h"
#include "rt/graph_memory.h"
#include "rt/handle.h"
#include "rt/memory_operations.h"
#include "rt/stream.h"
#include "rt/user_object.h"

#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace rt {

class Device;
class Graph;

/// CUgraphNodeType's numbers.
enum class GraphNodeType : int {
    kernel = 0,
    copy = 1,
    fill = 2,
    host = 3,
    graph = 4,
    empty = 5,
    wait_event = 6,
    record_event = 7,
    signal_semaphores = 8,
    wait_semaphores = 9,
    allocation = 10,
    release = 11,
    memory_operations = 12,
    conditional = 13
};

/// Attributes of kernel nodes that say how a kernel shall run and not what: kept, and given back.
struct KernelAttributes {
    AccessWindow window;
    int cluster_policy = 0; ///< CUclusterSchedulingPolicy
    int priority = 0;
    uint8_t domain_map[2] = {0, 1}; ///< as an H100's driver has them at first
    int domain = 0;
    unsigned carveout = 0; ///< percent
};

struct KernelNode {
    Function* function = nullptr;
    backend::Dim3 grid = {}, block = {}, cluster = {0, 0, 0};
    uint32_t dynamic_shared_bytes = 0;
    bool cooperative = false;
    std::vector<uint8_t> parameters = {}; ///< packed
    KernelAttributes attributes = {};
};
/// A host function. A captured closure of the runtime's own has only `closure`.
struct HostNode {
    HostFunction host;
    std::function<void()> closure;
};
struct ChildGraphNode {
    std::shared_ptr<Graph> graph; ///< owned by this node alone
};
struct EmptyNode {};
struct WaitEventNode {
    Event* event = nullptr;
};
struct RecordEventNode {
    Event* event = nullptr;
};
struct SignalSemaphoresNode {
    SemaphoreOperations list;
};
struct WaitSemaphoresNode {
    SemaphoreOperations list;
};
struct AllocationNode {
    std::shared_ptr<graph_memory::Block> block;
};
struct ReleaseNode {
    uint64_t address = 0;
};
using NodeParameters =
    std::variant<KernelNode, backend::Copy, backend::Fill, HostNode, ChildGraphNode, EmptyNode, WaitEventNode,
                 RecordEventNode, AllocationNode, ReleaseNode, ConditionalNode, MemoryOperations, SignalSemaphoresNode,
                 WaitSemaphoresNode>;
/// Of each kind of parameters.
inline constexpr GraphNodeType graph_node_types[] = {
    GraphNodeType::kernel,     GraphNodeType::copy,    GraphNodeType::fill,        GraphNodeType::host,
    GraphNodeType::graph,      GraphNodeType::empty,   GraphNodeType::wait_event,  GraphNodeType::record_event,
    GraphNodeType::allocation, GraphNodeType::release, GraphNodeType::conditional, GraphNodeType::memory_operations,
    GraphNodeType::signal_semaphores, GraphNodeType::wait_semaphores};
static_assert(std::size(graph_node_types) == std::variant_size_v<NodeParameters>);

inline NodeParameters semaphore_node(SemaphoreOperations list) {
    if (list.waits) return WaitSemaphoresNode{std::move(list)};
    return SignalSemaphoresNode{std::move(list)};
}

/// CUgraphNode. Belongs to its graph.
class GraphNode : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::graph_node;

    GraphNode(Graph& graph, NodeParameters parameters);

    Graph& graph() { return graph_; }
    /// Its number in its graph, from 0 on, which no other node gets. The copy in a clone, or in an executable graph, has
    /// the same.
    uint32_t local_id() const { return local_id_; }
    GraphNodeType type() const { return graph_node_types[parameters_.index()]; }
    const NodeParameters& parameters() const { return parameters_; }
    /// Throws invalid_value when they are of another type of node.
    void set_parameters(NodeParameters);
    /// Pointers to the arguments inside a kernel node's parameters, as cuGraphKernelNodeGetParams gives them. They stay
    /// until the parameters are set anew.
    void** kernel_arguments();
    const std::vector<GraphNode*>& dependencies() const { return dependencies_; }
    const std::vector<GraphNode*>& dependents() const { return dependents_; }
    /// In an executable graph: a disabled node does nothing.
    bool enabled = true;

  private:
    friend class Graph;
    Graph& graph_;
    uint32_t local_id_ = 0;
    NodeParameters parameters_;
    const GraphNode* original_ = nullptr; ///< only compared, never read
    std::vector<GraphNode*> dependencies_, dependents_;
    std::vector<void*> arguments_;
};

/// CUgraph: nodes and what each waits for. CUDA does not make graphs thread safe, and neither do we.
class Graph : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::graph;
    using Edge = std::pair<GraphNode*, GraphNode*>;

    Graph();
    ~Graph();

    /// From 1 on. No other graph of the process, nor an executable one, has it.
    uint32_t id() const { return id_; }

    /// Throws invalid_value for dependencies that are not nodes of this graph or come twice.
    GraphNode& add(NodeParameters, const std::vector<GraphNode*>& dependencies);
    /// A node that allocates: at the address of memory that was freed before it, if there is some of the right size.
    GraphNode& add_allocation(Device&, size_t bytes, const std::vector<GraphNode*>& dependencies);
    /// A node that frees what a node allocates, of this graph or of another. Throws invalid_value when the address is
    /// not that of such an allocation, or a node of this graph frees it already.
    GraphNode& add_release(uint64_t address, const std::vector<GraphNode*>& dependencies);
    /// A handle for one conditional node of this graph. The graph owns it.
    Condition& add_condition(Context&, uint32_t initial, bool assign);
    /// With one or more empty bodies. Throws invalid_value when the handle is none of this graph's or has a node, or
    /// for a number of bodies that the kind does not have.
    GraphNode& add_conditional(uint64_t handle, ConditionKind, Context&, size_t bodies,
                               const std::vector<GraphNode*>& dependencies);
    bool has_conditions() const { return !conditions_.empty(); }
    /// Throws invalid_value when a body holds nodes that may not be in one.
    void check_bodies() const;
    /// Sets handles to their defaults, at the start of a launch; bodies' too.
    void reset_conditions(Stream&) const;
    void remove(GraphNode&);
    void add_edge(GraphNode& from, GraphNode& to); ///< throws invalid_value when it is there, or for a loop to itself
    void remove_edge(GraphNode& from, GraphNode& to); ///< throws invalid_value when it is not there
    std::vector<GraphNode*> nodes() const;            ///< in the order they were added
    std::vector<GraphNode*> roots() const;
    std::vector<Edge> edges() const;
    std::unique_ptr<Graph> clone() const;
    /// What the graph itself keeps of the application's. CUDA driver API, cuGraphRetainUserObject.
    UserReferences& user_objects() { return user_objects_; }
    /// Adds what it and the graphs inside its nodes keep.
    void collect_user_objects(UserReferences&) const;
    /// In a clone: the node made from `original`; nullptr when there is none.
    GraphNode* copy_of(const GraphNode& original) const;
    /// The nodes, each after all it depends on. Throws invalid_value when there is a cycle.
    std::vector<GraphNode*> ordered() const;

  private:
    bool holds(const GraphNode* node) const;
    const uint32_t id_;
    uint32_t next_local_id_ = 0;
    std::vector<std::unique_ptr<GraphNode>> nodes_;
    std::vector<std::shared_ptr<Condition>> conditions_;
    UserReferences user_objects_;
};

/// CUgraphExecUpdateResult's numbers.
enum class GraphUpdate : int {
    success = 0,
    error = 1,
    topology_changed = 2,
    node_type_changed = 3,
    function_changed = 4,
    parameters_changed = 5,
    not_supported = 6
};

/// CUgraphExec: a copy of a graph, ready to run. A launch puts the nodes on the stream one after another, each after
/// what it depends on.
class GraphExec : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::graph_exec;

    explicit GraphExec(const Graph&);
    ~GraphExec();

    uint32_t id() const { return graph_->id(); }

    /// Both throw stream_capture_unsupported, and spoil the capture, when the stream captures, as an H100's driver has
    /// it.
    void launch(Stream&);
    void upload(Stream&);
    /// Launched again, it frees what it has allocated before and nobody freed.
    bool frees_on_launch = false;
    /// The copy of a node of the graph that this was made from. Throws invalid_value when there is none.
    GraphNode& node(const GraphNode& original);
    /// Takes over the parameters of a graph of the same shape; `at` gets the node that does not fit.
    GraphUpdate update(const Graph&, GraphNode*& at);

  private:
    std::unique_ptr<Graph> graph_;
    std::vector<GraphNode*> order_;
};

/// CUstreamCaptureMode's numbers.
enum class CaptureMode : int { global = 0, thread_local_ = 1, relaxed = 2 };
/// CUstreamCaptureStatus's numbers.
enum class CaptureStatus : int { none = 0, active = 1, invalidated = 2 };

struct CaptureInfo {
    CaptureStatus status = CaptureStatus::none;
    uint64_t id = 0;
    Graph* graph = nullptr;
    std::vector<GraphNode*> dependencies; ///< of the next node
};

/// Stream capture. CUDA driver API, cuStreamBeginCapture. All of it is thread safe.
namespace capture {
/// Throws stream_capture_unsupported for the legacy stream, illegal_state when it captures already. With `into`, adds
/// to that graph, behind `dependencies`.
void begin(Stream&, CaptureMode, Graph* into = nullptr, const std::vector<GraphNode*>& dependencies = {});
/// Ends it and gives the graph to the caller; nullptr when it went into a graph of the caller's. Throws illegal_state,
/// stream_capture_unmatched, _wrong_thread, _unjoined, _invalidated.
std::unique_ptr<Graph> end(Stream&, Graph** into = nullptr);
CaptureInfo info(Stream&);
/// A node behind what the stream did, which must capture: CU_EVENT_RECORD_EXTERNAL and CU_EVENT_WAIT_EXTERNAL make nodes
/// of events, where otherwise an event stands for a place in the capture.
void add_event(Stream&, NodeParameters);
/// Replaces what the next node depends on, or adds to it.
void set_dependencies(Stream&, const std::vector<GraphNode*>&, bool replace);
/// cuThreadExchangeStreamCaptureMode: sets the calling thread's mode and gives the old one.
CaptureMode exchange_mode(CaptureMode);
/// For calls that CUDA calls unsafe while capturing: throws stream_capture_unsupported, and ends captures' validity,
/// where the modes of the capture and of the thread say so. A load of an atomic when nothing captures.
void forbid_unsafe();
/// For what cannot be captured: throws stream_capture_unsupported, and spoils the capture, if the stream captures.
void forbid(Stream&, const char* why = "the stream is capturing");
} // namespace capture

} // namespace rt
