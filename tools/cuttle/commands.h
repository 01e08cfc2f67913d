#pragma once

#include <string>
#include <vector>

/// The subcommands of `cuttle`. Each returns the exit code; what goes wrong is thrown as std::runtime_error.

struct RunSettings {
    std::string devices; ///< as the option `devices`; empty = as the environment says
    bool summary = false, profile = false; ///< as the options of these names
    std::vector<std::string> command; ///< program and arguments
};
/// Becomes the program, with our libcuda.so.1 in place of any other. 127: not found, 126: cannot be run.
int run(const RunSettings&);
/// Becomes cuttle-selftest (tests/oracle), run like any program: the oracle's cases on the first device. `groups` of
/// them: empty = all.
int selftest(const std::string& devices, const std::vector<std::string>& groups);

int show_info();
int show_options();
/// For libnvidia-ml (libcuda_shim/nvml/inventory.h): "driver=VERSION", then "key=value" lines for each device of the
/// machine, hidden ones too. Blocks of lines end with an empty one.
int show_records();

int show_cache();
int clear_cache();
