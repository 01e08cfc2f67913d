#pragma once

#include "backend/backend.h"
#include "rt/error.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

namespace rt {

class Context;

class Device {
  public:
    Device(int ordinal, backend::Device& backend);
    ~Device();

    int ordinal() const { return ordinal_; }
    const backend::DeviceFacts& facts() const { return backend_.facts(); }
    backend::Device& backend() { return backend_; }

    /// 10 * major + minor of the compute capability that we report: 89 unless the option says otherwise.
    int compute_capability() const;
    /// CUdevice_attribute by number; nullopt for numbers unknown to us. Every attribute cudart asks is known
    /// (rows of rt/device_attributes.def, computed from facts()).
    std::optional<int> attribute(int attribute) const;

    /// Whether kernels on it can use memory of the other. Not of itself, and never between vendors.
    bool reaches(const Device& other) const;

    /// The primary context. Its handle exists whether or not it is retained (static cudart makes it current first).
    Context& primary();
    void retain_primary();
    void release_primary(); ///< throws invalid_context when not retained
    void reset_primary();
    bool primary_active() const;
    unsigned primary_flags() const;
    void set_primary_flags(unsigned flags);

  private:
    const int ordinal_;
    backend::Device& backend_;
    mutable std::mutex mutex_;
    std::unique_ptr<Context> primary_;
    int primary_references_ = 0;
    unsigned primary_flags_ = 0;
};

} // namespace rt
