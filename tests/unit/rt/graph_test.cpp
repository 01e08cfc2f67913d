#include "fixture.h"

#include "rt/graph.h"

#include <thread>

using namespace rt;

class GraphTest : public RuntimeTest {
  protected:
    KernelNode kernel(const char* name) { return {.function = module->function(name)}; }
    std::string run(GraphExec& exec) {
        Stream& stream = create_stream();
        fake.done.clear();
        exec.launch(stream);
        stream.synchronize();
        return fake.done;
    }
    std::string run(const Graph& graph) {
        GraphExec exec(graph);
        return run(exec);
    }
    Event& create_event() { return *new Event(*context, 2); }
};

TEST_F(GraphTest, RunsInOrderOfDependencies) {
    Graph graph;
    auto& d = graph.add(kernel("d"), {});
    auto& a = graph.add(kernel("a"), {});
    auto& b = graph.add(kernel("b"), {&a});
    auto& empty = graph.add(EmptyNode{}, {&b});
    graph.add_edge(empty, d);
    EXPECT_EQ(run(graph), "abd");
    EXPECT_EQ(graph.roots(), std::vector<GraphNode*>{&a});
    EXPECT_EQ(graph.edges().size(), 3u);
    EXPECT_EQ(d.dependencies(), std::vector<GraphNode*>{&empty});
    EXPECT_EQ(a.dependents(), std::vector<GraphNode*>{&b});
    graph.remove_edge(empty, d);
    graph.remove(b);
    EXPECT_EQ(run(graph), "da");
    EXPECT_EQ(graph.nodes().size(), 3u);
}

TEST_F(GraphTest, Mistakes) {
    Graph graph, other;
    auto& a = graph.add(kernel("a"), {});
    auto& b = graph.add(kernel("b"), {&a});
    auto& foreign = other.add(EmptyNode{}, {});
    EXPECT_EQ(status_of([&] { graph.add(EmptyNode{}, {&foreign}); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { graph.add(EmptyNode{}, {&a, &a}); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { graph.add_edge(a, a); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { graph.add_edge(a, b); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { graph.remove_edge(b, a); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { a.set_parameters(EmptyNode{}); }), Status::invalid_value);
    EXPECT_EQ(graph.nodes().size(), 2u);
    graph.add_edge(b, a);
    EXPECT_EQ(status_of([&] { GraphExec exec(graph); }), Status::invalid_value) << "a cycle";
}

TEST_F(GraphTest, MemoryHostEventAndChildNodes) {
    const uint64_t memory = memory::allocate(*context, 16, fake::MemoryKind::device);
    uint32_t out[4] = {};
    Event& event = create_event();
    auto child = std::make_shared<Graph>();
    child->add(kernel("c"), {&child->add(kernel("b"), {})});
    Graph graph;
    auto& fill = graph.add(backend::Fill{.destination = memory, .value = 5, .element_bytes = 4, .width = 4}, {});
    auto& copy = graph.add(backend::Copy{.destination = uint64_t(out), .source = memory, .width = 16}, {&fill});
    auto& host = graph.add(HostNode{{[](void* done) { *static_cast<std::string*>(done) += "!"; }, &fake.done}, nullptr},
                           {&copy});
    auto& inner = graph.add(ChildGraphNode{child}, {&host});
    graph.add(RecordEventNode{&event}, {&inner});
    EXPECT_EQ(run(graph), "!bc");
    EXPECT_EQ(out[3], 5u);
    EXPECT_TRUE(event.recorded());
    EXPECT_EQ(fill.type(), GraphNodeType::fill);
    EXPECT_EQ(inner.type(), GraphNodeType::graph);
}

TEST_F(GraphTest, CloneIsDeep) {
    Graph graph;
    auto& a = graph.add(kernel("a"), {});
    graph.add(kernel("b"), {&a});
    auto clone = graph.clone();
    ASSERT_NE(clone->copy_of(a), nullptr);
    EXPECT_NE(clone->copy_of(a), &a);
    clone->copy_of(a)->set_parameters(kernel("e"));
    EXPECT_EQ(run(graph), "ab");
    EXPECT_EQ(run(*clone), "eb");
    EXPECT_EQ(graph.copy_of(a), nullptr);
}

TEST_F(GraphTest, ExecutableChanges) {
    Graph graph;
    auto& a = graph.add(kernel("a"), {});
    auto& b = graph.add(kernel("b"), {&a});
    GraphExec exec(graph);
    exec.node(a).set_parameters(kernel("c"));
    EXPECT_EQ(run(exec), "cb");
    EXPECT_EQ(run(graph), "ab");
    exec.node(b).enabled = false;
    EXPECT_EQ(run(exec), "c");

    Graph same, longer, rewired, other_type;
    auto& d = same.add(kernel("d"), {});
    same.add(kernel("e"), {&d});
    GraphNode* at = nullptr;
    longer.add(kernel("d"), {});
    EXPECT_EQ(exec.update(longer, at), GraphUpdate::topology_changed);
    rewired.add(kernel("d"), {});
    auto& loose = rewired.add(kernel("e"), {});
    EXPECT_EQ(exec.update(rewired, at), GraphUpdate::topology_changed);
    EXPECT_EQ(at, &loose);
    other_type.add(EmptyNode{}, {});
    other_type.add(kernel("d"), {});
    EXPECT_EQ(exec.update(other_type, at), GraphUpdate::node_type_changed);
    EXPECT_EQ(run(exec), "c") << "a failed update changes nothing";
    EXPECT_EQ(exec.update(same, at), GraphUpdate::success);
    EXPECT_EQ(run(exec), "d") << "the second node is still disabled";
    EXPECT_EQ(status_of([&] { exec.node(a); }), Status::invalid_value);
}

TEST_F(GraphTest, KernelArguments) {
    auto& info = fake::program("arguments").info;
    info.kernels.clear();
    auto& two = info.kernels.emplace_back();
    two.name = "two";
    two.parameters = {{0, 4, 4}, {8, 8, 8}};
    two.parameter_bytes = 16;
    auto* arguments = new Module(*context, load_program("arguments"));
    int x = 5;
    long y = 6;
    void* pointers[] = {&x, &y};
    Function* function = arguments->function("two");
    Graph graph;
    auto& node = graph.add(KernelNode{.function = function, .parameters = function->pack(pointers)}, {});
    EXPECT_EQ(*(int*)node.kernel_arguments()[0], 5);
    EXPECT_EQ(*(long*)node.kernel_arguments()[1], 6);
    y = 60;
    node.set_parameters(KernelNode{.function = function, .parameters = function->pack(pointers)});
    EXPECT_EQ(*(long*)node.kernel_arguments()[1], 60);
    GraphExec exec(graph);
    delete arguments;
    EXPECT_EQ(status_of([&] { exec.launch(create_stream()); }), Status::invalid_handle) << "the module is gone";
}

// ---- Capture

TEST_F(GraphTest, CapturesInsteadOfRunning) {
    Stream& stream = create_stream();
    capture::begin(stream, CaptureMode::global);
    EXPECT_EQ(capture::info(stream).status, CaptureStatus::active);
    launch("a", stream);
    stream.call([&] { fake.done += "!"; });
    launch("b", stream);
    EXPECT_EQ(capture::info(stream).dependencies.size(), 1u);
    EXPECT_EQ(status_of([&] { capture::info(context->legacy_stream()); }), Status::stream_capture_implicit);
    auto graph = capture::end(stream);
    EXPECT_EQ(capture::info(stream).status, CaptureStatus::none);
    context->synchronize();
    EXPECT_EQ(fake.done, "");
    ASSERT_EQ(graph->nodes().size(), 3u);
    EXPECT_EQ(graph->edges().size(), 2u);
    EXPECT_EQ(run(*graph), "a!b");
    EXPECT_EQ(run(*graph), "a!b");
    launch("c", stream);
    stream.synchronize();
    EXPECT_EQ(fake.done, "a!bc") << "the stream is an ordinary one again";
}

TEST_F(GraphTest, ForkAndJoin) {
    Stream &main = create_stream(non_blocking), &side = create_stream(non_blocking);
    Event &fork = create_event(), &join = create_event();
    capture::begin(main, CaptureMode::relaxed);
    launch("a", main);
    main.record(fork);
    side.wait_for(fork);
    launch("b", side);
    launch("c", main);
    side.record(join);
    EXPECT_EQ(capture::info(side).id, capture::info(main).id);
    main.wait_for(join);
    launch("d", main);
    auto graph = capture::end(main);
    EXPECT_EQ(capture::info(side).status, CaptureStatus::none);
    ASSERT_EQ(graph->nodes().size(), 4u);
    EXPECT_EQ(graph->edges().size(), 4u);
    const std::string order = run(*graph);
    EXPECT_TRUE(order == "abcd" || order == "acbd") << order;
    EXPECT_EQ(status_of([&] { main.wait_for(join); }), Status::captured_event);
    EXPECT_EQ(status_of([&] { join.reached(); }), Status::captured_event);
    side.record(join);
    main.wait_for(join);
}

TEST_F(GraphTest, CaptureMistakes) {
    Stream &stream = create_stream(), &side = create_stream(non_blocking);
    Event &event = create_event(), &outside = create_event();
    auto fails = [&](Status status, auto&& call) {
        EXPECT_EQ(capture::info(stream).status, CaptureStatus::none);
        capture::begin(stream, CaptureMode::global);
        launch("a", stream);
        EXPECT_EQ(status_of(call), status);
        EXPECT_EQ(status_of([&] { launch("b", stream); }), Status::stream_capture_invalidated);
        EXPECT_EQ(capture::info(stream).status, CaptureStatus::invalidated);
        EXPECT_EQ(status_of([&] { capture::end(stream); }), Status::stream_capture_invalidated);
    };
    fails(Status::stream_capture_unsupported, [&] { stream.synchronize(); });
    fails(Status::stream_capture_unsupported, [&] { stream.idle(); });
    fails(Status::stream_capture_unsupported, [&] { context->synchronize(); });
    fails(Status::stream_capture_implicit, [&] { launch("c", context->legacy_stream()); });
    fails(Status::stream_capture_unsupported, [&] { memory::allocate(*context, 16, fake::MemoryKind::device); });
    fails(Status::stream_capture_unsupported, [&] { memory::allocate_async(*context, 16, stream); });
    fails(Status::captured_event, [&] {
        stream.record(event);
        event.synchronize();
    });
    outside.set_marker(nullptr);
    launch("d", side);
    side.record(outside);
    fails(Status::stream_capture_isolation, [&] { stream.wait_for(outside); });
    fails(Status::stream_capture_unmatched, [&] {
        stream.record(event);
        side.wait_for(event);
        capture::end(side);
    });

    EXPECT_EQ(status_of([&] { capture::begin(context->legacy_stream(), CaptureMode::global); }),
              Status::stream_capture_unsupported);
    EXPECT_EQ(status_of([&] { capture::end(stream); }), Status::illegal_state);
    capture::begin(stream, CaptureMode::global);
    EXPECT_EQ(status_of([&] { capture::begin(stream, CaptureMode::global); }), Status::illegal_state);
    launch("a", stream);
    stream.record(event);
    side.wait_for(event);
    launch("b", side);
    EXPECT_EQ(status_of([&] { capture::end(stream); }), Status::stream_capture_unjoined);
    launch("e", side);
    side.synchronize();
    EXPECT_EQ(fake.done, "de") << "nothing captured ran, and the streams are ordinary again";
}

TEST_F(GraphTest, CaptureModes) {
    Stream& stream = create_stream();
    auto allocate = [&] {
        memory::release(*context, memory::allocate(*context, 16, fake::MemoryKind::device), fake::MemoryKind::device);
    };
    auto elsewhere = [&] {
        Status status;
        std::thread([&] { status = status_of(allocate); }).join();
        return status;
    };
    struct Row {
        CaptureMode mode;
        Status here, there;
    };
    for (auto [mode, here, there] :
         {Row{CaptureMode::global, Status::stream_capture_unsupported, Status::stream_capture_unsupported},
          {CaptureMode::thread_local_, Status::stream_capture_unsupported, Status::success},
          {CaptureMode::relaxed, Status::success, Status::success}}) {
        capture::begin(stream, mode);
        EXPECT_EQ(elsewhere(), there);
        EXPECT_EQ(status_of(allocate), here);
        const bool spoilt = here != Status::success || there != Status::success;
        EXPECT_EQ(status_of([&] { capture::end(stream); }),
                  spoilt ? Status::stream_capture_invalidated : Status::success);
    }
    capture::begin(stream, CaptureMode::global);
    EXPECT_EQ(capture::exchange_mode(CaptureMode::relaxed), CaptureMode::global);
    allocate();
    EXPECT_EQ(capture::exchange_mode(CaptureMode::global), CaptureMode::relaxed);
    Status status;
    std::thread([&] { status = status_of([&] { capture::end(stream); }); }).join();
    EXPECT_EQ(status, Status::stream_capture_wrong_thread);
    EXPECT_TRUE(capture::end(stream));
}

// As an H100's driver has it.
TEST_F(GraphTest, ExecutableGraphsAreNotCaptured) {
    Graph graph;
    graph.add(kernel("a"), {});
    GraphExec exec(graph);
    Stream& stream = create_stream();
    for (const auto& call : {&GraphExec::launch, &GraphExec::upload}) {
        capture::begin(stream, CaptureMode::global);
        EXPECT_EQ(status_of([&] { (exec.*call)(stream); }), Status::stream_capture_unsupported);
        EXPECT_EQ(status_of([&] { capture::end(stream); }), Status::stream_capture_invalidated);
    }
}

TEST_F(GraphTest, CaptureIntoAGraph) {
    Graph graph;
    auto& first = graph.add(kernel("a"), {});
    Stream& stream = create_stream();
    capture::begin(stream, CaptureMode::global, &graph, {&first});
    launch("b", stream);
    auto& extra = graph.add(kernel("c"), {});
    capture::set_dependencies(stream, {&extra}, false);
    launch("d", stream);
    Graph* into = nullptr;
    EXPECT_EQ(capture::end(stream, &into), nullptr);
    EXPECT_EQ(into, &graph);
    EXPECT_EQ(graph.nodes().back()->dependencies().size(), 2u);
    EXPECT_EQ(run(graph).back(), 'd');
}

TEST_F(GraphTest, DestroyedWhileCapturing) {
    auto* doomed = new Stream(*context, 0, 0, Stream::Role::created);
    capture::begin(*doomed, CaptureMode::global);
    launch("a", *doomed);
    delete doomed;
    memory::allocate(*context, 16, fake::MemoryKind::device); // nothing captures any more
    EXPECT_EQ(fake.done, "");
}
