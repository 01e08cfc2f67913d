// PTX ISA 9.7.13.15: mbarrier objects. All who use one are on one thread, so plain reads and writes do.
#include "backend/cpu/async_services.h"
#include "backend/cpu/cta.h"

#include <cstring>

namespace rt::backend::cpu {

namespace {

using ptx::host::Lane;
using ptx::host::Mbarrier;

/// The object taken apart. Its 64 bits are our own affair: programs see counts and phases only.
struct Object {
    uint32_t pending = 0, expected = 0; ///< arrivals: still to come in this phase, and in each phase
    int32_t transactions = 0;           ///< bytes expected and not yet there; below 0 when they came first
    uint32_t phase = 0;

    static constexpr unsigned count_bits = 20, transaction_bits = 22;
    static constexpr uint32_t count_mask = (1u << count_bits) - 1;

    explicit Object(uint64_t bits)
        : pending(bits & count_mask), expected(bits >> count_bits & count_mask),
          transactions(int32_t(uint32_t(bits >> 2 * count_bits) << (32 - transaction_bits)) >> (32 - transaction_bits)),
          phase(uint32_t(bits >> 63)) {}

    uint64_t bits() const {
        return uint64_t(pending & count_mask) | uint64_t(expected & count_mask) << count_bits |
               (uint64_t(uint32_t(transactions)) & ((1u << transaction_bits) - 1)) << 2 * count_bits |
               uint64_t{phase} << 63;
    }
    void complete_if_due() {
        if (pending || transactions) return;
        phase ^= 1;
        pending = expected;
    }
};

uint64_t load(uint64_t address) {
    uint64_t bits;
    std::memcpy(&bits, reinterpret_cast<const void*>(address), sizeof bits);
    return bits;
}

void store(uint64_t address, uint64_t bits) { std::memcpy(reinterpret_cast<void*>(address), &bits, sizeof bits); }

/// Whether the phase that `argument` names is over. Only the current and the last one can be asked about.
bool is_over(Mbarrier operation, uint64_t address, uint64_t argument) {
    const uint32_t phase = Object(load(address)).phase;
    const bool by_parity = operation == Mbarrier::test_parity || operation == Mbarrier::try_parity;
    return phase != (by_parity ? uint32_t(argument & 1) : Object(argument).phase);
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
    Object object(before);
    switch (operation) {
    case Mbarrier::init:
        object = Object(0);
        object.pending = object.expected = uint32_t(argument);
        break;
    case Mbarrier::inval:
        object = Object(0);
        break;
    case Mbarrier::expect_tx:
        object.transactions += int32_t(argument);
        break;
    case Mbarrier::complete_tx:
        object.transactions -= int32_t(argument);
        break;
    case Mbarrier::drop:
    case Mbarrier::drop_no_complete:
        object.expected -= uint32_t(argument);
        [[fallthrough]];
    default:
        object.pending -= uint32_t(argument);
        break;
    }
    if (operation != Mbarrier::init && operation != Mbarrier::inval) object.complete_if_due();
    store(address, object.bits());
    Cta::of(lane).note_progress();
    return before;
}

} // namespace

uint64_t mbarrier(Lane* lane, uint32_t operation, uint64_t address, uint64_t argument) {
    switch (const auto kind = Mbarrier(operation)) {
    case Mbarrier::pending_count:
        return Object(argument).pending;
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
