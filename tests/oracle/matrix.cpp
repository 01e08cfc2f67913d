#include "matrix_inputs.h"

#include "api/constants.h"
#include "driver_declarations.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>

// Warp-level matrix instructions against what an H100 computed. `matrix_oracle record FOLDER` runs the cases of
// FOLDER/cases.tsv through the libcuda that the loader finds and writes FOLDER/expected.bin; `matrix_oracle check
// FOLDER [PREFIX]` compares. Of a transfer, whose result is fourteen images, a hash is stored. Any NaN equals any NaN.
namespace oracle::matrix {
namespace {

void check(CUresult result, const std::string& what) {
    if (result != 0) throw std::runtime_error(what + ": error " + std::to_string(result));
}

CUfunction load(const Case& test) {
    const std::string text = kernel_text(test);
    std::string log(8192, '\0');
    CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void* values[] = {log.data(), reinterpret_cast<void*>(log.size())};
    CUmodule module = nullptr;
    check(cuModuleLoadDataEx(&module, text.c_str(), 2, options, values), log.c_str());
    CUfunction kernel = nullptr;
    check(cuModuleGetFunction(&kernel, module, test.name.c_str()), "cuModuleGetFunction");
    return kernel;
}

std::vector<uint32_t> run(const Case& test) {
    std::vector<uint32_t> input;
    unsigned warps = images;
    size_t output_words = 0;
    if (test.is_transfer()) {
        const auto bytes = numbered_bits(test.is_load() ? test.a.words : 128 * test.a.words);
        input.resize(bytes.size() / 4);
        std::memcpy(input.data(), bytes.data(), bytes.size());
        output_words = images * (test.is_load() ? 32 * test.d.words : test.d.words / 4);
    } else {
        const auto wanted = distributions_of(test);
        warps = static_cast<unsigned>(wanted.size());
        for (unsigned distribution : wanted) {
            const auto one = registers(test, distribution);
            input.insert(input.end(), one.begin(), one.end());
        }
        output_words = size_t{warps} * test.d.words * 32;
    }
    CUfunction kernel = load(test);
    CUdeviceptr in = 0, out = 0;
    check(cuMemAlloc_v2(&in, 4 * input.size()), "cuMemAlloc");
    check(cuMemAlloc_v2(&out, 4 * output_words), "cuMemAlloc");
    check(cuMemcpyHtoD_v2(in, input.data(), 4 * input.size()), "cuMemcpyHtoD");
    check(cuMemsetD8_v2(out, 0xaa, 4 * output_words), "cuMemsetD8");
    void* parameters[] = {&in, &out};
    check(cuLaunchKernel(kernel, warps, 1, 1, 32, 1, 1, 0, nullptr, parameters, nullptr), "cuLaunchKernel");
    check(cuCtxSynchronize(), "cuCtxSynchronize");
    std::vector<uint32_t> output(output_words);
    check(cuMemcpyDtoH_v2(output.data(), out, 4 * output_words), "cuMemcpyDtoH");
    check(cuMemFree_v2(in), "cuMemFree");
    check(cuMemFree_v2(out), "cuMemFree");
    if (!test.is_transfer()) return output;
    uint64_t hash = 1469598103934665603ull; // FNV-1a of words
    for (uint32_t word : output) hash = (hash ^ word) * 1099511628211ull;
    return {static_cast<uint32_t>(hash), static_cast<uint32_t>(hash >> 32)};
}

bool is_nan(uint32_t bits) { return (bits & 0x7fffffff) > 0x7f800000; }
bool is_half_nan(uint32_t bits) { return (bits & 0x7fff) > 0x7c00; }

/// Word `i` of [warp][word][lane]; of an f64 both words are looked at.
bool agrees(const Case& test, const std::vector<uint32_t>& expected, const std::vector<uint32_t>& got, size_t i) {
    const uint32_t a = expected[i], b = got[i];
    if (a == b) return true;
    if (test.is_transfer()) return false;
    if (test.d.format == "f32") return is_nan(a) && is_nan(b);
    if (test.d.format == "f16") {
        for (int shift : {0, 16}) {
            const uint32_t x = a >> shift & 0xffff, y = b >> shift & 0xffff;
            if (x != y && !(is_half_nan(x) && is_half_nan(y))) return false;
        }
        return true;
    }
    if (test.d.format != "f64") return false;
    const size_t low = i / 32 % 2 ? i - 32 : i;
    auto nan = [low](const std::vector<uint32_t>& words) {
        return ((uint64_t{words[low + 32]} << 32 | words[low]) & ~0ull >> 1) > 0x7ffull << 52;
    };
    return nan(expected) && nan(got);
}

int compare(const Case& test, const std::vector<uint32_t>& expected, const std::vector<uint32_t>& got) {
    int wrong = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
        if (agrees(test, expected, got, i)) continue;
        if (++wrong > 3) continue;
        const size_t word = i / 32;
        std::printf("%s: warp %zu, register %zu, lane %zu: expected 0x%08x, got 0x%08x\n", test.name.c_str(),
                    word / std::max(test.d.words, 1u), word % std::max(test.d.words, 1u), i % 32, expected[i], got[i]);
    }
    if (wrong) std::printf("%s: %d of %zu words are wrong\n", test.name.c_str(), wrong, expected.size());
    return wrong;
}

size_t expected_words(const Case& test) {
    return test.is_transfer() ? 2 : distributions_of(test).size() * test.d.words * 32;
}

int go(bool record, const std::string& folder, const std::string& prefix) {
    check(cuInit(0), "cuInit");
    CUdevice device = 0;
    CUcontext context = nullptr;
    check(cuDeviceGet(&device, 0), "cuDeviceGet");
    check(cuDevicePrimaryCtxRetain(&context, device), "cuDevicePrimaryCtxRetain");
    check(cuCtxSetCurrent(context), "cuCtxSetCurrent");
    std::fstream file(folder + "/expected.bin", std::ios::binary | (record ? std::ios::out : std::ios::in));
    int cases = 0, failed = 0;
    for (const Case& test : read_cases(folder)) {
        std::vector<uint32_t> expected(expected_words(test));
        auto* bytes = reinterpret_cast<char*>(expected.data());
        const auto size = static_cast<std::streamsize>(4 * expected.size());
        if (!record && !file.read(bytes, size)) throw std::runtime_error("expected.bin is too short");
        if (test.name.rfind(prefix, 0) != 0) continue;
        ++cases;
        try {
            const auto got = run(test);
            if (record)
                file.write(reinterpret_cast<const char*>(got.data()), size);
            else
                failed += compare(test, expected, got) != 0;
        } catch (const std::exception& error) {
            std::printf("%s: %s\n", test.name.c_str(), error.what());
            if (record) throw;
            ++failed;
        }
    }
    std::printf("%d cases, %d wrong\n", cases, failed);
    return failed != 0 || cases == 0;
}

} // namespace
} // namespace oracle::matrix

int main(int argc, char** argv) {
    const std::string mode = argc > 1 ? argv[1] : "";
    if (argc < 3 || (mode != "record" && mode != "check")) {
        std::fprintf(stderr, "usage: matrix_oracle record|check FOLDER [PREFIX]\n");
        return 2;
    }
    try {
        return oracle::matrix::go(mode == "record", argv[2], argc > 3 && mode == "check" ? argv[3] : "");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "matrix_oracle: %s\n", error.what());
        return 1;
    }
}
