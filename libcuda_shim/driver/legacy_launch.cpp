#include "driver/legacy_launch.h"

#include "api/bodies.h"
#include "driver/handles.h"

#include <cstring>
#include <map>
#include <mutex>
#include <vector>

// Launching as before CUDA 4: shape and arguments are set on the function, one call each, then it is launched.
namespace shim {
namespace {

struct Pending {
    rt::backend::Dim3 block;
    unsigned shared_bytes = 0;
    std::vector<uint8_t> arguments;
};

struct Book {
    std::mutex mutex;
    std::map<rt::Function*, Pending> pending;
};

Book& book() {
    static Book& all = *new Book;
    return all;
}

template <class Change> Status change(CUfunction handle, Change&& apply) {
    rt::Function& function = function_of(handle);
    Book& all = book();
    std::lock_guard lock(all.mutex);
    apply(all.pending[&function]);
    return Status::success;
}

Status set_bytes(CUfunction function, int offset, const void* data, size_t size) {
    require_value(offset >= 0 && offset + size <= 4096, "offset outside of 4096 bytes of arguments");
    return change(function, [&](Pending& pending) {
        if (!size) return;
        if (pending.arguments.size() < offset + size) pending.arguments.resize(offset + size);
        std::memcpy(pending.arguments.data() + offset, data, size);
    });
}

Status launch(CUfunction handle, int width, int height, CUstream stream) {
    require_value(width > 0 && height > 0, "empty grid");
    rt::Function& function = function_of(handle);
    Pending pending;
    {
        Book& all = book();
        std::lock_guard lock(all.mutex);
        pending = all.pending[&function];
    }
    pending.arguments.resize(function.info().parameter_bytes);
    function.launch(stream_of(stream), {unsigned(width), unsigned(height), 1}, pending.block, pending.shared_bytes,
                    pending.arguments);
    return Status::success;
}

} // namespace

void forget_legacy_launches(rt::Module& module) {
    Book& all = book();
    std::lock_guard lock(all.mutex);
    std::erase_if(all.pending, [&](const auto& entry) { return &entry.first->module() == &module; });
}

Status driver::cuFuncSetBlockShape(CUfunction function, int x, int y, int z) {
    require_value(x > 0 && y > 0 && z > 0 && x <= 1024 && y <= 1024 && z <= 64, "empty or too large block");
    return change(function, [&](Pending& p) { p.block = {unsigned(x), unsigned(y), unsigned(z)}; });
}

Status driver::cuFuncSetSharedSize(CUfunction function, unsigned int bytes) {
    require_value(bytes <= 48 << 10, "more shared memory than a block can have");
    return change(function, [&](Pending& p) { p.shared_bytes = bytes; });
}

Status driver::cuParamSetSize(CUfunction function, unsigned int bytes) {
    require_value(bytes <= 4096, "more than 4096 bytes of arguments");
    return change(function, [&](Pending& p) { p.arguments.resize(bytes); });
}

Status driver::cuParamSeti(CUfunction function, int offset, unsigned int value) {
    return set_bytes(function, offset, &value, sizeof value);
}

Status driver::cuParamSetf(CUfunction function, int offset, float value) {
    return set_bytes(function, offset, &value, sizeof value);
}

Status driver::cuParamSetv(CUfunction function, int offset, void* data, unsigned int bytes) {
    require_value(data, "no data");
    return set_bytes(function, offset, data, bytes);
}

Status driver::cuLaunch(CUfunction function) { return launch(function, 1, 1, nullptr); }

Status driver::cuLaunchGrid(CUfunction function, int width, int height) {
    return launch(function, width, height, nullptr);
}

Status driver::cuLaunchGridAsync(CUfunction function, int width, int height, CUstream stream) {
    return launch(function, width, height, stream);
}

} // namespace shim
