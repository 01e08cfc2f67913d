#include "backend/cpu/facts.h"

#include "support/options.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <thread>
#include <unistd.h>

namespace rt::backend::cpu {

namespace {

std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// Value of a row "name : value" of /proc/cpuinfo.
std::string cpu_info(const std::string& name) {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.compare(0, name.size(), name) != 0) continue;
        const size_t colon = line.find(':');
        if (colon == std::string::npos || line.find_first_not_of(" \t", name.size()) != colon) continue;
        const size_t begin = line.find_first_not_of(" \t", colon + 1);
        return begin == std::string::npos ? "" : line.substr(begin);
    }
    return "";
}

/// "AMD EPYC 7763 64-Core Processor" -> "AMD EPYC 7763"
std::string short_name(std::string name) {
    for (const char* noise : {"(R)", "(TM)", "(tm)", " CPU", " Processor"})
        for (size_t at; (at = name.find(noise)) != std::string::npos;) name.erase(at, std::string(noise).size());
    std::istringstream words(name);
    std::string result;
    for (std::string word; words >> word && word != "@" && word != "with";) {
        if (word.size() > 5 && word.compare(word.size() - 5, 5, "-Core") == 0) continue;
        result += (result.empty() ? "" : " ") + word;
    }
    return result.empty() ? "unknown processor" : result;
}

std::array<uint8_t, 16> uuid_of(unsigned index) {
    std::string seed = first_line("/etc/machine-id");
    if (seed.empty()) {
        char host[256] = {};
        gethostname(host, sizeof host - 1);
        seed = host;
    }
    seed += "/cuttle-cpu/" + std::to_string(index);
    // FNV-1a, twice with different seeds.
    std::array<uint8_t, 16> uuid{};
    for (unsigned half = 0; half < 2; half++) {
        uint64_t hash = 0xcbf29ce484222325ull + half;
        for (unsigned char c : seed) hash = (hash ^ c) * 0x100000001b3ull;
        for (unsigned i = 0; i < 8; i++) uuid[half * 8 + i] = uint8_t(hash >> (8 * i));
    }
    uuid[6] = uint8_t((uuid[6] & 0x0f) | 0x80); // RFC 9562: version 8, made by an own scheme
    uuid[8] = uint8_t((uuid[8] & 0x3f) | 0x80);
    return uuid;
}

uint32_t clock_khz() {
    const std::string highest = first_line("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
    if (!highest.empty() && std::isdigit(static_cast<unsigned char>(highest[0]))) return uint32_t(std::stoul(highest));
    const std::string mhz = cpu_info("cpu MHz");
    return mhz.empty() ? 1'000'000 : uint32_t(std::strtod(mhz.c_str(), nullptr) * 1000);
}

uint32_t last_level_cache() {
    for (int name : {_SC_LEVEL3_CACHE_SIZE, _SC_LEVEL2_CACHE_SIZE})
        if (long bytes = sysconf(name); bytes > 0) return uint32_t(std::min<long>(bytes, 1 << 30));
    return 1 << 20;
}

} // namespace

unsigned usable_processors() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return unsigned(std::max(1, CPU_COUNT(&set)));
    return std::max(1u, std::thread::hardware_concurrency());
}

uint64_t machine_memory() {
    uint64_t bytes = uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGESIZE));
    for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
        const std::string limit = first_line(path);
        if (!limit.empty() && std::isdigit(static_cast<unsigned char>(limit[0])))
            bytes = std::min<uint64_t>(bytes, std::strtoull(limit.c_str(), nullptr, 10));
    }
    return bytes;
}

DeviceFacts describe_device(unsigned index, unsigned threads) {
    DeviceFacts facts;
    facts.name = "Cuttle CPU (" + short_name(cpu_info("model name")) + ")";
    facts.uuid = uuid_of(index);
    facts.pci_bus = int32_t(index / 32 + 1);
    facts.pci_device = int32_t(index % 32);
    facts.memory_bytes = options().cpu_memory ? options().cpu_memory : machine_memory() / 2;
    facts.multiprocessors = threads;
    facts.clock_khz = clock_khz();
    // Two channels of DDR4-3200: nothing tells an ordinary process more.
    facts.memory_clock_khz = 1'600'000;
    facts.memory_bus_bits = 128;
    facts.l2_bytes = last_level_cache();
    facts.virtual_memory = true;
    facts.target.arch = ptx::Arch::host;
    facts.target.cpu = options().cpu_target;
    return facts;
}

} // namespace rt::backend::cpu
