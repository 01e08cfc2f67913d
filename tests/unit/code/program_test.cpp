#include "code/code_cache.h"
#include "code/statistics.h"
#include "rt/module.h"
#include "temporary_directory.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace {

using namespace rt;

const ptx::Target host;

std::shared_ptr<Program> load(const std::string& commands, JitOptions jit = {}) {
    return Program::load({{commands}}, jit);
}

/// A file to which the fake translator adds a byte each time it is asked.
class Counter {
  public:
    std::string command(const std::string& prefix = "") const { return prefix + "note " + file_.string() + "\n"; }
    uintmax_t count() const { return std::filesystem::exists(file_) ? std::filesystem::file_size(file_) : 0; }

  private:
    TemporaryDirectory directory_;
    std::filesystem::path file_ = directory_.path() / "count";
};

template <class Action> std::pair<Status, std::string> refusal(Action action) {
    try {
        action();
    } catch (const Error& error) {
        return {error.status(), error.what()};
    }
    return {Status::success, "accepted"};
}

TEST(Program, IndexesAndTranslates) {
    const auto program = load("kernel a\nkernel b\n");
    ASSERT_NE(program->info().kernel("b"), nullptr);
    const auto image = program->translate("b", host);
    EXPECT_EQ(image->kernels.at(0).name, "b");
    EXPECT_EQ(program->translate("b", host), image);
    EXPECT_NE(program->translate("b", ptx::Target::parse("host:znver4")), image);
    EXPECT_EQ(refusal([&] { program->translate("c", host); }).first, Status::not_found);
    EXPECT_TRUE(program->translate_functions(host)->functions.empty());
}

TEST(Program, IsSharedByEqualTexts) {
    Counter counter;
    const std::string text = "kernel shared\n" + counter.command();
    auto first = load(text);
    EXPECT_EQ(load(text), first);
    EXPECT_NE(load(text + "\n"), first);
    JitOptions unoptimised;
    unoptimised.optimization_level = 0;
    EXPECT_NE(load(text, unoptimised), first);
    EXPECT_EQ(counter.count(), 3u);
    first.reset();
    load(text);
    EXPECT_EQ(counter.count(), 3u); // from the cache on disk
}

TEST(Program, CachesOnDisk) {
    Counter counter;
    const std::string text = "kernel a\n" + counter.command("translate:");
    const uint64_t hits = code::statistics().cache_hits, misses = code::statistics().cache_misses;
    load(text)->translate("a", host);
    EXPECT_EQ(code::statistics().cache_misses, misses + 2);
    load(text)->translate("a", host);
    EXPECT_EQ(counter.count(), 1u);
    EXPECT_EQ(code::statistics().cache_hits, hits + 2);
    // Damage all; everything is made again.
    for (const auto& entry : std::filesystem::recursive_directory_iterator(code::CodeCache::shared()->directory()))
        if (entry.is_regular_file() && entry.file_size() > 50) std::filesystem::resize_file(entry.path(), 50);
    load(text)->translate("a", host);
    EXPECT_EQ(counter.count(), 2u);
    code::CodeCache::shared()->clear();
    load(text)->translate("a", ptx::Target::parse("host:znver4"));
    load(text)->translate("a", ptx::Target::parse("host:znver5"));
    EXPECT_EQ(counter.count(), 4u);
}

TEST(Program, TranslatesOnceForAllThreads) {
    Counter counter;
    const auto program = load("kernel a\ntranslate:sleep 200\n" + counter.command("translate:"));
    std::vector<std::thread> threads;
    std::atomic<int> good = 0;
    for (int i = 0; i < 8; ++i) threads.emplace_back([&] { good += program->translate("a", host) != nullptr; });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, 8);
    EXPECT_EQ(counter.count(), 1u);
}

TEST(Program, TranslatesWhileNobodyWaits) {
    Counter counter;
    const std::string text = "kernel a\ntranslate:sleep 200\n" + counter.command("translate:");
    auto program = load(text);
    EXPECT_EQ(program->translate_later("a", host), nullptr);
    std::shared_ptr<const ptx::Image> image;
    while (!(image = program->translate_later("a", host))) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(image->kernels.at(0).name, "a");
    EXPECT_EQ(program->translate_later("a", host), image);
    EXPECT_EQ(counter.count(), 1u);
    program.reset();
    EXPECT_NE(load(text)->translate_later("a", host), nullptr); // from the cache on disk
    EXPECT_EQ(counter.count(), 1u);
    // What was made while somebody waited is there at once.
    program = load("kernel b\n");
    image = program->translate("b", host);
    EXPECT_EQ(program->translate_later("b", host), image);
    EXPECT_EQ(refusal([&] { program->translate_later("c", host); }).first, Status::not_found);
}

TEST(Program, FailsWhileNobodyWaits) {
    const auto program = load("kernel a\ntranslate:crash\n");
    const auto [status, message] = refusal([&] {
        while (!program->translate_later("a", host)) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    });
    EXPECT_EQ(status, Status::invalid_ptx);
    EXPECT_EQ(message, "kernel a: the translator died of signal 11 (Segmentation fault) while translating kernel a");
}

/// The process ends while the translator is at work: it neither waits nor comes to harm.
TEST(Program, EndsWhileNobodyWaits) {
    const auto end = [] {
        const auto program = load("kernel a\ntranslate:sleep 1000\n");
        program->translate_later("a", host);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        std::exit(3);
    };
    EXPECT_EXIT(end(), testing::ExitedWithCode(3), "^$");
}

/// A forked child has none of its parent's threads.
TEST(Program, TranslatesInAForkedChildWhileNobodyWaits) {
    const auto program = load("kernel a\nkernel b\ntranslate:sleep 100\n");
    program->translate_later("a", host);
    const auto child = [&] {
        for (const char* kernel : {"a", "b"})
            while (!program->translate_later(kernel, host)) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        std::exit(4);
    };
    EXPECT_EXIT(child(), testing::ExitedWithCode(4), "^$");
}

TEST(Program, LoadsOnceForAllThreads) {
    Counter counter;
    const std::string text = "kernel a\nsleep 100\n" + counter.command();
    std::vector<std::thread> threads;
    std::vector<std::shared_ptr<Program>> programs(6);
    for (auto& program : programs) threads.emplace_back([&program, &text] { program = load(text); });
    for (std::thread& thread : threads) thread.join();
    for (const auto& program : programs) EXPECT_EQ(program, programs[0]);
    EXPECT_EQ(counter.count(), 1u);
}

TEST(Program, OneBrokenKernel) {
    std::string errors, information;
    JitOptions jit;
    jit.error_log = &errors;
    jit.info_log = &information;
    const auto program = load("kernel good\nbroken bad\n", jit);
    EXPECT_NE(errors.find("kernel bad: line 3, column 7: unknown instruction"), std::string::npos) << errors;
    EXPECT_NE(information.find("2 kernels, 1 of them"), std::string::npos) << information;
    EXPECT_NO_THROW(program->translate("good", host));
    const auto [status, message] = refusal([&] { program->translate("bad", host); });
    EXPECT_EQ(status, Status::invalid_ptx);
    EXPECT_EQ(message, "kernel bad: line 3, column 7: unknown instruction");
    std::string again;
    jit.error_log = &again;
    load("kernel good\nbroken bad\n", jit); // shared, and told all the same
    EXPECT_EQ(again, errors);
}

TEST(Program, NothingButBrokenKernels) {
    std::string errors;
    JitOptions jit;
    jit.error_log = &errors;
    const auto [status, message] = refusal([&] { load(".version 9.0\nbroken x\nbroken y\n", jit); });
    EXPECT_EQ(status, Status::invalid_ptx);
    EXPECT_EQ(message, "kernel x: line 3, column 7: unknown instruction");
    EXPECT_NE(errors.find("kernel y"), std::string::npos);
    EXPECT_EQ(refusal([&] { load(".version 10.1\nbroken x\n"); }).first, Status::unsupported_ptx_version);
}

TEST(Program, WrongText) {
    std::string errors;
    JitOptions jit;
    jit.error_log = &errors;
    EXPECT_EQ(refusal([&] { load("invalid expected '.target'", jit); }),
              std::pair(Status::invalid_ptx, std::string("line 12, column 5: expected '.target'")));
    EXPECT_EQ(errors, "line 12, column 5: expected '.target'\n");
    EXPECT_EQ(refusal([&] { load(".version\t11.0\ninvalid x"); }).first, Status::unsupported_ptx_version);
}

TEST(Program, TranslatorDies) {
    const auto program = load("kernel a\ntranslate:crash\n");
    for (int i = 0; i < 2; ++i) {
        const auto [status, message] = refusal([&] { program->translate("a", host); });
        EXPECT_EQ(status, Status::invalid_ptx);
        EXPECT_EQ(message,
                  "kernel a: the translator died of signal 11 (Segmentation fault) while translating kernel a");
    }
}

TEST(Program, WithoutTexts) {
    const auto program = Program::load({}, {});
    EXPECT_TRUE(program->info().kernels.empty());
}

TEST(Statistics, Line) {
    const std::string line = code::summary_line("Cuttle CPU");
    EXPECT_TRUE(line.starts_with("cuttle: summary: Cuttle CPU; kernels: ")) << line;
    EXPECT_NE(line.find(" hits, "), std::string::npos);
}

} // namespace
