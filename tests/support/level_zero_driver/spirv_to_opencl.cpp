#include "spirv_to_opencl.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <vector>

namespace level_zero_driver {

namespace {

using Words = std::vector<uint32_t>;

// SPIR-V 1.4, 2.3 and 3.32: header, instructions.
constexpr uint32_t magic = 0x07230203;
constexpr size_t header_words = 5;
enum Opcode : uint16_t {
    type_bool = 20,
    type_int = 21,
    type_float = 22,
    constant_false = 42,
    constant = 43,
    constant_null = 46
};

uint32_t first_word(Opcode opcode, size_t words) { return uint32_t(words) << 16 | opcode; }

/// llvm-spirv 15 stops at a scalar OpConstantNull, which LLVM 22 writes for every zero: make it OpConstant 0. False
/// when the words are no instructions.
bool replace_null_scalars(Words& words) {
    Words result(words.begin(), words.begin() + header_words);
    std::map<uint32_t, uint32_t> bits; // of scalar types, by id; 0 for bool
    for (size_t at = header_words; at < words.size();) {
        const uint32_t count = words[at] >> 16, opcode = words[at] & 0xffff;
        if (count == 0 || count > words.size() - at) return false;
        const uint32_t* operands = &words[at + 1];
        if (opcode == type_bool) bits[operands[0]] = 0;
        if (opcode == type_int || opcode == type_float) bits[operands[0]] = operands[1];
        auto type = opcode == constant_null ? bits.find(operands[0]) : bits.end();
        if (type == bits.end()) {
            result.insert(result.end(), words.begin() + at, words.begin() + at + count);
        } else if (type->second == 0) {
            result.insert(result.end(), {first_word(constant_false, 3), operands[0], operands[1]});
        } else {
            const size_t value_words = type->second > 32 ? 2 : 1;
            result.insert(result.end(), {first_word(constant, 3 + value_words), operands[0], operands[1]});
            result.insert(result.end(), value_words, 0);
        }
        at += count;
    }
    words = std::move(result);
    return true;
}

std::string contents(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Bitcode; empty, with a reason in `log`, when llvm-spirv does not make any.
std::string read_back(const Words& words, std::string& log) {
    std::string folder = std::filesystem::temp_directory_path() / "level-zero-XXXXXX";
    if (!mkdtemp(folder.data())) return log = "no temporary folder", "";
    const std::string input = folder + "/in.spv", output = folder + "/out.bc", messages = folder + "/log";
    std::ofstream(input, std::ios::binary)
        .write(reinterpret_cast<const char*>(words.data()), std::streamsize(words.size() * sizeof words[0]));
    const std::string command = LLVM_SPIRV " -r '" + input + "' -o '" + output + "' >'" + messages + "' 2>&1";
    const int status = std::system(command.c_str());
    std::string bitcode = contents(output);
    log = contents(messages);
    std::filesystem::remove_all(folder);
    if (status == 0 && !bitcode.empty()) return bitcode;
    log += "\n" LLVM_SPIRV " failed";
    return "";
}

/// OpenCL's flags among Level Zero's.
std::string opencl_flags(const std::string& flags) {
    std::string result = "-x spir -spir-std=1.2";
    std::istringstream words(flags);
    for (std::string word; words >> word;)
        if (word.starts_with("-cl-")) result += " " + word;
    return result;
}

std::string build_log(cl_program program) {
    size_t bytes = 0;
    clGetProgramBuildInfo(program, opencl().device, CL_PROGRAM_BUILD_LOG, 0, nullptr, &bytes);
    std::string text(bytes, '\0');
    clGetProgramBuildInfo(program, opencl().device, CL_PROGRAM_BUILD_LOG, bytes, text.data(), nullptr);
    return text.c_str();
}

} // namespace

cl_program build_program(std::span<const uint8_t> spirv, const std::string& flags, std::string& log) {
    Words words(spirv.size() / sizeof(uint32_t));
    std::memcpy(words.data(), spirv.data(), words.size() * sizeof(uint32_t));
    if (spirv.size() % 4 || words.size() < header_words || words[0] != magic || !replace_null_scalars(words)) {
        log = "not a SPIR-V module";
        return nullptr;
    }
    const std::string bitcode = read_back(words, log);
    if (bitcode.empty()) return nullptr;
    OpenCl& cl = opencl();
    const size_t bytes = bitcode.size();
    const auto* binary = reinterpret_cast<const unsigned char*>(bitcode.data());
    cl_int status = CL_SUCCESS, error = CL_SUCCESS;
    cl_program program = clCreateProgramWithBinary(cl.context, 1, &cl.device, &bytes, &binary, &status, &error);
    if (error == CL_SUCCESS)
        error = clBuildProgram(program, 1, &cl.device, opencl_flags(flags).c_str(), nullptr, nullptr);
    if (error == CL_SUCCESS) return program;
    log = "OpenCL error " + std::to_string(error);
    if (program) {
        log += "\n" + build_log(program);
        clReleaseProgram(program);
    }
    return nullptr;
}

} // namespace level_zero_driver
