#pragma once

#include "ptx/host_abi.h"

/// mbarrier objects (PTX ISA 9.7.13.15), the same for every target. Their 64 bits are our own affair: programs see
/// counts and phases only.
namespace ptx {

/// The object taken apart.
struct MbarrierState {
    uint32_t pending = 0, expected = 0; ///< arrivals: still to come in this phase, and in each phase
    int32_t transactions = 0;           ///< bytes expected and not yet there; below 0 when they came first
    uint32_t phase = 0;

    static constexpr unsigned count_bits = 20, transaction_bits = 22;
    static constexpr uint32_t count_mask = (1u << count_bits) - 1;

    constexpr explicit MbarrierState(uint64_t bits)
        : pending(bits & count_mask), expected(bits >> count_bits & count_mask),
          transactions(int32_t(uint32_t(bits >> 2 * count_bits) << (32 - transaction_bits)) >> (32 - transaction_bits)),
          phase(uint32_t(bits >> 63)) {}

    constexpr uint64_t bits() const {
        return uint64_t(pending & count_mask) | uint64_t(expected & count_mask) << count_bits |
               (uint64_t(uint32_t(transactions)) & ((1u << transaction_bits) - 1)) << 2 * count_bits |
               uint64_t{phase} << 63;
    }

    /// What an operation other than waiting makes of it. The phase ends when nothing more is to come.
    constexpr void change(host::Mbarrier operation, uint64_t argument) {
        switch (operation) {
        case host::Mbarrier::init:
        case host::Mbarrier::inval:
            *this = MbarrierState(0);
            pending = expected = operation == host::Mbarrier::init ? uint32_t(argument) : 0;
            return;
        case host::Mbarrier::expect_tx:
            transactions += int32_t(argument);
            break;
        case host::Mbarrier::complete_tx:
            transactions -= int32_t(argument);
            break;
        case host::Mbarrier::drop:
        case host::Mbarrier::drop_no_complete:
            expected -= uint32_t(argument);
            [[fallthrough]];
        default:
            pending -= uint32_t(argument);
            break;
        }
        if (pending || transactions) return;
        phase ^= 1;
        pending = expected;
    }

    /// Whether the phase that a wait names is over. Only the current and the last one can be asked about.
    constexpr bool is_over(host::Mbarrier operation, uint64_t argument) const {
        const bool by_parity = operation == host::Mbarrier::test_parity || operation == host::Mbarrier::try_parity;
        return phase != (by_parity ? uint32_t(argument & 1) : MbarrierState(argument).phase);
    }
};

} // namespace ptx
