// PTX ISA 9.7.13.15: mbarrier objects. All who use one are on one thread, so plain reads and writes do.
#include "backend/cpu/async_services.h"
#include "backend/cpu/cta.h"

#include "ptx/mbarrier_state.h"

#include <cstring>

namespace rt::backend::cpu {

namespace {

using ptx::MbarrierState;
using ptx::host::Lane;
using ptx::host::Mbarrier;

uint64_t load(uint64_t address) {
    uint64_t bits;
    std::memcpy(&bits, reinterpret_cast<const void*>(address), sizeof bits);
    return bits;
}

void store(uint64_t address, uint64_t bits) { std::memcpy(reinterpret_cast<void*>(address), &bits, sizeof bits); }

bool is_over(Mbarrier operation, uint64_t address, uint64_t argument) {
    return MbarrierState(load(address)).is_over(operation, argument);
}

/// A lane that finds the phase still going on lets others run before it looks once more: test_wait too, since what it
/// waits for cannot happen otherwise.
uint64_t wait(Lane* lane, Mbarrier operation, uint64_t address, uint64_t argument) {
    if (is_over(operation, address, argument)) return 1;
    Cta& cta = Cta::of(lane);
    cta.pause(*reinterpret_cast<LaneFiber*>(lane));
    if (!is_over(operation, address, argument)) return 0;
    cta.note_progress();
    return 1;
}

uint64_t change(Lane* lane, Mbarrier operation, uint64_t address, uint64_t argument) {
    const uint64_t before = load(address);
    MbarrierState object(before);
    object.change(operation, argument);
    store(address, object.bits());
    Cta::of(lane).note_progress();
    return before;
}

} // namespace

uint64_t mbarrier(Lane* lane, uint32_t operation, uint64_t address, uint64_t argument) {
    switch (const auto kind = Mbarrier(operation)) {
    case Mbarrier::pending_count:
        return MbarrierState(argument).pending;
    case Mbarrier::test_wait:
    case Mbarrier::test_parity:
    case Mbarrier::try_wait:
    case Mbarrier::try_parity:
        return wait(lane, kind, address, argument);
    default:
        return change(lane, kind, address, argument);
    }
}

void complete_transaction(Lane* lane, uint64_t address, uint32_t bytes) {
    change(lane, Mbarrier::complete_tx, address, bytes);
}

} // namespace rt::backend::cpu
