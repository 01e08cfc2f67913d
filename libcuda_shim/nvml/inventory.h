#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace nvml {

/// CUdevice_attribute, those that answers come from.
enum Attribute : int {
    clock_rate = 13, ///< kHz
    compute_mode = 20,
    ecc_enabled = 32,
    pci_bus_id = 33,
    pci_device_id = 34,
    memory_clock_rate = 36, ///< kHz
    memory_bus_width = 37,  ///< bits
    pci_domain_id = 50,
    capability_major = 75,
    capability_minor = 76,
    multi_gpu_board = 84,
};

struct Record {
    std::string name;
    std::array<uint8_t, 16> uuid{};
    std::map<int, int> attributes;
    uint64_t total_bytes = 0, free_bytes = 0;
    std::set<int> reaches; ///< indices of devices whose memory kernels of this one can use

    std::optional<unsigned> attribute(Attribute which) const;
    std::string uuid_text() const; ///< GPU-8-4-4-4-12 hexadecimal digits
    /// "0000:01:00.0" and "00000000:01:00.0". Empty when the place is not known.
    std::string pci_id(bool long_domain) const;
};

struct Inventory {
    int driver_version = 0; ///< as of cuDriverGetVersion
    std::vector<Record> devices; ///< all of the machine, in CUDA's order without CUDA_VISIBLE_DEVICES
};

/// Asks a process of its own, `cuttle info --records`: this one must stay as it is, so that it may still be forked and
/// its children use CUDA. nullopt, and a line in the log, when that does not answer.
std::optional<Inventory> take_inventory();

/// Of the text of `cuttle info --records`. nullopt when it is none.
std::optional<Inventory> parse_inventory(const std::string& text);

} // namespace nvml
