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

bool is_nan(uint32_t word) { return (word & 0x7fffffff) > 0x7f800000; }

bool same(uint32_t a, uint32_t b) { return a == b || (is_nan(a) && is_nan(b)); }

bool equal(const sweep::Result& a, const sweep::Result& b) {
    return a.status == b.status && std::ranges::equal(a.words, b.words, same);
}

void explain(const sweep::Case& c, const sweep::Result& got, const sweep::Result& expected) {
    if (got.status != expected.status || got.words.size() != expected.words.size()) {
        std::printf("%s: status %d, expected %d\n", c.name.c_str(), got.status, expected.status);
        return;
    }
    const auto samples = sweep::samples_of(c);
    const size_t kept = got.words.size() / samples.size();
    size_t wrong = 0;
    for (size_t i = 0; i < got.words.size(); ++i) {
        if (same(got.words[i], expected.words[i])) continue;
        if (++wrong > 3) continue;
        if (sweep::stores(c)) {
            std::printf("%s: texture's word %zu is %08x, expected %08x\n", c.name.c_str(), i, got.words[i],
                        expected.words[i]);
            continue;
        }
        const sweep::Sample& s = samples[i / kept];
        std::printf("%s: sample %zu at %08x %08x %08x, layer %d, level %g: word %zu is %08x, expected %08x\n",
                    c.name.c_str(), i / kept, s.coordinate[0], s.coordinate[1], s.coordinate[2], s.layer,
                    double(s.level), i % kept, got.words[i], expected.words[i]);
    }
    std::printf("%s: %zu of %zu words differ\n", c.name.c_str(), wrong, got.words.size());
}

/// Names and reasons, with a tab between.
std::set<std::string> read_failures(const char* path) {
    std::set<std::string> names;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
        if (!line.empty() && line[0] != '#') names.insert(line.substr(0, line.find('\t')));
    return names;
}

/// Runs the cases of a geometry ("2d.": what their names begin with): they must be equal to the bit, NaNs apart, but
/// for those that are known to fail, which must fail. Returns how many are not so.
int check(const char* expected_path, const char* failures_path, const std::string& prefix) {
    const sweep::Recording expected = sweep::read(expected_path);
    const std::set<std::string> failures = read_failures(failures_path);
    int wrong = 0, ran = 0;
    for (const sweep::Case& c : sweep::cases()) {
        const auto found = expected.find(c.name);
        if (!c.name.starts_with(prefix) || found == expected.end()) continue;
        ++ran;
        const sweep::Result got = sweep::run(c);
        if (got.status >= 700 && got.status < 720) renew_context();
        const bool fails = failures.contains(c.name);
        if (equal(got, found->second) != fails) continue;
        ++wrong;
        if (fails)
            std::printf("%s is in the list of failures, but equal\n", c.name.c_str());
        else
            explain(c, got, found->second);
    }
    std::printf("%d cases, %d not as expected\n", ran, wrong);
    return wrong + (ran == 0);
}

} // namespace

// texture_sweep record FILE [explore] [PATTERN]: writes what the device answers, for tests/texture/expected.bin.
// texture_sweep check EXPECTED FAILURES PREFIX: fails unless the cases give what is expected.
int main(int count, char** words) {
    const std::string verb = count > 2 ? words[1] : "";
    if (verb != "record" && !(verb == "check" && count == 5)) {
        std::fprintf(stderr, "usage: texture_sweep record FILE [explore] [PATTERN] | check EXPECTED FAILURES PREFIX\n");
        return 2;
    }
    const bool explore = count > 3 && std::strcmp(words[3], "explore") == 0;
    const char* pattern = count > 3 + explore ? words[3 + explore] : "";
    if (shim::cuInit(0) || !take_context()) {
        std::fprintf(stderr, "no device\n");
        return 1;
    }
    if (verb == "check") return check(words[2], words[3], words[4]) != 0;
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
