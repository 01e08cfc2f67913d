#include "driver_fixture.h"

#include <atomic>
#include <chrono>
#include <climits>
#include <thread>

using namespace shim;

// User objects and the attributes of streams.
namespace {

class UserObjects : public Driver {
  protected:
    static void count_up(void* counter) { ++*static_cast<std::atomic<int>*>(counter); }
    CUuserObject object(unsigned references = 1) {
        CUuserObject made = nullptr;
        EXPECT_OK(cuUserObjectCreate(&made, &destroyed, count_up, references, CU_USER_OBJECT_NO_DESTRUCTOR_SYNC));
        return made;
    }
    std::atomic<int> destroyed{0};
};

TEST_F(UserObjects, LastReferenceCallsTheFunction) {
    CUuserObject made = object(3);
    EXPECT_OK(cuUserObjectRetain(made, 2));
    EXPECT_OK(cuUserObjectRelease(made, 4));
    EXPECT_EQ(destroyed, 0);
    EXPECT_STATUS(invalid_value, cuUserObjectRelease(made, 2));
    EXPECT_OK(cuUserObjectRelease(made, 1));
    EXPECT_EQ(destroyed, 1);
    EXPECT_STATUS(invalid_value, cuUserObjectRelease(made, 1));
    EXPECT_STATUS(invalid_value, cuUserObjectRetain(made, 1));
}

TEST_F(UserObjects, WrongArguments) {
    CUuserObject made = nullptr;
    EXPECT_STATUS(invalid_value, cuUserObjectCreate(&made, nullptr, count_up, 1, 0));
    EXPECT_STATUS(invalid_value, cuUserObjectCreate(&made, nullptr, count_up, 0, 1));
    EXPECT_STATUS(invalid_value, cuUserObjectCreate(&made, nullptr, count_up, unsigned(INT_MAX) + 1, 1));
    EXPECT_STATUS(invalid_value, cuUserObjectCreate(&made, nullptr, nullptr, 1, 1));
    EXPECT_STATUS(invalid_value, cuUserObjectCreate(nullptr, nullptr, count_up, 1, 1));
    made = object();
    EXPECT_STATUS(invalid_value, cuUserObjectRetain(made, 0));
    CUgraph graph = nullptr;
    ASSERT_OK(cuGraphCreate(&graph, 0));
    EXPECT_STATUS(invalid_value, cuGraphRetainUserObject(graph, made, 1, 2));
    EXPECT_STATUS(invalid_value, cuGraphReleaseUserObject(graph, made, 1));
    EXPECT_OK(cuGraphDestroy(graph));
    EXPECT_OK(cuUserObjectRelease(made, 1));
    EXPECT_EQ(destroyed, 1);
}

TEST_F(UserObjects, GraphsAndTheirCopiesKeepThem) {
    CUuserObject made = object();
    CUgraph graph = nullptr, clone = nullptr, parent = nullptr;
    CUgraphNode node = nullptr;
    ASSERT_OK(cuGraphCreate(&graph, 0));
    ASSERT_OK(cuGraphRetainUserObject(graph, made, 1, CU_GRAPH_USER_OBJECT_MOVE));
    ASSERT_OK(cuGraphRetainUserObject(graph, made, 2, 0));
    ASSERT_OK(cuGraphReleaseUserObject(graph, made, 1));
    ASSERT_OK(cuGraphClone(&clone, graph));
    ASSERT_OK(cuGraphCreate(&parent, 0));
    ASSERT_OK(cuGraphAddChildGraphNode(&node, parent, nullptr, 0, clone));
    ASSERT_OK(cuGraphDestroy(graph));
    ASSERT_OK(cuGraphDestroy(clone));
    EXPECT_EQ(destroyed, 0);
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, parent, 0));
    ASSERT_OK(cuGraphDestroy(parent));
    EXPECT_EQ(destroyed, 0);
    EXPECT_OK(cuGraphExecDestroy(exec));
    EXPECT_EQ(destroyed, 1);
}

TEST_F(UserObjects, ALaunchKeepsThemToItsEnd) {
    static std::atomic<bool> go;
    go = false;
    CUgraph graph = nullptr;
    CUgraphNode node = nullptr;
    CUgraphExec exec = nullptr;
    CUstream stream = nullptr;
    ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    ASSERT_OK(cuGraphCreate(&graph, 0));
    const CUDA_HOST_NODE_PARAMS waits{[](void*) {
                                          while (!go) std::this_thread::yield();
                                      },
                                      nullptr};
    ASSERT_OK(cuGraphAddHostNode(&node, graph, nullptr, 0, &waits));
    ASSERT_OK(cuGraphRetainUserObject(graph, object(), 1, CU_GRAPH_USER_OBJECT_MOVE));
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    ASSERT_OK(cuGraphDestroy(graph));
    ASSERT_OK(cuGraphLaunch(exec, stream));
    ASSERT_OK(cuGraphExecDestroy(exec));
    EXPECT_EQ(destroyed, 0);
    go = true;
    ASSERT_OK(cuStreamSynchronize(stream));
    // The function is called by a thread of the driver's, soon.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!destroyed && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_EQ(destroyed, 1);
    ASSERT_OK(cuStreamDestroy_v2(stream));
}

TEST_F(UserObjects, StreamAttributesAreKept) {
    CUstream one = nullptr, other = nullptr;
    ASSERT_OK(cuStreamCreateWithPriority(&one, CU_STREAM_NON_BLOCKING, -2));
    ASSERT_OK(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING));
    CUstreamAttrValue value{};
    ASSERT_OK(cuStreamGetAttribute(one, CU_LAUNCH_ATTRIBUTE_PRIORITY, &value));
    EXPECT_EQ(value.priority, -2);
    ASSERT_OK(cuStreamGetAttribute(one, CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY, &value));
    EXPECT_EQ(value.syncPolicy, CU_SYNC_POLICY_AUTO);
    value.syncPolicy = 5;
    EXPECT_STATUS(invalid_value, cuStreamSetAttribute(one, CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY, &value));
    value.syncPolicy = CU_SYNC_POLICY_YIELD;
    ASSERT_OK(cuStreamSetAttribute(one, CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY, &value));
    value = {};
    value.memSyncDomain = CU_LAUNCH_MEM_SYNC_DOMAIN_REMOTE;
    ASSERT_OK(cuStreamSetAttribute(one, CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN, &value));
    ASSERT_OK(cuStreamCopyAttributes(other, one));
    ASSERT_OK(cuStreamGetAttribute(other, CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY, &value));
    EXPECT_EQ(value.syncPolicy, CU_SYNC_POLICY_YIELD);
    ASSERT_OK(cuStreamGetAttribute(other, CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN, &value));
    EXPECT_EQ(value.memSyncDomain, CU_LAUNCH_MEM_SYNC_DOMAIN_REMOTE);
    // The device says that it has no window, and takes none.
    value = {};
    ASSERT_OK(cuStreamSetAttribute(one, CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW, &value));
    value.accessPolicyWindow.num_bytes = 4096;
    EXPECT_STATUS(invalid_value, cuStreamSetAttribute(one, CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW, &value));
    EXPECT_STATUS(invalid_value, cuStreamGetAttribute(one, CU_LAUNCH_ATTRIBUTE_COOPERATIVE, &value));
    ASSERT_OK(cuStreamDestroy_v2(one));
    ASSERT_OK(cuStreamDestroy_v2(other));
}

} // namespace
