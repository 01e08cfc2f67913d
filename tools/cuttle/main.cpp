#include "commands.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace {

/// Drops the "--" that may stand between our options and the program: CLI11 would read on behind it.
std::vector<char*> without_separator(int argc, char** argv) {
    std::vector<char*> words(argv, argv + argc);
    size_t at = 2;
    if (argc < 3 || std::string_view(argv[1]) != "run") return words;
    for (; at < words.size() && words[at][0] == '-' && std::string_view(words[at]) != "--"; ++at)
        if (std::string_view(words[at]) == "--device") ++at;
    if (at < words.size() && std::string_view(words[at]) == "--") words.erase(words.begin() + ptrdiff_t(at));
    return words;
}

/// Parses, and names the subcommand to carry out.
int dispatch(int argc, char** argv) {
    CLI::App app("Cuttle: run CUDA programs without NVIDIA hardware", "cuttle");
    app.require_subcommand(1);

    RunSettings settings;
    CLI::App* run_command = app.add_subcommand("run", "run a program on Cuttle's devices");
    run_command->add_option("--device", settings.devices, "back ends to use, in order: cpu, hip, level_zero, null");
    run_command->add_flag("--summary", settings.summary, "say at exit what was translated and what was cached");
    run_command->add_flag("--profile", settings.profile, "say at exit what each kernel cost");
    run_command->footer("PROGRAM and its arguments come last.");
    run_command->prefix_command(); // from the first word that is no option of ours, all is the program's

    bool options = false, records = false, clear = false;
    CLI::App* info_command = app.add_subcommand("info", "show devices, versions, and where things are");
    info_command->add_flag("--options", options, "show all settings and their values in force instead");
    info_command->add_flag("--records", records, "show devices for programs to read instead")->excludes("--options");
    CLI::App* cache_command = app.add_subcommand("cache", "show or clear the cache of translated code");
    cache_command->add_flag("--clear", clear, "delete every entry");

    std::string devices;
    std::vector<std::string> groups;
    CLI::App* selftest_command =
        app.add_subcommand("selftest", "compare single instructions on the first device with an NVIDIA H100's results");
    selftest_command->add_option("--device", devices, "back end to use: cpu, hip, level_zero");
    selftest_command->add_option("GROUP", groups, "groups of cases; all unless named");

    std::vector<char*> words = without_separator(argc, argv);
    CLI11_PARSE(app, int(words.size()), words.data());
    if (run_command->parsed()) {
        settings.command = run_command->remaining();
        if (settings.command.empty()) throw std::runtime_error("run: which program?");
        if (settings.command.front().starts_with('-'))
            throw std::runtime_error("run: unknown option " + settings.command.front());
        return run(settings);
    }
    if (selftest_command->parsed()) return selftest(devices, groups);
    if (info_command->parsed()) return records ? show_records() : options ? show_options() : show_info();
    return clear ? clear_cache() : show_cache();
}

} // namespace

int main(int argc, char** argv) {
    try {
        return dispatch(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cuttle: %s\n", error.what());
        return 1;
    }
}
