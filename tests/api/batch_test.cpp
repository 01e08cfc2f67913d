#include "driver_fixture.h"

#include <array>
#include <cstring>
#include <numeric>
#include <vector>

using namespace shim;

// Batches: of boxes, of ranges, of launches. What is refused, and with what, is an H100's (driver 580).
namespace {

class Batch : public Driver {
  protected:
    static constexpr size_t bytes = 4096;

    void SetUp() override {
        Driver::SetUp();
        ASSERT_OK(cuMemAlloc_v2(&from, bytes));
        ASSERT_OK(cuMemAlloc_v2(&to, bytes));
        ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
        source.resize(bytes);
        for (size_t i = 0; i < bytes; ++i) source[i] = uint8_t(i % 251);
        ASSERT_OK(cuMemcpyHtoD_v2(from, source.data(), bytes));
        clear();
    }
    void TearDown() override {
        EXPECT_OK(cuStreamDestroy_v2(stream));
        EXPECT_OK(cuMemFree_v2(from));
        EXPECT_OK(cuMemFree_v2(to));
        Driver::TearDown();
    }

    void clear() {
        ASSERT_OK(cuMemsetD8_v2(to, 0xee, bytes));
        ASSERT_OK(cuCtxSynchronize()); // the stream does not wait for the default one
    }

    CUDA_MEMCPY3D_BATCH_OP box(size_t width, size_t height, size_t depth) const {
        CUDA_MEMCPY3D_BATCH_OP op{};
        op.src.type = op.dst.type = CU_MEMCPY_OPERAND_TYPE_POINTER;
        op.src.op.ptr.ptr = from;
        op.dst.op.ptr.ptr = to;
        op.extent = {width, height, depth};
        op.srcAccessOrder = 1;
        return op;
    }
    CUresult copy(CUDA_MEMCPY3D_BATCH_OP op, unsigned long long flags = 0) {
        const CUresult result = cuMemcpy3DBatchAsync_v2(1, &op, flags, stream);
        EXPECT_OK(cuStreamSynchronize(stream));
        return result;
    }
    std::vector<uint8_t> result() {
        std::vector<uint8_t> copied(bytes);
        EXPECT_OK(cuMemcpyDtoH_v2(copied.data(), to, bytes));
        return copied;
    }

    CUdeviceptr from = 0, to = 0;
    CUstream stream = nullptr;
    std::vector<uint8_t> source;
};

TEST_F(Batch, BoxesLieCloseUnlessRowsAndLayersAreLonger) {
    ASSERT_OK(copy(box(8, 4, 2)));
    std::vector<uint8_t> expected(bytes, 0xee);
    std::copy_n(source.begin(), 64, expected.begin());
    EXPECT_EQ(result(), expected);

    clear();
    CUDA_MEMCPY3D_BATCH_OP op = box(8, 4, 2);
    op.src.op.ptr.rowLength = 16;
    op.dst.op.ptr.rowLength = 32;
    op.dst.op.ptr.layerHeight = 8;
    ASSERT_OK(copy(op));
    std::fill(expected.begin(), expected.end(), uint8_t(0xee));
    for (size_t z = 0; z < 2; ++z)
        for (size_t y = 0; y < 4; ++y)
            std::copy_n(source.begin() + long((z * 4 + y) * 16), 8, expected.begin() + long((z * 8 + y) * 32));
    EXPECT_EQ(result(), expected);
}

TEST_F(Batch, BoxesOfArraysAreMeasuredInTexels) {
    CUDA_ARRAY3D_DESCRIPTOR descriptor{};
    descriptor.Width = 16;
    descriptor.Height = 8;
    descriptor.Depth = 4;
    descriptor.Format = CU_AD_FORMAT_FLOAT;
    descriptor.NumChannels = 1;
    CUarray array = nullptr;
    ASSERT_OK(cuArray3DCreate_v2(&array, &descriptor));
    CUDA_MEMCPY3D_BATCH_OP in = box(16, 8, 4);
    in.dst.type = CU_MEMCPY_OPERAND_TYPE_ARRAY;
    in.dst.op.array = {array, {0, 0, 0}};
    ASSERT_OK(copy(in));

    CUDA_MEMCPY3D_BATCH_OP out = box(8, 4, 2);
    out.src.type = CU_MEMCPY_OPERAND_TYPE_ARRAY;
    out.src.op.array = {array, {8, 4, 2}};
    out.dst.op.ptr.rowLength = 12;
    ASSERT_OK(copy(out));
    std::vector<uint8_t> expected(bytes, 0xee);
    for (size_t z = 0; z < 2; ++z)
        for (size_t y = 0; y < 4; ++y)
            std::copy_n(source.begin() + long((((z + 2) * 8 + y + 4) * 16 + 8) * 4), 32,
                        expected.begin() + long((z * 4 + y) * 12 * 4));
    EXPECT_EQ(result(), expected);

    out.extent.width = 9; // beyond the array's end
    EXPECT_STATUS(invalid_value, copy(out));
    out.extent.width = 8;
    out.dst.op.ptr.rowLength = 6;
    EXPECT_STATUS(invalid_value, copy(out));
    EXPECT_OK(cuArrayDestroy(array));
}

TEST_F(Batch, WrongBoxesAreRefused) {
    const auto refused = [&](auto change) {
        CUDA_MEMCPY3D_BATCH_OP op = box(8, 4, 2);
        change(op);
        return copy(op) == int(rt::Status::invalid_value);
    };
    EXPECT_TRUE(refused([](auto& op) { op.src.op.ptr.rowLength = 4; }));
    EXPECT_TRUE(refused([](auto& op) { op.dst.op.ptr.layerHeight = 2; }));
    EXPECT_TRUE(refused([](auto& op) { op.extent.width = 0; }));
    EXPECT_TRUE(refused([](auto& op) { op.extent.height = 0; }));
    EXPECT_TRUE(refused([](auto& op) { op.extent.depth = 0; }));
    EXPECT_TRUE(refused([](auto& op) { op.flags = 2; }));
    EXPECT_TRUE(refused([](auto& op) { op.srcAccessOrder = 0; }));
    EXPECT_TRUE(refused([](auto& op) { op.srcAccessOrder = 4; }));
    EXPECT_TRUE(refused([](auto& op) { op.src.type = 0; }));
    EXPECT_FALSE(refused([](auto& op) { op.flags = 1; }));
    EXPECT_FALSE(refused([](auto& op) { op.srcAccessOrder = 2; }));
    EXPECT_STATUS(invalid_value, copy(box(8, 4, 2), 1));
    CUDA_MEMCPY3D_BATCH_OP op = box(8, 4, 2);
    EXPECT_STATUS(invalid_value, cuMemcpy3DBatchAsync_v2(1, &op, 0, nullptr));
    EXPECT_OK(cuMemcpy3DWithAttributesAsync(&op, 0, nullptr));
    EXPECT_OK(cuCtxSynchronize());
}

TEST_F(Batch, BoxesBeforeTheFirstWrongOneAreCopied) {
    std::array<CUDA_MEMCPY3D_BATCH_OP, 2> list{box(8, 1, 1), box(8, 1, 1)};
    list[1].dst.op.ptr.ptr = 0;
    size_t failed = 7;
    EXPECT_STATUS(invalid_value, cuMemcpy3DBatchAsync(2, list.data(), &failed, 0, stream));
    EXPECT_EQ(failed, 1u);
    EXPECT_OK(cuStreamSynchronize(stream));
    EXPECT_EQ(result()[1], source[1]);
}

TEST_F(Batch, ACaptureOutlivesABatchOfBoxes) {
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    CUDA_MEMCPY3D_BATCH_OP op = box(8, 1, 1);
    EXPECT_STATUS(stream_capture_unsupported, cuMemcpy3DBatchAsync_v2(1, &op, 0, stream));
    CUgraph graph = nullptr;
    ASSERT_OK(cuStreamEndCapture(stream, &graph));
    size_t nodes = 7;
    EXPECT_OK(cuGraphGetNodes(graph, nullptr, &nodes));
    EXPECT_EQ(nodes, 0u);
    EXPECT_OK(cuGraphDestroy(graph));
}

class ManagedBatch : public Batch {
  protected:
    static constexpr size_t range = 1 << 20;

    void SetUp() override {
        Batch::SetUp();
        for (CUdeviceptr& address : managed) {
            ASSERT_OK(cuMemAllocManaged(&address, range, CU_MEM_ATTACH_GLOBAL));
            std::memset(reinterpret_cast<void*>(address), 5, range);
        }
    }
    void TearDown() override {
        for (const CUdeviceptr address : managed) EXPECT_OK(cuMemFree_v2(address));
        Batch::TearDown();
    }
    CUresult prefetch(size_t count, std::array<size_t, 2> starts, size_t places, unsigned long long flags = 0) {
        return cuMemPrefetchBatchAsync(managed.data(), sizes.data(), count, locations.data(), starts.data(), places,
                                       flags, stream);
    }
    int last_place(size_t i) {
        int type = 0;
        EXPECT_OK(cuMemRangeGetAttribute(&type, sizeof type, CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION_TYPE,
                                         managed[i], range));
        return type;
    }

    std::array<CUdeviceptr, 2> managed{};
    std::array<size_t, 2> sizes{range, range};
    std::array<CUmemLocation, 2> locations{
        {{CU_MEM_LOCATION_TYPE_DEVICE, 0}, {CU_MEM_LOCATION_TYPE_HOST, 0}}};
};

TEST_F(ManagedBatch, EachRangeGoesToItsPlace) {
    ASSERT_OK(prefetch(2, {0, 1}, 2));
    EXPECT_EQ(last_place(0), CU_MEM_LOCATION_TYPE_DEVICE);
    EXPECT_EQ(last_place(1), CU_MEM_LOCATION_TYPE_HOST);
    ASSERT_OK(prefetch(2, {0, 1}, 1));
    EXPECT_EQ(last_place(1), CU_MEM_LOCATION_TYPE_DEVICE);
    EXPECT_OK(prefetch(2, {0, 0}, 2));
    EXPECT_STATUS(invalid_value, prefetch(2, {1, 0}, 2));
    EXPECT_STATUS(invalid_value, prefetch(2, {0, 1}, 3));
    EXPECT_STATUS(invalid_value, prefetch(2, {0, 1}, 2, 1));
    sizes[0] = 100;
    EXPECT_OK(prefetch(1, {0, 0}, 1));
    sizes[0] = 0;
    EXPECT_STATUS(invalid_value, prefetch(1, {0, 0}, 1));
    sizes[0] = 2 * range;
    EXPECT_STATUS(invalid_value, prefetch(1, {0, 0}, 1));
    sizes[0] = range;
    locations[0].id = 99;
    EXPECT_STATUS(invalid_value, prefetch(1, {0, 0}, 1));
}

TEST_F(ManagedBatch, OnlyManagedMemoryIsDiscarded) {
    EXPECT_OK(cuMemDiscardBatchAsync(managed.data(), sizes.data(), 2, 0, stream));
    EXPECT_STATUS(invalid_value, cuMemDiscardBatchAsync(managed.data(), sizes.data(), 2, 1, stream));
    EXPECT_STATUS(invalid_value, cuMemDiscardBatchAsync(managed.data(), sizes.data(), 2, 0, nullptr));
    size_t plain = 16;
    EXPECT_STATUS(invalid_value, cuMemDiscardBatchAsync(&to, &plain, 1, 0, stream));
    std::array<size_t, 2> starts{0, 1};
    EXPECT_OK(cuMemDiscardAndPrefetchBatchAsync(managed.data(), sizes.data(), 2, locations.data(), starts.data(), 2, 0,
                                                stream));
    EXPECT_EQ(last_place(1), CU_MEM_LOCATION_TYPE_HOST);
}

TEST_F(ManagedBatch, APrefetchSpoilsACapture) {
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    EXPECT_STATUS(stream_capture_unsupported, prefetch(2, {0, 1}, 2));
    CUgraph graph = nullptr;
    EXPECT_STATUS(stream_capture_invalidated, cuStreamEndCapture(stream, &graph));
}

} // namespace
