#include "driver/integrity.h"

#include "driver/md2.h"
#include "rt/platform.h"

#include <cstring>
#include <pthread.h>
#include <unistd.h>
#include <vector>

namespace shim {
namespace {

// Shared by static cudart and the driver.
constexpr Digest key{0x14, 0x6a, 0xdd, 0xae, 0x53, 0xa9, 0xa7, 0x52, 0xaa, 0x08, 0x41, 0x36, 0x0b, 0xf5, 0x5a, 0x9f};

// The message's parts, as cudart lays them out on its side.
struct Head {
    uint32_t driver_version, version, process, thread;
    const void *cudart_table, *integrity_table, *integrity_function;
    uint64_t unix_seconds;
};
static_assert(sizeof(Head) == 48);

struct DeviceIdentity {
    std::array<uint8_t, 16> uuid;
    int32_t pci_domain, pci_bus, pci_device;
};
static_assert(sizeof(DeviceIdentity) == 28);

template <class T> void append(std::vector<uint8_t>& out, const T& part) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&part);
    out.insert(out.end(), bytes, bytes + sizeof part);
}

} // namespace

std::array<uint64_t, 2> integrity_answer(uint32_t version, uint64_t unix_seconds, const void* cudart_table,
                                         const void* integrity_table, const void* integrity_function) {
    if (version % 10 == 0) return {0x3341181c03cb675c, 0x8ed383aa1f4cd1e8};
    if (version % 10 == 1) return {0x1841181c03cb675c, 0x8ed383aa1f4cd1e8};
    std::vector<uint8_t> message;
    append(message,
           Head{uint32_t(rt::Platform::driver_version()), version, uint32_t(getpid()),
                uint32_t(uint64_t(pthread_self())), cudart_table, integrity_table, integrity_function, unix_seconds});
    rt::Platform& platform = rt::Platform::get();
    for (int i = 0; i < platform.device_count(); ++i) {
        const auto& facts = platform.device(i).facts();
        append(message, DeviceIdentity{facts.uuid, facts.pci_domain, facts.pci_bus, facts.pci_device});
    }
    const Digest digest = hmac_md2(key, message);
    std::array<uint64_t, 2> answer;
    std::memcpy(answer.data(), digest.data(), sizeof answer);
    return answer;
}

} // namespace shim
