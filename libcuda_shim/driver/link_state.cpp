#include "driver/link_state.h"

#include "api/constants.h"
#include "driver/handles.h"
#include "rt/linked_image.h"
#include "rt/platform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace shim {
namespace {

int compute_capability() {
    rt::Context* current = rt::Context::current_or_null();
    return (current ? current->device() : rt::Platform::get().device(0)).compute_capability();
}

} // namespace

template <class F> void LinkState::report_to_log(F&& step) {
    struct Finish {
        JitArguments& jit;
        ~Finish() { jit.finish(); }
    } finish{jit_};
    jit_.resume();
    try {
        step();
    } catch (const Error& error) {
        std::string& log = jit_.error_log();
        log += error.what();
        if (!log.ends_with('\n')) log += '\n';
        throw;
    }
}

std::vector<std::string> LinkState::texts_of(CUjitInputType type, const void* data, size_t size,
                                             const std::string& name) {
    const std::string_view bytes(static_cast<const char*>(data), size);
    switch (type) {
    case CU_JIT_INPUT_CUBIN:
        // Machine code is told apart, with advice, where images are read; nothing else is a cubin.
        if (!bytes.starts_with("\x7f"
                               "ELF"))
            spoil(Status::invalid_image, name + ": no cubin");
        [[fallthrough]];
    case CU_JIT_INPUT_PTX:
    case CU_JIT_INPUT_FATBINARY:
        return rt::ModuleSource::from_image(data, size, compute_capability()).ptx;
    case CU_JIT_INPUT_OBJECT:
    case CU_JIT_INPUT_LIBRARY: {
        const bool library = type == CU_JIT_INPUT_LIBRARY;
        if (!bytes.starts_with(library ? "!<arch>\n"
                                       : "\x7f"
                                         "ELF"))
            throw Error(Status::unknown, library ? "no library archive" : "no object file");
        return rt::ModuleSource::from_object(data, size, library, compute_capability()).ptx;
    }
    case CU_JIT_INPUT_NVVM:
        spoil(Status::jit_compiler_not_found, name + ": NVVM IR cannot be linked");
    default:
        throw Error(Status::invalid_value, fmt::format("unknown kind of input {}", int(type)));
    }
}

void LinkState::add(CUjitInputType type, const void* data, size_t size, const std::string& given_name) {
    require_value(data && size, "nothing to link");
    require_value(!complete_, "the link is complete");
    if (spoilt_) throw *spoilt_;
    added_++;
    const std::string name = given_name.empty() ? fmt::format("Input {}", added_) : given_name;
    report_to_log([&] {
        std::vector<std::string> texts;
        try {
            texts = texts_of(type, data, size, name);
        } catch (const Error& error) {
            if (spoilt_) throw;
            throw Error(error.status(), fmt::format("{}: {}", name, error.what()));
        }
        const bool of_library = type == CU_JIT_INPUT_LIBRARY;
        Inputs all = inputs_;
        for (std::string& text : texts) {
            if (!of_library) check_alone(text, name);
            all.push_back({std::move(text), name, of_library});
        }
        if (all.size() > 1) link(all);
        inputs_ = std::move(all);
    });
}

/// Whether all that a kernel lacks may come with another text.
static bool may_be_used(const ptx::KernelInfo& kernel, const ptx::ModuleInfo& info) {
    return kernel.error.empty() || std::ranges::any_of(info.unresolved, [&](const std::string& name) {
               return kernel.error.ends_with("unresolved " + name);
           });
}

// A kernel that we cannot translate leaves the others of its text usable.
void LinkState::check_alone(const std::string& text, const std::string& name) const {
    const ptx::ModuleInfo info = rt::Program::inspect({text}, jit_.options());
    const bool usable =
        std::ranges::any_of(info.kernels, [&](const ptx::KernelInfo& kernel) { return may_be_used(kernel, info); });
    if (!info.wrong.empty() && !usable) throw Error(Status::invalid_ptx, fmt::format("'{}', {}", name, info.wrong));
    const size_t digits = info.target.find_first_of("0123456789");
    const auto needs = digits == info.target.npos ? 0ul : std::strtoul(info.target.c_str() + digits, nullptr, 10);
    if (jit_.target() != 0 && needs > jit_.target())
        throw Error(Status::invalid_ptx,
                    fmt::format("'{}' is for {}, not for sm_{}", name, info.target, jit_.target()));
}

void LinkState::spoil(Status status, const std::string& message) {
    spoilt_ = Error(status, message);
    throw *spoilt_;
}

/// Each text is good alone, so that whatever is wrong now is between them.
ptx::ModuleInfo LinkState::link(const Inputs& inputs) {
    if (inputs.empty()) return {};
    std::vector<std::string> texts;
    for (const Input& input : inputs) texts.push_back(input.text);
    try {
        return rt::Program::inspect(texts, jit_.options());
    } catch (const Error& error) {
        if (error.status() != Status::invalid_ptx) throw;
        spoil(Status::invalid_source, with_names(error.what(), inputs));
    }
}

/// The inputs without those members of libraries that define nothing that the others miss. A member may need another.
LinkState::Inputs LinkState::needed() {
    Inputs taken, left;
    for (const Input& input : inputs_) (input.of_library ? left : taken).push_back(input);
    for (bool changed = true; changed;) {
        changed = false;
        const std::vector<std::string> missing = link(taken).unresolved;
        for (size_t i = 0; i < left.size() && !changed && !missing.empty(); i++) {
            taken.push_back(left[i]);
            const std::vector<std::string> still = link(taken).unresolved;
            changed = !std::ranges::all_of(
                missing, [&](const std::string& name) { return std::ranges::find(still, name) != still.end(); });
            if (changed)
                left.erase(left.begin() + std::ptrdiff_t(i));
            else
                taken.pop_back();
        }
    }
    return taken;
}

/// Our messages call texts by number, and the first one not at all.
std::string LinkState::with_names(std::string message, const Inputs& inputs) {
    for (size_t i = inputs.size(); i-- > 0;) {
        const std::string number = fmt::format("text {}", i + 1), name = fmt::format("'{}'", inputs[i].name);
        for (size_t at = 0; (at = message.find(number, at)) != message.npos; at += name.size()) {
            const size_t end = at + number.size();
            if (end < message.size() && message[end] >= '0' && message[end] <= '9') continue; // a longer number
            message.replace(at, number.size(), name);
        }
    }
    const std::string first = fmt::format("'{}', ", inputs.front().name);
    for (size_t at = 0; at < message.size();
         at = message.find('\n', at) == message.npos ? message.size() : message.find('\n', at) + 1)
        if (message.compare(at, 5, "line ") == 0) message.insert(at, first);
    return message;
}

const std::vector<char>& LinkState::complete() {
    if (spoilt_) {
        complete_ = true;
        throw *spoilt_;
    }
    if (complete_) throw Error(Status::invalid_handle, "the link is complete");
    complete_ = true;
    report_to_log([&] {
        const Inputs inputs = needed();
        const ptx::ModuleInfo info = link(inputs);
        if (!info.unresolved.empty()) {
            std::string message = info.diagnostics;
            for (const std::string& name : info.unresolved)
                if (message.find(name) == message.npos) message += "unresolved " + name + "\n";
            spoil(Status::invalid_source, with_names(message, inputs));
        }
        rt::ModuleSource source;
        for (const Input& input : inputs) source.ptx.push_back(input.text);
        rt::Program::load(source, {}); // kernels none of which can be used are to be found here, not when it is loaded
        image_ = rt::make_linked_image(source.ptx, jit_.target());
    });
    return image_;
}

} // namespace shim
