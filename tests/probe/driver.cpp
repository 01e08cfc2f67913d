#include "driver.h"

#include <cstdio>
#include <dlfcn.h>

namespace probe {
namespace {

void* library = nullptr;
uint64_t primary = 0;

} // namespace

bool load_driver() {
    library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
    if (!library) std::fprintf(stderr, "%s\n", dlerror());
    return library != nullptr;
}

void* driver_symbol(const char* name) { return dlsym(library, name); }

int call_words(const char* symbol, const std::vector<uint64_t>& words) {
    using W = uint64_t;
    using Any = int (*)(W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, float, float);
    const auto function = reinterpret_cast<Any>(driver_symbol(symbol));
    if (!function) return -1;
    W w[16] = {};
    for (size_t i = 0; i < words.size() && i < 16; i++) w[i] = words[i];
    return function(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12], w[13], w[14],
                    w[15], 1, 1);
}

uint64_t device_memory() {
    uint64_t address = 0;
    call("cuMemAlloc_v2", &address, 16384);
    return address;
}

uint64_t made_event() {
    uint64_t event = 0;
    call("cuEventCreate", &event, 0);
    return event;
}

bool start_driver() {
    if (call("cuInit", 0) == 0 && call("cuDevicePrimaryCtxRetain", &primary, 0) == 0 && settle()) return true;
    std::fprintf(stderr, "the driver does not start\n");
    return false;
}

bool settle() { return call("cuCtxSetCurrent", primary) == 0 && call("cuCtxSynchronize") == 0; }

std::string answer(const Function& function, const Case& which) {
    if (!driver_symbol(function.symbol)) return "absent";
    std::vector<uint64_t> words;
    std::vector<uint64_t> streams;
    for (size_t p = 0; p < function.parameters.size(); p++) {
        const Parameter& parameter = function.parameters[p];
        const std::vector<const char*> labels = labels_of(parameter);
        words.push_back(make_value(function, parameter, labels[int(p) == which.changed ? which.choice : 0]));
        if (parameter.type == "CUstream") streams.push_back(words.back());
    }
    if (which.situation == Situation::before_init) return std::to_string(call_words(function.symbol, words));
    uint64_t capturing = 0;
    if (which.situation == Situation::capturing && !streams.empty()) capturing = streams[0];
    if (which.situation == Situation::capturing_elsewhere || (which.situation == Situation::capturing && !capturing))
        call("cuStreamCreate", &capturing, 0);
    if (capturing) {
        call("cuStreamBeginCapture_v2", capturing, 0);
    }
    if (which.situation == Situation::no_context) call("cuCtxSetCurrent", 0);
    const int result = call_words(function.symbol, words);
    if (capturing) {
        uint64_t graph = 0;
        call("cuStreamEndCapture", capturing, &graph);
    }
    call("cuCtxSetCurrent", primary);
    const int after = call("cuCtxSynchronize");
    return after == 0 || after == result ? std::to_string(result)
                                         : std::to_string(result) + ">" + std::to_string(after);
}

} // namespace probe
