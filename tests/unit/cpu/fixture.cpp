#include "fixture.h"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <unistd.h>

namespace cpu_test {

Backend& backend() {
    static const std::unique_ptr<Backend> cpu = create_cpu_backend();
    return *cpu;
}

Device& device() { return *backend().devices().at(0); }

std::shared_ptr<const ptx::Image> image() {
    static const std::shared_ptr<const ptx::Image> made = [] {
        auto image = std::make_shared<ptx::Image>();
        const auto add = [&](const char* name, bool synchronises, uint32_t shared) {
            ptx::KernelInfo info;
            info.name = std::string("test_") + name;
            info.symbol = name;
            info.translated = true;
            info.uses_barrier = synchronises;
            info.uses_cluster = info.name.starts_with("test_cluster_");
            info.static_shared_bytes = shared;
            image->kernels.push_back(info);
        };
#define TEST_KERNEL(name, synchronises, shared) add(#name, synchronises, shared);
#include "kernels.def"
        image->functions.push_back({"device_function", "device_function"});
        std::ifstream file(CPU_TEST_KERNELS, std::ios::binary);
        image->code.assign(std::istreambuf_iterator<char>(file), {});
        return image;
    }();
    return made;
}

Kernel& kernel(const std::string& name) {
    static const std::unique_ptr<Code> code = device().load(image());
    Kernel* found = code->kernel("test_" + name);
    if (!found) throw std::runtime_error("no kernel " + name);
    return *found;
}

void launch(Queue& queue, const std::string& name, Shape shape, const std::vector<uint64_t>& parameters) {
    Launch launch;
    launch.kernel = &kernel(name);
    launch.grid = shape.grid;
    launch.block = shape.block;
    launch.dynamic_shared_bytes = shape.dynamic_shared_bytes;
    launch.cooperative = shape.cooperative;
    launch.cluster = shape.cluster;
    launch.parameters = {reinterpret_cast<const uint8_t*>(parameters.data()), parameters.size() * 8};
    queue.launch(launch);
}

double milliseconds(const std::function<void()>& function) {
    const auto begin = std::chrono::steady_clock::now();
    function();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

size_t resident_bytes() {
    size_t total = 0, resident = 0;
    if (FILE* file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%zu %zu", &total, &resident) != 2) resident = 0;
        std::fclose(file);
    }
    return resident * size_t(sysconf(_SC_PAGESIZE));
}

} // namespace cpu_test
