#include "fixture.h"

#include <csetjmp>
#include <csignal>
#include <sys/mman.h>
#include <thread>

namespace cpu_test {

/// Runs a launch that must fault; the device must be usable afterwards.
static std::string fault_of(const std::string& name, Shape shape, const std::vector<uint64_t>& parameters,
                            Fault expected) {
    auto queue = device().create_queue(0);
    launch(*queue, name, shape, parameters);
    auto marker = queue->mark(false);
    queue->synchronize();
    EXPECT_TRUE(marker->reached());
    std::string message;
    EXPECT_EQ(int(queue->fault(&message)), int(expected)) << name << ": " << message;
    EXPECT_NE(message.find("test_" + name), std::string::npos) << message;

    Array<uint32_t> out(100);
    launch(*queue, "write_index", {{1}, {100}}, {out.address(), 100});
    queue->synchronize();
    EXPECT_EQ(out[50], 0u) << "nothing runs after a fault";
    EXPECT_EQ(int(queue->fault()), int(expected)) << "sticky";
    auto other = device().create_queue(0);
    launch(*other, "write_index", {{1}, {100}}, {out.address(), 100});
    other->synchronize();
    EXPECT_EQ(int(other->fault()), int(Fault::none));
    EXPECT_EQ(out[99], 99u);
    return message;
}

TEST(FaultTest, ReadsNull) {
    Array<uint32_t> out(1);
    for (uint64_t thread : {0, 33, 1000}) {
        for (const char* name : {"read_address", "read_address_fibers"}) {
            const std::string message =
                fault_of(name, {{40}, {32}}, {0, out.address(), thread}, Fault::illegal_address);
            const std::string block = "block [" + std::to_string(thread / 32) + ",0,0]",
                              place = "thread [" + std::to_string(thread % 32) + ",0,0]";
            EXPECT_NE(message.find(block), std::string::npos) << message;
            EXPECT_NE(message.find(place), std::string::npos) << message;
        }
    }
}

TEST(FaultTest, ReadsFarOutside) {
    Array<uint32_t> out(1);
    EXPECT_NE(
        fault_of("read_address", {{1}, {1}}, {out.address() + (1ull << 33), out.address(), 0}, Fault::illegal_address)
            .find("illegal address 0x"),
        std::string::npos);
    fault_of("read_address", {{1}, {1}}, {0xdead00000000beefull, out.address(), 0}, Fault::illegal_address);
    const uint64_t freed = device().allocate(256 << 20, MemoryKind::device);
    device().release(freed, MemoryKind::device);
    fault_of("read_address", {{1}, {1}}, {freed + (200 << 20), out.address(), 0}, Fault::illegal_address);
}

TEST(FaultTest, StackOverflow) {
    Array<uint64_t> out(64);
    fault_of("overflow_stack", {{2}, {64}}, {out.address()}, Fault::stack_overflow);
    fault_of("overflow_stack_whole", {{2}, {64}}, {out.address()}, Fault::stack_overflow);
}

TEST(FaultTest, StackLimitIsHonoured) {
    Array<uint64_t> out(64);
    const uint64_t depth = 1500; // of about 300 bytes each
    fault_of("deep_stack", {{1}, {64}}, {out.address(), depth}, Fault::stack_overflow);
    device().set_limits(8 << 20, 1 << 20, 256 << 10);
    auto queue = device().create_queue(0);
    launch(*queue, "deep_stack", {{1}, {64}}, {out.address(), depth});
    queue->synchronize();
    EXPECT_EQ(queue->fault(), Fault::none);
    EXPECT_EQ(out[63], depth * (depth + 1) / 2);
    device().set_limits(8 << 20, 1 << 20, 1024);
}

TEST(FaultTest, TrapsAndOthers) {
    Array<uint64_t> out(1);
    EXPECT_NE(fault_of("traps", {{100}, {32}}, {1234}, Fault::trap).find("block [38,0,0], thread [18,0,0]"),
              std::string::npos);
    EXPECT_NE(fault_of("trap_fibers", {{100}, {32}}, {1234}, Fault::trap).find("block [38,0,0], thread [18,0,0]"),
              std::string::npos);
    fault_of("illegal_instruction", {{1}, {1}}, {}, Fault::illegal_instruction);
    fault_of("divides_by_zero", {{1}, {1}}, {out.address(), 0}, Fault::illegal_instruction);
    fault_of("wrong_barrier", {{1}, {32}}, {}, Fault::illegal_instruction);
    fault_of("frees_twice", {{1}, {1}}, {}, Fault::trap);
}

TEST(FaultTest, Assertion) {
    testing::internal::CaptureStderr();
    fault_of("asserts", {{1}, {32}}, {}, Fault::assertion);
    EXPECT_NE(testing::internal::GetCapturedStderr().find(
                  "file.cu:12: void k(int): block: [0,0,0], thread: [1,0,0] Assertion `x > 0` failed.\n"),
              std::string::npos);
}

TEST(FaultTest, MemoryStaysReadable) {
    Array<uint32_t> out(1000);
    auto queue = device().create_queue(0);
    launch(*queue, "write_index", {{10}, {100}}, {out.address(), 1000});
    launch(*queue, "read_address", {{1}, {1}}, {8, out.address(), 0});
    queue->synchronize();
    EXPECT_EQ(queue->fault(), Fault::illegal_address);
    EXPECT_EQ(out[999], 999u);
}

TEST(FaultTest, BadCopies) {
    Array<uint8_t> memory(64 << 20);
    void* hole = mmap(nullptr, 32 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const uint64_t bad = reinterpret_cast<uint64_t>(hole);
    for (size_t bytes : {size_t{1}, size_t{4096}, size_t{32 << 20}}) {
        for (const Copy& copy : {Copy{memory.address(), bad, bytes}, Copy{bad, memory.address(), bytes}}) {
            auto queue = device().create_queue(0);
            queue->copy(copy);
            queue->synchronize();
            std::string message;
            EXPECT_EQ(queue->fault(&message), Fault::illegal_address);
            EXPECT_NE(message.find("copy of"), std::string::npos) << message;
        }
        auto queue = device().create_queue(0);
        queue->fill({bad, 1, 1, bytes});
        queue->synchronize();
        EXPECT_EQ(queue->fault(), Fault::illegal_address);
    }
    munmap(hole, 32 << 20);
}

// ---- the application's own handlers

static sigjmp_buf escape;
static volatile int caught = 0;

static void on_fault(int, siginfo_t* info, void*) {
    caught = info->si_addr == reinterpret_cast<void*>(64) ? 1 : 2;
    siglongjmp(escape, 1);
}

static void plain_handler(int) {
    caught = 3;
    siglongjmp(escape, 1);
}

static struct sigaction previous;
static void chaining_handler(int signal, siginfo_t* info, void* context) {
    caught = caught + 10;
    if (caught > 50) siglongjmp(escape, 2); // a loop
    previous.sa_sigaction(signal, info, context);
}

static volatile uintptr_t nowhere = 64; // volatile: the compiler must not see what we do
static void write_nowhere() { *reinterpret_cast<volatile int*>(nowhere) = 1; }

static int own_fault() {
    caught = 0;
    if (sigsetjmp(escape, 1) == 0) write_nowhere();
    return caught;
}

static void install(void (*function)(int, siginfo_t*, void*), struct sigaction* old = nullptr) {
    struct sigaction action {};
    action.sa_sigaction = function;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, old);
}

TEST(FaultTest, HandlersOfTheApplication) {
    Array<uint32_t> out(1);
    const auto kernel_faults = [&] {
        fault_of("read_address", {{1}, {1}}, {0, out.address(), 0}, Fault::illegal_address);
    };
    struct sigaction initial;
    sigaction(SIGSEGV, nullptr, &initial);

    kernel_faults();
    install(on_fault);
    EXPECT_EQ(own_fault(), 1) << "installed after ours";
    kernel_faults();
    EXPECT_EQ(own_fault(), 1) << "and below ours once a kernel has run";
    EXPECT_EQ(own_fault(), 1) << "every time";
    kernel_faults();

    signal(SIGSEGV, plain_handler);
    kernel_faults();
    EXPECT_EQ(own_fault(), 3) << "a handler without siginfo";

    install(chaining_handler, &previous); // calls ours for what it does not know
    kernel_faults();
    EXPECT_EQ(own_fault(), 3) << "the chain goes down to the handler below";
    EXPECT_EQ(caught, 3);
    kernel_faults();
    std::thread([&] { EXPECT_EQ(own_fault(), 3); }).join();
    sigaction(SIGSEGV, &initial, nullptr);
    kernel_faults();
}

TEST(FaultDeathTest, OwnFaultsStillKill) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    Array<uint32_t> out(1);
    fault_of("read_address", {{1}, {1}}, {0, out.address(), 0}, Fault::illegal_address);
    EXPECT_EXIT((device(), write_nowhere()), testing::KilledBySignal(SIGSEGV), "");
    EXPECT_EXIT((device(), raise(SIGSEGV)), testing::KilledBySignal(SIGSEGV), "");
}

} // namespace cpu_test
