#include "backend/cpu/services.h"

#include "backend/cpu/async_services.h"
#include "backend/cpu/cta.h"
#include "backend/cpu/device.h"
#include "backend/cpu/device_calls.h"
#include "backend/cpu/runner.h"

#include <ctime>
#include <fmt/format.h>
#include <utility>
#include <x86intrin.h>

namespace rt::backend::cpu {

namespace {

using ptx::host::Lane;

LaneFiber& fiber_of(Lane* lane) { return *reinterpret_cast<LaneFiber*>(lane); }

[[noreturn]] void fail(Lane* lane, Fault fault, std::string what) {
    Cta& cta = Cta::of(lane);
    {
        // Nothing that owns memory may be on this stack when it is left for good.
        const std::string text = cta.run().place(&fiber_of(lane)) + ": " + std::exchange(what, {});
        cta.run().fail(cta.runner(), fault, text);
    }
    cta.stop(Outcome::stopped);
}

/// The CTA of a lane that has a fiber of its own.
Cta& lanes_of(Lane* lane, const char* service) {
    Cta& cta = Cta::of(lane);
    if (cta.whole_blocks())
        fail(lane, Fault::illegal_instruction, std::string(service) + " in code that is said not to synchronise");
    return cta;
}

uint64_t meet(Lane* lane, const char* service, Meet kind, uint32_t mask, uint32_t operation, uint64_t value,
              uint32_t detail = 0, uint32_t clamp = 0) {
    Cta& cta = lanes_of(lane, service);
    LaneFiber& self = fiber_of(lane);
    self.operation = operation;
    self.value = value;
    self.detail = detail;
    self.clamp = clamp;
    cta.meet(self, kind, mask);
    return self.result;
}

void barrier_sync(Lane* lane, uint32_t id, uint32_t count) {
    lanes_of(lane, "barrier").barrier(fiber_of(lane), id, count, true);
}

void barrier_arrive(Lane* lane, uint32_t id, uint32_t count) {
    lanes_of(lane, "barrier").barrier(fiber_of(lane), id, count, false);
}

uint32_t barrier_reduce(Lane* lane, uint32_t id, uint32_t count, uint32_t operation, uint32_t predicate) {
    return lanes_of(lane, "barrier").barrier_reduce(fiber_of(lane), id, count, operation, predicate != 0);
}

void warp_sync(Lane* lane, uint32_t mask) { meet(lane, "bar.warp.sync", Meet::sync, mask, 0, 0); }

uint64_t shuffle(Lane* lane, uint32_t mode, uint32_t value, uint32_t by, uint32_t clamp, uint32_t mask) {
    return meet(lane, "shfl", Meet::shuffle, mask, mode, value, by, clamp);
}

uint32_t vote(Lane* lane, uint32_t mode, uint32_t predicate, uint32_t mask) {
    return uint32_t(meet(lane, "vote", Meet::vote, mask, mode, predicate));
}

uint32_t match_any(Lane* lane, uint64_t value, uint32_t mask) {
    return uint32_t(meet(lane, "match", Meet::match_any, mask, 0, value));
}

uint64_t match_all(Lane* lane, uint64_t value, uint32_t mask) {
    return meet(lane, "match", Meet::match_all, mask, 0, value);
}

uint32_t reduce(Lane* lane, uint32_t operation, uint32_t value, uint32_t mask) {
    return uint32_t(meet(lane, "redux", Meet::reduce, mask, operation, value));
}

__attribute__((noinline)) uint32_t active_mask(Lane* lane) {
    return lanes_of(lane, "activemask").active_mask(fiber_of(lane), __builtin_return_address(0));
}

void exchange(Lane* lane, uint32_t mask, const void* in, uint32_t bytes, void* out) {
    fiber_of(lane).result = reinterpret_cast<uint64_t>(out);
    meet(lane, "exchange", Meet::exchange, mask, 0, reinterpret_cast<uint64_t>(in), bytes);
}

void collective(Lane* lane, uint32_t mask, void* mine, const void* compute, uint64_t argument) {
    fiber_of(lane).compute = compute;
    fiber_of(lane).result = argument;
    meet(lane, "mma", Meet::collective, mask, 0, reinterpret_cast<uint64_t>(mine));
}

void spin(Lane* lane) { Cta::of(lane).spin(fiber_of(lane), false); }

// CUDA C++ Programming Guide, __nanosleep: anything from nothing to twice the time. Whoever is waited for goes first.
void nanosleep(Lane* lane, uint32_t) { Cta::of(lane).spin(fiber_of(lane), true); }

void exit(Lane* lane) { lanes_of(lane, "exit").exit(fiber_of(lane)); }

void trap(Lane* lane, uint32_t kind) {
    switch (ptx::host::Trap(kind)) {
    case ptx::host::Trap::assertion:
        fail(lane, Fault::assertion, "assertion failed");
    case ptx::host::Trap::unreachable:
        fail(lane, Fault::illegal_instruction, "unreachable code reached");
    case ptx::host::Trap::breakpoint:
        fail(lane, Fault::trap, "breakpoint");
    case ptx::host::Trap::illegal_instruction:
        fail(lane, Fault::illegal_instruction, "illegal instruction");
    case ptx::host::Trap::misaligned_address:
        fail(lane, Fault::misaligned_address, "misaligned address");
    case ptx::host::Trap::trap:
        break;
    }
    fail(lane, Fault::trap, "trap");
}

int32_t vprintf(Lane* lane, const char* format, const void* arguments) {
    Cta& cta = Cta::of(lane);
    return cta.run().device().device_runtime().print(cta.runner().scratch(), format, arguments);
}

void* malloc(Lane* lane, uint64_t bytes) { return Cta::of(lane).run().device().device_runtime().malloc(bytes); }

void free(Lane* lane, void* address) {
    if (!Cta::of(lane).run().device().device_runtime().free(address))
        fail(lane, Fault::trap, fmt::format("free({}): not from malloc", address));
}

void assertfail(Lane* lane, const char* message, const char* file, uint32_t line, const char* function,
                uint64_t char_size) {
    report_assertion(Cta::of(lane).runner().scratch(), {message, file, function, line, char_size}, lane->block,
                     lane->thread);
    fail(lane, Fault::assertion, "assertion failed");
}

uint64_t globaltimer(Lane*) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return uint64_t(now.tv_sec) * 1'000'000'000 + uint64_t(now.tv_nsec);
}

uint64_t clock(Lane*) { return __rdtsc(); }

void grid_sync(Lane* lane) {
    Cta& cta = lanes_of(lane, "grid synchronisation");
    if (!cta.run().cooperative()) fail(lane, Fault::trap, "grid synchronisation, but the launch is not cooperative");
    cta.grid_barrier(fiber_of(lane));
}

void cluster_arrive(Lane* lane) { lanes_of(lane, "barrier.cluster").cluster_arrive(fiber_of(lane)); }

void cluster_wait(Lane* lane) { lanes_of(lane, "barrier.cluster").cluster_wait(fiber_of(lane)); }

} // namespace

void refuse(Lane* lane, std::string what) { fail(lane, Fault::illegal_instruction, std::move(what)); }
void refuse_address(Lane* lane, std::string what) { fail(lane, Fault::misaligned_address, std::move(what)); }

const ptx::host::Services& services() {
    static const ptx::host::Services table = {
        .barrier_sync = barrier_sync,
        .barrier_arrive = barrier_arrive,
        .barrier_reduce = barrier_reduce,
        .warp_sync = warp_sync,
        .shuffle = shuffle,
        .vote = vote,
        .match_any = match_any,
        .match_all = match_all,
        .reduce = reduce,
        .active_mask = active_mask,
        .exchange = exchange,
        .spin = spin,
        .nanosleep = nanosleep,
        .exit = exit,
        .trap = trap,
        .vprintf = vprintf,
        .malloc = malloc,
        .free = free,
        .assertfail = assertfail,
        .globaltimer = globaltimer,
        .clock = clock,
        .grid_sync = grid_sync,
        .cluster_arrive = cluster_arrive,
        .cluster_wait = cluster_wait,
        .mbarrier = mbarrier,
        .bulk_copy = bulk_copy,
        .bulk_reduce = bulk_reduce,
        .tensor_copy = tensor_copy,
        .tensor_replace = tensor_replace,
        .collective = collective,
        .device_call = device_call,
        .reserved = {},
    };
    return table;
}

} // namespace rt::backend::cpu
