#include "sweep_case.h"
#include "sweep_file.h"

#include "api/exports.h"

#include <cstdio>
#include <cstring>

namespace {

bool take_context() {
    shim::CUcontext context = nullptr;
    return shim::cuDevicePrimaryCtxRetain(&context, 0) == 0 && shim::cuCtxSetCurrent(context) == 0;
}

void renew_context() {
    shim::cuDevicePrimaryCtxReset_v2(0);
    shim::cuDevicePrimaryCtxRelease_v2(0);
    take_context();
}

} // namespace

// texture_sweep record FILE [explore] [PATTERN]: writes what the device answers, for tests/texture/expected.bin.
int main(int count, char** words) {
    if (count < 3 || std::strcmp(words[1], "record") != 0) {
        std::fprintf(stderr, "usage: texture_sweep record FILE [explore] [PATTERN]\n");
        return 2;
    }
    const bool explore = count > 3 && std::strcmp(words[3], "explore") == 0;
    const char* pattern = count > 3 + explore ? words[3 + explore] : "";
    if (shim::cuInit(0) || !take_context()) {
        std::fprintf(stderr, "no device\n");
        return 1;
    }
    sweep::Recording recording;
    size_t failed = 0;
    for (const sweep::Case& c : explore ? sweep::exploring_cases() : sweep::cases()) {
        if (c.name.find(pattern) == std::string::npos) continue;
        sweep::Result result = sweep::run(c);
        if (result.status) std::printf("%s: status %d\n", c.name.c_str(), result.status), ++failed;
        // A fault is for ever, but not in a new context.
        if (result.status >= 700 && result.status < 720) renew_context();
        recording[c.name] = std::move(result);
    }
    sweep::write(recording, words[2]);
    std::printf("%zu cases, %zu without result\n", recording.size(), failed);
    return 0;
}
