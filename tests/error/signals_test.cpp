// The application's own faults are its own, whenever it installed its handler.
#include "context.h"

#include <csetjmp>
#include <csignal>

namespace {

sigjmp_buf back;
volatile sig_atomic_t caught = 0;
void* volatile caught_address = nullptr;

void handler(int, siginfo_t* info, void*) {
    caught = caught + 1;
    caught_address = info->si_addr;
    siglongjmp(back, 1);
}

struct Handler {
    struct sigaction old {};
    Handler() {
        struct sigaction action {};
        action.sa_sigaction = handler;
        action.sa_flags = SA_SIGINFO;
        sigaction(SIGSEGV, &action, &old);
    }
    ~Handler() { sigaction(SIGSEGV, &old, nullptr); }
};

int* volatile nowhere = (int*)0x18;   // out of the compiler's sight

void fault_here() {
    if (sigsetjmp(back, 1) == 0) *nowhere = 1;
}

const char* reads_zero = ".visible .entry k() { .reg .b64 %p; .reg .b32 %r; mov.u64 %p, 0; ld.global.u32 %r, [%p]; "
                         "st.global.u32 [%p], %r; ret; }";

using Signals = WithContext;

TEST_F(Signals, HandlerInstalledAfterOurs) {
    EXPECT_EQ(run(".visible .entry k() { ret; }"), 0);
    Handler installed;
    caught = 0;
    fault_here();
    EXPECT_EQ(caught, 1);
    EXPECT_EQ(caught_address, (void*)0x18);
    EXPECT_EQ(run(reads_zero), 700);   // the kernel's fault is ours all the same
    EXPECT_EQ(caught, 1);
    fault_here();
    EXPECT_EQ(caught, 2);
}

TEST(SignalsBeforeInit, HandlerInstalledFirst) {
    // In a process of its own: nothing of ours is there when the handler comes.
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            Handler installed;
            CUdevice device = 0;
            CUcontext context = nullptr;
            if (cuInit(0) || cuDeviceGet(&device, 0) || cuCtxCreate_v2(&context, 0, device)) _exit(3);
            CUdeviceptr p = 0;
            if (cuMemAlloc_v2(&p, 64) || cuMemsetD8_v2(p, 1, 64) || cuCtxSynchronize()) _exit(4);
            fault_here();
            _exit(caught == 1 ? 0 : 5);
        },
        testing::ExitedWithCode(0), "");
}

TEST(SignalsBeforeInit, WithoutAHandlerTheProcessDies) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            CUdevice device = 0;
            CUcontext context = nullptr;
            signal(SIGSEGV, SIG_DFL);
            if (cuInit(0) || cuDeviceGet(&device, 0) || cuCtxCreate_v2(&context, 0, device)) _exit(3);
            *nowhere = 1;
        },
        testing::KilledBySignal(SIGSEGV), "");
}

} // namespace
