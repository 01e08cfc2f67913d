// What code for GPUs asks of the host: the device's side of ptx/gpu_services.h.
#pragma once

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
};

Taken take_slot(Services services) {
    const uint64_t ticket = take_ticket(services);
    const uint32_t mask = services->slot_mask;
    GLOBAL Slot* slot = reinterpret_cast<GLOBAL Slot*>(services->slots) + (ticket & mask);
    const uint32_t turn = uint32_t(ticket >> __builtin_popcount(mask));
    wait_for_state(services, slot, 4 * turn);
    return {slot, ticket, turn};
}

/// Writes a message piece by piece.
class Sender {
  public:
    Sender(uint64_t services, ptx::gpu::Service service) : services_(services), service_(service) {}

    __attribute__((noinline, convergent)) void put(uint8_t byte) {
        if (fill_ == 0) begin();
        word_ |= uint64_t{byte} << 8 * (fill_ & 7);
        if (++fill_ % 8 == 0) flush();
        if (fill_ == Slot::text_bytes) end(0);
    }
    void put_word(uint32_t word) {
        for (unsigned i = 0; i < 4; i++) put(uint8_t(word >> 8 * i));
    }
    void put(const char* text, uint64_t bytes) {
#pragma clang loop unroll(disable)
        for (uint64_t i = 0; i < bytes; i++) put(uint8_t(text[i]));
    }
    void finish() {
        if (fill_ == 0) begin();
        end(1);
    }

  private:
    void begin() {
        taken_ = take_slot(services_at(services_));
        if (!began_) message_ = taken_.ticket;
        began_ = true;
        GLOBAL Slot* slot = taken_.slot;
        slot->service = service_;
        slot->message = message_;
        fill_place(services_, slot->block, slot->thread);
        word_ = 0;
    }
    void flush() {
        *reinterpret_cast<GLOBAL uint64_t*>(taken_.slot->text + (fill_ - 1) / 8 * 8) = word_;
        word_ = 0;
    }
    void end(uint32_t last) {
        if (fill_ % 8) flush();
        taken_.slot->bytes = fill_;
        taken_.slot->last = last;
        taken_.publish(ptx::gpu::SlotState::asked);
        fill_ = 0;
    }

    const uint64_t services_;
    const ptx::gpu::Service service_;
    Taken taken_{};
    uint64_t message_ = 0, word_ = 0;
    uint32_t fill_ = 0;
    bool began_ = false;
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

SERVICE int32_t cuttle_amdgpu_vprintf(uint64_t services, uint64_t format_address, uint64_t packed) {
    using namespace ptx::device_format;
    const auto* format = reinterpret_cast<const char*>(format_address);
    const auto* arguments = reinterpret_cast<const char*>(packed);
    if (!format) return -1;
    Reader reader(format, arguments);
    for (Piece piece; reader.next(piece);) {
    }
    const uint32_t format_bytes = length_of(format) + 1;
    const auto argument_bytes = uint32_t(reader.end_of_arguments() - packed);
    Sender sender(services, ptx::gpu::Service::print);
    sender.put_word(format_bytes);
    sender.put_word(argument_bytes);
    sender.put(format, format_bytes);
    for (uint32_t i = format_bytes; i % 8; i++) sender.put(0);
    sender.put(arguments, argument_bytes);
    Reader again(format, arguments);
    for (Piece piece; again.next(piece);) {
        if (!piece.is_string()) continue;
        const auto* text = *reinterpret_cast<const char* const*>(piece.argument);
        const uint32_t bytes = text ? length_of(text) : 0;
        sender.put_word(text ? bytes : ptx::gpu::null_string);
        sender.put(text, bytes);
    }
    sender.finish();
    return reader.used();
}

SERVICE uint64_t cuttle_amdgpu_malloc(uint64_t services, uint64_t bytes) {
    const Taken taken = take_slot(services_at(services));
    taken.slot->service = ptx::gpu::Service::malloc;
    taken.slot->value = bytes;
    taken.publish(ptx::gpu::SlotState::asked);
    wait_for_state(services_at(services), taken.slot, 4 * taken.turn + uint32_t(ptx::gpu::SlotState::answered));
    const uint64_t address = taken.slot->value;
    __scoped_atomic_store_n(&taken.slot->state, 4 * (taken.turn + 1), __ATOMIC_RELEASE, __MEMORY_SCOPE_SYSTEM);
    return address;
}

SERVICE void cuttle_amdgpu_free(uint64_t services, uint64_t address) {
    if (address == 0) return;
    // What the block held was written before the host may give it to another thread.
    __scoped_atomic_thread_fence(__ATOMIC_RELEASE, __MEMORY_SCOPE_SYSTEM);
    const Taken taken = take_slot(services_at(services));
    taken.slot->service = ptx::gpu::Service::free;
    taken.slot->value = address;
    fill_place(services, taken.slot->block, taken.slot->thread);
    taken.publish(ptx::gpu::SlotState::asked);
}

SERVICE void cuttle_amdgpu_assertfail(uint64_t services, uint64_t message_address, uint64_t file_address, uint32_t line,
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
    const uint32_t words[] = {line, size, message_bytes, file_bytes, function_bytes};
    for (uint32_t word : words) sender.put_word(word);
    sender.put(message, message_bytes);
    sender.put(file, file_bytes);
    sender.put(function, function_bytes);
    sender.finish();
    stop(services, ptx::host::Trap::assertion);
}

LIBRARY void cuttle_amdgpu_trap(uint64_t services, uint32_t kind) {
    stop(services, ptx::host::Trap(kind));
}

/// In loops that wait for memory: lets other waves run, and ends when the launch was stopped.
LIBRARY void cuttle_amdgpu_spin(uint64_t services) {
    pause();
    if (stopped(services_at(services))) end_lanes();
}
#undef GLOBAL
