#include "backend/gpu/service_box.h"

#include "ptx/device_format.h"
#include "ptx/host_abi.h"
#include "ptx/stack_overflow.h"
#include "support/log.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <deque>
#include <fmt/format.h>

namespace rt::backend::gpu {

namespace {

using ptx::gpu::Service;
using ptx::gpu::Slot;
using ptx::gpu::SlotState;

uint32_t load(uint32_t& word) { return std::atomic_ref(word).load(std::memory_order_acquire); }
void store(uint32_t& word, uint32_t value) { std::atomic_ref(word).store(value, std::memory_order_release); }

std::string place(const uint32_t (&b)[3], const uint32_t (&t)[3]) {
    return fmt::format("block [{},{},{}], thread [{},{},{}]", b[0], b[1], b[2], t[0], t[1], t[2]);
}

/// Takes a message apart. What a kernel that writes astray may have made of it reads as zeros.
class Text {
  public:
    explicit Text(const std::string& text) : rest_(text) {}

    template <class T> T take() {
        T value{};
        const std::string_view bytes = take(sizeof value);
        std::memcpy(&value, bytes.data(), bytes.size());
        return value;
    }
    std::string_view take(size_t bytes) {
        const std::string_view taken = rest_.substr(0, bytes);
        rest_.remove_prefix(taken.size());
        return taken;
    }

  private:
    std::string_view rest_;
};

} // namespace

ServiceBox::ServiceBox(std::span<Slot> slots, ptx::gpu::StopReport& report, DeviceRuntime& runtime,
                       std::shared_ptr<Faults> faults)
    : slots_(slots), report_(report), runtime_(runtime), faults_(std::move(faults)) {}

void ServiceBox::set_device_calls(DeviceCalls device_calls) {
    std::lock_guard lock(mutex_);
    device_calls_ = std::move(device_calls);
}

bool ServiceBox::serve() {
    std::lock_guard lock(mutex_);
    bool any = false;
    for (;; next_++, any = true) {
        Slot& slot = slots_[next_ & (slots_.size() - 1)];
        const auto turn = uint32_t(next_ >> std::countr_zero(slots_.size()));
        if (load(slot.state) != 4 * turn + uint32_t(SlotState::asked)) break;
        serve(slot, turn);
    }
    look_at_report();
    return any;
}

void ServiceBox::serve(Slot& slot, uint32_t turn) {
    const auto empty = [&] { store(slot.state, 4 * (turn + 1)); };
    switch (slot.service) {
    case Service::malloc:
        slot.value = reinterpret_cast<uint64_t>(runtime_.malloc(slot.value));
        return store(slot.state, 4 * turn + uint32_t(SlotState::answered));
    case Service::free:
        if (!runtime_.free(reinterpret_cast<void*>(slot.value)))
            faults_->set(Fault::trap,
                         fmt::format("{}: free({:#x}): not from malloc", place(slot.block, slot.thread), slot.value));
        return empty();
    case Service::print:
    case Service::assertion: {
        std::string& text = unfinished_[slot.message];
        text.append(reinterpret_cast<const char*>(slot.text), std::min(slot.bytes, Slot::text_bytes));
        if (slot.last) {
            if (slot.service == Service::print)
                print(text);
            else
                report_assertion_of(text, slot);
            unfinished_.erase(slot.message);
        }
        return empty();
    }
    case Service::device_call:
        if (!device_calls_) break;
        return device_calls_(slot, [&slot, turn] { store(slot.state, 4 * turn + uint32_t(SlotState::answered)); });
    }
    log(LogLevel::error, LogChannel::launch, "a kernel asks for service {}, which there is not",
        uint32_t(slot.service));
    empty();
}

void ServiceBox::print(const std::string& text) {
    Text rest(text);
    const auto header = rest.take<ptx::gpu::PrintHeader>();
    const std::string format(rest.take((uint64_t{header.format_bytes} + 7) / 8 * 8));
    const std::string_view packed = rest.take(header.argument_bytes);
    // With room for all that a cut or damaged message may name.
    std::vector<uint64_t> arguments(packed.size() / 8 + 2 + ptx::device_format::most_arguments * 2);
    std::memcpy(arguments.data(), packed.data(), packed.size());
    std::deque<std::string> strings;
    ptx::device_format::Reader reader(format.c_str(), arguments.data());
    for (ptx::device_format::Piece piece; reader.next(piece);) {
        if (!piece.is_string()) continue;
        const auto bytes = rest.take<uint32_t>();
        const char* string = nullptr;
        if (bytes != ptx::gpu::null_string) string = strings.emplace_back(rest.take(bytes)).c_str();
        std::memcpy(reinterpret_cast<void*>(piece.argument), &string, sizeof string);
    }
    runtime_.print(scratch_, format.c_str(), arguments.data());
}

void ServiceBox::report_assertion_of(const std::string& text, const Slot& slot) {
    Text rest(text);
    const auto header = rest.take<ptx::gpu::AssertionHeader>();
    std::string message(rest.take(header.message_bytes));
    message.append(std::clamp(header.char_size, 1u, 8u), '\0');
    const std::string file(rest.take(header.file_bytes)), function(rest.take(header.function_bytes));
    report_assertion(scratch_, {message.c_str(), file.c_str(), function.c_str(), header.line, header.char_size},
                     slot.block, slot.thread);
}

void ServiceBox::look_at_report() {
    const uint32_t kind = load(report_.kind);
    if (kind == 0) return;
    const auto set = [&](Fault fault, const char* what) {
        faults_->set(fault, fmt::format("{}: {}", place(report_.block, report_.thread), what));
    };
    if (kind - 1 == ptx::gpu::stack_overflow_trap) return set(Fault::stack_overflow, "stack overflow");
    switch (ptx::host::Trap(kind - 1)) {
    case ptx::host::Trap::assertion:
        return set(Fault::assertion, "assertion failed");
    case ptx::host::Trap::unreachable:
        return set(Fault::illegal_instruction, "unreachable code reached");
    case ptx::host::Trap::breakpoint:
        return set(Fault::trap, "breakpoint");
    case ptx::host::Trap::illegal_instruction:
        return set(Fault::illegal_instruction, "illegal instruction");
    case ptx::host::Trap::misaligned_address:
        return set(Fault::misaligned_address, "misaligned address");
    case ptx::host::Trap::trap:
        break;
    }
    set(Fault::trap, "trap");
}

} // namespace rt::backend::gpu
