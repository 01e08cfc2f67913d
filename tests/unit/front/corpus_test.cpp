#include "front.h"

#include "ast_to_ast/prepare.h"
#include "ast_to_ast/print.h"

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

using namespace ptx;
namespace fs = std::filesystem;

namespace {

std::vector<fs::path> texts_under(const fs::path& directory) {
    std::vector<fs::path> out;
    if (!fs::exists(directory)) return out;
    for (const auto& entry : fs::recursive_directory_iterator(directory))
        if (entry.path().extension() == ".ptx") out.push_back(entry.path());
    std::sort(out.begin(), out.end());
    return out;
}

std::string contents(const fs::path& path) {
    std::ifstream file(path);
    std::stringstream out;
    out << file.rdbuf();
    return out.str();
}

/// Parses, verifies and lays out without a single message, and survives being printed.
void expect_clean(const fs::path& path) {
    const std::string text = contents(path);
    const std::string_view sources[] = {text};
    try {
        const Prepared prepared = prepare(sources);
        EXPECT_EQ(prepared.info.diagnostics, "") << path;
        EXPECT_FALSE(prepared.info.kernels.empty()) << path;
        const std::string once = print(*prepared.module);
        EXPECT_EQ(print(*parse(once)), once) << path;
    } catch (const Error& error) {
        ADD_FAILURE() << path << ": " << error.what();
    }
}

/// A text that uses most of the grammar, small enough that random damage hits everything.
const std::string seed_text = front::header + R"(
.extern .func (.param .b32 r) vprintf (.param .b64 a, .param .b64 b);
.global .align 4 .b8 s[6] = {104, 0x65, 0b11, 010, -1};
.const .f32 t[2][2] = {{1.0, 0f40000000}, {3e2}};
.global .u64 p[3] = {s, generic(s)+4, 0};
.func (.param .b32 q) f (.param .align 4 .b8 a[12], .reg .pred c) .noreturn { ret; }
.visible .entry k(.param .u64 .ptr .global .align 8 in, .param .u32 n)
.maxntid 256, 1, 1
{
    .reg .pred %p<3>; .reg .b32 %r<10>; .reg .b64 %rd<10>; .reg .v4 .f32 v;
    .loc 1 2 3, function_name $L, inlined_at 1 2 3
    ld.param.u64 %rd1, [in+8]; cvta.to.global.u64 %rd2, %rd1;
    mov.u32 %r1, %tid.x;
$L: setp.lt.and.s32 %p1|%p2, %r1, (4 + 2) * 3, !%p1;
    @!%p1 bra $L;
    mad.lo.s32 %r2, %r1, -4, WARP_SZ;
    ld.global.v4.f32 {v.x, v.y, _, v.w}, [%rd2+-16];
    tex.2d.v4.f32.s32 {%r1,%r2,%r3,%r4}, [%rd1, {%r1, %r2}];
    vadd.u32.u32.u32 %r1, %r2.b1, %r3.h0;
    { .param .b32 o; .param .b64 i; pr: .callprototype (.param .b32 _) _ (.param .b64 _);
      st.param.b64 [i+0], %rd1; call.uni (o), %rd2, (i), pr; }
list: .branchtargets $L, $M;
    brx.idx %r1, list;
$M: cp.async.bulk.wait_group.read 0;
}
)";

void survive(const std::string& text) {
    const std::string_view sources[] = {text};
    try {
        const Prepared prepared = prepare(sources);
        if (prepared.info.diagnostics.empty()) {
            EXPECT_NO_THROW(parse(print(*prepared.module))) << text;
        }
    } catch (const Error&) {
        return; // the only exception there may be
    }
}

} // namespace

TEST(Corpus, OracleIsClean) {
    const auto texts = texts_under(CUTTLE_ORACLE_DIRECTORY);
    if (texts.empty()) GTEST_SKIP() << "no oracle in " << CUTTLE_ORACLE_DIRECTORY;
    for (const auto& path : texts) expect_clean(path);
}

TEST(Corpus, WhatCompilersEmitIsClean) {
    const auto texts = texts_under(CUTTLE_COMPILED_DIRECTORY);
    if (texts.empty()) GTEST_SKIP() << "no compiler for CUDA here";
    for (const auto& path : texts) expect_clean(path);
}

TEST(Robustness, SeedIsClean) {
    const auto module = parse(seed_text);
    EXPECT_EQ(front::messages(*module), "");
}

TEST(Robustness, DamagedBytes) {
    std::mt19937 random(1);
    const std::string letters = "(){}[]<>.,;:%@!|+-*/&=\"'#\\_$0123456789abcdefxEU \n\0\xff";
    for (int i = 0; i < 6000; ++i) {
        std::string text = seed_text;
        for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
            const size_t at = random() % text.size();
            const char letter = letters[random() % letters.size()];
            switch (random() % 4) {
            case 0:
                text[at] = letter;
                break;
            case 1:
                text.insert(at, 1 + random() % 3, letter);
                break;
            case 2:
                text.erase(at, 1 + random() % 20);
                break;
            default:
                text.insert(at, text.substr(random() % text.size(), random() % 60));
            }
        }
        survive(text);
    }
}

TEST(Robustness, TruncatedAnywhere) {
    for (size_t length = 0; length < seed_text.size(); ++length) survive(seed_text.substr(0, length));
}

TEST(Robustness, RandomBytes) {
    std::mt19937 random(2);
    for (int i = 0; i < 2000; ++i) {
        std::string text = i % 2 == 0 ? front::header : front::header + ".entry k() {";
        for (unsigned n = random() % 200; n > 0; --n) text += static_cast<char>(random());
        survive(text);
    }
}
