#include "ptxas.h"
#include "serve.h"

#include "ast/position.h"
#include "ptx/translate.h"
#include "translate/process_setup.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

/// The compiler program: PTX files to code of one target, or to the text of an earlier stage.
namespace {

struct Arguments {
    std::vector<std::string> files, kernels, functions;
    std::string target = "host", output, stop_after = "code";
    unsigned optimization = 3, compute_capability = 0;
    std::vector<unsigned> block;
    bool debug = false, phases = false, warp = false, if_faster = false, counts = false, explain = false, serve = false;
};

std::string read_file(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    if (!file) throw std::runtime_error(name + ": cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& name, std::string_view bytes) {
    if (name.empty() || name == "-") {
        std::cout.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush();
        return;
    }
    std::ofstream file(name, std::ios::binary);
    if (!file.write(bytes.data(), static_cast<std::streamsize>(bytes.size())))
        throw std::runtime_error(name + ": cannot be written");
}

const char* extension_of(ptx::Arch arch) {
    switch (arch) {
    case ptx::Arch::host:
        return ".so";
    case ptx::Arch::amdgcn:
        return ".hsaco";
    case ptx::Arch::spirv:
        return ".spv";
    }
    return "";
}

/// "name: 4 phases, tiles of 32x1; threads one by one: why".
std::string explain(const ptx::KernelInfo& kernel, const ptx::Image& image) {
    std::string text = kernel.name + ": ";
    text += kernel.phases ? fmt::format("{} phases", kernel.phases) : kernel.uses_barrier ? "fibers" : "loop";
    const bool tiles = kernel.tile_columns != 0;
    if (tiles) text += fmt::format(", tiles of {}x{}", kernel.tile_columns, kernel.tile_rows);
    for (const std::string& remark : image.remarks)
        if (remark.starts_with(kernel.name + ": "))
            text += fmt::format("; {} one by one: {}", tiles ? "some threads" : "threads",
                                remark.substr(kernel.name.size() + 2));
    return text;
}

void compile(const Arguments& arguments) {
    std::vector<std::string> texts;
    for (const std::string& file : arguments.files) texts.push_back(read_file(file));
    std::vector<std::string_view> sources(texts.begin(), texts.end());

    ptx::Request request;
    request.sources = sources;
    request.target = ptx::Target::parse(arguments.target);
    request.options.optimization_level = static_cast<uint8_t>(arguments.optimization);
    request.options.debug_info = arguments.debug;
    request.options.phases = arguments.phases || arguments.warp;
    request.options.warp = !arguments.warp ? 0 : arguments.if_faster ? 2 : 1;
    request.options.counts = arguments.counts;
    if (arguments.block.size() == 2) request.target.divide(arguments.block[0], arguments.block[1]);
    request.options.compute_capability = arguments.compute_capability;
    request.kernels = arguments.kernels;
    request.functions = arguments.functions;
    bool written = false;
    if (arguments.stop_after != "code")
        request.after_stage = [&](std::string_view stage, const std::string& dump) {
            if (stage != arguments.stop_after) return true;
            write_file(arguments.output, dump);
            written = true;
            return false;
        };

    ptx::Image image = ptx::translate(request);
    for (const ptx::KernelInfo& kernel : image.kernels)
        if (!kernel.error.empty())
            std::cerr << fmt::format("{}: warning: kernel '{}' left out: {}\n", arguments.files[0], kernel.name,
                                     kernel.error);
    if (arguments.explain)
        for (const ptx::KernelInfo& kernel : image.kernels)
            if (kernel.error.empty()) fmt::print("{}\n", explain(kernel, image));
    if (written || (arguments.explain && arguments.output.empty())) return;
    if (arguments.stop_after != "code")
        throw std::runtime_error("this target has no stage '" + arguments.stop_after + "'");
    std::string output =
        arguments.output.empty() ? arguments.files[0] + extension_of(request.target.arch) : arguments.output;
    write_file(output, {reinterpret_cast<const char*>(image.code.data()), image.code.size()});
}

/// LLVM met something that it cannot go on from.
void give_up(const char* reason) {
    std::fprintf(stderr, "cuttle-ptxc: error: %s\n", reason);
    std::_Exit(1);
}

void add_options(CLI::App& app, Arguments& arguments) {
    app.add_option("file", arguments.files, "PTX texts; several are linked");
    app.add_option("--target", arguments.target, "host, host:CPU, amdgcn:PROCESSOR, spirv or spirv:no-fp64")->capture_default_str();
    app.add_option("--stop-after", arguments.stop_after, "write the text of this stage instead of code")
        ->check(CLI::IsMember({"ast", "llvm", "optimized", "assembly", "code"}));
    app.add_option("-o,--output", arguments.output, "where to write, - for standard output");
    app.add_option("--kernel", arguments.kernels, "translate these kernels only")->take_all();
    app.add_option("--function", arguments.functions, "make these device functions addressable")->take_all();
    app.add_option("-O", arguments.optimization, "optimization level")->check(CLI::Range(0, 3))->capture_default_str();
    app.add_option("--compute-capability", arguments.compute_capability, "that the device claims, such as 89");
    app.add_flag("--phases", arguments.phases, "host: cut kernels at barriers, as the runtime asks for");
    app.add_flag("--warp", arguments.warp,
                 "host: run threads side by side in vectors, as the runtime asks for; has --phases");
    app.add_flag("--counts", arguments.counts, "with --warp: kernels count what their vectors do, as profiles show it");
    app.add_flag("--if-faster", arguments.if_faster, "with --warp: only where it seems to pay");
    app.add_option("--block", arguments.block, "with --warp: the blocks' size by x and y")->expected(2);
    app.add_flag(
        "--explain", arguments.explain,
        "host: say of each kernel how its threads run, and why they do not run side by side; writes code only with -o");
    app.add_flag("-g", arguments.debug, "carry source lines");
    app.add_flag("--serve", arguments.serve, "take jobs from the socket with descriptor 3");
    app.set_version_flag("--version", ptx::translator_version());
}

} // namespace

int main(int argc, char** argv) {
    if (argc > 0 && std::filesystem::path(argv[0]).filename() == "ptxas") return ptxas(argc, argv);
    CLI::App app("Translates PTX.", "cuttle-ptxc");
    Arguments arguments;
    add_options(app, arguments);
    CLI11_PARSE(app, argc, argv);
    if (arguments.serve) return serve(3);
    if (arguments.files.empty()) return app.exit(CLI::RequiredError("file"));
    try {
        ptx::warm_up();
        ptx::set_fatal_error_handler(give_up);
        compile(arguments);
        return 0;
    } catch (const ptx::Error& error) {
        const ptx::Diagnostic& found = error.diagnostic();
        const std::string& file = arguments.files[std::min<size_t>(found.where.source, arguments.files.size() - 1)];
        std::cerr << fmt::format("{}:{}:{}: error: {}\n", file, found.where.line, found.where.column, found.message);
    } catch (const std::exception& error) {
        std::cerr << fmt::format("{}: error: {}\n", arguments.files[0], error.what());
    }
    return 1;
}
