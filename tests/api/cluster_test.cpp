// Launches with clusters: each row is what an H100's driver answered. Run with CUTTLE_COMPUTE_CAPABILITY=90.
#include "driver_fixture.h"

#include <optional>
#include <string>

using namespace shim;

namespace {

struct Shape {
    unsigned x, y, z;
};

class Clusters : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        int available = 0;
        ASSERT_OK(cuDeviceGetAttribute(&available, CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH, 0));
        ASSERT_EQ(available, 1);
    }

    CUfunction kernel(const std::string& directives) {
        const std::string text = ".version 8.0\n.target sm_90\n.address_size 64\n.visible .entry k()\n" + directives +
                                 "\n{ barrier.cluster.arrive; barrier.cluster.wait; ret; }\n";
        CUmodule module = nullptr;
        CUfunction function = nullptr;
        EXPECT_OK(cuModuleLoadData(&module, text.c_str()));
        EXPECT_OK(cuModuleGetFunction(&function, module, "k"));
        return function;
    }

    /// The launch's status; the occupancy functions must say the same.
    int launched(CUfunction function, Shape grid, std::optional<Shape> cluster, int policy = 0) {
        CUlaunchAttribute attributes[2] = {};
        attributes[0].id = CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE;
        attributes[0].value.priority = policy;
        attributes[1].id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
        if (cluster) attributes[1].value.clusterDim = {cluster->x, cluster->y, cluster->z};
        CUlaunchConfig config{grid.x, grid.y, grid.z, 32, 1, 1, 0, nullptr, attributes, cluster ? 2u : 1u};
        const int status = cuLaunchKernelEx(&config, function, nullptr, nullptr);
        EXPECT_OK(cuCtxSynchronize());
        int count = -1;
        if (policy <= 2) {
            EXPECT_EQ(cuOccupancyMaxActiveClusters(&count, function, &config), status);
            EXPECT_EQ(cuOccupancyMaxPotentialClusterSize(&count, function, &config), status);
        }
        return status;
    }

    int attribute(CUfunction function, int id) {
        int value = -1;
        EXPECT_OK(cuFuncGetAttribute(&value, id, function));
        return value;
    }
};

constexpr int bad = 912; // CUDA_ERROR_INVALID_CLUSTER_SIZE

TEST_F(Clusters, Sizes) {
    const struct {
        Shape grid;
        std::optional<Shape> cluster;
        int status;
    } rows[] = {
        {{4, 1, 1}, {}, 0},
        {{4, 1, 1}, Shape{0, 1, 1}, bad},
        {{4, 1, 1}, Shape{2, 0, 1}, bad},
        {{4, 1, 1}, Shape{2, 1, 0}, bad},
        {{4, 1, 1}, Shape{0, 0, 0}, 0},
        {{2, 1, 1}, Shape{1, 1, 1}, 0},
        {{4, 1, 1}, Shape{2, 1, 1}, 0},
        {{6, 1, 1}, Shape{3, 1, 1}, 0},
        {{8, 1, 1}, Shape{4, 1, 1}, 0},
        {{16, 1, 1}, Shape{8, 1, 1}, 0},
        {{18, 1, 1}, Shape{9, 1, 1}, bad},
        {{32, 1, 1}, Shape{16, 1, 1}, bad},
        {{34, 1, 1}, Shape{17, 1, 1}, bad},
        {{3, 1, 1}, Shape{2, 1, 1}, bad},
        {{4, 3, 1}, Shape{1, 2, 1}, bad},
        {{4, 4, 4}, Shape{2, 2, 2}, 0},
        {{4, 4, 4}, Shape{4, 2, 2}, bad},
    };
    CUfunction plain = kernel("");
    for (const auto& row : rows)
        EXPECT_EQ(launched(plain, row.grid, row.cluster), row.status)
            << row.grid.x << " " << (row.cluster ? row.cluster->x : 99);
    for (int policy : {0, 1, 2}) EXPECT_EQ(launched(plain, {8, 1, 1}, Shape{4, 1, 1}, policy), 0);
    EXPECT_EQ(launched(plain, {8, 1, 1}, Shape{4, 1, 1}, 3), 1);
    EXPECT_OK(cuFuncSetAttribute(plain, CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1));
    for (unsigned size : {8u, 9u, 12u, 16u}) EXPECT_EQ(launched(plain, {2 * size, 1, 1}, Shape{size, 1, 1}), 0) << size;
    EXPECT_EQ(launched(plain, {34, 1, 1}, Shape{17, 1, 1}), bad);
}

TEST_F(Clusters, Directives) {
    const struct {
        const char* directives;
        int must_be_set, width, height, depth;
        int none, two, four, eight, two_by_two, one;
    } rows[] = {
        {".explicitcluster", 1, 0, 0, 0, bad, 0, 0, 0, 0, 0},
        {".reqnctapercluster 2", 0, 2, 1, 1, 0, 0, bad, bad, bad, bad},
        {".maxclusterrank 4", 0, 0, 0, 0, 0, 0, 0, bad, 0, 0},
        {".explicitcluster .maxclusterrank 4", 1, 0, 0, 0, bad, 0, 0, bad, 0, 0},
        {".explicitcluster .reqnctapercluster 2", 1, 2, 1, 1, 0, 0, bad, bad, bad, bad},
        {".reqntid 32 .reqnctapercluster 2,2", 0, 2, 2, 1, 0, bad, bad, bad, 0, bad},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.directives);
        CUfunction function = kernel(row.directives);
        EXPECT_EQ(attribute(function, 10), row.must_be_set);
        EXPECT_EQ(attribute(function, 11), row.width);
        EXPECT_EQ(attribute(function, 12), row.height);
        EXPECT_EQ(attribute(function, 13), row.depth);
        EXPECT_EQ(launched(function, {8, 8, 1}, {}), row.none);
        EXPECT_EQ(launched(function, {8, 8, 1}, Shape{2, 1, 1}), row.two);
        EXPECT_EQ(launched(function, {8, 8, 1}, Shape{4, 1, 1}), row.four);
        EXPECT_EQ(launched(function, {8, 8, 1}, Shape{8, 1, 1}), row.eight);
        EXPECT_EQ(launched(function, {8, 8, 1}, Shape{2, 2, 1}), row.two_by_two);
        EXPECT_EQ(launched(function, {8, 8, 1}, Shape{1, 1, 1}), row.one);
        EXPECT_EQ(cuLaunchKernel(function, 8, 8, 1, 32, 1, 1, 0, nullptr, nullptr, nullptr), row.none);
        EXPECT_OK(cuCtxSynchronize());
    }
}

TEST_F(Clusters, Attributes) {
    CUfunction plain = kernel(""), required = kernel(".reqnctapercluster 2 .explicitcluster");
    const struct {
        int id, value, status, then, required_status, required_then;
    } rows[] = {
        {10, 0, 1, 0, 1, 1},   {10, 1, 1, 0, 1, 1},  {11, -1, 1, 0, 1, 2}, {11, 1, 0, 1, 1, 2}, {11, 2, 0, 2, 0, 2},
        {11, 33, 0, 33, 1, 2}, {11, 0, 0, 0, 1, 2},  {12, -1, 1, 0, 1, 1}, {12, 1, 0, 1, 0, 1}, {12, 3, 0, 3, 1, 1},
        {12, 0, 0, 0, 1, 1},   {13, 2, 0, 2, 1, 1},  {13, 1, 0, 1, 0, 1},  {13, 0, 0, 0, 1, 1}, {14, -1, 0, 1, 0, 1},
        {14, 0, 0, 0, 0, 0},   {14, 33, 0, 1, 0, 1}, {15, -1, 1, 0, 1, 0}, {15, 1, 0, 1, 0, 1}, {15, 2, 0, 2, 0, 2},
        {15, 3, 1, 2, 1, 2},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(cuFuncSetAttribute(plain, row.id, row.value), row.status) << row.id << " " << row.value;
        EXPECT_EQ(attribute(plain, row.id), row.then) << row.id << " " << row.value;
        EXPECT_EQ(cuFuncSetAttribute(required, row.id, row.value), row.required_status) << row.id << " " << row.value;
        EXPECT_EQ(attribute(required, row.id), row.required_then) << row.id << " " << row.value;
    }
    CUfunction other = kernel("");
    for (auto [id, value] : {std::pair(11, 2), std::pair(12, 1), std::pair(13, 1)})
        EXPECT_OK(cuFuncSetAttribute(other, id, value));
    EXPECT_EQ(launched(other, {4, 1, 1}, {}), 0);
    EXPECT_EQ(launched(other, {4, 1, 1}, Shape{2, 1, 1}), 0);
    EXPECT_EQ(launched(other, {4, 1, 1}, Shape{4, 1, 1}), bad);
}

} // namespace
