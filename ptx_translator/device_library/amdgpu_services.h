// What code for GPUs asks of the host: the device's side of ptx/gpu_services.h.
#pragma once

#include "ptx/device_calls.h"
#include "ptx/device_format.h"
#include "ptx/gpu_services.h"
#include "ptx/host_abi.h"

#include <stdint.h>

namespace {

#define GLOBAL __attribute__((address_space(1)))
using ptx::gpu::Slot;
using Services = GLOBAL ptx::gpu::ServiceBlock*;

/// `services`: what the kernel was given, here and below.
Services services_at(uint64_t services) { return reinterpret_cast<Services>(services & ~ptx::gpu::cluster_bit); }

void fill_place(uint64_t services, GLOBAL uint32_t* block, GLOBAL uint32_t* thread) {
    uint32_t own_block[3], own_thread[3];
    read_place(own_block, own_thread);
    if (services & ptx::gpu::cluster_bit) find_place_in_cluster(own_block, own_thread);
    for (unsigned i = 0; i < 3; i++) block[i] = own_block[i], thread[i] = own_thread[i];
}

bool stopped(Services services) {
    return __scoped_atomic_load_n(&services->stopped, __ATOMIC_RELAXED, __MEMORY_SCOPE_DEVICE) != 0;
}

/// Lanes that come together get tickets side by side. Else one of them could wait for a slot that another holds.
uint64_t take_ticket(Services services) {
    const uint64_t lanes = active_lanes();
    const uint32_t before = count_before(lanes);
    uint64_t first = 0;
    if (before == 0)
        first = __scoped_atomic_fetch_add(&services->tickets, uint64_t(__builtin_popcountll(lanes)), __ATOMIC_RELAXED,
                                          __MEMORY_SCOPE_DEVICE);
    const uint64_t base = first_lane_of(uint32_t(first)) | uint64_t{first_lane_of(uint32_t(first >> 32))} << 32;
    return base + before;
}

void wait_for_state(Services services, GLOBAL Slot* slot, uint32_t state) {
    while (__scoped_atomic_load_n(&slot->state, __ATOMIC_ACQUIRE, __MEMORY_SCOPE_SYSTEM) != state) {
        pause();
        if (stopped(services)) end_lanes();
    }
}

/// A slot that is this lane's, and its turn.
struct Taken {
    GLOBAL Slot* slot;
    uint64_t ticket;
    uint32_t turn;

    void publish(ptx::gpu::SlotState state) const {
        __scoped_atomic_store_n(&slot->state, 4 * turn + uint32_t(state), __ATOMIC_RELEASE, __MEMORY_SCOPE_SYSTEM);
    }
    /// Of the next turn.
    void publish_empty() const {
        __scoped_atomic_store_n(&slot->state, 4 * (turn + 1), __ATOMIC_RELEASE, __MEMORY_SCOPE_SYSTEM);
    }
};

Taken take_slot(Services services) {
    const uint64_t ticket = take_ticket(services);
    const uint32_t mask = services->slot_mask;
    GLOBAL Slot* slot = reinterpret_cast<GLOBAL Slot*>(services->slots) + (ticket & mask);
    const uint32_t turn = uint32_t(ticket >> __builtin_popcount(mask));
    wait_for_state(services, slot, 4 * turn);
    return {slot, ticket, turn};
}

/// Bytes of a message: `count` at the address `from`, or, without that, of `bytes`.
struct Segment {
    uint64_t from;
    uint64_t bytes;
    uint32_t count;
};
Segment text_at(uint64_t from, uint32_t count) { return {from, 0, count}; }
Segment bytes_of(uint64_t bytes, uint32_t count) { return {0, bytes, count}; }
Segment words_of(uint32_t first, uint32_t second) { return bytes_of(first | uint64_t{second} << 32, 8); }

/// Writes a message.
class Sender {
  public:
    Sender(uint64_t services, ptx::gpu::Service service) : services_(services), service_(service) {}

    /// All that `next(segment)` gives, until it is false. Each step is at one place: where functions are inlined, another
    /// would have its own code.
    template <class F> void send(F&& next) {
        Segment segment{};
        uint32_t at = 0;
        bool more = true;
#pragma clang loop unroll(disable)
        while (more) {
            if (at == segment.count) {
                at = 0;
                more = next(segment);
                if (more && segment.count == 0) continue;
            }
            if (!open_) begin();
            if (more) {
                const uint8_t byte = segment.from ? *reinterpret_cast<const uint8_t*>(segment.from + at)
                                                  : uint8_t(segment.bytes >> 8 * at);
                at++;
                word_ |= uint64_t{byte} << 8 * (fill_++ & 7);
            }
            // A whole word, or the last ones.
            if (more ? fill_ % 8 == 0 : fill_ % 8 != 0) {
                *reinterpret_cast<GLOBAL uint64_t*>(taken_.slot->text + (fill_ - 1) / 8 * 8) = word_;
                word_ = 0;
            }
            if (!more || fill_ == Slot::text_bytes) end(!more);
        }
    }

  private:
    void begin() {
        taken_ = take_slot(services_at(services_));
        if (!began_) message_ = taken_.ticket;
        began_ = open_ = true;
        GLOBAL Slot* slot = taken_.slot;
        slot->service = service_;
        slot->message = message_;
        fill_place(services_, slot->block, slot->thread);
    }
    void end(uint32_t last) {
        taken_.slot->bytes = fill_;
        taken_.slot->last = last;
        taken_.publish(ptx::gpu::SlotState::asked);
        open_ = false;
        fill_ = 0;
    }

    const uint64_t services_;
    const ptx::gpu::Service service_;
    Taken taken_{};
    uint64_t message_ = 0, word_ = 0;
    uint32_t fill_ = 0;
    bool began_ = false, open_ = false; ///< the message, a slot
};

uint32_t length_of(const char* text) {
    uint32_t length = 0;
    while (text[length]) length++;
    return length;
}

bool is_zero(const char* bytes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (bytes[i]) return false;
    return true;
}

/// The first stop of a launch is told; all later ones end their lanes alone.
[[noreturn]] void stop(uint64_t services, ptx::host::Trap kind) {
    const Services block = services_at(services);
    if (__scoped_atomic_exchange_n(&block->stopped, 1u, __ATOMIC_RELAXED, __MEMORY_SCOPE_DEVICE) == 0) {
        auto* report = reinterpret_cast<GLOBAL ptx::gpu::StopReport*>(block->report);
        fill_place(services, report->block, report->thread);
        __scoped_atomic_store_n(&report->kind, uint32_t(kind) + 1, __ATOMIC_RELEASE, __MEMORY_SCOPE_SYSTEM);
    }
    end_lanes();
}

} // namespace

/// Not inlined: rarely run, and long.
#define SERVICE extern "C" __attribute__((noinline, cold, convergent))

SERVICE int32_t cuttle_gpu_vprintf(uint64_t services, uint64_t format_address, uint64_t packed) {
    using namespace ptx::device_format;
    const auto* format = reinterpret_cast<const char*>(format_address);
    const auto* arguments = reinterpret_cast<const char*>(packed);
    if (!format) return -1;
    const uint32_t format_bytes = length_of(format) + 1;
    Sender sender(services, ptx::gpu::Service::print);
    // The format is read twice, at one place: how long the arguments are, then the strings among them.
    Reader reader(format, arguments);
    int32_t used = 0;
    uint32_t argument_bytes = 0;
    uint64_t text = 0;
    uint32_t text_bytes = 0, step = 0;
    sender.send([&](Segment& segment) {
        switch (step++) {
        case 1:
            segment = text_at(format_address, format_bytes);
            return true;
        case 2:
            segment = bytes_of(0, -format_bytes % 8);
            return true;
        case 3:
            segment = text_at(packed, argument_bytes);
            return true;
        case 5:
            segment = text_at(text, text_bytes);
            step = 4;
            return true;
        default:
            break;
        }
        const bool measures = step == 1;
        for (Piece piece; reader.next(piece);) {
            if (measures || !piece.is_string()) continue;
            text = *reinterpret_cast<const uint64_t*>(piece.argument);
            text_bytes = text ? length_of(reinterpret_cast<const char*>(text)) : 0;
            segment = bytes_of(text ? text_bytes : ptx::gpu::null_string, 4);
            return true;
        }
        if (!measures) return false;
        used = reader.used();
        argument_bytes = uint32_t(reader.end_of_arguments() - packed);
        reader = Reader(format, arguments);
        segment = words_of(format_bytes, argument_bytes);
        return true;
    });
    return used;
}

SERVICE uint64_t cuttle_gpu_malloc(uint64_t services, uint64_t bytes) {
    const Taken taken = take_slot(services_at(services));
    taken.slot->service = ptx::gpu::Service::malloc;
    taken.slot->value = bytes;
    taken.publish(ptx::gpu::SlotState::asked);
    wait_for_state(services_at(services), taken.slot, 4 * taken.turn + uint32_t(ptx::gpu::SlotState::answered));
    const uint64_t address = taken.slot->value;
    taken.publish_empty();
    return address;
}

SERVICE void cuttle_gpu_free(uint64_t services, uint64_t address) {
    if (address == 0) return;
    // What the block held was written before the host may give it to another thread.
    __scoped_atomic_thread_fence(__ATOMIC_RELEASE, __MEMORY_SCOPE_SYSTEM);
    const Taken taken = take_slot(services_at(services));
    taken.slot->service = ptx::gpu::Service::free;
    taken.slot->value = address;
    fill_place(services, taken.slot->block, taken.slot->thread);
    taken.publish(ptx::gpu::SlotState::asked);
}

/// What libcudadevrt asks of the driver. `number`: a DeviceCall; `argument_address`: of its arguments, one a word.
SERVICE uint64_t cuttle_gpu_device_call(uint64_t services, uint32_t number, uint64_t argument_address) {
    const auto* arguments = reinterpret_cast<const uint64_t*>(argument_address);
    const Taken taken = take_slot(services_at(services));
    auto* text = reinterpret_cast<GLOBAL ptx::gpu::DeviceCallText*>(taken.slot->text);
    for (unsigned i = 0; i < 6; i++) text->arguments[i] = arguments[i];
    if (const int first = ptx::host::extents_of(ptx::host::DeviceCall(number)); first >= 0)
        for (unsigned i = 0; i < 6; i++)
            text->extents[i / 3][i % 3] = reinterpret_cast<const uint32_t*>(arguments[first + i / 3])[i % 3];
    taken.slot->service = ptx::gpu::Service::device_call;
    taken.slot->value = number;
    fill_place(services, taken.slot->block, taken.slot->thread);
    // With that the host has what a buffer of parameters holds, too.
    taken.publish(ptx::gpu::SlotState::asked);
    wait_for_state(services_at(services), taken.slot, 4 * taken.turn + uint32_t(ptx::gpu::SlotState::answered));
    const uint64_t result = text->result, outcome = text->outcome;
    const uint32_t bytes = text->outcome_bytes;
    taken.publish_empty();
    if (bytes == 4) *reinterpret_cast<uint32_t*>(arguments[0]) = uint32_t(outcome);
    if (bytes == 8) *reinterpret_cast<uint64_t*>(arguments[0]) = outcome;
    return result;
}

SERVICE void cuttle_gpu_assertfail(uint64_t services, uint64_t message_address, uint64_t file_address, uint32_t line,
                                      uint64_t function_address, uint64_t char_size) {
    const auto* message = reinterpret_cast<const char*>(message_address);
    const auto* file = reinterpret_cast<const char*>(file_address);
    const auto* function = reinterpret_cast<const char*>(function_address);
    const auto size = uint32_t(char_size ? char_size : 1);
    uint32_t message_bytes = 0;
    if (message)
        while (!is_zero(message + message_bytes, size)) message_bytes += size;
    const uint32_t file_bytes = file ? length_of(file) : 0, function_bytes = function ? length_of(function) : 0;
    Sender sender(services, ptx::gpu::Service::assertion);
    uint32_t step = 0;
    sender.send([&](Segment& segment) {
        switch (step++) {
        case 0:
            segment = words_of(line, size);
            return true;
        case 1:
            segment = words_of(message_bytes, file_bytes);
            return true;
        case 2:
            segment = bytes_of(function_bytes, 4);
            return true;
        case 3:
            segment = text_at(message_address, message_bytes);
            return true;
        case 4:
            segment = text_at(file_address, file_bytes);
            return true;
        case 5:
            segment = text_at(function_address, function_bytes);
            return true;
        default:
            return false;
        }
    });
    stop(services, ptx::host::Trap::assertion);
}

SERVICE void cuttle_gpu_trap(uint64_t services, uint32_t kind) {
    stop(services, ptx::host::Trap(kind));
}

/// In loops that wait for memory: lets other waves run, and ends when the launch was stopped.
LIBRARY void cuttle_gpu_spin(uint64_t services) {
    pause();
    if (stopped(services_at(services))) end_lanes();
}
#undef GLOBAL
