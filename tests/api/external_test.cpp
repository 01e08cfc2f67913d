#include "driver_fixture.h"

#include <atomic>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

// Memory and semaphores of other interfaces and processes. The program starts itself as the other one, which inherits
// the file descriptors. Codes are an H100's where it has such things: it takes memory of its own driver and of Vulkan's
// only.
using namespace shim;

namespace {

constexpr size_t bytes = 2 << 20;

CUexternalMemory import_memory(int descriptor, size_t size = bytes) {
    CUDA_EXTERNAL_MEMORY_HANDLE_DESC d{};
    d.type = CU_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD;
    d.handle.fd = descriptor;
    d.size = size;
    CUexternalMemory memory = nullptr;
    EXPECT_OK(cuImportExternalMemory(&memory, &d));
    EXPECT_EQ(fcntl(descriptor, F_GETFD), -1) << "it is the driver's now";
    return memory;
}

CUdeviceptr map(CUexternalMemory memory, size_t offset, size_t size) {
    CUDA_EXTERNAL_MEMORY_BUFFER_DESC d{};
    d.offset = offset;
    d.size = size;
    CUdeviceptr address = 0;
    EXPECT_OK(cuExternalMemoryGetMappedBuffer(&address, memory, &d));
    return address;
}

CUexternalSemaphore import_semaphore(int descriptor, int type) {
    CUDA_EXTERNAL_SEMAPHORE_HANDLE_DESC d{};
    d.type = type;
    d.handle.fd = descriptor;
    CUexternalSemaphore semaphore = nullptr;
    EXPECT_OK(cuImportExternalSemaphore(&semaphore, &d));
    return semaphore;
}

void signal(CUexternalSemaphore semaphore, unsigned long long value, CUstream stream) {
    CUDA_EXTERNAL_SEMAPHORE_SIGNAL_PARAMS params{};
    params.params.fence.value = value;
    EXPECT_OK(cuSignalExternalSemaphoresAsync(&semaphore, &params, 1, stream));
}

void wait(CUexternalSemaphore semaphore, unsigned long long value, CUstream stream) {
    CUDA_EXTERNAL_SEMAPHORE_WAIT_PARAMS params{};
    params.params.fence.value = value;
    EXPECT_OK(cuWaitExternalSemaphoresAsync(&semaphore, &params, 1, stream));
}

unsigned first_word(CUdeviceptr address) {
    unsigned word = 0;
    EXPECT_OK(cuMemcpyDtoH_v2(&word, address, sizeof word));
    return word;
}

int exported_memory(CUmemGenericAllocationHandle* handle) {
    CUmemAllocationProp properties{};
    properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
    properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
    int descriptor = -1;
    EXPECT_OK(cuMemCreate(handle, bytes, &properties, 0));
    EXPECT_OK(cuMemExportToShareableHandle(&descriptor, *handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0));
    return descriptor;
}

int memory_file(size_t size) {
    const int file = memfd_create("external_test", 0);
    EXPECT_EQ(ftruncate(file, off_t(size)), 0);
    return file;
}

/// What both processes have.
struct Shared {
    int memory, timeline, done;
};

[[noreturn]] void other_process(const Shared& shared) {
    EXPECT_OK(cuInit(0));
    CUcontext context = nullptr;
    EXPECT_OK(cuDevicePrimaryCtxRetain(&context, 0));
    EXPECT_OK(cuCtxSetCurrent(context));
    const CUexternalMemory memory = import_memory(shared.memory);
    const CUdeviceptr address = map(memory, 4096, 8192);
    const CUexternalSemaphore timeline =
        import_semaphore(shared.timeline, CU_EXTERNAL_SEMAPHORE_HANDLE_TYPE_TIMELINE_SEMAPHORE_FD);
    const CUexternalSemaphore done = import_semaphore(shared.done, CU_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD);
    CUstream stream = nullptr;
    EXPECT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    wait(timeline, 5, stream);
    EXPECT_OK(cuMemcpyDtoDAsync_v2(address + 4096, address, 4, stream)); // what was there at 5
    EXPECT_OK(cuMemsetD32Async(address, 99, 1, stream));
    signal(done, 0, stream);
    EXPECT_OK(cuStreamSynchronize(stream));
    EXPECT_OK(cuDestroyExternalSemaphore(timeline));
    EXPECT_OK(cuDestroyExternalSemaphore(done));
    EXPECT_OK(cuMemFree_v2(address));
    EXPECT_OK(cuDestroyExternalMemory(memory));
    std::_Exit(testing::Test::HasFailure());
}

using External = Driver;

TEST_F(External, TwoProcessesShareMemoryAndSemaphores) {
    CUmemGenericAllocationHandle handle = 0;
    const int descriptor = exported_memory(&handle);
    const Shared shared{dup(descriptor), memory_file(4096), eventfd(0, 0)};
    const pid_t child = fork();
    if (child == 0) {
        const std::string text[] = {std::to_string(shared.memory), std::to_string(shared.timeline),
                                    std::to_string(shared.done)};
        execl("/proc/self/exe", "external_test", "--other-process", text[0].c_str(), text[1].c_str(), text[2].c_str(),
              nullptr);
        _exit(127);
    }
    close(shared.memory);
    const CUexternalMemory memory = import_memory(descriptor);
    const CUdeviceptr address = map(memory, 4096, 8192);
    const CUexternalSemaphore timeline =
        import_semaphore(shared.timeline, CU_EXTERNAL_SEMAPHORE_HANDLE_TYPE_TIMELINE_SEMAPHORE_FD);
    const CUexternalSemaphore done = import_semaphore(shared.done, CU_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD);
    CUstream stream = nullptr;
    ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    signal(timeline, 4, stream);
    ASSERT_OK(cuMemsetD32Async(address, 1000, 1, stream));
    signal(timeline, 5, stream);
    wait(done, 0, stream);
    EXPECT_OK(cuStreamSynchronize(stream));
    EXPECT_EQ(first_word(address), 99u);
    EXPECT_EQ(first_word(address + 4096), 1000u);
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_OK(cuDestroyExternalMemory(memory)); // what is mapped stays
    EXPECT_EQ(first_word(address), 99u);
    EXPECT_OK(cuMemFree_v2(address));
    EXPECT_STATUS(invalid_value, cuMemFree_v2(address));
    EXPECT_OK(cuMemRelease(handle));
    EXPECT_OK(cuStreamDestroy_v2(stream));
    EXPECT_OK(cuDestroyExternalSemaphore(timeline));
    EXPECT_OK(cuDestroyExternalSemaphore(done));
}

TEST_F(External, FilesOfMemory) {
    const int file = memory_file(12288); // no multiple of what cuMemCreate gives
    auto* seen = static_cast<unsigned*>(mmap(nullptr, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    ASSERT_NE(seen, MAP_FAILED);
    const CUexternalMemory memory = import_memory(file, 12000);
    const CUdeviceptr part = map(memory, 4097, 100), whole = map(memory, 0, 12000);
    EXPECT_EQ(part % 4096, 1u); // as on an H100
    seen[0] = 77;
    EXPECT_EQ(first_word(whole), 77u);
    ASSERT_OK(cuMemsetD8_v2(part, 1, 100));
    ASSERT_OK(cuCtxSynchronize()); // a fill may return before it is done
    EXPECT_EQ(seen[1024], 0x01010100u);
    EXPECT_STATUS(invalid_value, cuMemsetD8_v2(part, 1, 101)); // it is an allocation of that size
    CUdeviceptr base = 0;
    size_t size = 0;
    EXPECT_OK(cuMemGetAddressRange_v2(&base, &size, part + 50));
    EXPECT_EQ(base, part);
    EXPECT_EQ(size, 100u);
    EXPECT_OK(cuMemFree_v2(part));
    EXPECT_EQ(first_word(whole + 4096), 0x01010100u);
    EXPECT_OK(cuMemFree_v2(whole));

    CUDA_EXTERNAL_MEMORY_MIPMAPPED_ARRAY_DESC d{};
    d.arrayDesc = {16, 16, 0, CU_AD_FORMAT_UNSIGNED_INT32, 1, 0};
    d.numLevels = 2;
    CUmipmappedArray levels = nullptr;
    ASSERT_OK(cuExternalMemoryGetMappedMipmappedArray(&levels, memory, &d));
    CUarray first = nullptr;
    ASSERT_OK(cuMipmappedArrayGetLevel(&first, levels, 0));
    const unsigned word = 4711;
    ASSERT_OK(cuMemcpyHtoA_v2(first, 0, &word, sizeof word));
    EXPECT_EQ(seen[0], 4711u);
    EXPECT_OK(cuMipmappedArrayDestroy(levels));
    d.arrayDesc.Width = 1024; // more than there is
    EXPECT_STATUS(invalid_value, cuExternalMemoryGetMappedMipmappedArray(&levels, memory, &d));
    EXPECT_OK(cuDestroyExternalMemory(memory));
    munmap(seen, 12288);
}

TEST_F(External, SemaphoresInGraphs) {
    const int file = memory_file(8);
    auto* count = static_cast<unsigned long long*>(mmap(nullptr, 8, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    ASSERT_NE(count, MAP_FAILED);
    CUexternalSemaphore semaphore = import_semaphore(file, CU_EXTERNAL_SEMAPHORE_HANDLE_TYPE_TIMELINE_SEMAPHORE_FD);
    CUDA_EXTERNAL_SEMAPHORE_WAIT_PARAMS until{};
    until.params.fence.value = 3;
    CUDA_EXTERNAL_SEMAPHORE_SIGNAL_PARAMS then{};
    then.params.fence.value = 4;
    CUgraph graph = nullptr;
    ASSERT_OK(cuGraphCreate(&graph, 0));
    CUgraphNode waits = nullptr, signals = nullptr;
    const CUDA_EXT_SEM_WAIT_NODE_PARAMS wait_node{&semaphore, &until, 1};
    CUDA_EXT_SEM_SIGNAL_NODE_PARAMS signal_node{&semaphore, &then, 1};
    ASSERT_OK(cuGraphAddExternalSemaphoresWaitNode(&waits, graph, nullptr, 0, &wait_node));
    ASSERT_OK(cuGraphAddExternalSemaphoresSignalNode(&signals, graph, &waits, 1, &signal_node));
    CUgraphNodeType type = -1;
    EXPECT_OK(cuGraphNodeGetType(signals, &type));
    EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_EXT_SEMAS_SIGNAL);
    CUDA_EXT_SEM_WAIT_NODE_PARAMS given{};
    EXPECT_OK(cuGraphExternalSemaphoresWaitNodeGetParams(waits, &given));
    ASSERT_EQ(given.numExtSems, 1u);
    EXPECT_EQ(given.extSemArray[0], semaphore);
    EXPECT_EQ(given.paramsArray[0].params.fence.value, 3u);
    EXPECT_STATUS(invalid_value, cuGraphExternalSemaphoresWaitNodeGetParams(signals, &given));
    CUgraphNodeParams any{};
    EXPECT_OK(cuGraphNodeGetParams(waits, &any));
    EXPECT_EQ(any.type, CU_GRAPH_NODE_TYPE_EXT_SEMAS_WAIT);
    ASSERT_EQ(any.extSemWait.numExtSems, 1u);
    EXPECT_EQ(any.extSemWait.paramsArray[0].params.fence.value, 3u);
    EXPECT_OK(cuGraphNodeGetParams(signals, &any));
    EXPECT_EQ(any.type, CU_GRAPH_NODE_TYPE_EXT_SEMAS_SIGNAL);
    ASSERT_EQ(any.extSemSignal.numExtSems, 1u);
    EXPECT_EQ(any.extSemSignal.extSemArray[0], semaphore);
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    then.params.fence.value = 6;
    EXPECT_OK(cuGraphExecExternalSemaphoresSignalNodeSetParams(exec, signals, &signal_node));
    CUstream stream = nullptr;
    ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    ASSERT_OK(cuGraphLaunch(exec, stream));
    EXPECT_STATUS(not_ready, cuStreamQuery(stream));
    __atomic_store_n(count, 3, __ATOMIC_RELEASE);
    EXPECT_OK(cuStreamSynchronize(stream));
    EXPECT_EQ(*count, 6u);
    EXPECT_OK(cuGraphExecDestroy(exec));
    EXPECT_OK(cuGraphDestroy(graph));

    // Captured, they are nodes as well.
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
    signal(semaphore, 9, stream);
    ASSERT_OK(cuStreamEndCapture(stream, &graph));
    size_t nodes = 1;
    EXPECT_OK(cuGraphGetNodes(graph, &signals, &nodes));
    ASSERT_EQ(nodes, 1u);
    EXPECT_OK(cuGraphNodeGetType(signals, &type));
    EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_EXT_SEMAS_SIGNAL);
    EXPECT_EQ(*count, 6u);
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    EXPECT_OK(cuDestroyExternalSemaphore(semaphore)); // the node keeps what it needs
    EXPECT_OK(cuGraphLaunch(exec, stream));
    EXPECT_OK(cuStreamSynchronize(stream));
    EXPECT_EQ(*count, 9u);
    EXPECT_OK(cuGraphExecDestroy(exec));
    EXPECT_OK(cuGraphDestroy(graph));
    EXPECT_OK(cuStreamDestroy_v2(stream));
    munmap(count, 8);
}

TEST_F(External, WrongDescriptorsAreRefused) {
    CUDA_EXTERNAL_MEMORY_HANDLE_DESC d{};
    CUexternalMemory memory = nullptr;
    const int file = memory_file(4096), event = eventfd(0, EFD_NONBLOCK);
    const auto import = [&](int type, int descriptor, size_t size, unsigned flags) {
        d.type = type;
        d.handle.fd = descriptor;
        d.size = size;
        d.flags = flags;
        return cuImportExternalMemory(&memory, &d);
    };
    for (const int wrong : {-1, 999, event}) EXPECT_STATUS(unknown, import(1, wrong, 4096, 0));
    EXPECT_STATUS(unknown, import(1, file, 8192, 0));
    EXPECT_STATUS(invalid_value, import(1, file, 0, 0));
    EXPECT_STATUS(invalid_value, import(1, file, 4096, 2));
    for (const int type : {0, 10, 1000}) EXPECT_STATUS(invalid_value, import(type, file, 4096, 0));
    EXPECT_STATUS(not_supported, import(2, file, 4096, 0));
    EXPECT_NE(fcntl(file, F_GETFD), -1) << "a descriptor that is refused stays the caller's";
    ASSERT_OK(import(1, dup(file), 4096, CUDA_EXTERNAL_MEMORY_DEDICATED));
    CUDA_EXTERNAL_MEMORY_BUFFER_DESC part{};
    CUdeviceptr address = 0;
    EXPECT_STATUS(invalid_value, cuExternalMemoryGetMappedBuffer(&address, memory, &part));
    part.size = 4097;
    EXPECT_STATUS(invalid_value, cuExternalMemoryGetMappedBuffer(&address, memory, &part));
    part.offset = ~0ull;
    EXPECT_STATUS(invalid_value, cuExternalMemoryGetMappedBuffer(&address, memory, &part));
    part = {0, 4096, 1, {}};
    EXPECT_STATUS(invalid_value, cuExternalMemoryGetMappedBuffer(&address, memory, &part));
    EXPECT_OK(cuDestroyExternalMemory(memory));
    EXPECT_STATUS(invalid_handle, cuDestroyExternalMemory(memory));

    CUDA_EXTERNAL_SEMAPHORE_HANDLE_DESC s{};
    CUexternalSemaphore semaphore = nullptr;
    const auto import_as = [&](int type, int descriptor) {
        s.type = type;
        s.handle.fd = descriptor;
        return cuImportExternalSemaphore(&semaphore, &s);
    };
    for (const int wrong : {-1, 999, file}) EXPECT_STATUS(unknown, import_as(1, wrong));
    EXPECT_STATUS(invalid_value, import_as(9, -1));
    for (const int wrong : {999, event}) EXPECT_STATUS(unknown, import_as(9, wrong));
    for (const int type : {0, 1000}) EXPECT_STATUS(invalid_value, import_as(type, event));
    for (const int type : {2, 7}) EXPECT_STATUS(not_supported, import_as(type, event));
    // A binary semaphore works with an eventfd that does not block, too.
    ASSERT_OK(import_as(1, dup(event)));
    wait(semaphore, 0, nullptr);
    EXPECT_STATUS(not_ready, cuStreamQuery(nullptr));
    const uint64_t one = 1;
    EXPECT_EQ(write(event, &one, sizeof one), ssize_t(sizeof one));
    EXPECT_OK(cuStreamSynchronize(nullptr));
    EXPECT_OK(cuDestroyExternalSemaphore(semaphore));
    close(file);
    close(event);
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 5 && std::string(argv[1]) == "--other-process")
        other_process({std::stoi(argv[2]), std::stoi(argv[3]), std::stoi(argv[4])});
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
