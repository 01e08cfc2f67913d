#include "runtime_api/context.h"

#include "runtime_api/enter.h"
#include "runtime_api/registry.h"

#include <atomic>
#include <map>
#include <mutex>

namespace cudart {
namespace {

constexpr int not_chosen = -1;
thread_local int device_of_thread = not_chosen;
std::atomic<int> preferred_device{0};

int thread_device() { return device_of_thread == not_chosen ? preferred_device.load() : device_of_thread; }

struct Primaries {
    std::mutex mutex;
    std::map<int, CUcontext> retained;
};

// Never destroyed: programs call the runtime from their own destructors.
Primaries& primaries() {
    static Primaries& all = *new Primaries;
    return all;
}

// Counts cudaDeviceReset: a thread looks at its context again when it has changed.
std::atomic<unsigned> resets{0};
thread_local unsigned resets_seen = 0;

// Whether `context` is a primary one that cudaDeviceReset gave back: it must be retained anew.
bool must_be_retained(CUcontext context) {
    CUdevice device = 0;
    if (cuCtxGetDevice_v2(&device, context)) return false;
    unsigned int flags = 0;
    int active = 1;
    return !cuDevicePrimaryCtxGetState(device, &flags, &active) && !active;
}

} // namespace

void initialise() {
    static const CUresult result = cuInit(0);
    check(result);
}

CUcontext primary_context(int device) {
    Primaries& all = primaries();
    const std::scoped_lock lock(all.mutex);
    CUcontext& context = all.retained[device];
    if (!context) {
        CUcontext fresh = nullptr;
        check(cuDevicePrimaryCtxRetain(&fresh, device));
        context = fresh;
    }
    return context;
}

void use_context() {
    initialise();
    CUcontext context = nullptr;
    check(cuCtxGetCurrent(&context));
    if (!context) {
        check(cuCtxSetCurrent(primary_context(thread_device())));
    } else if (const unsigned now = resets.load(); now != resets_seen) [[unlikely]] {
        resets_seen = now;
        CUdevice device = 0;
        if (must_be_retained(context)) {
            check(cuCtxGetDevice_v2(&device, context));
            check(cuCtxSetCurrent(primary_context(device)));
        }
    }
    Registry::get().provide_managed();
}

int current_device() {
    CUdevice device = thread_device();
    CUcontext context = nullptr;
    initialise();
    if (!cuCtxGetCurrent(&context) && context) check(cuCtxGetDevice(&device));
    return device;
}

void select_device(int device) {
    initialise();
    int count = 0;
    check(cuDeviceGetCount(&count));
    require(device >= 0 && device < count, cudaErrorInvalidDevice);
    check(cuCtxSetCurrent(primary_context(device)));
    device_of_thread = device;
}

void prefer_device(int device) { preferred_device = device; }

void reset_device() {
    const int device = current_device();
    device_of_thread = device;
    Primaries& all = primaries();
    {
        const std::scoped_lock lock(all.mutex);
        if (all.retained.erase(device)) check(cuDevicePrimaryCtxRelease_v2(device));
    }
    const CUresult result = cuDevicePrimaryCtxReset_v2(device);
    ++resets;
    check(cuCtxSetCurrent(nullptr));
    check(result);
}

} // namespace cudart
