#include "api/bodies.h"
#include "api/constants.h"
#include "driver/copies.h"
#include "driver/handles.h"
#include "rt/memory.h"

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

// Stream memory operations: a stream writes a word, or waits until a word has some value.
namespace shim {
namespace {

using namespace std::chrono_literals;

template <class Word> Word read(uint64_t address) {
    return __atomic_load_n(reinterpret_cast<const Word*>(address), __ATOMIC_ACQUIRE);
}

/// Whether the host can look at device memory: on the CPU it is the same memory.
bool host_reaches(rt::Stream& stream, uint64_t address) {
    if (stream.context().device().facts().target.arch == ptx::Arch::host) return true;
    const auto found = rt::memory::find(address);
    return found && found->kind != rt::backend::MemoryKind::device;
}

template <class Word> void check(uint64_t address) {
    require_value(address && address % sizeof(Word) == 0, "address null or not aligned");
    check_device_range(address, sizeof(Word));
}

template <class Word> Status write(CUstream handle, uint64_t address, Word value, unsigned flags) {
    require_value(flags == 0, "unknown flags"); // the one that there is went with the first form of the call
    rt::Stream& stream = stream_of(handle);
    check<Word>(address);
    if (host_reaches(stream, address)) {
        stream.call([=] { __atomic_store_n(reinterpret_cast<Word*>(address), value, __ATOMIC_RELEASE); });
        return Status::success;
    }
    auto word = std::make_shared<Word>(value);
    rt::backend::Copy copy;
    copy.destination = address;
    copy.source = uint64_t(word.get());
    copy.width = sizeof(Word);
    stream.copy(copy);
    stream.call([word] {});
    return Status::success;
}

template <class Word> bool satisfied(Word seen, Word value, unsigned condition) {
    using Signed = std::make_signed_t<Word>;
    switch (condition) {
    case CU_STREAM_WAIT_VALUE_GEQ:
        return Signed(Word(seen - value)) >= 0; // cyclic: counters may wrap
    case CU_STREAM_WAIT_VALUE_EQ:
        return seen == value;
    case CU_STREAM_WAIT_VALUE_AND:
        return (seen & value) != 0;
    default:
        return Word(~(seen | value)) != 0;
    }
}

template <class Word> Status wait(CUstream handle, uint64_t address, Word value, unsigned flags) {
    const unsigned condition = flags & ~unsigned(CU_STREAM_WAIT_VALUE_FLUSH);
    require_value(condition <= CU_STREAM_WAIT_VALUE_NOR, "unknown flags");
    rt::Stream& stream = stream_of(handle);
    check<Word>(address);
    if (!host_reaches(stream, address)) {
        throw Error(Status::not_supported, "waiting on a word of device memory is not supported on this device");
    }
    stream.call([=] {
        for (int spins = 0; !satisfied(read<Word>(address), value, condition); ++spins) {
            spins < 1000 ? std::this_thread::yield() : std::this_thread::sleep_for(20us);
        }
    });
    return Status::success;
}

} // namespace

Status driver::cuStreamWriteValue32_v2(CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned int flags) {
    return write<cuuint32_t>(stream, address, value, flags);
}

Status driver::cuStreamWriteValue64_v2(CUstream stream, CUdeviceptr address, cuuint64_t value, unsigned int flags) {
    return write<cuuint64_t>(stream, address, value, flags);
}

Status driver::cuStreamWaitValue32_v2(CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned int flags) {
    return wait<cuuint32_t>(stream, address, value, flags);
}

Status driver::cuStreamWaitValue64_v2(CUstream stream, CUdeviceptr address, cuuint64_t value, unsigned int flags) {
    return wait<cuuint64_t>(stream, address, value, flags);
}

} // namespace shim
