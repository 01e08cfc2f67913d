#include "probe.h"

#include "driver.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace probe {
namespace {

constexpr char ptx[] = R"(.version 7.0
.target sm_60
.address_size 64
.visible .global .align 4 .b8 g[64];
.global .texref t;
.global .surfref s;
.visible .entry k()
{
    ret;
}
)";

bool starts(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }
bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Zeros to read and room to write, as many bytes as any structure has.
uint64_t scratch() {
    static std::array<std::array<char, 16384>, 16> buffers;
    static size_t next = 0;
    std::array<char, 16384>& buffer = buffers[next++ % buffers.size()];
    buffer.fill(0);
    return word(buffer.data());
}

uint64_t noop() {
    return word(reinterpret_cast<void*>(+[]() -> uint64_t { return 0; }));
}

uint64_t pinned() {
    void* address = nullptr;
    call("cuMemHostAlloc", &address, 16384, 3);
    return word(address);
}

/// A file that goes with the process, however that ends.
const char* ptx_file() {
    static const std::string path = [] {
        const int file = memfd_create("k.ptx", 0);
        (void)!write(file, ptx, sizeof ptx - 1);
        return "/proc/self/fd/" + std::to_string(file);
    }();
    return path.c_str();
}

uint64_t made(const char* maker) {
    uint64_t handle = 0;
    call(maker, &handle, 0);
    return handle;
}

uint64_t module_of_kernel() {
    uint64_t module = 0;
    call("cuModuleLoadData", &module, ptx);
    return module;
}

uint64_t from_module(const char* getter, const char* name) {
    uint64_t handle = 0;
    call(getter, &handle, module_of_kernel(), name);
    return handle;
}

uint64_t library_of_kernel() {
    uint64_t library = 0;
    call("cuLibraryLoadData", &library, ptx, 0, 0, 0, 0, 0, 0);
    return library;
}

struct ArrayDescriptor {
    size_t width = 32, height = 32, depth = 0;
    int format = 0x20;                // float
    unsigned channels = 1, flags = 2; // surfaces
};

uint64_t array() {
    ArrayDescriptor descriptor;
    uint64_t handle = 0;
    call("cuArray3DCreate_v2", &handle, &descriptor);
    return handle;
}

uint64_t mipmapped_array() {
    ArrayDescriptor descriptor;
    uint64_t handle = 0;
    call("cuMipmappedArrayCreate", &handle, &descriptor, 3);
    return handle;
}

uint64_t array_object(const char* maker) {
    std::array<uint64_t, 18> resource{0, array()}; // CUDA_RESOURCE_DESC of an array
    std::array<uint64_t, 13> texture{};
    uint64_t handle = 0;
    call(maker, &handle, &resource, &texture, 0);
    return handle;
}

uint64_t pool() {
    struct {
        int allocation = 1, handles = 0, location = 1, device = 0; // CUmemPoolProps: pinned, on device 0
        uint64_t rest[10] = {};
    } properties;
    uint64_t handle = 0;
    call("cuMemPoolCreate", &handle, &properties);
    return handle;
}

uint64_t physical() {
    struct {
        int allocation = 1, handles = 0, location = 1, device = 0; // CUmemAllocationProp
        uint64_t rest[4] = {};
    } properties;
    uint64_t handle = 0;
    call("cuMemCreate", &handle, 2 << 20, &properties, 0);
    return handle;
}

/// A graph of one node, which is of the kind that the function is about.
struct GraphAndNode {
    uint64_t graph = 0, node = 0;
};

GraphAndNode graph_for(std::string_view symbol) {
    GraphAndNode made;
    call("cuGraphCreate", &made.graph, 0);
    uint64_t context = 0;
    call("cuCtxGetCurrent", &context);
    auto add = [&](const char* maker, auto... rest) { call(maker, &made.node, made.graph, 0, 0, rest...); };
    if (has(symbol, "KernelNode")) {
        struct {
            uint64_t function = from_module("cuModuleGetFunction", "k");
            unsigned shape[7] = {1, 1, 1, 1, 1, 1, 0};
            uint64_t parameters = 0, extra = 0, kernel = 0, context = 0;
        } parameters;
        add("cuGraphAddKernelNode_v2", &parameters);
    } else if (has(symbol, "MemsetNode")) {
        struct {
            uint64_t to = device_memory();
            size_t pitch = 0;
            unsigned value = 0, size = 4;
            size_t width = 4, height = 1;
        } parameters;
        add("cuGraphAddMemsetNode", &parameters, context);
    } else if (has(symbol, "MemcpyNode")) {
        // CUDA_MEMCPY3D: 16 bytes within the device.
        std::array<uint64_t, 25> copy{};
        copy[4] = copy[15] = 2;
        copy[6] = device_memory();
        copy[17] = device_memory();
        copy[22] = 16;
        copy[23] = copy[24] = 1;
        add("cuGraphAddMemcpyNode", &copy, context);
    } else if (has(symbol, "HostNode")) {
        std::array<uint64_t, 2> parameters{noop(), 0};
        add("cuGraphAddHostNode", &parameters);
    } else if (has(symbol, "ChildGraphNode")) {
        uint64_t child = 0;
        call("cuGraphCreate", &child, 0);
        add("cuGraphAddChildGraphNode", child);
    } else if (has(symbol, "EventRecordNode")) {
        add("cuGraphAddEventRecordNode", made_event());
    } else if (has(symbol, "EventWaitNode")) {
        add("cuGraphAddEventWaitNode", made_event());
    } else {
        add("cuGraphAddEmptyNode");
    }
    return made;
}

uint64_t graph_exec(std::string_view symbol) {
    uint64_t exec = 0;
    call("cuGraphInstantiateWithFlags", &exec, graph_for(symbol).graph, 0);
    return exec;
}

uint64_t link_state() {
    uint64_t state = 0;
    call("cuLinkCreate_v2", 0, 0, 0, &state);
    return state;
}

uint64_t context(bool stale) {
    uint64_t handle = 0;
    if (!stale) {
        call("cuDevicePrimaryCtxRetain", &handle, 0);
        return handle;
    }
    static const uint64_t gone = [] {
        uint64_t dead = 0, current = 0;
        call("cuCtxGetCurrent", &current);
        call("cuCtxCreate_v2", &dead, 0, 0);
        call("cuCtxDestroy_v2", dead);
        call("cuCtxSetCurrent", current);
        return dead;
    }();
    return gone;
}

/// How a handle is made, and what destroys it: then a stale one can be asked about, too.
struct Handle {
    const char* type;
    uint64_t (*make)(std::string_view symbol);
    const char* destroy;
};

constexpr Handle handles[] = {
    {"CUmodule", [](std::string_view) { return module_of_kernel(); }, "cuModuleUnload"},
    {"CUfunction", [](std::string_view) { return from_module("cuModuleGetFunction", "k"); }, nullptr},
    {"CUlibrary", [](std::string_view) { return library_of_kernel(); }, "cuLibraryUnload"},
    {"CUkernel",
     [](std::string_view) {
         uint64_t kernel = 0;
         call("cuLibraryGetKernel", &kernel, library_of_kernel(), "k");
         return kernel;
     },
     nullptr},
    {"CUarray", [](std::string_view) { return array(); }, "cuArrayDestroy"},
    {"CUmipmappedArray", [](std::string_view) { return mipmapped_array(); }, "cuMipmappedArrayDestroy"},
    {"CUtexref", [](std::string_view) { return from_module("cuModuleGetTexRef", "t"); }, nullptr},
    {"CUsurfref", [](std::string_view) { return from_module("cuModuleGetSurfRef", "s"); }, nullptr},
    {"CUevent", [](std::string_view) { return made_event(); }, "cuEventDestroy_v2"},
    {"CUstream", [](std::string_view) { return made("cuStreamCreate"); }, "cuStreamDestroy_v2"},
    {"CUgraph", [](std::string_view symbol) { return graph_for(symbol).graph; }, "cuGraphDestroy"},
    {"CUgraphNode", [](std::string_view symbol) { return graph_for(symbol).node; }, "cuGraphDestroyNode"},
    {"CUgraphExec", [](std::string_view symbol) { return graph_exec(symbol); }, "cuGraphExecDestroy"},
    {"CUmemoryPool", [](std::string_view) { return pool(); }, "cuMemPoolDestroy"},
    {"CUlinkState", [](std::string_view) { return link_state(); }, "cuLinkDestroy"},
    {"CUmemGenericAllocationHandle", [](std::string_view) { return physical(); }, "cuMemRelease"},
    {"CUtexObject", [](std::string_view) { return array_object("cuTexObjectCreate"); }, "cuTexObjectDestroy"},
    {"CUsurfObject", [](std::string_view) { return array_object("cuSurfObjectCreate"); }, "cuSurfObjectDestroy"},
};

const Handle* find_handle(const std::string& type) {
    const auto found = std::ranges::find(handles, type, [](const Handle& h) { return std::string_view(h.type); });
    return found == std::end(handles) ? nullptr : found;
}

bool is_pointer(const Parameter& parameter) { return parameter.type.ends_with("*"); }

/// Enumerations, device numbers and other numbers by their type's name.
bool is_number(const std::string& type) {
    return type == "int" || starts(type, "unsigned") || type == "size_t" || starts(type, "cuuint");
}

bool is_count(const Parameter& p) { return starts(p.name, "num") || p.name == "count"; }

bool is_size(const Parameter& p) {
    return p.type == "size_t" || p.type == "cuuint64_t" || p.type == "unsigned long long";
}

} // namespace

std::vector<const char*> labels_of(const Parameter& p) {
    if (p.type == "CUcontext") return {"good", "null", "stale", "event"};
    if (const Handle* handle = find_handle(p.type)) {
        if (p.type == "CUstream") return {"good", "null", "legacy", "per thread", "stale", "event"};
        if (handle->destroy) return {"good", "null", "stale", "stream"};
        return {"good", "null", "stream"};
    }
    if (p.type == "CUdeviceptr") return {"good", "0", "wild", "odd"};
    if (p.type == "CUdevice") return {"0", "-1", "1000"};
    if (p.type == "const char*") return {"good", "null", "empty"};
    if (p.type == "void*" || p.type == "const void*") return {"good", "null", "plain"};
    if (is_pointer(p)) return {"good", "null"};
    if (p.type == "float") return {"good"};
    if (is_count(p)) return {"0", "1", "huge"};
    if (p.name == "value") return {"0", "1"};
    if (p.name == "cudaVersion") return {"12000", "0", "-1", "1000000"};
    if (has(p.name, "lags")) return {"0", "1", "2", "high bit"};
    if (is_size(p)) return {"16", "0", "7", "huge"};
    if (is_number(p.type)) return {"1", "0", "-1", "1000000"};
    if (has(p.type, "Callback") || has(p.type, "ostFn") || has(p.type, "B2DSize")) return {"good", "null"};
    if (p.type == "CUmemLocation") return {"device 0", "device 1000", "type 99"};
    return {"1", "0", "2", "3", "-1", "1000"}; // enumerations
}

uint64_t make_value(const Function& function, const Parameter& p, std::string_view label) {
    const std::string_view symbol = function.symbol;
    if (label == "null" || label == "0") return 0;
    if (label == "stream") return made("cuStreamCreate");
    if (label == "event") return made_event();
    if (label == "legacy") return 1;
    if (label == "per thread") return 2;
    if (label == "empty") return word("");
    if (label == "wild") return uint64_t(1) << 46;
    if (label == "odd") return device_memory() + 1;
    if (label == "plain") return word(std::calloc(1, 16384));
    if (label == "huge") return is_size(p) ? uint64_t(1) << 60 : 0x7fffffff;
    if (label == "high bit") return 0x80000000;
    if (label == "device 0") return 1;
    if (label == "device 1000") return 1 | uint64_t(1000) << 32;
    if (label == "type 99") return 99;
    if (label != "good" && label != "stale") return uint64_t(std::atoll(std::string(label).c_str()));

    if (p.type == "CUcontext") return context(label == "stale");
    if (const Handle* handle = find_handle(p.type)) {
        const uint64_t made = handle->make(symbol);
        if (label == "stale") call(handle->destroy, made);
        return made;
    }
    if (p.type == "CUdeviceptr") return device_memory();
    if (p.type == "const char*") {
        const bool is_file = has(p.name, "ile") || has(p.name, "path") || p.name == "fname";
        return word(is_file ? ptx_file() : has(symbol, "Global") ? "g" : has(symbol, "TexRef") ? "t" : "k");
    }
    if (!is_pointer(p) && (has(p.type, "Callback") || has(p.type, "ostFn") || has(p.type, "B2DSize"))) return noop();
    if (p.type == "const void*" && (has(symbol, "Load") || has(symbol, "FatBinary"))) return word(ptx);
    if (p.type == "void*" && has(symbol, "Link")) return word(ptx);
    if (p.type == "void*" || p.type == "const void*") return pinned();
    return scratch();
}

} // namespace probe
