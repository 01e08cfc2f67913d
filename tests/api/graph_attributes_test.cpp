#include "driver_fixture.h"
#include "kernels.h"

#include <cstring>

// Attributes of kernel nodes: which there are, their defaults and what is refused are an H100's.
using namespace shim;

namespace {

class KernelNodeAttributes : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        ASSERT_OK(cuModuleLoadData(&module, kernels::add));
        ASSERT_OK(cuModuleGetFunction(&params.func, module, "add"));
        params.gridDimX = params.gridDimY = params.gridDimZ = 1;
        params.blockDimX = params.blockDimY = params.blockDimZ = 1;
        params.kernelParams = arguments;
        ASSERT_OK(cuGraphCreate(&graph, 0));
        ASSERT_OK(cuGraphAddKernelNode_v2(&node, graph, nullptr, 0, &params));
    }
    void TearDown() override {
        EXPECT_OK(cuGraphDestroy(graph));
        EXPECT_OK(cuModuleUnload(module));
        Driver::TearDown();
    }
    int set(CUkernelNodeAttrID id, int value) {
        CUkernelNodeAttrValue given{};
        std::memcpy(&given, &value, sizeof value);
        return cuGraphKernelNodeSetAttribute(node, id, &given);
    }
    int get(CUkernelNodeAttrID id, CUgraphNode of = nullptr) {
        CUkernelNodeAttrValue value{};
        EXPECT_OK(cuGraphKernelNodeGetAttribute(of ? of : node, id, &value));
        int word = 0;
        std::memcpy(&word, &value, sizeof word);
        return word;
    }

    uint64_t to = 0, from = 0;
    unsigned count = 0, addend = 0;
    void* arguments[4] = {&to, &from, &count, &addend};
    CUDA_KERNEL_NODE_PARAMS params{};
    CUmodule module = nullptr;
    CUgraph graph = nullptr;
    CUgraphNode node = nullptr;
};

TEST_F(KernelNodeAttributes, AreKept) {
    CUkernelNodeAttrValue value{};
    for (const int none : {-1, 0, 3, 6, 7, 11, 12, 15, 16, 17}) {
        EXPECT_STATUS(invalid_value, cuGraphKernelNodeGetAttribute(node, none, &value));
        if (none != CU_LAUNCH_ATTRIBUTE_NVLINK_UTIL_CENTRIC_SCHEDULING) {
            EXPECT_STATUS(invalid_value, cuGraphKernelNodeSetAttribute(node, none, &value));
        }
    }
    EXPECT_EQ(get(CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP), 0x0100);
    EXPECT_EQ(get(CU_LAUNCH_ATTRIBUTE_PRIORITY), 0);
    EXPECT_OK(set(CU_LAUNCH_ATTRIBUTE_PRIORITY, -3));
    EXPECT_EQ(get(CU_LAUNCH_ATTRIBUTE_PRIORITY), -3);
    EXPECT_OK(set(CU_LAUNCH_ATTRIBUTE_PRIORITY, 1));
    EXPECT_EQ(get(CU_LAUNCH_ATTRIBUTE_PRIORITY), 0);
    EXPECT_OK(set(CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN, 1));
    EXPECT_STATUS(invalid_value, set(CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN, -3));
    EXPECT_EQ(get(CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN), 1);
    EXPECT_STATUS(invalid_value, set(CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, -3));
    EXPECT_OK(set(CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, 50));
    EXPECT_EQ(get(CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT), 50);
    EXPECT_OK(set(CU_LAUNCH_ATTRIBUTE_DEVICE_UPDATABLE_KERNEL_NODE, 0));
    EXPECT_STATUS(not_supported, set(CU_LAUNCH_ATTRIBUTE_DEVICE_UPDATABLE_KERNEL_NODE, 1));
    EXPECT_STATUS(invalid_cluster_size, set(CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION, 1)); // 1, 0, 0
    value = {};
    value.accessPolicyWindow.num_bytes = 4096;
    value.accessPolicyWindow.hitRatio = 0.5f;
    EXPECT_OK(cuGraphKernelNodeSetAttribute(node, CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW, &value));
    value = {};
    EXPECT_OK(cuGraphKernelNodeGetAttribute(node, CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW, &value));
    EXPECT_EQ(value.accessPolicyWindow.num_bytes, 4096u);
    EXPECT_EQ(value.accessPolicyWindow.hitRatio, 0.5f);
}

TEST_F(KernelNodeAttributes, AreCopiedAndSurviveNewParameters) {
    CUgraphNode other = nullptr, empty = nullptr;
    ASSERT_OK(cuGraphAddKernelNode_v2(&other, graph, nullptr, 0, &params));
    ASSERT_OK(cuGraphAddEmptyNode(&empty, graph, nullptr, 0));
    ASSERT_OK(set(CU_LAUNCH_ATTRIBUTE_PRIORITY, -2));
    ASSERT_OK(set(CU_LAUNCH_ATTRIBUTE_COOPERATIVE, 1));
    ASSERT_OK(cuGraphKernelNodeCopyAttributes(other, node));
    EXPECT_EQ(get(CU_LAUNCH_ATTRIBUTE_PRIORITY, other), -2);
    EXPECT_EQ(get(CU_LAUNCH_ATTRIBUTE_COOPERATIVE, other), 1);
    EXPECT_STATUS(invalid_value, cuGraphKernelNodeCopyAttributes(other, empty));
    EXPECT_STATUS(invalid_value, cuGraphKernelNodeCopyAttributes(empty, other));
    params.gridDimX = 2;
    ASSERT_OK(cuGraphKernelNodeSetParams_v2(node, &params));
    EXPECT_EQ(get(CU_LAUNCH_ATTRIBUTE_COOPERATIVE), 1);
    EXPECT_EQ(get(CU_LAUNCH_ATTRIBUTE_PRIORITY), -2);
}

} // namespace
