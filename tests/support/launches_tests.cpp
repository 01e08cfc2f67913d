// Launches from kernels on GPUs: what the programs that nvcc makes do not show.
#include "seam_kernels.h"

#include "rt/error.h"

#include <map>

using namespace rt::backend;

namespace {

using seam::Buffer;

constexpr std::string_view kernels = R"(
.version 8.0
.target sm_80
.address_size 64
.extern .func (.param .b64 buffer) cnpGetParameterBuffer(.param .b32 alignment, .param .b32 bytes);
.extern .func (.param .b32 status) cnpLaunchDevice(.param .b64 kernel, .param .b64 parameters, .param .b64 grid,
    .param .b64 block, .param .b32 shared, .param .b64 stream);
.extern .func (.param .b32 status) cnpDeviceSynchronize();

.visible .entry counts(.param .u64 counter)
{
    .reg .b64 %counter;
    ld.param.u64 %counter, [counter];
    red.global.add.u32 [%counter], 1;
    ret;
}

.visible .entry traps(.param .u64 counter)
{
    trap;
}

// Launches 2 * 32 threads of a kernel so many times; writes the last status, and what the counter is at its end, after
// waiting for them if `waits`.
.visible .entry launches(.param .u64 kernel, .param .u64 counter, .param .u64 out, .param .u32 times, .param .u32 waits)
{
    .local .align 4 .b32 grid[3];
    .local .align 4 .b32 block[3];
    .reg .pred %p;
    .reg .b32 %i, %times, %waits, %status, %count;
    .reg .b64 %kernel, %counter, %out, %grid, %block, %buffer;
    ld.param.u64 %kernel, [kernel];
    ld.param.u64 %counter, [counter];
    ld.param.u64 %out, [out];
    ld.param.u32 %times, [times];
    ld.param.u32 %waits, [waits];
    mov.u64 %grid, grid;
    cvta.local.u64 %grid, %grid;
    mov.u64 %block, block;
    cvta.local.u64 %block, %block;
    st.u32 [%grid], 2;
    st.u32 [%grid+4], 1;
    st.u32 [%grid+8], 1;
    st.u32 [%block], 32;
    st.u32 [%block+4], 1;
    st.u32 [%block+8], 1;
    mov.u32 %i, 0;
again:
    {
        .param .b32 a;
        .param .b32 b;
        .param .b64 c;
        st.param.b32 [a], 8;
        st.param.b32 [b], 8;
        call (c), cnpGetParameterBuffer, (a, b);
        ld.param.b64 %buffer, [c];
    }
    st.u64 [%buffer], %counter;
    {
        .param .b64 a;
        .param .b64 b;
        .param .b64 c;
        .param .b64 d;
        .param .b32 e;
        .param .b64 f;
        .param .b32 g;
        st.param.b64 [a], %kernel;
        st.param.b64 [b], %buffer;
        st.param.b64 [c], %grid;
        st.param.b64 [d], %block;
        st.param.b32 [e], 0;
        st.param.b64 [f], 0;
        call (g), cnpLaunchDevice, (a, b, c, d, e, f);
        ld.param.b32 %status, [g];
    }
    add.u32 %i, %i, 1;
    setp.lt.u32 %p, %i, %times;
    @%p bra again;
    st.global.u32 [%out], %status;
    setp.eq.u32 %p, %waits, 0;
    @%p bra done;
    {
        .param .b32 a;
        call (a), cnpDeviceSynchronize, ();
        ld.param.b32 %status, [a];
    }
    st.global.u32 [%out], %status;
done:
    ld.volatile.global.u32 %count, [%counter];
    st.global.u32 [%out+4], %count;
    ret;
}
)";

constexpr uint64_t address_of_counts = 16, address_of_traps = 32;

/// A module of these kernels.
class Side : public DeviceSide {
  public:
    std::map<uint64_t, Kernel*> kernels;
    size_t pending = 2048;

    Kernel* find(uint64_t) override { return nullptr; }
    Kernel& resolve(uint64_t address) override {
        const auto found = kernels.find(address);
        if (found == kernels.end()) throw rt::Error(rt::Status::invalid_value, "no kernel");
        return *found->second;
    }
    void check(uint64_t, const Launch&) override {}
    int attribute(uint64_t, int) override { return 0; }
    int active_blocks(uint64_t, int, size_t) override { return 1; }
    int ordinal() const override { return 0; }
    int device_count() const override { return 1; }
    int device_attribute(int, int) const override { return 0; }
    size_t limit(int) const override { return pending; }
    int cache_config() const override { return 0; }
};

class Launches : public seam::Kernels {
  protected:
    Launches() : Kernels(kernels) {}

    struct Outcome {
        uint32_t status, seen; ///< by the parent
        uint32_t counted;      ///< by what follows it
        Fault fault;
    };
    Outcome run(uint64_t address, uint32_t times, bool waits) {
        side.kernels = {{address_of_counts, &kernel("counts")}, {address_of_traps, &kernel("traps")}};
        Buffer counter(device(), 4), out(device(), 8), copied(device(), 4);
        queue->fill({.destination = counter.address, .element_bytes = 4, .width = 1});
        const std::vector<uint8_t> parameters = pack(address, counter.address, out.address, times, uint32_t{waits});
        Launch parent;
        parent.kernel = &kernel("launches");
        parent.device_side = &side;
        parent.parameters = parameters;
        queue->launch(parent);
        queue->copy({.destination = copied.address, .source = counter.address, .width = 4});
        queue->synchronize();
        const Fault fault = queue->fault();
        queue.reset();
        queue = device().create_queue(0); // faults stay
        const std::vector<uint32_t> words = words_at(out.address, 2);
        return {words[0], words[1], words_at(copied.address, 1)[0], fault};
    }

    Side side;
};

} // namespace

TEST_F(Launches, BeginWhenTheParentEndsAndComeBeforeWhatFollowsIt) {
    const Outcome outcome = run(address_of_counts, 20, false);
    EXPECT_EQ(outcome.status, 0u);
    EXPECT_EQ(outcome.seen, 0u);
    EXPECT_EQ(outcome.counted, 20u * 64);
    EXPECT_EQ(outcome.fault, Fault::none);
}

/// As code for CUDA 11 may.
TEST_F(Launches, AreWaitedForInTheParentsMiddle) {
    const Outcome outcome = run(address_of_counts, 20, true);
    EXPECT_EQ(outcome.status, 0u);
    EXPECT_EQ(outcome.seen, 20u * 64);
    EXPECT_EQ(outcome.counted, 20u * 64);
}

TEST_F(Launches, BeginEarlierWhenTooManyArePending) {
    side.pending = 4;
    const Outcome outcome = run(address_of_counts, 20, false);
    EXPECT_EQ(outcome.status, 0u);
    EXPECT_EQ(outcome.counted, 20u * 64);
}

TEST_F(Launches, AreRefusedWhereNoneMayBePending) {
    side.pending = 0;
    const Outcome outcome = run(address_of_counts, 1, false);
    EXPECT_EQ(outcome.status, uint32_t(12)) << "launch_pending_count_exceeded";
    EXPECT_EQ(outcome.counted, 0u);
    EXPECT_EQ(outcome.fault, Fault::none);
}

TEST_F(Launches, OfWhatIsNoKernelAreRefused) {
    const Outcome outcome = run(48, 1, false);
    EXPECT_EQ(outcome.status, uint32_t(7)) << "invalid_configuration";
    EXPECT_EQ(outcome.fault, Fault::none);
}

TEST_F(Launches, FailTheStreamOfTheirParent) { EXPECT_EQ(run(address_of_traps, 3, false).fault, Fault::trap); }
