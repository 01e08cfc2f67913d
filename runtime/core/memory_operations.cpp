#include "rt/memory_operations.h"

#include "core/capture.h"
#include "rt/context.h"
#include "rt/device.h"
#include "rt/memory.h"
#include "rt/stream.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <type_traits>

namespace rt {
namespace {

using namespace std::chrono_literals;

/// Whether the host can look at the word: on the CPU device memory is the host's.
bool host_reaches(Stream& stream, const MemoryOperation& operation) {
    if (stream.context().device().backend().facts().target.arch == ptx::Arch::host) return true;
    const auto found = memory::find(operation.address);
    return found && found->kind != backend::MemoryKind::device;
}

template <class Word> bool satisfied(Word seen, Word value, WaitCondition condition) {
    using Signed = std::make_signed_t<Word>;
    switch (condition) {
    case WaitCondition::geq:
        return Signed(Word(seen - value)) >= 0;
    case WaitCondition::eq:
        return seen == value;
    case WaitCondition::and_:
        return (seen & value) != 0;
    case WaitCondition::nor:
        return Word(~(seen | value)) != 0;
    }
    return false;
}

template <class Word> void on_host(const MemoryOperation& operation) {
    auto* word = reinterpret_cast<Word*>(operation.address);
    const auto value = Word(operation.value);
    if (!operation.waits) return __atomic_store_n(word, value, __ATOMIC_RELEASE);
    for (int spins = 0; !satisfied(__atomic_load_n(word, __ATOMIC_ACQUIRE), value, operation.condition); ++spins)
        spins < 1000 ? std::this_thread::yield() : std::this_thread::sleep_for(20us);
}

void write_by_copy(Stream& stream, const MemoryOperation& operation) {
    auto word = std::make_shared<uint64_t>(operation.value); // little endian: the low half comes first
    backend::Copy copy;
    copy.destination = operation.address;
    copy.source = uint64_t(word.get());
    copy.width = operation.wide ? 8 : 4;
    stream.copy(copy);
    stream.call([word] {});
}

} // namespace

void Stream::memory(const MemoryOperation& operation, const std::function<MemoryOperations()>& as_list) {
    if (!capture::detail::none() || !host_reaches(*this, operation)) return memory(as_list());
    call([operation] { operation.wide ? on_host<uint64_t>(operation) : on_host<uint32_t>(operation); });
}

void Stream::memory(const MemoryOperations& list) {
    const auto reached = [&](const MemoryOperation& operation) { return host_reaches(*this, operation); };
    // None of them is done when one cannot be.
    for (const MemoryOperation& operation : list.operations)
        if (operation.waits && !reached(operation))
            throw Error(Status::not_supported, "waiting on a word of device memory is not supported on this device");
    if (capture::add(*this, &list) || list.operations.empty()) return;
    if (std::ranges::all_of(list.operations, reached)) {
        call([operations = list.operations] {
            for (const MemoryOperation& one : operations) one.wide ? on_host<uint64_t>(one) : on_host<uint32_t>(one);
        });
        return;
    }
    for (const MemoryOperation& operation : list.operations) {
        if (!reached(operation))
            write_by_copy(*this, operation);
        else
            call([operation] { operation.wide ? on_host<uint64_t>(operation) : on_host<uint32_t>(operation); });
    }
}

} // namespace rt
