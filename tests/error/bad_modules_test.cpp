// Modules that are no modules: broken PTX and broken fat binaries.
#include "context.h"

#include <cstring>
#include <random>
#include <vector>

namespace {

struct BadModule : WithContext {
    CUresult load_bytes(const void* bytes) { return cuModuleLoadData(&module, bytes); }
};

TEST_F(BadModule, SyntaxErrorHasLineAndColumn) {
    const CUresult status = load(".visible .entry k() {\n  .reg .b32 %r<2>;\n  add.s32 %r0, %r1 %r1;\n  ret;\n}");
    EXPECT_EQ(status, 218);
    EXPECT_NE(error_log.find("line 6, column 20"), std::string::npos) << error_log;
}

TEST_F(BadModule, UnknownInstructionCostsItsKernelOnly) {
    const CUresult status = load(".visible .entry bad() {\n  .reg .b32 %r<2>;\n  frobnicate.s32 %r0, %r1, %r1;\n  ret;\n}\n"
                                 ".visible .entry k() { ret; }");
    EXPECT_EQ(status, 0);
    EXPECT_NE(error_log.find("line 6, column 3"), std::string::npos) << error_log;
    EXPECT_NE(error_log.find("frobnicate"), std::string::npos) << error_log;
    EXPECT_EQ(function("k"), 0);
    EXPECT_EQ(launch(), 0);
    EXPECT_EQ(cuCtxSynchronize(), 0);
    testing::internal::CaptureStderr();
    EXPECT_EQ(function("bad"), 218);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("frobnicate"), std::string::npos);
    EXPECT_EQ(function("absent"), 500);
}

TEST_F(BadModule, NothingButBrokenKernelsIsAnError) {
    EXPECT_EQ(load(".visible .entry k() {\n  frobnicate.s32 %r0;\n}"), 218);
    EXPECT_NE(error_log.find("line 5"), std::string::npos) << error_log;
}

TEST_F(BadModule, UndeclaredRegister) {
    EXPECT_EQ(load(".visible .entry k() {\n  add.s32 %r0, %r1, %r1;\n  ret;\n}"), 218);
    EXPECT_NE(error_log.find("%r0"), std::string::npos) << error_log;
}

TEST_F(BadModule, NoImageAtAll) {
    EXPECT_EQ(load_bytes("hello world"), 200);
    EXPECT_EQ(load_bytes(""), 200);
    EXPECT_EQ(cuModuleLoadData(&module, nullptr), 1);
    EXPECT_EQ(cuModuleLoadData(nullptr, ".version 7.0"), 1);
}

TEST_F(BadModule, MachineCodeOnly) {
    unsigned char elf[256] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    elf[16] = 2, elf[18] = 190;   // e_type, e_machine: CUDA
    elf[48] = 80;                 // e_flags: sm_80
    testing::internal::CaptureStderr();
    EXPECT_EQ(load_bytes(elf), 209);
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_NE(text.find("compute_"), std::string::npos) << text;
}

// A fat binary by hand: one uncompressed PTX entry.
std::vector<uint8_t> fat_binary(const std::string& ptx, uint32_t architecture = 80) {
    const size_t padded = (ptx.size() + 1 + 7) / 8 * 8;
    std::vector<uint8_t> bytes(16 + 64 + padded);
    auto put = [&](size_t at, auto value) { std::memcpy(&bytes[at], &value, sizeof value); };
    put(0, uint32_t(0xba55ed50)), put(4, uint16_t(1)), put(6, uint16_t(16)), put(8, uint64_t(64 + padded));
    put(16, uint16_t(1)), put(18, uint16_t(0x101)), put(20, uint32_t(64)), put(24, uint64_t(padded));
    put(16 + 0x1a, uint16_t(7)), put(16 + 0x18, uint16_t(8)), put(16 + 0x1c, architecture), put(16 + 0x28, uint64_t(0x11));
    std::memcpy(&bytes[80], ptx.data(), ptx.size());
    return bytes;
}
const std::string good = ".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry k() { ret; }\n";

TEST_F(BadModule, HandmadeFatBinaryLoads) {
    ASSERT_EQ(load_bytes(fat_binary(good).data()), 0);
    EXPECT_EQ(function("k"), 0);
}

TEST_F(BadModule, LyingFatBinaries) {
    auto broken = [&](size_t at, uint64_t value, size_t size) {
        std::vector<uint8_t> bytes = fat_binary(good);
        bytes.resize(bytes.size() + (1 << 16));   // what a lie reaches is at least mapped
        std::memcpy(&bytes[at], &value, size);
        const CUresult status = load_bytes(bytes.data());
        EXPECT_TRUE(status == 200 || status == 209 || status == 300 || status == 218) << "byte " << at << ": " << status;
    };
    broken(4, 7, 2);                  // version
    broken(6, 3, 2);                  // header shorter than itself
    broken(8, 3, 8);                  // less than one entry
    broken(16, 77, 2);                // unknown kind of entry
    broken(20, 1 << 30, 4);           // entry header past the end
    broken(24, 1ull << 40, 8);        // payload past the end
    broken(16 + 0x28, 0x8011, 8);     // says zstd, is text
    broken(16 + 0x28, 0x2011, 8);     // says LZ4, is text
}

TEST_F(BadModule, DamagedFatBinariesNeverCrash) {
    std::mt19937 random(1);
    std::vector<uint8_t> bytes = fat_binary(good);
    bytes.resize(bytes.size() + 4096);
    for (int i = 0; i < 300; i++) {
        std::vector<uint8_t> damaged = bytes;
        for (int k = 0; k < 3; k++) damaged[8 + random() % (bytes.size() - 4104)] ^= uint8_t(1u << random() % 8);
        uint64_t length = 0;
        std::memcpy(&length, &damaged[8], 8);
        if (length > 4096) continue;   // its own size is all we know of an image: that lie is the caller's
        if (load_bytes(damaged.data()) == 0) cuModuleUnload(module);
    }
    ASSERT_EQ(load_bytes(bytes.data()), 0);
}

} // namespace
