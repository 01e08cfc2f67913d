// Clusters, which are work groups: what fits, and what faults in them are called.
#include "backend/clusters.h"
#include "seam_kernels.h"
#include "rt/error.h"

using namespace rt;
using namespace rt::backend;

namespace {

constexpr std::string_view kernels = R"(
.version 7.8
.target sm_90
.address_size 64
.extern .func __assertfail(.param .b64 message, .param .b64 file, .param .b32 line, .param .b64 function,
                           .param .b64 char_size);

.visible .entry meet()
{
    barrier.cluster.arrive;
    barrier.cluster.wait;
    ret;
}

// The thread of these numbers traps, or asserts.
.visible .entry traps(.param .u32 block, .param .u32 x, .param .u32 y)
{
    .reg .pred %p;
    .reg .b32 %a, %b;
    barrier.cluster.arrive;
    barrier.cluster.wait;
    ld.param.u32 %a, [block];
    mov.u32 %b, %ctaid.x;
    setp.eq.u32 %p, %a, %b;
    ld.param.u32 %a, [x];
    mov.u32 %b, %tid.x;
    setp.eq.and.u32 %p, %a, %b, %p;
    ld.param.u32 %a, [y];
    mov.u32 %b, %tid.y;
    setp.eq.and.u32 %p, %a, %b, %p;
    @%p trap;
    ret;
}

.visible .entry asserts(.param .u32 block, .param .u32 x, .param .u32 y)
{
    .reg .pred %p;
    .reg .b32 %a, %b;
    .reg .b64 %nothing;
    barrier.cluster.arrive;
    barrier.cluster.wait;
    ld.param.u32 %a, [block];
    mov.u32 %b, %ctaid.x;
    setp.ne.u32 %p, %a, %b;
    @%p bra done;
    ld.param.u32 %a, [x];
    mov.u32 %b, %tid.x;
    setp.ne.u32 %p, %a, %b;
    @%p bra done;
    ld.param.u32 %a, [y];
    mov.u32 %b, %tid.y;
    setp.ne.u32 %p, %a, %b;
    @%p bra done;
    mov.u64 %nothing, 0;
    {
        .param .b64 message;
        .param .b64 file;
        .param .b32 line;
        .param .b64 function;
        .param .b64 size;
        st.param.b64 [message], %nothing;
        st.param.b64 [file], %nothing;
        st.param.b32 [line], 7;
        st.param.b64 [function], %nothing;
        st.param.b64 [size], 1;
        call __assertfail, (message, file, line, function, size);
    }
done:
    ret;
}
)";

class Clusters : public seam::Kernels {
  protected:
    Clusters() : Kernels(kernels) {}

    Launch cluster_of(const std::string& name, Dim3 cluster, Dim3 block, uint32_t shared = 0) {
        Launch launch;
        launch.kernel = &kernel(name);
        launch.grid = launch.cluster = cluster;
        launch.block = block;
        launch.dynamic_shared_bytes = shared;
        return launch;
    }
    /// Of the launch alone: CUDA_SUCCESS, or why it is refused.
    Status launched(const Launch& launch) {
        try {
            queue->launch(launch);
            queue->synchronize();
            return Status::success;
        } catch (const Error& error) {
            return error.status();
        }
    }
    uint64_t resident(const Launch& launch) {
        return dynamic_cast<const ClusterLimits&>(device()).resident_clusters(launch);
    }
    /// What the fault of a thread in block `block` of two clusters of four blocks says.
    std::string fault_at(const std::string& name, uint32_t block, uint32_t x, uint32_t y, Fault expected) {
        Launch launch = cluster_of(name, {4}, {11, 5});
        launch.grid = {8};
        const std::vector<uint8_t> parameters = pack(block, x, y);
        launch.parameters = parameters;
        queue->launch(launch);
        queue->synchronize();
        std::string message;
        EXPECT_EQ(queue->fault(&message), expected);
        queue.reset(); // faults stay
        queue = device().create_queue(0);
        return message;
    }
};

} // namespace

TEST_F(Clusters, HaveTheThreadsOfAWorkGroup) {
    const Launch whole = cluster_of("meet", {8}, {128}), more = cluster_of("meet", {8}, {129});
    EXPECT_EQ(launched(whole), Status::success);
    EXPECT_GE(resident(whole), 1u);
    EXPECT_EQ(launched(more), Status::invalid_cluster_size);
    EXPECT_EQ(resident(more), 0u);
    // Blocks have whole waves: two of 33 threads are four waves of 32 lanes, or two of 64.
    EXPECT_EQ(launched(cluster_of("meet", {16}, {33})), Status::success);
}

TEST_F(Clusters, HaveTheSharedMemoryOfAWorkGroup) {
    const uint32_t own = (kernel("meet").info().static_shared_bytes + 15) & ~15u, all = 64 << 10;
    const Launch whole = cluster_of("meet", {4}, {32}, all / 4 - own);
    const Launch more = cluster_of("meet", {4}, {32}, all / 4 - own + 1);
    EXPECT_EQ(launched(whole), Status::success);
    EXPECT_GE(resident(whole), 1u);
    EXPECT_EQ(launched(more), Status::invalid_cluster_size);
    EXPECT_EQ(resident(more), 0u);
    EXPECT_EQ(launched(cluster_of("meet", {1}, {32}, all - own)), Status::success);
}

TEST_F(Clusters, FaultsNameBlocksAndTheirThreads) {
    EXPECT_EQ(fault_at("traps", 6, 7, 3, Fault::trap), "block [6,0,0], thread [7,3,0]: trap");
    EXPECT_EQ(fault_at("traps", 1, 10, 4, Fault::trap), "block [1,0,0], thread [10,4,0]: trap");
    testing::internal::CaptureStderr();
    EXPECT_EQ(fault_at("asserts", 3, 2, 1, Fault::assertion), "block [3,0,0], thread [2,1,0]: assertion failed");
    const std::string printed = testing::internal::GetCapturedStderr();
    EXPECT_NE(printed.find("block: [3,0,0], thread: [2,1,0]"), std::string::npos) << printed;
}
