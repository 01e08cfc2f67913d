#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "driver/linked_image.h"
#include "driver/loading.h"
#include "rt/platform.h"

#include <fmt/format.h>

#include <memory>

namespace shim {
namespace {

/// What cuLinkAdd* collected. The linked image lives as long as it.
class LinkState : public rt::HandleBase {
  public:
    static constexpr rt::HandleKind kind = rt::HandleKind::link_state;

    LinkState(unsigned count, const CUjit_option* options, void** values)
        : HandleBase(kind), jit_(count, options, values) {}

    void add(CUjitInputType type, const void* data, size_t size, const char* name);
    const std::vector<char>& complete();

  private:
    JitArguments jit_;
    std::vector<std::string> texts_;
    std::vector<char> image_;
};

int compute_capability() {
    rt::Context* current = rt::Context::current_or_null();
    return (current ? current->device() : rt::Platform::get().device(0)).compute_capability();
}

void LinkState::add(CUjitInputType type, const void* data, size_t size, const char* name) {
    require_value(data && size, "nothing to link");
    const char* label = name ? name : "unnamed input";
    try {
        switch (type) {
        case CU_JIT_INPUT_PTX: {
            std::string text(static_cast<const char*>(data), size);
            text.resize(text.find_last_not_of('\0') + 1);
            texts_.push_back(std::move(text));
            return;
        }
        case CU_JIT_INPUT_CUBIN:
        case CU_JIT_INPUT_FATBINARY:
        case CU_JIT_INPUT_OBJECT: {
            auto source = rt::ModuleSource::from_image(data, size, compute_capability());
            texts_.insert(texts_.end(), source.ptx.begin(), source.ptx.end());
            return;
        }
        case CU_JIT_INPUT_LIBRARY:
        case CU_JIT_INPUT_NVVM:
            throw Error(Status::not_supported, fmt::format("{}: only PTX and fat binaries can be linked", label));
        default:
            throw Error(Status::invalid_value, fmt::format("{}: unknown kind of input {}", label, type));
        }
    } catch (const Error& error) {
        jit_.error_log() += fmt::format("{}: {}\n", label, error.what());
        jit_.finish();
        throw;
    }
}

const std::vector<char>& LinkState::complete() {
    if (texts_.empty()) throw Error(Status::invalid_image, "nothing was added to the link");
    rt::ModuleSource source;
    source.ptx = texts_;
    struct Finish {
        JitArguments& jit;
        ~Finish() { jit.finish(); }
    } finish{jit_};
    // Wrong PTX and unresolved names are to be found here, not when the image is loaded.
    rt::Program::load(source, jit_.options());
    image_ = make_linked_image(texts_);
    return image_;
}

LinkState& state_of(CUlinkState state) {
    if (auto* found = rt::handle_cast<LinkState>(state)) return *found;
    throw Error(Status::invalid_handle, "no link state");
}

} // namespace

Status driver::cuLinkCreate_v2(unsigned int count, CUjit_option* options, void** values, CUlinkState* state) {
    out(state, "stateOut");
    *state = handle<CUlinkState>(*new LinkState(count, options, values));
    return Status::success;
}

Status driver::cuLinkAddData_v2(CUlinkState state, CUjitInputType type, void* data, size_t size, const char* name,
                                unsigned int count, CUjit_option* options, void** values) {
    JitArguments ignored(count, options, values); // options for one input: checked, there is none that we honour
    state_of(state).add(type, data, size, name);
    return Status::success;
}

Status driver::cuLinkAddFile_v2(CUlinkState state, CUjitInputType type, const char* path, unsigned int count,
                                CUjit_option* options, void** values) {
    LinkState& link = state_of(state);
    JitArguments ignored(count, options, values);
    const std::string data = read_file(path);
    link.add(type, data.data(), data.size(), path);
    return Status::success;
}

Status driver::cuLinkComplete(CUlinkState state, void** image, size_t* size) {
    const std::vector<char>& linked = state_of(state).complete();
    out(image, "cubinOut") = const_cast<char*>(linked.data());
    if (size) *size = linked.size();
    return Status::success;
}

Status driver::cuLinkDestroy(CUlinkState state) {
    delete &state_of(state);
    return Status::success;
}

} // namespace shim
