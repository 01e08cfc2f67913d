#include "sweep_case.h"
#include "sweep_file.h"

#include "api/exports.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <string>

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

namespace {

bool is_nan(uint32_t word) { return (word & 0x7fffffff) > 0x7f800000; }

bool equal(const sweep::Result& a, const sweep::Result& b) {
    const auto same = [](uint32_t x, uint32_t y) { return x == y || (is_nan(x) && is_nan(y)); };
    return a.status == b.status && std::ranges::equal(a.words, b.words, same);
}

/// Runs the cases that must be equal to the bit, NaNs apart; returns how many are not.
int check(const char* expected_path, const char* names_path) {
    const sweep::Recording expected = sweep::read(expected_path);
    std::set<std::string> names;
    std::ifstream file(names_path);
    for (std::string name; std::getline(file, name);) names.insert(name);
    int wrong = 0, ran = 0;
    for (const sweep::Case& c : sweep::cases()) {
        if (!names.contains(c.name)) continue;
        ++ran;
        if (equal(sweep::run(c), expected.at(c.name))) continue;
        std::printf("%s differs\n", c.name.c_str());
        ++wrong;
    }
    std::printf("%d cases, %d differ\n", ran, wrong);
    return wrong + (ran == 0 || size_t(ran) != names.size());
}

} // namespace

// texture_sweep record FILE [explore] [PATTERN]: writes what the device answers, for tests/texture/expected.bin.
// texture_sweep check EXPECTED NAMES: fails unless the named cases give what is expected.
int main(int count, char** words) {
    const std::string verb = count > 2 ? words[1] : "";
    if (verb != "record" && !(verb == "check" && count == 4)) {
        std::fprintf(stderr, "usage: texture_sweep record FILE [explore] [PATTERN] | check EXPECTED NAMES\n");
        return 2;
    }
    const bool explore = count > 3 && std::strcmp(words[3], "explore") == 0;
    const char* pattern = count > 3 + explore ? words[3 + explore] : "";
    if (shim::cuInit(0) || !take_context()) {
        std::fprintf(stderr, "no device\n");
        return 1;
    }
    if (verb == "check") return check(words[2], words[3]) != 0;
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
