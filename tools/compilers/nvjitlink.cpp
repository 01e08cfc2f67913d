// libnvJitLink.so.*: links PTX with the driver's linker and hands out what our driver loads where a cubin is expected.
#include "jit_link.h"
#include "nvjitlink_versions.h"

#include <cstring>
#include <fstream>
#include <iterator>

namespace {

using compilers::Input;
using compilers::Result;

int code(Result result) { return int(result); }

int give_size(size_t* size, size_t value, bool there) {
    if (size == nullptr) return code(Result::null_input);
    *size = there ? value : 0;
    return code(there ? Result::success : Result::invalid_input);
}

int give(void* to, const void* from, size_t size, bool there) {
    if (to == nullptr) return code(Result::null_input);
    if (!there) return code(Result::invalid_input);
    std::memcpy(to, from, size);
    return code(Result::success);
}

// Bodies. An exception can only be std::bad_alloc.

int Create(Link** handle, uint32_t count, const char* const* options) {
    if (handle == nullptr || (count > 0 && options == nullptr)) return code(Result::null_input);
    *handle = nullptr;
    if (count == 0) return code(Result::null_input);
    *handle = new Link; // also when the options are wrong: its log says what is
    return code((*handle)->start(count, options));
}

int Destroy(Link** handle) {
    if (handle == nullptr || *handle == nullptr) return code(Result::null_input);
    delete *handle;
    *handle = nullptr;
    return code(Result::success);
}

int AddData(Link* handle, int type, const void* data, size_t size, const char* name) {
    if (handle == nullptr || data == nullptr) return code(Result::null_input);
    return code(handle->add(Input(type), {static_cast<const char*>(data), size}, name != nullptr ? name : ""));
}

int AddFile(Link* handle, int type, const char* file) {
    if (handle == nullptr || file == nullptr) return code(Result::null_input);
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        handle->error_log += std::string("cannot read ") + file + "\n";
        return code(Result::invalid_input);
    }
    const std::string bytes(std::istreambuf_iterator<char>(stream), {});
    return code(handle->add(Input(type), bytes, file));
}

int Complete(Link* handle) { return handle == nullptr ? code(Result::null_input) : code(handle->complete()); }

int GetLinkedCubinSize(Link* handle, size_t* size) {
    if (handle == nullptr) return code(Result::null_input);
    return give_size(size, handle->image.size(), !handle->image.empty());
}

int GetLinkedCubin(Link* handle, void* cubin) {
    if (handle == nullptr) return code(Result::null_input);
    return give(cubin, handle->image.data(), handle->image.size(), !handle->image.empty());
}

// With the NUL behind it.
int GetLinkedPtxSize(Link* handle, size_t* size) {
    if (handle == nullptr) return code(Result::null_input);
    return give_size(size, handle->ptx.size() + 1, handle->options.ptx && !handle->ptx.empty());
}

int GetLinkedPtx(Link* handle, char* ptx) {
    if (handle == nullptr) return code(Result::null_input);
    return give(ptx, handle->ptx.c_str(), handle->ptx.size() + 1, handle->options.ptx && !handle->ptx.empty());
}

int give_log_size(size_t* size, const std::string& log) {
    return give_size(size, log.empty() ? 0 : log.size() + 1, true);
}

int give_log(char* to, const std::string& log) { return give(to, log.c_str(), log.empty() ? 0 : log.size() + 1, true); }

int GetErrorLogSize(Link* handle, size_t* size) {
    return handle == nullptr ? code(Result::null_input) : give_log_size(size, handle->error_log);
}

int GetErrorLog(Link* handle, char* log) {
    return handle == nullptr ? code(Result::null_input) : give_log(log, handle->error_log);
}

int GetInfoLogSize(Link* handle, size_t* size) {
    return handle == nullptr ? code(Result::null_input) : give_log_size(size, handle->info_log);
}

int GetInfoLog(Link* handle, char* log) {
    return handle == nullptr ? code(Result::null_input) : give_log(log, handle->info_log);
}

template <class F> int enter(F&& body) noexcept {
    try {
        return body();
    } catch (...) {
        return code(Result::internal);
    }
}

} // namespace

#define SHOWN extern "C" __attribute__((visibility("default"))) int
#define VERSIONED(name, version, parameters, arguments)                                                                \
    SHOWN __nvJitLink##name##_##version parameters {                                                                   \
        return enter([&] { return name arguments; });                                                                  \
    }
#define EXPORT(name, parameters, arguments)                                                                            \
    SHOWN nvJitLink##name parameters {                                                                                 \
        return enter([&] { return name arguments; });                                                                  \
    }                                                                                                                  \
    CUTTLE_VERSIONS(name, parameters, arguments)
#include "nvjitlink.def"

SHOWN nvJitLinkVersion(unsigned* major, unsigned* minor) {
    if (major == nullptr || minor == nullptr) return code(Result::null_input);
    *major = CUTTLE_MAJOR;
    *minor = CUTTLE_MINOR;
    return code(Result::success);
}
