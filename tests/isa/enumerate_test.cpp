#include "examples.h"

#include "ptx/translate.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <unistd.h>

// Every row of the table in every form: what the table says is what the translator does, and what ptxas takes.
namespace {

using isa_test::Module;

ptx::Image translate(const std::string& text) {
    const std::string_view sources[] = {text};
    ptx::Request request;
    request.sources = sources;
    request.options.optimization_level = 0;
    return ptx::translate(request);
}

TEST(Table, EveryFormParsesAndVerifies) {
    const Module module = isa_test::module_of(isa_test::scalar_forms(true));
    const std::string_view sources[] = {module.text};
    EXPECT_EQ(ptx::index(sources).diagnostics.substr(0, 2000), "");
}

TEST(Table, EveryFormIsLoweredForTheHost) {
    const auto forms = isa_test::scalar_forms(true);
    ASSERT_GT(forms.size(), 200u);
    const Module module = isa_test::module_of(forms);
    for (const ptx::KernelInfo& kernel : translate(module.text).kernels) EXPECT_EQ(kernel.error, "") << kernel.name;
}

/// Lines that ptxas complains about, with the complaint.
std::map<size_t, std::string> complaints_of_ptxas(const std::string& text) {
    char path[] = "/tmp/cuttle-isa-XXXXXX";
    const int file = mkstemp(path);
    EXPECT_EQ(write(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    close(file);
    const std::string command = std::string(CUTTLE_PTXAS) + " -arch sm_100a -O0 -o /dev/null " + path + " 2>&1";
    std::map<size_t, std::string> out;
    FILE* pipe = popen(command.c_str(), "r");
    char line[1024];
    while (pipe && std::fgets(line, sizeof line, pipe)) {
        const char* place = std::strstr(line, ", line ");
        if (place && (std::strstr(place, "; error") || std::strstr(place, "; fatal")))
            out.emplace(std::strtoul(place + 7, nullptr, 10), std::strchr(place, ';') + 2);
    }
    if (pipe) pclose(pipe);
    unlink(path);
    return out;
}

/// Whether this ptxas is new enough for a version of the PTX ISA (times ten).
bool ptxas_knows(unsigned version) {
    static std::map<unsigned, bool> known;
    const auto [found, first] = known.try_emplace(version);
    if (first)
        found->second = complaints_of_ptxas(".version " + std::to_string(version / 10) + "." +
                                            std::to_string(version % 10) + "\n.target sm_100a\n.address_size 64\n")
                            .empty();
    return found->second;
}

TEST(Table, AllowsNothingThatPtxasRefuses) {
    if (access(CUTTLE_PTXAS, X_OK) != 0) GTEST_SKIP() << "no ptxas here";
    auto forms = isa_test::scalar_forms(false);
    std::erase_if(forms,
                  [](const ptx::InstructionForm* form) { return form->version > 90 && !ptxas_knows(form->version); });
    ASSERT_GT(forms.size(), 200u);
    const Module module = isa_test::module_of(forms);
    std::map<std::string, std::vector<std::string>> by_reason;
    for (const auto& [line, reason] : complaints_of_ptxas(module.text)) {
        ASSERT_TRUE(line < module.lines.size() && !module.lines[line].empty()) << line << ": " << reason;
        by_reason[reason].push_back(module.lines[line]);
    }
    for (const auto& [reason, lines] : by_reason)
        ADD_FAILURE() << lines.size() << " forms: " << reason << "  " << lines.front() << "  " << lines.back();
}

} // namespace
