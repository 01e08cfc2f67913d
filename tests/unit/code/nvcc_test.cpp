#include "code/fatbin.h"
#include "rt/module.h"
#include "temporary_directory.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace {

using namespace rt;

/// What the real compiler writes.
class Nvcc : public testing::Test {
  protected:
    void SetUp() override {
        if (std::string(NVCC).empty()) GTEST_SKIP() << "nvcc was not found when this was configured";
        write("a.cu", "__device__ int g;\n__global__ void k(int* p) { p[threadIdx.x] += g; }\n");
        write("b.cu", "extern __device__ int f(int);\n__global__ void k2(int* p) { p[threadIdx.x] = f(p[0]); }\n"
                      "int main() { k2<<<1, 32>>>(nullptr); return 0; }\n");
        write("c.cu", "__device__ int f(int a) { return a * 3; }\n__global__ void k3(int* p) { *p = f(p[1]); }\n");
    }

    void write(const std::string& name, const std::string& text) { std::ofstream(directory_.path() / name) << text; }

    std::string compile(const std::string& arguments, const std::string& output) {
        const std::string command = "cd " + directory_.path().string() + " && " NVCC " " + arguments + " -o " + output;
        EXPECT_EQ(std::system(command.c_str()), 0) << command;
        std::ifstream file(directory_.path() / output, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    TemporaryDirectory directory_;
};

std::vector<std::string> load(const std::string& bytes, int compute_capability = 89) {
    return ModuleSource::from_image(bytes.data(), bytes.size(), compute_capability).ptx;
}

/// The contents of an ELF file's section; empty when it has none of that name.
std::string section(const std::string& file, const std::string& name) {
    Elf64_Ehdr header;
    std::memcpy(&header, file.data(), sizeof header);
    const auto read = [&](size_t i) {
        Elf64_Shdr one;
        std::memcpy(&one, file.data() + header.e_shoff + i * sizeof one, sizeof one);
        return one;
    };
    const Elf64_Shdr names = read(header.e_shstrndx);
    for (size_t i = 0; i < header.e_shnum; ++i) {
        const Elf64_Shdr one = read(i);
        if (file.c_str() + names.sh_offset + one.sh_name == name) return file.substr(one.sh_offset, one.sh_size);
    }
    return {};
}

TEST_F(Nvcc, CompressionModes) {
    std::vector<std::string> texts;
    for (const std::string mode : {"none", "speed", "balance", "size"})
        texts.push_back(load(compile("-fatbin -arch=sm_80 --compress-mode=" + mode + " a.cu", mode + ".fatbin")).at(0));
    EXPECT_NE(texts[0].find(".entry _Z1kPi"), std::string::npos) << texts[0];
    EXPECT_NE(texts[0].find(".target sm_80"), std::string::npos);
    for (const std::string& text : texts) EXPECT_EQ(text, texts[0]);
}

TEST_F(Nvcc, Architectures) {
    const std::string bytes = compile("-fatbin -gencode arch=compute_75,code=compute_75 -gencode arch=compute_90a,code="
                                      "[sm_90a,compute_90a] -gencode arch=compute_120,code=compute_120 -gencode "
                                      "arch=compute_80,code=[sm_80,compute_80] a.cu",
                                      "many.fatbin");
    EXPECT_NE(load(bytes, 89).at(0).find(".target sm_80"), std::string::npos);
    EXPECT_NE(load(bytes, 75).at(0).find(".target sm_75"), std::string::npos);
    EXPECT_NE(load(bytes, 90).at(0).find(".target sm_80"), std::string::npos);
    EXPECT_NE(load(bytes, 121).at(0).find(".target sm_120"), std::string::npos);
    EXPECT_NE(load(bytes, 70).at(0).find(".target sm_75"), std::string::npos);
    const std::string specific = compile("-fatbin -gencode arch=compute_90a,code=compute_90a a.cu", "90a.fatbin");
    EXPECT_NE(load(specific, 90).at(0).find(".target sm_90a"), std::string::npos);
    try {
        load(specific, 89);
        ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::no_binary_for_gpu);
        EXPECT_NE(std::string(error.what()).find("compute_90a"), std::string::npos) << error.what();
    }
}

TEST_F(Nvcc, MachineCodeOnly) {
    const std::pair<std::string, std::string> cases[] = {{"-fatbin -gencode arch=compute_80,code=sm_80 a.cu", "80"},
                                                         {"-cubin -arch=sm_80 a.cu", "80"},
                                                         {"-cubin -arch=sm_90 a.cu", "90"},
                                                         {"-cubin -arch=sm_120 a.cu", "120"}};
    for (const auto& [arguments, arch] : cases) {
        const std::string bytes = compile(arguments, "code" + arch);
        try {
            load(bytes);
            ADD_FAILURE() << "accepted";
        } catch (const Error& error) {
            EXPECT_EQ(error.status(), Status::no_binary_for_gpu);
            const std::string message = error.what();
            EXPECT_NE(message.find("sm_" + arch), std::string::npos) << message;
            EXPECT_NE(message.find("arch=compute_" + arch + ",code=compute_" + arch), std::string::npos) << message;
        }
    }
}

TEST_F(Nvcc, RelocatableCode) {
    const std::string b = compile("-fatbin -rdc=true -arch=sm_80 b.cu", "b.fatbin"),
                      c = compile("-fatbin -rdc=true -arch=sm_80 c.cu", "c.fatbin");
    const void* const linked[] = {b.data(), c.data(), nullptr};
    const code::FatbinWrapper wrapper{code::wrapper_magic, 2, b.data(), linked};
    const std::vector<std::string> texts = ModuleSource::from_image(&wrapper, 0, 89).ptx;
    ASSERT_EQ(texts.size(), 2u);
    EXPECT_NE(texts[0].find(".extern .func"), std::string::npos);
    EXPECT_NE(texts[0].find("_Z2k2Pi"), std::string::npos);
    EXPECT_NE(texts[1].find("_Z2k3Pi"), std::string::npos);
}

/// The two sections of a program that the registration functions get pointers into.
TEST_F(Nvcc, Programs) {
    for (const std::string mode : {"-rdc=true", "-rdc=false"}) {
        const bool relocatable = mode == "-rdc=true";
        const std::string program = compile(mode + " -arch=sm_80 -c " + (relocatable ? "b.cu" : "a.cu"), "object.o");
        const std::string bytes = section(program, relocatable ? "__nv_relfatbin" : ".nv_fatbin");
        ASSERT_FALSE(bytes.empty());
        const std::vector<std::string> texts = load(bytes);
        EXPECT_NE(texts.at(0).find(relocatable ? "_Z2k2Pi" : "_Z1kPi"), std::string::npos);
    }
}

} // namespace
