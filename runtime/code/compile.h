#pragma once

#include "code/sha256.h"
#include "ptx/image.h"
#include "ptx/job.h"

#include <optional>
#include <string>
#include <vector>

namespace rt::code {

/// PTX texts that belong together, and how to translate them. Both functions look in the code cache first, then ask
/// the translator and keep what it gives. They throw rt::Error with the translator's reason: invalid_ptx for wrong text
/// and for what the translator gave up on, not_supported, jit_compiler_not_found.
class Compilation {
  public:
    Compilation(std::vector<std::string> sources, ptx::Options options);

    /// Of the texts and the options: equal digests mean interchangeable compilations.
    const Digest& digest() const { return digest_; }
    const std::vector<std::string>& sources() const { return sources_; }
    const ptx::Options& options() const { return options_; }

    ptx::ModuleInfo index() const;
    /// One kernel's code, if it is in the code cache.
    std::optional<ptx::Image> find(const ptx::Target&, const std::string& kernel) const;
    /// Either kernels or device functions.
    ptx::Image translate(const ptx::Target&, const std::vector<std::string>& kernels,
                         const std::vector<std::string>& functions) const;

  private:
    ptx::Job translation(const ptx::Target&) const;

    std::vector<std::string> sources_;
    ptx::Options options_;
    Digest digest_;
};

} // namespace rt::code
