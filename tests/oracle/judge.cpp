#include "judge.h"

#include "tolerance.h"

#include <cstring>

namespace oracle {
namespace {

constexpr unsigned shown_failures = 5;

std::string inputs_of(const Case& test, const uint64_t* slots) {
    std::string text;
    for (size_t i = 0; i < test.inputs.size(); ++i)
        text += (i ? ", " : "") + describe(test.inputs[i], truncate(slots[i], test.inputs[i]));
    return text;
}

/// The bytes of both slots that no result covers are as they were.
bool rest_is_untouched(const Case& test, const uint64_t* slots) {
    uint8_t bytes[output_slots * sizeof(uint64_t)];
    std::memcpy(bytes, slots, sizeof bytes);
    for (size_t slot = 0; slot < output_slots; ++slot) {
        const size_t used = slot < test.outputs.size() ? size_of(test.outputs[slot]) : 0;
        for (size_t i = used; i < sizeof(uint64_t); ++i)
            if (bytes[slot * sizeof(uint64_t) + i] != untouched) return false;
    }
    return true;
}

} // namespace

std::string wrong_threads(const Case& test, const std::vector<uint64_t>& outputs) {
    const std::vector<uint64_t> inputs = read_inputs(test), expected = read_expected(test);
    const size_t results = test.outputs.size();
    std::string report;
    unsigned wrong = 0;
    for (unsigned thread = 0; thread < threads; ++thread) {
        const uint64_t* in = &inputs[thread * input_slots];
        const uint64_t* out = &outputs[thread * output_slots];
        std::string complaint = rest_is_untouched(test, out) ? "" : " bytes beyond the result were written";
        for (size_t i = 0; i < results; ++i) {
            const std::string& type = test.outputs[i];
            const uint64_t want = expected[thread * results + i], got = truncate(out[i], type);
            if (!agrees(test.tolerance, type, want, got, in[0]))
                complaint += " expected " + describe(type, want) + " got " + describe(type, got);
        }
        if (complaint.empty()) continue;
        if (wrong++ < shown_failures)
            report += "  thread " + std::to_string(thread) + ": (" + inputs_of(test, in) + ")" + complaint + "\n";
    }
    if (wrong == 0) return {};
    return std::to_string(wrong) + " of " + std::to_string(threads) + " threads are wrong:\n" + report;
}

} // namespace oracle
