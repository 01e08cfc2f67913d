#include "driver_fixture.h"

#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

// Memory, events and pools between two processes. The program starts itself as the other one. All codes are an H100's.
using namespace shim;

namespace {

struct Message {
    CUipcMemHandle memory, inner;
    CUipcEventHandle event, answer;
    CUmemPoolPtrExportData small, large;
    CUdeviceptr address; ///< only to be told apart from the other process's
};

void send_message(int socket, const Message& message, int descriptor) {
    iovec data{const_cast<Message*>(&message), sizeof message};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
    msghdr header{};
    header.msg_iov = &data, header.msg_iovlen = 1;
    header.msg_control = control, header.msg_controllen = sizeof control;
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET, part->cmsg_type = SCM_RIGHTS, part->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
    ASSERT_EQ(sendmsg(socket, &header, 0), ssize_t(sizeof message));
}

int receive_message(int socket, Message& message) {
    iovec data{&message, sizeof message};
    int descriptor = -1;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
    msghdr header{};
    header.msg_iov = &data, header.msg_iovlen = 1;
    header.msg_control = control, header.msg_controllen = sizeof control;
    EXPECT_EQ(recvmsg(socket, &header, MSG_WAITALL), ssize_t(sizeof message));
    if (const cmsghdr* part = CMSG_FIRSTHDR(&header)) std::memcpy(&descriptor, CMSG_DATA(part), sizeof descriptor);
    return descriptor;
}

int first_word(CUdeviceptr address) {
    int word = -1;
    EXPECT_OK(cuMemcpyDtoH_v2(&word, address, sizeof word));
    return word;
}

// ---- The other process

void use_memory(const Message& message) {
    CUdeviceptr address = 0, again = 0, inner = 0;
    EXPECT_STATUS(invalid_value, cuIpcOpenMemHandle_v2(&address, message.memory, 0));
    EXPECT_STATUS(invalid_value, cuIpcOpenMemHandle_v2(&address, message.memory, 2));
    EXPECT_STATUS(invalid_value, cuIpcOpenMemHandle_v2(nullptr, message.memory, 1));
    ASSERT_OK(cuIpcOpenMemHandle_v2(&address, message.memory, 1));
    ASSERT_OK(cuIpcOpenMemHandle_v2(&again, message.memory, 1));
    ASSERT_OK(cuIpcOpenMemHandle_v2(&inner, message.inner, 1));
    EXPECT_EQ(address, again);
    EXPECT_EQ(address, inner); // of the allocation, wherever the handle was made
    EXPECT_EQ(first_word(address), 1000);

    CUdeviceptr base = 0;
    size_t size = 0;
    EXPECT_OK(cuMemGetAddressRange_v2(&base, &size, address + 100));
    EXPECT_EQ(base, address);
    EXPECT_EQ(size, 4096u);
    unsigned type = 0;
    EXPECT_OK(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address));
    EXPECT_EQ(type, 2u);
    CUipcMemHandle handle;
    EXPECT_STATUS(invalid_value, cuIpcGetMemHandle(&handle, address));
    EXPECT_STATUS(invalid_value, cuMemFree_v2(address));

    EXPECT_OK(cuMemsetD32_v2(address, 99, 1));
    EXPECT_STATUS(invalid_value, cuIpcCloseMemHandle(address + 4));
    EXPECT_OK(cuIpcCloseMemHandle(address));
    EXPECT_OK(cuIpcCloseMemHandle(address));
    EXPECT_EQ(first_word(address), 99);
    EXPECT_OK(cuIpcCloseMemHandle(address));
    EXPECT_STATUS(invalid_value, cuIpcCloseMemHandle(address));
    EXPECT_STATUS(invalid_value, cuMemsetD32_v2(address, 1, 1));
    std::memset(&handle, 0, sizeof handle);
    EXPECT_STATUS(invalid_value, cuIpcOpenMemHandle_v2(&address, handle, 1));
}

void use_events(const Message& message, int socket) {
    CUevent event = nullptr, again = nullptr, answer = nullptr;
    ASSERT_OK(cuIpcOpenEventHandle(&event, message.event));
    ASSERT_OK(cuIpcOpenEventHandle(&again, message.event));
    ASSERT_OK(cuIpcOpenEventHandle(&answer, message.answer));
    EXPECT_NE(event, again);
    // It is recorded behind a host function of the other process that waits for our byte.
    CUstream stream = nullptr;
    ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    EXPECT_STATUS(not_ready, cuEventQuery(event));
    EXPECT_EQ(write(socket, "x", 1), 1);
    EXPECT_OK(cuStreamWaitEvent(stream, event, 0));
    EXPECT_OK(cuEventRecord(answer, stream));
    EXPECT_OK(cuEventSynchronize(again));
    EXPECT_OK(cuEventQuery(event));
    EXPECT_OK(cuStreamSynchronize(stream));
    float milliseconds = 0;
    EXPECT_STATUS(invalid_handle, cuEventElapsedTime_v2(&milliseconds, event, again));
    CUipcEventHandle handle;
    EXPECT_STATUS(invalid_handle, cuIpcGetEventHandle(&handle, event));
    EXPECT_OK(cuEventDestroy_v2(event));
    EXPECT_OK(cuEventDestroy_v2(again));
    EXPECT_OK(cuEventDestroy_v2(answer));
    std::memset(&handle, 0, sizeof handle);
    EXPECT_STATUS(map_failed, cuIpcOpenEventHandle(&event, handle));
    EXPECT_STATUS(invalid_value, cuIpcOpenEventHandle(nullptr, message.event));
}

void use_pool(Message message, int descriptor) {
    CUmemoryPool pool = nullptr;
    const auto type = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
    ASSERT_OK(cuMemPoolImportFromShareableHandle(&pool, reinterpret_cast<void*>(intptr_t(descriptor)), type, 0));
    CUdeviceptr small = 0, again = 0, large = 0, none = 0;
    ASSERT_OK(cuMemPoolImportPointer(&small, pool, &message.small));
    ASSERT_OK(cuMemPoolImportPointer(&again, pool, &message.small));
    ASSERT_OK(cuMemPoolImportPointer(&large, pool, &message.large));
    EXPECT_EQ(small, again);
    EXPECT_EQ(first_word(small), 1000);
    EXPECT_OK(cuMemsetD8_v2(large, 7, 4 << 20));

    EXPECT_STATUS(invalid_value, cuMemAllocFromPoolAsync(&none, 256, pool, nullptr));
    cuuint64_t value = 0;
    EXPECT_STATUS(invalid_value, cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &value));
    EXPECT_STATUS(invalid_value, cuMemPoolTrimTo(pool, 0));
    CUmemPoolPtrExportData data;
    EXPECT_STATUS(invalid_value, cuMemPoolExportPointer(&data, small));
    int file = -1;
    EXPECT_STATUS(invalid_value, cuMemPoolExportToShareableHandle(&file, pool, type, 0));
    EXPECT_STATUS(invalid_value, cuDeviceSetMemPool(0, pool));
    CUmemLocation location{CU_MEM_LOCATION_TYPE_DEVICE, 0};
    CUmemAccess_flags access = 0;
    EXPECT_OK(cuMemPoolGetAccess(&access, pool, &location));
    EXPECT_EQ(access, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    EXPECT_OK(cuMemFreeAsync(small, nullptr));
    EXPECT_OK(cuStreamSynchronize(nullptr));
    EXPECT_STATUS(invalid_value, cuMemsetD32_v2(small, 1, 1));
    EXPECT_OK(cuMemFree_v2(large));
    EXPECT_OK(cuMemPoolDestroy(pool));
    EXPECT_STATUS(invalid_value, cuMemPoolImportFromShareableHandle(&pool, nullptr, type, 0));
}

/// Recorded behind a host function that has no end but the process's.
void leave_an_event(const Message& message) {
    CUevent answer = nullptr;
    ASSERT_OK(cuIpcOpenEventHandle(&answer, message.answer));
    CUstream stream = nullptr;
    ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    ASSERT_OK(cuLaunchHostFunc(stream, [](void*) { pause(); }, nullptr));
    ASSERT_OK(cuEventRecord(answer, stream));
    EXPECT_STATUS(not_ready, cuEventQuery(answer));
}

[[noreturn]] void other_process(int socket) {
    EXPECT_OK(cuInit(0));
    CUcontext context = nullptr;
    EXPECT_OK(cuDevicePrimaryCtxRetain(&context, 0));
    EXPECT_OK(cuCtxSetCurrent(context));
    Message message{};
    const int descriptor = receive_message(socket, message);
    use_events(message, socket);
    use_memory(message);
    use_pool(message, descriptor);
    leave_an_event(message);
    _exit(testing::Test::HasFailure());
}

// ---- This process

using Ipc = Driver;

CUmemoryPool make_pool(CUmemAllocationHandleType type) {
    CUmemPoolProps properties{};
    properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.handleTypes = type;
    properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
    CUmemoryPool pool = nullptr;
    EXPECT_OK(cuMemPoolCreate(&pool, &properties));
    return pool;
}

TEST_F(Ipc, TwoProcessesShareMemoryEventsAndPools) {
    int sockets[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    const pid_t child = fork();
    if (child == 0) {
        const std::string number = std::to_string(sockets[1]);
        execl("/proc/self/exe", "ipc_test", "--other-process", number.c_str(), nullptr);
        _exit(127);
    }
    close(sockets[1]);
    Message message{};
    std::vector<int> numbers(1024);
    for (int i = 0; i < 1024; i++) numbers[size_t(i)] = 1000 + i;
    CUdeviceptr before = 0, memory = 0, small = 0, large = 0;
    ASSERT_OK(cuMemAlloc_v2(&before, 512)); // lives in the same page
    ASSERT_OK(cuMemAlloc_v2(&memory, 4096));
    ASSERT_OK(cuMemcpyHtoD_v2(memory, numbers.data(), 4096));
    ASSERT_OK(cuMemcpyHtoD_v2(before, numbers.data() + 7, 4));
    ASSERT_OK(cuIpcGetMemHandle(&message.memory, memory));
    ASSERT_OK(cuIpcGetMemHandle(&message.inner, memory + 256));
    EXPECT_EQ(first_word(memory), 1000);
    EXPECT_EQ(first_word(before), 1007);

    CUevent event = nullptr, answer = nullptr;
    ASSERT_OK(cuEventCreate(&event, CU_EVENT_INTERPROCESS | CU_EVENT_DISABLE_TIMING));
    ASSERT_OK(cuEventCreate(&answer, CU_EVENT_INTERPROCESS | CU_EVENT_DISABLE_TIMING));
    ASSERT_OK(cuIpcGetEventHandle(&message.event, event));
    ASSERT_OK(cuIpcGetEventHandle(&message.answer, answer));

    const CUmemoryPool pool = make_pool(CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
    int file = -1;
    ASSERT_OK(cuMemPoolExportToShareableHandle(&file, pool, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0));
    ASSERT_OK(cuMemAllocFromPoolAsync(&small, 1024, pool, nullptr));
    ASSERT_OK(cuMemAllocFromPoolAsync(&large, 4 << 20, pool, nullptr));
    ASSERT_OK(cuMemcpyHtoD_v2(small, numbers.data(), 4));
    ASSERT_OK(cuMemPoolExportPointer(&message.small, small));
    ASSERT_OK(cuMemPoolExportPointer(&message.large, large));

    CUstream stream = nullptr;
    ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    const auto wait_for_byte = [](void* socket) {
        char byte;
        EXPECT_EQ(read(*static_cast<int*>(socket), &byte, 1), 1);
    };
    ASSERT_OK(cuLaunchHostFunc(stream, wait_for_byte, &sockets[0]));
    ASSERT_OK(cuEventRecord(event, stream));
    send_message(sockets[0], message, file);
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_OK(cuEventQuery(answer)); // it had been recorded, by a process that is no more
    EXPECT_OK(cuEventSynchronize(answer));
    EXPECT_EQ(first_word(memory), 99);
    EXPECT_EQ(first_word(before), 1007);
    EXPECT_EQ(first_word(large), 0x07070707);
    EXPECT_OK(cuStreamDestroy_v2(stream));
    EXPECT_OK(cuEventDestroy_v2(event));
    EXPECT_OK(cuEventDestroy_v2(answer));
    EXPECT_OK(cuMemFree_v2(memory));
    EXPECT_OK(cuMemFree_v2(before));
    EXPECT_OK(cuMemFreeAsync(small, nullptr));
    EXPECT_OK(cuMemPoolDestroy(pool));
    EXPECT_EQ(first_word(large), 0x07070707); // what is not freed outlives its pool
    EXPECT_OK(cuMemFree_v2(large));
    close(file);
    close(sockets[0]);
    // Memory that was shared is ordinary memory again.
    ASSERT_OK(cuMemAlloc_v2(&memory, 16 << 20));
    EXPECT_OK(cuMemsetD8_v2(memory, 5, 16 << 20));
    EXPECT_EQ(first_word(memory), 0x05050505);
    EXPECT_OK(cuMemFree_v2(memory));
}

TEST_F(Ipc, WrongArgumentsAreRefused) {
    CUdeviceptr memory = 0, managed = 0, ordered = 0, opened = 0;
    void* pinned = nullptr;
    ASSERT_OK(cuMemAlloc_v2(&memory, 4096));
    ASSERT_OK(cuMemAllocHost_v2(&pinned, 4096));
    ASSERT_OK(cuMemAllocManaged(&managed, 4096, 1));
    ASSERT_OK(cuMemAllocAsync(&ordered, 4096, nullptr));
    CUipcMemHandle handle;
    EXPECT_STATUS(invalid_value, cuIpcGetMemHandle(nullptr, memory));
    for (const CUdeviceptr wrong : {CUdeviceptr(0), CUdeviceptr(0x1234), CUdeviceptr(pinned), managed, ordered})
        EXPECT_STATUS(invalid_value, cuIpcGetMemHandle(&handle, wrong));
    EXPECT_OK(cuIpcGetMemHandle(&handle, memory));
    EXPECT_STATUS(invalid_context, cuIpcOpenMemHandle_v2(&opened, handle, 1)); // of this very process
    EXPECT_STATUS(invalid_value, cuIpcCloseMemHandle(memory));
    EXPECT_STATUS(invalid_value, cuIpcCloseMemHandle(0));

    CUevent event = nullptr, plain = nullptr;
    EXPECT_STATUS(invalid_value, cuEventCreate(&event, CU_EVENT_INTERPROCESS));
    ASSERT_OK(cuEventCreate(&event, CU_EVENT_INTERPROCESS | CU_EVENT_DISABLE_TIMING));
    ASSERT_OK(cuEventCreate(&plain, CU_EVENT_DISABLE_TIMING));
    CUipcEventHandle event_handle;
    EXPECT_STATUS(invalid_handle, cuIpcGetEventHandle(&event_handle, plain));
    EXPECT_STATUS(invalid_value, cuIpcGetEventHandle(nullptr, event));
    EXPECT_STATUS(invalid_value, cuIpcGetEventHandle(&event_handle, nullptr));
    ASSERT_OK(cuIpcGetEventHandle(&event_handle, event));
    CUevent again = nullptr;
    EXPECT_STATUS(invalid_context, cuIpcOpenEventHandle(&again, event_handle));
    EXPECT_OK(cuEventQuery(event)); // never recorded
    EXPECT_OK(cuEventRecord(event, nullptr));
    EXPECT_OK(cuEventSynchronize(event));

    const CUmemoryPool pool = make_pool(CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR), own = make_pool(0);
    const auto type = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
    int file = -1;
    EXPECT_STATUS(invalid_value, cuMemPoolExportToShareableHandle(&file, own, type, 0));
    EXPECT_STATUS(invalid_value, cuMemPoolExportToShareableHandle(&file, pool, type, 1));
    EXPECT_STATUS(invalid_value, cuMemPoolExportToShareableHandle(&file, pool, 8, 0));
    CUdeviceptr of_pool = 0, of_own = 0;
    ASSERT_OK(cuMemAllocFromPoolAsync(&of_pool, 1024, pool, nullptr));
    ASSERT_OK(cuMemAllocFromPoolAsync(&of_own, 1024, own, nullptr));
    CUmemPoolPtrExportData data;
    EXPECT_STATUS(invalid_value, cuMemPoolExportPointer(&data, of_own));
    EXPECT_STATUS(invalid_value, cuMemPoolExportPointer(&data, memory));
    EXPECT_STATUS(invalid_value, cuMemPoolExportPointer(&data, of_pool + 256));
    EXPECT_STATUS(invalid_value, cuMemPoolExportPointer(nullptr, of_pool));
    ASSERT_OK(cuMemPoolExportPointer(&data, of_pool));
    // A pool may be imported where it was made.
    ASSERT_OK(cuMemPoolExportToShareableHandle(&file, pool, type, 0));
    CUmemoryPool imported = nullptr;
    ASSERT_OK(cuMemPoolImportFromShareableHandle(&imported, reinterpret_cast<void*>(intptr_t(file)), type, 0));
    CUdeviceptr same = 0;
    ASSERT_OK(cuMemPoolImportPointer(&same, imported, &data));
    EXPECT_NE(same, of_pool);
    EXPECT_OK(cuMemsetD32_v2(of_pool, 4711, 1));
    EXPECT_EQ(first_word(same), 4711);
    std::memset(&data, 0xab, sizeof data);
    EXPECT_STATUS(invalid_value, cuMemPoolImportPointer(&same, imported, &data));
    EXPECT_OK(cuMemFree_v2(same));
    EXPECT_OK(cuMemFree_v2(of_pool));
    EXPECT_OK(cuMemFree_v2(of_own));
    for (const CUmemoryPool one : {imported, pool, own}) EXPECT_OK(cuMemPoolDestroy(one));
    close(file);
    EXPECT_OK(cuEventDestroy_v2(event));
    EXPECT_OK(cuEventDestroy_v2(plain));
    EXPECT_OK(cuMemFree_v2(memory));
    EXPECT_OK(cuMemFree_v2(managed));
    EXPECT_OK(cuMemFree_v2(ordered));
    EXPECT_OK(cuMemFreeHost(pinned));
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::string(argv[1]) == "--other-process") other_process(std::stoi(argv[2]));
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
