// run_cases PTX CASES GROUP [FIRST]: runs the cases of a group through libcuda.so.1, whoever's it is, and prints a line
// for each:
//   NAME: STATUS [MAP STATUS] DIGEST WORD...
// See README.md for the columns. Stands alone, so that the same binary runs on an NVIDIA GPU.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

struct alignas(64) TensorMap {
    uint64_t words[16];
};

/// What every kernel gets, the map first.
struct Arguments {
    uint64_t in, out;
    int32_t c[12];
};

struct Attribute {
    int id;
    char pad[4];
    union {
        char bytes[64];
        uint32_t cluster[3];
    };
};

struct Config {
    uint32_t grid[3], block[3], shared;
    void* stream;
    Attribute* attributes;
    uint32_t count;
};

void* library;

template <class... A> int call(const char* name, A... arguments) {
    auto* function = reinterpret_cast<int (*)(A...)>(dlsym(library, name));
    if (!function) std::fprintf(stderr, "no %s\n", name), std::exit(2);
    return function(arguments...);
}

void must(int status, const char* what) {
    if (status) std::fprintf(stderr, "%s: %d\n", what, status), std::exit(2);
}

using Fields = std::vector<std::string>;

Fields split(const std::string& text, char at) {
    Fields out;
    std::stringstream stream(text);
    for (std::string field; std::getline(stream, field, at);) out.push_back(field);
    return out;
}

template <class T> std::vector<T> numbers(const std::string& text) {
    std::vector<T> out;
    for (const std::string& field : split(text, ',')) out.push_back(T(std::strtoll(field.c_str(), nullptr, 0)));
    return out;
}

uint32_t hash32(uint32_t x) {
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU;
    return x ^ (x >> 16);
}

uint64_t digest(const std::vector<uint8_t>& data) {
    uint64_t h = 14695981039346656037ULL;
    for (uint8_t byte : data) h = (h ^ byte) * 1099511628211ULL;
    return h;
}

constexpr size_t in_bytes = 1 << 20, out_capacity = 1 << 20;

/// tiled:BASE;TYPE;DIMS;STRIDES;BOX;STEPS;INTERLEAVE;SWIZZLE;FILL, or im2col:... with LOWER;UPPER;CHANNELS;PIXELS in
/// the place of BOX. BASE is in or out, or in+N.
int encode(TensorMap& map, const std::string& text, uint64_t in, uint64_t out) {
    const Fields f = split(text.substr(text.find(':') + 1), ';');
    uint64_t base = f[0].substr(0, 2) == "in" ? in : out;
    if (const size_t plus = f[0].find('+'); plus != f[0].npos) base += std::stoull(f[0].substr(plus + 1));
    const auto dims = numbers<uint64_t>(f[2]);
    auto strides = numbers<uint64_t>(f[3]);
    strides.resize(5); // the driver wants a list, even of none
    const int type = std::stoi(f[1]);
    if (text.compare(0, 5, "tiled") == 0) {
        const auto box = numbers<uint32_t>(f[4]), steps = numbers<uint32_t>(f[5]);
        return call("cuTensorMapEncodeTiled", &map, type, uint32_t(dims.size()), (void*)base, dims.data(),
                    strides.data(), box.data(), steps.data(), std::stoi(f[6]), std::stoi(f[7]), 0, std::stoi(f[8]));
    }
    const auto lower = numbers<int>(f[4]), upper = numbers<int>(f[5]);
    const auto steps = numbers<uint32_t>(f[8]);
    return call("cuTensorMapEncodeIm2col", &map, type, uint32_t(dims.size()), (void*)base, dims.data(), strides.data(),
                lower.data(), upper.data(), uint32_t(std::stoul(f[6])), uint32_t(std::stoul(f[7])), steps.data(),
                std::stoi(f[9]), std::stoi(f[10]), 0, std::stoi(f[11]));
}

struct Device {
    void *context = nullptr, *module = nullptr;
    uint64_t in = 0, out = 0;
    const char* ptx;

    explicit Device(const char* text) : ptx(text) {
        int device = 0;
        must(call("cuInit", 0u), "cuInit");
        must(call("cuDeviceGet", &device, 0), "cuDeviceGet");
        open();
    }
    void open() {
        must(call("cuCtxCreate_v2", &context, 0u, 0), "cuCtxCreate");
        char log[8192] = "";
        int options[] = {5, 6};
        void* values[] = {log, (void*)sizeof log};
        const int status = call("cuModuleLoadDataEx", &module, (const void*)ptx, 2u, options, values);
        if (status) std::fprintf(stderr, "%s\n", log);
        must(status, "cuModuleLoadDataEx");
        must(call("cuMemAlloc_v2", &in, in_bytes), "cuMemAlloc");
        must(call("cuMemAlloc_v2", &out, out_capacity), "cuMemAlloc");
        std::vector<uint32_t> words(in_bytes / 4);
        for (size_t i = 0; i < words.size(); i++) words[i] = hash32(uint32_t(i));
        must(call("cuMemcpyHtoD_v2", in, (const void*)words.data(), in_bytes), "cuMemcpyHtoD");
    }

    /// False when the context is lost, and with it, on an NVIDIA GPU, the process.
    bool run(const Fields& row) {
        const std::string &name = row[1], &kernel = row[2];
        auto grid = numbers<uint32_t>(row[3]), block = numbers<uint32_t>(row[4]), cluster = numbers<uint32_t>(row[5]);
        const size_t bytes = std::stoul(row[7], nullptr, 0);
        grid.resize(3, 1), block.resize(3, 1), cluster.resize(3, 1);
        must(call("cuMemsetD8_v2", out, (unsigned char)0xaa, out_capacity), "cuMemsetD8");
        TensorMap map{};
        std::printf("%s:", name.c_str());
        if (row[8] != "-") {
            const int status = encode(map, row[8], in, out);
            std::printf(" map %d", status);
            if (status) return std::printf("\n"), true;
        }
        Arguments arguments{in, out, {}};
        if (row.size() > 9 && row[9] != "-") {
            const auto list = numbers<int32_t>(row[9]);
            for (size_t i = 0; i < list.size() && i < 12; i++) arguments.c[i] = list[i];
        }
        void* function = nullptr;
        if (const int status = call("cuModuleGetFunction", &function, module, kernel.c_str()))
            return std::printf(" no kernel %d\n", status), true;
        const unsigned shared = unsigned(std::stoul(row[6]));
        if (shared > 49152) call("cuFuncSetAttribute", function, 8, int(shared));
        const uint32_t blocks = cluster[0] * cluster[1] * cluster[2];
        if (blocks > 8) call("cuFuncSetAttribute", function, 14, 1);
        Attribute attribute{};
        attribute.id = 4;
        std::memcpy(attribute.cluster, cluster.data(), 12);
        Config config{
            {grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]}, shared, nullptr, &attribute, blocks > 1};
        void* parameters[] = {&map, &arguments};
        int status = call("cuLaunchKernelEx", (const Config*)&config, function, parameters, (void**)nullptr);
        const bool launched = status == 0;
        if (launched) status = call("cuCtxSynchronize");
        std::printf(" %d", status);
        if (status) {
            std::printf("\n");
            return !launched;
        }
        std::vector<uint8_t> result(bytes);
        must(call("cuMemcpyDtoH_v2", (void*)result.data(), out, bytes), "cuMemcpyDtoH");
        std::printf(" %016llx", (unsigned long long)digest(result));
        for (size_t i = 0; i + 4 <= bytes && i < 64; i += 4) {
            uint32_t word;
            std::memcpy(&word, &result[i], 4);
            std::printf(" %x", word);
        }
        std::printf("\n");
        return true;
    }
};

} // namespace

int main(int count, char** arguments) {
    if (count < 4) return std::fprintf(stderr, "run_cases PTX CASES GROUP\n"), 2;
    library = dlopen("libcuda.so.1", RTLD_NOW);
    if (!library) return std::fprintf(stderr, "%s\n", dlerror()), 2;
    std::ifstream rows(arguments[2]);
    std::stringstream text;
    text << std::ifstream(arguments[1]).rdbuf();
    const std::string source = text.str();
    Device device(source.c_str());
    long cases = 0;
    const long first = count > 4 ? std::atol(arguments[4]) : 0;
    for (std::string line; std::getline(rows, line);) {
        const Fields row = split(line, '\t');
        if (row.size() < 9 || row[0] != arguments[3]) continue;
        if (cases++ < first) continue;
        const bool alive = device.run(row);
        std::fflush(stdout);
        if (alive) continue;
        const std::string next = std::to_string(cases);
        execl("/proc/self/exe", arguments[0], arguments[1], arguments[2], arguments[3], next.c_str(), nullptr);
    }
    return cases ? 0 : 2;
}
