#include "driver/link_state.h"

#include "api/constants.h"
#include "driver/handles.h"
#include "driver/linked_image.h"
#include "rt/platform.h"

#include <fmt/format.h>

#include <algorithm>

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
    try {
        step();
    } catch (const Error& error) {
        jit_.error_log() += error.what();
        if (!jit_.error_log().ends_with('\n')) jit_.error_log() += '\n';
        throw;
    }
}

std::vector<std::string> LinkState::texts_of(CUjitInputType type, const void* data, size_t size,
                                             const std::string& name) {
    switch (type) {
    case CU_JIT_INPUT_PTX:
    case CU_JIT_INPUT_CUBIN:
    case CU_JIT_INPUT_FATBINARY:
        return rt::ModuleSource::from_image(data, size, compute_capability()).ptx;
    case CU_JIT_INPUT_OBJECT:
    case CU_JIT_INPUT_LIBRARY:
        return rt::ModuleSource::from_object(data, size, type == CU_JIT_INPUT_LIBRARY, compute_capability()).ptx;
    case CU_JIT_INPUT_NVVM:
        throw Error(Status::not_supported, name + ": NVVM IR cannot be linked");
    default:
        throw Error(Status::invalid_value, fmt::format("{}: unknown kind of input {}", name, type));
    }
}

void LinkState::add(CUjitInputType type, const void* data, size_t size, const std::string& given_name) {
    require_value(data && size, "nothing to link");
    inputs_++;
    const std::string name = given_name.empty() ? fmt::format("Input {}", inputs_) : given_name;
    report_to_log([&] {
        if (spoilt_) throw *spoilt_;
        std::vector<std::string> texts;
        try {
            texts = texts_of(type, data, size, name);
        } catch (const Error& error) {
            throw Error(error.status(), fmt::format("{}: {}", name, error.what()));
        }
        for (std::string& text : texts) {
            if (type == CU_JIT_INPUT_LIBRARY)
                members_.push_back({std::move(text), name});
            else
                add_text(text, name);
        }
    });
}

// A kernel that we cannot translate leaves the others of its text usable.
void LinkState::check_alone(const std::string& text, const std::string& name) const {
    const ptx::ModuleInfo info = rt::Program::inspect({text}, jit_.options());
    const bool usable =
        std::any_of(info.kernels.begin(), info.kernels.end(), [](const auto& kernel) { return kernel.error.empty(); });
    if (!info.wrong.empty() && !usable) throw Error(Status::invalid_ptx, fmt::format("{}: {}", name, info.wrong));
}

void LinkState::add_text(const std::string& text, const std::string& name) {
    check_alone(text, name);
    texts_.push_back(text);
    names_.push_back(name);
    if (texts_.size() > 1) link(texts_);
}

/// Each text is good alone, so that whatever is wrong now is between them.
ptx::ModuleInfo LinkState::link(const std::vector<std::string>& texts) {
    if (texts.empty()) return {};
    try {
        return rt::Program::inspect(texts, jit_.options());
    } catch (const Error& error) {
        if (error.status() != Status::invalid_ptx) throw;
        spoilt_ = Error(Status::invalid_source, with_names(error.what()));
        throw *spoilt_;
    }
}

/// Until nothing is missing that they have: a member may need another one.
void LinkState::take_from_libraries() {
    for (bool changed = true; changed;) {
        changed = false;
        const std::vector<std::string> missing = link(texts_).unresolved;
        for (size_t i = 0; i < members_.size() && !changed && !missing.empty(); i++) {
            std::vector<std::string> with = texts_;
            with.push_back(members_[i].text);
            const std::vector<std::string> still = rt::Program::inspect(with, jit_.options()).unresolved;
            changed = !std::all_of(missing.begin(), missing.end(), [&](const std::string& name) {
                return std::find(still.begin(), still.end(), name) != still.end();
            });
            if (!changed) continue;
            texts_ = std::move(with);
            names_.push_back(members_[i].name);
            members_.erase(members_.begin() + std::ptrdiff_t(i));
        }
    }
}

/// Our messages call texts by number.
std::string LinkState::with_names(std::string message) const {
    for (size_t i = names_.size(); i-- > 0;) {
        const std::string number = fmt::format("text {}", i + 1), name = fmt::format("'{}'", names_[i]);
        for (size_t at = 0; (at = message.find(number, at)) != message.npos; at += name.size()) {
            const size_t end = at + number.size();
            if (end < message.size() && message[end] >= '0' && message[end] <= '9') continue; // a longer number
            message.replace(at, number.size(), name);
        }
    }
    return message;
}

void LinkState::refuse_unresolved(const ptx::ModuleInfo& info) const {
    std::string message;
    for (const std::string& name : info.unresolved) message += "unresolved " + name + "\n";
    throw Error(Status::invalid_source, with_names(message + info.diagnostics));
}

const std::vector<char>& LinkState::complete() {
    report_to_log([&] {
        if (spoilt_) throw *spoilt_;
        take_from_libraries();
        const ptx::ModuleInfo info = link(texts_);
        if (!info.unresolved.empty()) refuse_unresolved(info);
        rt::ModuleSource source;
        source.ptx = texts_;
        rt::Program::load(source, {}); // kernels none of which can be used are to be found here, not when it is loaded
        image_ = make_linked_image(texts_);
    });
    return image_;
}

} // namespace shim
