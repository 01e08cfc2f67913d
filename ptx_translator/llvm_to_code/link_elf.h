#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// lld, in this process, from bytes to bytes.
namespace ptx::code {

/// Input and output of one link lie in a directory of their own, for lld wants files. Removed with the object.
class LinkJob {
  public:
    LinkJob();
    ~LinkJob();
    LinkJob(const LinkJob&) = delete;
    LinkJob& operator=(const LinkJob&) = delete;

    /// Writes an input; returns its path.
    std::string file(std::string_view name, std::string_view bytes);
    /// A shared library without code that defines `symbols`, so that the output gets a DT_NEEDED entry for `soname`.
    std::string stub_library(const std::string& soname, const std::vector<std::string>& symbols);
    /// Runs `ld.lld arguments... -o OUTPUT`. One link at a time in a process. Throws ptx::Error with lld's messages.
    std::vector<uint8_t> link(std::vector<std::string> arguments);

  private:
    std::filesystem::path directory_;
};

} // namespace ptx::code
