#pragma once

#include "backend_seam_tests.h"
#include "ptx/translate.h"

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seam {

/// Tests of a GPU's back end that bring kernels of their own, as PTX.
class Kernels : public Seam {
  protected:
    explicit Kernels(std::string_view source) : source_(source) {}

    /// Translated and loaded when first asked for.
    rt::backend::Kernel& kernel(const std::string& name) {
        std::unique_ptr<rt::backend::Code>& code = codes_[name];
        if (code) return *code->kernel(name);
        ptx::Request request;
        request.sources = {&source_, 1};
        request.target = device().facts().target;
        request.kernels = {name};
        code = device().load(std::make_shared<const ptx::Image>(ptx::translate(request)));
        return *code->kernel(name);
    }
    void launch(const std::string& name, uint32_t grid, uint32_t block, const std::vector<uint8_t>& parameters,
                uint32_t shared = 0, uint64_t globals = 0) {
        rt::backend::Launch launch;
        launch.kernel = &kernel(name);
        launch.grid.x = grid;
        launch.block.x = block;
        launch.parameters = parameters;
        launch.dynamic_shared_bytes = shared;
        launch.globals = globals;
        queue->launch(launch);
    }
    template <class... T> static std::vector<uint8_t> pack(T... values) {
        std::vector<uint8_t> bytes;
        const auto add = [&](auto value) {
            bytes.resize((bytes.size() + sizeof value - 1) / sizeof value * sizeof value + sizeof value);
            std::memcpy(bytes.data() + bytes.size() - sizeof value, &value, sizeof value);
        };
        (add(values), ...);
        return bytes;
    }
    /// Launches one block; the queue is a new one afterwards, since faults stay.
    rt::backend::Fault fault_after(const std::string& name, uint32_t block, const std::vector<uint8_t>& parameters,
                                   std::string& message) {
        launch(name, 1, block, parameters);
        queue->synchronize();
        const rt::backend::Fault fault = queue->fault(&message);
        queue.reset();
        queue = device().create_queue(0);
        return fault;
    }
    std::vector<uint32_t> words_at(uint64_t address, size_t count) {
        const std::vector<uint8_t> bytes = bytes_at(address, count * 4);
        std::vector<uint32_t> words(count);
        std::memcpy(words.data(), bytes.data(), bytes.size());
        return words;
    }

  private:
    const std::string_view source_;
    std::map<std::string, std::unique_ptr<rt::backend::Code>> codes_;
};

} // namespace seam
