#include "api/bodies.h"
#include "driver/handles.h"
#include "driver/link_state.h"
#include "driver/loading.h"

namespace shim {
namespace {

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
    state_of(state).add(type, data, size, name ? name : "");
    return Status::success;
}

Status driver::cuLinkAddFile_v2(CUlinkState state, CUjitInputType type, const char* path, unsigned int count,
                                CUjit_option* options, void** values) {
    LinkState& link = state_of(state);
    JitArguments ignored(count, options, values);
    const std::string data = read_file(path);
    if (data.empty()) throw Error(Status::invalid_image, std::string(path) + " is empty");
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
